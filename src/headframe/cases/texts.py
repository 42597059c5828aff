"""Which characters a text of an act may have: what no page shows tells its readers less than the record holds.

A line end in a rule or a unit makes a second line of it in a letter, a table or the ledger. A character that turns the
direction of writing round lets a text be read otherwise than it is. Reasons, observations and whatever else is told in
sentences may have lines and tabs; a name, a rule, a place is one line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from headframe.records.case import Act, AddFindings, LookUpLawful, Verify

SENTENCES = {
    "reason": "the reason", "grounds": "the grounds", "text": "the text", "summary": "the summary",
    "heard_reply": "how the reply was weighed", "observations": "an observation", "remark": "the remark on a meter",
    "explanation": "the explanation",
}  # fmt: skip
"""What is told in sentences, by the names of fields."""
ONE_LINE = {
    "channel": "the way of delivery", "body": "the body that hears the appeal", "to": "the unit that got the report",
    "period": "the period of the report", "unit": "the unit", "place": "the place", "present": "who was there",
    "authority": "the authority", "documents": "what the party was given", "held_back": "what is held back",
    "meter": "the number of a meter", "reading": "a reading", "seals": "a seal", "rule": "the rule of a sheet",
    "title": "the title of a sheet", "label": "a line of a sheet", "quantity": "a quantity", "source": "a source",
    "result": "the result of a sheet",
}  # fmt: skip
"""What is one line in letters, tables and lists, by the names of fields."""
LINE_ENDS_AND_TABS = frozenset("\t\n\v\f\r")
"""A word processor's soft line break is U+000B, and the page break of a text out of a PDF U+000C: the words of a
party are recorded as they came."""
JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")
"""Persian and the scripts of India spell with them."""
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates. Texts in Arabic or Hebrew need none of them: their letters have a direction."""
_BY_PROGRAM = (AddFindings, LookUpLawful, Verify)


def unshown(text: str, *, lines: bool = False, joiners: bool = True) -> str:
    r"""The first character of a text that no page shows, as ``U+202E``; empty where there is none.

    Parameters
    ----------
    text : str
    lines : bool
        Whether it is told in sentences: lines and tabs are fine then, and so are marks that only part or join words.
    joiners : bool
        Whether joiners are fine, which some scripts need. Two citations must not differ by one alone.

    Returns
    -------
    str

    Examples
    --------
    >>> unshown("ndrc1283#13")
    ''
    >>> unshown("ndrc1283#13\nany law")
    'U+000A'
    """
    for letter in text:
        kind = unicodedata.category(letter)
        if kind == "Cc":
            bad = not (lines and letter in LINE_ENDS_AND_TABS)
        elif kind in ("Cf", "Zl", "Zp"):
            bad = letter in TURNING if lines else not (joiners and letter in JOINERS)
        else:
            bad = kind == "Cs"
        if bad:
            return f"U+{ord(letter):04X}"
    return ""


def unfit_texts(act: Act) -> Iterator[str]:
    """What is wrong with the characters of an act's texts, as reasons against it.

    What the program writes itself, from findings, registers and measurements, is not looked at: nobody typed it.

    Parameters
    ----------
    act : Act

    Yields
    ------
    str
    """
    if isinstance(act, _BY_PROGRAM):
        return
    waiting: list[tuple[str, Any]] = [("", act)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            lines = name in SENTENCES
            found = unshown(value, lines=lines) if lines or name in ONE_LINE else ""
            if found:
                what = SENTENCES.get(name) or ONE_LINE[name]
                may = "line ends and tabs may stay" if lines else "it is one line"
                yield f"{what} has the character {found} in it, which no page shows; leave it out ({may})"
        elif isinstance(value, tuple):
            waiting.extend((name, one) for one in value)
        elif is_dataclass(value) and not isinstance(value, type):
            waiting.extend((one.name, getattr(value, one.name)) for one in fields(value))
