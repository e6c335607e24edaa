"""The worlds that the benches make fit the tables as they are: no other test would say when they do not."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.bench import bench_publish, rec_world
from tests.models.conftest import World, prepare
from tests.support.landing import make_context


def test_the_synthetic_history_fits_staging(world: World) -> None:
    with duckdb.connect() as connection:
        prepare(connection, world.catalog)
        rec_world.fill(connection, 40)
        assert connection.execute("SELECT count(*) FROM stg_vms.document_line_vessel_codes").fetchall() == [(200,)]


@pytest.mark.system
def test_the_rows_to_publish_fit_the_models(tmp_path: Path) -> None:
    ctx = make_context(tmp_path)
    bench_publish.make_world(ctx, documents=2)
    assert ctx.warehouse.execute("SELECT count(*) FROM rec.documents").fetchall() == [(2,)]
    ctx.warehouse.close()
    ctx.control.close()
