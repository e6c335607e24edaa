"""What a batch says at its end: where to look next, which is not `status` for a run that kept nothing."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from pipelines.batch.run import BatchResult, show_result


@pytest.mark.parametrize(("is_dry_run", "command"), [(False, "springline status"), (True, "springline preflight")])
def test_a_dry_run_does_not_send_to_what_keeps_nothing_of_it(is_dry_run: bool, command: str) -> None:  # noqa: FBT001
    console = Console(file=StringIO(), width=120)
    show_result(BatchResult("b1", jobs={}, problems=(), exit_code=14), console, is_dry_run=is_dry_run)
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert f"Next: `{command}`" in shown
    assert shown.count("`springline ") == 1
