"""The rules of a case, one file for each step; here is the table from act to rule."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from headframe.cases.question import Rule
from headframe.cases.rules import (
    appeal,
    classify,
    close,
    correct,
    decide,
    inspect,
    keep,
    measure,
    notify,
    reply,
    screen,
    settle,
    verify,
)
from headframe.records import case as acts

RULES: Mapping[type, Rule] = MappingProxyType(
    {
        acts.OpenCase: screen.OPEN,
        acts.AddFindings: screen.ADD_FINDINGS,
        acts.LookUpLawful: screen.LOOK_UP_LAWFUL,
        acts.LinkCase: screen.LINK,
        acts.ProposeClass: classify.PROPOSE_CLASS,
        acts.ProposeNotice: notify.PROPOSE_NOTICE,
        acts.ServeNotice: notify.SERVE_NOTICE,
        acts.RecordReply: reply.REPLY,
        acts.GrantAccess: reply.GRANT_ACCESS,
        acts.PauseClock: reply.PAUSE_CLOCK,
        acts.ResumeClock: reply.RESUME_CLOCK,
        acts.ExtendClock: reply.EXTEND_CLOCK,
        acts.RecordInspection: inspect.INSPECT,
        acts.ProposeDecision: decide.PROPOSE_DECISION,
        acts.ServeDecision: decide.SERVE_DECISION,
        acts.ServeSettingAside: decide.SERVE_SETTING_ASIDE,
        acts.DeclareFinal: decide.DECLARE_FINAL,
        acts.ProposeMeasure: measure.PROPOSE_MEASURE,
        acts.RecordMeasure: measure.RECORD_MEASURE,
        acts.RecordRemedy: measure.REMEDY,
        acts.Verify: verify.VERIFY,
        acts.ProposeClosure: close.PROPOSE_CLOSURE,
        acts.ProposeReopening: close.PROPOSE_REOPENING,
        acts.FileAppeal: appeal.APPEAL,
        acts.AdmitAppeal: appeal.ADMIT_APPEAL,
        acts.DecideAppeal: appeal.DECIDE_APPEAL,
        acts.ProposeCorrection: correct.PROPOSE_CORRECTION,
        acts.RecordReport: keep.REPORT,
        acts.PlaceHold: keep.HOLD,
        acts.LiftHold: keep.LIFT_HOLD,
        acts.Approve: settle.APPROVE,
        acts.Reject: settle.REJECT,
        acts.Withdraw: settle.WITHDRAW,
    }
)
"""What each act needs, and what follows it."""
