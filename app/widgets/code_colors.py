"""Colours for finished code blocks, from Pygments. Read once per block, never while the block still grows."""

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound
from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextCursor, QTextDocument

from app.colors import Colors
from app.widgets.code_blocks import code_language, code_lines, is_code

__all__ = ["paint_code"]

MAX_LINES = 2000

_LIGHT = {
    Comment: "#6a716d",
    Keyword: "#8a2b6b",
    String: "#0a6b4f",
    Number: "#9a4d00",
    Name.Function: "#1d5fa8",
}
_DARK = {
    Comment: "#8d9691",
    Keyword: "#e39ccb",
    String: "#7fd6b4",
    Number: "#efb27a",
    Name.Function: "#8fc1f3",
}
_ALSO = {Name.Class: Name.Function, Name.Decorator: Keyword, Name.Tag: Keyword, Operator.Word: Keyword}


def paint_code(document: QTextDocument, colors: Colors) -> None:
    """Colour every code block that names a language Pygments knows."""
    block = document.begin()
    while block.isValid():
        if not is_code(block):
            block = block.next()
            continue
        lines = code_lines(block)
        language = code_language(block)
        if language and len(lines) <= MAX_LINES:
            _paint(lines, language, colors)
        block = lines[-1].next()


def _paint(lines: list[QTextBlock], language: str, colors: Colors) -> None:
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return
    scheme = _DARK if colors.is_dark else _LIGHT
    code = "\n".join(line.text() for line in lines)
    cursor = QTextCursor(lines[0])
    base = lines[0].position()
    for offset, kind, text in lexer.get_tokens_unprocessed(code):
        color = _color(kind, scheme)
        if color is None or not text.strip():
            continue
        style = QTextCharFormat()
        style.setForeground(QColor(color))
        cursor.setPosition(base + offset)
        cursor.setPosition(base + offset + len(text), QTextCursor.MoveMode.KeepAnchor)
        cursor.mergeCharFormat(style)


def _color(kind: _TokenType, scheme: dict[_TokenType, str]) -> str | None:
    for token in (*scheme, *_ALSO):
        if kind[: len(token)] == token:  # a token type is the path to it
            return scheme[_ALSO.get(token, token)]
    return None
