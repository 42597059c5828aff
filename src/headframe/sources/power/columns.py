"""Which of a table's columns is what: told by the user, or guessed from common names and said so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

ENERGY, POWER, REGISTER = 0, 1, 2
"""Kinds of value: energy of an interval [Wh], mean power of an interval [W], a register that counts up [Wh]."""

VALUES = {
    "energy_wh": (ENERGY, 1.0),
    "energy_kwh": (ENERGY, 1e3),
    "energy_mwh": (ENERGY, 1e6),
    "power_w": (POWER, 1.0),
    "power_kw": (POWER, 1e3),
    "register_wh": (REGISTER, 1.0),
    "register_kwh": (REGISTER, 1e3),
    "export_wh": (ENERGY, 1.0),
    "export_kwh": (ENERGY, 1e3),
}
"""Kind of each value column of ours, and what 1 in it is in Wh or W."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Our names for a table's columns. Each attribute is a column of the file; None where it has none.

    `start` and `end` may be two columns joined by ``+``, a date and a time of day. One of the value columns is needed
    in a long table; a wide table has none, and its other columns are usage points or times of day.

    Attributes
    ----------
    usage_point, start, end : str or None
    energy_wh, energy_kwh, energy_mwh, power_w, power_kw, register_wh, register_kwh : str or None
        Delivered from the grid. Registers count up.
    export_wh, export_kwh : str or None
        Fed into the grid.
    duration_s, flow, quality : str or None
    obis : str or None
        OBIS code of each row's value (IEC 62056-6-1).
    value, unit : str or None
        With `obis`: the value, and its unit where a column says it.
    wide : str or None
        For a wide table: what its values are, one of the value names above (``energy_kwh``), not a column.
    """

    usage_point: str | None = None
    start: str | None = None
    end: str | None = None
    energy_wh: str | None = None
    energy_kwh: str | None = None
    energy_mwh: str | None = None
    power_w: str | None = None
    power_kw: str | None = None
    register_wh: str | None = None
    register_kwh: str | None = None
    export_wh: str | None = None
    export_kwh: str | None = None
    duration_s: str | None = None
    flow: str | None = None
    quality: str | None = None
    obis: str | None = None
    value: str | None = None
    unit: str | None = None
    wide: str | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnMapping:
        """Mapping out of ``usage_point=meter,start=ts,energy_kwh=kwh``.

        Parameters
        ----------
        text : str
            Pairs of our name and the file's, separated by commas; a file's name with a comma in it goes in double
            quotes.

        Returns
        -------
        ColumnMapping

        Raises
        ------
        ValueError
            If a pair has no ``=``, a name is not ours, or it comes twice.

        Examples
        --------
        >>> ColumnMapping.parse("usage_point=meter,start=ts,energy_kwh=kwh").energy_kwh
        'kwh'
        """
        known = [f.name for f in fields(cls)]
        found: dict[str, str] = {}
        for pair in re.findall(r'(?:[^,"]|"[^"]*"?)+', text):
            ours, sign, theirs = pair.partition("=")
            ours, theirs = ours.strip(), theirs.strip().strip('"')
            if not sign or not theirs:
                raise ValueError(f"{pair.strip()!r} is not a pair of our name and the file's, like start=timestamp")
            if ours not in known:
                raise ValueError(f"{ours!r} is not one of our names: {', '.join(known)}")
            if ours in found:
                raise ValueError(f"{ours!r} is mapped twice, to {found[ours]!r} and {theirs!r}")
            if ours == "wide" and theirs not in VALUES:
                raise ValueError(f"wide={theirs} says no kind of value: {', '.join(VALUES)}")
            found[ours] = theirs
        if not found:
            raise ValueError("the mapping is empty; it looks like usage_point=meter,start=ts,energy_kwh=kwh")
        return cls(**found)

    def values(self) -> list[tuple[str, str]]:
        """Our names and the file's of the value columns that are mapped."""
        return [(ours, theirs) for ours in VALUES if (theirs := getattr(self, ours)) is not None]

    def named(self) -> list[str]:
        """Every column of the file that is mapped, without repetition; a joined pair as its two."""
        names: dict[str, None] = {}
        for f in fields(self):
            theirs = getattr(self, f.name)
            if theirs is not None and f.name != "wide":
                names[theirs] = None
        return list(names)

    def sentence(self) -> str:
        """As it would stand after ``--columns``."""
        return ",".join(f"{f.name}={getattr(self, f.name)}" for f in fields(self) if getattr(self, f.name) is not None)


def parts_of(name: str, columns: Sequence[str]) -> list[str]:
    """Columns that a mapped name stands for: itself, or the two of ``Date+Time``."""
    if name in columns or "+" not in name:
        return [name]
    return [part.strip() for part in name.split("+")]


# Common names, in the order in which they are preferred; compared without case and signs.
_GUESS: dict[str, tuple[str, ...]] = {
    "usage_point": (
        "usagepoint", "usagepointid", "meterid", "meter", "meternumber", "meterno", "metername", "supplypoint",
        "supplypointid", "mpan", "mprn", "nmi", "ean", "esiid", "pod", "cups", "prm", "lclid", "deviceid", "device",
        "serialnumber", "serial", "customerid", "buildingid", "building", "siteid", "site", "zahlpunkt",
        "zaehlpunkt", "melo", "malo", "zahler", "zaehler", "zahlernummer", "zaehlernummer", "household", "houseid",
        "name", "id",
    ),
    "start": (
        "start", "starttime", "startdate", "starts", "startdatetime", "intervalstart", "periodstart", "from", "von",
        "beginn", "timestamp", "ts", "time", "datetime", "dateandtime", "readingdatetime", "readdatetime",
        "readingtime", "tstp", "zeitstempel", "zeit", "zeitpunkt", "horodatage", "fechahora", "datahora", "localtime",
        "utctime", "utc", "eventtime", "datetimelocal", "datetimeutc", "day", "date", "datum", "fecha", "data",
    ),
    "end": ("end", "endtime", "enddate", "enddatetime", "intervalend", "periodend", "to", "bis", "ende"),
    "energy_wh": ("energywh", "wh", "deliveredwh", "consumptionwh", "importwh", "usagewh"),
    "energy_kwh": (
        "energykwh", "kwh", "consumptionkwh", "usagekwh", "deliveredkwh", "importkwh", "kwhhh", "energykwhhh",
        "kwhperhalfhour", "kwhhhperhalfhour", "generalsupplykwh", "valuekwh", "kwhimport", "energiekwh",
        "verbrauchkwh", "consumokwh", "electricitykwh", "usekwh",
    ),
    "energy_mwh": ("energymwh", "mwh", "consumptionmwh"),
    "power_w": ("powerw", "watts", "watt", "w", "activepowerw", "loadw", "meanpowerw"),
    "power_kw": ("powerkw", "kw", "activepowerkw", "loadkw", "leistungkw", "demandkw", "meanpowerkw"),
    "register_wh": ("registerwh", "cumulativewh", "totalwh"),
    "register_kwh": (
        "registerkwh", "cumulativekwh", "totalkwh", "indexkwh", "zahlerstandkwh", "zaehlerstandkwh", "zahlerstand",
        "zaehlerstand", "meterreadingkwh", "counterkwh",
    ),
    "export_wh": ("exportwh", "receivedwh", "feedinwh", "generationwh"),
    "export_kwh": ("exportkwh", "receivedkwh", "feedinkwh", "kwhexport", "einspeisungkwh"),
    "duration_s": ("durations", "durationseconds", "intervalseconds", "intervallengths"),
    "flow": ("flow", "flowdirection", "direction"),
    "quality": ("quality", "qualityflag", "qualitycode", "qualitymethod", "status", "readingquality"),
    "obis": ("obis", "obiscode", "kennzahl", "obiskennzahl", "registercode"),
    "value": ("value", "wert", "reading", "messwert"),
    "unit": ("unit", "einheit", "uom"),
}  # fmt: skip


def plain(name: str) -> str:
    """A column's name without case, signs and accents, for comparison."""
    folded = name.casefold().translate(str.maketrans("äöüàáâéèêíóúç", "aouaaaeeeiouc"))
    return re.sub(r"[^a-z0-9]", "", folded)


def guess(columns: Sequence[str]) -> ColumnMapping:
    """Mapping by common names, as far as it goes; what cannot be guessed stays None."""
    by_plain: dict[str, str] = {}
    for column in columns:
        by_plain.setdefault(plain(column), column)
    found: dict[str, str] = {}
    for ours, names in _GUESS.items():
        for name in names:
            if name in by_plain and by_plain[name] not in found.values():
                found[ours] = by_plain[name]
                break
    if "obis" not in found:
        found.pop("value", None)
        found.pop("unit", None)
    # A date beside a time of day.
    day = next(
        (by_plain[n] for n in ("date", "datum", "fecha", "day", "readingdate", "readdate") if n in by_plain), None
    )
    hour = next((by_plain[n] for n in ("time", "uhrzeit", "hora", "timeofday", "zeit") if n in by_plain), None)
    if day is not None and hour is not None and found.get("start") in (day, hour):
        found["start"] = f"{day}+{hour}"
    if "energy_wh" in found or "energy_kwh" in found or "energy_mwh" in found:
        for other in ("power_w", "power_kw", "register_wh", "register_kwh"):
            found.pop(other, None)
        for other in ("energy_kwh", "energy_mwh") if "energy_wh" in found else ("energy_mwh",):
            if "energy_kwh" in found or "energy_wh" in found:
                found.pop(other, None)
    return ColumnMapping(**found)


class NoSuchColumn(ValueError):
    """A mapping names a column that the file does not have."""


def cannot_guess(columns: Sequence[str], lacking: str) -> ValueError:
    """What to say where a mapping is needed: the columns that are there, and an example made of them."""
    shown = ", ".join(repr(c) for c in list(columns)[:30]) + (" ..." if len(columns) > 30 else "")
    some = [*columns, "meter", "timestamp", "kwh"][:3] if len(columns) < 3 else list(columns)[:3]
    example = ",".join(
        f"{ours}={theirs}" for ours, theirs in zip(("usage_point", "start", "energy_kwh"), some, strict=True)
    )
    return ValueError(
        f"it is not clear which column is {lacking}; the columns are {shown}; say it with --columns, like: "
        f'--columns "{example}"'
    )
