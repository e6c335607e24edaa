"""The page of all kinds of break: what each means, who acts, what to do next, and whether it counts at a close."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.reconcile.kinds import BreakKind, break_kinds
from pipelines.reference.markdown import code, link, listed, page, table

INTRODUCTION = (
    "A break is one thing on which the two systems differ, or which stops one of them, and that a person must look at. "
    "It opens when it is found, keeps its age, and closes by itself when it is gone. `springline breaks list` shows "
    "those that are open, `springline breaks accept` accepts one as it is. Generated from `data/seeds/break_kinds.csv`."
)
ACCEPTANCE = (
    "Every break can be accepted, with a reason. The acceptance is bound to the figures it was given for: when they "
    "move, the break stands again. `May be accepted` says when that is sensible. The next step that a break shows "
    "names its own document, account or day where it can; here it stands in general, and words in braces are filled "
    "in. What is not ours is said once, with `springline breaks ignore-subject` "
    "([why](../decisions/0014-not-ours.md))."
)
# The finders in the order in which a batch runs them.
FINDERS = {
    "master-data": "Found by the job master-data",
    "documents": "Found by the job documents",
    "rates": "Found by the job rates",
    "payments": "Found by the job payments",
    "actuals": "Found by the job actuals",
    "comparison": "Found by the comparison of both sides (job reconcile)",
    "close": "Found by the close of a period (job reconcile)",
}


def breaks_page() -> str:
    """Return docs/reference/breaks.md: a table of all kinds, and a section for each under a heading of its name."""
    # In the order of a batch, and within a finder in that of the file.
    kinds = [kind for finder in FINDERS for kind in break_kinds().values() if kind.found_by == finder]
    overview = table(
        ("Kind", "Who acts", "Counts at a close"), ((link(k.kind), k.who_acts, _yes_or_no(k)) for k in kinds)
    )
    return page("Breaks", INTRODUCTION, ACCEPTANCE, overview, *_sections(kinds))


def _sections(kinds: list[BreakKind]) -> Iterator[str]:
    for finder, heading in FINDERS.items():
        yield f"## {heading}"
        for kind in kinds:
            if kind.found_by == finder:
                yield f"### {kind.kind}"
                yield kind.meaning
                yield listed(f"{label}: {value}" for label, value in _facts(kind).items())


def _facts(kind: BreakKind) -> dict[str, str]:
    where = code(kind.found_in) if "." in kind.found_in else kind.found_in
    return {
        "Who acts": kind.who_acts,
        "Next step": kind.next_step,
        "May be accepted": kind.may_be_accepted,
        "An acceptance is bound to": kind.accepted_for or "nothing; it holds until the break is over",
        "Counts at a period's close": _yes_or_no(kind),
        "May be said to be not ours": f"the {kind.ignored_as}" if kind.ignored_as else "no",
        "Comes from": f"{where}, {kind.object} with {code(kind.state)}",
        "Its subject is": kind.subject,
    }


def _yes_or_no(kind: BreakKind) -> str:
    return "yes" if kind.is_in_close == "true" else "no"
