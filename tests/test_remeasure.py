"""Measuring again: from files to an answer, with everything that the site has by then."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headframe.cases.verification import DAY_NS
from headframe.errors import HeadframeError, UnreadableInput
from headframe.meters import MeterFiles
from headframe.records.case import (
    Case,
    FindingRef,
    Measurement,
    RecordRemedy,
    RemedyGrade,
    Stage,
    VerificationOutcome,
)
from headframe.records.finding import Family, Finding, Role
from headframe.records.lawful import LawfulEntry, LawfulKind
from headframe.records.policy import Basis, VerificationRule
from headframe.records.scan import ScanResult
from headframe.records.site import Assignment, AssignmentKind, Site, SourceRow
from headframe.remeasure import RemeasureFiles, read_watch, register_facts, remeasure, windows_of
from headframe.simulate.capture import simulate_capture, write_simulation
from headframe.simulate.spec import CaptureSpec, MinerSpec, PoolSpec
from headframe.sites.registry import Registry

NS = 1_000_000_000
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
CLEAN, MINING, WINDOW = 120, 50, 30
ROW = SourceRow("sites.csv", 2)
RECTIFIED, PERSISTS, OPEN = (
    VerificationOutcome.RECTIFIED,
    VerificationOutcome.PERSISTS,
    VerificationOutcome.NOT_ENOUGH_DATA,
)


def instant(day: float) -> int:
    """An instant of the trial."""
    return int((FIRST + timedelta(days=day)).timestamp()) * NS


def assigned(kind: AssignmentKind, value: str, site: str = "S", from_day: float | None = None) -> Assignment:
    """A row of the registry."""
    return Assignment(
        kind=kind, value=value, site_id=site, source=ROW, valid_from_ns=None if from_day is None else instant(from_day)
    )


def registry(*assignments: Assignment) -> Registry:
    """Two sites."""
    return Registry([Site(site_id=name, name=name, source=ROW) for name in ("S", "T")], assignments)


def case(*findings: FindingRef) -> Case:
    """A case whose party says that it ended the mining on the day after the findings."""
    return Case(
        case_id="HF-2026-000001", pack_id="p", pack_version="1", pack_digest="00", site_id="S", site_kind="campus",
        region="R", organisation_id="O", usage_points=(), opened_ns=instant(CLEAN + 40), opened_by="a",
        stage=Stage.REMEDIATION, version=9, last_ns=instant(CLEAN + MINING), findings=findings,
        remedies=(RecordRemedy(at_ns=instant(CLEAN + MINING), grade=RemedyGrade.B, text="removed"),),
    )  # fmt: skip


def load_finding() -> FindingRef:
    """A step in the load."""
    return FindingRef(
        finding_id="U", family=Family.LOAD, detector="load_step", version="1", subject="U1", log10_e=1.5,
        started_ns=instant(0), ended_ns=instant(CLEAN + 40), sha256="00",
    )  # fmt: skip


DOCUMENT = {
    "usage_point": "U1",
    "power_w": {"low": 9_000.0, "estimate": 10_000.0, "high": 11_000.0},
    "mode": "step",
    "duty": 1.0,
    "onset": {
        name: f"{FIRST + timedelta(days=CLEAN + k):%Y-%m-%dT%H:%M:%SZ}"
        for name, k in (("earliest", 0), ("estimate", 1), ("latest", 2))
    },
}


def readings(path: Path, *, at_home: float = 0.0, next_door: float = 0.0) -> Path:
    """Hourly readings of the site and twelve others; what is left at the known point, and at a new one. [W]"""
    rng = np.random.default_rng(4)
    hours = np.arange((CLEAN + MINING + WINDOW) * 24)
    work = (hours // 24 % 7 < 5) & (hours % 24 >= 8) & (hours % 24 < 18)
    frames = []
    for name in ("U1", "U2", *(f"N{k:02d}" for k in range(12))):
        load = (9_000 + 9_000 * work) * (1 + 0.04 * rng.standard_normal(hours.size))
        if name == "U1":
            load[CLEAN * 24 : (CLEAN + MINING) * 24] += 10_000
            load[(CLEAN + MINING) * 24 :] += at_home
        if name == "U2":  # a new supply point, in use since the remedy
            load = np.where(hours >= (CLEAN + MINING) * 24, next_door + 1.0, 0.0)
        frames.append(
            pl.DataFrame(
                {
                    "usage_point": name,
                    "start": [FIRST + timedelta(hours=int(h)) for h in hours],
                    "energy_kwh": load / 1000,
                }
            )
        )
    pl.concat(frames).write_csv(path)
    return path


def measured(path: Path, *rows: Assignment) -> Measurement:
    """What is said of a site with these usage points."""
    own = rows or (assigned(AssignmentKind.USAGE_POINT, "U1"),)
    rule = VerificationRule(window_days=WINDOW, metrics=("kWh_per_day",), basis=Basis.OPERATOR_DEFAULT)
    one = case(load_finding())
    windows = windows_of(one, rule, [DOCUMENT], instant(CLEAN + MINING + WINDOW))
    assert windows.clean_until_ns == instant(CLEAN)
    assert windows.after_until_ns - windows.after_from_ns == WINDOW * DAY_NS
    files = RemeasureFiles(meters=MeterFiles(readings=(path,)))
    return remeasure(one, registry(*own), own, rule, windows, files, documents=[DOCUMENT])


def test_machines_that_are_gone(tmp_path: Path) -> None:
    """From a table of readings to a rectified measurement, with its plot."""
    answer = measured(readings(tmp_path / "readings.csv"))
    assert answer.outcome is RECTIFIED, answer.explanation
    assert answer.coverage > 0.95
    assert answer.detectors
    assert len(answer.series) == 2 * WINDOW


def test_machines_that_moved_next_door(tmp_path: Path) -> None:
    """A supply point that the site got since is part of the site: what went there goes on."""
    path = readings(tmp_path / "readings.csv", next_door=10_000)
    alone = measured(path)
    assert alone.outcome is RECTIFIED, "the known point alone is quiet"
    both = measured(
        path,
        assigned(AssignmentKind.USAGE_POINT, "U1"),
        assigned(AssignmentKind.USAGE_POINT, "U2", from_day=CLEAN + MINING),
    )
    assert both.outcome is PERSISTS
    assert "U2 now, which it had not before" in both.explanation


def test_a_usage_point_without_readings_keeps_it_open(tmp_path: Path) -> None:
    """What cannot be seen is not gone."""
    answer = measured(
        readings(tmp_path / "readings.csv"),
        assigned(AssignmentKind.USAGE_POINT, "U1"),
        assigned(AssignmentKind.USAGE_POINT, "U9"),
    )
    assert answer.outcome is OPEN
    assert any("U9" in one for one in answer.missing)


def generator(folder: Path, *, left_w: float, sun: bool = True) -> RemeasureFiles:
    """A plant that fed in 12 kW less while machines ran before its meter, and the weather that it had. [W]"""
    rng = np.random.default_rng(5)
    hours = np.arange((CLEAN + MINING + WINDOW) * 24)
    clouds = np.clip(0.65 + 0.3 * rng.standard_normal(hours.size // 24), 0.15, 1)[hours // 24]
    light = 900 * np.maximum(np.sin(2 * np.pi * (hours % 24 - 6) / 24), 0) * clouds
    taken = np.where(hours < CLEAN * 24, 0.0, np.where(hours < (CLEAN + MINING) * 24, 12_000.0, left_w))
    fed_in = np.maximum(120 * light * (1 + 0.02 * rng.standard_normal(hours.size)) - taken, 0)
    start = [FIRST + timedelta(hours=int(h)) for h in hours]
    # The plant's own lamps and pumps, and nothing of the machines.
    own = np.where(light > 0, 0.1, 0.3) * (1 + 0.3 * rng.standard_normal(hours.size))
    own += 0.4 * ((hours // 24 % 7 < 5) & (hours % 24 >= 8) & (hours % 24 < 16))
    table = pl.DataFrame({"usage_point": "U1", "start": start, "energy_kwh": own})
    table.with_columns(export_kwh=pl.Series(fed_in / 1000)).write_csv(folder / "readings.csv")
    pl.DataFrame({"time": start, "irradiance": light}).write_csv(folder / "weather.csv")
    meters = MeterFiles(readings=(folder / "readings.csv",), weather=folder / "weather.csv" if sun else None)
    return RemeasureFiles(meters=meters)


@pytest.mark.parametrize(
    ("left_w", "sun", "outcome"), [(0.0, True, RECTIFIED), (12_000.0, True, PERSISTS), (0.0, False, OPEN)]
)
def test_a_generator_that_fed_in_less(tmp_path: Path, left_w: float, sun: bool, outcome: VerificationOutcome) -> None:
    """From tables of feed-in and of weather to an answer by the energy that is fed in; without weather, to none."""
    fewer = dataclasses.replace(load_finding(), detector="export_drop")
    document = {**DOCUMENT, "detector": "export_drop", "duty": 0.45}
    own = (assigned(AssignmentKind.USAGE_POINT, "U1"),)
    one = case(fewer)
    rule = VerificationRule(window_days=WINDOW, metrics=("kWh_per_day",), basis=Basis.OPERATOR_DEFAULT)
    windows = windows_of(one, rule, [document], instant(CLEAN + MINING + WINDOW))
    answer = remeasure(one, registry(*own), own, rule, windows, generator(tmp_path, left_w=left_w, sun=sun),
                       documents=[document])  # fmt: skip
    reading = next(one for one in answer.metrics if one.metric == "export_kWh_per_day")
    assert answer.outcome is outcome, (answer.explanation, answer.missing, reading.explanation)
    if outcome is RECTIFIED:
        assert answer.plot_metric == "export_kWh_per_day"
        assert reading.after > reading.before


# Network --------------------------------------------------------------------------------------------------------------


def content_finding() -> FindingRef:
    """A miner that spoke in the clear."""
    return FindingRef(
        finding_id="F", family=Family.CONTENT, detector="stratum", version="2", subject="192.0.2.10", log10_e=6,
        started_ns=instant(CLEAN), ended_ns=instant(CLEAN + 40), sha256="00",
    )  # fmt: skip


def miner_at(host: str, day: float) -> Finding:
    """A finding of the later window."""
    return Finding(
        detector="stratum", version="2", family=Family.CONTENT, role=Role.MINER, host=host, peer="203.0.113.5:3333",
        protocol="stratum-v1", started_ns=instant(day), ended_ns=instant(day + 0.2), log10_e=6.0, explanation="",
    )  # fmt: skip


def watch_table(path: Path, *, hosts: tuple[str, ...] = ("192.0.2.10",), share: float = 1.0) -> Path:
    """What a sensor recorded in the later window: every day, and the hosts' conversations."""
    lines = ["start,end,address,conversations"]
    for day in range(round(WINDOW * share)):
        start = FIRST + timedelta(days=CLEAN + MINING + day)
        span = f"{start:%Y-%m-%dT%H:%M:%SZ},{start + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        lines.append(f"{span},,0")
        lines += [f"{span},{host},25" for host in (*hosts, "198.51.100.7")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


PREFIX = assigned(AssignmentKind.PREFIX, "192.0.2.0/28")


def seen(files: RemeasureFiles, *found: Finding, rows: tuple[Assignment, ...] = (PREFIX,)) -> Measurement:
    """What is said of a site's traffic; `found` stands for what a scan of captures gives."""
    rule = VerificationRule(window_days=WINDOW, metrics=("pool_connections",), basis=Basis.OPERATOR_DEFAULT)
    one = case(content_finding())
    windows = windows_of(one, rule, [], instant(CLEAN + MINING + WINDOW))
    findings = files.findings[0] if files.findings else None
    if findings is not None:
        from headframe.reports.jsonl import scan_json

        findings.write_text(scan_json(ScanResult(findings=list(found)), generated_ns=NS), encoding="utf-8")
    return remeasure(one, registry(*rows), rows, rule, windows, files)


def test_a_month_without_mining_at_any_address_of_the_site(tmp_path: Path) -> None:
    """The sensor was alive, the site spoke, and none of it was mining."""
    files = RemeasureFiles(findings=(tmp_path / "f.json",), watch=(watch_table(tmp_path / "w.csv"),))
    answer = seen(files)
    assert answer.outcome is RECTIFIED, answer.missing
    assert answer.coverage > 0.95


def test_mining_at_another_address_of_the_site(tmp_path: Path) -> None:
    """It moved two addresses on; an address of somebody else is somebody else's."""
    files = RemeasureFiles(findings=(tmp_path / "f.json",), watch=(watch_table(tmp_path / "w.csv"),))
    moved = seen(files, miner_at("192.0.2.12", CLEAN + MINING + 5))
    assert moved.outcome is PERSISTS
    assert [one.subject for one in moved.new_findings] == ["192.0.2.12"]
    assert seen(files, miner_at("198.51.100.7", CLEAN + MINING + 5)).outcome is RECTIFIED


def test_a_site_that_fell_silent(tmp_path: Path) -> None:
    """Nothing at all from its addresses, half a month of recording, or nobody who says what was recorded."""
    silent = watch_table(tmp_path / "silent.csv", hosts=())
    short = watch_table(tmp_path / "short.csv", share=0.5)
    for watch in ((silent,), (short,), ()):
        answer = seen(RemeasureFiles(findings=(tmp_path / "f.json",), watch=watch))
        assert answer.outcome is OPEN
        assert answer.missing
    # Recorded, and looked at by no detector.
    unsearched = seen(RemeasureFiles(watch=(watch_table(tmp_path / "w.csv"),)))
    assert unsearched.outcome is OPEN
    assert any("did not look" in one for one in unsearched.missing)


def test_captures_are_searched_and_counted(tmp_path: Path) -> None:
    """A real capture through the real detectors: a miner that is still there persists, in an hour of traffic."""
    from headframe.app import ScanOptions, scan

    pool = PoolSpec(name="btc.deepvein.example", address="203.0.113.10", port=3333)
    spec = CaptureSpec(
        miners=(MinerSpec(dialect="stratum-v1", coin="BTC", hashrate_hs=2e15, pool=pool, host="192.0.2.10"),),
        duration_s=900, hard_negatives=False,
    )  # fmt: skip
    start = instant(CLEAN + MINING + 3) + 9 * 3600 * NS
    capture = tmp_path / "link.pcap"
    write_simulation(simulate_capture(spec, 5, start_ns=start), capture)
    options = ScanOptions(builtin_indicators=False, threads=1)
    rule = VerificationRule(window_days=WINDOW, metrics=("pool_connections",), basis=Basis.OPERATOR_DEFAULT)
    one = case(content_finding())
    windows = windows_of(one, rule, [], instant(CLEAN + MINING + WINDOW))
    files = RemeasureFiles(captures=(str(capture),))
    answer = remeasure(one, registry(PREFIX), (PREFIX,), rule, windows, files, scan=lambda paths: scan(paths, options))
    assert answer.outcome is PERSISTS
    # The same capture without the site's miner shows nothing about a month.
    other = assigned(AssignmentKind.PREFIX, "192.0.2.64/28")
    apart = remeasure(one, registry(other), (other,), rule, windows, files, scan=lambda paths: scan(paths, options))
    assert apart.outcome is OPEN
    assert apart.coverage < 0.01


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("start,end,address\n", "conversations is missing"),
        ("start,end,address,conversations\nx,y,,0\n", "row 2"),
        ("start,end,address,conversations\n2026-01-02,2026-01-01,,0\n", "row 2"),
        ("start,end,address,conversations\n2026-01-01,2026-01-02,,-4\n", "conversations is -4"),
    ],
)
def test_a_table_that_cannot_be_used_is_told(tmp_path: Path, text: str, wanted: str) -> None:
    """What came, what would be right; never a traceback."""
    path = tmp_path / "w.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableInput, match=wanted):
        read_watch(path)
    with pytest.raises(UnreadableInput, match="cannot be read"):
        read_watch(tmp_path / "none.csv")


def test_registers_are_asked_at_the_end_of_each_window() -> None:
    """A licence that began after the findings: not listed before, listed after; an exemption is no registration."""
    rule = VerificationRule(
        window_days=WINDOW, metrics=("registration_record", "kWh_per_day"), basis=Basis.OPERATOR_DEFAULT
    )
    windows = windows_of(case(load_finding()), rule, [DOCUMENT], instant(CLEAN + MINING + WINDOW))
    entry = LawfulEntry(
        entry_id="L", kind=LawfulKind.REGISTRATION, register="puct", site_id="S",
        valid_from_ns=instant(CLEAN + MINING + 5), source=ROW,
    )  # fmt: skip
    states = {"puct": instant(CLEAN + MINING + WINDOW), "old": instant(0)}
    (fact,) = register_facts(rule, [entry], states, windows)
    assert (fact.metric, fact.register) == ("registration_record", "puct")
    assert (fact.listed_before, fact.listed_after) == (False, True)
    over = dataclasses.replace(entry, valid_until_ns=instant(CLEAN + MINING + 6))
    exempt = dataclasses.replace(entry, kind=LawfulKind.EXEMPTION)
    for others in ([over], [exempt], []):
        (fact,) = register_facts(rule, others, states, windows)
        assert not fact.listed_after
    assert register_facts(rule, [entry], {}, windows) == ()


def test_there_must_be_something_to_measure() -> None:
    """No finding of mining, or no data after the findings."""
    rule = VerificationRule(window_days=WINDOW, metrics=("kWh_per_day",), basis=Basis.OPERATOR_DEFAULT)
    nothing = dataclasses.replace(load_finding(), mining=False, log10_e=0.0)
    with pytest.raises(HeadframeError, match="no finding of mining"):
        windows_of(case(nothing), rule, [], instant(300))
    with pytest.raises(HeadframeError, match="hand in newer data"):
        windows_of(case(load_finding()), rule, [], instant(CLEAN + MINING))
