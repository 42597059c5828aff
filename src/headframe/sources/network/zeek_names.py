"""Names and responders out of Zeek logs: what calibration counts on, where no packets are at hand.

Read are ``dns.log`` (query and answers), ``ssl.log`` (server_name), ``x509.log`` (san.dns), ``http.log`` (host) and
``conn.log`` (id.resp_h, id.resp_p), as Zeek writes them: tab-separated with a ``#fields`` line, or one JSON object a
line; plain, gzipped, in a folder, or inside a tar archive of any compression that Python knows.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import IO

_LOGS = {
    "dns": ("query", "answers"),
    "ssl": ("server_name",),
    "x509": ("san.dns",),
    "http": ("host",),
    "conn": ("id.resp_h", "id.resp_p"),
}
_UNSET = frozenset(("", "-", "(empty)"))
_TAR_ENDS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")


@dataclass(slots=True)
class ZeekNames:
    """Distinct names and responders of some logs.

    Attributes
    ----------
    names : set of str
        Lower case, without port and trailing dot; addresses are left out.
    responders : set of (str, int)
        Address and port of each conversation's responder.
    rows : int
        Log lines read.
    unread : list of str
        Sentences on logs or lines that could not be used.
    """

    names: set[str] = field(default_factory=set)
    responders: set[tuple[str, int]] = field(default_factory=set)
    rows: int = 0
    unread: list[str] = field(default_factory=list)


def read_zeek_names(path: Path) -> ZeekNames:
    """Collect names and responders from a log, a folder of logs, or an archive of logs.

    Parameters
    ----------
    path : Path

    Returns
    -------
    ZeekNames

    Raises
    ------
    OSError
        If the path cannot be read.
    """
    found = ZeekNames()
    for label, stream in _logs(path):
        kind = label.rpartition("/")[2].partition(".")[0]
        try:
            # Log files may hold any bytes; a name with odd ones is still a name.
            _collect(kind, label, io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace"), found)
        except (OSError, EOFError, ValueError) as fault:
            found.unread.append(f"{label}: {fault}")
    return found


def _logs(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and bytes of each log of interest, decompressed."""
    if path.is_dir():
        for inner in sorted(path.rglob("*.log*")):
            if inner.is_file():
                yield from _logs(inner)
    elif path.name.endswith(_TAR_ENDS):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and _is_log(member.name):
                    content = archive.extractfile(member)
                    if content is not None:
                        yield f"{path.name}/{member.name}", _plain(member.name, content)
    elif _is_log(path.name):
        with path.open("rb") as content:
            yield path.name, _plain(path.name, content)


def _is_log(name: str) -> bool:
    base = name.rpartition("/")[2]
    return base.partition(".")[0] in _LOGS and base.endswith((".log", ".log.gz"))


def _plain(name: str, content: IO[bytes]) -> IO[bytes]:
    return gzip.GzipFile(fileobj=content) if name.endswith(".gz") else content  # type: ignore[return-value]


def _collect(kind: str, label: str, lines: Iterable[str], found: ZeekNames) -> None:
    wanted = _LOGS[kind]
    separator = "\t"
    places: list[int] | None = None
    bad = 0
    for line in lines:
        line = line.rstrip("\r\n")
        if line.startswith("#"):
            if line.startswith("#separator "):
                separator = line.partition(" ")[2].encode().decode("unicode_escape")
            elif line.startswith("#fields"):
                columns = line.split(separator)[1:]
                places = [columns.index(column) if column in columns else -1 for column in wanted]
            continue
        if not line:
            continue
        if line.startswith("{"):
            try:
                entry = json.loads(line)
                values = [_as_text(entry.get(column)) for column in wanted]
            except (ValueError, AttributeError):
                bad += 1
                continue
        elif places is None:
            bad += 1
            continue
        else:
            fields = line.split(separator)
            values = [fields[place] if 0 <= place < len(fields) else "" for place in places]
        found.rows += 1
        if kind == "conn":
            if values[1].isdecimal() and values[0] not in _UNSET:
                found.responders.add((values[0], int(values[1])))
            else:
                bad += 1
            continue
        for value in values:
            for part in value.split(","):
                name = _name(part)
                if name:
                    found.names.add(name)
    if bad:
        found.unread.append(f"{label}: {bad} lines without the fields {', '.join(wanted)}")


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value)


def _name(text: str) -> str | None:
    """A domain name, or None for an address, an unset field, a text record."""
    name = text.strip().lower().rstrip(".").removeprefix("*.")
    if name in _UNSET or " " in name or "." not in name:
        return None
    if not name.startswith("[") and name.count(":") == 1:
        name = name.partition(":")[0]
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name
    return None
