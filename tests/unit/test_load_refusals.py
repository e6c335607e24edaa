"""Why the ledger refused is read from its own words, and said in those of an accountant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.core.errors import Refused
from pipelines.load.ledger.courier import pack
from pipelines.load.ledger.refusals import Gap, gap_message, gaps
from pipelines.load.ledger.settlement import Parcel, by_refusal
from pipelines.outbox.entry import Entry
from pipelines.outbox.intent import Kind
from pipelines.outbox.states import State

ENTRY = Entry(
    "i", Kind.VOUCHER, "7", State.SENDING, "28601", 28601, 7, "2707", 1, None, None, None, look_up={}, remote_ids={}
)


@pytest.mark.parametrize(
    ("message", "gap"),
    [
        ("subledger.code: No value matching owner 42365431, code 'P123456'.", Gap("subledger", "code", "P123456")),
        ("inputs[3].node.project.code: No value matching owner 1, code 'V1'.", Gap("project", "code", "V1")),
        ("owner.ownerCode: No value matching owner 1, ownerCode '28699'.", Gap("owner", "ownerCode", "28699")),
        ("xgl.code: No value matching owner 1, code 'it''s'.", Gap("xgl", "code", "it''s")),
        ("account.code: No value matching owner 1, code 'a\nb'.", Gap("account", "code", "a\nb")),
        (
            "project.code: More than one value matching owner 1, code 'V1'.",
            Gap("project", "code", "V1", is_ambiguous=True),
        ),
    ],
)
def test_a_look_up_error_names_field_and_code(message: str, gap: Gap) -> None:
    assert gaps([("INVALID_VALUE", message)]) == [gap]


@pytest.mark.parametrize(
    "message", ["", "text: Value is too long.", "Cannot query field 'x'.", "No value matching owner"]
)
def test_other_words_name_nothing(message: str) -> None:
    assert gaps([("", message)]) == []


def test_each_gap_is_named_once() -> None:
    message = "project.code: No value matching owner 1, code 'V1'."
    assert len(gaps([("A", message), ("B", message)])) == 1


def test_a_node_carries_a_gap_only_in_its_field() -> None:
    gap = Gap("project", "code", "1")
    assert gap.is_in({"project": {"code": "1"}})
    assert not gap.is_in({"account": {"code": "1"}, "project": {"code": "10"}, "text": "1"})
    assert not gap.is_in({"project": "1"})
    assert Gap("definition", "dbId", "5").is_in({"definition": {"dbId": 5}})


@pytest.mark.parametrize(
    ("gap", "code", "words"),
    [
        (Gap("glObject1", "code", "V1"), "gl_object1_missing", "has no cost centre (vessel) 'V1'"),
        (Gap("taxRule", "code", "7"), "tax_rule_missing", "has no tax rule '7'"),
        (
            Gap("project", "code", "7", is_ambiguous=True),
            "project_not_unique",
            "has more than one project (voyage) '7'",
        ),
        (Gap("payTerms", "code", "7"), "pay_terms_missing", "has no value '7'"),
    ],
)
def test_a_gap_is_told_in_an_accountants_words(gap: Gap, code: str, words: str) -> None:
    message = gap_message(ENTRY, gap)
    assert gap.code == code
    assert words in message
    assert message.startswith("document 2707 (key 7): ")
    assert "Next: " in message


def test_no_mutation_is_over_the_limit_and_none_is_split() -> None:
    sizes = [3, 7, 10, 1, 9, 2, 2, 2, 11]
    entries = [replace(ENTRY, id=str(place)) for place in range(len(sizes))]
    packed = [[int(entry.id) for entry in bin_] for bin_ in pack(zip(entries, sizes, strict=True), limit=10)]
    assert sorted(place for bin_ in packed for place in bin_) == list(range(len(sizes)))
    assert all(sum(sizes[place] for place in bin_) <= 10 or len(bin_) == 1 for bin_ in packed)
    assert packed[0] == [0, 1]


def test_halves_lose_nothing() -> None:
    parcels = [Parcel(replace(ENTRY, id=str(number)), []) for number in range(3)]
    settlement = by_refusal(parcels, Refused("no", problems=(), status=200), named=[], findings={})
    assert [[parcel.entry.id for parcel in part] for part in settlement.again] == [["0"], ["1", "2"]]


@pytest.mark.parametrize(
    ("messages", "is_final"),
    [
        (["invoiceNumber: Value is too long, at most 25 characters are allowed."], True),
        (["description: Value is too long, at most 100 characters are allowed.", "code: too long"], True),
        (["text exceeds the maximum length of 100"], True),
        (["Value is too long.", "project.code: No value matching owner 1, code 'V1'."], False),
        (["Period 2026-10 is closed."], False),
        (["You do not have access to this connection."], False),
        ([], False),
    ],
)
def test_only_a_value_that_never_fits_is_refused_for_good(messages: list[str], is_final: bool) -> None:  # noqa: FBT001
    refusal = Refused("no", problems=tuple(("INVALID_VALUE", message) for message in messages), status=200)
    settlement = by_refusal([Parcel(ENTRY, [])], refusal, named=gaps(refusal.problems), findings={})
    [move] = settlement.moves
    assert (move.to, move.error_code) == (State.FAILED, "value_refused" if is_final else "refused")
    again = "it goes when it has changed." if is_final else "the next run tries again."
    assert str(move.detail).endswith(again)
