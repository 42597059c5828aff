"""Keeping account of rows: what was kept, and what was wrong with the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from headframe.records.reading import ReadingAccount
from headframe.records.site import SourceRow

FIRST_ROWS = 5
"""So many rows are named for each reason; the count is exact."""


class Tally:
    """Collects the account of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows = 0
        self._bad: dict[str, tuple[int, list[int]]] = {}
        self._remarks: dict[str, int | None] = {}

    def problem(self, reason: str, rows: Sequence[int] | Iterable[int], count: int | None = None) -> None:
        """Count rows that could not be used; `count` where `rows` are only some of them."""
        rows = list(rows)
        if not rows and not count:
            return
        before, first = self._bad.get(reason, (0, []))
        first = sorted([*first, *sorted(rows)[:FIRST_ROWS]])[:FIRST_ROWS]
        self._bad[reason] = (before + (len(rows) if count is None else count), first)

    def remark(self, text: str, count: int | None = None) -> None:
        """Say a fact once; where it has a number, ``{}`` in the text, the numbers add up."""
        if count is None:
            self._remarks[text] = None
        elif count:
            self._remarks[text] = (self._remarks.get(text) or 0) + count

    @property
    def bad(self) -> int:
        """Rows with a problem so far."""
        return sum(count for count, _ in self._bad.values())

    def reasons(self) -> list[str]:
        """What was wrong so far."""
        return list(self._bad)

    def account(self) -> ReadingAccount:
        """All of it, as a record."""
        return ReadingAccount(
            file=self.file,
            rows=self.rows,
            kept=self.rows - self.bad,
            problems=tuple(
                (reason, count, tuple(SourceRow(self.file, row) for row in first))
                for reason, (count, first) in self._bad.items()
            ),
            remarks=tuple(
                text if count is None else text.replace("{}", f"{count:,}") for text, count in self._remarks.items()
            ),
        )
