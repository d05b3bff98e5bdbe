"""What reaches the window from outside it: the Dock's menu, a notification, a question of another conversation."""

from PySide6.QtCore import QCoreApplication, QObject, SignalInstance
from PySide6.QtGui import QGuiApplication

from app.viewmodels.reading.reader import Reader
from app.viewmodels.shelf.library import Library
from app.viewmodels.shelf.notices import DOCUMENTS, Notices
from app.viewmodels.shelf.shelf import Shelf
from app.widgets.dock_menu import DockMenu
from app.widgets.main_window import MainWindow

__all__ = ["OutsideGestures"]


class OutsideGestures(QObject):
    """Lives as long as its window. `notice_chosen` tells the conversation whose notification was clicked."""

    def __init__(
        self,
        window: MainWindow,
        library: Library,
        shelf: Shelf,
        reader: Reader,
        notices: Notices,
        notice_chosen: SignalInstance,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._library = library
        self._reader = reader
        self._notices = notices
        dock = DockMenu(window, shelf)
        dock.new_requested.connect(self.begin)
        dock.open_requested.connect(self.open)
        notice_chosen.connect(self._open_chosen)
        notices.changed.connect(lambda: window.question.show_text(notices.question))
        window.question.add_action("Show").clicked.connect(notices.show_asking)
        window.presence_changed.connect(self._watch)
        application = QCoreApplication.instance()
        if isinstance(application, QGuiApplication):
            application.applicationStateChanged.connect(self._watch)
        self._watch()

    def begin(self, is_temporary: bool) -> None:
        """Come forward with a new conversation."""
        self._window.come_forward()
        self._window.commands["new_temporary" if is_temporary else "new"].trigger()

    def open(self, conversation_id: str) -> None:
        """Come forward with this conversation."""
        self._window.come_forward()
        self._library.open(conversation_id)
        self._window.composer.editor.setFocus()

    def _open_chosen(self, told: str) -> None:
        """What a notification was about."""
        if told == DOCUMENTS:
            self._window.come_forward()
            self._reader.show(True, is_listing=True)
        else:
            self.open(told)

    def _watch(self) -> None:
        self._notices.watch(self._window.is_present)
