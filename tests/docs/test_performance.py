"""docs/performance.md and its plots say what the benches kept."""

from __future__ import annotations

from tests.bench.kept import read_all
from tests.bench.report import ASKED, BLOCK, PAGE, is_drawn, plots, render


def test_the_page_says_what_was_measured() -> None:
    page = PAGE.read_text("utf-8")
    assert page == render(page, read_all())


def test_every_table_that_was_kept_is_on_the_page() -> None:
    shown = {found["name"] for found in BLOCK.finditer(PAGE.read_text("utf-8"))}
    kept = {f"{bench}.{table}" for bench, measured in read_all().items() for table in measured.tables}
    assert shown == kept | {"answers", "measured"}


def test_every_plot_is_drawn_from_what_was_measured() -> None:
    assert [plot["file"] for plot in plots(read_all()) if not is_drawn(plot)] == []


def test_a_figure_that_was_not_measured_is_said_to_be_missing() -> None:
    assert render("<!-- answers -->\n<!-- end -->", {}).count("| not measured |") == len(ASKED)


def test_another_figure_makes_the_page_stale() -> None:
    benches = read_all()
    rows = [{**row, "peak MB": 7} for row in benches["growth"].tables["growth"]]
    benches["growth"] = benches["growth"]._replace(tables={**benches["growth"].tables, "growth": rows})
    page = PAGE.read_text("utf-8")
    assert page != render(page, benches)
    assert not all(map(is_drawn, plots(benches)))
