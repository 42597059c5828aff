"""Resolution of addresses and meters: every answer against a twin that looks through all rows at each instant."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.records.site import (
    Assignment,
    AssignmentKind,
    Lease,
    Locator,
    Origin,
    Resolution,
    ResolutionOutcome,
    Site,
    SourceRow,
    Translation,
)
from headframe.sites import Registry, resolve, resolve_many, resolve_usage_point
from headframe.sites.resolve import MAX_CANDIDATES, OUTCOMES
from tests.sites import naive_sites

FILE = "sites.csv"


def site(site_id: str, **more: int) -> Site:
    return Site(site_id=site_id, name=site_id, source=SourceRow(FILE, 1), **more)


def assign(
    site_id: str,
    value: str,
    kind: AssignmentKind = AssignmentKind.PREFIX,
    start: int | None = None,
    end: int | None = None,
    realm: str = "",
    row: int = 2,
) -> Assignment:
    return Assignment(
        kind=kind,
        value=value,
        site_id=site_id,
        realm=realm,
        valid_from_ns=start,
        valid_until_ns=end,
        source=SourceRow(FILE, row),
    )


def lease(
    prefix: str, start: int, end: int | None, *places: tuple[AssignmentKind, str], realm: str = "", row: int = 99
) -> Lease:
    return Lease(
        prefix=prefix,
        started_ns=start,
        ended_ns=end,
        locators=tuple(Locator(*place) for place in places),
        origin=Origin.DHCP_ISC,
        realm=realm,
        source=SourceRow("dhcpd.leases", row),
    )


def nat(outside: str, inside: str, start: int | None, end: int | None, **more: object) -> Translation:
    return Translation(
        outside_address=outside,
        inside_address=inside,
        started_ns=start,
        ended_ns=end,
        source=SourceRow("nat.csv", 17),
        **more,  # type: ignore[arg-type]
    )


SITES = [site("A"), site("B"), site("C")]
CIRCUIT, VLAN = AssignmentKind.CIRCUIT, AssignmentKind.VLAN


def answers(found: Resolution) -> list[tuple[int, int, tuple[str, ...]]]:
    return [(s.started_ns, s.ended_ns, s.site_ids) for s in found.stretches]


# The four outcomes ---------------------------------------------------------------------------------------------------


def test_one_site_for_the_whole_period_is_resolved_with_its_row() -> None:
    """The reason names prefix, file and row."""
    registry = Registry(SITES, [assign("A", "10.1.0.0/16", row=7)])
    found = resolve("10.1.2.3", None, (100, 200), registry)
    assert (found.outcome, found.site_id) == (ResolutionOutcome.RESOLVED, "A")
    assert found.reasons == ("prefix 10.1.0.0/16 (sites.csv row 7) -> site A",)
    assert found.missing == ()


def test_the_longest_prefix_counts() -> None:
    """A building's network goes before the campus it lies in."""
    registry = Registry(SITES, [assign("A", "10.0.0.0/8"), assign("B", "10.1.0.0/16"), assign("C", "10.1.2.0/24")])
    assert resolve("10.1.2.3", None, (0, 1), registry).site_id == "C"
    assert resolve("10.1.3.3", None, (0, 1), registry).site_id == "B"
    assert resolve("10.9.9.9", None, (0, 1), registry).site_id == "A"


def test_a_part_of_the_period_is_partly() -> None:
    """What lies outside every interval is shown, not filled in."""
    registry = Registry(SITES, [assign("A", "10.1.0.0/16", start=150)])
    found = resolve("10.1.2.3", None, (100, 200), registry)
    assert (found.outcome, found.site_id) == (ResolutionOutcome.PARTLY, "A")
    assert answers(found) == [(100, 150, ()), (150, 200, ("A",))]
    assert "no assignment" in found.missing[0]


def test_an_interval_ends_before_its_end() -> None:
    """Half open: the end of one is the start of the next, and belongs to the next only."""
    registry = Registry(SITES, [assign("A", "10.0.0.0/8", end=150), assign("B", "10.0.0.0/8", start=150)])
    assert resolve("10.0.0.1", None, (149, 149), registry).site_id == "A"
    assert resolve("10.0.0.1", None, (150, 150), registry).site_id == "B"
    both = resolve("10.0.0.1", None, (100, 200), registry)
    assert both.outcome is ResolutionOutcome.AMBIGUOUS
    assert both.site_id is None
    assert answers(both) == [(100, 150, ("A",)), (150, 200, ("B",))]


def test_equal_prefixes_of_two_sites_are_ambiguous() -> None:
    """Both are listed; neither the first nor the later row wins."""
    registry = Registry(SITES, [assign("B", "10.1.0.0/16"), assign("A", "10.1.0.0/16", row=3)])
    found = resolve("10.1.2.3", None, (0, 1), registry)
    assert found.outcome is ResolutionOutcome.AMBIGUOUS
    assert found.stretches[0].site_ids == ("A", "B")
    assert len(found.reasons) == 2


def test_nothing_is_unresolved_and_says_what_is_missing() -> None:
    """An empty registry, or one without the address, is an answer too."""
    for registry in (Registry([], []), Registry(SITES, [assign("A", "10.1.0.0/16")])):
        found = resolve("192.0.2.1", None, (0, 1), registry)
        assert (found.outcome, found.site_id) == (ResolutionOutcome.UNRESOLVED, None)
        assert found.missing == ("no assignment of the registry covers 192.0.2.1 at this time",)


def test_an_assignment_does_not_outlive_its_site() -> None:
    """A closed site has no addresses, whatever its assignments say."""
    registry = Registry(
        [site("A", valid_until_ns=150)], [assign("A", "10.0.0.0/8"), assign("A", "11.0.0.0/8", start=160)]
    )
    assert answers(resolve("10.0.0.1", None, (100, 200), registry)) == [(100, 150, ("A",)), (150, 200, ())]
    assert registry.remarks == ("sites.csv row 2: the site A did not exist at that time; not used",)


# Leases --------------------------------------------------------------------------------------------------------------


def test_a_lease_leads_to_the_place_it_names() -> None:
    """The chain of reasons has the lease's row and the assignment's."""
    registry = Registry(
        SITES,
        [assign("A", "10.0.0.0/8"), assign("B", "ge-0/0/1", CIRCUIT, row=5)],
        leases=[lease("10.1.2.3/32", 100, 200, (CIRCUIT, "ge-0/0/1"))],
    )
    found = resolve("10.1.2.3", None, (110, 120), registry)
    assert found.site_id == "B"
    assert found.reasons == (
        "ISC DHCP lease dhcpd.leases row 99: 10.1.2.3/32 at circuit ge-0/0/1; "
        "circuit ge-0/0/1 (sites.csv row 5) -> site B",
    )


def test_between_two_leases_the_owner_of_the_pool_does_not_step_in() -> None:
    """An address that leases have placed is unresolved where no lease covers it."""
    registry = Registry(
        SITES,
        [assign("A", "10.0.0.0/8"), assign("B", "ge-0/0/1", CIRCUIT), assign("C", "ge-0/0/2", CIRCUIT)],
        leases=[
            lease("10.1.2.3/32", 100, 200, (CIRCUIT, "ge-0/0/1")),
            lease("10.1.2.3/32", 250, 300, (CIRCUIT, "ge-0/0/2")),
        ],
    )
    found = resolve("10.1.2.3", None, (150, 260), registry)
    assert answers(found) == [(150, 200, ("B",)), (200, 250, ()), (250, 260, ("C",))]
    assert found.outcome is ResolutionOutcome.AMBIGUOUS
    assert "no lease covers" in found.missing[0]
    assert resolve("10.1.2.4", None, (150, 260), registry).site_id == "A", "a neighbour without leases is the owner's"


def test_a_lease_at_an_unlisted_place_is_named() -> None:
    """The operator learns which circuit the registry lacks; where leases never placed the address the prefix counts."""
    places = [assign("B", "ge-0/0/1", CIRCUIT)]
    leases = [
        lease("10.1.2.3/32", 100, 200, (CIRCUIT, "ge-0/0/1")),
        lease("10.1.2.3/32", 200, 300, (CIRCUIT, "ge-0/0/9"), row=101),
        lease("10.1.2.4/32", 100, 300, (CIRCUIT, "ge-0/0/9"), row=102),
    ]
    registry = Registry(SITES, [assign("A", "10.1.0.0/16"), *places], leases=leases)
    found = resolve("10.1.2.3", None, (210, 220), registry)
    assert found.outcome is ResolutionOutcome.UNRESOLVED
    assert found.missing == (
        "ISC DHCP lease dhcpd.leases row 101 has 10.1.2.3/32 at circuit ge-0/0/9; no assignment lists it",
    )
    assert resolve("10.1.2.4", None, (210, 220), registry).site_id == "A"
    bare = resolve("10.1.2.4", None, (210, 220), Registry(SITES, places, leases=leases))
    assert "row 102" in bare.missing[1]


def test_where_it_was_plugged_in_goes_before_the_area() -> None:
    """A circuit of one building and the VLAN of the whole campus do not contradict each other."""
    registry = Registry(
        SITES,
        [assign("A", "100", VLAN), assign("B", "ge-0/0/1", CIRCUIT, end=150)],
        leases=[lease("10.1.2.3/32", 100, 200, (CIRCUIT, "ge-0/0/1"), (VLAN, "100"))],
    )
    assert answers(resolve("10.1.2.3", None, (100, 200), registry)) == [(100, 150, ("B",)), (150, 200, ("A",))]


def test_leases_that_overlap_are_both_shown() -> None:
    """Two servers whose clocks disagree: in the overlap the address is at both places, so at neither for sure."""
    registry = Registry(
        SITES,
        [assign("A", "p1", CIRCUIT), assign("B", "p2", CIRCUIT)],
        leases=[lease("10.1.2.3/32", 100, 200, (CIRCUIT, "p1")), lease("10.1.2.3/32", 190, 300, (CIRCUIT, "p2"))],
    )
    found = resolve("10.1.2.3", None, (185, 195), registry)
    assert answers(found) == [(185, 190, ("A",)), (190, 195, ("A", "B"))]
    assert found.outcome is ResolutionOutcome.AMBIGUOUS


def test_a_known_and_an_unknown_candidate_are_ambiguous() -> None:
    """One lease leads to a site and the other to a place nobody knows: that is not an answer."""
    registry = Registry(
        SITES,
        [assign("A", "p1", CIRCUIT)],
        leases=[lease("10.1.2.3/32", 100, 200, (CIRCUIT, "p1")), lease("10.1.2.3/32", 150, 200, (CIRCUIT, "p9"))],
    )
    found = resolve("10.1.2.3", None, (160, 170), registry)
    assert found.outcome is ResolutionOutcome.AMBIGUOUS
    assert found.site_id is None
    assert found.stretches[0].site_ids == ("A",)
    assert "p9" in found.missing[0]


def test_a_delegated_prefix_leads_to_its_place() -> None:
    """Every address below a delegated prefix is behind that client."""
    registry = Registry(
        SITES,
        [assign("A", "2001:db8::/32"), assign("B", "p1", CIRCUIT)],
        leases=[lease("2001:db8:7::/48", 100, None, (CIRCUIT, "p1"))],
    )
    assert resolve("2001:db8:7:1::42", None, (1000, 2000), registry).site_id == "B"
    assert resolve("2001:db8:8::42", None, (1000, 2000), registry).site_id == "A"


# NAT -----------------------------------------------------------------------------------------------------------------


def test_the_chain_goes_from_nat_log_to_lease_to_site() -> None:
    """Three steps, three rows."""
    registry = Registry(
        SITES,
        [assign("A", "203.0.113.0/24"), assign("B", "p1", CIRCUIT, row=12)],
        leases=[lease("100.64.1.2/32", 0, 1000, (CIRCUIT, "p1"))],
        translations=[nat("203.0.113.5", "100.64.1.2", 100, 200, port_from=1024, port_to=2047)],
    )
    found = resolve("203.0.113.5", 1500, (110, 190), registry)
    assert found.site_id == "B"
    assert found.subject == "203.0.113.5:1500"
    assert found.reasons == (
        "NAT log nat.csv row 17: 203.0.113.5:1024-2047 -> 100.64.1.2; "
        "ISC DHCP lease dhcpd.leases row 99: 100.64.1.2/32 at circuit p1; circuit p1 (sites.csv row 12) -> site B",
    )


@pytest.mark.parametrize(
    ("port", "period", "outcome"),
    [
        (1500, (110, 190), ResolutionOutcome.RESOLVED),
        (1500, (110, 250), ResolutionOutcome.PARTLY),
        (1500, (300, 400), ResolutionOutcome.UNRESOLVED),
        (5000, (110, 190), ResolutionOutcome.UNRESOLVED),
        (2500, (110, 190), ResolutionOutcome.RESOLVED),
        (None, (110, 190), ResolutionOutcome.AMBIGUOUS),
    ],
)
def test_the_owner_of_an_outside_address_is_not_who_used_it(
    port: int | None, period: tuple[int, int], outcome: ResolutionOutcome
) -> None:
    """Without a row for port and time nothing falls back on the carrier; without a port all candidates are listed."""
    registry = Registry(
        SITES,
        [assign("A", "203.0.113.0/24"), assign("B", "100.64.1.2/32"), assign("C", "100.64.1.3/32")],
        translations=[
            nat("203.0.113.5", "100.64.1.2", 100, 200, port_from=1024, port_to=2047),
            nat("203.0.113.5", "100.64.1.3", 100, 200, port_from=2048, port_to=3071),
        ],
    )
    found = resolve("203.0.113.5", port, period, registry)
    assert found.outcome is outcome
    assert "A" not in {name for stretch in found.stretches for name in stretch.site_ids}
    assert resolve("203.0.113.6", port, period, registry).site_id == "A", "an address that is not translated is its own"


def test_the_peer_and_the_protocol_tell_mappings_apart() -> None:
    """netfilter uses one outside port towards several destinations at once."""
    web = {"port_from": 5, "port_to": 5, "proto": "tcp", "peer_port": 80}
    registry = Registry(
        SITES,
        [assign("B", "10.0.0.2/32"), assign("C", "10.0.0.3/32")],
        translations=[
            nat("203.0.113.5", "10.0.0.2", 0, 9, peer_address="198.51.100.1", **web),
            nat("203.0.113.5", "10.0.0.3", 0, 9, peer_address="198.51.100.2", **web),
            nat("203.0.113.5", "10.0.0.3", 0, 9, port_from=5, port_to=5, proto="udp"),
        ],
    )

    def ask(**more: object) -> tuple[str, ...]:
        return resolve("203.0.113.5", 5, (0, 9), registry, **more).stretches[0].site_ids  # type: ignore[arg-type]

    assert ask() == ("B", "C")
    assert ask(proto="tcp", peer=("198.51.100.1", 80)) == ("B",)
    assert ask(proto="tcp", peer=("198.51.100.2", None)) == ("C",)
    assert ask(proto="udp") == ("C",)
    assert ask(proto="tcp", peer=("198.51.100.1", 81)) == ()


def test_a_private_address_behind_two_nats_needs_the_vantage_point() -> None:
    """Without the network's name both sites are listed, whatever the lengths of their prefixes; with it, one."""
    registry = Registry(
        SITES,
        [assign("A", "192.168.0.0/16", realm="north"), assign("B", "192.168.1.0/24", realm="south")],
        translations=[
            nat("203.0.113.5", "192.168.1.7", 0, 9, realm="north"),
            nat("203.0.113.6", "192.168.1.7", 0, 9, realm="south"),
            nat("203.0.113.7", "192.168.1.7", 0, 9),
        ],
    )
    assert resolve("192.168.1.7", None, (0, 9), registry).stretches[0].site_ids == ("A", "B")
    assert resolve("192.168.1.7", None, (0, 9), registry, realm="north").site_id == "A"
    assert resolve("192.168.1.7", None, (0, 9), registry, realm="south").site_id == "B"
    assert resolve("203.0.113.5", 80, (0, 9), registry).site_id == "A"
    assert resolve("203.0.113.6", 80, (0, 9), registry).site_id == "B"
    assert resolve("203.0.113.7", 80, (0, 9), registry).outcome is ResolutionOutcome.AMBIGUOUS
    west = resolve("192.168.1.7", None, (0, 9), registry, realm="west")
    assert west.missing == ("no assignment of the registry covers 192.168.1.7 in the network west at this time",)


def test_a_named_network_borrows_public_addresses_only() -> None:
    """A public address means the same everywhere; a private one of the unnamed network is not this network's."""
    registry = Registry(SITES, [assign("A", "198.51.100.0/24"), assign("B", "10.0.0.0/8"), assign("C", "fd00::/8")])
    assert resolve("198.51.100.1", None, (0, 9), registry, realm="north").site_id == "A"
    assert resolve("10.0.0.1", None, (0, 9), registry, realm="north").outcome is ResolutionOutcome.UNRESOLVED
    assert resolve("fd00::1", None, (0, 9), registry, realm="north").outcome is ResolutionOutcome.UNRESOLVED


def test_a_log_that_turns_in_a_circle_comes_to_an_end() -> None:
    """Two NATs that name each other's addresses lead nowhere, and the answer says so."""
    registry = Registry(
        SITES, [], translations=[nat("203.0.113.5", "203.0.113.6", 0, 9), nat("203.0.113.6", "203.0.113.5", 0, 9)]
    )
    assert resolve("203.0.113.5", 1, (0, 9), registry).outcome is ResolutionOutcome.UNRESOLVED


def test_too_many_candidates_ask_for_the_port() -> None:
    """An address that thousands share is not answered with a list of thousands."""
    rows = [
        nat("203.0.113.5", f"100.64.{n >> 8}.{n & 255}", 0, 9, port_from=n, port_to=n)
        for n in range(MAX_CANDIDATES + 1)
    ]
    registry = Registry(SITES, [assign("A", "100.64.0.0/10")], translations=rows)
    found = resolve("203.0.113.5", None, (0, 9), registry)
    assert found.outcome is ResolutionOutcome.UNRESOLVED
    assert "which port?" in found.missing[0]
    assert resolve("203.0.113.5", 7, (0, 9), registry).site_id == "A"


# Meters --------------------------------------------------------------------------------------------------------------


def test_a_meter_goes_the_same_way() -> None:
    """Resolved, changed hands, not listed."""
    point = AssignmentKind.USAGE_POINT
    registry = Registry(SITES, [assign("A", "UP1", point, end=100), assign("B", "UP1", point, start=150)])
    assert resolve_usage_point("UP1", (10, 20), registry).reasons == ("usage point UP1 (sites.csv row 2) -> site A",)
    moved = resolve_usage_point("UP1", (90, 160), registry)
    assert moved.outcome is ResolutionOutcome.AMBIGUOUS
    assert answers(moved) == [(90, 100, ("A",)), (100, 150, ()), (150, 160, ("B",))]
    assert "UP2" in resolve_usage_point("UP2", (10, 20), registry).missing[0]


# Bad questions and registries ----------------------------------------------------------------------------------------


def test_bad_questions_are_refused() -> None:
    """What is no address, no port or no period is a ValueError."""
    registry = Registry(SITES, [])
    for call in (
        lambda: resolve("host.example", None, (0, 1), registry),
        lambda: resolve("10.0.0.1", 70000, (0, 1), registry),
        lambda: resolve("10.0.0.1", None, (2, 1), registry),
        lambda: resolve("10.0.0.1", None, (0, 2**70), registry),
        lambda: resolve_many(["10.0.0.1"], np.array([2]), np.array([1]), registry),
        lambda: resolve_many(["10.0.0.1"], np.array([2, 3]), np.array([3]), registry),
        lambda: resolve_many(["10.0.0.256"], np.array([2]), np.array([3]), registry),
        lambda: Registry([site("A"), site("A")], []),
        lambda: Registry([], [assign("A", "10.0.0.0/8")]),
    ):
        with pytest.raises(ValueError):
            call()


# Against the twin ----------------------------------------------------------------------------------------------------

instants = st.integers(0, 20)
intervals = st.tuples(st.none() | instants, st.none() | instants)
V4 = ["10.0.0.0/8", "10.0.0.0/30", "10.0.0.0/31", "10.0.0.1/32", "10.0.0.2/32", "0.0.0.0/0", "203.0.113.4/30"]
V6 = ["2001:db8::/32", "2001:db8::/64", "2001:db8::/65", "2001:db8::1/128", "::/0", "fd00::/8", "fd00::1/128"]
SUBJECTS = [
    "10.0.0.0",
    "10.0.0.1",
    "10.0.0.2",
    "203.0.113.5",
    "203.0.113.6",
    "2001:db8::1",
    "2001:db8::ffff:0:0:2",
    "fd00::1",
]
site_ids = st.sampled_from(["A", "B", "C"])
realms = st.sampled_from(["", "", "north", "south"])

assignments = st.builds(
    lambda name, value, when, realm: assign(name, value, start=when[0], end=when[1], realm=realm),
    site_ids, st.sampled_from(V4 + V6), intervals, realms,
)  # fmt: skip
places = st.builds(
    lambda name, where, when, realm: assign(name, where[1], where[0], when[0], when[1], realm),
    site_ids, st.sampled_from([(CIRCUIT, "p1"), (CIRCUIT, "p2"), (VLAN, "7")]), intervals, realms,
)  # fmt: skip
leases = st.builds(
    lambda prefix, start, end, where, realm: lease(prefix, start, end, *where, realm=realm),
    st.sampled_from(["10.0.0.1/32", "10.0.0.2/32", "2001:db8::/64", "fd00::1/128"]),
    instants, st.none() | instants,
    st.lists(
        st.sampled_from([(CIRCUIT, "p1"), (CIRCUIT, "p2"), (CIRCUIT, "p3"), (VLAN, "7")]), max_size=3, unique=True
    ),
    realms,
)  # fmt: skip
translations = st.builds(
    lambda outside, inside, when, ports, realm: nat(
        outside, inside, *when, port_from=min(ports), port_to=max(ports), realm=realm
    ),
    st.sampled_from(["203.0.113.5", "203.0.113.6", "10.0.0.2", "2001:db8::1"]),
    st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1", "203.0.113.6"]),
    intervals, st.tuples(st.integers(0, 3000), st.integers(0, 3000)), realms,
)  # fmt: skip
some = {"max_size": 8}


def test_an_address_of_a_nat_never_falls_back_to_its_prefix() -> None:
    """Also where the only row that names it has no duration: it is told, and nobody gets the finding."""
    registry = Registry(SITES, [assign("A", "192.0.2.0/24")], translations=[nat("192.0.2.1", "10.0.0.1", 5, 5)])
    assert resolve("192.0.2.1", None, (0, 9), registry).outcome is ResolutionOutcome.UNRESOLVED
    assert "ends where it begins" in registry.remarks[0]
    assert resolve("192.0.2.2", None, (0, 9), registry).site_id == "A"


@given(
    st.lists(assignments, **some), st.lists(places, **some), st.lists(leases, **some), st.lists(translations, **some),
    st.sampled_from(SUBJECTS), st.none() | st.integers(0, 3100), st.tuples(instants, instants), realms,
)  # fmt: skip
@settings(max_examples=300)
def test_every_instant_agrees_with_the_linear_scan(
    prefixes: list[Assignment],
    where: list[Assignment],
    stretches: list[Lease],
    rows: list[Translation],
    subject: str,
    port: int | None,
    period: tuple[int, int],
    realm: str,
) -> None:
    """At each instant the sites, and whether something is lacking, are what a look through all rows gives."""
    registry = Registry(SITES, [*prefixes, *where], leases=stretches, translations=rows)
    start, end = min(period), max(period)
    found = resolve(subject, port, (start, end), registry, realm=realm)
    end = max(end, start + 1)
    expected = {
        t: naive_sites.candidates([*prefixes, *where], stretches, rows, subject, port, realm, t)
        for t in range(start, end)
    }
    told = {
        t: (set(stretch.site_ids), bool(stretch.site_ids) and bool(stretch.missing))
        for stretch in found.stretches
        for t in range(stretch.started_ns, stretch.ended_ns)
    }
    assert told == {t: (sites, bool(sites) and lacking) for t, (sites, lacking) in expected.items()}
    assert [s.started_ns for s in found.stretches] == [start, *(s.ended_ns for s in found.stretches[:-1])]
    assert found.stretches[-1].ended_ns == end
    assert found.outcome == naive_sites.outcome(list(expected.values()))
    many = resolve_many([subject], np.array([start]), np.array([end]), registry, ports=[port], realm=realm)
    assert OUTCOMES[many.outcome[0]] is found.outcome
    assert (registry.site_ids[many.site[0]] if many.site[0] >= 0 else None) == found.site_id


@given(
    st.lists(assignments, max_size=20),
    st.lists(st.tuples(st.sampled_from(SUBJECTS), instants, instants), min_size=1, max_size=30),
    realms,
)
def test_many_at_once_agree_with_one_by_one(
    prefixes: list[Assignment], questions: list[tuple[str, int, int]], realm: str
) -> None:
    """The array look-ups and the single question give the same outcome and site."""
    registry = Registry(SITES, prefixes)
    started = np.array([min(a, b) for _, a, b in questions])
    ended = np.array([max(a, b) for _, a, b in questions])
    many = resolve_many([q[0] for q in questions], started, ended, registry, realm=realm)
    for row, (address, _, _) in enumerate(questions):
        one = resolve(address, None, (int(started[row]), int(ended[row])), registry, realm=realm)
        assert OUTCOMES[many.outcome[row]] is one.outcome
        assert (registry.site_ids[many.site[row]] if many.site[row] >= 0 else None) == one.site_id


@given(st.lists(assignments, max_size=12), st.randoms(use_true_random=False), st.sampled_from(SUBJECTS))
def test_the_order_of_rows_is_harmless(prefixes: list[Assignment], random: object, subject: str) -> None:
    """Which row stands first decides nothing."""
    shuffled = list(prefixes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (resolve(subject, None, (0, 20), Registry(SITES, rows)) for rows in (prefixes, shuffled))
    assert (one.outcome, one.site_id) == (other.outcome, other.site_id)


def test_a_hundred_thousand_assignments_answer_a_hundred_thousand_questions_at_once() -> None:
    """Cost grows with the logarithm of the registry. The bound is some ten times what was measured (2026-11)."""
    generator = np.random.default_rng(7)
    lengths = generator.integers(16, 33, 100_000)
    numbers = generator.integers(0, 2**32, 100_000) >> (32 - lengths) << (32 - lengths)

    def text(number: int) -> str:
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    rows = [assign("A", f"{text(n)}/{bits}") for n, bits in zip(numbers.tolist(), lengths.tolist(), strict=True)]
    registry = Registry(SITES, rows)
    addresses = [text(n) for n in generator.integers(0, 2**32, 100_000).tolist()]
    when = np.zeros(100_000, np.int64)
    resolve_many(addresses[:10], when[:10], when[:10], registry)
    began = time.process_time()
    many = resolve_many(addresses, when, when + 1, registry)
    assert time.process_time() - began < 4.0
    for row in range(0, 100_000, 5000):
        assert OUTCOMES[many.outcome[row]] is resolve(addresses[row], None, (0, 1), registry).outcome


def test_ten_thousand_renewals_of_one_address_stay_cheap() -> None:
    """A question for one instant does not look through all leases of its address."""
    stretches = [lease("10.0.0.1/32", n * 10, n * 10 + 10, (CIRCUIT, f"p{n & 1}")) for n in range(20_000)]
    registry = Registry(SITES, [assign("A", "p0", CIRCUIT), assign("B", "p1", CIRCUIT)], leases=stretches)
    resolve("10.0.0.1", None, (0, 1), registry)
    began = time.process_time()
    for n in range(2000):
        assert resolve("10.0.0.1", None, (n * 10, n * 10 + 5), registry).site_id == "AB"[n & 1]
    assert time.process_time() - began < 2.0
