"""What people read of the comparison and of the close is described in words, column by column."""

from __future__ import annotations

import pytest

from pipelines.core.table_ref import ColumnRef
from pipelines.models.model import Catalog, Model
from pipelines.publish.descriptions import description
from tests.support.verified import verified_models

READ_BY_PEOPLE = ("rec", "close", "analysis")
# Words that mean something only beside the column before.
NO_WORDS = frozenset({"likewise", "of that", "the same", "as above"})


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return verified_models()


def wordless(catalog: Catalog, model: Model) -> list[str]:
    """Return the columns that would show their lineage or their SQL in place of what they are."""
    said = {column.name: description(catalog, ColumnRef(model.ref, column.name)) for column in model.columns}
    return [f"{model.ref}.{name}" for name, words in said.items() if not words or words in NO_WORDS]


def test_every_column_that_people_read_is_said_in_words(catalog: Catalog) -> None:
    read = [model for model in catalog.models if model.ref.schema in READ_BY_PEOPLE]
    assert [name for model in read for name in wordless(catalog, model)] == []


def test_a_column_that_has_only_its_sql_is_found(catalog: Catalog) -> None:
    assert "post.payment_changes.natural_key" in wordless(catalog, catalog.model("post.payment_changes"))
