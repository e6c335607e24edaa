"""Faults of requests: every kind there is, on any side, from any request on."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

HTML = "<html><body><h1>Bad Gateway</h1></body></html>"
LOGIN = {"Location": "https://login.example/sign-in"}
LIMITS = ("BURST_RATE_LIMIT_REACHED", "CONCURRENCY_LIMIT_REACHED", "INSUFFICIENT_CREDITS")
WRITES = ("addGLImportItems", "addSuppliers", "updateSuppliers", "addProjects", "addCompanies", "addCustomers")
# Longer than anybody waits for an answer; the work is done all the same.
STALL = 2.0
Row = dict[str, Any]


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
    "null": {"kind": "spoil", "how": "nulled"},
    "cut before": {"kind": "drop_before"},
    "cut after": {"kind": "drop_after"},
    "stalled": {"kind": "delay", "seconds": STALL, "is_done_first": True},
    "other side killed before": {"kind": "die"},
    "other side killed after": {"kind": "die", "is_done_first": True},
    "slow": {"kind": "delay", "seconds": 0.4},
}
PAGES: dict[str, Row] = {
    "empty page": {"kind": "spoil", "how": "emptied"},
    "doubled page": {"kind": "spoil", "how": "doubled"},
}
# A write without a clear answer is what the outbox is for.
SEVERE = (
    "cut before", "cut after", "stalled", "HTML for an answer", "null", "cut in the middle", "broken", "another object",
    "other side killed before", "other side killed after",
)  # fmt: skip


def faults(rng: Random) -> list[Fault]:
    """Choose the faults of one run."""
    return [_fault(rng) for _ in range(rng.randint(1, 9))]


def _fault(rng: Random) -> Fault:
    side = rng.choice(("vms", "ledger"))
    is_write = rng.random() < 0.6
    if side == "ledger" and rng.random() < 0.15:
        code = rng.choice(LIMITS)
        action: Row = {"kind": "graphql_error", "code": f"BAD_REQUEST.{code}", "message": "later"}
        return Fault(code.lower(), _rule(rng, side, action, {}))
    if not is_write and rng.random() < 0.2:
        # Only lists that the next run reads anew: an untrue answer to a look-up nobody could tell from a true one.
        name = rng.choice(sorted(PAGES))
        path = rng.choice(("BusinessPartner", "Voyage", "Vessel", "Account"))
        return Fault(name, _rule(rng, "vms", PAGES[name], {"method": "GET", "path": f"/ws/rest/{path}"}))
    name = rng.choice(SEVERE if is_write else sorted(KINDS))
    return Fault(name, _rule(rng, side, KINDS[name], _match(rng, side, is_write=is_write)))


def _match(rng: Random, side: str, *, is_write: bool) -> Row:
    if not is_write:
        return {}
    if side == "ledger":
        return {"operation": rng.choice(("addGLImportItems", *WRITES))}
    return {"method": rng.choice(("PUT", "POST")), "path": "/ws/rest"}


def _rule(rng: Random, side: str, action: Row, match: Row) -> Row:
    return {
        "side": side,
        "action": action,
        "match": match,
        "times": rng.choice((1, 1, 2, 3)),
        "after": rng.randint(0, 3 if match else 25),
    }
