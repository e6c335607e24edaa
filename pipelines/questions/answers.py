"""Writes the answer to a question: for people as a table, else as a file; amounts exact, dates ISO 8601."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.core.errors import UsageError
from pipelines.core.words import moment
from pipelines.questions.csv_file import json_of, line_of, text_of

if TYPE_CHECKING:
    from pipelines.questions.query import PublishedAge, QueryAnswer

SHOWN_ROWS = 100
# Where a row does not fit on a line, each of its fields has one: so many rows are what somebody still reads.
SHOWN_RECORDS = 20
# Figures, codes and dates are never folded; a text is, down to this width.
NARROWEST_TEXT = 24
BINARY = ("parquet", "xlsx")
MINUTE, HOUR, DAY = 60, 3600, 86400


def show_age(age: PublishedAge, console: Console, *, now: datetime) -> None:
    """Say when the data was published (UTC), by which batch, and when each side was last read."""
    since = now - age.published_at.replace(tzinfo=UTC)
    read = "; ".join(
        f"{side} read {moment(at)}" if at else f"{side} never read"
        for side, at in (("VMS", age.as_of_vms), ("ledger", age.as_of_ledger))
    )
    console.print(
        f"{age.whose}Published {moment(age.published_at)}, {age_in_words(since)} ago, by batch {age.batch_id}; {read}.",
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
    """Write an answer in a form (table, or one of WRITERS) to a file, else to stdout; remarks go elsewhere.

    UsageError when the file cannot be written, or cannot hold so many rows.
    """
    with _target(output, is_binary=form in BINARY) as target:
        if form == "table":
            _write_table(answer, Console(file=target, width=console.width) if output else console, remarks)
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
    # A device or a pipe, as /dev/stdout, is written to: a file in its place would be missed by every other program.
    is_kept = os.path.exists(output) and not output.is_file()  # noqa: PTH110 `Path.exists` fails at too long a name
    # Beside the file, so that it lies on the same disk and replacing it is one step.
    beside = output if is_kept else output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with beside.open(mode, encoding=encoding, newline=newline) as file:
            yield file
        # Only after the file was closed: a full disk shows when it is, and then the old answer stays.
        if not is_kept:
            beside.replace(output)
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}.", next_step="name a file in a folder you may write to."
        ) from error
    finally:
        # What could not be written may not be taken away either, and that is not the fault to tell.
        if not is_kept:
            with suppress(OSError):
                beside.unlink()


def _write_table(answer: QueryAnswer, console: Console, remarks: Console) -> None:
    """Draw the first rows: a line a row where that fits, else a line a field."""
    # One more than is shown, only to know whether there are more.
    rows = answer.first(SHOWN_ROWS + 1)
    cells = [[_shown(value) for value in row] for row in rows]
    widths = [
        max([cell_len(column.name), *(max(map(cell_len, row[place].splitlines()), default=0) for row in cells)])
        for place, column in enumerate(answer.columns)
    ]
    is_text = [column.type == "VARCHAR" for column in answer.columns]
    least = [
        min(width, max(NARROWEST_TEXT, cell_len(column.name))) if may_fold else width
        for width, may_fold, column in zip(widths, is_text, answer.columns, strict=True)
    ]
    # What rich draws around a cell: a line before it and a blank on each side, and a line at the end.
    is_wide = sum(least) + 3 * len(least) + 1 > console.width
    shown = SHOWN_RECORDS if is_wide else SHOWN_ROWS
    if is_wide:
        _draw_records(answer, cells[:shown], console)
    else:
        console.print(_table_of(answer, cells[:shown], least))
    if len(rows) > shown:
        remarks.print(
            f"The first {shown} rows are shown and there are more: --output FILE or --format csv gives them all.",
            highlight=False,
        )


def _shown(value: object) -> str:
    """Write a value for the screen: without the zeros that its type alone has, as amounts do to four decimals.

    >>> _shown(Decimal("1250.5000")), _shown(Decimal("0.094912000")), _shown(Decimal("7.0000"))
    ('1250.50', '0.094912', '7.00')
    """
    text = text_of(value)
    if not isinstance(value, Decimal) or "." not in text:
        return text
    whole, _, places = text.partition(".")
    return f"{whole}.{places[:2]}{places[2:].rstrip('0')}"


def _table_of(answer: QueryAnswer, cells: Sequence[Sequence[str]], least: Sequence[int]) -> Table:
    table = Table()
    for column, width in zip(answer.columns, least, strict=True):
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        table.add_column(Text(column.name), justify=justify, overflow="fold", min_width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _draw_records(answer: QueryAnswer, cells: Sequence[Sequence[str]], console: Console) -> None:
    for number, row in enumerate(cells, 1):
        console.print(Text(f"row {number}", style="bold"))
        fields = Table.grid(padding=(0, 2))
        fields.add_column(style="dim", no_wrap=True)
        fields.add_column(overflow="fold")
        for column, cell in zip(answer.columns, row, strict=True):
            fields.add_row(Text(f"  {column.name}"), Text(cell))
        console.print(fields)


def _write_csv(answer: QueryAnswer, target: TextIO) -> None:
    target.write(line_of([column.name for column in answer.columns]))
    for page in answer.pages():
        target.writelines(map(line_of, page))


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


def _write_lines(answer: QueryAnswer, target: TextIO) -> None:
    """Write one object a line, which programs read row by row."""
    names = [column.name for column in answer.columns]
    for page in answer.pages():
        objects = ({name: json_of(value) for name, value in zip(names, row, strict=True)} for row in page)
        target.writelines(f"{_json(one)}\n" for one in objects)


def _write_workbook(answer: QueryAnswer, target: Any) -> None:  # noqa: ANN401 a binary file
    from pipelines.publish.workbook.answer_book import write_answer_book  # noqa: PLC0415 only this form needs it

    rows = (row for page in answer.pages() for row in page)
    columns = [(column.name, column.is_number) for column in answer.columns]
    about = {
        "Question": answer.sql,
        "Published": moment(answer.age.published_at),
        "By batch": answer.age.batch_id,
        "VMS read": moment(answer.age.as_of_vms) or "never",
        "Ledger read": moment(answer.age.as_of_ledger) or "never",
    }
    write_answer_book(target, columns, rows, about=about, text_of=text_of)


def _write_parquet(answer: QueryAnswer, target: Any) -> None:  # noqa: ANN401 a binary file
    import pyarrow.parquet as pq  # noqa: PLC0415 only this form needs it

    batches = answer.batches()
    names = [column.name for column in answer.columns]
    # Names are made distinct first: Parquet readers refuse, or drop, a column whose name comes twice.
    schema = batches.schema.empty_table().rename_columns(names).schema
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.rename_columns(names))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


WRITERS: Mapping[str, Callable[[QueryAnswer, Any], None]] = {
    "csv": _write_csv,
    "json": _write_json,
    "jsonl": _write_lines,
    "parquet": _write_parquet,
    "xlsx": _write_workbook,
}
