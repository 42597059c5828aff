"""Letters of a case: the language they are in, what the party holds, and where it answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headframe.errors import HeadframeError, NotAllowed
from headframe.records import case as acts
from tests.casework.office import Office


def test_a_letter_that_was_sent_knows_the_approval_that_had_it_written(office: Office) -> None:
    """By it, a decision cites the letter that the party holds, and not the draft that was proposed."""
    case = office.open()
    office.classify(case)
    drafts = office.work.draft_document(case, acts.DocumentKind.NOTICE, account=office.account("officer"))
    proposal = acts.ProposeNotice(kind=acts.NoticeKind.NOTICE, document=drafts[0].ref, language="en")
    number = office.do("officer", case, proposal, documents=drafts).events[0].number
    approved = office.do("chief", case, acts.Approve(proposal=number)).events[0].number
    kept = office.work.store.documents(case)
    sent = [one for one in kept if one.ref.kind == "notice" and "-draft-" not in one.ref.name]
    assert len(sent) == 2
    assert {one.event for one in sent} == {approved}
    assert {one.event for one in kept if "-draft-" in one.ref.name} == {number}
    office.clock.wait(hours=1)
    office.do("officer", case, acts.ServeNotice(proposal=number, received_ns=office.work.now_ns(), channel="post"))
    (written, _) = office.work.write_document(case, acts.DocumentKind.INSPECTION_REQUEST)
    assert written.event is None, "nobody's act asked for it"


def test_documents_are_in_the_packs_language_until_somebody_chooses(office: Office) -> None:
    """A Chinese pack writes Chinese; a decision or closure may name a language, and what the party got last counts."""
    work = office.work
    case = office.open()
    assert work.language_of(work.case(case)) == "zh"
    office.classify(case)
    office.notify(case)
    assert work.language_of(work.case(case)) == "en", "the letter that went to the party was in English"
    office.clock.wait(days=20)
    office.inspect(case)
    office.show(case)
    office.reply(case, "a cold store")
    office.decide(case, language="zh")
    decisions = [one for one in work.store.documents(case) if one.ref.kind == "decision"]
    assert {one.language for one in decisions} == {"zh"}
    assert all(one.event is not None for one in decisions)


def test_a_party_is_written_to_in_the_language_of_what_reached_it(office: Office) -> None:
    """What was served counts before what was approved, and that before the pack; what is only proposed, never."""
    work = office.work
    case = office.open()

    def language() -> str:
        return work.language_of(work.case(case))

    def propose(language: str, kind: acts.NoticeKind, *, decide: bool) -> int:
        letter = office.paper("notice", f"a letter in {language}")
        act = acts.ProposeNotice(kind=kind, document=letter, language=language)
        return office.propose(case, act) if decide else office.do("officer", case, act).events[0].number

    office.classify(case)
    office.inspect(case)
    opened = propose("en", acts.NoticeKind.INFORMATION, decide=False)
    assert language() == "zh", "nobody has approved it: the pack's own"
    office.do("chief", case, acts.Approve(proposal=opened))
    assert language() == "en", "approved, and nothing has reached the party yet"
    notice = propose("zh", acts.NoticeKind.NOTICE, decide=True)
    office.clock.wait(hours=1)
    office.do("officer", case, acts.ServeNotice(proposal=notice, received_ns=work.now_ns(), channel="post"))
    assert language() == "zh"
    propose("en", acts.NoticeKind.INFORMATION, decide=True)
    assert language() == "zh", "approved later, and it has not reached the party"


def test_the_letter_that_a_decision_was_set_aside_is_in_the_partys_language(office: Office) -> None:
    """An English letter that somebody proposed meanwhile does not turn it into English."""
    work = office.work
    case = office.open()
    office.classify(case)
    office.inspect(case)
    letter = acts.ProposeNotice(kind=acts.NoticeKind.NOTICE, document=office.paper("notice", "信"), language="zh")
    number = office.propose(case, letter)
    office.clock.wait(hours=1)
    office.do("officer", case, acts.ServeNotice(proposal=number, received_ns=work.now_ns(), channel="post"))
    office.show(case)
    office.clock.wait(days=20)
    office.reply(case, "a store")
    work.look_up(office.account("officer"), case)
    office.decide(case, language="zh")
    office.clock.wait(days=2)
    english = acts.ProposeNotice(
        kind=acts.NoticeKind.INFORMATION, document=office.paper("information_letter", "a letter"), language="en"
    )
    office.do("officer", case, english)
    office.do("officer", case, acts.FileAppeal(received_ns=work.now_ns(), body="court", grounds="wrong"))
    done = work.perform(
        office.account("court"), case, acts.DecideAppeal(outcome=acts.AppealOutcome.UPHELD, reason="right")
    )
    told = [one for one in done.documents if one.ref.kind == "setting_aside"]
    assert {one.language for one in told} == {"zh"}


def test_where_answers_go_is_set_by_an_administrator_and_seen_in_the_ledger(office: Office) -> None:
    """It leads the party's answer to somebody: whoever changed it can be found, and nobody else may."""
    case = office.open()
    assert not office.work.says_where_to_answer(case)
    address = acts.AnswerAddress(desk="Case desk, room 304", portal="https://drc.example/answer")
    with pytest.raises(NotAllowed):
        office.work.set_answer(office.account("officer"), "", address)
    admin = office.work.store.account("admin")
    assert admin is not None
    before = office.work.ledger.size
    office.work.set_answer(admin.account, "", address)
    assert office.work.ledger.size == before + 1
    assert office.work.says_where_to_answer(case)
    assert office.reopen().config.answers == {"": address}
    assert office.work.case_file(case).answers == {"": address}
    with pytest.raises(HeadframeError, match="no address"):
        office.work.set_answer(admin.account, "", acts.AnswerAddress(desk="two\nlines"))
    office.work.set_answer(admin.account, "", acts.AnswerAddress())
    assert office.reopen().config.answers == {}


def test_the_commands_take_a_language_and_say_what_is_missing(office: Office, project_root: Path) -> None:
    """A decision's and a closure's language is in the proposal; a letter without an address is told on the screen."""
    case = office.open()
    office.classify(case)
    token = office.folder.parent / "officer.token"
    token.write_text(office.tokens["officer"] + "\n")
    token.chmod(0o600)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("HEADFRAME_")},
        "PYTHONPATH": str(project_root / "src"), "HEADFRAME_WORKSPACE": str(office.folder),
        "HEADFRAME_ACCOUNT": "officer", "HEADFRAME_TOKEN_FILE": str(token),
    }  # fmt: skip

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "headframe", *words], capture_output=True, text=True, env=environment, check=False,
            timeout=240, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    assert run("case", "lookup", case).returncode == 0
    done = run("case", "notice", case, "--kind", "information")
    assert done.returncode == 0, done.stderr
    assert "headframe workspace answer" in done.stderr
    (proposed,) = [one for one in office.work.case(case).proposals if isinstance(one.act, acts.ProposeNotice)]
    assert isinstance(proposed.act, acts.ProposeNotice)
    assert proposed.act.language == "zh", "the pack's own"
    for command in ("decide", "close", "document", "notice"):
        assert "--language" in run("case", command, "--help").stdout
    assert "--language" in run("policy", "calculate", "back-billing", "--help").stdout
