"""PDF files written by hand, as small as what they show."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

A4 = (595, 842)


@dataclass(frozen=True)
class Page:
    """Content stream, and what it needs."""

    content: bytes
    size: tuple[float, float] = A4
    rotate: int = 0
    picture: Image.Image | None = None
    """Drawn by `/Im Do`."""


def text(*lines: str, x: int = 60, y: int = 760, size: int = 14, mode: int = 0) -> bytes:
    """Lines of print, one below the other."""
    written = b" T* ".join(b"(%s) Tj" % line.encode("latin-1").replace(b"(", b"\\(") for line in lines)
    return b"BT /F %d Tf %d TL %d Tr %d %d Td %s ET\n" % (size, size * 14 // 10, mode, x, y, written)


def whole_picture(size: tuple[float, float] = A4) -> bytes:
    """The picture over all of the page."""
    return b"q %d 0 0 %d 0 0 cm /Im Do Q\n" % size


def write_pdf(path: Path, pages: Sequence[Page]) -> Path:
    """A PDF of these pages."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (len(pages), b" ".join(b"%d 0 R" % (4 + 3 * i) for i in range(len(pages)))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, page in enumerate(pages):
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %g %g] /Rotate %d /Contents %d 0 R "
            b"/Resources << /Font << /F 3 0 R >> /XObject << /Im %d 0 R >> >> >>"
            % (*page.size, page.rotate, 5 + 3 * i, 6 + 3 * i),
            _stream(b"", page.content),
            _picture(page.picture or Image.new("L", (1, 1), 255)),
        ]
    return _write(path, objects)


def write_vertical(path: Path, *columns: str) -> Path:
    """A page of Japanese in columns from right to left, in a font that is not in the file."""
    written = b"".join(
        b"1 0 0 1 %d 780 Tm <%s> Tj " % (500 - 30 * i, column.encode("utf-16-be").hex().encode())
        for i, column in enumerate(columns)
    )
    return _write(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F 5 0 R >> >> >>",
            _stream(b"", b"BT /F 20 Tf " + written + b"ET"),
            b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /UniJIS-UTF16-V /DescendantFonts [6 0 R] >>",
            b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /A /FontDescriptor 7 0 R "
            b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 4 >> >>",
            b"<< /Type /FontDescriptor /FontName /A /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 "
            b"/Ascent 900 /Descent -200 /CapHeight 700 /StemV 80 >>",
        ],
    )


def write_nested(path: Path, depth: int, times: int) -> Path:
    """A page of forms that draw the next one so many times, and the last the first; then a page that is well."""
    forms = [
        _stream(
            b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /X %d 0 R >> >>"
            % (8 + (i + 1) % depth),
            b"/X Do " * times + b"0 0 10 10 re f ",
        )
        for i in range(depth)
    ]
    return _write(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 2 /Kids [3 0 R 5 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /XObject << /X 8 0 R >> >> >>",
            _stream(b"", b"/X Do " * times),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R "
            b"/Resources << /Font << /F 7 0 R >> >> >>",
            _stream(b"", text("This page is well.")),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *forms,
        ],
    )


def _stream(entries: bytes, data: bytes) -> bytes:
    packed = zlib.compress(data)
    return b"<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (entries, len(packed), packed)


def _picture(picture: Image.Image) -> bytes:
    grey = picture.convert("L")
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
    return _stream(entries % grey.size, grey.tobytes())


def _write(path: Path, objects: Sequence[bytes]) -> Path:
    out, places = BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    out.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    path.write_bytes(out.getvalue())
    return path


def write_jbig2(path: Path, side: int) -> Path:
    """A page that a square JBIG2 picture of so many pixels covers, whose lower half is black: a few kilobytes."""
    header = struct.pack(">IIIIBH", side, side, 0, 0, 0x04, 0)  # pixels are black where nothing else is said
    ones = "1" * (side // 2) + "000000000001" * 2  # each row of the upper half is as the white one above it (MMR)
    data = int(ones.ljust(-(-len(ones) // 8) * 8, "0"), 2).to_bytes(-(-len(ones) // 8), "big")
    region = struct.pack(">IIIIBB", side, side // 2, 0, 0, 0x04, 0x01) + data
    segments = b"".join(
        struct.pack(">IBBBI", number, kind, 0, 1, len(body)) + body
        for number, (kind, body) in enumerate(((48, header), (38, region), (49, b"")))
    )
    entries = b"/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /JBIG2Decode"
    picture = b"<< %s /Width %d /Height %d /Length %d >>\nstream\n%s\nendstream"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R "
        b"/Resources << /XObject << /Im 5 0 R >> >> >>" % A4,
        _stream(b"", whole_picture()),
        picture % (entries, side, side, len(segments), segments),
    ]
    return _write(path, objects)
