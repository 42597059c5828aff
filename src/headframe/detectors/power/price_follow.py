"""`price_follow`: a load that draws less where energy is dear, at the same hour of the day.

Prices are high when people use energy, so a plain correlation with the price only says that people are awake. So dear
hours are compared with cheap hours of the same hour of the day, weekdays and weekends apart: the mean difference over
its standard error, with days as the independent units [1]_. Which share of the hours counts as dear is not known; three
are tried and the best is taken, for everybody alike. Without a price there is no answer, but square dips of the load
are still part of `likeness`.

References
----------
.. [1] Liang, Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 73, 1986, section 2:
   the variance of a contrast from sums over independent clusters. doi:10.1093/biomet/73.1.13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headframe.detectors.power import likeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headframe.records.reading import LoadBatch, Surroundings

DETECTOR = "price_follow"
VERSION = "1"

BLIND_SPOTS: tuple[str, ...] = (
    "Batteries, car charging and heat pumps on a dynamic tariff follow the price as well, and lawfully.",
    "A price that the load does not see: a machine may follow another market's price, or a fixed timetable.",
    "In weeks with hardly any dear hour there is nothing to compare.",
)


@dataclass(frozen=True)
class PriceFollowParameters:
    """What `explain` goes by.

    Attributes
    ----------
    least_z : float
        Below this many standard errors nothing is said. With three tries a load that ignores the price exceeds 3 on
        less than one occasion of a hundred.
    """

    least_z: float = 3.0


class PriceFollowMeasures(NamedTuple):
    """Of each usage point; NaN without a price, or where the data are insufficient.

    Attributes
    ----------
    effect : float64[n]
        Mean load in cheap hours less that in dear ones, at the same hour of the day, over the mean power. [unitless]
    z : float64[n]
        The same over its standard error. [unitless]
    """

    effect: NDArray[np.float64]
    z: NDArray[np.float64]


def measure(
    batch: LoadBatch,
    surroundings: Surroundings,
    parameters: PriceFollowParameters = PriceFollowParameters(),
    shapes: likeness.LikenessMeasures | None = None,
) -> PriceFollowMeasures:
    """Response to the price of each usage point; `shapes` of the same batch saves going over the readings again."""
    found = shapes or likeness.measure(batch, surroundings)
    return PriceFollowMeasures(found.price_effect, found.price_z)


def score(measures: PriceFollowMeasures) -> NDArray[np.float64]:
    """Standard errors by which dear hours draw less."""
    return measures.z


def explain(measures: PriceFollowMeasures, at: int, parameters: PriceFollowParameters = PriceFollowParameters()) -> str:
    """What is said of one usage point; empty where there is nothing to say."""
    if not measures.z[at] >= parameters.least_z:
        return ""
    return (
        f"In dear hours it draws {measures.effect[at]:.0%} of its mean less than in cheap hours of the same hour of "
        f"the day, {measures.z[at]:.1f} standard errors."
    )
