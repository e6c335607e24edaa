"""The reference page of all rules: what holds a document, what only warns, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.checks.suites import CRITICAL, WARNING, Rule, load_rules

HEADINGS = {
    CRITICAL: (
        "Rules that hold a document",
        "The document waits until the next run finds it corrected; nobody has to release it.",
    ),
    WARNING: ("Rules that warn", "The document goes out, and the warning is shown."),
}
INTRODUCTION = (
    "Generated from the suites in `expectations/`. A message names the document, what is wrong, what was found and "
    "the next step; words in braces are filled in from the document, `{total:currency}` as an amount with its currency."
)
COLUMNS = ("Rule", "What is wrong", "What the message adds", "Where to correct it", "Next step", "Source")


def rules_page() -> str:
    """Return docs/reference/rules.md: every rule of the suites in expectations/, in Markdown."""
    parts = [
        "# Rules",
        INTRODUCTION,
    ]
    for severity, (heading, meaning) in HEADINGS.items():
        parts += [
            f"## {heading}",
            meaning,
            _table(rule for rule in load_rules().rules.values() if rule.severity == severity),
        ]
    return "\n\n".join(parts) + "\n"


def _table(rules: Iterable[Rule]) -> str:
    rows = [COLUMNS, tuple("---" for _ in COLUMNS)]
    rows += [
        (f"`{rule.name}`", rule.title, "<br>".join(rule.findings) or "", rule.system, rule.next_step, rule.source)
        for rule in rules
    ]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
