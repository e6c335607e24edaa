"""The generated pages of docs/reference: complete, linked, traced to both APIs, and refused when stale."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel, Field

from pipelines.checks.suites import load_rules
from pipelines.cli.app import app
from pipelines.contracts.declared import declared_tables
from pipelines.contracts.tables import CONTRACTS, SCHEMAS
from pipelines.core.errors import UsageError
from pipelines.core.resources import sql_folder
from pipelines.core.settings import Settings
from pipelines.reconcile.kinds import break_kinds
from pipelines.reference.__main__ import FOLDER, main
from pipelines.reference.commands import every_command, exit_codes
from pipelines.reference.pages import render, stale, write
from pipelines.reference.settings import setting_names, settings_page
from tests.support.verified import verified_models

Pages = Mapping[str, str]


@pytest.fixture(scope="module")
def pages() -> Pages:
    # From here on this process knows the models.
    verified_models()
    return render()


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of the second or third level."""
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def cells(text: str, first: str) -> list[str]:
    """Return the cells of the table row that begins with a name."""
    [row] = [line for line in text.splitlines() if line.startswith(f"| `{first}` |")]
    return [cell.strip() for cell in row.strip("|").split(" | ")]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as a renderer makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_are_what_the_code_says(pages: Pages) -> None:
    assert stale(pages, FOLDER) == [], "run make docs"


def test_a_stale_page_is_named_and_fails(pages: Pages, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "reference"
    assert set(write(pages, folder)) == set(pages)
    (folder / "models.md").write_text("# Models", encoding="utf-8")
    (folder / "rules.md").unlink()
    (folder / "old.md").touch()
    assert main(["--check"], folder=folder, rendered=lambda: pages) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == [str(folder / name) for name in ("rules.md", "models.md", "old.md")]


def test_writing_touches_only_what_is_stale(pages: Pages, tmp_path: Path) -> None:
    write(pages, tmp_path)
    (tmp_path / "old.md").touch()
    (tmp_path / "rules.md").write_text("", encoding="utf-8")
    assert write(pages, tmp_path) == ["rules.md", "old.md"]
    assert write(pages, tmp_path) == []
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == dict(pages)


@pytest.mark.parametrize(("arguments", "told"), [(["--chek"], "--chek"), (["--check", "now"], "now")])
def test_other_words_are_refused(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == UsageError.exit_code
    assert told in capsys.readouterr().err


def test_outside_a_checkout_nothing_is_written(tmp_path: Path) -> None:
    assert main([], folder=tmp_path / "docs" / "reference") == UsageError.exit_code
    assert not any(tmp_path.iterdir())


def test_links_lead_to_headings_and_files(pages: Pages) -> None:
    known = {name: anchors(text) for name, text in pages.items()}
    for name, text in pages.items():
        for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
            if target.startswith("../"):
                assert (FOLDER / target).resolve().is_file(), (name, target)
            else:
                assert not anchor or anchor in known[target or name], (name, target, anchor)
                assert (target or name) in pages, (name, target)


def test_every_model_is_described(pages: Pages) -> None:
    models = [
        path
        for folder in ("map", "post", "rec", "close", "analysis")
        for path in (sql_folder() / folder).rglob("*.sql")
    ]
    for path in models:
        described = section(pages["models.md"], f"{path.parent.name}.{path.stem}")
        assert re.search(rf"{path.name}\).*- Identified by: `", described, re.DOTALL)
        assert section(pages["columns.md"], f"{path.parent.name}.{path.stem}").count("\n| `") > 0


def test_every_landed_column_names_its_member(pages: Pages) -> None:
    for side, contracts in CONTRACTS.items():
        for contract in contracts:
            described = section(pages["staging.md"], f"{SCHEMAS[side]}.{contract.table}")
            assert f"From `{contract.entity}`" in described
            for member in contract.members:
                assert cells(described, member.column)[2] == f"`{member.path}`"
            for children in contract.children:
                below = section(pages["staging.md"], f"{SCHEMAS[side]}.{children.table}")
                for member in children.members:
                    assert cells(below, member.column)[2] == f"`{children.path.replace('[]', '')}.{member.path}`"


def test_every_table_that_models_read_is_listed(pages: Pages) -> None:
    for ref, columns in declared_tables().items():
        described = section(pages["staging.md"], str(ref))
        assert [name for name in columns if f"\n| `{name}` |" not in described] == []


@pytest.mark.parametrize(
    ("column", "origins"),
    [
        ("ext_order_number", "VMS `Document`: `documentNo`"),
        ("posting2", "`documentLines.voyage.voyageHeader.referenceNo`"),
        ("subledger_bank_account", "`businessPartner.bankAccount.iban`"),
        ("tax_rule", "`seed.tax_rules`: `tax_rule`"),
        ("company", "ledger `entities`: `code`"),
    ],
)
def test_a_field_is_traced_to_the_api_member(column: str, origins: str, pages: Pages) -> None:
    assert origins in cells(section(pages["columns.md"], "post.draft_lines"), column)[3]


def test_a_column_passed_on_keeps_its_description(pages: Pages) -> None:
    described = section(pages["columns.md"], "post.draft_vouchers")
    assert cells(described, "document_key")[2] == "database id of the document in the VMS"


def test_every_rule_has_its_row(pages: Pages) -> None:
    assert set(re.findall(r"^\| `(\w+)`", pages["rules.md"], re.MULTILINE)) == set(load_rules().rules)


def test_every_kind_of_break_has_its_section(pages: Pages) -> None:
    for kind in break_kinds().values():
        described = section(pages["breaks.md"], kind.kind)
        assert kind.meaning in described
        assert f"- Next step: {kind.next_step}" in described
    assert set(re.findall(r"^### (.+)$", pages["breaks.md"], re.MULTILINE)) == set(break_kinds())


def test_every_command_and_option_is_explained(pages: Pages) -> None:
    for name, command in every_command(typer.main.get_group(app)):
        described = section(pages["commands.md"], name)
        assert (command.help or "?") in described
        for option in (option for parameter in command.params for option in parameter.opts if option.startswith("--")):
            assert re.search(rf"^\| `{option}\b", described, re.MULTILINE) or option == "--help"


def test_the_page_has_every_exit_code(pages: Pages) -> None:
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", pages["commands.md"], re.MULTILINE)} == set(exit_codes())


@pytest.mark.parametrize(
    ("setting", "variable", "kind", "default"),
    [
        ("warehouse", "`SPRINGLINE_WAREHOUSE`", "path or address of a lake", "`springline.duckdb`"),
        ("ledger.token", "`SPRINGLINE_LEDGER__TOKEN`<br>`SPRINGLINE_LEDGER__TOKEN_FILE`", "secret", "required"),
        ("vms.page_size", "`SPRINGLINE_VMS__PAGE_SIZE`", "whole number, at least 1, at most 2000", "`500`"),
        ("posting.xgl", "`SPRINGLINE_POSTING__XGL`", "`poolCode` or `isTc`", ""),
        ("posting.vat_accounts", "`SPRINGLINE_POSTING__VAT_ACCOUNTS`", "list of texts", "`2700, 2710`"),
        ("companies.link", "`SPRINGLINE_COMPANIES`", "whole number, at least 1", ""),
    ],
)
def test_a_setting_has_variable_type_and_default(
    setting: str, variable: str, kind: str, default: str, pages: Pages
) -> None:
    assert cells(pages["settings.md"], setting)[:4] == [f"`{setting}`", variable, kind, default]


class Unexplained(BaseModel):
    """Settings of which one has no description."""

    warehouse: str = Field(default="a.duckdb", description="the working database")
    control: Path | None = None


def test_a_setting_nobody_explains_stops_the_page() -> None:
    with pytest.raises(UsageError, match="control has no description"):
        settings_page(Unexplained)


def test_every_setting_has_its_row(pages: Pages) -> None:
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", pages["settings.md"], re.MULTILINE)) == set(setting_names(Settings))


def test_control_tables_show_states_and_comments(pages: Pages) -> None:
    outbox = section(pages["control-tables.md"], "outbox")
    assert cells(outbox, "state")[3] == "where it stands; one of `todo`, `sending`, `sent`, `unknown`, `failed`"
    assert cells(outbox, "id") == ["`id`", "TEXT", "", "deterministic: hash of kind and natural_key; key"]
    assert cells(outbox, "sent_at")[2] == "yes"
