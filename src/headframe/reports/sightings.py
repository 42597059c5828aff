"""Findings of several detectors about the same host and peer, drawn together for people.

A miner in the clear at a known pool is found twice: by what it says, and by whom it says it to. A reader wants one
row and one card for it. Programs get every finding by itself, in JSON Lines, JSON and CSV. E-values are not combined
here: each family's stands by itself.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from headframe.records.finding import EvidenceLine, Family, Finding, Role, SourceRef
from headframe.records.indicator import IndicatorKind
from headframe.reports.words import ROLE_ORDER

# What was said tells more than to whom, and that more than when: the first that there is leads.
_FAMILY_ORDER = {family: place for place, family in enumerate((Family.CONTENT, Family.ENDPOINT, Family.TIMING))}

_ATTEMPTS = frozenset({Role.PROBE, Role.CONTACT, Role.FOLLOWER})
"""Roles of hosts of which no mining was seen: by what was said, to whom, or when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """All findings about one host and one peer.

    Attributes
    ----------
    lead : Finding
        The one that tells most: its role, times, shares and hash rate are shown.
    others : tuple of Finding
    """

    lead: Finding
    others: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, the lead first."""
        return (self.lead, *self.others)

    @property
    def pool(self) -> str | None:
        """The first name that any of them has for the pool."""
        return next((finding.pool for finding in self.findings if finding.pool), None)

    @property
    def agent(self) -> str | None:
        """The first name that any of them has for the software."""
        return next((finding.agent for finding in self.findings if finding.agent), None)

    @property
    def coins(self) -> tuple[str, ...]:
        """The lead's coins, or those of the first finding that names any."""
        return next((finding.coins for finding in self.findings if finding.coins), ())

    @property
    def indicator_kinds(self) -> tuple[IndicatorKind, ...]:
        """What stands behind the known names and addresses."""
        return tuple(dict.fromkeys(chain.from_iterable(finding.indicator_kinds for finding in self.findings)))

    @property
    def log10_e_of_family(self) -> dict[Family, float]:
        """Evidence by family, the lead's first; within a family the first finding's.

        Beside any other role, evidence of following an unknown clock is left out: it would be read as that of mining.
        """
        by_family: dict[Family, float] = {}
        for finding in self.findings:
            if finding.role is Role.FOLLOWER and self.lead.role is not Role.FOLLOWER:
                continue
            by_family.setdefault(finding.family, finding.log10_e)
        return by_family

    @property
    def evidence(self) -> tuple[EvidenceLine, ...]:
        """All lines in order of time."""
        lines = dict.fromkeys(chain.from_iterable(finding.evidence for finding in self.findings))
        return tuple(sorted(lines, key=lambda line: line.time_ns))

    @property
    def contradictions(self) -> tuple[str, ...]:
        """What speaks against any of them."""
        return tuple(dict.fromkeys(chain.from_iterable(finding.contradictions for finding in self.findings)))

    @property
    def blind_spots(self) -> tuple[str, ...]:
        """What their detectors cannot see."""
        return tuple(dict.fromkeys(chain.from_iterable(finding.blind_spots for finding in self.findings)))

    @property
    def sources(self) -> tuple[SourceRef, ...]:
        """Packets of all of them by file, ascending, each once."""
        packets: dict[str, set[int]] = {}
        for source in chain.from_iterable(finding.sources for finding in self.findings):
            packets.setdefault(source.file, set()).update(source.packets)
        return tuple(SourceRef(file=file, packets=tuple(sorted(numbers))) for file, numbers in packets.items())

    @property
    def community_ids(self) -> tuple[str, ...]:
        """The conversations that any of them rests on."""
        return tuple(dict.fromkeys(chain.from_iterable(finding.community_ids for finding in self.findings)))

    @property
    def accounts(self) -> tuple[str, ...]:
        """Accounts that any of them names."""
        return tuple(dict.fromkeys(chain.from_iterable(finding.accounts for finding in self.findings)))


def draw_together(findings: Iterable[Finding]) -> list[Sighting]:
    """Group findings by host and peer.

    Parameters
    ----------
    findings : iterable of Finding

    Returns
    -------
    list of Sighting
        By role, then the strongest evidence of the lead, then the earliest.
    """
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.host, finding.peer), []).append(finding)
    sightings = []
    for group in groups.values():
        group.sort(key=_telling_most)
        if group[0].role in _ATTEMPTS:
            # Inside encryption a known name is all that others see; the stream of work tells that it is mined.
            group.sort(key=lambda finding: finding.family is not Family.TIMING or finding.role in _ATTEMPTS)
        lead, *others = group
        sightings.append(Sighting(lead=lead, others=tuple(others)))
    return sorted(sightings, key=lambda sighting: _place(sighting.lead))


def hosts_of_role(sightings: Iterable[Sighting]) -> dict[Role, set[str]]:
    """Hosts by what they do, in the order in which reports list roles.

    A host counts once for each role that leads one of its sightings: a proxy that also reached a known pool is a
    proxy, and not a miner besides.

    Parameters
    ----------
    sightings : iterable of Sighting

    Returns
    -------
    dict of Role to set of str
        Only roles that some host has.
    """
    hosts: dict[Role, set[str]] = {}
    for sighting in sightings:
        hosts.setdefault(sighting.lead.role, set()).add(sighting.lead.host)
    return dict(sorted(hosts.items(), key=lambda item: ROLE_ORDER[item[0]]))


def _telling_most(finding: Finding) -> tuple[int, int, float, int]:
    return (
        _FAMILY_ORDER.get(finding.family, len(_FAMILY_ORDER)),
        ROLE_ORDER[finding.role],
        _weakness(finding),
        finding.started_ns,
    )


def _place(lead: Finding) -> tuple[int, float, int, str, str]:
    return (ROLE_ORDER[lead.role], _weakness(lead), lead.started_ns, lead.host, lead.peer)


def _weakness(finding: Finding) -> float:
    return math.inf if math.isnan(finding.log10_e) else -finding.log10_e
