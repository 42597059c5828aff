"""Which address or meter belongs to which site, from tables of sites and from the logs of DHCP, NAT and RADIUS.

Beside them stand the registers of lawful mining, and the desks that letters go to.
"""

from headframe.sources.registry.contacts import ContactTable, read_contacts
from headframe.sources.registry.dhcp_isc import read_isc_leases
from headframe.sources.registry.dhcp_kea import read_kea_leases
from headframe.sources.registry.lawful import LawfulTable, read_lawful
from headframe.sources.registry.nat_log import read_nat_log
from headframe.sources.registry.radius import read_radius_detail
from headframe.sources.registry.sites import SiteTable, read_sites
from headframe.sources.registry.values import LeaseLog, TranslationLog

__all__ = [
    "ContactTable",
    "LawfulTable",
    "LeaseLog",
    "SiteTable",
    "TranslationLog",
    "read_contacts",
    "read_isc_leases",
    "read_kea_leases",
    "read_lawful",
    "read_nat_log",
    "read_radius_detail",
    "read_sites",
]
