"""Where settings come from: the file, the environment and files of secrets, each value with the place it stands."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from pipelines.core.errors import SettingsError
from pipelines.core.lake_place import is_address_with_password
from pipelines.core.settings_values import read_number
from pipelines.core.text_files import read_text

PREFIX = "SPRINGLINE_"
FILE = "springline.toml"
# Never taken from the toml, which lies in backups and repositories.
SECRETS = (
    ("vms", "client_secret"),
    ("vms", "password"),
    ("ledger", "token"),
    ("webhooks", "vms_password"),
    ("alerts", "urls"),
    ("lake", "secret_key"),
    ("lake", "session_token"),
)
# Settings that may be an address of PostgreSQL, whose password never stands in the toml either.
ADDRESSES = ("control", "warehouse")
# Variables that are no settings, and what they are for.
OTHER_VARIABLES: Mapping[str, str] = {
    "SPRINGLINE_OPERATOR": "who is at the keyboard, for the record of decisions; the login name unless set",
}
# Kubernetes sets these for whatever runs beside a service named springline; nobody wrote them.
_OF_KUBERNETES = re.compile(r"SPRINGLINE_(SERVICE_(HOST|PORT)|PORT)(_.*)?")

# The way to a value: ("vms", "timeout"), ("companies", 0, "owner").
Location = tuple[int | str, ...]


@dataclass(slots=True)
class Given:
    """What was given: the values by section, where each stands, and what could not be read."""

    file: Path
    values: dict[str, Any] = field(default_factory=dict)
    # Where a value begins, by the line of the file, and the variable that goes before it.
    lines: dict[Location, int] = field(default_factory=dict)
    variables: dict[Location, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    # Settings that are among the problems: nothing more is said of them.
    told: set[Location] = field(default_factory=set)
    has_file: bool = False

    def tell(self, problem: str, location: Location = ()) -> None:
        """Note what could not be read."""
        self.problems.append(problem)
        self.told |= {location} - {()}

    def is_told(self, location: Location) -> bool:
        """Return whether the problems speak of a location, or of what it lies in."""
        return any(location[:length] in self.told for length in range(1, len(location) + 1))

    def place(self, location: Location) -> tuple[str, int]:
        """Return the variable, or the line (0: none), where the value at a location was given.

        A list of the environment has one variable, so what lies in the list has it too; a section has the line of its
        header.
        """
        above = [location[:length] for length in range(len(location), 0, -1)]
        variable = next((self.variables[place] for place in above if place in self.variables), "")
        # Last of all the first block of a list.
        return variable, next((self.lines[place] for place in (*above, (*location, 0)) if place in self.lines), 0)


def variable_name(location: Location) -> str:
    """Return the environment variable of a setting.

    >>> variable_name(("vms", "base_url"))
    'SPRINGLINE_VMS__BASE_URL'
    """
    return PREFIX + "__".join(str(part) for part in location).upper()


def read_sources(config: Path | None, *, environ: Mapping[str, str], sections: Collection[str]) -> Given:
    """Read the file (``springline.toml`` when none is named) and the environment, which goes before it.

    ``sections`` are the names at the top; what cannot be read is noted in the problems. Raises SettingsError for a
    file that is named and cannot be read as text.
    """
    given = Given(config or Path(FILE))
    _read_file(given, is_named=config is not None)
    _read_environment(given, _secrets_from_files(environ, given), sections)
    return given


def _read_file(given: Given, *, is_named: bool) -> None:
    path = given.file
    try:
        text = read_text(path)
    except FileNotFoundError:
        if is_named:
            step = "correct --config, or write one: `springline init FOLDER`."
            raise SettingsError(f"There is no file {path}.", next_step=step) from None
        return
    except OSError as error:
        given.tell(f"{path} cannot be read ({error.strerror})")
        return
    given.has_file = True
    try:
        # With all digits: a limit or an account written as a number keeps them.
        given.values = tomllib.loads(text, parse_float=read_number)
    except (ValueError, RecursionError) as error:
        given.tell(f"{path} is not TOML: {error}")
        return
    given.lines = _lines(text)
    for section, member in SECRETS:
        members = given.values.get(section)
        if isinstance(members, dict) and member in members:
            name = variable_name((section, member))
            place = f"{path} line {given.place((section, member))[1]}, [{section}] {member}"
            step = f"is a secret, and never stands in the file; set {name} or {name}_FILE"
            given.tell(f"{place}: {step}", (section, member))
            # Not read on, so that it cannot stand in another message.
            del members[member]
    for name in ADDRESSES:
        address = given.values.get(name)
        if isinstance(address, str) and is_address_with_password(address):
            place = f"{path} line {given.place((name,))[1]}, {name}"
            variable = variable_name((name,))
            step = f"take it out, and keep it in a password file (PGPASSFILE), or set PGPASSWORD or {variable}"
            given.tell(f"{place}: holds a password, which never stands in the file; {step}", (name,))
            del given.values[name]


def _lines(text: str) -> dict[Location, int]:
    """Return the line on which each table and each value of a sound TOML text begins.

    tomllib says no lines. So it is asked statement by statement: a statement ends with the first line at which it can
    be read.
    """
    found: dict[Location, int] = {}
    counts: dict[Location, int] = {}
    table: Location = ()
    statement, begins = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        statement += line + "\n"
        try:
            read = tomllib.loads(statement, parse_float=read_number)
        except ValueError:
            continue
        if statement.lstrip().startswith("["):
            table = _header(read, counts)
            found[table] = begins
        for location, _ in leaves(read):
            found.setdefault(table + location, begins)
        statement, begins = "", number + 1
    return found


def _header(read: object, counts: dict[Location, int]) -> Location:
    """Return the table that a header begins; a block of a list has its place in it, counted in ``counts``."""
    path: Location = ()
    while read:
        if isinstance(read, list):
            counts[path] = counts.get(path, -1) + 1
            path, read = (*path, counts[path]), read[0]
        elif isinstance(read, dict):
            [(name, read)] = read.items()
            path = (*path, name)
    return path


def leaves(values: Mapping[str, Any], above: Location = ()) -> Iterator[tuple[Location, Any]]:
    """Yield each value that is no table, with its location."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _secrets_from_files(environ: Mapping[str, str], given: Given) -> dict[str, str]:
    resolved = dict(environ)
    for secret in SECRETS:
        name = variable_name(secret)
        # Taken out in any case: `vms.client_secret_file` is no setting. The variable itself goes before its file.
        path = resolved.pop(f"{name}_FILE", None)
        if path is None or name in resolved:
            continue
        try:
            resolved[name] = read_text(Path(path)).strip()
        except OSError as error:
            given.tell(f"{name}_FILE: {path} cannot be read ({error.strerror})", secret)
        except SettingsError as error:
            given.tell(f"{name}_FILE: {str(error).rstrip('.')}", secret)
    return resolved


def _read_environment(given: Given, environ: Mapping[str, str], sections: Collection[str]) -> None:
    """Lay what the environment sets over the file: names joined by ``__``; what begins with [ or { is JSON."""
    # In order of their names, so that SPRINGLINE_VMS, a section as JSON, comes before SPRINGLINE_VMS__TIMEOUT, which is
    # laid over it.
    for name, text in sorted(environ.items()):
        location = _location(name)
        if not name.startswith(PREFIX) or (location[0] not in sections and name not in OTHER_VARIABLES):
            continue
        try:
            # Bytes that are not UTF-8 come as halves of characters, which no store and no request takes.
            text.encode()
            value: Any = json.loads(text, parse_float=read_number) if text.lstrip()[:1] in {"[", "{"} else text
        except UnicodeEncodeError:
            given.tell(f"{name}: is not UTF-8", location)
            continue
        except (ValueError, RecursionError) as error:
            given.tell(f"{name}: is not JSON, as what begins with [ or {{ must be: {error}", location)
            continue
        if name in OTHER_VARIABLES:
            continue
        # From the inside out: VMS__TIMEOUT becomes {"vms": {"timeout": ...}}.
        nested: Any = reduce(lambda inner, part: {part: inner}, reversed(location), value)
        given.variables |= {found: name for found, _ in leaves(nested)}
        given.values = _merge(given.values, nested)


def unknown_variables(environ: Mapping[str, str], sections: Collection[str]) -> list[str]:
    """Return the variables that begin as a setting does and name nothing; those below a section are not judged."""
    return sorted(
        name
        for name in environ
        if name.startswith(PREFIX)
        and name not in OTHER_VARIABLES
        and _location(name)[0] not in sections
        and not _OF_KUBERNETES.fullmatch(name)
    )


def _location(name: str) -> Location:
    # Sections and settings are in small letters; what stands below a setting is a code, and keeps its own.
    parts = name.removeprefix(PREFIX).split("__")
    return tuple(part.lower() if depth <= 1 else part for depth, part in enumerate(parts))


def _merge(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``over`` on top, section by section."""
    merged = dict(values)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[name] = _merge(below, value)
        elif below is None or not isinstance(value, Mapping):
            merged[name] = value
        # Else the file has something else where a section should be, and that is told.
    return merged
