"""What a practitioner would run: the literature's rules in plain pandas, boosting on shape features, opendsm's flow.

Each rule takes a long table (`usage_point`, `start`, `power_w`) and gives a series by usage point, higher is more
mining-like. The rules are the common ones for flat loads: load factor, night over day, a step in the daily minimum.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from bench.power_injection.meters import Window
from bench.power_injection.trial import Score, innocents, positives, temperature_over

OPENDSM_SCORES = Path(__file__).parents[2] / "build" / "bench" / "opendsm_scores.json"
STEP_SIDE_DAYS = 7
"""Days that a step must have on either side."""


def frame_of(found: Sequence[Window]) -> pd.DataFrame:
    """Windows as a long table; the usage point is the window's place in the list."""
    sizes = [w.power_w.size for w in found]
    start = np.concatenate([w.start_s + 3600 * np.arange(w.power_w.size, dtype=np.int64) for w in found])
    return pd.DataFrame(
        {
            "usage_point": np.repeat(np.arange(len(found)), sizes),
            "start": pd.to_datetime(start, unit="s"),
            "power_w": np.concatenate([w.power_w for w in found]).astype(np.float64),
        }
    )


def scored_by(rule: Callable[[pd.DataFrame], pd.Series]) -> Score:
    """A rule as a score of windows."""

    def score(found: list[Window]) -> np.ndarray:
        return rule(frame_of(found)).reindex(range(len(found))).to_numpy(np.float64)

    return score


def load_factor(table: pd.DataFrame) -> pd.Series:
    """Mean over peak."""
    power = table.groupby("usage_point")["power_w"]
    return power.mean() / power.max()


def night_over_day(table: pd.DataFrame) -> pd.Series:
    """Mean of 0 to 6 o'clock over mean of 8 to 20 o'clock."""
    hour = table["start"].dt.hour
    night = table[hour < 6].groupby("usage_point")["power_w"].mean()
    return night / table[(hour >= 8) & (hour < 20)].groupby("usage_point")["power_w"].mean()


def step_in_daily_minimum(table: pd.DataFrame) -> pd.Series:
    """Largest rise of the mean daily minimum between two parts, over the site's mean."""
    day = table["start"].dt.floor("D")
    lowest = table.groupby(["usage_point", day])["power_w"].min()
    mean = table.groupby("usage_point")["power_w"].mean()

    def rise(values: pd.Series) -> float:
        values = values.dropna().to_numpy()
        n = values.size
        if n < 2 * STEP_SIDE_DAYS + 1:
            return float("nan")
        before = np.cumsum(values)[STEP_SIDE_DAYS - 1 : n - STEP_SIDE_DAYS]
        at = np.arange(STEP_SIDE_DAYS, n - STEP_SIDE_DAYS + 1)
        return float(((values.sum() - before) / (n - at) - before / at).max())

    return lowest.groupby(level=0).apply(rise) / mean


RULES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "load factor": load_factor,
    "night over day": night_over_day,
    "step in the daily minimum": step_in_daily_minimum,
}


def shape_features(table: pd.DataFrame) -> pd.DataFrame:
    """Sixteen figures of a load's shape, free of its size."""
    power = table.groupby("usage_point")["power_w"]
    mean = power.mean()
    scaled = table["power_w"] / table["usage_point"].map(mean)
    own = scaled.groupby(table["usage_point"])
    hour, weekday = table["start"].dt.hour, table["start"].dt.dayofweek
    night, day, weekend = hour < 6, (hour >= 8) & (hour < 20), weekday >= 5
    lowest = scaled.groupby([table["usage_point"], table["start"].dt.floor("D")]).min()
    profile = scaled.groupby([table["usage_point"], hour]).mean()
    low, middle, high = own.quantile(0.05), own.quantile(0.5), own.quantile(0.95)

    def lagged(hours: int) -> pd.Series:
        moved = own.shift(hours)
        both = scaled.notna() & moved.notna()
        a, b = scaled[both], moved[both]
        key = table["usage_point"][both]
        by = lambda x: x.groupby(key)  # noqa: E731
        cross = by(a * b).mean() - by(a).mean() * by(b).mean()
        return cross / np.sqrt(by(a).var(ddof=0) * by(b).var(ddof=0))

    def part(chosen: pd.Series) -> pd.core.groupby.SeriesGroupBy:
        return scaled[chosen].groupby(table["usage_point"][chosen])

    near = ((scaled / table["usage_point"].map(middle) - 1).abs() < 0.05).astype(float)
    return pd.DataFrame(
        {
            "load_factor": 1 / own.max(),
            "p05": low,
            "p50": middle,
            "p95": high,
            "spread": own.std(),
            "skew": own.skew(),
            "night_over_day": part(night).mean() / part(day).mean(),
            "night_spread": part(night).std(),
            "weekend_over_week": part(weekend).mean() / part(~weekend).mean(),
            "floor_mean": lowest.groupby(level=0).mean(),
            "floor_spread": lowest.groupby(level=0).std(),
            "floor_step": step_in_daily_minimum(table),
            "profile_spread": profile.groupby(level=0).std(),
            "same_hour_yesterday": lagged(24),
            "same_hour_last_week": lagged(168),
            "near_median": near.groupby(table["usage_point"]).mean(),
        }
    )


@cache
def boosting(
    population: str = "commercial", split: str | tuple[str, ...] = "design", days: int = 56, seed: int = 2
) -> Score:
    """scikit-learn's gradient boosting on `shape_features`, fitted on the windows of a split."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    splits = (split,) if isinstance(split, str) else split
    clean = [w for s in splits for w in innocents(population, s, days)]
    dirty = [p.window for s in splits for p in positives(population, s, days, seed=seed)]
    features = shape_features(frame_of(clean + dirty)).to_numpy()
    label = np.repeat([0, 1], [len(clean), len(dirty)])
    model = HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=40, random_state=seed
    )
    model.fit(features, label)

    def score(found: list[Window]) -> np.ndarray:
        return model.decision_function(shape_features(frame_of(found)).to_numpy())

    return score


def opendsm_flow(found: list[Window]) -> np.ndarray:
    """opendsm's own flow: a weather-normalised daily baseline, and how far the days after it lie above its band.

    Of a window of up to a hundred days the first half is the baseline period; a longer one is judged on its last 56
    days by the year before them, which is what opendsm is made for. The score is the mean of (observed - predicted) /
    predicted_unc over the days that are judged. Its rules on sufficient data are switched off, or it would refuse all
    windows without a year of history. (Its hourly model cannot be fitted on four weeks at all.) Scores are kept in
    `OPENDSM_SCORES`; without that file all are computed again.
    """
    values = np.full(len(found), np.nan)
    known = _Kept(OPENDSM_SCORES)
    for k, window in enumerate(found):
        if (kept := known.get(window)) is not None:
            values[k] = kept
            continue
        began = time.perf_counter()
        values[k] = _opendsm_score(window)
        known.put(window, float(values[k]), time.perf_counter() - began)
    return values


def _opendsm_score(window: Window) -> float:
    """NaN where opendsm gives no answer: it counts as not found."""
    import logging

    from opendsm.eemeter import DailyBaselineData, DailyModel, DailyReportingData

    logging.getLogger("opendsm").setLevel(logging.CRITICAL)
    logging.getLogger("eemeter").setLevel(logging.CRITICAL)
    hours = window.power_w.size
    judged = 56 * 24 if hours > 100 * 24 else hours // 2 // 24 * 24
    power = window.power_w[-(judged + 365 * 24) :].astype(np.float64) / 1000
    start_s = window.start_s + (hours - power.size) * 3600
    index = pd.date_range(pd.Timestamp(start_s, unit="s", tz="UTC"), periods=power.size, freq="h")
    outside_f = temperature_over(start_s, power.size).astype(np.float64) * 9 / 5 + 32
    frame = pd.DataFrame({"observed": power, "temperature": outside_f}, index=index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            before = DailyBaselineData(frame[:-judged], is_electricity_data=True)
            model = DailyModel().fit(before, ignore_disqualification=True)
            after = DailyReportingData(frame[-judged:], is_electricity_data=True)
            days = model.predict(after, ignore_disqualification=True)
        except (ValueError, KeyError, IndexError, ZeroDivisionError):
            return float("nan")
    return float(((days["observed"] - days["predicted"]) / days["predicted_unc"]).mean())


class _Kept:
    """Scores of windows by a digest of their readings, in a file: a window costs opendsm seconds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scores: dict[str, tuple[float, float]] = json.loads(path.read_text()) if path.is_file() else {}

    @staticmethod
    def _key(window: Window) -> str:
        digest = hashlib.sha256(window.power_w.astype(np.float32).tobytes())
        return f"{window.start_s}:{digest.hexdigest()[:24]}"

    def get(self, window: Window) -> float | None:
        own = self.scores.get(self._key(window))
        return None if own is None else own[0]

    def seconds(self) -> list[float]:
        """What each window took."""
        return [own[1] for own in self.scores.values()]

    def put(self, window: Window, score: float, seconds: float) -> None:
        self.scores[self._key(window)] = score, round(seconds, 3)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.scores))


def opendsm_seconds() -> float:
    """Median time that opendsm's flow took for a window. [s]"""
    return float(np.median(_Kept(OPENDSM_SCORES).seconds() or [np.nan]))
