"""Opens the settings window and the export sheet, and tells the rest of the window what was chosen there."""

from PySide6.QtCore import QObject

from app.viewmodels.conversation.exporting import Exporter
from app.viewmodels.settings.preferences import Preferences
from app.widgets.export_sheet import ExportSheet
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.settings.settings_pages import ModelPage
from app.widgets.settings.settings_window import SettingsWindow
from app.widgets.shared.dialogs import ask_for_model
from app.widgets.shared.look import Look

__all__ = ["SettingsGestures"]


class SettingsGestures(QObject):
    """Lives as long as its window."""

    def __init__(
        self, window: MainWindow, look: Look, models: ViewModels, preferences: Preferences, exporter: Exporter
    ) -> None:
        super().__init__(window)
        self._window = window
        self._look = look
        self._conversation = models.conversation
        self._reader = models.reader
        self._recordings = models.recordings
        self._toolbox = models.toolbox
        self._aloud = models.aloud
        self._preferences = preferences
        self._exporter = exporter
        self._model = models.model
        self._manager = models.manager
        self._settings_window: SettingsWindow | None = None
        window.commands["settings"].triggered.connect(self.show_settings)
        window.commands["export"].triggered.connect(self.export)
        preferences.changed.connect(self._follow)
        exporter.said.connect(window.toast.say)
        exporter.exported.connect(window.toast.tell_of)
        self._follow()

    def show_settings(self) -> None:
        """Open the settings window, or bring it to the front."""
        if self._settings_window is None:
            self._settings_window = settings = SettingsWindow(
                self._window, self._look, self._preferences, self._toolbox, self._aloud.voices
            )
            settings.model.furnish(self._follow_page)
        self._settings_window.show()
        self._settings_window.activateWindow()

    def _follow_page(self, page: ModelPage) -> None:
        page.choose_requested.connect(lambda: ask_for_model(page.window(), self._preferences.choose_model))
        page.list_requested.connect(self._show_models)
        page.sample_requested.connect(lambda: self._preferences.choose_model(None))
        self._model.changed.connect(lambda: page.show_refusal(self._model.refusal))
        page.show_refusal(self._model.refusal)

    def _show_models(self) -> None:
        self._window.come_forward()
        self._manager.show(True)

    def export(self) -> None:
        """Ask in which form, and write the file: of the document or the recording that is seen, or what was said."""
        if self._reader.is_shown:
            self._window.reading.header.share_button.open_menu()
        elif self._recordings.is_shown:
            self._window.recording.save_button.open_menu()
        elif self._conversation.turns:
            ExportSheet(self._window, self._look, self._exporter).open()

    def _follow(self) -> None:
        """Let the menus and the composer follow what was chosen in the settings window."""
        settings, thoughts = self._preferences.settings, self._window.commands["show_thoughts"]
        self._window.composer.editor.return_sends = settings.return_sends
        self._window.messages.show_choices()
        if thoughts.isChecked() != settings.shows_thoughts:
            thoughts.setChecked(settings.shows_thoughts)
            self._conversation.show_thoughts(settings.shows_thoughts)
