"""One mining session as a discrete-event simulation: jobs follow blocks, shares follow chance.

A miner of hash rate *H* finds shares of difficulty *D* as a Poisson process of rate *H / D*: each hash wins on its own.
The pool aims at a share interval by changing *D* (vardiff), pushes a job to everyone shortly after each block, and
refreshes jobs in between.
"""

import heapq
import random
from bisect import bisect_right
from dataclasses import dataclass, field

from headframe.simulate.chains import Block
from headframe.simulate.dialects.base import CLIENT, SERVER, Dialect, Outcome
from headframe.simulate.transport import MILLISECOND, Message

SECOND = 1_000_000_000
_RETARGET_S = 60.0
_RETARGET_MAXIMUM_STEP = 4.0
_RETARGET_DEAD_BAND = 1.6
"""Pools leave the difficulty alone while the share rate is within such a factor of their aim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a miner and its pool behave in a session.

    Attributes
    ----------
    hashrate_hs : float
        True hash rate. [hashes/s]
    share_interval_s : float
        Mean time between shares that the pool aims at. [s]
    first_difficulty_factor : float
        First difficulty as a fraction of the one that would meet the aim: pools start low.
    vardiff : bool
        False where the pool keeps the first difficulty.
    fixed_difficulty_hashes : float or None
        Set where the difficulty does not depend on the miner (a chain's own). [hashes]
    refresh_interval_s : float or None
        Mean time between jobs that no block caused. [s]
    rejected, stale : float
        Probability that a share is refused as wrong, or as late, beyond those that really come late.
    rtt_ns : int
        Round trip between the sensor and the pool. [ns]
    """

    hashrate_hs: float
    share_interval_s: float = 12.0
    first_difficulty_factor: float = 0.25
    vardiff: bool = True
    fixed_difficulty_hashes: float | None = None
    refresh_interval_s: float | None = 45.0
    rejected: float = 0.01
    stale: float = 0.005
    rtt_ns: int = 25 * MILLISECOND

    def __post_init__(self) -> None:
        if self.hashrate_hs < 0 or self.share_interval_s <= 0:
            raise ValueError(f"hash rate and share interval must be positive, got {self}")


@dataclass(frozen=True, slots=True)
class Share:
    """A share as it happened: when its first byte was sent, what became of it, and what it stands for. [hashes]"""

    time_ns: int
    outcome: Outcome
    difficulty_hashes: float
    answered_ns: int


@dataclass(slots=True)
class Session:
    """Plaintext messages of one connection in order of time, and the truth about them."""

    messages: list[Message] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    job_times_ns: list[int] = field(default_factory=list)
    block_job_times_ns: list[tuple[int, Block]] = field(default_factory=list)


def job_pushes(
    blocks: list[Block], rng: random.Random, *, least_delay_s: float = 0.1, most_delay_s: float = 1.0,
    least_gap_s: float = 0.4,
) -> list[tuple[int, Block]]:  # fmt: skip
    """When a pool has a job on each block for its miners; blocks that follow too fast share one.

    Parameters
    ----------
    blocks : list of Block
    rng : random.Random
    least_delay_s, most_delay_s : float
        Bounds of the uniform delay from block to job: validation, template, and the pool's own network. [s]
    least_gap_s : float
        Pools on fast chains do not push more often than this. [s]

    Returns
    -------
    list of (int, Block)
        Push times [ns since 1970-01-01 UTC], ascending.
    """
    pushes = sorted(
        (block.time_ns + int(rng.uniform(least_delay_s, most_delay_s) * SECOND), block.height, block)
        for block in blocks
    )
    kept: list[tuple[int, Block]] = []
    for time_ns, height, block in pushes:
        overtaken = kept and height < kept[-1][1].height
        if overtaken or (kept and time_ns - kept[-1][0] < least_gap_s * SECOND):
            continue
        kept.append((time_ns, block))
    return kept


def run_session(
    dialect: Dialect,
    habits: Habits,
    pushes: list[tuple[int, Block]],
    start_ns: int,
    end_ns: int,
    rng: random.Random,
    *,
    share_times_ns: list[int] | None = None,
) -> Session:
    """Simulate one connection of a miner to its pool.

    Parameters
    ----------
    dialect : Dialect
        Fresh; it is changed by the session.
    habits : Habits
    pushes : list of (int, Block)
        When the pool has a job on which block (`job_pushes`); the last one before `start_ns` is the first job.
    start_ns, end_ns : int
        [ns since 1970-01-01 UTC]
    rng : random.Random
    share_times_ns : list of int or None
        A proxy hands on other miners' shares: their times in place of the Poisson process. [ns since 1970-01-01 UTC]

    Returns
    -------
    Session
    """
    return _Simulation(dialect, habits, pushes, start_ns, end_ns, rng, share_times_ns).run()


class _Simulation:
    def __init__(
        self, dialect: Dialect, habits: Habits, pushes: list[tuple[int, Block]], start_ns: int, end_ns: int,
        rng: random.Random, share_times_ns: list[int] | None,
    ) -> None:  # fmt: skip
        self.dialect, self.habits, self.pushes = dialect, habits, pushes
        self.start_ns, self.end_ns, self.rng = start_ns, end_ns, rng
        self.share_times_ns = share_times_ns
        self.session = Session()
        self.queue: list[tuple[int, int, str, Block | None]] = []
        self.order = 0
        self.epoch = 0
        self.shares_since_retarget = 0
        self.last_spoken_ns = start_ns
        self.server_free_ns = start_ns
        self.client_free_ns = start_ns
        self.polled_block: Block | None = None

    def run(self) -> Session:
        habits, dialect = self.habits, self.dialect
        if habits.fixed_difficulty_hashes is not None:
            first = habits.fixed_difficulty_hashes
        else:
            first = habits.hashrate_hs * habits.share_interval_s * habits.first_difficulty_factor
        dialect.difficulty_hashes = dialect.settle(first)
        now = self.start_ns
        previous = CLIENT
        for direction, data in dialect.opening():
            if direction != previous:
                now += self._turn_ns(direction)
            now += 20_000
            self._say(now, direction, data)
            previous = direction
        index = bisect_right(self.pushes, self.start_ns, key=lambda push: push[0])
        first_block = self.pushes[max(index - 1, 0)][1]
        if dialect.poll_interval_s is None:
            if previous == CLIENT:
                now += self._turn_ns(SERVER)
            message = dialect.difficulty()
            if message:
                self._say(now + 50_000, SERVER, message)
            self._push_job(now + 100_000, first_block, clean=True)
            for time_ns, later in self.pushes[index:]:
                self._at(time_ns, "block", later)
            self.polled_block = first_block
            if habits.refresh_interval_s is not None:
                self._at(now + self._wait(habits.refresh_interval_s), "refresh")
        else:
            self._at(now, "poll")
        if self.share_times_ns is None:
            self._next_share(now + 300_000)
            if habits.vardiff and habits.fixed_difficulty_hashes is None:
                self._at(now + int(_RETARGET_S * SECOND), "retarget")
        else:
            for time_ns in self.share_times_ns:
                self._at(max(time_ns, now + 300_000), "share0")
        if dialect.keepalive_interval_s is not None:
            self._at(now + int(dialect.keepalive_interval_s * SECOND), "keepalive")
        while self.queue:
            time_ns, _, kind, topic = heapq.heappop(self.queue)
            if time_ns >= self.end_ns:
                break
            self._handle(time_ns, kind, topic)
        self.session.messages.sort(key=lambda message: message.time_ns)
        self.session.shares.sort(key=lambda share: share.time_ns)
        return self.session

    def _at(self, time_ns: int, kind: str, block: Block | None = None) -> None:
        self.order += 1
        heapq.heappush(self.queue, (time_ns, self.order, kind, block))

    def _wait(self, mean_s: float) -> int:
        return int(mean_s * self.rng.uniform(0.7, 1.3) * SECOND)

    def _turn_ns(self, direction: int) -> int:
        """How long until the other side's reaction passes the sensor: the round trip lies on the server's side."""
        thinking = int(self.rng.uniform(0.3, 4.0) * MILLISECOND)
        return thinking + (self.habits.rtt_ns if direction == SERVER else 0)

    def _say(self, time_ns: int, direction: int, data: bytes) -> int:
        """Send, keeping the order of what one side says; return when."""
        if direction == SERVER:
            time_ns = max(time_ns, self.server_free_ns + 1_000)
            self.server_free_ns = time_ns
        else:
            time_ns = max(time_ns, self.client_free_ns + 1_000)
            self.client_free_ns = time_ns
        self.session.messages.append(Message(time_ns, direction, data))
        self.last_spoken_ns = max(self.last_spoken_ns, time_ns)
        return time_ns

    def _push_job(self, time_ns: int, block: Block, *, clean: bool) -> None:
        sent_ns = self._say(time_ns, SERVER, self.dialect.job(block, time_ns, clean=clean))
        self.session.job_times_ns.append(sent_ns)
        if clean:
            self.session.block_job_times_ns.append((sent_ns, block))

    def _next_share(self, now_ns: int) -> None:
        rate = self.habits.hashrate_hs / self.dialect.difficulty_hashes
        if rate > 0:
            wait_ns = self.rng.expovariate(rate) * 1e9
            if wait_ns < self.end_ns - now_ns:
                self._at(now_ns + int(wait_ns), f"share{self.epoch}")

    def _handle(self, now: int, kind: str, block: Block | None) -> None:
        if kind == "block" and block is not None:
            self.polled_block = block
            # The push takes its own way to each miner.
            self._push_job(now + int(self.rng.uniform(0, 20) * MILLISECOND), block, clean=True)
        elif kind == "refresh" and self.polled_block is not None and self.habits.refresh_interval_s is not None:
            self._push_job(now, self.polled_block, clean=False)
            self._at(now + self._wait(self.habits.refresh_interval_s), "refresh")
        elif kind == "poll":
            self._poll(now)
        elif kind.startswith("share"):
            # A share drawn at a difficulty that no longer holds is void.
            if kind == f"share{self.epoch}":
                self._share(now)
        elif kind == "retarget":
            self._retarget(now)
        elif kind == "keepalive" and self.dialect.keepalive_interval_s is not None:
            for direction, data in self.dialect.keepalive():
                now += self._turn_ns(direction) if direction == SERVER else 0
                self._say(now, direction, data)
            self._at(now + int(self.dialect.keepalive_interval_s * SECOND), "keepalive")

    def _poll(self, now: int) -> None:
        """Ask for work; over HTTP one request waits for the answer to the one before."""
        interval_s = self.dialect.poll_interval_s
        if interval_s is None:
            return
        if now < self.server_free_ns:
            self._at(self.server_free_ns + MILLISECOND, "poll")
            return
        self._say(now, CLIENT, self.dialect.poll())
        answer_ns = now + self._turn_ns(SERVER)
        index = bisect_right(self.pushes, answer_ns - self.habits.rtt_ns // 2, key=lambda push: push[0])
        if self.dialect.long_poll and self.polled_block is not None:
            news_ns = self.pushes[index][0] if index < len(self.pushes) else self.end_ns
            answer_ns = max(answer_ns, min(news_ns, now + self._wait(interval_s)))
            index = bisect_right(self.pushes, answer_ns, key=lambda push: push[0])
        current = self.pushes[max(index - 1, 0)][1]
        clean = self.polled_block is None or current.height != self.polled_block.height
        self.polled_block = current
        if answer_ns < self.end_ns:
            self._push_job(answer_ns, current, clean=clean)
        pause_ns = 5 * MILLISECOND if self.dialect.long_poll else int(interval_s * SECOND)
        self._at(answer_ns + pause_ns, "poll")

    def _share(self, now: int) -> None:
        over_http = self.dialect.poll_interval_s is not None
        if over_http and (now < self.server_free_ns or self.polled_block is None):
            self._at(max(now, self.server_free_ns) + MILLISECOND, f"share{self.epoch}")
            return
        sent_ns = self._say(now, CLIENT, self.dialect.share(now))
        answer_ns = sent_ns + self._turn_ns(SERVER)
        outcome = Outcome.ACCEPTED
        chance = self.rng.random()
        if chance < self.habits.rejected:
            outcome = Outcome.REJECTED
        elif chance < self.habits.rejected + self.habits.stale or self._comes_late(sent_ns):
            outcome = Outcome.STALE
        if outcome is Outcome.STALE and not self.dialect.tells_stale:
            outcome = Outcome.REJECTED
        # A job pushed before this moment precedes the answer on the wire: the pool has one thread per connection.
        answered_ns = self._say(answer_ns, SERVER, self.dialect.answer(outcome))
        self.session.shares.append(Share(sent_ns, outcome, self.dialect.difficulty_hashes, answered_ns))
        self.shares_since_retarget += 1
        if self.share_times_ns is None:
            self._next_share(now)

    def _comes_late(self, sent_ns: int) -> bool:
        """The pool had moved on while the share was on its way."""
        index = bisect_right(self.pushes, sent_ns + self.habits.rtt_ns // 2, key=lambda push: push[0])
        if not index or self.dialect.chain.block_interval_s < 1:
            return False  # Pools of fast chains credit work on recent blocks too.
        return self.pushes[index - 1][0] > sent_ns - self.habits.rtt_ns // 2

    def _retarget(self, now: int) -> None:
        # Long enough for some shares: on fewer a pool would raise the difficulty without end.
        period_s = max(_RETARGET_S, 3 * self.habits.share_interval_s)
        aim = period_s / self.habits.share_interval_s
        ratio = max(self.shares_since_retarget, 0.5) / aim
        self.shares_since_retarget = 0
        if not 1 / _RETARGET_DEAD_BAND < ratio < _RETARGET_DEAD_BAND:
            step = min(max(ratio, 1 / _RETARGET_MAXIMUM_STEP), _RETARGET_MAXIMUM_STEP)
            new = self.dialect.settle(self.dialect.difficulty_hashes * step)
            if new != self.dialect.difficulty_hashes:
                self.dialect.difficulty_hashes = new
                message = self.dialect.difficulty()
                if message:
                    self._say(now, SERVER, message)
                if self.dialect.poll_interval_s is None and self.polled_block is not None:
                    self._push_job(now + 100_000, self.polled_block, clean=False)
                # Waiting times have no memory, so the next share may be drawn afresh at the new rate.
                self.epoch += 1
                if self.share_times_ns is None:
                    self._next_share(now + self.habits.rtt_ns)
        self._at(now + int(period_s * SECOND), "retarget")
