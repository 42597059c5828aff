"""The texts of policy packs as they were when cases were opened under them.

A case goes on under the text that it was opened under, whatever becomes of the pack's file: ``WORKSPACE/packs/kept/``
has a folder for each digest, with that pack and those that it inherits from, as they stood then.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from headframe.errors import HeadframeError
from headframe.policy.parse import BadPack, parents_of, parse_pack
from headframe.records.policy import Pack
from headframe.stores.durable import replacing
from headframe.stores.packs import SHIPPED, pack_files, read_text

FOLDER = "kept"


def keep_pack(pack: Pack, packs_folder: Path) -> None:
    """Keep the text of a pack, and of those that it inherits from.

    Parameters
    ----------
    pack : Pack
    packs_folder : Path
        The workspace's own packs.

    Raises
    ------
    HeadframeError
        If the file of the pack is not there any more, or cannot be copied.
    """
    place = packs_folder / FOLDER / pack.digest
    if (place / "complete").exists() and _held(pack.id, pack.digest, place) is not None:
        return
    texts: dict[str, tuple[str, tuple[str, ...]]] = {}
    for path in pack_files(SHIPPED, packs_folder):
        # As packs are read: a file that is none stops nobody, and of one id the first counts (`stores.packs`).
        with contextlib.suppress(BadPack):
            text = read_text(path)
            pack_id, parents = parents_of(text, name=path.name)
            texts.setdefault(pack_id, (text, parents))
    wanted = [pack.id]
    order: list[str] = []
    while wanted:
        pack_id = wanted.pop()
        if pack_id not in texts:
            raise HeadframeError(f"the file of policy pack {pack_id} is gone; put it back into {packs_folder}")
        order = [pack_id, *(one for one in order if one != pack_id)]
        wanted += texts[pack_id][1]
    place.mkdir(parents=True, exist_ok=True)
    for number, pack_id in enumerate(order):
        # Ancestors first, so that reading them in order of names is enough.
        with replacing(place / f"{number:02d}.yaml") as file:
            file.write(texts[pack_id][0].encode())
    if _held(pack.id, pack.digest, place) is None:
        raise HeadframeError(
            f"the file of policy pack {pack.id}, or of one that it inherits from, was changed while a case was being "
            f"opened under it; do it again"
        )
    with replacing(place / "complete"):
        pass


def kept_pack(pack_id: str, digest: str, packs_folder: Path) -> Pack | None:
    """A pack in the text that a case was opened under; None where that was not kept.

    Raises
    ------
    HeadframeError
        If the kept text was changed.
    """
    place = packs_folder / FOLDER / digest
    if not (place / "complete").exists():
        return None
    found = _held(pack_id, digest, place)
    if found is None:
        raise HeadframeError(
            f"{place} does not hold the text of {pack_id} with SHA-256 {digest}: it was changed after a case was "
            "opened under it. Put it back from a backup or from a bundle"
        )
    return found


def _held(pack_id: str, digest: str, place: Path) -> Pack | None:
    """The pack that the texts of a folder make; None where they do not make that one."""
    known: dict[str, Pack] = {}
    for path in sorted(place.glob("*.yaml")):
        try:
            pack = parse_pack(read_text(path), name=str(path), known=known, kept=True)
        except BadPack:
            return None
        known[pack.id] = pack
    found = known.get(pack_id)
    return found if found is not None and found.digest == digest else None
