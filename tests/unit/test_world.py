"""The sample world is written the same each time, holds what it says it holds, and its large sibling is plain."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from stdnum import iban, luhn
from stdnum.no import kontonr, orgnr

from tests.world.__main__ import main
from tests.world.amounts import Rates
from tests.world.encode import Row, encode
from tests.world.identifiers import kid_mod10, kid_mod11

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
LARGEST = 3_000_000
INVOICES = {"INI", "INO", "CRI", "CRO"}
Needs = Callable[[dict[str, Any], dict[str, Any]], bool]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return rows(SAMPLE / "vms" / "Document.jsonl")


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))["documents"]
    return found


def test_the_committed_sample_is_what_is_generated(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    fresh = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    committed = {path.relative_to(SAMPLE): path.read_bytes() for path in SAMPLE.rglob("*") if path.is_file()}
    assert fresh == committed, "run python -m tests.world --out data/sample"
    assert sum(map(len, fresh.values())) < LARGEST


def test_writing_again_leaves_no_file_of_an_older_world(tmp_path: Path) -> None:
    (tmp_path / "vms").mkdir()
    (tmp_path / "vms" / "Port.jsonl").write_text("{}\n", encoding="utf-8")
    main(["--out", str(tmp_path)])
    assert not (tmp_path / "vms" / "Port.jsonl").exists()


def test_the_older_spelling_moves_types_and_pools_alone(tmp_path: Path) -> None:
    main(["--out", str(tmp_path), "--spelling", "older"])
    types, vessels = (rows(tmp_path / "vms" / f"{name}.jsonl") for name in ("BusinessPartnerType", "Vessel"))
    own = {row["key"]: row for row in rows(SAMPLE / "vms" / "Vessel.jsonl")}
    assert all("businessPartnerType" not in row and row["businessPartnerTypeCode"] for row in types)
    assert {row["vesselName"]: row["pool"] for row in vessels} == {
        row["vesselName"]: row["vesselCodes"][0]["pool"] for row in own.values()
    }
    assert not [code for row in vessels for code in row["vesselCodes"] if "pool" in code]
    assert (tmp_path / "vms" / "Document.jsonl").read_bytes() == (SAMPLE / "vms" / "Document.jsonl").read_bytes()


def test_a_vessel_has_one_code_after_the_other() -> None:
    codes = {row["vesselName"]: row["vesselCodes"] for row in rows(SAMPLE / "vms" / "Vessel.jsonl")}
    present, former = codes["Skarvøy Holme"]
    assert (present["vesselCode"], former["vesselCode"]) == ("V010", "H010")
    assert former["fleetExitDate"] < present["fleetEntryDate"]


def test_a_decimal_keeps_its_digits_in_json() -> None:
    value: Row = {"amount": Decimal("-1250.00"), "none": None, "list": [True, 1, "æ\n"], "long": Decimal(10) ** 29}
    assert encode(value) == f'{{"amount":-1250.00,"none":null,"list":[true,1,"æ\\n"],"long":1{"0" * 29}}}'


def test_a_rate_is_that_of_the_last_bank_day() -> None:
    rates = Rates.read(ROOT / "data" / "reference" / "ecb_reference_rates_2026.csv")
    friday, monday = rates.days[-1], rates.days[-1].replace(month=11, day=2)
    assert rates.cross(monday, of="USD", to="NOK") == rates.cross(friday, of="USD", to="NOK") == Decimal("9.230218403")
    assert rates.cross(friday, of="EUR", to="NOK") == Decimal("10.312000000")
    assert rates.cross(friday, of="NOK", to="NOK") == 1


@pytest.mark.parametrize(
    ("base", "mod10", "mod11"),
    [("60224", "602243", "602248"), ("00012", "000125", "000124"), ("6", "67", "6-"), ("23", "232", "23-")],
)
def test_kid_check_digits_are_those_of_the_norm(base: str, mod10: str, mod11: str) -> None:
    assert kid_mod10(base) == mod10
    assert luhn.is_valid(mod10)
    assert kid_mod11(base) == mod11


def test_there_are_as_many_of_each_as_the_issue_asks_for(documents: list[dict[str, Any]]) -> None:
    ready = [row for row in documents if row["documentType"] in INVOICES and row["invoicingStatus"] == "RFP"]
    assert len(ready) >= 320
    assert len(rows(SAMPLE / "vms" / "BusinessPartner.jsonl")) >= 40
    assert len(rows(SAMPLE / "vms" / "Vessel.jsonl")) == 12
    assert len(rows(SAMPLE / "vms" / "Voyage.jsonl")) >= 60
    assert {row["documentCurrency"] for row in ready} >= {"USD", "EUR", "NOK", "JPY", "GBP", "SGD"}
    assert {row["company"] for row in ready} >= {"28600", "28601", "28602", "28603"}
    assert {len(row["documentLines"]) for row in ready} >= set(range(1, 9))


def test_document_numbers_and_keys_are_unique(
    documents: list[dict[str, Any]], expected: dict[str, dict[str, Any]]
) -> None:
    numbers = Counter(row["documentNo"] for row in documents)
    assert max(numbers.values()) == 1
    assert {row["documentNo"]: row["key"] for row in documents} == {no: row["key"] for no, row in expected.items()}
    assert len({row["key"] for row in documents}) == len(documents)


def test_what_is_referred_to_comes_before(documents: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for row in documents:
        assert {line["refDocument"] for line in row["documentLines"] if "refDocument" in line} <= seen
        seen.add(row["documentNo"])


def test_every_amount_has_two_decimals(documents: list[dict[str, Any]], expected: dict[str, dict[str, Any]]) -> None:
    for row in documents:
        parts = [row, *row["documentLines"]] if expected[row["documentNo"]]["outcome"] != "rejected" else []
        amounts = [part[name] for part in parts for name in part if name.endswith("Amount")]
        assert all(amount is None or amount.as_tuple().exponent == -2 for amount in amounts), row["documentNo"]


def test_identifiers_pass_their_checks_but_for_one() -> None:
    partners = rows(SAMPLE / "vms" / "BusinessPartner.jsonl")
    accounts = [(row["businessPartnerCode"], row["bankAccount"]) for row in partners if row["bankAccount"]]
    assert [code for code, bank in accounts if bank["iban"] and not iban.is_valid(bank["iban"])] == ["60591"]
    norwegian = [row for row in partners if row["addresses"] and row["addresses"][0]["country"] == "NO"]
    assert all(orgnr.is_valid(row["companyRegistrationNo"]) for row in norwegian)
    assert all(kontonr.is_valid(row["bankAccount"]["bankAccountNo"]) for row in norwegian if row["bankAccount"])
    kinds = {(bank["iban"] is None, bank["bankAccountNo"] is None) for _, bank in accounts}
    assert kinds == {(False, False), (True, False)}
    assert any(row["bankAccount"] is None for row in partners)
    assert any("'" in row["businessPartnerCode"] for row in partners)


def test_reversals_negate_both_amounts_and_keep_the_due_dates(documents: list[dict[str, Any]]) -> None:
    by_number = {row["documentNo"]: row for row in documents}
    reversals = [row for row in documents if any("refDocument" in line for line in row["documentLines"])]
    assert {row["documentType"] for row in reversals} >= {"INI", "CRI", "CRO", "ACR", "CAR", "BAR", "ACC"}
    for row in reversals:
        original = by_number[row["documentLines"][0]["refDocument"]]
        assert row["documentAmount"] == -original["documentAmount"]
        assert row["companyCurrencyAmount"] == -original["companyCurrencyAmount"]
        assert row["documentPaymentTerms"] in ([], original["documentPaymentTerms"])


def test_an_accrual_is_the_estimate_less_the_actual(documents: list[dict[str, Any]]) -> None:
    accruals = [row for row in documents if row["documentType"] in {"ACP", "CAP", "BAP"}]
    assert {row["documentDate"][:10] for row in accruals} == {"2026-09-30", "2026-10-31"}
    for row in accruals:
        assert row["documentAmount"] == row["estimateAmountYtd"] - row["accountAmountYtd"]
    assert any(row["accountAmountYtd"] for row in accruals)
    kinds = Counter(row["documentType"] for row in documents)
    assert [kinds["ACP"], kinds["CAP"], kinds["BAP"]] == [kinds["ACR"], kinds["CAR"], kinds["BAR"]]


@pytest.mark.parametrize(
    ("branch", "needs"),
    [
        ("broker on a line", lambda line, row: line.get("businessPartner") not in {None, row["businessPartner"]}),
        ("line partner is the document's", lambda line, row: line.get("businessPartner") == row["businessPartner"]),
        ("negative line in an invoice", lambda line, row: line["documentAmount"] < 0 < row["documentAmount"]),
        ("VAT line with a rate of its own", lambda line, _: line["glAccount"] == "2710" and "vatRate" in line),
        ("VAT line without a rate", lambda line, _: line["glAccount"] == "2710" and "vatRate" not in line),
        ("rate of nothing", lambda line, _: line.get("vatRate", {}).get("vatRate") == 0),
        ("line without voyage", lambda line, _: "voyage" not in line and line["glAccount"] == "4300"),
        ("text over 100 characters", lambda line, _: len(line["documentLineText"] or "") > 100),
        ("half a yen", lambda line, row: row["documentCurrency"] == "JPY" and line["documentAmount"] % 1 != 0),
    ],
)
def test_lines_take_each_branch(
    documents: list[dict[str, Any]], expected: dict[str, dict[str, Any]], branch: str, needs: Needs
) -> None:
    posted = [row for row in documents if expected[row["documentNo"]]["outcome"] == "posted"]
    assert [row["documentNo"] for row in posted for line in row["documentLines"] if needs(line, row)], branch


def test_vat_cents_need_the_largest_remainder(
    documents: list[dict[str, Any]], expected: dict[str, dict[str, Any]]
) -> None:
    uneven = 0
    for row in documents:
        unit = Decimal(1) if row["documentCurrency"] == "JPY" else Decimal("0.01")
        lines = [line for line in row["documentLines"] if line.get("vatRate", {}).get("vatRate")]
        if expected[row["documentNo"]]["outcome"] == "posted" and any(
            (line["documentAmount"] * line["vatRate"]["vatRate"] / unit) % 1 for line in lines
        ):
            uneven += 1
    assert uneven > 20


def test_vouchers_booked_by_hand_balance() -> None:
    vouchers = rows(SAMPLE / "ledger" / "vouchers.jsonl")
    for voucher in vouchers:
        for amount in ("amount", "invoiceAmount"):
            assert sum(Decimal(line[amount]) for line in voucher["lines"]) == 0, voucher["text"]
    assert sum(len(voucher["lines"]) - 1 for voucher in vouchers if voucher["source"] == "GL") == 500


def test_settings_name_each_company_once() -> None:
    lines = (SAMPLE / "settings.env").read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    companies = json.loads(settings["SPRINGLINE_COMPANIES"])
    assert [(row["code"], row["owner"], row.get("link")) for row in companies] == [
        ("28600", 28600, None),
        ("28601", 28601, 28600),
        ("28602", 28602, 28600),
        ("28603", 28601, 28600),
    ]


def test_a_large_world_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    arguments = ["--documents", "30", "--lines", "7", "--partners", "5", "--voyages", "20", "--out", str(tmp_path)]
    assert main(arguments) == 0
    documents = rows(tmp_path / "vms" / "Document.jsonl")
    assert len(documents) == 30
    assert {len(row["documentLines"]) for row in documents} == {7}
    sizes = {name: len(rows(tmp_path / f"{name}.jsonl")) for name in ("vms/BusinessPartner", "ledger/suppliers")}
    assert sizes == {"vms/BusinessPartner": 5, "ledger/suppliers": 5}
    assert len(rows(tmp_path / "vms" / "Voyage.jsonl")) == len(rows(tmp_path / "ledger" / "projects.jsonl")) == 20
    for row in documents:
        assert sum(line["documentAmount"] for line in row["documentLines"]) == row["documentAmount"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--documents", "0"], "0 is not 1 or more"), (["--rates", "none.csv"], "none.csv is no file")],
)
def test_wrong_arguments_are_refused_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        main([*arguments, "--out", str(tmp_path)])
    assert message in capsys.readouterr().err
