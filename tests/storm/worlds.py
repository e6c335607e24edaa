"""A random world: the sample's masters, and invoices of many kinds with amounts of their own, some of them faulty."""

from __future__ import annotations

import copy
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from tests.flow.world import read_rows, sample_documents, write_world
from tests.storm.journal import DocumentStory, Version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Row = dict[str, Any]
FIRST_KEY = 6_100_001
# Of the sample, each of another kind: VAT of two countries, several terms, five currencies, both sides, credit notes.
TEMPLATES = (
    "2706004", "2706022", "2706028", "2706040", "2706046", "2706070", "2706076", "2706112", "2706136", "2706148",
    "2706160", "2706166", "2706184", "2706196", "2706214", "2706232", "2706250", "2706286", "2706298", "2706304",
)  # fmt: skip
SIDES = {"INI": "AP", "CRI": "AP", "INO": "AR", "CRO": "AR"}
# Accruals, a capitalisation and bunker transactions: no partner, one line, and what reverses each.
GENERAL = ("ACP2609-001", "ACP2609-005", "ACP2609-010", "CAP2609-011", "BT-260001", "BT-260005")
NO_PARTNER = "GL"
READY = {"invoicingStatus": "RFP"}
REVERSED = {"ACP": "ACR", "CAP": "CAR", "ACC": "ACC"}
AMOUNTS = ("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount")
FAULTS = ("no account", "no external number")
# The ledger's rates of these days: the last week before the storm, so that each is due once.
RATE_DAYS = ("2026-10-28", "2026-10-29", "2026-10-30")


def write_storm_world(folder: Path, *, is_first_day: bool) -> Path:
    """Write a seed directory for a storm: masters and rates; documents come as people enter them."""
    rates = [row for row in read_rows("ledger/exchange_rates") if row["fromDate"] in RATE_DAYS]
    files = {"vms/Document": (), "vms/ExchangeRate": (), "ledger/exchange_rates": rates}
    return write_world(folder, files, is_first_day=is_first_day)


@cache
def _templates() -> dict[str, Row]:
    return {row["documentNo"]: row for row in sample_documents(*TEMPLATES, *GENERAL)}


def new_document(rng: Random, key: int, names: Sequence[str] = TEMPLATES) -> Row:
    """Make a document in RFP: a sample's one, with a number and an amount of its own."""
    template = copy.deepcopy(_templates()[rng.choice(names)])
    number = f"S{key}"
    own = {"key": key, "documentNo": number, "modifiedDate": "2026-11-01T10:00:00"}
    if template["documentType"] in {"INI", "CRI"}:
        # Never alike, also not to somebody who leaves blanks and zeros out.
        own["externalDocumentNo"] = f"X-{key}"
    document = {**template, **own}
    document["documentLines"] = [dict(line) for line in template["documentLines"]]
    return scaled(document, rng.randint(2, 9))


def reversal_of(document: Row, key: int) -> Row:
    """Take a document back as a whole, on the first of the next month: the opposite amounts, line by line."""
    lines = [{**_negated(line), "refDocument": document["documentNo"]} for line in document["documentLines"]]
    own = {"key": key, "documentNo": f"S{key}", "documentType": REVERSED[document["documentType"]], **READY}
    return {**_negated(document), **own, "documentDate": "2026-10-01T00:00:00", "documentLines": lines}


def _negated(row: Row) -> Row:
    return {**row, **{name: -row[name] for name in (*AMOUNTS, "quantity") if row.get(name) is not None}}


def scaled(document: Row, times: int) -> Row:
    """Multiply every amount of a document by a whole number: rates and VAT stay as right as they were."""
    heads = (document, *document["documentLines"])
    for row in heads:
        row |= {name: row[name] * times for name in AMOUNTS if row.get(name) is not None}
    return document


def with_fault(document: Row, fault: str) -> Row:
    """Spoil a document so that no run may post it."""
    if fault == "no external number":
        return {**document, "externalDocumentNo": None}
    lines = [{**line, "glAccount": None} for line in document["documentLines"]]
    return {**document, "documentLines": lines}


def version_of(document: Row) -> Version:
    """Note how a document stands."""
    cents = [Decimal(str(document[name])).quantize(Decimal("0.01"), ROUND_HALF_UP) for name in AMOUNTS[:2]]
    return Version(str(document["documentNo"]), *map(str, cents))


def story_of(document: Row, *, fault: str = "") -> DocumentStory:
    """Begin the story of a document."""
    side = SIDES.get(document["documentType"], NO_PARTNER)
    return DocumentStory(document["key"], side, fault, [version_of(document)])
