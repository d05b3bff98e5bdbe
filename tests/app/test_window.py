"""The window as a whole: menus, names for those who listen, the keyboard, colours, closing."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QUrl
from PySide6.QtGui import QAccessible, QColor, QDesktopServices, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.look.colors import DARK, LIGHT, Colors, high_contrast
from app.look.theme import Theme
from app.paths import LICENCES
from app.viewmodels.models.model import ModelState
from app.widgets.shared.dialogs import AboutBox
from engine import SpokenPiece
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    last_answer,
    pane_of,
    say,
    wait_for_end,
)

ROOT = Path(__file__).resolve().parents[2]


def children_of(pid: int) -> set[int]:
    """The processes that any thread of a process started and that still run."""
    listings = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for listing in listings for child in listing.read_text().split()}


def luminance(color: str) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in QColor(color).getRgbF()[:3]
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


class ShownWindows(QObject):
    """Remembers every widget that appears as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look for windows that are being shown."""
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.names.append(type(watched).__name__)
        return False


def full_desk(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> Desk:
    """A window that shows one of everything."""
    desk = open_desk("think")
    desk.models.composer.set_thinking(True)
    attach(desk, draw("first.png"))
    say(desk, "sum")
    wait_for_end(qtbot, desk)
    attach(desk, draw("next.png"), Path("/nowhere/missing.png"))
    return desk


def test_no_part_of_the_window_flashes_as_a_window_of_its_own(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, qapp: QApplication
) -> None:
    shown = ShownWindows()
    qapp.installEventFilter(shown)
    desk = full_desk(open_desk, draw, qtbot)
    desk.window.commands["regenerate"].trigger()
    wait_for_end(qtbot, desk)
    desk.window.commands["older_version"].trigger()
    desk.window.commands["new"].trigger()
    desk.window.commands["find_all"].trigger()
    qapp.removeEventFilter(shown)
    assert shown.names == ["MainWindow"]


def name_of(widget: QWidget) -> str:
    """What a screen reader is told."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def test_each_message_is_an_element_with_its_own_name_and_text(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = full_desk(open_desk, draw, qtbot)
    said, answered = desk.window.messages.views
    assert re.fullmatch(r"You, \d\d:\d\d: 1 picture\. sum", name_of(said.text_view))
    assert re.fullmatch(r"Answer, \d\d:\d\d: 17 \+ 25 is 42\.", name_of(answered.text_view))
    element = QAccessible.queryAccessibleInterface(answered.text_view)
    assert element.role() is QAccessible.Role.StaticText  # whose name VoiceOver reads; it passes frames over
    assert element.text(QAccessible.Text.Value) == "17 + 25 is 42."


def test_everything_can_be_done_with_the_keyboard_alone(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = full_desk(open_desk, draw, qtbot)
    window, composer = desk.window, desk.window.composer
    (chip,) = composer.chips.values()
    wanted = {
        chip.budget,
        chip.remove_button,
        composer.attach_button,
        composer.thinking_switch,
        composer.send_button,
        composer.editor,
        window.notice.dismiss_button,
        window.header.chip,
        window.header.new_button,
        *(view.text_view for view in window.messages.views),
        *(view.copy_button for view in window.messages.views),
        pane_of(window.messages.views[1]).title,
        window.messages.views[0].cards[0].tile,  # type: ignore[attr-defined]
    }
    composer.editor.setFocus()
    reached: set[QWidget | None] = set()
    for _ in range(60):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        reached.add(window.focusWidget())
    assert {type(widget).__name__ for widget in wanted - reached} == set()


def test_a_whole_exchange_works_without_the_mouse(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    attach(desk, draw())
    editor = desk.window.composer.editor
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    budget = desk.window.focusWidget()
    qtbot.keyClick(budget, Qt.Key.Key_Up)
    qtbot.keyClick(budget, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert desk.window.focusWidget() is editor
    qtbot.keyClicks(editor, "read")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert wait_for_end(qtbot, desk).text == "user:read [as advised]"
    assert desk.models.conversation.history[0].pictures[0].budget == 560
    qtbot.keyClick(editor, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.clipboard().text() == "user:read [as advised]"
    qtbot.keyClick(editor, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert desk.models.conversation.turns == []


@pytest.mark.parametrize("colors", [LIGHT, DARK, high_contrast(LIGHT), high_contrast(DARK)])
def test_text_can_be_read_on_everything_it_stands_on(colors: Colors) -> None:
    pairs = [
        (colors.text, colors.window),
        (colors.text, colors.bubble),
        (colors.text, colors.code),
        (colors.secondary, colors.window),
        (colors.secondary, colors.surface),
        (colors.accent, colors.surface),
        (colors.accent, colors.accent_soft),
        (colors.on_accent, colors.accent),
        (colors.danger, colors.danger_soft),
        (colors.caution, colors.caution_soft),
    ]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


def test_light_and_dark_change_live_in_the_middle_of_an_answer(open_desk: OpenDesk, theme: Theme, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: len(answer.text) > 100, timeout=WAIT_MS)
    desk.window.commands["dark"].trigger()
    assert desk.window.grab().toImage().pixelColor(desk.window.width() - 14, 300).name() == DARK.window
    desk.window.commands["light"].trigger()
    assert desk.window.grab().toImage().pixelColor(desk.window.width() - 14, 300).name() == LIGHT.window
    assert desk.window.messages.views[-1].text_view.toPlainText().startswith("Paragraph 1")
    desk.models.conversation.stop()


def test_another_look_styles_every_widget_once_and_what_is_not_seen_last(
    open_desk: OpenDesk, theme: Theme, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    desk.window.commands["all_documents"].trigger()
    desk.window.commands["write"].trigger()
    seen, hidden = desk.window.composer.footnote, desk.window.documents.empty
    heard: Counter[QObject] = Counter()

    class Ear(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            heard[watched] += event.type() == QEvent.Type.StyleChange
            return False

    def color(label: QWidget) -> str:
        return label.palette().color(QPalette.ColorRole.WindowText).name()

    ear = Ear()
    QApplication.instance().installEventFilter(ear)
    desk.window.commands["dark"].trigger()
    assert (color(seen), color(hidden)) == (DARK.secondary, LIGHT.secondary)
    qtbot.waitUntil(lambda: color(hidden) == DARK.secondary, timeout=WAIT_MS)
    assert heard[seen] == heard[hidden] == 1
    desk.window.commands["dark"].trigger()
    assert heard[seen] == 1, "the same look again is no change"
    QApplication.instance().removeEventFilter(ear)
    desk.window.commands["light"].trigger()


def test_a_room_is_built_when_it_is_first_shown_and_has_missed_nothing(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("text")
    window, recordings = desk.window, desk.models.recordings
    rooms = (window.reading_room, window.documents_room, window.recording_room, window.models_room)
    say(desk, "some words")
    wait_for_end(qtbot, desk)
    recordings.pieces.append(SpokenPiece(0.0, 2.0, "said before"))
    window.commands["dark"].trigger()
    window.commands["light"].trigger()
    window.resize(700, 640)
    assert not any(room.is_built for room in rooms)
    for show, room, home in (
        (window.commands["models"].trigger, window.models_room, lambda: window.model_list.home),
        (lambda: recordings.show(True), window.recording_room, lambda: window.recording.wave),
        (window.commands["documents"].trigger, window.documents_room, lambda: window.documents.home),
    ):
        show()
        assert room.is_built
        assert home().hasFocus()
        window.commands["write"].trigger()
        assert window.composer.editor.hasFocus()
    assert "said before" in window.recording.words.toPlainText()
    assert not window.reading_room.is_built


def test_bigger_text_is_bigger(open_desk: OpenDesk, theme: Theme, qtbot: QtBot) -> None:
    desk = open_desk("text")
    say(desk, "some words")
    wait_for_end(qtbot, desk)
    height = desk.window.messages.views[-1].text_view.height()
    for _ in range(3):
        desk.window.commands["bigger"].trigger()
    qtbot.waitUntil(lambda: desk.window.messages.views[-1].text_view.height() > height, timeout=WAIT_MS)
    desk.window.commands["usual"].trigger()
    qtbot.waitUntil(lambda: desk.window.messages.views[-1].text_view.height() == height, timeout=WAIT_MS)


def test_the_window_comes_back_where_it_was(open_desk: OpenDesk) -> None:
    first = open_desk(has_engine=False)
    first.window.resize(640, 560)
    first.window.close()
    assert open_desk(has_engine=False).window.size().toTuple() == (640, 560)


def test_about_tells_the_version_and_what_another_build_would_bring(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk()
    desk.window.commands["about"].trigger()
    box = desk.window.findChild(AboutBox)
    assert isinstance(box, AboutBox)
    assert "0.0-fake" in box.text.text()
    assert [button.text() for button in box.findChildren(QPushButton)] == ["Close"]
    assert not box.advice.isVisible()
    box.close()
    qtbot.waitUntil(lambda: desk.window.findChild(AboutBox) is None)
    machine = desk.models.model.machine
    assert machine is not None
    desk.models.model.machine = replace(machine, advice="The other build is faster here.")
    desk.window.commands["about"].trigger()
    box = desk.window.findChild(AboutBox)
    assert isinstance(box, AboutBox)
    assert box.advice.isVisible()
    assert box.advice.text() == "The other build is faster here."
    box.close()


def test_in_the_bundle_about_shows_the_licences(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    desk = open_desk(has_engine=False)
    desk.window.commands["about"].trigger()
    (button,) = [each for each in desk.window.findChildren(QPushButton) if each.text() == "Licences"]
    button.click()
    assert [Path(url.toLocalFile()) for url in opened] == [LICENCES]


def test_no_file_name_is_read_as_markup(open_desk: OpenDesk, draw: Draw, tmp_path: Path) -> None:
    desk = open_desk(has_engine=False)
    attach(desk, tmp_path / "missing" / "<b>bold.png")
    assert "<b>bold.png" in desk.window.notice.text.text()
    assert desk.window.notice.text.textFormat() is Qt.TextFormat.PlainText
    attach(desk, draw("<b>bold.png"))
    (chip,) = desk.window.composer.chips.values()
    assert "&lt;b&gt;bold.png" in chip.toolTip()
    assert "&lt;b&gt;bold.png" in chip.remove_button.toolTip()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
def test_closing_in_mid_answer_leaves_no_thread_and_no_process(open_desk: OpenDesk, qtbot: QtBot) -> None:
    children_before, threads_before = children_of(os.getpid()), threading.active_count()
    desk = open_desk("slow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    assert children_of(os.getpid()) > children_before
    desk.close()
    assert children_of(os.getpid()) == children_before
    assert threading.active_count() <= threads_before
    assert last_answer(desk).note.startswith("Interrupted")


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
def test_an_engine_that_dies_while_nobody_waits_comes_back_by_itself(open_desk: OpenDesk, qtbot: QtBot) -> None:
    children_before = children_of(os.getpid())
    desk = open_desk("echo")
    (engine,) = children_of(os.getpid()) - children_before
    states: list[ModelState] = []
    desk.models.model.changed.connect(lambda: states.append(desk.models.model.state))
    os.kill(engine, signal.SIGKILL)
    qtbot.waitUntil(lambda: ModelState.LOADING in states and desk.models.model.is_ready, timeout=WAIT_MS)
    say(desk, "still there?")
    assert wait_for_end(qtbot, desk).text.startswith("user:still there?")


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
def test_the_app_starts_its_engine_before_it_is_asked_and_takes_it_along(tmp_path: Path, qtbot: QtBot) -> None:
    places = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "DATA", "STATE")}
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **places}
    command = [sys.executable, "-m", "app", "--model", str(tmp_path), str(tmp_path / "none.png")]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        qtbot.waitUntil(lambda: bool(children_of(process.pid)), timeout=WAIT_MS)
        children = children_of(process.pid)  # the engine, and perhaps the process that looks at the file
    finally:
        process.kill()
        process.wait()
    qtbot.waitUntil(lambda: not any(runs(child) for child in children), timeout=WAIT_MS)


def runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_in_a_low_window_a_long_draft_and_many_files_leave_everything_in_reach(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    window, composer = desk.window, desk.window.composer
    attach(desk, *(draw(f"{number}.png") for number in range(6)))
    desk.models.composer.replace_text("a line\n" * 20)
    window.resize(window.minimumSize())
    qtbot.waitUntil(lambda: window.size() == window.minimumSize(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bottom_of(composer.editor) < top_of(composer.send_button), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bottom_of(composer.chip_area) < top_of(composer.editor), timeout=WAIT_MS)
    assert bottom_of(composer.footnote) <= window.height()
    assert composer.editor.verticalScrollBar().maximum() > 0
    assert composer.editor.cursorRect().bottom() <= composer.editor.height()


def top_of(widget: QWidget) -> int:
    """Where it begins, in pixels from the top of its window."""
    return widget.mapTo(widget.window(), QPoint()).y()


def bottom_of(widget: QWidget) -> int:
    return top_of(widget) + widget.height()


def test_a_low_window_grows_for_what_has_to_be_seen(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    window = desk.window
    window.resize(460, 520)
    attach(desk, draw(), *(Path(f"/nowhere/{number}.png") for number in range(5)))
    desk.models.composer.replace_text("one\ntwo\nthree\nfour")
    for _ in range(3):
        window.commands["bigger"].trigger()
    composer = window.composer

    def is_apart() -> bool:
        parts = [composer.chip_area, composer.editor, composer.send_button]
        tops = [part.mapTo(window, QPoint(0, 0)).y() for part in parts]
        ends = [top + part.height() for top, part in zip(tops, parts, strict=True)]
        is_seen = ends[-1] <= window.height() and composer.chip_area.height() >= max(
            chip.sizeHint().height() for chip in composer.chips.values()
        )
        return is_seen and ends[0] <= tops[1] and ends[1] <= tops[2]

    qtbot.waitUntil(is_apart, timeout=WAIT_MS)


def test_the_buttons_of_the_last_answer_are_always_seen(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    for text in ("one", "two"):
        say(desk, text)
        wait_for_end(qtbot, desk)
    views = desk.window.messages.views
    assert [view.again_button.is_kept for view in views] == [False, False, False, True]


def test_the_sidebar_marks_what_fills_the_window(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    button = desk.window.sidebar.documents_button
    assert not button.isChecked()
    for _ in range(2):
        button.click()
        qtbot.waitUntil(button.isChecked, timeout=WAIT_MS)
    qtbot.keyClick(desk.window, Qt.Key.Key_Escape)
    assert not button.isChecked()


def test_return_says_why_it_waits_and_escape_takes_banners_away(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("slow")
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    editor = desk.window.composer.editor
    editor.setPlainText("more")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert desk.window.toast.text.text() == "An answer is being written. Esc stops it."
    attach(desk, Path("/nowhere/missing.png"))
    assert desk.window.notice.isVisible()
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not answer.is_running
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not desk.window.notice.isVisible()
    assert editor.toPlainText() == "more"


def test_a_symbol_that_is_shared_stays_as_it_was_drawn(open_desk: OpenDesk) -> None:
    first = open_desk(has_engine=False).window.composer.send_button
    open_desk(has_engine=False)
    assert len(first.icon().availableSizes(QIcon.Mode.Disabled)) == 1
    off = first.icon().pixmap(24, QIcon.Mode.Disabled).toImage()
    inked = {
        off.pixelColor(x, y).name()
        for x in range(off.width())
        for y in range(off.height())
        if off.pixelColor(x, y).alpha() == 255
    }
    assert inked == {LIGHT.secondary}
