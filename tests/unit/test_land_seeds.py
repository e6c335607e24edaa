"""Seeds: every CSV a table, written only when a file has changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.core.errors import ModelError, SettingsError
from pipelines.core.resources import seeds_folder
from pipelines.step.context import Context
from pipelines.stores.control_schema import seed_tables
from pipelines.stores.seeds import load_seeds
from tests.support.landing import make_context


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    context = make_context(tmp_path)
    yield context
    context.warehouse.close()
    context.control.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(seeds_folder(), tmp_path / "seeds"))


def test_every_file_becomes_its_table(ctx: Context) -> None:
    load_seeds(ctx.warehouse)
    for table, declared in seed_tables().items():
        described = ctx.warehouse.execute(f"DESCRIBE seed.{table}").fetchall()
        assert {name: data_type for name, data_type, *_ in described} == declared.types
    [(control,)] = ctx.warehouse.execute(
        "SELECT control_account_code FROM seed.voucher_types WHERE document_type = 'ACP'"
    ).fetchall()
    assert control is None


def test_unchanged_files_write_nothing(ctx: Context, folder: Path) -> None:
    load_seeds(ctx.warehouse, folder=folder)
    ctx.warehouse.execute("DELETE FROM seed.currencies")
    load_seeds(ctx.warehouse, folder=folder)
    assert ctx.warehouse.execute("SELECT count(*) FROM seed.currencies").fetchone() == (0,)


def test_a_changed_file_replaces_its_table(ctx: Context, folder: Path) -> None:
    load_seeds(ctx.warehouse, folder=folder)
    (folder / "currencies.csv").write_text('currency_code,minor_units,currency_name\nXTS,3,"Test, the"\n')
    load_seeds(ctx.warehouse, folder=folder)
    assert ctx.warehouse.execute("FROM seed.currencies").fetchall() == [("XTS", 3, "Test, the")]


def test_a_file_that_is_not_utf_8_names_file_and_byte(ctx: Context, folder: Path) -> None:
    file = folder / "voucher_types.csv"
    sound = file.read_bytes()
    file.write_bytes(sound.replace(b"Invoice In", b"Faktura \xe5pen"))
    with pytest.raises(SettingsError, match=r"voucher_types\.csv is not UTF-8: byte 141, on line 2, is 0xE5\. Next"):
        load_seeds(ctx.warehouse, folder=folder)
    file.write_bytes(sound.decode().encode("utf-16"))
    with pytest.raises(SettingsError, match="byte 1, on line 1, is 0xFF") as caught:
        load_seeds(ctx.warehouse, folder=folder)
    assert caught.value.next_step == "it looks like UTF-16; save the file as UTF-8."


def test_the_mark_of_windows_programs_does_no_harm(ctx: Context, folder: Path) -> None:
    file = folder / "currencies.csv"
    load_seeds(ctx.warehouse, folder=folder)
    sound = ctx.warehouse.execute("FROM seed.currencies ORDER BY ALL").fetchall()
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    load_seeds(ctx.warehouse, folder=folder)
    assert ctx.warehouse.execute("FROM seed.currencies ORDER BY ALL").fetchall() == sound


def test_a_file_nobody_declared_is_refused(ctx: Context, folder: Path) -> None:
    (folder / "extra.csv").write_text("a\n1\n")
    with pytest.raises(ModelError, match="extra"):
        load_seeds(ctx.warehouse, folder=folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("currency_code,name\nXTS,x\n", "the columns are currency_code, name"),
        ("", "the columns are"),
        ("currency_code,minor_units,currency_name\nXTS,three,x\n", "three"),
        ("currency_code,minor_units,currency_name\nXTS\n", "currencies.csv"),
    ],
)
def test_a_file_that_does_not_fit_is_named(ctx: Context, folder: Path, text: str, words: str) -> None:
    (folder / "currencies.csv").write_text(text)
    with pytest.raises(ModelError, match=words):
        load_seeds(ctx.warehouse, folder=folder)
