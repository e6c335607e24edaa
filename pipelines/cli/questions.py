"""explain, preflight, models: questions that read and write nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, Document, answer, out, session, utc_now

Period = Annotated[str | None, typer.Argument(help="Only documents of this month, as 2026-10.")]
Model = Annotated[str | None, typer.Argument(help="One model, as post.voucher_lines.")]
Lineage = Annotated[str | None, typer.Option(help="Show where this column comes from.")]
Dialect = Annotated[str | None, typer.Option(help="Show the model's SQL for postgres or spark.")]


def explain(document: Document, *, as_json: AsJson = False, config: Config = None) -> None:
    """Tell a document's whole story, and what to do next.

    In order: the VMS, its voucher, the checks, what was sent, the ledger, its payments.
    """
    from pipelines.questions.explain.show import show_explanation  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions.explain.story import explain_document  # noqa: PLC0415

    with session(config, as_json=as_json) as started:
        story = explain_document(started.settings, document, now=utc_now)
    answer(story, show_explanation, as_json=as_json)


def preflight(period: Period = None, *, as_json: AsJson = False, config: Config = None) -> None:
    """Check documents before they are posted.

    Those with status PEN, INV or RFP, by who entered them and voyage; nothing is written.
    """
    from pipelines.questions.preflight import run_preflight  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions.preflight_report import show_preflight  # noqa: PLC0415

    with session(config, as_json=as_json) as started:
        result = run_preflight(
            started.settings,
            period=period,
            operator=started.operator,
            now=utc_now,
            report=started.report,
        )
    answer(result, show_preflight, as_json=as_json)


def models(name: Model = None, *, lineage: Lineage = None, dialect: Dialect = None) -> None:
    """List the SQL models, or show one.

    With its columns' lineage, or its SQL for another engine.
    """
    from pipelines.models import show  # noqa: PLC0415 a command imports what it runs
    from pipelines.models.steps import catalog_of_repository  # noqa: PLC0415

    show.show(catalog_of_repository(), out, name=name, lineage=lineage, dialect=dialect)
