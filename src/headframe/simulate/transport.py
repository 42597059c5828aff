"""From messages to packets, as a sensor near the client sees them: TCP with segments and faults, and UDP."""

import random
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal, NamedTuple

from headframe.simulate.packets import ACK, FIN, PSH, RST, SYN, Framer, Path

MILLISECOND = 1_000_000
_SEGMENT_GAP_NS = 12_000
"""1,500 bytes take 12 microseconds at 1 Gbit/s."""
_DELAYED_ACK_NS = 40 * MILLISECOND
"""How long a receiver waits for data to carry the acknowledgement; RFC 1122, 4.2.3.2 allows up to 500 ms."""
_HOST_DELAY_NS = 150_000


class Message(NamedTuple):
    """Bytes that one side hands to TCP at one instant; `time_ns` is when the first segment passes the sensor."""

    time_ns: int
    direction: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong on the way and at the sensor, as probabilities per packet.

    Attributes
    ----------
    retransmission : float
        A data segment is lost in the network and sent again; half of these are lost before the sensor sees them.
    sensor_loss : float
        The sensor drops the packet; the endpoints know nothing of it.
    reordering : float
        The packet is captured a little late, behind its successors.
    """

    retransmission: float = 0.0
    sensor_loss: float = 0.0
    reordering: float = 0.0

    def __post_init__(self) -> None:
        for name in ("retransmission", "sensor_loss", "reordering"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is a probability between 0 and 1, got {value}")


NO_FAULTS = Faults()


class _Segment(NamedTuple):
    sent_ns: int
    delivered_ns: int
    seq: int
    data: bytes
    ends_message: bool
    seen_twice: bool


def tcp_packets(
    path: Path,
    messages: list[Message],
    rng: random.Random,
    *,
    rtt_ns: int,
    ending: Literal["fin", "rst", "open"] = "fin",
    faults: Faults = NO_FAULTS,
    closed_by: int = 0,
) -> list[tuple[int, bytes]]:
    """Packets of one TCP conversation that carries `messages`.

    Sequence numbers count every byte once; an acknowledgement covers what has reached the receiver by then, so a
    lost segment holds it back. The handshake ends just before the first message.

    Parameters
    ----------
    path : Path
    messages : list of Message
        In order of time. A message is held back where the one before it in the other direction was still being
        retransmitted.
    rng : random.Random
    rtt_ns : int
        Round trip from the sensor to the server and back. [ns]
    ending : {"fin", "rst", "open"}
    faults : Faults
    closed_by : int
        Direction of the first FIN or of the RST.

    Returns
    -------
    list of (int, bytes)
        Capture time [ns since 1970-01-01 UTC] and frame, in order of capture time.
    """
    if not messages:
        raise ValueError("a conversation needs at least one message")
    start_ns = messages[0].time_ns - rtt_ns - 2 * _HOST_DELAY_NS
    # Faults have a stream of their own: the same world, seen through a worse network or sensor.
    chance = random.Random(rng.getrandbits(64))
    segments = _segments(path, messages, chance, faults)
    framer = Framer(path, rng.randrange(1 << 16))
    initial = (rng.randrange(1 << 32), rng.randrange(1 << 32))
    arrivals: list[list[int]] = [[], []]
    reached: list[list[int]] = [[], []]
    for direction in (0, 1):
        latest = 0
        for segment in segments[direction]:
            latest = max(latest, segment.delivered_ns)
            arrivals[direction].append(latest)
            reached[direction].append(segment.seq + len(segment.data))

    def acknowledged(direction: int, time_ns: int) -> int:
        """Stream offset that the sender of `direction` acknowledges in a packet seen at `time_ns`."""
        known_ns = time_ns - (_HOST_DELAY_NS if direction == 0 else rtt_ns)
        index = bisect_right(arrivals[1 - direction], known_ns)
        return reached[1 - direction][index - 1] if index else 1

    wire: list[tuple[int, int, int, int, int, bytes]] = [
        (start_ns, 0, 0, 0, SYN, b""),
        (start_ns + rtt_ns, 1, 0, 1, SYN | ACK, b""),
        (start_ns + rtt_ns + _HOST_DELAY_NS, 0, 1, 1, ACK, b""),
    ]
    last_ns = start_ns + rtt_ns + _HOST_DELAY_NS
    for direction in (0, 1):
        for segment in segments[direction]:
            flags = PSH | ACK if segment.ends_message else ACK
            times = {segment.delivered_ns} | ({segment.sent_ns} if segment.seen_twice else set())
            for time_ns in sorted(times):
                number = acknowledged(direction, time_ns)
                wire.append((time_ns, direction, segment.seq, number, flags, segment.data))
                last_ns = max(last_ns, time_ns)
        other = 1 - direction
        for time_ns in _acknowledgement_times(segments, arrivals, direction, rtt_ns):
            sent_by_then = _sent_by(segments[other], time_ns)
            wire.append((time_ns, other, sent_by_then, acknowledged(other, time_ns), ACK, b""))
            last_ns = max(last_ns, time_ns)

    ends = [reached[d][-1] if reached[d] else 1 for d in (0, 1)]
    last_ns += rtt_ns + MILLISECOND
    if ending == "rst":
        wire.append((last_ns, closed_by, ends[closed_by], ends[1 - closed_by], RST | ACK, b""))
    elif ending == "fin":
        far, near = closed_by, 1 - closed_by
        wire.append((last_ns, far, ends[far], ends[near], FIN | ACK, b""))
        wire.append((last_ns + rtt_ns, near, ends[near], ends[far] + 1, FIN | ACK, b""))
        wire.append((last_ns + rtt_ns + _HOST_DELAY_NS, far, ends[far] + 1, ends[near] + 1, ACK, b""))
    wire.sort(key=lambda packet: packet[0])
    captured = []
    told = [0, 0]
    for time_ns, direction, offset, number, flags, data in wire:
        if flags == ACK and not data and offset > 1 and number <= told[direction]:
            continue  # A data segment or an earlier acknowledgement has said so already.
        told[direction] = max(told[direction], number)
        ack = initial[1 - direction] + number if flags & ACK else 0
        frame = framer.tcp(direction, initial[direction] + offset, ack, flags, data)
        captured.append((time_ns, frame))
    return _at_sensor(captured, chance, faults)


def _segments(path: Path, messages: list[Message], rng: random.Random, faults: Faults) -> tuple[list[_Segment], ...]:
    """Cut messages into segments; decide which are lost and when they arrive after all."""
    segments: tuple[list[_Segment], list[_Segment]] = ([], [])
    offset = [1, 1]
    free_ns = [0, 0]
    delivered = [0, 0]
    for message in messages:
        side = message.direction
        time_ns = max(message.time_ns, free_ns[side])
        if delivered[1 - side] > message.time_ns:
            time_ns = max(time_ns, delivered[1 - side] + MILLISECOND)
        for at in range(0, len(message.data), path.mss_bytes):
            data = message.data[at : at + path.mss_bytes]
            lost = rng.random() < faults.retransmission
            arrival_ns = time_ns + rng.randrange(200 * MILLISECOND, 400 * MILLISECOND) if lost else time_ns
            ends = at + path.mss_bytes >= len(message.data)
            segments[side].append(_Segment(time_ns, arrival_ns, offset[side], data, ends, lost and rng.random() < 0.5))
            delivered[side] = max(delivered[side], arrival_ns)
            offset[side] += len(data)
            time_ns += _SEGMENT_GAP_NS
        free_ns[side] = time_ns
    return segments


def _sent_by(segments: list[_Segment], time_ns: int) -> int:
    """Stream offset after the last segment sent before `time_ns`."""
    index = bisect_right(segments, time_ns, key=lambda segment: segment.sent_ns)
    return segments[index - 1].seq + len(segments[index - 1].data) if index else 1


def _acknowledgement_times(
    segments: tuple[list[_Segment], ...], arrivals: list[list[int]], direction: int, rtt_ns: int
) -> list[int]:
    """When bare acknowledgements of the data sent in `direction` pass the sensor."""
    replies = [segment.sent_ns for segment in segments[1 - direction]]
    delay_ns = _HOST_DELAY_NS if direction == 1 else rtt_ns
    times = []
    waiting = 0
    for segment, arrival_ns in zip(segments[direction], arrivals[direction], strict=True):
        waiting += 1
        if waiting == 2:
            times.append(arrival_ns + delay_ns)
            waiting = 0
        elif segment.ends_message:
            index = bisect_right(replies, arrival_ns)
            carried = index < len(replies) and replies[index] <= arrival_ns + delay_ns + _DELAYED_ACK_NS
            if not carried:
                times.append(arrival_ns + delay_ns + _DELAYED_ACK_NS)
            waiting = 0
    return times


def _at_sensor(packets: list[tuple[int, bytes]], rng: random.Random, faults: Faults) -> list[tuple[int, bytes]]:
    seen = []
    for time_ns, frame in packets:
        if faults.sensor_loss and rng.random() < faults.sensor_loss:
            continue
        late_ns = 0
        if faults.reordering and rng.random() < faults.reordering:
            late_ns = rng.randrange(20_000, 3 * MILLISECOND)
        seen.append((time_ns + late_ns, frame))
    if faults.reordering:
        seen.sort(key=lambda packet: packet[0])
    return seen


def udp_packets(
    path: Path, datagrams: list[Message], rng: random.Random, *, faults: Faults = NO_FAULTS
) -> list[tuple[int, bytes]]:
    """Packets of one UDP conversation, one per datagram."""
    framer = Framer(path, rng.randrange(1 << 16))
    packets = [(time_ns, framer.udp(direction, data)) for time_ns, direction, data in datagrams]
    return _at_sensor(packets, random.Random(rng.getrandbits(64)), faults)
