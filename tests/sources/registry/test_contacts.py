"""Tables of contacts: an address goes to the seal and nowhere else."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.lawful import Contact, ContactRole
from headframe.sources.registry import read_contacts
from tests.sources.registry.mangle import anything

SECRET = "Quarry Lane 5"
GOOD = (
    "contact,role,site,organisation,channel,address\n"
    f'C1,legal,A,,post,"{SECRET}"\n'
    f",Abuse desk,,ACME,mail,{SECRET}\n"
    f",supply_point,B,,,{SECRET}\n"
)


class Seal:
    """Keeps what it was given, and gives contacts that show nothing of it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def __call__(self, contact: Contact, address: str) -> Contact:
        assert contact.sealed_address == b""
        self.seen.append((contact.contact_id, address))
        return replace(contact, sealed_address=b"sealed", key_id=f"k{len(self.seen)}")


def test_a_csv_table(tmp_path: Path) -> None:
    """Roles in words, identifiers of their own, post where no channel is said; the address only in the seal."""
    path = tmp_path / "desks.csv"
    path.write_text(GOOD, encoding="utf-8")
    seal = Seal()
    table = read_contacts(path, seal)
    assert seal.seen == [("C1", SECRET), ("ACME/abuse_desk/mail", SECRET), ("B/supply_point/post", SECRET)]
    assert [(x.contact_id, x.role, x.channel, x.site_id, x.organisation_id) for x in table.contacts] == [
        ("C1", ContactRole.LEGAL, "post", "A", ""),
        ("ACME/abuse_desk/mail", ContactRole.ABUSE_DESK, "mail", "", "ACME"),
        ("B/supply_point/post", ContactRole.SUPPLY_POINT, "post", "B", ""),
    ]
    assert {x.sealed_address for x in table.contacts} == {b"sealed"}
    assert SECRET not in repr(table)


def test_parquet_and_geojson_say_the_same(tmp_path: Path) -> None:
    """Typed columns, and features with an identifier of their own."""
    parquet = tmp_path / "desks.parquet"
    pl.DataFrame({"contact": ["C1"], "role": ["legal"], "site": ["A"], "address": [SECRET]}).write_parquet(parquet)
    geojson = tmp_path / "desks.geojson"
    feature = {"type": "Feature", "id": "C1", "geometry": None,
               "properties": {"role": "legal", "site": "A", "delivery_address": SECRET}}  # fmt: skip
    geojson.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    seals = Seal(), Seal()
    tables = [read_contacts(path, seal) for path, seal in zip((parquet, geojson), seals, strict=True)]
    assert seals[0].seen == seals[1].seen == [("C1", SECRET)]
    assert tables[0].contacts == tables[1].contacts


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (f"C1,pet,A,,post,{SECRET}", "unknown role; known are responsible_unit"),
        (f"C1,{SECRET},A,,post,legal", "unknown role"),
        (f"C1,legal,A,,{SECRET},post", "unknown channel"),
        (f"C1,legal,,,post,{SECRET}", "neither a site nor an organisation"),
        (f"C1,legal,A,ACME,post,{SECRET}", "both a site and an organisation"),
        ("C1,legal,A,,post,", "no address"),
        (f"C1,legal,A,,post,{SECRET * 200}", "characters"),
        (f"C1,legal,A,{SECRET}", "4 fields where the header has 6"),
        (f'C1,legal,A,,post,"{SECRET}', "quotation mark"),
        (f"OK,legal,A,,post,{SECRET}", "stands in desks.csv row 2 already"),
    ],
)
def test_a_bad_row_is_told_without_its_address(tmp_path: Path, row: str, says: str) -> None:
    """Also where columns are shifted, so that the address stands where something else is expected."""
    path = tmp_path / "desks.csv"
    path.write_text(f"contact,role,site,organisation,channel,address\nOK,legal,A,,post,x\n{row}\n", encoding="utf-8")
    seal = Seal()
    table = read_contacts(path, seal)
    assert seal.seen == [("OK", "x")], "a row that is not used reaches no seal"
    (one,) = table.damaged
    assert says in one.reason
    assert str(one.source) == "desks.csv row 3"
    assert SECRET not in repr(table)


@pytest.mark.parametrize("column", ["email", "contact_person", "phone", "full name", "联系人", "手机"])
def test_a_desk_is_no_person(tmp_path: Path, column: str) -> None:
    """A column for one makes the file refused, and nothing is sealed."""
    path = tmp_path / "desks.csv"
    path.write_text(f"role,site,address,{column}\nlegal,A,x,{SECRET}\n", encoding="utf-8")
    seal = Seal()
    with pytest.raises(ValueError, match="would hold people") as fault:
        read_contacts(path, seal)
    assert repr(column) in str(fault.value)
    assert SECRET not in str(fault.value)
    assert seal.seen == []


@given(anything(GOOD.encode()))
def test_damage_shows_no_address(tmp_path: Path, data: bytes) -> None:
    """Whatever became of the file: what was sealed is not in what comes out, and contacts have different names."""
    path = tmp_path / "desks"
    path.write_bytes(data)
    seal = Seal()
    try:
        table = read_contacts(path, seal)
    except ValueError:
        return
    assert len(table.contacts) == len(seal.seen) == len({x.contact_id for x in table.contacts})
    told = repr((table.remarks, table.damaged))
    assert SECRET not in told or SECRET in data.split(b"\n")[0].decode("utf-8", "replace"), "but a header is quoted"


@given(
    st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=40).filter(
        lambda text: text.strip()
    )
)
def test_the_seal_gets_the_address_as_it_stands(tmp_path: Path, address: str) -> None:
    """Letters of any script reach it unchanged, but for the blanks around them."""
    path = tmp_path / "desks.geojson"
    feature = {"type": "Feature", "properties": {"role": "legal", "site": "A", "address": address}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    seal = Seal()
    read_contacts(path, seal)
    assert seal.seen == [("A/legal/post", address.strip())]
