"""The companies and entities of both sides, as the settings tie them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.going_live.probe import Probe

MOST_LEVELS = 4


@dataclass(frozen=True, slots=True)
class Company:
    """One VMS company and the entities it belongs to; accounts where the settings name them."""

    code: str
    owner: int
    link: int | None = None
    payables_account: str | None = None
    receivables_account: str | None = None

    def account(self, side: str) -> str | None:
        """Return the control account of a side (AP, AR) that the settings name."""
        return self.payables_account if side == "AP" else self.receivables_account


@dataclass(frozen=True, slots=True)
class Entities:
    """The ledger's entities by their numeric code."""

    by_code: Mapping[int, Mapping[str, Any]]

    def seen_by(self, code: int) -> set[int]:
        """Return the entity itself and those above it, whose records it sees (xledger.md 1.4)."""
        by_id = {str(node["dbId"]): found for found, node in self.by_code.items()}
        seen = [code]
        for _ in range(MOST_LEVELS):
            parent = by_id.get(str((self.by_code[seen[-1]].get("parent") or {}).get("dbId")))
            if parent is None:
                break
            seen.append(parent)
        return set(seen)

    def kind(self, code: int, field: str) -> str | None:
        """Return the id of the object kind behind a field (glObject1), the entity's own or that of one above it."""
        for seen in sorted(self.seen_by(code), key=lambda found: found != code):
            for entry in self.by_code[seen].get("glSetupEntries") or ():
                if str((entry.get("field") or {}).get("name")).lower() == field.lower():
                    kind = ((entry.get("fieldObject") or {}).get("objectKind") or {}).get("dbId")
                    return None if kind is None else str(kind)
        return None


def read_entities(probe: Probe) -> Entities:
    """Read the entities; those whose code is no number can have no vouchers and are left out."""
    nodes = (node for node in probe.nodes()["entities"] if str(node["code"]).isdecimal())
    return Entities({int(str(node["code"])): node for node in nodes})


def mapped_companies(probe: Probe) -> list[Company]:
    """Return the companies of the settings, and VMS companies whose code is an entity's (mapping.md 1.5)."""
    settings = [
        Company(c.code, c.owner, c.link, c.payables_account, c.receivables_account) for c in probe.settings.companies
    ]
    named = {company.code for company in settings}
    entities = read_entities(probe)
    return [
        *settings,
        *(
            Company(code, int(code))
            for code in sorted(probe.companies())
            if code not in named and code.isdecimal() and int(code) in entities.by_code
        ),
    ]
