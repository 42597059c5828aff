"""What a screen shows of a case that is no part of it: what the registry says otherwise by now."""

from dataclasses import replace
from typing import Any

import pytest

from headframe.cases.store import SiteImport
from headframe.casework.view import _registry_differs
from headframe.records import case as acts
from headframe.records.case import Stage
from headframe.records.site import Assignment, AssignmentKind, SiteKind
from headframe.reports.casework import RegistryDifference, case_lines, view_document
from tests.casework.office import DAY_NS, ROW, START_NS, Office


def differs(office: Office, case_id: str) -> dict[str, tuple[Any, Any]]:
    return {one.field: (one.held, one.registry) for one in office.work.view(case_id).registry}


def bring(office: Office, *assignments: Assignment, **changes: Any) -> None:
    site = office.work.store.site("S1")
    assert site is not None
    with office.work.store.writing() as writer:
        writer.import_sites(
            SiteImport(sites=[replace(site, **changes)], assignments=assignments, imported_ns=office.clock.at_ns)
        )


def meter(name: str, until_ns: int | None = None) -> Assignment:
    return Assignment(
        kind=AssignmentKind.USAGE_POINT, value=name, site_id="S1", realm="", valid_until_ns=until_ns, source=ROW,
    )  # fmt: skip


def test_a_case_that_is_as_the_registry_says_tells_nothing(office: Office) -> None:
    """Supply points that had ended before it was opened are its own, too: it was opened with them."""
    bring(office, meter("UP-OLD", START_NS - DAY_NS))
    case = office.open()
    assert "UP-OLD" in office.work.case(case).usage_points
    assert differs(office, case) == {}
    assert not [line for line in case_lines(office.work.view(case)) if "registry says" in line]


def test_what_the_registry_says_otherwise_is_told(office: Office) -> None:
    """Until the case is corrected, by two accounts, or closed."""
    case = office.open()
    held = office.work.case(case)
    office.clock.wait(days=1)
    bring(office, meter("UP-1", office.clock.at_ns), meter("UP-2"), kind=SiteKind.CAMPUS, organisation_id=None)
    office.clock.wait(days=1)
    assert differs(office, case) == {
        "site_kind": (held.site_kind, "campus"),
        "organisation_id": ("O1", ""),
        "usage_points": (held.usage_points, ("UP-2",)),
    }
    lines = "\n".join(case_lines(office.work.view(case)))
    assert "  organisation_id: the case holds O1, the registry none\n" in lines
    assert "--field organisation_id" not in lines, "no correction empties a text"
    assert f"correct {case} --event 1 --field site_kind --value campus --reason TEXT" in lines
    assert f"""correct {case} --event 1 --field usage_points --value '["UP-2"]' --reason TEXT""" in lines
    told = view_document(office.work.view(case))["registry_differs"]
    assert {"field": "usage_points", "case": list(held.usage_points), "registry": ["UP-2"]} in told
    for field, value in (("site_kind", "campus"), ("usage_points", '["UP-2"]')):
        office.propose(case, acts.ProposeCorrection(event=1, field=field, value=value, reason="wrong from the start"))
    assert differs(office, case) == {"organisation_id": ("O1", "")}
    bring(office, meter("UP-2", office.clock.at_ns), organisation_id="O1")
    assert differs(office, case) == {"usage_points": (("UP-2",), ())}
    lines = "\n".join(case_lines(office.work.view(case)))
    assert "  usage_points: the case holds UP-2, the registry none\n" in lines
    assert "--field usage_points --value '[]'" in lines
    office.propose(case, acts.ProposeCorrection(event=1, field="usage_points", value="[]", reason="wrong"))
    assert differs(office, case) == {}


def test_a_closed_case_tells_nothing_of_the_registry(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registries change over the years; nothing of a case that is closed is to be done about it."""
    case = office.open()
    bring(office, region="elsewhere")
    assert differs(office, case) == {"region": ("north", "elsewhere")}
    file = office.work.case_file(case)
    closed = replace(file, case=replace(file.case, stage=Stage.CLOSED))
    monkeypatch.setattr(office.work, "case_file", lambda _case_id: closed)
    assert differs(office, case) == {}


def test_a_site_that_has_ended_or_gone_is_told(office: Office) -> None:
    """Nothing of it can be corrected; a day to come is no end yet."""
    case = office.open()
    office.clock.wait(days=2)
    bring(office, valid_until_ns=office.clock.at_ns + DAY_NS)
    assert "site_id" not in differs(office, case)
    bring(office, valid_until_ns=office.clock.at_ns - DAY_NS)
    assert differs(office, case)["site_id"][1].startswith("ended 2026-05-0")
    lines = "\n".join(case_lines(office.work.view(case)))
    assert "--field site_id" not in lines
    gone = replace(office.work.case(case), site_id="S99")
    assert list(_registry_differs(office.work, gone, office.clock.at_ns)) == [
        RegistryDifference(field="site_id", held="S99", registry="")
    ]
