"""Where conversations began, by day and prefix: what tells later that a sensor saw a network at all.

Prefixes and not addresses, and only those that a conversation began from: it takes little room, and says of nobody
whom they talked to.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network

import numpy as np
from numpy.typing import NDArray

from headframe.records.scan import SeenPrefix

MOST_PREFIXES = 2000
"""Of one day and IP version that are told; those with the most conversations."""
_DAY_NS = 86_400_000_000_000
_LAST_DAY = (1 << 16) - 1
"""A day has 16 bits of a key, up to the year 2149."""
_MOST_DAYS = 400
"""Of one conversation: what lasts longer has a damaged time. [days]"""
_ROOM = 1 << 18


class SeenPrefixes:
    """Counts conversations by day and prefix of who began them; IPv4 by 24 bits, IPv6 by 48."""

    def __init__(self) -> None:
        self._counts: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._left_out = 0

    def add(
        self,
        addresses: NDArray[np.uint8],
        version: NDArray[np.uint8],
        first_ns: NDArray[np.int64],
        last_ns: NDArray[np.int64],
    ) -> None:
        """Count conversations, each on every day that it lasts.

        Parameters
        ----------
        addresses : uint8[n, 32]
            Originator and responder; IPv4 in the first 4 bytes of each half.
        version : uint8[n]
            4 or 6.
        first_ns, last_ns : int64[n]
            [ns since 1970-01-01 UTC]
        """
        first = np.clip(first_ns // _DAY_NS, 0, _LAST_DAY)
        last = np.clip(last_ns // _DAY_NS, first, np.minimum(first + _MOST_DAYS, _LAST_DAY))
        for counts, wanted, size in zip(self._counts, (4, 6), (3, 6), strict=True):
            mine = version == wanted
            if not mine.any():
                continue
            prefix = np.zeros(int(mine.sum()), np.uint64)
            for k in range(size):
                prefix = (prefix << np.uint64(8)) | addresses[mine, k].astype(np.uint64)
            begin, end = first[mine], last[mine]
            for more in range(int((end - begin).max()) + 1):
                there = begin + more <= end
                keys, many = np.unique(
                    ((begin[there] + more).astype(np.uint64) << np.uint64(48)) | prefix[there], return_counts=True
                )
                for key, n in zip(keys.tolist(), many.tolist(), strict=True):
                    counts[key] = counts.get(key, 0) + n
            if len(counts) > _ROOM:
                self._cut(counts)

    def _cut(self, counts: dict[int, int]) -> None:
        by_day: dict[int, list[int]] = defaultdict(list)
        for key in counts:
            by_day[key >> 48].append(key)
        for keys in by_day.values():
            for key in sorted(keys, key=lambda key: (-counts[key], key))[MOST_PREFIXES:]:
                del counts[key]
                self._left_out += 1

    def told(self) -> tuple[tuple[SeenPrefix, ...], int]:
        """All that was counted, by day and prefix, and how many prefixes of a day are left out.

        Returns
        -------
        tuple of SeenPrefix
        int
        """
        rows = []
        for counts, network, bits, width in (
            (self._counts[0], IPv4Network, 24, 32), (self._counts[1], IPv6Network, 48, 128)
        ):  # fmt: skip
            self._cut(counts)
            for key, n in sorted(counts.items()):
                day = datetime.fromtimestamp((key >> 48) * 86_400, UTC).date().isoformat()
                prefix = network(((key & ((1 << 48) - 1)) << (width - bits), bits))
                rows.append(SeenPrefix(day=day, prefix=str(prefix), conversations=n))
        return tuple(sorted(rows, key=lambda row: row.day)), self._left_out
