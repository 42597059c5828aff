"""Which usage points are comparable: same kind of premises, tariff class, region and size.

A score means something only beside those of comparable points. Groups are as narrow as they can be while they hold
enough points; where they hold too few, the region is given up first, then the size, then the tariff class, and the
kind of premises never.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headframe.records.reading import UsagePoint

HOME = "home"
COMMERCIAL = "commercial"

HOME_MOST_MEAN_W = 3_000.0
"""A point with no tariff class counts as a household up to this mean power. Of the 15 measured homes the largest has
1.2 kW with a standard deviation that leaves 3 kW far out; of 85 university buildings few lie below. [W]"""
HOME_WORDS = ("household", "residential", "domestic", "home", "dwelling", "h0", "economy 7")
SIZE_STEP = 4.0
"""Points within a factor of this in mean power are of one size."""
ENOUGH_PEERS = 100
"""A group of so many can show a p-value of 0.01."""


@dataclass(frozen=True, slots=True)
class PeerGroups:
    """Who is compared with whom.

    Attributes
    ----------
    group : int64[n]
        Group of each usage point, -1 where it has no mean power.
    kinds : tuple of str
        Of each group: ``home`` or ``commercial``.
    labels : tuple of str
        Of each group, in words for an explanation.
    """

    group: NDArray[np.int64]
    kinds: tuple[str, ...]
    labels: tuple[str, ...]


def are_homes(
    usage_points: Sequence[str], mean_power_w: ArrayLike, known: Mapping[str, UsagePoint] | None = None
) -> NDArray[np.bool_]:
    """Which usage points are households: by tariff class where there is one, by mean power where not.

    Parameters
    ----------
    usage_points : sequence of str
    mean_power_w : float64[n]
        NaN: not a household. [W]
    known : mapping, optional
        What the utility's tables say of a usage point.

    Returns
    -------
    bool[n]

    Examples
    --------
    >>> are_homes(["a", "b"], [400.0, 9000.0])
    array([ True, False])
    """
    mean = np.asarray(mean_power_w, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        homes = mean < HOME_MOST_MEAN_W
    for at, name in enumerate(usage_points):
        point = known.get(name) if known else None
        if point is not None and point.tariff_class:
            words = point.tariff_class.lower()
            homes[at] = any(word in words for word in HOME_WORDS) and not math.isnan(mean[at])
    return np.asarray(homes)


def peer_groups(
    usage_points: Sequence[str],
    mean_power_w: ArrayLike,
    known: Mapping[str, UsagePoint] | None = None,
    enough: int = ENOUGH_PEERS,
) -> PeerGroups:
    """Comparable usage points, as narrowly as there are enough of them.

    The rule looks at tariff class, region and mean power, never at a score; a machine moves its own site's mean power,
    and so may move the site to the next size, where it stands beside larger ones.

    Parameters
    ----------
    usage_points : sequence of str
        n names, each once.
    mean_power_w : float64[n]
        NaN where a point has too few readings to have a score. [W]
    known : mapping, optional
        What the utility's tables say of a usage point.
    enough : int
        A narrower group needs so many members.

    Returns
    -------
    PeerGroups

    Raises
    ------
    ValueError
        If there is not one mean power for each usage point.
    """
    mean = np.asarray(mean_power_w, dtype=np.float64)
    if mean.shape != (len(usage_points),):
        raise ValueError(f"one mean power for each usage point: {mean.shape} for {len(usage_points)}")
    homes = are_homes(usage_points, mean, known)
    keys: list[tuple[tuple[object, ...], ...]] = []
    for at, name in enumerate(usage_points):
        if math.isnan(mean[at]):
            keys.append(())
            continue
        point = known.get(name) if known else None
        kind = HOME if homes[at] else COMMERCIAL
        tariff = point.tariff_class if point is not None else ""
        region = point.region if point is not None else ""
        # Households are of one size: absolute watts are what their score goes by.
        size = 0 if homes[at] else math.floor(math.log(max(mean[at], 1.0), SIZE_STEP))
        keys.append(((kind, tariff, size, region), (kind, tariff, size, None), (kind, tariff, None, None), (kind,) * 1))
    members = Counter(key for own in keys for key in own)
    chosen = [next((key for key in own if members[key] >= enough), own[-1]) if own else None for own in keys]
    order = sorted({key for key in chosen if key is not None}, key=repr)
    place = {key: at for at, key in enumerate(order)}
    return PeerGroups(
        group=np.array([-1 if key is None else place[key] for key in chosen], dtype=np.int64),
        kinds=tuple(str(key[0]) for key in order),
        labels=tuple(_label(key) for key in order),
    )


def _label(key: tuple[object, ...]) -> str:
    words = ["households" if key[0] == HOME else "commercial points"]
    if len(key) > 1:
        _, tariff, size, region = key
        if tariff:
            words.append(f"of tariff class {tariff}")
        if isinstance(size, int) and key[0] != HOME:
            words.append(f"of {SIZE_STEP**size / 1000:g} to {SIZE_STEP ** (size + 1) / 1000:g} kW mean")
        if region:
            words.append(f"in {region}")
    return " ".join(words)
