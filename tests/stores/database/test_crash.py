"""A program that is killed while it writes: what it acknowledged is there, and nothing is half there."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from stores.database.makers import leaf, opening, remedy

from headframe.cases.store import CaseFilter
from headframe.stores.database import open_store


def write_for_ever(path: str) -> None:
    """Open case after case, three events each with their leaves; tell every case that was committed."""
    store = open_store(Path(path))
    told = os.fdopen(1, "w", buffering=1)
    while True:
        with store.writing() as writer:
            number = writer.next_case_number(2026)
            events, case = opening(f"HF-2026-{number:06d}")
            events += [remedy(case.case_id, k, text="x" * 3_000) for k in (2, 3)]
            writer.append(events, replace(case, version=3), [])
            for event in events:
                writer.log(leaf(f"case/{case.case_id}/{event.number}", case.case_id))
        told.write(f"{number}\n")


@pytest.mark.parametrize("seed", range(4))
def test_killed_while_committing(tmp_path: Path, seed: int) -> None:
    """After SIGKILL at any moment every acknowledged case is whole, at most one more is, and numbers have no gap."""
    path = tmp_path / "headframe.db"
    open_store(path, create=True).close()
    rng = random.Random(seed)
    acknowledged = 0
    for _ in range(3):
        code = f"from stores.database.test_crash import write_for_ever; write_for_ever({str(path)!r})"
        tests = str(Path(__file__).parents[2])
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": tests}
        )
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(rng.uniform(0.0, 0.15))
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines(keepends=True)
        process.wait()
        process.stdout.close()
        told = [int(line) for line in lines if line.endswith("\n")]
        assert told, "it was killed before it had written anything"
        acknowledged = told[-1]
        store = open_store(path)
        total = store.cases(CaseFilter()).total
        assert acknowledged <= total <= acknowledged + 1
        for number in range(1, total + 1):
            case_id = f"HF-2026-{number:06d}"
            assert [event.number for event in store.events(case_id)] == [1, 2, 3]
            assert len(store.leaves(case_id=case_id)) == 3
        with store.engine.connect() as db:
            assert db.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert db.exec_driver_sql("SELECT count(*) FROM case_events").scalar_one() == 3 * total
            assert db.exec_driver_sql("SELECT last FROM case_numbers").scalar_one() == total
        store.close()
    assert acknowledged >= 3
