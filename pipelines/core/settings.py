"""Settings: springline.toml, overridden by the environment, with all faults reported at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from pipelines.core.control_place import Place, PostgresSchema
from pipelines.core.errors import SettingsError
from pipelines.core.hiding import never_show
from pipelines.core.lake_place import LakePlace
from pipelines.core.resources import seed_file
from pipelines.core.settings_books import (
    CompanySettings,
    PartnerSettings,
    PostingSettings,
    RateSettings,
    VoyageSettings,
)
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
from pipelines.core.settings_systems import LedgerSettings, VmsSettings, sign_in_problems
from pipelines.core.settings_values import (
    ControlPlace,
    DataPlace,
    OurFile,
    OurFolder,
    Text,
    Warehouse,
    is_for_all_to_read,
)
from pipelines.core.settings_watch import AlertSettings, WatchSettings, WebhookSettings

PLAIN = (
    "has no TLS, and whoever is on the way reads what signs us in; begin it with https://, or set {}.plain_http = true "
    "where the way is safe"
)


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
    problems += sign_in_problems(values["vms"], given)
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
