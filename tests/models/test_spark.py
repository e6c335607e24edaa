"""Every model as Spark would read it: it parses in Spark's own grammar, and calls only what Spark 4 has by that name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one

from pipelines.models.dialect import statements

if TYPE_CHECKING:
    from tests.models.conftest import World

# Each is built into Spark 4 with the meaning DuckDB gives it (spark.apache.org/docs/latest/api/sql).
FUNCTIONS = frozenset(
    {
        "ABS", "CAST", "CEIL", "COALESCE", "COUNT", "DATEDIFF", "DATE_FORMAT", "DATE_TRUNC", "DECIMAL", "DENSE_RANK",
        "EXISTS", "EXTRACT", "FIRST_VALUE", "FLOOR", "GREATEST", "LAG", "LAST_DAY", "LEAD", "LEAST", "LENGTH",
        "LISTAGG", "LOCATE", "LOWER", "LPAD", "MAKE_DATE", "MAX", "MIN", "NULLIF", "RANK", "REPLACE", "ROUND",
        "ROW_NUMBER", "SIGN", "SPLIT_PART", "STARTSWITH", "SUBSTRING", "SUM", "TRANSLATE", "TRIM", "TRUNC", "TRY_CAST",
        "UPPER",
    }
)  # fmt: skip
# Spark's TIMESTAMP has a zone; an integer beyond 64 bits is a decimal.
TYPES = frozenset({"BIGINT", "BOOLEAN", "DATE", "DECIMAL", "INT", "STRING", "TIMESTAMP_NTZ"})


def test_every_model_parses_as_spark_reads_it(world: World) -> None:
    made = dict(statements(world.catalog, "spark"))
    assert list(made) == [model.ref for model in world.catalog.models]
    for model in world.catalog.models:
        select = parse_one(made[model.ref], dialect="spark").expression
        assert isinstance(select, exp.Query)
        assert select.named_selects == [column.name for column in model.columns], model.ref


def test_models_call_only_what_spark_has(world: World) -> None:
    called = {
        name: ref
        for ref, sql in statements(world.catalog, "spark")
        for name in re.findall(r"\b([A-Z_]+)\(", re.sub(r"'(?:[^']|'')*'", "''", sql))
    }
    assert {name: str(ref) for name, ref in called.items() if name not in FUNCTIONS} == {}


def test_models_use_only_types_spark_has(world: World) -> None:
    used = {
        data_type.sql("spark").partition("(")[0]: ref
        for ref, sql in statements(world.catalog, "spark")
        for data_type in parse_one(sql, dialect="spark").find_all(exp.DataType)
    }
    assert {name: str(ref) for name, ref in used.items() if name not in TYPES} == {}
