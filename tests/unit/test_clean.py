"""What nobody sees tells no two codes apart: it is taken off before a row is staged, and said once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from pipelines.checks.messages import fill
from pipelines.contracts.contract import Form, Member
from pipelines.contracts.ledger import SUPPLIERS
from pipelines.contracts.tables import create_staging_tables
from pipelines.contracts.vms import DOCUMENTS, PARTNERS
from pipelines.core.identifiers import clean_code, clean_iban, is_iban, removed_characters
from pipelines.core.settings_values import Codes
from pipelines.extract import incoming
from pipelines.extract.clean import clean_rows, clean_staged
from pipelines.extract.land import land
from tests.support.landing import make_context, page, ref, vms_document

NBSP, ZERO_WIDTH, BOM, SOFT, THIN, WORD_JOINER = "\u00a0", "\u200b", "\ufeff", "\u00ad", "\u2009", "\u2060"


@pytest.mark.parametrize(
    ("came", "named"),
    [
        ("4300\t", ["tab"]),
        (f"{NBSP}4300", ["no-break space"]),
        (f"43{ZERO_WIDTH}00", ["zero width space"]),
        (f"{BOM}4300", ["zero width no-break space"]),
        (f"43{SOFT}00", ["soft hyphen"]),
        (f"4300{THIN}\r\n", ["thin space", "carriage return", "line feed"]),
        ("43\u202e00", ["right-to-left override"]),
        (f"4300{WORD_JOINER}\0\x01", ["word joiner", "zero byte", "U+0001"]),
        ("  4300 ", []),
        ("4300", []),
    ],
)
def test_what_nobody_sees_is_taken_off_and_named(came: str, named: list[str]) -> None:
    assert clean_code(came) == "4300"
    assert removed_characters(came, "4300") == named


@pytest.mark.parametrize("code", ["V 1", "F-881", "60\n606", f"43{NBSP}00", "A\u20131", "Ø1", "6\"06'#7\\", "٦٧"])
def test_what_tells_two_codes_apart_stays(code: str) -> None:
    assert clean_code(code) == code


@pytest.mark.parametrize(
    "written",
    [
        "NO9386011117947",
        "NO93 8601 1117 947",
        "no93-8601-1117-947",
        f"NO93{NBSP}8601{NBSP}1117{NBSP}947",
        "NO93.8601.1117.947",
        "NO93\u20118601\u20131117\u2212947".replace("\u2212", "\u2010"),
        f"{ZERO_WIDTH}NO93{THIN}8601\t1117 947\n",
    ],
)
def test_an_iban_is_one_however_it_is_grouped(written: str) -> None:
    assert clean_iban(written) == "NO9386011117947"
    assert is_iban(clean_iban(written))


def test_composed_and_decomposed_letters_are_one_code() -> None:
    assert clean_code("A\u030alesund") == clean_code("Ålesund") == "Ålesund"


def test_rows_without_anything_to_clean_stay_the_same_object() -> None:
    rows = pa.table({"k": [1, 2], "code": ["4300", None]})
    assert clean_rows(rows, [(Member("code", "code", form=Form.CODE), "code")], key="k") == (rows, [])


def test_a_code_of_the_ledger_is_composed_and_never_cut() -> None:
    rows = pa.table({"k": [1], "code": ["A\u030a1 \t"]})
    cleaned, told = clean_rows(rows, [(Member("code", "code", form=Form.THEIR_CODE), "code")], key="k")
    assert (cleaned["code"].to_pylist(), told) == (["Å1 \t"], [])


@pytest.mark.parametrize("setting", ["A\u030a1", " Å1 "])
def test_a_code_of_the_settings_is_compared_in_the_same_form(setting: str) -> None:
    assert TypeAdapter(Codes).validate_python([setting]) == ("Å1",)


def test_a_message_names_what_looks_like_a_blank() -> None:
    row = {"missing_accounts": f"43{NBSP}00, 43\t10", "partner_name": f"Nordic{NBSP}Agency"}
    assert fill("{missing_accounts}", row=row) == "43[no-break space]00, 43[tab]10"
    assert fill("{partner_name}", row=row) == "Nordic Agency"


def test_codes_land_clean_and_are_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    ctx = replace(make_context(tmp_path), tell=told.append)
    create_staging_tables(ctx.warehouse)
    document = vms_document(1, lines=2, externalDocumentNo=f"F-1{NBSP}|602243{ZERO_WIDTH}", documentNo="270 1 ")
    document["documentLines"][0] |= {"glAccount": "4300\t", "documentLineText": " as it\tcame "}
    document["businessPartner"]["bankAccount"] = {"iban": "NO93-8601-1117-947", "bankAccountNo": None}
    supplier = {"dbId": 7, "code": "A\u030a1 ", "description": "x"}
    for _ in range(2):
        land(ctx, DOCUMENTS, [page(document)], side="vms")
        land(ctx, SUPPLIERS, [page(supplier)], side="ledger")
    found = ctx.warehouse.execute("SELECT external_document_no, partner_iban, document_no FROM stg_vms.documents")
    assert found.fetchall() == [(f"F-1{NBSP}|602243", "NO9386011117947", "270 1 ")]
    lines = ctx.warehouse.execute("SELECT gl_account, line_text FROM stg_vms.document_lines ORDER BY line_key")
    assert lines.fetchone() == ("4300", " as it\tcame ")
    assert ctx.warehouse.execute("SELECT code FROM stg_ledger.suppliers").fetchall() == [("Å1 ",)]
    assert told == [
        "Document 5200001: zero width space taken off externalDocumentNo.",
        "Document 5200001: hyphen-minus taken off businessPartner.bankAccount.iban.",
        "Document 5200001: tab taken off documentLines.glAccount.",
    ]
    ctx.warehouse.close()
    ctx.control.close()


def test_very_many_cleaned_codes_are_counted(tmp_path: Path) -> None:
    told: list[str] = []
    ctx = replace(make_context(tmp_path), tell=told.append)
    partners = [ref("BusinessPartner", key, businessPartnerCode=f"{key}\t") for key in range(1, 10)]
    land(ctx, PARTNERS, [page(*partners)], side="vms")
    assert len(told) == 6
    assert told[-1] == "BusinessPartner: 4 more codes were cleaned in the same way."
    ctx.warehouse.close()
    ctx.control.close()


# What an earlier release staged as it came, what it is by now, and what is said of it.
OLD_CODES = (
    ("4300\t", "4300", "tab"),
    (f"{NBSP}4310", "4310", "no-break space"),
    (f"43{ZERO_WIDTH}20", "4320", "zero width space"),
    (f"{BOM}4330", "4330", "zero width no-break space"),
    ("43\u202e40", "4340", "right-to-left override"),
    (" 4350 ", "4350", None),
    ("A\u030a1", "Å1", None),
    ("4360", "4360", None),
    (f"43{NBSP}70", f"43{NBSP}70", None),
)


def test_what_was_staged_as_it_came_is_cleaned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    ctx = replace(make_context(tmp_path), tell=told.append)
    create_staging_tables(ctx.warehouse)
    document = vms_document(1, lines=len(OLD_CODES))
    for line, (came, _, _) in zip(document["documentLines"], OLD_CODES, strict=True):
        line["glAccount"] = came
    document["businessPartner"]["bankAccount"] = {"iban": "NO93-8601-1117-947", "bankAccountNo": None}
    other = vms_document(2, lines=2)
    supplier = {"dbId": 7, "code": "A\u030a1 ", "description": "x"}
    with monkeypatch.context() as earlier:
        earlier.setattr(incoming, "clean_rows", lambda rows, *_, **__: (rows, []))
        land(ctx, DOCUMENTS, [page(document, other)], side="vms")
        land(ctx, SUPPLIERS, [page(supplier)], side="ledger")
    fetches = "SELECT document_key, fetch_id FROM {} GROUP BY ALL ORDER BY ALL"
    [first, second] = ctx.warehouse.execute(fetches.format("stg_vms.documents")).fetchall()
    upgraded = replace(ctx, batch_id="b2")
    for _ in range(2):
        clean_staged(upgraded)
    lines = ctx.warehouse.execute(
        "SELECT gl_account FROM stg_vms.document_lines WHERE document_key = ? ORDER BY line_key", [first[0]]
    )
    assert [account for (account,) in lines.fetchall()] == [kept for _, kept, _ in OLD_CODES]
    assert ctx.warehouse.execute("SELECT code FROM stg_ledger.suppliers").fetchall() == [("Å1 ",)]
    said = [f"Document {first[0]}: {name} taken off documentLines.glAccount." for _, _, name in OLD_CODES if name]
    assert told == [
        f"Document {first[0]}: hyphen-minus taken off businessPartner.bankAccount.iban.",
        *said[:4],
        "Document: 1 more codes were cleaned in the same way.",
    ]
    # Models see by the fetch that it has changed; the other document, and what comes again as it was, are left alone.
    for table in ("stg_vms.documents", "stg_vms.document_lines", "stg_vms.document_payment_terms"):
        found = dict(ctx.warehouse.execute(fetches.format(table)).fetchall())
        assert found == {first[0]: "b2.cleaned", second[0]: second[1]}
    landed = land(upgraded, DOCUMENTS, [page(document, other)], side="vms")
    assert (landed.counts.landed, landed.counts.unchanged) == (0, 2)
    ctx.warehouse.close()
    ctx.control.close()
