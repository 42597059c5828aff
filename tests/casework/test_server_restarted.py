"""A PostgreSQL that is restarted in the middle of an act: it is told in words, and whether to do the act again."""

import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql_server import Server, required_server
from sqlalchemy import event

from headframe.errors import HeadframeError
from headframe.records import case as acts
from tests.casework.office import Office


@pytest.fixture
def server() -> Iterator[Server]:
    """One that no other test uses."""
    with required_server() as server:
        yield server


def test_a_restart_in_the_middle_of_a_proposal(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every kind of moment: nothing is said but the message, and done again or not, the act is there once."""
    office = Office(tmp_path / "workspace", database_url=server.url(server.fresh()))
    office.find("192.0.2.9")
    case = office.open()
    office.classify(case)
    moment = ""

    def restart(what: str) -> None:
        nonlocal moment
        if moment and moment in what:
            moment = ""
            server.process.send_signal(signal.SIGINT)
            server.process.wait(timeout=30)
            server.start()

    def listen() -> None:
        engine = office.work.store.engine
        event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: restart(statement))
        event.listen(engine, "commit", lambda _: restart("COMMIT"))

    listen()
    # As in the program, where nobody has set up logging: what has no handler goes to standard error as it is.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    capfd.readouterr()
    for at, again, words in (
        ("SELECT case_events", True, "does not answer"),
        ("INSERT INTO leaves", True, "Nothing of this was kept: do it again when it runs"),
        ("INSERT INTO disclosures", True, "Nothing of this was kept: do it again when it runs"),
        ("UPDATE leaves SET place", False, "in the database, and not in the ledger yet.*Do not do it again"),
    ):
        act = acts.ProposeNotice(
            kind=acts.NoticeKind.INFORMATION, document=office.paper("information_letter", at), language="zh"
        )
        before = len(office.work.case(case).proposals)
        moment = at
        with pytest.raises(HeadframeError, match=words) as told:
            office.do("officer", case, act)
        assert not moment, "the server was restarted"
        assert ".." not in str(told.value)
        assert capfd.readouterr().err == "", "drivers log what they lose; nobody reads that"
        if again:
            office.do("officer", case, act)
        office.reopen()
        listen()
        after = office.work.case(case).proposals
        assert len(after) == before + 1
        assert not office.work.store.pending_leaves(10)
        office.do("chief", case, acts.Reject(proposal=after[-1].number, reason="it was a trial"))
    office.work.close()
