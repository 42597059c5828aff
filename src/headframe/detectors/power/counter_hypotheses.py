"""What else a mining-like load could be, each tested as far as the data allow.

Each test takes one lawful explanation seriously: what would it leave in the readings, and is that there? The answer
says what was tested, with figures. *Excluded* means that the data contradict it; *possible* that they do not;
*untested* that what the test takes is missing. A test that cannot tell the two apart says *possible*: it is for the
person who visits the site to settle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headframe.detectors.power.estimates import aligned
from headframe.detectors.power.load_step import finite, local_hours
from headframe.records.load_finding import CounterHypothesis, LoadEstimate, Mode, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from headframe.records.reading import Surroundings

    Floats = NDArray[np.float64]

HOUR_S = 3600
DAY_S = 86_400


@dataclass(frozen=True)
class CounterHypothesisParameters:
    """What decides a test.

    Attributes
    ----------
    explains : float
        A cause that accounts for this share of the load or more is possible. [unitless]
    explains_little : float
        One whose upper 95 % bound accounts for less is excluded. [unitless]
    least_days : int
        With temperature. [days]
    least_spread_c : float
        The days' temperatures must spread over this much (5 % to 95 %), or no slope can be seen. [degrees C]
    heating_c, cooling_c : tuple of float
        Change points tried, as in the change-point models of ASHRAE Guideline 14-2014, annex D. [degrees C]
    charger_w : tuple of float
        Charging powers of cars: IEC 61851-1 mode 2 and 3 at 16 and 32 A on one and three phases. [W]
    """

    explains: float = 0.5
    explains_little: float = 0.25
    least_days: int = 28
    least_spread_c: float = 8.0
    heating_c: tuple[float, ...] = (10.0, 12.0, 14.0, 16.0, 18.0)
    cooling_c: tuple[float, ...] = (16.0, 18.0, 20.0, 22.0, 24.0)
    charger_w: tuple[float, ...] = (2300.0, 3680.0, 7360.0, 11_040.0, 22_080.0)


class TemperatureResponse(NamedTuple):
    """How a load follows the outdoor temperature.

    Attributes
    ----------
    heating_w_per_k, cooling_w_per_k : float
        More load per degree below, or above, the change point. [W/K]
    heating_from_c, cooling_from_c : float
        [degrees C]
    heating_w, cooling_w : float
        Mean load that follows, over the days. [W]
    heating_error_w, cooling_error_w : float
        Standard errors, days that follow each other not taken for independent. [W]
    days : int
    """

    heating_w_per_k: float
    cooling_w_per_k: float
    heating_from_c: float
    cooling_from_c: float
    heating_w: float
    cooling_w: float
    heating_error_w: float
    cooling_error_w: float
    days: int


class _Case(NamedTuple):
    """One usage point, by local day."""

    first_day: int
    """[days since 1970-01-01, local]"""
    x: Floats
    table: Floats
    """float64[days, 24]"""
    weekday: NDArray[np.int64]
    holiday: NDArray[np.bool_]
    temperature: Floats
    """Mean of each day, NaN where not known. [degrees C]"""
    load: LoadEstimate
    onset_day: int
    """First whole day on which the load runs."""
    hours: NDArray[np.bool_]
    """bool[24] at which the load runs."""
    parameters: CounterHypothesisParameters


def counter_hypotheses(
    power_w: NDArray[np.float32],
    start_s: int,
    surroundings: Surroundings,
    load: LoadEstimate,
    parameters: CounterHypothesisParameters = CounterHypothesisParameters(),
) -> tuple[CounterHypothesis, ...]:
    """Test all lawful explanations of one load.

    Parameters
    ----------
    power_w : float32[n]
        Hourly. [W]
    start_s : int
        [s since 1970-01-01 UTC]
    surroundings : Surroundings
        Clock with holidays, and the temperature where it is known.
    load : LoadEstimate
        What is to be explained.
    parameters : CounterHypothesisParameters, optional

    Returns
    -------
    tuple of CounterHypothesis
        ``electric_heating``, ``heat_pump``, ``ev``, ``cold_store``, ``server_room``, ``pv``, ``tariff``,
        ``operating_calendar``, in this order.
    """
    case = _case(power_w, start_s, surroundings, load, parameters)
    tests: tuple[tuple[str, Callable[[_Case], tuple[Standing, str]]], ...] = (
        ("electric_heating", _electric_heating),
        ("heat_pump", _heat_pump),
        ("ev", _ev),
        ("cold_store", _cold_store),
        ("server_room", _server_room),
        ("pv", _pv),
        ("tariff", _tariff),
        ("operating_calendar", _operating_calendar),
    )
    found = []
    for name, test in tests:
        if load.power_w.estimate > 0:
            standing, text = test(case)
        else:
            standing, text = Standing.UNTESTED, "No part of the floor stands out that would have to be explained."
        found.append(CounterHypothesis(name=name, standing=standing, text=text))
    return tuple(found)


def temperature_response(
    daily_w: Floats,
    temperature_c: Floats,
    weekday: NDArray[np.int64],
    parameters: CounterHypothesisParameters,
    since: int = 0,
) -> TemperatureResponse | None:
    """Fit a load that rises below one temperature and above another, beside the days of the week.

    Parameters
    ----------
    daily_w : float64[days]
        NaN where missing. [W]
    temperature_c : float64[days]
        [degrees C]
    weekday : int64[days]
        0 is Monday.
    parameters : CounterHypothesisParameters
    since : int, optional
        Day from which on there is a constant load more. Its size is fitted beside the slopes, and `heating_w` and
        `cooling_w` are by how much more the weather took from then on than before.

    Returns
    -------
    TemperatureResponse or None
        None where there are too few days or the temperatures are too much alike.

    References
    ----------
    .. [1] ASHRAE Guideline 14-2014, annex D: five-parameter change-point model.
    """
    there = ~np.isnan(daily_w) & ~np.isnan(temperature_c)
    y, t, day = daily_w[there], temperature_c[there], weekday[there]
    late = np.flatnonzero(there) >= since
    if len(y) < parameters.least_days:
        return None
    if float(np.diff(np.quantile(t, [0.05, 0.95]))[0]) < parameters.least_spread_c:
        return None
    best: tuple[float, Floats, Floats, float, float, Floats] | None = None
    dummies = (day[:, None] == np.arange(7)[None, :]).astype(float)
    dummies = dummies[:, dummies.any(axis=0)]
    stepped = bool(late.any() and not late.all())
    if stepped:
        dummies = np.column_stack([dummies, late])
    for heating in parameters.heating_c:
        for cooling in parameters.cooling_c:
            if cooling < heating:
                continue
            below, above = np.maximum(heating - t, 0.0), np.maximum(t - cooling, 0.0)
            kept = [part if np.count_nonzero(part) >= 7 else np.zeros_like(part) for part in (below, above)]
            design = np.column_stack([*kept, dummies])
            beta, *_ = np.linalg.lstsq(design, y, rcond=None)
            left = y - design @ beta
            cost = float(left @ left)
            if best is None or cost < best[0]:
                best = (cost, beta, left, heating, cooling, design)
    assert best is not None
    _, beta, left, heating, cooling, design = best
    # Days follow each other: errors grow by (1 + r) / (1 - r) in variance (AR(1)).
    power = float(left @ left)
    r = float(np.clip(left[1:] @ left[:-1] / power, 0.0, 0.9)) if power > 0 else 0.0
    freedom = max(len(y) - design.shape[1], 1)
    inverse = np.linalg.pinv(design.T @ design)
    errors = np.sqrt(np.clip(np.diag(inverse)[:2], 0.0, None) * power / freedom * (1 + r) / (1 - r))
    means = design[:, :2].mean(axis=0)
    if stepped:
        means = design[late, :2].mean(axis=0) - design[~late, :2].mean(axis=0)
    return TemperatureResponse(
        heating_w_per_k=float(beta[0]),
        cooling_w_per_k=float(beta[1]),
        heating_from_c=heating,
        cooling_from_c=cooling,
        heating_w=float(beta[0] * means[0]),
        cooling_w=float(beta[1] * means[1]),
        heating_error_w=float(errors[0] * abs(means[0])),
        cooling_error_w=float(errors[1] * abs(means[1])),
        days=len(y),
    )


def _case(
    power_w: NDArray[np.float32],
    start_s: int,
    surroundings: Surroundings,
    load: LoadEstimate,
    parameters: CounterHypothesisParameters,
) -> _Case:
    x = finite(power_w).astype(np.float64)
    hour = local_hours(start_s, len(x), surroundings.clock)
    day = hour // 24
    first = int(day[0]) if len(day) else 0
    days = int(day[-1]) - first + 1 if len(day) else 0
    table = np.full((days, 24), np.nan)
    table[day - first, hour % 24] = x
    temperature = np.full(days, np.nan)
    if surroundings.temperature_c is not None and len(x):
        warmth = aligned(surroundings.temperature_c, start_s, len(x))
        known = ~np.isnan(warmth)
        count = np.bincount((day - first)[known], minlength=days)
        total = np.bincount((day - first)[known], weights=warmth[known], minlength=days)
        temperature = np.where(count >= 12, total / np.maximum(count, 1), np.nan)
    onset_day = 0
    if load.onset is not None:
        at = int((load.onset.estimate_ns // 1_000_000_000 - start_s) // HOUR_S)
        onset_day = int(day[min(max(at, 0), len(day) - 1)] - first) + 1 if len(day) else 0
    hours = np.ones(24, bool)
    if load.hours_of_day:
        hours = np.zeros(24, bool)
        hours[list(load.hours_of_day)] = True
    dates = np.arange(first, first + days)
    return _Case(
        first_day=first,
        x=x,
        table=table,
        weekday=(dates + 3) % 7,
        holiday=np.isin(dates, surroundings.clock.holidays),
        temperature=temperature,
        load=load,
        onset_day=onset_day,
        hours=hours,
        parameters=parameters,
    )


def _floor(case: _Case) -> Floats:
    """Low level of each day at the hours at which the load runs (a fifth of them lie below), NaN if half is missing."""
    part = case.table[:, case.hours]
    enough = np.count_nonzero(~np.isnan(part), axis=1) * 2 >= part.shape[1]
    floor = np.full(len(part), np.nan)
    if enough.any():
        floor[enough] = _row_quantile(part[enough], 0.2)
    return floor


def _row_quantile(table: Floats, share: float) -> Floats:
    """``np.nanquantile`` of each row; that one takes each row by itself, which costs a hundred times as much."""
    ordered = np.sort(table, axis=1)  # NaN last
    place = share * (np.count_nonzero(~np.isnan(table), axis=1) - 1)
    low = place.astype(np.int64)
    rows = np.arange(len(table))
    below, above = ordered[rows, low], ordered[rows, np.minimum(low + 1, table.shape[1] - 1)]
    part = place - low
    return np.asarray(np.where(part > 0, below + part * (above - below), below))


def _kw(value_w: float) -> str:
    digits = 2 if abs(value_w) < 10_000 else 1
    # Adding zero makes -0.0 to 0.0: nobody reads "-0.00 kW".
    return f"{round(value_w / 1000, digits) + 0.0:.{digits}f} kW"


def _beside(drop_w: float) -> str:
    """Where a level lies that is so far below another."""
    size = _kw(abs(drop_w))
    return "level with" if size == _kw(0.0) else f"{size} {'below' if drop_w > 0 else 'above'}"


def _response(case: _Case) -> TemperatureResponse | str:
    """How the floor follows the temperature while the load runs; or what is missing to say so."""
    if np.isnan(case.temperature).all():
        return "No outdoor temperature was given."
    floor, warmth = _floor(case), case.temperature
    response = temperature_response(floor, warmth, case.weekday, case.parameters, since=case.onset_day)
    if response is None:
        known = warmth[~np.isnan(warmth)]
        spread = float(np.diff(np.quantile(known, [0.05, 0.95]))[0]) if len(known) else 0.0
        return (
            f"{len(known)} days with temperature, spread over {spread:.0f} K: a slope takes "
            f"{case.parameters.least_days} days and {case.parameters.least_spread_c:.0f} K."
        )
    return response


def _by_temperature(case: _Case, parts: tuple[str, ...]) -> tuple[Standing, str]:
    response = _response(case)
    if isinstance(response, str):
        return Standing.UNTESTED, response
    size = case.load.power_w.estimate
    value = sum(max(getattr(response, f"{part}_w"), 0.0) for part in parts)
    error = float(np.hypot.reduce([getattr(response, f"{part}_error_w") for part in parts]))
    share, upper = value / size if size > 0 else 0.0, (value + 1.96 * error) / size if size > 0 else np.inf
    slopes = ", ".join(
        f"{round(getattr(response, f'{part}_w_per_k')) + 0:+d} W/K {'below' if part == 'heating' else 'above'} "
        f"{getattr(response, f'{part}_from_c'):.0f} °C"
        for part in parts
        if not np.isnan(getattr(response, f"{part}_w_per_k"))
    )
    text = (
        f"Over {response.days} days the floor follows the temperature"
        f"{' by ' + slopes if slopes else ''}. "
        + (
            f"The weather took {_kw(value)} more after the load began than before"
            if case.onset_day
            else f"That is {_kw(value)} on average"
        )
        + f", {share:.0%} of the load of {_kw(size)} (at most {upper:.0%})."
    )
    if upper < case.parameters.explains_little:
        return Standing.EXCLUDED, text
    if share >= case.parameters.explains:
        return Standing.POSSIBLE, text
    return Standing.POSSIBLE, text + " That is a part of it, or not exact enough to exclude it."


def _electric_heating(case: _Case) -> tuple[Standing, str]:
    return _by_temperature(case, ("heating",))


def _heat_pump(case: _Case) -> tuple[Standing, str]:
    return _by_temperature(case, ("heating", "cooling"))


def _present(case: _Case) -> tuple[Floats, int] | None:
    """Share of the load's hours at which at least half of it is there, by day since its onset; and how many days.

    "There" is against the same hours before the onset, or, for a load that rests each day, against the hours at which
    it rests on the same day.
    """
    size = case.load.power_w.estimate
    table, on = case.table, case.hours
    if not on.all() and on.any():
        # Days begin with the load, so that midnight cuts no run.
        first = int(np.flatnonzero(on & ~np.roll(on, 1))[0])
        if first and len(table) > 1:
            table, on = table.reshape(-1)[first : first - 24].reshape(-1, 24), np.roll(on, -first)
    after = table[case.onset_day :]
    if case.load.onset is not None and case.onset_day >= 8:
        before = table[max(case.onset_day - 29, 0) : case.onset_day - 1]
        low = np.full(24, np.nan)
        known = ~np.isnan(before).all(axis=0)
        low[known] = np.nanmedian(before[:, known], axis=0)
        level = low[None, on] + 0.5 * size
    elif not on.all():
        rest = after[:, ~on]
        level = np.full((len(after), 1), np.nan)
        known_days = ~np.isnan(rest).all(axis=1)
        # The higher of the hours beside the load: a building's own evening must not count as the load.
        level[known_days, 0] = np.nanmedian(rest[known_days], axis=1) + 0.5 * size
    else:
        return None
    part = after[:, on]
    there = np.where(np.isnan(part), np.nan, (part > level).astype(float))
    enough = ~np.isnan(there).all(axis=1)
    if np.count_nonzero(enough) < 14:
        return None
    return np.nanmean(there[enough], axis=1), int(np.count_nonzero(enough))


def _ev(case: _Case) -> tuple[Standing, str]:
    size = case.load.power_w.estimate
    length = float(np.count_nonzero(case.hours))
    chargers = np.asarray(case.parameters.charger_w)
    number = np.maximum(np.round(size / chargers), 1)
    off = np.abs(number * chargers / size - 1) if size > 0 else np.ones(len(chargers))
    # Of those that fit, the fewest cars.
    nearest = int(np.argmin(np.where(number <= 3, off + 0.02 * number, np.inf)))
    fit = (
        f"{int(number[nearest])} x {chargers[nearest] / 1000:.1f} kW"
        if number[nearest] <= 3 and off[nearest] < 0.1
        else "no usual charging power or small multiple of one"
    )
    if length >= 18:
        return (
            Standing.EXCLUDED,
            f"The load runs {length:.0f} hours of every day; cars charge for some hours and leave. Size: {fit}.",
        )
    present = _present(case)
    if present is None:
        return Standing.UNTESTED, "Too few days to see whether the load is missing on some, as cars are."
    shares, days = present
    full = float(np.mean(shares >= 0.8))
    none = float(np.mean(shares <= 0.2))
    text = (
        f"On {full:.0%} of {days} days the load runs its full {length:.0f} hours, on {none:.0%} not at all; "
        f"size: {fit}."
    )
    if full >= 0.95:
        return Standing.EXCLUDED, text + " Cars do not charge alike every day."
    return Standing.POSSIBLE, text


def _noise(case: _Case) -> float | None:
    """Typical change from hour to hour in the quiet hours of the day at which the load runs [W]."""
    table = case.table[case.onset_day :]
    change = np.abs(np.diff(table, axis=1))
    usable = case.hours[1:] & case.hours[:-1]
    if np.count_nonzero(~np.isnan(change[:, usable]).all(axis=0)) < 3:
        return None
    typical = np.full(23, np.inf)
    for hour in np.flatnonzero(usable):
        part = change[:, hour][~np.isnan(change[:, hour])]
        if len(part) >= 14:
            typical[hour] = float(np.median(part))
    quiet = np.sort(typical)[:4]
    return float(quiet.mean()) / (0.6745 * np.sqrt(2)) if np.isfinite(quiet).all() else None


def _cold_store(case: _Case) -> tuple[Standing, str]:
    size = case.load.power_w.estimate
    noise = _noise(case)
    if noise is None or size <= 0:
        return Standing.UNTESTED, "Too few readings to see whether the load cycles."
    ratio = noise / size
    text = f"In the quietest hours the whole site varies by {_kw(noise)} from hour to hour, {ratio:.1%} of the load."
    response = _response(case)
    if isinstance(response, str):
        return (
            Standing.UNTESTED,
            f"{text} Compressors cycle, but hourly means hide short cycles. Summer slope not tested: {response}",
        )
    upper = (max(response.cooling_w, 0.0) + 1.96 * response.cooling_error_w) / size
    most = f"(at most {upper:.0%} of the load)"
    summer = (
        f" It rises with warmth by {_kw(response.cooling_w)} on average {most}."
        if _kw(max(response.cooling_w, 0.0)) != _kw(0.0)
        else f" It does not rise with warmth {most}."
    )
    if ratio < 0.03 and upper < 0.1 and response.cooling_error_w > 0:
        return Standing.EXCLUDED, text + summer + " A cold store's compressors cycle and work harder in warm weather."
    return Standing.POSSIBLE, text + summer


def _server_room(case: _Case) -> tuple[Standing, str]:
    mode, rest = case.load.mode, 24 - int(np.count_nonzero(case.hours))
    if mode in (Mode.CURTAILED, Mode.NIGHT_ONLY, Mode.OFF_HOURS) and rest >= 3:
        return (
            Standing.EXCLUDED,
            f"The load rests {rest} hours of the day by the clock; servers are not switched off daily.",
        )
    if mode is Mode.PRICE_FOLLOWING:
        return (
            Standing.EXCLUDED,
            f"The load rests at high prices ({1 - case.load.duty:.0%} of the hours); servers are not switched off.",
        )
    floor = _floor(case)[case.onset_day :]
    weeks = [floor[k : k + 7] for k in range(0, len(floor) - 6, 7)]
    levels = [float(np.nanmedian(week)) for week in weeks if np.count_nonzero(~np.isnan(week)) >= 4]
    if len(levels) < 3:
        return Standing.UNTESTED, "Fewer than three whole weeks since the load began: no drift can be seen."
    drift = float(np.std(levels)) / case.load.power_w.estimate if case.load.power_w.estimate > 0 else np.inf
    return (
        Standing.POSSIBLE,
        f"Servers are as flat as miners. The weekly floor drifts by {drift:.1%} of the load over {len(levels)} weeks; "
        "a visit or an equipment list settles it.",
    )


def _pv(case: _Case) -> tuple[Standing, str]:
    x = case.x[~np.isnan(case.x)]
    if len(x) < 14 * 24:
        return Standing.UNTESTED, "Less than two weeks of readings."
    negative = float(np.mean(x < 0))
    table = case.table.copy()
    if case.load.hours_of_day:  # the load itself makes its hours stand out
        table[case.onset_day :, case.hours] -= case.load.power_w.estimate
    noon, night = table[:, 10:15], np.concatenate([table[:, :4], table[:, 22:]], axis=1)
    both = ~np.isnan(noon).all(axis=1) & ~np.isnan(night).all(axis=1)
    if np.count_nonzero(both) < 14:
        return Standing.UNTESTED, "Fewer than 14 days with readings at noon and at night."
    depth = np.nanmedian(night[both], axis=1) - np.nanmedian(noon[both], axis=1)
    dips = float(np.mean(depth > case.parameters.explains_little * case.load.power_w.estimate))
    text = (
        f"{negative:.1%} of the hours feed in; on {dips:.0%} of the days noon lies below the night by more than "
        f"{case.parameters.explains_little:.0%} of the load."
    )
    if negative == 0 and dips < 0.2:
        return Standing.EXCLUDED, text + " No generation is seen that could make the night look like an added load."
    return Standing.POSSIBLE, text + " Generation behind the meter may hide the day and make the night stand out."


def _tariff(case: _Case) -> tuple[Standing, str]:
    on = np.flatnonzero(case.hours)
    if len(on) >= 14 or case.load.mode is Mode.PRICE_FOLLOWING:
        return (
            Standing.EXCLUDED,
            f"The load runs {case.load.duty:.0%} of the time, day and night; loads on a night tariff run at night.",
        )
    in_night = np.count_nonzero(case.hours[[20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7, 8]])
    if in_night < 0.75 * len(on):
        return (
            Standing.EXCLUDED,
            f"Only {in_night} of the {len(on)} hours at which it runs are hours of a night tariff.",
        )
    first = next((int(hour) for hour in on if not case.hours[hour - 1]), 0)
    text = f"The load runs from {first:02d}:00 for {len(on)} hours, as heaters and boilers on a night tariff do."
    heating = _response(case)
    if isinstance(heating, str):
        return Standing.POSSIBLE, f"{text} Whether it follows the weather was not tested: {heating}"
    share = max(heating.heating_w, 0.0) / case.load.power_w.estimate if case.load.power_w.estimate > 0 else 0.0
    return (
        Standing.POSSIBLE,
        f"{text} {share:.0%} of it follows the cold; storage heaters would nearly all, boilers hardly.",
    )


def _operating_calendar(case: _Case) -> tuple[Standing, str]:
    size = case.load.power_w.estimate
    floor = _floor(case)
    after = np.arange(len(floor)) >= case.onset_day
    free = (case.weekday >= 5) | case.holiday
    known = ~np.isnan(floor)
    if np.count_nonzero(known & after & free) < 6 or np.count_nonzero(known & after & ~free) < 10 or size <= 0:
        return Standing.UNTESTED, "Fewer than 6 free and 10 working days since the load began."
    drop = float(np.median(floor[known & after & ~free]) - np.median(floor[known & after & free]))
    text = f"On {np.count_nonzero(known & after & free)} free days the floor lies {_beside(drop)} working days"
    earlier = known & ~after
    if case.load.onset is not None and np.count_nonzero(earlier & free) >= 4 and np.count_nonzero(earlier & ~free) >= 6:
        usual = float(np.median(floor[earlier & ~free]) - np.median(floor[earlier & free]))
        text += f", before the load began {_beside(usual)} them"
        drop -= usual
    share = abs(drop) / size
    text += f": {share:.0%} of the load keeps the calendar of the week."
    if case.load.onset is not None:
        recurs = _recurs(case, floor)
        if recurs is None:
            text += " Whether the rise comes every year (terms, seasons) cannot be seen in less than a year and a half."
            standing = Standing.POSSIBLE
        else:
            text += f" At the same time of another year the floor changed by {_kw(recurs)}."
            standing = Standing.POSSIBLE if recurs > 0.5 * size else Standing.EXCLUDED
        if share >= case.parameters.explains:
            standing = Standing.POSSIBLE
        return standing, text
    if share < case.parameters.explains_little:
        return Standing.EXCLUDED, text
    return Standing.POSSIBLE, text


def _recurs(case: _Case, floor: Floats) -> float | None:
    """Change of the floor over the four weeks on both sides of the onset's place in another year; None if not seen."""
    for shift in (-364, 364):
        at = case.onset_day + shift
        if at - 28 < 0 or at + 28 > len(floor):
            continue
        before, after = floor[at - 28 : at], floor[at : at + 28]
        if np.count_nonzero(~np.isnan(before)) >= 14 and np.count_nonzero(~np.isnan(after)) >= 14:
            return float(np.nanmedian(after) - np.nanmedian(before))
    return None
