"""A look-up's answer is held against what was asked for; what has another shape is told, and nobody builds on it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from pipelines.core.errors import Terminal
from pipelines.wire.shaped import selected, shaped

HEADER = "transactionHeader { dbId postedDate }"
PATHS = selected(f"dbId invoiceAmount owner {{ code }} {HEADER}")


def read(*objects: object, paths: list[str] = PATHS, has_stubs: bool = False) -> list[dict[str, object]]:
    return shaped(json.dumps(objects).encode(), paths, of="The ledger's rows", has_stubs=has_stubs)


def test_what_is_missing_is_none_and_numbers_are_numbers() -> None:
    [row] = read({"dbId": "12", "invoiceAmount": "-1.50", "transactionHeader": {"dbId": 7}})
    assert row == {
        "dbId": 12,
        "invoiceAmount": Decimal("-1.50"),
        "owner": None,
        "transactionHeader": {"dbId": 7, "postedDate": None},
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("x", "rows was answered with a text"),
        (None, "rows was answered with nothing"),
        ({}, "an object without dbId"),
        ({"dbId": None}, "an object without dbId"),
        ({"dbId": "x"}, "rows.dbId was answered with 'x', which is no whole number"),
        ({"dbId": True}, "which is no whole number"),
        ({"dbId": "9" * 5_000}, "which is no whole number"),
        ({"dbId": {}}, "rows.dbId was answered with an object"),
        ({"dbId": 1, "invoiceAmount": "NaN"}, "which is no amount"),
        ({"dbId": 1, "invoiceAmount": "1,50"}, "which is no amount"),
        ({"dbId": 1, "invoiceAmount": []}, "rows.invoiceAmount was answered with a list"),
        ({"dbId": 1, "owner": "28601"}, "rows.owner was answered with a text"),
        ({"dbId": 1, "owner": [{"code": "28601"}]}, "rows.owner was answered with a list"),
        ({"dbId": 1, "owner": {"code": {}}}, "rows.owner.code was answered with an object"),
        ({"dbId": 1, "transactionHeader": {"dbId": 1.5}}, "rows.transactionHeader.dbId"),
    ],
)
def test_another_shape_is_told(row: object, told: str) -> None:
    with pytest.raises(Terminal) as raised:
        read({"dbId": 1}, row)
    assert told in raised.value.message
    assert raised.value.next_step


@pytest.mark.parametrize("page", [b"{}", b"null", b"[", b"\xff", b"[NaN]", b"[" * 5_000])
def test_what_is_no_list_is_told(page: bytes) -> None:
    with pytest.raises(Terminal, match="no list of objects"):
        shaped(page, ["key"], of="The VMS's Document", has_stubs=True)


def test_a_reference_of_the_vms_may_be_a_stub() -> None:
    paths = ["key", "source", "company.companyCode", "attachments.fileName"]
    rows = read(
        {"key": 1, "source": {"key": 5, "self": "x"}, "company": 77, "attachments": [{"fileName": "a.pdf"}]},
        {"key": "2", "source": "6", "company": {"companyCode": "28601"}},
        paths=paths,
        has_stubs=True,
    )
    assert [row["source"] for row in rows] == [5, 6]
    assert [row["company"] for row in rows] == [77, {"companyCode": "28601"}]
    assert rows[0]["attachments"] == [{"fileName": "a.pdf"}]
