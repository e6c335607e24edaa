"""All sheets of the workbook in their order, one for each question an accountant asks, as sheets.toml has them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pipelines.publish.workbook.sheet import Kind, Sheet, SheetColumn


def _read_sheets() -> tuple[Sheet, ...]:
    text = Path(__file__).with_name("sheets.toml").read_text(encoding="utf-8")
    written = tomllib.loads(text)
    return tuple(_sheet(named=written["columns"], **sheet) for sheet in written["sheet"])


def _sheet(*, named: dict[str, Any], columns: list[Any], **members: Any) -> Sheet:  # noqa: ANN401 texts, and a pair
    every = [column for one in columns for column in (named[one] if isinstance(one, str) else [one])]
    return Sheet(columns=tuple(_column(*column) for column in every), **members)


def _column(heading: str, expression: str, kind: Kind = "text", currency: str = "Currency") -> SheetColumn:
    return SheetColumn(heading, expression, kind, currency if kind == "money" else "")


SHEETS = _read_sheets()
