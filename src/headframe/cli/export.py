"""``headframe export``: findings for other programs, and everything that the casework holds as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say, writing_output
from headframe.cli.workspace_options import ActAs, TokenFile, Workspace, acting, opened, refuse_closed_output

if TYPE_CHECKING:
    from headframe.cases.store import StoredFinding
    from headframe.casework import Casework

__all__ = ["export"]

export = typer.Typer(
    name="export",
    help="Findings for other programs, and everything that the casework holds as tables.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class FindingForm(StrEnum):
    """Forms of findings."""

    STIX = "stix"
    OCSF = "ocsf"
    CSV = "csv"
    PARQUET = "parquet"


class TableForm(StrEnum):
    """Forms of tables."""

    CSV = "csv"
    PARQUET = "parquet"


class Tlp(StrEnum):
    """Markings of the Traffic Light Protocol that STIX defines."""

    WHITE = "white"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Group(StrEnum):
    """What the funnel is grouped by."""

    PERIOD = "period"
    REGION = "region"
    SITE_KIND = "site-kind"
    COIN = "coin"
    DETECTOR = "detector"
    PACK = "pack"


class Period(StrEnum):
    """Lengths of a period."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    ALL = "all"


Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there; else to standard output.")
]
OneTable = Annotated[TableForm, typer.Option("--format", help="csv, or parquet (needs --output).")]


@export.command("findings")
@politely
def findings(
    form: Annotated[
        FindingForm,
        typer.Option("--format", help="stix and ocsf for others; csv and parquet as they are kept."),
    ] = FindingForm.STIX,
    output: Output = None,
    site: Annotated[str, typer.Option("--site", metavar="SITE", help="Of one site only.")] = "",
    case: Annotated[str, typer.Option("--case", metavar="CASE", help="Of one case only.")] = "",
    mining_only: Annotated[bool, typer.Option("--mining-only", help="Leave traces and contacts out.")] = False,
    tlp: Annotated[Tlp, typer.Option("--tlp", help="Marking of a STIX bundle.")] = Tlp.AMBER,
    reveal: Annotated[
        str,
        typer.Option(
            "--reveal",
            metavar="REASON",
            help="Give addresses and usage points as they are, for this reason; it is noted in the access log.",
        ),
    ] = "",
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Write findings as STIX 2.1, OCSF, CSV or Parquet.

    STIX and OCSF are for others: subjects are pseudonyms unless --reveal gives a reason, and parties (sites,
    organisations, contacts, decisions) are never in them. CSV and Parquet hold what the workspace holds, addresses and
    sites too, so they need an account and --reveal as well.

    \b
    Examples:
      headframe export findings --format stix --tlp green > bundle.json
      headframe export findings --format ocsf --mining-only > events.jsonl
      headframe export findings --format csv --reveal "audit 2026" --as mei \\
        --token-file mei.token > findings.csv
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    _refuse(form is FindingForm.PARQUET, output)
    outward = form in (FindingForm.STIX, FindingForm.OCSF)
    if not outward and not reveal.strip():
        fail(
            f"{form.value} holds addresses, usage points and sites as they are; say why with --reveal, or take stix or "
            "ocsf, which hold pseudonyms",
            ExitCode.USAGE,
        )
    if not reveal.strip():
        with opened(workspace) as casework:
            _write_findings(casework, form, output, tlp, _all_findings(casework, site, case, mining_only), reveal=False)
        return
    with acting(workspace, act_as, token_file) as (casework, account):
        _note(casework, account.name, f"export of findings as {form.value}", reveal.strip())
        _write_findings(casework, form, output, tlp, _all_findings(casework, site, case, mining_only), reveal=True)


@export.command("cases")
@politely
def cases(form: OneTable = TableForm.CSV, output: Output = None, workspace: Workspace = None) -> None:
    """Write one row for each case, as it stands.

    \b
    Example:
      headframe export cases --format parquet --output cases.parquet
    """  # noqa: D301
    _table("cases", form, output, workspace, _all_cases)


@export.command("events")
@politely
def events(form: OneTable = TableForm.CSV, output: Output = None, workspace: Workspace = None) -> None:
    """Write one row for each event of each case.

    \b
    Example:
      headframe export events > events.csv
    """  # noqa: D301
    _table("events", form, output, workspace, lambda casework: casework.store.all_events())


@export.command("clocks")
@politely
def clocks(form: OneTable = TableForm.CSV, output: Output = None, workspace: Workspace = None) -> None:
    """Write one row for each clock of each case, at this moment.

    \b
    Example:
      headframe export clocks > clocks.csv
    """  # noqa: D301
    _table("clocks", form, output, workspace, _all_clocks)


@export.command("register")
@politely
def register(form: OneTable = TableForm.CSV, output: Output = None, workspace: Workspace = None) -> None:
    """Write one row for each entry of the register of final decisions.

    \b
    Example:
      headframe export register > register.csv
    """  # noqa: D301
    _table("register", form, output, workspace, lambda casework: casework.register_entries(expired=True))


@export.command("funnel")
@politely
def funnel(
    by: Annotated[Group, typer.Option("--by", help="What a row is.")] = Group.PERIOD,
    period: Annotated[Period, typer.Option("--period", help="Length of a period.")] = Period.MONTH,
    min_cell: Annotated[int, typer.Option("--min-cell", min=1, max=100, help="Smaller counts are not shown.")] = 5,
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="In which weeks and months begin.")] = "UTC",
    form: OneTable = TableForm.CSV,
    output: Output = None,
    workspace: Workspace = None,
) -> None:
    """Write how many cases were screened, flagged, noticed, confirmed, dismissed and closed.

    Counts below --min-cell are left out, and so is what would give them away; what was left out is said.

    \b
    Examples:
      headframe export funnel --by region
      headframe export funnel --by period --period quarter --zone Asia/Shanghai
    """  # noqa: D301
    _refuse(form is TableForm.PARQUET, output)
    from headframe.cli.zone import zone_of
    from headframe.reports import funnel as counts
    from headframe.stores.database.queries import facts_of_cases

    with opened(workspace) as casework:
        whole = counts.funnel(
            facts_of_cases(casework.store), by=by.value.replace("-", "_"), period=period.value, zone=zone_of(zone)
        )
        table, dismissed = counts.shown(whole, min_cell)
        _put(form, output, "funnel", table.rows)
    if table.words:
        say(table.words)
    for detector, share, percent, interval in dismissed:
        say(f"dismissed, of decided cases that rest on {detector}: {share} {percent} {interval}".rstrip())


# How ------------------------------------------------------------------------------------------------------------------


def _refuse(needs_file: bool, output: Path | None) -> None:
    if output is None:
        refuse_closed_output()
        if needs_file:
            fail("parquet is no text; name a file with --output FILE.parquet", ExitCode.USAGE)
    elif output.is_dir() or not output.parent.is_dir():
        fail(f"{output} cannot be written: it is a folder, or its folder is not there", ExitCode.USAGE)


def _table(
    name: str,
    form: TableForm,
    output: Path | None,
    workspace: Path | None,
    things: Callable[[Casework], Iterable[Any]],
) -> None:
    _refuse(form is TableForm.PARQUET, output)
    with opened(workspace) as casework:
        _put(form, output, name, things(casework))


def _put(form: TableForm, output: Path | None, name: str, things: Iterable[Any]) -> None:
    from headframe.reports.case_tables import TABLES, csv_table, write_parquet

    if form is TableForm.PARQUET:
        assert output is not None
        _written(output, lambda: write_parquet(TABLES[name], things, output))
        return
    _write_lines(csv_table(TABLES[name], things), output)


def _write_findings(
    casework: Casework,
    form: FindingForm,
    output: Path | None,
    tlp: Tlp,
    found: Iterator[StoredFinding],
    *,
    reveal: bool,
) -> None:
    if form in (FindingForm.CSV, FindingForm.PARQUET):
        _put(TableForm(form.value), output, "findings", found)
        return
    now = casework.now_ns()
    pseudonym, is_a_partys = _pseudonyms(casework, now), _parties(casework)
    if form is FindingForm.OCSF:
        from headframe.reports.ocsf import ocsf_events, ocsf_lines

        told = ocsf_events(found, created_ns=now, pseudonym=pseudonym, is_a_partys=is_a_partys, reveal=reveal)
        _write_lines(ocsf_lines(told), output)
        return
    from headframe.reports.stix import stix_bundle, stix_json

    try:
        bundle = stix_bundle(found, pseudonym=pseudonym, is_a_partys=is_a_partys, reveal=reveal, tlp=tlp.value)
    except ValueError as fault:
        fail(str(fault), ExitCode.USAGE)
    _write_lines([stix_json(bundle)], output)


def _write_lines(lines: Iterable[str], output: Path | None) -> None:
    if output is None:
        with writing_output() as out:
            out.writelines(lines)
        return

    def write() -> None:
        partial = output.with_name(f".{output.name}.partial")
        try:
            with partial.open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
            partial.replace(output)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    _written(output, write)


def _written(output: Path, write: Callable[[], object]) -> None:
    from headframe.reports.words import visible

    try:
        write()
    except OSError as fault:
        fail(f"{visible(str(output))} could not be written: {fault.strerror or fault}", ExitCode.NOT_WRITTEN)
    say(f"written to {visible(str(output))}")


def _all_findings(casework: Casework, site: str, case: str, mining_only: bool) -> Iterator[StoredFinding]:
    from headframe.cases.store import FindingFilter

    return casework.findings_where(FindingFilter(site_id=site, case_id=case, mining_only=mining_only))


def _all_cases(casework: Casework) -> Iterator[Any]:
    from headframe.cases.store import CaseFilter

    return casework.cases_where(CaseFilter())


def _all_clocks(casework: Casework) -> Iterator[Any]:
    for row in _all_cases(casework):
        for clock in casework.clocks_of(casework.case(row.case_id)):
            yield row.case_id, clock


def _pseudonyms(casework: Casework, now_ns: int) -> Callable[[str], str]:
    """Pseudonyms of this epoch, under the workspace's keys."""
    from ipaddress import ip_address

    from headframe.stores.key_files import Keyring
    from headframe.stores.pseudonym_keys import PseudonymKeys

    keys = PseudonymKeys(Keyring(casework.paths.keys))

    def of(subject: str) -> str:
        try:
            ip_address(subject)
        except ValueError:
            return keys.pseudonym("usage_point", subject, now_ns)
        return keys.pseudonym("address", subject, now_ns)

    return of


def _parties(casework: Casework) -> Callable[[str], bool]:
    """Whether an address is some party's: assigned to a site at whatever time, or found to mine.

    A finding about a pool is not enough: most pools are outside, and they are what others look for.
    """
    from functools import cache

    from headframe.cases.store import FindingFilter
    from headframe.casework.stored_registry import assigned_addresses

    assigned = assigned_addresses(casework.store)

    @cache
    def of(address: str) -> bool:
        mines = FindingFilter(subject=address, mining_only=True)
        return assigned.covers(address) or bool(casework.store.findings(mines, limit=1).rows)

    return of


def _note(casework: Casework, account: str, what: str, reason: str) -> None:
    """Write into the access log that somebody took addresses out, before they go."""
    from headframe.stores.sealing import access_entry

    casework.note_access(access_entry(what, reason, account, casework.now_ns()))
