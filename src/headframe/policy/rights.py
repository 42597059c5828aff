"""Which measures may be asked for in a case, what is missing for each, and which rights the party has.

Nothing here decides anything: a measure that is allowed may be proposed, and people approve it. A measure whose mode is
``not_supported`` is never allowed, and says why. Measures are for an operator and a host; a victim gets help, and what
is undetermined gets no measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from headframe.policy.appeals import body_of, clock_names
from headframe.records.case import (
    ASKS,
    AppealOutcome,
    Case,
    DecisionOutcome,
    NoticeKind,
    ReplyStance,
    VerificationOutcome,
)
from headframe.records.policy import (
    Clock,
    ClockState,
    Measure,
    MeasureMode,
    Pack,
    PartyStanding,
    Precondition,
    Right,
    RightKind,
    Step,
    Subject,
    SubjectKind,
    Unit,
    UnitRole,
    Words,
    words_in,
)
from headframe.records.site import SiteKind

_NS_PER_S = 1_000_000_000
_HOUR_NS = 3_600 * _NS_PER_S
_DAY_NS = 24 * _HOUR_NS

ANSWERABLE = frozenset({PartyStanding.OPERATOR, PartyStanding.HOST})
"""Standings that a measure may concern."""

BROUGHT = frozenset({Precondition.CALCULATION_ATTACHED, Precondition.COURT_WARRANT})
"""Preconditions that a proposal can bring with it: its sheets, its warrant."""

SHAKY = {
    "draft_never_confirmed": "is a draft that was never confirmed",
    "expired": "has expired",
    "superseded": "is superseded",
    "unknown": "is of unknown state",
}
"""Statuses of an instrument that a reader must be told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureState:
    """Whether a measure may be asked for now.

    Attributes
    ----------
    measure : Measure
    allowed : bool
        Whether it may be proposed. It is not asked for before people have approved it.
    missing : tuple of str
        Everything that stands against it, in words; empty where it is allowed.
    lacking : tuple of Precondition
        Those of the pack's preconditions that are not met.
    decided_by, executed_by : Unit or None
    approvals : int
        Accounts beside the proposer that must say yes: two for a referral and where the pack wants a second approver.
    reason : mapping of str to str
        The pack's words on it: why it is not supported, or what it takes.
    remarks : tuple of str
        What does not stand against it but must be known, such as a draft that it rests on.
    """

    measure: Measure
    allowed: bool
    missing: tuple[str, ...]
    lacking: tuple[Precondition, ...]
    decided_by: Unit | None
    executed_by: Unit | None
    approvals: int
    reason: Words
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RightState:
    """A right of the party, how long it can be used, and whether it was.

    Attributes
    ----------
    right : RightKind
    body : str
        Where it is used; empty where the pack names none.
    ref : str
    clock : Clock or None
    used : bool
        Whether the case knows that it was granted or used.
    """

    right: RightKind
    body: str
    ref: str
    clock: Clock | None
    used: bool


def measure_states(
    case: Case, pack: Pack, clocks: Sequence[Clock], now_ns: int, *, brought: frozenset[Precondition] = frozenset()
) -> tuple[MeasureState, ...]:
    """Every measure of a pack, and whether it may be asked for in a case now.

    Parameters
    ----------
    case : Case
    pack : Pack
    clocks : sequence of Clock
        As `headframe.policy.clocks.clocks_of` gives them for `now_ns`.
    now_ns : int
        [ns since 1970-01-01 UTC]
    brought : frozenset of Precondition
        What the proposal itself brings: its calculation sheets, its court warrant.

    Returns
    -------
    tuple of MeasureState
        In the pack's order.
    """
    units = {unit.id: unit for unit in pack.units}
    shaky = {row.id: SHAKY[row.status] for row in pack.instruments if row.status in SHAKY}
    against = tuple(_against_any(case))
    return tuple(
        _state(measure, case, pack, clocks, now_ns, brought, units, shaky, against) for measure in pack.measures
    )


def measure_state(
    name: str,
    case: Case,
    pack: Pack,
    clocks: Sequence[Clock],
    now_ns: int,
    *,
    brought: frozenset[Precondition] = frozenset(),
) -> MeasureState | None:
    """One measure of `measure_states`; None where the pack has no such measure."""
    states = measure_states(case, pack, clocks, now_ns, brought=brought)
    return next((state for state in states if state.measure.id == name), None)


def _state(
    measure: Measure,
    case: Case,
    pack: Pack,
    clocks: Sequence[Clock],
    now_ns: int,
    brought: frozenset[Precondition],
    units: dict[str, Unit],
    shaky: dict[str, str],
    against: tuple[str, ...],
) -> MeasureState:
    missing: list[str] = []
    lacking: list[Precondition] = []
    if measure.mode is MeasureMode.NOT_SUPPORTED:
        missing.append(f"not supported: {words_in(measure.reason, 'en')}")
    else:
        missing += against
        missing += _not_its_subject(measure, case, pack)
        for precondition in measure.preconditions:
            if precondition in brought and precondition in BROUGHT:
                continue
            for words in _lacks(precondition, case, pack, clocks, now_ns):
                lacking.append(precondition)
                missing.append(words)
        missing += _notice_too_fresh(measure, case, now_ns)
    two = measure.mode is MeasureMode.REFERRAL_ONLY or Precondition.SECOND_APPROVER in measure.preconditions
    return MeasureState(
        measure=measure,
        allowed=not missing,
        missing=tuple(missing),
        lacking=tuple(lacking),
        decided_by=units.get(measure.decided_by),
        executed_by=units.get(measure.executed_by),
        approvals=2 if two else 1,
        reason=measure.reason,
        remarks=tuple(_remarks(measure, shaky)),
    )


def _remarks(measure: Measure, shaky: dict[str, str]) -> Iterator[str]:
    if doubt := shaky.get(measure.ref.partition("#")[0]):
        yield f"it rests on {measure.ref}, which {doubt}"
    elif not measure.ref:
        yield "the pack names no text that it rests on"
    if measure.mode is MeasureMode.REFERRAL_ONLY or Precondition.SECOND_APPROVER in measure.preconditions:
        yield "two accounts beside the proposer must approve it"
    if Precondition.CALCULATION_ATTACHED in measure.preconditions:
        yield "its calculation sheet goes with it"


# ---------------------------------------------------------------------------------------------------------------------
# What stands against a measure


def _against_any(case: Case) -> Iterator[str]:
    if case.closed_ns is not None:
        yield "the case is closed"
    match case.standing:
        case PartyStanding.UNDETERMINED:
            yield "how the party stands to it is undetermined; measures concern an operator or a host only"
        case PartyStanding.VICTIM:
            yield "the party is a victim; it gets a help letter and no measure"
        case PartyStanding.LAWFUL:
            yield "the mining is lawful"
        case PartyStanding.NOT_MINING:
            yield "it is not mining"
    if any(appeal.outcome is None for appeal in case.appeals):
        yield "an appeal is pending; what was decided rests until it is answered"


def subjects_of(case: Case, pack: Pack) -> tuple[Subject, ...]:
    """The pack's subjects that a case's site may be.

    A value of an axis that is a subject's id settles it, because a person set it. Else the kind of site tells, and a
    subject that names no kinds may be any.

    Parameters
    ----------
    case : Case
    pack : Pack

    Returns
    -------
    tuple of Subject
    """
    by_id = {subject.id: subject for subject in pack.subjects}
    routed = {axis.id for axis in pack.axes if any(value.id in by_id for value in axis.values)}
    set_values = {axis: value for axis, value in case.axes if axis in routed}
    if set_values:
        return tuple(by_id[value] for value in set_values.values() if value in by_id)
    # Where an axis asks which subject it is, one that names no kind of site waits for the answer.
    asked = {value.id for axis in pack.axes if axis.id in routed for value in axis.values}
    return tuple(
        subject
        for subject in pack.subjects
        if (case.site_kind in subject.site_kinds if subject.site_kinds else subject.id not in asked)
    )


def _not_its_subject(measure: Measure, case: Case, pack: Pack) -> Iterator[str]:
    possible = subjects_of(case, pack)
    wanted = [subject for subject in pack.subjects if subject.id in measure.applies_to] if measure.applies_to else None
    if wanted is not None:
        possible = tuple(subject for subject in possible if subject.id in measure.applies_to)
        if not possible:
            names = ", ".join(f"{words_in(subject.label, 'en')} ({subject.id})" for subject in wanted)
            yield f"it concerns {names}; this site is {_kind_words(case)}{_axes_words(case)}"
    if case.site_kind == SiteKind.HOUSEHOLD_PREMISES:
        concerned = wanted if wanted is not None else pack.subjects
        named = any(
            SiteKind.HOUSEHOLD_PREMISES in subject.site_kinds and not subject.outside_rule for subject in concerned
        )
        if not named:
            rule = {subject.outside_rule for subject in concerned if subject.kind in _MAY_BE_A_HOME} - {""}
            how = "handed over outside the system only" if rule == {"refer_only_outside_system"} else "left out"
            yield f"the site is household premises, and the pack's rule is that households are {how}"


_MAY_BE_A_HOME = frozenset({SubjectKind.SITE, SubjectKind.FACILITY, SubjectKind.SUPPLY_POINT})
"""What a household could turn out to be; its rule says what becomes of it then."""


def _kind_words(case: Case) -> str:
    return f"of the kind {case.site_kind.replace('_', ' ')}"


def _axes_words(case: Case) -> str:
    return f", classified as {', '.join(f'{axis} {value}' for axis, value in case.axes)}" if case.axes else ""


def _notice_too_fresh(measure: Measure, case: Case, now_ns: int) -> Iterator[str]:
    """Some rules want so many hours between the notice and the measure: ``params.notice_hours``."""
    hours = measure.params.get("notice_hours")
    if not isinstance(hours, int | float):
        return
    received = _notice_ns(case)
    if received is None:
        yield f"{hours:g} hours must lie between a notice and it, and no notice was served"
    elif now_ns < received + round(hours * _HOUR_NS):
        end = _utc(received + round(hours * _HOUR_NS))
        yield f"{hours:g} hours must lie between the notice and it; they end at {end}"


def _notice_ns(case: Case) -> int | None:
    return max((row.received_ns for row in case.notices if row.kind is NoticeKind.NOTICE), default=None)


def _lacks(precondition: Precondition, case: Case, pack: Pack, clocks: Sequence[Clock], now_ns: int) -> Iterable[str]:
    match precondition:
        case Precondition.NOTICE_SERVED:
            notice_ns = _notice_ns(case)
            # One that came later, as was found out since, had not been served when the measure was asked for.
            return () if notice_ns is not None and notice_ns <= now_ns else ("no notice was served",)
        case Precondition.REPLY_PERIOD_OVER:
            return _reply_period(clocks, now_ns)
        case Precondition.SECOND_APPROVER:
            return ()  # the approval itself sees to it: `MeasureState.approvals`
        case Precondition.INSPECTION_RECORD:
            return () if case.inspections else ("there is no record of an inspection",)
        case Precondition.VIOLATION_CONTINUING:
            return _continuing(case, pack, now_ns)
        case Precondition.CALCULATION_ATTACHED:
            sheets = any(row.act.sheets for row in case.decisions if not row.set_aside)
            return () if sheets else ("no calculation sheet is attached; headframe policy calculate makes one",)
        case Precondition.FINAL_DECISION:
            return _final(case)
        case Precondition.COURT_WARRANT:
            return ("no court warrant is attached",)


def _reply_period(clocks: Sequence[Clock], now_ns: int) -> Iterator[str]:
    """The whole period is the party's, also when it has answered before: it may have more to say."""
    clock = next((clock for clock in clocks if clock.id == Step.REPLY), None)
    if clock is None:
        yield "the pack has no period to reply, so none can be over; add one to its procedure"
    elif clock.state is ClockState.NOT_STARTED:
        yield "the period to reply has not begun: no notice was served"
    elif clock.due_ns is None:
        yield "the period to reply is paused"
    elif now_ns < clock.due_ns:
        yield f"the period to reply runs until the end of {clock.due_day} ({clock.basis})"
    elif clock.state is ClockState.PAUSED:
        yield "the period to reply is paused"


def _continuing(case: Case, pack: Pack, now_ns: int) -> Iterator[str]:
    """Signs that it goes on: newer than its reported end, and not older than the window that is measured again."""
    signs = [row.ended_ns for row in case.findings if row.mining]
    ended = [row.at_ns for row in case.remedies]
    for _, _, measured in case.verifications:
        signs += [row.ended_ns for row in measured.new_findings if row.mining]
        if measured.outcome is VerificationOutcome.PERSISTS:
            signs.append(measured.after_until_ns)
        elif measured.outcome is VerificationOutcome.RECTIFIED:
            ended.append(measured.after_until_ns)
    if not signs:
        yield "no finding says that mining goes on"
        return
    last = max(signs)
    if ended and max(ended) >= last:
        yield f"nothing shows that it goes on since it was reported or measured to have ended ({_utc(max(ended))})"
    elif now_ns - last > pack.verification.window_days * _DAY_NS:
        days = pack.verification.window_days
        yield f"the last sign of it is of {_utc(last)}, more than {days} days ago; measure again"


def _final(case: Case) -> Iterator[str]:
    decision = next((row for row in reversed(case.decisions) if not row.set_aside), None)
    if decision is None:
        yield "there is no decision that stands"
    elif decision.act.outcome is not DecisionOutcome.CONFIRMED:
        yield f"the decision says {decision.act.outcome}, not confirmed"
    elif decision.final_ns is None:
        yield "the decision is not final yet"


def _utc(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // _NS_PER_S, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")


# ---------------------------------------------------------------------------------------------------------------------
# Units and rights


def lead_unit(pack: Pack) -> Unit | None:
    """The unit that leads under a pack: the first with the role; None where no unit has it."""
    return next((unit for unit in pack.units if UnitRole.LEAD in unit.roles), None)


def responsible_unit(pack: Pack, step: Step) -> Unit | None:
    """The unit that a step is for: the one the procedure names, else the one that leads."""
    actor = next((row.actor for row in pack.procedure if row.step is step), "")
    return next((unit for unit in pack.units if unit.id == actor), None) or lead_unit(pack)


def right_states(case: Case, pack: Pack, clocks: Sequence[Clock]) -> tuple[RightState, ...]:
    """Every right of the party under a pack, with its clock and whether it was used.

    Parameters
    ----------
    case : Case
    pack : Pack
    clocks : sequence of Clock

    Returns
    -------
    tuple of RightState
        In the pack's order.
    """
    by_id = {clock.id: clock for clock in clocks}
    states = []
    for right, name in clock_names(pack):
        if not name and right.right in {RightKind.REPLY, RightKind.NOTICE}:
            name = str(right.right)
        states.append(
            RightState(
                right=right.right, body=right.body, ref=right.ref, clock=by_id.get(name), used=_used(right, case, pack)
            )
        )
    return tuple(states)


def _used(right: Right, case: Case, pack: Pack) -> bool:
    match right.right:
        case RightKind.NOTICE:
            return bool(case.notices)
        case RightKind.REPLY:
            return any(row.stance not in ASKS for row in case.replies)  # to ask for time or the file is no answer
        case RightKind.ACCESS_FILE:
            return bool(case.access) or any(row.stance is ReplyStance.ASKS_FILE for row in case.replies)
        case RightKind.CALCULATION:
            return any(row.act.sheets and row.received_ns is not None for row in case.decisions)
        case RightKind.APPEAL:
            bodies = [body_of(pack, row.body) for row in case.appeals if row.outcome is not AppealOutcome.WITHDRAWN]
            return any(body is not None and body.right == right for body in bodies)
        case RightKind.CORRECTION:
            return bool(case.corrections)
        case RightKind.REMOVAL:
            return any(row.outcome is AppealOutcome.UPHELD for row in case.appeals)
    return False
