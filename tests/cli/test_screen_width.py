"""Lists on narrow and wide terminals: nothing is cut without a sign, and Chinese stands in its columns."""

import io
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from headframe.cli.workspace_options import Format, blocks, folded, write_lines, write_rows

COLUMNS = {"case": "case", "name": "name", "stage": "stage", "missing": "still missing"}
ROWS = [
    {
        "case": "HF-2026-000001",
        "name": "昌平区北部数据中心（二期）铸造厂",
        "stage": "notified",
        "missing": ["a look-up, newer"],
    },
    {"case": "HF-2026-000002", "name": "Foundry North", "stage": "screened", "missing": []},
]
SENTENCES = [
    "the look-up in the registers of lawful mining is too old; look the site up again",
    "inspects, then decides",
]


class Screen(io.StringIO):
    """Standard output of a terminal."""

    def isatty(self) -> bool:
        return True


def seen(width: int, write: Callable[[], None]) -> str:
    """What stands on a terminal of this width."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out := Screen())
        patch.setenv("COLUMNS", str(width))
        patch.setenv("NO_COLOR", "1")
        patch.setenv("TERM", "dumb")
        write()
    return out.getvalue()


def test_a_table_that_fits_has_its_columns_in_line() -> None:
    """A Chinese character takes two places: what follows it begins where it does in the row below."""
    heading, *rows = seen(200, lambda: write_rows(ROWS, COLUMNS, Format.TABLE)).splitlines()
    assert len(rows) == len(ROWS)
    for column, key in ((heading.index("stage"), "stage"), (heading.index("name"), "name")):
        for line, row in zip(rows, ROWS, strict=True):
            before, found, _ = line.partition(str(row[key]))
            assert found
            assert cell_len(before) == column


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_nothing_is_lost_at_any_width(width: int) -> None:
    """Every value is there in full, in lines that the terminal shows whole."""
    rows = [{**row, "missing": SENTENCES} for row in ROWS]
    shown = seen(width, lambda: write_rows(rows, COLUMNS, Format.TABLE))
    assert all(cell_len(line) <= width for line in shown.splitlines())
    letters = "".join(shown.split())
    for row in ROWS:
        assert "".join(str(row["name"]).split()) in letters
        assert str(row["case"]) in letters
    for sentence in SENTENCES:
        assert "".join(sentence.split()) in letters


def test_sentences_stand_on_lines_of_their_own() -> None:
    """Commas stand within them, so that a comma between them would part nothing."""
    lines = list(blocks(["case", "still missing"], [["HF-1", " | ".join(SENTENCES)]], 200))
    assert lines == ["HF-1", *(f"  still missing: {one}" for one in SENTENCES)]


def test_a_long_line_is_folded_on_a_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    """For a script a line stays a line."""
    shown = seen(40, lambda: write_lines([f"  {SENTENCES[0]}"])).splitlines()
    assert all(len(line) <= 40 for line in shown)
    assert shown[1].startswith("    ")
    write_lines([f"  {SENTENCES[0]}"])
    assert capsys.readouterr().out == f"  {SENTENCES[0]}\n"


def test_what_is_cut_has_a_sign() -> None:
    """A value without an end is cut, and how much of it is not shown is said."""
    shown = seen(80, lambda: write_rows([{"case": "HF-1", "name": "x" * 5_000}], COLUMNS, Format.TABLE))
    assert "(4,600 more characters)" in " ".join(shown.split())


@given(st.text(st.sampled_from("ab -昌平（é"), max_size=200), st.integers(12, 100))
def test_folding_keeps_every_character(text: str, width: int) -> None:
    """Only blanks go; no piece is wider than the terminal, unless it is one word that must stay whole."""
    pieces = list(folded(text, width))
    assert "".join("".join(pieces).split()) == "".join(text.split())
    for piece in pieces:
        assert cell_len(piece) <= width or piece.strip() in text.split() or piece == text
