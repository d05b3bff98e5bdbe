"""The main job with nothing faked: pictures are dropped, the real engine's sample reads them, the window shows it."""

import json
import subprocess
import sys
from pathlib import Path

import soundfile
import soxr
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.viewmodels.conversation.turns import UserTurn
from app.viewmodels.reading.document import Phase
from engine import sample_checkpoint
from engine.tasks.selftest import draw_line
from tests.app.driving import (
    WAIT_MS,
    OpenDesk,
    drop,
    files,
    send,
    wait_for_end,
)
from tests.app.pretended_microphones import PretendedMicrophones
from tests.documents.pdf_files import Page, text, whole_picture, write_pdf


def test_a_dropped_picture_is_read_and_shown(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    draw_line("Hello 42").save(tmp_path / "sign.png")
    desk = open_desk(is_real=True)
    drop(desk, files([tmp_path / "sign.png"]))
    desk.models.composer.set_budget_of_all(280)
    (picture,) = desk.models.composer.pictures
    assert (picture.attachment.width, picture.attachment.height) == (640, 160)
    qtbot.keyClick(desk.window.composer.editor, Qt.Key.Key_Return)
    answer = wait_for_end(qtbot, desk)
    assert answer.text == "Hello 42"
    question = desk.models.conversation.turns[-2]
    assert isinstance(question, UserTurn)
    assert question.picture_line(0).startswith("1584 × 384 · 264 tokens")


def test_spoken_digits_are_recorded_and_written_into_the_message(open_desk: OpenDesk, qtbot: QtBot) -> None:
    microphones = PretendedMicrophones(48_000, 2, "int16")
    desk = open_desk(is_real=True, open_microphones=lambda: microphones)
    folder = sample_checkpoint() / "heldout"
    samples, rate_hz = soundfile.read(folder / "clip-3.wav", dtype="float32")
    desk.models.voice.set_transcribing(True)
    desk.window.composer.record_button.click()
    microphones.say(soxr.resample(samples, rate_hz, microphones.rate_hz))
    desk.window.composer.record_button.click()
    qtbot.waitUntil(lambda: not desk.models.voice.is_open, timeout=WAIT_MS)
    assert desk.window.composer.editor.toPlainText() == json.loads((folder / "clips.json").read_text())["clip-3.wav"]


def test_a_thought_is_folded_and_stays_out_of_copy(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    draw_line("Open").save(tmp_path / "sign.png")
    desk = open_desk(is_real=True)
    drop(desk, files([tmp_path / "sign.png"]))
    desk.models.composer.set_thinking(True)
    qtbot.keyClick(desk.window.composer.editor, Qt.Key.Key_Return)
    answer = wait_for_end(qtbot, desk)
    assert "O-p-e-n" in answer.thoughts[-1].text
    assert not answer.thoughts[-1].is_open
    desk.window.commands["copy_message"].trigger()
    assert QApplication.clipboard().text() == "Open"


def test_a_wrong_folder_leaves_the_model_to_talk_with(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk(is_real=True)
    draw_line("Hello 42").save(tmp_path / "sign.png")
    desk.preferences.choose_model(tmp_path)
    drop(desk, files([tmp_path / "sign.png"]))
    send(desk)
    assert wait_for_end(qtbot, desk).text == "Hello 42"
    told = desk.window.refusal.text.text()
    assert told.startswith(f"“{tmp_path.name}” cannot be loaded, so the sample model stays: ")
    assert str(tmp_path) not in told, "the window names files, not where they lie"
    assert "config.json" in told
    assert desk.preferences.settings.start_model is None


def test_a_document_reads_in_the_window_as_on_the_command_line(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    """One page with a good text layer, one that is a picture."""
    picture = Image.new("L", (1240, 1754), "white")
    for row, words in enumerate(("The rent is 412 euros.", "It is due in May.")):
        picture.paste(draw_line(words).convert("L").resize((640, 160)).crop((0, 20, 640, 140)), (120, 200 + 160 * row))
    pages = [Page(text("A good text layer", "of two lines.")), Page(whole_picture(), picture=picture)]
    path = write_pdf(tmp_path / "Lease.pdf", pages)
    desk = open_desk(is_real=True)
    desk.models.arrivals.open([path])
    document = desk.models.reader.document
    assert document is not None
    qtbot.waitUntil(lambda: document.phase is Phase.KNOWN, timeout=WAIT_MS)
    desk.models.reader.read_all(desk.models.choice.reading)
    qtbot.waitUntil(lambda: document.num_read == 2 and not document.is_reading, timeout=WAIT_MS)
    shown = [line.text for page in document.pages for line in page.lines]
    command = [sys.executable, "-m", "app", "ocr", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WAIT_MS / 1000).stdout
    assert shown == [line for line in told.replace("\f", "\n").splitlines() if line]
    assert shown[:2] == ["A good text layer", "of two lines."]
    assert len(shown) == 4
