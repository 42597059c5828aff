"""What a pack cites: which instrument and which place in it, and whether somebody's citation is one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headframe.records.policy import Instrument, Pack

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
    parts = (
        pack.units, pack.subjects, pack.axes, pack.criteria, pack.exemptions, pack.data, pack.measures,
        pack.procedure, pack.rights, pack.reporting,
    )  # fmt: skip
    for part in parts:
        for row in part:
            yield row.ref
    for field in pack.data:
        yield field.retention_ref
    for measure in pack.measures:
        yield from measure.legal_basis
    deadlines = [step.deadline for step in pack.procedure] + [right.deadline for right in pack.rights]
    for deadline in deadlines:
        if deadline is not None:
            yield deadline.ref
            yield deadline.rolls_ref
    yield pack.notice_evidence.ref
