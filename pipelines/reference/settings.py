"""The page of all settings, from the fields alone: names, environment variables, types, limits, defaults, meanings."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from pipelines.core.errors import UsageError
from pipelines.core.settings import PREFIX, Settings
from pipelines.reference.markdown import code, page, table

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

INTRODUCTION = (
    "Every value stands in `springline.toml` or in the environment, which goes first: `SPRINGLINE_` and the names "
    "joined by `__`. A value that begins with `[` or `{` is read as JSON. A secret comes from the environment alone, "
    "or from the file that the same variable with `_FILE` behind it names. All faults are reported at once."
)
HEADINGS = ("Setting", "Environment", "Type", "Default", "Meaning")
TYPES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "Path": "path",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}

Row = tuple[str, str, str, str, str]


def settings_page(settings: type[BaseModel] = Settings) -> str:
    """Return docs/reference/settings.md; UsageError names a setting without a description."""
    sections = {name: model for name, field in settings.model_fields.items() if (model := _section(field))}
    plain = [_row(name, field) for name, field in settings.model_fields.items() if name not in sections]
    blocks = ["## General", table(HEADINGS, plain)]
    for name, model in sections.items():
        rows = [_row(f"{name}.{member}", field) for member, field in model.model_fields.items()]
        blocks += [f"## {name}", (model.__doc__ or "").split("\n\n", maxsplit=1)[0], table(HEADINGS, rows)]
    return page("Settings", INTRODUCTION, *blocks)


def setting_names(model: type[BaseModel], *, above: str = "") -> Iterator[str]:
    """Yield the dotted name of every setting."""
    for name, field in model.model_fields.items():
        section = _section(field)
        if section:
            yield from setting_names(section, above=f"{above}{name}.")
        else:
            yield above + name


def variable(name: str) -> str:
    """Return the environment variable of a setting.

    >>> variable("vms.base_url")
    'SPRINGLINE_VMS__BASE_URL'
    """
    parts = name.split(".")
    # Companies are one list, in JSON: their members have no variable of their own.
    return PREFIX + "__".join(parts[:1] if parts[0] == "companies" else parts).upper()


def _row(name: str, field: FieldInfo) -> Row:
    if not field.description:
        raise UsageError(f"The setting {name} has no description.", next_step="add one in pipelines/core/settings.py.")
    # Only a secret may come from a file that a variable names; the page must not promise it for others.
    is_secret = any(inner is SecretStr for inner in _alternatives(field.annotation))
    variables = code(variable(name)) + (f"\n{code(variable(name) + '_FILE')}" if is_secret else "")
    return code(name), variables, _type(field), _default(field), field.description


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a section; of companies, which are a tuple, the model of one."""
    inner = get_args(field.annotation)[0] if get_origin(field.annotation) is tuple else field.annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _type(field: FieldInfo) -> str:
    # `None` is no type to write into a file: it means that the setting may be left out.
    kinds = [_kind(inner) for inner in _alternatives(field.annotation) if inner is not type(None)]
    bounds = [
        f"{words} {getattr(limit, sign)}"
        for limit in field.metadata
        for sign, words in _BOUNDS.items()
        if getattr(limit, sign, None) is not None
    ]
    return ", ".join([" or ".join(kinds), *bounds])


def _kind(annotation: Any) -> str:  # noqa: ANN401 - an annotation is anything
    if annotation is SecretStr:
        return "secret"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(code(str(value)) for value in arguments)
    if origin is tuple:
        return "list of texts"
    if origin is dict:
        return "table of tables" if get_origin(arguments[1]) is dict else "table"
    # A KeyError is meant here: a setting of a new type needs words in TYPES before the page can be written.
    return TYPES[annotation.__name__]


def _alternatives(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - an annotation is anything
    yield from get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    # A factory makes an empty table; what that stands for is said by the description.
    value = None if field.default_factory else field.default
    if value in {None, ()}:
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(", ".join(value) if isinstance(value, tuple) else str(value))
