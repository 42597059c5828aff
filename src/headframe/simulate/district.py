"""One district, seen from its network and from its meters, before and after: what casework is tried out on.

Twelve sites, each with a story that a case officer knows: an open miner, a victim, a licensed miner, a theft, a cold
store whose decision falls on appeal, an internet cafe that begins again, a server room that only looks like mining. The
truth about each stands in ``truth.csv``; nothing of it is in what the detectors read.

| file | what |
|---|---|
| ``sites.csv``, ``lawful.csv``, ``contacts.csv`` | the registry, the register of lawful mining, letter boxes |
| ``before/``, ``after/``, ``later/`` | each a capture with its indicators and block times |
| ``before/readings.parquet``, ``after/readings.parquet`` | meters up to the first letters; and from then on |
| ``later/lawful.csv`` | the register as it was put right afterwards |
| ``topology.csv``, ``transformers.csv``, ``weather.csv`` | what the utility knows besides |
| ``truth.csv`` | what each site truly is, what its machines draw, what goes past its meter meanwhile, when it ended |
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from headframe.simulate.capture import SimulatedCapture, simulate_capture, write_simulation
from headframe.simulate.meters.district import HYDRO, MetersSpec, PlacedFarm
from headframe.simulate.meters.files import write_meters
from headframe.simulate.meters.machines import Running
from headframe.simulate.meters.places import PLACES
from headframe.simulate.spec import CaptureSpec, MinerSpec, PoolSpec
from headframe.simulate.transport import Faults

FIRST_DAY = date(2025, 12, 29)
DAYS = 280
"""Readings from the turn of the year to the beginning of October: enough weeks before the mining to know them by."""
LAST_DAY_BEFORE = 218
"""Local days up to which the first readings go; the cases begin then."""
_SHORT_S = 40 * 60.0
_LONG_S = 34 * 86_400.0
_CAPTURES = (("before", 208, _SHORT_S, 6.0), ("after", 236, _LONG_S, 30.0), ("later", 278, _SHORT_S, 6.0))
"""Folder, local day on which it begins at half past nine, how long it lasts [s], web visits of a host. The one in the
middle is what an end is verified with: a month without a gap, of few packets."""
_RARE_SHARES_S = 600.0
"""Of miners in the capture of a month. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictSite:
    """A site of the district, and the truth about it.

    Attributes
    ----------
    site_id, name, kind, organisation : str
        As in the registry; organisation is empty for a household.
    prefix : str
        Its network; empty where it has none that is watched.
    point : int
        Its supply point, counted from 1; 0 for none.
    truth : str
        What goes on there.
    miner : MinerSpec or None
        On the network, before.
    stops_on_network : bool
        Whether the later captures are without it.
    begins_again : bool
        Whether the last capture has it again.
    farm : PlacedFarm or None
        At the supply point.
    """

    site_id: str
    name: str
    kind: str
    organisation: str
    truth: str
    prefix: str = ""
    point: int = 0
    miner: MinerSpec | None = None
    stops_on_network: bool = True
    begins_again: bool = False
    farm: PlacedFarm | None = None


def _pool(name: str, last: int, port: int, **more: Any) -> PoolSpec:
    return PoolSpec(name=f"{name}.example", address=f"203.0.113.{last}", port=port, **more)


_END = 234
"""Local day on which what was ordered to stop had stopped. [days]"""

SITES: tuple[DistrictSite, ...] = (
    DistrictSite(
        site_id="data-hill", name="Data Hill", kind="data_centre", organisation="Hill Hosting Ltd",
        truth="mines openly on hired racks; stops after the decision", prefix="192.0.2.24/29", point=41,
        miner=MinerSpec(dialect="stratum-v1", coin="BTC", hashrate_hs=4.6e15, pool=_pool("btc.deepvein", 10, 3333),
                        host="192.0.2.26"),
        farm=PlacedFarm(point=41, trade="office", mode=Running.STEP, power_w=110_000, from_day=175, until_day=_END),
    ),
    DistrictSite(
        site_id="east-campus", name="East Campus", kind="campus", organisation="University of the District",
        truth="a laboratory's server was broken into and mines for others; a victim", prefix="192.0.2.32/29",
        miner=MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=9_500, host="192.0.2.34",
                        pool=_pool("xmr.sidecut", 51, 8080, kind="malware_proxy", operator="Sidecut")),
    ),
    DistrictSite(
        site_id="licence-hall", name="Licence Hall", kind="data_centre", organisation="Filed Research Ltd",
        truth="mines under a filed research project; lawful", prefix="192.0.2.40/29", point=42,
        miner=MinerSpec(dialect="stratum-v1", coin="BTC", hashrate_hs=8.2e14, host="192.0.2.42",
                        pool=_pool("btc.northshaft", 22, 3333, operator="North Shaft")),
        stops_on_network=False,
        farm=PlacedFarm(point=42, trade="server room", mode=Running.STEP, power_w=24_000, from_day=118),
    ),
    DistrictSite(
        site_id="mill-lane", name="Mill Lane workshop", kind="enterprise", organisation="Mill Lane Joinery",
        truth="machines before the meter: theft of electricity; the tap is removed", point=43,
        farm=PlacedFarm(point=43, trade="workshop", mode=Running.PARTIAL_BYPASS, power_w=48_000, from_day=165,
                        until_day=_END),
    ),
    DistrictSite(
        site_id="north-cold", name="North Cold Store", kind="enterprise", organisation="North Cold Storage",
        truth="its tenant mined, for a filed project that the register showed too late; the appeal is upheld",
        prefix="192.0.2.48/29", point=44,
        miner=MinerSpec(dialect="eth-proxy", coin="ETC", hashrate_hs=480e6, host="192.0.2.50",
                        pool=_pool("etc.northshaft", 20, 4444, operator="North Shaft")),
        farm=PlacedFarm(point=44, trade="cold store", mode=Running.STEP, power_w=30_000, from_day=160, until_day=_END),
    ),
    DistrictSite(
        site_id="star-cafe", name="Star internet cafe", kind="internet_cafe", organisation="Star Games Ltd",
        truth="mines with its guests' graphics cards when none is there; stops, and begins again",
        prefix="192.0.2.56/29", point=45,
        miner=MinerSpec(dialect="kawpow", coin="RVN", hashrate_hs=900e6, host="192.0.2.58",
                        pool=_pool("rvn.northshaft", 23, 10001, operator="North Shaft")),
        begins_again=True,
        farm=PlacedFarm(point=45, trade="shop", mode=Running.STEP, power_w=30_000, from_day=172, until_day=_END),
    ),
    DistrictSite(
        site_id="south-school", name="South School", kind="public_institution", organisation="District Schools",
        truth="a new server room for all schools, and no mining", point=46,
        farm=PlacedFarm(point=46, trade="school", mode=Running.STEP, power_w=30_000, from_day=143),
    ),
    DistrictSite(
        site_id="river-consult", name="River Consulting", kind="enterprise", organisation="River Consulting",
        truth="an encrypted relay that keeps step with a chain; what it is stays unknown", prefix="192.0.2.64/29",
        miner=MinerSpec(dialect="cryptonote", coin="XMR", hashrate_hs=14_000, tls=True,
                        server_name="assets.frontpage.example", host="192.0.2.66",
                        pool=_pool("relay.rustbucket", 60, 443, operator="Rustbucket", listed=False)),
    ),
    DistrictSite(
        site_id="west-park", name="West Industrial Park", kind="industrial_park", organisation="West Park Estates",
        truth="gives room and power to miners, and goes on after the decision", prefix="192.0.2.72/29", point=47,
        miner=MinerSpec(dialect="stratum-v1", coin="LTC", hashrate_hs=95e9, host="192.0.2.74",
                        pool=_pool("ltc.deepvein", 13, 3334)),
        stops_on_network=False,
        farm=PlacedFarm(point=47, trade="workshop", mode=Running.ALWAYS_ON, power_w=55_000),
    ),
    DistrictSite(
        site_id="premises-48", name="", kind="household_premises", organisation="",
        truth="machines in a household's cellar; its meter fails before the end can be measured", point=48,
        farm=PlacedFarm(point=48, trade="home", mode=Running.ALWAYS_ON, power_w=5_500),
    ),
    DistrictSite(
        site_id="weir-plant", name="Weir Hydro Plant", kind="power_plant", organisation="Weir Power",
        truth="machines before the plant's meter; the case is open", point=49,
        farm=PlacedFarm(point=49, trade=HYDRO, mode=Running.EXPORT_DROP, power_w=60_000, from_day=168),
    ),
)  # fmt: skip
"""Eleven sites; the cafe's second beginning is the twelfth case."""


@dataclass(frozen=True, slots=True)
class SimulatedDistrict:
    """Where the files of a district are."""

    folder: Path
    captures: tuple[SimulatedCapture, SimulatedCapture, SimulatedCapture]
    """Before, after, later."""

    def path(self, name: str) -> Path:
        """Where a file is, by its name in the table of this module."""
        return self.folder / name


def usage_point(point: int) -> str:
    """The name of a supply point, as simulated meters call it: 7 is ``U0000007``."""
    return f"U{point:07d}"


def local_day_ns(day: int, at: time = time(0)) -> int:
    """An instant of the district's calendar. [ns since 1970-01-01 UTC]

    Parameters
    ----------
    day : int
        Local day, counted from 0.
    at : datetime.time
        Local time.
    """
    zone = ZoneInfo(PLACES["chengdu"].zone)
    moment = datetime.combine(FIRST_DAY + timedelta(days=day), at, zone)
    return int(moment.timestamp()) * 1_000_000_000


def write_district(folder: Path, seed: int, *, points: int = 220) -> SimulatedDistrict:
    """Simulate the district and write it.

    Parameters
    ----------
    folder : Path
        Exists already; files of the same names are replaced.
    seed : int
        The same seed gives the same files.
    points : int
        Supply points in all, 60 or more; those of `SITES` are among them.

    Returns
    -------
    SimulatedDistrict

    Raises
    ------
    ValueError
        If there are fewer points than the sites need.
    OSError
        If a file cannot be written.
    """
    if points < 60:
        raise ValueError(f"points is {points}; expected 60 or more")
    captures = []
    for number, (name, day, duration_s, visits) in enumerate(_CAPTURES):
        (folder / name).mkdir(exist_ok=True)
        spec = CaptureSpec(
            miners=tuple(_on_network(name)), duration_s=duration_s, visits_per_host=visits, hard_negatives=False,
            standing_talks=False, faults=Faults(retransmission=0.003, sensor_loss=0.0002, reordering=0.002),
            clocks=tuple(sorted({site.miner.coin for site in SITES if site.miner is not None})),
        )  # fmt: skip
        traffic = simulate_capture(spec, seed + number, start_ns=local_day_ns(day, time(9, 30)))
        captures.append(write_simulation(traffic, folder / name / "link.pcap"))
    _write_registry(folder, _write_readings(folder, seed, points))
    before, after, later = captures
    return SimulatedDistrict(folder, (before, after, later))


def _on_network(capture: str) -> Iterable[MinerSpec]:
    for site in SITES:
        if site.miner is None:
            continue
        mines = (
            capture == "before"
            or not site.stops_on_network
            or (capture == "later" and site.begins_again)
        )  # fmt: skip
        if mines:
            yield replace(site.miner, share_interval_s=_RARE_SHARES_S) if capture == "after" else site.miner


def _write_readings(folder: Path, seed: int, points: int) -> dict[str, str]:
    """The meters' files; gives what of each point goes past its meter while machines run. [W]"""
    import polars as pl

    placed = tuple(site.farm if site.farm is not None else PlacedFarm(point=site.point) for site in SITES if site.point)
    spec = MetersSpec(
        points=points, days=DAYS, prevalence=0.0, place=PLACES["chengdu"], first_day=FIRST_DAY, homes=0.6,
        faults=True, placed=placed,
    )  # fmt: skip
    write_meters(folder, spec, seed)
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        past_meter_w = {row["usage_point"]: row["past_meter_w"] for row in csv.DictReader(file)}
    rows = pl.read_parquet(folder / "readings.parquet", glob=False)
    border = pl.lit(local_day_ns(LAST_DAY_BEFORE) // 1000).cast(pl.Datetime("us", "UTC"))
    # The household's meter is changed for one that nobody reads any more.
    household = next(site for site in SITES if site.kind == "household_premises")
    failed = pl.lit(local_day_ns(LAST_DAY_BEFORE + 8) // 1000).cast(pl.Datetime("us", "UTC"))
    there = (pl.col("usage_point") != usage_point(household.point)) | (pl.col("start") < failed)
    rows.filter(pl.col("start") < border).write_parquet(folder / "before" / "readings.parquet")
    rows.filter((pl.col("start") >= border) & there).write_parquet(folder / "after" / "readings.parquet")
    for name in ("readings.parquet", "readings.csv", "registers.csv", "sites.csv", "truth.csv", "prices.csv",
                 "tariff.csv"):  # fmt: skip
        (folder / name).unlink()
    return past_meter_w


_LAWFUL = (
    ("R-17", "district-research", "filed_research", "licence-hall", "heat of 25 kW for the pool hall", 40,
     "file 2025/1183", "2025-07-01", "2026-12-31"),
)  # fmt: skip
_LAWFUL_LATER = (
    *_LAWFUL,
    ("R-18", "district-research", "filed_research", "north-cold", "machines of a tenant that dry grain", 80,
     "file 2026/0204", "2026-04-01", "2027-03-31"),
)  # fmt: skip
"""The second entry was filed in time, and entered late."""


def _write_registry(folder: Path, past_meter_w: Mapping[str, str]) -> None:
    for name, rows in (("lawful.csv", _LAWFUL), ("later/lawful.csv", _LAWFUL_LATER)):
        _write(
            folder / name,
            ("entry", "register", "kind", "site", "scope", "power_limit_kw", "proof", "valid_from", "valid_until"),
            rows,
        )
    _write(
        folder / "contacts.csv",
        ("contact", "role", "site", "channel", "address"),
        (
            (f"C-{number:02d}", "facility", site.site_id, "post", f"Gate house, {number} {site.name} Road")
            for number, site in enumerate(SITES, 1)
            if site.name
        ),
    )
    _write(
        folder / "sites.csv",
        ("site", "name", "kind", "organisation", "region", "prefix", "usage_point"),
        (
            (site.site_id, site.name, site.kind, site.organisation, "R01", site.prefix,
             usage_point(site.point) if site.point else "")
            for site in SITES
        ),
    )  # fmt: skip
    _write(
        folder / "truth.csv",
        ("site", "usage_point", "host", "truth", "power_w", "past_meter_w", "from_day", "until_day"),
        (
            (site.site_id, usage_point(site.point) if site.point else "", site.miner.host if site.miner else "",
             site.truth, *(("", "", "", "") if site.farm is None else
             (round(site.farm.power_w), past_meter_w[usage_point(site.point)], site.farm.from_day,
              site.farm.until_day)))
            for site in SITES
        ),
    )  # fmt: skip


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if value is None else value for value in row] for row in rows)
