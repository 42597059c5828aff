"""The calibration table as a file, and the one that ships."""

from pathlib import Path

import pytest

from headframe.detectors.network import pool_endpoint, stratum
from headframe.evidence.calibration import stale_rows
from headframe.stores.calibration import BUILTIN_TABLE, load_table, save_table


def test_saved_table_is_the_same_bytes(tmp_path: Path) -> None:
    """load_table and save_table are inverses."""
    copy = tmp_path / "table.json"
    save_table(load_table(), copy)
    assert copy.read_bytes() == BUILTIN_TABLE.read_bytes()
    assert load_table(copy).rows == load_table().rows


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "other", "rows": []}', '{"format": "headframe-calibration-1"}']
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    """With the file's name in the message."""
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"table\.json is not a calibration table"):
        load_table(path)


def test_shipped_table_speaks_for_the_detectors_as_they_are() -> None:
    """A detector that changed must be counted again: run `headframe calibrate` on the corpora."""
    assert stale_rows(load_table(), {"stratum": stratum.VERSION, "pool_endpoint": pool_endpoint.VERSION}) == []


def test_shipped_table_has_a_row_for_every_kind_of_evidence() -> None:
    """No finding may carry evidence that nobody counted."""
    table = load_table()
    missing = [key for key in stratum.CALIBRATION_KEYS if table.row("stratum", key) is None]
    missing += [key for key in ("name", "address_port", "address") if table.row("pool_endpoint", key) is None]
    assert missing == []
