"""The resolution as it would be told to somebody: for one instant, look through every row.

Borrows nothing from the package but the records it is handed.
"""

from ipaddress import ip_address, ip_network

PRIVATE = [
    ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7",
        "fe80::/10", "::1/128",
    )
]  # fmt: skip
PLUGGED = {"circuit", "remote", "nas_port", "station", "hardware"}


def covers(start, end, t):
    return (start is None or start <= t) and (end is None or t < end)


def inside(address, prefix):
    one, network = ip_address(address), ip_network(prefix)
    return one.version == network.version and one in network


def private(address):
    return any(inside(address, str(network)) for network in PRIVATE)


def lease_sites(lease, assignments, t):
    """Sites that a lease leads to at t: where it was plugged in, else the areas."""
    plugged, areas = set(), set()
    for locator in lease.locators:
        for row in assignments:
            if (row.kind, row.value) != (locator.kind, locator.value) or not covers(
                row.valid_from_ns, row.valid_until_ns, t
            ):
                continue
            exact = locator.kind.value in PLUGGED
            if lease.realm and row.realm != lease.realm and not (exact and row.realm == ""):
                continue
            (plugged if exact else areas).add(row.site_id)
    return plugged or areas


def in_realm(assignments, leases, address, realm, t):
    """Sites, and whether a candidate leads nowhere, in one network."""
    width = 32 if ip_address(address).version == 4 else 128
    for length in range(width, -1, -1):
        sites, lacking = set(), False
        for row in assignments:
            if row.kind.value in ("prefix", "address") and row.realm == realm and row.value.endswith(f"/{length}"):
                if inside(address, row.value) and covers(row.valid_from_ns, row.valid_until_ns, t):
                    sites.add(row.site_id)
        mine = [
            one for one in leases
            if one.realm == realm and one.prefix.endswith(f"/{length}") and inside(address, one.prefix)
            and (one.ended_ns is None or one.started_ns < one.ended_ns)
        ]  # fmt: skip
        ever = any(
            lease_sites(one, assignments, when)
            for one in mine
            for when in range(25)
            if covers(one.started_ns, one.ended_ns, when)
        )
        if ever:
            current = [one for one in mine if covers(one.started_ns, one.ended_ns, t)]
            found = [lease_sites(one, assignments, t) for one in current]
            lacking = any(not some for some in found)
            sites = sites.union(*found)
            return sites, lacking or not sites
        if sites:
            return sites, False
    return set(), False


def located(assignments, leases, address, realm, t):
    known = {row.realm for row in assignments if row.kind.value in ("prefix", "address")} | {
        one.realm for one in leases
    }
    if realm == "":
        answers = [in_realm(assignments, leases, address, one, t) for one in known]
        return set().union(*(sites for sites, _ in answers)), any(lacking for _, lacking in answers)
    sites, lacking = in_realm(assignments, leases, address, realm, t)
    if not sites and not lacking and not private(address):
        return in_realm(assignments, leases, address, "", t)
    return sites, lacking


def candidates(assignments, leases, translations, address, port, realm, t, passed=()):
    """All sites that the address may have been at, and whether something is lacking."""
    translated = any(row.outside_address == address for row in translations)
    if not translated or address in passed or (realm and private(address)):
        return located(assignments, leases, address, realm, t)
    rows = [
        row for row in translations
        if row.outside_address == address and covers(row.started_ns, row.ended_ns, t)
        and (port is None or row.port_from <= port <= row.port_to)
    ]  # fmt: skip
    if not rows:
        return set(), True
    sites, lacking = set(), False
    for row in rows:
        found, lacks = candidates(
            assignments, leases, translations, row.inside_address, row.inside_port, row.realm, t, (*passed, address)
        )
        sites |= found
        lacking |= lacks or not found
    return sites, lacking


def outcome(answers):
    """The word for a whole period, from its instants."""
    every = set().union(*(sites for sites, _ in answers))
    if not every:
        return "unresolved"
    if len(every) > 1 or any(sites and lacking for sites, lacking in answers):
        return "ambiguous"
    return "partly" if any(not sites for sites, _ in answers) else "resolved"
