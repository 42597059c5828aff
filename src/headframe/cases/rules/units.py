"""Which unit of the pack may say yes."""

from __future__ import annotations

from headframe.cases.question import Question, Refusals, unit_ids
from headframe.records.policy import Pack, UnitRole


def deciding_units(pack: Pack) -> frozenset[str]:
    """Units with the role to decide or to lead."""
    roles = {UnitRole.DECIDE, UnitRole.LEAD}
    return frozenset(unit.id for unit in pack.units if roles & unit.roles)


def in_deciding_unit(question: Question, who: str) -> Refusals:
    """The account belongs to a unit that decides or leads."""
    units = deciding_units(question.pack)
    if question.account.unit not in units:
        yield (
            f"{who} must belong to a unit that decides or leads in pack {question.pack.id} "
            f"({unit_ids(units)}); {question.account.name} belongs to {question.account.unit}"
        )


def in_unit(question: Question, unit: str, who: str) -> Refusals:
    """The account belongs to this unit."""
    if question.account.unit != unit:
        yield f"{who} must belong to {unit}; {question.account.name} belongs to {question.account.unit}"
