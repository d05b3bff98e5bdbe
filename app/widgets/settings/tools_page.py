"""The page of the settings window for what the model may do besides writing."""

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QListWidget, QPushButton

from app.viewmodels.conversation.tools import Toolbox
from app.viewmodels.settings.preferences import Preferences
from app.widgets.settings.settings_pages import SettingsPage
from app.widgets.shared.dialogs import ask_for_folder
from app.widgets.shared.form import CheckBox, side_by_side
from app.widgets.shared.look import Look

__all__ = ["ToolsPage"]


class ToolsPage(SettingsPage):
    """Which tools are on, and the folders that those which read may read in."""

    def __init__(self, look: Look, preferences: Preferences, toolbox: Toolbox) -> None:
        super().__init__(look, preferences)
        self._toolbox = toolbox
        self.switches = {each.tool.name: CheckBox(look, each.title) for each in toolbox.all}
        for number, each in enumerate(toolbox.all):
            switch = self.switches[each.tool.name]
            switch.toggled.connect(partial(toolbox.turn, each.tool.name))
            self.add("" if number else "The model may use", switch)
            self.add_note(each.explanation)
        self.folders = QListWidget()
        self.folders.setFixedSize(380, 84)
        self.folders.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.folders.setTabKeyNavigation(False)
        self.add_button = QPushButton("Add…")
        self.add_button.setAccessibleName("Add a folder that the model may read")
        self.remove_button = QPushButton("Remove")
        self.remove_button.setAccessibleName("Remove the chosen folder")
        self.add_gap()
        self.add("Folders", self.folders)
        self.add("", side_by_side(self.add_button, self.remove_button))
        self.add_button.clicked.connect(
            lambda: ask_for_folder(self, "Choose a Folder to Read", preferences.allow_reading)
        )
        self.remove_button.clicked.connect(self._remove)
        self.folders.itemSelectionChanged.connect(self._enable)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        for name, switch in self.switches.items():
            with QSignalBlocker(switch):
                switch.setChecked(self._toolbox.is_on(name))
        paths = self.settings.readable_paths
        if [self.folders.item(row).text() for row in range(self.folders.count())] != list(paths):
            self.folders.clear()
            self.folders.addItems(paths)
            self.folders.setCurrentRow(len(paths) - 1)
        self._enable()

    def _remove(self) -> None:
        for item in self.folders.selectedItems():
            self.preferences.forget_reading(item.text())

    def _enable(self) -> None:
        self.remove_button.setEnabled(bool(self.folders.selectedItems()))
