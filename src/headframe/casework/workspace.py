"""The folder that casework lives in: what is where, and how it is made.

| place | what |
|---|---|
| ``workspace.json`` | format, unit, name of the log, whether it is for training, zone of its tables, witnesses |
| ``database.url`` | address of PostgreSQL; without it ``headframe.db`` (SQLite) |
| ``ledger/`` | the log and its checkpoints |
| ``logged-cases`` | how many events of each case the log has; made anew from the log where it is missing |
| ``lawful-index`` | what look-ups in registers of lawful mining are held against; made anew where it is missing |
| ``keys/`` | the log's signing key, what marks leaves for it, keys of sealed contacts and of pseudonyms; mode 700 |
| ``documents/`` | documents by their digest |
| ``packs/`` | the user's own policy packs |
| ``lake/`` | readings of meters, where ``headframe meters --lake`` keeps them here: retention is for this lake |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from headframe.errors import HeadframeError, UnreadableInput
from headframe.ledger.note import BadNote, Verifier, read_verifier
from headframe.records.case import AnswerAddress
from headframe.stores.durable import replacing

CONFIG_FILE = "workspace.json"
URL_FILE = "database.url"
DATABASE_FILE = "headframe.db"
FORMAT = "headframe-workspace/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceConfig:
    """What a workspace says of itself.

    Attributes
    ----------
    unit : str
        Whose it is; stands on documents, and in the name of the log.
    log_origin : str
        Name of the log in checkpoints.
    training : bool
        The time of day may be set (HEADFRAME_NOW), and every screen says so: nothing in it is a real case.
    zone : str
        IANA name of the zone in which days of its tables of sites are meant, as the last import said; empty before.
    """

    unit: str
    log_origin: str
    training: bool = False
    zone: str = ""
    answers: Mapping[str, AnswerAddress] = field(default_factory=dict)
    """Where units and bodies are written to, by their id in the pack; that of the workspace's unit under the empty
    one. Letters print it."""
    witnesses: tuple[Verifier, ...] = ()
    """Public keys of the witnesses whose co-signatures of the log are kept."""


@dataclass(frozen=True, slots=True)
class WorkspacePaths:
    """What is where in a workspace."""

    folder: Path

    @property
    def config(self) -> Path:
        """``workspace.json``."""
        return self.folder / CONFIG_FILE

    @property
    def url_file(self) -> Path:
        """``database.url``."""
        return self.folder / URL_FILE

    @property
    def ledger(self) -> Path:
        """The log."""
        return self.folder / "ledger"

    @property
    def keys(self) -> Path:
        """Keys."""
        return self.folder / "keys"

    @property
    def ledger_key(self) -> Path:
        """What signs checkpoints."""
        return self.keys / "ledger.key"

    @property
    def leaves_key(self) -> Path:
        """What marks leaves that wait for the log."""
        return self.keys / "leaves.key"

    @property
    def logged_cases(self) -> Path:
        """How many events of each case the log has; made anew from the log where it is missing."""
        return self.folder / "logged-cases"

    @property
    def documents(self) -> Path:
        """Documents."""
        return self.folder / "documents"

    @property
    def packs(self) -> Path:
        """The user's own packs."""
        return self.folder / "packs"

    @property
    def lake(self) -> Path:
        """Readings of meters."""
        return self.folder / "lake"

    def database_url(self) -> str | Path:
        """Address of the database, as SQLAlchemy takes it, or its file. It may hold a password: show it to nobody."""
        try:
            url = self.url_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return (self.folder / DATABASE_FILE).resolve()
        except OSError as fault:
            raise UnreadableInput(f"{self.url_file}: cannot be read: {fault.strerror}") from fault
        except UnicodeDecodeError as fault:
            raise UnreadableInput(
                f"{self.url_file} is no UTF-8 at byte {fault.start}; it holds one line: postgresql://USER@HOST/DATABASE"
            ) from fault
        if not url:
            raise HeadframeError(
                f"{self.url_file} is empty; it holds the address of PostgreSQL, or is not there (SQLite)"
            )
        return url


def is_own_lake(folder: Path) -> bool:
    """Whether a folder is the lake of a workspace, which its retention looks after."""
    whole = folder.resolve()
    paths = WorkspacePaths(whole.parent)
    return whole == paths.lake and paths.config.is_file()


def read_config(folder: Path) -> WorkspaceConfig:
    """What a workspace says of itself.

    Raises
    ------
    UnreadableInput
        If the folder is no workspace for casework.
    """
    path = WorkspacePaths(folder).config
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UnreadableInput(
            f"{folder} is no workspace for casework yet; make one: headframe workspace init --workspace {folder} "
            "--unit UNIT --admin NAME --new-token-file FILE. Was there one? Put its workspace.json back from a backup"
        ) from None
    except OSError as fault:
        raise UnreadableInput(f"{path}: cannot be read: {fault.strerror}") from fault
    except ValueError as fault:
        raise UnreadableInput(f"{path} is damaged: {fault}; restore it from a backup") from fault
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        found = value.get("format") if isinstance(value, dict) else None
        raise UnreadableInput(f"{path}: format is {found!a}; this Headframe reads {FORMAT}")
    unit, origin = value.get("unit"), value.get("log_origin")
    if not isinstance(unit, str) or not isinstance(origin, str) or not unit or not origin:
        raise UnreadableInput(f"{path}: unit or log_origin is missing; restore it from a backup")
    zone = value.get("zone", "")
    return WorkspaceConfig(
        unit=unit,
        log_origin=origin,
        training=value.get("training") is True,
        zone=zone if isinstance(zone, str) else "",
        answers=_answers(value.get("answers", {}), path),
        witnesses=_witnesses(value.get("witnesses", []), path),
    )


def _witnesses(told: object, path: Path) -> tuple[Verifier, ...]:
    """Keys of witnesses; a workspace that has not been told has none."""
    try:
        if not isinstance(told, list):
            raise BadNote("they are no list")
        return tuple(read_verifier(str(line)) for line in told)
    except BadNote as fault:
        raise UnreadableInput(f"{path}: the keys of witnesses are damaged: {fault}; restore it from a backup") from None


def _answers(told: object, path: Path) -> dict[str, AnswerAddress]:
    """Where units are written to; a workspace that has not been told has none."""
    found: dict[str, AnswerAddress] = {}
    for unit, row in told.items() if isinstance(told, dict) else [("", None)]:
        if not isinstance(row, dict) or not all(isinstance(text, str) for text in row.values()):
            raise UnreadableInput(f"{path}: where {unit or 'the unit'!a} is written to is damaged; set it again")
        found[unit] = AnswerAddress(
            desk=row.get("desk", ""), postal=row.get("postal", ""), portal=row.get("portal", "")
        )
    return found


def write_config(folder: Path, config: WorkspaceConfig) -> None:
    """Write ``workspace.json``, whole and on the disk, or not at all. It is written last: with it the workspace is."""
    path = WorkspacePaths(folder).config
    answers = config.answers.items()
    text = json.dumps(
        {
            "format": FORMAT,
            "unit": config.unit,
            "log_origin": config.log_origin,
            "training": config.training,
            **({"zone": config.zone} if config.zone else {}),
            **({"answers": {unit: asdict(one) for unit, one in sorted(answers)}} if answers else {}),
            **({"witnesses": [key.text() for key in config.witnesses]} if config.witnesses else {}),
        },
        indent=2,
        ensure_ascii=False,
    )
    with replacing(path) as file:
        file.write((text + "\n").encode())
