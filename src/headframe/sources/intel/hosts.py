"""Indicators in plain lists: hosts files, bare names, ``name:port``, ``address:port``, ``name,port,port``.

One entry a line; ``#`` begins a comment. A line of a hosts file has the sink address first (``0.0.0.0 name name``).
Such a list has no kinds: its entries are read as pools unless told otherwise, and each name stands for itself only;
``*.name`` or ``.name`` makes names below it count too. A scheme in front (``stratum+tcp://``) and a path behind are
taken off.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from headframe.records.indicator import Indicator, IndicatorKind
from headframe.sources.intel.names import clean_port, is_sink, report_problem, split_endpoint

_OWN_NAMES = frozenset(("localhost", "localhost.localdomain", "broadcasthost", "local"))
"""Names by which a hosts file speaks of the machine itself."""


def read_hosts(
    path: Path, *, today: date, kind: IndicatorKind = IndicatorKind.POOL, problems: list[str] | None = None
) -> list[Indicator]:
    """Indicators of a plain list.

    Parameters
    ----------
    path : Path
    today : datetime.date
        The day of reading: it goes into `source`, as such lists carry no dates.
    kind : IndicatorKind
        What the entries are.
    problems : list of str, optional
        Where given, a sentence on each entry that cannot be understood is added and reading goes on.

    Returns
    -------
    list of Indicator
        In the order of the list, duplicates left out.

    Raises
    ------
    BadIndicator
        If an entry is neither name nor address; the message names file, line and what would be right.
    """
    found: dict[Indicator, None] = {}
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            entries = words[1:] if is_sink(words[0]) and len(words) > 1 else words
            for entry in entries:
                if is_sink(entry) or entry in _OWN_NAMES:
                    continue
                try:
                    for value, port, subdomains in _endpoints(entry):
                        row = Indicator(
                            kind=kind,
                            value=value,
                            port=port,
                            subdomains=subdomains,
                            source=f"{path.name}, read {today}",
                        )
                        found[row] = None
                except ValueError as fault:
                    report_problem(
                        f"{path}, line {number}: {fault}. Hint: one name, name:port, address or address:port a line; "
                        "# begins a comment.",
                        problems,
                        fault,
                    )
    return list(found)


def _endpoints(entry: str) -> Iterator[tuple[str, int | None, bool]]:
    """Value, port and whether names below count, for each port of an entry."""
    if "://" in entry:
        entry = entry.partition("://")[2]
    # A path may stand between the name and its ports: "name/key,3336,3337".
    place, *more_ports = entry.split(",")
    text = place.partition("/")[0]
    subdomains = text.startswith(("*.", "."))
    value, port = split_endpoint(text.lstrip("*").lstrip(".") if subdomains else text)
    ports = [known for known in (port, *map(clean_port, more_ports)) if known is not None]
    for each in dict.fromkeys(ports) or (None,):
        yield value, each, subdomains
