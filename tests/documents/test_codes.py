"""QR codes and barcodes of a page, found in the process of documents and told as lines of the page's text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import zxingcpp
from PIL import Image

from engine.documents.layout import Row
from engine.documents.sheet import take_apart, without_codes
from engine.documents.source import Document
from engine.protocol.documents import Box, PageText, Reading
from engine.protocol.errors import AttachmentError, Cancelled
from engine.protocol.events import Logprob, Traits
from engine.tasks.asking import Answered, Ask
from engine.tasks.documents import Lend, read_one
from engine.tasks.pace import Pace
from tests.documents.pages import draw_page
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


Placed = tuple[Image.Image, tuple[int, int]]

WIDTH, HEIGHT = 1240, 1754

QR, EAN, LABEL = (
    code(LINK, zxingcpp.BarcodeFormat.QRCode, 12),
    code("4006381333931", zxingcpp.BarcodeFormat.EAN13),
    code("MX-20481", zxingcpp.BarcodeFormat.Code128),
)


@pytest.mark.parametrize(
    "codes",
    [
        [(QR, (700, 240))], [(QR, (20, 700))], [(QR, (700, 20)), (QR, (300, 700))], [(EAN, (100, 700))],
        [(LABEL, (100, 700))], [(LABEL.rotate(90, expand=True), (800, 500))],
        [(QR.rotate(7, expand=True, fillcolor=255), (600, 700))],
    ],
    ids=["right", "left", "two", "bars", "label", "on its side", "tilted"],
)  # fmt: skip
def test_print_beside_codes_is_read_as_if_they_were_not_there(tmp_path: Path, codes: Sequence[Placed]) -> None:
    print_with(codes).save(tmp_path / "page.png")
    page = read_first(tmp_path / "page.png", lent("a", "piece"))
    assert [line.text for line in page.lines if line.source == "read"] == ["a", "piece"]
    assert len([line for line in page.lines if line.source == "code"]) == len(codes)
    assert (page.state, page.reason, page.num_lines_unread) == ("done", "", 0)
    assert page.receipt is not None
    assert page.receipt.way == "pieces"
    for line, row in zip(page.lines, rows_of_print_alone(), strict=False):
        assert line.box is not None
        assert abs(line.box.top * HEIGHT - row.top) < 3
        assert abs(line.box.left * WIDTH - row.left) < 3


@cache
def rows_of_print_alone() -> tuple[Row, ...]:
    return tuple(take_apart(print_with(())).rows)


def test_a_page_with_nothing_but_a_code_is_what_the_code_holds(tmp_path: Path) -> None:
    sheet(QR).save(tmp_path / "page.png")
    page = read_first(tmp_path / "page.png", lent())
    assert (page.text, page.state, page.reason) == (LINK, "done", "")


def test_a_part_of_a_page_is_read_without_the_code_that_it_cuts_through(tmp_path: Path) -> None:
    print_with([(QR, (700, 240))]).save(tmp_path / "page.png")
    page = read_first(tmp_path / "page.png", lent("a", "piece"), Reading(turned=0, region=Box(0.0, 0.1, 0.75, 0.25)))
    assert page.text == "a\npiece"


def test_where_a_code_was_is_as_the_paper_around_it() -> None:
    page = Image.new("RGB", (1000, 1000), (250, 240, 200))
    page.paste(QR, (300, 300))
    place = Box(*(side / 1000 for side in (300, 300, 300 + QR.width, 300 + QR.height)))
    assert without_codes(page, [place]).getcolors() == [(1_000_000, (250, 240, 200))]


def print_with(codes: Iterable[Placed]) -> Image.Image:
    """Two lines of large print, and codes."""
    page = draw_page([(120, 200, "Pay here with"), (120, 260, "telephone: 42")], (WIDTH, HEIGHT), height=48)
    for drawn, place in codes:
        page.paste(drawn, place)
    return page


def lent(*answers: str) -> Lend:
    """A model that reads pieces of lines only: it answers so, and is asked for nothing else."""
    left = list(answers)

    def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        for index, _ in enumerate(asks):
            yield index, Answered(text := left.pop(0), "end_of_turn", tuple(Logprob(1, c, -0.01) for c in text), 46)

    info: Any = SimpleNamespace(traits=Traits(max_line_characters=40), name="pieces", path="", backend="cpu")
    return lambda: nullcontext(SimpleNamespace(info=info, asking=ask))


def failing(error: Exception) -> Callable[..., NoReturn]:
    """A method that raises this."""

    def fail(*_: object) -> NoReturn:
        raise error

    return fail


def read_first(
    path: Path, lend: Lend = lambda: pytest.fail("asked a model"), reading: Reading | None = None
) -> PageText:
    """Its first page; without a model, by its text layer."""
    document = Document(path)
    steps = read_one(document, document.look(1), reading or Reading(turned=0), lend, Pace())
    try:
        while True:
            next(steps)
    except StopIteration as end:
        page = end.value
    assert isinstance(page, PageText)
    return page
