"""What is new at a node, when it came, and what is missing: with a node made of a dictionary, and no socket."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.block import Block
from headframe.sources.chain.bitcoin_node import BitcoinNode
from headframe.sources.chain.node_rpc import (
    CATCHING_UP_NS,
    CHECK_EVERY_NS,
    MAX_WALK,
    NS_PER_S,
    PUSH_GRACE_NS,
    Announcement,
    NodeSource,
    check_hash,
    check_int,
    check_object,
    header_time_ns,
)
from tests.chain_servers import Chain, RpcFault, bitcoin_answers

T0_NS = 1_700_000_000 * NS_PER_S


class Bench:
    """A node, a clock that moves when told, and a source between them."""

    def __init__(self, blocks: int = 3, *, pushed: bool = False) -> None:
        self.now_ns = T0_NS
        self.chain = Chain()
        for at in range(blocks):
            self.chain.add(time_s=T0_NS // NS_PER_S - 60 * (blocks - at))
        self.answer: Callable[[str, object], object] = bitcoin_answers(self.chain)
        self.away = False
        self.notes: list[str] = []
        self.pushes: list[Announcement] = []
        self.answer_takes_ns = 0
        self.source = NodeSource(
            BitcoinNode(self.call, place="bitcoind here", chain="BTC"),
            now_ns=lambda: self.now_ns,
            pause=self.pass_time,
            note=self.notes.append,
            poll_s=1.0,
            announcements=self if pushed else None,
        )

    def call(self, method: str, params: object) -> object:
        if self.away:
            raise ConnectionError("bitcoind here cannot be reached")
        self.now_ns += self.answer_takes_ns
        try:
            return self.answer(method, params)
        except RpcFault as fault:
            raise ValueError(f"bitcoind here answers {method} with error {fault.code}: {fault.message}") from fault

    def pass_time(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS_PER_S)

    # the source's `announcements`
    def wait(self, timeout_s: float) -> list[Announcement]:
        self.pass_time(timeout_s)
        came, self.pushes = self.pushes, []
        return came

    def close(self) -> None:
        pass

    def add(self, **how: object) -> str:
        return self.chain.add(time_s=self.now_ns // NS_PER_S, **how)  # type: ignore[arg-type]

    def push(self, block_hash: str) -> None:
        self.pushes.append(Announcement(block_hash, self.now_ns))


def heights(blocks: list[Block]) -> list[int]:
    """Their heights, in the order given."""
    return [block.height for block in blocks]


def test_what_was_there_before_is_no_news() -> None:
    """A source that has just begun does not know when the blocks at hand came, and gives none."""
    bench = Bench()
    bench.source.open()
    assert bench.source.wait() == []
    assert bench.source.chain == "BTC"


def test_a_block_found_by_asking_came_between_two_questions() -> None:
    """The arrival is the last moment without the block, and the resolution reaches to the first moment with it."""
    bench = Bench()
    bench.answer_takes_ns = 1_000_000
    bench.source.open()
    bench.source.wait()
    without_ns = bench.now_ns - 2_000_000  # that answer took two calls: the tip's hash, and its header
    bench.add()
    (block,) = bench.source.wait()
    assert block.height == 3
    assert block.arrival_time_ns == without_ns
    assert bench.now_ns < block.arrival_time_ns + block.resolution_ns <= bench.now_ns + 2 * NS_PER_S
    assert block.header_time_ns == bench.chain.blocks[bench.chain.tip]["time"] * NS_PER_S
    assert block.clock_source == "bitcoind here"
    assert bench.source.wait() == []


def test_blocks_between_two_questions_are_all_found() -> None:
    """From the new tip back to what is known, oldest first; all came within the same interval."""
    bench = Bench()
    bench.source.open()
    for _ in range(4):
        bench.add()
    blocks = bench.source.wait()
    assert heights(blocks) == [3, 4, 5, 6]
    assert len({(block.arrival_time_ns, block.resolution_ns) for block in blocks}) == 1


def test_a_reorganisation_is_passed_on_with_its_own_arrival() -> None:
    """Equal and lower heights come again, as often as the node takes another branch."""
    bench = Bench()
    bench.source.open()
    parent = bench.chain.tip
    first = bench.add()
    assert heights(bench.source.wait()) == [3]
    one = bench.add(parent=parent, salt=1)
    bench.add(parent=one, salt=1)
    again = bench.source.wait()
    assert heights(again) == [3, 4]
    assert again[0].arrival_time_ns is not None
    assert again[0].arrival_time_ns >= T0_NS + NS_PER_S
    # Back to the first branch, which grew: its block 3 is known, 4 and 5 are new.
    bench.add(parent=bench.chain.add(parent=first, time_s=bench.now_ns // NS_PER_S))
    assert heights(bench.source.wait()) == [4, 5]


def test_a_node_that_went_away_leaves_a_gap() -> None:
    """Blocks that came meanwhile have no arrival time, are not made up, and the user is told."""
    bench = Bench()
    bench.source.open()
    bench.away = True
    with pytest.raises(ConnectionError):
        bench.source.wait()
    bench.add()
    bench.add()
    bench.away = False
    bench.source.open()
    assert "up to height 4 came while it could not be asked" in bench.notes[0]
    assert bench.source.wait() == []
    bench.add()
    assert heights(bench.source.wait()) == [5]


def test_a_node_that_catches_up_tells_no_arrival() -> None:
    """A header hours older than its coming was fetched late; its block keeps the header time alone."""
    bench = Bench()
    bench.source.open()
    bench.chain.add(time_s=(bench.now_ns - CATCHING_UP_NS) // NS_PER_S - 60)
    (block,) = bench.source.wait()
    assert (block.height, block.arrival_time_ns) == (3, None)
    assert block.header_time_ns is not None
    assert len(bench.notes) == 1


def test_a_flood_of_blocks_is_a_node_catching_up() -> None:
    """More blocks between two questions than any chain finds: none is given, and the work is bounded."""
    bench = Bench()
    bench.source.open()
    for _ in range(MAX_WALK + 1):
        bench.add()
    assert bench.source.wait() == []
    assert "catching up" in bench.notes[0]
    bench.add()
    assert heights(bench.source.wait()) == [MAX_WALK + 4]


def test_the_resolution_is_the_same_for_all_blocks() -> None:
    """A clock is as coarse as its coarsest time: a slow answer costs the arrival of its block, not that of all."""
    bench = Bench()
    bench.source.open()
    blocks = []
    for answer_takes_s in (0.0, 0.2, 5.0, 0.0):
        bench.answer_takes_ns = round(answer_takes_s * NS_PER_S)
        bench.add()
        blocks += bench.source.wait()
    assert [block.arrival_time_ns is None for block in blocks] == [False, False, True, True]
    assert len({block.resolution_ns for block in blocks if block.arrival_time_ns is not None}) == 1


def test_a_clock_set_back_gives_no_arrival() -> None:
    """An interval that ends before it begins tells nothing."""
    bench = Bench()
    bench.source.open()
    bench.add()
    bench.now_ns -= 60 * NS_PER_S
    (block,) = bench.source.wait()
    assert block.arrival_time_ns is None


def test_a_pushed_block_has_the_time_of_its_push() -> None:
    """However long the node's RPC takes to tell its height."""
    bench = Bench(pushed=True)
    bench.answer_takes_ns = 3 * NS_PER_S
    bench.source.open()
    bench.push(bench.add())
    pushed_ns = bench.now_ns
    (block,) = bench.source.wait()
    assert (block.height, block.arrival_time_ns, block.resolution_ns) == (3, pushed_ns, 1)


def test_a_push_outlives_an_outage_of_the_rpc() -> None:
    """The push is kept with its time until the node can tell the height."""
    bench = Bench(pushed=True)
    bench.source.open()
    bench.push(bench.add())
    pushed_ns = bench.now_ns
    bench.away = True
    for _ in range(3):
        with pytest.raises(ConnectionError):
            bench.source.wait()
    bench.away = False
    bench.source.open()
    (block,) = bench.source.wait()
    assert (block.height, block.arrival_time_ns) == (3, pushed_ns)
    assert bench.notes == []


def test_a_push_may_be_ahead_of_the_rpc() -> None:
    """A node pushes a block that its RPC does not know yet: it is asked again, and the push keeps its time."""
    bench = Bench(pushed=True)
    bench.source.open()
    early, late = bench.add(), bench.add()
    unknown = bench.chain.blocks.pop(early)
    bench.push(early)
    pushed_ns = bench.now_ns
    bench.push(late)
    assert heights(bench.source.wait()) == [4]
    bench.chain.blocks[early] = unknown
    (block,) = bench.source.wait()
    assert (block.height, block.arrival_time_ns) == (3, pushed_ns)
    assert bench.notes == []


def test_a_push_that_comes_twice_is_one_block() -> None:
    """And a push of a block that the node does not know is passed over, with a word."""
    bench = Bench(pushed=True)
    bench.source.open()
    block_hash = bench.add()
    bench.push(block_hash)
    bench.push("ab" * 32)
    bench.push(block_hash)
    assert heights(bench.source.wait()) == [3]
    assert bench.notes == []
    bench.now_ns += PUSH_GRACE_NS
    assert bench.source.wait() == []
    assert bench.source.wait() == []
    assert len(bench.notes) == 1
    assert "Block not found; a pushed BTC block is passed over" in bench.notes[0]


def test_pushes_that_do_not_come_are_noticed() -> None:
    """A wrong --zmq address says nothing by itself; the node's own tip does."""
    bench = Bench(pushed=True)
    bench.source.open()
    bench.add()
    for _ in range(round(2 * (CHECK_EVERY_NS + 2 * PUSH_GRACE_NS) / NS_PER_S)):
        assert bench.source.wait() == []
    assert len(bench.notes) == 1
    assert "no push of it came" in bench.notes[0]


def test_a_late_push_is_no_missing_push() -> None:
    """The node answers with a block a moment before its push comes: the block is given, and nothing is said."""
    bench = Bench(pushed=True)
    bench.source.open()
    block_hash = bench.add()
    bench.now_ns += CHECK_EVERY_NS
    assert bench.source.wait() == []  # the check sees the block
    bench.push(block_hash)
    assert heights(bench.source.wait()) == [3]
    bench.now_ns += 2 * PUSH_GRACE_NS
    bench.source.wait()
    assert bench.notes == []


def test_back_fill_gives_header_times_alone() -> None:
    """Nobody noted when they came."""
    bench = Bench(blocks=5)
    bench.source.open()
    blocks = bench.source.back_fill(3)
    assert heights(blocks) == [2, 3, 4]
    assert {block.arrival_time_ns for block in blocks} == {None}
    assert [block.header_time_ns for block in blocks] == [T0_NS - 60 * k * NS_PER_S for k in (3, 2, 1)]
    assert heights(bench.source.back_fill(99)) == [0, 1, 2, 3, 4]


def test_a_parent_of_the_wrong_height_is_an_error() -> None:
    """A node that contradicts itself is not believed."""
    bench = Bench()
    bench.source.open()
    parent = bench.add()
    bench.add()
    bench.chain.blocks[parent]["height"] = 7
    with pytest.raises(ValueError, match=r"parent of block \d the height 7"):
        bench.source.wait()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_checks_raise_nothing_but_value_error(value: object) -> None:
    """Whatever a node answers, the fault is one that the follower knows what to do with."""
    for check in (
        lambda: check_int(value, "x", "here"),
        lambda: check_hash(value, "x", "here"),
        lambda: check_object(value, "x", "here", ["height"]),
        lambda: header_time_ns(value, "here"),
    ):
        fault = "here"
        try:
            check()
        except ValueError as error:
            fault = str(error)
        assert "here" in fault
        assert len(fault) < 300
