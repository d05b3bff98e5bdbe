"""The rows of the sidebar: in order, under their headings, and changed only where a conversation changed."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.store import MATCH_BEGIN, MATCH_END, Store, Summary
from app.viewmodels.shelf.shelf import Shelf, _grouped, _order, when
from app.widgets.sidebar import _elided
from tests.app.driving import WAIT_MS, OpenDesk, say, wait_for_end
from tests.app.store.stored import asked

TODAY = date(2026, 11, 30)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data", print)
    yield store
    store.close()


def row(number: int, days: float = 0.0, *, is_pinned: bool = False) -> Summary:
    midday = datetime(TODAY.year, TODAY.month, TODAY.day, 12)
    return Summary(str(number), f"Title {number}", is_pinned, (midday - timedelta(days=days)).timestamp())


def heading(row: Summary) -> str:
    """What stands over a row, worked out for it alone."""
    if row.is_pinned:
        return "Pinned"
    day = datetime.fromtimestamp(row.updated_at).date()
    age = (TODAY - day).days
    for name, most in (("Today", 0), ("Yesterday", 1), ("Previous 7 Days", 7), ("Previous 30 Days", 30)):
        if age <= most:
            return name
    return f"{day:%B}" if day.year == TODAY.year else f"{day.year}"


@given(st.lists(st.tuples(st.floats(-2, 1200), st.booleans()), max_size=40))
def test_every_row_stands_under_its_heading_once(drawn: list[tuple[float, bool]]) -> None:
    rows = sorted((row(n, days, is_pinned=pinned) for n, (days, pinned) in enumerate(drawn)), key=_order)
    groups = list(_grouped(rows, TODAY))
    assert [each for group in groups for each in group.rows] == rows
    assert all(heading(each) == group.name for group in groups for each in group.rows)
    assert len({group.name for group in groups}) == len(groups)


def test_one_row_at_a_time_leads_to_the_rows_that_the_store_has(store: Store, qtbot: QtBot) -> None:
    shelf = Shelf(store)
    for number in range(6):
        store.add_turn(f"c{number}", asked(f"t{number}", "hello", created_at=float(number // 2)))
        shelf.refresh(f"c{number}")
    shelf.pin("c1", True)
    shelf.rename("c4", "  Another   name ")
    shelf.remove("c2")
    shelf.remove("c3")
    shelf.restore("c3")
    shelf.refresh("nobody")
    qtbot.waitUntil(lambda: shelf.rows == tuple(store.summaries().result()), timeout=WAIT_MS)
    assert [each.id for each in shelf.rows] == ["c1", "c4", "c5", "c3", "c0"]
    assert shelf.row("c4") == shelf.rows[1]
    assert shelf.row("c2") is None


def test_an_answer_changes_its_mark_twice_however_much_is_told_of_it(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("fast")
    marks: list[str] = []
    shown: list[None] = []
    desk.models.running.changed.connect(marks.append)
    steps: list[None] = []
    desk.models.conversation.progressed.connect(lambda: steps.append(None))
    desk.models.conversation.phase_changed.connect(lambda: steps.append(None))
    desk.window.sidebar._rows.rowsInserted.connect(lambda: shown.append(None))
    say(desk, "What does it cost?")
    wait_for_end(qtbot, desk)
    qtbot.waitUntil(lambda: desk.models.shelf.rows == tuple(desk.store.summaries().result()), timeout=WAIT_MS)
    assert marks == [desk.models.library.current_id] * 2
    assert len(steps) > 2
    assert len(shown) <= 4, "the question, its title, the answer and its end"


def test_rows_that_stay_are_left_alone(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    rows, shelf = desk.window.sidebar._rows, desk.models.shelf
    tester = QAbstractItemModelTester(rows, QAbstractItemModelTester.FailureReportingMode.Fatal)
    removed: list[tuple[int, int]] = []
    rows.rowsRemoved.connect(lambda _parent, first, last: removed.append((first, last)))
    many = [row(number, number / 4) for number in range(100)]
    for changed in (many, [row(50, -0.1), *many[:50], *many[51:]], many[:10], [], many):
        shelf._take_rows(changed)
        expected = [each for group in shelf.groups for each in (group.name, *group.rows)]
        assert rows.rows == expected
        assert all(rows.index_of(each.id).row() == rows.rows.index(each) for each in changed)
    assert removed[0][0] == 1, "the heading stays, and what is below the moved row"
    removed.clear()
    said: list[tuple[int, int]] = []
    rows.dataChanged.connect(lambda first, last: said.append((first.row(), last.row())))
    shelf._take_rows([replace(many[0], title="Another"), *many[1:]])
    assert rows.rows[1].title == "Another"
    assert (said, removed) == ([(1, 1)], []), "nothing is laid out anew"
    del tester


def test_a_time_is_told_as_in_a_list_of_mails() -> None:
    now = datetime(2026, 3, 1, 9, 0)
    times = (datetime(2026, 3, 1, 0, 5), datetime(2026, 2, 28, 23, 59), datetime(2026, 2, 3), datetime(2025, 12, 31))
    assert [when(time.timestamp(), now) for time in times] == ["00:05", "Yesterday", "3 Feb", "31 Dec 2025"]


def test_what_has_no_room_of_a_snippet_is_left_out_with_an_ellipsis(qapp: QApplication) -> None:
    metrics = QFontMetrics(qapp.font())
    snippet = f"the {MATCH_BEGIN}warm place{MATCH_END} to rise"
    plain = "the warm place to rise"
    assert _elided(snippet, metrics, 10_000) == snippet
    for width in range(metrics.horizontalAdvance("…t"), metrics.horizontalAdvance(plain), 7):
        shown = _elided(snippet, metrics, width)
        assert shown.count(MATCH_BEGIN) == shown.count(MATCH_END)
        bare = shown.replace(MATCH_BEGIN, "").replace(MATCH_END, "")
        assert bare.endswith("…")
        assert plain.startswith(bare[:-1])
        assert metrics.horizontalAdvance(bare) <= width
