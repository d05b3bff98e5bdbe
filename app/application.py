"""The composition root: builds everything the window is made of, and takes it apart again."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSettings, Qt, Signal
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication

from app.bridge import Bridge
from app.icons import Icons
from app.pasted import PastedPictures
from app.paths import ICONS, engine_command, log_folder
from app.recorder import MicrophoneError, Microphones, Recorder
from app.settings import Settings
from app.theme import Theme
from app.thumbnails import Thumbnails
from app.viewmodels.composer import Composer
from app.viewmodels.conversation import Conversation
from app.viewmodels.meter import Meter
from app.viewmodels.model import Model
from app.viewmodels.status import Status
from app.viewmodels.voice import Voice
from app.widgets.gestures import Gestures
from app.widgets.look import Look
from app.widgets.main_window import MainWindow, ViewModels
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
        self.models.composer.close()
        self.models.voice.close()
        self.thumbnails.close()
        self.bridge.close()
        self.pasted.close()


def system_microphones() -> Microphones:
    """The system's microphones; raises MicrophoneError where Qt's multimedia library cannot be loaded."""
    try:
        from app.microphones import SystemMicrophones
    except ImportError as error:
        raise MicrophoneError(f"Nothing can be recorded, because Qt Multimedia cannot be loaded: {error}.") from error
    return SystemMicrophones()


def assemble(
    command: Sequence[str],
    theme: Theme,
    settings: Settings,
    open_microphones: Callable[[], Microphones] = system_microphones,
) -> Desk:
    """Build a window whose engine is started by `command`; microphones are looked for when somebody wants to speak."""
    bridge = Bridge(command)
    pasted = PastedPictures()
    thumbnails = Thumbnails()
    look = Look(theme, Icons(ICONS))
    model = Model(bridge, sample_checkpoint())
    conversation = Conversation(bridge, model, settings)
    meter = Meter(bridge, model, conversation)
    composer = Composer(conversation, model, meter, settings, pasted.save, pasted.keep)
    voice = Voice(bridge, model, composer, settings, lambda: Recorder(open_microphones(), pasted.new_recording))
    models = ViewModels(model, conversation, composer, Status(model, conversation), voice)
    window = MainWindow(look, thumbnails, settings, models)

    def attach_sample() -> None:
        sample = pasted.draw_sample()
        if sample is not None:
            composer.attach([sample])

    Gestures(window, look, models, attach_sample)
    return Desk(bridge, models, theme, thumbnails, pasted, window)


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
    desk.open(options.model or sample_checkpoint())
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
