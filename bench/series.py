"""Packet series to measure timing detectors on: benign, mining, and packet metadata of mining malware.

``python bench/series.py [--data ../shared/data] [--min-duration 600] [--generated] [--clocks] [--fresh]``

A series is what a detector sees that reads neither content nor ports: times, sizes and directions of the packets with
payload. Three makers, each of which reads everything it can find and leaves the choice to its caller:

- `benign_series`: whatever is at hand that lasts long enough and is not known to mine;
- `mining_series`: the conversations with a pool in the captures of cj-sniffer, with coin and capture;
- `ifip119_series`: the streams of real mining malware, mostly inside TLS, and the other streams of the same hosts.

`generated_series` adds office traffic of the simulator. It is not real, carries the label ``generated``, and has to be
reported apart.

What is read from captures comes from Headframe's own engine, through `LocalEngine.on_closed`: the series are those
that a scan would hand to its detectors. They are kept in ``build/bench/series-*.npz``, whose name is a digest of the
inputs and of the code that reads them.

The labels of benign series (pairs and hosts of other labels carry both: ``node pair``, ``generated host``):

=============  =========================================================================================================
``benign``     one conversation of a capture without miners
``pair``       all conversations between one client and one port of one server in a capture, put together by time: what
               a detector sees that lets reconnects add up. Only where there are two or more of them
``node``       a node of a chain (the protocol zoo's bitcoin, ethereum, monero captures; bitsniff's node): follows its
               own chain, so it is a null for other chains and for shifted clocks only
``host``       all conversations that one client began in a capture, put together: what a tunnel of that host would look
               like. The same packets as in its conversations, so not independent of them
``mixed``      conversations (``mixed pair``, ``mixed host``) of a corpus that holds malware: no miner is known in it
``binned``     benign, in bins of one second: one packet stands for a bin and a direction
``records``    benign, from Zeek's ``conn.log``: each record is a packet from the client at its start and one from the
               server at its end. What a sensor of flow records knows of reconnects; beacons of malware among them
``generated``  not real
=============  =========================================================================================================
"""

import argparse
import csv
import gzip
import hashlib
import itertools
import json
import re
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.engines.local import LocalEngine
from headframe.errors import UnreadableInput
from headframe.records.conversation import Conversation
from headframe.sources.archives import unpack

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
DATA = ROOT.parent / "shared" / "data"

SECOND_NS = 1_000_000_000

ZOO_NODES = re.compile(r"bitcoin|ethereum|monero|zcash|dogecoin|litecoin", re.IGNORECASE)
"""Captures of nDPI's protocol zoo that hold nodes of chains (its own results name them so; 2026-11: `ethereum` and
`monero` are in the part at hand)."""

COINS = {"xmr", "eth", "btc", "ltc", "zec", "etc", "rvn"}

WEEK_S = 7 * 86_400.0
"""Captures of the zoo are often put together from several days, in one case from 2000 and 2022. Longer series than the
block series that they are tried against say nothing, so there is an upper bound."""

POOL_STREAMS = {
    "13675cca": "144.168.36.74:443",
    "5bae2573": "144.168.36.74:443",
    "7029b7bf": "203.91.77.146:9200",
    "eccb8144": "144.168.36.74:443",
}
"""Which server is the pool in a file of ifip119, by the beginning of its name: from the manifest of the data."""

HEADER_BYTES = 40
"""IPv4 and TCP without options: what has to come off the byte counts of cryptojacking-tpr, whose smallest packets,
bare acknowledgements, have 40 bytes."""

READERS = (
    "bench/series.py",
    "src/headframe/engines/local.py",
    "src/headframe/engines/summary.py",
    "src/headframe/kernels/conversations.py",
    "src/headframe/kernels/frames.py",
    "src/headframe/sources/network/capture.py",
)
"""Code whose change makes kept series worthless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Packets with payload of one conversation, or of several between the same ends.

    Attributes
    ----------
    name : str
        Corpus, file and ends: unique.
    corpus : str
    conversation : Conversation
        Ends, times and sums. A pair has the client's port 0 and the sums of its conversations. Where the source gives
        no addresses they are ``0.0.0.0``.
    times_ns : int64[n]
        Capture times, ascending. [ns since 1970-01-01 UTC; from 0 where `dated` is False]
    signed_sizes : int32[n]
        Payload, negative from the responder. [bytes]
    label : str
        See the top of this file; ``mining``, ``mining pair`` for miners, ``other`` for their neighbours.
    coin : str
        ``xmr``, ``eth``: what is mined, as far as it is known.
    capture : str
        File the series comes from, without suffix.
    dated : bool
        False where the source does not say when it was.
    """

    name: str
    corpus: str
    conversation: Conversation
    times_ns: NDArray[np.int64]
    signed_sizes: NDArray[np.int32]
    label: str
    coin: str = ""
    capture: str = ""
    dated: bool = True

    @property
    def duration_s(self) -> float:
        """From the first packet to the last, those without payload included. [s]"""
        return (self.conversation.ended_ns - self.conversation.started_ns) / SECOND_NS


# -- captures ----------------------------------------------------------------------------------------------------------


def read_capture(path: Path) -> list[tuple[Conversation, NDArray[np.int64], NDArray[np.int32]]]:
    """All conversations of a capture that carry payload, as a scan sees them."""
    found: list[tuple[Conversation, NDArray[np.int64], NDArray[np.int32]]] = []

    def take(conversation: Conversation, times_ns: NDArray[np.int64], signed_sizes: NDArray[np.int32]) -> None:
        if len(times_ns):
            # Captures that were put together are not always in order of time: the first packet is not the earliest.
            order = np.argsort(times_ns, kind="stable")
            started_ns = min(conversation.started_ns, conversation.ended_ns, int(times_ns[order[0]]))
            ended_ns = max(conversation.started_ns, conversation.ended_ns, int(times_ns[order[-1]]))
            found.append(
                (replace(conversation, started_ns=started_ns, ended_ns=ended_ns), times_ns[order], signed_sizes[order])
            )

    # No indicators, and a secret of zeros: the same series every time.
    engine = LocalEngine(EndpointIndex([]), threads=1, secret=bytes(16))
    engine.on_closed = take
    engine.run([str(path)])
    return found


def capture_series(path: Path, corpus: str, label: str, *, coin: str = "") -> Iterator[Series]:
    """The conversations of a capture, then its pairs, then its hosts.

    Those are labelled ``pair`` and ``host`` in benign captures, with the label before it in others.
    """
    hosts: dict[str, list[Series]] = defaultdict(list)
    pairs: dict[tuple[str, str, str, int], list[Series]] = defaultdict(list)
    for conversation, times_ns, signed_sizes in read_capture(path):
        c = conversation
        series = Series(
            name=f"{corpus}/{path.name} {c.proto} {c.orig_h}:{c.orig_p}>{c.resp_h}:{c.resp_p} {c.uid}",
            corpus=corpus,
            conversation=c,
            times_ns=times_ns,
            signed_sizes=signed_sizes,
            label=label,
            coin=coin,
            capture=path.stem,
        )
        pairs[c.proto, c.orig_h, c.resp_h, c.resp_p].append(series)
        hosts[c.orig_h].append(series)
        yield series
    before = "" if label == "benign" else f"{label} "
    for members in pairs.values():
        if len(members) > 1:
            yield merge(members, f"{before}pair")
    for orig_h, members in hosts.items():
        if len({(s.conversation.resp_h, s.conversation.resp_p) for s in members}) > 1:
            yield merge(members, f"{before}host", name=f"{corpus}/{path.name} all of {orig_h} x{len(members)}")


def merge(members: Sequence[Series], label: str, name: str | None = None) -> Series:
    """Several conversations as one series: what reconnects add up to.

    Parameters
    ----------
    members : sequence of Series
        At least one, all of one client address. The server's address and port are those of the first.
    label : str
    name : str or None
        None to name the client, the server and its port.

    Returns
    -------
    Series
    """
    times_ns = np.concatenate([s.times_ns for s in members])
    order = np.argsort(times_ns, kind="stable")
    all_of = [s.conversation for s in members]
    first = members[0]
    c = first.conversation
    conversation = replace(
        c,
        uid=f"P{hashlib.blake2b(' '.join(x.uid for x in all_of).encode(), digest_size=9).hexdigest()}",
        orig_p=0,
        started_ns=min(x.started_ns for x in all_of),
        ended_ns=max(x.ended_ns for x in all_of),
        orig_bytes=sum(x.orig_bytes for x in all_of),
        resp_bytes=sum(x.resp_bytes for x in all_of),
        orig_pkts=sum(x.orig_pkts for x in all_of),
        resp_pkts=sum(x.resp_pkts for x in all_of),
        missed_bytes=sum(x.missed_bytes for x in all_of),
        history="",
        conn_state="OTH",
    )
    return replace(
        first,
        name=name or f"{first.corpus}/{first.capture} {c.proto} {c.orig_h}>{c.resp_h}:{c.resp_p} x{len(members)}",
        conversation=conversation,
        times_ns=times_ns[order],
        signed_sizes=np.concatenate([s.signed_sizes for s in members])[order],
        label=label,
    )


def archive_series(archive: Path, corpus: str, label: Callable[[Path], str]) -> Iterator[Series]:
    """All captures in a tar archive, each read by itself: captures of different days share addresses."""
    with tempfile.TemporaryDirectory(prefix="series-") as scratch:
        unpack(archive, Path(scratch))
        for path in sorted(p for p in Path(scratch).rglob("*") if p.suffix in (".pcap", ".pcapng", ".cap")):
            try:
                yield from capture_series(path, corpus, label(path))
            except UnreadableInput as problem:
                print(f"left out: {path.name}: {str(problem).removeprefix(f'{path}: ')}", file=sys.stderr)


# -- bins of one second ------------------------------------------------------------------------------------------------


def binned(
    name: str, corpus: str, label: str, orig_bytes: NDArray[np.int64], resp_bytes: NDArray[np.int64], coin: str = ""
) -> Series:
    """Byte counts of seconds as a series.

    One packet stands for a second and a direction; it is put into the middle of its second. Its date is not known.

    Parameters
    ----------
    orig_bytes, resp_bytes : int64[n]
        Payload of each second. [bytes]
    """
    at = np.arange(len(orig_bytes)) * SECOND_NS + SECOND_NS // 2
    up, down = orig_bytes > 0, resp_bytes > 0
    times_ns = np.concatenate([at[up], at[down]])
    largest = np.iinfo(np.int32).max
    sizes = np.concatenate([np.minimum(orig_bytes[up], largest), -np.minimum(resp_bytes[down], largest)])
    order = np.argsort(times_ns, kind="stable")
    conversation = Conversation(
        uid="B" + hashlib.blake2b(f"{corpus} {name}".encode(), digest_size=9).hexdigest(),
        community_id="",
        proto="tcp",
        orig_h="0.0.0.0",
        orig_p=0,
        resp_h="0.0.0.0",
        resp_p=0,
        started_ns=0,
        ended_ns=len(orig_bytes) * SECOND_NS,
        orig_bytes=int(orig_bytes[up].sum()),
        resp_bytes=int(resp_bytes[down].sum()),
        orig_pkts=int(up.sum()),
        resp_pkts=int(down.sum()),
    )
    return Series(
        name=f"{corpus}/{name}",
        corpus=corpus,
        conversation=conversation,
        times_ns=times_ns[order].astype(np.int64),
        signed_sizes=sizes[order].astype(np.int32),
        label=label,
        coin=coin,
        capture=name,
        dated=False,
    )


def tpr_series(folder: Path) -> Iterator[Series]:
    """cryptojacking-tpr: ``second, packets and bytes up, packets and bytes down``, headers included."""
    for path in sorted(folder.glob("*.dat")):
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
        # Whoever wrote these stopped in the middle of a line: the last one may be short, no other.
        rows = np.array(lines[:-1] if len(lines[-1]) < 5 else lines, dtype=np.int64)
        second = rows[:, 0]
        if len(rows) == 0 or (np.diff(second) != 1).any():
            raise ValueError(f"{path}: one row for each second was expected")
        up = rows[:, 2] - HEADER_BYTES * rows[:, 1]
        down = rows[:, 4] - HEADER_BYTES * rows[:, 3]
        mines = path.stem == "mining"
        yield binned(path.stem, "cryptojacking-tpr", "mining" if mines else "binned", up, down)


def bitsniff_series(folder: Path) -> Iterator[Series]:
    """bitsniff: bytes of each second that a host received; a node, and someone who watches films."""
    for path in sorted(folder.glob("*.js")):
        found = re.search(r'"traffic"\s*:\s*(\[[^\]]*\])', path.read_text(encoding="utf-8"))
        if found is None:
            raise ValueError(f"{path}: no list named traffic in it")
        down = np.array(json.loads(found[1]), dtype=np.int64)
        label = "binned" if "youtube" in path.stem else "node"
        yield binned(path.stem, "bitsniff", label, np.zeros_like(down), down)


# -- flow records ------------------------------------------------------------------------------------------------------

LEAST_RECORDS = 10
"""Records that a pair or host must have to become a series: fewer are a visit, and there are tens of thousands."""


def zeek_records(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Rows of one ``conn.log``, tab-separated or one JSON object a line, as text."""
    columns: list[str] = []
    for line in lines:
        line = line.rstrip("\r\n")
        if line.startswith("{"):
            yield {key: str(value) for key, value in json.loads(line).items()}
        elif line.startswith("#fields"):
            columns = line.split("\t")[1:]
        elif line and not line.startswith("#"):
            yield dict(zip(columns, line.split("\t"), strict=False))


def record_series(archive: Path, corpus: str) -> Iterator[Series]:
    """Pairs and hosts out of the ``conn.log`` files in a tar archive; logs in one folder belong together."""
    folders: dict[str, dict[str, Series]] = defaultdict(dict)
    with tarfile.open(archive) as packed:
        for member in packed:
            folder, _, base = member.name.rpartition("/")
            if not (member.isfile() and re.fullmatch(r"conn\..*log(\.gz)?", base)):
                continue
            content = packed.extractfile(member)
            assert content is not None
            data = gzip.decompress(content.read()) if base.endswith(".gz") else content.read()
            for row in zeek_records(data.decode("utf-8", "backslashreplace").splitlines()):
                series = _record(row, corpus, folder.removeprefix("./"))
                if series is not None:
                    # The same connection may stand in two logs of a folder.
                    folders[folder][series.conversation.uid] = series
    for found in folders.values():
        pairs: dict[tuple[str, ...], list[Series]] = defaultdict(list)
        for s in found.values():
            c = s.conversation
            pairs["pair", c.proto, c.orig_h, c.resp_h, str(c.resp_p)].append(s)
            pairs["host", c.orig_h].append(s)
        for key, members in pairs.items():
            if len(members) >= LEAST_RECORDS:
                whole = f"{corpus}/{members[0].capture} records of {' '.join(key)} x{len(members)}"
                yield merge(members, "records" if key[0] == "pair" else "records host", name=whole)


def _record(row: dict[str, str], corpus: str, capture: str) -> Series | None:
    """One record as a series of at most two packets; None for one without payload or without a duration."""
    try:
        started_ns = round(float(row["ts"]) * 1e6) * 1000
        ended_ns = started_ns + round(float(row["duration"]) * 1e6) * 1000
        orig_bytes, resp_bytes = int(row["orig_bytes"]), int(row["resp_bytes"])
        orig_p, resp_p = int(row["id.orig_p"]), int(row["id.resp_p"])
    except (KeyError, ValueError):
        return None  # "-" where Zeek knows nothing
    packets = [(started_ns, orig_bytes), (ended_ns, -resp_bytes)]
    packets = [(t, max(min(size, 2**31 - 1), 1 - 2**31)) for t, size in packets if size]
    if not packets:
        return None
    return Series(
        name=f"{corpus}/{capture} {row['uid']}",
        corpus=corpus,
        conversation=Conversation(
            uid=row["uid"],
            community_id="",
            proto=row["proto"],
            orig_h=row["id.orig_h"],
            orig_p=orig_p,
            resp_h=row["id.resp_h"],
            resp_p=resp_p,
            started_ns=started_ns,
            ended_ns=ended_ns,
            orig_bytes=orig_bytes,
            resp_bytes=resp_bytes,
            orig_pkts=int(orig_bytes > 0),
            resp_pkts=int(resp_bytes > 0),
        ),
        times_ns=np.array([t for t, _ in packets], dtype=np.int64),
        signed_sizes=np.array([size for _, size in packets], dtype=np.int32),
        label="records",
        capture=capture,
    )


# -- the corpora -------------------------------------------------------------------------------------------------------


def benign_series(
    min_duration_s: float = 600.0, data: Path = DATA, *, max_duration_s: float = WEEK_S, fresh: bool = False
) -> list[Series]:
    """Everything at hand that is not known to mine and lasts long enough.

    Parameters
    ----------
    min_duration_s : float
        Shortest time from the first packet to the last. [s]
    data : Path
        The folder of real data.
    max_duration_s : float
        Longest. [s]
    fresh : bool
        Read the captures again even if their series are kept.

    Returns
    -------
    list of Series
        Labels as at the top of this file. A series that is in several captures is given once.
    """
    network = data / "network"
    zoo, slips = network / "benign" / "ndpi_pcaps_and_results.tar.xz", network / "benign" / "slips_dataset_mixed.tar.xz"
    rita = network / "benign" / "rita_zeek_logs.tar.xz"
    tpr, bitsniff = network / "flows" / "cryptojacking-tpr", network / "flows" / "bitsniff"

    def read() -> Iterator[Series]:
        yield from archive_series(zoo, "ndpi-zoo", lambda p: "node" if ZOO_NODES.search(p.stem) else "benign")
        yield from archive_series(slips, "slips", lambda _path: "mixed")
        yield from (s for s in tpr_series(tpr) if s.label != "mining")
        yield from bitsniff_series(bitsniff)
        yield from record_series(rita, "rita")

    inputs = [zoo, slips, rita, *sorted(tpr.glob("*.dat")), *sorted(bitsniff.glob("*.js"))]
    found = without_twins(kept("benign", inputs, read, fresh=fresh))
    return [s for s in found if min_duration_s <= s.duration_s <= max_duration_s]


def mining_series(data: Path = DATA, *, fresh: bool = False) -> list[Series]:
    """The conversations with pools in the captures of cj-sniffer, and their pairs.

    Returns
    -------
    list of Series
        For each of the 33 captures its conversations (``mining``) and, where the client came back, the pairs (``mining
        pair``), the longest first; `coin` as in ``labels.csv``, `capture` the id there. The corpus holds nothing but
        mining: what else there was had been filtered out by its authors.
    """
    folder = data / "network" / "pcap_mining" / "cj-sniffer"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as lines:
        # The id stands first. The coin is the tenth by its README, but a row that lacks a comma has it elsewhere.
        rows = [[field.strip().lower() for field in row] for row in csv.reader(lines)]
        coins = {row[0]: next((field for field in row[1:] if field in COINS), "") for row in rows if row}
    captures = sorted(folder.glob("*.pcap"))

    def read() -> Iterator[Series]:
        for path in captures:
            found = capture_series(path, "cj-sniffer", "mining", coin=coins.get(path.stem.lower(), ""))
            yield from sorted(found, key=lambda s: (s.label, -s.duration_s))

    return kept("mining", [*captures, folder / "labels.csv"], read, fresh=fresh)


def main_series(series: Iterable[Series]) -> dict[str, Series]:
    """For each capture the series with most packets, pairs included; hosts are left aside."""
    best: dict[str, Series] = {}
    for s in series:
        if s.label.endswith("host"):
            continue
        if s.capture not in best or len(s.times_ns) > len(best[s.capture].times_ns):
            best[s.capture] = s
    return best


def ifip119_series(data: Path = DATA) -> list[Series]:
    """Streams of hosts with mining malware, from the packet metadata of ifip119.

    A row is ``source-target, timestamp, ip_len, payload_len, flags``. The timestamp is in seconds since 1970; its
    readme names no time zone, and libpcap's times are UTC, so they are taken as such.

    Returns
    -------
    list of Series
        One for each TCP stream with payload: ``mining`` with coin ``xmr`` for the one with the pool that the manifest
        of the data names, else ``other`` (download of the malware, updates of the system).
    """
    folder = data / "network" / "flows" / "ifip119"
    found: list[Series] = []
    for path in sorted(folder.glob("*.csv")):
        packets: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
        client: dict[tuple[str, str], str] = {}
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                source, target = row["tcp_stream_name"].split("-")
                key = (min(source, target), max(source, target))
                # The flags are URG ACK PSH RST SYN FIN: a SYN without ACK comes from the client; without one, the
                # higher port is the client's.
                syn_only = row["UAPRSF_tcp_flags"][4] == "1" and row["UAPRSF_tcp_flags"][1] == "0"
                if syn_only:
                    client[key] = source
                seconds, _, fraction = row["timestamp"].partition(".")
                time_ns = int(seconds) * SECOND_NS + int(fraction.ljust(9, "0")[:9])
                packets[key].append((time_ns, int(row["payload_len"]), source))
        pool = POOL_STREAMS.get(path.stem[:8])
        for key, rows in packets.items():
            rows.sort(key=lambda r: r[0])
            orig = client.get(key) or max(key, key=lambda end: int(end.rpartition(":")[2]))
            resp = key[0] if orig == key[1] else key[1]
            with_payload = [r for r in rows if r[1] > 0]
            if not with_payload:
                continue
            found.append(
                Series(
                    name=f"ifip119/{path.stem[:8]} {orig}>{resp}",
                    corpus="ifip119",
                    conversation=_conversation(orig, resp, rows),
                    times_ns=np.array([r[0] for r in with_payload], dtype=np.int64),
                    signed_sizes=np.array([r[1] if r[2] == orig else -r[1] for r in with_payload], dtype=np.int32),
                    label="mining" if pool == resp else "other",
                    coin="xmr" if pool == resp else "",
                    capture=path.stem[:8],
                )
            )
    return found


def _conversation(orig: str, resp: str, rows: Sequence[tuple[int, int, str]]) -> Conversation:
    """The sums of a stream. Retransmissions cannot be told in metadata and count as payload."""
    orig_h, _, orig_p = orig.rpartition(":")
    resp_h, _, resp_p = resp.rpartition(":")
    sent = [r for r in rows if r[2] == orig]
    return Conversation(
        uid="M" + hashlib.blake2b(f"{orig} {resp} {rows[0][0]}".encode(), digest_size=9).hexdigest(),
        community_id="",
        proto="tcp",
        orig_h=orig_h,
        orig_p=int(orig_p),
        resp_h=resp_h,
        resp_p=int(resp_p),
        started_ns=rows[0][0],
        ended_ns=rows[-1][0],
        orig_bytes=sum(r[1] for r in sent),
        resp_bytes=sum(r[1] for r in rows) - sum(r[1] for r in sent),
        orig_pkts=len(sent),
        resp_pkts=len(rows) - len(sent),
    )


def generated_series(
    min_duration_s: float = 600.0, *, minutes: float = 240.0, seeds: Sequence[int] = (1, 2, 3), fresh: bool = False
) -> list[Series]:
    """Office traffic of ``headframe simulate capture --miners 0``: not real, to be reported apart.

    Its nodes and solo templates follow chains of the simulator, which no real clock knows.
    """
    from headframe import simulate

    def read() -> Iterator[Series]:
        for seed in seeds:
            with tempfile.TemporaryDirectory(prefix="series-") as scratch:
                made = simulate.write_demo(Path(scratch), seed=seed, minutes=minutes, miners=0, capture_format="pcap")
                yield from capture_series(Path(made.capture), f"generated-{seed}", "generated")

    sources = sorted((ROOT / "src" / "headframe" / "simulate").rglob("*.py"))
    name = f"generated-{minutes:g}-{'.'.join(map(str, seeds))}"
    return [s for s in without_twins(kept(name, sources, read, fresh=fresh)) if s.duration_s >= min_duration_s]


def without_twins(series: Iterable[Series]) -> list[Series]:
    """Each series once: a trial on a copy is no new trial."""
    seen: set[bytes] = set()
    out: list[Series] = []
    for s in series:
        digest = hashlib.blake2b(s.times_ns.tobytes() + s.signed_sizes.tobytes(), digest_size=16).digest()
        if digest not in seen:
            seen.add(digest)
            out.append(s)
    return out


# -- what is kept between runs -----------------------------------------------------------------------------------------


def kept(name: str, inputs: Sequence[Path], read: Callable[[], Iterable[Series]], *, fresh: bool) -> list[Series]:
    """Series from ``build/bench``, or read and left there; the digest covers inputs and code."""
    digest = hashlib.blake2b(digest_size=8)
    for path in [*inputs, *(ROOT / reader for reader in READERS)]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    place = BUILD / f"series-{name}-{digest.hexdigest()}.npz"
    if not fresh and place.is_file():
        return load(place)
    series = list(read())
    for old in BUILD.glob(f"series-{name}-????????????????.npz"):
        old.unlink(missing_ok=True)
    save(place, series)
    return series


def save(place: Path, series: Sequence[Series]) -> None:
    """Write series as one compressed file; whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    facts: list[dict[str, Any]] = []
    for s in series:
        fact = {k: getattr(s, k) for k in ("name", "corpus", "label", "coin", "capture", "dated")}
        facts.append({**fact, "conversation": asdict(s.conversation)})
    empty = [np.empty(0, dtype=np.int64)]
    with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".tmp", delete=False) as out:
        np.savez_compressed(
            out,
            lengths=np.array([len(s.times_ns) for s in series], dtype=np.int64),
            times_ns=np.concatenate([s.times_ns for s in series] or empty),
            signed_sizes=np.concatenate([s.signed_sizes for s in series] or empty).astype(np.int32),
            facts=np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8),
        )
    Path(out.name).replace(place)


def load(place: Path) -> list[Series]:
    """Series written by `save`."""
    with np.load(place, allow_pickle=False) as packed:
        facts = json.loads(packed["facts"].tobytes())
        ends = np.cumsum(packed["lengths"])
        times, sizes = packed["times_ns"], packed["signed_sizes"]
    return [
        Series(
            **{**fact, "conversation": Conversation(**fact["conversation"])},
            times_ns=times[end - n : end],
            signed_sizes=sizes[end - n : end],
        )
        for fact, end, n in zip(facts, ends, np.diff(ends, prepend=0), strict=True)
    ]


# -- clocks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How a capture's clock stands against a block clock.

    Attributes
    ----------
    blocks : int
        Blocks of the clock while the capture ran, after the offset is taken off.
    offset_s : float
        What has to be added to the block times so that most are followed by a push. [s]
    followed : float
        Part of those blocks that a push follows within 2 s. [unitless]
    median_delay_s : float
        From the offset block time to the push, over the blocks that are followed. [s]
    chance : float
        `followed` averaged over all offsets tried: what a series with so many pushes gets by chance. [unitless]
    """

    blocks: int = 0
    offset_s: float = 0.0
    followed: float = 0.0
    median_delay_s: float = 0.0
    chance: float = 0.0


HOURS = tuple(range(-12, 15))
"""Time zones of the world, as whole hours."""


def clock_offset(
    pushes_s: NDArray[np.float64],
    blocks_s: NDArray[np.float64],
    *,
    within_s: float = 2.0,
    hours: Sequence[int] = HOURS,
) -> ClockOffset:
    """Where blocks and pushes meet best: offsets of -40 to 40 s by half seconds, about each whole hour.

    To look at data, not to tune anything: the best of 4,347 offsets looks good by chance in a short capture.

    Parameters
    ----------
    pushes_s : float64[n]
        Times of large packets from the server, ascending. [s since 1970]
    blocks_s : float64[m]
        Block times, ascending. [s since 1970]
    within_s : float
        How soon a push has to follow. [s]
    hours : sequence of int
    """
    best = ClockOffset()
    tried: list[float] = []
    if len(pushes_s) == 0:
        return best
    after = np.append(pushes_s, np.inf)
    for hour in hours:
        for fine in np.arange(-40.0, 40.25, 0.5):
            offset = 3600.0 * hour + float(fine)
            at = blocks_s + offset
            at = at[(at >= pushes_s[0] - within_s) & (at <= pushes_s[-1])]
            if len(at) < 3:
                continue
            delay = after[np.searchsorted(pushes_s, at)] - at
            hit = delay <= within_s
            followed = float(np.mean(hit))
            tried.append(followed)
            # Of equal ones the smallest correction is the likeliest.
            if (followed, -abs(offset)) > (best.followed, -abs(best.offset_s)):
                best = ClockOffset(len(at), offset, followed, float(np.median(delay[hit])))
    return replace(best, chance=float(np.mean(tried)) if tried else 0.0)


def clock_drift(
    pushes_s: NDArray[np.float64], blocks_s: NDArray[np.float64], whole: ClockOffset, part_s: float = 4 * 3600.0
) -> list[ClockOffset]:
    """The offset of each part of a capture, near the whole hour of `whole`: a clock that runs away shows here."""
    parts = max(1, round((pushes_s[-1] - pushes_s[0]) / part_s)) if len(pushes_s) else 0
    edges = np.linspace(pushes_s[0], pushes_s[-1], parts + 1) if parts else np.empty(0)
    hour = round(whole.offset_s / 3600)
    return [
        clock_offset(pushes_s[(pushes_s >= a) & (pushes_s <= b)], blocks_s, hours=(hour,))
        for a, b in itertools.pairwise(edges)
    ]


def read_clock(path: Path) -> NDArray[np.float64]:
    """Arrival times of a ``clock_*.csv`` or ``clock_*.csv.gz`` in order. [s since 1970]"""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as lines:
        return np.sort(np.array([float(row["arrival_time"]) for row in csv.DictReader(lines)], dtype=np.float64))


def pushes(series: Series, at_least_bytes: int = 200) -> NDArray[np.float64]:
    """Times of packets from the server with so much payload or more. [s since 1970]"""
    return series.times_ns[series.signed_sizes <= -at_least_bytes] / SECOND_NS


# -- tables ------------------------------------------------------------------------------------------------------------


def corpus_table(series: Sequence[Series]) -> str:
    """Markdown: corpus and label, series, how long they last, packets."""
    rows = ["| corpus | label | series | shortest, median, longest [min] | packets |", "|---|---|--:|---|--:|"]
    groups: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for s in series:
        groups[s.corpus, s.label].append(s)
    for (corpus, label), members in sorted(groups.items()):
        minutes = np.array([s.duration_s for s in members]) / 60
        packets = sum(len(s.times_ns) for s in members)
        spread = f"{minutes.min():.1f}, {np.median(minutes):.1f}, {minutes.max():.1f}"
        rows.append(f"| {corpus} | {label} | {len(members)} | {spread} | {packets:,} |")
    return "\n".join(rows)


def clock_table(data: Path = DATA) -> str:
    """Markdown: each capture of cj-sniffer, all its conversations together, against block times that a pool saw."""
    blocks_s = read_clock(data / "network" / "blocks" / "clock_xmr_pool.csv")
    rows = [
        "| capture | coin | minutes | pushes | blocks | offset [s] | followed within 2 s | delay [s] | by chance "
        "| offsets of parts of 4 h [s] |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    captures: dict[str, list[Series]] = defaultdict(list)
    for s in mining_series(data):
        if s.label == "mining":
            captures[s.capture].append(s)
    for capture, members in sorted(captures.items()):
        at = np.sort(np.concatenate([pushes(s) for s in members]))
        seen = clock_offset(at, blocks_s)
        parts = clock_drift(at, blocks_s, seen)
        by_part = " ".join(f"{p.offset_s + p.median_delay_s - 3600 * round(seen.offset_s / 3600):+.1f}" for p in parts)
        ends = [t for s in members for t in (s.conversation.started_ns, s.conversation.ended_ns)]
        rows.append(
            f"| {capture} | {members[0].coin} | {(max(ends) - min(ends)) / 60e9:.0f} | {len(at)} | {seen.blocks} | "
            f"{seen.offset_s:+.1f} | {seen.followed:.2f} | {seen.median_delay_s:.1f} | {seen.chance:.2f} | {by_part} |"
        )
    return "\n".join(rows)


def main() -> None:
    """Print what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--min-duration", type=float, default=600.0, help="shortest benign series [s]")
    parser.add_argument("--generated", action="store_true", help="also generate office traffic")
    parser.add_argument("--clocks", action="store_true", help="also show how the clocks of the captures stand")
    parser.add_argument("--fresh", action="store_true", help="read the captures again")
    options = parser.parse_args()
    benign = benign_series(options.min_duration, options.data, fresh=options.fresh)
    print(f"### Benign, {options.min_duration:g} s and more\n\n{corpus_table(benign)}\n")
    print(f"### Mining\n\n{corpus_table(mining_series(options.data, fresh=options.fresh))}\n")
    print(f"### ifip119\n\n{corpus_table(ifip119_series(options.data))}\n")
    if options.generated:
        generated = generated_series(options.min_duration, fresh=options.fresh)
        print(f"### Generated, {options.min_duration:g} s and more\n\n{corpus_table(generated)}\n")
    if options.clocks:
        print(f"### Clocks of cj-sniffer against clock_xmr_pool.csv\n\n{clock_table(options.data)}\n")


if __name__ == "__main__":
    main()
