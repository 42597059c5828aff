"""What is wrong with a command line, in words: what came, what would be right, what to do next.

The parser's own messages speak of types and of Python. Its exceptions are told apart by the names of their classes:
it exports hardly any of them, and where they are defined has changed.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import typer
from typer.core import TyperGroup

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import say

_MISTAKE: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")

_LONGEST = 200  # of what came, in a message [characters]
_SECRET = re.compile(r"(passw\w*\s*[=:]\s*)\S+|(?<=:)[^\s@]+(?=@)", re.IGNORECASE)
"""What stands where passwords do, in the address of a database: a line may have been cut into words in its middle."""
_HALF = re.compile("[\ud800-\udfff]")  # half a surrogate pair; a value may be a million characters


class PoliteGroup(TyperGroup):
    """The program's commands, whose parser speaks as the program does."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that the arguments name; a mistake in them ends the program in words.

        Raises
        ------
        SystemExit
            With an exit code of `headframe.cli.exit_codes`.
        """
        words = list(sys.argv[1:] if args is None else args)
        try:
            _check_words(self, words)
            ended = super().main(
                words,
                prog_name=prog_name,
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except _MISTAKE as mistake:
            if not standalone_mode:
                raise
            if type(mistake).__name__ == "NoArgsIsHelpError":
                mistake.show()
                raise SystemExit(int(ExitCode.USAGE)) from None
            names, command = _named(self, words)
            path = " ".join([prog_name or "headframe", *names])
            say(words_of(mistake, command))
            say(f"{path} --help tells how it is used, with an example")
            raise SystemExit(int(ExitCode.USAGE)) from None
        if not standalone_mode:
            return ended
        if ended == ExitCode.INTERRUPTED:
            say("interrupted")
        raise SystemExit(ended if isinstance(ended, int) else int(ExitCode.OK))


def _named(group: Any, words: Sequence[str]) -> tuple[list[str], Any]:
    """The command that the words begin with, as far as there is one, and its names."""
    names: list[str] = []
    command = group
    for word in words:
        inner = getattr(command, "commands", {}).get(word)
        if inner is None:
            break
        names.append(word)
        command = inner
    return names, command


def _check_words(group: Any, words: Sequence[str]) -> None:
    """Refuse what no command can use, before any command has to.

    An empty name of a file means the folder one stands in, to the system and to nobody else. What the shell hands over
    in another encoding than UTF-8 arrives as lone surrogates, which nothing can keep; the name of a file may be such.
    """
    if any("\0" in word for word in words):
        # The system refuses it in the name of a file with an error of Python's, and databases in a text.
        raise _MISTAKE("a NUL character can stand in no text and in no name of a file; leave it out")
    if all(word.isprintable() and not word.endswith("=") and word for word in words):
        return
    names, command = _named(group, words)
    if hasattr(command, "commands"):
        return
    try:
        context = command.context_class(command, info_name=names[-1])
        came, _, _ = command.make_parser(context).parse_args(list(words[len(names) :]))
    except _MISTAKE:
        return  # the command's own parsing says what it is
    for option in command.params:
        given = came.get(option.name)
        for value in given if isinstance(given, (list, tuple)) else [given]:
            if isinstance(value, str):
                _check_value(option, value)


def _check_value(option: Any, value: str) -> None:
    path, words = _is_path(option), not (_is_path(option) or _choices(option) or _number(option))
    asked = option.param_type_name == "option" and (option.required or getattr(option, "multiple", False))
    if not value.strip() and (path or (words and asked)):
        raise _MISTAKE(f"{_name(option)} is empty: expected {_expected(option)}")
    # The writers of tables take no name of a folder in another encoding.
    if (words or option.metavar == "OUT_FOLDER") and _HALF.search(value):
        # The address of a database may have a password anywhere.
        came = "" if option.name == "database_url" else f" {shown(value)}"
        raise _MISTAKE(
            f"{_name(option)}{came} is no UTF-8, so it could not be kept, and nothing was done; "
            "give it in UTF-8 (in a terminal whose locale is one of UTF-8)"
        )


def _is_path(option: Any) -> bool:
    """Whether it names a file or folder; captures are named as texts, since their reader takes ``-`` too."""
    kind = getattr(getattr(option, "type_descriptor", None), "annotation", getattr(option, "type", ""))
    return "path" in str(kind).lower() or option.metavar == "PATH"


def words_of(mistake: Any, command: Any) -> str:
    """What came, what would be right.

    Parameters
    ----------
    mistake : Exception
        What the parser raised.
    command : object
        The parser's command.

    Returns
    -------
    str
        One line.
    """
    kind = type(mistake).__name__
    if kind == "MissingParameter":
        return f"{_name(mistake.param)} is missing: {_expected(mistake.param)}"
    if kind == "BadParameter":
        return _wrong_value(mistake)
    if kind == "NoSuchOption":
        near = list(mistake.possibilities or ())
        return f"there is no option {shown(mistake.option_name)} here{_did_you_mean(near)}"
    if kind == "BadOptionUsage":
        option = next((one for one in getattr(command, "params", ()) if mistake.option_name in one.opts), None)
        if option is None or getattr(option, "is_flag", False):
            return f"{mistake.option_name} takes no value; give it alone"
        return f"{mistake.option_name} came without its value: {_expected(option)}"
    return _by_its_words(mistake, command)


def _by_its_words(mistake: Any, command: Any) -> str:
    """Mistakes that have no class of their own."""
    text = str(getattr(mistake, "message", mistake))
    if text.startswith("Got unexpected extra argument"):
        came = text.partition(" (")[2].removesuffix(")")
        return f"too many words: {shown(came)}; a text of several words stands in quotation marks"
    commands = list(getattr(command, "commands", ()))
    if text.startswith(("No such command", "Missing command")) and commands:
        came = text.partition("'")[2].rpartition("'")[0].split("'")[0]
        if not came:
            return f"a command is missing: {', '.join(commands)}"
        return (
            f"there is no command {shown(came)}{_did_you_mean(_near(came, commands))}; there are {', '.join(commands)}"
        )
    return text


def _wrong_value(mistake: Any) -> str:
    """A value of the wrong kind: the option, what came, what it takes."""
    option = mistake.param
    if option is None:
        return str(mistake.message)
    came = _what_came(mistake)
    if came is None:
        return f"{_name(option)}: {str(mistake.message).removeprefix('Value error, ')}"
    choices = _choices(option)
    near = _did_you_mean(_near(came, choices))
    return f"{_name(option)} {shown(came)}: expected {_expected(option)}{near}"


def _what_came(mistake: Any) -> str | None:
    """The value that was refused, from the fault behind the parser's."""
    details = getattr(mistake.__cause__, "errors", None)
    if details is None:
        return None
    found = details()
    return str(found[0]["input"]) if found and "input" in found[0] else None


def _name(option: Any) -> str:
    """``--reason`` of an option, ``CASE`` of an argument."""
    if option is None:
        return "a value"
    if option.param_type_name == "option":
        return str(max(option.opts, key=len))
    return str(option.metavar or option.name).strip("[]")


def _expected(option: Any) -> str:
    """What an option takes: its words, its kind and range of numbers, or what its help says."""
    if option is None:
        return "a value"
    if choices := _choices(option):
        return f"one of {', '.join(choices)}"
    told = str(getattr(option, "help", "") or "").rstrip(".")
    number = _number(option)
    if number:
        return f"{number} ({told})" if told else number
    metavar = str(option.metavar or option.name)
    return f"{metavar} ({told})" if told and option.param_type_name == "option" else told or metavar


def _number(option: Any) -> str:
    """``a whole number, 1 to 1000``, or nothing where it is none."""
    descriptor = getattr(option, "type_descriptor", None)
    kind = getattr(descriptor, "annotation", None)
    inner = getattr(kind, "__args__", None)
    if inner:
        kind = inner[0]
    what = {int: "a whole number", float: "a number", datetime: "a day, such as 2026-04-01"}.get(kind)  # type: ignore[arg-type]
    if what is None:
        return ""
    low, high = option.min, option.max
    if low is not None and high is not None:
        return f"{what}, {low:,} to {high:,}"
    if low is not None:
        return f"{what}, {low:,} or more"
    return what if high is None else f"{what}, {high:,} or less"


def _choices(option: Any) -> list[str]:
    """The words that an option takes, or none where it takes any."""
    found = getattr(getattr(option, "type_descriptor", None), "choices", None)
    if found is None:
        found = getattr(getattr(option, "type", None), "choices", ())
    return [str(getattr(one, "value", one)) for one in found or ()]


def _near(came: str, words: Iterable[str]) -> list[str]:
    from difflib import get_close_matches

    # A long word is compared with each for as long as it is; none of ours is.
    return get_close_matches(came[:64].lower(), list(words))


def _did_you_mean(near: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(near)}?" if near else ""


def shown(text: str) -> str:
    """What came, in quotation marks, harmless to a terminal, not too long, and without the password of an address."""
    from headframe.reports.words import visible

    masked = _SECRET.sub(lambda found: f"{found.group(1) or ''}***", text)
    return f"'{visible(masked, _LONGEST)}'"
