"""Measuring again: from files to an answer, with everything that the site has by then."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headframe.cases.store import StoredFinding
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
from headframe.records.scan import ClockLook, InputSummary, ScanResult, SeenPrefix
from headframe.records.site import Assignment, AssignmentKind, Site, SourceRow
from headframe.remeasure import RemeasureFiles, read_watch, register_facts, remeasure, windows_of
from headframe.reports.case_documents.translated import translated
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
    return in_both_languages(remeasure(one, registry(*own), own, rule, windows, files, documents=[DOCUMENT]))


def in_both_languages(answer: Measurement) -> Measurement:
    """What is said of what was measured can be said in Chinese, too."""
    unknown = [one for one in (*answer.missing, answer.explanation) if translated(one, "zh") is None]
    assert not unknown
    return answer


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


RAN = ("stratum 2", "pool_endpoint 2", "peer_sync 1")
PREFIX = assigned(AssignmentKind.PREFIX, "192.0.2.0/28")


def seen(files: RemeasureFiles, *found: Finding, rows: tuple[Assignment, ...] = (PREFIX,)) -> Measurement:
    """What is said of a site's traffic; `found` stands for what a scan of captures gives."""
    rule = VerificationRule(window_days=WINDOW, metrics=("pool_connections",), basis=Basis.OPERATOR_DEFAULT)
    one = case(content_finding())
    windows = windows_of(one, rule, [], instant(CLEAN + MINING + WINDOW))
    findings = files.findings[0] if files.findings else None
    if findings is not None:
        from headframe.reports.jsonl import scan_json

        findings.write_text(scan_json(looked_at(*found), generated_ns=NS), encoding="utf-8")
    return remeasure(one, registry(*rows), rows, rule, windows, files)


def looked_at(
    *found: Finding, first: float = CLEAN + MINING, days: float = WINDOW, detectors: tuple[str, ...] = RAN,
    prefix: str = "192.0.2.0/24", clocks: tuple[ClockLook, ...] = (), tested: int = 0,
) -> ScanResult:  # fmt: skip
    """A scan with content and endpoints, of so many days."""
    span = (instant(first), instant(first + days))
    one = InputSummary(file="link.pcap", first_ns=span[0], last_ns=span[1], recorded=[span])
    names = [f"{FIRST + timedelta(days=first + k):%Y-%m-%d}" for k in range(max(round(days), 1))]
    seen_there = tuple(SeenPrefix(day=day, prefix=prefix, conversations=9) for day in names)
    return ScanResult(
        findings=list(found), inputs=[one], detectors=detectors, seen=seen_there, clocks=clocks, timing_tested=tested
    )  # fmt: skip


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
    # The address is nobody's by the registry now: it is still where the mining was found.
    other = assigned(AssignmentKind.PREFIX, "192.0.2.64/28")
    apart = remeasure(one, registry(other), (other,), rule, windows, files, scan=lambda paths: scan(paths, options))
    assert apart.outcome is PERSISTS
    # It is another site's since: what was found there is not this site's, and nothing shows where its host is.
    rows = (
        dataclasses.replace(PREFIX, valid_until_ns=instant(CLEAN + MINING)),
        assigned(AssignmentKind.PREFIX, "192.0.2.0/28", site="T", from_day=CLEAN + MINING),
    )
    gone = remeasure(one, registry(*rows), rows, rule, windows, files, scan=lambda paths: scan(paths, options))
    assert gone.outcome is OPEN
    assert gone.coverage < 0.01
    assert any("another site now" in one for one in gone.missing), gone.missing


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


# What must have been looked at ----------------------------------------------------------------------------------------


def timing_finding() -> FindingRef:
    """A miner behind TLS, which only keeping step with the chain has shown."""
    return dataclasses.replace(content_finding(), family=Family.TIMING, detector="chain_sync", version="1")


STEP = {"detector": "chain_sync", "block_sync": {"chain": "BTC"}}
ALL_OF_IT = ((instant(CLEAN), instant(CLEAN + MINING + WINDOW + 1)),)


def told(folder: Path, scan: ScanResult | str, *, finding: FindingRef | None = None, watch: Path | None = None,
         rows: tuple[Assignment, ...] = (PREFIX,)) -> Measurement:  # fmt: skip
    """What is said of a site by a file of findings and a table of what the sensor recorded."""
    from headframe.reports.jsonl import scan_json

    path = folder / "later.json"
    path.write_text(scan if isinstance(scan, str) else scan_json(scan, generated_ns=NS), encoding="utf-8")
    rule = VerificationRule(window_days=WINDOW, metrics=("pool_connections",), basis=Basis.OPERATOR_DEFAULT)
    one = case(finding or content_finding())
    windows = windows_of(one, rule, [], instant(CLEAN + MINING + WINDOW))
    files = RemeasureFiles(findings=(path,), watch=(watch or watch_table(folder / "w.csv"),))
    return in_both_languages(remeasure(one, registry(*rows), rows, rule, windows, files, documents=[STEP]))


def test_an_empty_file_looked_at_nothing(tmp_path: Path) -> None:
    """JSON Lines name no detector and no period: of an empty file nothing follows."""
    answer = told(tmp_path, "")
    assert answer.outcome is OPEN
    assert not answer.detectors
    assert any("hand in what headframe scan --format json writes" in one for one in answer.missing)
    assert told(tmp_path, looked_at()).outcome is RECTIFIED
    # What stands in such a file counts against the party all the same, and names its detector.
    from headframe.reports.jsonl import finding_lines

    on = told(tmp_path, "".join(finding_lines([miner_at("192.0.2.10", CLEAN + MINING + 5)])))
    assert on.outcome is PERSISTS
    assert on.detectors == ("stratum 2",)


def test_a_scan_of_an_hour_did_not_look_at_a_month(tmp_path: Path) -> None:
    """The period is what the scan says, not what the table of the sensor says; a detector that did not run is told."""
    hour = told(tmp_path, looked_at(days=1 / 24))
    assert hour.outcome is OPEN
    assert any(one.startswith("stratum looked at 0% of the later window") for one in hour.missing)
    earlier = told(tmp_path, looked_at(first=CLEAN - WINDOW))
    assert earlier.outcome is OPEN
    blind = told(tmp_path, looked_at(detectors=("peer_sync 1",)))
    assert blind.outcome is OPEN
    assert "stratum 2 did not look at the later window" in blind.missing


def test_timing_needs_a_clock_of_its_chain(tmp_path: Path) -> None:
    """Without block times, with those of another chain or another time, and with nothing to compare, nobody looked."""
    clocked = (*RAN, "chain_sync 1")
    btc = ClockLook(chain="BTC", covered=ALL_OF_IT)
    for scan, wanted in (
        (looked_at(tested=5), "chain_sync 1 did not look"),
        (looked_at(detectors=clocked, clocks=(dataclasses.replace(btc, chain="XMR"),), tested=5), "clock of BTC"),
        (looked_at(detectors=clocked, clocks=(dataclasses.replace(btc, covered=ALL_OF_IT[:0]),), tested=5), "for 0%"),
        (looked_at(detectors=clocked, clocks=(btc,)), "no conversation of the later window was compared"),
    ):
        answer = told(tmp_path, scan, finding=timing_finding())
        assert answer.outcome is OPEN
        assert any(wanted in one for one in answer.missing), (wanted, answer.missing)
    whole = told(tmp_path, looked_at(detectors=clocked, clocks=(btc,), tested=5), finding=timing_finding())
    assert whole.outcome is RECTIFIED, whole.missing


def test_a_scan_from_elsewhere(tmp_path: Path) -> None:
    """The table is of one sensor and the findings are of another, which never saw the site's network."""
    answer = told(tmp_path, looked_at(prefix="198.51.100.0/24"))
    assert answer.outcome is OPEN
    assert any("whether the scan saw the network of 192.0.2.10: it did on 0%" in one for one in answer.missing)


def beside(path: Path, *, before: tuple[str, ...], after: tuple[str, ...]) -> Path:
    """A sensor's table of both windows: who was seen in each, day by day."""
    watch_table(path, hosts=after)
    lines = path.read_text(encoding="utf-8").splitlines()
    for day in range(40):
        start = FIRST + timedelta(days=CLEAN + day)
        span = f"{start:%Y-%m-%dT%H:%M:%SZ},{start + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        lines += [f"{span},,0", *(f"{span},{host},25" for host in before)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


HOSTS = ("192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6")


def test_a_sensor_that_was_moved(tmp_path: Path) -> None:
    """A host of the site that talks is not the host that mined, nor does it vouch for the sensor by itself."""
    other = watch_table(tmp_path / "w.csv", hosts=("192.0.2.9",))
    moved = told(tmp_path, looked_at(), watch=other)
    assert moved.outcome is OPEN
    assert any("whether the sensor still sees 192.0.2.10" in one for one in moved.missing)
    one_of_four = beside(tmp_path / "w.csv", before=("192.0.2.10", *HOSTS), after=("192.0.2.3",))
    lost = told(tmp_path, looked_at(), watch=one_of_four)
    assert lost.outcome is OPEN
    assert any("of 4 neighbours that were seen before, 1 were seen again" in one for one in lost.missing)
    alone = told(tmp_path, looked_at(), watch=beside(tmp_path / "w.csv", before=("192.0.2.10",), after=HOSTS))
    assert alone.outcome is OPEN
    assert any("no neighbour was seen beside it before" in one for one in alone.missing)


def test_a_machine_that_was_taken_away(tmp_path: Path) -> None:
    """It is seen no more, and those beside it are: the sensor stands where it stood."""
    both = beside(tmp_path / "w.csv", before=("192.0.2.10", *HOSTS), after=HOSTS[1:])
    answer = told(tmp_path, looked_at(), watch=both)
    assert answer.outcome is RECTIFIED, answer.missing


def until(one: Assignment, day: float) -> Assignment:
    """A row of the registry that ends."""
    return dataclasses.replace(one, valid_until_ns=instant(day))


def test_an_address_that_left_the_registry(tmp_path: Path) -> None:
    """Mining at it counts as long as it is nobody else's; without mining, where its host went is not known."""
    rows = (
        until(assigned(AssignmentKind.PREFIX, "192.0.2.10/32"), CLEAN + MINING),
        assigned(AssignmentKind.PREFIX, "192.0.2.0/29"),
    )
    watch = beside(tmp_path / "w.csv", before=("192.0.2.10", *HOSTS), after=HOSTS)
    on = told(tmp_path, looked_at(miner_at("192.0.2.10", CLEAN + MINING + 5)), watch=watch, rows=rows)
    assert on.outcome is PERSISTS
    quiet = told(tmp_path, looked_at(), watch=watch, rows=rows)
    assert quiet.outcome is OPEN
    assert any("where the host of 192.0.2.10 is" in one for one in quiet.missing)


def test_a_site_that_was_renumbered(tmp_path: Path) -> None:
    """The registry names a prefix that began as the other ended: it stands for it, where it is seen."""
    rows = (
        until(PREFIX, CLEAN + MINING),
        assigned(AssignmentKind.PREFIX, "203.0.113.0/28", from_day=CLEAN + MINING),
    )
    watch = beside(tmp_path / "w.csv", before=("192.0.2.10", *HOSTS), after=("203.0.113.4",))
    answer = told(tmp_path, looked_at(prefix="203.0.113.0/24"), watch=watch, rows=rows)
    assert answer.outcome is RECTIFIED, answer.missing
    assert "203.0.113.0/28 stands for 192.0.2.10" in answer.explanation
    unseen = told(tmp_path, looked_at(), watch=watch, rows=rows)
    assert unseen.outcome is OPEN


def test_mining_after_the_window_counts(tmp_path: Path) -> None:
    """Nobody ends the window a day before it begins again, with its findings at hand."""
    answer = told(tmp_path, looked_at(miner_at("192.0.2.10", CLEAN + MINING + WINDOW + 0.5)))
    assert answer.outcome is PERSISTS


def test_data_behind_the_window_are_measured(tmp_path: Path) -> None:
    """A window that leaves out the last days of what was handed in says so; a day is no matter."""
    answer = told(tmp_path, looked_at(days=WINDOW + 5))
    assert answer.outcome is OPEN
    assert any("measure up to there (--until)" in one for one in answer.missing)
    assert told(tmp_path, looked_at(days=WINDOW + 1)).outcome is RECTIFIED
    path = readings(tmp_path / "readings.csv")
    own = (assigned(AssignmentKind.USAGE_POINT, "U1"),)
    rule = VerificationRule(window_days=WINDOW - 10, metrics=("kWh_per_day",), basis=Basis.OPERATOR_DEFAULT)
    one = case(load_finding())
    windows = windows_of(one, rule, [DOCUMENT], instant(CLEAN + MINING + WINDOW - 5))
    files = RemeasureFiles(meters=MeterFiles(readings=(path,)))
    short = remeasure(one, registry(*own), own, rule, windows, files, documents=[DOCUMENT])
    assert short.outcome is OPEN
    assert any("measure up to there (--until)" in told for told in short.missing)


def test_mining_between_remedy_and_window(tmp_path: Path) -> None:
    """A remedy that did not end it is not made good by a window that begins later."""
    from headframe.reports.jsonl import scan_json

    path = tmp_path / "later.json"
    found = looked_at(miner_at("192.0.2.10", CLEAN + MINING + 5))
    path.write_text(scan_json(found, generated_ns=NS), encoding="utf-8")
    rule = VerificationRule(window_days=WINDOW - 10, metrics=("pool_connections",), basis=Basis.OPERATOR_DEFAULT)
    one = case(content_finding())
    windows = windows_of(one, rule, [], instant(CLEAN + MINING + WINDOW))
    files = RemeasureFiles(findings=(path,), watch=(watch_table(tmp_path / "w.csv"),))
    answer = remeasure(one, registry(PREFIX), (PREFIX,), rule, windows, files)
    assert answer.outcome is OPEN
    assert any("record what the party did since" in one for one in answer.missing)


def test_what_the_workspace_knows_counts_as_what_is_handed_in(tmp_path: Path) -> None:
    """A file that shows nothing does not make nothing of what is in the store beside it."""
    from headframe.remeasure import _ref
    from headframe.reports.jsonl import scan_json

    def measured_with(found: Finding, site: str, *later: Finding) -> Measurement:
        path = tmp_path / "later.json"
        path.write_text(scan_json(looked_at(*later), generated_ns=NS), encoding="utf-8")
        rule = VerificationRule(window_days=WINDOW - 10, metrics=("pool_connections",), basis=Basis.OPERATOR_DEFAULT)
        one = case(content_finding())
        windows = windows_of(one, rule, [], instant(CLEAN + MINING + WINDOW))
        files = RemeasureFiles(findings=(path,), watch=(watch_table(tmp_path / "w.csv"),))
        stored = [StoredFinding(ref=_ref(found), site_id=site, coin="", import_id="I", document={})]
        return in_both_languages(
            remeasure(one, registry(PREFIX), (PREFIX,), rule, windows, files, stored=stored)
        )  # fmt: skip

    inside, between = (miner_at("192.0.2.10", CLEAN + MINING + day) for day in (15, 5))
    elsewhere = miner_at("203.0.113.9", CLEAN + MINING + 15)
    for found, site in ((inside, "S"), (elsewhere, "S"), (elsewhere, "")):
        answer = measured_with(found, site)
        assert answer.outcome is PERSISTS
        (reading,) = answer.metrics
        assert reading.outcome is PERSISTS, "the days of it are days with mining"
    # What was handed in as well is counted once.
    assert len(measured_with(inside, "S", inside).new_findings) == 1
    asked = measured_with(inside, "T")
    assert asked.outcome is OPEN
    assert any(one.startswith("who is at 192.0.2.10") for one in asked.missing)
    earlier = measured_with(between, "S")
    assert earlier.outcome is OPEN
    assert any("record what the party did since" in one for one in earlier.missing)
    assert measured_with(between, "T").outcome is RECTIFIED


def sparse(path: Path, every_s: int, days: float = WINDOW) -> Path:
    """A capture with one small packet of the host every so often."""
    import socket
    import struct

    datagram = struct.pack(">HHHH", 5353, 123, 16, 0) + b"12345678"
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0,
                       socket.inet_aton("192.0.2.10"), socket.inet_aton("198.51.100.7"))  # fmt: skip
    frame = b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + head + datagram
    first = instant(CLEAN + MINING) // NS
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at in range(first, first + round(days * 86_400) + 1, every_s):
            out.write(struct.pack("<IIII", at, 0, len(frame), len(frame)) + frame)
    return path


@pytest.mark.parametrize(("every_s", "outcome"), [(86_400, OPEN), (3600, OPEN), (1024, RECTIFIED)])
def test_silence_within_a_capture_was_not_recorded(tmp_path: Path, every_s: int, outcome: VerificationOutcome) -> None:
    """One packet a day is no month; a machine that only asks for the time, every 17 minutes, is."""
    from headframe.app import ScanOptions, scan

    options = ScanOptions(builtin_indicators=False, threads=1)
    rule = VerificationRule(window_days=WINDOW, metrics=("pool_connections",), basis=Basis.OPERATOR_DEFAULT)
    one = case(content_finding())
    windows = windows_of(one, rule, [], instant(CLEAN + MINING + WINDOW))
    files = RemeasureFiles(captures=(str(sparse(tmp_path / "link.pcap", every_s)),))
    answer = remeasure(one, registry(PREFIX), (PREFIX,), rule, windows, files, scan=lambda paths: scan(paths, options))
    assert answer.outcome is outcome, answer.missing
    if outcome is OPEN:
        assert answer.coverage < 0.01
        # The sensor's own word for it: it did record, and there was nothing.
        said = RemeasureFiles(captures=files.captures, watch=(watch_table(tmp_path / "w.csv", hosts=()),))
        told = remeasure(one, registry(PREFIX), (PREFIX,), rule, windows, said, scan=lambda paths: scan(paths, options))
        assert told.outcome is RECTIFIED, told.missing


def meters(folder: Path, loads: dict[str, object]) -> Path:
    """Readings of these usage points (functions of the hour) and of twelve others."""
    rng = np.random.default_rng(4)
    hours = np.arange((CLEAN + MINING + WINDOW) * 24)
    work = (hours // 24 % 7 < 5) & (hours % 24 >= 8) & (hours % 24 < 18)
    frames = []
    for name, of in {**loads, **{f"N{k:02d}": None for k in range(12)}}.items():
        load = (9_000 + 9_000 * work) * (1 + 0.04 * rng.standard_normal(hours.size))
        load = of(hours, load) if callable(of) else load
        start = [FIRST + timedelta(hours=int(h)) for h in hours]
        frames.append(pl.DataFrame({"usage_point": name, "start": start, "energy_kwh": load / 1000}))
    path = folder / "readings.csv"
    pl.concat(frames).filter(pl.col("energy_kwh").is_not_nan()).write_csv(path)
    return path


M0, M1 = CLEAN * 24, (CLEAN + MINING) * 24
SWAP = CLEAN + MINING + 3


def mine(hours: np.ndarray, _load: np.ndarray) -> np.ndarray:
    """A hall with nothing but machines, which run on. [W]"""
    return np.where(hours >= M0, 10_000.0, 60.0) + 20 * np.sin(hours)


def test_a_usage_point_that_left_the_registry_is_not_nought(tmp_path: Path) -> None:
    """Ended, given to another site, or swapped for a meter that nobody registered: missing, whatever it counts."""
    point = assigned(AssignmentKind.USAGE_POINT, "U1")
    office = assigned(AssignmentKind.USAGE_POINT, "U0")
    path = meters(tmp_path, {"U1": mine, "U0": None})
    assert measured(path, point, office).outcome is PERSISTS
    ended = until(point, CLEAN + MINING)
    # Nobody else's, and read on: what it counts is counted.
    on = measured(path, ended, office)
    assert on.outcome is PERSISTS
    assert "U1 left the site by the registry, and is nobody else's; its readings count on." in on.explanation
    swapped = {
        "U1": lambda hours, load: np.where(hours < M1, mine(hours, load), np.nan),
        "U3": lambda hours, load: np.where(hours >= M1, mine(hours, load), np.nan),
        "U0": None,
    }
    unregistered = measured(meters(tmp_path, swapped), ended, office)
    assert unregistered.outcome is OPEN
    assert any("what the meter of U1 counts now" in one for one in unregistered.missing), unregistered.missing
    path = meters(tmp_path, {"U1": mine, "U0": None})
    for rows in (
        (ended, office, assigned(AssignmentKind.USAGE_POINT, "U1", site="T", from_day=CLEAN + MINING)),
        (office, assigned(AssignmentKind.USAGE_POINT, "U1", site="T", from_day=CLEAN + MINING)),
    ):
        answer = measured(path, *rows)
        assert answer.outcome is OPEN
        assert any("what the meter of U1 counts now" in one for one in answer.missing), answer.missing


@pytest.mark.parametrize(("machines", "outcome"), [(True, PERSISTS), (False, RECTIFIED)])
def test_a_meter_that_was_swapped(tmp_path: Path, machines: bool, outcome: VerificationOutcome) -> None:
    """The registry says when the one ended and the other began; what the new one counts is counted on."""

    def old(hours: np.ndarray, load: np.ndarray) -> np.ndarray:
        return np.where(hours < SWAP * 24, load + 10_000 * ((hours >= M0) & (machines | (hours < M1))), np.nan)

    def new(hours: np.ndarray, load: np.ndarray) -> np.ndarray:
        return np.where(hours >= SWAP * 24, load + 10_000 * machines, np.nan)

    path = meters(tmp_path, {"U1": old, "U3": new})
    rows = (
        until(assigned(AssignmentKind.USAGE_POINT, "U1"), SWAP),
        assigned(AssignmentKind.USAGE_POINT, "U3", from_day=SWAP),
    )
    answer = measured(path, *rows)
    assert answer.outcome is outcome, answer.missing
    assert "U3 stands for U1, by the registry." in answer.explanation
    late = (rows[0], assigned(AssignmentKind.USAGE_POINT, "U3", from_day=SWAP + 20))
    assert measured(path, *late).outcome is not RECTIFIED


def test_a_meter_in_its_place_does_not_hide_one_that_is_read_on(tmp_path: Path) -> None:
    """A small meter begins as the one of the machines leaves; that one is counted on, or asked about."""
    point, office = assigned(AssignmentKind.USAGE_POINT, "U1"), assigned(AssignmentKind.USAGE_POINT, "U0")
    ended = until(point, CLEAN + MINING)
    heir = assigned(AssignmentKind.USAGE_POINT, "U3", from_day=CLEAN + MINING)
    theirs = assigned(AssignmentKind.USAGE_POINT, "U1", site="T", from_day=CLEAN + MINING)

    def small(hours: np.ndarray, _load: np.ndarray) -> np.ndarray:
        return np.where(hours >= M1, 60 + 20 * np.sin(hours), np.nan)

    def nightly(hours: np.ndarray, load: np.ndarray) -> np.ndarray:
        return np.where((hours < M1) | (hours % 24 < 6), mine(hours, load), 0.0)

    path = meters(tmp_path, {"U1": mine, "U0": None, "U3": small})
    on = measured(path, ended, heir, office)
    assert on.outcome is PERSISTS
    assert "U1 left the site by the registry, and is nobody else's; its readings count on." in on.explanation
    back = assigned(AssignmentKind.USAGE_POINT, "U1", from_day=CLEAN + MINING + WINDOW)
    for rows in ((ended, theirs, heir, office), (ended, until(theirs, CLEAN + MINING + WINDOW), back, heir, office)):
        asked = measured(path, *rows)
        assert asked.outcome is OPEN
        assert any(one.startswith("whose load is read at U1") for one in asked.missing), asked.missing
    path = meters(tmp_path, {"U1": nightly, "U0": None, "U3": small})
    at_night = measured(path, ended, theirs, heir, office)
    assert at_night.outcome is OPEN
    assert any(one.startswith("whose load is read at U1") for one in at_night.missing), at_night.missing


def test_a_point_that_the_site_had_for_some_days(tmp_path: Path) -> None:
    """It came with the remedy and left five days later, by the registry; the machines behind it run on."""
    new = until(assigned(AssignmentKind.USAGE_POINT, "U2", from_day=CLEAN + MINING), CLEAN + MINING + 5)
    path = readings(tmp_path / "readings.csv", next_door=10_000)
    assert measured(path, assigned(AssignmentKind.USAGE_POINT, "U1"), new).outcome is PERSISTS
    # What it counted before it was the site's, and what others' meters count, is not the site's.
    later = assigned(AssignmentKind.USAGE_POINT, "N03", from_day=CLEAN + MINING + WINDOW - 1)
    gone = measured(readings(tmp_path / "r.csv"), assigned(AssignmentKind.USAGE_POINT, "U1"), later)
    assert gone.outcome is RECTIFIED


@pytest.mark.parametrize("left_w", [0.0, 150.0, float("nan")])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_meter_that_was_replaced_is_not_in_the_way(tmp_path: Path, left_w: float, elsewhere: bool) -> None:
    """The old one reads nothing, or next to it, wherever it is by the registry."""
    rows = [
        until(assigned(AssignmentKind.USAGE_POINT, "U1"), CLEAN + MINING),
        assigned(AssignmentKind.USAGE_POINT, "U3", from_day=CLEAN + MINING),
    ]
    if elsewhere:
        rows.append(assigned(AssignmentKind.USAGE_POINT, "U1", site="T", from_day=CLEAN + MINING))

    def old(hours: np.ndarray, load: np.ndarray) -> np.ndarray:
        return np.where(hours < M1, load + 10_000 * (hours >= M0), left_w)

    def new(hours: np.ndarray, load: np.ndarray) -> np.ndarray:
        return np.where(hours >= M1, load, np.nan)

    answer = measured(meters(tmp_path, {"U1": old, "U3": new}), *rows)
    assert answer.outcome is RECTIFIED, answer.missing


@pytest.mark.parametrize("lost", [(1, 2), (1, 2, 3), (0, 3, 6, 9, 12, 15, 18, 21)])
def test_hours_that_are_missing_every_day(tmp_path: Path, lost: tuple[int, ...]) -> None:
    """Machines run in those very hours: three hours of which one is missing are missing."""

    def holed(hours: np.ndarray, load: np.ndarray) -> np.ndarray:
        mining = (hours >= M0) & (hours < M1)
        return np.where((hours >= M1) & np.isin(hours % 24, lost), np.nan, load + 10_000 * mining)

    answer = measured(meters(tmp_path, {"U1": holed}))
    assert answer.outcome is OPEN
    assert answer.coverage < 0.9
