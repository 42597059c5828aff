"""Tables of contacts: to which desk of a site or an organisation a letter goes. CSV, Parquet, GeoJSON.

| column | meaning | empty means |
|---|---|---|
| ``role`` | one of `ContactRole`, in words | not allowed |
| ``site`` or ``organisation`` | whose desk it is; one of both | |
| ``channel`` | ``post``, ``mail``, ``portal`` | post |
| ``address`` | where letters go | not allowed |
| ``contact`` | identifier | ``SITE/ROLE/CHANNEL`` |

The address stands in clear in the table, and nowhere after it: row by row it is handed to a sealing function, and what
comes back is all that is kept. No remark quotes it. A desk is a role; a column that describes people makes the file
refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headframe.records.assessment import DamagedRow
from headframe.records.lawful import Contact, ContactRole
from headframe.records.site import SourceRow
from headframe.sources.registry.tables import Columns, DamagedRows, rows_of, text_of

Seal = Callable[[Contact, str], Contact]
"""Takes a contact without an address, and the address; gives the contact with the address sealed."""

CHANNELS = ("post", "mail", "portal")
CONTACT_COLUMNS = ("contact", "role", "site", "organisation", "channel", "address")
_TABLE = Columns(
    names=CONTACT_COLUMNS,
    required="role",
    identifier="contact",
    aliases={
        "contact_id": "contact", "site_id": "site", "organization": "organisation", "organisation_id": "organisation",
        "delivery_address": "address",
    },
    identifiers=("contact", "site", "organisation"),
    several_lines=("address",),
)  # fmt: skip
_MAX_ADDRESS = 2_000
"""Longer than any postal address or link to a portal. [characters]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactTable:
    """What tables of contacts say.

    Attributes
    ----------
    contacts : tuple of Contact
        Sealed.
    remarks : tuple of str
    damaged : tuple of DamagedRow
        Every row that could not be used, and why; never with an address.
    """

    contacts: tuple[Contact, ...]
    remarks: tuple[str, ...] = ()
    damaged: tuple[DamagedRow, ...] = ()


def read_contacts(paths: Path | Sequence[Path], seal: Seal) -> ContactTable:
    """Contacts of tables in any of the three forms, their addresses sealed on the way.

    Parameters
    ----------
    paths : Path or sequence of Path
    seal : callable
        `headframe.stores.sealing.Keyring.seal`. It is called for rows that are good in everything else only.

    Returns
    -------
    ContactTable

    Raises
    ------
    ValueError
        If a file cannot be read at all: missing, no header with a column `role`, damaged Parquet or JSON, or a column
        that describes people.
    """
    contacts: dict[str, tuple[Contact, SourceRow]] = {}
    sentences: list[str] = []
    damaged: list[DamagedRow] = []
    for path in [paths] if isinstance(paths, Path) else paths:
        remarks = DamagedRows(path.name)
        for row, said in rows_of(path, _TABLE, remarks):
            try:
                contact = _contact(said)
                address = _address(said)
                if contact.contact_id in contacts:
                    other = contacts[contact.contact_id][1]
                    raise ValueError(f"{contact.contact_id[:80]} stands in {other} already; give each a contact column")
            except ValueError as fault:
                remarks.lost(row, fault)
                continue
            contacts[contact.contact_id] = (seal(contact, address), SourceRow(path.name, row))
        damaged += remarks.damaged
        sentences += remarks.sentences()
    return ContactTable(
        contacts=tuple(contact for contact, _ in contacts.values()), remarks=tuple(sentences), damaged=tuple(damaged)
    )


def _contact(said: Mapping[str, Any]) -> Contact:
    """A row's contact, without its address."""
    site, organisation = text_of(said.get("site")), text_of(said.get("organisation"))
    if bool(site) == bool(organisation):
        both = "both a site and an organisation" if site else "neither a site nor an organisation"
        raise ValueError(f"the row names {both}; a desk belongs to one of them")
    written = text_of(said.get("role"))
    try:
        role = ContactRole(written.lower().replace("-", "_").replace(" ", "_"))
    except ValueError:
        # Not quoted, nor is the channel: where columns are shifted, this is the address.
        raise ValueError(f"unknown role; known are {', '.join(ContactRole)}") from None
    channel = text_of(said.get("channel")).lower() or "post"
    if channel not in CHANNELS:
        raise ValueError(f"unknown channel; known are {', '.join(CHANNELS)}")
    return Contact(
        contact_id=text_of(said.get("contact")) or f"{site or organisation}/{role}/{channel}",
        role=role,
        channel=channel,
        sealed_address=b"",
        key_id="",
        site_id=site,
        organisation_id=organisation,
    )


def _address(said: Mapping[str, Any]) -> str:
    address = text_of(said.get("address"))
    if not address:
        raise ValueError("no address")
    if len(address) > _MAX_ADDRESS:
        raise ValueError(f"the address has {len(address):,} characters; more than {_MAX_ADDRESS:,} is none")
    return address
