"""The first start: what this Mac is, one model that fits it, those that are here already, and the sample."""

from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.viewmodels.models.entries import Entry, Stage
from app.viewmodels.models.manager import Manager
from app.viewmodels.models.wording import USUAL_BYTES_PER_SECOND, machine_line, time_in_words
from app.widgets.models.model_card import ModelCard
from app.widgets.shared.arrange import FLUSH, Free, Gap, Placed, lay_column, lay_row
from app.widgets.shared.flow import Flow
from app.widgets.shared.look import Button, Label, Look

__all__ = ["WelcomeView"]

FEW = 3
"""So many models that are here are shown; the list of models has all."""

KEPT = 210
"""Pixels, at the usual text size, that are kept for what is not known yet: this Mac, a sentence and one model."""


class WelcomeView(QWidget):
    """Stands where examples stand otherwise, and blocks nothing: a message can be written beneath.

    Its buttons stand at the same place from the first moment, whatever comes above them.

    **Signals:** `asked` (Deed, Entry), `sample_requested`, `folder_requested`, `list_requested`.
    """

    asked = Signal(object, object)
    sample_requested = Signal()
    folder_requested = Signal()
    list_requested = Signal()

    def __init__(self, look: Look, manager: Manager) -> None:
        super().__init__()
        self._look = look
        self._manager = manager
        self.cards: dict[str, ModelCard] = {}
        self._gem = Label(alignment=Qt.AlignmentFlag.AlignCenter)
        self._gem.setPixmap(look.icons.pixmap("gem", None, QSize(60, 49)))
        self.title = Label("Welcome to Cabochon", alignment=Qt.AlignmentFlag.AlignCenter, wraps=True, name="emptyTitle")
        self.machine = Label(alignment=Qt.AlignmentFlag.AlignCenter, wraps=True, name="emptyDetail")
        self.advice = Label(alignment=Qt.AlignmentFlag.AlignCenter, wraps=True, role="caption")
        self.here = Label("On This Mac Already", role="section")
        self.sample_button = Button("Try the Sample Now", self.sample_requested, by_tab=True)
        self.folder_button = Button("I Already Have One…", self.folder_requested, by_tab=True)
        self.list_button = Button("All Models", self.list_requested, by_tab=True)
        self._buttons = Flow()
        self._known = QWidget()
        self._best = QVBoxLayout()
        self._here = QVBoxLayout()
        self._arrange()
        manager.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known of this Mac by now."""
        machine, best = self._manager.machine, self._manager.recommended
        self.machine.setText(machine_line(machine) if machine is not None else "Looking at this Mac…")
        shown = [best] if best is not None and best.stage is not Stage.ON_DISK else []
        here = [entry for entry in self._manager.usable if not entry.is_too_big][:FEW]
        self.advice.setText(self._advice(best, here))
        self.here.setVisible(bool(here))
        self._place(shown, here)

    def _advice(self, best: Entry | None, here: list[Entry]) -> str:
        if self._manager.machine is None:
            return ""
        if here:
            return "A model is here already. Use it, or get the one for this Mac."
        if best is None:
            return "No model of the family fits this Mac’s memory. The small sample that comes along always does."
        if best.stage is Stage.AVAILABLE:
            time = time_in_words(best.size_bytes / USUAL_BYTES_PER_SECOND)
            return (
                f"For pictures, sound and long texts Cabochon needs a model. This one fits: {time} at 100 Mbit/s, once."
            )
        return "You can write meanwhile: the small sample that comes along answers until it is there."

    def _place(self, best: list[Entry], here: list[Entry]) -> None:
        keys = {entry.key for entry in (*best, *here)}
        for key in [key for key in self.cards if key not in keys]:
            card = self.cards.pop(key)
            card.hide()
            card.deleteLater()
        for column, entries in ((self._best, best), (self._here, here)):
            for row, entry in enumerate(entries):
                if entry.key not in self.cards:
                    self.cards[entry.key] = card = ModelCard(self._look, entry)
                    card.asked.connect(self.asked)
                self.cards[entry.key].show_entry(entry)
                if column.indexOf(self.cards[entry.key]) != row:
                    column.insertWidget(row, self.cards[entry.key])
        stops = [stop for entry in (*best, *here) for stop in self.cards[entry.key].stops]
        buttons = (self.sample_button, self.folder_button, self.list_button)
        for one, other in pairwise((self.advice, *stops, *buttons)):  # a new widget is the window's last
            QWidget.setTabOrder(one, other)

    def _arrange(self) -> None:
        for button in (self.sample_button, self.folder_button, self.list_button):
            self._buttons.addWidget(button)
        known = (self.machine, self.advice, Gap(8), self._best, Gap(6), self.here, self._here, Free())
        lay_column(known, self._known, margins=FLUSH, spacing=6)
        upper = QWidget()
        lay_column([Free(), self._gem, self.title, self._known], upper, margins=FLUSH, spacing=6)
        middle = lay_row([Free(), self._buttons, Free()])
        lay_column([Placed(upper, 4), middle, Free()], self, margins=(8, 16, 8, 16), spacing=12)
        self._look.follow(self._keep_place)

    def _keep_place(self) -> None:
        self._known.setMinimumHeight(self._look.theme.pixels(KEPT))
