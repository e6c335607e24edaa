"""Which mapping the last run used: the rows of its mapping files, kept in the control store with a fingerprint."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pipelines.core.mapping_files import KINDS, MappingRow

if TYPE_CHECKING:
    from pipelines.core.mapping_files import Mappings
    from pipelines.stores.control import Control

_MARK = "mapping.used"


def fingerprint(mappings: Mappings) -> str:
    """Return a hash of what the files say; the order of lines and the notes say nothing.

    The order of accounts does: it decides which of several accounts of the VMS actuals go to. It counts with them.
    """
    told = {
        setting: [{name: cell for name, cell in row.cells.items() if name != "note"} for row in rows]
        for setting, rows in mappings.items()
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def keep_used(control: Control, mappings: Mappings) -> None:
    """Keep what this run uses; written only when it has changed, and never where no file was ever used."""
    used = mapping_used(control)
    if fingerprint(used) != fingerprint(mappings):
        rows = {
            setting: [{"file": row.file, "line": row.line, "cells": dict(row.cells)} for row in rows]
            for setting, rows in mappings.items()
        }
        control.keep_mark(_MARK, json.dumps({"fingerprint": fingerprint(mappings), "rows": rows}))


def mapping_used(control: Control) -> Mappings:
    """Return what the last run used; no rows at all when none has used a mapping file."""
    kept = control.mark(_MARK)
    rows = json.loads(kept)["rows"] if kept else {}
    return {setting: tuple(MappingRow(**row) for row in rows.get(setting, ())) for setting in KINDS}
