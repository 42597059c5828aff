"""``headframe clock``, by the real program."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

HEADER = "chain,height,arrival_time\n"
BLOCKS = HEADER + "".join(f"XMR,{height},{1_600_000_000 + 120 * height}\n" for height in range(10, 21))


@pytest.fixture
def clock(headframe: Run, tmp_path: Path) -> Run:
    """``headframe clock ...`` with a workspace of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return headframe("clock", *arguments, **{"HEADFRAME_WORKSPACE": str(tmp_path / "ws"), **environment})

    return run


@pytest.mark.parametrize("command", [[], ["import"], ["export"], ["status"]], ids=" ".join)
def test_each_command_has_help_with_an_example(headframe: Run, command: list[str]) -> None:
    """Whoever asks how a command is used sees it used."""
    done = headframe("clock", *command, "--help")
    assert done.returncode == 0
    assert " ".join(["headframe clock", *command]) in done.stdout.split("Example", 1)[1]


def test_import_status_export(clock: Run, tmp_path: Path) -> None:
    """The whole way, word for word."""
    (tmp_path / "blocks.csv").write_text(BLOCKS)
    done = clock("import", "blocks.csv")
    assert (done.returncode, done.stdout) == (0, "")
    kept = tmp_path / "ws" / "blocks" / "XMR.parquet"
    assert done.stderr == f"headframe: XMR: 11 blocks read, 11 new; kept in {kept}\n"

    done = clock("status")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "XMR  Monero: 11 blocks"
    assert lines[1].startswith("    resolvable: a block every 120 s; ")
    assert lines[2:4] == [
        "    source: file blocks.csv: 11 blocks, heights 10 to 20, step 1 s",
        "    covered: 20 min in 1 stretch, 2020-09-13 12:46:40 to 13:06:40; 9 blocks, one every 120.0 s",
    ]
    assert lines[4].startswith("known, nothing kept: BTC, ")
    assert "KAS (0.1 s)" in lines[5]

    done = clock("export", "xmr")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == [
        "chain,height,arrival_time,header_time,clock_source",
        "XMR,10,2020-09-13T12:46:40Z,,file blocks.csv",
    ]
    assert clock("export", "XMR", "-o", "out.parquet").returncode == 0
    assert len(pl.read_parquet(tmp_path / "out.parquet")) == 11
    assert clock("import", "out.parquet").stderr == f"headframe: XMR: 11 blocks read, 0 new; kept in {kept}\n"


def test_status_as_json(clock: Run, tmp_path: Path) -> None:
    """Every chain that is known, with its parameters; what is covered, and why not the rest."""
    (tmp_path / "blocks.csv").write_text(BLOCKS.replace("XMR,15,", "XMR,15,9"))
    assert clock("import", "blocks.csv", "--source", "node 3").returncode == 3
    document = json.loads(clock("status", "--format", "json").stdout)
    assert document["workspace"] == str(tmp_path / "ws")
    chains = {chain["chain"]: chain for chain in document["chains"]}
    assert len(chains) > 30
    assert chains["KAS"]["resolvable"] is False
    assert "too fast" in chains["KAS"]["remark"]
    assert chains["KAS"]["clock"] is None
    made = chains["XMR"]["clock"]
    assert (made["blocks"], made["covered_s"], made["mean_spacing_s"], made["resolution_s"]) == (6, 960.0, 120.0, 1.0)
    assert [gap["reason"] for gap in made["gaps"]] == ["1 heights are not known"]
    assert made["covered"][0]["start"] == "2020-09-13T12:46:40.000000000Z"
    assert chains["XMR"]["sources"] == [
        {
            "clock_source": "node 3",
            "blocks": 10,
            "first_height": 10,
            "last_height": 20,
            "resolution_s": 1.0,
            "offset_s": 0.0,
        }
    ]


def test_an_empty_workspace(clock: Run) -> None:
    """No fault: what to do comes with it."""
    done = clock("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no blocks are kept in ")
    assert done.stdout.splitlines()[0].endswith("/ws/blocks; add some: headframe clock import FILE")


def test_a_chain_that_is_too_fast_says_so(clock: Run, tmp_path: Path) -> None:
    """When it is asked for, and when its blocks are imported."""
    wanted = "a block every 0.1 s is too fast: pushes cannot be told from chance below 10 s"
    assert f"    not resolvable: {wanted}\n" in clock("status", "kas").stdout
    (tmp_path / "blocks.csv").write_text(BLOCKS.replace("XMR", "KAS"))
    assert f"headframe: KAS cannot be resolved: {wanted}\n" in clock("import", "blocks.csv").stderr


def test_rows_that_cannot_be_understood(clock: Run, tmp_path: Path) -> None:
    """Named, counted, and code 3; the others are kept."""
    (tmp_path / "blocks.csv").write_text(BLOCKS + "XMR,x,1600009999\n")
    done = clock("import", "blocks.csv")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "headframe: blocks.csv, line 13: height is 'x'; expected a whole number",
        f"headframe: XMR: 11 blocks read, 11 new; kept in {tmp_path / 'ws' / 'blocks' / 'XMR.parquet'}",
        "headframe: 1 row could not be understood, and is not kept",
    ]
    assert clock("import", "blocks.csv", "-q").stderr == "headframe: 1 row could not be understood, and is not kept\n"


def test_one_bad_file_and_nothing_is_kept(clock: Run, tmp_path: Path) -> None:
    """Half an import would have to be taken apart by hand."""
    (tmp_path / "good.csv").write_text(BLOCKS)
    (tmp_path / "bad.csv").write_text("")
    done = clock("import", "good.csv", "bad.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("headframe: bad.csv is empty; ")
    assert not (tmp_path / "ws").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["import", "none.csv"], 4, "none.csv: cannot be read: No such file or directory; give a CSV or Parquet file"),
        (["import", "b.csv", "--columns", "hight=1"], 2, "--columns: 'hight' is no column of ours; known are chain, "),
        (["import", "b.csv", "--chain", "BTC"], 2, "b.csv: the column chain says 'XMR', and --chain says BTC"),
        (["import", "b.csv", "--chain", "moner"], 2, "'moner' is no chain that is known here; did you mean XMR"),
        (["export", "LTC"], 2, "no blocks of LTC are stored in "),
        (["export", "nope"], 2, "'nope' is no chain that is known here"),
        (["status", "nope"], 2, "'nope' is no chain that is known here"),
    ],
)
def test_mistakes(clock: Run, tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    """In words, with the code of the table in docs/exit-codes.md."""
    (tmp_path / "b.csv").write_text(BLOCKS)
    done = clock(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"headframe: {message}")
    assert "Traceback" not in done.stderr


def test_a_damaged_store(clock: Run, tmp_path: Path) -> None:
    """The status of the other chains is told all the same."""
    (tmp_path / "blocks.csv").write_text(BLOCKS + "".join(f"BTC,{k},{1_600_000_000 + 600 * k}\n" for k in range(9)))
    clock("import", "blocks.csv")
    (tmp_path / "ws" / "blocks" / "BTC.parquet").write_bytes(b"x")
    done = clock("status")
    assert done.returncode == 4
    assert "    no clock: " in done.stdout
    assert "BTC.parquet is damaged, or no table of blocks" in done.stdout
    assert "XMR  Monero: 11 blocks" in done.stdout
    done = clock("export", "BTC")
    assert (done.returncode, done.stdout) == (4, "")


def test_places_that_cannot_be_written(clock: Run, tmp_path: Path) -> None:
    """Code 5, as for reports."""
    (tmp_path / "blocks.csv").write_text(BLOCKS)
    (tmp_path / "taken").write_text("x")
    done = clock("import", "blocks.csv", "--workspace", "taken")
    assert done.returncode == 5
    assert done.stderr.endswith("taken/blocks could not be written: Not a directory; choose another --workspace\n")
    clock("import", "blocks.csv")
    done = clock("export", "XMR", "-o", "away/out.csv")
    assert done.returncode == 5
    assert (
        done.stderr == "headframe: away/out.csv could not be written: No such file or directory; choose another name\n"
    )


def test_names_out_of_files_cannot_move_the_cursor(clock: Run, tmp_path: Path) -> None:
    """Whoever made the file chose them."""
    (tmp_path / "blocks.csv").write_text(
        "chain,height,arrival_time,clock_source\n"
        + "".join(f"XMR,{k},{1_600_000_000 + k},\x1b[2Jx\n" for k in range(5))
    )
    clock("import", "blocks.csv")
    text = clock("status").stdout + clock("status", "--format", "json").stdout
    assert "\x1b" not in text
    assert "source: \\x1b[2Jx: 5 blocks" in text


@pytest.mark.real_data
def test_real_files(clock: Run, shared_data: Path) -> None:
    """Two nodes of Bitcoin, one by mapping, make one clock without a gap."""
    folder = shared_data / "network" / "blocks"
    assert clock("import", str(folder / "clock_btc_node_2023.csv.gz")).returncode == 0
    done = clock(
        "import", str(folder / "btc_arrival_vostrnad_node1.csv.gz"), "--chain", "btc", "--columns",
        "height=1,arrival_time=3", "--source", "second node",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "BTC: 40,087 blocks read, 40,087 new" in done.stderr
    text = clock("status", "BTC").stdout
    assert "source: second node: 40,087 blocks, heights 780091 to 821121, step 1 s" in text
    assert "covered: 295 d 21 h in 1 stretch, 2023-02-21 09:06:18 to 2023-12-14 06:28:02; 43,504 blocks" in text
