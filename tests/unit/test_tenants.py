"""A list of tenants is read whole or not at all; each starts in a folder of its own, with its own secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pipelines
from pipelines.core.errors import SettingsError
from pipelines.core.settings_sources import SECRETS, variable_name
from pipelines.core.tenants import RESULTS, TRIED_AGAIN, Tenant, is_tried_again, read_tenants, run_tenant
from pipelines.reference.commands import exit_codes

SHOW = "import os, sys; print(os.getcwd(), sys.argv[1:], sorted(n for n in os.environ if n.startswith('SPRINGLINE_')))"


def written(folder: Path, text: str) -> Path:
    file = folder / "tenants.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_paths_are_relative_to_the_list(tmp_path: Path) -> None:
    file = written(tmp_path, '[tenants]\nnorth = "a/../north/springline.toml"\nsouth-2 = "/etc/s/springline.toml"\n')
    assert read_tenants(file) == {
        "north": Tenant("north", tmp_path / "north" / "springline.toml"),
        "south-2": Tenant("south-2", Path("/etc/s/springline.toml")),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[tenants\n", "is not TOML"),
        ("", "[tenants]: is missing or empty"),
        ("[tenants]\n", "[tenants]: is missing or empty"),
        ("tenants = 7\n", "[tenants]: is missing or empty"),
        ('[tenants]\nnorth = "n/s.toml"\n[other]\na = 1\n', "other: there is nothing but [tenants] in it"),
        ('[tenants]\nNorth = "n/s.toml"\n', '[tenants] North = "n/s.toml": a name has small letters'),
        ('[tenants]\nnorth_1 = "n/s.toml"\n', "[tenants] north_1"),
        ('[tenants]\nnorth- = "n/s.toml"\n', "[tenants] north-"),
        (f'[tenants]\n{"n" * 31} = "n/s.toml"\n', "30 at most"),
        ("[tenants]\nnorth = 7\n", "[tenants] north = 7: must be the path"),
        ('[tenants]\nnorth = " "\n', "must be the path"),
        ('[tenants]\na = "n/s.toml"\nb = "n/other.toml"\n', "a is in that folder too"),
    ],
)
def test_a_fault_is_told_with_name_and_value(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_tenants(written(tmp_path, text))
    assert told in caught.value.message
    assert "tenants.toml" in caught.value.message
    assert caught.value.next_step


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="2 faults") as caught:
        read_tenants(written(tmp_path, '[tenants]\nNorth = "n/s.toml"\nsouth = 7\n'))
    assert ("North" in caught.value.message, "south = 7" in caught.value.message) == (True, True)


def test_a_list_that_is_not_there_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file") as caught:
        read_tenants(tmp_path / "tenants.toml")
    assert "[tenants]" in caught.value.next_step


def test_a_missing_springline_toml_is_its_own_tenants_fault(tmp_path: Path) -> None:
    file = written(tmp_path, '[tenants]\nnorth = "north/springline.toml"\n')
    ended = run_tenant(
        read_tenants(file)["north"],
        ["run", "documents"],
        program=[sys.executable, "-c", "from pipelines.cli.app import main; main()"],
        folder=tmp_path / "stores",
        environ={**os.environ, "PYTHONPATH": str(Path(pipelines.__file__).parents[1])},
    )
    assert (ended.returncode, str(tmp_path / "north" / "springline.toml") in ended.stdout) == (10, True)


def test_a_tenant_starts_with_its_own_secrets(tmp_path: Path) -> None:
    secrets = tmp_path / "north" / "secrets"
    secrets.mkdir(parents=True)
    for secret in SECRETS:
        (secrets / variable_name(secret)).touch()
    (secrets / "README").touch()
    tenant = Tenant("north", tmp_path / "north" / "springline.toml")
    assert tenant.secret_files() == {
        f"{variable_name(secret)}_FILE": str(secrets / variable_name(secret)) for secret in sorted(SECRETS)
    }
    ended = run_tenant(tenant, ["run"], program=[sys.executable, "-c", SHOW], folder=tmp_path / "stores", environ={})
    place, words, names = ended.stdout.split(" ", 1)[0], ended.stdout, {*tenant.secret_files(), "SPRINGLINE_OPERATOR"}
    assert place == str(tmp_path / "stores" / "north")
    assert f"['run', '--config', '{tenant.config}'] {sorted(names)}" in words


def test_a_kill_is_a_code_below_0(tmp_path: Path) -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    tenant = Tenant("north", tmp_path / "springline.toml")
    ended = run_tenant(tenant, [], program=[sys.executable, "-c", kill], folder=tmp_path, environ={})
    assert (ended.returncode, is_tried_again(ended.returncode)) == (-9, True)


def test_secrets_that_may_not_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(SettingsError, match="Permission denied"):
        Tenant("north", tmp_path / "springline.toml").secret_files()


def test_ends_are_among_the_exit_codes() -> None:
    assert set(exit_codes()) >= RESULTS | TRIED_AGAIN
    assert not [code for code in RESULTS if is_tried_again(code)]


def test_a_scheduler_needs_nothing_but_python() -> None:
    code = "import sys; sys.modules['pydantic'] = None; import pipelines.core.tenants as t; print(t.FILE)"
    root = str(Path(pipelines.__file__).parents[1])
    # -S: without site-packages.
    command = [sys.executable, "-S", "-c", code]
    ended = subprocess.run(command, env={"PYTHONPATH": root}, capture_output=True, text=True, check=False)  # noqa: S603
    assert (ended.stdout, ended.stderr) == ("tenants.toml\n", "")
