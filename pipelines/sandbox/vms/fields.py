"""How an object is shown: the ``fields`` header, the minimised view of a list, the full view.

Source: docs/systems/vms.md#1-3, #1-4.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.json import Obj, decode, encode
from pipelines.sandbox.vms.model import ARRAYS, CODE_PROPERTY, IDENTITY, MODEL, ObjectKind, ObjectMember
from pipelines.sandbox.vms.print import INVOICE, INVOICE_PDF, invoice_pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.sandbox.vms.store import VmsStore

    Show = Callable[[Any], Any]
    Render = Callable[[Obj], dict[str, Any]]

_MAX_PLANS = 256
_MAX_DEPTH = 12
# What changes all the time is rendered anew; everything else once per write to master data.
_CHANGING = frozenset({"Document", "DocumentLine", "DocumentPaymentTerm", "AuditLog"})
_ALWAYS = frozenset({"key", "self"})


class Views:
    """Compiles, and remembers, how each entity is rendered for each ``fields`` text and address of the server."""

    def __init__(self, store: VmsStore) -> None:
        self._store = store
        self._plans: dict[tuple[str, str, str], Render] = {}
        self._rendered: list[dict[int, msgspec.Raw]] = []
        self._generation = 0

    def view(self, entity: str, *, fields: str | None, root: str, is_list: bool) -> Render:
        """Give the function that renders an object; ``root`` is the address that ``self`` starts with.

        Raises ApiError 400 for a ``fields`` text that is no JSON object, names an unknown member or is too deep.
        """
        if self._generation != self._store.reference_generation:
            for rendered in self._rendered:
                rendered.clear()
            self._generation = self._store.reference_generation
        default = "list" if is_list else "one"
        # The address is part of the plan, because every `self` begins with it.
        name = (entity, root, default if fields is None else fields)
        plan = self._plans.get(name)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
                self._rendered.clear()
            wanted = self._default(entity, is_list=is_list) if fields is None else _read(fields)
            plan = self._plans[name] = self._compile(entity, wanted, root=root, depth=0)
        return plan

    def _default(self, entity: str, *, is_list: bool) -> dict[str, str]:
        model = MODEL[entity]
        if is_list:
            # No page says what a list shows; sometimes it is only key and self. A client has to ask for what it needs.
            return {model.code: "*"} if model.code else {}
        return dict.fromkeys((*model.members, *self._store.learned[entity], CODE_PROPERTY), "*")

    def _compile(self, entity: str, wanted: Mapping[str, object], *, root: str, depth: int) -> Render:
        if depth > _MAX_DEPTH:
            raise ApiError(f"The fields header goes deeper than {_MAX_DEPTH} levels.")
        prefix = f"{root}{entity}/"
        required = MODEL[entity].required
        steps: list[tuple[str, bool, object, Show | None]] = []
        computed: list[tuple[str, Render | Callable[[Obj], object]]] = []
        for name, inner in wanted.items():
            if name in _ALWAYS:
                continue
            if (own := self._computed(entity, name)) is not None:
                computed.append((name, own))
                continue
            member = self._member(entity, name, inner)
            show = self._show(member, inner, root=root, depth=depth) if member.entity else None
            steps.append((name, name in required, [] if member.kind in ARRAYS else None, show))

        def render(obj: Obj) -> dict[str, Any]:
            key = obj["key"]
            shown = {"key": key, "self": f"{prefix}{key}"}
            for name, is_required, default, show in steps:
                value = obj.get(name, default)
                if value is None:
                    # Unset is null; only a seed can lack a required member, and is served as it is.
                    if is_required and name not in obj:
                        continue
                    shown[name] = None
                else:
                    shown[name] = value if show is None else show(value)
            for name, compute in computed:
                shown[name] = compute(obj)
            return shown

        return render

    def _computed(self, entity: str, name: str) -> Callable[[Obj], object] | None:
        if name == CODE_PROPERTY:
            code = MODEL[entity].code or None
            return lambda _: code
        if entity == "Document" and name == INVOICE:
            return partial(invoice_pdf, self._store)
        if entity == "Document" and name == INVOICE_PDF:
            return lambda _: None
        return None

    def _member(self, entity: str, name: str, inner: object) -> ObjectMember:
        member = self._store.member(entity, name)
        if member is None:
            # What the vendor does with an unknown member is not documented. A refusal shows misspelled names.
            raise ApiError(f"Unknown member '{name}' of {entity} in the fields header.")
        if inner != "*" and not (member.entity and isinstance(inner, dict)):
            raise ApiError(f"'{name}' of {entity} in the fields header must be \"*\"{_or_object(member)}.")
        return member

    def _show(self, member: ObjectMember, inner: object, *, root: str, depth: int) -> Show:
        if isinstance(inner, dict):
            wanted: Mapping[str, object] = inner
        else:
            # An array is listed by keys alone; what is referred to also says its code and name
            # (docs/systems/vms.md#3-11).
            wanted = IDENTITY[member.entity] if member.kind is ObjectKind.REFERENCE else {}
        render = self._compile(member.entity, wanted, root=root, depth=depth + 1)
        table = self._store.tables[member.entity]
        if member.kind is not ObjectKind.REFERENCE:
            return lambda keys: [render(table[key]) for key in keys]
        if not _is_steady(member.entity, wanted):
            return lambda key: render(table[key])
        rendered: dict[int, msgspec.Raw] = {}
        self._rendered.append(rendered)

        def remembered(key: int) -> msgspec.Raw:
            raw = rendered.get(key)
            if raw is None:
                # Kept as bytes: many lines refer to the same few vessels, companies and partners.
                raw = rendered[key] = msgspec.Raw(encode(render(table[key])))
            return raw

        return remembered


def _read(fields: str) -> dict[str, object]:
    try:
        wanted = decode(fields)
    except ValueError as error:
        raise ApiError(f"The fields header is no JSON: {error}.") from error
    if not isinstance(wanted, dict):
        raise ApiError("The fields header must be a JSON object.")
    return wanted


def _or_object(member: ObjectMember) -> str:
    return f" or an object with members of {member.entity}" if member.entity else ""


def _is_steady(entity: str, wanted: Mapping[str, object]) -> bool:
    members = MODEL[entity].members
    inner = [(members[name].entity, sub) for name, sub in wanted.items() if isinstance(sub, dict)]
    return entity not in _CHANGING and all(_is_steady(target, sub) for target, sub in inner)
