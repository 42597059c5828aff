"""Writers of the two capture formats; small, because both formats are."""

import struct
from collections.abc import Iterable
from pathlib import Path

_SNAPSHOT_BYTES = 262_144
_ETHERNET = 1


def write_pcap(path: Path, packets: Iterable[tuple[int, bytes]]) -> int:
    """Write a little-endian pcap file with nanosecond time stamps; return the number of packets.

    Parameters
    ----------
    path : Path
    packets : iterable of (int, bytes)
        Capture time [ns since 1970-01-01 UTC] and Ethernet frame, in the order they shall stand in the file.

    References
    ----------
    draft-ietf-opsawg-pcap, section 4 (magic 0xA1B23C4D: nanoseconds).
    """
    count = 0
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, _SNAPSHOT_BYTES, _ETHERNET))
        for time_ns, frame in packets:
            seconds, rest = divmod(time_ns, 1_000_000_000)
            file.write(struct.pack("<IIII", seconds, rest, len(frame), len(frame)) + frame)
            count += 1
    return count


def write_pcapng(path: Path, packets: Iterable[tuple[int, bytes]]) -> int:
    """Write a little-endian pcapng file: one section, one interface with ``if_tsresol`` 9, enhanced packet blocks.

    Parameters and result as for `write_pcap`.

    References
    ----------
    draft-ietf-opsawg-pcapng, sections 4.1 to 4.3.
    """
    count = 0
    with path.open("wb") as file:
        file.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
        options = struct.pack("<HHBxxxHH", 9, 1, 9, 0, 0)
        length = 20 + len(options)
        file.write(struct.pack("<IIHHI", 1, length, _ETHERNET, 0, _SNAPSHOT_BYTES) + options)
        file.write(struct.pack("<I", length))
        for time_ns, frame in packets:
            padding = -len(frame) % 4
            length = 32 + len(frame) + padding
            head = (6, length, 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(frame), len(frame))
            file.write(struct.pack("<7I", *head) + frame + bytes(padding) + struct.pack("<I", length))
            count += 1
    return count


def write_capture(path: Path, packets: Iterable[tuple[int, bytes]]) -> int:
    """Write the format that the file's name asks for: ``.pcap`` or ``.pcapng``.

    Raises
    ------
    ValueError
        Where the name ends otherwise.
    """
    if path.suffix == ".pcap":
        return write_pcap(path, packets)
    if path.suffix == ".pcapng":
        return write_pcapng(path, packets)
    raise ValueError(f"{path.name} should end in .pcap or .pcapng")
