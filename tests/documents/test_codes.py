"""QR codes and barcodes of a page, found in the process of documents and told as lines of the page's text."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import zxingcpp
from PIL import Image

from engine.documents.source import Document
from engine.protocol.documents import PageText, Reading
from engine.protocol.errors import AttachmentError, Cancelled
from engine.tasks.documents import read_one
from engine.tasks.pace import Pace
from tests.documents.pdf_files import Page, text, whole_picture, write_pdf

LINK = "https://example.org/pay?id=42&to=Löwe"


def code(content: str, kind: zxingcpp.BarcodeFormat, scale: int = 6) -> Image.Image:
    """A code in black on white, with white around it."""
    drawn = Image.fromarray(zxingcpp.create_barcode(content, kind).to_image(scale=scale, add_quiet_zones=True))
    return drawn.convert("L")


def sheet(*codes: Image.Image) -> Image.Image:
    """A page of A4 at 150 dpi with codes below each other."""
    page, top = Image.new("L", (1240, 1754), "white"), 200
    for each in codes:
        page.paste(each, (300, top))
        top += each.height + 150
    return page


def test_codes_are_lines_with_their_places_from_top_to_bottom(tmp_path: Path) -> None:
    kinds = zxingcpp.BarcodeFormat
    page = sheet(code(LINK, kinds.QRCode), code("4006381333931", kinds.EAN13), code("MX-20481", kinds.Code128))
    page.save(tmp_path / "page.png")
    lines = Document(tmp_path / "page.png").codes(1)
    assert [line.text for line in lines] == [LINK, "4006381333931", "MX-20481"]
    assert {line.source for line in lines} == {"code"}
    assert lines[0].box is not None
    assert 0.2 < lines[0].box.left < 0.3
    assert 0.1 < lines[0].box.top < 0.15


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_page_has_them_too(tmp_path: Path, degrees: int) -> None:
    sheet(code(LINK, zxingcpp.BarcodeFormat.QRCode)).rotate(degrees, expand=True).save(tmp_path / "page.png")
    assert [line.text for line in Document(tmp_path / "page.png").codes(1)] == [LINK]


def test_a_code_of_several_lines_is_several_and_holds_no_control_characters(tmp_path: Path) -> None:
    card = "BEGIN:VCARD\nFN:Anna\x00Berg\n\nEND:VCARD"
    sheet(code(card, zxingcpp.BarcodeFormat.QRCode)).save(tmp_path / "page.png")
    lines = [line.text for line in Document(tmp_path / "page.png").codes(1)]
    assert lines == ["BEGIN:VCARD", "FN:Anna Berg", "END:VCARD"]


def test_print_holds_none_and_a_page_of_letters_is_not_looked_at(tmp_path: Path) -> None:
    pages = [Page(text("Only letters", "| | | || |||")), Page(whole_picture(), picture=sheet())]
    document = Document(write_pdf(tmp_path / "a.pdf", pages))
    assert document.codes(1) == document.codes(2) == ()


def test_a_code_beside_a_good_text_layer_is_found(tmp_path: Path) -> None:
    drawn = code(LINK, zxingcpp.BarcodeFormat.QRCode, 8)
    page = Page(text("An invoice", "with a code") + b"q 150 0 0 150 300 300 cm /Im Do Q\n", picture=drawn)
    lines = Document(write_pdf(tmp_path / "a.pdf", [page])).codes(1)
    assert [line.text for line in lines] == [LINK]


@pytest.mark.parametrize("error", [AttachmentError("Page 1 takes more than 30 seconds."), ValueError("a bug")])
def test_a_page_that_was_read_stays_where_its_codes_cannot_be_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(Document, "codes", failing(error))
    page = read_first(write_pdf(tmp_path / "a.pdf", [Page(text("An invoice", "of two lines"))]))
    assert page.state == "done"
    assert [line.text for line in page.lines] == ["An invoice", "of two lines"]
    assert page.reason.endswith("QR codes and barcodes could not be looked for on this page.")


def test_who_stops_while_codes_are_looked_for_stops_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Document, "codes", failing(Cancelled("Stopped.")))
    path = write_pdf(tmp_path / "a.pdf", [Page(text("An invoice"))])
    with pytest.raises(Cancelled):
        read_first(path)


def failing(error: Exception) -> Callable[..., NoReturn]:
    """A method that raises this."""

    def fail(*_: object) -> NoReturn:
        raise error

    return fail


def read_first(path: Path) -> PageText:
    """Its first page, by its text layer."""
    document = Document(path)
    steps = read_one(document, document.look(1), Reading(), lambda: pytest.fail("asked a model"), Pace())
    try:
        while True:
            next(steps)
    except StopIteration as end:
        page = end.value
    assert isinstance(page, PageText)
    return page
