"""The host that an HTTP/1.x client asks for.

The Host header names the site (RFC 9112 section 3.2); a request to a proxy carries the whole URI in its first line,
which then takes precedence, and CONNECT carries ``name:port`` (RFC 9112 sections 3.2.2 and 3.2.3).
"""

from __future__ import annotations

import re
from contextlib import suppress

from headframe.sources.network.wire_text import printable

# Token characters (RFC 9110 section 5.6.2) are wider than this; real methods are upper-case letters and '-', '_'.
_REQUEST_LINE = re.compile(rb"\s{0,4}([A-Z][A-Z_-]{0,31}) ([!-~\x80-\xff]{1,16384}) HTTP/1\.[01]\r?\n")
_HOST = re.compile(rb"\r?\nhost[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_END = re.compile(rb"\r?\n\r?\n")
_MAX_HEAD = 65536  # bytes searched: twice the largest header block that common servers accept


def request_host(stream_prefix: bytes) -> str | None:
    r"""Name or address that the first request of a stream goes to, lower case and without port.

    Parameters
    ----------
    stream_prefix : bytes
        What the client sent, from its first byte.

    Returns
    -------
    str or None
        An internationalised name in its ASCII form (``xn--``); an IPv6 address without brackets. None where the
        request names no host, or its headers end before one came.

    Raises
    ------
    ValueError
        If the stream does not begin with an HTTP/1.x request line.

    References
    ----------
    .. [1] RFC 9112, section 3.2. RFC 9110, section 7.2.

    Examples
    --------
    >>> request_host(b"GET /pool HTTP/1.1\r\nAccept: */*\r\nHost: Pool.Example:8080\r\n\r\n")
    'pool.example'
    """
    line = _REQUEST_LINE.match(stream_prefix[:_MAX_HEAD])
    if line is None:
        raise ValueError("no HTTP/1.x request line at the beginning of the stream")
    method, target = line.group(1), line.group(2)
    if method == b"CONNECT":
        return _bare_host(target)
    absolute = _ABSOLUTE.match(target)
    if absolute:
        return _bare_host(absolute.group(1))
    head = stream_prefix[line.end() - 1 : _MAX_HEAD]  # keeps the line feed that _HOST begins with
    end = _END.search(head)
    found = _HOST.search(head, 0, end.start() if end else len(head))
    if found is None:
        return None
    # A value that runs to the end of what we have may go on in the next segment.
    if found.end() == len(head):
        return None
    return _bare_host(found.group(1))


def _bare_host(authority: bytes) -> str | None:
    """``user@Name:port`` as ``name``; None where nothing usable is left."""
    text = authority.strip().rpartition(b"@")[2]
    if text.startswith(b"["):
        text = text[1:].partition(b"]")[0]
    elif text.count(b":") == 1:
        text = text.partition(b":")[0]
    text = text.rstrip(b".").lower()
    if not text:
        return None
    if not text.isascii():
        with suppress(UnicodeError):  # what is no UTF-8 or no name stays as it is
            text = text.decode("utf-8").lower().encode("idna")
    return printable(text)
