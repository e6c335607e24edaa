"""Starts a command and writes what it took to a file, as JSON: seconds, processor seconds, peak resident kilobytes.

A program of its own because a process begins with the peak of the one that starts it, and a bench may be large.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main(took: str, command: list[str]) -> None:
    """Start ``command``, wait for its end, and write what it took."""
    begin = time.perf_counter()
    process = subprocess.Popen(command)  # noqa: S603 the bench's own
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    with open(took, "w", encoding="utf-8") as file:  # noqa: PTH123 pathlib would double what it imports
        json.dump([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss], file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
