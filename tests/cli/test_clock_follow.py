"""``headframe clock follow`` as a process: against a real monerod, and against nodes and a pool on loopback."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from headframe.cli.clock_follow import parse_duration_s
from tests.chain_servers import (
    MINING,
    Pool,
    RpcServer,
    bitcoin_answers,
    chain_of,
    ethereum_answers,
    eventually,
    free_port,
    run_monerod,
)

Run = Callable[..., subprocess.CompletedProcess[str]]


@contextmanager
def following(root: Path, folder: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process that goes on; waits until it follows."""
    with (folder / "stderr").open("w", encoding="utf-8") as talk:
        process = subprocess.Popen(
            [sys.executable, "-m", "headframe", "clock", "follow", *arguments, "--workspace", str(folder / "w")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=talk, text=True, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root / "src"), **environment},
        )  # fmt: skip
    try:
        eventually(lambda: "following" in said(folder) or process.poll() is not None, within_s=30)
        yield process
    finally:
        process.kill()
        process.communicate()


def said(folder: Path) -> str:
    """What the command has said so far."""
    return (folder / "stderr").read_text(encoding="utf-8")


def test_a_real_monerod_is_followed_into_the_workspace(
    project_root: Path, tmp_path: Path, headframe: Run, require_tool: Callable[[str], str]
) -> None:
    """Past blocks by header time, new ones as they come, one line each; then they are in the store."""
    with run_monerod(require_tool("monerod"), tmp_path) as node:
        node.generate(3)
        with following(
            project_root, tmp_path, node.url, "--zmq", node.zmq, "--chain", "XMR", "--back-fill", "2", "--count", "3"
        ) as process:
            assert process.stdout is not None
            past = [process.stdout.readline().split()[:3] for _ in range(2)]
            # ZeroMQ says nothing of when it is connected: make blocks until enough were heard.
            before_s = time.time()
            eventually(lambda: node.generate(1) and process.poll() is not None, within_s=30)
            out, _ = process.communicate(timeout=10)
            after_s = time.time()
        assert process.returncode == 0
    lines = [line.split() for line in out.splitlines()]
    assert past == [["XMR", "2", "-"], ["XMR", "3", "-"]]
    heights = [int(line[1]) for line in lines]
    assert heights == list(range(heights[0], heights[0] + 3))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", line[2]) for line in lines)
    arrivals_s = [datetime.fromisoformat(line[2][:26] + "+00:00").timestamp() for line in lines]
    assert before_s - 0.001 <= arrivals_s[0] < arrivals_s[1] < arrivals_s[2] <= after_s
    assert lines[0][4:] == ["monerod", f"127.0.0.1:{node.port}"]
    assert "3 blocks heard and kept" in said(tmp_path)
    table = headframe("clock", "export", "XMR", "--workspace", str(tmp_path / "w")).stdout.splitlines()
    assert len(table) == 6
    rows = [dict(zip(table[0].split(","), line.split(","), strict=True)) for line in table[1:]]
    assert [int(row["height"]) for row in rows] == [2, 3, *heights]
    assert [bool(row["arrival_time"]) for row in rows] == [False, False, True, True, True]


def test_it_ends_cleanly_on_ctrl_c(project_root: Path, tmp_path: Path, headframe: Run) -> None:
    """What was heard is kept, the connection is closed, and the exit code is that of a good end."""
    chain = chain_of(4)
    with RpcServer(ethereum_answers(chain)) as server:
        address = f"ethereum+http://127.0.0.1:{server.port}"
        with following(project_root, tmp_path, address, "--poll", "0.1", "--format", "json") as process:
            eventually(lambda: "eth_getBlockByNumber" in server.calls)
            chain.add()
            assert process.stdout is not None
            block = json.loads(process.stdout.readline())
            assert (block["chain"], block["height"], block["clock_source"]) == (
                "ETC", 4, f"ethereum node 127.0.0.1:{server.port}",
            )  # fmt: skip
            assert block["header_time_ns"] // 10**9 == chain.blocks[chain.tip]["time"]
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
    assert "1 block heard and kept" in said(tmp_path)
    assert "Traceback" not in said(tmp_path)
    assert headframe("clock", "export", "ETC", "--workspace", str(tmp_path / "w")).stdout.count("\n") == 2


def test_two_nodes_and_a_restart(project_root: Path, tmp_path: Path) -> None:
    """One of them goes away for a while: it is tried again, the user is told, and the other is not disturbed."""
    bitcoin, classic = chain_of(3), chain_of(3)
    with RpcServer(bitcoin_answers(bitcoin)) as first:
        second = RpcServer(ethereum_answers(classic)).start()
        try:
            with following(
                project_root, tmp_path, f"bitcoin+http://127.0.0.1:{first.port}#BTC",
                f"ethereum+http://127.0.0.1:{second.port}", "--poll", "0.1", "--format", "json",
            ) as process:  # fmt: skip
                assert process.stdout is not None
                eventually(lambda: "getblockheader" in first.calls and "eth_getBlockByNumber" in second.calls)
                second.stop()
                eventually(lambda: "next try in" in said(tmp_path))
                classic.add()
                second.start()
                eventually(lambda: "came while it could not be asked" in said(tmp_path), within_s=15)
                bitcoin.add()
                assert json.loads(process.stdout.readline())["chain"] == "BTC"
                classic.add()
                assert json.loads(process.stdout.readline())["height"] == 4
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
        finally:
            second.stop()


def test_a_pool_is_listened_to(project_root: Path, tmp_path: Path) -> None:
    """With consent and a login out of the environment; one connection, no share, and the login nowhere on disk."""
    wallet = "4" + "7" * 94
    with Pool("cryptonote", "XMR") as pool:
        with following(
            project_root, tmp_path, f"stratum+tcp://127.0.0.1:{pool.port}", "--chain", "xmr", "--subscribe",
            "--count", "2", HEADFRAME_POOL_LOGIN=wallet,
        ) as process:  # fmt: skip
            eventually(lambda: pool.ready)
            time.sleep(0.2)
            height = pool.height
            pool.push(height + 1)
            pool.push(height + 1, clean=False)
            pool.push(height + 2)
            out, _ = process.communicate(timeout=15)
            assert process.returncode == 0
        assert [line.split()[:2] for line in out.splitlines()] == [["XMR", str(height + 1)], ["XMR", str(height + 2)]]
        assert pool.connections == 1
        assert {said["method"] for said in pool.heard}.isdisjoint(MINING)
        assert pool.heard[0]["params"]["login"] == wallet
    assert wallet not in said(tmp_path)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or wallet.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["http://127.0.0.1"], 2, "is no address of a clock; right is one like bitcoin+http://"),
        (["stratum+tcp://127.0.0.1:1"], 2, "--subscribe opens a connection there, logs in and listens"),
        (["stratum+tcp://127.0.0.1:1", "--subscribe"], 2, "give your account there with --login"),
        (["stratum+tcp://127.0.0.1:1", "--subscribe", "--login", "me"], 2, "give --chain"),
        (["monero+http://127.0.0.1", "--chain", "XMRR"], 2, "did you mean XMR"),
        (["monero+http://127.0.0.1", "--for", "soon"], 2, "right is one like 90s, 30m, 12h or 7d"),
        (["monero+http://a", "monero+http://b", "--zmq", "tcp://h:1"], 2, "--zmq goes with one node"),
        (["monero+http://a", "monero+http://a:18081/"], 2, "an address is given twice"),
        (["monero+http://127.0.0.1", "--zmq", "nonsense"], 2, "an address looks like tcp://127.0.0.1:28332"),
    ],
)
def test_a_wrong_command_line_is_said(headframe: Run, arguments: list[str], code: int, words: str) -> None:
    """Before anything is connected: what is wrong, and what would be right."""
    done = headframe("clock", "follow", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_of_the_wrong_kind_is_said(headframe: Run, tmp_path: Path) -> None:
    """A Bitcoin node where Monero's is meant: an error, not a wait without end."""
    with RpcServer(bitcoin_answers(chain_of(2))) as server:
        done = headframe(
            "clock", "follow", f"monero+http://127.0.0.1:{server.port}", "--workspace", str(tmp_path), "--quiet"
        )
    assert done.returncode == 2
    assert "does not know get_info; another kind of node" in done.stderr


def test_a_node_that_is_not_there_is_waited_for(headframe: Run, tmp_path: Path) -> None:
    """For as long as the user says; the end is a good one."""
    address = f"bitcoin+http://me:s3cret@127.0.0.1:{free_port()}"
    done = headframe("clock", "follow", address, "--for", "1s", "--workspace", str(tmp_path))
    assert done.returncode == 0
    assert "Connection refused; next try in" in done.stderr
    assert "no blocks heard and kept" in done.stderr
    assert "s3cret" not in done.stderr


def test_a_workspace_that_cannot_be_written_ends_it(headframe: Run, tmp_path: Path) -> None:
    """A block that cannot be kept is not worth listening for."""
    (tmp_path / "file").write_text("")
    with RpcServer(ethereum_answers(chain_of(2))) as server:
        done = headframe(
            "clock", "follow", f"ethereum+http://127.0.0.1:{server.port}", "--back-fill", "1",
            "--workspace", str(tmp_path / "file"),
        )  # fmt: skip
    assert done.returncode == 5
    assert "could not be written" in done.stderr


@pytest.mark.parametrize(("text", "length_s"), [("90s", 90), ("30m", 1800), ("12h", 43_200), ("7D", 604_800), ("5", 5)])
def test_a_length_of_time(text: str, length_s: float) -> None:
    """A number and a unit."""
    assert parse_duration_s(text) == length_s


@pytest.mark.parametrize("text", ["", "s", "-1s", "0", "nan", "inf", "1e99", "1w", "1 h h"])
def test_no_length_of_time(text: str) -> None:
    """The message shows what came and what is right."""
    with pytest.raises(ValueError, match="is no length of time"):
        parse_duration_s(text)
