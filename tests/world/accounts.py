"""The chart of accounts of the ledger, and the VMS accounts that lead to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.world.companies import COMPANIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world.encode import Row

BUNKER_STOCK = "1460"
ACCRUED_REVENUE = "1530"
BANK = "1920"
COMMISSION_PAYABLE = "2420"
ACCRUED_COST = "2960"
ACCRUED_BUNKERS = "2965"
FREIGHT = "3000"
HIRE_REVENUE = "3010"
DEMURRAGE = "3020"
BUNKERS = "4100"
AGENCY = "4300"
TOWAGE = "4310"
PORT_DUES = "4320"
HIRE = "4400"
OFF_HIRE = "4410"
UNKNOWN_ACCOUNT = "4399"
_BUNKER_ACCOUNTS = (BUNKERS, "4110")


@dataclass(frozen=True, slots=True)
class Account:
    """One ledger account; ``ledger`` names the subledger that stands behind it."""

    code: str
    name: str
    balance_sheet: bool = False
    ledger: str | None = None


CHART = (
    Account(BUNKER_STOCK, "Bunkers on board", balance_sheet=True),
    Account("1500", "Trade receivables", balance_sheet=True, ledger="AR"),
    Account("1505", "Trade receivables Singapore", balance_sheet=True, ledger="AR"),
    Account(ACCRUED_REVENUE, "Accrued voyage revenue", balance_sheet=True),
    Account(BANK, "Bank", balance_sheet=True),
    Account("2400", "Trade payables", balance_sheet=True, ledger="AP"),
    Account("2405", "Trade payables Singapore", balance_sheet=True, ledger="AP"),
    Account(COMMISSION_PAYABLE, "Broker commissions payable", balance_sheet=True, ledger="AP"),
    Account("2700", "Output VAT", balance_sheet=True),
    Account("2710", "Input VAT", balance_sheet=True),
    Account(ACCRUED_COST, "Accrued voyage costs", balance_sheet=True),
    Account(ACCRUED_BUNKERS, "Accrued bunkers", balance_sheet=True),
    Account(FREIGHT, "Freight revenue"),
    Account(HIRE_REVENUE, "Time charter hire revenue"),
    Account(DEMURRAGE, "Demurrage revenue"),
    Account("3030", "Deadfreight revenue"),
    Account("3090", "Other voyage revenue"),
    Account("3900", "Address commission on freight"),
    Account(BUNKERS, "Bunkers consumed"),
    Account("4110", "Lubricating oil"),
    Account(AGENCY, "Agency fees"),
    Account(TOWAGE, "Towage"),
    Account(PORT_DUES, "Port dues"),
    Account("4330", "Pilotage"),
    Account("4340", "Canal dues"),
    Account("4350", "Cargo handling"),
    Account(HIRE, "Time charter hire"),
    Account(OFF_HIRE, "Off-hire"),
    Account("4500", "Broker commissions"),
    Account("5010", "Crew cost"),
    Account("6551", "Ship supplies"),
    Account("6700", "Surveys and fees"),
    Account("6800", "Office and meals"),
    Account("7500", "Insurance"),
    Account("7770", "Bank charges and rounding"),
    Account("8060", "Exchange gain"),
    Account("8160", "Exchange loss"),
)


def vms_account_code(gl_account: str) -> str:
    """Give the code of the VMS account that leads to a GL account; the VMS allows it three characters."""
    return gl_account[:3]


def _accrual_members(account: Account) -> Row:
    """Give what accruals on an account are balanced by: revenue is accrued as an asset, bunkers apart from costs."""
    if account.code.startswith("3"):
        return {"isRevenue": True, "balanceAccountAccrualAsset": ACCRUED_REVENUE}
    balance = ACCRUED_BUNKERS if account.code in _BUNKER_ACCOUNTS else ACCRUED_COST
    return {"isRevenue": False, "balanceAccountAccrual": balance}


def vms_account_rows() -> Iterator[Row]:
    """Give the VMS accounts: APX and ARX for each company, then one for each profit-and-loss account."""
    key = 1000700
    for company in COMPANIES.values():
        for code, gl_account in (("APX", company.payables), ("ARX", company.receivables)):
            if gl_account is not None:
                key += 1
                yield {"key": key, "accountCode": code, "glAccount": gl_account, "company": company.code}
    for account in CHART:
        if not account.balance_sheet:
            key += 1
            code = vms_account_code(account.code)
            row: Row = {"key": key, "accountCode": code, "accountDesc": account.name, "glAccount": account.code}
            yield {**row, **_accrual_members(account)}


def ledger_account_rows(*, owner: int) -> Iterator[Row]:
    """Give the chart of accounts of the group, which every entity below it sees."""
    for account in CHART:
        yield {
            "code": account.code,
            "description": account.name,
            "owner": owner,
            "balanceSheet": account.balance_sheet,
            "ledgerType": account.ledger,
            "requires": [],
        }
