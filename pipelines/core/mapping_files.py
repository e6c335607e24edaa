"""The mapping files: CSV files, named in the settings, that an accountant edits (docs/how-to/mapping-files.md).

They say what the VMS's accounts, VAT codes, partner codes and dimensions are called in the ledger. Files are taken as
Excel saves them. Every fault of every file is told at once, with file, line, value and what to do.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.errors import SettingsError
from pipelines.core.identifiers import clean_code

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

TAX_RULES, GL_ACCOUNTS, DIMENSIONS = "posting.tax_rules", "posting.gl_accounts", "posting.dimensions"
PARTNERS = "partners.codes"

# What can be named in the column `dimension`, and what the ledger's field then holds (docs/mapping.md#files).
DIMENSION_NAMES = ("posting1", "posting2", "posting3", "xgl")
FIXED, NONE = "fixed", "none"
SOURCES = ("vessel", "voyage", "pool", "business unit", "charter", "service", FIXED, NONE)
# In the column `company`: every company that has no line of its own. An empty cell means the same.
EVERY_COMPANY = ("*", "all")

# A limit on everything: these are files that a person edits.
MOST_ROWS, MOST_BYTES, LONGEST_CODE = 20_000, 5_000_000, 100
# Excel turns a long code into a number of this form when the column is not formatted as text; its last digits are gone.
_EXCEL_NUMBER = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
# A way to make Excel keep leading zeros: ="00123".
_EXCEL_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)\r?\n?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of mapping file: its setting, the columns it must have, what must not stand twice, its table in seed."""

    setting: str
    required: tuple[str, ...]
    key: tuple[str, ...]
    table: str

    @property
    def members(self) -> tuple[str, ...]:
        """The columns that say something, in the order of the table: a company first, where lines may have one."""
        return (*(("company",) if "company" in self.key else ()), *self.required)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it may have, in the order in which it is documented."""
        return (*self.members, "note")


KINDS: Mapping[str, FileKind] = {
    kind.setting: kind
    for kind in (
        FileKind(TAX_RULES, ("vat_code", "tax_rule"), ("vat_code",), "tax_rules"),
        FileKind(GL_ACCOUNTS, ("vms_account", "ledger_account"), ("company", "vms_account"), "account_mapping"),
        FileKind(DIMENSIONS, ("dimension", "source", "value"), ("company", "dimension"), "dimension_mapping"),
        FileKind(PARTNERS, ("vms_partner", "ledger_partner"), ("vms_partner",), "partner_mapping"),
    )
}
# May be empty in a line though the column must be there: most sources of a dimension need no value.
MAY_BE_EMPTY = "value"


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One line of a mapping file: its number in the file and its cells by column; a company of "" is every company."""

    file: str
    line: int
    cells: Mapping[str, str]

    @property
    def place(self) -> str:
        """File and line, as messages and `explain` name them."""
        return f"{self.file} line {self.line}"


@dataclass(frozen=True, slots=True)
class FileFault:
    """What is wrong in a mapping file, and what to do."""

    place: str
    problem: str
    next_step: str

    def __str__(self) -> str:
        """Place, fault and next step in one sentence, without a full stop."""
        return f"{self.place}: {self.problem} ({self.next_step})"


@dataclass(slots=True)
class _Reading:
    """A file while it is read: its rows so far, its faults, and the line on which each key stands."""

    kind: FileKind
    file: str
    rows: list[MappingRow] = field(default_factory=list)
    faults: list[FileFault] = field(default_factory=list)
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def fault(self, line: int | None, problem: str, next_step: str) -> None:
        place = f"{self.file} line {line}" if line else self.file
        self.faults.append(FileFault(f"{self.kind.setting}: {place}", problem, next_step))


Mappings = Mapping[str, Sequence[MappingRow]]


def mapping_paths(settings: Settings) -> dict[str, Path]:
    """Return the files that the settings name, by setting."""
    posting = settings.posting
    paths = (posting.tax_rules, posting.gl_accounts, posting.dimensions, settings.partners.codes)
    return {setting: path for setting, path in zip(KINDS, paths, strict=True) if path is not None}


def read_mappings(settings: Settings) -> Mappings:
    """Return the rows of every mapping file, by setting; a setting without a file has none.

    Raises SettingsError with every fault of every file.
    """
    mappings, faults = find_mappings(settings)
    raise_faults(faults)
    return mappings


def raise_faults(faults: Sequence[FileFault]) -> None:
    """Raise SettingsError that lists the faults; do nothing where there is none."""
    if faults:
        number = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise SettingsError(
            f"Mapping files: {number}, no document was touched. {'; '.join(map(str, faults))}.",
            next_step="correct the files and run `springline check`.",
        )


def find_mappings(settings: Settings) -> tuple[Mappings, list[FileFault]]:
    """Return the rows of every mapping file, by setting, and every fault of the files."""
    readings = {setting: _read(KINDS[setting], path) for setting, path in mapping_paths(settings).items()}
    known = {company.code for company in settings.companies}
    # Where no company is configured, or others post as well, only the two systems know which there are.
    if known and settings.companies_others != "post":
        for reading in readings.values():
            reading.faults += company_faults(reading.kind.setting, reading.rows, known)
    rows: dict[str, Sequence[MappingRow]] = dict.fromkeys(KINDS, ())
    rows |= {setting: tuple(reading.rows) for setting, reading in readings.items()}
    return rows, [fault for reading in readings.values() for fault in reading.faults]


def company_faults(setting: str, rows: Sequence[MappingRow], known: Collection[str]) -> list[FileFault]:
    """Return a fault for each row whose company is not ``known``."""
    return [
        FileFault(
            f"{setting}: {row.place}",
            f"there is no company {company}",
            f"choose one of {', '.join(sorted(known))}, or leave the cell empty for every company",
        )
        for row in rows
        if (company := row.cells.get("company", "")) and company not in known
    ]


def _read(kind: FileKind, path: Path) -> _Reading:
    reading = _Reading(kind, path.name)
    try:
        content = path.read_bytes()
    except OSError as error:
        reading.fault(None, f"{path} cannot be read ({error.strerror})", f"correct {kind.setting} in the settings")
        return reading
    if len(content) > MOST_BYTES:
        reading.fault(None, f"it has more than {MOST_BYTES} bytes", "a mapping file is small: is it the right one?")
    elif (text := _decoded(content)) is None:
        reading.fault(None, "it is no text file", "save it in Excel as CSV UTF-8")
    else:
        _read_text(reading, text)
    return reading


def _decoded(content: bytes) -> str | None:
    """Decode a file as Excel writes it: UTF-8 with or without a mark, UTF-16 with one, else the Windows code page."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        # Without a mark (Excel's plain "CSV") every byte is a character of the code page: only notes have such letters.
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # A workbook saved as .xlsx and named .csv is full of these.
        return None if "\0" in text else text
    return None


def _read_text(reading: _Reading, text: str) -> None:
    skipped, separators = 0, ";,\t"
    if found := _SEPARATOR_LINE.match(text):
        separators, skipped, text = found[1], 1, text[found.end() :]
    read = [_lines(text, separator, skipped) for separator in separators]
    # The separator is the one that makes known columns of the header.
    lines, broken_at = max(
        read, key=lambda found: (_known(reading.kind, found[0]), len(found[0][0][1]) if found[0] else 0)
    )
    if broken_at:
        step = "write a quotation mark inside a text twice, and end each quoted text with one"
        reading.fault(broken_at, "a quotation mark is out of place", step)
    if not lines:
        reading.fault(None, "it is empty", f"its first line is {','.join(reading.kind.columns)}")
        return
    (number, names), *rest = lines
    names = [_heading(name) for name in names]
    if _header_is_wrong(reading, number, names):
        return
    if len(rest) > MOST_ROWS:
        reading.fault(None, f"it has more than {MOST_ROWS} lines", "a mapping file is small: is it the right one?")
        return
    for line, cells in rest:
        _take_row(reading, line, names, [_cell(cell) for cell in cells])


def _lines(text: str, separator: str, skipped: int) -> tuple[list[tuple[int, list[str]]], int]:
    """Return the cells of each line that has any, with its number in the file, and the line on which quoting is broken.

    A cell may hold a line break. The second is 0 where the quoting is right.
    """
    # Strict: else a quotation mark that never ends would swallow all lines below it without a word.
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for cells in reader:
            # Excel writes empty lines as separators alone.
            if any(cell.strip() for cell in cells):
                found.append((skipped + before + 1, cells))
            before = reader.line_num
    except csv.Error:
        return found, skipped + before + 1
    return found, 0


def _known(kind: FileKind, lines: Sequence[tuple[int, list[str]]]) -> int:
    return sum(_heading(name) in kind.columns for _, names in lines[:1] for name in names)


def _heading(name: str) -> str:
    """Return a heading as it is compared: `Ledger account` and `ledger_account` are one."""
    return "_".join(name.strip().lower().split())


def _cell(text: str) -> str:
    wrapped = _EXCEL_TEXT.fullmatch(text.strip())
    return clean_code(wrapped[1] if wrapped else text)


def _header_is_wrong(reading: _Reading, number: int, names: Sequence[str]) -> bool:
    kind = reading.kind
    columns = ", ".join(kind.columns)
    before = len(reading.faults)
    for name in dict.fromkeys(names):
        if name and name not in kind.columns:
            reading.fault(number, f"there is no column {name}", f"the columns are {columns}")
        elif name and list(names).count(name) > 1:
            reading.fault(number, f"the column {name} stands twice", f"the columns are {columns}")
    if missing := [name for name in kind.required if name not in names]:
        reading.fault(number, f"the column {', '.join(missing)} is missing", f"the first line is {columns}")
    return len(reading.faults) > before


def _take_row(reading: _Reading, line: int, names: Sequence[str], given: Sequence[str]) -> None:
    kind = reading.kind
    before = len(reading.faults)
    cells = dict.fromkeys(kind.columns, "") | {name: cell for name, cell in zip(names, given, strict=False) if name}
    beyond = [cell for place, cell in enumerate(given) if cell and (place >= len(names) or not names[place])]
    if beyond:
        reading.fault(line, f'"{beyond[0]}" stands under no heading', "remove it, or put a text with commas in quotes")
    if "company" in cells and cells["company"].lower() in EVERY_COMPANY:
        cells["company"] = ""
    for name in kind.columns:
        _judge_cell(reading, line, name, cells[name])
    if kind.setting == DIMENSIONS:
        _judge_dimension(reading, line, cells)
    key = tuple(cells[name] for name in kind.key)
    is_whole = all(cells[name] for name in kind.key if name != "company")
    if is_whole and (first := reading.lines.setdefault(key, line)) != line:
        words = ", ".join(f"{name} {cells[name] or '(every one)'}" for name in kind.key)
        reading.fault(line, f"{words} stands already on line {first}", "remove one of the two lines")
    if len(reading.faults) == before:
        reading.rows.append(MappingRow(reading.file, line, cells))


def _judge_cell(reading: _Reading, line: int, name: str, value: str) -> None:
    kind = reading.kind
    if not value:
        if name in kind.required and name != MAY_BE_EMPTY:
            reading.fault(line, f"{name} is empty", "fill it in, or remove the line")
    elif name != "note" and _EXCEL_NUMBER.fullmatch(value):
        step = "format the column as text in Excel and type the code anew"
        reading.fault(line, f'{name} is "{value}", a number that Excel has rounded', step)
    elif name != "note" and len(value) > LONGEST_CODE:
        step = "is the separator of the file right?"
        reading.fault(line, f'{name} is longer than {LONGEST_CODE} characters: "{value[:20]}…"', step)


def _judge_dimension(reading: _Reading, line: int, cells: dict[str, str]) -> None:
    cells["dimension"] = cells["dimension"].lower().replace(" ", "")
    cells["source"] = " ".join(cells["source"].lower().replace("_", " ").split())
    dimension, source = cells["dimension"], cells["source"]
    if dimension and dimension not in DIMENSION_NAMES:
        step = f"choose one of {', '.join(DIMENSION_NAMES)}"
        reading.fault(line, f'there is no dimension "{dimension}"', step)
    if source and source not in SOURCES:
        reading.fault(line, f'there is no source "{source}"', f"choose one of {', '.join(SOURCES)}")
    if source == FIXED and not cells["value"]:
        reading.fault(line, "a fixed dimension has no value", "write the ledger's code into the column value")
    if source == NONE and cells["value"]:
        reading.fault(line, f'the source is none, yet there is the value "{cells["value"]}"', "empty one of the two")


def seed_rows(mappings: Mappings) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    """Yield each table of schema seed that is made of a mapping file, with its rows; an empty cell is NULL."""
    for setting, rows in mappings.items():
        kind = KINDS[setting]
        yield kind.table, [(*(row.cells[name] or None for name in kind.members), row.line, row.place) for row in rows]


def ledger_faults(
    mappings: Mappings, *, accounts: Collection[str], codes: Mapping[str, Collection[str]]
) -> list[FileFault]:
    """Return a fault for each account and each fixed code that the ledger does not have.

    ``codes`` are the ledger's codes by dimension. A list that is empty could not be read, and is not judged.
    """
    wrong = [
        (GL_ACCOUNTS, row, f"account {account}")
        for row in mappings[GL_ACCOUNTS]
        if accounts and (account := row.cells["ledger_account"]) not in accounts
    ]
    for row in mappings[DIMENSIONS]:
        dimension, value = row.cells["dimension"], row.cells["value"]
        # Only a fixed code is written as it stands; any other is that of a document, and a rule looks at each.
        if row.cells["source"] == FIXED and codes.get(dimension) and value not in codes[dimension]:
            wrong.append((DIMENSIONS, row, f"{dimension} {value}"))
    step = "add it in Xledger, or correct the line"
    return [FileFault(f"{setting}: {row.place}", f"the ledger has no {what}", step) for setting, row, what in wrong]
