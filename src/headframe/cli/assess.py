"""``headframe assess``: what all findings together say of each site."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.options import HtmlReport, Leases, LogYear, Quiet, RadiusLogs, TranslationLogs
from headframe.cli.polite import fail, politely, say, writing_output
from headframe.cli.report_file import refuse_report, write_report
from headframe.cli.zone import zone_of

if TYPE_CHECKING:
    from headframe.records.assessment import AssessmentResult

STANDARD_INPUT = "-"
_MOST_DAMAGE_LINES = 10


class Format(StrEnum):
    """Forms of the assessments on standard output."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Merge(StrEnum):
    """What is taken for independent, given innocence."""

    BY_SOURCE = "by-source"
    MEAN = "mean"
    PRODUCT = "product"


class Length(StrEnum):
    """How time is cut."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


@politely
def assess(
    findings: Annotated[
        list[str],
        typer.Argument(
            metavar="FINDINGS",
            help="What headframe scan --format json (or jsonl) wrote: files, folders, or - for standard input.",
        ),
    ],
    sites: Annotated[
        list[Path],
        typer.Option("--sites", metavar="FILE", help="Table of sites: CSV, Parquet or GeoJSON. May be repeated."),
    ],
    leases: Leases = None,
    nat: TranslationLogs = None,
    radius: RadiusLogs = None,
    period: Annotated[
        Length, typer.Option("--period", help="One assessment for each site and this long.")
    ] = Length.ALL,
    false_discovery_rate: Annotated[
        float,
        typer.Option(
            "--fdr",
            metavar="RATE",
            min=1e-9,
            max=0.5,
            help="Share of wrong entries that the list of sites may have on average.",
        ),
    ] = 0.05,
    merge: Annotated[
        Merge, typer.Option("--merge", help="What is multiplied as independent; the rest is averaged.")
    ] = Merge.BY_SOURCE,
    looks: Annotated[
        int | None,
        typer.Option(
            "--looks", metavar="N", min=1, help="Conversations that were read, for files that do not tell (JSON Lines)."
        ),
    ] = None,
    content_blind: Annotated[
        bool,
        typer.Option(
            "--content-blind", help="The scans ran so: content and endpoint could not answer. For JSON Lines."
        ),
    ] = False,
    realm: Annotated[
        str,
        typer.Option("--realm", metavar="NAME", help="Network of the capture, where private addresses are used twice."),
    ] = "",
    zone: Annotated[
        str,
        typer.Option("--zone", metavar="ZONE", help="Of midnights, and of times without an offset: Asia/Almaty."),
    ] = "UTC",
    year: LogYear = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="Form of the assessments on standard output.")
    ] = Format.TABLE,
    report: HtmlReport = None,
    fail_on_list: Annotated[
        bool, typer.Option("--fail-on-list", help="End with exit code 1 if any site is on the list.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Say what all findings together show of each site.

    One assessment for each site and period: which families of evidence support mining, contradict it or are missing,
    and whether the site is on the list at a stated false discovery rate. Findings whose site is not known stay apart.
    People decide: nothing is sent to anybody.

    \b
    Examples:
      headframe assess findings.json --sites sites.csv
      headframe assess findings/ --sites sites.csv --leases dhcpd.leases \\
        --period week
      headframe scan capture.pcap --format json | headframe assess - \\
        --sites sites.csv
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    if sys.stdout is None:
        fail("standard output is closed, so the assessments cannot be written; open it", ExitCode.NOT_WRITTEN)
    if findings.count(STANDARD_INPUT) > 1:
        fail("- (standard input) was given more than once; it can be read only once, so give it once", ExitCode.USAGE)
    if STANDARD_INPUT in findings and sys.stdin is not None and sys.stdin.isatty():
        fail(
            "- (standard input) is a terminal, not findings; pipe them into it: "
            "headframe scan capture.pcap --format json | headframe assess - --sites sites.csv",
            ExitCode.USAGE,
        )
    if report is not None:
        inputs = [*map(Path, findings), *sites, *(leases or []), *(nat or []), *(radius or [])]
        refuse_report(report, inputs)
    place = zone_of(zone)

    from headframe import assess as wiring
    from headframe.clock import now_ns

    result = wiring.assess(
        findings,
        wiring.RegistryFiles(
            sites=tuple(sites),
            leases=tuple(leases or ()),
            nat=tuple(nat or ()),
            radius=tuple(radius or ()),
            zone=place,
            year=year,
        ),
        wiring.AssessmentOptions(
            length=wiring.PeriodLength(period.value),
            zone=place,
            fdr=false_discovery_rate,
            rule=wiring.MergeRule(merge.value.replace("-", "_")),
            looks=looks,
            content_blind=content_blind,
            realm=realm,
        ),
        standard_input=None if sys.stdin is None else sys.stdin.buffer,
    )
    at_ns = now_ns()
    written = report is None or _write_report(result, report, at_ns, quiet=quiet)
    _write(result, output_format, at_ns)
    _tell_damage(result)
    if not quiet and output_format is not Format.TABLE:
        from headframe.reports.assessment import summary_lines

        for line in summary_lines(result):
            say(line)
    if fail_on_list and result.listed:
        raise SystemExit(int(ExitCode.FOUND))
    if not written:
        raise SystemExit(int(ExitCode.NOT_WRITTEN))
    raise SystemExit(int(ExitCode.DAMAGED if result.damaged else ExitCode.OK))


def _write_report(result: "AssessmentResult", path: Path, at_ns: int, *, quiet: bool) -> bool:
    from headframe.reports.assessment_html import write_assessment_html

    rest = "the assessments are on standard output"
    return write_report(lambda: write_assessment_html(result, path, generated_ns=at_ns), path, rest, quiet=quiet)


def _write(result: "AssessmentResult", output_format: Format, now_ns: int) -> None:
    with writing_output() as out:
        if output_format is Format.TABLE:
            from headframe.reports.assessment import write_table

            write_table(result, out)
        else:
            out.writelines(_lines(result, output_format, now_ns))


def _lines(result: "AssessmentResult", output_format: Format, now_ns: int) -> Iterable[str]:
    from headframe.reports import assessment as report

    if output_format is Format.JSON:
        return [report.assessment_json(result, generated_ns=now_ns)]
    return report.assessment_csv(result) if output_format is Format.CSV else report.assessment_lines(result)


def _tell_damage(result: "AssessmentResult") -> None:
    """Rows that were lost, even with ``--quiet``: they put "nothing found" in doubt."""
    from headframe.reports.words import visible

    for row in result.damaged[:_MOST_DAMAGE_LINES]:
        say(f"{visible(str(row.source))} could not be used: {visible(row.reason)}")
    if (more := len(result.damaged) - _MOST_DAMAGE_LINES) > 0:
        say(f"{more:,} more rows could not be used; --format json lists them all")
