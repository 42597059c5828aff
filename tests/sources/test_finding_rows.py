"""Findings row by row, from what the commands write; whatever is wrong with a row is told."""

import gzip
import json
from pathlib import Path

import pytest

from headframe.errors import UnreadableInput
from headframe.records.assessment import DamagedRow
from headframe.records.finding import Family, Finding
from headframe.reports.jsonl import finding_lines
from headframe.sources.finding_rows import UsagePointRow, file_digest, finding_rows
from tests.sites.test_assessment import finding

USAGE_POINT = {
    "schema_version": "1.0", "usage_point": "UP-1", "site": {"site_id": "S1", "name": "S1", "note": None},
    "period": {"start": "2026-04-01T00:00:00.000000000Z", "end": "2026-05-01T00:00:00.000000000Z"},
    "listed": True, "worth_a_look": False, "families": ["load", "balance"],
    "findings": [
        {"detector": "load_step", "version": "1", "family": "load", "log10_e": 2.0},
        {"detector": "flat_load", "version": "3", "family": "load", "log10_e": 3.5},
        {"detector": "likeness", "version": "2", "family": "load", "log10_e": 1.5},
        {"detector": "balance", "version": "1", "family": "balance", "log10_e": 1.25},
        {"detector": "off_hours", "version": "1", "family": "traffic", "log10_e": 9.0},
    ],
}  # fmt: skip


def test_each_form_gives_the_same_rows(tmp_path: Path) -> None:
    """JSON Lines, a document, gzip, a byte order mark, one line or many."""
    found = [finding("192.0.2.1"), finding("192.0.2.2")]
    lines = "".join(finding_lines(found))
    document = {"schema_version": "1.2", "findings": [json.loads(line) for line in lines.splitlines()]}
    forms = {
        "a.jsonl": lines.encode(),
        "b.json": json.dumps(document).encode(),
        "c.json": json.dumps(document, indent=2).encode(),
        "d.jsonl": b"\xef\xbb\xbf" + b"\n" + lines.encode(),
        "e.jsonl.gz": gzip.compress(lines.encode()),
        "f.json.gz": gzip.compress(json.dumps(document, indent=2).encode()),
    }
    expected = list(finding_rows(_file(tmp_path, "x.jsonl", lines.encode())))
    assert [row.host for row in expected if isinstance(row, Finding)] == ["192.0.2.1", "192.0.2.2"]
    for name, data in forms.items():
        assert list(finding_rows(_file(tmp_path, name, data))) == expected, name


def test_a_usage_point_gives_what_is_weighed_of_the_families_that_support(tmp_path: Path) -> None:
    """The load as a whole and not the trait that stands out most; a family that does not support is none."""
    forms = {"a.jsonl": json.dumps(USAGE_POINT), "b.json": json.dumps({"usage_points": [USAGE_POINT]}, indent=1)}
    for name, text in forms.items():
        (row,) = finding_rows(_file(tmp_path, name, text.encode()))
        assert isinstance(row, UsagePointRow)
        assert (row.usage_point, row.site_id, row.mining) == ("UP-1", "S1", True)
        assert [(one.family, one.detector, one.version, one.log10_e) for one in row.evidence] == [
            (Family.LOAD, "likeness", "2", 1.5),
            (Family.BALANCE, "balance", "1", 1.25),
        ]
        assert row.document == USAGE_POINT


@pytest.mark.parametrize(
    ("found", "weighed"),
    [
        ([("flat_load", 3.5), ("load_step", 2.0)], [("load_step", 2.0)]),
        ([("likeness", 1.0), ("export_drop", 3.0), ("off_hours", 2.0)], [("export_drop", 3.0), ("likeness", 1.0)]),
        ([("likeness", None), ("export_drop", 3.0)], [("export_drop", 3.0)]),
        ([("homes", 1.0), ("homes", 0.5)], [("homes", 0.5)]),
    ],
)
def test_no_detector_is_weighed_because_it_came_out_high(
    tmp_path: Path, found: list[tuple[str, float | None]], weighed: list[tuple[str, float]]
) -> None:
    """Detectors of one family each have their own number, for a case to average; traits of a load have none."""
    findings = [{"detector": name, "version": "1", "family": "load", "log10_e": e} for name, e in found]
    line = json.dumps({**USAGE_POINT, "families": ["load"], "findings": findings})
    (row,) = finding_rows(_file(tmp_path, "a.jsonl", line.encode()))
    assert isinstance(row, UsagePointRow)
    assert [(one.detector, one.log10_e) for one in row.evidence] == weighed


@pytest.mark.parametrize(
    ("listed", "look", "mining"), [(True, True, True), (False, True, False), (False, False, False)]
)
def test_what_is_only_worth_a_look_does_not_say_that_mining_goes_on(
    tmp_path: Path, listed: bool, look: bool, mining: bool
) -> None:
    """One innocent point of fifty is; only of the list is the share of innocent ones bounded."""
    line = json.dumps({**USAGE_POINT, "listed": listed, "worth_a_look": look})
    (row,) = finding_rows(_file(tmp_path, "a.jsonl", line.encode()))
    assert isinstance(row, UsagePointRow)
    assert row.mining is mining


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_version": "2.0"}, "schema_version is '2.0'"),
        ({"usage_point": ""}, "usage_point is ''"),
        ({"period": None}, "period is missing"),
        ({"families": ["traffic", "load", "balance", "timing"]}, "families names timing, and no finding of that has"),
        (
            {"families": ["load"], "findings": [{**USAGE_POINT["findings"][0], "log10_e": None}]},
            "families names load, and no finding of that has a log10_e",
        ),
        ({"period": {"start": "2026-05-01", "end": "2026-04-01"}}, "period.start is '2026-05-01'"),
        ({"families": "load"}, "families and findings are lists"),
        ({"findings": [{"detector": "x"}]}, "lacks its detector or version"),
        ({"findings": [{"detector": "x", "version": "1", "family": "magic"}]}, "family is 'magic'"),
    ],
)
def test_a_row_that_is_wrong_is_told_and_the_rest_is_used(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    """File, row, and what is wrong."""
    lines = f"{json.dumps({**USAGE_POINT, **change})}\n\n{json.dumps(USAGE_POINT)}\nno json\n"
    bad, good, worse = finding_rows(_file(tmp_path, "a.jsonl", lines.encode()))
    assert isinstance(bad, DamagedRow)
    assert reason in bad.reason
    assert (bad.source.row, isinstance(good, UsagePointRow)) == (1, True)
    assert isinstance(worse, DamagedRow)
    assert (worse.source.row, worse.reason[:7]) == (4, "no JSON")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"assessments": [], "files": ["scan.json"]}', "import the findings that it was made from: scan.json"),
        ('{"findings": 3}', "holds no list of findings"),
        ("site,name\nA,B\n", "no row is a finding"),
        ("[1, 2]", "no row is a finding"),
    ],
)
def test_what_is_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """With what it is, and what would be right."""
    with pytest.raises(UnreadableInput, match=message):
        list(finding_rows(_file(tmp_path, "a.json", text.encode())))


def test_nothing_found_is_no_fault(tmp_path: Path) -> None:
    """An empty file is what a scan of clean traffic writes as JSON Lines."""
    assert list(finding_rows(_file(tmp_path, "a.jsonl", b""))) == []
    assert list(finding_rows(_file(tmp_path, "b.json", b'{"findings": []}'))) == []


def test_a_gzip_that_breaks_off_is_said(tmp_path: Path) -> None:
    """After the rows that could be read."""
    packed = gzip.compress("".join(finding_lines([finding(f"192.0.2.{k}") for k in range(200)])).encode())
    with pytest.raises(UnreadableInput, match="cannot be read to its end"):
        list(finding_rows(_file(tmp_path, "a.jsonl.gz", packed[: len(packed) // 2])))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """JSON Lines are read one at a time: the first row is there before the last was looked at."""
    line = next(finding_lines([finding("192.0.2.1")]))
    path = _file(tmp_path, "a.jsonl", (line * 1_000 + "no json\n").encode())
    rows = finding_rows(path)
    assert isinstance(next(rows), Finding)
    path.write_bytes(b"")  # whoever had read it all would go on
    assert len(list(rows)) < 1_001


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    """As sha256sum says it."""
    assert file_digest(_file(tmp_path, "a", b"")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(UnreadableInput, match="cannot be read"):
        file_digest(tmp_path / "nothing")


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
