"""What takes long and is the same for all: made once in a session of tests, whatever the number of its processes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

ENDED = "ended"
# The folder of the session, which tests/conftest.py names.
_session: list[Path] = []


def begin_session(factory: pytest.TempPathFactory) -> None:
    """Name the folder that all processes of this session have in common."""
    # Each worker of pytest-xdist has a folder of its own inside that of the session.
    base = factory.getbasetemp()
    _session[:] = [base.parent if "PYTEST_XDIST_WORKER" in os.environ else base]


def begin_in(folder: Path) -> None:
    """Name a folder outside of pytest, as a bench does."""
    _session[:] = [folder]


def once(name: str, make: Callable[[Path], object]) -> Path:
    """Give a folder of the session that the first process to ask fills; the others wait until it has ended."""
    [session] = _session
    shared = session / name
    try:
        shared.mkdir()
    except FileExistsError:
        end = time.monotonic() + PATIENCE
        while not (shared / ENDED).exists():
            assert time.monotonic() < end, f"{name} was not made"
            time.sleep(0.1)
    else:
        try:
            make(shared)
        finally:
            # Also when it failed, so that nobody waits for what does not come.
            (shared / ENDED).touch()
    return shared
