"""What was recorded and what is right, both: a letter tells what is right now, and marks where that was corrected.

A date, a stance or a grade that was corrected stands as it is right, and what was recorded behind it. Longer texts are
marked, and both of their forms stand in the table of corrections, which every document of the case has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import reduce

from headframe.cases.apply import right_acts
from headframe.cases.corrections import shown_value
from headframe.records.case import Act, Case, CaseEvent
from headframe.reports.case_documents.model import Column, Section, Table
from headframe.reports.case_documents.speech import Speech

_TERMS = frozenset({"stance", "grade", "relation"})
"""Fields whose values have words in the catalogues."""


def right_events(case: Case) -> list[tuple[CaseEvent, Act]]:
    """Every event with its act as it is known today."""
    right = right_acts(case)
    return [(event, right.get(event.number, event.act)) for event in case.events]


def marks(
    rows: Sequence[object], case: Case, kind: type[Act], field: str, speech: Speech, *, brief: bool = False
) -> list[str]:
    """For each row that came of an event of a kind: that this field was corrected, and what was recorded; else nothing.

    Parameters
    ----------
    rows : sequence
        Of the case: its replies, its remedies. Each is of one event, in order.
    case : Case
    kind : type
        Of the acts.
    field : str
    speech : Speech
    brief : bool
        Leave out what was recorded, which may be long; the table of corrections has it.

    Returns
    -------
    list of str
        As many as there are rows.
    """
    made = [mark(case, event, field, speech, brief=brief) for event in case.events if isinstance(event.act, kind)]
    return made if len(made) == len(rows) else [""] * len(rows)


def mark(case: Case, event: CaseEvent, field: str, speech: Speech, *, brief: bool = False) -> str:
    """That a field of an event was corrected, and what was recorded; empty where it was not."""
    if not any(one.event == event.number and one.field == field for one in case.corrections):
        return ""
    if brief:
        return speech.say("corrected.see", title=speech.say("corrections.title"))
    return speech.say("corrected.recorded", was=value_words(field, shown_value(event.act, field), speech))


def marks_within(case: Case, event: CaseEvent, field: str, speech: Speech) -> list[str]:
    """Each part of a field of an event that was corrected, by its name, with what was recorded."""
    return [
        speech.sentences([field_words(one, speech), mark(case, event, one, speech, brief=one == field)])
        for one in dict.fromkeys(one.field for one in case.corrections if one.event == event.number)
        if one == field or one.startswith(f"{field}.")
    ]


def value_words(field: str, text: str, speech: Speech) -> str:
    """A value of a field for a reader: instants as days and times, words of the catalogue, lists in a row."""
    name = field.rpartition(".")[2]
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if name.endswith("_ns") and str(value).isdigit():
        return speech.moment(int(value))
    if name in _TERMS and isinstance(value, str):
        return speech.term(name, value)
    if value is None or value == "" or value == []:
        return speech.say("none")
    if isinstance(value, bool):
        return speech.say("yes" if value else "no")
    if isinstance(value, list):
        return speech.listed(_item(one) for one in value)
    return _item(value) if isinstance(value, dict) else str(text)


def _item(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or json.dumps(value, ensure_ascii=False))
    return str(value)


def field_words(field: str, speech: Speech) -> str:
    """The name of a field for a reader; as it is called in the file where it has none."""
    words = [
        speech.say(f"corrected.field.{part}") if speech.has(f"corrected.field.{part}") else part
        for part in field.split(".")
    ]
    return reduce(lambda outer, inner: speech.say("corrected.inside", outer=outer, inner=inner), words)


def corrections_section(case: Case, speech: Speech) -> Section | None:
    """Every correction of the case: what was recorded, what is right, and why. None where nothing was corrected."""
    if not case.corrections:
        return None
    widths = {"event": 0.6, "field": 1.0, "recorded": 1.6, "value": 1.6, "reason": 1.6, "when": 1.0}
    rows: Iterable[tuple[str, ...]] = (
        (
            str(one.event),
            field_words(one.field, speech),
            value_words(one.field, _recorded(case, one.event, one.field), speech),
            value_words(one.field, one.value, speech),
            one.reason,
            speech.day(one.approved_ns),
        )
        for one in case.corrections
    )
    return Section(
        title=speech.say("corrections.title"),
        blocks=(
            Table(
                columns=tuple(
                    Column(head=speech.say(f"corrections.{name}"), weight=weight) for name, weight in widths.items()
                ),
                rows=tuple(rows),
            ),
        ),
    )


def _recorded(case: Case, number: int, field: str) -> str:
    """What the event says that a correction is about."""
    return shown_value(case.events[number - 1].act, field) if 0 < number <= len(case.events) else ""
