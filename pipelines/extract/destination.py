"""The open warehouse as a destination of dlt: each file of rows is merged where it belongs, and copied nowhere else."""

from __future__ import annotations

from copy import copy
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, cast

import dlt
from dlt.common.destination.client import RunnableLoadJob
from dlt.destinations.impl.duckdb.duck import DuckDbClient
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.sql_jobs import SqlMergeFollowupJob

from pipelines.core.literals import literal

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    import duckdb
    from dlt.common.destination import DestinationCapabilitiesContext
    from dlt.common.destination.client import LoadJob
    from dlt.common.destination.dataset import DBApiCursor
    from dlt.common.destination.typing import PreparedTableSchema
    from dlt.common.normalizers.naming import NamingConvention
    from dlt.common.schema import Schema
    from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration, DuckDbConnectionPool


class OpenWarehouse(dlt.destinations.duckdb):
    """DuckDB as dlt knows it, with its capabilities worked out once: dlt asks for them in a dozen places."""

    @property
    def client_class(self) -> type[DuckDbClient]:
        """Who writes."""
        return _Client

    def capabilities(
        self, config: DuckDbClientConfiguration | None = None, naming: NamingConvention | None = None
    ) -> DestinationCapabilitiesContext:
        """Return what DuckDB can do."""
        # They follow the configuration only where names keep their case.
        if naming is not None and naming.is_case_sensitive:
            return super().capabilities(config, naming)
        return copy(_capabilities())


@cache
def _capabilities() -> DestinationCapabilitiesContext:
    return dlt.destinations.duckdb().capabilities()


class _SqlClient(DuckDbSqlClient):
    """Writes values into the text of a statement: to bind them DuckDB imports pandas, a tenth of a second and 40 MB."""

    def open_connection(self) -> duckdb.DuckDBPyConnection:
        pool = cast("DuckDbConnectionPool", self.credentials.conn_pool)
        connection = pool.borrow_conn()
        # dlt's own settings, which it would bind.
        for name, value in self._global_config.items():
            connection.execute(f"SET GLOBAL {name} = {literal(value)}")
        connection.execute(f"SET search_path = {literal(self.fully_qualified_dataset_name())}")
        self._conn = connection
        return connection

    def execute_query(  # type: ignore[override]  # dlt has text alone for us, and no values by name
        self, query: str, *values: int | str | datetime
    ) -> AbstractContextManager[DBApiCursor]:
        texts = chain(map(literal, values), [""])
        return super().execute_query("".join(chain.from_iterable(zip(query.split("%s"), texts, strict=True))))


class _Client(DuckDbClient):
    """Has rows merged from the file they come in; dlt's own copies them into a second table, and merges that."""

    def __init__(
        self, schema: Schema, config: DuckDbClientConfiguration, capabilities: DestinationCapabilitiesContext
    ) -> None:
        super().__init__(schema, config, capabilities)
        own = self.sql_client
        self.sql_client = _SqlClient(own.dataset_name, own.staging_dataset_name, own.credentials, own.capabilities)

    def should_load_data_to_staging_dataset(self, table_name: str) -> bool:  # noqa: ARG002 dlt asks for each table
        return False

    def create_load_job(
        self,
        table: PreparedTableSchema,
        file_path: str,
        load_id: str,
        restore: bool = False,  # noqa: FBT001, FBT002 dlt's own
    ) -> LoadJob:
        if table["write_disposition"] == "merge":
            return _MergeFile(file_path)
        return super().create_load_job(table, file_path, load_id, restore)


class _MergeFile(RunnableLoadJob):
    """Merges the rows of one file, in one transaction, by the statements that dlt merges its second table with."""

    _job_client: _Client

    def run(self) -> None:
        client = self._job_client.sql_client
        _, second = client.get_qualified_table_names(self.load_table_name)
        rows = f"read_parquet({literal(self._file_path)})"
        statements = SqlMergeFollowupJob.generate_sql([self._load_table], client)
        with client.begin_transaction():
            client.execute_many([statement.replace(second, rows) for statement in statements])
