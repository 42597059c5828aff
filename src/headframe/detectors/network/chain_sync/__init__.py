"""Pushes that keep step with a chain's blocks: exact timing evidence on traffic that nobody can read."""

from headframe.detectors.network.chain_sync.clients import Client, Judgement, judge_client
from headframe.detectors.network.chain_sync.evidence import (
    VERSION,
    ChainSyncParameters,
    Subject,
    Sync,
    best_explanation,
    make_subject,
    measure_all,
)
from headframe.detectors.network.chain_sync.findings import ChainSyncResult, detect, group_subjects

__all__ = [
    "VERSION",
    "ChainSyncParameters",
    "ChainSyncResult",
    "Client",
    "Judgement",
    "Subject",
    "Sync",
    "best_explanation",
    "detect",
    "group_subjects",
    "judge_client",
    "make_subject",
    "measure_all",
]
