"""The generated reference page of the models, and how a stale one is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import docs
from pipelines.models.reference import models_page
from tests.models.small import ROUNDED, catalog

if TYPE_CHECKING:
    import pytest


def test_a_page_has_every_model_and_column() -> None:
    text = models_page(catalog())
    assert "- [post.kept](#postkept): One document that was sent or is about to be" in text
    assert "## post.totals\n\nOne document with what its lines come to.\n\n- File: `sql/post/totals.sql`" in text
    assert "| `total` | DECIMAL(38,18) | of the lines | stg_vms.document_lines.amount |" in text
    assert "- Keeps: `document_key IN (SELECT document_key FROM ctl.outbox WHERE state = 'sent')`" in text


def test_a_pipe_in_a_comment_breaks_no_table() -> None:
    text = models_page(catalog({"map.rounded": ROUNDED.replace("in document currency", "control | detail")}))
    assert "| control \\| detail |" in text


def test_a_stale_page_is_noticed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "PAGES", {"models.md": lambda: "new"})
    codes = [docs.main(arguments, folder=tmp_path) for arguments in (["--check"], [], ["--check"])]
    assert codes == [1, 0, 0]
    assert (tmp_path / "models.md").read_text() == "new"
    assert capsys.readouterr().out.splitlines() == [
        "docs/reference/models.md is stale: run make docs",
        "docs/reference/models.md written",
    ]
