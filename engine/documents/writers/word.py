"""A document as DOCX, which is a ZIP file with a few pages of XML; by hand, because that takes a tenth of the time."""

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from html import escape

from engine.documents.writers.blocks import Block, Heading, Item, Layout, Paragraph, Table, blocks_of, remark
from engine.protocol.documents import PageText
from engine.protocol.errors import without_surrogates

__all__ = ["to_docx"]

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""What XML cannot hold."""

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"

_CONTENT_TYPES = f"""{_HEAD}<Types xmlns="{_PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/word/document.xml" ContentType="{_TYPE}.document.main+xml"/>
<Override PartName="/word/styles.xml" ContentType="{_TYPE}.styles+xml"/>
<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>
</Types>"""

_RELATIONS = f"""{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">
<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>
<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>
</Relationships>"""

_DOCUMENT_RELATIONS = f"""{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">
<Relationship Id="rId1" Type="{_OFFICE}/styles" Target="styles.xml"/>
</Relationships>"""

_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every part, so that the same text is the same file."""

_BORDER = '<w:{side} w:val="single" w:sz="4" w:space="0" w:color="A0A0A0"/>'
_BORDERS = "".join(_BORDER.format(side=side) for side in ("top", "left", "bottom", "right", "insideH", "insideV"))


def to_docx(title: str, pages: Sequence[PageText], layout: Layout, words: frozenset[str]) -> bytes:
    """Headings, paragraphs, lists and tables, each page on a page of its own."""
    body = "".join(_body(pages, layout, words))
    document = f"{_HEAD}<w:document {_W}><w:body>{body}<w:sectPr/></w:body></w:document>"
    parts = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _RELATIONS,
        "docProps/core.xml": _core(title),
        "word/_rels/document.xml.rels": _DOCUMENT_RELATIONS,
        "word/document.xml": document,
        "word/styles.xml": _styles(),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(zipfile.ZipInfo(name, _DATE), text.encode(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _body(pages: Sequence[PageText], layout: Layout, words: frozenset[str]) -> Iterator[str]:
    for place, page in enumerate(pages):
        if place:
            yield '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
        if layout.separator == "heading":
            yield _paragraph(f"Page {page.number}", "Heading2")
        for block in blocks_of(page, layout, words):
            yield _block(block)
        if remark(page):
            yield _paragraph(f"Page {page.number}: {remark(page)}", "Remark")


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return _paragraph(text, f"Heading{min(level, 6)}")
        case Paragraph(text):
            return _paragraph(text)
        case Item(depth, mark, text):
            indent = 360 * (depth + 1)
            return _paragraph(f"{mark}\t{text}", indent=f'<w:ind w:left="{indent}" w:hanging="360"/>')
        case Table(rows):
            return _table(rows)


def _paragraph(text: str, style: str = "", indent: str = "") -> str:
    is_rightward = _begins_right_to_left(text)
    properties = "".join((
        f'<w:pStyle w:val="{escape(style)}"/>' if style else "",
        "<w:bidi/>" if is_rightward else "",
        indent,
    ))  # fmt: skip
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{_run(text, is_rightward)}</w:p>"


def _run(text: str, is_rightward: bool) -> str:
    """Text with its line feeds and tabs."""
    lines = [
        "<w:tab/>".join(f'<w:t xml:space="preserve">{_xml(piece)}</w:t>' for piece in line.split("\t"))
        for line in text.split("\n")
    ]
    return f"<w:r>{'<w:rPr><w:rtl/></w:rPr>' if is_rightward else ''}{'<w:br/>'.join(lines)}</w:r>"


def _table(rows: Sequence[Sequence[str]]) -> str:
    width = max(map(len, rows))
    cells = (
        "".join(f"<w:tc><w:tcPr/>{_paragraph(cell)}</w:tc>" for cell in (*row, *[""] * (width - len(row))))
        for row in rows
    )
    grid = '<w:gridCol w:w="1000"/>' * width
    properties = f'<w:tblPr><w:tblW w:w="0" w:type="auto"/><w:tblBorders>{_BORDERS}</w:tblBorders></w:tblPr>'
    body = "".join(f"<w:tr>{row}</w:tr>" for row in cells)
    return f"<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>{body}</w:tbl><w:p/>"


def _core(title: str) -> str:
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{_xml(title)}</dc:title></cp:coreProperties>'
    )


def _styles() -> str:
    headings = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/>'
        f'<w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:qFormat/>'
        f'<w:pPr><w:keepNext/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="{level - 1}"/></w:pPr>'
        f'<w:rPr><w:b/><w:bCs/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr></w:style>'
        for level, size in enumerate((36, 30, 26, 24, 22, 22), 1)
    )
    return (
        f"{_HEAD}<w:styles {_W}><w:docDefaults><w:rPrDefault><w:rPr>"
        '<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:cs="Arial"/><w:sz w:val="22"/><w:szCs w:val="22"/>'
        '</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="120"/></w:pPr></w:pPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>'
        f"{headings}"
        '<w:style w:type="paragraph" w:styleId="Remark"><w:name w:val="Remark"/><w:basedOn w:val="Normal"/>'
        '<w:rPr><w:i/><w:iCs/><w:color w:val="606060"/></w:rPr></w:style></w:styles>'
    )


def _begins_right_to_left(text: str) -> bool:
    strong = (unicodedata.bidirectional(character) for character in text)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)


def _xml(text: str) -> str:
    return escape(_UNWRITABLE.sub("\ufffd", without_surrogates(text)), quote=False)
