"""Writers that act at once on one workspace, each a process of its own, and what must hold afterwards.

A writer tells every act that it was told is done: case, number of the event, and when it began and ended by the
machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headframe.cases.store import SiteImport, StaleCase
from headframe.casework import Casework, open_workspace
from headframe.errors import HeadframeError
from headframe.records import case as acts
from headframe.records.case import Accepted
from headframe.records.site import Assignment, AssignmentKind, Site, SiteKind
from headframe.reports.jsonl import finding_lines
from tests.casework.office import ACCOUNTS, PACK, ROW, Office, findings_of, sealed_events

NEW_SITES = 200
ROOT = Path(__file__).resolve().parents[2]
BY_NAME = {one.name: one for one in ACCOUNTS}


def an_act(rng: random.Random, text: str) -> tuple[str, acts.Act]:
    """Something that an account may do on a case at any time; holds may be refused, where another was faster."""
    kind = rng.random()
    if kind < 0.15:
        return "chief", acts.PlaceHold(reason=text)
    if kind < 0.30:
        return "chief", acts.LiftHold(reason=text)
    reply = acts.RecordReply(received_ns=time.time_ns(), stance=acts.ReplyStance.OTHER, document=None, text=text)
    return "officer", reply


PATIENCE_S = 120.0
"""How much longer than it was told a writer goes on until it has had its turns: machines may be busy with else."""


def write(folder: str, number: int, seconds: float, cases: str, *, opens: bool = True, least: int = 0) -> None:
    """Act on cases for some time, and open new ones; a line of standard output for each act, and what became of it.

    With `least`, it goes on until so many acts were done, however slow the machine is; a writer that never has its turn
    ends with fewer.
    """
    rng = random.Random(number)
    names = cases.split(",")
    sites = [f"N{k}" for k in range(number, NEW_SITES, 4)] if opens else []
    told = os.fdopen(1, "w", buffering=1)
    with open_workspace(Path(folder)) as work:
        told.write(json.dumps({"ready": number, "recovered": work.recovered}) + "\n")
        sys.stdin.readline()
        end, tried, done = time.monotonic() + seconds, 0, 0
        while (now := time.monotonic()) < end or (done < least and now < end + PATIENCE_S):
            tried += 1
            text = f"writer {number}, act {tried}"
            case_id = rng.choice(names)
            who, act = an_act(rng, text)
            new = sites.pop() if sites and rng.random() < 0.1 else ""
            began = time.monotonic_ns()
            try:
                if new:
                    path = Path(folder) / f"of-{new}.jsonl"
                    path.write_text("".join(finding_lines(findings_of(f"203.0.113.{new.removeprefix('N')}"))))
                    work.import_findings([path], account=BY_NAME["screener"])
                    began = time.monotonic_ns()
                    answer = work.open_case(BY_NAME["officer"], new, PACK, summary=text).answer
                else:
                    answer = work.perform(BY_NAME[who], case_id, act).answer
            except StaleCase:
                told.write(json.dumps({"stale": text}) + "\n")
                continue
            except HeadframeError as fault:
                told.write(json.dumps({"fault": str(fault), "text": text}) + "\n")
                continue
            ended = time.monotonic_ns()
            if isinstance(answer, Accepted):
                case_id = answer.case.case_id
                row = {"case": case_id, "number": answer.events[0].number, "text": text, "began": began, "ended": ended}
                told.write(json.dumps(row) + "\n")
                done += 1
            else:
                told.write(json.dumps({"refused": list(answer.reasons), "text": text}) + "\n")


@dataclass
class Told:
    """What all writers said."""

    done: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    stale: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Sort a line."""
        row = json.loads(line)
        for name, rows in (("case", self.done), ("refused", self.refused), ("stale", self.stale)):
            if name in row:
                rows.append(row)
        if "fault" in row:
            self.faults.append(row)

    def latencies_s(self) -> list[float]:
        """How long each act took, in order of size. [s]"""
        return sorted((row["ended"] - row["began"]) / 1e9 for row in self.done)


def started(folder: Path, number: int, seconds: float, cases: list[str], **more: Any) -> subprocess.Popen[str]:
    """A writer that waits for a line on its standard input."""
    named = "".join(f", {name}={value!r}" for name, value in more.items())
    code = (
        f"from tests.casework.together import write; write({str(folder)!r}, {number}, {seconds}, "
        f"{','.join(cases)!r}{named})"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line, f"writer {number} did not open the workspace"
    return child


def go(children: list[subprocess.Popen[str]]) -> None:
    """Let them begin."""
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()


def all_together(folder: Path, seconds: float, cases: list[list[str]], **more: Any) -> Told:
    """One writer for each list of cases, all at once."""
    children = [started(folder, number, seconds, names, **more) for number, names in enumerate(cases)]
    go(children)
    told = Told()
    for child in children:
        out, _ = child.communicate(timeout=seconds + PATIENCE_S + 120)
        assert child.returncode == 0
        for line in out.splitlines():
            told.take(line)
    return told


def check(work: Casework, told: Told) -> None:
    """Nothing that was acknowledged is lost, nothing else is there, and the ledger has all of it, in order."""
    sealed_events(work)()
    events = {(event.case_id, event.number): event for event in work.store.all_events()}
    texts = {
        key: next((said for name in ("text", "reason", "summary") if (said := getattr(event.act, name, ""))), "")
        for key, event in events.items()
    }
    for row in told.done:
        assert texts.get((row["case"], row["number"])) == row["text"], f"lost or overwritten: {row}"
    again = [text for text, many in Counter(texts.values()).items() if text.startswith("writer ") and many > 1]
    assert not again, f"done twice: {again}"
    not_done = {row["text"] for row in told.refused} | {row["stale"] for row in told.stale}
    assert not not_done & set(texts.values()), "refused, and there all the same"
    for case_id in {case_id for case_id, _ in events}:
        numbers = sorted(number for one, number in events if one == case_id)
        assert numbers == list(range(1, len(numbers) + 1))
    places = {leaf.leaf_id: leaf.index for row in told.done for leaf in work.store.leaves(case_id=row["case"])}
    # What was acknowledged before another act began stands before it in the ledger.
    order = sorted(told.done, key=lambda row: places[f"case/{row['case']}/{row['number']}"])
    latest_began = 0
    for row in order:
        assert row["ended"] > latest_began, "an act that was done before another began stands behind it"
        latest_began = max(latest_began, row["began"])
    of_case: dict[str, int] = {}
    for row in order:
        assert of_case.get(row["case"], 0) < row["number"], "events of a case stand in another order than they came"
        of_case[row["case"]] = row["number"]


def opened_cases(office: Office, many: int) -> list[str]:
    """Cases on sites of their own, and sites for more."""
    places = {f"T{k}": f"198.51.100.{k}" for k in range(many)}
    places |= {f"N{k}": f"203.0.113.{k}" for k in range(NEW_SITES)}
    with office.work.store.writing() as writer:
        writer.import_sites(
            SiteImport(
                sites=[Site(site_id=name, name=f"Hall {name}", kind=SiteKind.ENTERPRISE, region="north", source=ROW)
                       for name in places],
                assignments=[Assignment(kind=AssignmentKind.PREFIX, value=f"{host}/32", site_id=name, source=ROW)
                             for name, host in places.items()],
            )
        )  # fmt: skip
    cases = []
    for k in range(many):
        office.find(f"198.51.100.{k}", f"findings-{k}.jsonl")
        cases.append(office.open(f"T{k}"))
    return cases
