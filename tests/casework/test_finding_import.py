"""Findings into the workspace: each once, resolved through the stored registry, one leaf for each file."""

import json
from pathlib import Path

import pytest

from headframe.cases.store import FindingFilter
from headframe.ledger.leaf import read
from headframe.records.finding import Role
from headframe.reports.jsonl import finding_lines
from headframe.sources.finding_rows import file_digest
from tests.casework.office import Office
from tests.sites.test_assessment import finding
from tests.sources.test_finding_rows import USAGE_POINT


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A workspace with two sites."""
    return Office(tmp_path / "workspace")


def test_findings_belong_to_the_site_that_had_their_address(office: Office, tmp_path: Path) -> None:
    """One whose site is not known belongs to nobody, and says why; roles that do not mine are marked."""
    path = tmp_path / "f.jsonl"
    hosts = ("192.0.2.9", "192.0.2.200", "203.0.113.1")
    path.write_text("".join(finding_lines([finding(host, role=Role.MINER) for host in hosts]
                                          + [finding("192.0.2.9", role=Role.CONTACT)])))  # fmt: skip
    (told,) = office.work.import_findings([path])
    assert (told.rows, told.new, told.resolved, told.damaged_rows) == (4, 4, 3, 0)
    ((why, number),) = told.unresolved.items()
    assert number == 1
    assert "203.0.113.1" in why or "unresolved" in why
    found = {row.ref.subject: row for row in office.work.store.findings(FindingFilter(mining_only=True)).rows}
    assert {subject: row.site_id for subject, row in found.items()} == dict(zip(hosts, ("S1", "S2", ""), strict=True))
    assert len(office.work.store.findings(FindingFilter(site_id="S1")).rows) == 2


def test_a_second_import_adds_nothing(office: Office, tmp_path: Path) -> None:
    """Neither findings nor leaves; the same findings in another form are the same findings."""
    lines = list(finding_lines([finding("192.0.2.9"), finding("192.0.2.10")]))
    one, other = tmp_path / "a.jsonl", tmp_path / "b.json"
    one.write_text("".join(lines))
    other.write_text(json.dumps({"schema_version": "1.2", "findings": [json.loads(line) for line in lines]}))
    assert office.work.import_findings([one])[0].new == 2
    size = office.work.ledger.size
    assert office.work.import_findings([one])[0].new == 0
    assert office.work.ledger.size == size
    assert office.work.import_findings([other])[0].new == 0
    assert office.work.ledger.size == size + 1


def test_a_meters_row_with_two_families_counts_as_two(office: Office, tmp_path: Path) -> None:
    """Load and balance are independent; both carry the whole row, and its site by the usage point."""
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(USAGE_POINT) + "\n")
    (told,) = office.work.import_findings([path])
    assert (told.rows, told.resolved) == (2, 2)
    rows = office.work.store.findings(FindingFilter(site_id="S1")).rows
    assert sorted((row.ref.family.value, row.ref.detector) for row in rows) == [
        ("balance", "balance"),
        ("load", "flat_load"),
    ]
    assert all(row.document == USAGE_POINT and row.ref.mining for row in rows)


def test_each_file_leaves_its_digest_in_the_ledger(office: Office, tmp_path: Path) -> None:
    """So that it can be shown from which file a finding came."""
    path = tmp_path / "f.jsonl"
    path.write_text("".join(finding_lines([finding("192.0.2.9")])) + "damaged\n")
    (told,) = office.work.import_findings([path], account=office.account("screener"))
    (leaf,) = office.work.store.leaves(leaf_ids=[f"findings/{told.import_id}"])
    shown = {one.name: one.value for one in leaf.disclosures}
    assert shown == {
        "account": "screener", "file": "f.jsonl", "sha256": file_digest(path), "findings": 1, "damaged_rows": 1,
    }  # fmt: skip
    assert leaf.index is not None
    assert read(office.work.ledger.entry(leaf.index)).subject == told.import_id


def test_a_file_that_breaks_off_leaves_nothing_half_there(office: Office, tmp_path: Path) -> None:
    """All of a file or nothing of it."""
    path = tmp_path / "f.jsonl.gz"
    import gzip

    packed = gzip.compress("".join(finding_lines([finding(f"192.0.2.{k}") for k in range(1, 120)])).encode())
    path.write_bytes(packed[:-40])
    with pytest.raises(Exception, match="cannot be read to its end"):
        office.work.import_findings([path])
    assert office.work.store.findings(FindingFilter()).rows == ()
    assert office.work.store.pending_leaves() == ()


def test_a_lease_tells_at_which_port_an_address_was(office: Office, tmp_path: Path) -> None:
    """The pool belongs to nobody's site; the circuit that a lease names does."""
    from headframe.assess import RegistryFiles
    from headframe.cases.store import SiteImport
    from headframe.records.site import Assignment, AssignmentKind
    from tests.casework.office import ROW

    with office.work.store.writing() as writer:
        circuit = Assignment(kind=AssignmentKind.CIRCUIT, value="ge-0/0/1", site_id="S2", source=ROW)
        writer.import_sites(SiteImport(assignments=[circuit]))
    leases = tmp_path / "dhcpd.leases"
    leases.write_text(
        "lease 203.0.113.7 {\n  starts 1 2026/04/20 00:00:00;\n  ends 6 2026/05/30 00:00:00;\n  binding state active;\n"
        '  option agent.circuit-id "ge-0/0/1";\n}\n'
    )
    path = tmp_path / "f.jsonl"
    path.write_text("".join(finding_lines([finding("203.0.113.7", role=Role.MINER)])))
    (told,) = office.work.import_findings([path], logs=RegistryFiles(sites=(), leases=(leases,)))
    assert (told.resolved, told.unresolved) == (1, {})
    (row,) = office.work.store.findings(FindingFilter(site_id="S2")).rows
    assert row.ref.subject == "203.0.113.7"
