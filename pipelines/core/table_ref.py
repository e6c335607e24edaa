"""Names of tables and columns as values, and how names and values are written into SQL text."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.core.errors import UsageError


@dataclass(frozen=True, slots=True, order=True)
class TableRef:
    """A table or view: the schema says who writes it, the name what one row is about."""

    schema: str
    name: str

    def __str__(self) -> str:
        """``schema.name``, as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """The name for a statement."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    @classmethod
    def parse(cls, text: str) -> TableRef:
        """Read ``schema.name``; UsageError for anything else."""
        schema, dot, name = text.strip().partition(".")
        if not (schema and dot and name) or "." in name:
            raise UsageError(f"{text!r} is no table name.", next_step="write schema and name, as in post.vouchers.")
        return cls(schema, name)


@dataclass(frozen=True, slots=True, order=True)
class ColumnRef:
    """A column of a table."""

    table: TableRef
    name: str

    def __str__(self) -> str:
        """``schema.table.column``."""
        return f"{self.table}.{self.name}"


def quote(identifier: str) -> str:
    """Quote an identifier for DuckDB and PostgreSQL."""
    return '"' + identifier.replace('"', '""') + '"'
