"""Who is compared with whom."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.detectors.power.peers import COMMERCIAL, HOME, are_homes, peer_groups
from headframe.records.reading import UsagePoint
from headframe.records.site import SourceRow


def point(name: str, tariff: str = "", region: str = "") -> UsagePoint:
    return UsagePoint(usage_point=name, tariff_class=tariff, region=region, source=SourceRow("points.csv", 2))


def test_homes_go_by_tariff_class_and_else_by_size() -> None:
    """A named class wins over the mean power; nothing known and small is a home; no mean is none."""
    known = {"big": point("big", "Residential ToU"), "shop": point("shop", "commercial-lv")}
    found = are_homes(["big", "shop", "small", "large", "none"], [9000, 500, 500, 9000, math.nan], known)
    assert found.tolist() == [True, False, True, False, False]


def test_groups_are_narrow_only_where_there_are_enough() -> None:
    """100 of a region and tariff stay together; the few of another region fall back to their size."""
    names = [f"p{at}" for at in range(150)]
    known = {name: point(name, "lv", "north" if at < 120 else "south") for at, name in enumerate(names)}
    groups = peer_groups(names, np.full(150, 5_000.0), known)
    assert len(set(groups.group[:120].tolist())) == 1
    assert len(set(groups.group[120:].tolist())) == 1
    assert groups.group[0] != groups.group[149]
    assert groups.labels[groups.group[0]] == "commercial points of tariff class lv of 4.096 to 16.384 kW mean in north"


def test_without_a_table_it_is_homes_and_commercial_points_by_size() -> None:
    """Sizes are kept apart where there are enough points of one, and pooled where not."""
    mean = np.concatenate([np.full(100, 400.0), np.full(100, 5_000.0), np.full(5, 500_000.0)])
    groups = peer_groups([str(at) for at in range(205)], mean)
    assert [groups.kinds[at] for at in groups.group[[0, 100, 204]]] == [HOME, COMMERCIAL, COMMERCIAL]
    assert groups.group[100] != groups.group[204]


@given(st.lists(st.one_of(st.floats(0, 1e7), st.just(math.nan)), max_size=60), st.integers(1, 30))
def test_every_point_with_a_mean_has_one_group_of_its_kind(mean: list[float], enough: int) -> None:
    """Whatever the powers: -1 only without one, labels and kinds for each group, homes and others never mixed."""
    names = [str(at) for at in range(len(mean))]
    groups = peer_groups(names, mean, enough=enough)
    homes = are_homes(names, mean)
    assert len(groups.kinds) == len(groups.labels) == len(set(groups.group.tolist()) - {-1})
    for at in range(len(mean)):
        assert (groups.group[at] == -1) == math.isnan(mean[at])
        if groups.group[at] >= 0:
            assert (groups.kinds[groups.group[at]] == HOME) == homes[at]


def test_shapes_must_fit() -> None:
    """One mean for each point."""
    with pytest.raises(ValueError, match="one mean power"):
        peer_groups(["a"], [1.0, 2.0])
