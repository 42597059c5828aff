"""The bundle of a case, from the workspace to a verifier that has nothing else."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest
from conftest import missing

from headframe.cases.store import StoredLeaf
from headframe.casework import open_workspace
from headframe.casework.case_bundle import _behind, _Curtain, _finding_rows, write_case_bundle
from headframe.casework.workspace import read_config
from headframe.errors import HeadframeError, NotAllowed
from headframe.ledger.leaf import document_digest, read, seal
from headframe.ledger.note import COSIGNATURE, Signer, format_note
from headframe.ledger.witness import cosign
from headframe.records import case as acts
from headframe.stores.bundles import verify_bundle
from headframe.stores.time_stamps import request_for
from tests.casework.office import Clock, Office
from tests.stores.time_stamp_authority import Authority
from tests.stores.time_stamp_authority import missing as time_stamp_authority_missing


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Where the case is: every test of this file is done on both."""
    return str(request.param)


@pytest.fixture(scope="module")
def notified(
    database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Office, str]:
    """A case that was classified and notified, beside one of another site; its letters take a second to write."""
    name = url = ""
    if database == "postgresql":
        server = request.getfixturevalue("postgresql_of_casework")
        name = server.fresh()
        url = server.url(name)
    office = Office(tmp_path_factory.mktemp("notified") / "workspace", database_url=url)
    office.find("192.0.2.9")
    office.find("192.0.2.200", "mill.jsonl")
    case = office.open()
    office.classify(case)
    office.notify(case)
    office.open("S2")
    office.work.close()
    return office, name


@pytest.fixture
def office(notified: tuple[Office, str], request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A copy of that workspace."""
    first, template = notified
    office = copy(first)
    office.folder = tmp_path / "workspace"
    shutil.copytree(first.folder, office.folder)
    if template:
        server = request.getfixturevalue("postgresql_of_casework")
        name = server.fresh(template)
        (office.folder / "database.url").write_text(server.url(name) + "\n")
    office.clock = Clock(first.clock.at_ns)
    office.work = open_workspace(office.folder, now_ns=office.clock)
    yield office
    office.work.close()
    if template:
        server.drop(name)


@pytest.fixture(scope="module")
def time_stamp_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if why := time_stamp_authority_missing():
        missing(why)
    return Authority(tmp_path_factory.mktemp("tsa") / "a")


WITNESS = Signer("witness.example/w1", COSIGNATURE, bytes(32))


def witness_it(office: Office) -> bytes:
    """A second unit sees the log as it is now."""
    ledger = office.work.ledger
    note = format_note(cosign(ledger.note, ledger.keys, None, (), WITNESS, 1_777_600_000))
    assert ledger.keep_witnessed(note, [WITNESS.verifier])
    return note


def test_what_a_witness_saw_counts_in_a_bundle(office: Office, tmp_path: Path) -> None:
    """Every leaf of the case; the one about the bundle cannot be, and nor can what was handed out since."""
    case, officer = _case(office), office.account("officer")
    keys = [*office.work.ledger.keys, WITNESS.verifier]
    without = write_case_bundle(office.work, officer, case, tmp_path / "a", reason="audit")
    assert (without.seen, without.unwitnessed) == (None, 0)
    assert not verify_bundle(tmp_path / "a", keys, witnesses_needed=1).sound
    witness_it(office)
    seen = office.work.ledger.size
    for number, name in enumerate(("b.zip", "c"), 1):
        done = write_case_bundle(office.work, officer, case, tmp_path / name, reason="audit")
        assert (done.seen, done.unwitnessed) == (seen, number)
        report = verify_bundle(tmp_path / name, keys, witnesses_needed=1)
        assert report.sound, report.checks
        assert (report.leaves, report.unwitnessed_count) == (done.leaves, number)
        assert {kind for _, kind in report.unwitnessed} == {"access"}
        both = (office.work.ledger.keys[0].text(), WITNESS.verifier.text())
        assert examples_verifier_takes(tmp_path / name, *both, witnesses=1)
        assert not examples_verifier_takes(tmp_path / name, *both, witnesses=2)
    assert f"newer than what others have seen: {seen}, {seen + 1}.\n" in (tmp_path / "c" / "README.txt").read_text()


def test_a_forged_line_of_a_named_witness_goes_into_no_bundle(office: Office, tmp_path: Path) -> None:
    """Neither by the ledger nor by hand: whoever knows the witness would refuse the bundle."""
    case = _case(office)
    admin = office.work.store.account("admin")
    assert admin is not None
    ledger = office.work.ledger
    line = format_note(cosign(ledger.note, ledger.keys, None, (), WITNESS, 1_700_000_000)).splitlines(keepends=True)[-1]
    office.work.name_witness(admin.account, WITNESS.verifier)
    ledger.refresh()
    before = ledger.size
    with pytest.raises(HeadframeError, match="does not fit the text"):
        write_case_bundle(
            office.work, office.account("officer"), case, tmp_path / "a", reason="x", checkpoint=ledger.note + line
        )
    assert ledger.refresh().size == before, "nothing is logged of a bundle that was not made"
    assert not (tmp_path / "a").exists()


def test_a_witness_is_named_by_an_administrator_and_seen_in_the_ledger(office: Office) -> None:
    """Once, by the key of a witness; it is taken out again likewise, and a new key stands beside the old one."""
    stored = office.work.store.account("admin")
    assert stored is not None
    admin, work = stored.account, office.work
    with pytest.raises(NotAllowed):
        work.name_witness(office.account("officer"), WITNESS.verifier)
    before = work.ledger.size
    work.name_witness(admin, WITNESS.verifier)
    new = Signer(WITNESS.name, COSIGNATURE, bytes([5]) * 32).verifier
    work.name_witness(admin, new)
    assert work.ledger.size == before + 2
    for key, gone, words in (
        (WITNESS.verifier, False, "is named already"),
        (Signer("another", COSIGNATURE, bytes(32)).verifier, True, "is not named; named are: witness.example/w1"),
        (work.ledger.keys[0], False, "is no key of a witness"),
        (Signer(work.config.log_origin, COSIGNATURE, bytes(32)).verifier, False, "is no key of a witness"),
    ):
        with pytest.raises(HeadframeError, match=words):
            work.name_witness(admin, key, gone=gone)
    work = office.reopen()
    assert work.config.witnesses == (WITNESS.verifier, new)
    work.name_witness(admin, WITNESS.verifier, gone=True)
    assert office.reopen().config.witnesses == (new,)
    config = json.loads(office.work.paths.config.read_text())
    office.work.paths.config.write_text(json.dumps({**config, "witnesses": ["nonsense"]}))
    with pytest.raises(HeadframeError, match="the keys of witnesses are damaged"):
        read_config(office.work.paths.folder)


def test_an_act_that_no_witness_has_seen_is_told_and_does_not_count(office: Office, tmp_path: Path) -> None:
    """The bundle holds; who asks for a witness is refused until the log is witnessed again."""
    case, officer = _case(office), office.account("officer")
    keys = [*office.work.ledger.keys, WITNESS.verifier]
    witness_it(office)
    office.inspect(case)
    done = write_case_bundle(office.work, officer, case, tmp_path / "a", reason="audit")
    assert done.unwitnessed > 1
    report = verify_bundle(tmp_path / "a", keys)
    assert report.sound
    assert report.unwitnessed_count == done.unwitnessed
    assert "case" in {kind for _, kind in report.unwitnessed}
    assert not verify_bundle(tmp_path / "a", keys, witnesses_needed=1).sound
    both = (office.work.ledger.keys[0].text(), WITNESS.verifier.text())
    assert examples_verifier_takes(tmp_path / "a", *both)
    assert not examples_verifier_takes(tmp_path / "a", *both, witnesses=1)
    witness_it(office)
    write_case_bundle(office.work, officer, case, tmp_path / "b", reason="audit")
    assert verify_bundle(tmp_path / "b", keys, witnesses_needed=1).sound


def test_a_checkpoint_that_was_kept_elsewhere_may_be_named(office: Office, tmp_path: Path) -> None:
    """In place of the one that the ledger keeps; one that is not of this log makes no bundle, and logs none."""
    case, officer = _case(office), office.account("officer")
    note = witness_it(office)
    office.work.paths.ledger.joinpath("witnessed").unlink()
    write_case_bundle(office.work, officer, case, tmp_path / "a", reason="audit", checkpoint=note)
    keys = [*office.work.ledger.keys, WITNESS.verifier]
    assert verify_bundle(tmp_path / "a", keys, witnesses_needed=1).sound
    size = office.work.ledger.size
    with pytest.raises(HeadframeError, match="a note is a text"):
        write_case_bundle(office.work, officer, case, tmp_path / "b", reason="audit", checkpoint=b"x")
    assert office.work.ledger.size == size


def test_a_time_stamp_is_of_the_checkpoint_that_is_named(
    time_stamp_authority: Authority, office: Office, tmp_path: Path
) -> None:
    """What was stamped is older than the bundle; one of something else makes no bundle, and logs none."""
    case, officer = _case(office), office.account("officer")
    note, size = office.work.ledger.note, office.work.ledger.size
    stamp = time_stamp_authority.answer(request_for(note))
    write_case_bundle(office.work, officer, case, tmp_path / "a", reason="audit", checkpoint=note, time_stamp=stamp)
    report = verify_bundle(tmp_path / "a", office.work.ledger.keys, authorities=[time_stamp_authority.root])
    assert report.sound, report.checks
    text = {check.name: check.text for check in report.checks}["time-stamp"]
    assert text.startswith(f"the checkpoint of {size:,} leaves (file witnessed) existed at ")
    size = office.work.ledger.size
    other = time_stamp_authority.answer(request_for(b"something else"))
    for checkpoint, given, words in [
        (None, stamp, "name it too"),
        (note, other, "is of something else"),
        (note, b"x", "cannot be read"),
    ]:
        with pytest.raises(HeadframeError, match=words):
            write_case_bundle(
                office.work, officer, case, tmp_path / "b", reason="a", checkpoint=checkpoint, time_stamp=given
            )
    assert office.work.ledger.size == size
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_it_has_the_case_and_nothing_of_another(office: Office, tmp_path: Path, name: str) -> None:
    """Every event, in order and without gaps; every document; no leaf of the other case."""
    (case,) = (one.case_id for one in office.work.store.cases(_all()).rows if one.site_id == "S1")
    write_case_bundle(office.work, office.account("officer"), case, tmp_path / name, reason="the party asked")
    report = verify_bundle(tmp_path / name, office.work.ledger.keys)
    assert report.sound, report.checks
    assert (report.subject, report.withheld_count) == (case, 0)
    if name.endswith(".zip"):
        return
    leaves = [read(json.loads(line)["leaf"].encode()) for line in (tmp_path / name / "leaves.jsonl").open()]
    events = office.work.store.events(case)
    assert [leaf.subject for leaf in leaves if leaf.kind == "case"] == [f"{case}/{event.number}" for event in events]
    documents = {kept.ref.sha256 for kept in office.work.store.documents(case)}
    assert documents
    assert {leaf.subject for leaf in leaves if leaf.kind == "document"} == documents
    assert len(list((tmp_path / name / "documents").iterdir())) == len(documents)
    assert "Mill" not in "".join(path.read_text(errors="replace") for path in (tmp_path / name).rglob("*.jsonl"))


def test_making_one_is_logged_with_its_reason(office: Office, tmp_path: Path) -> None:
    """Who handed out what, why, and what was held back: a leaf that goes into the bundle itself."""
    case = office.work.store.cases(_all()).rows[0].case_id
    size = office.work.ledger.size
    write_case_bundle(
        office.work, office.account("officer"), case, tmp_path / "b", reason="audit", withhold=["account"]
    )
    assert office.work.ledger.size == size + 1
    leaf = read(office.work.ledger.entry(size))
    assert (leaf.kind, leaf.subject) == ("access", f"bundle {case}")
    report = verify_bundle(tmp_path / "b", office.work.ledger.keys)
    assert report.sound
    assert {field for _, field in report.withheld} == {"account"}
    assert "audit" in (tmp_path / "b" / "README.txt").read_text()


def test_documents_may_stay_out(office: Office, tmp_path: Path) -> None:
    """By name or digest; one that is not there is a mistake."""
    (case,) = (one.case_id for one in office.work.store.cases(_all()).rows if one.site_id == "S1")
    out = [kept.ref.sha256 for kept in office.work.store.documents(case)]
    write_case_bundle(office.work, office.account("officer"), case, tmp_path / "b", reason="party", leave_out=out)
    assert not (tmp_path / "b" / "documents").exists()
    assert verify_bundle(tmp_path / "b", office.work.ledger.keys).sound
    with pytest.raises(HeadframeError, match="has no document 'x' that could stay out"):
        write_case_bundle(office.work, office.account("officer"), case, tmp_path / "c", reason="party", leave_out=["x"])
    assert not (tmp_path / "c").exists()


ADDRESSES = (b"192.0.2.9", b"192.0.2.200", b"S1", b"O1", b"UP-1", b"Foundry")


def _case(office: Office, site: str = "S1") -> str:
    return next(one.case_id for one in office.work.store.cases(_all()).rows if one.site_id == site)


def _bytes_of(path: Path) -> bytes:
    """Everything in a bundle, with the names of its files; a zip is stored, so its bytes are those of its files."""
    if path.is_file():
        return path.read_bytes()
    return b"".join(
        str(file.relative_to(path)).encode() + b"\0" + file.read_bytes() for file in path.rglob("*") if file.is_file()
    )


def _has(data: bytes, word: bytes) -> bool:
    """As a word, in any case: a digest may have the letters of ``S1`` in it."""
    return re.search(rb"(?<![A-Za-z0-9])" + re.escape(word) + rb"(?![A-Za-z0-9])", data, re.IGNORECASE) is not None


@pytest.fixture
def told(office: Office, tmp_path: Path) -> Office:
    """The case with a photo and a reply that came from outside under telling names, and what people wrote."""
    case = _case(office)
    office.clock.wait(days=1)
    # So long that its size is no place in the log.
    (tmp_path / "Zhang_Wei_answers.txt").write_text("We stop. Zhang Wei, Foundry. " * 40)
    reply, _ = office.work.keep_file(tmp_path / "Zhang_Wei_answers.txt", "reply")
    office.reply(case, "stop", document=reply)
    return office


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_with_the_content_withheld_no_part_tells_it(told: Office, tmp_path: Path, name: str) -> None:
    """No address, usage point, site or name in any byte; every leaf is proved, and both verifiers agree."""
    case, path = _case(told), tmp_path / name
    write_case_bundle(told.work, told.account("officer"), case, tmp_path / "whole", reason="party")
    whole = _bytes_of(tmp_path / "whole")
    assert all(_has(whole, word) for word in (*ADDRESSES, b"Zhang", b"stop") if word != b"192.0.2.200")
    done = write_case_bundle(told.work, told.account("officer"), case, path, reason="audit", withhold=["content"])
    data = _bytes_of(path)
    assert [word for word in (*ADDRESSES, b"Zhang", b"stop", b"foundry") if _has(data, word)] == []
    assert _has(data, b"officer"), "the account is not withheld"
    assert (done.findings, done.findings_closed, done.from_outside) == (2, 2, 0)
    assert done.documents_out == len({kept.ref.sha256 for kept in told.work.store.documents(case)})
    assert verify_bundle(path, told.work.ledger.keys).sound
    assert examples_verifier_takes(path, told.work.ledger.keys[0].text())


def test_a_finding_that_is_withheld_can_be_held_against_its_digest(told: Office, tmp_path: Path) -> None:
    """Who gets the finding later sees that it is the one that the case rested on."""
    case = _case(told)
    write_case_bundle(told.work, told.account("officer"), case, tmp_path / "a", reason="audit", withhold=["content"])
    write_case_bundle(told.work, told.account("officer"), case, tmp_path / "b", reason="party")
    closed = [json.loads(line) for line in (tmp_path / "a" / "data" / "findings.jsonl").open()]
    whole = [json.loads(line) for line in (tmp_path / "b" / "data" / "findings.jsonl").open()]
    assert all(one.keys() == {"sha256", "withheld"} and one["withheld"] is True for one in closed)
    assert [one["sha256"] for one in closed] == [document_digest(one) for one in whole]
    assert b"192.0.2.9" in _bytes_of(tmp_path / "b")
    assert _said_of_documents(told, tmp_path / "a").endswith("of 2 lines in data/findings.jsonl, leaves name 0")
    assert _said_of_documents(told, tmp_path / "b").endswith("of 2 lines in data/findings.jsonl, leaves name 2")


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("account", [b"officer", b"chief", b"screener"]),
        ("unit", [b"drc"]),
        ("reason", [b"audit of the year"]),
    ],
)
def test_what_is_withheld_stands_nowhere(told: Office, tmp_path: Path, field: str, words: list[bytes]) -> None:
    """Neither in letters, nor within the words of an act, nor in the README."""
    case = _case(told)
    reason = "audit of the year, asked for by chief of drc"
    write_case_bundle(told.work, told.account("officer"), case, tmp_path / "z", reason="before: " + reason)
    done = write_case_bundle(
        told.work, told.account("officer"), case, tmp_path / "b.zip", reason=reason, withhold=[field]
    )
    data = _bytes_of(tmp_path / "b.zip")
    assert [word for word in words if _has(data, word)] == []
    assert all(_has(_bytes_of(tmp_path / "z"), word) for word in words if word != b"screener")
    assert done.documents_out
    assert done.from_outside == 1, "the reply; whoever hands it out is told to look at it"
    assert verify_bundle(tmp_path / "b.zip", told.work.ledger.keys).sound


FIELDS = ["account", "act", "content", "kind", "media_type", "name", "reason", "size", "unit"]


@pytest.mark.parametrize("field", FIELDS)
def test_no_part_of_a_bundle_tells_a_withheld_field(told: Office, tmp_path: Path, field: str) -> None:
    """Not a byte of any file, no file's name or size says what one of its values says, whichever field it is."""
    case, officer = _case(told), told.account("officer")
    write_case_bundle(told.work, officer, case, tmp_path / "whole", reason="audit, asked for by S1")
    opened = [json.loads(line) for line in (tmp_path / "whole" / "disclosures.jsonl").open()]
    assert {one["name"] for one in opened} - {"case_id", "withheld"} == set(FIELDS), "each field is tried"
    said = {word for one in opened if one["name"] == field for word in _words(one["value"])}
    if field == "content":
        # Who acted, and how the acts are called, is told beside it; a finding is told by its digest; small numbers are
        # places in the log too.
        beside = " ".join(str(one["value"]) for one in opened if one["name"] in ("account", "unit", "act"))
        digests = {ref.sha256 for ref in told.work.case(case).findings}
        said = {word for word in said - digests if word not in beside and (not word.isdigit() or len(word) > 4)}
        said -= {case, field}
    assert said
    reason = "audit, asked for by S1"
    done = write_case_bundle(told.work, officer, case, tmp_path / "b", reason=reason, withhold=[field])
    data = _bytes_of(tmp_path / "b")
    readme = (tmp_path / "b" / "README.txt").read_bytes()
    found = {word for word in said if _has(data.replace(readme, b""), word.encode())}
    assert found == set()
    # The words of the README are the same for every case, but for who asked and why.
    assert b"Made for: audit" not in readme or field not in ("content", "act", "reason")
    assert {str(path.stat().st_size) for path in (tmp_path / "b").rglob("*") if path.is_file()}.isdisjoint(said)
    assert done.documents_out
    assert verify_bundle(tmp_path / "b", told.work.ledger.keys).sound
    assert examples_verifier_takes(tmp_path / "b", told.work.ledger.keys[0].text())


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_withheld_cannot_be_tried_out(told: Office, tmp_path: Path, field: str) -> None:
    """The digest of a letter has no salt: it stands nowhere where the letter stays out for what it tells."""
    case = _case(told)
    write_case_bundle(told.work, told.account("officer"), case, tmp_path / "b", reason="a", withhold=[field])
    data = _bytes_of(tmp_path / "b")
    kept = {path.read_bytes() for path in (tmp_path / "b").glob("documents/*")}
    for one in told.work.store.documents(case):
        if told.work.documents.read(one.ref.sha256) not in kept:
            assert one.ref.sha256.encode() not in data
            assert one.ref.sha256[:12].encode() not in data


def test_a_withheld_act_is_not_told_by_the_shape_of_what_is_left(told: Office, tmp_path: Path) -> None:
    """Every event looks like every other: the keys of an act, a document that came with it, a register tell which."""
    case = _case(told)
    done = write_case_bundle(told.work, told.account("officer"), case, tmp_path / "b", reason="a", withhold=["act"])
    leaves = [read(json.loads(line)["leaf"].encode()) for line in (tmp_path / "b" / "leaves.jsonl").open()]
    assert [leaf.subject for leaf in leaves if leaf.kind == "case"] == [
        f"{case}/{event.number}" for event in told.work.store.events(case)
    ], "every act is proved"
    assert {leaf.kind for leaf in leaves} == {"case", "access"}
    assert done.leaves_out == len({one.ref.sha256 for one in told.work.store.documents(case)})
    opened = [json.loads(line) for line in (tmp_path / "b" / "disclosures.jsonl").open()]
    own = max(one["index"] for one in opened)
    by_leaf = {one["index"]: {two["name"] for two in opened if two["index"] == one["index"]} for one in opened}
    assert all(names == {"account", "unit"} for index, names in by_leaf.items() if index != own)
    assert next(one["value"] for one in opened if one["name"] == "withheld") == ["act", "content"]
    assert not (tmp_path / "b" / "documents").exists()


def test_that_an_entry_left_the_register_is_not_told_beside_withheld_acts(office: Office) -> None:
    """Its leaf is of a kind of its own, and has a field of that name; both stand open in any leaf."""
    file = office.work.case_file(_case(office))
    leaves = [
        StoredLeaf(leaf_id=kind, leaf=leaf, index=place, disclosures=disclosures)
        for place, kind in enumerate(("case", "register", "retention", "access"))
        for leaf, disclosures in [seal(kind, "x", 1, {"removed": True, "reason": "annulled"}, lambda: bytes(16))]
    ]
    assert [leaf.leaf_id for leaf in _behind(leaves, file, {"act", "content"})] == ["register", "retention"]
    assert [leaf.leaf_id for leaf in _behind(leaves, file, {"removed"})] == ["register", "retention"]
    assert _behind(leaves, file, {"account", "content"}) == []


def test_why_an_entry_left_the_register_goes_with_the_content() -> None:
    """The act that removed it says the same in its content; what a field beside it says stays open."""
    sealed = [
        ("case/1", {"account": "court", "act": "appeal", "content": {"reason": "the party was right", "by": "court"}}),
        ("register/1", {"removed": True, "reason": "the party was right"}),
        ("register/2", {"removed": True, "reason": "court"}),
    ]
    leaves = []
    for place, (name, fields) in enumerate(sealed):
        leaf, disclosures = seal(name.partition("/")[0], "x", 1, fields, lambda: bytes(16))
        leaves.append(StoredLeaf(leaf_id=name, leaf=leaf, index=place, disclosures=disclosures))
    curtain = _Curtain("HF-1", frozenset({"content"}), "")
    curtain.look_at(leaves)
    open_ones = [
        (leaf.leaf_id, one.name) for leaf in leaves for one in leaf.disclosures if curtain.discloses(leaf, one)
    ]
    assert open_ones == [
        ("case/1", "account"), ("case/1", "act"), ("register/1", "removed"), ("register/2", "reason"),
        ("register/2", "removed"),
    ]  # fmt: skip


def test_a_withheld_number_is_found_in_other_values() -> None:
    """The size of a document stands in the act that it came with, as a number, in a text, or as a key."""
    leaf, disclosures = seal("document", "0" * 64, 1, {"size": 34_567, "whole": True}, lambda: bytes(16))
    curtain = _Curtain("HF-1", frozenset({"size", "whole"}), "")
    curtain.look_at([StoredLeaf(leaf_id="document/0", leaf=leaf, index=0, disclosures=disclosures)])
    for value in ({"document": {"size": 34_567}}, ["34567 bytes"], {"34567": 1}):
        assert curtain.tells(value), value
    for value in (345_670, "134567", {"size": 3_456}, True):
        assert not curtain.tells(value), value


def test_a_finding_that_says_what_is_withheld_is_its_digest(told: Office, tmp_path: Path) -> None:
    """Findings are no leaves of the case, and say words of their own."""
    case = _case(told)
    file = told.work.case_file(case)
    leaf, disclosures = seal("case", f"{case}/1", 1, {"unit": "192.0.2.9"}, lambda: bytes(16))
    curtain = _Curtain(case, frozenset({"unit"}), "")
    curtain.look_at([StoredLeaf(leaf_id="case/1", leaf=leaf, index=0, disclosures=disclosures)])
    rows = list(_finding_rows(file, closed=False, curtain=curtain))
    assert rows
    assert all(row == {"sha256": row["sha256"], "withheld": True} for row in rows)


@pytest.mark.parametrize(("reason", "told_of"), [("S1 asked", False), ("Foundry North asked", False), ("yearly", True)])
def test_why_it_is_handed_out_does_not_tell_the_content(
    told: Office, tmp_path: Path, reason: str, told_of: bool
) -> None:
    """Whoever makes the bundle writes freely, and may name the site; the access leaf and the README are closed then."""
    case = _case(told)
    write_case_bundle(told.work, told.account("officer"), case, tmp_path / "b", reason=reason, withhold=["content"])
    assert _has(_bytes_of(tmp_path / "b"), reason.encode()) is told_of


def _words(value: object) -> set[str]:
    """What a value of a disclosure says: texts and numbers, at any depth."""
    if isinstance(value, dict | list):
        return {word for item in (value.values() if isinstance(value, dict) else value) for word in _words(item)}
    return set() if value is None or isinstance(value, bool) or value == "" else {str(value)}


def test_a_field_that_repeats_what_is_withheld_is_closed_with_it(office: Office, tmp_path: Path) -> None:
    """The unit that went to inspect stands in the record of the inspection, too."""
    case = _case(office)
    office.inspect(case)
    account = office.account("officer")
    done = write_case_bundle(office.work, account, case, tmp_path / "b", reason="party", withhold=["unit"])
    assert done.closed
    assert not _has(_bytes_of(tmp_path / "b"), b"nea")
    withheld = {name for _, name in verify_bundle(tmp_path / "b", office.work.ledger.keys).withheld}
    assert withheld >= {"unit", "content"}


def test_who_got_the_case_before_is_nobodys_business(office: Office, tmp_path: Path) -> None:
    """That it was handed out is proved; to whom and why stays closed for the next one."""
    case = _case(office)
    write_case_bundle(office.work, office.account("officer"), case, tmp_path / "a", reason="the prosecutor asked")
    done = write_case_bundle(office.work, office.account("screener"), case, tmp_path / "b", reason="the party asked")
    data = _bytes_of(tmp_path / "b")
    assert not _has(data, b"prosecutor")
    assert _has(data, b"the party asked")
    assert done.closed == 3


def test_a_document_of_two_cases_does_not_lead_from_one_to_the_other(office: Office, tmp_path: Path) -> None:
    """Its leaf was written for the first; the second case's reader learns no number of another case."""
    one, other = _case(office), _case(office, "S2")
    office.classify(other)
    shared = office.paper("notice", f"letter of {one}")
    office.propose(other, acts.ProposeNotice(kind=acts.NoticeKind.NOTICE, document=shared, language="en"))
    write_case_bundle(office.work, office.account("officer"), other, tmp_path / "b", reason="party")
    report = verify_bundle(tmp_path / "b", office.work.ledger.keys)
    assert report.sound
    (leaf,) = office.work.store.leaves(leaf_ids=[f"document/{shared.sha256}"])
    assert [name for index, name in report.withheld if index == leaf.index] == ["case_id", "name"]
    documents = b"".join(path.read_bytes() for path in (tmp_path / "b").glob("*.jsonl"))
    assert not _has(documents, one.encode())
    assert _has(documents, other.encode())
    assert not [path for path in (tmp_path / "b" / "documents").iterdir() if one in path.name]


def test_words_are_found_in_any_case_and_script() -> None:
    """A unit's name in wide letters, in capitals, or within a line that has no blanks."""
    leaf, disclosures = seal(
        "case", "HF-1/1", 1, {"unit": "Ｇrid a.b", "account": "市发改委", "act": "open"}, lambda: bytes(16)
    )
    stored = StoredLeaf(leaf_id="case/HF-1/1", leaf=leaf, index=0, disclosures=disclosures)
    curtain = _Curtain("HF-1", frozenset({"unit", "account"}), "")
    curtain.look_at([stored])
    for text in ("by the GRID A.B, on Monday", "grid_grid a.b_x", "由市发改委决定", "市发改委"):
        assert curtain.tells({"deep": [{"reason": text}]}), text
    for text in ("grids a.b", "a grid", "grid acb", "ngrid a.b", "市发改", "open"):
        assert not curtain.tells([text]), text


@pytest.mark.parametrize("text", [r'["by \u5e02\u53d1\u6539\u59d4"]', r'"{\"a\": \"\\u5e02\\u53d1\\u6539\\u59d4\"}"'])
def test_a_withheld_word_is_found_in_json_of_ascii(text: str) -> None:
    """The value of a correction is JSON text, which has other ways to write a name."""
    leaf, disclosures = seal("case", "HF-1/1", 1, {"account": "市发改委"}, lambda: bytes(16))
    curtain = _Curtain("HF-1", frozenset({"account"}), "")
    curtain.look_at([StoredLeaf(leaf_id="case/HF-1/1", leaf=leaf, index=0, disclosures=disclosures)])
    assert curtain.tells({"value": text})
    assert not curtain.tells({"value": text.replace("u59d4", "u59d5")})


def test_a_finding_that_retention_took_is_its_digest(office: Office, tmp_path: Path) -> None:
    """And is not called withheld."""
    from sqlalchemy import delete

    from headframe.stores.database.tables import FINDINGS

    case = _case(office)
    with office.work.store.writing() as writer:
        writer.db.execute(delete(FINDINGS))
    write_case_bundle(office.work, office.account("officer"), case, tmp_path / "b", reason="party")
    rows = [json.loads(line) for line in (tmp_path / "b" / "data" / "findings.jsonl").open()]
    assert rows
    assert all(row.keys() == {"sha256", "withheld"} and row["withheld"] is False for row in rows)


def test_files_of_a_bundle_have_neutral_names(told: Office, tmp_path: Path) -> None:
    """Whatever the file was called that came in; also where an older workspace kept that name."""
    case = _case(told)
    old = told.work.keep_bytes(b"\xff\xd8\xff\xe0", "IMG_Zhang_Wei.jpg", "image/jpeg", "reply")
    told.reply(case, document=old)
    write_case_bundle(told.work, told.account("officer"), case, tmp_path / "b", reason="party", withhold=["name"])
    names = sorted(path.name for path in (tmp_path / "b" / "documents").iterdir())
    assert old.sha256 in names
    assert not _has(_bytes_of(tmp_path / "b"), b"IMG_Zhang_Wei")
    write_case_bundle(told.work, told.account("officer"), case, tmp_path / "c", reason="party")
    assert f"reply-{old.sha256[:12]}.jpg" in [path.name for path in (tmp_path / "c" / "documents").iterdir()]


@pytest.mark.parametrize("field", ["case_id", "withheld", "acount"])
def test_what_cannot_be_withheld_is_refused(office: Office, tmp_path: Path, field: str) -> None:
    """The bundle is of that case, and says what it keeps back: to promise more would be a lie."""
    with pytest.raises(HeadframeError, match=f"has a field '{field}' to withhold"):
        write_case_bundle(
            office.work, office.account("officer"), _case(office), tmp_path / "b", reason="p", withhold=[field]
        )


def _said_of_documents(office: Office, path: Path) -> str:
    return next(one.text for one in verify_bundle(path, office.work.ledger.keys).checks if one.name == "documents")


def examples_verifier_takes(path: Path, *keys: str, witnesses: int = 0) -> bool:
    """Whether the verifier that was written from the page alone takes it."""
    example = Path(__file__).parents[2] / "examples" / "verify_bundle.py"
    trusted = [part for key in keys for part in ("--key", key)]
    command = [sys.executable, example, path, *trusted, "--witnesses", str(witnesses)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0


def _all():
    from headframe.cases.store import CaseFilter

    return CaseFilter()
