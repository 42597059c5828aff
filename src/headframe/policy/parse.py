"""A pack's text becomes a `Pack`, or a list of everything that is wrong with it.

YAML is read by its safe subset and without the traps of version 1.1: ``NO`` is a text and no false, a date is a text, a
key stands once, there are no references from one place to another (``&``, ``*``), which a hostile file could let
multiply.

A pack may inherit. Lists are then merged by id (``data`` by field, ``procedure`` by step, ``rights`` by right and
body): what the child says of an id stands in place of what the parent says, in the parent's order, and what is new
comes after. A procedure's step or a right that the child names without a deadline keeps the parent's.
"""

import dataclasses
import difflib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from headframe.errors import HeadframeError
from headframe.policy.calendars import UnknownCalendar, calendar_of
from headframe.policy.citations import deadlines_of, references
from headframe.policy.fits import fits
from headframe.policy.schema import pack_schema
from headframe.policy.weaker import PARTY_STARTS, Problem, weaker_than, weaker_than_any
from headframe.records.no_person import what_to_do
from headframe.records.policy import (
    Axis,
    AxisValue,
    Basis,
    Criterion,
    DataField,
    Deadline,
    DeadlineUnit,
    Exemption,
    Instrument,
    Measure,
    MeasureMode,
    NoticeEvidence,
    Pack,
    PartyStanding,
    Precondition,
    ProcedureStep,
    Provenance,
    ReportingDuty,
    Right,
    RightKind,
    Step,
    Subject,
    SubjectKind,
    Unit,
    UnitRole,
    VerificationRule,
    words_in,
)
from headframe.records.site import SiteKind
from headframe.sites.no_person import personal_in_pack

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

LONGEST_PACK = 1_000_000
"""A pack is text that people write; what is longer is something else. [characters]"""

_REVIEWS = ("none", "pending", "done")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z")

T = TypeVar("T")


class BadPack(HeadframeError):
    """A policy pack that cannot be used.

    Attributes
    ----------
    name : str
        Of the file.
    problems : tuple of str
        Everything that is wrong, each with its place in the pack.
    """

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        self.name = name
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"policy pack {name} cannot be used:{lines}")


def read_yaml(text: str, *, name: str) -> Any:
    """What a pack's text holds, as plain values.

    Parameters
    ----------
    text : str
        YAML.
    name : str
        Of the file, for messages.

    Returns
    -------
    object
        Dictionaries, lists, texts, numbers, true, false and None.

    Raises
    ------
    BadPack
        If it is no YAML, or uses what packs do not use.
    """
    import yaml

    if len(text) > LONGEST_PACK:
        raise BadPack(name, [f"has {len(text):,} characters; a pack has at most {LONGEST_PACK:,}"])
    # libyaml is many times faster; PyYAML comes without it on some machines.
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        return _value_of(text, loader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise BadPack(name, [f"{place}{fault.problem or fault.context}"]) from None
    except yaml.YAMLError as fault:
        raise BadPack(name, [f"is no YAML: {' '.join(str(fault).split())}"]) from None
    except RecursionError:
        raise BadPack(name, ["is nested too deeply; a pack has some six levels"]) from None
    except ValueError as fault:
        raise BadPack(name, [f"holds what cannot be read: {fault}"]) from None


def _value_of(text: str, loader: Any) -> Any:
    """The one document of a text, built from its events: nothing that a tag or an alias could call comes into being."""
    import yaml

    events = iter(yaml.parse(text, Loader=loader))

    def wrong(event: Any, what: str) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=what, problem_mark=event.start_mark)

    def value(event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise wrong(event, "anchors and aliases (& and *) are not used in packs; write it out")
        if event.tag not in (None, "!"):
            raise wrong(event, f"the tag {event.tag!a} is not used in packs; leave it out")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.implicit[0] else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            rows = []
            while not isinstance(inner := next(events), yaml.SequenceEndEvent):
                rows.append(value(inner))
            return rows
        entries: dict[str, Any] = {}
        while not isinstance(inner := next(events), yaml.MappingEndEvent):
            key = value(inner)
            if not isinstance(key, str):
                raise wrong(inner, f"the key {_short(key)} is no text; put it in quotation marks")
            if key in entries:
                raise wrong(inner, f"the key {key!a} stands twice; keep one")
            entries[key] = value(next(events))
        return entries

    found: Any = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise wrong(event, "a second document begins; a pack is one")
            found = value(next(events))
    return found


def _scalar(text: str) -> Any:
    """A plain scalar by the core types of YAML 1.2, without octal and hexadecimal numbers, infinities and NaN."""
    if text in ("true", "false"):
        return text == "true"
    if text in ("null", "~", ""):
        return None
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text


@lru_cache(maxsize=32)
def parents_of(text: str, *, name: str) -> tuple[str, tuple[str, ...]]:
    """The pack's id, and those that it inherits from: what must be read before it.

    Raises
    ------
    BadPack
        If the text has neither.
    """
    raw = read_yaml(text, name=name)
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        raise BadPack(name, ["has no id; a pack is a mapping with id, version, title and so on (docs/policy.md)"])
    place = raw.get("jurisdiction")
    parents = place.get("inherits", []) if isinstance(place, dict) else []
    return raw["id"], tuple(p for p in parents if isinstance(p, str)) if isinstance(parents, list) else ()


def parse_pack(text: str, *, name: str, known: Mapping[str, Pack], kept: bool = False) -> Pack:
    """A pack out of its text, with what it inherits in it.

    Parameters
    ----------
    text : str
        YAML, by ``policy-pack.schema.json``.
    name : str
        Of the file, for messages.
    known : mapping of str to Pack
        Packs that it may inherit from, by id.
    kept : bool
        It is a text that a case was opened under. It is read as it was meant then: an older one may leave out the kinds
        of a site, and meant all of them.

    Returns
    -------
    Pack

    Raises
    ------
    BadPack
        With everything that is wrong: the place in the pack, what came, what would be right.

    Examples
    --------
    >>> parse_pack("id: NO", name="no.yaml", known={})
    Traceback (most recent call last):
    headframe.policy.parse.BadPack: policy pack no.yaml cannot be used:...
    """
    pack, parents = _LATELY.get((text, kept), (None, ()))
    # The very parents, and not others of the same id: a pack has in it what they say.
    if pack is None or not all(known.get(parent.id) is parent for parent in parents):
        pack = _parsed(text, name, known, kept)
        while len(_LATELY) >= _MOST_KEPT:
            del _LATELY[next(iter(_LATELY))]
        _LATELY[text, kept] = pack, tuple(known[parent] for parent in pack.inherits)
    return pack


_MOST_KEPT = 32  # packs; four times those that are shipped
_LATELY: dict[tuple[str, bool], tuple[Pack, tuple[Pack, ...]]] = {}
"""Packs that were read, with their parents, by text: whoever opens a workspace reads each of them, mostly again."""


def _parsed(text: str, name: str, known: Mapping[str, Pack], kept: bool) -> Pack:
    raw = read_yaml(text, name=name)
    if not isinstance(raw, dict):
        raise BadPack(name, [f"is a {_kind(raw)}; a pack is a mapping with id, version, title and so on"])
    if kept:
        _say_every_kind(raw)
    problems = [_told(error) for error in _sorted_errors(raw)]
    if problems:
        raise BadPack(name, [f"{place}: {what}" for place, what in problems])
    wanted = raw["jurisdiction"].get("inherits", [])
    missing = [p for p in wanted if p not in known]
    if missing:
        there = ", ".join(sorted(known)) or "no other pack"
        raise BadPack(
            name,
            [f"jurisdiction.inherits: {p!a} is no known pack; there is {there}{_meant(p, known)}" for p in missing],
        )
    if personal := personal_in_pack(raw):
        problems.append(("the pack", what_to_do("a policy pack", personal)))
    problems += [*_doubles(raw), *_households_both_ways(raw)]
    pack = _pack(raw, _digest(text, [known[parent] for parent in wanted]))
    for parent in reversed(wanted):
        pack = _inherit(pack, known[parent])
    if wanted and "language" not in raw:
        pack = dataclasses.replace(pack, language=known[wanted[0]].language)
    if wanted and "notice_evidence" not in raw:
        strictest = max((known[parent].notice_evidence for parent in wanted), key=lambda rule: rule.least_e)
        pack = dataclasses.replace(pack, notice_evidence=strictest)
    problems += _faults(pack)
    if not kept and not problems:
        # A text that a case was opened under binds the case as it was then, also where less was asked of packs.
        problems += [*weaker_than_any(pack), *(one for parent in wanted for one in weaker_than(pack, known[parent]))]
    if problems:
        raise BadPack(name, [f"{place}: {what}" for place, what in problems])
    return pack


def _digest(text: str, parents: Sequence[Pack]) -> str:
    """SHA-256 of the pack's text, and of what it inherits: a change there changes this pack too."""
    digest = hashlib.sha256(text.encode("utf-8"))
    for parent in parents:
        digest.update(bytes.fromhex(parent.digest))
    return digest.hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# The schema's faults in words


@lru_cache(maxsize=1)
def _validator() -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_schema())


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return pack_schema()


def _sorted_errors(raw: Any) -> list["ValidationError"]:
    # jsonschema takes a second to load where packages for all its formats are installed; a good pack needs none of it.
    if fits(raw, _schema(), _schema()["$defs"]):
        return []
    return sorted(_validator().iter_errors(raw), key=lambda error: [str(part) for part in error.absolute_path])


def _told(error: "ValidationError") -> Problem:
    place = _place(error.absolute_path, error.instance)
    came = _short(error.instance)
    wanted: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    match error.validator:
        case "required":
            absent = [key for key in wanted if key not in instance]
            if absent == ["site_kinds"]:
                return place, (
                    f"site_kinds missing: a subject of the kind site says which kinds of site belong to it "
                    f"({', '.join(SiteKind)}); households are let in only where household_premises is among them"
                )
            return place, f"{', '.join(absent)} missing; see docs/policy.md"
        case "additionalProperties":
            allowed = sorted(schema.get("properties", {}))
            extra = sorted(set(instance) - set(allowed))
            return place, f"{', '.join(extra)} not known; there is {', '.join(allowed)}"
        case "enum":
            return (
                place,
                f"{came} is not known; it is one of {', '.join(map(str, wanted))}{_meant(instance, wanted)}",
            )
        case "type":
            hint = (
                " (put it in quotation marks)"
                if wanted == "string" and not isinstance(error.instance, dict | list)
                else ""
            )
            return place, f"{came} is a {_kind(instance)}; it should be {_or(wanted)}{hint}"
        case "pattern":
            return place, f"{came} is not of the form {wanted}"
        case "minItems":
            return place, f"is too short: {wanted} at least must be given"
        case "const":
            return place, f"{came} should be {wanted}"
        case "oneOf":
            inner = min(error.context or [], key=lambda e: (e.validator == "type", len(e.absolute_path)), default=None)
            return _told(inner) if inner is not None else (place, error.message)
        case _:
            return place, error.message


def _place(path: Iterable[str | int], instance: Any) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    named = f" ({instance['id']})" if isinstance(instance, dict) and isinstance(instance.get("id"), str) else ""
    return ("".join(parts).lstrip(".") or "the pack") + named


def _or(kinds: str | list[str]) -> str:
    names = {
        "string": "a text", "object": "a mapping", "array": "a list", "number": "a number", "integer": "a whole number",
        "boolean": "true or false", "null": "null",
    }  # fmt: skip
    return " or ".join(names[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _kind(value: Any) -> str:
    names = {dict: "mapping", list: "list", str: "text", bool: "truth value", int: "number", float: "number"}
    return names.get(type(value), "nothing" if value is None else type(value).__name__)


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _meant(word: Any, known: Iterable[Any]) -> str:
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1)
    return f"; did you mean {close[0]}?" if close else ""


_KEYS: dict[str, Callable[[dict[str, Any]], object]] = {
    **{part: lambda row: row["id"] for part in (
        "instruments", "units", "subjects", "axes", "criteria", "exemptions", "measures", "reporting",
    )},
    "data": lambda row: row["field"],
    "procedure": lambda row: row["step"],
    "rights": lambda row: (row["right"], row.get("body", "")),
}  # fmt: skip


def _doubles(raw: dict[str, Any]) -> list[Problem]:
    found = []
    for part, key in _KEYS.items():
        seen = set()
        for place, row in enumerate(raw.get(part, [])):
            if key(row) in seen:
                found.append((f"{part}[{place}]", f"{key(row)!s} stands twice; keep one"))
            seen.add(key(row))
    return found


def _say_every_kind(raw: dict[str, Any]) -> None:
    """Say in an older text what it meant: a site of any kind, households too unless a rule puts them outside."""
    for row in raw.get("subjects", ()) if isinstance(raw.get("subjects"), list) else ():
        if isinstance(row, dict) and row.get("kind") == SubjectKind.SITE and not row.get("site_kinds"):
            homes = not row.get("outside_rule")
            row["site_kinds"] = [kind.value for kind in SiteKind if homes or kind is not SiteKind.HOUSEHOLD_PREMISES]


def _households_both_ways(raw: dict[str, Any]) -> Iterator[Problem]:
    for place, row in enumerate(raw.get("subjects", ())):
        if row.get("outside_rule") and SiteKind.HOUSEHOLD_PREMISES in row.get("site_kinds", ()):
            yield (
                f"subjects[{place}] ({row['id']})",
                f"names household_premises among its kinds of site, and {row['outside_rule']} as the rule for "
                f"households; keep one of the two",
            )


# ---------------------------------------------------------------------------------------------------------------------
# Plain values become records


def _pack(raw: dict[str, Any], digest: str) -> Pack:
    place = raw["jurisdiction"]
    return Pack(
        id=raw["id"],
        version=raw["version"],
        digest=digest,
        title=raw["title"],
        regime=tuple(raw.get("regime", ())),
        country=place["country"],
        subdivision=place.get("subdivision", ""),
        level=place["level"],
        inherits=tuple(place.get("inherits", ())),
        time_zone=place["time_zone"],
        calendar=place["calendar"],
        instruments=tuple(_record(Instrument, row) for row in raw.get("instruments", ())),
        units=tuple(
            _record(Unit, row, roles=frozenset(UnitRole(role) for role in row["roles"])) for row in raw.get("units", ())
        ),
        subjects=tuple(_record(Subject, row, kind=SubjectKind(row["kind"])) for row in raw.get("subjects", ())),
        axes=tuple(_axis(row) for row in raw.get("axes", ())),
        criteria=tuple(_criterion(row) for row in raw.get("criteria", ())),
        exemptions=tuple(_record(Exemption, row) for row in raw.get("exemptions", ())),
        data=tuple(
            _record(DataField, row, retention_basis=Basis(row.get("retention_basis", Basis.OPERATOR_DEFAULT)))
            for row in raw.get("data", ())
        ),
        measures=tuple(_measure(row) for row in raw.get("measures", ())),
        procedure=tuple(
            _record(ProcedureStep, row, step=Step(row["step"]), deadline=_deadline(row.get("deadline")))
            for row in raw.get("procedure", ())
        ),
        rights=tuple(
            _record(Right, row, right=RightKind(row["right"]), deadline=_deadline(row.get("deadline")))
            for row in raw.get("rights", ())
        ),
        reporting=tuple(
            _record(ReportingDuty, row, basis=Basis(row.get("basis", Basis.OPERATOR_DEFAULT)))
            for row in raw.get("reporting", ())
        ),
        verification=(
            _record(
                VerificationRule,
                raw["verification"],
                basis=Basis(raw["verification"]["basis"]),
                reopen_if=_english(raw["verification"].get("reopen_if", "")),
                reopen_words=_by_language(raw["verification"].get("reopen_if")),
            )
            if "verification" in raw
            else VerificationRule(window_days=0, metrics=(), basis=Basis.OPERATOR_DEFAULT)
        ),
        provenance=_provenance(raw["provenance"]),
        publication=raw.get("publication", {}),
        notice_evidence=(
            _record(NoticeEvidence, raw["notice_evidence"], basis=Basis(raw["notice_evidence"]["basis"]))
            if "notice_evidence" in raw
            else NoticeEvidence()
        ),
        language=raw.get("language", "en"),
    )


def _english(text: str | Mapping[str, str]) -> str:
    """A text that may be there in several languages, in English."""
    return text if isinstance(text, str) else text["en"]


def _by_language(text: str | Mapping[str, str] | None) -> Mapping[str, str]:
    """A text by language, where the pack gives it so: a plain one is English."""
    return {} if not text else {"en": text} if isinstance(text, str) else text


def _provenance(row: dict[str, Any]) -> Provenance:
    return _record(
        Provenance,
        row,
        compiled=_english(row["compiled"]),
        compiled_words=_by_language(row["compiled"]),
        gaps=tuple(map(_english, row["gaps"])),
        gap_words=tuple(map(_by_language, row["gaps"])),
    )


def _record(record: type[T], row: Mapping[str, Any], /, **given: Any) -> T:
    """A record of `row`: lists become tuples, and `given` goes before what the row says."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return record(**{**values, **given})


def _deadline(row: dict[str, Any] | None) -> Deadline | None:
    if row is None:
        return None
    rest = {key: value for key, value in row.items() if key != "from"}
    return _record(
        Deadline, rest, n=float(row["n"]), unit=DeadlineUnit(row["unit"]), start=row["from"], basis=Basis(row["basis"])
    )


def _axis(row: dict[str, Any]) -> Axis:
    values = tuple(
        AxisValue(
            id=value["id"],
            label=value["label"],
            standing=PartyStanding(value["standing"]) if "standing" in value else None,
        )
        for value in row["values"]
    )
    return _record(Axis, row, values=values)


def _criterion(row: dict[str, Any]) -> Criterion:
    value = row.get("value")
    return _record(Criterion, row, basis=Basis(row["basis"]), value=tuple(value) if isinstance(value, list) else value)


def _measure(row: dict[str, Any]) -> Measure:
    return _record(
        Measure,
        row,
        mode=MeasureMode(row["mode"]),
        preconditions=tuple(Precondition(p) for p in row.get("preconditions", ())),
        ends_when=_english(row.get("ends_when", "")),
        ends_words=_by_language(row.get("ends_when")),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Inheritance


def _inherit(child: Pack, parent: Pack) -> Pack:
    return dataclasses.replace(
        child,
        regime=tuple(dict.fromkeys([*child.regime, *parent.regime])),
        instruments=_merged(child.instruments, parent.instruments, lambda row: row.id),
        units=_merged(child.units, parent.units, lambda row: row.id),
        subjects=_merged(child.subjects, parent.subjects, lambda row: row.id),
        axes=_merged(child.axes, parent.axes, lambda row: row.id),
        criteria=_merged(child.criteria, parent.criteria, lambda row: row.id),
        exemptions=_merged(child.exemptions, parent.exemptions, lambda row: row.id),
        data=_merged(child.data, parent.data, lambda row: row.field),
        measures=_merged(child.measures, parent.measures, lambda row: row.id),
        procedure=_merged(_with_clocks(child.procedure, parent.procedure), parent.procedure, lambda row: row.step),
        rights=_merged(child.rights, parent.rights, lambda row: (row.right, row.body)),
        reporting=_merged(child.reporting, parent.reporting, lambda row: row.id),
        verification=child.verification if child.verification.metrics else parent.verification,
        publication={**parent.publication, **child.publication},
        provenance=dataclasses.replace(
            child.provenance,
            legal_review=min(child.provenance.legal_review, parent.provenance.legal_review, key=_REVIEWS.index),
            gaps=(*child.provenance.gaps, *(_of(parent.id, gap) for gap in parent.provenance.gaps)),
            gap_words=(
                *child.provenance.gap_words,
                *(
                    {language: _of(parent.id, text) for language, text in gap.items()}
                    for gap in parent.provenance.gap_words
                ),
            ),
        ),
    )


def _of(parent: str, gap: str) -> str:
    return gap if gap.startswith("(") else f"({parent}) {gap}"


def _merged(child: tuple[T, ...], parent: tuple[T, ...], key: Callable[[T], object]) -> tuple[T, ...]:
    rows = {key(row): row for row in parent}
    rows.update({key(row): row for row in child})
    return tuple(rows.values())


def _with_clocks(child: tuple[ProcedureStep, ...], parent: tuple[ProcedureStep, ...]) -> tuple[ProcedureStep, ...]:
    before = {row.step: row for row in parent}
    return tuple(
        dataclasses.replace(row, deadline=row.deadline or old.deadline, actor=row.actor or old.actor,
                            template=row.template or old.template, ref=row.ref or old.ref)
        if (old := before.get(row.step)) is not None
        else row
        for row in child
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# What a schema cannot see


def _faults(pack: Pack) -> list[Problem]:
    return [
        *_place_faults(pack),
        *_reference_faults(pack),
        *_unit_faults(pack),
        *_axis_faults(pack),
        *_criterion_faults(pack),
        *_deadline_faults(pack),
        *_retention_faults(pack),
        *_notice_evidence_faults(pack),
        *_empty_faults(pack),
    ]


def _place_faults(pack: Pack) -> Iterator[Problem]:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(pack.time_zone)
    except (KeyError, ValueError, OSError):
        yield "jurisdiction.time_zone", f"{pack.time_zone!a} is no time zone; name one as in Asia/Shanghai, or UTC"
    if pack.subdivision and not pack.subdivision.startswith(f"{pack.country}-"):
        yield "jurisdiction.subdivision", f"{pack.subdivision} does not lie in {pack.country}"
    for place, code in [("jurisdiction.calendar", pack.calendar), *_calendars(pack)]:
        try:
            calendar_of(code)
        except UnknownCalendar as fault:
            yield place, str(fault)


def _calendars(pack: Pack) -> Iterator[tuple[str, str]]:
    for place, deadline in deadlines_of(pack):
        if deadline.calendar:
            yield f"{place}.calendar", deadline.calendar


def _reference_faults(pack: Pack) -> Iterator[Problem]:
    ids = {row.id for row in pack.instruments}
    for place, ref in references(pack):
        if ref and ref.partition("#")[0] not in ids:
            yield (
                place,
                f"{ref} names no instrument; there is {', '.join(sorted(ids))}{_meant(ref.partition('#')[0], ids)}",
            )


def _unit_faults(pack: Pack) -> Iterator[Problem]:
    units = {row.id for row in pack.units}
    subjects = {row.id for row in pack.subjects}

    def unit(place: str, name: str) -> Iterator[Problem]:
        if name and name not in units:
            yield place, f"{name!a} is no unit; there is {', '.join(sorted(units))}{_meant(name, units)}"

    for measure in pack.measures:
        yield from unit(f"measures.{measure.id}.decided_by", measure.decided_by)
        yield from unit(f"measures.{measure.id}.executed_by", measure.executed_by)
        for subject in measure.applies_to:
            if subject not in subjects:
                yield (
                    f"measures.{measure.id}.applies_to",
                    f"{subject!a} is no subject; there is {', '.join(sorted(subjects))}{_meant(subject, subjects)}",
                )
    for step in pack.procedure:
        yield from unit(f"procedure.{step.step}.actor", step.actor)
    for duty in pack.reporting:
        yield from unit(f"reporting.{duty.id}.to", duty.to)


def _axis_faults(pack: Pack) -> Iterator[Problem]:
    for axis in pack.axes:
        ids = [value.id for value in axis.values]
        for twice in sorted({name for name in ids if ids.count(name) > 1}):
            yield f"axes.{axis.id}.values", f"{twice} stands twice; keep one"
        if axis.default and axis.default not in ids:
            yield f"axes.{axis.id}.default", f"{axis.default!a} is no value of it; there is {', '.join(ids)}"
    standings = {value.standing for axis in pack.axes for value in axis.values}
    for wanted in (PartyStanding.VICTIM, PartyStanding.UNDETERMINED):
        if wanted not in standings:
            yield "axes", f"no value has the standing {wanted}; every pack must be able to say it"


def _criterion_faults(pack: Pack) -> Iterator[Problem]:
    axes = {axis.id: {value.id for value in axis.values} for axis in pack.axes}
    for criterion in pack.criteria:
        place = f"criteria.{criterion.id}"
        for axis, value in criterion.proposes.items():
            if axis not in axes:
                yield (
                    f"{place}.proposes",
                    f"{axis!a} is no axis; there is {', '.join(sorted(axes))}{_meant(axis, axes)}",
                )
            elif value not in axes[axis]:
                yield f"{place}.proposes", f"{value!a} is no value of {axis}; there is {', '.join(sorted(axes[axis]))}"
        if bool(criterion.op) != (criterion.value is not None):
            yield place, "op and value go together; give both or neither"
        if criterion.op and not criterion.feature:
            yield place, f"op {criterion.op} has no feature to compare"
        if criterion.op in {">", ">=", "<", "<="} and (
            isinstance(criterion.value, bool) or not isinstance(criterion.value, int | float)
        ):
            yield f"{place}.value", f"{_short(criterion.value)} is no number, which {criterion.op} compares"
        if criterion.op == "in" and not isinstance(criterion.value, tuple):
            yield f"{place}.value", f"{_short(criterion.value)} is no list, which in asks for"
        if not criterion.feature and not criterion.evidence and criterion.min_independent_sources < 2:
            yield place, "names neither feature, evidence nor independent sources, so it could never be judged"


def _deadline_faults(pack: Pack) -> Iterator[Problem]:
    for place, deadline in deadlines_of(pack):
        if deadline.unit is not DeadlineUnit.HOUR and deadline.n != int(deadline.n):
            yield f"{place}.n", f"{deadline.n:g} {deadline.unit} is no whole number; only hours may be parts"
        if deadline.basis is not Basis.OPERATOR_DEFAULT and not deadline.ref:
            yield (
                place,
                f"the basis {deadline.basis} needs a ref that says where it stands; else it is operator_default",
            )
        if deadline.rolls and not deadline.rolls_ref and deadline.basis is not Basis.OPERATOR_DEFAULT:
            yield place, "rolls needs rolls_ref: what says that the end moves to the next working day"
    yield from _party_period_faults(pack)
    steps = {str(row.step) for row in pack.procedure if row.deadline is not None}
    if Step.VERIFY in steps:
        yield "procedure.verify.deadline", "verification.window_days sets this clock; take the deadline out"
    names = [right.id for right in pack.rights if right.id]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield "rights", f"the id {name} is there twice; each right of appeal has its own"
    for right in pack.rights:
        if right.deadline is not None and str(right.right) in steps:
            yield (
                f"rights.{right.right}.deadline",
                f"the step {right.right} has one too; keep one, so that there is one date",
            )


SHORTEST_PARTY_PERIOD_H = 24.0
"""A period to reply or to appeal that is shorter is none. Operator default: no text of a shipped pack gives less than
days. [hours]"""

_HOURS = {
    DeadlineUnit.HOUR: 1.0,
    DeadlineUnit.CALENDAR_DAY: 24.0,
    DeadlineUnit.BUSINESS_DAY: 24.0,
    DeadlineUnit.WEEK: 7 * 24.0,
    DeadlineUnit.MONTH: 28 * 24.0,
}
"""The shortest that a unit can be. [hours]"""


def _party_period_faults(pack: Pack) -> Iterator[Problem]:
    """A party's time begins with the letter, and is long enough to be used."""
    for place, deadline in deadlines_of(pack):
        kind = place.split(".")[1]
        starts = PARTY_STARTS.get(kind)
        if starts is None:
            continue
        if deadline.start not in starts:
            yield (
                f"{place}.from",
                f"the party's time for the {kind} runs from {deadline.start}; it runs from {' or '.join(starts)}, "
                f"so that it is never over before the party has the letter",
            )
        if deadline.n * _HOURS[deadline.unit] < SHORTEST_PARTY_PERIOD_H:
            yield (
                f"{place}.n",
                f"{deadline.n:g} {deadline.unit} is no time in which a party can answer; give "
                f"{SHORTEST_PARTY_PERIOD_H:g} hours at least",
            )


def _retention_faults(pack: Pack) -> Iterator[Problem]:
    for field in pack.data:
        place = f"data.{field.field}"
        if field.retention_basis is not Basis.OPERATOR_DEFAULT and not field.retention_ref:
            yield (
                f"{place}.retention_basis",
                f"the basis {field.retention_basis} needs a retention_ref that says where the period stands; ref says "
                "what asks for the datum. Else it is operator_default",
            )
        if field.retention_days is None and (
            field.retention_ref or field.retention_basis is not Basis.OPERATOR_DEFAULT
        ):
            yield place, "a reason to keep it for so long, and no retention_days"


def _notice_evidence_faults(pack: Pack) -> Iterator[Problem]:
    rule = pack.notice_evidence
    if rule.basis is not Basis.OPERATOR_DEFAULT and not rule.ref:
        yield (
            "notice_evidence",
            f"the basis {rule.basis} needs a ref that says where it stands; else it is operator_default",
        )


def _empty_faults(pack: Pack) -> Iterator[Problem]:
    for part in ("regime", "instruments", "units", "subjects", "axes", "procedure", "rights"):
        if not getattr(pack, part):
            yield part, "is empty, also with what is inherited"
    if not pack.verification.metrics:
        yield "verification", "has no metrics, also with what is inherited"


# ---------------------------------------------------------------------------------------------------------------------
# Remarks: true, but to be known


def remarks(pack: Pack, today: date) -> tuple[str, ...]:
    """What a reader must know of a pack before relying on it.

    Parameters
    ----------
    pack : Pack
    today : datetime.date

    Returns
    -------
    tuple of str
        Drafts, instruments that are over or not yet in force or of unknown state, measures that rest on such, texts
        that were not read at their issuer, rules that no text backs.
    """
    told = []
    shaky = {row.id: doubt for row in pack.instruments if (doubt := _shaky(row, today))}
    for row in pack.instruments:
        if row.id in shaky:
            told.append(f"{row.id} ({words_in(row.title, 'en')}) {shaky[row.id]}")
    for measure in pack.measures:
        if doubt := shaky.get(measure.ref.partition("#")[0], ""):
            told.append(f"measure {measure.id} rests on {measure.ref}, which {doubt}")
        elif not measure.ref and measure.mode is not MeasureMode.NOT_SUPPORTED:
            told.append(f"measure {measure.id} names no text that it rests on")
    unread = [row.id for row in pack.instruments if row.text_quality not in {"official", "official_capture"}]
    if unread:
        told.append(f"not read at their issuer: {', '.join(unread)}")
    ours = [place.removesuffix(".deadline") for place, row in deadlines_of(pack) if row.basis is Basis.OPERATOR_DEFAULT]
    if ours:
        told.append(f"periods that no text sets (operator_default): {', '.join(ours)}")
    return tuple(told)


def _shaky(row: Instrument, today: date) -> str:
    """Why an instrument may not carry a measure today; empty where it may."""
    if row.status == "draft_never_confirmed":
        return "is a draft that was never confirmed"
    if row.status in {"expired", "superseded"}:
        return f"is {row.status}"
    if row.expires and _day(row.expires, last=True) < today:
        return f"expired on {row.expires}"
    if row.effective and _day(row.effective, last=False) > today:
        return f"is in force only from {row.effective}"
    return "is of unknown state" if row.status == "unknown" else ""


def _day(text: str, *, last: bool) -> date:
    """A date that may lack its day or month: the last day it can mean, or the first."""
    parts = [int(part) for part in text.split("-")]
    year = parts[0]
    month = parts[1] if len(parts) > 1 else (12 if last else 1)
    if len(parts) > 2:
        return date(year, month, parts[2])
    if not last:
        return date(year, month, 1)
    return date.fromordinal((date(year + month // 12, month % 12 + 1, 1)).toordinal() - 1)
