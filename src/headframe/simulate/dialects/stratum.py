"""Dialects of the ``mining.*`` family: stratum v1, Zcash, Kaspa-like, KawPoW and EthereumStratum/1.0.0.

Message forms follow the public protocol notes: Bitcoin wiki "Stratum mining protocol"; ZIP 301 (Zcash);
EthereumStratum_NiceHash_v1.0.0; the contents are drawn at random.
"""

from dataclasses import dataclass

from headframe.simulate.chains import Block
from headframe.simulate.dialects.base import (
    CLIENT,
    SERVER,
    Dialect,
    Exchange,
    Outcome,
    line,
    little_endian_words,
    seeded_bytes,
    target_256,
)

_ERRORS = {
    Outcome.REJECTED: [23, "Low difficulty share", None],
    Outcome.STALE: [21, "Job not found", None],
}


@dataclass(slots=True)
class _MiningDot(Dialect):
    """What the family has in common: requests by number, a boolean answer, an error of three parts."""

    last_share_id: int = 0
    extranonce1: str = ""

    spaced = False

    def _submit(self, params: list[object]) -> bytes:
        self.last_share_id = self.take_id()
        return line({"id": self.last_share_id, "method": "mining.submit", "params": params}, spaced=self.spaced)

    def answer(self, outcome: Outcome) -> bytes:
        """True, or false and why."""
        accepted = outcome is Outcome.ACCEPTED
        error = None if accepted else _ERRORS[outcome]
        return line({"id": self.last_share_id, "result": accepted, "error": error}, spaced=self.spaced)

    def _notify(self, params: list[object]) -> bytes:
        return line({"id": None, "method": "mining.notify", "params": params}, spaced=self.spaced)

    def _worker(self) -> str:
        return f"{self.account.wallet}.{self.account.worker}"

    def _authorize(self) -> list[Exchange]:
        number = self.take_id()
        params = [self._worker(), "x"]
        return [
            (CLIENT, line({"id": number, "method": "mining.authorize", "params": params}, spaced=self.spaced)),
            (SERVER, line({"id": number, "result": True, "error": None}, spaced=self.spaced)),
        ]


@dataclass(slots=True)
class StratumV1(_MiningDot):
    """Stratum v1 as Bitcoin and Litecoin pools speak it, with ``mining.configure`` for version rolling on Bitcoin."""

    protocol = "stratum-v1"
    spaced = True

    @property
    def _unit_hashes(self) -> int:
        """Hashes that difficulty 1 stands for: 2**32, but 2**16 by the convention of scrypt pools."""
        return 1 << 16 if self.chain.coin == "LTC" else 1 << 32

    def settle(self, hashes: float) -> float:
        """Whole difficulties."""
        return float(max(1, int(float(f"{hashes / self._unit_hashes:.3g}"))) * self._unit_hashes)

    def opening(self) -> list[Exchange]:
        """Configure (Bitcoin), subscribe, authorize."""
        self.extranonce1 = self.hex(4)
        said: list[Exchange] = []
        if self.chain.coin == "BTC":
            number = self.take_id()
            asked = [["version-rolling"], {"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 2}]
            said.append((CLIENT, line({"id": number, "method": "mining.configure", "params": asked}, spaced=True)))
            given = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
            said.append((SERVER, line({"id": number, "result": given, "error": None}, spaced=True)))
        number = self.take_id()
        said.append(
            (CLIENT, line({"id": number, "method": "mining.subscribe", "params": [self.account.agent]}, spaced=True))
        )
        channels = [["mining.set_difficulty", self.hex(4)], ["mining.notify", self.hex(4)]]
        result = [channels, self.extranonce1, 8]
        said.append((SERVER, line({"id": number, "result": result, "error": None}, spaced=True)))
        return said + self._authorize()

    def difficulty(self) -> bytes:
        """``mining.set_difficulty``."""
        value = int(self.difficulty_hashes / self._unit_hashes)
        return line({"id": None, "method": "mining.set_difficulty", "params": [value]}, spaced=True)

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """``mining.notify`` with a coinbase that names the height (BIP 34)."""
        # The hash of a Bitcoin block ends in zeros as stratum writes it; Litecoin's identifier is not its proof.
        previous = seeded_bytes(32, self.chain.coin, block.height)
        if self.chain.coin == "BTC":
            previous = previous[:22] + bytes(10)
        height = (block.height + 1).to_bytes(3, "little").hex()
        coinbase1 = f"01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff3503{height}"
        coinbase1 += self.hex(20)
        coinbase2 = f"ffffffff02{self.hex(8)}1976a914{self.hex(20)}88ac"
        coinbase2 += f"0000000000000000266a24aa21a9ed{self.hex(32)}00000000"
        branch = [self.hex(32) for _ in range(12 if self.chain.coin == "BTC" else 7)]
        params = [self.new_job_id(), little_endian_words(previous), coinbase1, coinbase2, branch, "20000000"]
        return self._notify([*params, self.chain.bits, f"{time_ns // 10**9:08x}", clean])

    def share(self, time_ns: int) -> bytes:
        """``mining.submit``; Bitcoin adds the rolled version bits (BIP 310)."""
        params: list[object] = [self._worker(), self.job_id, self.hex(8), f"{time_ns // 10**9:08x}", self.hex(4)]
        if self.chain.coin == "BTC":
            params.append(f"{self.rng.randrange(1 << 16) << 13:08x}")
        return self._submit(params)


@dataclass(slots=True)
class Zcash(_MiningDot):
    """Stratum for Equihash coins (ZIP 301): a target in place of a difficulty, and long solutions."""

    protocol = "zcash-stratum"

    def opening(self) -> list[Exchange]:
        """Subscribe, authorize."""
        number = self.take_id()
        self.extranonce1 = self.hex(4)
        params = [self.account.agent, None, self.host, 3333]
        said: list[Exchange] = [
            (CLIENT, line({"id": number, "method": "mining.subscribe", "params": params})),
            (SERVER, line({"id": number, "result": [self.hex(8), self.extranonce1], "error": None})),
        ]
        return said + self._authorize()

    def difficulty(self) -> bytes:
        """``mining.set_target``."""
        return line({"id": None, "method": "mining.set_target", "params": [target_256(self.difficulty_hashes)]})

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """``mining.notify`` with version, three hashes, time and bits, all little-endian."""
        previous = seeded_bytes(30, self.chain.coin, block.height).hex() + "0000"
        stamp = (time_ns // 10**9).to_bytes(4, "little").hex()
        bits = bytes.fromhex(self.chain.bits)[::-1].hex()
        return self._notify(
            [self.new_job_id(), "04000000", previous, self.hex(32), self.hex(32), stamp, bits, clean, "200_9"]
        )

    def share(self, time_ns: int) -> bytes:
        """``mining.submit`` with an Equihash 200,9 solution: 1,344 bytes after their length."""
        stamp = (time_ns // 10**9).to_bytes(4, "little").hex()
        return self._submit([self._worker(), self.job_id, stamp, self.hex(28), "fd4005" + self.hex(1344)])


@dataclass(slots=True)
class Kaspa(_MiningDot):
    """The notify form of Kaspa bridges: a header hash as four 64-bit numbers and a time in milliseconds."""

    protocol = "kaspa-stratum"

    def settle(self, hashes: float) -> float:
        """Difficulties in steps of 1/16; difficulty 1 is 2**32 hashes."""
        return max(1, round(hashes / (1 << 28))) * float(1 << 28)

    def opening(self) -> list[Exchange]:
        """Subscribe as EthereumStratum, extranonce, authorize."""
        number = self.take_id()
        params = [self.account.agent, "EthereumStratum/1.0.0"]
        self.extranonce1 = self.hex(2)
        said: list[Exchange] = [
            (CLIENT, line({"id": number, "method": "mining.subscribe", "params": params})),
            (SERVER, line({"id": number, "result": [True, "EthereumStratum/1.0.0"], "error": None})),
            (SERVER, line({"id": None, "method": "mining.set_extranonce", "params": [self.extranonce1]})),
        ]
        number = self.take_id()
        who = f"kaspa:{self.account.wallet}.{self.account.worker}"
        said.append((CLIENT, line({"id": number, "method": "mining.authorize", "params": [who, ""]})))
        said.append((SERVER, line({"id": number, "result": True, "error": None})))
        return said

    def difficulty(self) -> bytes:
        """``mining.set_difficulty`` with a fraction."""
        value = self.difficulty_hashes / (1 << 32)
        return line({"id": None, "method": "mining.set_difficulty", "params": [value]})

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """``mining.notify``: job, four words of the header's hash, time. [ms]"""
        del block, clean  # The form has no place for them.
        self.jobs += 1
        self.job_id = str(self.jobs % 100)
        words = [self.rng.getrandbits(64) for _ in range(4)]
        return self._notify([self.job_id, words, time_ns // 10**6])

    def share(self, time_ns: int) -> bytes:
        """``mining.submit`` with a 64-bit nonce."""
        del time_ns
        who = f"kaspa:{self.account.wallet}.{self.account.worker}"
        return self._submit([who, self.job_id, "0x" + self.extranonce1 + self.hex(6)])


@dataclass(slots=True)
class KawPow(_MiningDot):
    """Stratum for KawPoW (Ravencoin): a target, and jobs of seven parts with height and bits."""

    protocol = "stratum-v1"
    seed: str = ""
    header: str = ""

    def opening(self) -> list[Exchange]:
        """Subscribe, authorize."""
        number = self.take_id()
        self.seed = seeded_bytes(32, "epoch", self.chain.coin).hex()
        self.extranonce1 = self.hex(2)
        said: list[Exchange] = [
            (CLIENT, line({"id": number, "method": "mining.subscribe", "params": [self.account.agent]})),
            (SERVER, line({"id": number, "result": [None, self.extranonce1], "error": None})),
        ]
        return said + self._authorize()

    def difficulty(self) -> bytes:
        """``mining.set_target``."""
        return line({"id": None, "method": "mining.set_target", "params": [target_256(self.difficulty_hashes)]})

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """``mining.notify``: job, header, seed, target, clean, height, bits."""
        del time_ns
        self.header = self.hex(32)
        params = [self.new_job_id(), self.header, self.seed, target_256(self.difficulty_hashes), clean]
        return self._notify([*params, block.height + 1, self.chain.bits])

    def share(self, time_ns: int) -> bytes:
        """``mining.submit``: worker, job, nonce, header, mix."""
        del time_ns
        nonce = "0x" + self.extranonce1 + self.hex(6)
        return self._submit([self._worker(), self.job_id, nonce, "0x" + self.header, "0x" + self.hex(32)])


@dataclass(slots=True)
class EthereumStratum(_MiningDot):
    """EthereumStratum/1.0.0: stratum v1 with seed and header hashes as a job."""

    protocol = "ethereum-stratum"
    seed: str = ""

    def settle(self, hashes: float) -> float:
        """Three significant digits; difficulty 1 is 2**32 hashes."""
        return float(f"{hashes / (1 << 32):.3g}") * (1 << 32)

    def opening(self) -> list[Exchange]:
        """Subscribe with the protocol's name, extranonce subscription, authorize."""
        number = self.take_id()
        self.seed = seeded_bytes(32, "epoch", self.chain.coin).hex()
        self.extranonce1 = self.hex(2)
        form = "EthereumStratum/1.0.0"
        result = [["mining.notify", self.hex(16), form], self.extranonce1]
        said: list[Exchange] = [
            (CLIENT, line({"id": number, "method": "mining.subscribe", "params": [self.account.agent, form]})),
            (SERVER, line({"id": number, "result": result, "error": None})),
        ]
        number = self.take_id()
        said.append((CLIENT, line({"id": number, "method": "mining.extranonce.subscribe", "params": []})))
        said.append((SERVER, line({"id": number, "result": True, "error": None})))
        return said + self._authorize()

    def difficulty(self) -> bytes:
        """``mining.set_difficulty`` with a fraction."""
        value = self.difficulty_hashes / (1 << 32)
        return line({"id": None, "method": "mining.set_difficulty", "params": [value]})

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """``mining.notify``: job, seed, header, clean."""
        del block, time_ns
        return self._notify([self.new_job_id(), self.seed, self.hex(32), clean])

    def share(self, time_ns: int) -> bytes:
        """``mining.submit``: worker, job, the miner's part of the nonce."""
        del time_ns
        return self._submit([self._worker(), self.job_id, self.hex(6)])
