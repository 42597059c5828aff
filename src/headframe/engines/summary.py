"""A conversation's record in the table to a value with Zeek's names."""

from hashlib import blake2b
from ipaddress import ip_address

from headframe.kernels import conversations as kernel
from headframe.records.conversation import Conversation
from headframe.sources.network.community_id import community_id

_PROTO_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6", 132: "sctp"}


def summarise(table: kernel.Table, k: int) -> Conversation:
    """One conversation of the table, as Zeek's ``conn.log`` would have it.

    Parameters
    ----------
    table : Table
    k : int
        Its number in the table.
    """
    c = table.conversations[k]
    address = table.addresses[k].tobytes()
    size = 4 if int(c["version"]) == 4 else 16
    orig_h, resp_h = str(ip_address(address[:size])), str(ip_address(address[16 : 16 + size]))
    proto, orig_p, resp_p = int(c["proto"]), int(c["orig_p"]), int(c["resp_p"])
    flow = community_id(proto, orig_h, orig_p, resp_h, resp_p)
    started_ns = int(c["first_ns"])
    uid = blake2b(f"{flow} {started_ns} {int(c['first_packet'])}".encode(), digest_size=9).hexdigest()
    return Conversation(
        uid="C" + uid,
        community_id=flow,
        proto=_PROTO_NAMES.get(proto, str(proto)),
        orig_h=orig_h,
        orig_p=orig_p,
        resp_h=resp_h,
        resp_p=resp_p,
        started_ns=started_ns,
        ended_ns=int(c["last_ns"]),
        orig_bytes=int(c["orig_bytes"]),
        resp_bytes=int(c["resp_bytes"]),
        orig_pkts=int(c["orig_pkts"]),
        resp_pkts=int(c["resp_pkts"]),
        missed_bytes=max(0, int(c["missed_bytes"])),
        history=c["history"][: int(c["history_len"])].tobytes().decode("ascii"),
        conn_state=_conn_state(proto, int(c["flags"]), int(c["orig_pkts"]), int(c["resp_pkts"])),
        vlan=int(c["vlan"]) or None,
    )


def _conn_state(proto: int, flags: int, orig_pkts: int, resp_pkts: int) -> str:
    """Zeek's summary of how a connection went (Zeek documentation, ``conn.log``, conn_state)."""
    if proto != 6:
        return "SF" if orig_pkts and resp_pkts else "S0" if orig_pkts else "SHR"
    syn, syn_ack = bool(flags & kernel.SYN), bool(flags & kernel.SYN_ACK)
    orig_fin, resp_fin = bool(flags & kernel.ORIG_FIN), bool(flags & kernel.RESP_FIN)
    orig_rst, resp_rst = bool(flags & kernel.ORIG_RST), bool(flags & kernel.RESP_RST)
    if syn and syn_ack:
        if orig_rst:
            return "RSTO"
        if resp_rst:
            return "RSTR"
        return {(True, True): "SF", (True, False): "S2", (False, True): "S3", (False, False): "S1"}[orig_fin, resp_fin]
    if syn:
        if resp_rst:
            return "REJ"
        if orig_rst:
            return "RSTOS0"
        return "SH" if orig_fin else "S0" if resp_pkts == 0 else "OTH"
    if syn_ack:
        return "RSTRH" if resp_rst else "SHR" if resp_fin else "OTH"
    return "OTH"
