"""Progress is drawn on a terminal, from the first report on, a line for each job, and nowhere else."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from pipelines.cli.progress import Lines, progress


def drawn(out: StringIO) -> list[str]:
    """Give the lines as they were drawn last, before they were taken away."""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    return [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


@pytest.mark.parametrize(("is_shown", "reports", "is_drawn"), [(True, 2, True), (True, 0, False), (False, 2, False)])
def test_lines_are_drawn_where_somebody_looks(is_shown: bool, reports: int, is_drawn: bool) -> None:  # noqa: FBT001 rows
    out = StringIO()
    with progress(Console(file=out, force_terminal=True, width=100), is_shown=is_shown) as lines:
        for done in range(reports):
            lines.report("read documents", done, 2)
    assert ("read documents" in out.getvalue()) is is_drawn
    assert bool(out.getvalue()) is is_drawn


def work(lines: Lines) -> None:
    lines.begin("documents", "build models")
    for number in range(30):
        lines.report(f"map.model_{number}", number, 30)
    lines.begin("documents", "send vouchers")
    lines.report("vouchers to the ledger", 120, 485)
    lines.begin("rates", "read exchange rates")


def test_a_job_has_one_line_however_many_models() -> None:
    out = StringIO()
    with progress(Console(file=out, force_terminal=True, width=80), is_shown=True) as lines:
        work(lines)
    last = drawn(out)[-2:]
    assert "model_" not in out.getvalue()
    assert [line.split()[1] for line in last] == ["documents", "rates"]
    assert max(map(len, last)) <= 80


def test_a_title_stands_in_place_of_the_lines_before() -> None:
    out = StringIO()
    with progress(Console(file=out, force_terminal=True, width=80), is_shown=True) as lines:
        work(lines)
        lines.title("Run 2 of 4", 1, 4)
        lines.begin("payments", "read payments and matches")
    title, job = drawn(out)[-2:]
    assert "Run 2 of 4" in title
    assert " 1/4 " in title
    assert "payments" in job
