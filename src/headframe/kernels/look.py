"""A cheap look at each payload: which packets deserve a careful parser.

The look has no memory. It reads a payload's first bytes and says which kind it may be; only where the kind is
interesting does it read on. It may say yes too often (a parser will decide) but a miner's own words must always
get a yes. Names (TLS server name, HTTP host, DNS question and aliases, certificate names) are tested against the
set of indicator names here, so that the many that match nothing never leave the kernel.
"""

import numpy as np
from numba import njit

from headframe.kernels.frames import be16, u8
from headframe.kernels.jit import kernel

NOTHING = 0
RPC = 1  # JSON-RPC with a word of mining, bare, in HTTP or in a WebSocket frame
HTTP_RPC_HEAD = 2  # the head of an HTTP request whose body may be RPC
NAME = 3  # a name in this packet is in the indicator set
TLS_PART = 4  # a ClientHello that ends before its server name
QUIC_INITIAL = 5
NOISE_HELLO = 6  # 64 bytes that are no text: may open a Stratum V2 handshake
DNS_TCP = 7  # DNS over TCP with an interesting name
RPC_WEAK = 8  # JSON-RPC without one

_LOOK_BYTES = 1460  # how far into a payload the vocabulary is searched: one Ethernet segment
_DNS_PORT = 53
_MDNS_PORT = 5353
_HTTPS_PORT = 443

_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)


def name_table(hashes):
    """Open-addressed set of the given hashes.

    Parameters
    ----------
    hashes : uint64[n]
        FNV-1a of each name; 0 is not allowed (no name has it).

    Returns
    -------
    uint64[m]
        m a power of two, at least twice n; empty slots are 0.
    """
    size = 16
    while size < 2 * len(hashes) + 2:
        size *= 2
    table = np.zeros(size, dtype=np.uint64)
    mask = size - 1
    for h in set(hashes.tolist()):
        slot = int(h) & mask
        while table[slot] != 0:
            slot = (slot + 1) & mask
        table[slot] = h
    return table


def _word(text):
    return int.from_bytes(text, "big")


_METH, _PARA, _RESU, _ERRO = _word(b"meth"), _word(b"para"), _word(b"resu"), _word(b"erro")
_MINI, _JOB, _SUBM, _LOGI = _word(b"mini"), _word(b'job"'), _word(b"subm"), _word(b"logi")
_BLOB, _KEEP, _GETW, _GETJ = _word(b"blob"), _word(b"keep"), _word(b"getw"), _word(b"getj")
_SOLU, _CLIE, _HASH, _AUTH = _word(b"solu"), _word(b"clie"), _word(b"hash"), _word(b"auth")
_ETH, _GETB, _GET_ = _word(b"eth_"), _word(b"getb"), _word(b"get_")

EVERY_NAME = np.zeros(1, dtype=np.uint64)
"""In place of a `name_table`: every name matches. For calibration, which must see the names that match nothing."""


@njit
def _in_table(h, names):
    mask = np.uint64(len(names) - 1)
    slot = h & mask
    while names[slot] != 0:
        if names[slot] == h:
            return True
        slot = (slot + np.uint64(1)) & mask
    return False


@njit
def _lower(c):
    if 0x41 <= c <= 0x5A:
        return c + 32
    return c


@kernel
def name_matches(buf, first, last, names):
    """Whether the name in ``buf[first:last]``, or any of its parents, is in the set.

    Each suffix that begins at a label is hashed on its own (FNV-1a, lower case): quadratic in the labels, and a
    name has few.
    """
    if last > first and u8(buf, last - 1) == 0x2E:
        last -= 1
    if last <= first or last - first > 253:
        return False
    if len(names) == 1:  # EVERY_NAME
        return True
    start = first
    while start < last:
        h = _FNV_OFFSET
        next_label = last
        for i in range(start, last):
            c = u8(buf, i)
            if c == 0x2E and next_label == last:
                next_label = i + 1
            h = (h ^ np.uint64(_lower(c))) * _FNV_PRIME
        if _in_table(h, names):
            return True
        start = next_label
    return False


@njit
def _is_space(c):
    return c == 0x20 or c == 0x0A or c == 0x0D or c == 0x09 or c == 0x00


@njit
def _plain(buf, i, first, mask_at):
    """The byte at `i`, unmasked where a WebSocket mask begins at `mask_at` >= 0 and the text at `first`."""
    c = u8(buf, i)
    if mask_at >= 0:
        c ^= u8(buf, mask_at + ((i - first) & 3))
    return c


@kernel
def _rpc_words(buf, first, last, mask_at):
    """RPC, RPC_WEAK or NOTHING by the quoted words in ``buf[first:last]``.

    Every message of every dialect has ``"method"``, ``"params"``, ``"result"`` or ``"error"``; so has all other
    JSON-RPC. The messages that begin a mining session or carry work or shares also have a word of mining.
    """
    last = min(last, first + _LOOK_BYTES)
    rpc = False
    mining = False
    i = first
    while i + 8 <= last:
        if _plain(buf, i, first, mask_at) == 0x22:
            w = np.int64(0)
            for k in range(1, 5):
                w = (w << 8) | _plain(buf, i + k, first, mask_at)
            if w == _METH or w == _PARA or w == _RESU or w == _ERRO:
                rpc = True
            elif (
                w == _MINI
                or w == _JOB
                or w == _SUBM
                or w == _LOGI
                or w == _BLOB
                or w == _KEEP
                or w == _GETW
                or w == _GETJ
                or w == _SOLU
                or w == _CLIE
                or w == _HASH
                or w == _AUTH
            ):
                mining = True
            elif w == _ETH:
                if i + 9 <= last:
                    c = _plain(buf, i + 5, first, mask_at)
                    mining |= c == 0x73 or c == 0x6C  # submit, login
                    mining |= c == 0x67 and _plain(buf, i + 8, first, mask_at) == 0x57  # getWork
            elif w == _GETB:
                mining |= i + 10 <= last and _plain(buf, i + 9, first, mask_at) == 0x74  # getblocktemplate
            elif w == _GET_:
                mining |= i + 12 <= last and _plain(buf, i + 11, first, mask_at) == 0x74  # get_block_template
            elif w >> 16 == 0x3078:  # 256 bits in hexadecimal: pushed Ethereum work
                mining |= i + 68 <= last and _plain(buf, i + 67, first, mask_at) == 0x22
            if rpc and mining:
                return RPC
        i += 1
    return RPC_WEAK if rpc else NOTHING


@njit
def _is_method(buf, o, last):
    """GET, PUT, POST, HEAD, OPTIONS, CONNECT, DELETE, PATCH followed by a space."""
    if o + 8 > last:
        return False
    a = u8(buf, o)
    b = u8(buf, o + 1)
    if a == 0x47:
        return b == 0x45 and u8(buf, o + 2) == 0x54 and u8(buf, o + 3) == 0x20
    if a == 0x50:
        if b == 0x4F:
            return u8(buf, o + 2) == 0x53 and u8(buf, o + 3) == 0x54 and u8(buf, o + 4) == 0x20
        if b == 0x55:
            return u8(buf, o + 2) == 0x54 and u8(buf, o + 3) == 0x20
        return b == 0x41 and u8(buf, o + 2) == 0x54 and u8(buf, o + 5) == 0x20
    if a == 0x48:
        return b == 0x45 and u8(buf, o + 2) == 0x41 and u8(buf, o + 3) == 0x44 and u8(buf, o + 4) == 0x20
    if a == 0x4F:
        return b == 0x50 and u8(buf, o + 2) == 0x54 and u8(buf, o + 7) == 0x20
    if a == 0x43:
        return b == 0x4F and u8(buf, o + 2) == 0x4E and u8(buf, o + 7) == 0x20
    if a == 0x44:
        return b == 0x45 and u8(buf, o + 2) == 0x4C and u8(buf, o + 6) == 0x20
    return False


@kernel
def _http_request(buf, o, last, names):
    """Look of an HTTP request: its host, whether its body is RPC, whether its head announces JSON or an upgrade."""
    host_hit = False
    rpc_head = False
    body = last
    i = o
    stop = min(last, o + 4096)
    while i + 4 <= stop:
        if u8(buf, i) == 0x0A:
            c = _lower(u8(buf, i + 1))
            if c == 0x0D and u8(buf, i + 2) == 0x0A:
                body = i + 3
                break
            if c == 0x0A:
                body = i + 2
                break
            if (
                c == 0x68
                and i + 6 < stop
                and _lower(u8(buf, i + 2)) == 0x6F
                and _lower(u8(buf, i + 3)) == 0x73
                and _lower(u8(buf, i + 4)) == 0x74
                and u8(buf, i + 5) == 0x3A
            ):
                first = i + 6
                while first < stop and (u8(buf, first) == 0x20 or u8(buf, first) == 0x09):
                    first += 1
                end = first
                while end < stop and not _is_space(u8(buf, end)) and u8(buf, end) != 0x3A:
                    end += 1
                host_hit = name_matches(buf, first, end, names)
            elif (
                c == 0x75
                and i + 9 < stop
                and _lower(u8(buf, i + 2)) == 0x70
                and _lower(u8(buf, i + 3)) == 0x67
                and u8(buf, i + 8) == 0x3A
            ):
                rpc_head = True  # "Upgrade:", a WebSocket may follow
            elif (
                c == 0x78
                and i + 10 < stop
                and u8(buf, i + 2) == 0x2D
                and _lower(u8(buf, i + 3)) == 0x6D
                and _lower(u8(buf, i + 4)) == 0x69
            ):
                rpc_head = True  # "X-Mining-Extensions:", "X-Mining-Hashrate:"
            elif (
                c == 0x63 and i + 14 < stop and _lower(u8(buf, i + 9)) == 0x74 and u8(buf, i + 13) == 0x3A
            ):  # "Content-Type:" that names JSON
                j = i + 14
                while j + 3 < stop and u8(buf, j) != 0x0A:
                    if _lower(u8(buf, j)) == 0x6A and _lower(u8(buf, j + 1)) == 0x73 and _lower(u8(buf, j + 2)) == 0x6F:
                        rpc_head = True
                        break
                    j += 1
        i += 1
    if body < last:
        words = _rpc_words(buf, body, last, -1)
        if words != NOTHING:
            return words
    if host_hit:
        return NAME
    if rpc_head:
        return HTTP_RPC_HEAD
    return NOTHING


@kernel
def client_hello(buf, o, last, names):
    """NAME, TLS_PART or NOTHING for ``buf[o:last]``, which begins with a TLS handshake record."""
    if o + 9 > last:
        return TLS_PART
    if u8(buf, o + 5) != 1:
        return NOTHING
    record_end = o + 5 + be16(buf, o + 3)
    hello_len = (u8(buf, o + 6) << 16) | be16(buf, o + 7)
    hello_end = o + 9 + hello_len
    split = hello_end > record_end  # fragmented over records: leave it to the assembler
    i = o + 9 + 34
    if i + 1 > last:
        return TLS_PART
    i += 1 + u8(buf, i)
    if i + 2 > last:
        return TLS_PART
    i += 2 + be16(buf, i)
    if i + 1 > last:
        return TLS_PART
    i += 1 + u8(buf, i)
    if i + 2 > last:
        return TLS_PART if i < hello_end else NOTHING
    i += 2
    while i + 4 <= last and i + 4 <= hello_end:
        if split and i >= record_end:
            return TLS_PART
        kind = be16(buf, i)
        size = be16(buf, i + 2)
        if kind == 0:
            if i + 9 > last or i + 4 + size > last:
                return TLS_PART
            name_len = be16(buf, i + 7)
            if i + 9 + name_len > last:
                return NOTHING
            if name_matches(buf, i + 9, i + 9 + name_len, names):
                return NAME
            return NOTHING
        i += 4 + size
    if i < hello_end:
        return TLS_PART
    return NOTHING


@kernel
def _certificate(buf, o, last, names):
    """NAME where a DER string in a server's handshake bytes is an interesting name.

    Certificate names stand in the clear up to TLS 1.2: tag 0x82 (dNSName), 0x0C or 0x13 (CN as UTF8String or
    PrintableString), one length byte, the characters. Reading strings instead of the certificate's structure needs
    no reassembly; a name cut by a segment border is missed here, and is seen in the server name most times.
    """
    i = o
    stop = min(last, o + _LOOK_BYTES)
    while i + 6 < stop:
        tag = u8(buf, i)
        if tag == 0x82 or tag == 0x0C or tag == 0x13:
            size = u8(buf, i + 1)
            if 3 < size < 128 and i + 2 + size <= last:
                first = i + 2
                if u8(buf, first) == 0x2A and u8(buf, first + 1) == 0x2E:
                    first += 2
                dots = 0
                ok = True
                for j in range(first, i + 2 + size):
                    c = _lower(u8(buf, j))
                    if c == 0x2E:
                        dots += 1
                    elif not (0x61 <= c <= 0x7A or 0x30 <= c <= 0x39 or c == 0x2D):
                        ok = False
                        break
                if ok and dots > 0:
                    if name_matches(buf, first, i + 2 + size, names):
                        return NAME
                    i += 1 + size
        i += 1
    return NOTHING


@kernel
def _dns_name(buf, o, message, last, scratch):
    """Unpack the name at `o` into `scratch`; returns (length, offset after it), length -1 where it is broken."""
    n = 0
    after = np.int64(-1)
    jumps = 0
    while True:
        if o >= last:
            return -1, o
        size = u8(buf, o)
        if size == 0:
            if after < 0:
                after = o + 1
            return n, after
        if size >= 0xC0:
            if o + 1 >= last:
                return -1, o
            if after < 0:
                after = o + 2
            o = message + (((size & 0x3F) << 8) | u8(buf, o + 1))
            jumps += 1
            if jumps > 16:  # a loop; RFC 1035 names have at most 127 labels but pointers rarely nest
                return -1, o
            continue
        if size > 63 or o + 1 + size > last or n + size + 1 > 254:
            return -1, o
        if n > 0:
            scratch[n] = 0x2E
            n += 1
        for j in range(size):
            scratch[n] = u8(buf, o + 1 + j)
            n += 1
        o += 1 + size


@kernel
def _dns(buf, o, last, names, scratch):
    """NAME where a response's question, an owner or an alias in it is an interesting name."""
    if o + 12 > last:
        return NOTHING
    if (u8(buf, o + 2) & 0x80) == 0:
        return NOTHING  # a question alone; the answer repeats it
    questions = be16(buf, o + 4)
    records = be16(buf, o + 6)
    if questions > 8 or records > 64:
        questions = min(questions, 8)
        records = min(records, 64)
    i = o + 12
    for _q in range(questions):
        n, i = _dns_name(buf, i, o, last, scratch)
        if n < 0:
            return NOTHING
        if name_matches(scratch, 0, n, names):
            return NAME
        i += 4
    for _r in range(records):
        n, i = _dns_name(buf, i, o, last, scratch)
        if n < 0 or i + 10 > last:
            return NOTHING
        if name_matches(scratch, 0, n, names):
            return NAME
        kind = be16(buf, i)
        size = be16(buf, i + 8)
        i += 10
        if kind == 5:
            n, _after = _dns_name(buf, i, o, last, scratch)
            if n > 0 and name_matches(scratch, 0, n, names):
                return NAME
        i += size
    return NOTHING


@kernel
def _websocket_rpc(buf, o, last):
    """RPC, RPC_WEAK or NOTHING for a WebSocket text (or binary) frame at `o`."""
    if o + 4 > last:
        return NOTHING
    size = u8(buf, o + 1) & 0x7F
    i = o + 2
    if size == 126:
        i += 2
    elif size == 127:
        i += 8
    mask_at = np.int64(-1)
    if u8(buf, o + 1) & 0x80:
        mask_at = i
        i += 4
    if i + 8 > last:
        return NOTHING
    c = u8(buf, i)
    if mask_at >= 0:
        c ^= u8(buf, mask_at)
    if c != 0x7B and c != 0x5B:
        return NOTHING
    return _rpc_words(buf, i, last, mask_at)


@njit
def _is_text(buf, o, last):
    """Whether the first 8 bytes are printable: one in 2000 cipher texts passes."""
    for i in range(o, min(last, o + 8)):
        c = u8(buf, i)
        if c >= 0x7F or (c < 0x20 and not _is_space(c)):
            return False
    return True


@kernel
def _look_tcp(buf, o, last, sport, dport, names, scratch):
    c = u8(buf, o)
    if c == 0x16:
        if o + 3 <= last and u8(buf, o + 1) == 3:
            if o + 6 <= last and u8(buf, o + 5) != 1:
                return _certificate(buf, o, last, names)
            return client_hello(buf, o, last, names)
    elif c == 0x81 or c == 0x82 or c == 0x01 or c == 0x02:
        words = _websocket_rpc(buf, o, last)
        if words != NOTHING:
            return words
    elif (0x20 <= c < 0x7F) or _is_space(c):
        i = o
        while i < last and i < o + 16 and _is_space(u8(buf, i)):
            i += 1
        if i < last and (u8(buf, i) == 0x7B or u8(buf, i) == 0x5B):
            words = _rpc_words(buf, i, last, -1)
            if words != NOTHING:
                return words
        elif _is_method(buf, o, last):
            return _http_request(buf, o, last, names)
        elif (
            o + 12 < last and c == 0x48 and u8(buf, o + 1) == 0x54 and u8(buf, o + 2) == 0x54 and u8(buf, o + 3) == 0x50
        ):
            # A response. Its body, if it is here, begins behind an empty line.
            for j in range(o + 12, min(last, o + 1024) - 5):
                if u8(buf, j) == 0x0A and (
                    u8(buf, j + 1) == 0x7B or (u8(buf, j + 1) == 0x0D and u8(buf, j + 3) == 0x7B)
                ):
                    k = j + 1 if u8(buf, j + 1) == 0x7B else j + 3
                    words = _rpc_words(buf, k, last, -1)
                    if words != NOTHING:
                        return words
                    break
        elif _is_text(buf, o, last):
            # The tail of a message whose beginning is in an earlier packet: text that ends like a JSON line, or a
            # line end with a new message behind it.
            e = last - 1
            while e > o and e > last - 4 and _is_space(u8(buf, e)):
                e -= 1
            if u8(buf, e) == 0x7D or u8(buf, e) == 0x5D:
                words = _rpc_words(buf, o, last, -1)
                if words != NOTHING:
                    return words
            for j in range(o, min(last, o + _LOOK_BYTES) - 9):
                if u8(buf, j) == 0x0A and u8(buf, j + 1) == 0x7B:
                    words = _rpc_words(buf, j + 1, last, -1)
                    if words != NOTHING:
                        return words
                    break
    if (sport == _DNS_PORT or dport == _DNS_PORT) and last - o > 14:
        if _dns(buf, o + 2, last, names, scratch) == NAME:
            return DNS_TCP
    return NOTHING


@kernel
def look_at_payloads(buf, packets, first, last, names):
    """Set `look` of each TCP and UDP packet in ``packets[first:last]``.

    Parameters
    ----------
    buf : uint8[n]
    packets : PACKET[m]
        Decoded; `look` is written.
    first, last : int
    names : uint64[k]
        From `name_table`.
    """
    scratch = np.empty(256, dtype=np.uint8)
    for i in range(first, last):
        p = packets[i]
        if p.status != 0 or p.payload_captured == 0:
            continue
        o = p.payload
        end = o + np.int64(p.payload_captured)
        if p.proto == 6:
            c = u8(buf, o)
            if c == 0x17 and (end - o < 2 or u8(buf, o + 1) == 3):
                continue  # TLS application data: nothing to read here
            p.look = _look_tcp(buf, o, end, p.orig_port, p.resp_port, names, scratch)
            if p.look == NOTHING and p.payload_len == 64 and not _is_text(buf, o, end):
                p.look = NOISE_HELLO
        elif p.proto == 17:
            if p.orig_port == _DNS_PORT or p.orig_port == _MDNS_PORT:
                p.look = _dns(buf, o, end, names, scratch)
            elif p.resp_port == _HTTPS_PORT and end - o >= 1200 and (u8(buf, o) & 0xC0) == 0xC0:
                # RFC 9000 14.1: a client's datagrams with an Initial have at least 1200 bytes. Packet type bits
                # 00 in version 1, 01 in version 2 (RFC 9369 3.2).
                kind = (u8(buf, o) >> 4) & 3
                version = be16(buf, o + 1) << 16 | be16(buf, o + 3)
                if (version == 1 and kind == 0) or (version == 0x6B3343CF and kind == 1):
                    p.look = QUIC_INITIAL
