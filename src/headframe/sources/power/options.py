"""What a user may say about a file of readings, and what reading it gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from headframe.records.reading import MeterEvent, ReadingAccount

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """What cannot always be told from the file itself; None is to be found out.

    Attributes
    ----------
    zone : datetime.tzinfo or None
        Of times without an offset; UTC where None, and a remark says so.
    delimiter : str or None
        One character, of a text file.
    decimal : str or None
        ``.`` or ``,``.
    duration_s : int or None
        Length of all intervals. [s]
    day_first : bool or None
        Whether 03/04 is the third of April.
    """

    zone: tzinfo | None = None
    delimiter: str | None = None
    decimal: str | None = None
    duration_s: int | None = None
    day_first: bool | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or not self.delimiter.isascii()):
            raise ValueError(f"the delimiter {self.delimiter!r} is not one ASCII character")
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"the decimal sign {self.decimal!r} is neither a point nor a comma")
        if self.duration_s is not None and not 0 < self.duration_s <= LONGEST_S:
            raise ValueError(f"an interval of {self.duration_s} s is not between 1 s and {LONGEST_S} s")


LONGEST_S = 400 * 86_400
"""The longest interval that is taken for one: a yearly reading with some weeks to spare. [s]"""

EARLIEST_S, LATEST_S = 0, 4_102_444_800
"""1970 and 2100: a time outside is a fault of the file, and one of them would make a series of millions of hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFile:
    """What one file says.

    Attributes
    ----------
    readings : polars.DataFrame
        Columns of `INTERVAL_READING`, sorted by usage point, flow and start; one row for each interval.
    account : ReadingAccount
        Every row is in it, as kept or with what was wrong.
    events : tuple of MeterEvent
        In order of the file.
    """

    readings: pl.DataFrame
    account: ReadingAccount
    events: tuple[MeterEvent, ...] = ()
