"""Rows beside the cases are held to what this workspace wrote: findings, documents, registers of lawful mining.

Whoever can write into the database, and not into the workspace's folder, changes none of them unseen:

- **findings** bear a mark, a keyed digest of the row (`headframe.stores.leaf_marks`). Before a case rests on one, its
  mark and its document are compared. Without a mark are those alone that an older Headframe imported; the log says so,
  because the leaf of their import has no field ``marked``;
- **documents** of a case are named by an event of it, or have a leaf ``document/SHA256`` that says the same of them;
- **registers of lawful mining**: each import seals a digest of all that is stored after it (`Sealed.LAWFUL`). What the
  look-up of one site asks for is compared with a digest for each site, organisation and usage point. These are kept in
  the workspace's folder (``lawful-index``), so that nobody reads 100,000 entries for one look-up. That file is made
  anew from the database, and only if the whole of it is what was sealed.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import re
import secrets
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING

from headframe.cases.store import StaleCase
from headframe.casework.derived import documents_in
from headframe.casework.held_to_log import AlteredRecord, HeldToLog, in_the_log
from headframe.casework.last_states import Sealed, as_sealed_once
from headframe.ledger.leaf import BadLeaf, document_digest, opened, read
from headframe.records.case import CaseEvent, KeptDocument

if TYPE_CHECKING:
    from pathlib import Path

    from headframe.cases.store import PendingLeaf, StoredFinding, StoredLeaf
    from headframe.casework.holdings import Holdings
    from headframe.casework.last_states import LastStates
    from headframe.records.lawful import LawfulEntry
    from headframe.stores.database.writer import Writer

REGISTERS = "registers"
"""Subject of the leaves that say what is stored of all registers of lawful mining together."""
INDEX_FILE = "lawful-index"
_FORMAT = "headframe-lawful-index/1"
_KEY_BYTES = 16
_CHAIN_BYTES = 32
_RECORD_BYTES = _KEY_BYTES + _CHAIN_BYTES
_IMPORT_LEAF = re.compile(r"findings/(I-[0-9a-f]+)(/[0-9]{1,9})?")


# -- findings


def refuse_altered_findings(held: HeldToLog, found: Iterable[StoredFinding]) -> None:
    """Refuse findings that are not as this workspace stored them.

    Parameters
    ----------
    held : HeldToLog
    found : iterable of StoredFinding

    Raises
    ------
    AlteredRecord
        The message names the finding, and what to do.
    """
    from headframe.stores.database.rows import marked_text_of

    if held.marks is None:
        return
    older: dict[str, bool] = {}
    for one in found:
        right = _is_as_written(held, one.import_id, one.mark, marked_text_of(one), older)
        if not right or document_digest(one.document) != one.ref.sha256:
            raise AlteredRecord(
                f"finding {one.ref.finding_id} ({one.ref.subject}, site {one.site_id or 'not known'}) is not in the "
                f"database as it was imported, or something else than Headframe has moved it to another site: no case "
                f"rests on it. Put the right one back from a copy (where only its mark is lost, import its file again) "
                f"and find out who could write into the database; the others are taken by name (--finding ID)"
            )


def _is_as_written(held: HeldToLog, import_id: str, mark: bytes | None, text: bytes, older: dict[str, bool]) -> bool:
    """Whether a mark is of a finding; `older` keeps which imports were made without marks."""
    if mark:
        return held.marks is None or hmac.compare_digest(held.marks.row(text), bytes(mark))
    if import_id not in older:
        older[import_id] = _imported_without_marks(held, import_id)
    return older[import_id]


def _imported_without_marks(held: HeldToLog, import_id: str) -> bool:
    """Whether the log has an import of findings that were written without marks."""
    for leaf in held.store.leaves(beginning=f"findings/{import_id}"):
        named = _IMPORT_LEAF.fullmatch(leaf.leaf_id)
        if named is None or named[1] != import_id or leaf.index is None:
            continue
        sealed = read(leaf.leaf)
        is_of_it = (sealed.kind, sealed.subject) == ("findings", leaf.leaf_id.removeprefix("findings/"))
        if is_of_it and "marked" not in sealed.digests:
            return in_the_log(leaf, held.log)
    return False


# -- documents


def sort_documents(
    held: HeldToLog, case_id: str, events: Iterable[CaseEvent], kept: Sequence[KeptDocument]
) -> tuple[tuple[KeptDocument, ...], tuple[KeptDocument, ...]]:
    """The documents of a case that an event or a leaf of the log names just so, and the others.

    Parameters
    ----------
    held : HeldToLog
    case_id : str
    events : iterable of CaseEvent
        Of that case, held against the log.
    kept : sequence of KeptDocument
        What the database says that the case has.

    Returns
    -------
    right, strange : tuple of KeptDocument
    """
    named = {ref for event in events for ref in documents_in(event.act)}
    asked = [f"document/{one.ref.sha256}" for one in kept if one.ref not in named]
    leaves = {leaf.leaf_id: leaf for leaf in held.store.leaves(leaf_ids=asked)} if asked else {}
    right: list[KeptDocument] = []
    strange: list[KeptDocument] = []
    for one in kept:
        leaf = leaves.get(f"document/{one.ref.sha256}")
        fits = one.ref in named or (leaf is not None and _is_of_document(held, leaf, one, case_id))
        (right if fits else strange).append(one)
    return tuple(right), tuple(strange)


def _is_of_document(held: HeldToLog, leaf: StoredLeaf, kept: KeptDocument, case_id: str) -> bool:
    """Whether a leaf was sealed for just this document of this case."""
    try:
        sealed = read(leaf.leaf)
    except BadLeaf:
        return False
    ref = kept.ref
    if (sealed.kind, sealed.subject) != ("document", ref.sha256):
        return False
    wanted = {
        "name": ref.name, "media_type": ref.media_type, "kind": ref.kind, "size": ref.size, "case_id": case_id,
    }  # fmt: skip
    if opened(sealed, leaf.disclosures) != wanted:
        return False
    if leaf.index is None and held.marks is not None:
        return held.marks.fits(leaf.leaf_id, leaf.leaf, leaf.mark)
    return in_the_log(leaf, held.log)


def refuse_strange_documents(case_id: str, strange: Collection[KeptDocument]) -> None:
    """Refuse to hand out documents of a case that the log does not have.

    Raises
    ------
    AlteredRecord
    """
    if strange:
        first = next(iter(strange)).ref
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        raise AlteredRecord(
            f"document {first.name} (SHA-256 {first.sha256}){more} is in the database as one of case {case_id}, and in "
            f"the log it is not: the database was changed by something else than Headframe, or is damaged. Nothing is "
            f"handed out. Take it out, or put the right one back from a copy, and find out who could write into it"
        )


# -- registers of lawful mining


@dataclass(frozen=True, slots=True)
class LawfulTable:
    """What is stored of all registers of lawful mining.

    Attributes
    ----------
    row : dict
        What is sealed of it.
    chains : dict of bytes to bytes
        A digest of the entries of each site, organisation and usage point.
    registers : mapping of str to int
        When each was imported last. [ns since 1970-01-01 UTC]
    """

    row: dict[str, object]
    registers: Mapping[str, int]
    chains: dict[bytes, bytes]


def lawful_table(entries: Iterable[LawfulEntry], registers: Mapping[str, int]) -> LawfulTable:
    """Digests of registers of lawful mining.

    Parameters
    ----------
    entries : iterable of LawfulEntry
        All of them, by register and id.
    registers : mapping of str to int
        When each was imported last. [ns since 1970-01-01 UTC]

    Returns
    -------
    LawfulTable
    """
    whole = sha256()
    number = 0
    chains: dict[bytes, bytes] = {}
    for entry in entries:
        number += 1
        line = _line(entry)
        whole.update(line + b"\n")
        for key in _keys(entry.site_id, entry.organisation_id, [entry.usage_point]):
            chains[key] = _chained(chains.get(key), line)
    row: dict[str, object] = {"entries": number, "sha256": whole.hexdigest(), "registers": _told(registers)}
    return LawfulTable(row, registers, chains)


def _told(registers: Mapping[str, int]) -> dict[str, str]:
    return {name: str(at_ns) for name, at_ns in sorted(registers.items())}


def _line(entry: LawfulEntry) -> bytes:
    from headframe.stores.database.rows import row_of_lawful

    return json.dumps([*row_of_lawful(entry).values()]).encode()


def _keys(site_id: str, organisation_id: str, usage_points: Iterable[str]) -> Iterator[bytes]:
    """Under what an entry is asked for."""
    points = (("point", one) for one in usage_points)
    for kind, value in (("site", site_id), ("organisation", organisation_id), *points):
        if value:
            yield sha256(f"{kind}\0{value}".encode()).digest()[:_KEY_BYTES]


def _chained(before: bytes | None, line: bytes) -> bytes:
    return sha256((before or bytes(_CHAIN_BYTES)) + line).digest()


def held_registers(
    casework: Holdings, *, site_id: str, organisation_id: str, usage_points: Sequence[str]
) -> tuple[tuple[LawfulEntry, ...], Mapping[str, int]]:
    """What registers of lawful mining have on a site, an organisation and usage points, as it was imported.

    Parameters
    ----------
    casework : Holdings
    site_id, organisation_id : str
    usage_points : sequence of str

    Returns
    -------
    tuple of LawfulEntry
    mapping of str to int
        When each register was imported last. [ns since 1970-01-01 UTC]

    Raises
    ------
    AlteredRecord
        If the database says something else than what was sealed.
    """
    asked = dict.fromkeys(one for one in usage_points if one)
    for attempt in range(2):
        entries = casework.store.lawful_of(site_id=site_id, organisation_id=organisation_id, usage_points=[*asked])
        registers = casework.store.registers()
        if _as_sealed(casework, entries, registers, [*_keys(site_id, organisation_id, asked)]):
            return entries, registers
        if not attempt:
            # Somebody may have imported one just now.
            casework.hand_over()
            casework.ledger.refresh()
    raise AlteredRecord(
        f"the registers of lawful mining do not say in the database what was imported of them (asked for site "
        f"{site_id}), so nobody is looked up in them: the database was changed by something else than Headframe, or is "
        f"an older copy. {_IMPORT_ANEW}"
    )


_IMPORT_ANEW = (
    "Put the right one back from a copy, or import every register anew, whole: headframe sites import --lawful FILE "
    "--whole-registers; find out who could write into it"
)


def _as_sealed(
    casework: Holdings, entries: Sequence[LawfulEntry], registers: Mapping[str, int], keys: Sequence[bytes]
) -> bool:
    last = casework.states.last(Sealed.LAWFUL).get(REGISTERS)
    if last is None:
        return not (entries or registers) or bool(casework.store.leaves(beginning="sites/"))
    chains = _kept_index(casework.paths.folder / INDEX_FILE, last.state, registers)
    if chains is None:
        table = lawful_table(casework.store.all_lawful(), casework.store.registers())
        if not casework.states.says(last, Sealed.LAWFUL, REGISTERS, table.row):
            return False
        keep_index(casework, last.state, table)
        chains = table.chains.get
    found: dict[bytes, bytes] = {}
    for entry in entries:
        for key in _keys(entry.site_id, entry.organisation_id, [entry.usage_point]):
            found[key] = _chained(found.get(key), _line(entry))
    return all(found.get(key) == chains(key) for key in keys)


def _kept_index(path: Path, state: str, registers: Mapping[str, int]) -> Callable[[bytes], bytes | None] | None:
    """The digests of what was sealed, by key; None where the file is not of that, and has to be made anew."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head = _head(state, registers)
    begin, (number, rest) = len(head), divmod(len(data) - len(head), _RECORD_BYTES)
    # Where the registers are others than those that were sealed, the whole is compared.
    if not data.startswith(head) or rest:
        return None

    def chain_of(key: bytes) -> bytes | None:
        at = begin + _RECORD_BYTES * bisect_left(
            range(number), key, key=lambda k: data[begin + k * _RECORD_BYTES : begin + k * _RECORD_BYTES + _KEY_BYTES]
        )
        return data[at + _KEY_BYTES : at + _RECORD_BYTES] if data[at : at + _KEY_BYTES] == key else None

    return chain_of


def _head(state: str, registers: Mapping[str, int]) -> bytes:
    return f"{_FORMAT} {state} {json.dumps(_told(registers))}\n".encode()


class SealedRegisters:
    """What an import seals of the registers of lawful mining.

    Attributes
    ----------
    sealing : bool
        Whether it does: where it imports some, and where nothing of them was ever sealed.
    """

    def __init__(self, casework: Holdings, import_id: str, *, imported: bool) -> None:
        self._casework = casework
        self._import_id = import_id
        casework.hand_over()
        casework.ledger.refresh()
        self.sealing = imported or REGISTERS not in casework.states.last(Sealed.LAWFUL)
        self._made: tuple[str, LawfulTable] | None = None

    def begin(self, writer: Writer, *, anew: bool) -> bool:
        """Compare what is stored, before anything is written: what somebody else has changed is not sealed by us.

        Parameters
        ----------
        writer : Writer
        anew : bool
            Whether what is imported is the whole of the registers.

        Returns
        -------
        bool
            Whether what was stored had been changed, and was thrown away.

        Raises
        ------
        AlteredRecord
            If it was changed, and what is imported is not the whole.
        StaleCase
            If somebody else is importing registers.
        """
        states = self._casework.states
        if not self.sealing:
            return False
        self._casework.ledger.refresh()
        last = states.last(Sealed.LAWFUL).get(REGISTERS)
        if last is None or states.says(last, Sealed.LAWFUL, REGISTERS, lawful_table(*writer.lawful()).row):
            return False
        if any(one.leaf_id.startswith("lawful/") for one in self._casework.store.pending_leaves()):
            raise StaleCase("somebody else is importing registers of lawful mining; nothing was imported. Do it again")
        if not anew:
            raise AlteredRecord(
                "the registers of lawful mining do not say in the database what was imported of them, and nothing is "
                "added to that: the database was changed by something else than Headframe, or is an older copy. "
                f"{_IMPORT_ANEW}"
            )
        writer.empty_registers()
        return True

    def seal(self, writer: Writer, now_ns: int) -> None:
        """Seal what is stored of all registers after an import, in its transaction."""
        if not self.sealing:
            return
        table = lawful_table(*writer.lawful())
        leaf = _leaf_of(self._casework, self._import_id, table, {"sites_import": self._import_id}, now_ns)
        self._made = read(leaf.leaf).digests["state"], table
        writer.log(leaf)

    def keep(self) -> None:
        """Keep what look-ups are compared with, when the import is in the log."""
        if self._made is not None:
            keep_index(self._casework, *self._made)


def _leaf_of(work: Holdings, name: str, table: LawfulTable, about: Mapping[str, object], now_ns: int) -> PendingLeaf:
    """The leaf that says what is stored of all registers from then on."""
    at_ns = work.states.later(Sealed.LAWFUL, REGISTERS, now_ns)
    fields = {**about, "entries": table.row["entries"]}
    leaf = work.sealed(f"lawful/{name}", "lawful", REGISTERS, at_ns, fields, data_class="case")
    return work.sealed_state(leaf, Sealed.LAWFUL, REGISTERS, table.row)


def restored_registers(casework: Holdings, now_ns: int) -> Iterator[PendingLeaf]:
    """The leaf that seals what an older copy says of the registers, where the log has said it once and no more.

    Parameters
    ----------
    casework : Holdings
    now_ns : int
        [ns since 1970-01-01 UTC]

    Yields
    ------
    PendingLeaf
    """
    store, states = casework.store, casework.states
    last = states.last(Sealed.LAWFUL).get(REGISTERS)
    if last is None:
        return
    table = lawful_table(store.all_lawful(), store.registers())
    if states.says(last, Sealed.LAWFUL, REGISTERS, table.row):
        return
    if as_sealed_once(store, states, Sealed.LAWFUL, REGISTERS, table.row):
        name = casework.free_leaf_id(f"lawful/restored-{now_ns}").removeprefix("lawful/")
        yield _leaf_of(casework, name, table, {"what": "as in an older copy"}, now_ns)


def keep_index(casework: Holdings, state: str, table: LawfulTable) -> None:
    """Keep the digests of every site, organisation and usage point for look-ups; without it these take longer."""
    path = casework.paths.folder / INDEX_FILE
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):
        try:
            number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write(_head(state, table.registers))
                file.writelines(key + chain for key, chain in sorted(table.chains.items()))
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


# -- all of them


def altered_rows(held: HeldToLog, states: LastStates) -> Iterator[str]:
    """In what findings, documents and registers of lawful mining are not what this workspace wrote.

    Parameters
    ----------
    held : HeldToLog
    states : LastStates

    Yields
    ------
    str
        A sentence without its full stop.
    """
    from headframe.stores.database.rows import marked_text

    store = held.store
    older: dict[str, bool] = {}
    for row in store.marked_findings():
        if not _is_as_written(held, row["import_id"], row["mark"], marked_text(row), older):
            yield f"finding {row['finding_id']} of the database is not as it was imported, or was moved to another site"
    for case_id, group in groupby(store.all_documents(), key=lambda one: one[0]):
        # Most are named by their leaves; events are read for the others alone.
        _right, strange = sort_documents(held, case_id, (), [kept for _, kept in group])
        if strange and case_id:
            _right, strange = sort_documents(held, case_id, store.events(case_id), strange)
        for kept in strange:
            whose = f"of case {case_id}" if case_id else "of no case"
            yield f"document {kept.ref.name} (SHA-256 {kept.ref.sha256}) {whose} is in the database, and not in the log"
    last = states.last(Sealed.LAWFUL).get(REGISTERS)
    if last is not None:
        table = lawful_table(store.all_lawful(), store.registers())
        if not states.says(last, Sealed.LAWFUL, REGISTERS, table.row):
            yield "the registers of lawful mining do not say in the database what was imported of them"
