"""Our heating and cooling loads beside those of OpenDSM's daily model, on drawn sites of known slope.

    pip install opendsm "multimethod<2"
    python bench/temperature_slope.py

OpenDSM is a peer here and no part of the project: see docs/estimates.md.
"""

import logging

import numpy as np
import pandas
from opendsm.eemeter import DailyBaselineData, DailyModel

from headframe.detectors.power.counter_hypotheses import CounterHypothesisParameters, temperature_response

DAYS = 365


def theirs(daily_w: np.ndarray, temperature_c: np.ndarray) -> tuple[float, float]:
    """Mean heating and cooling load by OpenDSM. [W]"""
    index = pandas.date_range("2021-01-01", periods=len(daily_w), freq="D", tz="UTC")
    observed = pandas.Series(daily_w * 24 / 1000, index, name="observed")
    fahrenheit = pandas.Series(temperature_c * 9 / 5 + 32, index, name="temperature")
    data = DailyBaselineData.from_series(observed, fahrenheit, is_electricity_data=True)
    table = DailyModel().fit(data, ignore_disqualification=True).predict(data, ignore_disqualification=True)
    return tuple(float(np.nanmean(table[name])) * 1000 / 24 for name in ("heating_load", "cooling_load"))


def main() -> None:
    logging.getLogger("eemeter").setLevel(logging.CRITICAL)
    print(f"{'true':>16}  {'OpenDSM':>16}  {'ours':>16}   heating / cooling [W], mean over the year")
    for seed, (heating, cooling) in enumerate([(400, 0), (400, 0), (150, 0), (0, 300), (200, 200), (0, 0)]):
        rng = np.random.default_rng(seed)
        t = 10 - 9 * np.cos(2 * np.pi * np.arange(DAYS) / 365) + rng.normal(0, 2, DAYS)
        parts = heating * np.clip(15 - t, 0, None), cooling * np.clip(t - 16, 0, None)
        y = 5000 + parts[0] + parts[1] + rng.normal(0, 150, DAYS)
        ours = temperature_response(y, t, np.arange(DAYS) % 7, CounterHypothesisParameters())
        rows = [(parts[0].mean(), parts[1].mean()), theirs(y, t), (ours.heating_w, ours.cooling_w)]
        print("  ".join(f"{a:7.0f} / {b:6.0f}" for a, b in rows))


if __name__ == "__main__":
    main()
