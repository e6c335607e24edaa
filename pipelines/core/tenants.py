"""A list of tenants for a scheduler: names, and the springline.toml of each; how one is started, and how ends count.

Needs the standard library alone, so that a scheduler's own environment has it by `pip install --no-deps springline`.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipelines.core.errors import SettingsError
from pipelines.core.text_files import read_text

FILE: Final = "tenants.toml"
# Beside the springline.toml of a tenant: a file a secret, named as the variable that it stands for.
SECRETS: Final = "secrets"
# All went through; documents are held; both sides differ.
RESULTS: Final = frozenset({0, 14, 16})
# A system did not answer, something was not delivered, another batch is at work.
TRIED_AGAIN: Final = frozenset({11, 15, 17})
# A folder, a partition, a part of the names that Kubernetes gives, which end at 52 characters.
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,28}[a-z0-9]|[a-z]")
_NAMED_AS: Final = "has small letters, digits and hyphens, 30 at most, and begins with a letter"


class Tenant(NamedTuple):
    """One tenant: its name, and its springline.toml, from the root of the file system on."""

    name: str
    config: Path

    def secret_files(self) -> dict[str, str]:
        """Return the variables that name its files of secrets; SettingsError where their folder may not be read."""
        folder = self.config.parent / SECRETS
        try:
            files = sorted(folder.iterdir()) if folder.is_dir() else []
        except OSError as error:
            raise SettingsError(
                f"Tenant {self.name}: {folder} cannot be read ({error.strerror}).",
                next_step="give it to the user who runs the scheduler's tasks (`chown`).",
            ) from None
        return {f"{file.name}_FILE": str(file) for file in files if file.name.startswith("SPRINGLINE_")}


def read_tenants(file: Path) -> dict[str, Tenant]:
    """Read a list of tenants: under ``[tenants]`` a name and the path of its springline.toml, relative to the list.

    What is in those files is not looked at: where one is missing or wrong, that tenant alone ends with 10.
    Raises SettingsError that lists every fault with its name and value.
    """
    try:
        given = tomllib.loads(read_text(file))
    except OSError as error:
        raise SettingsError(
            f"The list of tenants {file} cannot be read ({error.strerror}).",
            next_step='write one: under [tenants] a line for each, as north = "north/springline.toml".',
        ) from None
    except ValueError as error:
        raise _error(file, [f"is not TOML: {error}"]) from None
    listed = given.pop("tenants", {})
    faults = [f"{name}: there is nothing but [tenants] in it; take it out" for name in given]
    if not isinstance(listed, Mapping) or not listed:
        raise _error(file, [*faults, '[tenants]: is missing or empty; write name = "path of its springline.toml"'])
    seen: dict[Path, str] = {}
    for name, value in listed.items():
        faults += [f"[tenants] {name} = {_shown(value)}: {fault}" for fault in _faults(file, name, value, seen)]
    if faults:
        raise _error(file, faults)
    return {name: Tenant(name, _config(file, value)) for name, value in listed.items()}


def run_tenant(
    tenant: Tenant, arguments: Sequence[str], *, program: Sequence[str], folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one command of Springline for a tenant in its own folder below ``folder``; return its code and its words.

    ``program`` is how Springline is started. A code below 0 is the number of the signal that killed it. Raises OSError
    where it cannot be started, SettingsError where its secrets cannot be read.
    """
    place = folder / tenant.name
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return subprocess.run(  # noqa: S603 the scheduler's own command
        [*program, *arguments, "--config", str(tenant.config)],
        cwd=place,
        env={"SPRINGLINE_OPERATOR": "schedule", **environ, **tenant.secret_files()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def is_tried_again(code: int) -> bool:
    """Tell whether a run that ended so is started again after a while: it may go then, and sends nothing twice.

    >>> [code for code in (0, 10, 11, 14, 17, -9) if is_tried_again(code)]
    [11, 17, -9]
    """
    return code in TRIED_AGAIN or code < 0


def _faults(file: Path, name: str, value: object, seen: dict[Path, str]) -> list[str]:
    faults = [] if _NAME.fullmatch(name) else [f"a name {_NAMED_AS}; write another"]
    if not isinstance(value, str) or not value.strip():
        return [*faults, "must be the path of its springline.toml, in quotes"]
    # Its stores and its secrets are beside it.
    first = seen.setdefault(_config(file, value).parent, name)
    return faults if first == name else [*faults, f"{first} is in that folder too; give each a folder of its own"]


def _config(file: Path, value: str) -> Path:
    # Not `resolve`: what a link leads to may be changed while the scheduler works.
    return Path(os.path.abspath(file.parent / value))  # noqa: PTH100 as above


def _shown(value: object) -> str:
    shown: Any = repr(value) if not isinstance(value, str) else f'"{value}"'
    return shown if len(shown) <= 60 else f"{shown[:60]}…"  # noqa: PLR2004


def _error(file: Path, faults: Sequence[str]) -> SettingsError:
    step = "correct the list; until then no tenant is run."
    if len(faults) == 1:
        return SettingsError(f"{file}: {faults[0]}.", next_step=step)
    listed = "".join(f"\n- {fault}." for fault in faults)
    return SettingsError(f"{file}: {len(faults)} faults.{listed}", next_step=step)
