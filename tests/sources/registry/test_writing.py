"""What may stand in a cell: identifiers that no spreadsheet runs, names that show as what they are."""

import json
import unicodedata
from datetime import UTC
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.sources.registry import read_contacts, read_lawful, read_sites
from headframe.sources.registry.writing import BIDI_CONTROLS, check_identifier, check_text

FINE = [
    "北京铸造厂", "مصنع الحديد", "בית יציקה בע״מ", "Литейный завод №2", "Gießerei “Nord” & Söhne", "O'Neill-Żak (2)",
    "می\u200cخواهم",  # Persian: the non-joiner keeps two halves of a word apart
    "ශ්\u200dරී ලංකා",  # Sinhala: the joiner makes the letter of Sri Lanka
    "അവന്\u200d",  # Malayalam: the joiner ends the word, as was written before Unicode 5.1
    "\u06dd١٢",  # Arabic end of ayah: of category Cf, and drawn
    "𠮷野", "Ünïcode", "ＡＢＣ",
]  # fmt: skip
HIDDEN = {
    "\x1b[2Jhall": "U+001B as character 1, a control character",
    "hall\x00": "U+0000 as character 5",
    "letter\u202efdp": "U+202E RIGHT-TO-LEFT OVERRIDE as character 7, which turns the direction of writing round",
    "\u2067قاعة\u2069": "U+2067 RIGHT-TO-LEFT ISOLATE",
    "قاعة\u200f": "U+200F RIGHT-TO-LEFT MARK as character 5, .*letters that are written from right to left need none",
    "hall\u200b3": "U+200B ZERO WIDTH SPACE as character 5, which nobody can see",
    "hall\u200d3": "U+200D ZERO WIDTH JOINER",
    "\u200dශ": "U+200D ZERO WIDTH JOINER as character 1",
    "铸\u200d造": "U+200D ZERO WIDTH JOINER",
    "half\u00adword": "U+00AD SOFT HYPHEN",
    "hall\U000e0041": "U+E0041 TAG LATIN CAPITAL LETTER A",
}


@pytest.mark.parametrize("text", FINE)
def test_names_of_every_script_are_fine(text: str) -> None:
    """Those that are written from right to left, and those that need a joiner."""
    check_text(text, "name")
    check_identifier(text, "site")


@pytest.mark.parametrize("text", HIDDEN, ids=[ascii(text) for text in HIDDEN])
def test_what_cannot_be_seen_is_refused(text: str) -> None:
    """With the character, its place and what would be right; the text itself is not quoted."""
    with pytest.raises(ValueError, match=f"^name has {HIDDEN[text].replace('+', '[+]')}") as told:
        check_text(text, "name")
    assert "leave it out" in str(told.value)
    assert str(told.value).isascii()


@pytest.mark.parametrize("text", ["=1+1", "+49", "-3", "@x", "＝1", "＋1", "－1", "＠x"])
def test_an_identifier_is_no_formula(text: str) -> None:
    """A name may begin so: exports put an apostrophe before it."""
    check_text(text, "name")
    with pytest.raises(
        ValueError, match=r"begins with .* spreadsheet takes for a formula; an identifier begins with a"
    ):
        check_identifier(text, "site")


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs", "M"))))
def test_nothing_that_can_be_seen_is_refused(text: str) -> None:
    """Whatever the script."""
    check_text(text, "name")


@given(st.text())
def test_what_passes_has_nothing_unseen_but_joiners(text: str) -> None:
    """And no bidirectional control, in any place."""
    try:
        check_text(text, "name")
    except ValueError:
        return
    assert not BIDI_CONTROLS & set(text)
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text)


def test_what_is_no_name_by_its_length_is_refused() -> None:
    """A whole page in a cell would stand in every letter."""
    check_identifier("挖" * 300, "site")
    check_text("挖" * 10_000, "scope")
    with pytest.raises(ValueError, match=r"^site has 301 characters, and at most 300 make sense"):
        check_identifier("x" * 301, "site")
    with pytest.raises(ValueError, match=r"^scope has 10,001 characters"):
        check_text("x" * 10_001, "scope")


SITES = (
    "site,name,organisation,usage_point\n"
    "=S1,Hall,ACME,U1\n"
    "S2,\x1b[31mred\x1b[0m,ACME,U2\n"
    "S3,مصنع,ACME,U3\n"
    "S4,Hall\u202e,ACME,U4\n"
    'S5,"Hall, two",@ACME,U5\n'
    "S6,@home,ACME,U6 -U7\n"
    "S7,+Plus,ACME,U8\n"
)


def test_rows_of_sites_are_told_and_the_others_used(tmp_path: Path) -> None:
    """With file and row, and what would be right."""
    path = tmp_path / "sites.csv"
    path.write_text(SITES, encoding="utf-8")
    table = read_sites(path)
    assert [(site.site_id, site.name) for site in table.sites] == [("S3", "مصنع"), ("S7", "+Plus")]
    assert [one.value for one in table.assignments] == ["U3", "U8"]
    told = [(str(one.source), one.reason.split(",")[0]) for one in table.damaged]
    assert told == [
        ("sites.csv row 2", "site begins with '='"),
        ("sites.csv row 3", "name has U+001B as character 1"),
        ("sites.csv row 5", "name has U+202E RIGHT-TO-LEFT OVERRIDE as character 5"),
        ("sites.csv row 6", "organisation begins with '@'"),
        ("sites.csv row 7", "usage_point begins with '-'"),
    ]


def test_a_register_is_held_to_the_same(tmp_path: Path) -> None:
    """An entry of which one usage point is bad does not become one for the whole site."""
    path = tmp_path / "=register.csv"
    path.write_text(
        "entry,register,site,usage_point,scope\nL1,fns,A,=U1,\nL2,,A,,\n-3,fns,A,,\nL4,fns,A,U1,\x07bell\nL5,fns,A,U1,ok\n",
        encoding="utf-8",
    )
    table = read_lawful(path, UTC)
    assert [entry.entry_id for entry in table.entries] == ["L5"]
    reasons = " ".join(one.reason for one in table.damaged)
    assert "usage_point begins with '='" in reasons
    assert "the file's name, which stands for the register, begins with '='" in reasons
    assert "scope has U+0007" in reasons


def test_contacts_are_held_to_the_same_and_never_quoted(tmp_path: Path) -> None:
    """An address may have lines; an escape in it is told without it."""
    path = tmp_path / "desks.geojson"
    rows = [
        {"contact": "@C1", "role": "legal", "site": "A", "address": "Quarry Lane 5"},
        {"contact": "C2", "role": "legal", "site": "A", "address": "Quarry Lane\x1b 5"},
        {"contact": "C3", "role": "legal", "site": "A", "address": "Quarry Lane 5\n12345 Town"},
    ]
    features = [{"type": "Feature", "properties": row} for row in rows]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    seen: list[str] = []
    table = read_contacts(path, lambda contact, address: (seen.append(address), contact)[1])
    assert seen == ["Quarry Lane 5\n12345 Town"]
    assert [one.contact_id for one in table.contacts] == ["C3"]
    assert len(table.damaged) == 2
    assert "Quarry" not in repr((table.damaged, table.remarks))


def test_breaks_and_numbers_of_typed_tables(tmp_path: Path) -> None:
    """A line break in a name becomes a blank, and is counted; a negative number is no identifier."""
    path = tmp_path / "sites.parquet"
    pl.DataFrame({"site": [7.0, -8.0], "name": ["North\r\nPark", "x"], "latitude": [-3.5, -4.5]}).write_parquet(path)
    table = read_sites(path)
    assert [(one.site_id, one.name) for one in table.sites] == [("7", "North Park")]
    assert "1 cells have a tab or a line break in them" in " ".join(table.remarks)
    assert [one.reason.split(",")[0] for one in table.damaged] == ["site begins with '-'"]


def test_a_table_that_is_not_utf8(tmp_path: Path) -> None:
    """Identifiers that differ in bytes which cannot be read must not become one; names are used, and it is said."""
    path = tmp_path / "sites.csv"
    path.write_bytes("site,name\n厂甲,x\n厂乙,x\nS3,铸造厂\n".encode("gbk"))
    table = read_sites(path)
    assert [one.site_id for one in table.sites] == ["S3"]
    assert len(table.damaged) == 2
    assert "save the table as UTF-8" in table.damaged[0].reason
    assert "1 cells have bytes that are not UTF-8" in " ".join(table.remarks)
