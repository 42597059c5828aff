"""Usage points in plain sentences, as a ranked table, and as the documents that programs read.

A row never says that anybody mines. It says that a load looks so, how rare that is among comparable points, what else
it could be, and how many entries of such a list are wrong on average.
"""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from statistics import fmean
from typing import TYPE_CHECKING, Any, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headframe import __version__
from headframe.records.finding import Interval
from headframe.records.load_finding import (
    Consequences,
    CounterHypothesis,
    LoadDrawing,
    LoadEstimate,
    LoadFinding,
    Mode,
    Onset,
    SheetLine,
    Standing,
    UsagePointResult,
)
from headframe.records.meters import MetersResult
from headframe.records.reading import ReadingAccount
from headframe.reports.console import console_on, is_plain
from headframe.reports.csv_rows import csv_number, csv_text
from headframe.reports.document import number, text
from headframe.reports.words import (
    NS_PER_S,
    count,
    instant,
    interval,
    power_of_ten,
    remark_lines,
    si,
    visible,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SCHEMA_VERSION = "1.1"
"""Version of the usage point document, ``major.minor``, as for findings."""
MOST_COURSE_VALUES = 90
"""Of each line of a usage point's course: five lines of so many values take less than 4 kB."""
MOST_MONTHS = 30
"""Of a balance, the last ones: so many take less than 4 kB."""
PEOPLE_DECIDE = (
    "People decide: this is a proposal of what to inspect. A load's shape is no proof of mining. Look up first whether "
    "it is allowed there, hear the party concerned, and measure before anything is written."
)
"""Stands on every output."""
CANNOT_SEE = (
    "A load that ran before the data began and is small beside its site: nothing in the readings tells it from a "
    "server room, a cold store or a ventilation that never stops.",
    "A load that passes no meter, unless the transformer has a meter of its own and --topology names its points.",
    "Machines that share a site with a load which is far larger and less regular than they are.",
    "What runs only for some hours now and then, and what follows the site's own rhythm on purpose.",
    "Readings longer than an hour: night and day, and off hours, cannot be told apart in daily or monthly energy.",
    "What the machines are. Lawful computing (servers, training of models, rendering) draws power as mining does; only "
    "an inspection or network evidence tells them apart.",
    "Who uses a supply point. A usage point is a place in a grid; nobody behind it is known here.",
)
"""What no row of this command can show, whatever its score."""

MODE_WORDS: Mapping[Mode, str] = {
    Mode.ALWAYS_ON: "day and night",
    Mode.STEP: "day and night",
    Mode.STAGED: "in several steps",
    Mode.CURTAILED: "off at the evening peak",
    Mode.PRICE_FOLLOWING: "off where the price is high",
    Mode.NIGHT_ONLY: "at night only",
    Mode.OFF_HOURS: "outside working hours",
    Mode.UNMETERED: "past the meters",
    Mode.UNKNOWN: "not clear",
}
"""Each mode in words; since when stands beside it."""
MODE_BRIEFLY: Mapping[Mode, str] = {
    Mode.ALWAYS_ON: "day and night",
    Mode.STEP: "day and night",
    Mode.STAGED: "in steps",
    Mode.CURTAILED: "not at the evening peak",
    Mode.PRICE_FOLLOWING: "while energy is cheap",
    Mode.NIGHT_ONLY: "at night",
    Mode.OFF_HOURS: "outside working hours",
    Mode.UNMETERED: "past the meters",
    Mode.UNKNOWN: "not clear",
}
"""The same where there is little room; since when stands beside it."""
COUNTER_WORDS: Mapping[str, str] = {
    "ev": "EV charging",
    "pv": "PV",
}
"""Names of counter-hypotheses that are not simply their words."""

_WIDE = 120  # columns where nobody says how wide the paper is
_MOST_SENTENCES = 200  # of usage points in full sentences, in the table
_MOST_ROWS = 2_000
_MOST_SEEN = 340  # name and what was seen, in the table: three lines of 120 [characters]
_SMALLEST_P = 1e-12  # no model of a load or a meter is so exact that a smaller one means anything
_WHOLE = re.compile(r"[.!?](?= [A-Z])")


# In sentences --------------------------------------------------------------------------------------------------------


def sentences(row: UsagePointResult, *, zone: str = "UTC") -> list[str]:
    """A row in plain sentences.

    Parameters
    ----------
    row : UsagePointResult
    zone : str
        IANA name of the zone in which days are told.

    Returns
    -------
    list of str
        Without control characters, whatever the identifiers hold.
    """
    said = [f"{usage_point_words(row)}: {_stopped(visible(row.explanation, 2_000))}"]
    if row.estimate is not None:
        said.append(estimate_words(row.estimate, zone=zone))
    if math.isfinite(row.p_value):
        said.append(_rarity(row))
    said += _counter_sentences(row.counter_hypotheses)
    against = list(dict.fromkeys(line for found in row.findings for line in found.contradictions))
    if against:
        said.append(f"To be weighed: {' '.join(_stopped(visible(line)) for line in against)}")
    if row.consequences is not None:
        said += consequence_words(row.consequences)
    if row.site_note:
        said.append(_stopped(f"Site: {visible(row.site_note, 300)}"))
    if row.insufficient:
        said.append(_lacking(row))
    return said


def brief_sentences(row: UsagePointResult, *, zone: str = "UTC") -> list[str]:
    """What of a row is needed first: what was seen, how much it is, how rare, and what else it could be.

    Parameters
    ----------
    row : UsagePointResult
    zone : str
        As for `sentences`.

    Returns
    -------
    list of str
        At most some eight lines of 120 characters, without control characters. `sentences` tells all.
    """
    name = usage_point_words(row)
    said = [f"{name}: {_stopped(_beginning(visible(row.explanation, 2_000), _MOST_SEEN - len(name)))}"]
    if row.estimate is not None:
        said.append(estimate_words(row.estimate, zone=zone))
    if math.isfinite(row.p_value):
        said.append(_rarity(row))
    if row.counter_hypotheses:
        could = could_also_be(row.counter_hypotheses)
        excluded = _names(row.counter_hypotheses, Standing.EXCLUDED)
        said.append(f"Could also be: {could}" + (f". Excluded: {', '.join(excluded)}." if excluded else "."))
    return said


def _beginning(explanation: str, most: int) -> str:
    """As many whole sentences as there is room for."""
    if len(explanation) <= most:
        return explanation
    ends = [found.end() for found in _WHOLE.finditer(explanation) if found.end() <= most]
    return explanation[: ends[-1]] if ends else f"{explanation[:most].rstrip(' .')}..."


def usage_point_words(row: UsagePointResult) -> str:
    """The usage point, with its site where that is known."""
    name = visible(row.usage_point, 80)
    if row.site_id and row.site_id != row.usage_point:
        return f"{name} at {visible(row.site_name or row.site_id, 80)}"
    return name


def estimate_words(estimate: LoadEstimate, *, zone: str = "UTC") -> str:
    """What the load amounts to, in one sentence."""
    share = f", {_percent(estimate.share)} {of_whose_energy(estimate)}" if math.isfinite(estimate.share) else ""
    runs = f", running {_percent(estimate.duty)} of the time" if math.isfinite(estimate.duty) else ""
    return (
        f"If it is mining: {interval(estimate.power_w, 'W')}{share}{runs}; {MODE_WORDS[estimate.mode]}; "
        f"{onset_words(estimate.onset, zone=zone)}; {interval(estimate.energy_wh, 'Wh')} in all."
    )


def of_whose_energy(estimate: LoadEstimate) -> str:
    """What the share is of: what no meter shows is a share of what the transformer's head meter shows."""
    return "of the transformer's energy" if estimate.mode is Mode.UNMETERED else "of the site's energy"


def local_day(time_ns: int, zone: str) -> str:
    """The day on which an instant falls in a zone; in UTC where the zone is not known.

    Examples
    --------
    >>> local_day(1_781_193_600_000_000_000, "Asia/Shanghai"), local_day(1_781_193_600_000_000_000, "UTC")
    ('2026-06-12', '2026-06-11')
    """
    try:
        known: tzinfo = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        known = UTC
    return datetime.fromtimestamp(time_ns // NS_PER_S, known).date().isoformat()


def days_words(started_ns: int, ended_ns: int, zone: str) -> str:
    """The first day of a period and its last; the end is exclusive, and no day of the period where it is midnight.

    Examples
    --------
    >>> days_words(1_781_193_600_000_000_000, 1_781_366_400_000_000_000, "Asia/Shanghai")
    '2026-06-12 to 2026-06-13'
    """
    first, last = local_day(started_ns, zone), local_day(max(ended_ns - 1, started_ns), zone)
    return first if first == last else f"{first} to {last}"


def onset_words(onset: Onset | None, *, zone: str = "UTC") -> str:
    """Since when: a day, and the days between which it lies."""
    if onset is None:
        return "since before the data began"
    low, middle, high = (local_day(at, zone) for at in (onset.earliest_ns, onset.estimate_ns, onset.latest_ns))
    return f"since {middle}" if low == high == middle else f"since {middle} ({low} to {high})"


def _rarity(row: UsagePointResult) -> str:
    p = p_words(row.p_value)
    among = f"among {count(row.peers, 'comparable point')}" if row.peers else "by the accuracy of the meters"
    of_meters = any(found.peers == 0 and found.p_value <= row.p_value for found in row.findings)
    chance = p if p.startswith("below") else f"of {p}"
    if row.peers and of_meters:
        among = f"by the accuracy of the meters, beside {count(row.peers, 'comparable point')}"
    elif row.peers and row.p_value < 1 / (row.peers + 1):
        # A rank cannot be so small: what the reference's few buildings do is continued by a model.
        among = f"by the modelled tail of the reference; {count(row.peers, 'comparable point')}"
    listed = (
        f"On the list from a rate of {_rate(row.adjusted_rate)} on."
        if row.listed
        else f"Not on the list; it would be from {_rate(row.adjusted_rate)} on."
    )
    if row.p_value >= 1.0:
        return f"It does not stand out {among}. {listed}"
    strength = f"; evidence {power_of_ten(row.log10_e)}" if row.log10_e > 0 else ""
    return f"An innocent point looks so with a chance {chance} ({among}){strength}. {listed}"


def p_words(p_value: float) -> str:
    """A p-value with two digits; a dash where there is none.

    Examples
    --------
    >>> p_words(0.00041), p_words(1e-299), p_words(math.nan)
    ('0.00041', 'below 1e-12', '-')
    """
    if not math.isfinite(p_value):
        return "-"
    return f"{p_value:.2g}" if p_value >= _SMALLEST_P else f"below {_SMALLEST_P:.0e}"


def could_also_be(hypotheses: Sequence[CounterHypothesis]) -> str:
    """Names of the explanations that are left, the untested marked as such; a dash where there are none at all."""
    left = _names(hypotheses, Standing.POSSIBLE)
    left += [f"{name} (not tested)" for name in _names(hypotheses, Standing.UNTESTED)]
    return ", ".join(left) or ("none of those tested" if hypotheses else "-")


def _names(hypotheses: Sequence[CounterHypothesis], standing: Standing) -> list[str]:
    return [counter_name(one.name) for one in hypotheses if one.standing is standing]


def _counter_sentences(hypotheses: Sequence[CounterHypothesis]) -> list[str]:
    said = []
    for standing, opening in (
        (Standing.POSSIBLE, "It could also be"),
        (Standing.EXCLUDED, "Excluded"),
        (Standing.UNTESTED, "Not tested"),
    ):
        parts = [
            f"{counter_name(one.name)} ({visible(one.text, 300).rstrip('.')})"
            for one in hypotheses
            if one.standing is standing
        ]
        if parts:
            said.append(f"{opening}: {'; '.join(parts)}.")
    return said


def counter_name(name: str) -> str:
    """A counter-hypothesis in words."""
    return COUNTER_WORDS.get(name, visible(name, 60).replace("_", " "))


def consequence_words(consequences: Consequences) -> list[str]:
    """Cost, CO2, machines and hash rate, each with where it comes from."""
    said = []
    for name, sheet in (("Cost", consequences.cost), ("CO2", consequences.co2)):
        said += [("" if line.label.startswith(name) else f"{name}: ") + sheet_line_words(line) for line in sheet]
    if consequences.machines is not None:
        fewest, most = consequences.machines
        machines = count(most, "machine") if fewest == most else f"{fewest:,} to {most:,} machines"
        rate = (
            ""
            if consequences.hashrate_hs is None
            else f", {interval(consequences.hashrate_hs, 'H/s')} if they are SHA-256 machines"
        )
        said.append(f"As much as {machines} of known models would draw{rate}.")
    return said


def sheet_line_words(line: SheetLine) -> str:
    """``label: 1,200 kWh x 0.21 EUR/kWh = 252 EUR (source)``."""
    return (
        f"{visible(line.label, 120)}: {amount(line.quantity)} {visible(line.unit, 20)} x {amount(line.rate)} "
        f"{visible(line.rate_unit, 30)} = {amount(line.result)} {visible(line.result_unit, 20)} "
        f"({visible(line.source, 200)})."
    )


def amount(value: float) -> str:
    """A number of a calculation, with as many digits as it deserves.

    Examples
    --------
    >>> amount(12345.678), amount(0.2134), amount(31.5)
    ('12,346', '0.2134', '31.5')
    """
    if not math.isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _lacking(row: UsagePointResult) -> str:
    by_reason: dict[str, list[str]] = {}
    for one in row.insufficient:
        by_reason.setdefault(visible(one.missing, 300).rstrip("."), []).append(visible(one.detector, 40))
    parts = [f"{', '.join(detectors)} ({why})" for why, detectors in by_reason.items()]
    return f"Could not answer: {'; '.join(parts)}."


def _percent(part: float) -> str:
    return f"{part * 100:.2g} %" if part < 0.995 else "100 %"


def _rate(rate: float) -> str:
    # Rounded up: below the figure given it would not be on the list.
    if not rate < 1.0:
        return "100 %"
    percent = rate * 100
    if percent < 0.01:
        return "less than 0.01 %"
    step = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{math.ceil(percent / step - 1e-9) * step:.2g} %"


def _stopped(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def expected_words(expected: float) -> str:
    """A mean number of entries: ``about 0.4``, ``about 30``, ``fewer than 0.1``."""
    if not math.isfinite(expected):
        return "an unknown number"
    if 0 < expected < 0.1 - 1e-9:
        return "fewer than 0.1"
    return f"about {expected:.1f}" if expected < 10 else f"about {expected:,.0f}"


def list_words(result: MetersResult) -> str:
    """The promise of the list, with the expected number of wrong entries."""
    listed = len(result.listed)
    if not result.answered:
        return f"No entry on the list at a false discovery rate of {result.fdr * 100:g} %: no row has an answer."
    if not listed:
        return (
            f"No entry on the list at a false discovery rate of {result.fdr * 100:g} % ({result.method} over "
            f"{count(result.answered, 'row')})."
        )
    entries = count(listed, "entry", "entries")
    return (
        f"{entries} on the list at a false discovery rate of {result.fdr * 100:g} % ({result.method} over "
        f"{count(result.answered, 'row')}): expect {expected_words(result.expected_wrong)} of them to be wrong."
    )


def look_words(result: MetersResult) -> str:
    """How many more stand out, and how many would by chance."""
    if not result.answered:
        return "No row worth a look: none has an answer."
    more = count(len(result.worth_a_look), "more row").capitalize()
    chance = expected_words(result.expected_by_chance)
    return (
        f"{more} worth a look (p-value of {result.look_p:.2g} or less); by chance alone {chance} of "
        f"{count(result.answered, 'row')} would stand out so."
    )


def summary_lines(result: MetersResult) -> list[str]:
    """The result in a few sentences: the list, what it promises, what was read, what was lost.

    Parameters
    ----------
    result : MetersResult

    Returns
    -------
    list of str
        Without line ends.
    """
    points = len({row.usage_point for row in result.rows})
    silent = len(result.rows) - result.answered
    lines = [list_words(result), look_words(result)]
    span = ""
    if result.rows:
        first, last = min(row.started_ns for row in result.rows), max(row.ended_ns for row in result.rows)
        span = f", {days_words(first, last, result.zone)}"
    cut = f" in periods of {result.period_days} days" if result.period_days else ""
    lines.append(
        f"Read: {count(result.readings, 'reading')} of {count(points, 'usage point')}{cut}{span}; "
        f"{count(silent, 'row')} without an answer. Days are those of {visible(result.zone, 60)}."
    )
    lines += [visible(account_words(account), 600) for account in result.accounts if account.problems]
    lines += [f"Not asked: {visible(line)}" for line in result.not_tested]
    lines += [f"Assumed: {visible(line)}" for line in result.assumptions]
    remarks = list(dict.fromkeys([*result.remarks, *(line for one in result.accounts for line in one.remarks)]))
    return lines + remark_lines(remarks)


def account_words(account: ReadingAccount) -> str:
    """What of a file could not be understood, with the first rows of each reason."""
    parts = []
    for reason, rows, examples in account.problems:
        where = ", ".join(str(source.row) for source in examples[:3])
        parts.append(f"{count(rows, 'row')}: {reason}" + (f" (row {where})" if where else ""))
    return f"{account.file}: {account.kept:,} of {account.rows:,} rows were used; {'; '.join(parts)}"


# As a table ----------------------------------------------------------------------------------------------------------


def shown_rows(result: MetersResult, *, everything: bool) -> list[UsagePointResult]:
    """The list and what is worth a look; or all rows."""
    if everything:
        return list(result.rows)
    return [row for row in result.rows if row.listed or row.worth_a_look]


def write_table(
    result: MetersResult,
    stream: TextIO,
    *,
    everything: bool = False,
    width: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Write the ranked list as a table, with sentences about each entry, and what the list promises.

    Colour appears only where `stream` is a terminal and ``NO_COLOR`` is not set to anything.

    Parameters
    ----------
    result : MetersResult
    stream : text stream
    everything : bool
        Also the rows that do not stand out.
    width : int or None
        Columns; None is the terminal's width, or where `stream` is no terminal ``COLUMNS``, else 120. [characters]
    environment : mapping or None
        For ``NO_COLOR``, ``TERM`` and ``COLUMNS``; None is the process's own.
    """
    with console_on(stream, width=width, pipe_columns=_WIDE, environment=environment) as console:
        _write_all(result, console, everything=everything, plain=is_plain(stream))


def _write_all(result: MetersResult, console: "Console", *, everything: bool, plain: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    def write(line: str, style: str = "", indent: int = 0) -> None:
        console.print(Padding(Text(line, style=style), (0, 0, 0, indent)))

    rows = shown_rows(result, everything=everything)
    if rows:
        # How often such a list is wrong is read before the list is.
        write(list_words(result), "bold")
        write(look_words(result))
        console.print()
        ranks = [rank for rank, row in enumerate(result.rows, 1) if everything or row.listed or row.worth_a_look]
        console.print(
            _table(
                ranks[:_MOST_ROWS],
                rows[:_MOST_ROWS],
                periods=result.period_days is not None,
                zone=result.zone,
                plain=plain,
            )
        )
        if (more := len(rows) - _MOST_ROWS) > 0:
            write(f"and {more:,} more; --format csv or jsonl gives them all")
        console.print()
    told = [row for row in rows if row.listed or row.worth_a_look]
    for row in told[:_MOST_SENTENCES]:
        first, *others = brief_sentences(row, zone=result.zone)
        write(first, "bold" if row.listed else "")
        for line in others:
            write(line, indent=2)
        console.print()
    if (more := len(told) - _MOST_SENTENCES) > 0:
        write(f"and {more:,} more in the table above; --format json tells of each")
        console.print()
    if told:
        write("Figures of each test, cost, CO2 and machines: --format json, or the report that --report writes.")
    for line in summary_lines(result):
        write(line)
    write("What this cannot see: docs/meters.md, and the report that --report writes.")
    write(PEOPLE_DECIDE, "bold")


def _table(ranks: Sequence[int], rows: Sequence[UsagePointResult], *, periods: bool, zone: str, plain: bool) -> "Table":
    from rich.box import SIMPLE_HEAD, Box
    from rich.table import Table

    box = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True) if plain else SIMPLE_HEAD
    table = Table(box=box, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    names = ("#", "Usage point", *(("From",) if periods else ()), "On the list", "Score", "p-value", "Power", "Since")
    for name in (*names, "Runs", "Could also be"):
        table.add_column(name, overflow="fold", justify="right" if name in ("#", "Score", "p-value") else "left")
    for rank, row in zip(ranks, rows, strict=True):
        table.add_row(str(rank), *cells(row, periods=periods, zone=zone))
    return table


def cells(row: UsagePointResult, *, periods: bool, zone: str = "UTC") -> list[str]:
    """A row's cells in the ranked table, from the usage point on."""
    since = "-"
    if row.estimate is not None:
        since = "before" if row.estimate.onset is None else local_day(row.estimate.onset.estimate_ns, zone)
    return [
        usage_point_words(row),
        *([local_day(row.started_ns, zone)] if periods else []),
        standing_words(row),
        score_words(row.score),
        p_words(row.p_value),
        si(row.estimate.power_w.estimate, "W") if row.estimate is not None else "-",
        since,
        MODE_BRIEFLY[row.estimate.mode] if row.estimate is not None else "-",
        could_also_be(row.counter_hypotheses),
    ]


def standing_words(row: UsagePointResult) -> str:
    """Whether it is on the list, and from which rate on."""
    if row.listed:
        return f"yes ({_rate(row.adjusted_rate)})"
    if not math.isfinite(row.score):
        return "no answer"
    return "worth a look" if row.worth_a_look else "no"


def score_words(score: float) -> str:
    """The score to two decimals; a dash where there is none."""
    return f"{score:.2f}" if math.isfinite(score) else "-"


# As documents --------------------------------------------------------------------------------------------------------


def usage_point_document(row: UsagePointResult, *, fdr: float, zone: str = "UTC") -> dict[str, Any]:
    """One row as a dictionary of plain values; ``docs/schema-usage-point.json`` names the keys.

    Parameters
    ----------
    row : UsagePointResult
    fdr : float
        The rate that the list was cut at.
    zone : str
        IANA name of the zone whose days the sentences tell; instants are UTC.

    Returns
    -------
    dict
    """
    estimate = row.estimate
    return {
        "schema_version": SCHEMA_VERSION,
        "usage_point": text(row.usage_point),
        "site": {
            "site_id": text(row.site_id) or None,
            "name": text(row.site_name) or None,
            "note": text(row.site_note) or None,
        },
        "period": {"start": instant(row.started_ns), "end": instant(row.ended_ns)},
        "zone": text(zone),
        "listed": row.listed,
        "worth_a_look": row.worth_a_look,
        "fdr": fdr,
        "adjusted_rate": row.adjusted_rate,
        "score": number(row.score),
        "p_value": number(row.p_value),
        "peers": row.peers,
        "log10_e": number(row.log10_e),
        "families": [family.value for family in row.families],
        "detector": text(row.detector) or None,
        "power_w": _interval(None if estimate is None else estimate.power_w),
        "onset": _onset(None if estimate is None else estimate.onset),
        "mode": None if estimate is None else estimate.mode.value,
        "share": None if estimate is None else number(estimate.share),
        "duty": None if estimate is None else number(estimate.duty),
        "energy_wh": _interval(None if estimate is None else estimate.energy_wh),
        "consequences": _consequences(row.consequences),
        "explanation": text(row.explanation),
        "counter_hypotheses": [
            {"name": text(one.name), "standing": one.standing.value, "text": text(one.text)}
            for one in row.counter_hypotheses
        ],
        "findings": [_finding(found) for found in row.findings],
        "insufficient": [{"detector": text(one.detector), "missing": text(one.missing)} for one in row.insufficient],
        "course": None if row.drawing is None else _course(row.drawing),
    }


def _course(drawing: LoadDrawing) -> dict[str, Any] | None:
    """The drawing in so few values that a letter can carry it: means of whole days, of the lowest hour the lowest.

    A value of several days is null where none of them is known.
    """
    days = len(drawing.day_start_s)
    if not days:
        return None
    per_value = -(-days // MOST_COURSE_VALUES)

    def line(values: Sequence[float], join: Callable[[Sequence[float]], float]) -> list[float | None]:
        made: list[float | None] = []
        for at in range(0, len(values), per_value):
            known = [value for value in values[at : at + per_value] if math.isfinite(value)]
            # Three digits are more than a picture shows.
            made.append(float(f"{join(known):.3g}") if known else None)
        return made

    return {
        "started": instant(drawing.day_start_s[0] * NS_PER_S),
        "days_per_value": per_value,
        "mean_w": line(drawing.mean_w, fmean),
        "lowest_hour_w": line(drawing.floor_w, min),
        "fitted_lowest_w": line(drawing.fitted_floor_w, fmean),
        "peers_low_w": line(drawing.peers_low_w, fmean),
        "peers_high_w": line(drawing.peers_high_w, fmean),
    }


def _finding(found: LoadFinding) -> dict[str, Any]:
    return {
        "detector": text(found.detector),
        "version": text(found.version),
        "family": found.family.value,
        "score": number(found.score),
        "p_value": number(found.p_value),
        "peers": found.peers,
        "log10_e": number(found.log10_e),
        "explanation": text(found.explanation),
        "contradictions": [text(line) for line in found.contradictions],
        "blind_spots": [text(line) for line in found.blind_spots],
        "months": [
            {
                "started": instant(month.started_ns),
                "known_h": float(f"{month.known_h:.5g}"),
                "energy_wh": float(f"{month.energy_wh:.3g}"),
                "accuracy_wh": float(f"{month.accuracy_wh:.3g}"),
            }
            for month in found.months[-MOST_MONTHS:]
        ],
    }


def _interval(estimate: Interval | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    return {"low": number(estimate.low), "estimate": number(estimate.estimate), "high": number(estimate.high)}


def _onset(onset: Onset | None) -> dict[str, str] | None:
    if onset is None:
        return None
    return {
        "earliest": instant(onset.earliest_ns),
        "estimate": instant(onset.estimate_ns),
        "latest": instant(onset.latest_ns),
    }


def _consequences(consequences: Consequences | None) -> dict[str, Any] | None:
    if consequences is None:
        return None
    machines = consequences.machines
    return {
        "cost": [_sheet_line(line) for line in consequences.cost],
        "co2": [_sheet_line(line) for line in consequences.co2],
        "machines": None if machines is None else {"fewest": machines[0], "most": machines[1]},
        "hashrate_hs": _interval(consequences.hashrate_hs),
    }


def _sheet_line(line: SheetLine) -> dict[str, Any]:
    return {
        "label": text(line.label),
        "quantity": number(line.quantity),
        "unit": text(line.unit),
        "rate": number(line.rate),
        "rate_unit": text(line.rate_unit),
        "source": text(line.source),
        "result": number(line.result),
        "result_unit": text(line.result_unit),
    }


def meters_document(result: MetersResult, *, everything: bool, generated_ns: int) -> dict[str, Any]:
    """Everything as one dictionary.

    Parameters
    ----------
    result : MetersResult
    everything : bool
        Also the rows that do not stand out.
    generated_ns : int
        When the document is made. [ns since 1970-01-01 UTC]

    Returns
    -------
    dict
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "generator": f"headframe {__version__}",
        "generated": instant(generated_ns),
        "summary": {
            "readings": result.readings,
            "rows": len(result.rows),
            "answered": result.answered,
            "listed": len(result.listed),
            "method": result.method,
            "fdr": result.fdr,
            "expected_wrong": number(result.expected_wrong),
            "worth_a_look": len(result.worth_a_look),
            "look_p": number(result.look_p),
            "expected_by_chance": number(result.expected_by_chance),
            "period_days": result.period_days,
            "zone": text(result.zone),
            "known": [text(what) for what in result.known],
        },
        "usage_points": [
            usage_point_document(row, fdr=result.fdr, zone=result.zone)
            for row in shown_rows(result, everything=everything)
        ],
        "files": [_account(account) for account in result.accounts],
        "not_tested": [text(line) for line in result.not_tested],
        "assumptions": [text(line) for line in result.assumptions],
        "remarks": [text(line) for line in result.remarks],
        "cannot_see": list(CANNOT_SEE),
        "people_decide": PEOPLE_DECIDE,
    }


def _account(account: ReadingAccount) -> dict[str, Any]:
    return {
        "file": text(account.file),
        "rows": account.rows,
        "kept": account.kept,
        "problems": [
            {"reason": text(reason), "rows": rows, "examples": [source.row for source in examples]}
            for reason, rows, examples in account.problems
        ],
        "remarks": [text(line) for line in account.remarks],
    }


def meters_json(result: MetersResult, *, everything: bool, generated_ns: int) -> str:
    """Everything as one JSON document, with a line end. See `meters_document`."""
    return _encoded(meters_document(result, everything=everything, generated_ns=generated_ns), indent=2) + "\n"


def meters_lines(result: MetersResult, *, everything: bool) -> Iterator[str]:
    """One JSON object per usage point and period, the highest rank first.

    Yields
    ------
    str
        With its line end.
    """
    for row in result.rows:
        if everything or row.listed or row.worth_a_look:
            yield _encoded(usage_point_document(row, fdr=result.fdr, zone=result.zone)) + "\n"


def _encoded(document: dict[str, Any], indent: int | None = None) -> str:
    # As for findings: nothing that a terminal obeys, DEL included.
    return json.dumps(document, ensure_ascii=True, allow_nan=False, indent=indent).replace("\x7f", "\\u007f")


CSV_COLUMNS = (
    "schema_version", "rank", "usage_point", "site_id", "site_name", "start", "end", "listed", "worth_a_look", "fdr",
    "adjusted_rate", "score", "p_value", "peers", "log10_e", "families", "detector", "power_low_w", "power_estimate_w",
    "power_high_w", "onset_earliest", "onset_estimate", "onset_latest", "mode", "share", "duty", "energy_estimate_wh",
    "machines_fewest", "machines_most", "explanation", "possible", "excluded", "untested", "insufficient", "zone",
)  # fmt: skip
"""Names of the CSV columns, in order."""


def meters_csv(result: MetersResult, *, everything: bool) -> Iterator[str]:
    """A header and one row per usage point and period, the highest rank first.

    Cells that a spreadsheet would take for formulas are made harmless, as in the CSV of findings.

    Yields
    ------
    str
        One row with its line end.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in _csv_rows(result, everything=everything):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _csv_rows(result: MetersResult, *, everything: bool) -> Iterable[list[str]]:
    yield list(CSV_COLUMNS)
    for rank, row in enumerate(result.rows, 1):
        if not (everything or row.listed or row.worth_a_look):
            continue
        estimate = row.estimate
        onset = None if estimate is None else estimate.onset
        machines = None if row.consequences is None else row.consequences.machines
        yield [
            SCHEMA_VERSION,
            str(rank),
            csv_text(row.usage_point),
            csv_text(row.site_id),
            csv_text(row.site_name),
            instant(row.started_ns),
            instant(row.ended_ns),
            "yes" if row.listed else "no",
            "yes" if row.worth_a_look else "no",
            csv_number(result.fdr),
            csv_number(row.adjusted_rate),
            csv_number(row.score),
            csv_number(row.p_value),
            str(row.peers),
            csv_number(row.log10_e),
            " ".join(family.value for family in row.families),
            csv_text(row.detector),
            *(
                ("", "", "")
                if estimate is None
                else (csv_number(float(getattr(estimate.power_w, part))) for part in ("low", "estimate", "high"))
            ),
            *(
                ("", "", "")
                if onset is None
                else (instant(at) for at in (onset.earliest_ns, onset.estimate_ns, onset.latest_ns))
            ),
            "" if estimate is None else estimate.mode.value,
            csv_number(None if estimate is None else estimate.share),
            csv_number(None if estimate is None else estimate.duty),
            csv_number(None if estimate is None else estimate.energy_wh.estimate),
            "" if machines is None else str(machines[0]),
            "" if machines is None else str(machines[1]),
            csv_text(row.explanation),
            *(
                csv_text(" ".join(one.name for one in row.counter_hypotheses if one.standing is standing))
                for standing in (Standing.POSSIBLE, Standing.EXCLUDED, Standing.UNTESTED)
            ),
            csv_text(" | ".join(f"{one.detector}: {one.missing}" for one in row.insufficient)),
            csv_text(result.zone),
        ]
