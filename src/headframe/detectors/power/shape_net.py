"""The shipped network: what `likeness` asks about the picture of a period."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headframe.detectors.power import shape_net_model

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Net(NamedTuple):
    """Weights of the four layers and of the head; see `kernels.shape_net.judge`. All float32."""

    w1: NDArray[np.float32]
    b1: NDArray[np.float32]
    w2: NDArray[np.float32]
    b2: NDArray[np.float32]
    w3: NDArray[np.float32]
    b3: NDArray[np.float32]
    w4: NDArray[np.float32]
    b4: NDArray[np.float32]
    wh: NDArray[np.float32]
    bh: NDArray[np.float32]
    wo: NDArray[np.float32]
    bo: NDArray[np.float32]


def bytes_of(text: str) -> bytes:
    """What a shipped model is packed from: base 85, on lines."""
    return zlib.decompress(base64.b85decode("".join(text.split())))


def unpacked(weights: str, shapes: Mapping[str, tuple[int, ...]]) -> Net:
    """Weights from the text that `bench/power_injection/train_net.py` writes: half-precision numbers, packed."""
    numbers = np.frombuffer(bytes_of(weights), "<f2").astype(np.float32)
    arrays, at = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        arrays[name] = numbers[at : at + size].reshape(shape)
        at += size
    return Net(**arrays)


@cache
def shipped() -> Net:
    """The network that was trained."""
    return unpacked(shape_net_model.WEIGHTS, shape_net_model.SHAPES)
