"""Bars are drawn on a terminal, from the first report on, and nowhere else."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from pipelines.cli.progress import progress


@pytest.mark.parametrize(("is_shown", "reports", "is_drawn"), [(True, 2, True), (True, 0, False), (False, 2, False)])
def test_bars_are_drawn_where_somebody_looks(is_shown: bool, reports: int, is_drawn: bool) -> None:  # noqa: FBT001 rows
    out = StringIO()
    with progress(Console(file=out, force_terminal=True, width=100), is_shown=is_shown) as report:
        for done in range(reports):
            report("read documents", done, 2)
    assert ("read documents" in out.getvalue()) is is_drawn
    assert bool(out.getvalue()) is is_drawn
