"""The calibration table as a file: JSON, one object a row, in stable order."""

from pathlib import Path

from headframe.evidence.calibration import CalibrationTable

BUILTIN_TABLE = Path(__file__).with_name("calibration_table.json")


def load_table(path: Path = BUILTIN_TABLE) -> CalibrationTable:
    """Read a table.

    Parameters
    ----------
    path : Path
        The table that ships with the package, unless told otherwise.

    Returns
    -------
    CalibrationTable

    Raises
    ------
    ValueError
        If the file is no calibration table, or a row's bound is not the one its counts give.
    """
    try:
        return CalibrationTable.from_json(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise ValueError(f"{path} is not a calibration table: {fault}") from fault


def save_table(table: CalibrationTable, path: Path) -> None:
    """Write a table: same rows, same bytes."""
    path.write_text(table.to_json(), encoding="utf-8")
