"""Plain twins of the kernels: slow, and written to be believed. They borrow nothing from the package."""

import struct
from dataclasses import dataclass, field
from ipaddress import ip_address

# -- frames ------------------------------------------------------------------------------------------------------------

OK, NOT_IP, UNKNOWN_LINK, CUT, BAD_LENGTH, FRAGMENT, TOO_DEEP = range(7)


class Stop(Exception):
    """Decoding ends here with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Decoded:
    """What a frame says."""

    status: int = OK
    version: int = 0
    proto: int = 0
    src: str = ""
    dst: str = ""
    sport: int = 0
    dport: int = 0
    seq: int = 0
    ack: int = 0
    tcp_flags: int = 0
    vlan: int = 0
    network: int = 0
    payload: int = 0
    payload_len: int = 0
    payload_captured: int = 0


class _Frame:
    """Bytes that are asked for by offset, and refuse to give what was not captured."""

    def __init__(self, data: bytes, wire_len: int) -> None:
        self.data = data
        self.wire_len = max(wire_len, len(data))

    def take(self, form: str, at: int) -> tuple:
        if at + struct.calcsize(form) > len(self.data):
            raise Stop(CUT)
        return struct.unpack_from(form, self.data, at)


def decode(data: bytes, wire_len: int, link_type: int) -> Decoded:
    """Decode one frame, layer by layer."""
    out = Decoded()
    frame = _Frame(data, wire_len)
    try:
        at, kind = _link(frame, link_type)
        for _depth in range(8):
            at = _to_ip(frame, at, kind, out)
            inner = _ip(frame, at, out)
            if inner is None:
                return out
            at, kind = inner
        raise Stop(TOO_DEEP)
    except Stop as stop:
        out.status = stop.status
    return out


def _link(frame: _Frame, link_type: int) -> tuple[int, object]:
    if link_type == 1:
        return 0, "ethernet"
    if link_type == 113:
        frame.take("16s", 0)
        return 16, frame.take("!H", 14)[0]
    if link_type == 276:
        frame.take("20s", 0)
        return 20, frame.take("!H", 0)[0]
    if link_type in (12, 14, 101, 228, 229):
        return 0, "ip"
    if link_type in (0, 108):
        frame.take("4s", 0)
        return 4, "ip"
    if link_type in (9, 50):
        return (2 if frame.take("!H", 0)[0] == 0xFF03 else 0), "ppp"
    if link_type == 104:
        frame.take("4s", 0)
        return 4, frame.take("!H", 2)[0]
    raise Stop(UNKNOWN_LINK)


def _to_ip(frame: _Frame, at: int, kind: object, out: Decoded) -> int:
    """Offset of the IP header behind whatever link headers there are."""
    if kind in ("ip", 0x0800, 0x86DD):
        return at
    if kind == "ethernet":
        kind = frame.take("!12xH", at)[0]
        at += 14
        if kind > 1500:
            return _to_ip(frame, at, kind, out)
        rest = frame.data[at : at + 8]
        if len(rest) == 8 and rest[:2] == b"\xaa\xaa" and rest[3:6] == b"\0\0\0":
            return _to_ip(frame, at + 8, int.from_bytes(rest[6:], "big"), out)
        raise Stop(NOT_IP)
    if kind in (0x8100, 0x88A8, 0x9100, 0x9200):
        tag, inner = frame.take("!HH", at)
        out.vlan = tag % 4096
        return _to_ip(frame, at + 4, inner, out)
    if kind in (0x8847, 0x8848):
        label = 0
        while not label & 0x100:
            (label,) = frame.take("!I", at)
            at += 4
        (nibble,) = frame.take("B", at)
        if nibble < 16:
            return _to_ip(frame, at + 4, "ethernet", out)
        return at
    if kind == 0x8864:
        frame.take("6s", at)
        return _to_ip(frame, at + 6, "ppp", out)
    if kind == "ppp":
        (word,) = frame.take("!H", at)
        protocol, size = (word >> 8, 1) if word & 0x100 else (word, 2)
        if protocol in (0x21, 0x57):
            return at + size
    raise Stop(NOT_IP)


def _ip(frame: _Frame, at: int, out: Decoded) -> tuple[int, object] | None:
    """Fill `out` from an IP packet; where it is a tunnel, what is inside and where."""
    version = frame.take("B", at)[0] >> 4
    out.network = at
    out.version = version
    if version == 4:
        first, total, cut, proto, src, dst = frame.take("!BxHxxHxBxx4s4s", at)
        header = first % 16 * 4
        if header < 20:
            raise Stop(BAD_LENGTH)
        if total == 0:
            total = frame.wire_len - at
        if total < header:
            raise Stop(BAD_LENGTH)
        stop, upper, fragment = at + total, at + header, bool(cut & 0x3FFF)
    elif version == 6:
        total, proto, src, dst = frame.take("!4xHBx16s16s", at)
        stop = at + 40 + total if total else frame.wire_len
        upper, fragment = at + 40, False
        for _ in range(16):
            if proto in (0, 43, 51, 60, 135, 139, 140):
                frame.take("8s", upper)
                following, length = frame.take("BB", upper)
                upper += (length + 2) * 4 if proto == 51 else (length + 1) * 8
                proto = following
            elif proto == 44:
                following, where = frame.take("!BxH4x", upper)
                if where & 0xFFF9:
                    fragment = True
                    break
                proto, upper = following, upper + 8
            else:
                break
    else:
        raise Stop(NOT_IP)
    out.proto, out.src, out.dst = proto, str(ip_address(src)), str(ip_address(dst))
    if fragment:
        raise Stop(FRAGMENT)
    if upper > stop:
        raise Stop(BAD_LENGTH)
    if proto in (4, 41):
        return upper, "ip"
    if proto == 47:
        flags, kind = frame.take("!HH", upper)
        inside = upper + 4 + 4 * sum(bool(flags & bit) for bit in (0x8000, 0x2000, 0x1000))
        if flags & 7 == 1 and flags & 0x80:
            inside += 4
        if kind == 0x6558:
            return inside, "ethernet"
        if kind == 0x88BE:
            return inside + (8 if flags & 0x1000 else 0), "ethernet"
        if kind == 0x880B:
            return inside + (2 if frame.data[inside : inside + 2] == b"\xff\x03" else 0), "ppp"
        if kind in (0x0800, 0x86DD, 0x8847, 0x8848, 0x8100):
            return inside, kind
    if proto == 17 and len(frame.data) >= upper + 16:
        dport, vxlan_flags = frame.take("!2xH4xB", upper)
        if dport == 4789 and vxlan_flags == 8:
            return upper + 16, "ethernet"
    body = upper
    if proto == 6:
        out.sport, out.dport = frame.take("!HH", upper)
        body = upper + 20
        if len(frame.data) >= body:
            out.seq, out.ack, offset, out.tcp_flags = frame.take("!4xIIBB", upper)
            if offset >> 4 < 5:
                raise Stop(BAD_LENGTH)
            body = upper + (offset >> 4) * 4
    elif proto in (17, 33, 132):
        frame.take("8s", upper)
        out.sport, out.dport = frame.take("!HH", upper)
        body = upper + (8 if proto == 17 else 12)
    if body > stop:
        raise Stop(BAD_LENGTH)
    out.payload = body
    out.payload_len = stop - body
    out.payload_captured = max(0, min(stop, len(frame.data)) - body)
    return None


# -- names -------------------------------------------------------------------------------------------------------------


def fnv1a(name: str) -> int:
    """FNV-1a, 64 bits (draft-eastlake-fnv)."""
    h = 0xCBF29CE484222325
    for byte in name.lower().encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def name_or_parent_in(name: str, known: set[str]) -> bool:
    """Whether the name or one that ends it at a dot is in the set."""
    labels = name.lower().removesuffix(".").split(".")
    return any(".".join(labels[k:]) in known for k in range(len(labels)))


# -- conversations -----------------------------------------------------------------------------------------------------


@dataclass
class Side:
    """One direction of a TCP conversation."""

    packets: int = 0
    stream: dict[int, int] = field(default_factory=dict)
    """Bytes seen, by their distance from the first sequence number."""


def unwrap(seq: int, near: int) -> int:
    """The number congruent to `seq` modulo 2**32 that is nearest to `near`."""
    return near + (seq - near + 2**31) % 2**32 - 2**31
