"""What makes mining lawful at a place, and whom to write to: registers, exemptions, and contacts by role.

A contact is a role (the facility's desk, the legal unit), never a name; its delivery address is sealed with a key of
its own, and is gone when the key is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headframe.records.site import SourceRow


class LawfulKind(StrEnum):
    """Why mining may be lawful."""

    LICENCE = "licence"
    REGISTRATION = "registration"
    FILED_RESEARCH = "filed_research"
    TARIFF_AGREEMENT = "tariff_agreement"
    EXEMPTION = "exemption"


@dataclass(frozen=True, slots=True, kw_only=True)
class LawfulEntry:
    """One entry of a register of lawful mining, or one exemption.

    Attributes
    ----------
    entry_id : str
        Unique in its register.
    kind : LawfulKind
    register : str
        Which register: ``fns-miners``, ``campus-research``.
    site_id, organisation_id, usage_point : str
        Whom it covers; one of them at least, the others empty.
    scope : str
        What it allows, in the register's words.
    power_limit_w : float or None
        Above it the entry does not cover. [W]
    proof : str
        Number of the document that proves it.
    valid_from_ns, valid_until_ns : int or None
        Half open; None is open. [ns since 1970-01-01 UTC]
    source : SourceRow
    """

    entry_id: str
    kind: LawfulKind
    register: str
    site_id: str = ""
    organisation_id: str = ""
    usage_point: str = ""
    scope: str = ""
    power_limit_w: float | None = None
    proof: str = ""
    valid_from_ns: int | None = None
    valid_until_ns: int | None = None
    source: SourceRow


class ContactRole(StrEnum):
    """To which desk a letter goes."""

    RESPONSIBLE_UNIT = "responsible_unit"
    ABUSE_DESK = "abuse_desk"
    FACILITY = "facility"
    LEGAL = "legal"
    BILLING = "billing"
    LANDLORD = "landlord"
    SUPPLY_POINT = "supply_point"
    """Letters to the premises behind a supply point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A delivery address under a role.

    Attributes
    ----------
    contact_id : str
    site_id, organisation_id : str
        Whose it is; the other is empty.
    role : ContactRole
    channel : str
        ``post``, ``mail``, ``portal``.
    sealed_address : bytes
        AES-256-GCM under the key `key_id`; nothing in clear.
    key_id : str
    """

    contact_id: str
    role: ContactRole
    channel: str
    sealed_address: bytes
    key_id: str
    site_id: str = ""
    organisation_id: str = ""
