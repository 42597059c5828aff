"""Whether the later window was looked at: by the same detectors, all of it, at the same addresses and usage points.

"Nothing was found" says something only of what was looked at. Whatever is not shown to have been is told as missing,
with what to hand in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from headframe.records.assessment import Looked
from headframe.records.case import FindingRef
from headframe.records.spans import Span, joined, length, within

DAY_NS = 86_400_000_000_000
MOST_CHANGEOVER_DAYS = 7
"""Between the end of a meter, or of a prefix, in the registry and the begin of what took its place. Basis: operator
default, a week: registries are brought up to date by the week. [days]"""
LEAST_SEEN_AGAIN = 0.5
"""Of the neighbours of a host that were seen before, those that must be seen again for them to vouch for the sensor.
Basis: operator default: machines come and go, and a sensor that lost half of a subnet stands elsewhere. [unitless]"""
CHAIN_SYNC = "chain_sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One scan, or one file of findings.

    Attributes
    ----------
    name : str
    looked : Looked
    timing_tested : int
        Pairs of client and server that were compared with a clock, open or hidden.
    """

    name: str
    looked: Looked
    timing_tested: int = 0

    def recorded(self, said: Iterable[Span]) -> list[Span]:
        """Stretches of its traffic; a silence within it counts where the sensor itself says that it recorded."""
        own = self.looked.recorded
        if not own:
            return []
        return joined([*own, *within(said, min(start for start, _ in own), max(end for _, end in own))])


def detectors_that_looked(
    looks: Sequence[Look],
    said: Sequence[Span],
    findings: Sequence[FindingRef],
    chains: Collection[str],
    window: Span,
    least: float,
    missing: list[str],
) -> list[str]:
    """Detectors that looked at enough of the later window, with their versions.

    Parameters
    ----------
    looks : sequence of Look
    said : sequence of (int, int)
        When the sensor says that it recorded. [ns since 1970-01-01 UTC]
    findings : sequence of FindingRef
        That the case rests on.
    chains : collection of str
        Whose blocks the findings of timing keep step with; empty where it is not known.
    window : (int, int)
        The later one. [ns since 1970-01-01 UTC]
    least : float
        Share of the window that must have been looked at.
    missing : list of str
        Takes what is missing for the case's detectors.

    Returns
    -------
    list of str
    """
    wanted = {one.detector for one in findings if one.stands_out}
    whole = max(window[1] - window[0], 1)
    ran = []
    for name in dict.fromkeys(name for look in looks for name in look.looked.detectors):
        of_it = [look for look in looks if name in look.looked.detectors]
        spans = within([span for look in of_it for span in look.recorded(said)], *window)
        detector = name.rpartition(" ")[0]
        problems = []
        if (share := length(spans) / whole) < least:
            problems.append(
                f"{detector} looked at {share:.0%} of the later window, and the pack asks for {least:.0%}: hand in "
                "scans of all of it"
            )
        elif detector == CHAIN_SYNC:
            clocks = [one for look in of_it for one in look.looked.clocks]
            for chain in sorted(chains) or sorted({one.chain for one in clocks}):
                known = [span for one in clocks if one.chain == chain for span in one.covered]
                both = [piece for span in spans for piece in within(known, *span)]
                if (share := length(both) / whole) < least:
                    problems.append(
                        f"a block clock of {chain} was at hand for {share:.0%} of the later window, and the pack asks "
                        f"for {least:.0%}: scan again with --clock"
                    )
        if detector in (CHAIN_SYNC, "peer_sync") and not problems and not any(look.timing_tested for look in of_it):
            problems.append(
                "no conversation of the later window was compared with a clock: hand in captures of the whole link"
            )
        if not problems:
            ran.append(name)
        elif detector in wanted:
            missing += problems
    return ran


def chains_of(documents: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """Chains whose blocks the findings of timing keep step with.

    Parameters
    ----------
    documents : iterable of mapping
        The findings' documents.

    Returns
    -------
    frozenset of str
    """
    told = set()
    for one in documents:
        sync = one.get("block_sync")
        if one.get("detector") == CHAIN_SYNC and isinstance(sync, Mapping) and isinstance(sync.get("chain"), str):
            told.add(str(sync["chain"]))
    return frozenset(told)


@dataclass(frozen=True, slots=True)
class Chain:
    """A meter, or a prefix, and what took its place, one after another.

    Attributes
    ----------
    names : tuple of str
    spans : tuple of (int, int)
        When any of them was the site's. [ns since 1970-01-01 UTC]
    whole : bool
        Whether that holds for all of the later window, but for the days of a change.
    """

    names: tuple[str, ...]
    spans: tuple[Span, ...]
    whole: bool


def followed(
    named: Collection[str], spans: Mapping[str, Sequence[Span]], window: Span
) -> tuple[dict[str, Chain], frozenset[str]]:
    """What took the place of each named meter or prefix that left the site, by the registry's intervals.

    What begins within `MOST_CHANGEOVER_DAYS` of an end takes its place, each of it once.

    Parameters
    ----------
    named : collection of str
        That must be there for all of the later window.
    spans : mapping of str to sequence of (int, int)
        Of everything that is or was the site's. [ns since 1970-01-01 UTC]
    window : (int, int)
        The later one.

    Returns
    -------
    dict of str to Chain
        For each named one.
    frozenset of str
        Those that took somebody's place.
    """
    near = MOST_CHANGEOVER_DAYS * DAY_NS
    free = {name for name in spans if name not in named}
    taken: set[str] = set()
    chains = {}
    for name in sorted(named, key=lambda name: (max((end for _, end in spans.get(name, ())), default=0), name)):
        names, covered = [name], joined(spans.get(name, ()))
        while covered and covered[-1][1] < window[1]:
            end = covered[-1][1]
            heirs = [
                (abs(start - end), other)
                for other in free
                for start, until in joined(spans[other])[:1]
                if abs(start - end) <= near and until > end
            ]
            if not heirs:
                break
            heir = min(heirs)[1]
            free.discard(heir)
            taken.add(heir)
            names.append(heir)
            covered = joined([*covered, *spans[heir]])
        there = joined(within(covered, *window), near)
        whole = bool(there) and there[0][0] - window[0] < near and there[-1][1] >= window[1] and len(there) == 1
        chains[name] = Chain(tuple(names), tuple(covered), whole)
    return chains, frozenset(taken)
