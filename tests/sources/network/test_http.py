"""The host of an HTTP request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.sources.network.http import request_host


@pytest.mark.parametrize(
    ("request_bytes", "host"),
    [
        (b"GET / HTTP/1.1\r\nHost: pool.example\r\n\r\n", "pool.example"),
        (b"POST /getwork HTTP/1.0\nhost:POOL.Example.:9332\n\n{}", "pool.example"),
        (b"GET / HTTP/1.1\r\nAccept: */*\r\nHOST:  [2001:db8::1]:8080\r\n\r\n", "2001:db8::1"),
        (b"GET http://User:pw@Pool.Example:80/x HTTP/1.1\r\nHost: proxy.example\r\n\r\n", "pool.example"),
        (b"CONNECT pool.example:3333 HTTP/1.1\r\n\r\n", "pool.example"),
        ("GET / HTTP/1.1\r\nHost: müller.example\r\n\r\n".encode(), "xn--mller-kva.example"),
        (b"GET / HTTP/1.1\r\nHost: \xff.example\r\n\r\n", "\\xff.example"),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", None),
        (b"GET / HTTP/1.0\r\n\r\n", None),
        (b"GET / HTTP/1.0\r\n\r\nHost: in.the.body\r\n", None),
        (b"GET / HTTP/1.1\r\nX-Host: other.example\r\nHost: pool.example\r\n\r\n", "pool.example"),
        (b"GET / HTTP/1.1\r\nHost: pool.exam", None),
    ],
)
def test_host_of_request(request_bytes: bytes, host: str | None) -> None:
    """Port, credentials, case and trailing dot go; a value that may go on in the next segment is no answer yet."""
    assert request_host(request_bytes) == host


@pytest.mark.parametrize(
    "other", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b'{"method":"login"}\n', b"\x16\x03\x01\x02\x00", b"GET /"]
)
def test_what_is_no_request_is_refused(other: bytes) -> None:
    """Responses, JSON-RPC, TLS and half a request line are not HTTP requests."""
    with pytest.raises(ValueError, match="request line"):
        request_host(other)


@given(st.binary(max_size=300))
def test_any_header_bytes_answer_or_raise_valueerror(rest: bytes) -> None:
    """Hostile headers never raise anything but ValueError."""
    for payload in (rest, b"GET / HTTP/1.1\r\n" + rest, b"GET / HTTP/1.1\r\nHost: " + rest + b"\r\n\r\n"):
        try:
            host = request_host(payload)
        except ValueError:
            continue
        assert host is None or (host.isascii() and host.isprintable())
