"""A searchable PDF is the original with text that is found where it stands: not a pixel is another one."""

import errno
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from engine import (
    AttachmentError,
    Box,
    DocumentInfo,
    PageInfo,
    PageText,
    PasswordNeeded,
    TextLine,
    WriteError,
    write_document,
)

BOX = Box(0.2, 0.3, 0.7, 0.33)
SCRIPTS = ("Latin ﬁne Grüße", "Ωμέγα Кириллица", "日本語の文章", "한국어 문장", "देवनागरी", "emoji 😀 and 𠮷野家 rare")


def scan(path: Path, rotation: int = 0, crop: Sequence[int] | None = None, contents: bytes = b"") -> Path:
    """A PDF of one page with a picture on it."""
    with Pdf.new() as pdf:
        pdf.add_blank_page(page_size=(400, 600))
        page = pdf.pages[0]
        pixels = np.random.default_rng(1).integers(0, 255, (60, 40, 3), dtype=np.uint8)
        image = Stream(pdf, pixels.tobytes(), Type=Name.XObject, Subtype=Name.Image, Width=40, Height=60,
                       ColorSpace=Name.DeviceRGB, BitsPerComponent=8)  # fmt: skip
        page.obj.Resources = Dictionary(XObject=Dictionary(Im0=pdf.make_indirect(image)))
        page.obj.Contents = pdf.make_indirect(Stream(pdf, contents or b"q 400 0 0 600 0 0 cm /Im0 Do Q"))
        page.obj.Rotate = rotation
        if crop:
            page.obj.CropBox = Array(list(crop))
        pdf.save(path)
    return path


def written(
    source: Path, *lines: TextLine, verdict: str = "picture", password: str = "", turned: int = 0, skew: float = 0.0
) -> tuple[Path, str]:
    info = DocumentInfo(str(source), "pdf", (PageInfo(1, 400, 600, verdict, "As it is."),))
    page = PageText(1, "done", lines, turned=turned, skew=skew)
    return write_document(info, [page], "pdf", source.with_name("out.pdf"), password=password)


def pixels(path: Path, password: str | None = None) -> list[np.ndarray]:
    with pypdfium2.PdfDocument(path, password=password) as document:
        return [page.render(scale=1).to_numpy().copy() for page in document]


def text_of(path: Path, number: int = 0, password: str | None = None) -> str:
    with pypdfium2.PdfDocument(path, password=password) as document:
        return document[number].get_textpage().get_text_range().replace("\r\n", "\n")


def found(path: Path, words: str) -> tuple[float, float, float, float]:
    """Where PDFium finds the words: left, top, right, bottom in shares of the page as it is shown."""
    with pypdfium2.PdfDocument(path) as document:
        page = document[0]
        text_page = page.get_textpage()
        place = text_page.search(words, match_case=True).get_next()
        assert place is not None, f"not found: {words}"
        boxes = [text_page.get_charbox(index, loose=True) for index in range(place[0], sum(place))]
        shown = page.render(scale=10)
        converted = shown.get_posconv(page)
        corners = [converted.to_bitmap(*corner) for box in boxes for corner in (box[:2], box[2:])]
        xs, ys = ({x / shown.width for x, _ in corners}, {y / shown.height for _, y in corners})
        return min(xs), min(ys), max(xs), max(ys)


@pytest.mark.parametrize("text", SCRIPTS)
def test_every_script_is_found_and_copied(tmp_path: Path, text: str) -> None:
    result, _ = written(scan(tmp_path / "scan.pdf"), TextLine(text, BOX))
    assert text_of(result).replace("fi", "ﬁ") == text


@pytest.mark.parametrize("text", ["שלום עולם", "مرحبا بالعالم"])
def test_text_from_right_to_left_is_copied_in_the_order_it_is_read(tmp_path: Path, text: str) -> None:
    result, _ = written(scan(tmp_path / "scan.pdf"), TextLine(text, BOX))
    assert text_of(result) == text


def test_a_name_that_is_no_unicode_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"scans \xff") if sys.platform == "linux" else tmp_path / "scans"
    folder.mkdir()
    path, _ = written(scan(folder / "a.pdf"), TextLine("Found", BOX))
    assert "Found" in text_of(path.rename(tmp_path / "out.pdf"))


def test_words_of_a_line_that_runs_both_ways_are_found(tmp_path: Path) -> None:
    result, _ = written(scan(tmp_path / "scan.pdf"), TextLine("מחיר 123.50 שקל iPhone (15)", BOX))
    for word in ("מחיר", "123.50", "שקל", "iPhone"):
        found(result, word)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (50, 100, 350, 550)])
def test_text_lies_on_its_line_whatever_turns_and_crops_the_page(
    tmp_path: Path, rotation: int, crop: tuple[int, ...] | None
) -> None:
    source = scan(tmp_path / "scan.pdf", rotation, crop)
    result, _ = written(source, TextLine("Hello world", BOX))
    assert found(result, "Hello world") == pytest.approx((0.2, 0.3, 0.7, 0.33), abs=0.006)
    assert np.array_equal(pixels(source)[0], pixels(result)[0])


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_boxes_of_a_page_that_was_turned_to_be_read_lie_on_the_page_as_it_is(tmp_path: Path, turned: int) -> None:
    result, _ = written(scan(tmp_path / "scan.pdf"), TextLine("Hello world", BOX), turned=turned)
    with pikepdf.open(result, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj.Rotate = turned  # as a reader turns it
        pdf.save(result)
    assert found(result, "Hello world") == pytest.approx((0.2, 0.3, 0.7, 0.33), abs=0.006)


@pytest.mark.parametrize("skew", [-4.0, 2.0])
def test_text_slopes_with_its_line(tmp_path: Path, skew: float) -> None:
    slope, box = math.radians(skew), Box(0.2, 0.3, 0.7, 0.35)
    result, _ = written(scan(tmp_path / "scan.pdf"), TextLine("Hello world", box), skew=skew)
    assert found(result, "Hello world") == pytest.approx((0.2, 0.3, 0.7, 0.35), abs=0.01)
    first, last = found(result, "H"), found(result, "d")
    down = ((last[1] + last[3]) - (first[1] + first[3])) / 2 * 600
    across = ((last[0] + last[2]) - (first[0] + first[2])) / 2 * 400
    assert math.atan2(down, across) == pytest.approx(slope, abs=0.01)


def test_lines_without_a_place_are_found_on_their_page_in_order(tmp_path: Path) -> None:
    result, _ = written(scan(tmp_path / "scan.pdf"), *map(TextLine, ("first", "second", "third")))
    assert text_of(result).split() == ["first", "second", "third"]


def test_words_have_blanks_between_them_and_lines_are_lines(tmp_path: Path) -> None:
    lines = [TextLine(f"line number\t{n}", Box(0.1, 0.1 * n, 0.5, 0.1 * n + 0.02)) for n in range(1, 4)]
    result, _ = written(scan(tmp_path / "scan.pdf"), *lines)
    assert text_of(result).split("\n") == ["line number 1", "line number 2", "line number 3"]


@pytest.mark.parametrize(
    "contents", [b"q q 0.1 0 0 0.1 9 9 cm q", b"Q Q Q 400 0 0 600 0 0 cm /Im0 Do", b"\xff BT ( ET", b" "]
)
def test_contents_that_are_not_balanced_or_damaged_do_not_move_the_text(tmp_path: Path, contents: bytes) -> None:
    source = scan(tmp_path / "scan.pdf", contents=contents)
    result, _ = written(source, TextLine("Hello world", BOX))
    assert found(result, "Hello world") == pytest.approx((0.2, 0.3, 0.7, 0.33), abs=0.006)
    assert np.array_equal(pixels(source)[0], pixels(result)[0])


def test_resources_that_pages_share_or_inherit_stay_theirs(tmp_path: Path) -> None:
    source = scan(tmp_path / "scan.pdf")
    with pikepdf.open(source, allow_overwriting_input=True) as pdf:
        pdf.pages.append(pdf.pages[0])
        resources = pdf.make_indirect(pdf.pages[0].obj.Resources)
        pdf.Root.Pages.Resources = resources
        for page in pdf.pages:
            del page.obj.Resources
        pdf.save(source)
    result, _ = written(source, TextLine("Hello", BOX))
    assert text_of(result) == "Hello"
    assert np.array_equal(pixels(source)[0], pixels(result)[0])
    with pikepdf.open(result) as pdf:
        assert Name.Font not in pdf.pages[1].resources


@pytest.mark.parametrize("as_form", [False, True])
def test_an_earlier_layer_is_replaced_and_what_is_seen_stays(tmp_path: Path, as_form: bool) -> None:
    source = with_text(tmp_path / "scan.pdf", b"BT 3 Tr /F 20 Tf 50 50 Td (old reading) Tj ET", as_form)
    result, note = written(source, TextLine("new reading", BOX), verdict="old_ocr")
    assert text_of(result) == "new reading"
    assert "was replaced on 1 page" in note
    assert np.array_equal(pixels(source)[0], pixels(result)[0])


def test_text_that_is_seen_stays_and_is_said_to(tmp_path: Path) -> None:
    both = b"BT /F 20 Tf 50 50 Td (seen) Tj 3 Tr 0 30 Td (unseen) Tj ET"
    result, note = written(with_text(tmp_path / "scan.pdf", both), TextLine("new", BOX), verdict="old_ocr")
    assert set(text_of(result).split()) == {"seen", "unseen", "new"}
    assert "could not be taken out" in note


def test_an_earlier_layer_that_is_kept_and_a_good_text_layer_are_not_doubled(tmp_path: Path) -> None:
    source = with_text(tmp_path / "scan.pdf", b"BT /F 20 Tf 50 50 Td (text) Tj ET")
    kept, _ = written(source, TextLine("text", BOX, source="layer"), verdict="old_ocr")
    assert text_of(kept) == "text"
    read, _ = written(source, TextLine("text", BOX), verdict="text")
    assert text_of(read) == "text"


def with_text(path: Path, text: bytes, as_form: bool = False) -> Path:
    """A scan with more contents, in the page or in a form that it shows."""
    scan(path)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[0]
        fonts = Dictionary(F=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        if as_form:
            form = Stream(pdf, text, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 400, 600]),
                          Resources=Dictionary(Font=fonts))  # fmt: skip
            page.obj.Resources.XObject.Fx = pdf.make_indirect(form)
            text = b"/Fx Do"
        else:
            page.obj.Resources.Font = fonts
        page.contents_add(text)
        pdf.save(path)
    return path


def locked(path: Path, revision: int, user: str = "open sesame") -> Path:
    is_new = revision > 3
    encryption = pikepdf.Encryption(owner="owner", user=user, R=revision, aes=is_new, metadata=is_new)
    with pikepdf.open(scan(path), allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=encryption)
    return path


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_locked_document_stays_locked(tmp_path: Path, revision: int) -> None:
    source = locked(tmp_path / "scan.pdf", revision)
    result, _ = written(source, TextLine("Hello", BOX), password="open sesame")
    assert text_of(result, password="open sesame") == "Hello"
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(result)
    assert np.array_equal(pixels(source, "open sesame")[0], pixels(result, "open sesame")[0])


def test_a_document_that_only_its_owner_may_change_keeps_its_rights(tmp_path: Path) -> None:
    result, _ = written(locked(tmp_path / "scan.pdf", 6, user=""), TextLine("Hello", BOX))
    assert text_of(result) == "Hello"
    with pikepdf.open(result) as pdf:
        assert pdf.is_encrypted


def test_a_locked_document_asks_for_its_password(tmp_path: Path) -> None:
    source = locked(tmp_path / "scan.pdf", 6)
    with pytest.raises(PasswordNeeded, match="locked"):
        written(source, TextLine("Hello", BOX), password="wrong")
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"noise" * 99])
def test_what_is_no_pdf_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "scan.pdf"
    source.write_bytes(content)
    with pytest.raises(AttachmentError, match=r"^“scan\.pdf” .*\.$"):
        written(source, TextLine("Hello", BOX))
    assert list(tmp_path.iterdir()) == [source]


def test_a_source_that_went_or_changed_is_said(tmp_path: Path) -> None:
    source = scan(tmp_path / "scan.pdf")
    info = DocumentInfo(str(source), "pdf", ())
    with pytest.raises(AttachmentError, match="has changed"):
        write_document(info, [PageText(7, "done", (TextLine("x"),))], "pdf", tmp_path / "out.pdf")
    source.unlink()
    with pytest.raises(AttachmentError, match="cannot be opened"):
        written(source, TextLine("Hello", BOX))
    assert list(tmp_path.iterdir()) == []


def test_forms_that_show_themselves_end(tmp_path: Path) -> None:
    source = with_text(tmp_path / "scan.pdf", b"BT 3 Tr /F 9 Tf (old) Tj ET /Fx Do", as_form=True)
    with pikepdf.open(source, allow_overwriting_input=True) as pdf:
        form = pdf.pages[0].obj.Resources.XObject.Fx
        form.Resources.XObject = Dictionary(Fx=form)
        pdf.save(source)
    result, _ = written(source, TextLine("new", BOX), verdict="old_ocr")
    assert "new" in text_of(result)
    assert np.array_equal(pixels(source)[0], pixels(result)[0])


def test_the_same_text_is_the_same_file(tmp_path: Path) -> None:
    source = scan(tmp_path / "scan.pdf")
    assert written(source, TextLine("Hello", BOX)) == written(source, TextLine("Hello", BOX))
    assert len(list(tmp_path.iterdir())) == 2


def test_500_pages_grow_little(tmp_path: Path) -> None:
    source = tmp_path / "many.pdf"
    with Pdf.open(scan(source), allow_overwriting_input=True) as pdf:
        for _ in range(499):
            pdf.pages.append(pdf.pages[0])
        pdf.save(source)
    pages = [PageText(n, "done", (TextLine(f"page number {n}", BOX),)) for n in range(1, 501)]
    result = write_document(DocumentInfo(str(source), "pdf", ()), pages, "pdf", tmp_path / "out.pdf").path
    assert text_of(result, 499) == "page number 500"
    assert result.stat().st_size < source.stat().st_size + 500 * 500


def test_a_place_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = scan(tmp_path / "scan.pdf")

    def refuse(self: object, request: bytes, between: Callable[[], None]) -> list[tuple[bytes, bytes]]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.process.limited_process.LimitedProcess.ask", refuse)
    with pytest.raises(WriteError, match="No space left on device"):
        written(source, TextLine("Hello", BOX))
    assert list(tmp_path.iterdir()) == [source]


def test_a_program_that_stops_waiting_leaves_nothing(tmp_path: Path) -> None:
    source = scan(tmp_path / "scan.pdf")

    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    info = DocumentInfo(str(source), "pdf", ())
    with pytest.raises(Stopped):
        write_document(info, [PageText(1, "done", (TextLine("x"),))], "pdf", tmp_path / "out.pdf", between=stop)
    assert list(tmp_path.iterdir()) == [source]
