"""Stratum V2 by the shape of its beginning: all that an observer sees of an encrypted session.

The client opens with a 64-byte ElligatorSwift key and nothing else; the server answers with exactly 234 bytes (its key
64, its encrypted static key 64 + 16, the signed certificate 74 + 16); from then on every message is an encrypted header
of 22 bytes (6 + 16) and an encrypted payload. The client's first one, SetupConnection, cannot be shorter than 54 bytes,
and the answer of a server that agrees, SetupConnection.Success, is 44 bytes and then waits [1]_. Lengths are of runs:
all that one side sends before the other speaks, so cuts into packets do not matter. Earlier drafts used keys of 32
bytes: 32 and 170. On a local network the encryption may be left out; then SetupConnection itself is legible.

References
----------
.. [1] Stratum V2 specification, 04 "Protocol Security", 4.5 and 4.6; 03 "Protocol Overview", 3.2 and 3.6.
"""

from headframe.records.conversation import StreamChunk

HANDSHAKES = {(64, 234), (32, 170), (64, 170)}
"""Client's and server's first run. [bytes] The third pair is what the specification's text still says of act 2."""
MIN_SETUP_BYTES = 54
"""Encrypted SetupConnection: header 22, payload of at least 16 with all names empty, its code 16. [bytes]"""
SETUP_SUCCESS_BYTES = 44
"""Encrypted SetupConnection.Success: header 22, version 2, flags 4, code 16. [bytes]"""
_KEEP = 240


class HandshakeShape:
    """Watches the first runs of a conversation; `possible` turns false at the first thing that does not fit."""

    __slots__ = ("_bytes", "_runs", "plain", "possible", "seen")

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []
        self._bytes = [bytearray(), bytearray()]
        self.possible = True
        self.plain = False
        self.seen: list[StreamChunk] = []

    def feed(self, chunk: StreamChunk) -> None:
        """Take the next piece of either direction."""
        if not self.possible or self.complete:
            return
        direction, size = int(chunk.direction), len(chunk.data)
        if chunk.after_gap and self._runs:
            self.possible = False
            return
        if self._runs and self._runs[-1][0] == direction:
            self._runs[-1] = (direction, self._runs[-1][1] + size)
        else:
            self._runs.append((direction, size))
            self.seen.append(chunk)
        kept = self._bytes[direction]
        if len(kept) < _KEEP:
            kept += chunk.data[: _KEEP - len(kept)]
        self.possible = self._fits()

    def _fits(self) -> bool:
        runs = self._runs
        client = runs[0][0]
        opening = bytes(self._bytes[client])
        if opening[:1] == b"\x00":
            # extension 0, SetupConnection (0), length, protocol, lowest and highest version 2
            self.plain = opening[:3] == b"\x00\x00\x00" and (len(opening) < 11 or opening[7:11] == b"\x02\x00\x02\x00")
            if self.plain:
                answer = bytes(self._bytes[1 - client][:3])
                return answer in (b"", b"\x00", b"\x00\x00", b"\x00\x00\x01")
        first = runs[0][1]
        if len(runs) == 1:
            return first <= 64
        pairs = [server for size, server in HANDSHAKES if size == first]
        if not pairs or not _random_looking(opening[:first]):
            return False
        if len(runs) == 2:
            return runs[1][1] <= max(pairs)
        if runs[1][1] not in pairs or not _random_looking(bytes(self._bytes[1 - client][: runs[1][1]])):
            return False
        if len(runs) == 4:
            return runs[2][1] >= MIN_SETUP_BYTES
        return len(runs) < 5 or runs[3][1] == SETUP_SUCCESS_BYTES

    @property
    def handshaken(self) -> bool:
        """Both keys went over, or a legible SetupConnection was agreed to."""
        if not self.possible or len(self._runs) < 2:
            return False
        if self.plain:
            return len(self._bytes[1 - self._runs[0][0]]) >= 3 and len(self._bytes[self._runs[0][0]]) >= 11
        return len(self._runs) >= 3

    @property
    def complete(self) -> bool:
        """The server agreed to the client's setup, and the client went on: it opened a channel."""
        return self.handshaken and (self.plain or len(self._runs) >= 5)

    @property
    def client_direction(self) -> int:
        """Direction of the side that spoke first."""
        return self._runs[0][0] if self._runs else 0


def _random_looking(data: bytes) -> bool:
    """True unless the bytes repeat more than random ones do.

    64 random bytes hold 56.6 different values on average with a standard deviation of 2.4, 234 hold 153.6 with 6.3:
    the bound lies five deviations below, and text, padding and binary headers lie below it.
    """
    distinct = len(set(data))
    size = len(data)
    expected = 256.0 * (1.0 - (255.0 / 256.0) ** size)
    return distinct >= 0.79 * expected and sum(0x20 <= byte < 0x7F for byte in data) < 0.75 * size
