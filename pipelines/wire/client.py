"""Makes the HTTP client, and says in one line which variable of the environment keeps it from being made."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from ipaddress import IPv6Address
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from pipelines.core.errors import SettingsError
from pipelines.core.settings_values import THIS_MACHINE
from pipelines.wire.unpacked import ACCEPTED

# A server that is there answers a connection at once; minutes are for its work, not for finding it.
CONNECT_SECONDS = 10.0


def make_client(*, timeout: float, connections: int, transport: httpx.BaseTransport | None) -> httpx.Client:
    """Return a client that trusts and goes through what the environment says; ``timeout`` in seconds.

    Raises SettingsError with every variable that cannot be used. httpx would end with a traceback, or at the first
    request.
    """
    # A transport of the tests' own goes through no proxy.
    faults = [*_certificate_faults(os.environ), *(() if transport else _proxy_faults(os.environ))]
    if faults:
        raise SettingsError(
            f"The environment keeps both systems from being called: {'; '.join(faults)}.",
            next_step="correct the variable, or take it out, and run `springline check`.",
        )
    return httpx.Client(
        verify=_trusted(),
        headers={"Accept-Encoding": ACCEPTED},
        transport=transport,
        follow_redirects=False,
        event_hooks={"response": [_forget_other_address]},
        # The environment's proxy is another machine: what is meant for this one, and may be plain, must not pass it.
        mounts={f"all://[{host}]" if ":" in host else f"all://{host}": None for host in THIS_MACHINE},
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )


def _forget_other_address(response: httpx.Response) -> None:
    """Take out where an answer sends on: a token goes nowhere else, and httpx reads the address even so.

    It takes one that it cannot read for a fault of the request, and the answer would be lost.
    """
    response.headers.pop("location", None)


@lru_cache
def _trusted() -> ssl.SSLContext:
    """Read the certificates of those we trust once a process: it takes longer than a local request."""
    return httpx.create_ssl_context()


def key_log_fault(environ: Mapping[str, str]) -> str | None:
    """Say what a variable would give away that Python's own TLS obeys, whoever makes the connection."""
    is_set = environ.get("SSLKEYLOGFILE")
    return (
        "SSLKEYLOGFILE would write the keys of every connection, and all that it carries, into a file"
        if is_set
        else None
    )


def _certificate_faults(environ: Mapping[str, str]) -> Iterator[str]:
    # As httpx does: the folder is looked at only where no file is named.
    file, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if fault := key_log_fault(environ):
        yield fault
        return
    if file and not Path(file).exists():
        yield f"SSL_CERT_FILE names {file}, which is not there"
    # OpenSSL takes a folder that is not there for one without certificates, and then trusts nobody.
    elif folder and not file and not Path(folder).is_dir():
        yield f"SSL_CERT_DIR names {folder}, which is no folder"
    else:
        try:
            _trusted()
        except OSError as error:
            name = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
            yield f"{name} names {environ.get(name)}, which cannot be used ({error.strerror or error})"


def _proxy_faults(environ: Mapping[str, str]) -> Iterator[str]:
    # The standard library finds them, as it does for httpx: small letters go before capitals.
    proxies = getproxies()
    exempt = [entry.strip() for entry in proxies.get("no", "").split(",")]
    if "*" in exempt:
        return
    for scheme in ("http", "https", "all"):
        if problem := _proxy_problem(proxies.get(scheme, "")):
            yield f"{_variable(f'{scheme}_proxy', environ)} {problem}"
    for entry in exempt:
        try:
            httpx.URL(entry if "://" in entry else f"all://{_host(entry)}")
        except httpx.InvalidURL:
            name = _variable("no_proxy", environ)
            yield f"{name} holds {entry!a}, which is no host (an address of IPv6 stands there alone, without brackets)"


def _proxy_problem(address: str) -> str:
    """Return what is wrong with the address of a proxy; never the address, for it may hold a password."""
    if not address:
        return ""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        # Asked for, the port is read.
        has_host, _ = bool(parts.hostname), parts.port
        httpx.URL(parts.geturl())
    except (ValueError, httpx.InvalidURL):
        return "is no address of a proxy: host or port cannot be read"
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        return f"names a SOCKS proxy ({parts.scheme}://), for which the package socksio is missing; name an HTTP proxy"
    if not has_host or parts.scheme not in {"http", "https", "socks5", "socks5h"}:
        return "is no address of a proxy, such as http://proxy:3128"
    return ""


def _host(entry: str) -> str:
    # As httpx writes it into a pattern: an address of IPv6 in brackets, a name with all that ends with it.
    try:
        IPv6Address(entry.partition("/")[0])
    except ValueError:
        return f"*{entry}"
    return f"[{entry}]"


def _variable(name: str, environ: Mapping[str, str]) -> str:
    """Return the name as it is set, in small letters or capitals."""
    return next((given for given in (name, name.upper()) if environ.get(given)), name.upper())
