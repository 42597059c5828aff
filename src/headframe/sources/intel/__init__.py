"""Lists of known mining endpoints, of any form, as indicators."""

from headframe.sources.intel.load import load_indicators

__all__ = ["load_indicators"]
