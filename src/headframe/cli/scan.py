"""``headframe scan``: find mining in captures."""

import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from headframe.cli.compile import compile_if_needed
from headframe.cli.exit_codes import ExitCode, exit_code_of
from headframe.cli.options import DecodingThreads, HtmlReport, QuietProgress
from headframe.cli.polite import fail, politely, say, writing_output
from headframe.cli.report_file import refuse_report, write_report
from headframe.errors import HeadframeError, UnreadableInput

if TYPE_CHECKING:
    from headframe.app import ScanOptions
    from headframe.records.scan import ScanResult

STANDARD_INPUT = "-"
T = TypeVar("T")


class Format(StrEnum):
    """Forms of the findings on standard output."""

    TABLE = "table"
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"


@politely
def scan(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Capture files, folders, globs, or - for standard input."),
    ],
    indicators: Annotated[
        list[Path] | None,
        typer.Option(
            "--indicators",
            metavar="FILE",
            help="Known names and addresses to add: CSV, a plain list of hosts, or STIX 2.1. May be repeated.",
        ),
    ] = None,
    clock: Annotated[
        list[Path] | None,
        typer.Option(
            "--clock",
            metavar="FILE",
            help="Block times (CSV or Parquet: chain, height, arrival_time) to compare pushes with. May be repeated.",
        ),
    ] = None,
    clock_columns: Annotated[
        str,
        typer.Option("--clock-columns", metavar="OURS=THEIRS,...", help="Names or numbers of a clock file's columns."),
    ] = "",
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", metavar="DIR", help="Folder with the stored clocks; see headframe clock."),
    ] = None,
    content_blind: Annotated[
        bool,
        typer.Option("--content-blind", help="Hide payload and ports: find miners by the timing of packets alone."),
    ] = False,
    any_hour: Annotated[
        bool,
        typer.Option("--any-hour", help="Also try clocks that are wrong by whole hours, as a wrong time zone makes."),
    ] = False,
    false_discovery_rate: Annotated[
        float,
        typer.Option(
            "--fdr",
            metavar="RATE",
            min=1e-9,
            max=0.5,
            help="Share of wrong entries that the list of timing findings may have on average.",
        ),
    ] = 0.01,
    output_format: Annotated[
        Format,
        typer.Option("--format", help="Form of the findings on standard output."),
    ] = Format.TABLE,
    report: HtmlReport = None,
    fail_on_finding: Annotated[
        bool, typer.Option("--fail-on-finding", help="End with exit code 1 if anything is found.")
    ] = False,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="Show wallets and worker names as they are, instead of as salted hashes."),
    ] = False,
    no_builtin_indicators: Annotated[
        bool,
        typer.Option("--no-builtin-indicators", help="Leave out the names and addresses that ship with Headframe."),
    ] = False,
    threads: DecodingThreads = None,
    quiet: QuietProgress = False,
) -> None:
    """Find every miner in packet captures, and show the evidence.

    Reads pcap and pcapng, also inside gzip, zstd and xz. Findings go to standard output, everything else to
    standard error.

    \b
    Examples:
      headframe scan capture.pcap
      headframe scan captures/ --report report.html
      tcpdump -w - | headframe scan - --format jsonl
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    _refuse_what_cannot_work(paths, [*(indicators or []), *(clock or [])], report)

    from headframe.cli.indicator_files import IndicatorFiles

    with IndicatorFiles(indicators or []) as files:
        get_ready(quiet=quiet)

        from headframe.app import ScanOptions
        from headframe.clock import now_ns as now

        columns = _told_in_our_words(lambda: _columns(clock_columns))
        options = ScanOptions(
            indicators=files.paths,
            builtin_indicators=not no_builtin_indicators,
            reveal=reveal,
            threads=threads,
            clocks=tuple(clock or ()),
            clock_columns=columns,
            stored_clocks=_workspace(workspace),
            content_blind=content_blind,
            any_hour=any_hour,
            false_discovery_rate=false_discovery_rate,
        )
        result = _told_in_our_words(lambda: _scan(paths, options, quiet=quiet))
        result.remarks = [files.as_given(remark) for remark in result.remarks]
    now_ns = now()

    # The report first: whoever reads standard output may stop reading, and the report is wanted all the same.
    written = report is None or _write_report(result, report, now_ns, quiet=quiet)
    _write_findings(result, output_format, now_ns)
    if not quiet and output_format is not Format.TABLE:
        from headframe.reports.table import summary_lines

        for line in summary_lines(result):
            say(line)

    code = exit_code_of(result, fail_on_finding=fail_on_finding)
    if not written and code is not ExitCode.FOUND:
        code = ExitCode.NOT_WRITTEN
    if code is ExitCode.UNREADABLE and quiet:
        # The one thing that --quiet must not hide: there is no answer.
        say("no packet could be read from the input; --format json tells what is wrong with it")
    raise SystemExit(int(code))


def _told_in_our_words(work: Callable[[], T]) -> T:
    """Do it; what is wrong with a clock is told with the options of this command, not of ``headframe clock import``."""
    try:
        return work()
    except HeadframeError as error:
        from headframe.sources.chain.series import BadClock

        if not isinstance(error, BadClock):
            raise
        words = str(error).replace("--columns", "--clock-columns")
        if "--chain" in words or "--utc-offset" in words:
            words += ". Those are options of headframe clock import FILE, which keeps blocks for every later scan"
        fail(words, ExitCode.USAGE)


def _columns(text: str) -> dict[str, str]:
    if not text:
        return {}
    from headframe.sources.chain.files import parse_columns

    return parse_columns(text)


def _workspace(given: Path | None) -> Path | None:
    """The workspace, where it has clocks: without any, what reads them need not be loaded."""
    from headframe.stores.blocks import workspace_folder

    folder = workspace_folder(given)
    return folder if (folder / "blocks").is_dir() else None


def _scan(paths: list[str], options: "ScanOptions", *, quiet: bool) -> "ScanResult":
    from headframe import app
    from headframe.cli.progress import ProgressDisplay

    if STANDARD_INPUT not in paths:
        with ProgressDisplay(quiet=quiet) as progress:
            return app.scan(paths, options, progress)

    from headframe.cli.standard_input import InterruptibleInput

    with InterruptibleInput() as source:
        try:
            with ProgressDisplay(quiet=quiet) as progress:
                result = app.scan(paths, options, progress)
        except UnreadableInput:
            if source.interrupted:
                fail("interrupted before standard input brought anything that can be read", ExitCode.INTERRUPTED)
            raise
    if source.interrupted:
        # Even with --quiet: the answer is about a part of what was to be scanned.
        say("interrupted: what was read until then is reported")
        left = "not used: what came on standard input after Ctrl-C; what was read until then is reported"
        result.remarks.append(left)
    return result


def get_ready(*, quiet: bool) -> None:
    """Make this process fit for a scan: kernels compiled, with a notice, and nothing done that no scan needs."""
    from headframe.engines import compiling

    compile_if_needed(quiet=quiet)
    compiling.load_without_linear_algebra()
    # What is loaded stays, and a scan makes few cycles: looking for them after every 700 new objects costs a tenth.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _refuse_what_cannot_work(paths: list[str], indicators: list[Path], report: Path | None) -> None:
    """Find mistakes of the command line before an hour of scanning, not after it."""
    if sys.stdout is None and report is None:
        fail("standard output is closed, so the findings cannot be written anywhere; open it", ExitCode.NOT_WRITTEN)
    if paths.count(STANDARD_INPUT) > 1:
        fail("- (standard input) was given more than once; it can be read only once, so give it once", ExitCode.USAGE)
    if STANDARD_INPUT in paths and sys.stdin is None:
        fail(
            "- (standard input) is closed; pipe a capture into it: tcpdump -w - | headframe scan -",
            ExitCode.UNREADABLE,
        )
    if STANDARD_INPUT in paths and sys.stdin.isatty():
        fail(
            "- (standard input) is a terminal, not a capture; pipe one into it: tcpdump -w - | headframe scan -",
            ExitCode.USAGE,
        )
    if report is not None:
        refuse_report(report, [*map(Path, paths), *indicators])


def _write_report(result: "ScanResult", path: Path, now_ns: int, *, quiet: bool) -> bool:
    from headframe.reports.html import write_html

    rest = "the findings are on standard output"
    return write_report(lambda: write_html(result, path, generated_ns=now_ns), path, rest, quiet=quiet)


def _write_findings(result: "ScanResult", output_format: Format, now_ns: int) -> None:
    if sys.stdout is None:
        fail("standard output is closed, so the findings were not written to it", ExitCode.NOT_WRITTEN)
    with writing_output() as out:
        if output_format is Format.TABLE:
            from headframe.reports.table import write_table

            write_table(result, out)
        else:
            out.writelines(_lines(result, output_format, now_ns))


def _lines(result: "ScanResult", output_format: Format, now_ns: int) -> Iterator[str] | Iterable[str]:
    from headframe.reports.document import in_report_order

    if output_format is Format.JSON:
        from headframe.reports.jsonl import scan_json

        return [scan_json(result, generated_ns=now_ns)]
    if output_format is Format.CSV:
        from headframe.reports.csv_rows import csv_lines

        return csv_lines(in_report_order(result.findings))
    from headframe.reports.jsonl import finding_lines

    return finding_lines(in_report_order(result.findings))
