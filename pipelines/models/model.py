"""What is known of one SQL model: where it lies, what one row is, its columns, what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import NoReturn

from pipelines.core.errors import ModelError, UsageError
from pipelines.core.table_ref import ColumnRef, TableRef

Columns = Mapping[str, str]
"""DuckDB type by column name, in the table's order."""


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """One column of a model.

    ``expression`` is what computes it, on one line, empty when it is passed on under its own name. ``type`` (DuckDB's
    words) and ``parents`` (the columns its value is computed from, one step back) are known once it is verified.
    """

    name: str
    line: int
    description: str = ""
    expression: str = ""
    type: str = ""
    parents: tuple[ColumnRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """What links a table to the parts of a model: a column of it, and the table that has this one and the parts'.

    None: the column is that of the parts, under another name.
    """

    table: TableRef
    column: str
    other: TableRef | None


@dataclass(frozen=True, slots=True)
class Model:
    """One file of sql/: a SELECT that is a table.

    ``path`` is relative to the folder of the schemas, ``keep`` the condition under which a row of the existing table
    stays although the SELECT does not give it any more (empty: the table is replaced). ``divided`` is the column that
    divides it into parts (empty: it is built whole; see ``parts``), ``links`` are the tables that lack this column.
    ``moves`` is the column of documents by which it follows the outbox (empty: it does not; see ``moves``).
    """

    ref: TableRef
    path: str
    sql: str
    description: str
    grain: tuple[str, ...]
    keep: str
    keep_line: int
    divided: str
    links: tuple[Link, ...]
    moves: str
    columns: tuple[ModelColumn, ...]
    reads: tuple[TableRef, ...]

    @property
    def row_meaning(self) -> str:
        """What one row is: the first sentence of the description."""
        return self.description.partition(". ")[0].rstrip(".")

    @property
    def keep_query(self) -> str:
        """The query over the existing table that ``keep`` stands for."""
        return f"SELECT 1 FROM {self.ref.quoted} WHERE (\n{self.keep}\n)"  # noqa: S608 - both come from a file of sql/

    @property
    def part_column(self) -> str:
        """The column that tells one part from another, whatever says which parts are built anew."""
        return self.divided or self.moves

    def column(self, name: str) -> ModelColumn:
        """Return one column; UsageError names the nearest when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UsageError(
            f"{self.ref} has no column {name}{nearest(name, [c.name for c in self.columns])}.",
            next_step=f"springline models {self.ref} lists its columns.",
        )


@dataclass(frozen=True)
class Catalog:
    """All models, verified, in the order in which they can be built, and the tables they stand on."""

    models: tuple[Model, ...]
    external: Mapping[TableRef, Columns]

    @cached_property
    def origins(self) -> Mapping[ColumnRef, tuple[ColumnRef, ...]]:
        """The external columns that each model's column comes from in the end, through all models."""
        found: dict[ColumnRef, tuple[ColumnRef, ...]] = {}
        for model in self.models:
            for column in model.columns:
                # The models stand in their order, so the ends of what a column is made from are known already.
                ends = {end for parent in column.parents for end in found.get(parent, (parent,))}
                found[ColumnRef(model.ref, column.name)] = tuple(sorted(ends))
        return found

    @cached_property
    def tables(self) -> Mapping[TableRef, Columns]:
        """Columns and types of every table, external and modelled."""
        # Models last: verify has refused any that bears the name of an external table.
        modelled = {model.ref: {column.name: column.type for column in model.columns} for model in self.models}
        return {**self.external, **modelled}

    @cached_property
    def by_ref(self) -> Mapping[TableRef, Model]:
        """Models by name."""
        return {model.ref: model for model in self.models}

    def readers(self, ref: TableRef) -> tuple[TableRef, ...]:
        """Return the models that read a table."""
        return tuple(model.ref for model in self.models if ref in model.reads)

    def model(self, ref: TableRef | str) -> Model:
        """Return one model; UsageError names the nearest when there is none."""
        name = str(ref)
        wanted = ref if isinstance(ref, TableRef) else TableRef.parse(ref)
        if wanted not in self.by_ref:
            raise UsageError(
                f"There is no model {name}{nearest(name, [str(known) for known in self.by_ref])}.",
                next_step="springline models lists them.",
            )
        return self.by_ref[wanted]


@dataclass(frozen=True, slots=True, order=True)
class ModelFault:
    """Something wrong in a model's file; line and column count from 1."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """``path:line:column: message``, which editors follow."""
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


def refuse(faults: Iterable[ModelFault], *, next_step: str = "correct the files; nothing was built.") -> NoReturn:
    """Raise all faults as one ModelError."""
    # A fault that two checks find alike is listed once.
    listed = sorted(set(faults))
    head = "1 fault" if len(listed) == 1 else f"{len(listed)} faults"
    raise ModelError("\n".join([f"{head} in the SQL models:", *map(str, listed)]), next_step=next_step)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say what may have been meant: ``; did you mean a or b?`` without the question mark, or nothing."""
    close = get_close_matches(name.lower(), sorted(set(known)), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(close)}?)" if close else ""
