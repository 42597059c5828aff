"""A document as one HTML file that works offline, in the style of the other reports and with the same defences."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from headframe import __version__
from headframe.reports.case_documents.model import LONGEST_TEXT, CaseDocument, as_data
from headframe.reports.page import asset, our_own, page_environment
from headframe.reports.words import instant

SHARE_STEP = 5
"""Widths of columns come in steps: the page allows no style but that of its sheet. [%]"""

_LANGUAGE_TAG = {"en": "en", "zh": "zh-Hans"}


def to_page(document: CaseDocument) -> str:
    """The document as a page.

    Parameters
    ----------
    document : CaseDocument

    Returns
    -------
    str
        An HTML document that needs nothing else.
    """
    style = asset("report.css") + asset("case_document.css")
    template = page_environment(longest_text=2 * LONGEST_TEXT).get_template("case_document.html")
    return template.render(
        style=our_own(style),
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
        version=__version__,
        language=_LANGUAGE_TAG[document.language],
        made=instant(document.made_ns),
        document=_with_shares(_with_pictures(as_data(document))),
    )


def _with_pictures(node: Any) -> Any:
    """Mark pictures as ours: they are made of numbers and of words that were escaped."""
    if isinstance(node, list):
        return [_with_pictures(one) for one in node]
    if isinstance(node, dict):
        return {key: our_own(value) if key == "svg" else _with_pictures(value) for key, value in node.items()}
    return node


def _with_shares(node: Any) -> Any:
    """Give each column of a table its share of the width, in steps of which the style sheet has one each. [%]"""
    if isinstance(node, list):
        return [_with_shares(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _with_shares(value) for key, value in node.items()}
    if made.get("is") == "table":
        whole = sum(column["weight"] for column in made["columns"])
        for column in made["columns"]:
            column["share"] = max(round(100 / SHARE_STEP * column["weight"] / whole), 1) * SHARE_STEP
    return made
