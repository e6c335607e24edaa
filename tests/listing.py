"""The command line as a program that leaves behind what it has imported."""

from __future__ import annotations

IMPORTED = "imported.txt"
LISTING = f"""
import atexit, pathlib, sys
atexit.register(lambda: pathlib.Path("{IMPORTED}").write_text("\\n".join(sys.modules)))
from pipelines.cli import main
main()
"""
