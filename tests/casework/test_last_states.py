"""Accounts and entries of the register are held against the log: who writes the database gains nothing by it."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from typer.testing import CliRunner

from headframe.casework.accounts import new_token, read_token, token_digest
from headframe.casework.held_to_log import AlteredRecord
from headframe.casework.last_states import KEPT_EVERY, LastStates, Sealed
from headframe.casework.restored import say_restored
from headframe.cli import app
from headframe.errors import NotAllowed
from headframe.records import case as acts
from headframe.records.case import Account, Duty
from headframe.stores.database.tables import ACCOUNTS, DISCLOSURES, LEAVES, REGISTER_ENTRIES, SEARCH_WORDS
from tests.casework.office import Office


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A workspace with accounts, and one to make more of."""
    on_postgresql = getattr(request, "param", "sqlite") == "postgresql"
    url = request.getfixturevalue("postgresql_url") if on_postgresql else ""
    office = Office(tmp_path / "workspace", database_url=url)
    yield office
    office.work.close()


@pytest.fixture
def entered(office: Office) -> Office:
    """A final decision against the foundry stands in the register."""
    office.enter_register()
    return office


def verified(office: Office) -> tuple[int, str]:
    """What ``headframe log verify`` ends with, and says."""
    run = CliRunner().invoke(app, ["log", "verify", "--workspace", str(office.folder)])
    return run.exit_code, run.stdout + run.stderr


def change(office: Office, name: str, **values: object) -> None:
    with office.work.store._writer.begin() as db:
        db.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(**values))


def administrator(office: Office) -> Account:
    return office.work.acting("admin", read_token(office.folder / "admin.token"))


# -- accounts


@pytest.mark.parametrize(
    ("office", "values"),
    [
        ("sqlite", {"token_sha256": "0" * 64}),
        ("sqlite", {"duties": json.dumps(["decide", "propose"])}),
        ("sqlite", {"unit": "nea"}),
        ("postgresql", {"duties": json.dumps(["decide", "propose"])}),
    ],
    indirect=["office"],
)
def test_an_account_that_was_changed_in_the_database_does_nothing(office: Office, values: dict[str, str]) -> None:
    """Not with another token, another duty, another unit; the others go on, and the check of the log tells."""
    token = office.tokens["chief"]
    if "token_sha256" in values:
        token = new_token()
        values = {"token_sha256": token_digest(token)}
    change(office, "chief", **values)
    with pytest.raises(AlteredRecord, match="of account chief"):
        office.reopen().acting("chief", token)
    assert office.work.acting("deputy", office.tokens["deputy"]).name == "deputy"
    code, told = verified(office)
    assert code == 3
    assert "of account chief" in told


def test_a_disabled_account_is_not_enabled_by_a_row(office: Office) -> None:
    """Nor by an older leaf under another name, the newest taken out of the database."""
    admin = administrator(office)
    office.work.disable_account(admin, "chief")
    change(office, "chief", enabled=True)
    with pytest.raises(AlteredRecord, match="of account chief"):
        office.work.acting("chief", office.tokens["chief"])
    newest = office.work.store.leaves(beginning="access/account-chief-")[-1].leaf_id
    with office.work.store._writer.begin() as db:
        db.execute(delete(DISCLOSURES).where(DISCLOSURES.c.leaf_id == newest))
        db.execute(update(LEAVES).where(LEAVES.c.leaf_id == newest).values(leaf_id="access/other"))
    with pytest.raises(AlteredRecord, match="of account chief"):
        office.reopen().acting("chief", office.tokens["chief"])


def test_an_older_leaf_that_waits_for_the_log_again_undoes_nothing(office: Office) -> None:
    """Its mark is right, and it was so once."""
    added = office.work.store.leaves(beginning="access/account-chief-")[0]
    office.work.disable_account(administrator(office), "chief")
    with office.work.store._writer.begin() as db:
        db.execute(update(LEAVES).where(LEAVES.c.leaf_id == added.leaf_id).values(place=None))
    change(office, "chief", enabled=True)
    office.reopen()
    with pytest.raises(AlteredRecord, match="of account chief"):
        office.work.acting("chief", office.tokens["chief"])


def test_a_proposal_of_one_whose_disabling_was_taken_back_is_not_approved(entered: Office) -> None:
    """Four eyes are four eyes of accounts that the log has."""
    office = entered
    office.find("192.0.2.200", "mill.jsonl")
    case = office.open("S2")
    number = office.do("officer", case, office.a_class()).events[0].number
    office.work.disable_account(administrator(office), "officer")
    change(office, "officer", enabled=True)
    with pytest.raises(AlteredRecord, match="of account officer"):
        office.do("chief", case, acts.Approve(proposal=number))


def test_one_that_was_put_in_or_taken_out_is_told(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        row = dict(db.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == "chief")).mappings().one())
        token = new_token()
        db.execute(insert(ACCOUNTS).values({**row, "name": "ghost", "token_sha256": token_digest(token)}))
        db.execute(delete(ACCOUNTS).where(ACCOUNTS.c.name == "court"))
    with pytest.raises(AlteredRecord, match="of account ghost"):
        office.work.acting("ghost", token)
    code, told = verified(office)
    assert code == 3
    assert "account court is in the log, and not in the database" in told
    assert "of account ghost" in told
    with pytest.raises(AlteredRecord, match="court"):
        office.work.add_account(administrator(office), "court", "court", [Duty.HEAR_APPEAL], office.folder / "c.token")


def test_a_changed_account_comes_back_with_a_new_token_only(office: Office) -> None:
    """Neither the token that was put in, nor the old one, and no other duties."""
    admin, token = administrator(office), new_token()
    change(office, "chief", token_sha256=token_digest(token))
    with pytest.raises(AlteredRecord):
        office.work.enable_account(admin, "chief")
    office.work.renew_token(admin, "chief", office.folder / "chief.token")
    renewed = read_token(office.folder / "chief.token")
    with pytest.raises(NotAllowed, match="disabled"):
        office.work.acting("chief", renewed)
    office.work.enable_account(admin, "chief")
    assert office.work.acting("chief", renewed) == office.account("chief")
    for old in (token, office.tokens["chief"]):
        with pytest.raises(NotAllowed):
            office.work.acting("chief", old)
    assert verified(office)[0] == 0
    change(office, "second", duties=json.dumps(["decide", "propose"]))
    with pytest.raises(AlteredRecord):
        office.work.renew_token(admin, "second", office.folder / "second.token")


def test_accounts_of_older_workspaces_act_until_they_are_renewed_and_are_named(office: Office) -> None:
    """Their units, duties and whether they may act are held against their leaves already."""
    work = office.work
    work.sealed_state = lambda leaf, *_rest: leaf  # type: ignore[method-assign]
    work.add_account(administrator(office), "old", "drc", [Duty.DECIDE], office.folder / "old.token")
    del work.sealed_state  # type: ignore[method-assign]
    token = read_token(office.folder / "old.token")
    assert office.reopen().acting("old", token).name == "old"
    code, told = verified(office)
    assert code == 0, told
    assert "renew it (headframe account renew-token NAME): old" in told
    change(office, "old", duties=json.dumps(["decide", "propose"]))
    with pytest.raises(AlteredRecord):
        office.work.acting("old", token)
    change(office, "old", duties=json.dumps(["decide"]))
    office.work.renew_token(administrator(office), "old", office.folder / "new.token")
    office.work.acting("old", read_token(office.folder / "new.token"))
    assert "renew it" not in verified(office)[1]


def test_what_was_read_of_the_log_is_kept_and_is_only_as_good_as_the_log(office: Office) -> None:
    """A file of another log, or a damaged one, is made anew."""
    work = office.work
    with work.store.writing() as writer:
        for k in range(KEPT_EVERY):
            writer.log(work.sealed(f"access/{k}", "access", f"{k}", k, {}, data_class="access"))
    work.hand_over()
    states = LastStates(work.ledger, work.states.marks, office.folder)
    right = dict(states.last(Sealed.ACCOUNT))
    kept = office.folder / "logged-account"
    assert set(right) == {one.account.name for one in work.store.accounts()}
    assert dict(LastStates(work.ledger, work.states.marks, office.folder).last(Sealed.ACCOUNT)) == right
    text = kept.read_text()
    for damaged in ("", text[:-3], text.replace("chief", "thief"), text.partition("\n")[0] + "\n", "a b c d e\n"):
        kept.write_text(damaged)
        assert dict(LastStates(work.ledger, work.states.marks, office.folder).last(Sealed.ACCOUNT)) == right
        assert kept.read_text() == text


# -- the register of decisions


def _other_party(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        db.execute(update(REGISTER_ENTRIES).values(organisation_id="O2", site_id="S2"))


def _forged(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        row = dict(db.execute(select(REGISTER_ENTRIES)).mappings().one())
        db.execute(insert(REGISTER_ENTRIES).values({**row, "entry_id": "R-forged", "case_id": "HF-2026-000777"}))


def _without_appeal(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        db.execute(update(REGISTER_ENTRIES).values(appeal="rejected"))


def _removed(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        db.execute(update(REGISTER_ENTRIES).values(removed_ns=1, removal_reason="-"))


def _emptied(office: Office) -> None:
    with office.work.store._writer.begin() as db:
        empty = {"organisation_id": "", "site_id": "", "outcome": None, "legal_basis": "[]", "appeal": "none"}
        db.execute(update(REGISTER_ENTRIES).values(**empty))


@pytest.mark.parametrize("changed", [_other_party, _forged, _without_appeal, _removed, _emptied])
def test_an_entry_is_shown_only_as_it_was_sealed(entered: Office, changed: Callable[[Office], None]) -> None:
    """Neither in a list, nor by a name, nor in a table; and the check of the log tells."""
    office = entered
    assert len(office.work.register_entries()) == 1
    changed(office)
    office.reopen()
    with pytest.raises(AlteredRecord, match="of the register of decisions"):
        office.work.register_entries(expired=True)
    code, told = verified(office)
    assert code == 3
    assert "of the register of decisions" in told


def test_a_removed_entry_does_not_come_back(entered: Office) -> None:
    """The appeal was upheld; somebody puts the old row and its words back, and takes the leaves out."""
    office = entered
    with office.work.store._writer.begin() as db:
        row = dict(db.execute(select(REGISTER_ENTRIES)).mappings().one())
        words = [dict(one) for one in db.execute(select(SEARCH_WORDS)).mappings()]
    case = row["case_id"]
    office.do("officer", case, acts.FileAppeal(received_ns=office.work.now_ns(), body="court", grounds="a cold store"))
    office.do("court", case, acts.AdmitAppeal(admitted=True, reason="no fault of its own"))
    office.do("court", case, acts.DecideAppeal(outcome=acts.AppealOutcome.UPHELD, reason="it is a cold store"))
    assert office.work.register_entries() == ()
    assert verified(office)[0] == 0
    with office.work.store._writer.begin() as db:
        db.execute(delete(REGISTER_ENTRIES))
        db.execute(insert(REGISTER_ENTRIES).values(row))
        db.execute(delete(SEARCH_WORDS))
        db.execute(insert(SEARCH_WORDS), words)
        later = LEAVES.c.leaf_id.in_(
            [one.leaf_id for one in office.work.store.leaves(beginning=f"register/{row['entry_id']}/")][1:]
        )
        db.execute(delete(DISCLOSURES).where(DISCLOSURES.c.leaf_id.in_(select(LEAVES.c.leaf_id).where(later))))
        db.execute(delete(LEAVES).where(later))
    with pytest.raises(AlteredRecord, match="of the register of decisions"):
        office.reopen().register_entries()


def test_an_entry_that_is_taken_out_is_told(entered: Office) -> None:
    with entered.work.store._writer.begin() as db:
        db.execute(delete(REGISTER_ENTRIES))
    code, told = verified(entered)
    assert code == 3
    assert "is in the log, and not in the database" in told


def _unsealed(office: Office) -> None:
    """As an older Headframe left it: no leaf says what the entry is."""
    before = LastStates.last
    office.work.states.last = (  # type: ignore[method-assign]
        lambda of: {} if of is Sealed.REGISTER else before(office.work.states, of)
    )


@pytest.mark.parametrize("changed", [_other_party, _forged, _without_appeal, _removed, _emptied])
def test_an_entry_without_a_leaf_is_held_against_its_case(entered: Office, changed: Callable[[Office], None]) -> None:
    """It says what its case says, or it is not shown."""
    office = entered
    _unsealed(office)
    (entry,) = office.work.register_entries()
    assert entry.organisation_id == "O1"
    changed(office)
    with pytest.raises(AlteredRecord, match="of the register of decisions"):
        office.work.register_entries(expired=True)


def test_an_older_entry_of_a_case_that_was_destroyed_is_still_shown(
    entered: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Papers, findings and entries may outlive their case; one of a case that never was does not."""
    office = entered
    _unsealed(office)
    store = office.work.store
    (entry,) = office.work.register_entries()
    monkeypatch.setattr(type(store), "events", lambda _self, _case: ())
    monkeypatch.setattr(type(store), "was_destroyed", lambda _self, _case: True)
    assert office.work.register_entries() == (entry,)
    _forged(office)
    with pytest.raises(AlteredRecord, match="HF-2026-000777"):
        office.work.register_entries()


# -- an older copy


def test_accounts_and_entries_of_an_older_copy_are_right_again_when_it_is_said(entered: Office) -> None:
    """Also for the administrator whose own token is older; what somebody put into that copy is not."""
    office = entered
    (entry,) = office.work.register_entries()
    office.work.add_account(administrator(office), "admin2", "drc", [Duty.ADMINISTER], office.folder / "a2.token")
    copy = office.folder.parent / "copy.db"
    office.work.store.backup(copy)
    admin = administrator(office)
    office.work.renew_token(admin, "chief", office.folder / "chief.token")
    office.work.renew_token(admin, "admin", office.folder / "admin-2.token")
    office.work.add_account(admin, "late", "drc", [Duty.DECIDE], office.folder / "late.token")
    office.do(
        "officer", entry.case_id, acts.FileAppeal(received_ns=office.work.now_ns(), body="court", grounds="a store")
    )
    office.work.close()
    for name in ("headframe.db-wal", "headframe.db-shm"):
        (office.folder / name).unlink(missing_ok=True)
    shutil.copy(copy, office.folder / "headframe.db")
    office.reopen()
    change(office, "second", token_sha256="0" * 64)
    with pytest.raises(AlteredRecord):
        office.work.acting("chief", office.tokens["chief"])
    with pytest.raises(AlteredRecord):
        office.work.register_entries()
    with pytest.raises(AlteredRecord):
        administrator(office)
    token = read_token(office.folder / "admin.token")
    with pytest.raises(NotAllowed):
        office.work.acting("second", office.tokens["second"], restored=True)
    admin = office.work.acting("admin", token, restored=True)
    say_restored(office.work, admin, "backup of Monday")
    assert office.work.acting("admin", token) == admin
    assert office.work.acting("chief", office.tokens["chief"]).name == "chief"
    assert office.work.register_entries() == (entry,)
    office.work.add_account(admin, "late", "drc", [Duty.DECIDE], office.folder / "late-2.token")
    code, told = verified(office)
    assert code == 3
    assert "account second" in told
    assert "account chief" not in told
