"""What a reading brought: recognises what is staged already, keeps the rows of the rest, removes what did not come.

What is known already is dropped here, before dlt: windows overlap, and our own writing to the VMS changes objects, so
most of what comes is known, and to merge it again would cost more than all the rest of an idle run.
"""

# ruff: noqa: S608 names of tables and columns come from the contracts, values go through `literal`

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.shape import codes_of, tables_of
from pipelines.core.literals import among, literal
from pipelines.extract.clean import clean_rows
from pipelines.extract.flatten import PARENT_ROW, count_children
from pipelines.extract.readings import forget_readings

if TYPE_CHECKING:
    import duckdb

    from pipelines.contracts.contract import Contract
    from pipelines.extract.parse import ParsedPage

SEQ = "seq"


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of one table that are to be merged: those with a ``key`` that comes replace all with that key."""

    table: str
    key: str
    is_parent: bool
    columns: Sequence[tuple[str, str]]
    rows: pa.Table


class Incoming:
    """The objects of one reading, taken in chunks and numbered in the order of arrival.

    Its temporary table ``heads`` has the key and the content hash of every object taken; it stands on a cursor of this
    reading's own, opened when it is needed, since most readings bring nothing.
    """

    def __init__(self, warehouse: duckdb.DuckDBPyConnection, contract: Contract, *, schema: str) -> None:
        """Begin with nothing taken."""
        self._warehouse = warehouse
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._contract = contract
        self._schema = schema
        self._tables = tables_of(contract)
        self._codes = codes_of(contract)
        # What was taken off codes, a sentence each.
        self.told: list[str] = []
        self._waiting: dict[str, list[pa.Table]] = {table: [] for table in self._tables}
        self.taken = 0
        self.waiting = 0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the cursor, and with it the table."""
        if self._cursor is not None:
            self._cursor.close()

    def take(self, parts: Sequence[ParsedPage]) -> None:
        """Take parsed pages, and keep the rows of the objects that are not staged as they are now."""
        first = self.taken
        heads = pa.concat_tables([self._heads(part) for part in parts])
        if not heads.num_rows:
            return
        self.taken += heads.num_rows
        self._note_heads(heads, first)
        found = self._execute(self._fresh_sql(first)).to_arrow_table()
        if not pc.any(found["is_fresh"]).as_py():
            return
        row = 0
        for part in parts:
            self._keep(part, found.slice(row, part.nested.num_rows))
            row += part.nested.num_rows

    def loads(self, *, fetch_id: str, fetched_at: datetime) -> list[TableRows]:
        """Return what is to be merged: of objects that came twice the last only, no tables without rows."""
        contract = self._contract
        # Values of Arrow's own: of Python's it would look whether they are one of pandas's, and import that.
        sql = f"SELECT {literal(fetch_id)} AS fetch_id, {literal(fetched_at)} AS fetched_at"
        extras = self._execute(sql).to_arrow_table()
        # Pages may overlap while objects change, so an object can come twice; the later text is the newer one.
        last = self._last()
        loads: list[TableRows] = []
        for table, columns in self._tables.items():
            if not self._waiting[table]:
                continue
            rows = pa.concat_tables(self._waiting[table])
            rows = rows if last is None else rows.filter(pc.is_in(rows[SEQ], value_set=last))
            for name in extras.column_names:
                if name in dict(columns):
                    rows = rows.append_column(name, pa.repeat(extras[name][0], rows.num_rows))
            if rows.num_rows:
                rows, told = clean_rows(
                    rows.select([name for name, _ in columns]), self._codes[table], key=contract.key
                )
                self.told += told
                loads.append(TableRows(table, contract.key, table == contract.table, columns, rows))
        return loads

    def clear(self) -> None:
        """Forget the rows that have been merged."""
        self._waiting = {table: [] for table in self._tables}
        self.waiting = 0

    def count_staged(self, table: str, fetch_id: str) -> int:
        """Return how many staged rows of a table a fetch has."""
        sql = f"SELECT count(*) FROM {self._schema}.{table} WHERE fetch_id = {literal(fetch_id)}"
        row: Any = self._execute(sql).fetchone()
        return int(row[0])

    def keys(self) -> frozenset[int]:
        """Return the keys of all objects taken."""
        if not self.taken:
            return frozenset()
        return frozenset(self._execute("SELECT DISTINCT key FROM heads").to_arrow_table()["key"].to_pylist())

    def came(self, keys: set[int]) -> set[int]:
        """Return which of ``keys`` are among the objects taken."""
        if not keys or not self.taken:
            return set()
        found = self._execute(f"SELECT DISTINCT key FROM heads WHERE {among('key', keys)}")
        return {key for (key,) in found.fetchall()}

    def newest(self, *, not_after: datetime) -> tuple[datetime | None, datetime | None]:
        """Return the last modification time up to a limit and the first after it, naive, in the other side's zone."""
        if not self.taken:
            return None, None
        is_ahead = f"modified_at > {literal(not_after)}"
        row: Any = self._execute(
            f"SELECT max(modified_at) FILTER (NOT {is_ahead}), min(modified_at) FILTER ({is_ahead}) FROM heads"
        ).fetchone()
        return row[0], row[1]

    def remove_vanished(self, where: str, *, spared: frozenset[int]) -> int:
        """Remove the staged objects in a scope that were not taken, with their children; return how many."""
        table, key = f"{self._schema}.{self._contract.table}", self._contract.key
        # Against the keys of all that came in this reading, unchanged objects included.
        gone = self._execute(
            f"SELECT {key} FROM {table} WHERE ({where}) AND {key} NOT IN (SELECT key FROM heads)"
        ).fetchall()
        keys = sorted({row[0] for row in gone} - spared)
        if keys:
            # All or none: a parent without its children would look like a document without lines.
            self._execute("BEGIN")
            forget_readings(self._opened(), table)
            # Children before their parent.
            for name in reversed(self._tables):
                self._execute(f"DELETE FROM {self._schema}.{name} WHERE {among(key, keys)}")
            self._execute("COMMIT")
        return len(keys)

    def _heads(self, part: ParsedPage) -> pa.Table:
        """Return of each object of a page its key, its time, how many children it has in each list, and its content."""
        columns = {"key": part.parents[self._contract.key]}
        if "modified_at" in part.parents.column_names:
            columns["modified_at"] = part.parents["modified_at"]
        for place, rows in enumerate(part.children):
            columns[f"children{place}"] = count_children(rows, part.parents.num_rows)
        content = part.nested.drop_columns([*self._contract.unhashed]).to_struct_array()
        return pa.Table.from_arrays([*columns.values(), content], names=[*columns, "content"])

    def _note_heads(self, heads: pa.Table, first: int) -> None:
        objects = heads.append_column(SEQ, pa.arange(first, first + heads.num_rows))
        # A sort key holds every value exactly and unambiguously, and takes a fifth of the time of a text.
        hashed = "md5(create_sort_key(content, 'ASC NULLS LAST')) AS content_hash"
        # A stream, not the table itself: to look at a table DuckDB imports pyarrow.dataset, and that imports pandas.
        cursor = self._opened()
        cursor.register("objects", objects.__arrow_c_stream__())
        cursor.execute(f"INSERT INTO heads BY NAME SELECT * EXCLUDE (content), {hashed} FROM objects")
        cursor.unregister("objects")

    def _keep(self, part: ParsedPage, found: pa.Table) -> None:
        """Keep the rows of a page's fresh objects; ``found`` says of each object in turn whether it is fresh."""
        is_fresh, seq = found["is_fresh"].combine_chunks(), found[SEQ].combine_chunks()
        if not pc.any(is_fresh).as_py():
            return
        kept = [part.parents.append_column(SEQ, seq).append_column("content_hash", found["content_hash"])]
        kept += [rows.append_column(SEQ, pc.take(seq, rows[PARENT_ROW])) for rows in part.children]
        # In a first reading all are.
        if not pc.all(is_fresh).as_py():
            is_kept = [is_fresh, *(pc.take(is_fresh, rows[PARENT_ROW]) for rows in part.children)]
            kept = [rows.filter(kept_rows) for rows, kept_rows in zip(kept, is_kept, strict=True)]
        for table, rows in zip(self._tables, kept, strict=True):
            self._waiting[table].append(rows)
            self.waiting += rows.num_rows

    def _last(self) -> pa.Array | None:
        """Return the numbers of the objects that count where some came more than once, None where none did."""
        found = self._execute("SELECT max(seq) AS seq FROM heads GROUP BY key").to_arrow_table()
        return None if found.num_rows == self.taken else found[SEQ].combine_chunks()

    def _fresh_sql(self, first: int) -> str:
        """Return the query of a chunk's objects: fresh unless staged with this content and with all its children.

        The children are counted because each table is merged in a transaction of its own: killed in between, a parent
        stands there without its children, and by its hash alone it would be taken for known for ever.
        """
        contract, key = self._contract, self._contract.key
        joins, is_staged = "", "staged.content_hash IS NOT NULL"
        for place, children in enumerate(contract.children):
            joins += (
                f" LEFT JOIN (SELECT {key}, fetch_id, count(*) AS number FROM {self._schema}.{children.table} "
                f"WHERE {key} IN (SELECT key FROM heads WHERE seq >= {first}) GROUP BY ALL) AS staged{place} "
                f"ON staged{place}.{key} = staged.{key} AND staged{place}.fetch_id = staged.fetch_id"
            )
            is_staged += f" AND coalesce(staged{place}.number, 0) = heads.children{place}"
        return (
            f"SELECT heads.seq, heads.content_hash, NOT ({is_staged}) AS is_fresh FROM heads "
            f"LEFT JOIN {self._schema}.{contract.table} AS staged "
            f"ON staged.{key} = heads.key AND staged.content_hash = heads.content_hash{joins} "
            f"WHERE heads.seq >= {first} ORDER BY heads.seq"
        )

    def _execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        return self._opened().execute(sql)

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._cursor is None:
            self._cursor = self._warehouse.cursor()
            # One count for each nested list: by it a parent whose children did not all arrive is known.
            counts = "".join(f", children{place} BIGINT" for place, _ in enumerate(self._contract.children))
            self._cursor.execute(
                f"CREATE TEMP TABLE heads (seq BIGINT, key BIGINT, content_hash VARCHAR, modified_at TIMESTAMP{counts})"
            )
        return self._cursor
