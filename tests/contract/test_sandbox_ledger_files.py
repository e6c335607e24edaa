"""Files that come with import items: a multipart request, the file on header and rows, and what is refused.

Source: docs/systems/ledger.md#1-6-files.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.contract.ledger_world import ADD_ITEMS, AUTHORIZATION, World, invoice, items

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PDF = b"%PDF-1.7\r\n--not a boundary\r\n\x00\xff\x80"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def named(name: str, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Give the nodes of a voucher whose first one names a file."""
    control, cost = invoice(**more)
    return [control | {"invoiceFile": name}, cost]


def upload(world: World, nodes: list[dict[str, Any]], *files: tuple[str, bytes]) -> dict[str, Any]:
    """Send a mutation with files and give the answer."""
    content = msgspec.json.encode({"query": ADD_ITEMS, "variables": items(*nodes)})
    parts: list[tuple[str, Any]] = [("content", (None, content, "application/json"))]
    parts += [(name, (name, body, "application/pdf")) for name, body in files]
    response = world.send("/graphql", files=parts, headers=AUTHORIZATION)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def problem(answer: dict[str, Any]) -> str:
    return str(answer["errors"][0]["message"])


def test_a_file_is_shown_on_the_header_and_the_subledger_row(world: World) -> None:
    assert "errors" not in upload(world, named("f.pdf"), ("f.pdf", PDF))
    world.post()
    (file,) = world.control("files")
    assert b64decode(file.pop("content")) == PDF
    assert file == {"dbId": file["dbId"], "owner": 28601, "name": "f.pdf", "size": len(PDF), "trRegNumber": 9131}
    url = f"https://files.example/{file['dbId']}/f.pdf"
    shown = {"invoiceFile": {"dbId": file["dbId"], "url": url}}
    (row,) = world.rows("apTransactions", "invoiceFile { dbId url } transactionHeader { invoiceFile { dbId url } }")
    assert row == {**shown, "transactionHeader": shown}
    headers = world.rows("journalHeaders", "text invoiceFile { dbId url }")
    assert [header["invoiceFile"] for header in headers] == [None, shown["invoiceFile"]]


def test_a_name_without_a_part_is_refused_and_nothing_written(world: World) -> None:
    for answer in (upload(world, named("f.pdf"), ("g.pdf", PDF)), world.answer(ADD_ITEMS, items(*named("f.pdf")))):
        assert problem(answer) == "invoiceFile: The request has no file 'f.pdf'."
    assert world.control("import-items") == []
    assert world.control("files") == []


def test_a_file_over_the_limit_is_refused(world: World) -> None:
    world.settings(largest_file_bytes=len(PDF) - 1)
    answer = upload(world, named("f.pdf"), ("f.pdf", PDF))
    assert problem(answer) == f"invoiceFile: File 'f.pdf' has {len(PDF)} bytes, at most {len(PDF) - 1} are allowed."
    assert world.control("import-items") == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--x--\r\n',
        ),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="content"\r\n\r\n{}'),
    ],
    ids=["no boundary", "no content", "cut off"],
)
def test_a_body_that_is_no_multipart_is_no_request(world: World, content_type: str, body: bytes) -> None:
    headers = {**AUTHORIZATION, "Content-Type": content_type}
    response = world.send("/graphql", content=body, headers=headers)
    assert response.status_code == 400
    assert "no GraphQL request" in response.json()["errors"][0]["message"]


def test_a_correction_leaves_the_file_where_it_is(world: World) -> None:
    control, cost = named("f.pdf")
    edges = upload(world, [control, cost | {"amount": "1.00"}], ("f.pdf", PDF))["data"]["addGLImportItems"]["edges"]
    world.post()
    update = "mutation($in:[UpdateGLImportItemsInput!]!){ updateGLImportItems(inputs:$in){ edges{ node{ dbId } } } }"
    world.ask(update, {"in": [{"node": {"dbId": edges[1]["node"]["dbId"], "amount": "10500.00"}}]})
    world.ask(update, {"in": [{"node": {"dbId": edges[0]["node"]["dbId"], "text": "9131 Nordic"}}]})
    assert world.post() == {"posted": 1, "failed": 0}
    (row,) = world.rows("apTransactions", "invoiceFile { dbId }")
    assert row["invoiceFile"] is not None
