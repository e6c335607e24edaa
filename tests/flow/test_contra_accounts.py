"""GL documents of a period end: several contra accounts, both sides in one document, a call without answer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.flow.world import Row, World, read_rows, sample_documents, world

if TYPE_CHECKING:
    from pathlib import Path

# Accounts of the VMS: costs with a balance account, freight with an asset account.
COSTS: Row = {"key": 1_900_001, "accountCode": "HIRE", "glAccount": "4300", "isRevenue": False,
              "balanceAccountAccrual": "2965"}  # fmt: skip
FREIGHT: Row = {"key": 1_900_002, "accountCode": "FRT", "glAccount": "3000", "isRevenue": True,
                "balanceAccountAccrual": "2965", "balanceAccountAccrualAsset": "1530"}  # fmt: skip
SEVERAL, BOTH_SIDES, WITH_VAT = "ACP2609-901", "CAP2609-901", "ACP2609-902"


def _document(number: str, key: int, *lines: Row, **members: object) -> Row:
    [original] = sample_documents("ACP2609-001")
    total = sum((line["documentAmount"] for line in lines), Decimal(0))
    amounts = dict.fromkeys(("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount"), total)
    day = {"documentDate": "2026-10-31T00:00:00"}
    own = {
        "key": key,
        "documentNo": number,
        "documentType": number[:3],
        "documentLines": [*lines],
    }
    return {**original, **day, **own, **amounts, **members}


def _line(gl_account: str, amount: str, **members: object) -> Row:
    [original] = sample_documents("ACP2609-001")
    amounts = dict.fromkeys(("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount"), Decimal(amount))
    return {
        **original["documentLines"][0],
        # The ledger has no project of the sample's voyages before the job master-data has run.
        "voyage": None,
        "glAccount": gl_account,
        "documentLineText": f"on {gl_account}",
        **amounts,
        **members,
    }


def _documents() -> Iterator[Row]:
    yield _document(
        SEVERAL, 6_500_001,
        _line("4300", "100.00", account=COSTS["key"]),
        _line("3000", "-60.00", account=FREIGHT["key"]),
        _line("4310", "5.00"),
    )  # fmt: skip
    yield _document(BOTH_SIDES, 6_500_002, _line("4300", "-80.00"), _line("4310", "80.00"), glAccount=None)
    yield _document(WITH_VAT, 6_500_003, _line("4300", "100.00"), _line("2710", "25.00"))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[World]:
    accounts = [*read_rows("vms/Account"), COSTS, FREIGHT]
    with world(tmp_path, {"vms/Document": _documents(), "vms/Account": accounts}) as live:
        yield live


def _shown(nodes: list[Row]) -> list[tuple[str, str]]:
    return [(node["account"]["code"], node["amount"]) for node in nodes]


def test_each_contra_account_has_its_control_line(live: World) -> None:
    live.run("documents")
    sent = live.sent()
    assert _shown(sent[SEVERAL]) == [
        ("2965", "-100.00"), ("1530", "60.00"), ("2960", "-5.00"),
        ("4300", "100.00"), ("3000", "-60.00"), ("4310", "5.00"),
    ]  # fmt: skip
    # Both sides are in the document: no control line, and the first line's text is what the ledger shows of it.
    assert _shown(sent[BOTH_SIDES]) == [("4300", "-80.00"), ("4310", "80.00")]
    assert [node["text"] for node in sent[BOTH_SIDES]] == [f"{BOTH_SIDES} on 4300", "on 4310"]
    assert WITH_VAT not in sent
    held = live.rows("SELECT document_no, rule FROM holds WHERE until IS NULL")
    assert (WITH_VAT, "vat_on_gl_document") in held
    assert {number for number, _ in held} == {WITH_VAT}
    assert live.statuses() == {SEVERAL: "POS", BOTH_SIDES: "POS", WITH_VAT: "RFP"}


def test_explain_and_dry_run_name_the_source(live: World) -> None:
    ended = live.command("run", "documents", "--dry-run")
    sources = "Control account 2965 from account.balanceAccountAccrual, 1530 from account.balanceAccountAccrualAsset"
    assert sources in " ".join(ended.out.split())


def test_accounts_are_read_once_a_day_where_needed(live: World) -> None:
    live.run("documents")
    assert live.requests()["vms"]["GET /ws/rest/Account"] == 2
    live.run("documents")
    assert live.requests()["vms"]["GET /ws/rest/Account"] == 1, "the control accounts alone"


def test_a_lost_answer_posts_no_side_twice(live: World) -> None:
    live.sandbox.fault("ledger", {"kind": "drop_after"}, times=1, match={"operation": "addGLImportItems"})
    # What never comes is not waited for longer than this.
    live.run("documents", SPRINGLINE_LEDGER__TIMEOUT="1.5")
    live.run("documents")
    assert {number: len(nodes) for number, nodes in live.sent().items()} == {SEVERAL: 6, BOTH_SIDES: 2}
    assert live.booked() == {6_500_001: 1, 6_500_002: 1}
