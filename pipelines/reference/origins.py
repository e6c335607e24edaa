"""Where columns come from, as the pages tell it: the members of the VMS's and the ledger's API, object by object."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.core.table_ref import ColumnRef
from pipelines.publish.descriptions import origins
from pipelines.reference.markdown import code


def told(columns: Iterable[ColumnRef]) -> str:
    """Say where columns come from: the members, object by object, then other tables' columns."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        origin = origins().get(column)
        if origin:
            groups.setdefault(f"{origin.side} {code(origin.entity)}", []).append(code(origin.path))
        else:
            groups.setdefault(code(str(column.table)), []).append(code(column.name))
    return "\n".join(f"{source}: {', '.join(dict.fromkeys(names))}" for source, names in sorted(groups.items()))
