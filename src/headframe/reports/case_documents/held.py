"""What findings say of a party, read out of their documents as numbered facts in the language of the letter.

A sentence is made of the document's figures. The detector's own words stand beside, translated by their forms; what
has no form in the language of the letter stays English and is marked as the original. Nothing is told that the document
does not hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from headframe.records.case import CaseFile, FindingRef
from headframe.records.finding import Family, Interval, Role
from headframe.reports.case_documents.model import Entry, Fact
from headframe.reports.case_documents.speech import Speech, instant_ns
from headframe.reports.case_documents.translated import translated

_ROLES = frozenset(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class Held:
    """A finding with its document; an empty document where the file of the case has none for it."""

    ref: FindingRef
    document: Mapping[str, Any]

    @property
    def of_meter(self) -> bool:
        """Whether its document follows ``docs/schema-usage-point.json``."""
        return "usage_point" in self.document


def held_of(case_file: CaseFile) -> tuple[Held, ...]:
    """The findings of a case with their documents, in the case's order."""
    pairs = zip_longest(case_file.case.findings, case_file.finding_documents[: len(case_file.case.findings)])
    return tuple(Held(ref, document or {}) for ref, document in pairs)


def accounts_in_clear(case_file: CaseFile) -> tuple[str, ...]:
    """Accounts that findings name in clear; pseudonyms begin with ``#`` and are left."""
    return tuple(
        str(name)
        for document in case_file.finding_documents
        for name in _list(document.get("accounts"))
        if not str(name).startswith("#")
    )


def facts_of(held: Sequence[Held], speech: Speech, *, first: int = 1) -> tuple[Fact, ...]:
    """One numbered fact for each finding.

    Parameters
    ----------
    held : sequence of Held
    speech : Speech
    first : int
        Number of the first one.

    Returns
    -------
    tuple of Fact
    """
    return tuple(_fact(one, speech, number) for number, one in enumerate(held, first))


def _fact(one: Held, speech: Speech, number: int) -> Fact:
    ref, document = one.ref, one.document
    entries = [
        Entry(label=speech.say("finding.period"), value=speech.from_to(ref.started_ns, ref.ended_ns)),
        Entry(
            label=speech.say("finding.family"),
            value=speech.say(
                "finding.detector", family=speech.term("family", ref.family.value), detector=ref.detector,
                version=ref.version,
            ),
        ),
        *(_of_meter(one, speech) if one.of_meter else _of_network(one, speech)),
    ]  # fmt: skip
    if weight := _weight(one, speech):
        entries.append(Entry(label=speech.say("finding.weight"), value=weight))
    own = without_neighbours(str(document.get("explanation") or ""), ref.subject, speech)
    if own:
        told = translated(own, speech.language)
        label = "finding.own_words" if told is None else "finding.own_words.told"
        entries.append(Entry(label=speech.say(label), value=own if told is None else told))
    if not document:
        entries.append(Entry(label=speech.say("finding.document"), value=speech.say("finding.no_document")))
    return Fact(number=number, text=_sentence(one, speech), entries=tuple(entries))


_NEIGHBOUR = re.compile(
    r"(?<=in proportion to what )(.+?)(?= meters\b)|(?<=several points fit equally well \()(.+?)(?=\)[;.])"
)


def without_neighbours(text: str, own: str, speech: Speech) -> str:
    """A detector's words without another party's meter: a letter tells its reader of the reader's own.

    Parameters
    ----------
    text : str
        As `headframe.detectors.power.balance` writes it.
    own : str
        The supply point that the finding is about.
    speech : Speech

    Returns
    -------
    str
    """
    return _NEIGHBOUR.sub(lambda found: found[0] if found[0] == own else speech.say("finding.neighbour"), text)


def _sentence(one: Held, speech: Speech) -> str:
    document = one.document
    if one.of_meter:
        mode = document.get("mode")
        key = f"fact.load.{mode}" if speech.has(f"fact.load.{mode}") else "fact.load"
        return speech.say(key, point=one.ref.subject)
    if not document:
        return speech.say("fact.plain", subject=one.ref.subject, family=speech.term("family", one.ref.family.value))
    return speech.say(_key(one), host=one.ref.subject, peer=document.get("peer") or speech.say("not_known"))


def _key(one: Held) -> str:
    """Which sentence tells a finding of the network: none says more than its family of evidence can show."""
    role, family, shares = one.document.get("role"), one.ref.family, one.document.get("shares")
    mines = role in ("miner", "proxy")
    if family is Family.TIMING and mines:
        return "fact.timing"
    if family is Family.ENDPOINT and (mines or role == "contact"):
        return "fact.endpoint"
    if family not in (Family.CONTENT, Family.TIMING, Family.ENDPOINT):
        return "fact.network"
    handed_in = isinstance(shares, Mapping) and any(_count(number) for number in shares.values())
    if role == "miner" and not handed_in:
        return "fact.network.miner.idle"
    return f"fact.network.{role}" if role in _ROLES else "fact.network"


def _of_network(one: Held, speech: Speech) -> Iterator[Entry]:
    document = one.document
    if victim := victim_kinds(document):
        yield Entry(
            label=speech.say("finding.behind"),
            value=speech.listed(speech.term("indicator", kind) for kind in victim),
        )
    if pool := document.get("pool"):
        yield Entry(label=speech.say("finding.pool"), value=str(pool))
    if coins := _list(document.get("coin")):
        yield Entry(label=speech.say("finding.coin"), value=speech.listed(str(coin) for coin in coins))
    if protocol := document.get("protocol"):
        # Of a server known by its name, the document holds there where the name was seen: that is no protocol.
        seen = f"sign.seen.{protocol}"
        if speech.has(seen):
            yield Entry(label=speech.say("finding.sign"), value=speech.say(seen))
        elif str(protocol).replace("-", "_") != one.ref.detector:
            # What was recognised by its times alone names the way of looking in place of a protocol.
            yield Entry(label=speech.say("finding.protocol"), value=str(protocol))
    shares = document.get("shares")
    if isinstance(shares, Mapping) and any(_count(shares.get(name)) for name in ("accepted", "rejected", "stale")):
        counts = {name: f"{_count(shares.get(name)):,}" for name in ("accepted", "rejected", "stale", "unanswered")}
        yield Entry(label=speech.say("finding.shares"), value=speech.say("finding.shares.counts", **counts))
    sync = document.get("block_sync")
    if isinstance(sync, Mapping):
        yield Entry(
            label=speech.say("finding.sync"),
            value=speech.say(
                "finding.sync.counts", chain=sync.get("chain"), hits=f"{_count(sync.get('hits')):,}",
                blocks=f"{_count(sync.get('blocks')):,}",
                expected=speech.number(number_of(sync.get("expected_hits")), 2),
            ),
        )  # fmt: skip
    if rate := interval_of(document.get("hashrate_hs")):
        yield Entry(label=speech.say("finding.hashrate"), value=speech.interval(rate, "H/s"))
    if power := interval_of(document.get("power_w")):
        yield Entry(label=speech.say("finding.power_implied"), value=speech.interval(power, "W"))
    if accounts := _list(document.get("accounts")):
        yield Entry(label=speech.say("finding.accounts"), value=speech.say("finding.accounts.count", n=len(accounts)))


def _of_meter(one: Held, speech: Speech) -> Iterator[Entry]:
    document = one.document
    if power := interval_of(document.get("power_w")):
        yield Entry(label=speech.say("finding.power"), value=speech.interval(power, "W"))
    onset = onset_of(document)
    if onset is not None:
        earliest, day, latest = map(speech.day, onset)
        key = "finding.onset.day" if earliest == latest else "finding.onset.about"
        yield Entry(label=speech.say("finding.onset"), value=speech.say(key, day=day, earliest=earliest, latest=latest))
    elif document.get("power_w") and "onset" in document:
        yield Entry(label=speech.say("finding.onset"), value=speech.say("finding.onset.before"))
    if energy := interval_of(document.get("energy_wh")):
        yield Entry(label=speech.say("finding.energy"), value=speech.interval(energy, "Wh"))
    share = number_of(document.get("share"))
    if math.isfinite(share):
        # A balance is that of everything behind the transformer's meter, so its share is, too.
        behind = "finding.share.balance" if one.ref.family is Family.BALANCE else "finding.share"
        yield Entry(label=speech.say(behind), value=speech.share(share))


def _weight(one: Held, speech: Speech) -> str:
    """How rare it is, in the terms in which the document states it."""
    lines = []
    if once := speech.once_in(one.ref.log10_e):
        lines.append(speech.say("weight.e", once=once))
    document = one.document
    p_value = number_of(document.get("p_value"))
    peers = _count(document.get("peers"))
    # n comparable points cannot show that something is rarer than 1 in n + 1; what is smaller comes from a model of the
    # detector, and is not told as if they had shown it.
    if one.of_meter and math.isfinite(p_value) and (not peers or p_value * (peers + 1) >= 1):
        key = "weight.p.peers" if peers else "weight.p"
        lines.append(speech.say(key, p=f"{p_value:.2g}", peers=f"{peers:,}"))
    rate = number_of(document.get("fdr"))
    if one.of_meter and math.isfinite(rate):
        key = "weight.list" if document.get("listed") else "weight.no_list"
        lines.append(speech.say(key, fdr=speech.share(rate)))
    return speech.sentences(lines) or speech.say("weight.none")


def contradictions(held: Sequence[Held], speech: Speech) -> tuple[str, ...]:
    """What speaks against the findings: their own contradictions, and innocent causes that would explain them too."""
    lines: list[str] = []
    for one in held:
        inner = [one.document, *_dicts(one.document.get("findings"))]
        lines += [_translated(str(line), speech) for part in inner for line in _list(part.get("contradictions"))]
        lines += [
            speech.say(
                "counter.possible",
                name=speech.term("counter", str(other.get("name"))),
                text=_translated(str(other.get("text") or ""), speech),
            )
            for other in _dicts(one.document.get("counter_hypotheses"))
            if other.get("standing") == "possible"
        ]
    return tuple(dict.fromkeys(lines))


def untested(held: Sequence[Held], speech: Speech) -> tuple[str, ...]:
    """What could not be tested, and what detectors lacked."""
    lines: list[str] = []
    for one in held:
        lines += [
            speech.say(
                "counter.untested",
                name=speech.term("counter", str(other.get("name"))),
                text=_translated(str(other.get("text") or ""), speech),
            )
            for other in _dicts(one.document.get("counter_hypotheses"))
            if other.get("standing") == "untested"
        ]
        lines += [
            speech.say(
                "missing.detector",
                detector=str(lack.get("detector")),
                missing=_translated(str(lack.get("missing") or ""), speech),
            )
            for lack in _dicts(one.document.get("insufficient"))
        ]
    return tuple(dict.fromkeys(lines))


def excluded(held: Sequence[Held], speech: Speech) -> tuple[str, ...]:
    """Innocent causes that were tested and do not explain what was seen."""
    lines = [
        speech.say(
            "counter.excluded",
            name=speech.term("counter", str(other.get("name"))),
            text=_translated(str(other.get("text") or ""), speech),
        )
        for one in held
        for other in _dicts(one.document.get("counter_hypotheses"))
        if other.get("standing") == "excluded"
    ]
    return tuple(dict.fromkeys(lines))


def blind_spots(held: Sequence[Held], speech: Speech) -> tuple[str, ...]:
    """What the detectors cannot see or tell apart."""
    lines = [
        _translated(str(line), speech)
        for one in held
        for part in [one.document, *_dicts(one.document.get("findings"))]
        for line in _list(part.get("blind_spots"))
    ]
    return tuple(dict.fromkeys(lines))


def _translated(line: str, speech: Speech) -> str:
    """A detector's remark in the document's language; marked as the original where it has no form in it."""
    told = translated(line, speech.language) if line else ""
    return speech.say("finding.original", text=line) if told is None else told


def victim_kinds(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Kinds of indicators that speak of a victim."""
    return tuple(
        kind for kind in map(str, _list(document.get("indicator_kinds"))) if kind in ("malware_proxy", "web_miner")
    )


def interval_of(value: object) -> Interval | None:
    """An interval of a document; None where any of its ends is not known."""
    if not isinstance(value, Mapping):
        return None
    low, middle, high = (number_of(value.get(name)) for name in ("low", "estimate", "high"))
    return Interval(low, middle, high) if math.isfinite(low + middle + high) else None


def claimed_from(ref: FindingRef, document: Mapping[str, Any]) -> int:
    """From when a finding claims that mining went on. [ns since 1970-01-01 UTC]

    A finding of a load is about all the readings that were looked at; mining is claimed from the onset that was found
    in them, at the earliest that it may have been. Where it has none, mining is claimed for the whole period.

    Parameters
    ----------
    ref : FindingRef
    document : mapping
        Of the finding; may be empty.

    Returns
    -------
    int
    """
    onset = onset_of(document)
    return ref.started_ns if onset is None else min(max(ref.started_ns, onset[0]), ref.ended_ns)


def onset_of(document: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """When a load began: earliest, estimate and latest. [ns since 1970-01-01 UTC]"""
    onset = document.get("onset")
    if not isinstance(onset, Mapping):
        return None
    earliest, estimate, latest = (instant_ns(onset.get(name)) for name in ("earliest", "estimate", "latest"))
    if earliest is None or estimate is None or latest is None:
        return None
    return earliest, estimate, latest


def number_of(value: object) -> float:
    """A number of a document; NaN where it is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, Mapping)]
