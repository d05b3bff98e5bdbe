"""How long it takes from a gesture to what it changes in the window, painted.

    python tests/app/bench_gestures.py [--turns 60] [--rounds 5]

Prints for each gesture the median by the clock, which a loaded machine spoils, the median of the processor time that
the window's thread took, and the bar, in milliseconds.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QSettings, Qt  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402

from app.application import Desk, DesktopApplication, assemble  # noqa: E402
from app.look.theme import Theme  # noqa: E402
from app.settings import Appearance, Settings  # noqa: E402
from app.widgets.settings.settings_window import SettingsWindow  # noqa: E402
from engine import sample_checkpoint  # noqa: E402
from tests.app.bench_streaming import live, wait_until  # noqa: E402
from tests.app.pretended_models import nothing  # noqa: E402

FAKE = [sys.executable, str(ROOT / "tests" / "fake_engine.py"), "echo"]

Times = tuple[float, float]
"""By the clock and of the processor, in ms."""


def timed(desk: Desk, do: Callable[[], object], is_done: Callable[[], bool]) -> Times:
    """Do something, and wait until it is there and painted."""
    clock, processor = time.perf_counter(), time.thread_time()
    do()
    while not is_done():
        QCoreApplication.processEvents()
    desk.window.repaint()
    QCoreApplication.processEvents()
    return (time.perf_counter() - clock) * 1000, (time.thread_time() - processor) * 1000


def say(desk: Desk, text: str) -> None:
    """Send a message and wait for the answer."""
    desk.models.composer.replace_text(text)
    desk.models.composer.send()
    wait_until(lambda: not desk.models.conversation.is_busy)


def gestures(desk: Desk) -> dict[str, tuple[float, Times]]:
    """Each once: its bar and what it took."""
    window, models = desk.window, desk.models
    editor, conversation, theme = window.composer.editor, models.conversation, desk.theme
    found: dict[str, tuple[float, Times]] = {}
    editor.setPlainText("One more question")
    shows_stop = lambda: window.composer.send_button.accessibleName() == "Stop"  # noqa: E731
    found["Return to Stop"] = 100, timed(desk, lambda: QTest.keyClick(editor, Qt.Key.Key_Return), shows_stop)
    wait_until(lambda: not conversation.is_busy)
    say(desk, "another")
    edit = window.commands["edit_last"].trigger
    found["edit"] = 80, timed(desk, edit, lambda: models.drafts.is_editing and window.editing.isVisible())
    editor.setPlainText("another, said better")
    models.composer.send()
    wait_until(lambda: not conversation.is_busy)
    turn = conversation.turns[-2]
    older = window.commands["older_version"].trigger
    found["branch switch"] = 80, timed(desk, older, lambda: conversation.turns[-2] is not turn)
    other = Appearance.DARK if theme.appearance is Appearance.LIGHT else Appearance.LIGHT
    found["light to dark"] = 250, timed(desk, lambda: theme.set_appearance(other), lambda: True)
    found["one step of text size"] = 100, timed(desk, lambda: theme.step_scale(1), lambda: True)
    theme.step_scale(0)
    was_open = window.findChild(SettingsWindow)
    shown = lambda: (opened := window.findChild(SettingsWindow)) is not None and opened.isVisible()  # noqa: E731
    name = "settings again" if was_open else "settings, the first time"
    found[name] = 250, timed(desk, window.commands["settings"].trigger, shown)
    window.findChild(SettingsWindow).close()
    opened = models.library.current_id
    found["new chat"] = 80, timed(desk, window.commands["new"].trigger, lambda: not conversation.turns)
    models.library.open(opened)
    wait_until(lambda: bool(conversation.turns))
    live(200)
    return found


def main() -> None:
    """Fill a conversation, and go through the gestures a few times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    clock, processor = time.perf_counter(), time.thread_time()
    application = DesktopApplication(["cabochon"])
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(QSettings(f"{folder}/bench.ini", QSettings.Format.IniFormat))
        settings.appearance, settings.is_welcomed = Appearance.LIGHT, True
        desk = assemble([*FAKE, f"{folder}/marker"], Theme(application, settings), settings, Path(folder) / "data",
                        supply=nothing())  # fmt: skip
        desk.open(sample_checkpoint())
        QCoreApplication.processEvents()
        desk.window.repaint()
        took = (time.perf_counter() - clock) * 1000, (time.thread_time() - processor) * 1000
        print(f"{'window after start':28}{took[0]:8.0f} clock{took[1]:8.0f} processor{1500:8} bar")
        wait_until(lambda: desk.models.model.is_ready)
        for number in range(options.turns // 2):
            say(desk, f"Question {number}: **what** is `this`?\n\n- one\n- two\n\n" + "Many words follow. " * 20)
        rounds = [gestures(desk) for _ in range(options.rounds)]
        for name in dict.fromkeys(name for each in rounds for name in each):
            bar = next(each[name][0] for each in rounds if name in each)
            times = [each[name][1] for each in rounds if name in each]
            clock, processor = (statistics.median(time[index] for time in times) for index in (0, 1))
            print(f"{name:28}{clock:8.0f} clock{processor:8.0f} processor{bar:8.0f} bar")
        desk.close()


if __name__ == "__main__":
    main()
