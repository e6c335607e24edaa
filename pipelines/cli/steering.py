"""hold, release, ignore, retry: what a person decides on one document, effective at the next run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, Document, Reason, answer, session, show_message, utc_now

# A supplier's change of bank account waits for a second person and is released by the supplier's code.
Releasable = Annotated[
    str, typer.Argument(metavar="DOCUMENT", help="A document, or a supplier's code when its bank account has changed.")
]


def hold(document: Document, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Keep a document back until somebody releases it."""
    _steer("hold", document, reason=reason, as_json=as_json, config=config)


def release(document: Releasable, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Lift a hold, an ignore or a bank change; never a rule.

    A supplier's changed bank account is released under the supplier's code, by
    somebody else than ran the batch that saw it first.
    """
    _steer("release", document, reason=reason, as_json=as_json, config=config)


def ignore(document: Document, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Leave a document alone for good.

    As after "Skip to Posted"; its number may be one that has not been read yet.
    """
    _steer("ignore", document, reason=reason, as_json=as_json, config=config)


def retry(document: Document, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Try a voucher again, or look up what became of it.

    A failed voucher is tried again, one of unknown fate is looked up, and what the ledger's posting refused is
    corrected.
    """
    _steer("retry", document, reason=reason, as_json=as_json, config=config)


def _steer(action: str, document: str, *, reason: str, as_json: bool, config: Path | None) -> None:
    from pipelines.steering.steer import steer  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        result = steer(
            action, document, settings=started.settings, reason=reason, operator=started.operator, now=utc_now
        )
    answer(result, show_message, as_json=as_json)
