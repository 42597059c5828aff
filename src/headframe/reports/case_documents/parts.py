"""Sections that several documents share: facts, rules, rights with clocks, sheets, evidence, doubts, signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from headframe import __version__
from headframe.ledger.bundle import FINDING_FILES
from headframe.policy.citations import place_known
from headframe.records.case import (
    ASKS,
    Account,
    Act,
    Case,
    CaseEvent,
    CaseFile,
    CaseRelation,
    DecisionOutcome,
    DocumentRef,
    ReplyStance,
    ServeDecision,
    ServeNotice,
)
from headframe.records.finding import Family, Interval
from headframe.records.policy import (
    Basis,
    CalculationLine,
    CalculationSheet,
    Clock,
    ClockState,
    Deadline,
    Measure,
    Pack,
    RightKind,
    Step,
    UnitRole,
    Words,
)
from headframe.records.site import SiteKind
from headframe.reports.case_documents.addresses import acting_unit_id, address_lines, body_address
from headframe.reports.case_documents.corrected import mark, right_events
from headframe.reports.case_documents.counting_zh import counting_in_chinese
from headframe.reports.case_documents.held import (
    Held,
    blind_spots,
    contradictions,
    excluded,
    facts_of,
    held_of,
    interval_of,
    untested,
)
from headframe.reports.case_documents.model import (
    Block,
    Callout,
    Column,
    Entries,
    Entry,
    Exhibit,
    Exhibits,
    Facts,
    Furniture,
    Letterhead,
    Listing,
    Paragraph,
    RightLine,
    Rights,
    Section,
    Side,
    Sides,
    Signature,
    Signatures,
    Subheading,
    Table,
    Tone,
    Verbatim,
)
from headframe.reports.case_documents.speech import Speech
from headframe.reports.case_documents.translated import sheet_in, translated

_DECISION_RIGHTS = frozenset({RightKind.APPEAL, RightKind.REMOVAL, RightKind.COMPENSATION})
"""Rights that begin with a decision; all others are there from the notice on."""
_BEFORE_A_DECISION = frozenset({RightKind.NOTICE, RightKind.HEARING})
"""Rights that lie behind once it is decided. The answer's stays: its date tells whether the party had its time."""
_LEADS_TO_IT = frozenset({Step.CLASSIFY, Step.INSPECT, Step.DECIDE})
"""Steps whose clocks lie behind then."""
_REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9](?:#[0-9A-Za-z().]*[0-9A-Za-z)])?", re.ASCII)
_MOST_EVENTS = 400
"""In a list of what happened; a case with more is told by its last ones, and the rest is counted."""


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a document of a case is written from."""

    file: CaseFile
    pack: Pack
    clocks: Sequence[Clock]
    speech: Speech
    now_ns: int
    prepared_by: Account | None
    log_keys: tuple[str, ...]

    @property
    def case(self) -> Case:
        """The case."""
        return self.file.case

    @property
    def held(self) -> tuple[Held, ...]:
        """The findings with their documents."""
        return held_of(self.file)

    @property
    def site(self) -> str:
        """The site in words, with its identifier where that says more."""
        name = self.file.site_name or self.case.site_id
        if self.household and name == self.case.site_id:
            return self.speech.say("site.household", id=name)
        return self.speech.say("site.named", name=name, id=self.case.site_id) if name != self.case.site_id else name

    @property
    def party(self) -> str:
        """The organisation, or what stands for it where there is none."""
        if self.file.organisation_name:
            return self.file.organisation_name
        if self.case.organisation_id:
            return self.case.organisation_id
        points = self.speech.listed(self.case.usage_points)
        return self.speech.say("party.premises", points=points) if points else self.speech.say("party.of_site")

    @property
    def household(self) -> bool:
        """Whether the site is the premises of a household."""
        return self.case.site_kind == SiteKind.HOUSEHOLD_PREMISES


# --------------------------------------------------------------------------------------------------------------- head


def unit_name(pack: Pack, unit_id: str, speech: Speech) -> str:
    """A unit of the pack in words; its identifier where the pack does not know it."""
    for unit in pack.units:
        if unit.id == unit_id:
            return speech.of(unit.name) or unit.id
    return unit_id


def unit_with(pack: Pack, role: UnitRole, speech: Speech) -> str:
    """The first unit with a role; empty where the pack names none."""
    return next((speech.of(unit.name) or unit.id for unit in pack.units if role in unit.roles), "")


def acting_unit(pack: Pack, step: Step, speech: Speech) -> str:
    """The unit that takes a step of the procedure; else the one that leads; else the pack's first."""
    found = acting_unit_id(pack, step)
    return unit_name(pack, found, speech) if found else speech.say("unit.unknown")


def where_to_write(desk: Desk, unit_id: str) -> list[Block]:
    """Where one answers to a unit: desk, postal address, portal; a marked place where that is not known."""
    speech, say = desk.speech, desk.speech.say
    unit = unit_name(desk.pack, unit_id, speech) if unit_id else say("unit.unknown")
    lines = address_lines(desk.file, desk.pack, unit_id, speech)
    if not lines:
        return [
            Callout(
                title=say("where.missing", unit=unit), lines=(say("where.missing.text"),), tone=Tone.CAUTION
            )
        ]  # fmt: skip
    return [
        Entries(
            entries=(
                Entry(label=say("where.unit"), value=unit),
                *(Entry(label=label, value=value) for label, value in lines),
                Entry(label=say("head.case"), value=desk.case.case_id, code=True),
            )
        )
    ]


def where_section(desk: Desk, step: Step) -> Section:
    """Where the party writes to, of a letter that holds it nowhere else."""
    return Section(
        title=desk.speech.say("where.title"), blocks=tuple(where_to_write(desk, acting_unit_id(desk.pack, step)))
    )


def letterhead(desk: Desk, unit: str, addressee: Sequence[str], *, site: bool = True) -> Letterhead:
    """The head of a document of a case."""
    say, case = desk.speech.say, desk.case
    entries = [Entry(label=say("head.date"), value=desk.speech.day(desk.now_ns))]
    if site:
        entries.append(Entry(label=say("head.site"), value=desk.site))
        if case.usage_points:
            entries.append(
                Entry(label=say("head.usage_points"), value=desk.speech.listed(case.usage_points), code=True)
            )
    entries.append(Entry(label=say("head.times"), value=desk.speech.zone_name))
    return Letterhead(
        unit=unit,
        under=desk.speech.of(desk.pack.title) or desk.pack.id,
        reference_label=say("head.case"),
        reference=case.case_id,
        entries=tuple(entries),
        addressee_label=say("head.to") if addressee else "",
        addressee=tuple(addressee),
    )


def to_party(desk: Desk, desk_role: str = "responsible_unit") -> tuple[str, ...]:
    """Whom a letter to the party is addressed to: organisation, desk, site; the delivery address stays sealed.

    A household has no department, and the registry's name for it is ours: it says that it is one.
    """
    if desk.household:
        return (desk.party, desk.speech.say("site.file_number", id=desk.case.site_id))
    return (desk.party, desk.speech.term("contact", desk_role), desk.site)


def furniture(speech: Speech) -> Furniture:
    """The words of the page itself."""
    return Furniture(
        page_of=speech.say("page.of"),
        made_with=speech.say("page.made_with", version=__version__),
        skip=speech.say("page.skip"),
        colours=speech.say("page.colours"),
        colours_auto=speech.say("page.colours.auto"),
        colours_light=speech.say("page.colours.light"),
        colours_dark=speech.say("page.colours.dark"),
        loads_nothing=speech.say("page.loads_nothing"),
    )


# -------------------------------------------------------------------------------------------------------------- facts


_MOST_POWERS = 6
"""Told by number; of more the sentence would fill a page, and each fact tells its own."""


def facts_section(desk: Desk, *plots: Block) -> Section:
    """Numbered facts with their plots."""
    say = desk.speech.say
    facts = facts_of(desk.held, desk.speech)
    blocks: list[Block] = [Paragraph(text=say("facts.lead", times=desk.speech.zone_name))]
    if measured := power_that_counts(desk):
        blocks.append(Paragraph(text=measured))
    blocks += [Facts(facts=facts)] if facts else [Paragraph(text=say("facts.none"))]
    return Section(title=say("facts.title"), blocks=(*blocks, *plots))


def power_that_counts(desk: Desk) -> str:
    """Which of several powers is the measured one; empty where there is not a metered one beside one that is implied.

    The hash rate tells of the machines' power only as far as their efficiency is known, and that differs a hundredfold.
    """
    speech = desk.speech
    known: list[tuple[int, bool, Interval]] = [
        (number, one.of_meter, power)
        for number, one in enumerate(desk.held, 1)
        if (power := interval_of(one.document.get("power_w"))) is not None
    ]
    metered = [(number, power) for number, of_meter, power in known if of_meter]
    implied = [str(number) for number, of_meter, _ in known if not of_meter]
    if not metered or not implied:
        return ""
    if len(known) > _MOST_POWERS:
        return speech.say("facts.power.many", metered=len(metered), implied=len(implied))
    told = speech.listed(
        speech.say("facts.power.one", number=number, power=speech.interval(power, "W")) for number, power in metered
    )
    return speech.say("facts.power", metered=told, implied=speech.listed(implied))


def doubts_section(desk: Desk) -> Section:
    """What supports, contradicts and is missing, side by side; then blind spots and how often such evidence errs."""
    speech, say, held = desk.speech, desk.speech.say, desk.held
    families = dict.fromkeys(one.ref.family for one in held if one.ref.mining)
    supports = [
        say(
            "supports.family", family=speech.term("family", family.value),
            numbers=speech.listed(str(n) for n, one in enumerate(held, 1) if one.ref.family is family),
        )
        for family in families
    ] + list(excluded(held, speech))  # fmt: skip
    if desk.case.inspections:
        supports.append(say("supports.inspection", n=len(desk.case.inspections)))
    against = list(contradictions(held, speech))
    # An answer stands on the side that it speaks for; to ask for time or for the file speaks for neither.
    for one in desk.case.replies:
        if one.stance not in ASKS:
            side = supports if one.stance is ReplyStance.ADMITS else against
            side.append(say("against.reply", stance=speech.term("stance", one.stance.value)))
    looked = {one.ref.family for one in held} | ({Family.INSPECTION} if desk.case.inspections else set())
    if desk.case.lookup is not None:
        looked.add(Family.REGISTRY)
    missing = [say("missing.family", family=speech.term("family", one.value)) for one in Family if one not in looked]
    missing += untested(held, speech)
    if desk.case.lookup is None:
        missing.append(say("missing.lookup"))
    sides = Sides(
        sides=tuple(
            Side(title=say(f"sides.{name}"), items=tuple(lines) or (say(f"sides.{name}.none"),))
            for name, lines in (("supports", supports), ("contradicts", against), ("missing", missing))
        )
    )
    spots = blind_spots(held, speech)
    blocks: list[Block] = [sides]
    if spots:
        blocks += [Subheading(text=say("blind.lead")), Listing(items=spots)]
    return Section(title=say("doubts.title"), blocks=tuple(blocks))


def error_rates_section(desk: Desk) -> Section:
    """How often such evidence is wrong, and what its figures do not say."""
    say = desk.speech.say
    lines = [say("error.e"), say("error.not_probability")]
    if any(one.of_meter for one in desk.held):
        lines.append(say("error.peers"))
    lines += [say("error.families"), say("error.lawful_computing")]
    return Section(title=say("error.title"), blocks=(Listing(items=tuple(lines)),))


# --------------------------------------------------------------------------------------------------------------- rules


def reference(ref: str, pack: Pack, speech: Speech) -> str:
    """An instrument and a place in it, ``ndrc1283#13``, as title, number and the reference itself."""
    if not ref:
        return ""
    name, _, place = ref.partition("#")
    for one in pack.instruments:
        if one.id == name:
            title = speech.of(one.title) or one.id
            key = "rule.ref.number" if one.number else "rule.ref"
            shown = speech.say(key, title=title, number=one.number)
            if not place:
                return shown
            kind = f"place.{one.parts}" if one.parts else "place"
            return speech.say("rule.ref.place", instrument=shown, place=speech.say(kind, n=speech.ordinal(place)))
    return ref


def cited(ref: str, pack: Pack, speech: Speech) -> str:
    """A reference as what something rests on: with what has to be known of its text.

    A law of which no article is named is told as lacking it; a draft, or a text that holds no more, as what it is. A
    place that the pack itself does not cite, which an account has named on its own, is told as that.
    """
    shown = reference(ref, pack, speech)
    if "#" in ref and not place_known(pack, ref):
        shown = speech.say("rule.place_unknown", rule=shown)
    instrument = next((one for one in pack.instruments if one.id == ref.partition("#")[0]), None)
    if instrument is None:
        return shown
    if "#" not in ref:
        return speech.say("rule.no_article", instrument=shown)
    if instrument.status in ("in_force", "unknown"):
        return shown
    return speech.say("rule.with_status", instrument=shown, status=speech.term("status", instrument.status))


def measure_basis(measure: Measure, pack: Pack, speech: Speech) -> str:
    """What a measure rests on: the text that names it, and the laws that the text names for it."""
    refs = dict.fromkeys(ref for ref in (measure.ref, *measure.legal_basis) if ref)
    known = {one.id for one in pack.instruments}
    told = [
        cited(ref, pack, speech)
        if "#" in ref or ref in known
        else speech.say("rule.no_article", instrument=reference(ref, pack, speech))
        for ref in refs
    ]
    return speech.listed(told) or speech.say("basis.not_said")


def with_basis(basis: Basis, ref: str, pack: Pack, speech: Speech) -> str:
    """What something rests on, and where that stands; an operator's default is called one."""
    where = reference(ref, pack, speech)
    words = speech.term("basis", basis.value)
    return speech.say("basis.with_ref", basis=words, ref=where) if where else words


def rules_section(desk: Desk) -> Section:
    """The rules under which the case is handled, and what they say about this one."""
    speech, say, case, pack = desk.speech, desk.speech.say, desk.case, desk.pack
    blocks: list[Block] = [
        Paragraph(text=say("rules.lead", pack=speech.of(pack.title) or pack.id)),
        Table(
            columns=(
                Column(head=say("rules.instrument"), weight=3.4),
                Column(head=say("rules.number"), weight=1.5),
                Column(head=say("rules.status"), weight=1.2),
                Column(head=say("rules.text_known"), weight=1.5),
            ),
            rows=tuple(
                (
                    speech.of(one.title) or one.id,
                    one.number or say("none"),
                    speech.term("status", one.status),
                    speech.term("quality", one.text_quality),
                )
                for one in pack.instruments
            ),
        ),
    ]
    met = [one for one in pack.criteria if one.id in case.criteria]
    if met:
        blocks.append(Subheading(text=say("rules.criteria")))
        blocks.append(
            Table(
                columns=(
                    Column(head=say("rules.criterion"), weight=1.6),
                    Column(head=say("basis.title"), weight=2.0),
                ),
                rows=tuple((speech.of(one.text), with_basis(one.basis, one.ref, pack, speech)) for one in met),
            )
        )
    return Section(title=say("rules.title"), blocks=tuple(blocks))


def classification_section(desk: Desk) -> Section | None:
    """How the case was classified, by axis, and that accounts did so."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    if not case.axes:
        return None
    entries = [
        Entry(label=say("class.standing"), value=speech.term("standing", case.standing.value)),
        *(Entry(label=axis, value=value) for axis, value in (class_words(desk, *one) for one in case.axes)),
    ]
    return Section(
        title=say("class.title"), blocks=(Paragraph(text=say("class.lead")), Entries(entries=tuple(entries)))
    )


def class_words(desk: Desk, axis_id: str, value_id: str) -> tuple[str, str]:
    """An axis of the pack and a value on it, in words."""
    speech, axis = desk.speech, next((one for one in desk.pack.axes if one.id == axis_id), None)
    label = next((speech.of(one.label) for one in axis.values if one.id == value_id), "") if axis else ""
    name = (speech.of(axis.label) if axis else "") or axis_id.replace("_", " ")
    return name, label or value_id.replace("_", " ")


def lookup_section(desk: Desk, *, to_party: bool = True) -> Section:
    """What the registers of lawful mining said; the party is asked for what they do not know."""
    speech, say, case = desk.speech, desk.speech.say, desk.case
    title = say("lookup.title")
    if case.lookup is None:
        return Section(title=title, blocks=(Paragraph(text=say("lookup.none")),))
    registers = [translated(name, speech.language) or name for name in case.lookup.registers]
    entries = [
        Entry(label=say("lookup.outcome"), value=speech.term("lookup", case.lookup.outcome.value)),
        Entry(label=say("lookup.registers"), value=speech.listed(registers) or say("none")),
    ]
    if case.lookup_ns is not None:
        entries.append(Entry(label=say("lookup.when"), value=speech.moment(case.lookup_ns)))
    if case.lookup.entries:
        entries.append(Entry(label=say("lookup.entries"), value=speech.listed(case.lookup.entries)))
    if case.lookup.explanation:
        told = translated(case.lookup.explanation, speech.language)
        label = "lookup.explanation" if told is not None else "lookup.explanation.original"
        entries.append(Entry(label=say(label), value=case.lookup.explanation if told is None else told))
    asked = (Paragraph(text=say("lookup.show_us")),) if to_party else ()
    return Section(title=title, blocks=(Entries(entries=tuple(entries)), *asked))


# -------------------------------------------------------------------------------------------------------------- rights


def period_words(deadline: Deadline, speech: Speech) -> str:
    """A period in words: how long, from which moment."""
    number = f"{deadline.n:g}"
    key = f"period.{deadline.unit.value}" + (".one" if deadline.n == 1 and speech.has("period.hour.one") else "")
    length = speech.say(key, n=number)
    return speech.say("period.from", length=length, start=speech.term("start", deadline.start))


def _counted(explanation: str, speech: Speech) -> str:
    """How a date came about, in the document's language as far as its forms are known."""
    words = explanation.rstrip(".")
    if speech.language == "zh":
        chinese = counting_in_chinese(words)
        return speech.say("due.counted", words=chinese) if chinese else speech.say("due.counted.original", words=words)
    return speech.say("due.counted", words=words)


def due_words(clock: Clock | None, deadline: Deadline | None, speech: Speech) -> tuple[str, tuple[str, ...]]:
    """Until when, and how that date came about.

    Parameters
    ----------
    clock : Clock or None
        None where none runs.
    deadline : Deadline or None
        What the pack says; None where it names no period.
    speech : Speech

    Returns
    -------
    due : str
    notes : tuple of str
    """
    say = speech.say
    period = period_words(deadline, speech) if deadline is not None else ""
    if clock is None or clock.state is ClockState.NOT_STARTED:
        if not period:
            return say("due.no_period"), ()
        return say("due.not_started", period=period), ()
    notes = [_counted(clock.explanation, speech)] if clock.explanation else []
    if clock.provisional:
        notes.append(say("due.provisional"))
    day = speech.iso_day(clock.due_day) if clock.due_day else ""
    if not day and clock.due_ns is not None:
        day = speech.last_day_before(clock.due_ns)
    if clock.state is ClockState.PAUSED:
        return (say("due.paused_until", day=day) if day else say("due.paused")), tuple(notes)
    if clock.state is ClockState.STOPPED:
        return say("due.stopped", day=day or say("not_known")), tuple(notes)
    if clock.state is ClockState.OVER:
        return say("due.over", day=day or say("not_known")), tuple(notes)
    return say("due.until", day=day or say("not_known")), tuple(notes)


def body_words(body: str, speech: Speech) -> str:
    """A body that a pack names in words; brackets of either width are the same."""
    return speech.term("body", body.replace("（", "(").replace("）", ")"))


def rights_at_the_end(case: Case, *, registered: bool) -> frozenset[RightKind]:
    """Rights that a party still has when its case is closed: none that is about a step that lies behind.

    Parameters
    ----------
    case : Case
    registered : bool
        Whether an entry of the register of decisions is there.
    """
    left = {RightKind.ACCESS_FILE, RightKind.CORRECTION}
    standing = [one for one in case.decisions if not one.set_aside]
    if any(one.act.sheets for one in standing):
        left.add(RightKind.CALCULATION)
    # What holds nothing against the party, and what was set aside, is nothing to appeal against.
    if any(one.act.outcome is DecisionOutcome.CONFIRMED and one.final_ns is None for one in standing):
        left.add(RightKind.APPEAL)
    if registered:
        left.add(RightKind.REMOVAL)
    if case.measures or any(one.set_aside for one in case.decisions):
        left.add(RightKind.COMPENSATION)
    return frozenset(left)


def rights_section(
    desk: Desk, *, decision: bool = False, to_party: bool = True, only: frozenset[RightKind] | None = None
) -> Section:
    """Every right that the pack gives, with its body, its clock and what that rests on.

    Parameters
    ----------
    desk : Desk
    decision : bool
        With the rights that begin with a decision marked as running; else they are told as what follows one.
    to_party : bool
        Whether the party reads it; else another unit does.
    only : frozenset of RightKind or None
        Those that still apply, when a case is over; then no clock of another step is shown either. None: all.
    """
    speech, say, pack = desk.speech, desk.speech.say, desk.pack
    clocks = {clock.id: clock for clock in desk.clocks}
    behind = _BEFORE_A_DECISION if decision else frozenset()
    steps = {one.step.value: one for one in pack.procedure}
    lines = []
    used: set[str] = set()
    timed: dict[RightKind, int] = {}
    for right in pack.rights:
        if (only is not None and right.right not in only) or right.right in behind:
            continue
        step = steps.get(right.right.value)
        deadline = right.deadline or (step.deadline if step else None)
        name = right.right.value
        if right.deadline is not None:
            timed[right.right] = place = timed.get(right.right, 0) + 1
            name = name if place == 1 else f"{name}-{place}"
        clock = clocks.get(name) if deadline is not None else None
        used.add(name)
        due, notes = due_words(clock, deadline, speech)
        if deadline is None and clock is None and right.right in _DECISION_RIGHTS and not decision:
            due = say("due.with_decision")
        basis, ref = (
            (clock.basis, clock.ref) if clock is not None
            else (deadline.basis, deadline.ref) if deadline is not None
            else (None, right.ref)
        )  # fmt: skip
        shown = with_basis(basis, ref, pack, speech) if basis is not None else reference(ref, pack, speech)
        title, text = speech.say(f"right.{right.right.value}"), speech.say(f"right.{right.right.value}.text")
        if right.body:
            body = next((speech.of(one.name) for one in pack.units if one.id == right.body), "")
            title = say("right.before", right=title, body=body or body_words(right.body, speech))
            if where := body_address(desk.file, pack, right, speech):
                notes = (*notes, say("rights.where", where=where))
            elif right.right is RightKind.APPEAL and to_party and (decision or only is not None):
                notes = (*notes, say("rights.where.missing"))
        lines.append(
            RightLine(
                title=title, text=text, due=due,
                basis=shown or say("basis.not_said"), notes=notes,
            )
        )  # fmt: skip
    for clock in desk.clocks:
        # A report that is owed to another unit is no matter of the party's.
        if clock.id in used or clock.id.startswith("report") or clock.state is ClockState.NOT_STARTED:
            continue
        if only is not None or clock.id == Step.NOTIFY or (decision and clock.id in _LEADS_TO_IT):
            # What is over runs no more; and how soon the unit had to write is no right with a date of the party's.
            continue
        due, notes = due_words(clock, None, speech)
        lines.append(
            RightLine(
                title=speech.term("clock", clock.id), text=say("clock.text"), due=due,
                basis=with_basis(clock.basis, clock.ref, pack, speech), notes=notes,
            )
        )  # fmt: skip
    blocks: list[Block] = [Paragraph(text=say("rights.lead"))]
    if lines:
        blocks.append(Rights(rights=tuple(lines), due_label=say("due.title"), basis_label=say("basis.title")))
    elif not pack.rights:
        blocks.append(Callout(title=say("rights.none"), lines=(say("rights.none.text"),), tone=Tone.CAUTION))
    missing = [
        kind
        for kind in (RightKind.REPLY, RightKind.APPEAL)
        if all(one.right is not kind for one in pack.rights) and (only is None or kind in only)
    ]
    if missing and lines:
        names = speech.listed(speech.say(f"right.{kind.value}") for kind in missing)
        blocks.append(Paragraph(text=say("rights.not_in_pack", rights=names), tone=Tone.CAUTION))
    blocks.append(Paragraph(text=say("rights.over" if decision or only is not None else "rights.silence")))
    return Section(title=say("rights.title" if to_party else "rights.title.party"), blocks=tuple(blocks))


# -------------------------------------------------------------------------------------------------------------- sheets


def sheets_section(sheets: Iterable[CalculationSheet], desk: Desk) -> Section | None:
    """Calculation sheets line by line; None where there are none."""
    blocks = [block for sheet in sheets for block in sheet_blocks(sheet, desk)]
    if not blocks:
        return None
    return Section(
        title=desk.speech.say("sheet.title"), blocks=(Paragraph(text=desk.speech.say("sheet.lead")), *blocks)
    )


def _quantity(line: CalculationLine, speech: Speech) -> str:
    """A line's quantity with its unit; a date is told as one, and has none."""
    day = speech.iso_day(line.quantity)
    return day if day != line.quantity else speech.amount(line.quantity, line.unit)


def _with_titles(source: str, sheet: CalculationSheet, pack: Pack, speech: Speech) -> str:
    """A source whose references to the pack's instruments are told by their titles."""
    known = {one.id for one in pack.instruments}

    def title(found: re.Match[str]) -> str:
        ref = found[0]
        cites = ref.partition("#")[0] in known and ("#" in ref or ref == sheet.rule)
        return reference(ref, pack, speech) if cites else ref

    return _REFERENCE.sub(title, source)


def sheet_blocks(sheet: CalculationSheet, desk: Desk) -> list[Block]:
    """One sheet: its title and rule, every line, the result, and what limits it."""
    speech, say = desk.speech, desk.speech.say
    sheet, whole = sheet_in(sheet, speech.language)
    rows = [
        (line.label, _quantity(line, speech), _with_titles(line.source, sheet, desk.pack, speech))
        for line in sheet.lines
    ]
    rows.append((say("sheet.result"), speech.amount(sheet.result, sheet.unit), ""))
    blocks: list[Block] = [
        Subheading(text=sheet.title),
        Entries(
            entries=(
                Entry(label=say("sheet.rule"), value=reference(sheet.rule, desk.pack, speech) or say("none")),
                Entry(label=say("basis.title"), value=speech.term("basis", sheet.basis.value)),
            )
        ),
        Table(
            columns=(
                Column(head=say("sheet.line"), weight=2.4),
                Column(head=say("sheet.quantity"), figures=True, weight=1.3),
                Column(head=say("sheet.source"), weight=2.6),
            ),
            rows=tuple(rows),
            total=True,
        ),
    ]
    if not whole:
        blocks.append(Paragraph(text=say("sheet.original"), tone=Tone.SOFT))
    if sheet.caveats:
        blocks.append(Callout(title=say("sheet.caveats"), lines=tuple(sheet.caveats), tone=Tone.CAUTION))
    return blocks


# ------------------------------------------------------------------------------------------------------------ evidence


def evidence_section(desk: Desk, documents: Sequence[DocumentRef] = ()) -> Section:
    """Findings and documents with their digests, and how anybody can check them."""
    speech, say = desk.speech, desk.speech.say
    exhibits = [
        Exhibit(
            name=say("evidence.finding", number=number, id=one.ref.finding_id),
            details=(
                say(
                    "evidence.finding.what", family=speech.term("family", one.ref.family.value),
                    detector=one.ref.detector, version=one.ref.version, subject=one.ref.subject,
                ),
            ),
            sha256=one.ref.sha256,
        )
        for number, one in enumerate(desk.held, 1)
    ]  # fmt: skip
    exhibits += [exhibit_of(ref, speech) for ref in _each_document(documents)]
    places = [f"{FINDING_FILES}*"] * bool(desk.held) + ["documents/*"] * bool(documents)
    digests = (Verbatim(label=say("evidence.verify.digests"), exact=(" ".join(["sha256sum", *places]),)),)
    return Section(
        title=say("evidence.title"),
        blocks=(
            Paragraph(text=say("evidence.lead")),
            Exhibits(exhibits=tuple(exhibits)),
            Subheading(text=say("evidence.verify.title")),
            Listing(
                items=(
                    say("evidence.verify.bundle"),
                    say("evidence.verify.digest"),
                    say("evidence.verify.key", file=_KEY_FILE),
                    say("evidence.verify.command"),
                    say("evidence.verify.differs"),
                ),
                ordered=True,
            ),
            *(digests if exhibits else ()),
            Verbatim(label=say("evidence.verify.log_key", day=speech.day(desk.now_ns)), exact=desk.log_keys),
            Verbatim(
                label=say("evidence.verify.whole"),
                exact=(f"headframe bundle verify {desk.case.case_id}.zip --key {_KEY_FILE}",),
            ),
        ),
    )


_KEY_FILE = "unit.pub"
"""Under which name a reader saves the log's public key."""


def _shown_name(ref: DocumentRef) -> str:
    """The name of a file; of a photo one of ours: cameras and people put names, numbers and places into theirs."""
    if ref.kind != "photo":
        return ref.name
    end = ref.name.rpartition(".")[2].lower()
    return f"photo-{ref.sha256[:12]}" + (
        f".{end}" if end in ("jpg", "jpeg", "png", "heic", "webp", "tif", "tiff") else ""
    )


def _is_draft(ref: DocumentRef) -> bool:
    """Whether a kept document is a paper of ours as it stood before its approval."""
    return "-draft-" in ref.name


def exhibit_of(ref: DocumentRef, speech: Speech) -> Exhibit:
    """A kept document as a piece of evidence; a draft of ours is told as one, since the party has another paper."""
    kind = speech.term("document", ref.kind)
    return Exhibit(
        name=_shown_name(ref),
        details=(
            speech.say(
                "evidence.document", media=ref.media_type,
                kind=speech.say("evidence.draft", kind=kind) if _is_draft(ref) else kind,
                size=speech.say("bytes", n=f"{ref.size:,}"),
            ),
        ),
        sha256=ref.sha256,
    )  # fmt: skip


def _each_document(documents: Iterable[DocumentRef]) -> list[DocumentRef]:
    return list({ref.sha256: ref for ref in documents}.values())


def sent(file: CaseFile, proposal: int, kind: str) -> list[DocumentRef]:
    """Both forms of what was written when a proposal was approved: the paper that the party holds, and no draft of it.

    Parameters
    ----------
    file : CaseFile
    proposal : int
        Number of the event that proposed the letter or the decision.
    kind : str
        `DocumentRef.kind`.

    Returns
    -------
    list of DocumentRef
        Empty where none was written.
    """
    settled = next((one.settled for one in file.case.proposals if one.number == proposal), None)
    if settled is None:
        return []
    written = [one for one in file.documents if one.ref.kind == kind and not _is_draft(one.ref)]
    at_once = [one.ref for one in written if one.event == settled]
    if at_once:
        return at_once
    # Older workspaces did not note the event: what was written first after the approval was written because of it.
    approved_ns = next((event.at_ns for event in file.events if event.number == settled), None)
    if approved_ns is None:
        return []
    after = [one for one in written if one.event is None and one.created_ns >= approved_ns]
    first = min((one.created_ns for one in after), default=None)
    return [one.ref for one in after if one.created_ns == first]


def documents_of(desk: Desk, *, but_decision: int = 0) -> list[DocumentRef]:
    """Every document that the case's events name, in order; letters and decisions as they were sent.

    `but_decision` is the decision that the document itself is: no paper holds its own digest.
    """
    case, file = desk.case, desk.file
    named: list[DocumentRef | None] = []
    for notice in case.notices:
        # A unit's own letter was proposed as it was sent; of ours, what was proposed is a draft.
        ours = _is_draft(notice.document)
        named += (sent(file, notice.proposal, notice.document.kind) if ours else []) or [notice.document]
    named += [reply.document for reply in case.replies]
    for record in case.inspections:
        named += record.photos
    for decision in case.decisions:
        named.append(decision.act.document)
        if decision.number != but_decision:
            named += sent(file, decision.number, "decision")
    if any(one.told_set_aside_ns is not None for one in case.decisions):
        named += [one.ref for one in file.documents if one.ref.kind == "setting_aside"]
    for remedy in case.remedies:
        named += remedy.documents
    return _each_document(ref for ref in named if ref is not None)


def course_section(desk: Desk, *, custody: bool = False) -> Section:
    """What happened in the case, event by event: when, by which unit and account."""
    speech, say = desk.speech, desk.speech.say
    events = right_events(desk.case)
    shown = events[-_MOST_EVENTS:]
    blocks: list[Block] = [Paragraph(text=say("course.custody.lead" if custody else "course.lead"))]
    if len(shown) < len(events):
        blocks.append(Paragraph(text=say("course.left_off", n=f"{len(events) - len(shown):,}"), tone=Tone.SOFT))
    blocks.append(
        Table(
            columns=(
                Column(head=say("course.number"), figures=True, weight=0.45),
                Column(head=say("course.when"), weight=1.5),
                Column(head=say("course.what"), weight=2.6),
                Column(head=say("course.who"), weight=2.0),
            ),
            rows=tuple(
                (
                    str(event.number),
                    speech.moment(event.at_ns),
                    event_words(event, act, desk.case, speech),
                    say("account.of", account=event.account, unit=unit_name(desk.pack, event.unit, speech)),
                )
                for event, act in shown
            ),
        )
    )
    return Section(title=say("course.custody.title" if custody else "course.title"), blocks=tuple(blocks))


def event_words(event: CaseEvent, act: Act, case: Case, speech: Speech) -> str:
    """What an event was, in words: as `act` says it, which is right now, with a mark where that was corrected."""
    words = speech.term("act", act.NAME)
    received_ns = getattr(act, "received_ns", None)
    corrected = [mark(case, event, name, speech) for name in ("received_ns", "stance", "grade")]
    if received_ns is not None:
        # It is recorded later than it reached its reader, and the reader's day is what counts.
        words = speech.say("act.received", act=words, day=speech.day(received_ns))
    for field in ("outcome", "stance", "grade", "standing"):
        value = getattr(act, field, None)
        if value is not None:
            words = speech.say("act.with", act=words, what=speech.term(field, str(value.value)))
            break
    if any(corrected):
        return speech.sentences([words, *corrected])
    measurement = getattr(act, "measurement", None)
    if measurement is not None:
        return speech.say("act.with", act=words, what=speech.term("verified", measurement.outcome.value))
    return words


# ------------------------------------------------------------------------------------------------- rule text and signs


def provenance_section(desk: Desk) -> Section:
    """By which text of the rules the case is handled, who has read it, and what is missing in it."""
    return Section(
        title=desk.speech.say("pack.title"), blocks=tuple(provenance_blocks(desk.pack, desk.speech, desk.case))
    )


def provenance_blocks(pack: Pack, speech: Speech, case: Case | None = None) -> list[Block]:
    """The pack's provenance as blocks."""
    say = speech.say
    review = pack.provenance.legal_review
    reviewed = speech.term("review", review)
    if pack.provenance.reviewer:
        reviewed = say("pack.reviewed_by", review=reviewed, reviewer=pack.provenance.reviewer)
    blocks: list[Block] = [
        Entries(
            entries=(
                Entry(label=say("pack.id"), value=say("pack.version", id=pack.id, version=pack.version)),
                Entry(label=say("pack.digest"), value=pack.digest, code=True),
                Entry(
                    label=say("pack.compiled"),
                    value=speech.of(pack.provenance.compiled_words) or pack.provenance.compiled,
                ),
                Entry(label=say("pack.review"), value=reviewed),
            )
        )
    ]
    if case is not None and case.pack_digest != pack.digest:
        blocks.append(
            Callout(
                title=say("pack.other"),
                lines=(say("pack.other.text", version=case.pack_version, digest=case.pack_digest),),
                tone=Tone.CAUTION,
            )
        )
    if review == "none":
        blocks.append(Callout(title=say("pack.no_review"), lines=(say("pack.no_review.text"),), tone=Tone.CAUTION))
    gaps = pack.provenance.gaps
    blocks.append(Subheading(text=say("pack.gaps")) if gaps else Paragraph(text=say("pack.no_gaps")))
    if gaps:
        words = pack.provenance.gap_words or tuple({"en": gap} for gap in gaps)
        blocks.append(Listing(items=tuple(in_own_words(one, speech) for one in words)))
    return blocks


def in_own_words(words: Words, speech: Speech) -> str:
    """A text of a pack in the document's language; marked as the original where the pack has it in another only."""
    text = speech.of(words)
    return text if speech.language in words or not text else speech.say("pack.original", text=text)


def signatures_section(desk: Desk, signatures: Sequence[Signature], note: str = "") -> Section:
    """Who stands for the document."""
    say = desk.speech.say
    blocks: list[Block] = []
    if signatures:
        blocks.append(Signatures(signatures=tuple(signatures)))
    blocks.append(Paragraph(text=note or say("sign.note"), tone=Tone.SOFT))
    return Section(title=say("sign.title"), blocks=tuple(blocks))


def prepared(desk: Desk) -> list[Signature]:
    """Who had the document written."""
    account = desk.prepared_by
    return [
        Signature(
            role=desk.speech.say("sign.prepared"),
            unit=unit_name(desk.pack, account.unit, desk.speech) if account else "",
            account=account.name if account else "",
            when=desk.speech.moment(desk.now_ns) if account else desk.speech.say("sign.open"),
        )
    ]


def to_sign(desk: Desk, key: str) -> Signature:
    """A place for an approval that has not been given yet."""
    return Signature(role=desk.speech.say(key), unit="", account="", when=desk.speech.say("sign.open"))


def event_of(desk: Desk, number: int) -> CaseEvent | None:
    """An event by its number."""
    return next((event for event in desk.file.events if event.number == number), None)


def signed_by(desk: Desk, key: str, account: str, at_ns: int | None) -> Signature:
    """An account that proposed or approved, with its unit as the events know it."""
    unit = next((event.unit for event in desk.file.events if event.account == account), "")
    return Signature(
        role=desk.speech.say(key),
        unit=unit_name(desk.pack, unit, desk.speech) if unit else "",
        account=account,
        when=desk.speech.moment(at_ns) if at_ns is not None else "",
    )


def proposal_signatures(desk: Desk, number: int) -> list[Signature]:
    """Proposer and approvers of a proposal, and how many approvals are still open."""
    for status in desk.case.proposals:
        if status.number != number:
            continue
        event = event_of(desk, number)
        made = [signed_by(desk, "sign.proposed", status.proposer, event.at_ns if event else None)]
        for account in status.approvers:
            at = next(
                (
                    one.at_ns
                    for one in desk.file.events
                    if one.account == account
                    and one.act.NAME == "approve"
                    and getattr(one.act, "proposal", 0) == number
                ),
                None,
            )
            made.append(signed_by(desk, "sign.approved", account, at))
        made += [to_sign(desk, "sign.approval") for _ in range(max(status.needed - len(status.approvers), 0))]
        return made
    return []


def measure_named(pack: Pack, measure_id: str) -> Measure | None:
    """A measure of the pack."""
    return next((one for one in pack.measures if one.id == measure_id), None)


def measure_row(measure: Measure, desk: Desk) -> tuple[str, str, str, str]:
    """A measure as a row: what, how it leaves the system, who decides and carries out, on what basis."""
    speech = desk.speech
    executes = measure.executed_by or measure.decided_by
    return (
        speech.of(measure.text) or measure.id,
        speech.term("mode", measure.mode.value),
        speech.say(
            "measure.units", decides=unit_name(desk.pack, measure.decided_by, speech),
            executes=unit_name(desk.pack, executes, speech),
        ),
        measure_basis(measure, desk.pack, speech),
    )  # fmt: skip


def links_lines(desk: Desk) -> list[str]:
    """How other cases stand to this one."""
    names: Mapping[CaseRelation, str] = {one: f"relation.{one.value}" for one in CaseRelation}
    return [desk.speech.say(names[relation], case=case_id) for case_id, relation in desk.case.links]


def _channel_key(channel: str) -> str:
    return f"channel.{channel.strip().lower().replace(' ', '_').replace('-', '_')}"


def channel_words(channel: str, speech: Speech) -> str:
    """How a letter was delivered, in the document's language; as it was typed where it is a word of one's own."""
    key = _channel_key(channel)
    return speech.say(key) if speech.has(key) else channel


def delivered(desk: Desk) -> list[str]:
    """When letters and decisions reached the party."""
    lines = []
    for event, act in right_events(desk.case):
        if isinstance(act, ServeNotice | ServeDecision):
            key = "delivered.notice" if isinstance(act, ServeNotice) else "delivered.decision"
            channel = channel_words(act.channel, desk.speech)
            line = desk.speech.say(key, when=desk.speech.moment(act.received_ns), channel=channel)
            corrected = (mark(desk.case, event, name, desk.speech) for name in ("received_ns", "channel"))
            lines.append(desk.speech.sentences([line, *corrected]))
    return lines
