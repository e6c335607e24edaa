"""Merges Arrow batches into a staging schema with dlt; imported only when there is something to land."""

from __future__ import annotations

import gc
import logging
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dlt
from dlt.common import logger, validation
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import ConfigProvider
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.runtime.run_context import RunContext
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.core.errors import ExtractError
from pipelines.extract.destination import OpenWarehouse

if TYPE_CHECKING:
    import duckdb
    from dlt.common.schema.typing import TColumnSchema
    from dlt.extract import DltResource

    from pipelines.extract.incoming import TableRows

# Every setting of dlt that is not its default. No telemetry leaves the machine; one thread, because there are one to
# three tables; dlt's state is not restored, because our cursors say what is read; its record of a run nobody reads.
SETTINGS: Mapping[str, bool | int | str] = {
    "dlthub_telemetry": False,
    "log_level": "CRITICAL",
    "workers": 1,
    "restore_from_destination": False,
    "enable_runtime_trace": False,
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
    """Where dlt runs: without the providers that would be asked beside ours, and without a client for the web."""

    def initial_providers(self) -> list[ConfigProvider]:
        return [_OwnSettings()]

    def initialize_runtime(self, runtime_config: RuntimeConfiguration | None = None) -> None:
        # dlt's own also begins its telemetry and imports a client for the web, which takes a tenth of a second.
        self._runtime_config = runtime_config or resolve_configuration(RuntimeConfiguration())
        logger.LOGGER = logging.getLogger(self.name)
        logger.LOGGER.setLevel(logging.CRITICAL)


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
            destination=OpenWarehouse(connection, destination_name="duckdb"),
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
    # What has been imported stays: each collection of garbage would look through all of it again.
    gc.freeze()
    # Before dlt makes a context of its own: that one reads its settings, starts its log and its telemetry.
    Container()[PluggableRunContext] = PluggableRunContext(_OwnRun("."))
    # What dlt validates are its own classes, and it reads their annotations anew each time: a seventh of a merge. A
    # release that does it in another way is left as it is.
    if read := vars(validation).get("get_type_hints"):
        once = cache(lambda kind: read(kind, globalns=vars(sys.modules[kind.__module__])))
        vars(validation)["get_type_hints"] = lambda kind, globalns: once(kind)  # noqa: ARG005 dlt names it


def _resource(load: TableRows) -> DltResource:
    # Of the rows dlt sees the other types as they are. Of a time it would make a TIMESTAMP WITH TIME ZONE, and DuckDB
    # shifts that by the session's zone.
    columns: dict[str, TColumnSchema] = {
        name: {"data_type": "timestamp", "timezone": False, "precision": 6}
        for name, sql_type in load.columns
        if sql_type == "TIMESTAMP"
    }
    columns[load.key] = {"primary_key": True, "nullable": False} if load.is_parent else {"merge_key": True}
    resource: DltResource = dlt.resource(iter([load.rows]), name=load.table, write_disposition="merge", columns=columns)
    # Landing has removed duplicates already.
    return resource.apply_hints(additional_table_hints={"x-stage-data-deduplicated": True})
