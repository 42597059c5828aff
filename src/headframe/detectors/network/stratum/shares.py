"""The book of shares of one conversation: handed in, answered, and what each stands for.

A share is known by its contents (job, nonce and what else makes it unique), not by its message id: ids repeat in some
software, and a share that the application sends twice is one share.
"""

from array import array
from collections.abc import Hashable

MAX_SHARES = 200_000
"""Shares kept one by one; 17 bytes each, so 3.4 MB. At one share every 5 s that is 11 days of one conversation."""
MAX_REMEMBERED = 8_192
"""Latest shares whose contents are remembered against repetition."""

UNANSWERED, ACCEPTED, REJECTED, STALE = 0, 1, 2, 3
VERDICTS = {"accepted": ACCEPTED, "rejected": REJECTED, "stale": STALE}
NAMES = ("unanswered", "accepted", "rejected", "stale")


class ShareBook:
    """Shares in the order they were handed in.

    Attributes
    ----------
    time_ns : array of int64
        When each was handed in (or answered, where only the answer was seen). [ns since 1970-01-01 UTC]
    worth : array of float64
        Positive: expected hashes. Negative: difficulty in the unit of `mining.set_difficulty`. 0: not known.
    state : bytearray
        Index into `NAMES`.
    repeated : int
        Submissions that repeated an earlier one.
    uncounted : int
        Shares beyond `MAX_SHARES`, of which only the number is known.
    """

    __slots__ = ("_remembered", "repeated", "state", "time_ns", "uncounted", "worth")

    def __init__(self) -> None:
        self.time_ns = array("q")
        self.worth = array("d")
        self.state = bytearray()
        self.repeated = 0
        self.uncounted = 0
        self._remembered: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.state)

    def hand_in(self, time_ns: int, worth: float, contents: Hashable, state: int = UNANSWERED) -> int:
        """Enter a share; its number, or that of the share it repeats, or -1 where the book is full."""
        key = hash(contents)
        if contents is not None:
            earlier = self._remembered.get(key)
            if earlier is not None:
                self.repeated += 1
                return earlier
        if len(self.state) >= MAX_SHARES:
            self.uncounted += 1
            return -1
        number = len(self.state)
        self.time_ns.append(time_ns)
        self.worth.append(worth)
        self.state.append(state)
        if contents is not None:
            self._remembered[key] = number
            if len(self._remembered) > MAX_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
        return number

    def answer(self, number: int, verdict: str) -> None:
        """Enter the pool's word on a share. The first word stands: a repeated share is refused as a duplicate."""
        if 0 <= number < len(self.state) and self.state[number] == UNANSWERED:
            self.state[number] = VERDICTS[verdict]
