"""Conditions of webhook subscriptions: the Java form and the easy form (docs/systems/vms.md#2-3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.model import ObjectKind

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore

# Takes the new and the former state of the object; a state that is not there is empty.
Condition = Callable[["Obj", "Obj"], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"]*")|(?P<join>&&|\|\||OR\b|AND\b)|(?P<compare>!=|==|=)|(?P<sign>[()!])'
    r"|(?P<word>[\w.]+(?:\(\))?(?:\.\w+\(\))*(?:\.equals(?=\())?))"
)
_MAX_TOKENS = 1_000


def compile_expression(store: VmsStore, entity: str, text: str) -> Condition:
    """Read an expression on an entity; raises ApiError 400 for what neither form knows."""
    return _Parser(store, entity, text).parse()


@dataclass(frozen=True, slots=True)
class _Operand:
    """A path into the new or the former state."""

    store: VmsStore
    entity: str
    names: tuple[str, ...]
    is_old: bool

    def value(self, new: Obj, old: Obj) -> object:
        """Give the value at the end of the path, None where a step finds null (Java would throw, and not match)."""
        entity, obj = self.entity, old if self.is_old else new
        value: object = obj or None
        for name in self.names:
            member = self.store.member(entity, name)
            value = obj.get(name)
            if member is not None and member.kind is ObjectKind.REFERENCE and isinstance(value, int):
                entity = member.entity
                obj = self.store.tables[entity].get(value, {})
            else:
                obj = {}
        return value


class _Parser:
    """Reads ``a && b || c`` with && binding closer, parentheses, ``!``, ``.equals("x")`` and comparisons."""

    def __init__(self, store: VmsStore, entity: str, text: str) -> None:
        self._store = store
        self._entity = entity
        self._text = text
        self._tokens = self._split(text)

    def parse(self) -> Condition:
        """Read the whole text."""
        condition = self._any()
        if self._tokens:
            raise self._refusal()
        return condition

    def _split(self, text: str) -> list[str]:
        tokens: list[str] = []
        end = 0
        while text[end:].strip():
            found = _TOKEN.match(text, end)
            if found is None or len(tokens) >= _MAX_TOKENS:
                raise self._refusal()
            tokens.append(found[0].strip())
            end = found.end()
        # Reversed, so that the next token is popped from the end.
        return tokens[::-1]

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._tokens and self._tokens[-1] in ("||", "OR"):
            self._tokens.pop()
            parts.append(self._all())
        return lambda new, old: any(part(new, old) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._tokens and self._tokens[-1] in ("&&", "AND"):
            self._tokens.pop()
            parts.append(self._one())
        return lambda new, old: all(part(new, old) for part in parts)

    def _one(self) -> Condition:
        first = self._next()
        if first == "(":
            inner = self._any()
            self._expect(")")
            return inner
        if first == "!":
            negated = self._one()
            return lambda new, old: not negated(new, old)
        if first.endswith(".equals"):
            operand = self._operand(first.removesuffix(".equals"))
            self._expect("(")
            wanted = self._next().strip('"')
            self._expect(")")
            return lambda new, old: _text(operand.value(new, old)) == wanted
        return self._comparison(self._operand(first))

    def _comparison(self, operand: _Operand) -> Condition:
        sign, wanted = self._next(), self._next()
        if sign not in ("=", "==", "!="):
            raise self._refusal()
        # Compared as text: the easy form writes values without quotes.
        expected = None if wanted == "null" else wanted.strip('"')
        is_equal = sign != "!="
        return lambda new, old: (_text(operand.value(new, old)) == expected) == is_equal

    def _operand(self, token: str) -> _Operand:
        first, *rest = token.split(".")
        if first in ("dlpObject", "oldDlpObject"):
            names = tuple(_property(name) for name in rest)
        elif first in ("", "old") and rest:
            names = tuple(rest)
        else:
            raise self._refusal()
        return _Operand(self._store, self._entity, names, first in ("old", "oldDlpObject"))

    def _next(self) -> str:
        if not self._tokens:
            raise self._refusal()
        return self._tokens.pop()

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise self._refusal()

    def _refusal(self) -> ApiError:
        return ApiError(f"'expression' cannot be read: {self._text[:200]!r}.")


def _property(getter: str) -> str:
    name = getter.removesuffix("()").removeprefix("get")
    return name[:1].lower() + name[1:]


def _text(value: object) -> str | None:
    if value is None:
        return None
    # As Java writes them.
    return str(value).lower() if isinstance(value, bool) else str(value)
