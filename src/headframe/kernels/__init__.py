"""The hot path: numba over plain arrays. Knows nothing of tables, files or configuration."""


def needs_compiling() -> bool:
    """Whether the kernels must be compiled before they run: the first time, and after an update."""
    from headframe.kernels import conversations, pcap

    return not (_is_cached(pcap.read_pcap) and _is_cached(conversations.update))


def _is_cached(kernel: object) -> bool:
    """Whether a compiled form of the kernel's present source lies in numba's cache."""
    from pathlib import Path

    impl = getattr(kernel, "_cache")._impl  # noqa: B009  numba offers no public question for this
    index = Path(impl.locator.get_cache_path()) / (impl.filename_base + ".nbi")
    if not index.exists():
        return False
    # numba starts a fresh index when the source's stamp differs from the one stored behind its version.
    import pickle

    try:
        with index.open("rb") as file:
            pickle.load(file)  # noqa: S301  numba's own file in numba's own folder
            stamp, _overloads = pickle.loads(file.read())  # noqa: S301
    except Exception:
        return False
    return bool(stamp == impl.locator.get_source_stamp())


def compile_all() -> None:
    """Compile every kernel and keep the result; about 15 s on one core, nothing where it was done before."""
    import numpy as np

    from headframe.kernels import conversations, frames, look, pcap, pcapng

    names = look.name_table(np.empty(0, dtype=np.uint64))
    buf = np.zeros(64, dtype=np.uint8)
    buf.flags.writeable = False  # maps and pipes are read-only, and numba compiles for that
    packets = np.zeros(1, dtype=frames.PACKET)
    key = np.uint64(1)
    fmt = pcap.RecordFormat(False, 1000, 16, 1, pcap.MAX_CAPTURED)
    none = np.empty(0, dtype=np.int64)
    interfaces = pcapng.Interfaces(none, none, none, none, none, none)
    table = conversations.new_table(16, 16)
    selected = np.zeros(1, dtype=conversations.SELECTED)
    closed = np.zeros(16, dtype=np.int32)
    pcap.read_pcap(buf, 0, 0, fmt, -1, packets, 0, names, key, key)
    pcap.chain_length(buf, 0, fmt, -1, 1)
    pcap.find_record(buf, 0, fmt, -1, 1)
    pcapng.read_pcapng(buf, 0, 0, False, interfaces, -1, packets, 0, names, key, key)
    pcapng.find_block(buf, 0, False, 1)
    frames.decode_frames(buf, packets, 0, 0, key, key)
    look.look_at_payloads(buf, packets, 0, 0, names)
    conversations.update(table, buf, packets, 0, 0, 0, 0, 1, selected, closed, names, names)
    conversations.sweep(table, 0, closed, 0, 0, 0, 0)
    conversations.release(table, closed, 0)
    conversations.flag_places(table, names, 0)
    conversations.place_keys(names, names, names)
    conversations.read_series(table, 0)
    conversations._rehash(table.slots, table.slots.copy())
