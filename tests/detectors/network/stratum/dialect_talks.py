"""One conversation per dialect, made up from the protocol descriptions: a miner hands in shares and is answered."""

from collections.abc import Callable

from tests.detectors.network.stratum.talk import Talk, answer, chunked, frame, line, post

H = "5f" * 32
G = "a7" * 32
XMR = "4" + "8" + "A1b2C3d4E5" * 9 + "abc"
assert len(XMR) == 95
PREVIOUS = "9d0b3f1ce1a4f7d25b21c8a09d34f6e7c1a09b1f000b2c4d0000000000000000"


def stratum_v1(coinbase: str = "01000000" + "01" + "00" * 32 + "ffffffff" + "20" + "03" + "c0b809" + "aa" * 8) -> Talk:
    """Bitcoin in September 2020: height 637,120 in the coinbase, difficulty of that time in nBits."""
    coinbase = coinbase.replace("c0b809", (648_100).to_bytes(3, "little").hex())
    talk = Talk()
    talk.c(
        {"id": 1, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "1fffe000"}]}
    )
    talk.s({"id": 1, "result": {"version-rolling": True, "version-rolling.mask": "1fffe000"}, "error": None})
    talk.c({"id": 2, "method": "mining.subscribe", "params": ["bmminer/2.0.0"]})
    talk.s(
        {"id": 2, "result": [[["mining.set_difficulty", "1"], ["mining.notify", "1"]], "3800a51c", 8], "error": None}
    )
    talk.c({"params": ["tester.worker1", "x"], "id": 3, "method": "mining.authorize"})
    talk.s({"id": 3, "result": True, "error": None})
    talk.s({"id": None, "method": "mining.set_difficulty", "params": [65536]})
    notify = ["j1", PREVIOUS, coinbase, "ffffffff", [H, G], "20000000", "17103a15", "5f5e1000", True]
    talk.s({"id": None, "method": "mining.notify", "params": notify})
    for share in range(5):
        talk.wait(10).c(
            {
                "id": 10 + share,
                "method": "mining.submit",
                "params": ["tester.worker1", "j1", "00", "5f5e1000", f"{share:08x}"],
            }
        )
        talk.s({"id": 10 + share, "result": True, "error": None})
    return talk.wait(10)


def cryptonote() -> Talk:
    """Monero by XMRig: RandomX, message ids in order."""
    talk = Talk(server_port=14444)
    job = {
        "algo": "rx/0",
        "blob": "0c0c" + "ab" * 74,
        "height": 2_185_800,
        "job_id": "a1",
        "target": "b88d0600",
        "seed_hash": G,
    }
    talk.c(
        {
            "id": 1,
            "jsonrpc": "2.0",
            "method": "login",
            "params": {"login": f"{XMR}.rig", "pass": "x", "agent": "XMRig/6.3.0 (Linux)", "algo": ["rx/0", "cn/r"]},
        }
    )
    talk.s({"id": 1, "jsonrpc": "2.0", "error": None, "result": {"id": "s1", "job": job, "status": "OK"}})
    for share in range(5):
        params = {"id": "s1", "job_id": "a1", "nonce": f"{share:08x}", "result": H}
        talk.wait(20).c({"id": share + 2, "jsonrpc": "2.0", "method": "submit", "params": params})
        talk.s({"id": share + 2, "jsonrpc": "2.0", "error": None, "result": {"status": "OK"}})
    talk.c({"id": 8, "jsonrpc": "2.0", "method": "keepalived", "params": {"id": "s1"}})
    talk.s({"id": 8, "jsonrpc": "2.0", "error": None, "result": {"status": "KEEPALIVED"}})
    talk.s({"jsonrpc": "2.0", "method": "job", "params": {**job, "job_id": "a2"}})
    return talk.wait(20)


def xmr_stak() -> Talk:
    """The same with one message id for everything."""
    talk = cryptonote()
    for at, (side, seconds, data) in enumerate(talk.said):
        for number in range(1, 9):
            data = data.replace(b'"id": %d,' % number, b'"id": 1,')
        talk.said[at] = (side, seconds, data)
    return talk


TARGET_4G = "0x00000000ffffffff" + "f" * 48


def eth_proxy() -> Talk:
    talk = Talk(server_port=4444)
    talk.c({"id": 1, "jsonrpc": "2.0", "method": "eth_submitLogin", "params": ["0x" + "1a" * 20], "worker": "rig"})
    talk.s({"id": 1, "jsonrpc": "2.0", "result": True})
    talk.c({"id": 5, "method": "eth_getWork", "params": []})
    talk.s({"id": 5, "jsonrpc": "2.0", "result": ["0x" + H, "0x" + G, TARGET_4G]})
    for share in range(4):
        talk.wait(100).c({"id": 40, "method": "eth_submitWork", "params": [f"0x{share:016x}", "0x" + H, "0x" + G]})
        talk.s({"id": 40, "jsonrpc": "2.0", "result": True})
    talk.c({"id": 9, "method": "eth_submitHashrate", "params": ["0x1000000", "0x" + "0" * 64]})
    talk.s({"id": 9, "jsonrpc": "2.0", "result": True})
    talk.s({"id": 0, "jsonrpc": "2.0", "result": ["0x" + G, "0x" + G, TARGET_4G]})
    return talk.wait(100)


def ethereum_stratum() -> Talk:
    talk = Talk(server_port=3353)
    talk.c({"id": 1, "method": "mining.subscribe", "params": ["ethminer/0.18.0", "EthereumStratum/1.0.0"]})
    talk.s({"id": 1, "result": [["mining.notify", "ae68", "EthereumStratum/1.0.0"], "080c"], "error": None})
    talk.c({"id": 2, "method": "mining.extranonce.subscribe", "params": []})
    talk.s({"id": 2, "result": True, "error": None})
    talk.c({"id": 3, "method": "mining.authorize", "params": ["0x" + "1a" * 20 + ".rig", "x"]})
    talk.s({"id": 3, "result": True, "error": None})
    talk.s({"id": None, "method": "mining.set_difficulty", "params": [0.5]})
    talk.s({"id": None, "method": "mining.notify", "params": ["bf0488aa", G, H, True]})
    for share in range(4):
        talk.wait(100).c({"id": 4 + share, "method": "mining.submit", "params": ["w", "bf0488aa", f"{share:012x}"]})
        talk.s({"id": 4 + share, "result": True, "error": None})
    return talk.wait(100)


def zcash() -> Talk:
    talk = Talk()
    talk.c({"id": 1, "method": "mining.subscribe", "params": ["EWBF 0.3.4b", None, "eu1.pool.example", "3333"]})
    talk.s({"id": 1, "result": [None, "04d567b212"], "error": None})
    talk.c({"id": 2, "method": "mining.authorize", "params": ["t1" + "aBcDeFgHiJk" * 3 + ".rig", "x"]})
    talk.s({"id": 2, "result": True, "error": None})
    talk.s({"id": None, "method": "mining.set_target", "params": ["0004" + "18" * 30]})
    talk.s(
        {
            "id": None,
            "method": "mining.notify",
            "params": ["z1", "04000000", H, G, "00" * 32, "a9cc405a", "09d8151c", True],
        }
    )
    for share in range(4):
        params = ["w", "z1", "a9cc405a", f"{share:054x}", "fd4005" + "3c" * 1344]
        talk.wait(30).c({"id": 100 + share, "method": "mining.submit", "params": params})
        talk.s({"id": 100 + share, "result": True})
    return talk.wait(30)


def kaspa() -> Talk:
    talk = Talk(server_port=5555)
    talk.c({"id": 1, "jsonrpc": "2.0", "method": "mining.subscribe", "params": ["lolMiner 1.60"]})
    talk.s({"id": 1, "jsonrpc": "2.0", "result": [True, "EthereumStratum/1.0.0"], "error": None})
    talk.c({"id": 2, "method": "mining.authorize", "params": ["kaspa:" + "q" + "z" * 60 + ".rig", ""]})
    talk.s({"id": 2, "result": True, "error": None})
    talk.s({"method": "mining.set_difficulty", "params": [1.0]})
    talk.s({"method": "mining.notify", "params": ["7", [11142023182912837, 99, 1844674407370955161, 5], 1660000000]})
    for share in range(4):
        talk.wait(5).c({"id": 3 + share, "method": "mining.submit", "params": ["w", "7", f"0x{share:016x}"]})
        talk.s({"id": 3 + share, "result": True, "error": None})
    return talk.wait(5)


def kawpow() -> Talk:
    talk = Talk(server_port=3636)
    talk.c({"id": 1, "method": "mining.subscribe", "params": ["kawpowminer/1.2.4", None]})
    talk.s({"id": 1, "result": [None, "7e1a"], "error": None})
    talk.c({"id": 2, "method": "mining.authorize", "params": ["R" + "aBcDeFgHiJk" * 3 + ".rig", "x"]})
    talk.s({"id": 2, "result": True, "error": None})
    target = "00000000ff" + "0" * 54
    talk.s({"id": None, "method": "mining.set_target", "params": [target]})
    talk.s({"id": None, "method": "mining.notify", "params": ["r1", H, G, target, True, 1_413_000, "1b00f0f0"]})
    for share in range(4):
        talk.wait(20).c(
            {"id": 4 + share, "method": "mining.submit", "params": ["w", "r1", f"0x{share:016x}", "0x" + H, "0x" + G]}
        )
        talk.s({"id": 4 + share, "result": True, "error": None})
    return talk.wait(20)


def ergo() -> Talk:
    talk = Talk()
    talk.c({"id": 1, "method": "mining.subscribe", "params": ["TeamRedMiner/0.10.0", None]})
    talk.s({"id": 1, "result": [None, "17cf", 6], "error": None})
    talk.c({"id": 2, "method": "mining.authorize", "params": ["9" + "aBcDeFgHiJ" * 5 + ".rig", "x"]})
    talk.s({"id": 2, "result": True, "error": None})
    bound = str(2**256 // 2**32)
    talk.s({"id": None, "method": "mining.notify", "params": ["e1", 320_000, H, "", "", 2, bound, "", True]})
    for share in range(4):
        talk.wait(20).c(
            {"id": 4 + share, "method": "mining.submit", "params": ["w", "e1", "00", "00", f"{share:016x}"]}
        )
        talk.s({"id": 4 + share, "result": True, "error": None})
    return talk.wait(20)


def iron_fish() -> Talk:
    talk = Talk()
    talk.c({"id": 0, "method": "mining.subscribe", "body": {"version": 1, "publicAddress": "ab" * 32}})
    talk.s({"id": 0, "method": "mining.subscribed", "body": {"clientId": 1, "graffiti": "xx"}})
    talk.s({"id": 1, "method": "mining.set_target", "body": {"target": "00000000ff" + "0" * 54}})
    talk.s({"id": 2, "method": "mining.notify", "body": {"miningRequestId": 7, "header": "ab" * 150}})
    for share in range(4):
        talk.wait(5).c(
            {"id": 3 + share, "method": "mining.submit", "body": {"miningRequestId": 7, "randomness": f"{share:016x}"}}
        )
        talk.s({"id": 3 + share, "result": True})
    return talk.wait(5)


def web_miner() -> Talk:
    """In a page: WebSocket, ``type`` instead of ``method``."""
    talk = Talk(server_port=80)
    masks = iter(
        [b"\x11\x22\x33\x44", b"\xa0\xb1\xc2\xd3", b"\x01\x02\x03\x04", b"\x99\x88\x77\x66", b"\x10\x20\x30\x40"]
    )
    talk.c(b"GET /proxy HTTP/1.1\r\nHost: ws1.miner.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    talk.s(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    auth = {
        "type": "auth",
        "params": {"version": 7, "site_key": "aBcDeF0123", "type": "anonymous", "user": None, "goal": 0},
    }
    talk.c(frame(line(auth)[:-1], next(masks)))
    talk.s(frame(line({"type": "authed", "params": {"token": "", "hashes": 0}})[:-1]))
    job = line({"type": "job", "params": {"job_id": "w1", "blob": "0c0c" + "ab" * 74, "target": "ffffff00"}})[:-1]
    talk.s(frame(job[:40], final=False) + frame(b"", opcode=9) + frame(job[40:], opcode=0))
    for share in range(4):
        body = {"type": "submit", "params": {"version": 7, "job_id": "w1", "nonce": f"{share:08x}", "result": H}}
        talk.wait(5).c(frame(line(body)[:-1], next(masks)))
        talk.s(frame(line({"type": "hash_accepted", "params": {"hashes": 256 * (share + 1)}})[:-1]))
    return talk.wait(5)


def getwork() -> Talk:
    """Bitcoin's first mining protocol, as cgminer speaks it."""
    talk = Talk(server_port=8332)
    agent = (
        "Authorization: Basic bWluZXI6eA==",
        "User-Agent: cgminer 2.11.4",
        "X-Mining-Extensions: longpoll midstate",
    )
    work = {
        "midstate": "ab" * 32,
        "data": "00000002" + "5f" * 124,
        "hash1": "00" * 64,
        "target": "ff" * 28 + "00000000",
    }
    talk.c(post({"method": "getwork", "params": [], "id": 0}, *agent))
    talk.s(answer({"result": work, "error": None, "id": 0}, "200 OK", "X-Long-Polling: /lp"))
    for share in range(4):
        talk.wait(10).c(post({"method": "getwork", "params": [f"{share:08x}" + "5f" * 124], "id": share + 1}, *agent))
        talk.s(answer({"result": True, "error": None, "id": share + 1}))
    return talk.wait(10)


def getblocktemplate() -> Talk:
    """Solo mining by cgminer: many shares of network difficulty are not to be had, so none is handed in."""
    talk = Talk(server_port=8332)
    agent = ("Authorization: Basic bWluZXI6eA==", "User-Agent: cgminer/4.10.0", "X-Mining-Extensions: longpoll")
    template = {
        "version": 536870912,
        "previousblockhash": "00000000000000000009" + "5f" * 22,
        "transactions": [],
        "coinbasevalue": 640000000,
        "target": "0000000000000000000f" + "0" * 44,
        "bits": "17103a15",
        "height": 648_100,
        "longpollid": "x",
    }
    for _ in range(3):
        talk.c(post({"method": "getblocktemplate", "params": [{"capabilities": ["coinbasetxn"]}], "id": 0}, *agent))
        talk.s(chunked({"result": template, "error": None, "id": 0})).wait(30)
    return talk


def eth_getwork_http() -> Talk:
    talk = Talk(server_port=8545)
    for share in range(4):
        talk.c(post({"id": 1, "jsonrpc": "2.0", "method": "eth_getWork", "params": []}, "User-Agent: ethminer"))
        talk.s(answer({"id": 1, "jsonrpc": "2.0", "result": ["0x" + H, "0x" + G, TARGET_4G]}))
        talk.wait(20).c(
            post(
                {
                    "id": 2,
                    "jsonrpc": "2.0",
                    "method": "eth_submitWork",
                    "params": [f"0x{share:016x}", "0x" + H, "0x" + G],
                },
                "User-Agent: ethminer",
            )
        )
        talk.s(answer({"id": 2, "jsonrpc": "2.0", "result": True})).wait(5)
    return talk


DIALECTS: dict[str, tuple[Callable[[], Talk], str, str, int, float | None]] = {
    # name: (conversation, protocol, likeliest coin, accepted shares, hashes per share)
    "stratum v1": (stratum_v1, "stratum-v1", "BTC", 5, 65536 * 2.0**32),
    "cryptonote": (cryptonote, "cryptonote", "XMR", 5, 10_000.0),
    "cryptonote with one id": (xmr_stak, "cryptonote", "XMR", 5, 10_000.0),
    "eth proxy": (eth_proxy, "eth-proxy", "ETH", 4, 2.0**32),
    "ethereum stratum": (ethereum_stratum, "ethereum-stratum", "ETH", 4, 2.0**31),
    "zcash": (zcash, "zcash-stratum", "ZEC", 4, 2.0**256 / int("0004" + "18" * 30, 16)),
    "kaspa": (kaspa, "kaspa-stratum", "KAS", 4, 2.0**32),
    "kawpow": (kawpow, "stratum-v1", "RVN", 4, 2.0**256 / int("00000000ff" + "0" * 54, 16)),
    "ergo": (ergo, "stratum-v1", "ERG", 4, 2.0**32),
    "iron fish": (iron_fish, "stratum-v1", "IRON", 4, 2.0**256 / int("00000000ff" + "0" * 54, 16)),
    "web miner": (web_miner, "cryptonote+websocket", "XMR", 4, 2.0**32 / 0xFFFFFF),
    "getwork": (getwork, "getwork+http", "", 4, 2.0**32),
    "getblocktemplate": (getblocktemplate, "getblocktemplate+http", "BTC", 0, None),
    "eth getwork over http": (eth_getwork_http, "eth-getwork-http", "ETH", 4, 2.0**32),
}
