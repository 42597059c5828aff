"""Names as they come off the wire, made safe to print."""

from __future__ import annotations


def printable(data: bytes) -> str:
    r"""Bytes of a name as lower-case text; what is no printable ASCII is written as ``\xNN``.

    A name is shown on terminals and in reports: control characters in it could draw there what they like.

    Examples
    --------
    >>> printable(b"Pool.\x1b[2J")
    'pool.\\x1b[2j'
    """
    return "".join(chr(byte) if 0x20 < byte < 0x7F else f"\\x{byte:02x}" for byte in data).lower()
