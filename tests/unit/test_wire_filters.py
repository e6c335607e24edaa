"""Filters of the VMS."""

from __future__ import annotations

import pytest

from pipelines.core.errors import Terminal
from pipelines.wire.filters import above, at_least, equals, one_of


def test_plain_values_go_in_lists_of_at_most_fifty() -> None:
    assert [text.count(",") + 1 for text in one_of("key", range(120))] == [50, 50, 20]


def test_a_list_has_parentheses_and_no_value_twice() -> None:
    assert list(one_of("code", ["A", "B", "A"])) == ["code(IN)(A,B)"]


@pytest.mark.parametrize("value", ["A,B", "A(1)", " A", "A'B", "{A}", "A  B"])
def test_a_value_with_grammar_in_it_is_quoted_by_itself(value: str) -> None:
    assert list(one_of("code", ["X", value])) == ["code(IN)(X)", f'code(EQ)"{value}"']


@pytest.mark.parametrize("value", ['A"B', "A\nB", "A\x00B", ""])
def test_a_value_that_cannot_be_written_is_refused(value: str) -> None:
    with pytest.raises(Terminal, match="no way to write that value") as caught:
        equals("code", value)
    assert not caught.value.sent


def test_a_value_with_blanks_needs_no_quotes() -> None:
    assert equals("name", "Nordic Agency AS") == "name(EQ)Nordic Agency AS"


def test_comparisons_are_written_as_documented() -> None:
    written = (at_least("modifiedDate", "2026-11-02T07:55:00"), above("key", 7))
    assert written == ("modifiedDate(GTE)2026-11-02T07:55:00", "key(GT)7")
