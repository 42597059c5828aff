"""What one JSON object says in the languages of mining: who says it, in which dialect, and what it does.

Only the shape of a whole message counts: a method name together with the parameters that this method must have.
The short names ``login``, ``job`` and ``submit`` are used by many programs, so they need theirs in particular.

References
----------
.. [1] Stratum v1: Bitcoin wiki, "Stratum mining protocol"; BIP 310 (``mining.configure``).
.. [2] CryptoNote: XMRig, "Stratum protocol", doc/STRATUM.md and its extensions.
.. [3] EthereumStratum/1.0.0 (NiceHash), EIP-1571 (EthereumStratum/2.0.0), and the ``eth_`` proxy dialect of Dwarfpool.
.. [4] ZIP 301: "Zcash Stratum Protocol".
.. [5] BIP 22 and 23 (getblocktemplate); Bitcoin wiki, "Getwork".
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any


class Dialect(StrEnum):
    """Protocol names as a finding gives them."""

    STRATUM_V1 = "stratum-v1"
    STRATUM_V2 = "stratum-v2"
    CRYPTONOTE = "cryptonote"
    ETH_PROXY = "eth-proxy"
    ETHEREUM_STRATUM = "ethereum-stratum"
    ZCASH = "zcash-stratum"
    KASPA = "kaspa-stratum"
    GETWORK = "getwork"
    GETBLOCKTEMPLATE = "getblocktemplate"
    ETH_GETWORK_HTTP = "eth-getwork-http"


class Act(IntEnum):
    """What a message does. Below `JOB` a client says it, from there on a server."""

    SUBSCRIBE = 0
    AUTHORIZE = 1
    LOGIN = 2
    CONFIGURE = 3
    GET_WORK = 4
    SUBMIT = 5
    HASHRATE = 6
    KEEPALIVE = 7
    TEMPLATE = 8
    SUBMIT_BLOCK = 9
    JOB = 10
    DIFFICULTY = 11
    TARGET = 12
    EXTRANONCE = 13
    SERVER_NOTE = 14
    ACCEPTED = 15
    REFUSED = 16
    REJECTED = 17


class Notify(StrEnum):
    """Shapes of a pushed job, each peculiar to a family of coins."""

    BITCOIN = "bitcoin"
    ZCASH = "zcash"
    ETHASH = "ethash"
    KAWPOW = "kawpow"
    KASPA = "kaspa"
    ERGO = "ergo"
    ALEPHIUM = "alephium"
    IRON_FISH = "iron fish"
    CRYPTONOTE = "cryptonote"
    GRIN = "grin"
    BEAM = "beam"
    GETWORK = "getwork"
    TEMPLATE = "template"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Said:
    """One message, understood."""

    act: Act
    dialect: Dialect


_V1 = Dialect.STRATUM_V1
_CN = Dialect.CRYPTONOTE
_ETH = Dialect.ETH_PROXY

# Methods whose name alone is peculiar to mining; their parameters are a list, or an object in a few dialects.
_BY_NAME: dict[str, Said] = {
    "mining.subscribe": Said(Act.SUBSCRIBE, _V1),
    "mining.hello": Said(Act.SUBSCRIBE, Dialect.ETHEREUM_STRATUM),
    "mining.authorize": Said(Act.AUTHORIZE, _V1),
    "mining.configure": Said(Act.CONFIGURE, _V1),
    "mining.multi_version": Said(Act.CONFIGURE, _V1),
    "mining.suggest_difficulty": Said(Act.CONFIGURE, _V1),
    "mining.suggest_target": Said(Act.CONFIGURE, _V1),
    "mining.extranonce.subscribe": Said(Act.CONFIGURE, _V1),
    "mining.capabilities": Said(Act.CONFIGURE, _V1),
    "mining.get_transactions": Said(Act.CONFIGURE, _V1),
    "mining.get_upstream": Said(Act.CONFIGURE, _V1),
    "mining.noop": Said(Act.KEEPALIVE, _V1),
    "mining.hashrate": Said(Act.HASHRATE, _V1),
    "mining.submit": Said(Act.SUBMIT, _V1),
    "mining.submit_hashrate": Said(Act.HASHRATE, _V1),
    "mining.notify": Said(Act.JOB, _V1),
    "mining.set": Said(Act.TARGET, Dialect.ETHEREUM_STRATUM),
    "mining.set_difficulty": Said(Act.DIFFICULTY, _V1),
    "mining.set_target": Said(Act.TARGET, _V1),
    "mining.set_extranonce": Said(Act.EXTRANONCE, _V1),
    "mining.set_version_mask": Said(Act.SERVER_NOTE, _V1),
    "mining.submitted": Said(Act.SERVER_NOTE, _V1),
    "mining.subscribed": Said(Act.SERVER_NOTE, _V1),
    "mining.wait_for_work": Said(Act.SERVER_NOTE, _V1),
    "mining.ping": Said(Act.SERVER_NOTE, _V1),
    "client.reconnect": Said(Act.SERVER_NOTE, _V1),
    "client.show_message": Said(Act.SERVER_NOTE, _V1),
    "client.get_version": Said(Act.SERVER_NOTE, _V1),
    "eth_submitLogin": Said(Act.LOGIN, _ETH),
    "eth_login": Said(Act.LOGIN, _ETH),
    "eth_getWork": Said(Act.GET_WORK, _ETH),
    "eth_submitWork": Said(Act.SUBMIT, _ETH),
    "eth_submitHashrate": Said(Act.HASHRATE, _ETH),
    "getblocktemplate": Said(Act.TEMPLATE, Dialect.GETBLOCKTEMPLATE),
    "get_block_template": Said(Act.TEMPLATE, Dialect.GETBLOCKTEMPLATE),
    "submitblock": Said(Act.SUBMIT_BLOCK, Dialect.GETBLOCKTEMPLATE),
    "submit_block": Said(Act.SUBMIT_BLOCK, Dialect.GETBLOCKTEMPLATE),
}

NODE_METHODS: dict[str, str] = {
    **dict.fromkeys(
        (
            "getinfo", "getmininginfo", "getblockcount", "getblockhash", "getblock", "getbestblockhash",
            "getblockchaininfo",
            "getnetworkinfo", "getdifficulty", "getconnectioncount", "getpeerinfo", "getrawtransaction",
            "getrawmempool",
            "getnetworkhashps", "validateaddress", "getaccount", "getbalance", "getaddressinfo", "listtransactions",
            "listunspent", "sendtoaddress", "sendmany", "sendrawtransaction", "estimatesmartfee", "getnewaddress",
            "gettransaction", "getwalletinfo", "decoderawtransaction", "gettxout",
        ),
        "RPC of a Bitcoin-like node",
    ),
    **dict.fromkeys(
        (
            "get_info", "get_block_count", "getlastblockheader", "get_last_block_header", "getblockheaderbyheight",
            "get_block_header_by_height", "getblockheaderbyhash", "get_block_header_by_hash", "get_fee_estimate",
            "hard_fork_info", "get_version", "get_transfers", "getheight", "get_height", "get_address", "transfer",
            "transfer_split", "sync_info", "get_connections", "get_output_histogram", "get_accounts", "query_key",
            "make_integrated_address",
        ),
        "RPC of a Monero node or wallet",
    ),
    **dict.fromkeys(("initialize", "initialized", "shutdown"), "language server"),
}  # fmt: skip
"""Method names that nodes and wallets answer but no miner asks; what to call the conversation."""


def node_label(method: str) -> str | None:
    """Name of a well-known use of JSON-RPC that is not mining, by its method; None for an unknown one."""
    label = NODE_METHODS.get(method)
    if label is not None:
        return label
    if method.startswith(("eth_", "net_", "web3_", "personal_", "parity_", "debug_", "txpool_", "engine_", "erigon_")):
        return "RPC of an Ethereum node or wallet"
    if method.startswith(("textDocument/", "workspace/", "window/", "$/")):
        return "language server"
    return None


def understand(value: dict[str, Any]) -> Said | None:
    """What a JSON object that is not an answer says in a mining dialect.

    Parameters
    ----------
    value : dict
        The object as parsed.

    Returns
    -------
    Said or None
        None where it is no mining message, or is an answer (no method).
    """
    method = value.get("method")
    if not isinstance(method, str):
        return _web_miner(value)
    said = _BY_NAME.get(method)
    params = value.get("params")
    if said is not None:
        if params is None:
            params = value.get("body")  # Iron Fish
        if said.act is Act.SUBMIT and said.dialect is _V1 and not isinstance(params, (list, dict)):
            return None
        if said.act in (Act.JOB, Act.DIFFICULTY, Act.TARGET) and (not isinstance(params, (list, dict)) or not params):
            return None
        return said
    if isinstance(params, dict):
        if method == "login" and _text(params, "login") and ("pass" in params or "agent" in params or "algo" in params):
            return Said(Act.LOGIN, _CN)
        if method == "job" and is_job(params):
            return Said(Act.JOB, _CN)
        if method == "submit" and is_share(params):
            return Said(Act.SUBMIT, _CN)
        if method == "keepalived" and "id" in params:
            return Said(Act.KEEPALIVE, _CN)
        if method == "getjob" and "id" in params:
            return Said(Act.GET_WORK, _CN)
    if method == "getjobtemplate":
        return Said(Act.GET_WORK, _CN)
    if method == "getwork" and (params is None or isinstance(params, list)):
        return Said(Act.SUBMIT if params else Act.GET_WORK, Dialect.GETWORK)
    if method == "login" and _text(value, "api_key"):
        return Said(Act.LOGIN, _CN)
    if method == "job" and _text(value, "input") and "difficulty" in value:
        return Said(Act.JOB, _CN)
    if method == "solution" and _text(value, "nonce") and _text(value, "output"):
        return Said(Act.SUBMIT, _CN)
    return None


def _web_miner(value: dict[str, Any]) -> Said | None:
    """Messages of miners in web pages (Coinhive and its kin): ``type`` instead of ``method``."""
    kind = value.get("type")
    if not isinstance(kind, str) or "result" in value:
        return None
    params = value.get("params")
    if not isinstance(params, dict):
        return Said(Act.REFUSED, _CN) if kind == "banned" and "params" in value else None
    if kind == "auth" and ("site_key" in params or "sitekey" in params or "key" in params):
        return Said(Act.LOGIN, _CN)
    if kind == "authed" and ("token" in params or "hashes" in params):
        return Said(Act.SERVER_NOTE, _CN)
    if kind == "job" and is_job(params):
        return Said(Act.JOB, _CN)
    if kind == "submit" and is_share(params):
        return Said(Act.SUBMIT, _CN)
    if kind == "hash_accepted" and "hashes" in params:
        return Said(Act.ACCEPTED, _CN)
    if kind == "error" and params.get("error") == "invalid_share":
        return Said(Act.REJECTED, _CN)
    return None


def _text(mapping: dict[str, Any], key: str) -> bool:
    return isinstance(mapping.get(key), str)


def is_hex(value: object, digits: int) -> bool:
    """True for a string of exactly so many hexadecimal digits, with or without ``0x``."""
    if not isinstance(value, str):
        return False
    text = value[2:] if value.startswith("0x") else value
    if len(text) != digits:
        return False
    try:
        int(text, 16)
    except ValueError:
        return False
    return "_" not in text and text[:1] not in "+-"


BLOB_DIGITS = (86, 4_096)
"""Shortest and longest hashing blob: the nonce ends at byte 43 of a CryptoNote block header, and the longest header
known has a few hundred bytes. [hexadecimal digits]"""
NONCE_DIGITS = (2, 64)


def is_job(job: Any) -> bool:
    """True for a job of the CryptoNote family: a blob to hash and a target in hexadecimal, or Grin's header.

    ``job``, ``blob`` and ``target`` are ordinary words, so what stands behind them must look like work.

    Examples
    --------
    >>> is_job({"job_id": "1", "blob": "0c0c" + "ab" * 74, "target": "b88d0600"})
    True
    >>> is_job({"job_id": "1", "blob": "deadbeef", "target": "release"})
    False
    """
    if not isinstance(job, dict) or "job_id" not in job:
        return False
    if "pre_pow" in job:
        return _hex_of(job["pre_pow"], 86, 4_096)
    if not _hex_of(job.get("blob"), *BLOB_DIGITS):
        return False
    return any(is_hex(job.get("target"), digits) for digits in (8, 16, 64))


def is_share(params: dict[str, Any]) -> bool:
    """True for a share of the CryptoNote family: nonce and hash in hexadecimal, or Grin's proof.

    Examples
    --------
    >>> is_share({"id": "s", "job_id": "1", "nonce": "0000beef", "result": "5f" * 32})
    True
    >>> is_share({"id": "s", "job_id": "order7", "nonce": "n-7", "result": "filled"})
    False
    """
    if "job_id" not in params:
        return False
    nonce = params.get("nonce")
    if isinstance(params.get("pow"), list):
        return isinstance(nonce, int) and all(isinstance(part, int) for part in params["pow"])
    return _hex_of(nonce, *NONCE_DIGITS) and is_hex(params.get("result"), 64)


def _hex_of(value: object, least: int, most: int) -> bool:
    return isinstance(value, str) and least <= len(value) <= most and is_hex(value, len(value))


def notify_shape(params: Any) -> Notify:
    """Family of a ``mining.notify`` by what stands where."""
    if isinstance(params, dict):
        return Notify.IRON_FISH if "header" in params and "miningRequestId" in params else Notify.OTHER
    if not isinstance(params, list) or not params:
        return Notify.OTHER
    count = len(params)
    if isinstance(params[0], dict):
        return Notify.ALEPHIUM if "headerBlob" in params[0] or "targetBlob" in params[0] else Notify.OTHER
    if count >= 9 and isinstance(params[4], list) and is_hex(params[1], 64):
        return Notify.BITCOIN
    if count >= 8 and is_hex(params[1], 8) and is_hex(params[2], 64) and is_hex(params[3], 64):
        return Notify.ZCASH
    if count >= 7 and isinstance(params[1], int) and is_hex(params[2], 64) and _big_number(params[6]):
        return Notify.ERGO
    if count >= 6 and is_hex(params[1], 64) and is_hex(params[2], 64) and is_hex(params[3], 64):
        return Notify.KAWPOW
    if 3 <= count <= 5 and is_hex(params[1], 64) and is_hex(params[2], 64):
        return Notify.ETHASH
    if count >= 3 and isinstance(params[1], int) and is_hex(params[2], 64):
        return Notify.ETHASH  # EthereumStratum/2.0.0: job, height, header, clean
    if count >= 2 and isinstance(params[1], list) and len(params[1]) == 4 and isinstance(params[1][0], int):
        return Notify.KASPA
    if count in (2, 3) and (is_hex(params[1], 80) or (is_hex(params[1], 64) and isinstance(params[-1], int))):
        return Notify.KASPA
    return Notify.OTHER


def _big_number(value: object) -> bool:
    text = str(value) if isinstance(value, (str, int)) else ""
    return len(text) > 30 and text.isdigit()


def is_work(result: Any) -> bool:
    """True for the work of an ``eth_`` dialect: header hash, seed hash, target, and what some pools add."""
    return isinstance(result, list) and 3 <= len(result) <= 6 and all(is_hex(part, 64) for part in result[:3])


def is_subscription(result: Any) -> bool:
    """True for a pool's answer to ``mining.subscribe``: the subscriptions and an extra nonce, in any of its forms."""
    if not isinstance(result, list) or not 1 <= len(result) <= 5:
        return False
    if "mining." in str(result[0]):
        return True
    # Zcash: [session or null, extra nonce]; others: [null, extra nonce, its size].
    return (
        len(result) in (2, 3)
        and (result[0] is None or isinstance(result[0], (str, list)))
        and isinstance(result[1], str)
        and len(result[1]) <= 64
        and (len(result) == 2 or isinstance(result[2], int))
    )


def is_template(result: Any) -> bool:
    """True for a block template, of Bitcoin's or of Monero's making."""
    if not isinstance(result, dict):
        return False
    return ("previousblockhash" in result and ("coinbasevalue" in result or "coinbasetxn" in result)) or (
        "blocktemplate_blob" in result and "difficulty" in result
    )


STALE_WORDS = ("stale", "job not found", "not found", "expired", "outdated", "old job", "unknown job", "unknown-work")
REJECT_WORDS = ("low diff", "low-diff", "difficulty", "above target", "above-target", "high-hash", "duplicate")


def share_verdict(result: Any, error: Any) -> str:
    """``accepted``, ``stale`` or ``rejected`` by the answer to a share.

    Code 21 is stale [1]_; words go before codes, because a share of too low a difficulty is rejected whatever its code.
    """
    if error is None or error is False or error == [] or error == "":
        status = result.get("status") if isinstance(result, dict) else None
        if isinstance(status, str):
            if status.upper() in ("OK", "KEEPALIVED", "ACCEPTED", "SHARE ACCEPTED"):
                return "accepted"
            return "stale" if "stale" in status.lower() else "rejected"
        if result is False or (isinstance(result, str) and "reject" in result.lower()):
            return "rejected"
        return "accepted"
    words, code = error_words(error)
    if any(word in words for word in REJECT_WORDS):
        return "rejected"
    if code == 21 or any(word in words for word in STALE_WORDS):
        return "stale"
    return "rejected"


def error_words(error: Any) -> tuple[str, int | None]:
    """Message (lower case) and code of a JSON-RPC error in any of its forms."""
    code: Any = None
    message: Any = error
    if isinstance(error, dict):
        code, message = error.get("code"), error.get("message")
    elif isinstance(error, list):
        code = error[0] if error else None
        message = error[1] if len(error) > 1 else ""
    words = message.lower() if isinstance(message, str) else ""
    return words, code if isinstance(code, int) and not isinstance(code, bool) else None


_ERROR_KINDS = (
    "parse error", "invalid json", "invalid method", "method not found", "unknown method", "illegal params",
    "unauthorized",
    "not subscribed", "not registered", "low difficulty", "duplicate", "stale", "job not found", "block expired",
    "invalid address",
    "invalid username", "invalid user", "wrong password", "log-in refused", "not supported", "banned", "timeout",
)  # fmt: skip


def error_kind(error: Any) -> str:
    """A known phrase for an error, else its code: the server's own words may hold an account and are not kept."""
    words, code = error_words(error)
    text = words.replace("-", " ") if "log-in" not in words else words
    for kind in _ERROR_KINDS:
        if kind in text:
            return kind
    return f"code {code}" if code is not None and abs(code) < 1_000_000 else "an error"
