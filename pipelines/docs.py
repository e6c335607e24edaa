"""Writes the generated pages of docs/reference, or says which are stale: ``python -m pipelines.docs [--check]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipelines.declared import declared_tables
from pipelines.models.reference import models_page
from pipelines.models.store import open_catalog
from pipelines.resources import PACKAGE, sql_folder

REFERENCE = PACKAGE.parent / "docs" / "reference"


def models() -> str:
    """Return the page of all models."""
    return models_page(open_catalog(sql_folder(), declared_tables()))


PAGES: Mapping[str, Callable[[], str]] = {"models.md": models}


def main(arguments: Sequence[str] | None = None, *, folder: Path = REFERENCE) -> int:
    """Write every page that has changed; with ``--check`` write none, and return 1 when one would be."""
    is_check = "--check" in (sys.argv[1:] if arguments is None else arguments)
    stale = [name for name, page in PAGES.items() if _write(folder / name, page(), is_check=is_check)]
    for name in stale:
        sys.stdout.write(f"docs/reference/{name} {'is stale: run make docs' if is_check else 'written'}\n")
    return 1 if is_check and stale else 0


def _write(path: Path, text: str, *, is_check: bool) -> bool:
    """Tell whether the page differs from what is there, and write it then."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    if not is_check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main())
