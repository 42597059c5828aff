"""The stored registry in memory, to resolve many findings at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from headframe.records.site import AssignmentKind, Lease, Translation
from headframe.sites.registry import PrefixIndex, Registry

if TYPE_CHECKING:
    from headframe.stores.database.store import DatabaseStore


def registry_of(
    store: DatabaseStore, leases: Iterable[Lease] = (), translations: Iterable[Translation] = ()
) -> Registry:
    """Every site and assignment of the store, and what logs say; 100,000 sites take a few seconds and some 100 MB."""
    sites = {site.site_id: site for site in store.all_sites()}
    # A site that was taken out of the table leaves its assignments behind; they lead nowhere.
    return Registry(
        sites.values(),
        (one for one in store.all_assignments() if one.site_id in sites),
        leases=leases,
        translations=translations,
    )


def assigned_addresses(store: DatabaseStore) -> PrefixIndex:
    """Every prefix and address that was ever assigned to a site, in whatever network, also of a site that is gone."""
    found = PrefixIndex()
    for one in store.all_assignments():
        if one.kind in (AssignmentKind.PREFIX, AssignmentKind.ADDRESS):
            found.slot(one.value)
    return found
