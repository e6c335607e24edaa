"""The writing side of the VMS: each request is one unit of work, checked by the entity's rules before it is kept."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.sandbox.vms.accruals import AccrualRun, Accruals
from pipelines.sandbox.vms.documents import Documents
from pipelines.sandbox.vms.payments import Payments
from pipelines.sandbox.vms.write import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.sandbox.vms.settings import Switches
    from pipelines.sandbox.vms.store import Unit, VmsStore
    from pipelines.sandbox.vms.webhooks import Webhooks

_USER = {"userCode": "API", "userName": "Integration"}


class Desk:
    """Takes the writes of clients, and of people who use the VMS."""

    def __init__(self, store: VmsStore, switches: Switches, webhooks: Webhooks) -> None:
        self._store = store
        self._switches = switches
        self._warnings: list[str] = []
        self._webhooks = webhooks

    def take_warnings(self) -> list[str]:
        """Give the warnings of the last write, once."""
        warnings, self._warnings = self._warnings, []
        return warnings

    def insert(self, entity: str, body: object) -> int:
        """Insert an object and give its key; raises ApiError."""
        with self._work() as writer:
            # Written first and checked as it will be stored: a refusal undoes the whole unit.
            key = writer.create(entity, body)
            if entity == "Document":
                self._documents(writer).check_new(key)
            elif entity == "WebhookSubscription":
                self._webhooks.check(key)
        return key

    def update(self, entity: str, key: int, body: object) -> None:
        """Change an object in part; raises ApiError."""
        before = self._store.find(entity, key)
        with self._work() as writer:
            writer.update(entity, key, body)
            if entity == "Document":
                self._documents(writer).check_changed(before)
            elif entity == "WebhookSubscription":
                self._webhooks.check(key, before=before)

    def delete(self, entity: str, key: int) -> None:
        """Remove an object; raises ApiError."""
        with self._work() as writer:
            writer.delete(entity, key)

    def act(self, action: str, key: int) -> int:
        """Reverse or dissolve a document and give the key of the document to show; raises ApiError."""
        with self._work() as writer:
            documents = self._documents(writer)
            if action == "reverse":
                return documents.reverse(key)
            documents.dissolve(key)
        return key

    def link(self, entity: str, key: int, *, child: str, child_key: int, linked: bool) -> None:
        """Link two objects or undo it; raises ApiError."""
        with self._work() as writer:
            writer.link(entity, key, child=child, child_key=child_key, linked=linked)

    def accrue(self, run: AccrualRun) -> dict[str, object]:
        """Generate a period's accruals and reversals; raises ApiError."""
        with self._work() as writer:
            return Accruals(self._store, writer).generate(run)

    @contextmanager
    def _work(self) -> Iterator[Writer]:
        self._warnings = []
        with self._store.unit() as unit:
            yield self._writer(unit)
        # After the unit: nobody hears of what was refused or is not on disk yet. A kill in between loses the
        # notification, which nobody promises never happens: clients poll as well.
        self._webhooks.tell(unit.touched)

    def _writer(self, unit: Unit) -> Writer:
        users = self._store.keys_of("User", _USER["userCode"])
        writer = Writer(
            self._store,
            unit,
            stamp=self._switches.stamp(),
            user=users[0] if users else self._store.new_key(),
            child_moves_parent=self._switches.now.child_moves_parent,
        )
        # A seed may lack the integration's user and the action of the audit log.
        if not users:
            unit.put("User", {"key": writer.user, **_USER})
        if not self._store.keys_of("Action", "EDIT"):
            unit.put("Action", {"key": self._store.new_key(), "actionName": "EDIT"})
        return writer

    def _documents(self, writer: Writer) -> Documents:
        refuses = self._switches.now.sign_matrix == "refuse"
        return Documents(self._store, writer, Payments(self._store, writer.unit, refuses, self._warnings))
