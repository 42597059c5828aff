"""Two administrators change accounts at the same time: nothing that one of them did is undone by the other unseen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headframe.cases.store import StaleCase
from headframe.casework import Casework, open_workspace
from headframe.casework.accounts import acting, read_token
from headframe.errors import HeadframeError, NotAllowed
from headframe.records.case import Account, Duty
from tests.casework.office import Office

ADMIN = Account(name="admin", unit="Changping", duties=frozenset({Duty.ADMINISTER}))
OTHER = Account(name="admin2", unit="drc", duties=frozenset({Duty.ADMINISTER}))


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Casework, Casework]]:
    """A workspace that two programs have open, with two administrators and a clerk."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    office = Office(tmp_path / "workspace", database_url=url)
    office.work.add_account(ADMIN, OTHER.name, OTHER.unit, OTHER.duties, tmp_path / "admin2.token")
    office.work.add_account(ADMIN, "clerk", "drc", [Duty.DECIDE], tmp_path / "first.token")
    with open_workspace(office.folder, now_ns=office.clock) as second:
        yield office.work, second
    office.work.close()


def _at_the_last_moment(work: Casework, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let somebody else act once, after a program has begun an act, and before its transaction begins."""
    writing = work.store.writing

    def later(**options: Any) -> Any:
        monkeypatch.setattr(work.store, "writing", writing)
        act()
        return writing(**options)

    monkeypatch.setattr(work.store, "writing", later)


def test_a_new_token_gives_nobody_the_right_to_act_back(
    both: tuple[Casework, Casework], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The token was stolen: one administrator disables the account, and another renews its token."""
    first, second = both
    _at_the_last_moment(second, monkeypatch, lambda: first.disable_account(ADMIN, "clerk"))
    second.renew_token(OTHER, "clerk", tmp_path / "new.token")
    known = first.store.account("clerk")
    assert known is not None
    assert not known.enabled
    with pytest.raises(NotAllowed, match="disabled"):
        second.acting("clerk", read_token(tmp_path / "new.token"))


def test_enabling_brings_no_old_token_back(
    both: tuple[Casework, Casework], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was renewed meanwhile is the token, and the one before is worth nothing."""
    first, second = both
    first.disable_account(ADMIN, "clerk")
    _at_the_last_moment(second, monkeypatch, lambda: first.renew_token(ADMIN, "clerk", tmp_path / "new.token"))
    second.enable_account(OTHER, "clerk")
    assert first.acting("clerk", read_token(tmp_path / "new.token")).name == "clerk"
    with pytest.raises(NotAllowed):
        acting(first.store, "clerk", read_token(tmp_path / "first.token"))


def test_two_administrators_do_not_lock_the_workspace(
    both: tuple[Casework, Casework], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is disabled does nothing more, also where its act had begun before."""
    first, second = both
    _at_the_last_moment(second, monkeypatch, lambda: first.disable_account(OTHER, "admin"))
    with pytest.raises(NotAllowed, match="admin is no administrator, or is disabled"):
        second.disable_account(ADMIN, "admin2")
    assert [one.account.name for one in first.store.accounts() if one.enabled and Duty.ADMINISTER in one.account.duties]
    with pytest.raises(HeadframeError, match="last administrator"):
        second.disable_account(OTHER, "admin2")


def test_a_name_is_given_once(both: tuple[Casework, Casework], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The later one is told, the earlier one's token stays, and no token lies about."""
    first, second = both

    def act() -> None:
        first.add_account(ADMIN, "new", "drc", [Duty.SCREEN], tmp_path / "a.token")

    _at_the_last_moment(second, monkeypatch, act)
    with pytest.raises(HeadframeError, match="account new is there already"):
        second.add_account(OTHER, "new", "nea", [Duty.DECIDE], tmp_path / "b.token")
    assert not (tmp_path / "b.token").exists()
    assert second.acting("new", read_token(tmp_path / "a.token")).duties == {Duty.SCREEN}


def test_a_change_that_is_not_in_the_log_yet_is_waited_for(
    both: tuple[Casework, Casework], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody has written it, and died or not handed it over: it is handed over first, and what it says counts."""
    first, second = both
    monkeypatch.setattr(first, "hand_over", lambda: 0)
    _at_the_last_moment(second, monkeypatch, lambda: first.disable_account(ADMIN, "clerk"))
    second.renew_token(OTHER, "clerk", tmp_path / "new.token")
    known = second.held_account("clerk")
    assert known is not None
    assert not known.enabled
    monkeypatch.setattr(second, "hand_over", lambda: 0)
    first.disable_account(ADMIN, "clerk")
    with pytest.raises(StaleCase, match="Do it again"):
        second.enable_account(OTHER, "clerk")
