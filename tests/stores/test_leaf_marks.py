"""Marks of leaves: only who has the key in the workspace's folder makes one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headframe.errors import HeadframeError, UnreadableInput
from headframe.stores.leaf_marks import LeafMarks, make_marks, read_marks


def test_a_mark_is_of_a_leaf_and_its_name() -> None:
    """Neither fits with another, nor under another key; and the key is in no message."""
    marks = LeafMarks(bytes(32))
    mark = marks.mark("case/A/1", b"leaf")
    assert len(mark) == 32
    assert marks.fits("case/A/1", b"leaf", mark)
    for name, leaf in (("case/A/2", b"leaf"), ("case/A/1", b"other"), ("case/A/", b"1leaf"), ("case/A/1l", b"eaf")):
        assert not marks.fits(name, leaf, mark)
    assert not marks.fits("case/A/1", b"leaf", b"")
    assert not LeafMarks(b"\1" * 32).fits("case/A/1", b"leaf", mark)
    assert repr(marks) == "LeafMarks(...)"


def test_of_many_who_make_the_key_one_does(tmp_path: Path) -> None:
    """All of them mark alike, only its owner may read it, and nothing is left beside it."""
    path = tmp_path / "leaves.key"
    assert read_marks(path) is None
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: make_marks(path).mark("a", b"b"), range(8)))
    again = read_marks(path)
    assert again is not None
    assert {*made, again.mark("a", b"b")} == {made[0]}
    assert [one.name for one in tmp_path.iterdir()] == ["leaves.key"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "headframe-leaf-key-1", "headframe-leaf-key-1 AAAA", "no key of ours", "\u00e9"])
def test_a_damaged_key_is_told(tmp_path: Path, text: str) -> None:
    """It is not made anew: what waits under it would be nobody's."""
    path = tmp_path / "leaves.key"
    path.write_text(text)
    with pytest.raises(UnreadableInput, match="put it back from its backup"):
        read_marks(path)


def test_a_folder_that_takes_no_key_is_told(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(HeadframeError, match=r"nowhere/leaves\.key cannot be written"):
        make_marks(tmp_path / "nowhere" / "leaves.key")
