"""What leaves the window when a part of an answer is copied or dragged out."""

import csv
from dataclasses import dataclass
from io import StringIO

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QTextBlock, QTextCursor, QTextDocument, QTextTable
from PySide6.QtWidgets import QTextEdit

from app.text.blocks import uncut
from app.text.html import make_html
from app.widgets.markdown.code_blocks import is_code, starts_fence
from app.widgets.markdown.formula_images import written_tex
from app.widgets.markdown.markdown_document import is_as_written, number_of, quote_depth, quoted, table_of, task_of
from app.widgets.markdown.selection_html import TABLE, selection_html
from app.widgets.markdown.selection_markdown import selection_markdown

__all__ = [
    "Copied",
    "copied_message",
    "copied_mime",
    "copied_selection",
    "copied_table",
    "plain_mime",
    "selection_mime",
    "table_csv",
]

_to_html = make_html()

_MARKDOWN = "text/markdown"

LONG_SELECTION = 20_000
"""Characters above which a selection is copied as plain text alone, which takes no time."""


@dataclass(frozen=True)
class Copied:
    """What is copied from a conversation: plain text, and its Markdown and HTML if it has any."""

    text: str
    markdown: str = ""
    html: str = ""


def copied_message(markdown: str) -> Copied:
    """A whole answer: its source is both its plain text and its Markdown; a very long one is copied without HTML."""
    shown = _to_html(markdown).replace("<table>", TABLE) if len(markdown) <= LONG_SELECTION else ""
    return Copied(markdown, markdown, shown)


def copied_mime(copied: Copied) -> QMimeData:
    """What goes to the clipboard or is dragged out."""
    mime = plain_mime(copied.text)
    if copied.markdown:
        mime.setData(_MARKDOWN, QByteArray(copied.markdown.encode()))
    if copied.html:
        mime.setHtml(copied.html)
    return mime


def plain_mime(text: str) -> QMimeData:
    """A text that can be copied and dragged. Qt's own object: one of Python's crashes when it outlives Python."""
    scratch = QTextEdit("x")
    scratch.selectAll()
    mime = scratch.createMimeDataFromSelection()
    mime.text()  # Qt's fills itself when it is first read
    mime.clear()
    mime.setText(text)
    return mime


def selection_mime(cursor: QTextCursor) -> QMimeData:
    """A selection with Markdown and HTML, formulas as they were written; a very long one as plain text only."""
    return copied_mime(copied_selection(cursor))


def copied_selection(cursor: QTextCursor) -> Copied:
    """What is selected, with the numbers and bullets of the items that are selected from their beginning."""
    if cursor.selectionEnd() - cursor.selectionStart() > LONG_SELECTION:
        return Copied(uncut(cursor.selectedText()))
    document = QTextDocument()
    QTextCursor(document).insertFragment(cursor.selection())
    _number_as(document, cursor)
    _quote_as(document, cursor)
    shown = selection_html(document)
    text = _plain(document, cursor)
    begun = cursor.document().findBlock(cursor.selectionStart())
    end = begun.position() + begun.length() - 1
    is_whole = cursor.selectionStart() == begun.position() and cursor.selectionEnd() >= end
    return Copied(text, selection_markdown(_first(document), is_whole=is_whole), shown)


def _number_as(document: QTextDocument, cursor: QTextCursor) -> None:
    """Let a list go on at the number that its first selected item has."""
    block, original = _first(document), cursor.document().findBlock(cursor.selectionStart())
    while block.isValid() and original.isValid():
        items = block.textList()
        number = number_of(original).rstrip(".)")
        if items is not None and number and items.itemNumber(block) == 0:
            shape = items.format()
            shape.setStart(int(number))
            items.setFormat(shape)
        block, original = block.next(), original.next()


def _quote_as(document: QTextDocument, cursor: QTextCursor) -> None:
    """Let what begins inside of a quote and goes on behind its paragraph begin in that quote: Qt forgets it."""
    block, original = _first(document), cursor.document().findBlock(cursor.selectionStart())
    if cursor.selectionEnd() >= original.position() + original.length() and not quote_depth(block):
        QTextCursor(block).mergeBlockFormat(quoted(quote_depth(original)))


def _first(document: QTextDocument) -> QTextBlock:
    """The first selected block: Qt leaves an empty one before some kinds of it."""
    block = document.begin()
    return block if block.text() or not block.next().isValid() else block.next()


def _plain(document: QTextDocument, cursor: QTextCursor) -> str:
    """The text with what stands before items, cells of a row parted by tabs as spreadsheets take them, and blank lines
    between blocks.
    """
    lines: list[str] = []
    block = _first(document)
    row, last = _row_of(None, block), block
    begins = cursor.document().findBlock(cursor.selectionStart()).position() == cursor.selectionStart()
    is_one = not block.next().isValid()
    while block.isValid():
        table = table_of(block)
        place = _row_of(table, block)
        text = _text_of(block)
        if table is not None and place == row:
            lines[-1] += f"\t{text}"
        elif text or table is not None or is_code(block) or block.textList() is not None:  # not what parts a table
            lines += [""] * _is_parted(last, block)
            lines.append((_item_start(block) if begins and not is_one else "") + text)
            last = block
        begins, row = True, place
        block = block.next()
    return uncut("\n".join(lines)).strip("\n")


def _is_parted(block: QTextBlock, following: QTextBlock) -> bool:
    """Whether a blank line parts two blocks: not rows of a table, lines of code or as written, or what is in a list."""
    if block == following:
        return False
    if is_code(block) and is_code(following):
        return starts_fence(following)
    if is_as_written(following) and (is_as_written(block) or not block.previous().isValid()):
        return False
    table = table_of(block)
    if table is not None and table == table_of(following):
        return False
    return not (_is_in_list(block) and _is_in_list(following))


def _is_in_list(block: QTextBlock) -> bool:
    return block.textList() is not None or block.blockFormat().indent() > 0


def _text_of(block: QTextBlock) -> str:
    """What a block says, formulas as they were written."""
    pieces = []
    runs = block.begin()
    while not runs.atEnd():
        written = written_tex(runs.fragment().charFormat())
        pieces.append(written or runs.fragment().text())
        runs += 1
    return "".join(pieces)


def _item_start(block: QTextBlock) -> str:
    """What stands before the text of a list's item."""
    if block.textList() is None or is_code(block):
        return ""
    box = {True: "- [x]", False: "- [ ]", None: "-"}[task_of(block)]
    return f"{'  ' * (block.textList().format().indent() - 1)}{number_of(block) or box} "


def _row_of(table: QTextTable | None, block: QTextBlock) -> tuple[int | None, int]:
    return (None, -1) if table is None else (table.firstPosition(), table.cellAt(block.position()).row())


def copied_table(table: QTextTable) -> Copied:
    """A whole table: cells parted by tabs, Markdown and HTML."""
    cursor = table.firstCursorPosition()
    cursor.setPosition(table.lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
    return copied_selection(cursor)


def table_csv(table: QTextTable) -> str:
    """A table as CSV, lines of a cell kept."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for row in range(table.rows()):
        cells = (table.cellAt(row, column).firstCursorPosition().block() for column in range(table.columns()))
        writer.writerow([uncut(_text_of(cell)) for cell in cells])
    return file.getvalue()
