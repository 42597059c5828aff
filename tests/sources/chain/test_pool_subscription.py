"""A pool as a clock: its words without a socket, then the same over real sockets on loopback."""

import datetime
import random
import ssl
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.errors import HeadframeError
from headframe.records.block import Block
from headframe.simulate.chains import CHAINS
from headframe.simulate.chains import Block as SimulatedBlock
from headframe.simulate.dialects import DIALECTS, Account
from headframe.sources.chain.follow import FollowOptions, make_source, parse_address
from headframe.sources.chain.pool_subscription import (
    Job,
    PoolDialect,
    PoolListener,
    coinbase_height,
    job_of_cryptonote,
    job_of_notify,
    job_of_work,
)
from tests.chain_servers import MINING, Pool, eventually

T0_NS = 1_700_000_000_000_000_000
WALLET = "4" + "8" * 94


def listener(dialect: PoolDialect = PoolDialect.CRYPTONOTE, *, chain: str = "XMR") -> tuple[PoolListener, list[str]]:
    """A listener, and what it says to the user."""
    notes: list[str] = []
    made = PoolListener(
        dialect, chain=chain, login=WALLET, password="x", clock_source="pool pool.example:3333", note=notes.append
    )
    made.opening()
    return made, notes


def simulated(dialect: str, coin: str) -> Any:
    """The simulator's pool side."""
    account = Account(wallet="ab" * 20, worker="rig", agent="a/1")
    made = DIALECTS[dialect](CHAINS[coin], account, "pool.example", random.Random(3))
    made.difficulty_hashes = made.settle(1e12)
    made.opening()
    return made


def job(dialect: Any, height: int) -> bytes:
    """A job that builds on the block of this height: it is for the next one."""
    return bytes(dialect.job(SimulatedBlock(height, T0_NS), T0_NS, clean=True)).strip()


CASES = [
    (PoolDialect.STRATUM, "stratum-v1", "LTC"),
    (PoolDialect.STRATUM, "stratum-v1", "BTC"),
    (PoolDialect.STRATUM, "kawpow", "RVN"),
    (PoolDialect.CRYPTONOTE, "cryptonote", "XMR"),
    (PoolDialect.ETH_PROXY, "eth-proxy", "ETC"),
]


@pytest.mark.parametrize(("dialect", "simulator", "coin"), CASES)
def test_a_new_block_is_the_one_that_jobs_build_on(dialect: PoolDialect, simulator: str, coin: str) -> None:
    """The first job is old news; each change of the block to be found tells that the one below has come."""
    made, notes = listener(dialect, chain=coin)
    pool = simulated(simulator, coin)
    seen: list[Block] = []
    for second, height in enumerate((800_000, 800_000, 800_001, 800_001, 800_003, 800_002)):
        blocks, answers = made.feed(job(pool, height), T0_NS + second)
        seen += blocks
        assert answers == []
    assert [(block.height, block.arrival_time_ns) for block in seen] == [
        (800_001, T0_NS + 2),
        (800_003, T0_NS + 4),  # one was passed over: a gap, nothing made up
        (800_002, T0_NS + 5),  # a reorganisation comes again
    ]
    assert {(b.chain, b.clock_source, b.header_time_ns, b.resolution_ns) for b in seen} == {
        (coin, "pool pool.example:3333", None, 1)
    }
    assert notes == []


@pytest.mark.parametrize(("dialect", "simulator", "coin"), CASES)
def test_after_an_interruption_the_first_job_is_old_news(dialect: PoolDialect, simulator: str, coin: str) -> None:
    """Blocks that came while nobody listened have no arrival, and the user is told."""
    made, notes = listener(dialect, chain=coin)
    pool = simulated(simulator, coin)
    made.feed(job(pool, 800_000), T0_NS)
    made.opening()
    assert made.feed(job(pool, 800_004), T0_NS + 9)[0] == []
    assert "up to height 800004 came while nobody listened" in notes[0]
    (block,), _ = made.feed(job(pool, 800_005), T0_NS + 10)
    assert block.height == 800_005


def test_a_reorganisation_of_equal_height_shows_in_the_parent() -> None:
    """The job's height stays, the previous block's hash changes: the block one below came again."""
    made, _ = listener()

    def say(parent: str) -> bytes:
        params = {"job_id": "1", "height": 10, "blob": "101080" + "01" + parent * 32 + "00" * 40}
        return orjson.dumps({"method": "job", "params": params})

    made.feed(say("aa"), T0_NS)
    assert made.feed(say("aa"), T0_NS + 1)[0] == []
    (block,), _ = made.feed(say("bb"), T0_NS + 2)
    assert (block.height, block.arrival_time_ns) == (9, T0_NS + 2)


def test_a_pool_that_changes_the_chain_is_no_clock() -> None:
    """Heights far apart from one job to the next are of two chains."""
    made, notes = listener()
    pool = simulated("cryptonote", "XMR")
    made.feed(job(pool, 3_000_000), T0_NS)
    assert made.feed(job(pool, 1_200_000), T0_NS + 1)[0] == []
    assert "from one chain to another" in notes[0]
    assert len(made.feed(job(pool, 1_200_001), T0_NS + 2)[0]) == 1


@pytest.mark.parametrize(("simulator", "coin"), [("zcash", "ZEC"), ("ethereum-stratum", "ETC"), ("kaspa", "KAS")])
def test_jobs_without_a_height_are_said_to_be_useless(simulator: str, coin: str) -> None:
    """A block without its height cannot be placed; said once, and no height is guessed."""
    made, notes = listener(PoolDialect.STRATUM, chain=coin)
    pool = simulated(simulator, coin)
    for height in (5, 6, 7):
        assert made.feed(job(pool, height), T0_NS) == ([], [])
    assert len(notes) == 1
    assert "do not tell the height" in notes[0] or "unknown form" in notes[0]


@pytest.mark.parametrize("dialect", PoolDialect)
def test_nothing_that_is_said_is_mining(dialect: PoolDialect) -> None:
    """Whatever a pool says, no share is handed in: there is none, and no word for it."""
    made, _ = listener(dialect)
    said = [*made.opening(), *made.keepalive()]
    for line in (
        b'{"id":1,"result":[[["mining.notify","a"]],"ab",4],"error":null}', b'{"id":1,"result":true}',
        b'{"id":2,"result":true}', b'{"id":7,"method":"client.get_version","params":[]}',
        b'{"id":8,"method":"mining.ping"}', b'{"id":1,"result":{"id":"s","job":{},"status":"OK"}}',
        b'{"id":null,"method":"mining.set_difficulty","params":[1]}',
    ):  # fmt: skip
        said += made.feed(line, T0_NS)[1]
        said += made.keepalive()
    methods = {orjson.loads(line).get("method") for line in said}
    assert methods <= {
        None, "login", "keepalived", "eth_submitLogin", "eth_getWork", "mining.subscribe", "mining.authorize",
    }  # fmt: skip
    assert not methods & MINING


@pytest.mark.parametrize(
    ("dialect", "line"),
    [
        (PoolDialect.CRYPTONOTE, {"id": 1, "error": {"code": -1, "message": f"Invalid address {WALLET}"}}),
        (PoolDialect.STRATUM, {"id": 2, "result": False, "error": [24, f"Unauthorized {WALLET}", None]}),
        (PoolDialect.STRATUM, {"id": 1, "result": None, "error": "go away"}),
        (PoolDialect.ETH_PROXY, {"id": 1, "result": False}),
    ],
)
def test_a_refused_login_is_not_tried_again(dialect: PoolDialect, line: dict[str, object]) -> None:
    """And the login, which is a wallet, is not repeated."""
    made, _ = listener(dialect)
    with pytest.raises(HeadframeError, match="refuses the subscription or login") as error:
        made.feed(orjson.dumps(line), T0_NS)
    assert WALLET not in str(error.value)


def test_a_pool_that_sends_us_elsewhere_is_left() -> None:
    """``client.reconnect`` names a host; only the one that the user named is called again."""
    made, _ = listener(PoolDialect.STRATUM)
    with pytest.raises(ConnectionError, match="asks to connect again") as error:
        made.feed(b'{"id":null,"method":"client.reconnect","params":["evil.example",1]}', T0_NS)
    assert "evil" not in str(error.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 1 << 70) | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["ab" * 32, "0x" + "ab" * 32, "01000000" + "01" + "00" * 32 + "ffffffff03", "zz", "0x"]),
    lambda inner: st.lists(inner, max_size=9)
    | st.dictionaries(st.sampled_from(["job", "height", "blob", "id", "error", "message"]), inner, max_size=5),
    max_leaves=14,
)  # fmt: skip


@given(
    st.sampled_from(PoolDialect),
    st.fixed_dictionaries(
        {},
        optional={
            "id": json_values, "result": json_values, "error": json_values, "params": json_values,
            "method": st.sampled_from(["mining.notify", "job", "x", None, "mining.ping"]),
        },
    ),
)  # fmt: skip
def test_whatever_a_pool_says_the_fault_is_a_known_one(dialect: PoolDialect, value: dict[str, Any]) -> None:
    """ValueError, OSError or HeadframeError: the follower knows what to do with each."""
    made, _ = listener(dialect)
    try:
        line = orjson.dumps(value)
    except TypeError:  # a number beyond 64 bits
        return
    try:
        blocks, answers = made.feed(line, T0_NS)
    except (ValueError, OSError, HeadframeError):
        return
    assert blocks == []
    assert all(orjson.loads(answer) for answer in answers)


@given(st.binary(max_size=80))
def test_a_line_that_is_no_json_object_is_an_error(line: bytes) -> None:
    """The message says what came; an empty line is nothing."""
    made, _ = listener()
    if not line.strip():
        assert made.feed(line, T0_NS) == ([], [])
    elif not line.strip().startswith(b"{"):
        with pytest.raises(ValueError, match="one JSON object per line"):
            made.feed(line, T0_NS)


@given(st.integers(1, (1 << 31) - 1))
def test_the_height_of_a_coinbase(height: int) -> None:
    """BIP 34, written by its rule: the shortest push of the number, least significant byte first."""
    if height <= 16:
        push = bytes([0x50 + height])
    else:
        number = height.to_bytes(5, "little").rstrip(b"\0")
        number += b"\0" if number[-1] & 0x80 else b""
        push = bytes([len(number)]) + number
    script = push + b"/a pool/"
    coinbase = bytes(3) + b"\1" + b"\1" + bytes(32) + b"\xff" * 4 + bytes([len(script) + 8]) + script
    # A number of five bytes would be a height beyond 2**31.
    assert coinbase_height(coinbase.hex()) == (height if len(push) <= 5 else None)
    assert coinbase_height(coinbase.hex()[:80]) is None


def test_the_forms_of_a_job() -> None:
    """Each by what stands where."""
    h = "ab" * 32
    assert job_of_notify(["1", "00ff" * 16, "01", "02", [], "03", "04", "05", True]) == Job(None, "00ff" * 16)
    assert job_of_notify(["1", h, h, h, True, 123, "1b00d31c"]) == Job(123, "")  # KawPoW
    assert job_of_notify(["1", 456, h, "", "", 2, "9" * 60, "", True]) == Job(456, "")  # Ergo
    assert job_of_notify(["1", "e4e1c0", h, "1"]) == Job(15_000_000, "")  # EthereumStratum/2.0.0
    assert job_of_work(["0x" + h] * 3) == Job(None, "")
    assert job_of_cryptonote({"blob": "zz", "height": 3}) == Job(3, "")
    for bad in (None, [], {}, ["1"], "x", [1, 2, 3]):
        with pytest.raises(ValueError):
            job_of_notify(bad)
        with pytest.raises(ValueError):
            job_of_work(bad)


# -- over sockets ------------------------------------------------------------------------------------------------------


def source_of(pool: Pool, *, scheme: str = "stratum+tcp", notes: list[str] | None = None, **options: Any) -> Any:
    """A source as the command makes it."""
    return make_source(
        parse_address(f"{scheme}://127.0.0.1:{pool.port}"),
        FollowOptions(**{"chain": pool.chain.coin, "login": WALLET, "subscribe": True, **options}),
        now_ns=time.time_ns,
        pause=time.sleep,
        note=(notes if notes is not None else []).append,
    )


@pytest.mark.parametrize(
    ("simulator", "coin", "opening"),
    [
        ("stratum-v1", "LTC", ["mining.subscribe", "mining.authorize"]),
        ("kawpow", "RVN", ["mining.subscribe", "mining.authorize"]),
        ("cryptonote", "XMR", ["login"]),
        ("eth-proxy", "ETC", ["eth_submitLogin", "eth_getWork"]),
    ],
)
def test_a_pool_on_loopback_is_a_clock(simulator: str, coin: str, opening: list[str]) -> None:
    """Log in as the dialect wants it, listen, and stamp each new block to a fraction of a second."""
    with Pool(simulator, coin) as pool:
        source = source_of(pool)
        source.open()
        eventually(lambda: source.wait() or pool.ready)
        base = pool.height
        source.wait()  # the first job
        sent_ns = time.time_ns()
        pool.push(base + 1)
        (block,) = eventually(source.wait)
        assert (block.chain, block.height) == (coin, base + 1)
        assert 0 <= block.arrival_time_ns - sent_ns < 250_000_000
        assert block.clock_source == f"pool 127.0.0.1:{pool.port}"
        pool.hang_up()
        with pytest.raises(OSError, match=r"pool 127\.0\.0\.1"):
            for _ in range(10):
                source.wait()
        source.close()
        assert [said["method"] for said in pool.heard] == opening
        assert WALLET in str(pool.heard)
        assert pool.connections == 1


def test_a_pool_that_sends_without_end_is_left() -> None:
    """A line has a limit, so memory has one."""
    with Pool("cryptonote", "XMR") as pool:
        source = source_of(pool)
        source.open()
        eventually(lambda: source.wait() or pool.ready)
        pool.reply = lambda said: b" " * 4_000_000
        source._send([b"{}\n"])
        with pytest.raises(ValueError, match="a line of more than"):
            for _ in range(10_000):
                source.wait()
        source.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A self-signed certificate for loopback, and its SHA-256."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pool.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "pool.pem"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, made.fingerprint(hashes.SHA256()).hex(":")


def test_a_pool_over_tls(tmp_path: Path) -> None:
    """A certificate is checked: by the authorities, or by the fingerprint that the user gives."""
    context, fingerprint = certificate(tmp_path)
    with Pool("cryptonote", "XMR", tls=context) as pool:
        with pytest.raises(HeadframeError, match=r"not trusted.*--fingerprint"):
            source_of(pool, scheme="stratum+ssl").open()
        with pytest.raises(HeadframeError, match="not the one expected"):
            source_of(pool, scheme="stratum+ssl", fingerprint="00" * 32).open()
        source = source_of(pool, scheme="stratum+ssl", fingerprint=fingerprint)
        source.open()
        eventually(lambda: source.wait() or pool.ready)
        source.wait()
        pool.push(pool.height + 1)
        assert len(eventually(source.wait)) == 1
        source.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"subscribe": False}, "--subscribe opens a connection there, logs in and listens"),
        ({"login": ""}, "--login"),
        ({"chain": ""}, "--chain"),
    ],
)
def test_nothing_is_opened_without_consent(options: dict[str, Any], words: str) -> None:
    """A pool is somebody else's machine: opt in, with a login, for a chain."""
    with Pool("cryptonote", "XMR") as pool:
        with pytest.raises(HeadframeError, match=words):
            source_of(pool, **options)
        assert pool.connections == 0
