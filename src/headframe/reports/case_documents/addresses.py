"""Where one writes to: the unit that writes, and the bodies that hear appeals.

It is public, and an organisation's: a desk, a postal address, a portal. The workspace says it by unit
(``headframe workspace answer``); a policy pack may say it of its units and bodies.
"""

from __future__ import annotations

from headframe.records.case import CaseFile
from headframe.records.policy import Pack, Right, Step, UnitRole
from headframe.reports.case_documents.speech import Speech


def acting_unit_id(pack: Pack, step: Step) -> str:
    """Id of the unit that takes a step of the procedure; else of the one that leads; else of the pack's first."""
    for one in pack.procedure:
        if one.step is step and one.actor:
            return one.actor
    for role in (UnitRole.LEAD, UnitRole.DECIDE):
        for unit in pack.units:
            if role in unit.roles:
                return unit.id
    return pack.units[0].id if pack.units else ""


def address_lines(file: CaseFile, pack: Pack, unit_id: str, speech: Speech) -> list[tuple[str, str]]:
    """Where a unit is written to, as labels with what they say.

    Parameters
    ----------
    file : CaseFile
        With what the workspace says.
    pack : Pack
    unit_id : str
        Of the pack.
    speech : Speech

    Returns
    -------
    list of (str, str)
        Empty where nobody has said it.
    """
    said = file.answers.get(unit_id) or file.answers.get("")
    if said is not None:
        parts = (("desk", said.desk), ("postal", said.postal), ("portal", said.portal))
        return [(speech.say(f"where.{name}"), text) for name, text in parts if text]
    words = next((unit.answer for unit in pack.units if unit.id == unit_id), {})
    return [(speech.say("where.place"), speech.of(words))] if words else []


def body_address(file: CaseFile, pack: Pack, right: Right, speech: Speech) -> str:
    """Where the body that grants a right is written to; empty where nobody has said it."""
    said = file.answers.get(right.id) if right.id else None
    said = said or (file.answers.get(right.body) if right.body else None)
    if said is not None:
        return speech.listed((said.desk, said.postal, said.portal))
    unit = next((unit for unit in pack.units if unit.id == right.body), None)
    return speech.of(right.answer or (unit.answer if unit is not None else {}))


def answer_is_known(file: CaseFile, pack: Pack, step: Step) -> bool:
    """Whether a letter of a step can say where to answer."""
    unit_id = acting_unit_id(pack, step)
    if file.answers.get(unit_id) or file.answers.get(""):
        return True
    return any(unit.id == unit_id and unit.answer for unit in pack.units)
