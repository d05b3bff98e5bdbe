"""What can be reached: names, sizes and order for the keyboard and for those who listen, narrow windows, large text."""

import re

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QCursor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.settings import Settings
from app.viewmodels.conversation.turns import Place, UserTurn
from app.viewmodels.draft.attached import DraftText, new_key
from app.widgets.chat.user_view import UserView
from app.widgets.sidebar_place import WIDTH_BESIDE
from engine import Message, Picture, Text
from tests.app.driving import WAIT_MS, Draw, OpenDesk, attach, say, show_turns, wait_for_end

LEAST_TARGET = 24
"""Pixels, in each direction."""


def is_seen(desk: Desk, widget: QWidget) -> bool:
    """Whether any of it is inside all that surrounds it."""
    place = QRect(widget.mapTo(desk.window, QPoint()), widget.size())
    around = widget.parentWidget()
    while around is not None and around is not desk.window:
        place &= QRect(around.mapTo(desk.window, QPoint()), around.size())
        around = around.parentWidget()
    return not place.isEmpty()


def heard(interface: object) -> list[tuple[str, str]]:
    """Names and descriptions of all that is visible."""
    assert isinstance(interface, object)
    found, waiting = [], [interface]
    while waiting:
        each = waiting.pop()
        if each is None or not each.isValid() or each.state().invisible:  # type: ignore[attr-defined]
            continue
        text = QAccessible.Text
        found.append((each.text(text.Name), each.text(text.Description)))  # type: ignore[attr-defined]
        waiting += [each.child(number) for number in range(each.childCount())]  # type: ignore[attr-defined]
    return found


def test_all_that_can_be_pressed_is_named_large_enough_and_on_the_way_of_tab(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    attach(desk, draw("<b>a.png"), draw("b.png"))
    desk.models.composer.add(DraftText(new_key(), "notes.txt", "a"))
    buttons = [each for each in desk.window.findChildren(QAbstractButton) if each.isVisible()]
    qtbot.waitUntil(lambda: all(min(each.size().toTuple()) >= LEAST_TARGET for each in buttons), timeout=WAIT_MS)
    assert [each for each in buttons if not (each.accessibleName() or each.text())] == []
    told = heard(QAccessible.queryAccessibleInterface(desk.window))
    assert len(told) > 30
    assert [text for _, text in told if "<span>" in text or "<br>" in text] == []
    assert [name for name, text in told if name and text == name] == [], "it would be heard twice"
    assert any("<b>a.png" in name for name, _ in told)

    desk.window.composer.editor.setFocus()
    stops: list[QWidget] = []
    while (stop := QApplication.focusWidget()) not in stops:
        assert is_seen(desk, stop), stop.accessibleName()
        before = stop.grab().toImage()
        stops.append(stop)
        QTest.keyClick(stop, Qt.Key.Key_Tab)
        is_text = stop is desk.window.composer.editor  # its frame has the ring
        assert is_text or stop.grab().toImage() != before, f"no ring: {stop.accessibleName()}"
    composer = desk.window.composer
    assert composer.tools_button in stops


def test_tools_are_switched_beside_the_message(open_desk: OpenDesk) -> None:
    desk = open_desk(has_engine=False)
    menu = desk.window.composer.tools_button.menu()
    next(action for action in menu.actions() if action.text() == "Clock").trigger()
    assert desk.models.toolbox.is_on("clock")


def test_a_row_of_chips_says_how_many_are_not_seen(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    desk.window.resize(760, 700)
    for number in range(7):
        desk.models.composer.add(DraftText(new_key(), f"{number}.txt", "a"))
    before, behind = desk.window.composer.chip_area.more_buttons

    def unseen() -> int:
        return sum(int(button.text().strip("‹› ").split()[0]) for button in (before, behind) if button.isVisible())

    qtbot.waitUntil(lambda: before.isVisible() and not behind.isVisible(), timeout=WAIT_MS)
    at_the_end = unseen()
    assert 2 <= at_the_end < 7
    before.click()
    assert behind.isVisible()
    desk.models.composer.remove_all()
    assert desk.window.composer.chip_area.isHidden()


def test_with_the_largest_text_a_narrow_window_cuts_nothing(
    open_desk: OpenDesk, settings: Settings, draw: Draw, qtbot: QtBot
) -> None:
    settings.text_size = 200
    desk = open_desk("echo")
    window, editor, chip = desk.window, desk.window.composer.editor, desk.window.header.chip
    desk.theme.apply()
    window.resize(480, 700)
    say(desk, "a long message that goes on " * 5)
    wait_for_end(qtbot, desk)
    view = window.messages.views[0]
    seen = [view, *(each for each in view.findChildren(QWidget) if each.isVisible())]
    room = QRect(QPoint(), window.messages.area.viewport().size())

    def is_whole() -> bool:
        return all(view.rect().contains(QRect(each.mapTo(view, QPoint()), each.size())) for each in seen[1:])

    qtbot.waitUntil(is_whole, timeout=WAIT_MS)
    assert room.width() >= view.width()
    words = editor.placeholderText()
    assert editor.fontMetrics().horizontalAdvance(words) <= editor.viewport().width()
    assert words == "Write a message"
    attach(desk, draw("a very long name of a picture of the sea.png"))
    words = editor.placeholderText()
    assert editor.fontMetrics().horizontalAdvance(words) <= editor.viewport().width()
    assert re.fullmatch("Ask about “.*….*”", words)
    assert chip.model_name.width() >= chip.model_name.sizeHint().width()
    assert chip.state.width() < chip.state.sizeHint().width(), "the state loses its end first"
    desk.theme.set_text_size(100)
    window.resize(1080, 760)
    qtbot.waitUntil(lambda: window.sidebar.width() == WIDTH_BESIDE, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: chip.model_name.width() == chip.model_name.sizeHint().width(), timeout=WAIT_MS)


@pytest.mark.parametrize("text_size", [80, 100, 200])
def test_the_pill_is_round_at_every_size_of_text(open_desk: OpenDesk, settings: Settings, text_size: int) -> None:
    settings.text_size = text_size
    desk = open_desk(has_engine=False)
    desk.theme.apply()
    pill = desk.window.messages.pill
    pill.ensurePolished()
    pill.adjustSize()
    picture = QImage(pill.size(), QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(Qt.GlobalColor.transparent)
    pill.render(picture, renderFlags=QWidget.RenderFlag.DrawChildren)
    corners = [(x, y) for x in (1, pill.width() - 2) for y in (1, pill.height() - 2)]
    assert [picture.pixelColor(*corner).alpha() for corner in corners] == [0] * 4
    assert picture.pixelColor(1, pill.height() // 2).alpha() == 255


def test_pictures_of_a_message_stand_in_rows_that_end_at_the_right(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    desk.window.resize(1080, 760)
    pictures = tuple(Picture(str(draw(f"{number}.png", 300, 200))) for number in range(4))
    show_turns(desk, [UserTurn(Message("user", (*pictures, Text("Read them"))), Place())])
    (view,) = desk.window.messages.views
    assert isinstance(view, UserView)

    def rows() -> list[list[QRect]]:
        cards = [card.geometry() for card in view.cards]
        return [[card for card in cards if card.top() == top] for top in sorted({card.top() for card in cards})]

    qtbot.waitUntil(lambda: [len(row) for row in rows()] == [3, 1], timeout=WAIT_MS)
    assert len({row[-1].right() for row in rows()}) == 1, "the fourth jumps to the left"


def test_a_button_is_let_go_with_its_menu(open_desk: OpenDesk) -> None:
    button = open_desk(has_engine=False).window.composer.voice_menu_button
    QCursor.setPos(0, 0)
    button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    button.menu().aboutToHide.emit()
    assert not button.underMouse()


@pytest.mark.parametrize("text_size", [100, 200])
def test_in_a_narrow_window_the_conversations_lie_over_what_is_open(
    open_desk: OpenDesk, settings: Settings, qtbot: QtBot, text_size: int
) -> None:
    settings.text_size = text_size
    desk = open_desk(has_engine=False)
    window = desk.window
    desk.theme.apply()
    window.resize(480, 700)
    assert not window.sidebar.isVisible()
    room = window.composer.width()
    window.commands["sidebar"].trigger()
    assert window.sidebar.isVisible()
    assert (window.width(), window.composer.width()) == (480, room), "nothing is pushed"
    assert window.sidebar.search.hasFocus(), "nothing is listed"
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.sidebar.isVisible()
    assert window.composer.editor.hasFocus()
    window.commands["find_all"].trigger()
    assert window.sidebar.search.hasFocus()
    window.sidebar.search.setText("lost")
    window.commands["new"].setEnabled(True)
    window.commands["new"].trigger()
    assert (window.sidebar.isVisible(), window.sidebar.search.text()) == (False, "")
    window.commands["sidebar"].trigger()
    QTest.mouseClick(window.childAt(460, 400), Qt.MouseButton.LeftButton)
    assert not window.sidebar.isVisible()
    window.resize(1200, 700)
    assert window.sidebar.isVisible()
    qtbot.waitUntil(
        lambda: window.sidebar.geometry().right() < window.composer.mapTo(window, QPoint()).x(), timeout=WAIT_MS
    )
