"""hold, release, ignore, retry: what a person decides on one document, effective at the next run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, errors_as_json, operator_name, out, print_json, utc_now

Document = Annotated[
    str, typer.Argument(metavar="DOCUMENT", help="Its number, else its key; key:5200777 means the key alone.")
]
Releasable = Annotated[
    str, typer.Argument(metavar="DOCUMENT", help="A document, or a supplier's code when its bank account has changed.")
]
Reason = Annotated[str, typer.Option(help="Why; it is kept with your name and the time.")]


def hold(document: Document, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Keep a document back until somebody releases it."""
    _steer("hold", document, reason=reason, as_json=as_json, config=config)


def release(document: Releasable, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Lift what a person put on: a hold, an ignore, a supplier's changed bank account; never a rule."""
    _steer("release", document, reason=reason, as_json=as_json, config=config)


def ignore(document: Document, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Leave a document alone for good, as after "Skip to Posted"; its number may be one never seen yet."""
    _steer("ignore", document, reason=reason, as_json=as_json, config=config)


def retry(document: Document, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Try a failed voucher again, look up one of unknown fate, correct what the ledger's posting refused."""
    _steer("retry", document, reason=reason, as_json=as_json, config=config)


def _steer(action: str, document: str, *, reason: str, as_json: bool, config: Path | None) -> None:
    from pipelines.core.settings import load_settings  # noqa: PLC0415 a command imports what it runs
    from pipelines.steering.steer import steer  # noqa: PLC0415

    with errors_as_json(as_json=as_json):
        done = steer(
            action,
            document,
            settings=load_settings(config, environ=os.environ),
            reason=reason,
            operator=operator_name(os.environ),
            now=utc_now,
        )
    if as_json:
        print_json(done.as_dict())
    else:
        out.print(done.message, markup=False, highlight=False)
