"""Documents of a case, written and kept: PDF and HTML, each under its digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from headframe.records.case import Account, CaseFile, DocumentKind, DocumentRef, Measurement
from headframe.reports.case_documents.write import write_document

if TYPE_CHECKING:
    from headframe.casework.core import Casework


def written(
    casework: Casework,
    file: CaseFile,
    kind: DocumentKind,
    *,
    language: str,
    now_ns: int,
    subject: str = "",
    account: Account | None = None,
    measurement: Measurement | None = None,
    draft: bool = False,
) -> tuple[DocumentRef, DocumentRef]:
    """Write a document and keep its bytes; the case is not told.

    Returns
    -------
    tuple of DocumentRef
        The PDF, and the page.

    Raises
    ------
    HeadframeError
        If the case does not hold what the document is about, or no font has the letters of the language.
    """
    case = file.case
    done = write_document(
        kind,
        file,
        casework.pack_of(case),
        casework.clocks_of(case, now_ns),
        language,
        now_ns,
        log_keys=[key.text() for key in casework.ledger.keys],
        subject=subject,
        prepared_by=account,
        measurement=measurement,
        training=casework.config.training,
    )
    part = re.sub(r"[^A-Za-z0-9]+", "-", subject).strip("-")
    words = (case.case_id, str(case.version), kind.value.replace("_", "-"), part, "draft" if draft else "", language)
    name = "-".join(filter(None, words))
    return (
        casework.keep_bytes(done.pdf, f"{name}.pdf", "application/pdf", kind.value),
        casework.keep_bytes(done.html, f"{name}.html", "text/html", kind.value),
    )
