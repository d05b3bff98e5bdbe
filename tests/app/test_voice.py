"""Speaking to the window: the pill, its keys, what becomes of a clip, and models that do not hear (D-18, D-19)."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDesktopServices, QImage
from pytestqt.qtbot import QtBot

from app.application import Desk, system_microphones
from app.settings import Microphone, Settings
from app.sound import recorder
from app.sound.recorder import DENIED, LOST, MicrophoneError
from app.viewmodels.draft import voice
from app.viewmodels.draft.attached import DraftSound
from tests.app.driving import (
    WAIT_MS,
    OpenDesk,
    let_files_be_read,
    say,
)
from tests.app.pretended_microphones import PretendedMicrophones
from tests.app.test_draft import load
from tests.media_files import tone

Speak = Callable[..., tuple[Desk, PretendedMicrophones]]


@pytest.fixture
def speak(open_desk: OpenDesk) -> Speak:
    """Open a window and begin to record in it."""

    def begin(scenario: str = "fast", *, has_engine: bool = False) -> tuple[Desk, PretendedMicrophones]:
        microphones = PretendedMicrophones()
        desk = open_desk(scenario, has_engine=has_engine, open_microphones=lambda: microphones)
        desk.window.composer.record_button.click()
        return desk, microphones

    return begin


def seconds(desk: Desk, qtbot: QtBot, microphones: PretendedMicrophones, length_s: float) -> None:
    """Say something and wait until it is heard."""
    microphones.say(tone(length_s, microphones.rate_hz))
    view = desk.window.composer.recorder
    heard = len(view.meter.levels)
    qtbot.waitUntil(lambda: len(view.meter.levels) > heard + 1, timeout=WAIT_MS)


def test_the_pill_takes_the_texts_place_and_shows_level_and_time(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak()
    view = desk.window.composer
    assert view.recorder.isVisible()
    assert view.editor.isHidden()
    assert desk.window.focusWidget() is view.recorder
    assert view.record_button.accessibleName() == "Stop recording"
    assert desk.window.commands["record"].text() == "Stop Recording"
    seconds(desk, qtbot, microphones, 2.5)
    assert view.recorder.time.text() == "0:02"
    assert max(view.recorder.meter.levels) == pytest.approx(0.85, abs=0.01)  # -9 dB on a scale of 60
    view.recorder.stop_button.click()
    assert view.recorder.isHidden()
    assert view.editor.isVisible()
    assert desk.window.focusWidget() is view.editor


def test_a_recording_becomes_a_chip(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak()
    seconds(desk, qtbot, microphones, 1)
    with qtbot.waitSignal(desk.models.voice.clip_recorded, timeout=WAIT_MS) as recorded:
        desk.window.commands["record"].trigger()
    path, transcribes = recorded.args
    assert not transcribes
    let_files_be_read(desk)
    (item,) = desk.models.composer.items
    assert isinstance(item, DraftSound)
    assert (item.path, item.name, item.label) == (path, "Recording 1.wav", "1.0 s")


def test_escape_throws_the_recording_away(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak()
    seconds(desk, qtbot, microphones, 1)
    qtbot.keyClick(desk.window.composer.recorder, Qt.Key.Key_Escape)
    assert desk.models.composer.items == ()
    assert not microphones.is_open
    assert desk.window.composer.editor.isVisible()


def test_escape_in_the_pill_does_not_stop_an_answer(speak: Speak, qtbot: QtBot) -> None:
    desk, _ = speak("slow", has_engine=True)
    say(desk, "go")
    qtbot.keyClick(desk.window.composer.recorder, Qt.Key.Key_Escape)
    assert not desk.models.voice.is_open
    assert desk.models.conversation.is_busy


def test_the_end_of_the_longest_recording_is_counted(
    speak: Speak, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (recorder, voice):
        monkeypatch.setattr(module, "LONGEST_S", 28)
    monkeypatch.setattr(voice, "WARNING_S", 5)
    desk, microphones = speak()
    view = desk.window.composer.recorder
    seconds(desk, qtbot, microphones, 22)
    assert view.line.text() == ""
    seconds(desk, qtbot, microphones, 2)
    assert (view.line.text(), view.line.property("role")) == ("4 s left", "caution")
    microphones.say(tone(4.5, microphones.rate_hz))
    qtbot.waitUntil(lambda: not desk.models.voice.is_open, timeout=WAIT_MS)
    let_files_be_read(desk)
    assert desk.models.composer.items[0].label == "28.5 s"
    assert desk.window.composer.problem.text.text() == recorder.LONG


def test_what_is_said_is_written_into_the_message(speak: Speak, qtbot: QtBot, tmp_path: Path) -> None:
    desk, microphones = speak("echo", has_engine=True)
    desk.models.model.load(tmp_path / "full")
    qtbot.waitUntil(lambda: desk.models.model.is_ready and not desk.models.model.is_built_in, timeout=WAIT_MS)
    desk.window.composer.voice_menu.transcribe.trigger()
    desk.models.composer.replace_text("so: ")
    seconds(desk, qtbot, microphones, 1)
    desk.models.voice.stop()
    pill = desk.window.composer.recorder
    assert (pill.line.text(), pill.stop_button.isHidden()) == ("Writing down what you said…", True)
    qtbot.waitUntil(lambda: not desk.models.voice.is_open, timeout=WAIT_MS)
    text = desk.window.composer.editor.toPlainText()
    assert text.startswith("so: user:Transcribe the following speech segment")
    assert desk.models.composer.text == text
    assert desk.models.composer.items == ()
    assert desk.models.conversation.turns == [], "a dictation is no turn of the conversation"


def test_a_clip_that_cannot_be_written_down_is_attached(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak("fail", has_engine=True)
    desk.models.voice.set_transcribing(True)
    seconds(desk, qtbot, microphones, 1)
    desk.models.voice.stop()
    qtbot.waitUntil(lambda: not desk.models.voice.is_open, timeout=WAIT_MS)
    assert desk.window.composer.problem.text.text().endswith("The clip is attached instead.")
    assert [item.name for item in desk.models.composer.items] == ["Recording 1.wav"]
    let_files_be_read(desk)


def test_the_choice_between_text_and_clip_sticks(open_desk: OpenDesk) -> None:
    open_desk(has_engine=False).window.composer.voice_menu.transcribe.trigger()
    menu = open_desk(has_engine=False).window.composer.voice_menu
    assert (menu.transcribe.isChecked(), menu.attach.isChecked()) == (True, False)


def test_a_model_that_does_not_hear_says_which_do_and_offers_them(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    view = desk.window.composer
    load(desk, "text", "picture")
    assert view.record_button.isEnabled()
    view.record_button.click()
    assert view.problem.text.text() == (
        "This model does not hear. E2B, E4B and 12B hear: choose one of them to speak to it."
    )
    assert view.recorder.isHidden()
    with qtbot.waitSignal(view.model_requested, timeout=WAIT_MS):
        view.model_button.click()
    load(desk, "text", "picture", "sound")
    assert view.problem.isHidden(), "the model that was chosen hears"


def test_a_denied_microphone_leads_to_the_settings(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    desk = open_desk(has_engine=False, open_microphones=lambda: PretendedMicrophones(allows=False))
    view = desk.window.composer
    view.record_button.click()
    assert view.problem.text.text() == DENIED
    assert view.model_button.isHidden()
    view.privacy_button.click()
    assert opened == ["x-apple.systempreferences:com.apple.preference.security?Privacy_Microphone"]
    view.problem.dismiss_button.click()
    assert view.problem.isHidden()


def test_pulling_the_microphone_out_keeps_what_was_said(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak()
    seconds(desk, qtbot, microphones, 2)
    microphones.lost.emit()
    let_files_be_read(desk)
    assert desk.window.composer.problem.text.text() == LOST
    assert [item.label for item in desk.models.composer.items] == ["2.0 s"]


def listed(desk: Desk) -> dict[str, bool]:
    """The microphones of the menu, and which is ticked."""
    menu = desk.window.composer.voice_menu.microphones
    menu.aboutToShow.emit()
    return {action.text(): action.isChecked() for action in menu.actions() if not action.isSeparator()}


def choose(desk: Desk, name: str) -> None:
    listed(desk)
    next(each for each in desk.window.composer.voice_menu.microphones.actions() if each.text() == name).trigger()


def test_microphones_are_listed_anew_each_time_and_one_is_chosen(speak: Speak) -> None:
    desk, microphones = speak()
    desk.models.voice.cancel()
    assert listed(desk) == {"System Default": True, "Built-in": False, "Headset": False}
    choose(desk, "Headset")
    desk.models.voice.toggle()
    assert microphones.opened == ["", "headset"]
    assert listed(desk) == {"System Default": False, "Built-in": False, "Headset": True}
    desk.models.voice.cancel()
    choose(desk, "System Default")
    desk.models.voice.toggle()
    assert microphones.opened[-1] == ""


def test_the_chosen_microphone_holds_beyond_the_session_and_its_absence(speak: Speak) -> None:
    desk, _ = speak()
    choose(desk, "Headset")
    later, microphones = speak()
    assert microphones.opened == ["headset"]
    assert later.window.composer.recorder.line.text() == ""
    later.models.voice.cancel()
    microphones.names.remove("Headset")
    assert listed(later) == {"System Default": False, "Built-in": False, "Headset (not connected)": True}
    later.models.voice.toggle()
    line = later.window.composer.recorder.line
    assert microphones.opened[-1] == ""
    assert line.text() == "“Headset” is not connected, so “Built-in” listens."
    assert line.property("role") == "caption"
    later.models.voice.cancel()
    microphones.names.append("Headset")
    later.models.voice.toggle()
    assert microphones.opened[-1] == "headset"
    assert line.text() == ""


def test_a_microphone_that_is_plugged_in_elsewhere_is_known_by_its_name(speak: Speak, settings: Settings) -> None:
    settings.microphone = Microphone("usb-port-7", "Headset")
    desk, microphones = speak()
    assert microphones.opened == ["headset"]
    assert listed(desk)["Headset"]


def test_silence_is_told_in_the_pill(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak()
    microphones.say(np.zeros(microphones.rate_hz * 2, np.float32))
    line = desk.window.composer.recorder.line
    qtbot.waitUntil(lambda: line.text().startswith("The microphone sends silence."), timeout=WAIT_MS)


def test_the_window_starts_without_what_hears_and_speaks() -> None:
    code = "import sys, app.application; print({'PySide6.QtMultimedia', 'PySide6.QtTextToSpeech'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["set()"]


def test_without_qt_multimedia_there_is_a_sentence(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "app.sound.microphones", raising=False)
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    with pytest.raises(MicrophoneError, match="Qt Multimedia cannot be loaded"):
        system_microphones()
    desk = open_desk(has_engine=False, open_microphones=system_microphones)
    desk.window.composer.record_button.click()
    assert desk.window.composer.problem.text.text().startswith("Nothing can be recorded, because Qt Multimedia")


def test_a_recording_ends_with_the_window(speak: Speak, tmp_path: Path) -> None:
    desk, microphones = speak()
    desk.close()
    assert not microphones.is_open


@pytest.mark.parametrize("is_stopped", [False, True], ids=["while it is said", "while it is written down"])
def test_what_was_said_is_attached_to_the_conversation_that_is_left(
    speak: Speak, qtbot: QtBot, *, is_stopped: bool
) -> None:
    desk, microphones = speak("slow", has_engine=True)
    say(desk, "first")
    desk.models.conversation.stop()
    desk.models.voice.set_transcribing(True)
    seconds(desk, qtbot, microphones, 1)
    if is_stopped:
        desk.models.voice.stop()
        assert desk.models.voice.is_transcribing
    conversation_id = desk.models.library.current_id
    desk.models.library.new()
    assert not desk.models.voice.is_open
    assert desk.models.composer.items == (), "it was not meant for this one"
    desk.models.library.open(conversation_id)
    qtbot.waitUntil(lambda: bool(desk.models.composer.items), timeout=WAIT_MS)
    let_files_be_read(desk)
    assert isinstance(desk.models.composer.items[0], DraftSound)


def test_what_is_being_said_is_kept_at_the_end(speak: Speak, open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk, microphones = speak()
    seconds(desk, qtbot, microphones, 1)
    desk.close()
    again = open_desk()
    qtbot.waitUntil(lambda: bool(again.models.composer.items), timeout=WAIT_MS)
    let_files_be_read(again)
    assert isinstance(again.models.composer.items[0], DraftSound)


def test_a_clip_that_became_text_is_deleted(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak("echo", has_engine=True)
    desk.models.voice.set_transcribing(True)
    seconds(desk, qtbot, microphones, 1)
    with qtbot.waitSignal(desk.models.voice.clip_recorded, timeout=WAIT_MS) as recorded:
        desk.models.voice.stop()
    clip = recorded.args[0]
    assert clip.exists()
    qtbot.waitUntil(lambda: not desk.models.voice.is_open, timeout=WAIT_MS)
    assert desk.models.composer.text
    assert not clip.exists()


def test_what_was_said_and_pasted_in_a_temporary_conversation_goes_with_it(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak()
    desk.models.voice.cancel()
    desk.window.commands["new_temporary"].trigger()
    desk.window.composer.record_button.click()
    seconds(desk, qtbot, microphones, 1)
    desk.models.voice.stop()
    let_files_be_read(desk)
    desk.models.intake.take_paste(picture_data())
    let_files_be_read(desk)
    desk.window.composer.record_button.click()
    seconds(desk, qtbot, microphones, 1)
    assert len(left(desk)) == 3, "one of them is being made"
    desk.window.commands["new"].trigger()
    qtbot.waitUntil(lambda: left(desk) == [], timeout=WAIT_MS)
    desk.models.intake.take_paste(picture_data())
    let_files_be_read(desk)
    desk.window.commands["new_temporary"].trigger()
    desk.exporter.close()
    assert len(left(desk)) == 1, "what was pasted before is no temporary conversation's"


def test_delete_all_deletes_what_was_pasted_and_said(speak: Speak, qtbot: QtBot) -> None:
    desk, microphones = speak()
    seconds(desk, qtbot, microphones, 1)
    desk.models.voice.stop()
    let_files_be_read(desk)
    desk.models.intake.take_paste(picture_data())
    let_files_be_read(desk)
    assert len(left(desk)) == 2
    desk.preferences.delete_all_requested.emit()
    assert left(desk) == []
    desk.models.intake.take_paste(picture_data())
    let_files_be_read(desk)
    assert len(desk.models.composer.pictures) == 1, "and goes on"


def picture_data() -> QMimeData:
    """A picture without a file, as another program copies it."""
    picture = QImage(20, 20, QImage.Format.Format_RGB32)
    picture.fill(3)
    mime = QMimeData()
    mime.setImageData(picture)
    return mime


def left(desk: Desk) -> list[str]:
    """What lies in the private folder."""
    return [path.name for path in desk.pasted.folder.rglob("*") if path.is_file() and path.name != "lock"]
