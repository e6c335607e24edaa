"""Turns a nested Arrow table into flat ones, column by column: the parents', and each child list's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.contract import MemberKind
from pipelines.contracts.shape import steps

if TYPE_CHECKING:
    from pipelines.contracts.contract import Children, Contract, Member

# Which row of the parents' table a child row belongs to; it goes before landing.
PARENT_ROW = "parent_row"

_CASTS = {MemberKind.DATE: pa.date32(), MemberKind.ID: pa.int64()}


def flatten_parents(table: pa.Table, contract: Contract) -> pa.Table:
    """Return one row per object, in the same order, with the columns of the contract."""
    objects = _struct(table)
    columns = [_column(objects, member) for member in contract.members]
    return pa.Table.from_arrays(columns, names=[member.column for member in contract.members])


def flatten_children(table: pa.Table, contract: Contract, children: Children) -> pa.Table:
    """Return one row per element of a nested list: parent_row, the parent's key, the columns, the position from 0.

    A list inside another's elements is counted through the whole object, and each row carries its outer element's key.
    """
    objects = _struct(table)
    key = next(member for member in contract.members if member.column == contract.key)
    elements, parent_row = objects, None
    outer = outer_row = None
    # From the outer list to the inner one; at each step it is noted which object a row belongs to.
    for path in children.path.split("[]."):
        lists = _list(elements, path)
        outer, outer_row = elements, pc.list_parent_indices(lists)
        parent_row = outer_row if parent_row is None else pc.take(parent_row, outer_row)
        elements = pc.list_flatten(lists)
    columns = [_column(elements, member) for member in children.members]
    if children.outer is not None:
        columns.insert(0, pc.take(_column(outer, children.outer), outer_row))
    return pa.Table.from_arrays(
        [parent_row, pc.take(_column(objects, key), parent_row), *columns, _positions(parent_row)],
        names=[PARENT_ROW, contract.key, *(member.column for member in children.columns), "position"],
    )


def count_children(rows: pa.Table, parents: int) -> pa.Array:
    """Return for each of so many parents how many of these child rows it has."""
    row = _numbers(rows[PARENT_ROW].combine_chunks(), np.int64)
    counts = np.bincount(row, minlength=parents).astype(np.int64)
    return pa.Array.from_buffers(pa.int64(), parents, [None, pa.py_buffer(counts)])


def is_complete(table: pa.Table, contract: Contract) -> bool:
    """Tell whether nothing that a contract requires is null."""
    objects = _struct(table)
    if _lacks(objects, contract.members):
        return False
    for children in contract.children:
        elements = objects
        for path in children.path.split("[]."):
            elements = pc.list_flatten(_list(elements, path))
        # A null in a list of children would become a row without a key.
        if elements.null_count or _lacks(elements, children.members):
            return False
    return True


def _lacks(objects: pa.StructArray, members: Iterable[Member]) -> bool:
    return any(member.required and _walk(objects, steps(member.path)).null_count for member in members)


def _list(objects: pa.StructArray, path: str) -> pa.ListArray:
    return _walk(objects, [(name, False) for name in path.split(".")])


def _struct(table: pa.Table) -> pa.StructArray:
    return pa.StructArray.from_arrays([column.combine_chunks() for column in table.columns], fields=list(table.schema))


def _column(objects: pa.StructArray, member: Member) -> pa.Array:
    values = _walk(objects, steps(member.path))
    # A day may have come with a time behind it, which is cut off.
    return pc.cast(values, _CASTS[member.kind], safe=False) if member.kind in _CASTS else values


def _walk(objects: pa.Array, path: Sequence[tuple[str, bool]]) -> pa.Array:
    values = objects
    names: list[str] = []
    for name, is_first_of_list in path:
        names.append(name)
        if is_first_of_list:
            values, names = _first(pc.struct_field(values, names)), []
    return pc.struct_field(values, names) if names else values


def _first(lists: pa.ListArray) -> pa.Array:
    """Return the first element of each list, null where there is none; pc.list_element raises there."""
    # Built from buffers: where the list is empty the index is masked as null, and take() gives null for it.
    offsets = _numbers(lists.offsets, np.int32)
    has_element = pa.py_buffer(np.packbits(np.diff(offsets) > 0, bitorder="little"))
    return pc.take(
        lists.values, pa.Array.from_buffers(pa.int32(), len(lists), [has_element, pa.py_buffer(offsets[:-1])])
    )


def _positions(parent_row: pa.Array) -> pa.Array:
    rows = _numbers(parent_row, np.int64)
    # Rows of one object follow each other, so a new position 0 stands where the row number changes.
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    lengths = np.diff(np.append(starts, len(rows)))
    positions = (np.arange(len(rows)) - np.repeat(starts, lengths)).astype(np.int32)
    return pa.Array.from_buffers(pa.int32(), len(rows), [None, pa.py_buffer(positions)])


def _numbers(array: pa.Array, dtype: type[np.integer[Any]]) -> np.ndarray[Any, Any]:
    """Return an array without nulls as numpy sees it; to_numpy() would import pandas to do the same."""
    return np.frombuffer(array.buffers()[1], dtype=dtype)[array.offset : array.offset + len(array)]
