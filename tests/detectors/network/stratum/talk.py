"""A small language for conversations: who says what, when, and how it is cut into packets."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from headframe.detectors.network.stratum import Detection, StratumParameters, StratumSession, detect
from headframe.records.conversation import Conversation, Direction, PacketRef, StreamChunk

EPOCH_NS = 1_600_000_000_000_000_000  # 2020-09-13


def line(message: Any) -> bytes:
    """One JSON-RPC line."""
    return json.dumps(message).encode() + b"\n"


def post(message: Any, *headers: str, path: str = "/") -> bytes:
    """An HTTP request with a JSON body."""
    body = json.dumps(message).encode()
    head = [f"POST {path} HTTP/1.1", "Host: node.example", "Content-Type: application/json", *headers]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def answer(message: Any, status: str = "200 OK", *headers: str) -> bytes:
    """An HTTP response with a JSON body."""
    body = json.dumps(message).encode() if message is not None else b"<html>no such page</html>"
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]).encode() + body


def chunked(message: Any, size: int = 7) -> bytes:
    """An HTTP response in chunks."""
    body = json.dumps(message).encode()
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def frame(text: bytes, mask: bytes = b"", final: bool = True, opcode: int = 1) -> bytes:
    """A WebSocket frame (RFC 6455, 5.2)."""
    first = bytes([(0x80 if final else 0) | opcode])
    masked = 0x80 if mask else 0
    size = len(text)
    if size < 126:
        header = first + bytes([masked | size])
    elif size < 65536:
        header = first + bytes([masked | 126]) + size.to_bytes(2, "big")
    else:
        header = first + bytes([masked | 127]) + size.to_bytes(8, "big")
    if mask:
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
    return header + mask + text


@dataclass
class Talk:
    """What both sides of a conversation say. The client is the originator unless `turned`."""

    client: str = "192.0.2.10"
    client_port: int = 50001
    server: str = "198.51.100.7"
    server_port: int = 3333
    turned: bool = False
    start_s: float = 0.0
    said: list[tuple[bool, float, bytes]] = field(default_factory=list)
    now_s: float = 0.0

    def at(self, seconds: float) -> "Talk":
        self.now_s = seconds
        return self

    def wait(self, seconds: float) -> "Talk":
        self.now_s += seconds
        return self

    def says(self, from_client: bool, *messages: Any) -> "Talk":
        for message in messages:
            data = message if isinstance(message, bytes) else line(message)
            self.said.append((from_client, self.now_s, data))
            self.now_s += 0.05
        return self

    def c(self, *messages: Any) -> "Talk":
        return self.says(True, *messages)

    def s(self, *messages: Any) -> "Talk":
        return self.says(False, *messages)

    def one_side(self, from_client: bool) -> "Talk":
        """The same, with only one side captured."""
        kept = [what for what in self.said if what[0] is from_client]
        return Talk(
            self.client, self.client_port, self.server, self.server_port, self.turned, self.start_s, kept, self.now_s
        )

    def conversation(self) -> Conversation:
        ends = (self.client, self.client_port), (self.server, self.server_port)
        orig, resp = reversed(ends) if self.turned else ends
        base = EPOCH_NS + int(self.start_s * 1e9)
        return Conversation(
            uid=f"C{self.client}{self.client_port}{self.server}{self.server_port}",
            community_id=f"1:{self.client}:{self.client_port}:{self.server}:{self.server_port}",
            proto="tcp",
            orig_h=orig[0],
            orig_p=orig[1],
            resp_h=resp[0],
            resp_p=resp[1],
            started_ns=base,
            ended_ns=base + int(self.now_s * 1e9),
        )

    def chunks(self, seed: int | None = None, most: int = 40, drop: set[int] = frozenset()) -> list[StreamChunk]:
        """The conversation in packets: one per message, or cut at random places by `seed`; those in `drop` are lost."""
        generator = random.Random(seed)
        chunks: list[StreamChunk] = []
        lost = {True: False, False: False}
        number = 0
        for from_client, seconds, data in self.said:
            parts = [data]
            if seed is not None:
                cuts = sorted(generator.randrange(len(data) + 1) for _ in range(generator.randrange(most)))
                parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
            for part in parts:
                if not part:
                    continue
                number += 1
                if number in drop:
                    lost[from_client] = True
                    continue
                chunks.append(
                    StreamChunk(
                        direction=Direction.ORIG if from_client is not self.turned else Direction.RESP,
                        time_ns=EPOCH_NS + int((self.start_s + seconds) * 1e9),
                        packet=PacketRef("talk.pcap", number),
                        data=part,
                        after_gap=lost[from_client],
                    )
                )
                lost[from_client] = False
        return chunks


def hear(talk: Talk, seed: int | None = None, drop: set[int] = frozenset()) -> StratumSession:
    """Feed all packets, whatever the session says to it."""
    session = StratumSession()
    for chunk in talk.chunks(seed, drop=drop):
        session.feed(chunk)
    return session


def report(*talks: Talk, seed: int | None = None, **named: Any) -> Detection:
    """What the detector says of these conversations together."""
    return detect(
        [(talk.conversation(), hear(talk, seed)) for talk in talks],
        named.pop("parameters", StratumParameters()),
        log10_e=named.pop("log10_e", lambda key: 3.0),
        server_name=named.pop("server_name", lambda address, port, time_ns: None),
        pool_name=named.pop("pool_name", lambda name, address, port: None),
        pseudonym=named.pop("pseudonym", lambda text: f"hash-{len(text)}"),
    )


def facts(session: StratumSession) -> tuple[Any, ...]:
    """Everything of a session that must not depend on how the bytes were cut."""
    return (
        dict(session.acts),
        dict(session.dialects),
        session.client_acts,
        session.server_acts,
        list(session.book.state),
        list(session.book.worth),
        dict(session.signs.shapes),
        dict(session.signs.algorithms),
        list(session.signs.accounts),
        list(session.signs.agents),
        sorted(session.marks),
        dict(session.labels),
        dict(session.errors),
        session.templates,
        session.subscribed,
        session.positive_answers,
        session.http_errors,
        session.page_word,
        [worth for _, worth in session.difficulties],
    )
