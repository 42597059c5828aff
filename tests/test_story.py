"""The story of a district's twelve cases, told by the example and checked by whoever was not part of it."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from headframe.cases.codec import event_to_json
from headframe.casework import open_workspace


@pytest.fixture(scope="module")
def story(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the example leaves."""
    folder = tmp_path_factory.mktemp("story") / "told"
    done = subprocess.run(
        [sys.executable, str(project_root / "examples" / "district_story.py"), str(folder)],
        capture_output=True, text=True, check=False, timeout=900,
        env={**os.environ, "PYTHONPATH": str(project_root / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (folder / "told.txt").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cases(story: Path) -> dict[str, dict[str, object]]:
    """How each case ended, by its number."""
    return {one["case"]: one for one in json.loads((story / "cases.json").read_text(encoding="utf-8"))}


def test_each_case_ends_as_its_truth_says(cases: dict[str, dict[str, object]]) -> None:
    """One victim, one lawful, one theft, one appeal upheld, one recurrence; and what is still open says so."""
    ended = [(one["site"], one["standing"], one["closure"]) for one in cases.values()]
    assert ended == [
        ("data-hill", "operator", "rectified"),
        ("east-campus", "victim", "victim_helped"),
        ("licence-hall", "lawful", "lawful"),
        ("mill-lane", "operator", "rectified"),
        ("north-cold", "undetermined", "decision_set_aside"),
        ("star-cafe", "operator", "rectified"),
        ("south-school", "not_mining", "dismissed"),
        ("river-consult", "undetermined", "undetermined"),
        ("west-park", "host", None),
        ("premises-48", "undetermined", None),
        ("weir-plant", "operator", None),
        ("star-cafe", "operator", None),
    ]


def test_network_and_electricity_stand_in_one_case(cases: dict[str, dict[str, object]]) -> None:
    """The data centre and the cafe are seen from both sides; the theft by its transformer alone."""
    families = [set(one["families"]) for one in cases.values()]  # type: ignore[call-overload]
    assert families[0] >= {"content", "endpoint", "load"}
    assert families[5] >= {"content", "endpoint", "timing", "load"}
    assert families[3] == {"balance"}
    assert families[7] == {"timing"}


def test_what_was_measured_again(story: Path) -> None:
    """Ended where it ended, going on where it goes on, and no guess where a meter failed."""
    told = (story / "told.txt").read_text(encoding="utf-8").splitlines()
    answers = [line.split("measured again: ") for line in told if "measured again: " in line]
    measured = {case.strip()[-2:]: answer.split()[0] for case, answer in answers}
    assert measured == {
        "01": "rectified", "02": "rectified", "04": "rectified", "06": "rectified", "09": "persists",
        "10": "not_enough_data",
    }  # fmt: skip


def test_documents_are_there_as_pdf_and_page(story: Path) -> None:
    """Every letter, decision, dossier, report and closure that a case has had."""
    kinds: Counter[str] = Counter()
    with open_workspace(story / "workspace") as work:
        for folder in sorted((story / "documents").iterdir()):
            kept = work.store.documents(folder.name)
            assert {one.ref.name for one in kept} == {path.name for path in folder.iterdir()}
            kinds.update({one.ref.kind for one in kept})
            for one in kept:
                data = (folder / one.ref.name).read_bytes()
                if one.ref.media_type == "application/pdf":
                    assert data.startswith(b"%PDF-")
                elif one.ref.media_type == "text/html":
                    assert b"<!doctype html>" in data[:200].lower()
    assert {
        "notice", "help_letter", "information_letter", "inspection_request", "decision", "measure_request",
        "referral_dossier", "verification_report", "closure", "setting_aside", "reply", "photo", "appeal",
        "remedy_proof",
    } <= kinds.keys()  # fmt: skip


def test_the_register_holds_final_decisions_only(story: Path) -> None:
    """Those against organisations that were not set aside; no victim, no household, no lawful miner."""
    with open_workspace(story / "workspace") as work:
        entries = work.register_entries(expired=True)
        sites = {entry.site_id for entry in entries}
        assert sites == {"data-hill", "mill-lane", "star-cafe", "west-park"}
        assert all(entry.final_ns > entry.decided_ns for entry in entries)


def test_every_event_is_in_the_ledger(story: Path) -> None:
    """Nothing was done that the log does not know, and the log is whole."""
    with open_workspace(story / "workspace") as work:
        work.ledger.check_all()
        events = list(work.store.all_events())
        assert len(events) > 150
        for event in events:
            (leaf,) = work.store.leaves(leaf_ids=[f"case/{event.case_id}/{event.number}"])
            assert leaf.index is not None
            assert work.ledger.entry(leaf.index) == leaf.leaf
            assert event_to_json(event)["number"] == event.number


def test_nobody_settled_what_he_proposed_or_verified_what_he_decided(story: Path) -> None:
    """Four eyes, read from the events alone."""
    with open_workspace(story / "workspace") as work:
        proposed: dict[tuple[str, int], str] = {}
        deciders: dict[str, set[str]] = {}
        for event in work.store.all_events():
            name = event.act.NAME
            if name.startswith("propose_"):
                proposed[event.case_id, event.number] = event.account
            elif name == "approve":
                number = event.act.proposal  # type: ignore[union-attr]
                assert proposed[event.case_id, number] != event.account
                deciders.setdefault(event.case_id, set()).update({event.account, proposed[event.case_id, number]})
            elif name == "verify":
                assert event.account not in deciders.get(event.case_id, set())


def test_bundles_hold_for_the_separate_verifier(project_root: Path, story: Path, cases: dict[str, object]) -> None:
    """A program that was written from the format's description alone agrees with every bundle."""
    verifier = project_root / "examples" / "verify_bundle.py"
    for case_id in cases:
        done = subprocess.run(
            [sys.executable, str(verifier), str(story / "bundles" / f"{case_id}.zip"), "--key",
             str(story / "ledger.pub")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_wallet_or_letter_box_leaves_the_workspace(story: Path) -> None:
    """Least data: bundles and documents hold neither accounts of pools nor delivery addresses."""
    truth = json.loads((story / "district" / "before" / "link.truth.json").read_text(encoding="utf-8"))
    wallets = [miner["account"].encode() for miner in truth["miners"]]
    assert wallets
    seen = 0
    for path in [*(story / "bundles").iterdir(), *(story / "documents").rglob("*.html")]:
        data = path.read_bytes()
        seen += 1
        assert not any(wallet in data for wallet in wallets), path
        assert b"Gate house, " not in data, path
    assert seen > 20
