"""The wiring: what a scan and a calibration give as a whole."""

import math
import tarfile
from pathlib import Path

import pytest

from headframe import app
from headframe.errors import UnreadableInput
from headframe.simulate import CaptureSpec, simulate_capture, write_simulation


@pytest.fixture(scope="module")
def innocent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a capture of an office in which nobody mines."""
    folder = tmp_path_factory.mktemp("office")
    write_simulation(simulate_capture(CaptureSpec.demo(miners=0, minutes=3), 3), folder / "office.pcap")
    (folder / "dns.log").write_text(
        "#separator \\x09\n#fields\tts\tquery\tanswers\n1.0\twww.weather.example\t198.51.100.7\n"
        "2.0\tmail.office.example\t198.51.100.8\n"
    )
    return folder


def test_calibration_counts_what_stands_in_the_corpora(innocent: Path, tmp_path: Path) -> None:
    """Conversations, names and addresses of captures and logs, each thing once; bounds that follow from the counts."""
    archive = tmp_path / "again.tar.xz"
    with tarfile.open(archive, "w:xz") as packed:
        packed.add(innocent / "dns.log", "logs/dns.log")
    table = app.calibrate([str(innocent), str(archive)])

    session = table.row("stratum", "session")
    assert session is not None
    assert session.matches == 0
    assert session.size > 50
    assert [corpus.name for corpus in session.corpora] == [innocent.name]
    # Simulated web servers are looked up by name, and both names of the log are new.
    names = table.row("pool_endpoint", "name")
    assert names is not None
    assert names.size >= 5
    assert names.matches == 0
    # The archive holds nothing that the folder had not.
    assert [corpus.name for corpus in names.corpora] == [innocent.name]
    assert table.log10_e("stratum", "session") == pytest.approx(-math.log10(1 - 0.05 ** (1 / session.size)), rel=1e-6)


def test_a_corpus_of_nothing_is_refused(tmp_path: Path) -> None:
    """And named."""
    (tmp_path / "notes.txt").write_text("no capture")
    with pytest.raises(UnreadableInput, match="neither captures nor Zeek logs"):
        app.calibrate([str(tmp_path)])


def test_every_thread_count_gives_the_same_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share the work and nothing else."""
    monkeypatch.setenv(app.SALT_VARIABLE, "a salt")
    office = write_simulation(simulate_capture(CaptureSpec.demo(miners=4, minutes=4), 5), tmp_path / "office.pcapng")
    results = [
        app.scan([str(office.capture)], app.ScanOptions(indicators=(office.indicators,), threads=threads))
        for threads in (1, 2, 4)
    ]
    assert results[0].findings
    assert results[0].findings == results[1].findings == results[2].findings
    assert results[0].lookalikes == results[1].lookalikes == results[2].lookalikes


def test_pseudonyms_differ_between_scans_unless_they_share_a_salt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a salt of the operator's, nobody can follow an account from one scan to the next."""
    office = write_simulation(simulate_capture(CaptureSpec.demo(miners=1, minutes=3), 5), tmp_path / "office.pcap")

    def accounts() -> list[tuple[str, ...]]:
        return [finding.accounts for finding in app.scan([str(office.capture)]).findings if finding.accounts]

    monkeypatch.delenv(app.SALT_VARIABLE, raising=False)
    assert accounts() != accounts()
    monkeypatch.setenv(app.SALT_VARIABLE, "a salt")
    assert accounts() == accounts() != []


def test_rows_of_an_indicator_list_that_are_not_understood_are_told(tmp_path: Path) -> None:
    """The others are used."""
    office = write_simulation(simulate_capture(CaptureSpec.demo(miners=1, minutes=2), 5), tmp_path / "office.pcap")
    listed = tmp_path / "list.txt"
    listed.write_text("pool.example\n???\n")
    result = app.scan([str(office.capture)], app.ScanOptions(indicators=(listed,)))
    assert len(result.remarks) == 1
    assert "line 2" in result.remarks[0]
