"""The scan as a table for the terminal, with a short summary below: one row for each host and peer.

What timing tells has a row of its own: it counts blocks where others count shares.

On 160 columns and more each finding is one row; on fewer, neighbouring columns are stacked, so that 80
columns do. Where output goes to a file or a pipe, 160 columns are used; what programs read is ``--format jsonl``.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from headframe.records.finding import Finding, Role
from headframe.records.scan import Damage, InputSummary, ScanResult
from headframe.reports.console import console_on, is_plain
from headframe.reports.sightings import Sighting, draw_together, hosts_of_role
from headframe.reports.words import (
    ROLE_NAME,
    clock_time,
    count,
    duration,
    evidence_words,
    expected_count,
    interval,
    list_promise,
    odds,
    period,
    power_of_ten,
    pushes_in_time,
    remark_lines,
    size,
    visible,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_WIDE_COLUMNS = 160
_VERY_WIDE_COLUMNS = 220
"""On fewer columns, rows that do not fit break where their parts meet, not in the middle of an address."""
_PIPE_COLUMNS = 160
"""Where nobody says how wide the paper is: a finding is one row, and most editors and pagers show it whole."""
_ODDS_BELOW_LOG10_E = 15.0  # from there on the odds are the same power of ten once more
_MOST_DAMAGE_LINES = 10
_MOST_QUESTION_LINES = 10
_MOST_LOOKALIKE_LINES = 10
_NOTHING = "-"  # where the question does not arise

_ROLE_STYLE: dict[Role, str] = {
    Role.MINER: "bold red",
    Role.PROXY: "bold magenta",
    Role.POOL: "bold magenta",
    Role.NODE_CLIENT: "yellow",
    Role.PROBE: "yellow",
    Role.FOLLOWER: "cyan",
    Role.CONTACT: "cyan",
}


def write_table(
    result: ScanResult, stream: TextIO, *, width: int | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Write the findings as a table, then the summary.

    Colour appears only where `stream` is a terminal and ``NO_COLOR`` is not set to anything.

    Parameters
    ----------
    result : ScanResult
    stream : text stream
    width : int or None
        Columns to use; None is the terminal's width; where `stream` is no terminal ``COLUMNS``, else 160. [characters]
    environment : mapping or None
        For ``NO_COLOR``, ``TERM`` and ``COLUMNS``; None is the process's own.
    """
    with console_on(stream, width=width, pipe_columns=_PIPE_COLUMNS, environment=environment) as console:
        if result.findings:
            wide = console.width >= _WIDE_COLUMNS
            plain = is_plain(stream)
            sightings = _rows(draw_together(result.findings))
            table = _wide_table(sightings, plain=plain, gap=" ") if wide else _narrow_table(sightings, plain=plain)
            if wide and _natural_width(table, console) > console.width < _VERY_WIDE_COLUMNS:
                table = _wide_table(sightings, plain=plain, gap="\n")
            console.print(table)
        _write_summary(result, console)


def summary_lines(result: ScanResult) -> list[str]:
    """The scan in a few plain sentences: what was found, what was read, what was told apart, what was not readable.

    Parameters
    ----------
    result : ScanResult

    Returns
    -------
    list of str
        Without line ends.
    """
    lines = [_found(result), _read(result)]
    if result.lookalikes:
        lines.append(f"Told apart: {count(len(result.lookalikes), 'conversation')} that only looked like mining:")
        lines += [
            f"  {visible(like.host)} to {visible(like.peer)}: {visible(like.label)}"
            for like in result.lookalikes[:_MOST_LOOKALIKE_LINES]
        ]
        if (more := len(result.lookalikes) - _MOST_LOOKALIKE_LINES) > 0:
            lines.append(f"  and {more:,} more; --format json lists them all")
    lines += _too_little_lines(result)
    if promise := list_promise(result):
        lines.append(f"{promise[0].upper()}{promise[1:]}.")
    return lines + remark_lines(result.remarks) + damage_lines(result)


def _too_little_lines(result: ScanResult) -> list[str]:
    """How many questions are open, and those that concern the whole scan: these the reader can often answer."""
    if not result.insufficient:
        return []
    whole = [question for question in result.insufficient if not question.host]
    listed = [f"  {visible(question.missing)}" for question in whole[:_MOST_QUESTION_LINES]]
    head = f"Too little to tell: {count(len(result.insufficient), 'question')}"
    if len(listed) == len(result.insufficient):
        return [f"{head}:", *listed]
    return [f"{head}; --format json lists them.{' Of the whole scan:' if listed else ''}", *listed]


def damage_lines(result: ScanResult) -> list[str]:
    """What was not readable, by file and byte offset; empty where everything was.

    Parameters
    ----------
    result : ScanResult

    Returns
    -------
    list of str
        Without line ends.
    """
    unopened = [summary.damage[0] for summary in result.inputs if never_opened(summary)]
    lines = _unopened_lines(unopened)
    damage = [stretch for summary in result.inputs for stretch in summary.damage if not never_opened(summary)]
    if not damage:
        return lines
    passed_over = sum(stretch.length for stretch in damage)
    lost = sum(stretch.packets for stretch in damage)
    known = f", {count(lost, 'packet')} known lost" if lost else ""
    stretches = count(len(damage), "stretch", "stretches")
    lines.append(f"Not readable: {stretches}, {size(passed_over)}{known}; everything else was used:")
    lines += [
        f"  {_input_name(stretch.file)} at byte {stretch.offset:,}: {visible(stretch.reason)}, {stretch.length:,} bytes"
        for stretch in damage[:_MOST_DAMAGE_LINES]
    ]
    if (more := len(damage) - _MOST_DAMAGE_LINES) > 0:
        lines.append(f"  and {more:,} more; --format json lists them all")
    return lines


def never_opened(summary: InputSummary) -> bool:
    """Whether nothing at all could be had from an input: its one damage then has neither place nor length."""
    return (
        len(summary.damage) == 1
        and summary.packets == 0
        and summary.damage[0].offset == 0
        and summary.damage[0].length == 0
    )


def reason_without_name(damage: Damage) -> str:
    """The reason, without the file name in front of it: that stands beside it."""
    return damage.reason.removeprefix(f"{damage.file}: ")


def _unopened_lines(unopened: list[Damage]) -> list[str]:
    if not unopened:
        return []
    lines = [f"Not readable: {count(len(unopened), 'input')}, not a byte of which was used:"]
    lines += [
        f"  {_input_name(damage.file)}: {visible(reason_without_name(damage))}"
        for damage in unopened[:_MOST_DAMAGE_LINES]
    ]
    if (more := len(unopened) - _MOST_DAMAGE_LINES) > 0:
        lines.append(f"  and {more:,} more; --format json lists them all")
    return lines


def _input_name(name: str) -> str:
    return "standard input" if name == "-" else visible(name)


def _found(result: ScanResult) -> str:
    if not result.findings:
        if not any(summary.damage for summary in result.inputs):
            return "No mining found."
        return "No mining found in what could be read." if result.packets else "Nothing could be read: no answer."
    parts = [
        count(len(hosts), ROLE_NAME[role], ROLE_NAME[role].replace("proxy", "proxie") + "s")
        for role, hosts in hosts_of_role(draw_together(result.findings)).items()
    ]
    return f"Found: {', '.join(parts)} ({count(len(result.findings), 'finding')})."


def _read(result: ScanResult) -> str:
    read = (
        f"Read: {count(len(result.inputs), 'file')}, {size(result.bytes_read)}, {count(result.packets, 'packet')}, "
        f"{count(result.conversations, 'conversation')}"
    )
    if result.elapsed_s > 0:
        read += f" in {duration(round(result.elapsed_s * 1e9))}"
    return read + "."


def _write_summary(result: ScanResult, console: "Console") -> None:
    from rich.text import Text

    if result.findings:
        console.print()
    for line in summary_lines(result):
        style = "yellow" if line.startswith("Not readable") else ("bold" if line.startswith("Found") else "")
        console.print(Text(line, style=style), soft_wrap=True)


def _rows(sightings: list[Sighting]) -> list[Sighting]:
    """A row for each sighting, and one more where timing tells of it besides.

    It counts blocks and not shares, or it says of a miner that it follows a clock which no chain was compared with.
    """
    rows = []
    for sighting in sightings:
        timing = [finding for finding in sighting.findings if _apart(finding)]
        others = [finding for finding in sighting.findings if not _apart(finding)]
        if others:
            rows.append(Sighting(lead=others[0], others=tuple(others[1:])))
        rows += [Sighting(lead=finding) for finding in timing]
    return rows


def _apart(finding: Finding) -> bool:
    return finding.block_sync is not None or finding.role is Role.FOLLOWER


def _shares_heading(sightings: list[Sighting]) -> str:
    return "Shares or blocks" if any(sighting.lead.block_sync is not None for sighting in sightings) else "Shares"


def _new_table(*, plain: bool) -> "Table":
    from rich.box import SIMPLE_HEAD, Box
    from rich.table import Table

    # Rich's own substitute for terminals without Unicode draws a frame around every cell.
    box = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True) if plain else SIMPLE_HEAD
    return Table(box=box, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)


def _natural_width(table: "Table", console: "Console") -> int:
    """Columns that a table takes where nothing has to wrap."""
    from rich.measure import Measurement

    return Measurement.get(console, console.options.update_width(100_000), table).maximum


def _wide_table(sightings: list[Sighting], *, plain: bool, gap: str) -> "Table":
    table = _new_table(plain=plain)
    for name in ("Host", "Role", "Coin", "Pool / peer", "Protocol"):
        table.add_column(name, overflow="fold", no_wrap=name == "Role")
    for name in ("Hash rate (95 %)", _shares_heading(sightings), "Since and until (UTC)", "Evidence"):
        table.add_column(name, overflow="fold")
    for sighting in sightings:
        finding = sighting.lead
        table.add_row(
            _plain(finding.host),
            _role(finding.role),
            _plain(_coins(sighting)),
            _plain(*([sighting.pool, f"({finding.peer})"] if sighting.pool else [finding.peer]), gap=gap),
            _plain(finding.protocol),
            _plain(*_at_bracket(_hashrate(finding)), gap=gap),
            _plain(*_shares(finding), gap=gap),
            _plain(*period(finding.started_ns, finding.ended_ns).partition(" to ")[::2], gap=f"{gap}to "),
            _plain(*_evidence(sighting), gap=gap),
        )
    return table


def _narrow_table(sightings: list[Sighting], *, plain: bool) -> "Table":
    from rich.text import Text

    table = _new_table(plain=plain)
    table.padding = (0, 1, 0, 0)
    table.add_column("Host, role,\nevidence", overflow="fold", ratio=24)
    table.add_column("Coin, pool, peer,\nprotocol", overflow="fold", ratio=28)
    table.add_column(
        f"Hash rate (95 %), {_shares_heading(sightings).lower()},\nsince, until (UTC)", overflow="fold", ratio=26
    )
    table.expand = True
    for sighting in sightings:
        finding = sighting.lead
        who = Text(visible(finding.host))
        who.append("\n")
        who.append_text(_role(finding.role))
        families = sighting.log10_e_of_family
        who.append("".join(f"\n{power_of_ten(log10_e)} {family}" for family, log10_e in families.items()))
        if len(families) == 1 and finding.log10_e < _ODDS_BELOW_LOG10_E:
            who.append(f"\n{odds(finding.log10_e)}")
        where = [_coins(sighting), *([visible(sighting.pool)] if sighting.pool else []), visible(finding.peer)]
        where.append(visible(finding.protocol))
        what = [] if finding.block_sync else [_hashrate(finding)]
        what += [*_shares(finding), clock_time(finding.started_ns), clock_time(finding.ended_ns)]
        table.add_row(who, Text("\n".join(where)), Text("\n".join(what)))
        table.add_section()
    return table


def _plain(*parts: str, gap: str = " ") -> "Text":
    from rich.text import Text

    return Text(gap.join(map(visible, parts)))


def _at_bracket(text: str) -> list[str]:
    before, bracket, after = text.partition(" (")
    return [before, bracket.lstrip() + after] if bracket else [text]


def _role(role: Role) -> "Text":
    from rich.text import Text

    return Text(ROLE_NAME[role], style=_ROLE_STYLE[role])


def _coins(sighting: Sighting) -> str:
    # Of a follower it is not known whether there is any coin.
    unknown = _NOTHING if sighting.lead.role is Role.FOLLOWER else "coin unknown"
    return ", ".join(visible(coin, 12) for coin in sighting.coins[:4]) or unknown


def _evidence(sighting: Sighting) -> list[str]:
    """Evidence by family, in parts; the odds only where there is one family: they do not add up in one's head."""
    families = sighting.log10_e_of_family
    if len(families) == 1:
        return [*_at_bracket(evidence_words(sighting.lead.log10_e)), str(sighting.lead.family)]
    parts = [f"{power_of_ten(log10_e)} {family}," for family, log10_e in families.items()]
    return [*parts[:-1], parts[-1].removesuffix(",")]


def _hashrate(finding: Finding) -> str:
    if finding.hashrate_hs is None:
        return _NOTHING if finding.role is Role.FOLLOWER else "hash rate unknown"
    return interval(finding.hashrate_hs, "H/s")


def _shares(finding: Finding) -> list[str]:
    """Shares by the pool's answer; of a timing finding the blocks that a push followed, and what chance would show."""
    if finding.block_sync is not None:
        return [pushes_in_time(finding.block_sync), f"(by chance {expected_count(finding.block_sync.expected_hits)})"]
    shares = finding.shares
    named = (
        (shares.accepted, "accepted"),
        (shares.rejected, "rejected"),
        (shares.stale, "stale"),
        (shares.unanswered, "unanswered"),
    )
    nothing = _NOTHING if finding.role is Role.FOLLOWER else "no shares"
    return [", ".join(f"{number:,} {name}" for number, name in named if number) or nothing]
