"""The bypass benchmark's transformers: what is led past a meter is exactly what the meters do not show."""

import numpy as np
import pytest

from bench.power_injection.bypass import DAYS, KINDS, Street, bypass, line, metered_with_errors

HOURS = DAYS * 24


@pytest.fixture
def street() -> Street:
    rng = np.random.default_rng(1)
    return Street("homes", 0, rng.uniform(200.0, 900.0, (HOURS, 6)), tuple("abcdef"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_energy_is_kept(street: Street, kind: str, seed: int) -> None:
    """Truth is what meters show and what they do not; the size is that of the load while it runs."""
    new, shown, done = bypass(street, kind, 0.1, np.random.default_rng(seed))
    np.testing.assert_allclose(new.true_w.sum(axis=1), shown.sum(axis=1) + done.unmetered_w, rtol=1e-9)
    assert shown.min() >= -1e-6
    assert done.unmetered_w.min() >= 0.0
    running = done.unmetered_w[done.unmetered_w > 0.0].mean()
    whole = new.true_w.sum(axis=1).mean() if kind in ("full", "partial_share") else street.true_w.sum(axis=1).mean()
    assert running / whole == pytest.approx(0.1, rel=0.15)
    if done.onset_h is not None:
        assert not done.unmetered_w[: done.onset_h].any()
    assert (done.point is None) == (kind == "tap")


def test_a_full_bypass_leaves_its_meter_at_zero(street: Street) -> None:
    """From the onset on."""
    _, shown, done = bypass(street, "full", 0.1, np.random.default_rng(3))
    assert done.point is not None
    assert not shown[done.onset_h or 0 :, done.point].any()


def test_losses_and_voltages_of_the_line(street: Street) -> None:
    """Losses have the share asked for, unless the line would be too long; twice the current is four times the heat."""
    losses, voltage = line(street.true_w, np.random.default_rng(2), 0.01)
    assert losses.mean() / street.true_w.sum(axis=1).mean() == pytest.approx(0.01, rel=1e-6)
    assert losses.min() > 0.0
    assert 200.0 < voltage.min() <= voltage.max() <= 230.0
    long, _ = line(street.true_w, np.random.default_rng(2), 0.5)
    assert long.mean() / street.true_w.sum(axis=1).mean() < 0.1
    uneven = street.true_w.copy()
    uneven[: HOURS // 2] *= 2.0
    uneven[HOURS // 2 :] = uneven[: HOURS // 2] / 2.0
    heat, _ = line(uneven, np.random.default_rng(2), 0.01)
    np.testing.assert_allclose(heat[: HOURS // 2], 4.0 * heat[HOURS // 2 :], rtol=1e-9)


def test_meters_keep_to_their_class() -> None:
    """Over 60 days a meter's total is off by no more than its class and the drift, and gaps are NaN."""
    rng = np.random.default_rng(4)
    power = rng.uniform(500.0, 1500.0, HOURS)
    for _ in range(20):
        read = metered_with_errors(power, 0.01, 10.0, rng)
        there = np.isfinite(read)
        assert 0.9 < there.mean() <= 1.0
        assert abs(read[there].sum() / power[there].sum() - 1.0) < 0.012
