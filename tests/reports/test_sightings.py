"""Findings about one host and one peer, drawn together."""

import csv
import io
import random
from dataclasses import replace

from headframe.records.finding import Family, Role
from headframe.reports.csv_rows import csv_lines
from headframe.reports.html import render_html
from headframe.reports.sightings import draw_together, hosts_of_role
from headframe.reports.table import summary_lines, write_table
from tests.reports import samples


def at_the_pool() -> list:
    """What `samples.miner` does, found by whom it speaks to."""
    return [
        samples.miner(),
        replace(
            samples.victim(),
            host="192.0.2.41",
            peer="198.51.100.7:4444",
            role=Role.MINER,
            pool="MinerGate",
            indicator_kinds=(),
            explanation="The host connected to an address that a list names.",
        ),
    ]


def test_one_sighting_for_content_and_endpoint() -> None:
    """Content leads: it knows shares and hash rate. Nothing of the other is lost."""
    content, endpoint = at_the_pool()
    (sighting,) = draw_together([endpoint, content])
    assert (sighting.lead, sighting.others) == (content, (endpoint,))
    assert sighting.log10_e_of_family == {Family.CONTENT: 6.28, Family.ENDPOINT: 2.4}
    assert sighting.pool == "pool.minexmr.com"
    assert set(content.evidence) | set(endpoint.evidence) == set(sighting.evidence)
    assert [line.time_ns for line in sighting.evidence] == sorted(line.time_ns for line in sighting.evidence)
    assert {s.file for s in sighting.sources} == {"captures/site-a.pcapng", "captures/site-b.pcap.zst"}
    assert set(content.blind_spots) | set(endpoint.blind_spots) == set(sighting.blind_spots)
    assert len(sighting.community_ids) == 2


def test_every_finding_is_in_one_sighting() -> None:
    """Drawing together neither loses nor doubles, and the order of the input does not matter."""
    findings = [*samples.mixed().findings, *at_the_pool()[1:], samples.miner(peer="203.0.113.1:1")]
    expected = draw_together(findings)
    assert sorted(id(f) for s in expected for f in s.findings) == sorted(map(id, findings))
    for seed in range(5):
        shuffled = random.Random(seed).sample(findings, len(findings))
        assert draw_together(shuffled) == expected


def test_sightings_are_listed_by_role_and_evidence() -> None:
    """Miners first, the strongest before the weaker."""
    leads = [sighting.lead for sighting in draw_together(samples.mixed().findings)]
    assert [(lead.role.value, lead.log10_e) for lead in leads] == [
        ("miner", 12.9),
        ("miner", 6.28),
        ("probe", 1.1),
        ("contact", 2.4),
    ]


def test_a_host_is_counted_for_what_leads() -> None:
    """A proxy that is also seen at a known pool is a proxy, and no miner besides."""
    proxy, endpoint = at_the_pool()
    result = replace(samples.clean(), findings=[replace(proxy, role=Role.PROXY), endpoint])
    assert hosts_of_role(draw_together(result.findings)) == {Role.PROXY: {"192.0.2.41"}}
    assert summary_lines(result)[0] == "Found: 1 proxy (2 findings)."


def test_report_has_one_card_with_both() -> None:
    """One card for a miner, with each family's evidence and words."""
    page = render_html(replace(samples.clean(), findings=at_the_pool()), generated_ns=0)
    assert page.count("<article") == 1
    assert "Also, by endpoint:" in page
    assert "The host connected to an address that a list names." in page
    assert "by endpoint, independent of that: 10<sup>2.40</sup>" in page
    assert "stratum 1 (content), pool_endpoint 1 (endpoint)" in page


def test_timing_leads_where_the_others_saw_an_attempt_only() -> None:
    """Inside TLS a listed name makes a contact; that work comes with each block makes it a miner."""
    timing = samples.timing_miner()
    contact = replace(samples.victim(), host=timing.host, peer=timing.peer)
    (sighting,) = draw_together([contact, timing])
    assert (sighting.lead, sighting.others) == (timing, (contact,))
    result = replace(samples.clean(), findings=[contact, timing])
    assert hosts_of_role(draw_together(result.findings)) == {Role.MINER: {timing.host}}
    assert "Probably a victim" in render_html(result, generated_ns=0)
    shares = samples.miner(host=timing.host, peer=timing.peer)
    assert [found.family for found in draw_together([timing, contact, shares])[0].findings] == [
        Family.CONTENT, Family.ENDPOINT, Family.TIMING,
    ]  # fmt: skip


def test_a_follower_lends_no_evidence_to_others() -> None:
    """Beside a miner it has a row of its own, and its number is not shown as one more family for mining."""
    miner, beside = samples.miner(), samples.follower(host=samples.miner().host, peer=samples.miner().peer)
    (sighting,) = draw_together([beside, miner])
    assert sighting.lead is miner
    assert sighting.log10_e_of_family == {Family.CONTENT: 6.28}
    assert hosts_of_role([sighting]) == {Role.MINER: {miner.host}}
    result = replace(samples.clean(), findings=[beside, miner])
    page = render_html(result, generated_ns=0)
    assert "by timing, independent of that" not in page
    assert "No chain was compared" in page
    stream = io.StringIO()
    write_table(result, stream, width=260)
    rows = [line for line in stream.getvalue().splitlines() if line.startswith(miner.host)]
    assert [("timing" in row, "follower" in row) for row in rows] == [(False, False), (True, True)]
    contact = replace(samples.victim(), host=beside.host, peer=beside.peer)
    assert draw_together([beside, contact])[0].lead is contact


def test_followers_alone_are_no_miners_in_any_report() -> None:
    """Counted by their own name; nothing says that they mine, has a coin, or lacks a hash rate."""
    result = samples.followers()
    assert summary_lines(result)[0] == "Found: 7 followers (7 findings)."
    page = render_html(result, generated_ns=0)
    assert "No miner found; 7 hosts to look into" in page
    assert "hosts that follow no common clock would show this" in page
    assert "shows mining" not in page
    for width in (80, 200):
        stream = io.StringIO()
        write_table(result, stream, width=width)
        assert "follower" in stream.getvalue()
        for words in ("miner", "mines", "coin unknown", "hash rate unknown", "no shares"):
            assert words not in stream.getvalue()
    rows = list(csv.DictReader(io.StringIO("".join(csv_lines(result.findings)))))
    assert {row["role"] for row in rows} == {"follower"}
    assert not any("mines" in cell for row in rows for cell in row.values())


def test_a_victim_by_endpoint_is_a_victim_whatever_leads() -> None:
    """The note comes from any of the findings."""
    content, _ = at_the_pool()
    victim = replace(samples.victim(), host=content.host, peer=content.peer)
    page = render_html(replace(samples.clean(), findings=[content, victim]), generated_ns=0)
    assert page.count("Probably a victim, not an offender.") == 1
