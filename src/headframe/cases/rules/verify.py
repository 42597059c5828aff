"""Verify: what was measured again, by an account that has neither proposed nor approved what it verifies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from headframe.cases.question import (
    DAY_NS,
    HOUR_NS,
    VERIFIED_FOR,
    Question,
    Refusals,
    Rule,
    instant,
    not_before,
    not_in_future,
    proposers_and_approvers,
)
from headframe.records.case import (
    Case,
    Command,
    DocumentKind,
    Duty,
    FindingRef,
    Measurement,
    VerificationOutcome,
    Verify,
    WriteDocument,
)
from headframe.records.policy import Pack


def _windows(question: Question, measurement: Measurement) -> Refusals:
    if measurement.before_until_ns <= measurement.before_from_ns:
        yield "the window before is empty; give its beginning and its end"
    if measurement.after_until_ns <= measurement.after_from_ns:
        yield "the window after is empty; give its beginning and its end"
    yield from not_before(
        measurement.after_from_ns, measurement.before_until_ns, "the window after begins", "the window before ends"
    )
    yield from not_in_future(question, measurement.after_until_ns, "the window after ends")
    remedies = question.case.remedies
    if remedies:
        last_ns = max(remedy.at_ns for remedy in remedies)
        yield from not_before(measurement.after_from_ns, last_ns, "the window after begins", "the last remedy")


def enough_for_rectified(pack: Pack, measurement: Measurement, findings: Sequence[FindingRef] = ()) -> Refusals:
    """What a measurement needs to say that mining is over.

    A metric of the pack that the case's evidence does not rest on may lack data, as where there is no meter; it must
    not say that the mining persists.

    Parameters
    ----------
    pack : Pack
    measurement : Measurement
    findings : sequence of FindingRef
        Of the case: they tell which metrics are needed.

    Yields
    ------
    str
        Each thing that is missing.
    """
    # It works with arrays, which the other rules need not load.
    from headframe.cases.verification import metrics_needed

    rule = pack.verification
    length_ns = measurement.after_until_ns - measurement.after_from_ns
    # Days of the pack's zone: a window may be an hour short where clocks go forward in it.
    if length_ns < rule.window_days * DAY_NS - HOUR_NS:
        yield (
            f"the window after is {length_ns / DAY_NS:.1f} days long; pack {pack.id} measures {rule.window_days} days "
            f"({rule.basis.replace('_', ' ')}): wait, or record not_enough_data"
        )
    if math.isnan(measurement.coverage) or measurement.coverage < rule.min_coverage:
        yield (
            f"{measurement.coverage:.0%} of the window has data; pack {pack.id} needs {rule.min_coverage:.0%} "
            f"({rule.basis.replace('_', ' ')}): record not_enough_data"
        )
    same = {f"{one.detector} {one.version}" for one in findings if one.stands_out}
    if lacking := sorted(same - set(measurement.detectors)):
        yield (
            f"{', '.join(lacking)} did not look at the window after; measure with the same detectors as at first, or "
            f"record not_enough_data"
        )
    if not measurement.metrics:
        yield "no metric was measured; a measurement that says rectified has one at least"
    wanted, needed = metrics_needed(findings, rule) if findings else ((), frozenset())
    for metric in measurement.metrics:
        spare = metric.metric in wanted and metric.metric not in needed
        if spare and metric.outcome is VerificationOutcome.NOT_ENOUGH_DATA:
            continue
        if metric.outcome is not VerificationOutcome.RECTIFIED:
            yield f"metric {metric.metric} says {metric.outcome}, so the whole cannot say rectified"
        if not metric.coverage >= rule.min_coverage:
            yield f"metric {metric.metric} has data for {metric.coverage:.0%} of it, not {rule.min_coverage:.0%}"
    for finding in measurement.new_findings:
        if finding.mining:
            yield f"finding {finding.finding_id} in the window after says that mining goes on; record persists"


def _verify(question: Question) -> Refusals:
    act: Verify = question.act
    measurement = act.measurement
    name = question.account.name
    if name in proposers_and_approvers(question.case, *VERIFIED_FOR):
        yield (
            f"{name} has proposed or approved a letter, a decision or a closure in this case; it is verified by an "
            f"account that has not"
        )
    # That nobody could look is said as not_enough_data; a load that goes on shows in the readings without a detector.
    if measurement.outcome is VerificationOutcome.RECTIFIED and not measurement.detectors:
        yield "no detector is named; measure with the same detectors as at first"
    yield from _windows(question, measurement)
    if measurement.outcome is VerificationOutcome.RECTIFIED:
        yield from enough_for_rectified(question.pack, measurement, question.case.findings)
        yield from _after_what_persisted(question, measurement)
        if not question.case.remedies:
            yield "no remedy is recorded; say what the party did before it is verified as rectified"


def _after_what_persisted(question: Question, measurement: Measurement) -> Refusals:
    """A window in which it was over is not sought before, or across, one in which it went on."""
    went_on = [
        earlier.after_until_ns
        for _at_ns, _account, earlier in question.case.verifications
        if earlier.outcome is VerificationOutcome.PERSISTS
    ]
    if went_on and measurement.after_from_ns < max(went_on):
        yield (
            f"the window after begins at {instant(measurement.after_from_ns)}, but it was measured to go on until "
            f"{instant(max(went_on))}; a window that says rectified begins after that"
        )


def _commands(_question: Question, _after: Case) -> Iterable[Command]:
    yield WriteDocument(kind=DocumentKind.VERIFICATION_REPORT)


VERIFY = Rule(duties=frozenset({Duty.VERIFY}), refusals=_verify, commands=_commands)
