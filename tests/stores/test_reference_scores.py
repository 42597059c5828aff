"""Reference scores as a file: there and back, and the one that ships."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from headframe.detectors.power import homes, likeness
from headframe.evidence.peers import LEAST_BUILDINGS, ReferencePopulation, reference_p_values
from headframe.stores.reference_scores import load_references, save_references


def test_there_and_back(tmp_path: Path) -> None:
    """Scores, holes, sources and factor survive; the same populations make the same bytes."""
    one = ReferencePopulation("home", "3", ("b", "a"), ((1.0, math.nan), (-2.25,)), 1.4)
    save_references({"home": one}, {"home": "two"}, tmp_path / "a.json")
    got = load_references(tmp_path / "a.json")["home"]
    assert (got.kind, got.score_version, got.sources, got.transfer) == ("home", "3", ("a", "b"), 1.4)
    assert got.scores[0] == (-2.25,)
    assert got.scores[1][0] == 1.0
    assert math.isnan(got.scores[1][1])
    save_references({"home": got}, {"home": "two"}, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "x"}', '{"format": "headframe-reference-scores-1"}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    """By name, with ValueError only."""
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="does not hold reference scores"):
        load_references(path)


def test_what_ships_fits_the_scores_of_this_version() -> None:
    """Both kinds, of the detectors' versions, enough buildings of several sources, and a charge for being another's."""
    references = load_references()
    for kind, version in (("home", homes.VERSION), ("commercial", likeness.VERSION)):
        own = references[kind]
        assert own.score_version == version
        assert len(own.scores) >= LEAST_BUILDINGS
        assert len(set(own.sources)) >= 2
        assert own.transfer > 1.0
        assert np.isfinite(reference_p_values(own, [0.0, 5.0])).all()
