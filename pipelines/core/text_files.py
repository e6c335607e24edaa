"""Reads text that a person may have written: UTF-8, or one line that names file and byte."""

from __future__ import annotations

import codecs
from pathlib import Path

from pipelines.core.errors import SettingsError

# A limit on everything: these are files that a person edits, and a device may be named by mistake.
MOST_BYTES = 5_000_000
# What other programs begin a text file with, when they save it as something else.
_MARKS = ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8; the mark that Windows programs begin UTF-8 with (BOM) is taken off.

    Raises OSError when it cannot be read, SettingsError when it is not UTF-8 or larger than MOST_BYTES.
    """
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        message = f"{path} has more than {MOST_BYTES} bytes."
        raise SettingsError(
            message, next_step="see whether it is the right file: files of settings and codes are small."
        )
    try:
        # Not "utf-8-sig": it counts the bytes of a fault from behind the mark.
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        looks = next((f"it looks like {name}; " for mark, name in _MARKS if content.startswith(mark)), "")
        raise SettingsError(
            f"{path} is not UTF-8: byte {error.start + 1}, on line {line}, is 0x{content[error.start]:02X}.",
            next_step=f"{looks}save the file as UTF-8.",
        ) from None
