"""Keeps the verified models on disk, so that a run on unchanged files neither parses nor verifies anything."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from pipelines.core.resources import sql_folder
from pipelines.core.table_ref import TableRef
from pipelines.models.functions import functions_sql
from pipelines.models.model import Catalog, Columns, Model
from pipelines.models.sources import Source, read_sources


class _Kept(msgspec.Struct, frozen=True):
    fingerprint: str
    models: tuple[Model, ...]


# What this process has verified, by fingerprint: the models as they are declared are asked for again and again.
_verified: dict[str, tuple[Model, ...]] = {}
# Those of them that are in their file as well, with it.
_kept_at: set[tuple[str, Path | None]] = set()


def open_catalog(folder: Path, external: Mapping[TableRef, Columns], *, cache: Path | None = None) -> Catalog:
    """Read the models below a folder and verify them against the tables they stand on.

    ``cache`` is a file, best beside the warehouse; it is used when it was made from the same files, the same external
    columns and the same code, and written anew otherwise. ModelError lists all faults of all files.
    """
    sources = _shipped() if folder == sql_folder() else read_sources(folder)
    fingerprint = _fingerprint(sources, external)
    place = (fingerprint, cache)
    if place not in _kept_at:
        kept = _load(cache) if cache else None
        if kept is not None and kept.fingerprint == fingerprint:
            _verified[fingerprint] = kept.models
        else:
            if fingerprint not in _verified:
                # sqlglot takes a third of a second to import; a run that changes nothing has no use for it.
                from pipelines.models.read import parse_models  # noqa: PLC0415
                from pipelines.models.verify import verify  # noqa: PLC0415

                _verified[fingerprint] = verify(parse_models(sources), external).models
            if cache:
                _save(cache, _Kept(fingerprint, _verified[fingerprint]))
        # A process that runs for days asks at every tick: to decode the file takes a tenth of a second.
        _kept_at.add(place)
    return Catalog(_verified[fingerprint], external)


# A process that runs for days asks at every tick, and an installation does not change while it is used.
@cache
def _shipped() -> tuple[Source, ...]:
    return read_sources(sql_folder())


@cache
def _code() -> bytes:
    digest = hashlib.sha256()
    for code in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(code.read_bytes())
    digest.update(functions_sql().encode())
    return digest.digest()


def _fingerprint(sources: Iterable[Source], external: Mapping[TableRef, Columns]) -> str:
    # The code too: what it reads out of the same file may be different after an update.
    digest = hashlib.sha256(_code())
    for source in sources:
        # A zero byte between: no two lists of files and texts read alike.
        digest.update(f"{source.path}\0{source.sql}\0".encode())
    for ref in sorted(external):
        digest.update(f"{ref}\0{list(external[ref].items())}\0".encode())
    return digest.hexdigest()


def _load(cache: Path) -> _Kept | None:
    # A cache that is missing, cut off or of another version is no cache.
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(cache.read_bytes(), type=_Kept)
    return None


def _save(cache: Path, kept: _Kept) -> None:
    # Another process may write it too: each its own file, then renamed; a folder that cannot be written has no cache.
    with suppress(OSError), NamedTemporaryFile(dir=cache.parent, prefix=f".{cache.name}.", delete=False) as file:
        try:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.replace(file.name, cache)  # noqa: PTH105 - Path.replace says the same in more words
        except OSError:
            # A full disk: what was begun goes again.
            os.unlink(file.name)  # noqa: PTH108 - as above
            raise
