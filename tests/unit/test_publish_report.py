"""The report: one file, escaped, with a table beside each chart, sensible with nothing and with too much."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.checks.suites import load_rules
from pipelines.core.resources import sql_folder
from pipelines.publish.facts import BUCKETS, SUBLEDGERS
from pipelines.publish.report.bars import WIDTH, bar_chart, strip
from pipelines.publish.report.report import write_report
from tests.support.publish_tables import World, lay
from tests.support.publish_world import CLOSE_BREAKS, OCTOBER, TODAY, WORLD, hold, large

VOID = {"meta", "link", "rect", "line", "br"}


class Page(HTMLParser):
    """A page taken apart: every tag with its attributes, what encloses what, and the text of a section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report(world: World, folder: Path) -> str:
    with duckdb.connect() as connection:
        lay(connection, world)
        write_report(connection, folder / "report.html", today=TODAY, rules=load_rules().rules.values())
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return report(WORLD, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_report_is_whole_html(page: Page) -> None:
    assert page.open == []
    assert len({one["id"] for _, one in page.tags if "id" in one}) == len([1 for _, one in page.tags if "id" in one])
    targets = {str(one["href"]) for one in page.attributes("a")}
    assert targets <= {f"#{one['id']}" for _, one in page.tags if "id" in one}
    named = {name for _, one in page.tags for name in str(one.get("aria-labelledby") or "").split()}
    assert named <= {one["id"] for _, one in page.tags if "id" in one}


def test_the_report_needs_nothing_but_itself(page: Page, text: str) -> None:
    assert not {"script", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    assert [one["href"] for one in page.attributes("link")] == ["data:,"]
    assert list(re.findall(r"https?://[^\s\"<]+", text)) == []
    assert "@import" not in text
    assert "url(" not in text


def test_hostile_text_is_escaped(text: str, page: Page) -> None:
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Søn" in text
    assert "<script>alert(1)</script> & Søn" in page.text


def test_every_table_has_a_caption_and_scopes(page: Page) -> None:
    assert len(page.attributes("table")) == len(page.attributes("caption")) > 8
    assert {one.get("scope") for one in page.attributes("th")} == {"col", "row"}


def test_every_chart_has_a_title_and_a_description(page: Page) -> None:
    charts = page.attributes("svg")
    assert len(charts) == len(page.attributes("title")) - 1 == len(page.attributes("desc")) == 7
    assert {one["role"] for one in charts} == {"img"}


def test_headings_leave_out_no_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize(
    "words",
    [
        "6 open breaks , 2 documents held , 2 documents of unknown fate or refused , 1 object that could not be read",
        "VMS read at 2026-11-02 09:00 (Oslo), ledger at 2026-11-02 09:01 (Oslo)",
        "7 of 18",
        "ledger 18,040.00 USD in voucher 10231: a control line was edited after posting. USD -360.00",
        "Payment unmatched in ledger 1 In Xledger, match payment 55120 with invoice F-2707447 again. Break 5, 52",
        "2707412 document only in VMS NOK 4,200.00 , accepted by kari: booked by hand in October Comment: agreed",
        "Comment: agreed with the agent",
        "document only in VMS 0 NOK 1 kari",
        "document held 1 NOK 51,000.00 0",
        "V001-2601 Sea Pride Skarvøy Shipping AS NOK 1,200,000.00 700,000.00 500,000.00 -50,000.00 501,000.00",
        "October 2026. DRAFT of version 2, not sealed. Drawn up by kari at 2026-11-02 09:00 (Oslo). Reopened by per at "
        "2026-11-02 08:00 (Oslo): a late invoice",
        "springline close 2026-10 --seal",
        "Receivable JPY 1 0 0 12,500,000 0 0 0 12,500,000",
        "Payable USD 3 1,250.00 0.00 0.00 0.00 30,000.00 0.00 31,250.00",
        "V001-2601 390,000.00 294,000.00 131,000.00 0.00 96,000.00 35,000.00",
        "Of NOK 200,000.00 accrued earlier, actuals have confirmed NOK 180,000.00.",
        "28601 Skarvøy Shipping AS Account Currency Difference",
        "2400 Trade payables USD 360.00 -30,890.00 0.00 0.00 -31,250.00 Voucher 10231 is 360.00 USD short",
        "Sent, and no answer came 1 Springline run documents looks it up. INO 2707422 It was sent at 08:00",
        "External document number missing 1",
        f"{len(load_rules().rules) - 4} rules found nothing",  # four have held something
        "2026-10-31 09:00 (Oslo) 2026-10-31 schedule documents documents are held; the others went through",
        "not ended when this was written",
        "Document 5207499: documentDate is '31.10.2026', expected a date.",
    ],
)
def test_the_report_says(words: str, page: Page) -> None:
    assert words in page.text


def test_every_bucket_and_side_of_the_tables_has_its_place() -> None:
    payments, documents = ((sql_folder() / "rec" / f"{name}.sql").read_text() for name in ("payments", "documents"))
    buckets = set(re.findall(r"THEN '([^']*days?|not due|no due date)'|ELSE '(over [^']*)'", payments))
    assert len(buckets) > 4
    assert {name for pair in buckets for name in pair if name} <= set(BUCKETS)
    for side in SUBLEDGERS.values():
        assert f"THEN '{side}'" in documents


def test_a_break_whose_acceptance_lapsed_stands_with_the_open_ones(page: Page) -> None:
    assert page.text.index("Account 2400 differs by 360.00 USD.") < page.text.index("Accepted, and by whom")


def test_control_accounts_are_those_of_the_month_that_is_closed(page: Page) -> None:
    # The world has a row of November, which is not over.
    assert "-1,111.00" not in page.text
    assert "October 2026. The ledger's balance" in page.text


def test_documents_foot_by_side_and_currency(page: Page) -> None:
    # What one side alone has differs by all of it.
    assert "Payable EUR 2 1 329.60 -310.40 -640.00" in page.text


def test_a_sealed_month_says_who_sealed_it(tmp_path: Path) -> None:
    sealed = {**WORLD, "ctl.closes": ({"period": "2026-10", "state": "sealed", "version": 1},)}
    assert "SEALED by per at 2026-11-02 07:00 (Oslo), version 1. Drawn up by ola" in Page(report(sealed, tmp_path)).text
    nobody = {**WORLD, "ctl.closes": ()}
    assert "October 2026. Nobody has drawn up its pack yet." in Page(report(nobody, tmp_path)).text


def test_each_message_stands_once(tmp_path: Path) -> None:
    rules = load_rules().rules
    steps = {
        "gl_account_missing": "In the VMS, set the GL account of these lines.",
        "due_date_missing": "In the VMS, set it.",
    }
    holds = [
        hold(
            number,
            str(2707400 + number),
            rule,
            f"INI {2707400 + number} (Agent AS): {rules[rule].title} ({number}). {step}",
        )
        for number, (rule, step) in enumerate([*steps.items()] * 4)
    ]
    told = Page(report({**WORLD, "ctl.holds": holds}, tmp_path)).text
    assert told.count(rules["gl_account_missing"].next_step) == 1
    assert "GL account missing 4 In the VMS, set the GL account of these lines." in told
    assert "INI 2707402 (Agent AS) 2 USD 480,000.00" in told
    for row in CLOSE_BREAKS:
        assert told.count(str(row["reason"])) == (
            row["kind"] == "accrual not reversed" and row["period_month"] == OCTOBER
        )


def test_what_to_do_stands_first(page: Page) -> None:
    assert page.text.index("the supplier's own number is missing.") < page.text.index("Where both sides stand")
    assert page.text.index("Correct the VMS's rate.") < page.text.index("Where both sides stand")


def test_no_placeholder_of_a_rule_is_shown(text: str) -> None:
    assert re.findall(r"\{\w+\}", text[text.index("<main") :]) == []
    assert any("{" in rule.next_step for rule in load_rules().rules.values())


def test_what_is_over_is_not_told(page: Page) -> None:
    assert "It is over." not in page.text


def test_a_world_without_rows_needs_nobody(tmp_path: Path) -> None:
    page = Page(report({}, tmp_path))
    for words in (
        "Nothing needs anybody: both sides agree.", "No document has been read yet.", "No break is open.",
        "Nothing is held, refused or of unknown fate.", "Nothing is open in the ledger.",
        "Nothing stops a clean close.",
        "No batch has run yet.", "VMS read at no time yet",
    ):  # fmt: skip
        assert words in page.text
    assert page.attributes("svg") == []


def test_long_lists_are_cut_and_say_so(tmp_path: Path) -> None:
    text = report(large(5_000), tmp_path)
    page = Page(text)
    assert "4,994 more: springline.xlsx, sheet Breaks; ctl.breaks in springline.duckdb." in page.text
    assert "4,994 more: springline.xlsx, sheet Held" in page.text
    assert "5,000 open breaks" in page.text
    assert len(text.encode()) < 200_000


def test_the_same_content_gives_the_same_page(text: str, tmp_path: Path) -> None:
    assert report(WORLD, tmp_path) == text


amounts = st.decimals(min_value=-(10**15), max_value=10**15, places=2)
series = st.integers(1, 3).flatmap(
    lambda n: st.lists(
        st.tuples(st.text(max_size=5), st.lists(amounts, min_size=n, max_size=n)), min_size=1, max_size=8
    )
)


@given(series)
def test_bars_stay_inside_their_chart_and_begin_at_zero(values: list[tuple[str, list[Decimal]]]) -> None:
    chart = bar_chart("", summary="", series=["one"] * len(values[0][1]), values=values)
    for group, (name, found) in zip(chart.groups, values, strict=True):
        assert group.name == name
        for bar, value in zip(group.bars, found, strict=True):
            assert -2 <= bar.x <= bar.x + bar.width <= WIDTH
            assert 0 <= bar.y < chart.height
            edge = bar.x + bar.width if value < 0 else bar.x
            assert abs(edge - chart.zero) < 0.02
            assert (bar.width > 0) == (value != 0)


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 10**7)), max_size=10))
def test_a_strip_is_filled_in_order(counts: list[tuple[str, int]]) -> None:
    segments = strip(counts)
    assert [(segment.name, segment.count) for segment in segments] == counts
    assert all(segment.width > 0 for segment in segments if segment.count)
    if any(count for _, count in counts):
        assert abs(sum(segment.width for segment in segments) - 100) < 0.02
