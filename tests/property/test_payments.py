"""The SQL allocation of payments against the plain loop, and what must hold in every order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.contracts.declared import declared_tables
from pipelines.core.table_ref import TableRef
from pipelines.models.build import build
from pipelines.models.model import Catalog, Model
from pipelines.stores.moves import create_moves, note_all_moved
from pipelines.stores.warehouse import replace_rows
from tests.models.between import between
from tests.models.conftest import prepare
from tests.property.payments import Match, Story, ledgers, stories, upheavals
from tests.property.reference_payments import FACTORS, NOTHING, Invoice, Pair, Part, transfers
from tests.support.verified import verified_models

OWNER, ENTITY = 28601, 2
SIGNS = {"AP": -1, "AR": 1}

Row = Mapping[str, object]


class Books:
    """Builds the payment models over matches and over what was sent before."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
        self.connection = connection
        self.models = models
        self.columns = declared_tables()

    def changes(
        self, matches: Iterable[Match], sent: Mapping[Pair, Part], currencies: Mapping[int, str]
    ) -> dict[Pair, Part]:
        """Return the parts that the models want posted, in minor units as the reference has them."""
        shown = list(matches)
        sides = {invoice.key: match.side for match in shown for invoice in match.invoices if invoice.is_ours}
        self._put("stg_ledger.ap_rows", (row for match in shown if match.side == "AP" for row in _rows(match)))
        self._put("stg_ledger.ar_rows", (row for match in shown if match.side == "AR" for row in _rows(match)))
        invoices = {i.key: i for match in shown for i in match.invoices if i.is_ours}
        self._put("ctl.sent_vouchers", (_voucher(invoice, sides[key]) for key, invoice in invoices.items()))
        self._put(
            "ctl.payments",
            (_sent(pair, part, invoices[pair[1]].currency, currencies[pair[0]]) for pair, part in sent.items()),
        )
        # As the copying of the outbox does, for the models that follow it.
        create_moves(self.connection)
        note_all_moved(self.connection)
        build(self.connection, self.models)
        rows = self.connection.execute(
            "SELECT payment_db_id, document_key, document_type, side, currency_code, document_amount, source_amount, "
            "company_amount, source_currency_code FROM post.payment_changes ORDER BY ALL"
        ).fetchall()
        assert all(row[-1] == currencies[row[0]] for row in rows)
        return {
            (payment, key): Part(
                -_units(amount, currency), -_units(source, currencies[payment]), -_units(company, "NOK")
            )
            for payment, key, _, _, currency, amount, source, company, _ in rows
        }

    def breaks(self) -> set[tuple[str, str]]:
        return set(self.connection.execute("SELECT kind, subject FROM post.payment_breaks").fetchall())

    def _put(self, table: str, rows: Iterable[Row]) -> None:
        types = self.columns[TableRef.parse(table)]
        columns = ", ".join(f"{name} {data_type}" for name, data_type in types.items())
        replace_rows(self.connection, table, columns, [tuple(row.get(name) for name in types) for row in rows])


def _rows(match: Match) -> Iterator[Row]:
    sign = SIGNS[match.side]
    common: Row = {"owner_db_id": ENTITY, "match_id": match.number, "subledger_code": "60526"}
    for invoice in match.invoices:
        number = f"F-{invoice.key}" if invoice.is_ours else f"G-{invoice.key}"
        # Two terms of one invoice are two rows; what is settled is settled on the first as far as it goes.
        half = invoice.amount // 2 if invoice.is_ours and invoice.key % 3 == 0 else 0
        terms = [(half, 0), (invoice.amount - half, 500_000)] if half else [(invoice.amount, 0)]
        left = invoice.settled
        for amount, offset in terms:
            settled = min(left, amount) if amount >= 0 else max(left, amount)
            left -= settled
            company = round(invoice.company * amount / invoice.amount) if half and offset else invoice.company
            if half:
                company = invoice.company // 2 if not offset else invoice.company - invoice.company // 2
            yield {
                **common,
                "row_db_id": invoice.key + offset,
                "invoice_number": number,
                "header_db_id": 7_000_000 + invoice.key,
                "currency_code": invoice.currency,
                "invoice_amount": _money(sign * amount, invoice.currency),
                "invoice_remaining": _money(sign * (amount - settled), invoice.currency),
                "amount": _money(sign * company, "NOK"),
                "due_date": invoice.due,
                "row_type": "INVOICE",
                "source_code": match.side,
            }
    for payment in match.payments:
        yield {
            **common,
            "row_db_id": payment.key,
            "header_db_id": 8_000_000 + payment.key,
            "voucher_no": payment.key,
            "posted_date": payment.posted,
            "currency_code": payment.currency,
            "invoice_amount": _money(-sign * payment.source, payment.currency),
            "invoice_remaining": Decimal(0),
            "amount": _money(-sign * payment.company, "NOK"),
            "row_type": "ELECTRONIC_PAYMENT",
            "source_code": "DR",
        }


def _voucher(invoice: Invoice, side: str) -> Row:
    return {
        "id": str(invoice.key),
        "document_key": invoice.key,
        "document_no": f"27{invoice.key}",
        "company_code": "28601",
        "owner_code": OWNER,
        "voucher_type": side,
        "invoice_no": f"F-{invoice.key}",
        "subledger_no": "60526",
        "currency": invoice.currency,
        "state": "sent",
    }


def _sent(pair: Pair, part: Part, currency: str, source_currency: str) -> Row:
    return {
        "id": f"{pair}",
        "payment_db_id": pair[0],
        "document_key": pair[1],
        "part_no": 1,
        "document_amount": _money(-part.amount, currency),
        "source_amount": _money(-part.source, source_currency),
        "company_amount": _money(-part.company, "NOK"),
        "state": "sent",
    }


def _money(units: int, currency: str) -> Decimal:
    return Decimal(units) / FACTORS[currency]


def _units(amount: Decimal, currency: str) -> int:
    units = amount * FACTORS[currency]
    assert units == int(units), f"{amount} {currency} is no whole minor unit"
    return int(units)


@pytest.fixture(scope="module")
def books() -> Iterator[Books]:
    catalog: Catalog = verified_models()
    first = [TableRef.parse("map.subledger_rows"), TableRef.parse("map.sent_invoices")]
    wanted = {
        m.ref: m
        for name in ("post.payment_changes", "post.payment_breaks")
        for m in between(catalog.models, first=first, last=TableRef.parse(name))
    }
    models = [m for m in catalog.models if m.ref in wanted or m.ref in first]
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        prepare(connection, catalog)
        columns = "entity_db_id, owner_code, currency_code"
        connection.execute(f"INSERT INTO map.entities ({columns}) VALUES (?, ?, 'NOK')", [ENTITY, OWNER])  # noqa: S608
        yield Books(connection, models)


def add(sent: dict[Pair, Part], parts: Mapping[Pair, Part]) -> None:
    for pair, part in parts.items():
        sent[pair] = sent.get(pair, NOTHING) + part


def transferred(sent: Mapping[Pair, Part], key: int) -> int:
    return sum(part.amount for (_, invoice), part in sent.items() if invoice == key)


def settings_of(examples: int) -> settings:
    return settings(max_examples=examples, suppress_health_check=list(HealthCheck))


@settings_of(15)
@given(ledgers())
def test_sql_and_the_plain_loop_allocate_alike(books: Books, drawn: tuple[list[Match], dict[Pair, Part]]) -> None:
    shown, sent = drawn
    currencies = {payment.key: payment.currency for match in shown for payment in match.payments}
    wanted: dict[Pair, Part] = {}
    for match in shown:
        wanted |= transfers(match.payments, match.invoices, sent)
    assert books.changes(shown, sent, currencies) == wanted


@settings_of(5)
@given(st.integers(2, 8).flatmap(lambda count: st.tuples(*(stories(number=n) for n in range(1, count)))), st.data())
def test_what_is_transferred_is_what_is_settled(books: Books, told: tuple[Story, ...], data: st.DataObject) -> None:
    currencies = {payment.key: payment.currency for story in told for payment, _ in story.arrivals}
    sent: dict[Pair, Part] = {}
    last = max(len(story.arrivals) for story in told)
    for arrival in range(1, last + 1):
        if arrival < last and not data.draw(st.booleans(), label="a run between"):
            continue
        shown = [story.after(arrival) for story in told]
        add(sent, books.changes(shown, sent, currencies))
        for match in shown:
            for invoice in match.invoices:
                if invoice.is_ours:
                    assert transferred(sent, invoice.key) == invoice.settled
        assert not books.changes(shown, sent, currencies), "a second run has something to send"
        assert not books.breaks()


@settings_of(5)
@given(upheavals())
def test_nothing_is_ever_transferred_twice(books: Books, states: list[list[Match]]) -> None:
    sent: dict[Pair, Part] = {}
    currencies: dict[int, str] = {}
    for shown in states:
        currencies |= {payment.key: payment.currency for match in shown for payment in match.payments}
        before = dict(sent)
        add(sent, books.changes(shown, sent, currencies))
        undone = {subject.rpartition("-")[2] for kind, subject in books.breaks() if kind == "match undone"}
        for match in shown:
            for invoice in (invoice for invoice in match.invoices if invoice.is_ours):
                size, old = abs(transferred(sent, invoice.key)), abs(transferred(before, invoice.key))
                assert size == (max(old, abs(invoice.settled)) if match.payments else old) <= abs(invoice.amount)
                assert size <= abs(invoice.settled) or str(invoice.key) in undone
