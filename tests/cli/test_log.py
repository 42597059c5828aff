"""``headframe log``: the words and the exit codes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from headframe.cli import app
from headframe.ledger.leaf import seal
from headframe.ledger.merkle import check_consistency, check_inclusion, leaf_hash
from headframe.ledger.tiles import Tile
from headframe.stores.ledger_files import Ledger, workspace_ledger


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose ledger has three leaves."""
    monkeypatch.setenv("HEADFRAME_WORKSPACE", str(tmp_path / "w"))
    ledger = workspace_ledger(tmp_path / "w")
    grow(ledger, 3)
    return tmp_path / "w"


def grow(ledger: Ledger, count: int) -> None:
    for _ in range(count):
        number = ledger.size
        leaf, _disclosures = seal("case", f"HF-1/{number}", 10**18 + number, {"act": "x"}, lambda: bytes(16))
        ledger.append([leaf])


def headframe(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_whole_log(workspace: Path) -> None:
    """What was read, and that it holds."""
    done = headframe("log", "verify")
    assert done.exit_code == 0, done.output
    assert "3 leaves" in done.stdout
    assert "every leaf, tile and the root are as the signed checkpoint says" in done.stdout
    about = json.loads(headframe("log", "verify", "--format", "json").stdout)
    assert (about["leaves"], about["sound"], about["problems"]) == (3, True, [])


def test_a_damaged_log_ends_with_3(workspace: Path) -> None:
    """And says which file."""
    path = workspace / "ledger" / Tile(0, 0, 3).path()
    path.write_bytes(bytes(96))
    done = headframe("log", "verify")
    assert done.exit_code == 3
    assert "tile/0/000.p/3 does not have the hashes that the leaves below it make" in done.stderr
    about = json.loads(headframe("log", "verify", "--format", "json").stdout)
    assert about["sound"] is False


def test_a_copy_needs_a_key_that_is_trusted(workspace: Path) -> None:
    """Whose log it is cannot be asked of the log."""
    folder = str(workspace / "ledger")
    done = headframe("log", "verify", "--ledger", folder)
    assert done.exit_code == 2
    assert "whose log is it?" in done.stderr
    key = headframe("log", "checkpoint", "--public-key").stdout.strip()
    assert headframe("log", "verify", "--ledger", folder, "--key", key).exit_code == 0


def test_an_older_checkpoint_must_be_the_beginning(workspace: Path, tmp_path: Path) -> None:
    """Who has kept one can see that nothing was taken back."""
    old = tmp_path / "old"
    old.write_text(headframe("log", "checkpoint").stdout)
    shutil.copytree(workspace / "ledger", tmp_path / "copy")
    grow(workspace_ledger(workspace), 4)
    assert "begins with the 3 leaves of" in headframe("log", "verify", "--since", str(old)).stdout
    newer = tmp_path / "newer"
    newer.write_text(headframe("log", "checkpoint").stdout)
    key = headframe("log", "checkpoint", "--public-key").stdout.strip()
    done = headframe("log", "verify", "--ledger", str(tmp_path / "copy"), "--key", key, "--since", str(newer))
    assert done.exit_code == 3
    assert "has shrunk: it had 7 leaves" in done.stderr


def test_leaves_are_shown_without_what_they_said(workspace: Path) -> None:
    """Kind, subject, time, names of fields."""
    lines = headframe("log", "show").stdout.splitlines()
    assert len(lines) == 3
    assert "HF-1/2" in lines[2]
    assert "[act]" in lines[2]
    (row,) = json.loads(headframe("log", "show", "1", "--format", "json").stdout)
    assert (row["index"], row["subject"]) == (1, "HF-1/1")
    assert "the log has 3 leaves" in headframe("log", "show", "9").stderr


def test_proofs_are_those_of_the_format(workspace: Path) -> None:
    """Another program can check them from the JSON alone."""
    value = json.loads(headframe("log", "prove", "1").stdout)
    root = workspace_ledger(workspace).checkpoint.root
    proof = [bytes.fromhex(item) for item in value["proof"]]
    check_inclusion(1, value["tree_size"], leaf_hash(value["leaf"].encode()), proof, root)
    value = json.loads(headframe("log", "prove", "--since", "2").stdout)
    proof = [bytes.fromhex(item) for item in value["proof"]]
    check_consistency(2, bytes.fromhex(value["old_root"]), 3, root, proof)
    assert headframe("log", "prove").exit_code == 2


def test_a_witness_from_its_key_to_its_refusal(workspace: Path, tmp_path: Path) -> None:
    """A second unit makes a key, co-signs, follows the log as it grows, and refuses another history."""
    key_file, state, out = (str(tmp_path / name) for name in ("witness.key", "seen", "cosigned"))
    made = headframe("log", "witness", "--new-key", "witness.example/w1", "--key-file", key_file)
    assert made.stdout.startswith("witness.example/w1+")
    assert (tmp_path / "witness.pub").read_text() == made.stdout
    assert "public key in " in made.stderr
    other = headframe("log", "witness", "--new-key", "w", "--key-file", str(tmp_path / "other.key"),
                      "--out", str(tmp_path / "witness.pub"))  # fmt: skip
    assert other.exit_code == 2
    assert not (tmp_path / "other.key").exists()
    assert headframe("log", "witness", "--new-key", "w", "--key-file", key_file).exit_code == 2
    key = headframe("log", "checkpoint", "--public-key").stdout.strip()
    watching = ("log", "witness", "--ledger", str(workspace / "ledger"), "--key", key, "--key-file", key_file,
                "--state", state)  # fmt: skip
    first = headframe(*watching, "--out", out)
    assert first.exit_code == 0, first.output
    assert "is seen for the first time" in first.stderr
    nobody = headframe("log", "checkpoint", "--keep", out)
    assert (nobody.exit_code, "no witness that is named here has co-signed" in nobody.stderr) == (2, True)
    assert headframe("log", "checkpoint", "--keep", out, "--key", str(tmp_path / "witness.pub")).exit_code == 0
    assert (workspace / "ledger" / "witnessed").read_bytes() == Path(out).read_bytes()
    grow(workspace_ledger(workspace), 2)
    assert "co-signed" in headframe(*watching).stderr
    remembered = Path(state).read_bytes()
    # The unit begins its log anew, with the same key.
    (workspace / "ledger").rename(tmp_path / "hidden")
    forged = workspace_ledger(workspace)
    grow(forged, 1)
    refused = headframe(*watching)
    assert refused.exit_code == 6
    assert "it had 5 leaves when it was last seen, and this checkpoint says 1" in refused.stderr
    forged.append([b"x%d" % number for number in range(8)])
    refused = headframe(*watching)
    assert refused.exit_code == 6
    assert "of 9 leaves is not shown to continue the 5 that were seen" in refused.stderr
    assert Path(state).read_bytes() == remembered


def test_a_second_witness_signs_what_the_first_one_saw(workspace: Path, tmp_path: Path) -> None:
    """After the log has grown; from the log's folder, by its number of leaves, or from a file. Never after a larger."""
    key = headframe("log", "checkpoint", "--public-key").stdout.strip()

    def watching(name: str, *more: str) -> Any:
        return headframe(
            "log", "witness", "--ledger", str(workspace / "ledger"), "--key", key, "--key-file",
            str(tmp_path / f"{name}.key"), "--state", str(tmp_path / f"{name}.seen"), "--out", str(tmp_path / "out"),
            *more,
        )  # fmt: skip

    for name in ("w1", "w2", "w3"):
        made = headframe("log", "witness", "--new-key", name, "--key-file", str(tmp_path / f"{name}.key"))
        assert made.exit_code == 0
    witnesses = tuple(word for name in ("w1", "w2", "w3") for word in ("--key", str(tmp_path / f"{name}.pub")))
    nothing = watching("w2", "--older", "last")
    assert (nothing.exit_code, "nobody has co-signed a checkpoint that is kept" in nothing.stderr) == (2, True)
    assert watching("w1").exit_code == 0
    assert headframe("log", "checkpoint", "--keep", str(tmp_path / "out"), *witnesses).exit_code == 0
    first = (tmp_path / "out").read_bytes()
    grow(workspace_ledger(workspace), 2)
    done = watching("w2", "--older", "last")
    assert done.exit_code == 0, done.output
    assert "at 3 leaves\n" in done.stderr
    assert "the log has 5 by now; co-sign the newest, too" in done.stderr
    both = (tmp_path / "out").read_bytes()
    assert both.startswith(first)
    assert both == (tmp_path / "w2.seen").read_bytes(), "it remembers what it signed, and no more"
    assert headframe("log", "checkpoint", "--keep", str(tmp_path / "out"), *witnesses).exit_code == 0
    assert (workspace / "ledger" / "witnessed").read_bytes() == both
    (tmp_path / "handed").write_bytes(first)
    assert watching("w3", "--checkpoint", str(tmp_path / "handed")).exit_code == 0
    assert headframe("log", "checkpoint", "--keep", str(tmp_path / "out"), *witnesses).exit_code == 0
    assert (workspace / "ledger" / "witnessed").read_bytes().count(b"\xe2\x80\x94 w") == 3

    assert "at 5 leaves\n" in watching("w2").stderr, "the newest after it"
    remembered = (tmp_path / "w2.seen").read_bytes()
    for older in (("--older", "last"), ("--older", "3"), ("--checkpoint", str(tmp_path / "handed"))):
        refused = watching("w2", *older)
        assert refused.exit_code == 6
        assert "has co-signed 5 leaves of" in refused.stderr
        assert "the checkpoint of 3 leaves cannot be co-signed after that" in refused.stderr
    assert (tmp_path / "w2.seen").read_bytes() == remembered, "what was seen never gets smaller"
    for wrong in ("first", "4", "-3", "3.0"):
        told = watching("w3", "--older", wrong)
        assert told.exit_code == 2
        assert "expected last, or a number of leaves of those that are kept: 3" in told.stderr
    assert watching("w3", "--older", "3", "--checkpoint", str(tmp_path / "handed")).exit_code == 2

    # The unit begins its log anew, with the same key, and hands out a checkpoint of the old one.
    (workspace / "ledger").rename(tmp_path / "hidden")
    forged = workspace_ledger(workspace)
    forged.append([b"x%d" % number for number in range(8)])
    for name in ("w3", "w4"):
        if name == "w4":
            headframe("log", "witness", "--new-key", name, "--key-file", str(tmp_path / f"{name}.key"))
        refused = watching(name, "--checkpoint", str(tmp_path / "handed"))
        assert refused.exit_code == 6
        assert "has not had that checkpoint of 3 leaves: they are two histories" in refused.stderr
    assert not (tmp_path / "w4.seen").exists()


def test_two_runs_of_a_witness_do_not_make_it_forget(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that co-signs an older checkpoint waits for one that co-signs the newest, and is refused then."""
    from headframe.stores import ledger_files

    key = headframe("log", "checkpoint", "--public-key").stdout.strip()
    headframe("log", "witness", "--new-key", "w", "--key-file", str(tmp_path / "w.key"))
    (tmp_path / "older").write_text(headframe("log", "checkpoint").stdout)
    grow(workspace_ledger(workspace), 2)
    watching = (
        "log", "witness", "--ledger", str(workspace / "ledger"), "--key", key, "--key-file", str(tmp_path / "w.key"),
        "--state", str(tmp_path / "seen"),
    )  # fmt: skip
    real, late = ledger_files.replace_file, []

    def replaced(disk: Any, path: Path, data: bytes) -> None:
        if path.name == "seen" and not late:
            late.append(subprocess.Popen(
                [sys.executable, "-m", "headframe", *watching, "--checkpoint", str(tmp_path / "older")],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            ))  # fmt: skip
            with pytest.raises(subprocess.TimeoutExpired):
                late[0].wait(5)
        real(disk, path, data)

    monkeypatch.setattr(ledger_files, "replace_file", replaced)
    assert headframe(*watching).exit_code == 0
    told = late[0].communicate(timeout=120)[1]
    assert late[0].returncode == 6
    assert "has co-signed 5 leaves" in told
    assert "\n5\n" in (tmp_path / "seen").read_text()


def test_no_ledger(tmp_path: Path) -> None:
    """In words."""
    done = headframe("log", "verify", "--workspace", str(tmp_path))
    assert done.exit_code == 4
    assert "cannot be read: No such file or directory" in done.stderr
