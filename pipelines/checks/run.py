"""Checks every open document against every rule, and gives a verdict for each rule that a document fails."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

import pipelines
from pipelines.checks import frames
from pipelines.checks.engine import evaluate
from pipelines.checks.messages import LABEL_COLUMNS, fields, fill, write_message
from pipelines.checks.suites import CRITICAL, RuleBook, load_rules
from pipelines.checks.verdicts import CheckResult, Verdict, make_verdict
from pipelines.stores.control import named_statements

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.checks.engine import Failure
    from pipelines.step.context import Context

FINGERPRINT = "checks.fingerprint"
STANDING = "checks.standing"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Findings:
    """What the suites found so far: findings by document and rule, and a row of each to fill the message from."""

    book: RuleBook
    off: frozenset[str] = frozenset()
    texts: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    rows: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)

    def held(self) -> set[int]:
        return {key for key, rule in self.texts if self.book.rules[rule].severity == CRITICAL}

    def check(self, suite_name: str, table: pa.Table, **parameters: int) -> None:
        """Run a suite, and note its failures; an empty table that should be empty needs no suite."""
        if not table.num_rows and not any(parameters.values()):
            return
        suite = self.book.suites[suite_name]
        found = evaluate(suite, table, parameters=parameters)
        failures = tuple(failure for failure in found if failure.rule not in self.off)
        rows = self._failing_rows(failures, table)
        for failure in failures:
            for number in failure.rows:
                row = rows[number]
                place = (row["document_key"], failure.rule)
                text = suite.undecided if failure.finding is None else fill(failure.finding, row=row)
                self.texts.setdefault(place, []).append(text)
                self.rows.setdefault(place, row)

    def _failing_rows(self, failures: tuple[Failure, ...], table: pa.Table) -> dict[int, dict[str, Any]]:
        templates = [failure.finding or "" for failure in failures]
        templates += [self.book.rules[failure.rule].next_step for failure in failures]
        named = set(LABEL_COLUMNS).union(*map(fields, templates))
        numbers = sorted({number for failure in failures for number in failure.rows})
        if not numbers:
            return {}
        columns = [name for name in table.column_names if name in named]
        return dict(zip(numbers, table.select(columns).take(numbers).to_pylist(), strict=True))

    def verdicts(self) -> dict[int, tuple[Verdict, ...]]:
        """Return the verdicts by document, each document's in the order of the rules."""
        found: dict[int, tuple[Verdict, ...]] = {}
        order = {name: place for place, name in enumerate(self.book.rules)}
        for place in sorted(self.texts, key=lambda place: (place[0], order[place[1]])):
            found[place[0]] = (*found.get(place[0], ()), self._verdict(place))
        return found

    def _verdict(self, place: tuple[int, str]) -> Verdict:
        rule, row = self.book.rules[place[1]], self.rows[place]
        message = write_message(rule, findings=self.texts[place], row=row)
        return make_verdict(row, rule=rule.name, severity=rule.severity, message=message)


def run_checks(ctx: Context) -> CheckResult:
    """Check all open documents; of those that have not changed since the last complete run, its verdicts stand.

    First the posting requirements over post.document_checks; then, for the documents that meet them all, a safety net
    over the voucher lines that would be sent. A rule that the settings have switched off finds nothing. Nothing is
    written: see ``pipelines.checks.hold``.

    Raises CheckError when a check could not run, or a table is not what it should be.
    """
    book = load_rules()
    open_count = frames.count_open_documents(ctx.warehouse)
    hashes = frames.document_hashes(ctx.warehouse)
    known = _known(ctx, hashes)
    verdicts = _standing_verdicts(ctx, book, known)
    checked = open_count - len(known)
    if checked or len(hashes) != open_count:
        ctx.report("checking documents", 0, checked)
        verdicts = {**verdicts, **_fresh_verdicts(ctx, book, known=known, checked=checked)}
        ctx.report("checking documents", checked, checked)
    result = CheckResult(verdicts, open_count, fingerprint(ctx), hashes)
    log.info(
        "checks_run",
        batch=ctx.batch_id,
        documents=open_count,
        unchanged=len(known),
        held=len(result.held),
        warned=len(result.warned),
    )
    return result


def _fresh_verdicts(
    ctx: Context, book: RuleBook, *, known: frozenset[int], checked: int
) -> dict[int, tuple[Verdict, ...]]:
    findings = _Findings(book, book.without(ctx.settings.posting.rules_off))
    findings.check("post.document_checks", frames.document_frame(ctx.warehouse, known=known), documents=checked)
    # What is held already is left out of the safety net: its lines may be incomplete for the very reason it is held.
    held = findings.held()
    out = known | held
    lines = frames.read_table(ctx.warehouse, "lines", held=out)
    findings.check("post.draft_lines", lines, lines=frames.count_lines(ctx.warehouse, held=out))
    # Totals beside lines: a voucher whose lines are all right may still not add up to zero.
    totals = frames.read_table(ctx.warehouse, "totals", held=out)
    findings.check("post.draft_totals", totals, documents=checked - len(held))
    return findings.verdicts()


def rules_mark(ctx: Context) -> str:
    """Return a hash of the rules, of those that are off, and of the program that applies them."""
    book = load_rules()
    digest = hashlib.sha256(f"{pipelines.__version__} {sorted(ctx.settings.posting.rules_off)}".encode())
    for suite in book.suites.values():
        digest.update(suite.document.encode())
    return digest.hexdigest()


def fingerprint(ctx: Context) -> str:
    """Return a hash of all that verdicts follow from: the checked tables, the rules, the program and the day."""
    checked = frames.count_open_documents(ctx.warehouse)
    digest = hashlib.sha256(f"{rules_mark(ctx)} {ctx.today} {checked}".encode())
    for table in ("post.document_checks", "post.draft_lines"):
        digest.update(f" {table} {frames.content_hash(ctx.warehouse, table)}".encode())
    return digest.hexdigest()


def _known(ctx: Context, hashes: Mapping[int, str]) -> frozenset[int]:
    """Return the documents that were checked with the same content by the same rules."""
    kept = ctx.control.mark(STANDING)
    standing = json.loads(kept) if kept else {}
    if standing.get("rules") != rules_mark(ctx):
        return frozenset()
    before = standing["documents"]
    return frozenset(key for key, value in hashes.items() if before.get(str(key)) == value)


def _standing_verdicts(ctx: Context, book: RuleBook, known: frozenset[int]) -> dict[int, tuple[Verdict, ...]]:
    found: dict[int, tuple[Verdict, ...]] = {}
    for _hold_id, key, *rest in ctx.control.read(named_statements("holds")["open"]):
        verdict = Verdict(key, *rest)
        # Holds of people and of other steps stand in the same table; they are no verdicts of the suites.
        if verdict.rule in book.rules and key in known:
            found[key] = (*found.get(key, ()), verdict)
    return found
