"""All indicators of a scan: the shipped table and the files that were named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from headframe.errors import BadIndicator, fault_words
from headframe.records.indicator import Indicator
from headframe.sources.intel.builtin import load_builtin
from headframe.sources.intel.hosts import read_hosts
from headframe.sources.intel.stix import read_stix
from headframe.sources.intel.table import is_table, read_table


def load_indicators(
    paths: Sequence[Path], *, builtin: bool = True, today: date, problems: list[str] | None = None
) -> list[Indicator]:
    """Indicators from the shipped table and from files of any known form.

    The form is told by the content: ``{`` begins a STIX bundle, a header with known columns a CSV table, anything
    else is a plain list.

    Parameters
    ----------
    paths : sequence of Path
    builtin : bool
        False leaves the shipped table out.
    today : datetime.date
        The day of reading: it goes into the `source` of rows that name none.
    problems : list of str, optional
        Where given, a sentence on each row that cannot be understood is added, and the good rows are kept: a public
        list of thousands should not fail for one bad line, as long as somebody says so.

    Returns
    -------
    list of Indicator
        The shipped ones first, then file by file.

    Raises
    ------
    BadIndicator
        If a file cannot be read at all; without `problems` also if a row cannot be understood: nothing is passed over
        in silence.
    """
    found = load_builtin() if builtin else []
    for path in paths:
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as stream:
                first_line = ""
                for line in stream:
                    first_line = line.strip()
                    if first_line and not first_line.startswith("#"):
                        break
        except OSError as fault:
            raise BadIndicator(f"{path}: cannot be read: {fault.strerror or fault}") from fault
        try:
            if first_line.startswith("{"):
                found += read_stix(path, today=today, problems=problems)
            elif is_table(first_line):
                found += read_table(path, today=today, problems=problems)
            else:
                found += read_hosts(path, today=today, problems=problems)
        except UnicodeDecodeError as fault:
            raise BadIndicator(f"{path}: {fault_words(fault)}; save it as UTF-8") from fault
    return found
