"""Work fetched over HTTP: ``getwork`` from an old pool, ``getblocktemplate`` from a node of one's own."""

import base64
from dataclasses import dataclass

from headframe.simulate.chains import Block
from headframe.simulate.dialects.base import (
    Dialect,
    Exchange,
    Outcome,
    http_request,
    http_response,
    line,
    seeded_bytes,
    target_256,
)


@dataclass(slots=True)
class _OverHttp(Dialect):
    last_outcome_id: int = 0

    def _call(self, method: str, params: list[object]) -> bytes:
        number = self.take_id()
        secret = base64.b64encode(f"{self.account.worker}:x".encode()).decode()
        body = line({"id": number, "method": method, "params": params}, spaced=True)
        return http_request(
            self.host, body, headers=(f"Authorization: Basic {secret}", f"User-Agent: {self.account.agent}")
        )

    def opening(self) -> list[Exchange]:
        """Nothing: the first poll is the beginning."""
        return []


@dataclass(slots=True)
class GetWork(_OverHttp):
    """``getwork``: ask for a header, hand it back with a nonce. Difficulty 1 only, as the form intends."""

    protocol = "getwork+http"
    poll_interval_s: float | None = 10.0
    data: str = ""

    def settle(self, hashes: float) -> float:
        """Difficulty 1: 2**32 hashes."""
        del hashes
        return float(1 << 32)

    def poll(self) -> bytes:
        """``getwork`` without parameters asks."""
        return self._call("getwork", [])

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """A padded header of 128 bytes, its midstate and the target, little-endian."""
        del clean
        head = bytes.fromhex("01000000") + seeded_bytes(32, self.chain.coin, block.height) + self.rng.randbytes(32)
        head += (time_ns // 10**9).to_bytes(4, "big") + bytes.fromhex(self.chain.bits) + bytes(4)
        padding = "000000800000000000000000000000000000000000000000000000000000000000000000000000000000000080020000"
        self.data = head.hex() + padding
        work = {
            "midstate": self.hex(32), "data": self.data,
            "hash1": "00000000" * 8 + "00000080" + "00000000" * 6 + "00010000",
            "target": "f" * 56 + "00000000",
        }  # fmt: skip
        body = line({"id": self.next_id - 1, "result": work, "error": None}, spaced=True)
        return http_response(body, headers=("X-Long-Polling: /LP", "X-Roll-NTime: Y"))

    def share(self, time_ns: int) -> bytes:
        """``getwork`` with the solved header hands in."""
        del time_ns
        return self._call("getwork", [self.data[:152] + self.hex(4) + self.data[160:]])

    def answer(self, outcome: Outcome) -> bytes:
        """True or false, and the reason in a header."""
        accepted = outcome is Outcome.ACCEPTED
        reasons = {Outcome.STALE: ("X-Reject-Reason: stale-work",), Outcome.REJECTED: ("X-Reject-Reason: high-hash",)}
        body = line({"id": self.next_id - 1, "result": accepted, "error": None}, spaced=True)
        return http_response(body, headers=reasons.get(outcome, ()))


@dataclass(slots=True)
class GetBlockTemplate(_OverHttp):
    """``getblocktemplate`` with long polling (BIP 22, BIP 23): a solo miner, or a pool, and its node."""

    protocol = "getblocktemplate+http"
    poll_interval_s: float | None = 90.0
    long_poll = True
    long_poll_id: str = ""

    def poll(self) -> bytes:
        """Ask for a template that follows the one at hand."""
        request: dict[str, object] = {"capabilities": ["coinbasetxn", "workid", "longpoll"], "rules": ["segwit"]}
        if self.long_poll_id:
            request["longpollid"] = self.long_poll_id
        return self._call("getblocktemplate", [request])

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """A template with a few dozen transactions."""
        del clean
        previous = "00000000" + seeded_bytes(28, self.chain.coin, block.height).hex()
        self.long_poll_id = previous + str(self.jobs)
        self.jobs += 1
        transactions = [
            {
                "data": self.hex(self.rng.randrange(120, 400)), "txid": self.hex(32), "hash": self.hex(32),
                "depends": [], "fee": self.rng.randrange(150, 9000), "sigops": 4, "weight": 561,
            }
            for _ in range(self.rng.randrange(20, 50))
        ]  # fmt: skip
        template = {
            "capabilities": ["proposal"], "version": 536870912, "rules": ["csv", "!segwit"],
            "previousblockhash": previous, "transactions": transactions, "coinbaseaux": {},
            "coinbasevalue": 312500000 + self.rng.randrange(10**7), "longpollid": self.long_poll_id,
            "target": target_256(self.difficulty_hashes), "mintime": time_ns // 10**9 - 3600,
            "mutable": ["time", "transactions", "prevblock"], "noncerange": "00000000ffffffff",
            "sigoplimit": 80000, "sizelimit": 4000000, "curtime": time_ns // 10**9, "bits": self.chain.bits,
            "height": block.height + 1,
        }  # fmt: skip
        return http_response(line({"result": template, "error": None, "id": self.next_id - 1}))

    def share(self, time_ns: int) -> bytes:
        """``submitblock``."""
        del time_ns
        return self._call("submitblock", [self.hex(1200)])

    def answer(self, outcome: Outcome) -> bytes:
        """Null means accepted (BIP 22)."""
        results = {Outcome.ACCEPTED: None, Outcome.REJECTED: "high-hash", Outcome.STALE: "stale-prevblk"}
        return http_response(line({"result": results[outcome], "error": None, "id": self.next_id - 1}))


@dataclass(slots=True)
class PolledTemplate(GetBlockTemplate):
    """The same without long polling, every 15 s: how a pool's server watches its node."""

    poll_interval_s: float | None = 15.0
    long_poll = False
