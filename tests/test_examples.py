"""Examples are run as a stranger would run them."""

import subprocess
import sys
from pathlib import Path


def test_scan_from_python_finds_miners(project_root: Path, tmp_path: Path) -> None:
    """The library can be used without the command line."""
    done = subprocess.run(
        [sys.executable, str(project_root / "examples" / "scan_from_python.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count(" mines ") >= 6
    assert "only looked like mining" in done.stdout
