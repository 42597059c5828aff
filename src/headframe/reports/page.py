"""What pages have in common: templates that trust no text, and files that are there whole or not at all."""

import os
import re
import tempfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.reports.words import visible

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_POWER_OF_TEN = re.compile(r"\b10\^(-?\d+(?:\.\d+)?|infinity)", re.ASCII)


def write_page(chunks: Iterable[str], path: Path) -> None:
    """Write a page to a file, which is there whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written; an older one is then still there.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(chunks)
        # mkstemp makes files that only their owner reads; a report gets the mode that any new file would get.
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def page_environment(*, longest_text: int) -> "Environment":
    """Templates that make every text harmless and cut it at `longest_text` characters.

    Of a text that goes through the filter ``powers``, powers of ten are set as such: ``10^2.76`` with a raised 2.76.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup, escape

    def harmless(value: object) -> object:
        return visible(value, longest_text) if isinstance(value, str) and not isinstance(value, Markup) else value

    def powers(text: str) -> Markup:
        # As plain text first: what is put into a Markup would be escaped as well.
        return our_own(_POWER_OF_TEN.sub(r"10<sup>\1</sup>", str(escape(harmless(text)))))

    environment = Environment(
        # Indentation is for those who edit the template; times 1,000 cards it would be a megabyte of spaces.
        loader=FunctionLoader(lambda name: "\n".join(line.lstrip() for line in asset(name).split("\n"))),
        autoescape=True,
        finalize=harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["powers"] = powers
    return environment


def asset(name: str) -> str:
    """A template or a style sheet of this package."""
    return resources.files("headframe.reports").joinpath("templates", name).read_text(encoding="utf-8")


def our_own(text: str) -> "Markup":
    """Mark text as HTML. Only for what this package made itself out of numbers and its own words."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - see the docstring
