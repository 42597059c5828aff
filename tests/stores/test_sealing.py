"""Sealed addresses: opened for a reason that is noted first, bound to their contact, and gone with their key."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headframe.cases.store import AccessEntry
from headframe.errors import UnreadableInput
from headframe.records.lawful import Contact, ContactRole
from headframe.stores.key_files import KeyGone, Keyring
from headframe.stores.sealing import ContactSealer, NoReason


@pytest.fixture
def sealer(tmp_path: Path) -> ContactSealer:
    return ContactSealer(Keyring(tmp_path / "keys"))


def contact(number: str = "C1", **more: str) -> Contact:
    return Contact(
        contact_id=number, role=ContactRole.LEGAL, channel="post", sealed_address=b"", key_id="", site_id="A", **more
    )


def opened(sealer: ContactSealer, sealed: Contact, log: list[AccessEntry] | None = None) -> str:
    note = (log if log is not None else []).append
    return sealer.open_address(sealed, reason="notice of HF-2026-000001", account="clerk", at_ns=7, note=note)


def test_an_address_is_sealed_and_opened(sealer: ContactSealer) -> None:
    """Nothing of it is in the record; the access says who, what, when and why."""
    sealed = sealer.seal(contact(), "Quarry Lane 5")
    assert b"Quarry" not in sealed.sealed_address
    assert "Quarry" not in repr(sealed)
    log: list[AccessEntry] = []
    assert opened(sealer, sealed, log) == "Quarry Lane 5"
    (one,) = log
    assert (one.account, one.what, one.at_ns, one.reason, one.second_account) == (
        "clerk", "contact C1", 7, "notice of HF-2026-000001", "",
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(max_size=300))
def test_any_address_comes_back(sealer: ContactSealer, address: str) -> None:
    """Any script, any length; and the sealed length tells no more than its block of 64 bytes."""
    sealed = sealer.seal(contact(), address)
    assert opened(sealer, sealed) == address
    assert (len(sealed.sealed_address) - 32) % 64 == 0


def test_each_seal_has_its_own_key(sealer: ContactSealer) -> None:
    """So that erasing one address erases no other; the same address looks different each time."""
    one, two = sealer.seal(contact("C1"), "x"), sealer.seal(contact("C2"), "x")
    assert one.key_id != two.key_id
    assert one.sealed_address[16:] != two.sealed_address[16:]
    assert sealer.erase([one.key_id, ""]) == (one.key_id,)
    with pytest.raises(KeyGone):
        opened(sealer, one)
    assert opened(sealer, two) == "x"
    assert sealer.erase([one.key_id]) == ()


def test_what_cannot_be_noted_is_not_opened(sealer: ContactSealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log comes first: where it fails, no key is touched."""
    sealed = sealer.seal(contact(), "x")
    monkeypatch.setattr(sealer.keys, "key", lambda *_: pytest.fail("the key was touched"))

    def full(_: AccessEntry) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        sealer.open_address(sealed, reason="r", account="clerk", at_ns=1, note=full)


@pytest.mark.parametrize(("reason", "account"), [("", "clerk"), (" \n", "clerk"), ("because", ""), ("because", " ")])
def test_nobody_reads_without_a_reason(sealer: ContactSealer, reason: str, account: str) -> None:
    """And no reader is unknown; neither is noted as an access, for there was none."""
    sealed = sealer.seal(contact(), "x")
    log: list[AccessEntry] = []
    with pytest.raises(NoReason):
        sealer.open_address(sealed, reason=reason, account=account, at_ns=1, note=log.append)
    assert log == []


def test_an_attempt_on_what_is_gone_is_noted(sealer: ContactSealer) -> None:
    """Whoever asks for an erased address has asked."""
    sealed = sealer.seal(contact(), "x")
    sealer.erase([sealed.key_id])
    log: list[AccessEntry] = []
    with pytest.raises(KeyGone):
        opened(sealer, sealed, log)
    assert len(log) == 1
    with pytest.raises(KeyGone, match="never sealed"):
        opened(sealer, contact())


@pytest.mark.parametrize(
    "change",
    [
        {"contact_id": "C2"},
        {"site_id": "B"},
        {"organisation_id": "O"},
        {"channel": "mail"},
        {"role": ContactRole.BILLING},
    ],
)
def test_an_address_cannot_be_put_under_another_contact(sealer: ContactSealer, change: dict[str, object]) -> None:
    """Whoever changes the database sends no letter elsewhere unnoticed."""
    sealed = sealer.seal(contact(), "x")
    with pytest.raises(UnreadableInput, match="altered, or sealed for another contact"):
        opened(sealer, replace(sealed, **change))  # type: ignore[arg-type]


def test_ids_do_not_run_into_each_other(sealer: ContactSealer) -> None:
    """The border between what is bound is part of it."""
    sealed = sealer.seal(replace(contact("C"), site_id="1A"), "x")
    with pytest.raises(UnreadableInput):
        opened(sealer, replace(sealed, contact_id="C1", site_id="A"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.data())
def test_every_change_of_the_seal_is_noticed(sealer: ContactSealer, data: st.DataObject) -> None:
    """Bytes changed or cut anywhere."""
    sealed = sealer.seal(contact(), "Quarry Lane 5")
    content = bytearray(sealed.sealed_address)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    with pytest.raises(UnreadableInput):
        opened(sealer, replace(sealed, sealed_address=bytes(content)))


def test_keys_without_a_contact_are_found(sealer: ContactSealer) -> None:
    """What an import left that died between its keys and its transaction."""
    kept, lost = sealer.seal(contact("C1"), "x"), sealer.seal(contact("C2"), "y")
    assert sealer.orphans([kept.key_id]) == (lost.key_id,)
    sealer.erase(sealer.orphans([kept.key_id]))
    assert sealer.orphans([kept.key_id]) == ()
    assert opened(sealer, kept) == "x"


def test_addresses_outlive_a_rotation(sealer: ContactSealer) -> None:
    """The master key changes; what is sealed does not."""
    sealed = sealer.seal(contact(), "x")
    sealer.keys.rotate()
    assert opened(sealer, sealed) == "x"
