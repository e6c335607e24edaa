"""What to do next about a document, in one sentence: the advice of the first case that applies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from pipelines.core.resources import seed_file
from pipelines.core.words import amount

if TYPE_CHECKING:
    from pipelines.questions.explain.explanation import Explanation

# Job levels of an import item: the ledger's posting job has booked it, or refused it (docs/systems/ledger.md#a9).
BOOKED, REFUSED = 3, 9
RUN = "springline run documents"


def next_step(story: Explanation) -> str:
    """Return what to do next, and where; never empty, because the last case always applies."""
    return next(step for case in CASES if (step := case(story)))


def _ignored(story: Explanation) -> str:
    if story.ignored is None:
        return ""
    by, reason = story.ignored["operator"], story.ignored["reason"]
    release = f"`springline release {story.name} --reason …`"
    return f"Nothing: {by} put it on the ignore list ({reason}); {release} takes it off."


def _adopted(story: Explanation) -> str:
    voucher = story.intent("voucher")
    remote = (voucher or {}).get("remote_ids") or {}
    if not remote.get("adopted"):
        return ""
    return _acknowledged(story) or f"Nothing: people had posted it by hand as voucher {remote.get('voucher_no')}."


def _refused(story: Explanation) -> str:
    """Say what the posting job refused; the import had accepted it, so it must never be sent again as new."""
    items = story.ledger["import_items"]
    if story.state("voucher") != "sent" or not any(item["job_level"] == REFUSED for item in items):
        return ""
    errors = " ".join(f"item {item['import_item_db_id']}: {item['errors']}" for item in items if item["errors"])
    place = "posted in the VMS, not in the ledger" if story.state("acknowledgement") == "sent" else "not in the ledger"
    return (
        f"It is {place}, whose posting job refused it ({errors}). Accounting corrects that in the VMS or the "
        f"settings and runs `springline retry {story.name} --reason …`, or corrects these items in Xledger."
    )


def _differs(story: Explanation) -> str:
    """Say what an open break asks for: while there is one, it is never true that nothing is to be done."""
    standing = [row for row in story.breaks if not row["is_accepted"]]
    if not standing:
        return ""
    row = standing[0]
    others = len(standing) - 1
    more = f" {others} more of its breaks {'is' if others == 1 else 'are'} open." if others else ""
    return f"{_ended(row['message'])} {_capital(row['next_step'])} (break no:{row['break_id']}).{more}"


def _ended(sentence: str) -> str:
    return f"{sentence.rstrip('.')}."


def _capital(step: str) -> str:
    return f"{step[:1].upper()}{step[1:]}".rstrip(".")


def _acknowledged(story: Explanation) -> str:
    acknowledgement = story.intent("acknowledgement")
    if acknowledgement is None or acknowledgement["state"] == "sent":
        return ""
    if acknowledgement["state"] == "failed":
        return f"Its voucher is in the ledger, but the VMS was not told: {acknowledgement['last_error']}"
    return f"Its voucher is in the ledger; `{RUN}` sets it to posted in the VMS."


def _sent(story: Explanation) -> str:
    if story.state("voucher") != "sent":
        return ""
    if step := _acknowledged(story):
        return step
    if booked := story.voucher_numbers:
        # Zero is settled; None is not known, which is the case while no row of the invoice has been read.
        left = story.payments["open"]
        rest = "; it is settled" if left == 0 else ""
        if left:
            rest = f"; {amount(left, story.ledger['subledger_rows'][0]['currency_code'])} of it is open"
        return f"Nothing: the ledger has booked it as voucher {', '.join(booked)}{rest}."
    levels = {item["job_level"] for item in story.ledger["import_items"]}
    if levels == {BOOKED}:
        return "Nothing: the ledger has booked it."
    return "Wait: the ledger's import has it, and its posting job books it or says why not; the next run reads that."


def _unknown(story: Explanation) -> str:
    if story.state("voucher") not in {"unknown", "sending"}:
        return ""
    return f"It is not known whether it arrived: `{RUN}` looks it up in the ledger before anything is sent."


def _set_aside(story: Explanation) -> str:
    fault = (story.set_aside or "").rstrip(".")
    return f"{fault}. Correct it in the VMS; the next run reads it again." if fault else ""


def _held(story: Explanation) -> str:
    return next((str(h["message"]) for h in story.holds if h["until"] is None and h["severity"] == "critical"), "")


def _decided_to_hold(story: Explanation) -> str:
    """Say who decided on a hold that no run has put into effect yet; `_held` says it afterwards."""
    decisions = [decision for decision in story.decisions if decision["action"] in {"hold", "release"}]
    if not decisions or decisions[-1]["action"] != "hold":
        return ""
    by, reason = decisions[-1]["operator"], decisions[-1]["reason"]
    return f"{by} put it on hold ({reason}); `springline release {story.name} --reason …` lifts that."


def _failed(story: Explanation) -> str:
    voucher = story.intent("voucher")
    if voucher is None or voucher["state"] != "failed":
        return ""
    return f"{voucher['last_error']} Then `{RUN}` tries it again."


def _never_posted(story: Explanation) -> str:
    kind = (story.vms or {}).get("document_type")
    if kind is None or kind in posting_types():
        return ""
    return f"Nothing: documents of type {kind} are read and shown, never posted."


def _by_status(story: Explanation) -> str:
    status = (story.vms or {}).get("status_code")
    return _STATUSES.get(status or "", "")


def _ready(story: Explanation) -> str:
    if story.vms is None:
        return (
            "It has not been read yet: check its number, company and status (RFP) in the VMS; "
            f"then `{RUN}`. Pending documents are read by `springline preflight`."
        )
    return f"Nothing holds it: `{RUN}` sends it."


_STATUSES: Mapping[str, str] = {
    "PEN": "It is pending in the VMS: somebody there assembles and posts it; `springline preflight` says what to mend.",
    "INV": "It is up for approval in the VMS: somebody there posts it; `springline preflight` says what to mend.",
    "POS": "Nothing: it is posted in the VMS, and Springline never sent it.",
    "GONE": "Nothing: the VMS no longer has it.",
    "REJECTED": "Its present text in the VMS cannot be read; `springline status` says why.",
}

# The order decides which advice wins when several cases apply (tests/cli/test_next_step.py has a case for each pair).
# What a person decided comes first, then what is wrong with a voucher that was sent, then what differs between the two
# sides, then what is known of the voucher on its way, because these make the rest meaningless; then what stops it from
# leaving, then what the VMS's status says; the last case always applies.
CASES: Sequence[Callable[[Explanation], str]] = (
    _ignored, _refused, _differs, _adopted, _sent, _unknown, _set_aside, _held, _decided_to_hold, _failed,
    _never_posted, _by_status, _ready,
)  # fmt: skip


@cache
def posting_types() -> frozenset[str]:
    """Return the document types that become vouchers (data/seeds/voucher_types.csv)."""
    return frozenset(row["document_type"] for row in seed_file("voucher_types"))
