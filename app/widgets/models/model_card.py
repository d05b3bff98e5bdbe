"""One model: what it is, how it stands, whether it fits, and what can be done with it."""

from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from app.viewmodels.models.entries import Deed, Entry, Group, Stage
from app.widgets.shared.arrange import Free, Placed, fill, lay_column, lay_row
from app.widgets.shared.elided import ElidedLabel
from app.widgets.shared.keys import is_delete
from app.widgets.shared.look import Button, IconButton, Label, Look, give_role
from app.widgets.shared.tiles import paint_share

__all__ = ["ModelCard"]

SIDE_BY_SIDE = 520
"""Below this width the buttons stand under the words."""

_NAME = 130
"""Pixels of a name that are always shown."""


class ModelCard(QFrame):
    """Shows an Entry. Return does what its first button does, Delete asks about the Trash, arrows go to its neighbours.

    **Signals:** `asked` (Deed, Entry), `stepped` (-1 or 1: the card before or behind is wanted).
    """

    asked = Signal(object, object)
    stepped = Signal(int)

    def __init__(self, look: Look, entry: Entry) -> None:
        super().__init__()
        self.entry = entry
        self._look = look
        give_role(self, "modelCard")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.name = ElidedLabel(role="name", least=lambda: look.theme.pixels(_NAME))
        self.form = ElidedLabel(role="caption")
        self.badge = Label(role="badge")
        self.about, self.senses = Label(wraps=True), Label(wraps=True)
        self.line, self.fit = Label(wraps=True), Label(wraps=True)
        give_role(self.senses, "caption")
        self.share = _Share(look)
        self.buttons: dict[Deed, QPushButton] = {}
        self.menu_button = IconButton(look, "more", "More about this model", side=28)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.menu_button.setMenu(self.menu)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._buttons = QHBoxLayout()
        self._arrange()
        self.show_entry(entry)

    def show_entry(self, entry: Entry) -> None:
        """Show how it stands now."""
        self.entry = entry
        self.setAccessibleName(entry.spoken)
        self.name.setText(entry.title)
        self.form.setText(entry.form)
        self.badge.setText("In use" if entry.is_current else "Recommended")
        self.badge.setVisible(entry.is_current or (entry.is_recommended and entry.group is not Group.RECOMMENDED))
        self.about.setText(entry.good_for)
        self.senses.setText(entry.senses)
        for label in (self.about, self.senses):
            label.setVisible(bool(entry.good_for) and bool(label.text()))
        self.line.setText(entry.line)
        give_role(self.line, "danger" if entry.stage is Stage.FAILED else "caption")
        self.fit.setText(entry.fit_line)
        self.fit.setVisible(bool(entry.fit_line) and entry.stage is not Stage.WORKING)
        verdict = entry.fit.verdict if entry.fit is not None else "fits"
        give_role(self.fit, {"fits": "good", "tight": "caution", "too_big": "danger"}[verdict])
        self.share.show_share(entry.share)
        self._show_deeds()

    @property
    def stops(self) -> list[QWidget]:
        """What the keyboard goes through, in order."""
        return [self, *(self.buttons[deed] for deed in self.entry.deeds), self.menu_button]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give the keys their meaning."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.entry.deeds:
            self.asked.emit(self.entry.deeds[0], self.entry)
        elif event.key() in steps:
            self.stepped.emit(steps[Qt.Key(event.key())])
        elif Deed.TRASH in self.entry.further_deeds and is_delete(event):
            self.asked.emit(Deed.TRASH, self.entry)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show the menu wherever the pointer is."""
        if not self.menu.isEmpty():
            self.menu.popup(event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack words and buttons in a narrow window."""
        super().resizeEvent(event)
        is_wide = event.size().width() >= self._look.theme.pixels(SIDE_BY_SIDE)
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)

    def _show_deeds(self) -> None:
        deeds = self.entry.deeds
        for deed, button in self.buttons.items():
            button.setVisible(deed in deeds)
        for deed in deeds:
            if deed not in self.buttons:
                self.buttons[deed] = button = Button(deed.value, partial(self._ask, deed), by_tab=True)
                self._buttons.insertWidget(deeds.index(deed), button)
            self.buttons[deed].setAccessibleName(f"{deed.value.removesuffix('…')}: {self.entry.name}")
            is_first = deed is Deed.GET and self.entry.is_recommended
            give_role(self.buttons[deed], "primary" if is_first else "")
        further = [deed.value for deed in self.entry.further_deeds]
        if [action.text() for action in self.menu.actions()] != further:  # an open menu stays as it is
            self.menu.clear()
            for deed in self.entry.further_deeds:
                self.menu.addAction(deed.value, partial(self._ask, deed))
        self.menu_button.setVisible(bool(self.entry.further_deeds))
        self.menu_button.rename(f"More: {self.entry.name}")

    def _ask(self, deed: Deed) -> None:
        self.asked.emit(deed, self.entry)

    def _arrange(self) -> None:
        head = lay_row([self.name, self.form, self.badge, Free()], spacing=8)
        words = lay_column([head, self.about, self.senses, self.line, self.fit, self.share], spacing=3)
        fill(self._buttons, [self.menu_button, Free()], spacing=6)
        beside = lay_column([self._buttons, Free()])
        fill(self._row, [Placed(words, 1), beside], margins=(16, 12, 12, 12), spacing=10)


class _Share(QWidget):
    """How much of something is done, as a line."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._share = 0.0
        self.setFixedHeight(7)
        self.hide()
        look.theme.changed.connect(self.update)

    def show_share(self, share: float | None) -> None:
        """Show so much, from 0 to 1, or nothing."""
        self.setVisible(share is not None)
        self._share = min(max(share or 0.0, 0.0), 1.0)
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(120, 7)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the track, and over it what is done."""
        colors = self._look.theme.colors
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_share(painter, QRectF(0, 1, self.width(), 5), self._share, colors.accent, colors.hairline)
