"""Damages a good file in ways that disks, networks and editors do; shared by the tests of this folder."""

from hypothesis import strategies as st

NOISE = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\n",
    b'"',
    b"\\",
    b"{",
    b"}",
    b";",
    b",",
    b"=",
    b"[",
    b"]",
    b"never",
    b"-1",
    b"9" * 30,
    b"1e999",
]


@st.composite
def mangled(draw: st.DrawFn, good: bytes) -> bytes:
    """A file that was cut anywhere, with pieces replaced, doubled or taken out."""
    data = good
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 12))
        piece = draw(st.sampled_from(NOISE) | st.binary(max_size=6) | st.just(data[at : at + 40] * 2))
        data = data[:at] + piece + data[at + length :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def anything(good: bytes) -> st.SearchStrategy[bytes]:
    """A damaged file, or bytes that were never one."""
    return (
        mangled(good)
        | st.binary(max_size=300)
        | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )


def key(text: str) -> str:
    """Stands for a keyed hash."""
    import hashlib
    import hmac

    return "#" + hmac.new(b"key", text.encode(), hashlib.sha256).hexdigest()[:16]
