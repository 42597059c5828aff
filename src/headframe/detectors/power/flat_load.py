"""`flat_load`: how much of a load is always there and does not vary.

A machine that runs day and night is power that is there on nine days of ten even in the quietest hours, and that brings
no noise. So the figure is the floor of the load, discounted by how much the quiet hours vary from day to day:
``floor^2 / (floor + weight * spread)``, in units of the mean power. It is 1 for a constant load. The literature's load
factor (mean over peak) is nearly useless on buildings, because a single busy hour hides a machine; the floor is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headframe.detectors.power import likeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headframe.records.reading import LoadBatch, Surroundings

DETECTOR = "flat_load"
VERSION = "1"

BLIND_SPOTS: tuple[str, ...] = (
    "Server rooms, cold stores, ventilation that never stops and street lighting are as flat.",
    "A machine that is small beside the site, or beside the site's own floor.",
    "A machine that rests for some hours of each day: its power is not in the floor.",
)


@dataclass(frozen=True)
class FlatLoadParameters:
    """What `measure` goes by.

    Attributes
    ----------
    spread_weight : float
        How much variation discounts the floor; 2, as the discount of `homes`.
    """

    spread_weight: float = 2.0


class FlatLoadMeasures(NamedTuple):
    """Of each usage point, in shares of its mean power; NaN where the data are insufficient.

    Attributes
    ----------
    floor, spread : float32[n]
        Floor of the load; spread of the quiet hours between the quartiles of days. [unitless]
    flatness : float64[n]
        The floor, discounted. [unitless]
    """

    floor: NDArray[np.float32]
    spread: NDArray[np.float32]
    flatness: NDArray[np.float64]


def measure(
    batch: LoadBatch,
    surroundings: Surroundings,
    parameters: FlatLoadParameters = FlatLoadParameters(),
    shapes: likeness.LikenessMeasures | None = None,
) -> FlatLoadMeasures:
    """Floor and flatness of each usage point; `shapes` of the same batch saves going over the readings again."""
    found = shapes or likeness.measure(batch, surroundings)
    floor, spread = found.floor.astype(np.float64), found.night_spread.astype(np.float64)
    flatness = floor**2 / np.maximum(floor + parameters.spread_weight * spread, 1e-6)
    return FlatLoadMeasures(found.floor, found.night_spread, flatness)


def score(measures: FlatLoadMeasures) -> NDArray[np.float64]:
    """Higher is flatter; from 0 to about 1."""
    return measures.flatness


def explain(measures: FlatLoadMeasures, at: int) -> str:
    """What is said of one usage point; empty where the data were insufficient."""
    if np.isnan(measures.flatness[at]):
        return ""
    return (
        f"On nine days of ten the load does not fall below {measures.floor[at]:.0%} of its mean for two hours, and its "
        f"quiet hours vary by {measures.spread[at]:.1%} of the mean from day to day."
    )
