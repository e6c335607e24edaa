"""Who has to act, and what a rule says: of documents that are held, of breaks, of objects that were set aside.

The words are those of data/seeds/break_kinds.csv, so that one filter serves holds and breaks alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipelines.checks.messages import split_message
from pipelines.checks.suites import HELD_BY_PERSON, load_rules
from pipelines.reconcile.kinds import break_kinds
from pipelines.steering.bank_changes import RULE as BANK_CHANGE

# Whoever enters documents in the VMS; whoever runs Springline.
OPERATIONS: Final = "operations"
OPERATOR: Final = "operator"
ACCOUNTING: Final = "accounting"
MASTER_DATA: Final = "master data"
TREASURY: Final = "treasury"
SECOND_PERSON: Final = "second person"
# A rule names the system in which something is to be changed (`expectations`).
BY_SYSTEM: Mapping[str, str] = {"VMS": OPERATIONS, "Xledger": ACCOUNTING, "Springline settings": OPERATOR}
# All other kinds of outward write are master data.
DELIVERIES: Mapping[str, str] = {
    "voucher": ACCOUNTING,
    "acknowledgement": OPERATIONS,
    "remark": OPERATIONS,
    "payment": ACCOUNTING,
    "rate": TREASURY,
    "actual": OPERATIONS,
}
# What holds a document, or a supplier, and is no rule of the suites.
TITLES: Mapping[str, str] = {
    BANK_CHANGE: "bank account of a supplier changes",
    HELD_BY_PERSON: "put on hold by a person",
}
OF_MASTER_DATA = frozenset({"supplier_missing", "customer_missing", "vessel_missing", "voyage_missing"})


def acts_on_rule(rule: str) -> str:
    """Return who acts on a document that this rule holds; whoever runs Springline on a rule that it does not know."""
    if rule == BANK_CHANGE:
        return SECOND_PERSON
    if rule in OF_MASTER_DATA:
        return MASTER_DATA
    known = load_rules().rules.get(rule)
    return BY_SYSTEM[known.system] if known else OPERATOR


# What a close notes of a document that is not booked: what keeps it back says it as well, and says what to do.
NOT_BOOKED = frozenset({"document held", "document rejected"})


def title_of_rule(rule: str) -> str:
    """Return the fault that a rule looks for, in words."""
    known = load_rules().rules.get(rule)
    return known.title if known else TITLES.get(rule, rule)


def acts_on_break(kind: str) -> str:
    """Return who acts on a break of this kind; whoever runs Springline on one of an earlier release."""
    known = break_kinds().get(kind)
    return known.who_acts if known else OPERATOR


def acts_on_delivery(kind: str, state: str) -> str:
    """Return who acts on an outward write of this kind; empty where the next run goes on by itself."""
    return DELIVERIES.get(kind, MASTER_DATA) if state == "failed" else ""


def acts_on_object(side: str) -> str:
    """Return who acts on an object that was set aside: whoever enters such objects on its side."""
    return OPERATIONS if side == "vms" else ACCOUNTING


def finding_and_step(rule: str, message: str) -> tuple[str, str]:
    """Split the message of a hold into what was found, without a full stop, and what to do; see ``split_message``.

    >>> finding_and_step("held_by_person", "INI 1: held by kari (late). `springline release 1 --reason …` lifts it.")
    ('held by kari (late)', '`springline release 1 --reason …` lifts it.')
    """
    finding, step = split_message(message, rule=load_rules().rules.get(rule))
    return finding.removesuffix("."), step or "see what it says."


def fault_and_step(message: str) -> tuple[str, str]:
    """Split the message of an object that is set aside, without the object it begins with, into fault and next step.

    >>> fault_and_step("Document 5200473 (2708101): documentDate: is missing.")
    ('documentDate: is missing.', '')
    """
    found, _, step = message.partition(" Next: ")
    return found.partition(": ")[2] or found, step
