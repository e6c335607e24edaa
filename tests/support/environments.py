"""An environment of its own for a program that must not meet our packages, made once under the user's cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path


def python_of(wanted: Path) -> Path | None:
    """Return the interpreter that has what a file of requirements lists, or None where its packages cannot be had."""
    mark = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "springline" / "peers"
    folder = cache / f"{wanted.stem}-{mark}"
    done, python = folder / ".installed", folder / "bin" / "python"
    if not done.exists():
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(wanted)]
        try:
            for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], install):
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        except subprocess.CalledProcessError:
            return None
        done.touch()
    return python
