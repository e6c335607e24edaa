"""Faults of settings in words: where each stands, the value, what is wrong, and the nearest name that is right."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from pipelines.core.settings_sources import PREFIX, SECRETS, Given, Location, variable_name

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# Characters of a value that a message shows.
LONGEST_VALUE = 60
# How alike two names must be, from 0 to 1: `url` still finds `base_url`, `token_url` is not offered for `days`.
ALIKE = 0.5
# What pydantic finds, in our words; its own where a kind is not listed. {} is the limit, or what may stand there.
_FOUND: Mapping[str, tuple[str, str]] = {
    "string_type": ("must be a text, in quotes", ""),
    "int_type": ("must be a whole number", ""),
    "int_parsing": ("must be a whole number", ""),
    "int_from_float": ("must be a whole number", ""),
    "finite_number": ("must be a whole number", ""),
    "float_type": ("must be a number", ""),
    "float_parsing": ("must be a number", ""),
    "bool_type": ("must be true or false", ""),
    "bool_parsing": ("must be true or false", ""),
    "path_type": ("must be a path, in quotes", ""),
    "greater_than_equal": ("must be at least {}", "ge"),
    "greater_than": ("must be more than {}", "gt"),
    "less_than_equal": ("must be at most {}", "le"),
    "less_than": ("must be less than {}", "lt"),
    "literal_error": ("must be {}", "expected"),
    "tuple_type": ("must be a list", ""),
    "dict_type": ("must be a table", ""),
    "model_type": ("must be a section of settings", ""),
}


def name_faults(errors: Collection[ErrorDetails], given: Given, model: type[BaseModel]) -> Iterator[str]:
    """Yield each fault that pydantic found as place, value and words."""
    # As a person goes through the file, the environment first.
    for error in sorted(errors, key=lambda error: given.place(error["loc"])[1]):
        location = error["loc"]
        if given.is_told(location):
            continue
        kind = error["type"]
        if kind == "missing":
            yield _missing(location, given)
        elif kind == "extra_forbidden":
            # Without the value: under a misspelt name it may be a secret.
            words = f"there is no such setting; {_nearest_name(location, given, model)}"
            yield f"{_place(location, given)}: {words}"
        else:
            yield f"{_place(location, given)}{_value(location, error['input'])}: {_words(error)}"


def name_fault(location: Location, value: object, problem: str, given: Given) -> str:
    """Return a fault that was found outside the models, as the others are written."""
    return f"{_place(location, given)}{_value(location, value)}: {problem}"


def unknown_variable(name: str, known: Sequence[str]) -> str:
    """Return the fault of a variable that is none of ours, with the nearest that is."""
    # Compared without what all have in common, which would make all of them alike; without the section too.
    bare = {other.rpartition("__")[2].removeprefix(PREFIX): other for other in reversed(known)}
    bare |= {other.removeprefix(PREFIX): other for other in known}
    near = get_close_matches(name.removeprefix(PREFIX), bare, n=1)
    step = f"nearest: {bare[near[0]]}" if near else "take it out; `springline init` writes a file with all settings"
    return f"{name}: there is no such setting; {step}"


def nearest(name: str, known: Collection[str]) -> str:
    """Return `nearest: NAME`, or all names where none is near."""
    near = get_close_matches(name, known, n=1, cutoff=ALIKE)
    return f"nearest: {near[0]}" if near else f"there are {', '.join(sorted(known))}"


def section_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - an annotation is anything
    """Return the model of a section; of companies, which are a tuple, the model of one."""
    inner = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _place(location: Location, given: Given) -> str:
    variable, line = given.place(location)
    if variable:
        # What the variable does not name itself: a place inside its JSON.
        return variable if variable_name(location) == variable.upper() else f"{variable} ({_dotted(location)})"
    where = f"{given.file} line {line}" if line else str(given.file)
    # Several blocks of one name: the line says which.
    section, *names = [str(part) for part in location if isinstance(part, str)]
    value = given.values.get(section)
    if isinstance(value, dict):
        section = f"[{section}]"
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        section = f"[[{section}]]"
    return " ".join(filter(None, (f"{where}, {section}", ".".join(names))))


def _dotted(location: Location) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _value(location: Location, value: object) -> str:
    """Return ` = value` as it would stand in the file; nothing of a secret, and of a table only that it is one."""
    from pipelines.core.hiding import hide_in_text  # noqa: PLC0415 structlog takes time, and sound settings need none

    if location[:2] in SECRETS or isinstance(value, dict | list | tuple | BaseModel):
        return ""
    text = json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, str | bool) else str(value)
    # An address may carry a password before its host, and that of a database one by name, or in a wrong place.
    is_hidden = ("@" in text and "://" in text) or any(word in text.lower() for word in ("password=", "postgres"))
    shown = "***" if is_hidden else hide_in_text(text)
    return f" = {shown if len(shown) <= LONGEST_VALUE else shown[:LONGEST_VALUE] + '…'}"


def _words(error: ErrorDetails) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    location = error["loc"]
    if kind == "model_type" and isinstance(value, list):
        return f"is a list; a section has one bracket: [{location[0]}]"
    if kind == "tuple_type" and isinstance(value, dict):
        return f"is one table, and must be a list; in the file: [[{location[0]}]], with two brackets"
    words, limit = _FOUND.get(kind, (error["msg"].removeprefix("Value error, "), ""))
    words = words.format(_limit(context.get(limit, ""))) if limit else words
    if kind == "literal_error" and isinstance(value, str):
        choices = [part.strip("'") for part in context["expected"].replace(" or ", ", ").split(", ")]
        near = get_close_matches(value, choices, n=1)
        words += f"; nearest: {near[0]}" if near else ""
    return words


def _limit(limit: object) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _missing(location: Location, given: Given) -> str:
    name = variable_name(location)
    if location in SECRETS:
        return f"{name}: is missing; set it, or {name}_FILE to the path of a file that holds it"
    if any(isinstance(part, int) for part in location):
        return f"{_place(location, given)}: is missing"
    return f"{given.file}, [{location[0]}] {location[-1]}: is missing; write it there, or set {name}"


def _nearest_name(location: Location, given: Given, model: type[BaseModel]) -> str:
    inner: type[BaseModel] | None = model
    for part in location[:-1]:
        if isinstance(part, str) and inner is not None:
            inner = section_of(inner.model_fields[part].annotation)
    known = set(inner.model_fields) if inner else set()
    wrong = str(location[-1])
    # The right name under the wrong header is as common as a wrong name.
    at_home = [
        f"[{section}]"
        for section, field in model.model_fields.items()
        if (other := section_of(field.annotation)) and wrong in other.model_fields
    ]
    if at_home:
        near = get_close_matches(wrong, known, n=1)
        return " ".join([*(f"nearest: {name}, or" for name in near), f"it belongs under {' or '.join(at_home)}"])
    variable, _ = given.place(location)
    if not variable:
        return nearest(wrong, known)
    above = tuple(str(part).lower() for part in location[:-1])
    files = {f"{member}_file" for section, member in SECRETS if (section,) == above}
    return nearest(variable_name((*above, wrong)), {variable_name((*above, name)) for name in known | files})
