"""A day that is given for the end of a period means through that day, in the zone of the case's pack."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from headframe.cli import app
from headframe.cli.workspace_options import moment
from headframe.records.case import ExtendClock, RecordInspection
from tests.casework.office import PACK, Office

ZONE = ZoneInfo("Asia/Shanghai")
S_NS = 1_000_000_000


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * S_NS


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    office.open()
    office.classify("HF-2026-000001")
    office.notify("HF-2026-000001")
    office.work.close()
    for name, token in office.tokens.items():
        path = tmp_path / f"{name}.token"
        path.write_text(token)
        path.chmod(0o600)
    return office


@pytest.fixture
def here(office: Office, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def program(*words: str, by: str = "officer") -> Any:
        monkeypatch.setenv("HEADFRAME_ACCOUNT", by)
        monkeypatch.setenv("HEADFRAME_TOKEN_FILE", str(office.folder.parent / f"{by}.token"))
        monkeypatch.setenv("HEADFRAME_WORKSPACE", str(office.folder))
        return CliRunner().invoke(app, list(words))

    return program


def acts_of(office: Office, kind: type) -> list[Any]:
    work = office.reopen()
    found = [event.act for event in work.store.events("HF-2026-000001") if isinstance(event.act, kind)]
    work.close()
    return found


def test_time_that_is_given_until_a_day_holds_through_it(office: Office, here: Callable[..., Any]) -> None:
    """Who is told "until the 20th" may answer on the 20th; the command says so, with the time."""
    day = datetime.now(ZONE).date() + timedelta(days=20)
    done = here("case", "extend", "HF-2026-000001", "reply", "--until", f"{day}", "--reason", "abroad")
    assert done.exit_code == 0, done.output
    (act,) = acts_of(office, ExtendClock)
    assert act.until_ns == ns(f"{day + timedelta(days=1)}T00:00:00+08:00")
    assert f"reply: running through {day}, over at {day + timedelta(days=1)} 00:00" in done.output
    shown = json.loads(here("case", "show", "HF-2026-000001", "--format", "json").stdout)
    assert [one["due_day"] for one in shown["clocks"] if one["id"] == "reply"] == [f"{day}"]

    later = day + timedelta(days=1)
    assert here(
        "case", "extend", "HF-2026-000001", "reply", "--until", f"{later}T12:00", "--reason", "abroad"
    ).exit_code == 0  # fmt: skip
    assert acts_of(office, ExtendClock)[-1].until_ns == ns(f"{later}T12:00:00+08:00"), "a time is a time"


def test_an_inspection_that_ended_on_a_day_is_recorded_through_it(office: Office, here: Callable[..., Any]) -> None:
    """Of a day that is not over, until now: nothing has happened yet that is to come."""
    today = datetime.now(ZONE).date()
    for first, last in (("2026-05-20", "2026-05-21"), (f"{today}", f"{today}")):
        done = here(
            "case", "inspect", "HF-2026-000001", "--authority", "request 17", "--present", "grid company", "--started",
            first, "--ended", last, "--place", "hall 2", "--observation", "racks", by="inspector",
        )  # fmt: skip
        assert done.exit_code == 0, done.output
    before, now = (act.record for act in acts_of(office, RecordInspection))
    assert (before.started_ns, before.ended_ns) == (ns("2026-05-20T00:00+08:00"), ns("2026-05-22T00:00+08:00"))
    assert now.started_ns <= now.ended_ns <= int(datetime.now(UTC).timestamp() + 1) * S_NS


@pytest.mark.parametrize(
    ("text", "how", "expected"),
    [
        ("2026-05-20", {}, "2026-05-20T00:00+08:00"),
        ("2026-05-20", {"end": True}, "2026-05-21T00:00+08:00"),
        ("2026-05-20", {"end": True, "past": True}, "2026-05-21T00:00+08:00"),
        ("2026-06-01", {"end": True, "past": True}, "2026-06-01T15:00+08:00"),  # today: until now
        ("2026-06-02", {"end": True, "past": True}, "2026-06-02T00:00+08:00"),  # to come: refused by the rules
        ("2026-05-20T09:30", {"end": True}, "2026-05-20T09:30+08:00"),
        ("2026-05-20T24:00", {"end": True}, None),
        ("now", {"end": True, "past": True}, "2026-06-01T15:00+08:00"),
    ],
)
def test_what_a_day_means(text: str, how: dict[str, bool], expected: str | None) -> None:
    """The beginning of it, or its end where an end is asked for; never later than now of what has happened."""
    from headframe.stores.packs import load_packs

    pack = next(one for one in load_packs().values() if one.id == PACK)
    now_ns = ns("2026-06-01T15:00+08:00")
    if expected is None:
        with pytest.raises(SystemExit):
            moment(text, pack, now_ns, "--until", **how)
    else:
        assert moment(text, pack, now_ns, "--until", **how) == ns(expected)
