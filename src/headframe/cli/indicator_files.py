"""Indicator files as they come on the command line: looked at before an hour of scanning, pipes among them."""

import shutil
import stat
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType

from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail
from headframe.errors import BadIndicator
from headframe.reports.words import visible

_TRY_BYTES = 5_000_000
"""A larger file is not read twice just to find that nothing is in it."""
_MOST_BYTES = 1 << 30
"""No list of indicators is larger; ``/dev/zero`` is."""
_HEAD_BYTES = 65_536
_PIECE_BYTES = 1 << 20
_TAKES = "--indicators takes a CSV, hosts or STIX 2.1 file"


class IndicatorFiles:
    """Indicator files that can be read as often as the scan wants, each with something in it.

    What can be read only once, such as a pipe of ``<(...)``, is copied to a temporary folder, which is removed on exit.

    Parameters
    ----------
    given : list of Path
        As on the command line.
    """

    def __init__(self, given: list[Path]) -> None:
        self._given = given
        self._folder: Path | None = None
        self._name_of_copy: dict[str, str] = {}
        self.paths: tuple[Path, ...] = ()

    def __enter__(self) -> "IndicatorFiles":
        try:
            self.paths = tuple(self._readable(path) for path in self._given)
            for given, path in zip(self._given, self.paths, strict=True):
                self._refuse_if_nothing_is_in_it(given, path)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()
        if isinstance(error, BadIndicator):
            raise BadIndicator(self.as_given(str(error))) from error

    def as_given(self, message: str) -> str:
        """A message with the names that the user gave, where it has those of our copies."""
        for copy, name in self._name_of_copy.items():
            message = message.replace(copy, name)
        return message

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _readable(self, path: Path) -> Path:
        try:
            mode = path.stat().st_mode
            if stat.S_ISREG(mode):
                return path
            if stat.S_ISDIR(mode):
                raise FileNotFoundError
            return self._copy(path)
        except FileNotFoundError:
            fail(f"{visible(str(path))} is no file; {_TAKES}", ExitCode.USAGE)
        except OSError as error:
            fail(f"{visible(str(path))}: cannot be read: {error.strerror}", ExitCode.USAGE)

    def _copy(self, path: Path) -> Path:
        """A file of the same name in our own folder; its number keeps two pipes of one name apart."""
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="headframe-indicators-"))
        folder = self._folder / str(len(self._name_of_copy))
        folder.mkdir()
        copy = folder / path.name
        self._name_of_copy[str(copy)] = str(path)
        length = 0
        with path.open("rb") as source, copy.open("wb") as target:
            while piece := source.read(_PIECE_BYTES):
                length += len(piece)
                if length > _MOST_BYTES:
                    fail(
                        f"{visible(str(path))} gives more than {_MOST_BYTES >> 20:,} MiB; {_TAKES}",
                        ExitCode.USAGE,
                    )
                target.write(piece)
        return copy

    def _refuse_if_nothing_is_in_it(self, given: Path, path: Path) -> None:
        shown = visible(str(given))
        try:
            length = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
        except OSError as error:
            fail(f"{shown}: cannot be read: {error.strerror}", ExitCode.USAGE)
        if not head:
            fail(f"{shown} is empty; {_TAKES}", ExitCode.USAGE)
        # No text in UTF-8 has a zero byte; UTF-16 has one beside every Latin letter.
        if b"\0" in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
            fail(f"{shown} is no text in UTF-8, but binary or UTF-16; {_TAKES} in UTF-8", ExitCode.USAGE)
        if length > _TRY_BYTES:
            return
        from headframe import clock
        from headframe.sources.intel.load import load_indicators

        problems: list[str] = []
        try:
            found = load_indicators([path], builtin=False, today=clock.today(), problems=problems)
        except BadIndicator as error:
            fail(self.as_given(str(error)), ExitCode.USAGE)
        if not found:
            first = f"; first problem: {self.as_given(problems[0])}" if problems else ""
            fail(f"{shown} has no indicator in it; {_TAKES}{visible(first)}", ExitCode.USAGE)
