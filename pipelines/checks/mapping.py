"""Checks the tenant's mapping files against the ledger, before any document is mapped with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.core.mapping_files import (
    DIMENSIONS,
    GL_ACCOUNTS,
    company_faults,
    find_mappings,
    ledger_faults,
    raise_faults,
)
from pipelines.step.counts import Counts
from pipelines.stores.mapping_used import keep_used

if TYPE_CHECKING:
    from pipelines.step.context import Context

# The ledger's codes of a kind, as they were read last.
_ACCOUNTS = "SELECT DISTINCT code FROM stg_ledger.accounts"
_CODES = {
    "posting1": "SELECT DISTINCT code FROM stg_ledger.object_values",
    "posting2": "SELECT DISTINCT code FROM stg_ledger.projects",
    "posting3": "SELECT DISTINCT code FROM stg_ledger.object_values",
    "xgl": "SELECT DISTINCT code FROM stg_ledger.xgl_dimensions",
}
# Without configured companies a VMS company is the entity of the same code.
_COMPANIES = "SELECT DISTINCT code FROM stg_ledger.entities"


def check_mapping(ctx: Context) -> Counts:
    """Raise SettingsError with every fault of the mapping files, also with each code that the ledger does not have."""
    mappings, faults = find_mappings(ctx.settings)
    if any(mappings.values()):
        faults += ledger_faults(
            mappings,
            accounts=_read(ctx, _ACCOUNTS),
            codes={dimension: _read(ctx, statement) for dimension, statement in _CODES.items()},
        )
        entities = _read(ctx, _COMPANIES)
        known = entities | {company.code for company in ctx.settings.companies}
        # Configured companies are checked with the file itself.
        if entities and (not ctx.settings.companies or ctx.settings.companies_others == "post"):
            for setting in (GL_ACCOUNTS, DIMENSIONS):
                faults += company_faults(setting, mappings[setting], known)
    raise_faults(faults)
    return Counts()


def note_mapping(ctx: Context) -> Counts:
    """Keep which mapping this run uses, so that a dry run can tell what a change of the files would touch."""
    mappings, faults = find_mappings(ctx.settings)
    # Changed since they were checked: what this run has mapped with is not known, and the next run checks them anew.
    if not faults:
        keep_used(ctx.control, mappings)
    return Counts()


def _read(ctx: Context, statement: str) -> set[str]:
    return {str(code) for (code,) in ctx.warehouse.execute(statement).fetchall() if code is not None}
