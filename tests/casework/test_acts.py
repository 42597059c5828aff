"""Acts on cases: the rules, the store, the ledger and the documents together, all real."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headframe.cases.store import CaseFilter
from headframe.casework import Casework, open_workspace
from headframe.cli import app
from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.leaf import read
from headframe.records import case as acts
from headframe.records.policy import PartyStanding
from tests.casework.office import HOUR_NS, PACK, Office, accepted, refused, sealed_events, with_duties


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Office:
    """An office on SQLite and on PostgreSQL."""
    office = Office(tmp_path / "workspace", database_url=database_url)
    office.find("192.0.2.9")
    return office


def decided(office: Office) -> str:
    """A case with a confirmed decision that was served."""
    case = office.open()
    office.classify(case)
    office.notify(case)
    office.reply(case, "a cold store")
    office.clock.wait(days=20)
    office.inspect(case)
    office.show(case)
    office.clock.wait(hours=30)
    office.reply(case, "not ours")
    office.decide(case)
    return case


def test_a_case_goes_from_findings_to_a_closure_that_is_measured(either: Office) -> None:
    """Every step in its order; the register has the final decision; the ledger has every event."""
    case = decided(either)
    either.clock.wait(days=200)
    either.do("chief", case, acts.DeclareFinal(reason="no appeal"))
    (entry,) = either.work.register_entries(text="Foundry")
    assert (entry.case_id, entry.outcome, entry.appeal) == (case, acts.DecisionOutcome.CONFIRMED, "none")
    assert entry.expires_ns is not None
    proof = either.paper("remedy_proof")
    either.do(
        "officer",
        case,
        acts.RecordRemedy(at_ns=either.clock.at_ns, grade=acts.RemedyGrade.B, text="removed", documents=(proof,)),
    )
    either.clock.wait(days=40)
    either.do("verifier", case, acts.Verify(measurement=either.measurement()))
    either.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.RECTIFIED, text="over"))
    file = either.work.case_file(case)
    assert (file.case.stage, file.case.closure) == (acts.Stage.CLOSED, acts.ClosureReason.RECTIFIED)
    kinds = {kept.ref.kind for kept in file.documents}
    assert kinds >= {"notice", "inspection_request", "decision", "verification_report", "closure", "photo"}
    for kept in file.documents:
        assert len(either.work.documents.read(kept.ref.sha256)) == kept.ref.size
    assert len(file.finding_documents) == len(file.case.findings) == 2
    assert file.register_entries == (entry,)
    sealed_events(either.work)()
    either.reopen()
    assert either.work.recovered == 0
    assert either.work.case_file(case) == file


def test_opening_asks_the_registers_in_the_same_step(office: Office) -> None:
    """There is no moment at which a case has not been looked up; both events are in the ledger."""
    case = office.open()
    first, second = office.work.store.events(case)
    assert (first.act.NAME, second.act.NAME) == ("open", "look_up_lawful")
    assert office.work.case(case).lookup is not None
    sealed_events(office.work)()


def test_a_refused_act_leaves_nothing(office: Office) -> None:
    """No event, no leaf, no document of the case, no number of a case; every reason is told."""
    case = office.open()
    leaves, events = office.work.ledger.size, office.work.store.events(case)
    drafts = office.work.draft_document(case, acts.DocumentKind.NOTICE)
    proposal = acts.ProposeNotice(kind=acts.NoticeKind.NOTICE, document=drafts[0].ref, language="en")
    reasons = refused(office.work.perform(office.account("officer"), case, proposal, documents=drafts))
    assert any("classif" in reason for reason in reasons)
    assert refused(office.work.perform(office.account("inspector"), case, acts.Approve(proposal=1)))
    assert refused(office.work.open_case(office.account("verifier"), "S1", PACK, finding_ids=_ids(office)))
    office.work.ledger.refresh()
    assert office.work.ledger.size == leaves
    assert office.work.store.events(case) == events
    assert office.work.store.documents(case) == ()
    office.find("192.0.2.200", "mill.jsonl")
    assert office.open("S2").endswith("-000002")


def _ids(office: Office) -> tuple[str, ...]:
    from headframe.cases.store import FindingFilter

    return tuple(one.ref.finding_id for one in office.work.store.findings(FindingFilter(site_id="S1")).rows)


def test_four_eyes_hold_in_the_casework_too(office: Office) -> None:
    """Who proposed cannot approve, though the account has both duties."""
    case = office.open()
    both = with_duties(office.account("officer"), acts.Duty.PROPOSE, acts.Duty.DECIDE)
    done = office.work.perform(both, case, office.a_class())
    number = accepted(done).events[0].number
    assert refused(office.work.perform(both, case, acts.Approve(proposal=number)))


def test_a_victim_gets_help_and_no_measure(office: Office) -> None:
    """A help letter can be sent; no measure may be proposed, and the screen says why."""
    case = office.open()
    office.classify(case, PartyStanding.VICTIM)
    office.notify(case, acts.NoticeKind.HELP)
    view = office.work.view(case)
    assert not any(state.allowed for state in view.measures)
    assert all(any("victim" in reason for reason in state.missing) for state in view.measures)
    letters = [kept for kept in view.file.documents if kept.ref.kind == "help_letter"]
    assert letters


def test_an_appeal_that_is_upheld_takes_the_entry_out_of_the_register(office: Office) -> None:
    """What stays is its number and that it left; the ledger has the removal, and not what it said."""
    case = decided(office)
    office.clock.wait(days=200)
    office.do("chief", case, acts.DeclareFinal(reason="no appeal"))
    (entry,) = office.work.register_entries()
    office.do(
        "officer",
        case,
        acts.FileAppeal(received_ns=office.work.now_ns(), body="court (行政诉讼）", grounds="a cold store"),
    )
    office.do("second", case, acts.AdmitAppeal(admitted=True, reason="kept from appealing"))
    office.do("court", case, acts.DecideAppeal(outcome=acts.AppealOutcome.UPHELD, reason="it was the cold store"))
    assert office.work.register_entries() == ()
    (left,) = office.work.register_entries(expired=True)
    assert (left.entry_id, left.site_id, left.organisation_id, left.legal_basis) == (entry.entry_id, "", "", ())
    assert left.removed_ns is not None
    (leaf,) = office.work.store.leaves(leaf_ids=[f"register/{entry.entry_id}/removed"])
    assert set(read(leaf.leaf).digests) == {"removed", "reason"}
    sealed_events(office.work)()


def test_the_register_and_the_case_say_of_a_late_appeal_that_it_is_late(office: Office) -> None:
    """It is on file with its time; the entry says late, then inadmissible or pending, and goes if it is upheld."""
    from headframe.reports.casework import case_lines, view_document

    case = decided(office)
    office.clock.wait(days=300)
    office.do("chief", case, acts.DeclareFinal(reason="no appeal"))
    for said, standing, words in (
        (False, "inadmissible", "LATE: inadmissible"),
        (True, "pending", "LATE: admitted, and being heard"),
    ):
        received_ns = office.work.now_ns()
        office.do("officer", case, acts.FileAppeal(received_ns=received_ns, body="court", grounds="a cold store"))
        (entry,) = office.work.register_entries()
        assert entry.appeal == "late"
        assert office.work.case(case).appeals[-1].received_ns == received_ns
        shown = "\n".join(case_lines(office.work.view(case)))
        assert "LATE: nobody has said yet whether it is heard" in shown
        assert "--admit" in shown
        assert "--outcome inadmissible" in shown
        office.do("second", case, acts.AdmitAppeal(admitted=said, reason="the letter lay at the old address"))
        (entry,) = office.work.register_entries()
        assert entry.appeal == standing
        assert words in "\n".join(case_lines(office.work.view(case)))
        told = view_document(office.work.view(case))["appeals"][-1]
        assert (told["late"], told["admitted"], told["outcome"]) == (True, said, None if said else "inadmissible")
    office.do("court", case, acts.DecideAppeal(outcome=acts.AppealOutcome.UPHELD, reason="it was the cold store"))
    assert office.work.register_entries() == ()
    sealed_events(office.work)()


def test_nothing_of_a_closed_case_goes_while_a_late_appeal_waits(office: Office) -> None:
    """It is listed as appealed, and its file is kept; once it is found inadmissible the case is closed as before."""
    from headframe.casework import retention

    case = office.open()
    office.classify(case, PartyStanding.NOT_MINING)
    office.decide(case, acts.DecisionOutcome.DISMISSED)
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.DISMISSED, text="a cold store"))
    closed_ns = office.work.case(case).closed_ns
    office.clock.wait(days=11_000)

    def goes() -> bool:
        return any(case in one.item.case_ids for one in retention.plan(office.work).goes)

    assert goes()
    appeal = acts.FileAppeal(received_ns=office.work.now_ns(), body="court", grounds="dismissed, but not cleared")
    office.do("officer", case, appeal)
    (row,) = office.work.store.cases(CaseFilter(stages=frozenset({acts.Stage.APPEALED}))).rows
    assert row.case_id == case
    assert not goes()
    office.do("court", case, acts.AdmitAppeal(admitted=False, reason="thirty years late"))
    assert office.work.case(case).closed_ns == closed_ns
    assert goes()


def test_the_case_shows_what_its_evidence_comes_to_and_what_a_notice_needs(office: Office) -> None:
    """The threshold stands next to the figure, with its basis."""
    from headframe.reports.casework import case_lines, view_document

    view = office.work.view(office.open())
    together = view_document(view)["together"]
    assert together["log10_e"] > 2
    assert (together["least_e_for_notice"], together["basis"]) == (100, "operator_default")
    shown = "\n".join(case_lines(view))
    assert "a notice needs 100 [operator_default], or machines seen by an inspection" in shown


def test_a_case_under_an_older_text_that_named_no_kinds_of_site_goes_on(office: Office) -> None:
    """What a case was opened under is read as it was meant then, whatever a new pack has to say today."""
    from headframe.casework.kept_packs import kept_pack
    from headframe.policy.parse import BadPack, parse_pack
    from headframe.stores.packs import SHIPPED

    text = (SHIPPED / "my-esa.yaml").read_text(encoding="utf-8")
    older = re.sub(r", site_kinds: \[[^]]*\]", "", text).replace("version: 1.0.1", "version: 1.0.0")
    assert "site_kinds" not in older
    with pytest.raises(BadPack, match="site_kinds missing"):
        parse_pack(older, name="older", known={})
    digest = hashlib.sha256(older.encode()).hexdigest()
    place = office.work.paths.packs / "kept" / digest
    place.mkdir(parents=True)
    (place / "00.yaml").write_text(older, encoding="utf-8")
    (place / "complete").touch()
    pack = kept_pack("my-esa", digest, office.work.paths.packs)
    assert pack is not None
    assert pack.digest == digest
    kinds = {subject.id: "household_premises" in subject.site_kinds for subject in pack.subjects}
    assert kinds == {"premises": True, "acct": False, "owner": False}
    assert {subject.id: len(subject.site_kinds) for subject in pack.subjects} == {
        "premises": 11,
        "acct": 0,
        "owner": 10,
    }


def test_a_recurrence_opens_a_linked_case(office: Office) -> None:
    """Findings after closure do not go into the closed case; a new one says whose recurrence it is."""
    case = office.open()
    office.classify(case, PartyStanding.NOT_MINING)
    office.decide(case, acts.DecisionOutcome.DISMISSED)
    office.propose(case, acts.ProposeClosure(reason=acts.ClosureReason.DISMISSED, text="another cause"))
    later = office.clock.at_ns - HOUR_NS
    office.find("192.0.2.9", "later.jsonl", started_ns=later, ended_ns=office.clock.at_ns)
    assert refused(office.work.add_findings(office.account("officer"), case))
    again = office.open(recurrence_of=case)
    assert office.work.case(again).links == ((case, acts.CaseRelation.RECURRENCE_OF),)


def test_a_pack_that_changes_does_not_change_the_cases_under_it(office: Office) -> None:
    """A case goes on under the text that it was opened under, from the copy that was kept then."""
    case = office.open()
    digest = office.work.case(case).pack_digest
    folder = office.folder / "packs" / "kept" / digest
    assert (folder / "complete").exists()
    office.work._packs = {}  # as if the shipped packs were others now
    office.work._kept_packs.clear()
    assert office.work.pack_of_case(case).digest == digest
    kept = sorted(folder.glob("*.yaml"))[-1]
    kept.write_text(kept.read_text() + "\n# changed\n")
    office.work._kept_packs.clear()
    with pytest.raises(HeadframeError, match="was changed after a case was opened"):
        office.work.pack_of_case(case)


def test_a_strange_file_among_the_packs_stops_no_case_under_the_others(office: Office) -> None:
    """Neither one that is no pack, nor a copy of a shipped one; and what was once kept of such a copy is put right."""
    from headframe.stores.packs import SHIPPED

    packs = office.work.paths.packs
    packs.mkdir(exist_ok=True)
    (packs / "broken.yaml").write_text("id: [oops\n")
    shipped = (SHIPPED / f"{PACK}.yaml").read_text()
    (packs / "a-copy.yaml").write_text(f"{shipped}\n# mine, to read\n")
    wrong = packs / "kept" / office.work.pack(PACK).digest
    wrong.mkdir(parents=True)
    (wrong / "00.yaml").write_text(f"{shipped}\n# mine, to read\n")
    (wrong / "complete").touch()
    case = office.open()
    assert office.reopen().pack_of_case(case).id == PACK
    assert shipped in [path.read_text() for path in wrong.glob("*.yaml")]


def test_documents_are_the_cases_only_if_their_bytes_are_kept(office: Office) -> None:
    """A reference to bytes that nobody has is refused before anything is written."""
    case = office.open()
    ghost = acts.DocumentRef(sha256="0" * 64, name="ghost.pdf", media_type="application/pdf", kind="reply", size=1)
    reply = acts.RecordReply(received_ns=office.clock.at_ns, stance=acts.ReplyStance.OTHER, document=ghost, text="x")
    with pytest.raises(HeadframeError, match="not among the workspace's documents"):
        office.work.perform(office.account("officer"), case, reply)
    assert len(office.work.store.events(case)) == 2


# Crashes and rivals --------------------------------------------------------------------------------------------------


class _Killed(BaseException):
    """The program ends here."""


def test_what_a_crash_left_pending_goes_to_the_ledger_at_the_next_opening(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the transaction and the ledger: the events are there, the leaves are pending, then they are logged."""
    before = office.work.ledger.size

    def die(_work: Casework) -> int:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(Casework, "hand_over", die)
        with pytest.raises(_Killed):
            office.open()
    assert len(office.work.store.pending_leaves()) == 2
    assert office.reopen().recovered == 2
    assert office.work.ledger.size == before + 2
    sealed_events(office.work)()


def test_a_leaf_that_the_ledger_has_is_not_logged_twice(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the ledger and the note of the places: the same places are given again."""
    before = office.work.ledger.size
    with monkeypatch.context() as patch:
        patch.setattr(office.work.store, "mark_logged", lambda _places: (_ for _ in ()).throw(_Killed()))
        with pytest.raises(_Killed):
            office.open()
    assert office.reopen().recovered == 2
    assert office.work.ledger.size == before + 2
    sealed_events(office.work)()


KILLED = """
import os, signal, sys
from pathlib import Path
from headframe.casework import Casework, open_workspace
from tests.casework.office import ACCOUNTS, PACK, Clock

work = open_workspace(Path(sys.argv[1]), now_ns=Clock())
Casework.hand_over = lambda _work: os.kill(os.getpid(), signal.SIGKILL)
work.open_case(next(one for one in ACCOUNTS if one.name == "officer"), "S1", PACK)
"""


def test_a_program_that_is_killed_loses_nothing_that_it_wrote(office: Office, project_root: Path) -> None:
    """A real process, a real SIGKILL after the transaction."""
    office.work.close()
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(office.folder)], cwd=project_root, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": f"{project_root / 'src'}:{project_root}"}, capture_output=True,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    with open_workspace(office.folder, now_ns=office.clock) as work:
        assert work.recovered == 2
        assert [row.case_id for row in work.store.cases(CaseFilter()).rows] == ["HF-2026-000001"]
        sealed_events(work)()


def test_who_is_slower_is_decided_on_what_is_true_then(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two accounts approve the same proposal at once: one of them does, the other is told that it is settled."""
    case = office.open()
    number = office.do("officer", case, office.a_class()).events[0].number
    rival = open_workspace(office.folder, now_ns=office.clock)
    around, asked = Casework._around, []

    def overtaken(work: Casework, *args: object, **options: object) -> object:
        if work is office.work and not asked:
            asked.append(1)
            accepted(rival.perform(office.account("second"), case, acts.Approve(proposal=number)))
        return around(work, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Casework, "_around", overtaken)
    reasons = refused(office.work.perform(office.account("chief"), case, acts.Approve(proposal=number)))
    assert any("approved" in reason for reason in reasons)
    assert asked == [1]
    rival.close()
    sealed_events(office.work)()


RIVAL = """
import json, sys
from pathlib import Path
from headframe.casework import open_workspace
from headframe.records.case import Accepted, PlaceHold, LiftHold, RecordReport
from tests.casework.office import ACCOUNTS, Clock

folder, case, name, times = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
account = next(one for one in ACCOUNTS if one.name == "officer")
with open_workspace(folder, now_ns=Clock(1_790_000_000_000_000_000)) as work:
    duty = work.pack_of_case(case).reporting[0]
    done = [
        work.perform(account, case, RecordReport(report=duty.id, to=duty.to, period=f"{name}-{k}")).answer
        for k in range(times)
    ]
print(json.dumps([isinstance(one, Accepted) or one.reasons for one in done]))
"""


def test_two_programs_at_once_lose_nothing(office: Office, project_root: Path) -> None:
    """Both write into one case as fast as they can: every act that was acknowledged is there once, in one order."""
    case = office.open()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RIVAL, str(office.folder), case, name, "12"], cwd=project_root,
            env={**os.environ, "PYTHONPATH": f"{project_root / 'src'}:{project_root}"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in ("a", "b")
    ]  # fmt: skip
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert [json.loads(out) for out, _ in said] == [[True] * 12] * 2
    events = office.work.store.events(case)
    assert [event.number for event in events] == list(range(1, 27))
    periods = [event.act.period for event in events if isinstance(event.act, acts.RecordReport)]
    assert sorted(periods) == sorted(f"{name}-{k}" for name in "ab" for k in range(12))
    assert [period for period in periods if period.startswith("a")] == [f"a-{k}" for k in range(12)]
    office.reopen()
    sealed_events(office.work)()


def test_a_folder_that_is_no_workspace_is_said(tmp_path: Path) -> None:
    """And how to make one."""
    with pytest.raises(UnreadableInput, match="headframe workspace init"):
        open_workspace(tmp_path)


def test_an_older_copy_of_the_ledger_is_refused(office: Office) -> None:
    """The database knows how far the log has come; nothing is written over a log that has lost its end."""
    older = office.folder / "older"
    shutil.copytree(office.work.paths.ledger, older)
    office.find("192.0.2.7")
    office.open()
    office.work.close()
    shutil.rmtree(office.work.paths.ledger)
    older.rename(office.work.paths.ledger)
    with pytest.raises(HeadframeError, match="it is an older copy, or another log"):
        office.reopen()
    told = CliRunner().invoke(app, ["log", "verify", "--workspace", str(office.folder)])
    assert told.exit_code == 3
    assert "it is an older copy, or another log" in told.stderr
