"""CryptoNote's dialect (Monero): login, job, submit, keepalived; and its form for browsers over WebSocket."""

import base64
import hashlib
import json
from dataclasses import dataclass

from headframe.simulate.chains import Block
from headframe.simulate.dialects.base import CLIENT, SERVER, Dialect, Exchange, Outcome, line, seeded_bytes

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""


def compact_target(difficulty_hashes: float) -> str:
    """The target as the dialect writes it: 32 bits, little-endian; 64 bits where 32 would be too coarse."""
    if difficulty_hashes < 1 << 24:
        return int(0xFFFFFFFF / difficulty_hashes).to_bytes(4, "little").hex()
    return int(0xFFFFFFFFFFFFFFFF / difficulty_hashes).to_bytes(8, "little").hex()


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def hashing_blob(block: Block, coin: str, time_ns: int, root: bytes) -> str:
    """A block header to hash: versions, time, previous id, an empty nonce, Merkle root, number of transactions."""
    head = b"\x10\x10" + _varint(time_ns // 10**9) + seeded_bytes(32, coin, block.height)
    return (head + bytes(4) + root + _varint(1 + root[0] % 90)).hex()


def winning_hash(dialect: Dialect) -> str:
    """A hash that meets the difficulty: its last 64 bits, little-endian, lie below the target."""
    bound = max(1, int((1 << 64) / dialect.difficulty_hashes) - 1)
    return dialect.hex(24) + dialect.rng.randrange(bound).to_bytes(8, "little").hex()


@dataclass(slots=True)
class CryptoNote(Dialect):
    """Login answered by the first job; jobs pushed; shares with nonce and result."""

    protocol = "cryptonote"
    difficulty_rides_on_job = True
    keepalive_interval_s: float | None = 60.0
    session: str = ""
    last_share_id: int = 0

    def settle(self, hashes: float) -> float:
        """What the compact target really means."""
        hashes = max(16.0, float(f"{hashes:.3g}"))
        target = compact_target(hashes)
        return (1 << (4 * len(target))) / (int.from_bytes(bytes.fromhex(target), "little") + 1)

    def opening(self) -> list[Exchange]:
        """The login; its answer is the first job."""
        params = {
            "login": self.account.wallet, "pass": self.account.worker, "agent": self.account.agent,
            "algo": ["rx/0", "cn/r", "cn/half"],
        }  # fmt: skip
        self.session = self.hex(8)
        return [(CLIENT, line({"id": self.take_id(), "jsonrpc": "2.0", "method": "login", "params": params}))]

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """The first inside the answer to the login; later ones as notifications."""
        del clean
        job = {
            "blob": hashing_blob(block, self.chain.coin, time_ns, self.rng.randbytes(32)),
            "job_id": self.new_job_id(8), "target": compact_target(self.difficulty_hashes), "algo": "rx/0",
            "height": block.height + 1, "seed_hash": seeded_bytes(32, self.chain.coin, block.height // 2048).hex(),
        }  # fmt: skip
        if self.jobs == 1:
            result = {"id": self.session, "job": job, "extensions": ["algo", "keepalive"], "status": "OK"}
            return line({"id": 1, "jsonrpc": "2.0", "error": None, "result": result})
        return line({"jsonrpc": "2.0", "method": "job", "params": job})

    def share(self, time_ns: int) -> bytes:
        """``submit``."""
        del time_ns
        self.last_share_id = self.take_id()
        params = {"id": self.session, "job_id": self.job_id, "nonce": self.hex(4), "result": winning_hash(self)}
        return line({"id": self.last_share_id, "jsonrpc": "2.0", "method": "submit", "params": params})

    def answer(self, outcome: Outcome) -> bytes:
        """Status OK, or an error with words."""
        reply: dict[str, object] = {"id": self.last_share_id, "jsonrpc": "2.0"}
        if outcome is Outcome.ACCEPTED:
            return line({**reply, "error": None, "result": {"status": "OK"}})
        words = "Block expired" if outcome is Outcome.STALE else "Low difficulty share"
        return line({**reply, "error": {"code": -1, "message": words}})

    def keepalive(self) -> list[Exchange]:
        """``keepalived``."""
        number = self.take_id()
        call = {"id": number, "jsonrpc": "2.0", "method": "keepalived", "params": {"id": self.session}}
        reply = {"id": number, "jsonrpc": "2.0", "error": None, "result": {"status": "KEEPALIVED"}}
        return [(CLIENT, line(call)), (SERVER, line(reply))]


@dataclass(slots=True)
class BrowserMiner(Dialect):
    """A script in a web page that mines over WebSocket: auth, authed, job, submit, hash_accepted."""

    protocol = "cryptonote+websocket"
    difficulty_rides_on_job = True
    tells_stale = False
    hashes_credited: int = 0

    def settle(self, hashes: float) -> float:
        """What the compact target really means."""
        hashes = max(16.0, float(f"{hashes:.3g}"))
        return (1 << 32) / (int(0xFFFFFFFF / hashes) + 1)

    def _frame(self, message: object, *, masked: bool) -> bytes:
        """A text frame; a client masks its own (RFC 6455, section 5)."""
        payload = json.dumps(message, separators=(",", ":")).encode()
        bit = 0x80 if masked else 0
        if len(payload) < 126:
            head = bytes((0x81, bit | len(payload)))
        else:
            head = bytes((0x81, bit | 126)) + len(payload).to_bytes(2, "big")
        if not masked:
            return head + payload
        key = self.rng.randbytes(4)
        return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))

    def opening(self) -> list[Exchange]:
        """The upgrade from HTTP, then the site's key."""
        key = base64.b64encode(self.rng.randbytes(16))
        proof = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest()).decode()
        ask = (
            f"GET /proxy HTTP/1.1\r\nHost: {self.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Origin: http://videos.example\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n\r\n"
        )
        grant = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {proof}\r\n\r\n"
        )
        who = {"version": 7, "site_key": self.account.wallet[:32], "type": "anonymous", "user": None, "goal": 0}
        return [
            (CLIENT, ask.encode()),
            (SERVER, grant.encode()),
            (CLIENT, self._frame({"type": "auth", "params": who}, masked=True)),
            (SERVER, self._frame({"type": "authed", "params": {"token": "", "hashes": 0}}, masked=False)),
        ]

    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """A job frame."""
        del clean
        job = {
            "job_id": self.new_job_id(8), "blob": hashing_blob(block, self.chain.coin, time_ns, self.rng.randbytes(32)),
            "target": int(0xFFFFFFFF / self.difficulty_hashes).to_bytes(4, "little").hex(),
        }  # fmt: skip
        return self._frame({"type": "job", "params": job}, masked=False)

    def share(self, time_ns: int) -> bytes:
        """A submit frame."""
        del time_ns
        params = {"version": 7, "job_id": self.job_id, "nonce": self.hex(4), "result": winning_hash(self)}
        return self._frame({"type": "submit", "params": params}, masked=True)

    def answer(self, outcome: Outcome) -> bytes:
        """The running total of hashes credited, or an error."""
        if outcome is Outcome.ACCEPTED:
            self.hashes_credited += round(self.difficulty_hashes)
            return self._frame({"type": "hash_accepted", "params": {"hashes": self.hashes_credited}}, masked=False)
        return self._frame({"type": "error", "params": {"error": "invalid_share"}}, masked=False)
