"""``headframe scan`` as its users meet it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from headframe import cli
from headframe.errors import BadIndicator, UnreadableInput
from headframe.records.scan import ScanResult
from tests.cli import captures
from tests.reports import samples

Run = Callable[..., subprocess.CompletedProcess[str]]
Answer = Callable[[ScanResult | BaseException], dict[str, object]]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["scan", *arguments])


# --- what goes where ---------------------------------------------------------------------------------------------


def test_findings_go_to_standard_output_and_talk_to_standard_error(answer: Answer) -> None:
    """JSON Lines can be piped on without a filter."""
    answer(samples.mixed())
    done = invoke("a.pcap", "--format", "jsonl")
    assert [json.loads(line)["host"] for line in done.stdout.splitlines()] == [
        "192.0.2.77", "192.0.2.41", "192.0.2.200", "2001:db8:41::99",
    ]  # fmt: skip
    assert "headframe: Found: 2 miners, 1 probe, 1 contact (4 findings).\n" in done.stderr
    assert "headframe:   captures/site-b.pcap.zst at byte 4,194,304: bad record header, 1,312 bytes\n" in done.stderr


def test_quiet_leaves_standard_error_empty(answer: Answer, tmp_path: Path) -> None:
    """Nothing but findings."""
    answer(samples.mixed())
    for form in ("table", "jsonl", "json", "csv"):
        done = invoke("a.pcap", "--format", form, "--quiet", "--report", str(tmp_path / "r.html"))
        assert done.stderr == ""
        assert done.stdout


def test_every_format_on_standard_output(answer: Answer) -> None:
    """Each is what its name says, and table is the default."""
    answer(samples.mixed())
    assert json.loads(invoke("a", "--format", "json").stdout)["summary"]["findings"] == 4
    assert len(list(csv.DictReader(io.StringIO(invoke("a", "--format", "csv").stdout)))) == 4
    assert invoke("a").stdout == invoke("a", "--format", "table").stdout
    assert "192.0.2.41" in invoke("a").stdout


def test_options_reach_the_scan(answer: Answer, tmp_path: Path) -> None:
    """Each option arrives, and each default is the cautious one."""
    seen = answer(samples.clean())
    invoke("a.pcap", "folder", "-q")
    assert seen["paths"] == ["a.pcap", "folder"]
    options = seen["options"]
    assert (options.indicators, options.builtin_indicators, options.reveal, options.threads) == ((), True, False, None)  # type: ignore[attr-defined]
    one, two = tmp_path / "one.csv", tmp_path / "two.json"
    one.touch()
    two.touch()
    invoke(
        "a.pcap", "--indicators", str(one), "--indicators", str(two), "--no-builtin-indicators", "--reveal",
        "--threads", "3",
    )  # fmt: skip
    options = seen["options"]
    assert (options.indicators, options.builtin_indicators, options.reveal, options.threads) == (
        (one, two),
        False,
        True,
        3,
    )  # type: ignore[attr-defined]


def test_report_is_written_beside_the_findings(answer: Answer, tmp_path: Path) -> None:
    """--report adds to standard output, it does not replace it."""
    answer(samples.mixed())
    path = tmp_path / "report.html"
    done = invoke("a.pcap", "--report", str(path), "--format", "jsonl")
    assert done.exit_code == 3
    assert len(done.stdout.splitlines()) == 4
    assert "Traffic of 2 hosts shows mining" in path.read_text(encoding="utf-8")
    assert f"headframe: report written to {path}\n" in done.stderr


# --- exit codes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sample", "arguments", "code"),
    [
        ("clean", [], 0),
        ("clean", ["--fail-on-finding"], 0),
        ("empty", [], 0),
        ("mixed", [], 3),
        ("mixed", ["--fail-on-finding"], 1),
        ("hostile", ["--format", "json"], 3),
    ],
)
def test_exit_code(answer: Answer, sample: str, arguments: list[str], code: int) -> None:
    """The table in docs/exit-codes.md."""
    answer(samples.SCANS[sample]())
    assert invoke("a.pcap", *arguments).exit_code == code


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "headframe: interrupted; nothing more is read, and no report is written\n"),
        (
            UnreadableInput("x.pcap is missing; give a capture file"),
            4,
            "headframe: x.pcap is missing; give a capture file\n",
        ),
        (BadIndicator("i.csv, row 3: no port"), 2, "headframe: i.csv, row 3: no port\n"),
        (MemoryError(), 70, "headframe: out of memory; try fewer files at a time, or --threads 1\n"),
        (
            ZeroDivisionError("division by zero\x1b[2J\nat once"),
            70,
            "headframe: a fault in Headframe itself: ZeroDivisionError: division by zero\\x1b[2J at once. "
            "Please report it; HEADFRAME_DEBUG=1 shows where it happened\n",
        ),
    ],
)
def test_faults_are_told_in_words(answer: Answer, raised: BaseException, code: int, message: str) -> None:
    """Never a traceback; the words are part of the interface."""
    answer(raised)
    done = invoke("a.pcap")
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", message)


def test_debug_variable_shows_the_traceback(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """For those who mend Headframe."""
    answer(ZeroDivisionError("here"))
    monkeypatch.setenv("HEADFRAME_DEBUG", "1")
    assert isinstance(invoke("a.pcap").exception, ZeroDivisionError)


def test_report_that_cannot_be_written_after_the_scan(
    answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs the report, not the findings."""
    answer(samples.clean())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("headframe.reports.html.write_html", full)
    path = tmp_path / "r.html"
    done = invoke("a.pcap", "--report", str(path), "--format", "jsonl")
    assert done.exit_code == 5
    assert (
        f"headframe: {path} could not be written: No space left on device; the findings are on standard output\n"
        in done.stderr
    )
    answer(samples.mixed())
    done = invoke("a.pcap", "--report", str(path), "--format", "jsonl", "--fail-on-finding")
    assert (done.exit_code, len(done.stdout.splitlines())) == (1, 4)


# --- mistakes found before an hour of scanning --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "-"], "- (standard input) was given more than once; it can be read only once, so give it once"),
        (
            ["a.pcap", "--indicators", "none.csv"],
            "none.csv is no file; --indicators takes a CSV, hosts or STIX 2.1 file",
        ),
        (
            ["a.pcap", "--report", "a.pcap"],
            "a.pcap does not end in .html; --report writes HTML and would replace that file, so name it FILE.html",
        ),
        (
            ["a.pcap", "--report", "nowhere/r.html"],
            "nowhere is no folder, so r.html cannot be written there; create it, or choose another place for --report",
        ),
    ],
)
def test_mistakes_are_found_before_the_scan(headframe: Run, arguments: list[str], message: str) -> None:
    """What came, what would be right, what to do next; word for word."""
    done = headframe("scan", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"headframe: {message}\n")


def test_report_must_not_be_a_folder(headframe: Run, tmp_path: Path) -> None:
    """A folder may be called x.html."""
    (tmp_path / "x.html").mkdir()
    done = headframe("scan", "a.pcap", "--report", "x.html")
    assert (done.returncode, done.stderr) == (
        2,
        "headframe: x.html is a folder; --report takes the name of a file to write\n",
    )


# --- the real program on real bytes -------------------------------------------------------------------------------


@pytest.fixture
def miner_pcap(tmp_path: Path) -> Path:
    """One Stratum session, ten shares accepted."""
    path = tmp_path / "miner.pcap"
    path.write_bytes(captures.miner())
    return path


def test_real_scan_finds_the_miner(headframe: Run, miner_pcap: Path) -> None:
    """From bytes to a finding, by the real program."""
    done = headframe("scan", "miner.pcap", "--format", "jsonl", "--report", "r.html")
    assert done.returncode == 0, done.stderr
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    miner = next(finding for finding in findings if finding["detector"] == "stratum")
    assert (miner["host"], miner["peer"], miner["role"]) == ("192.0.2.10", "198.51.100.20:3333", "miner")
    assert miner["shares"]["accepted"] == 10
    assert "1BoatSLRHtKNngkdXEeobR76b53LETtpyT" not in done.stdout
    assert "1BoatSLRHtKNngkdXEeobR76b53LETtpyT" not in (miner_pcap.parent / "r.html").read_text(encoding="utf-8")


def test_real_scan_reveals_accounts_only_when_asked(headframe: Run, miner_pcap: Path) -> None:
    """--reveal is the operator's own decision."""
    assert (
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyT" in headframe("scan", "miner.pcap", "--format", "jsonl", "--reveal").stdout
    )


def test_real_scan_of_standard_input(headframe: Run) -> None:
    """The same finding from a pipe."""
    done = headframe("scan", "-", "--format", "jsonl", stdin=captures.miner())
    assert done.returncode == 0, done.stderr
    assert "192.0.2.10" in done.stdout


def test_real_scan_fails_on_a_finding_when_asked(headframe: Run, miner_pcap: Path, tmp_path: Path) -> None:
    """1 with a miner, 0 without."""
    (tmp_path / "office.pcap").write_bytes(captures.office())
    assert headframe("scan", "miner.pcap", "--fail-on-finding", "-q").returncode == 1
    assert headframe("scan", "office.pcap", "--fail-on-finding", "-q").returncode == 0


def test_real_scan_of_a_truncated_file(headframe: Run, tmp_path: Path) -> None:
    """Used as far as it goes; the byte is named, and the exit code says so."""
    whole = captures.miner()
    (tmp_path / "cut.pcap").write_bytes(whole[:-7])
    done = headframe("scan", "cut.pcap", "--format", "json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["findings"]
    assert len(document["inputs"][0]["damage"]) == 1
    assert "cut.pcap at byte " in done.stderr


def test_real_scan_of_what_is_no_capture(headframe: Run, tmp_path: Path) -> None:
    """A message and code 4, never a traceback."""
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, this is no capture.\n" * 10)
    for path in ("letter.txt", "missing.pcap"):
        done = headframe("scan", path)
        assert done.returncode == 4
        assert "Traceback" not in done.stderr
        assert path in done.stderr + done.stdout


def test_reader_that_stops_early_ends_the_program_without_a_word(miner_pcap: Path, project_root: Path) -> None:
    """headframe scan ... | head -0, with the report written all the same."""
    report = miner_pcap.parent / "r.html"
    process = subprocess.Popen(
        [sys.executable, "-m", "headframe", "scan", str(miner_pcap), "--format", "json", "-q", "--report", str(report)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(project_root / "src")},
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    talk = process.stderr.read()
    assert (process.wait(timeout=240), talk) == (141, b"")
    process.stderr.close()
    assert report.is_file()


def test_interrupted_program_says_so(project_root: Path, tmp_path: Path) -> None:
    """Ctrl-C while standard input is still open."""
    process = subprocess.Popen(
        [sys.executable, "-m", "headframe", "scan", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(project_root / "src")},
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(captures.miner()[:100])
    process.stdin.flush()
    # Long enough for the program to be past its imports and waiting for the rest of its input.
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    out, talk = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert b"headframe: interrupted" in talk
    assert b"Traceback" not in talk


def test_output_that_cannot_be_encoded_is_escaped(headframe: Run) -> None:
    """A Chinese pool name on a terminal that knows ASCII only."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    from headframe.reports.table import write_table

    write_table(ScanResult(findings=[samples.miner(pool="矿池")], packets=1), stream)
    stream.flush()
    written = stream.buffer.getvalue()  # type: ignore[attr-defined]
    assert b"\\u77ff\\u6c60" in written
    assert b"\\u2500" not in written
    assert headframe("--help", PYTHONIOENCODING="ascii").returncode == 0
