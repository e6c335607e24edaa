"""The models built by sqlmesh: planned and built where it has none yet, else run, which builds what is due."""

from __future__ import annotations

from pathlib import Path

from sqlmesh import Context  # type: ignore[import-not-found]


def work(project: Path, _database: Path) -> None:
    """Build what sqlmesh finds due."""
    context = Context(paths=str(project))
    if context.state_reader.get_environment("prod"):
        context.run()
    else:
        context.plan(auto_apply=True, no_prompts=True)
    context.close()
