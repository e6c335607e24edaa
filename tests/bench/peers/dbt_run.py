"""Runs a dbt project, for the peers that have one."""

from __future__ import annotations

from pathlib import Path

from dbt.cli.main import dbtRunner  # type: ignore[import-not-found]


def build(project: Path) -> None:
    """Build all models of a project; RuntimeError where one cannot be."""
    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    done = dbtRunner().invoke(["run", "--quiet", *folders])
    if not done.success:
        raise RuntimeError(done.exception or [(one.node.name, one.message) for one in done.result or ()])
