"""Russia's limit for mining without registration: 6,000 kWh in a month (decree 1469 of 1 November 2024).

The text of the decree was read in press reports only. They say a month; calendar months in the zone of the supply
point are taken. A month that is not wholly measured is shown with what was measured. It is never scaled up: above the
limit with a part of the month is above the limit, and below it says nothing.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from headframe.policy.calculators import EXACT, BadCalculation, plain
from headframe.records.policy import Basis, CalculationLine, CalculationSheet

RULE = "pp1469"
LIMIT_KWH = Decimal(6000)
"""[kWh/month] Decree 1469."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredInterval:
    """Energy over an interval.

    Attributes
    ----------
    start_ns, end_ns : int
        Half open. [ns since 1970-01-01 UTC]
    energy_kwh : Decimal
        [kWh]
    source : str
    """

    start_ns: int
    end_ns: int
    energy_kwh: Decimal
    source: str


def household_limit(
    intervals: Sequence[MeteredInterval], *, zone: str, limit_kwh: Decimal = LIMIT_KWH
) -> CalculationSheet:
    """Energy by local month against the limit, with its sheet.

    Parameters
    ----------
    intervals : sequence of MeteredInterval
        Readings of one supply point; none may lie in two months or overlap another.
    zone : str
        IANA name of the supply point's zone; months begin there.
    limit_kwh : Decimal
        [kWh/month]

    Returns
    -------
    CalculationSheet
        The result is the energy above the limit, all months together. [kWh]

    Raises
    ------
    BadCalculation
        If an interval is empty, lies in two months, or overlaps another.
    """
    if not intervals:
        raise BadCalculation("there is no reading; give start, end and kWh of each")
    where: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    rows = sorted(intervals, key=lambda row: row.start_ns)
    energy: dict[tuple[int, int], Decimal] = {}
    measured: dict[tuple[int, int], int] = {}
    for place, row in enumerate(rows):
        if row.end_ns <= row.start_ns:
            raise BadCalculation(f"{row.source}: the interval ends before it begins")
        if place and row.start_ns < rows[place - 1].end_ns:
            raise BadCalculation(f"{row.source} overlaps {rows[place - 1].source}; energy may count once")
        first, last = _local(row.start_ns, where), _local(row.end_ns - 1, where)
        month = first.year, first.month
        if (last.year, last.month) != month:
            raise BadCalculation(
                f"{row.source} runs from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} ({zone}) and lies in two "
                "months; its energy cannot be shared out. Give readings that end with the month"
            )
        energy[month] = EXACT.add(energy.get(month, Decimal(0)), row.energy_kwh)
        measured[month] = measured.get(month, 0) + row.end_ns - row.start_ns
    return _sheet(energy, measured, where, zone, limit_kwh, len(rows))


def _local(at_ns: int, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=at_ns // 1000)).astimezone(zone)


def _sheet(
    energy: dict[tuple[int, int], Decimal],
    measured: dict[tuple[int, int], int],
    where: tzinfo,
    zone: str,
    limit_kwh: Decimal,
    readings: int,
) -> CalculationSheet:
    lines, partial = [], []
    above = Decimal(0)
    for month, kwh in energy.items():
        name = f"{month[0]}-{month[1]:02}"
        share = measured[month] / _month_ns(month, where)
        over = max(EXACT.subtract(kwh, limit_kwh), Decimal(0))
        above = EXACT.add(above, over)
        part = "" if share >= 1 else f", {share:.1%} of the month measured"
        if share < 1:
            partial.append(name)
        verdict = f"above the limit by {plain(over)} kWh" if over else (
            "not above the limit" if share >= 1 else "not above the limit in the part that was measured"
        )  # fmt: skip
        lines.append(
            CalculationLine(
                label=f"{name}: {verdict}{part}", quantity=plain(kwh), unit="kWh", source="sum of the readings"
            )
        )
    lines += [
        CalculationLine(label="limit", quantity=plain(limit_kwh), unit="kWh/month", source=RULE),
        CalculationLine(
            label="energy above the limit, all months", quantity=plain(above), unit="kWh", source="sum of what is above"
        ),
    ]
    caveats = [
        f"{readings:,} readings, by calendar month in {zone}. Nothing is rounded.",
        "The limit was read in press reports of the decree.",
        "It holds for mining without registration; a registered miner has no such limit.",
        "A ban in the region goes before it.",
    ]
    if partial:
        caveats.append(f"Not wholly measured, and not scaled up: {', '.join(partial)}.")
    return CalculationSheet(
        title="Household limit for mining without registration",
        rule=RULE,
        basis=Basis.STATUTORY,
        lines=tuple(lines),
        result=plain(above),
        unit="kWh",
        caveats=tuple(caveats),
    )


def _month_ns(month: tuple[int, int], zone: tzinfo) -> int:
    start = datetime(*month, 1, tzinfo=zone)
    days = monthrange(*month)[1]
    last = datetime(*month, days, tzinfo=zone).date() + timedelta(days=1)
    end = datetime(last.year, last.month, last.day, tzinfo=zone)
    return int((end.astimezone(UTC) - start.astimezone(UTC)).total_seconds()) * 1_000_000_000
