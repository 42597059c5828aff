"""Several programs that act at once on one workspace: acts per second, and how long the slowest hundredth takes.

    python -m bench.together [--seconds 30]

Each writer is a process of its own that opens the workspace, and then records replies, places and lifts holds, and now
and then imports findings and opens a case on them; half of what it does is on cases that all of them act on. An act
counts when it is acknowledged: it is on the disk, in the database and in the ledger. Afterwards everything is checked
(`check` in tests/casework/together.py): no acknowledged act is lost, and the ledger has the same events in their order.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.casework.office import Office
from tests.casework.together import all_together, check, opened_cases
from tests.postgresql_server import running_server


def row(name: str, url: str, writers: int, seconds: float) -> str:
    """Measure one number of writers on one database."""
    with tempfile.TemporaryDirectory(prefix="headframe-together-") as folder:
        office = Office(Path(folder) / "workspace", database_url=url)
        cases = opened_cases(office, 2 + writers)
        office.work.close()
        told = all_together(office.folder, seconds, [[*cases[:2], cases[2 + k], cases[2 + k]] for k in range(writers)])
        office.reopen()
        check(office.work, told)
        office.work.close()
    times = told.latencies_s()
    at = {share: 1000 * times[int(share * (len(times) - 1))] for share in (0.5, 0.99)}
    return (
        f"| {name} | {writers} | {len(told.done)} | {len(told.done) / seconds:.1f} | {at[0.5]:.0f} | {at[0.99]:.0f} | "
        f"{1000 * times[-1]:.0f} | {len(told.refused)} | {len(told.stale)} | {len(told.faults)} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    began = time.perf_counter()
    print("| database | writers | acts | per s | median [ms] | p99 [ms] | longest [ms] | refused | given up | faults |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for writers in (1, 2, 4):
        print(row("SQLite", "", writers, seconds), flush=True)
    with running_server(durable=True) as server:
        for writers in (1, 2, 4):
            print(row("PostgreSQL", server.url(server.fresh()), writers, seconds), flush=True)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
