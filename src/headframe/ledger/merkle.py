"""Merkle tree of RFC 6962: hashes, proofs, and the checks of proofs.

Leaf `d` hashes to SHA-256(0x00 || d), an inner node to SHA-256(0x01 || left || right), the empty tree to SHA-256 of
nothing [1]_. A tree of n leaves splits at the largest power of two below n. The prefixes keep anyone from passing an
inner node off as a leaf.

Proofs are made from *complete* nodes only: node ``(level, number)`` covers the ``2**level`` leaves from
``number * 2**level`` on, and never changes once the log has that many leaves. Whoever can give complete nodes
(`NodeReader`) can make proofs: the tiles of a log do.

References
----------
.. [1] RFC 6962, section 2.1; RFC 9162, section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from headframe.errors import HeadframeError

HASH_SIZE = 32
"""SHA-256. [bytes]"""

EMPTY_ROOT = sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the complete node ``(level, number)``."""

_sha256 = sha256


class BadProof(HeadframeError):
    """A proof does not show what it should; the message says in which way."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf's bytes."""
    return _sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


def largest_power_below(count: int) -> int:
    """The largest power of two smaller than `count`; where a tree of `count` leaves splits.

    Raises
    ------
    ValueError
        If `count` is below 2: such a tree does not split.
    """
    if count < 2:
        raise ValueError(f"a tree of {count} leaves does not split; give at least 2")
    return 1 << ((count - 1).bit_length() - 1)


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Root over a power of two of neighbouring hashes.

    Raises
    ------
    ValueError
        If their number is not a power of two.
    """
    count = len(hashes)
    if count == 0 or count & (count - 1):
        raise ValueError(f"{count} hashes do not make a complete tree; a power of two does")
    row = list(hashes)
    while len(row) > 1:
        row = [_sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    return row[0]


def fold(peaks: Iterable[bytes]) -> bytes:
    """Root of a tree from the roots of its complete parts, the largest (leftmost) first."""
    root: bytes | None = None
    for peak in reversed(list(peaks)):
        root = peak if root is None else node_hash(peak, root)
    return EMPTY_ROOT if root is None else root


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root over leaf hashes, any number of them."""
    peaks = []
    start = 0
    for bit in range(len(hashes).bit_length() - 1, -1, -1):
        if len(hashes) >> bit & 1:
            peaks.append(complete_root(hashes[start : start + (1 << bit)]))
            start += 1 << bit
    return fold(peaks)


def range_root(start: int, end: int, node: NodeReader) -> bytes:
    """Root over the leaves ``start <= i < end`` of a log, where `start` is a place at which such a part may begin.

    Parameters
    ----------
    start, end : int
        ``start`` is a multiple of the smallest power of two that is at least ``end - start``, as RFC 6962's splits
        make it.
    node : NodeReader

    Returns
    -------
    bytes
    """
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(node(level, start >> level))
        start += 1 << level
    return fold(peaks)


def inclusion_proof(index: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """The path from a leaf to the root of a tree, the lowest neighbour first.

    Parameters
    ----------
    index : int
        Of the leaf, from 0.
    size : int
        Leaves of the tree.
    node : NodeReader

    Returns
    -------
    tuple of bytes

    Raises
    ------
    ValueError
        If the tree has no such leaf.

    References
    ----------
    .. [1] RFC 9162, section 2.1.3.1.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves; leaves are numbered 0 to size - 1")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + largest_power_below(end - start)
        if index < middle:
            path.append(range_root(middle, end, node))
            end = middle
        else:
            path.append(range_root(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, node: NodeReader) -> tuple[bytes, ...]:
    """What shows that the tree of `old` leaves is the beginning of that of `new` leaves.

    Parameters
    ----------
    old, new : int
        ``0 <= old <= new``.
    node : NodeReader

    Returns
    -------
    tuple of bytes
        Empty if `old` is 0 or `new`: then there is nothing to show.

    Raises
    ------
    ValueError
        If `old` is larger than `new`.

    References
    ----------
    .. [1] RFC 9162, section 2.1.4.1.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves cannot be the beginning of one of {new}; give 0 <= old <= new")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, end = 0, new
    # `old` is somewhere in (start, end]; when it is the end, that part is complete and common to both trees.
    while old != end:
        middle = start + largest_power_below(end - start)
        if old <= middle:
            path.append(range_root(middle, end, node))
            end = middle
        else:
            path.append(range_root(start, middle, node))
            start = middle
    if start > 0:
        # Else the common part is the whole old tree, and who checks the proof knows its root already.
        path.append(range_root(start, end, node))
    return tuple(reversed(path))


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a tree must have if the leaf is in it as the proof says.

    Parameters
    ----------
    index, size : int
    leaf : bytes
        The leaf's hash.
    proof : sequence of bytes

    Returns
    -------
    bytes

    Raises
    ------
    BadProof
        If the proof has not the length that place and size ask for.

    References
    ----------
    .. [1] RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} cannot be in a tree of {size} leaves; leaves are numbered 0 to size - 1")
    _check_hashes(proof)
    number, last, root = index, size - 1, leaf
    for neighbour in proof:
        if last == 0:
            raise BadProof(f"the inclusion proof of leaf {index} in {size} is too long: {len(proof)} hashes")
        if number & 1 or number == last:
            root = node_hash(neighbour, root)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            root = node_hash(root, neighbour)
        number >>= 1
        last >>= 1
    if last:
        raise BadProof(f"the inclusion proof of leaf {index} in {size} is too short: {len(proof)} hashes")
    return root


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is in a tree.

    Parameters
    ----------
    index, size : int
    leaf : bytes
        The leaf's hash.
    proof : sequence of bytes
    root : bytes
        Of the tree.

    Raises
    ------
    BadProof
        If the proof does not show it.
    """
    found = root_from_inclusion(index, size, leaf, proof)
    if found != root:
        raise BadProof(
            f"leaf {index} is not in the tree of {size} leaves: its proof leads to the root {found.hex()}, "
            f"and the tree's root is {root.hex()}"
        )


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that one tree is the beginning of another.

    Parameters
    ----------
    old, new : int
        Their sizes.
    old_root, new_root : bytes
    proof : sequence of bytes

    Raises
    ------
    BadProof
        If the proof does not show it.

    References
    ----------
    .. [1] RFC 9162, section 2.1.4.2.
    """
    _check_hashes(proof)
    if not 0 <= old <= new:
        raise BadProof(f"a log cannot shrink: {old} leaves before, {new} now")
    if old == new:
        if proof:
            raise BadProof(f"two trees of {old} leaves need no proof; {len(proof)} hashes came")
        if old_root != new_root:
            raise BadProof(f"two logs of {old} leaves have different roots: {old_root.hex()} and {new_root.hex()}")
        return
    if old == 0:
        if proof:
            raise BadProof(f"every tree begins with the empty one; {len(proof)} hashes came as its proof")
        if old_root != EMPTY_ROOT:
            raise BadProof(f"a log without leaves has the root {EMPTY_ROOT.hex()}, not {old_root.hex()}")
        return
    hashes = list(proof)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise BadProof(f"a proof that {old} leaves are the beginning of {new} cannot be empty")
    number, last = old - 1, new - 1
    while number & 1:
        number >>= 1
        last >>= 1
    before = after = hashes[0]
    for neighbour in hashes[1:]:
        if last == 0:
            raise BadProof(f"the consistency proof from {old} to {new} leaves is too long: {len(proof)} hashes")
        if number & 1 or number == last:
            before = node_hash(neighbour, before)
            after = node_hash(neighbour, after)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            after = node_hash(after, neighbour)
        number >>= 1
        last >>= 1
    if last:
        raise BadProof(f"the consistency proof from {old} to {new} leaves is too short: {len(proof)} hashes")
    if before != old_root:
        raise BadProof(f"the log of {new} leaves does not begin with the {old} leaves that were there before")
    if after != new_root:
        raise BadProof(f"the consistency proof from {old} leaves does not lead to the root of {new} leaves")


def _check_hashes(proof: Sequence[bytes]) -> None:
    for place, value in enumerate(proof):
        if len(value) != HASH_SIZE:
            raise BadProof(f"hash {place} of the proof has {len(value)} bytes; SHA-256 has {HASH_SIZE}")
