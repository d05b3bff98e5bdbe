"""Handles of what is wider than a text: how much of it is seen, and where. A person drags them."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QTextBrowser

__all__ = ["Grip", "Handle", "HandleFinder"]

THICK = 3
"""Pixels that are painted."""

_REACH = 4
"""Pixels above and below in which it is taken hold of."""

_SHORTEST = 28


@dataclass(frozen=True)
class Handle:
    """Of `whole` pixels `seen` are seen, `offset` to the right; `scroll` takes a step to the right in pixels."""

    track: QRectF
    whole: float
    seen: float
    offset: float
    scroll: Callable[[float], object]

    @property
    def area(self) -> QRectF:
        """Where it is on its track."""
        start = self.track.left() + self._travel * self.offset / (self.whole - self.seen)
        return QRectF(start, self.track.top(), self.track.width() - self._travel, THICK)

    @property
    def _travel(self) -> float:
        width = self.track.width()
        return width - min(max(width * self.seen / self.whole, _SHORTEST), width)

    def has(self, position: QPointF) -> bool:
        """Whether its track is meant by a place in the text."""
        return self.track.adjusted(0, -_REACH, 0, _REACH).contains(position)

    def move_to(self, left: float) -> None:
        """Scroll until it begins there, or as far as there is anything."""
        if self._travel:
            wanted = (left - self.track.left()) / self._travel * (self.whole - self.seen)
            self.scroll(min(max(wanted, 0.0), self.whole - self.seen) - self.offset)

    def paint(self, painter: QPainter) -> None:
        """Paint it in the brush of the painter."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(self.area, THICK / 2, THICK / 2)


HandleFinder = Callable[[QPoint], Handle | None]
"""The handle whose track is at a place in a view."""


class Grip:
    """What the mouse does to the handles of a text. Beside a handle, its middle comes to where the track is pressed."""

    def __init__(self, view: QTextBrowser) -> None:
        self.finders: list[HandleFinder] = []
        self._view = view
        self._pressed: QPoint | None = None
        """Where the handle was taken hold of, and where it is found again when the text grows meanwhile."""
        self._held = 0.0
        """How far from its left end."""
        self._is_over = False

    def takes(self, event: QEvent) -> bool:
        """Whether an event of the viewport was meant for a handle, which has followed it."""
        if not isinstance(event, QMouseEvent):
            return False
        kind, position = event.type(), event.position().toPoint()
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            return event.button() is Qt.MouseButton.LeftButton and self._press(position)
        if kind is QEvent.Type.MouseMove and self._pressed is None:
            self._hover(position)
            return False
        if self._pressed is None:
            return False
        if kind is QEvent.Type.MouseMove and (handle := self._find(self._pressed)):
            self._move(handle, position)
        elif kind is QEvent.Type.MouseButtonRelease:
            self._pressed = None
        return True

    def _press(self, position: QPoint) -> bool:
        handle = self._find(position)
        if handle is None:
            return False
        area = handle.area
        is_on_it = area.left() <= position.x() <= area.right()
        self._pressed, self._held = position, position.x() - area.left() if is_on_it else area.width() / 2
        self._move(handle, position)
        return True

    def _move(self, handle: Handle, position: QPoint) -> None:
        handle.move_to(position.x() - self._held)
        self._view.viewport().update()

    def _hover(self, position: QPoint) -> None:
        """Over a handle the pointer is an arrow."""
        was_over, self._is_over = self._is_over, self._find(position) is not None
        if self._is_over != was_over:
            is_link = bool(self._view.anchorAt(position))
            beside = Qt.CursorShape.PointingHandCursor if is_link else Qt.CursorShape.IBeamCursor
            self._view.viewport().setCursor(Qt.CursorShape.ArrowCursor if self._is_over else beside)

    def _find(self, position: QPoint) -> Handle | None:
        found = (find(position) for find in self.finders)
        return next((handle for handle in found if handle is not None), None)
