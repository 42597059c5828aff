"""Exit codes, and which takes precedence."""

from pathlib import Path

import pytest

from headframe.cli.exit_codes import ExitCode, exit_code_of
from headframe.records.finding import Role
from headframe.records.scan import Damage, InputSummary, ScanResult
from tests.reports import samples


def scan(*, found: bool, damaged: bool, packets: int) -> ScanResult:
    damage = [Damage(file="a.pcap", offset=0, length=1, packets=0, reason="truncated")] if damaged else []
    return ScanResult(
        findings=[samples.miner()] if found else [],
        inputs=[InputSummary(file="a.pcap", packets=packets, damage=damage)],
        packets=packets,
    )


@pytest.mark.parametrize(
    ("found", "damaged", "packets", "asked_to_fail", "code"),
    [
        (False, False, 10, False, ExitCode.OK),
        (False, False, 10, True, ExitCode.OK),
        (True, False, 10, False, ExitCode.OK),
        (True, False, 10, True, ExitCode.FOUND),
        (True, True, 10, True, ExitCode.FOUND),
        (True, True, 10, False, ExitCode.DAMAGED),
        (False, True, 10, True, ExitCode.DAMAGED),
        (False, True, 0, True, ExitCode.UNREADABLE),
        (False, False, 0, True, ExitCode.OK),
    ],
)
def test_precedence(found: bool, damaged: bool, packets: int, asked_to_fail: bool, code: ExitCode) -> None:
    """A finding counts before damage, and damage before success."""
    assert exit_code_of(scan(found=found, damaged=damaged, packets=packets), fail_on_finding=asked_to_fail) is code


@pytest.mark.parametrize("role", [Role.CONTACT, Role.FOLLOWER])
def test_what_only_wants_looking_into_is_a_finding(role: Role) -> None:
    """Whoever asks to fail on a finding hears of contacts and followers too, as the documentation says."""
    result = ScanResult(findings=[samples.miner(role=role)], packets=1)
    assert exit_code_of(result, fail_on_finding=True) is ExitCode.FOUND
    assert exit_code_of(result, fail_on_finding=False) is ExitCode.OK


def test_every_code_is_documented(project_root: Path) -> None:
    """The table names each code once, and no other."""
    lines = (project_root / "docs" / "exit-codes.md").read_text(encoding="utf-8").splitlines()
    documented = [
        int(line.split("|")[1]) for line in lines if line.startswith("| ") and line.split("|")[1].strip().isdigit()
    ]
    assert documented == [int(code) for code in ExitCode]
