"""Findings read back are those that were written; whatever is wrong with a row is told with file and row."""

import contextlib
import gzip
import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import UnreadableInput
from headframe.records.assessment import FindingsFile
from headframe.records.finding import Finding, Role
from headframe.records.scan import ClockLook, InputSummary, ScanResult, SeenPrefix
from headframe.reports.document import finding_document, in_report_order
from headframe.reports.jsonl import finding_lines, scan_json
from headframe.sources.findings import read_findings, read_findings_stream
from tests.reports import samples

NOW_NS = 1_700_000_000_000_000_000


def read(data: bytes) -> FindingsFile:
    return read_findings_stream(io.BytesIO(data), "findings")


def as_lines(*findings: Finding) -> bytes:
    return "".join(finding_lines(findings)).encode()


def as_json(result: ScanResult) -> bytes:
    return scan_json(result, generated_ns=NOW_NS).encode()


def without_timelines(findings: list[Finding]) -> list[Finding]:
    return [replace(finding, timeline=None) for finding in in_report_order(findings)]


@pytest.mark.parametrize("sample", [samples.mixed, samples.timed, samples.followers])
def test_what_was_written_is_read(sample: Callable[[], ScanResult]) -> None:
    """Reading is the inverse of writing, to the nanosecond, in both forms; only timelines are not written."""
    result = sample()
    whole = read(as_json(result))
    assert list(whole.findings) == without_timelines(result.findings)
    assert list(whole.insufficient) == result.insufficient
    assert whole.damaged == ()
    assert (whole.conversations, whole.timing_tested) == (result.conversations, result.timing_tested)
    assert whole.content_blind is result.content_blind
    assert whole.first_ns == min((i.first_ns for i in result.inputs if i.first_ns is not None), default=None)
    assert whole.last_ns == max((i.last_ns for i in result.inputs if i.last_ns is not None), default=None)
    rows = read(as_lines(*result.findings))
    assert rows.findings == tuple(replace(finding, timeline=None) for finding in result.findings)
    assert (rows.conversations, rows.timing_tested, rows.first_ns) == (None, None, None)


def test_hostile_text_survives_the_journey() -> None:
    """What traffic put into names is read as it was written, and does nothing on the way."""
    for finding in samples.hostile().findings:
        # The texts are meant; instants beyond all calendars and counts beyond all integers are tried below.
        plain = samples.miner()
        finding = replace(
            finding, host=plain.host, started_ns=plain.started_ns, ended_ns=plain.ended_ns, block_sync=None,
            evidence=tuple(replace(line, time_ns=plain.started_ns) for line in finding.evidence),
        )  # fmt: skip
        document = finding_document(finding)
        (again,) = read(json.dumps(document).encode()).findings
        assert finding_document(again) == document


def test_one_finding_is_a_row_and_not_a_scan() -> None:
    """A file with a single object that is a finding is JSON Lines."""
    assert len(read(as_lines(samples.miner()).strip()).findings) == 1


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_scan_without_findings(data: bytes) -> None:
    """That is what clean traffic looks like as JSON Lines; and it is said that nothing stands there."""
    found = read(data)
    assert (found.findings, found.damaged) == ((), ())
    assert found.remarks == ("findings is empty: as JSON Lines that says that nothing was found",)


def test_peer_sync_never_says_miner() -> None:
    """Before 1.2 it did, though it compares no chain; chain_sync is taken at its word."""
    document = finding_document(samples.follower()) | {"schema_version": "1.1", "role": "miner"}
    assert read(json.dumps(document).encode()).findings == (samples.follower(),)
    document["detector"] = "chain_sync"
    assert read(json.dumps(document).encode()).findings[0].role is Role.MINER


def test_whether_a_scan_was_blind_is_not_told_by_old_files() -> None:
    """Not told is neither yes nor no; what is neither true nor false is damage."""
    document = json.loads(as_json(samples.clean()))
    assert read(json.dumps(document).encode()).content_blind is False
    document["summary"]["content_blind"] = "perhaps"
    found = read(json.dumps(document).encode())
    assert found.content_blind is None
    assert "content_blind is 'perhaps'; expected true or false" in found.damaged[0].reason
    del document["summary"]["content_blind"]
    assert read(json.dumps(document).encode()).content_blind is None
    assert read(b"").content_blind is None


def test_gzip_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    """And a packed file that breaks off is used up to there, with a remark."""
    packed = gzip.compress(as_lines(samples.miner(), samples.probe()), mtime=0)
    path = tmp_path / "f.jsonl.gz"
    path.write_bytes(packed)
    assert len(read_findings(path).findings) == 2
    cut = read(gzip.compress(as_lines(samples.miner()), mtime=0)[:-6])
    assert len(cut.findings) == 1
    assert "breaks off" in cut.damaged[0].reason
    twice = gzip.compress(as_lines(samples.miner())) + gzip.compress(as_lines(samples.probe()))
    assert len(read(twice).findings) == 2


def test_a_finding_of_1_0_has_no_block_sync() -> None:
    """A reader of 1.x reads every 1.x: keys that came later may be missing, keys that come later are passed over."""
    document = finding_document(samples.miner())
    del document["block_sync"]
    document |= {"schema_version": "1.0", "from_the_future": [1, {"a": None}]}
    (finding,) = read(json.dumps(document).encode()).findings
    assert finding.block_sync is None
    document["schema_version"] = "1.99"
    assert read(json.dumps(document).encode()).findings == (finding,)


def test_null_evidence_is_none() -> None:
    """JSON has no infinity; of what is not finite only ``-inf`` is an e-value, and it gives nobody away."""
    document = finding_document(samples.miner()) | {"log10_e": None}
    assert read(json.dumps(document).encode()).findings[0].log10_e == -math.inf


WRONG: list[tuple[str, Any, str]] = [
    ("schema_version", "2.0", "schema_version is '2.0'; this Headframe reads 1.x"),
    ("schema_version", None, "schema_version is None; expected text"),
    ("family", "gossip", "family is 'gossip'; known are content, endpoint"),
    ("role", ["miner"], "role is a list; known are miner"),
    ("host", "printer", "host is 'printer'; expected an address"),
    ("host", 7, "host is 7; expected text"),
    ("detector", "", "detector is empty"),
    ("started", "yesterday", "started is 'yesterday'; expected 2026-04-21T08:00:00.000000000Z"),
    ("started", "2026-02-30T00:00:00Z", "started is '2026-02-30T00:00:00Z'"),
    ("ended", "1999-01-01T00:00:00Z", "ended 1999-01-01T00:00:00Z is before started"),
    ("started", "2201-01-01T00:00:00Z", "not between 1970 and 2200"),
    ("log10_e", "6", "log10_e is '6'; expected a number"),
    ("log10_e", 1e308, "log10_e is 1e+308; expected a number between -1,000,000 and 1,000,000"),
    ("log10_e", -1e308, "log10_e is -1e+308; expected a number between"),
    ("log10_e", 10**7, "log10_e is 10000000.0; expected a number between"),
    ("log10_e", True, "log10_e is True; expected a number"),
    ("coin", "XMR", "coin is 'XMR'; expected a list"),
    ("coin", [1], "coin holds something that is no text"),
    ("shares", None, "shares holds None; expected an object"),
    ("shares", {"accepted": -1}, "accepted is -1; expected a whole number"),
    ("sources", [{"file": "a", "packets": [1.5]}], "packets of a source are whole numbers"),
    ("indicator_kinds", ["casino"], "indicator_kinds is 'casino'; known are pool"),
    ("block_sync", {"chain": "XMR"}, "offset_s is missing"),
    ("hashrate_hs", 5, "hashrate_hs holds 5; expected an object"),
]


def test_a_number_that_json_has_not_spoils_no_document() -> None:
    """Other tools write NaN and Infinity; they stand for no number, and the rest of the document is read."""
    document = json.loads(as_json(samples.mixed()))
    document["findings"][0]["log10_e"] = float("nan")
    found = read(json.dumps(document).encode())
    assert len(found.findings) == len(document["findings"])
    assert found.findings[0].log10_e == float("-inf")
    row = json.dumps(document["findings"][0]).encode()
    assert read(row + b"\n").findings[0].log10_e == float("-inf")


@pytest.mark.parametrize(("key", "value", "message"), WRONG, ids=[f"{k}-{i}" for i, (k, _, _) in enumerate(WRONG)])
def test_a_damaged_row_is_told_with_its_place(key: str, value: Any, message: str) -> None:
    """The row before and the row after are used."""
    rows = [finding_document(samples.miner()), finding_document(samples.miner()) | {key: value}]
    rows.append(finding_document(samples.bitcoin_miner()))
    found = read("\n".join(map(json.dumps, rows)).encode())
    assert len(found.findings) == 2
    (damage,) = found.damaged
    assert (damage.source.file, damage.source.row) == ("findings", 2)
    assert message in damage.reason


@pytest.mark.parametrize("key", sorted(set(finding_document(samples.miner())) - {"block_sync", "course"}))
def test_a_missing_key_is_named(key: str) -> None:
    """All keys of 1.0 are always there."""
    document = finding_document(samples.miner())
    del document[key]
    with pytest.raises(UnreadableInput, match=f"row 1: {key} is missing"):
        read(json.dumps(document).encode())


def test_damage_of_a_document_has_places_too() -> None:
    """Rows are the places in its lists; what the summary lacks is not known, never zero."""
    document = json.loads(as_json(samples.mixed()))
    document["findings"][1]["role"] = "boss"
    document["insufficient"].append({"detector": "stratum"})
    del document["summary"]["conversations"]
    document["inputs"].append({"first": 3, "damage": []})
    found = read(json.dumps(document).encode())
    assert len(found.findings) == len(document["findings"]) - 1
    assert found.conversations is None
    places = {str(damage.source) for damage in found.damaged}
    assert places == {
        "findings row 2",
        f"findings (insufficient) row {len(document['insufficient'])}",
        "findings (summary) row 1",
        f"findings (inputs) row {len(document['inputs'])}",
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not json at all", "no row is a finding; the first says: row 1: no JSON"),
        (b"\x00\xff\x00", "no row is a finding"),
        (b'{"findings": 3, "schema_version": "1.1"}', "findings is 3; expected a list"),
        (b'{"findings": [], "schema_version": "9.0"}', "this Headframe reads 1.x"),
        (b'{"findings": []}', "schema_version is missing"),
        (b"[" * 100_000, "no row is a finding"),
    ],
)
def test_what_is_no_file_of_findings(data: bytes, message: str) -> None:
    """Is refused as a whole, by name."""
    with pytest.raises(UnreadableInput, match="findings") as fault:
        read(data)
    assert message in str(fault.value)


def test_a_missing_file(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(UnreadableInput, match=r"no\.json: cannot be read: No such file"):
        read_findings(tmp_path / "no.json")
    with pytest.raises(UnreadableInput, match="cannot be read"):
        read_findings(tmp_path)


GOOD_LINES = as_lines(samples.miner(), samples.timing_miner(), samples.probe())
GOOD_JSON = as_json(samples.mixed())


@given(
    data=st.sampled_from([GOOD_LINES, GOOD_JSON]),
    cuts=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 40), st.binary(max_size=12)), max_size=6),
)
def test_noise_is_read_or_refused(data: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    """A file with bytes cut out and put in gives findings, or damage with its row, or is refused; nothing else."""
    noisy = bytearray(data)
    for at, length, instead in cuts:
        at %= len(noisy) + 1
        noisy[at : at + length] = instead
    try:
        found = read(bytes(noisy))
    except UnreadableInput:
        return
    assert all(row.source.row >= 1 and row.reason for row in found.damaged)
    assert all(not math.isnan(finding.log10_e) and finding.log10_e < math.inf for finding in found.findings)
    assert all(finding.started_ns <= finding.ended_ns for finding in found.findings)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = sorted(finding_document(samples.timing_miner()))


@given(changes=st.dictionaries(st.sampled_from(KEYS), JSON_VALUES, min_size=1, max_size=3))
def test_any_value_anywhere_is_read_or_refused(changes: dict[str, Any]) -> None:
    """Whatever stands under a key: the row is a finding, or damaged with a reason; the row beside it is used."""
    rows = [finding_document(samples.timing_miner()) | changes, finding_document(samples.miner())]
    data = "\n".join(json.dumps(row, allow_nan=True) for row in rows).encode()
    found = read(data)
    assert len(found.findings) + len(found.damaged) == 2
    assert found.findings[-1] == replace(samples.miner(), timeline=None)


@given(data=st.binary(max_size=200))
def test_bytes_are_read_or_refused(data: bytes) -> None:
    """No bytes raise anything but the fault that a caller expects."""
    with contextlib.suppress(UnreadableInput):
        read(data)


def test_what_a_scan_looked_at_is_read_back() -> None:
    """Detectors, what was recorded, clocks and where conversations began; of older files, and of lines, nothing."""
    scan = ScanResult(
        detectors=("stratum 2", "chain_sync 1"),
        inputs=[InputSummary(file="a.pcap", recorded=[(10**18, 10**18 + 600 * 10**9)]),
                InputSummary(file="b.pcap", recorded=[(10**18 + 900 * 10**9, 10**18 + 7_200 * 10**9)])],
        clocks=(ClockLook(chain="BTC", sources=("file b.csv",), covered=((10**18, 10**18 + 10**12),)),),
        seen=(SeenPrefix(day="2001-09-09", prefix="192.0.2.0/24", conversations=4),),
        seen_left_out=3,
    )  # fmt: skip
    text = scan_json(scan, generated_ns=10**18)
    looked = read_findings_stream(io.BytesIO(text.encode()), "s.json").looked
    assert looked is not None
    assert looked.detectors == scan.detectors
    assert looked.recorded == ((10**18, 10**18 + 7_200 * 10**9),), "files that follow each other go on"
    assert (looked.clocks, looked.seen, looked.seen_left_out) == (scan.clocks, scan.seen, 3)
    older = json.loads(text)
    del older["looked"]
    assert read_findings_stream(io.BytesIO(json.dumps(older).encode()), "s.json").looked is None
    assert read_findings_stream(io.BytesIO(b""), "s.jsonl").looked is None
    older["looked"] = {"detectors": 3}
    damaged = read_findings_stream(io.BytesIO(json.dumps(older).encode()), "s.json")
    assert damaged.looked is None
    assert "looked" in damaged.damaged[0].source.file
