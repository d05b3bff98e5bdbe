"""Windows for the tests: the real one, with the real engine client, and an engine that only pretends."""

import functools
import gc
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app import application
from app.application import Desk, DesktopApplication, System, assemble
from app.look.icons import Icons
from app.look.theme import Theme
from app.mac.notifications import SystemNotifier
from app.paths import ICONS, engine_command
from app.settings import Settings
from app.sound import recorder
from app.sound.recorder import MicrophoneError, Microphones
from app.sound.speaker import Speaker, SpeechError
from app.store import opening
from app.viewmodels.conversation import tools
from app.viewmodels.models.manager import Supply
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.shared import toast
from app.widgets.shared.look import Look
from engine import sample_checkpoint
from tests.app.deaths import Deaths
from tests.app.driving import WAIT_MS, Draw, FakeEngine, OpenDesk
from tests.app.pretended_models import nothing
from tests.app.slow_threads import slow_down

WARM_ENGINE = Path(__file__).resolve().parents[1] / "warm_engine.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A warning from Qt fails the test that caused it."""
    folder = f"{Path(__file__).parent}/"
    for item in items:
        if str(item.path).startswith(folder):
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints", r"does not support raise\(\)"))


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """No window ever appears on a screen."""
    return ["cabochon", "-platform", "offscreen", "-style", "Fusion"]


@pytest.fixture(scope="session")
def qapp_cls() -> type[DesktopApplication]:
    """The application's own class, so that its events are tested too."""
    return DesktopApplication


def refuse_microphones() -> Microphones:
    """No test listens to the room."""
    raise MicrophoneError("There is no microphone in this test.")


def refuse_speakers() -> Speaker:
    """No test speaks into the room."""
    raise SpeechError("There is no voice in this test.")


@pytest.fixture
def settings(qapp: QApplication, tmp_path: Path) -> Settings:
    """Preferences of this test alone, of somebody who has seen the first start."""
    settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    settings.is_welcomed = True
    return settings


@pytest.fixture
def theme(qapp: QApplication, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Theme]:
    """The theme, applied to the application."""
    theme = Theme(qapp, settings)
    if "open_desk" not in request.fixturenames:  # a window does it once it is built
        theme.dress()
    yield theme
    delete(theme)
    qapp.setStyleSheet("")


@pytest.fixture(autouse=True)
def a_slow_window_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes stay, and offers hold, until a test takes them away."""
    monkeypatch.setattr(toast, "NOTE_MS", WAIT_MS)
    monkeypatch.setattr(toast, "UNDO_MS", WAIT_MS)
    monkeypatch.setattr(toast, "FILE_MS", WAIT_MS)
    monkeypatch.setattr(tools, "CLOSE_S", WAIT_MS / 1000)
    monkeypatch.setattr(application, "SEARCH_S", WAIT_MS / 1000)
    monkeypatch.setattr(recorder, "MOST_EMPTY_READS", WAIT_MS)
    monkeypatch.setattr(opening, "LOCK_SECONDS", WAIT_MS / 1000)


@pytest.fixture(autouse=True)
def other_threads_take_their_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is asked for."""
    if seconds := request.config.getoption("--slow-threads"):
        slow_down(monkeypatch, seconds)


@pytest.fixture(autouse=True)
def symbols_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may change them, so all windows can have the same."""
    monkeypatch.setattr(application, "Icons", _shared_icons)


_shared_icons = functools.cache(Icons)


@pytest.fixture(scope="session")
def fake_engine() -> Iterator[FakeEngine]:
    """The command of a pretended engine, by scenario and marker."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = f"{folder}/engines"  # short: the system allows a hundred characters
        listener.bind(path)
        listener.listen()
        command = [sys.executable, str(WARM_ENGINE), "--serve", str(listener.fileno())]
        with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()]):
            engine = [sys.executable, "-I", "-S", str(WARM_ENGINE), path]
            yield lambda scenario, marker: [*engine, scenario, str(marker or "")]


@pytest.fixture(autouse=True)
def nothing_of_a_window_is_left() -> Iterator[None]:
    """A view model whose signal runs a function of its own is a cycle through Qt, which no collector sees."""
    gc.freeze()  # what came before, a fixture for more than this test, is not looked at
    yield
    for thing in [each for each in gc.get_objects() if _is_view_model(type(each))]:
        if shiboken6.isValid(thing) and thing.parent() is None:
            shiboken6.delete(thing)


@pytest.fixture
def open_desk(
    qtbot: QtBot, theme: Theme, settings: Settings, tmp_path: Path, fake_engine: FakeEngine
) -> Iterator[OpenDesk]:
    """Open a window whose engine plays a scenario; at the end nothing of it may be left running."""
    desks: list[Desk] = []
    threads_before = set(threading.enumerate())

    def open_one(
        scenario: str = "fast",
        *,
        is_ready: bool = True,
        has_engine: bool = True,
        is_real: bool = False,
        folder: Path | None = None,
        open_microphones: Callable[[], Microphones] = refuse_microphones,
        open_speaker: Callable[[], Speaker] = refuse_speakers,
        make_notifier: Callable[[QWidget], SystemNotifier] = SystemNotifier,
        supply: Supply | None = None,
    ) -> Desk:
        pretended = fake_engine(scenario, tmp_path / "marker")
        command = engine_command(tmp_path / "engine.log") if is_real else pretended
        data = folder or tmp_path / "data"
        desk = assemble(
            command, theme, settings, data, System(open_microphones, open_speaker, make_notifier), supply or nothing()
        )
        desks.append(desk)
        if has_engine:
            desk.open(sample_checkpoint())
        desk.window.show()
        with qtbot.waitActive(desk.window, timeout=WAIT_MS):
            desk.window.activateWindow()
        if is_ready and has_engine:
            qtbot.waitUntil(lambda: desk.models.model.is_ready, timeout=WAIT_MS)
        return desk

    yield open_one
    QGuiApplication.clipboard().clear()  # what Python made must not be left to the end of the process
    deaths = Deaths(thing for thing in gc.get_objects() if issubclass(type(thing), QObject))
    for desk in desks:
        desk.close()
        delete(desk.window)
    assert not deaths.elsewhere, f"Qt objects that died on another thread: {deaths.elsewhere}"
    for thread in set(threading.enumerate()) - threads_before:
        if thread.daemon:  # which a window lets go of
            thread.join(WAIT_MS / 1000)
    left = [thread.name for thread in threading.enumerate() if thread not in threads_before]
    assert not left, f"threads left running: {left}"


@functools.cache  # of thousands of objects there are few kinds
def _is_view_model(kind: type) -> bool:
    is_ours = issubclass(kind, QObject) and kind.__module__.startswith("app.")
    return is_ours and not issubclass(kind, QWidget | QCoreApplication)


def delete(thing: QObject) -> None:
    """Delete a Qt object now: what is left over would follow the next test's theme."""
    thing.deleteLater()
    QApplication.sendPostedEvents(thing, QEvent.Type.DeferredDelete)


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> Iterator[MarkdownView]:
    """A Markdown view without a window around it."""
    look = Look(theme, Icons(ICONS))
    view = MarkdownView(look)
    qtbot.addWidget(view)
    view.resize(500, 100)
    view.show()
    yield view
    look.typesetter.close()


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Make a picture file."""

    def draw_one(name: str = "photo.png", width: int = 1600, height: int = 900, color: str = "teal") -> Path:
        path = tmp_path / name
        Image.new("RGB", (width, height), color).save(path)
        return path

    return draw_one
