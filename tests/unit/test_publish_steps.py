"""The job publish: each product is made when it is not there or something has changed, and left alone otherwise."""

# ruff: noqa: S608 - statements are made of a test's own values

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

import duckdb
import pytest

from pipelines.batch.jobs import JOBS, PUBLISH
from pipelines.contracts.declared import declared_tables
from pipelines.models.external import create_tables
from pipelines.models.steps import open_models
from pipelines.step.counts import Counts
from pipelines.stores.control import Control
from pipelines.stores.control_copy import copy_control
from tests.support.landing import make_context

if TYPE_CHECKING:
    from pipelines.step.context import Context

PRODUCTS = {"springline.duckdb", "tables", "report.html", "springline.xlsx"}
# Statements of the control store for one product, to find that it is up to date.
MOST_ASKED = 20
AT = "2026-11-02T08:00:00.000000+00:00"
# What happens in the control store that analysts must see.
EVENTS = {
    "a decision": "INSERT INTO decisions (action, subject, reason, operator, at) "
    f"VALUES ('hold', 'document', 'why', 'kari', '{AT}')",
    "a hold": "INSERT INTO holds (rule, severity, message, since, batch_id) "
    f"VALUES ('no_lines', 'critical', 'it has none', '{AT}', 'b1')",
    "a break": "INSERT INTO breaks (kind, subject, message, next_step, figures_hash, since, batch_id) "
    f"VALUES ('rate differs', 'x', 'differs', 'correct it', '', '{AT}', 'b1')",
    "a rejected object": "INSERT INTO rejected (side, entity, message, body, body_hash, since, batch_id) "
    f"VALUES ('vms', 'Document', 'no number', '{{}}', '', '{AT}', 'b1')",
    "new models": "INSERT INTO meta (name, value) VALUES ('rec.built_from', 'anew')",
}


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Give a batch over tables that are all there and empty."""
    ctx = make_context(tmp_path_factory.mktemp("publish"))
    create_tables(ctx.warehouse, declared_tables())
    copy_control(ctx.warehouse, ctx.control)
    yield ctx
    ctx.warehouse.close()
    ctx.control.close()


def publish(ctx: Context) -> None:
    for step in PUBLISH.steps:
        assert step.run(ctx) == Counts()


def seen(folder: Path) -> dict[str, tuple[int, int]]:
    """Give every file with what tells whether it was written: its inode and the time of its change."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def change(ctx: Context, statement: str) -> None:
    with ctx.control.write() as connection:
        connection.execute(statement)


def test_publishing_is_the_last_job_with_a_step_a_product() -> None:
    assert list(JOBS)[-1] == "publish"
    assert len(PUBLISH.steps) == len(PRODUCTS)
    assert all(step.writes_outside for step in PUBLISH.steps), "a dry run must leave them out"


def test_everything_is_made_and_nothing_else_is_left(ctx: Context) -> None:
    publish(ctx)
    assert {path.name for path in ctx.settings.published.iterdir()} == PRODUCTS


def test_every_published_table_and_column_says_what_it_is(ctx: Context) -> None:
    publish(ctx)
    with duckdb.connect(str(ctx.settings.published / "springline.duckdb"), read_only=True) as connection:
        silent = connection.execute(
            """
            SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE coalesce(comment, '') = ''
            UNION ALL
            SELECT schema_name || '.' || table_name || '.' || column_name FROM duckdb_columns()
            WHERE coalesce(comment, '') = '' AND NOT internal
            """
        ).fetchall()
        schemas = connection.execute("SELECT DISTINCT schema_name FROM duckdb_tables() ORDER BY 1").fetchall()
    assert silent == []
    assert [schema for (schema,) in schemas] == ["close", "ctl", "map", "post", "rec"]


def test_each_view_for_analysts_has_an_answer(ctx: Context) -> None:
    publish(ctx)
    declared = {
        model.ref: [(column.name, column.type) for column in model.columns]
        for model in open_models(ctx).models
        if model.ref.schema == "analysis"
    }
    assert len(declared) == 12
    with duckdb.connect(str(ctx.settings.published / "springline.duckdb"), read_only=True) as connection:
        for ref, columns in declared.items():
            # Times of the control store are text in the warehouse and times in the file: types are the same on both.
            answer = connection.execute(f"FROM {ref.quoted}").description
            assert [(name, str(kind)) for name, kind, *_ in answer or ()] == columns, ref


def test_an_idle_run_writes_nothing_and_reads_next_to_nothing(ctx: Context) -> None:
    publish(ctx)
    before = seen(ctx.settings.published)
    with (
        patch.object(Control, "read", autospec=True, side_effect=Control.read) as asked,
        patch("pipelines.publish.steps.open_models", side_effect=AssertionError("no model is looked at")),
        patch("duckdb.connect", side_effect=AssertionError("no file is opened")),
    ):
        # Its warehouse cannot be asked anything: what has changed stands in the control store alone.
        publish(replace(ctx, warehouse=cast("duckdb.DuckDBPyConnection", None)))
    assert asked.call_count <= MOST_ASKED * len(PRODUCTS)
    assert seen(ctx.settings.published) == before


def test_what_every_run_adds_is_nothing_new(ctx: Context) -> None:
    publish(ctx)
    before = seen(ctx.settings.published)
    change(ctx, f"INSERT INTO batches VALUES ('b9', '{AT}', NULL, '2026-11-02', '', 'kari', NULL, NULL)")
    change(ctx, f"INSERT INTO steps VALUES ('b9', 1, 'rates', 'read', '{AT}', '{AT}', 'done', 0, '')")
    change(ctx, "INSERT INTO requests VALUES ('2026-11', 'ledger', 'rates', 'exchangeRates', 1)")
    publish(ctx)
    assert seen(ctx.settings.published) == before


@pytest.mark.parametrize("event", EVENTS)
def test_what_happens_is_published(event: str, ctx: Context) -> None:
    publish(ctx)
    file = ctx.settings.published / "springline.duckdb"
    before = file.stat().st_ino
    change(ctx, EVENTS[event])
    publish(ctx)
    assert file.stat().st_ino != before


@pytest.mark.parametrize("product", sorted(PRODUCTS - {"tables"}))
def test_a_product_that_is_gone_is_made_again(product: str, ctx: Context) -> None:
    publish(ctx)
    before = seen(ctx.settings.published)
    (ctx.settings.published / product).unlink()
    publish(ctx)
    after = seen(ctx.settings.published)
    assert {Path(path).name for path in before.keys() & after.keys() if before[path] != after[path]} <= {product}
    assert (ctx.settings.published / product).exists()
