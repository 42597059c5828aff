"""From files to an answer: a carrier's network in which every step has its own log, and none knows a person."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headframe.records.site import ResolutionOutcome
from headframe.sites import Registry, resolve, resolve_usage_point
from headframe.sources.registry import (
    read_isc_leases,
    read_kea_leases,
    read_nat_log,
    read_radius_detail,
    read_sites,
)
from tests.sources.registry.mangle import key

SITES = """\
site,kind,prefix,usage_point,circuit,nas_port,station,hardware,subnet,realm,valid_from,valid_until
carrier,telecom company,203.0.113.0/24,,,,,,,,,
hall,industrial park,,UP-hall,ge-0/0/1,,,,,,,
flat,household,,UP-flat,,192.0.2.17|pppoe-7,,,,,,
cafe,internet cafe,,,,,00-1A-2B-00-00-01,,,,,
rig,data centre,,,,,,00:1a:2b:3c:4d:5e,,,,
labs,campus,,,,,,,7,,,
old,enterprise,198.51.100.0/24,,,,,,,,,2026-11-20T10:00:00Z
new,enterprise,198.51.100.0/24,,,,,,,,2026-11-20T10:00:00Z,
"""
ISC = """\
lease 100.64.0.1 {
  starts 5 2026/11/20 08:00:00;
  ends 5 2026/11/20 20:00:00;
  binding state active;
  hardware ethernet 00:1a:2b:00:00:09;
  option agent.circuit-id "ge-0/0/1";
  client-hostname "annas-laptop";
}
"""
KEA = """\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context
10.7.0.5,00:1a:2b:00:00:07,,43200,1795204800,7,0,0,bens-phone,0,
10.7.0.6,00:1a:2b:3c:4d:5e,,43200,1795204800,8,0,0,,0,
"""
RADIUS = """\
Fri Nov 20 08:00:00 2026
\tAcct-Status-Type = Start
\tUser-Name = "anna"
\tAcct-Session-Id = "1"
\tNAS-IP-Address = 192.0.2.17
\tNAS-Port-Id = "pppoe-7"
\tFramed-IP-Address = 100.64.0.2
\tDelegated-IPv6-Prefix = 2001:db8:7::/48
\tTimestamp = 1795161600

Fri Nov 20 12:00:00 2026
\tAcct-Status-Type = Stop
\tUser-Name = "anna"
\tAcct-Session-Id = "1"
\tNAS-IP-Address = 192.0.2.17
\tNAS-Port-Id = "pppoe-7"
\tCalled-Station-Id = "lobby"
\tFramed-IP-Address = 100.64.0.2
\tDelegated-IPv6-Prefix = 2001:db8:7::/48
\tAcct-Session-Time = 14400
\tTimestamp = 1795176000

Fri Nov 20 12:00:00 2026
\tAcct-Status-Type = Stop
\tAcct-Session-Id = "2"
\tNAS-Identifier = "controller"
\tCalled-Station-Id = "00-1A-2B-00-00-01:guests"
\tFramed-IP-Address = 172.20.0.9
\tAcct-Session-Time = 3600
\tTimestamp = 1795176000
"""
NAT = """\
time_start,time_end,inside_address,outside_address,port_from,port_to,proto
2026-11-20T08:00:00Z,2026-11-20T18:00:00Z,100.64.0.1,203.0.113.5,1024,2047,
2026-11-20T08:00:00Z,2026-11-20T18:00:00Z,100.64.0.2,203.0.113.5,2048,3071,
"""


def at(hour: int) -> int:
    return int(datetime(2026, 11, 20, hour, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The carrier, read from its files."""
    folder: Path = tmp_path_factory.mktemp("carrier")
    for name, text in (
        ("sites.csv", SITES), ("dhcpd.leases", ISC), ("leases4.csv", KEA), ("detail", RADIUS), ("nat.csv", NAT),
    ):  # fmt: skip
        (folder / name).write_text(text, encoding="utf-8")
    table = read_sites(folder / "sites.csv", pseudonym=key)
    logs = [
        read_isc_leases(folder / "dhcpd.leases", pseudonym=key),
        read_kea_leases(folder / "leases4.csv", pseudonym=key),
        read_radius_detail(folder / "detail", pseudonym=key),
    ]
    nat = read_nat_log(folder / "nat.csv")
    assert [*table.remarks, *nat.remarks, *(remark for log in logs for remark in log.remarks)] == []
    return Registry(
        table.sites,
        table.assignments,
        organisations=table.organisations,
        leases=[lease for log in logs for lease in log.leases],
        translations=nat.translations,
    )


@pytest.mark.parametrize(
    ("address", "port", "hours", "outcome", "site"),
    [
        ("203.0.113.5", 1500, (9, 10), "resolved", "hall"),
        ("203.0.113.5", 2500, (9, 10), "resolved", "flat"),
        ("203.0.113.5", 2500, (11, 13), "partly", "flat"),
        ("203.0.113.5", None, (9, 10), "ambiguous", None),
        ("203.0.113.5", 4000, (9, 10), "unresolved", None),
        ("203.0.113.6", 4000, (9, 10), "resolved", "carrier"),
        ("2001:db8:7:1::99", None, (9, 10), "resolved", "flat"),
        ("172.20.0.9", None, (11, 12), "resolved", "cafe"),
        ("172.20.0.9", None, (10, 12), "partly", "cafe"),
        ("10.7.0.5", None, (9, 10), "resolved", "labs"),
        ("10.7.0.6", None, (9, 10), "resolved", "rig"),
        ("10.7.0.6", None, (19, 21), "partly", "rig"),
        ("198.51.100.9", None, (8, 9), "resolved", "old"),
        ("198.51.100.9", None, (11, 12), "resolved", "new"),
        ("198.51.100.9", None, (9, 11), "ambiguous", None),
        ("192.0.2.200", None, (9, 11), "unresolved", None),
    ],
)
def test_every_way_through_the_network(
    registry: Registry, address: str, port: int | None, hours: tuple[int, int], outcome: str, site: str | None
) -> None:
    """NAT, circuit, server port, access point, hardware address, subnet, prefix; and each way of not knowing."""
    found = resolve(address, port, (at(hours[0]), at(hours[1])), registry)
    assert (found.outcome.value, found.site_id) == (outcome, site), found
    assert bool(found.missing) == (outcome in ("partly", "unresolved"))


def test_a_meter_of_the_same_registry(registry: Registry) -> None:
    """Electricity and network meet at the site."""
    found = resolve_usage_point("UP-hall", (at(9), at(10)), registry)
    assert (found.outcome, found.site_id) == (ResolutionOutcome.RESOLVED, "hall")


def test_the_whole_registry_knows_no_person(registry: Registry) -> None:
    """Nothing that is kept, and nothing that is answered, holds a name or a plain hardware address."""
    kept = [registry.sites, registry._places, registry._ports, *registry._points.values()]
    for index in registry.realms.values():
        kept += [slot.entries for family in (4, 6) for level in index.levels(family) for slot in level.slots.values()]
    kept += [resolve("203.0.113.5", port, (at(7), at(20)), registry) for port in (1500, 2500, 9)]
    shown = repr(kept).lower()
    for secret in ("anna", "ben", "laptop", "phone", "00:1a:2b", "00-1a-2b", "001a2b"):
        assert secret not in shown
