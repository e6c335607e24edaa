"""`springline check` tells which way the ledger books VAT."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.going_live.set_up import vat_rows

DIMENSIONS = {"glObject1": {"code": "V001"}, "glObject2": {"code": "V001-2601"}}


def _row(account: str, dimensions: dict[str, Any] | None) -> dict[str, Any]:
    return {"account": {"code": account}, "glDimension": dimensions}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "no row on 2700, 2710 among the first of the books: the way shows once a taxed voucher is booked"),
        ([_row("4300", DIMENSIONS)], "no row on 2700, 2710 among the first of the books"),
        ([_row("2710", None)], "VAT stands in rows without the dimensions of its line"),
        (
            [_row("2710", {"glObject1": None, "glObject2": None})],
            "VAT stands in rows without the dimensions of its line",
        ),
        ([_row("2710", DIMENSIONS)], "VAT stands in rows with the dimensions of its line"),
        ([_row("2710", DIMENSIONS), _row("2700", None)], "VAT stands with the dimensions of its line in 1 of 2 rows"),
    ],
)
def test_the_way_is_told(rows: list[dict[str, Any]], told: str) -> None:
    line = vat_rows(_probe(rows, accounts=("2700", "2710", "4300")))
    assert line.ok
    assert told in line.message
    assert line.message.endswith("both ways are read")


def test_a_vat_account_the_ledger_lacks_is_told() -> None:
    line = vat_rows(_probe([], accounts=("2700",)))
    assert line.ok is None
    assert line.message == "The ledger has no account 2710, which posting.vat_accounts names."
    assert line.next_step.startswith("name the ledger's VAT accounts there")


def _probe(rows: list[dict[str, Any]], *, accounts: tuple[str, ...]) -> Any:  # noqa: ANN401 stands in for a Probe
    settings = SimpleNamespace(posting=SimpleNamespace(vat_accounts=("2700", "2710")))
    nodes = {"accounts": [{"code": code} for code in accounts]}
    return cast("Any", SimpleNamespace(settings=settings, nodes=lambda: nodes, book_rows=lambda: rows))
