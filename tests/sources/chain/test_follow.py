"""Following: addresses taken apart, several sources at once, patience with those that go away, and an end."""

import random
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import HeadframeError
from headframe.records.block import Block
from headframe.sources.chain import follow as module
from headframe.sources.chain.follow import Backoff, FollowOptions, follow, parse_address


def block(height: int, *, arrival: int | None = 1, source: str = "a") -> Block:
    """A block."""
    return Block(chain="XMR", height=height, header_time_ns=0, arrival_time_ns=arrival, clock_source=source)


class Scripted:
    """A source that does what its script says: gives blocks, or raises."""

    steady = True
    chain = "XMR"

    def __init__(self, script: Sequence[list[Block] | Exception], name: str = "a", past: int = 0) -> None:
        self.clock_source = name
        self._script = list(script)
        self._past = past
        self.opened = 0
        self.closed = False
        self.filled: list[int] = []

    def open(self) -> None:
        self.opened += 1
        if self._script and isinstance(self._script[0], OSError) and str(self._script[0]) == "at open":
            raise self._script.pop(0)  # type: ignore[misc]

    def back_fill(self, count: int) -> list[Block]:
        self.filled.append(count)
        return [block(height, arrival=None) for height in range(min(count, self._past))]

    def wait(self) -> list[Block]:
        time.sleep(0.002)
        if not self._script:
            return []
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits a thousand times shorter than the real ones."""
    monkeypatch.setattr(module, "NODE_BACKOFF_S", (0.001, 0.06))


def run(*sources: Scripted, write: Callable[[Sequence[Block]], None] | None = None, **how: object) -> tuple:
    """Follow; gives the number, the heights written, and what was said."""
    written: list[Block] = []
    notes: list[str] = []
    number = follow(
        sources,
        write=write or written.extend,
        stop=how.pop("stop", None) or threading.Event(),  # type: ignore[arg-type]
        rng=random.Random(1),
        monotonic_s=time.monotonic,
        note=notes.append,
        **how,  # type: ignore[arg-type]
    )
    assert all(source.closed for source in sources)
    return number, [one.height for one in written], notes


def test_it_ends_after_so_many_blocks() -> None:
    """Counted are those that were heard as they came; past ones come first and do not count."""
    source = Scripted([[block(7)], [], [block(8), block(9), block(10)]], past=2)
    number, heights, _ = run(source, back_fill=5, count=3)
    assert (number, heights) == (3, [0, 1, 7, 8, 9])
    assert source.filled == [5]


def test_it_ends_after_so_long() -> None:
    """With nothing heard as well."""
    begun = time.monotonic()
    assert run(Scripted([]), duration_s=0.3)[:2] == (0, [])
    assert 0.25 < time.monotonic() - begun < 4


def test_it_ends_when_told_and_keeps_what_was_heard() -> None:
    """Blocks that wait for the writer at the end are written."""
    stop = threading.Event()
    written: list[Block] = []

    def slow(blocks: Sequence[Block]) -> None:
        written.extend(blocks)
        time.sleep(0.2)  # meanwhile the others come in
        stop.set()

    assert run(Scripted([[block(height)] for height in range(5)]), write=slow, stop=stop)[0] == 5
    assert [one.height for one in written] == [0, 1, 2, 3, 4]


def test_several_sources_at_once() -> None:
    """Each has its own thread; the writer gets one after another."""
    sources = [Scripted([[block(height, source=name)] for height in range(20)], name) for name in "abc"]
    threads: set[int] = set()
    seen: list[Block] = []

    def write(blocks: Sequence[Block]) -> None:
        threads.add(threading.get_ident())
        seen.extend(blocks)

    run(*sources, write=write, count=60)
    assert threads == {threading.get_ident()}
    for name in "abc":
        assert [one.height for one in seen if one.clock_source == name] == list(range(20))


def test_a_source_that_goes_away_is_tried_again() -> None:
    """It is opened again, the user is told each time, and the past is fetched once."""
    away = [ConnectionError("gone"), OSError("at open"), OSError("at open"), ValueError("nonsense")]
    source = Scripted([[block(1)], *away, [block(5)]], past=1)
    number, heights, notes = run(source, count=2, back_fill=1)
    assert (number, heights) == (2, [0, 1, 5])
    assert source.opened == 5
    assert source.filled == [1]
    assert [words.partition(";")[0] for words in notes] == ["gone", "at open", "at open", "nonsense"]
    assert all("next try in" in words for words in notes)


def test_a_source_that_refuses_is_not_tried_again() -> None:
    """The last one's words are the end; while there are others they go on."""
    with pytest.raises(HeadframeError, match="go away"):
        run(Scripted([[block(1)], HeadframeError("go away")]))
    refusing = Scripted([HeadframeError("go away")], "b")
    _, heights, notes = run(Scripted([[], [], [], [block(1)], [block(2)]]), refusing, count=2)
    assert heights == [1, 2]
    assert notes == ["go away; the others go on"]
    assert refusing.opened == 1


def test_nonsense_at_first_contact_is_the_wrong_server() -> None:
    """A server that never said anything sensible is not asked again."""
    source = Scripted([ValueError("no JSON-RPC")])
    with pytest.raises(ValueError, match="no JSON-RPC"):
        run(source)
    assert source.opened == 1


def test_a_writer_that_fails_ends_it() -> None:
    """Blocks that cannot be kept are not worth waiting for; the sources are closed."""
    source = Scripted([[block(1)]])

    def full(blocks: Sequence[Block]) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(source, write=full)
    time.sleep(0.05)
    assert source.closed


def test_waits_double_vary_and_begin_anew() -> None:
    """Around 1, 2, 4 ... 60 s, give or take a half; after a success from the beginning; repeatable by its seed."""
    backoff = Backoff(1.0, 60.0, random.Random(4))
    waits = [backoff.failed() for _ in range(2_000)]
    for at, mean_s in enumerate((1, 2, 4, 8, 16, 32, 60, 60)):
        assert 0.5 * mean_s <= waits[at] <= 1.5 * mean_s
    assert len({round(wait_s, 6) for wait_s in waits}) > 1_900
    assert max(waits) <= 90
    backoff.succeeded()
    assert backoff.failed() <= 1.5
    again = Backoff(1.0, 60.0, random.Random(4))
    assert [again.failed() for _ in range(5)] == waits[:5]


@pytest.mark.parametrize(
    ("text", "kind", "place", "chain", "login"),
    [
        ("bitcoin+http://u:p%40@10.0.0.1", "bitcoin", "bitcoind 10.0.0.1:8332", "", ("u", "p@")),
        ("bitcoin+https://h.example:1/wallet#ltc", "bitcoin", "bitcoind h.example:1", "LTC", ("", "")),
        ("monero+http://[::1]", "monero", "monerod [::1]:18081", "", ("", "")),
        ("ethereum+https://h:8545/v3#ETC", "ethereum", "ethereum node h:8545", "ETC", ("", "")),
        ("stratum+tcp://pool.example:3333", "pool", "pool pool.example:3333", "", ("", "")),
        ("STRATUM+SSL://Pool.Example:443/", "pool", "pool pool.example:443", "", ("", "")),
    ],
)
def test_an_address_is_taken_apart(text: str, kind: str, place: str, chain: str, login: tuple[str, str]) -> None:
    """Scheme, host, usual port, chain, and a login that is in no name."""
    address = parse_address(text)
    assert (address.kind, address.place, address.chain, (address.user, address.password)) == (kind, place, chain, login)
    assert address.tls == ("ssl" in text.lower() or "https" in text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://u:secret@h:1", "is no address of a clock"),
        ("bitcoin+http://", "is no address of a clock"),
        ("stratum+tcp://pool.example", "has no port"),
        ("stratum+tcp://secret@pool.example:1", "--login"),
        ("monero+http://u:secret@h:99999", "cannot be read"),
        ("monero+http://h:1?zmq=1", "question mark"),
        ("monero+http://h:1#a/b", "ticker symbol"),
        ("monero+http://u:secret@ h", "without blanks"),
        ("", "is no address"),
    ],
)
def test_what_is_no_address_is_an_error_without_the_secret(text: str, words: str) -> None:
    """The message shows what came, but no password."""
    with pytest.raises(ValueError, match=words) as error:
        parse_address(text)
    assert "secret" not in str(error.value)


@given(st.text(max_size=40), st.sampled_from(["", "bitcoin+http://", "stratum+tcp://", "monero+http://[", "x://a:b@"]))
def test_any_text_is_an_address_or_a_value_error(text: str, scheme: str) -> None:
    """Nothing else comes out."""
    try:
        address = parse_address(scheme + text)
    except ValueError:
        return
    assert address.host
    assert 0 < address.port < 65_536


def test_a_login_is_in_no_representation() -> None:
    """Nor in that of the options."""
    assert "secret" not in repr(FollowOptions(login="secret", password="secret"))
    assert "secret" not in repr(parse_address("bitcoin+http://secret:secret@h:1"))
