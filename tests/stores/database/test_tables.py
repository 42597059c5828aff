"""Sites, registers, contacts, documents, accounts, leaves: what goes in comes out."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from stores.database.makers import DAY_NS, T0, document, leaf, site

from headframe.cases.store import AccessEntry, SiteImport, StaleCase, StoredAccount
from headframe.errors import HeadframeError
from headframe.records.case import Account, DecisionOutcome, Duty, RegisterEntry
from headframe.records.lawful import Contact, ContactRole, LawfulEntry, LawfulKind
from headframe.records.site import Assignment, AssignmentKind, Organisation, SourceRow
from headframe.stores.database import DatabaseStore


def assigned(value: str, site_id: str = "S-1", **more: object) -> Assignment:
    return Assignment(
        kind=AssignmentKind.PREFIX, value=value, site_id=site_id, source=SourceRow("sites.csv", 3), **more
    )  # type: ignore[arg-type]


def entry(entry_id: str, **more: object) -> LawfulEntry:
    return LawfulEntry(
        entry_id=entry_id,
        kind=LawfulKind.LICENCE,
        register="fns-miners",
        scope="up to 1 MW",
        proof="No. 7",
        source=SourceRow("register.csv", 9),
        **more,
    )  # type: ignore[arg-type]


def test_sites_come_back_as_they_went_in(store: DatabaseStore) -> None:
    """Every field, open and closed intervals, and coordinates to the last bit."""
    sites = [
        site(1),
        replace(site(2, organisation_id=None), latitude=52.123456789012345, longitude=-0.1, valid_until_ns=T0),
        replace(site(3), valid_from_ns=None, region=None),
    ]
    belongings = [
        assigned("10.1.0.0/16"),
        assigned("10.2.0.0/16", valid_from_ns=T0, valid_until_ns=T0 + DAY_NS),
        assigned("10.2.0.0/16", valid_from_ns=T0 + DAY_NS, realm="nat-1"),
        assigned("10.1.0.0/16", "S-2"),
    ]
    with store.writing() as writer:
        writer.import_sites(
            SiteImport(
                sites=sites,
                organisations=[Organisation(organisation_id="O-1", name="Acme 有限公司")],
                assignments=belongings,
            )
        )
    assert [store.site(each.site_id) for each in sites] == sites
    assert store.site("S-9") is None
    assert store.organisation("O-1") == Organisation(organisation_id="O-1", name="Acme 有限公司")
    assert store.organisation("O-2") is None
    assert store.assignments("S-1") == tuple(belongings[:3])
    assert store.assignments("S-2") == (belongings[3],)


def test_an_import_replaces_by_id(store: DatabaseStore) -> None:
    """A second import of a site, an organisation, an assignment or an entry replaces the first; nothing is doubled."""
    with store.writing() as writer:
        writer.import_sites(SiteImport(sites=[site(1)], assignments=[assigned("10.1.0.0/16")], lawful=[entry("L-1")]))
    changed = replace(entry("L-1", site_id="S-1"), valid_until_ns=T0)
    with store.writing() as writer:
        writer.import_sites(
            SiteImport(
                sites=[replace(site(1), name="Other")],
                assignments=[assigned("10.1.0.0/16", valid_until_ns=T0)],
                lawful=[changed],
            )
        )
    kept = store.site("S-1")
    assert kept is not None
    assert kept.name == "Other"
    assert [each.valid_until_ns for each in store.assignments("S-1")] == [T0]
    assert store.lawful_of(site_id="S-1", organisation_id="", usage_points=()) == (changed,)


def test_lawful_entries_of_a_site(store: DatabaseStore) -> None:
    """All entries that name the site, its organisation or a usage point; an empty key finds nothing."""
    entries = [
        entry("L-1", site_id="S-1", power_limit_w=1e6),
        entry("L-2", organisation_id="O-1", valid_from_ns=T0),
        entry("L-3", usage_point="UP-7"),
        entry("L-4", usage_point="UP-8"),
        entry("L-5", site_id="S-2"),
    ]
    with store.writing() as writer:
        writer.import_sites(SiteImport(lawful=entries, imported_ns=T0))

    def found(site_id: str = "", organisation_id: str = "", *points: str) -> list[str]:
        asked = store.lawful_of(site_id=site_id, organisation_id=organisation_id, usage_points=points)
        return [each.entry_id for each in asked]

    assert store.lawful_of(site_id="S-1", organisation_id="O-1", usage_points=["UP-7"]) == tuple(entries[:3])
    assert found("S-2") == ["L-5"]
    assert found("", "O-1") == ["L-2"]
    assert found("", "", "UP-8", "UP-7") == ["L-3", "L-4"]
    assert found("", "", *(f"UP-{k}" for k in range(2_000))) == ["L-3", "L-4"]
    assert found("", "", "") == []
    assert found() == []
    assert store.registers() == {"fns-miners": T0}


def test_contacts(store: DatabaseStore) -> None:
    """Contacts by site or organisation, sealed as they were; a purged one is not there any more."""
    contacts = [
        Contact(
            contact_id=f"C-{k}",
            role=ContactRole.ABUSE_DESK,
            channel="post",
            sealed_address=bytes(range(256)),
            key_id=f"K-{k}",
            site_id="S-1" if k < 2 else "",
            organisation_id="" if k < 2 else "O-1",
        )
        for k in range(3)
    ]
    with store.writing() as writer:
        writer.import_sites(SiteImport(contacts=contacts))
    assert store.contacts(site_id="S-1") == tuple(contacts[:2])
    assert store.contacts(organisation_id="O-1") == (contacts[2],)
    assert store.contacts(site_id="S-1", organisation_id="O-1") == tuple(contacts)
    assert store.contacts() == ()
    with store.writing() as writer:
        writer.purge_contacts(["C-0", "C-2", "C-9"])
    assert store.contacts(site_id="S-1", organisation_id="O-1") == (contacts[1],)


def test_documents(store: DatabaseStore) -> None:
    """Documents of a case in order of time; kept once, for what was kept does not change."""
    kept = [document("b" * 64, T0 + 1, None), document("a" * 64, T0)]
    with store.writing() as writer:
        for each in kept:
            writer.keep_document(each, "HF-2026-000001")
        writer.keep_document(kept[0], "HF-2026-000002")
        writer.keep_document(replace(kept[0], language="zh"), "HF-2026-000001")
    assert store.documents("HF-2026-000001") == (kept[1], kept[0])
    assert store.documents("HF-2026-000002") == (kept[0],)
    assert store.documents("HF-2026-000003") == ()


def registered(k: int, **more: object) -> RegisterEntry:
    return RegisterEntry(
        entry_id=f"R-{k}",
        case_id=f"HF-2026-{k:06d}",
        decision=7,
        organisation_id="O-1",
        site_id=f"S-{k}",
        outcome=DecisionOutcome.CONFIRMED,
        legal_basis=("ndrc1283#13", "sc186#2"),
        decided_ns=T0,
        final_ns=T0 + k * DAY_NS,
        **more,
    )  # type: ignore[arg-type]


def test_the_register_of_decisions(store: DatabaseStore) -> None:
    """Entries by organisation, site, or the beginning of a word; the latest first."""
    with store.writing() as writer:
        writer.import_sites(
            SiteImport(sites=[site(1, "Westfield")], organisations=[Organisation(organisation_id="O-1", name="Acme")])
        )
        for k in (1, 2, 3):
            writer.enter_register(registered(k, expires_ns=T0 + 99 * DAY_NS))
        writer.enter_register(registered(2, appeal="pending"))
    assert [each.entry_id for each in store.register()] == ["R-3", "R-2", "R-1"]
    assert store.register(site_id="S-2") == (registered(2, appeal="pending"),)
    assert len(store.register(organisation_id="O-1", text="acm")) == 3
    assert [each.entry_id for each in store.register(text="west")] == ["R-1"]
    assert [each.entry_id for each in store.register(text="HF-2026-000003")] == ["R-3"]
    assert store.register(text="nothing") == ()
    assert store.register(organisation_id="O-2") == ()


def test_a_removed_entry_is_empty(store: DatabaseStore) -> None:
    """Of a removed entry the register keeps that there was one; neither look-up nor search finds whom it named."""
    with store.writing() as writer:
        writer.enter_register(registered(1))
        writer.enter_register(registered(1, removed_ns=T0 + DAY_NS, removal_reason="appeal upheld"))
    (kept,) = store.register()
    assert (kept.entry_id, kept.removed_ns, kept.removal_reason) == ("R-1", T0 + DAY_NS, "appeal upheld")
    assert (kept.organisation_id, kept.site_id, kept.legal_basis) == ("", "", ())
    assert kept.outcome is DecisionOutcome.UNDETERMINED
    assert store.register(organisation_id="O-1") == ()
    assert store.register(text="O-1") == ()


def test_accounts(store: DatabaseStore) -> None:
    """Accounts by name; a second writing replaces."""
    ann = StoredAccount(
        account=Account(name="ann", unit="u", duties=frozenset({Duty.PROPOSE, Duty.SCREEN})), token_sha256="ab" * 32
    )
    bob = StoredAccount(account=Account(name="bob", unit="u", duties=frozenset()), token_sha256="cd" * 32)
    with store.writing() as writer:
        writer.put_account(bob)
        writer.put_account(ann)
        writer.put_account(replace(bob, enabled=False))
    assert store.accounts() == (ann, replace(bob, enabled=False))
    assert store.account("ann") == ann
    assert store.account("Ann") is None


def test_leaves_wait_until_the_ledger_has_them(store: DatabaseStore) -> None:
    """Leaves are pending in the order of writing; marked, they have their place; marked again the same, nothing."""
    with store.writing() as writer:
        writer.log(leaf("case/A/2", "A", [{"b": 1, "a": [None, "挖"]}, 3]))
        writer.log(replace(leaf("case/A/1", "A"), mark=b"ours"))
        writer.log(leaf("retention/1", values=()))
    pending = store.pending_leaves()
    assert [each.leaf_id for each in pending] == ["case/A/2", "case/A/1", "retention/1"]
    assert pending[0] == leaf("case/A/2", "A", [{"b": 1, "a": [None, "挖"]}, 3])
    assert [each.leaf_id for each in store.pending_leaves(1)] == ["case/A/2"]
    assert [each.leaf_id for each in store.pending_leaves(after="case/A/1")] == ["retention/1"]
    assert [each.mark for each in pending] == [b"", b"ours", b""]
    store.mark_logged({"case/A/2": 11, "case/A/1": 10})
    store.mark_logged({"case/A/2": 11})
    assert [each.leaf_id for each in store.pending_leaves()] == ["retention/1"]
    kept = store.leaves(case_id="A")
    assert [(each.leaf_id, each.index) for each in kept] == [("case/A/1", 10), ("case/A/2", 11)]
    assert [each.mark for each in kept] == [b"ours", b""]
    assert kept[1].leaf == pending[0].leaf
    assert kept[1].disclosures == pending[0].disclosures
    assert [each.leaf_id for each in store.leaves(leaf_ids=["retention/1", "case/A/2"])] == ["case/A/2", "retention/1"]
    assert store.leaves() == ()


def test_a_place_in_the_ledger_does_not_change(store: DatabaseStore) -> None:
    """Another place for the same leaf, or a leaf that is not there, means that ledger and database do not fit."""
    with store.writing() as writer:
        writer.log(leaf("case/A/1", "A"))
    store.mark_logged({"case/A/1": 3})
    with pytest.raises(HeadframeError, match="has place 3"):
        store.mark_logged({"case/A/1": 4})
    with pytest.raises(HeadframeError, match="no leaf case/A/2"):
        store.mark_logged({"case/A/2": 4})
    with store.writing() as writer:
        writer.log(leaf("case/A/2", "A"))
    with pytest.raises(HeadframeError, match=r"case/A/2 at 3.*another leaf"):
        store.mark_logged({"case/A/2": 3})
    assert [each.leaf_id for each in store.pending_leaves()] == ["case/A/2"]
    with pytest.raises(StaleCase, match="case/A/1"), store.writing() as writer:
        writer.log(leaf("case/A/1", "A"))


def test_reads_are_noted(store: DatabaseStore) -> None:
    """The access log keeps every entry, the latest first, page by page; one without a reason is refused."""
    entries = [
        AccessEntry(access_id=f"A-{k}", at_ns=T0 + k // 2, account="ann", what=f"contact C-{k % 3}", reason="notice")
        for k in range(7)
    ]
    with store.writing() as writer:
        for each in entries:
            writer.note_access(each)
    first = store.accesses(limit=4)
    rest = store.accesses(cursor=first.cursor, limit=4)
    assert [*first.rows, *rest.rows] == sorted(entries, key=lambda e: (e.at_ns, e.access_id), reverse=True)
    assert (first.total, rest.cursor) == (7, "")
    assert [each.access_id for each in store.accesses(what="contact C-1").rows] == ["A-4", "A-1"]
    for wrong in ({"reason": " "}, {"account": ""}):
        with pytest.raises(HeadframeError, match="account and a reason"), store.writing() as writer:
            writer.note_access(replace(entries[0], access_id="B", **wrong))  # type: ignore[arg-type]


def test_long_texts_and_quotes(store: DatabaseStore, opened: Callable[[], DatabaseStore]) -> None:
    """Nothing that stands in a value is ever read as SQL."""
    nasty = "'); DROP TABLE sites; --\\ %s :name \U0001f6d1"
    with store.writing() as writer:
        writer.import_sites(SiteImport(sites=[site(1, nasty)]))
    kept = opened().site("S-1")
    assert kept is not None
    assert kept.name == nasty
