"""Documents that are about no single case: the periodic report, and the certificate that data was destroyed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headframe.records.case import Account
from headframe.records.policy import Pack, Step, UnitRole
from headframe.records.retention import DataClass, DestructionCertificate
from headframe.reports.case_documents.drawings import plot_bars
from headframe.reports.case_documents.model import (
    Block,
    Callout,
    CaseDocument,
    Column,
    Entry,
    Letterhead,
    Listing,
    Paragraph,
    Plot,
    Section,
    Signature,
    Signatures,
    Subheading,
    Table,
    Tone,
    harmless,
)
from headframe.reports.case_documents.parts import (
    acting_unit,
    furniture,
    provenance_blocks,
    unit_name,
    unit_with,
    with_basis,
)
from headframe.reports.case_documents.speech import Speech
from headframe.reports.case_documents.translated import translated
from headframe.reports.case_documents.write import WrittenDocument, for_training, in_both_forms
from headframe.reports.funnel import STEPS, TOO_FEW, ShownFunnel
from headframe.reports.ledger_figures import LedgerFigure
from headframe.reports.movement import FLOW
from headframe.reports.suppression import SHOWN_AS

_LEDGER_WIDTHS = {"case_id": 1.5, "owner_enterprise": 1.6, "happened": 1.2}
"""Of the ledger's columns: a case's number has no place to break, and must not run into the next column."""
_MOST_DIGESTS = 2_000
"""Of one class in a certificate; what is more is in the ledger's leaf, and is counted here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodFigures:
    """What a periodic report is written from.

    Attributes
    ----------
    period : str
        Its name: ``2026-W47``.
    from_ns, until_ns : int
        [ns since 1970-01-01 UTC]
    funnels : tuple of ShownFunnel
        Small cells hidden already (`headframe.reports.funnel.shown`); each by another grouping.
    dismissed : tuple of tuple of str
        By detector, from `headframe.reports.dismissed.share_rows`.
    ledger : tuple of mapping of str to str, or None
        Rows of `headframe.reports.funnel.weekly_ledger`; None where the rule asks for none.
    ledger_figures : tuple of (str, LedgerFigure)
        Case and figure of each that the ledger shows, from `headframe.reports.funnel.ledger_figures`.
    duty : str
        Id of the pack's reporting duty; empty for a report that nobody asks for.
    flow : mapping of str to str
        Cases that came and went, small counts hidden (`headframe.reports.funnel.shown_together`).
    lacking : str
        Why there are no counts: ``not_over``, ``by_month`` or ``by_week``; empty where there are.
    """

    period: str
    from_ns: int
    until_ns: int
    funnels: tuple[ShownFunnel, ...] = ()
    dismissed: tuple[tuple[str, ...], ...] = ()
    ledger: tuple[Mapping[str, str], ...] | None = None
    ledger_figures: tuple[tuple[str, LedgerFigure], ...] = ()
    duty: str = ""
    flow: Mapping[str, str] = field(default_factory=dict)
    lacking: str = ""


def weekly_report(
    figures: PeriodFigures, pack: Pack, language: str, now_ns: int, *, prepared_by: Account | None = None
) -> CaseDocument:
    """The report of a period: funnel, dismissed share of each detector, ledger.

    Parameters
    ----------
    figures : PeriodFigures
    pack : Pack
    language : str
        ``en`` or ``zh``.
    now_ns : int
        When it is written. [ns since 1970-01-01 UTC]
    prepared_by : Account or None

    Returns
    -------
    CaseDocument
    """
    speech = Speech(language, pack.time_zone)
    say = speech.say
    duty = next((one for one in pack.reporting if one.id == figures.duty), None)
    unit = acting_unit(pack, Step.REPORT, speech)
    to = unit_name(pack, duty.to, speech) if duty is not None else unit_with(pack, UnitRole.REPORT_TO, speech)
    over = now_ns >= figures.until_ns
    sections = [
        _flow_section(figures.flow, speech),
        *(_funnel_section(one, speech, drawn=place == 0) for place, one in enumerate(figures.funnels)),
        _dismissed_section(figures.dismissed, speech),
        _ledger_section(figures.ledger, speech),
        _figures_section(figures.ledger_figures, speech),
        Section(
            title=say("weekly.reading"),
            blocks=(
                Listing(
                    items=tuple(
                        say(f"weekly.reading.{n}")
                        for n in ("state", "set", "decided", "cells", "once", "error", "names")
                        if not figures.lacking or n in ("state", "names")
                    )
                ),
            ),
        ),
        Section(title=say("pack.title"), blocks=tuple(provenance_blocks(pack, speech))),
        _signed(speech, _prepared(prepared_by, pack, speech, now_ns), say("sign.report")),
    ]
    entries = [
        Entry(label=say("head.date"), value=speech.day(now_ns)),
        Entry(
            label=say("weekly.period"),
            value=say("from_to", start=speech.day(figures.from_ns), end=speech.last_day_before(figures.until_ns)),
        ),
    ]
    state = say("weekly.state.end") if over else say("weekly.state.now", at=speech.moment(now_ns))
    entries.append(Entry(label=say("weekly.state"), value=state))
    if duty is not None:
        entries.append(Entry(label=say("weekly.duty"), value=with_basis(duty.basis, duty.ref, pack, speech)))
    entries.append(Entry(label=say("head.times"), value=speech.zone_name))
    document = CaseDocument(
        kind="weekly_report",
        language=speech.language,
        made_ns=now_ns,
        title=say("weekly.title"),
        letterhead=Letterhead(
            unit=unit, under=speech.of(pack.title) or pack.id, reference_label=say("weekly.reference"),
            reference=figures.period, entries=tuple(entries), addressee_label=say("head.to") if to else "",
            addressee=(to,) if to else (),
        ),
        lead=(
            say("weekly.lead.ledger" if figures.lacking else "weekly.lead", period=figures.period),
            *((say(f"weekly.lacking.{figures.lacking}"),) if figures.lacking else ()),
            *(() if over else (say("weekly.not_over", end=speech.last_day_before(figures.until_ns)),)),
        ),
        standing=None,
        sections=tuple(section for section in sections if section is not None),
        furniture=furniture(speech),
    )  # fmt: skip
    return harmless(document, say("withheld"))


def _flow_section(flow: Mapping[str, str], speech: Speech) -> Section | None:
    say = speech.say
    if not flow:
        return None
    return Section(
        title=say("weekly.flow"),
        blocks=(
            Table(
                columns=(
                    Column(head=say("weekly.flow.what"), weight=2.0),
                    Column(head=say("weekly.cases"), figures=True),
                ),
                rows=tuple((speech.term("weekly.flow", name), _thousands(flow[name])) for name in FLOW),
            ),
            *(
                (Callout(title=say("weekly.hidden", n=hidden), lines=(say("weekly.hidden.text"),)),)
                if (hidden := sum(cell == SHOWN_AS for cell in flow.values()))
                else ()
            ),
        ),
    )


def _funnel_section(table: ShownFunnel, speech: Speech, *, drawn: bool) -> Section:
    """Cases by step; `drawn` with their total as a picture, which is the same whatever they are grouped by."""
    say = speech.say
    by, *steps = table.header
    blocks: list[Block] = [Paragraph(text=say("weekly.funnel.lead"))]
    plot: Plot | None = None
    if drawn and table.rows and tuple(steps) == STEPS:
        total = dict(zip(steps, table.rows[-1][1:], strict=True))
        known = [(speech.term("step", name), int(cell) if cell != SHOWN_AS else None) for name, cell in total.items()]
        plot = plot_bars(known, say("weekly.plot"), say("weekly.hidden_bar"), speech)
    # Thirteen steps side by side do not fit on paper: groups stand side by side as long as they are few.
    groups = table.rows
    if len(groups) <= 6:
        columns = (
            Column(head=say("weekly.step"), weight=1.8),
            *(Column(head=_group(row[0], by, speech), figures=True) for row in groups),
        )
        rows = tuple(
            (speech.term("step", name), *(_thousands(row[place + 1]) for row in groups))
            for place, name in enumerate(steps)
        )
        blocks.append(Table(columns=columns, rows=rows))
    else:
        half = (len(steps) + 1) // 2
        for part in (range(half), range(half, len(steps))):
            columns = (
                Column(head=_capital(speech.term("by", by)), weight=2.0),
                *(Column(head=speech.term("step", steps[place]), figures=True) for place in part),
            )
            rows = tuple(
                (_group(row[0], by, speech), *(_thousands(row[place + 1]) for place in part)) for row in groups
            )
            blocks.append(Table(columns=columns, rows=rows, total=True))
    if table.hidden:
        blocks.append(Callout(title=say("weekly.hidden", n=table.hidden), lines=(say("weekly.hidden.text"),)))
    if plot is not None:
        # After the table: a picture may not break, and before it would leave half a page blank.
        blocks.append(plot)
    return Section(title=say("weekly.funnel", by=speech.term("by", by)), blocks=tuple(blocks))


def _thousands(cell: str) -> str:
    """A count as the pictures write it; what stands for one that is not shown, as it is."""
    return f"{int(cell):,}" if cell.isdecimal() else cell


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _group(group: str, by: str, speech: Speech) -> str:
    if group == "total":
        return speech.say("weekly.total")
    if group == "unknown":
        return speech.say("not_known")
    return speech.term("site_kind", group) if by == "site_kind" else group


def _dismissed_section(rows: Sequence[tuple[str, ...]], speech: Speech) -> Section | None:
    say = speech.say
    if not rows:
        return None
    shown = tuple(
        (
            row[0],
            say("weekly.too_few") if row[1] == TOO_FEW else say("weekly.of", n=a, of=b),
            row[2],
            _to(row[3], speech),
        )
        for row in rows
        for a, _, b in [row[1].partition(" of ")]
    )
    return Section(
        title=say("weekly.dismissed"),
        blocks=(
            Paragraph(text=say("weekly.dismissed.lead")),
            Table(
                columns=(
                    Column(head=say("weekly.detector"), weight=1.6),
                    Column(head=say("weekly.dismissed.count"), weight=1.6),
                    Column(head=say("weekly.dismissed.share"), figures=True),
                    Column(head=say("weekly.dismissed.interval"), figures=True, weight=1.5),
                ),
                rows=shown,
            ),
        ),
    )


def _to(ends: str, speech: Speech) -> str:
    low, separator, high = ends.partition(" to ")
    return speech.say("from_to", start=low, end=high) if separator else ends


def _ledger_section(rows: Sequence[Mapping[str, str]] | None, speech: Speech) -> Section | None:
    say = speech.say
    if rows is None:
        return None
    if not rows:
        lines = (Paragraph(text=say("weekly.ledger.lead")), Paragraph(text=say("weekly.ledger.none")))
        return Section(title=say("weekly.ledger"), blocks=lines)
    names = list(rows[0])
    return Section(
        title=say("weekly.ledger"),
        blocks=(
            Paragraph(text=say("weekly.ledger.lead")),
            Table(
                columns=tuple(
                    Column(head=speech.term("ledger", name), weight=_LEDGER_WIDTHS.get(name, 1.0))
                    for name in names
                ),
                rows=tuple(
                    tuple(
                        speech.term("stage", row[name]) if name == "status"
                        else _happened(row[name], speech) if name == "happened"
                        else say("weekly.not_decided") if row[name] == "(not decided)"
                        else _figure_cell(row[name], speech)
                        for name in names
                    )
                    for row in rows
                ),
            ),
        ),
    )  # fmt: skip


def _happened(names: str, speech: Speech) -> str:
    return speech.listed(speech.term("happened", one) for one in names.split()) or speech.say("weekly.nothing")


def _figure_cell(text: str, speech: Speech) -> str:
    """``10 kW (9 to 11), estimated`` in the document's words."""
    value, comma, how = text.rpartition(", ")
    return f"{value}, {speech.say(f'weekly.figures.{how}')}" if comma and how in ("estimated", "given") else text


def _figures_section(figures: Sequence[tuple[str, LedgerFigure]], speech: Speech) -> Section | None:
    """What each figure of the ledger is made of, line by line; an operator's number with where he has it from."""
    say = speech.say
    if not figures:
        return None
    rows = []
    for case_id, figure in figures:
        for line in figure.lines:
            label = speech.term("weekly.figures.line", line.label)
            source = line.source or say("weekly.figures.not_told")
            rows.append((case_id, label, f"{line.quantity} {line.unit}".strip(), source))
        how = say("weekly.figures.estimated")
        if figure.given_from:
            how = say("weekly.figures.from", source=figure.given_from)
        if figure.assumption:
            how = f"{how}; {speech.term('weekly.figures.assumption', figure.assumption)}"
        rows.append((case_id, speech.term("ledger", figure.name), _figure_cell(figure.text, speech), how))
    return Section(
        title=say("weekly.figures"),
        blocks=(
            Paragraph(text=say("weekly.figures.lead")),
            Table(
                columns=(
                    Column(head=speech.term("ledger", "case_id"), weight=1.2),
                    Column(head=say("sheet.line"), weight=1.2),
                    Column(head=say("sheet.quantity"), weight=1.6),
                    Column(head=say("sheet.source"), weight=2.2),
                ),
                rows=tuple(rows),
            ),
        ),
    )


def destruction_certificate(
    certificate: DestructionCertificate,
    language: str,
    *,
    unit: str,
    time_zone: str = "UTC",
    proposer_unit: str = "",
    approver_unit: str = "",
) -> CaseDocument:
    """The certificate that data was destroyed.

    Parameters
    ----------
    certificate : DestructionCertificate
    language : str
        ``en`` or ``zh``.
    unit : str
        Name of the unit that answers for it.
    time_zone : str
        IANA name.
    proposer_unit, approver_unit : str
        Units of the two accounts.

    Returns
    -------
    CaseDocument
        Dated with the instant of the destruction.
    """
    speech = Speech(language, time_zone)
    say = speech.say
    rows = tuple(
        (
            speech.term("data", one.rule.data_class.value),
            f"{one.count:,}",
            say("destroyed.days", n=f"{one.rule.days:,}"),
            speech.listed([speech.term("basis", one.rule.basis.value), one.rule.ref]),
            one.rule.source,
        )
        for one in certificate.classes
    )
    blocks: list[Block] = [
        Table(
            columns=tuple(
                Column(head=say(f"destroyed.{n}"), figures=n == "count", weight=weight)
                for n, weight in (("class", 1.5), ("count", 0.8), ("kept", 1.1), ("basis", 2.4), ("source", 1.6))
            ),
            rows=rows,
        )
    ] if rows else [Paragraph(text=say("destroyed.nothing"))]  # fmt: skip
    digests: list[Block] = [Paragraph(text=say("destroyed.digests.lead"))]
    for one in certificate.classes:
        name = speech.term("data", one.rule.data_class.value)
        digests.append(Subheading(text=name))
        digests.append(
            # A row each: of hundreds, a certificate of many pages would be read by nobody.
            Table(
                columns=(
                    Column(head=say("destroyed.item"), figures=True, weight=0.3),
                    Column(head="SHA-256", code=True, weight=5.0),
                ),
                rows=tuple((str(number), digest) for number, digest in enumerate(one.digests[:_MOST_DIGESTS], 1)),
            )
        )
        if len(one.digests) > _MOST_DIGESTS:
            left = f"{len(one.digests) - _MOST_DIGESTS:,}"
            digests.append(Paragraph(text=say("destroyed.left_off", n=left), tone=Tone.SOFT))
    failed: list[Block] = [Listing(items=tuple(_left(line, speech) for line in certificate.failed))]
    when = speech.moment(certificate.at_ns)
    sections = [
        Section(title=say("destroyed.what"), blocks=tuple(blocks)),
        Section(title=say("destroyed.failed"), blocks=tuple(failed)) if certificate.failed else None,
        Section(
            title=say("destroyed.stays"),
            blocks=(
                Listing(
                    items=(
                        say("destroyed.stays.held", n=f"{certificate.held:,}"), say("destroyed.stays.log"),
                        say("destroyed.stays.backup"),
                    )
                ),
            ),
        ),
        Section(title=say("destroyed.digests"), blocks=tuple(digests)) if certificate.count else None,
        _signed(
            speech,
            [
                Signature(role=say("sign.proposed"), unit=proposer_unit, account=certificate.proposer, when=when),
                Signature(role=say("sign.approved"), unit=approver_unit, account=certificate.approver, when=when),
            ],
            say("sign.destroyed"),
        ),
    ]  # fmt: skip
    document = CaseDocument(
        kind="destruction_certificate",
        language=speech.language,
        made_ns=certificate.at_ns,
        title=say("destroyed.title"),
        letterhead=Letterhead(
            unit=unit, under=say("destroyed.under"), reference_label=say("destroyed.reference"),
            reference=certificate.certificate_id,
            entries=(
                Entry(label=say("head.date"), value=when), Entry(label=say("head.times"), value=speech.zone_name),
            ),
            addressee_label="", addressee=(),
        ),
        lead=(say("destroyed.lead", n=f"{certificate.count:,}", when=when),),
        standing=_not_whole(certificate, speech),
        sections=tuple(section for section in sections if section is not None),
        furniture=furniture(speech),
    )  # fmt: skip
    return harmless(document, say("withheld"))


def _not_whole(certificate: DestructionCertificate, speech: Speech) -> Callout | None:
    """What of the destruction is not done: items that stayed, and files that were not written anew."""
    say = speech.say
    lines = []
    if certificate.failed:
        lines.append(say("destroyed.incomplete.text", n=f"{len(certificate.failed):,}"))
    if certificate.in_files:
        lines.append(say("destroyed.in_files.text"))
    if not lines:
        return None
    title = say("destroyed.incomplete" if certificate.failed else "destroyed.in_files")
    return Callout(title=title, lines=tuple(lines), tone=Tone.CAUTION)


def _left(line: str, speech: Speech) -> str:
    """``photo 9f86: the folder cannot be written`` in the document's words, as far as it has words for it."""
    found = re.fullmatch(r"(\w+) (\S+): (.*)", line, re.DOTALL)
    if found is None or found[1] not in set(DataClass):
        return line
    why = translated(found[3], speech.language)
    if why is None:
        why = speech.say("destroyed.failed.original", text=found[3])
    return speech.say("destroyed.failed.line", data=speech.term("data", found[1]), item=found[2], why=why)


def _signed(speech: Speech, signatures: Sequence[Signature], note: str) -> Section:
    return Section(
        title=speech.say("sign.title"),
        blocks=(Signatures(signatures=tuple(signatures)), Paragraph(text=note, tone=Tone.SOFT)),
    )


def _prepared(account: Account | None, pack: Pack, speech: Speech, now_ns: int) -> list[Signature]:
    return [
        Signature(
            role=speech.say("sign.prepared"),
            unit=unit_name(pack, account.unit, speech) if account else "",
            account=account.name if account else "",
            when=speech.moment(now_ns) if account else speech.say("sign.open"),
        )
    ]


def write_weekly_report(
    figures: PeriodFigures,
    pack: Pack,
    language: str,
    now_ns: int,
    *,
    prepared_by: Account | None = None,
    training: bool = False,
) -> WrittenDocument:
    """The report of a period as page and as PDF; the parameters are those of `weekly_report`.

    `training` sets a banner on every page: nothing in it is a real case.
    """
    document = weekly_report(figures, pack, language, now_ns, prepared_by=prepared_by)
    return in_both_forms(for_training(document, Speech(language, pack.time_zone)) if training else document)


def write_destruction_certificate(
    certificate: DestructionCertificate,
    language: str,
    *,
    unit: str,
    time_zone: str = "UTC",
    proposer_unit: str = "",
    approver_unit: str = "",
    training: bool = False,
) -> WrittenDocument:
    """The certificate as page and as PDF; the parameters are those of `destruction_certificate`.

    `training` sets a banner on every page: nothing in it is a real case.
    """
    document = destruction_certificate(
        certificate, language, unit=unit, time_zone=time_zone, proposer_unit=proposer_unit,
        approver_unit=approver_unit,
    )  # fmt: skip
    return in_both_forms(for_training(document, Speech(language, time_zone)) if training else document)


__all__ = [
    "PeriodFigures",
    "destruction_certificate",
    "weekly_report",
    "write_destruction_certificate",
    "write_weekly_report",
]
