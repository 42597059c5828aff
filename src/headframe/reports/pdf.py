"""A document as PDF: PDF/A-2a (for archives) and PDF/UA-1 (for those who do not see it), the same bytes each time.

The text of a case goes to the compiler as data and never as mark-up. Latin letters come from fonts inside the compiler;
Chinese ones must be installed.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from headframe.errors import HeadframeError
from headframe.reports.case_documents.drawings import on_paper
from headframe.reports.case_documents.model import CaseDocument, as_data
from headframe.reports.page import asset
from headframe.reports.words import NS_PER_S

if TYPE_CHECKING:
    import typst

FONT_VARIABLE = "HEADFRAME_FONTS"
"""Environment variable with folders of further fonts, apart by ``:`` (``;`` on Windows)."""
STANDARDS: tuple[Literal["a-2a"], Literal["ua-1"]] = ("a-2a", "ua-1")
"""PDF/A-2a, ISO 19005-2, and PDF/UA-1, ISO 14289-1."""

_LATIN_TEXT = ("Libertinus Serif",)
_CODE = ("DejaVu Sans Mono",)
_CHINESE_TEXT = ("Noto Serif CJK SC", "Noto Serif SC", "Source Han Serif SC", "Songti SC", "SimSun")
_CHINESE_HEAD = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei")
_CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_INSTALL = (
    "install a font that has them (for Chinese on Debian: apt-get install fonts-noto-cjk), or name a folder that holds "
    f"one in {FONT_VARIABLE}"
)
_MOST_SYMBOLS = 32  # each costs one more run of the compiler
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MissingGlyphs(HeadframeError):
    """No font at hand has the letters of the document."""


def to_pdf(document: CaseDocument, language: str = "") -> bytes:
    """The document as a PDF file.

    Parameters
    ----------
    document : CaseDocument
    language : str
        The document's own where empty; any other is refused, since a document is written in one language.

    Returns
    -------
    bytes
        The same for the same document, fonts and version of the compiler.

    Raises
    ------
    MissingGlyphs
        If no font has the letters of a text.
    ValueError
        If `language` is not the document's.
    """
    import typst

    if language and language.partition("-")[0].lower() != document.language:
        raise ValueError(f"the document is written in {document.language!r}, not in {language!r}: write it anew")
    fonts = _fonts()
    families = _families(document, fonts)
    data = _on_paper(as_data(document), [*families["head"], *families["text"]])
    made = _EPOCH + timedelta(seconds=document.made_ns // NS_PER_S)
    families.update(
        year=made.year, month=made.month, day=made.day, hour=made.hour, minute=made.minute, second=made.second
    )
    template = asset("case_document.typ").encode()
    for _ in range(_MOST_SYMBOLS):
        try:
            return bytes(
                typst.compile(
                    template,
                    font_paths=fonts,
                    sys_inputs={"document": json.dumps(data, ensure_ascii=True), "fonts": json.dumps(families)},
                    pdf_standards=[*STANDARDS],
                    timestamp=document.made_ns // NS_PER_S,
                    format="pdf",
                )
            )
        except typst.TypstError as fault:
            # A pictogram in somebody's site name must not stop a notice: it is told by its code point.
            data = _without_symbol(data, fault)
    raise MissingGlyphs(f"more than {_MOST_SYMBOLS} different symbols of the document have no font; {_INSTALL}")


def _fonts() -> typst.Fonts:
    """Fonts of the compiler, of the system, and of the folders that the user names."""
    folders = tuple(name for name in os.environ.get(FONT_VARIABLE, "").split(os.pathsep) if name)
    for name in folders:
        if not Path(name).is_dir():
            raise MissingGlyphs(f"{FONT_VARIABLE} names {name}, which is no folder; name folders that hold fonts")
    return _fonts_in(folders)


@lru_cache(maxsize=1)
def _fonts_in(folders: tuple[str, ...]) -> typst.Fonts:
    """As `_fonts`; looking through the system's takes longer than most documents, so it is done once."""
    import typst

    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=list(folders))


def _families(document: CaseDocument, fonts: typst.Fonts) -> dict[str, Any]:
    there = set(fonts.families())
    text = [name for name in _CHINESE_TEXT if name in there]
    head = [name for name in _CHINESE_HEAD if name in there]
    if _CHINESE.search(json.dumps(as_data(document), ensure_ascii=False)) and not (text or head):
        raise MissingGlyphs(f"the document holds Chinese characters, and no font for them is installed; {_INSTALL}")
    others = sorted(there - {*_LATIN_TEXT, *_CODE, *text, *head})
    rest = [name for name in ("DejaVu Sans", "Noto Sans", "Liberation Sans") if name in others]
    return {
        "text": [*_LATIN_TEXT, *(text or head), *rest],
        "head": [*_LATIN_TEXT, *(head or text), *rest],
        "code": [*_CODE, *(head or text), *rest],
    }


def _without_symbol(data: Any, fault: Exception) -> Any:
    """The data with a symbol that no font has written as ``U+1F3ED``; what is a letter, or another fault, is told."""
    found = re.search(r'text `"(.*?)"` could not be displayed', str(fault), re.DOTALL)
    if not found:
        raise HeadframeError(f"the PDF could not be made: {fault}") from fault
    missing = found.group(1)
    if any(unicodedata.category(character)[0] in "LMN" for character in missing):
        raise MissingGlyphs(f"no font at hand has the document's characters {missing!r}; {_INSTALL}") from fault
    return _replaced(data, missing, "".join(f"U+{ord(character):04X}" for character in missing))


def _replaced(node: Any, what: str, by: str) -> Any:
    if isinstance(node, list):
        return [_replaced(one, what, by) for one in node]
    if isinstance(node, dict):
        return {key: _replaced(value, what, by) for key, value in node.items()}
    return node.replace(what, by) if isinstance(node, str) else node


def _on_paper(node: Any, families: Sequence[str]) -> Any:
    if isinstance(node, list):
        return [_on_paper(one, families) for one in node]
    if isinstance(node, dict):
        return {
            key: on_paper(value, _of_picture(value, families)) if key == "svg" else _on_paper(value, families)
            for key, value in node.items()
        }
    return node


def _of_picture(svg: str, families: Sequence[str]) -> Sequence[str]:
    """Fonts of a picture, those with Chinese letters first where it holds any.

    In a picture, a letter that the first font lacks is taken from any font that has it; of Chinese letters that may be
    the Japanese shape.
    """
    if not _CHINESE.search(svg):
        return families
    return [*(name for name in families if name not in _LATIN_TEXT), *_LATIN_TEXT]
