"""Documents as pages: what they hold, how they look, what stands in them, and one sentence where that cannot be."""

import os
import signal
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

from engine.documents import source
from engine.documents.drawing import Drawing
from engine.documents.pdf import PdfFile
from engine.documents.picture_file import PictureFile
from engine.documents.source import Document
from engine.process.limited_process import ProcessFailed
from engine.protocol.documents import Box
from engine.protocol.errors import AttachmentError, PasswordNeeded
from engine.tasks.selftest import draw_line
from tests.documents.pages import draw_page, prose
from tests.documents.pdf_files import Page, text, whole_picture, write_jbig2, write_nested, write_pdf, write_vertical

LINES = ("Alice was beginning to get very tired", "of sitting by her sister on the bank,", "and of nothing to do.")
SCAN = draw_page(prose(20, 90, 90, 9), (1000, 1414))


def verdicts(path: Path) -> list[str]:
    document = Document(path)
    return [document.look(number).verdict for number in range(1, document.num_pages + 1)]


def test_each_page_has_a_verdict_by_what_its_text_covers(tmp_path: Path) -> None:
    scan = whole_picture()
    pages = [
        Page(text(*LINES)),
        Page(scan, picture=SCAN),
        Page(scan + text(*LINES, mode=3), picture=SCAN),
        Page(text(*LINES) + scan, picture=SCAN),
        Page(scan + text("page 5", y=20, size=8), picture=SCAN),
        Page(b""),
        Page(text("x")),
        Page(b"60 760 m 90 700 l 120 760 l S 130 760 m 160 700 l 190 760 l S"),
        Page(text(*LINES * 8) + b"0.5 w 50 50 500 750 re S 60 745 400 20 re S"),
    ]
    assert verdicts(write_pdf(tmp_path / "a.pdf", pages)) == [
        "text", "picture", "old_ocr", "old_ocr", "mixed", "empty", "text", "picture", "text"
    ]  # fmt: skip


def test_the_reason_of_a_verdict_is_one_sentence(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(whole_picture() + text(*LINES, mode=3), picture=SCAN)])
    assert Document(path).look(1).reason == (
        "The text in the file is invisible: an earlier reading of a picture that covers 100% of the page, "
        "of unknown quality."
    )


def test_text_that_is_not_to_be_seen_is_counted(tmp_path: Path) -> None:
    white = b"1 1 1 rg " + text("Secret words", y=300) + b"0 g "
    pages = [Page(white + text(*LINES)), Page(text(*LINES, size=6)), Page(text(*LINES) + text("Far away", x=3000))]
    document = Document(write_pdf(tmp_path / "a.pdf", pages))
    looked = [document.look(number) for number in (1, 2, 3)]
    assert [page.verdict for page in looked] == ["text"] * 3
    assert [page.num_unseen for page in looked] == [11, 0, 7]


def test_letters_without_unicode_are_damaged_text(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))])
    with pikepdf.open(path, allow_overwriting_input=True) as file:
        font = file.pages[0].Resources.Font.F
        names = pikepdf.Array([97, *(pikepdf.Name(f"/g{code}") for code in range(97, 123))])
        font.Encoding = pikepdf.Dictionary(Type=pikepdf.Name.Encoding, Differences=names)
        file.save(path)
    assert Document(path).look(1).verdict in ("damaged_text", "picture")


def test_a_word_that_a_line_end_cuts_ends_its_line_with_the_hyphen(tmp_path: Path) -> None:
    cut = ("Alice had a para\xad", "graph of it in her well-", "known book, and 3-4 more.")
    document = Document(write_pdf(tmp_path / "a.pdf", [Page(text(*cut))]))
    assert document.look(1).verdict == "text"
    lines = document.lines(1)
    assert [line.text for line in lines] == ["Alice had a para-", cut[1], cut[2]]
    assert [line.box.top < below.box.top for line, below in pairwise(lines) if line.box and below.box] == [True, True]


def test_a_rotated_page_has_its_lines_in_order_and_its_boxes_where_they_are_shown(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text(*LINES), rotate=angle) for angle in (0, 90, 180, 270)])
    document = Document(path)
    upright = document.lines(1)
    assert [line.text for line in upright] == list(LINES)
    for number, turned in ((2, 270), (3, 180), (4, 90)):
        info = document.look(number)
        assert info.turned == turned
        lines = document.lines(number, info.turned)
        assert [line.text for line in lines] == list(LINES)
        for line, same in zip(lines, upright, strict=True):
            assert line.box is not None
            assert same.box is not None
            assert line.box.left == pytest.approx(same.box.left, abs=0.01)
            assert line.box.top == pytest.approx(same.box.top, abs=0.01)


def test_text_that_runs_up_the_page_has_its_lines_in_order(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(b"q 0 1 -1 0 595 0 cm " + text(*LINES, y=500) + b"Q")])
    document = Document(path)
    assert document.look(1).turned == 90
    assert [line.text for line in document.lines(1)] == list(LINES)


def test_a_scan_that_lies_on_its_side_says_so(tmp_path: Path) -> None:
    SCAN.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png")
    assert Document(tmp_path / "a.png").look(1).turned == 90


def test_a_single_large_word_is_not_taken_for_lines_on_their_side(tmp_path: Path) -> None:
    for word in ("Platform 9", "17", "Total"):
        draw_line(word).save(tmp_path / "a.jpg", quality=80)
        assert Document(tmp_path / "a.jpg").look(1).turned == 0


def test_boxes_are_where_the_ink_is(tmp_path: Path) -> None:
    document = Document(write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))]))
    grey = np.asarray(document.picture(1, dpi=100).convert("L"))
    for line in document.lines(1):
        assert line.box is not None
        left, right = (round(share * grey.shape[1]) for share in (line.box.left, line.box.right))
        top, bottom = (round(share * grey.shape[0]) for share in (line.box.top, line.box.bottom))
        assert (grey[top:bottom, left:right] < 128).any()
        grey = grey.copy()
        grey[top:bottom, left:right] = 255
    assert not (grey < 128).any()


def test_a_region_is_a_part_of_the_turned_page(tmp_path: Path) -> None:
    document = Document(write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))]))
    whole = np.asarray(document.picture(1, dpi=100, turned=90))
    height, width = whole.shape[:2]
    region = Box(0.5, 0.0, 1.0, 0.5)
    part = np.asarray(document.picture(1, dpi=100, turned=90, region=region))
    wanted = whole[: height // 2, width - part.shape[1] :]
    assert abs(part.shape[0] - height / 2) <= 1
    assert np.abs(part[: len(wanted)].astype(int) - wanted).mean() < 2
    finer = document.picture(1, longest_side=1000, turned=90, region=region)
    assert max(finer.size) == 1000


def test_no_page_is_drawn_beyond_its_limit_of_pixels(tmp_path: Path) -> None:
    pages = [Page(text("a"), size=size) for size in ((14_400, 14_400), (1, 14_400), (0, 0))]
    document = Document(write_pdf(tmp_path / "a.pdf", pages))
    for number in (1, 2, 3):
        picture = document.picture(number, dpi=10_000)
        assert picture.width * picture.height <= 16_000_000


def test_pages_of_a_tiff_are_pages_and_those_of_a_fax_have_their_proportions(tmp_path: Path) -> None:
    pages = [draw_page(prose(4, 50, 50, 5), (864, 560)).convert("1") for _ in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression="group4", dpi=(204, 98))
    document = Document(tmp_path / "a.tif")
    assert (document.kind, document.num_pages) == ("pictures", 3)
    info, picture = document.look(3), document.picture(3, dpi=1000)
    assert info.height_pt / info.width_pt == pytest.approx(560 / 98 / (864 / 204), rel=0.01)
    assert picture.height / picture.width == pytest.approx(info.height_pt / info.width_pt, rel=0.01)
    assert picture.width <= 864


def test_a_photograph_is_upright_whatever_its_camera_held(tmp_path: Path) -> None:
    picture, exif = Image.new("RGB", (400, 200), "white"), Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif, dpi=(100, 100))
    document = Document(tmp_path / "a.jpg")
    info = document.look(1)
    assert (info.width_pt, info.height_pt) == (144, 288)
    assert document.picture(1, dpi=100).size == (200, 400)


def test_a_folder_is_a_document_of_its_pictures_in_natural_order(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    (folder / "part 10").mkdir(parents=True)
    (folder / "part 9").mkdir()
    for name in ("page 10.png", "page 9.png", "part 10/a.png", "part 9/a.png", ".hidden.png"):
        Image.new("L", (20, 30), 255).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    (folder / "page 2.png").write_bytes(b"broken")
    document = Document(folder)
    assert document.kind == "pictures"
    looked = [document.look(number) for number in range(1, document.num_pages + 1)]
    assert [page.label for page in looked] == [
        "page 2.png",
        "page 9.png",
        "page 10.png",
        "part 9/a.png",
        "part 10/a.png",
    ]
    assert [page.verdict for page in looked] == ["unreadable", "empty", "empty", "empty", "empty"]


def test_a_picture_of_a_thousand_million_pixels_in_five_kilobytes_is_drawn(tmp_path: Path) -> None:
    document = Document(write_jbig2(tmp_path / "a.pdf", 35_000))
    shown = document.picture(1, longest_side=400)
    assert (shown.getpixel((140, 100)), shown.getpixel((140, 300))) == ((255, 255, 255), (0, 0, 0))


@pytest.mark.filterwarnings("ignore:Encryption R=5 is deprecated")
def test_a_locked_document_asks_for_its_password_whatever_locks_it(tmp_path: Path) -> None:
    plain = write_pdf(tmp_path / "plain.pdf", [Page(text(*LINES))])
    for revision in (2, 3, 4, 5, 6):
        locked = tmp_path / f"{revision}.pdf"
        with pikepdf.open(plain) as file:
            aes = revision >= 4
            lock = pikepdf.Encryption(user="sesame é", owner="o", R=revision, aes=aes, metadata=aes)
            file.save(locked, encryption=lock)
        with pytest.raises(PasswordNeeded, match=r"is locked\. Give its password\."):
            Document(locked)
        with pytest.raises(PasswordNeeded, match=r"does not open .*\. Try another one\."):
            Document(locked, "wrong")
        assert [line.text for line in Document(locked, "sesame é").lines(1)] == list(LINES)
        with pikepdf.open(plain) as file:
            file.save(locked, encryption=pikepdf.Encryption(user="", owner="o", R=revision, aes=aes, metadata=aes))
        assert Document(locked).look(1).verdict == "text"
        assert Document(locked, "of another file").look(1).verdict == "text"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "“a.pdf” is empty."),
        (b"%PDF-1.7\n", "“a.pdf” is damaged and cannot be read as a PDF."),
        (b"%PDF-1.7\n" + bytes(range(256)) * 64, "“a.pdf” is damaged and cannot be read as a PDF."),
        (b"not a document", "“a.pdf” is no PDF and no picture that can be read. Use PDF, PNG,"),
    ],
)
def test_what_is_no_document_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with pytest.raises(AttachmentError) as refused:
        Document(path)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize("name", ["two\nlines.pdf", "ü 日本.pdf", b"latin \xe9.pdf", "-o.pdf", "~.pdf", " .pdf"])
def test_any_name_can_be_opened(tmp_path: Path, name: str | bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + (name if isinstance(name, bytes) else name.encode())))
    try:
        path.touch()
    except OSError:
        pytest.skip("this system has no such names")
    assert Document(write_pdf(path, [Page(text(*LINES))])).num_pages == 1


def test_a_file_without_a_table_of_its_objects_is_read(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))])
    path.write_bytes(path.read_bytes().split(b"xref")[0] + b"xref\n0 99\ngarbage\ntrailer << /Root 1 0 R >>\n")
    assert [line.text for line in Document(path).lines(1)] == list(LINES)


def test_a_file_that_was_cut_off_has_the_pages_that_are_left(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))])
    path.write_bytes(path.read_bytes().split(b"xref")[0])
    document = Document(path)
    assert [line.text for line in document.lines(1)] == list(LINES)
    assert document.look(1).is_damaged


def test_a_file_of_which_nothing_can_be_put_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    monkeypatch.setattr(PdfFile, "_put_together", lambda _: b"no PDF either")
    with pytest.raises(AttachmentError, match=r"“a\.pdf” is damaged and cannot be read"):
        PdfFile(path, "")


@pytest.mark.parametrize(("suffix", "options"), [("jpg", {}), ("jpg", {"progressive": True}), ("png", {}), ("bmp", {})])
def test_of_a_picture_that_was_cut_off_all_that_is_there_is_seen(
    tmp_path: Path, suffix: str, options: dict[str, bool]
) -> None:
    path = tmp_path / f"a.{suffix}"
    stripes = np.random.default_rng(1).integers(0, 256, (240, 20, 3), np.uint8).repeat(8, axis=1)
    Image.fromarray(stripes).save(path, **options)
    whole = np.asarray(PictureFile(path).draw(1, Drawing()).convert("L")).astype(int)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    assert Document(path).look(1).is_damaged
    seen = np.asarray(PictureFile(path).draw(1, Drawing()).convert("L")).astype(int)
    first, last = (slice(-100, None), slice(None, 80)) if suffix == "bmp" else (slice(None, 100), slice(-80, None))
    assert abs(seen - whole)[first].mean() < 40
    assert options or (seen[last] == 255).all()  # a progressive one is there, if blurred


def test_a_page_that_is_cut_to_a_part_that_is_not_there_is_seen_whole(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))])
    with pikepdf.open(path, allow_overwriting_input=True) as file:
        file.pages[0].obj.CropBox = pikepdf.Array([5000, 5000, 6000, 6000])
        file.save(path)
    assert (Document(path).look(1).width_pt, Document(path).look(1).verdict) == (595, "text")


def test_of_a_page_whose_picture_shows_nothing_that_is_said(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(whole_picture()), Page(b"")])
    document = Document(path)
    assert [document.look(number).verdict for number in (1, 2)] == ["empty", "empty"]
    assert "a picture that covers 100% of the page: it is blank" in document.look(1).reason
    assert document.look(2).reason == "There is nothing on this page."


@pytest.mark.parametrize("told", [b"\xfe\xff\xd8\x00\x00A", b"x" * 200_000])
def test_what_a_file_says_of_itself_hinders_nobody_from_reading_it(tmp_path: Path, told: bytes) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))])
    with pikepdf.open(path, allow_overwriting_input=True) as file:
        file.docinfo.Title = pikepdf.String(told)
        file.Root.PageLabels = pikepdf.Dictionary(Nums=[0, pikepdf.Dictionary(P=pikepdf.String(told))])
        file.save(path)
    document = Document(path)
    looked = document.look(1)
    assert (document.title, looked.label, looked.verdict) == (document.title[:100], looked.label[:100], "text")


def test_text_beside_the_page_is_no_text_of_it(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))])
    with pikepdf.open(path, allow_overwriting_input=True) as file:
        file.pages[0].obj.MediaBox = pikepdf.Array([2000, 2000, 2595, 2842])
        file.save(path)
    looked = Document(path).look(1)
    assert (looked.verdict, looked.num_characters) == ("empty", 0)


def test_a_crash_costs_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document(write_pdf(tmp_path / "a.pdf", [Page(text(*LINES))] * 3))
    assert document.look(1).verdict == "text"
    child = source._process._child
    assert child is not None

    def killed(_request: bytes, _between: Callable[[], None]) -> object:
        monkeypatch.undo()
        os.kill(child.pid, signal.SIGSEGV)
        child.wait()
        raise ProcessFailed("exit status -11")

    monkeypatch.setattr(source._process, "ask", killed)
    broken = document.look(2)
    assert (broken.verdict, broken.reason) == ("unreadable", "Page 2 of “a.pdf” is damaged and cannot be read.")
    assert document.look(3).verdict == "text"


def test_a_document_is_opened_again_when_it_was_changed(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(text("first"))])
    assert Document(path).lines(1)[0].text == "first"
    write_pdf(path, [Page(text("second, which is longer"))])
    assert Document(path).lines(1)[0].text == "second, which is longer"


def test_a_page_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    document = Document(write_pdf(tmp_path / "a.pdf", [Page(text("first"))]))
    with pytest.raises(AttachmentError, match=r"^“a\.pdf” has 1 page, and no page 2\.$"):
        document.picture(2, dpi=72)


def test_who_stops_waiting_for_a_page_gets_no_answer(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    path = write_pdf(tmp_path / "a.pdf", [Page(text("first"))])
    with pytest.raises(Stopped):
        Document(path, between=stop)
    assert Document(path).num_pages == 1


def test_columns_that_run_down_are_read_from_right_to_left(tmp_path: Path) -> None:
    columns = ("吾輩は猫である。", "名前はまだ無い。", "どこで生れたか頓と見当がつかぬ。")
    document = Document(write_vertical(tmp_path / "a.pdf", *columns))
    assert [line.text for line in document.lines(1)] == list(columns)


def test_forms_that_draw_each_other_without_end_cost_their_page_at_most(tmp_path: Path) -> None:
    document = Document(write_nested(tmp_path / "a.pdf", depth=2, times=1))
    assert document.look(1).verdict in ("picture", "empty", "unreadable")
    assert document.look(2).verdict == "text"


def test_a_picture_as_thin_as_a_thread_is_a_page(tmp_path: Path) -> None:
    for size in ((1, 50_000), (50_000, 1)):
        Image.new("L", size, 255).save(tmp_path / "a.png")
        document = Document(tmp_path / "a.png")
        assert document.look(1).verdict == "empty"
        assert document.picture(1, longest_side=500).size == tuple(min(500, side) for side in size)


def test_a_picture_that_claims_more_pixels_than_it_may_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.new("1", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    for tag in (256, 257):
        at = content.index(struct.pack("<HH", tag, 4))
        struct.pack_into("<I", content, at + 8, 60_000)
    path.write_bytes(content)
    with pytest.raises(AttachmentError, match=r"^“a\.tif” is too large"):
        Document(path)


def test_ten_thousand_pages_are_opened_at_once(tmp_path: Path) -> None:
    document = Document(write_pdf(tmp_path / "a.pdf", [Page(text("A page."))] * 10_000))
    assert document.num_pages == 10_000
    assert document.lines(10_000)[0].text == "A page."


def test_a_file_is_opened_again_every_hundred_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    monkeypatch.setattr(PdfFile, "_opened", lambda self, real=PdfFile._opened: opened.append(1) or real(self))
    file = PdfFile(write_pdf(tmp_path / "a.pdf", [Page(text("A page."))]), "")
    for _ in range(250):
        assert file.rows(1)[0][0].text == "A page."
    file.close()
    assert len(opened) == 3
