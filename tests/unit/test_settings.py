"""Settings come from the file and the environment; every fault is told at once, and no secret is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core import settings
from pipelines.core.errors import SettingsError
from pipelines.core.settings import CompanySettings, Settings, load_settings

ENVIRON = {
    "SPRINGLINE_VMS__BASE_URL": "https://vms.invalid/ws/rest",
    "SPRINGLINE_VMS__USERNAME": "springline",
    "SPRINGLINE_VMS__PASSWORD": "hidden-password",
    "SPRINGLINE_LEDGER__TOKEN": " hidden-token ",
}


def load(folder: Path, toml: str = "", **environ: str) -> Settings:
    file = folder / "springline.toml"
    file.write_text(toml, encoding="utf-8")
    return load_settings(file, environ=ENVIRON | environ)


def faults(folder: Path, toml: str = "", **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, toml, **environ)
    return caught.value.message


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    read = load(tmp_path, "[vms]\npage_size = 100\nworkers = 2\n", SPRINGLINE_VMS__PAGE_SIZE="200")
    assert (read.vms.page_size, read.vms.workers) == (200, 2)


def test_a_list_is_json_or_words(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        SPRINGLINE_COMPANIES='[{"code": "28601", "owner": 28601}]',
        SPRINGLINE_POSTING__VAT_ACCOUNTS="2700, 2711",
    )
    assert read.companies == (CompanySettings(code="28601", owner=28601),)
    assert read.posting.vat_accounts == ("2700", "2711")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        '[vms]\npage_size = 9999\n[ledger]\ntoken = "in-the-file"\n',
        SPRINGLINE_RATES__DAYS="0",
        SPRINGLINE_COMPANIES="[{",
    )
    for name in (
        "SPRINGLINE_VMS__PAGE_SIZE",
        "SPRINGLINE_RATES__DAYS",
        "SPRINGLINE_COMPANIES is not JSON",
        "ledger.token",
    ):
        assert name in told
    assert "in-the-file" not in told


def test_a_setting_that_is_gone_says_so(tmp_path: Path) -> None:
    assert "SPRINGLINE_RATES__AT: is gone, because nothing read it" in faults(tmp_path, "[rates]\nat = 16:30:00\n")
    assert "SPRINGLINE_RATES__EVERY: Extra inputs" in faults(tmp_path, "[rates]\nevery = 1\n")


def test_a_secret_comes_from_the_file_that_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("from-a-file\n", encoding="utf-8")
    environ = {name: value for name, value in ENVIRON.items() if "TOKEN" not in name}
    read = load_settings(None, environ=environ | {"SPRINGLINE_LEDGER__TOKEN_FILE": str(secret)})
    assert read.ledger.token.get_secret_value() == "from-a-file"
    assert "from-a-file" not in repr(read)


def test_a_token_that_no_header_takes_is_not_shown(tmp_path: Path) -> None:
    told = faults(tmp_path, SPRINGLINE_LEDGER__TOKEN="hidden\ntoken")
    assert "SPRINGLINE_LEDGER__TOKEN: is empty, or holds characters that no token has" in told
    assert "hidden" not in told


def test_each_setting_says_what_it_means() -> None:
    names = ("CompanySettings", "LedgerSettings", "PartnerSettings", "PostingSettings", "RateSettings", "VmsSettings")
    for name in names:
        assert all(field.description for field in getattr(settings, name).model_fields.values()), name
    plain = ("warehouse", "control", "published")
    assert all(settings.Settings.model_fields[name].description for name in plain)
