"""The master key and the log's key are replaced by commands, on both databases, and the program dies at every step."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headframe.casework import open_workspace
from headframe.casework.holdings import Holdings
from headframe.casework.keys import pseudonyms_of, rotate
from headframe.casework.ledger_key import begin_key_change, end_key_change
from headframe.casework.sites import import_registry, open_contact, view_site
from headframe.cli.keys import keys as keys_app
from headframe.cli.log import log as log_app
from headframe.errors import HeadframeError
from headframe.ledger.leaf import read
from headframe.records.case import Account, Duty
from headframe.stores.ledger_files import LedgerReader
from headframe.stores.ledger_keys import read_keys
from tests.casework.office import Office
from tests.dying import Crash, Operation, dying

ADMIN = Account(name="admin", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
OPERATIONS = (
    *(Operation(os, name) for name in ("replace", "rename", "unlink", "fsync")),
    Operation(Holdings, "hand_over"),
)
"""What changes a file, or brings a leaf to the ledger."""


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "workspace", database_url=database_url)
    desks = tmp_path / "desks.csv"
    desks.write_text("role,site,address\nlegal,S1,Quarry Lane 5\n", encoding="utf-8")
    import_registry(office.work, office.account("screener"), contacts=[desks])
    office.find("192.0.2.7")
    yield office
    office.work.close()


def address(office: Office) -> str:
    (contact,) = view_site(office.work, "S1").contacts
    return open_contact(office.work, office.account("officer"), contact, "test")


def key_leaves(office: Office) -> list[str]:
    """What the log says of its own key, in order."""
    office.work.ledger.refresh()
    found = []
    for index, entry in enumerate(office.work.ledger.entries()):
        if read(entry).kind == "key":
            with office.work.store.reading() as db:
                told = db.exec_driver_sql(
                    "SELECT d.value FROM disclosures d JOIN leaves l ON l.leaf_id = d.leaf_id "
                    f"WHERE l.place = {index} AND d.name = 'what'"
                ).scalar_one()
            found.append(str(told).strip('"'))
    return found


def until_it_survives(office: Office, do: Callable[[], object]) -> int:
    """Do it, dying one step later each time, and open the workspace again after each death; gives how many deaths."""
    for at in range(1, 300):
        try:
            with dying(at, OPERATIONS):
                do()
        except Crash:
            office.work.store.close()
            office.work = open_workspace(office.folder, now_ns=office.clock)
            assert address(office) == "Quarry Lane 5", f"after a death at step {at} an address does not open"
            office.work.ledger.check_all()
        except HeadframeError:
            # It was done when the program died, and cannot be done twice; the caller looks whether it is.
            return at - 1
        else:
            return at - 1
    raise AssertionError("it never ends")


def test_the_master_key(office: Office) -> None:
    """Addresses and pseudonyms stay, whatever the step; each rotation that was told is a leaf."""
    now = office.work.now_ns()
    name = pseudonyms_of(office.work).pseudonym("address", "192.0.2.7", now)
    deaths = until_it_survives(office, lambda: rotate(office.work, ADMIN))
    assert deaths > 8
    assert pseudonyms_of(office.work).pseudonym("address", "192.0.2.7", now) == name
    assert "master key rotated" in key_leaves(office)[-1]
    assert not list(office.work.paths.keys.rglob(".*.new"))


def test_the_logs_key(office: Office) -> None:
    """Who trusts the old key learns of the new one from a leaf that both signed over, and the old one stops once."""
    (old,) = office.work.ledger.keys
    deaths = until_it_survives(office, lambda: begin_key_change(office.work, ADMIN, "yearly"))
    assert deaths > 2
    signers = read_keys(office.work.paths.ledger_key)
    assert [signer.verifier for signer in signers[:1]] == [old]
    assert len(signers) == 2, "a cut-off change was begun a second time with another key"
    for key in (old, signers[1].verifier):
        LedgerReader(office.work.paths.ledger, [key]).check_all()
    assert [text for text in key_leaves(office) if "signs no more" not in text] == ["both sign from now on"]
    with pytest.raises(HeadframeError, match="being changed already"):
        begin_key_change(office.work, ADMIN, "again")
    deaths = until_it_survives(office, lambda: end_key_change(office.work, ADMIN, "all know it"))
    assert deaths > 2
    assert [signer.verifier for signer in read_keys(office.work.paths.ledger_key)] == [signers[1].verifier]
    assert key_leaves(office) == ["both sign from now on", "the old key signs no more"]
    LedgerReader(office.work.paths.ledger, [signers[1].verifier]).check_all()
    office.reopen()
    office.find("192.0.2.8", "more.jsonl")


def test_by_commands(office: Office, tmp_path: Path) -> None:
    """The whole walk as an administrator does it, and everything opens afterwards."""
    from typer.testing import CliRunner

    now = office.work.now_ns()
    name = pseudonyms_of(office.work).pseudonym("usage_point", "UP-1", now)
    office.work.close()
    who = ("--as", "admin", "--token-file", str(office.folder / "admin.token"), "--workspace", str(office.folder))
    for app, command in (
        (keys_app, ("rotate",)), (log_app, ("begin-key-change", "--reason", "yearly")), (keys_app, ("rotate",)),
        (log_app, ("end-key-change", "--reason", "all know it")), (keys_app, ("tidy",)),
    ):  # fmt: skip
        done = CliRunner().invoke(app, [*command, *who])
        assert done.exit_code == 0, (command, done.stderr)
    office.work = open_workspace(office.folder, now_ns=office.clock)
    assert address(office) == "Quarry Lane 5"
    assert pseudonyms_of(office.work).pseudonym("usage_point", "UP-1", now) == name
    office.work.ledger.check_all()
    of_the_log = [text for text in key_leaves(office) if "sign" in text]
    assert of_the_log == ["both sign from now on", "the old key signs no more"]
