"""Tar archives of captures and logs, unpacked without trusting what they say of themselves."""

import shutil
import tarfile
from pathlib import Path


def unpack(archive: Path, folder: Path) -> None:
    """Write the regular files of an archive below a folder; links, devices and names that lead out are passed over.

    The filters of `tarfile` do this from Python 3.11.4 on; Debian 12 has 3.11.2.

    Parameters
    ----------
    archive : Path
        Plain or compressed.
    folder : Path
        Must exist.

    Raises
    ------
    tarfile.TarError, OSError
        If the archive cannot be read, or a file not be written.
    """
    root = folder.resolve()
    with tarfile.open(archive) as members:
        for member in members:
            target = (root / member.name).resolve()
            content = members.extractfile(member) if member.isfile() and target.is_relative_to(root) else None
            if content is None:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
