"""What the job `documents` reads of map and post before it acknowledges is among what is built for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.core.resources import sql_folder
from pipelines.models import steps
from pipelines.models.steps import catalog_of_repository

PIPELINES = Path(steps.__file__).parents[1]
READERS = [
    *(
        sql_folder() / name
        for name in ("steps/checks.sql", "steps/retries.sql", "questions/load.sql", "questions/dry_run.sql")
    ),
    *(PIPELINES / "checks").glob("*.py"),
    *(PIPELINES / "load" / "ledger").glob("*.py"),
    *(PIPELINES / "batch").glob("*.py"),
]
# A table behind one of these words is read; elsewhere its name is a word in a text.
_READ = re.compile(r"\b(?:FROM|JOIN)\s+((?:map|post)\.\w+)")


def built_for_vouchers() -> set[str]:
    catalog = catalog_of_repository()
    found = steps._with_what_they_read(catalog, steps._VOUCHERS)
    return {str(ref) for ref in found if ref in {model.ref for model in catalog.models}}


@pytest.mark.parametrize("reader", READERS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_a_file_reads_is_built_for_vouchers(reader: Path) -> None:
    assert set(_READ.findall(reader.read_text("utf-8"))) <= built_for_vouchers()


def test_the_files_read_what_is_checked_and_sent() -> None:
    read = {table for reader in READERS for table in _READ.findall(reader.read_text("utf-8"))}
    assert {"post.document_checks", "post.draft_lines", "post.draft_totals", "map.reversal_originals"} <= read


def test_payments_are_not_built_for_vouchers() -> None:
    assert not {"map.matched_invoices", "post.payment_changes"} & built_for_vouchers()


def test_what_is_kept_is_built_before_it_is_sent() -> None:
    # Behind the acknowledgement a document is open no more, and there is nothing left to keep.
    kept = {str(model.ref) for model in catalog_of_repository().models if model.keep}
    assert kept == {"post.vouchers", "post.voucher_lines"}
    assert kept <= built_for_vouchers()
