"""What has to go, and when: rules by class of data, packs that set their own, and legal holds that win over both.

A rule counts days from the moment that its class says (`headframe.records.retention.DataClass`); while a case that
needs the item is open, nothing counts. A plan says what goes and what stays, each with its reason. Two accounts carry
it out, and a certificate says what they destroyed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from headframe.records.policy import Basis, DataField, Pack
from headframe.records.retention import (
    DataClass,
    DestroyedClass,
    DestructionCertificate,
    GoingItem,
    LegalHold,
    RetainedItem,
    RetentionPlan,
    RetentionRule,
    StayingItem,
)

_DAY_NS = 86_400_000_000_000

DEFAULT_DAYS: dict[DataClass, int] = {
    # Findings and readings: a year to compare with, and the year that is compared.
    DataClass.FINDING: 730,
    DataClass.READING: 760,
    # Cases and documents: as long as a decision is likely to be asked about.
    DataClass.CASE: 1_825,
    DataClass.DOCUMENT: 1_825,
    # Photos show more than they are taken for.
    DataClass.PHOTO: 365,
    # Addresses are for letters, and a closed case writes none.
    DataClass.CONTACT: 0,
    # An access is asked about as long as the case is.
    DataClass.ACCESS: 1_825,
    # Half a year in which a screening can still be followed up.
    DataClass.PSEUDONYM_KEY: 180,
    # A report is asked about as long as the cases that it counts.
    DataClass.REPORT: 1_825,
    # Time enough to hand a paper in again with an act that was refused, or to propose a letter that was drafted.
    DataClass.DRAFT: 30,
    # The pack has said how long the entry is shown; nobody may read it afterwards.
    DataClass.REGISTER: 0,
}
"""Ours: no public text says so, and every screen shows them as such (`Basis.OPERATOR_DEFAULT`). [days]"""

FIELD_CLASS: dict[str, DataClass] = {
    "hashrate": DataClass.FINDING,
    "pool_connections": DataClass.FINDING,
    "kwh_month": DataClass.READING,
    "kwh_per_day": DataClass.READING,
    "power_use": DataClass.READING,
    "power_profile": DataClass.READING,
    "load_profile": DataClass.READING,
    "actual_use_prior_year": DataClass.READING,
    "network_log": DataClass.READING,
    "delivery_address": DataClass.CONTACT,
    "inspection_record": DataClass.DOCUMENT,
    "case_file": DataClass.CASE,
    "premises": DataClass.CASE,
    "site": DataClass.CASE,
    "owner_enterprise": DataClass.CASE,
    "scale": DataClass.CASE,
    "status": DataClass.CASE,
    "subject_class": DataClass.CASE,
    "location": DataClass.CASE,
}
"""Fields that packs name (``data[].field``, in lower case), and the class they are kept in. The name of a class is a
field as well."""


COUNTS_FROM: dict[DataClass, str] = {
    DataClass.FINDING: "its end; of a case, the closure of the last case that rests on it",
    DataClass.READING: "the end of its month or last reading; of a case, the closure of the last case that needs it",
    DataClass.DOCUMENT: "the closure of the last case that has it",
    DataClass.PHOTO: "the closure of the last case that has it",
    DataClass.CONTACT: "the closure of the last case that needed it",
    DataClass.CASE: "its closure",
    DataClass.ACCESS: "the access or import; of a case, its closure; of a hold, its lifting",
    DataClass.PSEUDONYM_KEY: "the end of the epoch",
    DataClass.REPORT: "its writing",
    DataClass.DRAFT: "the day when the file was kept",
    DataClass.REGISTER: "the expiry of the entry",
}
"""From when the days of a class count, in words."""


def class_of(field: DataField) -> DataClass | None:
    """The class that a pack's field is kept in: as the pack says, else by its name; None where neither tells."""
    known = {**FIELD_CLASS, **{one.value: one for one in DataClass}}
    return known.get(field.data_class or field.field.strip().lower())


def default_rules() -> tuple[RetentionRule, ...]:
    """A rule for each class, for cases whose pack sets none, and for what belongs to no case."""
    return tuple(
        RetentionRule(
            data_class=data_class, days=DEFAULT_DAYS[data_class], basis=Basis.OPERATOR_DEFAULT, source="Headframe"
        )
        for data_class in DataClass
    )


def rules_of(pack: Pack) -> tuple[tuple[RetentionRule, ...], tuple[str, ...]]:
    """Rules that a pack sets for its cases, by its ``data[].retention_days``.

    Where several fields are kept in one class, the shortest period counts: what is kept together goes together.

    Parameters
    ----------
    pack : Pack

    Returns
    -------
    rules : tuple of RetentionRule
        For the classes that it sets; the others keep the default.
    remarks : tuple of str
        Fields with a period whose class is not known: nothing is done about them, so somebody has to. And where a
        period cannot be kept as it stands.
    """
    rules: dict[DataClass, RetentionRule] = {}
    remarks = []
    for field in pack.data:
        if field.retention_days is None:
            continue
        data_class = class_of(field)
        if data_class is None:
            known = ", ".join(sorted({*FIELD_CLASS, *DataClass}))
            remarks.append(
                f"pack {pack.id} keeps {field.field} for {field.retention_days} days, but Headframe does not know in "
                f"which class of data it is: give it a data_class; known fields are {known}"
            )
            continue
        rule = RetentionRule(
            data_class=data_class,
            days=field.retention_days,
            # Without a text that says how long, it is the pack author's word, which is no more than ours.
            basis=field.retention_basis,
            source=f"pack {pack.id} {pack.version}, data {field.field}",
            ref=field.retention_ref,
            pack_id=pack.id,
            pack_digest=pack.digest,
        )
        if data_class not in rules or rule.days < rules[data_class].days:
            rules[data_class] = rule
    contact, days = rules.get(DataClass.CONTACT), DEFAULT_DAYS[DataClass.CASE]
    if (case := rules.get(DataClass.CASE)) is not None:
        days = case.days
    if contact is not None and contact.days > days:
        # Nothing else says whose address it is, and that somebody needs it.
        rules[DataClass.CONTACT] = replace(contact, days=days)
        remarks.append(
            f"pack {pack.id} keeps delivery addresses for {contact.days} days and cases for {days}: an address goes "
            f"with the case that needed it"
        )
    reading = rules.get(DataClass.READING)
    if reading is not None and reading.days > days:
        remarks.append(
            f"pack {pack.id} keeps readings for {reading.days} days and cases for {days}: when a case has gone, "
            f"nothing says which readings it needed, and they go after {DEFAULT_DAYS[DataClass.READING]} days"
        )
    return tuple(rules.values()), tuple(remarks)


def what_goes(
    items: Iterable[RetainedItem],
    rules: Sequence[RetentionRule],
    holds: Iterable[LegalHold],
    now_ns: int,
    lost: Collection[str] = (),
) -> RetentionPlan:
    """What goes and what stays at an instant.

    Parameters
    ----------
    items : iterable of RetainedItem
    rules : sequence of RetentionRule
        Those of packs and the default ones; of two for the same class and pack, the later counts. A pack's rule goes
        before the default one if a text sets it; where its author does (`Basis.OPERATOR_DEFAULT`), the shorter of both
        counts. An item without a rule stays.
    holds : iterable of LegalHold
    now_ns : int
        [ns since 1970-01-01 UTC]
    lost : collection of str
        Packs whose text nobody has any more (`headframe.records.retention.pack_name`). How long they keep something
        is not known, so nothing goes that their cases rest on.

    Returns
    -------
    RetentionPlan
        Items in the order given; those that stay for the sake of others last.
    """
    known = {(rule.pack, rule.data_class): rule for rule in rules}
    held: dict[str, str] = {}
    for hold in holds:
        held.setdefault(hold.case_id, hold.reason)
    goes: list[GoingItem] = []
    stays: list[StayingItem] = []
    for item in items:
        rule = _rule(item, known)
        due_ns = None if item.from_ns is None or rule is None else item.from_ns + rule.days * _DAY_NS
        over = due_ns is not None and due_ns <= now_ns
        holding = next((case_id for case_id in (*item.case_ids, "") if case_id in held), None)
        if holding is not None:
            on = f"case {holding}" if holding else "everything"
            why = f"legal hold on {on}: {held[holding]}"
            stays.append(StayingItem(item=item, why=why, rule=rule, due_ns=due_ns, held=over))
        elif gone := sorted(set(item.pack_ids) & set(lost)):
            pack_id, _, digest = gone[0].partition("@")
            why = (
                f"how long it is kept is not known: the text of pack {pack_id} (SHA-256 {digest or 'not known'}) that "
                f"its case was opened under is lost; put it back into the workspace's packs/"
            )
            stays.append(StayingItem(item=item, why=why))
        elif rule is None:
            stays.append(StayingItem(item=item, why=f"no rule for {item.data_class}"))
        elif due_ns is None:
            why = item.waits or (
                "a case that needs it is open" if item.case_ids else "its period has not begun to count"
            )
            stays.append(StayingItem(item=item, why=why, rule=rule))
        elif over:
            goes.append(GoingItem(item=item, rule=rule, due_ns=due_ns))
        else:
            why = _time_left(due_ns, rule.days, now_ns)
            stays.append(StayingItem(item=item, why=why, rule=rule, due_ns=due_ns))
    # A photo may be a document of another case as well: the same bytes are kept once, and go with the last of them.
    needed = {one.item.sha256: one.item for one in stays}
    for one in goes:
        if (other := needed.get(one.item.sha256)) is not None:
            why = f"the same bytes are still kept as {other.data_class} {other.item_id}"
            stays.append(StayingItem(item=one.item, why=why, rule=one.rule, due_ns=one.due_ns))
    goes = [one for one in goes if one.item.sha256 not in needed]
    return RetentionPlan(now_ns=now_ns, goes=tuple(goes), stays=tuple(stays))


def _rule(item: RetainedItem, known: dict[tuple[str, DataClass], RetentionRule]) -> RetentionRule | None:
    """The rule of an item: of its packs the one that keeps it longest, else the default."""
    default = known.get(("", item.data_class))
    found = [_stricter(known.get((pack_id, item.data_class)), default) for pack_id in item.pack_ids] or [default]
    there = [rule for rule in found if rule is not None]
    # A case whose pack has no rule at all must not lose what it needs to another case's rule.
    if not there or len(there) < len(found):
        return None
    return max(there, key=lambda rule: rule.days)


def _time_left(due_ns: int, rule_days: int, now_ns: int) -> str:
    """How long an item stays, in words; the end of an epoch, or of a month of readings, may still lie ahead."""

    def days(length_ns: int) -> int:
        return -(-length_ns // _DAY_NS)

    ahead_ns = due_ns - rule_days * _DAY_NS - now_ns
    if ahead_ns > 0 and rule_days:
        count = days(ahead_ns)
        return f"its {rule_days} days begin to count in {count} {'day' if count == 1 else 'days'}"
    count = days(due_ns - now_ns)
    return f"{count} {'day is' if count == 1 else 'days are'} left of {rule_days}"


def _stricter(of_pack: RetentionRule | None, default: RetentionRule | None) -> RetentionRule | None:
    """A pack's rule where a text stands behind it; else, of two words that are no law, the one that keeps less."""
    if of_pack is None or default is None:
        return of_pack or default
    if of_pack.basis is Basis.OPERATOR_DEFAULT and default.days < of_pack.days:
        return default
    return of_pack


def certify(
    plan: RetentionPlan,
    destroyed: Iterable[RetainedItem],
    *,
    certificate_id: str,
    at_ns: int,
    proposer: str,
    approver: str,
    failed: Iterable[tuple[RetainedItem, str]] = (),
) -> DestructionCertificate:
    """The certificate of what was destroyed of a plan.

    Parameters
    ----------
    plan : RetentionPlan
        What two accounts were shown.
    destroyed : iterable of RetainedItem
        That are gone.
    certificate_id : str
    at_ns : int
        [ns since 1970-01-01 UTC]
    proposer, approver : str
    failed : iterable of (RetainedItem, str)
        With the reason, those that could not be destroyed.

    Returns
    -------
    DestructionCertificate

    Raises
    ------
    ValueError
        If both accounts are one, if something was destroyed that the plan did not let go, or if the certificate says
        nothing of something that it did.
    """
    if not proposer.strip() or not approver.strip() or proposer.strip().casefold() == approver.strip().casefold():
        raise ValueError(
            f"destruction needs two different accounts; {proposer!r} proposed it and {approver!r} approved it"
        )
    gone = {_name(item) for item in destroyed}
    not_gone = {_name(item): reason for item, reason in failed}
    going = {_name(one.item) for one in plan.goes}
    if wrong := sorted((gone | set(not_gone)) - going):
        raise ValueError(f"not in the plan, so it must not go: {', '.join(wrong[:10])}")
    if both := sorted(gone & set(not_gone)):
        raise ValueError(f"said to be destroyed and said to be there: {', '.join(both[:10])}")
    if untold := sorted(going - gone - set(not_gone)):
        raise ValueError(f"in the plan, and nothing is said of it: {', '.join(untold[:10])}")
    by_rule: dict[RetentionRule, list[str]] = {}
    for one in plan.goes:
        if _name(one.item) in gone:
            by_rule.setdefault(one.rule, []).append(one.item.sha256)
    classes = [
        DestroyedClass(rule=rule, count=len(digests), digests=tuple(sorted(digests)))
        for rule, digests in by_rule.items()
    ]
    classes.sort(key=lambda one: (one.rule.data_class, one.rule.pack_id))
    return DestructionCertificate(
        certificate_id=certificate_id,
        at_ns=at_ns,
        classes=tuple(classes),
        proposer=proposer,
        approver=approver,
        held=sum(one.held for one in plan.stays),
        failed=tuple(f"{name}: {reason}" for name, reason in sorted(not_gone.items())),
    )


def _name(item: RetainedItem) -> str:
    """``photo 9f86…``: ids are unique in their class only."""
    return f"{item.data_class} {item.item_id}"


def certificate_json(certificate: DestructionCertificate) -> dict[str, object]:
    """A certificate as plain JSON, for the ledger and for its document.

    Parameters
    ----------
    certificate : DestructionCertificate

    Returns
    -------
    dict
        Numbers are whole, so that its canonical form (RFC 8785) is exact; the instant is text for the same reason.
    """
    return {
        "certificate": certificate.certificate_id,
        "at_ns": str(certificate.at_ns),
        "proposer": certificate.proposer,
        "approver": certificate.approver,
        "held": certificate.held,
        "failed": list(certificate.failed),
        "destroyed": [
            {
                "class": one.rule.data_class.value,
                "count": one.count,
                "days": one.rule.days,
                "basis": one.rule.basis.value,
                "source": one.rule.source,
                "ref": one.rule.ref,
                "pack": one.rule.pack_id,
                "sha256": list(one.digests),
            }
            for one in certificate.classes
        ],
    }


def certificate_from_json(value: Mapping[str, Any]) -> DestructionCertificate:
    """A certificate as `certificate_json` wrote it."""
    return DestructionCertificate(
        certificate_id=str(value["certificate"]),
        at_ns=int(value["at_ns"]),
        proposer=str(value["proposer"]),
        approver=str(value["approver"]),
        held=int(value["held"]),
        failed=tuple(str(one) for one in value["failed"]),
        classes=tuple(
            DestroyedClass(
                rule=RetentionRule(
                    data_class=DataClass(one["class"]), days=int(one["days"]), basis=Basis(one["basis"]),
                    source=str(one["source"]), ref=str(one["ref"]), pack_id=str(one["pack"]),
                ),
                count=int(one["count"]),
                digests=tuple(str(sha256) for sha256 in one["sha256"]),
            )
            for one in value["destroyed"]
        ),
    )  # fmt: skip
