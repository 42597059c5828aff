"""Share accounting: which share was answered how, and what each was worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.detectors.network.stratum.dialects import share_verdict
from headframe.detectors.network.stratum.difficulty import bits_difficulty, from_compact_target, from_target_256
from headframe.detectors.network.stratum.shares import MAX_SHARES, NAMES, ShareBook
from tests.detectors.network.stratum.dialect_talks import cryptonote, stratum_v1
from tests.detectors.network.stratum.talk import Talk, hear, report


@pytest.mark.parametrize(
    ("result", "error", "verdict"),
    [
        (True, None, "accepted"),
        ({"status": "OK"}, None, "accepted"),
        ("accepted", None, "accepted"),
        (False, None, "rejected"),
        (None, [21, "Job not found (=stale)", None], "stale"),
        (None, [21, "whatever", None], "stale"),
        (None, [20, "Stale share", None], "stale"),
        (None, [23, "Low difficulty share", None], "rejected"),
        (None, [21, "low difficulty", None], "rejected"),
        (None, [22, "Duplicate share", None], "rejected"),
        (None, [24, "Unauthorized worker", None], "rejected"),
        (None, {"code": -1, "message": "Block expired"}, "stale"),
        (None, {"code": -1, "message": "Low difficulty share"}, "rejected"),
        (None, {"code": 21, "message": "x"}, "stale"),
        (None, "stale-work", "stale"),
        ({"status": "STALE"}, None, "stale"),
        (True, [], "accepted"),
    ],
)
def test_verdicts(result: object, error: object, verdict: str) -> None:
    """Words go before codes; 21 is stale; too low a difficulty is rejected whatever the code."""
    assert share_verdict(result, error) == verdict


def submit(identifier: object, nonce: int, job: str = "j1") -> dict[str, object]:
    return {"id": identifier, "method": "mining.submit", "params": ["w", job, "00", "5f5e1000", f"{nonce:08x}"]}


def test_answers_find_their_shares_in_any_order() -> None:
    """Answers out of order, ids as text, errors among them."""
    talk = stratum_v1()
    talk.c(submit(50, 100), submit("51", 101), submit(52, 102), submit(53, 103))
    talk.s({"id": 52, "result": None, "error": [21, "stale", None]}, {"id": 50, "result": True, "error": None})
    talk.s({"id": 51, "result": None, "error": [23, "low difficulty", None]})
    shares = report(talk).findings[0].shares
    assert (shares.accepted, shares.rejected, shares.stale, shares.unanswered) == (6, 1, 1, 1)


def test_a_share_sent_twice_is_one_share() -> None:
    """The application repeats itself; the pool's complaint about the duplicate does not undo the acceptance."""
    talk = stratum_v1()
    talk.c(submit(60, 200)).s({"id": 60, "result": True, "error": None})
    talk.c(submit(61, 200)).s({"id": 61, "result": None, "error": [22, "Duplicate share", None]})
    shares = report(talk).findings[0].shares
    assert (shares.accepted, shares.rejected) == (6, 0)
    assert hear(talk).book.repeated == 1


def test_one_id_for_everything_is_answered_in_turn() -> None:
    """Some miners number every message 1: answers come in order, so the second refusal is of the second share."""
    talk = cryptonote()
    base = len(hear(talk).book)
    for nonce in (700, 701, 702):
        talk.c(
            {
                "id": 1,
                "method": "submit",
                "params": {"id": "s1", "job_id": "a1", "nonce": f"{nonce:08x}", "result": "ab" * 32},
            }
        )
    ok, bad = (
        {"id": 1, "error": None, "result": {"status": "OK"}},
        {"id": 1, "error": {"code": -1, "message": "Low difficulty"}},
    )
    talk.s(ok, bad, ok)
    assert [NAMES[state] for state in hear(talk).book.state[base:]] == ["accepted", "rejected", "accepted"]


def test_a_share_counts_with_the_difficulty_of_its_job() -> None:
    """A share for the job before the change is worth what that job asked for."""
    talk = stratum_v1()
    talk.s({"id": None, "method": "mining.set_difficulty", "params": [131072]})
    notify = ["j2", "00" * 32, "01", "ff", [], "20000000", "17103a15", "5f5e1000", True]
    talk.s({"id": None, "method": "mining.notify", "params": notify})
    talk.c(submit(70, 1000, "j1"), submit(71, 1001, "j2"), submit(72, 1002, "unknown"))
    assert list(hear(talk).book.worth)[-3:] == [-65536.0, -131072.0, -131072.0]


def test_rejected_shares_do_not_count_towards_the_rate() -> None:
    """Stale ones do: the work was done."""
    talk = cryptonote()
    rate = report(talk).findings[0].hashrate_hs
    talk.said[-3:-3] = []
    more = Talk(server_port=14444, said=list(talk.said), now_s=talk.now_s)
    for nonce in range(900, 905):
        more.says(
            True,
            {
                "id": nonce,
                "method": "submit",
                "params": {"id": "s1", "job_id": "a1", "nonce": f"{nonce:08x}", "result": "cd" * 32},
            },
        )
        more.says(False, {"id": nonce, "error": {"code": -1, "message": "Low difficulty share"}})
    finding = report(more).findings[0]
    assert finding.shares.rejected == 5
    assert rate is not None
    assert finding.hashrate_hs is not None
    assert finding.hashrate_hs.estimate == pytest.approx(rate.estimate, rel=0.01)


def test_silence_is_absence_not_bad_luck() -> None:
    """A machine that slept for two hours in mid-session has the rate it had while awake."""
    talk = cryptonote()
    awake = report(talk).findings[0].hashrate_hs
    again = [
        (side, seconds + 7200.0, data.replace(b'"nonce": "0000', b'"nonce": "9999'))
        for side, seconds, data in talk.said[2:]
    ]
    both = report(Talk(server_port=14444, said=talk.said + again, now_s=talk.now_s + 7200.0)).findings[0]
    assert both.shares.accepted == 10
    assert awake is not None
    assert both.hashrate_hs is not None
    assert both.hashrate_hs.estimate == pytest.approx(awake.estimate, rel=0.25)
    assert any("absence" in text for text in both.blind_spots)


def test_the_book_is_bounded() -> None:
    """Beyond the limit shares are only counted."""
    book = ShareBook()
    for number in range(MAX_SHARES + 10):
        book.hand_in(number, 1.0, number)
    assert len(book) == MAX_SHARES
    assert book.uncounted == 10
    book.answer(-1, "accepted")


@pytest.mark.parametrize(
    ("target", "hashes"),
    [
        ("b88d0600", 10_000.0),
        ("ffff0300", 16384.0),
        ("ffffffff", 1.0),
        ("0000000000000100", 65536.0),
        ("", None),
        ("zz", None),
        ("00000000", None),
        (7, None),
        (None, None),
    ],
)
def test_compact_targets(target: object, hashes: float | None) -> None:
    """CryptoNote's little-endian targets of 4 and 8 bytes; anything else is not known."""
    worth = from_compact_target(target)
    assert worth == (hashes if hashes is None else pytest.approx(hashes, rel=1e-3))


@given(st.integers(1, 2**31))
def test_compact_target_gives_back_the_difficulty(difficulty: int) -> None:
    """A pool sends (2**64 - 1) // difficulty; the difficulty comes out again."""
    target = ((2**64 - 1) // difficulty).to_bytes(8, "little").hex()
    assert from_compact_target(target) == pytest.approx(difficulty, rel=1e-9)


def test_long_targets_and_bits() -> None:
    """256-bit targets either way round, as text or number; compact bits."""
    assert from_target_256("0x" + "00" * 4 + "ff" * 28) == pytest.approx(2.0**32)
    assert from_target_256("ff" * 28 + "00" * 4, "little") == pytest.approx(2.0**32)
    assert from_target_256(2**224) == 2.0**32
    assert from_target_256("0" * 64) is None
    assert from_target_256(True) is None
    assert from_target_256("not hexadecimal") is None
    assert bits_difficulty("17103a15") == pytest.approx(17.345e12, rel=0.01)
    assert bits_difficulty("zz") is None


def test_an_answer_whose_share_was_lost_still_counts() -> None:
    """With a client's packet missing, ``OK`` to an unknown id is its share's; the hash rate does without it."""
    talk = cryptonote()
    submits = [number for number, (side, _, data) in enumerate(talk.said, 1) if side and b'"submit"' in data]
    session = hear(talk, drop={submits[1]})
    assert session.book.state.count(1) == 5
    assert list(session.book.worth).count(0.0) == 1
    assert session.lost


def test_polls_for_the_same_work_are_one_job() -> None:
    """A miner that asks again and gets what it has is not handed new work."""
    talk = Talk()
    for number in range(5):
        talk.c({"id": number, "method": "eth_getWork", "params": []})
        talk.s({"id": number, "result": ["0x" + "5f" * 32, "0x" + "a7" * 32, "0x00000000" + "ff" * 28]})
    assert len(hear(talk).job_times) == 1
