"""Asks the lakes of many tenants one question: each published table with a column ``tenant`` in front."""

# ruff: noqa: S608 - statements are made of quoted names and of literals

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from pipelines.core.errors import SettingsError, SpringlineError, UsageError
from pipelines.core.literals import literal
from pipelines.core.settings import load_settings
from pipelines.core.table_ref import TableRef
from pipelines.core.tenants import Tenant, read_tenants
from pipelines.questions.query import PublishedAge, QueryAnswer, answer, lock
from pipelines.stores.control import named_statements
from pipelines.stores.lake.attach import READERS, attached, lake_of

if TYPE_CHECKING:
    from pathlib import Path

_PUBLISHED = TableRef("ctl", "published")


def status_of_tenants() -> str:
    """Return the question that tells of each tenant what `springline status` counts."""
    return named_statements("tenants", folder="questions")["status"]


@contextmanager
def ask_tenants(file: Path, text: str | None, *, environ: Mapping[str, str]) -> Iterator[QueryAnswer]:
    """Run one SELECT, or the name of a table, on all tenants of a list and yield its answer.

    A tenant that cannot be asked is an error that names it, since an answer without it would look whole. UsageError for
    what is no question, and for what ``query.ask`` refuses.
    """
    if text is None:
        raise UsageError(
            "With --tenants there must be a question.",
            next_step="name a table, as rec.documents, or ask a SELECT; `springline query` without --tenants lists "
            "what there is.",
        )
    with TemporaryDirectory(prefix="springline-query-") as spill, duckdb.connect() as connection, ExitStack() as stack:
        folders: list[str] = []
        databases: dict[str, str] = {}
        for place, tenant in enumerate(read_tenants(file).values()):
            database = databases[tenant.name] = f"tenant_{place}"
            folders.append(_attach(connection, tenant, database, stack, environ=environ))
        age = _age(connection, databases)
        lock(connection, spill=spill, folders=folders)
        for ref in _named(connection, text):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {ref.schema}")
            connection.execute(f"CREATE VIEW {ref.quoted} AS {_together(connection, databases, ref)}")
        yield answer(connection, text, age)


def _attach(
    connection: duckdb.DuckDBPyConnection,
    tenant: Tenant,
    database: str,
    stack: ExitStack,
    *,
    environ: Mapping[str, str],
) -> str:
    """Attach the readers' lake of a tenant under a name, and return where its data are."""
    try:
        settings = load_settings(tenant.config, environ={**environ, **tenant.secret_files()})
        if lake_of(settings) is None:
            raise SettingsError(
                f"its warehouse is the file {settings.warehouse}, and no lake.",
                next_step=f"ask it alone (`springline query --config {tenant.config}`), or give it three addresses "
                "(docs/how-to/lake.md).",
            )
        return stack.enter_context(attached(connection, settings, name=READERS, alias=database, is_read_only=True))
    except SpringlineError as error:
        error.message = f"Tenant {tenant.name}: {error.message}"
        raise


def _age(connection: duckdb.DuckDBPyConnection, databases: Mapping[str, str]) -> PublishedAge:
    """Return how old the oldest answer is."""
    try:
        rows = connection.execute(
            f"SELECT published_at, batch_id, as_of_vms, as_of_ledger, tenant "
            f"FROM ({_together(connection, databases, _PUBLISHED)}) ORDER BY published_at"
        ).fetchall()
    except duckdb.CatalogException:
        rows = []
    missing = databases.keys() - {row[-1] for row in rows}
    if missing:
        raise UsageError(
            f"Nothing is published yet of {', '.join(sorted(missing))}.",
            next_step="`springline run publish` with its settings.",
        )
    published_at, batch_id, as_of_vms, as_of_ledger, tenant = rows[0]
    whose = f"{len(databases)} tenants, the oldest {tenant}: "
    return PublishedAge(published_at, batch_id, as_of_vms, as_of_ledger, whose)


def _together(connection: duckdb.DuckDBPyConnection, databases: Mapping[str, str], ref: TableRef) -> str:
    """Query a table of all tenants that have it: a release may have made it, and not every tenant has that one yet."""
    having = {
        name
        for (name,) in connection.execute(
            "SELECT database_name FROM duckdb_tables() "
            f"WHERE schema_name = {literal(ref.schema)} AND table_name = {literal(ref.name)}"
        ).fetchall()
    }
    parts = [
        f"SELECT {literal(tenant)} AS tenant, * FROM {database}.{ref.quoted}"
        for tenant, database in databases.items()
        if database in having
    ]
    return " UNION ALL BY NAME ".join(parts) or f"FROM {ref.quoted}"


def _named(connection: duckdb.DuckDBPyConnection, text: str) -> list[TableRef]:
    """Return the published tables whose names stand in a question."""
    words = {word.lower() for word in re.findall(r"\w+\.\w+", text.replace('"', ""))}
    rows = connection.execute(
        "SELECT DISTINCT schema_name, table_name FROM duckdb_tables() WHERE database_name <> current_database()"
    ).fetchall()
    return sorted(ref for row in rows if str(ref := TableRef(*row)) in words)
