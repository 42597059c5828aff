"""The program that fits `likeness`: its machines, its new buildings, and the text that the model is kept as."""

import base64
import zlib

import numpy as np
import pytest

from bench.power_injection import train
from bench.power_injection.meters import Window


def window(seed: int = 1) -> Window:
    rng = np.random.default_rng(seed)
    return Window("made", f"b{seed}", 1_700_438_400, np.round(rng.uniform(50, 90, 56 * 24)).astype(np.float32) * 100)


@pytest.mark.parametrize("mode", [mode for mode in train.MODES if mode != "price_following"])
def test_machines_run_between_none_and_all(mode: str) -> None:
    """Up to noise and drift; and they run at some time."""
    for seed in range(20):
        on = train.running(window(), mode, np.random.default_rng(seed))
        assert on.shape == (1344,)
        assert on.min() >= 0
        assert 0.1 < on.max() < 1.4


@pytest.mark.real_data
def test_followers_rest_where_it_is_dear(shared_data: object) -> None:
    on = train.running(window(), "price_following", np.random.default_rng(3))
    assert 0 < np.mean(on < 0.1) < 1


def test_sums_show_no_digits_of_their_own() -> None:
    """Readings of sums are multiples of the meters' resolution, like all others."""
    power_w = train.together(window(1), window(2), np.random.default_rng(1)).power_w
    assert (power_w % 100 == 0).all()


def test_backwards_keeps_weeks_whole() -> None:
    host = window()
    weeks = host.power_w.reshape(8, 168)
    np.testing.assert_array_equal(train.backwards(host).power_w.reshape(8, 168), weeks[::-1])


def test_what_is_written_can_be_read() -> None:
    arrays = [np.arange(5, dtype=np.int16), np.linspace(0, 1, 7, dtype=np.float32)]
    raw = zlib.decompress(base64.b85decode("".join(train.text_of(arrays).split())))
    assert raw == b"".join(a.tobytes() for a in arrays)


def test_each_building_weighs_by_the_root_of_its_windows() -> None:
    rows = train.Sample(np.zeros((5, 1)), np.zeros(5, bool), np.zeros(5), np.array(["a", "a", "a", "a", "b"]))
    weight = train.weights(rows)
    assert weight[:4].sum() == pytest.approx(2 * weight[4])
