"""Write a simulated district: readings in two forms, the utility's tables, and the truth.

| file | what |
|---|---|
| ``readings.parquet`` | every interval, with its time in UTC |
| ``readings.csv`` | the same rows, with local times and their offsets |
| ``registers.csv`` | what the registers of exchanged meters showed: counting up, rolling over, beginning anew |
| ``topology.csv``, ``transformers.csv`` | supply points; transformers with their head meters |
| ``weather.csv``, ``prices.csv``, ``tariff.csv`` | by hour: weather, the day-ahead price, the time-of-use rate |
| ``sites.csv`` | the site registry, also of who may mine |
| ``truth.csv`` | what each point truly is, and loads at no point |

A row that is absent is nowhere. A blank value is a reading that did not come. Zeros and estimates are as the source
filled them in; only the estimates say so.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from headframe.records.reading import Quality
from headframe.simulate.meters.district import HOME, HYDRO, LICENSED, District, Group, MetersSpec, Point, flows_of
from headframe.simulate.meters.grid import Readings
from headframe.simulate.meters.machines import Farm
from headframe.simulate.meters.places import FINE_S
from headframe.simulate.meters.setting import tariff_price
from headframe.simulate.meters.trades import TRADES

if TYPE_CHECKING:
    import polars as pl

NAMES = (
    "readings.parquet", "readings.csv", "registers.csv", "topology.csv", "transformers.csv", "weather.csv",
    "prices.csv", "tariff.csv", "sites.csv", "truth.csv",
)  # fmt: skip
_QUALITY_WORDS = {Quality.MEASURED: "measured", Quality.ESTIMATED: "estimated", Quality.MISSING: "missing"}
_REGISTER_WH = 100_000_000
"""A register of five digits before the point rolls over here. [Wh]"""
_ROWS_PER_CSV_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class SimulatedMeters:
    """Where the files are, and how much is in them."""

    folder: Path
    usage_points: int
    transformers: int
    readings: int
    miners: int
    """Unlawful ones, taps included."""

    def path(self, name: str) -> Path:
        """Where one of `NAMES` is."""
        return self.folder / name


def write_meters(
    folder: Path, spec: MetersSpec, seed: int, *, progress: Callable[[int, int], None] = lambda done, of: None
) -> SimulatedMeters:
    """Simulate a district and write it.

    Parameters
    ----------
    folder : pathlib.Path
        Exists already; files of the same names are replaced.
    spec : MetersSpec
    seed : int
        The same seed gives the same files.
    progress : callable
        Told how many transformers are done, and of how many.

    Returns
    -------
    SimulatedMeters

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    district = District(spec, seed)
    tables = _Tables(folder, district)
    stopped: list[BaseException] = []

    def batches(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        try:
            for done, group in enumerate(district.groups(), 1):
                tables.take(group)
                yield _readings_table(group, district)
                progress(done, district.transformers)
        except BaseException as fault:  # polars would wrap it; who called shall see what it was
            stopped.append(fault)
            raise

    try:
        lazy = register_io_source(batches, schema=_schema())
        try:
            lazy.sink_parquet(folder / NAMES[0], compression="zstd", maintain_order=True, row_group_size=1 << 20)
        except (pl.exceptions.PolarsError, OSError) as fault:
            raise (stopped[0] if stopped else fault) from None
    finally:
        tables.close()
    _write_surroundings(folder, district)
    _write_csv(folder, district)
    return SimulatedMeters(folder, tables.points, district.transformers, tables.readings, tables.miners)


def _schema() -> dict[str, pl.DataType]:
    import polars as pl

    return {
        "usage_point": pl.String(),
        "start": pl.Datetime("us", "UTC"),
        "duration_s": pl.Int32(),
        "flow": pl.String(),
        "energy_kwh": pl.Float64(),
        "quality": pl.String(),
    }


def _readings_table(group: Group, district: District) -> pl.DataFrame:
    import polars as pl

    series: list[tuple[str, str, Readings]] = [
        (point.usage_point, str(flow), readings) for point in group.points for flow, readings in flows_of(point)
    ]
    series.append((group.head_usage_point, "delivered", group.head_delivered))
    if group.head_received is not None:
        series.append((group.head_usage_point, "received", group.head_received))
    there = [readings.there for _, _, readings in series]
    rows = [int(one.sum()) for one in there]
    code = np.repeat(np.arange(len(series)), rows)
    start_us = np.concatenate([district.start_s[one] for one in there]) * 1_000_000
    energy = np.concatenate([readings.energy_wh[readings.there] for _, _, readings in series]) / 1000
    quality = np.concatenate([readings.quality[readings.there] for _, _, readings in series])
    words = pl.Series([_QUALITY_WORDS.get(Quality(one), "") for one in range(32)])
    # A value that was both estimated and lost is lost.
    quality = np.where(quality & Quality.MISSING, np.uint8(Quality.MISSING), quality)
    return pl.DataFrame(
        {
            "usage_point": pl.Series([name for name, _, _ in series]).gather(code),
            "start": pl.Series(start_us).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "duration_s": np.full(code.size, district.spec.step_minutes * 60, np.int32),
            "flow": pl.Series([flow for _, flow, _ in series]).gather(code),
            "energy_kwh": pl.Series(np.round(energy, 3)).fill_nan(None),
            "quality": words.gather(quality.astype(np.uint32)),
        }
    )


def _write_csv(folder: Path, district: District) -> None:
    """The same rows with local times; piece by piece, so that memory stays bounded."""
    import polars as pl

    local = pl.DataFrame(
        {
            "start": pl.Series(district.start_s * 1_000_000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "local": _local_times(district),
        }
    )
    rows = pl.scan_parquet(folder / NAMES[0], glob=False)
    total = rows.select(pl.len()).collect().item()
    with (folder / NAMES[1]).open("wb") as file:
        for begin in range(0, total, _ROWS_PER_CSV_PIECE):
            piece = rows.slice(begin, _ROWS_PER_CSV_PIECE).collect()
            piece = piece.join(local, on="start", how="left", maintain_order="left")
            piece = piece.with_columns(start=pl.col("local")).drop("local")
            piece.write_csv(file, include_header=begin == 0)


def _local_times(district: District) -> list[str]:
    offsets = district.calendar.offset_s[:: district.per_interval]
    return [_local(int(at), int(off)) for at, off in zip(district.start_s, offsets, strict=True)]


def _local(at_s: int, offset_s: int) -> str:
    return datetime.fromtimestamp(at_s, timezone(timedelta(seconds=offset_s))).isoformat(timespec="seconds")


def _write_surroundings(folder: Path, district: District) -> None:
    """Weather and prices by the hour, on local times with offsets."""
    setting, calendar = district.setting, district.calendar
    per_hour = 3600 // FINE_S
    hours = slice(None, None, per_hour)
    times = [
        _local(int(at), int(off))
        for at, off in zip(calendar.time_s[hours], calendar.offset_s[hours], strict=True)
    ]  # fmt: skip

    def hourly(values: np.ndarray, digits: int) -> list[float]:
        return [round(float(one), digits) for one in values.reshape(-1, per_hour).mean(axis=1, dtype=np.float64)]

    for name, columns in (
        (
            "weather.csv",
            {
                "start": times,
                "temperature_c": hourly(setting.temperature_c, 1),
                "irradiance_w_m2": hourly(setting.irradiance_w_m2, 0),
                "water_flow_m3_s": hourly(setting.water_flow_m3_s, 2),
            },
        ),
        ("prices.csv", {"start": times, "price_per_kwh": hourly(setting.price_per_kwh, 4)}),
        ("tariff.csv", {"start": times, "price_per_kwh": hourly(tariff_price(calendar), 4)}),
    ):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))


class _Tables:
    """The small tables, written as the transformers come."""

    def __init__(self, folder: Path, district: District) -> None:
        self.district = district
        self.points = self.readings = self.miners = 0
        self._files: list[IO[str]] = []
        self._rng = np.random.default_rng([district.seed, 3])
        self._topology = self._writer(
            folder / "topology.csv",
            ("usage_point", "tariff_class", "contracted_power_kw", "region", "transformer", "feeder", "phase", "pv",
             "meter_class"),
        )  # fmt: skip
        self._transformers = self._writer(
            folder / "transformers.csv",
            ("transformer", "head_usage_point", "rated_power_kva", "no_load_loss_w", "load_loss_w",
             "line_resistance_ohm", "meter_class"),
        )  # fmt: skip
        self._sites = self._writer(
            folder / "sites.csv", ("site", "name", "kind", "organisation", "region", "usage_point")
        )
        self._truth = self._writer(
            folder / "truth.csv",
            ("usage_point", "transformer", "mining", "mode", "power_w", "onset", "bypass_share", "lawful", "what",
             "machines", "model", "machine_energy_kwh", "past_meter_w"),
        )  # fmt: skip
        self._registers = self._writer(folder / "registers.csv", ("usage_point", "start", "register_kwh"))

    def close(self) -> None:
        """Close all files."""
        for file in self._files:
            file.close()

    def take(self, group: Group) -> None:
        """Write what the tables say of one transformer and its points."""
        plate = group.plate
        self._transformers.writerow(
            (group.transformer, group.head_usage_point, plate.rated_power_kva, plate.no_load_loss_w, plate.load_loss_w,
             plate.line_resistance_ohm, group.meter_class)
        )  # fmt: skip
        for point in group.points:
            self._take_point(point)
        if group.tap is not None:
            self.miners += 1
            self._truth.writerow(self._truth_row("", group.transformer, group.tap, False, "a tap on the line"))
        self.readings += sum(
            int(readings.there.sum())
            for readings in (
                *(readings for point in group.points for _, readings in flows_of(point)),
                group.head_delivered,
                *((group.head_received,) if group.head_received is not None else ()),
            )
        )

    def _take_point(self, point: Point) -> None:
        self.points += 1
        self.miners += point.farm is not None and not point.lawful
        self._topology.writerow(
            (point.usage_point, point.tariff_class, f"{point.contracted_power_kw:g}", point.region, point.transformer,
             point.feeder, point.phase, "yes" if point.pv else "no", point.meter_class)
        )  # fmt: skip
        self._sites.writerow(self._site_row(point))
        self._truth.writerow(
            self._truth_row(point.usage_point, point.transformer, point.farm, point.lawful, point.what)
        )
        for fault in point.faults:
            if fault.kind == "exchanged":
                self._write_register(point, fault.begin, fault.end)

    def _site_row(self, point: Point) -> tuple[str, ...]:
        site = f"S{point.usage_point[1:]}"
        number = point.usage_point.lstrip("U0")
        if point.trade == HOME:
            return site, "", "household_premises", "", point.region, point.usage_point
        if point.trade == LICENSED:
            name = f"Mining site {number}, licence L-{number}"
            return site, name, "data_centre", f"Licensed Miner {number}", point.region, point.usage_point
        kind = "power_plant" if point.trade == HYDRO else TRADES[point.trade].site_kind
        name = f"{point.trade[:1].upper()}{point.trade[1:]} {number}"
        return site, name, kind, f"Organisation {number}", point.region, point.usage_point

    def _truth_row(
        self, usage_point: str, transformer: str, farm: Farm | None, lawful: bool, what: str
    ) -> tuple[Any, ...]:
        if farm is None:
            return usage_point, transformer, "no", "", "", "", "", "", what, "", "", "", ""
        onset = "" if farm.onset_s is None else datetime.fromtimestamp(farm.onset_s, UTC).isoformat()
        energy = float(farm.added_w.sum(dtype=np.float64)) * FINE_S / 3_600_000
        return (
            usage_point, transformer, "yes", str(farm.mode), round(farm.power_w), onset, round(farm.bypass_share, 3),
            "yes" if lawful else "no", what, farm.machines, farm.model, round(energy, 1),
            round(farm.past_meter_w),
        )  # fmt: skip

    def _write_register(self, point: Point, begin: int, end: int) -> None:
        """What the display showed at the start of each interval, before and after the exchange."""
        energy = point.delivered.energy_wh
        usable = np.nan_to_num(energy)
        before = np.cumsum(usable[:begin]) - usable[:begin]
        # Half of the old meters are about to roll over.
        full = self._rng.random() < 0.5
        first = _REGISTER_WH - before[-1] * 0.5 if full else self._rng.uniform(0, 0.8) * _REGISTER_WH
        after = np.cumsum(usable[end:]) - usable[end:] + self._rng.uniform(0, 5000)
        shown = np.concatenate(((np.floor(first) + before) % _REGISTER_WH, np.floor(after)))
        places = np.concatenate((np.arange(begin), np.arange(end, energy.size)))
        offsets = self.district.calendar.offset_s[:: self.district.per_interval]
        self._registers.writerows(
            (point.usage_point, _local(int(self.district.start_s[at]), int(offsets[at])), f"{value / 1000:.3f}")
            for at, value in zip(places, shown, strict=True)
        )

    def _writer(self, path: Path, columns: tuple[str, ...]) -> Any:
        file = path.open("w", newline="", encoding="utf-8")
        self._files.append(file)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        return writer
