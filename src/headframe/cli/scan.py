"""``headframe scan``: find mining in captures."""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.exit_codes import ExitCode, exit_code_of
from headframe.cli.polite import fail, politely, say

if TYPE_CHECKING:
    from headframe.records.scan import ScanResult

STANDARD_INPUT = "-"


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
    output_format: Annotated[
        Format,
        typer.Option("--format", help="Form of the findings on standard output."),
    ] = Format.TABLE,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Also write a report that any browser shows offline."),
    ] = None,
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
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", min=1, help="Threads to use; all processors if not given.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no talk on standard error.")] = False,
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
    _refuse_what_cannot_work(paths, indicators or [], report)
    compile_with_notice(quiet=quiet)

    from headframe import app, clock
    from headframe.cli.progress import ProgressDisplay

    options = app.ScanOptions(
        indicators=tuple(indicators or ()),
        builtin_indicators=not no_builtin_indicators,
        reveal=reveal,
        threads=threads,
    )
    with ProgressDisplay(quiet=quiet) as progress:
        result = app.scan(paths, options, progress)
    now_ns = clock.now_ns()

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


def compile_with_notice(*, quiet: bool) -> None:
    """Compile the kernels if that was not done on this machine yet, and say so."""
    from headframe.engines import compiling

    if compiling.needs_compiling():
        if not quiet:
            say("compiling for this machine, once; this takes up to 20 seconds")
        compiling.compile_kernels()
    compiling.load_without_linear_algebra()


def _refuse_what_cannot_work(paths: list[str], indicators: list[Path], report: Path | None) -> None:
    """Find mistakes of the command line before an hour of scanning, not after it."""
    if paths.count(STANDARD_INPUT) > 1:
        fail("- (standard input) was given more than once; it can be read only once, so give it once", ExitCode.USAGE)
    if STANDARD_INPUT in paths and sys.stdin is not None and sys.stdin.isatty():
        fail(
            "- (standard input) is a terminal, not a capture; pipe one into it: tcpdump -w - | headframe scan -",
            ExitCode.USAGE,
        )
    for path in indicators:
        if not path.is_file():
            fail(f"{_shown(path)} is no file; --indicators takes a CSV, hosts or STIX 2.1 file", ExitCode.USAGE)
    if report is None:
        return
    if report.suffix.lower() not in (".html", ".htm"):
        fail(
            f"{_shown(report)} does not end in .html; --report writes HTML and would replace that file, "
            "so name it FILE.html",
            ExitCode.USAGE,
        )
    if report.is_dir():
        fail(f"{_shown(report)} is a folder; --report takes the name of a file to write", ExitCode.USAGE)
    if not report.parent.is_dir():
        fail(
            f"{_shown(report.parent)} is no folder, so {report.name} cannot be written there; "
            "create it, or choose another place for --report",
            ExitCode.USAGE,
        )


def _write_report(result: "ScanResult", path: Path, now_ns: int, *, quiet: bool) -> bool:
    from headframe.reports.html import write_html

    try:
        write_html(result, path, generated_ns=now_ns)
    except OSError as error:
        say(f"{_shown(path)} could not be written: {error.strerror}; the findings are on standard output")
        return False
    if not quiet:
        say(f"report written to {_shown(path)}")
    return True


def _write_findings(result: "ScanResult", output_format: Format, now_ns: int) -> None:
    out = sys.stdout
    try:
        if output_format is Format.TABLE:
            from headframe.reports.table import write_table

            write_table(result, out)
        else:
            out.writelines(_lines(result, output_format, now_ns))
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"standard output could not be written: {error.strerror}", ExitCode.NOT_WRITTEN)


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


def _shown(path: Path) -> str:
    from headframe.reports.words import visible

    return visible(str(path))
