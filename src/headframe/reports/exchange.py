"""What leaves the house about a finding, for every exchange format: the finding, never the party.

A finding is about an address or a usage point. Other programs get a pseudonym of it, unless somebody asked for the
address itself; they never get the site, its organisation, a contact, or a decision. Texts name the subject too, so it
is replaced there; what could be turned back into an address (community ids, packets) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from headframe.cases.store import StoredFinding

PROPOSAL = "A proposal of a detector, not a decision: people decide, and lawful mining has to be looked up first."
"""Goes with every finding that leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutwardFinding:
    """A finding as it may leave.

    Attributes
    ----------
    finding_id, family, detector, version : str
    subject : str
        The address or usage point, or its pseudonym.
    revealed : bool
        Whether `subject` is the thing itself.
    is_address : bool
        Whether the subject is an address; else a usage point.
    peer_address, peer_port : str, int or None
        The other side, where the finding has one.
    started_ns, ended_ns : int
        [ns since 1970-01-01 UTC]
    log10_e : float
    coins, indicator_kinds : tuple of str
    protocol, pool : str
        Empty where not known.
    mining : bool
    text : str
        What was seen, without the subject's own name.
    blind_spots : tuple of str
    power_w : tuple of float or None
        Low, estimate, high. [W]
    """

    finding_id: str
    family: str
    detector: str
    version: str
    subject: str
    revealed: bool
    is_address: bool
    peer_address: str
    peer_port: int | None
    started_ns: int
    ended_ns: int
    log10_e: float
    coins: tuple[str, ...]
    indicator_kinds: tuple[str, ...]
    protocol: str
    pool: str
    mining: bool
    text: str
    blind_spots: tuple[str, ...]
    power_w: tuple[float, float, float] | None


def outward(
    finding: StoredFinding, *, reveal: bool, pseudonym: Callable[[str], str], is_a_partys: Callable[[str], bool]
) -> OutwardFinding:
    """What may leave of a finding.

    Parameters
    ----------
    finding : StoredFinding
    reveal : bool
        Give the address or usage point as it is.
    pseudonym : callable
        From a subject to its pseudonym; the same for the same subject.
    is_a_partys : callable
        Whether an address is some party's: one that the registry assigns, or that was found to mine. Private addresses
        count as such anyway. Where it is the other side of a finding, or stands in its words, it is told as a
        subject is.

    Returns
    -------
    OutwardFinding
    """
    document, ref = finding.document, finding.ref
    is_address = "host" in document
    subject = ref.subject if reveal else pseudonym(ref.subject)

    peer, port = peer_parts(str(document.get("peer") or ""))

    def is_inside(address: str) -> bool:
        return address == ref.subject or _is_private(address) or is_a_partys(address)

    def told_address(found: re.Match[str]) -> str:
        for text in _readings(found[0]):
            if is_inside(text):
                return pseudonym(str(ip_address(text))) + found[0][len(text) :]
        return found[0]

    def told(value: object) -> str:
        text = str(value or "")
        if reveal:
            return text
        if ref.subject:
            text = re.sub(_alone(ref.subject), pseudonym(ref.subject), text)
        text = _ADDRESS.sub(told_address, text)
        return _PLACE.sub(lambda found: found[1] + pseudonym(found[2]), text)

    if peer and not reveal and is_inside(peer):
        peer, port = "", None
    power = document.get("power_w") or _power_of_estimate(document)
    return OutwardFinding(
        finding_id=ref.finding_id,
        family=ref.family.value,
        detector=ref.detector,
        version=ref.version,
        subject=subject,
        revealed=reveal,
        is_address=is_address,
        peer_address=peer,
        peer_port=port,
        started_ns=ref.started_ns,
        ended_ns=ref.ended_ns,
        log10_e=ref.log10_e,
        coins=tuple(map(str, _list(document.get("coin")))) or ((finding.coin,) if finding.coin else ()),
        indicator_kinds=tuple(map(str, _list(document.get("indicator_kinds")))),
        protocol=str(document.get("protocol") or ""),
        pool=told(document.get("pool")),
        mining=ref.mining,
        text=told(document.get("explanation")),
        blind_spots=tuple(told(line) for line in _list(document.get("blind_spots"))),
        power_w=_three(power),
    )


_INSIDE = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
                                  "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128")
)  # fmt: skip
"""Addresses of the operator's own network (RFC 1918, 3927, 4193, 4291, 6598): behind one is a host of some party."""

_ADDRESS = re.compile(r"(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\w)|[\da-fA-F:]*:[\da-fA-F:]*:[\da-fA-F:.]*)")
"""What may be an address in words. A port may follow, in the older form of an IPv6 address too."""

_PLACE = re.compile(r"(head meter of transformer |in proportion to what |[Tt]raced to )(.+?)(?= \(class | meters\b|: )")
"""Where a finding about a meter names a transformer, or another party's meter (`headframe.detectors.power.balance`). A
transformer with a dozen points tells nearly as much as the point."""


def _readings(text: str) -> Iterator[str]:
    """The addresses that a text may begin with: as it is, without the stop after it, and without a port."""
    for cut in dict.fromkeys((text, text.rstrip(".:"), text.rstrip(".:").rpartition(":")[0])):
        try:
            ip_address(cut)
        except ValueError:
            continue
        yield cut


def _is_private(address: str) -> bool:
    found = ip_address(address)
    return any(found.version == network.version and found in network for network in _INSIDE)


def peer_parts(peer: str) -> tuple[str, int | None]:
    """Address and port of ``address:port`` or ``[address]:port``; empty and None where there is none.

    Examples
    --------
    >>> peer_parts("203.0.113.5:3333"), peer_parts("[2001:db8::5]:3333"), peer_parts("")
    (('203.0.113.5', 3333), ('2001:db8::5', 3333), ('', None))
    """
    address, _, port = peer.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    try:
        ip_address(address)
    except ValueError:
        return "", None
    return address, int(port) if port.isdecimal() and int(port) <= 65_535 else None


def _alone(subject: str) -> str:
    """Matches a subject that is not part of a longer address or name; a port may follow, but not in the older form of
    an IPv6 address, where it would look like a part of it.
    """
    longer = r"\.\w" if ":" not in subject else r"[.:]\w"
    return rf"(?<![\w.:-]){re.escape(subject)}(?![\w-]|{longer})"


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _power_of_estimate(document: Mapping[str, object]) -> object:
    estimate = document.get("estimate")
    return estimate.get("power_w") if isinstance(estimate, Mapping) else None


def _three(power: object) -> tuple[float, float, float] | None:
    if not isinstance(power, Mapping):
        return None
    parts = [power.get(name) for name in ("low", "estimate", "high")]
    if not all(isinstance(part, int | float) for part in parts):
        return None
    low, estimate, high = (float(part) for part in parts if isinstance(part, int | float))
    return low, estimate, high
