"""What goes to the VMS goes once: killed anywhere, refused, lost, found there already, or wanted no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.core.errors import Transient
from pipelines.load.delivery import DeliveryResult
from pipelines.load.vms.documents import document_number
from pipelines.load.vms.payments import deliver_payments
from pipelines.outbox.intent import Kind, canonical_json
from pipelines.outbox.states import State
from pipelines.stores.copies import open_for_reading
from tests.support.vms_in_memory import PAYMENT_COLUMNS, Crash, Row, World, invoice, payment

PAYMENTS = [payment(900 + number) for number in range(12)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "ctl.sqlite")
    world.vms.objects["Document"] = [invoice()]
    yield world
    world.control.close()
    world.warehouse.close()


def run(world: World, rows: list[Row] | None = None) -> DeliveryResult:
    world.want("payment_changes", PAYMENT_COLUMNS, PAYMENTS if rows is None else rows)
    return deliver_payments(world.context(), sleep=world.sleep)


def numbers(world: World) -> list[str]:
    return sorted(row["documentNo"] for row in payments(world))


def payments(world: World) -> list[Row]:
    return [row for row in world.vms.objects["Document"] if row["documentNo"].startswith("XL")]


def test_a_payment_is_written_as_the_vms_documents_it(world: World) -> None:
    row = payment(902, amount="-95000.00", company_amount="-1005000.5", exchange_rate="1.500000000000001")
    assert run(world, [row]) == DeliveryResult(sent=1)
    [document] = payments(world)
    [line] = document["documentLines"]
    assert canonical_json(line) == (
        '{"businessPartner":"60526","companyCurrencyAmount":-1005000.50,"documentAmount":-95000.00,'
        '"documentCurrency":"USD","documentLineText":"Payment 902","exchangeRate":1.500000000000001,'
        '"exchangeRateDate":"2026-10-20T00:00:00","invoicingStatus":"POS","isAccountsPayable":1,'
        '"refDocument":"2707400","sourceCurrencyAmount":-95000.00,"sourceCurrencyCode":"USD"}'
    )
    head = {name: value for name, value in document.items() if name not in {"documentLines", "key"}}
    assert canonical_json(head) == (
        '{"businessPartner":"60526","company":{"companyCode":"28601"},"companyCurrencyAmount":-1005000.50,'
        '"documentAmount":-95000.00,"documentCurrency":"USD","documentDate":"2026-10-20T00:00:00",'
        '"documentNo":"XL902-5200000","documentText":"Payment 902","documentType":{"documentType":"PMO"},'
        '"externalDocumentNo":"902","invoicingStatus":"POS","sourceCurrencyAmount":-95000.00}'
    )
    [ids] = [row["remote_ids"] for row in world.control.read("SELECT remote_ids FROM outbox")]
    assert ids == '{"key":9000}'


# What people did in the VMS to the invoice 2707400 (key 5200000, partner 60526 with key 7) since its voucher was sent,
# and what its payment says of it then: reference, partner and company.
MOVED: dict[str, tuple[list[Row], list[Row], tuple[object, str, str]]] = {
    "nothing": ([invoice()], [], ("2707400", "60526", "28601")),
    "renumbered": ([invoice(number="2707999")], [], ("2707999", "60526", "28601")),
    "renumbered, and its number given to another": (
        [invoice(number="2707999"), invoice(5_200_001, number="2707400")], [], ("2707999", "60526", "28601"),
    ),
    "its number given to another too": ([invoice(), invoice(5_200_001)], [], (5_200_000, "60526", "28601")),
    "given a number that another has": (
        [invoice(number="A 1"), invoice(5_200_001, number="A 1")], [], (5_200_000, "60526", "28601"),
    ),
    "partner renamed": (
        [invoice(businessPartner={"key": 7, "businessPartnerCode": "60526-A"})], [], ("2707400", "60526-A", "28601"),
    ),
    "partner renamed, and its code given to another": (
        [invoice(businessPartner={"key": 7, "businessPartnerCode": "60526-A"})],
        [{"key": 8, "businessPartnerCode": "60526"}],
        ("2707400", "60526-A", "28601"),
    ),
    "partner made anew with the same code": (
        [invoice(businessPartner={"key": 9, "businessPartnerCode": "60526"})], [], ("2707400", "60526", "28601"),
    ),
    "company renamed": ([invoice(company={"companyCode": "N1"})], [], ("2707400", "60526", "N1")),
    "all of it": (
        [invoice(number="B2", company={"companyCode": "N1"}, businessPartner={"key": 7, "businessPartnerCode": "P"})],
        [],
        ("B2", "P", "N1"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MOVED)
def test_a_payment_names_its_invoice_as_it_is_called_now(world: World, what: str) -> None:
    documents, partners, expected = MOVED[what]
    world.vms.objects |= {"Document": documents, "BusinessPartner": partners}
    world.companies({"28601": 28601, "N1": 28601, "N2": 28605})
    assert run(world, [payment(902)]) == DeliveryResult(sent=1)
    [sent] = payments(world)
    [line] = sent["documentLines"]
    assert (line["refDocument"], line["businessPartner"], sent["company"]["companyCode"]) == expected
    assert sent["businessPartner"] == expected[1]


# As above; what the break says.
NOT_OURS: dict[str, tuple[list[Row], str]] = {
    "gone": ([], "is gone from the VMS"),
    "its number is all that is left": ([invoice(5_200_001)], "is gone from the VMS"),
    "another partner": (
        [invoice(businessPartner={"key": 8, "businessPartnerCode": "60777"})], "and has partner 60777 now",
    ),
    "a company of another entity": ([invoice(company={"companyCode": "N2"})], "and has company N2 now"),
    "a company that nobody knows": ([invoice(company={"companyCode": "N3"})], "and has company N3 now"),
}  # fmt: skip


@pytest.mark.parametrize("what", NOT_OURS)
def test_a_payment_of_an_invoice_that_moved_waits(world: World, what: str) -> None:
    documents, words = NOT_OURS[what]
    world.vms.objects["Document"] = documents
    world.companies({"28601": 28601, "N1": 28601, "N2": 28605})
    assert run(world, [payment(902)]) == DeliveryResult(failed=1)
    assert world.breaks() == [("payment invoice moved", "XL902-5200000")]
    assert words in world.error("XL902-5200000")
    assert numbers(world) == []
    # The break says it from now on: no run could ever end otherwise than with 15.
    assert run(world, [payment(902)]) == DeliveryResult()
    assert world.breaks() == [("payment invoice moved", "XL902-5200000")]
    world.vms.objects["Document"] = [invoice(number="2707999")]
    assert run(world, [payment(902)]) == DeliveryResult(sent=1)
    assert world.breaks() == []


@pytest.mark.parametrize(("partners", "sent"), [([], 1), ([{"key": 8, "businessPartnerCode": "60526"}], 0)])
def test_without_the_partners_key_a_code_that_is_gone_was_renamed(world: World, partners: list[Row], sent: int) -> None:
    world.vms.objects["Document"] = [invoice(businessPartner={"key": 7, "businessPartnerCode": "60526-A"})]
    world.vms.objects["BusinessPartner"] = partners
    assert run(world, [payment(902, partner_key=None)]) == DeliveryResult(sent=sent, failed=1 - sent)


def test_a_payment_of_unknown_fate_is_not_resent_to_an_old_number(world: World) -> None:
    world.vms.before = lambda _: (_ for _ in ()).throw(Transient("no answer"))
    assert run(world, PAYMENTS[:1]).unknown == 1
    world.vms.before = lambda _: None
    world.at = world.at.replace(hour=9)
    world.vms.objects["Document"] = [invoice(number="2707999"), invoice(5_200_001)]
    assert run(world, PAYMENTS[:1]) == DeliveryResult(failed=1)
    assert run(world, PAYMENTS[:1]) == DeliveryResult(sent=1)
    assert payments(world)[0]["documentLines"][0]["refDocument"] == "2707999"
    assert world.breaks() == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 13))
def test_killed_anywhere_each_payment_is_there_once(world: World, moment: str, call: int) -> None:
    def die(number: int) -> None:
        if number == call:
            raise Crash

    setattr(world.vms, moment, die)
    with pytest.raises(Crash):
        run(world)
    setattr(world.vms, moment, lambda _: None)
    world.at = world.at.replace(hour=9)
    again = run(world)
    assert (again.failed, again.unknown, again.waiting) == (0, 0, 0)
    assert numbers(world) == sorted(row["natural_key"] for row in PAYMENTS)
    assert set(world.states(Kind.PAYMENT).values()) == {"sent"}
    assert run(world) == DeliveryResult()


def test_a_payment_is_noted_on_disk_before_it_goes(world: World) -> None:
    noted: list[str] = []

    def look(_call: int) -> None:
        with closing(open_for_reading(world.path)) as store:
            noted.extend(state for (state,) in store.execute("SELECT state FROM outbox"))

    world.vms.before = look
    assert run(world, PAYMENTS[:1]) == DeliveryResult(sent=1)
    assert noted == ["sending"]


def test_a_payment_that_is_there_already_is_taken_as_sent(world: World) -> None:
    run(world)
    documents = world.vms.objects["Document"]
    other = World(world.path.with_name("other.sqlite"))
    other.vms.objects["Document"] = documents
    assert run(other) == DeliveryResult(sent=12)
    assert "post Document" not in other.vms.calls
    other.control.close()


def test_another_amount_under_our_number_is_a_break(world: World) -> None:
    world.vms.post("Document", {
        "documentNo": "XL900-5200000", "documentType": "PMO", "company": "28601", "documentAmount": -90,
        "companyCurrencyAmount": -900, "sourceCurrencyAmount": -90,
    })  # fmt: skip
    assert run(world) == DeliveryResult(sent=11, failed=1)
    assert world.breaks() == [("payment differs in VMS", "XL900-5200000")]
    assert "-90" in world.error("XL900-5200000")
    payments(world)[0].update(documentAmount=-100.0, companyCurrencyAmount=-1000, sourceCurrencyAmount=-100.00001)
    assert run(world) == DeliveryResult(sent=1)
    assert world.breaks() == []


@pytest.mark.parametrize(
    "found", [{"key": 1}, {"key": 1, "documentNo": None}, {"key": 1, "documentNo": "XL900-5200000"}]
)
def test_a_look_up_that_lacks_what_it_compares_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, found: Row
) -> None:
    monkeypatch.setattr(type(world.vms), "find", lambda *_, **__: [found])
    result = run(world, PAYMENTS[:1])
    assert (result.sent, result.failed, result.waiting) == (0, 0, 1)
    assert "answered a look-up without document" in result.problems[0]
    assert "post Document" not in world.vms.calls


def test_a_number_of_another_company_is_not_ours(world: World) -> None:
    world.vms.objects["Document"] += [
        {
            "key": 1,
            "documentNo": "XL900-5200000",
            "documentType": {"documentType": "PMO"},
            "company": {"companyCode": "9"},
        }
    ]
    world.vms.refused["XL900-5200000"] = "taken"
    assert run(world, PAYMENTS[:1]) == DeliveryResult(failed=1)


def test_one_refused_never_holds_back_the_others(world: World) -> None:
    world.vms.refused["XL903-5200000"] = "'refDocument' 2707400 is no posted invoice."
    assert run(world) == DeliveryResult(sent=11, failed=1)
    assert "is no posted invoice" in world.error("XL903-5200000")
    world.vms.refused.clear()
    assert run(world) == DeliveryResult(sent=1)


def test_without_an_answer_it_is_looked_up_and_sent_again(world: World) -> None:
    def lose(number: int) -> None:
        if number == 2:
            raise Transient("no answer")

    world.vms.before = lose
    delivered = run(world)
    assert (delivered.sent, delivered.unknown) == (12, 0)
    assert len(numbers(world)) == 12
    assert world.at.minute >= 1, "absence is believed once the call must be over"


def test_what_never_left_waits_for_the_next_run(world: World) -> None:
    def unreachable(_number: int) -> None:
        raise Transient("no connection", sent=False)

    world.vms.before = unreachable
    delivered = run(world)
    assert (delivered.waiting, delivered.problems) == (12, ("no connection",))


def test_a_vms_that_cannot_be_asked_is_sent_nothing(world: World) -> None:
    world.vms.is_silent = True
    delivered = run(world)
    assert (delivered.waiting, "post Document" in world.vms.calls) == (12, False)
    assert "could not be looked up" in delivered.problems[0]


def test_what_is_wanted_no_more_is_withdrawn(world: World) -> None:
    world.vms.is_silent = True
    run(world)
    world.vms.is_silent = False
    assert run(world, PAYMENTS[:3]) == DeliveryResult(sent=3)
    assert list(world.states(Kind.PAYMENT).values()).count("failed") == 9
    assert "no longer to be sent" in world.error("XL911-5200000")


def test_an_unknown_payment_of_an_undone_match_is_not_resent(world: World) -> None:
    run(world, [])
    world.vms.before = lambda _: (_ for _ in ()).throw(Transient("no answer"))
    world.want("payment_changes", PAYMENT_COLUMNS, PAYMENTS[:1])
    deliver_payments(world.context(), sleep=lambda _: None)
    assert world.states(Kind.PAYMENT) == {"XL900-5200000": State.UNKNOWN}
    world.vms.before = lambda _: None
    world.at = world.at.replace(hour=9)
    world.warehouse.execute("INSERT INTO post.payment_breaks VALUES ('match undone', 'XL900-5200000')")
    assert run(world) == DeliveryResult(sent=11)
    assert "XL900-5200000" not in numbers(world)


def test_look_ups_are_at_most_fifty_numbers_long(world: World) -> None:
    assert run(world, [payment(number) for number in range(1, 121)]).sent == 120
    assert world.vms.calls.count("find Document") == 5


def test_a_number_too_long_for_the_vms_is_shortened_for_ever() -> None:
    long = "ACT202610-28601-V001-2601-4300-USD-12"
    short = document_number(long, head="ACT202610-28601")
    assert short == "ACT202610-28601-5b2df6ab1a-12"
    assert len(short) <= 32
    assert document_number('XL1-"2', head="XL") == document_number('XL1-"2', head="XL") != 'XL1-"2'
