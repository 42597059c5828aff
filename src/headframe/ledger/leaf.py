"""Leaves: what happened, in a form that can be checked for ever and forgotten in part.

A leaf is canonical JSON (RFC 8785 [1]_) that says what kind of thing happened, to which subject, when, and for each
field a digest. The digest is SHA-256 over the canonical JSON of ``[salt, name, value]``, the scheme of selective
disclosure for JWTs [2]_. Who holds salt and value can show what the field said; when both are destroyed, the digest
says nothing any more (nobody can try out values without the salt), and the log is still whole.

References
----------
.. [1] RFC 8785, "JSON Canonicalization Scheme (JCS)".
.. [2] RFC 9901, "Selective Disclosure for JSON Web Tokens", section 4.2.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import rfc8785

from headframe.cases.store import Disclosure
from headframe.errors import HeadframeError

FORMAT = "headframe-leaf/1"

LARGEST_LEAF = 65_535
"""An entry's length stands in two bytes before it (c2sp.org/tlog-tiles, "Log entries"). [bytes]"""

SMALLEST_SALT = 16
"""128 bits, as RFC 9901, section 9.3 asks for, so that nobody finds a value by trying. [bytes]"""

LARGEST_INTEGER = 2**53 - 1
"""Larger ones do not survive every reader of JSON (RFC 8785, appendix B; RFC 7493, section 2.2). [unitless]"""

DEEPEST = 100
"""Objects and lists within one another; the parsers of some languages stop at little more. [unitless]"""

LARGEST_INSTANT_NS = 2**63 - 1
"""What eight bytes hold: 2262-04-11. [ns since 1970-01-01 UTC]"""

_KEYS = frozenset({"at_ns", "fields", "format", "kind", "subject"})
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"0|[1-9][0-9]{0,18}")


class BadLeaf(HeadframeError):
    """A leaf, or what should become one, is not of the form that the log takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A leaf as read: everything that stays when all disclosures are gone.

    Attributes
    ----------
    kind : str
        ``case``, ``document``, ``register``, ``findings``, ``access``, ``retention``, ``key``.
    subject : str
        What it is about: an identifier, never a description.
    at_ns : int
        [ns since 1970-01-01 UTC]
    digests : mapping of str to str
        Field to digest, in hex.
    """

    kind: str
    subject: str
    at_ns: int
    digests: Mapping[str, str]


def seal(
    kind: str,
    subject: str,
    at_ns: int,
    fields: Mapping[str, object],
    salt: Callable[[], bytes],
) -> tuple[bytes, tuple[Disclosure, ...]]:
    """Make a leaf, and what opens its digests.

    Parameters
    ----------
    kind : str
        Lower-case word: ``case``, ``document``, ``register``, ``findings``, ``access``, ``retention``, ``key``.
    subject : str
        Identifier of what it is about. It stays readable for ever: put nothing there that may have to be forgotten.
    at_ns : int
        When it happened, from 0 to 2^63 - 1. [ns since 1970-01-01 UTC]
    fields : mapping of str to JSON value
        Names stay readable, values do not. Numbers beyond 2^53 - 1 become decimal text, tuples become lists,
        and keys and values of string enums become their text; what a disclosure then holds is what was digested.
    salt : callable
        Gives fresh random bytes, at least 16, at each call.

    Returns
    -------
    leaf : bytes
        Canonical JSON, at most 65,535 bytes.
    disclosures : tuple of Disclosure
        One per field, by name.

    Raises
    ------
    BadLeaf
        If kind, subject, a value or a salt cannot be used, or the leaf would be too large.

    Examples
    --------
    >>> leaf, disclosures = seal("case", "HF-2026-000001/1", 1_770_000_000_000_000_000, {"unit": "Enforcement"},
    ...                          lambda: bytes(16))
    >>> print(leaf.decode())
    {"at_ns":"1770000000000000000","fields":{"unit":"463e93ae..."},"format":"headframe-leaf/1","kind":"case","subject":"HF-2026-000001/1"}
    >>> check(leaf, disclosures[0])
    True
    """
    if not _KIND.fullmatch(kind):
        raise BadLeaf(f"a leaf's kind is a lower-case word of at most 64 letters, such as case; got {kind!r}")
    if not subject:
        raise BadLeaf("a leaf needs a subject, such as HF-2026-000001/7; got none")
    if kind == "document" and not _DIGEST.fullmatch(subject):
        raise BadLeaf(f"the subject of a document's leaf is its SHA-256, 64 digits in lower-case hex; got {subject!r}")
    if not 0 <= at_ns <= LARGEST_INSTANT_NS:
        raise BadLeaf(f"a leaf's at_ns is from 0 to 2^63 - 1 nanoseconds after 1970; got {at_ns}")
    disclosures = []
    for name in sorted(fields):
        if not name:
            raise BadLeaf("a field of a leaf needs a name; got an empty one")
        grain = salt()
        if len(grain) < SMALLEST_SALT:
            raise BadLeaf(f"a salt has at least {SMALLEST_SALT} bytes; got {len(grain)}")
        value = plain(fields[name], f"field {name}")
        disclosures.append(Disclosure(name=name, salt=grain, value=value))
    leaf = canonical(
        {
            "at_ns": str(int(at_ns)),
            "fields": {disclosure.name: digest(disclosure) for disclosure in disclosures},
            "format": FORMAT,
            "kind": kind,
            "subject": subject,
        }
    )
    if len(leaf) > LARGEST_LEAF:
        raise BadLeaf(
            f"the leaf of {kind} {subject} has {len(leaf):,} bytes, and the log takes {LARGEST_LEAF:,}; "
            f"put its {len(disclosures):,} fields together into fewer, larger values: a value of any size is one digest"
        )
    return leaf, tuple(disclosures)


def digest(disclosure: Disclosure) -> str:
    """SHA-256 over the canonical JSON of ``[salt in hex, name, value]``, in hex.

    Raises
    ------
    BadLeaf
        If the value is not JSON that every reader reads alike.
    """
    return sha256(canonical([disclosure.salt.hex(), disclosure.name, disclosure.value])).hexdigest()


def opened(leaf: Leaf, disclosures: Iterable[Disclosure]) -> dict[str, object]:
    """The fields of a leaf that disclosures open, with their values; what a leaf was not sealed over opens none."""
    return {one.name: one.value for one in disclosures if digest(one) == leaf.digests.get(one.name)}


def check(leaf: bytes, disclosure: Disclosure) -> bool:
    """Whether a leaf has a digest for the disclosure's field, and it is the disclosure's.

    Parameters
    ----------
    leaf : bytes
    disclosure : Disclosure

    Returns
    -------
    bool

    Raises
    ------
    BadLeaf
        If the leaf is not one.
    """
    expected = read(leaf).digests.get(disclosure.name)
    if expected is None or len(disclosure.salt) < SMALLEST_SALT:
        return False
    try:
        return digest(disclosure) == expected
    except BadLeaf:
        return False


def read(leaf: bytes) -> Leaf:
    """What a leaf says.

    Parameters
    ----------
    leaf : bytes
        Must be canonical: one meaning has one form, so that nobody can log the same thing twice in two spellings.

    Returns
    -------
    Leaf

    Raises
    ------
    BadLeaf
        If it is not a leaf of this format.
    """
    if len(leaf) > LARGEST_LEAF:
        raise BadLeaf(f"a leaf has at most {LARGEST_LEAF:,} bytes; this one has {len(leaf):,}")
    value = read_json(leaf, "the leaf")
    if not isinstance(value, dict) or frozenset(value) != _KEYS:
        found = ", ".join(sorted(value)) if isinstance(value, dict) else type(value).__name__
        raise BadLeaf(f"a leaf is an object with {', '.join(sorted(_KEYS))}; found {found}")
    if value["format"] != FORMAT:
        raise BadLeaf(f"a leaf of this log is of format {FORMAT}; found {value['format']!r}")
    kind, subject, at_ns, fields = value["kind"], value["subject"], value["at_ns"], value["fields"]
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise BadLeaf(f"a leaf's kind is a lower-case word; found {kind!r}")
    if not isinstance(subject, str) or not subject:
        raise BadLeaf(f"a leaf's subject is text; found {subject!r}")
    if kind == "document" and not _DIGEST.fullmatch(subject):
        raise BadLeaf(f"the subject of a document's leaf is its SHA-256 in lower-case hex; found {subject!r}")
    instant = read_instant(at_ns, "a leaf's at_ns")
    if not isinstance(fields, dict):
        raise BadLeaf(f"a leaf's fields are an object; found {type(fields).__name__}")
    for name, value_digest in fields.items():
        if not name or not isinstance(value_digest, str) or not _DIGEST.fullmatch(value_digest):
            raise BadLeaf(f"field {name!r} of a leaf must be 64 digits in lower-case hex; found {value_digest!r}")
    if canonical(value) != leaf:
        raise BadLeaf("the leaf is not in canonical form (RFC 8785): the same content must always give the same bytes")
    return Leaf(kind=kind, subject=subject, at_ns=instant, digests=fields)


def read_instant(value: object, what: str) -> int:
    """An instant from decimal text. [ns since 1970-01-01 UTC]

    Raises
    ------
    BadLeaf
        If it is anything else, has leading zeros, or is beyond 2^63 - 1; `what` names it in the message.
    """
    if not isinstance(value, str) or not _INSTANT.fullmatch(value) or int(value) > LARGEST_INSTANT_NS:
        raise BadLeaf(f"{what} is a whole number of nanoseconds from 0 to 2^63 - 1, as text; found {value!r}")
    return int(value)


def read_json(text: bytes, what: str) -> object:
    """Strict JSON: UTF-8, no key twice, no NaN, not deep, no number or text that readers would read differently.

    Parameters
    ----------
    text : bytes
    what : str
        For the message: what it should have been.

    Returns
    -------
    JSON value

    Raises
    ------
    BadLeaf
        If it is anything else.
    """
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_one_of_each,
            parse_constant=_no_constant,
            parse_int=_exact_integer,
            parse_float=_finite,
        )
        _check_content(value)
    except RecursionError:
        raise BadLeaf(f"{what} is nested too deeply") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise BadLeaf(f"{what} is not JSON as the format asks for: {error}") from None
    return value


def canonical(value: object) -> bytes:
    """Canonical JSON of a value (RFC 8785).

    Raises
    ------
    BadLeaf
        If the value is not JSON that every reader reads alike.
    """
    try:
        _check_content(value)
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except RecursionError:
        raise BadLeaf("the value is nested too deeply for JSON") from None
    except (rfc8785.CanonicalizationError, ValueError) as error:
        raise BadLeaf(f"the value cannot be written as canonical JSON: {error}") from None


def document_digest(document: object) -> str:
    """SHA-256, in hex, of a document's canonical form; numbers that JSON does not hold exactly count as text.

    Parameters
    ----------
    document : JSON value
        Not a number is null.

    Returns
    -------
    str

    Raises
    ------
    BadLeaf
        If it holds something that JSON does not have.
    """
    return sha256(canonical(plain(document, "the document"))).hexdigest()


def plain(value: object, where: str) -> object:
    """A value as plain JSON: objects, lists, text, numbers, true, false, null.

    Parameters
    ----------
    value : object
    where : str
        For the message.

    Returns
    -------
    JSON value

    Raises
    ------
    BadLeaf
        If it holds something that JSON does not have.
    """
    return _plain(value, where, DEEPEST)


def _plain(value: object, where: str, depth_left: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        number = int(value)
        # An instant in nanoseconds is beyond what JSON's numbers hold exactly, so it is sealed as text.
        return number if -LARGEST_INTEGER <= number <= LARGEST_INTEGER else str(number)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadLeaf(f"{where} holds {value!r}, which JSON does not have; write null, or leave it out")
        # The canonical form of 1e17 has no exponent, and would be read as a whole number that is too large.
        return float(value) if abs(value) <= LARGEST_INTEGER else repr(float(value))
    if not depth_left and isinstance(value, Mapping | Sequence):
        raise BadLeaf(f"{where[:100]} ... is nested too deeply; JSON here has at most {DEEPEST} levels")
    if isinstance(value, Mapping):
        result: dict[str, object] = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                raise BadLeaf(f"{where} has the key {key!r}; keys are text")
            result[str.__str__(key)] = _plain(inner, f"{where}.{key}", depth_left - 1)
        return result
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_plain(inner, f"{where}[{place}]", depth_left - 1) for place, inner in enumerate(value)]
    raise BadLeaf(f"{where} holds a {type(value).__name__}, which JSON does not have; write it as text or as numbers")


def texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, at any depth, without keys."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, str):
            yield inner
        elif isinstance(inner, dict):
            waiting.extend(inner.values())
        elif isinstance(inner, list):
            waiting.extend(inner)


def _check_content(value: object) -> None:
    """Refuse what the format does not have: depth, numbers and texts that other readers cannot read alike."""
    waiting = [(value, 0)]
    while waiting:
        inner, depth = waiting.pop()
        if isinstance(inner, str):
            if not inner.isascii():
                inner.encode("utf-8")  # half a surrogate pair is no text: UnicodeEncodeError is a ValueError
        elif isinstance(inner, float):
            if inner.is_integer() and abs(inner) > LARGEST_INTEGER:
                raise ValueError(f"the whole number {inner!r} is beyond 2^53 - 1; it must be written as text")
        elif isinstance(inner, dict | list | tuple):
            if depth == DEEPEST:
                raise ValueError(f"it is nested more than {DEEPEST} levels deep")
            if isinstance(inner, dict):
                waiting.extend((key, depth + 1) for key in inner)
                waiting.extend((item, depth + 1) for item in inner.values())
            else:
                waiting.extend((item, depth + 1) for item in inner)


def _one_of_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return result


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def _exact_integer(digits: str) -> float:
    if digits == "-0":
        return -0.0  # as other readers see it; so it is no index and no size
    if len(digits) > 20 or not -LARGEST_INTEGER <= int(digits) <= LARGEST_INTEGER:
        raise ValueError(f"the whole number {digits[:40]} is beyond 2^53 - 1; it must be written as text")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number
