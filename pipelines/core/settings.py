"""Settings: springline.toml, overridden by the environment, with all faults reported at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from pipelines.core.control_place import Place, PostgresSchema
from pipelines.core.errors import SettingsError
from pipelines.core.hiding import never_show
from pipelines.core.lake_place import LakePlace
from pipelines.core.resources import seed_file
from pipelines.core.settings_faults import name_fault, name_faults, nearest, section_of, unknown_variable
from pipelines.core.settings_lake import LakeSettings, lake_faults
from pipelines.core.settings_section import Section
from pipelines.core.settings_sources import (
    FILE,
    OTHER_VARIABLES,
    SECRETS,
    Given,
    Location,
    read_sources,
    unknown_variables,
    variable_name,
)
from pipelines.core.settings_values import (
    MOST_INTEGER,
    Address,
    BaseAddress,
    Codes,
    ControlPlace,
    DataPlace,
    DayTime,
    Entity,
    GivenFile,
    OurFile,
    OurFolder,
    Sign,
    Text,
    Token,
    User,
    Warehouse,
    is_for_all_to_read,
)
from pipelines.core.settings_watch import AlertSettings, WatchSettings, WebhookSettings

# The posting requirements that may be switched off: those of a company's own order, and warnings. Never one that keeps
# a voucher's money right, or without which the ledger would refuse it. `expectations/` marks the same ones.
RULES_THAT_MAY_BE_OFF = (
    "partner_is_charterer", "external_document_no_missing", "date_in_future", "external_document_no_used",
    "external_document_no_too_long", "kid_too_long", "kid_invalid", "iban_invalid", "refused_as_it_is",
    "tax_rule_rate_differs",
)  # fmt: skip


PLAIN = (
    "has no TLS, and whoever is on the way reads what signs us in; begin it with https://, or set {}.plain_http = true "
    "where the way is safe"
)


class VmsSettings(Section):
    """How to reach the VMS: OAuth2 client credentials, or user name and password on older installations."""

    base_url: BaseAddress = Field(
        description="address of the VMS's REST interface", examples=["https://<tenant>.dataloy.com/ws/rest"]
    )
    token_url: Address | None = Field(
        default=None,
        description="where to get a token, as handed out by Dataloy",
        examples=["https://<tenant>.eu.auth0.com/oauth/token"],
    )
    client_id: Text | None = Field(
        default=None, description="id of the machine-to-machine client", examples=["<client id>"]
    )
    client_secret: SecretStr | None = Field(default=None, description="secret of the machine-to-machine client")
    plain_http: bool = Field(
        default=False,
        description="`true` lets an address of this section begin with http:// where it is not on this machine: "
        "the secret, and every document, then travels for all to read",
    )
    audience: Text = Field(
        default="https://dataloy", description="what a token is asked for; `https://dataloy.dev` on test systems"
    )
    username: User | None = Field(
        default=None, description="older installations: a user's name in place of a client", examples=["springline"]
    )
    password: SecretStr | None = Field(default=None, description="password of the user, on older installations")
    page_size: int = Field(default=500, ge=1, le=2000, description="objects a page")
    workers: int = Field(default=8, ge=1, le=32, description="writes to the VMS at the same time")
    requests_per_second: float = Field(default=500, ge=0.01, le=10_000, description="most requests a second")
    timeout: float = Field(default=60, gt=0, le=3600, description="seconds to wait for an answer")
    attempts: int = Field(default=5, ge=1, le=20, description="tries of one request")


class LedgerSettings(Section):
    """How to reach the ledger, and what it lets a caller do."""

    url: Address = Field(
        default="https://www.xledger.net/graphql",
        description="address of the ledger's GraphQL; `https://demo.xledger.net/graphql` for the demo system",
    )
    token: Token = Field(
        description="the API token; a domain administrator makes it, in the group entity where there is one"
    )
    plain_http: bool = Field(
        default=False,
        description="`true` lets an address of this section begin with http:// where it is not on this machine: "
        "the token, and every voucher, then travels for all to read",
    )
    page_size: int = Field(default=1000, ge=1, le=10_000, description="records a page")
    nodes_per_mutation: int = Field(default=500, ge=1, le=500, description="voucher lines a call")
    burst_requests: int = Field(default=20, ge=1, le=100_000, description="most requests in `ledger.burst_seconds`")
    burst_seconds: float = Field(
        default=5, gt=0, le=3600, description="seconds in which `ledger.burst_requests` are counted"
    )
    monthly_requests: int = Field(
        default=5000,
        ge=1,
        le=MOST_INTEGER,
        description="requests a month that the price plan includes; counted, shown by `status`",
    )
    timeout: float = Field(default=60, gt=0, le=3600, description="seconds to wait for an answer")
    attempts: int = Field(default=6, ge=1, le=20, description="tries of one request")
    longest_wait: float = Field(
        default=120, ge=0, le=86_400, description="seconds to wait for a limit to pass before the batch gives up"
    )


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


class Settings(Section):
    """All settings; ``companies`` empty means that every VMS code is an entity code."""

    warehouse: Warehouse = Field(
        default=Path("springline.duckdb"),
        description="file of the working database; or the lake that any machine goes on from, with a catalogue in a "
        "schema of PostgreSQL: `ducklake:postgresql://user@host/database?schema=tenant`",
    )
    data: DataPlace | None = Field(
        default=None,
        description="folder or bucket of a lake's data; each tenant has folders of its own there",
        examples=["s3://bucket/springline"],
    )
    scratch: OurFile = Field(
        default=Path("springline.duckdb"),
        description="file of the working database where `warehouse` is a lake, which may be lost at any time",
    )
    control: ControlPlace | None = Field(
        default=None,
        description="file of the control store, beside the warehouse unless set; or a schema of a PostgreSQL database: "
        "`postgresql://user@host/database?schema=tenant`",
        examples=["springline.ctl.sqlite"],
    )
    published: OurFolder = Field(default=Path("published"), description="folder of what analysts read")
    published_group: Text | None = Field(
        default=None,
        description="group of this machine that may read what is published (0640, its folders 0750); unless set, all "
        "that is written is for the user who runs Springline alone (0600, 0700)",
        examples=["analysts"],
    )
    vms: VmsSettings
    ledger: LedgerSettings
    companies: tuple[CompanySettings, ...] = ()
    companies_others: Literal["hold", "leave", "post"] = Field(
        default="hold",
        description="what becomes of documents of companies that are not configured, where some are: held, left alone, "
        "or posted to the entity of the same code",
    )
    partners: PartnerSettings = PartnerSettings()
    posting: PostingSettings = PostingSettings()
    voyages: VoyageSettings = VoyageSettings()
    rates: RateSettings = RateSettings()
    watch: WatchSettings = WatchSettings()
    webhooks: WebhookSettings = WebhookSettings()
    alerts: AlertSettings = AlertSettings()
    lake: LakeSettings = LakeSettings()

    @field_validator("companies")
    @classmethod
    def _one_entry_per_code(cls, companies: tuple[CompanySettings, ...]) -> tuple[CompanySettings, ...]:
        codes = [company.code for company in companies]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            message = f"company codes stand twice: {', '.join(twice)}"
            raise ValueError(message)
        return companies

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file that a batch works in."""
        return self.scratch if isinstance(self.warehouse, LakePlace) else self.warehouse

    @property
    def control_place(self) -> Place:
        """The control store with what must never be lost: an SQLite file beside the warehouse unless set."""
        return self.control or self.warehouse_path.with_name(f"{self.warehouse_path.stem}.ctl.sqlite")

    @property
    def control_path(self) -> Path:
        """The control store where it is a file; SettingsError where it is a schema of PostgreSQL."""
        place = self.control_place
        if isinstance(place, PostgresSchema):
            raise SettingsError(
                f"The control store {place} is in PostgreSQL, and this works on a file alone.",
                next_step="name a file in the setting `control`, do it there, and bring it back: `springline control "
                "copy ADDRESS`.",
            )
        return place


class _Readers(BaseModel):
    """What a reader of the published file needs of the settings."""

    published: OurFolder = Field(default=Settings.model_fields["published"].default)


def setting_variables() -> list[str]:
    """Return every variable of the environment that is ours."""
    names = [variable_name((name,)) for name in Settings.model_fields]
    for name, field in Settings.model_fields.items():
        section = None if name == "companies" else section_of(field.annotation)
        names += [variable_name((name, member)) for member in (section.model_fields if section else ())]
    return [*names, *(f"{variable_name(secret)}_FILE" for secret in SECRETS), *OTHER_VARIABLES]


def load_published(config: Path | None, *, environ: Mapping[str, str]) -> Path:
    """Return the folder of what analysts read: for a command that needs nothing else, on a machine with no sign-in.

    Raises SettingsError when what names it cannot be read; what else is wrong there is no concern of readers.
    """
    look_at_folder()
    name = variable_name(("published",))
    given = read_sources(
        config, environ={name: environ[name]} if name in environ else {}, sections=Settings.model_fields
    )
    # Without values the file could not be read at all; a secret in it is a fault of whoever runs batches.
    problems = given.problems if not given.values else []
    try:
        readers = _Readers.model_validate(given.values)
    except ValidationError as error:
        problems += name_faults(error.errors(include_url=False), given, Settings)
    if problems:
        raise SettingsError(f"Settings: {'; '.join(problems)}.", next_step="correct it, or name --published FOLDER.")
    return readers.published


def load_settings(config: Path | None, *, environ: Mapping[str, str]) -> Settings:
    """Read the file (``springline.toml`` when none is named) and the environment.

    Raises SettingsError that lists every fault with file, line, section and value, or with its variable.
    """
    look_at_folder()
    given = read_sources(config, environ=environ, sections=Settings.model_fields)
    problems = given.problems
    problems += [
        unknown_variable(name, setting_variables()) for name in unknown_variables(environ, Settings.model_fields)
    ]
    # What is missing in a section that is missing is told setting by setting.
    values = {"vms": {}, "ledger": {}} | given.values
    problems += _sign_in_problems(values["vms"], given)
    try:
        settings = Settings(**values)
        problems += [name_fault(at, value, problem, given) for at, value, problem in _contradictions(settings)]
    except ValidationError as error:
        problems += name_faults(error.errors(include_url=False), given, Settings)
    if problems:
        raise _error(given, problems, is_named=config is not None)
    for section, name in SECRETS:
        if secret := getattr(getattr(settings, section), name):
            never_show(secret.get_secret_value())
    catalogue = settings.warehouse.catalogue if isinstance(settings.warehouse, LakePlace) else None
    for place in (settings.control, catalogue):
        if isinstance(place, PostgresSchema) and place.password:
            never_show(place.password)
    return settings


def look_at_folder() -> None:
    """Raise SettingsError when the folder in which the command was started is there no more."""
    try:
        Path.cwd()
    except OSError:
        step = "go to the folder of springline.toml and start the command again."
        raise SettingsError("The folder in which this command was started is gone.", next_step=step) from None


def _error(given: Given, problems: list[str], *, is_named: bool) -> SettingsError:
    step = "correct them and run `springline check`."
    # Names of variables and files may hold bytes that are not UTF-8, which no terminal takes.
    problems = [problem.encode(errors="backslashreplace").decode() for problem in problems]
    vms = given.values.get("vms")
    has_address = (isinstance(vms, Mapping) and "base_url" in vms) or given.is_told(("vms", "base_url"))
    # Everything may stand in the environment; where the first setting of all does not, the file was meant.
    if not given.has_file and not is_named and not has_address:
        nowhere = f"There is no {FILE} in this folder ({Path.cwd()})"
        write = "run `springline init` to write one, go to the folder that has it, or name it with --config."
        if not given.values and not given.told:
            return SettingsError(f"{nowhere}, and no setting in the environment.", next_step=write)
        problems = [nowhere, *problems]
        step = f"correct the environment; or {write}"
    if len(problems) == 1:
        return SettingsError(f"Settings: {problems[0]}.", next_step="correct it and run `springline check`.")
    listed = "".join(f"\n- {problem}." for problem in problems)
    return SettingsError(f"Settings: {len(problems)} faults.{listed}", next_step=step)


def _sign_in_problems(vms: object, given: Given) -> list[str]:
    # Not a rule of the model: pydantic asks those only when every field is right, and all faults are told at once.
    if not isinstance(vms, Mapping):
        return []
    has = {name for name in VmsSettings.model_fields if vms.get(name) or given.is_told(("vms", name))}
    place = f"{given.file}, [vms]" if given.has_file else "the VMS"
    missing = [
        variable_name(("vms", name)) if ("vms", name) in SECRETS or not given.has_file else name
        for name in ("token_url", "client_id", "client_secret")
        if name not in has
    ]
    if not missing or {"username", "password"} <= has:
        return []
    password = variable_name(("vms", "password"))
    if "username" in has:
        return [f"{place}: no sign-in: {password} is missing, and username needs it"]
    is_are = "is" if len(missing) == 1 else "are"
    older = f"on older installations username, and {password}"
    return [f"{place}: no sign-in: {', '.join(missing)} {is_are} missing ({older})"]


def _plain_addresses(settings: Settings) -> Iterator[tuple[Location, object, str]]:
    addresses = {
        ("vms", "base_url"): settings.vms.base_url,
        ("vms", "token_url"): settings.vms.token_url,
        ("ledger", "url"): settings.ledger.url,
        ("lake", "endpoint"): settings.lake.endpoint,
    }
    for at, address in addresses.items():
        if address and is_for_all_to_read(address) and not getattr(settings, at[0]).plain_http:
            yield at, address, PLAIN.format(at[0])


def _contradictions(settings: Settings) -> Iterator[tuple[Location, object, str]]:
    """Yield settings that are each right and together are not: where, the value, and what is wrong."""
    files = {"warehouse": settings.warehouse_path}
    if isinstance(settings.control_place, Path):
        files["control"] = settings.control_place
    # pipelines/publish writes a file of this name; it would take the place of the working database.
    files["published"] = settings.published / "springline.duckdb"
    yield from _plain_addresses(settings)
    yield from lake_faults(settings.warehouse, data=settings.data, control=settings.control, lake=settings.lake)
    seen: dict[str, str] = {}
    for name, path in files.items():
        # Not `resolve`: it ends with an error at a link that leads back to itself.
        if (other := seen.setdefault(os.path.realpath(path), name)) != name:
            yield (name,), str(path), f"is the file of {other} too; name another"
    known = {company.code for company in settings.companies}
    # Where no company is configured, or others post as well, only the VMS knows which there are.
    are_known = known and settings.companies_others != "post"
    posting = settings.posting
    for name, by_company in (("accrual_control", posting.accrual_control), ("gl_sign", posting.gl_sign)):
        for company in by_company if are_known else ():
            if company not in known:
                problem = f"there is no company {company} in [[companies]]; {nearest(company, known)}"
                yield ("posting", name, company), by_company[company], problem
    if not posting.accrual_control:
        return
    types = {row["document_type"] for row in seed_file("voucher_types") if row["voucher_type"] == "GL"}
    for company, accounts in posting.accrual_control.items():
        for document_type in accounts.keys() - types:
            problem = f"no accrual has the document type {document_type}; {nearest(document_type, types)}"
            yield ("posting", "accrual_control", company, document_type), accounts[document_type], problem
