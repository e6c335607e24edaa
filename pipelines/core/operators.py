"""Who is at work, for the record: the name a person gives, else that of their login; a schedule has a name of its own.

What such a name proves, and what it does not: docs/decisions/0015-second-person.md.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping

VARIABLE = "SPRINGLINE_OPERATOR"
# What runs are called that nobody started by hand.
SCHEDULE = "schedule"
# Where the system has no name for its user, as in some containers.
UNKNOWN = "unknown"


def operator_name(environ: Mapping[str, str]) -> str:
    """Return who is at work: SPRINGLINE_OPERATOR, else the login name.

    >>> operator_name({"SPRINGLINE_OPERATOR": " Kari  Berg "})
    'Kari Berg'
    """
    # Several people may share one login on a server; each says who they are.
    return " ".join(environ.get(VARIABLE, "").split()) or login_name()


def login_name() -> str:
    """Return the name of the login that this process runs under, `unknown` where it has none."""
    try:
        import pwd  # noqa: PLC0415 not on every system
    except ImportError:
        return getpass.getuser()
    try:
        # Not getpass alone: it believes the variables LOGNAME and USER, which anybody can set.
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return UNKNOWN


def is_person(operator: str) -> bool:
    """Tell whether a name is that of somebody who can be asked.

    >>> is_person("kari"), is_person("Schedule"), is_person(" ")
    (True, False, False)
    """
    return _plain(operator) not in {"", UNKNOWN, SCHEDULE}


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two names are one person's, however they are written.

    >>> is_same_person("Kari Berg", " kari  berg"), is_same_person("kari", "ola")
    (True, False)
    """
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
