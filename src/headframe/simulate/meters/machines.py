"""Mining machines: whole machines of one model, and what runs when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from headframe.simulate.meters.noise import Floats, autoregressive, blocks
from headframe.simulate.meters.places import FINE_S
from headframe.simulate.meters.setting import EVENING_PEAK, Setting

MODELS: tuple[tuple[str, float], ...] = (
    ("GPU rig, 6 cards", 720.0),
    ("GPU rig, 8 cards", 1050.0),
    ("Antminer S9", 1323.0),
    ("Antminer S17", 2385.0),
    ("Antminer S19j Pro", 3068.0),
    ("Antminer S19", 3250.0),
    ("Whatsminer M50", 3306.0),
    ("Whatsminer M30S", 3344.0),
    ("Antminer L7", 3425.0),
    ("Antminer S21", 3500.0),
)
"""Power at the wall as the makers state it, at 25 degrees C; rigs as 120 to 130 W a card with its supply. [W]"""


class Running(StrEnum):
    """What runs when, and where its energy passes; the first seven are those of `records.load_finding.Mode`."""

    ALWAYS_ON = "always_on"
    """Since before the data."""
    STEP = "step"
    STAGED = "staged"
    CURTAILED = "curtailed"
    """Off at the evening peak."""
    PRICE_FOLLOWING = "price_following"
    NIGHT_ONLY = "night_only"
    OFF_HOURS = "off_hours"
    """Nights, weekends and holidays."""
    OUTAGE = "outage"
    """Always on, but for outages, after which machines come back one after the other."""
    THROTTLED = "throttled"
    """Slower in the heat."""
    PARTIAL_BYPASS = "partial_bypass"
    """A part of the premises' energy passes the meter by, in all hours."""
    NIGHT_BYPASS = "night_bypass"
    """The machines pass the meter by at night; by day they stand still."""
    FULL_BYPASS = "full_bypass"
    """The meter sees nothing of the machines."""
    TAP = "tap"
    """On the line, at nobody's supply point."""
    EXPORT_DROP = "export_drop"
    """At a generator, before its meter: the feed-in falls."""


MODES_FOR_PREMISES = tuple(mode for mode in Running if mode not in (Running.TAP, Running.EXPORT_DROP))
UNMETERED = frozenset({Running.PARTIAL_BYPASS, Running.NIGHT_BYPASS, Running.FULL_BYPASS, Running.TAP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Farm:
    """Machines at one place.

    Attributes
    ----------
    mode : Running
    model : str
    machines : int
    power_w : float
        Of all of them while all run, with their cooling. [W]
    onset_s : int or None
        None: they ran before the data began. [s since 1970-01-01 UTC]
    bypass_share : float
        Of the machines' energy that no meter of a point sees, 0 to 1; for `PARTIAL_BYPASS` of all the premises' energy.
    added_w : float32[t]
        What they draw. [W]
    past_meter_w : float
        What no meter of the point sees, on average while they run. [W]
    """

    mode: Running
    model: str
    machines: int
    power_w: float
    onset_s: int | None
    bypass_share: float
    added_w: Floats
    past_meter_w: float = 0.0


def farm(
    rng: np.random.Generator,
    mode: Running,
    aim_w: float,
    setting: Setting,
    *,
    days: tuple[int | None, int | None] | None = None,
) -> Farm:
    """Draw machines of about `aim_w`, and their hours.

    Parameters
    ----------
    rng : numpy.random.Generator
    mode : Running
    aim_w : float
        [W]
    setting : Setting
    days : tuple of (int or None, int or None), optional
        First day on which they run, and first day on which they run no more, counted from 0; None for before the data
        and after it. Without it the mode decides, by chance.

    Returns
    -------
    Farm
        Of whole machines: at least one.
    """
    calendar = setting.calendar
    t, hour, day = calendar.hour.size, calendar.hour, calendar.day
    # A few large machines rather than many small ones, but none far above the aim.
    fitting = [model for model in MODELS if model[1] <= 1.2 * aim_w] or [MODELS[0]]
    model, unit_w = fitting[int(rng.integers(max(len(fitting) - 5, 0), len(fitting)))]
    machines = max(round(aim_w / unit_w), 1)
    # Fans and pumps of the room; a machine's own fans are in its power.
    cooling = rng.uniform(1.01, 1.08)

    running = np.full(t, np.float32(machines))
    onset = None
    may_start_late = mode not in (Running.ALWAYS_ON, Running.TAP) and days is None
    if days is not None and days[0] is not None:
        onset = int(np.searchsorted(day, days[0]))
    elif mode in (Running.STEP, Running.STAGED, Running.EXPORT_DROP) or (may_start_late and rng.random() < 0.5):
        onset = int(rng.integers(t // 8, max(t - t // 4, t // 8 + 1)))
    if mode is Running.STAGED:
        machines = max(machines, 2)
        first = onset or 0
        stages = np.sort(rng.integers(first, t, min(int(rng.integers(2, 5)), machines)))
        stages[0] = first
        for step, at in enumerate(stages, 1):
            running[at:] = max(round(machines * step / stages.size), 1)
    elif mode is Running.CURTAILED:
        begin = rng.uniform(EVENING_PEAK[0] - 0.5, EVENING_PEAK[0] + 1.5)
        running[(hour >= begin) & (hour < begin + rng.uniform(3, 5))] = 0
    elif mode is Running.PRICE_FOLLOWING:
        # The day-ahead price is known the day before, so that nothing lags behind it.
        running[setting.price_per_kwh > np.quantile(setting.price_per_kwh, rng.uniform(0.65, 0.9))] = 0
    elif mode in (Running.NIGHT_ONLY, Running.NIGHT_BYPASS):
        begins = np.full((1, calendar.days), rng.uniform(21, 24), np.float32)
        running *= blocks(hour, day, begins, np.full_like(begins, rng.uniform(6, 9)))[0]
    elif mode is Running.OFF_HOURS:
        begin, end = rng.uniform(6, 8), rng.uniform(17.5, 20)
        running[(hour >= begin) & (hour < end) & ~calendar.off[day]] = 0
    elif mode is Running.OUTAGE:
        running = _with_outages(rng, machines, t)
    elif mode is Running.THROTTLED:
        room_c = setting.temperature_c + np.float32(rng.uniform(8, 16))
        limit = np.float32(np.quantile(room_c, rng.uniform(0.4, 0.8)))
        running *= 1 - np.clip(np.float32(rng.uniform(0.015, 0.05)) * (room_c - limit), 0, 0.4)
    if onset is not None:
        running[:onset] = 0
    if days is not None and days[1] is not None:
        running[day >= days[1]] = 0

    # Machines fail and are mended: the number that is down wanders with a memory of a day and a half.
    failed = rng.uniform(0.003, 0.04)
    spread = np.sqrt(machines * failed * (1 - failed))
    down = np.round(machines * failed + spread * autoregressive(rng, (t,), 36.0))
    running = np.clip(np.minimum(running, np.float32(machines) - np.clip(down, 0, machines)), 0, None)
    # Supplies draw a little more in the heat (fans), and a little more or less from one quarter hour to the next.
    heat = 1 + np.float32(0.001) * (setting.temperature_c - 20)
    steady = 1 + np.float32(0.003) * rng.standard_normal(t, np.float32)
    bypass = {
        Running.PARTIAL_BYPASS: float(rng.uniform(0.3, 0.8)),
        Running.NIGHT_BYPASS: 1.0,
        Running.FULL_BYPASS: 1.0,
        Running.TAP: 1.0,
    }
    return Farm(
        mode=mode,
        model=model,
        machines=machines,
        power_w=float(machines * unit_w * cooling),
        onset_s=None if onset is None else int(calendar.time_s[onset]),
        bypass_share=bypass.get(mode, 0.0),
        added_w=np.asarray(running * np.float32(unit_w * cooling) * heat * steady, np.float32),
    )


def _with_outages(rng: np.random.Generator, machines: int, t: int) -> Floats:
    running = np.full(t, np.float32(machines))
    per_h = 3600 // FINE_S
    for begin in np.sort(rng.integers(0, t, int(rng.integers(2, 5)))):
        length = int(rng.integers(4 * per_h, 72 * per_h))
        # Someone goes from rack to rack: each machine comes back some hours after the power.
        back = np.sort(begin + length + (rng.exponential(4.0, machines) * per_h).astype(np.int64))
        until = min(int(back[-1]), t)
        again = np.searchsorted(back, np.arange(begin, until), side="right")
        running[begin:until] = np.minimum(running[begin:until], again)
    return running
