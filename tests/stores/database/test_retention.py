"""Retention carried out: what goes is gone from the file, what is held stays, and a certificate says both."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from postgresql_server import Server
from sqlalchemy import update
from stores.database.makers import DAY_NS, T0, clock, document, finding, leaf, opening, remedy, site
from stores.database.test_findings import check_counters

from headframe.cases.retention import default_rules
from headframe.cases.store import AccessEntry, CaseFilter, Disclosure, FindingFilter, PendingLeaf, SiteImport
from headframe.errors import HeadframeError
from headframe.records.case import ClosureReason, DecisionOutcome, DecisionStatus, ProposeDecision, Stage
from headframe.records.lawful import Contact, ContactRole
from headframe.records.policy import ClockState
from headframe.records.retention import DataClass, DestructionCertificate, RetainedItem
from headframe.stores.database import DatabaseStore, open_store, retention
from headframe.stores.database.rows import LATER_NS, counts_from
from headframe.stores.database.tables import FINDINGS, HOLDS

RULES = default_rules()
YEARS_NS = 365 * DAY_NS
LATE = T0 + 20 * YEARS_NS


class Outside:
    """Documents and keys that are not in the database."""

    def __init__(self) -> None:
        self.documents: list[str] = []
        self.keys: list[str] = []
        self.broken: set[str] = set()

    def destroy_document(self, sha256: str) -> None:
        if sha256 in self.broken:
            raise OSError("the disk is read-only")
        self.documents.append(sha256)

    @property
    def destroyers(self) -> retention.Destroyers:
        return retention.Destroyers(
            document=self.destroy_document, contact_key=self.keys.append, pseudonym_key=self.keys.append
        )


def certificate_leaf(certificate: DestructionCertificate) -> PendingLeaf:
    return leaf(f"retention/{certificate.certificate_id}", values=(certificate.count,))


def purge(store: DatabaseStore, now_ns: int, outside: Outside, name: str = "D-1", **more: object):  # type: ignore[no-untyped-def]
    agreed = retention.plan(store, RULES, now_ns, **more)  # type: ignore[arg-type]
    return retention.purge(
        store, agreed, RULES, certificate_id=name, at_ns=now_ns, proposer="ann", approver="bob",
        destroyers=outside.destroyers, leaf=certificate_leaf,
    )  # fmt: skip


def counts(certificate: DestructionCertificate) -> dict[str, int]:
    return {one.rule.data_class.value: one.count for one in certificate.classes}


def closed_case(
    store: DatabaseStore,
    case_id: str,
    *,
    closed_ns: int | None,
    text: str = "",
    on_hold: bool = False,
    findings: tuple = (),
) -> None:  # type: ignore[type-arg]
    """A case with two events, leaves and a document; open where `closed_ns` is None."""
    events, case = opening(case_id, findings=findings)
    events.append(remedy(case_id, 2, text=text or "unplugged"))
    case = replace(
        case, version=2, on_hold=on_hold, closed_ns=closed_ns,
        stage=Stage.SCREENED if closed_ns is None else Stage.CLOSED,
        closure=None if closed_ns is None else ClosureReason.RECTIFIED,
    )  # fmt: skip
    with store.writing() as writer:
        writer.append(events, case, [])
        for event in events:
            disclosed = Disclosure(name="content", salt=b"salt of it" * 3, value={"text": text})
            writer.log(replace(leaf(f"case/{case_id}/{event.number}", case_id), disclosures=(disclosed,)))


CLOSED_NS = T0 + YEARS_NS
DUE_NS = CLOSED_NS + 60 * DAY_NS


@pytest.mark.parametrize(("clocks", "decided", "expected"), [
    ([], None, CLOSED_NS),
    ([("appeal", ClockState.RUNNING, DUE_NS), ("reply", ClockState.RUNNING, DUE_NS + 1)], True, DUE_NS),
    ([("appeal", ClockState.OVER, T0), ("appeal-2", ClockState.RUNNING, DUE_NS)], True, DUE_NS),
    ([("appeal", ClockState.OVER, T0)], True, CLOSED_NS),
    ([("appeal", ClockState.STOPPED, DUE_NS)], True, CLOSED_NS),
    ([("appeal", ClockState.PAUSED, None)], True, None),
    ([("appeal", ClockState.NOT_STARTED, None)], False, None),
    ([("appeal", ClockState.NOT_STARTED, None)], True, CLOSED_NS),
    ([("appeal", ClockState.NOT_STARTED, None)], None, CLOSED_NS),
])  # fmt: skip
def test_what_belongs_to_a_case_counts_from_its_last_right_of_appeal(
    clocks: list[tuple[str, ClockState, int | None]], decided: bool | None, expected: int | None
) -> None:
    """`decided`: whether the decision against the party was served; None without one. And never while it is open."""
    act = ProposeDecision(outcome=DecisionOutcome.CONFIRMED, legal_basis=("a#1",), reason="mining")
    decision = DecisionStatus(
        number=5, act=act, proposer="a", deciders=("b",), decided_ns=T0, received_ns=T0 if decided else None
    )
    _, case = opening("HF-2026-000001")
    case = replace(case, stage=Stage.CLOSED, closed_ns=CLOSED_NS, decisions=() if decided is None else (decision,))
    own = [replace(clock(name, due_ns, state), provisional=False) for name, state, due_ns in clocks]
    assert counts_from(case, own) == expected
    assert counts_from(replace(case, stage=Stage.APPEALED), own) is None
    if expected == DUE_NS:
        assert counts_from(case, [replace(one, provisional=True) for one in own]) == DUE_NS + LATER_NS


def test_findings_go_when_their_time_is_over(store: DatabaseStore) -> None:
    """A finding goes 730 days after its end, or after the last of its cases was closed; never while one is open."""
    ended = T0 + DAY_NS
    kept = [finding(k, started_ns=T0, ended_ns=ended) for k in range(4)]
    young = finding(9, started_ns=T0 + YEARS_NS, ended_ns=T0 + 2 * YEARS_NS)
    with store.writing() as writer:
        writer.import_findings([*kept, young])
    closed_case(store, "HF-2026-000001", closed_ns=T0 + YEARS_NS, findings=(kept[0], kept[1]))
    closed_case(store, "HF-2026-000002", closed_ns=None, findings=(kept[1], kept[2]))

    def going(now_ns: int) -> list[str]:
        planned = retention.plan(store, RULES, now_ns)
        return sorted(one.item.item_id for one in planned.goes if one.item.data_class is DataClass.FINDING)

    assert going(ended + 730 * DAY_NS - 1) == []
    assert going(ended + 730 * DAY_NS) == ["F-0000003"]
    assert going(T0 + YEARS_NS + 730 * DAY_NS - 1) == ["F-0000003"]
    assert going(T0 + YEARS_NS + 730 * DAY_NS) == ["F-0000000", "F-0000003"]
    certificate = purge(store, T0 + YEARS_NS + 730 * DAY_NS, Outside())
    assert counts(certificate)["finding"] == 2
    (of_findings,) = [one for one in certificate.classes if one.rule.data_class is DataClass.FINDING]
    assert of_findings.digests == tuple(sorted(kept[k].ref.sha256 for k in (0, 3)))
    assert store.finding("F-0000000") is None
    assert store.finding("F-0000001") == kept[1]
    assert store.findings(FindingFilter()).total == 3
    check_counters(store)
    assert [each.leaf_id for each in store.pending_leaves()][-1] == "retention/D-1"
    assert retention.certificates(store)[0]["certificate"] == "D-1"


def test_a_case_goes_with_all_that_it_says(store: DatabaseStore) -> None:
    """Five years after its closure a case, its events and what its leaves disclosed are gone; the leaves stay."""
    closed_case(store, "HF-2026-000001", closed_ns=T0 + YEARS_NS)
    closed_case(store, "HF-2026-000002", closed_ns=None)
    store.mark_logged({f"case/HF-2026-00000{k}/{n}": 2 * k + n for k in (1, 2) for n in (1, 2)})
    certificate = purge(store, T0 + YEARS_NS + 1_825 * DAY_NS, Outside())
    assert counts(certificate) == {"case": 1}
    assert store.events("HF-2026-000001") == ()
    assert [row.case_id for row in store.cases(CaseFilter()).rows] == ["HF-2026-000002"]
    assert store.cases(CaseFilter(text="HF-2026-000001")).total == 0
    left = store.leaves(case_id="HF-2026-000001")
    assert [(each.index, each.disclosures) for each in left] == [(3, ()), (4, ())]
    assert all(each.leaf for each in left)
    assert all(each.disclosures for each in store.leaves(case_id="HF-2026-000002"))
    with store.writing() as writer:
        number = writer.next_case_number(2026)
    assert number == 1  # numbers are counted of themselves, not by what is there


def test_contacts_go_with_their_last_case(store: DatabaseStore) -> None:
    """A delivery address and its key go when the last case of its site or organisation is closed."""
    contacts = [
        Contact(
            contact_id=f"C-{k}", role=ContactRole.LEGAL, channel="post", sealed_address=b"sealed %d" % k,
            key_id=f"K-{k}", site_id=own, organisation_id="" if own else "O-1",
        )
        for k, own in enumerate(("S-1", "S-2", ""))
    ]  # fmt: skip
    with store.writing() as writer:
        writer.import_sites(SiteImport(sites=[site(1), site(2)], contacts=contacts))
    outside = Outside()
    assert counts(purge(store, LATE, outside)) == {}  # no case has needed them yet
    closed_case(store, "HF-2026-000001", closed_ns=T0 + DAY_NS)
    for case_id, site_id in (("HF-2026-000002", "S-2"),):
        events, case = opening(case_id, site_id=site_id)
        with store.writing() as writer:
            writer.append(events, case, [])
    certificate = purge(store, T0 + DAY_NS, outside, "D-2")
    assert counts(certificate) == {"contact": 1}
    assert outside.keys == ["K-0"]
    assert [each.contact_id for each in store.contacts(site_id="S-1", organisation_id="O-1")] == ["C-2"]


def test_documents_and_photos(store: DatabaseStore) -> None:
    """Photos go after one year, documents after five; the same bytes in an open case stay."""
    closed_case(store, "HF-2026-000001", closed_ns=T0)
    closed_case(store, "HF-2026-000002", closed_ns=None)
    photo = document("a" * 64)
    photo = replace(photo, ref=replace(photo.ref, kind="photo", sha256="a" * 64))
    shared = replace(photo, ref=replace(photo.ref, sha256="b" * 64))
    with store.writing() as writer:
        for each, case_id in (
            (photo, "HF-2026-000001"),
            (shared, "HF-2026-000001"),
            (shared, "HF-2026-000002"),
            (document("c" * 64), "HF-2026-000001"),
        ):
            writer.keep_document(each, case_id)
        writer.log(replace(leaf(f"document/{'a' * 64}", "HF-2026-000001"), data_class="document"))
    outside = Outside()
    assert counts(purge(store, T0 + 365 * DAY_NS, outside)) == {"photo": 1}
    assert outside.documents == ["a" * 64]
    assert store.leaves(leaf_ids=[f"document/{'a' * 64}"])[0].disclosures == ()
    outside.broken.add("c" * 64)
    certificate = purge(store, T0 + 1_825 * DAY_NS, outside, "D-2")
    assert counts(certificate) == {"case": 1}
    assert len(certificate.failed) == 1
    assert "read-only" in certificate.failed[0]
    assert [each.ref.sha256 for each in store.documents("HF-2026-000001")] == ["b" * 64, "c" * 64]
    outside.broken.clear()


def test_accesses(store: DatabaseStore) -> None:
    """The access log goes entry by entry; one that names a case waits for the case's closure."""
    closed_case(store, "HF-2026-000001", closed_ns=T0 + YEARS_NS)
    closed_case(store, "HF-2026-000002", closed_ns=None)
    entry = AccessEntry(access_id="A-0", at_ns=T0, account="ann", what="contact C-1", reason="notice")
    with store.writing() as writer:
        writer.note_access(entry)
        writer.note_access(replace(entry, access_id="A-1", what="bundle HF-2026-000001"))
        writer.note_access(replace(entry, access_id="A-2", what="bundle HF-2026-000002"))
        writer.log(replace(leaf("access/A-0"), data_class="access"))
    assert counts(purge(store, T0 + 1_825 * DAY_NS, Outside())) == {"access": 1}
    assert store.leaves(leaf_ids=["access/A-0"])[0].disclosures == ()
    certificate = purge(store, T0 + YEARS_NS + 1_825 * DAY_NS, Outside(), "D-2")
    assert counts(certificate)["access"] == 1
    assert [each.access_id for each in store.accesses().rows] == ["A-2"]


@pytest.mark.parametrize("everything", [False, True])
def test_a_legal_hold_wins(store: DatabaseStore, everything: bool) -> None:
    """What belongs to a case on hold stays, whatever the rules say; a hold on everything keeps everything."""
    held = finding(1)
    with store.writing() as writer:
        writer.import_findings([held, finding(2)])
        if everything:
            writer.place_hold("H-1", "", "inquiry", "ann", T0)
    closed_case(store, "HF-2026-000001", closed_ns=T0, on_hold=not everything, findings=(held,))
    with store.writing() as writer:
        writer.keep_document(document("a" * 64), "HF-2026-000001")
    outside = Outside()
    certificate = purge(store, LATE, outside)
    assert counts(certificate) == ({} if everything else {"finding": 1})
    assert certificate.held == (4 if everything else 3)
    assert store.finding("F-0000001") == held
    assert len(store.events("HF-2026-000001")) == 2
    assert outside.documents == []
    if everything:
        with store.writing() as writer:
            writer.lift_hold("H-1", "bob", LATE)
        assert counts(purge(store, LATE, outside, "D-2")) == {"case": 1, "document": 1, "finding": 2}
        with pytest.raises(HeadframeError, match="no legal hold H-1"), store.writing() as writer:
            writer.lift_hold("H-1", "bob", LATE)
        with pytest.raises(HeadframeError, match="account and a reason"), store.writing() as writer:
            writer.place_hold("H-2", "", " ", "ann", T0)


def test_a_hold_after_the_plan_wins(store: DatabaseStore) -> None:
    """Between plan and destruction a hold was placed: what it covers stays, and the certificate says why."""
    with store.writing() as writer:
        writer.import_findings([finding(1), finding(2)])
    agreed = retention.plan(store, RULES, LATE)
    assert len(agreed.goes) == 2
    closed_case(store, "HF-2026-000001", closed_ns=T0, on_hold=True, findings=(finding(1),))
    certificate = retention.purge(
        store, agreed, RULES, certificate_id="D-1", at_ns=LATE, proposer="ann", approver="bob",
        destroyers=Outside().destroyers, leaf=certificate_leaf,
    )  # fmt: skip
    assert certificate.count == 1
    assert len(certificate.failed) == 1
    assert "must stay now: legal hold on case HF-2026-000001" in certificate.failed[0]
    assert store.finding("F-0000001") is not None


def test_what_the_leaves_of_an_import_disclose_goes_with_its_last_finding(store: DatabaseStore) -> None:
    """Those of its parts as well; another import's, also one whose id is the same further on, stays."""
    ids = ["findings/I-1", "findings/I-1/1", "findings/I-1/12/1776", "findings/I-10", "findings/I-2/1"]
    with store.writing() as writer:
        writer.import_findings([finding(1), finding(2, ended_ns=LATE)])
        for leaf_id in ids:
            writer.log(leaf(leaf_id))

    def destroy(certificate_id: str) -> list[str]:
        retention.purge(
            store, retention.plan(store, RULES, LATE), RULES, certificate_id=certificate_id, at_ns=LATE,
            proposer="ann", approver="bob", destroyers=Outside().destroyers, leaf=certificate_leaf,
        )  # fmt: skip
        return sorted(one.leaf_id for one in store.leaves(leaf_ids=ids) if one.disclosures)

    assert destroy("D-1") == sorted(ids), "one finding is left"
    with store.writing() as writer:
        writer.db.execute(update(FINDINGS).values(ended_ns=T0))
    assert destroy("D-2") == ["findings/I-10", "findings/I-2/1"]


def test_destruction_needs_two_accounts(store: DatabaseStore) -> None:
    """One account alone destroys nothing."""
    with store.writing() as writer:
        writer.import_findings([finding(1)])
    agreed = retention.plan(store, RULES, LATE)
    for proposer, approver in (("ann", "ann"), ("ann", " Ann "), ("ann", ""), ("", "bob")):
        with pytest.raises(HeadframeError, match="two different accounts"):
            retention.purge(
                store, agreed, RULES, certificate_id="D-1", at_ns=LATE, proposer=proposer, approver=approver,
                destroyers=Outside().destroyers, leaf=certificate_leaf,
            )  # fmt: skip
    assert store.finding("F-0000001") is not None
    assert retention.certificates(store) == ()


def test_keys_of_pseudonyms_go_too(store: DatabaseStore) -> None:
    """What is kept elsewhere takes part: it is planned by the same rules and certified with the rest."""
    key = RetainedItem(item_id="2026-A", data_class=DataClass.PSEUDONYM_KEY, from_ns=T0, sha256="e" * 64)
    outside = Outside()
    assert counts(purge(store, LATE, outside, extra=[key])) == {"pseudonym_key": 1}
    assert outside.keys == ["2026-A"]


def test_a_large_purge_goes_in_parts(store: DatabaseStore) -> None:
    """A plan lets go of a bounded number of items; what is left goes with the next."""
    with store.writing() as writer:
        writer.import_findings(finding(k) for k in range(1_200))
    sizes = []
    for k in range(4):
        certificate = purge(store, LATE, Outside(), f"D-{k}", most=500)
        sizes.append(certificate.count)
    assert sizes == [500, 500, 200, 0]
    assert store.findings(FindingFilter()).total == 0
    check_counters(store)


SECRET = "zanzibar-quarry-7741"


def files_of(path: Path) -> bytes:
    return b"".join(Path(f"{path}{end}").read_bytes() for end in ("", "-wal") if Path(f"{path}{end}").exists())


def test_erased_values_are_gone_from_the_file(tmp_path: Path) -> None:
    """What was destroyed is in no byte of the database file or its log: text, salts, sealed addresses, documents."""
    path = tmp_path / "headframe.db"
    store = open_store(path, create=True)
    noise = [f"{k * 2654435761 % 2**32:08x}" for k in range(3_000)]
    raw = replace(finding(1), document={SECRET: noise}, ref=replace(finding(1).ref, subject=f"{SECRET}-subject"))
    with store.writing() as writer:
        writer.import_findings([raw, *(finding(k) for k in range(2, 300))])
        contact = Contact(
            contact_id="C-1", role=ContactRole.LEGAL, channel="post", sealed_address=f"{SECRET} sealed".encode(),
            key_id="K-1", site_id="S-1",
        )  # fmt: skip
        writer.import_sites(SiteImport(contacts=[contact]))
        entry = AccessEntry(access_id="A-1", at_ns=T0, account="ann", what="contact C-1", reason=f"{SECRET} reason")
        writer.note_access(entry)
    salt = b"salt of it" * 3
    closed_case(store, "HF-2026-000001", closed_ns=T0, text=f"{SECRET} says the event", findings=(raw,))
    assert SECRET.encode() in files_of(path)
    assert salt in files_of(path)
    purge(store, LATE, Outside())
    assert SECRET.encode() not in files_of(path)
    assert salt not in files_of(path)
    assert b"case/HF-2026-000001/1" in files_of(path)  # the leaf stays
    store.close()
    assert SECRET.encode() not in files_of(path)


def test_a_reader_that_does_not_let_go_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program reads, the log cannot be emptied; whoever purges hears of it, and may do it again."""
    monkeypatch.setattr("headframe.stores.database.opening.BUSY_TIMEOUT_S", 0.1)
    store = open_store(tmp_path / "headframe.db", create=True)
    with store.writing() as writer:
        writer.import_findings([finding(1)])
    reader = store.all_findings()
    next(reader)
    certificate = purge(store, LATE, Outside())
    assert "not yet out of its log" in certificate.in_files
    assert certificate.count == 1
    assert store.finding("F-0000001") is None
    assert retention.not_compacted(store) == ("D-1",)
    assert retention.certificates(store)[0]["out_of_files"] is False
    with pytest.raises(HeadframeError, match="run headframe retention run again"):
        retention.compact_pending(store, LATE)
    reader.close()
    assert retention.compact_pending(store, LATE) == ("D-1",)
    assert retention.compact_pending(store, LATE) == ()
    assert retention.certificates(store)[0]["out_of_files"] is True
    store.close()


def test_a_compaction_that_was_cut_off_is_done_by_the_next_run(
    store: DatabaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both databases: what went is certified, the files wait, and a later purge writes them anew for both."""
    with store.writing() as writer:
        writer.import_findings([finding(1), replace(finding(2), ref=replace(finding(2).ref, ended_ns=LATE))])

    def cut_off(_store: DatabaseStore) -> None:
        raise HeadframeError("terminating connection due to administrator command")

    with monkeypatch.context() as patched:
        patched.setattr(retention, "compact", cut_off)
        assert purge(store, LATE, Outside()).in_files.startswith("terminating")
    assert retention.not_compacted(store) == ("D-1",)
    assert purge(store, LATE + 10 * YEARS_NS, Outside(), "D-2").in_files == ""
    assert retention.not_compacted(store) == ()


def test_a_removed_register_entry_is_gone_from_the_files_of_a_server(postgresql: Server) -> None:
    """On PostgreSQL a row that was changed stays as a dead one until its table is written anew; so does a hold's."""
    from stores.database.test_tables import registered

    name = postgresql.fresh()
    store = open_store(postgresql.url(name), create=True)
    entry = replace(registered(1), organisation_id=SECRET)
    with store.writing() as writer:
        writer.enter_register(entry)
        writer.place_hold("H-1", "", f"{SECRET} sues", "ann", T0)
    with store.writing() as writer:
        writer.enter_register(replace(entry, removed_ns=T0, removal_reason="appeal upheld"))
        writer.db.execute(HOLDS.delete())

    def in_files(table: str) -> bool:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.exec_driver_sql("CHECKPOINT")
            place = db.exec_driver_sql(f"SELECT pg_relation_filepath('{table}')").scalar_one()
        return SECRET.encode() in (postgresql.socket / "data" / str(place)).read_bytes()

    tables = ("register_entries", "search_words", "holds")
    assert [in_files(table) for table in tables] == [True, True, True]
    retention.compact(store)
    assert [in_files(table) for table in tables] == [False, False, False]
    store.close()
    postgresql.drop(name)


def test_a_removed_register_entry_is_gone_from_the_file(tmp_path: Path, opened: Callable[[], DatabaseStore]) -> None:
    """A name that was taken out of the register of decisions is gone when the files have been compacted."""
    from stores.database.test_tables import registered

    path = tmp_path / "own.db"
    store = open_store(path, create=True)
    entry = replace(registered(1), organisation_id=SECRET)
    with store.writing() as writer:
        writer.enter_register(entry)
    with store.writing() as writer:
        writer.enter_register(replace(entry, removed_ns=T0, removal_reason="appeal upheld"))
    retention.compact(store)
    assert SECRET.encode() not in files_of(path)
    store.close()
    assert opened().register() == ()
