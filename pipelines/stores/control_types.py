"""What the control store takes and gives, whichever database it is in; sqlite3's own classes are such."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

Value = str | int | None
Parameters = Sequence[Value] | Mapping[str, Value]


class ControlRow(Protocol):
    """One row: its values by name and by place, and ``dict`` of it by name alone."""

    def __getitem__(self, key: Any, /) -> Any: ...  # noqa: ANN401 a value of any type
    def __iter__(self) -> Iterator[Any]: ...
    def keys(self) -> list[str]: ...  # noqa: D102


class ControlCursor(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int: ...  # noqa: D102
    def fetchone(self) -> Any: ...  # noqa: ANN401, D102 a row, or None
    def fetchall(self) -> list[Any]: ...  # noqa: D102
    def __iter__(self) -> Iterator[Any]: ...


class ControlConnection(Protocol):
    """What the block of a ``write()`` gets: statements of sql/control, whichever the store is."""

    def execute(self, statement: str, parameters: Any = ..., /) -> ControlCursor: ...  # noqa: ANN401, D102 Parameters
    def executemany(self, statement: str, rows: Any, /) -> ControlCursor: ...  # noqa: ANN401, D102 of Parameters
