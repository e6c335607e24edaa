"""backup: a copy of the control store that can be put back, and never takes another file's place unasked."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipelines.outbox.chain import verify_chain
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.store import Outbox
from pipelines.stores.control import Control

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.springline import Terminal


def _stored(terminal: Terminal, number: int) -> None:
    intent = Intent(
        kind=Kind.SUPPLIER, natural_key=f"supplier:{number}", target="ledger", payload="{}", source_hash="s"
    )
    with closing(Control(terminal.folder / "springline.ctl.sqlite")) as control:
        Outbox(control, batch_id="b1", now=lambda: datetime(2026, 11, 2, 8, 5, tzinfo=UTC)).store_intents([intent])


def test_the_copy_is_whole_while_somebody_writes(terminal: Terminal) -> None:
    _stored(terminal, 1)
    with closing(Control(terminal.folder / "springline.ctl.sqlite")) as control, control.write() as connection:
        connection.execute("INSERT INTO meta VALUES ('half', 'written')")
        ended = terminal.run("backup", "copy.sqlite", "--json")
    found = ended.json()
    assert (ended.code, found["file"], found["event_no"]) == (0, "copy.sqlite", 1)
    assert found["event_at"] == "2026-11-02T08:05:00.000000+00:00"
    assert found["size"] == (terminal.folder / "copy.sqlite").stat().st_size
    with closing(Control(terminal.folder / "copy.sqlite")) as copy:
        assert verify_chain(copy) == []
        assert copy.one("SELECT hash FROM outbox_events") == found["event_hash"]
        assert copy.mark("half") is None


def test_it_says_what_was_copied_and_how_it_is_put_back(terminal: Terminal) -> None:
    _stored(terminal, 1)
    ended = terminal.run("backup", "copy.sqlite")
    control = terminal.folder / "springline.ctl.sqlite"
    first, second = ended.out.splitlines()
    assert first.startswith(f"Copied the control store {control} to copy.sqlite: ")
    assert first.endswith("bytes, up to event 1 of 2026-11-02 09:05 (Oslo); checked, sound.")
    assert second.startswith("To put it back: `springline restore copy.sqlite`. What was sent after the copy is looked")


def test_a_copy_put_back_as_it_says_is_the_store(terminal: Terminal) -> None:
    _stored(terminal, 1)
    terminal.run("backup", "copy.sqlite")
    _stored(terminal, 2)
    for file in terminal.folder.glob("springline.ctl.sqlite*"):
        file.unlink()
    (terminal.folder / "copy.sqlite").rename(terminal.folder / "springline.ctl.sqlite")
    with closing(Control(terminal.folder / "springline.ctl.sqlite")) as control:
        assert control.one("SELECT count(*) FROM outbox") == 1
    _stored(terminal, 3)


def test_the_copy_is_its_users_alone(terminal: Terminal) -> None:
    _stored(terminal, 1)
    (terminal.folder / "springline.ctl.sqlite").chmod(0o640)
    terminal.run("backup", "copy.sqlite")
    assert stat.S_IMODE((terminal.folder / "copy.sqlite").stat().st_mode) == 0o600


def test_a_file_that_exists_stays_unless_forced(terminal: Terminal) -> None:
    _stored(terminal, 1)
    there: Path = terminal.folder / "copy.sqlite"
    there.write_text("mine")
    ended = terminal.run("backup", "copy.sqlite")
    assert (ended.code, there.read_text()) == (2, "mine")
    assert "--force" in ended.err
    assert terminal.run("backup", "copy.sqlite", "--force").code == 0
    assert there.read_bytes().startswith(b"SQLite format 3")
    assert sorted(file.name for file in terminal.folder.glob("copy*")) == ["copy.sqlite"]


def test_the_store_itself_is_never_written_over(terminal: Terminal) -> None:
    _stored(terminal, 1)
    for name in ("springline.ctl.sqlite", "springline.ctl.sqlite-wal", "./springline.ctl.sqlite"):
        assert terminal.run("backup", name, "--force").code == 2


def test_what_cannot_be_copied_leaves_nothing(terminal: Terminal) -> None:
    assert terminal.run("backup", "copy.sqlite").code == 10
    (terminal.folder / "springline.ctl.sqlite").write_text("no database, but long enough to be taken for one" * 20)
    assert terminal.run("backup", "copy.sqlite").code == 10
    (terminal.folder / "springline.ctl.sqlite").unlink()
    _stored(terminal, 1)
    assert terminal.run("backup", "nowhere/copy.sqlite").code == 2
    assert [file.name for file in terminal.folder.glob("copy*")] == []


def test_the_store_of_a_newer_release_is_refused(terminal: Terminal) -> None:
    _stored(terminal, 1)
    with closing(sqlite3.connect(terminal.folder / "springline.ctl.sqlite")) as store:
        store.execute("PRAGMA user_version = 999")
    ended = terminal.run("backup", "copy.sqlite")
    assert (ended.code, "version 999" in ended.err) == (10, True)


@pytest.mark.parametrize("name", ["link", "folder", "x" * 300])
def test_a_copy_goes_to_a_file_alone(name: str, terminal: Terminal) -> None:
    _stored(terminal, 1)
    (terminal.folder / "link").symlink_to("/dev/null")
    (terminal.folder / "folder").mkdir()
    ended = terminal.run("backup", str(terminal.folder / name), "--force")
    assert (ended.code, "put back" in ended.err) == (2, False)
    assert (terminal.folder / "link").is_symlink()
