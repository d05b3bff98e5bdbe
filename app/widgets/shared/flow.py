"""A row that goes on below where it has no room, so that nothing in it is cut."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem

__all__ = ["Flow"]


class Flow(QLayout):
    """Things beside each other, each as wide as it wants to be; what wants more shares what is left of its line."""

    def __init__(self, spacing: int = 8, *, is_at_end: bool = False) -> None:
        """`is_at_end`: what a line leaves free is left free before it."""
        super().__init__()
        self._is_at_end = is_at_end
        self._items: list[QLayoutItem] = []
        self._heights: dict[int, int] = {}
        """By width, as far as they were asked for since something in it changed."""
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def addItem(self, item: QLayoutItem) -> None:
        """Put it at the end."""
        self._items.append(item)
        self.invalidate()

    def count(self) -> int:
        """As many as there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """One of them."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Take one of them out."""
        self.invalidate()
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def invalidate(self) -> None:
        """Something in it changed: Qt says so for each change, and asks for heights far more often."""
        self._heights.clear()
        super().invalidate()

    def expandingDirections(self) -> Qt.Orientation:
        """It takes no more than it needs."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """Narrower is taller."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Of all its lines."""
        if width not in self._heights:
            self._heights[width] = self._height_of(width)
        return self._heights[width]

    def _height_of(self, width: int) -> int:
        margins = self.contentsMargins()
        heights = [_height(line) for line in self._lines(width - margins.left() - margins.right())]
        spacing = self.spacing() * max(len(heights) - 1, 0)
        return sum(heights) + spacing + margins.top() + margins.bottom()

    def minimumSize(self) -> QSize:
        """Of its widest thing."""
        sizes = [item.minimumSize() for item in self._shown]
        margins = self.contentsMargins()
        width = max((size.width() for size in sizes), default=0) + margins.left() + margins.right()
        return QSize(width, max((size.height() for size in sizes), default=0) + margins.top() + margins.bottom())

    def sizeHint(self) -> QSize:
        """All of it in one line."""
        margins, shown = self.contentsMargins(), self._shown
        width = _width(shown, self.spacing()) + margins.left() + margins.right()
        height = max((item.sizeHint().height() for item in shown), default=0)
        return QSize(width, height + margins.top() + margins.bottom())

    def setGeometry(self, rect: QRect) -> None:
        """Place everything."""
        super().setGeometry(rect)
        area = self.contentsRect()
        top = area.top()
        for line in self._lines(area.width()):
            height, left = _height(line), area.left()
            if self._is_at_end:
                left += max(0, area.width() - sum(width for _, width in line) - self.spacing() * (len(line) - 1))
            for item, width in line:
                item.setGeometry(QRect(left, top, width, height))
                left += width + self.spacing()
            top += height + self.spacing()

    @property
    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lines(self, width: int) -> list[list[tuple[QLayoutItem, int]]]:
        """Each thing with its width."""
        lines: list[list[QLayoutItem]] = []
        for item in self._shown:
            if lines and _width([*lines[-1], item], self.spacing()) <= width:
                lines[-1].append(item)
            else:
                lines.append([item])
        return [self._shared_out(line, width) for line in lines]

    def _shared_out(self, line: list[QLayoutItem], width: int) -> list[tuple[QLayoutItem, int]]:
        num_growing = sum(map(_grows, line))
        more = max(width - _width(line, self.spacing()), 0) // max(num_growing, 1)
        return [(item, min(item.sizeHint().width() + more * _grows(item), width)) for item in line]


def _grows(item: QLayoutItem) -> bool:
    return bool(item.expandingDirections() & Qt.Orientation.Horizontal)


def _width(items: list[QLayoutItem], spacing: int) -> int:
    return sum(item.sizeHint().width() for item in items) + spacing * max(len(items) - 1, 0)


def _height(line: list[tuple[QLayoutItem, int]]) -> int:
    heights = (
        item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height() for item, width in line
    )
    return max(heights, default=0)
