"""Faults that can be switched on for either side: which requests they meet, and what then goes wrong."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

# Each request goes through the rules one by one.
_MAX_RULES = 1_000


class Status(msgspec.Struct, frozen=True, tag_field="kind", tag="status", forbid_unknown_fields=True):
    """Answer with this HTTP status and body; nothing is done."""

    status: int
    body: str = ""
    headers: dict[str, str] = {}


# What a proxy can do: the work is done, but the answer is an HTML page or is cut off.
class Body(msgspec.Struct, frozen=True, tag_field="kind", tag="body", forbid_unknown_fields=True):
    """Do the work, then give this text in place of the answer."""

    body: str


# The shape of a limit (docs/systems/ledger.md#1-7). After a limit, and no other error, the product takes it that
# nothing was carried out.
class GraphqlError(msgspec.Struct, frozen=True, tag_field="kind", tag="graphql_error", forbid_unknown_fields=True):
    """Answer 200 with one GraphQL error, its code at the top level; nothing is done."""

    code: str
    message: str = ""
    extensions: dict[str, Any] = {}


# If the client stops waiting first, this is a DropAfter: the work is done although nobody reads the answer.
class Delay(msgspec.Struct, frozen=True, tag_field="kind", tag="delay", forbid_unknown_fields=True):
    """Wait, then go on as if nothing were wrong; ``is_done_first`` does the work before the wait and not after it."""

    seconds: float
    is_done_first: bool = False


# The client cannot tell this from DropAfter: in both cases it has to look up what happened.
class DropBefore(msgspec.Struct, frozen=True, tag_field="kind", tag="drop_before", forbid_unknown_fields=True):
    """Close the connection; nothing is done."""


# The case the outbox exists for: the voucher was taken, and the answer is lost (docs/architecture.md#outbox).
class DropAfter(msgspec.Struct, frozen=True, tag_field="kind", tag="drop_after", forbid_unknown_fields=True):
    """Do the work, then close the connection without an answer."""


class Die(msgspec.Struct, frozen=True, tag_field="kind", tag="die", forbid_unknown_fields=True):
    """Kill the whole server, as a power cut would; ``is_done_first`` does the work before."""

    is_done_first: bool = False


class Replace(msgspec.Struct, frozen=True, tag_field="kind", tag="replace", forbid_unknown_fields=True):
    """Do the work, then replace a text in the raw answer."""

    old: str
    new: str


# What proxies, caches and half-finished answers make of a good one. An empty page is the only one that reads as true.
class Spoil(msgspec.Struct, frozen=True, tag_field="kind", tag="spoil", forbid_unknown_fields=True):
    """Do the work, then spoil the answer.

    It is cut to half of its bytes, its lists come with each element twice, without any, or with the ids of their
    elements alone, or there is null for its data.

    Lists are those of a page: the VMS's array, the edges of the ledger's connections.
    """

    how: Literal["cut", "doubled", "emptied", "bared", "nulled"]


Fault = Status | Body | GraphqlError | Delay | DropBefore | DropAfter | Die | Replace | Spoil


class FaultMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests a rule meets; an empty member meets all.

    ``path`` meets itself and what lies below it, ``operation`` is the root field of a GraphQL document and
    ``contains`` a text in the decoded query string or the body.
    """

    method: str = ""
    path: str = ""
    operation: str = ""
    contains: str = ""

    def meets(self, *, method: str, path: str, operation: str, text: str) -> bool:
        """Tell whether a request is one of those."""
        return (
            # Whole segments only: /ws/rest/Document meets /ws/rest/Document/1 and not /ws/rest/DocumentLine.
            self.method in ("", method)
            and (self.path in ("", path) or path.startswith(self.path.rstrip("/") + "/"))
            and self.operation in ("", operation)
            and self.contains in text
        )


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule as posted: ``side`` is vms or ledger, ``times`` null is for ever, ``after`` skips the first matches.

    What it does is counted under its ``name``.
    """

    side: str
    action: Fault
    match: FaultMatch = FaultMatch()
    times: int | None = None
    after: int = 0
    name: str = ""


@dataclass(slots=True)
class _Armed:
    rule: FaultRule
    to_skip: int
    left: int | None


class Faults:
    """The rules that are switched on; safe to use from every thread.

    The gate (gate.py) asks once per request, before the handler of either side runs: handlers do not ask again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        # By the name of the rule, since the start.
        self.suffered: Counter[str] = Counter()

    @property
    def armed(self) -> bool:
        """Tell whether any rule is left."""
        return bool(self._armed)

    def add(self, rule: FaultRule) -> None:
        """Switch a rule on; rules are asked in the order they were added."""
        if rule.side not in ("vms", "ledger"):
            raise ValueError(f"side must be vms or ledger, not {rule.side!r}")
        with self._lock:
            if len(self._armed) >= _MAX_RULES:
                raise ValueError(f"at most {_MAX_RULES} faults can be switched on at a time")
            self._armed.append(_Armed(rule, rule.after, rule.times))

    def clear(self) -> None:
        """Switch every rule off."""
        with self._lock:
            self._armed.clear()

    def rules(self) -> list[FaultRule]:
        """List what is switched on."""
        with self._lock:
            return [armed.rule for armed in self._armed]

    def take(self, side: str, *, method: str, path: str, operation: str = "", text: str = "") -> Fault | None:
        """Use up and give the fault of the first rule that meets the request, if any."""
        # No lock for this look, which every request makes: one that arrives just as a rule is added may miss it anyway.
        if not self._armed:
            return None
        with self._lock:
            for armed in self._armed:
                rule = armed.rule
                if rule.side != side or not rule.match.meets(method=method, path=path, operation=operation, text=text):
                    continue
                # A rule that still skips requests leaves this one to the rules behind it.
                if armed.to_skip > 0:
                    armed.to_skip -= 1
                    continue
                return self._use(armed)
        return None

    def _use(self, armed: _Armed) -> Fault:
        self.suffered[armed.rule.name] += 1
        if armed.left is not None:
            armed.left -= 1
            if armed.left <= 0:
                self._armed.remove(armed)
        return armed.rule.action
