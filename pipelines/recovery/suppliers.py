"""Keeps bank details from the ledger that nobody has released, when the record of what was released is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipelines.load.ledger.master_data import SUPPLIERS, change_intent
from pipelines.load.ledger.nodes import NODES
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.rows import rows_of

if TYPE_CHECKING:
    from pipelines.step.context import Context

TAKEN = "taken as the ledger has it, which never shows a SWIFT code or a bank's routing number"


class SuppliersKept(NamedTuple):
    """Suppliers whose SWIFT code or routing number is taken as the ledger's, and those whose account waits."""

    taken: int = 0
    waiting: int = 0


def keep_suppliers(ctx: Context) -> SuppliersKept:
    """Record what a supplier's bank details are taken for, so that none goes to the ledger that nobody has released.

    SWIFT codes and routing numbers cannot be read back (docs/mapping.md#2). Never sent would count as different: each
    would be sent once more, and with them one that waited for a second person. So what the VMS has now is taken as what
    the ledger has, and only what changes from here on is a change. An account that the ledger has under no such code
    may be a known supplier's under another one: it waits for a second person, as a first one otherwise would not.
    """
    outbox, statements = Outbox.of(ctx), named_statements("recovery", folder="questions")
    rows = rows_of(ctx.warehouse.execute(statements["never_shown"]))
    known = outbox.versions(Kind.SUPPLIER, [row["natural_key"] for row in rows])
    # All that the ledger shows is left out of what is recorded: the next run compares it.
    shown = dict.fromkeys([member.column for member in NODES[SUPPLIERS.members]]) | {"ledger_hash": None}
    made = [(row, change_intent(SUPPLIERS, shown | row, None)) for row in rows if row["natural_key"] not in known]
    intents = [(row, intent) for row, intent in made if intent is not None]
    outbox.store_intents(intent for _, intent in intents)
    outbox.apply(Move(intent.id, State.SENT, TAKEN, {"dbIds": [str(row["ledger_db_id"])]}) for row, intent in intents)
    unseen = rows_of(ctx.warehouse.execute(statements["accounts_of_nobody"]))
    at = utc_text(ctx.now())
    with ctx.control.write() as connection:
        connection.executemany(named_statements("bank_changes")["remember"], [{**row, "at": at} for row in unseen])
    return SuppliersKept(len(intents), len(unseen))
