"""Webhooks at the ledger: made, looked at, removed. The ledger lists none, so the notes are all that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import Refused, Unclear, WireError
from pipelines.watch.webhooks.calls import LEDGER_JOBS
from pipelines.watch.webhooks.noted import GONE, UNKNOWN, Noted, Notes
from pipelines.watch.webhooks.ready import url_of
from pipelines.watch.webhooks.shown import FAULTED, NEXT_STEPS, Shown
from pipelines.watch.webhooks.wanted import LEDGER_WANTED, LedgerWanted

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.stores.control import Control
    from pipelines.wire.ledger import LedgerClient

# Of a webhook whose answer names none.
STARTING = "STARTING"


class LedgerSide:
    """The ledger's side of webhooks."""

    def __init__(
        self, settings: Settings, control: Control, ledger: LedgerClient, *, now: Callable[[], datetime]
    ) -> None:
        """``now`` is the clock (aware); what is missing in the settings has been told before."""
        self._ledger = ledger
        self._notes = Notes(control, "ledger", now=now)
        self._url = url_of(settings, "ledger")

    def register(self) -> list[Shown]:
        """Make the webhooks that are missing; one that is gone, has failed for good or calls elsewhere is made anew.

        What changed meanwhile is noted as an event for the job that looks at it. Raises what the ledger raises; one
        of which it is not known whether it was made is left to a person, since the ledger lists none.
        """
        wanted = {one.name: one for one in LEDGER_WANTED}
        standing: dict[str, Shown] = {}
        for noted, node in self._asked():
            state = _state(noted, node)
            is_kept = noted.name in wanted and noted.name not in standing and state not in {GONE, FAULTED}
            if is_kept and (node is None or node.get("url") in {None, self._url}):
                self._notes.seen(noted.subscription, state=state)
                done = "" if state == UNKNOWN else "was there"
                standing[noted.name] = Shown("ledger", noted.name, noted.subscription, state, done)
            else:
                self._take_away(noted, state)
        return [standing.get(one.name) or self._make(one) for one in wanted.values()]

    def verify(self) -> list[Shown]:
        """Ask, in one request, in which state each webhook is."""
        shown = []
        for noted, node in self._asked():
            state = _state(noted, node)
            self._notes.seen(noted.subscription, state=state)
            shown.append(Shown("ledger", noted.name, noted.subscription, state))
        return shown

    def remove(self) -> list[Shown]:
        """Remove every webhook that was made, and look whether it is gone; one that is not known is forgotten."""
        # Those that are there: an id that somebody else has removed might fail them all.
        ids = [noted.subscription for noted, node in self._asked() if node is not None]
        if ids:
            self._ledger.remove_webhooks(ids)
        shown = []
        for noted, node in self._asked():
            if node is not None:
                state = _state(noted, node)
                shown.append(Shown("ledger", noted.name, noted.subscription, state, "still there"))
            elif noted.state == UNKNOWN:
                self._notes.dropped(noted.subscription)
                shown.append(Shown("ledger", noted.name, noted.subscription, GONE, "forgotten"))
            else:
                self._notes.taken_away(noted.subscription)
                shown.append(Shown("ledger", noted.name, noted.subscription, GONE, "removed"))
        return shown

    def _make(self, wanted: LedgerWanted) -> Shown:
        # On disk before the call: a process that ends meanwhile must not make a second one unseen.
        begun = self._notes.begun(wanted.name)
        try:
            node = self._ledger.add_webhook(
                description=f"Springline: {wanted.name}", url=self._url, subscription=wanted.subscription
            )
            subscription = _id(node)
        except Refused:
            self._notes.dropped(begun)
            raise
        except WireError as error:
            if not error.sent:
                self._notes.dropped(begun)
                raise
            raise Unclear(
                f"Xledger: it is not known whether the webhook for {wanted.name} was made: {error.message}",
                next_step=NEXT_STEPS[UNKNOWN],
            ) from error
        state = _code(node)
        self._notes.proved(wanted.name, begun, subscription, state=state, job=LEDGER_JOBS[wanted.connection])
        return Shown("ledger", wanted.name, subscription, state, "made")

    def _take_away(self, noted: Noted, state: str) -> None:
        if state not in {GONE, UNKNOWN}:
            self._ledger.remove_webhooks([noted.subscription])
        self._notes.taken_away(noted.subscription)

    def _asked(self) -> list[tuple[Noted, Mapping[str, Any] | None]]:
        """Return what was made, and what the ledger says of it now."""
        standing = self._notes.standing()
        ids = [noted.subscription for noted in standing if noted.state != UNKNOWN]
        nodes: dict[str, Any] = {}
        try:
            nodes = dict(self._ledger.webhooks(ids)) if ids else {}
        except Refused:
            # One that is not there may be an error, and with it the whole request: then each by itself.
            nodes = {db_id: self._one(db_id) for db_id in ids}
        return [(noted, nodes.get(noted.subscription)) for noted in standing]

    def _one(self, db_id: str) -> Mapping[str, Any] | None:
        try:
            return self._ledger.webhooks([db_id])[db_id]
        except Refused:
            return None


def _state(noted: Noted, node: Mapping[str, Any] | None) -> str:
    if noted.state == UNKNOWN:
        return UNKNOWN
    return GONE if node is None else _code(node)


def _code(node: Mapping[str, Any]) -> str:
    state = node.get("state")
    code = state.get("code") if isinstance(state, Mapping) else None
    return str(code).upper() if code else STARTING


def _id(node: Mapping[str, Any]) -> str:
    db_id = node.get("dbId")
    if not isinstance(db_id, int | str) or isinstance(db_id, bool) or not str(db_id).strip("0").isdecimal():
        raise Unclear("Xledger's answer names no webhook.")
    return str(db_id)
