"""Pushes of different servers to different hosts that coincide: a common hidden clock, found without any clock."""

from headframe.detectors.network.peer_sync.evidence import (
    VERSION,
    Measured,
    PeerSyncParameters,
    Row,
    find_rows,
    measure,
)
from headframe.detectors.network.peer_sync.findings import PeerSyncResult, detect

__all__ = ["VERSION", "Measured", "PeerSyncParameters", "PeerSyncResult", "Row", "detect", "find_rows", "measure"]
