"""Loss of revenue from energy that no meter counted: energy times tariff over a period.

Made after Malaysia's Electricity Supply Act 1990, section 38(3) to (4) (as amended by Act A1501, read in copies): the
licensee may ask the consumer for the loss of revenue, by a written statement; without a claim in court for no more
than six months before the day on which the offence was found. Other places have other limits, so the limit is a
parameter with its basis.

The energy is an estimate, so its interval goes along to the sum: the result is the estimate, and the sheet has the
lower and upper end.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from headframe.policy.calculators import EXACT, BadCalculation, plain, rounded
from headframe.records.policy import Basis, CalculationLine, CalculationSheet

MONEY_PLACES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyEnergy:
    """Unmetered energy of a day, as estimated, with its 95 % interval. [kWh/day]"""

    low: Decimal
    estimate: Decimal
    high: Decimal
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodLimit:
    """How far back may be billed.

    Attributes
    ----------
    months : int or None
        Before the day of discovery; None without a limit.
    basis : Basis
    ref : str
    """

    months: int | None
    basis: Basis = Basis.OPERATOR_DEFAULT
    ref: str = ""


MALAYSIA = PeriodLimit(months=6, basis=Basis.STATUTORY, ref="a1501#30(c)")
"""Six months before discovery without a claim in court."""


def back_billing(
    energy: DailyEnergy,
    *,
    first: date,
    last: date,
    discovered: date,
    tariff: Decimal,
    currency: str,
    tariff_source: str,
    limit: PeriodLimit,
    rule: str = "esa1990#38(4)",
    basis: Basis = Basis.STATUTORY,
) -> CalculationSheet:
    """The loss of revenue, with its sheet.

    Parameters
    ----------
    energy : DailyEnergy
    first, last : date
        Days without metering, as far as they are shown; both count. None lies after `discovered`.
    discovered : date
        When it was found; the limit runs back from it.
    tariff : Decimal
        [currency/kWh]
    currency : str
        ISO 4217.
    tariff_source : str
        Which tariff, of which day.
    limit : PeriodLimit
    rule : str
        Instrument and place in it.
    basis : Basis

    Returns
    -------
    CalculationSheet

    Raises
    ------
    BadCalculation
        If the interval is not low <= estimate <= high, the period is turned round, or ends after it was found.
    """
    if not energy.low <= energy.estimate <= energy.high:
        raise BadCalculation(
            f"the daily energy is {energy.low} to {energy.high} with the estimate {energy.estimate}; "
            "low <= estimate <= high is expected"
        )
    if last < first:
        raise BadCalculation(f"the period ends on {last}, before it begins on {first}; exchange the two")
    if last > discovered:
        raise BadCalculation(
            f"the last day without metering is {last}, after {discovered}, on which it was found; what comes after the "
            f"finding is no loss that was found: end the period on {discovered} or before, or give the day of the "
            f"finding that it rests on"
        )
    if limit.months is not None and limit.months < 1:
        raise BadCalculation(f"the limit is {limit.months} months; one or more is expected, or none")
    earliest = months_before(discovered, limit.months) if limit.months is not None else first
    start = max(first, earliest)
    days = max((last - start).days + 1, 0)

    def amount(daily: Decimal) -> Decimal:
        return rounded(EXACT.multiply(EXACT.multiply(daily, Decimal(days)), tariff), MONEY_PLACES)

    low, estimate, high = (amount(daily) for daily in (energy.low, energy.estimate, energy.high))
    within = f"{plain(energy.low)} to {plain(energy.high)}"
    lines = (
        _line("first day without metering", first.isoformat(), "day", "as given"),
        _line("last day without metering", last.isoformat(), "day", "as given"),
        _line("first day that counts", start.isoformat(), "day", _limit_words(limit, discovered)),
        _line("days that count", str(days), "day", "first to last, both included"),
        _line(
            "unmetered energy of a day", plain(energy.estimate), "kWh/day", f"{energy.source}; 95 % interval {within}"
        ),
        _line(
            "unmetered energy",
            plain(EXACT.multiply(energy.estimate, Decimal(days))),
            "kWh",
            "a day's energy times days",
        ),
        _line("tariff", plain(tariff), f"{currency}/kWh", tariff_source),
        _line("lower end", plain(low), currency, "lower end of the energy times tariff"),
        _line("upper end", plain(high), currency, "upper end of the energy times tariff"),
        _line("loss of revenue", plain(estimate), currency, "unmetered energy times tariff"),
    )
    return CalculationSheet(
        title="Loss of revenue from unmetered energy",
        rule=rule,
        basis=basis,
        lines=lines,
        result=plain(estimate),
        unit=currency,
        caveats=tuple(_caveats(first, start, discovered, limit, days)),
    )


def _line(label: str, quantity: str, unit: str, source: str) -> CalculationLine:
    return CalculationLine(label=label, quantity=quantity, unit=unit, source=source)


def months_before(day: date, months: int) -> date:
    """The day of the same number so many months before, or the last of that month.

    Examples
    --------
    >>> months_before(date(2026, 8, 31), 6)
    datetime.date(2026, 2, 28)
    """
    from calendar import monthrange

    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _limit_words(limit: PeriodLimit, discovered: date) -> str:
    if limit.months is None:
        return "no limit was given"
    where = f", {limit.ref}" if limit.ref else ""
    return f"not more than {limit.months} months before {discovered} ({limit.basis}{where})"


def _caveats(first: date, start: date, discovered: date, limit: PeriodLimit, days: int) -> list[str]:
    told = [
        "Rounding: sums to two decimals, halves up; nothing else.",
        "The energy is an estimate; its interval is carried to the sum.",
        "One tariff for the whole period; steps and changes of the tariff are not calculated.",
    ]
    if start > first:
        told.append(f"Days from {first} to {start - timedelta(days=1)} lie before the limit and are not billed.")
    if not days:
        told.append(f"No day counts: the period ended before the limit that runs back from {discovered}.")
    if limit.basis is Basis.OPERATOR_DEFAULT:
        told.append("The limit of the period is the operator's own; no public text was named for it.")
    return told
