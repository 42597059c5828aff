"""The power benchmark's own arithmetic: figures against brute force, injectors against what they say they did."""

import itertools
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.power_injection import hard_negatives, history, trial
from bench.power_injection import inject as first
from bench.power_injection import inject_other as other
from bench.power_injection.meters import Window, buildings, longest_run
from bench.power_injection.score import average_precision, bootstrap, threshold_at

HOURS = 56 * 24
scores = st.lists(st.integers(0, 8).map(float), min_size=1, max_size=12)


def window(rng: np.random.Generator) -> Window:
    hour = np.arange(HOURS) % 24
    power = 5_000 + 4_000 * ((hour > 8) & (hour < 18)) + rng.normal(0, 300, HOURS)
    return Window("made", "house", 1_577_836_800, power.astype(np.float32))


@pytest.fixture(autouse=True)
def known_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of machines belongs to the real data; these tests do not need it."""
    monkeypatch.setattr(first, "machine_powers_w", lambda: np.array([600.0, 1500.0, 3250.0]))


@given(scores, scores, st.sampled_from([0.001, 0.01, 0.2]))
def test_average_precision_is_that_of_the_ranking_with_copied_innocents(
    positive: list[float], negative: list[float], prevalence: float
) -> None:
    """Weighting the innocent has the effect of so many of them; a positive stands below its equals."""
    weight = (1 - prevalence) / prevalence * len(positive) / len(negative)
    rows = sorted([(-s, 0, weight) for s in negative] + [(-s, 1, 1.0) for s in positive])
    found = innocent = total = 0.0
    for _, kind, w in rows:
        if kind:
            found += 1
            total += found / (found + innocent)
        else:
            innocent += w
    assert average_precision(np.array(positive), np.array(negative), prevalence) == pytest.approx(
        total / len(positive), rel=1e-9
    )


@given(scores, st.sampled_from([0.01, 0.1, 0.5]))
def test_at_most_the_asked_share_of_the_setting_windows_lies_above_the_threshold(
    innocent: list[float], rate: float
) -> None:
    assert np.mean(np.array(innocent) > threshold_at(np.array(innocent), rate)) <= rate


def test_the_bootstrap_draws_whole_buildings() -> None:
    """Windows of one building agree, so the interval is that of four buildings and not of four hundred windows."""
    of = np.repeat(np.arange(4), 100)
    value = np.repeat([0.0, 0.0, 1.0, 1.0], 100)
    low, high = bootstrap(of, lambda rows: value[rows].mean(), np.random.default_rng(1), rounds=400)
    assert low == 0.0
    assert high == 1.0


def test_longest_run_counts_equal_present_readings() -> None:
    assert longest_run(np.array([1, 1, np.nan, 1, 2, 2], np.float32)) == 3
    assert longest_run(np.array([np.nan], np.float32)) == 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mode", first.MODES)
def test_the_first_injector_adds_what_it_says(mode: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    host = window(rng)
    done = first.inject(host, mode, rng, price=rng.random(HOURS))
    assert done.added_w.shape == (HOURS,)
    assert (done.added_w >= 0).all()
    assert done.added_w.max() <= 1.03 * done.power_w
    assert done.share == pytest.approx(done.power_w / host.power_w.mean(), rel=1e-5)
    assert first.SHARES[0] * 0.999 <= done.share <= first.SHARES[1] * 1.001
    if done.onset_h is not None:
        assert (done.added_w[: done.onset_h] == 0).all()
        assert done.added_w[done.onset_h : done.onset_h + 72].max() > 0
    if mode == "always_on":
        assert done.onset_h is None
        assert done.added_w.min() > 0.9 * done.power_w
    if mode == "night_only":
        assert (done.added_w.reshape(-1, 24) == 0).all(axis=0).any()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mode", other.MODES)
def test_the_second_injector_adds_what_it_says(mode: str, seed: int) -> None:
    """Heat may lift the draw above the nominal power, by cooling; it never gets near half as much again."""
    rng = np.random.default_rng(seed)
    host = window(rng)
    outside = (15 + 10 * np.sin(2 * np.pi * np.arange(HOURS) / 24)).astype(np.float32)
    done = other.inject(host, mode, rng, outside_c=outside)
    assert done.added_w.shape == (HOURS,)
    assert (done.added_w >= 0).all()
    assert done.added_w.max() <= 1.5 * done.power_w
    assert other.SHARE_BOUNDS[0] <= done.share <= other.SHARE_BOUNDS[1]
    if done.onset_h is not None:
        assert (done.added_w[: done.onset_h] == 0).all()
    assert done.added_w.sum() > 0


@pytest.mark.parametrize(("injector", "mode"), [(first, "always_on"), (other, "steady")])
def test_a_given_power_is_the_power_that_is_added(injector: ModuleType, mode: str) -> None:
    rng = np.random.default_rng(3)
    done = injector.inject(window(rng), mode, rng, total_w=600.0)
    assert done.power_w == 600.0
    assert np.median(done.added_w[done.added_w > 300]) == pytest.approx(600.0, rel=0.15)


def test_an_onset_can_be_asked_for() -> None:
    done = first.inject(window(np.random.default_rng(0)), "step", np.random.default_rng(1), onset_h=100)
    assert done.onset_h == 100
    assert done.added_w[99] == 0 < done.added_w[100]


def test_the_price_of_another_year_keeps_hour_and_weekday() -> None:
    """A series that counts hours of the week comes out in step with the window's own, whatever its year."""
    begin = 1_546_300_800  # 2019-01-01, a Tuesday
    series = (np.arange(2 * 8766) + 24) % 168.0
    for start in (1_262_304_000, 1_546_300_800, 1_704_067_200):
        piece = trial._aligned(begin, series, start, 200)
        days = start // 86_400 + 3  # Monday is 0
        expected = (np.arange(200) + days % 7 * 24 + start // 3600 % 24) % 168
        assert (piece == expected).all()


class _Fake:
    """Buildings whose innocent windows score their own number, and injected ones that plus a lift."""

    @staticmethod
    def windows(names: list[str], each: int) -> tuple[Window, ...]:
        return tuple(
            Window("made", name, k * 86_400, np.full(24, 100.0 + 10 * i + k, np.float32))
            for (i, name), k in itertools.product(enumerate(names), range(each))
        )


def test_evaluate_counts_as_brute_force_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threshold comes from the other meters, recall and realised rate from the judged ones."""
    clean = {"design": _Fake.windows(["a", "b", "c"], 10), "tune": _Fake.windows(["d", "e"], 10)}
    dirty = tuple(
        trial.Positive(
            Window(w.source, w.building, w.start_s, w.power_w + 12),
            w,
            "step",
            first.Injection("step", 12, 0.1, 0, w.power_w),
        )
        for w in clean["tune"]
    )
    monkeypatch.setattr(trial, "innocents", lambda population, split, days, most: clean[split])
    monkeypatch.setattr(trial, "positives", lambda *_: dirty)

    def score(found: list[Window]) -> np.ndarray:
        return np.array([w.power_w[0] for w in found], float)

    figures = trial.evaluate(score, rate=0.1, rounds=20)
    threshold = np.quantile([w.power_w[0] for w in clean["design"]], 0.9, method="higher")
    assert figures.threshold == threshold
    assert figures.recall.value == np.mean([p.window.power_w[0] > threshold for p in dirty])
    assert figures.realised_rate.value == np.mean([w.power_w[0] > threshold for w in clean["tune"]])
    assert figures.by_kind["step"].n == len(dirty)
    assert figures.recall.low <= figures.recall.value <= figures.recall.high


def test_a_score_without_an_answer_is_not_a_find(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = _Fake.windows(["a", "b"], 10)
    dirty = tuple(trial.Positive(w, w, "step", first.Injection("step", 1, 0.1, 0, w.power_w)) for w in clean)
    monkeypatch.setattr(trial, "innocents", lambda *_: clean)
    monkeypatch.setattr(trial, "positives", lambda *_: dirty)
    figures = trial.evaluate(lambda found: np.full(len(found), np.nan), rounds=5)
    assert figures.recall.value == 0.0
    assert figures.realised_rate.value == 0.0


@pytest.mark.real_data
def test_splits_share_no_building(shared_data: object) -> None:
    """Every figure rests on this."""
    names = {s: {w.building for w in trial.innocents("commercial", s, 56, 2)} for s in ("design", "tune", "report")}
    for a, b in itertools.combinations(names.values(), 2):
        assert a
        assert not a & b


def test_a_cold_store_draws_more_when_it_is_hot_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same store, same draws of chance; the only difference is 15 degrees."""
    drawn = []
    for outside in (10.0, 25.0):
        # The rated power belongs to the hottest hour, which both cases share.
        weather = np.full(HOURS, outside, np.float32)
        weather[0] = 25.0
        monkeypatch.setattr(hard_negatives, "temperature_over", lambda start, hours, w=weather: w)
        power = hard_negatives.cold_store_w(window(np.random.default_rng(0)), 20_000.0, np.random.default_rng(5))
        assert power.shape == (HOURS,)
        assert (power >= 0).all()
        assert power.max() <= 1.3 * 20_000.0
        drawn.append(power.mean())
    assert drawn[1] > 1.15 * drawn[0]


@pytest.mark.real_data
def test_history_leaves_the_last_days_as_they_are(shared_data: object) -> None:
    """A pair differs in what comes before, never in the 56 days themselves; a later onset leaves the history clean."""
    made = history.pairs("tune", most=1, hosts=1)
    assert {pair.mode for pair in made} == {"", *first.MODES}
    whole = buildings("cambridge")
    for pair in made[:27]:
        last = pair.long.power_w[-pair.short.power_w.size :]
        np.testing.assert_array_equal(last, pair.short.power_w)
        start_s, power = whole[pair.long.building]
        begin = (pair.long.start_s - start_s) // 3600
        before = pair.long.power_w[: -pair.short.power_w.size]
        real = power[begin : begin + before.size]
        if pair.mode == "" or pair.onset_in_window:
            np.testing.assert_array_equal(before, real)
        else:
            assert (before[~np.isnan(real)] >= real[~np.isnan(real)]).all()
