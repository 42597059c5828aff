"""Compile the kernels ahead of their first use."""

import subprocess
import sys

from headframe.kernels import jit


def needs_compiling() -> bool:
    """Whether the kernels must be compiled before they run: the first time, and after an update."""
    return not jit.is_complete()


def compile_kernels() -> None:
    """Compile every kernel and keep the result: half of them in a second process, for a compiler uses one core.

    About 20 s on two cores; nothing but loading where it was done before.
    """
    # A process group of its own: Ctrl-C goes to the whole group at the terminal, and the child would answer it with a
    # traceback. It ends with this process instead. Nor has it anything else to say: its half is done here if it fails.
    half = subprocess.Popen(
        [sys.executable, "-c", "from headframe.engines.compiling import compile_timing; compile_timing()"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        compile_readers()
        compile_table()
        failed = half.wait() != 0
    except BaseException:
        half.kill()
        half.wait()
        raise
    if failed:
        compile_timing()
    jit.mark_complete()


def load_without_linear_algebra() -> None:
    """Have numba load what it needs before its first kernel runs, all but BLAS.

    numba looks for SciPy's BLAS when it starts, whether a kernel multiplies matrices or not, and SciPy's linear algebra
    takes 0.2 s to load. Only for a program that owns its process: matrix products in other kernels would not compile.
    """
    import numpy as np

    blas = "scipy.linalg.cython_blas"
    hidden = "scipy.linalg" not in sys.modules
    if hidden:
        sys.modules[blas] = sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        from headframe.kernels.conversations import place_keys

        none = np.empty(0, dtype=np.uint64)
        place_keys(none, none, none)
    finally:
        if hidden:
            del sys.modules[blas], sys.modules["scipy.linalg"]


def compile_readers() -> None:
    """Compile what turns bytes into packets."""
    import numpy as np

    from headframe.kernels import frames, look, pcap, pcapng

    names = look.name_table(np.empty(0, dtype=np.uint64))
    buf = np.zeros(64, dtype=np.uint8)
    buf.flags.writeable = False  # maps and pipes are read-only, and numba compiles for that
    packets = np.zeros(1, dtype=frames.PACKET)
    key = np.uint64(1)
    fmt = pcap.RecordFormat(False, 1000, 16, 1, pcap.MAX_CAPTURED)
    none = np.empty(0, dtype=np.int64)
    interfaces = pcapng.Interfaces(none, none, none, none, none, none)
    frames.decode_frames(buf, packets, 0, 0, key, key)
    look.look_at_payloads(buf, packets, 0, 0, names)
    pcap.read_pcap(buf, 0, fmt, -1, packets, 0, names, key, key)
    pcap.chain_length(buf, 0, fmt, -1, 1)
    pcap.find_record(buf, 0, fmt, -1, 1)
    pcap.find_after_damage(buf, 0, fmt, -1, 1)
    pcap.has_sound_length(buf, 0, fmt)
    pcap.goes_beyond(buf, 0, fmt, -1, 0)
    pcapng.read_pcapng(buf, 0, False, interfaces, -1, packets, 0, names, key, key)
    pcapng.is_block(buf, 0, False)
    pcapng.find_after_damage(buf, 0, False)


def compile_table() -> None:
    """Compile what keeps conversations."""
    import numpy as np

    from headframe.kernels import conversations, frames, look

    names = look.name_table(np.empty(0, dtype=np.uint64))
    buf = np.zeros(64, dtype=np.uint8)
    buf.flags.writeable = False
    table = conversations.new_table(16, 16)
    packets = np.zeros(1, dtype=frames.PACKET)
    selected = np.zeros(1, dtype=conversations.SELECTED)
    closed = np.zeros(16, dtype=np.int32)
    conversations.update(table, buf, packets, 0, 0, 0, selected, closed, names, names)
    conversations.sweep(table, 0, closed, 0, 0, 0, 0)
    conversations.release(table, closed, 0)
    conversations.flag_places(table, names, 0)
    conversations.place_keys(names, names, names)
    conversations.read_series(table, 0)
    conversations.rehash(table.slots, table.slots.copy())


def compile_timing() -> None:
    """Compile what compares times of pushes with times of blocks."""
    import numpy as np

    from headframe.detectors.network.chain_sync.evidence import ChainSyncParameters, make_grid
    from headframe.kernels import bursts, chain_sync

    time_ns = np.empty(0, dtype=np.int64)
    size = np.empty(0, dtype=np.int32)
    reply = np.empty(0, dtype=np.bool_)
    bits = np.empty(0, dtype=np.uint8)
    at = np.zeros(1, dtype=np.int64)
    spans = np.empty((0, 2), dtype=np.int64)
    log_e = np.empty(0)
    grid = make_grid(ChainSyncParameters())
    sums = np.zeros((chain_sync.CLASSES, len(grid.windows_ns), len(grid.shares), grid.offsets))
    bursts.gather_bursts(time_ns, size, time_ns, size)
    bursts.mark_replies(time_ns, size, reply)
    chain_sync.class_bits(size, reply, -1, 1, bits)
    chain_sync.chance(time_ns, bits, 0, 0, 0, 1, 0, 1)
    chain_sync.add_conversation(time_ns, bits, 0, 0, time_ns, spans, grid, 1, 1, sums)
    chain_sync.log_mixture(sums, grid.offset_weights)
    chain_sync.measure_many(time_ns, bits, at, spans, at, time_ns, spans, grid, 1, 1, log_e, time_ns)

    from headframe.detectors.network.peer_sync import PeerSyncParameters
    from headframe.detectors.network.peer_sync.evidence import make_bet, pack
    from headframe.kernels import peer_sync

    parameters = PeerSyncParameters()
    none = np.zeros(0)
    pairs = np.zeros((0, 2), dtype=np.int64)
    partners = peer_sync.Partners(np.zeros((0, 1), dtype=np.int32), np.zeros((0, 1)), np.zeros((0, 1), dtype=np.int64))
    rows = pack([], parameters)
    peer_sync.drop_ticks(time_ns, 1, 2, 1, 0.3, 3, reply)
    peer_sync.count_meetings(time_ns, 1)
    peer_sync.find_partners(rows, time_ns, size, time_ns, 1, 1, 1.0, partners)
    best = np.zeros((0, 2), dtype=np.int32)
    peer_sync.bet_on_all(rows, partners, make_bet(parameters), 30.0, none, none, none, best, time_ns, time_ns)
    peer_sync.find_beats(time_ns, time_ns, 0, 1, 1, time_ns)
    peer_sync.intersect(pairs, pairs, pairs)
