"""Which file goes with a voucher, what is in it, and why none goes (docs/mapping.md#1-10)."""

from __future__ import annotations

from base64 import b64encode

import msgspec
import pytest

from pipelines.load.ledger.file_rules import AttachedFile, NoFileError, choose_file, read_content, sent_name

MOST = 1_000
PDF = b"%PDF-1.7\n\xff\xfe\x00"


def attached(name: str, key: int = 1, *, size: int | None = None, created: str = "2026-11-01T10:00:00") -> AttachedFile:
    return AttachedFile(key, name, size, created)


def chosen(*files: AttachedFile) -> str:
    return choose_file(files, most=MOST).name


def reason(*files: AttachedFile) -> str:
    with pytest.raises(NoFileError) as caught:
        choose_file(files, most=MOST)
    return str(caught.value)


def body(file: object) -> bytes:
    return msgspec.json.encode({"key": 1, "file": file})


def test_a_single_pdf_goes() -> None:
    assert chosen(attached("notes.docx", 9), attached("Invoice.PDF", 2), attached("photo.jpg", 3)) == "Invoice.PDF"


def test_of_several_pdfs_the_newest_goes() -> None:
    old, new = attached("a.pdf", 9, created="2026-11-01T10:00:00"), attached("b.pdf", 2, created="2026-11-02T10:00:00")
    assert chosen(old, new) == chosen(new, old) == "b.pdf"
    assert chosen(attached("a.pdf", 2), attached("b.pdf", 9)) == "b.pdf", "one moment: the higher key"


def test_without_a_pdf_a_picture_goes_before_xml() -> None:
    assert chosen(attached("ehf.xml", 9), attached("scan.tiff", 2)) == "scan.tiff"
    assert chosen(attached("ehf.xml", 9)) == "ehf.xml"


def test_why_none_goes() -> None:
    assert reason() == "the VMS has no file for it"
    assert reason(attached("a.docx"), attached("b")) == (
        "of its files ('a.docx', 'b') none is a PDF, TIFF, JPEG, PNG or XML"
    )
    assert reason(attached("a.pdf", size=MOST + 1)) == "'a.pdf' (attachment 1) has 1,001 bytes, more than 1,000"


def test_an_older_file_does_not_stand_in_for_one_too_large() -> None:
    assert "'b.pdf'" in reason(attached("a.pdf", 1, size=5), attached("b.pdf", 2, size=MOST + 1))


@pytest.mark.parametrize(
    "answer",
    [
        body(b64encode(PDF).decode()),
        body("\n".join(b64encode(PDF).decode()[at : at + 4] for at in range(0, 40, 4))),
        body(PDF.decode("latin-1")),
        body([byte - 256 if byte > 127 else byte for byte in PDF]),
        PDF,
    ],
    ids=["base64", "base64 in lines", "raw text", "raw bytes as numbers", "the file itself"],
)
def test_a_file_is_read_in_every_form(answer: bytes) -> None:
    assert read_content(answer, attached("a.pdf"), most=MOST) == PDF


@pytest.mark.parametrize(
    ("answer", "file", "words"),
    [
        (body(None), attached("a.pdf"), "'a.pdf' (attachment 1) is empty"),
        (body(""), attached("a.pdf"), "'a.pdf' (attachment 1) is empty"),
        (body(b64encode(b"hello").decode()), attached("a.pdf"), "'a.pdf' (attachment 1) holds no PDF"),
        (body(b64encode(PDF).decode()), attached("a.png"), "'a.png' (attachment 1) holds no PNG"),
        (b"<html>", attached("a.pdf"), "'a.pdf' (attachment 1) holds no PDF"),
        (body({"x": 1}), attached("a.pdf"), "'a.pdf' (attachment 1) holds no PDF"),
        (body([1, 999]), attached("a.pdf"), "'a.pdf' (attachment 1) holds no PDF"),
        (body(b64encode(PDF + bytes(MOST)).decode()), attached("a.pdf"), "has 1,012 bytes, more than 1,000"),
    ],
)
def test_what_cannot_be_sent_is_said(answer: bytes, file: AttachedFile, words: str) -> None:
    with pytest.raises(NoFileError) as caught:
        read_content(answer, file, most=MOST)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n.."),
        ("a.jpg", b"\xff\xd8\xff\xe0"),
        ("a.jpeg", b"\xff\xd8\xff\xe0"),
        ("a.tif", b"II*\x00.."),
        ("a.tiff", b"MM\x00*.."),
        ("a.xml", b"\xef\xbb\xbf <?xml version='1.0'?>"),
    ],
)
def test_each_kind_is_known_by_how_it_begins(name: str, content: bytes) -> None:
    assert read_content(body(b64encode(content).decode()), attached(name), most=MOST) == content


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("Invoice 1.pdf", "Invoice 1.pdf"),
        ('C:\\scan\\in/Müller "A".PDF', "Muller _A_.pdf"),
        ("Регистр.pdf", "invoice.pdf"),
        ("a\r\nb.pdf", "a_b.pdf"),
        (f"{'x' * 200}.pdf", f"{'x' * 76}.pdf"),
    ],
)
def test_a_name_goes_in_characters_that_every_system_reads_alike(given: str, sent: str) -> None:
    assert sent_name(given) == sent
