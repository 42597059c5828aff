"""Corrections: what an earlier event says wrongly, and what is right. The event stays; rules ask what is right now.

A correction mends what somebody recorded of the world: a date of receipt, a grade of proof, what an inspection saw.
What somebody judged, measured or was asked to approve is no record that can be mended behind everybody's back: it is
proposed, looked up or measured again, under the rules of that step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from headframe.cases.codec import act_from_json, act_to_json, field_type, value_from_json
from headframe.records import case as acts
from headframe.records.case import Act

_WORDS = frozenset({"reason"})
_SERVED = frozenset({"received_ns", "channel", "proof"})

CORRECTABLE: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        acts.OpenCase: frozenset(
            {"summary", "region", "site_kind", "site_name", "organisation_id", "organisation_name", "usage_points"}
        ),
        acts.LookUpLawful: frozenset({"explanation"}),
        acts.ServeNotice: _SERVED,
        acts.ServeDecision: _SERVED,
        acts.ServeSettingAside: _SERVED,
        acts.RecordReply: frozenset({"received_ns", "stance", "document", "text", "answers"}),
        acts.GrantAccess: frozenset({"given_ns", "documents", "held_back"}),
        acts.RecordInspection: frozenset({"record"}),
        acts.RecordMeasure: frozenset({"unit", "at_ns", "text", "document"}),
        acts.RecordRemedy: frozenset({"at_ns", "grade", "text", "documents"}),
        acts.FileAppeal: frozenset({"received_ns", "body", "grounds", "document"}),
        acts.AdmitAppeal: frozenset({"reason", "document"}),
        acts.DecideAppeal: frozenset({"reason", "document"}),
        acts.RecordReport: frozenset({"report", "to", "period", "document"}),
        acts.LinkCase: frozenset({"relation"}),
        acts.ProposeDecision: frozenset({"reason", "heard_reply"}),
        acts.ProposeClosure: frozenset({"text"}),
        **dict.fromkeys(
            (
                acts.PauseClock, acts.ResumeClock, acts.ExtendClock, acts.DeclareFinal, acts.ProposeClass,
                acts.ProposeMeasure, acts.ProposeReopening, acts.ProposeCorrection, acts.Reject, acts.Withdraw,
                acts.PlaceHold, acts.LiftHold,
            ),
            _WORDS,
        ),
    }
)  # fmt: skip
"""Fields of each act that a correction may mend; of an act that is not here, none."""

INSTEAD: Mapping[type, str] = MappingProxyType(
    {
        acts.OpenCase: (
            "close the case, and split another from it about the right party or under the right pack, with the reason; "
            "at another site one is opened on findings that come after the registry was set right"
        ),
        acts.AddFindings: "findings are evidence as they were made; classify or decide by what they are worth",
        acts.LookUpLawful: "look the site up again",
        acts.ProposeClass: "propose the classification again",
        acts.ProposeNotice: "propose another letter",
        acts.ServeNotice: "record the delivery of the letter that it was",
        acts.ProposeDecision: "propose another decision",
        acts.ProposeMeasure: "propose the measure again, or let its decision be taken away",
        acts.Verify: "measure again",
        acts.PauseClock: "resume the clock, and pause it again",
        acts.ResumeClock: "give time with an extension",
        acts.ExtendClock: "give more time with another extension",
        acts.FileAppeal: "whether it came late follows from the clocks, and whether the pack names it, from its body",
        acts.AdmitAppeal: "what was said on the appeal is said by whoever hears it",
        acts.DecideAppeal: "what the body decided is what it decided; record another appeal if there is one",
        acts.ProposeClosure: "propose to reopen the case",
        acts.Approve: "what was approved is taken away by another proposal",
    }
)
"""What is done about a field that no correction mends."""


def corrected_value(kind: object, text: str) -> object:
    """What a correction puts in the place of a field: text as it stands, anything else as JSON.

    Parameters
    ----------
    kind : type
        Of the field.
    text : str

    Returns
    -------
    JSON value

    Raises
    ------
    ValueError
        If it is no JSON where the field is no text.
    """
    if isinstance(kind, type) and issubclass(kind, str):
        return text
    try:
        return json.loads(text)
    except ValueError as fault:
        raise ValueError(f"{text!r} is no JSON value ({fault})") from None


def is_correctable(act: Act, field: str) -> bool:
    """Whether a correction may mend this field of an act; of a field inside another, the outer one counts."""
    return field.partition(".")[0] in CORRECTABLE.get(type(act), frozenset())


def corrected_act(act: Act, field: str, value: str) -> Act:
    """An act with one field set right.

    Parameters
    ----------
    act : Act
    field : str
        ``grade``, ``record.meters.0.reading``.
    value : str
        As `ProposeCorrection.value` gives it.

    Returns
    -------
    Act

    Raises
    ------
    ValueError
        If there is no such field, or the value does not fit it.
    """
    kind = field_type(act.NAME, field)
    try:
        new = corrected_value(kind, value)
    except RecursionError:
        raise ValueError(
            f"{act.NAME}.{field}: the value has lists in lists without end; give it as it should be"
        ) from None
    value_from_json(new, kind, f"{act.NAME}.{field}")
    document = act_to_json(act)
    *outer, last = field.split(".")
    place: Any = document
    for step in outer:
        place = _part(place, step, field)
    if isinstance(place, list):
        if int(last) >= len(place):
            raise ValueError(f"{act.NAME}.{field}: there are {len(place)} of them, counted from 0")
        place[int(last)] = new
    elif isinstance(place, dict):
        place[last] = new
    else:
        raise ValueError(f"{act.NAME}.{field}: there is nothing there")
    if isinstance(act, acts.OpenCase) and field == "organisation_id":
        # The name was another party's; the registry's is taken until this one's is corrected, too.
        document["organisation_name"] = ""
    return act_from_json(act.NAME, document)


def _part(place: Any, step: str, field: str) -> Any:
    try:
        return place[int(step)] if isinstance(place, list) else place[step]
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"{field}: there is nothing there") from None


def shown_value(act: Act, field: str) -> str:
    """What a field of an act says, as text; empty where there is nothing."""
    place: Any = act_to_json(act)
    for step in field.split("."):
        try:
            place = _part(place, step, field)
        except ValueError:
            return ""
    return place if isinstance(place, str) else json.dumps(place, ensure_ascii=False)
