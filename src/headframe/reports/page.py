"""What pages have in common: templates that trust no text, and files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.reports.words import visible

if TYPE_CHECKING:
    from jinja2 import Environment


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
    """Templates that make every text harmless and cut it at `longest_text` characters."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def harmless(value: object) -> object:
        return visible(value, longest_text) if isinstance(value, str) and not isinstance(value, Markup) else value

    return Environment(
        # Indentation is for those who edit the template; times 1,000 cards it would be a megabyte of spaces.
        loader=FunctionLoader(lambda name: "\n".join(line.lstrip() for line in asset(name).split("\n"))),
        autoescape=True,
        finalize=harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def asset(name: str) -> str:
    """A template or a style sheet of this package."""
    return resources.files("headframe.reports").joinpath("templates", name).read_text(encoding="utf-8")


def our_own(text: str) -> str:
    """Mark text as HTML. Only for what this package made itself out of numbers and its own words."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - see the docstring
