"""A load that is worth a look and on no list: it accuses nobody, may be asked about, and must be gone at the end."""

from dataclasses import replace

import pytest
from case_stories import PROPOSER, SCREENER, Story, finding, letter, lookup

from headframe.cases.question import families, joint_log10_e, sources
from headframe.cases.verification import metrics_needed
from headframe.records.case import FindingRef, NoticeKind, Refused
from headframe.records.finding import Family
from headframe.records.policy import Basis, VerificationRule

MINES = finding(1, Family.CONTENT, log10_e=7.0)
LOAD = finding(2, Family.LOAD, mining=False, log10_e=1.2)
CONTACT = finding(3, Family.CONTENT, mining=False)


def case_on(*findings: FindingRef) -> Story:
    return Story("campus-operator").opened(findings) >> (SCREENER, lookup())


@pytest.mark.parametrize(
    ("one", "expected"),
    [(MINES, True), (LOAD, True), (CONTACT, False), (replace(LOAD, log10_e=0.0), False),
     (replace(LOAD, family=Family.BALANCE), True), (replace(LOAD, log10_e=float("nan")), False)],
)  # fmt: skip
def test_which_findings_stand_out(one: FindingRef, expected: bool) -> None:
    """Those that say that mining goes on, and loads whose evidence is above one; a contact or probe never does."""
    assert one.stands_out is expected


def test_it_is_no_second_source_of_a_notice() -> None:
    """Chance alone gives some in every district."""
    case = case_on(MINES, LOAD).case
    assert case is not None
    assert families(case) == {Family.CONTENT}
    assert sources(case) == {"packets"}
    listed = case_on(MINES, replace(LOAD, mining=True)).case
    assert listed is not None
    assert sources(listed) == {"packets", "meters"}


def test_it_may_be_asked_about() -> None:
    """An information letter holds nothing against anybody; a notice needs more."""
    for findings, asked in (((LOAD,), True), ((replace(LOAD, log10_e=-0.5),), False), ((CONTACT,), False)):
        story = case_on(*findings)
        told = story.ask(PROPOSER, letter(NoticeKind.INFORMATION))
        reasons = told.reasons if isinstance(told, Refused) else ()
        assert any("no finding says that mining goes on there" in reason for reason in reasons) is not asked
        notice = story.ask(PROPOSER, letter())
        assert isinstance(notice, Refused)


def test_it_weighs_what_its_evidence_says() -> None:
    """Neither as a look that showed nothing, nor as more because of the list."""
    weak, strong = (case_on(MINES, one).case for one in (LOAD, replace(LOAD, mining=True)))
    nothing = case_on(MINES, replace(LOAD, log10_e=float("-inf"))).case
    assert weak is not None
    assert strong is not None
    assert nothing is not None
    assert joint_log10_e(weak) == joint_log10_e(strong) > joint_log10_e(nothing)


def test_it_must_be_gone_before_anything_is_called_over() -> None:
    """The end is measured in what was found, listed or not."""
    rule = VerificationRule(window_days=28, metrics=("pool_connections",), basis=Basis.OPERATOR_DEFAULT)
    assert metrics_needed((MINES,), rule)[1] == {"pool_connections"}
    assert metrics_needed((MINES, LOAD), rule)[1] == {"pool_connections", "kWh_per_day"}
