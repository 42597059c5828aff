"""Community ID version 1: one identifier of a flow for Zeek, Suricata and us (corelight/community-id-spec)."""

import base64
import hashlib
import ipaddress
import struct


def community_id(proto: int, orig_h: str, orig_p: int, resp_h: str, resp_p: int, *, seed: int = 0) -> str:
    """Community ID of a flow, the same from either side.

    Parameters
    ----------
    proto : int
        IP protocol number.
    orig_h, resp_h : str
        Addresses, both IPv4 or both IPv6.
    orig_p, resp_p : int
        Ports; 0 and 0 where the transport has none (ICMP type and code are not mapped here).
    seed : int

    Returns
    -------
    str
        ``1:`` and the base64 of a SHA-1.

    Examples
    --------
    >>> community_id(6, "128.232.110.120", 34855, "66.35.250.204", 80)
    '1:LQU9qZlK+B5F3KDmev6m5PMibrg='
    """
    low, high = (
        (ipaddress.ip_address(host).packed, port)
        for host, port in sorted(
            ((orig_h, orig_p), (resp_h, resp_p)), key=lambda end: (ipaddress.ip_address(end[0]).packed, end[1])
        )
    )
    data = struct.pack(">H", seed) + low[0] + high[0] + struct.pack(">BB", proto, 0)
    if proto in (6, 17, 132):
        data += struct.pack(">HH", low[1], high[1])
    return "1:" + base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii")
