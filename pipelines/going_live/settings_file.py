"""The springline.toml that `springline init` writes: every setting, from what the settings say of themselves."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from pipelines.core.settings_listed import ListedSection, ListedSetting, list_settings

SCHEMA_FILE = "springline.schema.json"
# What editors for TOML look for (Taplo and those that stand on it).
SCHEMA_LINE = f"#:schema ./{SCHEMA_FILE}"
WIDTH = 100
_LINK = re.compile(r"\[(.+?)\]\(.+?\)")
_HEAD = """\
{schema_line}
# With the line above, an editor for TOML completes and checks what you write here.

# Settings of Springline, for one VMS and one ledger.
#
# 1. Put your own values in the place of every <...>. What has no # before it is required.
# 2. Write a block [[companies]] for each VMS company; name your types of partners under [partners].
# 3. Set the secrets, outside this file.
# 4. Run `springline check`. It says what is still missing or wrong, here and in both systems.
#
# A line "# name = value" shows what holds while it is not set, or an example where it says so.
# To set it, take the # off. Paths are relative to the folder in which a command is started.
# Another pair of systems has a folder of its own: with its file, its stores and its secrets.
#
# Secrets never stand here, because this file lies in backups and repositories. Set the variables
#
{secrets}
#
# in the environment, or name a file that holds the secret:
#
#   {first}_FILE=/run/secrets/{file}
#
# Every other setting may stand in the environment too, which goes before this file: timeout of
# [vms] is {example}.
"""


def settings_file() -> str:
    """Return the text: UTF-8, lines of at most 100 characters; it loads once every <...> is replaced."""
    sections = list(list_settings())
    secrets = [setting for section in sections for setting in section.settings if setting.is_secret]
    lines = [line for secret in secrets for line in (f"#   {secret.variable}", f"#       {_plain(secret.meaning)}")]
    first = next(secret for secret in secrets if secret.is_required)
    head = _HEAD.format(
        schema_line=SCHEMA_LINE,
        secrets="\n".join(lines),
        first=first.variable,
        file=f"{first.section}_{first.name}",
        example=next(s.variable for section in sections for s in section.settings if s.name == "timeout"),
    )
    return "\n".join([head, *("\n".join(_section(section)) + "\n" for section in sections)])


def _section(section: ListedSection) -> Iterator[str]:
    if section.name:
        yield from _comment(_plain(section.meaning))
        if section.is_list:
            yield "# Take the # off its lines, and repeat them for each."
        # A list of blocks is an example as a whole: a header without its values would be a fault.
        yield f"# [[{section.name}]]" if section.is_list else f"[{section.name}]"
    else:
        # Before the first header, or a table would take them.
        yield "# Files and folders, and what concerns all companies."
    shown = [setting for setting in section.settings if not setting.is_secret]
    for setting in sorted(shown, key=lambda setting: not _is_filled(setting)):
        yield ""
        yield from _comment(_sentence(setting.meaning))
        yield from _comment(f"{_plain(setting.kind)}; {_standing(setting)}:")
        line = f"{setting.name} = {toml_value(_value(setting))}"
        yield line if _is_filled(setting) and not section.is_list else f"# {line}"


def _value(setting: ListedSetting) -> Any:  # noqa: ANN401 - what a setting may hold
    return setting.example if setting.default is None else setting.default


def _is_filled(setting: ListedSetting) -> bool:
    """Return whether the reader must give it: required, or an example that only he can complete."""
    return setting.is_required or "<" in str(setting.example)


def _standing(setting: ListedSetting) -> str:
    if setting.is_required:
        return "required"
    if _is_filled(setting):
        return "required, unless username is set"
    return "not set; example" if setting.default is None else "default"


def _sentence(markdown: str) -> str:
    text = _plain(markdown)
    # A value keeps its small letter: it is written so.
    return (text if markdown.startswith("`") else text[0].upper() + text[1:]) + "."


def _comment(text: str) -> list[str]:
    # Names with hyphens and addresses stay whole.
    return textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False, break_on_hyphens=False
    )


def _plain(markdown: str) -> str:
    """Take Markdown off: links become their words, code loses its marks.

    >>> _plain("`true` writes a remark ([mapping](../mapping.md#1-6))")
    'true writes a remark (mapping)'
    """
    return _LINK.sub(r"\1", markdown).replace("`", "")


def toml_value(value: Any) -> str:  # noqa: ANN401 - what a setting may hold
    """Write a value as TOML has it, on one line.

    >>> toml_value({"28601": {"ACP": "2965"}})
    '{ "28601" = { "ACP" = "2965" } }'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{toml_value(name)} = {toml_value(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
