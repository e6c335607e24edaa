"""What to say when no document has a name: what it is instead, what is nearest to it, and where was looked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.core.errors import UsageError
from pipelines.stores.control import named_statements

if TYPE_CHECKING:
    from pipelines.stores.control import Control
    from pipelines.stores.open_tables import Tables

# Of a short name one character may be wrong, of a longer one two.
LONG = 6
LOOKED_BY = (
    "document number, key, supplier's invoice number, KID, voucher number, payment, import item, and partner's code "
    "with a number"
)
NEXT = (
    "check it in the VMS. `springline run documents` reads what is ready for posting there, `springline preflight` "
    "what is not yet."
)


def no_document(name: str, *, control: Control, tables: Tables | None) -> UsageError:
    """Return what to tell whoever asked for a document that there is not."""
    where = "the control store alone" if tables is None else f"the {tables.origin} and the control store"
    if in_ledger := _rows_in_ledger(name, control=control, tables=tables):
        return in_ledger
    if about := control.read(named_statements("questions")["breaks_about"], {"subject": name}):
        # Subjects of breaks as `breaks list` shows them: a project, an account, a partner, a currency.
        told = [f"Break no:{row['break_id']} ({row['kind']}): {row['message']}" for row in about]
        return UsageError("\n".join([f"{name} is no document.", *told]), next_step=about[0]["next_step"])
    near = _near(name, tables)
    lines = [f"No document {name} has been read yet. Looked in {where}, by {LOOKED_BY}.", *near]
    return UsageError("\n".join(lines), next_step="run one of these commands, or " + NEXT if near else NEXT)


def _rows_in_ledger(name: str, *, control: Control, tables: Tables | None) -> UsageError | None:
    """Say what a number of the ledger is that leads to no document, with the break that asks for something."""
    number = whole_number(name)
    if tables is None or number < 0:
        return None
    rows = tables.rows(named_statements("find", folder="questions")["rows_in_ledger"], [number])
    if not rows:
        return None
    row = rows[0]
    steps = [
        f"{one['next_step'].rstrip('.')} (break no:{one['break_id']})"
        for row in rows
        for one in control.read(
            named_statements("questions")["breaks_about"], {"subject": f"{row['side']} {row['row_db_id']}"}
        )
    ]
    return UsageError(
        f"{name} is no document. It is in the ledger: {row['side']} row {row['row_db_id']} of voucher "
        f"{row['voucher_no']}, source {row['source_code']}, partner {row['subledger_code']}. It pays no document that "
        "Springline knows.",
        next_step=f"{'; '.join(steps) or 'see the voucher in Xledger'}.",
    )


def whole_number(text: str) -> int:
    """Return the number that a text is, -1 where it is none or has more than the 64 bits of a database's numbers."""
    return int(text) if text.isdecimal() and int(text) < 2**63 else -1


def _near(name: str, tables: Tables | None) -> list[str]:
    """Return a line for each of the nearest names, with the command that tells of its document."""
    capitals = name.upper()
    plain = re.sub(r"[\W_]", "", capitals)
    if tables is None or not plain:
        return []
    most = 1 if len(plain) < LONG else 2
    rows = tables.rows(named_statements("find", folder="questions")["near"], [capitals, plain, most])
    return [f"  springline explain key:{row['document_key']}  {row['what']} {row['name']}" for row in rows]
