"""Cleans the codes of rows on their way to staging, and says what was taken off: one place for all that is compared.

Only rows that are new or changed come here, so an idle run pays nothing for it. The object as it came is what the hash
is of, and what `ctl.rejected` keeps. What an earlier release staged as it came is cleaned where it stands.
"""

# ruff: noqa: S608 names of tables and columns come from the contracts, values go through `literal`

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Form
from pipelines.contracts.shape import codes_of, tables_of
from pipelines.contracts.tables import CONTRACTS, SCHEMAS
from pipelines.core.identifiers import clean_code, clean_iban, removed_characters
from pipelines.core.literals import among, literal
from pipelines.stores.warehouse import digest_of, keep_digest, transaction

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from pipelines.contracts.contract import Contract, Member
    from pipelines.step.context import Context

_CLEAN: Mapping[Form, Callable[[str], str]] = {
    Form.CODE: clean_code,
    Form.IBAN: clean_iban,
    Form.THEIR_CODE: lambda code: unicodedata.normalize("NFC", code),
}
# What may have to be cleaned; nearly every code is plain ASCII without blanks, and is not looked at one by one.
_SUSPECT = {
    Form.CODE: r"^ | $|[^ -~]",
    Form.IBAN: r"[^0-9A-Z]",
    Form.THEIR_CODE: r"[^\x00-\x7F]",
}
MOST_TOLD = 5
# Under this name the warehouse keeps by which rules all that is staged has been cleaned.
_CLEANED = "cleaned codes"


def clean_rows(rows: pa.Table, codes: Sequence[tuple[Member, str]], *, key: str) -> tuple[pa.Table, list[str]]:
    """Return the rows with their codes cleaned, and a sentence for each kind of character that was taken off one.

    ``codes`` are the members to look at, with their paths in the whole object; ``key`` is the column that names the
    object. Plain blanks are not worth a sentence.
    """
    import pyarrow as pa  # noqa: PLC0415 an idle run has no rows to clean
    import pyarrow.compute as pc  # noqa: PLC0415 ditto

    told: list[str] = []
    for member, path in codes:
        column = rows[member.column]
        # Few codes stand in many rows: each is looked at once.
        if not pc.any(pc.match_substring_regex(pc.unique(column), _SUSPECT[member.form])).as_py():
            continue
        before = column.to_pylist()
        after = [value and _CLEAN[member.form](value) for value in before]
        told += _sentences(rows[key].to_pylist(), before, after, path=path)
        rows = rows.set_column(rows.schema.get_field_index(member.column), member.column, pa.array(after, pa.string()))
    return rows, told


def clean_staged(ctx: Context) -> None:
    """Clean the codes that are staged as they came, once after the release that began to clean them, and say which.

    An object that has not changed since is never landed again, so its codes would stay for ever what no code of a new
    object is equal to.
    """
    rules = repr([_SUSPECT, *(codes_of(contract) for contracts in CONTRACTS.values() for contract in contracts)])
    mark = hashlib.sha256(rules.encode()).hexdigest()
    if digest_of(ctx.warehouse, _CLEANED) == mark:
        return
    told: dict[str, list[str]] = {}
    # One transaction: killed in between, the next run begins anew.
    with transaction(ctx.warehouse):
        for side, contracts in CONTRACTS.items():
            for contract in contracts:
                told[contract.entity] = _clean_contract(ctx, contract, schema=SCHEMAS[side])
        keep_digest(ctx.warehouse, _CLEANED, mark)
    for entity, sentences in told.items():
        tell_cleaned(ctx, entity, sentences)


def tell_cleaned(ctx: Context, entity: str, told: Sequence[str]) -> None:
    """Say once, when it is read, which codes had characters that nobody sees: the VMS shows them as they should be."""
    for sentence in told[:MOST_TOLD]:
        ctx.tell(f"{entity} {sentence}.")
    if len(told) > MOST_TOLD:
        ctx.tell(f"{entity}: {len(told) - MOST_TOLD:,} more codes were cleaned in the same way.")


def _clean_contract(ctx: Context, contract: Contract, *, schema: str) -> list[str]:
    told: list[str] = []
    touched: set[int] = set()
    for table, codes in codes_of(contract).items():
        if codes:
            keys, sentences = _clean_table(ctx.warehouse, f"{schema}.{table}", codes, key=contract.key)
            touched |= keys
            told += sentences
    if touched:
        # By these the models know what has changed; children belong to the parent of the same fetch.
        fetch = f"fetch_id = {literal(f'{ctx.batch_id}.cleaned')}"
        for table in tables_of(contract):
            at = f", fetched_at = {literal(ctx.now().astimezone(UTC).replace(tzinfo=None))}"
            changes = fetch + (at if table == contract.table else "")
            ctx.warehouse.execute(f"UPDATE {schema}.{table} SET {changes} WHERE {among(contract.key, touched)}")
    return told


def _clean_table(
    connection: duckdb.DuckDBPyConnection, table: str, codes: Sequence[tuple[Member, str]], *, key: str
) -> tuple[set[int], list[str]]:
    """Clean one table where it stands; return the keys of the objects that were cleaned, and the sentences."""
    import pyarrow as pa  # noqa: PLC0415 once for a release

    columns = [member.column for member, _ in codes]
    suspect = " OR ".join(f"regexp_matches({m.column}, {literal(_SUSPECT[m.form])})" for m, _ in codes)
    rows = connection.execute(f"SELECT {', '.join([key, *columns])} FROM {table} WHERE {suspect}").to_arrow_table()
    cleaned, told = clean_rows(rows, codes, key=key)
    keys: set[int] = set()
    for column in columns:
        came, kept = rows[column].to_pylist(), cleaned[column].to_pylist()
        changed = {before: after for before, after in zip(came, kept, strict=True) if before != after}
        keys |= {row for row, before in zip(rows[key].to_pylist(), came, strict=True) if before in changed}
        if changed:
            pairs = pa.table({"came": [*changed], "kept": pa.array([*changed.values()], pa.string())})
            connection.register("changed_codes", pairs)
            connection.execute(f"UPDATE {table} SET {column} = kept FROM changed_codes WHERE {column} = came")
            connection.unregister("changed_codes")
    return keys, told


def _sentences(keys: list[int], before: list[str | None], after: list[str | None], *, path: str) -> Iterator[str]:
    for key, came, kept in zip(keys, before, after, strict=True):
        if came and came != kept and (names := removed_characters(came, kept or "")):
            yield f"{key}: {_listed(names)} taken off {path}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
