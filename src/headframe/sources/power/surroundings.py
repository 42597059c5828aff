"""Tables of what is known for every hour of a region: temperature, price, carbon, and what generators live on.

One row per time; finer rows are averaged over the hour, coarser ones hold until the next (a day at most):

| column | unit |
|---|---|
| ``start`` | begin of the interval: ISO 8601, other common forms, seconds since 1970; `zone` where it has no offset |
| ``temperature_c``, ``temperature_f``, ``temperature_k`` | outdoor temperature |
| ``price_per_kwh``, ``price_per_mwh``, ``pence_per_kwh`` | currency of the tariff |
| ``carbon_g_per_kwh``, ``carbon_kg_per_kwh`` | CO2 of the electricity |
| ``irradiance_w_m2``, ``water_flow_m3_s``, ``fuel`` | what a generator lives on |

Common names of others are understood. If a file has a time and one other column, that is what was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headframe.records.reading import HourlySeries, ReadingAccount
from headframe.sources.power.columns import plain
from headframe.sources.power.named_tables import named_rows, number_of
from headframe.sources.power.options import EARLIEST_S, LATEST_S, ReadingOptions
from headframe.sources.power.tally import Tally
from headframe.sources.power.times import civil_to_utc, find_form, seconds_of_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HOUR_S = 3600
_START = (
    "time", "timestamp", "ts", "datetime", "date", "dateandtime", "starttime", "startdatetime", "intervalstart",
    "from", "validfrom", "utc", "datetimeutc", "timeutc", "hour", "zeitstempel", "zeit", "datum", "fecha",
)  # fmt: skip
_QUANTITIES: dict[str, dict[str, tuple[float, float, tuple[str, ...]]]] = {
    "temperature_c": {
        "temperature_c": (1.0, 0.0, (
            "temperature", "temp", "tempc", "airtemperature", "airtemp", "airtemperaturec", "airtemperaturedegc",
            "airtemperaturecelsius", "outdoortemperature", "outdoortemperaturec", "outsidetemperature", "t2m",
            "tempair", "drybulb", "drybulbc", "temperaturedegc", "temperaturecelsius", "temperatur", "temperature2m",
            "temperature2mc",
        )),
        "temperature_f": (5.0 / 9.0, -160.0 / 9.0, ("tempf", "temperaturefahrenheit", "airtemperaturef", "drybulbf")),
        "temperature_k": (1.0, -273.15, ("tempk", "temperaturekelvin", "t2mk", "airtemperaturek")),
    },
    "price_per_kwh": {
        "price_per_kwh": (1.0, 0.0, (
            "price", "pricekwh", "unitprice", "unitrate", "rate", "electricityprice", "electricitypricing",
            "electricitypricingkwh", "eurkwh", "eurperkwh", "usdkwh", "gbpkwh", "gbpperkwh", "priceeurkwh",
            "preis", "tariffperkwh", "valueincvat",
        )),
        "price_per_mwh": (1e-3, 0.0, (
            "pricemwh", "eurmwh", "eurpermwh", "usdmwh", "gbpmwh", "lmp", "spotprice", "dayaheadprice", "priceeurmwh",
        )),
        "pence_per_kwh": (1e-2, 0.0, ("pkwh", "pperkwh", "pencekwh", "centkwh", "ctkwh", "unitratepkwh")),
    },
    "carbon_g_per_kwh": {
        "carbon_g_per_kwh": (1.0, 0.0, (
            "carbonintensity", "carbon", "gco2kwh", "gco2perkwh", "carbonintensitygco2kwh", "co2gkwh", "intensity",
            "forecast", "actual",
        )),
        "carbon_kg_per_kwh": (1e3, 0.0, ("kgco2kwh", "kgco2perkwh", "carbonintensitykgco2kwh", "co2kgkwh")),
    },
    "irradiance_w_m2": {
        "irradiance_w_m2": (1.0, 0.0, (
            "irradiance", "ghi", "globalirradiance", "globalhorizontalirradiance", "solarradiation", "glblirradamt",
            "glbliradamtwm2", "glblirradamtwm2", "shortwaveradiation", "shortwaveradiationwm2",
        )),
    },
    "water_flow_m3_s": {
        "water_flow_m3_s": (1.0, 0.0, ("waterflow", "discharge", "flowm3s", "riverflow", "dischargem3s")),
    },
    "fuel": {"fuel": (1.0, 0.0, ("fuelflow", "fuelkg", "gasm3", "gasflow", "fuelm3", "fuelconsumption"))},
}  # fmt: skip
_SENSIBLE = {
    "temperature_c": (-90.0, 60.0), "price_per_kwh": (-1e5, 1e5), "carbon_g_per_kwh": (0.0, 5_000.0),
    "irradiance_w_m2": (-20.0, 2_000.0), "water_flow_m3_s": (0.0, 1e6), "fuel": (0.0, 1e12),
}  # fmt: skip
"""Outside lies a code for "missing" (-999) or a mistake of unit. The coldest and hottest air ever measured at a
station is -89 and 57 degrees C; -20 W/m2 is the thermal offset of a pyranometer at night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurroundingSeries:
    """What one file says of the surroundings, by the hour; None where it says nothing of it.

    Attributes
    ----------
    temperature_c : HourlySeries or None
        [degrees C]
    price_per_kwh : HourlySeries or None
        [currency/kWh]
    carbon_g_per_kwh : HourlySeries or None
        [g CO2/kWh]
    irradiance_w_m2 : HourlySeries or None
        [W/m2]
    water_flow_m3_s : HourlySeries or None
        [m3/s]
    fuel : HourlySeries or None
        In the unit of the file.
    account : ReadingAccount
    """

    temperature_c: HourlySeries | None = None
    price_per_kwh: HourlySeries | None = None
    carbon_g_per_kwh: HourlySeries | None = None
    irradiance_w_m2: HourlySeries | None = None
    water_flow_m3_s: HourlySeries | None = None
    fuel: HourlySeries | None = None
    account: ReadingAccount


def read_surroundings(
    path: Path,
    *,
    wanted: str | None = None,
    columns: Mapping[str, str] | None = None,
    options: ReadingOptions | None = None,
) -> SurroundingSeries:
    """Hourly series out of a table, CSV or Parquet.

    Parameters
    ----------
    path : Path
    wanted : str, optional
        ``temperature_c``, ``price_per_kwh`` and so on: what must be in it.
    columns : mapping of str to str, optional
        Our names to the file's, for columns with other names.
    options : ReadingOptions, optional
        Zone of times without an offset, delimiter, order of day and month.

    Returns
    -------
    SurroundingSeries

    Raises
    ------
    ValueError
        If the file cannot be read at all, has no time, or nothing that is known; or not what was wanted.
    """
    options = options or ReadingOptions()
    tally = Tally(str(path))
    if wanted is not None and wanted not in _QUANTITIES:
        raise ValueError(f"{wanted!r} is not one of {', '.join(_QUANTITIES)}")
    names: dict[str, tuple[str, ...]] = {"start": _START}
    for units in _QUANTITIES.values():
        names.update({column: aliases for column, (_, _, aliases) in units.items()})
    columns = _only_other(path, columns, names, wanted, options)
    known, rows = named_rows(path, names, columns, options, tally)
    there = [
        (quantity, column, factor, zero)
        for quantity, units in _QUANTITIES.items()
        for column, (factor, zero, _) in units.items()
        if column in known
    ]
    quantities = [quantity for quantity, *_ in there]
    if "start" not in known or not there or (wanted is not None and wanted not in quantities):
        lacking = "time" if "start" not in known else wanted or "temperature, price or carbon"
        raise ValueError(f"{path}: no column is the {lacking}; name it with a mapping such as {wanted or 'start'}=...")
    numbers: list[int] = []
    texts: list[str] = []
    values: dict[str, list[str]] = {column: [] for _, column, _, _ in there}
    for number, cells in rows:
        if "start" not in cells:
            tally.problem("no time", [number])
            continue
        numbers.append(number)
        texts.append(cells["start"])
        for column, kept in values.items():
            kept.append(cells.get(column, ""))
    row = np.array(numbers, np.int64)
    time_s, good = _seconds(texts, row, options, tally)
    instants = np.unique(time_s[good])
    step_s = int(np.median(np.diff(instants))) if instants.size > 1 else _HOUR_S
    found: dict[str, HourlySeries] = {}
    useful, faulty = np.zeros(row.size, bool), np.zeros(row.size, bool)
    for quantity, column, factor, zero in there:
        if quantity in found:
            continue
        told, bad = _numbers(values[column], row, column, factor, zero, _SENSIBLE[quantity], tally)
        faulty |= bad
        use = good & np.isfinite(told)
        useful |= use
        if use.any():
            found[quantity] = _hourly(time_s[use], told[use], step_s, column, tally)
    if not found:
        raise ValueError(f"{path}: none of {len(row):,} rows has a time and a value")
    if wanted is not None and wanted not in found:
        raise ValueError(f"{path}: no row has a {wanted}")
    tally.problem("no value", row[good & ~useful & ~faulty].tolist())
    return SurroundingSeries(**found, account=tally.account())


def _only_other(
    path: Path,
    columns: Mapping[str, str] | None,
    names: Mapping[str, tuple[str, ...]],
    wanted: str | None,
    options: ReadingOptions,
) -> Mapping[str, str] | None:
    """A mapping for a file of a time and one other column, whatever that is called."""
    if wanted is None or columns:
        return columns
    header = _header(path, options)
    starts = [column for column in header if plain(column) in ("start", *_START)]
    others = [column for column in header if column not in starts]
    if len(starts) != 1 or len(others) != 1:
        return columns
    known = {alias for ours, aliases in names.items() for alias in (plain(ours), *aliases)}
    return columns if plain(others[0]) in known else {wanted: others[0]}


def _header(path: Path, options: ReadingOptions) -> tuple[str, ...]:
    from headframe.sources.power.text_file import look_at, plain_text

    try:
        with path.open("rb") as stream:
            parquet = stream.read(4) == b"PAR1"
        if parquet:
            from headframe.sources.power.parquet import schema_of

            return tuple(schema_of(path).names())
        with plain_text(path) as text:
            return look_at(text, options).header
    except OSError as fault:
        raise ValueError(f"{path}: cannot be read: {fault.strerror or fault}") from fault


def _seconds(
    texts: list[str], row: NDArray[np.int64], options: ReadingOptions, tally: Tally
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Instants of texts; in the hour that clocks show twice, a time that comes again is the second one."""
    import polars as pl

    series = pl.Series("start", texts, dtype=pl.String)
    time_s, good, naive = seconds_of_texts(series, find_form(series, options.day_first))
    tally.problem("a time that is not understood", row[~good].tolist())
    civil = good & naive
    if civil.any():
        zone = options.zone or UTC
        if options.zone is None:
            tally.remark("times have no offset and are taken as UTC")
        shown = time_s[civil]
        turned = civil_to_utc(shown, zone)
        _, first = np.unique(shown, return_index=True)
        again = np.ones(shown.size, bool)
        again[first] = False
        time_s[civil] = np.where(again, turned.late_s, turned.early_s)
        never = np.zeros(row.size, bool)
        never[np.flatnonzero(civil)[turned.never]] = True
        tally.problem("a time that clocks of the zone never showed", row[never].tolist())
        good &= ~never
    outside = good & ((time_s < EARLIEST_S) | (time_s > LATEST_S))
    tally.problem("a time before 1970 or after 2100", row[outside].tolist())
    return time_s, good & ~outside


def _numbers(
    texts: list[str],
    row: NDArray[np.int64],
    column: str,
    factor: float,
    zero: float,
    sensible: tuple[float, float],
    tally: Tally,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values in our unit, NaN where there is none; and where there is something that is no value."""
    told = np.full(len(texts), np.nan)
    bad = np.zeros(len(texts), bool)
    for k, text in enumerate(texts):
        if text:
            try:
                told[k] = number_of(text) * factor + zero
            except ValueError:
                if text.casefold() not in ("nan", "na", "n/a", "null", "none", "-"):
                    bad[k] = True
    tally.problem(f"{column} is not a number", row[bad].tolist())
    low, high = sensible
    with np.errstate(invalid="ignore"):
        outside = (told < low) | (told > high)
    tally.problem(f"{column} is outside {low:g} to {high:g}", row[outside].tolist())
    told[outside] = np.nan
    return told, bad | outside


def _hourly(
    time_s: NDArray[np.int64], values: NDArray[np.float64], step_s: int, column: str, tally: Tally
) -> HourlySeries:
    """Means over hours. Where rows are hours apart, each holds until the next."""
    order = np.argsort(time_s, kind="stable")
    time_s, values = time_s[order], values[order]
    repeated = int((np.diff(time_s) == 0).sum())
    tally.remark(f"{{}} times of {column} come more than once, and were averaged", repeated)
    hour = time_s // _HOUR_S
    if step_s > _HOUR_S:
        held = min(step_s, 86_400) // _HOUR_S
        tally.remark(f"{column} comes every {step_s / _HOUR_S:g} h; each value holds for {held} h")
        hour = (hour[:, None] + np.arange(held)[None, :]).ravel()
        values = np.repeat(values, held)
    first = int(hour.min())
    size = int(hour.max()) - first + 1
    count = np.bincount(hour - first, minlength=size)
    total = np.bincount(hour - first, weights=values, minlength=size)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return HourlySeries(start_s=first * _HOUR_S, step_s=_HOUR_S, values=mean)
