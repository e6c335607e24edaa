"""A table for people never cuts a code, a day or a figure, however narrow the terminal is."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from pipelines.core.drawing import draw_table

CODES = ("voucher_not_balanced", "2026-BERGEN-SKOLTEN-07", "2026-11-02", "NOK -512,586.76")
TEXT = "In the VMS, correct the lines or the total of the document."


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_code_is_cut(width: int) -> None:
    shown = StringIO()
    table = draw_table(("rule", "document", "since", "amount", "what to do"), [(*CODES, TEXT)], title="Held [2]")
    Console(file=shown, width=width, soft_wrap=True).print(table)
    assert all(word in shown.getvalue() for code in CODES for word in code.split())
    assert all(word in shown.getvalue() for word in TEXT.split())
    assert "…" not in shown.getvalue()
    assert "Held [2]" in shown.getvalue()


def test_text_gives_way_before_codes(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=60).print(draw_table(("document", "what to do"), [("2707400", TEXT)]))
    assert max(map(len, capsys.readouterr().out.splitlines())) == 60


def test_an_address_in_a_text_may_be_folded(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"It answered at https://{'tenant.' * 12}example/ws/rest."
    Console(width=80).print(draw_table(("what", "found"), [("VMS", text)]))
    assert max(map(len, capsys.readouterr().out.splitlines())) == 80
