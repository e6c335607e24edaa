"""Attaches a lake to an open working database; whatever DuckDB needs for it comes from packages, never from the net."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb

from pipelines.core.access import make_folders
from pipelines.core.errors import ModelError, SettingsError
from pipelines.core.hiding import hide_in_text
from pipelines.core.lake_place import LakePlace, is_bucket
from pipelines.core.literals import literal

if TYPE_CHECKING:
    from pydantic import SecretStr

    from pipelines.core.control_place import PostgresSchema
    from pipelines.core.settings import Settings

# How an attached lake is called in a statement.
LAKE = "lake"
# A tenant's two lakes.
WORKING, READERS = "working", "published"
EXTENSIONS = ("postgres_scanner", "ducklake")
_FOR_BUCKETS = "httpfs"
# Nothing is fetched while it runs: an extension that is missing is a fault, and not a download.
_CLOSED = "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false"
# Seconds until a server that does not answer counts as not there, where the address says nothing else.
_PATIENCE = ("connect_timeout", "10")
# Rows in the catalogue itself would outlive what is deleted here.
_OPTIONS = "DATA_INLINING_ROW_LIMIT 0"
AGAIN = (
    "see that its server and its data can be reached, then run again. A lake that is damaged is begun anew: drop both "
    "its schemas (`DROP SCHEMA … CASCADE`); the next run writes it from the working database, or reads both systems."
)


def lake_of(settings: Settings) -> LakePlace | None:
    """Return the lake that the settings name, None where the warehouse is a file."""
    return settings.warehouse if isinstance(settings.warehouse, LakePlace) else None


@contextmanager
def attached(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    name: str = WORKING,
    alias: str = LAKE,
    is_read_only: bool = False,
) -> Iterator[str]:
    """Attach one of a tenant's lakes while a block runs, made where it is not there; yield where its data are.

    Raises SettingsError where it cannot be reached, ModelError where it cannot be read or written.
    """
    place = lake_of(settings)
    if place is None or settings.data is None:
        raise AssertionError(settings.warehouse)
    catalogue = place.catalogue if name == WORKING else place.readers
    root = settings.data if is_bucket(settings.data) else str(Path(settings.data).absolute())
    folder = f"{root}/{catalogue.schema}"
    _prepare(connection, settings, catalogue, folder=folder, alias=alias)
    try:
        data = _attach(connection, catalogue, folder, alias=alias, is_read_only=is_read_only)
    except duckdb.Error as error:
        message = f"The lake {place} cannot be reached: {_words(error)}"
        raise SettingsError(
            message, next_step="see that its server runs and lets this user in, then `springline check`."
        ) from None
    if not data.startswith(f"{root}/"):
        _detach(connection, alias)
        message = f"The lake {place} has its data in {data}, and the setting `data` says {settings.data}."
        raise SettingsError(message, next_step="name that place in `data`, or begin a lake in another schema.")
    try:
        yield data
    except duckdb.Error as error:
        raise ModelError(
            f"The lake {place} with its data in {data} could not be read or written: {_words(error)}",
            next_step=AGAIN,
        ) from error
    finally:
        _detach(connection, alias)


def _attach(
    connection: duckdb.DuckDBPyConnection, catalogue: PostgresSchema, folder: str, *, alias: str, is_read_only: bool
) -> str:
    """Attach a lake and return where its data are; one that is new gets a folder that no other catalogue knows.

    In a folder of two catalogues each would delete the files of the other as left by a killed write.
    """
    options = [f"METADATA_SCHEMA {literal(catalogue.schema)}", _OPTIONS]
    options += [f"META_SECRET {alias}_catalogue"] if catalogue.password else []
    attach = f"ATTACH {literal(f'ducklake:postgres:{_connection_words(catalogue)}')} AS {alias}"
    is_there = "READ_ONLY, CREATE_IF_NOT_EXISTS false" if is_read_only else "CREATE_IF_NOT_EXISTS false"
    try:
        connection.execute(f"{attach} ({', '.join([*options, is_there])})")
    except duckdb.InvalidInputException:
        if is_read_only:
            raise
        new = f"{folder}-{secrets.token_hex(4)}/"
        if not is_bucket(new):
            make_folders(Path(new))
        connection.execute(f"{attach} ({', '.join([*options, f'DATA_PATH {literal(new)}'])})")
    [(data,)] = connection.execute(
        f"SELECT value FROM ducklake_options('{alias}') WHERE option_name = 'data_path'"  # noqa: S608 our own name
    ).fetchall()
    return str(data)


def _detach(connection: duckdb.DuckDBPyConnection, alias: str) -> None:
    """Let a lake go; nothing in it waits to be written, and a server that has gone meanwhile is told already."""
    try:
        connection.execute(f"DETACH DATABASE IF EXISTS {alias}")
    except duckdb.Error:
        connection.rollback()
        connection.execute(f"DETACH DATABASE IF EXISTS {alias}")


def _prepare(
    connection: duckdb.DuckDBPyConnection, settings: Settings, place: PostgresSchema, *, folder: str, alias: str
) -> None:
    connection.execute(_CLOSED)
    for extension in (*EXTENSIONS, *((_FOR_BUCKETS,) if is_bucket(folder) else ())):
        _load(connection, extension)
    if place.password:
        _keep_secret(connection, f"{alias}_catalogue", TYPE="postgres", PASSWORD=place.password)
    if is_bucket(folder):
        _keep_secret(connection, f"{alias}_data", TYPE="s3", SCOPE=folder, **_of_bucket(settings))


def _load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    package = find_spec(f"duckdb_extension_{extension}")
    files = Path(package.origin or "").parent if package else Path()
    file = files / "extensions" / f"v{duckdb.__version__}" / f"{extension}.duckdb_extension"
    if package is None or not file.exists():
        what = "is missing" if package is None else f"is not of DuckDB {duckdb.__version__}, which is installed"
        raise SettingsError(
            f"The warehouse is a lake, and the package duckdb-extension-{extension.replace('_', '-')} {what}.",
            next_step="`pip install 'springline[lake]'`, or name a file in the setting `warehouse`.",
        )
    connection.execute(f"LOAD {literal(file)}")


def _of_bucket(settings: Settings) -> dict[str, str]:
    """Return what DuckDB is told of a bucket."""
    lake = settings.lake
    endpoint = urlsplit(lake.endpoint) if lake.endpoint else None
    told = {
        "KEY_ID": lake.access_key,
        "SECRET": _shown(lake.secret_key),
        "SESSION_TOKEN": _shown(lake.session_token),
        "REGION": lake.region,
        "ENDPOINT": endpoint and f"{endpoint.netloc}{endpoint.path.rstrip('/')}",
        # Servers that are not Amazon's have no host of its own for each bucket.
        "URL_STYLE": endpoint and "path",
        "USE_SSL": endpoint and str(endpoint.scheme.lower() == "https").lower(),
    }
    return {name: value for name, value in told.items() if value}


def _shown(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _keep_secret(connection: duckdb.DuckDBPyConnection, name: str, **values: str) -> None:
    listed = ", ".join(f"{key} {literal(value)}" for key, value in values.items())
    try:
        # In memory: by itself DuckDB keeps none on disk.
        connection.execute(f"CREATE OR REPLACE TEMPORARY SECRET {name} ({listed})")
    except duckdb.Error as error:
        # Its words repeat the statement.
        message = f"DuckDB takes no sign-in for the lake ({type(error).__name__})."
        raise SettingsError(message, next_step="correct section [lake] of the settings.") from None


def _connection_words(place: PostgresSchema) -> str:
    r"""Return a connection in libpq's words, without the password.

    >>> from pipelines.core.control_place import read_postgres
    >>> _connection_words(read_postgres("postgresql://o%27hara:hidden@localhost/books"))
    "application_name='springline' connect_timeout='10' dbname='books' host='localhost' user='o\\'hara'"
    """
    named = {"application_name": "springline", **dict([_PATIENCE]), **dict(place.connection)}
    escaped = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in named.items()}
    return " ".join(f"{name}='{value}'" for name, value in escaped.items())


def _words(error: duckdb.Error) -> str:
    """Return the first line of an error; the lines below may show values of a row."""
    return hide_in_text((str(error).splitlines() or [""])[0]).rstrip(".") + "."


def reach(settings: Settings) -> None:
    """Attach both of a tenant's lakes, making what is missing of their catalogues; raises what ``attached`` raises."""
    with duckdb.connect() as connection:
        for name in (WORKING, READERS):
            with attached(connection, settings, name=name):
                connection.execute(f"SELECT count(*) FROM {LAKE}.snapshots()")  # noqa: S608 our own name
