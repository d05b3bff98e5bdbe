"""The list of models: the one for this Mac first, then those that are here, then those that could be."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.look.theme import COLUMN_WIDTH
from app.viewmodels.models.entries import Entry, Group
from app.viewmodels.models.manager import Manager
from app.viewmodels.models.wording import machine_line
from app.widgets.models.model_card import ModelCard
from app.widgets.shared.arrange import FLUSH, Free, Placed, fill, lay_column, lay_middle, lay_row
from app.widgets.shared.elided import ElidedLabel
from app.widgets.shared.look import Button, IconButton, Label, Look, give_role
from app.widgets.shared.toast import Toast

__all__ = ["ModelsView"]

FEW = 4
"""So many more models are shown before somebody asks for all."""


_ALWAYS = (Group.RECOMMENDED, Group.HERE)


class ModelsView(QWidget):
    """Shows the Manager's entries.

    **Signals:** `asked` (Deed, Entry), `folder_requested` (somebody wants to add one).
    """

    asked = Signal(object, object)
    folder_requested = Signal()

    def __init__(self, look: Look, manager: Manager) -> None:
        super().__init__()
        self._look = look
        self._manager = manager
        self._shows_all = False
        self.cards: dict[str, ModelCard] = {}
        self._order: list[tuple[Group, list[str]]] = []
        self.sidebar_button = IconButton(look, "sidebar", "Show or hide the conversations", side=32)
        self.back_button = IconButton(look, "chevron-left", "Back to the conversation", side=32)
        self.state = ElidedLabel(role="caption")
        self.folder_button = Button(
            "Add Folder…", self.folder_requested, name="Look for models in another folder", by_tab=True
        )
        self.all_button = Button(does=self._show_all, by_tab=True)
        self._headings = {group: Label(group.value) for group in Group}
        for heading in self._headings.values():
            give_role(heading, "section")
        self.empty = Label("Looking at this Mac…", alignment=Qt.AlignmentFlag.AlignCenter, role="caption")
        self.area = QScrollArea()
        self._column = QVBoxLayout()
        self._arrange()
        self.toast = Toast(self, self.back_button)
        self.back_button.clicked.connect(lambda: manager.show(False))
        manager.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the models as they are now; a card that stays keeps its place and the keyboard."""
        machine = self._manager.machine
        self.state.setText(machine_line(machine) if machine is not None else "")
        entries = self._manager.entries
        more = [entry for entry in entries if entry.group is Group.MORE]
        few = [entry for entry in more if not entry.is_too_big][:FEW] or more[:FEW]
        few += [entry for entry in entries if entry.group is Group.UNUSABLE][:FEW]
        shown = [entry for entry in entries if self._shows_all or entry.group in _ALWAYS or entry in few]
        self.all_button.setText(f"Show All {len(entries):,} Models")
        self.all_button.setVisible(len(shown) < len(entries))
        for entry in shown:
            if entry.key in self.cards:
                self.cards[entry.key].show_entry(entry)
        order = [(group, [entry.key for entry in shown if entry.group is group]) for group in Group]
        if order != self._order:
            self._order = order
            self._place(shown)
        self.empty.setVisible(not shown)

    @property
    def home(self) -> QWidget:
        """What the keyboard goes to: the model that is in use, or the first."""
        cards = self._visible_cards
        return next((card for card in cards if card.entry.is_current), cards[0] if cards else self.back_button)

    def _take_focus(self) -> None:
        self.home.setFocus()

    @property
    def _visible_cards(self) -> list[ModelCard]:
        return [self.cards[key] for _, keys in self._order for key in keys]

    def _place(self, shown: list[Entry]) -> None:
        keys = {entry.key for entry in shown}
        focused = next((card for card in self.cards.values() if card.hasFocus()), None)
        for key in [key for key in self.cards if key not in keys]:
            card = self.cards.pop(key)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for entry in shown:
            if entry.key not in self.cards:
                card = self.cards[entry.key] = ModelCard(self._look, entry)
                card.asked.connect(self.asked)
                card.stepped.connect(lambda steps, card=card: self._step(card, steps))
        row = 0
        previous: QWidget = self.folder_button
        for group, group_keys in self._order:
            heading = self._headings[group]
            heading.setVisible(bool(group_keys))
            for widget in (heading, *(self.cards[key] for key in group_keys)):
                self._column.insertWidget(row, widget)
                row += 1
            if group is Group.MORE:
                self._column.insertWidget(row, self.all_button)
                row += 1
            stops = [stop for key in group_keys for stop in self.cards[key].stops]
            for stop in stops:
                QWidget.setTabOrder(previous, stop)
                previous = stop
        if focused is not None and focused.entry.key not in self.cards:
            QTimer.singleShot(0, self, self._take_focus)

    def _step(self, card: ModelCard, steps: int) -> None:
        cards = self._visible_cards
        there = cards[min(max(cards.index(card) + steps, 0), len(cards) - 1)]
        there.setFocus(Qt.FocusReason.TabFocusReason)
        self.area.ensureWidgetVisible(there, 0, 20)

    def _show_all(self) -> None:
        self._shows_all = True
        self.refresh()

    def _arrange(self) -> None:
        title = Label("Models", role="section")
        names = lay_column([title, self.state], spacing=1)
        head = lay_row(
            [self.sidebar_button, self.back_button, Placed(names, 1), self.folder_button],
            margins=(12, 8, 16, 6),
            spacing=6,
        )
        holder = QWidget()
        inside = QWidget()
        inside.setLayout(self._column)
        fill(self._column, [self.empty, Free()], margins=(0, 4, 0, 20), spacing=8)
        lay_middle(inside, COLUMN_WIDTH + 60, holder, margins=(16, 0, 16, 0))
        self.area.setWidget(holder)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        lay_column([head, Placed(self.area, 1)], self, margins=FLUSH, spacing=0)
