"""Policy packs as files: those that ship with Headframe, and a folder of the user's own."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from headframe.policy.parse import BadPack, parents_of, parse_pack
from headframe.records.policy import Pack

SHIPPED = Path(__file__).resolve().parents[1] / "policy" / "packs"

_LARGEST_FILE = 4_000_000  # bytes; a million characters of UTF-8


def load_packs(folder: Path | None = None) -> Mapping[str, Pack]:
    """Every pack by id: the shipped ones, and those of a folder.

    Parameters
    ----------
    folder : Path or None
        Of the user's own packs (``*.yaml``, ``*.yml``); they may inherit from the shipped ones. One that is not there
        is as good as empty.

    Returns
    -------
    mapping of str to Pack
        In the order of their ids.

    Raises
    ------
    BadPack
        If a file is no pack, or takes an id that another has; the message names everything that is wrong with it.
    """
    packs, faults = read_packs(pack_files(SHIPPED, folder))
    if faults:
        raise faults[0]
    return dict(sorted(packs.items()))


def read_packs(paths: Iterable[Path], known: Mapping[str, Pack] | None = None) -> tuple[dict[str, Pack], list[BadPack]]:
    """Packs out of files, in whatever order they inherit from each other, and what is wrong with the others.

    Parameters
    ----------
    paths : iterable of Path
    known : mapping of str to Pack
        Packs that they may inherit from besides.

    Returns
    -------
    dict of str to Pack
        Those that can be used.
    list of BadPack
        One for each file that cannot.
    """
    packs: dict[str, Pack] = {}
    faults: list[BadPack] = []
    waiting: dict[str, tuple[Path, str, tuple[str, ...]]] = {}
    taken = dict.fromkeys(known or {}, "a pack that is known")
    for path in paths:
        try:
            text = read_text(path)
            pack_id, parents = parents_of(text, name=str(path))
            if pack_id in taken:
                raise BadPack(str(path), [f"id: {pack_id} is taken by {taken[pack_id]}; choose another id"])
        except BadPack as fault:
            faults.append(fault)
            continue
        taken[pack_id] = str(path)
        waiting[pack_id] = path, text, parents
    while waiting:
        # A parent that is nowhere is not waited for: the parser names it.
        ready = [pack_id for pack_id, (_, _, parents) in waiting.items() if not any(p in waiting for p in parents)]
        if not ready:
            circle = f"jurisdiction.inherits: {', '.join(sorted(waiting))} inherit from each other in a circle"
            return packs, [*faults, *(BadPack(str(path), [circle]) for path, _, _ in waiting.values())]
        for pack_id in ready:
            path, text, _ = waiting.pop(pack_id)
            try:
                packs[pack_id] = parse_pack(text, name=str(path), known={**(known or {}), **packs})
            except BadPack as fault:
                faults.append(fault)
    return packs, faults


def read_text(path: Path) -> str:
    """The text of a pack's file.

    Raises
    ------
    BadPack
        If it cannot be read, is no UTF-8, or is far too large.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise BadPack(str(path), [f"is larger than {_LARGEST_FILE:,} bytes; that is no pack"])
        return path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise BadPack(str(path), [f"cannot be read: {fault.strerror}"]) from None
    except UnicodeDecodeError as fault:
        raise BadPack(str(path), [f"is no UTF-8 at byte {fault.start}; save it as UTF-8"]) from None


def pack_files(*folders: Path | None) -> Iterator[Path]:
    """Every file of a pack in some folders, in the order of their names."""
    for folder in folders:
        if folder is not None and folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"} and path.is_file())
