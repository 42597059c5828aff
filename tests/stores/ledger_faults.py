"""Faults for the ledger, and the check of the whole log that follows each (`assert_log_sound`).

Three kinds: a simulated disk (`crash_once`, `fail_once`), real processes that are killed (`kill_once`), and a real disk
that is full (`fill_once`). Each gives what was acknowledged back to the check: nothing of it may be lost, and of what
was not acknowledged an append is there wholly or not at all.
"""

import errno
import os
import signal
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from stores.crashing_disk import Crash, CrashingDisk, Folder

from headframe.ledger.checkpoint import Checkpoint
from headframe.ledger.merkle import check_consistency, check_inclusion, leaf_hash
from headframe.ledger.note import ED25519, Signer
from headframe.ledger.store import LedgerNotWritten
from headframe.stores.disk import Disk
from headframe.stores.ledger_files import Ledger

SIGNER = Signer("faults.example/log", ED25519, bytes(range(32)))
PLACE = Path("/ledger")
BATCHES = (1, 1, 1, 2, 3, 7, 40, 255, 256, 300, 700)
"""Sizes of appends: most are small; some fill tiles, some more than one."""


class Told:
    """What a writer was told, and what it had asked for when it was stopped."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self.checkpoints: list[Checkpoint] = []
        self.asked: list[bytes] = []


def batch(random: Random, most: int = 700) -> list[bytes]:
    """Leaves of an append, all different."""
    return [random.randbytes(random.randint(8, 60)) for _ in range(min(random.choice(BATCHES), most))]


def assert_log_sound(ledger: Ledger, told: Told) -> None:
    """Read everything again: all acknowledged leaves at their places, all tiles as their leaves make them, every
    acknowledged checkpoint a beginning of the log, and of the append that was cut off all or nothing."""
    there = list(ledger.entries())
    known = len(told.leaves)
    assert there[:known] == told.leaves, "an acknowledged leaf is lost or changed"
    assert there[known:] in ([], told.asked), "an append that was not acknowledged is half there"
    checked = ledger.check_all()
    assert checked.size == len(there)
    beside = list(ledger.unknown_files())
    assert not beside, f"{beside} lie beside the log of {ledger.size}"
    for checkpoint in told.checkpoints:
        proof = ledger.consistency_proof(checkpoint.size)
        check_consistency(checkpoint.size, checkpoint.root, ledger.size, ledger.checkpoint.root, proof)
    for place in {0, known // 2, known - 1, len(there) - 1}:
        if 0 <= place < len(there):
            proof = ledger.inclusion_proof(place)
            check_inclusion(place, ledger.size, leaf_hash(there[place]), proof, ledger.checkpoint.root)


def append(ledger: Ledger, told: Told, leaves: Sequence[bytes]) -> None:
    """Append, and note what was asked and what was acknowledged."""
    told.asked = list(leaves)
    places = ledger.append(leaves)
    assert list(places) == list(range(len(told.leaves), len(told.leaves) + len(leaves)))
    told.leaves += leaves
    told.checkpoints.append(ledger.checkpoint)
    told.asked = []


def begun(random: Random) -> tuple[CrashingDisk, Told, Ledger]:
    """A simulated disk with a log on it, of a size near which something happens."""
    disk = CrashingDisk(Folder(), random)
    ledger = Ledger.create(PLACE, [SIGNER], disk)
    told = Told()
    for size in random.choice([(), (1,), (255,), (256,), (250, 3), (511, 1), (700,)]):
        append(ledger, told, [random.randbytes(20) for _ in range(size)])
    return disk, told, ledger


def crash_once(seed: int) -> str:
    """Power is lost at a random operation, perhaps again while what it left is put right; then all is checked."""
    random = Random(seed)
    disk, told, ledger = begun(random)
    disk.fail_at = disk.operations + random.randint(1, 60)
    try:
        for _ in range(8):
            append(ledger, told, batch(random))
        return "no crash"
    except Crash:
        pass
    words = "crash"
    disk = disk.after_crash(fail_at=random.randint(1, 12) if random.random() < 0.5 else None)
    try:
        Ledger(PLACE, [SIGNER], disk)
    except Crash:
        words = "crash, and again in recovery"
        disk = disk.after_crash()
    disk.fail_at = None
    ledger = Ledger(PLACE, [SIGNER], disk)
    assert_log_sound(ledger, told)
    cut_off = told.asked
    if ledger.size > len(told.leaves):
        # It was whole after all. Who asks again is given its places, and it is not there twice.
        assert ledger.append_once(cut_off) == tuple(range(len(told.leaves), ledger.size))
        told.leaves += cut_off
    told.asked = []
    append(ledger, told, batch(random))
    assert_log_sound(ledger, told)
    return words


def fail_once(seed: int) -> str:
    """An operation fails (disk full, or broken for a moment); the same program goes on; then power is lost as well."""
    random = Random(seed)
    disk, told, ledger = begun(random)
    disk.error = random.choice([errno.EIO, errno.ENOSPC, errno.EDQUOT])
    disk.fail_at = disk.operations + random.randint(1, 40)
    failed = 0
    for _ in range(8):
        leaves = batch(random)
        try:
            append(ledger, told, leaves)
        except LedgerNotWritten:
            failed += 1
            # Whether it is there is not known; who asks again gets places, once.
            places = ledger.append_once(leaves)
            assert list(places) == list(range(len(told.leaves), len(told.leaves) + len(leaves)))
            told.leaves += leaves
            told.checkpoints.append(ledger.checkpoint)
            told.asked = []
        except OSError as error:
            raise AssertionError(f"a bare {error!r} came out of the ledger") from error
    ledger.append([b"the last"])
    told.leaves.append(b"the last")
    assert_log_sound(Ledger(PLACE, [SIGNER], disk.after_crash()), told)
    return f"{errno.errorcode[disk.error]}, {'refused' if failed else 'not noticed'}"


def kill_once(folder: Path, seed: int) -> str:
    """A real process appends and acknowledges over a pipe, and is killed with SIGKILL at a random moment."""
    random = Random(seed)
    told = Told()
    place = folder / f"kill-{seed}"
    ledger = Ledger.create(place, [SIGNER])
    for size in random.choice([(), (255,), (250,), (511,)]):
        append(ledger, told, [random.randbytes(20) for _ in range(size)])
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        _append_for_ever(place, seed, write_end)
    os.close(write_end)
    time.sleep(random.uniform(0.0, 0.06))
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read()
    acknowledged = [struct.unpack_from("<Q", said, at)[0] for at in range(0, len(said) - 7, 8)]
    source = Random(seed + 1)
    for end in acknowledged:
        leaves = batch(source, 300)
        told.leaves += leaves
        assert len(told.leaves) == end
    told.asked = batch(source, 300)
    ledger = Ledger(place, [SIGNER])
    assert_log_sound(ledger, told)
    if ledger.size > len(told.leaves):
        told.leaves += told.asked
    append(ledger, told, [random.randbytes(30) for _ in range(5)])
    assert_log_sound(ledger, told)
    return "killed in the middle" if ledger.remarks else "killed"


def _append_for_ever(place: Path, seed: int, pipe: int) -> None:
    try:
        source = Random(seed + 1)
        ledger = Ledger(place, [SIGNER])
        while True:
            places = ledger.append(batch(source, 300))
            os.write(pipe, struct.pack("<Q", places[-1] + 1))
    except BaseException:
        os._exit(3)


class SmallDisk(Disk):
    """The real disk, on which only so many bytes are free: the writes go to a real file until they are used up."""

    def __init__(self, free: int) -> None:
        self.free = free

    def write(self, file: int, data: bytes) -> None:
        taken = data[: max(self.free, 0)]
        super().write(file, taken)
        self.free -= len(data)
        if len(taken) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fill_once(place: Path, seed: int, make_room: Callable[[], None], disk: Disk | None = None) -> str:
    """Append until the disk is full; check all; make room; go on; check all."""
    random = Random(seed)
    told = Told()
    ledger = Ledger.create(place, [SIGNER], disk)
    words = "never full"
    for _ in range(200):
        leaves = [random.randbytes(random.randint(200, 900)) for _ in range(random.choice([1, 5, 60, 256]))]
        try:
            append(ledger, told, leaves)
        except LedgerNotWritten:
            words = "full"
            break
    assert_log_sound_on_full_disk(place, told)
    make_room()
    ledger.append_once(told.asked)
    told.leaves += told.asked
    told.asked = []
    append(ledger, told, batch(random))
    assert_log_sound(Ledger(place, [SIGNER], disk), told)
    return words


def assert_log_sound_on_full_disk(place: Path, told: Told) -> None:
    """A reader needs no room: all that was acknowledged can be read and proved."""
    from headframe.stores.ledger_files import LedgerReader

    reader = LedgerReader(place, [SIGNER.verifier])
    there = list(reader.entries())
    assert there[: len(told.leaves)] == told.leaves
    assert there[len(told.leaves) :] in ([], told.asked)
    reader.check_all()
