"""Decisions on documents that nobody had read: they are given the document once it is there.

A person may hold or ignore a document by its number before it arrives. From then on the decision is the document's, and
stays on it whatever number the VMS gives it later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from pipelines.step.counts import Counts
from pipelines.stores.control import named_statements
from pipelines.stores.rows import rows_of

if TYPE_CHECKING:
    from pipelines.step.context import Context


def note_decided_documents(ctx: Context) -> Counts:
    """Give each decision by number alone the one document that has been read with it, in its company where it has one.

    A number that several documents have stays a number, which counts for each of them.
    """
    numbers = [row["document_no"] for row in ctx.control.read(named_statements("decisions")["by_number_alone"])]
    if not numbers:
        return Counts()
    try:
        documents = rows_of(ctx.warehouse.execute(named_statements("steering", folder="steps")["of_number"], [numbers]))
    except duckdb.CatalogException:
        # Nothing was ever read.
        return Counts()
    if documents:
        with ctx.control.write() as connection:
            for statement in ("name_document", "name_ignored"):
                connection.executemany(named_statements("decisions")[statement], documents)
    return Counts()
