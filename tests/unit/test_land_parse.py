"""Pages: one bad object is set aside and the others go on, whatever is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.contracts.vms import DOCUMENTS
from pipelines.extract import parse
from pipelines.extract.exact import read_object
from pipelines.extract.parse import ParsedPage, parse_page, parse_pages
from tests.support.landing import page, vms_document, vms_pages

if TYPE_CHECKING:
    from pipelines.contracts.shape import TreeNode

GOOD = json.dumps(vms_document(1)).encode()


def keys(parsed: ParsedPage) -> list[int]:
    found: list[int] = parsed.parents["document_key"].to_pylist()
    return found


@pytest.mark.parametrize(
    ("bad", "key", "number", "words"),
    [
        (b"null", None, None, "null is no object"),
        (b"5", None, None, "5 is no object"),
        (b'"x"', None, None, "is no object"),
        (b"[]", None, None, "is no object"),
        (b"{}", None, None, "key: is missing, but required"),
        (b'{"key":7,"documentNo":"27"}', 7, "27", "documentDate: is missing, but required"),
        (b'{"key":"7","documentNo":"27"}', None, "27", "key: a whole number was expected"),
        (GOOD.replace(b'"documentAmount":', b'"documentAmount":NaN,"x":', 1), 5_200_001, "2700001", "found NaN"),
        (GOOD.replace(b"Port call", b"Port \xff call"), 5_200_001, "2700001", "is not UTF-8"),
        (GOOD.replace(b"Port call", b"Port\ncall"), None, None, "is no JSON"),
    ],
)
def test_one_bad_object_is_set_aside_by_itself(bad: bytes, key: int | None, number: str | None, words: str) -> None:
    parsed = parse_page(b"[" + json.dumps(vms_document(2)).encode() + b",\n" + bad + b"]", DOCUMENTS)
    assert keys(parsed) == [5_200_002]
    [rejected] = parsed.rejected
    assert (rejected.key, rejected.document_no) == (key, number)
    assert words in rejected.message
    assert rejected.body == bad


def test_a_page_of_nulls_is_no_crash() -> None:
    assert len(parse_page(b"[null,null]", DOCUMENTS).rejected) == 2


def test_an_empty_page_has_nothing() -> None:
    parsed = parse_page(b"[]", DOCUMENTS)
    assert (parsed.parents.num_rows, parsed.rejected) == (0, [])


def test_layout_between_the_members_does_not_matter() -> None:
    compact = parse_page(page(vms_document(1), vms_document(2)), DOCUMENTS)
    spread = json.dumps([vms_document(1), vms_document(2)], indent=2).replace("\n", "\r\n")
    assert parse_page(spread.encode(), DOCUMENTS).parents.equals(compact.parents)


def test_children_know_their_parent_and_place() -> None:
    parsed = parse_page(page(vms_document(1, lines=2), vms_document(2, lines=0), vms_document(3, lines=1)), DOCUMENTS)
    lines = parsed.children[1].to_pylist()
    assert [(line["parent_row"], line["document_key"], line["position"]) for line in lines] == [
        (0, 5_200_001, 0),
        (0, 5_200_001, 1),
        (2, 5_200_003, 0),
    ]
    # A list inside another's elements carries the key of its own line, and is counted through the whole object.
    codes = parsed.children[2].to_pylist()
    assert [(code["line_key"], code["vessel_code"], code["position"]) for code in codes] == [
        (lines[0]["line_key"], "V001", 0),
        (lines[1]["line_key"], "V001", 1),
        (lines[2]["line_key"], "V003", 0),
    ]


def test_pages_come_in_their_order() -> None:
    found = [key for parsed in parse_pages(vms_pages(60, lines=1, size=3), DOCUMENTS) for key in keys(parsed)]
    assert found == list(range(5_200_000, 5_200_060))


@pytest.mark.parametrize("place", [0, 31, 63])
def test_one_broken_object_does_not_slow_down_its_page(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    documents = [vms_document(number, lines=2) for number in range(64)]
    # Not one of those that the pattern knows: only the parser meets it.
    documents[place] |= {"modifiedDate": "yesterday"}
    read: list[bytes] = []

    def note(text: bytes, root: TreeNode) -> dict[str, Any]:
        read.append(text)
        return read_object(text, root)

    monkeypatch.setattr(parse, "read_object", note)
    parsed = parse_page(page(*documents), DOCUMENTS)
    assert len({*read}) <= parse.FEW
    assert len(keys(parsed)) == 63
    assert [item.key for item in parsed.rejected] == [documents[place]["key"]]
    lines = parsed.children[1]
    assert lines.num_rows == 2 * 63
