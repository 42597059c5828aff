"""What was decided is not tried again: not by a second case on the same findings, and not by one on as good as them."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from headframe.casework import open_workspace
from headframe.casework.case_bundle import write_case_bundle
from headframe.casework.holdings import NoSuchCase
from headframe.errors import HeadframeError
from headframe.records import case as acts
from headframe.records.policy import PartyStanding
from headframe.reports.casework import view_document
from headframe.stores.database.tables import SITES
from tests.casework.office import DAY_NS, HOUR_NS, PACK, Office, accepted, refused

WHEN_NS = 1_776_700_000_000_000_000
"""2026-04-20, when the findings are."""
LATER_NS = WHEN_NS + 5 * DAY_NS


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "workspace", database_url=database_url)
    office.find("192.0.2.9")
    yield office
    office.work.close()


def asked(office: Office, *finding_ids: str, **options: Any) -> tuple[str, ...]:
    """Why a case on these findings is not opened."""
    return refused(office.work.open_case(office.account("officer"), "S1", PACK, finding_ids=finding_ids, **options))


def ids(office: Office, case: str) -> list[str]:
    return [one.finding_id for one in office.work.case(case).findings]


def new_finding(
    office: Office, name: str, started_ns: int = WHEN_NS + 5 * DAY_NS, length_ns: int = HOUR_NS
) -> list[str]:
    """Findings that were not there; gives their ids."""
    before = {one.finding_id for case in () for one in case}
    known = set(every_id(office)) | before
    office.find("192.0.2.9", f"{name}.jsonl", started_ns=started_ns, ended_ns=started_ns + length_ns)
    return sorted(set(every_id(office)) - known)


def every_id(office: Office) -> list[str]:
    return [one.ref.finding_id for one in office.work.store.all_findings()]


def dismissed(office: Office) -> str:
    """A case that was closed in the party's favour."""
    case = office.open()
    office.classify(case, PartyStanding.NOT_MINING)
    office.decide(case, acts.DecisionOutcome.DISMISSED)
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.DISMISSED, text="another cause"))
    return case


def upheld(office: Office) -> str:
    """A case in which a court said that the party was right, and that was closed for that."""
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    office.reply(case, stance=acts.ReplyStance.OTHER)
    number = office.decide(case)
    came = acts.FileAppeal(received_ns=office.work.now_ns(), body="court", grounds="a cold store")
    office.do("officer", case, came)
    office.do("court", case, acts.DecideAppeal(outcome=acts.AppealOutcome.UPHELD, reason="it is a cold store"))
    told = acts.ServeSettingAside(decision=number, received_ns=office.work.now_ns(), channel="post")
    office.do("officer", case, told)
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.DECISION_SET_ASIDE, text="set aside"))
    return case


def test_findings_of_an_open_case_stay_in_it(office: Office) -> None:
    """Neither another case is opened on them, nor do they come into one that is open."""
    case = office.open()
    one = ids(office, case)[0]
    (reason, *_) = asked(office, one)
    assert reason.startswith(f"finding {one} lies in case {case}, which is open; a finding speaks in one case")
    other = office.open(finding_ids=new_finding(office, "more"))
    assert f"lies in case {case}" in refused(office.work.add_findings(office.account("officer"), other, [one]))[0]


def test_findings_of_a_closed_case_come_back_only_in_its_recurrence_and_with_something_new(office: Office) -> None:
    """Linked, so that whoever reads the new case reads the old one, and not for what was decided alone."""
    case = dismissed(office)
    old = ids(office, case)
    new = new_finding(office, "later")
    assert f"open the new case as its recurrence (--recurrence-of {case})" in asked(office, *old, *new)[0]
    assert "no finding is new" in asked(office, *old, recurrence_of=case)[0]
    again = office.open(finding_ids=[*old, new[0]], recurrence_of=case)
    assert set(ids(office, again)) == {*old, new[0]}
    third = office.open(finding_ids=new[1:])
    reasons = refused(office.work.add_findings(office.account("officer"), third, [old[0]]))
    assert "which is closed; open the new case" in reasons[0]
    assert f"lies in case {again}, which is open" in reasons[1]


def test_after_an_appeal_that_was_upheld_its_findings_carry_no_case_any_more(office: Office) -> None:
    """Not linked, not with something new beside them, and not added later; what is new opens a case by itself."""
    case = upheld(office)
    old = ids(office, case)
    new = new_finding(office, "later")
    for options in ({}, {"recurrence_of": case}):
        reasons = asked(office, *old, *new, **options)
        assert (
            f"lies in case {case}, in which an appeal was upheld; what was decided there is not tried again"
            in reasons[0]
        )
    again = office.open(finding_ids=new, recurrence_of=case)
    assert "an appeal was upheld" in refused(office.work.add_findings(office.account("officer"), again, old))[0]


def test_the_same_capture_read_again_is_nothing_new(office: Office) -> None:
    """Of the same family, host and time: another version of a detector does not begin the case anew."""
    case = upheld(office)
    first = office.work.store.finding(ids(office, case)[0]).ref
    length_ns = first.ended_ns - first.started_ns
    within = new_finding(office, "again", first.started_ns + length_ns // 4, length_ns // 2)
    assert within
    reasons = refused(office.work.open_case(office.account("officer"), "S1", PACK))
    assert f"finding {within[0]} says of the same time and place no more than one in case {case}" in reasons[0]
    office.open(finding_ids=new_finding(office, "later"))


def test_two_open_a_recurrence_on_the_same_findings(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second decides again on what is true then, and hears that a case has them."""
    case = dismissed(office)
    wanted = [*ids(office, case), *new_finding(office, "later")]
    other = open_workspace(office.folder, now_ns=office.clock)
    holders = office.work.store.holders
    opened: list[str] = []

    def overtaken(found: Any) -> Any:
        held = holders(found)
        if not opened:
            done = other.open_case(office.account("officer"), "S1", PACK, finding_ids=wanted, recurrence_of=case)
            opened.append(accepted(done).case.case_id)
        return held

    monkeypatch.setattr(office.work.store, "holders", overtaken)
    reasons = asked(office, *wanted, recurrence_of=case)
    other.close()
    assert any(f"lies in case {opened[0]}, which is open" in reason for reason in reasons)
    assert {event.case_id for event in office.work.store.all_events()} == {case, opened[0]}


def test_a_case_that_is_opened_again_meanwhile_is_decided_on_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recurrence of a case that somebody opens again at the same moment is none."""
    case = dismissed(office)
    wanted = [*ids(office, case), *new_finding(office, "later")]
    holders = office.work.store.holders
    done: list[bool] = []

    def overtaken(found: Any) -> Any:
        held = holders(found)
        if not done:
            done.append(True)
            office.propose(case, acts.ProposeReopening(reason="the file was incomplete"))
        return held

    monkeypatch.setattr(office.work.store, "holders", overtaken)
    reasons = asked(office, *wanted, recurrence_of=case)
    assert any(f"lies in case {case}, which is open" in reason for reason in reasons)


def test_a_corrected_site_is_one_that_the_registry_knows(office: Office) -> None:
    """Usage points of the site, and organisations that there are; what the case has already may stay."""
    case = office.open()

    def said(field: str, value: str) -> Any:
        act = acts.ProposeCorrection(event=1, field=field, value=value, reason="a slip")
        return office.work.perform(office.account("officer"), case, act)

    assert (
        "'UP-9' is no usage point of site S1 in the registry; those are UP-1"
        in refused(said("usage_points", '["UP-1", "UP-9"]'))[0]
    )
    assert "no usage point of site S1" in refused(said("usage_points.0", "UP-9"))[0]
    assert "there is no organisation 'O9' in the registry" in refused(said("organisation_id", "O9"))[0]
    accepted(said("usage_points", "[]"))
    accepted(said("organisation_id", "O2"))


def test_a_case_of_the_same_organisation_elsewhere_is_seen_from_both(office: Office) -> None:
    """One operator at two sites: who opens either case reads of the other."""
    case = office.open()
    office.find("192.0.2.200", "mill.jsonl")
    other = office.open("S2")
    office.do("officer", other, acts.LinkCase(case_id=case, relation=acts.CaseRelation.SAME_OPERATOR))
    assert view_document(office.work.view(case))["links"] == []
    office.propose(other, acts.ProposeCorrection(event=1, field="organisation_id", value="O1", reason="one firm"))
    assert view_document(office.work.view(case))["links"] == [{"case": other, "relation": "same_operator"}]


def test_findings_on_the_wrong_party_go_into_a_case_on_the_right_one(office: Office) -> None:
    """The owner of a hall says that it is let: its findings go once into a case of the tenant, with the reason."""
    case = office.open()
    office.classify(case, PartyStanding.UNDETERMINED)
    office.decide(case, acts.DecisionOutcome.UNDETERMINED)
    old = ids(office, case)
    tenant = {"split_from": case, "organisation_id": "O2", "reason": "the hall is let to Mill Ltd"}
    assert "which is open; a finding speaks in one case" in asked(office, *old, **tenant)[0]
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.UNDETERMINED, text="the owner runs no machines"))
    assert f"split the new case from it, with the reason (--split-from {case})" in asked(office, *old)[0]
    assert "is about the same organisation (O1) and site" in asked(office, *old, split_from=case, reason="why")[0]
    with pytest.raises(HeadframeError, match="there is no organisation 'O9' in the registry"):
        asked(office, *old, **{**tenant, "organisation_id": "O9"})
    with pytest.raises(HeadframeError, match=f"name the findings of case {case} that go into the new one"):
        asked(office, **tenant)
    with pytest.raises(HeadframeError, match="only a case that is split from another names its organisation"):
        asked(office, *old, organisation_id="O2")
    new = office.open(finding_ids=old, **tenant)
    assert office.work.case(new).organisation_id == "O2"
    assert view_document(office.work.view(new))["links"] == [{"case": case, "relation": "split_from"}]
    assert view_document(office.work.view(case))["links"] == [{"case": new, "relation": "split_into"}]
    assert f"lies in case {new}, which is open" in asked(office, *old, **tenant)[0]
    office.classify(new, PartyStanding.NOT_MINING)
    office.decide(new, acts.DecisionOutcome.DISMISSED)
    office.propose(new, acts.ProposeClosure(reason=acts.ClosureReason.DISMISSED, text="another cause"))
    # Once: neither from the first again, nor from the second on.
    for other in (case, new):
        again = {**tenant, "split_from": other, "organisation_id": "O1"}
        assert any(
            "which is closed; open the new case as its recurrence" in one for one in asked(office, *old, **again)
        )


def test_findings_under_the_wrong_pack_go_into_a_case_under_the_right_one(office: Office) -> None:
    """Where the first decided nothing; after an appeal that was upheld the same party is left alone."""
    case = upheld(office)
    old = ids(office, case)
    split = {"finding_ids": old, "split_from": case, "reason": "the pack of the campus applies"}
    reasons = refused(office.work.open_case(office.account("officer"), "S1", "campus-operator", **split))
    assert f"in case {case} an appeal was upheld; what was decided there is not tried again" in reasons[0]
    other = office.open(finding_ids=new_finding(office, "later"))
    office.classify(other, PartyStanding.UNDETERMINED)
    office.decide(other, acts.DecisionOutcome.UNDETERMINED)
    office.propose(other, acts.ProposeClosure(reason=acts.ClosureReason.UNDETERMINED, text="the wrong rules"))
    split = {**split, "finding_ids": ids(office, other), "split_from": other}
    done = office.work.open_case(office.account("officer"), "S1", "campus-operator", **split)
    assert accepted(done).case.pack_id == "campus-operator"


def test_no_correction_puts_a_split_case_on_whom_was_found_right(office: Office) -> None:
    """Split to another organisation, which is allowed, and from there back: that would be the second try."""
    case = upheld(office)
    split = {"finding_ids": ids(office, case), "split_from": case, "organisation_id": "O2", "reason": "a tenant's"}
    new = office.open(**split)
    back = acts.ProposeCorrection(event=1, field="organisation_id", value="O1", reason="a slip")
    reasons = refused(office.work.perform(office.account("officer"), new, back))
    assert f"in case {case} an appeal was upheld; what was decided there is not tried again" in reasons[0]
    nobody = replace(back, value="")
    reasons = refused(office.work.perform(office.account("officer"), new, nobody))
    assert f"in case {case} an appeal was upheld" in reasons[0]


def held(office: Office) -> str:
    """A case that was decided against the party, and closed when it had ended."""
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    office.reply(case, stance=acts.ReplyStance.ADMITS)
    office.decide(case)
    proof = office.paper("remedy_proof")
    remedy = acts.RecordRemedy(grade=acts.RemedyGrade.B, text="gone", documents=(proof,), at_ns=office.work.now_ns())
    office.do("officer", case, remedy)
    office.clock.wait(days=45)
    office.do("verifier", case, acts.Verify(measurement=office.measurement()))
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.RECTIFIED, text="gone"))
    return case


def test_what_is_held_against_one_party_is_not_held_against_another(office: Office) -> None:
    """Not by a link that somebody writes, not by a correction, not because the registry names another by now."""
    case = held(office)
    old = ids(office, case)
    stands = f"of case {case} holds these findings against O1; they are not held against another"
    other = office.open(finding_ids=new_finding(office, "later"))
    office.do("officer", other, acts.LinkCase(case_id=case, relation=acts.CaseRelation.RECURRENCE_OF))
    told = refused(office.work.add_findings(office.account("officer"), other, old))
    assert "open the new case as its recurrence" in told[0], "a link brings no findings"
    tenant = acts.ProposeCorrection(event=1, field="organisation_id", value="O2", reason="a tenant")
    office.propose(other, tenant)
    assert stands in refused(office.work.add_findings(office.account("officer"), other, old))[0]
    again = office.open(finding_ids=[*old, *new_finding(office, "again", WHEN_NS + 9 * DAY_NS)], recurrence_of=case)
    assert stands in refused(office.work.perform(office.account("officer"), again, tenant))[0]
    with office.work.store.writing() as writer:
        writer.db.execute(update(SITES).where(SITES.c.site_id == "S1").values(organisation_id="O2"))
    newest = new_finding(office, "newest", WHEN_NS + 12 * DAY_NS)
    assert any(stands in one for one in asked(office, *old, *newest, recurrence_of=case))


def test_a_site_that_was_found_right_with_nobody_known_is_not_tried_under_a_name(office: Office) -> None:
    """Who is named now may be the one who was found right."""
    with office.work.store.writing() as writer:
        writer.db.execute(update(SITES).where(SITES.c.site_id == "S1").values(organisation_id=None))
    case = dismissed(office)
    named = {"split_from": case, "organisation_id": "O1", "reason": "now we know whose it is"}
    assert f"in case {case} the party was found to be not_mining" in asked(office, *ids(office, case), **named)[0]


def test_a_split_case_recurs_with_the_findings_that_came_over(office: Office) -> None:
    """They speak in it since; what stayed in the first case does not come with them."""
    first = office.open()
    stays = new_finding(office, "more")
    accepted(office.work.add_findings(office.account("officer"), first, stays))
    office.classify(first, PartyStanding.UNDETERMINED)
    office.decide(first, acts.DecisionOutcome.UNDETERMINED)
    office.propose(first, acts.ProposeClosure(reason=acts.ClosureReason.UNDETERMINED, text="the hall is let"))
    over = [one for one in ids(office, first) if one not in stays]
    case = office.open(finding_ids=over, split_from=first, organisation_id="O2", reason="the hall is let")
    again = new_finding(office, "same", WHEN_NS, HOUR_NS)
    office.classify(case, PartyStanding.NOT_MINING)
    office.decide(case, acts.DecisionOutcome.DISMISSED)
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.DISMISSED, text="another cause"))
    later = new_finding(office, "later", WHEN_NS + 9 * DAY_NS)
    assert any(f"lies in case {first}" in one for one in asked(office, *stays, *later, recurrence_of=case))
    recurrence = office.open(finding_ids=[*over, *later, *again], recurrence_of=case)
    assert set(ids(office, recurrence)) == {*over, *later, *again}


def test_a_bundle_does_not_tell_one_party_of_the_other(office: Office, tmp_path: Path) -> None:
    """From which case one was split, and why, is the affair of whom that was about; the log proves that it is there."""
    first = dismissed(office)
    reason = "Foundry Ltd showed its lease"
    case = office.open(finding_ids=ids(office, first), split_from=first, organisation_id="O2", reason=reason)
    office.classify(case)
    office.notify(case)
    office.work.view(case)  # held to the log
    for of, other in ((case, first), (first, case)):
        path = tmp_path / f"{of}.zip"
        write_case_bundle(office.work, office.account("officer"), of, path, reason="asked for")
        with zipfile.ZipFile(path) as container:
            parts = {name: container.read(name).decode("utf-8", "replace") for name in container.namelist()}
        assert [name for name, text in parts.items() if other in text or reason in text] == []
        office.clock.wait(hours=1)


def test_a_case_is_not_reopened_while_its_findings_speak_in_another(office: Office) -> None:
    """Split to another party and open there, then held against that: the first party is not held on the same."""
    case = dismissed(office)
    split = {"split_from": case, "organisation_id": "O2", "reason": "the hall is let"}
    waiting = office.do("officer", case, acts.ProposeReopening(reason="it was the owner after all")).events[0].number
    new = office.open(finding_ids=ids(office, case), **split)
    says = f"findings of case {case} lie in case {new}, which is open"
    again = acts.ProposeReopening(reason="it was the owner after all")
    assert says in refused(office.work.perform(office.account("chief"), case, acts.Approve(proposal=waiting)))[0]
    office.do("officer", case, acts.Withdraw(proposal=waiting, reason="not now"))
    assert says in refused(office.work.perform(office.account("officer"), case, again))[0]
    office.classify(new)
    office.inspect(new)
    office.notify(new)
    office.reply(new, stance=acts.ReplyStance.ADMITS)
    number = office.decide(new)
    now_ns = office.work.now_ns()
    proof = office.paper("remedy_proof")
    office.do(
        "officer", new, acts.RecordRemedy(grade=acts.RemedyGrade.B, text="gone", documents=(proof,), at_ns=now_ns)
    )
    office.clock.wait(days=45)
    office.do("verifier", new, acts.Verify(measurement=office.measurement()))
    office.propose(new, acts.ProposeClosure(reason=acts.ClosureReason.RECTIFIED, text="gone"))
    reasons = refused(office.work.perform(office.account("officer"), case, again))
    assert f"decision {number} of case {new} holds these findings against O2" in reasons[0]


def test_one_more_packet_is_no_news(office: Office) -> None:
    """After an appeal that was upheld: the same capture with an hour more of it counts as the same."""
    case = upheld(office)
    found = office.work.store.finding(ids(office, case)[0])
    assert found is not None
    start_ns, length_ns = found.ref.started_ns, found.ref.ended_ns - found.ref.started_ns
    longer = new_finding(office, "longer", start_ns - 1, length_ns + 2)
    assert any(f"case {case}, in which an appeal was upheld" in one for one in asked(office, *longer))
    half = new_finding(office, "half", start_ns - length_ns // 2, length_ns)
    assert office.open(finding_ids=half), "half of it is of another time"


def test_a_case_is_linked_to_one_that_is_there(office: Office) -> None:
    """A number that another party's case gets one day would make it true."""
    case = office.open()
    for name in ("HF-2026-000099", "nonsense", f"{case} "):
        with pytest.raises(NoSuchCase):
            office.do("officer", case, acts.LinkCase(case_id=name, relation=acts.CaseRelation.SAME_OPERATOR))
