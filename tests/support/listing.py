"""The command line as a program that leaves behind what it has imported."""

from __future__ import annotations

IMPORTED = "imported.txt"
# A program has a file. One that has none DuckDB takes for somebody's session, and draws progress bars on its stdout.
LISTING = f"""
import atexit, pathlib, sys
__file__ = "springline"
atexit.register(lambda: pathlib.Path("{IMPORTED}").write_text("\\n".join(sys.modules)))
from pipelines.cli.app import main
main()
"""
