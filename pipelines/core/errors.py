"""Every failure the product expects, by what it means for the batch and for whoever runs it.

    SpringlineError
    ├── UsageError             exit 2    the command line asks for what cannot be
    ├── SettingsError          exit 10   a setting is missing or wrong; all faults at once
    ├── ExtractError           exit 11   a system could not be read, or an answer breaks its contract
    ├── ModelError             exit 12   a SQL model is wrong or could not be built
    ├── CheckError             exit 13   a check could not run (a failed check is no error but a hold)
    ├── BusyError              exit 17   another batch holds the warehouse, or another program the control store
    ├── DiskFullError          exit 18   there is no room on a disk
    └── WireError                        one call to a remote system failed
        ├── Transient                    worth another try: 429, 5xx, no answer, burst or credit limits
        └── Terminal                     not worth another try
            ├── Unclear                  a write was answered, and the answer does not say that it was done
            ├── Forbidden                the other side does not let us do this (403)
            └── Refused                  the other side understood and refused; carries its code and message

Bad rows are no exceptions: they are held or set aside with rule, key and reason.
"""

from __future__ import annotations

from typing import ClassVar


class SpringlineError(Exception):
    """Base of all expected failures; an operator sees its message and no traceback."""

    # Scripts and schedulers go by these numbers, so they must not change.
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, next_step: str = "") -> None:
        """Say what happened to what, and what to do next and where."""
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        """Message and next step in one line; a message that is a list has the step on a line of its own."""
        gap = "\n" if "\n" in self.message else " "
        return f"{self.message}{gap}Next: {self.next_step}" if self.next_step else self.message


class UsageError(SpringlineError):
    """The command line asks for what cannot be."""

    exit_code = 2


class SettingsError(SpringlineError):
    """One or more settings are missing or wrong."""

    exit_code = 10


class ExtractError(SpringlineError):
    """A system could not be read, or an answer as a whole breaks its contract."""

    exit_code = 11


class ModelError(SpringlineError):
    """A SQL model is wrong or could not be built, or what follows from models could not be written."""

    exit_code = 12


class CheckError(SpringlineError):
    """A check could not run."""

    exit_code = 13


class BusyError(SpringlineError):
    """Another batch holds the warehouse, or another program the control store."""

    exit_code = 17


class DiskFullError(SpringlineError):
    """There is no room on a disk."""

    exit_code = 18


class WireError(SpringlineError):
    """One call to a remote system failed."""

    exit_code = 11

    def __init__(self, message: str, *, next_step: str = "", sent: bool = True) -> None:
        """``sent`` is false only when it is certain that the request never reached the other side.

        A voucher whose call failed with ``sent`` true is looked up before it is sent again: it may have been booked.
        """
        super().__init__(message, next_step=next_step)
        # True unless the call says otherwise: to be wrong here would let a voucher go out twice.
        self.sent = sent


class Transient(WireError):
    """Worth another try; ``retry_after`` in seconds when the other side named a time."""

    def __init__(
        self, message: str, *, next_step: str = "", sent: bool = True, retry_after: float | None = None
    ) -> None:
        """Carry the wait the other side asked for."""
        super().__init__(message, next_step=next_step, sent=sent)
        self.retry_after = retry_after


class Terminal(WireError):
    """Not worth another try: wrong credentials, an answer that cannot be read, a refusal."""


class Unclear(Terminal):
    """A write was answered, but not as documented: only a look-up can tell whether it was done."""


class Forbidden(Terminal):
    """We are known there and have no right to this; nothing was done."""


class Refused(Terminal):
    """The other side understood the request and refused it: nothing was written.

    ``problems`` has one ``(code, message)`` per error of the answer; ``status`` is the HTTP status.
    """

    def __init__(
        self, message: str, *, problems: tuple[tuple[str, str], ...], status: int, next_step: str = ""
    ) -> None:
        """Carry the other side's own words."""
        super().__init__(message, next_step=next_step)
        self.problems = problems
        self.status = status
