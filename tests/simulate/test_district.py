"""The district that casework is tried out on: whoever is said to mine does, from the day on and until the day."""

import csv
import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headframe.simulate.district import (
    DAYS,
    LAST_DAY_BEFORE,
    SITES,
    SimulatedDistrict,
    local_day_ns,
    usage_point,
    write_district,
)
from headframe.simulate.meters import HYDRO, District, MetersSpec, PlacedFarm, Running


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> SimulatedDistrict:
    """A district with as few points as will do."""
    return write_district(tmp_path_factory.mktemp("district"), 1, points=60)


def test_who_mines_on_the_network_is_in_the_truth_of_the_capture(district: SimulatedDistrict) -> None:
    """Before: all. After: those who go on. Later: the one who begins again too."""
    hosts = {site.site_id: site.miner.host for site in SITES if site.miner}
    going_on = {site.site_id for site in SITES if site.miner and not site.stops_on_network}
    again = {site.site_id for site in SITES if site.miner and site.begins_again}
    expected = (set(hosts), going_on, going_on | again)
    for made, sites in zip(district.captures, expected, strict=True):
        truth = json.loads(made.truth.read_text(encoding="utf-8"))
        assert {miner["host"] for miner in truth["miners"]} == {hosts[site] for site in sites}


def test_other_hosts_of_each_site_are_seen_in_every_capture(district: SimulatedDistrict) -> None:
    """A site that is silent could not be told from one that stopped."""
    for made in district.captures:
        truth = json.loads(made.truth.read_text(encoding="utf-8"))
        assert truth["conversations"] > 100


def test_what_goes_past_a_meter_is_told(district: SimulatedDistrict) -> None:
    """The machines of the theft draw more than a balance can miss: part of it goes through the meter."""
    with district.path("truth.csv").open(encoding="utf-8", newline="") as file:
        past = {row["site"]: row["past_meter_w"] for row in csv.DictReader(file)}
    mill = next(site for site in SITES if site.site_id == "mill-lane")
    assert mill.farm is not None
    assert 0.3 * mill.farm.power_w < float(past.pop("mill-lane")) < mill.farm.power_w
    with_farm = {site.site_id for site in SITES if site.farm is not None and site is not mill}
    assert past == {site.site_id: "0" if site.site_id in with_farm else "" for site in SITES if site is not mill}


@pytest.mark.parametrize("mode", [Running.PARTIAL_BYPASS, Running.FULL_BYPASS, Running.STEP])
def test_what_goes_past_a_meter_is_what_the_meters_lack(mode: Running) -> None:
    """What all draw, less what their meters show, while the machines run."""
    district = placed(PlacedFarm(point=7, trade="workshop", mode=mode, power_w=20_000, from_day=3))
    group = next(group for group in district.groups() if any(p.usage_point == usage_point(7) for p in group.points))
    (point,) = [one for one in group.points if one.usage_point == usage_point(7)]
    assert point.farm is not None
    shown_w = np.zeros(point.delivered.energy_wh.size)  # of whole hours
    for one in group.points:
        shown_w += one.delivered.energy_wh - (0.0 if one.received is None else one.received.energy_wh)
    drawn_w = (group.true_load_w - group.true_feed_w).reshape(shown_w.size, -1).mean(axis=1)
    running = (point.farm.added_w > 0).reshape(len(shown_w), -1).all(axis=1)
    # Each meter draws a little itself, which none shows.
    assert point.farm.past_meter_w == pytest.approx(float((drawn_w - shown_w)[running].mean()), rel=0.02, abs=60)


def test_readings_are_cut_at_the_border(district: SimulatedDistrict) -> None:
    """No reading is in both parts, none is lost but those of the meter that failed."""
    before = pl.read_parquet(district.path("before/readings.parquet"))
    after = pl.read_parquet(district.path("after/readings.parquet"))
    border = local_day_ns(LAST_DAY_BEFORE) // 1_000_000_000
    last, first = before["start"].dt.epoch("s").max(), after["start"].dt.epoch("s").min()
    assert isinstance(last, int)
    assert isinstance(first, int)
    assert last < border <= first
    assert (after["start"].dt.epoch("s").max() or 0) <= local_day_ns(DAYS) // 1_000_000_000
    household = next(site for site in SITES if site.kind == "household_premises")
    days = after.filter(pl.col("usage_point") == usage_point(household.point))["start"].dt.date().n_unique()
    assert 7 <= days <= 9


def test_a_placed_load_is_in_the_readings(district: SimulatedDistrict) -> None:
    """The data centre draws some 60 kW more from its day on, and no more after the end."""
    readings = pl.concat([pl.read_parquet(district.path(f"{part}/readings.parquet")) for part in ("before", "after")])
    hill = next(site for site in SITES if site.site_id == "data-hill")
    assert hill.farm is not None
    assert hill.farm.from_day is not None
    assert hill.farm.until_day is not None
    rows = readings.filter((pl.col("usage_point") == usage_point(hill.point)) & pl.col("energy_kwh").is_not_null())
    day = (rows["start"].dt.epoch("s").to_numpy() - local_day_ns(0) // 1_000_000_000) // 86_400
    power_w = rows["energy_kwh"].to_numpy() * 1000
    edges = (0, hill.farm.from_day, hill.farm.until_day, DAYS)
    mean = [float(np.mean(power_w[(day >= begin) & (day < end)])) for begin, end in pairwise(edges)]
    assert mean[1] - mean[0] == pytest.approx(hill.farm.power_w, rel=0.25)
    assert mean[2] == pytest.approx(mean[0], rel=0.35)


def test_the_registry_knows_nothing_of_the_truth(district: SimulatedDistrict) -> None:
    """What the officers have does not say who mines; the household has no name."""
    with district.path("sites.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["site"] for row in rows} == {site.site_id for site in SITES}
    text = district.path("sites.csv").read_text(encoding="utf-8")
    assert all(site.truth not in text for site in SITES)
    assert all(not row["name"] and not row["organisation"] for row in rows if row["kind"] == "household_premises")


def test_the_same_seed_gives_the_same_files(district: SimulatedDistrict, tmp_path: Path) -> None:
    """A story can be told again."""
    again = write_district(tmp_path, 1, points=60)
    for name in ("sites.csv", "truth.csv", "topology.csv", "before/link.pcap"):
        assert again.path(name).read_bytes() == district.path(name).read_bytes()


def test_too_few_points_are_refused(tmp_path: Path) -> None:
    """The message says how many are needed."""
    with pytest.raises(ValueError, match="points is 59; expected 60 or more"):
        write_district(tmp_path, 1, points=59)


def placed(*farms: PlacedFarm, points: int = 20) -> District:
    """A small district of ten days."""
    return District(
        MetersSpec(points=points, days=10, prevalence=0.0, first_day=date(2026, 3, 2), placed=farms, faults=False), 3
    )


@pytest.mark.parametrize("mode", [mode for mode in Running if mode is not Running.TAP])
def test_placed_machines_run_within_their_days(mode: Running) -> None:
    """Whatever the mode, nothing runs before the first day or from the last on."""
    trade = HYDRO if mode is Running.EXPORT_DROP else "office"
    district = placed(PlacedFarm(point=7, trade=trade, mode=mode, power_w=9_000, from_day=3, until_day=8))
    point = next(p for group in district.groups() for p in group.points if p.usage_point == usage_point(7))
    assert point.farm is not None
    assert point.trade == trade
    day = district.calendar.day
    assert point.farm.added_w[(day < 3) | (day >= 8)].max() == 0
    assert point.farm.added_w[(day >= 3) & (day < 8)].max() == pytest.approx(9_000, rel=0.4)
    assert point.farm.onset_s == local_day_of(district, 3)


def local_day_of(district: District, day: int) -> int:
    """First second of a day of the district's calendar."""
    return int(district.calendar.time_s[np.searchsorted(district.calendar.day, day)])


@pytest.mark.parametrize(
    ("farms", "message"),
    [
        ((PlacedFarm(point=21),), "a farm is placed at point 21; expected 1 to 20"),
        ((PlacedFarm(point=1, trade="castle"),), "trade 'castle' is not known"),
        ((PlacedFarm(point=1), PlacedFarm(point=1)), "two farms are placed at one point"),
    ],
)
def test_a_farm_that_cannot_be_placed_is_refused(farms: tuple[PlacedFarm, ...], message: str) -> None:
    """The message says what came and what would be right."""
    with pytest.raises(ValueError, match=message):
        placed(*farms)
