"""The whole path in dlt with its REST API source, dbt with dbt-duckdb, and requests: land, map by SQL, send.

Amounts land as floats, as dlt's REST client reads JSON; the models cast them to decimals, which is exact for amounts.
The models stand in `path_dbt` and map what the bench's documents need, as path_pandas does.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.rest_api import rest_api_source

from tests.bench.peers.dbt_run import build
from tests.bench.peers.path_wire import ACCOUNT, DOCUMENT, PAYABLES, READY, connect, fields, read_settings

PROJECT = Path(__file__).with_name("path_dbt")


def work(settings: Path, database: Path) -> None:
    """Bring what is ready in the VMS into the ledger."""
    told = read_settings(settings)
    land(told, database)
    project = database.parent / "dbt"
    shutil.copytree(PROJECT, project)
    os.environ["PEER_DATABASE"] = str(database)
    build(project)
    connect(told).deliver(read_lines(database))


def land(told: dict[str, str], database: Path) -> None:
    """Land what is ready, and the control accounts."""
    auth = OAuth2ClientCredentials(
        access_token_url=told["token_url"],
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        access_token_request_data={"audience": told["audience"]},
    )
    pages = {"type": "page_number", "base_page": 1, "page_param": "pageNumber", "total_path": None}
    config: Any = {
        "client": {"base_url": f"{told['base_url']}/", "auth": auth, "paginator": pages},
        "resource_defaults": {"primary_key": "key", "write_disposition": "replace"},
        "resources": [
            {"name": "documents", "endpoint": endpoint("Document", READY, DOCUMENT)},
            {"name": "accounts", "endpoint": endpoint("Account", PAYABLES, ACCOUNT)},
        ],
    }
    pipeline = dlt.pipeline(
        "path",
        pipelines_dir=str(database.parent / "pipelines"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="vms",
    )
    pipeline.run(rest_api_source(config)).raise_on_failed_jobs()


def endpoint(path: str, asked: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what dlt is told of an entity; in a header it takes braces for its own."""
    headers = {name: text.replace("{", "{{").replace("}", "}}") for name, text in fields(wanted).items()}
    return {"path": path, "params": asked, "headers": headers}


def read_lines(database: Path) -> Iterator[dict[str, Any]]:
    """Give the lines of all vouchers, in the ledger's terms."""
    with duckdb.connect(str(database)) as connection:
        found = connection.execute("SELECT * FROM post.voucher_lines ORDER BY trRegNumber, trItemNumber")
        names = [name for name, *_ in found.description]
        for row in found.fetchall():
            yield dict(zip(names, row, strict=True))
