"""How many hashes a share stands for, from the difficulty or the target that the pool set.

Every protocol says it in its own unit. Here it becomes the expected number of hashes per share; ``None`` where the
unit is not known, because a wrong hash rate is worse than none.
"""

from typing import Any

_TWO_256 = 2.0**256

V1_HASHES_PER_DIFFICULTY: dict[str, float] = {
    "sha256d": 2.0**32,
    "x11": 2.0**32,
    "ethash": 2.0**32,
    "kawpow": 2.0**32,
    "kheavyhash": 2.0**32,
    "scrypt": 2.0**16,
    "neoscrypt": 2.0**16,
    "lyra2rev2": 2.0**24,
    "groestl": 2.0**24,
    "keccak": 2.0**24,
    "blake": 2.0**24,
}
"""Expected hashes of a share of difficulty 1 in ``mining.set_difficulty``, by algorithm. [hashes]

Difficulty 1 is the target 0x00000000ffff0000..., so 2**32 hashes (the truncation is 15 ppm). Scrypt pools count in
0x0000ffff..., 2**16; the 2**24 family in 0x000000ffff.... Sources: Bitcoin wiki, "Difficulty" (bdiff, pdiff);
the per-algorithm multipliers of the NOMP stratum server and the target scaling of cgminer and ccminer, which agree.
"""


def from_compact_target(target: Any) -> float | None:
    """Expected hashes per share of a CryptoNote target. [hashes]

    Parameters
    ----------
    target : str
        Little-endian hexadecimal of 4, 8 or 32 bytes; shorter ones are padded as miners do.

    Examples
    --------
    >>> from_compact_target("ffff0300")
    16384.0
    >>> from_compact_target("") is None
    True
    """
    if not isinstance(target, str) or not 2 <= len(target) <= 64:
        return None
    try:
        raw = bytes.fromhex(target)
    except ValueError:
        return None
    bits = 32 if len(raw) <= 4 else 64 if len(raw) <= 8 else 256
    value = int.from_bytes(raw, "little")
    # Pools send floor((2**bits - 1) / difficulty), so the quotient the other way round is the difficulty again.
    return float((1 << bits) // value if bits < 256 else 2**256 / value) if value else None


def from_target_256(target: Any, byteorder: str = "big") -> float | None:
    """Expected hashes per share of a 256-bit target in hexadecimal, or as a number. [hashes]

    Examples
    --------
    >>> from_target_256("0x00000000" + "f" * 56) == 2.0**32
    True
    """
    value: int
    if isinstance(target, bool):
        return None
    if isinstance(target, int):
        value = target
    elif isinstance(target, str) and 8 <= len(target) <= 66:
        text = target[2:] if target.startswith("0x") else target
        try:
            raw = bytes.fromhex(text.rjust(64, "0"))
        except ValueError:
            return None
        value = int.from_bytes(raw, "little" if byteorder == "little" else "big")
    else:
        return None
    return _TWO_256 / value if 0 < value < 2**256 else None


def bits_difficulty(nbits: Any) -> float | None:
    """Network difficulty that a compact ``nBits`` in hexadecimal stands for, in units of 2**32 hashes.

    Examples
    --------
    >>> bits_difficulty("1d00ffff")
    1.0
    """
    if not isinstance(nbits, str) or len(nbits) != 8:
        return None
    try:
        value = int(nbits, 16)
    except ValueError:
        return None
    exponent, mantissa = value >> 24, value & 0x7FFFFF
    if not mantissa or not 3 <= exponent <= 32:
        return None
    return float(0xFFFF * 256.0 ** (0x1D - 3) / (mantissa * 256.0 ** (exponent - 3)))
