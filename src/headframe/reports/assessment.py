"""Assessments in plain sentences, as a table, and as the documents that programs read.

The sentences are written to be read aloud by somebody who has to answer for them. They say what speaks for mining, what
against, what is missing, and what the number means; they never say that a site mines, and they name no measure but the
letter or the notice that the evidence is enough for.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from headframe import __version__
from headframe.records.assessment import (
    Assessment,
    AssessmentResult,
    DamagedRow,
    FamilyAccount,
    Period,
    Unattributed,
    Whereabouts,
)
from headframe.records.finding import Family, Interval, Role
from headframe.records.indicator import IndicatorKind
from headframe.reports.console import console_on, is_plain
from headframe.reports.csv_rows import csv_number, csv_text
from headframe.reports.document import number, text
from headframe.reports.words import (
    ROLE_NAME,
    clock_time,
    count,
    instant,
    interval,
    odds,
    power_of_ten,
    remark_lines,
    visible,
)
from headframe.reports.words import period as since_until

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SCHEMA_VERSION = "1.0"
"""Version of the assessment document, ``major.minor``, as for findings."""
PEOPLE_DECIDE = (
    "People decide: this is a proposal. Before any notice look up whether mining is allowed there (licence, filed "
    "research, tariff agreement), and hear the party concerned."
)
"""Stands on every output."""

FAMILY_MEANING: Mapping[Family, str] = {
    Family.CONTENT: "what is said on the wire is a mining protocol",
    Family.ENDPOINT: "known names or addresses of mining are used",
    Family.TIMING: "servers speak at telling times",
    Family.TRAFFIC: "the shape of traffic is that of mining",
    Family.LOAD: "the electric load is that of mining",
    Family.BALANCE: "energy is used that the meters do not explain",
    Family.REGISTRY: "a register speaks of it",
    Family.INSPECTION: "an inspection found it",
}
"""What it means that a family supports, in words for people."""
DETECTOR_MEANING: Mapping[str, str] = {
    "chain_sync": "traffic keeps step with new blocks of a chain",
    "peer_sync": "servers of several hosts speak at the same moments, and no chain was compared",
}
"""The same, where detectors of one family mean different things."""

_WIDE = 120  # columns where nobody says how wide the paper is
_MOST_ROWS = 200  # of sites without findings, in the table
_MOST_APART = 50
_MOST_CAVEATS = 4
_NUMBERS = ("No source speaks", "One source speaks", "Two independent sources speak", "Three independent sources speak")


# In sentences --------------------------------------------------------------------------------------------------------


def sentences(one: Assessment, result: AssessmentResult) -> list[str]:
    """An assessment in plain sentences.

    Parameters
    ----------
    one : Assessment
    result : AssessmentResult
        The result that it is part of.

    Returns
    -------
    list of str
        Without control characters, whatever names came out of traffic or tables.
    """
    said = [_opening(one)]
    if one.findings:
        said.append(_seen(one))
    said += _against(one)
    said.append(_lacking(one))
    said.append(_number_in_words(one, result))
    said += _step(one, result)
    return [sentence for sentence in said if sentence]


def _opening(one: Assessment) -> str:
    who = f"{site_words(one)}, {period_words(one.period)}"
    supporting = one.standing("supporting")
    if not one.findings:
        return f"{who}: nothing was found that speaks for mining."
    if not supporting:
        return f"{who}: {count(one.findings, 'finding')}, but no family of evidence speaks clearly for mining."
    sources = one.supporting_sources
    speak = _NUMBERS[sources] if sources < len(_NUMBERS) else f"{sources} independent sources speak"
    families = [f"{account.family} ({_meaning(account)}; {power_of_ten(account.log10_e)})" for account in supporting]
    same = "; families that rest on the same source count once" if sources < len(families) else ""
    return f"{who}: {speak[0].lower() + speak[1:]} for mining: {_listing(families)}{same}."


def _meaning(account: FamilyAccount) -> str:
    meanings = (DETECTOR_MEANING.get(name, FAMILY_MEANING[account.family]) for name in account.shown_by)
    return "; ".join(dict.fromkeys(meanings)) or FAMILY_MEANING[account.family]


def _followers(one: Assessment) -> tuple[str, ...]:
    return next((addresses for role, addresses in one.addresses if role is Role.FOLLOWER), ())


def site_words(one: Assessment) -> str:
    """The site's name with its identifier: ``North hall (N1)``."""
    name, site_id = visible(one.site.name, 80), visible(one.site.site_id, 80)
    return f"Site {name}" if name == site_id else f"Site {name} ({site_id})"


def period_words(period: Period) -> str:
    """``2026-04-21``, or from when until when where the period is all there is."""
    if period.name != "all":
        return period.name
    return since_until(period.started_ns, period.ended_ns)


def _seen(one: Assessment) -> str:
    parts = [
        f"{count(len(addresses), 'address', 'addresses')} as {ROLE_NAME[role]}" for role, addresses in one.addresses
    ]
    if one.coins:
        parts.append(f"{_noun('coin', one.coins)} {_listing([visible(coin, 12) for coin in one.coins])}")
    if one.pools:
        parts.append(f"{_noun('pool', one.pools)} {_listing([visible(pool, 60) for pool in one.pools[:4]])}")
    rates = [
        interval(rate.hashrate_hs, "H/s") + (f" of {visible(rate.coin, 12)}" if len(one.hash_rates) > 1 else "")
        for rate in one.hash_rates
    ]
    if rates:
        takes = "" if one.power_w is None else f", which takes {interval(one.power_w, 'W')}"
        parts.append(f"on average {_listing(rates)} while it was seen{takes}")
    when = ""
    if one.first_ns is not None and one.last_ns is not None:
        when = f" First seen {clock_time(one.first_ns)}, last seen {clock_time(one.last_ns)} (UTC)."
    return f"Seen: {', '.join(parts)}.{when}"


def _some(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 6:,} more" if len(addresses) > 6 else ""
    return f"{', '.join(addresses[:6])}{more}"


def _noun(noun: str, things: Sequence[object]) -> str:
    return noun if len(things) == 1 else f"{noun}s"


def _against(one: Assessment) -> list[str]:
    contradicting = one.standing("contradicting")
    silent = one.standing("silent")
    said = []
    if contradicting:
        said.append(f"Contradicting: {_listing([account.family.value for account in contradicting])}.")
    elif one.findings:
        said.append("Nothing contradicts.")
    said += [
        f"{account.family.value.capitalize()} found {count(account.findings, 'sign')}, too few among {account.looks:,} "
        "looks to stand alone."
        for account in silent
        if account.findings
    ]
    # Timing found followers: that is not nothing.
    followers = _followers(one)
    nothing = [
        account.family.value
        for account in silent
        if not account.findings and not (followers and account.family is Family.TIMING)
    ]
    if nothing:
        said.append(f"Looked and found nothing: {_listing(nothing)}; mining may hide from it.")
    if followers:
        said.append(
            f"To be looked into: {count(len(followers), 'address', 'addresses')} as {ROLE_NAME[Role.FOLLOWER]} "
            f"({_some(followers)}): servers speak to them at the same moments as others to theirs. No chain was "
            "compared, so that is no evidence of mining: a federated chat, a push service or a feed of prices looks "
            "the same. A block clock would tell: headframe scan --clock."
        )
    caveats = list(dict.fromkeys(text for account in one.families for text in account.contradictions))
    if caveats:
        more = f" And {len(caveats) - _MOST_CAVEATS:,} more." if len(caveats) > _MOST_CAVEATS else ""
        shown = " ".join(_stopped(visible(caveat)) for caveat in caveats[:_MOST_CAVEATS])
        said.append(f"To be weighed: {shown}{more}")
    return said


def _lacking(one: Assessment) -> str:
    by_reason: dict[tuple[str, ...], list[str]] = {}
    for account in one.standing("missing"):
        by_reason.setdefault(account.missing, []).append(account.family.value)
    parts = []
    for reasons, families in by_reason.items():
        why = "; ".join(visible(reason).rstrip(".") for reason in reasons[:2])
        parts.append(f"{_listing(families)} ({why})" if why else _listing(families))
    questions = ""
    if one.open_questions:
        questions = f" Detectors could not answer {count(one.open_questions, 'question')} on this site."
    return f"Missing: {'; '.join(parts)}.{questions}" if parts else questions.strip()


def _number_in_words(one: Assessment, result: AssessmentResult) -> str:
    rate = f"{result.fdr * 100:g} %"
    if one.listed:
        listed = (
            f"On the list at {rate}: of such lists at most {rate} of the entries are wrong on average "
            f"(this site is on it from {_rate(one.adjusted_rate)} on)."
        )
    else:
        from_ = f" It would be from {_rate(one.adjusted_rate)} on." if one.adjusted_rate < 1.0 and one.findings else ""
        listed = f"Not on the list at {rate}.{from_}"
    if not one.findings:
        return listed
    if all(role is Role.FOLLOWER for role, _ in one.addresses):
        return f"{listed} There are no odds: what was found is no evidence of mining."
    if one.log10_e <= 0 or odds(one.log10_e) == "no evidence":
        alone = (
            f"Taken by itself, and with all {one.conversations:,} conversations counted as chances, this is no more "
            "than chance may show."
        )
    else:
        alone = (
            f"Odds: if nobody mines at this site, chance shows as much at most once in "
            f"{odds(one.log10_e).removeprefix('1 in ')}, with all {one.conversations:,} conversations counted as "
            "chances."
        )
    return f"{listed} {alone}"


def _rate(rate: float) -> str:
    # Rounded up: below the figure given it would not be on the list.
    if rate >= 1.0:
        return "100 %"
    percent = rate * 100
    if percent < 0.01:
        return "less than 0.01 %"
    step = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{math.ceil(percent / step - 1e-9) * step:.2g} %"


def _step(one: Assessment, result: AssessmentResult) -> list[str]:
    """What the evidence is enough for. A victim gets help and nothing else."""
    said = []
    for kind, addresses in one.victims:
        what = (
            "a proxy that operators of mining malware run"
            if kind is IndicatorKind.MALWARE_PROXY
            else "a page that lets its visitors' machines mine"
        )
        said.append(
            f"Probably a victim: {_listing(list(addresses[:6]))} went to {what}. A victim is no offender and gets a "
            "help letter."
        )
    if not one.listed:
        return said
    sources, whom = one.supporting_sources, ""
    if said:
        if only_victims(one):
            return said
        sources, whom = one.sources_without_victims, "For the other addresses: "
    if sources >= 2 and one.log10_e < -math.log10(result.fdr):
        step = (
            "two independent sources, but by itself the evidence on this site is thin; look again before a notice is "
            "considered, with a longer capture or more block clocks. Enough for an information letter."
        )
    elif sources >= 2:
        step = "two independent sources, enough for a notice to be considered, once lawful mining has been looked up."
    elif sources == 1:
        step = "one source only, enough for an information letter, not for a notice."
    else:
        step = "no single source supports it; look again before anything is written."
    said.append(f"{whom}{step if whom else step[0].upper() + step[1:]}")
    return said


def only_victims(one: Assessment) -> bool:
    """Whether all that mines at the site is probably a victim."""
    victims = {address for _, addresses in one.victims for address in addresses}
    return bool(victims) and _mining(one) <= victims


def _mining(one: Assessment) -> set[str]:
    return {address for role, addresses in one.addresses if role in (Role.MINER, Role.PROXY) for address in addresses}


def _listing(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _stopped(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


_WHY_APART: Mapping[Whereabouts, str] = {
    Whereabouts.PARTLY: "the site is known for a part of the time only",
    Whereabouts.AMBIGUOUS: "several sites are possible",
    Whereabouts.UNRESOLVED: "no site is known",
    Whereabouts.NOT_OURS: "not ours: neither table nor log speaks of this public address",
}


def apart_sentences(row: Unattributed) -> list[str]:
    """Findings of an address whose site is not known, in plain sentences.

    Parameters
    ----------
    row : Unattributed

    Returns
    -------
    list of str
    """
    roles = _listing([ROLE_NAME[role] for role in ROLE_NAME if role in row.roles])
    families = _listing([family.value for family in row.families])
    said = [
        f"{visible(row.host)}: {_WHY_APART[row.whereabouts]}. {count(row.findings, 'finding')} ({roles}; {families}), "
        f"{since_until(row.first_ns, row.last_ns)}; attributed to nobody."
    ]
    if row.candidates:
        said.append(f"Possible: {_listing([visible(site, 60) for site in row.candidates[:8]])}.")
    if row.whereabouts is not Whereabouts.NOT_OURS and row.missing:
        more = f"; and {len(row.missing) - 3:,} more" if len(row.missing) > 3 else ""
        said.append(f"What would tell: {'; '.join(visible(why) for why in row.missing[:3])}{more}.")
    return said


def summary_lines(result: AssessmentResult) -> list[str]:
    """The result in a few sentences: how many were tested, how many are on the list, what stayed apart.

    Parameters
    ----------
    result : AssessmentResult

    Returns
    -------
    list of str
        Without line ends.
    """
    tested = len(result.assessments)
    sites = len({one.site.site_id for one in result.assessments})
    listed = len(result.listed)
    lines = [
        f"Tested: {count(sites, 'site')}, {count(tested, 'site and period', 'sites and periods')}. On the list: "
        f"{listed or 'none'} ({result.method} at {result.fdr * 100:g} %: of such lists at most that share of the "
        "entries is wrong on average).",
        f"Read: {count(len(result.files), 'file')}, {count(result.findings, 'finding')}, "
        f"{count(result.conversations, 'conversation')}; {count(result.timing_tested, 'pair')} of client and server "
        f"tested by timing. Evidence merged {result.rule.replace('_', ' ')}.",
    ]
    apart: dict[Whereabouts, int] = {}
    for row in result.unattributed:
        apart[row.whereabouts] = apart.get(row.whereabouts, 0) + row.findings
    if apart:
        words = {Whereabouts.NOT_OURS: "not ours", Whereabouts.PARTLY: "known for a part of the time"}
        parts = [f"{number:,} {words.get(where, where.value)}" for where, number in apart.items()]
        lines.append(f"Attributed to nobody: {', '.join(parts)} ({count(sum(apart.values()), 'finding')}).")
    if result.not_tested:
        names = ", ".join(visible(site, 40) for site, _ in result.not_tested[:8])
        more = f" and {len(result.not_tested) - 8:,} more" if len(result.not_tested) > 8 else ""
        lines.append(f"Not tested: {count(len(result.not_tested), 'site')} that no traffic could show: {names}{more}.")
    if result.damaged:
        lines.append(f"Damaged: {count(len(result.damaged), 'row')} could not be used; everything else was.")
    return lines + remark_lines(result.remarks)


# As a table ----------------------------------------------------------------------------------------------------------


def write_table(
    result: AssessmentResult,
    stream: TextIO,
    *,
    width: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Write the assessments as a table, in sentences where there are findings, and what stayed apart.

    Colour appears only where `stream` is a terminal and ``NO_COLOR`` is not set to anything.

    Parameters
    ----------
    result : AssessmentResult
    stream : text stream
    width : int or None
        Columns; None is the terminal's width, or where `stream` is no terminal ``COLUMNS``, else 120. [characters]
    environment : mapping or None
        For ``NO_COLOR``, ``TERM`` and ``COLUMNS``; None is the process's own.
    """
    with console_on(stream, width=width, pipe_columns=_WIDE, environment=environment) as console:
        _write_all(result, console, plain=is_plain(stream))


def _write_all(result: AssessmentResult, console: "Console", *, plain: bool) -> None:
    from rich.text import Text

    def write(line: str, style: str = "", indent: int = 0) -> None:
        from rich.padding import Padding

        console.print(Padding(Text(line, style=style), (0, 0, 0, indent)))

    with_findings = [one for one in result.assessments if one.findings]
    without = [one for one in result.assessments if not one.findings]
    if result.assessments:
        console.print(_table([*with_findings, *without[:_MOST_ROWS]], plain=plain))
        if (more := len(without) - _MOST_ROWS) > 0:
            write(f"and {more:,} more without findings; --format json lists them all")
        console.print()
    for one in with_findings:
        first, *others = sentences(one, result)
        write(first, "bold" if one.listed else "")
        for line in others:
            write(line, indent=2)
        console.print()
    if result.unattributed:
        write("Attributed to nobody:", "bold")
        for row in result.unattributed[:_MOST_APART]:
            first, *others = apart_sentences(row)
            write(first, indent=2)
            for line in others:
                write(line, indent=4)
        if (more := len(result.unattributed) - _MOST_APART) > 0:
            write(f"and {more:,} more; --format json lists them all", indent=2)
        console.print()
    for line in summary_lines(result):
        write(line)
    for assumption in result.assumptions:
        write(f"Assumed: {assumption}")
    write(PEOPLE_DECIDE, "bold")


def _table(rows: Sequence[Assessment], *, plain: bool) -> "Table":
    from rich.box import SIMPLE_HEAD, Box
    from rich.table import Table

    box = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True) if plain else SIMPLE_HEAD
    table = Table(box=box, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for name in ("Site", "Period", "On the list", "By itself", "Supporting", "Contradicting", "Missing"):
        table.add_column(name, overflow="fold")
    for one in rows:
        name = one.site.site_id if one.site.name == one.site.site_id else f"{one.site.site_id} {one.site.name}"
        table.add_row(
            visible(name, 60),
            one.period.name,
            adjusted_words(one),
            evidence_of_site(one),
            *(family_names(one, standing) for standing in ("supporting", "contradicting", "missing")),
        )
    return table


def adjusted_words(one: Assessment) -> str:
    """Whether it is on the list, and from which rate on."""
    return f"yes ({_rate(one.adjusted_rate)})" if one.listed else "no"


def evidence_of_site(one: Assessment) -> str:
    """Evidence of the site by itself, as a power of ten or in words."""
    if not one.findings:
        return "nothing found"
    return power_of_ten(one.log10_e) if math.isfinite(one.log10_e) else "none"


def family_names(one: Assessment, standing: str) -> str:
    """The families that stand so, or a dash."""
    return ", ".join(account.family.value for account in one.standing(standing)) or "-"


# As documents --------------------------------------------------------------------------------------------------------


def assessment_document(one: Assessment, result: AssessmentResult) -> dict[str, Any]:
    """One assessment as a dictionary of plain values; ``docs/assess.md`` names the keys.

    Parameters
    ----------
    one : Assessment
    result : AssessmentResult

    Returns
    -------
    dict
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "site": {
            "site_id": text(one.site.site_id),
            "name": text(one.site.name),
            "kind": one.site.kind.value,
            "organisation_id": None if one.site.organisation_id is None else text(one.site.organisation_id),
            "region": None if one.site.region is None else text(one.site.region),
        },
        "period": {
            "name": one.period.name,
            "started": instant(one.period.started_ns),
            "ended": instant(one.period.ended_ns),
        },
        "listed": one.listed,
        "fdr": result.fdr,
        "adjusted_rate": one.adjusted_rate,
        "log10_e": number(one.log10_e),
        "log10_e_list": number(one.log10_e_list),
        "merge": result.rule,
        "supporting_sources": one.supporting_sources,
        "sources_without_victims": one.sources_without_victims,
        "families": [_family_document(account) for account in one.families],
        "conversations": one.conversations,
        "findings": one.findings,
        "addresses": {role.value: list(addresses) for role, addresses in one.addresses},
        "coins": [text(coin) for coin in one.coins],
        "pools": [text(pool) for pool in one.pools],
        "hash_rates": [
            {"coin": text(rate.coin) or None, "hashrate_hs": _interval(rate.hashrate_hs)} for rate in one.hash_rates
        ],
        "power_w": None if one.power_w is None else _interval(one.power_w),
        "first_seen": None if one.first_ns is None else instant(one.first_ns),
        "last_seen": None if one.last_ns is None else instant(one.last_ns),
        "victims": [{"kind": kind.value, "addresses": list(addresses)} for kind, addresses in one.victims],
        "open_questions": one.open_questions,
        "assumptions": [text(assumption) for assumption in one.assumptions],
        "sentences": [text(sentence) for sentence in sentences(one, result)],
        "people_decide": PEOPLE_DECIDE,
    }


def _family_document(account: FamilyAccount) -> dict[str, Any]:
    return {
        "family": account.family.value,
        "standing": account.standing,
        "log10_e": number(account.log10_e),
        "detectors": [text(name) for name in account.detectors],
        "looks": account.looks,
        "findings": account.findings,
        "contradictions": [text(line) for line in account.contradictions],
        "missing": [text(line) for line in account.missing],
    }


def _interval(estimate: Interval) -> dict[str, float | None]:
    return {"low": number(estimate.low), "estimate": number(estimate.estimate), "high": number(estimate.high)}


def unattributed_document(row: Unattributed) -> dict[str, Any]:
    """Findings that count for nobody, as a dictionary."""
    return {
        "host": text(row.host),
        "whereabouts": row.whereabouts.value,
        "candidates": [text(site) for site in row.candidates],
        "reasons": [text(reason) for reason in row.reasons],
        "missing": [text(why) for why in row.missing],
        "findings": row.findings,
        "roles": [role.value for role in row.roles],
        "families": [family.value for family in row.families],
        "first_seen": instant(row.first_ns),
        "last_seen": instant(row.last_ns),
    }


def result_document(result: AssessmentResult, *, generated_ns: int) -> dict[str, Any]:
    """Everything as one dictionary.

    Parameters
    ----------
    result : AssessmentResult
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
            "files": [text(file) for file in result.files],
            "findings": result.findings,
            "conversations": result.conversations,
            "timing_tested": result.timing_tested,
            "tested": len(result.assessments),
            "listed": len(result.listed),
            "method": result.method,
            "fdr": result.fdr,
            "merge": result.rule,
            "share": result.share,
            "unattributed_findings": sum(row.findings for row in result.unattributed),
            "damaged_rows": len(result.damaged),
        },
        "assessments": [assessment_document(one, result) for one in result.assessments],
        "unattributed": [unattributed_document(row) for row in result.unattributed],
        "not_tested": [{"site_id": text(site), "reason": text(why)} for site, why in result.not_tested],
        "damaged": [_damaged_document(row) for row in result.damaged],
        "assumptions": [text(assumption) for assumption in result.assumptions],
        "remarks": [text(remark) for remark in result.remarks],
        "people_decide": PEOPLE_DECIDE,
    }


def _damaged_document(row: DamagedRow) -> dict[str, Any]:
    return {"file": text(row.source.file), "row": row.source.row, "reason": text(row.reason)}


def assessment_json(result: AssessmentResult, *, generated_ns: int) -> str:
    """Everything as one JSON document, with a line end. See `result_document`."""
    return _encoded(result_document(result, generated_ns=generated_ns), indent=2) + "\n"


def assessment_lines(result: AssessmentResult) -> Iterator[str]:
    """One JSON object per site and period, then one per address that is attributed to nobody.

    Yields
    ------
    str
        With its line end. The second kind has a key ``whereabouts``, the first has a key ``site``.
    """
    for one in result.assessments:
        yield _encoded(assessment_document(one, result)) + "\n"
    for row in result.unattributed:
        yield _encoded({"schema_version": SCHEMA_VERSION, **unattributed_document(row)}) + "\n"


def _encoded(document: dict[str, Any], indent: int | None = None) -> str:
    # As for findings: nothing that a terminal obeys, DEL included.
    return json.dumps(document, ensure_ascii=True, allow_nan=False, indent=indent).replace("\x7f", "\\u007f")


CSV_COLUMNS = (
    "schema_version", "site_id", "name", "kind", "organisation_id", "region", "period", "started", "ended", "listed",
    "fdr", "adjusted_rate", "log10_e", "log10_e_list", "merge", "supporting_sources", "supporting", "contradicting",
    "silent", "missing", "findings", "addresses", "coins", "pools", "first_seen", "last_seen", "victims", "sentences",
)  # fmt: skip
"""Names of the CSV columns, in order."""


def assessment_csv(result: AssessmentResult) -> Iterator[str]:
    """A header, one row per site and period, and one per address that is attributed to nobody, without a site.

    Cells that a spreadsheet would take for formulas are made harmless, as in the CSV of findings.

    Yields
    ------
    str
        One row with its line end.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in _csv_rows(result):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _csv_rows(result: AssessmentResult) -> Iterable[list[str]]:
    yield list(CSV_COLUMNS)
    for one in result.assessments:
        families = [
            " ".join(account.family.value for account in one.standing(standing))
            for standing in ("supporting", "contradicting", "silent", "missing")
        ]
        yield [
            SCHEMA_VERSION,
            csv_text(one.site.site_id),
            csv_text(one.site.name),
            one.site.kind.value,
            csv_text(one.site.organisation_id),
            csv_text(one.site.region),
            one.period.name,
            instant(one.period.started_ns),
            instant(one.period.ended_ns),
            "yes" if one.listed else "no",
            csv_number(result.fdr),
            csv_number(one.adjusted_rate),
            csv_number(one.log10_e),
            csv_number(one.log10_e_list),
            result.rule,
            str(one.supporting_sources),
            *families,
            str(one.findings),
            csv_text(" ".join(f"{role.value}:{address}" for role, found in one.addresses for address in found)),
            csv_text(" ".join(one.coins)),
            csv_text(" | ".join(one.pools)),
            "" if one.first_ns is None else instant(one.first_ns),
            "" if one.last_ns is None else instant(one.last_ns),
            csv_text(" ".join(address for _, found in one.victims for address in found)),
            csv_text(" ".join(sentences(one, result))),
        ]
    for row in result.unattributed:
        cells = dict.fromkeys(CSV_COLUMNS, "")
        cells |= {
            "schema_version": SCHEMA_VERSION,
            "kind": row.whereabouts.value,
            "findings": str(row.findings),
            "addresses": csv_text(" ".join(f"{role.value}:{row.host}" for role in row.roles)),
            "first_seen": instant(row.first_ns),
            "last_seen": instant(row.last_ns),
            "sentences": csv_text(" ".join(apart_sentences(row))),
        }
        yield list(cells.values())
