"""What leaves the window when a part of an answer is copied or dragged out."""

import re

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QTextBlock, QTextBlockFormat, QTextCursor, QTextDocument, QTextListFormat, QTextTable
from PySide6.QtWidgets import QTextEdit

from app.text.blocks import uncut
from app.widgets.markdown.formula_images import written_tex
from app.widgets.markdown.markdown_document import is_bulleted, is_numbered, task_of

__all__ = ["message_mime", "plain_mime", "selection_mime"]

_MARKDOWN = "text/markdown"

_PAGE_LINK = re.compile(r"\[(\d{1,5})\]\(page:\d{1,5}\)")
"""The number of a page, which leads to it in the window alone."""

LONG_SELECTION = 20_000
"""Characters above which a selection is copied as plain text alone, which takes no time."""


def message_mime(text: str) -> QMimeData:
    """A whole message: its source is both its plain text and its Markdown."""
    mime = QMimeData()
    mime.setText(text)
    mime.setData(_MARKDOWN, QByteArray(text.encode()))
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
    """A selection as plain text and as Markdown, formulas as they were written; a very long one as plain text only."""
    if cursor.selectionEnd() - cursor.selectionStart() > LONG_SELECTION:
        return plain_mime(uncut(cursor.selectedText()))
    document = QTextDocument()
    whole = QTextCursor(document)
    whole.insertFragment(cursor.selection())
    formulas = _take_formulas(document)
    _give_back_bullets(document)
    mime = plain_mime(_restore(_plain(document), formulas))
    written = _PAGE_LINK.sub(r"\1", uncut(document.toMarkdown()))
    mime.setData(_MARKDOWN, QByteArray(_restore(written, formulas).encode()))
    return mime


def _take_formulas(document: QTextDocument) -> list[str]:
    """Put marks where pictures of formulas stand; Markdown would escape what is written there."""
    written = []
    block = document.begin()
    while block.isValid():
        for offset in reversed([place for place, letter in enumerate(block.text()) if letter == "\ufffc"]):
            cursor = QTextCursor(block)
            cursor.setPosition(block.position() + offset)
            cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
            written.append(written_tex(cursor.charFormat()))
            cursor.insertText(f"\x03{len(written) - 1}\x04", QTextCursor(block).blockCharFormat())
        block = block.next()
    return written


def _give_back_bullets(document: QTextDocument) -> None:
    """Qt writes Markdown only of bullets and boxes that are its own."""
    block = document.begin()
    while block.isValid():
        if is_bulleted(block):
            shape = block.textList().format()
            is_ordered = is_numbered(block.textList())
            shape.setStyle(QTextListFormat.Style.ListDecimal if is_ordered else QTextListFormat.Style.ListDisc)
            block.textList().setFormat(shape)
        task = task_of(block)
        if task is not None:
            marked = block.blockFormat()
            marker = QTextBlockFormat.MarkerType
            marked.setMarker(marker.Checked if task else marker.Unchecked)
            QTextCursor(block).setBlockFormat(marked)
        block = block.next()


def _restore(text: str, formulas: list[str]) -> str:
    for number, written in enumerate(formulas):
        text = text.replace(f"\x03{number}\x04", written)
    return text


def _plain(document: QTextDocument) -> str:
    """The text, cells of a row parted by tabs as spreadsheets take them."""
    lines: list[str] = []
    block = document.begin()
    row = _row_of(None, block)
    while block.isValid():
        table = QTextCursor(block).currentTable()
        place = _row_of(table, block)
        if table is not None and place == row:
            lines[-1] += f"\t{block.text()}"
        else:
            lines.append(block.text())
        row = place
        block = block.next()
    return uncut("\n".join(lines)).strip("\n")


def _row_of(table: QTextTable | None, block: QTextBlock) -> tuple[int | None, int]:
    return (None, -1) if table is None else (table.firstPosition(), table.cellAt(block.position()).row())
