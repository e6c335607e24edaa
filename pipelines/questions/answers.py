"""Writes the answer to a question: as a table for people, as CSV, JSON or Parquet; amounts exact, dates ISO 8601."""

from __future__ import annotations

import csv
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.core.errors import UsageError
from pipelines.core.words import moment

if TYPE_CHECKING:
    from pipelines.questions.query import PublishedAge, QueryAnswer

SHOWN_ROWS = 100
# How the names of DuckDB's number types begin; U are the unsigned ones. Numbers stand right-aligned.
NUMBERS = ("BIGINT", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER", "SMALLINT", "TINYINT", "U")
MINUTE, HOUR, DAY = 60, 3600, 86400


def show_age(age: PublishedAge, console: Console, *, now: datetime) -> None:
    """Say when the data was published (UTC), by which batch, and when each side was last read."""
    since = now - age.published_at.replace(tzinfo=UTC)
    read = "; ".join(
        f"{side} read {moment(at)}" if at else f"{side} never read"
        for side, at in (("VMS", age.as_of_vms), ("ledger", age.as_of_ledger))
    )
    console.print(
        f"Published {moment(age.published_at)}, {age_in_words(since)} ago, by batch {age.batch_id}; {read}.",
        markup=False,
        highlight=False,
    )


def age_in_words(since: timedelta) -> str:
    """Return an age in its largest unit.

    >>> age_in_words(timedelta(seconds=30)), age_in_words(timedelta(hours=5, minutes=3))
    ('less than a minute', '5 hours')
    """
    seconds = int(since.total_seconds())
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= unit:
            number = seconds // unit
            return f"{number} {name}{'' if number == 1 else 's'}"
    return "less than a minute"


def write_answer(answer: QueryAnswer, form: str, console: Console, *, output: Path | None, remarks: Console) -> None:
    """Write an answer in a form (table, csv, json, parquet) to a file, else to stdout; remarks go elsewhere."""
    with _target(output, is_binary=form == "parquet") as target:
        if form == "table":
            _write_table(answer, console, target if output else None, remarks)
        elif form == "parquet":
            _write_parquet(answer, target)
        else:
            WRITERS[form](answer, target)
    if output:
        remarks.print(f"Written to {output}.", markup=False, highlight=False)


@contextmanager
def _target(output: Path | None, *, is_binary: bool) -> Iterator[Any]:
    """Yield stdout, or a file that is replaced as a whole at the end, so that no cut answer stands under its name."""
    if output is None:
        yield sys.stdout
        return
    mode, encoding, newline = ("wb", None, None) if is_binary else ("w", "utf-8", "")
    # Beside the file, so that it lies on the same disk and replacing it is one step.
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with beside.open(mode, encoding=encoding, newline=newline) as file:
            yield file
        # Only after the file was closed: a full disk shows when it is, and then the old answer stays.
        beside.replace(output)
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}.", next_step="name a file in a folder you may write to."
        ) from error
    finally:
        # What could not be written may not be taken away either, and that is not the fault to tell.
        with suppress(OSError):
            beside.unlink()


def _write_table(answer: QueryAnswer, console: Console, target: TextIO | None, remarks: Console) -> None:
    # One more than is shown, only to know whether there are more.
    rows = answer.first(SHOWN_ROWS + 1)
    table = Table()
    for column in answer.columns:
        table.add_column(
            Text(column.name), justify="right" if column.type.startswith(NUMBERS) else "left", overflow="fold"
        )
    for row in rows[:SHOWN_ROWS]:
        table.add_row(*(Text(text_of(value)) for value in row))
    if target is None:
        console.print(table)
    else:
        Console(file=target, width=console.width).print(table)
    if len(rows) > SHOWN_ROWS:
        remarks.print(
            f"The first {SHOWN_ROWS} rows are shown and there are more: --format csv, json or parquet gives them all.",
            highlight=False,
        )


def _write_csv(answer: QueryAnswer, target: TextIO) -> None:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(column.name for column in answer.columns)
    for page in answer.pages():
        writer.writerows([text_of(value) for value in row] for row in page)


def _write_json(answer: QueryAnswer, target: TextIO) -> None:
    """Write one object with each row on its own line; amounts are text, so that no reader makes floats of them."""
    age = {
        name: json_of(getattr(answer.age, name)) for name in ("published_at", "batch_id", "as_of_vms", "as_of_ledger")
    }
    columns = [{"name": column.name, "type": column.type} for column in answer.columns]
    names = [column.name for column in answer.columns]
    target.write(f'{{"published": {_json(age)},\n "columns": {_json(columns)},\n "rows": [')
    # Row by row, not as one list: the answer may be larger than memory.
    mark = "\n  "
    for page in answer.pages():
        for row in page:
            target.write(mark + _json({name: json_of(value) for name, value in zip(names, row, strict=True)}))
            mark = ",\n  "
    target.write("]}\n")


def _write_parquet(answer: QueryAnswer, target: Any) -> None:  # noqa: ANN401 a binary file
    import pyarrow.parquet as pq  # noqa: PLC0415 only this form needs it

    batches = answer.batches()
    names = [column.name for column in answer.columns]
    # Names are made distinct first: Parquet readers refuse, or drop, a column whose name comes twice.
    schema = batches.schema.empty_table().rename_columns(names).schema
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.rename_columns(names))


def text_of(value: object) -> str:
    """Write a value for people and CSV: NULL is empty, and no digit of an amount is cut or rounded.

    >>> text_of(Decimal("0E-18")), text_of(Decimal("1250.5000")), text_of(date(2026, 11, 2)), text_of(None)
    ('0.000000000000000000', '1250.5000', '2026-11-02', '')
    """
    if value is None:
        return ""
    plain = json_of(value)
    return plain if isinstance(plain, str) else _json(plain)


def json_of(value: object) -> Any:  # noqa: ANN401 any JSON value
    """Turn a value into JSON: decimals, dates and times become text."""
    if isinstance(value, Decimal):
        # Never in the form 1E-18, which spreadsheets read as a float.
        return f"{value:f}"
    # JSON has no NaN and no infinity.
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [json_of(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_of(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


WRITERS: Mapping[str, Callable[[QueryAnswer, TextIO], None]] = {"csv": _write_csv, "json": _write_json}
