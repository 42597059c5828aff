"""Open reports in a browser where there is a screen; else say where they are."""

import os
import sys
import webbrowser
from pathlib import Path

on_screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
for path in map(Path.resolve, map(Path, sys.argv[1:])):
    if on_screen and webbrowser.open(path.as_uri()):
        print(f"Opened {path}")
    else:
        print(f"The report is at {path}")
