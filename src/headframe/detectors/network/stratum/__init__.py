"""The `stratum` detector: miners by what they say (design, section 5.1)."""

from headframe.detectors.network.stratum.findings import VERSION, Detection, StratumParameters, detect
from headframe.detectors.network.stratum.roles import CALIBRATION_KEYS, Verdict, judge
from headframe.detectors.network.stratum.session import StratumSession

__all__ = [
    "CALIBRATION_KEYS",
    "VERSION",
    "Detection",
    "StratumParameters",
    "StratumSession",
    "Verdict",
    "detect",
    "judge",
]
