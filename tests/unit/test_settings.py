"""Settings come from the file and the environment; every fault is told at once, with its place, and no secret is."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from pipelines.core import settings
from pipelines.core.errors import SettingsError
from pipelines.core.settings import Settings, load_published, load_settings, setting_variables
from pipelines.core.settings_books import CompanySettings
from tests.cli.springline import NOWHERE

ROOT = Path(__file__).parents[2]
ENVIRON = {
    "SPRINGLINE_VMS__BASE_URL": "https://vms.invalid/ws/rest",
    "SPRINGLINE_VMS__USERNAME": "springline",
    "SPRINGLINE_VMS__PASSWORD": "hidden-password",
    "SPRINGLINE_LEDGER__TOKEN": " hidden-token ",
}


def load(folder: Path, toml: str | bytes = "", **environ: str) -> Settings:
    file = folder / "springline.toml"
    file.write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return load_settings(file, environ=ENVIRON | environ)


def faults(folder: Path, toml: str | bytes = "", **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, toml, **environ)
    return str(caught.value).replace(f"{folder}/", "")


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


def test_codes_in_the_name_of_a_variable_keep_their_letters(tmp_path: Path) -> None:
    read = load(tmp_path, SPRINGLINE_POSTING__ACCRUAL_CONTROL__SG01__ACP="2965", SPRINGLINE_POSTING__GL_SIGN__SG01="-1")
    assert read.posting.accrual_control == {"SG01": {"ACP": "2965"}}
    assert read.posting.gl_sign == {"SG01": -1}


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        '[vms]\npage_size = 9999\n[ledger]\ntoken = "in-the-file"\n',
        SPRINGLINE_RATES__DAYS="0",
        SPRINGLINE_COMPANIES="[{",
    ).splitlines()
    assert told[0] == "Settings: 4 faults."
    assert "- springline.toml line 2, [vms] page_size = 9999: must be at most 2000." in told
    assert '- SPRINGLINE_RATES__DAYS = "0": must be at least 1.' in told
    assert any(line.startswith("- SPRINGLINE_COMPANIES: is not JSON") for line in told)
    assert any(line.startswith("- springline.toml line 4, [ledger] token: is a secret") for line in told)
    assert told[-1] == "Next: correct them and run `springline check`."
    assert "in-the-file" not in "".join(told)


FILE_FAULTS = [
    ("[vms]\ntimeot = 5", "line 2, [vms] timeot: there is no such setting; nearest: timeout."),
    ("warehose = 'a'", "line 1, warehose: there is no such setting; nearest: warehouse."),
    ("[postings]\nx = 1", "line 1, [postings]: there is no such setting; nearest: posting."),
    ("\n[ledger]\n# x\nbase_url = 'a'", "line 4, [ledger] base_url: there is no such setting; it belongs under [vms]."),
    ("page_size = 5", "line 1, page_size: there is no such setting; it belongs under [vms] or [ledger]."),
    ('[rates]\nat = "25:00"', 'line 2, [rates] at = "25:00": is no time of day; write it as 16:30'),
    ("[companies]\ncode = 'a'", "line 1, [companies]: is one table, and must be a list; in the file: [[companies]]"),
    ("[[vms]]\ntimeout = 5", "line 1, [[vms]]: is a list; a section has one bracket: [vms]."),
    ("[[companies]]\ncode = 5\nowner = 1", "line 2, [[companies]] code = 5: must be a text, in quotes."),
    ("[[companies]]\ncode = 'a'\nowner = 1\n[[companies]]\ncode = 'b'", "line 4, [[companies]] owner: is missing."),
    ("[[companies]]\ncode = ' '\nowner = 1", 'line 2, [[companies]] code = " ": is empty'),
    ("[[companies]]\ncode = 'a'\nowner = 9999999999", "line 3, [[companies]] owner = 9999999999: must be at most"),
    ("[posting]\nvat_accounts = [\n'2700',\n2710]\nxgl = 'isTc'", "line 2, [posting] vat_accounts = 2710: must be a"),
    ("[posting]\nxgl = '''\nis'''", 'line 2, [posting] xgl = "is": must be \'poolCode\' or \'isTc\'; nearest: isTc.'),
    ("[posting]\nclosed_period = 'next'", "must be 'hold' or 'next_open'; nearest: next_open."),
    ("[posting.gl_sign]\n28601 = 2", "line 2, [posting] gl_sign.28601 = 2: must be 1, -1 or 'revenue'."),
    ("[posting]\nvat_accounts = ['27\u200b00']", "holds the character U+200B (ZERO WIDTH SPACE), which cannot be seen"),
    ("[vms]\ntimeout = inf", "line 2, [vms] timeout = inf: must be at most 3600."),
    ("[vms]\ntimeout = nan", "line 2, [vms] timeout = nan: must be at most 3600."),
    ("[vms]\ntimeout = 1e999999999", "line 2, [vms] timeout = inf: must be at most 3600."),
    ("[rates]\nowner = 1e999999999", "line 2, [rates] owner = inf: must be a whole number."),
    ("[rates]\ndays = 1.5", "line 2, [rates] days = 1.5: must be a whole number."),
    ("[rates]\nowner = true", "line 2, [rates] owner = true: must not be true or false."),
    ("[vms", "is not TOML: "),
    ("a = " + "[" * 5000, "is not TOML: "),
    ("vms = 'password'", 'line 1, vms = "password": must be a section of settings.'),
]  # fmt: skip


@pytest.mark.parametrize(("toml", "told"), FILE_FAULTS, ids=range(len(FILE_FAULTS)))
def test_a_fault_of_the_file_has_line_section_and_value(toml: str, told: str, tmp_path: Path) -> None:
    assert told in faults(tmp_path, toml)


VARIABLE_FAULTS = [
    ("SPRINGLINE_VSM__BASE_URL", "x", "there is no such setting; nearest: SPRINGLINE_VMS__BASE_URL."),
    ("SPRINGLINE_VMS_BASE_URL", "x", "there is no such setting; nearest: SPRINGLINE_VMS__BASE_URL."),
    ("SPRINGLINE_OPERATER", "kari", "there is no such setting; nearest: SPRINGLINE_OPERATOR."),
    ("SPRINGLINE_TOKEN", "hidden", "there is no such setting; nearest: SPRINGLINE_LEDGER__TOKEN."),
    ("SPRINGLINE_LEDGER__TOKN", "hidden", "there is no such setting; nearest: SPRINGLINE_LEDGER__TOKEN."),
    ("SPRINGLINE_LEDGER__TOKENFILE", "x", "there is no such setting; nearest: SPRINGLINE_LEDGER__TOKEN_FILE."),
    ("SPRINGLINE_", "x", "there is no such setting; take it out"),
    ("SPRINGLINE_QQQQ", "x", "there is no such setting; take it out"),
    ("SPRINGLINE_VMS__USERNAME", "a:b", 'SPRINGLINE_VMS__USERNAME = "a:b": holds a colon'),
    ("SPRINGLINE_VMS__TIMEOUT", "fast", 'SPRINGLINE_VMS__TIMEOUT = "fast": must be a number.'),
    ("SPRINGLINE_VMS", '{"timeout": "fast"}', 'SPRINGLINE_VMS (vms.timeout) = "fast": must be a number.'),
    ("SPRINGLINE_COMPANIES", '[{"code": "a"}]', "SPRINGLINE_COMPANIES (companies[0].owner): is missing."),
    ("SPRINGLINE_COMPANIES", "28601", 'SPRINGLINE_COMPANIES = "28601": must be a list.'),
    ("SPRINGLINE_POSTING__GL_SIGN", "[" * 5000, "SPRINGLINE_POSTING__GL_SIGN: is not JSON"),
    ("SPRINGLINE_VMS__CLIENT_ID", "\udcff", "SPRINGLINE_VMS__CLIENT_ID: is not UTF-8."),
    ("SPRINGLINE_OPERATOR", "k\udce5re", "SPRINGLINE_OPERATOR: is not UTF-8."),
    ("SPRINGLINE_LEDGER__TOKEN_FILE", "/nowhere/token", "TOKEN_FILE: /nowhere/token cannot be read"),
]


@pytest.mark.parametrize(("name", "value", "told"), VARIABLE_FAULTS, ids=range(len(VARIABLE_FAULTS)))
def test_a_fault_of_the_environment_names_its_variable(name: str, value: str, told: str) -> None:
    environ = dict(ENVIRON)
    if name.endswith("_FILE"):
        del environ[name.removesuffix("_FILE")]
    with pytest.raises(SettingsError) as caught:
        load_settings(None, environ=environ | {name: value})
    assert name in str(caught.value)
    assert told in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://springline.example", ""),
        ("http://127.0.0.1:8787", ""),
        ("http://[::1]:8787", ""),
        ("http://springline.example", "has no TLS"),
        ("http://127.0.0.1.example", "has no TLS"),
        ("https://springline.example?x=1", "has a question mark"),
    ],
)
def test_webhooks_travel_with_tls_unless_they_stay_here(url: str, told: str, tmp_path: Path) -> None:
    toml = f"[webhooks]\nurl = '{url}'"
    if told:
        assert f'[webhooks] url = "{url}": {told}' in faults(tmp_path, toml)
    else:
        assert load(tmp_path, toml).webhooks.url == url


@pytest.mark.parametrize("name", ["vms.base_url", "vms.token_url", "ledger.url"])
@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("tenant.dataloy.com/ws/rest", "has no scheme; an address begins with https://"),
        ("ftp://tenant.dataloy.com", "begins with ftp://; an address begins with https://"),
        ("https://", "is no address"),
        ("https://tenant:99999/x", "is no address"),
        ("https://[::1/x", "is no address"),
        ("https://a..b/x", "is no address"),
        ("https://ten ant/x", "is no address"),
        ("https://kari:hidden@tenant/x", "holds a user name"),
        ("https://tenant/x#y", "ends with #y"),
        ("https://<tenant>.dataloy.com", "still holds <tenant> of the example"),
        ("", "is empty"),
    ],
)
def test_an_address_that_cannot_be_called_is_a_fault(name: str, value: str, told: str, tmp_path: Path) -> None:
    section, _, member = name.partition(".")
    shown = faults(tmp_path, "", **{f"SPRINGLINE_{section}__{member}".upper(): value})
    assert told in shown
    assert "hidden" not in shown


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("published = 'FOLDER/springline.toml'", "is a file; name a folder"),
        ("warehouse = 'FOLDER'", "is a folder; name a file"),
        ("control = 'FOLDER'", "is a folder; name a file"),
        ("warehouse = 'FOLDER/springline.toml/x.duckdb'", "which is a file and no folder"),
        ("warehouse = '~/x.duckdb'", "begins with ~"),
        (
            "warehouse = 'postgresql://db/books'",
            "= ***: is an address of PostgreSQL; a warehouse is a file, or ducklake",
        ),
        ("control = 'ducklake:postgres:dbname=books password=hidden'", "begins with ducklake: as an address does"),
        ("control = 'mysql://u:hidden@h/db'", "= ***: begins with mysql://; a control store is a file, or postgresql"),
        ("control = 'postgresql://u:hidden@h/db'", "control: holds a password, which never stands in the file"),
        ("control = 'postgresql://h/db?password=hidden'", "control: holds a password, which never stands in the file"),
        ("control = 'postgresql://u:hidden/db'", "= ***: is no address: host, port or options cannot be read"),
        ("control = 'postgresql://h/'", "names no database; write it as postgresql://user@host:5432/database"),
        ("control = 'postgresql://h/db#tenant'", "a schema is named behind ?schema="),
        ("control = 'postgresql://h/db?schema=Tenant'", "names the schema Tenant; its name has small letters"),
        ("control = 'postgresql://h/db?schema=public'", "names the schema public"),
        ("control = 'postgresql://h/db?options=x'", "has the option options; there are schema, channel_binding"),
        ("published = 's3://key:hidden@bucket/books'", "begins with s3: as an address does"),
        (f"warehouse = '{'x' * 300}'", "has a name longer than 255 bytes"),
        ("warehouse = 'a\\u0000b'".replace("'", '"'), "holds the character U+0000"),
        ("control = 'springline.duckdb'", "is the file of warehouse too"),
        ("warehouse = 'published/../published/springline.duckdb'", "is the file of warehouse too"),
        ("[posting]\ntax_rules = 'nowhere.csv'", "there is no such file in"),
        ("[partners]\ncodes = 'FOLDER'", "is a folder; name a file"),
    ],
)
def test_a_path_that_cannot_be_used_is_a_fault(toml: str, told: str, tmp_path: Path) -> None:
    shown = faults(tmp_path, toml.replace("FOLDER", str(tmp_path)))
    assert told in shown
    assert "hidden" not in shown


COMPANY = "[[companies]]\ncode = '28601'\nowner = 28601\n"


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        (
            "[posting.gl_sign]\n2860 = 1",
            "line 5, [posting] gl_sign.2860 = 1: there is no company 2860 in",
        ),
        (
            "[posting.accrual_control.28610]\nACP = '2965'",
            "no company 28610 in [[companies]]; nearest: 28601.",
        ),
        ("[posting.accrual_control.28601]\nACPP = '2965'", "no accrual has the document type ACPP; nearest: ACP."),
        ("[posting.accrual_control.28601]\nINI = '2965'", "no accrual has the document type INI"),
        ("[posting.accrual_control.28601]\nacp = '2965'", "no accrual has the document type acp; there are ACC, ACP"),
    ],
)
def test_codes_that_nothing_has_are_faults(toml: str, told: str, tmp_path: Path) -> None:
    assert told in faults(tmp_path, COMPANY + toml)


def test_a_company_of_the_vms_alone_may_be_named(tmp_path: Path) -> None:
    assert load(tmp_path, "[posting.gl_sign]\n2860 = 1").posting.gl_sign == {"2860": 1}
    assert load(tmp_path, "companies_others = 'post'\n" + COMPANY + "[posting.gl_sign]\n2860 = 1").companies


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {},
            "SPRINGLINE_VMS__TOKEN_URL, SPRINGLINE_VMS__CLIENT_ID, SPRINGLINE_VMS__CLIENT_SECRET are missing",
        ),
        ({"CLIENT_ID": "a", "CLIENT_SECRET": "b"}, "no sign-in: SPRINGLINE_VMS__TOKEN_URL is missing"),
        ({"USERNAME": "kari"}, "no sign-in: SPRINGLINE_VMS__PASSWORD is missing"),
        ({"USERNAME": "kari", "PASSWORD_FILE": "/nowhere"}, "PASSWORD_FILE: /nowhere cannot be read"),
    ],
)
def test_a_sign_in_that_is_not_whole_is_one_fault(given: dict[str, str], told: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if not re.search("USERNAME|PASSWORD", name)}
    with pytest.raises(SettingsError) as caught:
        load_settings(None, environ=environ | {f"SPRINGLINE_VMS__{name}": value for name, value in given.items()})
    assert told in str(caught.value)
    assert str(caught.value).count("PASSWORD") <= 1


def test_a_folder_without_settings_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"There is no springline\.toml in this folder \(.*Next: run `springline "):
        load_settings(None, environ={"PATH": "/bin", "SPRINGLINE_OPERATOR": "kari"})
    with pytest.raises(SettingsError, match=r"(?s)2 faults.*There is no springline\.toml.*\[vms\] base_url: is mis"):
        load_settings(None, environ={name: value for name, value in ENVIRON.items() if "BASE_URL" not in name})
    with pytest.raises(SettingsError, match=r"There is no file other\.toml.*--config.*springline init"):
        load_settings(Path("other.toml"), environ=ENVIRON)


def test_a_folder_that_is_gone_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SettingsError, match="The folder in which this command was started is gone"):
        load_settings(None, environ=ENVIRON)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# \xe5\n", "springline.toml is not UTF-8: byte 3, on line 1, is 0xE5."),
        (b"[vms]\nusername = '\xff'\n", "springline.toml is not UTF-8: byte 19, on line 2, is 0xFF."),
        (b"\xef\xbb\xbf# \xe5", "springline.toml is not UTF-8: byte 6, on line 1, is 0xE5."),
        ("[vms]".encode("utf-16"), "byte 1, on line 1, is 0xFF. Next: it looks like UTF-16; save the file as UTF-8."),
        (b"# " * 3_000_000, "springline.toml has more than 5000000 bytes."),
    ],
    ids=["a letter", "in a value", "behind a mark", "UTF-16", "too large"],
)
def test_a_file_that_is_no_text_names_the_byte(content: bytes, told: str, tmp_path: Path) -> None:
    assert told in faults(tmp_path, content)


def test_the_mark_of_windows_programs_does_no_harm(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf[vms]\r\nworkers = 3\r\n").vms.workers == 3


def test_a_secret_comes_from_the_file_that_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_bytes(b"\xef\xbb\xbffrom-a-file\r\n")
    environ = {name: value for name, value in ENVIRON.items() if "TOKEN" not in name}
    read = load_settings(None, environ=environ | {"SPRINGLINE_LEDGER__TOKEN_FILE": str(secret)})
    assert read.ledger.token.get_secret_value() == "from-a-file"
    assert "from-a-file" not in repr(read)
    secret.write_bytes(b"from-a-file\xff")
    with pytest.raises(SettingsError, match=r"TOKEN_FILE: .*token is not UTF-8: byte 12") as caught:
        load_settings(None, environ=environ | {"SPRINGLINE_LEDGER__TOKEN_FILE": str(secret)})
    assert "from-a-file" not in str(caught.value)


def test_a_token_that_no_header_takes_is_not_shown(tmp_path: Path) -> None:
    told = faults(tmp_path, SPRINGLINE_LEDGER__TOKEN="hidden\ntoken")
    assert "SPRINGLINE_LEDGER__TOKEN: is empty, or holds characters that no token has" in told
    assert "hidden" not in told


def test_every_variable_that_the_code_names_is_known() -> None:
    files = chain((ROOT / "pipelines").rglob("*.py"), (ROOT / "docs").rglob("*.md"), [ROOT / "README.md"])
    named = set(re.findall(r"\bSPRINGLINE_[A-Z_]*[A-Z]\b(?!_)", " ".join(file.read_text("utf-8") for file in files)))
    assert named <= {*setting_variables()}


def test_what_kubernetes_sets_for_a_service_is_no_fault(tmp_path: Path) -> None:
    load(tmp_path, SPRINGLINE_SERVICE_HOST="10.0.0.1", SPRINGLINE_PORT="tcp://10.0.0.1:80", SPRINGLINE_PORT_80_TCP="")


def test_readers_need_the_published_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_published(None, environ={"SPRINGLINE_QQQQ": "x"}) == Path("published")
    file = tmp_path / "springline.toml"
    file.write_text("published = 'out'\n[vms]\ntimeot = 5\n[ledger]\ntoken = 'hidden'\n", "utf-8")
    assert load_published(None, environ={}) == Path("out")
    assert load_published(None, environ={"SPRINGLINE_PUBLISHED": "there"}) == Path("there")
    file.write_text("published = 5", "utf-8")
    with pytest.raises(SettingsError, match=r"springline\.toml line 1, published = 5: must be a path.*--published"):
        load_published(None, environ={})
    file.write_bytes(b"# \xe5")
    with pytest.raises(SettingsError, match="is not UTF-8: byte 3"):
        load_published(None, environ={})
    file.write_text("[", "utf-8")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_published(None, environ={})


def test_each_setting_says_what_it_means() -> None:
    names = ("CompanySettings", "LedgerSettings", "PartnerSettings", "PostingSettings", "RateSettings", "VmsSettings")
    for name in names:
        assert all(field.description for field in getattr(settings, name).model_fields.values()), name
    plain = ("warehouse", "control", "published")
    assert all(settings.Settings.model_fields[name].description for name in plain)


PLAIN = [
    ("SPRINGLINE_VMS__BASE_URL", "http://tenant.dataloy.com/ws/rest"),
    ("SPRINGLINE_VMS__TOKEN_URL", "HTTP://tenant.eu.auth0.com/oauth/token"),
    ("SPRINGLINE_LEDGER__URL", "http://www.xledger.net/graphql"),
    ("SPRINGLINE_LEDGER__URL", "http://127.0.0.1.evil.example/graphql"),
    ("SPRINGLINE_LEDGER__URL", "http://localhost.evil.example/graphql"),
    ("SPRINGLINE_LEDGER__URL", "http://10.0.0.5:8080/graphql"),
    ("SPRINGLINE_LEDGER__URL", "http://[fe80::1]/graphql"),
]


@pytest.mark.parametrize(("name", "address"), PLAIN)
def test_a_token_travels_for_nobody_to_read(name: str, address: str) -> None:
    environ = {**NOWHERE, name: address}
    section = name.removeprefix("SPRINGLINE_").partition("__")[0]
    with pytest.raises(SettingsError, match=f"has no TLS.*{section.lower()}.plain_http"):
        load_settings(None, environ=environ)
    load_settings(None, environ={**environ, f"SPRINGLINE_{section}__PLAIN_HTTP": "true"})
    load_settings(None, environ={**environ, name: address.lower().replace("http://", "https://")})
    load_settings(None, environ={**environ, name: "http://[::1]:8080/x"})
