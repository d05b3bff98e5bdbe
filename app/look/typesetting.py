"""Formulas drawn and code divided into coloured spans, away from the GUI thread, and remembered.

Both are slow at first: a lexer compiles its expressions, the mathematical font is read. A formula is TeX of strangers:
one that is too long, takes too long or cannot be read is refused, and its source is shown instead.
"""

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from types import FrameType
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QRectF, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from app.background import Lane

__all__ = ["Code", "CodeSpan", "Drawing", "Formula", "Refused", "TokenKind", "Typesetter"]

MAX_TEX_LENGTH = 1000
MAX_TEX_DEPTH = 12
MAX_DRAWING_S = 2.0
"""CPU seconds, five times what a long line of thirty terms takes. The time doubles with every nested fraction."""

MAX_SIDE = 3000
"""Pixels of the longer side, before the screen's ratio."""

_MOST_KEPT = 400
"""So many results are kept, those used last."""

_FOREIGN = re.compile(r"\\(input|include|includegraphics|href|url|def|newcommand|let|write|read|open\w+)\b")
"""What asks for more than a formula. The renderer does none of it, but would draw the names as letters."""

_ALIGNED = re.compile(r"(\\(?:begin|end)\{)(?:gather(?:ed)?|multline|eqnarray|flalign|alignat)\*?\}(?:\{\d\})?")
_UNALIGNED = re.compile(r"\\(?:begin|end)\{equation\*?\}")
"""Environments that the renderer does not know, but knows as another one."""


class TokenKind(Enum):
    """What a piece of code is, as far as it has a colour."""

    COMMENT = auto()
    KEYWORD = auto()
    STRING = auto()
    NUMBER = auto()
    NAME = auto()


@dataclass(frozen=True)
class CodeSpan:
    """A coloured piece of code: `length` characters from `start`."""

    start: int
    length: int
    kind: TokenKind


@dataclass(frozen=True)
class Code:
    """A code block and the language it names."""

    language: str
    text: str


@dataclass(frozen=True)
class Formula:
    """TeX and how it is to be drawn; `pixel_size` is that of the font, `ratio` the screen's."""

    tex: str
    is_display: bool
    pixel_size: int
    color: str
    ratio: float


@dataclass(frozen=True)
class Drawing:
    """A formula as a picture, of which `descent` pixels (before the ratio) are under the baseline."""

    image: QImage
    descent: float


class Refused:
    """The answer to a formula that is not drawn."""


_Result = Drawing | Refused | tuple[CodeSpan, ...]


class Typesetter(QObject):
    """Makes one thing after the other in the background and keeps those used last.

    **Signals:** `made` (the Formula or the Code that can be had now).
    """

    made = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._results: dict[Formula | Code, _Result] = {}  # the one used last comes last
        self._asked: set[Formula | Code] = set()
        self._lane = Lane()

    def draw(self, formula: Formula) -> Drawing | Refused | None:
        """The formula's picture, or None while it is being drawn (then `made` follows)."""
        result = self._recall(formula, lambda: draw_formula(formula))
        assert not isinstance(result, tuple)
        return result

    def divide(self, code: Code) -> tuple[CodeSpan, ...] | None:
        """The code's coloured spans, none for an unknown language; None while they are being found."""
        result = self._recall(code, lambda: divide_code(code))
        assert result is None or isinstance(result, tuple)
        return result

    def forget(self, code: Code) -> None:
        """Keep no spans of this code, which has grown."""
        self._results.pop(code, None)

    def close(self) -> None:
        """Forget what waits and let the running one end."""
        self._lane.close()

    def _recall(self, wanted: Formula | Code, make: Callable[[], _Result]) -> _Result | None:
        if wanted in self._results:
            self._results[wanted] = self._results.pop(wanted)
            return self._results[wanted]
        if wanted not in self._asked:
            self._asked.add(wanted)
            self._lane.do(make, partial(self._keep, wanted))
        return None

    def _keep(self, wanted: Formula | Code, result: _Result) -> None:
        self._asked.discard(wanted)
        self._results[wanted] = result
        if len(self._results) > _MOST_KEPT:
            del self._results[next(iter(self._results))]
        self.made.emit(wanted)


def divide_code(code: Code) -> tuple[CodeSpan, ...]:
    """Find the coloured spans of a piece of code."""
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Comment, Keyword, Name, Number, Operator, String
    from pygments.util import ClassNotFound

    kinds = {
        Comment: TokenKind.COMMENT,
        Keyword: TokenKind.KEYWORD,
        Name.Decorator: TokenKind.KEYWORD,
        Name.Tag: TokenKind.KEYWORD,
        Operator.Word: TokenKind.KEYWORD,
        String: TokenKind.STRING,
        Number: TokenKind.NUMBER,
        Name.Function: TokenKind.NAME,
        Name.Class: TokenKind.NAME,
    }
    try:
        lexer = get_lexer_by_name(code.language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return ()
    spans: list[CodeSpan] = []
    for start, token, text in lexer.get_tokens_unprocessed(code.text):
        kind = next((kind for known, kind in kinds.items() if token[: len(known)] == known), None)
        if kind is None or not text:
            continue
        last = spans[-1] if spans else None
        if last is not None and last.kind is kind and last.start + last.length == start:
            spans[-1] = CodeSpan(last.start, last.length + len(text), kind)
        else:
            spans.append(CodeSpan(start, len(text), kind))
    return tuple(spans)


def draw_formula(formula: Formula) -> Drawing | Refused:
    """Draw a formula, or refuse it."""
    if len(formula.tex) > MAX_TEX_LENGTH or _depth(formula.tex) > MAX_TEX_DEPTH or _FOREIGN.search(formula.tex):
        return Refused()
    from ziamath.config import config
    from ziamath.zmath import Latex

    config.svg2 = False  # paths only, which Qt draws
    tex = _ALIGNED.sub(r"\1aligned}", _UNALIGNED.sub("", formula.tex))
    try:
        with _TimeLimit(MAX_DRAWING_S):
            drawn = Latex(tex, formula.pixel_size, color=formula.color, inline=not formula.is_display)
            svg = drawn.svg()
    except Exception:  # noqa: BLE001 - TeX of strangers breaks the renderer in many ways; its source is shown then
        return Refused()
    return _paint(svg.encode(), formula.ratio)


def _depth(tex: str) -> int:
    depth = deepest = 0
    for mark in re.findall(r"\\?[{}]|\\left\b|\\right\b|\\begin\b|\\end\b", tex):
        depth += mark in ("{", "\\left", "\\begin")
        depth -= mark in ("}", "\\right", "\\end")
        deepest = max(depth, deepest)
    return deepest


def _paint(svg: bytes, ratio: float) -> Drawing | Refused:
    renderer = QSvgRenderer(QByteArray(svg))
    box = renderer.viewBoxF()
    if not renderer.isValid() or not 0 < max(box.width(), box.height()) <= MAX_SIDE:
        return Refused()
    image = QImage((box.size() * ratio).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    if image.isNull():
        return Refused()
    image.fill(0)
    painter = QPainter(image)
    renderer.render(painter, QRectF(image.rect()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return Drawing(image, box.bottom())


class _TimeLimit:
    """Ends Python code in this thread that takes longer, at its next call."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        end = time.thread_time() + self._seconds

        def look(_frame: FrameType, _event: str, _argument: Any) -> None:
            if time.thread_time() > end:
                raise TimeoutError

        sys.setprofile(look)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
