"""Vouchers: post.draft_lines as nodes of addGLImportItems, stored as intents and delivered (docs/mapping.md#1-1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from pipelines.core.errors import SpringlineError
from pipelines.core.money import minor_unit
from pipelines.load.acknowledgement import REVERSES, acknowledgement
from pipelines.load.delivery import LEDGER, Cargo, Delivery
from pipelines.load.ledger.books import Vouchers, books_findings, books_readings
from pipelines.load.ledger.courier import LedgerCourier
from pipelines.load.ledger.entities import LedgerEntities, read_entities
from pipelines.load.ledger.import_items import import_findings, import_reading, other_numbers
from pipelines.load.ledger.invoice_files import InvoiceFiles
from pipelines.load.ledger.nodes import NODES, node_of, plain
from pipelines.load.look_up import QUESTION, LookUpFinding, Presence, ask, chunks
from pipelines.outbox.intent import Intent, Json, Kind
from pipelines.outbox.store import Outbox
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row, iterate_rows

if TYPE_CHECKING:
    import duckdb

    from pipelines.load.delivery import DeliveryResult
    from pipelines.outbox.entry import Entry
    from pipelines.step.context import Context
    from pipelines.wire.ledger import LedgerClient

# Adds, and never updates: what has been sent is corrected by a retry alone (batch/retries.py).
MUTATION = "addGLImportItems"
# What a look-up finds in the ledger and nobody but a person can resolve.
BREAKS = {
    "incomplete_in_ledger": "voucher incomplete in ledger",
    "repeated_in_ledger": "voucher repeated in ledger",
    "already_in_books": "voucher already in books",
}

MEMBERS = NODES["voucher"]
# What the VMS has of a detail line, and what goes in its place: the columns of post.draft_lines.
_FROM_VMS = {
    "account": ("vms_account", "account"),
    "vessel": ("vms_vessel_code", "posting1"),
    "voyage": ("vms_voyage_no", "posting2"),
    "partner": ("vms_partner_code", "subledger_no"),
}
# The column that names the currency of an amount.
CURRENCIES = {"currency_amount": "currency", "amount": "company_currency"}


@dataclass(frozen=True, slots=True)
class Following:
    """The documents whose intents are stored meanwhile, and what returns when all are, or raises what stopped it.

    Until then nothing of theirs may go: an earlier batch may have left an intent that is only now drafted anew.
    """

    keys: frozenset[int] = frozenset()
    wait: Callable[[], None] = lambda: None


NOTHING = Following()


def store_voucher_intents(context: Context, document_keys: Collection[int]) -> list[str]:
    """Store the drafted vouchers of documents that passed every check, in one transaction; return the ids stored.

    A voucher that failed is tried again though it has not changed since: the ledger may have.
    """
    return Outbox.of(context).store_intents(voucher_intents(context, document_keys))


def voucher_intents(context: Context, document_keys: Collection[int]) -> Iterator[Intent]:
    """Make the intents of the drafted vouchers of documents, by document key."""
    reversed_keys = originals(context.warehouse, document_keys)
    for key, lines in groupby(_draft_lines(context, document_keys), key=itemgetter("document_key")):
        yield voucher_intent(list(lines), reverses=reversed_keys.get(key, ()))


def voucher_intent(lines: Sequence[Row], *, reverses: Sequence[int] = ()) -> Intent:
    """Make the intent of one voucher from its lines, control lines first.

    ``reverses`` are the keys of the documents that it takes back: it is not acknowledged before they are.
    """
    # What all lines of a voucher have in common (date, type, currency …) is taken from its first.
    first = lines[0]
    key = first["document_key"]
    controls = [line for line in lines if line["line_kind"] == "control"]
    look_up: dict[str, Json] = {
        "lines": len(lines),
        # What the payload does not say, and the comparison has to know.
        "controls": len(controls),
        "turned": [line["tr_item_number"] for line in lines if line["direction"] == -1],
        "source": first["voucher_type"],
        "ext_order_number": first["ext_order_number"],
        "posted_date": first["voucher_date"].isoformat(),
        "text": first["text"],
        "invoice_number": first["invoice_no"],
        "subledger": first["subledger_no"],
        "currency": first["currency"],
        "control_amount": _amount(sum((line["currency_amount"] for line in controls), Decimal(0)), first["currency"]),
    }
    look_up |= _mapped(lines)
    if first.get("partner_key") is not None:
        # Who the partner is: its code may become another, or another's, before the invoice is paid.
        look_up["partner_key"] = first["partner_key"]
    if reverses:
        look_up[REVERSES] = [*reverses]
    return Intent(
        Kind.VOUCHER,
        str(key),
        "ledger",
        payload=[{"clientId": f"{key}-{line['tr_item_number']}", "node": voucher_node(line)} for line in lines],
        source_hash=first["content_hash"],
        look_up=look_up,
        company_code=first["company_code"],
        owner_code=first["company"],
        document_key=key,
        document_no=first["document_no"],
    )


def _mapped(lines: Sequence[Row]) -> dict[str, Json]:
    """Return what the tenant's mapping files did to a voucher, by item number; nothing where they did nothing.

    The comparison needs what the VMS had (``read``), and `explain` the lines of the files (``mapped``): both as of the
    sending, for the files may change.
    """
    read: dict[str, Json] = {}
    for line in lines:
        had = {name: line[column] for name, (column, _) in _FROM_VMS.items()}
        sent = {name: line[column] for name, (_, column) in _FROM_VMS.items()}
        if line["line_kind"] == "detail" and had != sent:
            read[str(line["tr_item_number"])] = {**had}
    rules: dict[str, Json] = {
        str(line["tr_item_number"]): line["mapping_rules"] for line in lines if line["mapping_rules"]
    }
    partner = lines[0]["vms_partner_code"]
    is_other = lines[0]["line_kind"] == "control" and partner != lines[0]["subledger_no"]
    # What is empty is left out: without mapping files an intent is what it always was.
    found: dict[str, Json] = {"read": read, "mapped": rules, "vms_partner": partner if is_other else None}
    return {name: value for name, value in found.items() if value}


def voucher_node(line: Row) -> dict[str, Json]:
    """Turn a voucher line into a node of addGLImportItems: amounts are text, what is null is left out."""
    return node_of(line, MEMBERS, write=_written)


def deliver_vouchers(
    context: Context,
    *,
    ready: Collection[int],
    sleep: Callable[[float], None] = time.sleep,
    taken: Callable[[int], None] = lambda _: None,
    following: Following = NOTHING,
) -> DeliveryResult:
    """Deliver every voucher that is not settled; each one sent brings its acknowledgement into the outbox.

    Vouchers of documents that are not ``ready``, or no longer (held, ignored, gone), are looked up when their fate is
    unknown, and never sent. ``taken`` hears of how many the ledger has just taken; what is ``following`` goes last.
    """
    ready_keys = frozenset(ready)
    courier = _courier(context, is_wanted=lambda entry: entry.document_key in ready_keys, sleep=sleep)
    courier.taken = taken
    if following.keys:
        courier.deliver_first(lambda entry: entry.document_key not in following.keys)
        following.wait()
    return courier.deliver()


def settle_vouchers(context: Context, *, sleep: Callable[[float], None] = time.sleep) -> DeliveryResult:
    """Find out what became of vouchers whose call got no answer, or whose process was killed.

    What the ledger has is sent; what it certainly has not is `todo` again, so that it is drafted and checked anew.
    """
    # Nothing is sent here, so nothing has to be withdrawn.
    return _courier(context, is_wanted=lambda _: True, sleep=sleep).settle()


def _courier(ctx: Context, *, is_wanted: Callable[[Entry], bool], sleep: Callable[[float], None]) -> LedgerCourier:
    # The acknowledgement comes into the outbox in the transaction that settles its voucher as sent.
    cargo = Cargo(Kind.VOUCHER, LEDGER, is_wanted, BREAKS, follow_up=lambda entry: [acknowledgement(entry)])
    delivery = Delivery.of(ctx, cargo, sleep=sleep)
    entities = read_entities(ctx.warehouse)
    return LedgerCourier(
        delivery,
        ctx.ledger,
        look_up=partial(look_up_vouchers, ledger=ctx.ledger, entities=entities, vouchers=delivery.outbox.vouchers),
        read_back=partial(read_back_vouchers, ledger=ctx.ledger, entities=entities),
        mutation=lambda _: MUTATION,
        nodes_per_mutation=ctx.settings.ledger.nodes_per_mutation,
        size=_line_count,
        files=InvoiceFiles(ctx.vms, ctx.settings) if ctx.settings.posting.attachments else None,
    )


def look_up_vouchers(
    entries: Sequence[Entry], *, ledger: LedgerClient, entities: LedgerEntities, vouchers: Vouchers
) -> dict[str, LookUpFinding]:
    """Look vouchers up in the ledger's import and in its books, a thousand a request; raises WireError."""
    findings: dict[str, LookUpFinding] = {}
    for chunk in chunks(entries, size=QUESTION):
        items, *books = ask(ledger, [import_reading(chunk), *books_readings(chunk)])
        in_import = import_findings(chunk, items, entities)
        absent = [entry for entry in chunk if in_import[entry.id].presence is Presence.ABSENT]
        # Once posted, a voucher's items may be gone from the import: then the books have it.
        findings |= in_import | books_findings(absent, books, entities, vouchers=vouchers)
    return findings


def renumbered_vouchers(entries: Sequence[Entry], *, ledger: LedgerClient, entities: LedgerEntities) -> dict[str, str]:
    """Give the number under which the import has a voucher whose document has another one now; raises WireError."""
    found: dict[str, str] = {}
    for chunk in chunks(entries, size=QUESTION):
        (items,) = ask(ledger, [import_reading(chunk)])
        found |= other_numbers(chunk, items, entities)
    return found


def read_back_vouchers(
    entries: Sequence[Entry], *, ledger: LedgerClient, entities: LedgerEntities
) -> dict[str, LookUpFinding]:
    """Look vouchers up in the import alone, where a call just refused could have left something; raises WireError."""
    (items,) = ask(ledger, [import_reading(entries)])
    return import_findings(entries, items, entities)


def _line_count(entry: Entry) -> int:
    lines = entry.look_up.get("lines")
    return lines if isinstance(lines, int) else 1


def originals(
    warehouse: duckdb.DuckDBPyConnection, document_keys: Collection[int], *, whatever_state: bool = False
) -> dict[int, list[int]]:
    """Return the documents that these reversals take back, by the reversal's key.

    Of those only what was sent, unless ``whatever_state``: where the record of what was sent is what is looked for.
    """
    if not document_keys:
        return {}
    found: dict[int, list[int]] = {}
    for document, original in warehouse.execute(
        named_statements("load", folder="questions")["reversed"], [list(document_keys), whatever_state]
    ).fetchall():
        found.setdefault(document, []).append(original)
    return found


def _draft_lines(context: Context, document_keys: Collection[int]) -> Iterator[Row]:
    if not document_keys:
        # A bound value makes DuckDB import pandas, for which a run with nothing to send has no use.
        return
    statement = named_statements("load", folder="questions")["draft_lines"]
    yield from iterate_rows(context.warehouse.execute(statement, [list(document_keys)]))


def _written(column: str, line: Row) -> Json:
    value = line[column]
    return _amount(value, line[CURRENCIES[column]]) if column in CURRENCIES else plain(value)


def _amount(value: Decimal, currency: str) -> str:
    """Write an amount as the ledger takes it: plain, with the currency's decimals, and no cent changed."""
    written = value.quantize(minor_unit(currency))
    # Rounding is the models' work: a cent changed here would put the voucher out of balance.
    if written != value:
        raise SpringlineError(f"{value} {currency} is not rounded to the currency's minor units.")
    return f"{written:f}"
