"""A small world as an accountant meets it on 2 November 2026: every state, five currencies, hostile names, huge amounts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.publish.facts import BUCKETS
from tests.support.publish_tables import Row, World

if TYPE_CHECKING:
    from collections.abc import Iterable

TODAY = date(2026, 11, 2)
OCTOBER, SEPTEMBER = date(2026, 10, 1), date(2026, 9, 1)
AS_OF_VMS, AS_OF_LEDGER = datetime(2026, 11, 2, 8, 0, 5), datetime(2026, 11, 2, 8, 1, 40)
HOSTILE = "<script>alert(1)</script> & Søn"
FORMULA = '=HYPERLINK("http://192.0.2.1","pay")'
# Columns of analysis.ageing_by_partner, in the order of BUCKETS.
AGES = ("not_due", "overdue_1_to_30", "overdue_31_to_60", "overdue_61_to_90", "overdue_over_90", "without_due_date")
SIDES = {"INI": "Payable", "CRI": "Payable", "INO": "Receivable", "CRO": "Receivable"}
COMPANY_CURRENCIES = {"28601": "NOK", "28602": "SGD"}
# Company currency for one of the currency, to make plausible pairs of amounts.
RATES = {"NOK": Decimal(1), "USD": Decimal("10.5"), "EUR": Decimal("11.4"), "JPY": Decimal("0.07"), "KWD": Decimal(34)}


def document(number: str, kind: str, currency: str, amount: str, state: str = "agreed", **more: object) -> Row:
    """Return a row of rec.documents; the ledger has the VMS amount unless ``amount_ledger`` says otherwise."""
    vms = None if state == "only in ledger" else Decimal(amount)
    ledger = more.pop("amount_ledger", None)
    if ledger is None and state in {"agreed", "fields differ"}:
        ledger = amount
    booked = None if ledger is None else Decimal(str(ledger))
    rate = RATES[currency]
    company_vms = None if vms is None else (vms * rate).quantize(Decimal("0.01"))
    company_ledger = None if booked is None else (booked * rate).quantize(Decimal("0.01"))
    day = more.get("document_date", date(2026, 10, 20))
    return {
        "subject": number,
        "document_key": int(number) + 2_500_000,
        "document_no": number,
        "document_type": kind,
        "side": SIDES.get(kind, "General ledger"),
        "company_code": "28601",
        "owner_code": 28601,
        "partner_code": "60526",
        "partner_name": "Nordic Agency AS",
        "document_date": day,
        "period_month": OCTOBER,
        "currency_code": currency,
        "company_currency_code": "NOK",
        "status_vms": "POS" if booked is not None else "RFP",
        "outbox_state": "sent" if booked is not None else None,
        "import_state_ledger": "booked" if booked is not None else "not sent",
        "amount_vms": vms,
        "amount_ledger": booked,
        "amount_difference": None if booked is None or vms is None else booked - vms,
        "company_amount_vms": company_vms,
        "company_amount_ledger": company_ledger,
        "company_amount_difference": None
        if company_ledger is None or company_vms is None
        else company_ledger - company_vms,
        "state": state,
        "is_break": state in {"amount differs", "fields differ", "only in VMS", "only in ledger", "unknown"},
        "as_of_vms": AS_OF_VMS,
        "as_of_ledger": AS_OF_LEDGER,
        "age_days": (TODAY - day).days if isinstance(day, date) else None,
        **more,
    }


def bucket(due: date | None) -> str:
    """Return the ageing bucket of what is due on a day."""
    if due is None:
        return "no due date"
    days = (TODAY - due).days
    names = {0: "not due", 30: "1-30 days", 60: "31-60 days", 90: "61-90 days"}
    return next((name for most, name in names.items() if days <= most), "over 90 days")


def payment(
    number: str, kind: str, currency: str, amount: str, *, due: date | None, paid: str = "0", **more: object
) -> Row:
    """Return a row of rec.payments, paid alike on both sides unless ``paid_vms`` says otherwise."""
    total, settled = Decimal(amount), Decimal(paid)
    known = Decimal(str(more.pop("paid_vms", paid)))
    state = "agreed" if settled in {Decimal(0), total} else "part paid"
    return {
        "subject": str(int(number) + 2_500_000),
        "document_key": int(number) + 2_500_000,
        "document_no": number,
        "document_type": kind,
        "company_code": "28601",
        "owner_code": 28601,
        "side": "AP" if kind in {"INI", "CRI"} else "AR",
        "partner_code": "60526",
        "partner_name": "Nordic Agency AS",
        "invoice_no": f"F-{number}",
        "currency_code": currency,
        "document_date": date(2026, 8, 3),
        "due_date": due,
        "amount_vms": total,
        "paid_vms": known,
        "open_vms": total - known,
        "amount_ledger": total,
        "paid_ledger": settled,
        "netted_ledger": Decimal(0),
        "open_ledger": total - settled,
        "paid_difference": settled - known,
        "last_payment_date": date(2026, 10, 14) if settled else None,
        "days_overdue": None if due is None else (TODAY - due).days,
        "overdue_bucket": bucket(due),
        "state": state,
        "is_break": False,
        "as_of_vms": AS_OF_VMS,
        "as_of_ledger": AS_OF_LEDGER,
        "age_days": 91,
        **more,
    }


def open_items(payments: Iterable[Row]) -> list[Row]:
    """Return the rows of rec.open_items of invoices of one payment term each: what the ledger has open."""
    return [
        {
            "document_key": row["document_key"],
            "item_no": 1,
            "owner_code": row["owner_code"],
            "side": row["side"],
            "is_booked": True,
            "due_date": row["due_date"],
            "currency_code": row["currency_code"],
            "open_amount": row["open_ledger"],
            "company_currency_code": "NOK",
            "open_company_amount": (Decimal(str(row["open_ledger"])) * RATES[str(row["currency_code"])]).quantize(
                Decimal("0.01")
            ),
            "days_overdue": row["days_overdue"],
            "overdue_bucket": row["overdue_bucket"],
        }
        for row in payments
        if row["open_ledger"]
    ]


def by_partner(items: Iterable[Row], payments: Iterable[Row]) -> list[Row]:
    """Return the rows of analysis.ageing_by_partner of open items, added up one by one."""
    partners = {row["document_key"]: (row["partner_code"], row["partner_name"]) for row in payments}
    found: dict[tuple[object, ...], dict[str, object]] = {}
    columns = dict(zip(BUCKETS, AGES, strict=True))
    for item in items:
        code, name = partners[item["document_key"]]
        row = found.setdefault(
            (item["side"], code, name, item["currency_code"]),
            {
                "owner_code": 28601, "company_code": "28601", "company_name": "Skarvøy Shipping AS",
                "side": {"AP": "Payable", "AR": "Receivable"}[str(item["side"])], "partner_code": code, "partner_name": name,
                "currency_code": item["currency_code"], "company_currency_code": "NOK", "item_count": 0,
                **dict.fromkeys((*AGES, "open_in_all", "company_open_in_all", "company_overdue"), Decimal(0)),
            },
        )  # fmt: skip
        late = item["open_company_amount"] if (item["days_overdue"] or 0) > 0 else Decimal(0)  # type: ignore[operator]
        for column, value in (
            ("item_count", 1), (columns[str(item["overdue_bucket"])], item["open_amount"]), ("open_in_all", item["open_amount"]),
            ("company_open_in_all", item["open_company_amount"]), ("company_overdue", late),
        ):  # fmt: skip
            row[column] += value  # type: ignore[operator]
        days = [days for days in (row.get("longest_days_overdue"), item["days_overdue"]) if isinstance(days, int)]
        row["longest_days_overdue"] = max((days for days in days if days > 0), default=None)
    return [*found.values()]


def voyage(no: str, vessel: str, revenue: str, cost: str, **more: object) -> Row:
    """Return a row of analysis.voyage_results."""
    result = Decimal(revenue) - Decimal(cost)
    return {
        "owner_code": 28601, "company_code": "28601", "company_name": "Skarvøy Shipping AS", "voyage_no": no,
        "voyage_name": f"{vessel} {no}", "vessel_code": no[:4], "vessel_name": vessel, "company_currency_code": "NOK",
        "revenue_booked": Decimal(revenue), "cost_booked": Decimal(cost), "result_booked": result,
        "result_accrued": Decimal("-50000.00"), "revenue_not_booked": Decimal("1000.00"), "cost_not_booked": Decimal(0),
        "result_with_not_booked": result + 1000, **more,
    }  # fmt: skip


def control_account(account: str, currency: str, open_vms: str, balance: str, **more: object) -> Row:
    """Return a row of rec.control_accounts; what the VMS has not is the difference."""
    expected, booked = Decimal(open_vms), Decimal(balance)
    ledger_only, in_transit = Decimal(str(more.pop("ledger_only", 0))), Decimal(str(more.pop("in_transit", 0)))
    difference = booked - ledger_only - in_transit - expected
    return {
        "owner_code": 28601,
        "control_account": account,
        "currency_code": currency,
        "period_month": OCTOBER,
        "open_vms": expected,
        "balance_ledger": booked,
        "ledger_only": ledger_only,
        "in_transit": in_transit,
        "difference": difference,
        "revaluation_company": Decimal("12.34"),
        "balance_company_ledger": (booked * RATES[currency]).quantize(Decimal("0.01")) + Decimal("12.34"),
        "gl_balance_company": (booked * RATES[currency]).quantize(Decimal("0.01")) + Decimal("12.34"),
        "company_code": "28601",
        "company_currency_code": "NOK",
        "state": "differs" if difference else "agreed",
        "is_break": bool(difference),
        "as_of_vms": AS_OF_VMS,
        "as_of_ledger": AS_OF_LEDGER,
        "age_days": 2,
        **more,
    }


def roll(voyage: str, account: str, opening: str, posted: str, back: str, **more: object) -> Row:
    """Return a row of close.accrual_rollforward that closes."""
    parts = [Decimal(part) for part in (opening, posted, back)]
    return {
        "family": "accrual",
        "company_code": "28601",
        "voyage_no": voyage,
        "account": account,
        "period_month": OCTOBER,
        "company_currency_code": "NOK",
        "opening": parts[0],
        "posted": parts[1],
        "reversed": parts[2],
        "closing": sum(parts),
        "unreversed_amount": Decimal(0),
        "state": "agreed",
        **more,
    }


def accrual(voyage: str, account: str, estimate: str, actual: str, posted: str, **more: object) -> Row:
    """Return a row of close.accruals_vs_actuals; the difference is what was posted less what would be now."""
    recomputed = Decimal(estimate) - Decimal(actual)
    difference = Decimal(posted) - recomputed
    states = {True: "over-accrued", False: "under-accrued"}
    return {
        "company_code": "28601",
        "voyage_no": voyage,
        "account": account,
        "period_month": OCTOBER,
        "company_currency_code": "NOK",
        "estimate_to_date": Decimal(estimate),
        "actual_to_date": Decimal(actual),
        "accrual_posted": Decimal(posted),
        "capitalised": Decimal("0.00"),
        "accrual_recomputed": recomputed,
        "difference": difference,
        "earlier_accrued": Decimal("40000.00"),
        "confirmed_amount": Decimal("36000.00"),
        "hit_rate": Decimal("0.900000000"),
        "state": states[difference > 0] if difference else "agreed",
        "reason": f"{voyage}, account {account}: {posted} posted, {recomputed} recomputed." if difference else None,
        **more,
    }


def stopped(number: int, kind: str, subject: str, currency: str, amount: str, **more: object) -> Row:
    """Return a row of close.breaks."""
    value = Decimal(amount)
    return {
        "period_month": OCTOBER,
        "kind": kind,
        "subject": subject,
        "company_code": "28601",
        "amount": value,
        "currency_code": currency,
        "company_amount": (value * RATES[currency]).quantize(Decimal("0.01")),
        "company_currency_code": "NOK",
        "reason": f"{kind} {subject}: it stops a clean close.",
        "next_step": "correct it and run springline close 2026-10 again.",
        "since": datetime(2026, 10, 28, 16, 0),
        "age_days": 5,
        "is_accepted": False,
        "rank_no": number,
        **more,
    }


def common(state: str, reason: str | None = None, next_step: str | None = None, **more: object) -> Row:
    """Return what every table of rec ends with."""
    return {
        "state": state,
        "reason": reason,
        "next_step": next_step,
        "is_break": state not in {"agreed", "waiting", "only in ledger"},
        "as_of_vms": AS_OF_VMS,
        "as_of_ledger": AS_OF_LEDGER,
        "age_days": 3,
        **more,
    }


DOCUMENTS = (
    document("2707400", "INI", "USD", "1250.00"),
    document("2707401", "INI", "NOK", "99999.95"),
    document("2707402", "INO", "USD", "480000.00", partner_code="70001", partner_name="Cargill Ocean Transportation"),
    document("2707403", "INO", "JPY", "12500000", partner_code="70002", partner_name="Mitsui O.S.K. Lines"),
    document("2707404", "CRI", "EUR", "-310.40", partner_name="Bunker Holding A/S"),
    document("2707405", "ACP", "NOK", "81000.00", partner_code=None, partner_name=None),
    document("2707406", "INI", "KWD", "1234.567", partner_name="Kuwait Shipping Agencies"),
    document(
        "2707410", "INI", "USD", "18400.00", "amount differs", amount_ledger="18040.00", partner_name="Peter Döhle Schiffahrts-KG",
        reason="The VMS has 18,400.00 USD, the ledger 18,040.00 USD in voucher 10231: a control line was edited after posting.",
        next_step="In Xledger, correct voucher 10231 back to 18,400.00 USD, or credit and re-invoice in the VMS.",
        voucher_no_ledger=10231, drift="control line edited by hand on 2026-10-29",
    ),
    document(
        "2707411", "INO", "EUR", "75000.50", "fields differ", partner_code="70003", partner_name=HOSTILE,
        reason=f"The partner is 70003 {HOSTILE} in the VMS and 70004 in the ledger.",
        next_step="Compare the partner on both sides & correct the one that is wrong.", drift="partner",
    ),
    document(
        "2707412", "INI", "NOK", "4200.00", "only in VMS", partner_name=FORMULA,
        reason="The VMS has it as posted since 2026-10-30; no voucher in the ledger carries its number.",
        next_step="Find who set it to posted in the VMS, and post it.", status_vms="POS",
    ),
    document(
        "2707413", "INI", "USD", "905.00", "only in ledger", amount_ledger="905.00", document_key=None,
        subject="ledger:88123", header_db_id=88123, voucher_no_ledger=10302, status_vms=None,
        reason="Voucher 10302 begins with 2707413, a number that Springline never sent.",
        next_step="Ask who imported voucher 10302; reverse it in Xledger when it is not ours.",
    ),
    document(
        "2707420", "INI", "USD", "2210.00", "held", partner_name="Inchcape Shipping Services",
        reason="INI 2707420 (Inchcape Shipping Services): the supplier's own number is missing.",
        next_step="In the VMS, enter the supplier's invoice number as external document number.",
        document_date=date(2026, 9, 14),
    ),
    document(
        "2707421", "INI", "NOK", "51000.00", "held", partner_name="Wilhelmsen Ships Service",
        reason="INI 2707421 (Wilhelmsen Ships Service): lines do not add up to the total (difference 1,000.00 NOK).",
        next_step="In the VMS, correct the lines or the total.",
    ),
    document(
        "2707422", "INO", "KWD", "88000.125", "unknown", partner_name="KOTC", outbox_state="unknown",
        reason="It was sent at 08:00 and no answer came.", next_step="springline run documents looks it up.",
    ),
    document(
        "2707423", "ACP", "NOK", "15000.00", "rejected", partner_code=None, partner_name=None,
        reason="The ledger's posting refused it: project V009-2601 is closed.",
        next_step="In Xledger, open project V009-2601; then springline retry 2707423.",
        import_state_ledger="refused", import_error_ledger="Project is closed", outbox_state="sent",
    ),
    document("2707424", "INI", "EUR", "640.00", "waiting", reason="It goes with the next run.", document_date=TODAY),
    document(
        "2707425", "INI", "USD", "12345678901234567.89", "waiting", reason="It goes with the next run.",
        document_date=TODAY, partner_name="An amount no double can hold",
    ),
    document("2707430", "INI", "NOK", "100.00", "ignored", reason="skipped to posted: typed in by hand"),
)  # fmt: skip

PAYMENTS = (
    payment("2707400", "INI", "USD", "1250.00", due=date(2026, 12, 1)),
    payment("2707401", "INI", "NOK", "99999.95", due=date(2026, 10, 20)),
    payment("2707440", "INI", "NOK", "250000.10", due=date(2026, 9, 15), paid="100000.10", partner_name="Bunker Holding A/S"),
    payment("2707441", "INI", "EUR", "7000.00", due=date(2026, 8, 20), partner_name="GAC Netherlands BV"),
    payment("2707442", "INI", "USD", "33000.00", due=date(2026, 7, 1), partner_name="World Fuel Services"),
    payment("2707443", "CRI", "USD", "-3000.00", due=date(2026, 7, 15), partner_name="World Fuel Services"),
    payment("2707402", "INO", "USD", "480000.00", due=date(2026, 10, 29), partner_code="70001", partner_name="Cargill Ocean Transportation"),
    payment("2707403", "INO", "JPY", "12500000", due=date(2026, 9, 30), partner_code="70002", partner_name="Mitsui O.S.K. Lines"),
    payment("2707444", "INO", "KWD", "88000.125", due=None, partner_name="KOTC"),
    payment("2707445", "INO", "NOK", "60000.00", due=date(2026, 8, 1), paid="60000.00"),
    payment(
        "2707446", "INO", "USD", "90000.00", due=date(2026, 8, 1), paid="90000.00", paid_vms="40000.00",
        state="not yet in VMS", reason="The ledger has settled 90,000.00 USD, the VMS knows of 40,000.00 USD.",
        next_step="springline run payments transfers the rest.", partner_name=HOSTILE,
    ),
    payment(
        "2707447", "INO", "USD", "5000.00", due=date(2026, 8, 9), paid="0", paid_vms="5000.00",
        state="unmatched in ledger", is_break=True,
        reason="The VMS has a receipt of 5,000.00 USD; in the ledger the match was undone.",
        next_step="In Xledger, match payment 55120 with invoice F-2707447 again.",
    ),
)  # fmt: skip

CONTROL_ACCOUNTS = (
    control_account("2400", "NOK", "-249999.95", "-250499.95", ledger_only="-500.00", reason=None),
    control_account("2400", "USD", "-31250.00", "-30890.00", reason="Voucher 10231 is 360.00 USD short of document 2707410.",
                    next_step="In Xledger, correct voucher 10231."),
    control_account("2400", "EUR", "-7000.00", "-7000.00"),
    control_account("1500", "USD", "520000.00", "480000.00", in_transit="-40000.00", state="agreed", is_break=False,
                    reason="In transit: receipts of 50,000.00 USD for 2707446; 5,000.00 USD for 2707447."),
    control_account("1500", "JPY", "12500000", "12500000"),
    control_account("1500", "KWD", "88000.125", "88000.125"),
    control_account("2400", "NOK", "-120000.00", "-120000.00", period_month=SEPTEMBER),
    control_account("1500", "JPY", "0", "0", period_month=SEPTEMBER),
    # Of the month that is not over: it must not stand beside the close of October.
    control_account("2400", "USD", "-1111.00", "-2222.00", period_month=TODAY.replace(day=1)),
)  # fmt: skip

ROLLFORWARD = (
    roll("V001-2601", "4300", "120000.00", "81000.00", "-120000.00"),
    roll("V001-2601", "4310", "50000.00", "0", "0", unreversed_amount=Decimal("50000.00"), state="not reversed",
         reason="ACP 2707390 of September, 50,000.00 NOK, has no reversal.", next_step="In the VMS, reverse 2707390."),
    roll("V002-2602", "4300", "-8000.55", "-7000.45", "8000.55"),
    roll("V003-2601", "5000", "0", "0", "-1500.00", state="reversal without accrual",
         reason="ACR 2707399, -1,500.00 NOK, reverses no accrual.", next_step="In the VMS, find what 2707399 reverses."),
    roll("V001-2601", "4300", "0", "120000.00", "0", period_month=SEPTEMBER),
    roll("V101-2601", "4300", "0", "9000.00", "0", company_code="28602", company_currency_code="SGD"),
)  # fmt: skip

ACCRUALS = (
    accrual("V001-2601", "4300", "300000.00", "219000.00", "81000.00"),
    accrual("V001-2601", "4310", "90000.00", "75000.00", "50000.00"),
    accrual("V002-2602", "4300", "-120000.00", "-104000.00", "-7000.45"),
    accrual("V002-2602", "6100", "44000.00", "12000.00", "0", state="not accrued"),
    accrual("V003-2601", "5000", "410000.00", "415500.00", "0"),
    accrual("V004-2601", "4300", "20000.00", "20000.00", "0", hit_rate=None, earlier_accrued=None, confirmed_amount=None),
    accrual("V101-2601", "4300", "35000.00", "24000.00", "9000.00", company_code="28602", company_currency_code="SGD"),
    accrual("V001-2601", "4300", "260000.00", "140000.00", "120000.00", period_month=SEPTEMBER),
)  # fmt: skip

CLOSE_BREAKS = (
    stopped(1, "document unknown", "2707422", "KWD", "88000.125", document_no="2707422"),
    stopped(2, "document held", "2707421", "NOK", "51000.00", document_no="2707421"),
    stopped(3, "accrual not reversed", "2707390", "NOK", "50000.00", document_no="2707390", voyage_no="V001-2601", account="4310"),
    stopped(4, "control account differs", "28601 2400 USD", "USD", "360.00", account="2400", break_id=7),
    stopped(5, "document only in VMS", "2707412", "NOK", "4200.00", document_no="2707412", is_accepted=True,
            accepted_by="kari", accepted_at=datetime(2026, 10, 30, 9, 0), accepted_reason="booked by hand in October", break_id=3),
    # Of an entity that no company posts to: its currency is another one.
    stopped(6, "payment not placed", "AR 600", "JPY", "1000", company_code=None, company_amount=Decimal("8.80"),
            company_currency_code="SGD", break_id=8),
    stopped(1, "accrual not reversed", "2707300", "NOK", "700.00", period_month=SEPTEMBER),
)  # fmt: skip


def noted(number: int, kind: str, subject: str, message: str, next_step: str, **more: object) -> Row:
    """Return a row of ctl.breaks."""
    return {
        "break_id": number,
        "kind": kind,
        "subject": subject,
        "company": "28601",
        "document_no": subject if subject.isdigit() else None,
        "message": message,
        "next_step": next_step,
        "figures_hash": f"h{number}",
        "since": "2026-10-28T16:00:00.000000+00:00",
        "batch_id": "b3",
        **more,
    }


BREAKS = (
    noted(1, "document amount differs", "2707410", str(DOCUMENTS[7]["reason"]), str(DOCUMENTS[7]["next_step"]), document_key=5207410),
    noted(2, "document fields differ", "2707411", str(DOCUMENTS[8]["reason"]), str(DOCUMENTS[8]["next_step"]), document_key=5207411),
    noted(3, "document only in VMS", "2707412", str(DOCUMENTS[9]["reason"]), str(DOCUMENTS[9]["next_step"]),
          document_key=5207412, accepted_by="kari", accepted_at="2026-10-30T09:00:00.000000+00:00", accepted_hash="h3",
          accepted_reason="booked by hand in October", comment="agreed with the agent"),
    noted(4, "document only in ledger", "ledger:88123", str(DOCUMENTS[10]["reason"]), str(DOCUMENTS[10]["next_step"])),
    noted(5, "payment unmatched in ledger", "5207447", str(PAYMENTS[-1]["reason"]), str(PAYMENTS[-1]["next_step"])),
    noted(6, "rate differs", "2026-10-30 NOK USD", "The VMS has 0.095, the ledger 0.0952.", "Correct the VMS's rate."),
    noted(7, "control account differs", "28601 2400 USD 2026-10", "Account 2400 differs by 360.00 USD.", "See voucher 10231.",
          accepted_by="kari", accepted_hash="older"),
    noted(8, "match undone", "5207300", "It is over.", "Nothing.", until="2026-10-29T08:00:00.000000+00:00"),
)  # fmt: skip

REC_BREAKS = (
    {"kind": "document amount differs", "subject": "2707410", "company_code": "28601", "document_key": 5207410,
     "document_no": "2707410", "period_month": OCTOBER, "currency_code": "USD", "amount": Decimal("-360.00")},
    {"kind": "document only in VMS", "subject": "2707412", "company_code": "28601", "document_key": 5207412,
     "document_no": "2707412", "period_month": OCTOBER, "currency_code": "NOK", "amount": Decimal("4200.00")},
    {"kind": "document only in ledger", "subject": "ledger:88123", "company_code": "28601",
     "document_no": "2707413", "period_month": OCTOBER, "currency_code": "USD", "amount": Decimal("905.00")},
    {"kind": "payment unmatched in ledger", "subject": "5207447", "company_code": "28601", "document_key": 5207447,
     "document_no": "2707447", "period_month": OCTOBER, "currency_code": "USD", "amount": Decimal("-5000.00")},
    {"kind": "control account differs", "subject": "28601 2400 USD 2026-10", "company_code": "28601",
     "period_month": OCTOBER, "currency_code": "USD", "amount": Decimal("360.00")},
)  # fmt: skip


def hold(number: int, document_no: str, rule: str, message: str, severity: str = "critical") -> Row:
    """Return a row of ctl.holds that stands."""
    return {
        "hold_id": number,
        "company": "28601",
        "document_key": int(document_no) + 2_500_000,
        "document_no": document_no,
        "rule": rule,
        "severity": severity,
        "message": message,
        "since": "2026-10-20T07:00:00.000000+00:00",
        "batch_id": "b3",
    }


HOLDS = (
    hold(1, "2707420", "external_document_no_missing", str(DOCUMENTS[11]["reason"])),
    hold(2, "2707421", "voucher_not_balanced", str(DOCUMENTS[12]["reason"])),
    hold(3, "2707421", "due_date_missing", "INI 2707421 (Wilhelmsen Ships Service): due date missing."),
    hold(4, "2707401", "kid_invalid", "INI 2707401: the KID satisfies neither MOD10 nor MOD11.", "warning"),
    {**hold(5, "2707400", "gl_account_missing", "It is over."), "until": "2026-10-21T07:00:00.000000+00:00"},
)


def batch(
    number: int, day: date, exit_code: int | None, jobs: str = "documents,rates,payments,actuals,reconcile"
) -> Row:
    """Return a row of ctl.batches."""
    return {
        "batch_id": f"b{number}",
        "started_at": f"{day}T08:00:00.000000+00:00",
        "ended_at": None if exit_code is None else f"{day}T08:02:10.000000+00:00",
        "today": str(day),
        "jobs": jobs,
        "operator": "schedule",
        "exit_code": exit_code,
    }


OPEN_ITEMS = open_items(PAYMENTS)

WORLD: World = {
    "rec.documents": DOCUMENTS,
    "rec.payments": PAYMENTS,
    "rec.open_items": OPEN_ITEMS,
    "rec.company_names": (
        {"owner_code": 28601, "company_code": "28601", "company_name": "Skarvøy Shipping AS", "company_currency_code": "NOK"},
    ),
    "rec.account_names": (
        {"owner_code": 28601, "account": "2400", "account_name": "Trade payables", "is_balance_sheet": True},
        {"owner_code": 28601, "account": "4300", "account_name": "Agency fees", "is_balance_sheet": False},
    ),
    "map.wanted_projects": ({"code": "V001-2601", "description": "Sea Pride V001-2601", "vessel_code": "V001"},),
    "analysis.ageing_by_partner": by_partner(OPEN_ITEMS, PAYMENTS),
    "analysis.voyage_results": (
        voyage("V001-2601", "Sea Pride", "1200000.00", "700000.00"),
        voyage("V002-2602", "Sea Star", "400000.00", "910000.50"),
        voyage("V101-2601", "Sea Pride", "90000.00", "20000.00", owner_code=28602, company_code="28602",
               company_name="Skarvøy Pte", company_currency_code="SGD"),
    ),
    "rec.control_accounts": CONTROL_ACCOUNTS,
    "rec.breaks": REC_BREAKS,
    "ctl.closes": ({"period": "2026-10", "state": "reopened", "version": 1},),
    "ctl.seals": ({"period": "2026-10", "version": 1, "sealed_by": "per", "sealed_at": datetime(2026, 11, 2, 6, 0)},),
    "ctl.close_events": (
        {"period": "2026-10", "version": 1, "at": datetime(2026, 11, 1, 9, 0), "operator": "ola", "action": "drawn up"},
        {"period": "2026-10", "version": 2, "at": datetime(2026, 11, 2, 7, 0), "operator": "per", "action": "reopened",
         "reason": "a late invoice"},
        {"period": "2026-10", "version": 2, "at": datetime(2026, 11, 2, 8, 0), "operator": "kari", "action": "drawn up"},
    ),
    "rec.exchange_rates": (
        {"rate_date": date(2026, 10, 30), "from_currency_code": "NOK", "to_currency_code": "USD",
         "rate_ledger": Decimal("0.0952"), "rate_vms": Decimal("0.0950"), "relative_difference": Decimal("0.002105"),
         **common("rate differs", "The VMS has 0.095, the ledger 0.0952.", "Correct the VMS's rate.")},
        {"rate_date": date(2026, 10, 30), "from_currency_code": "NOK", "to_currency_code": "EUR",
         "rate_ledger": Decimal("0.0877"), "rate_vms": Decimal("0.0877"), "relative_difference": Decimal(0), **common("agreed")},
    ),
    "rec.partners": (
        {"side": "supplier", "owner_code": 28600, "partner_code": "60526", "name_vms": "Nordic Agency AS",
         "name_ledger": "Nordic Agency AS", "bank_account_tail_vms": "5678", "bank_account_tail_ledger": "1234",
         "differing_fields": "bank account", **common("waiting for confirmation", "The bank account ends in 5678, before in 1234.",
                                                      "springline release 60526 confirms it.")},
        {"side": "customer", "owner_code": 28600, "partner_code": "70003", "name_vms": HOSTILE, "name_ledger": "Søn",
         "differing_fields": "name", **common("fields differ", "The names differ.", "springline run master-data corrects it.")},
        {"side": "supplier", "owner_code": 28600, "partner_code": "99", "name_ledger": "Office rent", **common("only in ledger")},
    ),
    "rec.voyages": (
        {"kind": "voyage", "owner_code": 28600, "code": "V009-2601", "description_vms": "Sea Star V009-2601",
         "from_date_vms": date(2026, 8, 1), **common("only in VMS", "The ledger has no project V009-2601.", "springline run master-data")},
        {"kind": "vessel", "owner_code": 28600, "code": "V001", "description_vms": "Sea Pride", "description_ledger": "Sea Pride",
         **common("agreed")},
    ),
    "rec.control_totals": (
        {"document_date": date(2026, 10, 20), "company_code": "28601", "document_type": "INI", "count_vms": 4, "count_ledger": 3,
         "company_amount_vms": Decimal("342500.00"), "company_amount_ledger": Decimal("338300.00"), "count_difference": -1,
         "company_amount_difference": Decimal("-4200.00"), "company_currency_code": "NOK",
         **common("differs", "One document is missing in the ledger: 2707412.", "See rec.documents.")},
        {"document_date": date(2026, 10, 20), "company_code": "28601", "document_type": "INO", "count_vms": 2, "count_ledger": 2,
         "company_amount_vms": Decimal("5915000.00"), "company_amount_ledger": Decimal("5915000.00"), "count_difference": 0,
         "company_amount_difference": Decimal(0), "company_currency_code": "NOK", **common("agreed")},
    ),
    "close.accrual_rollforward": ROLLFORWARD,
    "close.accruals_vs_actuals": ACCRUALS,
    "close.breaks": CLOSE_BREAKS,
    "ctl.breaks": BREAKS,
    "ctl.holds": HOLDS,
    "ctl.rejected": (
        {"rejected_id": 1, "side": "vms", "entity": "Document", "object_key": "5207499", "document_no": "2707499",
         "member": "documentDate", "message": "Document 5207499: documentDate is '31.10.2026', expected a date.",
         "since": "2026-11-01T07:00:00.000000+00:00", "batch_id": "b3"},
    ),
    "ctl.outbox": (
        {"id": "a1", "kind": "voucher", "natural_key": "28601/5207422", "target": "ledger", "document_no": "2707422",
         "state": "unknown", "attempts": 1, "last_error": "no answer in 60 seconds", "updated_at": "2026-11-02T08:00:00.000000+00:00"},
        {"id": "a2", "kind": "voucher", "natural_key": "28601/5207400", "target": "ledger", "document_no": "2707400",
         "state": "sent", "attempts": 1, "updated_at": "2026-10-21T08:00:00.000000+00:00"},
        {"id": "a3", "kind": "rate", "natural_key": "2026-10-30 NOK EUR", "target": "vms", "state": "failed", "attempts": 3,
         "last_error": "The VMS answered 500.", "updated_at": "2026-10-30T16:31:00.000000+00:00"},
    ),
    "ctl.batches": (batch(1, date(2026, 10, 30), 0), batch(2, date(2026, 10, 31), 14, "documents"), batch(3, TODAY, None)),
}  # fmt: skip


def large(count: int) -> World:
    """Return a world with ``count`` held documents, breaks, open invoices and accruals."""
    days = [TODAY - timedelta(days=number % 400) for number in range(count)]
    payments = [
        payment(str(2800000 + i), ("INI", "INO")[i % 2], ("NOK", "USD", "EUR", "JPY")[i % 4], str(1000 + i), due=day)
        for i, day in enumerate(days)
    ]
    return {
        "rec.documents": [
            document(str(2800000 + i), "INI", ("NOK", "USD", "EUR", "JPY")[i % 4], str(1000 + i), "held",
                     reason=f"INI {2800000 + i}: due date missing.", next_step="In the VMS, set the due date.", document_date=day)
            for i, day in enumerate(days)
        ],
        "rec.payments": payments,
        "rec.open_items": open_items(payments),
        "analysis.ageing_by_partner": by_partner(open_items(payments), payments),
        "close.accruals_vs_actuals": [
            accrual(f"V{i % 200:03d}-2601", str(4000 + i // 200), str(1000 + i), str(i), "900.00") for i in range(count)
        ],
        "close.accrual_rollforward": [
            roll(f"V{i % 200:03d}-2601", str(4000 + i // 200), "0", str(1000 + i), "0") for i in range(count)
        ],
        "ctl.breaks": [
            noted(i, "document only in VMS", str(2900000 + i), f"Document {2900000 + i} is only in the VMS.", "Post it.")
            for i in range(count)
        ],
        "ctl.holds": [hold(i, str(2800000 + i), "due_date_missing", f"INI {2800000 + i}: due date missing.") for i in range(count)],
        "ctl.batches": (batch(1, TODAY, 14),),
    }  # fmt: skip
