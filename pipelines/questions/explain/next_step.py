"""Where a document stands, what to do about it, and who does it: the advice of the first case that applies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pipelines.checks.suites import HELD_BY_PERSON
from pipelines.core.resources import seed_file
from pipelines.core.words import amount, as_step, moment
from pipelines.questions.explain.verdicts import NOT_CHECKED
from pipelines.questions.who_acts import (
    ACCOUNTING,
    NOT_BOOKED,
    OPERATIONS,
    OPERATOR,
    acts_on_break,
    acts_on_rule,
    fault_and_step,
    finding_and_step,
)

if TYPE_CHECKING:
    from pipelines.questions.explain.explanation import Explanation

# Job levels of an import item: the ledger's posting job has booked it, or refused it (docs/systems/ledger.md#a9).
BOOKED, REFUSED = 3, 9
RUN = "springline run documents"
NOTHING = "nothing."


@dataclass(frozen=True, slots=True)
class Advice:
    """Where a document stands and what to do, each in a sentence; ``who`` is empty where nobody has to act."""

    stands: str
    step: str
    who: str = ""


def advise(story: Explanation) -> Advice:
    """Return the advice on a document; there is always one, because the last case applies to all."""
    return next(advice for case in CASES if (advice := case(story)) is not None)


def _ignored(story: Explanation) -> Advice | None:
    if story.ignored is None:
        return None
    by, reason, since = (story.ignored[name] for name in ("operator", "reason", "since"))
    return Advice(
        f"Left alone: {by} put it on the ignore list at {moment(since)} ({reason}).",
        f"nothing. `springline release {story.name} --reason …` takes it off the list.",
    )


def _adopted(story: Explanation) -> Advice | None:
    remote = (story.intent("voucher") or {}).get("remote_ids") or {}
    if not remote.get("adopted"):
        return None
    stands = f"People had posted it by hand as voucher {remote.get('voucher_no')}; Springline adopted that."
    return _acknowledged(story) or Advice(stands, NOTHING)


def _refused(story: Explanation) -> Advice | None:
    """Say what the posting job refused; the import had accepted it, so it must never be sent again as new."""
    items = story.ledger["import_items"]
    if story.state("voucher") != "sent" or not any(item["job_level"] == REFUSED for item in items):
        return None
    errors = " ".join(f"item {item['import_item_db_id']}: {item['errors']}" for item in items if item["errors"])
    place = "posted in the VMS, not in the ledger" if story.state("acknowledgement") == "sent" else "not in the ledger"
    return Advice(
        f"It is {place}, whose posting job refused it ({errors}).",
        f"correct that in the VMS or the settings and run `springline retry {story.name} --reason …`, or correct "
        "these items in Xledger.",
        ACCOUNTING,
    )


def _differs(story: Explanation) -> Advice | None:
    """Say what an open break asks for: while there is one, it is never true that nothing is to be done."""
    standing = [row for row in story.breaks if not row["is_accepted"]]
    if any(kept_back(story) for kept_back in (_set_aside, _held, _decided_to_hold, _failed)):
        standing = [row for row in standing if row["kind"] not in NOT_BOOKED]
    if not standing:
        return None
    row = standing[0]
    others = len(standing) - 1
    more = f" {others} more of its breaks {'is' if others == 1 else 'are'} open." if others else ""
    step = f"{row['next_step'].rstrip('.')} (break no:{row['break_id']}).{more}"
    return Advice(_ended(row["message"]), step, acts_on_break(row["kind"]))


def _ended(sentence: str) -> str:
    return f"{sentence.rstrip('.')}."


def _acknowledged(story: Explanation) -> Advice | None:
    acknowledgement = story.intent("acknowledgement")
    if acknowledgement is None or acknowledgement["state"] == "sent":
        return None
    if acknowledgement["state"] == "failed":
        stands = f"Its voucher is in the ledger, but the VMS was not told: {_ended(acknowledgement['last_error'])}"
        step = f"see to it in the VMS, then run `springline retry {story.name} --reason …`."
        return Advice(stands, step, OPERATIONS)
    return Advice(
        "Its voucher is in the ledger, and the VMS does not show it as posted yet.",
        f"`{RUN}` sets it to posted in the VMS.",
        OPERATOR,
    )


def _sent(story: Explanation) -> Advice | None:
    if story.state("voucher") != "sent":
        return None
    if advice := _acknowledged(story):
        return advice
    levels = {item["job_level"] for item in story.ledger["import_items"]}
    if not story.voucher_numbers and levels != {BOOKED}:
        return Advice(
            "On its way: the ledger's import has it, and its posting job has not booked it yet.",
            "wait. The job books it or says why not, and the next run reads that.",
        )
    return Advice(f"The ledger has booked it{_as_voucher(story)}.", NOTHING)


def _as_voucher(story: Explanation) -> str:
    if not (booked := story.voucher_numbers):
        return ""
    # Zero is settled; None is not known, which is the case while no row of the invoice has been read.
    left = story.payments["open"]
    rest = "; it is settled" if left == 0 else ""
    if left:
        rest = f"; {amount(abs(left), story.ledger['subledger_rows'][0]['currency_code'])} of it is open"
    return f" as voucher {', '.join(booked)}{rest}"


def _unknown(story: Explanation) -> Advice | None:
    if story.state("voucher") not in {"unknown", "sending"}:
        return None
    return Advice(
        "It was sent, and it is not known whether it arrived.",
        f"`{RUN}` looks it up in the ledger before anything is sent.",
        OPERATOR,
    )


def _set_aside(story: Explanation) -> Advice | None:
    # The message ends with the usual next step, which stands here anyway.
    fault, _ = fault_and_step(story.set_aside or "")
    if not fault:
        return None
    return Advice(
        f"Set aside, it cannot be read. {_ended(fault)}",
        "correct it in the VMS; the next run reads it again.",
        OPERATIONS,
    )


def _held(story: Explanation) -> Advice | None:
    """Say what every rule that holds it asks for: with one of two put right it would be held still."""
    held = [hold for hold in story.holds if hold["until"] is None and hold["severity"] == "critical"]
    if not held:
        return None
    split = [finding_and_step(hold["rule"], str(hold["message"])) for hold in held]
    steps = " ".join(dict.fromkeys(step for _, step in split))
    holder = _holder(story)
    whose = dict.fromkeys(
        holder if holder and hold["rule"] == HELD_BY_PERSON else acts_on_rule(hold["rule"]) for hold in held
    )
    return Advice(
        f"Held: {'; '.join(found for found, _ in split)}.",
        as_step(steps),
        " and ".join(whose),
    )


def _holder(story: Explanation) -> str:
    """Return who put it on hold last."""
    holders = [str(decision["operator"]) for decision in story.decisions if decision["action"] == "hold"]
    return holders[-1] if holders else ""


def _decided_to_hold(story: Explanation) -> Advice | None:
    """Say who decided on a hold that no run has put into effect yet; `_held` says it afterwards."""
    decisions = [decision for decision in story.decisions if decision["action"] in {"hold", "release"}]
    if not decisions or decisions[-1]["action"] != "hold":
        return None
    by, reason = decisions[-1]["operator"], decisions[-1]["reason"]
    return Advice(
        f"Held from the next run on: {by} put it on hold ({reason}).",
        f"`springline release {story.name} --reason …` lifts that.",
        by,
    )


def _failed(story: Explanation) -> Advice | None:
    voucher = story.intent("voucher")
    if voucher is None or voucher["state"] != "failed":
        return None
    return Advice(
        f"Not sent: {_ended(str(voucher['last_error']))}", f"see to that; `{RUN}` tries it again.", ACCOUNTING
    )


def _never_posted(story: Explanation) -> Advice | None:
    kind = (story.vms or {}).get("document_type")
    if kind is None or kind in posting_types():
        return None
    return Advice(f"Documents of type {kind} are read and shown, never posted.", NOTHING)


def _by_status(story: Explanation) -> Advice | None:
    status = (story.vms or {}).get("status_code")
    return _STATUSES.get(status or "")


def _ready(story: Explanation) -> Advice | None:
    if story.vms is None:
        return Advice(
            "It has not been read yet.",
            f"check its number, company and status (RFP) in the VMS; then `{RUN}`. Pending documents are read by "
            "`springline preflight`.",
            OPERATIONS,
        )
    if any(check["verdict"] == NOT_CHECKED for check in story.checks):
        return Advice(
            "Ready for posting in the VMS, and no run has checked it yet.",
            f"`{RUN}` checks it, and sends it where nothing holds it; `springline preflight` shows what would.",
            OPERATOR,
        )
    return Advice("Ready: nothing holds it.", f"`{RUN}` sends it.", OPERATOR)


_STATUSES: Mapping[str, Advice] = {
    "PEN": Advice(
        "It is pending in the VMS.",
        "assemble and post it in the VMS; `springline preflight` says what to mend before.",
        OPERATIONS,
    ),
    "INV": Advice(
        "It is up for approval in the VMS.",
        "approve and post it in the VMS; `springline preflight` says what to mend before.",
        OPERATIONS,
    ),
    "POS": Advice("It is posted in the VMS, and Springline never sent it.", NOTHING),
    "GONE": Advice("The VMS no longer has it.", NOTHING),
    "REJECTED": Advice(
        "Its present text in the VMS cannot be read.",
        "correct it there; `springline status` says what is wrong.",
        OPERATIONS,
    ),
}

# The order decides which advice wins when several cases apply (tests/cli/test_next_step.py has a case for each pair).
# What a person decided comes first, then what is wrong with a voucher that was sent, then what differs between the two
# sides, then what is known of the voucher on its way, because these make the rest meaningless; then what stops it from
# leaving, then what the VMS's status says; the last case always applies.
CASES: Sequence[Callable[[Explanation], Advice | None]] = (
    _ignored, _refused, _differs, _adopted, _sent, _unknown, _set_aside, _held, _decided_to_hold, _failed,
    _never_posted, _by_status, _ready,
)  # fmt: skip


@cache
def posting_types() -> frozenset[str]:
    """Return the document types that become vouchers (data/seeds/voucher_types.csv)."""
    return frozenset(row["document_type"] for row in seed_file("voucher_types"))
