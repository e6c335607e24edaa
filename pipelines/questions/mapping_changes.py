"""What a changed mapping file would touch: open documents, field by field, in the last run and now."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from pipelines.batch.scratch import build_scratch, copy_staged, scratch
from pipelines.core.mapping_files import read_mappings
from pipelines.core.words import plural
from pipelines.stores.control import named_statements
from pipelines.stores.mapping_used import fingerprint, mapping_used
from pipelines.stores.rows import rows_of

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

    from pipelines.core.mapping_files import Mappings
    from pipelines.step.context import Context
    from pipelines.stores.rows import Row

# The fields of a voucher line that a mapping file can fill.
FIELDS = ("account", "posting1", "posting2", "posting3", "xgl", "subledger_no", "tax_rule")
_HEADINGS = ("document", "line", "field", "before", "after", "by")


def read_mapping_changes(ctx: Context, *, ready: Collection[int]) -> list[Row] | None:
    """Return each field of each open document that the mapping files fill otherwise than in the last run.

    None when the files say what they said then. ``ready`` are the keys of the documents that nothing holds.
    """
    before, after = mapping_used(ctx.control), read_mappings(ctx.settings)
    if fingerprint(before) == fingerprint(after):
        return None
    old, new = _mapped_with(ctx, before), _lines(ctx.warehouse)
    changes: list[Row] = []
    for key in sorted(old.keys() | new.keys()):
        # A line that one of the two mappings does not make has no fields there: all of them then count as changed.
        was, now = old.get(key, {}), new.get(key, {})
        line = now or was
        changes += [
            {
                "document_no": line["document_no"],
                "document_key": line["document_key"],
                "tr_item_number": line["tr_item_number"],
                "field": name,
                "before": was.get(name),
                "after": now.get(name),
                "rule": now.get("mapping_rules"),
                "is_held": line["document_key"] not in ready,
            }
            for name in FIELDS
            if was.get(name) != now.get(name)
        ]
    return changes


def show_mapping_changes(changes: list[Row] | None, console: Console, *, most: int | None = None) -> None:
    """Print what the changed files would touch, at most so many fields; nothing when they have not changed."""
    if changes is None:
        return
    if not changes:
        console.print("The mapping files have changed since the last run; no open document is touched.")
        return
    table = Table(title="What the changed mapping files touch", title_justify="left", box=box.SIMPLE, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for change in changes[:most]:
        number = f"{change['document_no']}{' (held)' if change['is_held'] else ''}"
        cells = (number, change["tr_item_number"], *(change[name] for name in ("field", "before", "after", "rule")))
        table.add_row(*(escape(str(cell or "")) for cell in cells))
    console.print(table, crop=False)
    if most is not None and len(changes) > most:
        console.print(f"{len(changes) - most:,} more fields change; --full prints all.", highlight=False)
    documents = len({change["document_key"] for change in changes})
    console.print(
        f"The mapping files have changed since the last run, which touches {plural(documents, 'open document')}. "
        "What was sent stays as it was sent."
    )


def _mapped_with(ctx: Context, mappings: Mappings) -> dict[tuple[int, str, int], Row]:
    """Map the open documents with other rows of the mapping files, without a trace."""
    with scratch(ctx) as aside:
        copy_staged(aside, source=ctx.warehouse)
        build_scratch(aside, of=ctx, mappings=mappings)
        return _lines(aside.warehouse)


def _lines(warehouse: duckdb.DuckDBPyConnection) -> dict[tuple[int, str, int], Row]:
    rows = rows_of(warehouse.execute(named_statements("dry_run", folder="questions")["mapped_lines"]))
    # Of a detail line the VMS's key: its number may move when control lines come or go.
    return {(row["document_key"], row["line_kind"], row["line_key"] or row["tr_item_number"]): row for row in rows}
