"""Which two systems a control store is of: what it has sent to one VMS and one ledger says nothing of any others.

Every VMS counts its documents alike. In the store of another tenant those of this one would count as sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from pipelines.core.errors import SettingsError
from pipelines.core.operators import login_name
from pipelines.core.settings_values import THIS_MACHINE

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.core.control_place import Place
    from pipelines.core.settings import Settings
    from pipelines.stores.control import Control

log = structlog.get_logger()

_MARK = "systems"
VMS, LEDGER = "VMS", "ledger"


@dataclass(frozen=True, slots=True)
class Systems:
    """The addresses of both systems by name: those that a store has worked with, and those of the settings."""

    control: Place
    known: Mapping[str, str]
    given: Mapping[str, str]

    @classmethod
    def of(cls, control: Control, settings: Settings) -> Systems:
        """Read them; none is known before the first batch."""
        given = {VMS: address_of(settings.vms.base_url), LEDGER: address_of(settings.ledger.url)}
        return cls(control.place, json.loads(control.mark(_MARK) or "{}"), given)

    def others(self) -> list[str]:
        """Return the names of the systems that the settings reach elsewhere."""
        return [name for name, address in self.known.items() if self.given.get(name) != address]

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return {"control": str(self.control), "known": {**self.known}, "given": {**self.given}}


def address_of(url: str) -> str:
    """Return what tells a system from another: host and path; what is served on this machine has any port.

    >>> address_of("https://Acme.Example:443/ws/rest/"), address_of("http://acme.example:8080/ws/rest")
    ('acme.example/ws/rest', 'acme.example:8080/ws/rest')
    >>> address_of("http://127.0.0.1:40123/graphql"), address_of("http://[::1]/graphql")
    ('this machine/graphql', 'this machine/graphql')
    """
    parts = urlsplit(url)
    host, usual = parts.hostname or "", {"https": 443, "http": 80}.get(parts.scheme.lower())
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    # A stand-in gets another port each time it is started.
    place = "this machine" if host in THIS_MACHINE else f"{host}{port}"
    return place + parts.path.rstrip("/")


def refuse_other_systems(control: Control, settings: Settings) -> Systems:
    """Return the systems; SettingsError when the store has worked with another VMS or ledger than the settings name."""
    systems = Systems.of(control, settings)
    if not (others := systems.others()):
        return systems
    was = " and ".join(f"the {name} {systems.known[name]}" for name in others)
    now = " and ".join(systems.given[name] for name in others)
    raise SettingsError(
        f"The control store {control.place} has worked with {was}, and the settings name {now}: what it has sent there "
        "would count as sent here.",
        next_step="give each tenant a control store of its own (`control`), and restore none but its own backups. Only "
        "where the same system has a new address: `springline control systems --moved`, and do it again.",
    )


def keep_to_systems(control: Control, settings: Settings) -> None:
    """Refuse other systems; a store that has worked with none is of these from now on."""
    _note(control, refuse_other_systems(control, settings))


def move_systems(control: Control, settings: Settings, *, operator: str) -> None:
    """Have the store work with the systems of the settings: the same ones, which have moved to another address."""
    systems = Systems.of(control, settings)
    _note(control, systems)
    log.info("systems_moved", was=systems.known, now=systems.given, operator=operator, login=login_name())


def _note(control: Control, systems: Systems) -> None:
    if systems.known != systems.given:
        control.keep_mark(_MARK, json.dumps(systems.given))


def show_systems(systems: Systems, console: Console) -> None:
    """Print the addresses, and where the settings differ from them."""
    for name, given in systems.given.items():
        known = systems.known.get(name)
        words = known if known == given else f"{known or 'none yet'}; the settings name {given}"
        console.print(f"{name:6}  {words}", markup=False, highlight=False)
