"""The verified models on disk: used when nothing changed, made anew when anything did, never trusted when broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipelines.core.errors import ModelError
from pipelines.models import read, store
from pipelines.models.model import Model
from pipelines.models.sources import Source
from pipelines.models.store import open_catalog
from tests.models.small import DOCUMENTS, EXTERNAL, KEPT, ROUNDED, SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, sql in SMALL.items():
        schema, table = name.split(".")
        (tmp_path / "sql" / schema).mkdir(parents=True, exist_ok=True)
        (tmp_path / "sql" / schema / f"{table}.sql").write_text(sql, encoding="utf-8")
    return tmp_path / "sql"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often models are parsed, by a process that has verified none yet."""
    monkeypatch.setattr(store, "_verified", {})
    counted: list[int] = []
    original = read.parse_models

    def count(sources: Iterable[Source]) -> tuple[Model, ...]:
        counted.append(1)
        return original(sources)

    monkeypatch.setattr(read, "parse_models", count)
    return counted


def test_what_is_kept_equals_what_was_verified(folder: Path, tmp_path: Path, parsed: list[int]) -> None:
    cache = tmp_path / "models.json"
    first = open_catalog(folder, EXTERNAL, cache=cache)
    assert open_catalog(folder, EXTERNAL, cache=cache) == first
    assert (len(parsed), {path.name for path in tmp_path.iterdir()}) == (1, {"sql", "models.json"})


def test_a_changed_file_or_column_is_verified_anew(folder: Path, tmp_path: Path, parsed: list[int]) -> None:
    cache = tmp_path / "models.json"
    open_catalog(folder, EXTERNAL, cache=cache)
    (folder / "map" / "rounded.sql").write_text(ROUNDED.replace("in document currency", "in minor units"))
    assert open_catalog(folder, EXTERNAL, cache=cache).model("map.rounded").columns[2].description == "in minor units"
    wider = {**EXTERNAL, DOCUMENTS: {**EXTERNAL[DOCUMENTS], "header_text": "VARCHAR"}}
    open_catalog(folder, wider, cache=cache)
    assert len(parsed) == 3
    narrower = {**EXTERNAL, DOCUMENTS: {"document_key": "BIGINT"}}
    with pytest.raises(ModelError, match="documents has no column amount"):
        open_catalog(folder, narrower, cache=cache)


@pytest.mark.parametrize("content", [b"", b"{", b'{"fingerprint": "x"}', b'{"fingerprint": "x", "models": [1]}'])
def test_a_broken_cache_is_no_cache(folder: Path, tmp_path: Path, content: bytes) -> None:
    cache = tmp_path / "models.json"
    cache.write_bytes(content)
    assert len(open_catalog(folder, EXTERNAL, cache=cache).models) == 3
    assert cache.read_bytes() != content


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path, tmp_path: Path) -> None:
    assert len(open_catalog(folder, EXTERNAL, cache=tmp_path / "missing" / "models.json").models) == 3


def test_a_run_on_unchanged_files_does_without_sqlglot(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "models.json"
    open_catalog(folder, EXTERNAL, cache=cache)
    code = (
        "import sys; from pathlib import Path; from pipelines.models.store import open_catalog;"
        "import pipelines.models.build, pipelines.models.lineage; from pipelines.core.table_ref import TableRef;"
        f"models = open_catalog(Path({str(folder)!r}), {EXTERNAL!r}, cache=Path({str(cache)!r})).models;"
        "sys.exit(0 if len(models) == 3 and 'sqlglot' not in sys.modules else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own code
    assert KEPT in {model.sql + "\n" for model in open_catalog(folder, EXTERNAL, cache=cache).models}
