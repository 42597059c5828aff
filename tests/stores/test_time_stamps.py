"""RFC 3161 time-stamps, against an authority of our own."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from stores.time_stamp_authority import Authority, missing

from headframe.ledger.bundle import State
from headframe.ledger.note import ED25519, Signer
from headframe.stores.bundles import make_bundle, verify_bundle
from headframe.stores.ledger_files import Ledger
from headframe.stores.time_stamps import BadTimeStamp, check_time_stamp, request_for

LOG = Signer("log.example/a", ED25519, bytes(32))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if why := missing():
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return Authority(tmp_path_factory.mktemp("tsa") / "a")


def test_an_answer_holds_for_what_was_stamped(authority: Authority) -> None:
    """And tells when."""
    answer = authority.answer(request_for(b"message"))
    moment = check_time_stamp(answer, b"message", [authority.root])
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60


def test_an_answer_does_not_hold_for_anything_else(authority: Authority, tmp_path: Path) -> None:
    """Another message, another authority, a changed bit, noise, no certificate: each is refused with words."""
    answer = authority.answer(request_for(b"message"))
    other = Authority(tmp_path / "other", "Another")
    middle = len(answer) - 20
    for data, message, roots in [
        (answer, b"another", [authority.root]),
        (answer, b"message", [other.root]),
        (answer[:middle] + bytes([answer[middle] ^ 1]) + answer[middle + 1 :], b"message", [authority.root]),
        (answer[:-5], b"message", [authority.root]),
        (b"noise", b"message", [authority.root]),
        (answer, b"message", []),
        (answer, b"message", [b"not PEM"]),
    ]:
        with pytest.raises(BadTimeStamp):
            check_time_stamp(data, message, roots)


def test_a_bundle_with_a_time_stamp(authority: Authority, tmp_path: Path) -> None:
    """The checkpoint is what is stamped; the reader gives the authority's root."""
    ledger = Ledger.create(tmp_path / "ledger", [LOG])
    stamp = authority.answer(request_for(ledger.note))
    wrong = authority.answer(request_for(b"something else"))
    for name, given, roots, state in [
        ("good", stamp, [authority.root], State.OK),
        ("unknown", stamp, [], State.NOT_CHECKED),
        ("wrong.zip", wrong, [authority.root], State.FAILED),
    ]:
        path = tmp_path / name
        make_bundle(path, subject="x", made_ns=1, ledger=ledger, signers=[LOG], leaves=[], time_stamp=given)
        report = verify_bundle(path, [LOG.verifier], authorities=roots)
        assert {check.name: check.state for check in report.checks}["time-stamp"] == state
        assert report.sound == (state != State.FAILED)
