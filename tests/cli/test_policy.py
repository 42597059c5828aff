"""``headframe policy``: packs to read and check, what one says of a case, and calculations."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from headframe.cli.exit_codes import ExitCode
from headframe.cli.policy import RuleChoice, policy
from headframe.policy.calculators.differential_tariff import RULES
from headframe.stores.packs import load_packs
from tests.casework.office import Office

PACKS = load_packs()
OWN = """format: "1.0"
id: my-campus
version: 1.0.0
title: {en: My campus}
jurisdiction: {country: NO, level: operator, inherits: [campus-operator], time_zone: Europe/Oslo, calendar: NO}
provenance: {compiled: "2026-11", legal_review: none, gaps: [a gap of my own]}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command in an empty workspace, in this process."""
    monkeypatch.setenv("HEADFRAME_WORKSPACE", str(tmp_path / "workspace"))
    return lambda *arguments: CliRunner().invoke(policy, list(arguments))


def test_list_names_every_pack_with_its_review_and_gaps(run: Callable[..., Result]) -> None:
    """As tab-separated rows where nobody looks, and as JSON."""
    done = run("list")
    assert done.exit_code == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0] == ["pack", "version", "title", "regime", "legal review", "gaps", "measures", "not supported"]
    assert [row[0] for row in rows[1:]] == sorted(PACKS)
    assert {row[4] for row in rows[1:]} == {"none"}
    assert "no lawyer has read it" in done.stderr
    document = json.loads(run("list", "--format", "json", "--lang", "zh").stdout)
    titles = {row["id"]: row["title"] for row in document["rows"]}
    assert titles["cn-bj-2024"].startswith("北京市")
    assert {row["id"]: row["digest"] for row in document["rows"]} == {pack.id: pack.digest for pack in PACKS.values()}


@pytest.mark.parametrize("name", sorted(PACKS))
def test_show_has_review_gaps_and_every_part(run: Callable[..., Result], name: str) -> None:
    """Nothing of a pack is left out: gaps, measures with reasons, periods with their basis."""
    pack = PACKS[name]
    text = run("show", name).stdout
    assert "legal review: none" in text
    for gap in pack.provenance.gaps:
        assert f"gap: {gap}" in text
    for row in (*pack.instruments, *pack.units, *pack.subjects, *pack.criteria, *pack.measures):
        assert f"  {row.id}: " in text
    for measure in pack.measures:
        assert measure.reason.get("en", "") in text
    for step in pack.procedure:
        if step.deadline is not None:
            shown = next(line for line in text.splitlines() if line.startswith(f"  {step.step}"))
            assert "[operator default" in shown or "[statutory]" in shown or "[policy]" in shown
    assert json.loads(run("show", name, "--format", "json").stdout)["provenance"]["gaps"] == list(pack.provenance.gaps)


def test_show_speaks_the_packs_language(run: Callable[..., Result]) -> None:
    """Where the pack has it."""
    text = run("show", "cn-nm-2021-draft", "--lang", "zh-Hans").stdout
    assert "法律审核：none" in text
    assert "停业整顿" in text
    assert "NOT SUPPORTED" in text


def test_an_unknown_pack_is_told_with_those_there_are(run: Callable[..., Result]) -> None:
    """Exit code of a wrong command line."""
    done = run("show", "cn-bj")
    assert done.exit_code == ExitCode.USAGE
    assert "cn-bj-2024" in done.stderr


def test_check_passes_the_shipped_packs_and_shows_their_gaps(run: Callable[..., Result]) -> None:
    """Good is not the same as complete."""
    done = run("check")
    assert done.exit_code == 0
    assert done.stdout.count("can be used") == len(PACKS)
    assert done.stdout.count("legal review: none") == len(PACKS)
    assert "is a draft that was never confirmed" in done.stdout


def test_own_packs_are_checked_listed_and_shown(run: Callable[..., Result], tmp_path: Path) -> None:
    """A file in the workspace's folder is a pack like any other; checking it there is no doubling."""
    path = tmp_path / "workspace" / "packs" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(OWN)
    done = run("check", str(path))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("my-campus 1.0.0: can be used\n")
    assert "gap: (campus-operator) " in done.stdout
    assert "my-campus" in run("list").stdout
    assert "days of Europe/Oslo, days off of NO" in run("show", "my-campus").stdout


def test_check_names_everything_that_is_wrong_in_every_file(run: Callable[..., Result], tmp_path: Path) -> None:
    """One bad file does not hide another, nor the good one."""
    files = {
        "good.yaml": OWN,
        "bad.yaml": OWN.replace("my-campus", "bad").replace("Oslo", "Olso").replace("calendar: NO", "calendar: QQ"),
        "worse.yaml": "id: [",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = run("check", *(str(tmp_path / name) for name in [*files, "missing.yaml"]))
    assert done.exit_code == ExitCode.USAGE
    assert "my-campus 1.0.0: can be used" in done.stdout
    for words in ("'Europe/Olso' is no time zone", "'QQ' is no calendar", "worse.yaml", "cannot be read: No such file"):
        assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_packs_words_cannot_move_the_terminal(run: Callable[..., Result], tmp_path: Path) -> None:
    """What is in somebody's file is shown as it is, escapes included."""
    path = tmp_path / "x.yaml"
    path.write_text(OWN.replace("a gap of my own", '"\\e[2Jgone"'))
    done = run("check", str(path))
    assert "\x1b" not in done.stdout
    assert "\\x1b[2Jgone" in done.stdout


def test_explain_shows_class_measures_clocks_and_gaps(run: Callable[..., Result], tmp_path: Path) -> None:
    """A real case in a real workspace: proposed class with reasons, every measure, every clock with its basis."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.10")
    case_id = office.open()
    office.work.close()
    done = run("explain", case_id)
    assert done.exit_code == 0, done.stderr
    text = done.stdout
    assert "legal review: none" in text
    assert all(f"gap: {gap}" in text for gap in PACKS["cn-bj-2024"].provenance.gaps)
    assert "proposed: undetermined" in text
    assert "met: mines-by-protocol" in text
    assert "e-value of 100 together [operator default: no public text says so], or machines that an" in text
    assert "; here 10^" in text
    for measure in PACKS["cn-bj-2024"].measures:
        assert f"barred: {measure.id}" in text
    assert "missing: how the party stands to it is undetermined" in text
    assert "reply: not started [operator default: no public text says so]" in text
    document = json.loads(run("explain", case_id, "--format", "json", "--fact", "machines_seen=12").stdout)
    assert document["legal_review"] == "none"
    assert not any(row["allowed"] for row in document["measures"])
    verdicts = {row["criterion"]["id"]: row["verdict"] for row in document["proposed"]["criteria"]}
    assert verdicts["machines-found"] == "unknown"  # machines without a record of an inspection


@pytest.mark.parametrize("fact", ["", "x", "=3", "x="])
def test_a_fact_is_a_name_and_a_value(run: Callable[..., Result], fact: str) -> None:
    """What is none is told before anything is opened."""
    done = run("explain", "HF-2026-000001", "--fact", fact)
    assert done.exit_code == ExitCode.USAGE
    assert "is no fact" in done.stderr


# -- calculate


def test_the_rules_on_the_command_line_are_the_calculators() -> None:
    """The choice is written out so that --help loads nothing."""
    assert {row.value for row in RuleChoice} == set(RULES)


def test_a_tariff_with_its_sheet(run: Callable[..., Result], tmp_path: Path) -> None:
    """By hand: 16 of 30 days of 30,000 kWh at 2 CNY are 32,000 CNY. The casework reads the sheet's file."""
    from headframe.casework.sheets import read_sheet

    bills = tmp_path / "bills.csv"
    bills.write_text("first,last,energy_kwh\n2022-04-01,2022-04-30,30000\n")
    sheet = tmp_path / "sheet.json"
    done = run(
        "calculate", "differential-tariff", "--rule", "sichuan", "--issued", "2022-04-15", "--cycles", str(bills),
        "--from", "2022-03-05", "--until", "2022-04-30", "--sheet", str(sheet),
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "result: 32000.00 CNY" in done.stdout
    assert "bills.csv row 2" in done.stdout
    assert "[policy]" in done.stdout
    assert read_sheet(sheet).result == "32000.00"


def test_a_sheet_in_chinese(run: Callable[..., Result], tmp_path: Path) -> None:
    """Its words on the screen and in the file; what people called their own files stays."""
    bills = tmp_path / "bills.csv"
    bills.write_text("first,last,energy_kwh\n2022-04-01,2022-04-30,30000\n")
    sheet = tmp_path / "sheet.json"
    done = run(
        "calculate", "differential-tariff", "--rule", "national", "--cycles", str(bills), "--from", "2022-03-05",
        "--language", "zh", "--sheet", str(sheet),
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    for text in (done.stdout, sheet.read_text(encoding="utf-8")):
        assert "加价合计" in text
        assert "surcharge in total" not in text
        assert "bills.csv第2行" in text


def test_a_household_limit(run: Callable[..., Result], tmp_path: Path) -> None:
    """7,250 kWh in January are 1,250 above."""
    readings = tmp_path / "meter.csv"
    readings.write_text("start,end,energy_kwh\n2026-01-01,2026-02-01,7250\n")
    done = run(
        "calculate", "household-limit", "--readings", str(readings), "--zone", "Asia/Irkutsk", "--format", "json"
    )
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["result"] == "1250"


def test_back_billing(run: Callable[..., Result]) -> None:
    """Malaysia's six months where no limit is given, and another one as the operator's."""
    arguments = (
        "calculate", "back-billing", "--daily-kwh", "240", "--low", "210", "--high", "275.5", "--from", "2026-01-10",
        "--until", "2026-09-02", "--found", "2026-09-03", "--tariff", "0.509", "--tariff-source", "tariff B",
        "--energy-source", "finding U-7",
    )  # fmt: skip
    assert "result: 22477.44 MYR" in run(*arguments).stdout
    assert "the operator's own" in run(*arguments, "--limit-months", "3").stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("first,last\n", "energy_kwh is missing"),
        ("first,last,energy_kwh\n2022-04-01,,5\n", "row 2: last is empty"),
        ("first,last,energy_kwh\n2022-04-31,2022-05-01,5\n", "is no day"),
        ("first,last,energy_kwh\n2022-04-01,2022-04-30,many\n", "bills.csv row 2: energy_kwh is 'many'"),
        ("first,last,energy_kwh\n", "there is no billing cycle"),
        ("", "is missing"),
    ],
)
def test_a_table_that_is_wrong_is_told_with_its_row(
    run: Callable[..., Result], tmp_path: Path, text: str, words: str
) -> None:
    """What came, and what would be right."""
    bills = tmp_path / "bills.csv"
    bills.write_text(text)
    done = run("calculate", "differential-tariff", "--rule", "national", "--cycles", str(bills), "--from", "2022-03-05")
    assert done.exit_code == ExitCode.USAGE
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_it_is_a_command_of_the_program(headframe: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """``headframe policy check`` ends well on what ships."""
    done = headframe("policy", "check")
    assert done.returncode == 0, done.stderr
    assert "campus-operator" in done.stdout
