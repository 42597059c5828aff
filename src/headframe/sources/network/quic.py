"""The server name inside the first datagrams of a QUIC client.

Initial packets are encrypted, but with keys that anyone can derive from the connection id in their header
(RFC 9001 section 5.2; version 2: RFC 9369 section 3.3): they keep out damage, not readers. Inside are CRYPTO frames,
pieces of the TLS handshake by offset, in any order and over several datagrams.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence

from headframe.sources.network.tls import client_hello_server_name

_VERSION_1 = 0x00000001
_VERSION_2 = 0x6B3343CF
_SALTS = {  # and the prefix of the labels: RFC 9001 section 5.2, RFC 9369 section 3.3
    _VERSION_1: (bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), b"quic"),
    _VERSION_2: (bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), b"quicv2"),
}
_CRYPTO_LIMIT = 65536  # bytes of handshake looked at; a ClientHello is 300 bytes to 2 kB
_DATAGRAM_LIMIT = 16  # datagrams looked at; a ClientHello takes 1 or 2


def server_name(datagrams: Sequence[bytes]) -> str | None:
    """Server name (SNI) that a QUIC client asks for, versions 1 and 2.

    Parameters
    ----------
    datagrams : sequence of bytes
        UDP payloads that the client sent, the first ones of the conversation, in any order.

    Returns
    -------
    str or None
        Lower case; None where the ClientHello is not whole yet, names no server, the version is another one
        (drafts, Google's own), or the packets do not decrypt (damaged, or from the server).

    Raises
    ------
    ValueError
        If the decrypted handshake is not a ClientHello, or contradicts itself.

    References
    ----------
    .. [1] RFC 9000, sections 17.2.2 and 19.6. RFC 9001, section 5 and appendix A. RFC 9369, section 3.
    """
    pieces: dict[int, bytes] = {}
    first_ids: set[tuple[int, bytes]] = set()
    packets = [packet for datagram in datagrams[:_DATAGRAM_LIMIT] for packet in _initial_packets(bytes(datagram))]
    # All Initial packets of a client use keys from the first connection id; after the server's answer the header
    # carries the server's id instead, so each packet is tried with its own id and then with the ones seen before.
    for version, connection_id, _, _ in packets:
        first_ids.add((version, connection_id))
    for version, connection_id, packet, number_offset in packets:
        candidates = [(version, connection_id), *sorted(first_ids - {(version, connection_id)})]
        for key_version, key_id in candidates[:4]:
            plain = _decrypt(packet, number_offset, key_id, key_version) if key_version == version else None
            if plain is not None:
                for offset, data in _crypto_frames(plain):
                    if offset + len(data) <= _CRYPTO_LIMIT and len(pieces.get(offset, b"")) < len(data):
                        pieces[offset] = data
                break
    handshake = _joined(pieces)
    if len(handshake) < 4:
        return None
    if handshake[0] != 1:
        raise ValueError(f"handshake message of type {handshake[0]}, not a ClientHello")
    length = int.from_bytes(handshake[1:4], "big")
    if len(handshake) < 4 + length:
        return None
    return client_hello_server_name(handshake[4 : 4 + length])


def _initial_packets(datagram: bytes) -> Iterator[tuple[int, bytes, bytes, int]]:
    """Initial packets of a datagram: version, destination connection id, packet, offset of the packet number.

    Header (RFC 9000 section 17.2): first byte, version(4), id length(1), id, id length(1), id; Initial adds a token
    and the length of the rest as variable-length integers. Several packets may share a datagram (section 12.2).
    """
    start = 0
    while start + 7 < len(datagram):
        first = datagram[start]
        version = int.from_bytes(datagram[start + 1 : start + 5], "big")
        if not first & 0x80 or version not in (_VERSION_1, _VERSION_2):
            return
        kind = (first >> 4) & 0b11
        # RFC 9369 section 3.2: version 2 turns the packet types round by one.
        initial = 0b00 if version == _VERSION_1 else 0b01
        retry = 0b11 if version == _VERSION_1 else 0b00
        if kind == retry:
            return
        try:
            offset = start + 5
            id_length = datagram[offset]
            connection_id = datagram[offset + 1 : offset + 1 + id_length]
            offset += 1 + id_length
            offset += 1 + datagram[offset]
            if kind == initial:
                token_length, offset = _variable_int(datagram, offset)
                offset += token_length
            length, offset = _variable_int(datagram, offset)
        except IndexError:
            return
        end = offset + length
        if id_length > 20 or end > len(datagram):
            return
        if kind == initial:
            yield version, connection_id, datagram[start:end], offset - start
        start = end


def _decrypt(packet: bytes, number_offset: int, connection_id: bytes, version: int) -> bytes | None:
    """Frames of a client's Initial packet, or None where they do not decrypt (RFC 9001 sections 5.2 to 5.4)."""
    # Imported here: it takes 30 ms that a scan without QUIC should not pay.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    sample = packet[number_offset + 4 : number_offset + 20]
    if len(sample) < 16:
        return None
    salt, prefix = _SALTS[version]
    client = _expand_label(hmac.digest(salt, connection_id, "sha256"), b"client in", 32)
    mask = Cipher(AES(_expand_label(client, prefix + b" hp", 16)), ECB()).encryptor().update(sample)  # noqa: S305
    first = packet[0] ^ (mask[0] & 0x0F)
    size = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(packet[number_offset : number_offset + size], mask[1:], strict=False))
    header = bytes([first]) + packet[1:number_offset] + number
    iv = int.from_bytes(_expand_label(client, prefix + b" iv", 12), "big")
    # The first packets of a connection: their number is what the header shows, there is nothing to extend it with.
    nonce = (iv ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    try:
        return AESGCM(_expand_label(client, prefix + b" key", 16)).decrypt(
            nonce, packet[number_offset + size :], header
        )
    except (InvalidTag, ValueError):
        return None


def _expand_label(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446 section 7.1), for at most one block of SHA-256."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\x00"
    return hmac.digest(secret, info + b"\x01", "sha256")[:length]


def _crypto_frames(plain: bytes) -> Iterator[tuple[int, bytes]]:
    """Offset and data of each CRYPTO frame; the other frames an Initial packet may hold are passed over.

    Stops at the first frame that may not stand in an Initial packet (RFC 9000 section 12.4, table 3).
    """
    offset = 0
    try:
        while offset < len(plain):
            kind = plain[offset]
            offset += 1
            if kind == 0x00:  # PADDING, most of the packet
                offset += len(plain) - offset - len(plain[offset:].lstrip(b"\x00"))
                continue
            if kind == 0x01:  # PING
                continue
            if kind in (0x02, 0x03):  # ACK: largest, delay, count, first range, then pairs; with 0x03 three counts
                _, offset = _variable_int(plain, offset)
                _, offset = _variable_int(plain, offset)
                count, offset = _variable_int(plain, offset)
                for _ in range(1 + 2 * min(count, len(plain)) + (3 if kind == 0x03 else 0)):
                    _, offset = _variable_int(plain, offset)
            elif kind == 0x06:
                at, offset = _variable_int(plain, offset)
                length, offset = _variable_int(plain, offset)
                if offset + length > len(plain):
                    return
                yield at, plain[offset : offset + length]
                offset += length
            else:
                return
    except IndexError:
        return


def _joined(pieces: dict[int, bytes]) -> bytes:
    """The handshake from its first byte as far as the pieces reach without a gap."""
    joined = bytearray()
    for offset in sorted(pieces):
        if offset > len(joined):
            break
        data = pieces[offset]
        if offset + len(data) > len(joined):
            joined += data[len(joined) - offset :]
    return bytes(joined)


def _variable_int(data: bytes, offset: int) -> tuple[int, int]:
    """Variable-length integer (RFC 9000 section 16) and the offset behind it; IndexError at the end of the data."""
    width = 1 << (data[offset] >> 6)
    if offset + width > len(data):
        raise IndexError("the data end inside an integer")
    return int.from_bytes(data[offset : offset + width], "big") & ((1 << (8 * width - 2)) - 1), offset + width
