"""The models in the window: the list, the menu, a download, the first start, and what does not fit."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.application import Desk, DesktopApplication
from app.downloads import NeedsAccess, NoConnection, State
from app.settings import Settings
from app.viewmodels.conversation.turns import AnswerState
from app.viewmodels.models.entries import Deed, Entry, Group, Stage
from app.viewmodels.models.manager import Manager
from app.viewmodels.models.remote import Begun
from app.widgets.models.get_sheet import GetSheet
from app.widgets.models.welcome_view import WelcomeView
from app.widgets.settings.settings_window import SettingsWindow
from engine import EngineError, FoundModel, sample_checkpoint
from tests.app.conftest import delete
from tests.app.driving import WAIT_MS, OpenDesk, answer_view, say, wait_for_end
from tests.app.pretended_models import CONFIG, FAMILY, GB, PretendedDisk, PretendedRemote, found, listing

BEST = "mlx-community/gemma-4-e4b-it-4-bit"


def entry(desk: Desk, key: str | Path) -> Entry:
    """A model of the list."""
    found = desk.models.manager.entry(str(key))
    assert found is not None, f"{key} is not in {[each.key for each in desk.models.manager.entries]}"
    return found


def open_known(open_desk: OpenDesk, qtbot: QtBot, disk: PretendedDisk, scenario: str = "echo") -> Desk:
    """A window that has looked at its disk and knows its machine."""
    desk = open_desk(scenario, supply=disk.supply)
    manager = desk.models.manager
    qtbot.waitUntil(lambda: manager.is_known and manager.recommended is not None, timeout=WAIT_MS)
    return desk


def open_sheet(desk: Desk) -> GetSheet:
    """The sheet before a download, as it stands."""
    (sheet,) = [each for each in desk.window.findChildren(GetSheet) if each.isVisible()]
    assert isinstance(sheet, GetSheet)
    return sheet


def sheet_of(desk: Desk, qtbot: QtBot) -> GetSheet:
    """The sheet before a download, once the hub has answered."""
    sheet = open_sheet(desk)
    qtbot.waitUntil(lambda: not sheet.detail.text().endswith("…"), timeout=WAIT_MS)
    return sheet


def button_of(desk: Desk, words: str) -> QPushButton:
    """A button of the question that is asked."""
    (box,) = [each for each in desk.window.findChildren(QMessageBox) if each.isVisible()]
    return next(button for button in box.findChildren(QPushButton) if button.text() == words)


def get(desk: Desk, qtbot: QtBot, remote: PretendedRemote) -> None:
    """Download the model for this Mac, up to its first word."""
    desk.models.manager.show(True)
    desk.window.model_list.cards[BEST].buttons[Deed.GET].click()
    sheet = sheet_of(desk, qtbot)
    sheet.get_button.click()
    delete(sheet)
    qtbot.waitUntil(lambda: remote.has_begun(BEST), timeout=WAIT_MS)


def test_the_model_for_this_mac_stands_first_and_what_does_not_fit_last(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_known(open_desk, qtbot, PretendedDisk())
    entries = desk.models.manager.entries
    assert (entries[0].key, entries[0].group) == (BEST, Group.RECOMMENDED)
    assert entries[0].fit_line.startswith("Fits: needs 7.0 GB of the 11.8 GB")
    assert [each.is_too_big for each in entries] == sorted(each.is_too_big for each in entries)
    assert len(entries) == len(FAMILY)
    desk.models.manager.show(True)
    view = desk.window.model_list
    assert view.isVisible()
    assert "16 GB memory" in view.state.text()
    assert view.cards[BEST].hasFocus()
    view.all_button.click()
    assert set(view.cards) == {each.repository for each in FAMILY}


def test_a_model_on_the_disk_is_used_from_the_list_the_menu_and_by_keys(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    one, other = found(tmp_path / "one", "E4B"), found(tmp_path / "other", "E2B", gigabytes=3.6)
    desk = open_known(open_desk, qtbot, PretendedDisk(one, other))
    model, menu = desk.models.model, desk.gestures.models.menu
    assert [action.text() for action in menu.actions] == [
        "Gemma 4 E4B · 4-bit affine, group 64", "Gemma 4 E2B · 4-bit affine, group 64",
    ]  # fmt: skip
    assert not any(action.isChecked() for action in menu.actions)
    menu.actions[1].trigger()
    qtbot.waitUntil(lambda: model.is_ready and model.path == tmp_path / "other", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: [a.isChecked() for a in menu.actions] == [True, False], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "last used today" in entry(desk, tmp_path / "other").line, timeout=WAIT_MS)
    desk.models.manager.show(True)
    card = desk.window.model_list.cards[one.path]
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: model.is_ready and model.path == tmp_path / "one", timeout=WAIT_MS)
    assert desk.preferences.settings.start_model == tmp_path / "one"


def test_another_model_in_a_conversation_is_told_all_of_it(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    one = found(tmp_path / "one")
    desk = open_known(open_desk, qtbot, PretendedDisk(one))
    say(desk, "remember this")
    wait_for_end(qtbot, desk)
    desk.models.manager.use(entry(desk, one.path))
    qtbot.waitUntil(lambda: desk.models.model.is_ready and not desk.models.model.is_built_in, timeout=WAIT_MS)
    answer = say(desk, "go on")
    assert "remember this" in wait_for_end(qtbot, desk).text
    assert answer.model == "one"


def test_a_download_is_shown_accepted_followed_paused_and_given_up(open_desk: OpenDesk, qtbot: QtBot) -> None:
    remote = PretendedRemote()
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    desk.models.manager.show(True)
    desk.window.model_list.cards[BEST].buttons[Deed.GET].click()
    sheet = sheet_of(desk, qtbot)
    assert "5.2 GB to download" in sheet.detail.text()
    assert "apache-2.0" in sheet.detail.text()
    assert "Intended use" in sheet.card.toPlainText()
    assert not remote.downloads, "nothing may begin before the licence is accepted"
    sheet.get_button.click()
    qtbot.waitUntil(lambda: remote.has_begun(BEST), timeout=WAIT_MS)
    download = remote.downloads[BEST]
    download.done_bytes = 2 * GB
    download.say(State.WORKING, bytes_per_second=10e6, seconds_left=318.0)
    told = "2.0 GB of 5.2 GB · 10 MB a second · about 5 minutes left"
    qtbot.waitUntil(lambda: entry(desk, BEST).line == told, timeout=WAIT_MS)
    card = desk.window.model_list.cards[BEST]
    card.buttons[Deed.PAUSE].click()
    qtbot.waitUntil(lambda: entry(desk, BEST).stage is Stage.PAUSED, timeout=WAIT_MS)
    assert entry(desk, BEST).line == "Paused · 2.0 GB of 5.2 GB"
    card.buttons[Deed.RESUME].click()
    qtbot.waitUntil(lambda: entry(desk, BEST).stage is Stage.WORKING, timeout=WAIT_MS)
    card.buttons[Deed.STOP].click()
    button_of(desk, "Delete What Came").click()
    qtbot.waitUntil(lambda: download.is_deleted and entry(desk, BEST).stage is Stage.AVAILABLE, timeout=WAIT_MS)


def test_a_model_that_came_takes_the_place_of_the_sample(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    remote = PretendedRemote()
    disk = PretendedDisk(remote=remote)
    desk = open_known(open_desk, qtbot, disk)
    get(desk, qtbot, remote)
    disk.models.append(found(tmp_path / "came"))
    remote.downloads[BEST].say(State.DONE, folder=tmp_path / "came")
    model = desk.models.model
    qtbot.waitUntil(lambda: model.is_ready and model.path == tmp_path / "came", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: entry(desk, tmp_path / "came").is_current, timeout=WAIT_MS)


def test_the_open_menu_of_a_model_stays_while_another_one_comes(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    remote = PretendedRemote()
    one = found(tmp_path / "one")
    desk = open_known(open_desk, qtbot, PretendedDisk(one, remote=remote))
    get(desk, qtbot, remote)
    menu = desk.window.model_list.cards[one.path].menu
    menu.setActiveAction(menu.actions()[0])
    remote.downloads[BEST].done_bytes = GB
    remote.downloads[BEST].say(State.WORKING)
    qtbot.waitUntil(lambda: entry(desk, BEST).line == "1.0 GB of 5.2 GB", timeout=WAIT_MS)
    assert menu.activeAction() is menu.actions()[0]


def test_a_download_that_failed_leads_to_its_page_and_its_token(open_desk: OpenDesk, qtbot: QtBot) -> None:
    remote = PretendedRemote()
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    get(desk, qtbot, remote)
    page = f"https://huggingface.co/{BEST}"
    remote.refusal = NeedsAccess("It is given to people who accepted its licence.", page)
    remote.downloads[BEST].say(State.FAILED, error=remote.refusal)
    qtbot.waitUntil(lambda: entry(desk, BEST).stage is Stage.FAILED, timeout=WAIT_MS)
    assert Deed.READ_CARD in entry(desk, BEST).further_deeds
    desk.gestures.models.do(Deed.READ_CARD, entry(desk, BEST))
    assert sheet_of(desk, qtbot).token.isVisible()


def test_a_failure_of_the_hub_is_a_sentence_and_a_way_to_try_again(open_desk: OpenDesk, qtbot: QtBot) -> None:
    remote = PretendedRemote()
    remote.refusal = NoConnection("The hub cannot be reached. Check the network and try again.")
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    desk.gestures.models.offer(entry(desk, BEST))
    sheet = open_sheet(desk)
    qtbot.waitUntil(lambda: sheet.problem.text() == str(remote.refusal), timeout=WAIT_MS)
    assert not sheet.get_button.isEnabled()
    assert "Asking" not in sheet.detail.text()
    assert not sheet.token.isVisible()
    remote.refusal = None
    sheet.retry_button.click()
    qtbot.waitUntil(sheet.get_button.isEnabled, timeout=WAIT_MS)


def test_a_model_that_is_closed_to_strangers_asks_for_a_token_and_leads_to_its_page(
    open_desk: OpenDesk, qtbot: QtBot
) -> None:
    remote = PretendedRemote()
    page = f"https://huggingface.co/{BEST}"
    remote.refusal = NeedsAccess("It is given to people who accepted its licence.", page)
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    desk.gestures.models.offer(entry(desk, BEST))
    sheet = sheet_of(desk, qtbot)
    assert sheet.problem.text() == str(remote.refusal)
    opened: list[str] = []
    sheet.link_chosen.connect(lambda url: opened.append(url.toString()))
    sheet.page_button.click()
    sheet.token.maker_button.click()
    assert opened == [page, "https://huggingface.co/settings/tokens"]
    field = sheet.token.field
    assert field.hasFocus()
    assert field.echoMode() is QLineEdit.EchoMode.Password
    assert not sheet.token.use_button.isEnabled()
    qtbot.keyClicks(field, "hf_secret")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == ""
    qtbot.waitUntil(sheet.get_button.isEnabled, timeout=WAIT_MS)
    assert remote.tokens == ["hf_secret"]
    assert not remote.downloads, "a token accepts no licence"


def test_a_token_that_is_none_is_said_and_can_be_given_again(open_desk: OpenDesk, qtbot: QtBot) -> None:
    remote = PretendedRemote()
    remote.refusal = NeedsAccess("It is closed to strangers.", "https://huggingface.co/a/b")
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    desk.gestures.models.offer(entry(desk, BEST))
    sheet = sheet_of(desk, qtbot)
    sheet.show_answer(NoConnection("This is no token."))
    assert sheet.problem.text() == "This is no token."
    assert sheet.token.isVisible()
    assert sheet.page_button.isVisible()


def test_too_little_room_is_said_with_the_missing_amount_before_a_byte_comes(open_desk: OpenDesk, qtbot: QtBot) -> None:
    remote = PretendedRemote(free_bytes=4 * GB)
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    desk.gestures.models.offer(entry(desk, BEST))
    sheet = sheet_of(desk, qtbot)
    assert sheet.problem.text().startswith("1.2 GB more free space is needed")
    assert not sheet.get_button.isEnabled()
    assert sheet.disk_button.isVisible()
    assert not remote.downloads


def test_another_disk_is_asked_about_in_a_sheet_of_its_own_which_gets_its_answer(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = PretendedRemote(free_bytes=4 * GB)
    answer = remote.hold(BEST, tmp_path)
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    monkeypatch.setattr("app.widgets.models.model_gestures.ask_for_folder", lambda _on, _title, take: take(tmp_path))
    desk.gestures.models.offer(entry(desk, BEST))
    first = sheet_of(desk, qtbot)
    remote.free_bytes = 40 * GB
    first.disk_button.click()
    delete(first)
    answer.set()
    sheet = sheet_of(desk, qtbot)
    assert sheet.get_button.isEnabled()
    assert str(tmp_path) in sheet.detail.text()


def test_the_answer_to_an_earlier_question_is_not_shown_in_the_sheet_of_another_model(
    open_desk: OpenDesk, qtbot: QtBot
) -> None:
    remote = PretendedRemote()
    other = FAMILY[0].repository
    answers = [remote.hold(BEST), remote.hold(other)]
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    desk.gestures.models.offer(entry(desk, BEST))
    open_sheet(desk).cancel_button.click()
    desk.gestures.models.offer(entry(desk, other))
    sheet = open_sheet(desk)
    with qtbot.waitSignal(desk.models.manager.transfers.offered, timeout=WAIT_MS):
        answers[0].set()
    assert not sheet.get_button.isEnabled()
    answers[1].set()
    qtbot.waitUntil(sheet.get_button.isEnabled, timeout=WAIT_MS)
    assert "3.6 GB to download" in sheet.detail.text()
    sheet.get_button.click()
    qtbot.waitUntil(lambda: list(remote.downloads) == [other], timeout=WAIT_MS)


def test_what_an_earlier_run_began_is_gone_on_with(open_desk: OpenDesk, qtbot: QtBot) -> None:
    remote = PretendedRemote(begun=[Begun(listing(BEST), None, 2 * GB)])
    desk = open_known(open_desk, qtbot, PretendedDisk(remote=remote))
    qtbot.waitUntil(lambda: entry(desk, BEST).stage is Stage.PAUSED, timeout=WAIT_MS)
    assert entry(desk, BEST).line == "2.0 GB of 5.2 GB are here from last time"
    desk.models.manager.show(True)
    desk.window.model_list.cards[BEST].buttons[Deed.RESUME].click()
    qtbot.waitUntil(lambda: remote.has_begun(BEST), timeout=WAIT_MS)
    assert entry(desk, BEST).stage is Stage.WORKING
    assert remote.downloads[BEST].done_bytes == 2 * GB


def test_what_does_not_fit_is_refused_before_it_runs_and_a_lever_makes_it_fit(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    large = found(tmp_path / "large", "12B", gigabytes=10.3)
    desk = open_known(open_desk, qtbot, PretendedDisk(large))
    settings, model = desk.preferences.settings, desk.models.model
    assert entry(desk, large.path).is_too_big
    desk.models.manager.use(entry(desk, large.path))
    assert model.is_built_in
    button_of(desk, "Use a Context of 4K").click()
    qtbot.waitUntil(lambda: model.is_ready and not model.is_built_in, timeout=WAIT_MS)
    assert settings.context_limit == 4096


def test_a_model_goes_to_the_trash_after_a_question_that_names_its_size(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = found(tmp_path / "one")
    desk = open_known(open_desk, qtbot, PretendedDisk(one))
    trashed: list[str] = []

    def move_to_trash(path: str) -> bool:
        trashed.append(path)
        shutil.rmtree(path)
        return True

    monkeypatch.setattr("app.viewmodels.models.chores.QFile.moveToTrash", move_to_trash)
    desk.gestures.models.do(Deed.TRASH, entry(desk, one.path))
    assert trashed == []
    (box,) = desk.window.findChildren(QMessageBox)
    assert "5.2 GB" in box.text()
    button_of(desk, "Move to Trash").click()
    qtbot.waitUntil(lambda: desk.models.manager.entry(one.path) is None, timeout=WAIT_MS)
    assert trashed == [one.path]


def test_a_model_moves_to_another_folder_and_is_found_there(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    one = found(tmp_path / "one")
    (tmp_path / "disk").mkdir()
    disk = PretendedDisk(one, found(tmp_path / "disk" / "one"))
    shutil.rmtree(tmp_path / "disk" / "one")
    desk = open_known(open_desk, qtbot, disk)
    desk.models.manager.move(entry(desk, one.path), tmp_path / "disk")
    qtbot.waitUntil(lambda: desk.models.manager.entry(str(tmp_path / "disk" / "one")) is not None, timeout=WAIT_MS)
    assert (tmp_path / "disk" / "one" / "config.json").read_text() == CONFIG
    assert not (tmp_path / "one").exists()
    assert str(tmp_path / "disk") in desk.preferences.settings.model_folders


def test_the_model_in_use_stays_in_use_unless_it_goes(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, moved = found(tmp_path / "one"), tmp_path / "disk" / "one"
    disk = PretendedDisk(one, found(moved))
    shutil.rmtree(moved)
    desk = open_known(open_desk, qtbot, disk)
    manager, model = desk.models.manager, desk.models.model
    said: list[str] = []
    manager.said.connect(said.append)
    manager.use(entry(desk, one.path))
    qtbot.waitUntil(lambda: model.is_ready and model.path == tmp_path / "one", timeout=WAIT_MS)
    manager.move(entry(desk, one.path), tmp_path / "one")
    qtbot.waitUntil(lambda: len(said) == 1, timeout=WAIT_MS)
    assert (model.path, desk.preferences.settings.start_model) == (tmp_path / "one", tmp_path / "one")
    manager.move(entry(desk, one.path), tmp_path / "disk")
    qtbot.waitUntil(lambda: model.is_ready and desk.preferences.settings.start_model == moved, timeout=WAIT_MS)
    assert model.path == moved
    qtbot.waitUntil(lambda: manager.entry(str(moved)) is not None, timeout=WAIT_MS)
    assert "last used today" in entry(desk, moved).line
    monkeypatch.setattr("app.viewmodels.models.chores.QFile.moveToTrash", shutil.rmtree)
    manager.trash(entry(desk, moved))
    qtbot.waitUntil(lambda: model.is_ready and model.is_built_in, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: manager.entry(str(moved)) is None, timeout=WAIT_MS)
    assert all(each.stage is Stage.AVAILABLE for each in manager.entries), "nobody misses what was moved and trashed"


def test_the_app_asks_before_it_quits_without_a_copy(
    open_desk: OpenDesk, qtbot: QtBot, qapp: DesktopApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = found(tmp_path / "one")
    desk = open_known(open_desk, qtbot, PretendedDisk(one))
    desk.follow(qapp)
    go_on = threading.Event()

    def wait(_folder: Path) -> None:
        go_on.wait()
        raise EngineError("It took too long.")

    monkeypatch.setattr("app.viewmodels.models.chores.plan_removal", wait)
    desk.models.manager.trash(entry(desk, one.path))
    for _ in range(2):  # asked once
        event = QEvent(QEvent.Type.Quit)
        QCoreApplication.sendEvent(qapp, event)
        assert not event.isAccepted()
    quits = list[str]()
    button_of(desk, "Cancel").click()
    desk.gestures.models.ask_before_quitting(lambda: quits.append("quit"))
    button_of(desk, "Quit Without the Copy").click()
    assert quits == ["quit"]
    assert not qapp.asks_before_quitting()
    go_on.set()


def test_a_look_that_fails_half_way_lists_what_it_found(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    one = found(tmp_path / "one")

    def find(_folders: Sequence[Path], _is_stopped: Callable[[], bool]) -> Iterator[FoundModel]:
        yield one
        raise OSError("nobody thought of it")

    desk = open_desk("echo", supply=replace(PretendedDisk().supply, find=find))
    qtbot.waitUntil(lambda: desk.models.manager.entry(one.path) is not None, timeout=WAIT_MS)
    assert desk.models.manager.is_known


def test_a_missing_disk_is_said_and_its_model_comes_back_with_it(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    one = found(tmp_path / "disk" / "one")
    disk = PretendedDisk(one)
    desk = open_known(open_desk, qtbot, disk)
    desk.preferences.settings.models_used = {one.path: 1.0}
    (tmp_path / "disk").rename(tmp_path / "away")
    desk.models.manager.look()
    qtbot.waitUntil(lambda: entry(desk, one.path).stage is Stage.MISSING, timeout=WAIT_MS)
    assert "Connect its disk" in entry(desk, one.path).line
    (tmp_path / "away").rename(tmp_path / "disk")
    desk.gestures.models.do(Deed.LOOK, entry(desk, one.path))
    qtbot.waitUntil(lambda: entry(desk, one.path).stage is Stage.ON_DISK, timeout=WAIT_MS)


def test_the_first_start_recommends_one_model_and_blocks_nothing(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings
) -> None:
    settings.is_welcomed = False
    desk = open_known(open_desk, qtbot, PretendedDisk())
    welcome, empty = desk.window.messages.welcome, desk.window.messages.empty
    qtbot.waitUntil(lambda: BEST in welcome.cards, timeout=WAIT_MS)
    assert welcome.isVisible()
    assert "Apple M1 · 16 GB memory" in welcome.machine.text()
    card = welcome.cards[BEST]
    assert (card.name.text(), list(card.buttons)) == ("Gemma 4 E4B", [Deed.GET])
    assert "Apache-2.0" in card.line.text()
    assert "about 7 minutes" in welcome.advice.text()
    answer = say(desk, "hello")
    assert wait_for_end(qtbot, desk).text.startswith("user:hello"), "it blocks nothing"
    assert answer.model == "Sample model"
    desk.window.commands["new"].trigger()
    assert empty.isVisible(), "who writes has begun"
    offers = (empty.better_button, desk.window.composer.better_button)
    assert [offer.isVisible() for offer in offers] == [True, False], "one offer at a time"
    say(desk, "hello")
    assert [offer.isVisible() for offer in offers] == [False, True]


def test_the_first_start_tries_the_sample_at_once(open_desk: OpenDesk, qtbot: QtBot, settings: Settings) -> None:
    settings.is_welcomed = False
    desk = open_known(open_desk, qtbot, PretendedDisk())
    assert not desk.window.composer.better_button.isVisible(), "the view is full of offers"
    desk.window.messages.welcome.sample_button.click()
    assert settings.is_welcomed
    qtbot.waitUntil(lambda: len(desk.models.conversation.turns) == 2, timeout=WAIT_MS)
    assert "Read the text" in wait_for_end(qtbot, desk).text
    assert len(desk.models.conversation.history[0].pictures) == 1


def test_the_buttons_of_the_first_start_stand_where_they_stood_before_the_mac_was_known(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.is_welcomed = False
    desk = open_known(open_desk, qtbot, PretendedDisk())
    welcome = desk.window.messages.welcome
    qtbot.waitUntil(lambda: BEST in welcome.cards and welcome.cards[BEST].isVisible(), timeout=WAIT_MS)
    known = settled_place(welcome)
    monkeypatch.setattr(Manager, "machine", None)
    monkeypatch.setattr(Manager, "recommended", None)
    welcome.refresh()
    assert not welcome.cards
    assert settled_place(welcome) == known


def settled_place(welcome: WelcomeView) -> tuple[int, int]:
    """How high title and buttons stand, once all that asked to be laid out anew is."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    return welcome.title.mapTo(welcome, QPoint()).y(), welcome.sample_button.mapTo(welcome, QPoint()).y()


def test_the_keyboard_goes_from_the_models_of_the_first_start_to_the_buttons_below(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings, tmp_path: Path
) -> None:
    settings.is_welcomed = False
    one = found(tmp_path / "one")
    desk = open_known(open_desk, qtbot, PretendedDisk(one))
    welcome = desk.window.messages.welcome
    qtbot.waitUntil(lambda: {BEST, one.path} <= set(welcome.cards), timeout=WAIT_MS)
    best, here = welcome.cards[BEST], welcome.cards[one.path]
    wanted = [
        best, best.buttons[Deed.GET], best.menu_button, here, here.buttons[Deed.USE], here.menu_button,
        welcome.sample_button, welcome.folder_button, welcome.list_button,
    ]  # fmt: skip
    qtbot.waitUntil(lambda: all(each.isVisible() for each in wanted), timeout=WAIT_MS)
    stops: list[QWidget] = [best]
    while len(stops) < len(wanted):
        following = stops[-1].nextInFocusChain()
        while not (following.isVisible() and following.focusPolicy() & Qt.FocusPolicy.TabFocus):
            following = following.nextInFocusChain()
        stops.append(following)
    assert stops == wanted


def test_a_folder_that_a_person_names_is_said_to_hold_models_or_none(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    disk = PretendedDisk(found(tmp_path / "some" / "one"), found(tmp_path / "some" / "two"))
    desk = open_known(open_desk, qtbot, disk)
    said: list[str] = []
    desk.models.manager.said.connect(said.append)
    names = iter(["empty", "some"])
    choose = "app.widgets.models.model_gestures.ask_for_folder"
    monkeypatch.setattr(choose, lambda _on, _title, take: take(tmp_path / next(names)))
    desk.gestures.models.add_folder()
    qtbot.waitUntil(lambda: len(said) == 1, timeout=WAIT_MS)
    desk.gestures.models.add_folder()
    qtbot.waitUntil(lambda: len(said) == 2, timeout=WAIT_MS)
    assert said[0].startswith("No model in “empty” can be used.")
    assert said[1] == "2 models in “some” can be used."
    toast = desk.window.model_list.toast
    assert toast.isVisible(), "where the list is, not behind it"
    assert toast.text.text() == said[1]


def test_the_first_start_lists_what_is_here_already(
    open_desk: OpenDesk, qtbot: QtBot, settings: Settings, tmp_path: Path
) -> None:
    settings.is_welcomed = False
    one = found(tmp_path / "one")
    desk = open_known(open_desk, qtbot, PretendedDisk(one))
    welcome = desk.window.messages.welcome
    qtbot.waitUntil(lambda: one.path in welcome.cards, timeout=WAIT_MS)
    welcome.cards[one.path].buttons[Deed.USE].click()
    qtbot.waitUntil(lambda: desk.models.model.path == tmp_path / "one", timeout=WAIT_MS)
    assert desk.window.messages.empty.isVisible()


def test_wherever_the_sample_is_not_enough_a_way_leads_to_a_better_model(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_known(open_desk, qtbot, PretendedDisk(), "decline")
    window, manager = desk.window, desk.models.manager
    ways = [window.messages.empty.better_button, window.composer.better_button]
    say(desk, "Who wrote Faust?")
    answer = wait_for_end(qtbot, desk)
    assert (answer.state, answer.note) == (AnswerState.FINISHED, ""), "nobody waits for the model's last words"
    ways.append(answer_view(desk).better_button)
    assert answer_view(desk).better_button.isVisible()
    seen, shown = answer_view(desk).text_view, json.loads((sample_checkpoint() / "traits.json").read_text())
    assert seen is not None
    assert seen.toPlainText() == answer_view(desk).copied.text == shown["declines_in_a_window"]
    assert "--model" not in seen.toPlainText()
    assert window.commands["models"] in window.header.chip.menu().actions()
    for way in ways:
        manager.show(False)
        way.click()
        assert manager.is_shown
        qtbot.keyClick(window, Qt.Key.Key_Escape)
        assert not manager.is_shown


def test_an_answer_without_memory_offers_less_of_what_it_asked_for(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_known(open_desk, qtbot, PretendedDisk(), "short-of-memory")
    say(desk, "all of it")
    assert wait_for_end(qtbot, desk).is_short_of_memory
    view = answer_view(desk)
    assert [button.text() for button in view.way_buttons] == ["Use a Context of 4K", "Use a Smaller Model…"]
    view.way_buttons[0].click()
    wait_for_end(qtbot, desk)
    assert desk.preferences.settings.context_limit == 4096
    view = answer_view(desk)
    view.model_requested.emit()
    assert desk.models.manager.is_shown


def test_the_settings_say_where_models_are_kept_and_looked_for(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    disk = PretendedDisk()
    desk = open_known(open_desk, qtbot, disk)
    desk.window.commands["settings"].trigger()
    window = desk.window.findChild(SettingsWindow)
    assert isinstance(window, SettingsWindow)
    window.show_page("Model")
    page = window.model.view
    assert page.keeping.text() == "In the Hugging Face cache, which other programs share."
    (tmp_path / "kept").mkdir()
    desk.preferences.keep_models_in(tmp_path / "kept")
    assert page.keeping.text() == str(tmp_path / "kept")
    assert page.folders.list.item(0).text() == str(tmp_path / "kept")
    qtbot.waitUntil(lambda: tmp_path / "kept" in disk.asked[-1], timeout=WAIT_MS)
    page.share_button.click()
    assert desk.models.manager.download_root is None
    page.folders.remove_button.click()
    qtbot.waitUntil(lambda: tmp_path / "kept" not in disk.asked[-1], timeout=WAIT_MS)
    page.list_button.click()
    assert desk.models.manager.is_shown
