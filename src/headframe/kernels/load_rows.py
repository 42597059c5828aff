"""What every row of a table of loads needs: how many readings, their mean, how rough the load is within its days."""

import numpy as np

from headframe.kernels.jit import kernel

DAY_H = 24


@kernel
def fold_rows(power_w, first, present, mean_w, roughness):
    """Count, mean and roughness of each run.

    Roughness is the root of the mean squared change from one hour to the next over the variance around the mean of each
    24 hours. A constant load, a step and a season do not change it. A household's load comes and goes by single
    appliances, so each hour differs from the last nearly as much as from any other of the day; an office's does not.

    Parameters
    ----------
    power_w : float32[total]
        Hourly, NaN where missing. [W]
    first : int64[n + 1]
    present : int64[n]
        Filled: how many readings are there.
    mean_w : float64[n]
        Filled; NaN without readings. [W]
    roughness : float64[n]
        Filled; NaN where nothing varies within a day. [unitless]
    """
    for r in range(len(first) - 1):
        count = 0
        total = 0.0
        inner = 0.0
        inner_count = 0
        change = 0.0
        changes = 0
        begin, end = first[r], first[r + 1]
        for at in range(begin, end, DAY_H):
            day_count = 0
            day_total = 0.0
            squares = 0.0
            last = np.float32(np.nan)
            # Squares are taken from the day's first reading, so that a large constant costs no digits.
            origin = np.float32(np.nan)
            for k in range(at, min(at + DAY_H, end)):
                x = power_w[k]
                if x == x:
                    if origin != origin:
                        origin = x
                    y = np.float64(x) - np.float64(origin)
                    day_count += 1
                    day_total += y
                    squares += y * y
                    step = np.float64(x) - np.float64(last)
                    if step == step:
                        change += step * step
                        changes += 1
                last = x
            if day_count > 0:
                count += day_count
                total += day_total + day_count * np.float64(origin)
                inner += max(squares - day_total * day_total / day_count, 0.0)
                inner_count += day_count
        present[r] = count
        mean_w[r] = total / count if count > 0 else np.nan
        rough = np.nan
        if changes > 0 and inner > 0.0:
            rough = np.sqrt((change / changes) / (inner / inner_count))
        roughness[r] = rough
