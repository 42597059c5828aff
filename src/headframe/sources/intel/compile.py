"""Writes the shipped table of indicators from public lists whose licences let an Apache-2.0 project carry their facts.

Run it as::

    python -m headframe.sources.intel.compile FOLDER

where FOLDER holds the lists as their projects publish them, under the names in `LISTS`. The same lists give the same
bytes. What each list gave, and why entries were left out, goes to standard output.

=========================================== ========== =================================================================
list                                        licence    taken from it
=========================================== ========== =================================================================
AdamYoung71/mining-pool-domain-intel        Apache-2.0 ``confirmed`` or ``probable`` rows: name, port, coin
stamparm/maltrail ``crypto_mining.txt``     MIT        pools' host names; names and address:port met by mining malware
stamparm/maltrail ``generic_miner.txt``     MIT        names that speak of mining, and address:port, of mining malware
hoshsadiq/adblock-nocoin-list ``hosts.txt`` MIT        web miners
`curated`                                   our own    operators' domains, coins, closing days; what is no indicator
=========================================== ========== =================================================================

Rules for leaving out, in this order; each is counted:

- *no endpoint*: paths, URLs and broken names.
- *not public*: loopback, private and reserved addresses.
- *resolver*, *CDN*: the address serves everybody.
- *address without port*, *web port*, *node port*, *no pool's port*: an address changes hands; without a port that says
  mining it would accuse whoever comes next. Node ports are those of block-chain nodes; an address of the malware
  list must have a port that a pool of the other lists uses.
- *shared hosting*: a suffix under which strangers get names; *machine name*: a provider's name for a machine.
- *large site*: an exchange or a large web site; its mining hosts are listed by their own names.
- *not mining*: web sites of projects and makers of software.
- *other malware*: in `generic_miner.txt`, names without a sign of mining (download and control servers).
- *unverified*: names that a search engine found by the title of the page they show.
- *candidate*: rows that their own source has not confirmed.
- *already known*: the entry says nothing that another row does not.

mempool/mining-pools (MIT), a list of the operators of Bitcoin pools, was tried too: it names no operator that `curated`
does not, and its links are web sites.

Kinds. Names of known operators, and addresses listed together with names of one operator only, are that operator's
pool. Names of `curated.PUBLIC_POOLS` are pools. What remains of maltrail's lists was met in the analysis of malware.

Validity. A name stays with its operator: pools' names have no beginning (a crawler's ``first_seen`` is when the
crawler looked) and end with the operator. An address is vouched for until one year after its list was made.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from ipaddress import ip_address
from pathlib import Path

from headframe.records.indicator import Indicator, IndicatorKind
from headframe.sources.intel import curated
from headframe.sources.intel.builtin import BUILTIN_TABLE
from headframe.sources.intel.names import split_endpoint
from headframe.sources.intel.table import COLUMNS

LISTS = {
    "adamyoung71": ("adamyoung71_mining_pool_domains.csv", "AdamYoung71/mining-pool-domain-intel, 2026-04-21"),
    "maltrail pools": ("maltrail_crypto_mining.txt", "stamparm/maltrail crypto_mining, 2026-08-23"),
    "maltrail malware": ("maltrail_generic_miner.txt", "stamparm/maltrail generic_miner, 2026-08-23"),
    "nocoin": ("nocoin_hosts.txt", "hoshsadiq/adblock-nocoin-list, 2025-03-05"),
}
_MALTRAIL_UNTIL = date(2027, 8, 23)  # one year after the list was made

# A word of mining as a label or a part of one: "xmr.x.y", "pool-3.x.y", "mine2.x.y", "btcminer.x.y".
_MINING_WORD = re.compile(
    r"(^|[.\d-])(xmr|monero|pools?|mine|mining|stratum)([.\d-]|$)|xmrig|miner([.\d-]|$)|xmrpool|minexmr"
)
_UNVERIFIED = "TITLE-HOST"  # maltrail's mark for entries taken from a search engine for page titles


@dataclass(slots=True)
class Ledger:
    """What one list gave: rows read and kept, and entries left out by reason."""

    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


class _Drop(Exception):
    """An entry is left out; the argument is the reason."""


def compile_table(folder: Path) -> tuple[list[Indicator], dict[str, Ledger]]:
    """Indicators from the lists in a folder, and what became of each list's entries.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Indicator, dict of str to Ledger
        Sorted by value, port and kind; ledgers by the names of `LISTS` and ``curated``.
    """
    ledgers = {name: Ledger() for name in ("curated", *LISTS)}
    rows: dict[tuple[str, int | None], Indicator] = {}
    _add_curated(rows, ledgers["curated"])
    _add_pool_list(folder / LISTS["adamyoung71"][0], rows, ledgers["adamyoung71"])
    for name in ("maltrail pools", "maltrail malware"):
        _add_maltrail(folder / LISTS[name][0], rows, ledgers[name], LISTS[name][1], malware=name == "maltrail malware")
    _add_web_miners(folder / LISTS["nocoin"][0], rows, ledgers["nocoin"])
    table = sorted(rows.values(), key=lambda row: (row.value, row.port or 0, row.kind.value))
    return table, ledgers


def _add_curated(rows: dict[tuple[str, int | None], Indicator], ledger: Ledger) -> None:
    found = [
        Indicator(
            kind=IndicatorKind.POOL, value=domain, subdomains=True, coins=operator.coins, pool=operator.name,
            source=curated.SOURCE, valid_until=operator.closed,
        )
        for operator in curated.OPERATORS
        for domain in operator.domains
    ]  # fmt: skip
    found += [
        Indicator(kind=IndicatorKind.POOL, value=name, coins=("XMR",), pool="XMRig donation", source=curated.SOURCE)
        for name in curated.DONATION_HOSTS
    ]
    found += [
        Indicator(
            kind=IndicatorKind.WEB_MINER, value=domain, subdomains=True, coins=miner.coins, pool=miner.name,
            source=curated.SOURCE, valid_from=miner.opened, valid_until=miner.closed,
        )
        for miner in curated.WEB_MINERS
        for domain in miner.domains
    ]  # fmt: skip
    for row in found:
        ledger.read += 1
        ledger.kept += 1
        rows[row.value, row.port] = row


def _add_pool_list(path: Path, rows: dict[tuple[str, int | None], Indicator], ledger: Ledger) -> None:
    """AdamYoung71's list: one row per name, port and coin."""
    with path.open(encoding="utf-8", newline="") as stream:
        for entry in csv.DictReader(stream):
            ledger.read += 1
            try:
                if entry["confidence"] not in ("confirmed", "probable"):
                    raise _Drop("candidate")
                value, port = _checked(f"{entry['domain']}:{entry['port']}")
                coin = entry["coin"] if entry["coin"] not in ("UNKNOWN", "ANONYMOUS") else ""
                known = rows.get((value, port))
                if known and (not coin or coin in known.coins):
                    raise _Drop("already known")
                if known:
                    rows[value, port] = replace(known, coins=(*known.coins, coin))
                else:
                    operator = _operator(value, rows)
                    rows[value, port] = Indicator(
                        kind=IndicatorKind.POOL, value=value, port=port, coins=(coin,) if coin else (),
                        pool=operator.pool if operator else entry["pool_name"], source=LISTS["adamyoung71"][1],
                        valid_until=operator.valid_until if operator else None,
                    )  # fmt: skip
                ledger.kept += 1
            except _Drop as reason:
                ledger.dropped[str(reason)] += 1


def _add_maltrail(
    path: Path, rows: dict[tuple[str, int | None], Indicator], ledger: Ledger, source: str, *, malware: bool
) -> None:
    """One of maltrail's lists: entries one a line, after comments that say where they are from."""
    listed = {value for value, _ in rows}
    pool_ports = {port for _, port in rows}
    for comments, entries in _maltrail_sections(path):
        operator = _only_operator(entries, rows)
        for entry in entries:
            ledger.read += 1
            try:
                value, port = _checked(entry)
                if not _is_address(value):
                    row = _maltrail_name(value, comments, rows, listed, source, malware=malware)
                elif (value, port) in rows:
                    raise _Drop("already known")
                elif malware and port not in pool_ports:
                    raise _Drop("no pool's port")
                else:
                    row = Indicator(
                        kind=IndicatorKind.POOL if operator else IndicatorKind.MALWARE_PROXY, value=value, port=port,
                        pool=operator.pool if operator else None, source=source, valid_until=_MALTRAIL_UNTIL,
                    )  # fmt: skip
                rows[row.value, row.port] = row
                ledger.kept += 1
            except _Drop as reason:
                ledger.dropped[str(reason)] += 1


def _maltrail_sections(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Sections of a list: the comments above, and the entries."""
    comments: list[str] = []
    entries: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("#"):
            if entries:
                yield "\n".join(comments), entries
                comments, entries = [], []
            comments.append(line)
        elif line:
            entries.append(line.partition("#")[0].strip().lower())
    if entries:
        yield "\n".join(comments), entries


def _only_operator(entries: list[str], rows: dict[tuple[str, int | None], Indicator]) -> Indicator | None:
    """The operator that all names among the entries belong to; None where there is no name, or another one too."""
    names = [entry for entry in entries if "/" not in entry and not _is_address(entry.partition(":")[0])]
    operators = [_operator(name, rows) for name in names]
    if not operators or any(
        found is None or operators[0] is None or found.pool != operators[0].pool for found in operators
    ):
        return None
    return operators[0]


def _maltrail_name(
    value: str,
    comments: str,
    rows: dict[tuple[str, int | None], Indicator],
    listed: set[str],
    source: str,
    *,
    malware: bool,
) -> Indicator:
    if value in listed or (value, None) in rows:
        raise _Drop("already known")
    operator = _operator(value, rows)
    coins = _coins_in(value)
    if operator:
        return Indicator(
            kind=IndicatorKind.POOL, value=value, coins=coins or operator.coins, pool=operator.pool, source=source,
            valid_until=operator.valid_until,
        )  # fmt: skip
    if value.startswith("seed"):
        return Indicator(kind=IndicatorKind.NODE, value=value, source=source)
    public = next((known for known in _suffixes(value) if known in curated.PUBLIC_POOLS), None)
    if public:
        return Indicator(
            kind=IndicatorKind.POOL,
            value=value,
            subdomains=_is_registrable(value),
            coins=coins,
            pool=public,
            source=source,
        )
    if _UNVERIFIED in comments:
        raise _Drop("unverified")
    if malware and not _MINING_WORD.search(value):
        raise _Drop("other malware")
    return Indicator(
        kind=IndicatorKind.MALWARE_PROXY, value=value, subdomains=_is_registrable(value), coins=coins, source=source
    )


def _add_web_miners(path: Path, rows: dict[tuple[str, int | None], Indicator], ledger: Ledger) -> None:
    """NoCoin's hosts file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].split()
        for entry in words[1:]:
            ledger.read += 1
            try:
                value, _ = _checked(entry)
                if (value, None) in rows or _operator(value, rows):
                    raise _Drop("already known")
                kind = IndicatorKind.NODE if value.startswith("seed") else IndicatorKind.WEB_MINER
                rows[value, None] = Indicator(
                    kind=kind, value=value, subdomains=_is_registrable(value), source=LISTS["nocoin"][1]
                )
                ledger.kept += 1
            except _Drop as reason:
                ledger.dropped[str(reason)] += 1


def _checked(entry: str) -> tuple[str, int | None]:
    """Value and port of an entry that may be an indicator; `_Drop` with the reason where it may not."""
    if "/" in entry:
        raise _Drop("no endpoint")
    try:
        value, port = split_endpoint(entry)
    except ValueError:
        raise _Drop("no endpoint") from None
    if _is_address(value):
        address = ip_address(value)
        if not address.is_global or address.is_multicast:
            raise _Drop("not public")
        if value in curated.RESOLVERS:
            raise _Drop("resolver")
        if any(address in network for network in curated.CDN_NETWORKS):
            raise _Drop("CDN")
        if port is None:
            raise _Drop("address without port")
        if port in curated.WEB_PORTS:
            raise _Drop("web port")
        if port in curated.NODE_PORTS:
            raise _Drop("node port")
        return value, port
    if value in curated.SHARED_HOSTING:
        raise _Drop("shared hosting")
    if any(value.endswith("." + suffix) for suffix in curated.MACHINE_NAMES):
        raise _Drop("machine name")
    if value in curated.LARGE_SITES:
        raise _Drop("large site")
    if value in curated.NOT_MINING:
        raise _Drop("not mining")
    return value, port


def _operator(value: str, rows: dict[tuple[str, int | None], Indicator]) -> Indicator | None:
    """The operator's own row that covers a name."""
    for suffix in _suffixes(value):
        row = rows.get((suffix, None))
        if row and row.subdomains and row.kind is IndicatorKind.POOL:
            return row
    return None


def _suffixes(name: str) -> Iterator[str]:
    """The name itself, then without its first label, and so on."""
    while name:
        yield name
        name = name.partition(".")[2]


def registrable(name: str) -> str:
    """The part of a name that somebody registered: one label below a public suffix or a shared hosting suffix.

    Examples
    --------
    >>> registrable("xmr.pool.gntl.co.uk"), registrable("jqcdn01.herokuapp.com")
    ('gntl.co.uk', 'jqcdn01.herokuapp.com')
    """
    labels = name.split(".")
    for place in range(1, len(labels)):
        if ".".join(labels[place:]) in curated.SHARED_HOSTING:
            return ".".join(labels[place - 1 :])
    return ".".join(labels[-2:])


def _is_registrable(name: str) -> bool:
    """True where every name below belongs to the same owner: one registered label below a public suffix."""
    return registrable(name) == name and name.partition(".")[2] not in curated.SHARED_HOSTING


def _coins_in(name: str) -> tuple[str, ...]:
    """Ticker symbols that stand as words in the labels before the registered domain."""
    words = re.split(r"[.-]", name[: -len(registrable(name))] if name != registrable(name) else "")
    found = [word.upper() for word in words if word in curated.COINS]
    found += [coin for word, coin in curated.COIN_WORDS.items() if word in words]
    return tuple(dict.fromkeys(found))


def _is_address(value: str) -> bool:
    return (value[0].isdigit() and value[-1].isdigit() and value.count(".") == 3) or ":" in value


def table_bytes(indicators: list[Indicator]) -> bytes:
    """The table as it is shipped: a header and one row per indicator, UTF-8, line feeds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in indicators:
        writer.writerow(
            (
                row.kind.value, row.value, "true" if row.subdomains else "", row.port or "", " ".join(row.coins),
                row.pool or "", row.source, row.valid_from or "", row.valid_until or "", "true" if row.shared else "",
            )
        )  # fmt: skip
    return text.getvalue().encode()


def main(arguments: list[str]) -> int:
    """Compile the lists of a folder into the shipped table, and say what became of each list."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m headframe.sources.intel.compile FOLDER", file=sys.stderr)
        return 2
    table, ledgers = compile_table(Path(arguments[0]))
    BUILTIN_TABLE.write_bytes(table_bytes(table))
    for name, ledger in ledgers.items():
        print(f"{name}: {ledger.read} read, {ledger.kept} kept")
        for reason, count in sorted(ledger.dropped.items()):
            print(f"    left out, {reason}: {count}")
    kinds = Counter(row.kind.value for row in table)
    print(f"{len(table)} indicators written: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
