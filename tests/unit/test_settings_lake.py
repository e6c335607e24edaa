"""The settings of a lake: what its address, its data and its key may be, and what of them is shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.errors import SettingsError
from pipelines.core.hiding import hide_in_text
from pipelines.core.lake_place import LakePlace
from pipelines.core.settings import Settings, load_settings

SIGN_IN = {
    "SPRINGLINE_VMS__BASE_URL": "https://vms.invalid",
    "SPRINGLINE_VMS__USERNAME": "kari",
    "SPRINGLINE_VMS__PASSWORD": "hidden-hidden",
    "SPRINGLINE_LEDGER__TOKEN": "hidden-hidden",
}
CONTROL = "control = 'postgresql://db/books?schema=a_control'\n"
LAKE = "warehouse = 'ducklake:postgresql://db/books?schema=a'\n"
WHOLE = CONTROL + LAKE + "data = 's3://books/springline/'\n"


def load(folder: Path, toml: str, **environ: str) -> Settings:
    (folder / "springline.toml").write_text(toml, "utf-8")
    return load_settings(folder / "springline.toml", environ=SIGN_IN | environ)


def faults(folder: Path, toml: str, **environ: str) -> str:
    with pytest.raises(SettingsError) as told:
        load(folder, toml, **environ)
    assert "hidden" not in str(told.value)
    return str(told.value)


def test_a_lake_is_read_with_its_data_and_its_scratch(tmp_path: Path) -> None:
    settings = load(tmp_path, WHOLE + "scratch = 'work.duckdb'")
    assert isinstance(settings.warehouse, LakePlace)
    assert str(settings.warehouse) == "ducklake:postgresql://db/books?schema=a"
    assert settings.warehouse.readers.schema == "a_published"
    assert (settings.data, settings.warehouse_path) == ("s3://books/springline", Path("work.duckdb"))


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        (LAKE + "data = 'data'", "has no lock that keeps a second batch out; set control to a schema of PostgreSQL"),
        (LAKE + "data = 'data'\ncontrol = 'a.sqlite'", "has no lock that keeps a second batch out"),
        (CONTROL + LAKE, "is a lake without a place for its data; set data to a folder or a bucket"),
        (WHOLE.replace("a_control", "a"), "is the schema of control too; name another behind ?schema="),
        (WHOLE.replace("a_control", "a_published"), "is the schema of control too"),
        (
            CONTROL + "data = 'd'\nwarehouse = 'ducklake:books.db'",
            "has no catalogue in PostgreSQL; write it as ducklake",
        ),
        (CONTROL + "data = 'd'\nwarehouse = 'ducklake:postgresql://db/'", "names no database"),
        (WHOLE.replace("schema=a'", f"schema={'a' * 54}'"), "names a schema longer than 53 characters"),
        (WHOLE.replace("schema=a'", "schema=A'"), "names the schema A; its name has small letters"),
        (WHOLE.replace("//db/books?schema=a'", "//u:hidden@db/books'"), "warehouse: holds a password, which never"),
        (WHOLE.replace("?schema=a'", "?password=hidden'"), "warehouse: holds a password, which never stands"),
        (WHOLE.replace("s3://books/springline/", "s3://books?x=1"), "is no bucket; write it as s3://bucket/folder"),
        (WHOLE.replace("s3://books/springline/", "~/data"), "begins with ~"),
        (WHOLE.replace("s3://books/springline/", "gs://books"), "begins with gs: as an address does"),
        (WHOLE + "[lake]\naccess_key = 'a'", "a key has a name and a secret: set both, lake.access_key and SPRINGLINE"),
        (WHOLE + "[lake]\nsecret_key = 'hidden'", "is a secret, and never stands in the file"),
        (WHOLE + "[lake]\nendpoint = 'http://s3.example'", "has no TLS"),
        (WHOLE + "[lake]\nkeep_days = 0", "must be at least 1"),
    ],
)
def test_what_a_lake_cannot_be_is_a_fault(toml: str, told: str, tmp_path: Path) -> None:
    assert told in faults(tmp_path, toml)


def test_a_password_of_the_environment_is_taken_and_never_shown(tmp_path: Path) -> None:
    address = "ducklake:postgresql://tenant:hidden-in-lake@db/books?schema=a"
    settings = load(tmp_path, CONTROL + "data = 'data'", SPRINGLINE_WAREHOUSE=address)
    assert isinstance(settings.warehouse, LakePlace)
    assert settings.warehouse.catalogue.password == "hidden-in-lake"
    assert "hidden" not in f"{settings!r}{settings.model_dump_json()}{settings.warehouse}"
    assert "hidden-in-lake" not in hide_in_text("failed with hidden-in-lake")


def test_the_key_of_a_bucket_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hidden-in-bucket\n", "utf-8")
    named = {"SPRINGLINE_LAKE__ACCESS_KEY": "books", "SPRINGLINE_LAKE__SECRET_KEY_FILE": str(tmp_path / "key")}
    settings = load(tmp_path, WHOLE, **named)
    assert settings.lake.secret_key is not None
    assert settings.lake.secret_key.get_secret_value() == "hidden-in-bucket"
    assert "hidden" not in f"{settings!r}{settings.model_dump_json()}"
    assert "hidden-in-bucket" not in hide_in_text("failed with hidden-in-bucket")
