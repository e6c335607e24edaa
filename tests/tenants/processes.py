"""Processes below a process, as /proc lists them: what a machine that is lost takes along."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def below(pid: int) -> list[int]:
    """Return every process that a process has started, and those that these have started; the nearest first."""
    children: dict[int, list[int]] = {}
    for process, parent in _all():
        children.setdefault(parent, []).append(process)
    found = [*children.get(pid, ())]
    for process in found:
        found += children.get(process, ())
    return found


def above(pid: int, top: int) -> list[int]:
    """Return a process and those above it as far as ``top``, which is left out."""
    parents = dict(_all())
    found = [pid]
    while (parent := parents.get(found[-1], top)) not in {top, 0}:
        found.append(parent)
    return found


def command_of(pid: int) -> str:
    """Return the command line of a process, empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def used(pid: int, *, children: bool = False) -> float:
    """Return the processor seconds of a process, or of those below it that have ended; 0 where it has ended itself."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    first = 13 if children else 11
    return (int(fields[first]) + int(fields[first + 1])) / os.sysconf("SC_CLK_TCK")


def kill(pids: list[int]) -> None:
    """Kill processes the hard way, as a power cut would: stopped first, so that none sees another end."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _all() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # Behind the name, which may hold anything: state, then the process above.
                fields = (folder / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
                yield int(folder.name), int(fields[1])
