"""Fusion: one e-value from all families, valid whatever shares its packets, with the account of who says what."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.evidence.fusion import (
    SOURCE_OF,
    Answer,
    MergeRule,
    Standing,
    answers_of,
    fuse,
    mean_of_products,
)
from headframe.records.finding import Family, Finding, Insufficient, Role

LOG10_E = st.one_of(st.floats(-20, 20), st.just(-math.inf))
E_ROWS = st.lists(LOG10_E, min_size=1, max_size=6)


def finding(detector: str = "stratum", role: Role = Role.MINER, log10_e: float = 4.0, **fields: object) -> Finding:
    values = {
        "detector": detector, "version": "1", "family": Family.CONTENT, "role": role, "host": "192.0.2.1",
        "peer": "198.51.100.7:3333", "protocol": "stratum-v1", "started_ns": 0, "ended_ns": 1, "log10_e": log10_e,
        "explanation": "It speaks Stratum.",
    }  # fmt: skip
    return Finding(**(values | fields))  # type: ignore[arg-type]


def answer(family: Family, *log10_e: float, looks: int | None = None, **fields: object) -> Answer:
    values = {"detector": f"{family.value} detector", "family": family, "log10_e": log10_e}
    return Answer(**(values | {"looks": len(log10_e) if looks is None else looks} | fields))  # type: ignore[arg-type]


def every_family() -> st.SearchStrategy[list[Answer]]:
    rows = st.fixed_dictionaries({}, optional=dict.fromkeys(Family, E_ROWS))
    return rows.map(lambda chosen: [answer(family, *values) for family, values in chosen.items()])


@given(st.lists(LOG10_E, max_size=7))
def test_mean_of_products_is_the_mean_over_all_subsets(values: list[float]) -> None:
    """The closed form against writing out every subset."""
    products = [
        math.prod(10.0**x for x in subset)
        for size in range(1, len(values) + 1)
        for subset in itertools.combinations(values, size)
    ]
    naive = math.fsum(products) / len(products) if products else 1.0
    found = mean_of_products(values).log10
    assert found == (-math.inf if naive == 0 else pytest.approx(math.log10(naive), abs=1e-9))


@given(E_ROWS)
def test_mean_of_products_is_close_to_the_best_subset(values: list[float]) -> None:
    """It loses at most 2^K - 1 against the product of those that help, and never more."""
    best = math.fsum(x for x in values if x > 0) if max(values) > 0 else max(values)
    found = mean_of_products(values).log10
    assert best - math.log10(2 ** len(values) - 1) - 1e-9 <= found <= best + 1e-9


def test_mean_of_products_at_extremes() -> None:
    """One value stays what it is; neither overflow nor loss of small ones."""
    assert mean_of_products([6.0]).log10 == pytest.approx(6.0, abs=1e-12)
    assert mean_of_products([-250.0]).log10 == pytest.approx(-250.0, abs=1e-9)
    assert mean_of_products([4000.0, 5000.0]).log10 == pytest.approx(9000.0 - math.log10(3))
    assert mean_of_products([-math.inf, -math.inf]).log10 == -math.inf
    with pytest.raises(ValueError, match="finite or -inf"):
        mean_of_products([math.nan])


@given(every_family(), st.sampled_from(MergeRule), st.randoms(use_true_random=False))
def test_order_of_answers_does_not_matter(answers: list[Answer], rule: MergeRule, random) -> None:  # type: ignore[no-untyped-def]
    """The same answers, the same result, account and all."""
    assert fuse(random.sample(answers, len(answers)), rule=rule) == fuse(answers, rule=rule)


@given(every_family(), st.sampled_from(MergeRule), st.floats(0, 5))
def test_more_evidence_never_fuses_to_less(answers: list[Answer], rule: MergeRule, more: float) -> None:
    """Raising one look of one answer cannot lower the whole."""
    if not answers:
        return
    raised = [answer(answers[0].family, answers[0].log10_e[0] + more, *answers[0].log10_e[1:]), *answers[1:]]
    assert fuse(raised, rule=rule).log10_e >= fuse(answers, rule=rule).log10_e - 1e-9


@given(every_family())
def test_mean_rule_stays_between_the_families(answers: list[Answer]) -> None:
    """The safe merge claims no more than the strongest family."""
    fused = fuse(answers, rule=MergeRule.MEAN)
    values = [fused.by_family[a.family].log10_e for a in answers] or [0.0]
    assert min(values) - 1e-9 <= fused.log10_e <= max(values) + 1e-9


@given(every_family())
def test_every_family_is_accounted_for(answers: list[Answer]) -> None:
    """Each expected family stands in exactly one column."""
    fused = fuse(answers)
    columns = [*fused.supporting, *fused.contradicting, *fused.silent, *fused.missing]
    assert sorted(columns) == sorted(Family)
    assert set(fused.missing) == set(Family) - {a.family for a in answers}
    assert all(fused.by_family[family].shortages for family in fused.missing)


def test_families_of_one_source_are_averaged_and_sources_multiplied() -> None:
    """Content and endpoint come from the same packets; timing has its chance in the blocks."""
    answers = [answer(Family.CONTENT, 4.0), answer(Family.ENDPOINT, 3.0), answer(Family.TIMING, 6.0)]
    fused = fuse(answers)
    packets, timing = (10_000 + 1_000) / 2, 1e6
    assert 10**fused.log10_e == pytest.approx((packets + timing + packets * timing) / 3)
    assert fused.by_source == {"block times": pytest.approx(6.0), "packets": pytest.approx(math.log10(packets))}
    assert fused.supporting_sources == 2
    said = " ".join(fused.assumptions)
    assert "Averaged, because their errors may have common causes: content, endpoint." in said
    assert "Multiplied, as independent for a subject that does not mine: packets, block times." in said
    assert "follow it" in said
    multiplied = fuse(answers, rule=MergeRule.PRODUCT)
    assert 10**multiplied.log10_e == pytest.approx(((1 + 1e4) * (1 + 1e3) * (1 + 1e6) - 1) / 7)
    assert "In doubt: content, endpoint share their source (packets)" in " ".join(multiplied.assumptions)
    assert fuse(answers, rule=MergeRule.MEAN).log10_e == pytest.approx(math.log10((1e4 + 1e3 + 1e6) / 3))


def test_silence_costs_a_little_and_absence_nothing() -> None:
    """A source that looked in vain costs a factor of 3; one that was missing leaves the value as it was."""
    alone = fuse([answer(Family.TIMING, 6.0)])
    assert alone.log10_e == pytest.approx(6.0)
    silent = fuse([answer(Family.TIMING, 6.0), answer(Family.CONTENT, looks=40)])
    assert silent.log10_e == pytest.approx(6.0 - math.log10(3))
    assert silent.silent == (Family.CONTENT,)
    missing = fuse([answer(Family.TIMING, 6.0), answer(Family.CONTENT, looks=0, shortage="No payload was kept.")])
    assert missing.log10_e == pytest.approx(6.0)
    assert missing.by_family[Family.CONTENT].shortages == ("content detector: No payload was kept.",)
    assert fuse([]).log10_e == answer(Family.CONTENT, looks=0).mean.log10 == 0.0
    assert fuse([answer(Family.CONTENT, looks=3)]).log10_e == -math.inf


def test_looks_without_a_finding_count() -> None:
    """One match in a thousand conversations is worth a thousandth of it."""
    fused = fuse([answer(Family.CONTENT, 4.0, looks=1000)])
    assert fused.log10_e == pytest.approx(1.0)
    with pytest.raises(ValueError, match="2 values in 1 looks"):
        answer(Family.CONTENT, 1.0, 2.0, looks=1)


def test_within_a_family_the_stakes_are_fixed() -> None:
    """Two detectors of one family: a weighted mean; one that could not answer takes no part."""
    timing = [
        answer(Family.TIMING, 6.0, detector="chain_sync", weight=3.0),
        answer(Family.TIMING, 2.0, detector="peer_sync", weight=1.0),
    ]
    assert 10 ** fuse(timing).log10_e == pytest.approx((3e6 + 100) / 4)
    unable = [timing[0], answer(Family.TIMING, detector="peer_sync", looks=0, shortage="One host only.")]
    assert fuse(unable).log10_e == pytest.approx(6.0)
    assert fuse(unable).by_family[Family.TIMING].detectors == ("chain_sync",)
    with pytest.raises(ValueError, match="two answers of chain_sync"):
        fuse([timing[0], timing[0]])
    for weight in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="weight"):
            answer(Family.TIMING, 1.0, weight=weight)


@pytest.mark.parametrize(
    ("log10_e", "looks", "standing"),
    [
        ((0.5,), 1, Standing.SUPPORTING), ((0.49,), 1, Standing.SILENT), ((-0.49,), 1, Standing.SILENT),
        ((-0.5,), 1, Standing.CONTRADICTING), ((-0.5,), 2, Standing.SILENT), ((), 5, Standing.SILENT),
        ((), 0, Standing.MISSING), ((-math.inf,), 1, Standing.CONTRADICTING),
    ],
)  # fmt: skip
def test_standing(log10_e: tuple[float, ...], looks: int, standing: Standing) -> None:
    """Only a lost bet contradicts: a detector that reports matches alone is silent at most."""
    assert fuse([answer(Family.TIMING, *log10_e, looks=looks)]).by_family[Family.TIMING].standing is standing


def test_every_family_has_a_source() -> None:
    """A new family must be placed before it can be fused."""
    assert set(SOURCE_OF) == set(Family)


def test_findings_become_answers() -> None:
    """One answer per detector that was run; roles that are no mining carry no evidence, and say so."""
    answers = answers_of(
        [
            finding(contradictions=("No share was accepted.",)),
            finding(log10_e=3.0),
            finding("pool_endpoint", Role.CONTACT, 5.0, family=Family.ENDPOINT),
        ],
        [
            Insufficient(detector="chain_sync", host="192.0.2.1", peer="", missing="No block clock."),
            Insufficient(detector="chain_sync", host="192.0.2.1", peer="198.51.100.7:443", missing="No block clock."),
        ],
        detectors={"stratum": Family.CONTENT, "pool_endpoint": Family.ENDPOINT, "chain_sync": Family.TIMING},
        looks={"stratum": 12, "pool_endpoint": 30},
    )
    assert [a.detector for a in answers] == ["chain_sync", "pool_endpoint", "stratum"]
    timing, endpoint, content = answers
    assert (timing.looks, timing.shortage) == (0, "No block clock.")
    assert endpoint.log10_e == ()
    assert endpoint.contradictions == ("pool_endpoint: 1 as contact, which is not mining.",)
    assert (content.log10_e, content.contradictions) == ((4.0, 3.0), ("No share was accepted.",))
    fused = fuse(answers)
    assert fused.supporting == (Family.CONTENT,)
    assert Family.TIMING in fused.missing
    assert fused.by_family[Family.CONTENT].log10_e == pytest.approx(math.log10(11_000 / 12))


def test_findings_that_cannot_be_accounted_for_are_refused() -> None:
    """An unknown detector, or more findings than looks: leaving either out would be choosing by result."""
    with pytest.raises(ValueError, match="not among those that were run"):
        answers_of([finding()], detectors={}, looks={})
    with pytest.raises(ValueError, match="not among those that were run"):
        answers_of([], [Insufficient(detector="x", host="", peer="", missing="all")], detectors={}, looks={})
    for role in (Role.MINER, Role.CONTACT):
        with pytest.raises(ValueError, match="1 findings in 0 looks"):
            answers_of([finding(role=role)], detectors={"stratum": Family.CONTENT}, looks={})


def test_fused_evidence_of_the_innocent_is_an_e_value() -> None:
    """Content and endpoint that err together, timing and load of their own: mean at most 1, P(E >= 10^k) <= 10^-k.

    A match has chance 1/20 and is worth 20; in nine of ten cases the endpoint matches exactly when the content does.
    The plain product of content and endpoint would have mean 18 and more; that is what the averaging is for.
    """
    rng = np.random.default_rng(50)
    runs = 20_000
    rate, worth = 1 / 20, math.log10(20.0)
    content = rng.random(runs) < rate
    endpoint = np.where(rng.random(runs) < 0.9, content, rng.random(runs) < rate)
    hits = rng.binomial(8, 0.2, runs)
    timing = hits * math.log10(0.5 / 0.2) + (8 - hits) * math.log10(0.5 / 0.8)
    load = math.log10(0.5) - 0.5 * np.log10(1.0 - rng.random(runs) * 0.999)  # the power calibrator, kappa = 1/2
    fused = {rule: np.empty(runs) for rule in (MergeRule.BY_SOURCE, MergeRule.MEAN)}
    for run in range(runs):
        answers = [
            answer(Family.CONTENT, *([worth] if content[run] else []), looks=1),
            answer(Family.ENDPOINT, *([worth] if endpoint[run] else []), looks=1),
            answer(Family.TIMING, timing[run]),
            answer(Family.LOAD, load[run]),
        ]
        for rule, values in fused.items():
            values[run] = fuse(answers, rule=rule).log10_e
    for values in fused.values():
        e = 10.0**values
        assert e.mean() <= 1.0 + 4.0 * e.std() / math.sqrt(runs)
        for k in (1, 2, 3):
            assert np.mean(values >= k) <= 10.0**-k + 4.0 * math.sqrt(10.0**-k / runs)
    assert (10.0 ** (worth * 2) * (content & endpoint)).mean() > 10.0
