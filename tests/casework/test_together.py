"""Several programs act at once: none loses an act, none undoes another's, and the ledger has all of them in order."""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from postgresql_server import Server, required_server

from headframe.casework import Casework, open_workspace
from headframe.errors import HeadframeError
from headframe.records import case as acts
from headframe.records.case import Accepted
from headframe.stores.database.writer import Writer
from tests.casework.office import HOUR_NS, PACK, Office
from tests.casework.together import BY_NAME, Told, all_together, check, go, opened_cases, started

WHEN_NS = 1_776_700_000_000_000_000
"""2026-04-20, when the findings are."""
TURNS = 10
"""Acts that each of four writers gets done at least, however busy the machine is."""
SECONDS = 5.0
"""On each of two databases. `python -m bench.together` does the same for longer, with figures."""


@pytest.fixture(scope="module")
def durable() -> Iterator[Server]:
    """A server that flushes to the disk, and may be stopped."""
    with required_server(durable=True) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = ""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("durable")
        url = server.url(server.fresh())
    office = Office(tmp_path / "workspace", database_url=url)
    yield office
    office.work.close()


def test_four_at_once(office: Office) -> None:
    """On one and the same case, and on their own beside it, opening new cases meanwhile."""
    shared, *own = opened_cases(office, 5)
    told = all_together(office.folder, SECONDS, [[shared, shared, one] for one in own], least=TURNS)
    office.reopen()
    assert told.faults == []
    turns = Counter(row["text"].split(",")[0] for row in told.done)
    assert {name for name, many in turns.items() if many >= TURNS} == {f"writer {k}" for k in range(4)}, turns
    # Holds are placed and lifted by all: whoever came second was refused for it, and for nothing else.
    assert told.refused
    assert all("hold" in row["refused"][0] for row in told.refused), told.refused
    check(office.work, told)


def at_the_same_findings(office: Office, *acting: Callable[[Casework], acts.Accepted | acts.Refused]) -> list[Any]:
    """What each hears who acts on findings when all have looked which ones are free, and none has taken any."""
    others = [open_workspace(office.folder, now_ns=office.clock) for _ in acting[1:]]
    at_once = threading.Barrier(len(acting))
    heard: list[Any] = []

    def take(work: Casework, act: Callable[[Casework], acts.Accepted | acts.Refused]) -> None:
        whole = work._findings_of

        def look(*arguments: Any) -> Any:
            found = whole(*arguments)
            work._findings_of = whole  # type: ignore[method-assign]
            at_once.wait(60)
            return found

        work._findings_of = look  # type: ignore[method-assign]
        try:
            heard.append(act(work))
        except HeadframeError as fault:
            heard.append(str(fault))

    threads = [threading.Thread(target=take, args=both) for both in zip([office.work, *others], acting, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for other in others:
        other.close()
    return heard


def test_two_open_a_case_on_the_same_findings(office: Office) -> None:
    """Only one does: a party must not get two cases, and two letters, because two officers pressed a key at once."""
    opened_cases(office, 1)
    office.find("203.0.113.7")

    def opens(work: Casework) -> acts.Accepted | acts.Refused:
        return work.open_case(BY_NAME["officer"], "N7", PACK).answer

    heard = at_the_same_findings(office, opens, opens)
    opened = [one for one in heard if isinstance(one, Accepted)]
    told = [one for one in heard if isinstance(one, str)]
    assert len(opened) == 1, heard
    assert len(told) == 1, heard
    assert "no finding without a case" in told[0]
    assert len({event.case_id for event in office.work.store.all_events()}) == 2


@pytest.mark.parametrize("second", ["adds", "opens"])
def test_two_take_the_same_findings_into_their_cases(office: Office, second: str) -> None:
    """Only one does: a finding must not speak against a party in two cases because two officers were at it at once."""
    opened_cases(office, 1)
    cases = []
    for k in range(2):
        office.find(
            "203.0.113.7", f"first-{k}.jsonl", started_ns=WHEN_NS + k * HOUR_NS, ended_ns=WHEN_NS + k * HOUR_NS + 1
        )
        cases.append(office.open("N7"))
    office.find("203.0.113.7", "later.jsonl", started_ns=WHEN_NS + 9 * HOUR_NS, ended_ns=WHEN_NS + 9 * HOUR_NS + 1)

    def adds(to: str) -> Callable[[Casework], acts.Accepted | acts.Refused]:
        return lambda work: work.add_findings(BY_NAME["officer"], to).answer

    def opens(work: Casework) -> acts.Accepted | acts.Refused:
        return work.open_case(BY_NAME["officer"], "N7", PACK).answer

    heard = at_the_same_findings(office, adds(cases[0]), adds(cases[1]) if second == "adds" else opens)
    assert len([one for one in heard if isinstance(one, Accepted)]) == 1, heard
    (told,) = [one for one in heard if isinstance(one, str)]
    assert "no finding without a case" in told
    every = {event.case_id for event in office.work.store.all_events()}
    in_cases = [found.finding_id for case_id in every for found in office.work.case(case_id).findings]
    assert len(in_cases) == len(set(in_cases)), "a finding is in two cases"
    check(office.work, Told())


def test_a_writer_is_killed_before_the_ledger_has_its_act(office: Office) -> None:
    """Committed and not yet in the ledger: whoever opens the workspace next hands it over, before anything else."""
    (case_id,) = opened_cases(office, 1)
    size = office.work.ledger.size
    office.work.close()
    code = f"""
import os, signal
from pathlib import Path
from headframe.casework import open_workspace
from tests.casework.together import BY_NAME, an_act
from headframe.records import case as acts
work = open_workspace(Path({str(office.folder)!r}))
work.hand_over = lambda: os.kill(os.getpid(), signal.SIGKILL)
act = acts.RecordReply(received_ns=work.now_ns(), stance=acts.ReplyStance.OTHER, document=None, text="writer 0, act 1")
work.perform(BY_NAME["officer"], {case_id!r}, act)
"""
    import subprocess

    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), str(root / "tests")])
    died = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, cwd=root)
    assert died.returncode == -signal.SIGKILL
    office.work = open_workspace(office.folder, now_ns=office.clock)
    assert office.work.recovered == 1
    assert office.work.ledger.size == size + 1
    assert office.work.case(case_id).replies[-1].text == "writer 0, act 1"
    check(office.work, Told())
    assert office.reopen().recovered == 0


def test_writers_are_killed_in_the_middle(office: Office) -> None:
    """At any moment: what they had been told is done is there, and others went on meanwhile."""
    cases = opened_cases(office, 3)
    told = Told()
    children = [started(office.folder, k, 3.0, cases, opens=False) for k in range(3)]
    go(children)
    for k, child in enumerate(children[:2]):
        time.sleep(0.7 + 0.31 * k)
        child.send_signal(signal.SIGKILL)
    for child in children:
        out, _ = child.communicate(timeout=60)
        for line in out.splitlines(keepends=True):
            if line.endswith("\n"):
                told.take(line)
    assert children[2].returncode == 0
    assert told.faults == []
    office.reopen()
    check(office.work, told)


def test_the_server_is_restarted_in_the_middle_of_an_act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is in the middle hears it in words, nothing is half there, and the same program goes on afterwards."""
    with required_server(durable=True) as server:
        office = Office(tmp_path / "workspace", database_url=server.url(server.fresh()))
        (case_id,) = opened_cases(office, 1)
        whole = office.work._put

        def in_the_middle(*arguments: Any) -> None:
            whole(*arguments)
            server.stop()
            server.start()

        reply = acts.RecordReply(
            received_ns=office.work.now_ns(), stance=acts.ReplyStance.OTHER, document=None, text="half"
        )
        office.work._put = in_the_middle  # type: ignore[method-assign]
        with pytest.raises(HeadframeError) as caught:
            office.work.perform(BY_NAME["officer"], case_id, reply)
        assert "connection" in str(caught.value), str(caught.value)
        assert "Nothing of this was kept: do it again" in str(caught.value), str(caught.value)
        office.work._put = whole  # type: ignore[method-assign]
        assert office.work.case(case_id).replies == ()
        assert office.work.store.pending_leaves() == ()
        assert isinstance(office.work.perform(BY_NAME["officer"], case_id, reply).answer, Accepted)
        check(office.work, Told())
        # And once more, when the act is written and its leaf is on the way to the ledger.
        append = office.work.ledger.append

        def appended(leaves: Any) -> Any:
            places = append(leaves)
            server.stop()
            return places

        office.work.ledger.append = appended  # type: ignore[method-assign]
        with pytest.raises(HeadframeError, match=r"in the database, and not in the ledger yet.*Do not do it again"):
            office.work.perform(BY_NAME["officer"], case_id, replace(reply, text="whole"))
        size = office.work.ledger.size
        server.start()
        office.reopen()
        assert office.work.recovered == 1
        assert office.work.ledger.size == size, "the leaf was in the log already, and got no second place"
        assert [one.text for one in office.work.case(case_id).replies] == ["half", "whole"]
        # And while it is asked to keep it: then nobody can tell from here.
        flush = Writer.flush

        def flushed(writer: Writer) -> None:
            flush(writer)
            server.stop()
            server.start()

        with monkeypatch.context() as patch:
            patch.setattr(Writer, "flush", flushed)
            with pytest.raises(HeadframeError, match="look whether it is there before you do it again"):
                office.work.perform(BY_NAME["officer"], case_id, replace(reply, text="neither"))
        office.reopen()
        check(office.work, Told())
        office.work.close()
