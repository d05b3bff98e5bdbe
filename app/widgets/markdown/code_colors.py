"""Colours for code blocks, laid over the text: nothing of them is copied or dragged out."""

from collections import deque
from collections.abc import Iterator

from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextDocument, QTextLayout

from app.background import Soon
from app.look.colors import Colors
from app.look.typesetting import Code, CodeSpan, Formula, TokenKind
from app.widgets.markdown.code_blocks import code_language, code_lines, starts_fence
from app.widgets.shared.look import Look

__all__ = ["CodeColors", "code_of"]

MAX_LINES = 2000
"""Longer code stays plain."""

MAX_OPEN_LINES = 300
"""Longer code stays plain while it grows, because all of it is coloured whenever it did."""

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


class CodeColors(QObject):
    """Colours the code blocks of one document as their spans become known: the finished ones, and one that grows.

    What grows is coloured as far as it was when its spans were last found.
    """

    def __init__(self, look: Look, document: QTextDocument) -> None:
        super().__init__(document)
        self._look = look
        self._document = document
        self._waiting: set[Code] = set()
        self._coloring: deque[Iterator[None]] = deque()
        self._more = Soon(self, 0, self._go_on)
        self._growing: Code | None = None
        """The code that grew meanwhile, while its spans are found."""
        self._known = Code("", "")
        self._known_spans: tuple[CodeSpan, ...] = ()
        self._open_from = 0
        """Where the text begins that may still change."""

    def forget(self) -> None:
        """The document is empty again."""
        self._waiting.clear()
        self._coloring.clear()

    def color(self, block: QTextBlock) -> None:
        """Colour the finished code blocks from here on, as far as their spans are known."""
        for lines in _code_blocks(block):
            if spans := self._spans_of(lines):
                self._coloring.append(color_lines(lines, spans, self._look.theme.colors))
        self._go_on()

    def color_open(self, start: int) -> None:
        """Colour the code blocks from a position on, at once: what follows may be dropped soon."""
        self._open_from = start
        for lines in _code_blocks(self._document.findBlock(start)):
            if len(lines) <= MAX_OPEN_LINES and (spans := self._spans_of(lines, may_grow=True)):
                for _ in color_lines(lines, spans, self._look.theme.colors):
                    pass

    def take(self, made: Formula | Code) -> None:
        """Lay the spans over the code that waits for them."""
        if made == self._growing:
            self._known, self._growing = made, None
            self._known_spans = self._look.typesetter.divide(made) or ()
            if made not in self._waiting:
                self._look.typesetter.forget(made)
                self.color_open(self._open_from)
        if made in self._waiting:
            self._waiting.discard(made)
            self.color(self._document.begin())

    def _spans_of(self, lines: list[QTextBlock], *, may_grow: bool = False) -> tuple[CodeSpan, ...]:
        """What is known about a code block; the rest is asked for, of growing code one state at a time."""
        if not code_language(lines[0]) or len(lines) > MAX_LINES:
            return ()
        code = code_of(lines)
        if may_grow and not lines[-1].next().isValid():
            if self._growing is None and code != self._known:
                spans = self._look.typesetter.divide(code)
                if spans is None:
                    self._growing = code
                else:
                    self._known, self._known_spans = code, spans
        elif (spans := self._look.typesetter.divide(code)) is not None:
            return spans
        else:
            self._waiting.add(code)
        is_known = code.language == self._known.language and code.text.startswith(self._known.text)
        return self._known_spans if is_known else ()

    def _go_on(self) -> None:
        while self._coloring:
            for _ in self._coloring[0]:
                self._more.start()
                return
            self._coloring.popleft()


def _code_blocks(block: QTextBlock) -> Iterator[list[QTextBlock]]:
    """The code blocks from here on, each as its lines."""
    while block.isValid():
        if starts_fence(block):
            lines = code_lines(block)
            yield lines
            block = lines[-1]
        block = block.next()


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
