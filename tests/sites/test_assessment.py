"""Assessments: who is charged with what, who is on the list, and that nobody is guessed."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.evidence.fusion import MergeRule
from headframe.records.assessment import (
    Assessment,
    AssessmentResult,
    FindingsFile,
    Period,
    PeriodLength,
    Whereabouts,
)
from headframe.records.finding import Family, Finding, Insufficient, Interval, Role
from headframe.records.indicator import IndicatorKind
from headframe.records.site import (
    Assignment,
    AssignmentKind,
    Lease,
    Locator,
    Origin,
    Site,
    SourceRow,
    Translation,
)
from headframe.sites.assessment import AssessmentOptions, assess, hash_rates, period_of, shared_out
from headframe.sites.registry import Registry

ROW = SourceRow("sites.csv", 2)
T0 = 1_776_700_800_000_000_000
"""2026-04-20 16:00:00 UTC, a Monday."""
SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def site(site_id: str) -> Site:
    return Site(site_id=site_id, name=f"Hall {site_id}", source=ROW)


def prefix(site_id: str, value: str, since: int | None = None, until: int | None = None) -> Assignment:
    return Assignment(
        kind=AssignmentKind.PREFIX, value=value, site_id=site_id, valid_from_ns=since, valid_until_ns=until, source=ROW
    )


def registry_of(*assignments: Assignment, sites: str = "", **logs: object) -> tuple[Registry, list[Assignment]]:
    ids = sorted({a.site_id for a in assignments} | set(sites.split()))
    return Registry([site(one) for one in ids], assignments, **logs), list(assignments)  # type: ignore[arg-type]


FAMILY = {
    "stratum": Family.CONTENT,
    "pool_endpoint": Family.ENDPOINT,
    "chain_sync": Family.TIMING,
    "peer_sync": Family.TIMING,
}


def finding(host: str, log10_e: float = 4.0, detector: str = "stratum", **changes: object) -> Finding:
    made = Finding(
        detector=detector, version="1", family=FAMILY[detector], role=Role.MINER, host=host, peer="203.0.113.9:3333",
        protocol="stratum-v1", started_ns=T0, ended_ns=T0 + HOUR, log10_e=log10_e, explanation="", coins=("XMR",),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def scan(
    *findings: Finding, conversations: int | None = 100, timing: int | None = 0, **changes: object
) -> FindingsFile:
    made = FindingsFile(
        file="scan.json", findings=findings, conversations=conversations, timing_tested=timing,
        first_ns=T0, last_ns=T0 + 2 * HOUR,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


TEN = registry_of(*(prefix(f"S{n}", f"10.0.{n}.0/24") for n in range(10)))


def by_site(result: AssessmentResult) -> dict[str, Assessment]:
    return {one.site.site_id: one for one in result.assessments}


def naive_list(log10_e: Sequence[float], fdr: float) -> set[int]:
    """e-BH by its definition, written to be believed."""
    m = len(log10_e)
    values = [10.0**value for value in log10_e]
    for k in range(m, 0, -1):
        best = sorted(range(m), key=lambda i: -values[i])[:k]
        if all(values[i] * (1 + 1e-9) >= m / (k * fdr) for i in best):
            # Those with the same value as the last belong to it as well, by the definition with >=.
            return {i for i in range(m) if values[i] >= min(values[j] for j in best)}
    return set()


# Evidence ------------------------------------------------------------------------------------------------------------


def test_content_and_endpoint_are_averaged_and_timing_is_multiplied() -> None:
    """Both read the same packets, so that they are one source, as in a case."""
    found = [
        finding("10.0.3.7", 4.0),
        finding("10.0.3.7", 3.0, "pool_endpoint"),
        finding("10.0.3.7", 2.0, "chain_sync"),
    ]
    one = by_site(assess([scan(*found[:2], conversations=1)], *TEN))["S3"]
    assert one.log10_e == pytest.approx(math.log10((1e4 + 1e3) / 2))
    assert one.supporting_sources == 1
    one = by_site(assess([scan(*found, conversations=1, timing=1)], *TEN))["S3"]
    packets, times = (1e4 + 1e3) / 2, 1e2
    assert one.log10_e == pytest.approx(math.log10((packets + times + packets * times) / 3))
    assert one.supporting_sources == 2


def test_every_site_is_tested_and_only_the_found_one_is_on_the_list() -> None:
    """A site without findings counts: whoever was looked at was tested."""
    result = assess([scan(finding("10.0.3.7", 6.0))], *TEN)
    assert len(result.assessments) == 10
    assert [one.site.site_id for one in result.listed] == ["S3"]
    assert result.assessments[0].site.site_id == "S3"
    assert result.findings == 1
    assert result.unattributed == ()


def test_the_numbers_by_hand() -> None:
    """Content 10^6 once in 100 conversations, endpoint silent: by itself 10^6/100/2, in a list of ten tenfold."""
    one = by_site(assess([scan(finding("10.0.3.7", 6.0))], *TEN))["S3"]
    assert one.log10_e == pytest.approx(6.0 - 2.0 - math.log10(2.0))
    assert one.log10_e_list == pytest.approx(one.log10_e + 1.0)
    assert one.adjusted_rate == pytest.approx(10 / 10**one.log10_e_list)
    assert one.conversations == 100


def test_timing_is_multiplied_and_charged_with_all_pairs() -> None:
    """(E_p + E_t + E_p E_t) / 3 with E_t = 10^8 / 20, not shared out: that would count the site's traffic twice."""
    findings = [finding("10.0.3.7", 6.0), finding("10.0.3.7", 8.0, "chain_sync")]
    one = by_site(assess([scan(*findings, timing=20)], *TEN))["S3"]
    packets, timing = 10**6 / 100 / 2 * 10, 10**8 / 20
    assert one.log10_e_list == pytest.approx(math.log10((packets + timing + packets * timing) / 3))
    assert one.supporting_sources == 2
    assert {account.family for account in one.standing("supporting")} == {Family.CONTENT, Family.TIMING}


@pytest.mark.parametrize("rule", list(MergeRule))
def test_the_merge_rule_is_used_and_stated(rule: MergeRule) -> None:
    """The mean of all families; or the product of all, which shares nothing out."""
    findings = [finding("10.0.3.7", 6.0), finding("10.0.3.7", 8.0, "chain_sync")]
    result = assess([scan(*findings, timing=20)], *TEN, AssessmentOptions(rule=rule))
    assert result.rule == rule.value
    one = by_site(result)["S3"]
    content, timing = 10**6 / 100, 10**8 / 20
    if rule is MergeRule.MEAN:
        assert one.log10_e_list == pytest.approx(math.log10((content * 10 + timing) / 3))
    if rule is MergeRule.PRODUCT:
        assert result.share == 1.0
        # Endpoint looked and found nothing: of the seven products three are left.
        assert one.log10_e_list == pytest.approx(math.log10((content + timing + content * timing) / 7))
        assert one.log10_e == one.log10_e_list


def test_looks_without_a_finding_count() -> None:
    """The same finding among ten times the conversations is a tenth of the evidence."""
    few = by_site(assess([scan(finding("10.0.3.7"), conversations=100)], *TEN))["S3"]
    many = by_site(assess([scan(finding("10.0.3.7"), conversations=1000)], *TEN))["S3"]
    assert few.log10_e - many.log10_e == pytest.approx(1.0)


def test_what_is_no_mining_is_no_evidence() -> None:
    """A contact or a probe is named, and weighs nothing."""
    one = by_site(assess([scan(finding("10.0.3.7", 9.0, "pool_endpoint", role=Role.CONTACT))], *TEN))["S3"]
    assert one.log10_e == -math.inf
    assert not one.listed
    assert one.addresses == ((Role.CONTACT, ("10.0.3.7",)),)
    assert any("contact" in text for account in one.families for text in account.contradictions)


def test_a_bet_that_lost_contradicts() -> None:
    """Timing that gave a value for every pair, and lost, stands against mining."""
    one = by_site(assess([scan(finding("10.0.3.7", -2.0, "chain_sync"), timing=1)], *TEN))["S3"]
    assert [account.family for account in one.standing("contradicting")] == [Family.TIMING]


def test_missing_families_say_what_is_missing() -> None:
    """In words that name what to bring."""
    families = {account.family: account for account in assess([scan()], *TEN).assessments[0].families}
    assert families[Family.LOAD].missing == ("no electricity readings were given",)
    assert families[Family.TIMING].missing == ("no pair of client and server could be compared with a block clock",)
    assert families[Family.CONTENT].standing == "silent"
    told = scan(insufficient=(Insufficient(detector="chain_sync", host="", peer="", missing="The clock ends in May."),))
    families = {account.family: account for account in assess([told], *TEN).assessments[0].families}
    assert families[Family.TIMING].missing == ("chain_sync: The clock ends in May.",)


def test_content_blind_scans_did_not_look() -> None:
    """Content is missing then, and not silent; and a scan with content findings was not blind."""
    options = AssessmentOptions(content_blind=True)
    one = by_site(assess([scan(finding("10.0.3.7", 8.0, "chain_sync"), timing=10)], *TEN, options))["S3"]
    assert {account.family for account in one.standing("missing")} >= {Family.CONTENT, Family.ENDPOINT}
    assert one.log10_e == pytest.approx(7.0)
    with pytest.raises(ValueError, match="so its scan was not content-blind"):
        assess([scan(finding("10.0.3.7"))], *TEN, options)


def test_each_file_tells_whether_it_was_blind() -> None:
    """A blind file lacks content; the option is for files that do not tell; an open one beside it still looks."""
    blind = scan(finding("10.0.3.7", 8.0, "chain_sync"), timing=10, content_blind=True)
    result = assess([blind], *TEN)
    families = {account.family: account for account in by_site(result)["S3"].families}
    assert families[Family.CONTENT].standing == families[Family.ENDPOINT].standing == "missing"
    assert families[Family.CONTENT].missing == ("the scan hid payload and ports from every detector",)
    assert result.share == 1.0
    assert not any("looks of content" in text for text in result.assumptions)
    open_one = scan(finding("10.0.3.8", 6.0), content_blind=False, file="open.json", conversations=40)
    both = assess([blind, open_one], *TEN)
    content = next(a for a in by_site(both)["S3"].families if a.family is Family.CONTENT)
    assert (content.standing, content.looks) == ("supporting", 40)
    # The blind scan's conversations are no looks of content, so they are not shared out either.
    assert both.share == pytest.approx(10.0)
    with pytest.raises(ValueError, match="so its scan was not content-blind"):
        assess([replace(open_one, content_blind=True)], *TEN)
    told = assess([scan(content_blind=False)], *TEN, AssessmentOptions(content_blind=True))
    assert any("says that its scan was not content-blind" in text for text in told.remarks)
    assert told.assessments[0].standing("silent")


def test_sites_that_only_a_blind_scan_covers_take_no_share() -> None:
    """The factor is for sites whose conversations were looked at: the others have no evidence to make up for it."""
    always, later = Period(0, 1, "all"), Period(1, 2, "later")
    seen = {("A", always): (0,), ("B", always): (0,)}
    assert shared_out(seen, [1000, 0]) == shared_out({**seen, ("A", later): (1,)}, [1000, 0]) == 2.0


def test_a_follower_is_no_evidence_for_or_against() -> None:
    """Every number is what it would be without it; only its address is named."""
    miner = finding("10.0.3.7", 8.0, "chain_sync")
    follower = finding("10.0.3.9", 12.0, "peer_sync", role=Role.FOLLOWER, coins=())
    without = by_site(assess([scan(miner, timing=10)], *TEN))["S3"]
    beside = by_site(assess([scan(miner, follower, timing=10)], *TEN))["S3"]
    assert (beside.log10_e, beside.log10_e_list) == (without.log10_e, without.log10_e_list)
    assert beside.families == without.families
    assert beside.addresses == ((Role.MINER, ("10.0.3.7",)), (Role.FOLLOWER, ("10.0.3.9",)))
    alone = by_site(assess([scan(follower, timing=10)], *TEN))["S3"]
    assert (alone.log10_e, alone.listed, alone.findings) == (-math.inf, False, 1)
    assert alone.first_ns is None


def test_an_empty_file_is_called_empty() -> None:
    """Not "does not tell": nothing stands there at all."""
    nothing = FindingsFile(file="f.jsonl")
    with pytest.raises(ValueError, match=r"f\.jsonl is empty: it holds neither findings nor how many"):
        assess([nothing], *TEN)


def test_how_often_was_looked_must_be_known() -> None:
    """Without it there are no odds; JSON Lines need it said, and the output says who said it."""
    rows = scan(finding("10.0.3.7", 6.0), conversations=None, timing=None, first_ns=None, last_ns=None)
    with pytest.raises(ValueError, match="does not tell how many conversations were read"):
        assess([rows], *TEN)
    result = assess([rows], *TEN, AssessmentOptions(looks=100))
    # Endpoint and timing count as having looked: to leave them out for want of findings would be choosing by result.
    assert by_site(result)["S3"].log10_e == pytest.approx(6.0 - 2.0 - math.log10(2.0) - math.log10(3.0))
    assert any("Whether timing was tested is not told" in text for text in result.assumptions)
    assert any("100 each were stated" in text for text in result.assumptions)


def test_more_findings_than_conversations() -> None:
    """One conversation can show two names: then the findings count as looks, with a remark."""
    two = [finding("10.0.3.7", 4.0, "pool_endpoint", peer=peer) for peer in ("192.0.2.1:1", "192.0.2.2:1")]
    result = assess([scan(*two, conversations=1)], *TEN)
    assert result.conversations == 2
    assert any("1 conversations but 2 findings" in text for text in result.remarks)


def test_timing_findings_without_a_count_of_pairs() -> None:
    """There are no more pairs than conversations: so many are counted, and it is said."""
    result = assess([scan(finding("10.0.3.7", 8.0, "chain_sync"), timing=0)], *TEN)
    assert result.timing_tested == 100
    assert any("as many as conversations are counted, 100" in text for text in result.remarks)


def test_another_detector_counts_with_every_conversation() -> None:
    """One that is not part of every scan is taken as run where a file names it."""
    result = assess([scan(finding("10.0.3.7", 8.0, "peer_sync"), timing=10)], *TEN)
    assert any("peer_sync" in text for text in result.assumptions)
    timing = next(a for a in by_site(result)["S3"].families if a.family is Family.TIMING)
    assert timing.detectors == ("chain_sync", "peer_sync")
    assert timing.log10_e == pytest.approx(math.log10(10**8 / 100 / 2))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(list(FAMILY)[:3]), st.floats(-3, 12)), max_size=25),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_the_list_is_e_bh_and_order_is_harmless(rows: list[tuple[int, str, float]], fdr: float) -> None:
    """Against e-BH by its definition; the same in any order of findings."""
    findings = [
        finding(f"10.0.{n}.{k + 1}", value, detector, ended_ns=T0 + k) for k, (n, detector, value) in enumerate(rows)
    ]
    options = AssessmentOptions(fdr=fdr)
    result = assess([scan(*findings, timing=30)], *TEN, options)
    expected = naive_list([one.log10_e_list for one in result.assessments], fdr)
    assert {n for n, one in enumerate(result.assessments) if one.listed} == expected
    assert all(one.log10_e <= one.log10_e_list + 1e-9 for one in result.assessments)
    backwards = assess([scan(*reversed(findings), timing=30)], *TEN, options)
    assert [one.site.site_id for one in backwards.assessments] == [one.site.site_id for one in result.assessments]
    for one, other in zip(result.assessments, backwards.assessments, strict=True):
        assert one.log10_e_list == pytest.approx(other.log10_e_list) or one.log10_e_list == other.log10_e_list
        assert one.addresses == other.addresses


# Shared out ----------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=3),
    st.lists(st.sets(st.integers(0, 2), min_size=1, max_size=3), min_size=1, max_size=4),
)
def test_however_conversations_fall_the_mean_stays_at_one(sizes: list[int], covered: list[set[int]]) -> None:
    """Whoever had each scan's conversations: the mean of n_s / N_s times the factor is at most 1, and 1 at worst."""
    always = Period(0, 1, "all")
    covering = {
        (f"S{n}", always): tuple(sorted(number for number in numbers if number < len(sizes)))
        for n, numbers in enumerate(covered)
    }
    covering = {subject: numbers for subject, numbers in covering.items() if numbers}
    if not covering:
        assert shared_out(covering, sizes) == 1.0
        return
    factor = shared_out(covering, sizes)
    subjects = list(covering)
    charge = {subject: sum(sizes[number] for number in numbers) for subject, numbers in covering.items()}
    # The sum is linear in how a scan's conversations fall, so the worst case gives each scan to one subject.
    owners = [
        [subject for subject in subjects if number in covering[subject]] or [None] for number in range(len(sizes))
    ]
    worst = max(
        sum(sizes[number] / charge[subject] for number, subject in enumerate(choice) if subject is not None)
        for choice in itertools.product(*owners)
    )
    assert worst * factor / len(subjects) == pytest.approx(1.0)
    assert factor >= 1.0


def test_the_list_holds_its_rate_where_nobody_mines() -> None:
    """A thousand runs of innocent sites, traffic very unequal: lists that hold anybody are as rare as promised.

    Each of 200 conversations matches falsely once in 100, and a match is worth 100: an e-value. 150 of them are one
    site's. Timing gives each of 40 pairs an e-value too, most of them that same site's.
    """
    rng = np.random.default_rng(20260421)
    registry, assignments = TEN
    fdr, wrong, sums = 0.2, 0, []
    for _ in range(1000):
        findings = []
        owner = np.where(np.arange(200) < 150, 0, rng.integers(0, 10, 200))
        for k in np.flatnonzero(rng.random(200) < 0.01):
            findings.append(finding(f"10.0.{owner[k]}.1", 2.0, ended_ns=T0 + int(k)))
        pairs = np.where(np.arange(40) < 30, 0, rng.integers(0, 10, 40))
        for k in np.flatnonzero(rng.random(40) < 0.05):
            findings.append(finding(f"10.0.{pairs[k]}.1", math.log10(20), "chain_sync", ended_ns=T0 + int(k)))
        result = assess(
            [scan(*findings, conversations=200, timing=40)], registry, assignments, AssessmentOptions(fdr=fdr)
        )
        wrong += bool(result.listed)
        sums.append(sum(10**one.log10_e_list for one in result.assessments) / len(result.assessments))
    mean, error = np.mean(sums), np.std(sums) / math.sqrt(len(sums))
    assert mean <= 1.0 + 3 * error
    assert mean > 0.2, "the factor gives away nearly everything; then it need not be there"
    assert wrong / 1000 <= fdr + 3 * math.sqrt(fdr * (1 - fdr) / 1000)


# Whose it is ---------------------------------------------------------------------------------------------------------


def test_ambiguous_unresolved_and_foreign_hosts_count_for_nobody() -> None:
    """Each is told apart, with the candidates or with what is missing; no site is given them."""
    registry, assignments = registry_of(
        prefix("A", "10.1.0.0/16"), prefix("B", "10.2.0.5/32"), prefix("C", "10.2.0.5/32"),
        prefix("A", "198.51.100.0/24", until=T0 - 1), prefix("D", "10.4.0.0/16", until=T0 + HOUR // 2),
    )  # fmt: skip
    hosts = ["10.2.0.5", "10.9.9.9", "198.51.100.7", "192.0.2.200", "10.4.0.1", "2001:db8::5"]
    result = assess([scan(*(finding(host, 9.0) for host in hosts))], registry, assignments)
    apart = {row.host: row for row in result.unattributed}
    assert {host: row.whereabouts for host, row in apart.items()} == {
        "10.2.0.5": Whereabouts.AMBIGUOUS,
        "10.9.9.9": Whereabouts.UNRESOLVED,  # private: it is behind our sensor, but nobody knows where
        "198.51.100.7": Whereabouts.UNRESOLVED,  # ours, but not at this time
        "192.0.2.200": Whereabouts.NOT_OURS,
        "10.4.0.1": Whereabouts.PARTLY,
        "2001:db8::5": Whereabouts.NOT_OURS,
    }
    assert apart["10.2.0.5"].candidates == ("B", "C")
    assert apart["10.4.0.1"].candidates == ("D",)
    assert any("10.9.9.9" in why for why in apart["10.9.9.9"].missing)
    assert not result.listed
    assert all(one.findings == 0 for one in result.assessments)
    assert [row.whereabouts for row in result.unattributed] == sorted(
        (row.whereabouts for row in result.unattributed), key=list(Whereabouts).index
    )


def test_a_lease_decides_and_its_last_instant_counts() -> None:
    """The address was at A for the first hour and at B afterwards: what began before and ended after is nobody's."""
    registry, assignments = registry_of(
        Assignment(kind=AssignmentKind.CIRCUIT, value="port1", site_id="A", source=ROW),
        Assignment(kind=AssignmentKind.CIRCUIT, value="port2", site_id="B", source=ROW),
        leases=[
            Lease(
                prefix="10.0.0.9/32", started_ns=T0 + k * HOUR, ended_ns=T0 + (k + 1) * HOUR,
                locators=(Locator(AssignmentKind.CIRCUIT, f"port{k + 1}"),), origin=Origin.DHCP_ISC, source=ROW,
            )
            for k in range(2)
        ],
    )  # fmt: skip
    findings = [
        finding("10.0.0.9", 6.0, started_ns=T0, ended_ns=T0 + HOUR - 1),
        finding("10.0.0.9", 6.0, started_ns=T0 + HOUR, ended_ns=T0 + HOUR + SECOND),
        finding("10.0.0.9", 6.0, started_ns=T0, ended_ns=T0 + HOUR),
    ]
    result = assess([scan(*findings)], registry, assignments)
    assert {one.site.site_id: one.findings for one in result.assessments} == {"A": 1, "B": 1}
    (row,) = result.unattributed
    assert (row.whereabouts, row.candidates) == (Whereabouts.AMBIGUOUS, ("A", "B"))


def test_a_nat_is_looked_through_only_where_its_log_allows() -> None:
    """The outside address of a NAT stands for nobody by itself; the destination can tell whose it was."""
    row = Translation(
        outside_address="192.0.2.1", inside_address="10.0.3.7", peer_address="203.0.113.9", peer_port=3333,
        started_ns=T0 - HOUR, ended_ns=T0 + 9 * HOUR, source=ROW,
    )  # fmt: skip
    registry, assignments = registry_of(prefix("S3", "10.0.3.0/24"), translations=[row])
    findings = [finding("192.0.2.1", 6.0), finding("192.0.2.1", 6.0, peer="203.0.113.77:3333")]
    result = assess([scan(*findings)], registry, assignments)
    assert by_site(result)["S3"].findings == 1
    (apart,) = result.unattributed
    assert apart.whereabouts is Whereabouts.UNRESOLVED
    assert "no row of its log covers this time" in apart.missing[0]


def test_a_site_that_traffic_cannot_show_is_not_tested() -> None:
    """It is named with the reason, and does not make the list longer or shorter for others."""
    registry, assignments = registry_of(
        prefix("A", "10.1.0.0/16"),
        prefix("OLD", "10.2.0.0/16", until=T0 - HOUR),
        Assignment(kind=AssignmentKind.USAGE_POINT, value="UP-1", site_id="METER", source=ROW),
        sites="BARE",
    )
    result = assess([scan(finding("10.1.0.1"))], registry, assignments)
    assert [one.site.site_id for one in result.assessments] == ["A"]
    assert [site_id for site_id, _ in result.not_tested] == ["BARE", "METER", "OLD"]
    assert dict(result.not_tested)["OLD"] == "nothing was assigned to it while traffic was captured"


def test_no_traffic_tests_nobody() -> None:
    """Empty files give no assessments, and no fault."""
    result = assess([FindingsFile(file="empty.jsonl")], *TEN, AssessmentOptions(looks=1))
    assert result.assessments == ()
    assert len(result.not_tested) == 10


def test_a_capture_scanned_twice_counts_once() -> None:
    """The same finding in two files is one finding; the conversations of both count, which only lowers it."""
    one = scan(finding("10.0.3.7", 6.0))
    result = assess([one, replace(one, file="again.json")], *TEN)
    assert by_site(result)["S3"].findings == 1
    assert by_site(result)["S3"].conversations == 200
    assert any("are there more than once" in text for text in result.remarks)


def test_open_questions_go_to_their_site() -> None:
    """Where the address was one site's throughout; they are no evidence."""
    question = Insufficient(
        detector="stratum", host="10.0.3.7", peer="192.0.2.1:1", missing="The answers of the server."
    )
    elsewhere = replace(question, host="printer.example")
    one = by_site(assess([scan(insufficient=(question, elsewhere))], *TEN))["S3"]
    assert one.open_questions == 1
    assert one.findings == 0
    content = next(account for account in one.families if account.family is Family.CONTENT)
    assert content.missing == ("stratum: The answers of the server.",)


# Periods -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "zone", "name", "start", "hours"),
    [
        (PeriodLength.DAY, "UTC", "2026-04-20", "2026-04-20T00:00:00+00:00", 24),
        (PeriodLength.DAY, "Asia/Shanghai", "2026-04-21", "2026-04-20T16:00:00+00:00", 24),
        (PeriodLength.WEEK, "UTC", "2026-W17", "2026-04-20T00:00:00+00:00", 168),
        (PeriodLength.MONTH, "UTC", "2026-04", "2026-04-01T00:00:00+00:00", 720),
        (PeriodLength.MONTH, "Europe/Berlin", "2026-04", "2026-03-31T22:00:00+00:00", 720),
    ],
)
def test_periods_by_the_midnights_of_a_zone(length: PeriodLength, zone: str, name: str, start: str, hours: int) -> None:
    """Weeks begin on Monday, months have their own length."""
    period = period_of(T0, length, ZoneInfo(zone))
    assert period.name == name
    assert period.started_ns == int(datetime.fromisoformat(start).timestamp()) * SECOND
    assert period.ended_ns - period.started_ns == hours * HOUR


def test_a_day_of_the_time_change_has_23_hours() -> None:
    """The last Sunday of March in Europe."""
    at = int(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp()) * SECOND
    period = period_of(at, PeriodLength.DAY, ZoneInfo("Europe/Berlin"))
    assert period.ended_ns - period.started_ns == 23 * HOUR


@given(st.integers(0, 7_000_000_000), st.sampled_from(list(PeriodLength)[:3]))
def test_periods_tile_time(at_s: int, length: PeriodLength) -> None:
    """Every instant is in its period, and the next period begins where this one ends."""
    period = period_of(at_s * SECOND, length, UTC)
    assert period.started_ns <= at_s * SECOND < period.ended_ns
    following = period_of(period.ended_ns, length, UTC)
    assert following.started_ns == period.ended_ns
    assert following.name > period.name


def test_findings_go_to_the_period_in_which_they_began() -> None:
    """Also where they run past midnight: a conversation is one look, in one period."""
    long = scan(
        finding("10.0.3.7", 6.0, started_ns=T0, ended_ns=T0 + 30 * HOUR),
        finding("10.0.3.8", 6.0, started_ns=T0 + 26 * HOUR, ended_ns=T0 + 27 * HOUR),
        last_ns=T0 + 30 * HOUR,
    )
    result = assess([long], *TEN, AssessmentOptions(length=PeriodLength.DAY))
    assert len(result.assessments) == 20
    found = {(one.site.site_id, one.period.name): one.findings for one in result.assessments if one.findings}
    assert found == {("S3", "2026-04-20"): 1, ("S3", "2026-04-21"): 1}


def test_scans_of_other_days_are_not_charged() -> None:
    """A site and day is charged with the conversations of the scans that touch the day."""
    today = scan(finding("10.0.3.7", 6.0))
    later = replace(scan(conversations=9000), first_ns=T0 + 48 * HOUR, last_ns=T0 + 49 * HOUR)
    result = assess([today, later], *TEN, AssessmentOptions(length=PeriodLength.DAY))
    charges = {one.period.name: one.conversations for one in result.assessments}
    assert charges == {"2026-04-20": 100, "2026-04-22": 9000}


# Estimates and victims -----------------------------------------------------------------------------------------------


def rated(host: str, rate: float, start_h: float, end_h: float, **changes: object) -> Finding:
    return finding(
        host, started_ns=T0 + int(start_h * HOUR), ended_ns=T0 + int(end_h * HOUR),
        hashrate_hs=Interval(rate / 2, rate, rate * 2), **changes,
    )  # fmt: skip


def test_hash_rates_of_machines_add_and_of_sessions_do_not() -> None:
    """Two machines at once are twice the rate; two sessions one after another are the same rate."""
    both = hash_rates([rated("10.0.0.1", 100.0, 0, 2), rated("10.0.0.2", 100.0, 0, 2)])
    assert both[0].hashrate_hs == Interval(100.0, 200.0, 400.0)
    sessions = hash_rates([rated("10.0.0.1", 100.0, 0, 1), rated("10.0.0.1", 100.0, 1.5, 2.5)])
    assert sessions[0].hashrate_hs == Interval(50.0, 100.0, 200.0)
    half = hash_rates([rated("10.0.0.1", 100.0, 0, 2), rated("10.0.0.2", 100.0, 0, 1)])
    assert half[0].hashrate_hs.estimate == pytest.approx(150.0)


def test_a_proxy_and_its_miners_are_the_same_work() -> None:
    """And coins do not mix; what has no rate or no length does not count."""
    proxy = rated("10.0.0.9", 300.0, 0, 1, role=Role.PROXY)
    behind = rated("10.0.0.1", 100.0, 0, 1, peer="10.0.0.9:3333")
    other = rated("10.0.0.2", 7.0, 0, 1, coins=("RVN",))
    unknown = rated("10.0.0.3", 5.0, 0, 1, coins=())
    rates = hash_rates([behind, proxy, other, unknown, finding("10.0.0.4"), rated("10.0.0.5", 9.0, 1, 1)])
    assert [(rate.coin, rate.hashrate_hs.estimate) for rate in rates] == [("RVN", 7.0), ("XMR", 300.0), ("", 5.0)]
    assert hash_rates([]) == ()


def test_victims_are_named_and_count_for_no_notice() -> None:
    """A host at a malware proxy is probably a victim; without it the rest of the site has its own count of sources."""
    malware = (IndicatorKind.MALWARE_PROXY,)
    findings = [
        finding("10.0.3.7", 8.0, "pool_endpoint", indicator_kinds=malware),
        finding("10.0.3.7", 9.0, "chain_sync"),
        finding("10.0.3.8", 6.0),
    ]
    one = by_site(assess([scan(*findings, timing=3)], *TEN))["S3"]
    assert one.victims == ((IndicatorKind.MALWARE_PROXY, ("10.0.3.7",)),)
    assert one.supporting_sources == 2
    assert one.sources_without_victims == 1


def test_accounts_are_not_carried_over() -> None:
    """Pseudonyms of wallets are no key across sites: two sites with one account stay two sites."""
    findings = [finding(f"10.0.{n}.7", 6.0, accounts=("#5f1c0a77", "worker #90ab12ce")) for n in (3, 4)]
    result = assess([scan(*findings)], *TEN)
    assert "5f1c0a77" not in repr(result)
    assert len(result.listed) == 2


def test_cost_is_linear_in_sites() -> None:
    """Twenty thousand sites and a hundred findings take seconds, not minutes."""
    registry, assignments = registry_of(
        *(prefix(f"S{n:05}", f"10.{n >> 8}.{n & 255}.0/24") for n in range(20_000)),
    )
    findings = [finding(f"10.{n}.{n}.1", 6.0) for n in range(70)]
    result = assess([scan(*findings, conversations=100_000)], registry, assignments)
    assert len(result.assessments) == 20_000
    assert sum(one.findings for one in result.assessments) == 70
