"""What is known before anything runs: order, every table and column, every type; and what is told when it is not."""

# ruff: noqa: S608 - the statements are the tests\' own

from __future__ import annotations

import pytest

from pipelines.core.errors import ModelError
from pipelines.core.table_ref import TableRef
from pipelines.models.external import create_tables, read_external
from tests.models.between import between
from tests.models.small import EXTERNAL, KEPT, ROUNDED, SMALL, TOTALS, catalog, warehouse

HEAD = "-- One x.\n-- grain: document_key\n"


def _faults(sql: str, **others: str) -> list[str]:
    named = {name.replace("__", "."): text for name, text in others.items()}
    with pytest.raises(ModelError) as error:
        catalog({"post.x": f"{HEAD}{sql}", **named})
    return [line.removeprefix("sql/post/x.sql:") for line in error.value.message.splitlines()[1:]]


def test_models_stand_behind_what_they_read() -> None:
    order = [
        str(model.ref)
        for model in catalog({"map.z": TOTALS.replace("map.rounded", "post.a"), "post.a": ROUNDED}).models
    ]
    assert order == ["post.a", "map.z"]


def test_models_that_read_each_other_are_named() -> None:
    faults = _faults("SELECT document_key FROM post.y", post__y=f"{HEAD}SELECT document_key FROM post.x")
    assert faults[0].endswith("models read each other in a circle: post.x reads post.y reads post.x.")


def test_between_takes_the_way_from_the_first_to_the_last() -> None:
    models = catalog().models
    last = TableRef("post", "totals")
    assert [str(m.ref) for m in between(models, first=(), last=last)] == ["post.totals"]
    through = between(models, first=[TableRef("map", "rounded")], last=last)
    assert [str(m.ref) for m in through] == ["map.rounded", "post.totals"]


def test_every_column_has_its_type() -> None:
    model = catalog().model("post.totals")
    assert {column.name: column.type for column in model.columns} == {
        "document_key": "BIGINT",
        "amount": "DECIMAL(18,4)",
        "total": "DECIMAL(38,18)",
        "difference": "DECIMAL(38,18)",
    }


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            "SELECT document_key FROM stg_vms.document",
            "3:26: there is no table stg_vms.document (did you mean stg_vms.documents or stg_vms.document_lines?).",
        ),
        (
            "SELECT d.document_key, d.documnt_no FROM stg_vms.documents AS d",
            "3:24: d has no column documnt_no (did you mean document_no or document_key or document_date?).",
        ),
        ("SELECT dokument_key AS document_key FROM ctl.outbox", "3:8: there is no column dokument_key here (did"),
        ("SELECT x.document_key FROM stg_vms.documents AS d", "3:8: nothing is called x here."),
        (
            "SELECT d.document_key, amount FROM stg_vms.documents AS d CROSS JOIN stg_vms.document_lines AS l",
            "3:24: amount is in d and in l; write which.",
        ),
        (
            "WITH a AS (SELECT document_key, amount AS total FROM stg_vms.documents)\nSELECT document_key, totl FROM a",
            "4:22: there is no column totl here (did you mean total?).",
        ),
        (
            "SELECT o.document_key, (SELECT MAX(l.nix) FROM stg_vms.document_lines AS l) AS n FROM ctl.outbox AS o",
            "3:36: l has no column nix.",
        ),
        (
            "SELECT document_key FROM ctl.outbox\nWHERE EXISTS (SELECT 1 FROM stg_vms.documents AS l WHERE l.n = 1)",
            "4:58: l has no column n.",
        ),
        (
            "SELECT document_key, 1 AS one, one + 1 AS two FROM stg_vms.documents",
            "3:32: one is named in this same SELECT, where PostgreSQL cannot read it; add a step (CTE).",
        ),
        (
            "SELECT document_key, 1 AS one FROM stg_vms.documents WHERE one = 1",
            "3:60: one is named in this same SELECT, where PostgreSQL cannot read it; add a step (CTE).",
        ),
        ("SELECT document_key, nofunction(amount) AS n FROM stg_vms.documents", "3:22: Catalog Error: Scalar Function"),
        ("SELECT document_key,\n\n  amount + document_date AS n FROM stg_vms.documents", "5:10: Binder Error: "),
        ("SELECT document_key, amount / 2 AS half FROM stg_vms.documents", "3:1: half is DOUBLE; nothing here is "),
        (
            "WITH a AS (SELECT 5 / 2 AS m FROM ctl.outbox)\nSELECT CAST(m AS INTEGER) AS document_key FROM a",
            "3:6: a.m is DOUBLE; nothing here is a float",
        ),
    ],
)  # fmt: skip
def test_what_is_not_known_is_told_with_its_place(sql: str, fault: str) -> None:
    (found,) = _faults(sql)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT document_key, amount AS a FROM stg_vms.documents ORDER BY a",
        "SELECT d.document_key FROM stg_vms.documents AS d CROSS JOIN stg_vms.document_lines ORDER BY document_key",
        "SELECT document_key FROM ctl.outbox QUALIFY ROW_NUMBER() OVER (PARTITION BY document_key ORDER BY state) = 1",
        "SELECT MAX(document_key) AS document_key, UPPER(document_no) AS n FROM stg_vms.documents GROUP BY n",
        "SELECT document_key, ROW_NUMBER() OVER (ORDER BY line_key) AS n FROM stg_vms.document_lines QUALIFY n = 1",
        "SELECT document_key FROM stg_vms.documents INNER JOIN stg_vms.document_lines USING (document_key)",
        "WITH a AS (SELECT * FROM stg_vms.documents), b AS (SELECT a.* FROM a) SELECT b.document_key FROM b",
        "SELECT d.document_key, v.n FROM stg_vms.documents AS d CROSS JOIN (VALUES (1, 'a')) AS v (n, t)",
        "SELECT document_key FROM stg_vms.documents UNION ALL SELECT line_key FROM stg_vms.document_lines",
        "WITH a (document_key, m) AS (SELECT document_key, state FROM ctl.outbox) SELECT document_key, m FROM a",
    ],
)
def test_what_the_engines_can_read_is_let_through(sql: str) -> None:
    assert catalog({"post.x": f"{HEAD}{sql}"}).models[0].columns[0].type == "BIGINT"


def test_a_keep_is_verified_against_the_model_itself() -> None:
    with pytest.raises(ModelError, match=r"sql/post/kept\.sql:3:1: there is no column stat here"):
        catalog({"map.rounded": ROUNDED, "post.kept": KEPT.replace("state =", "stat =")})


def test_all_faults_are_told_at_once() -> None:
    faults = _faults(
        "SELECT document_key, amount FROM post.y", post__y=f"{HEAD}SELECT document_key, nix FROM stg_vms.documents"
    )
    assert len(faults) == 2


def test_what_stands_on_a_fault_is_not_blamed() -> None:
    broken = "SELECT document_key, nofunction(amount) AS n FROM stg_vms.documents"
    assert len(_faults("SELECT document_key, n FROM post.y", post__y=f"{HEAD}{broken}")) == 1


def test_a_model_cannot_have_the_name_of_a_table_of_python() -> None:
    with pytest.raises(ModelError, match=r"stg_vms\.documents is also a table that Python writes"):
        catalog({"stg_vms.documents": f"{HEAD}SELECT document_key FROM ctl.outbox"})


def test_external_tables_are_read_as_they_were_declared() -> None:
    with warehouse() as connection:
        assert read_external(connection) == EXTERNAL
        create_tables(connection, EXTERNAL)
        assert connection.execute("SELECT COUNT(*) FROM stg_vms.documents").fetchone() == (2,)
    assert set(catalog().tables) == {*EXTERNAL, *map(TableRef.parse, SMALL)}
