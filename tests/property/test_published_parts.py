"""An edition made of the one before holds what the builds have made, whatever was edited in between.

The days are those of `test_parts`; `FUZZ=50` plays a hundred of them (`make fuzz`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from pipelines.models.build import build
from pipelines.publish.edition.contents import TableText, is_published
from pipelines.publish.edition.database import write_database
from pipelines.publish.edition.known import read_known
from pipelines.stores.control import Control
from tests.property.test_parts import BUILDS, DAYS, _edit, _play, catalog, world
from tests.support.published import EDITION
from tests.unit.test_publish_editions import contents

if TYPE_CHECKING:
    import duckdb

    from pipelines.models.model import Catalog

__all__ = ["catalog", "world"]

SCHEMAS = ("rec", "close")


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    with closing(Control(tmp_path / "springline.ctl.sqlite")) as control:
        yield control


@pytest.mark.parametrize("day", range(DAYS))
def test_what_is_published_is_what_was_built(
    day: int, catalog: Catalog, world: duckdb.DuckDBPyConnection, control: Control, tmp_path: Path
) -> None:
    texts = {
        model.ref: TableText(model.description, {}, {column.name: column.type for column in model.columns})
        for model in catalog.models
        if model.ref.schema in SCHEMAS and is_published(model.ref, [column.name for column in model.columns])
    }
    rng, done = Random(day), []  # noqa: S311 a test
    folder = tmp_path / "published"
    for step in range(BUILDS):
        build(world, catalog.models, schemas=SCHEMAS)
        place = write_database(world, control, folder, texts=texts, edition=EDITION)
        for number in range(rng.randint(1, 6)):
            done.append(_edit(rng, world, day * 1_000 + step * 10 + number))
            _play(world, done[-1])
    build(world, catalog.models, schemas=SCHEMAS)
    known = read_known(world, place, today=EDITION.today)
    # Every table is followed: it is looked at only where a build has noted it.
    assert {ref for ref in texts if known.scope(ref)} == {ref for ref in texts if ref in known.changed}
    place = write_database(world, control, folder, texts=texts, edition=EDITION)
    anew = write_database(world, control, tmp_path / "anew", texts=texts, edition=EDITION)
    assert contents(place) == contents(anew), "\n".join(done)
