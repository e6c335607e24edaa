"""Settings: springline.toml, overridden by the environment, with all faults reported at once."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pipelines.core.errors import SettingsError

PREFIX = "SPRINGLINE_"
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


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VmsSettings(_Section):
    """How to reach the VMS: OAuth2 client credentials, or user name and password on older installations."""

    base_url: str
    token_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    audience: str = "https://dataloy"
    username: str | None = None
    password: SecretStr | None = None
    page_size: int = Field(default=500, ge=1, le=2000)
    workers: int = Field(default=8, ge=1, le=32)
    requests_per_second: float = Field(default=500, gt=0)
    timeout: float = Field(default=60, gt=0)
    attempts: int = Field(default=5, ge=1, le=20)


class LedgerSettings(_Section):
    """How to reach the ledger, and what it lets a caller do."""

    url: str = "https://www.xledger.net/graphql"
    token: Annotated[SecretStr, BeforeValidator(_token)]
    page_size: int = Field(default=1000, ge=1, le=10_000)
    nodes_per_mutation: int = Field(default=500, ge=1, le=500)
    burst_requests: int = Field(default=20, ge=1)
    burst_seconds: float = Field(default=5, gt=0)
    monthly_requests: int = Field(default=5000, ge=1)
    timeout: float = Field(default=60, gt=0)
    attempts: int = Field(default=6, ge=1, le=20)
    longest_wait: float = Field(default=120, ge=0)


class CompanySettings(_Section):
    """One VMS company: the entity its vouchers go to, the group entity its master data is created in."""

    code: str
    owner: int
    link: int | None = None
    payables_account: str | None = None
    receivables_account: str | None = None


class PostingSettings(_Section):
    """How documents become vouchers (mapping.md section 1)."""

    xgl: Literal["poolCode", "isTc"] | None = None
    vat_accounts: Codes = ("2700", "2710")
    closed_period: Literal["hold", "next_open"] = "hold"
    reverse_charge: Codes = ()
    accrual_control: dict[str, dict[str, str]] = Field(default_factory=dict)
    gl_sign: dict[str, Literal[1, -1]] = Field(default_factory=dict)
    tax_rules: Path | None = None
    acknowledge: Literal["accepted", "posted"] = "accepted"


class PartnerSettings(_Section):
    """Which VMS partner types are suppliers, customers and charterers."""

    supplier_types: Codes = ()
    customer_types: Codes = ()
    charterer_types: Codes = ()
    confirm_bank_changes: bool = True


class RateSettings(_Section):
    """Which exchange rates go to the VMS, and when."""

    at: time = time(16, 30)
    days: int = Field(default=7, ge=1, le=366)
    owner: int | None = None
    type: str | None = None
    overwrite: bool = False


class Settings(_Section):
    """All settings; ``companies`` empty means that every VMS code is an entity code."""

    warehouse: str = "springline.duckdb"
    control: Path | None = None
    published: Path = Path("published")
    vms: VmsSettings
    ledger: LedgerSettings
    companies: tuple[CompanySettings, ...] = ()
    posting: PostingSettings = PostingSettings()
    partners: PartnerSettings = PartnerSettings()
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
    for name, text in sorted(environ.items()):
        first, *rest = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or first not in Settings.model_fields:
            continue
        try:
            value = json.loads(text, parse_float=Decimal) if text.lstrip()[:1] in {"[", "{"} else text
        except ValueError as error:
            problems.append(f"{name} is not JSON: {error}")
            continue
        for part in reversed(rest):
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
            del values[section][member]
    return values


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + "__".join(str(part) for part in location).upper()


def _sign_in_problems(vms: object) -> list[str]:
    given = vms if isinstance(vms, Mapping) else {}
    if given.get("username") and given.get("password"):
        return []
    missing = [name for name in ("token_url", "client_id", "client_secret") if not given.get(name)]
    return [f"{_variable(('vms', name))}: missing (or set VMS__USERNAME and VMS__PASSWORD)" for name in missing]


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
            f"{_variable(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
    if problems:
        raise SettingsError("Settings: " + "; ".join(problems), next_step="correct them and run `springline check`.")
    return settings
