"""The kernels of `peer_sync` against plain twins, compiled and uncompiled, and the e-value's mean under its null."""

import importlib.util
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.kernels import peer_sync as compiled
from tests import naive_peer_sync as naive

SECOND = 1_000_000_000
SEEDS = st.integers(0, 2**32 - 1)


def load_plain() -> ModuleType:
    """The same source without numba."""
    spec = importlib.util.spec_from_file_location("plain_peer_sync", compiled.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba, "njit", lambda *_given, **_options: lambda function: function)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["compiled", "plain"], scope="module")
def kernel(request: pytest.FixtureRequest) -> Any:
    """Both builds of the kernels."""
    return compiled if request.param == "compiled" else load_plain()


def times(rng: np.random.Generator, most: int, until_s: float) -> np.ndarray:
    """Ascending times, some of them close to each other."""
    at = rng.uniform(0, until_s, rng.integers(0, most + 1))
    at = np.concatenate([at, at[: len(at) // 3] + rng.uniform(-5, 5, len(at) // 3)])
    return np.sort((np.clip(at, 0, until_s) * SECOND).astype(np.int64))


def spans(rng: np.random.Generator, until_s: float) -> np.ndarray:
    """One to three disjoint stretches."""
    edges = np.sort(rng.choice(int(until_s), 2 * int(rng.integers(1, 4)), replace=False))
    return (edges.reshape(-1, 2) * SECOND).astype(np.int64)


def rows_of(
    module: Any, all_times: list[np.ndarray], all_spans: list[np.ndarray], ends: np.ndarray, strict: bool
) -> Any:
    return module.Rows(
        time_ns=np.concatenate(all_times),
        at=np.cumsum([0, *map(len, all_times)]),
        spans_ns=np.concatenate(all_spans),
        span_at=np.cumsum([0, *map(len, all_spans)]),
        client=ends[:, 0].astype(np.int32),
        server=ends[:, 1].astype(np.int32),
        network=ends[:, 2].astype(np.int32),
        strict=strict,
    )


def bet_of(module: Any, **changes: Any) -> Any:
    values = {
        "window_ns": SECOND,
        "step_ns": SECOND,
        "lengths_ns": np.array([150 * SECOND, 600 * SECOND]),
        "shares": np.array([0.5, 0.9]),
        "merge_ns": 3 * SECOND,
        "fewest_beats": 3,
        "shortest_ns": 60 * SECOND,
        "farthest_ns": 120 * SECOND,
    }
    return module.Bet(**(values | changes))


@given(seed=SEEDS)
def test_ticks_are_dropped_as_said(kernel: Any, seed: int) -> None:
    """A push goes if another lies one common interval before it."""
    rng = np.random.default_rng(seed)
    ticks = np.arange(rng.uniform(0, 20), 400, rng.uniform(6, 40)) * SECOND
    at = np.sort(np.concatenate([times(rng, 12, 400), ticks.astype(np.int64)]))
    limits = (5 * SECOND, 300 * SECOND, 600_000_000, 0.3, 3)
    keep = np.empty(len(at), dtype=np.bool_)
    period = kernel.drop_ticks(at, *limits, keep)
    assert (keep.tolist(), period) == naive.drop_ticks(at.tolist(), *limits)


def test_a_timer_leaves_only_its_first_tick(kernel: Any) -> None:
    """Ticks all go, what lies between them stays."""
    ticks = np.arange(0, 600, 20)
    between = np.array([33, 250, 471])
    at = np.sort(np.concatenate([ticks, between])) * SECOND
    keep = np.empty(len(at), dtype=np.bool_)
    assert kernel.drop_ticks(at, 5 * SECOND, 1800 * SECOND, 600_000_000, 0.3, 3, keep) == 20 * SECOND
    assert (at[keep] // SECOND).tolist() == [0, 33, 250, 471]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_pushes_are_no_timer(kernel: Any, n: int) -> None:
    """Nothing, one and two pushes stay."""
    keep = np.empty(n, dtype=np.bool_)
    assert kernel.drop_ticks(np.arange(n) * 60 * SECOND, 5 * SECOND, 1800 * SECOND, 600_000_000, 0.3, 3, keep) == 0
    assert keep.all()


@given(seed=SEEDS)
def test_intersection_is_what_lies_in_both(kernel: Any, seed: int) -> None:
    """Stretches of two lists."""
    rng = np.random.default_rng(seed)
    a, b = spans(rng, 100), spans(rng, 100)
    out = np.empty((len(a) + len(b), 2), dtype=np.int64)
    count = kernel.intersect(a, b, out)
    assert [tuple(s) for s in out[:count].tolist()] == naive.intersect(a.tolist(), b.tolist())


@given(seed=SEEDS)
def test_meetings_are_pairs_within_reach(kernel: Any, seed: int) -> None:
    """The bound on the work is the number of pairs, counted one by one."""
    at = times(np.random.default_rng(seed), 40, 100)
    pairs = sum(at[j] - at[i] <= 4 * SECOND for j in range(len(at)) for i in range(j))
    assert kernel.count_meetings(at, 4 * SECOND) == pairs


@given(seed=SEEDS)
def test_beats_are_moments_at_which_both_pushed(kernel: Any, seed: int) -> None:
    """Each beat has a push of both; near ones are one."""
    rng = np.random.default_rng(seed)
    one, other = times(rng, 30, 200), times(rng, 30, 200)
    lag = int(rng.integers(-3, 4)) * SECOND
    out = np.empty(len(one), dtype=np.int64)
    count = kernel.find_beats(one, other, lag, SECOND, 3 * SECOND, out)
    assert out[:count].tolist() == naive.find_beats(one.tolist(), other.tolist(), lag, SECOND, 3 * SECOND)


@given(seed=SEEDS, strict=st.booleans())
def test_partners_are_the_strongest_foreign_rows(kernel: Any, seed: int, strict: bool) -> None:
    """Every pair of foreign rows is judged, and the strongest are kept in order."""
    rng = np.random.default_rng(seed)
    common = times(rng, 12, 600)
    all_times, all_spans = [], []
    for _ in range(6):
        at = np.sort(np.concatenate([times(rng, 8, 600), common[rng.random(len(common)) < 0.7] + SECOND // 2]))
        stretch = spans(rng, 600)
        inside = np.zeros(len(at), dtype=bool)
        for s, e in stretch:
            inside |= (at >= s) & (at < e)
        all_times.append(at[inside])
        all_spans.append(stretch)
    ends = np.stack([rng.integers(0, 5, 6), rng.integers(5, 10, 6), rng.integers(0, 4, 6)], axis=1)
    rows = rows_of(kernel, all_times, all_spans, ends, strict)
    order = np.argsort(rows.time_ns, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    who = np.repeat(np.arange(6, dtype=np.int32), np.diff(rows.at))[order]
    slots = 3
    partners = kernel.Partners(
        np.empty((6, slots), dtype=np.int32), np.empty((6, slots)), np.empty((6, slots), dtype=np.int64)
    )
    kernel.find_partners(rows, rows.time_ns[order], who, place, 30 * SECOND, 2, 0.5, partners)
    wanted: dict[int, list[tuple[float, int, int]]] = {k: [] for k in range(6)}
    for a in range(6):
        for b in range(a + 1, 6):
            if naive.foreign(tuple(ends[a]), tuple(ends[b]), strict):
                found = naive.strength(
                    all_times[a].tolist(),
                    all_times[b].tolist(),
                    all_spans[a].tolist(),
                    all_spans[b].tolist(),
                    2,
                    30 * SECOND,
                )
                if found and found[0] >= 0.5:
                    wanted[a].append((found[0], b, found[1]))
                    wanted[b].append((found[0], a, -found[1]))
    for a in range(6):
        best = sorted(wanted[a], reverse=True)[:slots]
        got = [k for k in range(slots) if partners.row[a, k] >= 0]
        assert np.allclose(partners.strength[a, got], [s for s, _, _ in best])
        known = {b: (s, lag) for s, b, lag in wanted[a]}
        for k in got:
            strength, lag = known[int(partners.row[a, k])]
            assert strength == pytest.approx(partners.strength[a, k])
            assert lag == partners.lag_ns[a, k]


@given(seed=SEEDS)
def test_bet_is_the_ratio_to_the_mean_over_all_rotations(kernel: Any, seed: int) -> None:
    """Plain sums over every rotation give the same."""
    rng = np.random.default_rng(seed)
    length = int(rng.integers(5, 60) * SECOND + rng.integers(0, SECOND))
    at, beats = times(rng, 10, length / SECOND - 0.1), times(rng, 5, length / SECOND - 0.1)
    shares = np.array([0.5, 0.9])
    log_e = np.zeros((2, 7))
    room = np.empty((2, 200), dtype=np.int32)
    kernel.bet_on_part(at, beats, length, SECOND, SECOND, shares, room[0], room[1], log_e)
    wanted = naive.bet_on_part(at.tolist(), beats.tolist(), length, SECOND, SECOND, shares.tolist())
    assert np.allclose(np.exp(log_e), wanted, rtol=1e-6)


@given(seed=SEEDS)
def test_recurrence_takes_the_worst_other_lag_for_chance(kernel: Any, seed: int) -> None:
    """Plain counts at every lag give the same."""
    rng = np.random.default_rng(seed)
    at, beats, stretch = times(rng, 25, 300), times(rng, 10, 300), spans(rng, 300)
    bet = bet_of(kernel, farthest_ns=40 * SECOND)
    inside = np.zeros(len(beats), dtype=bool)
    for s, e in stretch:
        inside |= (beats >= s) & (beats < e)
    beats = beats[inside]
    got, recurring = kernel.bet_on_recurrence(at, beats, stretch, bet)
    wanted = naive.bet_on_recurrence(
        at.tolist(), beats.tolist(), stretch.tolist(), SECOND, SECOND, 40 * SECOND, [0.5, 0.9], 3
    )
    assert (np.exp(got), recurring) == pytest.approx(wanted, rel=1e-6)


def test_both_builds_agree_on_the_whole() -> None:
    """Compiled and uncompiled give the same evidence for a small network."""
    plain = load_plain()
    rng = np.random.default_rng(3)
    blocks = np.sort(rng.uniform(0, 3600, 25))
    all_times = [
        np.sort((np.concatenate([blocks + k * 0.4, rng.uniform(0, 3600, 20)]) * SECOND).astype(np.int64))
        for k in range(4)
    ]
    all_times += [np.sort((rng.uniform(0, 3600, 40) * SECOND).astype(np.int64)) for _ in range(3)]
    all_spans = [np.array([[0, 3700 * SECOND]])] * 7
    ends = np.stack([np.arange(7), np.arange(7) + 10, np.arange(7)], axis=1)
    results = []
    for module in (compiled, plain):
        rows = rows_of(module, all_times, all_spans, ends, strict=True)
        order = np.argsort(rows.time_ns, kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        who = np.repeat(np.arange(7, dtype=np.int32), np.diff(rows.at))[order]
        partners = module.Partners(np.empty((7, 4), dtype=np.int32), np.empty((7, 4)), np.empty((7, 4), dtype=np.int64))
        module.find_partners(rows, rows.time_ns[order], who, place, 900 * SECOND, 5, 5.0, partners)
        out = [np.empty(7), np.empty(7), np.empty(7), np.empty((7, 2), dtype=np.int32), np.empty(7, dtype=np.int64)]
        lag_s = np.empty(7, dtype=np.int64)
        module.bet_on_all(rows, partners, bet_of(module), 30.0, *out, lag_s)
        results.append((*partners, *out, lag_s))
    for a, b in zip(*results, strict=True):
        assert np.allclose(a, b)
    assert (results[0][3][:4] > 10).all()
    assert (results[0][3][4:] < 0).all()


@pytest.mark.parametrize("pushes", ["without memory", "timer", "bursts"])
def test_mean_of_the_bet_is_one_against_beats_without_memory(pushes: str) -> None:
    """Theorem: whatever the pushes are, the mean of E over beats without memory is 1, part by part and in products."""
    rng = np.random.default_rng({"without memory": 1, "timer": 2, "bursts": 3}[pushes])
    length = 150 * SECOND
    room = np.empty((2, 400), dtype=np.int32)
    e = []
    for _ in range(4000):
        log_e = np.zeros((1, 7))
        phase = rng.uniform(0, 30)
        for _part in range(3):
            if pushes == "without memory":
                at = rng.uniform(0, 150, rng.poisson(5))
            elif pushes == "timer":
                at = np.arange(phase, 150, 30)  # the same phase in each part
            else:
                at = rng.uniform(0, 140) + rng.exponential(2.0, 6)
            beats = rng.uniform(0, 150, rng.poisson(1.2))
            compiled.bet_on_part(
                np.sort((at[at < 150] * SECOND).astype(np.int64)),
                np.sort((beats * SECOND).astype(np.int64)),
                length,
                SECOND,
                SECOND,
                np.array([0.5]),
                room[0],
                room[1],
                log_e,
            )
        e.append(np.exp(log_e).mean())
    error = float(np.std(e) / len(e) ** 0.5)
    assert np.mean(e) <= 1 + 3 * error
    assert np.mean(e) >= 1 - 4 * error, "the bet is fair: a mean well below 1 would be a stake thrown away"
    for k in (1, 2, 3):
        assert np.mean(np.array(e) >= 10**k) <= 10.0**-k
