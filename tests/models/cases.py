"""A case of a SQL model: rows given, rows expected, in YAML; run in one in-memory database that forgets each case.

    why: the last term takes what rounding left over
    today: 2026-11-02                  the batch's day, in seed.settings
    through: post.draft_lines          optional: this model and all between it and the one under test are built too
    given:                             tables by name; a column left out is NULL, a table left out is empty
      stg_vms.documents:
        - {document_key: 1, ...}
    expect:                            the rows of the model under test; only the columns named are compared
      - {document_key: 1, amount: 12.50}

Numbers with a point are read as text, never as a float. Rows of staging tables belong to the fetch ``fetch-1`` unless
they say otherwise. What data/seeds holds is there unless the case gives the table itself.
"""

# ruff: noqa: S608 - names are quoted

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pipelines.core.table_ref import TableRef, quote
from pipelines.models.build import build_model
from pipelines.models.model import Catalog, Model, nearest
from tests.models.between import between

if TYPE_CHECKING:
    import duckdb

Row = Mapping[str, object]

STAGING = ("stg_vms", "stg_ledger")
FETCH = "fetch-1"
SETTINGS = TableRef("seed", "settings")
SETTINGS_ROW: Row = {
    "closed_period": "hold",
    "acknowledge": "accepted",
    "rate_days": 7,
    "confirm_bank_changes": True,
    "line_currency": "hold",
    "rate_tolerance": 50,
    "companies_others": "hold",
    "project_dates": "none",
}
KEYS = frozenset({"why", "today", "through", "given", "expect", "let"})


class CaseFault(Exception):
    """The case itself is wrong, whatever the model does."""


class _Loader(yaml.CSafeLoader):
    """YAML in which 12.50 is the text 12.50."""


def _as_written(_loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> object:
    return node.value


_Loader.add_constructor("tag:yaml.org,2002:float", _as_written)


@dataclass(frozen=True, slots=True)
class Case:
    """One YAML file below tests/models; its path names the model."""

    model: TableRef
    why: str
    today: date
    through: tuple[TableRef, ...]
    given: Mapping[TableRef, Sequence[Row]]
    expect: Sequence[Row]


def read_case(path: Path) -> Case:
    """Read a case; CaseFault when a key is missing or unknown."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    if not isinstance(content, dict) or not {"why", "given", "expect"} <= content.keys() <= KEYS:
        raise CaseFault(f"{path.name} has why, given and expect, and may have {', '.join(sorted(KEYS))}.")
    through = content.get("through") or []
    return Case(
        model=TableRef(path.parent.parent.name, path.parent.name),
        why=content["why"],
        today=content.get("today", date(2026, 11, 2)),
        through=tuple(map(TableRef.parse, [through] if isinstance(through, str) else through)),
        given={TableRef.parse(name): rows or [] for name, rows in (content["given"] or {}).items()},
        expect=content["expect"] or [],
    )


def run_case(case: Case, catalog: Catalog, world: duckdb.DuckDBPyConnection) -> list[str]:
    """Run a case in a world and forget it; return what differs, nothing when all is as expected."""
    with built(case, catalog, world) as models:
        duplicates = [
            f"{model.ref}: more than one row with {', '.join(model.grain)} = {key}"
            for model in models
            for key in duplicate_keys(world, model)
        ]
        return duplicates or list(_differences(case, catalog.model(case.model), world))


def duplicate_keys(connection: duckdb.DuckDBPyConnection, model: Model, *, limit: int = 10) -> list[tuple[object, ...]]:
    """Return keys that more than one row of a built model has; its grain says there are none."""
    if not model.grain:
        return []
    keys = ", ".join(quote(name) for name in model.grain)
    counted = f"SELECT {keys} FROM {model.ref.quoted} GROUP BY ALL HAVING COUNT(*) > 1 ORDER BY ALL LIMIT {limit:d}"
    return connection.execute(counted).fetchall()


@contextmanager
def built(case: Case, catalog: Catalog, world: duckdb.DuckDBPyConnection) -> Iterator[tuple[Model, ...]]:
    """Give what a case gives, build its models, and take it all back in the end."""
    world.begin()
    try:
        for ref, (names, rows) in given_rows(case, catalog).items():
            world.execute(f"TRUNCATE {ref.quoted}")
            if rows:
                marks = ", ".join(["(" + ", ".join("?" * len(names)) + ")"] * len(rows))
                listed = ", ".join(map(quote, names))
                values = [value for row in rows for value in row]
                world.execute(f"INSERT INTO {ref.quoted} ({listed}) VALUES {marks}", values)
        models = _way(case, catalog)
        for model in models:
            build_model(world, model)
        yield models
    finally:
        world.rollback()


def _way(case: Case, catalog: Catalog) -> tuple[Model, ...]:
    models = between(catalog.models, first=case.through, last=catalog.model(case.model).ref)
    for ref in sorted({*case.through} - {model.ref for model in models}):
        raise CaseFault(f"{case.model} does not read {ref}, through no other model either.")
    for model in models:
        if model.ref in case.given and not model.keep:
            raise CaseFault(f"the rows given of {model.ref} would be replaced: the case builds it.")
    return models


def given_rows(case: Case, catalog: Catalog) -> dict[TableRef, tuple[list[str], list[list[str | None]]]]:
    """Return column names and rows of each table a case gives, as text, which the tables' types read."""
    given = dict(case.given)
    if SETTINGS in catalog.tables:
        rows = given.get(SETTINGS) or [{}]
        given[SETTINGS] = [{**SETTINGS_ROW, "today": case.today, **row} for row in rows]
    return {ref: _filled(ref, rows, catalog) for ref, rows in given.items()}


def _filled(ref: TableRef, rows: Sequence[Row], catalog: Catalog) -> tuple[list[str], list[list[str | None]]]:
    if ref not in catalog.tables:
        raise CaseFault(f"there is no table {ref}{nearest(str(ref), map(str, catalog.tables))}.")
    columns = catalog.tables[ref]
    for name in (name for row in rows for name in row if name not in columns):
        raise CaseFault(f"{ref} has no column {name}{nearest(name, columns)}.")
    default = {"fetch_id": FETCH} if ref.schema in STAGING and "fetch_id" in columns else {}
    names = sorted({*default, *(name for row in rows for name in row)})
    return names, [[_text(row.get(name, default.get(name))) for name in names] for row in rows]


def _text(value: object) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _differences(case: Case, model: Model, world: duckdb.DuckDBPyConnection) -> Iterator[str]:
    types = {column.name: column.type for column in model.columns}
    for row in case.expect:
        if unknown := [name for name in row if name not in types]:
            raise CaseFault(f"{model.ref} has no column {unknown[0]}{nearest(unknown[0], types)}.")
    expected = [{name: _as_type(value, types[name]) for name, value in row.items()} for row in case.expect]
    order = ", ".join(map(quote, model.grain)) or "ALL"
    result = world.execute(f"SELECT * FROM {model.ref.quoted} ORDER BY {order}")
    actual = [dict(zip(types, row, strict=True)) for row in result.fetchall()]
    if all(set(model.grain) <= row.keys() for row in expected) and model.grain:
        expected.sort(key=lambda row: tuple(map(_sortable, _key(row, model))))
        yield from _by_key(model, expected, actual)
    else:
        yield from _by_position(expected, actual)


def _by_key(model: Model, expected: Sequence[Row], actual: Sequence[Row]) -> Iterator[str]:
    found = {_key(row, model): row for row in actual}
    wanted = {_key(row, model): row for row in expected}
    for key, row in wanted.items():
        name = ", ".join(f"{column} {value}" for column, value in zip(model.grain, key, strict=True))
        if key not in found:
            yield f"{name}: this row is missing; there are {len(found)}: {', '.join(map(str, found)) or 'none'}"
        else:
            yield from _cells(name, row, found[key])
    for key, row in found.items():
        if key not in wanted:
            yield f"{key}: nobody expected this row: {_shown(row)}"


def _by_position(expected: Sequence[Row], actual: Sequence[Row]) -> Iterator[str]:
    if len(expected) != len(actual):
        yield f"{len(expected)} rows expected, {len(actual)} found: {'; '.join(map(_shown, actual)) or 'none'}"
    for number, (wanted, found) in enumerate(zip(expected, actual, strict=False), start=1):
        yield from _cells(f"row {number}", wanted, found)


def _cells(name: str, wanted: Row, found: Row) -> Iterator[str]:
    for column, value in wanted.items():
        if found[column] != value:
            yield f"{name}: {column} is {_one(found[column])}, expected {_one(value)}"


def _key(row: Row, model: Model) -> tuple[object, ...]:
    return tuple(row[name] for name in model.grain)


def _sortable(value: object) -> tuple[bool, str]:
    return value is None, str(value)


def _shown(row: Row) -> str:
    return ", ".join(f"{name} {_one(value)}" for name, value in row.items() if value is not None)


def _one(value: object) -> str:
    return "NULL" if value is None else str(value)


def _as_type(value: object, data_type: str) -> object:
    """Read an expected value as the column's type."""
    if value is None:
        return None
    if data_type.startswith("DECIMAL"):
        return Decimal(str(value))
    if data_type == "VARCHAR":
        return str(value)
    if data_type == "TIMESTAMP" and not isinstance(value, datetime):
        return datetime.fromisoformat(str(value))
    return value
