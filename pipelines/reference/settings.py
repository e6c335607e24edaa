"""The page of all settings, from the fields alone: names, environment variables, types, limits, defaults, meanings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.core.settings import Settings
from pipelines.core.settings_listed import ListedSetting, list_settings
from pipelines.core.settings_sources import OTHER_VARIABLES
from pipelines.reference.markdown import code, page, table

if TYPE_CHECKING:
    from pydantic import BaseModel

INTRODUCTION = (
    "`springline init` writes a `springline.toml` with all of these. Every value stands there or in the environment, "
    "which goes first: `SPRINGLINE_` and the names joined by `__`. A value that begins with `[` or `{` is read as "
    "JSON. A secret comes from the environment alone, or from the file that the same variable with `_FILE` behind it "
    "names. Paths are relative to the folder in which a command is started. Files are UTF-8; the mark that Windows "
    "programs begin them with (BOM) does no harm. A name that does not exist is a fault, in the file and in the "
    "environment. All faults are reported at once, with line and value."
)
HEADINGS = ("Setting", "Environment", "Type", "Default", "Meaning")
# What the libraries that talk HTTP read; a value that cannot be used is a fault of settings (exit code 10).
OF_THE_NETWORK = {
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY": "the proxy that requests go through, `http://proxy:3128`; no SOCKS proxy",
    "NO_PROXY": "hosts that are reached without it, with commas between; addresses of IPv6 without brackets",
    "SSL_CERT_FILE, SSL_CERT_DIR": "the certificates that are trusted; the well-known ones unless set",
    "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE": "the same for alerts, the first of them that is set",
}


def settings_page(settings: type[BaseModel] = Settings) -> str:
    """Return docs/reference/settings.md; UsageError names a setting without a description."""
    blocks = []
    for section in list_settings(settings):
        rows = [_row(setting) for setting in section.settings]
        blocks += [f"## {section.name or 'General'}", section.meaning, table(HEADINGS, rows)]
    others = [
        (code(name).replace(", ", "`, `"), meaning) for name, meaning in {**OTHER_VARIABLES, **OF_THE_NETWORK}.items()
    ]
    blocks += ["## Other variables", table(("Variable", "Meaning"), others)]
    return page("Settings", INTRODUCTION, *filter(None, blocks))


def setting_names(model: type[BaseModel]) -> Iterator[str]:
    """Yield the dotted name of every setting."""
    for section in list_settings(model):
        yield from (_dotted(setting) for setting in section.settings)


def _dotted(setting: ListedSetting) -> str:
    return ".".join(filter(None, (setting.section, setting.name)))


def _row(setting: ListedSetting) -> tuple[str, str, str, str, str]:
    # Only a secret may come from a file that a variable names; the page must not promise it for others.
    variables = code(setting.variable) + (f"\n{code(setting.variable + '_FILE')}" if setting.is_secret else "")
    return code(_dotted(setting)), variables, setting.kind, _default(setting), setting.meaning


def _default(setting: ListedSetting) -> str:
    value = setting.default
    if setting.is_required or value is None:
        return "required" if setting.is_required else ""
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(", ".join(value) if isinstance(value, tuple) else str(value))
