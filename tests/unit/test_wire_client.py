"""A variable of the environment that keeps requests from going out is told by its name, before any is sent."""

from __future__ import annotations

import inspect
import os
import ssl
from pathlib import Path

import httpx
import pytest

from pipelines.core.errors import SettingsError
from pipelines.wire import client
from pipelines.wire.client import make_client


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith("SSL"):
            monkeypatch.delenv(name)
    client._trusted.cache_clear()
    # tests/conftest.py makes the certificates once for all tests.
    monkeypatch.setattr(ssl, "create_default_context", inspect.unwrap(ssl.create_default_context))


def make() -> None:
    make_client(timeout=1, connections=1, transport=None).close()


UNUSABLE = [
    ("ALL_PROXY", "socks5://127.0.0.1:1080", "names a SOCKS proxy (socks5://)"),
    ("all_proxy", "socks5h://kari:hidden@proxy", "names a SOCKS proxy (socks5h://)"),
    ("HTTPS_PROXY", "ftp://proxy", "is no address of a proxy, such as"),
    ("HTTPS_PROXY", "proxy:99999", "is no address of a proxy: host or port"),
    ("HTTP_PROXY", "http://[::1", "is no address of a proxy: host or port"),
    ("http_proxy", "http://", "is no address of a proxy, such as"),
    ("https_proxy", "://kari:hidden@x", "is no address of a proxy, such as"),
    ("HTTPS_PROXY", "http://kari:hidden@proxy:port", "is no address of a proxy: host or port"),
    ("NO_PROXY", "[::1]", "holds '[::1]', which is no host (an address of IPv6 stands there alone, without brackets)"),
    ("no_proxy", "localhost, [fe80::1]:80", "holds '[fe80::1]:80', which is no host"),
    ("NO_PROXY", "fe80::/10", "holds 'fe80::/10', which is no host"),
    ("NO_PROXY", "host:port", "holds 'host:port', which is no host"),
    ("NO_PROXY", "\udcff", "holds '\\udcff', which is no host"),
    ("SSL_CERT_FILE", "/nowhere.pem", "names /nowhere.pem, which is not there"),
    ("SSL_CERT_FILE", "/", "names /, which cannot be used (Is a directory)"),
    ("SSL_CERT_FILE", __file__, f"names {__file__}, which cannot be used ("),
    ("SSL_CERT_DIR", "/nowhere", "names /nowhere, which is no folder"),
    ("SSLKEYLOGFILE", "/nowhere/keys", "would write the keys of every connection"),
]


@pytest.mark.parametrize(("name", "value", "told"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_variable_that_cannot_be_used_is_named(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        make()
    assert f"{name} {told}" in caught.value.message
    assert "\n" not in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTPS_PROXY": "http://kari:hidden@proxy:3128", "NO_PROXY": "localhost,127.0.0.1,::1,.example.com,10.0.0.0/8"},
        {"HTTP_PROXY": "proxy", "NO_PROXY": "https://tenant.example,a b,*.example.com,"},
        # Every proxy is left aside then, whatever the others say.
        {"ALL_PROXY": "socks5://proxy", "NO_PROXY": "*"},
        {"SSL_CERT_DIR": str(Path(__file__).parent)},
    ],
    ids=range(5),
)
def test_what_can_be_used_is_used(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    make()


def test_all_variables_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value, _ in (UNUSABLE[0], UNUSABLE[8], UNUSABLE[13]):
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=r"SSL_CERT_FILE.*ALL_PROXY.*NO_PROXY"):
        make()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PYTHONHTTPSVERIFY", "0"),
        ("CURL_CA_BUNDLE", ""),
        ("REQUESTS_CA_BUNDLE", ""),
        ("SSL_CERT_FILE", ""),
        ("SSL_CERT_DIR", ""),
        ("SSL_NO_VERIFY", "1"),
        ("GIT_SSL_NO_VERIFY", "true"),
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0"),
    ],
)
def test_no_variable_switches_certificates_off(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    make()
    assert client._trusted().verify_mode is ssl.CERT_REQUIRED
    assert client._trusted().check_hostname


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_what_is_for_this_machine_passes_no_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    with make_client(timeout=1, connections=1, transport=None) as made:
        direct, proxied = (
            made._transport_for_url(httpx.URL(url)) for url in (f"http://{host}:1/", "http://vms.example/")
        )
        assert direct is made._transport
        assert proxied is not made._transport


def test_every_certificate_is_verified_and_its_host() -> None:
    with make_client(timeout=1, connections=1, transport=None) as made:
        assert isinstance(made._transport, httpx.HTTPTransport)
        trusted = made._transport._pool._ssl_context
    assert trusted is not None
    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_REQUIRED, True)
