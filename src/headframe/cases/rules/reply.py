"""Reply: what the party answers, the file that it gets, and the time that it has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from headframe.cases.question import (
    DAY_NS,
    LATE_RECORD_DAYS,
    TIME_TO_ANSWER,
    Question,
    Refusals,
    Rule,
    confirmed,
    decision_in_force,
    instant,
    needs_text,
    not_before,
    not_in_future,
    proposal,
    sound_document,
    unheard,
)
from headframe.cases.rules.notify import letter_approved_at
from headframe.policy.clocks import clocks_of, named_deadlines
from headframe.policy.weaker import PARTY_PERIODS
from headframe.records.case import (
    Case,
    Command,
    Duty,
    ExtendClock,
    GrantAccess,
    NoteAppealInRegister,
    PauseClock,
    ProposeNotice,
    RecordReply,
    ResumeClock,
)
from headframe.records.policy import Clock, ClockState, Deadline, Pack, Step

BEFORE_FINAL = frozenset({*TIME_TO_ANSWER, str(Step.APPEAL)})
"""Clocks that are over when a decision is final."""

LONGEST_EXTENSION_DAYS = 183
"""What one account gives a party, from now or from the end of the period itself, whichever is later. Half a year:
longer than any period to answer or to appeal in the packs. Operator default; no text says so. [days]"""

LONGEST_STANDSTILL_DAYS = 31
"""How far ahead it may be said that a paused clock runs on. Operator default; no text says so. [days]"""

OLDEST_REPLY_DAYS = 730
"""A party may have written before the case was opened: on an earlier case, or after a call. More than two years before,
a wrong year is likelier. Operator default; no text says so. [days]"""

CLERK = frozenset({Duty.PROPOSE})
"""Who records what comes in and goes out."""


def is_the_units(clock: str) -> bool:
    """Whether a clock binds the unit, and is not the party's time: ``decide``, ``verify``, ``report:weekly-ledger``.

    A second clock of a right has a number behind it (``appeal-2``); a report that is owed has the pack's name of it
    behind a colon, which may be any.
    """
    return clock.partition("-")[0] not in PARTY_PERIODS


def _reply(question: Question) -> Refusals:
    act: RecordReply = question.act
    yield from not_in_future(question, act.received_ns, "the time of receipt")
    yield from _from_long_before(question, act)
    yield from sound_document(act.document, "the reply")
    if act.document is None:
        yield from needs_text(act.text, "the reply")
    if act.answers:
        yield from _answers_a_letter(question, act)


def _from_long_before(question: Question, act: RecordReply) -> Refusals:
    """What the party said before there was a case is on file; what is older than any matter of today is a slip."""
    opened_ns = question.case.opened_ns
    if act.received_ns < opened_ns - OLDEST_REPLY_DAYS * DAY_NS:
        yield (
            f"the time of receipt is {instant(act.received_ns)}, more than {OLDEST_REPLY_DAYS} days before the case "
            f"was opened ({instant(opened_ns)}; operator default); check the date. If it is right, give the time at "
            f"which the paper came into this case, and say in its text when the party sent it"
        )


def _answers_a_letter(question: Question, act: RecordReply) -> Refusals:
    """A letter that a reply names was on its way when the reply came."""
    letter = proposal(question.case, act.answers)
    is_letter = letter is not None and isinstance(letter.act, ProposeNotice)
    # One that fell with a correction had been approved, and may have reached its party all the same.
    said_yes = letter_approved_at(question.case, letter) if letter is not None and is_letter else None
    if said_yes is None:
        yield f"event {act.answers} proposes no letter that was approved; record the reply without naming one"
        return
    approved_ns = question.case.history[said_yes - 1].at_ns
    yield from not_before(act.received_ns, approved_ns, "the reply came", f"letter {act.answers} was approved")


def _noted(question: Question, after: Case) -> Iterable[Command]:
    """An entry of the register says that the party was in time with something that nobody has weighed.

    The finality stays: an account that decides declared it, and no clerk takes it back with a paper. What rests on the
    decision waits for another one that weighs the answer, and the entry goes with that.
    """
    held = confirmed(after)
    if held is not None and held.final_ns is not None and unheard(after, question.clocks):
        yield NoteAppealInRegister(case_id=after.case_id, decision=held.number, unweighed=True)


def _grant(question: Question) -> Refusals:
    act: GrantAccess = question.act
    yield from not_in_future(question, act.given_ns, "the time of access")
    yield from not_before(act.given_ns, question.case.opened_ns, "the time of access", "the case was opened")
    if not act.documents:
        yield "no document is named; access means that the party was given something of the file"
    for text in act.documents:
        yield from needs_text(text, "a document that was given")
    for text in act.held_back:
        yield from needs_text(text, "what was held back and why")


def _known_clock(question: Question, name: str) -> tuple[Clock | None, list[str]]:
    clock = question.clock(name)
    if clock is not None:
        return clock, []
    names = ", ".join(sorted(entry.id for entry in question.clocks)) or "none"
    return None, [f"no clock {name} runs in this case; its clocks are {names}"]


def deadline_of(pack: Pack, clock: str) -> Deadline | None:
    """The period of a pack that a clock counts, by step or right; ``appeal-2`` is the second of the appeals."""
    # Where a step and a right are named alike, the step's period comes first.
    return next((deadline for name, deadline in named_deadlines(pack) if name == clock), None)


def _open_pause(question: Question, name: str) -> int | None:
    """Since when a clock is paused; None while it runs."""
    return next((since for clock, since, until, _ in question.case.pauses if clock == name and until is None), None)


def _pause(question: Question) -> Refusals:
    act: PauseClock = question.act
    yield from needs_text(act.reason, "the reason of the pause")
    clock, missing = _known_clock(question, act.clock)
    yield from missing
    since = _open_pause(question, act.clock)
    if since is not None:
        yield f"clock {act.clock} is paused since {instant(since)}; resume it first"
    yield from not_in_future(question, act.from_ns, "the pause begins")
    ends = [until for name, _, until, _ in question.case.pauses if name == act.clock and until is not None]
    yield from not_before(act.from_ns, max(ends, default=None), "the pause begins", "the last pause ended")
    if clock is None:
        return
    deadline = deadline_of(question.pack, act.clock)
    if deadline is not None and not deadline.pauses:
        yield (
            f"clock {act.clock} does not pause under pack {question.pack.id} ({deadline.basis.replace('_', ' ')}); "
            f"extend it instead"
        )
    if deadline is None:
        # `verify` is a window that is measured, and a report is owed at its date: neither looks at pauses.
        yield f"clock {act.clock} does not pause: it is no period of the pack's steps and rights"
    if clock.state in (ClockState.OVER, ClockState.STOPPED, ClockState.NOT_STARTED):
        yield f"clock {act.clock} is {clock.state.replace('_', ' ')}; only a running clock can be paused"
    yield from not_before(act.from_ns, clock.started_ns, "the pause begins", f"clock {act.clock} started")
    if clock.due_ns is not None and act.from_ns >= clock.due_ns:
        yield f"clock {act.clock} was over at {instant(clock.due_ns)}, before the pause; extend it instead"
    yield from _paused_when_it_was(question, act)


def _paused_when_it_was(question: Question, act: PauseClock) -> Refusals:
    """A unit gives itself no time by a pause of long ago that nobody had heard of."""
    if is_the_units(act.clock) and question.now_ns - act.from_ns > LATE_RECORD_DAYS * DAY_NS:
        yield (
            f"the pause begins at {instant(act.from_ns)}, more than {LATE_RECORD_DAYS} days back (operator default), "
            f"and clock {act.clock} binds the unit, which cannot give itself time afterwards; pause it from now"
        )


def _resume(question: Question) -> Refusals:
    act: ResumeClock = question.act
    yield from needs_text(act.reason, "the reason to let it run on")
    since = _open_pause(question, act.clock)
    if since is None:
        yield f"clock {act.clock} is not paused; nothing to resume"
        return
    yield from not_before(act.from_ns, since, "the clock runs on", "its pause began")
    if is_the_units(act.clock):
        yield from not_in_future(question, act.from_ns, "the clock runs on")
    elif act.from_ns < question.now_ns:
        yield (
            f"clock {act.clock} is the party's time, and was paused until now ({instant(question.now_ns)}); to let it "
            f"run on from {instant(act.from_ns)} would take time away: resume it from now or later"
        )
    elif act.from_ns > question.now_ns + LONGEST_STANDSTILL_DAYS * DAY_NS:
        yield (
            f"clock {act.clock} would stand still until {instant(act.from_ns)}, more than {LONGEST_STANDSTILL_DAYS} "
            f"days from now (operator default: one account says no more ahead, and a slip of the year would hold the "
            f"case for ever); leave it paused, and resume it nearer the time"
        )


def _extend(question: Question) -> Refusals:
    act: ExtendClock = question.act
    yield from needs_text(act.reason, "the reason of the extension")
    clock, missing = _known_clock(question, act.clock)
    yield from missing
    if is_the_units(act.clock):
        yield f"clock {act.clock} binds the unit, which cannot give itself more time; it may be paused with a reason"
    if clock is not None and clock.state is ClockState.NOT_STARTED:
        yield f"clock {act.clock} has not started; extend it when it runs"
    held = decision_in_force(question.case)
    # Whoever declares a decision final decides that its time is over; no clerk takes that back by giving time. A notice
    # that was served since gives a time of its own, which the party may ask to be longer.
    anew = clock is not None and held is not None and (clock.started_ns or 0) > (held.final_ns or 0)
    if held is not None and held.final_ns is not None and act.clock.partition("-")[0] in BEFORE_FINAL and not anew:
        yield (
            f"decision {held.number} is final since {instant(held.final_ns)}, and clock {act.clock} belongs to the "
            f"time before that; record an appeal when it comes: one that is late can be admitted, and time that the "
            f"party was promised is a reason"
        )
    if clock is not None and clock.due_ns is not None and act.until_ns <= clock.due_ns:
        yield (
            f"clock {act.clock} runs until {instant(clock.due_ns)} already; an extension gives a later time, never an "
            f"earlier one, and not {instant(act.until_ns)}"
        )
    before = [until for name, until, _ in question.case.extensions if name == act.clock]
    if before and act.until_ns <= max(before):
        yield f"clock {act.clock} was already extended until {instant(max(before))}; time given is not taken back"
    if act.until_ns <= question.now_ns:
        yield f"the extension ends at {instant(act.until_ns)}, which is past; give a time to come"
    if clock is not None:
        yield from _no_longer_than_one_gives(question, act)


def _no_longer_than_one_gives(question: Question, act: ExtendClock) -> Refusals:
    """Time that was given is never taken back, so that a slip of the year would hold a case for centuries."""
    plain = clocks_of(replace(question.case, extensions=()), question.pack, question.now_ns)
    ends_ns = next((clock.due_ns for clock in plain if clock.id == act.clock), None)
    # Counted from the period as the pack has it: extensions one upon another come no further than one.
    from_ns = max(question.now_ns, ends_ns or 0)
    if act.until_ns > from_ns + LONGEST_EXTENSION_DAYS * DAY_NS:
        yield (
            f"the extension ends at {instant(act.until_ns)}; one account gives {LONGEST_EXTENSION_DAYS} days at most "
            f"from now or from the end of the period itself, here until "
            f"{instant(from_ns + LONGEST_EXTENSION_DAYS * DAY_NS)} (operator default): time that was given is not "
            f"taken back. Check the year; if so much is right, extend it again nearer the time"
        )


# A paper that comes after the closure is put on file all the same, and the file can still be asked for.
REPLY = Rule(duties=CLERK, refusals=_reply, commands=_noted, when_closed=True)
GRANT_ACCESS = Rule(duties=CLERK, refusals=_grant, when_closed=True)
PAUSE_CLOCK = Rule(duties=CLERK, refusals=_pause)
RESUME_CLOCK = Rule(duties=CLERK, refusals=_resume)
EXTEND_CLOCK = Rule(duties=CLERK, refusals=_extend)
