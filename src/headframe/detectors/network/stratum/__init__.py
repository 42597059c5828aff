"""The `stratum` detector: miners by what they say (design, section 5.1)."""

from headframe.detectors.network.stratum.findings import Detection, StratumParameters, detect
from headframe.detectors.network.stratum.roles import CALIBRATION_KEYS
from headframe.detectors.network.stratum.session import StratumSession

__all__ = ["CALIBRATION_KEYS", "Detection", "StratumParameters", "StratumSession", "detect"]
