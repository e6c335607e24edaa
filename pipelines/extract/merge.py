"""Merges Arrow batches into a staging schema with dlt; imported only when there is something to land."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dlt
from dlt.common import validation
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.runtime.run_context import RunContext
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.core.errors import ExtractError

if TYPE_CHECKING:
    import duckdb
    from dlt.common.destination import DestinationCapabilitiesContext
    from dlt.common.normalizers.naming import NamingConvention
    from dlt.common.schema.typing import TColumnSchema
    from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
    from dlt.extract import DltResource

    from pipelines.extract.incoming import TableRows

STAGING_LAYOUT = "landing_%s"

# Every setting of dlt that is not its default. No telemetry leaves the machine; one thread, because there are one to
# three tables; no rows stay in the staging dataset; dlt's state is not restored, because our cursors say what is read.
SETTINGS: Mapping[str, bool | int | str] = {
    "dlthub_telemetry": False,
    "log_level": "CRITICAL",
    "workers": 1,
    "truncate_staging_dataset": True,
    "restore_from_destination": False,
}

_TYPES: Mapping[str, TColumnSchema] = {
    "VARCHAR": {"data_type": "text"},
    "BIGINT": {"data_type": "bigint"},
    "INTEGER": {"data_type": "bigint", "precision": 32},
    "DECIMAL(38,18)": {"data_type": "decimal", "precision": 38, "scale": 18},
    "BOOLEAN": {"data_type": "bool"},
    # Without this dlt makes a TIMESTAMP WITH TIME ZONE of it, and DuckDB shifts it by the session's zone.
    "TIMESTAMP": {"data_type": "timestamp", "timezone": False, "precision": 6},
    "DATE": {"data_type": "date"},
}


class _OwnSettings(ConfigProvider):
    """All that dlt is told: not the environment of the machine, nor a folder .dlt where a batch happens to run.

    A naming convention or a number of rows a file that is set there for other pipelines would change how rows land.
    Looking in those places is also a fifth of a merge.
    """

    name = "Springline"
    # With sections dlt would ask for each value under every path it may stand at.
    supports_sections = False
    # dlt looks for credentials here too, and finds none: the connection is open already.
    supports_secrets = True

    def get_value(self, key: str, *_place: object, **_by_name: object) -> tuple[bool | int | str | None, str]:
        return SETTINGS.get(key), key


class _OwnRun(RunContext):
    """Where dlt runs: without the providers that would be asked beside ours."""

    def initial_providers(self) -> list[ConfigProvider]:
        return [_OwnSettings()]


class _OpenWarehouse(dlt.destinations.duckdb):
    """DuckDB as dlt knows it, with its capabilities worked out once: dlt asks for them in a dozen places."""

    def capabilities(
        self, config: DuckDbClientConfiguration | None = None, naming: NamingConvention | None = None
    ) -> DestinationCapabilitiesContext:
        # They follow the configuration only where names keep their case.
        if naming is not None and naming.is_case_sensitive:
            return super().capabilities(config, naming)
        return copy(_capabilities())


@cache
def _capabilities() -> DestinationCapabilitiesContext:
    return dlt.destinations.duckdb().capabilities()


def merge(connection: duckdb.DuckDBPyConnection, loads: Sequence[TableRows], *, schema: str, folder: Path) -> None:
    """Merge all tables into ``schema`` of the open warehouse.

    Parents merge on their key, children on their parent's, so a second landing of the same objects changes nothing;
    `append` would double them. Each table is merged in a transaction of its own. ``folder`` is dlt's and is emptied
    before and after: what a killed run left there must not be loaded. Raises ExtractError.
    """
    _begin_dlt()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        pipeline = dlt.pipeline(
            schema,
            destination=_OpenWarehouse(
                connection, destination_name="duckdb", staging_dataset_name_layout=STAGING_LAYOUT
            ),
            dataset_name=schema,
            pipelines_dir=str(folder),
        )
        pipeline.run([_resource(load) for load in loads])
    except PipelineStepFailed as error:
        raise ExtractError(
            f"Landing in {schema} failed: {error.__cause__ or error}",
            next_step="run again: what has landed already is recognised.",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _begin_dlt() -> None:
    # Before dlt makes a context of its own: that one reads its settings, starts its log and its telemetry.
    Container()[PluggableRunContext] = PluggableRunContext(_OwnRun("."))
    # What dlt validates are its own classes, and it reads their annotations anew each time: a seventh of a merge. A
    # release that does it in another way is left as it is.
    if read := vars(validation).get("get_type_hints"):
        once = cache(lambda kind: read(kind, globalns=vars(sys.modules[kind.__module__])))
        vars(validation)["get_type_hints"] = lambda kind, globalns: once(kind)  # noqa: ARG005 dlt names it


def _resource(load: TableRows) -> DltResource:
    columns: dict[str, TColumnSchema] = {name: {"name": name, **_TYPES[sql_type]} for name, sql_type in load.columns}
    hint: TColumnSchema = {"primary_key": True, "nullable": False} if load.is_parent else {"merge_key": True}
    columns[load.key] = {**columns[load.key], **hint}
    resource: DltResource = dlt.resource(iter([load.rows]), name=load.table, write_disposition="merge", columns=columns)
    # Landing has removed duplicates already.
    return resource.apply_hints(additional_table_hints={"x-stage-data-deduplicated": True})
