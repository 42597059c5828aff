"""``headframe policy``: packs to read and check, what one says of a case, and calculations with their sheets."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headframe.cli.choices import LanguageChoice
from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.workspace_options import (
    CaseId,
    Format,
    OutputFormat,
    Workspace,
    opened,
    write_json,
    write_lines,
    write_rows,
)
from headframe.errors import fault_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from headframe.policy.classify import Fact
    from headframe.records.policy import CalculationSheet, Pack

policy = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
calculate = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
policy.add_typer(calculate, name="calculate")


def _language(given: str) -> str:
    """A language by its tag; packs may be in any."""
    import re

    if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", given) is None:
        raise typer.BadParameter(f"{given[:40]!a} is no language; expected a tag of BCP 47, such as en, zh, ru, nb, ms")
    return given


Lang = Annotated[
    str,
    typer.Option(
        "--lang", metavar="LANG", help="Language of the pack's words: en, zh, ru, nb, ms.", callback=_language
    ),
]
Sheet = Annotated[
    Path | None,
    typer.Option("--sheet", metavar="FILE.json", help="Write the sheet there, for headframe case measure --sheet."),
]


SheetLanguage = Annotated[LanguageChoice, typer.Option("--language", help="Of the sheet's words.")]


class RuleChoice(StrEnum):
    """Rules of the differential tariff."""

    NATIONAL = "national"
    SICHUAN = "sichuan"
    SHANDONG_DRAFT = "shandong-draft"
    INNER_MONGOLIA = "inner-mongolia"


@policy.callback()
def _policy() -> None:
    """Read policy packs, check your own, and see what a pack says of a case.

    Packs are compiled from public sources. Each shows whether a lawyer has read it, and what is missing in it.

    Example: headframe policy show cn-bj-2024 --lang zh
    """


@calculate.callback()
def _calculate() -> None:
    """Calculate sums of money and of energy, each with the sheet that shows how it came about.

    \b
    Example:
      headframe policy calculate differential-tariff --rule national \\
        --cycles bills.csv --from 2022-03-05
    """  # noqa: D301 - the backspace tells the help to keep these lines apart


@policy.command("list")
@politely
def list_packs(lang: Lang = "en", output_format: OutputFormat = Format.TABLE, workspace: Workspace = None) -> None:
    """List the policy packs: those that ship with Headframe, and the workspace's own (its folder packs).

    Example: headframe policy list
    """
    from headframe.reports.policy import PACK_COLUMNS, pack_row

    packs = _packs(workspace)
    write_rows([pack_row(pack, lang) for pack in packs.values()], PACK_COLUMNS, output_format, total=len(packs))
    if any(pack.provenance.legal_review == "none" for pack in packs.values()):
        say("legal review none: no lawyer has read it; headframe policy show PACK names what is missing in a pack")


@policy.command("show")
@politely
def show(
    pack_id: Annotated[str, typer.Argument(metavar="PACK", help="Id of the pack: headframe policy list.")],
    lang: Lang = "en",
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """Show a pack: texts, units, axes, criteria, measures, rights, periods with their basis, and its gaps.

    Example: headframe policy show cn-bj-2024 --lang zh
    """
    from headframe.clock import today
    from headframe.reports.policy import pack_lines, plain_value

    packs = _packs(workspace)
    if pack_id not in packs:
        fail(f"{pack_id!a} is no policy pack; there is {', '.join(packs)}", ExitCode.USAGE)
    if output_format is Format.JSON:
        write_json(plain_value(packs[pack_id]))
    else:
        write_lines(list(_safe(pack_lines(packs[pack_id], lang, today()))))


@policy.command("check")
@politely
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Packs to check; without any, those that are there already."),
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Check packs, and name everything that is wrong with each: the place, what came, what would be right.

    A pack may inherit from the shipped ones, from the workspace's own, and from the others on the command line.

    Example: headframe policy check my-university.yaml
    """
    from headframe.clock import today
    from headframe.policy.parse import remarks
    from headframe.reports.policy import warning_lines
    from headframe.stores.packs import SHIPPED, pack_files, read_packs

    own = _own_folder(workspace)
    if files:
        # A file that lies in the workspace already is not its own rival.
        given = {path.resolve() for path in files}
        known, faults = read_packs(path for path in pack_files(SHIPPED, own) if path.resolve() not in given)
        packs, more = read_packs(files, known)
        faults += more
    else:
        packs, faults = read_packs(pack_files(SHIPPED, own))
    lines = []
    for pack in packs.values():
        lines.append(f"{pack.id} {pack.version}: can be used")
        lines += [f"  {line}" for line in warning_lines(pack)]
        lines += [f"  note: {text}" for text in remarks(pack, today())]
    write_lines(list(_safe(iter(lines))))
    for fault in faults:
        for line in str(fault).splitlines():
            say(next(_safe(iter([line]))))
    if faults:
        raise SystemExit(int(ExitCode.USAGE))


@policy.command("explain")
@politely
def explain(
    case_id: CaseId,
    facts: Annotated[
        list[str] | None,
        typer.Option(
            "--fact", metavar="NAME=VALUE[UNIT]", help="A fact from elsewhere: kWh_month=7200kWh. Repeatable."
        ),
    ] = None,
    lang: Lang = "en",
    output_format: OutputFormat = Format.TABLE,
    workspace: Workspace = None,
) -> None:
    """Explain what the pack says of a case: class, criteria, measures and what is missing for each, clocks, rights.

    It proposes and changes nothing.

    Example: headframe policy explain HF-2026-000001 --fact kWh_month=7200kWh
    """
    from headframe.cases.steps import measures_now
    from headframe.policy.classify import classify, facts_of_case
    from headframe.policy.rights import right_states
    from headframe.reports.policy import explain_document, explain_lines

    given = [_fact(text) for text in facts or ()]
    with opened(workspace) as casework:
        file = casework.case_file(case_id)
        pack = casework.pack_of(file.case)
        now = casework.now_ns()
        clocks = casework.clocks_of(file.case, now)
    proposed = classify(pack, facts_of_case(file, given))
    measures = measures_now(file.case, pack, clocks, now)
    rights = right_states(file.case, pack, clocks)
    if output_format is Format.JSON:
        write_json(explain_document(file.case, pack, proposed, measures, clocks, rights))
    else:
        write_lines(list(_safe(explain_lines(file.case, pack, proposed, measures, clocks, rights, language=lang))))


# Calculations --------------------------------------------------------------------------------------------------------


@calculate.command("differential-tariff")
@politely
def differential_tariff(
    cycles: Annotated[
        Path,
        typer.Option(
            "--cycles", metavar="FILE.csv", help="Bills of the account: first,last,energy_kwh; both days count."
        ),
    ],
    mining_from: Annotated[str, typer.Option("--from", metavar="DAY", help="First day of mining: 2022-03-05.")],
    rule: Annotated[RuleChoice, typer.Option("--rule", help="Which surcharge.")],
    mining_until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="Last day of mining, once the stop is confirmed.")
    ] = None,
    issued: Annotated[
        str | None, typer.Option("--issued", metavar="DAY", help="Day of issue of the rule, where it is not known.")
    ] = None,
    sheet: Sheet = None,
    language: SheetLanguage = LanguageChoice.EN,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Surcharge on the electricity of an account that mined (China: national, Sichuan, Shandong draft, Inner Mongolia).

    \b
    Example:
      headframe policy calculate differential-tariff --rule sichuan \\
        --issued 2022-04-15 --cycles bills.csv --from 2022-03-05 \\
        --until 2022-06-20
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.policy.calculators import decimal_of
    from headframe.policy.calculators.differential_tariff import RULES, BillingCycle
    from headframe.policy.calculators.differential_tariff import differential_tariff as calculated

    rows = [
        BillingCycle(
            first=_day(row["first"], f"{source}: first"),
            last=_day(row["last"], f"{source}: last"),
            energy_kwh=decimal_of(row["energy_kwh"], f"{source}: energy_kwh"),
            source=source,
        )
        for source, row in _table(cycles, ("first", "last", "energy_kwh"))
    ]
    _give(
        calculated(
            RULES[rule.value],
            rows,
            mining_from=_day(mining_from, "--from"),
            mining_until=None if mining_until is None else _day(mining_until, "--until"),
            issued=None if issued is None else _day(issued, "--issued"),
        ),
        sheet,
        output_format,
        language,
    )


@calculate.command("household-limit")
@politely
def household_limit(
    readings: Annotated[
        Path,
        typer.Option("--readings", metavar="FILE.csv", help="Readings of one supply point: start,end,energy_kwh."),
    ],
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="Time zone of the supply point.")],
    limit: Annotated[str, typer.Option("--limit", metavar="KWH", help="kWh in a month.")] = "6000",
    sheet: Sheet = None,
    language: SheetLanguage = LanguageChoice.EN,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Energy by local month against the limit for mining without registration (Russia: 6,000 kWh).

    A month that is not wholly measured is told and never scaled up.

    \b
    Example:
      headframe policy calculate household-limit --readings meter.csv \\
        --zone Asia/Irkutsk
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.cli.workspace_options import moment
    from headframe.cli.zone import zone_of
    from headframe.policy.calculators import decimal_of
    from headframe.policy.calculators.household_limit import MeteredInterval
    from headframe.policy.calculators.household_limit import household_limit as calculated
    from headframe.sources.registry.values import time_ns

    where = zone_of(zone)

    def at(text: str, what: str) -> int:
        try:
            found = time_ns(text, where)
        except ValueError as fault:
            fail(f"{what} {text!a}: {fault}", ExitCode.USAGE)
        return found if found is not None else moment("", None, 0, what)

    rows = [
        MeteredInterval(
            start_ns=at(row["start"], f"{source}: start"),
            end_ns=at(row["end"], f"{source}: end"),
            energy_kwh=decimal_of(row["energy_kwh"], f"{source}: energy_kwh"),
            source=source,
        )
        for source, row in _table(readings, ("start", "end", "energy_kwh"))
    ]
    _give(calculated(rows, zone=zone, limit_kwh=decimal_of(limit, "--limit")), sheet, output_format, language)


@calculate.command("back-billing")
@politely
def back_billing(
    daily: Annotated[str, typer.Option("--daily-kwh", metavar="KWH", help="Unmetered energy of a day, as estimated.")],
    low: Annotated[str, typer.Option("--low", metavar="KWH", help="Lower end of its 95 % interval.")],
    high: Annotated[str, typer.Option("--high", metavar="KWH", help="Upper end of its 95 % interval.")],
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day without metering.")],
    last: Annotated[str, typer.Option("--until", metavar="DAY", help="Last day without metering.")],
    discovered: Annotated[str, typer.Option("--found", metavar="DAY", help="Day on which it was found.")],
    tariff: Annotated[str, typer.Option("--tariff", metavar="PRICE", help="Price of a kWh: 0.509.")],
    tariff_source: Annotated[str, typer.Option("--tariff-source", metavar="TEXT", help="Which tariff, of which day.")],
    energy_source: Annotated[
        str, typer.Option("--energy-source", metavar="TEXT", help="Where the estimate comes from.")
    ],
    currency: Annotated[str, typer.Option("--currency", metavar="CODE", help="ISO 4217.")] = "MYR",
    months: Annotated[
        int | None,
        typer.Option(
            "--limit-months", metavar="N", help="Bill so far back at most. Malaysia's Act, without a court: 6."
        ),
    ] = None,
    limit_ref: Annotated[
        str, typer.Option("--limit-ref", metavar="REF", help="What sets that limit; without it, it is the operator's.")
    ] = "",
    sheet: Sheet = None,
    language: SheetLanguage = LanguageChoice.EN,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Loss of revenue from unmetered energy over a period, with its interval (made after Malaysia's section 38).

    Without --limit-months the limit is Malaysia's: six months before the day on which it was found.

    \b
    Example:
      headframe policy calculate back-billing --daily-kwh 240 --low 210 \\
        --high 275 --from 2026-01-10 --until 2026-09-02 --found 2026-09-03 \\
        --tariff 0.509 --tariff-source "tariff B" \\
        --energy-source "finding U-7"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    from headframe.policy.calculators import decimal_of
    from headframe.policy.calculators.back_billing import MALAYSIA, DailyEnergy, PeriodLimit
    from headframe.policy.calculators.back_billing import back_billing as calculated
    from headframe.records.policy import Basis

    limit = MALAYSIA
    if months is not None:
        basis = Basis.STATUTORY if limit_ref else Basis.OPERATOR_DEFAULT
        limit = PeriodLimit(months=months, basis=basis, ref=limit_ref)
    _give(
        calculated(
            DailyEnergy(
                low=decimal_of(low, "--low"),
                estimate=decimal_of(daily, "--daily-kwh"),
                high=decimal_of(high, "--high"),
                source=energy_source,
            ),
            first=_day(first, "--from"),
            last=_day(last, "--until"),
            discovered=_day(discovered, "--found"),
            tariff=decimal_of(tariff, "--tariff"),
            currency=currency,
            tariff_source=tariff_source,
            limit=limit,
        ),
        sheet,
        output_format,
        language,
    )


# What they share -----------------------------------------------------------------------------------------------------


def _own_folder(workspace: Path | None) -> Path:
    from headframe.stores.blocks import workspace_folder

    return workspace_folder(workspace) / "packs"


def _packs(workspace: Path | None) -> "Mapping[str, Pack]":
    from headframe.stores.packs import load_packs

    return load_packs(_own_folder(workspace))


def _safe(lines: Iterator[str]) -> Iterator[str]:
    """Lines in which nothing is left that a terminal obeys: a pack is somebody's file."""
    from headframe.reports.words import visible

    for line in lines:
        yield visible(line, 4_000)


def _fact(text: str) -> "Fact":
    import re

    from headframe.policy.classify import Fact

    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        fail(f"--fact {text!a} is no fact; write it as kWh_month=7200kWh or bypass_seen=true", ExitCode.USAGE)
    if value in {"true", "false"}:
        return Fact(name=name, value=value == "true", source="given by hand")
    if found := re.fullmatch(r"(-?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z/%]*)", value):
        return Fact(name=name, value=float(found[1]), unit=found[2], source="given by hand")
    return Fact(name=name, value=value, source="given by hand")


def _day(text: str, what: str) -> "date":
    from datetime import date

    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        fail(f"{what} {text!a} is no day; write it as 2026-11-27", ExitCode.USAGE)


def _table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a CSV file with their place, ``bills.csv row 2``; the headings are row 1."""
    import csv

    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                fail(
                    f"{path}: the column {', '.join(missing)} is missing; expected {', '.join(columns)}", ExitCode.USAGE
                )
            for place, row in enumerate(reader, 2):
                if absent := [name for name in columns if not row.get(name)]:
                    fail(f"{path.name} row {place}: {', '.join(absent)} is empty", ExitCode.USAGE)
                yield f"{path.name} row {place}", {name: str(row[name]) for name in columns}
    except OSError as fault:
        fail(f"{path}: cannot be read: {fault.strerror}", ExitCode.UNREADABLE)
    except (UnicodeDecodeError, csv.Error) as fault:
        fail(f"{path}: is no CSV in UTF-8: {fault_words(fault)}", ExitCode.USAGE)


def _give(
    result: "CalculationSheet", path: Path | None, output_format: Format, language: LanguageChoice = LanguageChoice.EN
) -> None:
    import json

    from headframe.reports.case_documents.translated import sheet_in
    from headframe.reports.policy import plain_value, sheet_lines

    result, whole = sheet_in(result, language.value)
    if not whole:
        say("what you called things in the sheet stays as it is")
    document: Any = plain_value(result)
    if output_format is Format.JSON:
        write_json(document)
    else:
        write_lines(list(_safe(sheet_lines(result))))
    if path is not None:
        try:
            path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        except OSError as fault:
            fail(f"{path}: the sheet could not be written: {fault.strerror}", ExitCode.NOT_WRITTEN)
