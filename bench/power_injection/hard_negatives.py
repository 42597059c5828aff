"""Lawful loads that look like machines: how often each kind passes the threshold that was set on ordinary buildings.

Measured: GPU servers alone and as a room of servers in a real building, the flattest tenth of buildings, a steel plant,
heat pumps alone and in homes, charging points as a depot and in homes. Made from physics, because no public meter of
one was at hand: cold stores.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import polars as pl

from bench.power_injection.meters import HOUR_S, SHARED, Window, buildings, split_of, windows
from bench.power_injection.trial import MOST_INNOCENT, innocents, temperature_over

SERVER_OVERHEAD_W = 400.0
"""A GPU server's processors, memory and fans beside the cards that the source measures (two-socket servers idle at 200
to 400 W and draw 300 to 800 W at work). Constant, so that it is the harder case."""
STEP_S = 300


@dataclass(frozen=True)
class HardNegatives:
    """Windows of one kind; `expected` is the counter-hypothesis that ought to be named, as `CounterHypothesis.name`."""

    name: str
    population: str
    expected: str
    windows: list[Window]


def groups(split: str, days: int = 56) -> list[HardNegatives]:
    """All kinds, from meters of one split. The GPU servers and the steel plant belong to `report` whole."""
    commerce = list(innocents("commercial", split, days, MOST_INNOCENT))
    hosts = list(innocents("commercial", split, days, 4))
    homes = list(innocents("homes", split, days, 12))
    kept = split == "report"
    return [
        HardNegatives("GPU servers, alone", "commercial", "server_room", gpu_servers(days) if kept else []),
        HardNegatives("server room in a building", "commercial", "server_room", server_rooms(hosts) if kept else []),
        HardNegatives("flattest tenth of buildings", "commercial", "operating_calendar", flattest(commerce)),
        HardNegatives("steel plant", "commercial", "operating_calendar", windows("steel", days, split, stride_days=14)),
        HardNegatives("heat pumps, many", "commercial", "heat_pump", heat_pump_sets(split, days)),
        HardNegatives("EV depot", "commercial", "ev", ev_depots(split, days)),
        HardNegatives("cold store", "commercial", "cold_store", cold_stores(hosts)),
        HardNegatives("cold store in a building", "commercial", "cold_store", with_cold_store(hosts)),
        HardNegatives("heat pump in a home", "homes", "heat_pump", with_profile(homes, "simbench-heat-pumps", split)),
        HardNegatives("charging point in a home", "homes", "ev", home_charging(homes)),
    ]


def _rng(*words: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32("/".join(map(str, words)).encode()))


def gpu_servers(days: int) -> list[Window]:
    """Each server by itself, and four racks of 8 to 30 of them, each at another time of its own history."""
    alone = [
        Window(w.source, w.building, w.start_s, w.power_w + np.float32(SERVER_OVERHEAD_W))
        for w in windows("gpu", days, stride_days=28)
    ]
    rooms = []
    for k in range(24):
        rng = _rng("rack", k)
        power = _servers(days * 24, int(rng.integers(8, 31)), rng)
        rooms.append(Window("gpu", f"rack{k}", 1_672_531_200 + k * days * 86_400, power))
    return alone + rooms


def server_rooms(hosts: list[Window]) -> list[Window]:
    """Real servers in real buildings: as many as come nearest to 10 to 60 % of the building's mean, at least two."""
    made = []
    for host in hosts:
        rng = _rng("room", host.name)
        wanted = float(np.nanmean(host.power_w)) * rng.uniform(0.1, 0.6)
        count = int(np.clip(round(wanted / 1000.0), 2, 60))
        power = _servers(host.power_w.size, count, rng)
        if count in (2, 60):
            power = power * np.float32(wanted / power.mean())
        made.append(Window(host.source, host.building, host.start_s, host.power_w + power))
    return made


def _servers(hours: int, count: int, rng: np.random.Generator) -> np.ndarray:
    series = list(buildings("gpu").values())
    total = np.zeros(hours)
    for _ in range(count):
        power = series[int(rng.integers(len(series)))][1]
        present = power[~np.isnan(power)]
        at = int(rng.integers(0, present.size - hours))
        total += present[at : at + hours] + SERVER_OVERHEAD_W
    return total.astype(np.float32)


def flattest(found: list[Window]) -> list[Window]:
    """The tenth with the highest load factor."""
    factor = np.array([np.nanmean(w.power_w) / np.nanmax(w.power_w) for w in found])
    least = np.quantile(factor, 0.9)
    return [w for w, f in zip(found, factor, strict=True) if f >= least]


def heat_pump_sets(split: str, days: int) -> list[Window]:
    """One to eight heat pumps behind a meter, with 30 W of controls and standby for each."""
    series = {n: s for n, s in buildings("simbench-heat-pumps").items() if split_of(n) == split}
    made = []
    for k in range(24 if series else 0):
        rng = _rng("heat pumps", split, k)
        names = rng.choice(sorted(series), size=int(rng.integers(1, 9)))
        start_s, first = series[str(names[0])]
        at = int(rng.integers(0, first.size // 24 - days)) * 24
        power = sum(np.roll(series[str(n)][1], 24 * 7 * int(rng.integers(-1, 2))) for n in names) + 30.0 * names.size
        made.append(Window("simbench-heat-pumps", f"pumps{k}", start_s + at * HOUR_S, _cut(power, at, days)))
    return made


def ev_depots(split: str, days: int) -> list[Window]:
    """5 to 60 charging points of SimBench's work-place and home profiles, each week-shifted, with 1 kW of lighting."""
    start_s, profiles = _charging()
    names = [n for n in sorted(profiles) if split_of(n) == split] or sorted(profiles)
    made = []
    for k in range(24):
        rng = _rng("depot", split, k)
        hours = profiles[names[0]].size
        at = int(rng.integers(0, hours // 24 - days)) * 24
        power = np.full(hours, 1000.0)
        own = rng.choice(names, size=min(len(names), 4))
        for _ in range(int(rng.integers(5, 61))):
            power += np.roll(profiles[str(rng.choice(own))], 168 * int(rng.integers(0, 52))) * rng.choice(
                [11_000, 22_000]
            )
        made.append(Window("simbench-ev", f"depot{k}", start_s + at * HOUR_S, _cut(power, at, days)))
    return made


def home_charging(homes: list[Window]) -> list[Window]:
    """A home with a charging point of its own: 3.7 or 11 kW at the hours of SimBench's home profiles."""
    _, profiles = _charging()
    own = [n for n in sorted(profiles) if n.startswith("HLS")]
    made = []
    for home in homes:
        rng = _rng("charging", home.name)
        profile = np.roll(profiles[str(rng.choice(own))], 168 * int(rng.integers(0, 52)))
        extra = np.resize(profile, home.power_w.size) * float(rng.choice([3700.0, 11_000.0]))
        made.append(Window(home.source, home.building, home.start_s, (home.power_w + extra).astype(np.float32)))
    return made


def with_profile(homes: list[Window], source: str, split: str) -> list[Window]:
    """Homes with a heat pump at the same season."""
    series = {n: s for n, s in buildings(source).items() if split_of(n) == split}
    made = []
    for home in homes if series else []:
        rng = _rng(source, home.name)
        start_s, power = series[str(rng.choice(sorted(series)))]
        year_s = 364 * 86_400
        at = (home.start_s - start_s) % year_s // HOUR_S
        extra = np.roll(power, -at)[: home.power_w.size]
        made.append(Window(home.source, home.building, home.start_s, (home.power_w + extra).astype(np.float32)))
    return made


def cold_stores(hosts: list[Window]) -> list[Window]:
    """A cold store alone, in the weather of each host's period."""
    return [
        Window("cold-store", f"cold-{h.building}", h.start_s, cold_store_w(h, 20_000.0 + 5.0 * k, _rng("cold", h.name)))
        for k, h in enumerate(hosts)
    ]


def with_cold_store(hosts: list[Window]) -> list[Window]:
    """A building with a cold store whose compressors can draw half to one and a half times the building's mean."""
    made = []
    for host in hosts:
        rng = _rng("cold in", host.name)
        rated = float(np.nanmean(host.power_w)) * rng.uniform(0.5, 1.5)
        power = host.power_w + cold_store_w(host, rated, rng)
        made.append(Window(host.source, host.building, host.start_s, power))
    return made


def cold_store_w(host: Window, rated_w: float, rng: np.random.Generator) -> np.ndarray:
    """Hourly mean power of a cold store. [W]

    Two to six compressors keep the air between two limits by a thermostat in stages. Heat comes in through the walls
    (with the difference to outside), with goods and doors at working hours, and with defrosting, electric, two to four
    times a day. The coefficient of performance falls as the condenser gets hotter: half of the Carnot figure, a
    common value for such plants.
    """
    hours = host.power_w.size
    outside = np.repeat(temperature_over(host.start_s, hours), HOUR_S // STEP_S).astype(np.float64)
    steps = outside.size
    hour = (np.arange(steps) * STEP_S // HOUR_S + host.start_s // HOUR_S) % 24
    weekday = ((np.arange(steps) * STEP_S + host.start_s) // 86_400 + 3) % 7
    inside_c = float(rng.choice([-22.0, 2.0]))
    stages = int(rng.integers(2, 7))
    cop = np.clip(0.5 * (inside_c + 265.0) / (outside + 12.0 - inside_c + 8.0), 1.0, 6.0)
    worst = rated_w * float(cop.min())
    walls = worst * rng.uniform(0.25, 0.5) / max(float((outside - inside_c).max()), 1.0)  # [W/K]
    busy = ((hour >= 6) & (hour < 16) & (weekday < rng.integers(5, 8))) * worst * rng.uniform(0.05, 0.3)
    inner = worst * rng.uniform(0.05, 0.15)  # fans and lights that run always, as heat
    heat = walls * (outside - inside_c) + busy + inner
    capacity = worst * rng.uniform(3.0, 20.0) * 60.0  # J/K: minutes of full cooling for a kelvin
    defrosts, lasts, draws = int(rng.integers(2, 5)), int(rng.integers(4, 9)), rated_w * rng.uniform(0.05, 0.2)
    offset = int(rng.integers(0, 24 * 12))
    air, running = inside_c, 1
    power = np.empty(steps)
    for k in range(steps):
        defrosting = (k + offset) % (24 * 12 // defrosts) < lasts
        if air > inside_c + 0.5 and k % 2 == 0:
            running = min(running + 1, stages)
        elif air < inside_c - 0.5 and k % 2 == 0:
            running = max(running - 1, 0)
        compressors = 0.0 if defrosting else rated_w * running / stages
        air += (heat[k] + (draws if defrosting else 0.0) - compressors * cop[k]) * STEP_S / capacity
        air = min(max(air, inside_c - 3.0), inside_c + 6.0)
        power[k] = compressors + (draws if defrosting else 0.0) + inner
    return power.reshape(hours, -1).mean(axis=1).astype(np.float32)


def _cut(power: np.ndarray, at: int, days: int) -> np.ndarray:
    return power[at : at + days * 24].astype(np.float32)


def _charging() -> tuple[int, dict[str, np.ndarray]]:
    """SimBench's charging points, hourly, relative to rated power: homes (HLS) and places of work (APLS)."""
    frame = pl.read_parquet(SHARED / "simbench_load_profiles_15min.parquet")
    names = [c for c in frame.columns if c.startswith(("HLS", "APLS")) and c.endswith("_pload")]
    frame = frame.with_columns(t=pl.col("time").str.to_datetime("%d.%m.%Y %H:%M").dt.epoch("s") // HOUR_S * HOUR_S)
    frame = frame.group_by("t").agg(pl.col(names).mean()).sort("t")
    return int(frame["t"][0]), {c: frame[c].to_numpy() for c in names}
