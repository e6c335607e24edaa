"""Cutting a JSON array into the text of its objects."""

from __future__ import annotations

import pytest

from pipelines.wire.pages import NotJsonError, keys, split


def texts(page: bytes) -> list[bytes]:
    return [bytes(text) for text in split(page).texts]


def test_objects_come_as_they_stand() -> None:
    assert texts(b'[ {"a": 1.50} , {"b":"\xc3\xa6"} ]') == [b'{"a": 1.50}', b'{"b":"\xc3\xa6"}']


@pytest.mark.parametrize("odd", [b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":"\\ud800"}', b'{"a":"x\ny"}'])
def test_one_odd_object_does_not_spoil_the_page(odd: bytes) -> None:
    found = split(b'[{"a":1}, ' + odd + b' ,{"b":2}]')
    assert not found.is_valid
    assert list(found.texts) == [b'{"a":1}', odd, b'{"b":2}']


@pytest.mark.parametrize(
    "page",
    [b"", b"<html></html>", b"{}", b"null", b"[1,", b'[{"a":1}', b"[1 2]", b"[NaN] x", b"[NaN]]", b"[,NaN]", b"[NaN"],
)
def test_what_is_no_array_is_refused(page: bytes) -> None:
    with pytest.raises(NotJsonError):
        split(page)


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    with pytest.raises(NotJsonError):
        split(b"[" * 100_000 + b"]" * 100_000)


def test_keys_are_whole_numbers_only() -> None:
    found = [b'{"key":7}', b'{"key":"8"}', b'{"key":true}', b"{}", b"null", b'{"key":9,"a":NaN}', b"{NaN"]
    assert keys(found) == [7, 9]
