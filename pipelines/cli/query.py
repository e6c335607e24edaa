"""query: one question in SQL to the published file, as a table, CSV, JSON, Parquet or a workbook."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, Tenants, err, errors_as_json, out, utc_now
from pipelines.core.errors import UsageError


class Format(StrEnum):
    """How an answer is written; all but the table are endings of files too."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


# A binary answer would spoil a terminal.
BINARY = (Format.PARQUET, Format.XLSX)
ENDINGS = tuple(form for form in Format if form is not Format.TABLE)
MOST_CHARACTERS = 1_000_000

Sql = Annotated[
    str | None,
    typer.Argument(
        metavar="SQL",
        help="One SELECT, a file that ends in .sql, or - for stdin. A schema lists its tables, a table shows its rows; "
        "nothing lists what to begin with.",
        show_default=False,
    ),
]
Form = Annotated[Format | None, typer.Option("--format", help="How to write it; by the file's ending, else a table.")]
Output = Annotated[
    Path | None, typer.Option(help="File for the answer: .csv, .json, .jsonl, .parquet or .xlsx.", dir_okay=False)
]
Published = Annotated[
    Path | None,
    typer.Option(help="Folder with the published file; else SPRINGLINE_PUBLISHED, or as the settings say."),
]


def query(
    sql: Sql = None,
    *,
    form: Form = None,
    output: Output = None,
    published: Published = None,
    tenants: Tenants = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Ask the published file one question in SQL.

    It reads and changes nothing, and needs no sign-in: only the folder that analysts read.
    """
    from pipelines.questions.answers import show_age, write_answer  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions.query import ask  # noqa: PLC0415

    with errors_as_json(as_json=as_json or form in (Format.JSON, Format.JSONL)):
        chosen = _chosen(form, output, as_json=as_json)
        if chosen in BINARY and output is None:
            raise UsageError(f"{chosen.value} goes to a file.", next_step=f"name it: --output answer.{chosen.value}.")
        from pipelines.core.settings import load_published  # noqa: PLC0415 settings take a tenth of a second to import

        text = _text(sql)
        if tenants:
            from pipelines.questions.tenants import ask_tenants  # noqa: PLC0415

            asked = ask_tenants(tenants, text, environ=os.environ)
        else:
            asked = ask(published or load_published(config, environ=os.environ), text)
        with asked as answer:
            # To stderr, so that `--format csv > file` holds nothing but the answer.
            show_age(answer.age, err, now=utc_now())
            write_answer(answer, chosen, out, output=output, remarks=err)
            if answer.remark and chosen is Format.TABLE:
                err.print(answer.remark, markup=False, highlight=False)


def _chosen(form: Format | None, output: Path | None, *, as_json: bool) -> Format:
    """Return how to write an answer: as --format says, else --json, else the file's ending; UsageError for others."""
    if form is not None:
        return form
    if as_json:
        return Format.JSON
    if output is None:
        return Format.TABLE
    ending = output.suffix.removeprefix(".").lower()
    if ending not in ENDINGS:
        raise UsageError(
            f"{output}: {f'the ending .{ending}' if ending else 'a name without ending'} does not say how to write it.",
            next_step=f"end it in {', '.join(f'.{known}' for known in ENDINGS)}, or say --format.",
        )
    return Format(ending)


def _text(sql: str | None) -> str | None:
    """Return the question itself, from stdin or a file where the argument names one; UsageError without it."""
    if sql == "-":
        text = sys.stdin.read(MOST_CHARACTERS + 1)
        if len(text) > MOST_CHARACTERS:
            raise UsageError(f"A question has at most {MOST_CHARACTERS:,} characters.", next_step="ask a shorter one.")
        return text
    if sql is None or not sql.lower().endswith(".sql") or "\n" in sql:
        return sql
    try:
        return Path(sql).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"{sql} cannot be read: {reason}.", next_step="name a file that is there and is UTF-8."
        ) from error
