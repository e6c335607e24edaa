"""Which changes both systems are asked to tell: a subscription of the VMS or a webhook of the ledger for each."""

from __future__ import annotations

from typing import NamedTuple

# Every document in RFP, whatever its type: the published expression lists types, and forgets CAP and CAR. What is not
# ours to post is left out by the job. The test of RFP is also what keeps the VMS silent when a document is set to POS.
# In the Java form, which all versions understand (docs/systems/vms.md#2-3).
READY_FOR_POSTING = (
    "dlpObject.getInvoicingStatus() != null && dlpObject.getInvoicingStatus().getStatusTypeCode() != null && "
    'dlpObject.getInvoicingStatus().getStatusTypeCode().equals("RFP")'
)


class VmsWanted(NamedTuple):
    """One kind of change in the VMS: its name, the object, C or U, and on which condition."""

    name: str
    object_type: str
    event_type: str
    expression: str | None


class LedgerWanted(NamedTuple):
    """One kind of change in the ledger: its name, and the connection whose changes are told."""

    name: str
    connection: str

    @property
    def subscription(self) -> str:
        """The GraphQL of it; ids alone, since the job reads what it needs, and no bank account travels."""
        name = self.connection
        return f"subscription {{ {name}: {name}Mutated {{ edges {{ syncVersion node {{ dbId }} }} }} }}"


_VMS_OBJECTS = {
    "documents ready for posting": ("Document", READY_FOR_POSTING),
    "partners": ("BusinessPartner", None),
    # Parts of a partner are told by themselves: each subscription is for its main object only.
    "addresses": ("Address", None),
    "contact details": ("ContactInfo", None),
    "bank accounts": ("BankAccount", None),
    "vessels": ("Vessel", None),
    "voyages": ("Voyage", None),
    "numbers of voyages": ("VoyageHeader", None),
}
# What is deleted need not be told at once: `reconcile` finds it.
VMS_WANTED = tuple(
    VmsWanted(f"{name}: {how}", object_type, event_type, expression)
    for name, (object_type, expression) in _VMS_OBJECTS.items()
    for how, event_type in (("new", "C"), ("changed", "U"))
)
# Not of all rows of the general ledger: actuals go once a night, and every voucher would be told.
LEDGER_WANTED = (
    LedgerWanted("suppliers", "suppliers"),
    LedgerWanted("customers", "customers"),
    LedgerWanted("projects", "projects"),
    LedgerWanted("supplier invoices and payments", "apTransactions"),
    LedgerWanted("customer invoices and payments", "arTransactions"),
    LedgerWanted("exchange rates", "exchangeRates"),
)
