"""Master data: what the models found missing or different in the ledger, stored and delivered (docs/mapping.md#2).

The stages stand in the order in which they need each other: a customer hangs on a company, a project on a vessel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from pipelines.core.words import plural
from pipelines.load.delivery import LEDGER, Cargo, Delivery, DeliveryResult
from pipelines.load.ledger.courier import LedgerCourier
from pipelines.load.ledger.entities import LedgerEntities, read_entities, without_entity
from pipelines.load.ledger.nodes import NODES, node_of
from pipelines.load.ledger.refusals import VALUE_REFUSED
from pipelines.load.look_up import ABSENT, QUESTION, LookUpFinding, Node, ask, chunks, complete, conflict, one_of
from pipelines.outbox.entry import Entry, Version
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, sha256
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pipelines.step.context import Context
    from pipelines.wire.ledger import LedgerClient

NOT_UNIQUE = "code_not_unique"
MOST_NAMED = 5
BREAKS = {NOT_UNIQUE: "code not unique"}


# Only a subledger shows what of them can be read back.
PARTNERS = frozenset({Kind.SUPPLIER, Kind.CUSTOMER})


class Stage(NamedTuple):
    """One kind of master data.

    Its connection, the staging table and its key; the members (of nodes.toml) that only an added node has, and those of
    an added and a changed one.
    """

    kind: Kind
    connection: str
    staging: str
    db_id: str
    only_when_added: str
    members: str

    @property
    def model(self) -> str:
        """The model of its changes."""
        return f"post.{self.kind}_changes"

    @property
    def read_back(self) -> str:
        """What the ledger has, as it was read last, in columns named as those of the changes."""
        if self.kind in PARTNERS:
            return f"SELECT *, db_id AS {self.db_id} FROM map.ledger_partners WHERE side = '{self.kind}'"  # noqa: S608 our own names
        return f"FROM {self.staging}"

    def mutation(self, action: str) -> str:
        """Name the mutation of a change: `add` or `update`."""
        return f"{action}{self.connection[0].upper()}{self.connection[1:]}"


SUPPLIERS = Stage(Kind.SUPPLIER, "suppliers", "stg_ledger.suppliers", "supplier_db_id", "code", "supplier")
STAGES = (
    Stage(Kind.COMPANY, "companies", "stg_ledger.companies", "company_db_id", "code", "company"),
    SUPPLIERS,
    Stage(Kind.CUSTOMER, "customers", "stg_ledger.customers", "customer_db_id", "customer_code", "partner"),
    Stage(Kind.COST_CENTRE, "objectValues", "stg_ledger.object_values", "object_value_db_id", "value_code", "value"),
    Stage(Kind.PROJECT, "projects", "stg_ledger.projects", "project_db_id", "code", "project"),
)


def deliver_master_data(context: Context, *, sleep: Callable[[float], None] = time.sleep) -> DeliveryResult:
    """Store and deliver what the models `post.…_changes` ask for, stage by stage, and withdraw the rest."""
    outbox = Outbox.of(context)
    entities = read_entities(context.warehouse)
    delivered = DeliveryResult()
    # Each stage is delivered before the next is made: a customer needs the id of a company created a moment ago.
    for stage in STAGES:
        intents, waiting = stage_intents(context, outbox, stage)
        outbox.store_intents(intents)
        to_send = {intent.id for intent in intents}
        courier = _courier(context, stage, entities, to_send=to_send, sleep=sleep)
        delivered += courier.deliver() + waiting
    return delivered


def stage_intents(context: Context, outbox: Outbox, stage: Stage) -> tuple[list[Intent], DeliveryResult]:
    """Make the intents of a stage, and count what has to wait for a company that is not there yet.

    Every change is a version of its own, `<owner>:<code>#<n>`; n goes up once version n is sent. What was sent and has
    not been read back since is not sent again.
    """
    rows = _changes(context, stage)
    ready = _with_companies(rows, outbox) if stage.kind is Kind.CUSTOMER else rows
    latest = outbox.versions(stage.kind, [row["natural_key"] for row in ready])
    intents = (change_intent(stage, row, latest.get(row["natural_key"])) for row in ready)
    return [intent for intent in intents if intent is not None], _waiting(rows, ready)


def _waiting(rows: Sequence[Row], ready: Sequence[Row]) -> DeliveryResult:
    """Say which customers wait: no intent does, so nothing else would show why the run is not complete."""
    found = {row["natural_key"] for row in ready}
    keys = [row["natural_key"] for row in rows if row["natural_key"] not in found]
    if not keys:
        return DeliveryResult()
    names = ", ".join(keys[:MOST_NAMED]) + (f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else "")
    waits = plural(len(keys), "customer waits for its company", "customers wait for their companies")
    step = "`springline status` and `springline breaks list` say why the company is not in the ledger."
    return DeliveryResult(waiting=len(keys), problems=(f"{waits} in the ledger: {names}. Next: {step}",))


def _changes(context: Context, stage: Stage) -> list[Row]:
    # The ledger's hash of what is there goes into the hash of the change (see `change_intent`).
    query = (
        f"SELECT changes.*, ledger.content_hash AS ledger_hash FROM {stage.model} AS changes "  # noqa: S608 our own names
        f"LEFT JOIN {stage.staging} AS ledger ON changes.ledger_db_id = ledger.{stage.db_id} "
        "ORDER BY changes.natural_key"
    )
    return rows_of(context.warehouse.execute(query))


def _with_companies(rows: Sequence[Row], outbox: Outbox) -> list[Row]:
    """Fill in the companies created in this run; leave out customers whose company could not be."""
    # The models know only what has been read back; what this run has created stands in the outbox alone.
    lacking = [row["natural_key"] for row in rows if row["action"] == "add" and row["company_db_id"] is None]
    created = {
        stem: int(str(db_id))
        for stem, version in outbox.versions(Kind.COMPANY, lacking).items()
        if version.state is State.SENT
        for db_id in cast("list[Json]", version.remote_ids["dbIds"])
    }
    filled = ({**row, "company_db_id": row["company_db_id"] or created.get(row["natural_key"])} for row in rows)
    return [row for row in filled if row["action"] != "add" or row["company_db_id"] is not None]


def change_intent(stage: Stage, row: Row, latest: Version | None) -> Intent | None:
    """Make the intent of a change, a row of the stage's model; None where the same was sent or refused already."""
    is_new = row["action"] == "add"
    members = NODES[stage.members]
    node = node_of(row, (*NODES[stage.only_when_added], *members) if is_new else members)
    if not is_new:
        node["dbId"] = row["ledger_db_id"]
    payload: Json = [{"clientId": row["natural_key"], "node": node}]
    # With what the ledger had: the same change is due again when somebody there has undone it, and only then.
    source_hash = sha256(canonical_json([payload, row["ledger_hash"]]))
    if latest is not None and latest.source_hash == source_hash and _is_done_with(latest):
        return None
    number = 1 if latest is None else latest.next_number
    return Intent(
        stage.kind,
        f"{row['natural_key']}#{number}",
        "ledger",
        payload,
        source_hash,
        look_up={
            "action": row["action"],
            "code": row["code"],
            "definition": row.get("definition_db_id"),
            # Who it is: the code may become another's (map.known_accounts, post.renamed_partners).
            **({"partner_key": row.get("partner_key")} if stage.kind in PARTNERS else {}),
        },
        owner_code=row["owner_code"],
    )


def _is_done_with(latest: Version) -> bool:
    """Tell whether the same is not sent again: it was sent and not read back since, or it is refused as it is."""
    return latest.state is State.SENT or (latest.state is State.FAILED and latest.error_code == VALUE_REFUSED)


def _courier(
    ctx: Context, stage: Stage, entities: LedgerEntities, *, to_send: Collection[str], sleep: Callable[[float], None]
) -> LedgerCourier:
    codes = partial(look_up_codes, stage=stage, ledger=ctx.ledger, entities=entities)

    def look_up(entries: Sequence[Entry]) -> dict[str, LookUpFinding]:
        findings = codes(entries)
        over = [entry for entry in entries if entry.id not in to_send and findings[entry.id] is ABSENT]
        return findings | _arrived(ctx, stage, over)

    cargo = Cargo(stage.kind, LEDGER, lambda entry: entry.id in to_send, BREAKS, _break_subject)
    return LedgerCourier(
        Delivery.of(ctx, cargo, sleep=sleep),
        ctx.ledger,
        look_up=look_up,
        read_back=codes,
        mutation=lambda entry: stage.mutation(str(entry.look_up["action"])),
        nodes_per_mutation=ctx.settings.ledger.nodes_per_mutation,
    )


def _arrived(ctx: Context, stage: Stage, entries: Sequence[Entry]) -> dict[str, LookUpFinding]:
    """Find the updates of unknown fate that nobody wants any more because the ledger has what they were to write.

    It was read before the models were built that do not want them.
    """
    updates = {entry.id: entry for entry in entries if entry.look_up["action"] == "update"}
    payloads = Outbox.of(ctx).payloads(updates) if updates else {}
    found: dict[str, LookUpFinding] = {}
    for entry in updates.values():
        [change] = cast("list[dict[str, Node]]", payloads[entry.id])
        query = f"FROM ({stage.read_back}) WHERE {stage.db_id} = ?"
        rows = rows_of(ctx.warehouse.execute(query, [change["node"]["dbId"]]))
        if rows and _has_all(rows[0], change["node"], stage):
            found[entry.id] = complete("the ledger shows what was sent", {"dbIds": [str(change["node"]["dbId"])]})
    return found


def _has_all(row: Row, node: Node, stage: Stage) -> bool:
    """Tell whether a record has all members of a node that can be read back, and one of them at least."""
    shown = [member for member in NODES[stage.members] if member.name in node and member.column in row]
    return bool(shown) and all(node_of(row, [member]).get(member.name) == node[member.name] for member in shown)


def _break_subject(entry: Entry) -> str:
    """Name the record and not its version: the break stays open while one version follows another."""
    return f"{entry.kind}:{entry.natural_key.rpartition('#')[0]}"


def look_up_codes(
    entries: Sequence[Entry], *, stage: Stage, ledger: LedgerClient, entities: LedgerEntities
) -> dict[str, LookUpFinding]:
    """Look codes up in the ledger before they are written: none -> add, one -> take it, several -> a person decides.

    Codes are not unique there (docs/systems/ledger.md#1-5). An update goes by `dbId` and may be repeated. Raises
    WireError.
    """
    selection = "dbId code ownerDbId" + (" objectKindDbId" if stage.kind is Kind.COST_CENTRE else "")
    by_code: dict[str, list[Node]] = {}
    for chunk in chunks((entry.look_up["code"] for entry in entries), size=QUESTION):
        (rows,) = ask(ledger, [one_of(stage.connection, "code", chunk, selection=selection)])
        for row in rows:
            by_code.setdefault(row["code"], []).append(row)
    return {entry.id: _judged(entry, by_code.get(str(entry.look_up["code"]), []), entities) for entry in entries}


def _judged(entry: Entry, rows: Sequence[Node], entities: LedgerEntities) -> LookUpFinding:
    # Also what the entities above it share with it: adding that again would make the code ambiguous in this one.
    seen = entities.seen.get(entry.owner_code)
    if not seen:
        return without_entity(entry)
    kind = entry.look_up["definition"]
    ids = [
        str(row["dbId"])
        for row in rows
        if str(row["ownerDbId"]) in seen and (kind is None or str(row["objectKindDbId"]) == str(kind))
    ]
    if len(ids) > 1:
        message = f"{entry.label}: the ledger has several with this code: {', '.join(ids)}; nothing was written."
        return conflict(NOT_UNIQUE, f"{message} Next: keep one of them in Xledger and close or rename the others.")
    if ids and entry.look_up["action"] == "add":
        return complete("found in the ledger by its code", {"dbIds": [*ids]})
    return ABSENT
