"""Lints sql/ as ``python -m pipelines.models.lint``: exact, complete, portable (design, decision 3)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.resources import sql_folder
from pipelines.models.header import read_header
from pipelines.models.lint.lint_rules import RULES
from pipelines.models.read import check_source
from pipelines.models.sources import Source, read_sources
from pipelines.models.syntax import SyntaxFault, parse_query, place


@dataclass(frozen=True, slots=True, order=True)
class LintFinding:
    """One place to change: what stands there, why it may not, what to write instead."""

    path: str
    line: int
    column: int
    what: str
    why: str
    instead: str

    def __str__(self) -> str:
        """One line that editors follow."""
        return f"{self.path}:{self.line}:{self.column}: {self.what}: {self.why}. Instead: {self.instead}."


def lint(sources: Iterable[Source]) -> tuple[LintFinding, ...]:
    """Return everything to change in these files, in their order."""
    return tuple(finding for source in sources for finding in sorted(set(_lint_one(source))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Lint the folder named, else the product's own; write the findings, return 1 when there are any."""
    named = sys.argv[1:] if arguments is None else arguments
    sources = read_sources(Path(named[0]) if named else sql_folder())
    findings = lint(sources)
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    sys.stdout.write(f"{len(sources)} models, {len(findings)} findings\n")
    return 1 if findings else 0


def _lint_one(source: Source) -> Iterator[LintFinding]:
    yield from _lint_header(source)
    for fault in check_source(source):
        instead = "one SELECT that reads tables of the warehouse and lists its columns"
        message = fault.message.rstrip(".")
        yield LintFinding(fault.path, fault.line, fault.column, message, "it is no model so", instead)
    # The rules need a tree; a file without one has been named above.
    try:
        query = parse_query(source.sql)
    except SyntaxFault:
        return  # told by check_source
    for node in query.walk():
        for rule in RULES:
            for remark in rule(node):
                where = place(remark.node, source.sql)
                yield LintFinding(source.path, *where, remark.what, remark.why, remark.instead)


def _lint_header(source: Source) -> Iterator[LintFinding]:
    header = read_header(source.sql)
    if not header.description:
        why = "analysts read it as the table's comment"
        yield LintFinding(source.path, 1, 1, "the header does not say what one row is", why, "-- One voucher that ...")
    if not header.grain:
        why = "merges, tests and readers tell rows apart by it"
        yield LintFinding(source.path, 1, 1, "the header has no grain", why, "-- grain: document_key, line_key")


if __name__ == "__main__":
    sys.exit(main())
