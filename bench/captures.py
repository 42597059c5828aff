"""What Headframe makes of real captures, beside a truth that does not come from Headframe.

``python bench/captures.py [--data ../shared/data] [--only cj-sniffer,sessions,probes,benign]``

Prints the table of what must be found, and the tables behind it, in Markdown. The truth comes from three sources:

- the packets, decoded by ``tshark`` and put together by the plain Python of this file (sequence numbers sorted, lines
  split, ``json.loads``), which shares no code with Headframe;
- the labels that come with the captures (``labels.csv``), where there are any;
- the manifest of the data, for what nobody can read: Coinhive inside TLS.

Nothing here tunes anything: it counts, prints, and leaves with exit status 1 where a demand is not met.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headframe.sources.archives import unpack

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
HEADFRAME = os.environ.get("HEADFRAME_COMMAND", str(ROOT / ".venv" / "bin" / "headframe")).split()
"""The program under test: that of this checkout, unless the environment names another."""

End = tuple[str, int]
Endpoint = tuple[str, str, int]
"""Client, server, server port."""


# -- the packets, by tshark and plain Python ---------------------------------------------------------------------------


@dataclass
class Stream:
    """One TCP stream: its ends, and what each said: (time [s], bytes) pieces in the order of the sequence numbers."""

    ends: tuple[End, End]
    pieces: tuple[list[tuple[float, bytes]], list[tuple[float, bytes]]] = field(default_factory=lambda: ([], []))
    missing_bytes: list[int] = field(default_factory=lambda: [0, 0])
    _parsed: dict[int, list[tuple[float, dict[str, Any]]]] = field(default_factory=dict)

    def messages(self, side: int) -> list[tuple[float, dict[str, Any]]]:
        """JSON objects at the start of a line, or as the body of an HTTP message, with the time of their last byte."""
        if side not in self._parsed:
            self._parsed[side] = list(self._parse(side))
        return self._parsed[side]

    def _parse(self, side: int) -> Iterator[tuple[float, dict[str, Any]]]:
        buffer = b""
        for at_s, data in self.pieces[side]:
            buffer += data
            *lines, buffer = re.split(rb"[\r\n\x00]+", buffer)
            # The last message of a segment often has no line end.
            if buffer[:1] == b"{" and buffer.rstrip()[-1:] == b"}" and json_object(buffer) is not None:
                lines.append(buffer)
                buffer = b""
            for line in lines:
                value = json_object(line)
                if value is not None:
                    yield at_s, value


def json_object(line: bytes) -> dict[str, Any] | None:
    """The object that a line is, or None."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def read_streams(path: Path) -> list[Stream]:
    """TCP streams of a capture: decoded by ``tshark``, put in order here."""
    names = (
        "tcp.stream", "frame.time_epoch", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport",
        "tcp.seq_raw", "tcp.flags.syn", "tcp.payload",
    )  # fmt: skip
    command = ["tshark", "-n", "-r", str(path), "-Y", "tcp && !icmp && !icmpv6", "-T", "fields", "-E", "occurrence=f"]
    for name in names:
        command += ["-e", name]
    # A capture that ends in the middle of a packet makes tshark leave with an error after the last whole one.
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    streams: dict[str, Stream] = {}
    segments: dict[tuple[str, int], dict[int, tuple[float, bytes]]] = defaultdict(dict)
    first_seq: dict[tuple[str, int], int] = {}
    for line in lines:
        number, at_s, src4, src6, sport, dst4, dst6, dport, seq, syn, payload = line.split("\t")
        source, target = (src4 or src6, int(sport)), (dst4 or dst6, int(dport))
        stream = streams.setdefault(number, Stream((source, target)))
        key = (number, stream.ends.index(source))
        place = int(seq) + (syn in ("1", "True"))
        base = first_seq.setdefault(key, place)
        data = bytes.fromhex(payload.replace(":", ""))
        offset = (place - base + 2**31) % 2**32 - 2**31
        if data and len(data) > len(segments[key].get(offset, (0.0, b""))[1]):
            segments[key][offset] = (segments[key].get(offset, (float(at_s), b""))[0], data)
    for (number, side), parts in segments.items():
        expected = min(parts)
        for offset in sorted(parts):
            at_s, data = parts[offset]
            if offset > expected:
                streams[number].missing_bytes[side] += offset - expected
            fresh = data[max(0, expected - offset) :]
            if fresh:
                streams[number].pieces[side].append((at_s, fresh))
                expected = offset + len(data)
    return list(streams.values())


# -- what mining is, said once more and independently ------------------------------------------------------------------

CLIENT_METHODS = {
    "mining.subscribe", "mining.authorize", "mining.submit", "mining.configure", "eth_submitLogin", "eth_getWork",
    "eth_submitWork", "login", "submit", "getwork", "getblocktemplate",
}  # fmt: skip
SUBMITS = {"submit", "mining.submit", "eth_submitWork"}
HASH = re.compile(r"(0x)?[0-9a-f]{64}")


def is_pool_answer(value: dict[str, Any]) -> str:
    """``work`` or ``subscription`` where a JSON object is what only a pool says, else an empty string."""
    method, result, params = value.get("method"), value.get("result"), value.get("params")
    if method == "mining.notify" and isinstance(params, list) and len(params) > 2:
        return "work"
    if method == "job" and isinstance(params, dict) and "blob" in params:
        return "work"
    if isinstance(result, dict):
        if isinstance(result.get("job"), dict) or "midstate" in result or ("data" in result and "target" in result):
            return "work"
        if "previousblockhash" in result:
            return "template"
    if isinstance(result, list):
        if len(result) >= 3 and all(isinstance(part, str) and HASH.fullmatch(part) for part in result[:3]):
            return "work"
        if "mining.notify" in json.dumps(result) or "mining.set_difficulty" in json.dumps(result):
            return "subscription"
        # ZIP 301: [session or null, nonce 1]; others give the size of the second nonce as a third.
        if 2 <= len(result) <= 3 and isinstance(result[1], str) and re.fullmatch(r"[0-9a-f]{2,64}", result[1]):
            return "subscription"
    return ""


@dataclass
class Said:
    """What one endpoint and one client said to each other in a capture, over all their streams."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    server_methods: Counter[str] = field(default_factory=Counter)
    shares_accepted: int = 0


def talk_of(streams: list[Stream]) -> dict[Endpoint, Said]:
    """Who asked whom to mine, and how the other side answered, by message."""
    talk: dict[Endpoint, Said] = defaultdict(Said)
    for stream in streams:
        # A capture that begins in mid-session may have the server's packet first: either end may be the client.
        for side in (0, 1):
            client, server = stream.ends[side], stream.ends[1 - side]
            asked = Counter(
                str(value["method"]) for _, value in stream.messages(side) if value.get("method") in CLIENT_METHODS
            )
            answers = [value for _, value in stream.messages(1 - side)]
            kinds = Counter(kind for kind in map(is_pool_answer, answers) if kind)
            if not asked and not kinds["work"]:
                continue
            said = talk[client[0], server[0], server[1]]
            said.asked += asked
            said.answered += kinds
            said.server_methods += Counter(str(v["method"]) for v in answers if isinstance(v.get("method"), str))
            said.shares_accepted += count_shares(stream, side).accepted
    return dict(talk)


@dataclass
class Count:
    """Shares of one or more streams of a client, counted by message."""

    ids: list[int] = field(default_factory=list)
    """Message id of each share, in order."""
    accepted_at_s: dict[int, float] = field(default_factory=dict)
    """Place in `ids` of each accepted share, and when it was accepted. [s]"""
    refused: int = 0
    logins: int = 0

    @property
    def submits(self) -> int:
        """Shares handed in."""
        return len(self.ids)

    @property
    def accepted(self) -> int:
        """Shares accepted."""
        return len(self.accepted_at_s)

    @property
    def starts(self) -> list[int]:
        """Places in `ids` where the message ids begin anew: the miner was started again."""
        return [0] + [i for i in range(1, len(self.ids)) if self.ids[i] < self.ids[i - 1]]

    def add(self, other: "Count") -> None:
        """Join the count of a later stream."""
        self.accepted_at_s |= {len(self.ids) + at: time_s for at, time_s in other.accepted_at_s.items()}
        self.ids += other.ids
        self.refused += other.refused
        self.logins += other.logins


def count_shares(stream: Stream, client: int) -> Count:
    """Shares that one end handed in, each paired with the next answer of its message id."""
    count = Count()
    events = [(at_s, 0, value) for at_s, value in stream.messages(client)]
    events += [(at_s, 1, value) for at_s, value in stream.messages(1 - client)]
    waiting: dict[Any, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for at_s, who, value in sorted(events, key=lambda event: event[:2]):
        if who == 0 and value.get("method") in ("login", "eth_submitLogin"):
            count.logins += 1
        if who == 0 and value.get("method") in SUBMITS:
            contents = json.dumps(value.get("params"), sort_keys=True)
            if contents not in seen:  # the same share sent twice is one share
                seen.add(contents)
                waiting[value["id"]].append(len(count.ids))
                count.ids.append(value["id"])
        elif who == 1 and "method" not in value and waiting.get(value.get("id")):
            share = waiting[value["id"]].pop(0)
            result = value.get("result")
            good = result is True or (isinstance(result, dict) and str(result.get("status")).upper() == "OK")
            if good and not value.get("error"):
                count.accepted_at_s[share] = at_s
            else:
                count.refused += 1
    return count


# -- Headframe ---------------------------------------------------------------------------------------------------------


@dataclass
class Found:
    """Headframe's findings and lookalikes of one capture, as its own ``jsonl`` has them."""

    findings: list[dict[str, Any]]
    exit_status: int

    def by_role(self, role: str, detector: str = "") -> dict[Endpoint, list[dict[str, Any]]]:
        """Findings with a role, of one detector or of all, by endpoint."""
        by_endpoint: dict[Endpoint, list[dict[str, Any]]] = defaultdict(list)
        for finding in self.findings:
            if finding["role"] == role and finding["detector"] == (detector or finding["detector"]):
                by_endpoint[endpoint_of(finding)].append(finding)
        return by_endpoint


def endpoint_of(finding: dict[str, Any]) -> Endpoint:
    """Host, server and its port of a finding."""
    address, _, port = finding["peer"].rpartition(":")
    return finding["host"], address.strip("[]"), int(port)


def run_headframe(path: Path) -> Found:
    """Scan one capture the way a user does."""
    done = subprocess.run(
        [*HEADFRAME, "scan", str(path), "--format", "jsonl", "--quiet"],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    return Found(findings, done.returncode)


# -- cj-sniffer --------------------------------------------------------------------------------------------------------


@dataclass
class Label:
    """A row of ``labels.csv``."""

    is_complete: bool
    rate_15min_hs: float | None
    accepted: int | None
    coin: str


def read_labels(path: Path) -> dict[str, Label]:
    """Labels by capture id. One row lacks a comma between two rates, so columns are found from the share count."""
    labels = {}
    for row in csv.reader(path.read_text(encoding="utf-8").splitlines()):
        at = next(i for i, cell in enumerate(row) if re.fullmatch(r"(\d+|unknown)/(\d+|unknown)", cell))
        coin = row[at + 1].upper()
        scale = 1e6 if coin == "ETH" else 1.0  # ethminer shows MH/s
        rate = None if row[at - 1] == "unknown" else float(row[at - 1]) * scale
        accepted = row[at].partition("/")[0]
        labels[row[0]] = Label(row[3] == "yes", rate, None if accepted == "unknown" else int(accepted), coin)
    return labels


@dataclass
class CjRow:
    """One capture of cj-sniffer: truth, label and finding side by side."""

    name: str
    label: Label
    truth: dict[Endpoint, Count]
    found: dict[Endpoint, list[dict[str, Any]]]
    begin_s: float
    end_s: float

    @property
    def truth_count(self) -> Count:
        """All that the capture holds."""
        total = Count()
        for count in self.truth.values():
            total.add(count)
        return total

    @property
    def shares(self) -> int:
        """Accepted shares by Headframe."""
        return sum(f["shares"]["accepted"] for group in self.found.values() for f in group)

    @property
    def coin_right(self) -> bool:
        """Each finding's first candidate is the label's coin."""
        firsts = {(f["coin"] or [""])[0] for group in self.found.values() for f in group}
        return firsts == {self.label.coin}

    @property
    def client_right(self) -> bool:
        """Clients and servers are those that the packets show: none missing, none more."""
        return set(self.found) == set(self.truth)

    @property
    def rate_covered(self) -> bool | None:
        """The interval covers the label's rate; where a capture has several findings, that of the last one."""
        if self.label.rate_15min_hs is None:
            return None
        last = max((f for group in self.found.values() for f in group), key=lambda f: f["ended"], default=None)
        rate = last["hashrate_hs"] if last else None
        return rate is not None and rate["low"] <= self.label.rate_15min_hs <= rate["high"]

    def difference(self) -> str:
        """Why label and capture differ, from the packets alone; empty where they do not."""
        count, label = self.truth_count, self.label.accepted
        if label is None or label == count.accepted:
            return ""
        ids = count.ids
        if label > count.accepted and ids[0] > 2:
            before = ids[0] - 2  # XMRig logs in with id 1, so the first share has id 2 at the earliest
            return (
                f"begins in mid-session: no log-in before the first share, which has message id {ids[0]}; at most "
                f"{before} shares are not in the capture, and the label has {label - count.accepted} more"
            )
        if label > max(ids):
            return f"message ids begin at {ids[0]} with the log-in and reach {max(ids)}: the label's {label} cannot be"
        if label > count.accepted:
            open_shares = count.submits - count.accepted - count.refused
            return f"{count.submits} shares were handed in; the answers to {open_shares} are not in the capture"
        if len(count.starts) > 1:
            since = sum(at >= count.starts[-1] for at in count.accepted_at_s)
            return f"the miner was started {len(count.starts)} times; since the last start {since} were accepted"
        at_s = sorted(count.accepted_at_s.values())[label - 1]
        return f"the {label}th share was accepted {(self.end_s - at_s) / 60:.0f} min before the capture ends"


def cj_rows(folder: Path) -> list[CjRow]:
    """All captures of the set."""
    labels = read_labels(folder / "labels.csv")
    rows = []
    for path in sorted(folder.glob("*.pcap")):
        truth: dict[Endpoint, Count] = defaultdict(Count)
        streams = read_streams(path)
        times = [at_s for stream in streams for pieces in stream.pieces for at_s, _ in pieces]
        for stream in streams:
            for side in (0, 1):
                count = count_shares(stream, side)
                if count.submits or count.logins:
                    client, server = stream.ends[side], stream.ends[1 - side]
                    truth[client[0], server[0], server[1]].add(count)
        found = run_headframe(path).by_role("miner", "stratum")
        rows.append(CjRow(path.stem, labels[path.stem], truth, found, min(times), max(times)))
    return rows


def cj_tables(rows: list[CjRow]) -> tuple[list[str], list[str], list[str]]:
    """Table row for the demands, the details, and what is not met."""
    total = len(rows)
    found = sum(bool(set(row.found) & set(row.truth)) for row in rows)
    coins, clients = sum(row.coin_right for row in rows), sum(row.client_right for row in rows)
    counted = sum(row.shares == row.truth_count.accepted for row in rows)
    labelled = [row for row in rows if row.label.accepted is not None]
    equal = sum(row.shares == row.label.accepted for row in labelled)
    explained = [row for row in labelled if row.difference()]
    covered = [row.rate_covered for row in rows if row.rate_covered is not None]
    share = sum(covered) / len(covered)
    summary = [
        f"| `cj-sniffer` ({total}) | found | {found} |",
        f"| | coin right | {coins} |",
        f"| | client and server right in every finding | {clients} |",
        f"| | accepted shares as counted from the packets | {counted} |",
        f"| | accepted shares as the label has them (of {len(labelled)} with one) | {equal}; in the other "
        f"{len(explained)} label and packets differ, see below |",
        f"| | interval covers the label's 15-minute rate (of {len(covered)} with one) | {sum(covered)} "
        f"({share:.0%}; demanded 85 %) |",
    ]
    details = [
        "| capture | client | coin | accepted: label | packets | Headframe | rate: label | Headframe | covers |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        clients_text = ", ".join(sorted({client for client, _, _ in row.found}))
        last = max((f for group in row.found.values() for f in group), key=lambda f: f["ended"], default=None)
        rate = last["hashrate_hs"] if last else None
        interval = f"{rate['estimate']:.4g} ({rate['low']:.4g} to {rate['high']:.4g})" if rate else "-"
        label_rate = "-" if row.label.rate_15min_hs is None else f"{row.label.rate_15min_hs:.4g}"
        details.append(
            f"| {row.name} | {clients_text} | {', '.join(last['coin']) if last else '-'} | "
            f"{'-' if row.label.accepted is None else row.label.accepted} | {row.truth_count.accepted} | "
            f"{row.shares} | {label_rate} | {interval} | "
            f"{'-' if row.rate_covered is None else 'yes' if row.rate_covered else 'no'} |"
        )
    details += ["", "Where label and packets differ:", ""]
    details += [
        f"- {row.name}: label {row.label.accepted}, packets {row.truth_count.accepted}, Headframe {row.shares}: "
        f"{row.difference()}"
        for row in explained
    ]
    failures = [f"cj-sniffer: {what} in {total - n}" for what, n in (
        ("not found", found), ("wrong coin", coins), ("wrong endpoints", clients), ("shares not as packets", counted)
    ) if n < total]  # fmt: skip
    if share < 0.85:
        failures.append(f"cj-sniffer: rate covered in {share:.0%} only")
    failures += [f"cj-sniffer: {row.name} differs from its label" for row in labelled
                 if row.shares != row.label.accepted and not row.difference()]  # fmt: skip
    return summary, details, failures


# -- every other mining session ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """One session as the manifest and the eye know it."""

    capture: str
    client: str
    server: str
    port: int
    role: str
    coins: tuple[str, ...]
    """Any of these as the first candidate is right."""
    how: str
    detector: str = "stratum"


KNOWN = (
    Known("nesfit/eth-eu1.nanopool.org.pcapng", "147.229.13.222", "185.71.66.39", 9999, "miner", ("ETH",),
          "manifest: eth_submitLogin, eth_getWork at nanopool"),
    Known("nesfit/xmr.suprnova.cc.pcapng", "147.229.13.222", "37.59.21.58", 5222, "miner", ("XMR",),
          "manifest: login and job at suprnova"),
    Known("nesfit/zec-eu1.nanopool.org.pcapng", "147.229.13.222", "185.71.66.20", 6666, "miner", ("ZEC",),
          "manifest: stratum at nanopool"),
    Known("ndpi/mining.pcapng", "147.229.13.222", "185.71.66.39", 9999, "miner", ("ETH",), "manifest: eth, 295 s"),
    Known("ndpi/mining.pcapng", "192.168.2.92", "178.32.196.217", 9050, "miner", ("XMR",),
          "manifest: xmr/zec; packets: login with a Monero address"),
    Known("ndpi/mining.pcapng", "192.168.2.148", "94.23.199.191", 3333, "miner", ("ZEC",), "manifest: zec"),
    Known("ndpi/mining.pcapng", "192.168.2.148", "116.211.167.195", 3333, "miner", ("ZEC",), "manifest: zec"),
    Known("zeek-cryptomining/bitcoin-mining.pcap", "10.0.2.15", "74.84.128.158", 3333, "miner", ("BTC",),
          "manifest: btc stratum"),
    Known("zeek-cryptomining/bitcoin-mining.pcap", "10.0.2.15", "113.21.199.11", 3333, "miner", ("BTC",),
          "packets: a second pool, asked in between"),
    Known("zeek-cryptomining/coinhive-stratum.pcap", "10.0.2.15", "192.110.160.114", 3333, "miner", ("XMR",),
          "manifest: login and job on 3333"),
    Known("zeek-cryptomining/coinhive.pcap", "10.0.2.15", "37.187.167.83", 443, "miner", ("XMR",),
          "manifest: Coinhive, WebSocket inside TLS", "pool_endpoint"),
    Known("coiniumserv/fastcoin.pcapng", "10.0.0.40", "10.0.0.13", 3334, "miner", ("FST", "LTC"),
          "manifest: miner and pool in one LAN, test network"),
    Known("coiniumserv/fastcoin.pcapng", "10.0.0.13", "10.0.0.40", 9334, "node_client", ("FST", "LTC"),
          "manifest: the pool asks its daemon for block templates"),
    Known("coiniumserv/litecoin-testnet-mini.pcapng", "10.0.0.40", "10.0.0.13", 3333, "miner", ("LTC",),
          "manifest: miner and pool in one LAN, test network"),
    Known("coiniumserv/litecoin-testnet-mini.pcapng", "10.0.0.13", "10.0.0.40", 9333, "node_client", ("LTC",),
          "manifest: the pool asks its daemon for block templates"),
)  # fmt: skip


def session_tables(mining: Path) -> tuple[list[str], list[str], list[str]]:
    """Every known session of the small sets, and whether the packets hold one that is not known."""
    details = [
        "| capture | session | known from | by the packets | Headframe | coins | shares |",
        "|---|---|---|---|---|---|---|",
    ]
    met, right_coin, failures, unknown, false = 0, 0, [], [], []
    for name in dict.fromkeys(known.capture for known in KNOWN):
        found = run_headframe(mining / name)
        talk = talk_of(read_streams(mining / name))
        mine = [known for known in KNOWN if known.capture == name]
        listed = {(known.client, known.server, known.port) for known in mine}
        # A miner of work-and-shares; who is given templates only is the client of a node.
        seen = {place for place, said in talk.items() if +said.answered}
        unknown += [f"{name} {client} -> {server}:{port}" for client, server, port in sorted(seen - listed)]
        for known in mine:
            place = (known.client, known.server, known.port)
            hits = found.by_role(known.role, known.detector).get(place, [])
            said = talk.get(place)
            by_packets = (
                "answered " + ", ".join(f"{n} {kind}" for kind, n in said.answered.items())
                + (f"; {said.shares_accepted} shares accepted" if said.shares_accepted else "")
                if said else f"encrypted; server name {server_name(mining / name, known)}"
            )  # fmt: skip
            coin_ok = bool(hits) and (hits[0]["coin"] or [""])[0] in known.coins
            shares = sum(hit["shares"]["accepted"] for hit in hits)
            met += bool(hits)
            right_coin += coin_ok
            if said is not None and hits and shares != said.shares_accepted:
                failures.append(f"{name} {place}: {shares} shares accepted, {said.shares_accepted} by the packets")
            if not hits:
                failures.append(f"{name} {place}: no {known.role} found")
            elif not coin_ok:
                failures.append(f"{name} {place}: coin {hits[0]['coin']}, known {known.coins}")
            details.append(
                f"| {name} | {known.client} to {known.server}:{known.port} | {known.how} | {by_packets} | "
                f"{'found: ' + hits[0]['role'] + ', ' + hits[0]['protocol'] if hits else '**missed**'} | "
                f"{', '.join(hits[0]['coin']) if hits else ''} | {shares} |"
            )
        false += [f"{name} {endpoint}" for endpoint in found.by_role("miner") if endpoint not in listed]
    failures += [f"session in the packets that is not in the list: {line}" for line in unknown]
    failures += [f"called a miner and is in no list: {line}" for line in false]
    coinhive = next(known for known in KNOWN if known.detector == "pool_endpoint")
    encrypted = [line for line in details if coinhive.server in line]
    captures = len({known.capture for known in KNOWN})
    seen_by_name = bool(encrypted) and "**" not in encrypted[0]
    summary = [
        f"| `nesfit`, `ndpi`, `zeek-cryptomining`, `coiniumserv` ({captures}) | sessions with the right role "
        f"(of {len(KNOWN)}) | {met} |",
        f"| | first coin right | {right_coin} |",
        f"| | sessions in the packets that the list does not know | {len(unknown)} |",
        f"| | others called miner, by any detector | {len(false)} |",
        f"| Coinhive inside TLS | by its endpoint | {'found' if seen_by_name else 'missed'} |",
    ]
    return summary, details, failures


def server_name(path: Path, known: Known) -> str:
    """The name that a TLS client asked for, by tshark."""
    wanted = f"tls.handshake.type == 1 && ip.src == {known.client} && ip.dst == {known.server}"
    field_name = "tls.handshake.extensions_server_name"
    command = ["tshark", "-n", "-r", str(path), "-Y", f"{wanted} && tcp.dstport == {known.port}"]
    command += ["-T", "fields", "-e", field_name]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return ", ".join(dict.fromkeys(lines)) or "not seen"


# -- cgminer's probes --------------------------------------------------------------------------------------------------


def probe_tables(folder: Path) -> tuple[list[str], list[str], list[str]]:
    """Endpoints that answered as a pool against those that did not, and what Headframe calls each."""
    matrix: Counter[tuple[bool, str]] = Counter()
    details = [
        "| capture | pools: miner | probe | not reported | never answered as one: miner | probe | not reported |",
        "|---|---|---|---|---|---|---|",
    ]
    failures: list[str] = []
    by_address, details_of_addresses = 0, [""]
    paths = sorted(folder.glob("cgminer.*"))
    for path in paths:
        found, talk = run_headframe(path), talk_of(read_streams(path))
        miners, probes = found.by_role("miner", "stratum"), found.by_role("probe", "stratum")
        for place in found.by_role("miner", "pool_endpoint"):
            said = talk.get(place)
            if said is None or not +said.answered:
                by_address += 1
                details_of_addresses.append(f"- {path.name}: {place} is called miner by its name or address")
        here: Counter[tuple[bool, str]] = Counter()
        for place, said in talk.items():
            answered = bool(said.answered["work"] or said.answered["subscription"])
            called = "miner" if place in miners else "probe" if place in probes else "nothing"
            here[answered, called] += 1
            if called != ("miner" if answered else "probe"):
                failures.append(f"{path.name} {place}: {called}, server said {dict(said.answered)}")
        for place in [*miners, *probes]:
            if place not in talk:
                here[False, "miner" if place in miners else "probe"] += 1
                failures.append(f"{path.name} {place}: reported, but no such talk by the packets")
        matrix += here
        cells = [here[answered, called] for answered in (True, False) for called in ("miner", "probe", "nothing")]
        details.append(f"| {path.name} | " + " | ".join(map(str, cells)) + " |")
    pools = sum(n for (answered, _), n in matrix.items() if answered)
    others = sum(n for (answered, _), n in matrix.items() if not answered)
    summary = [
        f"| cgminer's probes ({len(paths)}) | endpoints that answered as a pool, called miner (of {pools}) | "
        f"{matrix[True, 'miner']} |",
        f"| | endpoints that never did, called probe (of {others}) | {matrix[False, 'probe']} |",
        f"| | endpoints that never did, called miner by their contents | {matrix[False, 'miner']} |",
        f"| | endpoints that never did, called miner by name or address | {by_address} |",
    ]
    details += details_of_addresses
    return summary, details, failures


# -- the benign zoo ----------------------------------------------------------------------------------------------------


def zoo_tables(archive: Path) -> tuple[list[str], list[str], list[str]]:
    """Findings in captures that hold no miner. All in one process: starting 344 would take ten minutes."""
    from headframe.app import scan
    from headframe.errors import UnreadableInput

    roles: Counter[str] = Counter()
    details: list[str] = []
    failures: list[str] = []
    damaged, jsonrpc = [], ""
    with tempfile.TemporaryDirectory() as folder:
        unpack(archive, Path(folder))
        paths = [p for p in sorted(Path(folder).rglob("*")) if p.suffix in {".pcap", ".pcapng", ".cap"}]
        for path in paths:
            try:
                result = scan([str(path)])
            except UnreadableInput as error:
                damaged.append(f"- nothing could be read of {path.name}: {error.args[0]}")
                continue
            if any(summary.damage for summary in result.inputs):
                damaged.append(f"- read as far as it goes: {path.name}")
            for finding in result.findings:
                roles[finding.role.value] += 1
                details.append(f"- {path.name}: {finding.role.value} {finding.host} {finding.peer}")
                if finding.role.value == "miner":
                    failures.append(f"false alarm in {path.name}: {finding.host} {finding.peer}")
            details += [f"- {path.name}: looks like mining and is not: {one.label}, {one.reason}"
                        for one in result.lookalikes]  # fmt: skip
            if path.name == "jsonrpc.pcap":
                jsonrpc = f"{len(result.findings)}; called {', '.join(one.label for one in result.lookalikes)}"
    summary = [
        f"| benign protocol zoo ({len(paths)}) | findings of role miner | {roles['miner']} |",
        f"| | findings of any role | {roles.total()} |",
        f"| | findings in `jsonrpc.pcap` | {jsonrpc} |",
    ]
    if not jsonrpc.startswith("0"):
        failures.append("jsonrpc.pcap is missing, or has findings")
    return summary, details + damaged, failures


# -- all of it ---------------------------------------------------------------------------------------------------------


def main() -> int:
    """Print the tables; 1 where a demand is not met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with the real data")
    parser.add_argument("--only", default="cj-sniffer,sessions,probes,benign", help="which parts, comma separated")
    arguments = parser.parse_args()
    network = arguments.data / "network"
    if not network.is_dir():
        print(f"no data at {arguments.data}; name the folder with --data", file=sys.stderr)
        return 2
    mining = network / "pcap_mining"
    parts = {
        "cj-sniffer": lambda: cj_tables(cj_rows(mining / "cj-sniffer")),
        "sessions": lambda: session_tables(mining),
        "probes": lambda: probe_tables(mining / "nesfit"),
        "benign": lambda: zoo_tables(network / "benign" / "ndpi_pcaps_and_results.tar.xz"),
    }
    summary, details, failures = ["| what | measured | result |", "|---|---|---|"], [], []
    for name in arguments.only.split(","):
        started = time.monotonic()
        rows, more, missed = parts[name]()
        summary += rows
        details += [f"## {name}", "", *more, ""]
        failures += missed
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    text = "\n".join([*summary, "", *details])
    print(text)
    if failures:
        print("## Not as demanded or not as counted\n\n" + "\n".join(f"- {line}" for line in failures))
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "captures.md").write_text(text + "\n", encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
