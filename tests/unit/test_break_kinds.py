"""The list of kinds of break, held against the SQL and the code that open them: none is missing, none is too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlglot import exp, parse_one

from pipelines.core.resources import PACKAGE, sql_folder
from pipelines.load.ledger import master_data, vouchers
from pipelines.load.vms import acknowledge, payments
from pipelines.load.vms.documents import DIFFERS
from pipelines.reconcile.kinds import CLOSE, COMPARISON, break_kinds, kinds_found_by
from pipelines.reconcile.of_returns import ACTUAL_BREAKS, PAYMENT_BREAKS, RATE_BREAKS
from tests.support.verified import verified_models

AGREED = {"agreed"}
MASTER_DATA = AGREED | {"only in ledger", "code not unique", "waiting for confirmation"}
# What the comparison calls a state and leaves alone, and what another job notes: everything else must have a row.
NO_BREAK: Mapping[str, set[str]] = {
    "document": AGREED | {"waiting", "held", "unknown", "ignored"},
    "payment": AGREED | {"part paid", "match undone"},
    "exchange rate": AGREED | {"only in VMS"},
    "supplier": MASTER_DATA,
    "customer": MASTER_DATA,
    "voyage": MASTER_DATA - {"waiting for confirmation"},
    "vessel": MASTER_DATA - {"waiting for confirmation"},
}
COMPARED = {
    "document": ["document_states"],
    "payment": ["payments", "stray_payments"],
    "exchange rate": ["exchange_rates"],
    "supplier": ["partners"],
    "customer": ["partners"],
    "voyage": ["voyages"],
    "vessel": ["voyages"],
}


def results(model: str, column: str = "state") -> set[str]:
    """Return the texts that a column computed by CASE can have."""
    query = parse_one((sql_folder() / f"{model}.sql").read_text(encoding="utf-8"), dialect="duckdb")
    cases = (alias.this for alias in query.find_all(exp.Alias) if alias.alias == column)
    found = (result for case in cases if isinstance(case, exp.Case) for result in _results(case))
    return {result.name for result in found if isinstance(result, exp.Literal)}


def _results(case: exp.Case) -> Iterator[exp.Expr]:
    for result in (*(branch.args["true"] for branch in case.args["ifs"]), case.args.get("default")):
        if isinstance(result, exp.Case):
            yield from _results(result)
        elif result is not None:
            yield result


def first_columns(model: str) -> set[str]:
    """Return the texts with which the arms of a model's last union begin."""
    query = parse_one((sql_folder() / f"{model}.sql").read_text(encoding="utf-8"), dialect="duckdb")
    selects = query.selects if isinstance(query, exp.Select) else [arm.selects[0] for arm in _arms(query)]
    return {column.unalias().name for column in selects}


def _arms(query: exp.Expr) -> Iterator[exp.Select]:
    if isinstance(query, exp.SetOperation):
        yield from _arms(query.left)
        yield from _arms(query.right)
    elif isinstance(query, exp.Select):
        yield query


def states(finder: str, about: str, found_in: str = "") -> set[str]:
    return {
        kind.state
        for kind in break_kinds().values()
        if (kind.found_by, kind.object) == (finder, about) and kind.found_in.startswith(found_in)
    }


@pytest.mark.parametrize("about", COMPARED)
def test_every_state_that_is_a_break_has_its_kind(about: str) -> None:
    found = {state for model in COMPARED[about] for state in results(f"rec/{model}")}
    is_break = found - NO_BREAK[about]
    # A voucher that the ledger refused is a break; a document that was refused before it was sent is only rejected.
    assert is_break == states(COMPARISON, about)
    assert NO_BREAK[about] <= found


def test_what_the_comparison_sums_up_has_its_kind() -> None:
    for about in ("control total", "control account"):
        assert states(COMPARISON, about) == {"differs"}
    assert {kind.object for kind in break_kinds().values() if kind.found_by == COMPARISON} == {
        *COMPARED,
        "control total",
        "control account",
    }


def test_every_state_that_stops_a_close_has_its_kind() -> None:
    alone = results("close/unreversed_accruals")
    positions = results("close/accrual_positions", "finding") - {
        "agreed",
        "agreed at its rate",
        "voyage closed",
        "not accrued",
    }
    assert states(CLOSE, "accrual") == alone | positions
    assert states(CLOSE, "bunker adjustment") == alone | positions
    # What is capitalised is no estimate: it is taken back or not.
    assert states(CLOSE, "capitalisation") == alone
    query = parse_one((sql_folder() / "close/open_documents.sql").read_text(encoding="utf-8"), dialect="duckdb")
    [listed] = [node for node in query.find_all(exp.In) if node.this.name == "state"]
    assert states(CLOSE, "document") == {value.name for value in listed.expressions}


def test_the_breaks_of_a_close_have_the_same_columns() -> None:
    # close.breaks takes them together by place, not by name.
    catalog = verified_models()
    reads = [model for model in catalog.models if str(model.ref).startswith("close.") and "_breaks" in model.ref.name]
    assert len({tuple((column.name, column.type) for column in model.columns) for model in reads}) == 1


def test_every_kind_that_a_job_notes_has_its_row() -> None:
    for finder, readers in (("rates", RATE_BREAKS), ("payments", PAYMENT_BREAKS), ("actuals", ACTUAL_BREAKS)):
        assert set(readers) == {
            kind.kind
            for kind in break_kinds().values()
            if kind.found_by == finder and kind.found_in != "look-up before sending"
        }
    assert first_columns("post/payment_breaks") == states("payments", "payment", "post.payment_breaks")
    assert first_columns("post/actual_breaks") == states("actuals", "actual", "post.actual_breaks")


def test_every_kind_that_a_delivery_opens_has_its_row() -> None:
    opened = {
        (acknowledge.MOVED, acknowledge.BREAK),
        (payments.MOVED, payments.BREAK),
        *vouchers.BREAKS.items(),
        *master_data.BREAKS.items(),
    }
    # The other deliveries know one error code, and say only what a difference in the VMS is called.
    differing = {kind.kind for kind in break_kinds().values() if kind.state == DIFFERS}
    assert differing == {text for text in _texts(PACKAGE / "load") if text.endswith(("differs in VMS", "rate differs"))}
    opened |= {(DIFFERS, kind) for kind in differing}
    # An error code is written with underscores, the state of a table with blanks.
    assert opened == {(kind.state, kind.kind) for kind in break_kinds().values() if "_" in kind.state}


def _texts(folder: Path) -> set[str]:
    return {
        node.value
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_a_break_that_is_named_in_the_code_has_its_row() -> None:
    named = {
        node.args[0].value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Break"
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert named
    assert named <= break_kinds().keys()


def test_a_kind_says_all_that_its_page_shows() -> None:
    for kind in break_kinds().values():
        cells = {name: getattr(kind, name) for name in kind.__slots__}
        # A break of a delivery has no figures: its acceptance holds until it is over.
        assert {name for name, cell in cells.items() if not cell} <= {"accepted_for", "ignored_as"}, kind.kind
        assert kind.is_in_close in {"true", "false"}
        assert kind.meaning.endswith(".")
    keys = [(kind.found_by, kind.object, kind.state) for kind in break_kinds().values()]
    assert len(keys) == len(set(keys))
    assert kinds_found_by(CLOSE).isdisjoint(kinds_found_by(COMPARISON))
