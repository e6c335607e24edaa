"""The printed invoice: a one-page PDF in Base64, for the types that can be printed (docs/systems/vms.md#3-3)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore

INVOICE = "invoice"
# Deprecated by the vendor: always null.
INVOICE_PDF = "invoicePdf"
_FONT = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
_PRINTABLE = frozenset({"INI", "INO", "CRI", "CRO", "APR"})


def invoice_pdf(store: VmsStore, document: Obj) -> str | None:
    """Give the Base64 text of the document's PDF, None where its type is not printed."""
    document_type = store.code_of("DocumentType", document.get("documentType") or 0)
    if document_type not in _PRINTABLE:
        return None
    currency = store.code_of("Currency", document.get("documentCurrency") or 0)
    lines = (f"{document_type} {document.get('documentNo')}", f"{currency} {document.get('documentAmount')}")
    return base64.b64encode(_pdf(lines)).decode()


def _pdf(lines: tuple[str, ...]) -> bytes:
    shown = " ".join(f"({_escaped(line)}) Tj 0 -24 Td" for line in lines)
    # The built-in fonts of PDF readers have Latin-1 only.
    page = f"BT /F1 18 Tf 72 720 Td {shown} ET".encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << %b >> >>" % _FONT,
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(page), page),
    )
    text = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(text))
        text += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, entries)
    return text + table + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(text))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
