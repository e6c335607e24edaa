"""Who may read what is written, whatever the umask: this user, and of what is published one group."""

from __future__ import annotations

import os
from collections.abc import Iterator
from grp import getgrgid
from pathlib import Path

import pytest

from pipelines.batch.private import make_private
from pipelines.core.access import admit, group_number, keep_private, make_folders, narrow, open_folder
from pipelines.core.errors import SettingsError
from pipelines.core.settings import load_settings
from pipelines.publish.edition.swap import put_file, put_folder, stage
from pipelines.stores.backup import back_up
from pipelines.stores.control import Control
from tests.cli.springline import NOWHERE

OWN = os.getgid()


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


def modes(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): mode(path) for path in sorted(folder.rglob("*"))}


def test_all_that_a_process_makes_is_its_users() -> None:
    keep_private()
    assert os.umask(0) == 0o077


def test_what_is_wider_is_narrowed_and_named(tmp_path: Path) -> None:
    (tmp_path / "open").touch(0o666)
    (tmp_path / "script").touch(0o755)
    (tmp_path / "read-only").touch(0o444)
    (tmp_path / "closed").touch(0o600)
    (tmp_path / "link").symlink_to(tmp_path / "closed")
    found = dict(narrow([*sorted(tmp_path.iterdir()), tmp_path / "gone"]))
    assert {path.name: is_done for path, is_done in found.items()} == {"open": True, "script": True, "read-only": True}
    assert modes(tmp_path) == {"closed": "600", "link": "600", "open": "600", "read-only": "400", "script": "700"}
    assert list(narrow(tmp_path.iterdir())) == []


@pytest.mark.parametrize(("group", "folder", "file"), [(None, "700", "600"), (OWN, "750", "640")])
def test_what_is_put_in_place_has_the_readers_of_its_folder(
    group: int | None, folder: str, file: str, tmp_path: Path
) -> None:
    keep_private()
    published = tmp_path / "published"
    open_folder(published, group=group)
    assert not open_folder(published, group=group)
    with stage(published) as aside:
        assert mode(aside) == "700"
        (aside / "one").touch()
        put_file(aside / "one", published / "one")
        for turn in range(2):
            (aside / "parts" / "deep").mkdir(parents=True)
            (aside / "parts" / "deep" / f"part-{turn}").touch()
            put_folder(aside / "parts", published / "tables" / "parts", old=published / ".old" / f"parts-{turn}")
    assert set(modes(published).values()) == {folder, file}
    assert all(
        is_mode == (file if (published / path).is_file() else folder) for path, is_mode in modes(published).items()
    )


@pytest.mark.parametrize("is_mode", [0o755, 0o777, 0o700, 0o770, 0o705])
def test_a_folder_that_is_not_ours_lets_nobody_in(is_mode: int, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(is_mode)
    (folder / "file").touch()
    admit(folder / "file", into=folder)
    make_folders(folder / "a" / "b")
    assert modes(folder) == {"a": "700", "a/b": "700", "file": "600"}


def test_a_backup_is_its_users_alone(tmp_path: Path) -> None:
    Control(tmp_path / "springline.ctl.sqlite").close()
    back_up(tmp_path / "springline.ctl.sqlite", tmp_path / "copy.sqlite")
    assert mode(tmp_path / "copy.sqlite") == "600"


def settings_in(folder: Path, **more: str) -> dict[str, str]:
    return {
        **NOWHERE,
        "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
        "SPRINGLINE_PUBLISHED": str(folder / "published"),
        **more,
    }


def test_what_earlier_releases_left_is_closed_and_told_once(tmp_path: Path) -> None:
    named = ("springline.duckdb", "springline.duckdb.wal", "springline.ctl.sqlite", "springline.ctl.sqlite-wal")
    copies = (
        "springline.ctl.sqlite.version-1.20261102T080000Z",
        "springline.ctl.sqlite.x.partial",
        "published/report.html",
    )
    (tmp_path / "published" / "tables" / "map").mkdir(parents=True)
    (tmp_path / ".springline.duckdb.landing").mkdir()
    for name in (*named, *copies, "published/notes.txt", "published/tables/map/a.parquet", "springline.toml"):
        (tmp_path / name).touch()
    settings = load_settings(None, environ=settings_in(tmp_path))
    [told] = make_private(settings)
    assert told.startswith("Others on this machine could read 8 files and folders (")
    # Not ours: what people write themselves.
    assert {name for name, is_mode in modes(tmp_path).items() if int(is_mode, 8) & 0o077} == {
        "published/notes.txt",
        "springline.toml",
    }
    assert list(make_private(settings)) == []
    group = getgrgid(OWN).gr_name
    [told] = make_private(load_settings(None, environ=settings_in(tmp_path, SPRINGLINE_PUBLISHED_GROUP=group)))
    assert group in told
    assert mode(tmp_path / "published") == "750"
    assert mode(tmp_path / "published" / "tables" / "map" / "a.parquet") == "640"
    assert mode(tmp_path / "springline.duckdb") == "600"


def test_what_belongs_to_another_user_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "springline.duckdb").touch()

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    [told] = make_private(load_settings(None, environ=settings_in(tmp_path)))
    assert f"Others may be able to read {tmp_path / 'springline.duckdb'}" in told
    assert "Next: " in told


@pytest.mark.parametrize("name", ["no-such-group", "../etc", "-1", "<group>", ""])
def test_a_group_that_cannot_be_used_is_a_fault_of_the_settings(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"published_group|PUBLISHED_GROUP"):
        list(make_private(load_settings(None, environ=settings_in(tmp_path, SPRINGLINE_PUBLISHED_GROUP=name))))


def test_a_group_without_this_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: [1000])
    with pytest.raises(SettingsError, match="not in"):
        group_number(getgrgid(OWN).gr_name)
