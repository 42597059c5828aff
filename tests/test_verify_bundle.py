"""The verifier in examples/ does what docs/ledger-format.md says, and agrees with `headframe bundle verify`.

Bundles are built here from the page too, by plain recursions that share nothing with either verifier.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.util
import io
import json
import os
import random
import re
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from headframe.cli import main as headframe
from headframe.ledger.leaf import BadLeaf, read_json
from headframe.ledger.note import BadNote
from headframe.stores.bundles import verify_bundle
from headframe.stores.ledger_keys import read_verifiers
from tests.ledger.format_example import make_example

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "examples" / "verify_bundle.py"
PAGE = (ROOT / "docs" / "ledger-format.md").read_text(encoding="utf-8")

Files = dict[str, bytes]
Line = dict[str, Any]


def load_program() -> ModuleType:
    """Import the example, which lies in no package."""
    spec = importlib.util.spec_from_file_location("verify_bundle", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_bundle"] = module
    spec.loader.exec_module(module)
    return module


VERIFIER = load_program()


def example(name: str) -> str:
    """One of the blocks of the page, as it stands there."""
    found = re.search(rf"<!-- example: {re.escape(name)} -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


# A log and its bundles, from the page.

ORIGIN, WITNESS, OTHER = "headframe.example/district", "witness.example/w1", "other.example/log"
SECOND = "witness.example/w2"
SEEDS = {
    ORIGIN: bytes(range(32)), WITNESS: bytes(range(32, 64)), OTHER: bytes(range(64, 96)), SECOND: bytes(range(96, 128)),
}  # fmt: skip


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key_line(name: str, key_type: int = 1, seed: bytes | None = None) -> str:
    """Section 3: a public key on one line."""
    private = Ed25519PrivateKey.from_private_bytes(seed or SEEDS[name])
    data = bytes([key_type]) + private.public_key().public_bytes_raw()
    key_id = sha256(name.encode() + b"\n" + data)[:8]
    return f"{name}+{key_id}+{base64.b64encode(data).decode()}"


LOG_KEY, WITNESS_KEY, OTHER_KEY = key_line(ORIGIN), key_line(WITNESS, 4), key_line(OTHER)
SECOND_KEY = key_line(SECOND, 4)


def signature_line(text: str, name: str = ORIGIN) -> str:
    """Section 3: the line of a key that signs notes."""
    signature = Ed25519PrivateKey.from_private_bytes(SEEDS[name]).sign(text.encode())
    key_id = bytes.fromhex(key_line(name).split("+")[1])
    return f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n"


def cosignature_line(text: str, seconds: int = 1772000060, witness: str = WITNESS, seed: bytes | None = None) -> str:
    """Section 4: the line of a witness."""
    seed = seed or SEEDS[witness]
    message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(message)
    key_id = bytes.fromhex(key_line(witness, 4, seed).split("+")[1])
    return f"\u2014 {witness} {base64.b64encode(key_id + seconds.to_bytes(8, 'big') + signature).decode()}\n"


def split_at(count: int) -> int:
    """Section 2: the largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def tree_root(leaves: list[bytes]) -> bytes:
    """Section 2, as a recursion."""
    if len(leaves) < 2:
        return hashlib.sha256(b"".join(b"\x00" + leaf for leaf in leaves)).digest()
    k = split_at(len(leaves))
    return hashlib.sha256(b"\x01" + tree_root(leaves[:k]) + tree_root(leaves[k:])).digest()


def tree_proof(index: int, leaves: list[bytes]) -> list[bytes]:
    """Section 2: the neighbours on the way to the root, the lowest first (RFC 6962, section 2.1.1)."""
    if len(leaves) < 2:
        return []
    k = split_at(len(leaves))
    if index < k:
        return [*tree_proof(index, leaves[:k]), tree_root(leaves[k:])]
    return [*tree_proof(index - k, leaves[k:]), tree_root(leaves[:k])]


def json_lines(lines: Iterable[Line]) -> bytes:
    return b"".join(rfc8785.dumps(line) + b"\n" for line in lines)


NOTICE, LETTER, READINGS = b"You may be heard.\n", b"%PDF-1.7 a letter", b"at,power_w\n1,2\n"


@dataclass
class Log:
    """Leaves, and what their fields said."""

    leaves: list[bytes] = field(default_factory=list)
    disclosures: list[Line] = field(default_factory=list)
    checkpoint_tail: str = ""

    def add(self, kind: str, subject: str, /, **fields: Any) -> None:
        """Append a leaf in its right form, every field disclosed."""
        digests = {}
        for name, value in fields.items():
            salt = f"{len(self.disclosures) + 1:02x}" * 16
            digests[name] = sha256(rfc8785.dumps([salt, name, value]))
            self.disclosures.append({"index": len(self.leaves), "name": name, "salt": salt, "value": value})
        leaf = {"at_ns": f"{1772000000 + len(self.leaves)}000000000", "fields": digests, "format": "headframe-leaf/1"}
        self.leaves.append(rfc8785.dumps({**leaf, "kind": kind, "subject": subject}))

    def bundle(self, **more: bytes) -> Files:
        """Everything but the manifest and its note."""
        text = f"{ORIGIN}\n{len(self.leaves)}\n{base64.b64encode(tree_root(self.leaves)).decode()}\n"
        text += self.checkpoint_tail
        proofs = [[item.hex() for item in tree_proof(index, self.leaves)] for index in range(len(self.leaves))]
        lines = [{"index": i, "leaf": leaf.decode(), "proof": proofs[i]} for i, leaf in enumerate(self.leaves)]
        return {
            "README.txt": b"For people.\n",
            "checkpoint": f"{text}\n{signature_line(text)}{cosignature_line(text)}".encode(),
            "disclosures.jsonl": json_lines(sorted(self.disclosures, key=lambda d: (d["index"], d["name"]))),
            "keys": f"{LOG_KEY}\n".encode(),
            "leaves.jsonl": json_lines(lines),
            "documents/notice.txt": NOTICE,
            "documents/letter \u00e9.pdf": LETTER,
            "data/readings.csv": READINGS,
            "data/extract.csv": b"x\n",
        }


def a_log() -> Log:
    """Five leaves; one document is a subject, one stands deep in a value, an extract too; one extract is not named."""
    log = Log()
    log.add("case", "HF-2026-000001/1", act="open", power_w=12500.5, x={"b": [1, None, True, 1e-7], "\u00e4": "\u2028"})
    log.add("document", sha256(NOTICE), document={"name": "notice.txt", "size": len(NOTICE)})
    log.add("case", "HF-2026-000001/2", act="letter", papers=[{"all": [sha256(LETTER)]}], reason="withheld")
    log.add("register", "readings", extract=sha256(READINGS))
    log.add("case", "HF-2026-000001/3")
    log.disclosures = [line for line in log.disclosures if line["value"] != "withheld"]
    return log


def manifest(files: Files) -> dict[str, Any]:
    """Section 6, "manifest.json", for these files."""
    origin, size, root = files["checkpoint"].decode().split("\n")[:3]
    return {
        "format": "headframe-bundle/1",
        "subject": "HF-2026-000001",
        "made_ns": "1772000120000000000",
        "origin": origin,
        "tree_size": int(size),
        "root": base64.b64decode(root).hex(),
        "files": [{"path": p, "sha256": sha256(files[p]), "size": len(files[p])} for p in sorted(files)],
    }


def seal(files: Files, raw: bytes | None = None) -> Files:
    """Add a manifest and sign it, as only who has the log's key can."""
    raw = rfc8785.dumps(manifest(files)) if raw is None else raw
    text = f"headframe-bundle/1\nsha256 {sha256(raw)}\n"
    return {**files, "manifest.json": raw, "manifest.note": f"{text}\n{signature_line(text)}".encode()}


def write_zip(files: Files, path: Path, **attributes: Any) -> Path:
    """Write a zip as section 6 wants it, unless README.txt is to have other attributes there."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            for attribute, value in attributes.items() if name == "README.txt" else ():
                setattr(info, attribute, value)
            archive.writestr(info, data)
    return path


def write_folder(files: Files, root: Path) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


# Calling both verifiers.

TRUSTED = ("--key", LOG_KEY, "--key", WITNESS_KEY, "--key", OTHER_KEY)
LAST_STEP = 10


def run(path: Path, *arguments: str) -> tuple[int, str]:
    """The example, called as a program calls it."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(output):
        code = VERIFIER.main([str(path), *(arguments or TRUSTED)])
    output.seek(0)
    return code, output.read()


def failing_step(path: Path, *arguments: str) -> int | None:
    """The number of the step that failed, None if all held; and the exit code says the same."""
    code, output = run(path, *arguments)
    lines = output.splitlines()
    assert len(lines) == LAST_STEP + 1, output
    failed = [int(line[:2]) for line in lines[:-1] if line[16:].startswith("FAILED: ")]
    assert code == len(failed) <= 1
    for line in lines[:-1]:
        if failed:
            assert line[16:].startswith("ok: ") == (int(line[:2]) < failed[0])
    return failed[0] if failed else None


def headframe_verifies(path: Path, *arguments: str) -> bool:
    """What `headframe bundle verify` says: 0 if every check holds, 3 if one does not."""
    command = ["headframe", "bundle", "verify", str(path), *(arguments or TRUSTED)]
    output = io.StringIO()
    with (
        mock.patch.object(sys, "argv", command),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        pytest.raises(SystemExit) as ended,
    ):
        raise SystemExit(headframe())
    assert ended.value.code in (0, None, 3), output.getvalue()
    return ended.value.code != 3


# The page's own bytes.


def test_the_pages_tree_is_what_the_program_computes() -> None:
    """Section 2: leaf hashes, root and proof."""
    leaves = [json.loads(line)["leaf"].encode() for line in example("bundle leaves.jsonl").splitlines()]
    assert leaves[0].decode() == example("leaf").rstrip("\n")
    hashes = [VERIFIER.leaf_hash(leaf) for leaf in leaves]
    assert [item.hex() for item in hashes] == example("leaf hashes").split()
    root, proof = bytes.fromhex(example("root")), [bytes.fromhex(example("proof"))]
    assert VERIFIER.is_included(hashes[2], 2, 3, proof, root)
    assert not VERIFIER.is_included(hashes[2], 1, 3, proof, root)
    assert not VERIFIER.is_included(hashes[2], 2, 4, proof, root)
    assert not VERIFIER.is_included(hashes[1], 2, 3, proof, root)


def test_the_pages_notes_verify() -> None:
    """Sections 3, 4 and 6: checkpoint, co-signature and manifest.note, with the keys of the page."""
    keys = VERIFIER.trusted_keys([example("log key").strip(), example("witness key").strip()])
    for name in ("checkpoint", "bundle checkpoint", "bundle manifest.note"):
        note = VERIFIER.parse_note(example(name).encode(), name)
        assert {key.name for key in VERIFIER.signers(note, keys, 1, name)} == {ORIGIN}
        witnesses = {key.name for key in VERIFIER.signers(note, keys, 4, name)}
        assert witnesses == ({WITNESS} if name == "bundle checkpoint" else set())
    assert note.text == f"headframe-bundle/1\nsha256 {sha256(example('bundle manifest.json').rstrip().encode())}\n"


def pages_files() -> Files:
    """The page's bundle; only the manifest has no newline at its end."""
    names = ("README.txt", "checkpoint", "documents/notice.txt", "leaves.jsonl", "disclosures.jsonl", "manifest.note")
    files = {name: example(f"bundle {name}").encode() for name in names}
    return {
        **files,
        "keys": example("log key").encode(),
        "manifest.json": example("bundle manifest.json")[:-1].encode(),
    }


def test_the_pages_files_are_those_of_its_manifest() -> None:
    files = pages_files()
    parsed = VERIFIER.parse_manifest(files["manifest.json"])
    assert parsed.files == {
        path: (len(data), sha256(data)) for path, data in files.items() if not path.startswith("manifest.")
    }


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_the_pages_bundle_holds(write: Callable[[Files, Path], Path], tmp_path: Path) -> None:
    """Every byte of it stands on the page."""
    path = write(pages_files(), tmp_path / "bundle")
    keys = ("--key", example("log key").strip(), "--key", example("witness key").strip(), "--witnesses", "1")
    code, output = run(path, *keys)
    assert code == 0, output
    assert "5 of 6 fields are open; withheld or erased: 1" in output
    assert headframe_verifies(path, *keys)


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_what_headframe_makes_holds(name: str, tmp_path: Path) -> None:
    """The other way round: not only what the page's reader writes, but what `headframe bundle make` does."""
    ledger, made = make_example(tmp_path, name)
    signer, watcher = ledger.keys[0].text(), example("witness key").strip()
    assert failing_step(made, "--key", signer, "--key", watcher, "--witnesses", "1") is None
    assert headframe_verifies(made, "--key", signer, "--key", watcher, "--witnesses", "1")


# What it is made of: Ed25519 and canonical JSON.

RFC_8032 = [  # section 7.1: public key, message, signature
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
        "55141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
        "00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
        "027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad"
        "9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_ed25519_on_the_vectors_of_rfc_8032(public: str, message: str, signature: str) -> None:
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert VERIFIER.ed25519_holds(key, text, signed)
    assert not VERIFIER.ed25519_holds(key, text + b"\0", signed)
    assert not VERIFIER.ed25519_holds(key, text, signed[:-1])
    # S + L would satisfy the same equation; RFC 8032, section 5.1.7, wants S below L.
    larger = int.from_bytes(signed[32:], "little") + VERIFIER.ORDER
    assert not VERIFIER.ed25519_holds(key, text, signed[:32] + larger.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_ed25519_agrees_with_another_library(seed: bytes, message: bytes, bit: int) -> None:
    """Both accept what was signed, and both refuse it with one bit changed."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), bytearray(private.sign(message))
    assert VERIFIER.ed25519_holds(public, message, bytes(signature))
    signature[bit // 8] ^= 1 << bit % 8
    assert not VERIFIER.ed25519_holds(public, message, bytes(signature))
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(signature), message)


RFC_8785 = {  # appendix B: the bits of a double, and how it is written
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), RFC_8785.items())
def test_numbers_are_written_as_rfc_8785_shows(bits: str, text: str) -> None:
    assert VERIFIER.ecmascript_number(struct.unpack(">d", bytes.fromhex(bits))[0]) == text


WHOLE = st.integers(-(2**53 - 1), 2**53 - 1)
REAL = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | REAL | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)


@given(JSON)
def test_canonical_json_agrees_with_another_library(value: Any) -> None:
    assert VERIFIER.canonical(value, "value") == rfc8785.dumps(value)


NO_STRICT_JSON = ['{"a":1,"a":2}', "9007199254740992", "-9007199254740992", "1e300", "1e400", "NaN", "-Infinity", ""]
NO_STRICT_JSON += ["1 2", "[1,]", "01", '"\n"', "\ufeff1", "\xff", "9" * 5000, "[" * 100_000]
NO_STRICT_JSON += ["1e+21", "-1e16", "9007199254740993.0", "[" * 101 + "]" * 101, '"\\ud800"', '{"\\udc00":1}']


@pytest.mark.parametrize("text", NO_STRICT_JSON, ids=lambda text: ascii(text[:20]))
def test_what_strict_json_refuses(text: str) -> None:
    """Section 1: what a reader refuses on top of RFC 8785, and what is no JSON."""
    with pytest.raises(VERIFIER.Refused):
        VERIFIER.strict_json(text.encode("latin-1" if text == "\xff" else "utf-8"), "it")


@given(st.lists(st.sampled_from([*'[]{}:,"-.eE+019 \t\n', "null", '"a"', "\\ud800", "\\u0041", "9007199254740992"])))
def test_both_take_the_same_for_strict_json(parts: list[str]) -> None:
    """Any text: both refuse it, or both read the same value from it."""
    text = "".join(parts).encode()
    try:
        expected = VERIFIER.strict_json(text, "it")
    except VERIFIER.Refused:
        with pytest.raises(BadLeaf):
            read_json(text, "it")
    else:
        assert repr(read_json(text, "it")) == repr(expected)


def test_json_is_at_most_100_deep() -> None:
    """The limit itself is allowed, in lists and in objects."""
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        text = f"{opening * 100}1{closing * 100}"
        assert VERIFIER.canonical(VERIFIER.strict_json(text.encode(), "it"), "it") == text.encode()


def test_half_a_surrogate_pair_has_no_canonical_form() -> None:
    with pytest.raises(VERIFIER.Refused, match="surrogate"):
        VERIFIER.canonical("\ud800", "it")


# Bundles that are not as they should be. Each is changed before its manifest is signed, as only the owner of the key
# could do it, and the number is the step of the page that must then fail: None if the page has nothing against it.

Change = Callable[[Files], Any]  # changes the files, or gives others
Case = tuple[str, Change, int | None]


def put(path: str, data: bytes = b"q") -> Change:
    return lambda files: files.__setitem__(path, data)


def put_all(*paths: str) -> Change:
    return lambda files: files.update(dict.fromkeys(paths, b"q"))


def drop(*prefixes: str) -> Change:
    """Leave files out."""
    return lambda files: [files.pop(path) for path in list(files) if path.startswith(prefixes)]


def rewritten(path: str, rewrite: Callable[[bytes], bytes]) -> Change:
    return lambda files: files.__setitem__(path, rewrite(files[path]))


def edit(path: str, old: str, new: str, count: int = 1) -> Change:
    """Replace bytes that must be there."""

    def change(files: Files) -> None:
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode(), count)

    return change


def all_of(*changes: Change) -> Change:
    return lambda files: [change(files) for change in changes]


def leaves(rewrite: Callable[[list[Line]], list[Line]]) -> Change:
    """Rewrite the lines of leaves.jsonl, still canonical."""
    return rewritten("leaves.jsonl", lambda data: json_lines(rewrite([json.loads(line) for line in data.splitlines()])))


def disclosures(rewrite: Callable[[list[Line]], list[Line]]) -> Change:
    """Rewrite the lines of disclosures.jsonl, still canonical."""
    path = "disclosures.jsonl"
    return rewritten(
        path, lambda data: json_lines(rewrite([json.loads(line) for line in data.decode().split("\n")[:-1]]))
    )


def signed_too(line: Callable[[str], str]) -> Change:
    """Add a line to the signatures of the checkpoint."""
    return rewritten("checkpoint", lambda note: note + line(note.decode().split("\n\n")[0] + "\n").encode())


def disclosed(value: str, salt: str = "ab" * 16) -> Change:
    """A log with a field whose digest is over this JSON, letter by letter."""

    def change(_: Files) -> Files:
        digest = sha256(f'["{salt}","v",{value}]'.encode())
        files: Files = with_leaf(fields={"v": digest})({})
        files["disclosures.jsonl"] += f'{{"index":5,"name":"v","salt":"{salt}","value":{value}}}\n'.encode()
        return files

    return change


def with_leaf(data: bytes | None = None, **keys: Any) -> Change:
    """A log with one more leaf: of these bytes, or with other keys than usual."""
    usual = {"at_ns": "1", "fields": {}, "format": "headframe-leaf/1", "kind": "case", "subject": "s"}

    def change(_: Files) -> Files:
        log = a_log()
        log.leaves.append(rfc8785.dumps({**usual, **keys}) if data is None else data)
        return log.bundle()

    return change


def with_tail(tail: str) -> Change:
    """A log whose checkpoint has further lines."""
    return lambda _: replace(a_log(), checkpoint_tail=tail).bundle()


def naming(value: Any, kind: str = "case") -> Change:
    """A log with one more disclosure, and one more document."""

    def change(_: Files) -> Files:
        log = a_log()
        log.add(kind, "HF-2026-000001/4", field=value)
        return {**log.bundle(), "documents/new": b"new"}

    return change


BAD_PATHS = [
    "data/ a",
    "data/a ",
    "data/a.",
    "data/..",
    "data/../x",
    "data/./x",
    "data//x",
    "/data/x",
    "../x",
    "data/...",
]
BAD_PATHS += ["data/a\\b", "data/a:b", "data/a\tb", "data/a\x85", "data/a\u200bb", "data/a\u2028b", "data/e\u0301"]
BAD_PATHS += ["data/\u202ea", "data/\ufeffa", "data/ x/y", "data/a./b", "data/" + "x" * 241, "data/" + "\u00e9" * 121]
BAD_PATHS += ["data/" + "/".join(["z" * 198] * 5) + "/z"]  # 1,001 bytes
GOOD_PATHS = ["data/a b", "data/.a", "data/a..b", "data/\u00e9", "data/*", "data/-", "data/" + "x" * 240]
GOOD_PATHS += ["data/" + "\u00e9" * 120, "data/" + "/".join(["z" * 198] * 5)]

PATHS: list[Case] = [
    *((f"bad path {path[:20]!a} {len(path)}", put(path), 1) for path in BAD_PATHS),
    *((f"good path {path[:20]!a} {len(path)}", put(path), None) for path in GOOD_PATHS),
    ("only the case differs", put_all("data/a", "data/A"), 1),
    ("only the case of an accented letter differs", put_all("data/\u00e9", "data/\u00c9"), 1),
    ("readme.txt", put("readme.txt"), 1),
    ("a file that is a folder too", put_all("data/a", "data/a/b"), 1),
    ("one folder in two cases", put_all("data/a/b", "data/A/c"), None),
    ("a file of no known name", put("extra.txt"), 2),
    ("Documents/", put("Documents/x"), 2),
    ("documents as a file", all_of(drop("documents/"), put("documents")), 2),
    *((f"no {path}", drop(path), 3) for path in ("README.txt", "disclosures.jsonl", "keys", "leaves.jsonl")),
    ("no documents and no data", drop("documents/", "data/"), None),
    ("a README that is no text", put("README.txt", b"\xff"), None),
    ("keys that are none", put("keys", b"\xff\0"), None),
    ("a time-stamp", put("timestamp.tsr", b"0\0"), None),
    ("keys of 1 MiB", put("keys", bytes(2**20)), None),
    *((f"{path} of 1 MiB and a byte", put(path, bytes(2**20 + 1)), 3) for path in ("keys", "timestamp.tsr")),
    ("names equal after full case folding", put_all("data/stra\u00dfe", "data/STRASSE"), 1),
]

CHECKPOINTS: list[Case] = [
    ("a further line", with_tail("more\n"), None),
    ("an empty line", with_tail("\nmore\n"), 5),
    ("an empty line at the end", with_tail("more\n\n"), 5),
    ("a tab", with_tail("mo\tre\n"), 5),
    ("a carriage return", with_tail("more\r\n"), 5),
    ("U+007F, which signed-note allows", with_tail("mo\x7fre\n"), None),
    ("no signatures", rewritten("checkpoint", lambda note: note.split(b"\n\n")[0] + b"\n"), 5),
    ("the witness only", rewritten("checkpoint", lambda note: re.sub(rb"\n\n.*\n", b"\n\n", note)), 5),
    ("no last newline", rewritten("checkpoint", lambda note: note[:-1]), 5),
    ("a stranger's line", signed_too(lambda _: "\u2014 who AAAAAAA=\n"), None),
    ("a stranger's line of three bytes", signed_too(lambda _: "\u2014 who AAAA\n"), 5),
    ("a stranger's base64 in another spelling", signed_too(lambda _: "\u2014 who AAAAAAB=\n"), 5),
    ("a stranger's name with a plus", signed_too(lambda _: "\u2014 w+o AAAAAAA=\n"), 5),
    ("a stranger's name with a space", signed_too(lambda _: "\u2014 w\u00a0o AAAAAAA=\n"), 5),
    ("a hyphen for the em dash", signed_too(lambda _: "- who AAAAAAA=\n"), 5),
    ("two spaces", signed_too(lambda _: "\u2014  who AAAAAAA=\n"), 5),
    ("text after the signatures", signed_too(lambda _: "hello\n"), 5),
    ("signed by another trusted key too", signed_too(lambda text: signature_line(text, OTHER)), None),
    ("another trusted key's line fails", signed_too(lambda _: signature_line("no\n", OTHER)), 5),
    ("co-signed again, later", signed_too(lambda text: cosignature_line(text, 1772000090)), None),
    ("a second line of a trusted key fails", signed_too(lambda _: signature_line("no\n")), 5),
    ("a second line of a witness fails", signed_too(lambda _: cosignature_line("no\n")), 6),
    ("signed twice by one key", signed_too(signature_line), None),
    ("100 signatures", signed_too(lambda _: "\u2014 who AAAAAAA=\n" * 98), None),
    ("101 signatures", signed_too(lambda _: "\u2014 who AAAAAAA=\n" * 99), 5),
    ("a control character in a name", signed_too(lambda _: "\u2014 w\x01o AAAAAAA=\n"), 5),
    ("a line of 1 MiB", with_tail("m" * 2**20 + "\n"), 3),
    ("co-signed at another time than it says", edit("checkpoint", "IDJKvgAAAABpnp", "IDJKvgAAAABpnq"), 6),
]

LEAF = b'{"at_ns":"1","fields":{},"format":"headframe-leaf/1","kind":"case","subject":"%s"}'
TWO_FIELDS = '{"at_ns":"1","fields":{%s,%s},"format":"headframe-leaf/1","kind":"case","subject":"s"}'
SMILE, HEBREW = f'"\U0001f600":"{"0" * 64}"', f'"\ufb33":"{"0" * 64}"'  # in order of UTF-16, not of code points

LEAVES: list[Case] = [
    ("none", all_of(drop("documents/"), put("leaves.jsonl", b""), put("disclosures.jsonl", b"")), None),
    ("white space in the lines", edit("leaves.jsonl", '"index":', ' "index" : ', -1), None),
    ("no last newline", rewritten("leaves.jsonl", lambda data: data[:-1]), 7),
    ("an empty line", rewritten("leaves.jsonl", lambda data: data + b"\n"), 7),
    ("out of order", leaves(lambda lines: lines[::-1]), 7),
    ("one twice", leaves(lambda lines: [lines[0], *lines]), 7),
    ("one key more", leaves(lambda lines: [{**line, "more": 1} for line in lines]), 7),
    ("one key less", leaves(lambda lines: [{"index": line["index"], "leaf": line["leaf"]} for line in lines]), 7),
    ("a key twice", edit("leaves.jsonl", '{"index":0,', '{"index":0,"index":0,'), 7),
    ("index as a text", edit("leaves.jsonl", '"index":0', '"index":"0"'), 7),
    ("index true", edit("leaves.jsonl", '"index":1', '"index":true'), 7),
    ("index with a point", edit("leaves.jsonl", '"index":1', '"index":1.0'), 7),
    ("index with an exponent", edit("leaves.jsonl", '"index":1', '"index":1e0'), 7),
    ("index -0", edit("leaves.jsonl", '"index":0', '"index":-0'), 7),
    ("a carriage return", edit("leaves.jsonl", "\n", "\r\n", -1), None),
    ("index below 0", edit("leaves.jsonl", '"index":0', '"index":-1'), 7),
    ("index beyond the log", edit("leaves.jsonl", '"index":4', '"index":5'), 7),
    ("index of another leaf", leaves(lambda lines: [{**lines[1], "index": 0}]), 7),
    (
        "proof with a hash more",
        leaves(lambda lines: [{**line, "proof": [*line["proof"], "0" * 64]} for line in lines]),
        7,
    ),
    ("proof with a hash less", leaves(lambda lines: [{**line, "proof": line["proof"][:-1]} for line in lines]), 7),
    ("proof of 65 hashes", leaves(lambda lines: [{**line, "proof": ["0" * 64] * 65} for line in lines]), 7),
    ("proof backwards", leaves(lambda lines: [{**line, "proof": line["proof"][::-1]} for line in lines]), 7),
    ("proof in capitals", leaves(lambda lines: [{**lines[0], "proof": [h.upper() for h in lines[0]["proof"]]}]), 7),
    ("proof of another leaf", leaves(lambda lines: [{**lines[0], "proof": lines[1]["proof"]}]), 7),
    ("a kind to come", with_leaf(kind="weather"), None),
    ("a kind of 64 letters", with_leaf(kind="a" * 64), None),
    ("a kind of 65 letters", with_leaf(kind="a" * 65), 7),
    ("a kind in capitals", with_leaf(kind="Case"), 7),
    ("a kind and a newline", with_leaf(kind="case\n"), 7),
    ("an empty subject", with_leaf(subject=""), 7),
    ("a key more in the leaf", with_leaf(more=1), 7),
    ("another format", with_leaf(format="headframe-leaf/2"), 7),
    ("time as a number", with_leaf(at_ns=1), 7),
    ("time with a zero in front", with_leaf(at_ns="01"), 7),
    ("a time before 1970", with_leaf(at_ns="-1"), 7),
    ("time 2^63 - 1", with_leaf(at_ns="9223372036854775807"), None),
    ("time 2^63", with_leaf(at_ns="9223372036854775808"), 7),
    ("a document whose subject is no digest", with_leaf(kind="document"), 7),
    ("time 0", with_leaf(at_ns="0"), None),
    ("a field without a name", with_leaf(fields={"": "0" * 64}), 7),
    ("a digest in capitals", with_leaf(fields={"a": "A" * 64}), 7),
    ("a digest of 63 digits", with_leaf(fields={"a": "0" * 63}), 7),
    ("65,535 bytes", with_leaf(LEAF % (b"x" * (65_535 - len(LEAF) + 2))), None),
    ("65,536 bytes", with_leaf(LEAF % (b"x" * (65_536 - len(LEAF) + 2))), 7),
    ("a leaf with a space", with_leaf(LEAF.replace(b",", b", ") % b"s"), 7),
    ("\\u001f", with_leaf(LEAF % b"\\u001f"), None),
    ("\\u001F", with_leaf(LEAF % b"\\u001F"), 7),
    ("\\u000a", with_leaf(LEAF % b"\\u000a"), 7),
    ("\\/", with_leaf(LEAF % b"\\/"), 7),
    ("half a surrogate pair", with_leaf(LEAF % b"\\ud800"), 7),
    ("a subject twice", with_leaf(LEAF % b's","subject":"s'), 7),
    ("fields in order of UTF-16", with_leaf((TWO_FIELDS % (SMILE, HEBREW)).encode()), None),
    ("fields in order of code points", with_leaf((TWO_FIELDS % (HEBREW, SMILE)).encode()), 7),
]

NEW = sha256(b"new")
GOOD_VALUES = ["0", "1e-7", "0.000001", "5e-324", "9007199254740991", '""', "null", "[]", "{}", '{"":[[]]}', '"\x7f"']
BAD_VALUES = [
    "-0",
    "1.0",
    "1e-6",
    "1E-7",
    "9007199254740992",
    "1e400",
    "NaN",
    '"\\u007f"',
    '{"a":1,"a":1}',
    '{"b":1,"a":2}',
]

LONGEST_TEXT = 16 * 2**20 - len('{"index":5,"name":"v","salt":"","value":""}') - 32  # what else is in such a line

DISCLOSURES: list[Case] = [
    ("fewer", disclosures(lambda lines: [line for line in lines if line["name"] != "power_w"]), None),
    ("white space in the lines", edit("disclosures.jsonl", '"index":', ' "index" : ', -1), None),
    ("a number in another spelling", edit("disclosures.jsonl", "12500.5", "1.25005E4"), None),
    ("another value", edit("disclosures.jsonl", "12500.5", "12500.6"), 8),
    ("another salt", edit("disclosures.jsonl", "01" * 16, "02" + "01" * 15), 8),
    ("another name", edit("disclosures.jsonl", '"act"', '"acs"'), 8),
    ("of another leaf", edit("disclosures.jsonl", '{"index":1', '{"index":2'), 8),
    ("out of order", disclosures(lambda lines: lines[::-1]), 8),
    ("names out of order", disclosures(lambda lines: [lines[1], lines[0], *lines[2:]]), 8),
    ("one twice", disclosures(lambda lines: [lines[0], *lines]), 8),
    ("one key more", disclosures(lambda lines: [{**line, "more": 1} for line in lines]), 8),
    ("no last newline", rewritten("disclosures.jsonl", lambda data: data[:-1]), 8),
    ("of a leaf that is not in the bundle", leaves(lambda lines: lines[:3] + lines[4:]), 8),
    ("of a field that is not in the leaf", disclosures(lambda lines: [*lines, {**lines[-1], "name": "z"}]), 8),
    ("of a leaf beyond the log", disclosures(lambda lines: [*lines, {**lines[-1], "index": 99}]), 8),
    *((f"good value {value!a}", disclosed(value), None) for value in GOOD_VALUES),
    *((f"bad value {value!a}", disclosed(value), 8) for value in BAD_VALUES),
    ("a whole number with an exponent", disclosed("1e+21"), 8),
    ("half a surrogate pair", disclosed('"\\ud800"'), 8),
    ("a value of 99 lists", disclosed("[" * 99 + "]" * 99), None),
    ("a value of 100 lists", disclosed("[" * 100 + "]" * 100), 8),
    ("a line of 16 MiB", disclosed('"' + "x" * LONGEST_TEXT + '"'), None),
    ("a line of 16 MiB and a byte", disclosed('"' + "x" * (LONGEST_TEXT + 1) + '"'), 8),
    ("salt of 17 bytes", disclosed("1", "ab" * 17), None),
    ("salt of 15 bytes", disclosed("1", "ab" * 15), 8),
    ("salt of 33 digits", disclosed("1", "ab" * 16 + "c"), 8),
    ("salt in capitals", disclosed("1", "AB" * 16), 8),
    ("a document that nobody names", put("documents/x"), 9),
    ("a document named in a list in a list", naming([[{"a": [NEW]}]]), None),
    ("a document named by a leaf about a hand-out", naming(NEW, "access"), 9),
    ("a document named in capitals", naming(NEW.upper()), 9),
    ("a document named as a key", naming({NEW: 1}), 9),
    ("a document named in a longer text", naming(f"sha256:{NEW}"), 9),
    ("a document whose name is withheld", disclosures(lambda lines: [d for d in lines if d["name"] != "papers"]), 9),
    (
        "a document whose leaf is not there",
        all_of(leaves(lambda lines: lines[2:]), drop("disclosures.jsonl"), put("disclosures.jsonl", b"")),
        9,
    ),
]

SEALED = {
    f"{group}: {name}": (change, step)
    for group, cases in {"path": PATHS, "checkpoint": CHECKPOINTS, "leaf": LEAVES, "disclosure": DISCLOSURES}.items()
    for name, change, step in cases
}


def seal_changed(change: Change) -> Files:
    """A bundle that was changed before it was signed."""
    files = a_log().bundle()
    made = change(files)
    return seal(made if isinstance(made, dict) else files)


@pytest.mark.parametrize("name", SEALED)
def test_what_the_owner_of_the_key_does_wrong_is_seen(name: str, tmp_path: Path) -> None:
    """The step that must fail by the page is the one that fails, and `headframe bundle verify` says so too."""
    change, step = SEALED[name]
    path = write_zip(seal_changed(change), tmp_path / "bundle.zip")
    assert failing_step(path) == step
    assert headframe_verifies(path) == (step is None)


def test_the_longest_line_is_16_mib() -> None:
    """The limit is without the newline (section 6, its last paragraph)."""
    files = seal_changed(SEALED["disclosure: a line of 16 MiB"][0])
    assert max(map(len, files["disclosures.jsonl"].split(b"\n"))) == 16 * 2**20


def about_first_file(said: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {**said, "files": [{**said["files"][0], **keys}, *said["files"][1:]]}


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], Any], int]] = {
    "one key more": (lambda said: {**said, "more": 1}, 2),
    "one key less": (lambda said: {key: said[key] for key in said if key != "subject"}, 2),
    "another format": (lambda said: {**said, "format": "headframe-bundle/2"}, 2),
    "a list": (lambda said: [], 2),
    "a key twice": (lambda said: rfc8785.dumps(said)[:-1] + b',"tree_size":5}', 2),
    "white space": (lambda said: rfc8785.dumps(said).replace(b",", b", ", 1), 2),
    "keys in another order": (lambda said: json.dumps(dict(reversed(said.items())), separators=(",", ":")).encode(), 2),
    "half a surrogate pair": (lambda said: rfc8785.dumps(said).replace(b'"HF-', b'"\\ud800-'), 2),
    "made_ns of 2^63": (lambda said: {**said, "made_ns": "9223372036854775808"}, 2),
    "made_ns with a zero in front": (lambda said: {**said, "made_ns": "01"}, 2),
    "tree_size with a point": (lambda said: rfc8785.dumps(said).replace(b'"tree_size":5', b'"tree_size":5.0'), 2),
    "a byte order mark": (lambda said: b"\xef\xbb\xbf" + rfc8785.dumps(said), 2),
    "tree_size as a text": (lambda said: {**said, "tree_size": "5"}, 2),
    "tree_size true": (lambda said: {**said, "tree_size": True}, 2),
    "root in capitals": (lambda said: {**said, "root": said["root"].upper()}, 2),
    "made_ns as a number": (lambda said: {**said, "made_ns": 1}, 2),
    "files backwards": (lambda said: {**said, "files": said["files"][::-1]}, 2),
    "a file twice": (lambda said: {**said, "files": [said["files"][0], *said["files"]]}, 2),
    "a word more about a file": (lambda said: about_first_file(said, mode=0o644), 2),
    "a file that is not there": (lambda said: about_first_file(said, path="LIESMICH.txt"), 2),
    "a file less": (lambda said: {**said, "files": said["files"][:-1]}, 3),
    "another length": (lambda said: about_first_file(said, size=said["files"][0]["size"] + 1), 3),
    "another SHA-256": (lambda said: about_first_file(said, sha256="0" * 64), 3),
    "another origin": (lambda said: {**said, "origin": "elsewhere.example/log"}, 4),
    "another trusted log": (lambda said: {**said, "origin": OTHER}, 4),
    "another tree_size": (lambda said: {**said, "tree_size": 6}, 5),
    "another root": (lambda said: {**said, "root": "0" * 64}, 5),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_what_the_manifest_says_wrongly_is_seen(name: str, tmp_path: Path) -> None:
    rewrite, step = MANIFESTS[name]
    files = a_log().bundle()
    said = rewrite(manifest(files))
    path = write_folder(seal(files, said if isinstance(said, bytes) else rfc8785.dumps(said)), tmp_path / "bundle")
    assert failing_step(path) == step
    assert not headframe_verifies(path)


# What anybody can do to a bundle on its way.

SOUND = seal(a_log().bundle())


def by_anybody() -> Iterator[tuple[str, Files]]:
    """Every file is missing, moved, swapped, cut, lengthened, emptied, and changed in some places."""
    chance = random.Random(20261120)
    names = sorted(SOUND)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        rest = {path: data for path, data in SOUND.items() if path != name}
        data = SOUND[name]
        yield f"{name} missing", rest
        yield f"{name} renamed", {**rest, f"{name}.bak": data}
        yield f"{name} in another folder", {**rest, f"data/{name}": data}
        yield f"{name} and {other} swapped", {**SOUND, name: SOUND[other], other: data}
        yield f"{name} cut", {**rest, name: data[:-1]}
        yield f"{name} longer", {**rest, name: data + b"\n"}
        yield f"{name} emptied", {**rest, name: b""}
        for place in (0, len(data) - 1, *(chance.randrange(len(data)) for _ in range(5))):
            flipped = bytes([data[place] ^ 1 << chance.randrange(8)])
            yield f"{name} changed at {place}", {**rest, name: data[:place] + flipped + data[place + 1 :]}
    for name in ("extra", "data/extra", "documents/extra", "timestamp.tsr", "manifest.jsonl", "data/a:b"):
        yield f"{name} added", {**SOUND, name: b"x"}


TAMPERED = list(by_anybody())


def test_there_is_much_to_compare() -> None:
    assert len(TAMPERED) + len(SEALED) + len(MANIFESTS) > 250


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_a_sound_bundle_holds(write: Callable[[Files, Path], Path], tmp_path: Path) -> None:
    """And the program tells what is withheld and what only the manifest vouches for."""
    path = write(SOUND, tmp_path / "bundle")
    code, output = run(path)
    assert code == 0
    assert "7 of 8 fields are open; withheld or erased: 1" in output
    assert "2 named by the log; vouched for by the manifest alone: 1 files in data/" in output
    assert output.endswith("10 time-stamp   none\nEvery check holds.\n")
    assert headframe_verifies(path)


def test_extracts_are_counted_by_file(tmp_path: Path) -> None:
    """Step 9 tells how many files only the manifest vouches for, also where two have the same bytes."""
    path = write_zip(seal_changed(put_all("data/one", "data/two")), tmp_path / "bundle.zip")
    assert "vouched for by the manifest alone: 3 files in data/" in run(path)[1]
    report = verify_bundle(path, read_verifiers([LOG_KEY]))
    assert (
        "2 documents, each named by a leaf; 3 extracts"
        in {check.name: check.text for check in report.checks}["documents"]
    )


NAMED, STRANGER = b'{"host":"192.0.2.9"}', b'{"host":"192.0.2.10"}'


@pytest.mark.parametrize(
    ("lines", "named", "total"),
    [
        (NAMED + b"\n" + STRANGER + b"\n", 1, 2),
        (NAMED + b"\n" + NAMED + b"\n", 2, 2),
        (b"\xff no JSON\n" + NAMED + b"\n", 1, 2),
        (NAMED + b"\r\n", 0, 1),
        (NAMED, None, None),
        (NAMED + b"\n" + STRANGER, None, None),
        (b"", None, None),
    ],
)
def test_lines_of_findings_are_looked_for_in_the_log(
    lines: bytes, named: int | None, total: int | None, tmp_path: Path
) -> None:
    """Step 9: each by the digest of its bytes; both verifiers count alike, and none of it is a failure."""
    log = a_log()
    log.add("case", "HF-2026-000001/4", content={"findings": [{"sha256": sha256(NAMED)}]})
    path = write_zip(seal({**log.bundle(), "data/findings.jsonl": lines}), tmp_path / "bundle.zip")
    code, output = run(path)
    report = verify_bundle(path, read_verifiers([LOG_KEY]))
    text = {check.name: check.text for check in report.checks}["documents"]
    assert code == 0
    assert report.sound
    if named is None:
        assert "data/findings.jsonl" not in output + text
    else:
        assert f"; lines in data/findings.jsonl that the log names: {named} of {total}\n" in output
        assert text.endswith(f"; of {total} lines in data/findings.jsonl, leaves name {named}")


@pytest.mark.parametrize("start", range(0, len(TAMPERED), 22))
def test_what_anybody_does_on_the_way_is_seen(start: int, tmp_path: Path) -> None:
    """Both verifiers refuse every one of these, as a zip and as a folder."""
    for number, (name, files) in enumerate(TAMPERED[start : start + 22]):
        write = write_folder if number % 2 else write_zip
        path = write(files, tmp_path / str(number))
        assert failing_step(path) is not None, name
        assert not headframe_verifies(path), name


def test_a_changed_byte_of_a_zip_changes_nothing_or_is_seen(tmp_path: Path) -> None:
    """A zip has bytes that mean nothing here, such as a date; but no change makes a file say something else."""
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    whole = path.read_bytes()
    chance = random.Random(20261121)
    directory = whole.index(b"PK\1\2")
    places = [*chance.sample(range(directory), 150), *chance.sample(range(directory, len(whole)), 250)]
    held = 0
    trusted = read_verifiers(TRUSTED[1::2])
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
        holds = failing_step(path) is None
        assert verify_bundle(path, trusted).sound == holds, place
        if holds:
            bundle = VERIFIER.open_zip(path)
            assert {name: bundle.read(name, 2**20) for name in bundle.sizes} == SOUND, place
            held += 1
    assert held < len(places) / 2


# Containers: section 6, step 1.

MODE = {"link": 0o120777, "device": 0o020666, "pipe": 0o010644, "folder": 0o040755}


@pytest.mark.parametrize("mode", MODE.values(), ids=MODE)
def test_a_zip_has_plain_files_only(mode: int, tmp_path: Path) -> None:
    path = write_zip(SOUND, tmp_path / "bundle.zip", external_attr=mode << 16)
    assert failing_step(path) == 1
    assert not headframe_verifies(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_is_not_compressed(method: int, tmp_path: Path) -> None:
    path = write_zip(SOUND, tmp_path / "bundle.zip", compress_type=method)
    assert failing_step(path) == 1
    assert not headframe_verifies(path)


@pytest.mark.parametrize(("name", "data"), [("data/", b""), ("README.txt", SOUND["README.txt"])])
def test_a_zip_has_no_folders_and_no_name_twice(name: str, data: bytes, tmp_path: Path) -> None:
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr(name, data)
    assert failing_step(path) == 1
    assert not headframe_verifies(path)


def patched(whole: bytes, place: int, new: bytes) -> bytes:
    return whole[:place] + new + whole[place + len(new) :]


def second_entry_over_the_first(whole: bytes) -> bytes:
    """The central directory points to the first local header twice."""
    first = whole.index(b"PK\1\2")
    return patched(whole, whole.index(b"PK\1\2", first + 1) + 42, whole[first + 42 : first + 46])


def in_the_directory(offset: int, new: bytes) -> Callable[[bytes], bytes]:
    """Other bytes in the first record of the central directory."""
    return lambda whole: patched(whole, whole.index(b"PK\1\2") + offset, new)


def at_the_end(offset: int, new: bytes) -> Callable[[bytes], bytes]:
    """Other bytes in the end record, which has 22."""
    return lambda whole: patched(whole, len(whole) - 22 + offset, new)


def longer_last_record(offset: int) -> Callable[[bytes], bytes]:
    """A length in the last record that runs past the central directory."""
    return lambda whole: patched(whole, whole.rindex(b"PK\1\2") + offset, b"\xff")


def moved(whole: bytes, by: int, place: int) -> bytes:
    """So many bytes more at a place, with every number behind it as if they belonged there."""
    start = int.from_bytes(whole[-6:-2], "little")
    result = bytearray(whole)
    result[-6:-2] = (start + by).to_bytes(4, "little")
    at = start
    while result[at : at + 4] == b"PK\1\2":
        offset = int.from_bytes(result[at + 42 : at + 46], "little")
        if offset >= place:
            result[at + 42 : at + 46] = (offset + by).to_bytes(4, "little")
        at += 46 + sum(int.from_bytes(result[at + n : at + n + 2], "little") for n in (28, 30, 32))
    return bytes(result[:place]) + bytes(by) + bytes(result[place:])


def second_entry(whole: bytes) -> int:
    return whole.index(b"PK\3\4", 1)


def with_an_extra_field(field: bytes) -> Callable[[bytes], bytes]:
    """The first record of the central directory gets an extra field."""

    def change(whole: bytes) -> bytes:
        first = whole.index(b"PK\1\2")
        end = first + 46 + int.from_bytes(whole[first + 28 : first + 30], "little")
        size = int.from_bytes(whole[-10:-6], "little") + len(field)
        whole = patched(patched(whole, first + 30, bytes([len(field), 0])), len(whole) - 10, size.to_bytes(4, "little"))
        return whole[:end] + field + whole[end:]

    return change


def test_a_zip_with_an_extra_field_holds(tmp_path: Path) -> None:
    """Times of Unix, which ordinary programs write; so the refusals below are not of every extra field."""
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    path.write_bytes(with_an_extra_field(b"UT\5\0\0\0\0\0\0")(path.read_bytes()))
    assert failing_step(path) is None
    assert headframe_verifies(path)


ZIPS: dict[str, Callable[[bytes], bytes]] = {
    "encrypted": lambda whole: patched(whole, whole.index(b"PK\1\2") + 8, b"\1"),
    "another name in the local header": lambda whole: patched(whole, 30, b"r"),
    "entries over each other": second_entry_over_the_first,
    "entries over each other by an extra field": lambda whole: patched(whole, 28, b"\4\0"),
    "other sizes": lambda whole: patched(whole, whole.index(b"PK\1\2") + 20, b"\1"),
    "a name that is not flagged": lambda whole: whole.replace(b"PK\1\2\x14\3\x14\0\0\x08", b"PK\1\2\x14\3\x14\0\0\0"),
    "flags that mean nothing here": in_the_directory(8, b"\2"),
    "a data descriptor": in_the_directory(8, b"\x08"),
    "encrypted names": in_the_directory(9, b"\x20"),
    "a later version": in_the_directory(6, b"\x2e"),
    "another part": in_the_directory(34, b"\1"),
    "a DOS folder": in_the_directory(38, b"\x10"),
    "other flags in the local header": lambda whole: patched(whole, 6, b"\x08"),
    "another method in the local header": lambda whole: patched(whole, 8, b"\x08"),
    "a long name at the end of the directory": longer_last_record(29),
    "a long extra field at the end of the directory": longer_last_record(31),
    "a long comment at the end of the directory": longer_last_record(33),
    "a second name": with_an_extra_field(b"\x75\x70\2\0xx"),
    "an extra field twice": with_an_extra_field(b"UT\0\0UT\0\0"),
    "half an extra field": with_an_extra_field(b"UT\5\0x"),
    "three bytes of an extra field": with_an_extra_field(b"UT\0"),
    "bytes in front": lambda whole: b"#!/bin/sh\n" + whole,
    "bytes in front that the numbers know of": lambda whole: moved(whole, 10, 0),
    "a gap": lambda whole: moved(whole, 10, second_entry(whole)),
    "a gap before the directory": lambda whole: moved(whole, 10, whole.index(b"PK\1\2")),
    "a comment of the zip": lambda whole: at_the_end(20, b"\2\0")(whole) + b"hi",
    "bytes behind the end": lambda whole: whole + b"x",
    "an end record with another number of files": at_the_end(10, b"\1"),
    "two numbers of files": at_the_end(8, b"\1"),
    "a second disk": at_the_end(4, b"\1"),
    "a directory on another disk": at_the_end(6, b"\1"),
    "another length of the directory": at_the_end(12, b"\1"),
    "another place of the directory": at_the_end(16, b"\1"),
    "no end record": at_the_end(0, b"X"),
    "cut": lambda whole: whole[:-1],
    "cut in half": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: b"",
    "no zip": lambda whole: b"hello",
}


@pytest.mark.parametrize("name", ZIPS)
def test_a_zip_is_what_it_seems(name: str, tmp_path: Path) -> None:
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    path.write_bytes(ZIPS[name](path.read_bytes()))
    assert failing_step(path) == 1
    assert not headframe_verifies(path)


def test_a_zip_with_numbers_of_eight_bytes_is_read(tmp_path: Path) -> None:
    """More than 65,535 entries or 4 GiB need Zip64 (APPNOTE 4.3.14, 4.5.3); here a small zip uses it."""
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    with mock.patch.multiple(zipfile, ZIP_FILECOUNT_LIMIT=3, ZIP64_LIMIT=2000):
        wide = write_zip(SOUND, tmp_path / "wide.zip")
    assert b"PK\6\6" in wide.read_bytes()
    assert b"PK\6\6" not in path.read_bytes()
    assert failing_step(wide) is None
    assert headframe_verifies(wide)


@pytest.mark.parametrize(
    ("offset", "new"), [(-20, b"X"), (-12, b"\1"), (-4, b"\2"), (-76, b"X"), (-72, b"\1"), (-52, b"\1"), (-44, b"\1")]
)
def test_the_wide_end_record_must_be_right(offset: int, new: bytes, tmp_path: Path) -> None:
    """Signatures, its own length, number of files and disks, before the end record (APPNOTE 4.3.14 and 4.3.15)."""
    with mock.patch.multiple(zipfile, ZIP_FILECOUNT_LIMIT=3, ZIP64_LIMIT=2000):
        path = write_zip(SOUND, tmp_path / "bundle.zip")
    whole = path.read_bytes()
    path.write_bytes(patched(whole, len(whole) - 22 + offset, new))
    assert failing_step(path) == 1
    assert not headframe_verifies(path)


@pytest.mark.parametrize("name", ["README.txt", "manifest.json", "manifest.note"])
def test_the_crc_of_every_file_holds(name: str, tmp_path: Path) -> None:
    """Whoever unpacks the zip would stumble over it."""
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    whole = path.read_bytes()
    at = whole.rindex(name.encode()) - 46 + 16
    path.write_bytes(patched(whole, at, bytes([whole[at] ^ 1])))
    assert failing_step(path) == {"README.txt": 3, "manifest.json": 2, "manifest.note": 4}[name]
    assert not headframe_verifies(path)


def test_an_offset_beyond_every_file_is_refused(tmp_path: Path) -> None:
    """Eight bytes can hold more than a seek can take."""
    with mock.patch.multiple(zipfile, ZIP64_LIMIT=2000):
        path = write_zip(SOUND, tmp_path / "bundle.zip")
    whole = path.read_bytes()
    wide = whole.rindex(b"\1\0\x08\0") + 4
    path.write_bytes(patched(whole, wide, b"\xff" * 8))
    assert failing_step(path) == 1
    assert not headframe_verifies(path)


def link(folder: Path) -> None:
    (folder / "README.txt").rename(folder.parent / "elsewhere")
    (folder / "README.txt").symlink_to(folder.parent / "elsewhere")


FOLDERS: dict[str, tuple[Callable[[Path], object], int | None]] = {
    "a link for a file": (link, 1),
    "a link to nowhere": (lambda folder: (folder / "data" / "x").symlink_to("nowhere"), 1),
    "a link to a folder": (lambda folder: (folder / "data" / "x").symlink_to(folder), 1),
    "a pipe": (lambda folder: os.mkfifo(folder / "data" / "x"), 1),
    "an empty folder": (lambda folder: (folder / "x").mkdir(), None),
    "a folder with a bad name": (lambda folder: (folder / "a:b").mkdir(), 1),
    "a hidden file": (lambda folder: (folder / ".hidden").write_bytes(b""), 3),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_has_plain_files_only(name: str, tmp_path: Path) -> None:
    change, step = FOLDERS[name]
    path = write_folder(SOUND, tmp_path / "bundle")
    change(path)
    assert failing_step(path) == step
    assert headframe_verifies(path) == (step is None)


def test_there_are_at_most_100_000_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VERIFIER, "MAX_FILES", len(SOUND))
    for write in (write_zip, write_folder):
        assert failing_step(write(SOUND, tmp_path / f"all-{write.__name__}")) is None
        assert failing_step(write({**SOUND, "data/x": b""}, tmp_path / f"more-{write.__name__}")) == 1


def test_memory_does_not_grow_with_a_file(tmp_path: Path) -> None:
    """A file of 64 MiB passes through a few chunks."""
    path = write_zip(seal_changed(put("data/large", bytes(2**26))), tmp_path / "bundle.zip")
    tracemalloc.start()
    try:
        assert failing_step(path) is None
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


# Keys and the command line.

WRONG_KEY = key_line(ORIGIN, seed=b"\xff" * 32)
KEYS: dict[str, tuple[list[str], int | None]] = {
    "the log's": ([LOG_KEY], None),
    "the log's and a wrong one": ([LOG_KEY, WRONG_KEY], None),
    "the log's, twice": ([LOG_KEY, LOG_KEY], None),
    "a wrong one of that name": ([WRONG_KEY], 4),
    "another log's": ([OTHER_KEY], 4),
    "the witness's": ([WITNESS_KEY], 4),
    "the log's, as if it were a witness": ([key_line(ORIGIN, 4)], 4),
}


@pytest.mark.parametrize("name", KEYS)
def test_only_a_trusted_key_of_the_log_counts(name: str, tmp_path: Path) -> None:
    lines, step = KEYS[name]
    arguments = [word for line in lines for word in ("--key", line)]
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    assert failing_step(path, *arguments) == step
    assert headframe_verifies(path, *arguments) == (step is None)


def keys_of_one_id() -> list[str]:
    """Two lines with the same name and id: 32 bits are soon hit by trying."""
    seen: dict[bytes, bytes] = {}
    for number in range(2**20):
        data = b"\1" + number.to_bytes(32, "big")
        key_id = hashlib.sha256(b"log\n" + data).digest()[:4]
        if key_id in seen:
            return [f"log+{key_id.hex()}+{base64.b64encode(item).decode()}" for item in (seen[key_id], data)]
        seen[key_id] = data
    raise AssertionError


def test_two_keys_of_one_name_and_id_are_refused(tmp_path: Path) -> None:
    """Nobody could say which of them a signature line means."""
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    one, other = keys_of_one_id()
    done = program(path, "--key", one, "--key", other)
    assert done.returncode == 2
    assert "the same name and the same id" in done.stderr
    with pytest.raises(BadNote, match="two different keys"):
        read_verifiers([one, other])


def test_a_file_of_keys_may_have_comments(tmp_path: Path) -> None:
    path, keys = write_zip(SOUND, tmp_path / "bundle.zip"), tmp_path / "keys.pub"
    keys.write_text(f"# of the log\n\n {LOG_KEY} \n  # of a witness\n{WITNESS_KEY}\n")
    assert failing_step(path, "--key", str(keys), "--witnesses", "1") is None
    assert headframe_verifies(path, "--key", str(keys), "--witnesses", "1")


def test_witnesses_are_counted_once_each(tmp_path: Path) -> None:
    """Two lines of one witness are one witness."""
    again = signed_too(lambda text: cosignature_line(text, 1772000090))
    path = write_zip(seal_changed(again), tmp_path / "bundle.zip")
    for count, step in ((0, None), (1, None), (2, 6)):
        assert failing_step(path, *TRUSTED, "--witnesses", str(count)) == step
        assert headframe_verifies(path, *TRUSTED, "--witnesses", str(count)) == (step is None)


def test_a_witness_that_changed_its_key_is_one(tmp_path: Path) -> None:
    """Sections 4 and 6: witnesses are told by their names, under one checkpoint and under several."""
    seed = bytes(range(128, 160))
    new = key_line(WITNESS, 4, seed)
    both = signed_too(lambda text: cosignature_line(text, seed=seed))
    under_one = write_zip(seal_changed(both), tmp_path / "one.zip")
    under_two = write_zip(seal(seen_by_two(3, 5, witness=WITNESS, seed=seed)), tmp_path / "two.zip")
    both_all = write_zip(seal(seen_by_two(5, 5, witness=WITNESS, seed=seed)), tmp_path / "all.zip")
    for path, keys, count, step in (
        (under_one, (WITNESS_KEY, new), 1, None),
        (under_one, (WITNESS_KEY, new), 2, 6),
        (under_two, (WITNESS_KEY, new), 1, None),
        (under_two, (WITNESS_KEY, new), 2, 6),
        (both_all, (WITNESS_KEY, new), 1, None),
        (both_all, (WITNESS_KEY, new), 2, 6),
        (under_two, (new,), 1, None),
        (under_two, (WITNESS_KEY,), 1, 7),
    ):
        options = [word for key in (LOG_KEY, *keys) for word in ("--key", key)]
        assert failing_step(path, *options, "--witnesses", str(count)) == step
        assert headframe_verifies(path, *options, "--witnesses", str(count)) == (step is None)


# What a witness has seen, beside what the log has come to since.


def tree_consistency(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """Section 2, as the recursion of RFC 6962, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [tree_root(leaves)]
    k = split_at(len(leaves))
    if old <= k:
        return [*tree_consistency(old, leaves[:k], whole), tree_root(leaves[k:])]
    return [*tree_consistency(old - k, leaves[k:], False), tree_root(leaves[:k])]


def seen(size: int, log: Log | None = None, signed: bool = True) -> Files:
    """A bundle whose witness has seen so many leaves, and not the checkpoint."""
    log = log or a_log()
    files = log.bundle()
    files["checkpoint"] = files["checkpoint"].replace(
        cosignature_line(files["checkpoint"].decode().split("\n\n")[0] + "\n").encode(), b""
    )
    text = f"{ORIGIN}\n{size}\n{base64.b64encode(tree_root(log.leaves[:size])).decode()}\n"
    files["witnessed"] = f"{text}\n{signature_line(text) if signed else ''}{cosignature_line(text)}".encode()
    proof = tree_consistency(size, log.leaves) if size else []
    files["witnessed.proof"] = "".join(f"{value.hex()}\n" for value in proof).encode()
    return files


def handed_out() -> Log:
    """A log whose last leaf says that the bundle was made."""
    log = a_log()
    log.add("access", "bundle HF-2026-000001", account="officer", reason="audit")
    return log


def seen_and(change: Change) -> Files:
    files = seen(3)
    change(files)
    return files


def seen_by_two(
    size: int,
    second: int,
    place: int = 2,
    witness: str = SECOND,
    change: Change | None = None,
    seed: bytes | None = None,
) -> Files:
    """A bundle with two older checkpoints: of so many leaves by the first witness, and of so many by another."""
    files, log = seen(size), a_log()
    text = f"{ORIGIN}\n{second}\n{base64.b64encode(tree_root(log.leaves[:second])).decode()}\n"
    line = cosignature_line(text, witness=witness, seed=seed)
    files[f"witnessed-{place}"] = f"{text}\n{signature_line(text)}{line}".encode()
    proof = "".join(f"{value.hex()}\n" for value in tree_consistency(second, log.leaves))
    files[f"witnessed-{place}.proof"] = proof.encode()
    if change is not None:
        change(files)
    return files


OLDER = f"{ORIGIN}\n3\n"
SEEN: dict[str, tuple[Files, int, int | None]] = {
    "all, and none is asked for": (seen(5), 0, None),
    "all": (seen(5), 1, None),
    "two are asked for": (seen(5), 2, 6),
    "three of five, and none is asked for": (seen(3), 0, None),
    "three of five": (seen(3), 1, 7),
    "nothing": (seen(0), 1, 7),
    "all but that the bundle was made": (seen(5, handed_out()), 1, None),
    "all but the last act, and that the bundle was made": (seen(4, handed_out()), 1, 7),
    "the witness's line alone": (seen(5, signed=False), 1, None),
    "no proof": (seen_and(drop("witnessed.proof")), 0, 3),
    "a proof alone": ({**a_log().bundle(), "witnessed.proof": b""}, 0, 3),
    "an empty proof": (seen_and(put("witnessed.proof", b"")), 0, 6),
    "a proof that is cut off": (seen_and(rewritten("witnessed.proof", lambda data: data[:-1])), 0, 6),
    "a proof in capitals": (seen_and(rewritten("witnessed.proof", bytes.upper)), 0, 6),
    "a proof upside down": (
        seen_and(rewritten("witnessed.proof", lambda data: b"".join(data.splitlines(keepends=True)[::-1]))),
        0,
        6,
    ),
    "a hash more": (seen_and(rewritten("witnessed.proof", lambda data: data + b"00" * 32 + b"\n")), 0, 6),
    "65 hashes": (seen_and(put("witnessed.proof", (b"00" * 32 + b"\n") * 65)), 0, 6),
    "of another size": (seen_and(edit("witnessed", "\n3\n", "\n4\n")), 0, 6),
    "of another log": (seen_and(edit("witnessed", ORIGIN, OTHER, 1)), 0, 6),
    "no note": (seen_and(put("witnessed")), 0, 6),
    "a line that does not verify": (seen_and(rewritten("witnessed", lambda note: note[:-5] + b"AAA=\n")), 0, 6),
    "a line of the log that does not verify": (
        seen_and(rewritten("witnessed", lambda note: note + signature_line(OLDER).encode())),
        0,
        6,
    ),
    "more than 1 MiB": (seen_and(put("witnessed.proof", bytes(2**20 + 1))), 0, 3),
    "all by one, three by the other": (seen_by_two(5, 3), 1, None),
    "all by one, three by the other, and two are asked for": (seen_by_two(5, 3), 2, 7),
    "three by one, all by the other": (seen_by_two(3, 5), 1, None),
    "all by both": (seen_by_two(5, 5), 2, None),
    "all by both, and three are asked for": (seen_by_two(5, 5), 3, 6),
    "by one witness twice": (seen_by_two(3, 5, witness=WITNESS), 1, None),
    "by one witness twice, and two are asked for": (seen_by_two(5, 5, witness=WITNESS), 2, 6),
    "the sixteenth": (seen_by_two(5, 5, place=16), 2, None),
    "a seventeenth": (seen_by_two(5, 5, place=17), 0, 2),
    "a first by number": (seen_by_two(5, 5, place=1), 0, 2),
    "a second without its proof": (seen_by_two(5, 3, change=drop("witnessed-2.proof")), 0, 3),
    "a second proof alone": (seen_by_two(5, 3, change=lambda files: files.pop("witnessed-2")), 0, 3),
    "a second that does not continue": (seen_by_two(5, 3, change=put("witnessed-2.proof", b"")), 0, 6),
    "a second of another size": (seen_by_two(5, 3, change=edit("witnessed-2", "\n3\n", "\n4\n")), 0, 6),
    "a second of more than 1 MiB": (seen_by_two(5, 3, change=put("witnessed-2", bytes(2**20 + 1))), 0, 3),
    "the second alone": (
        seen_by_two(5, 5, change=lambda files: [files.pop(f"witnessed{end}") for end in ("", ".proof")]),
        1,
        None,
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_a_witness_has_seen_counts_for_that(name: str, tmp_path: Path) -> None:
    """Sections 6, "witnessed", and steps 3, 6 and 7: both verifiers count alike."""
    files, count, step = SEEN[name]
    path = write_zip(seal(files), tmp_path / "bundle.zip")
    keys = ("--key", LOG_KEY, "--key", WITNESS_KEY, "--key", SECOND_KEY, "--witnesses", str(count))
    assert failing_step(path, *keys) == step
    assert headframe_verifies(path, *keys) == (step is None)


def test_each_leaf_is_told_that_no_witness_has_seen(tmp_path: Path) -> None:
    """How many are witnessed, and which are not, whatever is asked for."""
    path = write_zip(seal(seen(4, handed_out())), tmp_path / "bundle.zip")
    _, output = run(path)
    assert "6 are in the log, 4 of them witnessed; not witnessed yet: 4 (case), 5 (access)\n" in output
    report = verify_bundle(path, read_verifiers([LOG_KEY, WITNESS_KEY]))
    assert (report.leaves, report.unwitnessed) == (6, ((4, "case"), (5, "access")))
    text = {check.name: check.text for check in report.checks}["witnesses"]
    assert text.endswith("(4 leaves); 4 of 6 leaves here are in it; not witnessed yet: 4 (case), 5 (access)")


def test_a_witness_of_both_checkpoints_is_one_and_has_seen_all(tmp_path: Path) -> None:
    """Its newer line counts."""
    files = {**seen(3), "checkpoint": a_log().bundle()["checkpoint"]}
    path = write_zip(seal(files), tmp_path / "bundle.zip")
    for count, step in ((1, None), (2, 6)):
        assert failing_step(path, *TRUSTED, "--witnesses", str(count)) == step
        assert headframe_verifies(path, *TRUSTED, "--witnesses", str(count)) == (step is None)


@pytest.mark.parametrize(("old", "new"), [(old, new) for new in range(1, 9) for old in range(new + 1)])
def test_the_proof_of_consistency_by_the_page(old: int, new: int) -> None:
    """Every pair of sizes up to 8: the right proof is taken, with another root or size it is not."""
    leaves = [bytes([number]) for number in range(new)]
    proof = tree_consistency(old, leaves) if old else []
    roots = tree_root(leaves[:old]), tree_root(leaves)
    assert VERIFIER.is_continued(old, roots[0], new, roots[1], proof)
    assert not VERIFIER.is_continued(old, bytes(32), new, roots[1], proof)
    assert not VERIFIER.is_continued(old, roots[0], new, roots[1], [*proof, bytes(32)])
    if old:
        assert not VERIFIER.is_continued(old, roots[0], new, bytes(32), proof)


def test_the_pages_older_checkpoint_is_the_beginning_of_its_log() -> None:
    """Section 6, "witnessed": the example there."""
    keys = VERIFIER.trusted_keys([example("log key").strip(), example("witness key").strip()])
    note = VERIFIER.parse_note(example("older witnessed").encode(), "witnessed")
    older = VERIFIER.parse_checkpoint(note.text)
    assert {key.name for key in VERIFIER.signers(note, keys, 4, "witnessed")} == {WITNESS}
    proof = [bytes.fromhex(line) for line in example("older witnessed.proof").split()]
    assert VERIFIER.is_continued(older.size, older.root, 3, bytes.fromhex(example("root")), proof)


def program(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The file as a stranger calls it: without the project, and with nothing installed."""
    command = [sys.executable, "-I", "-S", str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def test_it_runs_alone_and_says_how_it_went(tmp_path: Path) -> None:
    """Exit codes 0, 1 and 2; keys from a file; without a key the bundle's own are shown."""
    path, keys = write_zip(SOUND, tmp_path / "bundle.zip"), tmp_path / "keys.pub"
    keys.write_text(f"{LOG_KEY}\n\n{WITNESS_KEY}\n")
    done = program(path, "--key", keys)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"6 witnesses    ok: '{WITNESS}'" in done.stdout

    done = program(path)
    assert done.returncode == 1
    assert f"4 signature    FAILED: manifest.note is not signed by a key of '{ORIGIN}' that you trust" in done.stdout
    assert LOG_KEY in done.stdout
    assert "5 checkpoint   not reached" in done.stdout
    assert done.stdout.endswith("This bundle does NOT hold.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-bundle", "--key", LOG_KEY],
        ["{bundle}", "--key", "no-such-file"],
        ["{bundle}", "--key", ""],
        ["{bundle}", "--key", LOG_KEY.replace("+8d1a1c7e+", "+8d1a1c7f+")],
        ["{bundle}", "--key", LOG_KEY[:-4]],
        ["{bundle}", "--key", "{bundle}"],
        ["{bundle}", "--keys", LOG_KEY],
        ["{bundle}", "--witnesses", "many"],
        ["{bundle}", "--key", LOG_KEY, "--witnesses", "-1"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], tmp_path: Path) -> None:
    path = write_zip(SOUND, tmp_path / "bundle.zip")
    done = program(*(word.replace("{bundle}", str(path)) for word in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: verify_bundle.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_bundle_says_cannot_drive_the_terminal(tmp_path: Path) -> None:
    """Names and subjects are shown quoted, with everything invisible spelled out."""
    files = a_log().bundle()
    said = {**manifest(files), "subject": "\x1b[2J\u202e"}
    _, output = run(write_zip(seal(files, rfc8785.dumps(said)), tmp_path / "bundle.zip"))
    assert "about '\\x1b[2J\\u202e'" in output
    assert "\x1b" not in output
