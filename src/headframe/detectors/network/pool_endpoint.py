"""Known mining endpoints: names and addresses that a host asked for, visited or talked to.

The statistic is a look-up: does a name (DNS question or answer, TLS or QUIC server name, certificate, HTTP host) or
an address with its port stand in the table of indicators, within the indicator's validity? What makes it worth
something is what is done with the answer:

- What stands behind the name decides what is said. A public pool, a proxy run by malware, a page that mines in the
  visitor's browser, a node and an exchange call for five different answers.
- A name that was only looked up is a *contact*. A *miner* is a host that exchanged payload with a mining server.
- A pool's web site is not its mining server: reading statistics proves nothing.
- An address that serves many names (a CDN) proves nothing by itself.
- An indicator speaks for the time its source vouches for; later it is history, and weighs nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from ipaddress import IPv4Address, ip_address
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headframe.records.conversation import Conversation, endpoint_text
from headframe.records.endpoint import EndpointObservation, EndpointSign
from headframe.records.finding import EvidenceLine, Family, Finding, Insufficient, Lookalike, Role, SourceRef
from headframe.records.indicator import Indicator, IndicatorKind

DETECTOR = "pool_endpoint"
VERSION = "2"

KEY_NAME = "name"
KEY_ADDRESS_PORT = "address_port"
KEY_ADDRESS = "address"
"""Keys of the calibration table: the three kinds of match whose false rate is counted apart."""

BLIND_SPOTS = (
    "A private proxy, a new pool or an address that no list knows is not seen.",
    "DNS over HTTPS or TLS, Encrypted Client Hello and TLS 1.3 certificates hide the names.",
    "A VPN or a tunnel shows only its own end.",
    "A resolver or a proxy asks on behalf of others: then the host named here is not the one that mines.",
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WEB_LABELS = _words(
    "www web blog help support docs doc wiki forum status api stats static cdn img assets account accounts login auth "
    "news shop store mail smtp imap pop webmail ftp download downloads app m dashboard explorer faq"
)
"""First labels under an operator's domain that serve people, not machines that mine."""

WEB_PORTS = frozenset((80, 443, 8443))
SERVICE_PORTS = frozenset((21, 22, 25, 53, 67, 68, 110, 123, 137, 143, 161, 465, 514, 587, 853, 993, 995))
"""Ports of other services (IANA): traffic to them is mining only where a list names that very port."""

_FNV_OFFSET, _FNV_PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
_NS = 1_000_000_000
_MAX_NAME = 255  # RFC 1035 section 3.1; what is longer comes from a hostile header, and would cost by its square
_EVIDENCE_LINES = 20  # lines of evidence in one finding; the packets of all are in `sources`


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointParameters:
    """Thresholds.

    Attributes
    ----------
    join_gap_s : float
        Signs of one host, peer and operator that lie closer than this are one finding. [s]
    address_session_s : float
        Where only the address and port are known, a conversation shorter than this is an attempt: an address may
        have passed to somebody else, and a single question and answer does not show a session. [s]
    answer_life_s : float
        How long after a DNS answer a conversation with an answered address is tied to the name. [s]
    lasting_s : float
        On a web port, a conversation shorter than this is a page visit. A page's connections are closed when idle,
        after 60 to 115 s in common browsers and servers; a miner's stays for hours. [s]
    thin_bytes_per_s : float
        On a web port, a conversation with more payload per second than this is a download. Pool sessions of real
        miners carry 20 to 500 bytes/s. [bytes/s]
    certificate_names_max : int
        A certificate for more names than this stands for a hosting service, not for one operator. [names]
    """

    join_gap_s: float = 3600.0
    answer_life_s: float = 86400.0
    address_session_s: float = 60.0
    lasting_s: float = 300.0
    thin_bytes_per_s: float = 2000.0
    certificate_names_max: int = 20


class Standing(Enum):
    """Whether the source of an indicator vouches for it at a given time."""

    VALID = "valid"
    EXPIRED = "expired"
    EARLY = "early"


class AddressKeys(NamedTuple):
    """Addresses to look for, for a kernel; port 0 stands for any. Sorted by address, then port.

    Attributes
    ----------
    v4 : uint32[n]
    v4_port : uint16[n]
    v6_high, v6_low : uint64[m]
        The two halves of an IPv6 address, as big-endian numbers.
    v6_port : uint16[m]
    """

    v4: NDArray[np.uint32]
    v4_port: NDArray[np.uint16]
    v6_high: NDArray[np.uint64]
    v6_low: NDArray[np.uint64]
    v6_port: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Detection:
    """What the detector answers."""

    findings: tuple[Finding, ...] = ()
    insufficient: tuple[Insufficient, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()


@dataclass(frozen=True, slots=True)
class EndpointCounts:
    """Matches in a corpus, for calibration: distinct values looked at, and those that matched.

    Attributes
    ----------
    names, address_ports, addresses : int
        Distinct values looked at.
    name_matches, address_port_matches, address_matches : tuple of str
        Those of them that matched, sorted.
    """

    names: int
    name_matches: tuple[str, ...]
    address_ports: int
    address_port_matches: tuple[str, ...]
    addresses: int
    address_matches: tuple[str, ...]

    def by_key(self) -> dict[str, tuple[str, int, int]]:
        """Unit, size and matches for each key of the calibration table."""
        return {
            KEY_NAME: ("names", self.names, len(self.name_matches)),
            KEY_ADDRESS_PORT: ("address and port pairs", self.address_ports, len(self.address_port_matches)),
            KEY_ADDRESS: ("addresses", self.addresses, len(self.address_matches)),
        }


def fnv1a_64(data: bytes) -> int:
    """FNV-1a hash, 64 bits, of some bytes.

    References
    ----------
    .. [1] Fowler, Noll, Vo, Eastlake, "The FNV Non-Cryptographic Hash Algorithm", RFC 9923, section 2.

    Examples
    --------
    >>> hex(fnv1a_64(b"a"))
    '0xaf63dc4c8601ec8c'
    """
    value = _FNV_OFFSET
    for byte in data:
        value = (value ^ byte) * _FNV_PRIME & _MASK
    return value


def standing(indicator: Indicator, time_ns: int) -> Standing:
    """Whether the indicator's source vouches for it at `time_ns` [ns since 1970-01-01 UTC]; both end days count."""
    day = datetime.fromtimestamp(time_ns // _NS, UTC).date()
    if indicator.valid_until is not None and day > indicator.valid_until:
        return Standing.EXPIRED
    if indicator.valid_from is not None and day < indicator.valid_from:
        return Standing.EARLY
    return Standing.VALID


def operator_of(indicator: Indicator) -> str:
    """The operator's name; where the source gives none, the indicator's value stands for it."""
    return indicator.pool or indicator.value


class EndpointIndex:
    """Indicators arranged for look-up. Built once per scan.

    Parameters
    ----------
    indicators : iterable of Indicator
    """

    def __init__(self, indicators: Iterable[Indicator]) -> None:
        self._names: dict[str, list[Indicator]] = defaultdict(list)
        self._addresses: dict[str, list[Indicator]] = defaultdict(list)
        for indicator in indicators:
            address = _canonical_address(indicator.value)
            if address is None:
                self._names[indicator.value].append(indicator)
            else:
                self._addresses[address].append(indicator)
        self._names.default_factory = None
        self._addresses.default_factory = None

    def name_hashes(self) -> NDArray[np.uint64]:
        """FNV-1a hashes of all names, exact ones and those whose subdomains count.

        A kernel hashes every label suffix of a name it sees (``a.pool.example``, ``pool.example``, ``example``) and
        reports the name if one is in this set. That is a superset: `match_name` decides.

        Returns
        -------
        uint64[n]
            Ascending, each once.
        """
        return np.unique(np.array([fnv1a_64(name.encode()) for name in self._names], dtype=np.uint64))

    def address_keys(self) -> AddressKeys:
        """Addresses and ports for a kernel.

        Returns
        -------
        AddressKeys
        """
        v4, v6 = set(), set()
        for address, indicators in self._addresses.items():
            parsed = ip_address(address)
            for indicator in indicators:
                if isinstance(parsed, IPv4Address):
                    v4.add((int(parsed), indicator.port or 0))
                else:
                    v6.add((int(parsed) >> 64, int(parsed) & _MASK, indicator.port or 0))
        rows4, rows6 = sorted(v4), sorted(v6)
        return AddressKeys(
            np.array([row[0] for row in rows4], dtype=np.uint32),
            np.array([row[1] for row in rows4], dtype=np.uint16),
            np.array([row[0] for row in rows6], dtype=np.uint64),
            np.array([row[1] for row in rows6], dtype=np.uint64),
            np.array([row[2] for row in rows6], dtype=np.uint16),
        )

    def match_name(self, name: str, port: int | None, time_ns: int) -> list[Indicator]:
        """Indicators that speak of a name, the most telling first.

        Parameters
        ----------
        name : str
            A leading ``*.`` (certificates) and a trailing dot are taken off.
        port : int or None
            The server's port; None where it is not known (DNS): then an indicator's port does not matter.
        time_ns : int
            When the name was seen. [ns since 1970-01-01 UTC]

        Returns
        -------
        list of Indicator
            Those valid at that time; if none is, those that are not, so that the caller can say so (`standing`).
        """
        return _in_order(self.all_of_name(name, port), time_ns)

    def all_of_name(self, name: str, port: int | None) -> list[Indicator]:
        """Indicators that speak of a name at any time, the longest value first; otherwise as `match_name`."""
        suffix, exact = name.lower().rstrip(".").removeprefix("*."), True
        matches: list[Indicator] = []
        if len(suffix) > _MAX_NAME:
            return matches
        while suffix:
            for indicator in self._names.get(suffix, ()):
                if (exact or indicator.subdomains) and (port is None or indicator.port in (None, port)):
                    matches.append(indicator)
            exact = False
            suffix = suffix.partition(".")[2]
        return matches

    def match_address(self, address: str, port: int, time_ns: int) -> list[Indicator]:
        """Indicators that speak of an address and port, the most telling first; validity as in `match_name`."""
        return _in_order(self.all_of_address(address, port), time_ns)

    def all_of_address(self, address: str, port: int) -> list[Indicator]:
        """Indicators that speak of an address and port at any time."""
        canonical = _canonical_address(address)
        return [i for i in self._addresses.get(canonical or "", ()) if i.port in (None, port)]

    def pool_name(self, host_name: str | None, address: str, port: int) -> str | None:
        """Operator of a server, by its name or else by its address and port; None where no list knows it.

        Kinds other than pools are left out: the name is for telling where a miner mines.
        """
        candidates = self.all_of_name(host_name, None) if host_name else []
        candidates += self.all_of_address(address, port)
        for indicator in candidates:
            if indicator.pool and indicator.kind is IndicatorKind.POOL and not indicator.shared:
                return indicator.pool
        return None

    def answered_addresses(self, observations: Iterable[EndpointObservation]) -> frozenset[str]:
        """Addresses that DNS gave for known names: a scan reports conversations with them as ``ADDRESS`` too.

        Parameters
        ----------
        observations : iterable of EndpointObservation

        Returns
        -------
        frozenset of str
        """
        return frozenset(
            address
            for seen in observations
            if seen.sign is EndpointSign.DNS_ANSWER
            and any(self.match_name(name, None, seen.time_ns) for name in seen.names)
            for address in seen.addresses
            if _usable(address)
        )


def is_web_site(name: str, matches: Sequence[Indicator]) -> bool:
    """True where a name is an operator's web site as far as is known: its bare domain, or ``www`` and the like.

    Only public pools have web sites that an innocent visitor reads; any name of a malware proxy or a web miner counts.

    Examples
    --------
    >>> pool = Indicator(kind=IndicatorKind.POOL, value="pool.example", subdomains=True, source="x")
    >>> is_web_site("www.pool.example", [pool]), is_web_site("stratum.pool.example", [pool])
    (True, False)
    """
    if not matches or any(indicator.kind is not IndicatorKind.POOL for indicator in matches):
        return False
    name = name.removeprefix("*.")
    whole_domains = [indicator for indicator in matches if indicator.subdomains and indicator.port is None]
    # A longer value (`ss.btc.example`) is a branch that serves nothing but miners: it has no web site.
    if any(name == indicator.value and name.count(".") == 1 for indicator in whole_domains):
        return True
    listed = any(name == indicator.value for indicator in matches)
    return not listed and name.partition(".")[0] in WEB_LABELS


def count_endpoint_matches(
    index: EndpointIndex, names: Iterable[str], addresses: Iterable[tuple[str, int]]
) -> EndpointCounts:
    """Count how many names and addresses of a benign corpus the detector would hold against a host.

    Counted are distinct values, because repeated visits are not independent; and validity is left out of account,
    which can only raise the count.

    Parameters
    ----------
    index : EndpointIndex
    names : iterable of str
        Names of servers, from DNS, TLS or HTTP.
    addresses : iterable of (str, int)
        Responder addresses and ports of conversations.

    Returns
    -------
    EndpointCounts
    """
    distinct_names = {name.lower().rstrip(".") for name in names}
    distinct_pairs = set(addresses)
    distinct_addresses = {address for address, _ in distinct_pairs}
    name_matches = []
    for name in distinct_names:
        matches = [i for i in index.all_of_name(name, None) if i.kind in _MINING_KINDS]
        if matches and not is_web_site(name, matches):
            name_matches.append(name)
    port_matches, address_matches = [], set()
    for address, port in distinct_pairs:
        for indicator in index.all_of_address(address, port):
            if indicator.shared or indicator.kind not in _MINING_KINDS:
                continue
            if indicator.port is None:
                address_matches.add(address)
            else:
                port_matches.append(endpoint_text(address, port))
                break
    return EndpointCounts(
        len(distinct_names),
        tuple(sorted(name_matches)),
        len(distinct_pairs),
        tuple(sorted(port_matches)),
        len(distinct_addresses),
        tuple(sorted(address_matches)),
    )


_MINING_KINDS = frozenset((IndicatorKind.POOL, IndicatorKind.MALWARE_PROXY, IndicatorKind.WEB_MINER))
_KIND_ORDER = (
    IndicatorKind.MALWARE_PROXY,
    IndicatorKind.WEB_MINER,
    IndicatorKind.POOL,
    IndicatorKind.NODE,
    IndicatorKind.EXCHANGE,
)
_CARRIER = {
    EndpointSign.TLS_SNI: "+tls",
    EndpointSign.CERTIFICATE: "+tls",
    EndpointSign.HTTP_HOST: "+http",
    EndpointSign.QUIC_SNI: "+quic",
    EndpointSign.DNS_ANSWER: "",
    EndpointSign.ADDRESS: "",
}
_SIGN_ORDER = (
    EndpointSign.TLS_SNI,
    EndpointSign.HTTP_HOST,
    EndpointSign.QUIC_SNI,
    EndpointSign.CERTIFICATE,
    EndpointSign.DNS_ANSWER,
    EndpointSign.ADDRESS,
)
"""Which sign a finding is named after: what the client itself said to the server comes first."""


class _Grade(Enum):
    """What a sign shows, the stronger the later."""

    HISTORY = 0
    """The indicator was not valid at the time."""
    WEB_SITE = 1
    CONTACT = 2
    MINER = 3


@dataclass(slots=True)
class _Hit:
    """One sign that matched, with what it shows."""

    observation: EndpointObservation
    host: str
    peer: str
    value: str
    indicator: Indicator
    coins: tuple[str, ...]
    grade: _Grade
    key: str
    text: str
    remarks: tuple[str, ...] = ()
    inbound: bool = False
    """The listed address opened the conversation."""

    @property
    def operator(self) -> str:
        return operator_of(self.indicator)

    @property
    def conversation(self) -> Conversation:
        return self.observation.conversation


_Span = tuple[int, int, list[_Hit]]
"""A session: when it began and ended [ns since 1970-01-01 UTC], and its hits."""


@dataclass(slots=True)
class _Collected:
    hits: list[_Hit] = field(default_factory=list)
    look_ups: list[_Hit] = field(default_factory=list)
    insufficient: list[Insufficient] = field(default_factory=list)
    lookalikes: list[Lookalike] = field(default_factory=list)
    callers: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """By host, listed address and the host's port: the peer of the first call. Each call comes from another port."""


def detect(
    observations: Sequence[EndpointObservation],
    index: EndpointIndex,
    parameters: EndpointParameters,
    *,
    log10_e: Callable[[str], float],
) -> Detection:
    """Hosts that asked for, visited or mined at known endpoints.

    Parameters
    ----------
    observations : sequence of EndpointObservation
        In any order. Conversations should be as they were at their end: what followed decides the role. Give an
        ``ADDRESS`` observation for each conversation with an address of `EndpointIndex.address_keys`, and with an
        address of `EndpointIndex.answered_addresses`. Names that match nothing are welcome for conversations with
        those addresses: they show that an address serves other names too.
    index : EndpointIndex
    parameters : EndpointParameters
    log10_e : callable
        Evidence of one match by its key: ``name``, ``address_port`` or ``address`` (calibration table).

    Returns
    -------
    Detection
        One finding per host, peer and operator, in order of time. Look-ups that a conversation followed are part of
        that conversation's finding. Nodes and exchanges are lookalikes; an address that many names share is
        `Insufficient` by itself.
    """
    collected = _Collected()
    own_names: dict[str, set[str]] = defaultdict(set)
    for seen in observations:
        if seen.sign not in (EndpointSign.DNS_ANSWER, EndpointSign.ADDRESS):
            own_names[seen.conversation.uid].update(seen.names)
    for seen in observations:
        if seen.sign is EndpointSign.DNS_ANSWER:
            _collect_look_up(seen, index, collected)
        elif seen.sign is not EndpointSign.ADDRESS:
            _collect_name(seen, index, parameters, own_names, collected)
    named = {hit.conversation.uid for hit in collected.hits}
    look_ups = _by_answer(collected.look_ups)
    for seen in observations:
        if seen.sign is EndpointSign.ADDRESS and seen.conversation.uid not in named:
            _collect_address(seen, index, parameters, own_names, look_ups, collected)
    resolvers = frozenset(
        address
        for hit in collected.look_ups
        for address in (hit.conversation.orig_h, hit.conversation.resp_h)
        if address != hit.host
    )
    findings = [_finding(group, resolvers, log10_e) for group in _groups(collected, parameters)]
    findings.sort(key=lambda finding: (finding.started_ns, finding.host, finding.peer, finding.pool or ""))
    return Detection(
        tuple(findings), tuple(dict.fromkeys(collected.insufficient)), tuple(dict.fromkeys(collected.lookalikes))
    )


def _collect_look_up(seen: EndpointObservation, index: EndpointIndex, collected: _Collected) -> None:
    """A DNS answer: who asked for which known name."""
    conversation = seen.conversation
    asker, resolver, port = conversation.orig_h, conversation.resp_h, conversation.resp_p
    if conversation.orig_p == 53 and conversation.resp_p != 53:
        asker, resolver, port = conversation.resp_h, conversation.orig_h, conversation.orig_p
    for name in seen.names:
        matches = index.match_name(name, None, seen.time_ns)
        if not matches:
            continue
        indicator = matches[0]
        if indicator.kind not in _MINING_KINDS:
            collected.lookalikes.append(_lookalike(seen, asker, endpoint_text(resolver, port), name, indicator))
            return
        usable = [address for address in seen.addresses if _usable(address)]
        if usable:
            answered = f" and was told {', '.join(usable[:4])}" + (" and others" if len(usable) > 4 else "")
        elif seen.addresses:
            answered = f" and was told {seen.addresses[0]}, which leads nowhere: the resolver blocks it"
        else:
            answered = ", and this answer held no address"
        if name != seen.names[0]:
            answered += f" (as an alias of {seen.names[0]})"
        collected.look_ups.append(
            _Hit(
                seen,
                asker,
                endpoint_text(resolver, port),
                name,
                indicator,
                _coins(matches),
                _graded(_Grade.CONTACT, name, matches, seen.time_ns),
                KEY_NAME,
                f"asked the resolver {resolver} for {name}{answered}",
            )
        )
        return  # one statement per answer: its other names lead to the same place


def _collect_name(
    seen: EndpointObservation,
    index: EndpointIndex,
    parameters: EndpointParameters,
    own_names: dict[str, set[str]],
    collected: _Collected,
) -> None:
    """A name inside a conversation: TLS, QUIC or HTTP."""
    conversation = seen.conversation
    for name in seen.names:
        # A listed host on another port: its name is known all the same, the port then decides the role.
        port = conversation.resp_p
        matches = index.match_name(name, port, seen.time_ns) or index.match_name(name, None, seen.time_ns)
        if not matches:
            continue
        indicator = matches[0]
        peer = endpoint_text(conversation.resp_h, port)
        if indicator.kind not in _MINING_KINDS:
            collected.lookalikes.append(_lookalike(seen, conversation.orig_h, peer, name, indicator))
            return
        grade, remarks = _what_followed(conversation, seen.sign, name, matches, parameters, port=port)
        if seen.sign is EndpointSign.CERTIFICATE and (
            len(seen.names) > parameters.certificate_names_max
            or _says_otherwise(own_names[conversation.uid] - set(seen.names), index, seen.time_ns)
        ):
            grade = min(grade, _Grade.CONTACT, key=lambda g: g.value)
            remarks += ("The certificate serves several names, and the client may have come for another one.",)
        collected.hits.append(
            _Hit(
                seen,
                conversation.orig_h,
                peer,
                name,
                indicator,
                _coins(matches),
                _graded(grade, name, matches, seen.time_ns),
                KEY_NAME,
                f"{_SIGN_TEXT[seen.sign].format(name=name)}; {_volume(conversation)}",
                remarks,
            )
        )
        return


def _collect_address(
    seen: EndpointObservation,
    index: EndpointIndex,
    parameters: EndpointParameters,
    own_names: dict[str, set[str]],
    look_ups: dict[tuple[str, str], list[_Hit]],
    collected: _Collected,
) -> None:
    """An address, known by itself or from a DNS answer to the same host."""
    conversation = seen.conversation
    host, address, port = conversation.orig_h, conversation.resp_h, conversation.resp_p
    if seen.addresses and seen.addresses[0] == conversation.orig_h != conversation.resp_h:
        if _opened_by_originator(conversation):
            _collect_inbound(seen, index, collected)
            return
        # The direction of a conversation without its beginning is a guess: the known address is the server.
        host, address, port = conversation.resp_h, conversation.orig_h, conversation.orig_p
    peer = endpoint_text(address, port)
    other = _says_otherwise(own_names[conversation.uid], index, seen.time_ns)
    asked = look_ups.get((host, address), [])
    place = bisect_right(asked, conversation.started_ns, key=lambda hit: hit.observation.time_ns) - 1
    look_up = asked[place] if place >= 0 else None
    if (
        look_up is not None
        and not other
        and conversation.started_ns - look_up.observation.time_ns <= parameters.answer_life_s * _NS
    ):
        name = look_up.value
        matches = index.match_name(name, port, seen.time_ns) or [look_up.indicator]
        grade, remarks = _what_followed(conversation, seen.sign, name, matches, parameters, port=port)
        collected.hits.append(
            _Hit(
                seen,
                host,
                peer,
                name,
                matches[0],
                _coins(matches),
                _graded(grade, name, matches, seen.time_ns),
                KEY_NAME,
                f"connected to {peer}, an address it had been given for {name}; {_volume(conversation)}",
                remarks,
            )
        )
        return
    matches = index.match_address(address, port, seen.time_ns)
    if not matches:
        return
    indicator = matches[0]
    if indicator.shared:
        collected.insufficient.append(
            Insufficient(
                detector=DETECTOR,
                host=host,
                peer=peer,
                missing=f"A name. The address {address} is known for {operator_of(indicator)} but serves unrelated "
                "names too; a DNS answer, a TLS server name or an HTTP host would tell which one was meant.",
            )
        )
        return
    if indicator.kind not in _MINING_KINDS:
        collected.lookalikes.append(_lookalike(seen, host, peer, peer, indicator))
        return
    listed_port = indicator.port is not None
    grade, remarks = _what_followed(conversation, seen.sign, address, matches, parameters, port=port, named=False)
    if not listed_port:
        grade = min(grade, _Grade.CONTACT, key=lambda g: g.value)
        remarks += ("The list names the address without a port: other services may run there.",)
    if other:
        grade = min(grade, _Grade.CONTACT, key=lambda g: g.value)
        remarks += (f"The client asked this address for {other}, a name no list knows.",)
    collected.hits.append(
        _Hit(
            seen,
            host,
            peer,
            address,
            indicator,
            _coins(matches),
            _graded(grade, "", matches, seen.time_ns),
            KEY_ADDRESS_PORT if listed_port else KEY_ADDRESS,
            f"connected to {peer}, which the list names; {_volume(conversation)}",
            remarks,
        )
    )


def _opened_by_originator(conversation: Conversation) -> bool:
    """True where the originator's SYN was seen; ``^`` and ``OTH`` stand for a direction that was guessed."""
    return "S" in conversation.history and not conversation.history.startswith("^") and conversation.conn_state != "OTH"


def _collect_inbound(seen: EndpointObservation, index: EndpointIndex, collected: _Collected) -> None:
    """A listed address that connected to a host: whoever is called has not chosen the caller."""
    conversation = seen.conversation
    host, address, port = conversation.resp_h, conversation.orig_h, conversation.orig_p
    matches = index.match_address(address, port, seen.time_ns)
    if not matches or matches[0].shared or matches[0].kind not in _MINING_KINDS:
        return
    peer = collected.callers.setdefault((host, address, conversation.resp_p), endpoint_text(address, port))
    collected.hits.append(
        _Hit(
            seen,
            host,
            peer,
            address,
            matches[0],
            _coins(matches),
            _graded(_Grade.CONTACT, "", matches, seen.time_ns),
            KEY_ADDRESS,
            f"was contacted by {address}, which the list names; {_volume(conversation)}",
            ("The listed address opened the conversation; a miner opens it himself.",),
            inbound=True,
        )
    )


def _what_followed(
    conversation: Conversation,
    sign: EndpointSign,
    name: str,
    matches: Sequence[Indicator],
    parameters: EndpointParameters,
    *,
    port: int,
    named: bool = True,
) -> tuple[_Grade, tuple[str, ...]]:
    """Whether the conversation after a match was mining, and what speaks against it."""
    if not (conversation.orig_bytes and conversation.resp_bytes):
        return _Grade.CONTACT, ("Payload did not go both ways: no session came about in what was captured.",)
    if conversation.proto != "tcp":
        return (_Grade.WEB_SITE if named and is_web_site(name, matches) else _Grade.CONTACT), (
            "Mining protocols run over TCP; this conversation does not.",
        )
    duration_s = (conversation.ended_ns - conversation.started_ns) / _NS
    listed = any(indicator.port == port for indicator in matches)
    if not named and duration_s < parameters.address_session_s:
        return _Grade.CONTACT, (f"Only the address is known, and {duration_s:.0f} s is too short for a session.",)
    # A listed web port is a mining port where the name was meant; HTTP there is still a page.
    if listed and (port not in WEB_PORTS or (named and sign is not EndpointSign.HTTP_HOST)):
        return _Grade.MINER, ()
    if port in SERVICE_PORTS:
        return _Grade.CONTACT, (f"Port {port} is that of another service.",)
    if port not in WEB_PORTS and sign is not EndpointSign.HTTP_HOST:
        return _Grade.MINER, ()
    if named and is_web_site(name, matches):
        return _Grade.WEB_SITE, ()
    if sign is EndpointSign.ADDRESS:
        return _Grade.CONTACT, ("On a web port, and the name itself was not seen in the conversation.",)
    if duration_s < parameters.lasting_s:
        return _Grade.CONTACT, (f"On a web port, {duration_s:.0f} s is the length of a page visit, not of a session.",)
    volume = conversation.orig_bytes + conversation.resp_bytes
    if volume > parameters.thin_bytes_per_s * duration_s:
        return _Grade.CONTACT, ("On a web port, so much data is a download, not a mining session.",)
    return _Grade.MINER, ()


def _graded(grade: _Grade, name: str, matches: Sequence[Indicator], time_ns: int) -> _Grade:
    """The grade after validity and web sites have had their say."""
    if standing(matches[0], time_ns) is not Standing.VALID:
        return _Grade.HISTORY
    if grade is _Grade.CONTACT and name and is_web_site(name, matches):
        return _Grade.WEB_SITE
    return grade


def _says_otherwise(names: set[str], index: EndpointIndex, time_ns: int) -> str | None:
    """A name that the client gave and no list knows; None where it gave none, or a known one."""
    if not names or any(index.match_name(name, None, time_ns) for name in names):
        return None
    return min(names)


def _by_answer(look_ups: Sequence[_Hit]) -> dict[tuple[str, str], list[_Hit]]:
    """Look-ups by host and answered address, each list in order of time."""
    table: dict[tuple[str, str], list[_Hit]] = defaultdict(list)
    for hit in sorted(look_ups, key=lambda hit: hit.observation.time_ns):
        for address in hit.observation.addresses:
            if _usable(address):
                table[hit.host, address].append(hit)
    return dict(table)


def _groups(collected: _Collected, parameters: EndpointParameters) -> list[list[_Hit]]:
    """Hits of one host, peer and operator without a gap; each look-up with the conversation that followed it."""
    sessions = _runs(collected.hits, lambda hit: (hit.host, hit.peer, hit.operator), parameters)
    # Per host and operator: sessions by their beginning, and up to each the one that ends last.
    spans: dict[tuple[str, str], list[_Span]] = defaultdict(list)
    for group in sessions:
        began, ended = min(map(_began, group)), max(map(_ended, group))
        spans[group[0].host, group[0].operator].append((began, ended, group))
    starts: dict[tuple[str, str], list[int]] = {}
    lasting: dict[tuple[str, str], list[_Span]] = {}
    for place, found in spans.items():
        found.sort(key=lambda span: span[0])
        starts[place] = [span[0] for span in found]
        lasting[place] = list(accumulate(found, _later_end))
    alone = []
    for hit in collected.look_ups:
        place = (hit.host, hit.operator)
        asked_ns = hit.observation.time_ns
        next_place = bisect_left(starts.get(place, []), asked_ns)
        followers = []
        upcoming = spans[place][next_place] if next_place < len(spans.get(place, [])) else None
        if upcoming and upcoming[0] - asked_ns <= parameters.answer_life_s * _NS:
            followers.append(upcoming)  # the first session to begin after the look-up
        if next_place and lasting[place][next_place - 1][1] >= asked_ns:
            followers.append(lasting[place][next_place - 1])  # one that was running
        if followers:
            min(followers, key=lambda span: abs(span[0] - asked_ns))[2].append(hit)
        else:
            alone.append(hit)
    return sessions + _runs(alone, lambda hit: (hit.host, hit.operator), parameters)


def _later_end(one: _Span, other: _Span) -> _Span:
    return other if other[1] >= one[1] else one


def _runs(
    hits: Sequence[_Hit], key: Callable[[_Hit], tuple[str, ...]], parameters: EndpointParameters
) -> list[list[_Hit]]:
    """Hits with the same key, split where nothing happened for longer than the join gap."""
    table: dict[tuple[str, ...], list[_Hit]] = defaultdict(list)
    for hit in sorted(hits, key=lambda hit: (hit.conversation.started_ns, hit.observation.time_ns)):
        table[key(hit)].append(hit)
    groups = []
    for members in table.values():
        run = [members[0]]
        until = _ended(members[0])
        for hit in members[1:]:
            if _began(hit) - until > parameters.join_gap_s * _NS:
                groups.append(run)
                run = []
            run.append(hit)
            until = max(until, _ended(hit))
        groups.append(run)
    return groups


def _began(hit: _Hit) -> int:
    """When a hit's part of the story begins: a resolver's conversation may be shared by many look-ups."""
    if hit.observation.sign is EndpointSign.DNS_ANSWER:
        return hit.observation.time_ns
    return min(hit.conversation.started_ns, hit.observation.time_ns)


def _ended(hit: _Hit) -> int:
    if hit.observation.sign is EndpointSign.DNS_ANSWER:
        return hit.observation.time_ns
    return max(hit.conversation.ended_ns, hit.observation.time_ns)


def _finding(group: list[_Hit], resolvers: frozenset[str], log10_e: Callable[[str], float]) -> Finding:
    """One finding from the hits of one host, peer and operator."""
    group = sorted(group, key=lambda hit: (hit.observation.time_ns, hit.observation.packet.number))
    best = max(
        group,
        key=lambda hit: (
            hit.grade.value,
            not hit.inbound,
            hit.key == KEY_NAME,
            -_SIGN_ORDER.index(hit.observation.sign),
        ),
    )
    role = Role.MINER if best.grade is _Grade.MINER else Role.CONTACT
    # Signs of one session say the same thing: the evidence is that of the sign the finding rests on, not a product.
    weight = log10_e(best.key) if best.grade in (_Grade.CONTACT, _Grade.MINER) else 0.0
    if best.inbound:
        weight = 0.0  # anyone may be called: how often that happens by chance was not counted
    said: dict[str, list[_Hit]] = defaultdict(list)
    for hit in group:
        said[hit.text].append(hit)
    lines = [
        EvidenceLine(
            time_ns=same[0].observation.time_ns,
            text=text[0].upper() + text[1:] + (f", {len(same)} times." if len(same) > 1 else "."),
            packet=same[0].observation.packet,
        )
        for text, same in said.items()
    ]
    if len(lines) > _EVIDENCE_LINES:
        text = f"And {len(lines) - _EVIDENCE_LINES} more signs."
        last = lines[_EVIDENCE_LINES]
        lines[_EVIDENCE_LINES:] = [EvidenceLine(time_ns=last.time_ns, text=text, packet=last.packet)]
    packets: dict[str, set[int]] = defaultdict(set)
    for hit in group:
        packets[hit.observation.packet.file].add(hit.observation.packet.number)
    remarks = dict.fromkeys(remark for hit in group if hit.grade is best.grade for remark in hit.remarks)
    if all(hit.observation.sign is EndpointSign.DNS_ANSWER for hit in group):
        if not any(map(_usable, (address for hit in group for address in hit.observation.addresses))):
            remarks[
                "No look-up gave a usable address: the name is blocked or gone, so no mining can have followed."
            ] = None
        if best.host in resolvers:
            remarks["This host answers look-ups for others in the same traffic: the question is hardly its own."] = None
            weight = 0.0
    anchor = next((hit for hit in group if hit.observation.sign is not EndpointSign.DNS_ANSWER), best)
    return Finding(
        detector=DETECTOR,
        version=VERSION,
        family=Family.ENDPOINT,
        role=role,
        host=best.host,
        peer=best.peer if best.observation.sign is not EndpointSign.DNS_ANSWER else anchor.peer,
        protocol=_protocol(best),
        started_ns=min(_began(hit) for hit in group),
        ended_ns=max(_ended(hit) for hit in group),
        log10_e=weight,
        explanation=_explanation(best, group),
        coins=tuple(dict.fromkeys(coin for hit in (best, *group) for coin in hit.coins)),
        # A server's name stands for an operator without one; its address does not.
        indicator_kinds=(best.indicator.kind,),
        pool=best.indicator.pool or (None if _canonical_address(best.indicator.value) else best.indicator.value),
        contradictions=tuple(remarks),
        blind_spots=BLIND_SPOTS,
        evidence=tuple(lines),
        sources=tuple(SourceRef(file=file, packets=tuple(sorted(seen))) for file, seen in sorted(packets.items())),
        community_ids=tuple(dict.fromkeys(filter(None, (hit.conversation.community_id for hit in group)))),
    )


def _protocol(hit: _Hit) -> str:
    sign = hit.observation.sign
    if sign is EndpointSign.ADDRESS and hit.key == KEY_NAME:  # tied to the name by a DNS answer
        sign = EndpointSign.DNS_ANSWER
    return sign.value + _CARRIER[sign]


_SIGN_TEXT = {
    EndpointSign.TLS_SNI: "asked for {name} in a TLS handshake",
    EndpointSign.CERTIFICATE: "was shown a certificate for {name}",
    EndpointSign.HTTP_HOST: "asked for {name} in an HTTP request",
    EndpointSign.QUIC_SNI: "asked for {name} in a QUIC handshake",
}

_HELP_TEXT = (
    "Help means: find and remove the program, close the way it came in, change the passwords used on the machine."
)
_POOL_TEXT = (
    "{operator} is a public mining pool: a service that anyone may use, and no malware by itself. Whether mining is "
    "allowed at this place is for the rules of the place. Malware uses public pools too, so ask first who runs the "
    "program."
)
_MALWARE_TEXT = (
    "This name was met in the analysis of mining malware: such proxies pass the work of infected machines on to a "
    "pool, under the account of whoever spread the malware. The host is probably a victim. " + _HELP_TEXT
)
_MALWARE_ADDRESS_TEXT = (
    "This address was met in the analysis of mining malware. It is either a proxy, which passes the work of infected "
    "machines on to a pool under the account of whoever spread the malware, or a server of a public pool that the "
    "malware used. The host is probably a victim, unless its owner knows of the mining. " + _HELP_TEXT
)
_WEB_MINER_TEXT = (
    "{operator} serves a miner to browsers: a page makes the visitor's machine mine while it is open. The visitor is "
    "a victim until shown otherwise; the page, or an add-on, is what to look for."
)
_KIND_TEXT = {
    IndicatorKind.POOL: _POOL_TEXT,
    IndicatorKind.MALWARE_PROXY: _MALWARE_TEXT,
    IndicatorKind.WEB_MINER: _WEB_MINER_TEXT,
}


def _explanation(best: _Hit, group: Sequence[_Hit]) -> str:
    """What was seen and why it means what is said, in plain language."""
    indicator = best.indicator
    operator = operator_of(indicator)
    sentences = [f"The host {best.host} {best.text}."]
    tied = best.observation.sign is EndpointSign.ADDRESS and best.key == KEY_NAME
    if not tied and best.observation.sign is not EndpointSign.DNS_ANSWER:
        asked = sum(hit.observation.sign is EndpointSign.DNS_ANSWER for hit in group)
        if asked:
            sentences.append(f"It had looked the name up before ({asked} answer{'s' if asked > 1 else ''}).")
    if best.grade is _Grade.HISTORY:
        day = datetime.fromtimestamp(best.observation.time_ns // _NS, UTC).date()
        if standing(indicator, best.observation.time_ns) is Standing.EXPIRED:
            sentences.append(
                f"The source vouches for this indicator until {indicator.valid_until}; by {day} it had expired."
            )
        else:
            sentences.append(f"The source vouches for this indicator from {indicator.valid_from}; {day} is earlier.")
        sentences.append("A name or address can pass to somebody else, so this weighs nothing.")
    elif best.grade is _Grade.WEB_SITE:
        sentences.append(
            f"This is the web site of the pool {operator}, not a server that miners use: anyone may read it. It is "
            "a contact, and no evidence of mining."
        )
    elif best.inbound:
        sentences.append("The host did not ask for this conversation: it is a contact, and no evidence of mining.")
    else:
        if best.grade is _Grade.MINER:
            what = "a browser tab mined" if indicator.kind is IndicatorKind.WEB_MINER else "the host mined there"
            sentences.append(f"Payload went both ways as in a mining session: {what}, or something spoke in its place.")
        elif best.observation.sign is EndpointSign.DNS_ANSWER:
            sentences.append("No session with it was seen: a look-up is a contact, not mining.")
        else:
            sentences.append("No mining session was seen: this is a contact.")
        by_address = indicator.kind is IndicatorKind.MALWARE_PROXY and _canonical_address(indicator.value) is not None
        text = _MALWARE_ADDRESS_TEXT if by_address else _KIND_TEXT[indicator.kind]
        sentences.append(text.format(operator=operator))
    if best.key == KEY_ADDRESS_PORT:
        sentences.append("It rests on the address and port alone: addresses change hands.")
    elif best.key == KEY_ADDRESS:
        sentences.append("It rests on the address alone, which is weak: addresses change hands and serve many things.")
    sentences.append(f"Source of the indicator: {indicator.source}.")
    return " ".join(sentences)


def _lookalike(seen: EndpointObservation, host: str, peer: str, value: str, indicator: Indicator) -> Lookalike:
    if indicator.kind is IndicatorKind.NODE:
        reason = f"{value} belongs to a block-chain node or its seed list: taking part in the network is not mining."
    else:
        reason = f"{value} belongs to {operator_of(indicator)}, where coins are traded or kept: that is not mining."
    return Lookalike(
        detector=DETECTOR,
        host=host,
        peer=peer,
        label=indicator.kind.value,
        reason=reason,
        started_ns=seen.time_ns,
        sources=(SourceRef(file=seen.packet.file, packets=(seen.packet.number,)),),
        community_ids=(seen.conversation.community_id,),
    )


def _in_order(matches: list[Indicator], time_ns: int) -> list[Indicator]:
    """Valid ones only, or all where none is; the longest value first, then with a port, a named operator, by kind."""
    if not matches:
        return matches
    valid = [indicator for indicator in matches if standing(indicator, time_ns) is Standing.VALID]
    return sorted(
        valid or matches,
        key=lambda i: (-len(i.value), i.port is None, i.pool is None, _KIND_ORDER.index(i.kind), i.source, i.port or 0),
    )


def _coins(matches: Sequence[Indicator]) -> tuple[str, ...]:
    """Coins of the longest match only: `btc.pool.example` says more than all that `pool.example` offers."""
    longest = [indicator for indicator in matches if indicator.value == matches[0].value]
    return tuple(dict.fromkeys(coin for indicator in longest for coin in indicator.coins))


def _volume(conversation: Conversation) -> str:
    duration_s = max(0, conversation.ended_ns - conversation.started_ns) / _NS
    return (
        f"{conversation.orig_bytes:,} bytes went out and {conversation.resp_bytes:,} came back "
        f"on port {conversation.resp_p} in {duration_s:,.0f} s"
    )


def _usable(address: str) -> bool:
    """False for what a blocking resolver answers (0.0.0.0, ::, 127.0.0.1)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_unspecified or parsed.is_loopback)


def _canonical_address(text: str) -> str | None:
    """Canonical text of an address, None where it is a name."""
    if not text[:1].isdigit() and ":" not in text:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        return None
