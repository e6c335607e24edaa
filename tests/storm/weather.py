"""Faults of requests: every kind there is, on any side, from any request on."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

HTML = "<html><body><h1>Bad Gateway</h1></body></html>"
LOGIN = {"Location": "https://login.example/sign-in"}
LIMITS = ("BURST_RATE_LIMIT_REACHED", "CONCURRENCY_LIMIT_REACHED", "INSUFFICIENT_CREDITS")
# Longer than anybody waits for an answer; the work is done all the same.
STALL = 2.0
Row = dict[str, Any]
SIDES = ("vms", "ledger")
# The writes of each job that may be disturbed: the side, and which of its requests are meant.
WRITES: dict[str, tuple[tuple[str, Row], ...]] = {
    "master-data": tuple(
        ("ledger", {"operation": name})
        for name in ("addSuppliers", "updateSuppliers", "updateSuppliers", "addProjects", "addCompanies")
    ),
    "documents": (
        *(("ledger", {"operation": "addGLImportItems"}),) * 3,
        *(("vms", {"method": "PUT", "path": "/ws/rest"}),) * 2,
    ),
    "rates": (("vms", {"method": "POST", "path": "/ws/rest/ExchangeRate"}),),
    "payments": (("vms", {"method": "POST", "path": "/ws/rest/Document"}),),
    "actuals": (("vms", {"method": "POST", "path": "/ws/rest/Document"}),),
    "reconcile": (),
    "publish": (),
}


class Fault(NamedTuple):
    """One rule for the sandbox, by the name under which it is counted."""

    name: str
    rule: Row


# Without those that read as true: a page that is empty or repeats itself comes only where nothing is looked up.
KINDS: dict[str, Row] = {
    "refused": {"kind": "status", "status": 400, "body": '{"message": "no"}'},
    "signed out": {"kind": "status", "status": 401, "body": ""},
    "forbidden": {"kind": "status", "status": 403, "body": ""},
    "login page": {"kind": "status", "status": 302, "body": HTML, "headers": LOGIN},
    "too many": {"kind": "status", "status": 429, "body": HTML},
    "broken": {"kind": "status", "status": 500, "body": HTML},
    "down": {"kind": "status", "status": 503, "body": HTML},
    "overload": {"kind": "status", "status": 529, "body": HTML},
    "HTML for an answer": {"kind": "body", "body": HTML},
    "nothing for an answer": {"kind": "body", "body": ""},
    "another object": {"kind": "body", "body": '{"key": 7}'},
    "malformed": {"kind": "body", "body": '{"data": {'},
    "cut in the middle": {"kind": "spoil", "how": "cut"},
    "ids alone": {"kind": "spoil", "how": "bared"},
    "null": {"kind": "spoil", "how": "nulled"},
    "cut before": {"kind": "drop_before"},
    "cut after": {"kind": "drop_after"},
    "stalled": {"kind": "delay", "seconds": STALL, "is_done_first": True},
    "slow": {"kind": "delay", "seconds": 0.4},
}
# Seldom, and one a run: whoever dies forgets the other faults.
DEATHS: dict[str, Row] = {
    "other side killed before": {"kind": "die"},
    "other side killed after": {"kind": "die", "is_done_first": True},
}
PAGES: dict[str, Row] = {
    "empty page": {"kind": "spoil", "how": "emptied"},
    "doubled page": {"kind": "spoil", "how": "doubled"},
}
# A read that meets one of these is asked again, and the run goes on to meet others.
PASSING = ("too many", "broken", "down", "overload", "cut before", "cut after", "stalled", "slow")
# A write without a clear answer is what the outbox is for.
SEVERE = (
    "cut before", "cut after", "stalled", "HTML for an answer", "null", "cut in the middle", "broken", "another object",
)  # fmt: skip


def faults(rng: Random, jobs: Sequence[str]) -> list[Fault]:
    """Choose the faults of a run of these jobs."""
    writes = [write for job in jobs for write in WRITES[job]]
    number = rng.randint(12, 18 + 10 * len(jobs))
    chosen = [_of_a_write(rng, writes) if writes and rng.random() < 0.4 else _of_any(rng, jobs) for _ in range(number)]
    if rng.random() < 0.15:
        name = rng.choice(sorted(DEATHS))
        side, match = rng.choice(writes) if writes and rng.random() < 0.5 else (rng.choice(SIDES), {})
        chosen.append(Fault(name, _rule(rng, side, DEATHS[name], match, 1 if match else _most(side, jobs))))
    return chosen


def _most(side: str, jobs: Sequence[str]) -> int:
    """Say about how many requests to a side a run with few changes makes."""
    return (5 if side == "vms" else 2) * len(jobs)


def _of_a_write(rng: Random, writes: Sequence[tuple[str, Row]]) -> Fault:
    name = rng.choice(SEVERE)
    side, match = rng.choice(writes)
    return Fault(name, _rule(rng, side, KINDS[name], match, 1))


def _of_any(rng: Random, jobs: Sequence[str]) -> Fault:
    side = rng.choice(SIDES)
    most = _most(side, jobs)
    if side == "ledger" and rng.random() < 0.3:
        code = rng.choice(LIMITS)
        action: Row = {"kind": "graphql_error", "code": f"BAD_REQUEST.{code}", "message": "later"}
        return Fault(code.lower(), _rule(rng, side, action, {}, most))
    if side == "vms" and rng.random() < 0.2:
        # Only lists that the next run reads anew: an untrue answer to a look-up nobody could tell from a true one.
        name = rng.choice(sorted(PAGES))
        path = rng.choice(("BusinessPartner", "Voyage", "Vessel", "Account"))
        return Fault(name, _rule(rng, "vms", PAGES[name], {"method": "GET", "path": f"/ws/rest/{path}"}, 1))
    name = rng.choice(PASSING) if rng.random() < 0.7 else rng.choice(sorted(KINDS))
    return Fault(name, _rule(rng, side, KINDS[name], {}, most))


def _rule(rng: Random, side: str, action: Row, match: Row, most: int) -> Row:
    # More of them early: what ends a run meets nothing of what would come behind.
    times, after = rng.choice((1, 1, 1, 1, 2, 3)), rng.randint(0, rng.randint(0, most))
    return {"side": side, "action": action, "match": match, "times": times, "after": after}
