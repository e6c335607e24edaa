"""Every setting as a reader needs it: name, variable, type, limits, default, example, meaning; all from its field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.core.settings_faults import section_of
from pipelines.core.settings_sources import variable_name
from pipelines.core.settings_values import MOST_INTEGER

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

TYPES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "Path": "path",
    "PostgresSchema": "address of PostgreSQL",
    "LakePlace": "address of a lake",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True, slots=True)
class ListedSetting:
    """One setting. ``default`` and ``example`` are None where it has none; ``kind`` and ``meaning`` are Markdown."""

    section: str
    name: str
    variable: str
    kind: str
    meaning: str
    default: Any
    example: Any
    is_required: bool
    is_secret: bool


@dataclass(frozen=True, slots=True)
class ListedSection:
    """Settings that stand together: ``name`` is empty for those at the top; ``is_list`` when blocks repeat."""

    name: str
    meaning: str
    is_list: bool
    settings: tuple[ListedSetting, ...]


def list_settings(model: type[BaseModel] = Settings) -> Iterator[ListedSection]:
    """Yield the settings section by section, those at the top first; UsageError names one without a description."""
    fields = model.model_fields
    sections = {name: inner for name, field in fields.items() if (inner := section_of(field.annotation))}
    plain = (_setting("", name, field, is_list=False) for name, field in fields.items() if name not in sections)
    yield ListedSection("", "", is_list=False, settings=tuple(plain))
    for name, inner in sections.items():
        is_list = get_origin(fields[name].annotation) is tuple
        listed = (_setting(name, member, field, is_list=is_list) for member, field in inner.model_fields.items())
        meaning = (inner.__doc__ or "").split("\n\n", maxsplit=1)[0]
        yield ListedSection(name, meaning, is_list, tuple(listed))


def _setting(section: str, name: str, field: FieldInfo, *, is_list: bool) -> ListedSetting:
    if not field.description:
        message = f"The setting {'.'.join(filter(None, (section, name)))} has no description."
        raise UsageError(message, next_step="add one where its field is defined, in pipelines/core/settings*.py.")
    # Blocks are one list, in JSON: their members have no variable of their own.
    place = (section,) if is_list else tuple(filter(None, (section, name)))
    # A factory makes an empty table; what that stands for is said by the description.
    default = None if field.default_factory or field.is_required() else field.default
    return ListedSetting(
        section=section,
        name=name,
        variable=variable_name(place),
        kind=_kinds(field),
        meaning=field.description,
        default=None if default == () else default,
        example=next(iter(field.examples or _choices(field)), None),
        is_required=field.is_required(),
        is_secret=any(inner is SecretStr for inner in _alternatives(field.annotation)),
    )


def _choices(field: FieldInfo) -> tuple[Any, ...]:
    inner = next(_alternatives(field.annotation))
    return get_args(inner) if get_origin(inner) is Literal else ()


def _kinds(field: FieldInfo) -> str:
    # `None` is no type to write into a file: it means that the setting may be left out.
    kinds = [_kind(inner) for inner in _alternatives(field.annotation) if inner is not type(None)]
    return ", ".join([" or ".join(kinds), *_limits(field.metadata), *_limits(_inner_metadata(field.annotation))])


def _limits(metadata: Any) -> Iterator[str]:  # noqa: ANN401 - of several libraries
    for limit in metadata:
        for sign, words in _BOUNDS.items():
            # What only keeps a number inside its column is no limit that a reader meets.
            if (value := getattr(limit, sign, None)) not in {None, MOST_INTEGER}:
                yield f"{words} {value}"
        # A Field inside an Annotated type carries its limits one step further in.
        yield from _limits(getattr(limit, "metadata", ()))


def _inner_metadata(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - an annotation is anything
    if get_origin(annotation) in {Union, UnionType}:
        for inner in get_args(annotation):
            yield from inner.__metadata__ if get_origin(inner) is Annotated else ()


def _kind(annotation: Any) -> str:  # noqa: ANN401 - an annotation is anything
    if annotation is SecretStr:
        return "secret"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is UnionType:
        return " or ".join(map(_kind, arguments))
    if origin is tuple:
        return "list of texts"
    if origin is dict:
        return "table of tables" if get_origin(arguments[1]) is dict else "table"
    return TYPES[annotation.__name__]


def _alternatives(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - an annotation is anything
    inners = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    yield from (get_args(inner)[0] if get_origin(inner) is Annotated else inner for inner in inners)
