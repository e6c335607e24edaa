"""Documents that go to the VMS: how their bodies are made, and how they are found there by their numbers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import chain, groupby
from typing import TYPE_CHECKING

from pipelines.load.acknowledgement import POSTED
from pipelines.load.delivery import VMS, Cargo, Delivery, DeliveryResult
from pipelines.load.look_up import ABSENT, LookUpFinding, Node, complete, conflict
from pipelines.load.vms.courier import VmsCourier
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, sha256
from pipelines.outbox.store import Outbox
from pipelines.stores.rows import Row
from pipelines.wire.filters import equals, one_of
from pipelines.wire.pages import with_members

if TYPE_CHECKING:
    from pipelines.outbox.entry import Entry
    from pipelines.step.context import Context
    from pipelines.wire.vms import VmsClient

ENTITY = "Document"
# Characters: docs/systems/vms.md#3-11 has documentNo as String(32).
LONGEST_NUMBER = 32
PLAIN_NUMBER = re.compile(r"[A-Za-z0-9._/-]+")
# Ten hexadecimal digits: among 100,000 long numbers with one head, two alike have odds of 1 in 200.
HASH_DIGITS = 10

AMOUNTS = ("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount")
FIELDS = ("key", "documentNo", "documentType.documentType", "company.companyCode", *AMOUNTS)
# Without these no document is known again.
NEEDED = ("key", "documentNo", "documentType", "company")
# The VMS keeps amounts in binary floating point; less than half of the smallest minor unit there is, is no difference.
TOLERANCE = Decimal("0.00005")
CENT = Decimal("0.01")

DIFFERS = "differs_in_vms"


def document_intent(
    kind: Kind,
    row: Row,
    *,
    number: str,
    source_amount: Decimal,
    header: Mapping[str, Json],
    line: Mapping[str, Json],
    found_by: Mapping[str, Json],
) -> Intent:
    """Make the intent of one posted document with exactly one line, from a row of the models.

    The row has `natural_key`, `company_code`, `owner_code`, `currency_code`, and the amount in that currency
    (`document_amount`) and in the company's (`company_amount`); ``source_amount`` is in the invoice's currency. The
    payload's ``header`` has members that the ``line`` has not, and the other way round; both take the amounts.
    ``found_by`` is kept for look-ups and models beside number, type and amounts.
    """
    amounts: dict[str, Json] = {
        "documentAmount": amount(row["document_amount"]),
        "companyCurrencyAmount": amount(row["company_amount"]),
        "sourceCurrencyAmount": amount(source_amount),
    }
    common: dict[str, Json] = {**amounts, "documentCurrency": row["currency_code"], "invoicingStatus": POSTED}
    payload: dict[str, Json] = {
        **common,
        **header,
        "documentNo": number,
        "company": row["company_code"],
        "documentLines": [{**common, **line, "documentLineText": header["documentText"]}],
    }
    return Intent(
        kind,
        row["natural_key"],
        "vms",
        payload,
        # The payload carries no batch date, so the same source always gives the same payload.
        source_hash=sha256(canonical_json(payload)),
        look_up={"document_no": number, "document_type": header["documentType"], **found_by, **amounts},
        company_code=row["company_code"],
        owner_code=row["owner_code"],
        document_key=row.get("document_key"),
        document_no=row.get("ref_document_no"),
    )


def deliver_documents(
    ctx: Context,
    kind: Kind,
    intents: Sequence[Intent],
    *,
    is_wanted: Callable[[Entry], bool],
    breaks: Mapping[str, str],
    sleep: Callable[[float], None],
    judge: Callable[[Entry], LookUpFinding] = lambda _: ABSENT,
) -> DeliveryResult:
    """Store intents of documents and deliver all of their kind that are not settled.

    ``breaks`` are the kinds of break by error code; the one of ``DIFFERS`` opens when the VMS has another document
    under the number of one of ours. ``judge`` has the last word on one that the VMS does not have yet; it may raise
    LOOK_UP_ERRORS.
    """
    # Stored first, and all of them: what the models have worked out is not lost when the VMS does not answer.
    Outbox.of(ctx).store_intents(intents)
    cargo = Cargo(kind, VMS, is_wanted, breaks)
    with ThreadPoolExecutor(ctx.settings.vms.workers, thread_name_prefix=f"{kind}s") as pool:

        def look_up(entries: Sequence[Entry]) -> dict[str, LookUpFinding]:
            found = look_up_documents(entries, vms=ctx.vms, pool=pool)
            return {e.id: judge(e) if found[e.id] is ABSENT else found[e.id] for e in entries}

        return VmsCourier(Delivery.of(ctx, cargo, sleep=sleep), ctx.vms, ENTITY, pool, look_up, shows_number).deliver()


def shows_number(body: Node, answer: Node) -> bool:
    """Tell whether an answer is that to a document: it has the number that was given."""
    return bool(answer.get("documentNo") == body["documentNo"])


def document_number(number: str, *, head: str) -> str:
    """Return a number that the VMS takes and that can be asked for, the same for ever.

    A longer one keeps ``head`` and the count behind its last hyphen; a hash of the rest stands between them.

    >>> document_number("XL902-5200777-2", head="XL")
    'XL902-5200777-2'
    >>> document_number("ACT202610-28601-V001-2601-4300-USD-1", head="ACT202610-28601")
    'ACT202610-28601-5b2df6ab1a-1'
    """
    # Only characters that no filter has to quote: the look-up asks for up to fifty numbers in one list.
    if len(number) <= LONGEST_NUMBER and PLAIN_NUMBER.fullmatch(number):
        return number
    rest, _, count = number.rpartition("-")
    digest = hashlib.sha256(rest.encode()).hexdigest()[:HASH_DIGITS]
    return f"{head}-{digest}-{count}"


def amount(value: Decimal) -> Decimal:
    """Return an amount with two decimals, or as many as it has where they are more.

    >>> str(amount(Decimal("-95000.0000"))), str(amount(Decimal("1.2345")))
    ('-95000.00', '1.2345')
    """
    # Never rounded here: more decimals than two are a currency's own (KWD) or a fault that the VMS should name.
    return plain(value) if value != value.quantize(CENT) else value.quantize(CENT)


def plain(value: Decimal) -> Decimal:
    """Return a number without zeros behind its last digit, and without an exponent.

    >>> str(plain(Decimal("10.550000"))), str(plain(Decimal("100.00")))
    ('10.55', '100')
    """
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def day(value: date) -> str:
    """Write a day as the VMS has it: midnight, without a zone (docs/systems/vms.md#1-3)."""
    return f"{value.isoformat()}T00:00:00"


def look_up_documents(
    entries: Sequence[Entry], *, vms: VmsClient, pool: ThreadPoolExecutor
) -> dict[str, LookUpFinding]:
    """Look documents up by type and number, at most fifty numbers a request, on the pool.

    One that is there is ours when its company and its amounts are those that we send; anything else under our number
    is a conflict. Raises WireError.
    """
    # The type as well: a document of another type may have the number, and would not be ours.
    by_type = sorted(entries, key=_document_type)
    questions = [
        (equals("documentType.documentType", document_type), chosen)
        for document_type, members in groupby(by_type, key=_document_type)
        for chosen in one_of("documentNo", [str(entry.look_up["document_no"]) for entry in members])
    ]
    answers = pool.map(
        lambda filters: with_members(vms.find(ENTITY, filters=filters, fields=FIELDS), NEEDED, entity=ENTITY), questions
    )
    by_number: dict[tuple[str, str], list[Node]] = {}
    for document in chain.from_iterable(answers):
        by_number.setdefault((_code(document, "documentType"), str(document["documentNo"])), []).append(document)
    return {
        entry.id: _judged(entry, by_number.get((_document_type(entry), str(entry.look_up["document_no"])), []))
        for entry in entries
    }


def _document_type(entry: Entry) -> str:
    return str(entry.look_up["document_type"])


def _judged(entry: Entry, documents: Sequence[Node]) -> LookUpFinding:
    # Another company may have a document of that number too.
    own = [document for document in documents if _code(document, "company") == entry.company_code]
    if not own:
        return ABSENT
    if len(own) == 1 and all(_is_same(own[0].get(name), entry.look_up[name]) for name in AMOUNTS):
        return complete("found in the VMS", {"key": own[0]["key"]})
    keys = ", ".join(str(document["key"]) for document in own)
    there = ", ".join(str(document.get("documentAmount")) for document in own)
    return conflict(
        DIFFERS,
        f"{entry.label}: the VMS has a document of that number already (key {keys}) with the amount {there}, "
        f"where {entry.look_up['documentAmount']} was to be sent. Next: find out in the VMS who made it, and delete or "
        "correct it there; the next run looks again.",
    )


def _is_same(there: object, ours: Json) -> bool:
    # An amount that is missing or is text is no reason to call the document ours.
    if not isinstance(there, int | float | Decimal):
        return False
    return abs(Decimal(str(there)) - Decimal(str(ours))) <= TOLERANCE


def _code(document: Node, name: str) -> str:
    """Return the code of a document's reference, which may come as an object or bare."""
    value = document.get(name)
    if isinstance(value, Mapping):
        value = value.get("documentType" if name == "documentType" else "companyCode")
    return str(value)
