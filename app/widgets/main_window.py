"""The window: arranges the views, owns the menus, takes drops. What anything means is decided elsewhere."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from app.settings import Settings
from app.theme import COLUMN_WIDTH
from app.thumbnails import Thumbnails
from app.viewmodels.composer import Composer
from app.viewmodels.conversation import Conversation
from app.viewmodels.intake import announce, read_offer
from app.viewmodels.model import Model
from app.viewmodels.status import Status
from app.viewmodels.voice import Voice
from app.widgets.banner import Banner
from app.widgets.composer_view import ComposerView
from app.widgets.drop_overlay import DropOverlay
from app.widgets.header import Header
from app.widgets.look import Look
from app.widgets.menus import Actions, fill_menu_bar
from app.widgets.message_list import MessageList
from app.widgets.toast import Toast

__all__ = ["MainWindow", "ViewModels"]


@dataclass(frozen=True)
class ViewModels:
    """Everything the window shows."""

    model: Model
    conversation: Conversation
    composer: Composer
    status: Status
    voice: Voice


class MainWindow(QMainWindow):
    """One conversation and its composer."""

    def __init__(self, look: Look, thumbnails: Thumbnails, settings: Settings, models: ViewModels) -> None:
        super().__init__()
        self._settings = settings
        self._models = models
        self.setWindowTitle("Cabochon")
        self.setMinimumSize(460, 520)
        self.resize(920, 740)
        self.setAcceptDrops(True)
        self.commands = Actions(self)
        model_menu = fill_menu_bar(self.menuBar(), self.commands)
        self.header = Header(look, models.status, model_menu)
        self.messages = MessageList(look, thumbnails, models.conversation)
        self.failure = Banner(look, "error", "warning", is_dismissable=False)
        self.notice = Banner(look, "notice", "info", is_dismissable=True)
        self.composer = ComposerView(look, thumbnails, models.composer, models.conversation, models.voice)
        self._central = QWidget()
        self._arrange()
        self.toast = Toast(self.messages)
        self.overlay = DropOverlay(look, self._central)
        if settings.geometry is not None:
            self.restoreGeometry(settings.geometry)
        self.composer.editor.setFocus()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Cover the window and name what a drop will do."""
        offer = read_offer(event.mimeData())
        if offer.is_empty:
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.overlay.announce(announce(offer))

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Keep the promise of the first moment."""
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        """Uncover the window."""
        self.overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand the drop over."""
        self.overlay.hide()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self._models.composer.take_drop(event.mimeData())
        self.composer.editor.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what floats in its place."""
        super().resizeEvent(event)
        self.overlay.setGeometry(self._central.rect())
        self.toast.place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Words typed anywhere belong to the message."""
        super().keyPressEvent(event)
        if not event.isAccepted() and event.text().isprintable() and event.text():
            self.composer.editor.setFocus()
            self.composer.editor.insertPlainText(event.text())
            event.accept()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the place. On a Mac the app lives on, and so does an answer under way."""
        self._settings.geometry = self.saveGeometry()
        event.accept()

    def _arrange(self) -> None:
        banners = QVBoxLayout()
        banners.setContentsMargins(14, 0, 14, 8)
        banners.setSpacing(8)
        for banner in (self.failure, self.notice):
            banner.setMaximumWidth(COLUMN_WIDTH + 24)
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(banner, 100)
            row.addStretch(1)
            banners.addLayout(row)
        layout = QVBoxLayout(self._central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.messages, 1)
        layout.addLayout(banners)
        layout.addWidget(self.composer)
        self.setCentralWidget(self._central)
