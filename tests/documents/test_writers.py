"""What was read becomes files that say just that: whole, beside what is there, and nothing in them is run."""

import csv
import errno
import io
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace as with_fields

from engine import (
    DOCUMENT_FORMATS,
    Box,
    DocumentInfo,
    Layout,
    PageInfo,
    PageReceipt,
    PageText,
    TextLine,
    WriteError,
    document_text,
    target_of,
    write_document,
)
from engine.documents.source import Document
from engine.documents.writers.texts import to_markdown
from tests.documents.pdf_files import Page, text, write_pdf

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DOCUMENT = DocumentInfo("/letters/scan.pdf", "pdf", (PageInfo(1, 595, 842, "picture", "A picture."),), "Letters")
PAGES = (
    PageText(
        1,
        "done",
        (TextLine("=1+1 & <b>", Box(0.1, 0.1, 0.5, 0.12), -0.25), TextLine("second li-"), TextLine("ne שלום 😀")),
        receipt=PageReceipt("pieces", 70, 1240, 1754, 600, 10, 1, 2.5),
    ),
    PageText(2, "failed", reason="The page cannot be drawn."),
)


def written(tmp_path: Path, form: str, pages: tuple[PageText, ...] = PAGES, **layout: object) -> bytes:
    found = write_document(DOCUMENT, pages, form, tmp_path / f"out.{form}", layout=Layout(**layout))
    return found.path.read_bytes()


def test_text_keeps_lines_and_a_place_for_every_page(tmp_path: Path) -> None:
    text = written(tmp_path, "txt").decode()
    assert text == "=1+1 & <b>\nsecond li-\nne שלום 😀\n\f[Page 2: The page cannot be drawn.]\n"


def test_code_of_a_text_layer_keeps_its_indentation_and_prose_gets_none(tmp_path: Path) -> None:
    code = ["while waits:", "    if done:", "        return 1", "    wait 2", "print the rest of it"]
    path = write_pdf(tmp_path / "code.pdf", [Page(text(*code))])
    proportional = tuple(Document(path, "").lines(1))
    path.write_bytes(path.read_bytes().replace(b"/Helvetica", b"/Courier  "))
    lines = tuple(Document(path, "").lines(1))
    assert written(tmp_path, "txt", (PageText(1, "done", lines),)).decode().splitlines() == code
    assert document_text((PageText(1, "done", lines),)).splitlines() == code, "as it is copied too"
    flush = [line.strip() for line in code]
    read = tuple(with_fields(line, source="read") for line in lines)
    for others in (read, lines[:2], proportional):
        told = document_text((PageText(1, "done", others),)).splitlines()
        assert told == flush[: len(others)]


def test_text_is_joined_into_paragraphs_on_request(tmp_path: Path) -> None:
    texts = (
        "a sentence of some length that is cut in hal-",
        "ves and ends.",
        "Another one, as wide as the first",
        "is.",
    )
    lines = tuple(map(TextLine, texts))
    joined = written(tmp_path, "txt", (PageText(1, "done", lines),), lines="joined", separator="none").decode()
    assert joined.split("\n\n")[0] == "a sentence of some length that is cut in halves and ends."


def test_rows_of_as_many_cells_are_a_table_where_there_are_tables(tmp_path: Path) -> None:
    texts = ("Prices", "Item\tQty", "Red | apples\t3", "Pears\t10", "Page\t7\tof 9", "The end.")
    pages = (PageText(1, "done", tuple(map(TextLine, texts))),)
    table = "| Item | Qty |\n| --- | --- |\n| Red \\| apples | 3 |\n| Pears | 10 |"
    rows = "Item\tQty\nRed | apples\t3\nPears\t10"
    for form, cells in (("md", table), ("txt", rows)):
        text = written(tmp_path, form, pages, lines="joined", separator="none").decode()
        assert text == f"Prices\n\n{cells}\n\nPage\t7\tof 9\n\nThe end.\n"


def test_joined_lines_have_headings_and_items(tmp_path: Path) -> None:
    texts = ("Annual report", "It was a good year, and the next one is going to be", "better.", "• Apples", "• Pears")
    tops, heights = (0.1, 0.2, 0.22, 0.3, 0.32), (0.03, 0.01, 0.01, 0.01, 0.01)
    boxes = [
        Box(0.1, top, 0.1 + len(text) / 60, top + height)
        for text, top, height in zip(texts, tops, heights, strict=True)
    ]
    pages = (PageText(1, "done", tuple(map(TextLine, texts, boxes))),)
    prose = "It was a good year, and the next one is going to be better."
    for form, told in (
        ("md", f"# Annual report\n\n{prose}\n\n- Apples\n\n- Pears\n"),
        ("txt", f"Annual report\n\n{prose}\n\n• Apples\n\n• Pears\n"),
    ):
        assert written(tmp_path, form, pages, lines="joined", separator="none").decode() == told


def test_running_lines_are_left_out_on_request(tmp_path: Path) -> None:
    page = PageText(1, "done", (TextLine("HEADER", is_running=True), TextLine("text")))
    assert written(tmp_path, "txt", (page,), with_running=False) == b"text\n"
    assert written(tmp_path, "txt", (page,)) == b"HEADER\ntext\n"


def test_json_has_all_that_is_known(tmp_path: Path) -> None:
    told = json.loads(written(tmp_path, "json"))
    first, second = told["pages"]
    assert first["lines"][0]["box"] == {"left": 0.1, "top": 0.1, "right": 0.5, "bottom": 0.12}
    assert first["lines"][0]["confidence"] == -0.25
    assert first["receipt"]["num_pieces"] == 10
    assert first["text"] == PAGES[0].text
    assert first["looked_at"]["verdict"] == "picture"
    assert (second["state"], second["reason"]) == ("failed", "The page cannot be drawn.")
    assert told["document"]["path"] == DOCUMENT.path


def test_csv_has_a_row_for_each_line_as_it_was_read(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(written(tmp_path, "csv").decode(), newline="")))
    assert [row["text"] for row in rows] == [*(line.text for line in PAGES[0].lines), ""]
    assert rows[0]["confidence"] == "-0.250"
    assert rows[-1]["remark"] == "The page cannot be drawn."


TABLE = PageText(1, "done", answer='item,amount\n"bolt, long",12.50\n=SUM(A1),007\n')


def test_a_table_that_was_read_is_the_csv_and_the_sheet(tmp_path: Path) -> None:
    rows = [["item", "amount"], ["bolt, long", "12.50"], ["=SUM(A1)", "007"]]
    assert list(csv.reader(io.StringIO(written(tmp_path, "csv", (TABLE,), answers="table").decode()))) == rows
    sheet, strings = sheet_of(written(tmp_path, "xlsx", (TABLE,), answers="table"))
    assert "<f>" not in sheet
    assert [text for row in rows for text in row if text != "12.50"] == strings
    assert "<v>12.5</v>" in sheet


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1+cmd", "@SUM(1)", "http://example.org", "\x01\ufffe\x0b", "_x0041_"])
def test_a_cell_of_a_stranger_stays_text(tmp_path: Path, cell: str) -> None:
    page = PageText(1, "done", (TextLine(cell),))
    sheet, strings = sheet_of(written(tmp_path, "xlsx", (page,)))
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert cell in strings or not cell.isprintable()


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_half_a_character_of_a_files_name_hinders_no_table(tmp_path: Path, form: str) -> None:
    page = PageText(1, "done", answer="file,total\nbad\udce9.pdf,1\n")
    assert written(tmp_path, form, (page,), answers="table") != b""


def test_fields_as_text_are_labels_with_their_values(tmp_path: Path) -> None:
    pages = (PageText(1, "done", answer='{"total": 3, "who": "Ann", "when": null}'),)
    assert written(tmp_path, "txt", pages, answers="fields").decode() == "total: 3\nwho: Ann\nwhen:\n"


def test_fields_are_columns_and_pages_rows(tmp_path: Path) -> None:
    pages = (PageText(1, "done", answer='{"total": 3, "who": "Ann"}'), PageText(2, "cut_off", answer='{"who": null'))
    rows = list(csv.reader(io.StringIO(written(tmp_path, "csv", pages, answers="fields").decode())))
    assert rows == [
        ["page", "total", "who", "remark"],
        ["1", "3", "Ann", ""],
        ["2", "", "", "The text ends before the page does."],
    ]


MARKDOWN = PageText(
    1, "done", answer="# Title\n\nSome *text*.\n\n- one\n  1. deep\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
)


def test_markdown_becomes_headings_lists_and_tables_of_a_word_processor(tmp_path: Path) -> None:
    body = docx_body(written(tmp_path, "docx", (MARKDOWN, PAGES[1]), answers="markdown"))
    paragraphs = ["".join(text.text or "" for text in paragraph.iter(f"{W}t")) for paragraph in body.iter(f"{W}p")]
    assert paragraphs[:4] == ["Title", "Some text.", "•one", "1.deep"]
    assert [len(list(row.iter(f"{W}tc"))) for row in body.iter(f"{W}tr")] == [2, 2]
    assert [style.get(f"{W}val") for style in body.iter(f"{W}pStyle")] == ["Heading1", "Remark"]
    assert sum(mark.get(f"{W}type") == "page" for mark in body.iter(f"{W}br")) == 1


def test_any_text_can_be_written_for_a_word_processor(tmp_path: Path) -> None:
    page = PageText(1, "done", (TextLine("a\x00\x0b\ud800\ufffe<&>\t]]> שלום"), TextLine("")))
    body = docx_body(written(tmp_path, "docx", (page,)))
    assert "<&>" in "".join(text.text or "" for text in body.iter(f"{W}t"))


def test_text_from_right_to_left_is_set_so(tmp_path: Path) -> None:
    body = docx_body(written(tmp_path, "docx", (PageText(1, "done", (TextLine("שלום world"),)),)))
    assert list(body.iter(f"{W}bidi"))
    assert list(body.iter(f"{W}rtl"))


def test_what_was_read_as_markdown_stays_as_it_is(tmp_path: Path) -> None:
    assert written(tmp_path, "md", (MARKDOWN,), answers="markdown").decode().strip() == MARKDOWN.answer.strip()


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")) | st.just(" "), max_size=30), max_size=5
    )
)
def test_markdown_shows_lines_as_they_were_read(texts: list[str]) -> None:
    page = PageText(1, "done", tuple(map(TextLine, texts)))
    shown = MarkdownIt("commonmark", {"html": False}).parse(to_markdown([page], Layout(), frozenset()))
    text = "\n".join(_shown(child) for token in shown for child in token.children or [])
    assert "".join(text.split()) == "".join("".join(texts).split())
    assert {token.type for token in shown} <= {"paragraph_open", "inline", "paragraph_close"}


def _shown(token: object) -> str:
    return "\n" if token.type in ("softbreak", "hardbreak") else token.content


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    target = tmp_path / "scan.txt"
    target.write_text("mine")
    (tmp_path / "scan (2).txt").symlink_to(tmp_path / "nowhere")
    found = write_document(DOCUMENT, PAGES, "txt", target)
    assert found.path.name == "scan (3).txt"
    assert target.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("form", [form for form in DOCUMENT_FORMATS if form != "pdf"])
def test_what_is_written_again_is_there_once(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = set()
    for now in (1e9, 2e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        paths.add(write_document(DOCUMENT, PAGES, form, tmp_path / f"scan.{form}").path)
    assert list(tmp_path.iterdir()) == list(paths)


def test_where_there_are_no_hard_links_nothing_is_written_over_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    names = [write_document(DOCUMENT, pages, "txt", tmp_path / "scan.txt").path.name for pages in (PAGES, PAGES[:1])]
    assert names == ["scan.txt", "scan (2).txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan (2).txt", "scan.txt"]


@pytest.mark.parametrize("form", [form for form in DOCUMENT_FORMATS if form != "pdf"])
def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(WriteError, match="No space left on device"):
        write_document(DOCUMENT, PAGES, form, tmp_path / f"out.{form}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="Choose another place"):
        write_document(DOCUMENT, PAGES, "txt", tmp_path / "file" / "out.txt")


def test_names_and_folders_are_kept(tmp_path: Path) -> None:
    source = tmp_path / "in" / "a" / "Brief 3.5.pdf"
    assert target_of(source, "txt") == source.parent / "Brief 3.5.txt"
    assert target_of(source, "md", tmp_path / "out", tmp_path / "in") == tmp_path / "out" / "a" / "Brief 3.5.md"
    assert target_of(source, "md", tmp_path / "out") == tmp_path / "out" / "Brief 3.5.md"
    folder = tmp_path / "scans v1.2"
    folder.mkdir()
    assert target_of(folder, "txt") == tmp_path / "scans v1.2.txt"


def sheet_of(content: bytes) -> tuple[str, list[str]]:
    """The first sheet's XML, and the strings of the book as a reader takes them."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        texts = ["".join(part.text or "" for part in entry.iter() if part.tag.endswith("}t")) for entry in shared]
        return book.read("xl/worksheets/sheet1.xml").decode(), [text.replace("_x005F_", "_") for text in texts]


def docx_body(content: bytes) -> ElementTree.Element:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        for name in file.namelist():
            ElementTree.fromstring(file.read(name))
        return ElementTree.fromstring(file.read("word/document.xml"))
