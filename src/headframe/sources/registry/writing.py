"""What may stand in a cell of a table that somebody else wrote, and what must not get any further.

Identifiers and names go onto screens, into letters, spreadsheets and file names. So a row is refused, with words, where

- an **identifier begins with** ``=``, ``+``, ``-`` or ``@`` (or their wide forms): a spreadsheet takes it for a formula
  [1]_. A name may begin so (``@home Ltd``): exports put an apostrophe before it (`headframe.reports.csv_rows`);
- a **control character** stands in it, such as ESC, which a terminal obeys;
- a **bidirectional control** stands in it [2]_: it makes a name show as another one. Arabic and Hebrew need none, their
  letters bring their direction with them;
- an **invisible character** stands in it: two identifiers that look alike would be two. Two of these are letters' parts
  and stay, behind a letter or mark of a script that joins its letters: the zero-width joiner (Sinhala, Malayalam) and
  the zero-width non-joiner (Persian) [3]_; so do the signs that Arabic writes before a number, which can be seen;
- an **identifier has U+FFFD**: the file is not UTF-8, and different identifiers would become one;
- it is **longer** than `LONGEST_IDENTIFIER` or `LONGEST_TEXT`: no name is, and letters and the ledger quote them.

A tab or a line break within a name is a blank; within an identifier it is a control character like others.

References
----------
.. [1] OWASP, "CSV Injection".
.. [2] Unicode Standard Annex 9, section 2: explicit directional formatting characters (Bidi_Control).
.. [3] Unicode Standard, section 23.2, "Cursive Connection and Ligatures"; RFC 5892, appendix A.1 and A.2.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_IDENTIFIER = 300
"""Twice the longest names of organisations; twenty of them fit into the words of a look-up. Ours. [characters]"""
LONGEST_TEXT = 10_000
"""Of a name, or of what an entry allows in its register's words. Ours. [characters]"""
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
JOINERS = frozenset("\u200c\u200d")
_FORMULA_STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"
_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Of category Cf, and drawn all the same (Prepended_Concatenation_Mark)."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNJOINED = frozenset({
    "LATIN", "GREEK", "CYRILLIC", "CJK", "HANGUL", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HEBREW", "ARMENIAN", "GEORGIAN",
    "COMBINING", "FULLWIDTH", "HALFWIDTH", "MODIFIER", "VARIATION",
})  # fmt: skip
"""First words of the names of letters that a joiner changes nothing in, so that it only hides there."""
_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")


def on_one_line(text: str) -> str:
    """A text with a blank for each tab or line break."""
    return _BREAKS.sub(" ", text)


def check_text(text: str, column: str) -> None:
    """Refuse a text with characters that cannot be seen, or that a terminal obeys.

    Parameters
    ----------
    text : str
    column : str
        For the message; the text itself is not quoted, because it may be an address.

    Raises
    ------
    ValueError
        With the character, its place, and what would be right.
    """
    _check_length(text, column, LONGEST_TEXT)
    if text.isascii() and text.isprintable():
        return
    for at, letter in enumerate(text):
        if unicodedata.category(letter) in _UNSEEN and letter not in _VISIBLE_FORMATS:
            if letter in JOINERS and at and _joins(text[at - 1]):
                continue
            name = unicodedata.name(letter, "")
            shown = f"U+{ord(letter):04X}{' ' + name if name else ''}"
            raise ValueError(f"{column} has {shown} as character {at + 1}, {_why(letter)}")


def check_identifier(text: str, column: str) -> None:
    """Refuse an identifier that a spreadsheet takes for a formula, or that `check_text` refuses.

    Parameters
    ----------
    text : str
    column : str
        For the message.

    Raises
    ------
    ValueError
        With what is wrong, and what would be right.
    """
    _check_length(text, column, LONGEST_IDENTIFIER)
    if text[:1] and text[0] in _FORMULA_STARTS:
        raise ValueError(
            f"{column} begins with {text[0]!a}, which a spreadsheet takes for a formula; "
            "an identifier begins with a letter or a digit"
        )
    if "\ufffd" in text:
        raise ValueError(
            f"{column} has bytes that are not UTF-8, and identifiers that differ there would become one; "
            "save the table as UTF-8"
        )
    check_text(text, column)


def _check_length(text: str, column: str, longest: int) -> None:
    if len(text) > longest:
        raise ValueError(f"{column} has {len(text):,} characters, and at most {longest:,} make sense; shorten it")


def _joins(letter: str) -> bool:
    """Whether a letter or mark is of a script in which a joiner changes how letters look."""
    if unicodedata.category(letter)[0] not in "LM":
        return False
    return unicodedata.name(letter, "LATIN").split(" ", 1)[0] not in _UNJOINED


def _why(letter: str) -> str:
    if letter in BIDI_CONTROLS:
        return (
            "which turns the direction of writing round, so that it shows as something else; leave it out: "
            "letters that are written from right to left need none"
        )
    if unicodedata.category(letter) == "Cc":
        return "a control character, which a terminal would obey; leave it out"
    return "which nobody can see, so that two that look alike would differ; leave it out"
