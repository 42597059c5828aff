"""A small convolutional network over a period drawn as an image of days by hours.

What it looks for are edges that stand at the same hour on many days, and levels that begin on one day and stay: a rule
for each would know one kind of operation only. It is a network of four layers, because more did not help, and it is
evaluated here so that nothing but arrays is needed where it runs. `bench/power_injection/train_net.py` makes the
weights.
"""

from __future__ import annotations

import numpy as np

from headframe.kernels.jit import kernel

CHANNELS = 4
HOURS = 24
_SMALLEST = np.float32(1e-3)


@kernel
def draw(x, days, image, column):
    """Draw hourly powers as an image of days by hours with four channels; return False if there is nothing to draw.

    Parameters
    ----------
    x : float32[days * 24]
        Mean power of each hour, NaN where missing; missing hours are filled from their neighbours, in place. [W]
    days : int
    image : float32[days + 2, 28, 4]
        Filled: power over its mean less 1, the logarithm of it, twice what it is above the median of its hour of the
        day, and the rise since the hour before, compressed. The first and last day are repeated at the border, hours go
        round the clock.
    column : float32[days]
        Room to work in.
    """
    n = days * HOURS
    last = -1
    total = 0.0
    for t in range(n):
        if x[t] == x[t]:
            if last < t - 1:
                for q in range(last + 1, t):
                    x[q] = x[t] if last < 0 else x[last] + (x[t] - x[last]) * (q - last) / (t - last)
            last = t
    if last < 0:
        return False
    for q in range(last + 1, n):
        x[q] = x[last]
    for t in range(n):
        total += x[t]
    mean = np.float32(total / n)
    if not mean > 0:
        return False
    for h in range(HOURS):
        for d in range(days):
            column[d] = x[d * HOURS + h] / mean
        column[:days].sort()
        middle = column[(days - 1) // 2]
        for d in range(days):
            v = x[d * HOURS + h] / mean
            before = x[d * HOURS + h - 1] / mean if d + h > 0 else v
            image[d + 1, h + 2, 0] = v - np.float32(1)
            image[d + 1, h + 2, 1] = np.log(max(v, _SMALLEST))
            image[d + 1, h + 2, 2] = np.float32(2) * (v - middle)
            image[d + 1, h + 2, 3] = np.arcsinh(np.float32(20) * (v - before))
    _border(image, days, HOURS, 2)
    return True


@kernel
def _border(image, rows, columns, wide):
    """Columns go round, the first and last row are repeated; `image` is [rows + 2, columns + 2 * wide, channels]."""
    for y in range(1, rows + 1):
        for k in range(wide):
            for c in range(image.shape[2]):
                image[y, k, c] = image[y, columns + k, c]
                image[y, columns + wide + k, c] = image[y, wide + k, c]
    for k in range(columns + 2 * wide):
        for c in range(image.shape[2]):
            image[0, k, c] = image[1, k, c]
            image[rows + 1, k, c] = image[rows, k, c]


@kernel
def _layer(image, rows, columns, weights, bias, out, sums):
    """Convolve, add the bias and cut at 0: `out` float32[rows, columns, k] of a bordered `image`.

    Four columns at a time share each weight; the innermost loop is over the output's channels, which the compiler turns
    into wide instructions.
    """
    high, wide, deep, many = weights.shape
    zero = np.float32(0)
    for y in range(rows):
        for x in range(0, columns, 4):
            left = min(4, columns - x)
            # A row of fewer than four columns computes some of its columns twice, which costs less than a branch.
            x1 = min(x + 1, columns - 1)
            x2 = min(x + 2, columns - 1)
            x3 = min(x + 3, columns - 1)
            for c in range(many):
                sums[0, c] = bias[c]
                sums[1, c] = bias[c]
                sums[2, c] = bias[c]
                sums[3, c] = bias[c]
            for dy in range(high):
                for dx in range(wide):
                    for i in range(deep):
                        v0 = image[y + dy, x + dx, i]
                        v1 = image[y + dy, x1 + dx, i]
                        v2 = image[y + dy, x2 + dx, i]
                        v3 = image[y + dy, x3 + dx, i]
                        for c in range(many):
                            w = weights[dy, dx, i, c]
                            sums[0, c] += v0 * w
                            sums[1, c] += v1 * w
                            sums[2, c] += v2 * w
                            sums[3, c] += v3 * w
            for p in range(left):
                for c in range(many):
                    out[y, x + p, c] = max(sums[p, c], zero)


@kernel
def _pool(image, rows, columns, down, right, out, border):
    """Largest of each `down` by `right` cells, into the bordered `out`; what is left over at the end is dropped."""
    for y in range(rows // down):
        for x in range(columns // right):
            for c in range(image.shape[2]):
                best = image[y * down, x * right, c]
                for a in range(down):
                    for b in range(right):
                        best = max(best, image[y * down + a, x * right + b, c])
                out[y + 1, x + border, c] = best
    _border(out, rows // down, columns // right, border)


@kernel
def judge(x, days, net):
    """Log-odds that a period holds machines, by its picture.

    Parameters
    ----------
    x : float32[days * 24]
        As in `draw`; changed in place.
    days : int
        At least 8.
    net : NamedTuple of arrays
        ``w1`` float32[3, 5, 4, a], ``b1`` float32[a], ``w2`` float32[3, 3, a, b], ``b2``, ``w3``, ``b3``, ``w4``,
        ``b4`` likewise; ``wh`` float32[2 d, e], ``bh`` float32[e], ``wo`` float32[e], ``bo`` float32[1].

    Returns
    -------
    float
        NaN if there is nothing to draw.
    """
    image = np.empty((days + 2, HOURS + 4, CHANNELS), np.float32)
    column = np.empty(days, np.float32)
    if days < 8 or not draw(x, days, image, column):
        return np.nan
    most = max(net.b1.size, net.b2.size, net.b3.size, net.b4.size)
    sums = np.empty((4, most), np.float32)
    rows, columns = days, HOURS

    out1 = np.empty((rows, columns, net.b1.size), np.float32)
    _layer(image, rows, columns, net.w1, net.b1, out1, sums)
    in2 = np.empty((rows // 2 + 2, columns + 2, net.b1.size), np.float32)
    _pool(out1, rows, columns, 2, 1, in2, 1)
    rows = rows // 2

    out2 = np.empty((rows, columns, net.b2.size), np.float32)
    _layer(in2, rows, columns, net.w2, net.b2, out2, sums)
    in3 = np.empty((rows // 2 + 2, columns // 2 + 2, net.b2.size), np.float32)
    _pool(out2, rows, columns, 2, 2, in3, 1)
    rows, columns = rows // 2, columns // 2

    out3 = np.empty((rows, columns, net.b3.size), np.float32)
    _layer(in3, rows, columns, net.w3, net.b3, out3, sums)
    in4 = np.empty((rows // 2 + 2, columns // 2 + 2, net.b3.size), np.float32)
    _pool(out3, rows, columns, 2, 2, in4, 1)
    rows, columns = rows // 2, columns // 2

    out4 = np.empty((rows, columns, net.b4.size), np.float32)
    _layer(in4, rows, columns, net.w4, net.b4, out4, sums)

    deep = net.b4.size
    pooled = np.zeros(2 * deep, np.float32)
    for c in range(deep):
        total = np.float32(0)
        best = out4[0, 0, c]
        for y in range(rows):
            for k in range(columns):
                total += out4[y, k, c]
                best = max(best, out4[y, k, c])
        pooled[c] = total / np.float32(rows * columns)
        pooled[deep + c] = best
    found = net.bo[0]
    for e in range(net.bh.size):
        hidden = net.bh[e]
        for c in range(2 * deep):
            hidden += pooled[c] * net.wh[c, e]
        if hidden > 0:
            found += hidden * net.wo[e]
    return found
