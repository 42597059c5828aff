"""docs/ledger-format.md is what strangers write verifiers from: its examples are computed anew."""

import re
from pathlib import Path

import pytest

from .format_example import LOG, WITNESS, blocks, make_example

PAGE = Path(__file__).parents[2] / "docs" / "ledger-format.md"


@pytest.fixture(scope="module")
def quoted() -> dict[str, str]:
    """Name to text of each example on the page."""
    text = PAGE.read_text(encoding="utf-8")
    return {
        match[1]: match[2]
        for match in re.finditer(r"<!-- example: ([^>]+) -->\n```[a-z]*\n(.*?)```\n", text, flags=re.DOTALL)
    }


def test_every_example_is_what_the_code_writes(quoted: dict[str, str], tmp_path: Path) -> None:
    """Byte for byte; `python tests/ledger/format_example.py` rewrites the page after a change that was meant."""
    assert quoted == blocks(tmp_path)


def test_the_witness_signed_the_text_that_the_page_shows(quoted: dict[str, str]) -> None:
    """The block without a name is the message of the co-signature."""
    page = PAGE.read_text(encoding="utf-8")
    message = re.search(r"```\n(cosignature/v1\n.*?)```", page, flags=re.DOTALL)
    assert message is not None
    import base64

    line = quoted["bundle checkpoint"].splitlines()[-1].split(" ")[-1]
    assert WITNESS.verifier.holds(message[1].encode(), base64.b64decode(line)[12:])


def test_the_digest_by_hand_is_the_one_in_the_leaf(quoted: dict[str, str]) -> None:
    """The page shows the bytes that are digested."""
    from hashlib import sha256

    shown = re.search(r'^\["0101.*\]$', PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert shown is not None
    assert sha256(shown[0].encode()).hexdigest() in quoted["leaf"]


def test_the_example_holds(tmp_path: Path) -> None:
    """The bundle of the page is verified with the keys of the page, the witness's included."""
    from headframe.stores.bundles import verify_bundle

    _, bundle = make_example(tmp_path)
    report = verify_bundle(bundle, [LOG.verifier, WITNESS.verifier], witnesses_needed=1)
    assert report.sound, report.checks
    assert report.withheld == ((2, "reason"),)
