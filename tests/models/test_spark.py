"""Every model as Spark would read it: it parses in Spark's grammar, and calls only what Spark 4 has by that name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlglot import exp, parse_one

from pipelines.core.table_ref import TableRef
from tests.support.engines import statements

if TYPE_CHECKING:
    from tests.models.conftest import World

# Each is built into Spark 4 with the meaning DuckDB gives it (spark.apache.org/docs/latest/api/sql).
FUNCTIONS = frozenset(
    {
        "ABS", "CAST", "CEIL", "COALESCE", "CONCAT_WS", "COUNT", "DATEDIFF", "DATE_FORMAT", "DATE_TRUNC", "DECIMAL",
        "DENSE_RANK", "EXISTS", "EXTRACT", "FIRST_VALUE", "FLOOR", "GREATEST", "LAG", "LAST_DAY", "LEAD", "LEAST",
        "LENGTH", "LISTAGG", "LOCATE", "LOWER", "LPAD", "MAKE_DATE", "MAX", "MIN", "NULLIF", "RANK", "REPLACE", "RPAD",
        "RIGHT", "ROUND", "ROW_NUMBER", "SPLIT_PART", "STARTSWITH", "SUBSTRING", "SUM", "TRANSLATE", "TRIM",
        "TRUNC", "TRY_CAST", "UPPER",
    }
)  # fmt: skip
# Spark's TIMESTAMP has a zone; an integer beyond 64 bits is a decimal.
TYPES = frozenset({"BIGINT", "BOOLEAN", "DATE", "DECIMAL", "INT", "STRING", "TIMESTAMP_NTZ"})


@pytest.fixture(scope="module")
def transpiled(world: World) -> dict[TableRef, str]:
    return dict(statements(world.catalog, "spark"))


def test_every_model_parses_as_spark_reads_it(transpiled: dict[TableRef, str], world: World) -> None:
    assert list(transpiled) == [model.ref for model in world.catalog.models]
    for model in world.catalog.models:
        made = parse_one(transpiled[model.ref], dialect="spark")
        assert isinstance(made.expression, exp.Query), model.ref
        assert made.expression.named_selects == [column.name for column in model.columns], model.ref
        used = {data_type.sql("spark").partition("(")[0] for data_type in made.find_all(exp.DataType)}
        assert used <= TYPES, model.ref


def test_models_call_only_what_spark_has(transpiled: dict[TableRef, str]) -> None:
    called = {
        name: str(ref)
        for ref, sql in transpiled.items()
        for name in re.findall(r"\b([A-Z_]+)\(", re.sub(r"'(?:[^']|'')*'", "''", sql))
    }
    assert {name: ref for name, ref in called.items() if name not in FUNCTIONS} == {}
