"""Names and responders out of Zeek logs."""

import gzip
import tarfile
from pathlib import Path

import pytest

from headframe.sources.network.zeek_names import read_zeek_names

DNS_TSV = (
    "#separator \\x09\n#path\tdns\n#fields\tts\tuid\tid.resp_h\tquery\tanswers\n"
    "1.0\tC1\t192.0.2.53\tPool.Example\tedge.example,192.0.2.1\n"
    "1.0\tC1\t192.0.2.53\t-\t-\n"
)
CONN_JSON = (
    '{"ts":1.0,"id.resp_h":"192.0.2.9","id.resp_p":3333}\n'
    '{"ts":1.0,"id.resp_h":"2001:db8::1","id.resp_p":443}\n'
    '{"ts":\n'
)


def test_tab_separated_and_json_logs_in_folder_gzip_and_archive(tmp_path: Path) -> None:
    """The same logs give the same names however they are packed; a broken line is counted."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "dns.log").write_text(DNS_TSV)
    with gzip.open(folder / "conn.00:00:00-01:00:00.log.gz", "wt") as stream:
        stream.write(CONN_JSON)
    (folder / "weird.log").write_text("#fields\tname\nbad.example\n")
    archive = tmp_path / "logs.tar.xz"
    with tarfile.open(archive, "w:xz") as packed:
        packed.add(folder, "logs")
    for path in (folder, archive):
        found = read_zeek_names(path)
        assert found.names == {"pool.example", "edge.example"}
        assert found.responders == {("192.0.2.9", 3333), ("2001:db8::1", 443)}
        assert found.rows == 4
        assert len(found.unread) == 1
        assert "1 lines" in found.unread[0]


def test_cut_gzip_keeps_what_was_read(tmp_path: Path) -> None:
    """A log that ends early is reported, and its beginning used."""
    whole = gzip.compress(("#fields\tserver_name\n" + "".join(f"n{i}.example\n" for i in range(50_000))).encode())
    path = tmp_path / "ssl.log.gz"
    path.write_bytes(whole[: len(whole) // 2])
    found = read_zeek_names(path)
    assert found.names
    assert len(found.unread) == 1


@pytest.mark.real_data
def test_real_logs(shared_data: Path) -> None:
    """The logs of an exercise network, 2018: thousands of names, none of an address's form."""
    found = read_zeek_names(shared_data / "network/benign/zed_wrccdc2018_zeek")
    assert len(found.names) > 500
    assert "10.47.3.200" not in found.names
    assert not any(name.startswith("*") or " " in name for name in found.names)
