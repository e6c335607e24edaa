"""What the settings lack before a side can call: told all at once, with setting, value and next step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipelines.core.errors import SettingsError
from pipelines.watch.webhooks.calls import Signatures

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.watch.webhooks.events import Side

# Where each side calls, behind `webhooks.url`.
VMS_PATH, LEDGER_PATH = "/webhooks/vms", "/webhooks/ledger"
PASSWORD = "SPRINGLINE_WEBHOOKS__VMS_PASSWORD"  # noqa: S105 the name of a variable


def faults(settings: Settings, sides: Iterable[Side]) -> list[str]:
    """Return what keeps these sides from calling, or keeps a call from being checked; nothing of it is a secret."""
    found = [] if settings.webhooks.url else ["webhooks.url is missing: the address at which both systems reach us"]
    for side in sides:
        found += _vms_faults(settings) if side == "vms" else _ledger_faults(settings)
    return found


def require(settings: Settings, sides: Iterable[Side], *, subscriber: bool = False) -> None:
    """Raise SettingsError with everything that is missing; ``subscriber``: subscriptions are to be made, too."""
    sides = list(sides)
    found = faults(settings, sides)
    if subscriber and "vms" in sides and settings.webhooks.vms_subscriber is None:
        found.append("webhooks.vms_subscriber is missing: the code of the VMS user who owns the subscriptions")
    if not found:
        return
    text = f"{found[0]}." if len(found) == 1 else f"{len(found)} faults." + "".join(f"\n- {fault}." for fault in found)
    raise SettingsError(f"Settings: {text}", next_step="set what is named, as docs/how-to/webhooks.md shows.")


def url_of(settings: Settings, side: Side) -> str:
    """Return the address that a side calls."""
    return (settings.webhooks.url or "").rstrip("/") + (VMS_PATH if side == "vms" else LEDGER_PATH)


def _vms_faults(settings: Settings) -> Iterator[str]:
    password = settings.webhooks.vms_password
    if password is None or not password.get_secret_value():
        yield f"{PASSWORD} is missing: the password with which the VMS signs in to the watch"


def _ledger_faults(settings: Settings) -> Iterator[str]:
    try:
        Signatures(settings.ledger.token.get_secret_value())
    except ValueError:
        yield "SPRINGLINE_LEDGER__TOKEN is no base64url text, as the ledger's tokens are: no signature can be checked"
