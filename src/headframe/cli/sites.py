"""``headframe sites``: places under one responsibility, what makes mining there lawful, and whom to write to."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.workspace_options import (
    ActAs,
    Format,
    OutputFormat,
    TokenFile,
    Workspace,
    acting,
    opened,
    write_json,
    write_lines,
    write_rows,
)
from headframe.cli.zone import zone_of

if TYPE_CHECKING:
    from headframe.casework import Casework
    from headframe.casework.sites import ImportedRegistry, RegistryTables, SiteView
    from headframe.records.lawful import LawfulEntry

sites = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_MOST_LINES = 10
_COUNT_COLUMNS = {"table": "table", "kind": "kind", "rows": "number"}
_LAWFUL_COLUMNS = {
    "register": "register", "entry": "entry", "kind": "kind", "covers": "covers", "power_limit": "power limit",
    "valid_from": "valid from", "valid_until": "valid until", "now": "today", "proof": "proof", "source": "source",
}  # fmt: skip

Files = Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="Tables of sites: CSV, Parquet or GeoJSON.")]
Lawful = Annotated[
    list[Path] | None,
    typer.Option("--lawful", metavar="FILE", help="Register of lawful mining, or exemptions. May be repeated."),
]
Contacts = Annotated[
    list[Path] | None,
    typer.Option("--contacts", metavar="FILE", help="Desks that letters go to, by role. May be repeated."),
]
Zone = Annotated[
    str, typer.Option("--zone", metavar="ZONE", help="Of days, and of times without an offset: Asia/Shanghai.")
]
KeptZone = Annotated[
    str | None,
    typer.Option("--zone", metavar="ZONE", help="Of days; else that of the last import, or UTC."),
]
SiteId = Annotated[str, typer.Argument(metavar="SITE", help="Identifier of the site.")]


@sites.callback()
def _sites() -> None:
    """Keep the registry: sites, organisations, lawful mining, contacts. Nobody in it is a person.

    \b
    Example:
      headframe sites import sites.csv --lawful register.csv --contacts desks.csv
    """  # noqa: D301 - the backspace tells the help to keep these lines apart


@sites.command("check")
@politely
def check(
    files: Files = None,
    lawful: Lawful = None,
    contacts: Contacts = None,
    zone: Zone = "UTC",
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Read tables, and say what is in them, which rows cannot be used, and whether they have a place for people.

    Nothing is kept. Addresses of contacts go no further than the row that they stand in.

    \b
    Examples:
      headframe sites check sites.csv
      headframe sites check sites.geojson --lawful register.parquet \\
        --contacts desks.csv --zone Asia/Shanghai
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    _refuse_nothing(files, lawful, contacts)
    from headframe.casework.sites import forget, read_registry, strangers

    tables = read_registry(files or [], lawful or [], contacts or [], zone=zone_of(zone), seal=forget)
    # Without a table of sites there is nothing to hold the other tables against.
    remarks = list(tables.remarks)
    if files:
        remarks += strangers(tables)
    _tell(tables, remarks, output_format)
    raise SystemExit(int(ExitCode.DAMAGED if tables.damaged else ExitCode.OK))


@sites.command("import")
@politely
def import_files(
    files: Files = None,
    lawful: Lawful = None,
    contacts: Contacts = None,
    zone: KeptZone = None,
    whole_registers: Annotated[
        bool,
        typer.Option(
            "--whole-registers", help="The files are the whole of their registers: what they do not hold ends today."
        ),
    ] = False,
    whole_sites: Annotated[
        bool,
        typer.Option("--whole-sites", help="The files are the whole table of sites: what they do not hold ends."),
    ] = False,
    gone_since: Annotated[
        str | None,
        typer.Option(
            "--gone-since", metavar="TIME", help="When that ended; else now. An early day corrects what was never true."
        ),
    ] = None,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Import tables into the workspace: all of them or none. Addresses of contacts are sealed on the way.

    Sites, entries and contacts that are there already are replaced by their identifiers; what the tables do not hold
    any more stays valid, and is counted, unless they are said to be the whole. A table with a column that describes
    people is refused. Look at the tables first with headframe sites check.

    Findings that no case rests on are then resolved again: those without a site, and those whose address moved.

    \b
    Examples:
      headframe sites import sites.csv --as clerk --token-file clerk.token
      headframe sites import sites.csv --whole-sites --gone-since 2026-10-01
      headframe sites import --lawful register.csv --whole-registers \\
        --zone Asia/Irkutsk
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    _refuse_nothing(files, lawful, contacts)
    if zone is not None:
        zone_of(zone)
    if whole_sites and not files:
        fail("--whole-sites is about tables of sites, and none was given; name them, or leave it out", ExitCode.USAGE)
    if gone_since is not None and not whole_sites:
        fail("--gone-since says when what --whole-sites ends has ended; give both, or neither", ExitCode.USAGE)
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.accounts import require_duty
        from headframe.casework.sites import import_registry
        from headframe.records.case import Duty

        require_duty(account, Duty.SCREEN, "importing sites")
        place = _zone_here(casework, zone)
        if zone is None and casework.config.zone not in ("", "UTC"):
            say(f"days are read as those of {place}, as at the last import; --zone names another")
        done = import_registry(
            casework,
            account,
            files or [],
            lawful or [],
            contacts or [],
            zone=place,
            whole_registers=whole_registers,
            whole_sites=whole_sites,
            gone_since_ns=None if gone_since is None else _instant(gone_since, place),
        )
    _tell(
        done.tables,
        done.remarks,
        output_format,
        import_id=done.import_id,
        ended=done.ended,
        ended_sites=done.ended_sites,
        ended_assignments=done.ended_assignments,
        findings=None if done.findings is None else asdict(done.findings),
    )
    _tell_resolved(done)
    raise SystemExit(int(ExitCode.DAMAGED if done.tables.damaged else ExitCode.OK))


@sites.command("show")
@politely
def show(
    site_id: SiteId,
    zone: KeptZone = None,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """Show a site: what it is, what belongs to it and when, what is lawful there, and its desks without addresses.

    Days are those of the zone that the table was imported with, and the last day is within.

    Example: headframe sites show north-park --zone Asia/Shanghai
    """
    with opened(workspace) as casework:
        from headframe.casework.sites import view_site

        place = _zone_here(casework, zone)
        view, now_ns = view_site(casework, site_id), casework.now_ns()
    value = _site_json(view, place, now_ns)
    if output_format is Format.JSON:
        write_json(value)
    else:
        write_lines(_site_lines(value))


@sites.command("lawful")
@politely
def show_lawful(
    site_id: SiteId,
    zone: KeptZone = None,
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """List entries of registers of lawful mining that name a site, its organisation or its usage points.

    Whether they cover a case is looked up with the case, over the period of its findings: headframe case show CASE.

    Days are those of the zone that the table was imported with, and the last day is within.

    Example: headframe sites lawful north-park
    """
    with opened(workspace) as casework:
        from headframe.casework.sites import view_site

        place = _zone_here(casework, zone)
        view, now_ns = view_site(casework, site_id), casework.now_ns()
    rows = [_entry_json(entry, place, now_ns) for entry in view.lawful]
    registers = {name: _day(at_ns, place) for name, at_ns in view.registers}
    columns = {**_LAWFUL_COLUMNS, "valid_from": f"valid from ({place})", "valid_until": f"valid through ({place})"}
    write_rows(rows, columns, output_format, zone=str(place), registers=registers)
    if output_format is Format.TABLE:
        told = ", ".join(f"{name} as of {day}" for name, day in registers.items())
        say(
            f"registers: {told} ({place})"
            if told
            else "no register of lawful mining was imported: nothing could be looked up"
        )


@sites.command("address")
@politely
def show_address(
    contact_id: Annotated[str, typer.Argument(metavar="CONTACT", help="Of headframe sites show.")],
    site: Annotated[str, typer.Option("--site", metavar="SITE", help="The site that the desk is for.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is read; kept with the access.")],
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Print the sealed address of a desk. That it was read, by whom and why, is logged first.

    \b
    Example:
      headframe sites address north-park/legal/post --site north-park \\
        --reason "notice of HF-2026-000001"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.casework.sites import open_contact, view_site
        from headframe.reports.words import visible

        contacts = {contact.contact_id: contact for contact in view_site(casework, site).contacts}
        if contact_id not in contacts:
            known = ", ".join(sorted(contacts)) or "none"
            fail(f"site {site!a} has no contact {contact_id!a}; it has {known}", ExitCode.USAGE)
        address = open_contact(casework, account, contacts[contact_id], reason)
    write_lines([visible(line, 2_000) for line in address.splitlines()])


def _refuse_nothing(*lists: list[Path] | None) -> None:
    if not any(lists):
        fail("no file was given; name a table of sites, --lawful FILE or --contacts FILE", ExitCode.USAGE)


def _tell(tables: "RegistryTables", remarks: list[str], output_format: Format, **about: Any) -> None:
    """What is in tables, to standard output; what is wrong with them, to standard error, and in JSON."""
    from headframe.reports.words import count, visible

    rows = [{"table": table, "kind": kind, "rows": n} for table, kind, n in tables.counts()]
    damaged = [{"source": str(one.source), "reason": one.reason} for one in tables.damaged]
    write_rows(rows, _COUNT_COLUMNS, output_format, damaged=damaged, remarks=remarks, **about)
    for one in damaged[:_MOST_LINES]:
        say(f"{visible(one['source'])} could not be used: {visible(one['reason'])}")
    if (more := len(damaged) - _MOST_LINES) > 0:
        say(f"{more:,} more rows could not be used; --format json lists them all")
    for remark in remarks[:_MOST_LINES]:
        say(visible(remark))
    if (more := len(remarks) - _MOST_LINES) > 0:
        say(f"{more:,} more remarks; --format json lists them all")
    if about.get("ended"):
        say(f"{count(about['ended'], 'entry', 'entries')} of lawful mining that the registers do not hold any more end")


def _instant(text: str, zone: Any) -> int:
    from headframe.sources.registry.values import time_ns

    try:
        found = time_ns(text, zone)
    except ValueError as fault:
        fail(f"--gone-since {text!a}: {fault}", ExitCode.USAGE)
    if found is None:
        fail("--gone-since is empty; name a day or a time, as 2026-10-01", ExitCode.USAGE)
    return found


def _tell_resolved(done: "ImportedRegistry") -> None:
    from headframe.reports.words import count

    if done.ended_sites or done.ended_assignments:
        say(
            f"{count(done.ended_sites, 'site')} and {count(done.ended_assignments, 'assignment')} that the table does "
            "not hold any more end"
        )
    again = done.findings
    if again is None:
        return
    if again.looked_at:
        say(
            f"{count(again.looked_at, 'finding')} that no case rests on resolved again: {again.found:,} have a site "
            f"now, {again.moved:,} went to another site, {again.lost:,} have none any more"
        )
    if again.by_logs:
        say(
            f"{count(again.by_logs, 'finding')} without a site came with leases or NAT logs, which are not kept; "
            "import their files again, with the logs"
        )


def _zone_here(casework: "Casework", zone: str | None) -> Any:
    """The zone that was asked for, else that of the workspace's tables."""
    return zone_of(zone or casework.config.zone or "UTC")


def _day(at_ns: int | None, zone: Any, *, end: bool = False) -> str:
    """A day as a table has it, where an instant is midnight in the zone, else to the minute; empty where it is open.

    An end is exclusive, and the table's ``valid_until`` is the last day within.
    """
    if at_ns is None:
        return ""
    from datetime import UTC, datetime, timedelta

    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, tz=UTC).astimezone(zone)
    if at_ns % 1_000_000_000 or (moment.hour, moment.minute, moment.second) != (0, 0, 0):
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"{moment.date() - timedelta(days=end):%Y-%m-%d}"


def _utc(at_ns: int | None) -> str | None:
    from headframe.reports.words import instant

    return None if at_ns is None else instant(at_ns)


def _entry_json(entry: "LawfulEntry", zone: Any, now_ns: int) -> dict[str, Any]:
    from headframe.reports.words import si

    begun = entry.valid_from_ns is None or entry.valid_from_ns <= now_ns
    over = entry.valid_until_ns is not None and entry.valid_until_ns <= max(now_ns, entry.valid_from_ns or now_ns)
    covers = (("site", entry.site_id), ("organisation", entry.organisation_id), ("usage point", entry.usage_point))
    return {
        "register": entry.register,
        "entry": entry.entry_id,
        "kind": entry.kind.value,
        "covers": " and ".join(f"{what} {value}" for what, value in covers if value),
        "power_limit": "" if entry.power_limit_w is None else si(entry.power_limit_w, "W"),
        "power_limit_w": entry.power_limit_w,
        "valid_from": _day(entry.valid_from_ns, zone),
        "valid_until": _day(entry.valid_until_ns, zone, end=True),
        "valid_from_utc": _utc(entry.valid_from_ns),
        "valid_before_utc": _utc(entry.valid_until_ns),
        "now": "withdrawn" if over and not begun else "over" if over else "valid" if begun else "not begun",
        "scope": entry.scope,
        "proof": entry.proof,
        "source": str(entry.source),
    }


def _site_json(view: "SiteView", zone: Any, now_ns: int) -> dict[str, Any]:
    site = view.site
    return {
        "site": site.site_id,
        "name": site.name,
        "kind": site.kind.value,
        "organisation": site.organisation_id or "",
        "organisation_name": view.organisation_name,
        "region": site.region or "",
        "latitude": site.latitude,
        "longitude": site.longitude,
        "zone": str(zone),
        "valid_from": _day(site.valid_from_ns, zone),
        "valid_until": _day(site.valid_until_ns, zone, end=True),
        "valid_from_utc": _utc(site.valid_from_ns),
        "valid_before_utc": _utc(site.valid_until_ns),
        "source": str(site.source),
        "assignments": [
            {
                "kind": one.kind.value,
                "value": one.value,
                "realm": one.realm,
                "valid_from": _day(one.valid_from_ns, zone),
                "valid_until": _day(one.valid_until_ns, zone, end=True),
                "valid_from_utc": _utc(one.valid_from_ns),
                "valid_before_utc": _utc(one.valid_until_ns),
                "source": str(one.source),
            }
            for one in view.assignments
        ],
        "lawful": [_entry_json(entry, zone, now_ns) for entry in view.lawful],
        "registers": {name: _day(at_ns, zone) for name, at_ns in view.registers},
        "contacts": [
            {"contact": one.contact_id, "role": one.role.value, "channel": one.channel, "address": "sealed"}
            for one in view.contacts
        ],
    }


def _site_lines(value: dict[str, Any]) -> list[str]:
    from headframe.reports.words import visible

    def valid(one: dict[str, Any]) -> str:
        if not one["valid_from"] and not one["valid_until"]:
            return ""
        return f", {one['valid_from'] or 'open'} through {one['valid_until'] or 'open'}"

    organisation = value["organisation_name"] or value["organisation"]
    lines = [f"{value['site']}: {value['name']} ({value['kind'].replace('_', ' ')}{valid(value)})"]
    lines += [f"organisation: {organisation or 'not known'}", f"region: {value['region'] or 'not known'}"]
    if value["latitude"] is not None:
        lines.append(f"position: {value['latitude']:.5f}, {value['longitude']:.5f} (WGS 84)")
    lines.append(f"source: {value['source']}")
    for one in value["assignments"]:
        realm = f" in {one['realm']}" if one["realm"] else ""
        lines.append(f"{one['kind'].replace('_', ' ')}: {one['value']}{realm}{valid(one)} ({one['source']})")
    for one in value["lawful"]:
        limit = f", up to {one['power_limit']}" if one["power_limit"] else ""
        lines.append(
            f"lawful: {one['register']} {one['entry']}, {one['kind'].replace('_', ' ')} for {one['covers']}"
            f"{valid(one)}{limit}, {one['now']} ({one['source']})"
        )
    if not value["lawful"]:
        asked = ", ".join(f"{name} as of {day}" for name, day in value["registers"].items())
        lines.append(f"lawful: no entry ({asked or 'no register was imported'})")
    lines += [f"contact: {one['contact']}, {one['role']} by {one['channel']}, sealed" for one in value["contacts"]]
    lines.append(f"days: of {value['zone']}")
    return [visible(line, 1_000) for line in lines]
