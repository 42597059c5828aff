"""What ``headframe meters`` found: a row for each usage point and period, and what was read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headframe.records.load_finding import UsagePointResult
from headframe.records.reading import ReadingAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class MetersResult:
    """All rows, and the promise that the list among them keeps.

    Attributes
    ----------
    rows : sequence of UsagePointResult
        One for each usage point and period, listed ones first, then by score; rows without a score last.
    accounts : tuple of ReadingAccount
        What became of each input file.
    readings : int
        Intervals that were looked at, the missing ones among them.
    fdr : float
        False discovery rate that the list was cut at. [unitless]
    method : str
        ``e-BH`` or ``BH``: what cut it.
    period_days : int or None
        None: each usage point over all its data. [days]
    look_p : float
        What is not listed and has a p-value of at most this is worth a look. [unitless]
    zone : str
        Time zone of days and hours.
    known : tuple of str
        What was given beside the readings: ``topology``, ``weather``, ``prices``, ``sites``.
    not_tested : tuple of str
        Detectors that could not be asked at all, each with what it lacks.
    assumptions, remarks : tuple of str
    """

    rows: Sequence[UsagePointResult]
    accounts: tuple[ReadingAccount, ...] = ()
    readings: int = 0
    fdr: float = 0.05
    method: str = "BH"
    period_days: int | None = None
    look_p: float = 0.02
    zone: str = "UTC"
    known: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def listed(self) -> list[UsagePointResult]:
        """Those on the list."""
        return [row for row in self.rows if row.listed]

    @property
    def worth_a_look(self) -> list[UsagePointResult]:
        """Those that stand out and are not on the list."""
        return [row for row in self.rows if row.worth_a_look and not row.listed]

    @property
    def answered(self) -> int:
        """Rows with a p-value: the tests that the list was cut from."""
        return sum(not math.isnan(row.p_value) for row in self.rows)

    @property
    def expected_wrong(self) -> float:
        """Wrong entries that correspond to the rate, ``fdr`` times the list's length."""
        return self.fdr * len(self.listed)

    @property
    def expected_by_chance(self) -> float:
        """How many innocent points would be worth a look if all that answered were innocent."""
        return self.look_p * self.answered

    @property
    def damaged(self) -> list[ReadingAccount]:
        """Files of which some rows could not be understood."""
        return [account for account in self.accounts if account.problems]
