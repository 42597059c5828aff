"""The table of indicators that ships with the package; written by `compile`, see there for its sources."""

from __future__ import annotations

from pathlib import Path

from headframe.records.indicator import Indicator
from headframe.sources.intel.table import read_table

BUILTIN_TABLE = Path(__file__).with_name("indicators.csv")


def load_builtin() -> list[Indicator]:
    """Indicators that ship with the package, in the order of the table.

    Its rows were checked when the table was written, so they are taken as they stand.
    """
    return read_table(BUILTIN_TABLE, trusted=True)
