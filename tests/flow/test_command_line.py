"""The command line over both systems: what it prints, what it sends, and the code it ends with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO

import pytest
from openpyxl import load_workbook
from rich.console import Console

from pipelines.questions.dry_run import show_drafts
from pipelines.step.counts import Counts
from tests.flow.world import Ended, Row, World, copies, read_rows, sample_documents, world
from tests.support.listing import IMPORTED, LISTING
from tests.support.patience import PATIENCE
from tests.support.publish_cells import rows_of

POSTED = ("2706035", "2706065", "2706179", "2706245", "2706505", "2707048", "BT-260001")
# No GL account on a line, no external number; an amount that is text.
HELD = {"2708001": "gl_account_missing", "2708006": "external_document_no_missing"}
SET_ASIDE = "2708101"
# Its lines are one too many for its total.
LINE_TOO_MANY = "N6000001"
EXTRA = {"documentAmount": 99, "companyCurrencyAmount": 1250, "glAccount": "4300", "documentLineText": "Not ours"}
READS = ("GET ", "POST /oauth/")
HOLDING = "import duckdb, sys; kept = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@dataclass(frozen=True, slots=True)
class Look:
    """What a command printed, what both sides were asked for, and whether they have changed by it."""

    ended: Ended
    requests: Mapping[str, Mapping[str, int]]
    has_changed: bool

    def writes(self) -> list[str]:
        """Give the requests that write."""
        vms = [request for request in self.requests["vms"] if not request.startswith(READS)]
        ledger = [name for name in self.requests["ledger"] if name.startswith(("POST add", "POST update"))]
        return vms + ledger


@dataclass(frozen=True, slots=True)
class Story:
    """The first day: a dry run, a first and a second run, then all that was held put right.

    The ledger has none of the master data when it begins.
    """

    world: World
    stopped: Ended
    dry: Look
    first: Look
    books: Mapping[int, int]
    statuses: Mapping[str, str]
    status: Ended
    second: Look
    imported: frozenset[str]
    last: Look
    last_status: Ended
    last_books: Mapping[int, int]

    def printed(self) -> str:
        """Give everything that was printed."""
        looks = (self.dry, self.first, self.second, self.last)
        ended = (*(look.ended for look in looks), self.status, self.last_status)
        return "".join(part for one in ended for part in (one.out, one.err))


def run(world: World, *arguments: str) -> Look:
    world.requests()
    before = world.state()
    ended = world.command("run", *arguments)
    return Look(ended, world.requests(), world.state() != before)


def run_in_a_process(world: World) -> Look:
    world.requests()
    before = world.state()
    process = world.start("run", "--json", code=LISTING)
    out, err = process.communicate(timeout=PATIENCE)
    return Look(Ended(process.returncode, out, err), world.requests(), world.state() != before)


def put_right(world: World) -> None:
    """Do what the messages say."""
    keys = {row["documentNo"]: row["key"] for row in world.documents()}
    second_line = world.document("2708001")["documentLines"][1]
    world.change("DocumentLine", second_line["key"], glAccount="4300")
    world.change("Document", keys["2708006"], externalDocumentNo="F-1")
    world.change("Document", keys[SET_ASIDE], documentAmount=Decimal("1840.55"))
    lines = world.document(LINE_TOO_MANY)["documentLines"]
    world.change("Document", keys[LINE_TOO_MANY], documentLines=[{"key": line["key"]} for line in lines[:-1]])


def tell(world: World) -> Story:
    world.sandbox.fault("vms", {"kind": "status", "status": 403, "body": "{}"}, times=1, match={"method": "GET"})
    stopped = world.command("run", "documents", "--dry-run", "--output", str(world.folder / "none.csv"))
    dry = run(world, "--dry-run", "--json", "--output", str(world.folder / "vouchers.xlsx"))
    first = run(world, "--json")
    books, statuses, status = world.booked(), world.statuses(), world.command("status", "--json")
    # What the ledger has booked is read back once.
    run(world)
    second = run_in_a_process(world)
    imported = (world.folder / IMPORTED).read_text().splitlines()
    put_right(world)
    return Story(
        world,
        stopped,
        dry,
        first,
        books,
        statuses,
        status,
        second,
        frozenset(imported),
        run(world, "documents", "--json"),
        world.command("status", "--json"),
        world.booked(),
    )


def documents() -> list[Row]:
    [too_many] = copies(1, first_key=6_000_001)
    too_many["documentLines"] = [*too_many["documentLines"], EXTRA]
    return [
        *sample_documents(*POSTED, *HELD, SET_ASIDE),
        too_many,
        *copies(3, first_key=6_000_011, invoicingStatus="INV"),
    ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("first_day")
    with world(folder, {"vms/Document": documents()}, is_first_day=True) as first_day:
        yield tell(first_day)


def test_a_dry_run_sends_nothing_to_either_side(story: Story) -> None:
    assert story.dry.writes() == []
    assert not story.dry.has_changed


def test_a_dry_run_that_is_stopped_says_what_stopped_it(story: Story) -> None:
    assert story.stopped.exit_code == 11
    assert "! VMS: GET Document is not allowed (403: {}). Next: check SPRINGLINE_VMS__TOKEN_URL" in story.stopped.out
    assert "No voucher was drafted, because the job documents did not come to its end" in story.stopped.out
    assert "Catalog Error" not in story.stopped.out + story.stopped.err
    assert not (story.world.folder / "none.csv").exists()


def test_a_dry_run_shows_every_voucher_of_the_first_day(story: Story) -> None:
    shown = {voucher["document_no"]: voucher for voucher in story.dry.ended.json()["vouchers"]}
    assert set(shown) == set(POSTED)
    for voucher in shown.values():
        assert sum(Decimal(line["currency_amount"]) for line in voucher["lines"]) == 0
    assert story.dry.ended.exit_code == 14


def test_what_a_dry_run_shows_is_what_is_sent(story: Story) -> None:
    sent = story.world.sent()
    for voucher in story.dry.ended.json()["vouchers"]:
        shown = [(line["account"], Decimal(line["amount"]), line["text"]) for line in voucher["lines"]]
        nodes = sent[voucher["document_no"]]
        assert shown == [(node["account"]["code"], Decimal(node["amount"]), node["text"]) for node in nodes]


def test_a_dry_run_gives_accountants_what_they_compare(story: Story) -> None:
    book = load_workbook(story.world.folder / "vouchers.xlsx", data_only=True)
    lines = rows_of(book["Vouchers"])
    assert {line["Document"] for line in lines} == set(POSTED)
    shown = {voucher["document_no"]: voucher for voucher in story.dry.ended.json()["vouchers"]}
    for number in POSTED:
        own = [line for line in lines if line["Document"] == number]
        amounts = [(Decimal(line["currency_amount"]), Decimal(line["amount"])) for line in shown[number]["lines"]]
        found = [tuple(Decimal(str(line[name])) for name in ("Amount", "Company amount")) for line in own]
        assert found == amounts
        assert {line["Voucher number"] for line in own} == {"none yet"}
        assert {line["Import number"] for line in own} == {str(shown[number]["document_key"])}
    # Of what was sent: a payable goes with the supplier's account and number.
    nodes = story.world.sent()
    payables = [line for line in lines if line["Line kind"] == "control" and line["Voucher"] == "AP"]
    assert payables
    for line in payables:
        node = nodes[line["Document"]][line["Line"] - 1]
        assert line["Invoice number"] == node["invoiceNumber"]
        assert line["Bank account"] == node.get("bankAccount")
        assert line["KID"] == node.get("extIdentifier")


def test_a_dry_run_tells_what_would_be_held_and_what_to_do(story: Story) -> None:
    book = load_workbook(story.world.folder / "vouchers.xlsx", data_only=True)
    held = {row["Document"]: row for row in rows_of(book["Held"])}
    assert set(held) >= set(HELD)
    status = story.status.json()["held"]
    assert held.pop(SET_ASIDE)["Rule"] == "set aside"
    for row in held.values():
        assert row["Why"]
        assert row["What to do next"].startswith(("In the VMS", "In Xledger", "In Springline", "`springline"))
        # The two parts are the whole sentence that status prints once the run was no dry one.
        [message] = [
            one["message"] for one in status if (one["document_no"], one["rule"]) == (row["Document"], row["Rule"])
        ]
        assert message.endswith(f": {row['Why']} {row['What to do next']}")


def test_a_dry_run_cuts_nothing_off(story: Story) -> None:
    vouchers = story.dry.ended.json()["vouchers"]
    for voucher in vouchers:
        for part in (voucher, *voucher["lines"]):
            part |= {name: Decimal(part[name]) for name in ("currency_amount", "amount")}
    console = Console(file=StringIO(), width=60)
    show_drafts(vouchers, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    assert f"{len(POSTED)} vouchers would be sent. Nothing was sent." in shown
    for line in (line for voucher in vouchers for line in voucher["lines"]):
        assert f"{line['amount']:,.2f}" in shown
        assert all(word in shown for word in line["text"].split())


def test_a_run_prints_one_object_of_the_documented_shape(story: Story) -> None:
    for look in (story.dry, story.first, story.second, story.last):
        found = look.ended.json()
        assert {"batch", "jobs", "exit_code"} <= set(found)
        assert found["exit_code"] == look.ended.exit_code
        assert "documents" in found["jobs"]
        assert all(set(counts) == set(Counts().as_dict()) for counts in found["jobs"].values())
    counts = story.first.ended.json()["jobs"]["documents"]
    assert (counts["sent"], counts["held"], counts["rejected"]) == (len(POSTED), len(HELD) + 1, 1)
    assert (counts["failed"], counts["unknown"]) == (0, 0)
    first, second = (look.ended.json() for look in (story.first, story.second))
    assert first["sent"]["voucher"] == first["sent"]["acknowledgement"] == len(POSTED)
    assert (first["standing"]["held"], first["standing"]["set_aside"]) == (len(HELD) + 1, 1)
    assert (second["sent"], second["standing"]["held"]) == ({}, len(HELD) + 1)


def test_the_first_run_posts_what_is_ready(story: Story) -> None:
    assert story.books == {row["key"]: 1 for row in sample_documents(*POSTED)}
    assert {number for number, status in story.statuses.items() if status == "POS"} == set(POSTED)
    assert {"POST addSuppliers", "POST addGLImportItems", "PUT /ws/rest/Document/{key}"} <= {*story.first.writes()}
    assert story.first.ended.exit_code == 14


def test_a_second_run_sends_and_changes_nothing(story: Story) -> None:
    assert story.second.writes() == []
    assert not story.second.has_changed
    for counts in story.second.ended.json()["jobs"].values():
        assert (counts["extracted"], counts["sent"]) == (0, 0)


def test_a_second_run_imports_neither_checks_nor_dlt(story: Story) -> None:
    assert "duckdb" in story.imported
    heavy = story.imported & {"great_expectations", "dlt", "sqlglot"}
    assert heavy == set()


def test_the_status_has_the_documented_shape(story: Story) -> None:
    found = story.status.json()
    assert {row["document_no"]: row["rule"] for row in found["held"]} == HELD | {LINE_TOO_MANY: "voucher_not_balanced"}
    for row in found["held"]:
        assert {"document_no", "document_key", "rule", "message", "since"} <= set(row)
        assert row["document_no"] in row["message"]
    assert found["outbox"]["voucher"] == found["outbox"]["acknowledgement"] == {"sent": len(POSTED)}
    [rejected] = found["rejected"]
    assert SET_ASIDE in rejected["message"]
    assert "documentAmount" in rejected["message"]
    assert "in the VMS" in rejected["message"]
    assert story.status.exit_code == 0


def test_what_was_put_right_goes_by_itself(story: Story) -> None:
    # Nothing is held or set aside any more: a clean run.
    assert story.last.ended.exit_code == 0
    assert story.last.ended.json()["jobs"]["documents"]["sent"] == len(HELD) + 2
    found = story.last_status.json()
    assert (found["held"], found["rejected"], found["undelivered"]) == ([], [], [])
    assert set(story.last_books.values()) == {1}
    assert len(story.last_books) == len(POSTED) + len(HELD) + 2


def test_a_line_that_was_removed_is_not_posted(story: Story) -> None:
    texts = [node["text"] for node in story.world.sent()[LINE_TOO_MANY]]
    assert len(texts) == 5
    assert EXTRA["documentLineText"] not in texts


def bank_accounts() -> set[str]:
    found: set[str] = set()
    for partner in read_rows("vms/BusinessPartner"):
        account = partner.get("bankAccount") or {}
        found |= {account[name] for name in ("iban", "bankAccountNo") if account.get(name)}
    return found | {iban[4:] for iban in found if iban.startswith("NO")}


def texts_kept(world: World) -> str:
    """Give all that the control store holds but payloads, objects set aside, and the record of accounts."""
    own = {"payload", "body", "old_account", "new_account", "bank_account"}
    control = world.control()
    found: list[str] = []
    for (table,) in control.read("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in control.read(f'SELECT * FROM "{table}"'):  # noqa: S608 names from the catalogue
            found += [str(row[name]) for name in row.keys() if name not in own]  # noqa: SIM118 a Row gives its values
    control.close()
    return "\n".join(found)


def test_nothing_secret_is_printed_or_kept_in_words(story: Story) -> None:
    names = ("SPRINGLINE_VMS__CLIENT_SECRET", "SPRINGLINE_LEDGER__TOKEN")
    words = {story.world.environ[name] for name in names} | bank_accounts()
    assert len(words) > 50
    kept = texts_kept(story.world)
    assert [word for word in words if word in story.printed() or word in kept] == []


@pytest.mark.parametrize("arguments", [("nonsense",), ("--today", "tomorrow"), ("--no-such-option",)])
def test_a_wrong_command_ends_with_2(story: Story, arguments: tuple[str, ...]) -> None:
    assert story.world.command("run", *arguments).exit_code == 2


def test_missing_settings_end_with_10_and_name_all_of_them(story: Story) -> None:
    missing = ("SPRINGLINE_VMS__CLIENT_SECRET", "SPRINGLINE_VMS__TOKEN_URL", "SPRINGLINE_LEDGER__TOKEN")
    ended = story.world.command("run", "--json", **dict.fromkeys(missing, ""))
    assert ended.exit_code == 10
    assert all(name in ended.json()["error"] for name in missing)
    assert ended.json()["exit_code"] == 10


def test_a_vms_that_is_down_ends_with_11(story: Story) -> None:
    down = "http://127.0.0.1:9/ws/rest"
    ended = story.world.command("run", "--json", SPRINGLINE_VMS__BASE_URL=down, SPRINGLINE_VMS__ATTEMPTS="1")
    assert ended.exit_code == ended.json()["exit_code"] == 11
    assert all(down in problem and "Next: " in problem for problem in ended.json()["problems"])
    assert "Traceback" not in ended.err


def test_a_ledger_that_refuses_ends_with_15(story: Story) -> None:
    [document] = [row for row in story.world.documents() if row["documentNo"] == "N6000011"]
    story.world.change("Document", document["key"], invoicingStatus="RFP")
    refusal = {"kind": "graphql_error", "code": "BAD_REQUEST", "message": "amount: No."}
    story.world.sandbox.fault("ledger", refusal, match={"operation": "addGLImportItems"})
    ended = story.world.command("run", "documents", "--json")
    story.world.sandbox.control("DELETE", "faults")
    assert ended.exit_code == ended.json()["exit_code"] == 15
    [row] = story.world.command("status", "--json").json()["undelivered"]
    assert "N6000011" in row["message"]
    assert "amount: No." in row["message"]
    again = story.world.command("run", "documents")
    assert again.exit_code == 0
    assert again.out == "1 voucher sent and acknowledged, 0 held, 0 breaks.\nNothing needs a person.\n"


def test_a_held_warehouse_ends_with_17(story: Story) -> None:
    holder = story.world.start(str(story.world.folder / "springline.duckdb"), code=HOLDING)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    ended = story.world.command("run", "--json")
    status = story.world.command("status", "--json")
    holder.communicate("")
    assert ended.exit_code == ended.json()["exit_code"] == 17
    assert status.exit_code == 0
