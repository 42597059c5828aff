"""How a session's plaintext travels: as it is, padded, or inside TLS."""

import random
from typing import Literal

from headframe.simulate import tls
from headframe.simulate.transport import MILLISECOND, Message

Padding = Literal["none", "constant", "random"]
CONSTANT_PAD_BYTES = 512


def padded(messages: list[Message], padding: Padding, rng: random.Random) -> list[Message]:
    """Blanks before the line feed of each message: JSON allows them, and sizes tell less.

    Parameters
    ----------
    messages : list of Message
        Messages that do not end in a line feed stay as they are, because blanks would change their meaning.
    padding : {"none", "constant", "random"}
        ``constant`` fills up to a multiple of 512 bytes, ``random`` adds 0 to 400 bytes.
    rng : random.Random
    """
    if padding == "none":
        return messages
    out = []
    for message in messages:
        data = message.data
        if data.endswith(b"\n") and not data.startswith((b"POST ", b"GET ", b"HTTP/")):
            extra = -len(data) % CONSTANT_PAD_BYTES if padding == "constant" else rng.randrange(401)
            data = data[:-1] + b" " * extra + b"\n"
        out.append(message._replace(data=data))
    return out


def over_tls(
    messages: list[Message], server_name: str | None, rng: random.Random, *, rtt_ns: int, post_quantum: bool = False
) -> list[Message]:
    """The same messages as TLS 1.3 records of noise, after a handshake with a real ClientHello.

    Parameters
    ----------
    messages : list of Message
    server_name : str or None
        What the ClientHello names: the pool, or an innocent front before it.
    rng : random.Random
    rtt_ns : int
        Round trip between sensor and server. [ns]
    post_quantum : bool
        Send the long hello that needs two segments.

    Returns
    -------
    list of Message
        The handshake lies before the first message.
    """
    first_ns = messages[0].time_ns
    start_ns = first_ns - rtt_ns - 4 * MILLISECOND
    out = [
        Message(start_ns, 0, tls.client_hello(server_name, rng, post_quantum=post_quantum)),
        Message(start_ns + rtt_ns + MILLISECOND, 1, tls.server_hello_flight(rng)),
        Message(first_ns - MILLISECOND, 0, tls.client_finish(rng)),
    ]
    out += [message._replace(data=tls.sealed(message.data, rng)) for message in messages]
    return out
