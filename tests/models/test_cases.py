"""Every case below this folder: tests/models/<schema>/<model>/<case>.yaml, beside sql/<schema>/<model>.sql."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
