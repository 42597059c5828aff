"""Figures, instants and foreign text in words."""

import math
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.records.finding import Interval, SourceRef
from headframe.reports import words
from tests.reports.samples import HOSTILE


@given(st.text())
def test_visible_text_holds_no_character_that_a_reader_cannot_see(text: str) -> None:
    """Controls, bidirectional overrides and lone surrogates never pass, and the result can be encoded."""
    shown = words.visible(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for c in shown)
    shown.encode("utf-8")


def test_visible_keeps_ordinary_text_and_names_what_it_escapes() -> None:
    """A reader still sees which bytes were there."""
    assert words.visible("矿池 pool.example:4444") == "矿池 pool.example:4444"
    assert words.visible("a\x1b[31mb\u202ec\x00") == r"a\x1b[31mb\u202ec\x00"
    assert "\\udc80" in words.visible(HOSTILE)


def test_visible_states_how_much_it_cut() -> None:
    """Nothing is lost silently."""
    assert words.visible("x" * 1_500, longest=10) == "xxxxxxxxxx... (1,490 more characters)"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0, "H/s", "0 H/s"),
        (999.4, "H/s", "999 H/s"),
        (999.6, "H/s", "1 kH/s"),
        (999_600.0, "H/s", "1 MH/s"),
        (1_234.0, "W", "1.23 kW"),
        (104e12, "H/s", "104 TH/s"),
        (650e18, "H/s", "650 EH/s"),
        (1.5e21, "H/s", "1500 EH/s"),
        (0.25, "W", "0.25 W"),
        (math.nan, "W", "unknown W"),
        (math.inf, "W", "unknown W"),
    ],
)
def test_si(value: float, unit: str, expected: str) -> None:
    """Three digits and the prefix that keeps the number below 1,000."""
    assert words.si(value, unit) == expected


@given(st.floats())
def test_si_is_short_for_any_number(value: float) -> None:
    """No input makes a column wider than a column should be."""
    assert len(words.si(value, "H/s")) <= 20


def test_interval_keeps_one_unit_for_all_three_numbers() -> None:
    """4.1 to 6.4 beside 5.2 kH/s can only be read as kH/s."""
    assert words.interval(Interval(900.0, 1_100.0, 1_300.0), "H/s") == "1.1 kH/s (0.9 to 1.3)"
    assert words.interval(Interval(0.0, 0.0, 3.7), "H/s") == "0 H/s (0 to 3.7)"


@given(st.integers(min_value=0, max_value=2**62))
def test_instant_keeps_every_nanosecond(time_ns: int) -> None:
    """An instant read back is the instant that was written."""
    written = words.instant(time_ns)
    moment = datetime.strptime(written[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    assert int(moment.timestamp()) * 10**9 + int(written[20:29]) == time_ns
    assert written.endswith("Z")


@given(st.integers())
def test_instant_is_rfc3339_for_any_integer(time_ns: int) -> None:
    """A damaged time stamp may claim any year; RFC 3339 has four digits for it."""
    datetime.fromisoformat(words.instant(time_ns))


@pytest.mark.parametrize(
    ("log10_e", "expected"),
    [
        (6.0, "1 in 1 million"),
        (6.28, "1 in 1.9 million"),
        (3.0, "1 in 1,000"),
        (2.4, "1 in 250"),
        (0.4, "1 in 2.5"),
        (12.9, "1 in 7.9 trillion"),
        (20.0, "1 in 10^20"),
        (0.0, "no evidence"),
        (-3.0, "no evidence"),
        (math.inf, "1 in 10^infinity"),
        (math.nan, "unknown"),
    ],
)
def test_odds(log10_e: float, expected: str) -> None:
    """The bound in words."""
    assert words.odds(log10_e) == expected


@given(st.floats(min_value=0.01, max_value=14.9))
def test_odds_never_claim_more_than_the_evidence_bears(log10_e: float) -> None:
    """The words round down: a bound that was rounded up would be false."""
    said = words.odds(log10_e).removeprefix("1 in ").replace(",", "")
    number, _, name = said.partition(" ")
    factor = {"": 1.0, "million": 1e6, "billion": 1e9, "trillion": 1e12}[name]
    claimed = float(number) * factor
    assert claimed <= 10**log10_e * (1 + 1e-6)
    # Two roundings: the exponent to two decimals, the number to two digits.
    assert claimed >= 10**log10_e * 0.88 - 0.1


def test_power_of_ten_rounds_down() -> None:
    """Two decimals; what has two is not rounded down any further, whatever its binary fraction."""
    assert words.power_of_ten(6.2899) == "10^6.28"
    assert words.power_of_ten(-0.311) == "10^-0.32"
    for hundredths in range(1, 1_500):
        assert words.power_of_ten(hundredths / 100) == f"10^{hundredths / 100:.2f}".removesuffix(".00")


@given(st.floats(min_value=0.01, max_value=14.9))
def test_odds_are_what_the_exponent_shown_comes_to(log10_e: float) -> None:
    """A reader with a pocket calculator finds the odds that stand beside the power of ten, to two digits."""
    shown = 10 ** float(words.power_of_ten(log10_e).removeprefix("10^"))
    number, _, name = words.odds(log10_e).removeprefix("1 in ").replace(",", "").partition(" ")
    claimed = float(number) * {"": 1.0, "million": 1e6, "billion": 1e9, "trillion": 1e12}[name]
    assert claimed <= shown * (1 + 1e-6) < claimed * 1.1 + 0.1


def test_evidence_words_of_the_usual_content_finding() -> None:
    """10 to the power of 2.76 is 575, which two digits bound by 570."""
    assert words.evidence_words(2.7627) == "10^2.76 (1 in 570)"
    assert words.odds(0.004) == "no evidence"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.5, "0.5 s"),
        (59.7, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (90_061, "1 d 1 h"),
        (86_400 * 1_200, "1,200 d"),
    ],
)
def test_duration(seconds: float, expected: str) -> None:
    """The two largest units."""
    assert words.duration(round(seconds * 1e9)) == expected


def test_packet_ranges_count_what_they_leave_off() -> None:
    """Each packet is either shown or counted."""
    source = SourceRef(file="a", packets=(1, 2, 3, 7, 9, 10, 20, 30))
    assert words.packet_ranges(source, most=3) == "1-3, 7, 9-10 and 2 more"
    assert words.packet_ranges(SourceRef(file="a", packets=())) == ""
