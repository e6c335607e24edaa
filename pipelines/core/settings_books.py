"""The settings of the books: companies, and how what stands in the VMS becomes what stands in the ledger."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from pipelines.core.settings_section import Section
from pipelines.core.settings_values import Codes, DayTime, Entity, GivenFile, Sign, Text

# The posting requirements that may be switched off: those of a company's own order, and warnings. Never one that keeps
# a voucher's money right, or without which the ledger would refuse it. `expectations/` marks the same ones.
RULES_THAT_MAY_BE_OFF = (
    "partner_is_charterer", "external_document_no_missing", "date_in_future", "external_document_no_used",
    "external_document_no_too_long", "kid_too_long", "kid_invalid", "iban_invalid", "refused_as_it_is",
    "tax_rule_rate_differs",
)  # fmt: skip


class CompanySettings(Section):
    """A block `[[companies]]` for each VMS company: the entity of its vouchers, the group entity of its master data."""

    code: Text = Field(
        description="its code in the VMS; where no company is configured, every VMS company code is an entity code",
        examples=["28601"],
    )
    owner: Entity = Field(
        description="the entity its vouchers go to; several companies may name the same", examples=[28601]
    )
    link: Entity | None = Field(
        default=None,
        description="the group entity in which its partners, vessels and voyages are created",
        examples=[28600],
    )
    payables_account: Text | None = Field(
        default=None,
        description="control account of what is owed to suppliers; the VMS account `APX` unless set",
        examples=["2400"],
    )
    receivables_account: Text | None = Field(
        default=None,
        description="control account of what customers owe; the VMS account `ARX` unless set",
        examples=["1500"],
    )


class PostingSettings(Section):
    """How documents become vouchers (docs/mapping.md#1)."""

    xgl: Literal["poolCode", "isTc"] | None = Field(
        default=None,
        description="`poolCode`: the vessel's pool; `isTc`: `TC` or `VC`; `DLVMS` on every line unless set",
    )
    vat_accounts: Codes = Field(default=("2700", "2710"), description="GL accounts whose lines are VAT")
    closed_period: Literal["hold", "next_open"] = Field(
        default="hold", description="`next_open` posts on the first day of the next open period"
    )
    reverse_charge: Codes = Field(default=(), description="VAT codes with a rate but no VAT line", examples=[["86"]])
    accrual_control: dict[Text, dict[Text, Text]] = Field(
        default_factory=dict,
        examples=[{"28601": {"ACP": "2965", "ACR": "2965"}}],
        description="control account by company and document type; unless set, the balance account of the line's "
        "account, else the document's own GL account",
    )
    gl_sign: dict[Text, Sign] = Field(
        default_factory=dict,
        examples=[{"28601": -1}],
        description="by company: `-1` where GL documents carry costs negative, `revenue` where amounts on revenue "
        "accounts are positive as well; `1` unless set",
    )
    line_currency: Literal["hold", "convert"] = Field(
        default="hold",
        description="what becomes of an invoice with a line in another currency: held, or its amount shared over the "
        "lines by their company amounts",
    )
    rate_tolerance: int = Field(
        default=50,
        ge=1,
        le=10000,
        description="percent that the rate implied by a document's two amounts may be away from the rate of its day, "
        "where one is known; beyond it the document is held",
    )
    rules_off: Codes = Field(
        default=(),
        description="posting requirements that are switched off, by name; shown by `check` and `status`",
        examples=[["partner_is_charterer"]],
        json_schema_extra={"items": {"enum": [*RULES_THAT_MAY_BE_OFF]}},
    )
    tax_rules: GivenFile | None = Field(
        default=None,
        description="CSV file that maps VAT codes to tax rules; VAT codes are tax rules unless set",
        examples=["mapping/tax_rules.csv"],
    )
    gl_accounts: GivenFile | None = Field(
        default=None,
        examples=["mapping/gl_accounts.csv"],
        description="CSV file that maps GL accounts of the VMS to the ledger's; they are the same unless set",
    )
    dimensions: GivenFile | None = Field(
        default=None,
        description="CSV file that says by company what posting1, posting2, posting3 and XGL hold",
        examples=["mapping/dimensions.csv"],
    )
    attachments: bool = Field(
        default=False,
        description="`true` sends the invoice's file in the VMS with the voucher; each such voucher takes a request of "
        "its own",
    )
    attachment_megabytes: int = Field(
        default=10, ge=1, le=50, description="megabytes of the largest file that goes along; a larger one is a warning"
    )
    remarks: bool = Field(
        default=False,
        description="the reason of each hold is written to its document in the VMS, as a remark "
        "([mapping](../mapping.md#1-6-remarks)); the API's user needs the right to read and write `Remark`",
    )
    first_year: int = Field(
        default=2000,
        ge=1900,
        le=2100,
        description="a document date or due date before this year is a typing error, and holds the document",
    )
    acknowledge: Literal["accepted", "posted"] = Field(
        default="accepted", description="`posted` acknowledges only what the ledger has booked"
    )

    @field_validator("rules_off")
    @classmethod
    def _only_what_may_be_off(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in RULES_THAT_MAY_BE_OFF]:
            may_be = ", ".join(RULES_THAT_MAY_BE_OFF)
            message = f"no rule that may be switched off: {', '.join(unknown)}; these may: {may_be}"
            raise ValueError(message)
        return names


class PartnerSettings(Section):
    """Which VMS partner types are suppliers, customers and charterers."""

    supplier_types: Codes = Field(
        default=(), description="VMS partner types that become suppliers; none unless set", examples=[["AG", "BR"]]
    )
    customer_types: Codes = Field(
        default=(), description="VMS partner types that become customers; none unless set", examples=[["CH"]]
    )
    charterer_types: Codes = Field(
        default=(),
        description="VMS partner types no supplier invoice may come from; none unless set",
        examples=[["CH"]],
    )
    broker_types: Codes = Field(
        default=(),
        examples=[["BR"]],
        description="VMS partner types whose lines on others' invoices are commissions; unless set, every line of "
        "another partner where the VMS marks no commission",
    )
    codes: GivenFile | None = Field(
        default=None,
        examples=["mapping/partner_codes.csv"],
        description="CSV file that maps partner codes of the VMS to the ledger's; they are the same unless set",
    )
    confirm_bank_changes: bool = Field(
        default=True, description="a supplier's changed bank account waits for a second person"
    )


class VoyageSettings(Section):
    """How voyages become projects (docs/mapping.md#2)."""

    project_dates: Literal["none", "voyage"] = Field(
        default="none", description="`voyage` gives projects the voyage's dates, widened; none are sent unless set"
    )
    months_before: int = Field(default=1, ge=0, le=120, description="months before the voyage's start")
    months_after: int = Field(default=12, ge=0, le=120, description="months behind the voyage's end")


class RateSettings(Section):
    """Which exchange rates go to the VMS."""

    at: DayTime = Field(
        default="16:30", description="time in Oslo at which `springline watch` sends them, Monday to Friday"
    )
    days: int = Field(default=7, ge=1, le=366, description="days back that rates are compared")
    owner: Entity | None = Field(
        default=None,
        description="the entity whose rates; the group, else the first company unless set",
        examples=[28600],
    )
    type: Text | None = Field(
        default=None, description="dbId of the kind of rates, where the ledger has several", examples=["1"]
    )
    overwrite: bool = Field(default=False, description="replace a different rate in the VMS")
