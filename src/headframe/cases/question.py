"""What a rule is asked: may this account do this act on this case, at this time, under this pack? And what it answers.

A rule gives every reason why not, each with what would be right; no reason means yes. It reads the case and changes
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headframe.cases.apply import RESPONSIBLE
from headframe.records.case import (
    ASKS,
    Account,
    AdmitAppeal,
    AppealOutcome,
    AppealStatus,
    Case,
    Command,
    DecideAppeal,
    DecisionOutcome,
    DecisionStatus,
    DocumentRef,
    Duty,
    FileAppeal,
    FindingRef,
    ProposalState,
    ProposalStatus,
    ProposeClass,
    ProposeClosure,
    ProposeCorrection,
    ProposeDecision,
    ProposeNotice,
    RecordReply,
    ServedNotice,
)
from headframe.records.finding import Family, independent_sources
from headframe.records.policy import Clock, ClockState, Pack, PartyStanding, RightKind, Step
from headframe.records.site import SiteKind

DAY_NS = 86_400_000_000_000
HOUR_NS = 3_600_000_000_000

TIME_TO_ANSWER = frozenset({str(Step.REPLY), str(RightKind.HEARING)})
"""Clocks of the party's time to answer a notice."""


def is_time_to_answer(clock: str) -> bool:
    """Whether a clock is the party's time to answer a notice; a second one of a right has a number behind it."""
    return clock.partition("-")[0] in TIME_TO_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this be done?

    Attributes
    ----------
    case : Case
        As it stands. For the opening of a case, the old case where there is one, else a case without events.
    act : Act
    account : Account
    pack : Pack
    now_ns : int
        [ns since 1970-01-01 UTC]
    clocks : tuple of Clock
        As `headframe.policy.clocks` computes them for this case at this time.
    """

    case: Case
    act: Any
    account: Account
    pack: Pack
    now_ns: int
    clocks: tuple[Clock, ...] = ()

    def clock(self, name: str) -> Clock | None:
        """The clock of this name, if the pack has one for this case."""
        return next((clock for clock in self.clocks if clock.id == name), None)

    def clocks_of(self, name: str) -> tuple[Clock, ...]:
        """Every clock of a step or right; a pack may give several, such as review and court: ``appeal-2``."""
        return tuple(clock for clock in self.clocks if clock.id.partition("-")[0] == name)

    def is_over(self, name: str) -> bool:
        """Whether the time of a clock has run out. A clock that is not there never runs out: silence is no answer."""
        clock = self.clock(name)
        if clock is None or clock.due_ns is None:
            return False
        return clock.state not in (ClockState.PAUSED, ClockState.NOT_STARTED) and self.now_ns >= clock.due_ns

    def with_act(self, act: Any) -> Question:
        """The same question about another act."""
        return Question(
            case=self.case, act=act, account=self.account, pack=self.pack, now_ns=self.now_ns, clocks=self.clocks
        )


Refusals = Iterable[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What an act needs.

    Attributes
    ----------
    duties : frozenset of Duty
        One of them the account must have.
    refusals : callable
        Every reason against it.
    commands : callable
        What is to be done after it; beside the evidence of its event, which every act has.
    when_closed : bool
        Whether it may be done to a closed case.
    """

    duties: frozenset[Duty]
    refusals: Callable[[Question], Refusals]
    commands: Callable[[Question, Case], Iterable[Command]] = lambda _question, _after: ()
    when_closed: bool = False


# ---------------------------------------------------------------------------------------------------------------------
# What rules look at.


def instant(at_ns: int | None) -> str:
    """A time for a message, in UTC."""
    if at_ns is None:
        return "an unknown time"
    return datetime.fromtimestamp(at_ns // 1_000_000_000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def last_event(case: Case, *acts: type) -> int:
    """Number of the last event with one of these acts; 0 if there is none."""
    names = {act.NAME for act in acts}  # type: ignore[attr-defined]
    for number in range(len(case.history), 0, -1):
        if case.history[number - 1].act in names:
            return number
    return 0


def event_numbers(case: Case, act: type) -> tuple[int, ...]:
    """Numbers of all events with this act."""
    name = act.NAME  # type: ignore[attr-defined]
    return tuple(number for number, mark in enumerate(case.history, 1) if mark.act == name)


def proposal(case: Case, number: int) -> ProposalStatus | None:
    """The proposal with this number."""
    return next((status for status in case.proposals if status.number == number), None)


def approved(case: Case, kind: type) -> tuple[ProposalStatus, ...]:
    """Approved proposals of a kind, in the order in which they were approved."""
    found = (
        status for status in case.proposals if isinstance(status.act, kind) and status.state is ProposalState.APPROVED
    )
    return tuple(sorted(found, key=lambda status: status.settled or 0))


def settled_at(case: Case, number: int) -> int:
    """Number of the event that settled a proposal; 0 if none did."""
    status = proposal(case, number)
    return (status.settled or 0) if status is not None else 0


def corrections(case: Case) -> tuple[tuple[int, ProposeCorrection], ...]:
    """What was corrected, in the order of the approvals, each with the number of the event that approved it."""
    return tuple(
        (status.settled or 0, status.act)
        for status in approved(case, ProposeCorrection)
        if isinstance(status.act, ProposeCorrection)
    )


def classified_at(case: Case) -> int:
    """Number of the event that approved the classification that holds; 0 if there is none."""
    classes = approved(case, ProposeClass)
    return (classes[-1].settled or 0) if classes else 0


def decision_in_force(case: Case) -> DecisionStatus | None:
    """The decision that holds."""
    if case.decisions and not case.decisions[-1].set_aside:
        return case.decisions[-1]
    return None


def confirmed(case: Case) -> DecisionStatus | None:
    """The decision in force, if it goes against the party."""
    decision = decision_in_force(case)
    return decision if decision is not None and decision.act.outcome is DecisionOutcome.CONFIRMED else None


def for_the_register(case: Case) -> DecisionStatus | None:
    """The decision that stands in the register of decisions: final, against an organisation that answers for mining.

    The register is one of organisations: no household, and no site behind which none is known, which may be anybody's.
    """
    decision = confirmed(case)
    if decision is None or decision.final_ns is None or case.site_kind == SiteKind.HOUSEHOLD_PREMISES:
        return None
    return decision if responsible(case.standing) and case.organisation_id else None


def untold(case: Case) -> DecisionStatus | None:
    """A decision that the party has, that does not hold any more, and of which it was not told so.

    A later decision that reached the party after it tells the party as well.
    """
    held = decision_in_force(case)
    if held is not None and held.received_ns is None:
        return None  # whoever serves that one tells the party
    for decision in reversed(case.decisions):
        if not decision.set_aside or decision.received_ns is None or decision.told_set_aside_ns is not None:
            continue
        if not any(
            other.number > decision.number
            and other.received_ns is not None
            and other.received_ns >= decision.received_ns
            for other in case.decisions
        ):
            return decision
    return None


def had_it(decision: DecisionStatus, now_ns: int) -> bool:
    """Whether the party had a decision by a time. A receipt may be corrected to a later time than a step rested on."""
    return decision.received_ns is not None and decision.received_ns <= now_ns


def standings(case: Case) -> tuple[tuple[int, int, PartyStanding], ...]:
    """How the party stood to it in the course of the case: number and time of each event that said so, and what."""
    found = [
        (status.settled, case.history[status.settled - 1].at_ns, status.act.standing)
        for status in approved(case, ProposeClass)
        if status.settled is not None and isinstance(status.act, ProposeClass)
    ]
    for event in case.events:
        act = event.act
        if isinstance(act, DecideAppeal) and (act.standing is not None or act.outcome is AppealOutcome.UPHELD):
            found.append((event.number, event.at_ns, act.standing or PartyStanding.UNDETERMINED))
    return tuple(sorted(found))


def pending_appeals(case: Case) -> tuple[AppealStatus, ...]:
    """Every appeal that is not decided yet, as they came: a party may have gone to several bodies."""
    return tuple(appeal for appeal in case.appeals if appeal.outcome is None)


def appeal_upheld(case: Case) -> bool:
    """Whether the party was found to be right."""
    return any(appeal.outcome is AppealOutcome.UPHELD for appeal in case.appeals)


def replies(case: Case) -> tuple[tuple[int, RecordReply], ...]:
    """Every reply, with the number of its event."""
    return tuple(zip(event_numbers(case, RecordReply), case.replies, strict=True))


def has_answered(answers: Iterable[tuple[int, RecordReply]], letter: ServedNotice) -> bool:
    """Whether one of these replies answers a letter. Asking for time or for the file is no answer yet.

    What came before the letter's recorded receipt answers it only where it names the letter (`RecordReply.answers`):
    else it may be about an earlier letter, or an inspection, and the time of this one is still the party's.
    """
    return any(
        (reply.received_ns >= letter.received_ns or (reply.answers != 0 and reply.answers == letter.proposal))
        and reply.stance not in ASKS
        for _, reply in answers
    )


def unheard(case: Case, clocks: Iterable[Clock]) -> tuple[int, ...]:
    """What the party sent in time, and no decision has weighed: it came to the file after the decision was approved.

    In time is what came before the approval of the decision in force against the party, or within the party's time to
    answer, which is the party's to its end also where it has answered before. Whatever it says counts: who asks for the
    file in time has asked for it. A late answer is weighed as well when there is something to decide.

    Parameters
    ----------
    case : Case
    clocks : iterable of Clock
        Of the case.

    Returns
    -------
    tuple of int
        Numbers of the events of these replies.
    """
    held = confirmed(case)
    if held is None:
        return ()
    settled = settled_at(case, held.number)
    ends = [clock.due_ns for clock in clocks if is_time_to_answer(clock.id) and clock.started_ns is not None]
    # A clock that stands still has no end yet: in doubt for the party.
    return tuple(
        number
        for number, reply in replies(case)
        if number > settled
        and (reply.received_ns < held.decided_ns or any(end is None or reply.received_ns < end for end in ends))
    )


def families(case: Case) -> frozenset[Family]:
    """Families of evidence that say mining goes on at the site. Some read the same source (`sources`).

    Several detectors of one family look at the same thing and count once. An inspection that saw machines counts as
    the family `inspection`. What speaks no louder for mining than against it is no evidence: an e-value of 1 or less;
    nor does what has no e-value, NaN or an infinite one.
    """
    seen = {
        finding.family for finding in case.findings if finding.mining and has_e_value(finding) and finding.log10_e > 0
    }
    if machines_were_seen(case):
        seen.add(Family.INSPECTION)
    return frozenset(seen)


def sources(case: Case) -> frozenset[str]:
    """Independent sources of evidence that say mining goes on at the site (`headframe.records.finding.SOURCE_OF`)."""
    return independent_sources(families(case))


def has_e_value(finding: FindingRef) -> bool:
    """Whether the evidence of a finding is an e-value: a number from 0 up, and no infinite one. [log10: -inf is 0]"""
    return not math.isnan(finding.log10_e) and finding.log10_e != math.inf


def machines_were_seen(case: Case) -> bool:
    """Whether an inspection saw machines."""
    return any(record.machines_seen for record in case.inspections)


def joint_log10_e(case: Case) -> float:
    """What the findings of a case say together, by the rule of `headframe.evidence.fusion.fuse`.

    The mean over what a detector found, the mean over detectors and families that read the same source, and over
    independent sources the mean of the products. A finding that is no mining (a contact, a probe) is a look of its
    detector that showed nothing; a load that is worth a look and on no list weighs what its e-value says. A finding
    without an e-value takes no part, and neither does an inspection: what it saw is no bet, and gets no made-up number.

    Parameters
    ----------
    case : Case

    Returns
    -------
    float
        log10 of the joint e-value; 0 where no finding has one. [unitless]
    """
    # It works with arrays, which most rules need not load.
    from headframe.evidence.fusion import Answer, fuse

    looks: dict[tuple[Family, str], list[float | None]] = {}
    for finding in case.findings:
        if has_e_value(finding):
            shown = finding.log10_e if finding.stands_out else None
            looks.setdefault((finding.family, finding.detector), []).append(shown)
    answers = [
        Answer(
            detector=f"{family} {detector}",
            family=family,
            looks=len(values),
            log10_e=tuple(value for value in values if value is not None),
        )
        for (family, detector), values in looks.items()
    ]
    return fuse(answers, expected=()).log10_e


def comes_before(pack: Pack, first: Step, second: Step) -> bool:
    """Whether a pack puts one step before another; not if it has only one of them."""
    order = [step.step for step in pack.procedure]
    return first in order and second in order and order.index(first) < order.index(second)


def has_step(pack: Pack, step: Step) -> bool:
    """Whether a pack's procedure has a step."""
    return any(entry.step is step for entry in pack.procedure)


def decides_at(pack: Pack) -> Step:
    """The step at which a pack decides: its own, else the first that rests on a decision."""
    for step in (Step.DECIDE, Step.REMEDIATE, Step.VERIFY):
        if has_step(pack, step):
            return step
    return Step.CLOSE


def responsible(standing: PartyStanding) -> bool:
    """Whether a party of this standing answers for mining."""
    return standing in RESPONSIBLE


# ---------------------------------------------------------------------------------------------------------------------
# Who had a part in what.


def proposers_and_approvers(case: Case, *kinds: type) -> frozenset[str]:
    """Accounts that proposed or approved something of these kinds, whatever became of it."""
    return frozenset(
        name
        for status in case.proposals
        if isinstance(status.act, kinds)
        for name in (status.proposer, *status.approvers)
    )


def verifiers(case: Case) -> frozenset[str]:
    """Accounts that recorded a measurement."""
    return frozenset(name for _at_ns, name, _measurement in case.verifications)


def took_part(case: Case) -> frozenset[str]:
    """Accounts that had a part in the case, other than to record or hear an appeal."""
    aside = {FileAppeal.NAME, AdmitAppeal.NAME, DecideAppeal.NAME}
    return frozenset(mark.account for mark in case.history if mark.act not in aside)


VERIFIED_FOR: tuple[type, ...] = (ProposeNotice, ProposeDecision, ProposeClosure)
"""Whoever measures again has proposed or approved none of these in the case."""


def not_the_verifier(question: Question, what: str) -> Refusals:
    """Whoever verified does not propose or approve what was verified."""
    if question.account.name in verifiers(question.case):
        yield (
            f"{question.account.name} has verified in this case; {what} needs an account that has not: "
            f"the accounts that propose, approve and verify are three"
        )


# ---------------------------------------------------------------------------------------------------------------------
# Reasons that many rules share.


LATE_RECORD_DAYS = 3
"""A delivery that is recorded later than this goes with its proof: from its date the party's time runs, and may be over
before anybody else hears of it. Operator default. [days]"""


def proof_of_late_record(question: Question, received_ns: int, proof: DocumentRef | None) -> Refusals:
    """A date of receipt that lies back is shown, and not only said."""
    if proof is None and question.now_ns - received_ns > LATE_RECORD_DAYS * DAY_NS:
        yield (
            f"the time of receipt, {instant(received_ns)}, lies more than {LATE_RECORD_DAYS} days back (operator "
            f"default), and the party's time runs from it; give the proof of delivery"
        )


def needs_text(text: str, what: str) -> Refusals:
    """A text that must be there."""
    if not text.strip():
        yield f"{what} is empty; say it in words that the party can answer"


def not_in_future(question: Question, at_ns: int, what: str) -> Refusals:
    """A time of something that has happened."""
    if at_ns > question.now_ns:
        yield f"{what} is {instant(at_ns)}, which is still to come; record it when it has happened"


def not_before(at_ns: int, earliest_ns: int | None, what: str, other: str) -> Refusals:
    """A time that cannot lie before another."""
    if earliest_ns is not None and at_ns < earliest_ns:
        yield f"{what} is {instant(at_ns)}, before {other} ({instant(earliest_ns)}); check the date"


def sound_document(document: DocumentRef | None, what: str) -> Refusals:
    """A reference by which a document can be found and checked."""
    if document is None:
        return
    if len(document.sha256) != 64 or not set(document.sha256) <= set("0123456789abcdef"):
        yield f"{what} has the digest {document.sha256!r}; it must be SHA-256 in 64 lower-case hex digits"
    if document.size <= 0:
        yield f"{what} is empty ({document.size} bytes); keep the document first and refer to it"


def one_at_a_time(question: Question, kind: type, what: str) -> Refusals:
    """Only one proposal of a kind waits for approval at a time."""
    for status in question.case.proposals:
        if isinstance(status.act, kind) and status.state is ProposalState.OPEN:
            yield f"{what} is already proposed (event {status.number}); approve, reject or withdraw that first"


def unit_ids(names: Iterable[str]) -> str:
    """Names for a message."""
    listed = sorted(names)
    return ", ".join(listed) if listed else "none"
