"""Mining that the workspace itself knows of since the last remedy: nothing is called over beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from headframe.cases.store import FindingFilter, SiteImport, StoredFinding
from headframe.casework import Done
from headframe.casework.found_since import found_since
from headframe.records import case as acts
from headframe.records.case import Case
from headframe.records.finding import Family
from headframe.records.policy import PartyStanding
from headframe.records.site import Assignment, AssignmentKind
from tests.casework.office import DAY_NS, HOUR_NS, PACK, ROW, Office, accepted, refused

HOST = "192.0.2.9"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An office with findings on one host."""
    office = Office(tmp_path / "workspace")
    office.find(HOST)
    return office


def remedied(office: Office) -> str:
    """A confirmed case whose party has ended the mining 45 days ago, with proof; gives its number."""
    case_id = office.open()
    office.classify(case_id)
    office.inspect(case_id)
    office.notify(case_id)
    office.reply(case_id, stance=acts.ReplyStance.ADMITS)
    office.decide(case_id)
    proof = acts.RecordRemedy(
        grade=acts.RemedyGrade.B, text="gone", documents=(office.paper("remedy_proof"),), at_ns=office.work.now_ns()
    )
    office.do("officer", case_id, proof)
    office.clock.wait(days=45)
    return case_id


def found(office: Office, name: str, host: str = HOST, *, days_ago: float = 5) -> tuple[str, ...]:
    """Findings of the time since, imported and in no case; gives their ids."""
    before = set(every(office))
    start = office.clock.at_ns - int(days_ago * DAY_NS)
    office.find(host, f"{name}.jsonl", started_ns=start, ended_ns=start + HOUR_NS)
    return tuple(sorted(set(every(office)) - before))


def every(office: Office) -> list[str]:
    """Ids of all findings of the store."""
    return [one.ref.finding_id for one in office.work.store.findings(FindingFilter(), limit=500).rows]


def tried(office: Office, name: str, case_id: str, act: acts.Act) -> Done:
    """What becomes of an act."""
    return office.work.perform(office.account(name), case_id, act)


def verify(office: Office, case_id: str) -> Done:
    """Somebody hands in files that show nothing."""
    return tried(office, "verifier", case_id, acts.Verify(measurement=office.measurement()))


RECTIFIED = acts.ProposeClosure(reason=acts.ClosureReason.RECTIFIED, text="gone")


def test_what_no_case_has_is_added_and_measured_first(office: Office) -> None:
    """Refused when it is measured, when the closure is proposed, and when it is approved; whoever measures meets it."""
    case_id = remedied(office)
    accepted(verify(office, case_id))
    first = found(office, "first")
    assert len(first) == 2
    reason = refused(tried(office, "officer", case_id, RECTIFIED))[0]
    assert reason.startswith("the workspace holds findings of mining at the site after the remedy of 2026-")
    assert f"(headframe case add {case_id}), and measure again" in reason
    assert all(name in reason for name in first)
    refused(verify(office, case_id))
    measured = office.work.measure_again(case_id)
    assert measured.outcome is acts.VerificationOutcome.PERSISTS, measured.missing
    assert {one.finding_id for one in measured.new_findings} == set(first)
    # In the case they speak by its own rules.
    accepted(office.work.add_findings(office.account("officer"), case_id))
    assert found_since(office.work, office.work.case(case_id)) == ()
    assert any("reach into the window" in one for one in refused(tried(office, "officer", case_id, RECTIFIED)))


def test_what_comes_between_proposal_and_approval(office: Office) -> None:
    """The approval asks again; other reasons to close, and goings-on, are nobody's hindrance."""
    case_id = remedied(office)
    accepted(verify(office, case_id))
    number = accepted(tried(office, "officer", case_id, RECTIFIED)).events[0].number
    found(office, "later")
    assert "measure again" in refused(tried(office, "chief", case_id, acts.Approve(proposal=number)))[0]
    goes_on = office.measurement(acts.VerificationOutcome.PERSISTS)
    accepted(tried(office, "verifier", case_id, acts.Verify(measurement=goes_on)))


def test_nothing_since_is_no_hindrance(office: Office) -> None:
    """Findings of before the remedy, of another site's hosts, and of what is no mining; and those of a clock ahead."""
    case_id = remedied(office)
    found(office, "before", days_ago=46)
    found(office, "elsewhere", "192.0.2.200")
    found(office, "ahead", days_ago=-400)
    accepted(verify(office, case_id))
    office.propose(case_id, RECTIFIED)
    assert office.work.case(case_id).closed_ns is not None


def another(office: Office, site: str, findings: tuple[str, ...]) -> str:
    """A case of its own on some findings."""
    return accepted(office.work.open_case(office.account("officer"), site, PACK, finding_ids=findings)).case.case_id


def test_another_case_of_the_party_counts(office: Office) -> None:
    """Until it is found there that it is nothing: by the class, or by a decision."""
    case_id = remedied(office)
    other = another(office, "S1", found(office, "later"))
    assert "measure again" in refused(verify(office, case_id))[0]
    office.classify(other)
    assert found_since(office.work, office.work.case(case_id))
    office.classify(other, PartyStanding.NOT_MINING)
    assert found_since(office.work, office.work.case(case_id)) == ()
    accepted(verify(office, case_id))
    office.propose(case_id, RECTIFIED)


def test_a_case_that_was_dismissed_does_not_count(office: Office) -> None:
    """What two accounts dismissed is not held against the end of another case; a reading of it once more neither."""
    case_id = remedied(office)
    other = another(office, "S1", found(office, "later"))
    office.classify(other)
    office.inspect(other)
    office.notify(other)
    office.reply(other)
    assert found_since(office.work, office.work.case(case_id))
    office.decide(other, acts.DecisionOutcome.DISMISSED)
    assert found_since(office.work, office.work.case(case_id)) == ()


def at_another_site(office: Office, case_id: str) -> None:
    """The registry gives the case's host to the mill from the remedy on."""
    remedy_ns = office.work.case(case_id).remedies[-1].at_ns
    network = Assignment(kind=AssignmentKind.PREFIX, value=f"{HOST}/32", site_id="S2", source=ROW)
    with office.work.store.writing() as writer:
        writer.import_sites(SiteImport(assignments=[replace(network, valid_from_ns=remedy_ns)]))


def test_a_host_that_went_to_another_site(office: Office) -> None:
    """Mining at it is asked about, until a case says that it is another party's."""
    case_id = remedied(office)
    at_another_site(office, case_id)
    later = found(office, "later")
    assert {office.work.store.finding(name).site_id for name in later} == {"S2"}  # type: ignore[union-attr]
    assert "does not give that to the site now" in refused(verify(office, case_id))[0]
    measured = office.work.measure_again(case_id)
    assert measured.outcome is acts.VerificationOutcome.NOT_ENOUGH_DATA
    assert any(one.startswith(f"who is at {HOST}") for one in measured.missing), measured.missing
    another(office, "S2", later)
    accepted(verify(office, case_id))
    office.propose(case_id, RECTIFIED)


def put(office: Office, *rows: StoredFinding, realm: str = "", site: str | None = None) -> None:
    """Store findings as an import of a network does."""
    with office.work.store.writing() as writer:
        writer.note_import(f"I-{realm}", realm, registry_only=True)
        some = [replace(one, import_id=f"I-{realm}") for one in rows]
        writer.import_findings([one if site is None else replace(one, site_id=site) for one in some])


def like(one: StoredFinding, name: str, started_ns: int, ended_ns: int, **changes: object) -> StoredFinding:
    """Another finding of the same kind."""
    ref = replace(one.ref, finding_id=name, started_ns=started_ns, ended_ns=ended_ns, **changes)  # type: ignore[arg-type]
    return replace(one, ref=ref)


def names(office: Office, case: Case) -> set[str]:
    """Ids of what was found since."""
    return {one.ref.finding_id for one in found_since(office.work, case)}


def test_readings_of_while_the_machines_ran_do_not_count(office: Office) -> None:
    """A run over a year finds what was there in its first half; one over later readings finds what is there now."""
    case_id = remedied(office)
    case, now = office.work.case(case_id), office.clock.at_ns
    one = office.work.store.finding(case.findings[0].finding_id)
    assert one is not None
    load = {"family": Family.LOAD, "subject": "UP-1", "detector": "load_step"}
    put(office, like(one, "U-year", now - 300 * DAY_NS, now - DAY_NS, **load))
    assert names(office, case) == set()
    put(office, like(one, "U-month", now - 40 * DAY_NS, now - DAY_NS, **load))
    put(office, like(one, "U-quiet", now - 40 * DAY_NS, now - DAY_NS, **load, mining=False))
    assert names(office, case) == {"U-month"}


def test_a_private_address_is_one_of_its_network(office: Office) -> None:
    """The same private address in the network of somebody else is another host."""
    case_id = remedied(office)
    now = office.clock.at_ns
    one = office.work.store.finding(office.work.case(case_id).findings[0].finding_id)
    assert one is not None
    inside = like(one, "F-old", one.ref.started_ns, one.ref.ended_ns, subject="10.0.0.9")
    put(office, inside, realm="north")
    case = replace(office.work.case(case_id), findings=(inside.ref,))
    since = like(one, "F-new", now - 5 * DAY_NS, now - 4 * DAY_NS, subject="10.0.0.9")
    put(office, since, realm="south", site="")
    put(office, replace(since, ref=replace(since.ref, finding_id="F-theirs")), realm="south", site="S2")
    assert names(office, case) == set()
    put(office, replace(since, ref=replace(since.ref, finding_id="F-ours")), realm="north", site="")
    assert names(office, case) == {"F-ours"}
