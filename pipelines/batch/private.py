"""Takes others out of what earlier releases wrote for everybody on the machine, and says so once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.access import group_number, narrow
from pipelines.core.words import plural
from pipelines.publish.steps import open_published

if TYPE_CHECKING:
    from pipelines.core.settings import Settings


def make_private(settings: Settings) -> Iterator[str]:
    """Let this user alone at both stores, what lies beside them under their names, and what is published.

    What a copy put back by hand has opened again is closed again. Yields what to say, nothing where all was right.
    Raises SettingsError for a group that cannot be used.
    """
    group = settings.published_group
    group_number(group)
    found = list(narrow(_beside(settings)))
    closed = [path for path, is_done in found if is_done]
    denied = [path for path, is_done in found if not is_done]
    if settings.published.exists():
        try:
            closed += [settings.published] * open_published(settings)
        except OSError as error:
            denied.append(Path(error.filename or settings.published))
    if closed:
        readers = f", and in the published folder the group {group}" if group else ""
        count = plural(len(closed), "file or folder", "files and folders")
        yield f"Others on this machine could read {count} ({closed[0]} …): only this user can now{readers}."
    if denied:
        yield (
            f"Others may be able to read {denied[0]}, and this user cannot change that. "
            "Next: give it to the user who runs Springline (`chown`)."
        )


def _beside(settings: Settings) -> Iterator[Path]:
    """Yield both stores, and what SQLite, DuckDB, dlt, migrations and people have put beside them under their names."""
    for store in (settings.control_place, settings.warehouse_path):
        if not isinstance(store, Path):
            continue
        for path in store.parent.iterdir() if store.parent.is_dir() else ():
            if path.name.lstrip(".").startswith(store.name):
                yield path
