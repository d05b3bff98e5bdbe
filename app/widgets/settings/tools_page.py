"""The page of the settings window for what the model may do besides writing."""

from functools import partial

from PySide6.QtCore import QSignalBlocker

from app.viewmodels.conversation.tools import Toolbox
from app.viewmodels.settings.preferences import Preferences
from app.widgets.settings.folder_list import FolderList
from app.widgets.settings.settings_pages import SettingsPage
from app.widgets.shared.dialogs import ask_for_folder
from app.widgets.shared.form import CheckBox
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
        self.folders = FolderList(look, "that the model may read")
        self.add_gap()
        self.add("Folders", self.folders, named=self.folders.list)
        self.folders.add_requested.connect(
            lambda: ask_for_folder(self, "Choose a Folder to Read", preferences.allow_reading)
        )
        self.folders.remove_requested.connect(preferences.forget_reading)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        for name, switch in self.switches.items():
            with QSignalBlocker(switch):
                switch.setChecked(self._toolbox.is_on(name))
        self.folders.show_paths(self.settings.readable_paths)
