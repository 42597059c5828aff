"""Every pack's fixtures: input case to class, measures and due dates that were worked out by hand."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from policy_cases import instant, make_case, make_facts

from headframe.policy.classify import classify
from headframe.policy.clocks import clocks_of
from headframe.policy.parse import read_yaml
from headframe.policy.rights import measure_states
from headframe.stores.packs import load_packs

FOLDER = Path(__file__).with_name("fixtures")
FILES = sorted(FOLDER.glob("*/*.yaml"))
PACKS = load_packs()


def read(path: Path) -> dict[str, Any]:
    values = read_yaml(path.read_text(encoding="utf-8"), name=path.name)
    assert isinstance(values, dict)
    return values


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_fixture_comes_out_as_written(path: Path) -> None:
    """The class, the measures and the dates of a fixture are what a person wrote beside it."""
    values, pack = read(path), PACKS[path.parent.name]
    case, expected = make_case(values, pack), values["expect"]
    now = instant(values["now"], pack.time_zone)
    proposed = classify(pack, make_facts(values, case))
    assert proposed.standing == expected["standing"], proposed.standing_text
    by_axis = {row.axis.id: row.value for row in proposed.axes}
    assert {axis: by_axis[axis] for axis in expected.get("axes", {})} == expected.get("axes", {})
    verdicts = {row.criterion.id: row.verdict.value for row in proposed.criteria}
    assert {name: verdicts[name] for name in expected.get("criteria", {})} == expected.get("criteria", {})

    clocks = {clock.id: clock for clock in clocks_of(case, pack, now)}
    for name, wanted in expected.get("clocks", {}).items():
        clock = clocks[name]
        assert clock.state == wanted["state"], clock
        assert clock.due_day == wanted.get("due", ""), clock.explanation
        assert clock.provisional == wanted.get("provisional", False), clock.explanation
        if "basis" in wanted:
            assert clock.basis == wanted["basis"]
        if "ends" in wanted:
            assert clock.due_ns == instant(wanted["ends"], "UTC")

    states = {state.measure.id: state for state in measure_states(case, pack, tuple(clocks.values()), now)}
    allowed = [name for name, state in states.items() if state.allowed]
    assert sorted(allowed) == sorted(expected["allowed"]), {name: states[name].missing for name in states}
    for name, reason in expected.get("barred", {}).items():
        assert any(reason in text for text in states[name].missing), (name, states[name].missing)


def test_every_pack_has_its_fixtures() -> None:
    """At least four for each pack, with a victim, an undetermined one, and a clock with a date among them."""
    count = Counter(path.parent.name for path in FILES)
    assert set(count) == set(PACKS)
    assert min(count.values()) >= 4
    for name in PACKS:
        expected = [read(path)["expect"] for path in FILES if path.parent.name == name]
        assert {"victim", "undetermined"} <= {row["standing"] for row in expected}, name
        assert any("due" in clock for row in expected for clock in row.get("clocks", {}).values()), name
        assert any(row["allowed"] for row in expected), name
        assert any(row.get("barred") for row in expected), name
