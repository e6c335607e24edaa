"""Invoices' files over real sockets: each goes along once, and one that cannot be had holds no voucher."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelines.load.delivery import DeliveryResult
from pipelines.load.ledger.vouchers import MUTATION, deliver_vouchers
from pipelines.outbox.chain import verify_chain
from pipelines.outbox.intent import Kind, sha256
from pipelines.outbox.store import Outbox
from tests.flow.world import World, copies, world
from tests.support.delivery_flow import Batch, Clients, booked, imported, settings_for, states
from tests.support.delivery_seed import NO_LIMITS, seed
from tests.support.delivery_world import EVERY_KEY, voucher
from tests.support.sandbox_server import Sandbox, running_sandbox

pytestmark = pytest.mark.system

KEYS = range(1, 6)
PDF = "%PDF-1.7 an invoice"
ON = {"SPRINGLINE_POSTING__ATTACHMENTS": "true"}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, seed(tmp_path / "seed", keys=KEYS)) as sandbox:
        sandbox.control("POST", "ledger/settings", NO_LIMITS)
        yield sandbox


@pytest.fixture
def clients(sandbox: Sandbox) -> Iterator[Clients]:
    clients = Clients(settings_for(sandbox, **ON))
    yield clients
    clients.close()


@pytest.fixture
def batch(sandbox: Sandbox, clients: Clients, tmp_path: Path) -> Iterator[Batch]:
    batch = Batch(clients, tmp_path / "ctl.sqlite")
    sandbox.control("DELETE", "requests")
    yield batch
    batch.close()


def attach(sandbox: Sandbox, document: int, name: str, content: str = PDF, **members: object) -> int:
    """Attach a file to a remark of a document, as the API does it; give the attachment's key."""
    file = {"file": b64encode(content.encode()).decode(), "fileName": name, **members}
    with sandbox.vms() as client:
        remark = {"remarkTitle": "invoice", "source": document, "attachments": [file]}
        answer = client.post("/Remark", json=remark).raise_for_status().json()
    [attachment] = answer["attachments"]
    return int(attachment["key"])


def deliver(batch: Batch, *keys: int) -> DeliveryResult:
    batch.store(voucher(key) for key in keys)
    return deliver_vouchers(batch.context(), ready=EVERY_KEY)


def files(sandbox: Sandbox) -> dict[int, tuple[str, str]]:
    """Give name and content of the ledger's files by voucher number; each number stands there once."""
    found = sandbox.control("GET", "ledger/files")
    numbers = [file["trRegNumber"] for file in found]
    assert len(numbers) == len(set(numbers))
    return {file["trRegNumber"]: (file["name"], b64decode(file["content"]).decode()) for file in found}


def requests(sandbox: Sandbox) -> dict[str, int]:
    counts: dict[str, dict[str, int]] = sandbox.control("GET", "requests")
    wanted = ("Remark", "Attachment", MUTATION)
    return {
        request.rpartition(" ")[2].removeprefix("/ws/rest/"): count
        for side in counts.values()
        for request, count in side.items()
        if any(name in request for name in wanted)
    }


def notes(batch: Batch) -> dict[int, str]:
    """Give what the events say of the last call with each document."""
    rows = batch.control.read(
        "SELECT document_key, detail FROM outbox_events JOIN outbox ON outbox.id = outbox_id "
        "WHERE to_state = 'sending' AND kind = 'voucher' ORDER BY event_no"
    )
    return {row["document_key"]: row["detail"] for row in rows}


def payload(batch: Batch, key: int) -> Any:  # noqa: ANN401 the stored JSON
    [inputs] = batch_payloads(batch, [key])
    return inputs


def batch_payloads(batch: Batch, keys: Sequence[int]) -> list[Any]:
    outbox = Outbox.of(batch.context())
    return [outbox.payloads([voucher(key).id])[voucher(key).id] for key in keys]


def test_a_file_goes_along_once_and_the_others_share_a_mutation(sandbox: Sandbox, batch: Batch) -> None:
    old, new = attach(sandbox, 1, "draft.pdf", "%PDF old"), attach(sandbox, 1, "Müller 1.PDF")
    attach(sandbox, 1, "notes.docx", "x")
    sandbox.control("DELETE", "requests")
    result = deliver(batch, *KEYS)
    assert (result.sent, result.failed, result.unknown) == (5, 0, 0)
    assert result.problems == (
        "4 invoices went to the ledger without a file, because the VMS has none for: 272, 273, 274, 275. "
        "Next: attach it to a remark of the document before it is posted; for these, add it in Xledger by hand.",
    )
    assert requests(sandbox) == {"Remark": 1, "Attachment/{key}": 1, MUTATION: 2}
    assert files(sandbox) == {1: ("Muller 1.pdf", PDF)}
    [first, _] = [item for item in sandbox.control("GET", "ledger/import-items") if item["node"]["trRegNumber"] == 1]
    assert first["node"]["invoiceFile"] == "Muller 1.pdf"
    # The evidence: which file, and of the bytes the hash alone.
    digest = sha256(PDF)
    assert notes(batch) == {
        1: f"with the file 'Müller 1.PDF' (attachment {new}), 19 bytes, SHA-256 {digest}",
        **dict.fromkeys(range(2, 6), "without a file: the VMS has no file for it"),
    }
    assert old < new
    assert payload(batch, 1)[0]["file"] == {"name": "Muller 1.pdf", "size": 19, "sha256": digest}
    assert [item for item in payload(batch, 1) if "invoiceFile" in item["node"]] == []
    assert verify_chain(batch.control) == []
    # Nothing the second time; the file stands with the voucher in the books.
    assert deliver(batch, *KEYS) == DeliveryResult()
    assert booked(sandbox) == [*KEYS]


def test_killed_before_the_answer_is_noted_it_is_found_and_not_sent_again(sandbox: Sandbox, batch: Batch) -> None:
    class Killed(BaseException):
        """What no handler of the program catches, like a signal."""

    ledger = batch.ledger

    class Deadly:
        def read(self, readings: Sequence[Any]) -> object:
            return ledger.read(readings)

        def mutate(self, *arguments: object) -> object:
            ledger.mutate(*arguments)
            raise Killed

    attach(sandbox, 1, "f.pdf")
    batch.ledger = Deadly()
    with pytest.raises(Killed):
        deliver(batch, 1)
    assert states(batch.control, Kind.VOUCHER) == {1: "sending"}
    sandbox.control("DELETE", "requests")
    batch.ledger = ledger
    assert deliver(batch, 1) == DeliveryResult(sent=1)
    assert requests(sandbox) == {}
    assert files(sandbox) == {1: ("f.pdf", PDF)}
    assert imported(sandbox) == {1: [1, 2]}
    assert payload(batch, 1)[0]["file"]["sha256"] == sha256(PDF)


def test_a_lost_answer_leaves_one_voucher_and_one_file(sandbox: Sandbox, batch: Batch) -> None:
    attach(sandbox, 1, "f.pdf")
    sandbox.fault("ledger", {"kind": "drop_after"}, times=1, match={"operation": MUTATION})
    assert deliver(batch, 1).sent == 1
    assert files(sandbox) == {1: ("f.pdf", PDF)}
    assert imported(sandbox) == {1: [1, 2]}


def test_a_file_that_cannot_be_had_is_a_warning(sandbox: Sandbox, batch: Batch) -> None:
    attach(sandbox, 1, "letter.docx")
    large = attach(sandbox, 2, "large.pdf", filesize=10 * 1_048_576 + 1)
    broken = attach(sandbox, 3, "broken.pdf", "no such thing")
    gone = attach(sandbox, 4, "gone.pdf")
    refusal = {"statusCode": 404, "message": "not found"}
    sandbox.fault(
        "vms",
        {"kind": "status", "status": 404, "body": json.dumps(refusal)},
        times=1,
        match={"path": f"/ws/rest/Attachment/{gone}"},
    )
    result = deliver(batch, 1, 2, 3, 4)
    assert (result.sent, result.failed) == (4, 0)
    assert files(sandbox) == {}
    by_hand = "for this one, add the file to the voucher in Xledger by hand."
    assert set(result.problems) == {
        "document 271 (key 1) goes to the ledger without a file: of its files ('letter.docx') none is a PDF, TIFF, "
        f"JPEG, PNG or XML. Next: attach the invoice in the VMS as a PDF; {by_hand}",
        f"document 272 (key 2) goes to the ledger without a file: 'large.pdf' (attachment {large}) has 10,485,761 "
        "bytes, more than 10,485,760. Next: attach a smaller file in the VMS, or set posting.attachment_megabytes "
        f"higher where Xledger takes more; {by_hand}",
        f"document 273 (key 3) goes to the ledger without a file: 'broken.pdf' (attachment {broken}) holds no PDF. "
        f"Next: attach the invoice in the VMS again; {by_hand}",
        f"document 274 (key 4) goes to the ledger without a file: 'gone.pdf' (attachment {gone}) cannot be read: VMS: "
        f"GET Attachment/{gone} was refused (404: not found). Next: look at the document's remarks in the VMS; "
        f"{by_hand}",
    }
    assert booked(sandbox) == [1, 2, 3, 4]


@pytest.mark.parametrize("status", [403, 500])
def test_a_vms_that_gives_no_files_holds_nothing(sandbox: Sandbox, batch: Batch, status: int) -> None:
    attach(sandbox, 1, "f.pdf")
    sandbox.fault("vms", {"kind": "status", "status": status, "body": "{}"}, match={"path": "/ws/rest/Remark"})
    result = deliver(batch, 1, 2)
    assert (result.sent, result.failed) == (2, 0)
    assert len(result.problems) == 2
    assert all("what files it has cannot be read" in problem for problem in result.problems)
    assert files(sandbox) == {}


def test_what_the_ledger_does_not_take_goes_without(sandbox: Sandbox, batch: Batch) -> None:
    sandbox.control("POST", "ledger/settings", {"largest_file_bytes": 10})
    attach(sandbox, 1, "f.pdf")
    attach(sandbox, 2, "g.pdf")
    result = deliver(batch, 1, 2)
    assert (result.sent, result.failed) == (2, 0)
    assert len(result.problems) == 2
    assert "the ledger refused it with its file: invoiceFile: File 'f.pdf' has 19 bytes" in result.problems[0]
    assert files(sandbox) == {}
    assert imported(sandbox) == {1: [1, 2], 2: [1, 2]}
    assert "file" not in payload(batch, 1)[0]


def test_a_body_that_a_proxy_does_not_take_goes_without(sandbox: Sandbox, batch: Batch) -> None:
    attach(sandbox, 1, "f.pdf")
    fault = {"kind": "status", "status": 413, "body": "<html>Request Entity Too Large"}
    sandbox.fault("ledger", fault, times=1, match={"operation": MUTATION})
    result = deliver(batch, 1)
    assert result.sent == 1
    assert "is not taken (413)" in result.problems[0]
    assert imported(sandbox) == {1: [1, 2]}


def test_a_refused_voucher_fails_with_its_own_reason(sandbox: Sandbox, batch: Batch) -> None:
    attach(sandbox, 1, "f.pdf")
    batch.store([voucher(1, references={"account": "9999"})])
    result = deliver_vouchers(batch.context(), ready=EVERY_KEY)
    assert (result.sent, result.failed, result.problems) == (0, 1, ())
    assert requests(sandbox)[MUTATION] == 1
    # Put right, the next run takes the file along.
    assert deliver(batch, 1).sent == 1
    assert files(sandbox) == {1: ("f.pdf", PDF)}


def test_off_means_no_question_and_a_body_as_before(sandbox: Sandbox, tmp_path: Path) -> None:
    attach(sandbox, 1, "f.pdf")
    sandbox.control("DELETE", "requests")
    clients = Clients(settings_for(sandbox))
    batch = Batch(clients, tmp_path / "off.sqlite")
    assert deliver(batch, 1, 2) == DeliveryResult(sent=2)
    assert requests(sandbox) == {MUTATION: 1}
    assert notes(batch) == {1: None, 2: None}
    assert payload(batch, 1) == voucher(1).payload
    batch.close()
    clients.close()


def test_gl_vouchers_have_no_files(sandbox: Sandbox, batch: Batch) -> None:
    attach(sandbox, 1, "f.pdf")
    sandbox.control("DELETE", "requests")
    batch.store([voucher(1, source="GL")])
    assert deliver_vouchers(batch.context(), ready=EVERY_KEY).problems == ()
    assert requests(sandbox) == {MUTATION: 1}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[World]:
    documents = copies(2, first_key=6_600_001)
    with world(tmp_path, {"vms/Document": documents}, SPRINGLINE_POSTING__ATTACHMENTS="true") as live:
        yield live


def test_check_dry_run_and_explain_name_the_file(live: World) -> None:
    live.run("master-data")
    assert "None of the first remarks" in check(live)
    key = attach(live.sandbox, 6_600_001, "invoice.pdf")
    assert f"'invoice.pdf' (attachment {key}) was read, 19 bytes" in check(live)
    shown = live.command("run", "documents", "--dry-run")
    assert f"With the file 'invoice.pdf' (attachment {key})." in plain(shown.out)
    assert "Without a file: the VMS has no file for it." in plain(shown.out)
    drafts = {
        draft["document_no"]: draft
        for draft in live.command("run", "documents", "--dry-run", "--json").json()["vouchers"]
    }
    assert drafts["N6600001"]["file"] == {"name": "invoice.pdf", "attachment": key, "size": None}
    assert drafts["N6600002"]["file"] is None
    assert files(live.sandbox) == {}
    ran = live.command("run", "documents")
    assert "1 invoice went to the ledger without a file, because the VMS has none for: N6600002." in plain(
        ran.err + ran.out
    )
    assert files(live.sandbox) == {6_600_001: ("invoice.pdf", PDF)}
    told = live.command("explain", "N6600001", "--full")
    assert f"Sent with the file 'invoice.pdf' (attachment {key}), 19 bytes, SHA-256 {sha256(PDF)}." in plain(told.out)
    voucher = live.command("explain", "N6600001", "--json").json()["voucher"]
    assert voucher["file"] == {"name": "invoice.pdf", "size": 19, "sha256": sha256(PDF)}
    assert "Sent without a file: the VMS has no file for it." in plain(
        live.command("explain", "N6600002", "--full").out
    )
    # The books have it, and the rest of the day goes on as without files.
    assert live.booked() == {6_600_001: 1, 6_600_002: 1}
    assert live.command("run", "documents").exit_code == 0
    assert files(live.sandbox) == {6_600_001: ("invoice.pdf", PDF)}


def plain(text: str) -> str:
    """Give a terminal's text on one line."""
    return " ".join(text.split())


def check(live: World) -> str:
    lines = json.loads(live.command("check", "--json").out)
    found = lines if isinstance(lines, list) else lines["checks"]
    return str(next(line["message"] for line in found if line["name"] == "invoice files"))
