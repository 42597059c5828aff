"""`off_hours`: a load that rises when people leave, and falls when they come.

A machine that runs at night only, or is switched off for the evening peak, makes two steps of one size at fixed hours,
on weekdays and at weekends alike. People's loads do not: they ramp over hours, and differ at weekends. The figure is
the smallest of the steps that the typical weekday and the typical weekend day share: up in the evening, down 5 to 12
hours later; in units of the mean power.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headframe.detectors.power import likeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headframe.records.reading import LoadBatch, Surroundings

DETECTOR = "off_hours"
VERSION = "1"

BLIND_SPOTS: tuple[str, ...] = (
    "Storage heaters and water heaters on a night tariff, and outdoor lighting, make the same steps.",
    "Where people begin work as the machine stops, their rise hides its fall.",
    "A machine whose hours change from day to day.",
)


@dataclass(frozen=True)
class OffHoursParameters:
    """What `measure` goes by: the hours are those of `kernels.load_shape`, nothing is to be set.

    Attributes
    ----------
    least_share : float
        Steps below this share of the mean power are not spoken of. Half of all innocent windows of the split `tune`
        have none at all. [unitless]
    """

    least_share: float = 0.03


class OffHoursMeasures(NamedTuple):
    """Of each usage point; NaN where the data are insufficient.

    Attributes
    ----------
    night_edges : float64[n]
        The common step over the mean power. [unitless]
    """

    night_edges: NDArray[np.float64]


def measure(
    batch: LoadBatch,
    surroundings: Surroundings,
    parameters: OffHoursParameters = OffHoursParameters(),
    shapes: likeness.LikenessMeasures | None = None,
) -> OffHoursMeasures:
    """The common step of each usage point; `shapes` of the same batch saves going over the readings again."""
    found = shapes or likeness.measure(batch, surroundings)
    return OffHoursMeasures(found.night_edges.astype(np.float64))


def score(measures: OffHoursMeasures) -> NDArray[np.float64]:
    """Higher is more night-only; 0 where there is no such step."""
    return measures.night_edges


def explain(measures: OffHoursMeasures, at: int, parameters: OffHoursParameters = OffHoursParameters()) -> str:
    """What is said of one usage point; empty where there is nothing to say."""
    if not measures.night_edges[at] >= parameters.least_share:
        return ""
    return (
        f"Each evening, weekdays and weekends alike, the load steps up by at least {measures.night_edges[at]:.0%} of "
        "its mean at one hour, and down again after the night."
    )
