"""Where conversations began, by day and prefix, in bounded room."""

import numpy as np

from headframe.engines import seen as module
from headframe.engines.seen import SeenPrefixes

DAY_NS = 86_400_000_000_000
FIRST = 20_000  # 2024-10-04


def addresses(*rows: tuple[int, ...]) -> np.ndarray:
    """Originators; what they talk to is 1.1.1.1 for all."""
    table = np.zeros((len(rows), 32), np.uint8)
    for k, row in enumerate(rows):
        table[k, : len(row)] = row
        table[k, 16:20] = 1
    return table


def test_each_day_of_a_conversation_and_only_who_began_it() -> None:
    """IPv4 by 24 bits, IPv6 by 48; what they talk to is not told."""
    seen = SeenPrefixes()
    began = addresses((192, 0, 2, 10), (192, 0, 2, 11), (0x20, 0x01, 0x0D, 0xB8, 0, 1, 0, 2))
    first = np.array([FIRST, FIRST, FIRST + 1], np.int64) * DAY_NS
    last = first + np.array([0, 2 * DAY_NS, 0])
    seen.add(began, np.array([4, 4, 6], np.uint8), first, last)
    rows, left_out = seen.told()
    assert left_out == 0
    assert [(row.day, row.prefix, row.conversations) for row in rows] == [
        ("2024-10-04", "192.0.2.0/24", 2),
        ("2024-10-05", "192.0.2.0/24", 1),
        ("2024-10-05", "2001:db8:1::/48", 1),
        ("2024-10-06", "192.0.2.0/24", 1),
    ]


def test_room_is_bounded_and_what_is_left_out_is_counted(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Of a flood of made-up senders the busiest prefixes stay."""
    monkeypatch.setattr(module, "MOST_PREFIXES", 3)
    seen = SeenPrefixes()
    flood = addresses(*((10, 0, k, 1) for k in range(20)), *((192, 0, 2, 1),) * 5)
    day = np.full(25, FIRST * DAY_NS, np.int64)
    seen.add(flood, np.full(25, 4, np.uint8), day, day)
    rows, left_out = seen.told()
    assert len(rows) == 3
    assert left_out == 18
    assert ("192.0.2.0/24", 5) in {(row.prefix, row.conversations) for row in rows}


def test_damaged_times_are_no_years() -> None:
    """A conversation that lasts for ages, or before 1970, fills no room and raises nothing."""
    seen = SeenPrefixes()
    ages = np.array([np.iinfo(np.int64).max], np.int64)
    seen.add(addresses((192, 0, 2, 1)), np.array([4], np.uint8), np.array([-DAY_NS]), ages)
    rows, _ = seen.told()
    assert len(rows) == 401
