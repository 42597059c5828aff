"""The local engine over whole captures: one timeline, packet references, fragments, threads, exit status, tshark."""

import gzip
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headframe.detectors.network.pool_endpoint import EndpointIndex
from headframe.engines.local import CaptureFacts, LocalEngine
from headframe.errors import UnreadableInput
from headframe.kernels.bursts import gather_bursts
from headframe.records.bursts import Bursts
from headframe.records.conversation import Conversation
from headframe.records.indicator import Indicator, IndicatorKind
from tests import captures as make
from tests import timing_office

S, SA, K, P, F = make.SYN, make.SYN | make.ACK, make.ACK, make.PSH | make.ACK, make.FIN | make.ACK
LOGIN = b'{"id":1,"method":"login","params":{"login":"x","pass":"x","agent":"XMRig/6.2"}}\n'
Closed = list[tuple[Conversation, list[int], list[int]]]


def run(paths: list[Path], *, threads: int = 1) -> tuple[CaptureFacts, Closed]:
    """Facts, and each conversation with its series, by start."""
    engine = LocalEngine(EndpointIndex([]), threads=threads, secret=b"0123456789abcdef")
    closed: Closed = []
    engine.on_closed = lambda c, times, sizes: closed.append((c, times.tolist(), sizes.tolist()))
    facts = engine.run([str(path) for path in paths])
    return facts, sorted(closed, key=lambda one: (one[0].started_ns, one[0].uid))


def scan(name: str, *, form: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command itself, from beside the interpreter that runs the tests."""
    command = [str(Path(sys.executable).with_name("headframe")), "scan", name, "--format", form]
    return subprocess.run(command, input=given, capture_output=True, check=False)


def session(client: str = "10.0.0.1", sport: int = 40_000, shares: int = 6) -> list[bytes]:
    """A TCP conversation in which a miner logs in and the pool answers."""
    server, port = "10.9.9.9", 3333

    def c(seq: int, ack: int, flags: int, data: bytes = b"") -> bytes:
        return make.frame(client, sport, server, port, seq, ack, flags, data)

    def s(seq: int, ack: int, flags: int, data: bytes = b"") -> bytes:
        return make.frame(server, port, client, sport, seq, ack, flags, data)

    job = b'{"id":1,"result":{"id":"1","job":{"blob":"%s","job_id":"j","target":"ffff0000"},"status":"OK"}}\n'
    job %= b"0c" * 76
    frames = [c(99, 0, S), s(499, 100, SA), c(100, 500, K), c(100, 500, P, LOGIN), s(500, 100 + len(LOGIN), P, job)]
    seq, ack = 100 + len(LOGIN), 500 + len(job)
    for k in range(shares):
        share = b'{"id":%d,"method":"submit","params":{"id":"1","job_id":"j","nonce":"%08x","result":"%064x"}}\n'
        share %= (k + 2, k, k)
        frames.append(c(seq, ack, P, share))
        seq += len(share)
        answer = b'{"id":%d,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}\n' % (k + 2)
        frames.append(s(ack, seq, P, answer))
        ack += len(answer)
    return [*frames, c(seq, ack, F), s(ack, seq + 1, F)]


def test_a_rotated_set_is_one_timeline(tmp_path: Path) -> None:
    """Three files of different formats, given out of order: one conversation, and packets cited by file and number."""
    packets = make.packets_of(session())
    one, two, three = tmp_path / "c.pcap", tmp_path / "a.pcapng", tmp_path / "b.pcap.gz"
    one.write_bytes(make.pcap_file(packets[:4]))
    two.write_bytes(make.pcapng_file(packets[4:9]))
    three.write_bytes(gzip.compress(make.pcap_file(packets[9:])))
    facts, closed = run([two, three, one])
    ((conversation, times, _),) = closed
    assert (conversation.conn_state, conversation.orig_pkts + conversation.resp_pkts) == ("SF", len(packets))
    assert conversation.missed_bytes == 0
    assert len(times) == 14
    assert [Path(i.file).name for i in facts.inputs] == ["c.pcap", "a.pcapng", "b.pcap.gz"]
    assert [i.packets for i in facts.inputs] == [4, 5, len(packets) - 9]
    whole = tmp_path / "whole.pcap"
    whole.write_bytes(make.pcap_file(packets))
    assert run([whole])[1] == closed


def test_findings_cite_file_and_packet_number(tmp_path: Path) -> None:
    """The command's own output, over the border of two files: the number is Wireshark's number in that file."""
    packets = make.packets_of(session(shares=20), step_ns=10**9)
    for name, part in (("1.pcap", packets[:7]), ("2.pcap", packets[7:])):
        (tmp_path / name).write_bytes(make.pcap_file(part))
    told = scan(str(tmp_path), form="jsonl")
    assert told.returncode == 0, told.stderr
    findings = [json.loads(line) for line in told.stdout.splitlines()]
    (miner,) = (f for f in findings if f["role"] == "miner")
    sources = {Path(s["file"]).name: s["packets"] for s in miner["sources"]}
    assert set(sources) == {"1.pcap", "2.pcap"}
    login = next(k for k, p in enumerate(packets, 1) if LOGIN in p.data)
    assert login in sources["1.pcap"]
    assert all(1 <= number <= len(packets) - 7 for number in sources["2.pcap"])


def office(seed: int, count: int) -> list[bytes]:
    """Many conversations that interleave, of both IP versions, with losses, repeats and disorder."""
    rng = random.Random(seed)
    queues = []
    for k in range(count):
        if k % 3:
            frames = session(f"10.1.{k // 250}.{k % 250 + 1}", 30_000 + k)
        else:
            ends = (f"2001:db8::{k + 1:x}", 30_000 + k, "2001:db8::ffff", 443)
            frames = [make.frame(*ends, 10 * n, 0, P, b"\x17\3\3\0\5hello") for n in range(12)]
        frames = [f for f in frames if rng.random() > 0.03]
        for _ in range(2):
            i = rng.randrange(max(1, len(frames) - 1))
            frames[i : i + 2] = frames[i : i + 2][::-1]
        queues.append(frames)
    out = []
    while queues:
        queue = rng.choice(queues)
        if queue:
            out.append(queue.pop(0))
        else:
            queues.remove(queue)
    return out


def test_any_number_of_threads_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One, two and four threads: the same conversations, series, sessions and counts, with many stretches."""
    from headframe.engines import local

    monkeypatch.setattr(local, "BATCH_PACKETS", 150)
    path = tmp_path / "a.pcap"
    path.write_bytes(make.pcap_file(make.packets_of(office(1, 400))))
    one = run([path], threads=1)
    assert len(one[1]) == 400
    for threads in (2, 4):
        more = run([path], threads=threads)
        assert more[1] == one[1]
        assert more[0].inputs == one[0].inputs
        assert sorted(c.uid for c, _ in more[0].sessions) == sorted(c.uid for c, _ in one[0].sessions)


@pytest.mark.parametrize("order", ["in order", "reversed"])
def test_fragments_are_put_together_across_files(tmp_path: Path, order: str) -> None:
    """Fragments of one TCP segment in two files are one packet of the conversation, in the place of the last one."""
    body = make.tcp(40_000, 3333, 100, 500, P, LOGIN * 3)
    parts = [
        make.ethernet(0x0800, make.ipv4("10.0.0.1", "10.9.9.9", 6, body[a:b], ident=5, offset=a, more=b < len(body)))
        for a, b in ((0, 80), (80, 160), (160, len(body)))
    ]
    if order == "reversed":
        parts.reverse()
    packets = make.packets_of([make.frame("10.0.0.1", 40_000, "10.9.9.9", 3333, 99, 0, S), *parts])
    one, two = tmp_path / "1.pcap", tmp_path / "2.pcap"
    one.write_bytes(make.pcap_file(packets[:3]))
    two.write_bytes(make.pcap_file(packets[3:]))
    facts, closed = run([one, two])
    ((conversation, times, sizes),) = closed
    assert (conversation.orig_bytes, conversation.missed_bytes, sizes) == (3 * len(LOGIN), 0, [3 * len(LOGIN)])
    assert times == [packets[-1].time_ns]
    assert len(facts.sessions) == 1


def test_exit_status_tells_of_damage(tmp_path: Path) -> None:
    """0 for a whole file, 3 for a damaged one, 4 where nothing can be read (docs/exit-codes.md)."""
    frames = [make.frame("10.0.0.1", 5, "10.0.0.2", 80, 10 * k, 0, P, b"0123456789") for k in range(20)]
    whole = make.pcap_file(make.packets_of(frames))
    contents = {0: whole, 3: whole[:-5], 4: b"no capture at all, but some text" * 9}
    for status, content in contents.items():
        path = tmp_path / f"{status}.pcap"
        path.write_bytes(content)
        told = scan(str(path), form="json")
        assert told.returncode == status, told.stderr
    piped = scan("-", form="json", given=whole)
    assert piped.returncode == 0
    assert b'"packets": 20' in piped.stdout or b'"packets":20' in piped.stdout


def test_one_unreadable_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """It is noted as damage; only where nothing at all can be read it is an error."""
    good, bad = tmp_path / "good.pcap", tmp_path / "bad.pcap"
    good.write_bytes(make.pcap_file(make.packets_of(session())))
    bad.write_bytes(b"nothing of use" * 10)
    facts, closed = run([good, bad])
    assert (len(closed), facts.packets) == (1, len(session()))
    assert [bool(i.damage) for i in facts.inputs].count(True) == 1
    with pytest.raises(UnreadableInput):
        run([bad])


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["nesfit", "ndpi", "coiniumserv", "zeek-cryptomining"])
def test_conversations_agree_with_tshark(name: str, shared_data: Path, require_tool: Callable[[str], str]) -> None:
    """On real captures: each pair of TCP endpoints has as many packets as tshark counts, and its community id."""
    tshark = require_tool("tshark")
    paths = [
        path
        for path in sorted((shared_data / "network" / "pcap_mining" / name).rglob("*.pcap*"))
        if path.suffix in (".pcap", ".pcapng") and path.stat().st_size < 3_000_000
    ][:4]
    assert paths
    for path in paths:
        fields = ["ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "communityid"]
        told = subprocess.run(
            [tshark, "-r", str(path), "-n", "--enable-protocol", "communityid", "-Y", "tcp && ip && !icmp",
             "-o", "ip.defragment:FALSE",
             "-T", "fields", *(x for f in fields for x in ("-e", f))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        theirs: Counter[frozenset[tuple[str, int]]] = Counter()
        ids: dict[frozenset[tuple[str, int]], str] = {}
        for line in told.stdout.splitlines():
            src, dst, sport, dport, community = line.split("\t")
            if "," in src:
                continue  # a tunnel
            ends = frozenset([(src, int(sport)), (dst, int(dport))])
            theirs[ends] += 1
            ids[ends] = community
        ours: Counter[frozenset[tuple[str, int]]] = Counter()
        for c, _, _ in run([path], threads=2)[1]:
            if c.proto == "tcp" and ":" not in c.orig_h:
                ends = frozenset([(c.orig_h, c.orig_p), (c.resp_h, c.resp_p)])
                ours[ends] += c.orig_pkts + c.resp_pkts
                if ids.get(ends):
                    assert c.community_id == ids[ends]
        assert theirs
        assert ours == theirs
        assert any(ids.values()), "tshark gave no community id"


# --- bursts, and what a run sees that is blind to content ----------------------------------------------------------


def blind_run(path: Path, index: EndpointIndex | None = None) -> CaptureFacts:
    """Facts of a run that sees neither payload nor ports."""
    return LocalEngine(index or EndpointIndex([]), threads=1, content_blind=True).run([str(path)])


def seen_of(bursts: list[Bursts]) -> list[tuple[object, ...]]:
    """What a timing detector can know of each, in an order that does not hang on ports."""
    return sorted(
        (c.orig_h, c.resp_h, c.orig_p, c.resp_p, c.proto, b.direction_known, tuple(b.time_ns.tolist()),
         tuple(b.size.tolist()), c.orig_bytes, c.resp_bytes, c.orig_pkts, c.resp_pkts, c.history, c.conn_state)
        for b in bursts
        if (c := b.conversation)
    )  # fmt: skip


def test_bursts_are_those_of_the_conversations_that_last(tmp_path: Path) -> None:
    """A minute or more and four packets: the series, gathered; of others nothing is kept."""
    path = tmp_path / "a.pcap"
    long = make.packets_of(session(shares=30), step_ns=3 * 10**9)
    brief = make.packets_of(session("10.0.0.2", shares=30), step_ns=10**8)
    few = make.packets_of(session("10.0.0.3", shares=1)[:5], step_ns=100 * 10**9)
    path.write_bytes(make.pcap_file(sorted([*long, *brief, *few], key=lambda packet: packet.time_ns)))
    facts, closed = run([path])
    assert len(closed) == 3
    (kept,) = facts.bursts
    ((conversation, times, sizes),) = [one for one in closed if one[0].orig_h == "10.0.0.1"]
    assert kept.conversation == conversation
    out_times, out_sizes = np.array(times), np.array(sizes, dtype=np.int32)
    count = gather_bursts(out_times, out_sizes, out_times, out_sizes)
    assert kept.time_ns.tolist() == out_times[:count].tolist()
    assert kept.size.tolist() == out_sizes[:count].tolist()
    assert kept.direction_known
    assert kept.first_packet is not None
    assert (Path(kept.first_packet.file).name, kept.first_packet.number) == ("a.pcap", 1)


def test_blind_to_content_nothing_is_read_and_no_port_is_shown(tmp_path: Path) -> None:
    """No session, no observation, not even of an address that is looked out for; bursts without ports."""
    path = tmp_path / "a.pcap"
    path.write_bytes(make.pcap_file(make.packets_of(session(shares=30), step_ns=3 * 10**9)))
    pool = Indicator(kind=IndicatorKind.POOL, value="10.9.9.9", port=3333, source="test")

    def facts(*, blind: bool) -> CaptureFacts:
        return LocalEngine(EndpointIndex([pool]), threads=1, content_blind=blind).run([str(path)])

    open_eyed, blind = facts(blind=False), facts(blind=True)
    assert len(open_eyed.sessions) == 1
    assert open_eyed.observations
    assert (blind.sessions, blind.observations) == ([], [])
    assert [(b.conversation.orig_p, b.conversation.resp_p) for b in blind.bursts] == [(0, 0)]
    assert [(b.conversation.orig_p, b.conversation.resp_p) for b in open_eyed.bursts] == [(40_000, 3333)]
    assert blind.bursts[0].size.tolist() == open_eyed.bursts[0].size.tolist()
    assert (blind.packets, blind.conversations) == (open_eyed.packets, open_eyed.conversations)


def test_blind_to_content_means_blind(tmp_path: Path) -> None:
    """Other payload of the same length and other ports everywhere: not one bit of what is kept is another.

    Also of conversations whose beginning was not captured, where only the ports tell who called.
    """
    frames = [frame for k in range(6) for frame in office(k, 40)]
    packets = make.packets_of(frames, step_ns=30_000_000)
    plain, other = tmp_path / "a.pcap", tmp_path / "b.pcap"
    plain.write_bytes(make.pcap_file(packets))
    changed = timing_office.scrambled([(p.time_ns, p.data) for p in packets], 1)
    other.write_bytes(make.pcap_file([make.Packet(time_ns, data) for time_ns, data in changed]))
    assert all(len(a.data) == len(b[1]) and a.data != b[1] for a, b in zip(packets, changed, strict=True))
    before, after = seen_of(blind_run(plain).bursts), seen_of(blind_run(other).bursts)
    assert before == after
    assert len(before) >= len({row[:2] for row in before}) == 40
    assert {row[5] for row in before} == {True, False}
    assert sum(len(facts.sessions) for facts in (run([other])[0], blind_run(plain))) == 0
    assert run([plain])[0].sessions
