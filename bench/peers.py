"""Headframe beside nDPI and nfstream on the same captures: found, missed, false alarms.

``python bench/peers.py [--data ../shared/data] [--tools headframe,ndpi,nfstream] [--readme]``

Each tool runs as it comes, without tuning, and is judged by its own word:

- nDPI (``ndpiReader`` as packaged by Debian): a flow whose protocol is ``Mining``.
- nfstream (its own environment under ``build/``, made on the first run): a flow whose application or category is
  ``Mining``.
- Headframe: a finding with the role ``miner``.

The unit is a *session*: one client address, one server address and port, in one capture. The truth is not taken from
any of the three. ``tshark`` reads each TCP stream, and a session is mining where the server answered as a pool: it
handed out work (`WORK`) or confirmed a subscription (`CONFIRMS`). Work that a pool fetches from its own daemon
(getblocktemplate) is no mining session. One encrypted session is taken from the manifest, because nobody can
read it: Coinhive in ``coinhive.pcap``. In the benign captures each session that is called mining is a false alarm.

Where the cgminer captures probe an endpoint that never answered as a pool, a tool may well call the attempt mining: the
client does speak the protocol. That is counted in a column of its own and is no false alarm.
"""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from headframe.sources.archives import unpack

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
PEERS_ENVIRONMENT = ROOT / "build" / "peers"
NFSTREAM = "nfstream==6.6.0"
HEADFRAME = Path(os.environ.get("HEADFRAME_COMMAND", ROOT / ".venv" / "bin" / "headframe"))
"""The program under test: that of this checkout, unless the environment names another."""

Session = tuple[str, str, int]  # client, server, server port

WORK = re.compile(
    rb'"mining\.notify"\s*,\s*"params"|"method"\s*:\s*"mining\.notify"|"method"\s*:\s*"job"|"job"\s*:\s*\{'
    rb'|"result"\s*:\s*\[\s*"0x[0-9a-f]{64}"|"midstate"\s*:'
)
"""How work looks when a server hands it out: Stratum, CryptoNote, Ethereum, getwork."""
CONFIRMS = re.compile(
    rb'"result"\s*:\s*\[\s*(\[\s*(\[\s*)?"mining\.|null\s*,\s*"[0-9a-f]{8,}"|"[0-9a-f]{8,}"\s*,\s*"[0-9a-f]{8,}")'
)
"""How a server confirms ``mining.subscribe``: Stratum's list, ZIP 301's session and nonce, or a pair of nonces."""
ASKS = re.compile(rb'"mining\.(subscribe|authorize)"|"getwork"|"getblocktemplate"')
"""How a client asks to mine. Where no pool answers, it is an attempt."""

NFSTREAM_SCRIPT = """
import json, sys
from nfstream import NFStreamer
for flow in NFStreamer(source=sys.argv[1]):
    if "Mining" in flow.application_name or "Mining" in flow.application_category_name:
        print(json.dumps([flow.src_ip, flow.src_port, flow.dst_ip, flow.dst_port]))
"""


@dataclass
class Capture:
    """One file with its truth."""

    path: Path
    group: str
    truth: set[Session] = field(default_factory=set)
    probes: set[Session] = field(default_factory=set)


@dataclass
class Score:
    """What one tool made of one group of captures."""

    captures: int = 0
    captures_found: int = 0
    sessions: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    probes: int = 0
    probes_called_mining: int = 0
    others_called_mining: int = 0
    captures_with_others: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0
    failures: list[str] = field(default_factory=list)


def streams(path: Path) -> Iterable[tuple[tuple[str, int], tuple[str, int], bytes, bytes]]:
    """Give each TCP stream by tshark's reading: originator, responder and the bytes of both."""
    names = ["tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport", "tcp.payload"]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    for name in names:
        command += ["-e", name]
    lines = subprocess.run([*command, "-Y", "tcp"], capture_output=True, text=True, check=False).stdout.splitlines()
    seen: dict[str, tuple[tuple[str, int], tuple[str, int], list[bytes], list[bytes]]] = {}
    for line in lines:
        stream, ip4_src, ip6_src, src_port, ip4_dst, ip6_dst, dst_port, payload = line.split("\t")
        source, target = (ip4_src or ip6_src, int(src_port)), (ip4_dst or ip6_dst, int(dst_port))
        if stream not in seen:
            seen[stream] = (source, target, [], [])
        orig, _, orig_bytes, resp_bytes = seen[stream]
        if payload:
            (orig_bytes if source == orig else resp_bytes).append(bytes.fromhex(payload.replace(":", "")))
    for orig, resp, orig_bytes, resp_bytes in seen.values():
        yield orig, resp, b"".join(orig_bytes), b"".join(resp_bytes)


def read_truth(capture: Capture) -> None:
    """Fill in which sessions are mining, and which only tried."""
    for orig, resp, orig_bytes, resp_bytes in streams(capture.path):
        # A capture that begins in mid-session may have the server's packet first.
        for client, server, said, heard in ((orig, resp, orig_bytes, resp_bytes), (resp, orig, resp_bytes, orig_bytes)):
            session = (client[0], server[0], server[1])
            if WORK.search(heard) or CONFIRMS.search(heard):
                capture.truth.add(session)
            elif ASKS.search(said):
                capture.probes.add(session)
    capture.probes -= capture.truth
    if capture.path.name == "coinhive.pcap":
        capture.truth.add(("10.0.2.15", "37.187.167.83", 443))  # MANIFEST.tsv: WebSocket in TLS


def run_ndpi(path: Path) -> set[Session]:
    """Sessions that nDPI calls mining."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as out:
        subprocess.run(
            ["ndpiReader", "-q", "-i", str(path), "-C", out.name], capture_output=True, check=True, timeout=600
        )
        with open(out.name, newline="", encoding="utf-8", errors="replace") as rows:
            return {
                session
                for row in csv.DictReader(rows)
                if "Mining" in (row["ndpi_proto"] or "")
                for session in both_ways(row["src_ip"], row["src_port"], row["dst_ip"], row["dst_port"])
            }


def run_nfstream(path: Path) -> set[Session]:
    """Sessions that nfstream calls mining."""
    command = [str(PEERS_ENVIRONMENT / "bin" / "python"), "-c", NFSTREAM_SCRIPT, str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    return {session for line in out.splitlines() for session in both_ways(*json.loads(line))}


def both_ways(src: str, src_port: str | int, dst: str, dst_port: str | int) -> tuple[Session, Session]:
    """A flow as a session from either end: the peers do not always know who the client is."""
    return (src, dst, int(dst_port)), (dst, src, int(src_port))


def run_headframe(path: Path) -> set[Session]:
    """Sessions that Headframe calls mining."""
    command = [str(HEADFRAME), "scan", str(path), "--format", "jsonl", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    sessions: set[Session] = set()
    for line in done.stdout.splitlines():
        finding = json.loads(line)
        if finding.get("role") == "miner":
            address, _, port = finding["peer"].rpartition(":")
            sessions.add((finding["host"], address.strip("[]"), int(port)))
    # 3 is a damaged capture, of which all that can be read was used; some of these are cut on purpose.
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stderr[-300:])
    return sessions


TOOLS = {"headframe": run_headframe, "ndpi": run_ndpi, "nfstream": run_nfstream}


def judge(tool: str, captures: list[Capture], workers: int) -> dict[str, Score]:
    """Run one tool over all captures."""
    scores: dict[str, Score] = {}

    def one(capture: Capture) -> tuple[Capture, set[Session] | Exception, float]:
        started = time.monotonic()
        try:
            called: set[Session] | Exception = TOOLS[tool](capture.path)
        except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
            called = error
        return capture, called, time.monotonic() - started

    with ThreadPoolExecutor(workers) as pool:
        for capture, called, elapsed_s in pool.map(one, captures):
            score = scores.setdefault(capture.group, Score())
            score.captures += 1
            score.elapsed_s += elapsed_s
            score.sessions += len(capture.truth)
            score.probes += len(capture.probes)
            if isinstance(called, Exception):
                score.failures.append(f"{capture.path.name}: {called!r:.200}")
                called = set()
            hits = capture.truth & called
            score.captures_found += bool(hits)
            score.found += len(hits)
            score.missed += [f"{capture.path.name} {c} -> {s}:{p}" for c, s, p in sorted(capture.truth - called)]
            score.probes_called_mining += len(capture.probes & called)
            known = capture.truth | capture.probes
            known |= {flipped for c, s, p in known for flipped in called if (flipped[0], flipped[1]) == (s, c)}
            others = called - known
            # The peers' flows count from both ends: a flow is one false alarm, not two.
            pairs = {frozenset((c, s)) if tool != "headframe" else (c, s, p) for c, s, p in others}
            score.others_called_mining += len(pairs)
            if pairs:
                score.captures_with_others.append(f"{capture.path.name} ({len(pairs)})")
    return scores


def collect(data: Path, zoo: Path) -> list[Capture]:
    """All captures, with their truth where there is mining."""
    mining = data / "network" / "pcap_mining"
    captures = []
    for folder in ("cj-sniffer", "nesfit", "ndpi", "zeek-cryptomining", "coiniumserv"):
        for path in sorted(p for p in (mining / folder).iterdir() if p.suffix in {".pcap", ".pcapng"}):
            group = "cgminer probes" if path.name.startswith("cgminer") else folder
            captures.append(Capture(path, group))
    for capture in captures:
        read_truth(capture)
    unpack(data / "network" / "benign" / "ndpi_pcaps_and_results.tar.xz", zoo)
    captures += [
        Capture(path, "benign zoo") for path in sorted(zoo.rglob("*")) if path.suffix in {".pcap", ".pcapng", ".cap"}
    ]
    return captures


NAMES = {"headframe": "Headframe", "ndpi": "nDPI", "nfstream": "nfstream"}


def markdown(results: dict[str, dict[str, Score]], versions: dict[str, str]) -> str:
    """The table for the README."""
    tools = list(results)
    lines = [
        "| Captures | Mining sessions | " + " | ".join(f"{NAMES[t]} {versions[t]}" for t in tools) + " |",
        "|---|---|" + "---|" * len(tools),
    ]
    first = results[tools[0]]
    for group, reference in first.items():
        if group == "benign zoo":
            continue
        cells = []
        for tool in tools:
            score = results[tool][group]
            cell = f"{score.found} found, {score.sessions - score.found} missed"
            if score.others_called_mining:
                cell += f", {score.others_called_mining} others"
            cells.append(cell)
        label = f"{group} ({reference.captures})"
        lines.append(f"| {label} | {reference.sessions} | " + " | ".join(cells) + " |")
        if group == "cgminer probes":
            cells = [f"{results[tool][group].probes_called_mining} called mining" for tool in tools]
            label = f"{reference.probes} more endpoints in them that never answered as a pool"
            lines.append(f"| {label} | 0 | " + " | ".join(cells) + " |")
    if "benign zoo" in first:
        cells = []
        for tool in tools:
            score = results[tool]["benign zoo"]
            count = score.others_called_mining + score.probes_called_mining + score.found
            cells.append(f"{count} false alarms" + (f" in {len(score.captures_with_others)} captures" if count else ""))
        lines.append(f"| benign protocol zoo ({first['benign zoo'].captures}) | 0 | " + " | ".join(cells) + " |")
    failures = [f"{NAMES[t]}: {len(s.failures)} in {g}" for t in tools for g, s in results[t].items() if s.failures]
    if failures:
        lines += ["", f"**Not all captures could be judged; these runs failed: {'; '.join(failures)}.**"]
    return "\n".join(lines)


def tool_version(tool: str) -> str:
    """What the tool says of itself."""
    if tool == "ndpi":
        out = subprocess.run(["ndpiReader", "-h"], capture_output=True, text=True, check=False)
        found = re.search(r"nDPI (\S+)", out.stdout + out.stderr)
        return found.group(1) if found else "?"
    if tool == "nfstream":
        return NFSTREAM.partition("==")[2]
    out = subprocess.run([str(HEADFRAME), "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+\S*", out.stdout)
    return found.group() if found else ""


def make_peers_environment() -> None:
    """Install nfstream apart: it is LGPL, is measured only, and must not mix with our dependencies."""
    python = PEERS_ENVIRONMENT / "bin" / "python"
    probe = (
        subprocess.run([str(python), "-c", "import nfstream"], capture_output=True, check=False)
        if python.exists()
        else None
    )
    if probe is None or probe.returncode:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS_ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", NFSTREAM], check=True)


def write_readme(marker: str, text: str) -> None:
    """Put a table between its two marks in the README."""
    readme = ROOT / "README.md"
    old = readme.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {marker}:begin[^>]*-->\n).*?(<!-- {marker}:end -->)", re.DOTALL)
    readme.write_text(pattern.sub(lambda m: f"{m.group(1)}{text}\n{m.group(2)}", old), encoding="utf-8")


def main() -> int:
    """Run the comparison and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with the real captures"
    )
    parser.add_argument("--tools", default="headframe,ndpi,nfstream", help="which to run, comma separated")
    parser.add_argument("--workers", type=int, default=2, help="captures at a time")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    arguments = parser.parse_args()

    tools = arguments.tools.split(",")
    if not arguments.data.is_dir():
        print(f"no data at {arguments.data}; name the folder with --data", file=sys.stderr)
        return 2
    needed = [*(["ndpiReader"] if "ndpi" in tools else []), "tshark"]
    missing = [name for name in needed if shutil.which(name) is None]
    if missing:
        print(f"missing: {', '.join(missing)}; tools/system-packages.sh installs them", file=sys.stderr)
        return 2
    if "nfstream" in tools:
        make_peers_environment()

    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as zoo:
        captures = collect(arguments.data, Path(zoo))
        print(f"{len(captures)} captures, {sum(len(c.truth) for c in captures)} mining sessions", file=sys.stderr)
        results = {}
        for tool in tools:
            results[tool] = judge(tool, captures, arguments.workers)
            print(f"{tool} done", file=sys.stderr)
    table = markdown(results, {tool: tool_version(tool) for tool in tools})
    print(table)
    details = {tool: {group: asdict(score) for group, score in scores.items()} for tool, scores in results.items()}
    (BUILD / "peers.json").write_text(json.dumps(details, indent=2), encoding="utf-8")
    for tool, scores in results.items():
        for group, score in scores.items():
            for line in score.missed[:8]:
                print(f"{tool}: missed in {group}: {line}", file=sys.stderr)
            for line in [*score.captures_with_others[:8], *score.failures[:8]]:
                print(f"{tool}: in {group}: {line}", file=sys.stderr)
    if any(score.failures for scores in results.values() for score in scores.values()):
        return 1
    if arguments.readme:
        write_readme("peers", table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
