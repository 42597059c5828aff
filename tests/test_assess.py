"""The wiring of assessments: real files of findings, sites and logs, in every form that is told by its content."""

import gzip
import io
from dataclasses import replace
from pathlib import Path

import pytest

from headframe.assess import AssessmentOptions, RegistryFiles, assess
from headframe.errors import HeadframeError, UnreadableInput
from headframe.records.finding import Finding
from headframe.records.scan import InputSummary, ScanResult
from headframe.reports.jsonl import finding_lines, scan_json
from tests.sites.test_assessment import HOUR, T0, finding

SITES = "site,name,prefix,circuit,hardware\nA,Hall A,10.1.0.0/16,,\nB,Hall B,,port2,\nC,Hall C,,,00:11:22:33:44:55\n"


def write_scan(path: Path, *findings: Finding, conversations: int = 100) -> Path:
    result = ScanResult(
        findings=list(findings), conversations=conversations,
        inputs=[InputSummary(file="a.pcap", packets=9, first_ns=T0, last_ns=T0 + 2 * HOUR)],
    )  # fmt: skip
    path.write_text(scan_json(result, generated_ns=0), encoding="utf-8")
    return path


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    path = tmp_path / "sites.csv"
    path.write_text(SITES, encoding="utf-8")
    return path


ISC = """
lease 10.77.0.9 {
  starts 1 2026/04/20 15:00:00;
  ends 1 2026/04/20 23:00:00;
  binding state active;
  hardware ethernet 00:aa:bb:cc:dd:ee;
  option agent.circuit-id "port2";
}
"""
KEA = (
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
    f"10.77.0.8,00:11:22:33:44:55,,28800,{(T0 - HOUR) // 10**9 + 28800},1,0,0,,0,,0\n"
)


def test_leases_of_both_servers_are_told_by_content(tmp_path: Path, sites: Path) -> None:
    """ISC's declarations and Kea's table, plain or gzip; a hardware address joins table and log by its pseudonym."""
    (tmp_path / "dhcpd.leases").write_text(ISC)
    (tmp_path / "kea-leases4.csv.gz").write_bytes(gzip.compress(KEA.encode()))
    path = write_scan(
        tmp_path / "f.json", finding("10.77.0.9", 6.0), finding("10.77.0.8", 6.0), finding("10.1.0.1", 6.0)
    )
    files = RegistryFiles(sites=(sites,), leases=(tmp_path / "dhcpd.leases", tmp_path / "kea-leases4.csv.gz"))
    result = assess([str(path)], files)
    assert result.unattributed == ()
    assert {one.site.site_id: one.findings for one in result.assessments} == {"A": 1, "B": 1, "C": 1}
    without = assess([str(path)], RegistryFiles(sites=(sites,)))
    assert {row.host for row in without.unattributed} == {"10.77.0.8", "10.77.0.9"}


def test_nat_and_radius(tmp_path: Path, sites: Path) -> None:
    """A NAT's table leads inside; RADIUS accounting leads to a place."""
    nat = tmp_path / "nat.csv"
    nat.write_text(
        "outside_address,inside_address,time_start,time_end\n192.0.2.1,10.1.0.7,2026-04-20T00:00:00Z,2026-04-21T00:00:00Z\n"
    )
    path = write_scan(tmp_path / "f.json", finding("192.0.2.1", 6.0))
    result = assess([str(path)], RegistryFiles(sites=(sites,), nat=(nat,)))
    assert result.unattributed == (), (result.unattributed, result.remarks)
    assert next(one for one in result.assessments if one.site.site_id == "A").findings == 1
    detail = tmp_path / "detail"
    detail.write_text(
        "Mon Apr 20 15:00:00 2026\n\tAcct-Status-Type = Start\n\tAcct-Session-Id = \"1\"\n\tNAS-IP-Address = 10.0.0.1\n"
        "\tNAS-Port-Id = \"p7\"\n\tFramed-IP-Address = 10.88.0.1\n\tTimestamp = 1776697200\n\n"
        "Mon Apr 20 23:00:00 2026\n\tAcct-Status-Type = Stop\n\tAcct-Session-Id = \"1\"\n\tNAS-IP-Address = 10.0.0.1\n"
        "\tNAS-Port-Id = \"p7\"\n\tFramed-IP-Address = 10.88.0.1\n\tTimestamp = 1776726000\n\n"
    )  # fmt: skip
    places = tmp_path / "places.csv"
    places.write_text("site,nas_port\nD,10.0.0.1|p7\n")
    path = write_scan(tmp_path / "g.json", finding("10.88.0.1", 6.0))
    result = assess([str(path)], RegistryFiles(sites=(sites, places), radius=(detail,)))
    assert result.unattributed == (), (result.unattributed, result.remarks)
    assert next(one for one in result.assessments if one.site.site_id == "D").findings == 1


NAT_HEADER = "outside_address,inside_address,time_start,time_end\n"


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("leases", "", "holds no DHCP lease that can be read; expected the lease file of ISC DHCP"),
        ("leases", "site,prefix\nA,10.0.0.0/8\n", "holds no DHCP lease"),
        ("leases", KEA.splitlines()[0], "holds no DHCP lease"),
        ("leases", NAT_HEADER, "holds no DHCP lease"),
        ("nat", "", "holds no address translation that can be read; expected a NAT log"),
        ("nat", NAT_HEADER, "holds no address translation"),
        ("nat", ISC, "The first remark: wrong row 2: no form of NAT log that is known"),
        ("radius", "", "holds no RADIUS session that can be read; expected a detail file"),
        ("radius", KEA, "holds no RADIUS session"),
    ],
)
def test_a_log_that_holds_nothing_of_its_kind(
    tmp_path: Path, sites: Path, kind: str, content: str, message: str
) -> None:
    """Is refused by name: without its leases an address would stay with whoever the table names."""
    wrong = tmp_path / "wrong"
    wrong.write_text(content)
    path = write_scan(tmp_path / "f.json", finding("10.1.0.1", 6.0))
    with pytest.raises(UnreadableInput, match=r"wrong: holds no ") as fault:
        assess([str(path)], RegistryFiles(sites=(sites,), **{kind: (wrong,)}))  # type: ignore[arg-type]
    assert message in str(fault.value)


def test_a_folder_and_a_workspace(tmp_path: Path, sites: Path) -> None:
    """All its .json and .jsonl files, and those in its folder ``findings``; sorted, so that the order never matters."""
    folder = tmp_path / "workspace"
    (folder / "findings").mkdir(parents=True)
    write_scan(folder / "b.json", finding("10.1.0.1", 6.0))
    write_scan(folder / "findings" / "a.json", finding("10.1.0.2", 6.0))
    (folder / "readme.txt").write_text("no findings")
    result = assess([str(folder)], RegistryFiles(sites=(sites,)))
    assert [Path(file).name for file in result.files] == ["b.json", "a.json"]
    assert result.findings == 2
    assert result.conversations == 200
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UnreadableInput, match=r"no file that ends in \.json or \.jsonl"):
        assess([str(empty)], RegistryFiles(sites=(sites,)))


def test_standard_input(tmp_path: Path, sites: Path) -> None:
    """``-`` reads what is piped in, and a closed one is said to be closed."""
    rows = "".join(finding_lines([finding("10.1.0.1", 6.0)])).encode()
    options = AssessmentOptions(looks=10)
    result = assess(["-"], RegistryFiles(sites=(sites,)), options, standard_input=io.BytesIO(rows))
    assert result.files == ("standard input",)
    with pytest.raises(UnreadableInput, match="is closed"):
        assess(["-"], RegistryFiles(sites=(sites,)))


def test_remarks_of_the_registry_are_kept(tmp_path: Path, sites: Path) -> None:
    """A row that could not be used puts "not ours" in doubt, so it is told."""
    sites.write_text(SITES + "D,Hall D,10.300.0.0/16,,\n")
    result = assess([str(write_scan(tmp_path / "f.json"))], RegistryFiles(sites=(sites,)))
    assert any("sites.csv row 5" in remark for remark in result.remarks)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "sites.csv: cannot be read"),
        ("", "empty. Hint: the first line names the columns"),
        ("name,prefix\nA,10.0.0.0/8\n", "no column site"),
        ("site,prefix\n", "no site; every row needs one in its column site"),
    ],
)
def test_a_registry_that_cannot_be_used(tmp_path: Path, sites: Path, table: str | None, message: str) -> None:
    """The message names the file and what would be right."""
    sites.unlink() if table is None else sites.write_text(table)
    with pytest.raises(HeadframeError, match=r"sites\.csv") as fault:
        assess([str(write_scan(tmp_path / "f.json"))], RegistryFiles(sites=(sites,)))
    assert message in str(fault.value)
    assert not isinstance(fault.value, UnreadableInput)


def test_without_a_count_of_conversations(tmp_path: Path, sites: Path) -> None:
    """JSON Lines need it said."""
    path = tmp_path / "f.jsonl"
    path.write_text("".join(finding_lines([replace(finding("10.1.0.1", 6.0))])))
    with pytest.raises(HeadframeError, match="scan with --format json, or say it with --looks"):
        assess([str(path)], RegistryFiles(sites=(sites,)))
