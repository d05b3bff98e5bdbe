"""What every widget needs to look right: the theme, the symbols, and buttons that follow both."""

import html
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt, SignalInstance
from PySide6.QtGui import QCursor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QToolButton, QWidget

from app.background import Soon
from app.look.colors import Colors
from app.look.icons import Icons
from app.look.theme import Theme
from app.look.typesetting import Typesetter

__all__ = ["Button", "GhostButton", "IconButton", "Label", "Look", "give_role", "let_go_after", "mark", "show_tip"]

_DONE_MS = 1500


@dataclass(frozen=True)
class Look:
    """The theme, the symbols and what sets code and formulas, handed to every widget."""

    theme: Theme
    icons: Icons
    typesetter: Typesetter = field(default_factory=Typesetter)

    def side(self, usual: int) -> int:
        """Of a symbol in pixels, at the present size of text."""
        return self.theme.symbol(usual)

    def follow(self, restyle: Callable[[], None]) -> None:
        """Call `restyle`, a widget's method, now and whenever the theme changes."""
        restyle()
        self.theme.changed.connect(restyle)


def give_role(widget: QWidget, role: str) -> None:
    """Mark a widget for the style sheet."""
    mark(widget, "role", role)


def mark(widget: QWidget, name: str, value: str | bool) -> None:
    """Set a property that the style sheet asks for; a widget that it was applied to already is styled anew."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
            widget.style().unpolish(widget)
            widget.style().polish(widget)


def let_go_after(menu: QMenu, button: QWidget) -> None:
    """Let a button know that the pointer is elsewhere when its menu goes: Qt tells it with the pointer's next move."""

    def let_go() -> None:
        if not button.rect().contains(button.mapFromGlobal(QCursor.pos())):
            QCoreApplication.sendEvent(button, QEvent(QEvent.Type.Leave))

    menu.aboutToHide.connect(let_go)


def show_tip(widget: QWidget, text: str) -> None:
    """Set a tooltip that is never taken for markup, whatever a file is called; who listens hears it without any."""
    is_name = text == widget.accessibleName()
    widget.setAccessibleDescription(" " if is_name else text)  # of none at all Qt makes the tooltip, as it is written
    lines = html.escape(text).replace("\n", "<br>")
    widget.setToolTip(f"<span>{lines}</span>")


class Label(QLabel):
    """Text that is never taken for markup, whoever wrote it. The only kind of label in the window."""

    def __init__(
        self,
        text: str = "",
        *,
        role: str = "",
        name: str = "",
        alignment: Qt.AlignmentFlag | None = None,
        wraps: bool = False,
    ) -> None:
        """`role` and `name` are for the style sheet."""
        super().__init__(text, textFormat=Qt.TextFormat.PlainText, wordWrap=wraps)
        self.setObjectName(name)
        if role:
            give_role(self, role)
        if alignment is not None:
            self.setAlignment(alignment)


class Button(QPushButton):
    """A button with words, and what it does; `name` is spoken where the words alone say too little.

    `by_tab`: a click leaves the keyboard where it is.
    """

    def __init__(
        self,
        text: str = "",
        does: Callable[..., object] | SignalInstance | None = None,
        *,
        name: str = "",
        role: str = "",
        by_tab: bool = False,
    ) -> None:
        super().__init__(text)
        self.setAccessibleName(name)
        if role:
            give_role(self, role)
        if by_tab:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if does is not None:
            self.clicked.connect(does)


class IconButton(QToolButton):
    """A button that is only a symbol; its name is its tooltip and its accessible name."""

    def __init__(
        self,
        look: Look,
        icon: str,
        name: str,
        side: int = 30,
        color: Callable[[Colors], str] | None = None,
        parent: QWidget | None = None,
        does: Callable[..., object] | SignalInstance | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._icon = icon
        self._color = color or (lambda colors: colors.secondary)
        self._side = side
        self._done = Soon(self, _DONE_MS, self._restyle)
        if does is not None:
            self.clicked.connect(does)
        self.rename(name)
        look.follow(self._restyle)

    def setMenu(self, menu: QMenu) -> None:
        """Open a menu, after which it looks as it did before."""
        super().setMenu(menu)
        let_go_after(menu, self)

    def rename(self, name: str, icon: str | None = None) -> None:
        """Say what the button does now."""
        if (name, icon or self._icon) == (self.accessibleName(), self._icon):
            return
        self._icon = icon or self._icon
        self.setAccessibleName(name)
        show_tip(self, name)
        self._restyle()

    def show_done(self) -> None:
        """Show for a moment, where somebody looks just now, that it was done."""
        self._done.start()
        self._restyle()

    def open_menu(self) -> None:
        """Open its menu below it, without waiting for what is chosen there."""
        self.menu().popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _restyle(self) -> None:
        side = self._look.side(self._side)
        self.setFixedSize(side, side)
        self.setIconSize(QSize(round(side * 0.6), round(side * 0.6)))
        colors = self._look.theme.colors
        color = self._color(colors)
        off_color = colors.dimmed if color == colors.secondary else colors.secondary
        icon = "check" if self._done.isActive() else self._icon
        self.setIcon(self._look.icons.icon(icon, color, off_color))


class GhostButton(IconButton):
    """A symbol that shows itself when the pointer is over its host, the keyboard is on it, or it `is_kept`."""

    def __init__(self, look: Look, icon: str, name: str, host: QWidget, side: int = 26) -> None:
        super().__init__(look, icon, name, side, parent=host)
        self._host = host
        self.is_kept = False
        host.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint nothing unless it is wanted; it stays reachable by Tab."""
        if self.isEnabled() and (self.is_kept or self._host.underMouse() or self.hasFocus()):
            super().paintEvent(event)
        else:
            QPainter(self).end()
