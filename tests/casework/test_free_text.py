"""Texts that people type go into the ledger; what they paste is a document."""

from pathlib import Path
from time import process_time

import pytest

from headframe.casework.case_bundle import write_case_bundle
from headframe.casework.free_text import (
    MOST_CHARACTERS,
    MOST_TOGETHER,
    ControlCharacter,
    TextTooLong,
    cautions,
    decoded,
    refuse_unfit_texts,
    ways_to_reach,
)
from headframe.ledger.bundle import LARGEST_LINE
from headframe.records import case as acts
from headframe.stores.bundles import verify_bundle
from tests.casework.office import Office


def test_the_bound_counts_characters_at_any_depth() -> None:
    """Of one text, and of all together; keys, numbers and empty places count nothing."""
    fits = "挖" * MOST_CHARACTERS
    refuse_unfit_texts({"content": {"text": fits, "more": [fits, {"deep": (fits,)}], "n": 10**9, "none": None}})
    with pytest.raises(TextTooLong, match=r"^text has 100,001 characters, .*--document FILE"):
        refuse_unfit_texts({"content": [{"text": fits + "x"}]})
    with pytest.raises(TextTooLong, match="4,000,001 characters together"):
        refuse_unfit_texts({"content": [fits] * (MOST_TOGETHER // MOST_CHARACTERS) + ["x"]})


def test_a_certificate_of_a_large_destruction_is_no_long_text(office: Office) -> None:
    """It lists a digest for each of a hundred thousand items; what is destroyed by then must be certified."""
    digests = [f"{k:064x}" for k in range(100_000)]
    fields = {"certificate": {"classes": [{"digests": digests}]}}
    leaf = office.work.sealed("retention/D-1", "retention", "D-1", 1, fields, data_class="access")
    assert leaf.disclosures[0].value == fields["certificate"]
    with pytest.raises(TextTooLong, match="together"):
        office.work.sealed("case/HF-2026-000001/99", "case", "HF-2026-000001/99", 1, fields, data_class="case")


def test_what_fits_fits_into_a_line_of_a_bundle() -> None:
    """Four bytes a character, and the names of the fields around them."""
    assert 4 * MOST_TOGETHER < LARGEST_LINE - 500_000


@pytest.mark.parametrize(("text", "kinds"), [
    ("write to mei.zhang@example.org", ("a mail address",)),
    ("联系人邮箱 mei@example.com.cn，手机 13812345678", ("a mail address", "a telephone number")),
    ("he can be reached at 138 1234 5678", ("a telephone number",)),
    ("call +86 10 1234 5678 in the morning", ("a telephone number",)),
    ("+47 22 33 44 55", ("a telephone number",)),
    ("+7 3952 12-34-56", ("a telephone number",)),
    ("8 (3952) 12-34-56", ("a telephone number",)),
    ("03-8921 1234", ("a telephone number",)),
    ("010-12345678", ("a telephone number",)),
    ("(512) 555-0123", ("a telephone number",)),
    ("phone: 55 12 34", ("a telephone number",)),
    ("电话：8765432", ("a telephone number",)),
])  # fmt: skip
def test_how_somebody_is_reached_is_seen(text: str, kinds: tuple[str, ...]) -> None:
    """In the ways in which it is written where the packs apply."""
    assert ways_to_reach(text) == kinds
    assert ways_to_reach(f"The racks are let; {text}, he says.") == kinds


@pytest.mark.parametrize("text", [
    "meter 13812345678 of hall 2", "usage point 0101234567890", "表号 13912345678", "户号：15012345678",
    "U0000041 and U0000049", "seal no. 1391234567", "HF-2026-000001 goes on in HF-2026-000002",
    "between 2026-11-03 and 2026-12-03", "2026-11-03T14:00:00+08:00", "2026-11-03 14:00 +0800", "03.11.2026, 10:30",
    "2026年11月3日", "192.0.2.7 and 198.51.100.250:3333", "10.0.0.0/24 to 10.0.12.0/24", "2001:db8::1 port 3333",
    "108 kW (87.1 to 129), 111762953 Wh", "33 machines at 3250 W, 1234567 kWh", "sum 138 123 456,78",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "#2026-11-03+30.1a2b3c4d5e6f7a8b",
    "order 12/2026 of court 7", "发改运行〔2021〕1283号", "the racks are let to a mining customer @ hall 2",
    "stratum+tcp://pool.example.org:3333", "+20 % against the baseline of 2025", "R-1a2b3c4d5e6f", "0 to 15 kW",
    "1 2 3 4 5 6 7 8 9 10 11", "reading 1234567.8 at 08:15", "invoice 2026-000-1234",
])  # fmt: skip
def test_numbers_of_other_things_are_left_alone(text: str) -> None:
    """Meters, dates, hosts, cases, digests, amounts: a warning that comes each time is read by nobody."""
    assert ways_to_reach(text) == ()


@pytest.mark.parametrize("piece", ["挖", "x", "1", "a@", "a.", "1 ", "0 ", "tel ", "138 1234 5678 "])
def test_the_longest_text_is_looked_at_at_once(piece: str) -> None:
    """Whatever it is made of: where each character was asked what follows it, a page of one word took ten seconds."""
    before_s = process_time()
    ways_to_reach((piece * MOST_CHARACTERS)[:MOST_CHARACTERS])
    assert process_time() - before_s < 2


def test_only_what_people_type_is_looked_at() -> None:
    """Once for each field and kind, without the text; ids, file names and what the program writes are left alone."""
    fields = {
        "content": {"text": "call +86 138 1234 5678", "observations": ["fans", "ask mei@example.org"],
                    "explanation": "mei@example.org", "document": {"name": "mei@example.org.pdf"}},
        "account": "mei@example.org",
    }  # fmt: skip
    told = sorted(cautions(fields))
    assert len(told) == 2
    assert told[0].startswith("observations has in it what looks like a mail address")
    assert told[1].startswith("text has in it what looks like a telephone number")
    assert not any("5678" in one or "mei" in one for one in told)


def test_who_types_a_way_to_reach_somebody_is_told(office: Office) -> None:
    """After the act, once; a plain text brings none, and the office's whole work up to here has brought none."""
    case = "HF-2026-000001"
    assert office.work.cautions == {}
    office.do("officer", case, reply(office, "a cold store"))
    assert office.work.cautions == {}
    office.do("officer", case, reply(office, "call +86 138 1234 5678"))
    (told,) = office.work.cautions
    assert "Hand such things in as a document, or leave them out" in told


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A case that was notified."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    case = office.open()
    office.classify(case)
    office.notify(case)
    return office


def reply(office: Office, text: str) -> acts.RecordReply:
    return acts.RecordReply(received_ns=office.work.now_ns(), stance=acts.ReplyStance.OTHER, text=text, document=None)


def test_a_text_that_is_a_document_leaves_no_trace(office: Office) -> None:
    """Neither in the database nor in the ledger; one that just fits is recorded, and can be handed out."""
    case = "HF-2026-000001"
    version, size = office.work.case(case).version, office.work.ledger.size
    with pytest.raises(TextTooLong, match="Nothing was recorded"):
        office.work.perform(office.account("officer"), case, reply(office, "x" * (MOST_CHARACTERS + 1)))
    assert office.work.case(case).version == version
    assert (office.work.store.pending_leaves(), office.work.ledger.size) == ((), size)
    office.do("officer", case, reply(office, "挖" * MOST_CHARACTERS))
    path = office.folder.parent / "b.zip"
    write_case_bundle(office.work, office.account("officer"), case, path, reason="party")
    assert verify_bundle(path, office.work.ledger.keys).sound


def test_a_reason_for_reading_is_bounded_as_well(office: Office, tmp_path: Path) -> None:
    """It stands in the log of accesses; the bundle is not made."""
    with pytest.raises(TextTooLong, match="reason has"):
        write_case_bundle(
            office.work, office.account("officer"), "HF-2026-000001", tmp_path / "b", reason="x" * 100_001
        )
    assert not (tmp_path / "b").exists()
    assert office.work.store.accesses().total == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"content": {"text": "a\x01b"}},
        {"content": {"value": "a\x1b[2Jb"}},
        {"content": {"value": r'["a\u0001b"]'}},
        {"reason": "a\x7fb"},
        {"reason": "a\x9bb"},
    ],
)
def test_a_control_character_is_refused_where_somebody_typed_it(fields: dict[str, object]) -> None:
    """Also where the JSON of a correction would bring it in."""
    with pytest.raises(ControlCharacter, match=r"control character U\+00"):
        refuse_unfit_texts(fields)


def test_line_ends_and_tabs_are_text() -> None:
    """And a text may speak of an escape sequence."""
    refuse_unfit_texts({"content": {"text": "a\r\n\t\v\fb", "value": r'"a\nb"', "reason": r"it says \u0001"}})


def test_escapes_are_read_as_often_as_there_are_some() -> None:
    """JSON within JSON, half of JSON, and a character of two escapes."""
    assert list(decoded("plain")) == ["plain"]
    assert "officer" in list(decoded(r'["seen by \\u006ffficer"]'))[-1]
    assert list(decoded(r"\ud83d\ude00 {"))[-1] == "😀 {"
