"""The models on this Mac at the top of the Model menu, which the chip in the header opens too."""

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from app.viewmodels.models.entries import Entry
from app.viewmodels.models.manager import Manager

__all__ = ["ModelMenu"]

MOST = 9
_VERDICTS = {"fits": "", "tight": " (tight)", "too_big": " (too big)"}


class ModelMenu(QObject):
    """Follows the Manager; the menu's own commands stand below.

    **Signals:** `chosen` (Entry).
    """

    chosen = Signal(object)

    def __init__(self, menu: QMenu, manager: Manager) -> None:
        super().__init__(menu)
        self._menu = menu
        self._manager = manager
        self._group = QActionGroup(self)
        self._shown: list[Entry] | None = None
        self._line = QAction(self)
        self._line.setSeparator(True)
        manager.changed.connect(self._follow)
        self._follow()

    @property
    def actions(self) -> list[QAction]:
        """One for each model."""
        return self._group.actions()

    def _follow(self) -> None:
        entries = list(self._manager.usable[:MOST])
        if entries == self._shown:
            return
        self._shown = entries
        for action in (*self.actions, self._line):
            self._menu.removeAction(action)
        for action in self.actions:
            self._group.removeAction(action)
            action.deleteLater()
        if entries:
            self._menu.insertAction(self._menu.actions()[0], self._line)
        names = [each.name for each in entries]
        for entry in entries:
            verdict = _VERDICTS[entry.fit.verdict] if entry.fit is not None else ""
            is_unique = names.count(entry.name) == 1
            where = "" if is_unique or entry.folder is None else f" in {entry.folder.parent.name}"
            action = QAction(f"{entry.name}{where}{verdict}".replace("&", "&&"), self)
            action.setMenuRole(QAction.MenuRole.NoRole)
            action.setCheckable(True)
            action.setChecked(entry.is_current)
            action.triggered.connect(partial(self._choose, entry.key))
            self._group.addAction(action)
            self._menu.insertAction(self._line, action)

    def _choose(self, key: str, _is_on: bool = False) -> None:
        entry = self._manager.entry(key)
        if entry is not None:
            self.chosen.emit(entry)
        self._shown = None
        self._follow()  # the mark stays with what is in use, whatever was chosen
