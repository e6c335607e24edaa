"""What the demonstration leaves beside its stores: settings, and two commands that work on them as they stand."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.core.settings_sources import SECRETS, variable_name

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

SETTINGS, SPRINGLINE, SANDBOX, STATE = "springline.toml", "springline", "sandbox", "sandbox.sqlite"

# Settings of whoever types it must not lead to a real system; who decides stays who they are.
_SPRINGLINE = """#!/bin/sh
# Springline on what the demonstration has left. Its settings stand in springline.toml beside this file.
cd "$(dirname "$0")" || exit 1
for name in $(env | sed -n 's/^\\(SPRINGLINE_[A-Za-z0-9_]*\\)=.*/\\1/p'); do
    [ "$name" = SPRINGLINE_OPERATOR ] || unset "$name"
done
{secrets}
exec {python} -m pipelines.cli.app "$@"
"""
_SANDBOX = """#!/bin/sh
# Both systems as the demonstration has left them, at the address that springline.toml names, until Ctrl-C.
cd "$(dirname "$0")" || exit 1
exec ./springline sandbox --state sandbox.sqlite --port {port}
"""


def leave_commands(folder: Path, settings: Settings) -> None:
    """Write the settings file and the commands into the demonstration's folder, which may be moved afterwards."""
    values = settings.model_dump(mode="json", exclude_unset=True)
    # Beside the settings file, which is where the commands work.
    file = "warehouse" if isinstance(settings.warehouse, Path) else "scratch"
    values |= {file: settings.warehouse_path.name, "published": settings.published.name}
    secrets = {}
    for section, member in SECRETS:
        values.get(section, {}).pop(member, None)
        if secret := getattr(getattr(settings, section), member):
            secrets[variable_name((section, member))] = secret.get_secret_value()
    (folder / SETTINGS).write_text(as_toml(values), encoding="utf-8")
    exports = "\n".join(f"export {name}={quote(value)}" for name, value in secrets.items())
    port = urlsplit(settings.ledger.url).port
    _write_command(folder / SPRINGLINE, _SPRINGLINE.format(secrets=exports, python=quote(sys.executable)))
    _write_command(folder / SANDBOX, _SANDBOX.format(port=port))


def _write_command(file: Path, script: str) -> None:
    file.write_text(script, encoding="utf-8")
    file.chmod(0o755)


def as_toml(values: Mapping[str, Any]) -> str:
    """Write settings as TOML: plain values first, then a section for each that holds others.

    >>> print(as_toml({"vms": {"base_url": "http://a"}, "companies": [{"code": "1", "owner": 1}], "warehouse": "w"}))
    companies = [{code = "1", owner = 1}]
    warehouse = "w"
    <BLANKLINE>
    [vms]
    base_url = "http://a"
    """
    plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    sections = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    blocks = [_lines(plain), *(f"[{name}]\n{_lines(members)}" for name, members in sections.items())]
    return "\n\n".join(blocks)


def _lines(values: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {_value(value)}" for name, value in values.items() if value is not None)


def _value(value: object) -> str:
    match value:
        case Mapping():
            return "{" + ", ".join(f"{name} = {_value(member)}" for name, member in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            # A text, a number or a truth is written alike in both.
            return json.dumps(value, ensure_ascii=False)
