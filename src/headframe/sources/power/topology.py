"""Tables of supply points and transformers: where each hangs in the grid, its tariff class, its meter.

One row per usage point, per transformer, or both in one file or several; only the first column of each kind is needed:

| column | of | meaning | empty means |
|---|---|---|---|
| ``usage_point`` | point | identifier, as in the readings | the row is a transformer's |
| ``tariff_class`` | point | as the utility names it | not said |
| ``contracted_power_w``, ``_kw`` | point | | not known |
| ``region`` | point | | not said |
| ``transformer``, ``feeder``, ``phase`` | point | where it hangs | not known |
| ``pv`` | point | whether a generator is behind the meter: yes or no | not known |
| ``generation_capacity_w``, ``_kw`` | point | of the generator | not known |
| ``meter_class`` | both | accuracy class: 1, 2, 0.5S, A, B, C | not known; 0.5S for a head meter |
| ``head_usage_point`` | transformer | under which its own meter's readings stand | the row is a point's |
| ``rated_power_va``, ``_kva``, ``_mva`` | transformer | | not known |
| ``no_load_loss_w``, ``_kw``, ``load_loss_w``, ``_kw`` | transformer | IEC 60076-1, at rated power | not known |
| ``line_resistance_ohm`` | transformer | of the lines behind it, lumped | not known |

A row with both `usage_point` and `head_usage_point` says both. Common names of others are understood, and a mapping
may name any column. Other columns are named in a remark and not read, so that a column with people in it does not
come in by accident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headframe.records.reading import ReadingAccount, Transformer, UsagePoint
from headframe.records.site import SourceRow
from headframe.sources.power.named_tables import named_rows, number_of
from headframe.sources.power.options import ReadingOptions
from headframe.sources.power.tally import Tally

_NAMES: dict[str, tuple[str, ...]] = {
    "usage_point": (
        "usagepointid", "meter", "meterid", "meternumber", "meterno", "supplypoint", "supplypointid", "mpan", "mprn",
        "nmi", "ean", "esiid", "pod", "cups", "prm", "lclid", "customerid", "malo", "melo", "zaehlpunkt", "zahlpunkt",
        "serviceid", "servicepoint", "premise", "premiseid",
    ),
    "tariff_class": (
        "tariff", "tariffcode", "tariffgroup", "class", "customerclass", "rateclass", "rate", "ratecode", "category",
        "consumerclass", "consumercategory", "usagegroup",
    ),
    "contracted_power_w": ("contractedw", "contractw", "connectedloadw", "sanctionedloadw"),
    "contracted_power_kw": (
        "contractedkw", "contractkw", "contractpowerkw", "contractedpower", "connectedloadkw", "connectedload",
        "sanctionedloadkw", "sanctionedload", "subscribedpowerkw", "maxdemandkw", "contractedpowerkva",
    ),
    "region": ("district", "area", "city", "town", "county", "state", "zone", "substation"),
    "transformer": ("transformerid", "trafo", "trafoid", "xfmr", "xfmrid", "dt", "dtid", "dtr", "transformercode"),
    "feeder": ("feederid", "feedercode", "circuit", "line", "lvfeeder"),
    "phase": ("phases", "phasing"),
    "pv": ("hasgeneration", "haspv", "generation", "solar", "hassolar", "prosumer", "hasgenerator"),
    "generation_capacity_w": ("pvw", "pvcapacityw"),
    "generation_capacity_kw": ("pvkw", "pvkwp", "pvcapacitykw", "solarkw", "generationkw", "generatorkw"),
    "meter_class": ("accuracyclass", "accuracy", "meteraccuracy", "meteraccuracyclass", "classofmeter"),
    "head_usage_point": (
        "headmeter", "headmeterid", "transformermeter", "transformermeterid", "dtmeter", "dtmeterid", "feedermeter",
        "headpoint",
    ),
    "rated_power_va": ("ratingva",),
    "rated_power_kva": ("ratingkva", "kva", "ratedkva", "capacitykva", "transformerkva"),
    "rated_power_mva": ("ratingmva", "mva", "ratedmva"),
    "no_load_loss_w": ("noloadlosses", "noloadlossesw", "ironlossw", "corelossw", "noloadloss"),
    "no_load_loss_kw": ("noloadlosseskw", "ironlosskw", "corelosskw", "pfekw"),
    "load_loss_w": ("loadlosses", "loadlossesw", "copperlossw", "loadloss"),
    "load_loss_kw": ("loadlosseskw", "copperlosskw", "pcukw"),
    "line_resistance_ohm": ("lineresistance", "resistanceohm", "rohm"),
}  # fmt: skip
_YES = frozenset({"yes", "y", "true", "t", "1", "ja", "oui", "si", "sì", "x"})
_NO = frozenset({"no", "n", "false", "f", "0", "nein", "non"})
_CLASSES = {"0.1s": "0.1S", "0.2s": "0.2S", "0.5s": "0.5S", "0.5": "0.5", "1": "1", "1.0": "1", "2": "2", "2.0": "2",
            "a": "A", "b": "B", "c": "C", "0,2s": "0.2S", "0,5s": "0.5S", "0.2": "0.2S", "0,5": "0.5"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """What tables of the grid say.

    Attributes
    ----------
    usage_points : tuple of UsagePoint
        Each once, in order of first mention.
    transformers : tuple of Transformer
        Likewise.
    accounts : tuple of ReadingAccount
        One for each file: every row that could not be used, or only in part, with file and row.
    """

    usage_points: tuple[UsagePoint, ...]
    transformers: tuple[Transformer, ...]
    accounts: tuple[ReadingAccount, ...]


def read_topology(
    paths: Path | Sequence[Path], *, columns: Mapping[str, str] | None = None, options: ReadingOptions | None = None
) -> Topology:
    """Usage points and transformers out of tables, CSV or Parquet.

    Parameters
    ----------
    paths : Path or sequence of Path
        Read in this order; what is said of a point or transformer first counts, and a row that says something else
        later is a problem of that row.
    columns : mapping of str to str, optional
        Our names to the file's, for columns with other names. It must fit all files.
    options : ReadingOptions, optional
        Delimiter and decimal sign.

    Returns
    -------
    Topology

    Raises
    ------
    ValueError
        If a file cannot be read at all, or has neither a column `usage_point` nor `head_usage_point`.
    """
    options = options or ReadingOptions()
    points: dict[str, UsagePoint] = {}
    transformers: dict[str, Transformer] = {}
    tallies = []
    for path in [paths] if isinstance(paths, Path) else paths:
        tally = Tally(str(path))
        tallies.append(tally)
        known, rows = named_rows(path, _NAMES, columns, options, tally)
        if not {"usage_point", "head_usage_point"} & set(known):
            raise ValueError(
                f"{path} has neither a column usage_point nor head_usage_point; name them with a mapping such as "
                "usage_point=meter"
            )
        for number, cells in rows:
            try:
                _take(cells, SourceRow(str(path), number), points, transformers, tally)
            except ValueError as fault:
                tally.problem(str(fault), [number])
    _hang_together(points, transformers, tallies)
    return Topology(
        usage_points=tuple(points.values()),
        transformers=tuple(transformers.values()),
        accounts=tuple(tally.account() for tally in tallies),
    )


def _take(
    cells: Mapping[str, str],
    source: SourceRow,
    points: dict[str, UsagePoint],
    transformers: dict[str, Transformer],
    tally: Tally,
) -> None:
    """One row: a point, a transformer, or both. A figure that is none is left out; the rest of the row is used."""
    head, name = cells.get("head_usage_point"), cells.get("usage_point")
    if head is None and name is None:
        raise ValueError("neither a usage point nor a head meter")
    partly: list[str] = []
    if head is not None:
        transformer = cells.get("transformer")
        if transformer is None:
            raise ValueError("a head meter without the name of its transformer")
        _keep(transformers, transformer, _transformer(transformer, head, cells, source, partly), tally)
    if name is not None and name != head:
        _keep(points, name, _point(name, cells, source, partly), tally)
    for what in dict.fromkeys(partly):
        # The row is kept, so this is a remark and no lost row.
        tally.remark(f"row {source.row}: {what}")


def _keep(table: dict, name: str, new: UsagePoint | Transformer, tally: Tally) -> None:  # type: ignore[type-arg]
    from dataclasses import replace

    old = table.setdefault(name, new)
    if old is not new and replace(old, source=new.source) != new:
        raise ValueError("says something else of a point or transformer than an earlier row, which counts")
    if old is not new:
        tally.remark("{} rows repeat an earlier one", 1)


def _transformer(
    transformer: str, head: str, cells: Mapping[str, str], source: SourceRow, partly: list[str]
) -> Transformer:
    return Transformer(
        transformer=transformer,
        head_usage_point=head,
        rated_power_va=_quantity(
            cells, {"rated_power_va": 1.0, "rated_power_kva": 1e3, "rated_power_mva": 1e6}, partly
        ),
        no_load_loss_w=_quantity(cells, {"no_load_loss_w": 1.0, "no_load_loss_kw": 1e3}, partly),
        load_loss_w=_quantity(cells, {"load_loss_w": 1.0, "load_loss_kw": 1e3}, partly),
        line_resistance_ohm=_quantity(cells, {"line_resistance_ohm": 1.0}, partly),
        meter_class=_meter_class(cells, partly) or "0.5S",
        source=source,
    )


def _point(name: str, cells: Mapping[str, str], source: SourceRow, partly: list[str]) -> UsagePoint:
    capacity = _quantity(cells, {"generation_capacity_w": 1.0, "generation_capacity_kw": 1e3}, partly)
    generation = None if capacity is None else capacity > 0.0
    if "pv" in cells:
        said = cells["pv"].casefold()
        if said in _YES or said in _NO:
            generation = said in _YES
        else:
            partly.append(f"pv is {said[:40]!r}, neither yes nor no; not used")
    return UsagePoint(
        usage_point=name,
        tariff_class=cells.get("tariff_class", ""),
        contracted_power_w=_quantity(cells, {"contracted_power_w": 1.0, "contracted_power_kw": 1e3}, partly),
        region=cells.get("region", ""),
        transformer=cells.get("transformer"),
        feeder=cells.get("feeder"),
        phase=cells.get("phase"),
        has_generation=generation,
        generation_capacity_w=capacity,
        meter_class=_meter_class(cells, partly),
        source=source,
    )


def _quantity(cells: Mapping[str, str], units: Mapping[str, float], partly: list[str]) -> float | None:
    """The first of some columns that has a number, in the unit without a prefix; None where there is none."""
    for column, factor in units.items():
        if column not in cells:
            continue
        try:
            value = number_of(cells[column]) * factor
        except ValueError:
            partly.append(f"{column} is {cells[column][:40]!r}, not a number; not used")
            continue
        if value < 0.0:
            partly.append(f"{column} is {cells[column][:40]}, below 0; not used")
            continue
        return value
    return None


def _meter_class(cells: Mapping[str, str], partly: list[str]) -> str | None:
    if "meter_class" not in cells:
        return None
    said = cells["meter_class"].casefold().removeprefix("class").removeprefix("cl.").strip()
    found = _CLASSES.get(said)
    if found is None:
        partly.append(f"meter_class is {cells['meter_class'][:40]!r}, not one of IEC 62053 or EN 50470; not used")
    return found


def _hang_together(
    points: Mapping[str, UsagePoint], transformers: Mapping[str, Transformer], tallies: Sequence[Tally]
) -> None:
    """Say which transformers have no head meter, and which have no points."""
    if not transformers or not tallies:
        return
    named = {point.transformer for point in points.values() if point.transformer is not None}
    without = sorted(named - set(transformers))
    if without:
        tallies[-1].remark(f"{len(without)} transformers have no head meter, so no balance: {', '.join(without)[:200]}")
    empty = sorted(set(transformers) - named)
    if empty:
        tallies[-1].remark(f"{len(empty)} transformers have no usage points: {', '.join(empty)[:200]}")
