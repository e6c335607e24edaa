"""Partners, vessels and voyages over real sockets: written once, in the order of need, with fields the ledger takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipelines.load.delivery import DeliveryResult
from pipelines.load.ledger.master_data import deliver_master_data
from pipelines.wire.query import Reading
from tests.support.delivery_flow import Batch, Clients, settings_for
from tests.support.delivery_models import change, create_models
from tests.support.delivery_seed import NO_LIMITS, seed
from tests.support.sandbox_server import Sandbox, running_sandbox

SUPPLIER = "code bankAccount ledgerType { name } address { place country { code } }"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, seed(tmp_path / "seed", keys=())) as sandbox:
        sandbox.control("POST", "ledger/settings", NO_LIMITS)
        yield sandbox


@pytest.fixture
def clients(sandbox: Sandbox) -> Iterator[Clients]:
    clients = Clients(settings_for(sandbox))
    yield clients
    clients.close()


@pytest.fixture
def batch(clients: Clients, tmp_path: Path) -> Iterator[Batch]:
    batch = Batch(clients, tmp_path / "ctl.sqlite")
    fill(batch, clients)
    yield batch
    batch.close()


def fill(batch: Batch, clients: Clients) -> None:
    """Let the models want one of each kind."""
    create_models(batch.warehouse)
    [kind] = [row["dbId"] for row in read(clients, "objectKinds", "dbId name") if row["name"] == "VESSEL"]
    partner: dict[str, Any] = {
        "description": "Nordic AS",
        "company_number": "974760673",
        "tax_number": "NO974760673MVA",
        "country_code": "NO",
        "email": "a@b.no",
    }
    address: dict[str, Any] = {
        "street_address": "Kaigata 1",
        "zip_code": "5003",
        "place": "Bergen",
        "bank_account": "86011117947",
    }
    change(batch.warehouse, "post.company_changes", "70001", **partner)
    bank: dict[str, Any] = {"swift": "SPARNO22", "bank_routing": "021000089"}
    change(batch.warehouse, "post.supplier_changes", "70001", **partner, **address, **bank)
    change(batch.warehouse, "post.customer_changes", "70001", **partner, **address)
    change(batch.warehouse, "post.cost_centre_changes", "V001", description="Alpha", definition_db_id=int(kind))
    change(
        batch.warehouse,
        "post.project_changes",
        "V001-2601",
        description="Alpha V001-2601",
        from_date=date(2026, 1, 5),
        vessel_code="V001",
    )


def read(clients: Clients, connection: str, selection: str) -> list[dict[str, Any]]:
    [pages] = clients.ledger.read([Reading(connection, selection)])
    return [row for page in pages for row in msgspec.json.decode(page)]


def test_every_kind_arrives_with_its_fields(batch: Batch, clients: Clients) -> None:
    assert deliver_master_data(batch.context()) == DeliveryResult(sent=5)
    [company] = [row for row in read(clients, "companies", "dbId code companyNumber") if row["code"] == "70001"]
    assert company["companyNumber"] == "974760673"
    [customer] = read(clients, "customers", "code description company { dbId }")
    assert customer["company"]["dbId"] == company["dbId"]
    [supplier] = [row for row in read(clients, "subledgers", SUPPLIER) if row["ledgerType"]["name"] == "AP"][1:]
    assert supplier["address"]["country"]["code"] == "NO"
    assert (supplier["bankAccount"], supplier["address"]["place"]) == ("86011117947", "Bergen")
    [vessel] = [row for row in read(clients, "objectValues", "dbId code") if row["code"] == "V001"]
    [project] = read(clients, "projects", "code fromDate toDate glObject1 { dbId }")
    assert project["glObject1"]["dbId"] == vessel["dbId"]
    assert (project["code"], project["fromDate"], project["toDate"]) == ("V001-2601", "2026-01-05", None)


def test_a_lost_control_store_adds_no_code_twice(batch: Batch, clients: Clients, tmp_path: Path) -> None:
    deliver_master_data(batch.context())
    anew = Batch(clients, tmp_path / "empty.sqlite")
    fill(anew, clients)
    assert deliver_master_data(anew.context()) == DeliveryResult(sent=5)
    anew.close()
    assert len(read(clients, "projects", "code")) == 1
    assert len([row for row in read(clients, "suppliers", "code") if row["code"] == "70001"]) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_lost_calls_add_no_code_twice(sandbox: Sandbox, batch: Batch, clients: Clients, kind: str) -> None:
    for operation in ("addSuppliers", "addProjects"):
        sandbox.fault("ledger", {"kind": kind}, times=1, match={"operation": operation})
    assert deliver_master_data(batch.context()).sent == 5
    assert [row["code"] for row in read(clients, "suppliers", "code")] == ["60526", "70001"]
    assert [row["code"] for row in read(clients, "projects", "code")] == ["V001-2601"]


def test_an_update_changes_what_differs_and_no_more(batch: Batch, clients: Clients) -> None:
    deliver_master_data(batch.context())
    [db_id] = [row["dbId"] for row in read(clients, "suppliers", "dbId code") if row["code"] == "70001"]
    batch.warehouse.execute("DELETE FROM post.supplier_changes")
    change(batch.warehouse, "post.supplier_changes", "70001", action="update", db_id=int(db_id), email="new@b.no")
    assert deliver_master_data(batch.context()) == DeliveryResult(sent=1)
    [supplier] = [row for row in read(clients, "suppliers", "code email description") if row["code"] == "70001"]
    assert supplier == {"code": "70001", "email": "new@b.no", "description": "Nordic AS"}
