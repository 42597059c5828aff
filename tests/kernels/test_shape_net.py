"""The network gives what its layers, written as plain loops, give; and it is not upset by what meters do."""

import numpy as np
import pytest

from headframe.detectors.power.shape_net import Net, shipped
from headframe.kernels.shape_net import judge

DAYS = 17


@pytest.fixture(params=["compiled", "plain"])
def judged(request: pytest.FixtureRequest):
    """`judge`, compiled and as Python."""
    return judge if request.param == "compiled" else judge.py_func


def some_net(seed: int = 1, widths: tuple[int, ...] = (8, 8, 16, 8), hidden: int = 5) -> Net:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]) or 1)).astype(np.float32)

    a, b, c, d = widths
    return Net(
        draw(3, 5, 4, a), draw(a), draw(3, 3, a, b), draw(b), draw(3, 3, b, c), draw(c), draw(3, 3, c, d), draw(d),
        draw(2 * d, hidden), draw(hidden), draw(hidden), draw(1),
    )  # fmt: skip


def some_load(days: int = DAYS, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, 500.0, days * 24).astype(np.float32)


def naive(x: np.ndarray, net: Net) -> float:
    """From the docstrings alone."""
    x = x.astype(float)
    known = np.flatnonzero(~np.isnan(x))
    x = np.interp(np.arange(x.size), known, x[known])
    x = x / x.mean()
    picture = x.reshape(-1, 24)
    rise = np.concatenate([[0.0], np.diff(x)]).reshape(-1, 24)
    middle = np.sort(picture, axis=0)[(len(picture) - 1) // 2]
    layer = np.stack(
        [picture - 1, np.log(np.maximum(picture, 1e-3)), 2 * (picture - middle), np.arcsinh(20 * rise)], axis=2
    )
    pools = [(2, 1), (2, 2), (2, 2), (1, 1)]
    layers = [(net.w1, net.b1), (net.w2, net.b2), (net.w3, net.b3), (net.w4, net.b4)]
    for (down, right), (w, b) in zip(pools, layers, strict=True):
        rows, columns, _ = layer.shape
        out = np.zeros((rows, columns, b.size))
        for y in range(rows):
            for k in range(columns):
                total = b.astype(float)
                for dy in range(w.shape[0]):
                    for dx in range(w.shape[1]):
                        source = layer[min(max(y + dy - 1, 0), rows - 1), (k + dx - w.shape[1] // 2) % columns]
                        total = total + source @ w[dy, dx]
                out[y, k] = np.maximum(total, 0)
        rows, columns = rows // down, columns // right
        layer = out[: rows * down, : columns * right].reshape(rows, down, columns, right, -1).max(axis=(1, 3))
    pooled = np.concatenate([layer.mean(axis=(0, 1)), layer.max(axis=(0, 1))])
    return float(np.maximum(pooled @ net.wh + net.bh, 0) @ net.wo + net.bo[0])


def test_the_fast_layers_are_the_plain_ones(judged) -> None:
    """Same figures as plain loops, also with days that do not divide by two."""
    x = some_load()
    assert judged(x.copy(), DAYS, some_net()) == pytest.approx(naive(x, some_net()), rel=1e-4, abs=1e-4)


def test_missing_hours_are_filled_from_their_neighbours(judged) -> None:
    """A straight line between what is known; the first and last known value beyond."""
    x = some_load()
    x[[0, 1, 30, 31, 32, x.size - 1]] = np.nan
    assert judged(x.copy(), DAYS, some_net()) == pytest.approx(naive(x, some_net()), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_nothing_to_draw_is_no_answer(judged, value: float) -> None:
    """Neither a load that is missing nor one that is not there has a shape."""
    assert np.isnan(judged(np.full(DAYS * 24, value, np.float32), DAYS, some_net()))


def test_too_few_days_are_no_answer(judged) -> None:
    """After three poolings of two days each nothing would be left."""
    assert np.isnan(judged(some_load(7), 7, some_net()))


def test_the_size_of_the_site_does_not_matter() -> None:
    """Everything is over the mean load."""
    x = some_load()
    assert judge(x.copy(), DAYS, some_net()) == pytest.approx(judge(x * np.float32(1000), DAYS, some_net()), abs=1e-4)


def test_the_shipped_network_has_all_its_weights() -> None:
    """It loads, and every layer takes what the one before gives."""
    net = shipped()
    assert net.w1.shape[2] == 4
    for before, after in [(net.b1, net.w2), (net.b2, net.w3), (net.b3, net.w4)]:
        assert after.shape[2] == before.size
    assert net.wh.shape == (2 * net.b4.size, net.bh.size)
    assert all(np.isfinite(part).all() for part in net)


def test_the_shipped_network_sees_a_machine_at_night() -> None:
    """A load that is higher by as much from 22 to 6 every night, whatever the day, is what it was trained to see."""
    rng = np.random.default_rng(3)
    hour, day = np.arange(56 * 24) % 24, np.arange(56 * 24) // 24
    office = 5000 + 4000 * ((hour > 7) & (hour < 18) & (day % 7 < 5)) * rng.uniform(0.8, 1.2, 56 * 24)
    office += rng.normal(0, 300, 56 * 24)
    night = ((hour >= 22) | (hour < 6)) * 4000
    assert judge((office + night).astype(np.float32), 56, shipped()) > judge(office.astype(np.float32), 56, shipped())
