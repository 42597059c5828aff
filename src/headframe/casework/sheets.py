"""Calculation sheets from files, as ``headframe policy`` writes them."""

from __future__ import annotations

import json
from pathlib import Path

from headframe.cases.codec import value_from_json
from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.policy import CalculationSheet


def read_sheet(path: Path) -> CalculationSheet:
    """A calculation sheet from its JSON document.

    Raises
    ------
    UnreadableInput
        If the file cannot be read.
    HeadframeError
        If it is no sheet; the message names the key.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as fault:
        raise UnreadableInput(f"{path}: cannot be read: {fault.strerror}") from fault
    except ValueError as fault:
        raise HeadframeError(f"{path}: is no JSON: {fault}") from fault
    try:
        sheet = value_from_json(document, CalculationSheet, "sheet")
    except ValueError as fault:
        raise HeadframeError(f"{path}: is no calculation sheet: {fault}") from fault
    assert isinstance(sheet, CalculationSheet)
    return sheet
