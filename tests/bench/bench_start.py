"""What a question costs before and while it is answered: help, release, status, explain and query.

Run as ``python -m tests.bench.bench_start``. Each is the real command in a process of its own, its processor time the
least of some rounds, beside a process that only imports the library of the command line.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pipelines import __version__
from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.models.build import build
from pipelines.models.store import open_catalog
from pipelines.publish.edition.contents import Edition
from pipelines.publish.edition.database import write_database
from pipelines.publish.steps import published_texts
from pipelines.step.context import Context
from pipelines.stores.warehouse import take_over
from tests.bench.desk import processor_of, say
from tests.bench.kept import Row, keep
from tests.bench.rec_world import fill
from tests.models.conftest import prepare
from tests.support.landing import make_context
from tests.support.sandbox_server import REPOSITORY

DOCUMENTS = 100_000
ROUNDS = 5
CLI = (sys.executable, "-m", "pipelines.cli.app")
FLOOR = (sys.executable, "-c", "import typer, rich.console")
A_DOCUMENT = "2750000"
QUESTION = "SELECT state, count(*) FROM rec.documents GROUP BY ALL"
# What is measured -> the command, and the seconds of processor that it may take; of the first two beyond the floor.
COMMANDS = {
    "--help": (("--help",), 0.3),
    "--version": (("--version",), 0.3),
    "status": (("status", "--json"), 1.0),
    "explain": (("explain", A_DOCUMENT), 1.0),
    "query": (("query", QUESTION), 1.0),
}
MOMENT = "2026-11-01T20:00:00.000000+00:00"
EVENTS = ("todo", "sending", "sent")


def make_world(ctx: Context, documents: int) -> None:
    """Fill both stores with documents that were sent, build all models on them, and publish."""
    catalog = open_catalog(sql_folder(), declared_tables())
    prepare(ctx.warehouse, catalog)
    fill(ctx.warehouse, documents)
    build(ctx.warehouse, catalog.models, schemas=("map", "post", "rec", "close"))
    fill_control(ctx)
    take_over(ctx.warehouse, ctx.control, batch_id=ctx.batch_id)
    publish_file(ctx)


def publish_file(ctx: Context) -> None:
    """Publish what the warehouse has, without the copy of the control store, which here has no vouchers' payloads."""
    folder = ctx.settings.published
    folder.mkdir(exist_ok=True)
    edition = Edition(ctx.now(), ctx.batch_id, ctx.today, __version__, ctx.now(), ctx.now())
    write_database(ctx.warehouse, ctx.control, folder, texts=published_texts(ctx), edition=edition)


def fill_control(ctx: Context) -> None:
    """Write into the control store what its copy in the warehouse says, each intent with its three events."""
    intents = ctx.warehouse.execute(
        "SELECT id, kind, natural_key, target, company_code, owner_code, document_key, document_no FROM ctl.outbox"
    ).fetchall()
    holds = ctx.warehouse.execute(
        "SELECT company, document_key, document_no, rule, severity, message, since FROM ctl.holds"
    ).fetchall()
    with ctx.control.write() as store:
        store.execute(
            "INSERT INTO batches (batch_id, started_at, today, jobs, operator) VALUES ('b1', ?, '2026-11-02', '', '')",
            (MOMENT,),
        )
        store.executemany(
            "INSERT INTO outbox (id, kind, natural_key, target, company_code, owner_code, document_key, document_no, "
            "state, attempts, payload, payload_hash, source_hash, batch_id, created_at, updated_at, sent_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'sent', 1, '[]', '', '', 'b1', ?, ?, ?)",
            ((*intent, MOMENT, MOMENT, MOMENT) for intent in intents),
        )
        store.executemany(
            "INSERT INTO outbox_events (outbox_id, at, batch_id, to_state, payload_hash, previous_hash, hash) "
            "VALUES (?, ?, 'b1', ?, '', '', '')",
            [(intent[0], MOMENT, state) for intent in intents for state in EVENTS],
        )
        store.executemany(
            "INSERT INTO holds (company, document_key, document_no, rule, severity, message, since, batch_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 'b1')",
            holds,
        )


def main() -> None:
    """Measure each command, and print it beside the floor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ctx = make_context(folder, now=lambda: datetime(2026, 11, 2, 8, tzinfo=UTC))
        make_world(ctx, DOCUMENTS)
        ctx.control.close()
        ctx.warehouse.close()
        environ = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "SPRINGLINE_VMS__BASE_URL": "https://tenant.invalid",
            "SPRINGLINE_VMS__USERNAME": "api",
            "SPRINGLINE_VMS__PASSWORD": "secret",
            "SPRINGLINE_LEDGER__TOKEN": "token",
            "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
            "SPRINGLINE_PUBLISHED": str(folder / "published"),
        }
        floor = processor_of(FLOOR, folder=folder, environ=environ, rounds=ROUNDS)
        say(f"the library of the command line alone: {floor:.2f} s of processor")
        rows: list[Row] = [{"what": "the library of the command line alone", "processor s": round(floor, 2)}]
        for title, (words, most) in COMMANDS.items():
            spent = processor_of((*CLI, *words), folder=folder, environ=environ, rounds=ROUNDS)
            limit = most + floor * title.startswith("--")
            ratio, share = spent / floor, spent / limit
            say(f"{title}: {spent:.2f} s of processor, {ratio:.1f} times the library; {share:.0%} of what it may take")
            rows.append({"what": f"`{title}`", "processor s": round(spent, 2), "may take s": round(limit, 2)})
        keep("start", {"commands": rows})


if __name__ == "__main__":
    main()
