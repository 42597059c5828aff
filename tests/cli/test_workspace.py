"""``headframe workspace``: an address of a database is not shown, and a password in it nowhere."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from headframe.cli import app
from headframe.ledger.note import COSIGNATURE, Signer

SECRET = "S3CRET"


def headframe(*arguments: str, workspace: Path, **env: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"HEADFRAME_WORKSPACE": str(workspace), **env})


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("postgresql://hf:{}@db:54x2/hf", 2),
        ("jdbc:postgresql://hf:{}@db/hf", 2),
        ("host=/nowhere user=hf password={}", 2),
        (" POSTGRESQL://hf:{}@/hf?host=/nowhere", 4),
        ("postgresql://hf@/hf?host=/nowhere&password={}", 4),
        ("hf:{}@db/hf\udcff", 2),
    ],
)
def test_no_command_shows_a_password(address: str, code: int, tmp_path: Path) -> None:
    """Neither where a workspace is made nor where one is opened, and not in the traceback of HEADFRAME_DEBUG."""
    address, place = address.format(SECRET), tmp_path / "w"
    init = ("workspace", "init", "--unit", "Mill", "--admin", "admin", "--new-token-file", str(tmp_path / "token"))
    made = headframe(*init, "--database-url", address, workspace=place)
    assert made.exit_code == code
    assert SECRET not in made.output
    assert SECRET not in repr(made.exception)
    if "nowhere&" not in address and "POSTGRES" not in address:
        assert not place.exists(), "it is not left in a file"
    (tmp_path / "token").unlink(missing_ok=True)
    headframe(*init, workspace=tmp_path / "other")
    (tmp_path / "other" / "database.url").write_bytes(address.encode("utf-8", "surrogateescape"))
    for command in (("workspace", "status"), ("case", "list"), ("log", "verify")):
        for debug in ({}, {"HEADFRAME_DEBUG": "1"}):
            done = headframe(*command, workspace=tmp_path / "other", **debug)
            assert done.exit_code != 0
            assert SECRET not in done.output
            assert "a fault in Headframe itself" not in done.output


def test_a_witness_is_named_and_shown(tmp_path: Path) -> None:
    """By the administrator alone; the status tells who is named."""
    place, token = tmp_path / "w", str(tmp_path / "token")
    headframe("workspace", "init", "--unit", "Mill", "--admin", "admin", "--new-token-file", token, workspace=place)
    key = Signer("witness.example/w1", COSIGNATURE, bytes(32)).verifier
    (tmp_path / "witness.pub").write_text(f"{key.text()}\n")
    acting = (str(tmp_path / "witness.pub"), "--as", "admin", "--token-file", token)

    def named() -> list[str]:
        status = headframe("workspace", "status", "--format", "json", workspace=place)
        found: list[str] = json.loads(status.stdout)["witnesses"]
        return found

    assert named() == []
    done = headframe("log", "name-witness", *acting, workspace=place)
    assert (done.exit_code, f"{key.name}+{key.key_id.hex()} is named as a witness" in done.stderr) == (0, True)
    assert named() == [f"{key.name}+{key.key_id.hex()}"]
    again = headframe("log", "name-witness", *acting, workspace=place)
    assert (again.exit_code, "is named already" in again.stderr) == (2, True)
    assert headframe("log", "name-witness", *acting, "--remove", workspace=place).exit_code == 0
    assert named() == []
