"""Markdown becomes a styled document: no HTML, no pictures, and every line break of the source kept.

The document is built without a layout; changing one that is being laid out is slow, and with tables it crashes Qt.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextImageFormat,
    QTextLength,
    QTextList,
    QTextListFormat,
    QTextTable,
    QTextTableFormat,
)

from app.look.theme import Theme
from app.text.blocks import Piece, block_pieces
from app.text.dialect import CODE_MARK, prepare, restored
from app.text.formulas import FORMULA_MARK, TexSource, put_back
from app.text.links import page_link
from app.text.markdown import FENCE_NUMBER_MARK, number_fences
from app.text.pages import named_pages
from app.widgets.markdown.code_blocks import code_language, code_lines, is_code, mark_fences
from app.widgets.markdown.formula_images import WRITTEN, written_tex

__all__ = [
    "CODE_PADDING",
    "INLINE_CODE",
    "QUOTE_INDENT",
    "has_header",
    "in_utf16",
    "insert_plain",
    "is_as_written",
    "is_bulleted",
    "is_header",
    "is_numbered",
    "is_rule",
    "label_height",
    "length_in_utf16",
    "link_pages",
    "number_of",
    "page_format",
    "quote_depth",
    "quoted",
    "readable_pieces",
    "readable_texts",
    "render_markdown",
    "runs_of",
    "show_drawings",
    "table_of",
    "task_of",
    "text_in",
]

CODE_PADDING = 12
"""Pixels between a code block's card and its text."""

_LABEL_HEIGHT = 22
"""Pixels above the text of a code block for the name of its language, at the usual text size."""

QUOTE_INDENT = 16
"""Pixels for each quote that a text is in."""

_QUOTE_LEVEL = QTextFormat.Property.BlockQuoteLevel.value
INLINE_CODE = QTextFormat.Property.UserProperty.value + 4
"""On code in a line of text. Qt's own ground would be as tall as the line."""

_NUMBERED = QTextFormat.Property.UserProperty.value + 5
"""On a list: whether its items have numbers. Qt's own stand a little too low."""

_RULE = QTextFormat.Property.UserProperty.value + 2
_TASK = QTextFormat.Property.UserProperty.value + 3
"""On a list item: whether its task is done. Qt's own boxes and bullets are not drawn."""

_HEADLESS = QTextFormat.Property.UserProperty.value + 6
"""On a table: its header was empty and is left out."""

_AS_WRITTEN = QTextFormat.Property.UserProperty.value + 7
"""On a line that is shown as it was written."""

_EMAIL, _WWW, _TABLES, _STRIKES, _TASKS = 0x0008, 0x0400, 0x0100, 0x0200, 0x0800
_NO_HTML = QTextDocument.MarkdownFeature.MarkdownNoHTML
_FEATURES = QTextDocument.MarkdownFeature(_EMAIL | _WWW | _TABLES | _STRIKES | _TASKS) | _NO_HTML
"""Those of md4c, which Qt has one name for; it also underlines what GitHub emphasizes, and finds too long addresses."""
_BULLETS = (QTextListFormat.Style.ListDisc, QTextListFormat.Style.ListCircle, QTextListFormat.Style.ListSquare)
_HEADING_SIZES = {1: 22, 2: 19, 3: 16}
_ROOM_ABOVE_HEADING = {1: 22, 2: 20, 3: 16}
_BODY_SIZE = 15
_LINE_HEIGHT = 138.0
_HEADING_LINE_HEIGHT = 112.0
_CODE_LINE_HEIGHT = 125.0
_INDENT = 22
_THIN = 2.0
_FEW_BLOCKS = 200
"""So many are looked through in about 5 ms."""
_AROUND_TABLE = 6
_PROPORTIONAL = QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
_SPECIFIED = QTextCharFormat.FontPropertiesInheritanceBehavior.FontPropertiesSpecifiedOnly


def render_markdown(
    piece: Piece, theme: Theme, place: Callable[[TexSource], QTextImageFormat | None], *, has_foothold: bool
) -> QTextDocument:
    """Parse and style a piece of Markdown.

    `has_foothold` puts a paragraph of one letter before it: Qt merges the first block of an insertion into the one
    at the cursor, so something must be there to be merged. `place` gives the picture of a formula; without one
    its source is shown.
    """
    document = _parse("x\n\n" if has_foothold else "", piece, place)
    document.setIndentWidth(theme.pixels(_INDENT))
    _style_tables(document, theme)
    block = document.begin()
    while block.isValid():
        if is_code(block):
            lines = code_lines(block)
            _style_code(lines, theme)
            block = lines[-1].next()
        else:
            _style_block(block, theme, is_first=not block.previous().isValid())
            block = block.next()
    return document


def show_drawings(
    document: QTextDocument, theme: Theme, drawn: Callable[[QTextCharFormat], QTextImageFormat | None]
) -> int | None:
    """Put pictures in the place of formulas that are shown as their sources, where `drawn` gives one for that style.

    Returns where the first block is for which that could not be done: many blocks take their time, and a table that is
    laid out must not change, it crashes Qt.
    """
    if document.blockCount() > _FEW_BLOCKS:
        return 0
    edit = QTextCursor(document)
    edit.beginEditBlock()
    block, left = document.begin(), None
    while block.isValid():
        pictures = [(run, picture) for run in reversed(runs_of(block)) if (picture := drawn(run[2])) is not None]
        for (start, end, style), picture in pictures:
            if table_of(block) is not None or end - start != length_in_utf16(written_tex(style)):
                left = block.position() if left is None else left
            else:
                _span(block, start, end).insertImage(picture)
        if pictures and table_of(block) is None:
            _style_block(block, theme, is_first=False)
        block = block.next()
    edit.endEditBlock()
    return left


def insert_plain(cursor: QTextCursor, text: str, theme: Theme) -> None:
    """Insert lines that are shown as they were written, in the letters of code."""
    letters = QTextCharFormat()
    letters.setFont(theme.mono_font, _SPECIFIED)
    shape = QTextBlockFormat()
    shape.setProperty(_AS_WRITTEN, True)
    cursor.setBlockFormat(shape)
    cursor.setBlockCharFormat(letters)
    cursor.insertText(text, letters)


def readable_texts(source: str) -> Iterator[str]:
    """What a reader sees of a finished answer, piece by piece, each formula as one character."""
    for piece in readable_pieces(source):
        yield piece if isinstance(piece, str) else piece.toRawText()


def readable_pieces(source: str) -> Iterator[str | QTextDocument]:
    """The same as plain text, or as a document without a style, in which each formula knows how it was written."""
    for piece in block_pieces(source):
        yield piece.text if piece.is_plain else _parse("", piece, _undrawn)


def _undrawn(formula: TexSource) -> QTextImageFormat:
    shape = QTextImageFormat()
    shape.setProperty(WRITTEN, formula.written)
    return shape


def _parse(foothold: str, piece: Piece, place: Callable[[TexSource], QTextImageFormat | None]) -> QTextDocument:
    """The document of a piece of Markdown before anything is styled."""
    document = QTextDocument()
    source, formulas = prepare(piece.text.strip("\n"), is_growing=piece.is_open)
    source = foothold + source
    document.setMarkdown(number_fences(source), _FEATURES)
    if FENCE_NUMBER_MARK in document.toRawText():
        document.setMarkdown(source, _FEATURES)
    mark_fences(document)
    _replace_pictures(document)
    _emphasize_code(document)
    _restore_characters(document)
    _place_formulas(document, formulas, place)
    return document


def label_height(theme: Theme) -> int:
    """Pixels above the text of a code block for the name of its language."""
    return theme.pixels(_LABEL_HEIGHT)


def quote_depth(block: QTextBlock) -> int:
    """How many quotes a block is in."""
    return block.blockFormat().intProperty(_QUOTE_LEVEL)


def quoted(depth: int) -> QTextBlockFormat:
    """The format of what is in so many quotes."""
    shape = QTextBlockFormat()
    if depth:
        shape.setProperty(_QUOTE_LEVEL, depth)
    return shape


def is_rule(block: QTextBlock) -> bool:
    """Whether a block is a thematic break."""
    return block.blockFormat().hasProperty(_RULE)


def is_as_written(block: QTextBlock) -> bool:
    """Whether a block is a line that is shown as it was written."""
    return block.blockFormat().hasProperty(_AS_WRITTEN)


def is_bulleted(block: QTextBlock) -> bool:
    """Whether a block begins a list item, whose bullet or number is not Qt's own."""
    items = block.textList()
    return items is not None and items.format().style() is QTextListFormat.Style.ListStyleUndefined


def is_numbered(items: QTextList) -> bool:
    """Whether the items of a list have numbers."""
    return items.format().boolProperty(_NUMBERED) or items.format().style() is QTextListFormat.Style.ListDecimal


def number_of(block: QTextBlock) -> str:
    """The number of a list item, as it is written; nothing for one without."""
    items = block.textList()
    if items is None or not is_numbered(items) or task_of(block) is not None:
        return ""
    return f"{items.format().start() + items.itemNumber(block)}{items.format().numberSuffix() or '.'}"


def task_of(block: QTextBlock) -> bool | None:
    """Whether the task that a list item is has been done; None for other items."""
    shape = block.blockFormat()
    return shape.boolProperty(_TASK) if shape.hasProperty(_TASK) else None


def is_formula(block: QTextBlock) -> bool:
    """Whether a block is nothing but a formula that was set apart."""
    return block.text() == "\ufffc" and written_tex(runs_of(block)[0][2]).startswith(("$$", "\\["))


def _thin(shape: QTextBlockFormat) -> QTextBlockFormat:
    """The format of the empty blocks that Qt puts around tables and rules: next to no height."""
    shape = QTextBlockFormat(shape)
    shape.setLineHeight(_THIN, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    if shape.hasProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth):
        shape.clearProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth)
        shape.setProperty(_RULE, True)
        _set_margins(shape, 14, 14)
    else:
        _set_margins(shape, 0, 0)
    return shape


def _replace_pictures(document: QTextDocument) -> None:
    """Put words where the model wants a picture shown: nothing is fetched."""
    block = document.begin()
    while block.isValid():
        for start, end, style in reversed(runs_of(block)) if "\ufffc" in block.text() else ():
            if style.isImageFormat():
                name = style.property(QTextFormat.Property.ImageAltText) or "picture"
                _span(block, start, end).insertText(f"[{name}: not loaded]", QTextCharFormat())
        block = block.next()


def _emphasize_code(document: QTextDocument) -> None:
    """Give code in a line the emphasis of the mark before it: Qt's parser takes it from the code."""
    block = document.begin()
    while block.isValid():
        for (start, end, style), (code_start, code_end, code) in pairwise(runs_of(block)):
            if code.fontFixedPitch() and text_in(block, start, end).endswith(CODE_MARK):
                emphasis = QTextCharFormat()
                emphasis.setFontWeight(style.fontWeight())
                emphasis.setFontItalic(style.fontItalic())
                emphasis.setFontStrikeOut(style.fontStrikeOut())
                _span(block, code_start, code_end).mergeCharFormat(emphasis)
        block = block.next()


def _restore_characters(document: QTextDocument) -> None:
    block = document.begin()
    while block.isValid():
        if restored(block.text()) != block.text():
            for start, end, style in reversed(runs_of(block)):
                run = _span(block, start, end)
                run.insertText(restored(run.selectedText()), style)
        block = block.next()


def _place_formulas(
    document: QTextDocument, formulas: list[TexSource], place: Callable[[TexSource], QTextImageFormat | None]
) -> None:
    block = document.begin()
    while block.isValid() and formulas:
        marks = list(FORMULA_MARK.finditer(block.text()))
        places = in_utf16(block.text(), [mark.span() for mark in marks])
        for mark, place_of_mark in reversed(list(zip(marks, places, strict=True))):
            cursor = _span(block, *place_of_mark)
            style = cursor.charFormat()
            number = int(mark[1])
            if is_code(block) or style.fontFixedPitch() or number >= len(formulas):
                cursor.insertText(put_back(mark[0], formulas), style)
            elif picture := place(formulas[number]):
                cursor.insertImage(picture)
            else:
                style.setFontFixedPitch(True)
                style.setProperty(WRITTEN, formulas[number].written)
                is_display = formulas[number].is_display
                cursor.insertText(formulas[number].written.replace("\n", "\u2028" if is_display else " "), style)
        block = block.next()


def _style_tables(document: QTextDocument, theme: Theme) -> None:
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            _repair_first_cell(frame)
            _part_from_text(frame)
            _drop_empty_header(frame)
            if has_header(frame):
                _style_header(frame, theme)
            shape = QTextTableFormat(frame.format())
            shape.setBorderCollapse(True)
            shape.setBorder(1)
            shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            shape.setBorderBrush(QBrush(QColor(theme.colors.hairline)))
            shape.setCellPadding(6)
            shape.setCellSpacing(0)
            shape.setTopMargin(_AROUND_TABLE)
            shape.setBottomMargin(_AROUND_TABLE)
            shape.setColumnWidthConstraints([QTextLength()] * frame.columns())
            frame.setFormat(shape)


def _repair_first_cell(table: QTextTable) -> None:
    """After a code block, Qt begins a table with an empty line, and its first word looks like code."""
    _drop_first_blank(table)
    cursor = table.firstCursorPosition()
    shape = QTextBlockFormat()
    shape.setAlignment(cursor.blockFormat().alignment())
    cursor.setBlockFormat(shape)
    cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
    bold = QTextCharFormat()
    bold.setFontWeight(QFont.Weight.Bold)
    cursor.mergeCharFormat(bold)


def _drop_first_blank(table: QTextTable) -> None:
    """Take an empty line from the beginning of a table that has words behind it there."""
    cursor = table.firstCursorPosition()
    if not cursor.block().text() and cursor.block().next() == table.cellAt(0, 0).lastCursorPosition().block():
        cursor.deleteChar()


def _part_from_text(table: QTextTable) -> None:
    """Put an empty block before a table, as Qt puts one behind it: what is before a table stretches its first cell."""
    cursor = table.firstCursorPosition()
    cursor.setPosition(table.firstPosition() - 1)
    cursor.insertBlock(QTextBlockFormat(), QTextCharFormat())


def _drop_empty_header(table: QTextTable) -> None:
    """Leave out a header that says nothing: models write one where a table has none."""
    cells = [table.cellAt(0, column).firstCursorPosition().block() for column in range(table.columns())]
    if table.rows() > 1 and not any(cell.text().strip() for cell in cells):
        table.removeRows(0, 1)
        _drop_first_blank(table)
        shape = table.format()
        shape.setProperty(_HEADLESS, True)
        table.setFormat(shape)


def _style_header(table: QTextTable, theme: Theme) -> None:
    """The header's cells stand as the cells below them do, on a ground of their own."""
    ground = QTextCharFormat()
    ground.setBackground(QColor(theme.colors.code))
    for column in range(table.columns()):
        cell = table.cellAt(0, column)
        cell.setFormat(ground)
        if table.rows() > 1:
            shape = QTextBlockFormat()
            shape.setAlignment(table.cellAt(1, column).firstCursorPosition().blockFormat().alignment())
            cell.firstCursorPosition().mergeBlockFormat(shape)


def _style_block(block: QTextBlock, theme: Theme, *, is_first: bool) -> None:
    """Style a block outside of code by what it is; doing it again changes nothing."""
    if table_of(block) is not None:
        _style_runs(block, theme)
        return
    shape = block.blockFormat()
    level = shape.headingLevel()
    shape.setLineHeight(_LINE_HEIGHT, _PROPORTIONAL)
    if not block.text():
        shape = _thin(shape)
    elif level:
        _set_margins(shape, 0 if is_first else _ROOM_ABOVE_HEADING.get(level, 14), 6 if level < 3 else 4)
        shape.setLineHeight(_HEADING_LINE_HEIGHT, _PROPORTIONAL)
        _style_heading(block, theme, level)
    elif block.textList() is not None:
        _set_margins(shape, 2, 7 if _ends_list(block) else 2)
        _shape_item(block, shape)
    else:
        _set_margins(shape, 0 if is_first else 7, 7)
        if is_formula(block):
            _set_margins(shape, 12, 12)
            shape.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            shape.setLineHeight(100, _PROPORTIONAL)
    if depth := quote_depth(block):
        shape.setLeftMargin(QUOTE_INDENT * depth)
    if block.textList() is not None:
        shape.setLeftMargin(QUOTE_INDENT * depth + _room_for_numbers(block.textList(), theme))
    QTextCursor(block).setBlockFormat(shape)
    _style_runs(block, theme)


def _ends_list(block: QTextBlock) -> bool:
    """Whether no item follows, or one of another list that is as deep."""
    items, following = block.textList(), block.next().textList()
    if following is None:
        return True
    is_other = following.objectIndex() != items.objectIndex()
    return is_other and following.format().indent() == items.format().indent()


def _room_for_numbers(items: QTextList, theme: Theme) -> int:
    """Pixels that the numbers of a list need beside the indent, which has room for one digit."""
    last = items.format().start() + items.count() - 1
    return theme.pixels(10) * (len(str(last)) - 1) if is_numbered(items) else 0


def _shape_item(block: QTextBlock, shape: QTextBlockFormat) -> None:
    if shape.marker() is not QTextBlockFormat.MarkerType.NoMarker:
        shape.setProperty(_TASK, shape.marker() is QTextBlockFormat.MarkerType.Checked)
        shape.setMarker(QTextBlockFormat.MarkerType.NoMarker)
    style = block.textList().format()
    if style.style() in _BULLETS or style.style() is QTextListFormat.Style.ListDecimal:
        style.setProperty(_NUMBERED, is_numbered(block.textList()))
        style.setStyle(QTextListFormat.Style.ListStyleUndefined)
        block.textList().setFormat(style)


def _set_margins(shape: QTextBlockFormat, top: float, bottom: float) -> None:
    shape.setTopMargin(top)
    shape.setBottomMargin(bottom)


def _style_code(lines: list[QTextBlock], theme: Theme) -> None:
    """Style the lines of a code block together."""
    first, last = lines[0], lines[-1]
    items, depth = first.textList(), quote_depth(first)
    shape = QTextBlockFormat()
    shape.setNonBreakableLines(True)
    shape.setLineHeight(_CODE_LINE_HEIGHT, _PROPORTIONAL)
    shape.setLeftMargin(QUOTE_INDENT * depth + (_room_for_numbers(items, theme) if items else CODE_PADDING + 2))
    shape.setRightMargin(CODE_PADDING)
    _set_margins(shape, 0, 0)
    mono = QTextCharFormat()
    mono.setFont(theme.mono_font, _SPECIFIED)
    cursor = _span(first, 0, last.position() + last.length() - 1 - first.position())
    cursor.mergeBlockFormat(shape)
    cursor.mergeBlockCharFormat(mono)
    cursor.mergeCharFormat(mono)
    room = 2 * CODE_PADDING + 6  # also where the card of other code is beside it
    top, bottom = QTextBlockFormat(), QTextBlockFormat()
    top.setTopMargin(room + (label_height(theme) if code_language(first) else 0))
    bottom.setBottomMargin(room)
    QTextCursor(first).mergeBlockFormat(top)
    QTextCursor(last).mergeBlockFormat(bottom)


def _style_heading(block: QTextBlock, theme: Theme, level: int) -> None:
    font = QFont()
    font.setPixelSize(theme.pixels(_HEADING_SIZES.get(level, _BODY_SIZE)))
    font.setWeight(QFont.Weight.DemiBold)
    for start, end, style in runs_of(block):
        style.clearProperty(QTextFormat.Property.FontSizeAdjustment)
        style.setFont(font, _SPECIFIED)
        _span(block, start, end).setCharFormat(style)


def _style_runs(block: QTextBlock, theme: Theme) -> None:
    for start, end, style in runs_of(block):
        if style.fontFixedPitch():
            mono = QTextCharFormat()
            mono.setFont(theme.mono_font, _SPECIFIED)
            mono.setProperty(INLINE_CODE, not written_tex(style))
            _span(block, start, end).mergeCharFormat(mono)
        elif style.isAnchor():
            link = QTextCharFormat()
            link.setForeground(QColor(theme.colors.accent))
            _span(block, start, end).mergeCharFormat(link)


def page_format(theme: Theme, number: int) -> QTextCharFormat:
    """How the number of a page looks that leads to that page."""
    link = QTextCharFormat()
    link.setAnchor(True)
    link.setAnchorHref(page_link(number))
    link.setFontUnderline(True)
    link.setForeground(QColor(theme.colors.accent))
    return link


def link_pages(document: QTextDocument, theme: Theme, num_pages: int) -> None:
    """Let every page up to this one that is named outside of code and links lead to it."""
    block = document.begin()
    while num_pages and block.isValid():
        named = [] if is_code(block) else list(named_pages(block.text()))
        places = in_utf16(block.text(), [(start, end) for start, end, _ in named])
        for (*_, number), place in zip(named, places, strict=True):
            cursor = _span(block, *place)
            style = cursor.charFormat()
            if 1 <= number <= num_pages and not style.isAnchor() and not style.fontFixedPitch():
                cursor.mergeCharFormat(page_format(theme, number))
        block = block.next()


def table_of(block: QTextBlock) -> QTextTable | None:
    """The table that a block is a cell of."""
    return QTextCursor(block).currentTable()


def is_header(block: QTextBlock) -> bool:
    """Whether a block is a cell of a table's first row."""
    table = table_of(block)
    return table is not None and has_header(table) and table.cellAt(block.position()).row() == 0


def has_header(table: QTextTable) -> bool:
    """Whether a table's first row is its header."""
    return not table.format().boolProperty(_HEADLESS)


def text_in(block: QTextBlock, start: int, end: int) -> str:
    """What stands in a block between two places."""
    return _span(block, start, end).selectedText()


def runs_of(block: QTextBlock) -> list[tuple[int, int, QTextCharFormat]]:
    """The runs of equal format in a block, as (start, end, format) with positions inside the block."""
    runs = []
    iterator = block.begin()
    while not iterator.atEnd():
        run = iterator.fragment()
        start = run.position() - block.position()
        runs.append((start, start + run.length(), run.charFormat()))
        iterator += 1
    return runs


def _span(block: QTextBlock, start: int, end: int) -> QTextCursor:
    cursor = QTextCursor(block)
    cursor.setPosition(block.position() + start)
    cursor.setPosition(block.position() + end, QTextCursor.MoveMode.KeepAnchor)
    return cursor


def length_in_utf16(text: str) -> int:
    """Characters of a text as Qt counts them."""
    return len(text) + (0 if text.isascii() else sum(letter > "\uffff" for letter in text))


def in_utf16(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places as Qt counts them: characters beyond U+FFFF take two."""
    if text.isascii() or max(text, default="") <= "\uffff":
        return spans
    wide = [place for place, letter in enumerate(text) if letter > "\uffff"]
    return [(start + bisect_left(wide, start), end + bisect_left(wide, end)) for start, end in spans]
