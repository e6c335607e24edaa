"""Writes JSON in which a Decimal keeps its digits, as JSON lines with one object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Json: TypeAlias = "bool | int | str | Decimal | Sequence[Json] | Mapping[str, Json] | None"
Row: TypeAlias = "Mapping[str, Json]"

_scalar = json.JSONEncoder(ensure_ascii=False).encode


def encode(value: Json) -> str:
    """Give the JSON text of a value; a Decimal stands there digit by digit, never by way of a float."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return _scalar(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_scalar(name)}:{encode(member)}" for name, member in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(encode, value)) + "]"
    return _scalar(value)


def write_lines(path: Path, rows: Iterable[Row]) -> int:
    """Write one object a line and give their number."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(encode(row) + "\n")
            count += 1
    return count
