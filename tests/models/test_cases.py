"""Every case below this folder: tests/models/<schema>/<model>/<case>.yaml, beside sql/<schema>/<model>.sql."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.core.table_ref import TableRef
from tests.models.cases import read_case, run_case

if TYPE_CHECKING:
    from tests.models.conftest import World

FOLDER = Path(__file__).parent
CASES = sorted(FOLDER.glob("*/*/*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(FOLDER).with_suffix("")))
def test_a_model_gives_the_rows_a_case_expects(path: Path, world: World) -> None:
    case = read_case(path)
    differences = run_case(case, world.catalog, world.connection)
    assert not differences, "\n".join([case.why, *differences])


def test_what_was_sent_counts_for_the_vessel_that_an_open_document_does(world: World) -> None:
    """The rule stands in two models, for a tick must not cost the history: what a case says of one holds for both."""
    cases = [read_case(path) for path in CASES if path.parent.name == "line_vessels"]
    assert cases
    for case in cases:
        given = dict(case.given)
        given[TableRef("rec", "vms_documents")] = given.pop(TableRef("map", "open_documents"))
        expect = [{name: value for name, value in row.items() if name != "pool_code"} for row in case.expect]
        of_sent = replace(case, model=TableRef("rec", "line_vessels"), given=given, expect=expect)
        assert run_case(of_sent, world.catalog, world.connection) == []
