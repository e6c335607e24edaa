"""query: one question in SQL to the published file, as a table, CSV, JSON or Parquet."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, err, out, session, utc_now
from pipelines.core.errors import UsageError


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


Sql = Annotated[str, typer.Argument(metavar="SQL", help="One SELECT; schemas map, post, rec, close, ctl.")]
Form = Annotated[
    Format | None, typer.Option("--format", help="table, csv, json or parquet; by the file's name, else table.")
]
Output = Annotated[Path | None, typer.Option(help="File to write the answer to.", dir_okay=False)]


def query(
    sql: Sql, *, form: Form = None, output: Output = None, as_json: AsJson = False, config: Config = None
) -> None:
    """Ask the published file one question in SQL.

    It reads and changes nothing.
    """
    from pipelines.questions.answers import show_age, write_answer  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions.query import ask  # noqa: PLC0415

    chosen = _chosen(form, output, as_json=as_json)
    with session(config, as_json=chosen is Format.JSON) as started:
        # A binary answer would spoil a terminal.
        if chosen is Format.PARQUET and output is None:
            raise UsageError("Parquet goes to a file.", next_step="name it: --output answer.parquet.")
        with ask(started.settings.published, sql) as answer:
            # To stderr, so that `--format csv > file` holds nothing but the answer.
            show_age(answer.age, err, now=utc_now())
            write_answer(answer, chosen, out, output=output, remarks=err)


# --format counts first, then --json, then the ending of the file's name.
def _chosen(form: Format | None, output: Path | None, *, as_json: bool) -> Format:
    if form is not None:
        return form
    if as_json:
        return Format.JSON
    suffix = output.suffix.removeprefix(".").lower() if output else ""
    return Format(suffix) if suffix in [*Format] else Format.TABLE
