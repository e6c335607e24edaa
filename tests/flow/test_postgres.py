"""All models over the sample and over generated documents: each verdict as meant, each row the same on PostgreSQL.

The sample is staged by the product's own steps from the sandbox, as a dry run, so that master data which a run would
create first counts as there. PostgreSQL's rows come from the transpiled models over copies of the same staged rows.
"""

# ruff: noqa: S608 - names are quoted

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from psycopg.sql import SQL, Identifier

from pipelines.batch.jobs import JOBS
from pipelines.batch.run import run_batch
from pipelines.core.settings import load_settings
from pipelines.core.table_ref import TableRef, quote
from pipelines.extract import steps as extract_steps
from pipelines.models import steps as models
from pipelines.models import steps as reconcile_steps
from pipelines.models.build import build
from pipelines.models.sources import SCHEMAS
from pipelines.step.step import Job, Step
from tests.models.conftest import prepare
from tests.property.documents import worlds
from tests.property.test_mapping import Mapper
from tests.support.engines import create_external, create_models
from tests.support.postgres import Postgres, running_postgres
from tests.support.sandbox_server import SAMPLE, running_sandbox
from tests.support.verified import verified_models

if TYPE_CHECKING:
    from pipelines.models.model import Catalog
    from tests.property.reference_mapping import Document, Tenant

pytestmark = pytest.mark.system

EXIT_REJECTED = 11  # the sample has documents that break their contract
GENERATED_WORLDS = 12

# What a fault brings along: without an amount, or with VAT that belongs to no line or to no voucher, a voucher cannot
# balance either; a voyage waits for its vessel.
IMPLIED: Mapping[str, str] = {
    "amount_missing": "voucher_not_balanced",
    "vat_on_gl_document": "voucher_not_balanced",
    "vat_without_taxed_line": "voucher_not_balanced",
    "vessel_missing": "voyage_missing",
}
# Nothing is sent yet: every reversal waits for what it takes back, and goes after it once a run has sent that.
WAITS = "original_not_sent"
ACCRUALS_REVERSED = frozenset({"ACR", "CAR", "BAR"})
# Verdicts that SQL cannot give.
BY_CHECKS = frozenset({"kid_invalid", "iban_invalid"})

World = duckdb.DuckDBPyConnection


class Sample(NamedTuple):
    """The verified models, and the warehouse they were built in."""

    catalog: Catalog
    warehouse: World


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """Read the sample world with every step that reads, and build all models over it."""
    folder = tmp_path_factory.mktemp("sample")
    reading = {
        step.run: step for job in JOBS.values() for step in job.steps if step.run.__module__ == extract_steps.__name__
    }
    building = (models.build_models, reconcile_steps.build_comparison, reconcile_steps.build_close)
    stage = Job("stage", (*reading.values(), *(Step(step.__name__, step) for step in building)))
    with running_sandbox(folder) as sandbox:
        sandbox.control("POST", "clock", {"now": "2026-11-02T08:00:00Z"})
        chosen = load_settings(None, environ={**sandbox.env, "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb")})
        done = run_batch(
            chosen,
            jobs=[stage],
            operator="tester",
            now=lambda: datetime(2026, 11, 2, 8, tzinfo=UTC),
            today=date(2026, 11, 2),
            is_dry_run=True,
        )
    assert done.exit_code == EXIT_REJECTED, done.problems
    with duckdb.connect(str(chosen.warehouse_path)) as warehouse:
        catalog = verified_models()
        # In the product they are views of the published file; PostgreSQL builds them as it builds the others.
        build(warehouse, catalog.models, schemas=("analysis",))
        yield Sample(catalog, warehouse)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_postgres() as address:
        yield address


def _reversals() -> set[str]:
    """Give the numbers of what takes back a document that a run has to send first."""
    lines = (SAMPLE / "vms" / "Document.jsonl").read_text(encoding="utf-8").splitlines()
    documents = {row["documentNo"]: row for row in map(json.loads, lines)}
    by_reference = {
        number
        for number, row in documents.items()
        for line in row["documentLines"]
        if "refDocument" in line and documents[line["refDocument"]]["invoicingStatus"] != "POS"
    }
    return by_reference | {number for number, row in documents.items() if row["documentType"] in ACCRUALS_REVERSED}


def test_each_sample_document_breaks_the_rules_meant(sample: Sample) -> None:
    meant = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))["documents"]
    reversals = _reversals()
    found = sample.warehouse.execute("SELECT * FROM post.document_checks")
    names = [column[0] for column in found.description or ()]
    wrong = {}
    for row in found.fetchall():
        verdicts = dict(zip(names, row, strict=True))
        document = meant[verdicts["document_no"]]
        wanted = {*document["rules"], *document["warnings"]} - BY_CHECKS
        broken = {name.removeprefix("ok_") for name, value in verdicts.items() if name.startswith("ok_") and not value}
        implied = {IMPLIED[rule] for rule in wanted & IMPLIED.keys()}
        implied |= {WAITS} if verdicts["document_no"] in reversals else set()
        if broken - implied != wanted - implied:
            wrong[verdicts["document_no"]] = (sorted(broken), sorted(wanted), document["branch"])
    assert not wrong


def test_the_sample_has_the_same_rows_on_postgres(sample: Sample, server: str) -> None:
    with _database(server, "sample") as postgres:
        assert _different(sample.catalog, sample.warehouse, postgres) == {}


def test_generated_documents_have_the_same_rows(sample: Sample, server: str) -> None:
    tenant, documents = _generated()
    with duckdb.connect() as world, _database(server, "generated") as postgres:
        prepare(world, sample.catalog)
        Mapper(world, sample.catalog).map(tenant, documents)
        build(world, sample.catalog.models, schemas=SCHEMAS)
        assert _different(sample.catalog, world, postgres) == {}


def _generated() -> tuple[Tenant, list[Document]]:
    """Draw documents as the property tests do, all for one tenant."""
    drawn: list[tuple[Tenant, list[Document]]] = []

    @settings(
        max_examples=GENERATED_WORLDS, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
    )
    @given(worlds())
    def draw(world: tuple[Tenant, list[Document]]) -> None:
        drawn.append(world)

    draw()
    every = [document for _, documents in drawn for document in documents]
    return drawn[-1][0], [replace(d, key=key, number=f"27{key:05d}") for key, d in enumerate(every, 1)]


@contextmanager
def _database(server: str, name: str) -> Iterator[Postgres]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    with psycopg.connect(server, dbname=name, autocommit=True) as connection:
        yield connection


def _different(catalog: Catalog, world: World, postgres: Postgres) -> dict[str, list[tuple[str, ...]]]:
    """Build all models on PostgreSQL over a world's staged rows; return what only one of the two engines has."""
    create_external(postgres, catalog.external)
    for ref, columns in catalog.external.items():
        listed = ", ".join(map(quote, columns))
        _copy(postgres, ref, world.execute(f"SELECT {listed} FROM {ref.quoted}").fetchall())
    create_models(postgres, catalog)
    found = {}
    for model in catalog.models:
        listed = ", ".join(quote(column.name) for column in model.columns)
        query = f"SELECT {listed} FROM {model.ref.quoted}"
        ours, theirs = _plain(world.execute(query).fetchall()), _plain(postgres.execute(query).fetchall())
        if ours != theirs:
            found[str(model.ref)] = sorted({*ours} ^ {*theirs})[:4] or [("the same rows, another number of times",)]
    return found


def _copy(postgres: Postgres, ref: TableRef, rows: Sequence[Sequence[object]]) -> None:
    with postgres.cursor() as cursor, cursor.copy(f"COPY {ref.quoted} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _plain(rows: Iterable[Sequence[object]]) -> list[tuple[str, ...]]:
    """Sort rows; a number is written without the zeros that tell its scale."""
    return sorted(tuple(map(_text, row)) for row in rows)


def _text(value: object) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return format(Decimal(value).normalize(), "f")
    return str(value)
