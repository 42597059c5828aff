"""Bundles: made alike each time, verified alone, and refused with the reason when anything was done to them."""

import io
import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headframe.cases.store import Disclosure, StoredLeaf
from headframe.errors import HeadframeError
from headframe.ledger import bundle as model
from headframe.ledger.bundle import BadBundle, BundleReport, ManifestFile, State
from headframe.ledger.checkpoint import read_checkpoint
from headframe.ledger.leaf import canonical, seal
from headframe.ledger.note import COSIGNATURE, ED25519, Signer, format_note, parse_note, sign
from headframe.ledger.witness import cosign
from headframe.stores.bundles import BundleFile, make_bundle, verify_bundle
from headframe.stores.ledger_files import Ledger

LOG = Signer("log.example/a", ED25519, bytes(32))
WITNESS = Signer("witness.example/w", COSIGNATURE, bytes(32))
NOTICE = b"%PDF notice"
KEYS = [LOG.verifier]


class Kept:
    """A log with a case in it, and what the store has of it."""

    def __init__(self, folder: Path) -> None:
        random = Random(1)
        salt = lambda: random.randbytes(16)  # noqa: E731
        self.ledger = Ledger.create(folder / "ledger", [LOG])
        digest = sha256(NOTICE).hexdigest()
        sealed = [
            ("access", "someone else", {"what": "x"}),
            ("case", "HF-1/1", {"act": "open", "account": "a"}),
            ("document", digest, {"name": "notice.pdf", "size": 11}),
            ("access", "someone else", {"what": "y"}),
            ("case", "HF-1/2", {"act": "notice", "account": "b", "document": {"sha256": digest}}),
        ]
        leaves = []
        for number, (kind, subject, fields) in enumerate(sealed):
            leaf, disclosures = seal(kind, subject, number, fields, salt)
            leaves.append(StoredLeaf(leaf_id=f"{kind}/{number}", leaf=leaf, index=number, disclosures=disclosures))
        self.ledger.append([leaf.leaf for leaf in leaves])
        self.leaves = [leaf for leaf in leaves if not leaf.leaf_id.startswith("access")]

    def bundle(self, path: Path, **changes: object) -> Path:
        arguments: dict[str, object] = {
            "subject": "HF-1",
            "made_ns": 5,
            "ledger": self.ledger,
            "signers": [LOG],
            "leaves": self.leaves,
            "files": [BundleFile("documents/通知-notice.pdf", NOTICE), BundleFile("data/findings.jsonl", b"{}\n")],
            **changes,
        }
        make_bundle(path, **arguments)  # type: ignore[arg-type]
        return path


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def states(report: BundleReport) -> dict[str, State]:
    return {check.name: check.state for check in report.checks}


def failures(report: BundleReport) -> dict[str, str]:
    return {check.name: check.text for check in report.checks if check.state == State.FAILED}


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_bundle_holds(kept: Kept, tmp_path: Path, name: str) -> None:
    """As a folder and as a zip: every check, and what was not checked says so."""
    report = verify_bundle(kept.bundle(tmp_path / name), KEYS)
    assert report.sound, report.checks
    assert (report.subject, report.made_ns, report.withheld_count) == ("HF-1", 5, 0)
    assert states(report) == {
        "container": State.OK, "manifest": State.OK, "files": State.OK, "signature": State.OK,
        "checkpoint": State.OK, "witnesses": State.NOT_CHECKED, "leaves": State.OK, "disclosures": State.OK,
        "documents": State.OK, "time-stamp": State.NOT_CHECKED,
    }  # fmt: skip
    assert report.keys_inside == (LOG.verifier.text(),)


def test_the_same_input_gives_the_same_bytes(kept: Kept, tmp_path: Path) -> None:
    """Whatever the order in which leaves and files are handed in."""
    one = kept.bundle(tmp_path / "1.zip").read_bytes()
    files = [BundleFile("data/findings.jsonl", b"{}\n"), BundleFile("documents/通知-notice.pdf", NOTICE)]
    assert kept.bundle(tmp_path / "2.zip", files=files, leaves=kept.leaves[::-1]).read_bytes() == one
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        archive.extractall(tmp_path / "unpacked")
    kept.bundle(tmp_path / "folder")
    for path in (tmp_path / "folder").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "unpacked" / path.relative_to(tmp_path / "folder")).read_bytes()
    assert verify_bundle(tmp_path / "unpacked", KEYS).sound


def test_it_needs_nothing_but_itself(kept: Kept, tmp_path: Path) -> None:
    """In an empty folder, in a fresh process, without a workspace and with everything that could connect removed."""
    path = kept.bundle(tmp_path / "b.zip")
    shutil.rmtree(tmp_path / "ledger")
    code = (
        "import sys, socket; socket.socket = None\n"
        "from pathlib import Path\n"
        "from headframe.stores.bundles import verify_bundle\n"
        "from headframe.ledger.note import read_verifier\n"
        "assert verify_bundle(Path(sys.argv[1]), [read_verifier(sys.argv[2])]).sound\n"
        "assert 'sqlalchemy' not in sys.modules and 'polars' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path), KEYS[0].text()], check=True, cwd=tmp_path)


def test_without_a_trusted_key_it_does_not_hold(kept: Kept, tmp_path: Path) -> None:
    """The key inside is shown for comparing and is believed in nothing."""
    path = kept.bundle(tmp_path / "b")
    for keys in ([], [Signer(LOG.name, ED25519, bytes(31) + b"\x01").verifier]):
        report = verify_bundle(path, keys)
        assert set(failures(report)) == {"signature", "checkpoint"}
        assert "no key is trusted here" in failures(report)["signature"]
        assert states(report)["leaves"] == State.NOT_CHECKED
        assert report.keys_inside == (LOG.verifier.text(),)


def test_what_is_withheld_is_said_and_the_rest_is_proved(kept: Kept, tmp_path: Path) -> None:
    """For the party: the leaves are all there, some fields stay closed, and nothing of them is in the files."""
    path = kept.bundle(tmp_path / "b", disclose=lambda _leaf, item: item.name != "account")
    report = verify_bundle(path, KEYS)
    assert report.sound
    assert report.withheld == ((1, "account"), (4, "account"))
    assert b'"account","salt"' not in (path / "disclosures.jsonl").read_bytes()


def test_erased_disclosures_are_as_withheld_ones(kept: Kept, tmp_path: Path) -> None:
    """Retention destroys salts and values; what was logged stays proved."""
    bare = [replace(leaf, disclosures=()) for leaf in kept.leaves]
    report = verify_bundle(kept.bundle(tmp_path / "b", leaves=bare), KEYS)
    assert report.sound
    assert report.withheld_count == 7
    assert states(report)["documents"] == State.OK, "the leaf of the document names it by itself"


def test_witnesses(kept: Kept, tmp_path: Path) -> None:
    """The co-signed checkpoint is the bundle's where it covers the leaves, else stands beside a newer one."""
    kept.ledger.keep_witnessed(
        format_note(cosign(kept.ledger.note, KEYS, None, (), WITNESS, 1_700_000_000)), [WITNESS.verifier]
    )
    kept.ledger.append([b"later"])
    path = kept.bundle(tmp_path / "b")
    assert verify_bundle(path, KEYS, witnesses_needed=0).sound
    both = verify_bundle(path, [*KEYS, WITNESS.verifier], witnesses_needed=1)
    assert both.sound
    assert "co-signed by witness.example/w at 2023-11-14T22:13:20Z (5 leaves); 3 of 3 leaves here are in it" in [
        item.text for item in both.checks
    ]
    assert not (path / "witnessed").exists()
    assert (
        "1 known witnesses must have co-signed; 0 did"
        in failures(verify_bundle(path, KEYS, witnesses_needed=1))["witnesses"]
    )
    leaf, disclosures = seal("case", "HF-1/3", 9, {"act": "x"}, lambda: bytes(16))
    (place,) = kept.ledger.append([leaf])
    more = StoredLeaf(leaf_id="x", leaf=leaf, index=place, disclosures=disclosures)
    path = kept.bundle(tmp_path / "c", leaves=[*kept.leaves, more])
    newer = verify_bundle(path, [*KEYS, WITNESS.verifier])
    assert newer.sound
    assert (newer.leaves, newer.unwitnessed, newer.unwitnessed_count) == (4, ((6, "case"),), 1)
    assert "Of the 4 entries here 1 are newer than what others have seen: 6.\n" in (path / "README.txt").read_text()
    asked = verify_bundle(path, [*KEYS, WITNESS.verifier], witnesses_needed=1)
    assert failures(asked)["witnesses"].startswith(
        "1 known witnesses must have seen every leaf but those of kind access; co-signed by"
    )
    unknown = verify_bundle(path, KEYS)
    assert states(unknown)["witnesses"] == State.NOT_CHECKED
    assert unknown.unwitnessed_count == 4


def test_what_witnesses_saw_must_be_of_this_log(kept: Kept, tmp_path: Path) -> None:
    """Another log, another history, a larger one: no bundle is made."""
    for name, origin, leaves, words in [
        ("a", "log.example/b", [b"x"], "is of log.example/b"),
        ("b", "log.example/a", [b"x"], "are two histories"),
        ("c", "log.example/a", [b"%d" % number for number in range(9)], "is an older copy"),
    ]:
        ledger = Ledger.create(tmp_path / name, [replace(LOG, name=origin)])
        ledger.append(leaves)
        with pytest.raises(HeadframeError, match=words):
            kept.bundle(tmp_path / "bundle", witnessed=[ledger.note])


def test_a_change_of_the_logs_key_takes_no_witness_away(kept: Kept, tmp_path: Path) -> None:
    """Who has the new key alone still sees what was co-signed under the old one."""
    kept.ledger.keep_witnessed(
        format_note(cosign(kept.ledger.note, KEYS, None, (), WITNESS, 1_700_000_000)), [WITNESS.verifier]
    )
    new = Signer("log.example/a", ED25519, bytes([1]) * 32)
    kept.ledger.sign_again([LOG, new])
    kept.ledger.sign_again([new])
    path = kept.bundle(tmp_path / "b", signers=[new])
    report = verify_bundle(path, [new.verifier, WITNESS.verifier], witnesses_needed=1)
    assert report.sound, report.checks
    assert (path / "witnessed").exists()


def test_lines_of_two_witnesses_are_kept_together(kept: Kept, tmp_path: Path) -> None:
    """Under the same checkpoint; a smaller one than the kept is not kept."""
    other = Signer("witness.example/other", COSIGNATURE, bytes([2]) * 32)
    small = kept.ledger.note
    kept.ledger.append([b"later"])
    for witness in (WITNESS, other):
        assert kept.ledger.keep_witnessed(
            format_note(cosign(kept.ledger.note, KEYS, None, (), witness, 1_700_000_000)), [witness.verifier]
        )
    assert not kept.ledger.keep_witnessed(
        format_note(cosign(small, KEYS, None, (), WITNESS, 1_700_000_000)), [WITNESS.verifier]
    )
    kept.ledger.append([b"still later"])
    keys = [*KEYS, WITNESS.verifier, other.verifier]
    report = verify_bundle(kept.bundle(tmp_path / "b"), keys, witnesses_needed=2)
    assert report.sound, report.checks


def test_each_witness_counts_for_what_it_has_seen(kept: Kept, tmp_path: Path) -> None:
    """A bundle has every checkpoint that a witness signed last; first the one that most signed, if it covers all."""
    names = ("second", "third", "fourth")
    second, third, fourth = (Signer(f"witness.example/{name}", COSIGNATURE, name[:1].encode() * 32) for name in names)

    def keep(*witnesses: Signer) -> None:
        note = kept.ledger.note
        for witness in witnesses:
            note = format_note(cosign(note, KEYS, None, (), witness, 1_700_000_000))
        assert kept.ledger.keep_witnessed(note, [one.verifier for one in witnesses])

    keep(WITNESS, second)
    kept.ledger.append([b"later"])
    keep(third)
    leaf, disclosures = seal("case", "HF-1/3", 9, {"act": "x"}, lambda: bytes(16))
    (place,) = kept.ledger.append([leaf])
    more = StoredLeaf(leaf_id="x", leaf=leaf, index=place, disclosures=disclosures)
    keep(fourth)
    keys = [*KEYS, *(one.verifier for one in (WITNESS, second, third, fourth))]
    path = kept.bundle(tmp_path / "b")
    found = {one.name: read_checkpoint(parse_note(one.read_bytes()).text).size for one in path.glob("*") if one.name in
             ("checkpoint", "witnessed", "witnessed-2", "witnessed-3")}  # fmt: skip
    assert found == {"checkpoint": 7, "witnessed": 5, "witnessed-2": 6}, "by the largest, so that all are in it"
    assert verify_bundle(path, keys, witnesses_needed=4).sound
    path = kept.bundle(tmp_path / "c", leaves=[*kept.leaves, more], checkpoint=kept.ledger.note)
    sizes = [
        read_checkpoint(parse_note((path / name).read_bytes()).text).size
        for name in ("witnessed", "witnessed-2", "witnessed-3")
    ]
    assert sizes == [7, 5, 6]
    assert not (path / "witnessed-4").exists()
    text = (path / "README.txt").read_text()
    assert "witnessed-3        the state of that log with 6 entries, as others have seen it\n" in text
    report = verify_bundle(path, keys, witnesses_needed=1)
    assert report.sound, report.checks
    for needed in (2, 3, 4):
        report = verify_bundle(path, keys, witnesses_needed=needed)
        assert [kind for _, kind in report.unwitnessed] == ["case"], "the last act was seen by one"
        assert not report.sound
    (path / "witnessed-2").write_bytes((path / "witnessed-3").read_bytes())
    assert "witnessed-2 has 304 bytes" in failures(verify_bundle(path, keys))["files"]


FILES = ["checkpoint", "keys", "leaves.jsonl", "disclosures.jsonl", "README.txt", "manifest.json", "manifest.note",
         "documents/通知-notice.pdf", "data/findings.jsonl"]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_any_file_that_was_changed_cut_or_taken_away_is_found(kept: Kept, tmp_path: Path, name: str) -> None:
    """One bit is enough."""
    path = kept.bundle(tmp_path / "b")
    good = (path / name).read_bytes()
    for bad in (bytes([good[0] ^ 1]) + good[1:], good[:-1], good + b"\n", good[: len(good) // 2], b""):
        (path / name).write_bytes(bad)
        assert not verify_bundle(path, KEYS).sound, bad[:40]
    (path / name).unlink()
    assert not verify_bundle(path, KEYS).sound
    (path / name).write_bytes(good)
    assert verify_bundle(path, KEYS).sound


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(data=st.data())
def test_a_zip_with_any_byte_changed_is_refused_or_says_the_same(
    kept: Kept, tmp_path: Path, data: st.DataObject
) -> None:
    """Hostile input gives a report, never an exception; where it is still sound, nothing that counts was changed."""
    path = tmp_path / "good.zip"
    if not path.exists():
        kept.bundle(path)
    good = path.read_bytes()
    kind = data.draw(st.sampled_from(["flip", "cut", "swap"]))
    at = data.draw(st.integers(0, len(good) - 1))
    if kind == "flip":
        bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    elif kind == "cut":
        bad = good[:at]
    else:
        noise = data.draw(st.binary(min_size=1, max_size=20))
        bad = good[:at] + noise + good[at + len(noise) :]
    (tmp_path / "bad.zip").write_bytes(bad)
    report = verify_bundle(tmp_path / "bad.zip", KEYS)
    if report.sound:
        # Fields of a zip that no reader needs, such as times, may differ. The content is the same.
        with zipfile.ZipFile(io.BytesIO(bad)) as archive, zipfile.ZipFile(io.BytesIO(good)) as original:
            assert archive.namelist() == original.namelist()
            assert all(archive.read(name) == original.read(name) for name in original.namelist())


def test_every_byte_around_the_names_in_a_zip(kept: Kept, tmp_path: Path) -> None:
    """The headers before each file and the list at the end are where a zip's reader stumbles."""
    good = kept.bundle(tmp_path / "good.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        last = archive.infolist()[-1]
    bad = tmp_path / "bad.zip"
    for at in [*range(last.header_offset, last.header_offset + 60), *range(good.rfind(b"PK\x01\x02"), len(good))]:
        for mask in (0x01, 0x80, 0xFF):
            bad.write_bytes(good[:at] + bytes([good[at] ^ mask]) + good[at + 1 :])
            verify_bundle(bad, KEYS)


def resigned(path: Path, change: Callable[[Path], None]) -> None:
    """Change a bundle and make its manifest fit again, as the maker could who has the log's key."""
    change(path)
    manifest = model.parse_manifest((path / model.MANIFEST).read_bytes())
    files = [
        ManifestFile(file.relative_to(path).as_posix(), file.stat().st_size, sha256(file.read_bytes()).hexdigest())
        for file in path.rglob("*")
        if file.is_file() and file.name not in (model.MANIFEST, model.MANIFEST_NOTE)
    ]
    data = model.format_manifest(replace(manifest, files=tuple(sorted(files))))
    (path / model.MANIFEST).write_bytes(data)
    note = sign(model.manifest_text(sha256(data).hexdigest()), [LOG])
    (path / model.MANIFEST_NOTE).write_bytes(format_note(note))


def edit_line(name: str, number: int, edit: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        lines = (path / name).read_bytes().splitlines()
        value = json.loads(lines[number])
        edit(value)
        lines[number] = canonical(value)
        (path / name).write_bytes(b"".join(line + b"\n" for line in lines))

    return change


def order(name: str, places: list[int]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        lines = (path / name).read_bytes().splitlines(keepends=True)
        (path / name).write_bytes(b"".join(lines[place] for place in places))

    return change


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        (edit_line("leaves.jsonl", 0, lambda v: v.update(index=2)), "readable", "2 comes after 2"),
        (edit_line("leaves.jsonl", 0, lambda v: v.update(index=0)), "leaves", "leaf 0 is not in the tree"),
        (edit_line("leaves.jsonl", 2, lambda v: v.update(index=99)), "leaves", "leaf 99 cannot be in a tree of 5"),
        (edit_line("leaves.jsonl", 0, lambda v: v.update(leaf=v["leaf"].replace("HF-1", "HF-2"))), "leaves", "not in"),
        (edit_line("leaves.jsonl", 0, lambda v: v.update(proof=v["proof"][:-1])), "leaves", "too short"),
        (edit_line("leaves.jsonl", 0, lambda v: v.update(proof=["00"])), "readable", "hashes in hex"),
        (edit_line("leaves.jsonl", 0, lambda v: v.update(extra=1)), "readable", "has index, leaf, proof"),
        (edit_line("disclosures.jsonl", 0, lambda v: v.update(value="z")), "disclosures", "not what was logged"),
        (edit_line("disclosures.jsonl", 0, lambda v: v.update(name="Act")), "disclosures", "not what was logged"),
        (edit_line("disclosures.jsonl", 0, lambda v: v.update(salt="00")), "readable", "32 hex digits"),
        (edit_line("disclosures.jsonl", 0, lambda v: v.update(index=0)), "disclosures", "leaf 0, which is not in"),
        (order("disclosures.jsonl", [1, 0, 2, 3, 4, 5, 6]), "readable", "in order of index and name"),
        (order("disclosures.jsonl", [0, 0, 1, 2, 3, 4, 5, 6]), "readable", "in order of index and name"),
        (order("leaves.jsonl", [1, 0, 2]), "readable", "in order of index"),
        (order("leaves.jsonl", [0, 1]), "disclosures", "leaf 4, which is not in the bundle"),
        (lambda path: (path / "documents" / "forged.pdf").write_bytes(b"forged"), "documents", "forged.pdf is in no"),
        (lambda path: (path / "keys").unlink(), "files", "keys must be in every bundle"),
        (lambda path: (path / "leaves.jsonl").write_bytes(b"x" * 10), "readable", "cut off"),
        (lambda path: (path / "leaves.jsonl").write_bytes(b"\xff\n"), "readable", "not JSON"),
        (lambda path: (path / "disclosures.jsonl").write_bytes(b"[" * 9_999 + b"\n"), "readable", "nested too deeply"),
    ],
)  # fmt: skip
def test_even_the_maker_cannot_show_what_was_not_logged(
    kept: Kept, tmp_path: Path, change: Callable[[Path], None], check: str, words: str
) -> None:
    """Who has the key can sign any manifest; leaves, disclosures and documents are held to the log all the same."""
    path = kept.bundle(tmp_path / "b")
    resigned(path, lambda _path: None)
    assert verify_bundle(path, KEYS).sound
    resigned(path, change)
    report = verify_bundle(path, KEYS)
    assert words in failures(report).get(check, ""), report.checks


def test_a_checkpoint_of_another_size_is_refused(kept: Kept, tmp_path: Path) -> None:
    """It must be the one that the manifest names."""
    path = kept.bundle(tmp_path / "b")
    kept.ledger.append([b"more"])
    resigned(path, lambda path: (path / "checkpoint").write_bytes(kept.ledger.note))
    assert "not the one that the manifest names" in failures(verify_bundle(path, KEYS))["checkpoint"]


TRICKS = [
    ("../evil", "leads upwards"),
    ("documents/../../evil", "leads upwards"),
    ("/etc/passwd", "absolute"),
    ("documents//a", "empty name"),
    ("documents/a\\b", "backslash"),
    ("C:evil", "colon"),
    ("documents/a\u202ecod.exe", "invisible"),
    ("documents/a\x00b", "invisible"),
    ("documents/e\u0301", "normal form C"),
    ("documents/a.", "ends with a"),
    ("documents/ a", "begins or ends"),
    ("documents/" + "x" * 250, "longer than 240"),
    ("documents/" + "y/" * 600, "1 to 1000 bytes"),
]


@pytest.mark.parametrize(("name", "words"), TRICKS)
def test_a_path_that_leads_out_is_refused_in_zip_and_manifest(tmp_path: Path, name: str, words: str) -> None:
    """Before anything of it is read."""
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = info.orig_filename = name
        archive.writestr(info, b"x")
    report = verify_bundle(path, KEYS)
    assert words in failures(report)["container"]
    with pytest.raises(BadBundle, match=words):
        model.check_path(name)


def rewritten(source: Path, target: Path, edit: Callable[[zipfile.ZipFile], None], method: int = 0) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info.filename))
        edit(new)
    return target


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_tricks_with_zips_are_refused(kept: Kept, tmp_path: Path) -> None:
    """Twice the same name, names that are one on some systems, links, folders, compression."""
    good = kept.bundle(tmp_path / "good.zip")

    def link(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("documents/link")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")

    cases: list[tuple[Callable[[zipfile.ZipFile], None], int, str]] = [
        (lambda archive: archive.writestr("checkpoint", b"x"), zipfile.ZIP_STORED, "'checkpoint' twice"),
        (lambda archive: archive.writestr("Checkpoint", b"x"), zipfile.ZIP_STORED, "one file on some systems"),
        (lambda archive: archive.writestr("keys/a", b"x"), zipfile.ZIP_STORED, "as a file and as a folder"),
        (lambda archive: archive.writestr("documents/", b""), zipfile.ZIP_STORED, "empty name"),
        (link, zipfile.ZIP_STORED, "no links"),
        (lambda _archive: None, zipfile.ZIP_DEFLATED, "is compressed"),
    ]
    for edit, method, words in cases:
        path = rewritten(good, tmp_path / "bad.zip", edit, method)
        assert words in failures(verify_bundle(path, KEYS))["container"]
    extra = rewritten(good, tmp_path / "x.zip", lambda archive: archive.writestr("data/x", b"x"))
    assert failures(verify_bundle(extra, KEYS)) == {"files": "data/x is not in the manifest"}


def test_a_bomb_does_not_go_off(kept: Kept, tmp_path: Path) -> None:
    """A compressed one is refused by its method, one of overlapping entries by their places, one of an
    endless list of names by its length; memory stays small."""
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("leaves.jsonl", "w") as file:
        for _ in range(200):
            file.write(bytes(1 << 20))
    good = kept.bundle(tmp_path / "good.zip").read_bytes()
    directory = good.rfind(b"PK\x01\x02")
    overlapping = bytearray(good)
    struct.pack_into("<I", overlapping, directory + 42, 0)  # the last entry begins where the first does
    (tmp_path / "overlap.zip").write_bytes(overlapping)
    huge = bytearray(good)
    struct.pack_into("<I", huge, good.rfind(b"PK\x05\x06") + 12, 0xF000_0000)
    (tmp_path / "huge.zip").write_bytes(huge)
    tracemalloc.start()
    try:
        for name in ("bomb.zip", "overlap.zip", "huge.zip"):
            assert not verify_bundle(tmp_path / name, KEYS).sound
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert "compressed" in failures(verify_bundle(bomb, KEYS))["container"]
    assert "says it has" in failures(verify_bundle(tmp_path / "huge.zip", KEYS))["container"]


def test_tricks_with_folders_are_refused(kept: Kept, tmp_path: Path) -> None:
    """A link is refused wherever it leads, a pipe before anybody waits for it."""
    for number, (make, words) in enumerate(
        [
            (lambda path: (path / "data" / "link").symlink_to("/etc/passwd"), "link or device"),
            (lambda path: (path / "more").symlink_to(tmp_path, target_is_directory=True), "link or device"),
            (lambda path: os.mkfifo(path / "data" / "pipe"), "link or device"),
        ]
    ):
        path = kept.bundle(tmp_path / str(number))
        make(path)
        assert words in failures(verify_bundle(path, KEYS))["container"]


def test_what_is_no_bundle(kept: Kept, tmp_path: Path) -> None:
    """Each says what it is not."""
    (tmp_path / "text").write_text("hello")
    (tmp_path / "nothing").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for name, words in [
        ("text", "not a whole zip"),
        ("nothing", "not a whole zip"),
        ("folder", "has no manifest.json"),
    ]:
        assert words in str(verify_bundle(tmp_path / name, KEYS).checks)
    with pytest.raises(HeadframeError, match="cannot be read: No such file"):
        verify_bundle(tmp_path / "nowhere", KEYS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"files": [BundleFile("evil/x", b"")]}, "go into documents/ or data/"),
        ({"files": [BundleFile("data/../x", b"")]}, "must not be there"),
        ({"files": [BundleFile("data/x", b""), BundleFile("data/x", b"")]}, "two files of the bundle"),
        ({"files": [BundleFile("data/x", b""), BundleFile("data/X", b"")]}, "one file on some systems"),
        ({"files": [BundleFile("data/x", Path("/nowhere"))]}, "cannot be read"),
    ],
)
def test_a_bundle_that_would_not_verify_is_not_made(
    kept: Kept, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    """And nothing is left of it."""
    before = sorted(tmp_path.iterdir())
    for name in ("b", "b.zip"):
        with pytest.raises(HeadframeError, match=words):
            kept.bundle(tmp_path / name, **changes)
    assert sorted(tmp_path.iterdir()) == before


def test_only_what_is_in_the_ledger_goes_into_a_bundle(kept: Kept, tmp_path: Path) -> None:
    """A pending leaf, a leaf that is another, a checkpoint that is too old."""
    pending = replace(kept.leaves[0], index=None)
    other = replace(kept.leaves[0], leaf=kept.leaves[1].leaf)
    for leaves, words in [([pending], "is not in the ledger yet"), ([other], "is not what the ledger has at place 1")]:
        with pytest.raises(HeadframeError, match=words):
            kept.bundle(tmp_path / "b", leaves=leaves)
    old = kept.ledger.note
    leaf, disclosures = seal("case", "HF-1/3", 9, {}, lambda: bytes(16))
    kept.ledger.append([leaf])
    late = StoredLeaf(leaf_id="x", leaf=leaf, index=5, disclosures=disclosures)
    with pytest.raises(HeadframeError, match="take a later checkpoint"):
        kept.bundle(tmp_path / "b", leaves=[late], checkpoint=old)
    kept.bundle(tmp_path / "b")
    with pytest.raises(HeadframeError, match="is there already"):
        kept.bundle(tmp_path / "b")


def test_memory_is_bounded(kept: Kept, tmp_path: Path) -> None:
    """A document of 48 MB goes in and is verified with far less (bench/ledger.py does 1 GB)."""
    big = tmp_path / "big"
    digest = sha256()
    with big.open("wb") as file:
        for number in range(48):
            piece = bytes([number]) * (1 << 20)
            digest.update(piece)
            file.write(piece)
    files = [BundleFile("data/big", big), BundleFile("documents/n", NOTICE)]
    tracemalloc.start()
    try:
        path = kept.bundle(tmp_path / "b.zip", files=files)
        assert verify_bundle(path, KEYS).sound
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


disclosure = st.builds(
    Disclosure,
    name=st.text(st.characters(exclude_categories=("Cs",)), min_size=1),
    salt=st.binary(min_size=16, max_size=32),
    value=st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=("Cs",))),
)


@given(st.integers(0, 2**53 - 1), disclosure)
def test_a_line_of_disclosures_survives_its_bytes(index: int, item: Disclosure) -> None:
    """parse(format(x)) == x."""
    assert model.parse_disclosure(model.format_disclosure(index, item)[:-1]) == (index, item)


@given(
    st.integers(0, 2**53 - 1),
    st.text(st.characters(exclude_categories=("Cs",))),
    st.lists(st.binary(min_size=32, max_size=32), max_size=64),
)
def test_a_line_of_leaves_survives_its_bytes(index: int, text: str, proof: list[bytes]) -> None:
    """parse(format(x)) == x."""
    leaf = model.BundleLeaf(index, text.encode(), tuple(proof))
    assert model.parse_leaf(model.format_leaf(leaf)[:-1]) == leaf


@given(st.lists(st.binary(max_size=30).map(lambda part: part.replace(b"\n", b""))), st.integers(1, 40))
def test_lines_are_the_same_however_they_come(parts: list[bytes], step: int) -> None:
    """Cut into pieces of any size."""
    whole = b"".join(part + b"\n" for part in parts)
    pieces = (whole[at : at + step] for at in range(0, len(whole), step))
    assert list(model.lines(pieces, "x")) == parts


@pytest.mark.parametrize("step", [7, 1000])
def test_the_longest_line_is_exact(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever its newline comes, and however it is cut into pieces."""
    monkeypatch.setattr(model, "LARGEST_LINE", 50)
    for line, good in ((b"x" * 50, True), (b"x" * 51, False)):
        whole = b"a\n" + line + b"\nb\n"
        pieces = (whole[at : at + step] for at in range(0, len(whole), step))
        if good:
            assert list(model.lines(pieces, "x")) == [b"a", line, b"b"]
        else:
            with pytest.raises(BadBundle, match="a line of more than 50 bytes"):
                list(model.lines(pieces, "x"))


def test_what_is_longer_than_a_verifier_takes_is_not_made(kept: Kept, tmp_path: Path) -> None:
    """A time-stamp of 1 MiB and a byte."""
    with pytest.raises(HeadframeError, match="at most 1,048,576 bytes"):
        kept.bundle(tmp_path / "b", time_stamp=bytes((1 << 20) + 1))
    assert not (tmp_path / "b").exists()
