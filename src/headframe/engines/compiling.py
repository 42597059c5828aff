"""Compile the kernels ahead of their first use."""

import subprocess
import sys
import threading
from collections.abc import Callable

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
        _aside(_compile_here)
        failed = half.wait() != 0
    except BaseException:
        half.kill()
        half.wait()
        raise
    if failed:
        compile_timing()
    jit.mark_complete()


def _aside(work: Callable[[], None]) -> None:
    """Do a piece of work in another thread, so that Ctrl-C ends the wait for it at once.

    A compiler calls back from machine code, where Python drops an exception or puts another in its place: in this
    thread an interrupt that comes there would be lost. The other thread gets none, and ends with the program.
    """
    faults: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            faults.append(error)

    worker = threading.Thread(target=run, name="compile", daemon=True)
    worker.start()
    worker.join()
    if faults:
        raise faults[0]


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


def _compile_here() -> None:
    compile_readers()
    compile_table()
    compile_meters()


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


def compile_meters() -> None:
    """Compile what looks through the readings of meters, by looking through a few made-up ones."""
    import tempfile
    from pathlib import Path

    import numpy as np
    import polars as pl

    from headframe.engines.meters import Knowledge, MetersEngine, MetersOptions
    from headframe.kernels import readings
    from headframe.records.reading import LoadBatch, LocalClock, Surroundings, Transformer, UsagePoint
    from headframe.records.site import SourceRow
    from headframe.sources.power.options import LONGEST_S
    from headframe.sources.power.read import read_readings

    hours = 24 * 70
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory(prefix="headframe-compile-") as folder:
        path = Path(folder) / "readings.parquet"
        start = pl.from_epoch(pl.Series(3600 * np.arange(hours)))
        frame = pl.DataFrame({"usage_point": ["a"] * hours, "start": start, "energy_kwh": rng.random(hours)})
        frame.write_parquet(path)
        table = read_readings(path).readings
    first = np.array([0, hours], np.int64)
    begin, steps, at = np.zeros(1, np.int64), np.zeros(1, np.int64), table["start_s"].to_numpy()
    length, value = table["duration_s"].to_numpy(), table["energy_wh"].to_numpy()
    power_w, covered = np.empty(hours, np.float32), np.empty(hours, np.int32)
    readings.spans(first, at, length, 3600, begin, steps)
    readings.fill_steps(first, at, length, value, 1.0, False, LONGEST_S, 3600, begin, first, power_w, covered)
    readings.drop_zero_runs(first, power_w, 6, 0.005)

    load = [level * (1 + rng.random(hours)) + level * (np.arange(hours) > hours // 2) for level in (300.0, 20_000.0)]
    batch = LoadBatch(
        usage_points=("a", "b", "head"),
        first=np.arange(4, dtype=np.int64) * hours,
        start_s=np.zeros(3, np.int64),
        step_s=3600,
        power_w=np.concatenate([*load, 1.1 * (load[0] + load[1])]).astype(np.float32),
    )
    row = SourceRow("", 0)
    clock = LocalClock("UTC", np.zeros(1, np.int64), np.zeros(1, np.int32), np.zeros(0, np.int32))
    knowledge = Knowledge(
        surroundings=Surroundings(clock=clock),
        usage_points={name: UsagePoint(usage_point=name, transformer="t", source=row) for name in ("a", "b")},
        transformers=(Transformer(transformer="t", head_usage_point="head", source=row),),
    )
    MetersEngine(lambda names: iter([batch]), knowledge, MetersOptions(threads=1)).run()
