"""What a conversation says of the name or address it goes to, before any secret begins."""

from dataclasses import dataclass
from enum import StrEnum

from headframe.records.conversation import Conversation, PacketRef


class EndpointSign(StrEnum):
    """Where the name or address was seen."""

    DNS_ANSWER = "dns_answer"
    TLS_SNI = "tls_sni"
    CERTIFICATE = "certificate"
    HTTP_HOST = "http_host"
    QUIC_SNI = "quic_sni"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointObservation:
    """One name or address seen in one packet of a conversation.

    Attributes
    ----------
    conversation : Conversation
        The conversation that it was seen in (for DNS: the look-up itself).
    sign : EndpointSign
    names : tuple of str
        Lower-case names without trailing dot: the server name; all names of a certificate; for DNS the question
        first, then each CNAME target. Empty for ``ADDRESS``.
    addresses : tuple of str
        For DNS the answered addresses; for ``ADDRESS`` the responder's.
    time_ns : int
        [ns since 1970-01-01 UTC]
    packet : PacketRef
    """

    conversation: Conversation
    sign: EndpointSign
    names: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    time_ns: int
    packet: PacketRef
