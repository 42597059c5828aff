"""Calculations with sheets: sums of money and of energy, each line with its source, to be done again by hand.

Numbers are decimal and exact. What is rounded, and how, is a line of the sheet's caveats.
"""

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from headframe.errors import HeadframeError

EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
"""Far more digits than any meter or tariff has; nothing is lost before the rounding that a sheet states."""


class BadCalculation(HeadframeError):
    """What came in cannot be calculated with; the message says what, and what would be right."""


def decimal_of(text: str, what: str) -> Decimal:
    """A number as it stands in a table or on a command line.

    Parameters
    ----------
    text : str
        With a point before the decimals.
    what : str
        What it is, for the message.

    Returns
    -------
    Decimal

    Raises
    ------
    BadCalculation
        If it is no finite number, or negative.

    Examples
    --------
    >>> decimal_of("0.30", "the rate")
    Decimal('0.30')
    """
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise BadCalculation(f"{what} is {text!a}; a number with a point before its decimals is expected") from None
    if not number.is_finite() or number < 0:
        raise BadCalculation(f"{what} is {text!a}; a number of zero or more is expected")
    return number


def rounded(number: Decimal, places: int) -> Decimal:
    """A number with so many decimals, halves away from zero as in bookkeeping."""
    return number.quantize(Decimal(1).scaleb(-places), context=EXACT)


def plain(number: Decimal) -> str:
    """A number as digits, never with an exponent."""
    return f"{number:f}"
