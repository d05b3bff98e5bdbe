"""A font without glyphs, for text that is found and copied but not seen: every character is an empty box of one width.

Each UTF-16 unit is its own code. Characters beyond the first plane take codes in the range of surrogates, which no text
has, so that they too are one code each: readers differ in what they make of two.
"""

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pikepdf import Object, Pdf

__all__ = ["ASCENT", "WIDTH", "GlyphlessFont"]

WIDTH = 0.5
"""Of a character, in units of the font's size."""

ASCENT = 0.8
"""Of the font's size, above the baseline; the rest is below."""

_UNITS_PER_EM = 1000
_BOX = (0, -200, 500, 800)
"""Of a glyph: left, bottom, right, top."""

_FIRST_FREE, _LAST_FREE = 0xD800, 0xDFFF
_UNKNOWN = 0xFFFD
_TABLE = struct.Struct(">4sIII")


class GlyphlessFont:
    """One for a document: it gives codes to text, and knows at last which it gave."""

    def __init__(self) -> None:
        self._beyond: dict[str, int] = {}

    def encode(self, text: str) -> bytes:
        """The codes of a text, two bytes each."""
        return b"".join(self._code(character).to_bytes(2, "big") for character in text)

    def _code(self, character: str) -> int:
        code = ord(character)
        if code > 0xFFFF:
            if character not in self._beyond and _FIRST_FREE + len(self._beyond) > _LAST_FREE:
                return _UNKNOWN
            return self._beyond.setdefault(character, _FIRST_FREE + len(self._beyond))
        return _UNKNOWN if _FIRST_FREE <= code <= _LAST_FREE else code

    def build(self, pdf: "Pdf") -> "Object":
        """The font as a dictionary of the PDF, with every code that was given."""
        from pikepdf import Array, Dictionary, Name, Stream

        program = _font_program()
        font_file = Stream(pdf, program, Length1=len(program))
        descriptor = Dictionary(
            Type=Name.FontDescriptor, FontName=Name.Glyphless, Flags=5, FontBBox=Array(list(_BOX)),
            ItalicAngle=0, Ascent=800, Descent=-200, CapHeight=800, StemV=80, FontFile2=pdf.make_indirect(font_file),
        )  # fmt: skip
        descendant = Dictionary(
            Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name.Glyphless, DW=int(WIDTH * 1000),
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            CIDToGIDMap=pdf.make_indirect(Stream(pdf, b"\x00\x01" * 0x10000)),
            FontDescriptor=pdf.make_indirect(descriptor),
        )  # fmt: skip
        font = Dictionary(
            Type=Name.Font, Subtype=Name.Type0, BaseFont=Name.Glyphless, Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(descendant)]),
            ToUnicode=pdf.make_indirect(Stream(pdf, self._to_unicode())),
        )  # fmt: skip
        return pdf.make_indirect(font)

    def _to_unicode(self) -> bytes:
        """The CMap back to text. A range ends where the first byte of its codes would change, as the format asks."""
        ranges = [f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>" for high in range(0x100) if not 0xD8 <= high <= 0xDF]
        characters = [
            f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>" for character, code in self._beyond.items()
        ]
        parts = [*_sections(ranges, "bfrange"), *_sections(characters, "bfchar")]
        return _TO_UNICODE.format("\n".join(parts)).encode("ascii")


def _sections(lines: list[str], kind: str) -> Iterator[str]:
    """A section may have 100 lines."""
    for start in range(0, len(lines), 100):
        part = lines[start : start + 100]
        yield "\n".join((f"{len(part)} begin{kind}", *part, f"end{kind}"))


def _font_program() -> bytes:
    """The smallest TrueType font that is one: glyph 1 is a line across its box, which has an extent and no area.

    PDFium leaves out text whose glyphs have no width on the page, which is their height where the text is turned.
    """
    glyph = struct.pack(">hhhhhHHBBhhhh", 1, *_BOX, 1, 0, 1, 1, 0, 500, -200, 1000)
    glyph += bytes(-len(glyph) % 4)
    cmap = struct.pack(">HHHHI", 0, 1, 3, 1, 12) + struct.pack(
        ">HHHHHHHHHHHH", 4, 24, 0, 2, 2, 0, 0, 0xFFFF, 0, 0xFFFF, 1, 0
    )
    tables = {
        b"cmap": cmap,
        b"glyf": glyph,
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh",
            *(0x10000, 0x10000, 0, 0x5F0F3CF5, 0, _UNITS_PER_EM, 0, 0),
            *(*_BOX, 0, 8, 2, 0, 0),
        ),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, 800, -200, 0, 500, 0, 0, 500, 1, 0, 0, 0, 0, 0, 0, 0, 2),
        b"hmtx": struct.pack(">HhHh", 500, 0, 500, 0),
        b"loca": struct.pack(">HHH", 0, 0, len(glyph) // 2),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 0x10000, 2, 2, 1, 0, 0, 1, *[0] * 8),
        b"post": struct.pack(">IIhhIIIII", 0x30000, 0, -100, 50, 1, 0, 0, 0, 0),
    }
    return _sfnt(tables)


def _sfnt(tables: dict[bytes, bytes]) -> bytes:
    """The tables as a file, with its checksums."""
    power = 1 << (len(tables).bit_length() - 1)
    head = struct.pack(">IHHHH", 0x10000, len(tables), power * 16, power.bit_length() - 1, (len(tables) - power) * 16)
    offset = len(head) + _TABLE.size * len(tables)
    directory, body = b"", b""
    for tag, content in sorted(tables.items()):
        directory += _TABLE.pack(tag, _checksum(content), offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    whole = head + directory + body
    place = whole.index(tables[b"head"]) + 8  # of checkSumAdjustment
    adjustment = (0xB1B0AFBA - _checksum(whole)) & 0xFFFFFFFF
    return whole[:place] + struct.pack(">I", adjustment) + whole[place + 4 :]


def _checksum(content: bytes) -> int:
    padded = content + bytes(-len(content) % 4)
    return sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF


_TO_UNICODE = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{}
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""
