"""What is right now, on screens, in lists and in letters: corrections, onsets, bodies of appeal, recurrences."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from headframe.cases.store import CaseFilter, FindingFilter
from headframe.casework.sites import import_registry
from headframe.cli import app
from headframe.records import case as acts
from headframe.records.case import AppealOutcome, ClosureReason, DecisionOutcome, DocumentKind, LookupOutcome
from headframe.records.policy import PartyStanding
from headframe.reports.casework import case_lines, event_rows, step_rows, view_document
from tests.casework.office import PACK, Office, accepted, refused
from tests.sources.test_finding_rows import USAGE_POINT


def decided(office: Office) -> str:
    """A case with a confirmed decision that was served."""
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    office.reply(case, stance=acts.ReplyStance.OTHER)
    office.decide(case)
    return case


def text_of(office: Office, case: str, kind: DocumentKind, language: str = "en", **more: Any) -> str:
    """The words of a document as it is written now."""
    page = office.work.write_document(case, kind, language=language, **more)[1]
    return office.work.documents.read(page.ref.sha256).decode()


def correct(office: Office, case: str, event: int, field: str, value: str) -> int:
    """A correction that two accounts stand behind."""
    return office.propose(case, acts.ProposeCorrection(event=event, field=field, value=value, reason="a slip"))


def remedied(office: Office, grade: acts.RemedyGrade) -> tuple[str, int]:
    """Decided, remedied with a proof, and measured to be over; gives the number of the remedy."""
    case = decided(office)
    office.clock.wait(days=1)
    done = office.do(
        "officer",
        case,
        acts.RecordRemedy(
            at_ns=office.work.now_ns(), grade=grade, text="machines sold", documents=(office.paper("remedy_proof"),)
        ),
    )
    office.clock.wait(days=32)
    office.do("verifier", case, acts.Verify(measurement=office.measurement()))
    return case, done.events[0].number


RECTIFIED = acts.ProposeClosure(reason=ClosureReason.RECTIFIED, text="over")


@pytest.mark.parametrize(("language", "mark"), [("en", "corrected; recorded as"), ("zh", "已更正；原记录为")])
def test_a_corrected_proof_is_what_rules_and_documents_go_by(office: Office, language: str, mark: str) -> None:
    """B was recorded and D it was: the case does not close as rectified, and both are seen wherever it is told."""
    case, remedy = remedied(office, acts.RemedyGrade.B)
    number = correct(office, case, remedy, "grade", "D")
    reasons = refused(office.work.perform(office.account("officer"), case, RECTIFIED))
    assert any("no remedy of grade A or B is recorded" in reason for reason in reasons)
    rows = {row["number"]: row for row in event_rows(office.work.view(case), {})}
    assert "CORRECTED 2026-" in rows[remedy]["summary"]
    assert rows[remedy]["content"]["grade"] == "B"
    assert [(one["field"], one["right"]) for one in rows[remedy]["corrected"]] == [("grade", "D")]
    assert rows[number]["summary"].startswith(f"event {remedy}; ")
    page = text_of(office, case, DocumentKind.VERIFICATION_REPORT, language)
    assert mark in page


def test_a_corrected_case_is_the_same_after_reopening_the_workspace(office: Office) -> None:
    """The store keeps events; what is right is derived from them each time."""
    case, remedy = remedied(office, acts.RemedyGrade.B)
    correct(office, case, remedy, "grade", "D")
    before = office.work.case(case)
    assert office.reopen().case(case) == before
    assert before.remedies[0].grade is acts.RemedyGrade.D


def loaded(office: Office, onset: dict[str, str] | None) -> str:
    """A case on a load at S1 whose readings begin in April, licensed from 15 April on."""
    path = office.folder.parent / "meters.jsonl"
    load = [one for one in USAGE_POINT["findings"] if one["family"] == "load"]
    row = {**USAGE_POINT, "onset": onset, "families": ["load"], "findings": load}
    path.write_text(json.dumps(row) + "\n")
    office.work.import_findings([path], account=office.account("screener"))
    lawful = office.folder.parent / "lawful.csv"
    lawful.write_text("entry,register,site,organisation,valid_from,valid_until\nL1,fns,S1,,2026-04-15,2026-12-31\n")
    import_registry(office.work, office.account("screener"), [], [lawful])
    office.clock.wait(days=3)
    found = office.work.store.findings(FindingFilter(subject="UP-1")).rows
    return office.open(finding_ids=[one.ref.finding_id for one in found])


ONSET = {
    "earliest": "2026-04-16T00:00:00.000000000Z", "estimate": "2026-04-17T00:00:00.000000000Z",
    "latest": "2026-04-18T00:00:00.000000000Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("onset", "outcome"),
    [
        (ONSET, LookupOutcome.LISTED),
        (None, LookupOutcome.PARTLY),
        ({**ONSET, "earliest": "2026-04-14T00:00:00.000000000Z"}, LookupOutcome.PARTLY),
    ],
)
def test_the_registers_are_asked_for_the_time_of_the_mining(
    office: Office, onset: dict[str, str] | None, outcome: LookupOutcome
) -> None:
    """Half a year of readings before the machines came is no half a year of mining without a licence."""
    case = loaded(office, onset)
    assert office.work.case(case).lookup.outcome is outcome
    accepted(office.work.look_up(office.account("officer"), case))
    assert office.work.case(case).lookup.outcome is outcome


def test_a_letter_begins_with_the_mining_and_not_with_the_readings(office: Office) -> None:
    """From the earliest onset to the last day that has readings."""
    case = loaded(office, ONSET)
    page = text_of(office, case, DocumentKind.INFORMATION_LETTER)
    assert "Between 16 April 2026 and 1 May 2026" in page or "from 16 April 2026 to 1 May 2026" in page, page[:3000]


def test_an_appeal_that_is_upheld_brings_a_letter_and_the_next_steps_follow(office: Office) -> None:
    """Written at once; it must reach the party before the case closes; no notice is offered any more."""
    case = decided(office)
    number = office.work.case(case).decisions[-1].number
    done = office.do("officer", case, _appeal(office, "court"))
    assert done.case.appeals[-1].body == "court"
    upheld = office.work.perform(
        office.account("court"), case, acts.DecideAppeal(outcome=AppealOutcome.UPHELD, reason="a cold store")
    )
    assert {one.ref.kind for one in upheld.documents} == {"setting_aside"}
    assert accepted(upheld).case.standing is PartyStanding.UNDETERMINED
    steps = step_rows(office.work.view(case))
    assert not any(step["act"] == "propose_notice" and step["variant"] == "notice" for step in steps)
    serve = next(step for step in steps if step["act"] == "serve_setting_aside")
    assert serve["command"] == f"headframe case serve {case} --setting-aside {number}"
    closing = next(step for step in steps if step["variant"] == "decision_set_aside")
    assert "was set aside, and the party, which has it, was not told" in " ".join(closing["missing"])
    told = acts.ServeSettingAside(decision=number, received_ns=office.work.now_ns(), channel="post")
    office.do("officer", case, told)
    office.propose(case, acts.ProposeClosure(reason=ClosureReason.DECISION_SET_ASIDE, text="the party was right"))
    for language, words in (("en", "a cold store"), ("zh", "决定撤销通知书")):
        assert words in text_of(office, case, DocumentKind.SETTING_ASIDE, language, subject=str(number))


def _appeal(office: Office, body: str, **more: Any) -> acts.FileAppeal:
    return acts.FileAppeal(received_ns=office.work.now_ns(), body=body, grounds="not us", **more)


def test_next_names_the_bodies_by_short_names(office: Office) -> None:
    """Without brackets, and each as it is typed."""
    case = decided(office)
    commands = [step["command"] for step in step_rows(office.work.view(case)) if step["act"] == "appeal"]
    assert [command.split("--body ")[1] for command in commands] == ["court --grounds TEXT", "review --grounds TEXT"]


def test_a_register_entry_tells_of_an_appeal_to_another_body(office: Office) -> None:
    """Rejected here, pending there, withdrawn: what was said once is not unsaid by a withdrawal."""
    case = decided(office)
    office.do("officer", case, _appeal(office, "review"))
    office.do("court", case, acts.DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no"))
    office.clock.wait(days=200)
    office.do("chief", case, acts.DeclareFinal(reason="both bodies"))
    assert [entry.appeal for entry in office.work.register_entries()] == ["rejected"]
    office.do("officer", case, _appeal(office, "court"))
    assert [entry.appeal for entry in office.work.register_entries()] == ["late"]
    office.do("court", case, acts.DecideAppeal(outcome=AppealOutcome.WITHDRAWN, reason="said so"))
    assert [entry.appeal for entry in office.work.register_entries()] == ["rejected"]


def test_a_body_that_the_pack_does_not_name_is_marked_wherever_it_is_told(office: Office) -> None:
    """On the screen, in JSON and in the letter."""
    case = decided(office)
    office.do("officer", case, _appeal(office, "the mayor", other_body=True))
    view = office.work.view(case)
    assert view_document(view)["appeals"][0]["body_of_pack"] is False
    assert any("the mayor (a body that the pack does not name)" in line for line in case_lines(view))
    office.do("court", case, acts.DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"))
    assert "the mayor (not named by the rules at hand)" in text_of(office, case, DocumentKind.SETTING_ASIDE)


def test_a_place_that_the_pack_does_not_cite_is_marked_in_the_decision(office: Office) -> None:
    """It may be right; nobody who reads it has to believe that the pack says so."""
    case = office.open()
    office.classify(case, PartyStanding.NOT_MINING)
    known = acts.ProposeDecision(outcome=DecisionOutcome.DISMISSED, legal_basis=("bj24#18",), reason="a server room")
    office.propose(case, known)
    assert "do not cite this place" not in text_of(office, case, DocumentKind.DECISION)
    unknown = acts.ProposeDecision(outcome=DecisionOutcome.DISMISSED, legal_basis=("bj24#999",), reason="as before")
    office.propose(case, unknown)
    assert "999" in (page := text_of(office, case, DocumentKind.DECISION))
    assert "do not cite this place" in page


def test_a_case_that_is_over_does_not_head_the_list_with_a_report(office: Office) -> None:
    """A report is owed for all cases together; nobody has to do anything for this one because it is due."""
    case = office.open()
    assert office.work.store.cases(CaseFilter()).rows[0].next_clock
    office.classify(case, PartyStanding.NOT_MINING)
    office.propose(
        case, acts.ProposeDecision(outcome=DecisionOutcome.DISMISSED, legal_basis=("bj24#18",), reason="a server room")
    )
    (row,) = office.work.store.cases(CaseFilter()).rows
    assert not row.next_clock.startswith("report:")
    office.propose(case, acts.ProposeClosure(reason=ClosureReason.DISMISSED, text="not mining"))
    (row,) = office.work.store.cases(CaseFilter()).rows
    assert not row.next_clock.startswith("report:")
    assert any(clock.id.startswith("report:") for clock in office.work.clocks_of(office.work.case(case)))


def test_an_old_case_names_its_recurrence(office: Office) -> None:
    """Both ways, on the screen and in JSON."""
    case = office.open()
    office.classify(case, PartyStanding.NOT_MINING)
    office.propose(
        case, acts.ProposeDecision(outcome=DecisionOutcome.DISMISSED, legal_basis=("bj24#18",), reason="a server room")
    )
    office.propose(case, acts.ProposeClosure(reason=ClosureReason.DISMISSED, text="not mining"))
    office.clock.wait(days=30)
    office.find("192.0.2.10", "again.jsonl")
    again = accepted(office.work.open_case(office.account("officer"), "S1", PACK, recurrence_of=case)).case.case_id
    assert {"case": again, "relation": "recurred_as"} in view_document(office.work.view(case))["links"]
    assert f"linked: recurred_as {again}" in list(case_lines(office.work.view(case)))
    assert view_document(office.work.view(again))["links"] == [{"case": case, "relation": "recurrence_of"}]


def test_the_commands_of_an_appeal(office: Office) -> None:
    """A body of the pack, another body in words, a standing that was found, and the letter that reached the party."""
    case = decided(office)
    number = office.work.case(case).decisions[-1].number
    office.clock.wait(days=-1)  # the commands go by the real clock, which is later

    def run(name: str, *arguments: str) -> tuple[int, str]:
        token = office.folder.parent / f"{name}.token"
        token.write_text(office.tokens[name])
        token.chmod(0o600)
        done = CliRunner().invoke(
            app,
            ["case", *arguments, "--workspace", str(office.folder), "--as", name, "--token-file", str(token)],
        )
        return done.exit_code, done.stderr

    office.work.close()
    code, said = run("officer", "appeal", case, "--body", "the moon", "--grounds", "not us")
    assert (code, "these do: court (" in said, "(--other-body)" in said) == (6, True, True)
    assert run("officer", "appeal", case, "--body", "court", "--other-body", "x", "--grounds", "not us")[0] == 2
    assert run("officer", "appeal", case, "--other-body", "the mayor", "--grounds", "not us")[0] == 0
    # The commands go by the clock on the wall, by which it came late.
    assert run("second", "appeal", case, "--admit", "--reason", "the post was on strike")[0] == 0
    assert run("officer", "appeal", case, "--body", "court", "--grounds", "not us")[0] == 0
    first, second = (one.event for one in office.reopen().case(case).appeals)
    commands = [row["command"] for row in step_rows(office.work.view(case)) if row["act"].endswith("_appeal")]
    assert f"headframe case appeal {case} --admit --appeal {second} --reason TEXT" in commands
    assert f"headframe case appeal {case} --outcome WHAT --appeal {first} --reason TEXT" in commands
    assert f"  {first}: against decision {number}, came " in "\n".join(case_lines(office.work.view(case)))
    office.work.close()
    code, said = run("court", "appeal", case, "--outcome", "withdrawn", "--reason", "the court is enough")
    assert (code, f"several appeals are open: {first} (the mayor), {second} (court)" in said) == (6, True)
    withdrawn = ("--outcome", "withdrawn", "--appeal", str(second), "--reason", "the mayor is enough")
    assert run("court", "appeal", case, *withdrawn)[0] == 0
    code, said = run("court", "appeal", case, "--outcome", "upheld", "--standing", "not_mining", "--reason", "a mill")
    assert (code, "party: not_mining" in said) == (0, True)
    serve = ("serve", case, "--channel", "post", "--setting-aside", str(number))
    assert run("officer", *serve, "--decision")[0] == 2
    assert run("officer", *serve)[0] == 0
    code, said = run("officer", *serve)
    assert (code, "the party was told already" in said) == (6, True)


def test_a_decision_that_cites_more_than_the_pack_says_so_at_once(office: Office) -> None:
    """On the screen of whoever proposes it, before anybody approves."""
    case = office.open()
    office.classify(case, PartyStanding.NOT_MINING)
    office.work.close()
    token = office.folder.parent / "officer.token"
    token.write_text(office.tokens["officer"])
    token.chmod(0o600)
    for cited, told in (("bj24#18", False), ("bj24#999", True)):
        done = CliRunner().invoke(
            app,
            ["case", "decide", case, "--outcome", "dismissed", "--basis", cited, "--reason", "a server room",
             "--workspace", str(office.folder), "--as", "officer", "--token-file", str(token)],
        )  # fmt: skip
        assert ("does not cite this place itself" in done.stderr) is told
