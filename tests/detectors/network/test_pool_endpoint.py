"""Known mining endpoints: what is held against a host, what is not, and what is said of it."""

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.detectors.network.pool_endpoint import (
    EndpointIndex,
    EndpointParameters,
    Standing,
    count_endpoint_matches,
    detect,
    fnv1a_64,
    is_web_site,
    standing,
)
from headframe.records.conversation import Conversation, PacketRef
from headframe.records.endpoint import EndpointObservation, EndpointSign
from headframe.records.finding import Finding, Role
from headframe.records.indicator import Indicator, IndicatorKind
from headframe.sources.intel import load_indicators
from headframe.sources.network import dns, tls
from headframe.sources.network.zeek_names import read_zeek_names

S = 1_000_000_000
NOON_NS = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * S
HOST, POOL_ADDRESS, RESOLVER = "10.0.0.5", "192.0.2.10", "10.0.0.1"
POOL = IndicatorKind.POOL
EVIDENCE = {"name": 3.5, "address_port": 4.0, "address": 3.0}


def indicator(value: str, **fields: object) -> Indicator:
    return Indicator(**({"kind": POOL, "value": value, "source": "a list of 2026"} | fields))  # type: ignore[arg-type]


OPERATOR = indicator("pool.example", subdomains=True, pool="Example Pool", coins=("XMR",))
STRATUM = indicator("xmr.pool.example", port=3333, pool="Example Pool", coins=("XMR",))
STRATUM_TLS = indicator("xmr.pool.example", port=443, pool="Example Pool", coins=("XMR",))


def conversation(**fields: object) -> Conversation:
    values: dict[str, object] = {
        "uid": "C1", "community_id": "1:x", "proto": "tcp", "orig_h": HOST, "orig_p": 40000, "resp_h": POOL_ADDRESS,
        "resp_p": 3333, "started_ns": NOON_NS, "ended_ns": NOON_NS + 3600 * S, "orig_bytes": 9000, "resp_bytes": 40000,
    }  # fmt: skip
    return Conversation(**(values | fields))  # type: ignore[arg-type]


def seen(
    sign: EndpointSign, *names: str, of: Conversation, addresses: tuple[str, ...] = (), number: int = 1
) -> EndpointObservation:
    if sign is EndpointSign.ADDRESS and not addresses:
        addresses = (of.resp_h,)
    return EndpointObservation(
        conversation=of,
        sign=sign,
        names=names,
        addresses=addresses,
        time_ns=of.started_ns,
        packet=PacketRef("a.pcap", number),
    )


def look_up(name: str, *addresses: str, at_ns: int = NOON_NS - 5 * S, number: int = 1) -> EndpointObservation:
    of = conversation(
        uid=f"D{at_ns}",
        proto="udp",
        resp_h=RESOLVER,
        resp_p=53,
        started_ns=at_ns,
        ended_ns=at_ns,
        orig_bytes=30,
        resp_bytes=60,
    )
    return seen(EndpointSign.DNS_ANSWER, name, of=of, addresses=addresses, number=number)


def run(observations: list[EndpointObservation], *indicators: Indicator) -> tuple[Finding, ...]:
    return detect(observations, EndpointIndex(indicators), EndpointParameters(), log10_e=EVIDENCE.__getitem__).findings


def only(findings: tuple[Finding, ...]) -> Finding:
    assert len(findings) == 1
    return findings[0]


# ---------------------------------------------------------------- the index


def test_hash_is_fnv1a() -> None:
    """Vectors of the FNV authors' test suite (RFC 9923, appendix)."""
    assert fnv1a_64(b"") == 0xCBF29CE484222325
    assert fnv1a_64(b"foobar") == 0x85944171F73967E8


def test_every_name_that_matches_is_found_through_the_hashes_of_its_suffixes() -> None:
    """The kernel tests each label suffix: what `match_name` would report must be in the set."""
    index = EndpointIndex([OPERATOR, STRATUM, indicator("other.example")])
    hashes = set(index.name_hashes().tolist())
    for name in ("pool.example", "a.b.pool.example", "xmr.pool.example", "other.example"):
        labels = name.split(".")
        assert any(fnv1a_64(".".join(labels[i:]).encode()) in hashes for i in range(len(labels)))
        assert index.match_name(name, None, NOON_NS)
    assert index.name_hashes().dtype == np.uint64


def test_address_keys_hold_both_families() -> None:
    """IPv4 as one number, IPv6 as two halves, 0 for any port; sorted."""
    index = EndpointIndex(
        [indicator("192.0.2.10", port=3333), indicator("192.0.2.9"), indicator("2001:db8::1", port=443), OPERATOR]
    )
    keys = index.address_keys()
    assert keys.v4.tolist() == [int(ip_address("192.0.2.9")), int(ip_address("192.0.2.10"))]
    assert keys.v4_port.tolist() == [0, 3333]
    assert (keys.v6_high[0], keys.v6_low[0], keys.v6_port[0]) == (0x20010DB800000000, 1, 443)
    assert [part.dtype for part in keys] == [np.uint32, np.uint16, np.uint64, np.uint64, np.uint16]


def test_no_indicators_give_empty_arrays() -> None:
    """An index without indicators is an index."""
    index = EndpointIndex([])
    assert index.name_hashes().shape == (0,)
    assert index.address_keys().v4.shape == (0,)
    assert index.match_name("pool.example", None, 0) == []


@pytest.mark.parametrize(
    ("name", "port", "expected"),
    [
        ("pool.example", 3333, [OPERATOR]),
        ("POOL.example.", None, [OPERATOR]),
        ("*.pool.example", None, [OPERATOR]),
        ("eu.pool.example", 3333, [OPERATOR]),
        ("xmr.pool.example", 3333, [STRATUM, OPERATOR]),
        ("xmr.pool.example", 9999, [OPERATOR]),
        ("xmr.pool.example", None, [STRATUM, OPERATOR]),
        ("below.xmr.pool.example", 3333, [OPERATOR]),
        ("notpool.example", 3333, []),
        ("pool.example.evil.test", 3333, []),
        ("example", 3333, []),
        ("", 3333, []),
    ],
)
def test_names_match_by_labels_and_port(name: str, port: int | None, expected: list[Indicator]) -> None:
    """Whole labels only; names below only where the indicator says so; the port where it is known."""
    assert EndpointIndex([OPERATOR, STRATUM]).match_name(name, port, NOON_NS) == expected


@given(st.text("abx.", max_size=30))
def test_a_name_matches_exactly_if_a_suffix_of_labels_is_listed(name: str) -> None:
    """Naive twin: compare label by label."""
    index = EndpointIndex([indicator("a.b", subdomains=True), indicator("x.a.b")])
    labels = name.rstrip(".").split(".")
    expected = labels == ["x", "a", "b"] or labels[-2:] == ["a", "b"]
    assert bool(index.match_name(name, None, 0)) == expected


def test_valid_indicators_come_before_expired_ones_and_hide_them() -> None:
    """Expired ones are given only where no other is valid, so that the caller can say so."""
    old = indicator("pool.example", valid_until=date(2020, 1, 1))
    new = indicator("pool.example", valid_from=date(2020, 1, 1), pool="Successor")
    index = EndpointIndex([old, new])
    assert index.match_name("pool.example", None, NOON_NS) == [new]
    assert EndpointIndex([old]).match_name("pool.example", None, NOON_NS) == [old]
    assert standing(old, NOON_NS) is Standing.EXPIRED
    assert standing(new, 0) is Standing.EARLY


def test_last_day_of_validity_counts() -> None:
    """Validity is in whole days, both ends included."""
    last = indicator("pool.example", valid_until=date(2026, 6, 1))
    assert standing(last, NOON_NS) is Standing.VALID
    assert standing(last, NOON_NS + 86400 * S) is Standing.EXPIRED


def test_pool_name_by_name_then_by_address() -> None:
    """The operator's name for a content finding; never that of a malware proxy."""
    index = EndpointIndex(
        [
            OPERATOR,
            indicator(POOL_ADDRESS, port=3333, pool="By Address"),
            indicator("192.0.2.66", port=1, kind=IndicatorKind.MALWARE_PROXY, pool="Bad"),
        ]
    )
    assert index.pool_name("eu.pool.example", POOL_ADDRESS, 3333) == "Example Pool"
    assert index.pool_name("unknown.example", POOL_ADDRESS, 3333) == "By Address"
    assert index.pool_name(None, POOL_ADDRESS, 4444) is None
    assert index.pool_name(None, "192.0.2.66", 1) is None


@pytest.mark.parametrize(
    ("name", "answer"),
    [("pool.example", True), ("www.pool.example", True), ("xmr.pool.example", False), ("stratum.pool.example", False)],
)
def test_web_sites_are_told_from_mining_hosts(name: str, answer: bool) -> None:
    """The bare domain and ``www`` serve people."""
    index = EndpointIndex([OPERATOR, STRATUM])
    assert is_web_site(name, index.match_name(name, None, NOON_NS)) == answer


def test_a_branch_of_a_large_site_has_no_web_site() -> None:
    """``ss.large.example`` serves nothing but miners."""
    assert not is_web_site("ss.large.example", [indicator("ss.large.example", subdomains=True)])


# ---------------------------------------------------------------- the detector


def test_look_up_alone_is_a_contact() -> None:
    """Nothing but a DNS answer: the host asked, no more."""
    finding = only(run([look_up("xmr.pool.example", POOL_ADDRESS)], OPERATOR))
    assert (finding.role, finding.host, finding.peer, finding.protocol) == (
        Role.CONTACT,
        HOST,
        f"{RESOLVER}:53",
        "dns_answer",
    )
    assert finding.log10_e == EVIDENCE["name"]
    assert "look-up is a contact, not mining" in finding.explanation


def test_look_up_of_a_web_site_carries_no_evidence() -> None:
    """Anyone may read a pool's web site."""
    finding = only(run([look_up("www.pool.example", POOL_ADDRESS)], OPERATOR))
    assert (finding.role, finding.log10_e) == (Role.CONTACT, 0.0)
    assert "web site" in finding.explanation


def test_look_up_and_conversation_with_the_answered_address_are_one_miner() -> None:
    """The answer names the address, the conversation shows payload both ways."""
    finding = only(
        run(
            [look_up("xmr.pool.example", POOL_ADDRESS), seen(EndpointSign.ADDRESS, of=conversation(), number=2)],
            OPERATOR,
        )
    )
    assert (finding.role, finding.peer, finding.pool, finding.coins) == (
        Role.MINER,
        f"{POOL_ADDRESS}:3333",
        "Example Pool",
        ("XMR",),
    )
    assert finding.log10_e == EVIDENCE["name"]
    assert finding.sources[0].packets == (1, 2)
    assert len(finding.evidence) == 2
    assert "public mining pool" in finding.explanation


def test_answer_is_forgotten_after_a_day() -> None:
    """An address may serve somebody else the day after."""
    late = conversation(started_ns=NOON_NS + 90_000 * S, ended_ns=NOON_NS + 95_000 * S)
    findings = run(
        [look_up("xmr.pool.example", POOL_ADDRESS, at_ns=NOON_NS), seen(EndpointSign.ADDRESS, of=late)], OPERATOR
    )
    assert only(findings).role is Role.CONTACT


def test_answer_of_another_host_does_not_tie() -> None:
    """What one host asked says nothing of another's conversation."""
    other = conversation(orig_h="10.0.0.77")
    findings = run([look_up("xmr.pool.example", POOL_ADDRESS), seen(EndpointSign.ADDRESS, of=other)], OPERATOR)
    assert [(finding.host, finding.role) for finding in findings] == [(HOST, Role.CONTACT)]


def test_answered_address_used_under_another_name_does_not_tie() -> None:
    """A CDN address: the client asked the same address for a name no list knows."""
    of = conversation(resp_p=443)
    findings = run(
        [
            look_up("xmr.pool.example", POOL_ADDRESS),
            seen(EndpointSign.TLS_SNI, "shop.example", of=of),
            seen(EndpointSign.ADDRESS, of=of),
        ],
        OPERATOR,
    )
    assert only(findings).protocol == "dns_answer"
    assert only(findings).role is Role.CONTACT


def test_answered_address_on_a_web_port_without_the_name_is_a_contact() -> None:
    """On port 443 a name would have been seen, had it been the pool's."""
    findings = run(
        [look_up("xmr.pool.example", POOL_ADDRESS), seen(EndpointSign.ADDRESS, of=conversation(resp_p=443))], OPERATOR
    )
    assert {finding.role for finding in findings} == {Role.CONTACT}


def test_blocked_name_is_said_to_be_blocked() -> None:
    """A resolver that answers 0.0.0.0 blocks: no mining can follow."""
    finding = only(run([look_up("xmr.pool.example", "0.0.0.0")], OPERATOR))
    assert "blocks it" in finding.evidence[0].text
    assert "blocked or gone" in finding.contradictions[0]


def test_a_resolver_asks_for_others() -> None:
    """The office's resolver asks upstream what a client asked it: the client is the contact, the resolver is not."""
    upstream = replace(
        look_up("xmr.pool.example", POOL_ADDRESS),
        conversation=conversation(uid="U", proto="udp", orig_h=RESOLVER, resp_h="198.51.100.53", resp_p=53),
    )
    findings = run([look_up("xmr.pool.example", POOL_ADDRESS), upstream], OPERATOR)
    assert {finding.host: finding.log10_e for finding in findings} == {HOST: EVIDENCE["name"], RESOLVER: 0.0}


@pytest.mark.parametrize(
    ("sign", "protocol"),
    [
        (EndpointSign.TLS_SNI, "tls_sni+tls"),
        (EndpointSign.CERTIFICATE, "certificate+tls"),
        (EndpointSign.HTTP_HOST, "http_host+http"),
    ],
)
def test_name_of_a_mining_host_with_payload_both_ways_is_a_miner(sign: EndpointSign, protocol: str) -> None:
    """On the listed port, whatever carries the name."""
    finding = only(run([seen(sign, "xmr.pool.example", of=conversation())], OPERATOR, STRATUM))
    assert (finding.role, finding.protocol, finding.log10_e) == (Role.MINER, protocol, EVIDENCE["name"])


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({"resp_bytes": 0}, Role.CONTACT),
        ({"orig_bytes": 0}, Role.CONTACT),
        ({"proto": "udp"}, Role.CONTACT),
        ({"resp_p": 25}, Role.CONTACT),
        ({"resp_p": 443, "ended_ns": NOON_NS + 20 * S}, Role.CONTACT),
        ({"resp_p": 443, "resp_bytes": 50_000_000}, Role.CONTACT),
        ({"resp_p": 443}, Role.MINER),
        ({"resp_p": 5555, "ended_ns": NOON_NS + 20 * S}, Role.MINER),
    ],
)
def test_what_followed_decides_the_role(fields: dict[str, object], role: Role) -> None:
    """A name alone is a contact: payload both ways on a mining port, or a lasting thin session on a web port."""
    finding = only(run([seen(EndpointSign.TLS_SNI, "eu.pool.example", of=conversation(**fields))], OPERATOR))
    assert finding.role is role
    assert bool(finding.contradictions) == (role is Role.CONTACT)


def test_listed_web_port_is_a_mining_port() -> None:
    """Pools listen on 443 to pass firewalls: where a list says so, a short session counts."""
    short = conversation(resp_p=443, ended_ns=NOON_NS + 20 * S)
    assert (
        only(run([seen(EndpointSign.TLS_SNI, "xmr.pool.example", of=short)], OPERATOR, STRATUM_TLS)).role is Role.MINER
    )


@pytest.mark.parametrize("name", ["pool.example", "www.pool.example"])
def test_visit_to_a_web_site_is_no_evidence(name: str) -> None:
    """https://pool.example all day long: statistics, not mining."""
    finding = only(run([seen(EndpointSign.TLS_SNI, name, of=conversation(resp_p=443))], OPERATOR, STRATUM))
    assert (finding.role, finding.log10_e) == (Role.CONTACT, 0.0)
    assert "anyone may read it" in finding.explanation


def test_expired_indicator_weighs_nothing_and_says_so() -> None:
    """The pool closed in 2020: what its name serves in 2026 nobody vouches for."""
    closed = replace(OPERATOR, valid_until=date(2020, 1, 1))
    finding = only(run([seen(EndpointSign.TLS_SNI, "xmr.pool.example", of=conversation())], closed))
    assert (finding.role, finding.log10_e) == (Role.CONTACT, 0.0)
    assert "until 2020-01-01" in finding.explanation
    assert "expired" in finding.explanation


def test_address_and_port_show_a_miner_only_over_a_session() -> None:
    """An hour is a session; ten seconds are an attempt."""
    known = indicator(POOL_ADDRESS, port=3333, kind=IndicatorKind.MALWARE_PROXY)
    long, short = conversation(), conversation(ended_ns=NOON_NS + 10 * S)
    finding = only(run([seen(EndpointSign.ADDRESS, of=long)], known))
    assert (finding.role, finding.log10_e, finding.protocol) == (Role.MINER, EVIDENCE["address_port"], "address")
    assert "addresses change hands" in finding.explanation
    assert "probably a victim" in finding.explanation
    assert finding.pool is None
    assert only(run([seen(EndpointSign.ADDRESS, of=short)], known)).role is Role.CONTACT


def test_address_without_port_is_never_more_than_a_contact() -> None:
    """Weaker, and under a key of its own."""
    finding = only(run([seen(EndpointSign.ADDRESS, of=conversation())], indicator(POOL_ADDRESS)))
    assert (finding.role, finding.log10_e) == (Role.CONTACT, EVIDENCE["address"])


def test_shared_address_alone_is_not_evidence() -> None:
    """It says what is missing instead."""
    index = EndpointIndex([indicator(POOL_ADDRESS, port=443, shared=True, pool="Example Pool")])
    answer = detect(
        [seen(EndpointSign.ADDRESS, of=conversation(resp_p=443))],
        index,
        EndpointParameters(),
        log10_e=EVIDENCE.__getitem__,
    )
    assert not answer.findings
    assert answer.insufficient[0].missing.startswith("A name.")


def test_known_address_with_an_unknown_name_is_a_contact() -> None:
    """The client asked the address for another name: that contradicts."""
    of = conversation()
    findings = run(
        [seen(EndpointSign.TLS_SNI, "shop.example", of=of), seen(EndpointSign.ADDRESS, of=of)],
        indicator(POOL_ADDRESS, port=3333),
    )
    assert only(findings).role is Role.CONTACT
    assert any("shop.example" in line for line in only(findings).contradictions)


def test_known_address_on_the_guessed_originators_side_is_the_peer() -> None:
    """Without the beginning of a conversation, its direction is a guess; the known address is the server."""
    turned = conversation(orig_h=POOL_ADDRESS, orig_p=3333, resp_h=HOST, resp_p=40000)
    finding = only(
        run([seen(EndpointSign.ADDRESS, of=turned, addresses=(POOL_ADDRESS,))], indicator(POOL_ADDRESS, port=3333))
    )
    assert (finding.host, finding.peer, finding.role) == (HOST, f"{POOL_ADDRESS}:3333", Role.MINER)


def called(history: str, number: int = 1, **fields: object) -> EndpointObservation:
    """A conversation with the listed address as originator."""
    values: dict[str, object] = {
        "orig_h": POOL_ADDRESS, "orig_p": 50000 + number, "resp_h": HOST, "resp_p": 443, "history": history,
        "conn_state": "SF", "uid": f"C{number}",
    }  # fmt: skip
    return seen(EndpointSign.ADDRESS, of=conversation(**(values | fields)), addresses=(POOL_ADDRESS,), number=number)


def test_who_is_called_by_a_listed_address_does_not_mine() -> None:
    """Its SYN was seen: a contact without weight, that says who called whom; once per host however often it calls."""
    listed = indicator(POOL_ADDRESS, pool="Example Pool")
    finding = only(run([called("ShADadfF", number) for number in range(1, 6)], listed))
    assert (finding.host, finding.peer, finding.role) == (HOST, f"{POOL_ADDRESS}:50001", Role.CONTACT)
    assert finding.log10_e == 0.0
    assert f"was contacted by {POOL_ADDRESS}" in finding.explanation
    assert "connected to" not in finding.explanation
    assert only(run([called("^dDa")], listed)).explanation.count("connected to") == 1
    assert only(run([called("ShADad", conn_state="OTH")], listed)).explanation.count("connected to") == 1


@pytest.mark.parametrize("port", [None, 50001])
def test_a_call_from_a_listed_address_is_no_mining_whatever_else_is_known(port: int | None) -> None:
    """Neither a look-up before nor a listed port makes the called host a miner; malware's address brings no advice."""
    listed = indicator(POOL_ADDRESS, port=port, kind=IndicatorKind.MALWARE_PROXY)
    findings = run([look_up("xmr.pool.example", POOL_ADDRESS), called("ShADadfF")], OPERATOR, listed)
    assert {finding.role for finding in findings} == {Role.CONTACT}
    inbound = next(finding for finding in findings if "was contacted" in finding.explanation)
    assert "victim" not in inbound.explanation


def test_certificate_of_a_hosting_service_is_a_contact() -> None:
    """Dozens of names on one certificate: the client may have come for any of them."""
    names = ("xmr.pool.example", *(f"n{i}.other.example" for i in range(40)))
    finding = only(run([seen(EndpointSign.CERTIFICATE, *names, of=conversation())], OPERATOR))
    assert finding.role is Role.CONTACT
    assert "several names" in finding.contradictions[0]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (IndicatorKind.POOL, "anyone may use"),
        (IndicatorKind.MALWARE_PROXY, "probably a victim"),
        (IndicatorKind.WEB_MINER, "browser tab mined"),
    ],
)
def test_kinds_are_explained_apart(kind: IndicatorKind, words: str) -> None:
    """A legal pool, malware and a page that mines call for three different answers."""
    finding = only(
        run([seen(EndpointSign.TLS_SNI, "xmr.pool.example", of=conversation())], replace(OPERATOR, kind=kind))
    )
    assert finding.role is Role.MINER
    assert words in finding.explanation
    assert ("victim" in finding.explanation) == (kind is not IndicatorKind.POOL)


@pytest.mark.parametrize("kind", [IndicatorKind.NODE, IndicatorKind.EXCHANGE])
def test_nodes_and_exchanges_are_lookalikes(kind: IndicatorKind) -> None:
    """Neither mines: they are told apart, not found."""
    index = EndpointIndex([replace(OPERATOR, kind=kind), indicator(POOL_ADDRESS, port=3333, kind=kind)])
    of = conversation()
    for observation in (
        seen(EndpointSign.TLS_SNI, "pool.example", of=of),
        look_up("pool.example", POOL_ADDRESS),
        seen(EndpointSign.ADDRESS, of=of),
    ):
        answer = detect([observation], index, EndpointParameters(), log10_e=EVIDENCE.__getitem__)
        assert not answer.findings
        assert answer.lookalikes[0].label == kind.value


def test_conversations_within_the_gap_are_one_finding() -> None:
    """Reconnects join; a pause of more than an hour begins a new finding."""
    parts = [
        conversation(uid=f"C{i}", started_ns=NOON_NS + at * S, ended_ns=NOON_NS + (at + 60) * S)
        for i, at in enumerate((0, 1000, 9000))
    ]
    findings = run([seen(EndpointSign.TLS_SNI, "xmr.pool.example", of=of) for of in parts], OPERATOR)
    assert [(finding.started_ns, finding.ended_ns) for finding in findings] == [
        (NOON_NS, NOON_NS + 1060 * S),
        (NOON_NS + 9000 * S, NOON_NS + 9060 * S),
    ]


def test_order_of_observations_does_not_matter() -> None:
    """Rows may come in any order."""
    of = conversation()
    observations = [
        look_up("xmr.pool.example", POOL_ADDRESS),
        seen(EndpointSign.TLS_SNI, "xmr.pool.example", of=of, number=2),
        seen(EndpointSign.CERTIFICATE, "*.pool.example", of=of, number=3),
        seen(EndpointSign.ADDRESS, of=of, number=2),
    ]
    forward, backward = run(observations, OPERATOR, STRATUM), run(observations[::-1], OPERATOR, STRATUM)
    assert replace(only(forward), evidence=()) == replace(only(backward), evidence=())
    assert sorted(forward[0].evidence, key=repr) == sorted(backward[0].evidence, key=repr)


def test_answered_addresses_are_given_to_the_scan() -> None:
    """Addresses that DNS gave for known names; those of a blocking resolver are not to be looked for."""
    index = EndpointIndex([OPERATOR])
    observations = [look_up("xmr.pool.example", POOL_ADDRESS, "0.0.0.0"), look_up("shop.example", "192.0.2.99")]
    assert index.answered_addresses(observations) == {POOL_ADDRESS}


def test_cost_is_linear_in_look_ups_and_sessions() -> None:
    """Twenty thousand look-ups and sessions of one host with one pool take seconds, not hours."""
    observations = []
    for i in range(10_000):
        at = NOON_NS + i * 7300 * S
        observations.append(look_up("xmr.pool.example", POOL_ADDRESS, at_ns=at))
        observations.append(
            seen(EndpointSign.ADDRESS, of=conversation(uid=f"C{i}", started_ns=at + S, ended_ns=at + 90 * S))
        )
    began = time.process_time()
    findings = run(observations, OPERATOR)
    assert len(findings) == 10_000
    assert all(len(finding.evidence) == 2 for finding in findings)
    assert time.process_time() - began < 10.0


def test_counting_uses_the_detectors_own_rule() -> None:
    """Web sites, nodes and shared addresses are not counted; validity is left out; values are distinct."""
    index = EndpointIndex(
        [
            replace(OPERATOR, valid_until=date(2001, 1, 1)),
            indicator("seed.example", kind=IndicatorKind.NODE),
            indicator("192.0.2.1", port=3333),
            indicator("192.0.2.2"),
            indicator("192.0.2.3", port=443, shared=True),
        ]
    )
    counts = count_endpoint_matches(
        index,
        ["eu.pool.example", "EU.pool.example", "www.pool.example", "seed.example", "x.example"],
        [("192.0.2.1", 3333), ("192.0.2.1", 22), ("192.0.2.2", 22), ("192.0.2.3", 443)],
    )
    assert (counts.names, counts.name_matches) == (4, ("eu.pool.example",))
    assert (counts.address_ports, counts.address_port_matches) == (4, ("192.0.2.1:3333",))
    assert (counts.addresses, counts.address_matches) == (3, ("192.0.2.2",))


# ---------------------------------------------------------------- real traffic


@dataclass
class Flow:
    """One TCP or UDP flow of a small capture, as a reader of a page of code sees it."""

    orig: tuple[str, int]
    resp: tuple[str, int]
    proto: str
    packets: list[tuple[int, int, bool, bytes]]  # number, time, from the originator, payload

    def stream(self, from_orig: bool) -> bytes:
        return b"".join(data for _, _, up, data in self.packets if up == from_orig)

    def conversation(self, uid: str) -> Conversation:
        return conversation(
            uid=uid, proto=self.proto,
            orig_h=self.orig[0], orig_p=self.orig[1], resp_h=self.resp[0], resp_p=self.resp[1],
            started_ns=self.packets[0][1], ended_ns=self.packets[-1][1],
            orig_bytes=len(self.stream(True)), resp_bytes=len(self.stream(False)),
        )  # fmt: skip


def read_small_pcap(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number, time and frame of each packet of a classic little-endian microsecond capture."""
    content = path.read_bytes()
    assert content[:4] == bytes.fromhex("d4c3b2a1")
    offset = number = 0
    offset = 24
    while offset < len(content):
        seconds, micros, length, _ = struct.unpack_from("<IIII", content, offset)
        number += 1
        yield number, seconds * S + micros * 1000, content[offset + 16 : offset + 16 + length]
        offset += 16 + length


def flows_of(path: Path) -> list[Flow]:
    """Flows over Ethernet and IPv4, segments as they came."""
    flows: dict[tuple[tuple[str, int], tuple[str, int], int], Flow] = {}
    for number, time_ns, frame in read_small_pcap(path):
        if frame[12:14] != b"\x08\x00" or frame[23] not in (6, 17):
            continue
        packet = frame[14 : 14 + int.from_bytes(frame[16:18], "big")]
        at = 4 * (packet[0] & 15)
        ports = struct.unpack_from("!HH", packet, at)
        source = (str(ip_address(packet[12:16])), ports[0])
        target = (str(ip_address(packet[16:20])), ports[1])
        payload = packet[at + 8 :] if packet[9] == 17 else packet[at + 4 * (packet[at + 12] >> 4) :]
        up = (source, target, packet[9]) in flows or (target, source, packet[9]) not in flows
        key = (source, target, packet[9]) if up else (target, source, packet[9])
        flow = flows.setdefault(key, Flow(source, target, "tcp" if packet[9] == 6 else "udp", []))
        flow.packets.append((number, time_ns, up, payload))
    return list(flows.values())


def observations_of(path: Path) -> list[EndpointObservation]:
    found = []
    for place, flow in enumerate(flows_of(path)):
        of = flow.conversation(f"C{place}")
        if flow.resp[1] == 53:
            for number, time_ns, up, payload in flow.packets:
                if not up:
                    answer = dns.parse_message(payload)
                    observation = seen(
                        EndpointSign.DNS_ANSWER, *answer.names, of=of, addresses=answer.addresses, number=number
                    )
                    found.append(replace(observation, time_ns=time_ns))
        elif flow.proto == "tcp":
            found.append(seen(EndpointSign.ADDRESS, of=of, number=flow.packets[0][0]))
            if flow.resp[1] == 443:
                try:
                    name = tls.server_name(flow.stream(True))
                except ValueError:  # a connection that began before the capture did
                    continue
                if isinstance(name, str):
                    found.append(seen(EndpointSign.TLS_SNI, name, of=of, number=flow.packets[0][0]))
    return found


@pytest.mark.real_data
def test_coinhive_inside_tls(shared_data: Path) -> None:
    """A browser mined for Coinhive on 2018-09-11: the session is a miner, the visited pages are contacts."""
    index = EndpointIndex(load_indicators([], today=date(2018, 9, 11)))
    observations = observations_of(shared_data / "network/pcap_mining/zeek-cryptomining/coinhive.pcap")
    findings = detect(observations, index, EndpointParameters(), log10_e=EVIDENCE.__getitem__).findings
    miner = only(tuple(finding for finding in findings if finding.role is Role.MINER))
    assert (miner.host, miner.peer, miner.pool, miner.coins) == ("10.0.2.15", "37.187.167.83:443", "Coinhive", ("XMR",))
    assert miner.protocol == "tls_sni+tls"
    assert "victim" in miner.explanation
    assert {finding.pool for finding in findings} == {"Coinhive"}


@pytest.mark.real_data
def test_coinhive_after_its_end_is_history(shared_data: Path) -> None:
    """The same traffic two years later would prove nothing: the service had closed and its names had passed on."""
    index = EndpointIndex(load_indicators([], today=date(2020, 9, 11)))
    late = []
    for one in observations_of(shared_data / "network/pcap_mining/zeek-cryptomining/coinhive.pcap"):
        shift = 730 * 86400 * S
        of = replace(
            one.conversation, started_ns=one.conversation.started_ns + shift, ended_ns=one.conversation.ended_ns + shift
        )
        late.append(replace(one, conversation=of, time_ns=one.time_ns + shift))
    findings = detect(late, index, EndpointParameters(), log10_e=EVIDENCE.__getitem__).findings
    assert findings
    assert {(finding.role, finding.log10_e) for finding in findings} == {(Role.CONTACT, 0.0)}


@pytest.mark.real_data
def test_stratum_of_a_real_pool_is_found_by_its_look_up(shared_data: Path) -> None:
    """la01.supportxmr.com was looked up, then talked to on port 3333; the page visit to coinhive.com is a contact."""
    index = EndpointIndex(load_indicators([], today=date(2018, 9, 11)))
    observations = observations_of(shared_data / "network/pcap_mining/zeek-cryptomining/coinhive-stratum.pcap")
    findings = detect(observations, index, EndpointParameters(), log10_e=EVIDENCE.__getitem__).findings
    assert [(finding.pool, finding.peer) for finding in findings if finding.role is Role.MINER] == [
        ("SupportXMR", "192.110.160.114:3333")
    ]
    assert {finding.pool for finding in findings if finding.role is Role.CONTACT} == {"Coinhive"}


@pytest.mark.real_data
def test_no_innocent_name_of_four_networks_matches(shared_data: Path) -> None:
    """10,842 names and 18,853 responders of benign Zeek logs: the shipped table matches none of them."""
    index = EndpointIndex(load_indicators([], today=date(2026, 11, 20)))
    benign = shared_data / "network/benign"
    names: set[str] = set()
    responders: set[tuple[str, int]] = set()
    for corpus in [*sorted(benign.glob("*zeek*")), benign / "slips_dataset_mixed.tar.xz"]:
        found = read_zeek_names(corpus)
        names |= found.names
        responders |= found.responders
    counts = count_endpoint_matches(index, names, responders)
    assert counts.names > 10_000
    assert counts.address_ports > 18_000
    assert (counts.name_matches, counts.address_port_matches, counts.address_matches) == ((), (), ())
