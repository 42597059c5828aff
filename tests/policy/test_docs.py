"""The page on packs says what there is."""

from pathlib import Path

import pytest

from headframe.policy.classify import FEATURES
from headframe.policy.parse import parse_pack
from headframe.policy.schema import STARTS
from headframe.records.policy import Precondition
from headframe.stores.packs import load_packs

PACKS = load_packs()


@pytest.fixture
def page(project_root: Path) -> str:
    return (project_root / "docs" / "policy.md").read_text(encoding="utf-8")


def test_every_pack_feature_start_and_precondition_is_on_the_page(page: str) -> None:
    """What a pack may name is explained."""
    for name in (*PACKS, *FEATURES, *STARTS, *Precondition):
        assert f"`{name}`" in page, name


def test_the_example_is_a_pack(page: str) -> None:
    """It can be copied as it stands."""
    text = page.split("```yaml\n")[1].split("```")[0]
    pack = parse_pack(text, name="example", known=PACKS)
    reply = next(row.deadline for row in pack.procedure if row.step == "reply")
    assert reply is not None
    assert reply.n == 15
