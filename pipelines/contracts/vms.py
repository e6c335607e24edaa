"""Contracts of the VMS objects: the members that docs/mapping.md#0 names, their types and tables in stg_vms."""

from __future__ import annotations

from pipelines.contracts.contract import Children, Contract, amount, boolean, date, integer, rate, text, timestamp

_DOCUMENT = (
    integer("document_key", "key", required=True, comment="database id of the document in the VMS"),
    text("document_no", "documentNo", required=True),
    text("external_document_no", "externalDocumentNo", comment="supplier's number, a KID behind a pipe"),
    date("document_date", "documentDate", required=True),
    text("document_text", "documentText"),
    amount("document_amount", "documentAmount", comment="in currency_code"),
    amount("company_currency_amount", "companyCurrencyAmount", comment="in company_currency_code"),
    amount("source_currency_amount", "sourceCurrencyAmount"),
    timestamp("modified_at", "modifiedDate"),
    text("gl_account", "glAccount"),
    text("document_type", "documentType.documentType", required=True),
    text("status_code", "invoicingStatus.statusTypeCode", required=True),
    text("currency_code", "documentCurrency.currencyCode", required=True),
    text("company_code", "company.companyCode", required=True),
    text("company_country_code", "company.country.countryCode"),
    text("company_currency_code", "company.currency.currencyCode"),
    integer("partner_key", "businessPartner.key"),
    text("partner_code", "businessPartner.businessPartnerCode"),
    text("partner_name", "businessPartner.businessPartnerName"),
    text("partner_type_code", "businessPartner.businessPartnerType.businessPartnerTypeCode"),
    text("partner_country_code", "businessPartner.addresses[0].country.countryCode"),
    text("partner_iban", "businessPartner.bankAccount.iban"),
    text("partner_bank_account_no", "businessPartner.bankAccount.bankAccountNo"),
    amount("estimate_amount", "estimateAmount"),
    amount("estimate_amount_ytd", "estimateAmountYtd"),
    amount("estimate_amount_total", "estimateAmountTotal"),
    amount("account_amount", "accountAmount"),
    amount("account_amount_ytd", "accountAmountYtd"),
    integer("voyage_snapshot_key", "voyageSnapshot.key"),
    integer("created_by_key", "createdById", comment="the VMS user who entered it"),
)

_PAYMENT_TERMS = Children(
    table="document_payment_terms",
    path="documentPaymentTerms",
    members=(
        integer("term_key", "key", required=True),
        date("due_date", "dueDate"),
        rate("percentage", "percentage"),
    ),
)

_DOCUMENT_LINES = Children(
    table="document_lines",
    path="documentLines",
    members=(
        integer("line_key", "key", required=True),
        amount("document_amount", "documentAmount"),
        amount("company_currency_amount", "companyCurrencyAmount"),
        amount("source_currency_amount", "sourceCurrencyAmount"),
        text("gl_account", "glAccount"),
        text("line_text", "documentLineText"),
        rate("quantity", "quantity"),
        rate("unit_price", "unitPrice"),
        boolean("is_accounts_payable", "isAccountsPayable"),
        rate("vat_rate", "vatRate.vatRate", comment="a fraction: 0.25"),
        text("vat_code", "vatRate.vat.vatCode"),
        text("partner_code", "businessPartner.businessPartnerCode"),
        integer("ref_document_key", "refDocument.key"),
        text("ref_document_no", "refDocument.documentNo"),
        integer("voyage_key", "voyage.key"),
        boolean("voyage_is_tc", "voyage.isTc"),
        text("voyage_reference_no", "voyage.voyageHeader.referenceNo"),
        text("vessel_name", "voyage.vessel.vesselName"),
        text("vessel_code", "voyage.vessel.vesselCodes[0].vesselCode"),
        text("pool_code", "voyage.vessel.pool.poolCode"),
    ),
)

DOCUMENTS = Contract(
    entity="Document",
    table="documents",
    key="document_key",
    members=_DOCUMENT,
    children=(_PAYMENT_TERMS, _DOCUMENT_LINES),
    comment="one row per VMS document as last read",
)

PARTNERS = Contract(
    entity="BusinessPartner",
    table="partners",
    key="partner_key",
    members=(
        integer("partner_key", "key", required=True),
        text("partner_code", "businessPartnerCode", required=True),
        text("partner_name", "businessPartnerName"),
        text("partner_type_code", "businessPartnerType.businessPartnerTypeCode"),
        text("address1", "addresses[0].address1"),
        text("zip_code", "addresses[0].zipCode"),
        text("city", "addresses[0].city"),
        text("country_code", "addresses[0].country.countryCode"),
        text("email", "contactInfo[0].email"),
        text("iban", "bankAccount.iban"),
        text("bank_account_no", "bankAccount.bankAccountNo"),
        text("swift_address", "bankAccount.bank.swiftAddress"),
        text("registration_no", "companyRegistrationNo"),
        text("vat_number", "vatNumber"),
        timestamp("modified_at", "modifiedDate"),
    ),
    comment="one row per business partner",
)

VESSELS = Contract(
    entity="Vessel",
    table="vessels",
    key="vessel_key",
    members=(
        integer("vessel_key", "key", required=True),
        text("vessel_name", "vesselName"),
        text("vessel_code", "vesselCodes[0].vesselCode"),
        text("pool_code", "pool.poolCode"),
        timestamp("modified_at", "modifiedDate"),
    ),
    comment="one row per vessel",
)

VOYAGES = Contract(
    entity="Voyage",
    table="voyages",
    key="voyage_key",
    members=(
        integer("voyage_key", "key", required=True),
        boolean("is_tc", "isTc"),
        timestamp("start_at", "voyageStartDateGMT", comment="UTC"),
        timestamp("end_at", "voyageEndDateGMT", comment="UTC"),
        text("reference_no", "voyageHeader.referenceNo"),
        boolean("is_budget", "voyageHeader.isBudget"),
        boolean("is_template", "voyageHeader.isTemplate"),
        boolean("is_estimate", "voyageHeader.isEstimate"),
        text("status_code", "voyageHeader.voyageStatus.statusTypeCode"),
        text("vessel_name", "vessel.vesselName"),
        text("vessel_code", "vessel.vesselCodes[0].vesselCode"),
        text("pool_code", "vessel.pool.poolCode"),
        timestamp("modified_at", "modifiedDate"),
    ),
    comment="one row per voyage",
)

_ACCOUNT = (
    integer("account_key", "key", required=True),
    text("account_code", "accountCode", required=True),
    text("gl_account", "glAccount"),
    text("company_code", "company.companyCode"),
)

# The VMS accounts whose GL account is the ledger's control account (docs/mapping.md#1).
CONTROL_ACCOUNTS = ("APX", "ARX")
# One entity, two tables: the documents job reads the control accounts alone, and what it did not read counts as gone.
ACCOUNTS = Contract(
    entity="Account",
    table="accounts",
    key="account_key",
    members=_ACCOUNT,
    comment="one row per APX or ARX account: the control accounts",
)

GL_ACCOUNTS = Contract(
    entity="Account",
    table="gl_accounts",
    key="account_key",
    members=_ACCOUNT,
    comment="one row per account of the VMS: the GL accounts that actuals may be posted on",
)

# The one row that says which country, and so which currency, the installation is based on (docs/systems/vms.md#3-7).
SYSTEM_KEY = 1_000_000
SYSTEM = Contract(
    entity="System",
    table="system",
    key="system_key",
    members=(
        integer("system_key", "key", required=True),
        text("base_currency_code", "country.currency.currencyCode"),
    ),
    comment="one row: the VMS base currency",
)

EXCHANGE_RATES = Contract(
    entity="ExchangeRate",
    table="exchange_rates",
    key="rate_key",
    members=(
        integer("rate_key", "key", required=True),
        text("to_currency_code", "currency.currencyCode"),
        text("from_currency_code", "fromCurrency.currencyCode"),
        rate("exchange_rate", "exchangeRate", comment="1 from = rate x to"),
        date("rate_date", "exchangeRateDate"),
    ),
    comment="one row per exchange rate in the VMS",
)

ALL: tuple[Contract, ...] = (DOCUMENTS, PARTNERS, VESSELS, VOYAGES, ACCOUNTS, GL_ACCOUNTS, SYSTEM, EXCHANGE_RATES)
