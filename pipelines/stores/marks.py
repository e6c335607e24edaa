"""What a step was made of last: unchanged, it is not made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.step.context import Context


COMPARED, NOTED, CLOSED = "rec.built_from", "rec.noted_from", "close.built_from"


def _mark(ctx: Context, name: str) -> str:
    return str(ctx.control.mark(name))


def _keep_mark(ctx: Context, name: str, mark: str) -> None:
    ctx.control.keep_mark(name, mark)
