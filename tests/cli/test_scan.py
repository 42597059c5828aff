"""``headframe scan`` as its users meet it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from headframe import cli
from headframe.errors import BadIndicator, UnreadableInput
from headframe.records.scan import ScanResult
from tests import timing_office
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
    one.write_text("kind,value\npool,pool.example\n")
    two.write_text("pool.example:3333\n")
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
            ["a.pcap", "--indicators", "/dev/null"],
            "/dev/null is empty; --indicators takes a CSV, hosts or STIX 2.1 file",
        ),
        (
            ["a.pcap", "--indicators", sys.executable],
            f"{sys.executable} is no text in UTF-8, but binary or UTF-16; "
            "--indicators takes a CSV, hosts or STIX 2.1 file in UTF-8",
        ),
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


# --- Ctrl-C ------------------------------------------------------------------------------------------------------


def interrupted(
    project_root: Path, *arguments: str, after_s: float, times: int = 1, sent: bytes = b"", **environment: str
) -> tuple[int, bytes, bytes]:
    """Run the program in a process group of its own, and send that group Ctrl-C; standard input stays open.

    Gives the exit code, standard output and standard error.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "headframe", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(project_root / "src"), **environment},
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(sent)
        process.stdin.flush()
        time.sleep(after_s)
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.1)
        try:
            # Not communicate(): it would close standard input, and with that end what Ctrl-C is to end.
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, process.stdout.read(), process.stderr.read()


# Long enough for the program to be past its imports and waiting for the rest of its input.
WAITING_S = 4.0


@pytest.mark.parametrize("threads", ["1", "2"])
def test_interrupted_standard_input_is_reported_as_far_as_it_came(
    headframe: Run, project_root: Path, tmp_path: Path, threads: str
) -> None:
    """A live capture has no other end than Ctrl-C: findings, report and exit code as ever, and a note."""
    headframe("compile")
    report = tmp_path / "r.html"
    code, out, talk = interrupted(
        project_root, "scan", "-", "--format", "json", "--threads", threads, "--report", str(report),
        after_s=WAITING_S, sent=captures.miner(),
    )  # fmt: skip
    assert code == 0, talk
    document = json.loads(out)
    assert [finding["host"] for finding in document["findings"]] == ["192.0.2.10"]
    remark = "not used: what came on standard input after Ctrl-C; what was read until then is reported"
    assert document["remarks"] == [remark]
    assert b"headframe: interrupted: what was read until then is reported\n" in talk
    assert "192.0.2.10" in report.read_text(encoding="utf-8")


def test_interrupted_twice_ends_at_once(headframe: Run, project_root: Path) -> None:
    """Who presses Ctrl-C again does not want to wait, not even for a silent pipe."""
    headframe("compile")
    code, out, talk = interrupted(project_root, "scan", "-", after_s=WAITING_S, times=2, sent=captures.miner())
    assert (code, out) == (130, b"")
    assert talk == b"headframe: interrupted; nothing more is read, and no report is written\n"


def test_interrupted_before_anything_came(headframe: Run, project_root: Path) -> None:
    """No answer is no empty answer."""
    headframe("compile")
    code, out, talk = interrupted(project_root, "scan", "-", after_s=WAITING_S)
    assert (code, out) == (130, b"")
    assert talk == b"headframe: interrupted before standard input brought anything that can be read\n"


def test_interrupted_while_compiling(project_root: Path, tmp_path: Path) -> None:
    """Two processes compile, and both get Ctrl-C from the terminal; one of them speaks, in words."""
    code, out, talk = interrupted(project_root, "scan", "-", after_s=3.0, NUMBA_CACHE_DIR=str(tmp_path / "kernels"))
    assert (code, out) == (130, b"")
    assert talk.splitlines() == [
        b"headframe: compiling for this machine, once; this takes about half a minute",
        b"headframe: interrupted; nothing more is read, and no report is written",
    ]


def test_what_comes_in_pieces_is_whole(headframe: Run, project_root: Path, tmp_path: Path) -> None:
    """What stands between the pipe and the reader loses no byte, however many there are."""
    whole = captures.miner()
    head, records = whole[:24], whole[24:]
    done = headframe("scan", "-", "--format", "json", stdin=head + records * 3_000)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["bytes_read"] == len(head) + 3_000 * len(records)


# --- closed streams, pipes as lists, and what a report must not replace --------------------------------------------


@pytest.fixture
def shell(project_root: Path, tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a line of bash in which ``headframe`` is the real program."""

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", f'headframe() {{ "{sys.executable}" -m headframe "$@"; }}; {line}'],
            capture_output=True, text=True, cwd=tmp_path, timeout=240, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(project_root / "src")},
        )  # fmt: skip

    return run


Shell = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("form", ["table", "jsonl"])
def test_closed_standard_output(shell: Shell, miner_pcap: Path, form: str) -> None:
    """Said before the scan, and with a report after it, which is written all the same."""
    done = shell(f"headframe scan miner.pcap --format {form} >&-")
    assert done.returncode == 5
    assert done.stderr == (
        "headframe: standard output is closed, so the findings cannot be written anywhere; open it\n"
    )
    done = shell(f"headframe scan miner.pcap -q --format {form} --report r.html >&-")
    assert done.returncode == 5
    assert done.stderr == "headframe: standard output is closed, so the findings were not written to it\n"
    assert "192.0.2.10" in (miner_pcap.parent / "r.html").read_text(encoding="utf-8")


def test_closed_standard_error(shell: Shell, miner_pcap: Path) -> None:
    """Talk is lost, and does not turn up among the findings."""
    done = shell("headframe scan miner.pcap --format jsonl 2>&-")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert json.loads(done.stdout)["host"] == "192.0.2.10"


def test_closed_standard_input(shell: Shell) -> None:
    """No packet can come from it."""
    done = shell("headframe scan - <&-")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "headframe: - (standard input) is closed; pipe a capture into it: tcpdump -w - | headframe scan -\n"
    )


def test_nothing_open_at_all(shell: Shell, miner_pcap: Path) -> None:
    """The report must not become standard output by taking its number."""
    done = shell("headframe scan miner.pcap --report r.html <&- >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (5, "", "")
    assert (miner_pcap.parent / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_indicators_from_a_pipe(shell: Shell, miner_pcap: Path) -> None:
    """What can be read only once is enough; rows that are not understood are told by the name that was given."""
    done = shell(
        "headframe scan miner.pcap --no-builtin-indicators --format json -q "
        "--indicators <(printf '198.51.100.20:3333\\nnonsense\\n')"
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {finding["detector"] for finding in document["findings"]} == {"stratum", "pool_endpoint"}
    (remark,) = document["remarks"]
    assert remark.startswith("not used: /dev/fd/")
    assert "line 2: 'nonsense'" in remark
    assert "headframe-indicators-" not in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "list.txt is empty"),
        ("pool.example\n".encode("utf-16"), "list.txt is no text in UTF-8, but binary or UTF-16"),
        (b"\x7fELF\x02\x01\x01\0\0 libc.so.6 pool.example", "list.txt is no text in UTF-8, but binary or UTF-16"),
        (b"[]\n", "list.txt has no indicator in it"),
        (b"# nothing yet\n", "list.txt has no indicator in it"),
        (b"kind,value\n", "list.txt has no indicator in it"),
        (b'{"type": "bundle", "id": "bundle--1", "objects": []}', "list.txt has no indicator in it"),
        (b"{", "list.txt: not JSON"),
    ],
)
@pytest.mark.parametrize("pipe", [False, True])
def test_a_list_without_any_indicator_is_a_mistake(
    answer: Answer, tmp_path: Path, content: bytes, message: str, pipe: bool
) -> None:
    """Who names a list wants something looked for; a scan without it would say "nothing found" of nothing."""
    seen = answer(samples.clean())
    path = tmp_path / "list.txt"
    if pipe:
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=(content,))
        writer.start()
    else:
        path.write_bytes(content)
    done = invoke("a.pcap", "--indicators", str(path))
    if pipe:
        writer.join()
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"headframe: {tmp_path}/{message}")
    assert seen == {}


def test_a_report_replaces_reports_only(answer: Answer, tmp_path: Path) -> None:
    """A capture may be called x.html; replacing it would destroy the evidence."""
    seen = answer(samples.clean())
    capture, link, page, empty = (tmp_path / name for name in ("c.html", "l.html", "old.html", "new.html"))
    capture.write_bytes(captures.miner())
    link.hardlink_to(capture)
    page.write_text("\ufeff\n<!DOCTYPE html><title>old</title>", encoding="utf-8")
    empty.touch()
    done = invoke(str(capture), "--report", str(link))
    assert (done.exit_code, done.stderr) == (
        2, f"headframe: {link} is one of the inputs, and --report would replace it; choose another name\n",
    )  # fmt: skip
    done = invoke("a.pcap", "--report", str(capture))
    assert (done.exit_code, done.stderr) == (
        2, f"headframe: {capture} is there and is no HTML file, and --report would replace it; choose another name\n",
    )  # fmt: skip
    done = invoke(str(page), "--report", str(page))
    assert done.exit_code == 2
    assert seen == {}
    assert capture.read_bytes() == captures.miner()
    for path in (page, empty):
        assert invoke("a.pcap", "--report", str(path)).exit_code == 0
        assert "No mining found" in path.read_text(encoding="utf-8")


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


# --- timing -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an hour of an office in which one miner hides in TLS, and the times of the blocks."""
    folder = tmp_path_factory.mktemp("hidden")
    traffic = timing_office.office(1.0, plaintext=False)
    timing_office.written(traffic, folder / "office.pcap")
    timing_office.clock_file(folder / "xmr.csv", traffic.truth)
    return folder


def test_timing_options_reach_the_scan(answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option arrives, and each default is the cautious one."""
    monkeypatch.setenv("HEADFRAME_WORKSPACE", str(tmp_path / "none"))
    seen = answer(samples.clean())

    def told() -> tuple[object, ...]:
        o = seen["options"]
        return (
            o.clocks, o.clock_columns, o.stored_clocks, o.content_blind, o.any_hour, o.false_discovery_rate  # type: ignore[attr-defined]
        )  # fmt: skip

    invoke("a.pcap", "-q")
    assert told() == ((), {}, None, False, False, 0.01)
    workspace = tmp_path / "ws"
    (workspace / "blocks").mkdir(parents=True)
    invoke(
        "a.pcap", "-q", "--clock", "a.csv", "--clock", "b.parquet", "--clock-columns", "height=blk,arrival_time=3",
        "--workspace", str(workspace), "--content-blind", "--any-hour", "--fdr", "0.05",
    )  # fmt: skip
    assert told() == (
        (Path("a.csv"), Path("b.parquet")), {"height": "blk", "arrival_time": "3"}, workspace, True, True, 0.05,
    )  # fmt: skip
    monkeypatch.setenv("HEADFRAME_WORKSPACE", str(workspace))
    invoke("a.pcap", "-q")
    assert told()[2] == workspace


@pytest.mark.parametrize("rate", ["0", "0.6", "-1", "much"])
def test_a_rate_that_is_none_is_refused(answer: Answer, rate: str) -> None:
    """Above a half a list would promise nothing."""
    seen = answer(samples.clean())
    done = invoke("a.pcap", "--fdr", rate)
    assert (done.exit_code, done.stdout, seen) == (2, "", {})
    assert "--fdr" in done.stderr


ROWS = "".join(f"XMR,{10 + k},{1_767_260_000 + 120 * k}\n" for k in range(20))


@pytest.mark.parametrize(
    ("content", "options", "code", "words"),
    [
        (None, [], 4, ["blocks.csv: cannot be read: No such file or directory; give a CSV or Parquet file"]),
        ("", [], 2, ["blocks.csv is empty; a file of block times has the columns chain, height and arrival_time"]),
        ("\x89PNG\r\n\x1a\n\0\0\0", [], 2, ["blocks.csv"]),
        ("chain,height,arrival_time\n", [], 2, ["blocks.csv has a header and no rows"]),
        ("coin,blk,ts\n" + ROWS, [], 2, ["--clock-columns"]),
        ("chain,height,arrival_time\nXMR,ten,soon\n", [], 2, ["no row can be understood", "--clock-columns"]),
        ("height,arrival_time\n10,1767260000\n", [], 2, ["headframe clock import FILE"]),
        (
            "chain,height,arrival_time\n" + ROWS,
            ["--clock-columns", "when=3"],
            2,
            ["--clock-columns: 'when' is no column"],
        ),
        (
            "chain,height,arrival_time,header_time\n"
            + "".join(f"XMR,{k},{1_767_260_000 + 120 * k + 28_800},{1_767_260_000 + 120 * k}\n" for k in range(20)),
            [],
            2,
            ["arrival_time is 8 h ahead of header_time", "--utc-offset +8", "headframe clock import FILE"],
        ),
    ],
    ids=["missing", "empty", "binary", "no rows", "other names", "no sense", "no chain", "mapping", "zone"],
)
def test_a_bad_clock_is_told_in_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
    options: list[str],
    code: int,
    words: list[str],
) -> None:
    """Before the captures are read; with options that this command has."""
    if content is not None:
        (tmp_path / "blocks.csv").write_text(content, encoding="latin-1")
    monkeypatch.chdir(tmp_path)
    done = invoke("no such capture.pcap", "-q", "--clock", "blocks.csv", *options)
    assert (done.exit_code, done.stdout) == (code, ""), done.stderr
    assert done.stderr.startswith("headframe: ")
    assert len(done.stderr.splitlines()) == 1
    assert all(part in done.stderr for part in words), done.stderr
    assert " --columns" not in done.stderr


def test_real_scan_blind_to_content_finds_the_miner_by_a_clock(headframe: Run, hidden: Path) -> None:
    """From bytes to a finding, by the real program, in every form; the clock is named among what it rests on."""
    arguments = ("scan", str(hidden / "office.pcap"), "--content-blind", "--clock", str(hidden / "xmr.csv"))
    done = headframe(*arguments, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    (found,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (found["detector"], found["family"], found["host"]) == ("chain_sync", "timing", "192.0.2.100")
    assert found["coin"] == ["XMR"]
    assert found["log10_e"] > 6
    assert headframe(*arguments, "-q", "--fail-on-finding").returncode == 1
    # Whoever assesses it later must know that content did not look.
    (hidden / "blind.json").write_text(headframe(*arguments, "--format", "json", "-q").stdout)
    assert json.loads((hidden / "blind.json").read_text())["summary"]["content_blind"] is True
    (hidden / "sites.csv").write_text("site,prefix\nA,192.0.2.0/24\n")
    said = headframe("assess", str(hidden / "blind.json"), "--sites", str(hidden / "sites.csv")).stdout
    assert "content and endpoint (the scan hid payload and ports from every detector)" in " ".join(said.split())
    assert "Looked and found nothing" not in said
    assert headframe("scan", str(hidden / "office.pcap"), "--content-blind", "-q", "--fail-on-finding").returncode == 0


def test_real_scan_with_the_clock_of_a_workspace(headframe: Run, hidden: Path, tmp_path: Path) -> None:
    """Imported once, used by every scan; what is wrong with a clock there stops none of them."""
    workspace = str(tmp_path / "ws")
    assert headframe("clock", "import", str(hidden / "xmr.csv"), "--workspace", workspace).returncode == 0
    done = headframe("scan", str(hidden / "office.pcap"), "--workspace", workspace, "--format", "json", "-q")
    document = json.loads(done.stdout)
    assert "chain_sync" in {finding["detector"] for finding in document["findings"]}
    (tmp_path / "ws" / "blocks" / "XMR.parquet").write_bytes(b"PAR1")
    done = headframe("scan", str(hidden / "office.pcap"), "--format", "json", HEADFRAME_WORKSPACE=workspace)
    assert done.returncode == 0
    assert any("the stored clock of XMR is not used" in remark for remark in json.loads(done.stdout)["remarks"])


def test_a_report_does_not_replace_a_clock(answer: Answer, tmp_path: Path) -> None:
    """Block times are an input like any other."""
    seen = answer(samples.clean())
    path = tmp_path / "blocks.html"
    path.write_text("<!doctype html> chain,height,arrival_time\n")
    done = invoke("a.pcap", "--clock", str(path), "--report", str(path))
    assert (done.exit_code, seen) == (2, {})
    assert "is one of the inputs" in done.stderr
