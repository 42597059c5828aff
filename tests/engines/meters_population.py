"""Made-up usage points for the engine: shops and households with weekdays, seasons and noise, and machines in some."""

from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from headframe.records.reading import LoadBatch, LocalClock, Surroundings

START_S = 1_641_168_000
"""2022-01-03 00:00 UTC, a Monday."""
Series = tuple[str, int, NDArray[np.float32]]


def utc() -> Surroundings:
    """A region on UTC without holidays."""
    clock = LocalClock(
        zone="UTC", from_s=np.zeros(1, np.int64), offset_s=np.zeros(1, np.int32), holidays=np.zeros(0, np.int32)
    )
    return Surroundings(clock=clock)


def shop(name: str, seed: int, *, days: int = 70, machine_w: float = 0.0, since_day: int = 0) -> Series:
    """Opens at some hour on working days; 20 to 60 kW; a machine that runs from a day on."""
    rng = np.random.default_rng(seed)
    hour = np.arange(24 * days)
    of_day, weekday = hour % 24, (hour // 24) % 7
    opens, closes = rng.integers(6, 9), rng.integers(17, 21)
    base = rng.uniform(6e3, 15e3)
    work = rng.uniform(15e3, 45e3)
    shape = np.clip(np.minimum(of_day - opens + 1, closes - of_day), 0, 2) / 2 * np.where(weekday < 5, 1.0, 0.25)
    daily = np.repeat(rng.normal(1, 0.08, days), 24)
    power = (base + work * shape * daily) * (1 + 0.1 * np.cos(2 * np.pi * hour / 8760)) * rng.normal(1, 0.03, hour.size)
    power += machine_w * (hour >= 24 * since_day)
    return name, START_S, power.astype(np.float32)


def home(name: str, seed: int, *, days: int = 70, machine_w: float = 0.0) -> Series:
    """Standby, a refrigerator, cooking, evenings."""
    rng = np.random.default_rng(seed)
    hour = np.arange(24 * days)
    of_day = hour % 24
    evening = np.exp(-0.5 * ((of_day - 19) / 2.0) ** 2) * 900
    power = rng.uniform(40, 110) + evening * rng.gamma(2, 0.5, hour.size) + rng.gamma(1, 60, hour.size) + machine_w
    return name, START_S, power.astype(np.float32)


def batches_of(
    series: Sequence[Series], per_batch: int = 1_000
) -> Callable[[Collection[str] | None], Iterator[LoadBatch]]:
    """The series in batches of so many points, as a lake gives them: in order of name."""
    ordered = sorted(series, key=lambda one: one[0])

    def batches(usage_points: Collection[str] | None = None) -> Iterator[LoadBatch]:
        chosen = [one for one in ordered if usage_points is None or one[0] in usage_points]
        for at in range(0, len(chosen), per_batch):
            some = chosen[at : at + per_batch]
            yield LoadBatch(
                usage_points=tuple(name for name, _, _ in some),
                first=np.cumsum([0, *(power.size for _, _, power in some)]).astype(np.int64),
                start_s=np.array([start for _, start, _ in some], np.int64),
                step_s=3600,
                power_w=np.concatenate([power for _, _, power in some]),
            )

    return batches
