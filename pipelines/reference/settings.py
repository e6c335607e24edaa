"""The page of all settings: names, environment variables, types, limits, defaults, and the README's words on each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from pipelines.core.errors import UsageError
from pipelines.core.resources import PACKAGE
from pipelines.core.settings import PREFIX, Settings
from pipelines.reference.markdown import code, page, table

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

README = PACKAGE.parent / "README.md"
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
    "time": "time of day",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_ROW = re.compile(r"^\| `(?P<name>[a-z_.]+)`(?: \*)? \|(?P<default>[^|]*)\|(?P<meaning>[^|]*)\|$", re.MULTILINE)

Row = tuple[str, str, str, str, str]


class _Told(NamedTuple):
    """What the README says of a setting."""

    default: str
    meaning: str


def settings_page(readme: Path = README) -> str:
    """Return docs/reference/settings.md; UsageError names a setting that the README does not explain."""
    told = {
        row["name"]: _Told(row["default"].strip(), row["meaning"].strip())
        for row in _ROW.finditer(readme.read_text(encoding="utf-8"))
    }
    sections = {name: model for name, field in Settings.model_fields.items() if (model := _section(field))}
    plain = [_row(name, field, told) for name, field in Settings.model_fields.items() if name not in sections]
    blocks = ["## General", table(HEADINGS, plain)]
    for name, model in sections.items():
        rows = [_row(f"{name}.{member}", field, told) for member, field in model.model_fields.items()]
        blocks += [f"## {name}", (model.__doc__ or "").split("\n\n")[0], table(HEADINGS, rows)]
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
    """Return the environment variable of a setting; companies are one list, in JSON.

    >>> variable("vms.base_url")
    'SPRINGLINE_VMS__BASE_URL'
    """
    parts = name.split(".")
    return PREFIX + "__".join(parts[:1] if parts[0] == "companies" else parts).upper()


def _row(name: str, field: FieldInfo, told: Mapping[str, _Told]) -> Row:
    if name not in told:
        raise UsageError(f"The README explains no setting {name}.", next_step="add it to the table under Settings.")
    is_secret = any(inner is SecretStr for inner in _alternatives(field.annotation))
    where = code(variable(name)) + (f"\n{code(variable(name) + '_FILE')}" if is_secret else "")
    return code(name), where, _type(field), _default(field) or told[name].default, told[name].meaning


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """Return the settings a field is a section of; of companies, those of each."""
    inner = get_args(field.annotation)[0] if get_origin(field.annotation) is tuple else field.annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _type(field: FieldInfo) -> str:
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
    return TYPES[annotation.__name__]


def _alternatives(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - an annotation is anything
    yield from get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = None if field.default_factory else field.default
    if value in {None, ()}:
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, tuple):
        return code(", ".join(value))
    return code(value.strftime("%H:%M") if hasattr(value, "strftime") else str(value))
