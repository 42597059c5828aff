"""Where a party may appeal under a pack: each body with a short name, its words and its clock.

A pack may give several rights of appeal, such as administrative review and court. Each has its own time, and what one
body decides does not end the right to go to another.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from headframe.records.policy import Pack, Right, RightKind

_BRACKETS = re.compile(r"\([^()]*\)")
_NO_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealBody:
    """A body that hears appeals.

    Attributes
    ----------
    id : str
        Short, in lower case and without brackets: ``court``; from the pack, else from the body's words.
    words : str
        As the pack names it; may be the id of one of its units.
    clock : str
        Id of the clock of its time, ``appeal-2``; empty where the pack sets no time.
    right : Right
    """

    id: str
    words: str
    clock: str
    right: Right


def appeal_bodies(pack: Pack) -> tuple[AppealBody, ...]:
    """Every body that a party may appeal to, in the pack's order.

    Parameters
    ----------
    pack : Pack

    Returns
    -------
    tuple of AppealBody
        Their ids differ.
    """
    return tuple(_bodies(pack))


def _bodies(pack: Pack) -> Iterator[AppealBody]:
    taken: set[str] = set()
    for right, clock in clock_names(pack):
        if right.right is not RightKind.APPEAL:
            continue
        name = right.id or plain_id(right.body)
        while name in taken:
            name += "-2"
        taken.add(name)
        yield AppealBody(id=name, words=right.body or name, clock=clock, right=right)


def clock_names(pack: Pack) -> Iterator[tuple[Right, str]]:
    """The clock of each right of a pack; those of one kind that have a time are numbered.

    Parameters
    ----------
    pack : Pack

    Yields
    ------
    (Right, str)
        In the pack's order: ``appeal``, then ``appeal-2``; empty where the pack sets no time.
    """
    timed: Counter[RightKind] = Counter()
    for right in pack.rights:
        if right.deadline is None:
            yield right, ""
            continue
        timed[right.right] += 1
        place = timed[right.right]
        yield right, str(right.right) if place == 1 else f"{right.right}-{place}"


def plain_id(words: str) -> str:
    """A short name from words: without what stands in brackets, in lower case, with hyphens.

    Parameters
    ----------
    words : str

    Returns
    -------
    str
        ``appeal`` where no letter or digit is left.

    Examples
    --------
    >>> plain_id("administrative review (行政复议）")
    'administrative-review'
    """
    text = unicodedata.normalize("NFKC", words)
    return _NO_WORD.sub("-", _BRACKETS.sub("", text).lower()).strip("-") or "appeal"


def body_of(pack: Pack, text: str) -> AppealBody | None:
    """The body that a text names: by its short name, by the pack's words, or by the name of its unit.

    Parameters
    ----------
    pack : Pack
    text : str

    Returns
    -------
    AppealBody or None
        None where the pack knows no such body.
    """
    wanted = _folded(text)
    for body in appeal_bodies(pack):
        names = [body.id, body.words]
        names += [name for unit in pack.units if unit.id == body.words for name in unit.name.values()]
        if wanted and wanted in {_folded(name) for name in names}:
            return body
    return None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def bodies_in_words(pack: Pack) -> str:
    """The bodies for a message: ``court (court (行政诉讼)), review (administrative review)``."""
    return ", ".join(body.id if body.id == body.words else f"{body.id} ({body.words})" for body in appeal_bodies(pack))
