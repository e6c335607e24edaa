"""Reads why the ledger refused a mutation, and says it in the words of whoever must put it right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.core.errors import Refused
from pipelines.core.hiding import hide_in_text
from pipelines.core.identifiers import masked_account
from pipelines.outbox.entry import Entry

# docs/systems/ledger.md#1-7: `<path>: No value matching owner <ownerDbId>, code '<code>'.`; the path may begin with the
# place of the node, and the code may hold anything, quotes and line ends included.
_LOOK_UP = re.compile(
    r"(?P<field>\w+)\.\w+: (?P<count>No|More than one) value matching owner [^,]*, "
    r"(?P<key>\w+) '(?P<value>.*)'\.?\s*\Z",
    re.DOTALL,
)
# What no second try changes: a value that is longer than the ledger takes (docs/systems/ledger.md#a22). All else may be
# put right on the ledger's side, and is tried again as it is.
_OF_THE_VALUE = re.compile(r"\btoo long\b|\bat most \d+ characters\b|\bmaximum length\b", re.IGNORECASE)
REFUSED, VALUE_REFUSED = "refused", "value_refused"
# Characters of the ledger's own text: the message stands in a cell of the workbook and in a line of the log.
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Gap:
    """A reference that the ledger cannot resolve: ``{field: {key: value}}``; ``is_ambiguous`` when it has several."""

    field: str
    key: str
    value: str
    is_ambiguous: bool = False

    def is_in(self, node: Mapping[str, Any]) -> bool:
        """Tell whether a node refers to it."""
        # As text: the message quotes every value, and a node may have it as a number.
        reference = node.get(self.field)
        return isinstance(reference, Mapping) and str(reference.get(self.key)) == self.value

    @property
    def code(self) -> str:
        """Return the error code the outbox keeps."""
        return f"{_snake(self.field)}_{'not_unique' if self.is_ambiguous else 'missing'}"


_CREATED = "`springline run master-data` creates it; where it does not, `springline status` says why"
# The member of a node -> what an accountant calls it, and what to do when the ledger lacks it.
_WORDS: Mapping[str, tuple[str, str]] = {
    "owner": ("entity", "correct `companies` in the settings"),
    "transactionSource": ("voucher type", "set it up in Xledger"),
    "account": ("GL account", "add it to the chart of accounts in Xledger, or correct it in the VMS"),
    "subledger": (
        "supplier or customer",
        _CREATED,
    ),
    "project": (
        "project (voyage)",
        _CREATED,
    ),
    "glObject1": (
        "cost centre (vessel)",
        _CREATED,
    ),
    "glObject3": ("value of posting 3", "add it in Xledger to the dimension behind glObject3"),
    "xgl": ("XGL dimension", "add it in Xledger, or correct the setting posting.xgl"),
    "taxRule": ("tax rule", "add it in Xledger, or map the VAT code in the file of posting.tax_rules"),
    "currency": ("currency", "open it in Xledger"),
    "country": ("country", "correct the country of the partner in the VMS"),
    "company": ("company", _CREATED),
    "definition": ("dimension", "set up the object kind behind glObject1 in Xledger"),
}
_OTHER = ("value", "add it in Xledger, or correct it in the VMS")


def gaps(problems: Iterable[tuple[str, str]]) -> list[Gap]:
    """Return the references that an answer names as unresolvable, each once; ``problems`` are (code, message).

    >>> gaps([("INVALID_VALUE", "project.code: No value matching owner 42365431, code 'V001-2601'.")])
    [Gap(field='project', key='code', value='V001-2601', is_ambiguous=False)]
    """
    # By the text: no error code names the value that is missing.
    matches = (_LOOK_UP.search(message) for _, message in problems)
    named = (Gap(m["field"], m["key"], m["value"], m["count"] != "No") for m in matches if m)
    return list(dict.fromkeys(named))


def gap_message(entry: Entry, gap: Gap) -> str:
    """Say which document waits for what, and where it is to be added."""
    name, remedy = _WORDS.get(gap.field, _OTHER)
    count = "more than one" if gap.is_ambiguous else "no"
    if gap.is_ambiguous:
        remedy = "keep one of them in Xledger, and close or rename the others"
    return f"{entry.label}: the ledger has {count} {name} {gap.value!r} for entity {entry.owner_code}. Next: {remedy}."


def refusal_message(entry: Entry, refusal: Refused, nodes: Sequence[Mapping[str, Any]]) -> str:
    """Say that the ledger refused a document, in the ledger's own words, with bank accounts cut to their end."""
    reason = "; ".join(dict.fromkeys(message for _, message in refusal.problems)) or refusal.message
    # The ledger repeats the value it refuses, and no message or log may show a whole account number.
    for account in {str(node["bankAccount"]) for node in nodes if node.get("bankAccount")}:
        reason = reason.replace(account, masked_account(account))
    reason = hide_in_text(reason)[:_LONGEST].rstrip(".")
    again = "it goes when it has changed" if is_of_the_value(refusal) else "the next run tries again"
    step = f"correct what it names, in the VMS or in Xledger; {again}"
    return f"{entry.label}: the ledger refused it: {reason}. Next: {step}."


def is_of_the_value(refusal: Refused) -> bool:
    """Tell whether all that is refused is a value itself: then the same is refused again, whatever the ledger has.

    >>> problem = ("X", "text: Value is too long, at most 100 characters are allowed.")
    >>> is_of_the_value(Refused("", problems=(problem,), status=200))
    True
    """
    words = [message for _, message in refusal.problems]
    return bool(words) and all(_OF_THE_VALUE.search(message) for message in words)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
