"""The reference population's scores as a file: JSON, one object a kind, one row a building, in stable order.

Figures only: which building of a source a row is, is not told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headframe.evidence.peers import ReferencePopulation

BUILTIN_REFERENCES = Path(__file__).with_name("reference_scores.json")
FORMAT = "headframe-reference-scores-1"


def load_references(path: Path = BUILTIN_REFERENCES) -> dict[str, ReferencePopulation]:
    """Read reference populations, by kind of premises.

    Parameters
    ----------
    path : Path
        The file that ships with the package, unless told otherwise.

    Returns
    -------
    dict
        ``home`` and ``commercial`` to a `ReferencePopulation`.

    Raises
    ------
    ValueError
        If the file is no such file.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"its format is {document['format']!r}, not {FORMAT!r}")
        return {str(entry["kind"]): _population(entry) for entry in document["populations"]}
    except (ValueError, KeyError, TypeError) as fault:
        raise ValueError(f"{path} does not hold reference scores: {fault}") from fault


def save_references(populations: Mapping[str, ReferencePopulation], notes: Mapping[str, str], path: Path) -> None:
    """Write reference populations: same scores, same bytes.

    Parameters
    ----------
    populations : mapping
        By kind.
    notes : mapping
        By kind, what they were made of, in words.
    path : Path
    """
    entries = []
    for kind in sorted(populations):
        population = populations[kind]
        rows = sorted(
            (
                (source, [None if math.isnan(score) else round(score, 2) for score in own])
                for source, own in zip(population.sources, population.scores, strict=True)
            ),
            key=repr,
        )
        entries.append(
            {
                "kind": kind,
                "score_version": population.score_version,
                "made_of": notes.get(kind, ""),
                "transfer": population.transfer,
                "buildings": [{"source": source, "scores": own} for source, own in rows],
            }
        )
    text = json.dumps({"format": FORMAT, "populations": entries}, indent=1)
    path.write_text(_one_line_rows(text) + "\n", encoding="utf-8")


def _population(entry: Mapping[str, Any]) -> ReferencePopulation:
    transfer = float(entry["transfer"])
    if not 1.0 <= transfer < math.inf:
        raise ValueError(f"transfer must be 1 or more, got {transfer}")
    return ReferencePopulation(
        kind=str(entry["kind"]),
        score_version=str(entry["score_version"]),
        sources=tuple(str(row["source"]) for row in entry["buildings"]),
        scores=tuple(
            tuple(math.nan if score is None else float(score) for score in row["scores"]) for row in entry["buildings"]
        ),
        transfer=transfer,
    )


def _one_line_rows(text: str) -> str:
    """Lists of figures on one line each: a line is a building."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if inside:
            lines[-1] += line.strip() + (" " if line.strip().endswith(",") else "")
            inside = not line.strip().startswith("]")
        else:
            lines.append(line)
            inside = line.strip() == '"scores": ['
    return "\n".join(lines)
