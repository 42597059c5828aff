"""What is known of each chain's clock: as a document, and as lines to read."""

from collections.abc import Iterable, Sequence
from typing import Any

from headframe.records.block import Chain
from headframe.reports.words import NS_PER_S, clock_time, count, duration, instant, period, visible
from headframe.sources.chain.chains import why_header_times_are_coarse
from headframe.sources.chain.reconcile import Reconciled
from headframe.sources.chain.series import BlockSeries

GAPS_SHOWN = 8
"""More gaps than this are counted, and the others left to the JSON document."""


def chain_document(chain: Chain, series: Sequence[BlockSeries], made: Reconciled | None, fault: str) -> dict[str, Any]:
    """One chain's parameters and what is stored of it.

    Parameters
    ----------
    chain : Chain
    series : sequence of BlockSeries
        What is stored; empty where nothing is.
    made : Reconciled or None
        The clock that they make; None where they make none.
    fault : str
        Why they make none; empty where they do.

    Returns
    -------
    dict
        Made of what JSON knows. Instants are RFC 3339.
    """
    document: dict[str, Any] = {
        "chain": chain.symbol,
        "name": chain.name,
        "family": chain.family,
        "spacing_s": chain.spacing_s,
        "resolvable": chain.resolvable,
        "remark": chain.remark,
        "merged_with": list(chain.merged_with),
        "proof_of_work_until": None if chain.proof_of_work_until_ns is None else instant(chain.proof_of_work_until_ns),
        "header_times": why_header_times_are_coarse(chain) or "usable",
        "source": chain.source,
        "clock": None,
        "fault": fault or None,
        "sources": [
            {
                "clock_source": one.clock_source,
                "blocks": len(one.heights),
                "first_height": int(one.heights[0]),
                "last_height": int(one.heights[-1]),
                "resolution_s": one.resolution_ns / NS_PER_S,
                "offset_s": made.offsets_ns[one.clock_source] / NS_PER_S
                if made and one.clock_source in made.offsets_ns
                else None,
            }
            for one in series
            if len(one.heights)
        ],
    }
    if made is not None:
        clock = made.clock
        document["clock"] = {
            "blocks": len(clock.arrival_ns),
            "resolution_s": clock.resolution_ns / NS_PER_S,
            "header_time": clock.header_time,
            "covered_s": covered_ns(made) / NS_PER_S,
            "mean_spacing_s": mean_spacing_s(made),
            "covered": [{"start": instant(start), "end": instant(end)} for start, end in clock.covered.tolist()],
            "gaps": [
                {
                    "start": instant(gap.start_ns),
                    "end": instant(gap.end_ns),
                    "first_height": gap.first_height,
                    "last_height": gap.last_height,
                    "reason": gap.reason,
                }
                for gap in made.gaps
            ],
            "remarks": list(made.remarks),
        }
    return document


def covered_ns(made: Reconciled) -> int:
    """Length of all covered stretches together. [ns]"""
    return int((made.clock.covered[:, 1] - made.clock.covered[:, 0]).sum())


def mean_spacing_s(made: Reconciled) -> float | None:
    """Mean time between blocks within the covered stretches. [s]

    A stretch lies between two blocks that are not in it, so it has one interval more than it has blocks.

    Parameters
    ----------
    made : Reconciled

    Returns
    -------
    float or None
        None where nothing is covered.
    """
    intervals = len(made.clock.arrival_ns) + len(made.clock.covered)
    return covered_ns(made) / NS_PER_S / intervals if intervals else None


def chain_lines(chain: Chain, series: Sequence[BlockSeries], made: Reconciled | None, fault: str) -> Iterable[str]:
    """The same in lines to read; the arguments are those of `chain_document`.

    Yields
    ------
    str
        Without line ends.
    """
    blocks = sum(len(one.heights) for one in series)
    kept = count(blocks, "block") if series else "no blocks stored"
    yield f"{chain.symbol}  {chain.name}: {kept}"
    if chain.resolvable:
        yield f"    resolvable: a block every {chain.spacing_s:g} s" + (f"; {chain.remark}" if chain.remark else "")
    else:
        yield f"    not resolvable: {chain.remark}"
    if chain.proof_of_work_until_ns is not None:
        yield f"    mined until {clock_time(chain.proof_of_work_until_ns)}"
    for one in series:
        if not len(one.heights):
            continue
        offset = made.offsets_ns.get(one.clock_source, 0) if made else 0
        # Told from the others by the median, a clock is known no better than its step.
        shift = f", {offset / NS_PER_S:+.3g} s against the others" if offset else ""
        yield (
            f"    source: {visible(one.clock_source, longest=60)}: {count(len(one.heights), 'block')}, heights "
            f"{one.heights[0]} to {one.heights[-1]}, step {duration(one.resolution_ns)}{shift}"
        )
    if fault:
        yield f"    no clock: {fault}"
    if made is None:
        return
    clock = made.clock
    spacing_s = mean_spacing_s(made)
    if spacing_s is not None:
        first, last = int(clock.covered[0, 0]), int(clock.covered[-1, 1])
        yield (
            f"    covered: {duration(covered_ns(made))} in {count(len(clock.covered), 'stretch', 'stretches')}, "
            f"{period(first, last)}; {count(len(clock.arrival_ns), 'block')}, one every {spacing_s:.1f} s"
        )
    for gap in made.gaps[:GAPS_SHOWN]:
        yield f"    gap: {period(gap.start_ns, gap.end_ns)}: {gap.reason}"
    if len(made.gaps) > GAPS_SHOWN:
        yield f"    and {count(len(made.gaps) - GAPS_SHOWN, 'more gap')}; --format json has them all"
    for remark in made.remarks:
        yield f"    remark: {visible(remark)}"
