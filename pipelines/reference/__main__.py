"""``python -m pipelines.reference`` writes the pages of docs/reference; with ``--check`` it says which are stale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipelines.core.errors import SpringlineError, UsageError
from pipelines.core.resources import PACKAGE
from pipelines.reference.pages import render, stale, write

FOLDER = PACKAGE.parent / "docs" / "reference"


def main(
    arguments: Sequence[str] | None = None,
    *,
    folder: Path = FOLDER,
    rendered: Callable[[], Mapping[str, str]] = render,
) -> int:
    """Write or check the pages of ``folder``; return 0, 1 when a page is stale, the code of an expected failure."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments), folder, rendered)
    except SpringlineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _run(arguments: list[str], folder: Path, rendered: Callable[[], Mapping[str, str]]) -> int:
    if arguments not in ([], ["--check"]):
        raise UsageError(f"{' '.join(arguments)} is not known here.", next_step="use --check, or no argument.")
    if not folder.parent.is_dir():
        raise UsageError(f"There is no folder {folder.parent}.", next_step="run it in a checkout.")
    pages = rendered()
    if not arguments:
        for name in write(pages, folder):
            sys.stdout.write(f"{folder / name} written\n")
        return 0
    stale_names = stale(pages, folder)
    for name in stale_names:
        sys.stdout.write(f"{folder / name} is stale: run make docs\n")
    # 1 as linters answer: stale pages are a finding, not one of our classes of error.
    return 1 if stale_names else 0


if __name__ == "__main__":
    sys.exit(main())
