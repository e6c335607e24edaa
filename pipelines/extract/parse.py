"""Parses pages: by pyarrow what it reads exactly (the fast path), object by object the rest.

An amount must go from JSON text to DECIMAL without ever being a float, and a wrong object must not stop the others.
pyarrow.json does this fast, but it reads some texts wrongly without an error: those are found by a pattern over the raw
bytes and take the slow path through `exact`, which defines what a contract accepts (decision 1 of the design).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from pipelines.contracts.contract import Contract, MemberKind
from pipelines.contracts.shape import arrow_schema, tree
from pipelines.extract.exact import BrokenError, read_object
from pipelines.extract.flatten import flatten_children, flatten_parents, is_complete
from pipelines.wire.ahead import map_ahead
from pipelines.wire.pages import NotJsonError, Unreadable, split

# pyarrow parses without the interpreter's lock, so two threads use two cores.
WORKERS = 2
_ENCODER = msgspec.json.Encoder(decimal_format="number")
# Enough to keep the threads busy while a chunk is being compared with what is staged.
PAGES_AHEAD = 10
# Of so many objects those that break the contract are not looked for by halves.
FEW = 4
_NO_BREAKS = bytes.maketrans(b"\n\r", b"  ")

# What pyarrow.json reads wrongly without an error: a decimal of 39 digits in all wraps around (so does an exponent that
# makes as many), a time with a zone is moved to UTC, its day with it, and the year 0 is a date, which Python's calendar
# does not have. 19 digits in a row are a cautious limit. An exponent of one digit behind one digit is exact.
# And what it reads although no contract takes it: 16 digits before the decimal point, and the character U+0000.
_UNSAFE = (
    r"[0-9]{19}",
    r"[:,\[ \t\r\n-][0-9]{16}",
    r"[0-9][0-9](?:\.[0-9]*)?[eE]",
    r"[eE][+-]?[0-9][0-9]",
    r":[0-9][0-9](?:\.[0-9]+)?(?:Z|[+-][0-9])",
    r"-[0-9][0-9][T ][0-9][0-9](?:Z|[+-][0-9])",
    r'"0000-',
    r"\\u0000",
)


@dataclass(frozen=True, slots=True)
class RejectedObject:
    """An object that breaks its contract, as it came; ``key`` is None when it has none that can be read."""

    key: int | None
    document_no: str | None
    member: str
    message: str
    body: bytes

    @property
    def body_hash(self) -> str:
        """What tells this version of the object from others."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """The objects of one page that keep the contract, nested and flat, and those that do not keep it."""

    nested: pa.Table
    parents: pa.Table
    children: tuple[pa.Table, ...]
    rejected: list[RejectedObject]


def parse_pages(pages: Iterable[bytes], contract: Contract) -> Iterator[ParsedPage]:
    """Parse pages on two threads, in their order, while the next ones are being fetched."""
    return map_ahead(lambda page: parse_page(page, contract), pages, workers=WORKERS, ahead=PAGES_AHEAD)


def parse_page(page: bytes, contract: Contract) -> ParsedPage:
    """Parse one JSON array; the page is one that `wire.pages.split` can cut.

    The fast path takes the objects in which nothing can be read wrongly; what it refuses, or what turns out to lack a
    required member, goes through `exact` with few of its neighbours, which says for each object what is wrong.
    """
    if isinstance(page, Unreadable):
        return _unreadable(page, contract)
    # Cut by msgspec, so that each object can take its own path and a broken one be set aside as it came.
    texts, is_valid = split(page)
    is_safe = _safe(texts, page, contract) if is_valid and _is_text(page) else [False] * len(texts)
    quick = [text for text, safe in zip(texts, is_safe, strict=True) if safe]
    tables, refused = _parse_quickly(quick, contract, has_breaks=b"\n" in page or b"\r" in page)
    slow = [*refused, *(text for text, safe in zip(texts, is_safe, strict=True) if not safe)]
    exact, rejected = _parse_exactly(slow, contract)
    return _flat(pa.concat_tables([*tables, exact]), contract, rejected)


def _flat(nested: pa.Table, contract: Contract, rejected: list[RejectedObject]) -> ParsedPage:
    return ParsedPage(
        nested,
        flatten_parents(nested, contract),
        tuple(flatten_children(nested, contract, children) for children in contract.children),
        rejected,
    )


def _unreadable(page: Unreadable, contract: Contract) -> ParsedPage:
    """Set aside an object whose text is no JSON, and say where it breaks."""
    try:
        split(page)
        why = "was no JSON when it was read"
    except NotJsonError as error:
        why = f"is no JSON: {error}"
    rejected = RejectedObject(page.key, None, "", f"{contract.entity} {page.key}: {why}", bytes(page))
    return _flat(pa.Table.from_batches([], schema=arrow_schema(contract)), contract, [rejected])


@cache
def _unsafe_pattern(contract: Contract) -> str:
    """Return the pattern of what must not go the fast path: a number in quotes, where a number is declared, included.

    pyarrow reads "12.5" as a decimal too.
    """
    members = [*contract.members, *(member for children in contract.children for member in children.members)]
    numbers = sorted({m.path.rpartition(".")[2] for m in members if m.kind in {MemberKind.AMOUNT, MemberKind.RATE}})
    quoted = [rf'"(?:{"|".join(numbers)})"[ \t\r\n]*:[ \t\r\n]*"'] if numbers else []
    return "|".join((*_UNSAFE, *quoted))


def _safe(texts: Sequence[bytes], page: bytes, contract: Contract) -> list[bool]:
    # A null between the objects would crash pyarrow.
    is_object = [memoryview(text)[0] == ord("{") for text in texts]
    # Nearly every page is safe as a whole: single objects are looked at only where the page is not.
    if not _matches([page], contract)[0]:
        return is_object
    unsafe = _matches([bytes(text) for text in texts], contract)
    return [fits and not risky for fits, risky in zip(is_object, unsafe, strict=True)]


def _is_text(page: bytes) -> bool:
    """Whether the page is UTF-8, which neither msgspec nor pyarrow checks."""
    if page.isascii():
        return True
    try:
        page.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _matches(texts: Sequence[bytes], contract: Contract) -> list[bool]:
    # pa.array() would import pandas to see whether the list is one of pandas's types; buffers avoid that.
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
    array = pa.Array.from_buffers(pa.large_binary(), len(texts), buffers)
    found: list[bool] = pc.match_substring_regex(array, _unsafe_pattern(contract)).to_pylist()
    return found


def _parse_quickly(
    texts: Sequence[bytes], contract: Contract, *, has_breaks: bool
) -> tuple[list[pa.Table], Sequence[bytes]]:
    """Return the objects as nested tables, and the texts of those that may break the contract, with few others.

    Halved until what is refused stands alone: one broken document among hundreds that wait with it would otherwise have
    all of them read eight times slower, at every tick.
    """
    if not texts:
        return [], []
    # In valid JSON no string holds an unescaped line break, so these are layout, which would cut an object in two.
    lines = [bytes(text).translate(_NO_BREAKS) for text in texts] if has_breaks else texts
    with suppress(pa.ArrowInvalid):
        table = _read(lines, contract)
        if table.num_rows == len(texts) and is_complete(table, contract):
            return [table], []
    if len(texts) <= FEW:
        return [], texts
    half = len(texts) // 2
    halves = [_parse_quickly(part, contract, has_breaks=has_breaks) for part in (texts[:half], texts[half:])]
    return [table for tables, _ in halves for table in tables], [text for _, refused in halves for text in refused]


def _parse_exactly(texts: Iterable[bytes], contract: Contract) -> tuple[pa.Table, list[RejectedObject]]:
    """Read each object by itself, write it again in the plainest form, and parse that, so that both paths end alike."""
    plain: list[bytes] = []
    rejected: list[RejectedObject] = []
    for text in texts:
        try:
            plain.append(_ENCODER.encode(read_object(bytes(text), tree(contract))))
        except BrokenError as error:
            rejected.append(_reject(bytes(text), error, contract))
    return (_read(plain, contract) if plain else pa.Table.from_batches([], schema=arrow_schema(contract))), rejected


def _read(texts: Sequence[bytes], contract: Contract) -> pa.Table:
    lines = b"\n".join(texts)
    return pj.read_json(
        pa.BufferReader(lines),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pj.ParseOptions(explicit_schema=arrow_schema(contract), unexpected_field_behavior="ignore"),
    )


def _reject(text: bytes, error: BrokenError, contract: Contract) -> RejectedObject:
    key, document_no = _names(text, contract)
    named = " ".join(str(name) for name in (contract.entity, key, document_no and f"({document_no})") if name)
    return RejectedObject(key, document_no, error.faults[0][0], f"{named}: {error}", text)


def _names(text: bytes, contract: Contract) -> tuple[int | None, str | None]:
    """Return the key and the document number of an object that may be broken in any way."""
    readable = text.decode("utf-8", errors="replace").encode("utf-8")
    found: dict[str, Any] = {}
    for member in contract.members:
        if member.column in {contract.key, "document_no"}:
            alone = Contract(contract.entity, contract.table, contract.key, (replace(member, required=False),))
            try:
                found[member.column] = read_object(readable, tree(alone))[member.path]
            except BrokenError:
                continue
    return found.get(contract.key), found.get("document_no")
