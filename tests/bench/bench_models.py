"""The models alone beside dbt and sqlmesh: the same files of map, post, rec and close built on the same warehouse.

Run as ``python -m tests.bench.bench_models [DOCUMENTS]``. Each builds them twice in a process of its own, a peer in an
environment of its own: into a warehouse that has none of them, and again with nothing changed. Columns, types and rows
of all models are compared before a time is printed; of one that differs the first differences are.

What each does the second time is not the same. Springline compares marks of files and rows and finds nothing to build.
sqlmesh's ``run`` asks the clock alone what is due, and finds nothing. dbt's ``run`` builds all again.

What the peers are told beside the files: dbt, what a model reads, in a comment, so that its SQL stays as it is;
sqlmesh, the types of all columns, since it casts to those that it infers, where a number of 13 digits is an INT and
fails. Its optimizer also makes CONCAT_WS null where one of the words is, so that rows differ: it is shown once as it
comes and once with ``optimize_query false``. The two models that keep rows of before are plain tables for the peers.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import duckdb

from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.core.table_ref import TableRef, quote
from pipelines.models.functions import functions_sql
from pipelines.models.model import Catalog, Model
from pipelines.models.store import open_catalog
from tests.bench.bench_peers import LEFT_OUT, run_peer, spent_line, spent_row
from tests.bench.desk import say
from tests.bench.kept import Row, keep
from tests.bench.peers.models_springline import SCHEMAS, THREADS
from tests.bench.rec_world import fill
from tests.models.conftest import prepare

DOCUMENTS = 100_000
SHOWN = 3
# As Springline builds them: rows have no order but the one a reader asks for.
DUCKDB = {"threads": THREADS, "preserve_insertion_order": False}


def make_world(path: Path, catalog: Catalog, documents: int) -> None:
    """Write a warehouse with what the models stand on, and their functions for all who connect."""
    with duckdb.connect(str(path)) as connection:
        prepare(connection, catalog)
        fill(connection, documents)
        for schema in sorted({model.ref.schema for model in catalog.models}):
            connection.execute(f"DROP SCHEMA {quote(schema)} CASCADE")
        connection.execute(functions_sql().replace("TEMPORARY ", ""))


def write_nothing(_folder: Path, _database: Path, _catalog: Catalog) -> None:
    """Write no project: ours reads the files where they are."""


def write_dbt(folder: Path, database: Path, catalog: Catalog) -> None:
    """Write the models as a dbt project; names that two schemas have are told apart by the schema before them."""
    own = {"materialized": "table", **{schema: {"+schema": schema} for schema in SCHEMAS}}
    project = {"name": "models", "version": "1.0.0", "profile": "models", "models": {"models": own}}
    output = {"type": "duckdb", "path": str(database), "threads": THREADS, "settings": DUCKDB}
    write_files(
        folder,
        {
            "dbt_project.yml": json.dumps({**project, "flags": {"send_anonymous_usage_stats": False}}),
            "profiles.yml": json.dumps({"models": {"target": "peer", "outputs": {"peer": output}}}),
            "macros/generate_schema_name.sql": "{% macro generate_schema_name(name, node) %}{{ name }}{% endmacro %}",
        },
    )
    for model in chosen(catalog):
        reads = [f"-- depends_on: {{{{ ref('{dbt_name(ref)}') }}}}" for ref in model.reads if ref.schema in SCHEMAS]
        head = "\n".join([f"{{{{ config(alias='{model.ref.name}') }}}}", *reads])
        write_files(folder, {f"models/{model.ref.schema}/{dbt_name(model.ref)}.sql": f"{head}\n{model.sql}"})


def dbt_name(ref: TableRef) -> str:
    """Return a name that no other model of the project has."""
    return f"{ref.schema}__{ref.name}"


def write_sqlmesh(folder: Path, database: Path, catalog: Catalog, *, more: str = "") -> None:
    """Write the models as a sqlmesh project, with more said of each."""
    connection = {
        "type": "duckdb",
        "database": str(database),
        "connector_config": DUCKDB,
        # Ours has none either.
        "register_comments": False,
    }
    config = {
        "gateways": {"peer": {"connection": connection}},
        "model_defaults": {"dialect": "duckdb", "start": "2026-01-01"},
        "disable_anonymized_analytics": True,
    }
    external = [{"name": str(ref), "columns": {**columns}} for ref, columns in catalog.external.items()]
    write_files(folder, {"config.yaml": json.dumps(config), "external_models.yaml": json.dumps(external)})
    for model in chosen(catalog):
        columns = ", ".join(f"{quote(column.name)} {column.type}" for column in model.columns)
        head = f"MODEL (name {model.ref}, kind FULL, {more}columns ({columns}));"
        write_files(folder, {f"models/{model.ref}.sql": f"{head}\n{model.sql};\n"})


# Each with what writes its project, its module, and its environment; None is ours.
PEERS: dict[str, tuple[Callable[[Path, Path, Catalog], None], str, str | None]] = {
    "Springline": (write_nothing, "models_springline", None),
    "dbt": (write_dbt, "models_dbt", "dbt"),
    "sqlmesh, as it comes": (write_sqlmesh, "models_sqlmesh", "sqlmesh"),
    "sqlmesh, SQL as it is written": (
        partial(write_sqlmesh, more="optimize_query false, "),
        "models_sqlmesh",
        "sqlmesh",
    ),
}


def write_files(folder: Path, texts: dict[str, str]) -> None:
    """Write files of a project."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def chosen(catalog: Catalog) -> Sequence[Model]:
    """Return the models that are built here."""
    return [model for model in catalog.models if model.ref.schema in SCHEMAS]


def differences(ours: Path, theirs: Path, models: Sequence[Model]) -> Iterator[str]:
    """Say of each model that differs by how many rows, and how the first of them does."""
    with duckdb.connect() as connection:
        # Views of a file know its tables by its name.
        files = {"ours": ours, theirs.stem: theirs}
        for name, path in files.items():
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        for model in models:
            tables = [f"{name}.{model.ref.quoted}" for name in files]
            shapes = [connection.sql(f"FROM {table}") for table in tables]
            if any(getattr(shapes[0], of) != getattr(shapes[1], of) for of in ("columns", "types")):
                yield f"{model.ref} has other columns"
                continue
            lost, added = apart(connection, *tables), apart(connection, *reversed(tables))
            if lost or added:
                cells = zip(model.columns, (lost or added)[0], (added or lost)[0], strict=True)
                words = [f"{column.name} {other!r} for {mine!r}" for column, mine, other in cells if mine != other]
                yield f"{model.ref}: {len(lost):,} rows for {len(added):,}, the first has {', '.join(words)}"


def apart(connection: duckdb.DuckDBPyConnection, table: str, other: str) -> list[tuple[object, ...]]:
    """Return the rows that only the first of two tables has, in order."""
    rows = f"SELECT * FROM (SELECT * FROM {table} EXCEPT ALL SELECT * FROM {other}) ORDER BY ALL"  # noqa: S608 our own names
    return connection.execute(rows).fetchall()


def main(documents: int) -> None:
    """Build with each, one after the other, and print what it took beside ours."""
    catalog = open_catalog(sql_folder(), declared_tables())
    models = chosen(catalog)
    ours: list[float] = []
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="springline-models-") as name:
        folder = Path(name)
        make_world(folder / "world.duckdb", catalog, documents)
        say(f"{len(models)} models on {documents:,} documents, built, and again unchanged; seconds of processor:")
        for place, (peer, (write, module, environment)) in enumerate(PEERS.items()):
            own = folder / str(place)
            own.mkdir()
            database = own / "springline.duckdb"
            shutil.copy(folder / "world.duckdb", database)
            write(own / "project", database, catalog)
            cost = run_peer(module, environment, own / "project", database, times=2)
            if cost is None:
                say(f"  {peer:<30} {LEFT_OUT}")
                continue
            if found := list(differences(folder / "0" / database.name, database, models)):
                say("\n    ".join([f"  {peer:<30} DIFFERS in {len(found)} models", *found[:SHOWN]]))
                rows.append({"what": peer, "rows": f"{len(found)} models differ"})
                continue
            ours = ours or [processor for _, processor in cost.report["took"]]
            say(spent_line(peer, cost, ours, "rows alike"))
            rows.append(spent_row(peer, ("first build", "nothing changed"), cost, ours, rows="alike"))
    if documents == DOCUMENTS:
        keep("models", {"models": rows}, peers=("dbt", "sqlmesh"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS)
