"""The first packets of QUIC version 1, protected as RFC 9001 says, so that a reader can recover the server's name."""

import random

from headframe.simulate.tls import client_hello_message

_INITIAL_SALT_V1 = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
"""RFC 9001, section 5.2."""
MINIMUM_INITIAL_BYTES = 1200
"""A client pads the datagram of its Initial to at least this size (RFC 9000, section 14.1)."""


def _varint(value: int) -> bytes:
    """RFC 9000, section 16."""
    for prefix, length in ((0, 1), (1, 2), (2, 4), (3, 8)):
        if value < 1 << (8 * length - 2):
            return (value | prefix << (8 * length - 2)).to_bytes(length, "big")
    raise ValueError(f"a QUIC integer holds at most 62 bits, got {value}")


def _expand_label(secret: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand-Label of RFC 8446, section 7.1, with an empty context."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    name = b"tls13 " + label.encode()
    info = length.to_bytes(2, "big") + bytes((len(name),)) + name + b"\x00"
    return HKDFExpand(SHA256(), length, info).derive(secret)


def client_initial(server_name: str, rng: random.Random, source_id: bytes | None = None) -> bytes:
    """A client's first QUIC datagram: one Initial packet with a ClientHello, padded to 1,200 bytes or a little more.

    Parameters
    ----------
    server_name : str
        Carried in the server_name extension of the ClientHello.
    rng : random.Random
        Source of connection ids, keys and random fields.
    source_id : bytes or None
        The client's own connection id, 8 bytes; None draws one.

    References
    ----------
    RFC 9000, section 17.2.2 (Initial packet); RFC 9001, sections 5.2 to 5.4 (its protection).
    """
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    destination_id = rng.randbytes(8)
    source_id = source_id or rng.randbytes(8)
    parameters = b"\x04" + _varint(4) + _varint(1 << 29) + b"\x0f" + _varint(8) + source_id
    hello = client_hello_message(server_name, rng, alpn=("h3",), quic_parameters=parameters)
    frame = b"\x06\x00" + _varint(len(hello)) + hello
    header = b"\xc3" + b"\x00\x00\x00\x01" + b"\x08" + destination_id + b"\x08" + source_id + b"\x00"
    packet_number = b"\x00\x00\x00\x00"
    size = rng.choice((MINIMUM_INITIAL_BYTES, 1232, 1250))
    frame += bytes(size - len(header) - 2 - len(packet_number) - 16 - len(frame))
    header += (0x4000 | len(packet_number) + len(frame) + 16).to_bytes(2, "big") + packet_number

    initial_secret = hmac.new(_INITIAL_SALT_V1, destination_id, hashlib.sha256).digest()
    secret = _expand_label(initial_secret, "client in", 32)
    key, iv = _expand_label(secret, "quic key", 16), _expand_label(secret, "quic iv", 12)
    body = AESGCM(key).encrypt(iv, frame, header)
    # Packet number 0 leaves the nonce equal to the IV; the header mask comes from the first 16 bytes of cipher text
    # after a packet number of four bytes (RFC 9001, section 5.4.2).
    cipher = Cipher(algorithms.AES(_expand_label(secret, "quic hp", 16)), modes.ECB()).encryptor()  # noqa: S305 - prescribed
    mask = cipher.update(body[:16])
    masked = bytearray(header)
    masked[0] ^= mask[0] & 0x0F
    for index in range(4):
        masked[len(header) - 4 + index] ^= mask[1 + index]
    return bytes(masked) + body


def short_header_packet(size_bytes: int, connection_id: bytes, rng: random.Random) -> bytes:
    """A protected 1-RTT packet of `size_bytes`: a short header with the connection id, then noise (RFC 9000, 17.3)."""
    first = bytes((0x40 | rng.randrange(64),))
    return first + connection_id + rng.randbytes(max(size_bytes - 1 - len(connection_id), 20))
