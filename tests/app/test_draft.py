"""Chips of every kind, what the loaded model cannot take, and drafts that are put away and taken up again."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QEvent, QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.application import Desk
from app.asking import Errand
from app.text.receipts import auto_budget
from app.viewmodels.draft.attached import DraftReading, DraftSound, DraftSpeech, DraftText, DraftVideo
from app.viewmodels.draft.draft import Draft
from app.viewmodels.draft.preparing import Preparation
from app.widgets.shared.dialogs import TextPreview
from app.widgets.shared.tiles import WaveTile
from engine import (
    Cancel,
    DocumentRequest,
    EngineEvent,
    Failed,
    ModelInfo,
    Picture,
    Quote,
    RecordingRead,
    Request,
    Sound,
    SpeechRead,
    SpokenPiece,
    Traits,
    Transcribe,
    Video,
    read_traits,
    sample_checkpoint,
)
from tests.app.driving import (
    WAIT_MS,
    Draw,
    OpenDesk,
    attach,
    drop,
    files,
    let_files_be_read,
    say,
    send,
    wait_for_end,
)
from tests.media_files import tone, write_video

Record = Callable[..., Path]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Make a sound file that grows louder."""

    def record_one(name: str = "talk.wav", seconds: float = 2.0) -> Path:
        samples = tone(seconds)
        soundfile.write(tmp_path / name, samples * np.linspace(0.1, 1, len(samples)), 16_000)
        return tmp_path / name

    return record_one


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Make a video of two seconds with sound."""
    pictures = [np.full((48, 96, 3), shade, np.uint8) for shade in range(60)]
    return write_video(tmp_path / "film.mp4", pictures, samples=tone(2))


def test_the_sample_warns_of_a_sound_beside_several_pictures(
    open_desk: OpenDesk, draw: Draw, record: Record, film: Path, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    warning = desk.window.composer.warning
    load(desk, "text", "picture", "video", "sound", is_sample=True)
    attach(desk, draw("one.png"), record())
    assert warning.isHidden(), "one picture and a sound go together"
    attach(desk, draw("two.png"))
    assert warning.text() == "Beside several pictures or a video the sample may miss a sound. Send the sound by itself."
    load(desk, "text", "picture", "video", "sound")
    assert warning.isHidden(), "a complete model was trained on such messages"
    load(desk, "text", "picture", "video", "sound", is_sample=True)
    desk.models.composer.remove_all()
    attach(desk, film)
    assert warning.isVisible(), "its sound comes with it"


def load(desk: Desk, *modalities: str, is_sample: bool = False, context_length: int = 8192) -> None:
    """Let the window believe that a model is loaded."""
    model = desk.models.model
    model.info = ModelInfo(
        name="31B", path="/31B", size="31B", modalities=modalities, context_length=context_length,
        num_parameters=31_000_000_000, size_bytes=1, quantization="bfloat16", compute_dtype="bfloat16", backend="cpu",
        traits=read_traits(sample_checkpoint()) if is_sample else Traits(),
    )  # fmt: skip
    model.changed.emit()


def paste(desk: Desk, text: str) -> None:
    mime = QMimeData()
    mime.setText(text)
    desk.models.intake.take_paste(mime)


@pytest.mark.parametrize(
    ("size", "budget"),
    [
        ((300, 200), 70),
        ((500, 400), 140),
        ((800, 600), 280),
        ((1600, 900), 1120),
        ((4000, 3000), 1120),
        ((780, 1100), 1120),  # a page, whose pixels 560 would keep
    ],
)
def test_auto_keeps_every_pixel_and_gives_pages_the_most(size: tuple[int, int], budget: int) -> None:
    assert auto_budget(*size) == budget
    assert auto_budget(*size, limit=280) == min(budget, 280)


def test_auto_asks_the_sample_for_no_more_than_it_was_trained_on(open_desk: OpenDesk, draw: Draw) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files([draw("photo.png", 1600, 900)]))
    (chip,) = desk.window.composer.chips.values()
    assert desk.models.composer.pictures[0].budget == 1120
    load(desk, "text", "picture", is_sample=True)
    assert desk.models.composer.pictures[0].budget == 280
    assert (chip.budget.text(), chip.cost.text()) == ("Auto · 264 tokens ▾", "1056 × 576, shrunk to 66 %")


def test_a_sound_becomes_a_chip_with_its_shape_and_length(open_desk: OpenDesk, record: Record, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    attach(desk, record(seconds=2.0))
    (item,) = desk.models.composer.items
    (chip,) = desk.window.composer.chips.values()
    assert isinstance(item, DraftSound)
    assert isinstance(chip.tile, WaveTile)
    assert max(item.peaks) == pytest.approx(1, abs=0.1)
    assert item.peaks[0] < item.peaks[len(item.peaks) // 2] < item.peaks[-1]
    assert (chip.label.text(), chip.cost.text()) == ("2.0 s", "50 tokens")
    assert chip.accessibleName() == "talk.wav, 2.0 s, 50 tokens"


class Hearing:
    """Stands in for the engine that writes recordings down: a test tells what it hears."""

    def __init__(self, desk: Desk) -> None:
        self.requests: list[Request] = []
        self._errands: list[Errand] = []
        desk.models.composer.preparation._errands = self

    def errand(self, make: Callable[[int], DocumentRequest]) -> Errand:
        self._errands.append(Errand(self.requests.append, make(len(self._errands) + 1)))
        return self._errands[-1]

    def begin(self, desk: Desk, *paths: Path) -> None:
        """Attach files, and wait until they are seen and the last long one is being written down."""
        desk.models.composer.attach(paths)
        loop = QEventLoop()
        timer = QTimer(interval=5)
        timer.timeout.connect(lambda: self._has_begun(desk) and loop.quit())
        timer.start()
        QTimer.singleShot(WAIT_MS, lambda: loop.exit(1))
        assert loop.exec() == 0, "a file is read for ever"

    def _has_begun(self, desk: Desk) -> bool:
        is_seen = not any(isinstance(item, DraftReading) for item in desk.models.composer.draft.all)
        return is_seen and bool(self.requests)

    def tell(self, *events: EngineEvent) -> None:
        """Events of what was asked last."""
        for event in events:
            self._errands[-1].heard.emit(event)


def said(start_s: float, text: str, end_s: float) -> SpeechRead:
    return SpeechRead(SpokenPiece(start_s, end_s, text), 310.0)


def test_a_sound_that_is_too_long_is_written_down_and_sent_as_text_with_its_times(
    open_desk: OpenDesk, record: Record, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    hearing = Hearing(desk)
    hearing.begin(desk, record("lecture.wav", 31), record("short.wav", 1))
    (item, short) = desk.models.composer.items
    (chip, _) = desk.window.composer.chips.values()
    assert (type(item), type(short)) == (DraftSpeech, DraftSound)
    assert (chip.name.text(), chip.label.text()) == ("What is said in lecture.wav", "31.0 s · sent as text")
    assert not desk.window.notice.isVisible()
    assert isinstance(hearing.requests[0], Transcribe)
    assert hearing.requests[0].path == str(item.path)
    hearing.tell(said(0.5, "seven two", 28.0))
    assert chip.cost.text() == "Writing down… 28.0 s of 5:10"
    desk.models.composer.send()
    assert not desk.models.conversation.turns
    hearing.tell(said(295.0, "nine", 310.0), RecordingRead(310.0))
    let_files_be_read(desk)
    (asked,) = desk.models.conversation.history[:1]
    quote = next(part for part in asked.parts if isinstance(part, Quote))
    assert (quote.name, quote.text) == ("What is said in lecture.wav", "0:00 seven two\n4:55 nine")


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        (Failed("AttachmentError", "It is damaged."), "It is damaged."),
        (RecordingRead(31.0), "Nothing was understood in “lecture.wav”"),
    ],
)
def test_a_long_sound_of_which_nothing_is_to_be_had_leaves_with_a_sentence(
    open_desk: OpenDesk, record: Record, ending: EngineEvent, sentence: str
) -> None:
    desk = open_desk(has_engine=False)
    hearing = Hearing(desk)
    hearing.begin(desk, record("lecture.wav", 31))
    hearing.tell(ending)
    assert not desk.models.composer.items
    assert sentence in desk.models.composer.notice


@pytest.mark.parametrize(
    "ending", [Failed("EngineStopped", "The engine has ended."), RecordingRead(31.0, is_cancelled=True)]
)
def test_a_long_sound_goes_on_where_the_engine_left_it(
    open_desk: OpenDesk, record: Record, ending: EngineEvent
) -> None:
    desk = open_desk(has_engine=False)
    hearing = Hearing(desk)
    hearing.begin(desk, record("lecture.wav", 31))
    hearing.tell(said(0.5, "seven two", 28.0), ending)
    (chip,) = desk.window.composer.chips.values()
    assert chip.cost.text() == "Stopped at 28.0 s of 5:10: send to go on"
    desk.models.composer.send()
    assert chip.cost.text() == "Writing down… 28.0 s of 5:10"
    again = hearing.requests[-1]
    assert isinstance(again, Transcribe)
    assert again.behind == SpokenPiece(0.5, 28.0, "seven two")


def test_videos_of_one_name_have_their_words_each(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(has_engine=False)
    hearing = Hearing(desk)
    pictures = [np.full((48, 96, 3), shade, np.uint8) for shade in range(31)]
    films = [tmp_path / folder / "clip.mp4" for folder in "ab"]
    for film in films:
        film.parent.mkdir()
        write_video(film, pictures, rate=1, samples=tone(31))
    hearing.begin(desk, *films)
    speeches = [item for item in desk.models.composer.draft.all if isinstance(item, DraftSpeech)]
    assert {item.path for item in speeches} == set(films)


def test_a_long_sound_that_is_taken_out_is_written_down_no_further(open_desk: OpenDesk, record: Record) -> None:
    desk = open_desk(has_engine=False)
    hearing = Hearing(desk)
    hearing.begin(desk, record("lecture.wav", 31))
    desk.models.composer.remove_all()
    hearing.tell(said(0.5, "seven two", 28.0))
    assert isinstance(hearing.requests[-1], Cancel)
    assert not desk.models.composer.items


def test_the_sound_of_a_long_video_goes_along_as_text(open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    hearing = Hearing(desk)
    pictures = [np.full((48, 96, 3), shade, np.uint8) for shade in range(31)]
    film = write_video(tmp_path / "long.mp4", pictures, rate=1, samples=tone(31))
    hearing.begin(desk, film)
    video, speech = desk.models.composer.items
    assert isinstance(video, DraftVideo)
    assert not video.is_heard
    assert isinstance(speech, DraftSpeech)
    hearing.tell(said(0.5, "seven two", 28.0), RecordingRead(31.0))
    assert [type(item) for item in desk.models.composer.items] == [DraftVideo, DraftText]
    kept = Draft.of(desk.models.composer.draft.content)
    assert [type(item) for item in kept.all] == [DraftReading, DraftText]


def test_a_video_becomes_a_chip_with_its_first_frame_and_its_sound_goes_along(
    open_desk: OpenDesk, film: Path, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    attach(desk, film)
    (item,) = desk.models.composer.items
    (chip,) = desk.window.composer.chips.values()
    assert isinstance(item, DraftVideo)
    assert chip.cost.text() == "2.0 s · 2 frames, sound"
    qtbot.waitUntil(lambda: desk.thumbnails.image(str(film)) is not None, timeout=WAIT_MS)
    assert desk.models.composer.draft.content == ("", (Video(str(film), 70, is_auto=True),))
    chip.budget.choices[280].trigger()
    send(desk)
    video, sound = desk.models.conversation.history[0].media
    assert isinstance(video, Video)
    assert video.budget == 280
    assert sound == Sound(video.path)


def test_a_videos_sound_stays_behind_where_nobody_hears_it(open_desk: OpenDesk, film: Path, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    load(desk, "text", "picture", "video")
    attach(desk, film)
    (chip,) = desk.window.composer.chips.values()
    assert chip.cost.text() == "2.0 s · 2 frames"
    send(desk)
    assert [type(part) for part in desk.models.conversation.history[0].media] == [Video]


def test_a_message_with_a_video_is_taken_up_with_one_chip_for_it(open_desk: OpenDesk, film: Path, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    desk.models.composer.show(Draft.of(("again", (Video(str(film), 140), Sound(str(film))))))
    let_files_be_read(desk)
    (item,) = desk.models.composer.items
    assert isinstance(item, DraftVideo)
    assert item.choice == 140


def test_nothing_is_sent_while_a_file_is_looked_at(open_desk: OpenDesk, record: Record, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files([record()]), is_read=False)
    (chip,) = desk.window.composer.chips.values()
    assert chip.label.text() == "Reading…"
    desk.window.composer.send_button.click()
    assert desk.models.conversation.turns == []
    assert not desk.models.composer.draft.is_ready


def test_a_file_removed_while_it_is_looked_at_does_not_come_back(
    open_desk: OpenDesk, record: Record, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    drop(desk, files([record("a.wav")]), is_read=False)
    next(iter(desk.window.composer.chips.values())).remove_button.click()
    attach(desk, record("b.wav"))
    assert [item.name for item in desk.models.composer.items] == ["b.wav"]


def test_what_the_model_cannot_hear_stays_with_the_names_of_those_that_can(
    open_desk: OpenDesk, record: Record, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    load(desk, "text", "picture", "video")
    attach(desk, record())
    (chip,) = desk.window.composer.chips.values()
    assert not chip.lack.isHidden()
    assert chip.lack.text() == "Only E2B, E4B, 12B hear"
    send(desk)
    assert desk.models.conversation.turns == []
    assert len(desk.models.composer.items) == 1
    assert desk.window.notice.text.text() == (
        "“talk.wav” cannot be sent: this model cannot hear. E2B, E4B and 12B hear: choose one of them, "
        "or remove the sound."
    )
    load(desk, "text", "picture", "video", "sound")
    assert chip.lack.isHidden()
    send(desk)
    assert len(desk.models.conversation.turns) == 2


def test_a_text_file_becomes_a_quotation(open_desk: OpenDesk, tmp_path: Path, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    (tmp_path / "list.txt").write_text("one\ntwo", encoding="utf-8")
    drop(desk, files([tmp_path / "list.txt"]))
    (item,) = desk.models.composer.items
    assert (item.name, item.label, item.cost) == ("list.txt", "2 lines · 7 B", "about 2 tokens")
    say(desk, "count")
    assert wait_for_end(qtbot, desk).text == "user:File: list.txt\n```\none\ntwo\n```\ncount [as advised]"


def test_a_very_long_paste_becomes_a_chip_that_can_be_put_back(open_desk: OpenDesk) -> None:
    desk = open_desk(has_engine=False)
    long_text = "line of text\n" * 400
    paste(desk, "short ")
    paste(desk, long_text)
    editor = desk.window.composer.editor
    assert editor.toPlainText() == "short "
    (chip,) = desk.window.composer.chips.values()
    assert chip.name.text() == "Pasted text 1"
    chip.unfold_button.click()
    assert editor.toPlainText() == "short " + long_text
    assert desk.models.composer.items == ()


def test_a_draft_that_is_taken_up_again_is_the_same(
    open_desk: OpenDesk, draw: Draw, record: Record, film: Path, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    composer = desk.models.composer
    attach(desk, draw("auto.png", 800, 600), draw("chosen.png"), record(), film)
    composer.set_budget(composer.pictures[1].key, 560)
    paste(desk, "x" * 5000)
    qtbot.keyClicks(desk.window.composer.editor, "look at these")
    draft = composer.draft.content
    assert [type(part) for part in draft[1]] == [Picture, Picture, Sound, Video, Quote]
    composer.show(Draft.of(("other", ())))
    assert (composer.draft.content, desk.window.composer.editor.toPlainText()) == (("other", ()), "other")
    composer.show(Draft.of(draft))
    assert composer.draft.content == draft, "a draft must not change while its files are looked at"
    let_files_be_read(desk)
    assert composer.draft.content == draft
    assert desk.window.composer.editor.toPlainText() == "look at these"
    assert [picture.choice for picture in composer.pictures] == [None, 560]
    assert isinstance(composer.items[-1], DraftText)


@pytest.mark.parametrize("choice", [None, 280, 1120])
def test_who_chose_a_budget_is_kept_whatever_model_there_is_meanwhile(
    open_desk: OpenDesk, draw: Draw, choice: int | None
) -> None:
    desk = open_desk(has_engine=False)
    load(desk, "text", "picture", is_sample=True)
    composer = desk.models.composer
    attach(desk, draw("wide.png", 2400, 1600))
    composer.set_budget(composer.pictures[0].key, choice)
    kept = composer.draft.content
    assert composer.pictures[0].budget == (choice or 280)
    desk.close()
    desk = open_desk(has_engine=False)
    composer = desk.models.composer
    composer.show(Draft.of(kept))
    let_files_be_read(desk)
    assert [picture.choice for picture in composer.pictures] == [choice]
    assert composer.draft.content[1][0] == Picture(kept[1][0].path, choice or 1120, choice is None)


def test_files_that_went_away_are_named_when_a_draft_is_taken_up(
    open_desk: OpenDesk, draw: Draw, tmp_path: Path, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    parts = (Picture(str(tmp_path / "gone.png")), Sound(str(tmp_path / "gone.wav")), Picture(str(draw("here.png")), 70))
    desk.models.composer.show(Draft.of(("", parts)))
    let_files_be_read(desk)
    assert [item.name for item in desk.models.composer.items] == ["here.png"]
    assert desk.window.notice.text.text() == "“gone.png” is not there.\n“gone.wav” is not there."


def test_what_a_person_does_changes_the_draft_and_taking_one_up_does_not(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    composer = desk.models.composer
    with qtbot.waitSignal(composer.draft_changed, timeout=WAIT_MS):
        qtbot.keyClicks(desk.window.composer.editor, "a")
    with qtbot.waitSignal(composer.draft_changed, timeout=WAIT_MS):
        drop(desk, files([draw()]))
    with qtbot.waitSignal(composer.draft_changed, timeout=WAIT_MS):
        composer.set_budget_of_all(70)
    with qtbot.assertNotEmitted(composer.draft_changed):
        composer.show(Draft.of(("b", composer.draft.content[1])))


def test_the_row_of_chips_is_as_tall_as_the_tallest(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk(has_engine=False)
    soundfile.write(tmp_path / "memo.wav", tone(1), 16_000)
    attach(desk, tmp_path / "memo.wav")
    let_files_be_read(desk)
    for number in range(4):
        attach(desk, draw(f"{number}.png"))
    area = desk.window.composer.chip_area
    for chip in desk.window.composer.chips.values():
        qtbot.waitUntil(lambda chip=chip: area.height() >= chip.height() > 40, timeout=WAIT_MS)


def test_the_chip_with_the_keyboard_is_seen(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    attach(desk, *(draw(f"{number}.png") for number in range(12)))
    composer = desk.window.composer
    bar = composer.chip_area.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum(), timeout=WAIT_MS)
    first = next(iter(composer.chips.values()))
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Delete)
    following = desk.window.focusWidget()
    assert following is next(iter(composer.chips.values()))
    qtbot.waitUntil(lambda: not following.visibleRegion().isEmpty(), timeout=WAIT_MS)
    assert bar.value() < bar.maximum() / 2


def test_every_chip_is_reached_by_tab(
    open_desk: OpenDesk, draw: Draw, record: Record, film: Path, qtbot: QtBot
) -> None:
    desk = open_desk(has_engine=False)
    attach(desk, record(), draw(), film)
    paste(desk, "x" * 5000)
    wanted = {stop for chip in desk.window.composer.chips.values() for stop in chip.stops}
    qtbot.waitUntil(lambda: all(stop.isVisible() for stop in wanted), timeout=WAIT_MS)
    desk.window.composer.editor.setFocus()
    reached = set()
    for _ in range(40):
        qtbot.keyClick(desk.window.focusWidget(), Qt.Key.Key_Tab)
        reached.add(desk.window.focusWidget())
    assert len(wanted) == 11
    assert wanted <= reached


def test_a_chip_is_looked_at_moved_and_removed_with_the_keyboard(
    open_desk: OpenDesk, draw: Draw, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("app.widgets.chat.composer_view.quick_look", shown.append)
    desk = open_desk(has_engine=False)
    view = desk.window.composer
    attach(desk, *(draw(f"{name}.png") for name in "abc"))

    def names() -> str:
        on_screen = [view._chip_row.itemAt(index).widget() for index in range(len(view.chips))]
        assert on_screen == list(view.chips.values())
        return "".join(item.path.stem for item in desk.models.composer.pictures)

    first = next(iter(view.chips.values()))
    qtbot.waitUntil(lambda: all(chip.isVisible() for chip in view.chips.values()), timeout=WAIT_MS)
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Space)
    assert [Path(path).name for path in shown] == ["a.png"]
    for _ in range(3):
        qtbot.keyClick(first, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert names() == "bca"
    qtbot.keyClick(first, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert names() == "bac"
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    qtbot.keyClick(desk.window.focusWidget(), Qt.Key.Key_Backspace)
    assert names() == "bac", "only a chip that has the keyboard itself goes"
    first.setFocus()
    for left in ("bc", "b", ""):
        qtbot.keyClick(desk.window.focusWidget(), Qt.Key.Key_Backspace)
        assert names() == left
    assert desk.window.focusWidget() is view.editor


def test_chips_are_put_in_order_with_the_mouse(open_desk: OpenDesk, draw: Draw, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    attach(desk, *(draw(f"{name}.png") for name in "abc"))
    chips = list(desk.window.composer.chips.values())
    qtbot.waitUntil(lambda: chips[2].x() > chips[1].x() > 0, timeout=WAIT_MS)
    place = chips[0].name.pos()
    qtbot.mousePress(chips[0], Qt.MouseButton.LeftButton, pos=place)
    target = chips[0].mapFromGlobal(chips[1].mapToGlobal(chips[1].rect().center())) + QPoint(20, 0)
    move = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(target),
        QPointF(chips[0].mapToGlobal(target)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QGuiApplication.sendEvent(chips[0], move)
    qtbot.mouseRelease(chips[0], Qt.MouseButton.LeftButton)
    assert [item.path.stem for item in desk.models.composer.pictures] == ["b", "a", "c"]


def test_space_shows_a_text_that_will_be_sent(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    paste(desk, "line\n" * 60)
    (chip,) = desk.window.composer.chips.values()
    chip.setFocus()
    qtbot.keyClick(chip, Qt.Key.Key_Space)
    preview = desk.window.findChild(TextPreview)
    assert isinstance(preview, TextPreview)
    assert (preview.windowTitle(), preview.text.toPlainText()) == ("Pasted text 1", "line\n" * 60)
    assert preview.text.isReadOnly()
    preview.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is preview, timeout=WAIT_MS)
    qtbot.keyClick(preview.text, Qt.Key.Key_Space)
    assert not preview.isVisible()


def test_the_arrow_up_takes_the_last_message_back_into_an_empty_field(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk("echo")
    editor = desk.window.composer.editor
    qtbot.keyClick(editor, Qt.Key.Key_Up)
    assert not desk.models.drafts.is_editing, "there is none yet"
    say(desk, "first words")
    wait_for_end(qtbot, desk)
    qtbot.keyClicks(editor, "half")
    qtbot.keyClick(editor, Qt.Key.Key_Up)
    assert editor.toPlainText() == "half"
    editor.clear()
    qtbot.keyClick(editor, Qt.Key.Key_Up, Qt.KeyboardModifier.KeypadModifier)  # as on a Mac
    assert desk.models.drafts.is_editing
    assert editor.toPlainText() == "first words"


def test_a_copied_file_is_attached_and_text_beside_a_picture_wins(open_desk: OpenDesk, record: Record) -> None:
    desk = open_desk(has_engine=False)
    QGuiApplication.clipboard().setMimeData(files([record()]))
    desk.window.commands["paste"].trigger()
    assert [item.name for item in desk.models.composer.items] == ["talk.wav"]


class SlowDisk:
    """Stands in for what reads files: it goes on until nobody waits for it."""

    def __init__(self) -> None:
        self.began = Event()

    def __call__(self, path: Path, num_pieces: int, between: Callable[[], None]) -> None:
        self.began.set()
        while True:
            between()


class Nobody:
    """Carries nothing to any engine."""

    def errand(self, make: Callable[[int], DocumentRequest]) -> Errand:
        pytest.fail("asked the engine")


@pytest.mark.parametrize("end", ["close", "remove"])
def test_what_nobody_waits_for_is_not_looked_at_to_its_end(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    disk, item = SlowDisk(), DraftReading.of(Picture(str(draw("slow.png"))))
    monkeypatch.setattr("app.viewmodels.draft.inspection.look_at_file", disk)
    draft = Draft(items={item.key: item})
    preparation = Preparation(lambda: lambda path: path, Nobody(), lambda: None)
    preparation.prepare(draft, item.key)
    assert disk.began.wait(WAIT_MS / 1000)
    if end == "remove":
        del draft.items[item.key]
        preparation._looking.finish()
    preparation.close(Draft())
