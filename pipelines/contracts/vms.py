"""Contracts of the VMS objects: the members that docs/mapping.md#0 names, their types and tables in stg_vms."""

from __future__ import annotations

from pipelines.contracts.contract import (
    Children,
    Contract,
    Member,
    amount,
    boolean,
    code,
    date,
    declare,
    iban,
    integer,
    rate,
    text,
    timestamp,
)


def _partner_type(path: str, *, above: str = "", decided: bool = False) -> tuple[Member, Member]:
    """Return the members of a partner's type: the vendor's spelling and that of older installations."""
    older = f"{path}.businessPartnerTypeCode"
    path = f"{path}.businessPartnerType"
    return (
        code("partner_type", path, decided=decided),
        # Of a line the other spelling is named from the document on: presence is looked for in whole objects.
        code("partner_type_code", older, comment="older spelling", decided=decided, other_spelling=above + path),
    )


_DOCUMENT = (
    integer("document_key", "key", required=True, comment="database id of the document in the VMS"),
    text("document_no", "documentNo", required=True),
    code("external_document_no", "externalDocumentNo", comment="supplier's number, a KID behind a pipe"),
    date("document_date", "documentDate", required=True),
    text("document_text", "documentText"),
    amount("document_amount", "documentAmount", comment="in currency_code"),
    amount("company_currency_amount", "companyCurrencyAmount", comment="in company_currency_code"),
    amount("source_currency_amount", "sourceCurrencyAmount"),
    timestamp("modified_at", "modifiedDate", comment="when any of this was changed last"),
    code("gl_account", "glAccount"),
    text("document_type", "documentType.documentType", required=True),
    text("status_code", "invoicingStatus.statusTypeCode", required=True),
    code("currency_code", "documentCurrency.currencyCode", required=True),
    code("company_code", "company.companyCode", required=True, decided=True),
    code("company_country_code", "company.country.countryCode", decided=True),
    code("company_currency_code", "company.currency.currencyCode", decided=True),
    integer("partner_key", "businessPartner.key"),
    code("partner_code", "businessPartner.businessPartnerCode", decided=True),
    text("partner_name", "businessPartner.businessPartnerName", decided=True),
    *_partner_type("businessPartner.businessPartnerType", decided=True),
    # Of several addresses the first one counts (docs/mapping.md#0).
    code("partner_country_code", "businessPartner.addresses[0].country.countryCode", decided=True),
    iban("partner_iban", "businessPartner.bankAccount.iban", decided=True),
    code("partner_bank_account_no", "businessPartner.bankAccount.bankAccountNo", decided=True),
    amount("estimate_amount", "estimateAmount"),
    amount("estimate_amount_ytd", "estimateAmountYtd"),
    amount("estimate_amount_total", "estimateAmountTotal"),
    amount("account_amount", "accountAmount"),
    amount("account_amount_ytd", "accountAmountYtd"),
    integer("voyage_snapshot_key", "voyageSnapshot.key"),
    integer("created_by_key", "createdById", comment="the VMS user who entered it"),
)

# The only due dates: `Document.dueDate` is not in use (docs/systems/vms.md#3-3).
_PAYMENT_TERMS = Children(
    table="document_payment_terms",
    path="documentPaymentTerms",
    members=(
        integer("term_key", "key", required=True),
        date("due_date", "dueDate"),
        rate("percentage", "percentage"),
    ),
)

# Rates, quantities and prices of a line are no amounts: they may have more decimals than a currency has.
_DOCUMENT_LINES = Children(
    table="document_lines",
    path="documentLines",
    members=(
        integer("line_key", "key", required=True),
        amount("document_amount", "documentAmount"),
        amount("company_currency_amount", "companyCurrencyAmount"),
        amount("source_currency_amount", "sourceCurrencyAmount"),
        code("gl_account", "glAccount"),
        text("line_text", "documentLineText"),
        rate("quantity", "quantity"),
        rate("unit_price", "unitPrice"),
        boolean("is_accounts_payable", "isAccountsPayable"),
        rate("vat_rate", "vatRate.vatRate", comment="a fraction: 0.25"),
        code("vat_code", "vatRate.vat.vatCode"),
        code("partner_code", "businessPartner.businessPartnerCode"),
        *_partner_type("businessPartner.businessPartnerType", above="documentLines."),
        code("currency_code", "documentCurrency.currencyCode", comment="empty: the document's"),
        integer("commission_key", "commission.key", comment="the line is a broker's commission"),
        code("account_code", "account.accountCode"),
        boolean("is_revenue", "account.isRevenue"),
        code("accrual_balance_account", "account.balanceAccountAccrual", comment="contra account of costs"),
        code("accrual_asset_account", "account.balanceAccountAccrualAsset", comment="contra account of revenue"),
        # What a reversal takes back: by key, and by number where the VMS gives no key (extract/originals).
        integer("ref_document_key", "refDocument.key"),
        text("ref_document_no", "refDocument.documentNo"),
        integer("voyage_key", "voyage.key"),
        boolean("voyage_is_tc", "voyage.isTc"),
        code("voyage_reference_no", "voyage.voyageHeader.referenceNo"),
        code("own_vessel_code", "vesselCode.vesselCode", comment="the line's own, before any of the voyage's vessel"),
        code("own_pool_code", "vesselCode.pool.poolCode"),
        text("vessel_name", "voyage.vessel.vesselName"),
        code(
            "vessel_pool_code",
            "voyage.vessel.pool.poolCode",
            comment="where pools hang on vessels, not on codes",
            other_spelling="documentLines.voyage.vessel.vesselCodes.pool.poolCode",
        ),
        integer("port_call_key", "portCall.key"),
        integer("port_call_sequence", "portCall.portCallSequence"),
        text("port_name", "portCall.port.portName"),
        text("claim_no", "claim.claimNo"),
        integer("claim_key", "claim.key"),
        integer("offhire_key", "offhire.key"),
        text("bill_of_lading_no", "billOfLading.billOfLadingNo"),
        integer("bill_of_lading_key", "billOfLading.key"),
        code("business_unit_code", "businessUnit.businessUnitCode"),
    ),
)

_VESSEL_CODE = (
    integer("code_key", "key"),
    code("vessel_code", "vesselCode"),
    date("fleet_entry_date", "fleetEntryDate", comment="empty: since ever"),
    date("fleet_exit_date", "fleetExitDate", comment="empty: until now"),
    code("default_company_code", "defaultCompany.companyCode"),
    code("pool_code", "pool.poolCode"),
)

# A vessel has several codes over time and by company; which of them a line's is depends on the document
# (docs/mapping.md#0).
_LINE_VESSEL_CODES = Children(
    table="document_line_vessel_codes",
    path="documentLines[].voyage.vessel.vesselCodes",
    outer=integer("line_key", "key"),
    members=_VESSEL_CODE,
)

DOCUMENTS = declare(
    "Document",
    "documents",
    *_DOCUMENT,
    children=(_PAYMENT_TERMS, _DOCUMENT_LINES, _LINE_VESSEL_CODES),
    comment="one row per VMS document as last read",
    # It may move with what hangs on a document and is not read, as our own remarks do (docs/systems/vms.md#v8).
    unhashed=("modifiedDate",),
)

PARTNERS = declare(
    "BusinessPartner",
    "partners",
    integer("partner_key", "key", required=True),
    code("partner_code", "businessPartnerCode", required=True, decided=True),
    text("partner_name", "businessPartnerName", decided=True),
    *_partner_type("businessPartnerType", decided=True),
    text("address1", "addresses[0].address1", decided=True),
    text("zip_code", "addresses[0].zipCode", decided=True),
    text("city", "addresses[0].city", decided=True),
    code("country_code", "addresses[0].country.countryCode", decided=True),
    text("email", "contactInfo[0].email", decided=True),
    iban("iban", "bankAccount.iban", decided=True),
    code("bank_account_no", "bankAccount.bankAccountNo", decided=True),
    code("swift_address", "bankAccount.bank.swiftAddress", decided=True),
    code("aba_number", "bankAccount.bank.abaNumber", decided=True),
    code("registration_no", "companyRegistrationNo", decided=True),
    code("vat_number", "vatNumber", decided=True),
    timestamp("modified_at", "modifiedDate"),
    comment="one row per business partner",
)

VESSELS = declare(
    "Vessel",
    "vessels",
    integer("vessel_key", "key", required=True),
    text("vessel_name", "vesselName"),
    code(
        "pool_code",
        "pool.poolCode",
        comment="where pools hang on vessels, not on codes",
        other_spelling="vesselCodes.pool.poolCode",
    ),
    timestamp("modified_at", "modifiedDate"),
    children=(Children(table="vessel_codes", path="vesselCodes", members=_VESSEL_CODE),),
    comment="one row per vessel",
)

VOYAGES = declare(
    "Voyage",
    "voyages",
    integer("voyage_key", "key", required=True),
    boolean("is_tc", "isTc"),
    timestamp("start_at", "voyageStartDateGMT", comment="UTC"),
    timestamp("end_at", "voyageEndDateGMT", comment="UTC"),
    code("reference_no", "voyageHeader.referenceNo"),
    boolean("is_budget", "voyageHeader.isBudget"),
    boolean("is_template", "voyageHeader.isTemplate"),
    boolean("is_estimate", "voyageHeader.isEstimate"),
    text("status_code", "voyageHeader.voyageStatus.statusTypeCode"),
    text("vessel_name", "vessel.vesselName"),
    timestamp("modified_at", "modifiedDate"),
    children=(Children(table="voyage_vessel_codes", path="vessel.vesselCodes", members=_VESSEL_CODE),),
    comment="one row per voyage",
)

_ACCOUNT = (
    integer("account_key", "key", required=True),
    code("account_code", "accountCode", required=True, decided=True),
    code("gl_account", "glAccount", decided=True),
    boolean("is_revenue", "isRevenue"),
    code("company_code", "company.companyCode", decided=True),
)

# The VMS accounts whose GL account is the ledger's control account (docs/mapping.md#1).
CONTROL_ACCOUNTS = ("APX", "ARX")
# One entity, two tables: the documents job reads the control accounts alone, and what it did not read counts as gone.
ACCOUNTS = declare(
    "Account",
    "accounts",
    *_ACCOUNT,
    comment="one row per APX or ARX account: the control accounts",
)

GL_ACCOUNTS = declare(
    "Account",
    "gl_accounts",
    *_ACCOUNT,
    comment="one row per account of the VMS: the GL accounts that actuals may be posted on",
)

# The one row that says which country, and so which currency, the installation is based on (docs/systems/vms.md#3-7).
SYSTEM_KEY = 1_000_000
SYSTEM = declare(
    "System",
    "system",
    integer("system_key", "key", required=True),
    code("base_currency_code", "country.currency.currencyCode"),
    comment="one row: the VMS base currency",
)

CURRENCIES = declare(
    "Currency",
    "currencies",
    integer("currency_key", "key", required=True),
    code("currency_code", "currencyCode"),
    comment="one row per currency that the VMS has: only their rates can be entered",
)

EXCHANGE_RATES = declare(
    "ExchangeRate",
    "exchange_rates",
    integer("rate_key", "key", required=True),
    code("to_currency_code", "currency.currencyCode"),
    code("from_currency_code", "fromCurrency.currencyCode"),
    rate("exchange_rate", "exchangeRate", comment="1 from = rate x to"),
    date("rate_date", "exchangeRateDate"),
    comment="one row per exchange rate in the VMS",
)

ALL: tuple[Contract, ...] = (
    DOCUMENTS,
    PARTNERS,
    VESSELS,
    VOYAGES,
    ACCOUNTS,
    GL_ACCOUNTS,
    SYSTEM,
    CURRENCIES,
    EXCHANGE_RATES,
)
