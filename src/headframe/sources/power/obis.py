"""OBIS codes (IEC 62056-6-1): which of a meter's many values is active energy, and in which form.

A code is ``A-B:C.D.E*F``: medium (1 electricity), channel, quantity, processing, tariff, period. Of interest are
C = 1, active energy or power drawn (``+A``), C = 2 fed in (``-A``), C = 16, the signed sum; with

| D | meaning | becomes |
|---|---|---|
| 8, 17 | time integral 1: counts up | register |
| 9, 29 | time integrals 2 and 5: of a period | energy of the interval |
| 4, 5, 7, 24, 25, 27 | average of a period, instantaneous value | power |

Tariff registers (E other than 0) are parts of the total (E = 0), which is what is read. Reactive and apparent energy,
voltage and current are not: they are counted as what they are.

References
----------
.. [1] IEC 62056-6-1, "Object Identification System (OBIS)", 7.5.
.. [2] BDEW/VDE-AR-N 4400, "Metering Code": 1-1:1.29.0, 1-1:2.29.0 are load profiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headframe.sources.power.columns import ENERGY, POWER, REGISTER

if TYPE_CHECKING:
    import polars as pl

_CODE = re.compile(r"^\s*(?:(\d{1,3})-(\d{1,3}):)?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:[*.](\d{1,3}))?\s*$")
_KINDS = {
    8: REGISTER,
    17: REGISTER,
    9: ENERGY,
    29: ENERGY,
    4: POWER,
    5: POWER,
    7: POWER,
    24: POWER,
    25: POWER,
    27: POWER,
}
_UNITS = {
    "wh": 1.0, "kwh": 1e3, "mwh": 1e6, "gwh": 1e9, "w": 1.0, "kw": 1e3, "mw": 1e6,
    "kwt": 1e3, "watt": 1.0, "d01": 1.0, "30": 1.0, "27": 1.0,
}  # fmt: skip
"""30 (Wh) and 27 (W) are the unit numbers of DLMS/COSEM (IEC 62056-6-2)."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an OBIS code says that a value is; `reason` where it is not to be read."""

    kind: int = ENERGY
    received: bool = False
    reason: str = ""


def meaning_of(code: str) -> Meaning:
    """Meaning of one code.

    Examples
    --------
    >>> meaning_of("1-1:2.29.0").received
    True
    >>> meaning_of("1-1:32.7.0").reason
    'not active energy or power'
    """
    match = _CODE.match(code)
    if match is None:
        return Meaning(reason="the OBIS code is not understood")
    medium, _, quantity, processing, tariff, _ = match.groups()
    if medium is not None and medium != "1":
        return Meaning(reason="an OBIS code of another medium than electricity")
    if int(quantity) not in (1, 2, 16) or int(processing) not in _KINDS:
        return Meaning(reason="not active energy or power")
    if tariff is not None and int(tariff) not in (0, 255):
        return Meaning(reason="a tariff register: the total is what is read")
    return Meaning(kind=_KINDS[int(processing)], received=int(quantity) == 2)


def is_code(text: str) -> bool:
    """Whether a text is an OBIS code with its quantity, processing and tariff (or medium and channel)."""
    match = _CODE.match(text)
    return match is not None and (match.group(5) is not None or match.group(1) is not None)


def meaning_of_rows(
    codes: pl.Series, units: pl.Series | None, refuse: Callable[[str, NDArray[np.bool_]], None]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float64]]:
    """Kind, direction and factor to Wh or W of rows, each with its OBIS code.

    Parameters
    ----------
    codes : polars.Series
    units : polars.Series, optional
        kWh and kW without it.
    refuse : callable
        Told a reason, and bool[n] with the rows that are not to be read.

    Returns
    -------
    (uint8[n], bool[n], float64[n])
    """
    import polars as pl

    said = codes.cast(pl.String).fill_null("")
    known = {code: meaning_of(code) for code in said.unique()}
    for reason in {m.reason for m in known.values() if m.reason}:
        refuse(reason, said.is_in([code for code, m in known.items() if m.reason == reason]).to_numpy())
    kinds = said.replace_strict({c: m.kind for c, m in known.items()}, return_dtype=pl.UInt8).to_numpy()
    received = said.replace_strict({c: m.received for c, m in known.items()}, return_dtype=pl.Boolean).to_numpy()
    if units is None:
        return kinds, received, np.full(len(said), 1e3)
    unit = units.cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()
    factor = unit.replace_strict(_UNITS, default=None, return_dtype=pl.Float64)
    refuse("the unit is not one of energy or power", factor.is_null().to_numpy())
    return kinds, received, factor.fill_null(1.0).to_numpy()
