"""How much of a text the ledger and the database take: what people type, and not what they paste.

A text that was logged is read by whoever gets the case, stands in letters, and must fit into a line of a bundle
(`headframe.ledger.bundle.LARGEST_LINE`). What is longer is a document: it is kept under its digest, and a sentence says
what it is. Everything that is sealed into a leaf passes here, whichever command it came from.

Nor is a text the place for how somebody is reached. What looks like a mail address or a telephone number is told to
whoever typed it, and not refused: it may be the number of a meter after all, or a unit's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from headframe.cases.texts import LINE_ENDS_AND_TABS
from headframe.errors import HeadframeError

MOST_CHARACTERS = 100_000
"""Some forty pages: longer than any reason, reply or summary that somebody types. Ours; no text says so."""
MOST_TOGETHER = 4_000_000
"""Of all texts of one act. A character takes four bytes at most, and a line of a bundle has 16 MiB. What the program
itself lists, such as the digests in a certificate of destruction, is not counted. [characters]"""

TYPED = frozenset(
    {
        "text", "reason", "summary", "grounds", "observations", "heard_reply", "remark", "place", "present", "channel",
        "body", "held_back",
    }
)  # fmt: skip
"""Fields of leaves that people type. Names of files, ids and what the program writes itself are others."""

# One character before the sign is enough; to look for all of them takes the square of a text's length.
_AT = re.compile(r"[\w.+-]@[\w-]+(?:\.[\w-]+)+")
# What has as many digits as a telephone number, and is none: dates and times, addresses of hosts, our own numbers,
# digests, amounts with decimals.
_NO_NUMBER = re.compile(
    r"\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d\b)?|\d{1,2}[./]\d{1,2}[./]\d{4}"
    r"|\d{4}年\d{1,2}月\d{1,2}日|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+|/\d+)?\b|\b[A-Z]{1,3}-(?:\d{4}-\d{6}|[0-9a-f]+)\b"
    r"|#[\w.+-]+|\b(?=[0-9a-f]*[a-f])[0-9a-f]{12,}\b|\b\d+[.,]\d+\b"
)
_NAMED_OTHERWISE = (
    r"(?:meter|point|serial|seal|asset|file|order|invoice|licen[cs]e|warrant|account|customer|number|no\.?|nr\.?|№|#|"
    r"表|表号|户号|编号|序列号|封号|许可证|文号|账号)\s*[:：]?\s*"
)
_LABELLED = re.compile(
    r"(?:\b(?:tele)?phone|\btel\b|\bmobile|\bcell\b|\bfax|\bwhatsapp|\bwechat|电话|電話|手机|手機|联系方式|微信|传真|телефон|тел\.)"
    r"[^\d\n+(]{0,12}[+(]?\d[\d ()./-]{4,}\d",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.+-])(?:"
    r"\+[1-9]\d{0,2}[ ./-]?\(?\d{1,5}\)?(?:[ ./-]?\d{2,5}){1,4}"  # +86 138 1234 5678, +47 22 33 44 55
    r"|1[3-9]\d[ -]?\d{4}[ -]?\d{4}"  # mobile, China
    r"|\(?0\d{1,3}\)?[ -]\d{3,4}[ -]?\d{4}"  # 010-12345678, 03-8921 1234
    r"|8[ -]?\(\d{3,5}\)[ -]?\d{1,3}[ -]\d\d[ -]\d\d"  # Russia, within the country
    r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4}"  # North America
    r")(?![\w-])"
)


_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class ControlCharacter(HeadframeError):
    """A text has a character in it that no page shows and that a terminal may obey."""


class TextTooLong(HeadframeError):
    """A text does not fit into the ledger; it is to be handed in as a document."""


def refuse_unfit_texts(fields: Mapping[str, object], *, of_an_act: bool = True) -> None:
    """Refuse fields of a leaf with a text so long that it is a document, or with control characters that were typed.

    Parameters
    ----------
    fields : mapping of str to JSON value
    of_an_act : bool
        Whether all texts together are bounded as well.

    Raises
    ------
    TextTooLong
        With the name of the text, its length, and what to do instead.
    ControlCharacter
        If what was typed, or what a correction puts in its place, has one that is no line end and no tab.
    """
    together = 0
    for name, text in _named_texts(fields):
        together += len(text)
        if len(text) > MOST_CHARACTERS:
            raise TextTooLong(
                f"{name} has {len(text):,} characters, and the file of a case takes texts of up to "
                f"{MOST_CHARACTERS:,}. Nothing was recorded. Hand it in as a document instead (--document FILE, "
                "where the command takes one), and say here in a sentence what it is"
            )
        if name in TYPED or (name == "value" and of_an_act):
            _refuse_control_characters(name, text)
    if of_an_act and together > MOST_TOGETHER:
        raise TextTooLong(
            f"the texts of this act have {together:,} characters together, and the file of a case takes up to "
            f"{MOST_TOGETHER:,}. Nothing was recorded; hand some of it in as documents"
        )


def _refuse_control_characters(name: str, text: str) -> None:
    # The value of a correction is JSON, which has its own way to write them.
    for said in decoded(text) if name == "value" else (text,):
        for letter in said:
            if unicodedata.category(letter) == "Cc" and letter not in LINE_ENDS_AND_TABS:
                raise ControlCharacter(
                    f"{name} has the control character U+{ord(letter):04X} in it, which no page shows; nothing was "
                    "recorded. Leave it out; line ends and tabs may stay"
                )


def decoded(text: str) -> Iterator[str]:
    r"""A text, and what it says when the escape sequences of JSON in it are read, as often as there are some.

    Also of text that holds JSON only in part, or JSON within JSON: where a word must not be told, no way to write it
    is told either.

    Parameters
    ----------
    text : str

    Yields
    ------
    str

    Examples
    --------
    >>> list(decoded(r'["\u674e"]'))
    ['["\\u674e"]', '["李"]']
    """
    while True:
        yield text
        # Each round takes a character away at least, so there is an end.
        plainer = _ESCAPE.sub(_escaped, text)
        if plainer == text:
            return
        # Two halves of a surrogate pair are one character.
        text = plainer.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escaped(found: re.Match[str]) -> str:
    what = found[1]
    return chr(int(what[1:], 16)) if len(what) == 5 else _ESCAPED.get(what, what)


def ways_to_reach(text: str) -> tuple[str, ...]:
    """What in a text looks like a way to reach somebody: kinds, in words, without the text itself.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> ways_to_reach("write to mei@example.org or call 138 1234 5678")
    ('a mail address', 'a telephone number')
    >>> ways_to_reach("meter 13812345678 of HF-2026-000001 at 192.0.2.7, read on 2026-11-03")
    ()
    """
    found = []
    if _AT.search(text):
        found.append("a mail address")
    rest = _NO_NUMBER.sub("§", text)
    numbers = (one for one in _NUMBER.finditer(rest) if 7 <= sum(map(str.isdigit, one[0])) <= 15)
    if _LABELLED.search(rest) or any(not _otherwise(rest[max(one.start() - 24, 0) : one.start()]) for one in numbers):
        found.append("a telephone number")
    return tuple(found)


def _otherwise(before: str) -> bool:
    """Whether the words before a number say that it is of something else."""
    return re.search(_NAMED_OTHERWISE + r"$", before, re.IGNORECASE) is not None


def cautions(fields: Mapping[str, object]) -> Iterator[str]:
    """What whoever typed the texts of a leaf should be told of them.

    Parameters
    ----------
    fields : mapping of str to JSON value

    Yields
    ------
    str
        Names the field and what it looks like, never what it says.
    """
    for name, text in _named_texts(fields):
        if name in TYPED:
            for what in ways_to_reach(text):
                yield (
                    f"{name} has in it what looks like {what}. It is kept with the text, sealed, until retention lets "
                    "go of it, and stands in papers that show the text. Hand such things in as a document, or leave "
                    "them out; where a unit is reached is in the registry (headframe sites import)"
                )


def _named_texts(fields: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Every text of a leaf, at any depth, with the name that it stands under."""
    waiting: list[tuple[str, object]] = list(fields.items())
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, Mapping):
            waiting.extend((str(key), inner) for key, inner in value.items())
        elif isinstance(value, Sequence) and not isinstance(value, bytes):
            waiting.extend((name, inner) for inner in value)
