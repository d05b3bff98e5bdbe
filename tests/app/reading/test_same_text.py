"""Files of all kinds, read by the window's list with the real engine as by the command line: the same text.

`--documents FOLDER` reads those of a folder instead.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from app.application import Desk
from engine import sample_checkpoint
from engine.tasks.selftest import draw_line
from tests.app.driving import WAIT_MS, OpenDesk, drop, files
from tests.documents.pdf_files import Page, text, whole_picture, write_nested, write_pdf

PASSWORDS = ("open sesame", "asdfzxcv")
"""One of them opens what is locked."""


@pytest.mark.tour
def test_every_file_gives_the_same_text_in_the_window_as_on_the_command_line(
    open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    chosen = pytestconfig.getoption("--documents")
    folder = Path(chosen) if chosen else write_all_kinds(tmp_path / "kinds")
    told = told_by_command_line(folder, tmp_path)
    desk = open_desk(is_real=True)
    shown = shown_by_window(desk, qtbot, folder, tmp_path / "window")
    assert {name: text for name, text in shown.items() if text} == told
    assert told
    assert not any(document.needs_password for document in desk.models.queue.documents)


def write_all_kinds(folder: Path) -> Path:
    """Text, pictures, both, turned, nothing, locked, without an end, several pages that are pictures, no document."""
    folder.mkdir()
    picture = Image.new("L", (1240, 1754), "white")
    for row, words in enumerate(("The rent is 412 euros.", "It is due in May.")):
        picture.paste(draw_line(words).convert("L").resize((640, 160)).crop((0, 20, 640, 140)), (120, 200 + 160 * row))
    words = Page(text("A good text layer", "of two lines."))
    scanned, turned = Page(whole_picture(), picture=picture), Page(text("This page lies on its side"), rotate=90)
    mixed = write_pdf(folder / "mixed.pdf", [words, scanned, Page(b""), turned])
    with pikepdf.open(mixed) as document:
        document.pages[1:] = []
        document.save(folder / "locked.pdf", encryption=pikepdf.Encryption(owner="owner", user=PASSWORDS[0]))
        document.save(folder / "owner.pdf", encryption=pikepdf.Encryption(owner="owner", user=""))
    one, other = picture.crop((0, 160, 1240, 360)), picture.crop((0, 320, 1240, 520))
    one.save(folder / "letter.tif", save_all=True, append_images=[other])
    other.save(folder / "letter.jpg", quality=60)
    shutil.copy(sample_checkpoint() / "heldout" / "card-03.png", folder)
    write_nested(folder / "nested.pdf", 3, 2)
    (folder / "nothing.pdf").write_bytes(b"nothing")
    return folder


def shown_by_window(desk: Desk, qtbot: QtBot, folder: Path, out: Path) -> dict[str, str]:
    """By file: a folder is dropped, what is locked gets each password, and each is written there."""
    collection, queue = desk.models.collection, desk.models.queue
    desk.models.reader.list_all()
    collection.forms, collection.out = ("txt",), out
    drop(desk, files([folder]))
    for password in ("", *PASSWORDS):
        for document in list(queue.documents):
            if document.needs_password:
                collection.unlock(document.path, password)
        qtbot.waitUntil(lambda: bool(queue.documents), timeout=WAIT_MS)
        for document in list(queue.documents):
            qtbot.waitUntil(lambda document=document: document.is_over, timeout=WAIT_MS)
    return written(out)


def told_by_command_line(folder: Path, tmp_path: Path) -> dict[str, str]:
    """The same; once for all that opens, and with each password for what did not."""
    out, key = tmp_path / "command line", tmp_path / "password.txt"
    said = ocr(folder, out)
    for password in PASSWORDS:
        if "password" in said:
            key.write_text(password)
            said = ocr(folder, out, "--resume", "--password-file", str(key))
    return {name: text for name, text in written(out).items() if text}


def ocr(folder: Path, out: Path, *options: str) -> str:
    """Have a folder read; what was said of what was not."""
    command = [sys.executable, "-m", "app", "ocr", str(folder), "--as", "txt", "--out", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_MS / 1000, check=False).stderr


def written(out: Path) -> dict[str, str]:
    """By name, what a folder holds."""
    return {path.relative_to(out).as_posix(): path.read_text() for path in out.rglob("*.txt")}
