"""Accounts: only who holds the token acts, only an administrator adds, and the workspace knows digests alone."""

import stat
from pathlib import Path

import pytest

from headframe.casework.accounts import acting, checked_account, new_token, read_token, token_digest, write_token
from headframe.errors import HeadframeError, NotAllowed
from headframe.records import case as acts
from headframe.records.case import Duty, Refused
from tests.casework.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A workspace with accounts."""
    return Office(tmp_path / "workspace")


def test_a_token_is_256_random_bits_and_only_its_digest_is_kept(office: Office) -> None:
    """Nothing in the workspace's folder, except the token's own file, holds it."""
    assert len({new_token() for _ in range(100)}) == 100
    token = read_token(office.folder / "admin.token")
    assert len(token) == 4 + 43
    kept = office.work.store.account("admin")
    assert kept is not None
    assert kept.token_sha256 == token_digest(token)
    office.work.close()
    for path in office.folder.rglob("*"):
        if path.is_file() and path.name != "admin.token":
            assert token.encode() not in path.read_bytes(), path


def test_the_token_file_is_its_holders_alone(office: Office, tmp_path: Path) -> None:
    """Mode 600, never replaced; one that others can read is not taken."""
    path = tmp_path / "t"
    write_token(new_token(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(HeadframeError, match="never replaces a file"):
        write_token(new_token(), path)
    path.chmod(0o644)
    with pytest.raises(NotAllowed, match="can be read by others"):
        read_token(path)
    path.chmod(0o600)
    path.write_text("something else")
    with pytest.raises(NotAllowed, match="holds no token"):
        read_token(path)


def test_name_and_token_belong_together(office: Office) -> None:
    """A wrong token, another's token and an unknown name are refused in the same words."""
    store = office.work.store
    assert acting(store, "officer", office.tokens["officer"]) == office.account("officer")
    for name, token in (
        ("officer", office.tokens["chief"]),
        ("officer", new_token()),
        ("nobody", office.tokens["officer"]),
    ):
        with pytest.raises(NotAllowed, match="do not belong together"):
            acting(store, name, token)


def test_a_disabled_account_does_not_act(office: Office, tmp_path: Path) -> None:
    """What it did stays; an administrator can give the right back."""
    admin = office.work.store.account("admin")
    assert admin is not None
    office.work.disable_account(admin.account, "officer")
    with pytest.raises(NotAllowed, match="is disabled"):
        acting(office.work.store, "officer", office.tokens["officer"])
    office.work.enable_account(admin.account, "officer")
    assert acting(office.work.store, "officer", office.tokens["officer"])
    with pytest.raises(HeadframeError, match="last administrator"):
        office.work.disable_account(admin.account, "admin")


def test_what_a_disabled_account_proposed_is_not_approved(office: Office) -> None:
    """It may have been somebody else who proposed it; rejecting it stays possible."""
    admin = office.work.store.account("admin")
    assert admin is not None
    office.find("192.0.2.7")
    case_id = office.open()
    number = office.do("officer", case_id, office.a_class()).events[0].number
    office.work.disable_account(admin.account, "officer")
    refused = office.work.perform(office.account("chief"), case_id, acts.Approve(proposal=number)).answer
    assert isinstance(refused, Refused)
    assert "has been disabled since" in refused.reasons[0]
    office.work.enable_account(admin.account, "officer")
    office.do("chief", case_id, acts.Approve(proposal=number))


def test_a_new_token_makes_the_old_one_worthless(office: Office, tmp_path: Path) -> None:
    """Only an administrator renews it; where the file cannot be written the old one stays."""
    admin = office.work.store.account("admin")
    assert admin is not None
    with pytest.raises(NotAllowed, match="needs the duty administer"):
        office.work.renew_token(office.account("chief"), "officer", tmp_path / "new")
    (tmp_path / "there").touch()
    with pytest.raises(HeadframeError, match="never replaces a file"):
        office.work.renew_token(admin.account, "officer", tmp_path / "there")
    assert acting(office.work.store, "officer", office.tokens["officer"])
    size = office.work.ledger.size
    office.work.renew_token(admin.account, "officer", tmp_path / "new")
    assert office.work.ledger.size == size + 1
    with pytest.raises(NotAllowed, match="do not belong together"):
        acting(office.work.store, "officer", office.tokens["officer"])
    assert acting(office.work.store, "officer", read_token(tmp_path / "new")) == office.account("officer")


def test_only_an_administrator_adds_accounts(office: Office, tmp_path: Path) -> None:
    """And a name is given once; both leave no token file behind."""
    admin = office.work.store.account("admin")
    assert admin is not None
    with pytest.raises(NotAllowed, match="needs the duty administer"):
        office.work.add_account(office.account("chief"), "x", "drc", [Duty.DECIDE], tmp_path / "x")
    with pytest.raises(HeadframeError, match="is there already"):
        office.work.add_account(admin.account, "chief", "drc", [Duty.DECIDE], tmp_path / "x")
    assert not (tmp_path / "x").exists()
    added = office.work.add_account(admin.account, "third", "drc", [Duty.DECIDE], tmp_path / "x")
    assert acting(office.work.store, "third", read_token(tmp_path / "x")) == added
    with pytest.raises(HeadframeError, match="has accounts"):
        office.work.first_account("again", "drc", tmp_path / "y")


def test_every_change_of_an_account_is_in_the_ledger(office: Office, tmp_path: Path) -> None:
    """Who gave which duties to whom; no token, no digest of one."""
    admin = office.work.store.account("admin")
    assert admin is not None
    size = office.work.ledger.size
    office.work.add_account(admin.account, "third", "drc", [Duty.DECIDE], tmp_path / "x")
    office.work.disable_account(admin.account, "third")
    assert office.work.ledger.size == size + 2
    assert token_digest(read_token(tmp_path / "x")).encode() not in office.work.ledger.entry(size)


@pytest.mark.parametrize(
    ("name", "unit", "duties", "message"),
    [
        ("Wang Li", "drc", [Duty.DECIDE], "is no name of an account"),
        ("", "drc", [Duty.DECIDE], "is no name of an account"),
        ("a", " ", [Duty.DECIDE], "is no unit"),
        ("a", "drc\n", [], "has no duty"),
        ("a", "drc", [Duty.ADMINISTER, Duty.DECIDE], "acts on no case"),
    ],
)
def test_what_cannot_be_an_account_is_refused(name: str, unit: str, duties: list[Duty], message: str) -> None:
    """An administrator with other duties could be all four eyes."""
    with pytest.raises(HeadframeError, match=message):
        checked_account(name, unit, duties)


def test_acts_of_one_instant_on_one_account_are_all_logged(office: Office, tmp_path: Path) -> None:
    """The clock of a training stands still between two commands."""
    admin = office.work.store.account("admin")
    assert admin is not None
    office.work.now_ns = lambda: 1_800_000_000_000_000_000  # type: ignore[method-assign]
    before = office.work.ledger.size
    for name in ("a", "b"):
        office.work.renew_token(admin.account, "officer", tmp_path / name)
    office.work.disable_account(admin.account, "officer")
    office.work.enable_account(admin.account, "officer")
    assert office.work.ledger.size == before + 4
