"""What the VMS shows of itself on the admin page: counts, amounts per type and state, last documents, refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.sandbox.state import StateTable

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.routes import Vms

_LAST = 20
_Group = tuple[str, str, str]


def vms_overview(vms: Vms) -> list[StateTable]:
    """Give the tables of the admin page, from one moment."""
    with vms.store.lock:
        documents = vms.store.tables["Document"].values()
        last = sorted(documents, key=lambda row: (str(row.get("modifiedDate")), row["key"]), reverse=True)[:_LAST]
        return [
            _totals(vms, list(documents)),
            StateTable(
                "Last documents",
                ("Key", "Number", "Type", "Status", "Amount", "Modified"),
                [_row(vms, document) for document in last],
            ),
            StateTable(
                "Objects", ("Entity", "Count"), [(name, str(count)) for name, count in vms.counts().most_common()]
            ),
            StateTable(
                "Last refusals",
                ("At", "Method", "Path", "Status", "Message"),
                [(one.at, one.method, one.path, str(one.status), one.message) for one in reversed(vms.refusals)],
            ),
        ]


def _totals(vms: Vms, documents: list[Obj]) -> StateTable:
    counts: dict[_Group, int] = {}
    amounts: dict[_Group, Decimal] = {}
    for document in documents:
        group = (_type(vms, document), _status(vms, document), _currency(vms, document))
        counts[group] = counts.get(group, 0) + 1
        amount = document.get("documentAmount")
        # A broken amount is counted, not added.
        amounts[group] = amounts.get(group, Decimal(0)) + (amount if isinstance(amount, int | Decimal) else 0)
    rows = [(*group, str(counts[group]), f"{amounts[group]:f}") for group in sorted(counts)]
    return StateTable("Documents", ("Type", "Status", "Currency", "Count", "Amount"), rows)


def _row(vms: Vms, document: Obj) -> tuple[str, ...]:
    amount = f"{document.get('documentAmount')} {_currency(vms, document)}"
    number, modified = str(document.get("documentNo")), str(document.get("modifiedDate"))
    return (str(document["key"]), number, _type(vms, document), _status(vms, document), amount, modified)


def _type(vms: Vms, document: Obj) -> str:
    return vms.store.code_of("DocumentType", document.get("documentType") or 0)


def _status(vms: Vms, document: Obj) -> str:
    return vms.store.code_of("StatusType", document.get("invoicingStatus") or 0)


def _currency(vms: Vms, document: Obj) -> str:
    return vms.store.code_of("Currency", document.get("documentCurrency") or 0)
