"""Stratum V2 as an observer sees it: a Noise handshake of fixed sizes, then encrypted frames."""

from dataclasses import dataclass

from headframe.simulate.chains import Block
from headframe.simulate.dialects.base import CLIENT, SERVER, Dialect, Exchange, Outcome

FRAME_OVERHEAD_BYTES = 22 + 16
"""An encrypted header of 6 + 16 bytes, and 16 bytes of tag on the payload (Stratum V2 specification, 4.6)."""


@dataclass(slots=True)
class StratumV2(Dialect):
    """Noise NX: 64 bytes from the client, 234 from the server, then frames with the sizes of the messages inside.

    References
    ----------
    Stratum V2 specification, sections 3 (messages), 4.5 (handshake) and 5.3 (mining protocol).
    """

    protocol = "stratum-v2"

    def settle(self, hashes: float) -> float:
        """Whole hashes; the channel's target has 256 bits."""
        return float(max(1, round(hashes)))

    def _frame(self, payload_bytes: int) -> bytes:
        return self.rng.randbytes(payload_bytes + FRAME_OVERHEAD_BYTES)

    def opening(self) -> list[Exchange]:
        """Handshake, SetupConnection, OpenStandardMiningChannel."""
        texts = len(self.host) + len(self.account.agent)
        worker = len(self.account.wallet) + 1 + len(self.account.worker)
        return [
            (CLIENT, self.rng.randbytes(64)),
            (SERVER, self.rng.randbytes(234)),
            (CLIENT, self._frame(1 + 2 + 2 + 4 + 2 + 4 + texts)),
            (SERVER, self._frame(6)),
            (CLIENT, self._frame(4 + 1 + worker + 4 + 32)),
            (SERVER, self._frame(4 + 4 + 32 + 1 + 8 + 4)),
        ]

    def difficulty(self) -> bytes:
        """SetTarget: channel and 256-bit target."""
        return self._frame(4 + 32)

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """NewMiningJob, and SetNewPrevHash behind it where the block is new."""
        del block, time_ns
        job = self._frame(4 + 4 + 5 + 4 + 32)
        return job + self._frame(4 + 4 + 32 + 4 + 4) if clean else job

    def share(self, time_ns: int) -> bytes:
        """SubmitSharesStandard: six words of 32 bits."""
        del time_ns
        return self._frame(24)

    def answer(self, outcome: Outcome) -> bytes:
        """SubmitShares.Success, or .Error with its text."""
        if outcome is Outcome.ACCEPTED:
            return self._frame(4 + 4 + 4 + 8)
        return self._frame(4 + 4 + 1 + len("stale-share" if outcome is Outcome.STALE else "difficulty-too-low"))
