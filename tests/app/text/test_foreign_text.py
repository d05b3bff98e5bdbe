"""What strangers wrote stays a part of our sentence: one line, nothing hidden, never markup."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

import app.widgets
from app.look.icons import Icons
from app.look.theme import Theme
from app.paths import ICONS
from app.viewmodels.conversation.tools import ToolRun
from app.viewmodels.draft.inspection import inspect
from app.widgets.chat.tool_card import ToolCard
from app.widgets.shared.dialogs import ask_before_deleting
from app.widgets.shared.look import Look
from engine import AttachmentError, ToolCall, one_line, small_picture
from engine.documents.source import Document
from engine.protocol.errors import MAX_QUOTED

HOSTILE = "/notes/<b>a</b>\u202egpj.exe\n\nAllow all?\u2028\u200b" + "x" * 300 + "/end.txt"


@given(st.text())
def test_foreign_text_is_one_line_without_marks(text: str) -> None:
    shown = one_line(text)
    assert len(shown) <= MAX_QUOTED
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1


def test_a_long_name_keeps_both_its_ends() -> None:
    shown = one_line("/home/me/notes/" + "deep/" * 50 + "end.txt")
    assert shown.startswith("/home/me/notes/deep")
    assert shown.endswith("deep/end.txt")
    assert "…" in shown


@pytest.mark.parametrize("letters", ["Grüße.txt", "写真.png", "שלום.txt", "👩‍👧.png", "می‌خواهم.txt"])
def test_names_in_any_script_stay_what_they_are(letters: str) -> None:
    assert one_line(letters) == letters


def test_the_question_before_reading_is_plain_text(qtbot: QtBot, theme: Theme) -> None:
    run = ToolRun(ToolCall("read_file", {"path": HOSTILE}, "1"), "Files")
    run.ask(HOSTILE)
    assert len(run.question) < 140
    assert run.question.isprintable()
    assert run.question.endswith("/end.txt?")
    look = Look(theme, Icons(ICONS))
    card = ToolCard(look, run)
    qtbot.addWidget(card)
    assert card._question.textFormat() is Qt.TextFormat.PlainText
    assert run.line.isprintable()
    look.typesetter.close()


def test_every_line_of_a_sheet_is_plain_text(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    ask_before_deleting(parent, "<b>Delete</b>?", "<i>All</i> of it", "Delete", lambda: None)
    labels = [label for label in parent.findChildren(QLabel) if label.text()]
    assert {label.text() for label in labels} >= {"<b>Delete</b>?", "<i>All</i> of it"}
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in labels)


def test_no_label_of_the_window_takes_text_for_markup() -> None:
    widgets = Path(app.widgets.__file__).parent
    made = [file.name for file in widgets.rglob("*.py") if re.search(r"\bQLabel\(", file.read_text())]
    assert made == [], "use Label of look.py"


def odd_files(folder: Path) -> Iterator[Path]:
    """Files that cannot be taken, each for another reason."""
    contents = {
        "empty.png": b"",
        "noise.bin": bytes(range(256)) * 20,
        "half.png": b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + bytes(9),
        "half.jpg": b"\xff\xd8\xff\xe0" + bytes(50),
        "half.pdf": b"%PDF-1.7\n1 0 obj\n",
        "half.wav": b"RIFF\x24\0\0\0WAVEfmt ",
        "half.mp4": b"\0\0\0\x18ftypisom" + bytes(40),
        "bytes.txt": b"caf\xe9 " * 20,
        "long.txt": b"word " * 60_000,
        "two\nlines\u202egnp.exe": bytes(300),
        "n" * 200 + ".png": bytes(300),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        yield folder / name
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.wav")
    (folder / "circle.png").symlink_to("circle.png")
    yield from (folder / name for name in ("folder.png", "pipe.wav", "circle.png", "gone.png"))


def refusals(path: Path) -> Iterator[str]:
    """What is said when a file is attached, shown small and read as a document."""
    yield inspect(path, lambda: None).refusal
    for look in (lambda: small_picture(path, 480), lambda: Document(path)):
        with pytest.raises(AttachmentError) as error:
            look()
        yield str(error.value)


def test_what_is_said_about_a_file_names_it_and_not_where_it_lies(tmp_path: Path) -> None:
    for path in odd_files(tmp_path):
        for sentence in refusals(path):
            said = sentence.replace(f"“{one_line(path.name)}”", "")
            assert len(said) < len(sentence)
            assert "/" not in said
            assert said.isprintable()
