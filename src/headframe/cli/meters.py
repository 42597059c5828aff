"""``headframe meters``: which supply points carry a mining-like load, since when, and how many kW."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.compile import compile_if_needed
from headframe.cli.exit_codes import ExitCode
from headframe.cli.options import HtmlReport, Quiet, Weather
from headframe.cli.polite import fail, politely, say, writing_output
from headframe.cli.report_file import refuse_report, write_report
from headframe.cli.zone import zone_of

if TYPE_CHECKING:
    from headframe.records.meters import MetersResult

_MOST_DAMAGE_LINES = 10


class Format(StrEnum):
    """Forms of the rows on standard output."""

    TABLE = "table"
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"


@politely
def meters(
    readings: Annotated[
        list[Path],
        typer.Argument(
            metavar="READINGS",
            help="Interval readings: CSV, Parquet, Green Button or IEC 61968-9 XML, OBIS-coded CSV; files or folders.",
        ),
    ],
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="OURS=THEIRS,...",
            help="Our names for the file's columns: usage_point=meter,start=ts,energy_kwh=kwh "
            "(also energy_wh, power_w, power_kw, register_kwh, duration_s, flow, quality; wide=energy_kwh for a "
            "table with one column per meter). Common names are found without it.",
        ),
    ] = None,
    topology: Annotated[
        list[Path] | None,
        typer.Option(
            "--topology",
            metavar="FILE",
            help="Usage points with tariff class, transformer and meter class; transformers. May be repeated.",
        ),
    ] = None,
    weather: Weather = None,
    prices: Annotated[Path | None, typer.Option("--prices", metavar="FILE", help="Price of energy by hour.")] = None,
    sites: Annotated[
        list[Path] | None,
        typer.Option(
            "--sites", metavar="FILE", help="Table of sites, which names each usage point's. May be repeated."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="A row for every usage point, also the innocent and the insufficient.")
    ] = False,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            metavar="ZONE",
            help="Of days and hours, and of times without an offset: Asia/Almaty. UTC if not given.",
        ),
    ] = None,
    country: Annotated[
        str,
        typer.Option("--country", metavar="CC", help="ISO code, as in KZ: for public holidays and CO2 of electricity."),
    ] = "",
    period: Annotated[
        int | None,
        typer.Option(
            "--period", metavar="DAYS", min=7, max=3660, help="One row per usage point and so many days, not over all."
        ),
    ] = None,
    false_discovery_rate: Annotated[
        float,
        typer.Option(
            "--fdr", metavar="RATE", min=1e-9, max=0.5, help="Share of wrong entries that the list may have on average."
        ),
    ] = 0.05,
    lake: Annotated[
        Path | None,
        typer.Option("--lake", metavar="DIR", help="Keep the imported readings there, and use what is there already."),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="Form of the rows on standard output.")
    ] = Format.TABLE,
    report: HtmlReport = None,
    fail_on_list: Annotated[
        bool, typer.Option("--fail-on-list", help="End with exit code 1 if any usage point is on the list.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", min=1, max=64, help="Default: one for each processor.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Find mining-like loads in the interval readings of meters.

    Ranks usage points by one score and cuts a list at a stated false discovery rate; says of each entry since when,
    how many kW, how it runs, and what else it could be. Without --all: the list, and what is worth a look.
    People decide: nothing is sent to anybody.

    \b
    Examples:
      headframe meters readings.csv --report report.html
      headframe meters readings.parquet \\
        --columns usage_point=meter,start=ts,energy_kwh=kwh --all \\
        --format jsonl
      headframe meters readings/ --topology points.csv --weather weather.csv \\
        --zone Europe/London --period 56
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    if sys.stdout is None:
        fail("standard output is closed, so the rows cannot be written; open it", ExitCode.NOT_WRITTEN)
    if report is not None:
        beside = [path for path in (weather, prices) if path is not None]
        refuse_report(report, [*readings, *(topology or []), *(sites or []), *beside])
    place = None if zone is None else zone_of(zone)

    compile_if_needed(quiet=quiet)

    from headframe import meters as wiring
    from headframe.clock import now_ns

    result = wiring.screen(
        wiring.MeterFiles(
            readings=tuple(readings),
            columns=columns,
            topology=tuple(topology or ()),
            weather=weather,
            prices=prices,
            sites=tuple(sites or ()),
            zone=place,
            zone_name=zone or "UTC",
            lake=lake,
            country=country,
        ),
        period_days=period,
        fdr=false_discovery_rate,
        threads=threads,
        talk=(lambda line: None) if quiet else say,
    )
    at_ns = now_ns()
    written = report is None or _write_report(result, report, at_ns, everything=everything, quiet=quiet)
    _write(result, output_format, at_ns, everything=everything)
    _tell_damage(result)
    if lake is not None and not quiet:
        from headframe.casework.workspace import is_own_lake
        from headframe.reports.words import visible

        if not is_own_lake(lake):
            say(
                f"the readings stay in {visible(str(lake))} until somebody destroys them: retention is for lake/ of a "
                "workspace, or for the lake that headframe retention run --lake names"
            )
    if not quiet and output_format is not Format.TABLE:
        from headframe.reports.meters import summary_lines

        for line in summary_lines(result):
            say(line)
    if fail_on_list and result.listed:
        raise SystemExit(int(ExitCode.FOUND))
    if not written:
        raise SystemExit(int(ExitCode.NOT_WRITTEN))
    raise SystemExit(int(ExitCode.DAMAGED if result.damaged else ExitCode.OK))


def _write_report(result: "MetersResult", path: Path, at_ns: int, *, everything: bool, quiet: bool) -> bool:
    from headframe.reports.meters_html import write_meters_html

    return write_report(
        lambda: write_meters_html(result, path, generated_ns=at_ns, everything=everything),
        path,
        "the rows are on standard output",
        quiet=quiet,
    )


def _write(result: "MetersResult", output_format: Format, now_ns: int, *, everything: bool) -> None:
    with writing_output() as out:
        if output_format is Format.TABLE:
            from headframe.reports.meters import write_table

            write_table(result, out, everything=everything)
        else:
            out.writelines(_lines(result, output_format, now_ns, everything=everything))


def _lines(result: "MetersResult", output_format: Format, now_ns: int, *, everything: bool) -> Iterable[str]:
    from headframe.reports import meters as report

    if output_format is Format.JSON:
        return [report.meters_json(result, everything=everything, generated_ns=now_ns)]
    lines = report.meters_csv if output_format is Format.CSV else report.meters_lines
    return lines(result, everything=everything)


def _tell_damage(result: "MetersResult") -> None:
    """Rows that were lost, even with ``--quiet``: they put "nothing found" in doubt."""
    from headframe.reports.meters import account_words
    from headframe.reports.words import visible

    for account in result.damaged[:_MOST_DAMAGE_LINES]:
        say(visible(account_words(account), 1_000))
    if (more := len(result.damaged) - _MOST_DAMAGE_LINES) > 0:
        say(f"{more:,} more files have rows that could not be used; --format json lists them all")
