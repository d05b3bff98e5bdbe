"""Dropping, pasting and opening: what becomes a chip, what is refused, and what a chip says (D-9, D-13, D-14, D-15)."""

import os
import stat
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QDragLeaveEvent, QGuiApplication, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu
from pytestqt.qtbot import QtBot

from app.application import Desk, DesktopApplication
from app.settings import Settings
from app.viewmodels.conversation.records import record_of, restored
from app.viewmodels.conversation.turns import UserTurn
from app.viewmodels.draft.intake import SAVE_FIRST
from app.widgets.chat.user_view import UserView
from app.widgets.shared.picture_card import PictureTile
from app.widgets.shared.picture_viewer import PictureViewer
from engine import BUDGETS, Sound, SoundReceipt, plan_image
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    drop,
    files,
    hover,
    let_files_be_read,
    say,
    send,
    wait_for_end,
)
from tests.app.recordings.test_recordings import PretendedLoudspeaker
from tests.media_files import write_picture


def png_header(width: int, height: int) -> bytes:
    """The first bytes of a PNG file: all that may be read of a picture that is too large."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(64))
    chunks = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, data)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def names(desk: Desk) -> list[str]:
    return [picture.name for picture in desk.models.composer.pictures]


def test_the_overlay_names_what_a_drop_will_do_and_goes_away_with_it(open_desk: OpenDesk, draw: Draw) -> None:
    desk = open_desk(has_engine=False)
    mime = files([draw("a.png"), draw("b.jpg")])
    hover(desk, mime)
    assert desk.window.overlay.isVisible()
    assert desk.window.overlay.title.text() == "Attach 2 pictures"
    QGuiApplication.sendEvent(desk.window, QDragLeaveEvent())
    assert not desk.window.overlay.isVisible()
    drop(desk, mime)
    assert not desk.window.overlay.isVisible()
    assert names(desk) == ["a.png", "b.jpg"]


@pytest.mark.parametrize(
    ("mime", "title"),
    [
        (files(["https://example.com/a.png"]), "Web links are not fetched"),
        (files([Path("/tmp/notes.zip")]), "See if “notes.zip” can be read"),
        (files([Path("/tmp/a.HEIC"), Path("/tmp/notes.zip")]), "Attach 1 picture"),
        (files([Path("/tmp/a.wav"), Path("/tmp/b.md"), Path("/tmp/c.mov")]), "Attach 1 sound, 1 text and 1 video"),
    ],
)
def test_the_overlay_promises_nothing_it_cannot_keep(open_desk: OpenDesk, mime: QMimeData, title: str) -> None:
    desk = open_desk(has_engine=False)
    hover(desk, mime)
    assert desk.window.overlay.title.text() == title


def promise(*formats: str) -> QMimeData:
    """A drag of files that are written only after the drop, as Qt tells of it: perhaps with no format at all."""
    mime = QMimeData()
    for name in formats:
        mime.setData(name, b"")
    return mime


@pytest.mark.parametrize(
    "mime",
    [
        promise(),
        promise("com.apple.pasteboard.promised-file-url", "com.apple.pasteboard.promised-file-content-type"),
        promise("com.apple.NSFilePromiseItemMetaData", "text/plain"),
    ],
)
def test_a_promised_file_is_to_be_saved_first(open_desk: OpenDesk, mime: QMimeData) -> None:
    desk = open_desk(has_engine=False)
    hover(desk, mime)
    assert desk.window.overlay.title.text() == "Save it first"
    drop(desk, mime)
    assert not desk.window.overlay.isVisible()
    assert desk.window.notice.text.text() == SAVE_FIRST
    assert desk.models.composer.text == ""


def test_a_promise_with_its_picture_is_taken_as_the_picture(open_desk: OpenDesk) -> None:
    desk = open_desk(has_engine=False)
    mime = promise("com.apple.pasteboard.promised-file-url")
    mime.setImageData(QImage(60, 40, QImage.Format.Format_RGB32))
    drop(desk, mime)
    assert len(desk.models.composer.pictures) == 1


def test_what_nobody_understands_is_no_promise(open_desk: OpenDesk) -> None:
    assert not hover(open_desk(has_engine=False), promise("application/x-color")).isAccepted()


def test_one_bad_file_is_named_and_the_rest_of_the_drop_is_kept(
    open_desk: OpenDesk, draw: Draw, tmp_path: Path
) -> None:
    desk = open_desk(has_engine=False)
    archive, empty, folder = tmp_path / "holiday.zip", tmp_path / "empty.png", tmp_path / "folder"
    archive.write_bytes(b"PK\x03\x04")
    empty.touch()
    folder.mkdir()
    drop(desk, files([archive, draw("good.png"), empty, folder]))
    assert names(desk) == ["good.png"]
    notice = desk.window.notice
    assert notice.isVisible()
    assert [name for name in ("holiday.zip", "empty.png") if f"“{name}”" not in notice.text.text()] == []
    assert "“folder”" in desk.window.arrival.text.text()
    assert "good.png" not in notice.text.text()
    notice.dismiss_button.click()
    assert not notice.isVisible()


def test_many_refusals_are_counted_instead_of_filling_the_window(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files([tmp_path / f"missing{number}.png" for number in range(9)]))
    lines = desk.window.notice.text.text().splitlines()
    assert len(lines) == 4
    assert lines[-1] == "6 more files could not be attached."


def test_refusals_that_come_one_by_one_are_counted_too(open_desk: OpenDesk, draw: Draw) -> None:
    desk = open_desk(has_engine=False)
    composer = desk.models.composer
    drop(desk, files([*(draw(f"{number}.png") for number in range(9)), "https://example.com/cat.png"]))
    for number, picture in enumerate(composer.pictures):
        composer.refuse(picture.key, f"Number {number} is damaged.")
    *named, more, remark = composer.notice.splitlines()
    assert named == [f"Number {number} is damaged." for number in range(3)]
    assert more == "6 more files could not be attached."
    assert remark.startswith("That is a web link")


def test_a_picture_that_was_written_anew_is_shown_anew(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    thumbnails = open_desk(has_engine=False).thumbnails
    path = draw("shot.png", 300, 200)

    def size() -> tuple[int, int] | None:
        image = thumbnails.image(str(path))
        return None if image is None else (image.width(), image.height())

    qtbot.waitUntil(lambda: size() == (300, 200), timeout=WAIT_MS)
    draw("shot.png", 200, 300)
    qtbot.waitUntil(lambda: size() == (200, 300), timeout=WAIT_MS)
    path.unlink()
    assert size() == (200, 300)


def test_only_the_thumbnails_used_last_are_kept(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.look.thumbnails._MOST_KEPT", 2)
    thumbnails = open_desk(has_engine=False).thumbnails
    paths = [str(draw(f"{number}.png", 60, 40)) for number in range(3)]
    for path in paths:
        qtbot.waitUntil(lambda path=path: thumbnails.image(path) is not None, timeout=WAIT_MS)
    assert [path for path in paths if thumbnails.image(path) is None] == paths[:1]


def test_a_picture_with_too_many_pixels_is_refused_unread(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(has_engine=False)
    huge = tmp_path / "huge.png"
    huge.write_bytes(png_header(40_000, 40_000))
    drop(desk, files([huge]))
    assert names(desk) == []
    assert "“huge.png” is too large" in desk.window.notice.text.text()


def test_a_file_that_turns_out_to_be_damaged_leaves_again(
    open_desk: OpenDesk, draw: Draw, tmp_path: Path, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    whole = draw("noise.png", 400, 400).read_bytes()
    half = tmp_path / "half.png"
    half.write_bytes(whole[: len(whole) // 2])
    drop(desk, files([half, draw("good.png"), tmp_path / "missing.png"]))
    qtbot.waitUntil(lambda: names(desk) == ["good.png"], timeout=WAIT_MS)
    assert "“missing.png” is not there" in desk.window.notice.text.text()
    assert "“half.png” is damaged" in desk.window.notice.text.text()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff", "bmp", "gif", "heic"])
def test_every_kind_of_picture_is_attached_by_its_content_and_shown(
    open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot, suffix: str
) -> None:
    desk = open_desk(has_engine=False)
    path = tmp_path / "picture without a suffix"
    write_picture(Image.new("RGB", (300, 200), "teal"), tmp_path / f"picture.{suffix}")
    (tmp_path / f"picture.{suffix}").rename(path)
    drop(desk, files([path]))
    (picture,) = desk.models.composer.pictures
    assert (picture.attachment.width, picture.attachment.height) == (300, 200)
    qtbot.waitUntil(lambda: desk.thumbnails.image(str(path)) is not None, timeout=WAIT_MS)


def test_a_photo_taken_sideways_stands_upright(open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    path = tmp_path / "sideways.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (400, 200)).save(path, exif=exif)
    drop(desk, files([path]))
    assert desk.models.composer.pictures[0].original_size == "200 × 400 pixels"
    qtbot.waitUntil(lambda: desk.thumbnails.image(str(path)) is not None, timeout=WAIT_MS)
    image = desk.thumbnails.image(str(path))
    assert image is not None
    assert image.height() == 2 * image.width()


def test_web_links_are_refused_in_a_sentence(open_desk: OpenDesk) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files(["https://example.com/cat.png"]))
    assert names(desk) == []
    assert "nothing is fetched" in desk.window.notice.text.text()


def test_dropped_text_is_inserted(open_desk: OpenDesk) -> None:
    desk = open_desk(has_engine=False)
    mime = QMimeData()
    mime.setText("a line of text")
    drop(desk, mime)
    assert desk.window.composer.editor.toPlainText() == "a line of text"


def test_a_notice_stays_with_its_conversation(open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    say(desk, "first")
    wait_for_end(qtbot, desk)
    first = desk.models.conversation.transcript.id
    attach(desk, tmp_path / "gone.png")
    said = desk.models.composer.notice
    assert "“gone.png” is not there" in said
    desk.window.commands["new"].trigger()
    assert not desk.window.notice.isVisible()
    desk.models.composer.attach([tmp_path / "lost.png"])
    desk.models.library.open(first)
    qtbot.waitUntil(lambda: desk.window.notice.text.text() == said, timeout=WAIT_MS)
    let_files_be_read(desk)
    assert desk.window.notice.text.text() == said, "what is refused meanwhile belongs to the other one"
    desk.window.commands["new"].trigger()
    qtbot.waitUntil(lambda: "“lost.png”" in desk.window.notice.text.text(), timeout=WAIT_MS)
    desk.window.notice.dismiss_button.click()
    assert not desk.window.notice.isVisible()


def test_the_notice_does_not_take_the_focus(open_desk: OpenDesk, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_desk(has_engine=False)
    desk.window.composer.thinking_switch.setFocus()
    attach(desk, tmp_path / "missing.png")
    assert desk.window.notice.isVisible()
    assert desk.window.focusWidget() is desk.window.composer.thinking_switch


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_chip_tells_the_exact_cost_of_its_budget_at_once(open_desk: OpenDesk, draw: Draw, budget: int) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files([draw("photo.png", 1600, 900)]))
    (chip,) = desk.window.composer.chips.values()
    chip.budget.choices[budget].trigger()
    plan = plan_image(1600, 900, budget)
    assert chip.cost.text().startswith(f"{plan.num_soft_tokens:,} tokens · {plan.width} × {plan.height}")
    scale = {70: ", shrunk to 33 %", 140: ", shrunk to 45 %", 280: ", shrunk to 66 %", 560: ", shrunk to 93 %"}
    assert chip.cost.text().partition(f"{plan.height}")[2] == scale.get(budget, ", enlarged to 132 %")
    assert desk.models.composer.pictures[0].budget == budget


def test_the_arrow_keys_step_through_the_budgets_and_stop_at_the_ends(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files([draw()]))
    (chip,) = desk.window.composer.chips.values()
    chip.budget.choices[280].trigger()
    seen = []
    for _ in range(4):
        qtbot.keyClick(chip.budget, Qt.Key.Key_Up)
        seen.append(desk.models.composer.pictures[0].budget)
    assert seen == [560, 1120, 1120, 1120]


def test_a_budget_is_chosen_for_one_picture_alone(open_desk: OpenDesk, draw: Draw, settings: Settings) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files([draw("a.png")]))
    (chip,) = desk.window.composer.chips.values()
    chip.budget.choices[1120].trigger()
    drop(desk, files([draw("b.png")]))
    assert [picture.choice for picture in desk.models.composer.pictures] == [1120, None]
    desk.models.composer.set_budget_of_all(560)
    assert settings.budget is None
    drop(desk, files([draw("c.png", 300, 200)]))
    assert desk.models.composer.pictures[2].label == "Auto · 60 tokens"


def test_a_chip_can_be_removed_and_is_not_sent(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    drop(desk, files([draw("a.png"), draw("b.png")]))
    next(iter(desk.window.composer.chips.values())).remove_button.click()
    assert names(desk) == ["b.png"]
    say(desk, "hello")
    wait_for_end(qtbot, desk)
    assert [Path(picture.path).name for picture in desk.models.conversation.history[0].pictures] == ["b.png"]


def test_the_same_file_is_attached_once(open_desk: OpenDesk, draw: Draw) -> None:
    desk = open_desk(has_engine=False)
    path = draw("a.png")
    drop(desk, files([path]))
    drop(desk, files([path]))
    assert names(desk) == ["a.png"]
    assert "already attached" in desk.window.notice.text.text()


def test_pasted_picture_data_becomes_a_private_file_and_a_chip(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkGreen)
    QGuiApplication.clipboard().setImage(image)
    desk.window.commands["paste"].trigger()
    let_files_be_read(desk)
    (picture,) = desk.models.composer.pictures
    assert (picture.attachment.width, picture.attachment.height) == (300, 200)
    assert picture.path.read_bytes().startswith(b"\x89PNG")
    assert picture.path.stat().st_size < 300 * 200 * 3 / 10, "the pasted picture is not compressed"
    assert stat.S_IMODE(picture.path.parent.stat().st_mode) == 0o700
    folder = picture.path.parent
    desk.close()
    assert not folder.exists(), "pasted pictures outlived the app"


def test_pasted_files_become_chips_and_pasted_text_stays_text(open_desk: OpenDesk, draw: Draw) -> None:
    desk = open_desk(has_engine=False)
    QGuiApplication.clipboard().setMimeData(files([draw("a.png")]))
    desk.window.commands["paste"].trigger()
    let_files_be_read(desk)
    QGuiApplication.clipboard().setText("<b>just</b> text")
    desk.window.commands["paste"].trigger()
    let_files_be_read(desk)
    assert names(desk) == ["a.png"]
    assert desk.window.composer.editor.toPlainText() == "<b>just</b> text"


def test_the_open_sheet_attaches_what_was_chosen(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    path = draw("chosen.png")
    desk.window.commands["open"].trigger()
    sheet = desk.window.findChild(QFileDialog)
    assert isinstance(sheet, QFileDialog)
    assert sheet.metaObject().className() == "QFileDialog"  # else a Mac shows Qt's own
    everything, *kinds, last = sheet.nameFilters()
    suffixes = (".png", ".heic", ".tiff", ".webp", ".m4a", ".mov", ".txt", ".md", ".csv", ".py")
    assert all(f"*{suffix} *{suffix.upper()}" in everything for suffix in suffixes)
    assert [kind.partition(" (")[0] for kind in kinds] == ["Documents", "Pictures", "Sounds", "Videos", "Texts"]
    assert last == "All files (*)"
    assert sheet.testOption(QFileDialog.Option.HideNameFilterDetails), "nobody reads a hundred suffixes"
    sheet.filesSelected.emit([str(path)])
    sheet.close()
    let_files_be_read(desk)
    assert names(desk) == ["chosen.png"]


def test_an_example_draws_a_picture_that_can_be_sent(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    desk.window.messages.empty.buttons[1].click()
    let_files_be_read(desk)
    assert names(desk) == ["Sample words.png"]
    desk.window.messages.empty.buttons[2].click()
    let_files_be_read(desk)
    assert names(desk) == ["Sample words.png"]
    assert not desk.window.notice.isVisible()
    assert desk.models.composer.can_send
    send(desk)
    assert "Read the text" in wait_for_end(qtbot, desk).text


def test_a_sent_picture_keeps_its_thumbnail_and_gets_a_receipt(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it comes back, its place is as high as it will be before it is read again: nothing below it jumps."""
    desk = open_desk("echo")
    drop(desk, files([draw("photo.png", 1600, 900)]))
    send(desk)
    wait_for_end(qtbot, desk)
    plan = plan_image(1600, 900, 280)
    card = desk.window.messages.views[0].cards[0]  # type: ignore[attr-defined]
    assert card.caption.text() == f"{plan.width} × {plan.height} · {plan.num_soft_tokens} tokens · 84 ms"
    qtbot.waitUntil(
        lambda: desk.thumbnails.image(str(desk.models.conversation.history[0].pictures[0].path)) is not None,
        timeout=WAIT_MS,
    )
    turn = desk.models.conversation.turns[0]
    assert isinstance(turn, UserTurn)
    qtbot.waitUntil(lambda: card.tile._image is not None, timeout=WAIT_MS)
    monkeypatch.setattr(desk.thumbnails, "image", lambda _path: None)
    view = UserView(desk.window.messages._look, desk.thumbnails, turn)
    qtbot.addWidget(view)
    assert abs(view.cards[0].tile.height() - card.tile.height()) <= 4


@pytest.mark.parametrize("size", [(1600, 200), (200, 1600), (400, 300)])
def test_a_sent_picture_is_shown_undistorted(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, size: tuple[int, int]
) -> None:
    desk = open_desk()
    attach(desk, draw("shape.png", *size))
    say(desk, "look")
    tile = desk.window.messages.findChildren(PictureTile)[-1]
    qtbot.waitUntil(lambda: tile._image is not None, timeout=WAIT_MS)
    assert tile._image is not None
    shown = tile._fitted(tile._image, tile.size())
    assert shown.width() / shown.height() == pytest.approx(size[0] / size[1], rel=0.02)
    wait_for_end(qtbot, desk)


def test_pictures_of_a_message_end_at_the_right(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk()
    attach(desk, *(draw(f"{number}.png", 400, 300) for number in range(4)))
    say(desk, "look")
    wait_for_end(qtbot, desk)
    view = desk.window.messages.area.show_turn(desk.models.conversation.turns[0])
    assert isinstance(view, UserView)
    view.settle()
    edges = [card.geometry().right() for card in view.cards]
    assert edges[3] == edges[2] == max(edges), "the fourth stands below the third"
    assert view.cards[3].y() > view.cards[2].y()


def test_a_small_picture_keeps_what_a_large_one_shows(open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    rows, columns = np.indices((320, 480))
    for number, fine in enumerate((rows, columns, rows + columns)):
        pixels = np.repeat(255 * (fine % 2)[..., None], 3, axis=2).astype(np.uint8)
        frame = np.ones((320, 480), bool)
        frame[32:-32, 32:-32] = False
        pixels[frame] = (255, 0, 0)
        path = tmp_path / f"{number}.png"
        Image.fromarray(pixels).save(path)
        for size in (QSize(72, 48), QSize(216, 144)):
            tile = PictureTile(desk.window.messages._look, desk.thumbnails, str(path), size, shrinks=True)
            qtbot.addWidget(tile)
            qtbot.waitUntil(lambda tile=tile: tile._image is not None, timeout=WAIT_MS)
            shown = tile.grab().toImage()
            right, bottom = shown.width() - 3, shown.height() - 3
            edges = [(2, bottom // 2), (right, bottom // 2), (right // 2, 2), (right // 2, bottom)]
            assert all(shown.pixelColor(*edge).red() > 2 * shown.pixelColor(*edge).green() for edge in edges)
            inside = [shown.pixelColor(x, y).green() for x in range(16, right - 14) for y in range(16, bottom - 14)]
            assert 110 < sum(inside) / len(inside) < 145, "it is as light as it was"
            assert min(inside) > 90, "fine stripes are grey when they are small"
            assert max(inside) < 165


def test_a_picture_is_looked_at_in_the_app(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk()
    attach(desk, draw("photo.png", 3000, 2000))
    say(desk, "look")
    wait_for_end(qtbot, desk)
    view = desk.window.messages.area.show_turn(desk.models.conversation.turns[0])
    assert isinstance(view, UserView)
    view.cards[0].tile.click()
    viewer = desk.window.findChild(PictureViewer)
    qtbot.waitUntil(lambda: not viewer.canvas.is_empty, timeout=WAIT_MS)
    assert viewer.receipt.text() == view.cards[0].caption.text() != ""
    whole = viewer.canvas.zoom
    assert 0 < whole < 1
    viewer.actual_button.click()
    assert viewer.canvas.zoom == pytest.approx(1)
    assert viewer.zoom.text() == "100%"
    assert viewer.canvas.horizontalScrollBar().maximum() > 0, "it can be moved"
    QTest.keyClick(viewer, Qt.Key.Key_Plus)
    assert viewer.canvas.zoom == pytest.approx(1.25)
    viewer.fit_button.click()
    assert viewer.canvas.zoom == pytest.approx(whole)
    viewer.fit_button.setFocus()
    QTest.keyClick(viewer.fit_button, Qt.Key.Key_Space)
    viewer.actual_button.setFocus()
    QTest.keyClick(viewer.actual_button, Qt.Key.Key_Return)
    assert viewer.canvas.zoom == pytest.approx(1), "buttons are pressed by keys too"
    QTest.keyClick(viewer.canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: desk.window.findChild(PictureViewer) is None, timeout=WAIT_MS)


@pytest.mark.qt_log_ignore("plugin does not support")
def test_a_picture_is_copied_with_all_its_pixels_and_as_a_file(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk()
    attach(desk, draw("photo.png", 900, 600))
    say(desk, "look")
    wait_for_end(qtbot, desk)
    view = desk.window.messages.area.show_turn(desk.models.conversation.turns[0])
    assert isinstance(view, UserView)
    tile, clipboard = view.cards[0].tile, QGuiApplication.clipboard()

    def copied(copy: Callable[[], object]) -> tuple[int, int]:
        clipboard.setText("something else")
        copy()
        qtbot.waitUntil(lambda: clipboard.mimeData().hasImage(), timeout=WAIT_MS)
        (file,) = clipboard.mimeData().urls()
        assert Path(file.toLocalFile()).read_bytes()[:4] == b"\x89PNG"
        return clipboard.image().size().toTuple()

    QApplication.sendEvent(tile, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), QPoint(5, 5)))
    (choice,) = [action for action in tile.findChild(QMenu).actions() if action.text() == "Copy Picture"]
    assert copied(choice.trigger) == (900, 600), "not the small one that is shown"
    tile.setFocus()
    assert copied(desk.window.commands["copy"].trigger) == (900, 600)
    tile.click()
    viewer = desk.window.findChild(PictureViewer)
    qtbot.waitUntil(lambda: not viewer.canvas.is_empty, timeout=WAIT_MS)
    assert copied(viewer.copy_button.click) == (900, 600)
    assert copied(lambda: QTest.keySequence(viewer.canvas, QKeySequence.StandardKey.Copy)) == (900, 600)
    viewer.reject()
    Path(view.turn.pictures[0].path).rename(Path(view.turn.pictures[0].path).with_suffix(".gone"))
    clipboard.setText("something else")
    tile.copy()
    qtbot.waitUntil(lambda: clipboard.mimeData().hasImage(), timeout=WAIT_MS)
    assert not clipboard.image().isNull(), "what is seen can be copied"


def test_files_named_at_the_start_are_refused_by_name_too(
    open_desk: OpenDesk, qapp: DesktopApplication, tmp_path: Path
) -> None:
    desk = open_desk(has_engine=False)
    attach(desk, tmp_path / "typo")
    desk.follow(qapp)
    assert "“typo” is not there." in desk.window.notice.text.text()


def test_a_pipe_is_refused_and_nobody_waits_for_it(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(has_engine=False)
    os.mkfifo(tmp_path / "pipe.png")
    attach(desk, tmp_path / "pipe.png")
    assert desk.models.composer.items == ()
    assert "“pipe.png”" in desk.window.notice.text.text()


def test_a_sent_sound_gets_a_receipt_that_says_what_was_not_heard(
    open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot
) -> None:
    soundfile.write(tmp_path / "talk.wav", np.zeros(16_000, np.float32), 16_000)
    desk = open_desk("echo")
    attach(desk, tmp_path / "talk.wav")
    send(desk)
    wait_for_end(qtbot, desk)
    view, turn = desk.window.messages.views[0], desk.models.conversation.turns[0]
    assert isinstance(view, UserView)
    assert isinstance(turn, UserTurn)
    assert view._enclosures[0].text() == "talk.wav"
    (sound,) = (part for part in turn.message.parts if isinstance(part, Sound))
    note = "Only its first 30 seconds were heard."
    receipt = SoundReceipt(sound.path, 30.0, 750, 84.2, note)
    desk.models.conversation.transcript._hand_out([], {"elsewhere.wav": receipt})
    assert view._enclosures[0].text() == "talk.wav"
    desk.models.conversation.transcript._hand_out([], {sound.path: receipt})
    assert view._enclosures[0].text() == f"talk.wav · 30.0 s · 750 tokens · 84 ms · {note}"
    again = restored(record_of(turn), str)
    assert isinstance(again, UserTurn)
    assert again.enclosures == turn.enclosures

    desk.models.sounds._loudspeaker, button = PretendedLoudspeaker(), view._enclosures[0]
    assert button.accessibleName().startswith("Play talk.wav")
    heard: list[str] = []
    desk.models.sounds.moved.connect(lambda _: heard.append(button.text()))
    button.click()
    qtbot.waitUntil(lambda: not desk.models.sounds.is_playing, timeout=WAIT_MS)
    assert "talk.wav · 1.0 s" in heard
    assert button.text().startswith("talk.wav · 30.0 s")
