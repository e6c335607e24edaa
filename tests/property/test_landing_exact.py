"""The fast path and the slow one read the same; numbers land to the last digit, or the object is set aside."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.vms import DOCUMENTS
from pipelines.extract import parse
from pipelines.wire.pages import split
from tests.support.landing import vms_document

digits = st.text("0123456789", min_size=1, max_size=24)
numbers = st.one_of(
    st.builds(lambda whole, part: f"{int(whole)}.{part}", digits, digits),
    st.builds(lambda whole: str(int(whole)), digits),
    st.builds(lambda whole, power: f"{int(whole)}E{power}", digits, st.integers(-24, 24)),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
texts = st.text(st.characters(codec="utf-8"), max_size=20)


def document(number: str, text: str, *, key: int = 1) -> bytes:
    members = {**vms_document(key, lines=1), "documentText": text, "documentAmount": "@"}
    return json.dumps(members, ensure_ascii=False).replace('"@"', number).encode()


@given(st.sampled_from(["", "-"]), numbers)
@settings(max_examples=150)
def test_a_number_is_exact_or_set_aside(sign: str, number: str) -> None:
    written = sign + number.removeprefix("-")
    parsed = parse.parse_page(b"[" + document(written, "x") + b"]", DOCUMENTS)
    value = Decimal(written)
    fits = value.copy_abs() < 10**15 and (Fraction(value) * 10**18).denominator == 1
    rows: list[dict[str, Any]] = parsed.parents.to_pylist()
    assert [row["document_amount"] for row in rows] == ([value] if fits else [])
    assert len(parsed.rejected) == (0 if fits else 1)


@given(st.lists(st.tuples(st.integers(-(10**16), 10**16), texts), min_size=1, max_size=5))
@settings(max_examples=40)
def test_the_fast_path_reads_what_the_slow_one_reads(values: list[tuple[int, str]]) -> None:
    objects = [document(f"{cents / 100:.2f}", text, key=key) for key, (cents, text) in enumerate(values)]
    page = b"[" + b",".join(objects) + b"]"
    fast = parse.parse_page(page, DOCUMENTS)
    slow, rejected = parse._parse_exactly(split(page).texts, DOCUMENTS)
    assert rejected == fast.rejected == []
    assert fast.nested.sort_by("key").to_pylist() == slow.sort_by("key").to_pylist()
