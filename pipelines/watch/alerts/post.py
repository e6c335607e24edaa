"""Delivers a message through Apprise: each address in a thread of its own, all of them within one deadline.

An address is a secret: it holds passwords and keys. What is said of one is its place in the setting and the name of its
service; Apprise's own log, which writes whole addresses, goes nowhere.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import SettingsError, UsageError
from pipelines.core.settings_values import THIS_MACHINE
from pipelines.wire.client import key_log_fault

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.watch.alerts.message import Message

SETTING = "SPRINGLINE_ALERTS__URLS"
# Seconds for all addresses together: a mail server that accepts a connection and says nothing must not keep the rest.
DEADLINE = 20.0
MOST_ADDRESSES = 20
# Services that know no TLS at all; the others have two schemes, as json:// and jsons://.
_NEVER_TLS = frozenset({"rsyslog", "growl"})
# What `requests`, with which Apprise calls, asks for the certificates that it trusts, in this order.
_TRUSTED = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_NO_VERIFY = (
    "has verify=no, and takes anybody on the way for its server; take that out, and name a certificate authority of "
    "your own in the variable REQUESTS_CA_BUNDLE"
)
_NO_TLS = (
    "has no TLS, and whoever is on the way reads the message and what signs us in; write the form with TLS (jsons:// "
    "for json://, mailtos:// for mailto://), or set alerts.plain = true where the way is safe"
)
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

    Raises SettingsError that names each address which cannot be told safely, or at all, by its place: never what it is.
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
    addresses: list[Address] = []
    faults = [*_environment_faults(os.environ)] if urls else []
    for place, url in enumerate(urls, start=1):
        label = f"address {place} of {len(urls)}"
        with _heard():
            plugin = _plugin(url)
        service = None if plugin is None else str(plugin.service_name)
        if service is None:
            faults.append(f"Apprise does not understand {label}")
        elif unsafe := _unsafe(url, plugin, may_be_plain=settings.alerts.plain):
            faults.append(f"{label} ({service}) {unsafe}")
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


def _unsafe(url: str, plugin: Any, *, may_be_plain: bool) -> str:  # noqa: ANN401 a class of Apprise for each service
    """Return what lets others read what is sent to an address, or take it in its place; empty where nothing does."""
    if not plugin.verify_certificate:
        return _NO_VERIFY
    scheme = url.partition("://")[0].lower()
    # Of mail the mode counts and not the scheme: of large providers Apprise knows that they want TLS.
    mode = getattr(plugin, "secure_mode", None)
    if mode is None:
        plain = plugin.protocol if plugin.secure_protocol else _NEVER_TLS
        is_plain = scheme in ({plain} if isinstance(plain, str) else set(plain or ()))
    else:
        is_plain = mode == "insecure"
    # Without a host the service's own one is meant, as ntfy:// means https://ntfy.sh.
    host = getattr(plugin, "smtp_host", None) or plugin.host
    return _NO_TLS if is_plain and host and host not in THIS_MACHINE and not may_be_plain else ""


def _environment_faults(environ: Mapping[str, str]) -> Iterator[str]:
    """Say which variable would keep every address from being told, or give away what is told."""
    if fault := key_log_fault(environ):
        yield f"{fault}; take the variable out"
    name = next((name for name in _TRUSTED if environ.get(name)), None)
    if name and not Path(environ[name]).exists():
        yield f"the variable {name} names {environ[name]}, which is not there; correct it, or take it out"


def _plugin(url: str) -> Any:  # noqa: ANN401 a class of Apprise for each service
    try:
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415 half a second, for who has something to tell
    except ModuleNotFoundError as error:
        raise UsageError("Alerts need Apprise.", next_step="pip install 'springline[watch]'.") from error
    # No redirect: it may lead away from TLS, or to whom the message is not for.
    asset = AppriseAsset(app_id="Springline", app_desc="Springline", app_url="", http_redirects=False)
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
