"""A tenant whose partner types cannot be read, and one with companies of which only one is integrated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.flow.world import World, sample_documents, world

if TYPE_CHECKING:
    from pipelines.batch.run import BatchResult

OURS, OTHERS = "2706035", "2706143"
JOBS = ("master-data", "documents")
ONE = '[{"code":"28601","owner":28601,"link":28600}]'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    documents = {"vms/Document": sample_documents(OURS, OTHERS)}
    with world(tmp_path_factory.mktemp("tenants"), documents, SPRINGLINE_COMPANIES=ONE) as served:
        yield served


def _held(served: World) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for number, rule in served.rows("SELECT document_no, rule FROM holds WHERE until IS NULL"):
        found.setdefault(number, set()).add(rule)
    return found


def _told(result: BatchResult, text: str) -> bool:
    return any(text in problem for problem in result.problems)


# In their order: each goes on from the one before.
def test_supplier_invoices_wait_where_no_partner_type_can_be_read(served: World) -> None:
    renamed = {"kind": "replace", "old": '"businessPartnerType":', "new": '"typ":'}
    served.sandbox.fault("vms", renamed, match={"method": "GET"})
    result = served.run(*JOBS, SPRINGLINE_COMPANIES_OTHERS="leave")
    # Nor can any partner be created as a supplier.
    assert _held(served) == {OURS: {"partner_types_unreadable", "supplier_missing"}}
    assert served.sent() == {}
    assert _told(result, "has businessPartner.businessPartnerType.businessPartnerType")


def test_a_company_that_is_left_alone_is_counted(served: World) -> None:
    result = served.run("documents", SPRINGLINE_COMPANIES_OTHERS="leave")
    assert _told(result, "Left alone, as companies_others in the settings says: 28602 (1 document).")
    status = served.command("status", "--json", SPRINGLINE_COMPANIES_OTHERS="leave").json()
    assert status["left_alone"] == {"28602": 1}
    assert OTHERS not in served.sent()


def test_a_rule_that_is_switched_off_holds_nothing_and_is_told(served: World) -> None:
    off = {"SPRINGLINE_POSTING__RULES_OFF": "partner_is_charterer"}
    result = served.run("documents", **off)
    assert _told(result, "Switched off by the settings (posting.rules_off): partner_is_charterer")
    assert served.command("status", "--json", **off).json()["rules_off"] == ["partner_is_charterer"]
    # Of a company that is not configured nothing is posted, though the ledger has an entity of its code.
    assert _held(served) == {OURS: {"supplier_missing"}, OTHERS: {"company_unknown"}}


def test_types_that_can_be_read_again_let_the_invoice_go(served: World) -> None:
    served.sandbox.control("DELETE", "faults")
    served.run(*JOBS, SPRINGLINE_COMPANIES_OTHERS="leave")
    assert [*served.sent()] == [OURS]
    assert not {OURS, OTHERS} & _held(served).keys()
