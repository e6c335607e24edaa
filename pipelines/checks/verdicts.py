"""What the checks say about a document: one verdict for each rule that it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.checks.suites import CRITICAL, WARNING

if TYPE_CHECKING:
    from pipelines.stores.rows import Row


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule that one document fails, with the message for whoever has to act."""

    document_key: int
    document_no: str | None
    company_code: str | None
    rule: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What each document fails, how many there are, the fingerprint of what was checked, and a hash per document."""

    verdicts: Mapping[int, tuple[Verdict, ...]]
    checked: int
    fingerprint: str
    hashes: Mapping[int, str] = field(default_factory=dict)

    @property
    def held(self) -> frozenset[int]:
        """Keys of the documents that fail a critical rule."""
        return self._failing(CRITICAL)

    @property
    def warned(self) -> frozenset[int]:
        """Keys of the documents with a warning, held or not."""
        return self._failing(WARNING)

    def _failing(self, severity: str) -> frozenset[int]:
        return frozenset(key for key, found in self.verdicts.items() if any(v.severity == severity for v in found))


def make_verdict(row: Row, *, rule: str, severity: str, message: str) -> Verdict:
    """Make a verdict on the document that a row belongs to."""
    key, number, company = row["document_key"], row["document_no"], row["company_code"]
    if not isinstance(key, int):  # the suites have asserted that every row has one
        raise TypeError(key)
    return Verdict(
        document_key=key,
        document_no=None if number is None else str(number),
        company_code=None if company is None else str(company),
        rule=rule,
        severity=severity,
        message=message,
    )
