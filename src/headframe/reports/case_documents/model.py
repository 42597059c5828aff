"""A document as data: what stands in it and in which order, before anybody draws it.

Two renderers take it: a page (`headframe.reports.case_documents.page`) and a PDF (`headframe.reports.pdf`). Neither
knows what a case is, and neither may add or drop a word. Texts are plain strings in the document's language; no mark-up
of any kind is understood in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from headframe.reports.words import visible

LONGEST_TEXT = 6_000
"""Of one text; more is cut, and the cut is stated. A reply of a party may be long. [characters]"""


class Tone(StrEnum):
    """How weighty something is; a renderer shows it by colour and rule, and never by colour alone."""

    PLAIN = "plain"
    STRONG = "strong"
    SOFT = "soft"
    CAUTION = "caution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Subheading:
    """A heading inside a section: both forms make it one that can be jumped to, not only bold words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A label and what it says; `code` where the value is an identifier or a digest, to be read letter by letter."""

    label: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Labels with their values, one below the other."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A numbered fact: one can answer to it by its number."""

    number: int
    text: str
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts in order."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Points one below the other, numbered where their order matters."""

    items: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: its head, whether it holds figures or identifiers, and its share of the width."""

    head: str
    figures: bool = False
    code: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; every row has a cell for each column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    total: bool = False
    """The last row is a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the columns that stand side by side, with its points."""

    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What supports, what contradicts and what is missing: side by side, none of them smaller than the others."""

    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendPart:
    """One kind of mark of a plot, by its class in the picture, in words."""

    mark: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture.

    Attributes
    ----------
    svg : str
        Made by `headframe.reports.case_documents.drawings`; it stretches to any width.
    caption : str
    description : str
        What it shows, for those who do not see it.
    legend : tuple of LegendPart
    notes : tuple of str
        What was thinned or left off.
    """

    svg: str
    caption: str
    description: str
    legend: tuple[LegendPart, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """What must not be overlooked."""

    title: str
    lines: tuple[str, ...]
    tone: Tone = Tone.STRONG


@dataclass(frozen=True, slots=True, kw_only=True)
class RightLine:
    """A right of the party: what it is, before whom, until when, and on what that rests."""

    title: str
    text: str
    due: str
    basis: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Rights of the party with their clocks."""

    rights: tuple[RightLine, ...]
    due_label: str
    basis_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A piece of evidence: its name, what is known of it, and the digest by which it is recognised."""

    name: str
    details: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibits:
    """Pieces of evidence."""

    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """Lines to be typed or copied letter by letter, a command or a key: what they are, and nothing changed in them."""

    label: str
    exact: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who stands for what: a unit and an account, never a name."""

    role: str
    unit: str
    account: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """Signatures in the order of the acts."""

    signatures: tuple[Signature, ...]


Block = (
    Paragraph | Subheading | Entries | Facts | Listing | Table | Sides | Plot | Callout | Rights | Exhibits | Verbatim
    | Signatures
)  # fmt: skip
"""Anything that stands in a section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Who writes, under which rules, about which case, when, and to whom.

    Attributes
    ----------
    unit : str
        The unit that answers for the document.
    under : str
        The policy pack's title.
    reference_label, reference : str
        Case number, or what the document is filed under.
    entries : tuple of Entry
        Further facts of the head: date, site.
    addressee_label : str
        Empty where the document goes to nobody in particular.
    addressee : tuple of str
        By organisation, site and desk; never a name, never a delivery address.
    """

    unit: str
    under: str
    reference_label: str
    reference: str
    entries: tuple[Entry, ...]
    addressee_label: str
    addressee: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """Words of the page itself, in the document's language; ``{page}`` and ``{pages}`` are put in by the renderer."""

    page_of: str
    made_with: str
    skip: str
    colours: str
    colours_auto: str
    colours_light: str
    colours_dark: str
    loads_nothing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDocument:
    """A document, ready to be drawn.

    Attributes
    ----------
    kind : str
        `headframe.records.case.DocumentKind`, by value.
    language : str
        ``en`` or ``zh``.
    made_ns : int
        When it was written. [ns since 1970-01-01 UTC]
    title : str
    lead : tuple of str
        What it comes down to, in a few sentences.
    standing : Callout or None
        What holds for the document as a whole: a draft, no decision, nothing held against anybody.
    banner : str
        What stands on every page: that it is an exercise. Empty as a rule.
    """

    kind: str
    language: str
    made_ns: int
    title: str
    letterhead: Letterhead
    lead: tuple[str, ...]
    standing: Callout | None
    sections: tuple[Section, ...]
    furniture: Furniture
    banner: str = ""


# An account of a coin, a delivery address: neither has a place in a document, whoever typed it into which field.
_ACCOUNTS = re.compile(
    r"(?<![\w@.])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # mail
    r"|\b(?:bc1|ltc1|tb1)[02-9ac-hj-np-z]{11,87}\b"  # BIP 173, BIP 350
    r"|\b(?:bitcoincash:|kaspa:)[02-9ac-hj-np-z]{40,}\b"
    r"|\b0x[0-9a-fA-F]{40}\b"  # Ethereum
    r"|\b[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}(?:[1-9A-HJ-NP-Za-km-z]{11})?\b"  # Monero
)
_BASE58 = re.compile(
    r"\b[13LMDtX][1-9A-HJ-NP-Za-km-z]{24,34}\b"
)  # Base58Check: Bitcoin, Litecoin, Dogecoin, Dash, Zcash

_Node = TypeVar("_Node")


def withheld(text: str, in_place: str) -> str:
    """A text without what looks like a wallet or a mail address.

    Parameters
    ----------
    text : str
    in_place : str
        What is written there instead.

    Returns
    -------
    str
    """
    text = _ACCOUNTS.sub(in_place, text)
    # A name in capitals only, or in small letters only, is no Base58Check address but an identifier of ours.
    return _BASE58.sub(
        lambda found: found.group() if found.group().isupper() or found.group().islower() else in_place, text
    )


def harmless(document: _Node, in_place: str, accounts: tuple[str, ...] = ()) -> _Node:
    """A document whose every text is visible, of bearable length, and free of wallets and addresses.

    Parameters
    ----------
    document : CaseDocument or a part of one
    in_place : str
        What is written where an account stood.
    accounts : tuple of str
        Accounts that the findings name in clear (they were made with ``--reveal``).

    Returns
    -------
    CaseDocument or a part of one
    """
    clear = sorted({name for name in accounts if len(name) >= 4}, key=len, reverse=True)

    def text(value: str) -> str:
        for name in clear:
            value = value.replace(name, in_place)
        return visible(withheld(value, in_place), LONGEST_TEXT)

    changed: _Node = _each_text(document, text)
    return changed


def _each_text(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, StrEnum):
        return node
    if isinstance(node, str):
        return change(node)
    if isinstance(node, tuple):
        return tuple(_each_text(one, change) for one in node)
    if is_dataclass(node) and not isinstance(node, type):
        # A picture is made of numbers and escaped words already; a digest is none of the texts that could hide one, and
        # in a public key any letters may stand, those of a wallet too: a key that is changed is none.
        return replace(
            node,
            **{
                field.name: _each_text(getattr(node, field.name), change)
                for field in fields(node)
                if field.name not in ("svg", "sha256", "exact")
            },
        )
    return node


def as_data(node: Any) -> Any:
    """Plain lists and dictionaries, each block with its kind: what templates read.

    Parameters
    ----------
    node : CaseDocument or a part of one

    Returns
    -------
    Plain JSON value.
    """
    if isinstance(node, StrEnum):
        return node.value
    if isinstance(node, tuple):
        return [as_data(one) for one in node]
    if is_dataclass(node) and not isinstance(node, type):
        made: dict[str, Any] = {"is": type(node).__name__.lower()}
        made.update((field.name, as_data(getattr(node, field.name))) for field in fields(node))
        return made
    return node
