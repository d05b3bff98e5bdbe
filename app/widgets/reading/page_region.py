"""A frame on a page: drawn with the pointer or moved with the keyboard, to be read again."""

from PySide6.QtCore import QPointF, QRectF, Qt

from engine import Box

__all__ = ["RegionFrame"]

NUDGE = 0.01
"""How far an arrow moves it, as a share of the page."""

ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class RegionFrame:
    """`box` is None where there is none; while it `is_open` the keyboard moves it."""

    def __init__(self) -> None:
        self.box: Box | None = None
        self.is_open = False
        self.is_given = False
        """Whether it is being read."""

    def open(self, box: Box | None) -> None:
        """Begin with this, or with the upper part of the page."""
        self.box = box or Box(0.1, 0.1, 0.9, 0.3)
        self.is_open, self.is_given = True, False

    def close(self) -> None:
        """There is none any more."""
        self.box, self.is_open, self.is_given = None, False, False

    def turn(self, degrees: int) -> None:
        """The page is turned by quarters, clockwise."""
        self.box = self.box and self.box.turned(degrees)

    def draw(self, page: QRectF, one: QPointF, other: QPointF) -> None:
        """Between two points of the window, as far as they are on the page."""
        self.is_open = self.is_given = False
        xs = sorted(within((point.x() - page.left()) / page.width(), 0.0, 1.0) for point in (one, other))
        ys = sorted(within((point.y() - page.top()) / page.height(), 0.0, 1.0) for point in (one, other))
        self.box = Box(xs[0], ys[0], xs[1], ys[1]) if xs[0] < xs[1] and ys[0] < ys[1] else None

    def move(self, key: int, *, grows: bool) -> None:
        """Let an arrow move it, or its lower right corner."""
        if self.box is None:
            return
        old = self.box
        dx = {Qt.Key.Key_Left: -NUDGE, Qt.Key.Key_Right: NUDGE}.get(Qt.Key(key), 0.0)
        dy = {Qt.Key.Key_Up: -NUDGE, Qt.Key.Key_Down: NUDGE}.get(Qt.Key(key), 0.0)
        if grows:
            right, bottom = within(old.right + dx, old.left, 1.0), within(old.bottom + dy, old.top, 1.0)
            self.box = Box(old.left, old.top, right, bottom)
        else:
            dx, dy = within(dx, -old.left, 1.0 - old.right), within(dy, -old.top, 1.0 - old.bottom)
            moved = (old.left + dx, old.top + dy, old.right + dx, old.bottom + dy)
            self.box = Box(*(within(edge, 0.0, 1.0) for edge in moved))


def within(value: float, least: float, most: float) -> float:
    """The value, or the bound that it is beyond."""
    return min(max(value, least), most)
