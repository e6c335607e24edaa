"""What people do to partners and rates in the VMS."""

from __future__ import annotations

from typing import Any

from tests.storm.people import People
from tests.storm.worlds import RATE_DAYS

Row = dict[str, Any]
# IBANs that pass their check, none of them anybody's at the start.
IBANS = ("DE02100500000024290661", "DE02120300000000202051", "DE02500105170137075030", "DE02300209000106531065")


def enter_a_supplier(people: People) -> None:
    """Enter another supplier in the VMS, with a bank account."""
    code = str(people.new_key())
    partner = {
        "businessPartnerCode": code,
        "businessPartnerName": f"Agency {code}",
        "businessPartnerSort": code,
        "businessPartnerType": "AG",
        "addresses": [{"address1": "Kaigata 1", "zipCode": "5003", "city": "Bergen", "country": "NO"}],
        "bankAccount": {"iban": people.rng.choice(IBANS)},
    }
    people.site.vms.call("POST", "BusinessPartner", partner)
    people.suppliers.append(code)
    people.site.journal.note(f"supplier {code} entered")


def rename_partner(people: People) -> None:
    """Give a supplier another name in the VMS."""
    code, partner = _partner(people)
    name = f"{partner['businessPartnerName'].split(' *')[0]} *{people.rng.randint(1, 99)}"
    people.site.vms.call("PUT", f"BusinessPartner/{partner['key']}", {"businessPartnerName": name})
    people.site.journal.note(f"{code} renamed")


def change_bank_account(people: People) -> None:
    """Enter another bank account of a supplier in the VMS."""
    code, partner = _partner(people)
    if partner["bankAccount"] is None:
        return
    account = people.rng.choice(IBANS)
    people.site.vms.call("PUT", f"BankAccount/{partner['bankAccount']['key']}", {"iban": account})
    people.site.vms.call(
        "PUT", f"BusinessPartner/{partner['key']}", {"businessPartnerName": partner["businessPartnerName"]}
    )
    people.site.journal.note(f"bank account of {code} changed")


def _partner(people: People) -> tuple[str, Row]:
    code = people.rng.choice(people.suppliers)
    fields = {"businessPartnerName": "*", "bankAccount": {"iban": "*"}}
    path = f"BusinessPartner?sort=key(AS)&limit=1&pageNumber=1&filter=businessPartnerCode(EQ){code}"
    found = people.site.vms.call("GET", path, fields=fields)
    if not found:
        raise ValueError(code)
    return code, found[0]


def type_a_rate(people: People) -> None:
    """Enter a rate in the VMS by hand."""
    currency, day = people.rng.choice(("USD", "EUR", "GBP")), people.rng.choice(RATE_DAYS)
    pair = {"fromCurrency": "NOK", "currency": currency, "exchangeRate": 0.1}
    people.site.vms.call("POST", "ExchangeRate", {**pair, "exchangeRateDate": f"{day}T00:00:00"})
    people.site.journal.rates.add((day, currency))
    people.site.journal.note(f"rate of {currency} on {day} typed into the VMS")


def touch_a_rate(people: People) -> None:
    """Change or delete a rate in the VMS, ours or somebody's."""
    rates = [rate for rate in people.site.vms.rates() if rate["fromCurrency"]["currencyCode"] == "NOK"]
    if not rates:
        return
    rate = people.rng.choice(rates)
    day, currency = str(rate["exchangeRateDate"])[:10], rate["currency"]["currencyCode"]
    if people.rng.random() < 0.5:
        people.site.vms.call("DELETE", f"ExchangeRate/{rate['key']}")
    else:
        people.site.vms.call("PUT", f"ExchangeRate/{rate['key']}", {"exchangeRate": 0.2})
    people.site.journal.rates.add((day, currency))
    people.site.journal.note(f"rate of {currency} on {day} changed or deleted in the VMS")
