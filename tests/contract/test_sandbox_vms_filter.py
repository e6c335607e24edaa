"""The filter and sort grammar of the sandbox's VMS (docs/systems/vms.md#1-5, #1-6 and #a1 and #a2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox_vms_world import refusal, small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.sandbox_server import Sandbox

# Numbers of the world's documents: 400 an INI in RFP, 374 an INO in POS, 401 an INI in INV, 409 a broken CRI in PEN.
EVERYTHING = {"2707374", "2707400", "2707401", "2707409"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("vms")) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with sandbox.vms() as vms:
        yield vms


def _get(client: httpx.Client, entity: str, *filters: str, sort: str = "key(AS)") -> httpx.Response:
    return client.get(f"/{entity}", params=[*(("filter", text) for text in filters), ("sort", sort)])


def _numbers(client: httpx.Client, *filters: str, sort: str = "key(AS)") -> list[str]:
    answer = _get(client, "Document", *filters, sort=sort)
    assert answer.status_code == 200, answer.text
    return [row["documentNo"][-3:] for row in answer.json()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("documentNo(EQ)2707400", "400"),
        ('documentNo(EQ)"2707400"', "400"),
        ("documentNo(EQ)nothing", ""),
        ("invoicingStatus.statusTypeCode(EQ)RFP", "400"),
        ("invoicingStatus.statusTypeCode(EQ)rfp", ""),
        ("invoicingStatus.statusTypeCode(NE)RFP", "374 401 409"),
        ("documentType.documentType(IN)(INI,INO)", "400 374 401"),
        ("documentType.documentType(IN)INI,INO", "400 374 401"),
        ('documentType.documentType(IN)("INI", INO)', "400 374 401"),
        ("documentType.documentType(NIN)(INI,INO)", "409"),
        ("key(IN)(5200001,5200003)", "400 401"),
        ("key(GT)5200002", "401 409"),
        ("documentAmount(EQ)1250", "400"),
        ("documentAmount(EQ)1250.000", "400"),
        ("documentAmount(GTE)1250", "400 374"),
        ("documentAmount(LT)1250", "401"),
        ("companyCurrencyAmount(GT)123456789012345678901234567890.119", "409"),
        ("documentDate(GTE)2026-10-03", "374 401"),
        ("modifiedDate(GTE)2026-10-06T08:00:00", "374 401 409"),
        ("modifiedDate(GT)2026-10-06T08:00:00", "401 409"),
        ("modifiedDate(LTE)2026-10-05 08:00", "400"),
        ("documentNo(LIKE)27074%", "400 401 409"),
        ("documentNo(LIKE)%37%", "374"),
        ("company(EQ)1000502", "401"),
        ("company.key(IN)(1000502)", "401"),
        ("businessPartner(NULL)", "401 409"),
        ("businessPartner(NOTNULL)", "400 374"),
        ("businessPartner(NNULL)", "400 374"),
        ("documentPaymentTerms(NULL)", "374 401 409"),
        ("externalDocumentNo(NULL)", "374 401 409"),
        ("documentLines.documentLineText(EQ)Towage", "400"),
        ("documentLines.voyage.voyageHeader.referenceNo(EQ)V002-2601", "374"),
        ("documentLines.voyage.voyageHeader.isBudget(EQ)1", "374"),
        ("documentLines.voyage.voyageHeader.isBudget(EQ)0", "400"),
        ("businessPartner.addresses.country.countryCode(EQ)NO", "400"),
        ("businessPartner.businessPartnerName(EQ)alpha Trading", "374"),
    ],
)
def test_each_operator_and_path(client: httpx.Client, text: str, expected: str) -> None:
    assert _numbers(client, text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("modifiedDate(GTE)2026-10-02T10:00:00", "60527 60528"),
        ("addresses.modifiedDate(GTE)2026-10-01T10:00:00", "60526"),
        ("addresses.modifiedDate(GTE)2026-10-01T10:00:01", ""),
        ("bankAccount.modifiedDate(GTE)2026-10-01T10:00:01", "60527"),
        ("businessPartnerType.modifiedDate(GTE)1970-01-01T00:00:00", "60526 60527"),
    ],
)
def test_what_moved_is_found_by_its_parts(client: httpx.Client, text: str, expected: str) -> None:
    rows = _get(client, "BusinessPartner", text).json()
    assert [row["businessPartnerCode"] for row in rows] == expected.split()


def test_a_reader_goes_on_from_key_to_key(client: httpx.Client) -> None:
    seen: list[int] = []
    not_paid = "documentType.documentType(NIN)(PMI,PMO)"
    for last in (0, 5200001, 5200003, 5200009):
        filters = [("filter", text) for text in (not_paid, f"key(GT){last}")]
        page = client.get("/Document", params=[*filters, ("sort", "key(AS)"), ("pageNumber", "1"), ("limit", "2")])
        seen += [row["key"] for row in page.json()]
    assert seen == [5200001, 5200002, 5200002, 5200003, 5200009]


def test_repeated_filters_are_joined_by_and(client: httpx.Client) -> None:
    rfp = ("invoicingStatus.statusTypeCode(EQ)RFP", "documentType.documentType(IN)(INI,INO,CRI,CRO)")
    assert _numbers(client, *rfp) == ["400"]
    assert _numbers(client, *rfp, "company.companyCode(EQ)28602") == []


def test_tokens_join_neighbours_from_left_to_right(client: httpx.Client) -> None:
    pending, posted = "invoicingStatus.statusTypeCode(EQ)PEN", "invoicingStatus.statusTypeCode(EQ)POS"
    assert _numbers(client, pending, "(OR)", posted) == ["374", "409"]
    assert _numbers(client, pending, "(OR)", posted, "(AND)", "documentType.documentType(EQ)INO") == ["374"]
    assert _numbers(client, pending, "(AND)", posted) == []


@pytest.mark.parametrize("filters", [("(OR)",), ("key(GT)1", "(OR)"), ("key(GT)1", "(OR)", "(OR)", "key(GT)1")])
def test_a_token_needs_a_filter_on_both_sides(client: httpx.Client, filters: tuple[str, ...]) -> None:
    assert "between two filters" in refusal(_get(client, "Document", *filters))


def test_an_inner_join_drops_rows_and_a_left_join_keeps_them(client: httpx.Client) -> None:
    not_nordic = "businessPartner.businessPartnerCode(NE)60526"
    assert _numbers(client, not_nordic) == ["374"]
    assert _numbers(client, "businessPartner.businessPartnerCode(NULL)") == []
    assert _numbers(client, "businessPartner+.businessPartnerCode(NULL)") == ["401", "409"]
    inner, left = "businessPartner.isInterCompany(EQ)1", "businessPartner+.isInterCompany(EQ)1"
    assert _numbers(client, inner, "(OR)", "businessPartner(NULL)") == []
    assert _numbers(client, left, "(OR)", "businessPartner(NULL)") == ["401", "409"]


def test_sorting_through_null_drops_rows_too(client: httpx.Client) -> None:
    assert _numbers(client, sort="businessPartner.businessPartnerCode(DS)") == ["374", "400"]
    left = _numbers(client, sort="businessPartner%2B.businessPartnerCode(AS)".replace("%2B", "+"))
    assert left == ["400", "374", "409", "401"]


def test_a_plus_sent_as_a_blank_is_refused(client: httpx.Client) -> None:
    answer = client.get("/Document?filter=businessPartner+.businessPartnerCode(NULL)")
    assert "%2B" in refusal(answer)


def test_sort_orders_by_case_and_by_several_keys(client: httpx.Client) -> None:
    def names(sort: str) -> list[str]:
        rows = client.get("/BusinessPartner", params={"sort": sort}, headers={"fields": '{"businessPartnerSort":"*"}'})
        return [row["businessPartnerSort"] for row in rows.json()]

    assert names("businessPartnerName(AS)") == ["BRAVO", "NORDIC", "ALPHA"]
    assert names("businessPartnerName(ASI)") == ["ALPHA", "BRAVO", "NORDIC"]
    assert names("businessPartnerName(DSI)") == ["NORDIC", "BRAVO", "ALPHA"]
    assert _numbers(client, sort="documentType.documentType(DS),documentAmount(DS)") == ["374", "400", "401", "409"]
    rows = client.get("/Document?sort=company.companyCode(DS)&sort=documentNo(AS)").json()
    assert [row["documentNo"][-3:] for row in rows] == ["401", "374", "400", "409"]


def test_a_sub_query_selects_by_another_resource(client: httpx.Client) -> None:
    tc = "{DocumentLine.document.key[voyage.isTc(EQ)1]}"
    assert _numbers(client, f"key(IN)({tc})") == ["374"]
    assert _numbers(client, f"key(NIN){tc}") == ["400", "401", "409"]
    both = "key(IN){DocumentLine.document.key[voyage.isTc(EQ)0],[glAccountCode(EQ)x]}"
    assert "glAccountCode" in refusal(_get(client, "Document", both))
    adjacent = "key(IN){DocumentLine.document.key[voyage.isTc(EQ)0][quantity(EQ)1]}"
    assert _numbers(client, adjacent) == ["400"]
    assert _numbers(client, "documentNo(EQ){Document.documentNo[documentAmount(EQ)1250]}") == ["400"]
    assert "gives 4 values" in refusal(_get(client, "Document", "documentNo(EQ){Document.documentNo}"))


@pytest.mark.parametrize(
    ("entity", "text", "names"),
    [
        ("Document", "nothing(EQ)1", "nothing"),
        ("Document", "company.nothing(EQ)1", "nothing"),
        ("Document", "documentNo.nothing(EQ)1", "no object"),
        ("Document", "self(EQ)1", "cannot be used"),
        ("Document", "remarks(NULL)", "cannot be used"),
        ("DocumentLine", "glAccount(EQ)4300", "cannot be used"),
        ("Bank", "addresses.city(EQ)Bergen", "cannot be used"),
        ("Document", "documentNo(GT)1", "numbers and dates"),
        ("Document", "documentAmount(LIKE)1%", "for texts"),
        ("Document", "documentAmount(EQ)ten", "no number"),
        ("Document", "documentAmount(EQ)NaN", "no number"),
        ("Document", "documentDate(GTE)2026-13-01", "no date"),
        ("Document", "company(EQ)28601x", "key or a property"),
        ("Document", "documentLines(EQ)1", "an array"),
        ("Voyage", "isTc(EQ)yes", "a boolean"),
        ("Document", "documentNo(EQUALS)1", "Unknown operator"),
        ("Document", "documentNo(NULL)1", "no value"),
        ("Document", "documentNo=1", "Cannot read the filter"),
        ("Document", "key(IN){Nothing.key}", "Nothing"),
    ],
)
def test_a_wrong_filter_is_refused_by_name(client: httpx.Client, entity: str, text: str, names: str) -> None:
    assert names in refusal(_get(client, entity, text))


@pytest.mark.parametrize("sort", ["key", "key(UP)", "documentLines.documentAmount(AS)", "nothing(AS)"])
def test_a_wrong_sort_is_refused(client: httpx.Client, sort: str) -> None:
    assert "sort" in refusal(_get(client, "Document", sort=sort))


def test_a_write_shows_in_the_next_list(client: httpx.Client) -> None:
    assembled = "invoicingStatus.statusTypeCode(EQ)INV"
    assert _numbers(client, assembled) == ["401"]
    client.put("/Document/5200003", json={"invoicingStatus": "PEN"})
    assert _numbers(client, assembled) == []
    client.put("/Document/5200003", json={"invoicingStatus": "INV"})
    assert _numbers(client, assembled) == ["401"]


def test_a_tenant_without_enterprise_functions_has_plain_filters(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.control("POST", "vms/settings", {"enterprise": False})
    assert "enterprise" in refusal(_get(client, "Document", "key(GT)1", "(OR)", "key(LT)1"))
    assert "enterprise" in refusal(_get(client, "Document", "key(IN){Document.key}"))
    assert set(_numbers(client)) == {number[-3:] for number in EVERYTHING}
    sandbox.control("POST", "vms/settings", {"enterprise": True})
