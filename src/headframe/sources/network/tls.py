"""Names that a TLS handshake shows in the clear: the client's server name, the server's certificate.

A record is ``type(1) version(2) length(2)``; handshake messages (``type(1) length(3)``) are laid over the records
without regard to their borders (RFC 8446 section 5.1), and records over TCP segments. TLS 1.3 encrypts the
certificate; the ClientHello stays readable in every version, unless Encrypted Client Hello hides the inner one.
"""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from typing import Final, Literal

from headframe.sources.network.wire_text import printable

_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE = 20, 21, 22
_CLIENT_HELLO, _CERTIFICATE = 1, 11
_SERVER_NAME = 0
_MAX_RECORD = 16384 + 2048  # RFC 5246 section 6.2.3: the largest ciphertext
_MAX_CLIENT_HELLO = 65536  # post-quantum key shares make 2 kB; nothing real comes near this
_MAX_RECORDS = 1024  # records looked at for one message: one is usual, and each new segment reads them again
_MAX_CERTIFICATES = 1 << 18  # a chain of a few dozen; real chains are below 20 kB


class NeedMore(Enum):
    """The answer "not yet": the message goes on in bytes still to come."""

    NEED_MORE = "need_more"

    def __repr__(self) -> str:
        return "NEED_MORE"


NEED_MORE: Final = NeedMore.NEED_MORE


def server_name(stream_prefix: bytes) -> str | Literal[NeedMore.NEED_MORE] | None:
    """Server name (SNI) in the ClientHello at the beginning of a client's stream.

    Parameters
    ----------
    stream_prefix : bytes
        What the client sent, from its first byte: any number of segments joined.

    Returns
    -------
    str or None or NEED_MORE
        Lower case, no trailing dot; None where the client named no server.

    Raises
    ------
    ValueError
        If the stream does not begin with a ClientHello of TLS 1.0 to 1.3, or the message contradicts itself.

    References
    ----------
    .. [1] RFC 8446, sections 4.1.2 and 5.1. RFC 6066, section 3.
    """
    body = _first_message(stream_prefix, _CLIENT_HELLO, _MAX_CLIENT_HELLO)
    return NEED_MORE if body is NEED_MORE else client_hello_server_name(body)


def client_hello_server_name(body: bytes, *, whole: bool = True) -> str | None:
    """Server name in the body of a ClientHello (what follows its 4-byte handshake header), also QUIC's.

    Parameters
    ----------
    body : bytes
    whole : bool
        False where the body goes on beyond the bytes at hand, as that of a hello over two segments does: the name is
        found if it is in the first.

    Returns
    -------
    str or None
        Lower case, no trailing dot; None where the client named no server.

    Raises
    ------
    ValueError
        If a length goes beyond the message.
    """
    reader = _Reader(body)
    reader.take(2 + 32)  # legacy_version, random
    reader.vector(1)  # legacy_session_id
    reader.vector(2)  # cipher_suites
    reader.vector(1)  # legacy_compression_methods
    if reader.at_end:  # TLS 1.0 and 1.1 may go without extensions
        return None
    extensions = _Reader(reader.vector(2) if whole else reader.rest()[2:])
    while not extensions.at_end:
        kind = extensions.number(2)
        data = extensions.vector(2)
        if kind != _SERVER_NAME:
            continue
        names = _Reader(_Reader(data).vector(2))
        while not names.at_end:
            name_type = names.number(1)
            name = names.vector(2)
            if name_type == 0 and name:
                return printable(name).rstrip(".") or None
    return None


def certificate_names(stream_prefix: bytes) -> tuple[str, ...] | Literal[NeedMore.NEED_MORE]:
    """Names in the server's own certificate, from the handshake that TLS 1.2 and older send in the clear.

    Parameters
    ----------
    stream_prefix : bytes
        What the server sent, from its first byte.

    Returns
    -------
    tuple of str or NEED_MORE
        The subject's common name first, then the dNSNames of the alternative names, each once, lower case, a
        wildcard as ``*.name``. Empty where the handshake shows no certificate (TLS 1.3, a resumed session), or the
        certificate is of a form that cannot be read: many mining servers sign odd ones themselves.

    Raises
    ------
    ValueError
        If the stream does not begin with TLS handshake records, or a message contradicts itself.

    References
    ----------
    .. [1] RFC 5246, section 7.4.2. RFC 5280, section 4.2.1.6.
    """
    body = _first_message(stream_prefix, _CERTIFICATE, _MAX_CERTIFICATES, skip=True)
    if body is NEED_MORE:
        return NEED_MORE
    if not body:
        return ()
    chain = _Reader(_Reader(body).vector(3))
    if chain.at_end:
        return ()
    return _names_of(chain.vector(3))


class ClientHelloAssembler:
    r"""Collects a client's segments until the server name can be told.

    Examples
    --------
    >>> hello = ClientHelloAssembler()
    >>> hello.feed(b"\x16\x03\x01")
    NEED_MORE
    """

    def __init__(self) -> None:
        self._prefix = bytearray()
        self._wanted = 0

    def feed(self, segment: bytes) -> str | Literal[NeedMore.NEED_MORE] | None:
        """Add the next bytes of the stream; the answer is that of `server_name`.

        Parameters
        ----------
        segment : bytes

        Returns
        -------
        str or None or NEED_MORE

        Raises
        ------
        ValueError
            As `server_name` does. The stream is not TLS: stop feeding it.
        """
        self._prefix += segment
        # Tiny segments must not make the cost quadratic: read again only when the message can be whole, or the next
        # record's header is there.
        if len(self._prefix) < self._wanted:
            return NEED_MORE
        answer = server_name(bytes(self._prefix))
        if answer is NEED_MORE:
            self._wanted = max(len(self._prefix) + 1, _bytes_wanted(self._prefix))
        return answer


def _bytes_wanted(prefix: bytes | bytearray) -> int:
    """Least length at which the first handshake message can be whole, as far as the prefix tells. [bytes]"""
    offset = 0
    carried = 0
    message_length = -1
    header = bytearray()
    while offset + 5 <= len(prefix):
        length = int.from_bytes(prefix[offset + 3 : offset + 5], "big")
        if len(header) < 4:
            header += prefix[offset + 5 : offset + 5 + min(length, 4 - len(header))]
        if len(header) >= 4:
            message_length = 4 + int.from_bytes(header[1:4], "big")
        if message_length >= 0 and carried + length >= message_length:
            return offset + 5 + message_length - carried
        carried += length
        offset += 5 + length
    return offset + 5


def _first_message(
    prefix: bytes, wanted: int, limit: int, *, skip: bool = False
) -> bytes | Literal[NeedMore.NEED_MORE]:
    """Body of the first handshake message of type `wanted`; empty where the clear part ends without one.

    With `skip` other handshake messages may come before it; else the first message must be the one.
    """
    handshake = bytearray()
    offset = 0
    position = 0
    records = 0
    while True:
        # First what is there already: a message may be whole before its record is.
        while len(handshake) - position >= 4:
            kind = handshake[position]
            length = int.from_bytes(handshake[position + 1 : position + 4], "big")
            if kind != wanted and not skip:
                raise ValueError(f"handshake message of type {kind}, not {wanted}, at the beginning of the stream")
            if length > limit:
                raise ValueError(f"a handshake message of {length} bytes is no real one")
            if len(handshake) - position < 4 + length:
                break
            if kind == wanted:
                return bytes(handshake[position + 4 : position + 4 + length])
            position += 4 + length
        if offset + 5 > len(prefix):
            _check_record_start(prefix[offset:], first=offset == 0)
            return NEED_MORE
        kind, major = prefix[offset], prefix[offset + 1]
        length = int.from_bytes(prefix[offset + 3 : offset + 5], "big")
        if major != 3 or length > _MAX_RECORD or kind not in (20, 21, 22, 23, 24):
            raise ValueError(f"no TLS record at byte {offset}")
        if kind != _HANDSHAKE:
            if offset == 0:
                raise ValueError(f"TLS record of type {kind} where a handshake should begin")
            if skip:
                return b""  # the clear part is over: encrypted from here on, or an alert ended it
            raise ValueError(f"TLS record of type {kind} inside a ClientHello")
        records += 1
        if records > _MAX_RECORDS:
            raise ValueError(f"the handshake is cut into more than {_MAX_RECORDS} records")
        if length == 0:
            raise ValueError("an empty handshake record (RFC 8446 section 5.1 forbids it)")
        handshake += prefix[offset + 5 : offset + 5 + length]
        if len(handshake) > 2 * limit:
            raise ValueError("the handshake goes on without the message looked for")
        if offset + 5 + length > len(prefix) and not _message_whole(handshake, position):
            return NEED_MORE
        offset += 5 + length


def _message_whole(handshake: bytearray, position: int) -> bool:
    return len(handshake) - position >= 4 and len(handshake) - position >= 4 + int.from_bytes(
        handshake[position + 1 : position + 4], "big"
    )


def _check_record_start(rest: bytes, *, first: bool) -> None:
    """Refuse at the first byte what cannot become a TLS record, so that nobody waits for more of it."""
    if rest and (rest[0] not in (20, 21, 22, 23, 24) or (first and rest[0] != _HANDSHAKE)):
        raise ValueError("no TLS record at the beginning of the stream")
    if len(rest) > 1 and rest[1] != 3:
        raise ValueError("no TLS record: the version does not begin with 3")


def _names_of(der: bytes) -> tuple[str, ...]:
    """Common name and dNSNames of a certificate; empty where it cannot be read."""
    # Imported here: it takes 60 ms that a scan without certificates should not pay.
    import warnings

    from cryptography import x509
    from cryptography.x509.oid import NameOID

    names: dict[str, None] = {}
    # Certificates in the wild break rules in ways that the library answers with many exception types (ValueError,
    # DuplicateExtension, UnsupportedGeneralNameType, OverflowError ...) and warnings. None of them is a fault of
    # ours, and a name that can be had is kept: so common name and alternative names are tried one by one.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            certificate = x509.load_der_x509_certificate(der)
        except Exception:
            return ()
        with suppress(Exception):
            for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
                names[_tidy(attribute.value)] = None
        with suppress(Exception):
            extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            for name in extension.value.get_values_for_type(x509.DNSName):
                names[_tidy(name)] = None
    names.pop("", None)
    return tuple(names)


def _tidy(name: str | bytes) -> str:
    data = name if isinstance(name, bytes) else name.encode("utf-8", "replace")
    return printable(data.strip()).rstrip(".")


class _Reader:
    """Takes numbers and length-led vectors off the front of bytes; ValueError where they are not all there."""

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    @property
    def at_end(self) -> bool:
        return self._offset >= len(self._data)

    def take(self, length: int) -> bytes:
        piece = self._data[self._offset : self._offset + length]
        if len(piece) < length:
            raise ValueError("a length goes beyond the end of the handshake message")
        self._offset += length
        return piece

    def rest(self) -> bytes:
        return self._data[self._offset :]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))
