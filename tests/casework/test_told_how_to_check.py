"""What a letter tells its reader to do about the evidence is done here to the letter, with the bundle of the case."""

import re
import shlex
import shutil
import subprocess
import zipfile
from html import unescape
from pathlib import Path

import pytest
from conftest import missing
from typer.testing import CliRunner

from headframe.casework.case_bundle import write_case_bundle
from headframe.casework.ledger_key import begin_key_change
from headframe.cli import app
from headframe.records import case as acts
from headframe.records.case import DocumentKind
from headframe.stores.bundles import verify_bundle
from tests.casework.office import Office

EXHIBITS = re.compile(r'<ul class="exhibits">(.*?)</ul>', re.DOTALL)
DIGEST = re.compile(r'<p class="digest">([0-9a-f]{64})</p>')
VERBATIM = re.compile(r'<div class="verbatim">(.*?)</div>', re.DOTALL)
LINE = re.compile(r'<p class="digest">(.*?)</p>')


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, str]:
    """A case with a letter, an answer, a photo and a decision."""
    office = Office(tmp_path_factory.mktemp("told") / "workspace")
    office.find("192.0.2.9")
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    office.reply(case, stance=acts.ReplyStance.OTHER, document=office.paper("reply", "we sold them"))
    office.decide(case)
    return office, case


def told(page: str) -> tuple[set[str], list[list[str]]]:
    """The digests that a letter names, and the lines that it wants to be taken as they stand, block by block."""
    named = {digest for part in EXHIBITS.findall(page) for digest in DIGEST.findall(part)}
    blocks = [[unescape(line) for line in LINE.findall(part)] for part in VERBATIM.findall(page)]
    return named, blocks


def written(office: Office, case: str, kind: DocumentKind, language: str) -> str:
    page = office.work.write_document(case, kind, language=language)[1]
    return office.work.documents.read(page.ref.sha256).decode()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", [DocumentKind.NOTICE, DocumentKind.DECISION], ids=lambda kind: kind.value)
def test_an_honest_bundle_holds_as_the_letter_says(
    decided: tuple[Office, str], kind: DocumentKind, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unpack it, digest its files, save the key, check the whole: each as printed, by a reader who has nothing else."""
    if shutil.which("sha256sum") is None:
        missing("sha256sum")
    office, case = decided
    named, (digests, keys, whole) = told(written(office, case, kind, language))
    assert named
    bundle = tmp_path / f"{case}.zip"
    write_case_bundle(office.work, office.account("officer"), case, bundle, reason="the party asked")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    (command,) = digests
    shown = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path / "unpacked", check=True, capture_output=True, text=True
    ).stdout
    assert named <= {line.split()[0] for line in shown.splitlines()}
    # A finding's file is named by its digest, so that a reader sees at once which is which.
    found = [line.split() for line in shown.splitlines() if "data/findings/" in line]
    assert len(found) == 2
    assert all(name == f"data/findings/{digest}.json" for digest, name in found)
    assert (tmp_path / "unpacked" / "README.txt").read_text().count("data/findings/") == 1

    monkeypatch.chdir(tmp_path)
    (tmp_path / "unit.pub").write_text("".join(f"{key}\n" for key in keys))
    (command,) = whole
    program, *words = shlex.split(command)
    assert program == "headframe"
    checked = CliRunner().invoke(app, words)
    assert checked.exit_code == 0, checked.output
    # Every finding's file is named by a leaf: it is more than what the maker of the bundle signed for.
    assert "are covered by the manifest's signature only" in checked.output
    assert "1 extracts in data/" in checked.output


def test_a_finding_that_is_withheld_is_no_file(decided: tuple[Office, str], tmp_path: Path) -> None:
    """Its digest stands in the list, as before, and nothing else of it is in the bundle."""
    office, case = decided
    officer = office.account("officer")
    write_case_bundle(office.work, officer, case, tmp_path / "b", reason="audit", withhold=["content"])
    assert [path.name for path in (tmp_path / "b" / "data").iterdir()] == ["findings.jsonl"]
    assert verify_bundle(tmp_path / "b", office.work.ledger.keys).sound


def test_a_letter_names_every_key_that_signs(tmp_path: Path) -> None:
    """While the key is changed a reader takes both, whichever of them a bundle is signed with by then."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    case = office.open()
    office.classify(case)
    (old,) = office.work.ledger.keys
    new = begin_key_change(office.work, office.work.store.account("admin").account, "five years")
    _, (_, keys, _) = told(written(office, case, DocumentKind.INFORMATION_LETTER, "en"))
    assert keys == [old.text(), new.text()]
