"""What goes wrong around a workspace: lost files, wrong packs, devices for files; told in words, and nothing lost."""

import os
from pathlib import Path

import pytest

from headframe.casework import make_workspace, open_workspace, retention
from headframe.casework.case_bundle import write_case_bundle
from headframe.cli.workspace_options import blocks
from headframe.errors import HeadframeError, UnreadableInput
from headframe.records import case as acts
from tests.casework.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A case that was notified."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    case = office.open()
    office.classify(case)
    office.notify(case)
    return office


CASE = "HF-2026-000001"


def test_one_wrong_pack_does_not_close_the_cases_of_the_others(office: Office) -> None:
    """Lists, acts and retention go on, by the texts of the cases; whoever asks for the pack hears what is wrong."""
    (office.work.paths.packs / "mine.yaml").write_text("id: [")
    work = office.reopen()
    assert work.pack_for_row("cn-bj-2024", CASE) is not None
    with pytest.raises(HeadframeError, match=r"mine\.yaml cannot be used"):
        work.pack("mine")
    assert retention.law(work).lost == frozenset()


def test_what_cannot_be_withheld_is_said(office: Office, tmp_path: Path) -> None:
    """A slip of the pen in the name of a field would hand out what was to stay closed."""
    with pytest.raises(HeadframeError, match="has a field 'acount' to withhold"):
        write_case_bundle(
            office.work, office.account("officer"), CASE, tmp_path / "b", reason="party", withhold=["acount"]
        )
    assert not (tmp_path / "b").exists()


def test_accounts_that_are_withheld_stand_nowhere_in_the_bundle(office: Office, tmp_path: Path) -> None:
    """Letters name them in their signatures, so they stay out with them."""
    write_case_bundle(
        office.work, office.account("officer"), CASE, tmp_path / "b", reason="audit", withhold=["account"]
    )
    for path in (tmp_path / "b").rglob("*"):
        assert path.is_dir() or b'account">chief' not in path.read_bytes(), path
    assert not (tmp_path / "b" / "documents").exists()
    assert "Documents that stayed out:" in (tmp_path / "b" / "README.txt").read_text()


def test_a_workspace_without_its_config_is_not_made_anew(office: Office) -> None:
    """Else real cases would become training by one command, and their times could be set."""
    office.work.close()
    office.work.paths.config.unlink()
    with pytest.raises(HeadframeError, match=r"workspace\.json is missing"):
        make_workspace(office.folder, unit="Changping", training=True, now_ns=office.clock)
    assert not office.work.paths.config.exists()


def test_a_making_that_was_cut_off_before_the_first_account_goes_on(tmp_path: Path) -> None:
    """The token's file was there already, for example."""
    make_workspace(tmp_path / "w", unit="Mill").close()
    make_workspace(tmp_path / "w", unit="Mill").close()
    with pytest.raises(HeadframeError, match="is a workspace already"):
        make_workspace(tmp_path / "w", unit="Mill", training=True)


@pytest.mark.parametrize(
    ("lost", "words"), [("ledger/checkpoint", "newest copy"), ("keys/ledger.key", "put it back from its backup")]
)
def test_a_damaged_ledger_or_key_tells_what_to_put_back(office: Office, lost: str, words: str) -> None:
    """The file, and that nothing is written before."""
    office.work.close()
    (office.folder / lost).write_text("")
    with pytest.raises(UnreadableInput, match=words):
        open_workspace(office.folder)


def test_a_blank_time_of_day_is_none(tmp_path: Path) -> None:
    """As an empty one is."""
    make_workspace(tmp_path / "w", unit="Mill", training=True).close()
    open_workspace(tmp_path / "w", simulated_now=" ").close()


def test_a_pipe_is_no_document_and_no_findings(office: Office, tmp_path: Path) -> None:
    """Waiting for its other end could last for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableInput, match="no regular file"):
        office.work.keep_file(tmp_path / "pipe")
    with pytest.raises(UnreadableInput, match="no regular file"):
        office.work.import_findings([tmp_path / "pipe"])


@pytest.mark.parametrize("name", ["letter\u202efdp.exe", "IMG_Zhang_Wei.jpg", "Zhang Wei\x1b[2J.txt"])
def test_no_name_of_a_file_is_kept(office: Office, tmp_path: Path, name: str) -> None:
    """It may tell a person, or hide what the file is: kind, digest and type stand for it, in every place."""
    path = tmp_path / name
    path.write_bytes(b"\xff\xd8\xff\xe0")
    ref, _ = office.work.keep_file(path, "reply")
    assert ref.name == f"reply-{ref.sha256[:12]}.jpg"
    office.reply(CASE, "", stance=acts.ReplyStance.OTHER, document=ref)
    office.work.close()
    for file in office.folder.rglob("*"):
        assert not file.is_file() or b"Zhang" not in file.read_bytes(), file


def test_two_documents_of_one_name_are_both_copied_out(office: Office, tmp_path: Path) -> None:
    """Two replies may both come as answer.txt."""
    refs = [office.work.keep_bytes(data, "answer.txt", "text/plain", "reply") for data in (b"1", b"2")]
    copied = office.work.copy_out(refs, tmp_path / "out")
    assert [path.read_bytes() for path in copied] == [b"1", b"2"]


def test_rows_too_wide_for_the_terminal_keep_their_ids_whole() -> None:
    """One value leads, the others follow by name; nothing is cut, and a dash is left out."""
    lines = list(blocks(["now", "command", "unit"], [["yes", "headframe case show HF-2026-000001", "-"]], 40, 1))
    assert lines == ["headframe case show HF-2026-000001", "  now: yes"]
