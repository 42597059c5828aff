"""Indicators in STIX 2.1 bundles (OASIS STIX Version 2.1, sections 4.7 and 9).

Understood are comparisons for equality with ``domain-name:value``, ``ipv4-addr:value``, ``ipv6-addr:value``,
``network-traffic:dst_ref.value``, ``network-traffic:dst_port`` and ``url:value`` (its host), joined by OR, or an
endpoint AND its port, in one or several observation expressions. Other patterns cannot be checked against names and
addresses; they are refused by name, not passed over.

The kind comes from the indicator's ``indicator_types`` and ``labels``: ``malicious-activity`` or ``compromised`` say
``malware_proxy``, our own kinds are taken as they stand, everything else is ``pool``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headframe.errors import BadIndicator
from headframe.records.indicator import Indicator, IndicatorKind
from headframe.sources.intel.names import clean_address, clean_name, clean_port, report_problem, split_endpoint

_VALUE_PATHS = {
    "domain-name:value": clean_name,
    "ipv4-addr:value": clean_address,
    "ipv6-addr:value": clean_address,
    "network-traffic:dst_ref.value": lambda text: split_endpoint(text)[0],
    "url:value": lambda text: split_endpoint(urlsplit(text).netloc.rpartition("@")[2])[0],
}
_PORT_PATH = "network-traffic:dst_port"
_MALICIOUS = frozenset(("malicious_activity", "compromised", "anomalous_activity"))


def read_stix(path: Path, *, today: date, problems: list[str] | None = None) -> list[Indicator]:
    """Indicators of a STIX 2.1 bundle.

    Parameters
    ----------
    path : Path
    today : datetime.date
        The day of reading, for `source`.
    problems : list of str, optional
        Where given, a sentence on each indicator that cannot be understood is added and reading goes on.

    Returns
    -------
    list of Indicator
        One per endpoint in a pattern, in order. Revoked objects are left out: their maker withdrew them.

    Raises
    ------
    BadIndicator
        If the file is no bundle, or an indicator has a pattern that cannot be understood.
    """
    try:
        bundle = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as fault:
        raise BadIndicator(f"{path}: not JSON: {fault}. Hint: expected a STIX 2.1 bundle.") from fault
    if not isinstance(bundle, dict) or not isinstance(bundle.get("objects"), list):
        raise BadIndicator(f'{path}: no bundle. Hint: expected an object with "type": "bundle" and a list "objects".')
    found: list[Indicator] = []
    for number, entry in enumerate(bundle["objects"], 1):
        if not isinstance(entry, dict):
            raise BadIndicator(f"{path}, object {number}: not a JSON object")
        if entry.get("type") != "indicator" or entry.get("revoked") is True:
            continue
        try:
            found.extend(_indicators(entry, f"{path.name}, read {today}"))
        except ValueError as fault:
            report_problem(f"{path}, object {number} ({entry.get('id', 'without id')}): {fault}", problems, fault)
    return found


def _indicators(entry: dict[str, Any], source: str) -> Iterator[Indicator]:
    import stix2  # imported here: it takes 150 ms that only readers of STIX should pay

    try:
        checked = stix2.parse(entry, allow_custom=True)
    except Exception as fault:  # its own errors, and whatever an object of wrong types leads it to
        raise ValueError(f"not a valid STIX 2.1 indicator: {fault}") from fault
    if checked.get("pattern_type", "stix") != "stix":
        raise ValueError(f"pattern_type {checked['pattern_type']!r}; expected stix")
    name = checked.get("name")
    for value, port in dict.fromkeys(_endpoints(checked["pattern"])):
        yield Indicator(
            kind=_kind(checked),
            value=value,
            port=port,
            source=f"{source}: {name}" if name else source,
            valid_from=_day(checked.get("valid_from")),
            valid_until=_day(checked.get("valid_until")),
        )


def _endpoints(pattern: str) -> Iterator[tuple[str, int | None]]:
    """Value and port of each endpoint in a pattern; ValueError where a part of it is something else."""
    from stix2.pattern_visitor import create_pattern_object
    from stix2.patterns import (
        AndBooleanExpression,
        EqualityComparisonExpression,
        InComparisonExpression,
        ListConstant,
        ObservationExpression,
        OrBooleanExpression,
        OrObservationExpression,
        ParentheticalExpression,
    )

    try:
        tree = create_pattern_object(pattern, version="2.1")
    except Exception as fault:  # the library's parser raises several types, ANTLR's among them
        raise ValueError(f"the pattern {pattern!r} cannot be parsed: {fault}") from fault

    def refuse(what: object) -> ValueError:
        return ValueError(
            f"the pattern part {what} is not understood. Hint: {', '.join([*_VALUE_PATHS, _PORT_PATH])} with = or IN, "
            "joined by OR, or an endpoint AND its port."
        )

    def comparisons(node: Any) -> list[tuple[list[str], list[int | None]]]:
        """Alternatives of a comparison: values and ports that belong together."""
        if isinstance(node, ParentheticalExpression):
            return comparisons(node.expression)
        if isinstance(node, OrBooleanExpression):
            return [pair for operand in node.operands for pair in comparisons(operand)]
        if isinstance(node, AndBooleanExpression):
            values: list[str] = []
            ports: list[int | None] = []
            for operand in node.operands:
                for more_values, more_ports in comparisons(operand):
                    values += more_values
                    ports += more_ports
            return [(values, ports)]
        if not isinstance(node, EqualityComparisonExpression | InComparisonExpression) or node.negated:
            raise refuse(node)
        path = str(node.lhs)
        texts = node.rhs.value if isinstance(node.rhs, ListConstant) else [node.rhs]
        plain = [str(getattr(text, "value", text)) for text in texts]
        if path == _PORT_PATH:
            return [([], [clean_port(text) for text in plain])]
        if path in _VALUE_PATHS:
            return [([_VALUE_PATHS[path](text) for text in plain], [])]
        if path == "network-traffic:protocols[*]" or path == "network-traffic:dst_ref.type":
            return [([], [])]  # says how, not where
        raise refuse(node)

    def observations(node: Any) -> Iterator[tuple[str, int | None]]:
        if isinstance(node, ParentheticalExpression):
            yield from observations(node.expression)
        elif isinstance(node, ObservationExpression):
            for values, ports in comparisons(node.operand):
                if not values:
                    raise refuse(node)
                for value in values:
                    for port in ports or [None]:
                        yield value, port
        elif isinstance(node, OrObservationExpression):
            for operand in node.operands:
                yield from observations(operand)
        else:
            raise refuse(node)

    yield from observations(tree)


def _kind(entry: Any) -> IndicatorKind:
    tags = (*entry.get("labels", ()), *entry.get("indicator_types", ()))
    words = {str(tag).lower().replace("-", "_") for tag in tags}
    for kind in IndicatorKind:
        if kind.value in words:
            return kind
    return IndicatorKind.MALWARE_PROXY if words & _MALICIOUS else IndicatorKind.POOL


def _day(moment: object) -> date | None:
    return moment.date() if isinstance(moment, datetime) else None
