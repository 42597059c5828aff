"""Archives are unpacked whole, and nothing in them leads out of the folder."""

import io
import tarfile
from pathlib import Path

import pytest

from headframe.sources.archives import unpack


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_files_come_out_and_nothing_leads_out(tmp_path: Path, mode: str) -> None:
    """Files in folders are written; parents, absolute names, links and devices are not."""
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, mode) as made:  # type: ignore[call-overload]
        for name in ("inside/a.pcap", "b.pcap", "../outside.pcap", "/tmp/headframe-absolute.pcap", "x/../../up.pcap"):
            member = tarfile.TarInfo(name)
            member.size = 4
            made.addfile(member, io.BytesIO(name.encode()[-4:]))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            odd = tarfile.TarInfo(f"odd{kind!r}")
            odd.type, odd.linkname = kind, "/etc/passwd"
            made.addfile(odd)
    folder = tmp_path / "here"
    folder.mkdir()
    unpack(archive, folder)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "inside/a.pcap", "b.pcap",
    }  # fmt: skip
    assert (folder / "inside" / "a.pcap").read_bytes() == b"pcap"
    assert not (tmp_path / "outside.pcap").exists()
    assert not (tmp_path / "up.pcap").exists()
    assert not Path("/tmp/headframe-absolute.pcap").exists()
