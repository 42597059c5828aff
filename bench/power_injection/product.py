"""What is judged: Headframe's own scores, p-values and estimates, as the benchmark takes them."""

from __future__ import annotations

import numpy as np

from bench.power_injection.meters import Window
from bench.power_injection.trial import Score, batch_of, price_over, temperature_over
from headframe.detectors.power import counter_hypotheses as counter
from headframe.detectors.power import estimates, homes, likeness
from headframe.evidence.peers import reference_p_values
from headframe.records.load_finding import CounterHypothesis, LoadEstimate
from headframe.records.reading import HourlySeries, LocalClock, Surroundings
from headframe.stores.reference_scores import load_references

BARE = Surroundings(
    clock=LocalClock("UTC", np.zeros(1, np.int64), np.zeros(1, np.int32), np.zeros(0, np.int32)),
)
"""No weather, no price, no zone: what a user has who hands over readings alone."""


def around(window: Window) -> Surroundings:
    """Weather and price of a window; one window's, because the price may come from another year."""
    hours = window.power_w.size
    return Surroundings(
        clock=BARE.clock,
        temperature_c=HourlySeries(start_s=window.start_s, step_s=3600, values=temperature_over(window.start_s, hours)),
        price_per_kwh=HourlySeries(start_s=window.start_s, step_s=3600, values=price_over(window.start_s, hours)),
    )


def commercial(found: list[Window]) -> np.ndarray:
    """The score of usage points that are no homes, from readings alone."""
    return np.asarray(likeness.score(likeness.measure(batch_of(found), BARE)), np.float64)


def commercial_threshold(rate: float = 0.01) -> float:
    """The score that a share `rate` of the windows of other buildings exceeds, each building with the same weight.

    The shipped model was fitted on the buildings of `design` and `tune`, so its scores of them would set a threshold
    too low. Here are their scores by models that never saw them: the shipped reference (`reference_scores`).
    """
    reference = load_references()["commercial"]
    scores = [np.array(own) for own in reference.scores]
    scores = [own[~np.isnan(own)] for own in scores]
    weight = np.concatenate([np.full(own.size, 1 / own.size) for own in scores])
    value = np.concatenate(scores)
    order = np.argsort(-value)
    above = np.cumsum(weight[order]) / weight.sum()
    return float(value[order][np.searchsorted(above, rate)])


def commercial_with_weather(found: list[Window]) -> np.ndarray:
    """The same with each window's weather and price."""
    return np.array([float(likeness.score(likeness.measure(batch_of([w]), around(w)))[0]) for w in found])


def estimate(window: Window) -> LoadEstimate | None:
    """What the load amounts to, from readings alone."""
    return estimates.estimate(window.power_w, window.start_s, BARE)


def counter_hypotheses(window: Window, *, home: bool) -> tuple[CounterHypothesis, ...]:
    """What else the load could be, with the weather known."""
    load = estimates.estimate(window.power_w, window.start_s, around(window), home=home)
    if load is None:
        return ()
    return counter.counter_hypotheses(window.power_w, window.start_s, around(window), load)


def home(found: list[Window]) -> np.ndarray:
    """The score of a home."""
    return np.asarray(homes.score(homes.measure(batch_of(found), BARE)), np.float64)


def p_of(kind: str, score: Score) -> Score:
    """-log10 of the p-value that the shipped reference population gives to a score, without any peers in the run."""
    from headframe.stores.reference_scores import BUILTIN_REFERENCES, load_references

    reference = load_references(BUILTIN_REFERENCES)[kind]

    def minus_log10_p(found: list[Window]) -> np.ndarray:
        return -np.log10(reference_p_values(reference, score(found)))

    return minus_log10_p
