"""The settings of a lake: how its bucket is reached, and how long what was replaced can still be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from pipelines.core.control_place import Place, PostgresSchema
from pipelines.core.lake_place import LakePlace, WarehousePlace
from pipelines.core.settings_section import Section
from pipelines.core.settings_values import BaseAddress, Text

if TYPE_CHECKING:
    from pipelines.core.settings_sources import Location


class LakeSettings(Section):
    """How the bucket of a lake (`data`) is reached, and how long its old snapshots stay."""

    endpoint: BaseAddress | None = Field(
        default=None,
        description="address of a bucket's server that is not Amazon's",
        examples=["https://s3.example"],
    )
    region: Text | None = Field(default=None, description="region of the bucket", examples=["eu-north-1"])
    access_key: Text | None = Field(
        default=None,
        description="name of the key to the bucket; with its secret unset, that of the machine's environment "
        "(`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`)",
        examples=["AKIAEXAMPLE"],
    )
    secret_key: SecretStr | None = Field(default=None, description="secret of the key to the bucket")
    session_token: SecretStr | None = Field(default=None, description="token of a key that holds for a while")
    plain_http: bool = Field(
        default=False,
        description="`true` lets an address of this section begin with http:// where it is not on this machine: "
        "every table then travels for all to read",
    )
    keep_days: int = Field(
        default=7,
        ge=1,
        le=3650,
        description="days for which the tables of an earlier batch can still be read; then their files are deleted",
    )


def lake_faults(
    warehouse: WarehousePlace, *, data: str | None, control: Place | None, lake: LakeSettings
) -> Iterator[tuple[Location, object, str]]:
    """Yield what a lake lacks, with where it stands and its value.

    It has no lock of its own: a control store that all machines share keeps a second batch out.
    """
    if not isinstance(warehouse, LakePlace):
        return
    at, text = ("warehouse",), str(warehouse)
    if data is None:
        yield at, text, "is a lake without a place for its data; set data to a folder or a bucket, s3://bucket/folder"
    if not isinstance(control, PostgresSchema):
        yield (
            at,
            text,
            "is a lake, which has no lock that keeps a second batch out; set control to a schema of PostgreSQL too: "
            "postgresql://user@host/database?schema=tenant",
        )
    elif str(control) in {str(warehouse.catalogue), str(warehouse.readers)}:
        yield at, text, "is the schema of control too; name another behind ?schema="
    if (lake.access_key is None) != (lake.secret_key is None):
        words = "a key has a name and a secret: set both, lake.access_key and SPRINGLINE_LAKE__SECRET_KEY, or neither"
        yield ("lake", "access_key"), lake.access_key, words
