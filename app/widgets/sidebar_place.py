"""Where the conversations stand: beside what is open, or over it where a window is too narrow for both."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QWidget

from app.look.theme import Theme
from app.widgets.sidebar import Sidebar

__all__ = ["ROOM_FOR_SIDEBAR", "WIDTH_BESIDE", "SidebarPlace"]

ROOM_FOR_SIDEBAR = 720
"""Pixels of a window; in a narrower one the conversations lie over what is open, for as long as they are wanted."""

WIDTH_BESIDE = 236
"""Pixels, until a person wants more or less."""

_WIDTH_ABOVE, _LEFT_FREE = 280, 60
_DIM = QColor(0, 0, 0, 70)


class SidebarPlace(QObject):
    """Moves the sidebar between the splitter and the room above it. `home` has the keyboard when it is put away.

    **Signals:** `moved`, when it was shown or put away above.
    """

    moved = Signal()

    def __init__(self, theme: Theme, window: QMainWindow, halves: QSplitter, sidebar: Sidebar, home: QWidget) -> None:
        super().__init__(window)
        self._home = home
        self._theme = theme
        self._window = window
        self._halves = halves
        self._sidebar = sidebar
        self.is_shown = True
        """Whether it is seen, beside or above."""
        self._is_wanted_above = False
        self._width_beside = WIDTH_BESIDE
        """In pixels, as a person wants it: a narrow window gives it less."""
        self._curtain = _Curtain(window, self.put_away)
        halves.splitterMoved.connect(self._note_width)
        halves.installEventFilter(self)

    @property
    def is_narrow(self) -> bool:
        """Whether there is no room beside."""
        return self._window.width() < self._theme.symbol(ROOM_FOR_SIDEBAR)

    @property
    def is_above(self) -> bool:
        """Whether it lies over what is open."""
        return self.is_narrow and self._is_wanted_above

    def lay_above(self) -> None:
        """Show it over what is open, until it is put away."""
        self._is_wanted_above = True
        self.arrange(is_wanted=False)
        self._sidebar.take_focus()
        self.moved.emit()

    def put_away(self) -> None:
        """Show what it lies over, which has the keyboard again."""
        if self._is_wanted_above:
            self._is_wanted_above = False
            self.arrange(is_wanted=False)
            self._home.setFocus()
            self.moved.emit()

    def arrange(self, *, is_wanted: bool) -> None:
        """Put it where there is room; `is_wanted` where that is beside."""
        is_inside = self._halves.indexOf(self._sidebar) >= 0
        if self.is_narrow and is_inside:
            self._sidebar.setParent(self._window)
        elif not self.is_narrow and not is_inside:
            self._is_wanted_above = False
            self._halves.insertWidget(0, self._sidebar)
            self._halves.setCollapsible(0, False)
        self.is_shown = self._is_wanted_above if self.is_narrow else is_wanted
        self._sidebar.setVisible(self.is_shown)
        if self.is_shown and not self.is_narrow and self._halves.sizes()[0] != self._width_beside:
            self._halves.setSizes([self._width_beside, max(self._halves.width() - self._width_beside, 1)])
        self._curtain.setVisible(self.is_above)
        if self.is_above:
            room = self._halves.geometry()
            self._curtain.setGeometry(room)
            self._sidebar.setGeometry(
                room.adjusted(0, 0, min(self._theme.symbol(_WIDTH_ABOVE), room.width() - _LEFT_FREE) - room.width(), 0)
            )
            self._curtain.raise_()
            self._sidebar.raise_()

    def _note_width(self) -> None:
        self._width_beside = self._halves.sizes()[0]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the size of what it lies over."""
        if event.type() == QEvent.Type.Resize and self.is_above:
            self.arrange(is_wanted=False)
        return super().eventFilter(watched, event)


class _Curtain(QWidget):
    """Dims what is behind; a click puts away what stands before it."""

    def __init__(self, window: QMainWindow, leave: Callable[[], None]) -> None:
        super().__init__(window)
        self._leave = leave
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """Leave."""
        self._leave()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Dim."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _DIM)
        painter.end()
