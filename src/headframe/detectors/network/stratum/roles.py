"""What one conversation is: a miner's session, an attempt at one, a node's client, or something that only looks alike.

Who is the client is decided by what was said, never by ports. To be a miner takes an endpoint that behaves like a
pool: work, a confirmed subscription or log-in, an accepted share. Who speaks the language of mining to one that does
not is a probe.
"""

from collections import Counter
from dataclasses import dataclass

from headframe.detectors.network.stratum.coins import is_wallet
from headframe.detectors.network.stratum.dialects import Act, Dialect, Notify
from headframe.detectors.network.stratum.session import StratumSession
from headframe.records.conversation import Conversation, Direction
from headframe.records.finding import Role
from headframe.sources.network.jsonrpc import Carrier

JSON_RPC = "JSON-RPC"
"""Label of a conversation that is JSON-RPC, and of which no more is known."""

LONE_MESSAGES = 2
LONE_SPAN_S = 10.0
"""What one side alone must say, and for how long, where not a packet of the other is in the capture: a session lasts,
and has a difficulty, work and shares; a forged packet or two have not. [messages], [s]"""

CALIBRATION_KEYS: dict[str, str] = {
    "session": "client's request for work or share, and work or an accepted share from the server, in one conversation",
    "answered": "client's subscription or log-in and the server's confirmation of it, but no work, in one conversation",
    "work-only": "two messages or more (10 s or more apart where no packet came back) with a job or share target from "
    "one side, which did not open the conversation, nothing of mining and no bare reset from the other",
    "submit-only": "two messages or more, over 10 s or more, with a share of a mining dialect from one side, not "
    "one byte from the other",
    "attempt": "client's request of a mining dialect, never answered as a pool answers",
    "node-rpc": "request for a block template or a block handed in, by software that does not name itself a miner",
    "v2-handshake": "Stratum V2's first five runs: 64, 234, 54 or more, exactly 44, and more; random-looking keys",
}
"""What counts as one match of each kind of evidence; a benign corpus is counted by these rules, per conversation."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a conversation is.

    Attributes
    ----------
    role : Role or None
        None for a lookalike.
    key : str
        Kind of evidence, see `CALIBRATION_KEYS`; empty for a lookalike. With `missing`, the kind it would be of if the
        host is a miner by other conversations: pools go on sending to a session that ended a moment ago.
    protocol : str
        As a finding gives it.
    client, server : str
        Addresses; of a lookalike the originator's and the responder's.
    client_port, server_port : int
    label, reason : str
        Of a lookalike.
    missing : str
        Of what could not be decided: what it lacks; then `role` is None and `label` empty.
    """

    role: Role | None
    key: str
    protocol: str
    client: str
    client_port: int
    server: str
    server_port: int
    label: str = ""
    reason: str = ""
    missing: str = ""


def judge(conversation: Conversation, session: StratumSession) -> Verdict | None:
    """What the conversation is; None where there is nothing to say of it.

    Parameters
    ----------
    conversation : Conversation
    session : StratumSession

    Returns
    -------
    Verdict or None
    """
    role, key, label, reason = _role(session)
    missing, late = "", False
    if role is Role.MINER and key != "v2-handshake":
        missing, late = _doubt(conversation, session)
    elif role is None and session.unreadable:
        missing = (
            f"{session.unreadable} {'line' if session.unreadable == 1 else 'lines'} with a method of mining that "
            "cannot be read as JSON (damaged, or written to be passed over), and no other message of mining"
        )
    if missing:
        role, key, label, reason = None, key if late else "", "", ""
    if role is None and not label and not missing:
        return None
    if missing and session.is_mining_like and session.client_direction != Direction.ORIG:
        ends = (conversation.resp_h, conversation.resp_p, conversation.orig_h, conversation.orig_p)
        return Verdict(None, key, protocol_name(session), *ends, missing=missing)
    if role is None or session.client_direction == Direction.ORIG:
        ends = (conversation.orig_h, conversation.orig_p, conversation.resp_h, conversation.resp_p)
    else:
        ends = (conversation.resp_h, conversation.resp_p, conversation.orig_h, conversation.orig_p)
    return Verdict(role, key, protocol_name(session), *ends, label=label, reason=reason, missing=missing)


def _doubt(conversation: Conversation, session: StratumSession) -> tuple[str, bool]:
    """What a verdict of mining lacks, and whether the host's other conversations may make up for it.

    One who is spoken to has not mined yet. Empty where nothing is lacking.
    """
    client = session.client_direction
    history = conversation.history
    sent = session.seen_bytes[client] or (conversation.orig_bytes, conversation.resp_bytes)[client]
    if not session.client_acts[client] and not session.answers_only_shares:
        if client == Direction.RESP and "S" in history and not history.startswith("^"):
            answered = "answered with something else" if sent else "said nothing"
            return (
                "a request: the other side opened the conversation and sent mining work unasked, and the host "
                f"{answered}; a miner opens the conversation and asks"
            ), False
        if not sent and "R" in _letters(history, client) and "A" not in _letters(history, client):
            return (
                "anything said by the host: mining work was sent to it, and it answered with a reset and nothing else"
            ), True
    if session.heard <= 1:
        return (
            "one message of a mining dialect and nothing else of mining: anyone can send a single packet, under any "
            "address"
        ), True
    lone = any(not session.seen_bytes[side] and not _letters(history, side) & {"A", "D"} for side in Direction)
    span_s = ((session.last_ns or 0) - (session.first_ns or 0)) / 1e9
    if lone and (session.heard < LONE_MESSAGES or span_s < LONE_SPAN_S):
        return (
            f"the other side: {session.heard} messages of a mining dialect within {span_s:.0f} s, and not a packet in "
            "answer; so few can be sent under any address"
        ), True
    return "", False


def _letters(history: str, side: int) -> set[str]:
    """What a side did, in Zeek's letters, upper case."""
    return {letter.upper() for letter in history if letter.isupper() is (side == Direction.ORIG)}


def is_live(session: StratumSession) -> bool:
    """True where the server behaved like a pool: work, a confirmed subscription or log-in, an accepted share."""
    return bool(session.job_times) or session.subscribed or session.positive_answers > 0 or session.templates > 0


def _role(session: StratumSession) -> tuple[Role | None, str, str, str]:
    if not session.is_mining_like:
        if session.handshake.complete:
            return Role.MINER, "v2-handshake", "", ""
        return _lookalike(session)
    client = session.client_direction
    acts = session.acts
    if session.client_acts[1 - client] and session.client_acts[client] + session.server_acts[1 - client]:
        return (
            None,
            "",
            "text that quotes a mining protocol",
            "the same side says what only a miner and only a pool says",
        )
    if session.server_acts[client] and session.client_acts[client] and not session.server_acts[1 - client]:
        return (
            None,
            "",
            "text that quotes a mining protocol",
            "the same side says what only a miner and only a pool says",
        )
    node_acts = acts[Act.TEMPLATE] + acts[Act.SUBMIT_BLOCK]
    client_acts = session.client_acts[client]
    by_miner = session.mining_agent or session.mining_extensions
    if (
        not by_miner
        and Dialect.ETH_GETWORK_HTTP in session.dialects
        and session.node_calls
        and not acts[Act.LOGIN]
        and not acts[Act.HASHRATE]
    ):
        return Role.NODE_CLIENT, "node-rpc", "", ""  # a pool polls its node for work and blocks alike
    if client_acts and client_acts == node_acts and not by_miner:
        if session.templates or acts[Act.SUBMIT_BLOCK] or session.node_calls:
            return Role.NODE_CLIENT, "node-rpc", "", ""
        return None, "", "request for a block template", "no answer with a template, and not by mining software"
    if not client_acts and session.templates and not by_miner and not acts[Act.DIFFICULTY] and not acts[Act.TARGET]:
        return Role.NODE_CLIENT, "node-rpc", "", ""
    if not session.own_words and not session.subscribed and not session.names_a_miner and not _names_a_wallet(session):
        return (
            None,
            "",
            JSON_RPC,
            "a log-in as many programs send it: no work, no share, no mining software and no wallet",
        )
    if is_live(session):
        if not client_acts:
            return Role.MINER, "work-only", "", ""
        return (
            Role.MINER,
            "session" if session.job_times or session.templates or len(session.book) else "answered",
            "",
            "",
        )
    if acts[Act.SUBMIT] and session.seen_bytes[1 - client] == 0:
        return Role.MINER, "submit-only", "", ""
    if acts[Act.DIFFICULTY] or acts[Act.TARGET]:
        return Role.MINER, "work-only" if not client_acts else "session", "", ""
    if client_acts:
        return Role.PROBE, "attempt", "", ""
    return None, "", JSON_RPC, "words of a mining server alone, without work"


def _names_a_wallet(session: StratumSession) -> bool:
    return any(is_wallet(account) for account in session.signs.accounts)


def _lookalike(session: StratumSession) -> tuple[Role | None, str, str, str]:
    if session.page_word:
        return (
            None,
            "",
            "web page about mining",
            f"an HTTP body holds the words {session.page_word!r}, and no message of mining",
        )
    labels = session.labels
    if session.quoted_word and not session.messages:
        return (
            None,
            "",
            "text that quotes a mining protocol",
            f"the words {session.quoted_word!r} stand inside lines of other text, and no line is a message of mining",
        )
    if not session.messages or not labels:
        return None, "", "", ""
    named = [(count, name) for name, count in labels.items() if name != JSON_RPC]
    if named:
        return None, "", max(named)[1], "its methods are those of another use of JSON-RPC, none of mining"
    return None, "", JSON_RPC, "JSON-RPC without any method of mining"


def dialect_of(session: StratumSession) -> Dialect:
    """The dialect spoken: by the shape of the jobs first, then by what was said most."""
    shapes = session.signs.shapes
    said = session.dialects
    stratum = Dialect.STRATUM_V1 in said or Dialect.ETHEREUM_STRATUM in said
    if stratum:
        if Notify.KASPA in shapes or any(name.lower().startswith("kaspa:") for name in session.signs.accounts):
            return Dialect.KASPA  # its bridges answer a subscription with the words of EthereumStratum
        if Dialect.ETHEREUM_STRATUM in said or (Notify.ETHASH in shapes and Dialect.ETH_PROXY not in said):
            return Dialect.ETHEREUM_STRATUM
        if Notify.ZCASH in shapes or Dialect.ZCASH in said:
            return Dialect.ZCASH
    if not said:
        return Dialect.STRATUM_V2 if session.handshake.handshaken else Dialect.STRATUM_V1
    ranked: Counter[Dialect] = Counter(said)
    return max(ranked.items(), key=lambda item: (item[1], item[0].value))[0]


def protocol_name(session: StratumSession) -> str:
    """Dialect and carrier, as a finding gives them."""
    dialect = dialect_of(session)
    carriers = session.carriers
    if carriers[Carrier.WEBSOCKET]:
        return f"{dialect.value}+websocket"
    if carriers[Carrier.HTTP] > carriers[Carrier.RAW] and dialect is not Dialect.ETH_GETWORK_HTTP:
        return f"{dialect.value}+http"
    return dialect.value
