"""How figures, instants and foreign text are written, the same in every report.

Names of pools, agents and workers come out of captured traffic, so whoever sent it chose them. `visible` makes every
character of such text harmless to a terminal and plain to the eye.
"""

import math
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from headframe.records.finding import BlockSync, Family, Interval, Role, SourceRef
from headframe.records.scan import ScanResult

NS_PER_S = 1_000_000_000

ROLE_NAME: dict[Role, str] = {
    Role.MINER: "miner",
    Role.PROXY: "proxy",
    Role.POOL: "pool",
    Role.NODE_CLIENT: "node client",
    Role.PROBE: "probe",
    Role.FOLLOWER: "follower",
    Role.CONTACT: "contact",
}
"""Each role in words, in the order in which reports list them: what weighs most comes first."""

ROLE_ORDER: dict[Role, int] = {role: place for place, role in enumerate(ROLE_NAME)}

_OFF_HOUR_S = 60.0  # clocks drift by seconds besides; a minute is generous

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# RFC 3339 has four-digit years only; a damaged time stamp may claim any other.
_FIRST_S = int((datetime(1, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
_LAST_S = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds())

SI_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
"""Factors and the prefixes that stand for them, the largest first."""
_LARGE = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
# Unicode categories that draw nothing of their own or change how the rest is drawn: controls, format characters (the
# bidirectional overrides among them), lone surrogates, private use, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def visible(text: str, longest: int = 400) -> str:
    r"""`text` with each character that a reader could not see written as an escape, and cut where it is too long.

    Parameters
    ----------
    text : str
        Anything, hostile or not.
    longest : int
        More characters than this are cut off, and the cut is stated. [characters]

    Returns
    -------
    str
        One line without controls, escape sequences, bidirectional overrides or lone surrogates.

    Examples
    --------
    >>> print(visible("pool\x1b[2Jname"))
    pool\x1b[2Jname
    """
    cut = len(text) - longest
    if cut > 0:
        text = text[:longest]
    if not (text.isascii() and text.isprintable()):
        text = "".join(_escape(character) for character in text)
    return f"{text}... ({cut:,} more characters)" if cut > 0 else text


def _escape(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def si(value: float, unit: str) -> str:
    """`value` with three significant digits and an SI prefix.

    Examples
    --------
    >>> si(5214.0, "H/s")
    '5.21 kH/s'
    >>> si(0.0, "H/s")
    '0 H/s'
    """
    if not math.isfinite(value):
        return f"unknown {unit}"
    size = abs(value)
    # 999.5 rounds up to 1000 at three digits: the next prefix must take it.
    for factor, prefix in SI_PREFIXES:
        if size >= factor * 0.9995:
            return f"{_three_digits(value / factor)} {prefix}{unit}"
    return f"{_three_digits(value)} {unit}"


def _three_digits(value: float) -> str:
    text = f"{value:.3g}"
    # 1.23e+03 reads as 1230; beyond a million of the largest prefix only the exponent is readable.
    return f"{value:.0f}" if "e" in text and 1 <= abs(value) < 1e6 else text


def interval(estimate: Interval, unit: str) -> str:
    """An estimate with its 95 % interval, in one unit where the numbers stay readable so.

    Examples
    --------
    >>> interval(Interval(4100.0, 5200.0, 6400.0), "H/s")
    '5.2 kH/s (4.1 to 6.4)'
    >>> interval(Interval(40.0, 99.7e3, 3.715e6), "W")
    '99.7 kW (40 W to 3.71 MW)'
    """
    middle, separator, low_and_high = interval_parts(estimate, unit)
    return f"{middle} ({low_and_high})" if separator else f"{middle} ({low_and_high.rpartition(' ')[0]})"


def interval_parts(estimate: Interval, unit: str) -> tuple[str, bool, str]:
    """The estimate in words, whether its ends have units of their own, and the ends with their unit or units.

    Examples
    --------
    >>> interval_parts(Interval(4100.0, 5200.0, 6400.0), "H/s")
    ('5.2 kH/s', False, '4.1 to 6.4 kH/s')
    """
    low, middle, high = estimate.low, estimate.estimate, estimate.high
    factor, prefix = next(((f, p) for f, p in SI_PREFIXES if abs(middle) >= f * 0.9995), (1.0, ""))
    readable = math.isfinite(low + middle + high) and abs(high) < 1000 * factor and not 0 < abs(low) < 0.01 * factor
    if not readable:
        return si(middle, unit), True, f"{si(low, unit)} to {si(high, unit)}"
    ends = f"{_three_digits(low / factor)} to {_three_digits(high / factor)} {prefix}{unit}"
    return f"{_three_digits(middle / factor)} {prefix}{unit}", False, ends


def instant(time_ns: int) -> str:
    """RFC 3339 in UTC with nine digits of fraction; years outside 1 to 9999 are clamped.

    Parameters
    ----------
    time_ns : int
        [ns since 1970-01-01 UTC]

    Examples
    --------
    >>> instant(1_618_542_587_000_000_042)
    '2021-04-16T03:09:47.000000042Z'
    """
    seconds, fraction = divmod(time_ns, NS_PER_S)
    if seconds < _FIRST_S:
        seconds, fraction = _FIRST_S, 0
    elif seconds > _LAST_S:
        seconds, fraction = _LAST_S, NS_PER_S - 1
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment.isoformat(timespec='seconds').removesuffix('+00:00')}.{fraction:09d}Z"


def clock_time(time_ns: int) -> str:
    """Date and time of day to the second, for people.

    Examples
    --------
    >>> clock_time(1_618_542_587_000_000_042)
    '2021-04-16 03:09:47'
    """
    return instant(time_ns)[:19].replace("T", " ")


def to_the_second(text: str) -> str:
    """What `instant` wrote, for people: to the second, with its zone; any other text as it is.

    Examples
    --------
    >>> to_the_second("2021-04-16T03:09:47.000000042Z"), to_the_second("2021-04-16")
    ('2021-04-16 03:09:47 UTC', '2021-04-16')
    """
    if len(text) == 30 and text.endswith("Z") and (text[10], text[19]) == ("T", ".") and text[20:29].isdigit():
        return f"{text[:10]} {text[11:19]} UTC"
    return text


def period(started_ns: int, ended_ns: int) -> str:
    """Since and until, the date only once where both fall on the same day.

    Examples
    --------
    >>> period(1_618_542_587_000_000_000, 1_618_542_647_000_000_000)
    '2021-04-16 03:09:47 to 03:10:47'
    """
    started, ended = clock_time(started_ns), clock_time(ended_ns)
    return f"{started} to {ended[11:] if ended[:10] == started[:10] else ended}"


def duration(length_ns: int) -> str:
    """A length of time in its two largest units.

    Examples
    --------
    >>> duration(22_265 * NS_PER_S)
    '6 h 11 min'
    >>> duration(42_000_000)
    '0.042 s'
    """
    if length_ns < 0:
        return "-" + duration(-length_ns)
    if length_ns < 10 * NS_PER_S:
        return f"{length_ns / NS_PER_S:.3g} s"
    seconds = round(length_ns / NS_PER_S)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days:,} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    parts.append(f"{seconds} s" if seconds else "")
    return " ".join([part for part in parts if part][:2])


def odds(log10_e: float) -> str:
    """What an e-value means: how often, at most, an innocent subject shows as much.

    Examples
    --------
    >>> odds(6.0)
    '1 in 1 million'
    >>> odds(-0.5)
    'no evidence'
    """
    if math.isnan(log10_e):
        return "unknown"
    # An e-value of 1 or less bounds nothing: P(E >= 1) <= 1.
    if log10_e <= 0:
        return "no evidence"
    if log10_e >= 15:
        return f"1 in 10^{_exponent(log10_e)}"
    # From the exponent as it is shown: whoever raises ten to it comes to these odds.
    shown = _hundredths(log10_e)
    if shown <= 0:
        return "no evidence"
    e_value = 10.0**shown
    for factor, name in _LARGE:
        # Rounded down, because the statement is a bound.
        if e_value >= factor * (1 - 1e-12):
            return f"1 in {_floor_two_digits(e_value / factor)} {name}"
    return f"1 in {_floor_two_digits(e_value)}"


def _floor_two_digits(value: float) -> str:
    step = 10.0 ** (math.floor(math.log10(value) + 1e-9) - 1)
    floored = math.floor(value / step + 1e-9) * step
    return f"{floored:,.0f}" if floored >= 10 else f"{floored:.1f}".removesuffix(".0")


def _exponent(log10_e: float) -> str:
    if math.isinf(log10_e):
        return "infinity"
    return f"{_hundredths(log10_e):.2f}".removesuffix(".00")


def _hundredths(exponent: float) -> float:
    """Rounded down, but 2.3 stays 2.3: its hundredfold is 229.99999999999997."""
    return math.floor(exponent * 100 + 1e-9) / 100


def power_of_ten(log10_e: float) -> str:
    """An e-value as a power of ten, rounded down to two decimals.

    Examples
    --------
    >>> power_of_ten(2.7627)
    '10^2.76'
    """
    return "unknown" if math.isnan(log10_e) else f"10^{_exponent(log10_e)}"


def evidence_words(log10_e: float) -> str:
    """The evidence as a power of ten and in words.

    Examples
    --------
    >>> evidence_words(2.7627)
    '10^2.76 (1 in 570)'
    """
    if log10_e >= 15 or math.isnan(log10_e):
        return power_of_ten(log10_e)
    return f"{power_of_ten(log10_e)} ({odds(log10_e)})"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun.

    Examples
    --------
    >>> count(1, "packet"), count(1200, "packet"), count(0, "lookalike")
    ('1 packet', '1,200 packets', 'no lookalikes')
    """
    noun = singular if number == 1 else (plural or singular + "s")
    return f"{number:,} {noun}" if number else f"no {noun}"


def size(number_of_bytes: int) -> str:
    """Bytes with an SI prefix.

    Examples
    --------
    >>> size(7_340_032)
    '7.34 MB'
    """
    return si(float(number_of_bytes), "B")


def packet_ranges(source: SourceRef, most: int = 12) -> str:
    """Packet numbers with neighbours drawn together, and how many were left off.

    Parameters
    ----------
    source : SourceRef
    most : int
        More ranges than this are left off, and their packets counted.

    Examples
    --------
    >>> packet_ranges(SourceRef(file="a.pcap", packets=(4, 5, 6, 9)))
    '4-6, 9'
    """
    ranges: list[list[int]] = []
    for number in source.packets:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in ranges[:most])
    left_off = sum(last - first + 1 for first, last in ranges[most:])
    return f"{shown} and {left_off:,} more" if left_off else shown


def pushes_in_time(sync: BlockSync) -> str:
    """How many blocks a push followed in time.

    Parameters
    ----------
    sync : BlockSync

    Returns
    -------
    str
        ``37 of 38 blocks``.
    """
    return f"{sync.hits:,} of {count(sync.blocks, 'block')}"


def expected_count(expected: float) -> str:
    """A number of events that is expected on average.

    Examples
    --------
    >>> expected_count(0.875), expected_count(0.02), expected_count(41.3)
    ('0.9', 'less than 0.1', '41')
    """
    if not math.isfinite(expected):
        return "unknown"
    if 0 < expected < 0.1:
        return "less than 0.1"
    return f"{expected:.1f}" if 0 < expected < 10 else f"{expected:,.0f}"


def offset_parts(offset_s: Interval) -> tuple[str, str]:
    """How far pushes lie behind a block clock: briefly with the interval, and what it means.

    Parameters
    ----------
    offset_s : Interval
        Positive where pushes come after the clock's blocks. [s]

    Examples
    --------
    >>> offset_parts(Interval(16.5, 17.0, 17.5))[0]
    '17 s after the blocks (16.5 to 17.5 s)'
    >>> print(offset_parts(Interval(-3.0, -2.5, -2.5))[1])
    The sensor's clock is 2.5 s behind the block clock, or that clock hears of blocks so late.
    >>> offset_parts(Interval(25_199.5, 25_200.0, 25_200.5))[0]
    '7 h after the blocks (25,199.5 to 25,200.5 s)'
    """
    low, middle, high = offset_s.low, offset_s.estimate, offset_s.high
    if not math.isfinite(low + middle + high):
        return "unknown", "The offset between the sensor's clock and the block clock is not known."
    if low <= 0 <= high:
        around = f" ({_tenths(low)} to {_tenths(high)} s)" if low < high else ""
        return (
            f"with the blocks{around}",
            "The sensor's clock and the block clock agree, as far as can be told.",
        )
    near, far = sorted((abs(low), abs(high)))
    ends = "" if near == far else f" ({_tenths(near)} to {_tenths(far)} s)"
    side, place = ("ahead of", "after") if middle > 0 else ("behind", "before")
    hours = round(abs(middle) / 3600)
    rest_s = round(abs(middle) - hours * 3600, 1)
    # Nobody's pool is an hour late, but a clock set to local time is off by whole hours.
    if hours and abs(rest_s) <= _OFF_HOUR_S:
        brief = f"{hours:,} h"
        if rest_s:
            brief += f" {'and' if rest_s > 0 else 'less'} {_tenths(abs(rest_s))} s"
        meaning = f"The sensor's clock is {brief} {side} the block clock: whole hours speak for a wrong time zone."
    else:
        brief = duration(round(abs(middle) * 10) * (NS_PER_S // 10))
        other = "the pool needs so long" if middle > 0 else "that clock hears of blocks so late"
        meaning = f"The sensor's clock is {brief} {side} the block clock, or {other}."
    return f"{brief} {place} the blocks{ends}", meaning


def _tenths(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def list_promise(result: ScanResult) -> str | None:
    """How many of the timing findings may be wrong, which is a promise about the list and not about one of them.

    Parameters
    ----------
    result : ScanResult

    Returns
    -------
    str or None
        None where nothing was tested.
    """
    if not result.timing_tested or result.timing_fdr is None:
        return None
    # Whoever follows a chain without mining was on the list too, before it was told apart.
    also = " and lookalikes" if any(like.detector == "chain_sync" for like in result.lookalikes) else ""
    tested = f"{count(result.timing_tested, 'tested pair')} of client and server"
    if not also and not any(finding.family is Family.TIMING for finding in result.findings):
        return f"timing findings: none among {tested}"
    return f"timing findings{also}: at most {result.timing_fdr * 100:g} % of them wrong on average (e-BH over {tested})"


MOST_REMARK_LINES = 10


def remark_lines(remarks: Sequence[str]) -> list[str]:
    """What to know of a result itself, such as rows of a table that were not understood.

    Parameters
    ----------
    remarks : sequence of str

    Returns
    -------
    list of str
        Without line ends.
    """
    lines = [f"Remark: {visible(remark)}" for remark in remarks[:MOST_REMARK_LINES]]
    if (more := len(remarks) - MOST_REMARK_LINES) > 0:
        lines.append(f"Remark: {more:,} more; --format json lists them all")
    return lines
