"""`springline init`: writes a commented springline.toml and its schema, and never over a file that is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.core.errors import UsageError
from pipelines.core.settings import look_at_folder
from pipelines.core.settings_sources import FILE
from pipelines.going_live.settings_file import SCHEMA_FILE, SCHEMA_LINE, settings_file
from pipelines.going_live.settings_schema import settings_schema

_FILL_IN = "put your own values in the place of every <...>, set the secrets that it names, and run `springline check`."
_RENEW = f"remove {SCHEMA_FILE} and run `springline init` again, to have that of this release."


@dataclass(frozen=True, slots=True)
class InitResult:
    """What was written in ``folder``, what was there and stays, and what to do next."""

    folder: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    next_step: str

    @property
    def message(self) -> str:
        """What came of it, in a sentence or two."""
        kept = f" {' and '.join(self.kept)}: there already, and left as it was." if self.kept else ""
        return f"Wrote {' and '.join(self.written)} in {self.folder}.{kept}\nNext: {self.next_step}"

    def as_dict(self) -> dict[str, object]:
        """Return the object that `init --json` prints."""
        written, kept = list(self.written), list(self.kept)
        return {"folder": str(self.folder), "written": written, "kept": kept, "next_step": self.next_step}


def write_settings_files(folder: Path) -> InitResult:
    """Write both files into a folder, made where it is not there.

    Raises UsageError when there is nothing to write, or when it cannot be written, SettingsError where the folder in
    which it was started is gone.
    """
    look_at_folder()
    folder = folder.absolute()
    texts = {FILE: settings_file(), SCHEMA_FILE: settings_schema()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [name for name, text in texts.items() if _write(folder / name, text)]
        present = {name: (folder / name).read_bytes() for name in texts if name not in written}
    except OSError as error:
        message = f"{error.filename or folder} cannot be written: {error.strerror}."
        raise UsageError(message, next_step="name another folder: `springline init FOLDER`.") from error
    is_old = SCHEMA_FILE in present and present[SCHEMA_FILE] != texts[SCHEMA_FILE].encode()
    if not written:
        step = "edit it; or write a new one in another folder, `springline init FOLDER`, and take over what you need"
        raise UsageError(
            f"{folder / FILE} is there already; nothing was written.",
            next_step=f"{step}; or {_RENEW}" if is_old else f"{step}.",
        )
    if FILE not in written and SCHEMA_LINE.encode() not in present[FILE]:
        step = f"write `{SCHEMA_LINE}` as the first line of {FILE}, so that an editor checks it."
    elif FILE not in written:
        step = "run `springline check`."
    else:
        step = f"{_FILL_IN[:-1]}; {_RENEW}" if is_old else _FILL_IN
    return InitResult(folder, tuple(written), tuple(present), step)


def _write(path: Path, text: str) -> bool:
    """Write a file that is not there yet, whole or not at all; return whether it was written."""
    try:
        # "x": never over another, not even one that was made a moment ago.
        with path.open("x", encoding="utf-8", newline="\n") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError:
        return False
    return True
