"""Contracts of the ledger objects: the fields selected from each GraphQL connection and their tables in stg_ledger."""

from __future__ import annotations

from functools import partial

from pipelines.contracts.contract import (
    Children,
    Contract,
    Member,
    boolean,
    date,
    declare,
    identifier,
    integer,
    money,
    rate,
    text,
    their_code,
    timestamp,
)

# The key of a contract: the ledger's own id.
_key = partial(identifier, path="dbId", required=True)


def _base(key: str) -> tuple[Member, ...]:
    """Return the members that every kind of master data has."""
    return (
        _key(key),
        # Not unique: the dbId is the key, and one code may name several records (docs/systems/ledger.md#1-5).
        their_code("code", "code"),
        text("description", "description"),
        identifier("owner_db_id", "ownerDbId"),
    )


# What suppliers and customers have in common.
_SUBLEDGER = (
    date("from_date", "fromDate"),
    date("to_date", "toDate"),
    text("email", "email"),
    identifier("company_db_id", "company.dbId"),
    text("company_number", "company.companyNumber"),
    timestamp("modified_at", "modifiedAt"),
)

SUPPLIERS = declare("suppliers", "suppliers", *_base("supplier_db_id"), *_SUBLEDGER)
CUSTOMERS = declare("customers", "customers", *_base("customer_db_id"), *_SUBLEDGER)

# Suppliers and customers once more: only here do they show bank account, tax number and address
# (sql/map/ledger_partners.sql).
SUBLEDGERS = declare(
    "subledgers",
    "subledgers",
    *_base("subledger_db_id"),
    text("email", "email"),
    text("bank_account", "bankAccount"),
    text("tax_no", "taxNo"),
    text("street_address", "address.streetAddress"),
    text("zip_code", "address.zipCode"),
    text("place", "address.place"),
    their_code("country_code", "address.country.code"),
    text("ledger_type", "ledgerType.name"),
    timestamp("modified_at", "modifiedAt"),
)

COMPANIES = declare(
    "companies",
    "companies",
    *_base("company_db_id"),
    text("company_number", "companyNumber"),
    text("tax_number", "taxNumber"),
    timestamp("modified_at", "modifiedAt"),
)

PROJECTS = declare(
    "projects",
    "projects",
    *_base("project_db_id"),
    date("from_date", "fromDate"),
    date("to_date", "toDate"),
    identifier("gl_object1_db_id", "glObject1.dbId"),
    timestamp("modified_at", "modifiedAt"),
)

OBJECT_KINDS = declare("objectKinds", "object_kinds", _key("object_kind_db_id"), text("name", "name"))

OBJECT_VALUES = declare(
    "objectValues",
    "object_values",
    *_base("object_value_db_id"),
    identifier("object_kind_db_id", "objectKindDbId"),
    date("date_from", "dateFrom"),
    date("date_to", "dateTo"),
    timestamp("modified_at", "modifiedAt"),
)

XGL_DIMENSIONS = declare(
    "xglDimensions",
    "xgl_dimensions",
    *_base("xgl_db_id"),
    boolean("allow_posting", "allowPosting"),
    timestamp("modified_at", "modifiedAt"),
)

ACCOUNTS = declare(
    "accounts",
    "accounts",
    *_base("account_db_id"),
    boolean("is_balance_sheet", "balanceSheet"),
    boolean("allow_posting", "posting"),
    text("ledger_type", "ledgerType.name"),
    timestamp("modified_at", "modifiedAt"),
)

CURRENCIES = declare("currencies", "currencies", _key("currency_db_id"), their_code("code", "code"))

ENTITIES = declare(
    "entities",
    "entities",
    _key("entity_db_id"),
    their_code("code", "code", comment="the 5-digit entity code"),
    text("description", "description"),
    identifier("owner_db_id", "ownerDbId"),
    their_code("currency_code", "currency.code"),
    integer("owner_code", "owner.ownerCode"),
    identifier("parent_db_id", "parent.dbId"),
    their_code("parent_code", "parent.code"),
    timestamp("modified_at", "modifiedAt"),
    # Which object kind stands behind glObject1 to glObject5, where the entity has an entry of its own.
    children=(
        Children(
            "entity_dimensions",
            "glSetupEntries",
            (
                identifier("setup_db_id", "dbId"),
                text("field_name", "field.name", comment="glObject1 to glObject5"),
                their_code("object_code", "fieldObject.code"),
                identifier("object_kind_db_id", "fieldObject.objectKind.dbId"),
                text("object_kind_name", "fieldObject.objectKind.name"),
            ),
        ),
    ),
)

# What a row means is not documented; decided: closed (docs/mapping.md#d11).
PERIOD_STATUS = declare(
    "periodStatusItems",
    "period_status",
    _key("period_status_db_id"),
    identifier("owner_db_id", "ownerDbId"),
    identifier("period_db_id", "periodDbId"),
    integer("owner_code", "owner.ownerCode"),
    their_code("owner_entity_code", "owner.code"),
    their_code("period_code", "period.code"),
    integer("period_year", "period.year"),
    integer("period_month", "period.monthNumber"),
    integer("fiscal_year", "period.fiscalYear"),
    integer("fiscal_period", "period.fiscalPeriod"),
    date("from_date", "period.fromDate"),
    date("to_date", "period.toDate"),
    timestamp("modified_at", "modifiedAt"),
    comment="one row per entity and closed period (a row means closed)",
)

IMPORT_ITEMS = declare(
    "glImportItems",
    "import_items",
    _key("import_item_db_id"),
    integer("tr_reg_number", "trRegNumber"),
    integer("tr_item_number", "trItemNumber"),
    identifier("owner_db_id", "ownerDbId"),
    their_code("source_code", "transactionSource.code"),
    text("ext_order_number", "extOrderNumber"),
    text("invoice_number", "invoiceNumber"),
    their_code("account_code", "account.code"),
    their_code("currency_code", "currency.code"),
    money("amount", "amount"),
    money("invoice_amount", "invoiceAmount"),
    date("posted_date", "postedDate"),
    text("line_text", "text"),
    # 1: waits for the posting job, 3: booked, 9: refused (docs/systems/ledger.md#a9).
    integer("job_level", "jobLevel.dbSubId"),
    text("job_level_name", "jobLevel.name"),
    timestamp("modified_at", "modifiedAt"),
    comment="one row per imported voucher line as the ledger's import shows it",
)

IMPORT_ERRORS = declare(
    "glImportItemErrors",
    "import_errors",
    _key("import_error_db_id"),
    # The ledger calls the import item a transaction here; a booked row has another id.
    identifier("import_item_db_id", "transactionDbId"),
    identifier("owner_db_id", "ownerDbId"),
    their_code("level_code", "errorLevel.code"),
    text("level_name", "errorLevel.name"),
    text("message", "message"),
    timestamp("created_at", "createdAt"),
    comment="one row per error of the ledger's posting job",
)


def _header(name: str) -> tuple[Member, ...]:
    """Return the members of the journal header that rows of the books refer to by this name."""
    return (
        identifier("header_db_id", f"{name}.dbId"),
        integer("voucher_no", f"{name}.transactionNumber"),
        text("header_text", f"{name}.text"),
        date("posted_date", f"{name}.postedDate"),
        # When an import made the voucher; null for one that a person entered.
        timestamp("imported_at", f"{name}.importedAt"),
        their_code("source_code", f"{name}.transactionSource.code"),
    )


# Rows of the supplier and of the customer ledger have the same members.
# No modified_at, nor in the general ledger below: their changes are told by deltas alone (docs/systems/ledger.md#1-4).
_ROW = (
    _key("row_db_id"),
    identifier("owner_db_id", "ownerDbId"),
    text("invoice_number", "invoiceNumber"),
    text("row_text", "text"),
    money("amount", "amount", comment="company currency"),
    money("invoice_amount", "invoiceAmount", comment="in currency_code"),
    money("invoice_remaining", "invoiceRemaining", comment="open, in currency_code"),
    date("invoice_date", "invoiceDate"),
    date("due_date", "dueDate"),
    date("payment_date", "paymentDate"),
    integer("match_id", "matchId", comment="rows that share one settle each other; 0 or null: open"),
    their_code("currency_code", "currency.code"),
    their_code("subledger_code", "subledger.code"),
    their_code("account_code", "account.code"),
    text("row_type", "slTransactionType.name"),
    *_header("transactionHeader"),
)

AP_ROWS = declare("apTransactions", "ap_rows", *_ROW, comment="one row per supplier-ledger row")
AR_ROWS = declare("arTransactions", "ar_rows", *_ROW, comment="one row per customer-ledger row")

TRANSACTIONS = declare(
    "transactions",
    "transactions",
    _key("transaction_db_id"),
    identifier("owner_db_id", "ownerDbId"),
    text("row_text", "text"),
    money("amount", "amount", comment="company currency"),
    money("invoice_amount", "invoiceAmount", comment="in currency_code"),
    integer("match_id", "matchId"),
    their_code("account_code", "account.code"),
    boolean("is_balance_sheet", "account.balanceSheet"),
    their_code("currency_code", "currency.code"),
    integer("period_year", "period.year"),
    integer("period_month", "period.monthNumber"),
    # Which dimension stands for what is set up in the ledger; vouchers are sent with these two (docs/mapping.md#1-1).
    their_code("vessel_code", "glDimension.glObject1.code"),
    their_code("project_code", "glDimension.glObject2.code"),
    *_header("header"),
    comment="one row per general-ledger row",
)

EXCHANGE_RATES = declare(
    "exchangeRates",
    "exchange_rates",
    _key("rate_db_id"),
    identifier("owner_db_id", "ownerDbId"),
    their_code("from_currency_code", "currencyFromCode"),
    their_code("to_currency_code", "currencyToCode"),
    integer("currency_unit", "currencyUnit"),
    rate("exchange_rate", "exchangeRate"),
    identifier("rate_type_db_id", "exchangeType.dbId"),
    date("from_date", "fromDate"),
    date("to_date", "toDate"),
    timestamp("modified_at", "modifiedAt"),
    comment="one row per rate: unit x from = rate x to, valid from from_date",
)

ALL: tuple[Contract, ...] = (
    SUPPLIERS,
    CUSTOMERS,
    SUBLEDGERS,
    COMPANIES,
    PROJECTS,
    OBJECT_KINDS,
    OBJECT_VALUES,
    XGL_DIMENSIONS,
    ACCOUNTS,
    CURRENCIES,
    ENTITIES,
    PERIOD_STATUS,
    IMPORT_ITEMS,
    IMPORT_ERRORS,
    AP_ROWS,
    AR_ROWS,
    TRANSACTIONS,
    EXCHANGE_RATES,
)
