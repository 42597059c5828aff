"""The picture in docs/evidence.md is what its script draws from the code as it is."""

import importlib.util
from pathlib import Path


def test_picture_is_up_to_date(project_root: Path) -> None:
    """The checked-in file is the script's output; it loads nothing, and the innocent stay below their bound."""
    spec = importlib.util.spec_from_file_location("draw_e_process", project_root / "tools" / "draw_e_process.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    drawn = script.picture()
    assert drawn == (project_root / "docs" / "img" / "e_process.svg").read_text(encoding="utf-8"), (
        "run python tools/draw_e_process.py"
    )
    assert "href" not in drawn
    reached = int(drawn.split("innocent ones, ")[1].split(" reached")[0])
    assert 0 < reached <= 100
