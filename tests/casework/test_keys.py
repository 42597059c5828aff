"""Keys of a workspace: changed, tidied and asked by those who may, and every act of it in the ledger."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from headframe.casework.accounts import NotAllowed
from headframe.casework.keys import pseudonyms_of, reidentify, rotate, status, tidy
from headframe.casework.sites import import_registry, open_contact, sealer_of, view_site
from headframe.cli.keys import keys as keys_app
from headframe.ledger.leaf import read
from headframe.records.case import Account, Duty
from headframe.stores.sealing import NoReason
from tests.casework.office import Office

ADMIN = Account(name="admin", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
BOTH = Account(name="both", unit="drc", duties=frozenset({Duty.SCREEN, Duty.DECIDE}))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "workspace")
    desks = tmp_path / "desks.csv"
    desks.write_text("role,site,address\nlegal,S1,Quarry Lane 5\n", encoding="utf-8")
    import_registry(office.work, office.account("screener"), contacts=[desks])
    return office


def leaves(office: Office, kind: str) -> int:
    office.work.ledger.refresh()
    return sum(read(office.work.ledger.entry(index)).kind == kind for index in range(office.work.ledger.size))


def address(office: Office) -> str:
    (contact,) = view_site(office.work, "S1").contacts
    return open_contact(office.work, office.account("officer"), contact, "test")


def test_the_master_key_changes_and_addresses_stay(office: Office) -> None:
    """By an administrator, with a leaf in the ledger."""
    with pytest.raises(NotAllowed):
        rotate(office.work, office.account("officer"))
    assert rotate(office.work, ADMIN) == 1
    assert leaves(office, "key") == 1
    assert address(office) == "Quarry Lane 5"


def test_keys_without_a_contact_go(office: Office) -> None:
    """Those that an import left which was cut off; none that a contact has."""
    sealer_of(office.work).keys.make("contacts", "left-over")
    assert (status(office.work).contacts, status(office.work).orphans) == (2, 1)
    with pytest.raises(NotAllowed):
        tidy(office.work, office.account("screener"))
    assert tidy(office.work, ADMIN) == 1
    assert (status(office.work).contacts, status(office.work).orphans) == (1, 0)
    assert tidy(office.work, ADMIN) == 0
    assert leaves(office, "key") == 1
    assert address(office) == "Quarry Lane 5"


def test_acts_of_one_instant_on_keys_are_all_logged(office: Office) -> None:
    """The clock of a training stands still; what is logged then has names that a replay finds again."""
    office.work.now_ns = lambda: 1_800_000_000_000_000_000  # type: ignore[method-assign]
    for _ in range(3):
        rotate(office.work, ADMIN)
    subjects = [read(office.work.ledger.entry(place)).subject for place in range(office.work.ledger.size)][-3:]
    assert subjects == [f"rotated-1800000000000000000{end}" for end in ("", "-2", "-3")]


def test_two_accounts_ask_who_it_was(office: Office) -> None:
    """An address of a finding or a usage point of the registry; logged, also where nothing is found."""
    office.find("192.0.2.7")
    now = office.work.now_ns()
    names = pseudonyms_of(office.work)
    clerk, chief = office.account("officer"), office.account("chief")
    before = leaves(office, "access")
    assert reidentify(office.work, clerk, chief, names.pseudonym("address", "192.0.2.7", now), "case 7") == "192.0.2.7"
    assert reidentify(office.work, clerk, chief, names.pseudonym("usage_point", "UP-1", now), "case 7") == "UP-1"
    assert reidentify(office.work, clerk, chief, names.pseudonym("address", "198.51.100.9", now), "case 7") is None
    assert leaves(office, "access") == before + 3


def test_one_account_asks_nobody(office: Office) -> None:
    """Whatever its duties; nor two without them."""
    name = pseudonyms_of(office.work).pseudonym("usage_point", "UP-1", office.work.now_ns())
    before = leaves(office, "access")
    with pytest.raises(NoReason, match="two different accounts"):
        reidentify(office.work, BOTH, BOTH, name, "case 7")
    for one, other in (("chief", "officer"), ("officer", "screener")):
        with pytest.raises(NotAllowed):
            reidentify(office.work, office.account(one), office.account(other), name, "case 7")
    assert leaves(office, "access") == before


def test_the_commands(office: Office, tmp_path: Path) -> None:
    """Show, rotate, tidy and reidentify as they are called; data to standard output."""
    now = office.work.now_ns()
    name = pseudonyms_of(office.work).pseudonym("usage_point", "UP-1", now)
    office.work.close()
    for account in ("officer", "chief"):
        (tmp_path / f"{account}.token").write_text(office.tokens[account] + "\n", encoding="utf-8")
        (tmp_path / f"{account}.token").chmod(0o600)

    def run(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(keys_app, [*arguments, "--workspace", str(office.folder)])
        return done.exit_code, done.stdout, done.stderr

    as_admin = ("--as", "admin", "--token-file", str(office.folder / "admin.token"))
    assert run("show")[1].startswith("sealed addresses: 1\npseudonym epochs: 20")
    assert run("rotate", *as_admin)[0] == 0
    assert "no keys destroyed" in run("tidy", *as_admin)[2]
    asked = (
        "reidentify", name, "--reason", "case 7", "--as", "officer", "--token-file", str(tmp_path / "officer.token"),
        "--with", "chief", "--with-token-file",
    )  # fmt: skip
    assert run(*asked, str(tmp_path / "chief.token"))[:2] == (0, "UP-1\n")
    assert run(*asked, str(tmp_path / "officer.token"))[0] == 6
    code, out, err = run("reidentify", "#1a2b", *asked[2:], str(tmp_path / "chief.token"))
    assert (code, out) == (2, "")
    assert "expected #2026-11-03" in err
