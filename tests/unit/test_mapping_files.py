"""Mapping files are read as Excel saves them; every fault of every file is told at once, with file, line and value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from pipelines.core.errors import SettingsError
from pipelines.core.mapping_files import GL_ACCOUNTS, PARTNERS, find_mappings, read_mappings
from pipelines.core.settings import Settings
from pipelines.core.settings_books import PartnerSettings, PostingSettings
from pipelines.core.settings_systems import LedgerSettings, VmsSettings
from pipelines.stores.mapping_used import fingerprint

if TYPE_CHECKING:
    from pathlib import Path


def _settings(folder: Path, **files: bytes) -> Settings:
    paths = {name: folder / f"{name}.csv" for name in files}
    for name, content in files.items():
        paths[name].write_bytes(content)
    return Settings(
        vms=VmsSettings(base_url="https://vms.invalid"),
        ledger=LedgerSettings(token=SecretStr("none")),
        posting=PostingSettings.model_validate({name: path for name, path in paths.items() if name != "codes"}),
        partners=PartnerSettings(codes=paths.get("codes")),
    )


@pytest.mark.parametrize(
    "content",
    [
        b"vms_account,ledger_account\n0430,4310\n",
        b"\xef\xbb\xbfVMS Account;Ledger account\r\n0430;4310\r\n;\r\n",
        b"sep=;\r\nvms_account;ledger_account\r\n0430;4310\r\n",
        b'ledger_account\tvms_account\tnote\n4310\t="0430"\tcr\xe8me, "so-called"\n',
        "vms_account,ledger_account,note\n 0430 ,4310,\n".encode("utf-16"),
        b'vms_account,ledger_account,note\n"0430","4310","two\nlines, and a ""word"""\n',
    ],
)
def test_a_file_is_read_as_excel_saves_it(tmp_path: Path, content: bytes) -> None:
    [row] = read_mappings(_settings(tmp_path, gl_accounts=content))[GL_ACCOUNTS]
    assert (row.cells["vms_account"], row.cells["ledger_account"], row.cells["company"]) == ("0430", "4310", "")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gl_accounts", b"", "gl_accounts.csv: it is empty"),
        ("gl_accounts", b"vms_account,acount\n1,2\n", "line 1: there is no column acount"),
        ("gl_accounts", b"vms_account\n1\n", "line 1: the column ledger_account is missing"),
        ("gl_accounts", b"vms_account,ledger_account\n1,\n", "line 2: ledger_account is empty"),
        ("gl_accounts", b"vms_account,ledger_account\n1,2,3\n", 'line 2: "3" stands under no heading'),
        (
            "gl_accounts",
            b"vms_account,ledger_account\n\n1,2\n1,3\n",
            "line 4: company (every one), vms_account 1 stands",
        ),
        ("gl_accounts", b'vms_account,ledger_account\n1,"2\n3,4\n', "line 2: a quotation mark is out of place"),
        (
            "codes",
            b"vms_partner,ledger_partner\n6.05E+12,1\n",
            'line 2: vms_partner is "6.05E+12", a number that Excel',
        ),
        ("dimensions", b"dimension,source,value\nposting4,vessel,\n", 'line 2: there is no dimension "posting4"'),
        ("dimensions", b"dimension,source,value\nXGL,fixed,\n", "line 2: a fixed dimension has no value"),
        ("tax_rules", b"PK\x03\x04\0\0", "tax_rules.csv: it is no text file"),
    ],
)
def test_a_fault_names_file_line_and_value(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_mappings(_settings(tmp_path, **{name: content}))
    assert told in str(raised.value)


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    settings = _settings(tmp_path, gl_accounts=b"vms_account,ledger_account\n1,\n,2\n", codes=b"a,b\n1,2\n")
    assert len(find_mappings(settings)[1]) == 5


def test_a_note_changes_nothing(tmp_path: Path) -> None:
    one = read_mappings(_settings(tmp_path, codes=b"vms_partner,ledger_partner,note\n1,2,old\n"))
    other = read_mappings(_settings(tmp_path, codes=b"note;ledger_partner;vms_partner\n;2;1\n"))
    assert (fingerprint(one) == fingerprint(other), len(other[PARTNERS])) == (True, 1)
