"""Long lines of code are not broken: a code block scrolls sideways under its card, by the places of its lines.

The layout puts them back when it lays the block out anew.
"""

from functools import partial

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QTextBlock, QWheelEvent

from app.widgets.markdown.handles import THICK, Handle
from app.widgets.markdown.markdown_document import CODE_PADDING

__all__ = ["code_handle", "code_offset", "code_step", "code_width", "scroll_code", "scroll_code_to"]

_NOTCH = 48
"""Pixels for a notch of a wheel."""


def code_width(lines: list[QTextBlock]) -> float:
    """Pixels from the left edge of the view to the end of the longest line, unscrolled, with room behind it."""
    ends = [line.layout().lineAt(0).naturalTextRect().right() for line in lines if line.layout().lineCount()]
    return max(ends, default=0.0) + CODE_PADDING


def code_offset(lines: list[QTextBlock]) -> float:
    """How many pixels a code block is scrolled to the right."""
    return -lines[0].layout().position().x()


def code_step(event: QWheelEvent) -> float:
    """How many pixels to the right a wheel was turned; 0 when it was turned up or down. Shift turns it sideways."""
    pixels, notches = event.pixelDelta(), event.angleDelta()
    moved = pixels if not pixels.isNull() else notches * _NOTCH / 120
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not moved.x():
        return -float(moved.y())
    return -float(moved.x()) if abs(moved.x()) > abs(moved.y()) else 0.0


def scroll_code(lines: list[QTextBlock], step: float, width: int) -> bool:
    """Scroll a code block in a view of this width, as far as there is anything; whether its lines are too long."""
    most = max(0.0, code_width(lines) - width)
    offset = min(max(code_offset(lines) + step, 0.0), most)
    for line in lines:
        line.layout().setPosition(QPointF(-offset, line.layout().position().y()))
    return most > 0


def code_handle(lines: list[QTextBlock], card: QRectF, width: int) -> Handle | None:
    """The handle at the foot of a code block's card in a view of this width, if its lines are too long."""
    whole = code_width(lines)
    if whole <= width:
        return None
    track = QRectF(card.left() + CODE_PADDING, card.bottom() - 6, card.width() - 2 * CODE_PADDING, THICK)
    return Handle(track, whole, width, code_offset(lines), partial(scroll_code, lines, width=width))


def scroll_code_to(lines: list[QTextBlock], place: QRect, width: int) -> bool:
    """Scroll a code block until a place in it is seen; whether it was not."""
    step = min(place.left() - 2 * CODE_PADDING, 0) if place.left() < CODE_PADDING else 0
    if place.right() > width - CODE_PADDING:
        step = place.right() - width + 2 * CODE_PADDING
    before = code_offset(lines)
    return bool(step) and scroll_code(lines, step, width) and code_offset(lines) != before
