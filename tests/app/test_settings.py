"""Preferences: what is stored, what it means for an answer, and the window that changes it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.bridge import Bridge
from app.look.icons import Icons
from app.look.theme import Theme
from app.paths import ICONS
from app.settings import (
    TEXT_SIZES,
    Appearance,
    Microphone,
    Notifying,
    Preference,
    Preset,
    Retention,
    SamplingChoice,
    Settings,
    SystemVoice,
    may_use_network,
)
from app.tools import Desktop, built_in_tools
from app.viewmodels.conversation.tools import Toolbox
from app.viewmodels.models.model import Model
from app.viewmodels.settings.preferences import OFFLINE_REFUSAL, Preferences
from app.widgets.settings.settings_window import SettingsWindow
from app.widgets.shared.look import Look
from engine import LoadModel, Options, Sampling, sample_checkpoint
from tests.app.conftest import delete
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
)

ROOT = Path(__file__).resolve().parents[2]
NETWORK_MODULES = {
    "socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "requests", "httpx", "aiohttp", "websockets",
    "PySide6.QtNetwork", "PySide6.QtWebEngineCore", "huggingface_hub", "httpx2", "urllib3", "asyncio",
}  # fmt: skip

CONNECTS = ROOT / "app" / "downloads"


VOICES = [SystemVoice("Anna", "de_DE"), SystemVoice("Kate", "en_GB")]


@pytest.fixture
def preferences(settings: Settings, tmp_path: Path) -> Preferences:
    """The preferences of this test alone."""
    return Preferences(settings, tmp_path)


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, preferences: Preferences) -> Iterator[SettingsWindow]:
    """The settings window, open."""
    parent = QWidget()
    tools = built_in_tools(Desktop(list, lambda _words, _limit: []))
    toolbox = Toolbox(preferences.settings, tools)
    window = SettingsWindow(parent, Look(theme, Icons(ICONS)), preferences, toolbox, lambda: VOICES)
    with qtbot.waitExposed(window, timeout=WAIT_MS):
        window.show()
    yield window
    delete(parent)


def reread(settings: Settings) -> Settings:
    """The same preferences as another start of the app finds them."""
    settings._kept.sync()
    return Settings(QSettings(settings._kept.fileName(), QSettings.Format.IniFormat))


def test_every_preference_outlives_the_app(settings: Settings) -> None:
    settings.thinks_by_default = True
    settings.thinking_budget = 0
    settings.max_new_tokens = 77
    settings.sampling_choice = SamplingChoice.OWN
    settings.own_sampling = Sampling(temperature=0.5, seed=2**40)
    settings.presets = (Preset("Terse", "Be brief.\n“Really”"), Preset("Empty"))
    settings.preset_name = "Terse"
    settings.shows_thoughts = settings.shows_statistics = settings.works_offline = True
    settings.return_sends = False
    settings.start_model = Path("/models/gemma, the 4th")
    settings.context_limit, settings.rest_after_minutes, settings.state_megabytes = 8192, 15, 4000
    settings.model_folders, settings.download_folder = ("/models", "/Volumes/“A”"), Path("/models/got")
    settings.models_used, settings.is_welcomed = {"/models/one": 17.5}, True
    settings.retention = Retention.MONTH
    settings.notifying = Notifying.NEVER
    settings.text_size = 140
    settings.microphone = Microphone("4d2", "“Ohr”, links")
    again = reread(settings)
    assert again.thinks_by_default
    assert again.shows_thoughts
    assert again.shows_statistics
    assert again.works_offline
    assert not again.return_sends
    assert (again.thinking_budget, again.max_new_tokens) == (0, 77)
    assert (again.context_limit, again.rest_after_minutes, again.state_megabytes) == (8192, 15, 4000)
    assert again.sampling_choice is SamplingChoice.OWN
    assert again.own_sampling == Sampling(temperature=0.5, seed=2**40)
    assert again.presets == (Preset("Terse", "Be brief.\n“Really”"), Preset("Empty"))
    assert again.preset_name == "Terse"
    assert again.start_model == Path("/models/gemma, the 4th")
    assert again.model_folders == ("/models", "/Volumes/“A”")
    assert (again.download_folder, again.models_used) == (Path("/models/got"), {"/models/one": 17.5})
    assert again.is_welcomed
    assert again.retention is Retention.MONTH
    assert again.notifying is Notifying.NEVER
    assert again.text_size == 140
    assert again.microphone == Microphone("4d2", "“Ohr”, links")


SPOILED = """[General]
thinking=perhaps
thinks_by_default=2
thinking_budget=-5
max_new_tokens=0
sampling=wild
own_sampling={"temperature": -3}
presets="[{\\"name\\": 5}]"
preset=Gone
thoughts_shown=
return_sends=maybe
model=
context_limit=99999999999999999999
rest_after_minutes=soon
works_offline=@Invalid()
retention=forever
notifying=loudly
appearance=purple
text_size=101
budget=abc
geometry=7
microphone={"id": 4}
"""


def test_what_is_damaged_reads_as_the_default(tmp_path: Path) -> None:
    path = tmp_path / "spoiled.ini"
    path.write_text(SPOILED)
    spoiled = Settings(QSettings(str(path), QSettings.Format.IniFormat))
    fresh = Settings(QSettings(str(tmp_path / "none.ini"), QSettings.Format.IniFormat))
    kinds = property, Preference
    names = [name for name, value in vars(Settings).items() if isinstance(value, kinds) and name[0] != "_"]
    assert len(names) >= 27
    assert {name: getattr(spoiled, name) for name in names} == {name: getattr(fresh, name) for name in names}
    assert Preferences(fresh, tmp_path).options(thinking=False) == Options()


def test_a_change_is_told_once_and_a_repetition_never(settings: Settings, qtbot: QtBot) -> None:
    with qtbot.waitSignal(settings.changed, timeout=WAIT_MS):
        settings.retention = Retention.MONTH
    with qtbot.assertNotEmitted(settings.changed):
        settings.retention = Retention.MONTH
    with qtbot.waitSignal(settings.changed, timeout=WAIT_MS):
        settings.budget = 560


# --- what the choices mean


def test_an_answer_is_made_as_chosen(preferences: Preferences, settings: Settings) -> None:
    settings.thinking_budget, settings.max_new_tokens = 512, 100
    options = preferences.options(thinking=True)
    assert (options.thinking, options.thinking_budget, options.max_new_tokens) == (True, 512, 100)
    assert not preferences.options(thinking=False).thinking
    settings.thinking_budget = 0
    assert preferences.options(thinking=True).thinking_budget > 262_144


def test_each_way_of_choosing_words_is_colder_or_warmer_than_the_next(
    preferences: Preferences, settings: Settings
) -> None:
    settings.sampling_choice = SamplingChoice.MODEL
    assert preferences.sampling == Sampling()
    temperatures = []
    for choice in (SamplingChoice.PRECISE, SamplingChoice.BALANCED, SamplingChoice.CREATIVE):
        settings.sampling_choice = choice
        temperatures.append(preferences.sampling.temperature or 0)
        assert f"{preferences.sampling.temperature:g}" in preferences.sampling_note
    assert temperatures == sorted(set(temperatures))
    settings.sampling_choice = SamplingChoice.OWN
    settings.own_sampling = Sampling(temperature=0.1)
    assert preferences.sampling.temperature == 0.1
    assert preferences.sampling.top_k == 64


def test_prompts_are_added_renamed_written_and_deleted(preferences: Preferences) -> None:
    assert preferences.system_prompt == ""
    preferences.write_prompt("lost, because no prompt is chosen")
    preferences.add_prompt()
    preferences.add_prompt()
    assert preferences.prompt_names == ("New Prompt", "New Prompt 2")
    preferences.write_prompt("  Be brief.\n")
    assert preferences.system_prompt == "Be brief."
    assert "called “New Prompt”" in preferences.rename_prompt(" New  Prompt ")
    assert "needs a name" in preferences.rename_prompt(" ")
    assert preferences.rename_prompt("Terse") == ""
    assert preferences.settings.preset_name == "Terse"
    assert preferences.prompt_text == "  Be brief.\n"
    preferences.choose_prompt("New Prompt")
    assert preferences.system_prompt == ""
    preferences.delete_prompt()
    assert preferences.prompt_names == ("Terse",)
    assert preferences.settings.preset_name == ""
    preferences.choose_prompt("Terse")
    assert preferences.system_prompt == "Be brief."


def test_the_context_is_never_longer_than_the_model_or_the_limit(preferences: Preferences, settings: Settings) -> None:
    assert preferences.context_length(131_072) == 131_072
    settings.context_limit = 8192
    assert preferences.context_length(131_072) == 8192
    assert preferences.context_length(4096) == 4096


def test_retention_in_days(preferences: Preferences, settings: Settings) -> None:
    found = []
    for settings.retention in Retention:
        found.append(preferences.retention_days)
        assert preferences.retention_note.endswith(".")
    assert found == [None, 30, 0]


# --- the network (D-24)


def test_only_downloads_can_reach_the_network() -> None:
    for path in [*(ROOT / "app").rglob("*.py"), *(ROOT / "engine").rglob("*.py")]:
        tree = ast.parse(path.read_text())
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                imported |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
        assert not imported & NETWORK_MODULES or path.parent == CONNECTS, path
        opens = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "openUrl"]
        assert not opens or path.name == "dialogs.py", f"{path}: only dialogs.py opens anything outside the app"


def test_work_offline_refuses_links_even_after_the_question(
    open_desk: OpenDesk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    desk = open_desk(has_engine=False)
    link = QUrl("https://example.org/page")

    def click_link_and_open(goes_offline_first: bool) -> None:
        desk.window.messages.link_chosen.emit(link)
        (sheet,) = desk.window.findChildren(QMessageBox)
        settings.works_offline = goes_offline_first
        next(button for button in sheet.buttons() if button.text() == "Open").click()
        delete(sheet)

    click_link_and_open(goes_offline_first=False)
    assert opened == [link]
    click_link_and_open(goes_offline_first=True)
    assert opened == [link]
    desk.window.messages.link_chosen.emit(link)
    assert not desk.window.findChildren(QMessageBox)
    assert desk.window.toast.text.text() == OFFLINE_REFUSAL
    assert not may_use_network(settings)


def test_the_privacy_page_says_what_uses_the_network(window: SettingsWindow, settings: Settings) -> None:
    window.show_page("Privacy")
    assert "Links in answers" in window.privacy.view.network.text()
    window.privacy.view.offline.click()
    assert settings.works_offline
    assert window.privacy.view.network.text().startswith("Nothing.")


# --- the window


def test_all_that_is_chosen_holds_at_once(window: SettingsWindow, settings: Settings, qtbot: QtBot) -> None:
    window.show_page("General")
    window.general.view.appearance.activated.emit(2)
    assert settings.appearance is Appearance.DARK
    window.general.view.return_breaks.click()
    window.general.view.shows_statistics.click()
    window.general.view.notifying.activated.emit(1)
    assert settings.notifying is Notifying.WITH_WORDS
    assert window.general.view.notifying.currentText() == "With the answer’s first words"
    window.general.view.shows_thoughts.click()
    assert (settings.return_sends, settings.shows_statistics, settings.shows_thoughts) == (False, True, True)
    window.general.view.text_size.setValue(TEXT_SIZES.index(125))
    assert settings.text_size == 125
    window.show_page("Answers")
    window.answers.view.thinks.click()
    window.answers.view.budget.menu.setCurrentIndex(1)
    window.answers.view.budget.menu.activated.emit(1)
    assert (settings.thinks_by_default, settings.thinking_budget) == (True, 512)
    last = window.answers.view.budget.menu.count() - 1
    window.answers.view.budget.menu.setCurrentIndex(last)
    window.answers.view.budget.menu.activated.emit(last)
    window.answers.view.budget.field.setValue(777)
    assert settings.thinking_budget == 777
    assert window.answers.view.budget.field.isVisible()
    assert not window.answers.view.temperature.isVisible()
    settings.sampling_choice = SamplingChoice.OWN
    assert window.answers.view.temperature.isVisible()
    window.answers.view.temperature.setValue(0.4)
    window.answers.view.seed.setValue(7)
    assert (settings.own_sampling.temperature, settings.own_sampling.seed) == (0.4, 7)


def test_new_pictures_start_with_the_budget_of_the_settings_alone(open_desk: OpenDesk, draw: Draw) -> None:
    desk = open_desk(has_engine=False)
    desk.window.commands["settings"].trigger()
    window = desk.window.findChild(SettingsWindow)
    window.show_page("Answers")
    pictures = window.answers.view.pictures
    assert pictures.currentText() == "Auto"
    pictures.setCurrentIndex(4)
    pictures.activated.emit(4)
    attach(desk, draw())
    assert desk.models.composer.pictures[0].choice == 560
    desk.models.composer.set_budget_of_all(70)
    assert desk.models.composer.pictures[0].choice == 70
    assert pictures.currentText().endswith("· 560 tokens")


def test_tools_and_their_folders_are_chosen_in_one_place(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(has_engine=False)
    desk.window.commands["settings"].trigger()
    window = desk.window.findChild(SettingsWindow)
    window.show_page("Tools")
    page, commands = window.tools.view, desk.window.commands
    page.switches["clock"].click()
    assert [tool.name for tool in desk.models.toolbox.offered] == ["clock"]
    assert commands["tool clock"].isChecked()
    commands["tool clock"].trigger()
    assert not page.switches["clock"].isChecked()
    page.folders.add_button.click()
    sheet = page.findChild(QFileDialog)
    assert isinstance(sheet, QFileDialog)
    sheet.fileSelected.emit(str(tmp_path))
    sheet.close()
    assert page.folders.list.item(0).text() == str(tmp_path)
    assert commands["forget_readable"].isEnabled()
    page.folders.remove_button.click()
    assert desk.preferences.settings.readable_paths == ()
    assert not page.folders.remove_button.isEnabled()
    assert not commands["forget_readable"].isEnabled()


def test_a_prompt_is_written_with_the_keyboard(window: SettingsWindow, preferences: Preferences, qtbot: QtBot) -> None:
    window.show_page("Prompts")
    page = window.prompts.view
    assert not page.text.isVisible()
    page.add_button.click()
    qtbot.keyClicks(page.name, "Terse")
    qtbot.keyClick(page.name, Qt.Key.Key_Return)
    page.text.setFocus()
    qtbot.keyClicks(page.text, "Be brief.")
    assert (preferences.prompt_names, preferences.system_prompt) == (("Terse",), "Be brief.")
    page.add_button.click()
    assert page.text.toPlainText() == ""
    page.chosen.activated.emit(page.chosen.findText("Terse"))
    assert page.text.toPlainText() == "Be brief."
    page.delete_button.click()
    (sheet,) = page.findChildren(QMessageBox)
    assert preferences.prompt_names == ("Terse", "New Prompt")
    next(button for button in sheet.buttons() if button.text() == "Delete").click()
    assert preferences.prompt_names == ("New Prompt",)


def test_deleting_everything_is_asked_once(window: SettingsWindow, preferences: Preferences, qtbot: QtBot) -> None:
    window.show_page("Privacy")
    with qtbot.assertNotEmitted(preferences.delete_all_requested):
        window.privacy.view.delete_button.click()
    (sheet,) = window.privacy.view.findChildren(QMessageBox)
    assert sheet.defaultButton().text() == "Cancel"
    with qtbot.waitSignal(preferences.delete_all_requested, timeout=WAIT_MS):
        next(button for button in sheet.buttons() if button.text() == "Delete All").click()


@pytest.mark.parametrize("page", ["General", "Model", "Prompts", "Answers", "Privacy"])
def test_the_keyboard_reaches_everything_on_a_page(
    window: SettingsWindow, settings: Settings, preferences: Preferences, qtbot: QtBot, page: str
) -> None:
    preferences.add_prompt()
    settings.sampling_choice = SamplingChoice.OWN
    settings.thinking_budget = 3
    settings.start_model = Path("/somewhere")
    window.show_page(page)
    wanted = {
        field
        for field in window.pages[page].view.findChildren(QWidget)
        if field.focusPolicy() & Qt.FocusPolicy.TabFocus
        and field.isVisible()
        and field.isEnabled()
        and not field.focusProxy()
    }
    wanted -= {window.general.view.return_breaks}  # the arrow keys reach it from its neighbour
    assert len(wanted) >= 4
    reached: set[QWidget | None] = set()
    window.tabs[page].setFocus()
    for _ in range(40):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        reached.add(window.focusWidget())
    assert {field.accessibleName() or type(field).__name__ for field in wanted - reached} == set()


def test_the_settings_open_over_the_window_and_where_they_were_left_but_never_off_the_screen(
    open_desk: OpenDesk, settings: Settings
) -> None:
    desk = open_desk(has_engine=False)
    area = desk.window.screen().availableGeometry()
    desk.window.resize(500, 540)
    desk.window.move(60, 40)

    def show() -> QRect:
        desk.window.commands["settings"].trigger()
        window = desk.window.findChild(SettingsWindow)
        assert isinstance(window, SettingsWindow)
        place = window.frameGeometry()
        window.close()
        assert area.contains(place)
        return place

    middle = show().center() - desk.window.frameGeometry().center()
    assert middle.manhattanLength() < 8, "but for the frames"
    settings.settings_place = QPoint(100, 90)
    assert show().topLeft() == QPoint(100, 90)
    settings.settings_place = QPoint(5000, -3000)
    show()


def test_escape_closes_and_the_window_is_as_large_as_its_page_if_the_screen_has_room(
    window: SettingsWindow, theme: Theme, qtbot: QtBot
) -> None:
    heights = set()
    for name in window.pages:
        window.show_page(name)
        QApplication.processEvents()
        heights.add(window.height())
        assert window.windowTitle() == name
    assert len(heights) > 1
    theme.set_text_size(200)
    window.show_page("Model")
    qtbot.waitUntil(lambda: window.height() > max(heights), timeout=WAIT_MS)
    assert window.height() < window.screen().availableGeometry().height()
    assert window.model.view.height() > window.height(), "the rest is scrolled to"
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()


def test_the_command_opens_one_window_that_follows_the_rest(
    open_desk: OpenDesk, settings: Settings, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    desk.window.commands["settings"].trigger()
    (window,) = desk.window.findChildren(SettingsWindow)
    desk.window.commands["settings"].trigger()
    assert desk.window.findChildren(SettingsWindow) == [window]
    desk.window.commands["dark"].trigger()
    assert window.general.view.appearance.currentText() == "Dark"
    window.general.view.appearance.activated.emit(1)
    assert desk.window.commands["light"].isChecked()
    desk.window.commands["bigger"].trigger()
    assert window.general.view.percent.text() == "112 %"
    window.general.view.shows_thoughts.click()
    assert desk.window.commands["show_thoughts"].isChecked()
    window.general.view.return_breaks.click()
    qtbot.keyClicks(desk.window.composer.editor, "one")
    qtbot.keyClick(desk.window.composer.editor, Qt.Key.Key_Return)
    assert desk.models.composer.text == "one\n"
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
    desk.window.commands["close"].trigger()
    assert desk.window.isVisible()
    assert not window.isVisible()


def test_the_chosen_model_is_the_one_of_the_next_start(
    open_desk: OpenDesk, settings: Settings, tmp_path: Path, qtbot: QtBot
) -> None:
    desk = open_desk()
    desk.preferences.choose_model(tmp_path)
    assert desk.models.model.name == tmp_path.name
    qtbot.waitUntil(lambda: settings.start_model == tmp_path, timeout=WAIT_MS)
    desk.preferences.choose_model(tmp_path / "wrong")
    desk.window.commands["settings"].trigger()
    window = desk.window.findChild(SettingsWindow)
    assert isinstance(window, SettingsWindow)
    window.show_page("Model")
    qtbot.waitUntil(window.model.view.refusal.isVisible, timeout=WAIT_MS)
    assert window.model.view.refusal.text().startswith("“wrong” cannot be loaded, so ")
    assert window.model.view.name.text() == tmp_path.name
    assert settings.start_model == tmp_path
    desk.window.commands["use_sample"].trigger()
    qtbot.waitUntil(lambda: settings.start_model is None, timeout=WAIT_MS)
    assert desk.models.model.name == "Sample model"


def test_a_new_conversation_thinks_as_usual(open_desk: OpenDesk, settings: Settings) -> None:
    desk = open_desk(has_engine=False)
    settings.thinks_by_default = True
    desk.window.commands["new"].setEnabled(True)
    desk.window.commands["new"].trigger()
    assert desk.models.composer.is_thinking_on


@pytest.mark.parametrize(("megabytes", "max_state_bytes"), [(0, None), (2000, 2_000_000_000)])
def test_a_model_is_loaded_with_the_memory_that_was_chosen(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, megabytes: int, max_state_bytes: int | None
) -> None:
    bridge, asked = Bridge(["nothing"]), []
    monkeypatch.setattr(bridge, "submit", asked.append)
    settings.state_megabytes = megabytes
    Model(bridge, sample_checkpoint(), settings).load(tmp_path)
    assert asked == [LoadModel(1, str(tmp_path), max_state_bytes)]
