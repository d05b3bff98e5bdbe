"""The window: arranges the views, owns the menus, takes drops. What anything means is decided elsewhere."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QHideEvent,
    QKeyEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QMainWindow, QSplitter, QStackedWidget, QWidget

from app.look.theme import COLUMN_WIDTH
from app.look.thumbnails import Thumbnails
from app.settings import Settings
from app.sound.player import Player
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.finding import Finding
from app.viewmodels.conversation.tools import Toolbox
from app.viewmodels.draft.composer import Composer
from app.viewmodels.draft.drafts import Drafts
from app.viewmodels.draft.intake import Intake, announce, read_offer
from app.viewmodels.draft.voice import Voice
from app.viewmodels.models.manager import Manager
from app.viewmodels.models.model import Model
from app.viewmodels.models.status import Status
from app.viewmodels.reading.arrivals import Arrivals
from app.viewmodels.reading.choice import Choice
from app.viewmodels.reading.collection import Collection
from app.viewmodels.reading.exporting import DocumentExporter
from app.viewmodels.reading.fields import FieldsTable
from app.viewmodels.reading.finding import PageFinding
from app.viewmodels.reading.queue import Queue
from app.viewmodels.reading.reader import Reader
from app.viewmodels.reading.visits import Visits
from app.viewmodels.recordings.making import Making
from app.viewmodels.recordings.recording import Recordings
from app.viewmodels.shelf.library import Library
from app.viewmodels.shelf.remarks import Remarks
from app.viewmodels.shelf.running import Running
from app.viewmodels.shelf.search import Search
from app.viewmodels.shelf.shelf import Shelf
from app.viewmodels.speech.aloud import Aloud
from app.viewmodels.speech.hands_free import HandsFree
from app.widgets.chat.composer_view import ComposerView
from app.widgets.chat.drop_overlay import DropOverlay
from app.widgets.chat.find_bar import FindBar
from app.widgets.chat.message_list import MessageList
from app.widgets.commands import Commands
from app.widgets.header import Header
from app.widgets.models.models_view import ModelsView
from app.widgets.reading.collection_view import CollectionView
from app.widgets.reading.reading_view import ReadingView
from app.widgets.recordings.recording_view import RecordingView
from app.widgets.remark_bar import RemarkBar
from app.widgets.shared.arrange import FLUSH, Placed, lay_column, lay_middle
from app.widgets.shared.banner import Banner
from app.widgets.shared.look import Look
from app.widgets.shared.room import Room
from app.widgets.shared.toast import Toast
from app.widgets.sidebar import Sidebar
from app.widgets.sidebar_place import SidebarPlace

__all__ = ["MainWindow", "ViewModels"]

MINIMUM_SIZE = (460, 520)
"""In pixels; the height grows with what has to be seen."""

_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier
"""Held with a key that is none of ours, they write nothing."""


@dataclass(frozen=True)
class ViewModels:
    """Everything the window shows."""

    model: Model
    remarks: Remarks
    conversation: Conversation
    composer: Composer
    intake: Intake
    drafts: Drafts
    library: Library
    shelf: Shelf
    search: Search
    running: Running
    toolbox: Toolbox
    status: Status
    voice: Voice
    aloud: Aloud
    hands_free: HandsFree
    finding: Finding
    reader: Reader
    page_finding: PageFinding
    choice: Choice
    arrivals: Arrivals
    document_exporter: DocumentExporter
    collection: Collection
    fields: FieldsTable
    queue: Queue
    visits: Visits
    recordings: Recordings
    making: Making
    player: Player
    sounds: Player
    """Plays what was sent."""
    manager: Manager


class MainWindow(QMainWindow):
    """The conversations, the one that is open with its composer, or the document that is open.

    **Signals:** `escaped`, when Escape was pressed and stops nothing; `presence_changed`, when it came or went.
    """

    escaped = Signal()
    presence_changed = Signal()

    def __init__(self, look: Look, thumbnails: Thumbnails, settings: Settings, models: ViewModels) -> None:
        super().__init__()
        self._settings = settings
        self._models = models
        self.setWindowTitle("Cabochon")
        self.setMinimumSize(*MINIMUM_SIZE)
        self.resize(1080, 760)
        self.setAcceptDrops(True)
        tools = {each.tool.name: each.title for each in models.toolbox.all}
        self.commands = Commands(self, self.menuBar(), tools)
        self.header = Header(look, models.status, self.commands.menus["Model"])
        self.messages = MessageList(look, thumbnails, models.conversation, models.finding, models.model, models.manager)
        self.messages.setMinimumHeight(120)
        self.failure = Banner(look, "error", "warning", is_dismissable=False)
        self.refusal = Banner(look, "notice", "warning", is_dismissable=True)
        self.notice = Banner(look, "notice", "info", is_dismissable=True)
        self.remark = RemarkBar(look, models.remarks)
        self.editing = Banner(look, "state", "pencil", is_dismissable=True)
        self.hands_free = Banner(look, "state", "speaker", is_dismissable=False)
        self.question = Banner(look, "notice", "info", is_dismissable=False)
        self.sidebar = Sidebar(look, models.library, models.shelf, models.search, models.running)
        self.composer = ComposerView(
            look,
            thumbnails,
            models.composer,
            models.intake,
            models.conversation,
            models.voice,
            self.commands.menus["Tools"],
        )
        self.find_bar = FindBar(look, models.finding, self.composer.editor)
        self.arrival = Banner(look, "state", "document", is_dismissable=True)
        self.cut_off = Banner(look, "notice", "info", is_dismissable=True)
        share = self.commands.menus["Share"]
        self.reading_room = Room(
            lambda: ReadingView(look, models.reader, models.page_finding, models.choice, share, self._right)
        )
        self.documents_room = Room(lambda: CollectionView(look, models.collection))
        self.recording_room = Room(lambda: RecordingView(look, models.recordings, models.making, models.player))
        self.models_room = Room(lambda: ModelsView(look, models.manager))
        self._central = QWidget()
        self._right = QStackedWidget()
        self._halves = QSplitter(Qt.Orientation.Horizontal)
        self._arrange()
        self.conversations = SidebarPlace(look.theme, self, self._halves, self.sidebar, self.composer.editor)
        self._central.installEventFilter(self)
        self.toast = Toast(self.messages, self.composer.editor)
        self.overlay = DropOverlay(look, self._right)
        look.theme.changed.connect(self.place_sidebar)
        models.reader.shown.connect(self._show_reading)
        models.recordings.shown.connect(self._show_recording)
        models.manager.shown.connect(self._show_models)
        look.theme.dress()
        if settings.geometry is not None:
            self.restoreGeometry(settings.geometry)
        self.composer.editor.setFocus()

    @property
    def reading(self) -> ReadingView:
        """The document that is open."""
        return self.reading_room.view

    @property
    def documents(self) -> CollectionView:
        """All documents."""
        return self.documents_room.view

    @property
    def recording(self) -> RecordingView:
        """The recording that is open."""
        return self.recording_room.view

    @property
    def model_list(self) -> ModelsView:
        """All models."""
        return self.models_room.view

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Cover the window and name what a drop will do."""
        offer = read_offer(event.mimeData())
        if offer.is_empty:
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        reader = self._models.reader
        self.overlay.announce(announce(offer, reads=reader.is_shown, lists=reader.is_listing))

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
        self._models.intake.take_drop(event.mimeData())
        if self._right.currentWidget() is self._central:
            self.composer.editor.setFocus()

    def event(self, event: QEvent) -> bool:
        """Let the commands be up to date before a key is looked up among them."""
        if event.type() is QEvent.Type.ShortcutOverride:
            self.commands.catch_up()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what floats in its place."""
        super().resizeEvent(event)
        self.overlay.setGeometry(self._right.rect())
        self.place_sidebar()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Never be too low for what stands around the messages: chips, banners and large text need their room."""
        if watched is self._central and event.type() == QEvent.Type.LayoutRequest:
            QTimer.singleShot(0, self, self._fit_height)
        return super().eventFilter(watched, event)

    def _fit_height(self) -> None:
        layout = self._central.layout()
        if layout is not None:
            needed = layout.totalMinimumHeightForWidth(self._central.width()) + self.height() - self._central.height()
            room = self.screen().availableGeometry().height()
            self.setMinimumHeight(min(max(MINIMUM_SIZE[1], needed), room))

    def _show_reading(self, is_shown: bool) -> None:
        if is_shown:
            self._models.recordings.show(False)
            self._models.manager.show(False)
        if not is_shown:
            self._show(self._central, self.composer.editor)
        elif self._models.reader.is_listing:
            self._show(self.documents, self.documents.home)
        else:
            self._show(self.reading, self.reading.page.view)

    def _show_recording(self, is_shown: bool) -> None:
        if is_shown:
            self._models.reader.show(False)
            self._models.manager.show(False)
            view = self.recording
            self._show(view, view.bar if self._models.making.is_active else view.wave)
        else:
            self._show(self._central, self.composer.editor)

    def _show_models(self, is_shown: bool) -> None:
        if is_shown:
            self._models.reader.show(False)
            self._models.recordings.show(False)
            self._show(self.model_list, self.model_list.home)
        else:
            self._show(self._central, self.composer.editor)

    def _show(self, view: QWidget, focus: QWidget) -> None:
        self._right.setCurrentWidget(view)
        focus.setFocus()

    def place_sidebar(self) -> None:
        """Show the conversations if they are wanted, beside what is open or over it."""
        self.conversations.arrange(is_wanted=self._settings.is_sidebar_shown)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Words typed anywhere belong to the message."""
        super().keyPressEvent(event)
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
            event.accept()
        is_word = event.text().isprintable() and event.text() and not event.modifiers() & _COMMANDS
        if not event.isAccepted() and is_word and self._right.currentWidget() is self._central:
            self.composer.editor.setFocus()
            self.composer.editor.insertPlainText(event.text())
            event.accept()

    @property
    def is_present(self) -> bool:
        """Whether a person has it before their eyes, as far as can be told."""
        is_front = QGuiApplication.applicationState() is Qt.ApplicationState.ApplicationActive
        return is_front and self.isVisible() and not self.isMinimized()

    def come_forward(self) -> None:
        """Be in front, whether closed, in the Dock or behind other windows before."""
        if self.isMinimized():
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def showEvent(self, event: QShowEvent) -> None:
        """Tell that it came."""
        super().showEvent(event)
        self.presence_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell that it went."""
        super().hideEvent(event)
        self.presence_changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Tell when it goes into the Dock and comes out of it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.presence_changed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the place. On a Mac the app lives on, and so does an answer under way."""
        self._settings.geometry = self.saveGeometry()
        event.accept()

    def _arrange(self) -> None:
        told = (self.failure, self.refusal, self.remark, self.question, self.arrival)
        done = (self.cut_off, self.notice, self.editing, self.hands_free)
        middles = (lay_middle(banner, COLUMN_WIDTH + 24) for banner in (*told, *done))
        banners = lay_column(middles, margins=(14, 0, 14, 8), spacing=8)
        lay_column(
            [self.header, self.find_bar, Placed(self.messages, 1), banners, self.composer],
            self._central,
            margins=FLUSH,
            spacing=0,
        )
        self._halves.addWidget(self.sidebar)
        self._right.addWidget(self._central)
        for room in (self.reading_room, self.documents_room, self.recording_room, self.models_room):
            room.furnish(self._right.addWidget)
        self._halves.addWidget(self._right)
        self._halves.setStretchFactor(1, 1)
        self._halves.setCollapsible(0, False)
        self._halves.setCollapsible(1, False)
        self._halves.setHandleWidth(1)
        self.setCentralWidget(self._halves)
