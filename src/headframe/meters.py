"""Reads the readings of meters and what is known beside them, and looks through them: ``headframe meters``.

It stands beside `headframe.app`, which loads packets and kernels that no meter needs.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.load_finding import UsagePointResult
from headframe.records.meters import MetersResult
from headframe.records.reading import HourlySeries, LoadBatch, LocalClock, ReadingAccount, Transformer, UsagePoint
from headframe.records.site import SourceRow

if TYPE_CHECKING:
    from headframe.engines.meters import Knowledge
    from headframe.sites.registry import Registry
    from headframe.sources.power.columns import ColumnMapping
    from headframe.sources.power.options import ReadingOptions
    from headframe.sources.power.surroundings import SurroundingSeries
    from headframe.sources.power.topology import Topology
    from headframe.stores.lake import Lake
    from headframe.stores.parquet_stream import ParquetReadings

__all__ = ["MeterFiles", "screen"]

BATCH_READINGS = 4_000_000
"""Readings between the first and the last usage point that are fetched at once. A lake reads what lies between."""
LONGEST_SPREAD_S = 4 * 3600
"""A longer reading is no load of hours: spread over a day or a month it would look like one that is always on. [s]"""
TALK_BYTES = 50_000_000
"""A file of this size takes seconds to import, so it is named. [bytes]"""
_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".xml", ".gz", ".zst")
_TAKEN = "taken_in.json"  # in a lake that is kept: which files are in it


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFiles:
    """Where everything is.

    Attributes
    ----------
    readings : tuple of Path
        Files, folders of such files, or folders that are a lake.
    columns : str or None
        Our names for a table's columns: ``usage_point=meter,start=ts,energy_kwh=kwh``.
    topology : tuple of Path
        Tables of usage points and transformers.
    weather, prices : Path or None
    sites : tuple of Path
        Tables of sites.
    zone : datetime.tzinfo or None
        Of days and hours, and of times without an offset; None: UTC, with a remark.
    zone_name : str
        Its IANA name.
    lake : Path or None
        Where imported readings are kept; None: in a folder that is removed at the end.
    country : str
        ISO 3166-1 alpha-2; for public holidays and the carbon of its electricity. Empty where it is not said.
    """

    readings: tuple[Path, ...]
    columns: str | None = None
    topology: tuple[Path, ...] = ()
    weather: Path | None = None
    prices: Path | None = None
    sites: tuple[Path, ...] = ()
    zone: tzinfo | None = None
    zone_name: str = "UTC"
    lake: Path | None = None
    country: str = ""


def screen(
    files: MeterFiles,
    *,
    period_days: int | None = None,
    fdr: float = 0.05,
    threads: int | None = None,
    talk: Callable[[str], None] = lambda line: None,
) -> MetersResult:
    """Look through the readings of usage points.

    Parameters
    ----------
    files : MeterFiles
    period_days : int, optional
        One row per usage point and so many days, instead of one over all its data. [days]
    fdr : float
        False discovery rate of the list. [unitless]
    threads : int, optional
        Workers; None: one for each processor.
    talk : callable
        Takes a line about what goes on, for whoever waits.

    Returns
    -------
    MetersResult

    Raises
    ------
    UnreadableInput
        If readings cannot be read, or there are none.
    HeadframeError
        If a mapping or a table cannot be used.
    """
    from headframe.engines.meters import MetersEngine, MetersOptions

    with ExitStack() as stack:
        readings = open_readings(files, stack, talk)
        registry, remarks = _registry(files)
        knowledge, tables, known, unmatched = _knowledge(files, readings)
        if knowledge.transformers:
            _note_transformers(files, knowledge)
        engine = MetersEngine(
            lambda names: readings.batches(names, as_measured=False),
            knowledge,
            MetersOptions(period_days=period_days, fdr=fdr, threads=threads),
            raw_batches=lambda names: readings.batches(names, as_measured=True),
            export_batches=lambda names: readings.exports(),
        )
        try:
            result = engine.run()
        except ValueError as fault:
            if isinstance(readings, _OfParquet):  # what a table holds is only seen on the way
                raise _unreadable(files.readings[0], fault) from fault
            raise
        accounts = readings.accounts()
        if not result.readings:
            raise _nothing_read(files, accounts)
    if registry is not None:
        result = replace(result, rows=[_at_site(row, registry) for row in result.rows])
    return replace(
        result,
        accounts=(*accounts, *tables),
        zone=files.zone_name,
        known=(*known, *(("sites",) if files.sites else ())),
        remarks=(*result.remarks, *unmatched, *remarks),
    )


# Readings -------------------------------------------------------------------------------------------------------------


class Readings(Protocol):
    """Where hourly load comes from: a lake, or a Parquet table as it stands."""

    def batches(self, usage_points: Collection[str] | None, *, as_measured: bool) -> Iterator[LoadBatch]:
        """All usage points, or the named ones; as often as it is asked.

        `as_measured` is for a balance: zeros stay, since a bypassed meter shows 0; what was only estimated does not.
        """

    def exports(self) -> Iterator[LoadBatch]:
        """What usage points feed into the grid."""

    def accounts(self) -> tuple[ReadingAccount, ...]:
        """What became of rows; complete after all batches were taken once."""

    def span_s(self) -> tuple[int, int] | None:
        """From the first instant to the last, where that is known beforehand. [s since 1970-01-01 UTC]"""

    def covers_s(self) -> tuple[int, int] | None:
        """The same, also where a column of times must be read for it; None without a time. [s since 1970-01-01 UTC]"""

    def usage_points(self) -> set[str]:
        """All that have readings."""


class _OfLakes:
    """Load out of lakes; of a few usage points, only what lies near them is read."""

    def __init__(self, lakes: Sequence[Lake], accounts: Sequence[ReadingAccount]) -> None:
        self._lakes = list(lakes)
        self._accounts = tuple(accounts)
        self._places = [_places(lake) for lake in lakes]

    def batches(self, usage_points: Collection[str] | None, *, as_measured: bool) -> Iterator[LoadBatch]:
        how: dict[str, Any] = {
            "longest_s": LONGEST_SPREAD_S, "zeros_are_missing": not as_measured, "estimates_are_missing": as_measured
        }  # fmt: skip
        for lake, (names, most) in zip(self._lakes, self._places, strict=True):
            if usage_points is None:
                yield from lake.batches(**how)
                continue
            for some in _near(names, usage_points, most):
                yield from lake.batches(usage_points=some, **how)

    def exports(self) -> Iterator[LoadBatch]:
        for lake in self._lakes:
            yield from lake.batches(flow="received", longest_s=LONGEST_SPREAD_S, zeros_are_missing=False)

    def accounts(self) -> tuple[ReadingAccount, ...]:
        return self._accounts

    def span_s(self) -> tuple[int, int] | None:
        spans = [span for lake in self._lakes if (span := lake.span()) is not None]
        return min(span.start_s for span in spans), max(span.end_s for span in spans)

    def covers_s(self) -> tuple[int, int] | None:
        return self.span_s()

    def usage_points(self) -> set[str]:
        return {name for names, _ in self._places for name in names}


class _OfParquet:
    """Load out of one Parquet table that needs no sorting: read once for each pass, and nothing is written."""

    def __init__(self, table: ParquetReadings) -> None:
        self._table = table

    def batches(self, usage_points: Collection[str] | None, *, as_measured: bool) -> Iterator[LoadBatch]:
        return self._table.batches(
            usage_points=usage_points, longest_s=LONGEST_SPREAD_S, zeros_are_missing=not as_measured
        )

    def exports(self) -> Iterator[LoadBatch]:
        return iter(())  # such a table has no column of it

    def accounts(self) -> tuple[ReadingAccount, ...]:
        return () if self._table.account is None else (self._table.account,)

    def span_s(self) -> tuple[int, int] | None:
        return None

    def covers_s(self) -> tuple[int, int] | None:
        return self._table.span()

    def usage_points(self) -> set[str]:
        return set(self._table.usage_points())


def open_readings(files: MeterFiles, stack: ExitStack, talk: Callable[[str], None]) -> Readings:
    """Where the load comes from: tables are imported into a lake, but for one that can be read as it stands.

    Parameters
    ----------
    files : MeterFiles
    stack : ExitStack
        Keeps a lake of this run's own until the caller is done with the readings.
    talk : callable of str
        Is told of a large table that is being read.

    Returns
    -------
    Readings

    Raises
    ------
    HeadframeError
        Where the columns named do not fit, no lake can be kept, or no table can be read.
    """
    from headframe.sources.power.options import ReadingOptions
    from headframe.sources.power.read import ColumnMapping
    from headframe.stores.lake import Lake
    from headframe.stores.lake_purge import tidy

    try:
        mapping = None if files.columns is None else ColumnMapping.parse(files.columns)
    except ValueError as fault:
        raise HeadframeError(f"--columns: {fault}") from fault
    options = ReadingOptions(zone=files.zone)
    lakes = [Lake(path) for path in files.readings if _is_lake(path) and path != files.lake]
    # With each file, whether it was named itself: one of a folder may be no table of readings, and the rest is used.
    tables = [(table, table == path) for path in files.readings if not _is_lake(path) for table in _files_of(path)]
    alone = len(tables) == 1 and not lakes and files.lake is None
    # A generator's feed-in is asked for where the weather may tell what it lives on.
    if alone and files.weather is None and (table := _standing(tables[0][0], mapping, options)) is not None:
        return _OfParquet(table)
    accounts = [account for lake in lakes for account in _Taken(lake.folder).accounts()]
    faults: list[HeadframeError] = []
    if tables or files.lake is not None:
        folder = files.lake or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="headframe-lake-")))
        try:
            lake = Lake(folder)
        except OSError as fault:
            raise HeadframeError(f"{folder}: no lake can be kept there: {fault.strerror or fault}") from fault
        if files.lake is not None:
            tidy(folder)
        taken = _Taken(folder)
        for path, is_named in tables:
            if files.lake is not None and taken.has(path, files):
                continue
            if path.stat().st_size > TALK_BYTES:
                talk(f"reading {path.name}")
            try:
                account = _imported(lake, path, mapping, options)
            except HeadframeError as fault:
                if is_named:
                    raise
                faults.append(fault)
                accounts.append(_lost(path, fault))
                continue
            if files.lake is None:
                accounts.append(account)
            else:
                taken.add(path, files, account)
        accounts += taken.accounts()
        lakes.append(lake)
    lakes = [lake for lake in lakes if lake.span() is not None]
    if not lakes:
        # Where no file has the columns that are told, the command line is wrong and not the files.
        if faults and (len(accounts) == 1 or not any(isinstance(fault, UnreadableInput) for fault in faults)):
            raise faults[0]
        raise _nothing_read(files, accounts)
    return _OfLakes(lakes, accounts)


def _note_transformers(files: MeterFiles, knowledge: Knowledge) -> None:
    """Keep beside the readings which of them a balance is made of: cases that rest on one keep all of these."""
    from headframe.stores.lake import Lake

    members = {one.transformer: {one.head_usage_point} for one in knowledge.transformers}
    for point in knowledge.usage_points.values():
        if point.transformer in members:
            members[point.transformer].add(point.usage_point)
    for folder in {path for path in files.readings if _is_lake(path)} - {files.lake}:
        with suppress(OSError):  # who only reads a lake need not be allowed to write to it
            Lake(folder).note_transformers(members)
    if files.lake is not None:
        Lake(files.lake).note_transformers(members)


def _imported(lake: Lake, path: Path, mapping: ColumnMapping | None, options: ReadingOptions) -> ReadingAccount:
    try:
        account = lake.take_in(path, mapping, options).account
    except ValueError as fault:
        raise _unreadable(path, fault) from fault
    if account.rows or account.problems:
        return account
    return replace(account, remarks=(*account.remarks, f"{path}: there is no reading in it"))


def _lost(path: Path, fault: Exception) -> ReadingAccount:
    """The account of a file that cannot be read at all."""
    why = str(fault).removeprefix(f"{path}: ")
    return ReadingAccount(file=str(path), rows=0, kept=0, problems=((f"the file cannot be used: {why}", 0, ()),))


def _unreadable(path: Path, fault: Exception) -> HeadframeError:
    """What to say of a file that cannot be read; of a mapping that does not fit it, the mapping is at fault."""
    from headframe.sources.power.columns import NoSuchColumn

    text = str(fault)
    if isinstance(fault, NoSuchColumn):
        return HeadframeError(f"--columns: {text}")
    if str(path) in text:
        return UnreadableInput(text)
    # Some know only the name of the file.
    return UnreadableInput(text.replace(path.name, str(path), 1) if text.startswith(path.name) else f"{path}: {text}")


def _nothing_read(files: MeterFiles, accounts: Sequence[ReadingAccount]) -> UnreadableInput:
    names = ", ".join(map(str, files.readings[:3]))
    why = "; ".join(
        reason + (f" ({rows:,} rows)" if rows else "") for one in accounts for reason, rows, _ in one.problems[:2]
    )
    return UnreadableInput(f"{names}: no reading could be read{f': {why}' if why else ''}")


def _standing(path: Path, mapping: ColumnMapping | None, options: ReadingOptions) -> ParquetReadings | None:
    """A Parquet table in whose rows usage points stand together, so that it needs no lake; None for any other file."""
    from headframe.sources.power.parquet import is_parquet
    from headframe.stores.parquet_stream import open_parquet

    try:
        return open_parquet(path, mapping, options) if is_parquet(path) else None
    except OSError as fault:  # it was there a moment ago
        raise UnreadableInput(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    except ValueError as fault:
        raise _unreadable(path, fault) from fault


def _is_lake(path: Path) -> bool:
    from headframe.stores.lake import is_lake

    return is_lake(path)


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.exists():
            raise UnreadableInput(f"{path}: there is no such file or folder")
        return [path]
    found = sorted(one for one in path.iterdir() if one.is_file() and one.name.lower().endswith(_SUFFIXES))
    if not found:
        raise UnreadableInput(f"{path}: no file in this folder ends in {', '.join(_SUFFIXES)}")
    return found


class _Taken:
    """Which files a lake that is kept has taken in already, by name, size and time of change, with their accounts."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _TAKEN
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            # A plain list of keys has no accounts.
            pairs = told.items() if isinstance(told, dict) else ((key, None) for key in told)
            self._known = {str(key): None if account is None else _account_of(account) for key, account in pairs}
        except (OSError, ValueError, TypeError, KeyError):
            self._known = {}

    @staticmethod
    def _key(path: Path, files: MeterFiles) -> str:
        status = path.stat()
        return f"{path.name} {status.st_size} {status.st_mtime_ns} {files.columns or ''} {files.zone_name}"

    def has(self, path: Path, files: MeterFiles) -> bool:
        return self._key(path, files) in self._known

    def add(self, path: Path, files: MeterFiles, account: ReadingAccount) -> None:
        """Write down a file; what stood under its path before is no longer so, for its later readings count."""
        from headframe.stores.durable import replacing

        self._known = {key: one for key, one in self._known.items() if one is None or one.file != account.file}
        self._known[self._key(path, files)] = account
        told = {key: None if one is None else asdict(one) for key, one in sorted(self._known.items())}
        # Half a list would be none: every file would be read again, and what retention took away would come back.
        with replacing(self._path) as file:
            file.write(json.dumps(told, indent=1).encode())

    def accounts(self) -> list[ReadingAccount]:
        """What became of the rows of all files whose readings are in the lake."""
        return [one for one in self._known.values() if one is not None]


def _account_of(told: dict[str, Any]) -> ReadingAccount:
    return ReadingAccount(
        file=str(told["file"]),
        rows=int(told["rows"]),
        kept=int(told["kept"]),
        problems=tuple(
            (str(reason), int(rows), tuple(SourceRow(str(one["file"]), int(one["row"])) for one in examples))
            for reason, rows, examples in told["problems"]
        ),
        remarks=tuple(map(str, told["remarks"])),
    )


def _places(lake: Lake) -> tuple[tuple[str, ...], int]:
    """A lake's usage points in order, and how many neighbours make a batch."""
    names = lake.usage_points()
    return names, max(BATCH_READINGS * len(names) // max(lake.rows(), 1), 1)


def _near(names: Sequence[str], wanted: Collection[str], most: int) -> Iterator[list[str]]:
    """Wanted names in stretches of at most so many neighbours, the unwanted between them counted."""
    some: list[str] = []
    begin = 0
    chosen = set(wanted)
    for at, name in enumerate(names):
        if name not in chosen:
            continue
        if some and at - begin >= most:
            yield some
            some = []
        if not some:
            begin = at
        some.append(name)
    if some:
        yield some


# What is known beside them --------------------------------------------------------------------------------------------


def _knowledge(files: MeterFiles, readings: Readings) -> tuple[Knowledge, list[ReadingAccount], list[str], list[str]]:
    """Clock, weather, prices, topology; accounts of their files; what is known of these readings; remarks.

    A table that matches no reading counts as not given, which a remark says.
    """
    from headframe.engines.meters import Knowledge
    from headframe.records.reading import Surroundings
    from headframe.sources.power.options import EARLIEST_S, LATEST_S, ReadingOptions
    from headframe.sources.power.surroundings import read_surroundings
    from headframe.sources.power.topology import Topology, read_topology
    from headframe.stores.reference_scores import load_references

    tables: list[ReadingAccount] = []
    options = ReadingOptions(zone=files.zone)
    weather = prices = None
    topology = Topology(usage_points=(), transformers=(), accounts=())
    try:
        if files.weather is not None:
            weather = read_weather(files.weather, options)
            tables.append(weather.account)
        if files.prices is not None:
            prices = read_surroundings(files.prices, wanted="price_per_kwh", options=options)
            tables.append(prices.account)
        if files.topology:
            topology = read_topology(files.topology, options=options)
            tables += topology.accounts
    except ValueError as fault:
        raise HeadframeError(str(fault)) from fault
    remarks, known = _unmatched(files, topology, readings) if files.topology else ([], False)
    names = ["topology"] if known else []
    span_s = readings.covers_s() if weather is not None or prices is not None else None
    if weather is not None and span_s is not None and (said := _elsewhere(files.weather, weather, span_s)):
        remarks.append(said)
        weather = None
    if prices is not None and span_s is not None and (said := _elsewhere(files.prices, prices, span_s)):
        remarks.append(said)
        prices = None
    names += [name for name, there in (("weather", weather), ("prices", prices)) if there is not None]
    surroundings = Surroundings(
        clock=local_clock(files, *(readings.span_s() or (EARLIEST_S, LATEST_S))),
        temperature_c=None if weather is None else weather.temperature_c,
        price_per_kwh=None if prices is None else prices.price_per_kwh,
    )
    knowledge = Knowledge(
        surroundings=surroundings,
        usage_points={point.usage_point: point for point in topology.usage_points},
        transformers=topology.transformers,
        references=load_references(),
        country=files.country,
        price_source="" if files.prices is None or prices is None else files.prices.name,
        carbon_g_per_kwh=next(
            (one.carbon_g_per_kwh for one in (weather, prices) if one is not None and one.carbon_g_per_kwh is not None),
            None,
        ),
        resources=() if weather is None else resources_in(weather),
    )
    return knowledge, tables, names, remarks


def _elsewhere(path: Path | None, series: SurroundingSeries, span_s: tuple[int, int]) -> str:
    """What to say of a table none of whose times lies within the readings; empty where one does."""
    start_s, end_s = span_s
    told = (
        series.temperature_c, series.price_per_kwh, series.carbon_g_per_kwh,
        series.irradiance_w_m2, series.water_flow_m3_s, series.fuel,
    )  # fmt: skip
    for one in told:
        if one is None:
            continue
        # Slots that begin before the last instant and end after the first.
        low = max((start_s - one.start_s) // one.step_s, 0)
        high = max((end_s - one.start_s) // one.step_s + 1, 0)
        if (one.values[low:high] == one.values[low:high]).any():  # some are not NaN
            return ""
    first, last = (datetime.fromtimestamp(at, UTC).date().isoformat() for at in (start_s, end_s))
    return f"{path}: none of its times lies within the readings ({first} to {last}); it counts as not given"


_MOST_NAMED = 5


def _unmatched(files: MeterFiles, topology: Topology, readings: Readings) -> tuple[list[str], bool]:
    """Tables of the grid that match no reading or say nothing, each a remark; and whether any of it is of use."""
    there = readings.usage_points()
    remarks = []
    useful = False
    for path in files.topology:
        points = [point for point in topology.usage_points if point.source.file == str(path)]
        heads = [one for one in topology.transformers if one.source.file == str(path)]
        saying = [point for point in points if _says_something(point)]
        if points and not any(point.usage_point in there for point in points):
            remarks.append(f"{path}: none of its {len(points):,} usage points has readings")
        elif points and not saying:
            remarks.append(f"{path}: it says nothing of its {len(points):,} usage points but their names")
        remarks += _headless(path, heads, there)
        useful |= any(point.usage_point in there for point in saying)
        useful |= any(head.head_usage_point in there for head in heads)
    return remarks, useful


def _says_something(point: UsagePoint) -> bool:
    """Whether a table says more of a point than that it is there."""
    return replace(point, source=_NOWHERE) != UsagePoint(usage_point=point.usage_point, source=_NOWHERE)


_NOWHERE = SourceRow("", 0)


def _headless(path: Path, heads: Sequence[Transformer], there: Collection[str]) -> list[str]:
    """Transformers whose own meter has no readings: they have no balance."""
    without = [one for one in heads if one.head_usage_point not in there]
    said = [
        f"{path}: the head meter {one.head_usage_point} of transformer {one.transformer} has no readings, so no balance"
        for one in without[:_MOST_NAMED]
    ]
    if len(without) > _MOST_NAMED:
        said.append(f"{path}: nor have the head meters of {len(without) - _MOST_NAMED:,} more transformers")
    return said


def read_weather(path: Path, options: ReadingOptions) -> SurroundingSeries:
    """A table of temperatures, or of what generators live on, or of both.

    Parameters
    ----------
    path : Path
    options : ReadingOptions
        The zone of times that name none.

    Returns
    -------
    SurroundingSeries

    Raises
    ------
    ValueError
        Where the table has neither; the words are those about temperatures.
    """
    from headframe.sources.power.surroundings import read_surroundings

    try:
        return read_surroundings(path, wanted="temperature_c", options=options)
    except ValueError as fault:
        try:
            return read_surroundings(path, options=options)
        except ValueError:
            raise fault from None


def resources_in(weather: SurroundingSeries) -> list[tuple[str, HourlySeries]]:
    """What generators may live on, as far as the table says."""
    there = (("irradiance", weather.irradiance_w_m2), ("water", weather.water_flow_m3_s), ("fuel", weather.fuel))
    return [(kind, series) for kind, series in there if series is not None]


def local_clock(files: MeterFiles, start_s: int, end_s: int) -> LocalClock:
    """The hours and holidays of the place that the readings are of.

    Parameters
    ----------
    files : MeterFiles
        Its zone and country.
    start_s, end_s : int
        Seconds since 1970-01-01 UTC that the clock must cover.

    Returns
    -------
    LocalClock

    Raises
    ------
    HeadframeError
        Where no calendar of that country is known.
    """
    import numpy as np

    from headframe.sources.power.times import changes_of_offset

    day = 86_400
    from_s, offset_s = changes_of_offset(files.zone or UTC, start_s - day, end_s + day)
    return LocalClock(
        zone=files.zone_name,
        from_s=np.asarray(from_s, np.int64),
        offset_s=np.asarray(offset_s, np.int32),
        holidays=np.array(_holidays(files.country, start_s, end_s), np.int32),
    )


def _holidays(country: str, start_s: int, end_s: int) -> list[int]:
    """Public holidays of a country, as days since 1970-01-01; none where no country is said."""
    if not country:
        return []
    import holidays

    years = range(datetime.fromtimestamp(start_s, UTC).year, datetime.fromtimestamp(end_s, UTC).year + 1)
    try:
        found = holidays.country_holidays(country.upper(), years=list(years))
    except NotImplementedError as fault:
        raise HeadframeError(
            f"the public holidays of {country!a} are not known; --country takes an ISO 3166-1 code of two letters"
        ) from fault
    return sorted((day - date(1970, 1, 1)).days for day in found)


def _registry(files: MeterFiles) -> tuple[Registry | None, list[str]]:
    if not files.sites:
        return None, []
    from headframe.pseudonym import pseudonyms
    from headframe.sites.registry import Registry
    from headframe.sources.registry import read_sites

    try:
        table = read_sites(files.sites, zone=files.zone or UTC, pseudonym=pseudonyms())
        registry = Registry(table.sites, table.assignments, organisations=table.organisations)
    except ValueError as fault:
        raise HeadframeError(str(fault)) from fault
    return registry, [*table.remarks, *registry.remarks]


def _at_site(row: UsagePointResult, registry: Registry) -> UsagePointResult:
    """The row with its site, where one site held the usage point for the whole period."""
    from headframe.records.site import ResolutionOutcome
    from headframe.sites.resolve import resolve_usage_point

    answer = resolve_usage_point(row.usage_point, (row.started_ns, row.ended_ns), registry)
    if answer.outcome is ResolutionOutcome.RESOLVED and answer.site_id is not None:
        return replace(row, site_id=answer.site_id, site_name=registry.sites[answer.site_id].name)
    note = "; ".join(answer.missing[:2]) or f"{answer.outcome.value}: several sites in this period"
    return replace(row, site_note=note)
