"""``headframe assess``, by the real program: a simulated office, real captures, and everything that can go wrong."""

import csv
import io
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from headframe.reports.assessment import CSV_COLUMNS, PEOPLE_DECIDE
from headframe.reports.jsonl import finding_lines
from tests.sites.test_assessment import finding, naive_list
from tests.test_assess import write_scan

Run = Callable[..., subprocess.CompletedProcess[str]]

OFFICE_SITES = """site,name,kind,prefix
N1,North hall,campus,192.0.2.96/28
N2,South hall,campus,192.0.2.112/28
N3,Workshop,campus,192.0.2.0/26
LAB,Laboratory,campus,192.0.2.224/32 192.0.2.225/32
DORM,Dormitory,campus,192.0.2.224/32
V6,Annexe,campus,2001:db8:2::/48
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    """A folder with a simulated office, its truth, and what the scan of it found."""
    folder = tmp_path_factory.mktemp("office")
    environment = {**os.environ, "PYTHONPATH": str(project_root / "src"), "HEADFRAME_SALT": "test"}

    def run(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "headframe", *arguments],
            capture_output=True, cwd=folder, env=environment, text=True, timeout=240, check=True,
        ).stdout  # fmt: skip

    run("simulate", "capture", ".", "--seed", "3", "--minutes", "30")
    (capture,) = folder.glob("*.pcap")
    blocks = [argument for path in folder.glob("*.blocks.csv") for argument in ("--clock", str(path))]
    (indicators,) = folder.glob("*.indicators.csv")
    found = run("scan", str(capture), "--indicators", str(indicators), *blocks, "--format", "json", "--quiet")
    (folder / "findings.json").write_text(found)
    (folder / "sites.csv").write_text(OFFICE_SITES)
    return folder


def assessed(headframe: Run, office: Path, *arguments: str) -> dict[str, Any]:
    done = headframe(
        "assess", str(office / "findings.json"), "--sites", str(office / "sites.csv"), "--format", "json", *arguments
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_simulated_office_against_its_truth(headframe: Run, office: Path) -> None:
    """Sites where miners work are on the list, no other is, and nobody is given an address that two sites claim."""
    (truth_file,) = office.glob("*.truth.json")
    truth = json.loads(truth_file.read_text())
    document = assessed(headframe, office)
    prefixes = {
        row["site"]: [ip_network(text) for text in row["prefix"].split()]
        for row in csv.DictReader(io.StringIO(OFFICE_SITES))
    }
    claims = defaultdict(set)
    for miner in truth["miners"]:
        address = ip_address(miner["host"])
        for site_id, networks in prefixes.items():
            if any(address.version == network.version and address in network for network in networks):
                claims[miner["host"]].add(site_id)
    mined = {next(iter(sites)) for sites in claims.values() if len(sites) == 1}
    listed = {one["site"]["site_id"] for one in document["assessments"] if one["listed"]}
    assert listed
    assert listed <= mined, "a site without miners is on the list"
    # What seeds and minutes decide is how strong; the sites whose miners keep step with fast chains are never missed.
    assert {"N1", "V6"} & mined <= listed
    attributed = {a for one in document["assessments"] for found in one["addresses"].values() for a in found}
    disputed = {host for host, sites in claims.items() if len(sites) > 1}
    apart = {row["host"]: row for row in document["unattributed"]}
    assert not attributed & disputed
    for host in disputed & set(apart):
        assert apart[host]["whereabouts"] == "ambiguous"
        assert set(apart[host]["candidates"]) == claims[host]
    assert not {row["host"] for row in document["unattributed"]} & attributed
    # No finding is lost: each counts for one site or stands apart.
    counted = sum(one["findings"] for one in document["assessments"])
    assert counted + document["summary"]["unattributed_findings"] == document["summary"]["findings"]


def test_the_list_is_e_bh(headframe: Run, office: Path) -> None:
    """Cut again by the definition, from the numbers that are written, at several rates."""
    for rate in ("0.01", "0.3"):
        rows = assessed(headframe, office, "--fdr", rate)["assessments"]
        values = [-300.0 if row["log10_e_list"] is None else row["log10_e_list"] for row in rows]
        assert {n for n, row in enumerate(rows) if row["listed"]} == naive_list(values, float(rate))


def test_the_same_input_gives_the_same_bytes(headframe: Run, office: Path) -> None:
    """The JSON document apart from the time at which it was made."""
    arguments = ("assess", str(office / "findings.json"), "--sites", str(office / "sites.csv"))
    assert headframe(*arguments).stdout == headframe(*arguments).stdout
    once, again = assessed(headframe, office), assessed(headframe, office)
    assert once | {"generated": ""} == again | {"generated": ""}


def test_every_form(headframe: Run, office: Path) -> None:
    """Data on standard output, talk on standard error, and the rule that people decide on each."""

    def run(form: str, *more: str) -> subprocess.CompletedProcess[str]:
        return headframe(
            "assess", str(office / "findings.json"), "--sites", str(office / "sites.csv"), "--format", form, *more
        )

    table = run("table")
    assert " ".join(PEOPLE_DECIDE.split()) in " ".join(table.stdout.split())
    assert table.stderr == ""
    lines = run("jsonl")
    assert all(json.loads(line) for line in lines.stdout.splitlines())
    assert lines.stderr.startswith("headframe: Tested: 6 sites, 6 sites and periods.")
    rows = list(csv.DictReader(io.StringIO(run("csv", "--quiet").stdout)))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert run("csv", "--quiet").stderr == ""


@pytest.mark.parametrize("merge", ["by-source", "mean", "product"])
def test_the_merge_rule(headframe: Run, office: Path, merge: str) -> None:
    """Is used and stated."""
    document = assessed(headframe, office, "--merge", merge)
    assert document["summary"]["merge"] == merge.replace("-", "_")
    if merge == "product":
        one = next(one for one in document["assessments"] if one["site"]["site_id"] == "N1")
        assert any(text.startswith("In doubt: content, endpoint") for text in one["assumptions"])


def test_periods_in_a_zone(headframe: Run, office: Path) -> None:
    """The office was captured on the first of January, 2026, by UTC and by Almaty's clocks."""
    document = assessed(headframe, office, "--period", "day", "--zone", "Asia/Almaty")
    periods = {one["period"]["name"]: one["period"]["started"] for one in document["assessments"]}
    assert periods == {"2026-01-01": "2025-12-31T19:00:00.000000000Z"}


@pytest.mark.real_data
def test_real_miners(headframe: Run, tmp_path: Path, shared_data: Path) -> None:
    """Two real captures of miners, years apart: each at its site in its month, and the third site found at nothing."""
    folder = shared_data / "network" / "pcap_mining" / "cj-sniffer"
    for name in ("1574720899_9M3tc", "1617834909_dYo3e"):
        found = headframe("scan", str(folder / f"{name}.pcap"), "--format", "json", "--quiet")
        (tmp_path / f"{name}.json").write_text(found.stdout)
    (tmp_path / "sites.csv").write_text("site,prefix\nA,10.108.8.0/24\nB,192.168.50.0/24\nC,172.16.0.0/12\n")
    done = headframe("assess", ".", "--sites", "sites.csv", "--period", "month", "--format", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    listed = [(one["site"]["site_id"], one["period"]["name"]) for one in document["assessments"] if one["listed"]]
    assert listed == [("A", "2019-11"), ("B", "2021-04")]
    for one in document["assessments"][:2]:
        assert one["coins"] == ["XMR"]
        assert one["sentences"][-1] == "One source only, enough for an information letter, not for a notice."
    assert len(document["assessments"]) == 6
    assert document["unattributed"] == []


# What can go wrong ---------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A scan with one finding, and a table with two sites."""
    write_scan(tmp_path / "f.json", finding("10.1.0.1", 9.0))
    (tmp_path / "sites.csv").write_text("site,prefix\nA,10.1.0.0/16\nB,10.2.0.0/16\n")
    return tmp_path


def test_fail_on_list(headframe: Run, small: Path) -> None:
    """Exit code 1 where any site is on the list, 0 where none is."""
    arguments = ("assess", "f.json", "--sites", "sites.csv", "--quiet", "--format", "jsonl")
    assert headframe(*arguments).returncode == 0
    assert headframe(*arguments, "--fail-on-list").returncode == 1
    write_scan(small / "f.json", finding("10.1.0.1", 1.0))
    assert headframe(*arguments, "--fail-on-list").returncode == 0


def test_damaged_rows(headframe: Run, small: Path) -> None:
    """Told with file and row, even with --quiet; the rest is used, and the exit code is 3."""
    rows = list(finding_lines([finding("10.1.0.1", 9.0)]))
    (small / "f.jsonl").write_text(rows[0] + "{broken\n" + rows[0].replace('"miner"', '"boss"'))
    done = headframe("assess", "f.jsonl", "--looks", "10", "--sites", "sites.csv", "--format", "json", "--quiet")
    assert done.returncode == 3
    first, second = done.stderr.splitlines()
    assert first.startswith("headframe: f.jsonl row 2 could not be used: no JSON: ")
    assert second.startswith("headframe: f.jsonl row 3 could not be used: role is 'boss'; known are miner")
    document = json.loads(done.stdout)
    assert document["summary"]["findings"] == 1
    assert [row["row"] for row in document["damaged"]] == [2, 3]
    # Who asks to fail on a listed site wants to know of it, damage or not.
    done = headframe("assess", "f.jsonl", "--looks", "10", "--sites", "sites.csv", "--fail-on-list", "--quiet")
    assert done.returncode == 1


def test_evidence_beyond_all_measure_is_damage(headframe: Run, small: Path) -> None:
    """A row with 1e308 is named; the rest is used, and nothing overflows."""
    row = next(iter(finding_lines([finding("10.1.0.1", 9.0)])))
    (small / "f.jsonl").write_text(
        row + row.replace('"log10_e": 9.0', '"log10_e": 1e308').replace("10.1.0.1", "10.2.0.1")
    )
    done = headframe("assess", "f.jsonl", "--looks", "10", "--sites", "sites.csv", "--format", "json", "--quiet")
    assert done.returncode == 3
    assert done.stderr == (
        "headframe: f.jsonl row 2 could not be used: log10_e is 1e+308; expected a number between -1,000,000 and "
        "1,000,000\n"
    )
    assert json.loads(done.stdout)["summary"]["findings"] == 1


def test_the_report(headframe: Run, small: Path) -> None:
    """Written beside the output; never over an input or over what is no report."""
    done = headframe("assess", "f.json", "--sites", "sites.csv", "--report", "r.html")
    assert done.returncode == 0
    assert done.stderr == "headframe: report written to r.html\n"
    assert "1 site on the list at 5 %" in (small / "r.html").read_text()
    done = headframe("assess", "f.json", "--sites", "sites.csv", "--report", "f.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("headframe: f.json does not end in .html; --report writes HTML")


def test_piped_from_the_scan(headframe: Run, small: Path) -> None:
    """``-`` reads standard input; giving it twice is a mistake."""
    data = (small / "f.json").read_bytes()
    done = headframe("assess", "-", "--sites", "sites.csv", "--format", "json", "--quiet", stdin=data)
    assert json.loads(done.stdout)["summary"]["files"] == ["standard input"]
    done = headframe("assess", "-", "-", "--sites", "sites.csv", stdin=data)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere.json"], 4, "headframe: nowhere.json: cannot be read: No such file or directory\n"),
        (["sites.csv"], 4, "headframe: sites.csv: no row is a finding; the first says: row 1: no JSON: "),
        (["new.json"], 4, "headframe: new.json: schema_version is '2.0'; this Headframe reads 1.x, so scan again "),
        (["rows.jsonl"], 2, "headframe: rows.jsonl does not tell how many conversations were read, and without "),
        (["f.json", "--sites", "nowhere.csv"], 2, "headframe: nowhere.csv: cannot be read: No such file"),
        (["f.json", "--leases", "nowhere.leases"], 2, "headframe: nowhere.leases: cannot be read: No such file"),
        (["f.json", "--zone", "Mars/Olympus"], 2, "headframe: 'Mars/Olympus' is no time zone; name one as in "),
        (["f.json", "--content-blind"], 2, "headframe: f.json has findings by content or endpoint, so "),
        (["f.json", "--leases", "/dev/null"], 4, "headframe: /dev/null: holds no DHCP lease that can be read; "),
        (["f.json", "--nat", "sites.csv"], 4, "headframe: sites.csv: holds no address translation that can be read; "),
        (["f.json", "--radius", "sites.csv"], 4, "headframe: sites.csv: holds no RADIUS session that can be read; "),
        (["/dev/null"], 2, "headframe: /dev/null is empty: it holds neither findings nor how many conversations "),
        (["f.json", "--fdr", "0.9"], 2, "headframe: --fdr '0.9': expected a number, 1e-09 to 0.5 ("),
        (["f.json", "--period", "year"], 2, "headframe: --period 'year': expected one of day, week, month, all"),
    ],
)  # fmt: skip
def test_mistakes_are_told_politely(headframe: Run, small: Path, arguments: list[str], code: int, message: str) -> None:
    """What came, what would be right; nothing on standard output, and no traceback."""
    (small / "new.json").write_text('{"schema_version": "2.0", "findings": []}')
    (small / "rows.jsonl").write_text("".join(finding_lines([finding("10.1.0.1")])))
    sites = [] if "--sites" in arguments else ["--sites", "sites.csv"]
    done = headframe("assess", *arguments, *sites)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr


def test_sites_are_asked_for(headframe: Run, small: Path) -> None:
    """Without a registry there is nobody to assess."""
    done = headframe("assess", "f.json")
    assert done.returncode == 2
    assert "headframe: --sites is missing: FILE (Table of sites" in done.stderr


def test_help_shows_how_it_is_used(headframe: Run) -> None:
    """With examples for this very command, and no option cut short."""
    text = headframe("assess", "--help", COLUMNS="80", TERMINAL_WIDTH="80").stdout
    for option in (
        "--sites", "--leases", "--nat", "--radius", "--period", "--fdr", "--merge", "--looks", "--content-blind",
        "--realm", "--zone", "--year", "--format", "--report", "--fail-on-list", "--quiet",
    ):  # fmt: skip
        assert option in text
    assert "headframe assess findings.json --sites sites.csv" in text.split("Example", 1)[1]
    assert "People decide" in " ".join(text.split())


def test_it_loads_no_kernel(project_root: Path, small: Path) -> None:
    """An assessment reads a few files; it must not wait for what only captures need."""
    code = (
        "import sys; sys.argv = ['headframe', 'assess', 'f.json', '--sites', 'sites.csv', '-q', '--format', 'json']\n"
        "import headframe.cli\n"
        "try: headframe.cli.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'numba', 'scipy', 'polars', 'jinja2', 'cryptography', 'headframe.app'} & set(sys.modules)), "
        "file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=small, timeout=60, check=True,
        env={**os.environ, "PYTHONPATH": str(project_root / "src")},
    )  # fmt: skip
    assert done.stderr == "[]\n"
