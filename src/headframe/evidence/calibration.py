"""How often innocent traffic matches: the table behind the evidence of content and endpoint findings.

A detector that looks something up has no probability model. Its evidence is counted instead: in benign corpora of
stated size, how many conversations, names or addresses does it match? The upper 95 % bound of Clopper and Pearson on
that rate is a false-match rate that holds whatever the true one is; its reciprocal is the e-value of a match. The
table is written by `headframe calibrate`, never by hand, and each row names its corpora and the detector's version.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

FORMAT = "headframe-calibration-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What one benign corpus gave: its name, how many things were looked at, and how many matched."""

    name: str
    size: int
    matches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRow:
    """A counted false-match bound.

    Attributes
    ----------
    detector, version : str
        What was counted: a row speaks for this version only.
    key : str
        The kind of match within the detector, such as ``name`` or ``address_port``.
    unit : str
        What was counted, in the plural: ``conversations``, ``names``, ``addresses``.
    corpora : tuple of Corpus
    size, matches : int
        Sums over the corpora.
    bound : float
        Upper 95 % Clopper-Pearson bound of the match rate. [unitless]
    date : datetime.date
        When it was counted.
    written_by : str
        The command that wrote the row.
    """

    detector: str
    version: str
    key: str
    unit: str
    corpora: tuple[Corpus, ...]
    size: int
    matches: int
    bound: float
    date: date
    written_by: str


def clopper_pearson_upper(matches: int, size: int, confidence: float = 0.95) -> float:
    """Upper bound of a rate from a count, exact: too low with probability at most ``1 - confidence``.

    Parameters
    ----------
    matches, size : int
        0 <= matches <= size, size >= 1.
    confidence : float
        Between 0 and 1, both excluded.

    Returns
    -------
    float
        One-sided upper bound. [unitless]

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> round(clopper_pearson_upper(0, 300), 5)  # the "rule of three": about 3 / 300
    0.00994

    References
    ----------
    .. [1] Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
       Biometrika 26(4), 1934. doi:10.1093/biomet/26.4.404
    """
    if size < 1 or not 0 <= matches <= size:
        raise ValueError(f"need 0 <= matches <= size and size >= 1, got matches {matches}, size {size}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if matches == size:
        return 1.0
    if matches == 0:  # (1 - p)^size = 1 - confidence
        return -math.expm1(math.log1p(-confidence) / size)
    # Imported here: it takes 200 ms, and reading a table needs none of it.
    from scipy.special import betaincinv

    return float(betaincinv(matches + 1, size - matches, confidence))


def count_row(
    *, detector: str, version: str, key: str, unit: str, corpora: Iterable[Corpus], on: date, written_by: str
) -> CalibrationRow:
    """Row of the table from the counts of its corpora.

    Parameters
    ----------
    detector, version, key, unit, written_by : str
        See `CalibrationRow`.
    corpora : iterable of Corpus
        Disjoint ones: a thing that stands in two of them must be counted in one.
    on : datetime.date
        The day of counting.

    Returns
    -------
    CalibrationRow

    Raises
    ------
    ValueError
        If the corpora hold nothing.
    """
    rows = tuple(sorted(corpora, key=lambda corpus: corpus.name))
    size, matches = sum(row.size for row in rows), sum(row.matches for row in rows)
    if size == 0:
        raise ValueError(f"no {unit} in the corpora for {detector} {key}: nothing was counted")
    return CalibrationRow(
        detector=detector, version=version, key=key, unit=unit, corpora=rows, size=size, matches=matches,
        bound=clopper_pearson_upper(matches, size), date=on, written_by=written_by,
    )  # fmt: skip


class CalibrationTable:
    """Rows by detector and key.

    Parameters
    ----------
    rows : iterable of CalibrationRow

    Raises
    ------
    ValueError
        If two rows have the same detector and key.
    """

    def __init__(self, rows: Iterable[CalibrationRow] = ()) -> None:
        self._rows: dict[tuple[str, str], CalibrationRow] = {}
        for row in rows:
            if (row.detector, row.key) in self._rows:
                raise ValueError(f"two rows for detector {row.detector}, key {row.key}")
            self._rows[row.detector, row.key] = row

    @property
    def rows(self) -> tuple[CalibrationRow, ...]:
        """All rows, by detector and key."""
        return tuple(self._rows[place] for place in sorted(self._rows))

    def row(self, detector: str, key: str) -> CalibrationRow | None:
        """The row of a detector's key, None where nothing was counted."""
        return self._rows.get((detector, key))

    def log10_e(self, detector: str, key: str) -> float:
        """Evidence of one match: ``log10(1 / bound)``; 0.0, that is none, where nothing was counted (see `missing`)."""
        row = self.row(detector, key)
        return 0.0 if row is None else -math.log10(row.bound)

    def missing(self, detector: str, key: str) -> str | None:
        """A sentence for the report where a key has no row; None where it has one."""
        if self.row(detector, key) is not None:
            return None
        return (
            f"No false-match rate was counted for {detector} {key}: such matches carry no evidence. "
            "Run `headframe calibrate` with benign corpora."
        )

    def with_rows(self, rows: Iterable[CalibrationRow]) -> CalibrationTable:
        """A table in which `rows` replace those of the same detector and key."""
        merged = dict(self._rows)
        merged.update({(row.detector, row.key): row for row in rows})
        return CalibrationTable(merged.values())

    def to_json(self) -> str:
        """The table as text: same rows, same text."""
        content = {"format": FORMAT, "rows": [_to_json(row) for row in self.rows]}
        return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> CalibrationTable:
        """Table that `to_json` wrote.

        Parameters
        ----------
        text : str

        Returns
        -------
        CalibrationTable

        Raises
        ------
        ValueError
            If the text is no calibration table, or a row's bound is not the one its counts give.
        """
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}, expected {FORMAT!r}")
            return cls([_from_json(entry) for entry in content["rows"]])
        except (KeyError, TypeError) as fault:
            raise ValueError(f"{fault!r}") from fault


def stale_rows(table: CalibrationTable, versions: Mapping[str, str]) -> list[str]:
    """Sentences on rows that speak for another version of their detector: those must be counted again.

    Parameters
    ----------
    table : CalibrationTable
    versions : mapping of str to str
        Current version of each detector by its name.

    Returns
    -------
    list of str
        Empty where all is well.
    """
    return [
        f"{row.detector} {row.key} was counted on {row.date} for version {row.version}; the detector is at version "
        f"{versions[row.detector]}. Run `headframe calibrate` again."
        for row in table.rows
        if row.detector in versions and versions[row.detector] != row.version
    ]


def _to_json(row: CalibrationRow) -> dict[str, Any]:
    return asdict(row) | {"date": row.date.isoformat(), "corpora": [asdict(corpus) for corpus in row.corpora]}


def _from_json(entry: Mapping[str, Any]) -> CalibrationRow:
    """A row, checked against itself: a bound typed in by hand is refused."""
    corpora = tuple(Corpus(**corpus) for corpus in entry["corpora"])
    row = CalibrationRow(**{**entry, "corpora": corpora, "date": date.fromisoformat(entry["date"])})
    if row.size != sum(corpus.size for corpus in corpora) or row.matches != sum(corpus.matches for corpus in corpora):
        raise ValueError(f"{row.detector} {row.key}: size and matches are not the sums over the corpora")
    # The approximation of the inverse may differ between library builds in the last digits.
    if not math.isclose(row.bound, clopper_pearson_upper(row.matches, row.size), rel_tol=1e-6):
        raise ValueError(f"{row.detector} {row.key}: the bound {row.bound} is not that of its counts")
    return row
