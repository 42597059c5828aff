"""What a pack may not take away: from a party, and from the pack that it inherits from.

Whoever writes a pack of his own may give a party more: more time, more preconditions, more evidence before a notice. To
give less he needs a text that says so, and says where; his own default is none. What protects a party whatever the text
(how a value stands to it, what must be so before a measure) is added to, and never taken away.
"""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from headframe.policy.clocks import due
from headframe.records.policy import (
    CLOSE_WITHIN_DAYS,
    NOTHING_AGAINST,
    Basis,
    Criterion,
    Deadline,
    MeasureMode,
    NoticeEvidence,
    Pack,
    PartyStanding,
    RightKind,
    Step,
)

Problem = tuple[str, str]
"""Where in the pack, and what is wrong there."""

PARTY_STARTS = {
    str(Step.REPLY): frozenset({"notice_received"}),
    str(RightKind.HEARING): frozenset({"notice_received"}),
    str(RightKind.APPEAL): frozenset({"decision_received"}),
}
"""What the periods of a party run from: a letter that it holds in its hands. One that ran from anything earlier could
be over before the party knows of it, and then silence would decide."""

PARTY_PERIODS = frozenset({*PARTY_STARTS, str(Step.REMEDIATE)})
"""Periods in which the party may do something; they are never made shorter. Every other one binds the unit, also where
it is a right of the party, such as to be given the file: it is not for the unit to make that longer."""

PROTECTED = NOTHING_AGAINST | {PartyStanding.UNDETERMINED}
"""Standings that a value keeps where a parent gives it one of them."""

SMALLEST_CELL = 5
"""Counts below this are shown in no report (the projects' rule of 5, or 15 of 15). [cases]"""

SHORTEST_WINDOW_DAYS = 7
"""A site that is looked at for less than a week may rest on its quiet days. Operator default: packs ask for weeks."""

LEAST_COVERAGE = 0.5
"""What is not covered cannot be called over. Operator default: packs ask for nine tenths. [share of the window]"""

DAY_NS = 86_400_000_000_000
NOON_NS = DAY_NS // 2


def weaker_than_any(pack: Pack) -> Iterator[Problem]:
    """What no pack says by its own default.

    Parameters
    ----------
    pack : Pack

    Yields
    ------
    (str, str)
        The place, and what is wrong there.
    """
    yield from _less_evidence(pack, NoticeEvidence(), "Headframe's own default")
    rule = pack.verification
    if rule.metrics and rule.basis is Basis.OPERATOR_DEFAULT:
        if rule.window_days < SHORTEST_WINDOW_DAYS:
            yield (
                "verification.window_days",
                f"{rule.window_days} is too short to tell that mining is over, and the basis is operator_default; "
                f"give {SHORTEST_WINDOW_DAYS} days at least",
            )
        if rule.min_coverage < LEAST_COVERAGE:
            yield (
                "verification.min_coverage",
                f"{rule.min_coverage:g} would call over what was mostly not looked at, and the basis is "
                f"operator_default; give {LEAST_COVERAGE:g} at least",
            )
        if (days := rule.closes_within[0]) > CLOSE_WITHIN_DAYS:
            yield (
                "verification.close_within_days",
                f"{days} would let a window of long ago speak of today, and the basis is operator_default; give "
                f"{CLOSE_WITHIN_DAYS} at most",
            )
    for duty in pack.reporting:
        if duty.min_cell < SMALLEST_CELL:
            yield (
                f"reporting.{duty.id}.min_cell",
                f"{duty.min_cell} would show whom a count is about; give {SMALLEST_CELL} at least",
            )


def weaker_than(pack: Pack, parent: Pack) -> Iterator[Problem]:
    """What a child has taken away from its parent.

    Parameters
    ----------
    pack : Pack
        With everything that it inherits in it.
    parent : Pack

    Yields
    ------
    (str, str)
        The place, and what is wrong there.
    """
    yield from _other_periods(pack, parent)
    yield from _weaker_measures(pack, parent)
    yield from _accused_after_all(pack, parent)
    yield from _less_evidence(pack, parent.notice_evidence, parent.id)
    yield from _less_measured(pack, parent)


def _other_periods(pack: Pack, parent: Pack) -> Iterator[Problem]:
    """A party's time is not shortened, nor the unit's made longer, unless a text says so."""
    before = dict(_periods(parent))
    # A day begins where the child is, and its days off are those of its country; its own country it cannot choose anew.
    at_home = dataclasses.replace(
        parent,
        time_zone=pack.time_zone,
        calendar=parent.calendar if pack.country == parent.country else pack.calendar,
    )
    for place, deadline in _periods(pack):
        old = before.get(place)
        if old is None or deadline.basis is not Basis.OPERATOR_DEFAULT:
            continue
        partys = place.split(".")[1] in PARTY_PERIODS
        if partys and old.pauses and not deadline.pauses:
            yield (
                f"{place}.pauses",
                f"the period stands still while the unit waits under {parent.id}, and would run on here; "
                f"leave pauses as it is",
            )
        if (worse := _first_worse(deadline, pack, old, at_home, partys=partys)) is None:
            continue
        what = f"{deadline.n:g} {deadline.unit} is {'less' if partys else 'more'} than the {old.n:g} {old.unit} of "
        when = f"{parent.id} where it begins on {worse}, and the basis is operator_default; "
        whose = "a party's time is shortened" if partys else "the unit's time is made longer"
        yield place, f"{what}{when}{whose} only by a text that says so"


def _periods(pack: Pack) -> Iterator[tuple[str, Deadline]]:
    for step in pack.procedure:
        if step.deadline is not None:
            yield f"procedure.{step.step}.deadline", step.deadline
    for right in pack.rights:
        if right.deadline is not None:
            yield f"rights.{right.right}{'.' if right.body else ''}{right.body}.deadline", right.deadline


def _first_worse(new: Deadline, pack: Pack, old: Deadline, parent: Pack, *, partys: bool) -> str | None:
    """The first day of four years on which a period that begins at noon is worse for the party than it was."""
    if _counted(new, pack) == _counted(old, parent):
        return None
    for start_ns in _starts():
        now, before = due(new, start_ns, pack).due_ns, due(old, start_ns, parent).due_ns
        if now is None or before is None:
            return None
        if now < before if partys else now > before:
            return datetime.fromtimestamp(start_ns // 1_000_000_000, tz=UTC).date().isoformat()
    return None


def _counted(deadline: Deadline, pack: Pack) -> tuple[object, ...]:
    """What an end depends on."""
    return (deadline.n, deadline.unit, deadline.calendar or pack.calendar, deadline.rolls)


@lru_cache(maxsize=1)
def _starts() -> tuple[int, ...]:
    """Noon of every day of 2024 to 2027: a leap year, and years whose days off are known and not. [ns]"""
    first_ns = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
    return tuple(first_ns + day * DAY_NS + NOON_NS for day in range(4 * 365 + 1))


def _weaker_measures(pack: Pack, parent: Pack) -> Iterator[Problem]:
    """What a parent does not support, its children do not either; what it asks for first, they ask for too."""
    before = {row.id: row for row in parent.measures}
    for measure in pack.measures:
        old = before.get(measure.id)
        if old is None:
            continue
        if old.mode is MeasureMode.NOT_SUPPORTED and measure.mode is not MeasureMode.NOT_SUPPORTED:
            yield (
                f"measures.{measure.id}.mode",
                f"{measure.mode}, but {parent.id} carries this measure as not_supported; it stays so",
            )
        if old.mode is MeasureMode.REFERRAL_ONLY and measure.mode is MeasureMode.IN_SYSTEM_REQUEST:
            yield (
                f"measures.{measure.id}.mode",
                f"{measure.mode}, but {parent.id} leaves this measure to the unit that decides it (referral_only); "
                f"it stays so",
            )
        if dropped := [str(one) for one in old.preconditions if one not in measure.preconditions]:
            yield (
                f"measures.{measure.id}.preconditions",
                f"lack {', '.join(dropped)}, which {parent.id} asks for before this measure; more may be asked for, "
                f"and never less",
            )


def _accused_after_all(pack: Pack, parent: Pack) -> Iterator[Problem]:
    """A value that says that nothing is held against a party stays, and goes on saying it."""
    axes = {axis.id: axis for axis in pack.axes}
    for axis in parent.axes:
        standings = {value.id: value.standing for value in axes.get(axis.id, axis).values}
        for value in axis.values:
            if value.standing not in PROTECTED or standings.get(value.id) is value.standing:
                continue
            place = f"axes.{axis.id}.values.{value.id}"
            if value.id not in standings:
                yield place, f"is gone; under {parent.id} it says that the party is {value.standing}: keep it"
            else:
                yield (
                    f"{place}.standing",
                    f"{standings[value.id] or 'none'}, but under {parent.id} it is {value.standing}; it stays so, and "
                    f"a new value may say something else",
                )
    protected = {
        (axis.id, value.id) for axis in parent.axes for value in axis.values if value.standing in NOTHING_AGAINST
    }
    criteria = {criterion.id: criterion for criterion in pack.criteria}
    for criterion in parent.criteria:
        speaks = protected & set(criterion.proposes.items())
        now = criteria[criterion.id]
        if speaks and _when(now) != _when(criterion):
            yield (
                f"criteria.{criterion.id}",
                f"is met by something else than under {parent.id}, where it speaks for the party; keep what it asks "
                f"for, and add another criterion",
            )
        for axis_id, value_id in sorted(speaks - set(now.proposes.items())):
            yield (
                f"criteria.{criterion.id}.proposes",
                f"no longer {axis_id}: {value_id}, with which it speaks for the party under {parent.id}; keep that",
            )


def _when(criterion: Criterion) -> tuple[object, ...]:
    """What a criterion asks for."""
    return (
        criterion.feature, criterion.op, criterion.value, criterion.unit, criterion.evidence,
        criterion.min_independent_sources,
    )  # fmt: skip


def _less_measured(pack: Pack, parent: Pack) -> Iterator[Problem]:
    """To call mining over takes as long a look as under the parent, and as much of it covered."""
    rule, old = pack.verification, parent.verification
    if rule.basis is not Basis.OPERATOR_DEFAULT or not old.metrics:
        return
    for name, now, before in (
        ("window_days", rule.window_days, old.window_days),
        ("min_coverage", rule.min_coverage, old.min_coverage),
    ):
        if now < before:
            yield (
                f"verification.{name}",
                f"{now:g} is less than the {before:g} of {parent.id}, and the basis is operator_default; a shorter or "
                f"thinner look takes a text that says so",
            )
    days, before_days = rule.closes_within[0], old.closes_within[0]
    if days > before_days:
        yield (
            "verification.close_within_days",
            f"{days} is more than the {before_days} of {parent.id}, and the basis is operator_default; to close on an "
            f"older look takes a text that says so",
        )
    cells = {duty.id: duty.min_cell for duty in parent.reporting}
    for duty in pack.reporting:
        if duty.min_cell < cells.get(duty.id, 0):
            yield (
                f"reporting.{duty.id}.min_cell",
                f"{duty.min_cell} is less than the {cells[duty.id]} of {parent.id}; larger cells may be asked for",
            )


def _less_evidence(pack: Pack, other: NoticeEvidence, whose: str) -> Iterator[Problem]:
    """More evidence than a default may always be asked for. Less takes a text that says so, and never ours alone."""
    rule = pack.notice_evidence
    if rule.least_e < other.least_e and rule.basis is Basis.OPERATOR_DEFAULT:
        yield (
            "notice_evidence.least_e",
            f"{rule.least_e:g} is less than the {other.least_e:g} of {whose}, and the basis is operator_default; less "
            f"evidence before a notice takes a text that says so",
        )
