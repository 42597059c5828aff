"""IP fragments to datagrams (RFC 791 section 3.2, RFC 8200 section 4.5). Rare, so in plain Python, with a bound."""

from collections import OrderedDict
from dataclasses import dataclass, field

_MOST_DATAGRAMS = 512
_MOST_BYTES = 65_535 + 40
_LIFE_NS = 30 * 1_000_000_000  # RFC 791 suggests 15 s, Linux keeps 30 s


@dataclass(slots=True)
class _Parts:
    first_ns: int
    header: bytes = b""
    pieces: dict[int, bytes] = field(default_factory=dict)
    held: int = 0  # bytes in `pieces`
    total: int | None = None


class FragmentAssembler:
    """Collects fragments; memory is bounded by 512 datagrams of 128 KiB, and old ones go first."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[bytes, bytes, int, int], _Parts] = OrderedDict()

    def feed(self, datagram: bytes, time_ns: int) -> bytes | None:
        """Take an IP packet that is a fragment; give the whole datagram when it is the last one missing.

        Parameters
        ----------
        datagram : bytes
            From the IP header on, as captured.
        time_ns : int
            [ns since 1970-01-01 UTC]

        Returns
        -------
        bytes or None
            An IP packet without fragmentation.
        """
        if len(datagram) < 20:
            return None
        fragment = _ipv4(datagram) if datagram[0] >> 4 == 4 else _ipv6(datagram)
        if fragment is None:
            return None
        key, header, offset, last, body = fragment
        parts = self._open.get(key)
        if parts is None or time_ns - parts.first_ns > _LIFE_NS:
            parts = self._open[key] = _Parts(time_ns)
            self._open.move_to_end(key)
            while len(self._open) > _MOST_DATAGRAMS:
                self._open.popitem(last=False)
        if offset == 0:
            parts.header = header
        if last:
            parts.total = offset + len(body)
        # What came first counts; of two that begin at the same place the longer one adds its end.
        known = parts.pieces.get(offset, b"")
        parts.pieces[offset] = known + body[len(known) :]
        parts.held += max(0, len(body) - len(known))
        whole = _joined(parts)
        if whole is None:
            if parts.held > 2 * _MOST_BYTES:  # overlaps without end: nobody sends that but to fill memory
                del self._open[key]
            return None
        del self._open[key]
        return _rebuilt(parts.header, whole)


def _joined(parts: _Parts) -> bytes | None:
    """The body, where nothing is missing; overlaps keep what came first in the body."""
    if parts.total is None or not parts.header or parts.held < parts.total:
        return None
    body = bytearray()
    for offset in sorted(parts.pieces):
        if offset > len(body):
            return None
        piece = parts.pieces[offset]
        body += piece[len(body) - offset :]
    return bytes(body) if parts.total <= len(body) <= _MOST_BYTES else None


def _ipv4(datagram: bytes) -> tuple[tuple[bytes, bytes, int, int], bytes, int, bool, bytes] | None:
    header_len = (datagram[0] & 15) * 4
    total = min(int.from_bytes(datagram[2:4], "big") or len(datagram), len(datagram))
    if not 20 <= header_len < total:
        return None
    flags = int.from_bytes(datagram[6:8], "big")
    key = (datagram[12:16], datagram[16:20], datagram[9], int.from_bytes(datagram[4:6], "big"))
    return key, datagram[:header_len], (flags & 0x1FFF) * 8, not flags & 0x2000, datagram[header_len:total]


def _ipv6(datagram: bytes) -> tuple[tuple[bytes, bytes, int, int], bytes, int, bool, bytes] | None:
    kind, at = datagram[6], 40
    while kind in (0, 43, 60) and at + 8 <= len(datagram):
        kind, at = datagram[at], at + 8 + 8 * datagram[at + 1]
    if kind != 44 or at + 8 >= len(datagram):
        return None
    end = min(40 + int.from_bytes(datagram[4:6], "big"), len(datagram))
    word = int.from_bytes(datagram[at + 2 : at + 4], "big")
    identity = int.from_bytes(datagram[at + 4 : at + 8], "big")
    # Without the fragment header; extension headers before it are left out too: nothing here reads them.
    header = datagram[:6] + bytes([datagram[at]]) + datagram[7:40]
    return (datagram[8:24], datagram[24:40], 44, identity), header, word & 0xFFF8, not word & 1, datagram[at + 8 : end]


def _rebuilt(header: bytes, body: bytes) -> bytes:
    if header[0] >> 4 == 4:
        total = min(len(header) + len(body), 65_535)
        return header[:2] + total.to_bytes(2, "big") + header[4:6] + b"\0\0" + header[8:] + body
    return header[:4] + min(len(body), 65_535).to_bytes(2, "big") + header[6:] + body
