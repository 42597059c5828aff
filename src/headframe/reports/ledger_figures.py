"""Scale, hash rate and power use of a confirmed case for the weekly ledger: where each comes from, line by line.

They are estimates of findings, and the ledger says so; nobody has to hand in a number. A number that an operator has,
from an inspection or a bill, may stand in its place: marked as given, with its source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from headframe.records.finding import Interval
from headframe.reports.csv_rows import csv_number
from headframe.reports.words import SI_PREFIXES, interval, si
from headframe.sources.findings import interval_in

MONTH_H = 365.25 / 12 * 24
"""Hours of a mean month. [h]"""
UNITS = {"scale": "W", "hashrate": "H/s", "power_use": "Wh/month"}
"""Fields that hold figures, and their units; the prefix goes by the size."""
ESTIMATES = (
    "detector", "version", "usage_point", "power_w", "duty", "energy_wh", "period", "onset", "hashrate_hs",
    "consequences", "listed",
)  # fmt: skip
"""What of a finding's document is asked for."""
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_GIVEN = re.compile(
    rf"(?P<case>\S+)\s+(?P<name>\w+)\s+(?P<middle>{_NUMBER})\s*(?P<unit>[A-Za-z/]+)"
    rf"(?:\s*\((?P<low>{_NUMBER}) to (?P<high>{_NUMBER})\))?\s*:\s*(?P<source>.*)",
    re.DOTALL,
)
_FACTORS = {"": 1.0} | {prefix: factor for factor, prefix in SI_PREFIXES}
POWER, DUTY, HOURS, HASHRATE, ENERGY = "power", "duty", "hours", "hashrate", "energy"


class FigureLine(NamedTuple):
    """One line of how a figure came about: what, how much, and from where."""

    label: str
    quantity: str
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFigure:
    """A figure of the weekly ledger, and how it came about.

    Attributes
    ----------
    name : str
        ``scale``, ``hashrate`` or ``power_use``.
    value : Interval
        [W, hashes/s or Wh a month]
    lines : tuple of FigureLine
        What it is made of; labels are keys (`POWER`, `DUTY`, ...) that documents translate.
    given_from : str
        Where an operator who gave it has it from; empty for an estimate of findings.
    assumption : str
        What it rests on besides: ``sha256`` (machines of that algorithm), ``machines`` (power that machines of known
        efficiency would draw at the hash rate), ``not_listed`` (a load that stands out, and would not be on the list by
        itself), ``all_the_time``; empty for nothing.
    """

    name: str
    value: Interval
    lines: tuple[FigureLine, ...] = ()
    given_from: str = ""
    assumption: str = ""

    @property
    def text(self) -> str:
        """``10 kW (9 to 11), estimated``; without an interval where the operator gave none."""
        return f"{_range(self.value, UNITS[self.name])}, {'given' if self.given_from else 'estimated'}"


def figures_of(findings: Iterable[tuple[str, Mapping[str, object]]]) -> tuple[LedgerFigure, ...]:
    """Figures of a case from its findings' own estimates.

    Findings of one site see the same machines from several sides, so the largest estimate counts, and nothing is added
    up. But what a meter shows goes before what machines would draw at a hash rate, and a hash rate that shares show
    before one that follows from power.

    Parameters
    ----------
    findings : iterable of (str, mapping)
        Id and document of each.

    Returns
    -------
    tuple of LedgerFigure
        Of the fields that something is known of.
    """
    largest: dict[str, tuple[Interval, str, Mapping[str, object]]] = {}
    for finding_id, document in findings:
        named = " ".join(str(document[key]) for key in ("detector", "version") if document.get(key))
        source = f"{finding_id} ({named})" if named else finding_id
        follows = document.get("consequences")
        estimates = {
            "metered" if document.get("usage_point") else "drawn": document.get("power_w"),
            "shares": document.get("hashrate_hs"),
            "implied": follows.get("hashrate_hs") if isinstance(follows, Mapping) else None,
        }
        for kind, told in estimates.items():
            found = interval_in(told)
            if found is not None and found.estimate > (largest[kind][0].estimate if kind in largest else 0.0):
                largest[kind] = found, source, document
    metered, shares = largest.get("metered"), largest.get("shares")
    power = metered or largest.get("drawn")
    figures = []
    if power is not None:
        value, source, document = power
        line = FigureLine(label=POWER, quantity=_range(value, "W"), unit="", source=source)
        # Only a finding of traffic has both: its power follows from its hash rate.
        assumption = "machines" if metered is None and interval_in(document.get("hashrate_hs")) is not None else ""
        if metered is not None and document.get("listed") is False:
            assumption = "not_listed"
        figures.append(LedgerFigure(name="scale", value=value, lines=(line,), assumption=assumption))
    if (rate_of := shares or largest.get("implied")) is not None:
        line = FigureLine(label=HASHRATE, quantity=_range(rate_of[0], "H/s"), unit="", source=rate_of[1])
        assumption = "" if shares is not None else "sha256"
        figures.append(LedgerFigure(name="hashrate", value=rate_of[0], lines=(line,), assumption=assumption))
    if power is not None:
        figures.append(_power_use(*power))
    return tuple(figures)


def _power_use(value: Interval, source: str, document: Mapping[str, object]) -> LedgerFigure:
    """Energy of a mean month: power while it runs, times the share of the time in which it does, times hours.

    What a meter shows of it altogether stands beside that, with its days.
    """
    told = document.get("duty")
    duty = float(told) if isinstance(told, int | float) and 0 < told <= 1 else 1.0
    lines = [
        FigureLine(label=POWER, quantity=_range(value, "W"), unit="", source=source),
        FigureLine(label=DUTY, quantity=_rounded(duty), unit="", source=source if duty is told else ""),
        FigureLine(label=HOURS, quantity=_rounded(MONTH_H, 4), unit="h", source="365.25 d / 12"),
    ]
    energy = interval_in(document.get("energy_wh"))
    if energy is not None and energy.estimate > 0:
        days = _days_of(document)
        lines.append(
            FigureLine(
                label=ENERGY, quantity=_range(energy, "Wh"), unit="", source=f"{source}, {days}" if days else source
            )
        )
    use = Interval(*(part * duty * MONTH_H for part in (value.low, value.estimate, value.high)))
    return LedgerFigure(
        name="power_use",
        value=use,
        lines=tuple(lines),
        assumption="" if isinstance(told, int | float) else "all_the_time",
    )


def _days_of(document: Mapping[str, object]) -> str:
    """The days that a metered energy is of: since the onset, else those of the data; empty where they are not told."""
    period, onset = document.get("period"), document.get("onset")
    if not isinstance(period, Mapping):
        return ""
    began = onset.get("estimate") if isinstance(onset, Mapping) else period.get("start")
    return " / ".join(str(end)[: len("2026-11-02")] for end in (began, period.get("end")) if end)


def given_by_operator(name: str, value: Interval, source: str) -> LedgerFigure:
    """A number that an operator gave.

    Parameters
    ----------
    name : str
        ``scale``, ``hashrate`` or ``power_use``.
    value : Interval
        [W, hashes/s or Wh a month]
    source : str
        Where the operator has it from: ``inspection of 2026-11-03, nameplates``.

    Returns
    -------
    LedgerFigure

    Raises
    ------
    ValueError
        If the field holds no figure, no source is named, or the interval is turned round.
    """
    if name not in UNITS:
        raise ValueError(f"{name!a} is no figure of the ledger; figures are {', '.join(UNITS)}")
    if not source.strip():
        raise ValueError(f"{name} was given without a source; say where the operator has it from")
    if not 0 <= value.low <= value.estimate <= value.high:
        raise ValueError(f"{name} is {value}; expected 0 <= low <= estimate <= high")
    return LedgerFigure(name=name, value=value, given_from=source.strip())


def read_given(text: str) -> tuple[str, LedgerFigure]:
    """A number of an operator's own, written as the ledger writes it.

    Parameters
    ----------
    text : str
        Case, figure, number with its unit and, where there is one, its interval; a colon, and where it is from.

    Returns
    -------
    case_id : str
    figure : LedgerFigure

    Raises
    ------
    ValueError
        If it is not so.

    Examples
    --------
    >>> case_id, figure = read_given("HF-2026-000001 scale 20 kW (18 to 22): inspection of 2026-11-03, nameplates")
    >>> case_id, figure.name, figure.text, figure.given_from
    ('HF-2026-000001', 'scale', '20 kW (18 to 22), given', 'inspection of 2026-11-03, nameplates')
    """
    found = _GIVEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"{text!a} cannot be read; write case, figure, number, unit, a colon and the source, as in "
            '"HF-2026-000001 scale 20 kW (18 to 22): inspection of 2026-11-03, nameplates"'
        )
    name, unit = found["name"], found["unit"]
    if name not in UNITS:
        raise ValueError(f"{name!a} is no figure of the ledger; figures are {', '.join(UNITS)}")
    prefix = unit.removesuffix(UNITS[name])
    if prefix == unit or prefix not in _FACTORS:
        raise ValueError(f"{name} is in {UNITS[name]}, with one of the prefixes k, M, G, T, P, E; got {unit!a}")
    middle, low, high = (float(part) * _FACTORS[prefix] for part in (
        found["middle"], found["low"] or found["middle"], found["high"] or found["middle"]
    ))  # fmt: skip
    return found["case"], given_by_operator(name, Interval(low, middle, high), found["source"])


def _rounded(value: float, digits: int = 3) -> str:
    return csv_number(float(f"{value:.{digits}g}"))


def _range(value: Interval, unit: str) -> str:
    return si(value.estimate, unit) if value.low == value.high else interval(value, unit)
