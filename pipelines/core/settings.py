"""Settings: springline.toml, overridden by the environment, with all faults reported at once."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pipelines.core.errors import SettingsError

PREFIX = "SPRINGLINE_"
# Settings of earlier releases: who still has one is told what became of it.
GONE: Mapping[tuple[int | str, ...], str] = {
    ("rates", "at"): "is gone, because nothing read it; take it out. Rates go with every run of the job `rates`",
}
# Never taken from the toml, which lies in backups and repositories.
SECRETS = (("vms", "client_secret"), ("vms", "password"), ("ledger", "token"))


def _split(value: object) -> object:
    """Accept ``AG,BR`` as well as a JSON list."""
    if isinstance(value, str):
        stripped = value.strip()
        return json.loads(stripped) if stripped.startswith("[") else stripped.replace(",", " ").split()
    return value


def _token(value: object) -> object:
    """Take off blanks around a token; refuse one that cannot stand in a header, where an error would show it."""
    if isinstance(value, str):
        value = value.strip()
        if not (value.isascii() and value.isprintable() and value):
            raise ValueError("is empty, or holds characters that no token has")
    return value


Codes = Annotated[tuple[str, ...], BeforeValidator(_split)]

# The posting requirements that may be switched off: those of a company's own order, and warnings. Never one that keeps
# a voucher's money right, or without which the ledger would refuse it. `expectations/` marks the same ones.
RULES_THAT_MAY_BE_OFF = (
    "partner_is_charterer", "external_document_no_missing", "date_in_future", "external_document_no_used",
    "external_document_no_too_long", "kid_too_long", "kid_invalid", "iban_invalid",
)  # fmt: skip


class _Section(BaseModel):
    # A misspelt name is a fault, and no step can change a setting for another.
    model_config = ConfigDict(extra="forbid", frozen=True)


class VmsSettings(_Section):
    """How to reach the VMS: OAuth2 client credentials, or user name and password on older installations."""

    base_url: str = Field(description="`https://tenant.dataloy.com/ws/rest`")
    token_url: str | None = Field(default=None, description="where to get a token, as handed out by Dataloy")
    client_id: str | None = Field(default=None, description="of the machine-to-machine client")
    client_secret: SecretStr | None = Field(default=None, description="the secret of that client")
    audience: str = Field(default="https://dataloy", description="`https://dataloy.dev` for test systems")
    username: str | None = Field(default=None, description="older installations: a user's name in place of a client")
    password: SecretStr | None = Field(default=None, description="the password of that user")
    page_size: int = Field(default=500, ge=1, le=2000, description="objects a page")
    workers: int = Field(default=8, ge=1, le=32, description="writes to the VMS at the same time")
    requests_per_second: float = Field(default=500, gt=0, description="most requests a second")
    timeout: float = Field(default=60, gt=0, description="seconds to wait for an answer")
    attempts: int = Field(default=5, ge=1, le=20, description="tries of one request")


class LedgerSettings(_Section):
    """How to reach the ledger, and what it lets a caller do."""

    url: str = Field(
        default="https://www.xledger.net/graphql",
        description="`https://demo.xledger.net/graphql` for the demo system",
    )
    token: Annotated[SecretStr, BeforeValidator(_token)] = Field(
        description="made by a domain administrator, in the group entity where there is one"
    )
    page_size: int = Field(default=1000, ge=1, le=10_000, description="records a page")
    nodes_per_mutation: int = Field(default=500, ge=1, le=500, description="voucher lines a call")
    burst_requests: int = Field(default=20, ge=1, description="most requests in `ledger.burst_seconds`")
    burst_seconds: float = Field(default=5, gt=0, description="seconds in which `ledger.burst_requests` are counted")
    monthly_requests: int = Field(
        default=5000, ge=1, description="what the price plan includes; counted, shown by `status`"
    )
    timeout: float = Field(default=60, gt=0, description="seconds to wait for an answer")
    attempts: int = Field(default=6, ge=1, le=20, description="tries of one request")
    longest_wait: float = Field(
        default=120, ge=0, description="seconds to wait for a limit to pass before the batch gives up"
    )


class CompanySettings(_Section):
    """One VMS company: the entity its vouchers go to, the group entity its master data is created in."""

    code: str = Field(
        description="`[[companies]]`, one block a VMS company: its code; where there is no block, every VMS company "
        "code is an entity code"
    )
    owner: int = Field(description="the entity its vouchers go to; several companies may name the same")
    link: int | None = Field(
        default=None, description="the group entity in which its partners, vessels and voyages are created"
    )
    payables_account: str | None = Field(
        default=None, description="control account of what is owed to suppliers; the VMS account `APX` unless set"
    )
    receivables_account: str | None = Field(
        default=None, description="control account of what customers owe; the VMS account `ARX` unless set"
    )


class PostingSettings(_Section):
    """How documents become vouchers (docs/mapping.md#1)."""

    xgl: Literal["poolCode", "isTc"] | None = Field(
        default=None,
        description="`poolCode`: the vessel's pool; `isTc`: `TC` or `VC`; `DLVMS` on every line unless set",
    )
    vat_accounts: Codes = Field(default=("2700", "2710"), description="GL accounts whose lines are VAT")
    closed_period: Literal["hold", "next_open"] = Field(
        default="hold", description="`next_open` posts on the first day of the next open period"
    )
    reverse_charge: Codes = Field(default=(), description="VAT codes with a rate but no VAT line")
    accrual_control: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="control account by company and document type; unless set, the balance account of the line's "
        "account, else the document's own GL account",
    )
    gl_sign: dict[str, Literal[1, -1, "revenue"]] = Field(
        default_factory=dict,
        description="by company: `-1` where GL documents carry costs negative, `revenue` where amounts on revenue "
        "accounts are positive as well; `1` unless set",
    )
    line_currency: Literal["hold", "convert"] = Field(
        default="hold",
        description="what becomes of an invoice with a line in another currency: held, or its amount shared over the "
        "lines by their company amounts",
    )
    rules_off: Codes = Field(
        default=(), description="posting requirements that are switched off, by name; shown by `check` and `status`"
    )
    tax_rules: Path | None = Field(
        default=None, description="CSV file that maps VAT codes to tax rules; VAT codes are tax rules unless set"
    )
    gl_accounts: Path | None = Field(
        default=None,
        description="CSV file that maps GL accounts of the VMS to the ledger's; they are the same unless set",
    )
    dimensions: Path | None = Field(
        default=None, description="CSV file that says by company what posting1, posting2, posting3 and XGL hold"
    )
    attachments: bool = Field(
        default=False,
        description="`true` sends the invoice's file in the VMS with the voucher; each such voucher takes a request of "
        "its own",
    )
    attachment_megabytes: int = Field(
        default=10, ge=1, le=50, description="largest file that goes along; a larger one is a warning"
    )
    remarks: bool = Field(
        default=False,
        description="the reason of each hold is written to its document in the VMS, as a remark "
        "([mapping](../mapping.md#1-6-remarks)); the API's user needs the right to read and write `Remark`",
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


class PartnerSettings(_Section):
    """Which VMS partner types are suppliers, customers and charterers."""

    supplier_types: Codes = Field(default=(), description="VMS partner types that become suppliers; none unless set")
    customer_types: Codes = Field(default=(), description="VMS partner types that become customers; none unless set")
    charterer_types: Codes = Field(
        default=(), description="VMS partner types no supplier invoice may come from; none unless set"
    )
    broker_types: Codes = Field(
        default=(),
        description="VMS partner types whose lines on others' invoices are commissions; unless set, every line of "
        "another partner where the VMS marks no commission",
    )
    codes: Path | None = Field(
        default=None,
        description="CSV file that maps partner codes of the VMS to the ledger's; they are the same unless set",
    )
    confirm_bank_changes: bool = Field(
        default=True, description="a supplier's changed bank account waits for a second person"
    )


class VoyageSettings(_Section):
    """How voyages become projects (docs/mapping.md#2)."""

    project_dates: Literal["none", "voyage"] = Field(
        default="none", description="`voyage` gives projects the voyage's dates, widened; none are sent unless set"
    )
    months_before: int = Field(default=1, ge=0, le=120, description="months before the voyage's start")
    months_after: int = Field(default=12, ge=0, le=120, description="months behind the voyage's end")


class RateSettings(_Section):
    """Which exchange rates go to the VMS."""

    days: int = Field(default=7, ge=1, le=366, description="days back that rates are compared")
    owner: int | None = Field(
        default=None, description="the entity whose rates; the group, else the first company unless set"
    )
    type: str | None = Field(default=None, description="which kind, where there are several")
    overwrite: bool = Field(default=False, description="replace a different rate in the VMS")


class Settings(_Section):
    """All settings; ``companies`` empty means that every VMS code is an entity code."""

    warehouse: str = Field(default="springline.duckdb", description="file of the working database")
    control: Path | None = Field(default=None, description="file of the control store; beside the warehouse unless set")
    published: Path = Field(default=Path("published"), description="folder of what analysts read")
    vms: VmsSettings
    ledger: LedgerSettings
    companies: tuple[CompanySettings, ...] = ()
    companies_others: Literal["hold", "leave", "post"] = Field(
        default="hold",
        description="what becomes of documents of companies that are not configured, where some are: held, left alone, "
        "or posted to the entity of the same code",
    )
    posting: PostingSettings = PostingSettings()
    partners: PartnerSettings = PartnerSettings()
    voyages: VoyageSettings = VoyageSettings()
    rates: RateSettings = RateSettings()

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
        """The DuckDB file."""
        return Path(self.warehouse)

    @property
    def control_path(self) -> Path:
        """The SQLite file with what must never be lost; beside the warehouse unless set."""
        return self.control or self.warehouse_path.with_name(f"{self.warehouse_path.stem}.ctl.sqlite")


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """Build nested values from names joined by ``__``; a value that begins with [ or { is JSON."""
    values: dict[str, Any] = {}
    # In order of their names, so that SPRINGLINE_VMS, a section as JSON, comes before SPRINGLINE_VMS__TIMEOUT, which is
    # laid over it.
    for name, text in sorted(environ.items()):
        first, *rest = name.removeprefix(PREFIX).lower().split("__")
        # SPRINGLINE_OPERATOR and the like are no settings; below a known section every unknown name is a fault.
        if not name.startswith(PREFIX) or first not in Settings.model_fields:
            continue
        try:
            value = json.loads(text, parse_float=Decimal) if text.lstrip()[:1] in {"[", "{"} else text
        except ValueError as error:
            problems.append(f"{name} is not JSON: {error}")
            continue
        for part in reversed(rest):
            # From the inside out: VMS__TIMEOUT becomes {"vms": {"timeout": ...}}.
            value = {part: value}
        values = _merge(values, {first: value})
    return values


def _merge(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``over`` on top, section by section."""
    merged = dict(values)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[name] = _merge(below, value)
        else:
            merged[name] = value
    return merged


def _secrets_from_files(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    resolved = dict(environ)
    for section, member in SECRETS:
        name = f"{PREFIX}{section}__{member}".upper()
        # Taken out in any case: `vms.client_secret_file` is no setting. The variable itself goes before its file.
        path = resolved.pop(f"{name}_FILE", None)
        if path is None or name in resolved:
            continue
        try:
            resolved[name] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            problems.append(f"{name}_FILE: {path} cannot be read ({error.strerror})")
    return resolved


def _read_file(config: Path | None, problems: list[str]) -> dict[str, Any]:
    path = config or Path("springline.toml")
    if config is None and not path.exists():
        return {}
    try:
        # Decimal: a limit or an account written as a number keeps its digits.
        values = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        problems.append(f"{path} cannot be read ({error.strerror})")
        return {}
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path} is not TOML: {error}")
        return {}
    for section, member in SECRETS:
        if member in values.get(section, {}):
            name = f"{PREFIX}{section}__{member}".upper()
            problems.append(f"{path}: {section}.{member} is a secret; set {name} or {name}_FILE instead")
            # Not read on, so that it cannot stand in another message.
            del values[section][member]
    return values


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + "__".join(str(part) for part in location).upper()


def _sign_in_problems(vms: object) -> list[str]:
    # Not a rule of the model: pydantic asks those only when every field is right, and all faults are told at once.
    given = vms if isinstance(vms, Mapping) else {}
    if given.get("username") and given.get("password"):
        return []
    missing = [name for name in ("token_url", "client_id", "client_secret") if not given.get(name)]
    return [f"{_variable(('vms', name))}: missing (or set VMS__USERNAME and VMS__PASSWORD)" for name in missing]


def load_published(config: Path | None, *, environ: Mapping[str, str]) -> Path:
    """Return the folder of what analysts read: for a command that needs nothing else, on a machine with no sign-in.

    Raises SettingsError when a file that names it cannot be read; what else is wrong in it is no concern of readers.
    """
    if folder := environ.get(f"{PREFIX}PUBLISHED"):
        return Path(folder)
    problems: list[str] = []
    values = _read_file(config, problems)
    folder = values.get("published", Settings.model_fields["published"].default)
    # Without values the file could not be read at all; a secret in it is a fault of whoever runs batches.
    if problems and not values:
        raise SettingsError(
            "Settings: " + "; ".join(problems), next_step="correct the file, or name --published FOLDER."
        )
    if not isinstance(folder, str | Path):
        raise SettingsError(
            f"Settings: published is {folder!r}, no folder.", next_step='write published = "published".'
        )
    return Path(folder)


def load_settings(config: Path | None, *, environ: Mapping[str, str]) -> Settings:
    """Read the file (``springline.toml`` when none is named) and the environment.

    Raises SettingsError that lists every fault with the name of its environment variable.
    """
    problems: list[str] = []
    values = _read_file(config, problems)
    try:
        values = _merge(values, _from_environment(_secrets_from_files(environ, problems), problems))
        problems += _sign_in_problems(values.get("vms"))
        settings = Settings(**values)
    except ValidationError as error:
        problems += [
            f"{_variable(fault['loc'])}: {GONE.get(fault['loc']) or fault['msg'].removeprefix('Value error, ')}"
            # Without the value that was given: it may be a secret.
            for fault in error.errors(include_input=False, include_url=False)
        ]
    if problems:
        raise SettingsError("Settings: " + "; ".join(problems), next_step="correct them and run `springline check`.")
    return settings
