"""What to do about a DuckDB file that cannot be opened: only one that is no database is moved away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# Cut off, written over, or by a DuckDB whose format this one does not know.
_NO_DATABASE = ("not a valid duckdb database", "corrupt", "could not read enough bytes", "version number")


def unopened_step(error: duckdb.Error | OSError, *, anew: str) -> str:
    """Return the next step; ``anew`` says who makes the file again.

    A disk that is full or read-only, and a right that is missing, say nothing against the file: whoever moved it away
    would lose it for nothing, and the next run could not write another one either.
    """
    text = str(error).lower()
    if is_no_database(error):
        return f"move the file away; {anew}."
    if "lock" in text:
        return "another program has it open for writing: close that program, or wait until it has ended."
    return "leave the file where it is; see that its disk can be written and has room, and that this user may use it."


def is_no_database(error: BaseException) -> bool:
    """Tell whether DuckDB says that a file is none of its databases, is damaged, or has a format it does not know."""
    text = str(error).lower()
    return any(words in text for words in _NO_DATABASE)
