"""A district: premises on transformers, machines among them, meters on all, and the truth about each.

One transformer at a time is drawn, from a generator of its own: memory is bounded by the largest one, and a district
of a million points is made like one of a hundred.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from headframe.records.reading import Flow
from headframe.simulate.meters import grid
from headframe.simulate.meters.homes import Loads, homes
from headframe.simulate.meters.machines import MODES_FOR_PREMISES, UNMETERED, Farm, Running, farm
from headframe.simulate.meters.noise import Floats
from headframe.simulate.meters.places import FINE_S, PLACES, Calendar, Place, calendar_of
from headframe.simulate.meters.setting import Setting, setting_of
from headframe.simulate.meters.trades import TRADES, hydro_plant, trade_loads

HOME = "home"
HYDRO = "hydro plant"
LICENSED = "licensed mining site"
FIRST_DAY = date(2025, 9, 15)
"""A simulation has no clock of its own; 120 days from here hold the end of summer time and the turn of the year."""
_STREET_HOMES = 0.92
"""Of the points of a street where people live."""
_TRANSFORMERS_PER_FEEDER = 6
_FEEDERS_PER_REGION = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFarm:
    """Premises and machines at a supply point of one's choice, from a day on and until a day.

    Attributes
    ----------
    point : int
        Which supply point, counted from 1: 7 is ``U0000007``.
    trade : str
        What the premises are: `HOME`, `HYDRO` or a key of `TRADES`; empty leaves them as they are drawn.
    mode : Running or None
        None for premises without machines.
    power_w : float
        About what the machines draw; they are whole ones. [W]
    from_day, until_day : int or None
        First local day with machines, and the first without again, counted from 0; None for before and after the data.
    """

    point: int
    trade: str = ""
    mode: Running | None = None
    power_w: float = 0.0
    from_day: int | None = None
    until_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetersSpec:
    """What a simulated district shall hold.

    Attributes
    ----------
    points : int
        Supply points, without the head meters of transformers; 1 or more.
    days : int
        Whole local days; 2 or more.
    step_minutes : int
        60, 30 or 15. [minutes]
    prevalence : float
        Share of points where somebody mines unlawfully, 0 to 0.5; at least one where it is not 0. Modes take turns.
    place : Place
    first_day : datetime.date
    homes : float
        Share of homes among the points.
    faults : bool
        Meters fail: readings absent, blank, filled with zeros or estimates; meters exchanged.
    placed : tuple of PlacedFarm
        Besides those whom `prevalence` brings; one for a point at most.
    """

    points: int = 200
    days: int = 120
    step_minutes: int = 60
    prevalence: float = 0.07
    place: Place = field(default_factory=lambda: PLACES["london"])
    first_day: date = FIRST_DAY
    homes: float = 0.7
    faults: bool = True
    placed: tuple[PlacedFarm, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.points <= 10_000_000:
            raise ValueError(f"points is {self.points}; expected 1 to 10,000,000")
        if not 2 <= self.days <= 3660:
            raise ValueError(f"days is {self.days}; expected 2 to 3660")
        if self.step_minutes not in (60, 30, 15):
            raise ValueError(f"step_minutes is {self.step_minutes}; expected 60, 30 or 15")
        if not 0 <= self.prevalence <= 0.5:
            raise ValueError(f"prevalence is {self.prevalence}; expected 0 to 0.5")
        if not 0 <= self.homes <= 1:
            raise ValueError(f"homes is {self.homes}; expected 0 to 1")
        for place in self.placed:
            if not 1 <= place.point <= self.points:
                raise ValueError(f"a farm is placed at point {place.point}; expected 1 to {self.points}")
            if place.trade and place.trade not in (HOME, HYDRO, *TRADES):
                raise ValueError(f"trade {place.trade!r} is not known; expected {HOME}, {HYDRO}, {', '.join(TRADES)}")
        if len({place.point for place in self.placed}) < len(self.placed):
            raise ValueError("two farms are placed at one point; expected one for a point at most")


@dataclass(slots=True, kw_only=True)
class Point:
    """One supply point: what the utility knows of it, what is true, and its readings.

    Attributes
    ----------
    usage_point, transformer, feeder, region, phase, tariff_class, meter_class : str
    contracted_power_kw : float
        [kW]
    pv : bool
        As the utility knows: PV, or another generator.
    what : str
        What the premises are.
    trade : str
        `HOME`, `HYDRO`, `LICENSED` or a key of `TRADES`.
    farm : Farm or None
        Machines, the lawful ones too.
    lawful : bool
        Of the machines.
    delivered, received : Readings or None
        `received` is None where nothing was ever fed in.
    faults : list of Fault
        Of the meter, in intervals.
    """

    usage_point: str
    transformer: str
    feeder: str
    region: str
    phase: str
    tariff_class: str
    meter_class: str
    contracted_power_kw: float
    pv: bool
    what: str
    trade: str
    farm: Farm | None
    lawful: bool
    delivered: grid.Readings
    received: grid.Readings | None
    faults: list[grid.Fault]


@dataclass(slots=True, kw_only=True)
class Group:
    """One transformer with its points.

    Attributes
    ----------
    transformer, head_usage_point, feeder, region, meter_class : str
    plate : TransformerPlate
    points : list of Point
    head_delivered, head_received : Readings
    tap : Farm or None
        Machines on the line, at no supply point.
    true_load_w, true_feed_w, true_losses_w : float32[t]
        By quarter hours: all premises and machines together; generation; technical losses. [W]
    """

    transformer: str
    head_usage_point: str
    feeder: str
    region: str
    meter_class: str
    plate: grid.TransformerPlate
    points: list[Point]
    head_delivered: grid.Readings
    head_received: grid.Readings | None
    tap: Farm | None
    true_load_w: Floats
    true_feed_w: Floats
    true_losses_w: Floats


class District:
    """A district that can be drawn, one transformer after the other.

    Parameters
    ----------
    spec : MetersSpec
    seed : int
        The same seed gives the same district.
    """

    def __init__(self, spec: MetersSpec, seed: int) -> None:
        self.spec = spec
        self.seed = seed
        self.calendar: Calendar = calendar_of(spec.place, spec.first_day, spec.days)
        self.setting: Setting = setting_of(self.calendar, np.random.default_rng([seed, 0]))
        self.per_interval = spec.step_minutes * 60 // FINE_S
        self.per_day = 24 * 60 // spec.step_minutes
        self.start_s: NDArray[np.int64] = self.calendar.time_s[:: self.per_interval]
        """Start of each interval. [s since 1970-01-01 UTC]"""
        self._plan(np.random.default_rng([seed, 1]))

    @property
    def transformers(self) -> int:
        """Number of transformers."""
        return len(self._first) - 1

    def groups(self) -> Iterator[Group]:
        """Draw one transformer after the other."""
        for index in range(self.transformers):
            yield self._group(index)

    def _plan(self, rng: np.random.Generator) -> None:
        """Which premises are where, and who mines: a few bytes for each point, so that it is held for all."""
        spec = self.spec
        names = (HOME, HYDRO, LICENSED, *TRADES)
        weights = np.array([trade.weight for trade in TRADES.values()])
        weights /= weights.sum()
        kinds: list[NDArray[np.int8]] = []
        left = spec.points
        # Streets of homes with a shop, shopping streets, industrial estates: whatever brings the share of homes nearer.
        at_home = 0
        while left > 0:
            if spec.homes > 0 and at_home <= spec.homes * (spec.points - left):
                size, share = int(rng.integers(22, 46)), max(_STREET_HOMES, spec.homes)
            elif rng.random() < 0.6:
                size, share = int(rng.integers(8, 18)), min(0.25, spec.homes)
            else:
                size, share = int(rng.integers(2, 7)), 0.0
            size = min(size, left)
            drawn = np.where(rng.random(size) < share, 0, 3 + rng.choice(weights.size, size, p=weights)).astype(np.int8)
            kinds.append(drawn)
            at_home += int((drawn == 0).sum())
            left -= size
        self._kinds = np.concatenate(kinds)
        self._first = np.concatenate(([0], np.cumsum([part.size for part in kinds]))).astype(np.int64)
        self._names = names
        self._rare(rng)
        self._placed = {place.point - 1: place for place in spec.placed}
        for point, place in self._placed.items():
            if place.trade:
                self._kinds[point] = names.index(place.trade)
        self._deal_miners(rng)

    def _rare(self, rng: np.random.Generator) -> None:
        """Hydro plants and the licensed mining site, in place of premises that are not homes."""
        others = np.flatnonzero(self._kinds > 2)
        rng.shuffle(others)
        plants = min(max(self.spec.points // 100, 2), others.size // 8)
        self._kinds[others[:plants]] = 1
        if others.size - plants >= 8:
            self._kinds[others[plants]] = 2

    def _deal_miners(self, rng: np.random.Generator) -> None:
        """Modes take turns; about half of the miners are in homes where most points are homes."""
        spec = self.spec
        wanted = max(round(spec.prevalence * spec.points), 1) if spec.prevalence > 0 else 0
        self._mode: dict[int, Running] = {}
        self._taps: dict[int, Running] = {}
        free = ~np.isin(np.arange(self._kinds.size), list(self._placed))
        ordinary = np.flatnonzero(free & ((self._kinds == 0) | (self._kinds > 2)))
        plants = list(np.flatnonzero(free & (self._kinds == 1)))
        in_home, elsewhere = (list(rng.permutation(ordinary[part])) for part in (
            self._kinds[ordinary] == 0, self._kinds[ordinary] != 0,
        ))  # fmt: skip
        busy = set[int]()
        for turn in range(wanted):
            mode = tuple(Running)[turn % len(Running)]
            if mode is Running.EXPORT_DROP and plants:
                self._mode[int(plants.pop())] = mode
                continue
            if mode is Running.TAP or mode in UNMETERED:
                # One hidden load for each transformer: two would be one to a balance.
                place = self._quiet_place(rng, in_home + elsewhere, busy)
                if place is not None and mode is Running.TAP:
                    self._taps[self._transformer_of(place)] = mode
                    continue
                if place is not None:
                    (in_home if self._kinds[place] == 0 else elsewhere).remove(place)
                    self._mode[place] = mode
                    continue
            mode = mode if mode in MODES_FOR_PREMISES and mode not in UNMETERED else Running.STEP
            pool = elsewhere if (turn % 2 and elsewhere) or not in_home or mode is Running.OFF_HOURS else in_home
            pool = pool or in_home
            if not pool:
                break
            self._mode[int(pool.pop())] = mode

    def _transformer_of(self, point: int) -> int:
        return int(np.searchsorted(self._first, point, side="right")) - 1

    def _quiet_place(self, rng: np.random.Generator, pool: list[int], busy: set[int]) -> int | None:
        for _ in range(50):
            if not pool:
                return None
            place = int(pool[int(rng.integers(len(pool)))])
            transformer = self._transformer_of(place)
            if transformer not in busy and self._first[transformer + 1] - self._first[transformer] >= 4:
                busy.add(transformer)
                return place
        return None

    def _group(self, index: int) -> Group:
        rng = np.random.default_rng([self.seed, 2, index])
        calendar = self.calendar
        begin, end = int(self._first[index]), int(self._first[index + 1])
        kinds = self._kinds[begin:end]
        t = calendar.hour.size
        load = np.empty((end - begin, t), np.float32)
        feed = np.zeros((end - begin, t), np.float32)
        tariff, what, pv = [""] * kinds.size, [""] * kinds.size, [False] * kinds.size
        for kind in np.unique(kinds):
            members = np.flatnonzero(kinds == kind)
            loads = self._loads(rng, self._names[kind], members.size)
            load[members], feed[members] = loads.load_w, loads.feed_w
            for place, one in enumerate(members.tolist()):
                tariff[one], what[one], pv[one] = loads.tariff_class[place], loads.what[place], loads.pv[place]

        transformer = f"T{index + 1:05d}"
        feeder = f"F{index // _TRANSFORMERS_PER_FEEDER + 1:04d}"
        region = f"R{index // (_TRANSFORMERS_PER_FEEDER * _FEEDERS_PER_REGION) + 1:02d}"
        honest_w = float(load.mean(axis=1).sum())
        passed_by = np.zeros(t, np.float32)
        points = []
        for one in range(kinds.size):
            # Peak of the premises alone: nobody orders more power for machines that he hides.
            contracted = _contracted_kw(float(load[one].max()), self._names[int(kinds[one])], rng)
            mode, placed = self._mode.get(begin + one), self._placed.get(begin + one)
            trade = self._names[int(kinds[one])]
            mining = None
            if trade == LICENSED:
                mining = farm(rng, Running.ALWAYS_ON, float(rng.uniform(60_000, 250_000)), self.setting)
                contracted = _contracted_kw(float((load[one] + mining.added_w).max()), trade, rng)
            elif placed is not None and placed.mode is not None:
                days = placed.from_day, placed.until_day
                mining = farm(rng, placed.mode, placed.power_w, self.setting, days=days)
            elif mode is not None:
                mining = farm(rng, mode, self._aim_w(rng, mode, load[one], feed[one], trade, honest_w), self.setting)
            metered = load[one]
            if mining is not None:
                load[one] += mining.added_w
                metered, hidden = _seen(load[one], mining)
                passed_by += hidden
                if hidden.any():
                    mining = replace(mining, past_meter_w=float(hidden[mining.added_w > 0].mean()))
            points.append(
                self._point(
                    rng, begin + one, transformer, feeder, region, tariff[one], contracted, what[one], trade, mining,
                    metered, feed[one], pv[one],
                )
            )  # fmt: skip
        total, generated = load.sum(axis=0), feed.sum(axis=0)
        tap = None
        if index in self._taps:
            tap = farm(rng, Running.TAP, _between(rng, 0.05, 0.25) * honest_w, self.setting)
            total = total + tap.added_w
        # A meter's own consumption is nobody's: 1 to 2 W each (IEC 62053-61 allows 2).
        total = total + np.float32(kinds.size * rng.uniform(1.0, 2.0))
        plate = grid.plate_for(float(np.abs(total - generated).max()), rng)
        losses = grid.losses_w(plate, np.abs(total - generated))
        head_w = total - generated + losses
        head_class = "0.5S"
        head = self._meter(rng, head_w, head_class, 10 if plate.rated_power_kva <= 250 else 100, head=True)
        return Group(
            transformer=transformer,
            head_usage_point=f"{transformer}-HEAD",
            feeder=feeder,
            region=region,
            meter_class=head_class,
            plate=plate,
            points=points,
            head_delivered=head[0],
            head_received=head[1],
            tap=tap,
            true_load_w=total,
            true_feed_w=generated,
            true_losses_w=losses,
        )

    def _loads(self, rng: np.random.Generator, name: str, k: int) -> Loads:
        if name == HOME:
            return homes(rng, k, self.setting)
        if name == HYDRO:
            return hydro_plant(rng, k, self.setting)
        if name == LICENSED:
            loads = trade_loads(rng, TRADES["office"], k, self.setting)
            # The office of such a place is a container.
            loads.load_w *= np.float32(2000) / loads.load_w.mean(axis=1, keepdims=True)
            loads.feed_w *= 0
            return Loads(
                load_w=loads.load_w, feed_w=loads.feed_w, tariff_class=["industrial"] * k, what=[LICENSED] * k,
                pv=[False] * k,
            )  # fmt: skip
        return trade_loads(rng, TRADES[name], k, self.setting)

    def _aim_w(
        self, rng: np.random.Generator, mode: Running, load: Floats, feed: Floats, trade: str, transformer_w: float
    ) -> float:
        if mode is Running.EXPORT_DROP:
            return float(feed.mean()) * float(rng.uniform(0.15, 0.6))
        if mode in UNMETERED:
            # What a service line carries is the limit.
            line_w = 9000.0 if trade == HOME else 2 * float(load.max())
            return min(transformer_w * _between(rng, 0.05, 0.25), line_w)
        if trade == HOME:
            return _between(rng, 600, 6000)
        return float(load.mean()) * _between(rng, 0.1, 1.0)

    def _point(
        self, rng: np.random.Generator, number: int, transformer: str, feeder: str, region: str, tariff: str,
        contracted_kw: float, what: str, trade: str, mining: Farm | None, metered_w: Floats, feed_w: Floats, pv: bool,
    ) -> Point:  # fmt: skip
        small = contracted_kw <= 30
        accuracy = str(rng.choice(["1", "2", "B", "A"], p=[0.45, 0.15, 0.3, 0.1])) if small else "1"
        if contracted_kw > 100:
            accuracy = str(rng.choice(["0.5S", "C", "1"], p=[0.5, 0.3, 0.2]))
        net = metered_w - feed_w
        resolution = 1 if small else 10 if contracted_kw <= 250 else 100
        faults = grid.draw_faults(rng, self.start_s.size, self.per_day, head=False) if self.spec.faults else []
        delivered, received = self._meter(rng, net, accuracy, resolution, faults=faults)
        return Point(
            usage_point=f"U{number + 1:07d}",
            transformer=transformer,
            feeder=feeder,
            region=region,
            phase=f"L{int(rng.integers(1, 4))}" if trade == HOME and contracted_kw <= 12 else "L123",
            tariff_class=tariff,
            meter_class=accuracy,
            contracted_power_kw=contracted_kw,
            pv=pv or trade == HYDRO,
            what=what,
            trade=trade,
            farm=mining,
            lawful=trade == LICENSED,
            delivered=delivered,
            received=received,
            faults=faults,
        )

    def _meter(
        self, rng: np.random.Generator, net_w: Floats, accuracy: str, resolution_wh: int, *, head: bool = False,
        faults: list[grid.Fault] | None = None,
    ) -> tuple[grid.Readings, grid.Readings | None]:  # fmt: skip
        """Readings of both directions; both directions of a meter fail together."""
        if faults is None:
            faults = grid.draw_faults(rng, self.start_s.size, self.per_day, head=head) if self.spec.faults else []
        directions: list[grid.Readings] = []
        for power in (np.maximum(net_w, 0), np.maximum(-net_w, 0)):
            if directions and not bool((power > 0).any()):
                return directions[0], None
            readings = grid.plain(grid.metered_wh(rng, power, self.per_interval, accuracy, resolution_wh))
            if self.spec.faults:
                readings = grid.with_faults(readings, faults, rng, self.per_day)
            directions.append(readings)
        return directions[0], directions[1]


def _seen(load_w: Floats, mining: Farm) -> tuple[Floats, Floats]:
    """What the meter of premises with machines sees, and what passes it by. [W]"""
    if mining.mode is Running.PARTIAL_BYPASS:
        hidden = np.float32(mining.bypass_share) * load_w * (mining.added_w > 0)
    else:
        hidden = np.float32(mining.bypass_share) * mining.added_w
    return load_w - hidden, hidden


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Uniform in the logarithm. [as given]"""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _contracted_kw(peak_w: float, trade: str, rng: np.random.Generator) -> float:
    if trade == HOME:
        return float(next((one for one in (6, 9, 12, 15, 18, 23, 30) if one * 1000 >= peak_w), 36))
    return float(max(5 * np.ceil(peak_w * rng.uniform(1.1, 1.7) / 5000), 5))


def flows_of(point: Point) -> Iterator[tuple[Flow, grid.Readings]]:
    """The directions that have readings."""
    yield Flow.DELIVERED, point.delivered
    if point.received is not None:
        yield Flow.RECEIVED, point.received
