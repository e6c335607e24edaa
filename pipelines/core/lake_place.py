"""Where a tenant's lake is: a catalogue in a schema of PostgreSQL, and its data in a folder or a bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.core.control_place import PostgresSchema, has_password, is_postgres, read_postgres

SCHEME = "ducklake:"
# What readers get has a catalogue of its own: in that of the working tables stand bank accounts, as least and greatest
# values of columns.
READERS = "_published"
# Of PostgreSQL: as long as it lets a name be.
_LONGEST_SCHEMA = 63 - len(READERS)
_BUCKET = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<folder>(?:/[\w.=-]+)*)/?")
_AS = "write it as ducklake:postgresql://user@host:5432/database?schema=tenant"


@dataclass(frozen=True, slots=True)
class LakePlace:
    """The catalogue of a tenant's working tables; written as text it is the address without its password."""

    catalogue: PostgresSchema

    def __str__(self) -> str:
        """Return the address without its password."""
        return f"{SCHEME}{self.catalogue}"

    @property
    def readers(self) -> PostgresSchema:
        """The catalogue of what readers get."""
        return replace(self.catalogue, schema=self.catalogue.schema + READERS)


WarehousePlace = Path | LakePlace


def is_lake(text: str) -> bool:
    """Tell whether a text is meant as the address of a lake.

    >>> is_lake("ducklake:postgresql://books.example/springline"), is_lake("springline.duckdb")
    (True, False)
    """
    return text[: len(SCHEME)].lower() == SCHEME


def is_address_with_password(text: str) -> bool:
    """Tell whether a text is an address of PostgreSQL, a lake's among them, that holds a password."""
    address = text[len(SCHEME) :] if is_lake(text) else text
    return is_postgres(address) and has_password(address)


def read_lake(text: str) -> LakePlace:
    """Read an address such as `ducklake:postgresql://user@host:5432/database?schema=tenant`.

    Raises ValueError in words that hold nothing of a password.

    >>> str(read_lake("ducklake:postgres://tenant:hidden@books.example/springline?schema=tenant_a"))
    'ducklake:postgresql://tenant@books.example/springline?schema=tenant_a'
    """
    address = text[len(SCHEME) :]
    if not is_postgres(address):
        raise ValueError("has no catalogue in PostgreSQL; " + _AS)
    place = LakePlace(read_postgres(address))
    if len(place.catalogue.schema) > _LONGEST_SCHEMA:
        message = (
            f"names a schema longer than {_LONGEST_SCHEMA} characters; that of the readers has {READERS} behind it"
        )
        raise ValueError(message)
    return place


def is_bucket(text: str) -> bool:
    """Tell whether data lie in a bucket, and in no folder.

    >>> is_bucket("s3://books/springline"), is_bucket("/srv/lake")
    (True, False)
    """
    return text[:5].lower() == "s3://"


def read_bucket(text: str) -> str:
    """Read `s3://bucket/folder`; ValueError for what is none.

    >>> read_bucket("s3://books.example/springline/")
    's3://books.example/springline'
    """
    found = _BUCKET.fullmatch(text)
    if found is None:
        raise ValueError("is no bucket; write it as s3://bucket/folder, with nothing behind it")
    return f"s3://{found['bucket']}{found['folder']}"
