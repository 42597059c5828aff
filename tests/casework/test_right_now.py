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
from headframe.reports.case_documents.page import to_page
from headframe.reports.case_documents.words_zh import TEXTS
from headframe.reports.case_documents.write import build_document
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


def page_of(office: Office, case: str, kind: DocumentKind, language: str = "en", **more: Any) -> str:
    """The same without a PDF, which takes a second."""
    file, work = office.work.case_file(case), office.work
    now_ns = work.now_ns()
    clocks = work.clocks_of(file.case, now_ns)
    model = build_document(kind, file, work.pack_of(file.case), clocks, language, now_ns, log_keys=[], **more)
    return to_page(model)


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
    ready = [step["command"] for step in step_rows(office.work.view(case), ready_only=True)]
    asked = [command.split("--outcome ")[1] for command in ready if " appeal " in command and "--outcome" in command]
    assert {words.split()[0] for words in asked} == {"withdrawn", "inadmissible"}, "what else is refused is not offered"
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


def test_who_asks_for_the_file_has_used_that_right_and_not_the_reply(office: Office) -> None:
    """Whoever looks whether the party was heard must not read that it was."""
    case = office.open()
    office.classify(case)
    office.notify(case)

    def used() -> set[str]:
        return {right.right.value for right in office.work.view(case).rights if right.used}

    office.reply(case, "more time, please", stance=acts.ReplyStance.ASKS_TIME)
    assert used() == {"notice"}
    office.reply(case, "the records, please", stance=acts.ReplyStance.ASKS_FILE)
    assert used() == {"notice", "access_file"}
    office.show(case)
    number = office.work.case(case).version
    why = refused(
        office.work.perform(
            office.account("officer"), case,
            acts.ProposeDecision(
                outcome=acts.DecisionOutcome.CONFIRMED, legal_basis=("bj24#18",), reason="shares", heard_reply=""
            ),
        )
    )  # fmt: skip
    assert office.work.case(case).version == number
    assert any("has asked for something, and the decision does not say how that was weighed" in one for one in why)
    assert not any("the party has answered, and" in one for one in why)
    office.reply(case, "they are ours", stance=acts.ReplyStance.CONTESTS)
    assert used() == {"notice", "access_file", "reply"}


@pytest.mark.parametrize(
    ("language", "right", "recorded", "mark", "name"),
    [
        ("en", "1 May 2026, 10:00", "1 May 2026, 10:46", "(corrected; recorded as: 1 May 2026, 10:46)", "when it was"),
        ("zh", "2026年5月1日10:00", "2026年5月1日10:46", "（已更正；原记录为：2026年5月1日10:46）", "收到时间"),
    ],
)
def test_a_corrected_date_stands_right_in_every_letter_and_both_are_shown(
    office: Office, language: str, right: str, recorded: str, mark: str, name: str
) -> None:
    """The clocks count from the right date; a letter that told the other one would contradict itself."""
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    served = office.work.case(case).version
    office.clock.wait(hours=1)
    office.reply(case, "we know nothing of it", stance=acts.ReplyStance.CONTESTS)
    replied = office.work.case(case).version
    correct(office, case, served, "received_ns", json.dumps(str(1_777_600_800_000_000_000)))
    correct(office, case, replied, "text", "we know of it")
    office.propose(
        case,
        acts.ProposeDecision(
            outcome=DecisionOutcome.CONFIRMED, legal_basis=("bj24#18",), reason="shares", heard_reply="weighed"
        ),
        approved_by=(),
    )
    page = page_of(office, case, DocumentKind.DECISION, language)
    told = [line for line in page.split("<li>") if right in line]
    assert told
    assert mark in told[0]
    # What was recorded stands in that mark and in the table, and nowhere without the other.
    assert page.count(recorded) == 2
    table = page.partition("Corrections</h2>" if language == "en" else "更正</h2>")[2].partition("</section>")[0]
    assert name in table
    for words in (recorded, right, "we know nothing of it", "we know of it"):
        assert words in table
    assert "received_ns" not in page
    assert "17776" not in page
    see = "(corrected; see “Corrections”)" if language == "en" else "（已更正，见“更正”）"
    assert f"we know of it{' ' if language == 'en' else ''}{see}" in page
    # And on screens, with the time in words.
    rows = event_rows(office.work.view(case), {})
    assert "received_ns is 2026-05-01 10:00 Asia/Shanghai" in rows[served - 1]["summary"]
    assert all("17776" not in row["summary"] for row in rows)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_happened_is_told_as_it_is_right(office: Office, language: str) -> None:
    """The list of what happened names the day that counts; a proof that was not corrected bears no mark."""
    case, remedy = remedied(office, acts.RemedyGrade.B)
    served = next(one.number for one in office.work.case(case).events if one.act.NAME == "serve_notice")
    correct(office, case, served, "received_ns", json.dumps(str(1_777_600_800_000_000_000)))
    correct(office, case, remedy, "text", "machines sold and carried away")
    office.propose(case, RECTIFIED, approved_by=())
    page = page_of(office, case, DocumentKind.CLOSURE, language)
    happened = page.partition("What happened</h2>" if language == "en" else "办理经过</h2>")[2].partition("</table>")[0]
    assert ("(corrected; recorded as:" if language == "en" else "（已更正；原记录为：") in happened
    remedies = next(part for part in page.split("<section>") if "machines sold and carried away" in part)
    assert ("(corrected; see" if language == "en" else "（已更正，见") in remedies
    assert ("recorded as" if language == "en" else "原记录为") not in remedies


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_letter_that_a_decision_fell_tells_only_what_was(office: Office, language: str) -> None:
    """No entry is removed that never stood in the register, no measure withdrawn that was never named, and a case that
    is still to be closed is not called closed: it cannot be, before this very letter came."""
    english = language == "en"
    case = decided(office)
    number = office.work.case(case).decisions[-1].number
    office.do("officer", case, _appeal(office, "court"))
    office.do("court", case, acts.DecideAppeal(outcome=AppealOutcome.UPHELD, reason="a cold store"))
    page = page_of(office, case, DocumentKind.SETTING_ASIDE, language, subject=str(number))
    entry, measures = ("An entry of it", "Measures that it named") if english else ("条目已移除", "所列措施一并撤回")
    assert entry not in page
    assert measures not in page
    closed, to_close = (
        ("It is closed, and you are told so", "It is still to be closed")
        if english
        else ("本案已经结案", "本案尚待结案")
    )
    assert closed not in page
    assert to_close in page
    assert ("the case is over" if english else "案件已经办结") not in page
    office.do(
        "officer", case, acts.ServeSettingAside(decision=number, received_ns=office.work.now_ns(), channel="post")
    )
    office.propose(case, acts.ProposeClosure(reason=ClosureReason.DECISION_SET_ASIDE, text="the party was right"))
    page = page_of(office, case, DocumentKind.CLOSURE, language)
    assert ("its entry is removed" if english else "条目已移出") not in page

    # Where there was an entry and a measure, both are told.
    office.find("192.0.2.200", "mill.jsonl")
    case = office.open("S2")
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    office.reply(case)
    measure = next(
        one.id for one in office.work.pack_of(office.work.case(case)).measures if one.mode != "not_supported"
    )
    number = office.decide(case, measures=(measure,))
    office.clock.wait(days=300)
    office.do("chief", case, acts.DeclareFinal(reason="no appeal"))
    office.do("officer", case, _appeal(office, "court"))
    office.do("deputy", case, acts.AdmitAppeal(admitted=True, reason="late for a good reason"))
    office.do("court", case, acts.DecideAppeal(outcome=AppealOutcome.UPHELD, reason="a cold store"))
    page = page_of(office, case, DocumentKind.SETTING_ASIDE, language, subject=str(number))
    assert entry in page
    assert measures in page


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("outcome", [DecisionOutcome.DISMISSED, DecisionOutcome.CONFIRMED], ids=lambda one: one.value)
def test_a_decision_in_favour_reads_as_one(office: Office, language: str, outcome: DecisionOutcome) -> None:
    """Nothing to appeal against, no period to run; one that burdens says both, and where an appeal is written to."""
    english = language == "en"
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    office.reply(case)
    office.decide(case, outcome)
    page = page_of(office, case, DocumentKind.DECISION, language)
    burdens = outcome is DecisionOutcome.CONFIRMED
    for words in ("The decision can be appealed", "To have the decision reviewed") if english else ("可以寻求救济",):
        assert (words in page) is burdens, words
    assert ("Nothing is held against you" in page if english else "不作出任何不利认定" in page) is not burdens
    missing = "Where to write: to be filled in here" if english else "联系方式：由本文书签署人在此填写"
    assert (missing in page) is burdens
    if not burdens:
        return
    admin = office.work.store.account("admin")
    for body in ("court", "review"):
        office.work.set_answer(admin.account, body, acts.AnswerAddress(postal="1 Court Street"))
    page = page_of(office, case, DocumentKind.DECISION, language)
    assert missing not in page
    assert page.count("1 Court Street") == 2


def test_chinese_names_no_way_of_appeal_that_the_pack_does_not_name(office: Office) -> None:
    """Whether a body is one of administrative review, or a court, only the pack knows."""
    named = {key: text for key, text in TEXTS.items() if "复议" in text or "诉讼" in text}
    assert all(key.startswith("body.") for key in named), named


def test_a_closure_names_the_appeal_that_is_still_open(office: Office) -> None:
    """It opens the case; the list of what does must not leave it out."""
    case, _ = remedied(office, acts.RemedyGrade.B)
    office.propose(case, RECTIFIED, approved_by=())
    for language, words in (
        ("en", "An appeal against the decision: in time, or admitted late"),
        ("zh", "对决定提出救济申请"),
    ):
        assert words in page_of(office, case, DocumentKind.CLOSURE, language)
    office.clock.wait(days=300)
    office.do("chief", case, acts.DeclareFinal(reason="no appeal"))
    assert "in time, or admitted late" not in page_of(office, case, DocumentKind.CLOSURE)
