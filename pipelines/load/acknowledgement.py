"""The intent that sets a voucher's document to posted."""

from __future__ import annotations

from pipelines.outbox.entry import Entry
from pipelines.outbox.intent import Intent, Json, Kind

POSTED = "POS"
# Member of a voucher's look-up: the keys of the documents that it takes back, where it is a reversal.
REVERSES = "reverses"
BODY: dict[str, Json] = {"invoicingStatus": POSTED}


def acknowledgement(voucher: Entry) -> Intent:
    """Make the intent that sets a voucher's document to posted in the VMS.

    It stands between the two sides: the ledger's delivery stores it when a voucher is sent, the VMS's delivers it.
    """
    return Intent(
        Kind.ACKNOWLEDGEMENT,
        str(voucher.document_key),
        "vms",
        payload=BODY,
        source_hash=POSTED,
        look_up=dict(voucher.look_up),
        company_code=voucher.company_code,
        owner_code=voucher.owner_code,
        document_key=voucher.document_key,
        document_no=voucher.document_no,
    )
