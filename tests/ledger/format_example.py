"""The worked example of docs/ledger-format.md: one log of three leaves, one bundle, with keys that everybody knows."""

from hashlib import sha256
from pathlib import Path

from headframe.cases.store import StoredLeaf
from headframe.ledger.leaf import seal
from headframe.ledger.merkle import leaf_hash
from headframe.ledger.note import COSIGNATURE, ED25519, Signer, format_note
from headframe.ledger.witness import cosign
from headframe.stores.bundles import BundleFile, make_bundle
from headframe.stores.ledger_files import Ledger

LOG = Signer("headframe.example/district", ED25519, bytes(range(32)))
WITNESS = Signer("witness.example/w1", COSIGNATURE, bytes(range(32, 64)))
AT_NS = 1_772_000_000_000_000_000
DOCUMENT = b"Notice HF-2026-000001\n"


def example_leaves() -> list[StoredLeaf]:
    """Three leaves; the salts count up, which real salts must never do."""
    grains = iter(bytes([number]) * 16 for number in range(1, 100))
    digest = sha256(DOCUMENT).hexdigest()
    contents = [
        ("case", "HF-2026-000001/1", {"act": "open", "at_ns": AT_NS, "power_w": 12500.5}),
        ("document", digest, {"document": {"name": "notice.txt", "sha256": digest, "size": len(DOCUMENT)}}),
        ("case", "HF-2026-000001/2", {"act": "notice", "reason": "Zähler 17: «flat load»"}),
    ]
    leaves = []
    for index, (kind, subject, fields) in enumerate(contents):
        leaf, disclosures = seal(kind, subject, AT_NS + index * 1_000_000_000, fields, lambda: next(grains))
        leaves.append(StoredLeaf(leaf_id=f"{kind}/{subject}", leaf=leaf, index=index, disclosures=disclosures))
    return leaves


def make_example(folder: Path, name: str = "bundle") -> tuple[Ledger, Path]:
    """The log and the bundle, in a folder; the bundle is a zip if its name says so."""
    ledger = Ledger.create(folder / "ledger", [LOG])
    leaves = example_leaves()
    ledger.append([leaf.leaf for leaf in leaves])
    ledger.keep_witnessed(
        format_note(cosign(ledger.note, ledger.keys, None, (), WITNESS, AT_NS // 10**9 + 60)), [WITNESS.verifier]
    )
    make_bundle(
        folder / name,
        subject="HF-2026-000001",
        made_ns=AT_NS + 120 * 10**9,
        ledger=ledger,
        signers=[LOG],
        leaves=leaves,
        files=[BundleFile("documents/notice.txt", DOCUMENT)],
        disclose=lambda leaf, disclosure: disclosure.name != "reason",
    )
    return ledger, folder / name


def make_older(folder: Path) -> Path:
    """The same bundle, had the witness seen the first leaf only."""
    ledger = Ledger.create(folder / "older-ledger", [LOG])
    leaves = example_leaves()
    ledger.append([leaves[0].leaf])
    ledger.keep_witnessed(
        format_note(cosign(ledger.note, ledger.keys, None, (), WITNESS, AT_NS // 10**9)), [WITNESS.verifier]
    )
    ledger.append([leaf.leaf for leaf in leaves[1:]])
    make_bundle(
        folder / "older",
        subject="HF-2026-000001",
        made_ns=AT_NS + 120 * 10**9,
        ledger=ledger,
        signers=[LOG],
        leaves=leaves,
        files=[BundleFile("documents/notice.txt", DOCUMENT)],
    )
    return folder / "older"


def blocks(folder: Path) -> dict[str, str]:
    """Every text that the description quotes, by name."""
    ledger, bundle = make_example(folder)
    leaves = example_leaves()
    hashes = [leaf_hash(leaf.leaf) for leaf in leaves]
    quoted = {
        "leaf": leaves[0].leaf.decode() + "\n",
        "leaf hashes": "".join(f"{value.hex()}\n" for value in hashes),
        "root": ledger.checkpoint.root.hex() + "\n",
        "log key": LOG.verifier.text() + "\n",
        "witness key": WITNESS.verifier.text() + "\n",
        "checkpoint": ledger.note.decode(),
        "proof": "".join(f"{value.hex()}\n" for value in ledger.inclusion_proof(2)),
        "consistency": "".join(f"{value.hex()}\n" for value in ledger.consistency_proof(1, 3)),
    }
    names = ("manifest.json", "manifest.note", "checkpoint", "leaves.jsonl", "disclosures.jsonl", "README.txt")
    for name in (*names, "documents/notice.txt"):
        text = (bundle / name).read_text(encoding="utf-8")
        quoted[f"bundle {name}"] = text if text.endswith("\n") else text + "\n"
    older = make_older(folder)
    for name in ("witnessed", "witnessed.proof"):
        quoted[f"older {name}"] = (older / name).read_text(encoding="utf-8")
    return quoted


def rewrite(page: Path, folder: Path) -> None:
    """Put the examples into the page, between the fences that follow their names."""
    text = page.read_text(encoding="utf-8")
    for name, block in blocks(folder).items():
        mark = f"<!-- example: {name} -->\n"
        before, found, after = text.partition(mark)
        assert found, f"the page has no place for the example {name!r}"
        fence, _, rest = after.partition("\n")
        _old, _, rest = ("\n" + rest).partition("\n```\n")
        text = f"{before}{mark}{fence}\n{block}```\n{rest}"
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as scratch:
        rewrite(Path(__file__).parents[2] / "docs" / "ledger-format.md", Path(scratch))
