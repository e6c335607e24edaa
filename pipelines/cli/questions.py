"""explain, preflight: questions that read and write nothing."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, err, errors_as_json, operator_name, out, print_json, utc_now
from pipelines.cli.steering import Document


def explain(document: Document, *, as_json: AsJson = False, config: Config = None) -> None:
    """Tell a document's whole story: VMS, voucher, checks, sends, ledger, payments, and what to do next."""
    from pipelines.core.settings import load_settings  # noqa: PLC0415
    from pipelines.questions.explain.show import show_explanation  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions.explain.story import explain_document  # noqa: PLC0415

    with errors_as_json(as_json=as_json):
        story = explain_document(load_settings(config, environ=os.environ), document, now=utc_now)
    if as_json:
        print_json(story.as_dict())
    else:
        show_explanation(story, out)


def preflight(
    period: Annotated[str | None, typer.Argument(help="Only documents of this month, as 2026-10.")] = None,
    *,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Check documents that are not posted yet (PEN, INV, RFP), by who entered them and voyage; writes nothing."""
    from pipelines.batch.run import accounting_day  # noqa: PLC0415
    from pipelines.cli.progress import progress  # noqa: PLC0415
    from pipelines.core import log  # noqa: PLC0415 a command imports what it runs
    from pipelines.core.settings import load_settings  # noqa: PLC0415
    from pipelines.questions.preflight import run_preflight  # noqa: PLC0415
    from pipelines.questions.preflight_report import show_preflight  # noqa: PLC0415

    log.configure_logging(stream=sys.stderr)
    with errors_as_json(as_json=as_json):
        settings = load_settings(config, environ=os.environ)
        with progress(err, is_shown=sys.stderr.isatty() and not as_json) as report:
            found = run_preflight(
                settings,
                period=period,
                today=accounting_day(utc_now()),
                operator=operator_name(os.environ),
                now=utc_now,
                report=report,
            )
    if as_json:
        print_json(found.as_dict())
    else:
        show_preflight(found, out)
