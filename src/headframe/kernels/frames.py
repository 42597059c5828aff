"""Frames to packets: link layer, network layer and transport, straight from the capture's bytes.

One record of `PACKET` per captured packet. The walker of the file format (``pcap``, ``pcapng``) fills the first
part, where the frame is and when it was captured; `decode_frames` fills the rest. Nothing is copied: `frame` and
`payload` are offsets into the buffer that the frames came from.

The key of a conversation is 128 bits. For IPv4 it is exact: two addresses, two ports, protocol. For IPv6 it is a
keyed hash: a collision of two of n conversations has probability below ``n**2 / 2**120`` and cannot be prepared
by an attacker who does not know the key of the run.
"""

import numpy as np
from numba import njit

from headframe.kernels.jit import kernel

PACKET = np.dtype(
    [
        ("time_ns", "i8"),  # capture time [ns since 1970-01-01 UTC]
        ("key0", "u8"),  # conversation key, see above
        ("key1", "u8"),
        ("frame", "i8"),  # offset of the frame's first byte in the buffer
        ("payload", "i8"),  # offset of the transport payload in the buffer
        ("captured_len", "u4"),  # bytes of the frame that are in the buffer
        ("wire_len", "u4"),  # bytes of the frame on the wire
        ("payload_len", "u4"),  # transport payload on the wire, by the IP header [bytes]
        ("payload_captured", "u4"),  # of which are in the buffer [bytes]
        ("seq", "u4"),  # TCP
        ("ack", "u4"),  # TCP
        ("hash", "u4"),  # of the key, for the table
        ("network", "u2"),  # offset of the innermost IP header from `frame`
        ("link_type", "u2"),  # LINKTYPE_ value of the interface
        ("orig_port", "u2"),  # sender's port
        ("resp_port", "u2"),  # receiver's port
        ("vlan", "u2"),  # innermost VLAN id, 0 for none
        ("tcp_flags", "u1"),
        ("proto", "u1"),  # IP protocol number
        ("version", "u1"),  # 4 or 6
        ("low", "u1"),  # 1 where the sender is the lower endpoint of the key
        ("status", "u1"),  # one of the codes below
        ("look", "u1"),  # what a cheap look at the payload says, see kernels.look
    ],
    align=True,
)

OK = 0
NOT_IP = 1  # ARP, LLDP and the like: read, and of no use here
UNKNOWN_LINK = 2  # a link type that is not in the table
CUT = 3  # the snap length (or damage) cut the frame inside its headers
BAD_LENGTH = 4  # a header contradicts itself
FRAGMENT = 5  # part of a datagram; goes to the reassembler
TOO_DEEP = 6  # more nested tunnels than MAX_DEPTH

STATUS_TEXT = {
    NOT_IP: "not IP",
    UNKNOWN_LINK: "unknown link type",
    CUT: "headers cut short",
    BAD_LENGTH: "bad header length",
    FRAGMENT: "IP fragment",
    TOO_DEEP: "nested too deep",
}

MAX_DEPTH = 8  # nested tunnels; a crafted frame must not keep us longer

LINK_NULL = 0
LINK_ETHERNET = 1
LINK_PPP = 9
LINK_RAW_BSD = 12
LINK_RAW_OPENBSD = 14
LINK_PPP_HDLC = 50
LINK_RAW = 101
LINK_C_HDLC = 104
LINK_LOOP = 108
LINK_LINUX_SLL = 113
LINK_IPV4 = 228
LINK_IPV6 = 229
LINK_LINUX_SLL2 = 276

_IP = 0x0800
_IPV6 = 0x86DD
_PROTO_PPP = 0xFFFF01  # not an EtherType: a PPP protocol field follows
_PROTO_BY_NIBBLE = 0xFFFF02  # an IP header follows; its version is in the first nibble
_PROTO_UNKNOWN_LINK = 0xFFFF03
_PROTO_ETHERNET = 0xFFFF04
_PROTO_CUT = 0xFFFF05

_VXLAN_PORT = 4789


@njit
def u8(buf, o):
    """The byte at `o` [>= 0]; an unsigned index spares numba's test for negative ones."""
    return np.int64(buf[np.uint64(o)])


@njit
def be16(buf, o):
    """16 bits, network byte order."""
    return (u8(buf, o) << 8) | u8(buf, o + 1)


@njit
def be32(buf, o):
    """32 bits, network byte order."""
    return (u8(buf, o) << 24) | (u8(buf, o + 1) << 16) | (u8(buf, o + 2) << 8) | u8(buf, o + 3)


@njit
def be64(buf, o):
    """64 bits, network byte order."""
    return (np.uint64(be32(buf, o)) << np.uint64(32)) | np.uint64(be32(buf, o + 4))


@njit
def mix64(x):
    """Finaliser of splitmix64: every input bit reaches every output bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def _link_payload(buf, o, end, link_type):
    """Offset of what the link header carries and its EtherType (or one of the _PROTO_ values)."""
    if link_type == LINK_ETHERNET:
        return o, _PROTO_ETHERNET
    if link_type == LINK_LINUX_SLL:
        if o + 16 > end:
            return o, _PROTO_CUT
        return o + 16, be16(buf, o + 14)
    if link_type == LINK_LINUX_SLL2:
        if o + 20 > end:
            return o, _PROTO_CUT
        return o + 20, be16(buf, o)
    if link_type == LINK_RAW or link_type == LINK_RAW_BSD or link_type == LINK_RAW_OPENBSD:
        return o, _PROTO_BY_NIBBLE
    if link_type == LINK_IPV4 or link_type == LINK_IPV6:
        return o, _PROTO_BY_NIBBLE
    if link_type == LINK_NULL or link_type == LINK_LOOP:
        # The address family is in the byte order of the machine that captured; families fit in one byte, and the
        # header that follows names its own version.
        if o + 4 > end:
            return o, _PROTO_CUT
        return o + 4, _PROTO_BY_NIBBLE
    if link_type == LINK_PPP or link_type == LINK_PPP_HDLC:
        if o + 2 > end:
            return o, _PROTO_CUT
        if u8(buf, o) == 0xFF and u8(buf, o + 1) == 0x03:
            o += 2
        return o, _PROTO_PPP
    if link_type == LINK_C_HDLC:
        if o + 4 > end:
            return o, _PROTO_CUT
        return o + 4, be16(buf, o + 2)
    return o, _PROTO_UNKNOWN_LINK


@kernel
def _decode_frame(buf, p, key_a, key_b):
    """Fill the decoded part of one record; see `decode_frames`."""
    start = p.frame
    end = start + np.int64(p.captured_len)
    wire_end = start + max(np.int64(p.wire_len), np.int64(p.captured_len))
    p.payload = end
    p.payload_len = 0
    p.payload_captured = 0
    p.key0 = 0
    p.key1 = 0
    p.hash = 0
    p.seq = 0
    p.ack = 0
    p.network = 0
    p.orig_port = 0
    p.resp_port = 0
    p.vlan = 0
    p.tcp_flags = 0
    p.proto = 0
    p.version = 0
    p.low = 0
    p.look = 0

    o, kind = _link_payload(buf, start, end, np.int64(p.link_type))
    for _depth in range(MAX_DEPTH):
        # -- link layer down to an IP header -------------------------------------------------------------------
        while kind != _PROTO_BY_NIBBLE:
            if kind == _IP or kind == _IPV6:
                kind = _PROTO_BY_NIBBLE
            elif kind == _PROTO_ETHERNET:
                if o + 14 > end:
                    p.status = CUT
                    return
                kind = be16(buf, o + 12)
                o += 14
                if kind <= 1500:  # 802.3: a length, then LLC; SNAP with OUI 0 carries an EtherType
                    if o + 8 <= end and u8(buf, o) == 0xAA and u8(buf, o + 1) == 0xAA and be16(buf, o + 3) == 0:
                        kind = be16(buf, o + 6)
                        o += 8
                    else:
                        p.status = NOT_IP
                        return
            elif kind == 0x8100 or kind == 0x88A8 or kind == 0x9100 or kind == 0x9200:
                if o + 4 > end:
                    p.status = CUT
                    return
                p.vlan = be16(buf, o) & 0x0FFF
                kind = be16(buf, o + 2)
                o += 4
            elif kind == 0x8847 or kind == 0x8848:  # MPLS: labels up to the bottom of the stack
                bottom = False
                while not bottom:
                    if o + 4 > end:
                        p.status = CUT
                        return
                    bottom = (u8(buf, o + 2) & 1) == 1
                    o += 4
                if o >= end:
                    p.status = CUT
                    return
                if (u8(buf, o) >> 4) == 0:  # RFC 4385 control word: an Ethernet pseudo-wire
                    o += 4
                    kind = _PROTO_ETHERNET
                else:
                    kind = _PROTO_BY_NIBBLE
            elif kind == 0x8864:  # PPPoE session
                if o + 6 > end:
                    p.status = CUT
                    return
                o += 6
                kind = _PROTO_PPP
            elif kind == _PROTO_PPP:
                if o + 2 > end:
                    p.status = CUT
                    return
                if u8(buf, o) & 1:  # RFC 1661 6.5: protocol field compressed to one byte
                    ppp = u8(buf, o)
                    o += 1
                else:
                    ppp = be16(buf, o)
                    o += 2
                if ppp == 0x21:
                    kind = _IP
                elif ppp == 0x57:
                    kind = _IPV6
                else:
                    p.status = NOT_IP
                    return
            else:
                if kind == _PROTO_CUT:
                    p.status = CUT
                elif kind == _PROTO_UNKNOWN_LINK:
                    p.status = UNKNOWN_LINK
                else:
                    p.status = NOT_IP
                return

        # -- IP ------------------------------------------------------------------------------------------------
        if o >= end:
            p.status = CUT
            return
        p.network = min(o - start, 65535)
        version = u8(buf, o) >> 4
        p.version = version
        fragment = False
        if version == 4:
            if o + 20 > end:
                p.status = CUT
                return
            header = (u8(buf, o) & 15) * 4
            if header < 20:
                p.status = BAD_LENGTH
                return
            total = be16(buf, o + 2)
            if total == 0:  # segmentation offload left it to the hardware
                total = wire_end - o
            if total < header:
                p.status = BAD_LENGTH
                return
            ip_end = o + total
            if be16(buf, o + 6) & 0x3FFF:
                fragment = True
            proto = u8(buf, o + 9)
            upper = o + header
        elif version == 6:
            if o + 40 > end:
                p.status = CUT
                return
            total = be16(buf, o + 4)
            ip_end = o + 40 + total
            if total == 0:
                ip_end = wire_end
            proto = u8(buf, o + 6)
            upper = o + 40
            for _header in range(16):
                if proto == 0 or proto == 43 or proto == 60 or proto == 135 or proto == 139 or proto == 140:
                    if upper + 8 > end:
                        p.status = CUT
                        return
                    proto = u8(buf, upper)
                    upper += 8 + 8 * u8(buf, upper + 1)
                elif proto == 51:  # authentication header counts in 4-byte units
                    if upper + 8 > end:
                        p.status = CUT
                        return
                    proto = u8(buf, upper)
                    upper += 8 + 4 * u8(buf, upper + 1)
                elif proto == 44:
                    if upper + 8 > end:
                        p.status = CUT
                        return
                    if be16(buf, upper + 2) & 0xFFF9:
                        fragment = True
                        break
                    proto = u8(buf, upper)
                    upper += 8
                else:
                    break
        else:
            p.status = NOT_IP
            return
        p.proto = proto
        if fragment:
            p.status = FRAGMENT
            return
        if upper > ip_end:
            p.status = BAD_LENGTH
            return

        # -- tunnels: go round again with what is inside -------------------------------------------------------
        if proto == 4 or proto == 41:
            o = upper
            kind = _PROTO_BY_NIBBLE
            continue
        if proto == 47:
            if upper + 4 > end:
                p.status = CUT
                return
            flags = be16(buf, upper)
            kind = be16(buf, upper + 2)
            gre_version = flags & 7
            o = upper + 4
            if flags & 0x8000:
                o += 4
            if flags & 0x2000:
                o += 4
            if flags & 0x1000:
                o += 4
            if gre_version == 1 and flags & 0x0080:
                o += 4
            if kind == 0x6558:
                kind = _PROTO_ETHERNET
                continue
            if kind == 0x88BE:  # ERSPAN: type II has a header of 8 bytes and a GRE sequence number, type I neither
                if flags & 0x1000:
                    o += 8
                kind = _PROTO_ETHERNET
                continue
            if kind == 0x880B:
                if o + 2 <= end and u8(buf, o) == 0xFF and u8(buf, o + 1) == 0x03:
                    o += 2
                kind = _PROTO_PPP
                continue
            if kind == _IP or kind == _IPV6 or kind == 0x8847 or kind == 0x8848 or kind == 0x8100:
                continue
        if proto == 17 and upper + 16 <= end and be16(buf, upper + 2) == _VXLAN_PORT and u8(buf, upper + 8) == 0x08:
            o = upper + 16
            kind = _PROTO_ETHERNET
            continue

        # -- transport -----------------------------------------------------------------------------------------
        sport = np.int64(0)
        dport = np.int64(0)
        body = upper
        if proto == 6:
            if upper + 20 > end:
                if upper + 4 > end:
                    p.status = CUT
                    return
                body = upper + 20
            else:
                header = np.int64(u8(buf, upper + 12) >> 4) * 4
                if header < 20:
                    p.status = BAD_LENGTH
                    return
                p.seq = be32(buf, upper + 4)
                p.ack = be32(buf, upper + 8)
                p.tcp_flags = u8(buf, upper + 13)
                body = upper + header
            sport = be16(buf, upper)
            dport = be16(buf, upper + 2)
        elif proto == 17 or proto == 132 or proto == 33:
            if upper + 8 > end:
                p.status = CUT
                return
            sport = be16(buf, upper)
            dport = be16(buf, upper + 2)
            body = upper + (8 if proto == 17 else 12)
        if body > ip_end:
            p.status = BAD_LENGTH
            return
        p.orig_port = sport
        p.resp_port = dport
        p.payload = body
        p.payload_len = ip_end - body
        p.payload_captured = max(np.int64(0), min(ip_end, end) - body)

        # -- the key -------------------------------------------------------------------------------------------
        ip = start + np.int64(p.network)
        if version == 4:
            src = be32(buf, ip + 12)
            dst = be32(buf, ip + 16)
            if src < dst or (src == dst and sport <= dport):
                p.low = 1
                p.key0 = (np.uint64(src) << np.uint64(32)) | np.uint64(dst)
                ports = (sport << 16) | dport
            else:
                p.key0 = (np.uint64(dst) << np.uint64(32)) | np.uint64(src)
                ports = (dport << 16) | sport
            p.key1 = (np.uint64(ports) << np.uint64(32)) | np.uint64((proto << 8) | 4)
        else:
            s0 = be64(buf, ip + 8)
            s1 = be64(buf, ip + 16)
            d0 = be64(buf, ip + 24)
            d1 = be64(buf, ip + 32)
            low = s0 < d0 or (s0 == d0 and (s1 < d1 or (s1 == d1 and sport <= dport)))
            if low:
                p.low = 1
                ports = (sport << 16) | dport
            else:
                s0, d0 = d0, s0
                s1, d1 = d1, s1
                ports = (dport << 16) | sport
            tail = np.uint64((ports << 8) | proto)
            h = mix64(s0 ^ key_a)
            h = mix64(h + s1)
            h = mix64(h + d0)
            h = mix64(h + d1)
            g = mix64(d1 ^ key_b)
            g = mix64(g + d0)
            g = mix64(g + s1)
            g = mix64(g + s0)
            p.key0 = mix64(h ^ tail)
            p.key1 = (mix64(g + tail) & np.uint64(0xFFFFFFFFFFFFFF00)) | np.uint64(6)
        p.hash = np.uint32(mix64(mix64(p.key0 ^ key_a) + (p.key1 ^ key_b)) >> np.uint64(32))
        p.status = OK
        return
    p.status = TOO_DEEP


@kernel
def decode_frames(buf, packets, first, last, key_a, key_b):
    """Decode the headers of ``packets[first:last]``.

    Parameters
    ----------
    buf : uint8[n]
        The bytes that `frame` counts in.
    packets : PACKET[m]
        `time_ns`, `frame`, `captured_len`, `wire_len` and `link_type` are read, all else is written.
        ``frame + captured_len`` must lie within `buf`: the walkers see to that.
    first, last : int
        Which records.
    key_a, key_b : uint64
        The run's secret for conversation keys.
    """
    for i in range(first, last):
        _decode_frame(buf, packets[i], key_a, key_b)
