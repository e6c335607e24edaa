"""The companies of the VMS and the entities of the ledger, as the settings tie them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.core.settings_books import CompanySettings

if TYPE_CHECKING:
    from pipelines.going_live.probe import Probe

# How far up is looked: the walk needs an end in case an entity should be its own ancestor.
MOST_LEVELS = 4


@dataclass(frozen=True, slots=True)
class Entities:
    """The ledger's entities by their numeric code."""

    by_code: Mapping[int, Mapping[str, Any]]

    def seen_by(self, code: int) -> list[int]:
        """Return the entity itself and then those above it, whose records it sees (docs/systems/ledger.md#1-4)."""
        by_id = {str(node["dbId"]): entity for entity, node in self.by_code.items()}
        seen = [code]
        for _ in range(MOST_LEVELS):
            parent = by_id.get(str((self.by_code[seen[-1]].get("parent") or {}).get("dbId")))
            if parent is None:
                break
            seen.append(parent)
        return seen

    def object_kind(self, code: int, field: str) -> str | None:
        """Return the id of the object kind behind a field (glObject1), its own or that of the nearest above."""
        for entity in self.seen_by(code):
            # An entity without an entry of its own takes that of the entity above it.
            for entry in self.by_code[entity].get("glSetupEntries") or ():
                if str((entry.get("field") or {}).get("name")).lower() == field.lower():
                    kind = ((entry.get("fieldObject") or {}).get("objectKind") or {}).get("dbId")
                    return None if kind is None else str(kind)
        return None


def read_entities(probe: Probe) -> Entities:
    """Read the entities, without those whose code is no number: they can have no vouchers."""
    nodes = (node for node in probe.nodes()["entities"] if str(node["code"]).isdecimal())
    return Entities({int(str(node["code"])): node for node in nodes})


def mapped_companies(probe: Probe) -> list[CompanySettings]:
    """Return the companies of the settings; the VMS companies whose code is that of an entity where they count too.

    They do where none is configured, and where the settings post those of others (docs/mapping.md#1-5).
    """
    settings = probe.settings.companies
    if settings and probe.settings.companies_others != "post":
        return [*settings]
    entities = read_entities(probe).by_code
    # As in the mapping: a code that is an entity's own needs no setting.
    rest = sorted(probe.companies().keys() - {company.code for company in settings})
    by_code = [CompanySettings(code=c, owner=int(c)) for c in rest if c.isdecimal() and int(c) in entities]
    return [*settings, *by_code]
