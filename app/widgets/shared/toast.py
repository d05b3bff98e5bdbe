"""A short note that goes away by itself, perhaps with a way back."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from app.viewmodels.shelf.retention import HELD_S
from app.widgets.shared.arrange import lay_row
from app.widgets.shared.dialogs import show_file
from app.widgets.shared.look import Button, Label
from app.widgets.shared.text_focus import can_undo, focused_field

__all__ = ["Toast"]

NOTE_MS = 2200
FILE_MS = 8000
UNDO_MS = 10_000
"""So long a note stands, here with a way back, which is open longer."""


@dataclass(frozen=True)
class _Offer:
    text: str
    deed: str
    undo: Callable[[], None]
    at: float = field(default_factory=time.time)
    """When it was made, in seconds since 1970: what was deleted goes by this clock too, also while the Mac sleeps."""

    @property
    def age_s(self) -> float:
        """Since it was made."""
        return time.time() - self.at


class _UndoKeys(QObject):
    """While it is `on`, keeps the field with the keyboard, in which nothing was typed, from claiming Undo's keys."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_on = False
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._follow)

    def turn(self, *, on: bool) -> None:
        """Begin, or end."""
        self._is_on = on
        self._follow(QApplication.focusWidget(), QApplication.focusWidget())

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Let the keys go to the command."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        is_ours = event.matches(QKeySequence.StandardKey.Undo) and not can_undo(focused_field())
        if is_ours:
            event.ignore()
        return is_ours

    def _follow(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None:
            before.removeEventFilter(self)
        if now is not None and self._is_on:
            now.installEventFilter(self)


class Toast(QFrame):
    """Floats above the composer. Where it offered a way back, Undo leads there from wherever nothing was typed, long
    after the note has gone.

    Offers lie upon each other: the last one is taken first. When the button that has the focus goes, `home` gets it.
    """

    def __init__(self, parent: QWidget, home: QWidget, above: Sequence[QWidget] = ()) -> None:
        """above: what it never covers, at the bottom of the parent."""
        super().__init__(parent)
        self._host = parent
        self._above = above
        self._home = home
        self.setObjectName("toast")
        self._keys = _UndoKeys(self)
        self._offers: list[_Offer] = []
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go)
        self._note = QTimer(self, singleShot=True, interval=NOTE_MS)
        self._note.timeout.connect(self._show)
        self.text = Label()
        self.undo_button = Button("Undo", self.take_back, by_tab=True)
        self._file: Path | None = None
        where = "Finder" if sys.platform == "darwin" else "Folder"
        self.file_button = Button(f"Show in {where}", self._show_file, by_tab=True)
        self._row = lay_row([self.text, self.undo_button, self.file_button], self, spacing=14)
        self.hide()
        parent.installEventFilter(self)

    def say(self, text: str, undo: Callable[[], None] | None = None, deed: str = "") -> None:
        """Show a note, with an Undo button when there is a way back from a deed: "Delete Conversation". A plain note
        lies over that a while.
        """
        self._file = None
        if undo is not None:
            self._offers = [offer for offer in self._offers if offer.undo is not undo]  # offered once more
            self._offers.append(_Offer(text, deed, undo))
            self._keys.turn(on=True)
            self._show()
        else:
            self.text.setText(text)
            self._appear(text)
            self._note.start(NOTE_MS)
        self._announce(text if undo is None else f"{text}. Undo brings it back.")

    def tell_of(self, text: str, file: Path) -> None:
        """Show a note about a file that was written, with a button that leads to it."""
        self.say(text)
        self._file = file
        self._appear(text)
        self._note.start(FILE_MS)

    @property
    def offered_at(self) -> float:
        """When the way back was offered that is taken first, in seconds since 1970; 0 for none."""
        return self._offers[-1].at if self._offers else 0.0

    @property
    def deed(self) -> str:
        """What is taken back first; empty for nothing."""
        is_open = bool(self._offers) and self._offers[-1].age_s < HELD_S
        return self._offers[-1].deed if is_open else ""

    @property
    def _left_ms(self) -> int:
        """So long the last offer is still shown."""
        return max(UNDO_MS - round(1000 * self._offers[-1].age_s), 0) if self._offers else 0

    def take_back(self) -> None:
        """Go the last way back, if one is offered."""
        self._offers = [offer for offer in self._offers if offer.age_s < HELD_S]
        if not self._offers:
            return
        offer, has_focus = self._offers.pop(), self.undo_button.hasFocus()
        self._show()
        if has_focus and not self._offers:
            (self._home if self._home.isVisible() else self._host).setFocus()
        offer.undo()

    def _show(self) -> None:
        """Show the last offer while it is new, or go."""
        self._note.stop()
        self._file = None
        if not self._left_ms:
            self._end()
            return
        text = self._offers[-1].text
        self.text.setText(text)
        self.undo_button.setAccessibleName(f"Undo: {text}")
        self._appear(text)
        self._timer.start(self._left_ms)

    def _appear(self, text: str) -> None:
        self.setAccessibleName(text)
        has_undo = bool(self._left_ms) and self._file is None
        self.undo_button.setVisible(has_undo)
        self.file_button.setVisible(self._file is not None)
        self._row.setContentsMargins(16, 8, 10 if has_undo or self._file else 16, 8)
        self.show()
        self.place()

    def place(self) -> None:
        """Stand at the bottom of the parent, in the middle."""
        self.adjustSize()
        seen = (each.mapTo(self._host, QPoint()).y() for each in self._above if each.isVisible())
        bottom = min(seen, default=self._host.height())
        self.move((self._host.width() - self.width()) // 2, bottom - self.height() - 14)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep its place."""
        if watched is self._host and event.type() == QEvent.Type.Resize and self.isVisible():
            self.place()
        return False

    def _show_file(self) -> None:
        if self._file is not None:
            show_file(self._file)

    def _go(self) -> None:
        """Go, but not from under the keyboard."""
        if self.undo_button.hasFocus():
            self._timer.start(UNDO_MS)
        else:
            self._end()

    def forget(self) -> None:
        """Nothing can be taken back any more."""
        self._offers.clear()
        self._end()

    def _end(self) -> None:
        """The note ends; the offers stay."""
        self.hide()
        self._timer.stop()
        if not self._offers:
            self._keys.turn(on=False)

    def _announce(self, text: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))
