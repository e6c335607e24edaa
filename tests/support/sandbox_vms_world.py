"""A small VMS, just large enough that every rule of the sandbox's VMS side has something to hold on to."""

# An object of a seed file is one line, however long.
# ruff: noqa: E501

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.sandbox_server import running_sandbox, write_seed

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.support.sandbox_server import Sandbox

INVOICE_KEY = 5200001
SALE_KEY = 5200002
BROKEN_KEY = 5200009

WORLD = {
    "Country": """
{"key":1000101,"countryCode":"NO","currency":"NOK"}
{"key":1000102,"countryCode":"SG","currency":"SGD"}
{"key":1000103,"countryCode":"US","currency":"USD"}
""",
    "Currency": """
{"key":1000201,"currencyCode":"NOK"}
{"key":1000202,"currencyCode":"USD"}
{"key":1000203,"currencyCode":"SGD"}
""",
    "StatusType": """
{"key":1000301,"statusTypeCode":"PEN","statusTypeDesc":"Pending","statusClass":"Document"}
{"key":1000302,"statusTypeCode":"INV","statusTypeDesc":"Approval","statusClass":"Document"}
{"key":1000303,"statusTypeCode":"RFP","statusTypeDesc":"Ready for posting","statusClass":"Document"}
{"key":1000304,"statusTypeCode":"POS","statusTypeDesc":"Posted","statusClass":"Document"}
{"key":1000305,"statusTypeCode":"NOM","statusTypeDesc":"Nominated","statusClass":"Voyage"}
{"key":1000306,"statusTypeCode":"OPR","statusTypeDesc":"Operational","statusClass":"Voyage"}
{"key":1000307,"statusTypeCode":"CLO","statusTypeDesc":"Closed","statusClass":"Voyage"}
""",
    "DocumentType": "\n".join(
        f'{{"key":{1000401 + place},"documentType":"{code}","documentTypeDesc":"{code}"}}'
        for place, code in enumerate(("INI", "INO", "CRI", "CRO", "PMI", "PMO", "ACC", "ACP", "ACR", "APR"))
    ),
    "BunkerType": "\n".join(f'{{"bunkerTypeCode":"T{number}"}}' for number in range(2001)),
    "Company": """
{"key":1000501,"companyCode":"28601","companyName":"Springline Shipping AS","country":"NO","currency":"NOK"}
{"key":1000502,"companyCode":"28602","companyName":"Springline Pte","country":"SG","currency":"SGD","companyLink":"28601"}
""",
    "System": '{"key":1000000,"country":"US"}',
    "BusinessPartnerType": """
{"key":1000601,"businessPartnerTypeCode":"AG"}
{"key":1000602,"businessPartnerTypeCode":"CU"}
""",
    "BusinessPartner": """
{"key":1100001,"businessPartnerCode":"60526","businessPartnerName":"Nordic Agency AS","businessPartnerSort":"NORDIC","businessPartnerType":"AG","payee":"60527","modifiedDate":"2026-10-01T10:00:00","addresses":[{"address1":"Kaigata 1","city":"Bergen","country":"NO"}],"contactInfo":[{"email":"post@nordic.example"}],"bankAccount":{"bankAccountNo":"15030112345","bank":{"bankName":"Sparebank","swiftAddress":"SPARNO22"}}}
{"key":1100002,"businessPartnerCode":"60527","businessPartnerName":"alpha Trading","businessPartnerSort":"ALPHA","businessPartnerType":"CU","modifiedDate":"2026-10-02T10:00:00","bankAccount":{"iban":"NO9386011117947","bank":{"bankName":"Sparebank","swiftAddress":"SPARNO23"}}}
{"key":1100003,"businessPartnerCode":"60528","businessPartnerName":"Bravo, \\"quoted\\" Ltd","businessPartnerSort":"BRAVO","modifiedDate":"2026-10-03T10:00:00"}
""",
    "Vessel": """
{"key":1200001,"vesselName":"Abra","vesselCodes":[{"vesselCode":"V001"},{"vesselCode":"OLD1"}],"pool":{"poolCode":"SUPRA"},"flag":"NO"}
{"key":1200002,"vesselName":"Cadabra","vesselCodes":[{"vesselCode":"V002"}],"pool":{"poolCode":"SUPRA"},"flag":"SG"}
""",
    "VoyageHeader": """
{"key":1300001,"referenceNo":"V001-2601","voyageStatus":"OPR","isBudget":false}
{"key":1300002,"referenceNo":"V002-2601","voyageStatus":"CLO","isBudget":true}
""",
    "Voyage": """
{"key":1400001,"voyageHeader":"V001-2601","vessel":"V001","isTc":false,"voyageStartDateGMT":"2026-10-01T00:00:00","voyageEndDateGMT":"2026-11-10T00:00:00"}
{"key":1400002,"voyageHeader":"V002-2601","vessel":"V002","isTc":true,"voyageStartDateGMT":"2026-10-01T00:00:00","voyageEndDateGMT":"2026-11-10T00:00:00"}
""",
    "Account": """
{"key":1500001,"accountCode":"APX","glAccount":"2400","company":"28601"}
{"key":1500002,"accountCode":"ARX","glAccount":"1500","company":"28601"}
""",
    "Vat": '{"key":1600001,"vatCode":"1"}',
    "ExchangeRate": '{"key":1700001,"currency":"NOK","fromCurrency":"USD","exchangeRate":10.50,"exchangeRateDate":"2026-09-01T00:00:00"}',
    "VoyageEstimate": """
{"company":"28601","voyage":"V001-2601","glAccount":"4300","estimateAmount":4000.00,"documentCurrency":"USD","accrualAccount":"2960"}
{"company":"28601","voyage":"V001-2601","glAccount":"4400","estimateAmount":500.00,"documentCurrency":"USD","accrualAccount":"2960","fulfilmentLevel":0}
{"company":"28601","voyage":"V002-2601","glAccount":"4300","estimateAmount":900.00,"documentCurrency":"USD","accrualAccount":"2960"}
""",
    "Document": """
{"key":5200001,"documentType":"INI","documentNo":"2707400","externalDocumentNo":"F-881|602243","documentDate":"2026-10-02T00:00:00","documentAmount":1250.00,"companyCurrencyAmount":13125.00,"sourceCurrencyAmount":1250.00,"documentCurrency":"USD","company":"28601","businessPartner":"60526","invoicingStatus":"RFP","modifiedDate":"2026-10-05T08:00:00","documentPaymentTerms":[{"dueDate":"2026-12-01T00:00:00","percentage":95.0},{"dueDate":"2027-01-01T00:00:00","percentage":5.0}],"documentLines":[{"documentAmount":600.00,"companyCurrencyAmount":6300.00,"glAccount":"4300","documentLineText":"Agency fee","quantity":1,"isAccountsPayable":true,"voyage":"V001-2601","vatRate":{"vatRate":0.25,"vat":"1"}},{"documentAmount":650.00,"companyCurrencyAmount":6825.00,"glAccount":"4310","documentLineText":"Towage","isAccountsPayable":true,"voyage":"V001-2601","businessPartner":"60528","vatRate":{"vatRate":0.25,"vat":"1"}}]}
{"key":5200002,"documentType":"INO","documentNo":"2707374","documentDate":"2026-10-03T00:00:00","documentAmount":95000.00,"companyCurrencyAmount":997500.00,"sourceCurrencyAmount":95000.00,"documentCurrency":"USD","company":"28601","businessPartner":"60527","invoicingStatus":"POS","modifiedDate":"2026-10-06T08:00:00","documentLines":[{"documentAmount":95000.00,"companyCurrencyAmount":997500.00,"glAccount":"3000","documentLineText":"Freight","isAccountsPayable":false,"voyage":"V002-2601"}]}
{"key":5200003,"documentType":"INI","documentNo":"2707401","documentDate":"2026-10-04T00:00:00","documentAmount":80,"companyCurrencyAmount":80,"documentCurrency":"NOK","company":"28602","businessPartner":null,"invoicingStatus":"INV","modifiedDate":"2026-10-07T08:00:00","documentLines":[{"documentAmount":80,"companyCurrencyAmount":80,"glAccount":"4300"}]}
{"key":5200009,"documentType":"CRI","documentNo":"2707409","documentDate":"no date","documentAmount":"12,50","companyCurrencyAmount":123456789012345678901234567890.120,"sourceCurrencyAmount":0.30000000000000004,"documentCurrency":null,"company":"28601","invoicingStatus":"PEN","modifiedDate":"2026-10-08T08:00:00","sandboxRemark":{"a":[1.10]},"documentLines":[{"companyCurrencyAmount":1E+2,"glAccount":4300}]}
""",
}


def small_vms(directory: Path) -> Path:
    """Write the small VMS as a seed directory (its ledger is empty) and give it."""
    return write_seed(directory, WORLD)


def small_sandbox(directory: Path) -> Sandbox:
    """Start a sandbox that holds the small VMS."""
    return running_sandbox(directory, small_vms(directory / "seed"))


def refusal(answer: httpx.Response, *, status: int = 400) -> str:
    """Check that an answer is a refusal with the documented members, and give its message."""
    body = answer.json()
    assert answer.status_code == body["statusCode"] == status, answer.text
    assert body["statusFamily"] == "CLIENT_ERROR"
    assert body.keys() == {"statusCode", "statusText", "message", "date", "statusFamily", "method"}
    return str(body["message"])


def payment(number: str, **members: object) -> dict[str, object]:
    """Give a receipt of the whole sale (AR, PMI: negative); ``members`` change its head, ``line`` its only line."""
    line = members.pop("line", {})
    amounts = {"documentAmount": -95000.00, "companyCurrencyAmount": -1005000.00, "sourceCurrencyAmount": -95000.00}
    head = {
        "documentCurrency": "USD",
        "documentDate": "2026-10-12T00:00:00",
        "documentType": "PMI",
        "documentNo": number,
        "company": "28601",
        "businessPartner": "60527",
        "invoicingStatus": "POS",
    }
    only = {"exchangeRate": 1, "invoicingStatus": "POS", "isAccountsPayable": 0, "refDocument": "2707374"}
    assert isinstance(line, dict)
    return {**amounts, **head, "documentLines": [{**amounts, **only, **line}], **members}
