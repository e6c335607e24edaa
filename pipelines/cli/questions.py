"""explain, preflight, models: questions that read and write nothing."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, answer, out, session, utc_now

Named = Annotated[
    str,
    typer.Argument(
        metavar="DOCUMENT",
        help="Its number, invoice number, KID, voucher number or payment; key:5200777 and no:12 (a break) too.",
    ),
]
Origins = Annotated[bool, typer.Option("--origins", help="Where each field of its voucher comes from.")]
Events = Annotated[bool, typer.Option("--events", help="Every step of what was sent, and the chain of events.")]
Rules = Annotated[bool, typer.Option("--rules", help="What the checks found, and what they looked for.")]
Full = Annotated[bool, typer.Option("--full", help="Everything: every line and row, and all of the above.")]
Period = Annotated[str | None, typer.Argument(help="Only documents of this month, as 2026-10.")]
Model = Annotated[str | None, typer.Argument(help="One model, as post.voucher_lines.")]
Lineage = Annotated[str | None, typer.Option(help="Show where this column comes from.")]
Dialect = Annotated[str | None, typer.Option(help="Show the model's SQL for postgres or spark.")]


def explain(
    document: Named,
    *,
    has_origins: Origins = False,
    has_events: Events = False,
    has_rules: Rules = False,
    is_full: Full = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Say where a document stands and what to do.

    And by whom; then its story, in order: the VMS, its voucher, the ledger, its payments, the checks, what
    differs, what people decided.
    """
    from pipelines.questions.explain import show  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions.explain.story import explain_document  # noqa: PLC0415

    asked = {show.ORIGINS: has_origins, show.EVENTS: has_events, show.RULES: has_rules, show.FULL: is_full}
    parts = frozenset(part for part, is_asked in asked.items() if is_asked)
    with session(config, as_json=as_json) as started:
        story = explain_document(started.settings, document, now=utc_now, is_full=is_full)
    answer(story, partial(show.show_explanation, parts=parts), as_json=as_json)


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
