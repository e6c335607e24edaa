"""Cleans the codes of rows on their way to staging, and says what was taken off: one place for all that is compared.

Only rows that are new or changed come here, so an idle run pays nothing for it. The object as it came is what the hash
is of, and what `ctl.rejected` keeps.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.contract import Form
from pipelines.core.identifiers import clean_code, clean_iban, removed_characters

if TYPE_CHECKING:
    from pipelines.contracts.contract import Member

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


def clean_rows(rows: pa.Table, codes: Sequence[tuple[Member, str]], *, key: str) -> tuple[pa.Table, list[str]]:
    """Return the rows with their codes cleaned, and a sentence for each kind of character that was taken off one.

    ``codes`` are the members to look at, with their paths in the whole object; ``key`` is the column that names the
    object. Plain blanks are not worth a sentence.
    """
    told: list[str] = []
    for member, path in codes:
        column = rows[member.column].combine_chunks()
        suspect = pc.match_substring_regex(column, _SUSPECT[member.form])
        if not pc.any(suspect).as_py():
            continue
        before = column.to_pylist()
        after = [value and _CLEAN[member.form](value) for value in before]
        told += _sentences(rows[key].to_pylist(), before, after, path=path)
        rows = rows.set_column(rows.schema.get_field_index(member.column), member.column, pa.array(after, pa.string()))
    return rows, told


def _sentences(keys: list[int], before: list[str | None], after: list[str | None], *, path: str) -> Iterator[str]:
    for key, came, kept in zip(keys, before, after, strict=True):
        if came and came != kept and (names := removed_characters(came, kept or "")):
            yield f"{key}: {_listed(names)} taken off {path}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
