"""Miner, pool, proxy: who is what, and which conversations make one finding."""

from headframe.detectors.network.stratum import CALIBRATION_KEYS, StratumParameters
from headframe.records.finding import Role
from tests.detectors.network.stratum.dialect_talks import cryptonote, stratum_v1
from tests.detectors.network.stratum.talk import Talk, post, report


def between(talk: Talk, client: str, server: str, port: int = 50001, start_s: float = 0.0) -> Talk:
    talk.client, talk.server, talk.client_port, talk.start_s = client, server, port, start_s
    return talk


def test_a_server_in_the_own_network_is_a_pool() -> None:
    """A pool inside gets a finding of its own; one on the internet does not."""
    findings = report(between(cryptonote(), "10.0.0.5", "10.0.0.1")).findings
    assert [(finding.role, finding.host) for finding in findings] == [(Role.MINER, "10.0.0.5"), (Role.POOL, "10.0.0.1")]
    assert findings[1].shares.accepted == 5
    assert findings[1].accounts == ()
    assert [finding.role for finding in report(between(cryptonote(), "10.0.0.5", "203.0.113.9")).findings] == [
        Role.MINER
    ]


def test_a_host_that_takes_shares_and_hands_them_on_is_a_proxy() -> None:
    """Server of miners and client of a pool: a proxy, not a pool and not one more miner."""
    down = [between(cryptonote(), f"10.0.0.{n}", "10.0.0.1") for n in (5, 6)]
    up = between(cryptonote(), "10.0.0.1", "203.0.113.9")
    findings = report(*down, up).findings
    assert sorted((finding.role.value, finding.host, finding.peer.split(":")[0]) for finding in findings) == [
        ("miner", "10.0.0.5", "10.0.0.1"),
        ("miner", "10.0.0.6", "10.0.0.1"),
        ("proxy", "10.0.0.1", "203.0.113.9"),
    ]


def test_reconnections_make_one_finding_and_long_absence_two() -> None:
    """Same host, peer and protocol within the join gap are one; shares add up and the time between is not counted."""
    first, second = cryptonote(), between(cryptonote(), "192.0.2.10", "198.51.100.7", 50002, 2000.0)
    findings = report(first, second).findings
    assert len(findings) == 1
    assert findings[0].shares.accepted == 10
    assert len(findings[0].community_ids) == 2
    assert findings[0].hashrate_hs is not None
    assert 10 * 10_000.0 / findings[0].hashrate_hs.estimate < 2 * first.now_s + 1
    late = between(cryptonote(), "192.0.2.10", "198.51.100.7", 50002, 8000.0)
    assert len(report(first, late).findings) == 2
    assert len(report(first, late, parameters=StratumParameters(join_gap_s=1e5)).findings) == 1


def test_order_of_conversations_does_not_matter() -> None:
    """The same conversations in another order give the same findings."""
    talks = [between(cryptonote(), f"10.0.0.{n}", "10.0.0.1", start_s=float(n)) for n in range(2, 6)]
    assert report(*talks).findings == report(*reversed(talks)).findings


def test_connections_at_the_same_time_add_up() -> None:
    """Two machines behind one address: the host's rate is the sum of theirs."""
    one = report(cryptonote()).findings[0]
    both = report(cryptonote(), between(cryptonote(), "192.0.2.10", "198.51.100.7", 50002)).findings[0]
    assert one.hashrate_hs is not None
    assert both.hashrate_hs is not None
    assert abs(both.hashrate_hs.estimate / one.hashrate_hs.estimate - 2.0) < 1e-9


def test_an_attempt_beside_a_session_is_not_told_twice() -> None:
    """Software tries several dialects at one server; where one works, the others are not news."""
    probe = Talk(client_port=50009).c(post({"method": "getwork", "params": [], "id": 0}, "User-Agent: bfgminer/5.2.0"))
    probe.s(b'{"id":0,"result":null,"error":[20,"Parse error",null]}\n')
    assert [finding.role for finding in report(probe).findings] == [Role.PROBE]
    assert [finding.role for finding in report(probe, stratum_v1()).findings] == [Role.MINER]


def test_evidence_is_asked_for_by_kind() -> None:
    """Every key is a documented one, and the strongest kind of the joined conversations is asked for."""
    asked: list[str] = []

    def log10_e(key: str) -> float:
        asked.append(key)
        return 4.5

    finding = report(cryptonote(), log10_e=log10_e).findings[0]
    report(cryptonote().one_side(True), log10_e=log10_e)
    report(cryptonote().one_side(False), log10_e=log10_e)
    assert finding.log10_e == 4.5
    assert asked == ["session", "submit-only", "work-only"]
    assert set(asked) <= set(CALIBRATION_KEYS)


def test_names_of_server_and_pool_are_used() -> None:
    """The pool's name comes from the indicators, else the host's name stands for it; both help to name the coin."""
    detection = report(
        stratum_v1(), server_name=lambda *_: "btc.pool.example", pool_name=lambda name, *_: f"Pool at {name}"
    )
    assert detection.findings[0].pool == "Pool at btc.pool.example"
    assert report(stratum_v1(), server_name=lambda *_: "btc.pool.example").findings[0].pool == "btc.pool.example"


def test_accounts_are_shown_only_as_the_caller_has_it() -> None:
    """No wallet appears anywhere in a finding but through the pseudonym."""
    finding = report(cryptonote(), pseudonym=lambda text: "hidden").findings[0]
    assert finding.accounts == ("hidden",)
    assert "A1b2C3d4E5" not in repr(finding)
