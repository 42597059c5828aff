"""What follows from findings: the power that the look-up of lawful mining asks for."""

import pytest

from headframe.cases.store import StoredFinding
from headframe.casework.derived import power_of
from headframe.records.case import FindingRef
from headframe.records.finding import Family


def told(family: Family, estimate_w: float, *, log10_e: float = 3.0, mining: bool = True) -> StoredFinding:
    """A finding with an estimate of power."""
    ref = FindingRef(
        finding_id=f"{family}-{estimate_w}", family=family, detector="any", version="1", subject="x", log10_e=log10_e,
        started_ns=1, ended_ns=2, sha256="0" * 64, mining=mining,
    )  # fmt: skip
    power = {"low": estimate_w / 2, "estimate": estimate_w, "high": estimate_w * 2}
    return StoredFinding(ref=ref, site_id="S1", coin="", import_id="I", document={"power_w": power})


@pytest.mark.parametrize(
    ("found", "estimate_w"),
    [
        ((told(Family.CONTENT, 136_700), told(Family.LOAD, 26_100, mining=False)), 26_100),
        ((told(Family.CONTENT, 136_700), told(Family.LOAD, 26_100, log10_e=-1, mining=False)), 136_700),
        ((told(Family.CONTENT, 10_000), told(Family.LOAD, 9_000), told(Family.BALANCE, 12_000)), 12_000),
        ((told(Family.CONTENT, 10_000), told(Family.CONTENT, 12_000)), 12_000),
    ],
)
def test_what_a_meter_shows_goes_before_what_a_hash_rate_implies(
    found: tuple[StoredFinding, ...], estimate_w: float
) -> None:
    """A licence of 40 kW covers a hall whose meter shows 26 kW, whatever its hash rate may mean."""
    power = power_of(found)
    assert power is not None
    assert power.estimate == estimate_w
