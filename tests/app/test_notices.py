"""What is told outside the window, and what a conversation says while another one has the engine."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFileOpenEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.application import Desk, DesktopApplication
from app.mac.notifications import SystemNotifier
from app.settings import Notifying, Settings
from app.store import Orders
from app.viewmodels.shelf.notices import DOCUMENTS, Notice
from app.viewmodels.shelf.running import Mark
from app.widgets.dock_menu import DockMenu
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    last_answer,
    let_files_be_read,
    say,
    send,
    wait_for_end,
)
from tests.fake_documents import Pretence, pretend


class Told(SystemNotifier):
    """Remembers what would be shown."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.notices: list[Notice] = []
        self.withdrawn: list[str] = []
        self.num_calls = 0
        self.badge = 0

    def show(self, notice: Notice) -> None:
        """Remember."""
        self.notices.append(notice)

    def withdraw(self, conversation_id: str) -> None:
        """Remember."""
        self.withdrawn.append(conversation_id)

    def attract(self) -> None:
        """Remember."""
        self.num_calls += 1

    def set_badge(self, number: int) -> None:
        """Remember."""
        self.badge = number


@pytest.fixture
def told_desk(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Desk, Told]]:
    """A window whose notices are remembered; every answer counts as a long one unless `long_s` says otherwise."""

    def open_one(scenario: str, long_s: float = 0.0) -> tuple[Desk, Told]:
        made: list[Told] = []

        def make(window: QWidget) -> Told:
            made.append(Told(window))
            return made[0]

        monkeypatch.setattr("app.viewmodels.shelf.notices.LONG_S", long_s)
        desk = open_desk(scenario, make_notifier=make)
        return desk, made[0]

    return open_one


OpenTold = Callable[..., tuple[Desk, Told]]


def ask_for_permission(desk: Desk, qtbot: QtBot, folder: Path) -> str:
    """Let a tool ask in a conversation called Rent, and return its id."""
    library = desk.models.library
    desk.models.toolbox.turn("list_files", True)
    desk.preferences.settings.readable_paths = (str(folder),)
    say(desk, f"list_files path {folder}")
    desk.models.shelf.rename(library.current_id, "Rent")
    qtbot.waitUntil(lambda: desk.models.running.asking is not None and library.title == "Rent", timeout=WAIT_MS)
    return library.current_id


def allow(desk: Desk) -> None:
    asking = desk.models.running.asking
    assert asking is not None
    assert asking.asking is not None
    asking.asking.answer(True)


# --- notifications


def test_a_long_answer_that_ends_while_nobody_looks_is_told_without_its_words(
    told_desk: OpenTold, qtbot: QtBot
) -> None:
    desk, told = told_desk("echo")
    desk.window.close()
    say(desk, "What is the rent?")
    wait_for_end(qtbot, desk)
    assert told.notices == [Notice(desk.models.library.current_id, "What is the rent?", "The answer is ready.")]


def test_documents_that_are_read_while_nobody_looks_are_told_and_a_click_leads_to_them(
    told_desk: OpenTold, qtbot: QtBot, tmp_path: Path
) -> None:
    desk, told = told_desk("fast")
    paths = [pretend(tmp_path / f"{name}.pdf", Pretence(("picture",))) for name in ("a", "b")]
    desk.window.close()
    desk.models.queue.add([*paths, tmp_path / "nowhere.pdf"], Orders())
    qtbot.waitUntil(lambda: bool(told.notices), timeout=WAIT_MS)
    assert told.notices == [Notice(DOCUMENTS, "Documents", "2 documents read, 1 not.")]
    told.chosen.emit(DOCUMENTS)
    assert desk.window.isVisible()
    assert desk.models.reader.is_listing
    qtbot.waitUntil(lambda: told.withdrawn == [DOCUMENTS], timeout=WAIT_MS)
    desk.models.queue.add([pretend(tmp_path / "c.pdf", Pretence(("picture",)))], Orders())
    qtbot.waitUntil(lambda: len(desk.models.queue.documents) == 4 and not desk.models.queue.waiting, timeout=WAIT_MS)
    assert len(told.notices) == 1, "who looks is told nothing"


def test_another_app_in_front_or_the_dock_is_where_nobody_looks(
    told_desk: OpenTold, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, told = told_desk("echo")
    state = Qt.ApplicationState.ApplicationInactive
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(QGuiApplication, "applicationState", lambda: state)
        QApplication.instance().applicationStateChanged.emit(state)
        say(desk, "What is the rent?")
        wait_for_end(qtbot, desk)
        assert len(told.notices) == 1
    QApplication.instance().applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    say(desk, "And now?")
    wait_for_end(qtbot, desk)
    assert len(told.notices) == 1
    desk.window.showMinimized()
    say(desk, "And in the Dock?")
    wait_for_end(qtbot, desk)
    assert len(told.notices) == 2


def test_a_command_brings_a_closed_window_back(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    say(desk, "hello")
    wait_for_end(qtbot, desk)
    desk.window.close()
    desk.window.commands["new"].trigger()
    assert desk.window.isVisible()
    assert desk.models.conversation.turns == []


def test_a_short_answer_is_not_told(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, told = told_desk("echo", long_s=math.inf)
    desk.window.close()
    say(desk, "hello")
    wait_for_end(qtbot, desk)
    assert told.notices == []


def test_whoever_looks_is_not_told(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, told = told_desk("echo")
    say(desk, "hello")
    wait_for_end(qtbot, desk)
    assert told.notices == []
    assert told.badge == 0


def test_a_stopped_answer_is_not_told(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, told = told_desk("slow")
    answer = say(desk, "hello")
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    desk.window.close()
    desk.models.conversation.stop()
    assert told.notices == []


def test_a_failed_answer_is_told_as_one(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, told = told_desk("fail")
    desk.window.close()
    say(desk, "hello")
    wait_for_end(qtbot, desk)
    assert [notice.text for notice in told.notices] == ["The answer could not be finished."]


def test_a_person_may_want_the_first_words_or_nothing(told_desk: OpenTold, qtbot: QtBot, settings: Settings) -> None:
    desk, told = told_desk("text")
    desk.window.close()
    settings.notifying = Notifying.WITH_WORDS
    say(desk, "one two\n\nthree " * 20)
    wait_for_end(qtbot, desk)
    assert told.notices[0].text == ("one two three " * 20)[:140] + "…"
    settings.notifying = Notifying.NEVER
    say(desk, "again")
    wait_for_end(qtbot, desk)
    assert len(told.notices) == 1


def test_a_title_that_came_from_the_answer_is_not_told(told_desk: OpenTold, draw: Draw, qtbot: QtBot) -> None:
    desk, told = told_desk("receipt")
    desk.window.close()
    attach(desk, draw())
    send(desk)
    wait_for_end(qtbot, desk)
    assert [notice.title for notice in told.notices] == ["Cabochon"]


def test_nothing_of_a_temporary_conversation_is_told(told_desk: OpenTold, qtbot: QtBot, settings: Settings) -> None:
    desk, told = told_desk("text")
    settings.notifying = Notifying.WITH_WORDS
    desk.window.commands["new_temporary"].trigger()
    desk.window.close()
    say(desk, "a secret")
    wait_for_end(qtbot, desk)
    assert [(notice.title, notice.text) for notice in told.notices] == [
        ("Temporary Conversation", "The answer is ready.")
    ]


def test_a_notification_is_taken_back_when_its_answer_is_read_or_deleted(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, told = told_desk("echo")
    desk.window.close()
    say(desk, "first")
    wait_for_end(qtbot, desk)
    first = desk.models.library.current_id
    assert told.withdrawn == []
    desk.window.come_forward()
    assert told.withdrawn == [first]
    desk.window.close()
    say(desk, "again")
    wait_for_end(qtbot, desk)
    desk.models.library.remove_all()
    assert told.withdrawn == [first, first]


def test_a_click_on_a_notification_brings_the_window_back_on_its_conversation(
    told_desk: OpenTold, qtbot: QtBot
) -> None:
    desk, told = told_desk("echo")
    say(desk, "first")
    first = desk.models.library.current_id
    wait_for_end(qtbot, desk)
    desk.window.commands["new"].trigger()
    desk.window.close()
    told.chosen.emit(first)
    assert desk.window.isVisible()
    qtbot.waitUntil(lambda: desk.models.library.current_id == first, timeout=WAIT_MS)


# --- the Dock


def test_the_badge_counts_what_goes_on_and_what_is_not_read_until_somebody_looks(
    told_desk: OpenTold, qtbot: QtBot
) -> None:
    desk, told = told_desk("slow")
    say(desk, "hello")
    assert told.badge == 0
    desk.window.close()
    assert told.badge == 1
    desk.models.conversation.stop()
    assert told.badge == 0


def test_an_answer_that_ended_elsewhere_is_unread_until_it_is_opened(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, told = told_desk("fast")
    library = desk.models.library
    say(desk, "first")
    first = library.current_id
    desk.window.commands["new"].trigger()
    assert told.badge == 1
    qtbot.waitUntil(lambda: desk.models.running.mark_of(first) is Mark.UNREAD, timeout=WAIT_MS)
    assert told.notices == [], "who looks at the window sees it in the list"
    assert told.badge == 1
    index = desk.window.sidebar._rows.index_of(first)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "first, new answer"
    library.open(first)
    qtbot.waitUntil(lambda: desk.models.running.mark_of(first) is None, timeout=WAIT_MS)
    assert told.badge == 0


def test_a_deleted_conversation_counts_no_more(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, told = told_desk("echo")
    say(desk, "first")
    first = desk.models.library.current_id
    desk.window.commands["new"].trigger()
    qtbot.waitUntil(lambda: desk.models.running.mark_of(first) is Mark.UNREAD, timeout=WAIT_MS)
    desk.models.library.remove(first)
    qtbot.waitUntil(lambda: told.badge == 0, timeout=WAIT_MS)


@pytest.mark.parametrize("is_temporary", [True, False])
def test_what_is_gone_counts_no_more(told_desk: OpenTold, qtbot: QtBot, is_temporary: bool) -> None:
    desk, told = told_desk("echo")
    library = desk.models.library
    library.new(is_temporary=is_temporary)
    desk.window.close()
    say(desk, "secret")
    wait_for_end(qtbot, desk)
    assert told.badge == 1
    gone = library.current_id
    library.new()
    if not is_temporary:
        desk.store.remove(gone)  # as retention does
        desk.retention.apply()
    qtbot.waitUntil(lambda: told.badge == 0, timeout=WAIT_MS)


def test_the_docks_menu_begins_conversations_and_leads_to_the_latest(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, _ = told_desk("echo")
    menu = desk.window.findChild(DockMenu)
    assert isinstance(menu, DockMenu)
    say(desk, "Salt & Pepper")
    first = desk.models.library.current_id
    wait_for_end(qtbot, desk)
    words = ["New Conversation", "New Temporary Conversation", "", "Salt && Pepper"]
    qtbot.waitUntil(lambda: [action.text() for action in menu.actions()] == words, timeout=WAIT_MS)
    new, temporary, _line, salt = menu.actions()
    desk.window.close()
    new.trigger()
    assert desk.window.isVisible()
    assert desk.models.conversation.turns == []
    new.trigger()  # the window is all there is to bring now
    salt.trigger()
    qtbot.waitUntil(lambda: desk.models.library.current_id == first, timeout=WAIT_MS)
    temporary.trigger()
    assert desk.models.conversation.transcript.is_temporary


# --- permission, and waiting


def test_a_question_is_told_to_whoever_looks_elsewhere(told_desk: OpenTold, qtbot: QtBot, tmp_path: Path) -> None:
    desk, told = told_desk("tools", long_s=math.inf)
    desk.window.close()
    rent = ask_for_permission(desk, qtbot, tmp_path)
    assert [notice.text for notice in told.notices] == ["The model asks for permission to use a tool."]
    assert str(tmp_path) not in told.notices[0].text
    assert (told.num_calls, told.badge) == (1, 1)
    allow(desk)
    assert told.withdrawn == [rent]
    wait_for_end(qtbot, desk)


def test_a_question_of_another_conversation_stands_in_the_window_and_leads_there(
    told_desk: OpenTold, qtbot: QtBot, tmp_path: Path
) -> None:
    desk, told = told_desk("tools")
    banner = desk.window.question
    rent = ask_for_permission(desk, qtbot, tmp_path)
    assert not banner.isVisible(), "the card asks"
    desk.window.commands["new"].trigger()
    assert banner.text.text() == "“Rent” asks for permission."
    assert desk.models.running.mark_of(rent) is Mark.ASKING
    assert told.notices == []
    answer = say(desk, "hello")
    second = desk.models.library.current_id
    qtbot.waitUntil(lambda: not answer.is_running, timeout=WAIT_MS)
    assert answer.text == "user", "nobody waits for a person who was asked in another conversation"
    (show,) = banner.findChildren(QPushButton)
    show.click()
    qtbot.waitUntil(lambda: desk.models.library.current_id == rent, timeout=WAIT_MS)
    assert not banner.isVisible()
    allow(desk)
    wait_for_end(qtbot, desk)
    assert desk.models.running.mark_of(second) is None


def test_two_conversations_are_answered_beside_each_other(told_desk: OpenTold, qtbot: QtBot) -> None:
    desk, _ = told_desk("slow")
    first = say(desk, "What is the rent?")
    conversation = desk.models.conversation.transcript
    qtbot.waitUntil(lambda: bool(first.text), timeout=WAIT_MS)
    desk.window.commands["new"].trigger()
    second = say(desk, "And the deposit?")
    qtbot.waitUntil(lambda: bool(second.text), timeout=WAIT_MS)
    assert first.is_running
    desk.models.conversation.stop()
    conversation.stop()


# --- closing, coming back


def test_an_answer_goes_on_behind_a_closed_window_and_the_dock_brings_it_back(
    open_desk: OpenDesk, qapp: DesktopApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk("fast-until-marked")
    desk.follow(qapp)
    answer = say(desk, "go")
    qtbot.waitUntil(lambda: bool(answer.text), timeout=WAIT_MS)
    desk.window.close()
    assert answer.is_running
    (tmp_path / "marker").touch()
    wait_for_end(qtbot, desk)
    assert last_answer(desk).text.endswith("there is to read.")
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    assert desk.window.isVisible()
    assert QApplication.focusWidget() in (None, desk.window.composer.editor)


def test_a_file_that_the_system_opens_brings_the_window_back(
    open_desk: OpenDesk, draw: Draw, qapp: DesktopApplication
) -> None:
    desk = open_desk(has_engine=False)
    desk.follow(qapp)
    desk.window.close()
    QGuiApplication.sendEvent(qapp, QFileOpenEvent(str(draw("late.png"))))
    let_files_be_read(desk)
    assert [picture.name for picture in desk.models.composer.pictures] == ["late.png"]
    assert desk.window.isVisible()


def test_a_window_from_a_screen_that_is_gone_comes_back_to_one_that_is_there(open_desk: OpenDesk) -> None:
    first = open_desk(has_engine=False)
    first.window.setGeometry(9000, -4000, 640, 560)
    first.window.close()
    again = open_desk(has_engine=False).window
    assert again.screen().availableGeometry().contains(again.geometry())
    assert again.size().toTuple() == (640, 560)
