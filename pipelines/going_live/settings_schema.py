"""The JSON schema of springline.toml, from the settings' own classes: editors complete and check with it."""

from __future__ import annotations

import json
from typing import Any

from pipelines.core.settings import Settings
from pipelines.core.settings_sources import SECRETS

# The draft that every editor for TOML knows.
DRAFT = "http://json-schema.org/draft-07/schema#"


def settings_schema() -> str:
    """Return the schema as text: what the file may hold, and so no secret."""
    schema = Settings.model_json_schema()
    for section, member in SECRETS:
        name = schema["properties"][section]["$ref"].rpartition("/")[2]
        del schema["$defs"][name]["properties"][member]
    for table in (schema, *schema["$defs"].values()):
        table["properties"] = {name: _property(value) for name, value in table["properties"].items()}
        # What the file lacks may stand in the environment; in a block of a list, nothing can.
        if table is schema or table["title"] != "CompanySettings":
            table.pop("required", None)
    head = {"$schema": DRAFT, "title": "springline.toml"}
    return json.dumps(head | {name: value for name, value in schema.items() if name != "title"}, indent=2) + "\n"


def _property(value: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value as TOML has it: there is no null, and a default of a section says nothing."""
    kept = {name: inner for name, inner in value.items() if name not in {"title", "anyOf"}}
    for choice in value.get("anyOf", ()):
        kept |= choice if choice.get("type") != "null" else {}
    if kept.get("default") is None or "$ref" in kept:
        kept.pop("default", None)
    return kept
