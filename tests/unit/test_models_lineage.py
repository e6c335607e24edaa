"""Where a column's value comes from, step by step and in the end."""

from __future__ import annotations

import pytest

from pipelines.core.errors import UsageError
from pipelines.models.lineage import lineage_lines, sources
from tests.models.small import catalog

HEAD = "-- One x.\n-- grain: document_key\n"


def _parents(sql: str) -> dict[str, list[str]]:
    (model,) = catalog({"post.x": f"{HEAD}{sql}"}).models
    return {column.name: [str(parent) for parent in column.parents] for column in model.columns}


def _of_n(expression: str, rest: str = "FROM stg_vms.document_lines AS l") -> list[str]:
    return [name.removeprefix("stg_vms.") for name in _parents(f"SELECT document_key, {expression} AS n {rest}")["n"]]


def test_the_tree_goes_through_all_models() -> None:
    lines = lineage_lines(catalog(), "post.totals", "difference")
    assert [(line.column, line.expression) for line in lines] == [
        ("post.totals.difference", "rounded.amount - totals.total"),
        ("map.rounded.amount", "CAST(ROUND(documents.amount, 2) AS DECIMAL(18, 4))"),
        ("stg_vms.documents.amount", ""),
        ("stg_vms.document_lines.amount", ""),
    ]
    assert [line.type for line in lines][::2] == ["DECIMAL(38,18)", "DECIMAL(38,18)"]
    assert catalog().model("post.totals").column("difference").line == 15


def test_sources_are_the_landed_columns_of_every_column() -> None:
    found = sources(catalog(), "post.totals")
    assert {name: [str(ref) for ref in refs] for name, refs in found.items()} == {
        "document_key": ["stg_vms.documents.document_key"],
        "amount": ["stg_vms.documents.amount"],
        "total": ["stg_vms.document_lines.amount"],
        "difference": ["stg_vms.document_lines.amount", "stg_vms.documents.amount"],
    }
    assert sources(catalog(), "post.totals", schemas=("ctl",))["amount"] == ()


@pytest.mark.parametrize(
    ("expression", "origins"),
    [
        ("SUM(l.amount) OVER (PARTITION BY l.document_key ORDER BY l.line_key)", ["document_lines.amount"]),
        ("ROW_NUMBER() OVER (PARTITION BY l.document_key ORDER BY l.line_key)", ["document_lines.line_key"]),
        ("CASE WHEN l.line_key > 1 THEN l.amount END", ["document_lines.amount", "document_lines.line_key"]),
        ("(SELECT MAX(d.amount) FROM stg_vms.documents AS d WHERE d.document_key = l.line_key)", ["documents.amount"]),
        ("7", []),
    ],
)  # fmt: skip
def test_only_what_makes_the_value_is_its_origin(expression: str, origins: list[str]) -> None:
    assert _of_n(expression) == origins


def test_the_order_of_an_aggregate_is_no_origin() -> None:
    grouped = "FROM stg_vms.documents GROUP BY document_key"
    assert _of_n("STRING_AGG(document_no, ', ' ORDER BY document_date)", grouped) == ["documents.document_no"]


def test_a_union_has_the_origins_of_both_arms() -> None:
    union = "SELECT document_key FROM stg_vms.documents UNION ALL SELECT line_key FROM stg_vms.document_lines"
    assert _parents(union)["document_key"] == ["stg_vms.document_lines.line_key", "stg_vms.documents.document_key"]


def test_steps_stars_and_using_are_seen_through() -> None:
    sql = (
        "WITH a AS (SELECT * FROM stg_vms.documents), b AS (SELECT a.*, a.amount + 1 AS more FROM a)\n"
        "SELECT document_key, b.more FROM b LEFT JOIN stg_vms.document_lines USING (document_key)"
    )
    assert _parents(sql) == {
        "document_key": ["stg_vms.document_lines.document_key", "stg_vms.documents.document_key"],
        "more": ["stg_vms.documents.amount"],
    }


def test_an_unknown_model_or_column_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"no model post\.total \(did you mean post\.totals"):
        lineage_lines(catalog(), "post.total", "amount")
    with pytest.raises(UsageError, match=r"post\.totals has no column amout"):
        lineage_lines(catalog(), "post.totals", "amout")
