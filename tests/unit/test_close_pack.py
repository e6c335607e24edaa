"""A pack of a close: what was sealed is not overwritten, whatever the control store has forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

import pytest

from pipelines.close.pack import Standing, write_pack
from pipelines.core.errors import UsageError
from pipelines.stores.control import Control

if TYPE_CHECKING:
    from pipelines.step.context import Context

DRAFT = Standing("draft", 1, (), None, ())


class _Written(Exception):
    """The pack would have been written."""


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with closing(Control(tmp_path / "ctl.sqlite")) as control:
        yield SimpleNamespace(
            control=control, settings=SimpleNamespace(published=tmp_path / "published", published_group=None)
        )


def write(ctx: SimpleNamespace) -> None:
    with patch("pipelines.close.pack.stage", side_effect=_Written):
        write_pack(cast("Context", ctx), date(2026, 10, 1), DRAFT)


def leave(ctx: SimpleNamespace, *, state: str) -> Path:
    place = Path(ctx.settings.published) / "close" / "2026-10"
    place.mkdir(parents=True)
    (place / "summary.json").write_text(json.dumps({"state": state, "batch": "b9"}))
    return place


def test_a_draft_is_written_anew(ctx: SimpleNamespace) -> None:
    with pytest.raises(_Written):
        write(ctx)
    leave(ctx, state="draft")
    with pytest.raises(_Written):
        write(ctx)


def test_a_seal_that_the_control_store_has_forgotten_stays(ctx: SimpleNamespace) -> None:
    place = leave(ctx, state="sealed")
    with pytest.raises(UsageError, match="put back the newest backup") as refused:
        write(ctx)
    assert str(place) in refused.value.message


def test_what_a_killed_run_left_before_its_seal_is_a_draft(ctx: SimpleNamespace) -> None:
    leave(ctx, state="sealed")
    with ctx.control.write() as connection:
        begun = "INSERT INTO batches (batch_id, started_at, today, jobs, operator) VALUES ('b9', '', '', '', 'kari')"
        connection.execute(begun)
    with pytest.raises(_Written):
        write(ctx)
