"""The tenant's file of VAT codes and ledger tax rules."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from pipelines.core.errors import SettingsError


def read_tax_rules(path: Path | None) -> Mapping[str, str]:
    """Read the tenant's CSV of VAT code and ledger tax rule (header ``vat_code,tax_rule``); empty when none is set.

    SettingsError names the file and the line that is wrong.
    """
    if path is None:
        return {}
    try:
        # utf-8-sig: Excel begins a CSV file with a byte order mark, which would be part of the first heading.
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise SettingsError(f"posting.tax_rules: {path} cannot be read ({error.strerror}).") from error
    rules: dict[str, str] = {}
    # Line 1 is the heading.
    for number, row in enumerate(rows, 2):
        code, rule = (row.get("vat_code") or "").strip(), (row.get("tax_rule") or "").strip()
        if not code or not rule or code in rules:
            raise SettingsError(
                f"posting.tax_rules: line {number} of {path} is no VAT code with a tax rule, or the code stands twice.",
                next_step="the header is vat_code,tax_rule; one line a VAT code.",
            )
        rules[code] = rule
    return rules
