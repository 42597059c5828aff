"""The look-up among lawful mining, written to be believed: every instant and every usage point on its own."""

from collections.abc import Sequence

from headframe.records.finding import Interval
from headframe.records.lawful import LawfulEntry


def naive_outcome(
    entries: Sequence[LawfulEntry],
    site_id: str,
    organisation_id: str,
    usage_points: Sequence[str],
    from_ns: int,
    until_ns: int,
    power_w: Interval | None,
) -> str:
    """The outcome's name, for small periods: it looks at every nanosecond."""

    def speaks_of(entry: LawfulEntry, point: str | None) -> bool:
        named = False
        if entry.site_id and site_id:
            if entry.site_id != site_id:
                return False
            named = True
        if entry.organisation_id and organisation_id:
            if entry.organisation_id != organisation_id:
                return False
            named = True
        if entry.usage_point:
            if point is None:
                return named  # it may be meant; it never covers
            return entry.usage_point == point
        return named

    def valid(entry: LawfulEntry, at: int) -> bool:
        begun = entry.valid_from_ns is None or entry.valid_from_ns <= at
        return begun and (entry.valid_until_ns is None or at < entry.valid_until_ns)

    def enough(entry: LawfulEntry) -> bool:
        return power_w is None or entry.power_limit_w is None or power_w.low <= entry.power_limit_w

    parts: list[str | None] = list(usage_points) or [None]
    instants = range(from_ns, until_ns)
    listed = all(
        any(
            speaks_of(entry, part) and valid(entry, at) and enough(entry) and not (part is None and entry.usage_point)
            for entry in entries
        )
        for at in instants
        for part in parts
    )
    if listed:
        return "listed"
    named = [entry for entry in entries if any(speaks_of(entry, part) for part in parts)]
    if any(valid(entry, at) for entry in named for at in instants):
        return "partly"
    if any(entry.valid_until_ns is not None and entry.valid_until_ns <= from_ns for entry in named):
        return "expired"
    return "not_listed"
