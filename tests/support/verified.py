"""The product's models, verified once for all processes of a session: that takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.models.store import open_catalog
from tests.support.once import once

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.models.model import Catalog

MODELS = "models.json"


def verified_file() -> Path:
    """Give the product's models, verified over the tables it declares, in the form that a warehouse keeps them in."""
    return once("verified", lambda folder: _verify(folder / MODELS)) / MODELS


def verified_models() -> Catalog:
    """Give the product's models, verified over the tables it declares."""
    return _verify(verified_file())


def _verify(cache: Path) -> Catalog:
    return open_catalog(sql_folder(), declared_tables(), cache=cache)
