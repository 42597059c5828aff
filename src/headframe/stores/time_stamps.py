"""RFC 3161 time-stamps: that something existed at a time, said by an authority that knows nothing else about it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from headframe.errors import HeadframeError

_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""Object identifiers of SHA-2 (RFC 8017, appendix B.1)."""


class BadTimeStamp(HeadframeError):
    """A time-stamp is damaged, is of something else, or was not given by the authority that is trusted."""


def request_for(message: bytes, nonce: bool = True) -> bytes:
    """The request (RFC 3161, section 2.4.1) to send to an authority, for the SHA-256 of a message.

    Headframe sends nothing by itself: hand the file to the authority, for example with
    ``curl -H 'Content-Type: application/timestamp-query' --data-binary @request.tsq ADDRESS``.
    """
    from rfc3161_client import TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(message).cert_request(cert_request=True).nonce(nonce=nonce)
    return builder.build().as_bytes()


def check_time_stamp(response: bytes, message: bytes, certificates: Sequence[bytes]) -> datetime:
    """Check an authority's answer, offline.

    Parameters
    ----------
    response : bytes
        DER, as the authority sent it (``TimeStampResp``).
    message : bytes
        What was stamped.
    certificates : sequence of bytes
        PEM. The first self-signed ones are trusted roots; the others may stand between.

    Returns
    -------
    datetime
        When the authority says it had the message's digest, UTC.

    Raises
    ------
    BadTimeStamp
        If it does not hold; the message says why.
    """
    from cryptography import x509
    from rfc3161_client import VerifierBuilder, decode_timestamp_response
    from rfc3161_client.errors import VerificationError

    try:
        trusted = [cert for pem in certificates for cert in x509.load_pem_x509_certificates(pem)]
    except ValueError as error:
        raise BadTimeStamp(f"the authority's certificate is not PEM: {error}") from None
    if not trusted:
        raise BadTimeStamp("no certificate of a time-stamp authority was given")
    builder = VerifierBuilder()
    roots = [cert for cert in trusted if cert.issuer == cert.subject]
    for root in roots:
        builder = builder.add_root_certificate(root)
    for cert in trusted:
        if cert not in roots:
            builder = builder.add_intermediate_certificate(cert)
    if not roots:
        raise BadTimeStamp("none of the certificates is a root (issued by itself); give the authority's root")
    try:
        answer = decode_timestamp_response(_with_certificates_in_order(response))
        builder.build().verify_message(answer, message)
        moment: datetime = answer.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise BadTimeStamp(f"the time-stamp does not hold: {error}") from None
    return moment.astimezone(UTC)


def is_stamp_of(response: bytes, message: bytes) -> bool:
    """Whether an authority's answer speaks of a message; nothing is said of who gave it.

    Raises
    ------
    BadTimeStamp
        If it is no answer, or grants nothing.
    """
    from rfc3161_client import decode_timestamp_response

    try:
        imprint = decode_timestamp_response(_with_certificates_in_order(response)).tst_info.message_imprint
    except ValueError as error:
        raise BadTimeStamp(f"the time-stamp cannot be read: {error}") from None
    name = _DIGESTS.get(imprint.hash_algorithm.dotted_string)
    return name is not None and hashlib.new(name, message).digest() == imprint.message


def _with_certificates_in_order(response: bytes) -> bytes:
    """The same answer with its certificates in the order that DER asks for.

    OpenSSL, and the authorities that run on it, send the chain in the order of trust; the parser here takes a set only
    in order of its bytes (X.690, section 11.6). The certificates are outside of what is signed, and a permutation
    changes no length.
    """
    try:
        place, end = _content(response, 0, len(response))  # TimeStampResp
        place = _content(response, place, end)[1]  # status
        place, end = _content(response, place, end)  # timeStampToken
        place = _content(response, place, end)[1]  # contentType
        place, end = _content(response, place, end)  # [0] content
        place, end = _content(response, place, end)  # SignedData
        for _ in ("version", "digestAlgorithms", "encapContentInfo"):
            place = _content(response, place, end)[1]
        if response[place] != 0xA0:
            return response
        start, end = _content(response, place, end)
        certificates = []
        place = start
        while place < end:
            following = _content(response, place, end)[1]
            certificates.append(response[place:following])
            place = following
    except (IndexError, ValueError):
        return response  # the parser will say what is wrong with it
    return response[:start] + b"".join(sorted(certificates)) + response[end:]


def _content(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Where the content of the DER value at a place begins and ends."""
    length = data[place + 1]
    start = place + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    if start + length > end:
        raise ValueError("a value is longer than what it stands in")
    return start, start + length
