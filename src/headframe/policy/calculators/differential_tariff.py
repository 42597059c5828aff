"""The surcharge on electricity used for mining in China: national, and by province.

Sichuan's notice (No. 186 of 2022, item 1, read in copies of the text) says: 2 CNY for each kWh; on all electricity of
the account; from the day on which mining began, or from the day of issue if that is later, until the day on which it
ended; where that time is not a whole billing cycle, the cycle's mean use times the days.

Shandong's draft of 25 February 2022 is known from press reports only: 2 CNY for each kWh, tax included; billed by the
grid company from a list; it ends when the stop is reported (account number, address, time of the stop). That the whole
account counts, and how a part of a cycle is counted, was not found for Shandong; Sichuan's way is used and the sheet
says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from headframe.policy.calculators import EXACT, BadCalculation, plain, rounded
from headframe.records.policy import Basis, CalculationLine, CalculationSheet

ENERGY_PLACES = 3  # kWh to the Wh, as meters count
MONEY_PLACES = 2  # fen


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffRule:
    """A surcharge: how much, since when, and what is not sure about it.

    Attributes
    ----------
    id : str
    title : str
    rule : str
        Instrument and place in it, as the packs name them.
    per_kwh : Decimal
        [CNY/kWh]
    issued : date or None
        It counts no day before; None where the day is not known and must be given.
    basis : Basis
    caveats : tuple of str
    """

    id: str
    title: str
    rule: str
    per_kwh: Decimal
    issued: date | None
    basis: Basis
    caveats: tuple[str, ...]


RULES: Mapping[str, TariffRule] = {
    rule.id: rule
    for rule in (
        TariffRule(
            id="national",
            title="Differential tariff, national notice 1283",
            rule="ndrc1283#13",
            per_kwh=Decimal("0.30"),
            issued=date(2021, 9, 3),
            basis=Basis.POLICY,
            caveats=(
                "A local rule goes before the national rate where there is one.",
                "How the time and a part of a billing cycle are counted is Sichuan's way; the national notice was not "
                "found to say.",
            ),
        ),
        TariffRule(
            id="sichuan",
            title="Differential tariff, Sichuan No. 186 of 2022",
            rule="sc186#1",
            per_kwh=Decimal("2.00"),
            issued=None,
            basis=Basis.POLICY,
            caveats=("Read in copies of the text. It is valid for five years from issue; check that it still is.",),
        ),
        TariffRule(
            id="shandong-draft",
            title="Differential tariff, Shandong draft of 25 February 2022",
            rule="sd-draft",
            per_kwh=Decimal("2.00"),
            issued=date(2022, 2, 25),
            basis=Basis.OPERATOR_DEFAULT,
            caveats=(
                "DRAFT for comment; its final text was not found. Nothing can be charged on it.",
                "Known from press reports only. Tax is included in the rate.",
                "That the whole account counts, and how a part of a cycle is counted, is taken from Sichuan's rule.",
            ),
        ),
        TariffRule(
            id="inner-mongolia",
            title="Differential tariff, Inner Mongolia notice of 20 January 2022",
            rule="nm2022#1",
            per_kwh=Decimal("1.00"),
            issued=date(2022, 1, 20),
            basis=Basis.POLICY,
            caveats=(
                "Read in a copy of the text; whether it is still in force was not checked.",
                "How a part of a billing cycle is counted is Sichuan's way; the notice was not found to say.",
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingCycle:
    """Electricity of an account over one billing cycle.

    Attributes
    ----------
    first, last : date
        Both days belong to it.
    energy_kwh : Decimal
        Of the whole account. [kWh]
    source : str
        ``bill 2022-05``, ``readings.csv row 3``.
    """

    first: date
    last: date
    energy_kwh: Decimal
    source: str

    @property
    def days(self) -> int:
        """Days of the cycle."""
        return (self.last - self.first).days + 1


def differential_tariff(
    rule: TariffRule,
    cycles: Sequence[BillingCycle],
    *,
    mining_from: date,
    mining_until: date | None,
    issued: date | None = None,
) -> CalculationSheet:
    """The surcharge for an account, with its sheet.

    Parameters
    ----------
    rule : TariffRule
    cycles : sequence of BillingCycle
        They may not overlap.
    mining_from : date
        First day of mining, in the account's time zone.
    mining_until : date or None
        Last day of mining, as confirmed; None while that is not so: then up to the end of the last cycle, and the sheet
        says that it is no final sum.
    issued : date or None
        Day of issue, where `rule` does not know it.

    Returns
    -------
    CalculationSheet
        In CNY. Days that no cycle covers are told and not estimated.

    Raises
    ------
    BadCalculation
        If cycles overlap or are empty, the end lies before the beginning, or the day of issue is missing.
    """
    issue_day = issued or rule.issued
    if issue_day is None:
        raise BadCalculation(
            f"the day of issue of {rule.rule} is not confirmed; give it, because no day before it counts "
            "(press reported the notice on 2022-04-15)"
        )
    rows = _in_order(cycles)
    start = max(mining_from, issue_day)
    end = mining_until if mining_until is not None else rows[-1].last
    if mining_until is not None and mining_until < mining_from:
        raise BadCalculation(f"mining ended on {mining_until}, before it began on {mining_from}; exchange the two")
    lines = [
        CalculationLine(label="first day of mining", quantity=mining_from.isoformat(), unit="day", source="as given"),
        CalculationLine(
            label="first day that counts", quantity=start.isoformat(), unit="day", source=f"not before {rule.rule}"
        ),
        CalculationLine(
            label="last day that counts",
            quantity=end.isoformat(),
            unit="day",
            source="stop, as confirmed" if mining_until is not None else "end of the last cycle; no stop is confirmed",
        ),
    ]
    total = Decimal(0)
    covered = 0
    for row in rows:
        days = (min(end, row.last) - max(start, row.first)).days + 1
        if days <= 0:
            continue
        covered += days
        energy, source = _energy(row, days)
        total = EXACT.add(total, energy)
        lines.append(
            CalculationLine(
                label=f"cycle {row.first} to {row.last}: {days} of {row.days} days",
                quantity=plain(energy),
                unit="kWh",
                source=source,
            )
        )
    amount = rounded(EXACT.multiply(total, rule.per_kwh), MONEY_PLACES)
    lines += [
        CalculationLine(label="electricity that counts", quantity=plain(total), unit="kWh", source="sum of the cycles"),
        CalculationLine(label="surcharge", quantity=plain(rule.per_kwh), unit="CNY/kWh", source=rule.rule),
        CalculationLine(
            label="surcharge in total", quantity=plain(amount), unit="CNY", source="electricity times surcharge"
        ),
    ]
    return CalculationSheet(
        title=rule.title,
        rule=rule.rule,
        basis=rule.basis,
        lines=tuple(lines),
        result=plain(amount),
        unit="CNY",
        caveats=(*_caveats(start, end, covered, mining_from, mining_until, issue_day, issued), *rule.caveats),
    )


def _in_order(cycles: Sequence[BillingCycle]) -> list[BillingCycle]:
    if not cycles:
        raise BadCalculation("there is no billing cycle; give one row for each: first day, last day, kWh")
    rows = sorted(cycles, key=lambda row: row.first)
    for row in rows:
        if row.last < row.first:
            raise BadCalculation(f"{row.source}: the cycle ends on {row.last}, before it begins on {row.first}")
    for before, after in pairwise(rows):
        if after.first <= before.last:
            raise BadCalculation(
                f"the cycles of {before.source} ({before.first} to {before.last}) and {after.source} ({after.first} to "
                f"{after.last}) overlap; a day may be billed once"
            )
    return rows


def _energy(row: BillingCycle, days: int) -> tuple[Decimal, str]:
    if days == row.days:
        return row.energy_kwh, f"{row.source}, the whole cycle"
    part = EXACT.divide(EXACT.multiply(row.energy_kwh, Decimal(days)), Decimal(row.days))
    source = f"{row.source}: {plain(row.energy_kwh)} kWh / {row.days} days x {days} days (mean of the cycle)"
    return rounded(part, ENERGY_PLACES), source


def _caveats(
    start: date,
    end: date,
    covered: int,
    mining_from: date,
    mining_until: date | None,
    issue_day: date,
    given: date | None,
) -> list[str]:
    told = [
        f"Rounding: a part of a cycle to {ENERGY_PLACES} decimals of a kWh, the sum to fen, halves up; nothing else.",
        "First and last day count in full.",
        "The rule takes all electricity of the account, also what was not used for mining.",
    ]
    if mining_until is None:
        told.append("The stop is not confirmed: this is a sum up to the last bill and no final one.")
    if end < start:
        told.append(f"No day counts: mining ended before {start}.")
    elif (open_days := (end - start).days + 1 - covered) > 0:
        told.append(f"{open_days} days between {start} and {end} are in no cycle; nothing is calculated for them.")
    if mining_from < issue_day:
        told.append(f"Mining began on {mining_from}; days before {issue_day} do not count.")
    if given is not None:
        told.append(f"The day of issue, {given}, was given by hand.")
    return told
