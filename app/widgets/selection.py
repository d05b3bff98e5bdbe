"""What leaves the window when a part of an answer is copied or dragged out."""

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QTextBlock, QTextBlockFormat, QTextCursor, QTextDocument, QTextListFormat, QTextTable

from app.widgets.formula_images import written_tex
from app.widgets.markdown_document import is_bulleted, task_of

__all__ = ["message_mime", "put_selection"]

_MARKDOWN = "text/markdown"


def message_mime(text: str) -> QMimeData:
    """A whole message: its source is both its plain text and its Markdown."""
    mime = QMimeData()
    mime.setText(text)
    mime.setData(_MARKDOWN, QByteArray(text.encode()))
    return mime


def put_selection(mime: QMimeData, cursor: QTextCursor) -> None:
    """Replace what `mime` holds by the selection as plain text and as Markdown, formulas as they were written."""
    document = QTextDocument()
    whole = QTextCursor(document)
    whole.insertFragment(cursor.selection())
    formulas = _take_formulas(document)
    _give_back_bullets(document)
    mime.clear()
    mime.setText(_restore(_plain(document), formulas))
    mime.setData(_MARKDOWN, QByteArray(_restore(document.toMarkdown(), formulas).encode()))


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
            shape.setStyle(QTextListFormat.Style.ListDisc)
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
    return "\n".join(lines).replace("\u2028", "\n").strip("\n")


def _row_of(table: QTextTable | None, block: QTextBlock) -> tuple[int | None, int]:
    return (None, -1) if table is None else (table.firstPosition(), table.cellAt(block.position()).row())
