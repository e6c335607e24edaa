"""What preflight found: documents with the rules they would fail, by the person who entered them and by voyage."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.checks.suites import CRITICAL
from pipelines.core.drawing import draw_table

if TYPE_CHECKING:
    from rich.console import Console

# What stands in the place of a person and of a voyage: they are headings, so there must be something.
NOBODY_KNOWN, NO_VOYAGE = "nobody the VMS names", "no voyage"


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One rule that a document would fail; ``severity`` critical holds it, warning only shows."""

    rule: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class PendingDocument:
    """One document that is not posted yet, with what the rules say; amount in ``currency``, signed as in the VMS.

    Of a document that could not be read only the number, the key and the findings are known.
    """

    document_no: str
    document_key: int | None
    document_type: str | None = None
    status: str | None = None
    company: str | None = None
    document_date: date | None = None
    partner: str | None = None
    currency: str | None = None
    amount: Decimal | None = None
    entered_by: str = NOBODY_KNOWN
    voyage: str = NO_VOYAGE
    findings: tuple[RuleFinding, ...] = ()

    @property
    def is_held(self) -> bool:
        """Whether a rule would hold it."""
        return any(finding.severity == CRITICAL for finding in self.findings)


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """What preflight found: the documents with findings, and how new the ``reference`` data is."""

    period: str | None
    checked: int
    held: int
    warned: int
    reference: str
    documents: tuple[PendingDocument, ...]

    def by_person(self) -> dict[str, dict[str, list[PendingDocument]]]:
        """Group by who entered a document, then by voyage."""
        groups: dict[str, dict[str, list[PendingDocument]]] = {}
        for pending in sorted(self.documents, key=lambda one: (one.entered_by, one.voyage, one.document_no)):
            groups.setdefault(pending.entered_by, {}).setdefault(pending.voyage, []).append(pending)
        return groups

    def as_dict(self) -> dict[str, object]:
        """Return the object that `preflight --json` prints."""
        return {
            "period": self.period,
            "checked": self.checked,
            "held": self.held,
            "warned": self.warned,
            "reference": self.reference,
            # As the terminal shows it: a report is handed on person by person.
            "people": {
                person: {voyage: [asdict(pending) for pending in documents] for voyage, documents in voyages.items()}
                for person, voyages in self.by_person().items()
            },
        }


def show_preflight(report: PreflightReport, console: Console) -> None:
    """Print what would be held and why, a table for each person who entered it."""
    for person, voyages in report.by_person().items():
        rows = (
            (voyage, f"{pending.document_type or ''} {pending.document_no}".strip(), pending.status, told)
            for voyage, documents in voyages.items()
            for pending in documents
            # A row for each rule, because each is another thing to do.
            for finding in pending.findings
            for told in [f"{'' if finding.severity == CRITICAL else 'warning: '}{finding.message}"]
        )
        console.print(draw_table(("voyage", "document", "status", "what, and what to do"), rows, title=person))
    period = f" of {report.period}" if report.period else ""
    console.print(
        f"{report.checked} documents{period} that are not posted yet were checked: {report.held} would be held, "
        f"{report.warned} have a warning. Nothing was written. Ledger data {report.reference}."
    )
