"""What every mining dialect can say, and the small tools that most of them share."""

import json
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum

from headframe.simulate.chains import Block, Chain

CLIENT, SERVER = 0, 1
Exchange = tuple[int, bytes]
"""Who speaks, and what."""


class Outcome(StrEnum):
    """What became of a share."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Account:
    """Names that a miner gives of itself; all made up."""

    wallet: str
    worker: str
    agent: str


@dataclass(slots=True)
class Dialect(ABC):
    """One session's view of a mining protocol: it turns events into messages and remembers what they depend on.

    Attributes
    ----------
    chain : Chain
    account : Account
    host : str
        Name of the pool's server, for dialects that mention it.
    rng : random.Random
        Source of nonces, hashes and identifiers.
    difficulty_hashes : float
        Expected hashes per share, as the last message to the miner put it. [hashes]
    """

    chain: Chain
    account: Account
    host: str
    rng: random.Random
    difficulty_hashes: float = 0.0
    job_id: str = ""
    next_id: int = 1
    jobs: int = field(default=0)

    protocol = ""
    """The label that findings use (see `headframe.records.finding.Finding`)."""
    difficulty_rides_on_job = False
    """True where there is no difficulty message of its own: the next job carries the target."""
    poll_interval_s: float | None = None
    """Where the miner asks for work by itself, how often. [s]"""
    long_poll = False
    """True where the answer to a poll is held back until a new block."""
    keepalive_interval_s: float | None = None
    tells_stale = True
    """False where the pool's answer to a stale share is the same as to a wrong one."""

    @abstractmethod
    def opening(self) -> list[Exchange]:
        """Everything up to, not including, the first job."""

    @abstractmethod
    def job(self, block: Block, time_ns: int, *, clean: bool) -> bytes:
        """The message that pushes a job, or the answer that carries it where the miner polls."""

    @abstractmethod
    def share(self, time_ns: int) -> bytes:
        """The message that hands in a share on the current job."""

    @abstractmethod
    def answer(self, outcome: Outcome) -> bytes:
        """The pool's answer to the last share."""

    def settle(self, hashes: float) -> float:
        """The nearest difficulty that the dialect can express. [hashes per share]"""
        return max(1.0, float(f"{hashes:.3g}"))

    def difficulty(self) -> bytes:
        """The message that tells `difficulty_hashes`; empty where it rides on the next job."""
        return b""

    def poll(self) -> bytes:
        """The request for work, where the miner polls."""
        raise NotImplementedError(f"{type(self).__name__} pushes its jobs")

    def keepalive(self) -> list[Exchange]:
        """What is said when nothing else has been for `keepalive_interval_s`."""
        return []

    def hex(self, size_bytes: int) -> str:
        """Random bytes in lower-case hexadecimal."""
        return self.rng.randbytes(size_bytes).hex()

    def take_id(self) -> int:
        """The next request id."""
        self.next_id += 1
        return self.next_id - 1

    def new_job_id(self, size_bytes: int = 4) -> str:
        """A fresh job id, remembered as the current one."""
        self.jobs += 1
        self.job_id = self.hex(size_bytes)
        return self.job_id


def line(message: object, *, spaced: bool = False) -> bytes:
    """A JSON text and a line feed; `spaced` as Python's and many C writers put blanks after separators."""
    return json.dumps(message, separators=(", ", ": ") if spaced else (",", ":")).encode() + b"\n"


def target_256(difficulty_hashes: float) -> str:
    """The 256-bit target that one hash in `difficulty_hashes` meets: 64 hexadecimal digits, most significant first."""
    return f"{min((1 << 256) - 1, int((1 << 256) / difficulty_hashes)):064x}"


def little_endian_words(data: bytes) -> str:
    """Bytes as hexadecimal with each 4-byte word turned round, as stratum writes the previous block's hash."""
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4)).hex()


def seeded_bytes(size: int, *parts: object) -> bytes:
    """Bytes that depend on `parts` only: the same block gives the same hash in every session."""
    return random.Random(repr(parts)).randbytes(size)


def http_request(host: str, body: bytes, *, path: str = "/", headers: tuple[str, ...] = ()) -> bytes:
    """A POST of a JSON text."""
    head = [f"POST {path} HTTP/1.1", f"Host: {host}", *headers, "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def http_response(body: bytes, *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    """An answer that carries a JSON text."""
    head = [f"HTTP/1.1 {status}", *headers, "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body
