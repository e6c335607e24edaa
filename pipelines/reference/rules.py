"""The page of all rules: what holds a document, what only warns, and what to do about it."""

from __future__ import annotations

from pipelines.checks.suites import CRITICAL, WARNING, Rule, load_rules
from pipelines.reference.markdown import code, page, table

INTRODUCTION = (
    "Generated from the suites in `expectations/`. A message names the document, what is wrong, what was found and "
    "the next step; words in braces are filled in from the document, `{total:currency}` as an amount with its "
    "currency. What may be switched off is named in `posting.rules_off`; no other rule may, because it keeps a "
    "voucher's money right, or the ledger would refuse the voucher without it."
)
SECTIONS = {
    CRITICAL: (
        "Rules that hold a document",
        "The document waits until the next run finds it corrected; nobody has to release it.",
    ),
    WARNING: ("Rules that warn", "The document goes out, and the warning is shown."),
}
HEADINGS = ("Rule", "What is wrong", "What the message adds", "Where to correct it", "Next step", "Source")


def rules_page() -> str:
    """Return docs/reference/rules.md: every rule of the suites in expectations/."""
    blocks = [INTRODUCTION]
    for severity, (heading, meaning) in SECTIONS.items():
        # Holding rules first: they are what keeps a document from the ledger.
        rules = (rule for rule in load_rules().rules.values() if rule.severity == severity)
        blocks += [f"## {heading}", meaning, table(HEADINGS, map(_row, rules))]
    return page("Rules", *blocks)


def _row(rule: Rule) -> tuple[str, ...]:
    name = code(rule.name) + (", may be switched off" if rule.may_be_off else "")
    return name, rule.title, "\n".join(rule.findings), rule.system, rule.next_step, rule.source
