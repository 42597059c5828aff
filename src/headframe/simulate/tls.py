"""TLS as an observer sees it: real hello messages, then records of random bytes with the right sizes.

Nothing here encrypts. The records carry noise in place of cipher text, which an observer without keys cannot
tell apart, so sizes and times are what a detector may use, and all it may use.
"""

import random

RECORD_CHANGE_CIPHER_SPEC = 20
RECORD_ALERT = 21
RECORD_HANDSHAKE = 22
RECORD_APPLICATION_DATA = 23

TLS13_OVERHEAD_BYTES = 17
"""One byte of inner content type and a 16-byte tag per record (RFC 8446, section 5.2)."""
TLS12_OVERHEAD_BYTES = 24
"""An explicit nonce of 8 bytes and a 16-byte tag, for AES-GCM (RFC 5288, section 3)."""
MAX_PLAINTEXT_BYTES = 16384
"""The longest plaintext of one record (RFC 8446, section 5.1)."""


def record(content_type: int, body: bytes, version: int = 0x0303) -> bytes:
    """One TLS record: type, version and length before `body`."""
    return bytes((content_type, version >> 8, version & 255)) + len(body).to_bytes(2, "big") + body


def _extension(number: int, body: bytes) -> bytes:
    return number.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def _vector(body: bytes, length_bytes: int) -> bytes:
    return len(body).to_bytes(length_bytes, "big") + body


def client_hello_message(
    server_name: str | None,
    rng: random.Random,
    *,
    tls13: bool = True,
    post_quantum: bool = False,
    alpn: tuple[str, ...] = ("h2", "http/1.1"),
    quic_parameters: bytes | None = None,
) -> bytes:
    """A ClientHello handshake message (RFC 8446, section 4.1.2) without its record header.

    Parameters
    ----------
    server_name : str or None
        What the server_name extension says (RFC 6066, section 3); None leaves the extension out.
    rng : random.Random
        Source of the random fields.
    tls13 : bool
        Offer TLS 1.3 with a key share; otherwise TLS 1.2 is the newest version offered.
    post_quantum : bool
        Add an X25519MLKEM768 key share (1,216 bytes), which makes the hello longer than one segment.
    alpn : tuple of str
        Protocol names offered; empty leaves the extension out.
    quic_parameters : bytes or None
        Body of the quic_transport_parameters extension (RFC 9001, section 8.2).

    Returns
    -------
    bytes
    """
    suites: tuple[int, ...] = (0x1301, 0x1302, 0x1303) if tls13 else ()
    suites += (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014)
    extensions = []
    if server_name is not None:
        name = server_name.encode("ascii")
        extensions.append(_extension(0, _vector(b"\x00" + _vector(name, 2), 2)))
    extensions.append(_extension(23, b""))
    groups = ((0x11EC,) if post_quantum else ()) + (0x001D, 0x0017, 0x0018)
    extensions.append(_extension(10, _vector(b"".join(g.to_bytes(2, "big") for g in groups), 2)))
    extensions.append(_extension(11, b"\x01\x00"))
    if alpn:
        extensions.append(_extension(16, _vector(b"".join(_vector(a.encode(), 1) for a in alpn), 2)))
    schemes = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
    extensions.append(_extension(13, _vector(b"".join(s.to_bytes(2, "big") for s in schemes), 2)))
    if tls13:
        shares = b""
        if post_quantum:
            shares += b"\x11\xec" + _vector(rng.randbytes(1216), 2)
        shares += b"\x00\x1d" + _vector(rng.randbytes(32), 2)
        extensions.append(_extension(51, _vector(shares, 2)))
        extensions.append(_extension(45, b"\x01\x01"))
        extensions.append(_extension(43, b"\x04\x03\x04\x03\x03"))
    if quic_parameters is not None:
        extensions.append(_extension(57, quic_parameters))
    body = (
        b"\x03\x03"
        + rng.randbytes(32)
        + _vector(b"" if quic_parameters is not None else rng.randbytes(32), 1)
        + _vector(b"".join(s.to_bytes(2, "big") for s in suites), 2)
        + b"\x01\x00"
        + _vector(b"".join(extensions), 2)
    )
    return b"\x01" + _vector(body, 3)


def client_hello(
    server_name: str | None, rng: random.Random, *, tls13: bool = True, post_quantum: bool = False
) -> bytes:
    """A ClientHello in its record, as the first bytes of a TLS conversation. See `client_hello_message`."""
    message = client_hello_message(server_name, rng, tls13=tls13, post_quantum=post_quantum)
    return record(RECORD_HANDSHAKE, message, 0x0301)


def server_hello_flight(rng: random.Random, *, tls13: bool = True, certificate_bytes: int = 2600) -> bytes:
    """What a server answers to a ClientHello: ServerHello and, as noise of the right size, its certificate and proof.

    Parameters
    ----------
    rng : random.Random
    tls13 : bool
        TLS 1.3 hides the certificate in encrypted records; the TLS 1.2 flight stops after ServerHello and
        ServerHelloDone, as in a resumed or certificate-less exchange, because a made-up certificate would not parse.
    certificate_bytes : int
        Size of the encrypted flight in TLS 1.3. [bytes]
    """
    if tls13:
        extensions = _extension(43, b"\x03\x04") + _extension(51, b"\x00\x1d" + _vector(rng.randbytes(32), 2))
        suite = b"\x13\x01"
    else:
        extensions = _extension(23, b"") + _extension(11, b"\x01\x00")
        suite = b"\xc0\x2f"
    body = b"\x03\x03" + rng.randbytes(32) + _vector(rng.randbytes(32), 1) + suite + b"\x00" + _vector(extensions, 2)
    flight = record(RECORD_HANDSHAKE, b"\x02" + _vector(body, 3))
    if tls13:
        return flight + record(RECORD_CHANGE_CIPHER_SPEC, b"\x01") + sealed(rng.randbytes(certificate_bytes), rng)
    return flight + record(RECORD_HANDSHAKE, b"\x0e\x00\x00\x00")


def client_finish(rng: random.Random, *, tls13: bool = True) -> bytes:
    """What a client sends to end the handshake: ChangeCipherSpec and an encrypted Finished."""
    first = b"" if tls13 else record(RECORD_HANDSHAKE, b"\x10" + _vector(_vector(rng.randbytes(65), 1), 3))
    finished = record(RECORD_APPLICATION_DATA if tls13 else RECORD_HANDSHAKE, rng.randbytes(53 if tls13 else 40))
    return first + record(RECORD_CHANGE_CIPHER_SPEC, b"\x01") + finished


def sealed(plaintext: bytes, rng: random.Random, *, overhead_bytes: int = TLS13_OVERHEAD_BYTES) -> bytes:
    """Records with the sizes that encrypting `plaintext` would give, filled with noise.

    Parameters
    ----------
    plaintext : bytes
        Only its length matters; it is split over records of at most 16,384 bytes.
    rng : random.Random
        Source of the noise.
    overhead_bytes : int
        What each record adds to its plaintext. [bytes]

    Returns
    -------
    bytes
        One or more application data records.
    """
    records = []
    for start in range(0, max(len(plaintext), 1), MAX_PLAINTEXT_BYTES):
        size = min(MAX_PLAINTEXT_BYTES, len(plaintext) - start) + overhead_bytes
        records.append(record(RECORD_APPLICATION_DATA, rng.randbytes(size)))
    return b"".join(records)
