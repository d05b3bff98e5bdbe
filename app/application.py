"""The composition root: builds everything the window is made of, and takes it apart again."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSettings, Qt, Signal
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication

from app.bridge import Bridge
from app.exports import Entry, Exported
from app.icons import Icons
from app.mac import Awake
from app.pasted import PastedPictures
from app.paths import ICONS, data_folder, engine_command, log_folder
from app.settings import Settings
from app.theme import Theme
from app.thumbnails import Thumbnails
from app.viewmodels.composer import Composer
from app.viewmodels.conversation import Conversation
from app.viewmodels.exporting import Exporter
from app.viewmodels.model import Model
from app.viewmodels.preferences import Preferences
from app.viewmodels.rest import Rest
from app.viewmodels.status import Status
from app.widgets.gestures import Gestures
from app.widgets.look import Look
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.settings_gestures import SettingsGestures
from engine import sample_checkpoint

__all__ = ["Desk", "DesktopApplication", "assemble", "attach_opened_files", "main"]


class DesktopApplication(QApplication):
    """The Qt application. Files that the system asks it to open may arrive before the window: they wait.

    `stays_open` keeps it running when its window is closed, as a Mac user expects.

    **Signals:** `files_opened`, when `take_files` has something new; `reopened`, when a person comes back to the app.
    """

    files_opened = Signal()
    reopened = Signal()

    def __init__(self, arguments: Sequence[str], *, stays_open: bool = sys.platform == "darwin") -> None:
        self._waiting: list[Path] = []
        super().__init__(list(arguments))
        self.setQuitOnLastWindowClosed(not stays_open)
        self.applicationStateChanged.connect(self._follow_state)
        self.setOrganizationName("Cabochon")
        self.setApplicationName("Cabochon")
        self.setApplicationDisplayName("Cabochon")
        self.setStyle("Fusion")
        self.setWindowIcon(QIcon(str(ICONS / "app.svg")))

    def event(self, event: QEvent) -> bool:
        """Keep files from the Dock and from Open With until the window takes them."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self._waiting.append(Path(event.file()))
            self.files_opened.emit()
            return True
        return super().event(event)

    def _follow_state(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self.reopened.emit()

    def take_files(self) -> list[Path]:
        """The files that arrived since the last time."""
        files, self._waiting = self._waiting, []
        return files


@dataclass(frozen=True)
class Desk:
    """Everything one window is made of."""

    bridge: Bridge
    models: ViewModels
    preferences: Preferences
    theme: Theme
    thumbnails: Thumbnails
    pasted: PastedPictures
    window: MainWindow

    def open(self, model: Path) -> None:
        """Start the engine, begin to load a model, and show the window."""
        self.window.show()
        self.bridge.start()
        self.models.model.load(model)

    def show_again(self) -> None:
        """Bring back a window that was closed while the app stayed."""
        if not self.window.isVisible():
            self.window.show()

    def close(self) -> None:
        """End the engine process and every thread; takes up to 4 s when the engine hangs."""
        self.models.conversation.stop()
        self.window.close()
        self.thumbnails.close()
        self.bridge.close()
        self.pasted.close()


def assemble(command: Sequence[str], theme: Theme, settings: Settings) -> Desk:
    """Build a window whose engine is started by `command`."""
    bridge = Bridge(command)
    pasted = PastedPictures()
    thumbnails = Thumbnails()
    look = Look(theme, Icons(ICONS))
    model = Model(bridge, sample_checkpoint())
    conversation = Conversation(bridge, model, settings)
    composer = Composer(conversation, settings, pasted.save, pasted.keep)
    preferences = Preferences(settings, data_folder())
    awake = Awake()
    conversation.activity_changed.connect(lambda: awake.hold(conversation.is_busy))
    Rest(bridge, settings, conversation)
    models = ViewModels(model, conversation, composer, Status(model, conversation))
    window = MainWindow(look, thumbnails, settings, models)

    def attach_sample() -> None:
        sample = pasted.draw_sample()
        if sample is not None:
            composer.attach([sample])

    preferences.model_chosen.connect(lambda folder: model.load(folder or sample_checkpoint()))
    Gestures(window, look, models, preferences, attach_sample)
    SettingsGestures(window, look, models, preferences, Exporter(lambda: _exported(conversation)))
    return Desk(bridge, models, preferences, theme, thumbnails, pasted, window)


def _exported(conversation: Conversation) -> Exported:
    return Exported("Conversation", [Entry(message) for message in conversation.history])


def attach_opened_files(application: DesktopApplication, composer: Composer) -> None:
    """Attach what the system asked the app to open, before now and from now on."""

    def attach() -> None:
        files = application.take_files()
        if files:
            composer.attach(files)

    application.files_opened.connect(attach)
    attach()


def main(argv: Sequence[str]) -> int:
    """Open the window and return the exit status when it is closed. `argv[0]` is the program."""
    options = _parser().parse_args(argv[1:])
    application = DesktopApplication(argv[:1])
    settings = Settings(QSettings())
    desk = assemble(engine_command(log_folder() / "engine.log"), Theme(application, settings), settings)
    desk.open(options.model or settings.start_model or sample_checkpoint())
    desk.models.composer.attach([path.absolute() for path in options.files])
    attach_opened_files(application, desk.models.composer)
    for signal in (application.reopened, application.files_opened):
        signal.connect(desk.show_again)
    try:
        return application.exec()
    finally:
        desk.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cabochon", description="Chat and read pictures on this Mac.")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="the checkpoint to load")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="pictures to attach")
    return parser
