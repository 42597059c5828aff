"""What one conversation is: a miner's session, an attempt at one, a node's client, or something that only looks alike.

Who is the client is decided by what was said, never by ports. To be a miner takes an endpoint that behaves like a
pool: work, a confirmed subscription or log-in, an accepted share. Who speaks the language of mining to one that does
not is a probe.
"""

from collections import Counter
from dataclasses import dataclass

from headframe.detectors.network.stratum.dialects import Act, Dialect, Notify
from headframe.detectors.network.stratum.session import StratumSession
from headframe.records.conversation import Conversation, Direction
from headframe.records.finding import Role
from headframe.sources.network.jsonrpc import Carrier

JSON_RPC = "JSON-RPC"
"""Label of a conversation that is JSON-RPC, and of which no more is known."""

CALIBRATION_KEYS: dict[str, str] = {
    "session": "client's request for work or share, and work or an accepted share from the server, in one conversation",
    "answered": "client's subscription or log-in and the server's confirmation of it, but no work, in one conversation",
    "work-only": "at least one job or share target of a mining dialect from one side, nothing of mining from the other",
    "submit-only": "at least one share of a mining dialect from one side, not one byte from the other",
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
        Kind of evidence, see `CALIBRATION_KEYS`; empty for a lookalike.
    protocol : str
        As a finding gives it.
    client, server : str
        Addresses; of a lookalike the originator's and the responder's.
    client_port, server_port : int
    label, reason : str
        Of a lookalike.
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
    if role is None and not label:
        return None
    if role is None or session.client_direction == Direction.ORIG:
        ends = (conversation.orig_h, conversation.orig_p, conversation.resp_h, conversation.resp_p)
    else:
        ends = (conversation.resp_h, conversation.resp_p, conversation.orig_h, conversation.orig_p)
    return Verdict(role, key, protocol_name(session), *ends, label=label, reason=reason)


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
