"""The log's key is replaced without a moment in which somebody could not check it."""

from pathlib import Path

import pytest

from headframe.casework import open_workspace
from headframe.casework.ledger_key import begin_key_change, end_key_change
from headframe.errors import HeadframeError
from headframe.ledger.leaf import read
from headframe.ledger.note import BadNote
from headframe.records.case import Account, Duty
from headframe.stores.ledger_files import LedgerReader
from headframe.stores.ledger_keys import read_keys
from tests.casework.office import Office

ADMIN = Account(name="admin", unit="Changping", duties=frozenset({Duty.ADMINISTER}))


def test_both_sign_and_then_the_new_one_alone(tmp_path: Path) -> None:
    """Each step is a leaf; the workspace opens with the key file at each step."""
    office = Office(tmp_path / "workspace")
    (old,) = office.work.ledger.keys
    folder = office.work.paths.ledger
    new = begin_key_change(office.work, ADMIN, "yearly")
    office.reopen()
    office.find("192.0.2.9")
    for key in (old, new):
        assert LedgerReader(folder, [key]).size == office.work.ledger.size
    with pytest.raises(HeadframeError, match="is being changed already"):
        begin_key_change(office.work, ADMIN, "again")
    assert end_key_change(office.work, ADMIN, "all know it") == new
    office.reopen()
    office.find("192.0.2.10", "more.jsonl")
    assert [signer.verifier for signer in read_keys(office.work.paths.ledger_key)] == [new]
    LedgerReader(folder, [new]).check_all()
    with pytest.raises(BadNote):
        LedgerReader(folder, [old])
    leaves = [read(leaf) for leaf in office.work.ledger.entries()]
    assert [leaf.subject for leaf in leaves if leaf.kind == "key"] == [new.text()] * 2
    with pytest.raises(HeadframeError, match="is not being changed"):
        end_key_change(office.work, ADMIN, "again")


def test_both_steps_at_one_instant(tmp_path: Path) -> None:
    """A training workspace's time may stand still."""
    office = Office(tmp_path / "workspace", training=True)
    office.work.close()
    with open_workspace(office.folder, now_ns=lambda: office.clock.at_ns) as work:
        new = begin_key_change(work, ADMIN, "yearly")
        assert end_key_change(work, ADMIN, "all know it") == new
        again = begin_key_change(work, ADMIN, "yearly, again")
        assert end_key_change(work, ADMIN, "all know it") == again


def test_only_an_administrator_may(tmp_path: Path) -> None:
    """A key decides who is believed."""
    office = Office(tmp_path / "workspace")
    with pytest.raises(HeadframeError, match="needs the duty administer"):
        begin_key_change(office.work, office.account("chief"), "no")
