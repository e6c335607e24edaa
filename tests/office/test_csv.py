"""CSV in LibreOffice, as it is opened where decimals have a point and where they have a comma: nothing in it runs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipelines.questions.csv_file import line_of
from tests.office.calc import converted
from tests.support.publish_cells import formulas

pytestmark = pytest.mark.office

TEXTS = [
    f"{before}{sign}1+1" for sign in "=+-@" for before in ("", " ", "\t", "\r", "\n", "a;", "a\t", "a\n", '"', "'")
]
# UTF-8, formulas allowed (the user has ticked "Evaluate formulas"); https://wiki.documentfoundation.org, CSV filter.
READ_AS = "CSV:{separator},34,76,1,,0,false,true,false,false,false,-1,true"


@pytest.mark.parametrize("separator", [",", ";"])
def test_no_text_of_others_becomes_a_formula(separator: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    with file.open("w", encoding="utf-8", newline="") as target:
        target.writelines(line_of([text, Decimal("-5.00"), text]) for text in TEXTS)
    book = load_workbook(converted(file, tmp_path, kind="xlsx", read_as=READ_AS.format(separator=ord(separator))))
    assert formulas(book) == {}
    if separator == ",":
        assert {row[1] for row in book.worksheets[0].iter_rows(values_only=True)} == {-5}
