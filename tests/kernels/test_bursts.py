"""Packets to bursts, compiled and not, beside a plain twin."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.kernels import bursts
from tests import naive_timing as naive
from tests.kernels.uncompiled import uncompiled

MS = 1_000_000
# Steps around the gap and the reply time, and steps back as a damaged clock makes them.
STEPS = st.sampled_from([0, 1, 49 * MS, 50 * MS - 1, 50 * MS, 51 * MS, 1_999 * MS, 2_000 * MS, 2_001 * MS, -30 * MS])
PACKETS = st.lists(st.tuples(STEPS, st.sampled_from([1, 60, 1400, 0x7FFFFFFF, -1, -60, -1400, -0x7FFFFFFF])))


@pytest.fixture(params=["compiled", "plain"])
def kernels(request: pytest.FixtureRequest) -> Any:
    return bursts if request.param == "compiled" else uncompiled().bursts


def at_times(packets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    now, out = 1_600_000_000_000_000_000, []
    for step, size in packets:
        now += step
        out.append((now, size))
    return out


@pytest.mark.parametrize("which", ["compiled", "plain"])
@given(PACKETS)
def test_bursts_and_replies_are_the_twins(which: str, packets: list[tuple[int, int]]) -> None:
    """Per side, packets less than 50 ms apart are one burst; the first burst after the other side's is its answer."""
    k: Any = bursts if which == "compiled" else uncompiled().bursts
    timed = at_times(packets)
    time_ns = np.array([t for t, _ in timed], dtype=np.int64)
    size = np.array([s for _, s in timed], dtype=np.int32)
    count = int(k.gather_bursts(time_ns, size, time_ns, size))
    got = list(zip(time_ns[:count].tolist(), size[:count].tolist(), strict=True))
    assert got == naive.bursts(timed)
    reply = np.zeros(count, dtype=np.bool_)
    k.mark_replies(time_ns[:count], size[:count], reply)
    assert reply.tolist() == naive.replies(got)


def test_a_side_bursts_at_most_twenty_times_a_second(kernels: Any) -> None:
    """That is what bounds a series by its length in time: a flood of packets is one burst after another."""
    rng = np.random.default_rng(5)
    time_ns = np.sort(rng.integers(0, 10 * 1000 * MS, 5000))
    size = rng.choice(np.array([-1400, 60], dtype=np.int32), 5000).astype(np.int32)
    count = int(kernels.gather_bursts(time_ns, size, time_ns, size))
    for side in (-1, 1):
        mine = time_ns[:count][np.sign(size[:count]) == side]
        assert (np.diff(mine) >= 50 * MS).all()
        assert len(mine) <= 10 * 20 + 1
