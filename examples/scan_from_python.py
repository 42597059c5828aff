"""Scan captures from Python: simulate an office with miners in it, scan it, look at the findings.

``python examples/scan_from_python.py [FOLDER]`` writes the capture, the truth about it and a list of indicators into
FOLDER (a temporary one if none is given).
"""

import sys
import tempfile
from pathlib import Path

from headframe import app
from headframe.records.finding import Role
from headframe.simulate import write_demo


def main(folder: Path) -> None:
    """Simulate, scan, print."""
    office = write_demo(folder, seed=1, minutes=5, miners=6)
    result = app.scan([str(office.capture)], app.ScanOptions(indicators=(office.indicators,)))

    for finding in result.findings:
        if finding.role is not Role.MINER:
            continue
        rate = f"{finding.hashrate_hs.estimate:.3g} H/s" if finding.hashrate_hs else "hash rate not known"
        coin = finding.coins[0] if finding.coins else "coin not known"
        print(f"{finding.host} mines {coin} at {finding.peer} ({finding.protocol}): {rate}")
        print(f"    an innocent host shows this at most once in {10**finding.log10_e:,.0f}")
        for line in finding.evidence[:2]:
            print(f"    packet {line.packet.number}: {line.text}")

    print(f"{len(result.lookalikes)} conversations only looked like mining:")
    for lookalike in result.lookalikes:
        print(f"    {lookalike.host} to {lookalike.peer}: {lookalike.label}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
