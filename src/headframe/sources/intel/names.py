"""What a value in an indicator list is: a domain name, an address, a port; and what it may not be."""

from __future__ import annotations

import re
from ipaddress import ip_address

from headframe.errors import BadIndicator

# Underscores stand in real host names of pools and dynamic DNS, though RFC 1123 has none.
_NAME = re.compile(
    r"(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+([a-z][a-z0-9-]{0,61}[a-z0-9]|xn--[a-z0-9-]+)"
)


def clean_name(text: str) -> str:
    """A domain name as `Indicator.value` holds it.

    Parameters
    ----------
    text : str
        In any case, with or without trailing dot, possibly with letters beyond ASCII.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it is no domain name with at least two labels.

    Examples
    --------
    >>> clean_name("Pool.Example.")
    'pool.example'
    """
    name = text.strip().lower().rstrip(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError as fault:
            raise ValueError(f"{text!r} is no domain name: {fault}") from fault
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is no domain name: expected two labels or more, such as pool.example")
    return name


def clean_address(text: str) -> str:
    """An IP address in canonical form; ValueError if it is none."""
    return str(ip_address(text.strip().removeprefix("[").removesuffix("]")))


def clean_value(text: str) -> str:
    """An address in canonical form, or else a domain name; ValueError if it is neither."""
    try:
        return clean_address(text)
    except ValueError:
        return clean_name(text)


def clean_port(text: str) -> int | None:
    """A port from 1 to 65535, None for an empty text; ValueError otherwise."""
    text = text.strip()
    if not text or text == "*":
        return None
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text) <= 65535:
        raise ValueError(f"{text!r} is no port: expected a number from 1 to 65535, or nothing for any")
    return int(text)


def split_endpoint(text: str) -> tuple[str, int | None]:
    """``name:port``, ``address:port``, ``[v6]:port`` or either without port, as value and port.

    Raises
    ------
    ValueError
        If a part is not what it should be.

    Examples
    --------
    >>> split_endpoint("[2001:DB8::1]:3333")
    ('2001:db8::1', 3333)
    """
    text = text.strip()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r}: expected [address] or [address]:port")
        return clean_address(host), clean_port(rest[1:]) if rest else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        if not port:
            raise ValueError(f"{text!r}: a colon without a port")
        return clean_value(host), clean_port(port)
    return clean_value(text), None


def is_sink(text: str) -> bool:
    """True for the addresses that hosts files point blocked names to."""
    return text in ("0.0.0.0", "127.0.0.1", "::", "::1", "255.255.255.255")  # noqa: S104


def report_problem(sentence: str, problems: list[str] | None, fault: Exception | None = None) -> None:
    """Add a sentence to the list of problems, or raise it as `BadIndicator` where nobody collects them."""
    if problems is None:
        raise BadIndicator(sentence) from fault
    problems.append(sentence)
