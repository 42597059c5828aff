"""Open a report in a browser where there is a screen; else say where it is."""

import os
import sys
import webbrowser
from pathlib import Path

path = Path(sys.argv[1]).resolve()
on_screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
if on_screen and webbrowser.open(path.as_uri()):
    print(f"Opened {path}")
else:
    print(f"The report is at {path}")
