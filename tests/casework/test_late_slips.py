"""What reached the party, and was recorded after something else: the office takes it, and writes what is due."""

from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from headframe.cli import app
from headframe.records import case as acts
from headframe.records.case import ClosureReason, DecisionOutcome, DocumentKind, NoticeKind, ReplyStance
from headframe.records.policy import PartyStanding
from headframe.reports.casework import case_lines, step_rows
from tests.casework.office import DAY_NS, Office, accepted, refused, sealed_events


def answered(office: Office) -> str:
    """A case whose party has answered the notice."""
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    office.reply(case, "a cold store")
    return case


def confirmed(office: Office, case: str) -> int:
    """A decision that was approved and not served."""
    wanted = acts.ProposeDecision(
        outcome=DecisionOutcome.CONFIRMED, legal_basis=("bj24#18",), reason="as shown", heard_reply="no cold store"
    )
    return office.propose(case, wanted)


def words(office: Office, case: str, number: int, language: str) -> str:
    """The letter that a decision was set aside."""
    page = office.work.write_document(case, DocumentKind.SETTING_ASIDE, language=language, subject=str(number))[1]
    return office.work.documents.read(page.ref.sha256).decode()


def commands(office: Office, case: str, act: str) -> list[str]:
    """How an act may be asked for now."""
    return [step["command"] for step in step_rows(office.work.view(case)) if step["act"] == act and step["ready"]]


def test_the_party_is_told_that_a_decision_is_gone_whose_slip_came_late(office: Office) -> None:
    """It was set aside before anybody knew that it had come; the letter is written at once, and is owed."""
    case = answered(office)
    number = confirmed(office, case)
    office.clock.wait(days=1)
    got_ns = office.work.now_ns()
    office.clock.wait(days=5)
    office.classify(case, PartyStanding.LAWFUL)
    assert commands(office, case, "serve_decision") == [
        f"headframe case serve {case} --decision-number {number} --proof SLIP"
    ]
    late = acts.ServeDecision(received_ns=got_ns, channel="post", decision=number)
    assert any("give the proof of delivery" in text for text in refused(perform(office, case, late)))
    done = perform(office, case, acts.ServeDecision(**fields(late), proof=office.paper()))
    assert {one.ref.kind for one in done.documents} == {"setting_aside"}
    assert "examined again" in words(office, case, number, "en")
    assert commands(office, case, "serve_setting_aside") == [f"headframe case serve {case} --setting-aside {number}"]
    sealed_events(office.work)()


def test_the_letter_says_which_decision_took_the_place_of_another(office: Office) -> None:
    """One that was replaced came after the one that replaced it."""
    case = answered(office)
    first = confirmed(office, case)
    office.reply(case, "a cold store")
    office.decide(case, DecisionOutcome.DISMISSED)
    office.clock.wait(days=2)
    slip = acts.ServeDecision(
        received_ns=office.work.now_ns(), channel="slow post", decision=first, proof=office.paper()
    )
    assert {one.ref.kind for one in perform(office, case, slip).documents} == {"setting_aside"}
    assert "another decision was taken in its place" in words(office, case, first, "en")
    assert "取代该决定" in words(office, case, first, "zh")


def test_a_slip_of_a_notice_that_comes_back_after_the_closure(office: Office) -> None:
    """The case is closed; the party, which was accused, is told how it ended."""
    case = office.open()
    office.classify(case)
    letter = office.paper("notice")
    number = office.propose(case, acts.ProposeNotice(kind=NoticeKind.NOTICE, document=letter, language="en"))
    office.clock.wait(days=1)
    got_ns = office.work.now_ns()
    office.clock.wait(days=1)
    dismissed = acts.ProposeDecision(outcome=DecisionOutcome.DISMISSED, legal_basis=(), reason="another's machines")
    office.propose(case, dismissed)
    office.propose(case, acts.ProposeClosure(reason=ClosureReason.DISMISSED, text="nothing to it"))
    assert commands(office, case, "serve_notice") == [f"headframe case serve {case} --notice {number} --proof SLIP"]
    accepted(perform(office, case, acts.ServeNotice(proposal=number, received_ns=got_ns, channel="post")))
    assert commands(office, case, "serve_decision") == [f"headframe case serve {case} --decision"]
    told = acts.ServeDecision(received_ns=office.work.now_ns(), channel="post")
    assert accepted(perform(office, case, told)).case.closed_ns is not None
    sealed_events(office.work)()


def test_the_screen_says_that_an_answer_in_time_was_not_weighed(office: Office) -> None:
    """Final already, and in the register: the answer is taken, and the list says what it takes."""
    case = answered(office)
    confirmed(office, case)
    decided_ns = office.work.case(case).decisions[-1].decided_ns
    office.clock.wait(days=1)
    office.do("officer", case, acts.ServeDecision(received_ns=office.work.now_ns(), channel="post"))
    office.clock.wait(days=200)
    office.do("chief", case, acts.DeclareFinal(reason="no appeal"))
    late = acts.RecordReply(
        received_ns=decided_ns - DAY_NS // 24, stance=ReplyStance.CONTESTS, document=None, text="a cold store"
    )
    office.do("officer", case, late)
    shown = "\n".join(case_lines(office.work.view(case)))
    assert "no decision has weighed it; take another decision that does" in shown
    accepted(office.work.look_up(office.account("officer"), case))
    assert any("--outcome confirmed" in command for command in commands(office, case, "propose_decision"))
    (entry,) = office.work.register_entries()
    assert entry.appeal == "unweighed"
    office.decide(case)
    assert office.work.register_entries() == ()
    (left,) = office.work.register_entries(expired=True)
    assert left.entry_id == entry.entry_id


def test_the_commands_name_a_decision_and_a_letter(office: Office, tmp_path: Path) -> None:
    """`case serve --decision-number` and `case reply --answers`."""
    case = answered(office)
    letter = office.work.case(case).notices[-1].proposal
    first = confirmed(office, case)
    office.reply(case, "a cold store")
    office.decide(case, DecisionOutcome.DISMISSED)
    slip, token = tmp_path / "slip.pdf", tmp_path / "token"
    slip.write_bytes(b"%PDF-1.4 a slip")
    token.write_text(office.tokens["officer"])
    token.chmod(0o600)
    office.work.close()

    def run(*arguments: str) -> tuple[int, str]:
        own = ("--workspace", str(office.folder), "--as", "officer", "--token-file", str(token))
        done = CliRunner().invoke(app, ["case", *arguments, *own])
        return done.exit_code, done.stderr

    serve = ("serve", case, "--channel", "post", "--decision-number", str(first))
    code, said = run(*serve, "--decision")
    assert (code, "--decision, --decision-number NUMBER and --setting-aside" in said) == (2, True)
    code, said = run(*serve)
    assert (code, "record that with the proof of delivery" in said) == (6, True)
    assert run(*serve, "--proof", str(slip))[0] == 0
    words = ("reply", case, "--stance", "contests", "--text", "as to your letter", "--answers")
    code, said = run(*words, "1")
    assert (code, "proposes no letter that was approved" in said) == (6, True)
    assert run(*words, str(letter))[0] == 0
    work = office.reopen()
    assert [one.answers for one in work.case(case).replies] == [0, 0, letter]
    assert work.case(case).decisions[0].received_ns is not None


def perform(office: Office, case: str, act: Any) -> Any:
    """What the officer records."""
    return office.work.perform(office.account("officer"), case, act)


def fields(act: acts.ServeDecision) -> dict[str, Any]:
    """A delivery without its proof."""
    return {"received_ns": act.received_ns, "channel": act.channel, "decision": act.decision}
