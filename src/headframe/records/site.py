"""Sites, what is assigned to them and when, and what became of the question "whose address was this?".

There is no person here and no place for one. A site is a place under one responsibility; a household is known as
premises with a supply point, without a name. What a log says of a client's own name is dropped at reading, and a
hardware address is kept only as a keyed pseudonym, because it joins a lease to a place.

Intervals are half open: the first instant belongs, the last does not. None is open.
"""

from dataclasses import dataclass
from enum import StrEnum


class SiteKind(StrEnum):
    """What a site is, as policies tell them apart."""

    INDUSTRIAL_PARK = "industrial_park"
    DATA_CENTRE = "data_centre"
    CLOUD_FIRM = "cloud_firm"
    TELECOM_OR_INTERNET_COMPANY = "telecom_or_internet_company"
    INTERNET_CAFE = "internet_cafe"
    CAMPUS = "campus"
    ENTERPRISE = "enterprise"
    HOUSEHOLD_PREMISES = "household_premises"
    """Premises behind one supply point; nothing is known of who lives there, and nothing is asked."""
    POWER_PLANT = "power_plant"
    PUBLIC_INSTITUTION = "public_institution"
    UNKNOWN = "unknown"


class AssignmentKind(StrEnum):
    """What can belong to a site. All but the first three are places in a network that a log names."""

    PREFIX = "prefix"
    """Network prefix in canonical form, ``10.1.0.0/16``."""
    ADDRESS = "address"
    """One address, as a prefix of full length: ``10.1.2.3/32``."""
    USAGE_POINT = "usage_point"
    """Where energy is metered."""
    CIRCUIT = "circuit"
    """DHCP option 82, circuit id (RFC 3046); ``remote|circuit`` where only both together are unique."""
    REMOTE = "remote"
    """DHCP option 82, remote id (RFC 3046)."""
    NAS_PORT = "nas_port"
    """Port of a network access server, ``nas|port`` (RFC 2865, NAS-Port-Id of RFC 2869)."""
    STATION = "station"
    """Called-Station-Id (RFC 2865): the access point that served, its hardware address as a keyed pseudonym."""
    HARDWARE = "hardware"
    """Keyed pseudonym of a hardware address that is known to stand at the site."""
    VLAN = "vlan"
    """VLAN identifier (IEEE 802.1Q); ``relay|vlan`` where only both together are unique."""
    RELAY = "relay"
    """Address of the DHCP relay."""
    SUBNET = "subnet"
    """Subnet number of a Kea server."""
    NAS = "nas"
    """Address or name of a network access server."""


ATTACHMENTS = frozenset(
    {
        AssignmentKind.CIRCUIT,
        AssignmentKind.REMOTE,
        AssignmentKind.NAS_PORT,
        AssignmentKind.STATION,
        AssignmentKind.HARDWARE,
    }
)
"""Where a client was plugged in. It goes before the area (VLAN, relay, subnet, NAS) that it lies in."""


class Origin(StrEnum):
    """Which kind of log a stretch of time comes from."""

    DHCP_ISC = "ISC DHCP lease"
    DHCP_KEA = "Kea lease"
    RADIUS = "RADIUS accounting"
    NAT = "NAT log"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Where a fact was read: a file, and its row counted from 1 (a line, or a feature of a GeoJSON file)."""

    file: str
    row: int

    def __str__(self) -> str:
        """Give ``file row n``."""
        return f"{self.file} row {self.row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """Who answers for a site: a company, a university, an authority; never a household or its members."""

    organisation_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place under one responsibility.

    Attributes
    ----------
    site_id : str
    name : str
        The `site_id` for a household: its name would be a person's.
    kind : SiteKind
    organisation_id : str or None
        None for a household, for the same reason.
    region : str or None
    latitude, longitude : float or None
        [degrees, WGS 84]
    valid_from_ns, valid_until_ns : int or None
        When the site existed; None is open. [ns since 1970-01-01 UTC]
    source : SourceRow
        Where it was named first.
    """

    site_id: str
    name: str
    kind: SiteKind = SiteKind.UNKNOWN
    organisation_id: str | None = None
    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    valid_from_ns: int | None = None
    valid_until_ns: int | None = None
    source: SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """That something belonged to a site over an interval of time.

    Attributes
    ----------
    kind : AssignmentKind
    value : str
        In canonical form, see `AssignmentKind`.
    site_id : str
    realm : str
        Which network the value is meant in, where private addresses or VLANs are used more than once: the name of a
        NAT or of a routing instance. Empty where it is not said.
    valid_from_ns, valid_until_ns : int or None
        [ns since 1970-01-01 UTC]
    source : SourceRow
    """

    kind: AssignmentKind
    value: str
    site_id: str
    realm: str = ""
    valid_from_ns: int | None = None
    valid_until_ns: int | None = None
    source: SourceRow


@dataclass(frozen=True, slots=True)
class Locator:
    """One thing that a log says of where a client was: a kind and a value, to be looked up among the assignments."""

    kind: AssignmentKind
    value: str

    def __str__(self) -> str:
        """Give ``circuit ge-0/0/1``."""
        return f"{self.kind} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A stretch of time in which an address, or a prefix, stood for whatever is at one place.

    From DHCP leases and from RADIUS accounting. It says where, never who.

    Attributes
    ----------
    prefix : str
        ``10.1.2.3/32``, or a delegated prefix.
    started_ns : int
    ended_ns : int or None
        None for a lease without end. [ns since 1970-01-01 UTC]
    locators : tuple of Locator
    realm : str
        Network in which the address is meant; empty where it is not said.
    origin : Origin
    source : SourceRow
        The last row that the stretch rests on.
    """

    prefix: str
    started_ns: int
    ended_ns: int | None
    locators: tuple[Locator, ...]
    origin: Origin
    realm: str = ""
    source: SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A stretch of time in which an outside address and ports stood for an inside address.

    Attributes
    ----------
    outside_address, inside_address : str
    port_from, port_to : int
        First and last outside port; 0 and 65535 for all.
    inside_port : int or None
        None where a whole block is mapped.
    proto : str or None
        ``tcp``, ``udp``, ``icmp`` or a number; None for any.
    peer_address, peer_port : str or None, int or None
        The destination, where the log says it; a NAT may use one outside port towards several destinations at once.
    realm : str
        The network in which the inside address is meant: the name of the NAT or the routing instance.
    started_ns, ended_ns : int or None
        [ns since 1970-01-01 UTC]
    source : SourceRow
    """

    outside_address: str
    inside_address: str
    port_from: int = 0
    port_to: int = 65535
    inside_port: int | None = None
    proto: str | None = None
    peer_address: str | None = None
    peer_port: int | None = None
    realm: str = ""
    started_ns: int | None = None
    ended_ns: int | None = None
    source: SourceRow


class ResolutionOutcome(StrEnum):
    """What became of a question for a site."""

    RESOLVED = "resolved"
    """One site for the whole period."""
    PARTLY = "partly"
    """One site, for a part of the period; of the rest nothing is known."""
    AMBIGUOUS = "ambiguous"
    """Several sites, at once or one after the other."""
    UNRESOLVED = "unresolved"
    """No site, and what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStretch:
    """What is known of one stretch of the period.

    Attributes
    ----------
    started_ns, ended_ns : int
        [ns since 1970-01-01 UTC]
    site_ids : tuple of str
        Ascending; empty where no site is known.
    reasons : tuple of str
        For each way that leads to a site, the rows it goes through.
    missing : tuple of str
        What would be needed; not empty beside sites where one candidate is known and another is not.
    """

    started_ns: int
    ended_ns: int
    site_ids: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Whose an address or a meter was over a period: told, or told why it cannot be told; never guessed.

    Attributes
    ----------
    subject : str
        ``10.1.2.3``, ``203.0.113.5:40000``, or the usage point.
    outcome : ResolutionOutcome
    site_id : str or None
        The one site of a resolved or partly resolved question, else None.
    stretches : tuple of SiteStretch
        The whole period, in order, without gaps or overlaps.
    """

    subject: str
    outcome: ResolutionOutcome
    site_id: str | None
    stretches: tuple[SiteStretch, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Everything that is missing, each once, in order."""
        return tuple(dict.fromkeys(text for stretch in self.stretches for text in stretch.missing))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every reason, each once, in order."""
        return tuple(dict.fromkeys(text for stretch in self.stretches for text in stretch.reasons))
