"""Sums that were worked out by hand, and sheets that can be added up again."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_cases import instant

from headframe.policy.calculators import BadCalculation, decimal_of
from headframe.policy.calculators.back_billing import MALAYSIA, DailyEnergy, PeriodLimit, back_billing, months_before
from headframe.policy.calculators.differential_tariff import RULES, BillingCycle, differential_tariff
from headframe.policy.calculators.household_limit import MeteredInterval, household_limit
from headframe.records.policy import Basis, CalculationSheet
from headframe.reports.policy import plain_value
from headframe.stores.packs import load_packs


def cycle(first: str, last: str, energy: str, source: str = "bill") -> BillingCycle:
    return BillingCycle(
        first=date.fromisoformat(first), last=date.fromisoformat(last), energy_kwh=Decimal(energy), source=source
    )


YEAR_2022 = [
    cycle("2022-04-01", "2022-04-30", "30000", "bill April"),
    cycle("2022-05-01", "2022-05-31", "31000", "bill May"),
    cycle("2022-06-01", "2022-06-30", "10000", "bill June"),
]


def quantities(sheet: CalculationSheet, unit: str) -> list[Decimal]:
    return [Decimal(line.quantity) for line in sheet.lines if line.unit == unit]


def test_sichuan_by_hand() -> None:
    """Mining since March, notice of 15 April, stopped on 20 June.

    April: 16 of 30 days of 30,000 kWh are 16,000 kWh. May: all 31,000. June: 20 of 30 days of 10,000 are 6,666.667.
    53,666.667 kWh at 2 CNY are 107,333.334, that is 107,333.33 CNY.
    """
    sheet = differential_tariff(
        RULES["sichuan"],
        YEAR_2022,
        mining_from=date(2022, 3, 5),
        mining_until=date(2022, 6, 20),
        issued=date(2022, 4, 15),
    )
    assert (sheet.result, sheet.unit, sheet.rule) == ("107333.33", "CNY", "sc186#1")
    assert quantities(sheet, "kWh") == [Decimal(n) for n in ("16000.000", "31000", "6666.667", "53666.667")]
    assert "Mining began on 2022-03-05; days before 2022-04-15 do not count." in sheet.caveats


def test_national_by_hand() -> None:
    """0.30 CNY on 31,000 kWh are 9,300 CNY."""
    sheet = differential_tariff(
        RULES["national"], YEAR_2022, mining_from=date(2022, 5, 1), mining_until=date(2022, 5, 31)
    )
    assert sheet.result == "9300.00"


def test_shandongs_draft_says_that_it_is_one() -> None:
    """The sum is there to be seen; nothing can be charged on it, and its basis is ours."""
    sheet = differential_tariff(
        RULES["shandong-draft"], YEAR_2022, mining_from=date(2022, 2, 1), mining_until=date(2022, 4, 30)
    )
    assert sheet.result == "60000.00"
    assert sheet.basis is Basis.OPERATOR_DEFAULT
    assert any("DRAFT" in text for text in sheet.caveats)
    # 25 February to 31 March are 35 days without a bill.
    assert any(text.startswith("35 days between 2022-02-25 and 2022-04-30") for text in sheet.caveats)


def test_without_a_confirmed_stop_the_sum_is_not_final() -> None:
    """It goes up to the last bill, and says so."""
    sheet = differential_tariff(RULES["national"], YEAR_2022, mining_from=date(2022, 6, 16), mining_until=None)
    assert sheet.result == "1500.00"
    assert any("no final one" in text for text in sheet.caveats)


def test_mining_that_ended_before_the_notice_costs_nothing() -> None:
    """No day counts, and the sheet says why."""
    sheet = differential_tariff(
        RULES["sichuan"],
        YEAR_2022,
        mining_from=date(2022, 3, 1),
        mining_until=date(2022, 4, 2),
        issued=date(2022, 4, 15),
    )
    assert sheet.result == "0.00"
    assert any("No day counts" in text for text in sheet.caveats)


@pytest.mark.parametrize(
    ("cycles", "more", "words"),
    [
        ([], {}, "there is no billing cycle"),
        ([cycle("2022-05-02", "2022-05-01", "1")], {}, "before it begins"),
        (
            [*YEAR_2022, cycle("2022-06-30", "2022-07-30", "1", "bill July")],
            {},
            "bill June .* and bill July .* overlap",
        ),
        (YEAR_2022, {"mining_until": date(2022, 1, 1)}, "before it began"),
        (YEAR_2022, {"issued": None}, "day of issue of sc186#1 is not confirmed"),
    ],
)
def test_what_cannot_be_calculated_is_told(cycles: list[BillingCycle], more: dict[str, date], words: str) -> None:
    """Nothing is guessed."""
    given = {"mining_from": date(2022, 3, 1), "mining_until": date(2022, 6, 1), "issued": date(2022, 4, 15), **more}
    with pytest.raises(BadCalculation, match=words):
        differential_tariff(RULES["sichuan"], cycles, **given)  # type: ignore[arg-type]


@given(st.lists(st.decimals(0, 1_000_000, places=3), min_size=1, max_size=12), st.integers(0, 400), st.integers(0, 400))
def test_a_sheet_adds_up(energies: list[Decimal], from_day: int, days: int) -> None:
    """The lines of a sheet, added by hand, give its result; no more is charged than the whole bills hold."""
    start = date(2023, 1, 1).toordinal()
    cycles = [
        BillingCycle(
            first=date.fromordinal(start + 30 * n),
            last=date.fromordinal(start + 30 * n + 29),
            energy_kwh=energy,
            source=f"bill {n}",
        )
        for n, energy in enumerate(energies)
    ]
    sheet = differential_tariff(
        RULES["national"],
        cycles,
        mining_from=date.fromordinal(start + from_day),
        mining_until=date.fromordinal(start + from_day + days),
    )
    *parts, total = quantities(sheet, "kWh")
    assert sum(parts) == total
    assert abs(total * Decimal("0.30") - Decimal(sheet.result)) <= Decimal("0.005")
    assert total <= sum(energies)
    assert sheet.lines[-1].quantity == sheet.result


def test_the_rates_are_those_of_the_packs() -> None:
    """The calculator and the pack's measure name one rate."""
    packs = load_packs()
    national = next(row for row in packs["cn-national-1283"].measures if row.id == "diff-tariff")
    assert Decimal(national.params["per_kWh"]) == RULES["national"].per_kwh
    assert Decimal(national.params["local"]["CN-SC"]) == RULES["sichuan"].per_kwh
    assert Decimal(national.params["local"]["CN-SD-draft"]) == RULES["shandong-draft"].per_kwh
    inner_mongolia = next(row for row in packs["cn-nm-2021-draft"].measures if row.id == "diff-tariff")
    assert Decimal(inner_mongolia.params["per_kWh"]) == RULES["inner-mongolia"].per_kwh


# -- household limit


def metered(start: str, end: str, energy: str, source: str = "row 2") -> MeteredInterval:
    zone = "Asia/Irkutsk"
    return MeteredInterval(
        start_ns=instant(start, zone), end_ns=instant(end, zone), energy_kwh=Decimal(energy), source=source
    )


def test_the_household_limit_by_hand() -> None:
    """6,000 kWh is not above 6,000; 7,250.5 is, by 1,250.5. Months begin in Irkutsk, eight hours before UTC."""
    sheet = household_limit(
        [
            metered("2026-01-01T00:00", "2026-02-01T00:00", "6000"),
            metered("2026-02-01T00:00", "2026-02-15T00:00", "4250.5", "row 3"),
            metered("2026-02-15T00:00", "2026-03-01T00:00", "3000", "row 4"),
        ],
        zone="Asia/Irkutsk",
    )
    assert (sheet.result, sheet.unit) == ("1250.5", "kWh")
    assert sheet.lines[0].label == "2026-01: not above the limit"
    assert sheet.lines[1].label == "2026-02: above the limit by 1250.5 kWh"
    assert sheet.lines[1].quantity == "7250.5"


def test_a_month_in_part_is_told_and_not_scaled() -> None:
    """5,900 kWh in half a month would be 12,000 in a whole one; that is not said."""
    sheet = household_limit([metered("2026-01-01T00:00", "2026-01-16T12:00", "5900")], zone="Asia/Irkutsk")
    assert sheet.result == "0"
    assert "in the part that was measured, 50.0% of the month measured" in sheet.lines[0].label
    assert "Not wholly measured, and not scaled up: 2026-01." in sheet.caveats


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "there is no reading"),
        ([metered("2026-01-20T00:00", "2026-02-20T00:00", "5")], "lies in two months"),
        ([metered("2026-01-20T00:00", "2026-01-20T00:00", "5")], "ends before it begins"),
        (
            [
                metered("2026-01-01T00:00", "2026-01-03T00:00", "5"),
                metered("2026-01-02T00:00", "2026-01-04T00:00", "5"),
            ],
            "overlaps",
        ),
    ],
)
def test_readings_that_cannot_be_shared_out_are_told(rows: list[MeteredInterval], words: str) -> None:
    """A bill over two months is not cut by guess."""
    with pytest.raises(BadCalculation, match=words):
        household_limit(rows, zone="Asia/Irkutsk")


# -- back-billing


ENERGY = DailyEnergy(low=Decimal(210), estimate=Decimal(240), high=Decimal("275.5"), source="finding U-7")


def loss(first: str, last: str, discovered: str, limit: PeriodLimit = MALAYSIA) -> CalculationSheet:
    return back_billing(
        ENERGY,
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        discovered=date.fromisoformat(discovered),
        tariff=Decimal("0.509"),
        currency="MYR",
        tariff_source="tariff B",
        limit=limit,
    )


def test_back_billing_by_hand() -> None:
    """Found on 3 September 2026: six months back is 3 March. 3 March to 2 September are 184 days.

    184 x 240 kWh are 44,160 kWh, at 0.509 MYR 22,477.44; the ends are 184 x 210 x 0.509 = 19,667.76 and
    184 x 275.5 x 0.509 = 25,802.228, that is 25,802.23.
    """
    sheet = loss("2026-01-10", "2026-09-02", "2026-09-03")
    by_label = {line.label: line.quantity for line in sheet.lines}
    assert by_label["days that count"] == "184"
    assert by_label["unmetered energy"] == "44160"
    assert (by_label["lower end"], sheet.result, by_label["upper end"]) == ("19667.76", "22477.44", "25802.23")
    assert "Days from 2026-01-10 to 2026-03-02 lie before the limit and are not billed." in sheet.caveats


def test_another_limit_is_the_operators() -> None:
    """Unless a text is named for it."""
    sheet = loss("2026-08-30", "2026-09-02", "2026-09-03", PeriodLimit(months=1))
    assert {line.label: line.quantity for line in sheet.lines}["days that count"] == "4"
    assert any("operator's own" in text for text in sheet.caveats)
    open_ended = loss("2024-01-01", "2024-12-31", "2026-09-03", PeriodLimit(months=None))
    assert {line.label: line.quantity for line in open_ended.lines}["days that count"] == "366"


def test_what_lies_before_the_limit_costs_nothing() -> None:
    """And the sheet says why."""
    sheet = loss("2025-01-01", "2025-06-30", "2026-09-03")
    assert sheet.result == "0.00"
    assert any("No day counts" in text for text in sheet.caveats)


def test_a_period_or_interval_that_is_turned_round_is_told() -> None:
    """Low <= estimate <= high, first <= last."""
    with pytest.raises(BadCalculation, match="before it begins"):
        loss("2026-03-02", "2026-03-01", "2026-09-03")
    with pytest.raises(BadCalculation, match="one or more"):
        loss("2026-03-01", "2026-03-02", "2026-09-03", PeriodLimit(months=0))
    assert months_before(date(2024, 8, 31), 6) == date(2024, 2, 29)


def test_what_comes_after_the_finding_is_not_billed() -> None:
    """A period that reaches beyond the day on which it was found is refused; that day itself counts."""
    with pytest.raises(
        BadCalculation, match="last day without metering is 2026-09-04, after 2026-09-03, on which it was"
    ):
        loss("2026-08-01", "2026-09-04", "2026-09-03")
    assert {line.label: line.quantity for line in loss("2026-09-03", "2026-09-03", "2026-09-03").lines}[
        "days that count"
    ] == "1"


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "-1", "1,5"])
def test_a_number_is_digits(text: str) -> None:
    """Nothing that is no finite number of zero or more comes through."""
    with pytest.raises(BadCalculation, match="is expected"):
        decimal_of(text, "the rate")


def test_a_sheet_goes_through_json() -> None:
    """As the commands write it and the casework reads it."""
    from headframe.cases.codec import value_from_json

    sheet = loss("2026-01-10", "2026-09-02", "2026-09-03")
    assert value_from_json(json.loads(json.dumps(plain_value(sheet))), CalculationSheet, "sheet") == sheet
