"""The character U+0000, which no text of PostgreSQL can hold, costs one object on either store, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.contracts.tables import create_staging_tables
from pipelines.contracts.vms import DOCUMENTS
from pipelines.extract.land import land
from pipelines.step.context import Context
from pipelines.stores.opening import open_store
from tests.support.control_stores import KINDS, new_place
from tests.support.landing import make_context, page, vms_document

KEY = 5_200_000
WORDS = "the character U+0000 stands in the text"


@pytest.fixture(params=KINDS)
def ctx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    made = make_context(tmp_path)
    made.control.close()
    context = replace(made, control=open_store(new_place(request.param, tmp_path)))
    create_staging_tables(context.warehouse)
    yield context
    context.warehouse.close()
    context.control.close()


def rejected(ctx: Context) -> list[tuple[object, ...]]:
    found = ctx.control.read("SELECT object_key, document_no, member, message FROM rejected WHERE until IS NULL")
    return [tuple(row) for row in found]


@pytest.mark.parametrize("member", ["documentText", "documentNo", "externalDocumentNo"])
def test_one_document_is_set_aside_and_the_others_land(ctx: Context, member: str) -> None:
    spoilt = vms_document(2) | {member: "a\0b"}
    landed = land(ctx, DOCUMENTS, [page(vms_document(1), spoilt, vms_document(3))], side="vms")
    assert landed.rejected_keys == {KEY + 2}
    [(key, number, where, message)] = rejected(ctx)
    assert (key, number, where) == (str(KEY + 2), None if member == "documentNo" else "2700002", member)
    assert f"{member}: {WORDS}" in str(message)
    assert "correct it in the VMS" in str(message)
    found = ctx.warehouse.execute("SELECT document_key FROM stg_vms.documents ORDER BY 1").fetchall()
    assert found == [(KEY + 1,), (KEY + 3,)]
    # Once it is right it comes by itself.
    land(ctx, DOCUMENTS, [page(vms_document(2))], side="vms")
    assert rejected(ctx) == []


def test_a_bare_zero_byte_is_set_aside_too(ctx: Context) -> None:
    bare = page(vms_document(1)).replace(b"Port call", b"Port\0call")
    landed = land(ctx, DOCUMENTS, [bare[:-1] + b"," + page(vms_document(2))[1:]], side="vms")
    assert landed.counts.rejected == 1
    [(_, _, _, message)] = rejected(ctx)
    assert "is no JSON" in str(message)


def test_what_only_looks_like_it_is_text(ctx: Context) -> None:
    landed = land(ctx, DOCUMENTS, [page(vms_document(1, documentText="C:\\u0000"))], side="vms")
    assert landed.counts.rejected == 0
    assert ctx.warehouse.execute("SELECT document_text FROM stg_vms.documents").fetchone() == ("C:\\u0000",)
