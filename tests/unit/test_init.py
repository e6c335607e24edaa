"""The file that `springline init` writes can be filled in and loaded as it stands; its schema says the same."""

from __future__ import annotations

import json
import re
import resource
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines.core.errors import SettingsError, UsageError
from pipelines.core.settings import Settings, load_settings
from pipelines.core.settings_listed import list_settings
from pipelines.going_live.init import write_settings_files
from pipelines.going_live.settings_file import settings_file
from pipelines.going_live.settings_schema import settings_schema

SECRETS = {"SPRINGLINE_VMS__CLIENT_SECRET": "a", "SPRINGLINE_LEDGER__TOKEN": "b"}
LISTED = [setting for section in list_settings() for setting in section.settings if not setting.is_secret]
SCHEMA = jsonschema.Draft7Validator(json.loads(settings_schema()))


def filled(text: str) -> str:
    """Put a value in the place of every <...>, as a person does."""
    return re.sub(r"<[^<>\n]+>(?=.*\"$)", "mine", text, flags=re.MULTILINE)


def with_all_set(text: str) -> str:
    """Take the # off every setting."""
    return re.sub(r"^# (?=\[\[|\w+ = )", "", filled(text), flags=re.MULTILINE)


def read(text: str, folder: Path) -> Settings:
    file = folder / "springline.toml"
    file.write_text(text, "utf-8")
    return load_settings(file, environ=SECRETS)


def refused(values: dict[str, Any]) -> list[str]:
    return [error.message for error in SCHEMA.iter_errors(values)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the mapping files that the examples name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mapping").mkdir()
    for name in ("tax_rules", "gl_accounts", "dimensions", "partner_codes"):
        (tmp_path / "mapping" / f"{name}.csv").touch()
    return tmp_path


def test_filled_in_it_sets_what_is_required_and_nothing_else(folder: Path) -> None:
    settings = read(filled(settings_file()), folder)
    least = {"base_url": settings.vms.base_url, "token_url": settings.vms.token_url, "client_id": "mine"}
    assert settings == Settings.model_validate({"vms": {**least, "client_secret": "a"}, "ledger": {"token": "b"}})


def test_not_filled_in_every_placeholder_is_told(folder: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(settings_file(), folder)
    assert caught.value.message.count("of the example; put your own value in its place") == 3


def test_with_every_line_set_it_loads_as_it_shows(folder: Path) -> None:
    values = tomllib.loads(with_all_set(settings_file()))
    assert read(with_all_set(settings_file()), folder).companies[0].owner == 28601
    for setting in LISTED:
        section = values[setting.section] if setting.section else values
        shown = (section[0] if isinstance(section, list) else section)[setting.name]
        expected = setting.example if setting.default is None else setting.default
        if setting.default is not None:
            assert shown == json.loads(json.dumps(expected, default=str)), setting
        elif "<" not in str(expected):
            assert shown == expected, setting


def test_each_setting_stands_once_below_meaning_type_and_default() -> None:
    parts = re.split(r"^(?:# )?\[+(\w+)\]+\n", settings_file(), flags=re.MULTILINE)
    texts = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
    for setting in LISTED:
        block = rf"\n\n(# .+\n)+# .+; (required.*|default|not set; example):\n(# )?{setting.name} = .+\n"
        assert len(re.findall(block, "\n" + texts[setting.section])) == 1, setting
        assert setting.default is not None or setting.example is not None, setting


def test_it_is_narrow_and_holds_no_secret() -> None:
    lines = settings_file().splitlines()
    assert max(map(len, lines)) <= 100
    assert not [line for line in lines if re.match(r"(# )?(client_secret|password|token) =", line)]
    assert all(f"#   {name}" in lines for name in SECRETS)


def test_the_schema_takes_what_the_file_holds() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(settings_schema()))
    for text in (filled(settings_file()), with_all_set(settings_file())):
        assert refused(tomllib.loads(text)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"vms": {"timeot": 5}},
        {"vms": {"page_size": 9999}},
        {"vms": {"timeout": 0}},
        {"vms": {"base_url": "tenant.dataloy.com"}},
        {"vms": {"base_url": "https://<tenant>.dataloy.com"}},
        {"ledger": {"token": "secret"}},
        {"vms": {"password": "secret"}},
        {"companies": {"code": "a", "owner": 1}},
        {"companies": [{"code": "a"}]},
        {"companies": [{"code": 5, "owner": 1}]},
        {"posting": {"closed_period": "next"}},
        {"posting": {"gl_sign": {"28601": 2}}},
        {"posting": {"rules_off": ["voucher_not_balanced"]}},
        {"postings": {}},
        {"published": ""},
    ],
    ids=range(15),
)
def test_the_schema_refuses_what_loading_refuses(values: dict[str, Any]) -> None:
    assert refused(values)
    with pytest.raises(ValueError, match="validation error"):
        Settings.model_validate({"vms": {}, "ledger": {}} | values)


def test_nothing_is_ever_written_over(tmp_path: Path) -> None:
    first = write_settings_files(tmp_path / "new")
    assert first.written == ("springline.toml", "springline.schema.json")
    settings, schema = (tmp_path / "new" / name for name in first.written)
    settings.write_text("# mine\n", "utf-8")
    with pytest.raises(UsageError, match=r"is there already; nothing was written\. .*another folder"):
        write_settings_files(tmp_path / "new")
    schema.write_text("{}", "utf-8")
    with pytest.raises(UsageError, match=r"remove springline\.schema\.json and run `springline init` again"):
        write_settings_files(tmp_path / "new")
    schema.unlink()
    again = write_settings_files(tmp_path / "new")
    assert (again.written, again.kept) == (("springline.schema.json",), ("springline.toml",))
    assert "write `#:schema ./springline.schema.json` as the first line" in again.message
    assert settings.read_text("utf-8") == "# mine\n"
    settings.unlink()
    schema.write_text("{}", "utf-8")
    assert "remove springline.schema.json" in write_settings_files(tmp_path / "new").next_step
    assert schema.read_text("utf-8") == "{}"


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file cannot be written: File exists"):
        write_settings_files(tmp_path / "file")
    # As on a disk that is full: no half of a file is left, over which the next one would not write.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(UsageError, match="cannot be written: File too large"):
            write_settings_files(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
