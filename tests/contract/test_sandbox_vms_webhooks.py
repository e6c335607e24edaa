"""Webhooks of the sandbox's VMS: conditions, deliveries, retries (docs/systems/vms.md#2)."""

from __future__ import annotations

import base64
import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.patience import PATIENCE
from tests.support.sandbox_vms_world import refusal, small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.sandbox_server import Sandbox

JAVA = (
    'dlpObject.getInvoicingStatus() != null && dlpObject.getInvoicingStatus().getStatusTypeCode().equals("POS") && '
    '(dlpObject.getDocumentType().getDocumentType().equals("INO") || '
    'dlpObject.getDocumentType().getDocumentType().equals("INI"))'
)


class Receiver:
    """A loopback address that keeps what it is told, and answers with a status that can be changed."""

    def __init__(self) -> None:
        self.told: queue.Queue[tuple[dict[str, Any], str | None]] = queue.Queue()
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.put((json.loads(body), self.headers["Authorization"]))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?from=vms"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def next(self) -> dict[str, Any]:
        return self.told.get(timeout=PATIENCE)[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("vms")) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with sandbox.vms() as vms:
        yield vms
        for row in vms.get("/WebhookSubscription").json():
            vms.delete(f"/WebhookSubscription/{row['key']}")


def _subscribe(client: httpx.Client, receiver: Receiver, **members: object) -> int:
    body = {"eventType": "U", "objectType": "Document", "user": "ETL", "onlyMainObject": True, "url": receiver.url}
    answer = client.post("/WebhookSubscription", json=body | members)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["key"])


def _is_active(client: httpx.Client, key: int) -> bool:
    return client.get(f"/WebhookSubscription/{key}").json()["isActive"] is not False


def _rename(client: httpx.Client, name: str) -> None:
    client.put("/BusinessPartner/1100001", json={"businessPartnerName2": name}).raise_for_status()


def test_a_notification_points_to_the_object(client: httpx.Client, receiver: Receiver) -> None:
    key = _subscribe(client, receiver, expression=JAVA, webhookUsername="u", webhookPassword="p")
    client.put("/Document/5200001", json={"documentText": "still RFP"})
    client.put("/Document/5200001", json={"invoicingStatus": "POS"})
    told, authorization = receiver.told.get(timeout=PATIENCE)
    assert authorization == f"Basic {base64.b64encode(b'u:p').decode()}"
    assert (told["objectType"], told["eventType"], told["dataloyObject"]) == ("Document", "U", 5200001)
    assert told["dataloyObjectSelf"] == f"{client.base_url}Document/5200001"
    assert told["subscription"]["key"] == key
    assert told["id"].endswith(f"-{key}")
    assert receiver.told.empty()


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        (".businessPartnerName2 = wanted && .businessPartnerCode = 60526", True),
        (".businessPartnerName2 = other OR .businessPartnerType.businessPartnerTypeCode = AG", True),
        ('old.businessPartnerName2 != "wanted"', True),
        (".businessPartnerType.businessPartnerTypeCode != AG", False),
        ('!dlpObject.getBusinessPartnerName2().equals("wanted")', False),
        ("oldDlpObject.getVatNumber() != null", False),
        ("(.vatNumber = null && .payee != null) || .vatNumber = 1", True),
    ],
)
def test_a_condition_decides(client: httpx.Client, receiver: Receiver, *, expression: str, matches: bool) -> None:
    _rename(client, "before")
    _subscribe(client, receiver, objectType="BusinessPartner", expression=expression)
    _subscribe(client, receiver, objectType="BusinessPartner")
    _rename(client, "wanted")
    told = [receiver.next()["subscription"]["key"] for _ in range(1 + matches)]
    assert len(set(told)) == 1 + matches


def test_creation_and_deletion_are_told_remarks_never(client: httpx.Client, receiver: Receiver) -> None:
    _subscribe(client, receiver, eventType="C", objectType="Address")
    _subscribe(client, receiver, eventType="D", objectType="Address")
    _subscribe(client, receiver, eventType="C", objectType="Remark")
    client.post("/Remark", json={"source": 1100001, "remarkTitle": "x"}).raise_for_status()
    address = client.post("/Address", json={"source": 1100001, "city": "x"}).json()["key"]
    assert receiver.next()["eventType"] == "C"
    client.delete(f"/Address/{address}")
    told = receiver.next()
    assert (told["eventType"], told["dataloyObject"]) == ("D", address)


def test_a_child_is_told_unless_only_the_main_object(client: httpx.Client, receiver: Receiver) -> None:
    _subscribe(client, receiver, objectType="BusinessPartner", onlyMainObject=True)
    wide = _subscribe(client, receiver, objectType="BusinessPartner", onlyMainObject=False)
    partner = client.get("/BusinessPartner/1100001").json()
    address = partner["addresses"][0]["key"]
    client.put(f"/Address/{address}", json={"city": "Voss"})
    told = receiver.next()
    assert (told["objectType"], told["dataloyObject"], told["subscription"]["key"]) == ("Address", address, wide)
    assert receiver.told.empty()


@pytest.mark.parametrize("stays", [False, True])
def test_five_failures_deactivate_it(
    sandbox: Sandbox, client: httpx.Client, receiver: Receiver, *, stays: bool
) -> None:
    sandbox.control("POST", "vms/settings", {"webhook_retry_seconds": 0.01})
    receiver.status = 500
    key = _subscribe(client, receiver, objectType="BusinessPartner", doNotUnsubscribe=stays)
    _rename(client, f"failing {stays}")
    assert len({receiver.next()["id"] for _ in range(5)}) == 1
    receiver.status = 200
    until = time.monotonic() + PATIENCE
    while not stays and time.monotonic() < until and _is_active(client, key):
        time.sleep(0.01)
    assert _is_active(client, key) is stays
    _rename(client, f"heard {stays}")
    assert receiver.told.empty() is not stays or receiver.next()["dataloyObject"] == 1100001


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({"eventType": "X"}, "eventType"),
        ({"objectType": "Nothing"}, "objectType"),
        ({"url": None}, "url"),
        ({"expression": "dlpObject.getX() >"}, "expression"),
        ({"expression": "somebody.x = 1"}, "expression"),
        ({"expression": "(.documentNo = 1"}, "expression"),
    ],
)
def test_a_wrong_subscription_is_refused(
    client: httpx.Client, receiver: Receiver, members: dict[str, object], names: str
) -> None:
    body = {"eventType": "U", "objectType": "Document", "url": receiver.url} | members
    assert names in refusal(client.post("/WebhookSubscription", json=body))
