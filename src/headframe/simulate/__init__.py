"""Captures that can be generated, and the truth about them.

Examples
--------
>>> from headframe.simulate import CaptureSpec, simulate_capture
>>> traffic = simulate_capture(CaptureSpec.demo(miners=1, minutes=1), seed=7)
>>> traffic.truth["miners"][0]["coin"]
'BTC'
"""

from headframe.simulate.capture import (
    SimulatedCapture,
    SimulatedTraffic,
    simulate_capture,
    write_demo,
    write_simulation,
)
from headframe.simulate.spec import CaptureSpec, MinerSpec, PoolSpec
from headframe.simulate.transport import Faults

__all__ = [
    "CaptureSpec",
    "Faults",
    "MinerSpec",
    "PoolSpec",
    "SimulatedCapture",
    "SimulatedTraffic",
    "simulate_capture",
    "write_demo",
    "write_simulation",
]
