"""What a pack cites: which instrument and which place in it, and whether somebody's citation is one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headframe.records.policy import Deadline, Instrument, Pack

_CITES = re.compile(r"[^\s#]+#\S.*", re.DOTALL)


def looks_like_citation(text: str) -> bool:
    """Whether a text is written as a citation: ``ndrc1283#13``, and not in words."""
    return _CITES.fullmatch(text.strip()) is not None


def instrument_of(pack: Pack, citation: str) -> Instrument | None:
    """The instrument that a citation names: ``ndrc1283#13`` or ``ndrc1283``.

    Parameters
    ----------
    pack : Pack
    citation : str

    Returns
    -------
    Instrument or None
        None where the pack has no such instrument.
    """
    name = citation.strip().partition("#")[0]
    return next((one for one in pack.instruments if one.id == name), None)


def place_known(pack: Pack, citation: str) -> bool:
    """Whether the pack itself cites this place of one of its instruments, or the citation names no place.

    A pack has no list of an instrument's articles; those that it knows are those that its own rules rest on.

    Parameters
    ----------
    pack : Pack
    citation : str

    Returns
    -------
    bool
    """
    _, mark, place = citation.strip().partition("#")
    return not (mark and place) or citation.strip() in set(cited_by(pack))


def cited_by(pack: Pack) -> Iterator[str]:
    """Every citation of a pack, with repetitions."""
    for _place, ref in references(pack):
        yield ref
    for measure in pack.measures:
        yield from measure.legal_basis


def references(pack: Pack) -> Iterator[tuple[str, str]]:
    """What each part of a pack rests on, with its place. What a measure names as its legal basis is not among it.

    Parameters
    ----------
    pack : Pack

    Yields
    ------
    (str, str)
        ``procedure.reply.deadline.ref``, for example, and the citation; empty where the pack gives none.
    """
    parts: Mapping[str, Iterable[Any]] = {
        "units": pack.units, "subjects": pack.subjects, "axes": pack.axes, "criteria": pack.criteria,
        "exemptions": pack.exemptions, "measures": pack.measures, "reporting": pack.reporting, "data": pack.data,
        "procedure": pack.procedure, "rights": pack.rights,
    }  # fmt: skip
    for part, rows in parts.items():
        for row in rows:
            name = next(name for key in ("id", "field", "step", "right") if (name := getattr(row, key, "")))
            yield f"{part}.{name}.ref", row.ref
    for place, deadline in deadlines_of(pack):
        yield f"{place}.ref", deadline.ref
        yield f"{place}.rolls_ref", deadline.rolls_ref
    for field in pack.data:
        yield f"data.{field.field}.retention_ref", field.retention_ref
    yield "notice_evidence.ref", pack.notice_evidence.ref


def deadlines_of(pack: Pack) -> Iterator[tuple[str, Deadline]]:
    """Every deadline of a pack, with its place.

    Parameters
    ----------
    pack : Pack

    Yields
    ------
    (str, Deadline)
        ``procedure.reply.deadline``, for example.
    """
    for step in pack.procedure:
        if step.deadline is not None:
            yield f"procedure.{step.step}.deadline", step.deadline
    for right in pack.rights:
        if right.deadline is not None:
            yield f"rights.{right.right}.deadline", right.deadline
