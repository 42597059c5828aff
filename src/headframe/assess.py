"""Reads findings, a site registry and its logs, and assesses: what ``headframe assess`` calls.

It stands beside `headframe.app`, which loads packets and kernels that no assessment needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import BinaryIO

from headframe.errors import HeadframeError, UnreadableInput
from headframe.evidence.fusion import MergeRule
from headframe.pseudonym import pseudonyms
from headframe.records.assessment import AssessmentResult, FindingsFile, PeriodLength
from headframe.records.site import Lease, Translation
from headframe.sites.assessment import AssessmentOptions
from headframe.sites.assessment import assess as assess_findings
from headframe.sites.registry import Registry
from headframe.sources.findings import read_findings, read_findings_stream
from headframe.sources.registry import (
    read_isc_leases,
    read_kea_leases,
    read_nat_log,
    read_radius_detail,
    read_sites,
)
from headframe.sources.registry.values import Remarks, lines_of

__all__ = ["AssessmentOptions", "MergeRule", "PeriodLength", "RegistryFiles", "assess", "read_logs"]

STANDARD_INPUT = "-"
_SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
_LEASE = "DHCP lease that can be read; expected the lease file of ISC DHCP (dhcpd.leases) or Kea (kea-leases4.csv)"
_SESSION = "RADIUS session that can be read; expected a detail file of RADIUS accounting"
_TRANSLATION = "address translation that can be read; expected a NAT log or a table of translations"
_FINDINGS_FOLDER = "findings"  # of a workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFiles:
    """Where the registry is.

    Attributes
    ----------
    sites : tuple of Path
        CSV, Parquet or GeoJSON.
    leases : tuple of Path
        Lease files of ISC DHCP or Kea; those of one Kea server the oldest first.
    nat, radius : tuple of Path
        Logs of address translation; RADIUS accounting.
    zone : datetime.tzinfo
        For times without an offset.
    year : int or None
        Of the first line of NAT logs whose lines have none.
    """

    sites: tuple[Path, ...]
    leases: tuple[Path, ...] = ()
    nat: tuple[Path, ...] = ()
    radius: tuple[Path, ...] = ()
    zone: tzinfo = field(default=UTC)
    year: int | None = None


def assess(
    paths: Sequence[str],
    registry_files: RegistryFiles,
    options: AssessmentOptions | None = None,
    *,
    standard_input: BinaryIO | None = None,
) -> AssessmentResult:
    """One assessment for each site and period.

    Parameters
    ----------
    paths : sequence of str
        Files that ``headframe scan --format json`` or ``jsonl`` wrote; folders of such files (a workspace's are in
        its folder ``findings``); ``-`` for standard input.
    registry_files : RegistryFiles
    options : AssessmentOptions
    standard_input : binary file or None

    Returns
    -------
    AssessmentResult

    Raises
    ------
    UnreadableInput
        If a file of findings cannot be read, or a log holds nothing of its kind.
    HeadframeError
        If the registry cannot be used, or something has to be stated that no file tells.
    """
    files = [file for path in paths for file in _findings_of(path, standard_input)]
    try:
        table = read_sites(registry_files.sites, zone=registry_files.zone, pseudonym=(pseudonym := pseudonyms()))
        remarks = list(table.remarks)
        leases, translations, said = read_logs(registry_files, pseudonym)
        remarks += said
        registry = Registry(
            table.sites, table.assignments, organisations=table.organisations, leases=leases, translations=translations
        )
        if not registry.sites:
            names = ", ".join(map(str, registry_files.sites))
            raise ValueError(
                f"{names}: no site; every row needs one in its column site. {' '.join(remarks[:1])}".strip()
            )
        result = assess_findings(files, registry, table.assignments, options)
    except ValueError as fault:
        raise HeadframeError(str(fault)) from fault
    return _with_remarks(result, remarks)


def read_logs(
    registry_files: RegistryFiles, pseudonym: Callable[[str], str]
) -> tuple[list[Lease], list[Translation], list[str]]:
    """What logs say of which address was where and when.

    Parameters
    ----------
    registry_files : RegistryFiles
    pseudonym : callable
        For hardware addresses; the same as for the table of sites.

    Returns
    -------
    leases, translations, remarks : list

    Raises
    ------
    UnreadableInput
        If a log holds nothing of its kind.
    ValueError
        If it cannot be understood.
    """
    remarks: list[str] = []
    leases: list[Lease] = []
    isc = [path for path in registry_files.leases if not _is_kea(path)]
    for paths_of_log, what, log in (
        *(([path], _LEASE, read_isc_leases(path, pseudonym=pseudonym)) for path in isc),
        *(
            (server, _LEASE, read_kea_leases(server, pseudonym=pseudonym))
            for server in _kea_servers(registry_files.leases)
        ),
        *(([path], _SESSION, read_radius_detail(path, pseudonym=pseudonym)) for path in registry_files.radius),
    ):
        _refuse_nothing(paths_of_log, what, log.leases, log.remarks)
        leases += log.leases
        remarks += log.remarks
    translations: list[Translation] = []
    for path in registry_files.nat:
        nat = read_nat_log(path, zone=registry_files.zone, year=registry_files.year)
        _refuse_nothing([path], _TRANSLATION, nat.translations, nat.remarks)
        translations += nat.translations
        remarks += nat.remarks
    return leases, translations, remarks


def _refuse_nothing(paths: Sequence[Path], what: str, rows: Sequence[object], remarks: Sequence[str]) -> None:
    """A log without a row would leave addresses with whoever the table names, and the wrong site would be accused."""
    if not rows:
        why = f". The first remark: {remarks[0]}" if remarks else ""
        raise UnreadableInput(f"{', '.join(map(str, paths))}: holds no {what}{why}")


def _with_remarks(result: AssessmentResult, remarks: Sequence[str]) -> AssessmentResult:
    from dataclasses import replace

    return replace(result, remarks=tuple(dict.fromkeys([*result.remarks, *remarks])))


def _findings_of(path: str, standard_input: BinaryIO | None) -> list[FindingsFile]:
    if path == STANDARD_INPUT:
        if standard_input is None:
            raise UnreadableInput("- (standard input) is closed; pipe findings into it")
        return [read_findings_stream(standard_input, "standard input")]
    folder = Path(path)
    if not folder.is_dir():
        return [read_findings(folder)]
    found = sorted(
        file
        for place in (folder, folder / _FINDINGS_FOLDER)
        if place.is_dir()
        for file in place.iterdir()
        if file.name.endswith(_SUFFIXES) and file.is_file()
    )
    if not found:
        raise UnreadableInput(
            f"{path}: no file that ends in .json or .jsonl is in this folder, or in its folder {_FINDINGS_FOLDER}; "
            "write one: headframe scan capture.pcap --format json > findings.json"
        )
    return [read_findings(file) for file in found]


def _is_kea(path: Path) -> bool:
    """Whether a lease file is Kea's: its first line names columns, where ISC's are declarations."""
    first = next((line for _, line in lines_of(path, Remarks(path.name)) if line.strip()), "")
    return first.startswith("address,")


def _kea_servers(paths: Sequence[Path]) -> list[list[Path]]:
    """Kea's lease files, those of one server together: ``leases4.csv.1`` and ``leases4.csv`` in one folder."""
    servers: dict[tuple[Path, str], list[Path]] = {}
    for path in paths:
        if _is_kea(path):
            servers.setdefault((path.parent, path.name.partition(".csv")[0]), []).append(path)
    return list(servers.values())
