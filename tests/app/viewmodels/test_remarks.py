"""Several things may be wrong at once: the most important shows, the others can be reached, each goes when it ends."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app import settings as settings_module
from app.settings import Settings
from app.store import Matter, Saying
from app.viewmodels.shelf.remarks import Remarks
from tests.app.driving import WAIT_MS, OpenDesk

NOT_KEPT = Saying("Nothing is kept.", Matter.NOT_KEPT)
WAITING = Saying("The disk is full.", Matter.WAITING)
SETTINGS = Saying("The settings cannot be saved.", Matter.SETTINGS)


@pytest.fixture
def remarks(qtbot: QtBot) -> Remarks:
    """What nobody has said anything to yet."""
    return Remarks()


def take(qtbot: QtBot, remarks: Remarks, *sayings: Saying) -> None:
    for saying in sayings:
        with qtbot.waitSignal(remarks.changed, timeout=WAIT_MS):
            remarks.take(saying)


@pytest.mark.parametrize("order", [(NOT_KEPT, SETTINGS, WAITING), (SETTINGS, WAITING, NOT_KEPT)])
def test_the_most_important_one_shows_whichever_came_last(
    qtbot: QtBot, remarks: Remarks, order: tuple[Saying, ...]
) -> None:
    take(qtbot, remarks, *order)
    assert (remarks.shown, remarks.more) == (NOT_KEPT, "and 2 more")
    assert remarks.all == [NOT_KEPT, WAITING, SETTINGS]


def test_the_others_are_reached_in_a_circle(qtbot: QtBot, remarks: Remarks) -> None:
    take(qtbot, remarks, NOT_KEPT, SETTINGS, WAITING)
    seen = []
    for _ in range(4):
        seen.append(remarks.shown)
        remarks.show_next()
    assert seen == [NOT_KEPT, WAITING, SETTINGS, NOT_KEPT]


def test_each_goes_when_its_cause_goes(qtbot: QtBot, remarks: Remarks) -> None:
    take(qtbot, remarks, WAITING, SETTINGS)
    with qtbot.waitSignal(remarks.changed, timeout=WAIT_MS):
        remarks.end(Matter.WAITING)
    assert (remarks.shown, remarks.more) == (SETTINGS, "")
    remarks.dismiss()
    assert (remarks.shown, remarks.all) == ("", [])


def test_what_a_person_looks_at_stays_when_something_less_important_comes(qtbot: QtBot, remarks: Remarks) -> None:
    take(qtbot, remarks, NOT_KEPT, WAITING)
    remarks.show_next()
    take(qtbot, remarks, SETTINGS)
    assert remarks.shown == WAITING
    take(qtbot, remarks, Saying("Nothing at all is kept.", Matter.NOT_KEPT))
    assert remarks.shown == "Nothing at all is kept."


def test_any_thread_may_say_something(qtbot: QtBot, remarks: Remarks) -> None:
    thread = threading.Thread(target=remarks.take, args=[WAITING])
    thread.start()
    qtbot.waitUntil(lambda: remarks.shown == WAITING, timeout=WAIT_MS)
    thread.join()


def test_the_window_leads_to_the_others_also_by_the_keyboard(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk()
    remarks, banner = desk.models.remarks, desk.window.remark
    take(qtbot, remarks, NOT_KEPT)
    more = banner.next_button
    assert not more.isVisible()
    assert banner.isVisible()
    take(qtbot, remarks, SETTINGS)
    assert banner.text.text() == NOT_KEPT
    more.setFocus()
    QTest.keyClick(more, Qt.Key.Key_Space)
    assert banner.text.text() == SETTINGS
    assert "and 1 more" in more.accessibleName()
    banner.dismiss_button.click()
    assert banner.text.text() == NOT_KEPT
    assert not more.isVisible()
    banner.dismiss_button.click()
    assert not banner.isVisible()


def test_every_new_remark_is_told_to_those_who_listen(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, told = open_desk(), list[str]()
    monkeypatch.setattr(desk.window.remark, "announce", told.append)
    take(qtbot, desk.models.remarks, NOT_KEPT, SETTINGS, WAITING)
    assert told == [NOT_KEPT, SETTINGS, WAITING]
    desk.models.remarks.end(Matter.SETTINGS)
    take(qtbot, desk.models.remarks, WAITING, SETTINGS)
    assert told == [NOT_KEPT, SETTINGS, WAITING, SETTINGS]


def test_settings_that_could_not_be_saved_are_saved_when_they_can_and_say_so(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "RETRY_MS", 1)
    place = tmp_path / "folder"
    place.write_text("a file where the folder should be")
    settings = Settings(QSettings(str(place / "settings.ini"), QSettings.Format.IniFormat))
    with qtbot.waitSignal(settings.refused, timeout=WAIT_MS):
        settings.shows_statistics = True
    place.unlink()
    with qtbot.waitSignal(settings.taken, timeout=WAIT_MS):
        pass
    assert "statistics_shown=true" in (place / "settings.ini").read_text()
