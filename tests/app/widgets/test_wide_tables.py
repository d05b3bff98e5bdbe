"""Tables that need more room than there is: whole words, and each scrolls by itself."""

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QTextCursor, QTextTable, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.look.theme import Theme
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.wide_tables import column_widths

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
