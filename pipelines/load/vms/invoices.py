"""Invoices as the VMS has them now, looked up by their keys before a payment names them (docs/mapping.md#3).

What is kept of an invoice is its key. Its number and the codes of its partner and company are what people change there:
they are read when they are written, so that a payment never goes to another document that has the number by now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from pipelines.load.look_up import Node
from pipelines.outbox.intent import Json
from pipelines.wire.filters import one_of
from pipelines.wire.pages import with_members

if TYPE_CHECKING:
    from pipelines.stores.rows import Row
    from pipelines.wire.vms import VmsClient

ENTITY = "Document"
FIELDS = (
    "key",
    "documentNo",
    "company.companyCode",
    "businessPartner.key",
    "businessPartner.businessPartnerCode",
)


class Invoice(NamedTuple):
    """One document of the VMS by what a payment must say of it; its partner's key is 0 where it names none."""

    key: int
    number: str
    is_number_shared: bool
    company_code: str | None
    partner_key: int
    partner_code: str | None

    @property
    def reference(self) -> Json:
        """What a line's `refDocument` names: the number, and the key where several documents have it."""
        return self.key if self.is_number_shared else self.number


class Payables(NamedTuple):
    """Rows of post.payment_changes with the invoices of now, and why the others must wait, by natural key."""

    rows: Sequence[Row]
    refusals: Mapping[str, str]


def read_invoices(vms: VmsClient, keys: Iterable[int]) -> dict[int, Invoice]:
    """Read documents by their keys; one that is gone or cannot be read is not among them. Raises LOOK_UP_ERRORS."""
    documents = _find(vms, "key", keys, fields=FIELDS)
    # A number is unique in a company and a type alone, and a document can be given that of another.
    sharing: dict[str, set[int]] = {}
    for document in _find(vms, "documentNo", (document["documentNo"] for document in documents), fields=FIELDS[:2]):
        sharing.setdefault(str(document["documentNo"]), set()).add(document["key"])
    return {document["key"]: _invoice(document, sharing) for document in documents}


def with_invoices(
    rows: Sequence[Row], invoices: Mapping[int, Invoice], *, vms: VmsClient, owners: Callable[[], Mapping[str, int]]
) -> Payables:
    """Lay over each row what the VMS calls its invoice, partner and company now; say which must wait for a person.

    A row has the columns of post.payment_changes. ``owners`` gives the ledger's entity of each VMS company. Raises
    LOOK_UP_ERRORS.
    """
    keys_of_codes = _partner_keys(rows, invoices, vms)
    changed: list[Row] = []
    refusals: dict[str, str] = {}
    for row in rows:
        invoice = invoices.get(row["document_key"])
        refusal = _refusal(row, invoice, keys_of_codes, owners)
        if refusal or invoice is None:
            refusals[row["natural_key"]] = refusal
            changed.append(row)
        else:
            changed.append({
                **row,
                "ref_document_no": invoice.number,
                "is_number_shared": invoice.is_number_shared,
                "partner_code": invoice.partner_code or row["partner_code"],
                "company_code": invoice.company_code or row["company_code"],
            })  # fmt: skip
    return Payables(changed, refusals)


def _refusal(
    row: Row,
    invoice: Invoice | None,
    keys_of_codes: Mapping[str, set[int]],
    owners: Callable[[], Mapping[str, int]],
) -> str:
    """Say why a payment must not go to the document that has this key now; empty when it may."""
    label = f"Payment {row['natural_key']}: its invoice {row['ref_document_no']} (key {row['document_key']})"
    if invoice is None:
        return (
            f"{label} is gone from the VMS, or cannot be read. Next: find out in the VMS who deleted it; where it is "
            "meant to be gone, reverse its voucher in the ledger and undo the match."
        )
    if _is_other_partner(row, invoice, keys_of_codes):
        return (
            f"{label} had partner {row['partner_code']} when its voucher was sent and has partner "
            f"{invoice.partner_code} now. Next: set the partner back in the VMS; where the new one is right, reverse "
            "the voucher in the ledger and enter the document anew."
        )
    company = invoice.company_code
    if company not in {row["company_code"], None} and owners().get(str(company)) != row["owner_code"]:
        return (
            f"{label} had company {row['company_code']} when its voucher was sent and has company {company} now, which "
            f"does not post to entity {row['owner_code']}. Next: set the company back in the VMS; where its code was "
            "changed, name the new code under [[companies]] in the settings."
        )
    return ""


def _is_other_partner(row: Row, invoice: Invoice, keys_of_codes: Mapping[str, set[int]]) -> bool:
    if invoice.partner_code in {row["partner_code"], None}:
        return False
    if row["partner_key"] is not None:
        return bool(invoice.partner_key != row["partner_key"])
    # Sent by a release that did not keep the key: a code that another partner has was not renamed.
    return bool(keys_of_codes.get(row["partner_code"], set()) - {invoice.partner_key})


def _partner_keys(rows: Sequence[Row], invoices: Mapping[int, Invoice], vms: VmsClient) -> dict[str, set[int]]:
    """Return who has the codes now that the vouchers were sent with, where the invoices show others."""
    codes = {
        row["partner_code"]
        for row in rows
        if row["partner_key"] is None
        and (invoice := invoices.get(row["document_key"]))
        and invoice.partner_code not in {row["partner_code"], None}
    }
    found: dict[str, set[int]] = {}
    name = "businessPartnerCode"
    for partner in _find(vms, name, sorted(codes), fields=("key", name), entity="BusinessPartner"):
        found.setdefault(str(partner[name]), set()).add(partner["key"])
    return found


def _invoice(document: Node, sharing: Mapping[str, set[int]]) -> Invoice:
    number = str(document["documentNo"])
    partner = _reference(document, "businessPartner")
    company = _reference(document, "company").get("companyCode")
    return Invoice(
        document["key"],
        number,
        len(sharing.get(number, ())) > 1,
        _text(company),
        int(partner.get("key") or 0),
        _text(partner.get("businessPartnerCode")),
    )


def _reference(document: Node, name: str) -> Node:
    reference = document.get(name)
    return cast("Node", reference) if isinstance(reference, Mapping) else {}


def _text(value: object) -> str | None:
    return (str(value).strip() or None) if value is not None else None


def _find(
    vms: VmsClient, path: str, values: Iterable[str | int], *, fields: Sequence[str], entity: str = ENTITY
) -> list[Node]:
    found = [row for chosen in one_of(path, values) for row in vms.find(entity, filters=[chosen], fields=fields)]
    # The first two are those by which it is known again.
    return [*with_members(found, fields[:2], entity=entity)]
