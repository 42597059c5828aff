"""JSON Lines and JSON: what programs read."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from headframe.records.finding import Finding
from headframe.records.scan import ScanResult
from headframe.reports.document import finding_document, in_report_order
from headframe.reports.jsonl import finding_lines, scan_json
from headframe.reports.schema import finding_schema, schema_text
from headframe.reports.words import instant
from tests.reports import samples

REQUIRED_BY_PROMISE = {
    "detector", "family", "host", "peer", "role", "coin", "protocol", "pool", "started", "ended", "shares",
    "hashrate_hs", "log10_e", "explanation", "sources", "schema_version", "version", "agent", "power_w",
    "contradictions", "blind_spots", "evidence", "community_ids", "accounts", "indicator_kinds", "block_sync",
    "course",
}  # fmt: skip


@pytest.fixture(params=sorted(samples.SCANS))
def result(request: pytest.FixtureRequest) -> ScanResult:
    """Each sample scan in turn."""
    return samples.SCANS[request.param]()


@pytest.fixture(scope="module")
def validator(project_root: Path) -> Any:
    """Checks against the schema as it is published, formats included."""
    schema = json.loads((project_root / "docs" / "schema-finding.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def test_published_schema_is_the_one_that_the_code_makes(project_root: Path) -> None:
    """Mend with: python -m headframe.reports.schema > docs/schema-finding.json"""
    assert (project_root / "docs" / "schema-finding.json").read_text(encoding="utf-8") == schema_text()


def test_every_finding_satisfies_the_schema(result: ScanResult, validator: Any) -> None:
    """Hostile text and strange numbers included."""
    for line in finding_lines(result.findings):
        validator.validate(json.loads(line))


def test_schema_refuses_what_it_should(validator: Any) -> None:
    """A schema that accepts everything would make the test above worthless."""
    good = finding_document(samples.miner())
    for key, bad in [("role", "thief"), ("started", "yesterday"), ("shares", {}), ("coin", "XMR"), ("log10_e", "6")]:
        assert not validator.is_valid({**good, key: bad}), key
    for key in good:
        assert not validator.is_valid({k: v for k, v in good.items() if k != key}), key


def test_keys_are_those_of_the_schema_in_its_order() -> None:
    """No key is written that the schema does not describe, and none that was promised is missing."""
    written = list(finding_document(samples.miner()))
    assert written == [*finding_schema()["properties"]] or sorted(written) == sorted(finding_schema()["properties"])
    assert set(written) == REQUIRED_BY_PROMISE


def test_one_finding_is_one_line_of_harmless_ascii(result: ScanResult) -> None:
    """A terminal that shows the output must not obey what a pool calls itself."""
    lines = list(finding_lines(result.findings))
    assert len(lines) == len(result.findings)
    for line in lines:
        assert line.endswith("\n")
        assert line.isascii()
        assert line[:-1].isprintable()


def test_values_survive() -> None:
    """What the record holds is what the reader gets, to the nanosecond and the byte."""
    finding = samples.miner(pool='a"b\\c\n\x1b[31m', agent="矿工")
    read = json.loads(next(finding_lines([finding])))
    assert read["pool"] == finding.pool
    assert read["agent"] == finding.agent
    assert read["started"] == "2021-04-16T03:09:47.123456789Z"
    assert read["hashrate_hs"] == {"low": 2710.0, "estimate": 2980.0, "high": 3270.0}
    assert read["sources"] == [{"file": "captures/site-a.pcapng", "packets": [104, 106, 107, 108, 131, 133, 150]}]
    assert read["coin"] == ["XMR"]
    assert read["evidence"][0]["packet"] == 104
    assert sum(read["shares"].values()) == len(finding.timeline.shares)  # type: ignore[union-attr]


def test_numbers_that_json_cannot_say_are_null() -> None:
    """NaN and infinity are not JSON; a reader would refuse the whole line."""
    strange = json.loads(list(finding_lines(samples.hostile().findings))[1])
    assert strange["log10_e"] is None
    assert strange["hashrate_hs"] == {"low": None, "estimate": None, "high": 1e300}


def test_json_document_agrees_with_the_scan(result: ScanResult) -> None:
    """One document with everything, the same findings as in JSON Lines."""
    document = json.loads(scan_json(result, generated_ns=samples.START_NS))
    assert document["generated"] == "2021-04-16T03:09:47.123456789Z"
    assert document["summary"]["packets"] == result.packets
    assert document["summary"]["findings"] == len(result.findings) == len(document["findings"])
    assert sum(document["summary"]["findings_by_role"].values()) == len(result.findings)
    assert document["findings"] == [json.loads(line) for line in finding_lines(in_report_order(result.findings))]
    assert len(document["lookalikes"]) == len(result.lookalikes)
    assert len(document["insufficient"]) == len(result.insufficient)
    assert [len(i["damage"]) for i in document["inputs"]] == [len(i.damage) for i in result.inputs]


def test_damage_is_reported_by_file_and_offset() -> None:
    """Whoever has the file can look at the very byte."""
    document = json.loads(scan_json(samples.mixed(), generated_ns=0))
    assert document["inputs"][1]["damage"][0] == {
        "offset": 4_194_304, "length": 1_312, "packets": 1, "reason": "bad record header",
    }  # fmt: skip


def test_report_order_puts_miners_first_and_the_strongest_before_the_weaker() -> None:
    """Every report lists findings the same way, and loses none."""
    findings = samples.mixed().findings
    ordered = in_report_order(findings)
    assert [finding.role.value for finding in ordered] == ["miner", "miner", "probe", "contact"]
    assert [finding.log10_e for finding in ordered[:2]] == [12.9, 6.28]
    assert sorted(map(id, ordered)) == sorted(map(id, findings))


def test_block_sync_is_written_whole_and_null_elsewhere() -> None:
    """Every field of the record, instants as all others are written; no other finding claims to have one."""
    sync = samples.sync()
    written = finding_document(samples.timing_miner())["block_sync"]
    assert written["offset_s"] == {"low": 16.5, "estimate": 17.0, "high": 17.5}
    assert written["log10_e_by_chain"][0] == {"chain": "XMR", "log10_e": 71.62}
    assert (written["blocks"], written["hits"]) == (sync.blocks, sync.hits) == (89, 84)
    assert written["block_times"][0] == instant(sync.block_ns[0])
    assert len(written["block_times"]) == len(written["block_hits"]) == len(sync.block_ns)
    assert written["push_times"] == [instant(at) for at in sync.push_ns]
    renamed = {"block_ns": "block_times", "block_hit": "block_hits", "push_ns": "push_times"}
    assert [renamed.get(field.name, field.name) for field in fields(sync)] == list(written)
    assert finding_document(samples.miner())["block_sync"] is None


def test_documentation_names_every_key_of_block_sync(project_root: Path) -> None:
    """The table in docs/findings.md and the schema cannot drift apart."""
    text = (project_root / "docs" / "findings.md").read_text(encoding="utf-8")
    table = text.split("| key of `block_sync` | meaning |")[1].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {name for cell in cells for name in cell.replace("`", "").replace(" ", "").split(",")}
    assert documented == set(finding_schema()["properties"]["block_sync"]["properties"])


def test_scan_document_carries_the_promise_of_the_list() -> None:
    """How many were tested, and at what rate: without both an e-BH list cannot be checked."""
    document = json.loads(scan_json(samples.timed(), generated_ns=0))
    assert (document["summary"]["timing_tested"], document["summary"]["timing_fdr"]) == (412, 0.01)
    assert json.loads(scan_json(samples.mixed(), generated_ns=0))["summary"]["timing_fdr"] is None


def test_scan_document_says_whether_it_was_blind() -> None:
    """A reader must know that content and endpoint did not look."""
    assert json.loads(scan_json(samples.followers(), generated_ns=0))["summary"]["content_blind"] is True
    assert json.loads(scan_json(samples.mixed(), generated_ns=0))["summary"]["content_blind"] is False


def test_findings_are_not_changed_by_being_written() -> None:
    """A report only reads."""
    finding: Finding = samples.miner()
    list(finding_lines([finding]))
    assert finding == samples.miner()


def test_documentation_names_every_key(project_root: Path) -> None:
    """docs/findings.md and the schema cannot drift apart."""
    text = (project_root / "docs" / "findings.md").read_text(encoding="utf-8")
    table = text.split("## A finding")[1].split("All keys are always there")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {name for cell in first_cells for name in cell.replace("`", "").replace(" ", "").split(",")}
    assert documented == set(finding_schema()["properties"])
