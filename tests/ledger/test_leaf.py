"""Leaves: canonical, salted, and forgetful in part."""

import json
from enum import StrEnum
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from headframe.cases.store import Disclosure
from headframe.ledger.leaf import (
    LARGEST_INTEGER,
    BadLeaf,
    canonical,
    check,
    digest,
    document_digest,
    plain,
    read,
    read_json,
    seal,
)

AT_NS = 1_770_000_000_000_000_000
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner),
    max_leaves=12,
)  # fmt: skip
fields = st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), values, max_size=6)


class Colour(StrEnum):
    RED = "red"


def salts(start: int = 1):
    grains = iter(range(start, 10**6))
    return lambda: next(grains).to_bytes(16, "big")


@given(fields)
def test_each_disclosure_opens_its_leaf_and_survives_json(content: dict[str, object]) -> None:
    """What `seal` gives is what a stranger can check, also after a trip through a file."""
    leaf, disclosures = seal("case", "HF-1/1", AT_NS, content, salts())
    assert [item.name for item in disclosures] == sorted(content)
    for item in disclosures:
        assert check(leaf, item)
        again = Disclosure(name=item.name, salt=item.salt, value=json.loads(json.dumps(item.value)))
        assert check(leaf, again)
        assert read_json(canonical(item.value), "it") == item.value
        # The definition, by hand.
        by_hand = sha256(rfc8785.dumps([item.salt.hex(), item.name, item.value])).hexdigest()
        assert read(leaf).digests[item.name] == by_hand


@given(fields)
def test_a_leaf_is_canonical_and_says_nothing_of_its_values(content: dict[str, object]) -> None:
    """Its size does not depend on them either."""
    leaf, _ = seal("case", "HF-1/1", AT_NS, content, salts())
    assert canonical(json.loads(leaf)) == leaf
    other, _ = seal("case", "HF-1/1", AT_NS, dict.fromkeys(content, "x" * 100), salts())
    assert len(leaf) == len(other)
    assert read(leaf).at_ns == AT_NS


def test_a_wrong_value_name_or_salt_does_not_open_it() -> None:
    """Each of the three is digested."""
    leaf, (item,) = seal("case", "HF-1/1", AT_NS, {"act": "open"}, salts())
    assert check(leaf, item)
    for wrong in (
        Disclosure(name="act", salt=item.salt, value="close"),
        Disclosure(name="acts", salt=item.salt, value="open"),
        Disclosure(name="act", salt=bytes(16), value="open"),
        Disclosure(name="act", salt=item.salt[:15], value="open"),
        Disclosure(name="act", salt=item.salt, value=float("nan")),
    ):
        assert not check(leaf, wrong)


def test_the_same_value_twice_cannot_be_recognised() -> None:
    """Fresh salts: two leaves that say the same have different digests."""
    salt = salts()
    digests = {read(seal("case", "HF-1/1", AT_NS, {"reply": "yes"}, salt)[0]).digests["reply"] for _ in range(10)}
    assert len(digests) == 10


@pytest.mark.parametrize(
    ("value", "sealed"),
    [
        (AT_NS, str(AT_NS)),
        (-(2**60), str(-(2**60))),
        (LARGEST_INTEGER, LARGEST_INTEGER),
        (1e17, "1e+17"),
        (Colour.RED, "red"),
        ((1, 2), [1, 2]),
        ({Colour.RED: (True, None)}, {"red": [True, None]}),
    ],
)
def test_values_are_sealed_as_json_that_every_reader_reads_alike(value: object, sealed: object) -> None:
    """Instants in nanoseconds are beyond what JSON's numbers hold."""
    result = plain(value, "it")
    assert result == sealed
    assert type(result) is type(sealed)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1: 2}, {"a": {3}}, object()])
def test_what_json_does_not_have_is_refused(value: object) -> None:
    """With the place where it stands."""
    with pytest.raises(BadLeaf, match="field x"):
        seal("case", "HF-1/1", AT_NS, {"x": value}, salts())


def deep(levels: int) -> object:
    value: object = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_json_is_at_most_100_deep_in_writing_and_reading() -> None:
    """The digest of a value is taken over a list that holds it, so a value has 99 levels."""
    _, (item,) = seal("case", "HF-1/1", AT_NS, {"x": deep(99)}, salts())
    assert item.value == deep(99)
    assert read_json(canonical(deep(100)), "it") == deep(100)
    for levels in (100, 101, 5_000):
        with pytest.raises(BadLeaf, match="nested"):
            seal("case", "HF-1/1", AT_NS, {"x": deep(levels)}, salts())
    for text in (b"[" * 101 + b"]" * 101, b'{"a":' * 101 + b"1" + b"}" * 101, b"[" * 100_000):
        with pytest.raises(BadLeaf, match=r"nested|deep"):
            read_json(text, "it")


@pytest.mark.parametrize(
    "text", ["9007199254740992", "1e+21", "1e16", "-9007199254740993.0", "1e400", '"\\ud800"', '{"\\udc00":1}', "NaN"]
)
def test_what_readers_would_read_differently_is_refused(text: str) -> None:
    """Numbers beyond 2^53 - 1 however they are written, and half characters."""
    with pytest.raises(BadLeaf):
        read_json(text.encode(), "it")


@pytest.mark.parametrize("value", [1e21, -1e16, "\ud800", {"\udc00": 1}])
def test_what_would_not_be_read_is_not_written(value: object) -> None:
    """The same rule when writing."""
    with pytest.raises(BadLeaf):
        canonical(value)


@pytest.mark.parametrize("at_ns", [-1, 2**63])
def test_an_instant_is_from_0_to_2_to_the_63(at_ns: int) -> None:
    """When sealed and when read; the limit itself is allowed."""
    with pytest.raises(BadLeaf, match="2\\^63 - 1"):
        seal("case", "HF-1", at_ns, {}, salts())
    with pytest.raises(BadLeaf, match="2\\^63 - 1"):
        read(canonical({**GOOD, "at_ns": str(at_ns)}))
    assert read(seal("case", "HF-1", 2**63 - 1, {}, salts())[0]).at_ns == 2**63 - 1


def test_a_value_of_any_size_fits_and_too_many_fields_do_not() -> None:
    """A value is one digest. A leaf has at most 65,535 bytes: its length stands in two."""
    leaf, _ = seal("case", "HF-1/1", AT_NS, {"report": "x" * 1_000_000}, salts())
    assert len(leaf) < 300
    with pytest.raises(BadLeaf, match="the log takes 65,535; put its 900 fields together"):
        seal("case", "HF-1/1", AT_NS, {f"field_{number}": 1 for number in range(900)}, salts())


@pytest.mark.parametrize(
    ("kind", "subject", "salt", "words"),
    [
        ("Case", "HF-1", bytes(16), "lower-case word"),
        ("", "HF-1", bytes(16), "lower-case word"),
        ("case", "", bytes(16), "needs a subject"),
        ("document", "HF-1", bytes(16), "is its SHA-256"),
        ("case", "HF-1", bytes(15), "at least 16 bytes; got 15"),
    ],
)
def test_what_cannot_be_sealed_is_refused_with_the_reason(kind: str, subject: str, salt: bytes, words: str) -> None:
    """A leaf stays for ever: it is checked before it is made."""
    with pytest.raises(BadLeaf, match=words):
        seal(kind, subject, AT_NS, {"a": 1}, lambda: salt)


GOOD = json.loads(seal("case", "HF-1/1", AT_NS, {"a": 1}, salts())[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "headframe-leaf/2"}, "format headframe-leaf/1"),
        ({"kind": "CASE"}, "lower-case"),
        ({"subject": ""}, "subject is text"),
        ({"at_ns": 5}, "at_ns is a whole number of nanoseconds from 0"),
        ({"at_ns": "05"}, "at_ns"),
        ({"kind": "document"}, "is its SHA-256"),
        ({"fields": []}, "are an object"),
        ({"fields": {"a": "00"}}, "64 digits"),
        ({"fields": {"": "0" * 64}}, "64 digits"),
        ({"more": 1}, "found at_ns, fields, format, kind, more, subject"),
    ],
)
def test_what_is_no_leaf_is_refused_with_the_reason(change: dict[str, object], words: str) -> None:
    """Each key has one right form."""
    with pytest.raises(BadLeaf, match=words):
        read(canonical({**GOOD, **change}))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD).encode(),  # spaces
        canonical(GOOD).replace(b'"kind"', b'"\\u006bind"'),
        canonical(GOOD) + b"\n",
        canonical(GOOD)[:-1] + b',"kind":"case"}',  # a key twice
        canonical(GOOD)[:-1],
        b"\xff",
        b"[" * 100_000,
        b'{"a":1e999}',
        b'{"a":NaN}',
        b'{"a":9007199254740993}',
    ],
)
def test_another_spelling_of_a_leaf_is_refused(text: bytes) -> None:
    """One meaning, one form: else the same thing could be logged twice under two hashes."""
    with pytest.raises(BadLeaf):
        read(text)


def test_digest_refuses_what_has_no_canonical_form() -> None:
    """A lone surrogate is text in Python and nowhere else."""
    with pytest.raises(BadLeaf):
        digest(Disclosure(name="a", salt=bytes(16), value="\ud800"))


def test_a_document_with_a_large_hash_rate_has_a_digest() -> None:
    """Beyond 2^53 - 1 a number counts as text, however it is written; another number has another digest."""
    digest = document_digest({"hashrate_hs": {"estimate": 2.163934265260725e16, "low": 2**60}})
    assert digest == document_digest({"hashrate_hs": {"low": 2**60, "estimate": 2.163934265260725e16}})
    assert digest != document_digest({"hashrate_hs": {"low": 2**60, "estimate": 2.163934265260726e16}})
    with pytest.raises(BadLeaf, match="which JSON does not have"):
        document_digest({"hashrate_hs": float("nan")})
