"""Findings read back from what ``headframe scan --format json`` or ``jsonl`` wrote.

A JSON document is the whole scan: it also tells how much was read. JSON Lines are findings alone, so how often the
detectors looked is not known from them. Which one a file is, is told by its content. Rows are lines of JSON Lines, and
places among ``findings`` (or ``insufficient``) of a document, counted from 1.

Whatever is wrong with a row is told with file and row, and the rest is used. Keys that are not known are passed over,
as ``docs/findings.md`` promises for minor versions.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import orjson

from headframe.errors import UnreadableInput, fault_words
from headframe.records.assessment import DamagedRow, FindingsFile, Looked
from headframe.records.conversation import PacketRef
from headframe.records.finding import (
    BlockSync,
    Course,
    EvidenceLine,
    Family,
    Finding,
    Insufficient,
    Interval,
    Role,
    Shares,
    SourceRef,
)
from headframe.records.indicator import IndicatorKind
from headframe.records.scan import ClockLook, SeenPrefix
from headframe.records.site import SourceRow
from headframe.sources.registry.values import LATEST_NS, clean_address

MAJOR_VERSION = 1
"""Version of the schema that is understood; any minor version is (``docs/findings.md``)."""
MAX_FILE_BYTES = 1 << 30
"""A document is held whole while it is read, and so is one line; what is larger is refused. [bytes]"""

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\Z", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z\Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_COUNT = 1 << 62
_MAX_LOG10_E = 1e6
"""The longest capture at hand gives some hundreds; beyond this a number is damaged, and sums of it would overflow."""
_MOST_BINS = 1000
"""Of a course; Headframe writes `headframe.records.finding.MOST_COURSE_BINS` at most."""
_LONGEST_BIN_S = 366 * 86_400
_SPACE = b" \t\r\n"


def read_findings(path: Path) -> FindingsFile:
    """Findings of one file, JSON or JSON Lines, plain or gzip.

    Parameters
    ----------
    path : Path

    Returns
    -------
    FindingsFile

    Raises
    ------
    UnreadableInput
        If the file cannot be read, is of another version of the schema, or holds nothing that could be a finding.
    """
    try:
        with path.open("rb") as stream:
            return read_findings_stream(stream, str(path))
    except OSError as fault:
        raise UnreadableInput(f"{path}: cannot be read: {fault.strerror or fault}") from fault


def read_findings_stream(stream: BinaryIO, name: str) -> FindingsFile:
    """The same from an open file.

    Parameters
    ----------
    stream : binary file
    name : str
        What messages call it.

    Returns
    -------
    FindingsFile

    Raises
    ------
    UnreadableInput
        As `read_findings`.
    """
    data, broken = _bytes_of(stream, name)
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    stripped = data.strip(_SPACE)
    whole = _whole(stripped)
    if whole is not None:
        found = _scan(whole, name)
    elif not stripped:
        # No finding is what a scan of clean traffic writes as JSON Lines; so does one that broke off at once.
        found = FindingsFile(file=name, remarks=(f"{name} is empty: as JSON Lines that says that nothing was found",))
    else:
        found = _lines(data, name)
    if broken:
        remark = DamagedRow(source=SourceRow(name, data.count(b"\n") + 1), reason=broken)
        found = replace(found, damaged=(*found.damaged, remark))
    return found


def _bytes_of(stream: BinaryIO, name: str) -> tuple[bytes, str]:
    """All bytes, unpacked, and what broke them off."""
    head = stream.read(MAX_FILE_BYTES + 1)
    broken = ""
    if head[:2] == b"\x1f\x8b":
        head, broken = _unpacked(head)
    if len(head) > MAX_FILE_BYTES:
        raise UnreadableInput(
            f"{name}: holds more than {MAX_FILE_BYTES} bytes; scan fewer captures at a time and give several files"
        )
    return head, broken


def _unpacked(packed: bytes) -> tuple[bytes, str]:
    """All members of a gzip file, up to one byte more than is allowed, and what broke them off."""
    pieces: list[bytes] = []
    left = MAX_FILE_BYTES + 1
    try:
        while packed[:2] == b"\x1f\x8b" and left > 0:
            member = zlib.decompressobj(wbits=31)
            while packed and left > 0 and not member.eof:
                piece = member.decompress(packed, min(left, 1 << 20))
                packed = member.unconsumed_tail
                pieces.append(piece)
                left -= len(piece)
                if not piece and not packed:
                    break
            if not member.eof and left > 0:
                return b"".join(pieces), "the file breaks off here: the end of the gzip data is missing"
            packed = member.unused_data
    except zlib.error as fault:
        return b"".join(pieces), f"the file breaks off here: {fault}"
    return b"".join(pieces), ""


def _whole(data: bytes) -> dict[str, Any] | None:
    """The document of a whole scan; None where the file is none."""
    try:
        document = _decoded(data)
    except ValueError:
        return None
    return document if isinstance(document, dict) and "findings" in document else None


def _scan(document: dict[str, Any], name: str) -> FindingsFile:
    try:
        _check_version(document)
    except ValueError as fault:
        raise UnreadableInput(f"{name}: {fault}") from None
    damaged: list[DamagedRow] = []

    def part(what: str, read: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return read()
        except ValueError as fault:
            damaged.append(DamagedRow(source=SourceRow(f"{name} ({what})", 1), reason=str(fault)))
            return otherwise

    rows = document["findings"]
    if not isinstance(rows, list):
        raise UnreadableInput(f"{name}: findings is {_shown(rows)}; expected a list, as headframe scan writes it")
    findings = tuple(_each(enumerate(rows, 1), _finding, name, damaged))
    none: list[Any] = []
    questions = part("insufficient", lambda: _list(document, "insufficient"), none)
    insufficient = tuple(_each(enumerate(questions, 1), _insufficient, f"{name} (insufficient)", damaged))
    nothing: Mapping[str, Any] = {}
    summary = part("summary", lambda: _object(document, "summary"), nothing)
    conversations = part("summary", lambda: _count(summary, "conversations"), None)
    # Scans before 1.1 had no evidence of timing, so they tested none.
    timing = part("summary", lambda: _count(summary, "timing_tested") if "timing_tested" in summary else 0, None)
    # Before 1.2 it was not told.
    blind = part("summary", lambda: _truth(summary, "content_blind") if "content_blind" in summary else None, None)
    spans = [
        span
        for place, one in enumerate(part("inputs", lambda: _list(document, "inputs"), none), 1)
        for span in _each([(place, one)], _span, f"{name} (inputs)", damaged)
    ]
    starts = [first for first, _, _ in spans if first is not None]
    ends = [last for _, last, _ in spans if last is not None]
    no_words: tuple[str, ...] = ()
    remarks = [f"{name}: {text}" for text in part("remarks", lambda: _texts(document, "remarks"), no_words)]
    # Before 1.4 it was not told what was looked at.
    looked = part("looked", lambda: _looked(document) if "looked" in document else None, None)
    stretches = sum(stretches for _, _, stretches in spans)
    if stretches:
        remarks.append(f"{name}: {stretches} damaged stretches of its captures were not read")
    return FindingsFile(
        file=name,
        findings=findings,
        insufficient=insufficient,
        conversations=conversations,
        timing_tested=timing,
        first_ns=min(starts, default=None),
        last_ns=max(ends, default=None),
        content_blind=blind,
        looked=looked,
        damaged=tuple(damaged),
        remarks=tuple(remarks),
    )


def _lines(data: bytes, name: str) -> FindingsFile:
    damaged: list[DamagedRow] = []

    def rows() -> Iterator[tuple[int, Any]]:
        for row, line in enumerate(data.split(b"\n"), 1):
            if line.strip(_SPACE):
                yield row, line

    findings = tuple(_each(rows(), _line, name, damaged))
    if not findings and damaged:
        raise UnreadableInput(
            f"{name}: no row is a finding; the first says: row {damaged[0].source.row}: {damaged[0].reason}. "
            "Expected what headframe scan --format json (or jsonl) writes"
        )
    return FindingsFile(file=name, findings=findings, damaged=tuple(damaged))


def _line(line: bytes) -> Finding:
    return finding_of(json_value(line))


def json_value(line: bytes) -> Any:
    """The JSON value of one line.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return _decoded(line)
    except ValueError as fault:
        raise ValueError(f"no JSON: {fault}") from None


def finding_of(value: Any) -> Finding:
    """One finding from its document.

    Parameters
    ----------
    value : Any
        A JSON value that follows ``docs/schema-finding.json``.

    Returns
    -------
    Finding
        Without its timeline.

    Raises
    ------
    ValueError
        If it is no such document; the message names the key.
    """
    return _finding(value)


def _decoded(data: bytes) -> Any:
    """A JSON value. ``NaN`` and ``Infinity``, which JSON has not but other tools write, are read as null."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as fault:
        try:
            data.decode()
        except UnicodeDecodeError as wrong:
            raise ValueError(fault_words(wrong)) from None
        if b"NaN" not in data and b"Infinity" not in data:
            raise
        try:
            return json.loads(data, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            raise fault from None


_T = TypeVar("_T")


def _each(
    rows: Iterator[tuple[int, Any]] | Sequence[tuple[int, Any]] | enumerate[Any],
    read: Callable[[Any], _T],
    name: str,
    damaged: list[DamagedRow],
) -> Iterator[_T]:
    """Whatever can be read of the rows; the others are noted."""
    for row, value in rows:
        try:
            yield read(value)
        except ValueError as fault:
            damaged.append(DamagedRow(source=SourceRow(name, row), reason=str(fault)))


def _finding(value: Any) -> Finding:
    if not isinstance(value, dict):
        raise ValueError(f"a finding is an object, this is {_shown(value)}")
    _check_version(value)
    started, ended = _instant(value, "started"), _instant(value, "ended")
    if ended < started:
        raise ValueError(f"ended {value['ended']} is before started {value['started']}")
    shares = _object(value, "shares")
    sync = value.get("block_sync")  # since 1.1
    course = value.get("course")  # since 1.3
    detector, role = _filled(value, "detector"), _member(value, "role", Role)
    if detector == "peer_sync" and role is Role.MINER:
        # So it said before 1.2, though it compares no chain.
        role = Role.FOLLOWER
    return Finding(
        detector=detector,
        version=_text(value, "version"),
        family=_member(value, "family", Family),
        role=role,
        host=_host(value),
        peer=_text(value, "peer"),
        protocol=_text(value, "protocol"),
        started_ns=started,
        ended_ns=ended,
        log10_e=_evidence(value, "log10_e"),
        explanation=_text(value, "explanation"),
        coins=_texts(value, "coin"),
        pool=_text_or_none(value, "pool"),
        agent=_text_or_none(value, "agent"),
        shares=Shares(
            accepted=_count(shares, "accepted"),
            rejected=_count(shares, "rejected"),
            stale=_count(shares, "stale"),
            unanswered=_count(shares, "unanswered"),
        ),
        hashrate_hs=_interval(value, "hashrate_hs"),
        power_w=_interval(value, "power_w"),
        contradictions=_texts(value, "contradictions"),
        blind_spots=_texts(value, "blind_spots"),
        evidence=tuple(_evidence_line(_as_object(line, "evidence")) for line in _list(value, "evidence")),
        course=None if course is None else _course(_as_object(course, "course")),
        block_sync=None if sync is None else _block_sync(_as_object(sync, "block_sync")),
        sources=tuple(_source(_as_object(source, "sources")) for source in _list(value, "sources")),
        community_ids=_texts(value, "community_ids"),
        accounts=_texts(value, "accounts"),
        indicator_kinds=tuple(
            _one_of(kind, "indicator_kinds", IndicatorKind) for kind in _list(value, "indicator_kinds")
        ),
    )


def _evidence_line(line: Mapping[str, Any]) -> EvidenceLine:
    return EvidenceLine(
        time_ns=_instant(line, "time"),
        text=_text(line, "text"),
        packet=PacketRef(_text(line, "file"), _count(line, "packet")),
    )


def _source(source: Mapping[str, Any]) -> SourceRef:
    packets = _list(source, "packets")
    if not all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in packets):
        raise ValueError("packets of a source are whole numbers, 0 or more")
    return SourceRef(file=_text(source, "file"), packets=tuple(packets))


def _block_sync(sync: Mapping[str, Any]) -> BlockSync:
    offset = _interval(sync, "offset_s")
    if offset is None:
        raise ValueError("offset_s of block_sync is null; expected low, estimate and high")
    chains = [_as_object(one, "log10_e_by_chain") for one in _list(sync, "log10_e_by_chain")]
    hits = _list(sync, "block_hits")
    if not all(isinstance(hit, bool) for hit in hits):
        raise ValueError("block_hits are true or false")
    return BlockSync(
        chain=_text(sync, "chain"),
        log10_e_by_chain=tuple((_text(one, "chain"), _evidence(one, "log10_e")) for one in chains),
        clock_sources=_texts(sync, "clock_sources"),
        offset_s=offset,
        window_s=_number_or_nan(sync, "window_s"),
        pushes_counted=_text(sync, "pushes_counted"),
        blocks=_count(sync, "blocks"),
        hits=_count(sync, "hits"),
        expected_hits=_number_or_nan(sync, "expected_hits"),
        watched_s=_number_or_nan(sync, "watched_s"),
        block_ns=tuple(moment_ns(at, "block_times") for at in _list(sync, "block_times")),
        block_hit=tuple(hits),
        push_ns=tuple(moment_ns(at, "push_times") for at in _list(sync, "push_times")),
    )


def _course(course: Mapping[str, Any]) -> Course:
    bin_s = _count(course, "bin_s")
    if not 1 <= bin_s <= _LONGEST_BIN_S:
        raise ValueError(f"bin_s of course is {bin_s}; expected whole seconds, 1 to {_LONGEST_BIN_S}")
    shares = _object(course, "shares")
    return Course(
        started_ns=_instant(course, "started"),
        bin_s=bin_s,
        jobs=_counts(course, "jobs"),
        shares=tuple((answer, _counts(shares, answer)) for answer in shares),
    )


def _counts(value: Mapping[str, Any], key: str) -> tuple[int, ...]:
    found = _list(value, key)
    if len(found) > _MOST_BINS:
        raise ValueError(f"{key} of course has {len(found)} bins; expected {_MOST_BINS} at most")
    if not all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < _MAX_COUNT for one in found):
        raise ValueError(f"{key} of course holds something that is no whole number, 0 or more")
    return tuple(found)


def _insufficient(value: Any) -> Insufficient:
    question = _as_object(value, "insufficient")
    return Insufficient(
        detector=_filled(question, "detector"),
        host=_text(question, "host"),
        peer=_text(question, "peer"),
        missing=_text(question, "missing"),
    )


def _span(value: Any) -> tuple[int | None, int | None, int]:
    """First and last packet of an input, and how many stretches of it are damaged."""
    one = _as_object(value, "inputs")
    first = None if one.get("first") is None else _instant(one, "first")
    last = None if one.get("last") is None else _instant(one, "last")
    return first, last, len(_list(one, "damage"))


def _looked(document: Mapping[str, Any]) -> Looked:
    """What a scan looked at."""
    looked = _object(document, "looked")
    clocks = [_as_object(one, "clocks") for one in _list(looked, "clocks")]
    seen = [_as_object(one, "seen") for one in _list(looked, "seen")]
    return Looked(
        detectors=_texts(looked, "detectors"),
        recorded=_spans(looked, "recorded"),
        clocks=tuple(
            ClockLook(chain=_text(one, "chain"), sources=_texts(one, "sources"), covered=_spans(one, "covered"))
            for one in clocks
        ),
        seen=tuple(
            SeenPrefix(day=_text(day, "day"), prefix=prefix, conversations=_count(_object(day, "prefixes"), prefix))
            for day in seen
            for prefix in _object(day, "prefixes")
        ),
        seen_left_out=_count(looked, "seen_left_out"),
    )


def _spans(value: Mapping[str, Any], key: str) -> tuple[tuple[int, int], ...]:
    spans = [_as_object(one, key) for one in _list(value, key)]
    return tuple((_instant(one, "start"), _instant(one, "end")) for one in spans)


# Values --------------------------------------------------------------------------------------------------------------


def _check_version(value: Mapping[str, Any]) -> None:
    found = _VERSION.match(_text(value, "schema_version"))
    if not found or int(found[1]) != MAJOR_VERSION:
        raise ValueError(
            f"schema_version is {_shown(value['schema_version'])}; this Headframe reads {MAJOR_VERSION}.x, "
            "so scan again with it, or use the version that wrote the file"
        )


def _shown(value: Any) -> str:
    # Of something large only its kind: a message is one line.
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _get(value: Mapping[str, Any], key: str) -> Any:
    try:
        return value[key]
    except KeyError:
        raise ValueError(f"{key} is missing") from None


def _as_object(value: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{key} holds {_shown(value)}; expected an object")
    return value


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return _as_object(_get(value, key), key)


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = _get(value, key)
    if not isinstance(found, list):
        raise ValueError(f"{key} is {_shown(found)}; expected a list")
    return found


def _text(value: Mapping[str, Any], key: str) -> str:
    found = _get(value, key)
    if not isinstance(found, str):
        raise ValueError(f"{key} is {_shown(found)}; expected text")
    return found


def _filled(value: Mapping[str, Any], key: str) -> str:
    found = _text(value, key)
    if not found:
        raise ValueError(f"{key} is empty")
    return found


def _text_or_none(value: Mapping[str, Any], key: str) -> str | None:
    return None if _get(value, key) is None else _text(value, key)


def _texts(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = _list(value, key)
    if not all(isinstance(text, str) for text in found):
        raise ValueError(f"{key} holds something that is no text")
    return tuple(found)


def _count(value: Mapping[str, Any], key: str) -> int:
    found = _get(value, key)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < _MAX_COUNT:
        raise ValueError(f"{key} is {_shown(found)}; expected a whole number, 0 or more")
    return found


def _truth(value: Mapping[str, Any], key: str) -> bool:
    found = _get(value, key)
    if not isinstance(found, bool):
        raise ValueError(f"{key} is {_shown(found)}; expected true or false")
    return found


def _number(value: Mapping[str, Any], key: str) -> float | None:
    found = _get(value, key)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ValueError(f"{key} is {_shown(found)}; expected a number")
    return float(found)  # JSON has no infinity, and the decoder refuses what overflows


def _number_or_nan(value: Mapping[str, Any], key: str) -> float:
    found = _number(value, key)
    return float("nan") if found is None else found


def _evidence(value: Mapping[str, Any], key: str) -> float:
    """An e-value's logarithm. Null stands for what is no finite number; of those only ``-inf`` is an e-value."""
    found = _number(value, key)
    if found is not None and not abs(found) <= _MAX_LOG10_E:
        raise ValueError(f"{key} is {_shown(found)}; expected a number between -1,000,000 and 1,000,000")
    return float("-inf") if found is None else found


def _interval(value: Mapping[str, Any], key: str) -> Interval | None:
    if _get(value, key) is None:
        return None
    ends = _object(value, key)
    return Interval(_number_or_nan(ends, "low"), _number_or_nan(ends, "estimate"), _number_or_nan(ends, "high"))


_M = TypeVar("_M", bound=StrEnum)


def _one_of(value: Any, key: str, kinds: type[_M]) -> _M:
    try:
        return kinds(value)
    except ValueError:
        known = ", ".join(kind.value for kind in kinds)
        raise ValueError(f"{key} is {_shown(value)}; known are {known}") from None


def _member(value: Mapping[str, Any], key: str, kinds: type[_M]) -> _M:
    return _one_of(_get(value, key), key, kinds)


def _host(value: Mapping[str, Any]) -> str:
    text = _text(value, "host")
    try:
        return clean_address(text)
    except ValueError:
        raise ValueError(f"host is {_shown(text)}; expected an address") from None


def _instant(value: Mapping[str, Any], key: str) -> int:
    return moment_ns(_get(value, key), key)


def moment_ns(text: Any, key: str) -> int:
    """Nanoseconds of an instant, exactly."""
    found = _INSTANT.match(text) if isinstance(text, str) else None
    try:
        if not found:
            raise ValueError
        since = datetime.fromisoformat(f"{found[1]}+00:00") - _EPOCH
    except ValueError:
        raise ValueError(f"{key} is {_shown(text)}; expected 2026-04-21T08:00:00.000000000Z") from None
    time_ns = (since.days * 86_400 + since.seconds) * 1_000_000_000 + int((found[2] or "").ljust(9, "0"))
    if not 0 <= time_ns <= LATEST_NS:
        raise ValueError(f"{key} is {text}, which is not between 1970 and 2200")
    return time_ns


def interval_in(told: object) -> Interval | None:
    """An interval as findings' documents have it; None where a part is missing or no number.

    Examples
    --------
    >>> interval_in({"low": 1, "estimate": 2.5, "high": 4})
    Interval(low=1.0, estimate=2.5, high=4.0)
    >>> interval_in({"low": None, "estimate": 2.5, "high": 4})
    """
    if not isinstance(told, dict):
        return None
    parts: Iterable[Any] = (told.get("low"), told.get("estimate"), told.get("high"))
    numbers = [float(part) for part in parts if isinstance(part, (int, float)) and not isinstance(part, bool)]
    if len(numbers) != 3 or not all(math.isfinite(number) for number in numbers):
        return None
    return Interval(*numbers)
