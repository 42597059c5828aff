"""From a case file to a finished document: the model of each kind, and both of its forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from headframe.records.case import Account, CaseFile, DocumentKind, Measurement
from headframe.records.policy import Clock, Pack
from headframe.records.site import SiteKind
from headframe.reports.case_documents.acts import (
    NothingToWrite,
    closure,
    decision,
    inspection_request,
    measure_request,
    referral_dossier,
    setting_aside,
    verification_report,
)
from headframe.reports.case_documents.held import accounts_in_clear
from headframe.reports.case_documents.letters import help_letter, information_letter, notice
from headframe.reports.case_documents.model import CaseDocument, harmless
from headframe.reports.case_documents.page import to_page
from headframe.reports.case_documents.parts import Desk
from headframe.reports.case_documents.speech import Speech
from headframe.reports.pdf import to_pdf

_PLAIN: Mapping[DocumentKind, Callable[[Desk], CaseDocument]] = {
    DocumentKind.NOTICE: notice,
    DocumentKind.INFORMATION_LETTER: information_letter,
    DocumentKind.HELP_LETTER: help_letter,
    DocumentKind.INSPECTION_REQUEST: inspection_request,
    DocumentKind.CLOSURE: closure,
}
_OF_A_MEASURE: Mapping[DocumentKind, Callable[[Desk, str], CaseDocument]] = {
    DocumentKind.MEASURE_REQUEST: measure_request,
    DocumentKind.REFERRAL_DOSSIER: referral_dossier,
}


class WrittenDocument(NamedTuple):
    """A document in both of its forms, UTF-8 and PDF."""

    html: bytes
    pdf: bytes


def build_document(
    kind: DocumentKind,
    case_file: CaseFile,
    pack: Pack,
    clocks: Sequence[Clock],
    language: str,
    now_ns: int,
    *,
    log_keys: Sequence[str],
    subject: str = "",
    prepared_by: Account | None = None,
    measurement: Measurement | None = None,
    training: bool = False,
) -> CaseDocument:
    """The model of a document of a case.

    Parameters
    ----------
    kind : DocumentKind
        All but the weekly report and the certificate of destruction, which are about no single case.
    case_file : CaseFile
    pack : Pack
        The one by which the case is handled; another text of it is told in the document.
    clocks : sequence of Clock
        Of the case, as they stand at `now_ns`.
    language : str
        ``en`` or ``zh``.
    now_ns : int
        When the document is written. [ns since 1970-01-01 UTC]
    log_keys : sequence of str
        Public keys of the unit's log, one line each: with them a reader checks the bundle of the case.
    subject : str
        The measure's id for a request or a referral, or the number of its proposal's event; the number of a decision's
        event, else the latest is meant.
    prepared_by : Account or None
        Who has it written.
    measurement : Measurement or None
        For a verification report on a measurement that is not an event yet.
    training : bool
        Nothing here is a real case: every page says so.

    Returns
    -------
    CaseDocument

    Raises
    ------
    UnknownLanguage
        If there is no catalogue of that language.
    NothingToWrite
        If the case does not hold what the document is about, or the document may not be written about it.
    """
    household = case_file.case.site_kind == SiteKind.HOUSEHOLD_PREMISES
    speech = Speech(language, pack.time_zone, household=household)
    desk = Desk(
        file=case_file, pack=pack, clocks=clocks, speech=speech, now_ns=now_ns, prepared_by=prepared_by,
        log_keys=tuple(log_keys),
    )  # fmt: skip
    if kind in _PLAIN:
        document = _PLAIN[kind](desk)
    elif kind in _OF_A_MEASURE:
        document = _OF_A_MEASURE[kind](desk, subject)
    elif kind is DocumentKind.DECISION:
        document = decision(desk, int(subject) if subject.isdigit() else None)
    elif kind is DocumentKind.SETTING_ASIDE:
        document = setting_aside(desk, int(subject) if subject.isdigit() else None)
    elif kind is DocumentKind.VERIFICATION_REPORT:
        document = verification_report(desk, measurement)
    else:
        raise NothingToWrite(f"{kind.value} is about no single case: it is written from the funnel or the certificate")
    if training:
        document = for_training(document, speech)
    return harmless(document, speech.say("withheld"), accounts_in_clear(case_file))


def for_training(document: CaseDocument, speech: Speech) -> CaseDocument:
    """The same document with a banner on every page: nothing in it is a real case."""
    return replace(document, banner=speech.say("training"))


def in_both_forms(document: CaseDocument) -> WrittenDocument:
    """A document as page and as PDF.

    Raises
    ------
    MissingGlyphs
        If no font has the letters of its language.
    """
    return WrittenDocument(html=to_page(document).encode("utf-8"), pdf=to_pdf(document))


def write_document(
    kind: DocumentKind,
    case_file: CaseFile,
    pack: Pack,
    clocks: Sequence[Clock],
    language: str,
    now_ns: int,
    *,
    log_keys: Sequence[str],
    subject: str = "",
    prepared_by: Account | None = None,
    measurement: Measurement | None = None,
    training: bool = False,
) -> WrittenDocument:
    """A document of a case as page and as PDF; the parameters are those of `build_document`.

    Returns
    -------
    WrittenDocument
        ``html`` and ``pdf``, both bytes; the same input gives the same bytes.

    Raises
    ------
    HeadframeError
        As `build_document`; `headframe.reports.pdf.MissingGlyphs` if no font has the letters of the language.
    """
    return in_both_forms(
        build_document(
            kind, case_file, pack, clocks, language, now_ns, log_keys=log_keys, subject=subject,
            prepared_by=prepared_by, measurement=measurement, training=training,
        )
    )  # fmt: skip


__all__ = ["NothingToWrite", "WrittenDocument", "build_document", "for_training", "in_both_forms", "write_document"]
