"""Pictures become a PDF/A-2b whose pages look like them; JPEG and PNG keep their very bytes, black and white is fax."""

import io
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from pikepdf import Name
from PIL import Image, ImageCms, ImageDraw

from engine import AttachmentError, Box, DocumentInfo, PageInfo, PageText, TextLine, write_document
from engine.media.attachment import load_picture
from tests.media_files import write_picture

SIZE = (80, 60)
BOX = Box(0.1, 0.2, 0.6, 0.3)


def drawing(mode: str = "RGB") -> Image.Image:
    """A picture that looks different from every side."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((5, 5, 40, 15), "red")
    draw.rectangle((5, 30, 20, 50), "blue")
    draw.line((0, 59, 79, 40), "black", 2)
    return picture.convert(mode)


def written(path: Path, *pages: PageText, size: tuple[int, int] = SIZE, count: int = 1, labels: bool = False) -> Path:
    """Each pixel is a point."""
    names = sorted(child.name for child in path.iterdir()) if labels else [""] * count
    infos = tuple(PageInfo(n, *size, "picture", "A picture.", label=name) for n, name in enumerate(names, 1))
    info = DocumentInfo(str(path), "pictures" if len(infos) > 1 else "picture", infos)
    return write_document(info, pages, "pdf", path.parent / "out.pdf").path


def shown(path: Path, number: int = 0) -> np.ndarray:
    with pypdfium2.PdfDocument(path) as document:
        return np.asarray(document[number].render(scale=1).to_pil().convert("RGB")).astype(int)


def image_of(pdf: pikepdf.Pdf, number: int = 0) -> pikepdf.Object:
    return pdf.pages[number].obj.Resources.XObject.Im0


def read(number: int = 1, text: str = "Hello world", turned: int = 0) -> PageText:
    return PageText(number, "done", (TextLine(text, BOX),), turned=turned)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_keeps_its_bytes(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.jpg"
    drawing(mode).save(path, quality=95)
    result = written(path, read())
    with pikepdf.open(result) as pdf:
        assert image_of(pdf).read_raw_bytes() == path.read_bytes()
        assert image_of(pdf).Filter == Name.DCTDecode
    with Image.open(path) as picture:
        expected = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(shown(result) - expected).mean() < (12 if mode == "CMYK" else 2)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_upright_and_keeps_its_bytes(tmp_path: Path, orientation: int) -> None:
    path, exif = tmp_path / "a.jpg", Image.Exif()
    exif[0x0112] = orientation
    drawing().save(path, quality=95, exif=exif)
    with Image.open(path) as picture:
        expected = np.asarray(transposed(picture)).astype(int)
    result = written(path, read(), size=(expected.shape[1], expected.shape[0]))
    assert np.abs(shown(result) - expected).mean() < 2
    with pikepdf.open(result) as pdf:
        assert image_of(pdf).read_raw_bytes() == path.read_bytes()


def transposed(picture: Image.Image) -> Image.Image:
    from PIL import ImageOps

    return ImageOps.exif_transpose(picture).convert("RGB")


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "I;16", "LA"])
def test_a_png_loses_nothing(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    if mode == "I;16":
        Image.fromarray(np.asarray(drawing("L")).astype(np.uint16) * 257).save(path)
    else:
        drawing("L" if mode == "LA" else mode).convert(mode).save(path)
    result = written(path, read())
    with Image.open(path) as picture:
        expected = np.asarray(drawing("L") if mode == "I;16" else picture.convert("RGB")).astype(int)
    expected = expected if expected.ndim == 3 else np.stack([expected] * 3, axis=-1)
    assert np.array_equal(shown(result), expected)


@pytest.mark.parametrize("compression", ["group4", "group3", "raw", "tiff_lzw"])
def test_pages_of_a_fax_are_one_strip_each(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "fax.tif"
    pages = [drawing("1"), drawing("1").rotate(180)]
    pages[0].save(path, compression=compression, save_all=True, append_images=pages[1:])
    result = written(path, read(1), read(2, "second"), count=2)
    for number, page in enumerate(pages):
        assert np.array_equal(shown(result, number), np.asarray(page.convert("RGB")).astype(int))
    with pikepdf.open(result) as pdf:
        assert [image_of(pdf, number).Filter for number in range(2)] == [Name.CCITTFaxDecode] * 2


@pytest.mark.parametrize("suffix", ["bmp", "gif", "tif", "webp", "avif", "heic"])
def test_other_pictures_look_the_same(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    write_picture(drawing(), path, quality=95)
    expected = np.asarray(load_picture(path)).astype(int)
    difference = np.abs(shown(written(path, read())) - expected)
    assert difference.max() == 0 if suffix in ("bmp", "gif", "tif") else difference.mean() < 3


def test_a_folder_of_pictures_is_one_document_in_its_order(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    drawing().save(folder / "1.png")
    drawing().rotate(180).save(folder / "2.jpg", quality=95)
    result = written(folder, read(2, "second page"), labels=True)
    assert np.array_equal(shown(result), np.asarray(drawing()).astype(int))
    with pypdfium2.PdfDocument(result) as document:
        assert [page.get_textpage().get_text_range() for page in document] == ["", "second page"]


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_picture_that_was_turned_to_be_read_opens_upright_with_its_text_in_place(tmp_path: Path, turned: int) -> None:
    path = tmp_path / "a.png"
    drawing().rotate(turned, expand=True).save(path)  # counterclockwise
    size = SIZE if turned % 180 == 0 else SIZE[::-1]
    result = written(path, read(turned=turned), size=size)
    assert np.array_equal(shown(result), np.asarray(drawing()).astype(int))
    with pypdfium2.PdfDocument(result) as document:
        page = document[0]
        text_page, bitmap = page.get_textpage(), page.render(scale=10)
        assert text_page.get_text_range() == "Hello world"
        left, bottom, right, top = text_page.get_charbox(0, loose=True)
        corners = [bitmap.get_posconv(page).to_bitmap(*corner) for corner in ((left, bottom), (right, top))]
    assert min(x for x, _ in corners) / bitmap.width == pytest.approx(BOX.left, abs=0.01)
    assert min(y for _, y in corners) / bitmap.height == pytest.approx(BOX.top, abs=0.01)


def test_the_same_pictures_and_text_are_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    drawing().save(path)
    first, second = written(path, read()), written(path, read())
    assert first == second
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.png", "out.pdf"]


def test_it_is_a_pdf_a_as_far_as_eyes_can_check(tmp_path: Path) -> None:
    path = tmp_path / "Ärger & Co.png"
    drawing().save(path)
    result = written(path, read())
    assert result.read_bytes().startswith(b"%PDF-1.7\n%\xbf\xf7\xa2\xfe")
    with pikepdf.open(result) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "2B"
            assert metadata["dc:title"] == "Ärger & Co"
        (intent,) = pdf.Root.OutputIntents
        assert intent.S == Name.GTS_PDFA1
        assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"
        assert Name.ID in pdf.trailer
        assert not pdf.is_encrypted
        font = pdf.pages[0].obj.Resources.Font.CbOcr
        descriptor = font.DescendantFonts[0].FontDescriptor
        assert is_sound_font(descriptor.FontFile2.read_bytes())
        assert Name.Interpolate not in image_of(pdf)
        assert Name.SMask not in image_of(pdf)


def is_sound_font(data: bytes) -> bool:
    """Its tables lie where its directory says, in order, with right sums."""
    count = int.from_bytes(data[4:6], "big")
    entries = [data[12 + 16 * n : 28 + 16 * n] for n in range(count)]
    assert [entry[:4] for entry in entries] == sorted(entry[:4] for entry in entries)
    for entry in entries:
        checksum, offset, length = (int.from_bytes(entry[at : at + 4], "big") for at in (4, 8, 12))
        assert offset + length <= len(data)
        assert entry[:4] == b"head" or checksum == sum_of(data[offset : offset + length])
    return sum_of(data) == 0xB1B0AFBA


def sum_of(data: bytes) -> int:
    data += bytes(-len(data) % 4)
    return sum(int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)) & 0xFFFFFFFF


def test_a_picture_keeps_its_colour_profile_unless_it_is_none(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for content, is_kept in ((profile, True), (profile[:-4], False), (b"noise" * 40, False)):
        drawing().save(tmp_path / "a.jpg", icc_profile=content)
        with pikepdf.open(written(tmp_path / "a.jpg")) as pdf:
            assert isinstance(image_of(pdf).ColorSpace, pikepdf.Array) is is_kept


def test_four_colours_without_a_profile_make_no_pdf_a(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    drawing("CMYK").save(path)
    info = DocumentInfo(str(path), "picture", (PageInfo(1, *SIZE, "picture", "A picture."),))
    result = write_document(info, [], "pdf", tmp_path / "out.pdf")
    assert "no PDF/A" in result.note
    with pikepdf.open(result.path) as pdf, pdf.open_metadata() as metadata:
        assert metadata.pdfa_status == ""


@pytest.mark.parametrize("size", [(50_000, 1), (1, 1), (1, 30_000)])
def test_pages_have_sides_that_a_pdf_may_have(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.png"
    Image.new("L", size, 128).save(path)
    with pikepdf.open(written(path, size=size)) as pdf:
        sides = [float(side) for side in pdf.pages[0].mediabox[2:]]
    assert all(3 <= side <= 14_400 for side in sides)


@pytest.mark.parametrize("content", [b"", b"noise", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(AttachmentError, match=r"“a\.png”"):
        written(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_picture_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    drawing().save(stream, "PNG")
    (tmp_path / "a.png").write_bytes(stream.getvalue()[:100])
    with pytest.raises(AttachmentError, match="damaged"):
        written(tmp_path / "a.png")
