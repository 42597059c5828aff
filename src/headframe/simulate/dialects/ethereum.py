"""Ethereum's own ways to mine: ``eth_*`` calls pushed over TCP (eth-proxy) or polled over HTTP."""

from dataclasses import dataclass

from headframe.simulate.chains import Block
from headframe.simulate.dialects.base import (
    CLIENT,
    SERVER,
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
class _EthWork(Dialect):
    header: str = ""
    last_share_id: int = 0

    difficulty_rides_on_job = True

    def _work(self, block: Block) -> list[str]:
        """Header, seed, target and block number, as ``eth_getWork`` gives them."""
        self.header = "0x" + self.hex(32)
        self.jobs += 1
        seed = "0x" + seeded_bytes(32, "epoch", self.chain.coin).hex()
        return [self.header, seed, "0x" + target_256(self.difficulty_hashes), hex(block.height + 1)]

    def _submit_work(self) -> dict[str, object]:
        self.last_share_id = self.take_id()
        params = ["0x" + self.hex(8), self.header, "0x" + self.hex(32)]
        return {"id": self.last_share_id, "jsonrpc": "2.0", "method": "eth_submitWork", "params": params}


@dataclass(slots=True)
class EthProxy(_EthWork):
    """eth-proxy: login, then work as an answer with id 0 whenever the pool has some."""

    protocol = "eth-proxy"
    keepalive_interval_s: float | None = 60.0

    def opening(self) -> list[Exchange]:
        """Log in, then ask for work once."""
        number = self.take_id()
        login = {
            "id": number, "jsonrpc": "2.0", "method": "eth_submitLogin",
            "worker": self.account.worker, "params": [f"0x{self.account.wallet}", "x"],
        }  # fmt: skip
        ask = {"id": self.take_id(), "jsonrpc": "2.0", "method": "eth_getWork", "params": []}
        return [
            (CLIENT, line(login)),
            (SERVER, line({"id": number, "jsonrpc": "2.0", "result": True})),
            (CLIENT, line(ask)),
        ]

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """The first answers the question; later ones come unasked with id 0."""
        del time_ns, clean
        number = 0 if self.jobs else self.next_id - 1
        return line({"id": number, "jsonrpc": "2.0", "result": self._work(block)})

    def share(self, time_ns: int) -> bytes:
        """``eth_submitWork``."""
        del time_ns
        return line({**self._submit_work(), "worker": self.account.worker})

    def answer(self, outcome: Outcome) -> bytes:
        """True, or an error that says whether it came late."""
        reply: dict[str, object] = {"id": self.last_share_id, "jsonrpc": "2.0"}
        if outcome is Outcome.ACCEPTED:
            return line({**reply, "result": True})
        code, words = (21, "Stale share") if outcome is Outcome.STALE else (23, "Invalid share")
        return line({**reply, "result": False, "error": {"code": code, "message": words}})

    def keepalive(self) -> list[Exchange]:
        """``eth_submitHashrate``, which miners send each minute."""
        number = self.take_id()
        rate = [hex(self.rng.randrange(1 << 26, 1 << 27)), "0x" + self.hex(32)]
        call = {"id": number, "jsonrpc": "2.0", "method": "eth_submitHashrate", "params": rate}
        return [(CLIENT, line(call)), (SERVER, line({"id": number, "jsonrpc": "2.0", "result": True}))]


@dataclass(slots=True)
class EthHttp(_EthWork):
    """``eth_getWork`` polled over HTTP, as early miners did."""

    protocol = "eth-getwork-http"
    poll_interval_s: float | None = 1.5
    tells_stale = False

    def _call(self, message: dict[str, object]) -> bytes:
        path = f"/{self.account.wallet}/{self.account.worker}"
        return http_request(self.host, line(message), path=path, headers=(f"User-Agent: {self.account.agent}",))

    def opening(self) -> list[Exchange]:
        """Nothing: the first poll is the beginning."""
        return []

    def poll(self) -> bytes:
        """``eth_getWork``."""
        return self._call({"id": self.take_id(), "jsonrpc": "2.0", "method": "eth_getWork", "params": []})

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """The answer to a poll; the header changes with the block only."""
        del time_ns
        if clean or not self.header:
            self._work(block)
        seed = "0x" + seeded_bytes(32, "epoch", self.chain.coin).hex()
        work = [self.header, seed, "0x" + target_256(self.difficulty_hashes)]
        return http_response(line({"id": self.next_id - 1, "jsonrpc": "2.0", "result": work}))

    def share(self, time_ns: int) -> bytes:
        """``eth_submitWork`` in a POST."""
        del time_ns
        return self._call(self._submit_work())

    def answer(self, outcome: Outcome) -> bytes:
        """True or false; the form does not say why."""
        accepted = outcome is Outcome.ACCEPTED
        return http_response(line({"id": self.last_share_id, "jsonrpc": "2.0", "result": accepted}))
