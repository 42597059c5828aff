"""Packets to bursts: what one side says in one go, and whether it was asked.

A message may be several packets, and a capture may split or merge them; a burst is what no reader of times and sizes
can take apart. Bursts come at most twenty times a second from each side, so a series of them is bounded by its length
in time, whatever the bandwidth.
"""

import numpy as np

from headframe.kernels.jit import kernel

GAP_NS = 50_000_000
"""Packets of one side that follow each other within this time are one burst. Longer than the spread of one message's
packets, shorter than the gap between two messages that matter. [ns]"""
REPLY_NS = 2_000_000_000
"""The first burst of the other side within this time answers a burst: round trip and work of a slow server. [ns]"""


@kernel
def gather_bursts(time_ns, size, out_time_ns, out_size):
    """Merge packets into bursts, per side.

    Parameters
    ----------
    time_ns : int64[n]
        Capture times. A step back counts as no time passed. [ns]
    size : int32[n]
        Payload, negative from the responder. [bytes]
    out_time_ns : int64[n], out_size : int32[n]
        May be the inputs. Filled: time of the first packet, bytes of all, with the side's sign; in the order of the
        first packets.

    Returns
    -------
    int
        How many bursts there are.
    """
    count = 0
    open_orig = -1
    open_resp = -1
    last_orig = np.int64(0)
    last_resp = np.int64(0)
    now = np.int64(-(1 << 62))
    for k in range(len(time_ns)):
        now = max(now, time_ns[k])
        step = size[k]
        if step > 0:
            if open_orig >= 0 and now - last_orig < GAP_NS:
                out_size[open_orig] = min(np.int64(out_size[open_orig]) + step, 0x7FFFFFFF)
            else:
                out_time_ns[count] = now
                out_size[count] = step
                open_orig = count
                count += 1
            last_orig = now
        elif step < 0:
            if open_resp >= 0 and now - last_resp < GAP_NS:
                out_size[open_resp] = max(np.int64(out_size[open_resp]) + step, -0x7FFFFFFF)
            else:
                out_time_ns[count] = now
                out_size[count] = step
                open_resp = count
                count += 1
            last_resp = now
    return count


@kernel
def mark_replies(time_ns, size, reply):
    """Say of each burst whether it was asked for.

    A burst waits for an answer until the other side speaks or `REPLY_NS` are over; one burst is answered by one.

    Parameters
    ----------
    time_ns : int64[n]
    size : int32[n]
        As `gather_bursts` gives them.
    reply : bool[n]
        Filled: True for the first burst of a side after one of the other side, within `REPLY_NS`.
    """
    asked_orig = np.int64(-(1 << 62))  # when the originator last said something that is not yet answered
    asked_resp = np.int64(-(1 << 62))
    for k in range(len(time_ns)):
        t = time_ns[k]
        if size[k] > 0:
            reply[k] = t - asked_resp <= REPLY_NS
            asked_resp = np.int64(-(1 << 62))
            asked_orig = t
        else:
            reply[k] = t - asked_orig <= REPLY_NS
            asked_orig = np.int64(-(1 << 62))
            asked_resp = t
