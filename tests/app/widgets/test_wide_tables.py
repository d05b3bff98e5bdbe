"""Tables that need more room than there is: whole words, and each scrolls by itself."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QTextCursor, QTextTable, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.look.theme import Theme
from app.widgets.markdown.handles import Handle
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.wide_tables import column_widths
from tests.app.driving import BUTTON, WAIT_MS

HEADS = ("Language", "Paradigm", "Concurrency", "Installation", "Straightforwardness")
SOURCE = f"before\n\n| {' | '.join(HEADS)} |\n{'|---' * 5}|\n| Python | a few | threads | pip | {'very ' * 9}|\n\nafter"


def table_in(view: MarkdownView) -> QTextTable:
    (table,) = view.document().rootFrame().childFrames()
    assert isinstance(table, QTextTable)
    return table


def num_lines(table: QTextTable, column: int) -> int:
    return table.cellAt(0, column).firstCursorPosition().block().layout().lineCount()


def turn_wheel(view: MarkdownView, place: QPoint, step: int) -> None:
    """Turn the wheel sideways, so many pixels."""
    buttons, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    at, phase = view.viewport().mapToGlobal(place), Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(QPointF(place), QPointF(at), QPoint(-step, 0), QPoint(), buttons, keys, phase, False)
    QApplication.sendEvent(view.viewport(), event)


def test_columns_share_what_their_longest_words_leave() -> None:
    assert column_widths([(50, 100), (50, 100)], 200, 300) == []
    assert column_widths([(50, 100), (50, 300)], 250, 300) == [75, 175]
    assert column_widths([(50, 60), (200, 200)], 100, 300) == [55, 200], "wider than the room"
    assert column_widths([(900, 900)], 100, 300) == [300], "a longer word is broken"


def test_words_stay_whole_and_only_the_table_scrolls(view: MarkdownView, theme: Theme) -> None:
    view.resize(900, 100)
    view.show_markdown(SOURCE, is_complete=True)
    assert all(num_lines(table_in(view), column) == 1 for column in range(5))
    view.resize(620, 100)
    assert all(num_lines(table_in(view), column) == 1 for column in range(5))
    assert not view._wide, "what has room does not scroll"
    view.resize(260, 100)
    table = table_in(view)
    assert all(num_lines(table, column) == 1 for column in range(5)), "a word is broken"
    cell = table.cellAt(0, 4).firstCursorPosition()
    place = view.cursorRect(cell).center()
    assert place.x() > 260
    row = QPoint(100, place.y())
    view.grab()
    before, text = view.cursorForPosition(row).position(), view.cursorForPosition(QPoint(3, 3)).position()
    picture = view.grab().toImage()
    turn_wheel(view, row, 60)
    assert view.cursorForPosition(row).position() > before
    assert view.cursorForPosition(QPoint(3, 3)).position() == text, "the text around it stays"
    after = view.grab().toImage()
    assert after != picture
    assert after.copy(0, 0, 260, 12) == picture.copy(0, 0, 260, 12)
    turn_wheel(view, row, 10_000)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(150, place.y()))
    assert view.textCursor().selectedText() == HEADS[4], "what is seen is what is pointed at"
    turn_wheel(view, row, -10_000)
    assert view.cursorForPosition(row).position() == before


def test_a_place_in_a_wide_table_is_brought_into_view(view: MarkdownView) -> None:
    view.resize(260, 100)
    view.show_markdown(SOURCE, is_complete=True)
    cell: QTextCursor = table_in(view).cellAt(0, 4).firstCursorPosition()
    view.mark((HEADS[4].lower(),), 0)
    assert view.place_of_hit() is not None
    row = QPoint(200, view.cursorRect(cell).center().y())
    assert view.cursorForPosition(row).block() == cell.block()


LONG_CODE = "```\nshort\nx = [" + "123, " * 60 + "]\n```\n\nafter"


@pytest.mark.parametrize("source", [SOURCE, LONG_CODE, f"> {LONG_CODE.replace(chr(10), chr(10) + '> ')}"])
def test_the_handle_of_what_is_too_wide_is_dragged_to_its_end_and_back(view: MarkdownView, source: str) -> None:
    def handle() -> Handle:
        places = (QPoint(60, y) for y in range(view.height()))
        return next(found for place in places if (found := view.grip._find(place)) is not None)

    def drag(start: float, end: float, y: float) -> None:
        QTest.mousePress(view.viewport(), BUTTON, pos=QPoint(round(start), round(y)))
        QTest.mouseMove(view.viewport(), QPoint(round(end), round(y) + 40))  # a hand does not stay on the line
        QTest.mouseRelease(view.viewport(), BUTTON, pos=QPoint(round(end), round(y) + 40))

    view.resize(260, 100)
    view.show_markdown(source, is_complete=True)
    view.grab()
    first = handle()
    assert first.offset == 0
    y = first.track.center().y()
    drag(first.area.left() + 5, first.area.left() + 5, y)
    begun = handle()
    assert begun.offset == 0, "what is taken hold of stays where it is"
    drag(first.area.left() + 5, 2000, y)
    last = handle()
    assert last.offset == pytest.approx(last.whole - last.seen, abs=1)
    drag(last.area.right() - 3, -2000, y)
    back = handle()
    assert back.offset == 0
    QTest.mouseClick(view.viewport(), BUTTON, pos=QPoint(round(first.track.center().x()), round(y)))
    middle = handle()
    assert middle.offset == pytest.approx((middle.whole - middle.seen) / 2, abs=middle.whole / 50)
    assert not view.textCursor().hasSelection()


def test_a_text_that_grows_leaves_the_handle_in_the_hand(view: MarkdownView) -> None:
    view.resize(260, 100)
    view.show_markdown(SOURCE, is_complete=False)
    view.grab()
    (handle,) = view._handles()
    y = round(handle.track.center().y())
    QTest.mousePress(view.viewport(), BUTTON, pos=QPoint(5, y))
    view.show_markdown(f"{SOURCE} and more\n\nand more", is_complete=True)
    QTest.mouseMove(view.viewport(), QPoint(2000, y))
    QTest.mouseRelease(view.viewport(), BUTTON, pos=QPoint(2000, y))
    (handle,) = view._handles()
    assert handle.offset == pytest.approx(handle.whole - handle.seen, abs=1)


def test_a_table_scrolls_on_after_a_formula_above_it_is_drawn(view: MarkdownView, qtbot: QtBot) -> None:
    view.resize(260, 100)
    view.show_markdown(f"The sum $a^2 + b^2$ is known.\n\n{SOURCE}", is_complete=True)
    ((table, _),) = view._wide_tables()
    row = QPoint(100, view.cursorRect(table.cellAt(0, 4).firstCursorPosition()).center().y())
    turn_wheel(view, row, 60)
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText(), timeout=WAIT_MS)
    (handle,) = view._handles()
    assert handle.offset == 60, "it stays where it was"
    handle.move_to(2000)
    (handle,) = view._handles()
    assert handle.offset == pytest.approx(handle.whole - handle.seen, abs=1)
