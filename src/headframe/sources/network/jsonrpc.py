"""JSON-RPC messages out of the pieces of a stream: bare, over HTTP/1.x, or in WebSocket frames.

Miners, pools and nodes all speak JSON, but frame it differently, and one endpoint may even answer an HTTP request
with a bare line. So a reader belongs to one direction of one conversation and decides anew at every message
border what comes next:

- ``{`` or ``[``: a JSON document. It ends where its brackets close; a line feed, a NUL, or nothing at all may follow.
- ``POST /``, ``HTTP/1.1 200`` and the like: an HTTP head, then a body by length, by chunks, or up to the end.
- a WebSocket frame header whose payload opens with a bracket: frames from here on, with or without the upgrade.
- anything else is passed over up to the next place where a message can begin: the start of a line, or right after
  a document that closed. Text in the middle of a line never counts, so a chat that quotes a message stays a chat.

What is given depends on the bytes only, never on how they were cut. After a gap the reader drops the broken message
and looks for the next beginning. Memory per reader is at most `MAX_MESSAGE_BYTES` plus one chunk; a longer document
is given as `Message.prefix` only.

References
----------
RFC 8259 (JSON), RFC 9112 (HTTP/1.1: section 6 body length, 7.1 chunks), RFC 6455 section 5 (WebSocket frames),
RFC 7692 section 7.2 (compressed WebSocket messages), JSON-RPC 2.0 section 6 (batches).
"""

import json
import re
import zlib
from base64 import b64decode
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import orjson

from headframe.records.conversation import PacketRef, StreamChunk

MAX_MESSAGE_BYTES = 262_144
"""Longest document kept whole. The largest seen in stratum is a 600 kB job list of a merge-mining pool's template;
jobs and shares stay below 20 kB. Longer ones (block templates with all transactions) show what they are at once."""
PREFIX_BYTES = 4_096
"""How much of a longer document is given: the names that tell a block template come before its transactions."""
MAX_HEAD_BYTES = 16_384
"""Longest HTTP head: twice the 8 kB that common servers allow."""
_PAGE_BYTES = 65_536
"""How far into a web page the words of mining are looked for."""

_SEPARATORS = re.compile(rb"[\s\x00]*")
_BRACKETS = re.compile(rb'["{}\[\]\n]')
_STRING_END = re.compile(rb'["\\\n]')
_REQUEST = re.compile(rb"(?:POST|GET|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT) [!-~]")
_RESPONSE = re.compile(rb"HTTP/1\.[01] ?")
_HTTP_WORDS = (b"POST ", b"GET ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"PATCH ", b"CONNECT ", b"HTTP/1.")
_BEGINNING = re.compile(rb"\{\s{0,64}[\"}]|\[\s{0,64}\{|HTTP/1\.[01] \d\d\d|(?:POST|GET) /")
_LOOK_BACK = 96
"""How many blanks may stand between a line feed and the message of that line, when looking for a beginning. [bytes]"""
_PAGE_WORDS = re.compile(
    rb"mining\.(?:notify|subscribe|authorize|submit)|stratum\+(?:tcp|ssl|tls)://|eth_submitLogin|xmrig|cgminer|coinhive",
    re.I,
)
_METHOD_WORDS = re.compile(
    rb'"(?:mining\.[a-z]|eth_submit(?:Login|Work|Hashrate)|eth_getWork)|"method"\s{0,16}:\s{0,16}"(?:login|job|submit)"'
)
"""Methods of mining as they stand in a line that cannot be read."""
LENIENT_BYTES = 65_536
"""Longest line that is read a second time, by a slower and more lenient parser: no job or share is longer. [bytes]"""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_RPC_KEYS = ("method", "result", "error", "id", "type")


class Carrier(Enum):
    """What a message came in."""

    RAW = "raw"
    HTTP = "http"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class HttpHead:
    """The parts of an HTTP/1.x head that tell who asks and who answers.

    Attributes
    ----------
    method, path : str
        Of a request; empty for a response.
    status : int
        Of a response; 0 for a request.
    headers : dict of str to str
        Lower-case names; of repeated ones the last.
    """

    method: str
    path: str
    status: int
    headers: dict[str, str]

    @property
    def user(self) -> str | None:
        """User name of basic authentication, if there is one; the password is not looked at."""
        scheme, _, blob = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            return b64decode(blob.strip(), validate=True).decode("utf-8", "replace").partition(":")[0] or None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Message:
    """One JSON object, or one HTTP head or body without JSON, with the packet that brought its first byte.

    Attributes
    ----------
    value : dict or None
        The object; a batch is given element by element. None for what is not JSON.
    carrier : Carrier
    head : HttpHead or None
        The head it came under.
    time_ns : int
        [ns since 1970-01-01 UTC]
    packet : PacketRef
    prefix : bytes
        First bytes of a document too long to keep.
    page_word : str
        For a body that is not JSON: a word of mining that it holds, if any.
    """

    value: dict[str, Any] | None
    carrier: Carrier
    head: HttpHead | None
    time_ns: int
    packet: PacketRef
    prefix: bytes = b""
    page_word: str = ""


class _State(Enum):
    BORDER = auto()
    """A message may begin here."""
    LOST = auto()
    """Looking for the next place where one can."""
    DOCUMENT = auto()
    """Inside a JSON document at the front of the buffer."""
    SKIP_DOCUMENT = auto()
    """Inside one that is too long: only its brackets are followed."""
    HEAD = auto()
    BODY = auto()
    CHUNK_SIZE = auto()
    CHUNK_DATA = auto()
    CHUNK_END = auto()
    TRAILER = auto()
    FRAMES = auto()
    SKIP_FRAME = auto()


class _Document:
    """Follows the brackets of one JSON document, also when it arrives in pieces."""

    __slots__ = ("at", "candidate", "candidate_depth", "depth", "in_string")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.at = 0
        self.depth = 0
        self.in_string = False
        self.candidate = -1
        self.candidate_depth = 0

    def advance(self, buffer: bytearray) -> tuple[str, int, int]:
        """Read on: ``("more", 0, 0)``, ``("end", start, end)`` or ``("broken", 0, next line)``.

        A line feed inside a string is not JSON: the document broke off and its line ended. An object that opens
        a line inside an unclosed document and is a message by itself shows the same; it is given instead.
        """
        at, end = self.at, len(buffer)
        while at < end:
            if self.in_string:
                found = _STRING_END.search(buffer, at)
                if found is None:
                    at = end
                    break
                at = found.start()
                byte = buffer[at]
                if byte == 0x5C:  # backslash: the next byte belongs to it
                    if at + 1 >= end:
                        break
                    at += 2
                    continue
                at += 1
                if byte == 0x0A:
                    return "broken", 0, at
                self.in_string = False
                continue
            found = _BRACKETS.search(buffer, at)
            if found is None:
                at = end
                break
            at = found.start()
            byte = buffer[at]
            if byte == 0x22:
                self.in_string = True
            elif byte == 0x0A:
                if self.depth:
                    inner = _SEPARATORS.match(buffer, at)
                    start = inner.end() if inner else at + 1
                    if start >= end:
                        break  # what opens the next line is not here yet
                    if buffer[start] == 0x7B:
                        self.candidate, self.candidate_depth = start, self.depth
                    at = start
                    continue
            elif byte in (0x7B, 0x5B):
                self.depth += 1
            else:
                self.depth -= 1
                if self.depth <= 0:
                    self.at = at + 1
                    return "end", 0, at + 1
                if self.candidate >= 0 and self.depth == self.candidate_depth:
                    start, self.candidate = self.candidate, -1
                    if _is_message(buffer[start : at + 1]):
                        self.at = at + 1
                        return "end", start, at + 1
            at += 1
        self.at = at
        return "more", 0, 0


def _is_message(data: bytearray) -> bool:
    try:
        value = orjson.loads(data)
    except ValueError:
        return False
    return isinstance(value, dict) and any(key in value for key in _RPC_KEYS)


def _load(data: bytes | bytearray) -> Any:
    """A JSON document; a name in GBK, or half a surrogate pair, is no reason to lose it: other parsers let it pass.

    Raises
    ------
    ValueError
        If it is no JSON.
    """
    try:
        return orjson.loads(data)
    except ValueError:
        text = _SURROGATE.sub(rb"\\ufffd", data)
    if text != data or not data.isascii():
        try:
            return orjson.loads(text.decode("utf-8", "replace"))
        except ValueError:
            pass
    # Some parsers take NaN, numbers of any length and bare control characters; who hides may count on that.
    if len(data) > LENIENT_BYTES or not _METHOD_WORDS.search(data):
        raise ValueError("no JSON")
    try:
        return json.loads(text.decode("utf-8", "replace"), strict=False, parse_int=_whole_number)
    except RecursionError:
        raise ValueError("brackets nested too deep") from None


def _whole_number(digits: str) -> int | float:
    """Whole numbers beyond 64 bits are no heights or ids: as floats they cannot overflow what is made of them."""
    return int(digits) if len(digits) <= 19 else float(digits)


class MessageReader:
    """Messages of one direction of one conversation.

    Attributes
    ----------
    messages, garbage_bytes, oversize, gaps : int
        JSON objects given; bytes that belonged to none [bytes]; documents longer than `MAX_MESSAGE_BYTES`; gaps met.
    carriers : set of Carrier
        In which the JSON objects came.
    quoted_word : str
        A word of mining in bytes that belonged to no message; empty where none was met.
    unreadable : int
        Lines and documents that hold a method of mining and are no JSON that can be read.
    """

    __slots__ = (
        "_aligned",
        "_body_left",
        "_buffer",
        "_deflated",
        "_document",
        "_frame_left",
        "_frame_parts",
        "_head",
        "_inflate",
        "_origin",
        "_out",
        "_page",
        "_state",
        "_websocket",
        "carriers",
        "gaps",
        "garbage_bytes",
        "http_heads",
        "messages",
        "oversize",
        "quoted_word",
        "unreadable",
    )

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._document = _Document()
        self._state = _State.BORDER
        self._origin: StreamChunk | None = None
        self._out: list[Message] = []
        self._head: HttpHead | None = None
        self._body_left = 0
        self._page = bytearray()
        self._websocket = False
        self._aligned = True
        self._frame_left = 0
        self._frame_parts = bytearray()
        self._deflated = False
        self._inflate: Any = None
        self.carriers: set[Carrier] = set()
        self.messages = 0
        self.garbage_bytes = 0
        self.oversize = 0
        self.gaps = 0
        self.http_heads = 0
        self.quoted_word = ""
        self.unreadable = 0

    def expect_websocket(self) -> None:
        """Read frames from the next border on: the other side agreed to the upgrade."""
        self._websocket = True
        if self._state in (_State.BORDER, _State.LOST):
            self._state = _State.FRAMES

    def feed(self, chunk: StreamChunk) -> list[Message]:
        """Every message that `chunk` completes.

        Parameters
        ----------
        chunk : StreamChunk
            The next piece of this direction.

        Returns
        -------
        list of Message
        """
        if chunk.after_gap:
            self._lose()
        data = chunk.data
        if self._state is _State.BORDER and not self._buffer and data[:1] == b"{" and data.find(b"\n") == len(data) - 1:
            try:  # by far the most common case: one packet, one line, one message
                value = orjson.loads(data)
            except ValueError:
                pass
            else:
                carrier = Carrier.RAW if self._head is None else Carrier.HTTP
                self.carriers.add(carrier)
                self.messages += 1
                return [Message(value, carrier, self._head, chunk.time_ns, chunk.packet)]
        if not self._buffer:
            self._origin = chunk
        self._buffer += data
        out = self._out = []
        while self._step():
            # Whatever begins after the first message began in this chunk.
            self._origin = chunk if len(self._buffer) <= len(data) else self._origin
        return out

    # -- the machine: each step consumes something or says that it needs more ------------------------------------

    def _step(self) -> bool:
        state = self._state
        if state is _State.BORDER:
            return self._border()
        if state is _State.DOCUMENT:
            return self._read_document()
        if state is _State.HEAD:
            return self._read_head()
        if state is _State.BODY:
            return self._read_body()
        if state is _State.FRAMES:
            return self._read_frame()
        if state is _State.LOST:
            return self._resync()
        if state is _State.SKIP_DOCUMENT:
            return self._skip_document()
        if state is _State.SKIP_FRAME:
            return self._skip_frame()
        return self._read_chunked()

    def _drop(self, count: int) -> None:
        del self._buffer[:count]

    def _lose(self) -> None:
        """Bytes are missing: forget the unfinished message."""
        self.gaps += 1
        self.garbage_bytes += len(self._buffer)
        self._buffer.clear()
        self._document.reset()
        self._page.clear()
        self._frame_parts.clear()
        self._inflate = None
        self._head = None
        self._aligned = False  # a payload's bytes may pass for a frame header: the next frame must show JSON
        # A packet nearly always begins a message; `_border` falls back to LOST where this one does not.
        self._state = _State.FRAMES if self._websocket else _State.BORDER

    def _border(self) -> bool:
        buffer = self._buffer
        blank = _SEPARATORS.match(buffer)
        if blank and blank.end():
            self._drop(blank.end())
        if not buffer:
            return False
        if self._websocket:
            self._state = _State.FRAMES
            return True
        first = buffer[0]
        if first in (0x7B, 0x5B):
            self._document.reset()
            self._state = _State.DOCUMENT
            return True
        if 0x41 <= first <= 0x5A:
            head = bytes(buffer[:10])
            if any(head.startswith(word) for word in _HTTP_WORDS):
                self._state = _State.HEAD
                return True
            if any(word.startswith(head) for word in _HTTP_WORDS):
                return False
        elif first & 0x8F in (0x81, 0x82, 0x01, 0x02) and not first & 0x30:
            verdict = _looks_like_frame(buffer)
            if verdict is None:
                return False
            if verdict:
                self._websocket = self._aligned = True
                self._state = _State.FRAMES
                return True
        self._state = _State.LOST
        return True

    def _resync(self) -> bool:
        at = _next_beginning(self._buffer)
        if at is not None:
            self._state = _State.BORDER
        else:
            at = max(0, len(self._buffer) - 2 * _LOOK_BACK)  # a beginning may straddle the end
        self.garbage_bytes += at
        if not self.quoted_word:
            word = _PAGE_WORDS.search(self._buffer, 0, at if self._state is _State.BORDER else len(self._buffer))
            self.quoted_word = word.group().decode("ascii").lower() if word else ""
        self._drop(at)
        return self._state is _State.BORDER

    # -- JSON ------------------------------------------------------------------------------------------------------

    def _read_document(self) -> bool:
        buffer = self._buffer
        verdict, start, end = self._document.advance(buffer)
        if verdict == "more":
            if len(buffer) > MAX_MESSAGE_BYTES:
                self._give_prefix(bytes(buffer[:PREFIX_BYTES]))
                self._drop_followed()
                self._state = _State.SKIP_DOCUMENT
                return bool(buffer)
            return False
        if verdict == "end" and end - start > MAX_MESSAGE_BYTES:
            self._give_prefix(bytes(buffer[start : start + PREFIX_BYTES]))
        elif verdict == "end":
            self._give(buffer[start:end])
            self.garbage_bytes += start
        else:
            self._waste(bytes(buffer[:end]))
        self._drop(end)
        self._document.reset()
        self._state = _State.BORDER
        return bool(buffer)

    def _waste(self, data: bytes | bytearray) -> None:
        """Count what opened like a document and is none."""
        self.garbage_bytes += len(data)
        self.unreadable += _METHOD_WORDS.search(data) is not None

    def _drop_followed(self) -> None:
        """Forget the bytes of a long document that its brackets are done with."""
        self._drop(self._document.at)
        self._document.at = 0
        self._document.candidate = -1

    def _skip_document(self) -> bool:
        verdict, start, end = self._document.advance(self._buffer)
        if verdict == "more":
            self._drop_followed()
            return False
        if verdict == "end" and start:
            self._give(self._buffer[start:end])
        self._drop(end)
        self._document.reset()
        self._state = _State.BORDER
        return bool(self._buffer)

    def _carrier(self) -> Carrier:
        if self._websocket:
            return Carrier.WEBSOCKET
        return Carrier.RAW if self._head is None else Carrier.HTTP

    def _give(self, data: bytes | bytearray) -> None:
        try:
            value = _load(data)
        except ValueError:
            self._waste(data)
            return
        self._give_value(value)

    def _give_value(self, value: Any) -> None:
        origin = self._origin
        assert origin is not None
        carrier = self._carrier()
        for element in value if isinstance(value, list) else (value,):
            if isinstance(element, dict):
                self.carriers.add(carrier)
                self.messages += 1
                self._out.append(Message(element, carrier, self._head, origin.time_ns, origin.packet))

    def _give_prefix(self, prefix: bytes) -> None:
        self.oversize += 1
        self.unreadable += _METHOD_WORDS.search(prefix) is not None
        origin = self._origin
        assert origin is not None
        self._out.append(Message(None, self._carrier(), self._head, origin.time_ns, origin.packet, prefix=prefix))

    # -- HTTP ------------------------------------------------------------------------------------------------------

    def _read_head(self) -> bool:
        buffer = self._buffer
        end, size = buffer.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES), 4
        bare = buffer.find(b"\n\n", 0, end + 1 if end >= 0 else MAX_HEAD_BYTES)
        if bare >= 0:
            end, size = bare, 2
        if end < 0:
            if len(buffer) >= MAX_HEAD_BYTES:
                self._state = _State.LOST
                self._drop(1)
                return True
            return False
        head = _parse_head(bytes(buffer[:end]))
        self._drop(end + size)
        if head is None:
            self._state = _State.LOST
            return bool(buffer)
        self._head = head
        self.http_heads += 1
        origin = self._origin
        assert origin is not None
        self._out.append(Message(None, Carrier.HTTP, head, origin.time_ns, origin.packet))
        headers = head.headers
        self._state = _State.BORDER
        if head.status == 101 and "websocket" in headers.get("upgrade", "").lower():
            self._websocket = self._aligned = True
            self._state = _State.FRAMES
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            self._begin_body(headers)
            self._state = _State.CHUNK_SIZE
        elif head.status // 100 == 1 or head.status in (204, 304):
            self._head = None
        else:
            length = headers.get("content-length", "")
            if length.isdigit() and len(length) < 16:
                self._body_left = int(length)
                if self._body_left:
                    self._begin_body(headers)
                    self._state = _State.BODY
                else:
                    self._head = None
            elif not head.status:
                self._head = None  # a request without length has no body; an answer's lasts to the end
        return bool(buffer)

    def _begin_body(self, headers: dict[str, str]) -> None:
        self._page.clear()
        encoding = headers.get("content-encoding", "").lower()
        self._inflate = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None

    def _read_body(self) -> bool:
        buffer = self._buffer
        if not buffer:
            return False
        take = min(len(buffer), self._body_left)
        self._take_body(bytes(buffer[:take]))
        self._drop(take)
        self._body_left -= take
        if self._body_left:
            return False
        self._end_body()
        return bool(buffer)

    def _read_chunked(self) -> bool:
        buffer = self._buffer
        state = self._state
        if state is _State.CHUNK_DATA:
            if not buffer:
                return False
            take = min(len(buffer), self._body_left)
            self._take_body(bytes(buffer[:take]))
            self._drop(take)
            self._body_left -= take
            if self._body_left == 0:
                self._state = _State.CHUNK_END
            return bool(buffer)
        end = buffer.find(b"\n", 0, 1024)
        if end < 0:
            if len(buffer) >= 1024:
                self._state = _State.LOST
                return True
            return False
        line = bytes(buffer[:end]).strip()
        self._drop(end + 1)
        if state is _State.CHUNK_SIZE:
            digits = line.split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,12}", digits):
                self._end_body()
                self._state = _State.LOST
                return bool(buffer)
            self._body_left = int(digits, 16)
            self._state = _State.CHUNK_DATA if self._body_left else _State.TRAILER
        elif state is _State.CHUNK_END:
            self._state = _State.CHUNK_SIZE
        elif not line:  # the empty line after the trailers
            self._end_body()
        return bool(buffer)

    def _take_body(self, data: bytes) -> None:
        """Keep what of a body can be JSON; of a page only its first part."""
        if self._inflate is not None:
            try:
                data = self._inflate.decompress(data, MAX_MESSAGE_BYTES)
            except zlib.error:
                data = b""
        if len(self._page) <= MAX_MESSAGE_BYTES:
            self._page += data[: MAX_MESSAGE_BYTES + 1 - len(self._page)]

    def _end_body(self) -> None:
        page = self._page
        text = page.lstrip(b"\xef\xbb\xbf \t\r\n\x00")
        if bytes(text[:1]) in (b"{", b"["):
            if len(page) > MAX_MESSAGE_BYTES:
                self._give_prefix(bytes(text[:PREFIX_BYTES]))
            else:
                self._give_all(text)
        elif text:
            word = _PAGE_WORDS.search(text, 0, _PAGE_BYTES)
            origin = self._origin
            assert origin is not None
            if word is not None:
                name = word.group().decode("ascii").lower()
                self._out.append(Message(None, Carrier.HTTP, self._head, origin.time_ns, origin.packet, page_word=name))
        self._page = bytearray()
        self._inflate = None
        self._head = None
        self._state = _State.BORDER

    def _give_all(self, text: bytearray) -> None:
        """Every document of a body or a frame: one as a rule, several lines now and then."""
        try:  # the usual case: one whole document
            whole = _load(text)
        except ValueError:
            pass
        else:
            self._give_value(whole)
            return
        document = _Document()
        while text:
            verdict, start, end = document.advance(text)
            if verdict == "more":
                self._waste(text)
                return
            if verdict == "end":
                self._give(text[start:end])
            del text[:end]
            document.reset()
            blank = _SEPARATORS.match(text)
            if blank:
                del text[: blank.end()]
            if bytes(text[:1]) not in (b"{", b"["):
                self.garbage_bytes += len(text)
                return

    # -- WebSocket ---------------------------------------------------------------------------------------------------

    def _read_frame(self) -> bool:
        buffer = self._buffer
        if not buffer:
            return False
        if not self._aligned:
            verdict = _looks_like_frame(buffer)
            if verdict is None:
                return False
            if not verdict:
                return self._frame_lost()
            self._aligned = True
        opcode = buffer[0] & 0x0F
        if buffer[0] & 0x30 or opcode not in (0, 1, 2, 8, 9, 10) or (opcode >= 8 and buffer[0] & 0xC0 != 0x80):
            return self._frame_lost()
        header = _frame_header(buffer)
        if header is None:
            return False
        start, length, mask = header
        if length < 0 or (opcode >= 8 and length > 125):
            return self._frame_lost()
        final = bool(buffer[0] & 0x80)
        if length > MAX_MESSAGE_BYTES or len(self._frame_parts) + length > MAX_MESSAGE_BYTES:
            self.oversize += 1
            self._drop(start)
            self._frame_left = length
            self._frame_parts = bytearray()
            self._state = _State.SKIP_FRAME
            return bool(buffer)
        if len(buffer) < start + length:
            return False
        payload = bytes(buffer[start : start + length])
        if mask:
            payload = _unmask(payload, mask)
        if opcode in (1, 2):
            self._frame_parts = bytearray()
            self._deflated = bool(buffer[0] & 0x40)
        self._drop(start + length)
        if opcode >= 8:
            return bool(buffer)
        self._frame_parts += payload
        if final:
            text = self._frame_parts
            self._frame_parts = bytearray()
            if self._deflated:
                text = self._inflate_message(text)
            self._give_frame(text)
        return bool(buffer)

    def _frame_lost(self) -> bool:
        """No frame here: look for the next one, else give up on frames."""
        buffer = self._buffer
        at = _next_frame(buffer)
        if at is None:
            self.garbage_bytes += len(buffer)
            if self.messages == 0 or buffer[:1] == b"{" or buffer[:5] == b"HTTP/":
                self._websocket = False
                self._state = _State.BORDER if buffer[:1] == b"{" or buffer[:5] == b"HTTP/" else _State.LOST
                return True
            keep = 16
            if len(buffer) > keep:
                self._drop(len(buffer) - keep)
            return False
        self.garbage_bytes += at
        self._drop(at)
        return True

    def _give_frame(self, text: bytearray) -> None:
        digits = re.match(rb"[\s\x00]*\d{0,3}(?=[{\[])", text)  # socket.io puts its packet type before the document
        if digits:
            self._give_all(text[digits.end() :])
        else:
            self.garbage_bytes += len(text)

    def _inflate_message(self, data: bytearray) -> bytearray:
        if self._inflate is None:
            self._inflate = zlib.decompressobj(-15)
        try:
            return bytearray(self._inflate.decompress(bytes(data) + b"\x00\x00\xff\xff", MAX_MESSAGE_BYTES))
        except zlib.error:  # its dictionary began before the capture did
            self._inflate = None
            return bytearray()

    def _skip_frame(self) -> bool:
        take = min(len(self._buffer), self._frame_left)
        self._drop(take)
        self._frame_left -= take
        if self._frame_left:
            return False
        self._state = _State.FRAMES
        return bool(self._buffer)


def _next_beginning(buffer: bytearray) -> int | None:
    """Where the next message can begin: at the start of a line, behind a closed document, or at an HTTP answer."""
    for found in _BEGINNING.finditer(buffer):
        at = found.start()
        first = buffer[at]
        if first == 0x48:  # "HTTP/1."
            return at
        before = buffer[max(0, at - _LOOK_BACK) : at].rstrip(b" \t\r")
        if bytes(before[-1:]) in ((b"\n", b"\x00") if first == 0x5B else (b"\n", b"\x00", b"}")):
            return at
    return None


def _parse_head(data: bytes) -> HttpHead | None:
    first, _, rest = data.partition(b"\n")
    line = first.strip().decode("latin-1").split(" ", 2)
    if len(line) < 2:
        return None
    headers: dict[str, str] = {}
    for raw in rest.split(b"\n"):
        name, colon, value = raw.partition(b":")
        if colon:
            headers[name.strip().decode("latin-1").lower()] = value.strip().decode("latin-1")
    if line[0].startswith("HTTP/1."):
        if not line[1].isdigit() or len(line[1]) != 3:
            return None
        return HttpHead("", "", int(line[1]), headers)
    if not _REQUEST.match(data):
        return None
    return HttpHead(line[0], line[1], 0, headers)


def _frame_header(buffer: bytearray) -> tuple[int, int, bytes] | None:
    """Where the payload starts, its length [bytes] and the mask; length -1 where it cannot be a frame."""
    if len(buffer) < 2:
        return None
    length = buffer[1] & 0x7F
    start = 2
    if length == 126:
        if len(buffer) < 4:
            return None
        length, start = int.from_bytes(buffer[2:4], "big"), 4
        if length < 126:  # RFC 6455, 5.2: the shortest form must be used
            return 0, -1, b""
    elif length == 127:
        if len(buffer) < 10:
            return None
        length, start = int.from_bytes(buffer[2:10], "big"), 10
        if length < 65_536 or length >> 40:
            return 0, -1, b""
    if buffer[1] & 0x80:
        if len(buffer) < start + 4:
            return None
        return start + 4, length, bytes(buffer[start : start + 4])
    return start, length, b""


def _unmask(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def _looks_like_frame(buffer: bytearray, at: int = 0) -> bool | None:
    """True where a text frame that opens a JSON document begins; None where more bytes must decide."""
    part = buffer[at : at + 18]
    header = _frame_header(part)
    if header is None:
        return None
    start, length, mask = header
    if length < 2:
        return False
    if len(part) < start + 2:
        return None
    opening = bytes(part[start : start + 2])
    if mask:
        opening = _unmask(opening, mask)
    return opening in (b'{"', b"{}", b"{ ", b"{\n", b"{\r", b"[{", b'["', b"[]", b"42")


def _next_frame(buffer: bytearray) -> int | None:
    for found in re.finditer(rb"[\x81\x82\x01\x02]", buffer):
        at = found.start()
        if at and _looks_like_frame(buffer, at):
            return at
    return None
