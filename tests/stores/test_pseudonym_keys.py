"""Pseudonyms by epoch: the same within one, strangers between two, and opened by two accounts with a reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.cases.retention import default_rules, what_goes
from headframe.cases.store import AccessEntry
from headframe.errors import HeadframeError
from headframe.stores.key_files import KeyGone, Keyring
from headframe.stores.pseudonym_keys import EPOCH_DAYS, PseudonymKeys, epoch_of, read_epoch
from headframe.stores.sealing import NoReason

DAY_NS = 86_400_000_000_000
NOW = 20_760 * DAY_NS  # 2026-11-03, the first day of an epoch of 30 days


@pytest.fixture
def pseudonyms(tmp_path: Path) -> PseudonymKeys:
    return PseudonymKeys(Keyring(tmp_path / "keys"))


def ask(keys: PseudonymKeys, pseudonym: str, candidates: list[str], **more: object) -> str | None:
    question: dict[str, object] = {
        "reason": "finding F-1", "account": "clerk", "second_account": "chief", "at_ns": NOW, "note": lambda _: None,
    }  # fmt: skip
    return keys.reidentify(pseudonym, {"address": candidates}, **{**question, **more})  # type: ignore[arg-type]


def test_the_same_within_an_epoch_and_another_in_the_next(pseudonyms: PseudonymKeys) -> None:
    """Findings meet for as long as an epoch lasts; the pseudonym names it, and shows nothing else."""
    first = pseudonyms.pseudonym("address", "10.0.0.1", NOW)
    assert first == pseudonyms.pseudonym("address", "10.0.0.1", NOW + EPOCH_DAYS * DAY_NS - 1)
    assert first == PseudonymKeys(Keyring(pseudonyms.keys.folder)).pseudonym("address", "10.0.0.1", NOW)
    assert first.startswith("#2026-11-03+30.")
    later = pseudonyms.pseudonym("address", "10.0.0.1", NOW + EPOCH_DAYS * DAY_NS)
    assert later.partition(".")[2] != first.partition(".")[2]
    assert [str(epoch) for epoch in pseudonyms.epochs()] == ["2026-11-03+30", "2026-12-03+30"]


def test_different_things_have_different_pseudonyms(pseudonyms: PseudonymKeys, tmp_path: Path) -> None:
    """Other identities, other kinds, other workspaces."""
    names = {
        pseudonyms.pseudonym("address", "10.0.0.1", NOW),
        pseudonyms.pseudonym("address", "10.0.0.2", NOW),
        pseudonyms.pseudonym("usage_point", "10.0.0.1", NOW),
        PseudonymKeys(Keyring(tmp_path / "other")).pseudonym("address", "10.0.0.1", NOW),
    }
    assert len(names) == 4


def test_two_accounts_open_a_pseudonym(pseudonyms: PseudonymKeys) -> None:
    """With a reason; the access names both, the pseudonym, and not what stood behind it."""
    name = pseudonyms.pseudonym("address", "10.0.0.1", NOW)
    log: list[AccessEntry] = []
    assert ask(pseudonyms, name, ["10.0.0.2", "10.0.0.1", "10.0.0.1"], note=log.append) == "10.0.0.1"
    (one,) = log
    assert (one.account, one.second_account, one.reason, one.what) == (
        "clerk", "chief", "finding F-1", f"pseudonym {name}",
    )  # fmt: skip
    assert "10.0.0.1" not in repr(one)
    assert ask(pseudonyms, name, ["10.0.0.2"], note=log.append) is None
    assert len(log) == 2, "an attempt that finds nothing is one as well"


@pytest.mark.parametrize(
    "wrong",
    [
        {"second_account": "clerk"},
        {"second_account": " CLERK "},
        {"second_account": ""},
        {"account": ""},
        {"reason": "  "},
    ],
)
def test_one_account_is_not_enough(pseudonyms: PseudonymKeys, wrong: dict[str, str]) -> None:
    """Nor one under two spellings, nor two without a reason; the key is not touched."""
    name = pseudonyms.pseudonym("address", "10.0.0.1", NOW)
    log: list[AccessEntry] = []
    with pytest.raises(NoReason):
        ask(pseudonyms, name, ["10.0.0.1"], note=log.append, **wrong)
    assert log == []


def test_what_cannot_be_noted_is_not_told(pseudonyms: PseudonymKeys) -> None:
    """The access comes before the key."""
    name = pseudonyms.pseudonym("address", "10.0.0.1", NOW)

    def full(_: AccessEntry) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        ask(pseudonyms, name, ["10.0.0.1"], note=full)


def test_a_destroyed_epoch_stays_a_secret(pseudonyms: PseudonymKeys) -> None:
    """Nobody can ask any more, and no clock that goes back makes its key again."""
    name = pseudonyms.pseudonym("address", "10.0.0.1", NOW)
    (epoch,) = pseudonyms.epochs()
    with pytest.raises(HeadframeError, match="is not over"):
        pseudonyms.destroy(epoch, epoch.until_ns - 1)
    assert pseudonyms.destroy(epoch, epoch.until_ns)
    assert not pseudonyms.destroy(epoch, epoch.until_ns)
    with pytest.raises(KeyGone, match="nobody can tell any more"):
        ask(pseudonyms, name, ["10.0.0.1"])
    with pytest.raises(KeyGone, match="not made again"):
        PseudonymKeys(Keyring(pseudonyms.keys.folder)).pseudonym("address", "10.0.0.1", NOW)


def test_an_unknown_epoch_makes_no_key(pseudonyms: PseudonymKeys) -> None:
    """Asking for a pseudonym of another workspace leaves no trace in the keys."""
    pseudonyms.pseudonym("address", "10.0.0.1", NOW)
    with pytest.raises(KeyGone):
        ask(pseudonyms, "#2020-01-01+30.0000000000000000", ["10.0.0.1"])
    assert len(pseudonyms.epochs()) == 1


@pytest.mark.parametrize(
    "text",
    ["", "#1a2b", "10.0.0.1", "#2026-11-03+30.1a2b", "#2026-11-03+0.1a2b3c4d5e6f7a8b", "#../x+1.1a2b3c4d5e6f7a8b"],
)
def test_what_is_no_pseudonym_is_said(pseudonyms: PseudonymKeys, text: str) -> None:
    """With one that is."""
    with pytest.raises(ValueError, match="expected #2026-11-03"):
        ask(pseudonyms, text, [])


@given(st.integers(0, 2**62), st.integers(1, 400))
def test_epochs_cut_time_without_gaps(at_ns: int, days: int) -> None:
    """Every instant is in one epoch, which begins at midnight UTC; its end is in the next."""
    epoch = epoch_of(at_ns, days)
    assert epoch.first_day * DAY_NS <= at_ns < epoch.until_ns
    assert epoch_of(epoch.until_ns, days).first_day == epoch.first_day + days
    assert epoch_of(epoch.first_day * DAY_NS, days) == epoch


def test_changing_the_length_leaves_old_pseudonyms(pseudonyms: PseudonymKeys) -> None:
    """They are of another epoch, and can still be asked for."""
    name = pseudonyms.pseudonym("address", "10.0.0.1", NOW)
    weekly = PseudonymKeys(pseudonyms.keys, days=7)
    assert weekly.pseudonym("address", "10.0.0.1", NOW) != name
    assert ask(weekly, name, ["10.0.0.1"]) == "10.0.0.1"
    with pytest.raises(ValueError, match="expected 1 to"):
        epoch_of(NOW, 0)


def test_keys_go_by_the_rules_of_retention(pseudonyms: PseudonymKeys) -> None:
    """Half a year after their epoch, and not before; what the plan names can be destroyed."""
    pseudonyms.pseudonym("address", "10.0.0.1", NOW)
    (one,) = pseudonyms.retained()
    due = (20_760 + EPOCH_DAYS + 180) * DAY_NS
    assert what_goes([one], default_rules(), [], due - 1).goes == ()
    (going,) = what_goes([one], default_rules(), [], due).goes
    assert pseudonyms.destroy(read_epoch(going.item.item_id), due)
    assert pseudonyms.retained() == ()
