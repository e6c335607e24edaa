"""Delivers a message through Apprise: each address in a thread of its own, all of them within one deadline.

An address is a secret: it holds passwords and keys. What is said of one is its place in the setting and the name of its
service; Apprise's own log, which writes whole addresses, goes nowhere.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.watch.alerts.message import Message

SETTING = "SPRINGLINE_ALERTS__URLS"
# Seconds for all addresses together: a mail server that accepts a connection and says nothing must not keep the rest.
DEADLINE = 20.0
MOST_ADDRESSES = 20
_CODE = re.compile(r"\berror=(\d{3})\b")

# Addresses whose last call has not come back, by what they are known by; each keeps one thread at most.
_stuck: dict[str, threading.Thread] = {}


@dataclass(frozen=True, slots=True)
class Address:
    """One address: ``known_by`` stands for it in the control store, ``label`` is what people see of it."""

    known_by: str
    label: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one address; ``problem`` is empty where it took the message."""

    address: Address
    problem: str = ""


def read_addresses(settings: Settings) -> list[Address]:
    """Return the addresses of `alerts.urls`, none where it is not set.

    Raises SettingsError that names each address which Apprise does not understand by its place: never what it is.
    """
    addresses, faults = understood(settings)
    if faults:
        raise SettingsError(
            f"Settings: {SETTING}: {'; '.join(faults)}.",
            next_step=f"write {SETTING} as Apprise's page of that service has it, then `springline alerts test`.",
        )
    return addresses


def understood(settings: Settings) -> tuple[list[Address], list[str]]:
    """Return the addresses that can be told, and what is wrong with the others."""
    secret = settings.alerts.urls
    urls = list(dict.fromkeys(secret.get_secret_value().split())) if secret else []
    addresses, faults = [], []
    for place, url in enumerate(urls, start=1):
        label = f"address {place} of {len(urls)}"
        service = _service(url)
        if service is None:
            faults.append(f"Apprise does not understand {label}")
        elif place > MOST_ADDRESSES:
            faults.append(f"{label} is one too many, for at most {MOST_ADDRESSES} are told")
        else:
            known_by = hashlib.sha256(url.encode()).hexdigest()[:16]
            addresses.append(Address(known_by, f"{label} ({service})", url))
    return addresses, faults


def post(message: Message, addresses: Sequence[Address], *, deadline: float = DEADLINE) -> list[Outcome]:
    """Send a message to each address at once and return what came of each, within ``deadline`` seconds.

    An address without an answer by then counts as not reached, though it may take the message later.
    """
    results: dict[str, str] = {}
    threads: dict[str, threading.Thread] = {}
    for address in addresses:
        before = _stuck.get(address.known_by)
        if before is not None and before.is_alive():
            results[address.known_by] = "has not answered the call before this one"
            continue
        _stuck.pop(address.known_by, None)

        def send(address: Address = address) -> None:
            results[address.known_by] = _send(message, address)

        # A daemon: the program ends while a server keeps it waiting.
        threads[address.known_by] = thread = threading.Thread(target=send, name=address.label, daemon=True)
        thread.start()
    until = time.monotonic() + deadline
    for known_by, thread in threads.items():
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            _stuck[known_by] = thread
            results.setdefault(known_by, f"gave no answer within {deadline:g} seconds")
    return [Outcome(address, results.get(address.known_by, "failed")) for address in addresses]


def _send(message: Message, address: Address) -> str:
    """Return why an address did not take a message; an empty text when it did."""
    with _heard() as heard:
        try:
            plugin = _plugin(address.url)
            if plugin is not None and plugin.notify(
                title=message.title, body=message.body, notify_type="success" if message.is_good else "warning"
            ):
                return ""
        # Whatever a service's own code raises: its text may hold the address.
        except Exception as error:  # noqa: BLE001
            return f"failed ({type(error).__name__})"
    code = next((found[1] for text in heard if (found := _CODE.search(text))), None)
    return f"answered {code}" if code else "could not be reached, or refused the message"


def _service(url: str) -> str | None:
    """Return the name of the service that an address belongs to; None where Apprise does not understand it."""
    with _heard():
        plugin = _plugin(url)
    return None if plugin is None else str(plugin.service_name)


def _plugin(url: str) -> Any:  # noqa: ANN401 a class of Apprise for each service
    try:
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415 half a second, for who has something to tell
    except ModuleNotFoundError as error:
        raise UsageError("Alerts need Apprise.", next_step="pip install 'springline[watch]'.") from error
    asset = AppriseAsset(app_id="Springline", app_desc="Springline", app_url="")
    return Apprise.instantiate(url, asset=asset, suppress_exceptions=True)


class _Listener(logging.Handler):
    """Keeps what is logged in one thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.texts.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Keep Apprise's log from every other handler, Python's last resort included, and yield its texts."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    listener = _Listener()
    logger.addHandler(listener)
    try:
        yield listener.texts
    finally:
        logger.removeHandler(listener)
