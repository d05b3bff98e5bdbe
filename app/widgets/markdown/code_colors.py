"""Colours for finished code blocks, laid over the text: nothing of them is copied or dragged out."""

from collections.abc import Iterator

from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextLayout

from app.look.colors import Colors
from app.look.typesetting import Code, CodeSpan, TokenKind
from app.widgets.markdown.code_blocks import code_language

__all__ = ["MAX_LINES", "code_of", "color_lines"]

MAX_LINES = 2000
"""Longer code stays plain."""

STEP = 100
"""Lines that are coloured before others have their turn."""

_LIGHT = {
    TokenKind.COMMENT: "#6a716d",
    TokenKind.KEYWORD: "#8a2b6b",
    TokenKind.STRING: "#0a6b4f",
    TokenKind.NUMBER: "#9a4d00",
    TokenKind.NAME: "#1d5fa8",
}
_DARK = {
    TokenKind.COMMENT: "#8d9691",
    TokenKind.KEYWORD: "#e39ccb",
    TokenKind.STRING: "#7fd6b4",
    TokenKind.NUMBER: "#efb27a",
    TokenKind.NAME: "#8fc1f3",
}


def code_of(lines: list[QTextBlock]) -> Code:
    """The code of a block's lines, exactly."""
    return Code(code_language(lines[0]), "\n".join(line.text() for line in lines))


def color_lines(lines: list[QTextBlock], spans: tuple[CodeSpan, ...], colors: Colors) -> Iterator[None]:
    """Lay the colours of the spans over the lines of a code block, so many lines at each step."""
    scheme = {kind: _style(color) for kind, color in (_DARK if colors.is_dark else _LIGHT).items()}
    waiting = list(reversed(spans))
    start = 0
    for number, line in enumerate(lines):
        if number % STEP == 0 and number:
            _show(lines[number - STEP : number])
            yield
        end = start + len(line.text())
        ranges = []
        while waiting and waiting[-1].start < end:
            span = waiting[-1]
            ranges.append(
                _range(max(span.start, start) - start, min(span.start + span.length, end) - start, span, scheme)
            )
            if span.start + span.length > end:
                break
            waiting.pop()
        line.layout().setFormats(ranges)
        start = end + 1
    _show(lines[-((len(lines) - 1) % STEP + 1) :])


def _show(lines: list[QTextBlock]) -> None:
    first, last = lines[0].position(), lines[-1].position() + lines[-1].length()
    lines[0].document().markContentsDirty(first, last - first)


def _style(color: str) -> QTextCharFormat:
    style = QTextCharFormat()
    style.setForeground(QColor(color))
    return style


def _range(start: int, end: int, span: CodeSpan, scheme: dict[TokenKind, QTextCharFormat]) -> QTextLayout.FormatRange:
    laid = QTextLayout.FormatRange()
    laid.start, laid.length, laid.format = start, end - start, scheme[span.kind]
    return laid
