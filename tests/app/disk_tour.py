"""A window on a disk that is full or read-only, and what it leaves behind. Each step is a program of its own.

    python tests/app/disk_tour.py work|start PLACE full|limit
    python tests/app/disk_tour.py read|look PLACE

With "full", PLACE is a small disk of its own, which is filled; with "limit", the system refuses to write into files.
What is wrong ends the tour with an AssertionError.
"""

import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from PySide6.QtCore import QCoreApplication, QMimeData, QSettings  # noqa: E402
from PySide6.QtGui import QImage  # noqa: E402

from app.application import Desk, DesktopApplication, System, assemble  # noqa: E402
from app.exports import ExportFormat  # noqa: E402
from app.look.theme import Theme  # noqa: E402
from app.settings import Settings  # noqa: E402
from app.sound import tape  # noqa: E402
from app.store import Answered, Draft, Store, Turn  # noqa: E402
from app.viewmodels.conversation.turns import AnswerState  # noqa: E402
from engine import Media, Text, sample_checkpoint, user  # noqa: E402
from tests.app.driving import attach, last_answer, say  # noqa: E402
from tests.app.pretended_microphones import PretendedMicrophones  # noqa: E402

WAIT_S = 240
NO_ROOM = "The disk is full: make room, and Cabochon saves what waits."
TOO_LARGE = "Files of the conversations cannot be copied or deleted now (File too large)."
UNWRITABLE = "Conversations cannot be read or saved now (disk I/O error): what waits in memory is saved when they can."


class Disk:
    """The disk that the window writes to: full, or with room."""

    def __init__(self, place: Path, *, is_small: bool) -> None:
        self.is_small = is_small
        self._filler = place / "filler" if is_small else None
        self.sentences = (NO_ROOM,) if is_small else (TOO_LARGE, UNWRITABLE)
        """What may be said of it: of several writes that are refused, the first one decides."""

    def fill(self) -> None:
        """Leave no room for another byte."""
        if self._filler is None:
            self._limit(16)
            return
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(512)):
                pass

    def free(self) -> None:
        """Make room again."""
        if self._filler is None:
            self._limit(resource.RLIM_INFINITY)
        else:
            self._filler.unlink()

    def _limit(self, size_bytes: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def wait_until(is_true: Callable[[], bool], what: str) -> None:
    """Let the window work until something holds."""
    deadline = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < deadline, f"never happened: {what}"
        QCoreApplication.processEvents()
        time.sleep(0.005)  # which, unlike QTest's waiting, lets other threads run


class Tour:
    """A window whose files are all in one place."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.application = DesktopApplication(["cabochon", "-platform", "offscreen"])
        store = QSettings(str(place / "settings.ini"), QSettings.Format.IniFormat)
        self.settings = Settings(store)
        self.microphones = PretendedMicrophones()
        tape.LEAST_FREE_BYTES = 1 << 16  # this disk is a small one
        command = [sys.executable, str(ROOT / "tests" / "fake_engine.py"), "echo"]
        theme = Theme(self.application, self.settings)
        self.desk = assemble(command, theme, self.settings, place / "data", System(lambda: self.microphones))
        self.desk.open(sample_checkpoint())
        wait_until(lambda: self.desk.models.model.is_ready, "the model is ready")

    def ask(self, text: str) -> None:
        """Say something and wait for the answer."""
        say(self.desk, text)
        wait_until(lambda: not self.desk.models.conversation.is_busy, f"an answer to {text}")
        assert last_answer(self.desk).text == f"user:{text} [as advised]", last_answer(self.desk).text

    def wait_for_remark(self, *texts: str) -> None:
        """Wait for one of these sentences above the composer."""
        remarks = self.desk.models.remarks
        wait_until(lambda: any(text in remark for text in texts for remark in remarks.all), f"one of {texts}")
        most_important = remarks.all[0]
        assert self.desk.window.remark.text.text() == most_important, self.desk.window.remark.text.text()

    def wait_for_setting(self, line: str) -> None:
        """Wait until a preference has reached the disk."""
        file = self.place / "settings.ini"
        wait_until(lambda: file.is_file() and line in file.read_text().splitlines(), f"{line} in {file.name}")

    def wait_for_draft(self, text: str, num_parts: int) -> None:
        """Wait until the store holds a draft of the open conversation, with copies of all files in it."""
        conversation_id = self.desk.models.library.current_id

        def is_kept() -> bool:
            kept = self.desk.store.load(conversation_id).result(WAIT_S)
            draft = kept.draft if kept is not None else None
            if draft is None or (draft.text, len(draft.parts)) != (text, num_parts):
                return False
            return all(
                self.place / "data" in Path(part.path).parents for part in draft.parts if isinstance(part, Media)
            )

        wait_until(is_kept, f"the draft “{text}”")


def draw(folder: Path, name: str) -> Path:
    """Make a picture."""
    path = folder / name
    Image.effect_noise((60, 40), 90).convert("RGB").save(path)
    return path


def export_twice(tour: Tour, place: Path, *, is_small: bool) -> None:
    """Export beside the small disk, which works there, and onto the full one, which does not."""
    said: list[str] = []
    exporter = tour.desk.exporter
    exporter.said.connect(said.append)
    exporter.exported.connect(lambda sentence, _file: said.append(sentence))
    exporter.export(place.parent / "fine.md", ExportFormat.MARKDOWN, with_thoughts=False)
    exporter.export(place / "no.md", ExportFormat.MARKDOWN, with_thoughts=False)
    wait_until(lambda: len(said) == 2, "two sentences about exports")
    assert (said[0] == "Exported as “fine.md”") is is_small, said
    assert said[1].startswith("“no.md” cannot be written: "), said
    assert not list(place.glob("*no.md*"))


def record_in_vain(desk: Desk, microphones: PretendedMicrophones) -> None:
    """Speak where nothing can be written."""
    desk.models.voice.toggle()
    microphones.say(np.sin(np.arange(48_000) / 20).astype(np.float32))
    wait_until(lambda: bool(desk.models.voice.problem), "nothing can be recorded")
    assert desk.models.voice.problem.startswith("Nothing can be recorded"), desk.models.voice.problem


def record(desk: Desk, microphones: PretendedMicrophones) -> None:
    """Speak where there is room."""
    desk.models.voice.toggle()
    microphones.say(np.sin(np.arange(48_000) / 20).astype(np.float32))
    desk.models.voice.toggle()
    items = desk.models.composer
    wait_until(lambda: items.items[-1].name.startswith("Recording"), "what was said is attached")


def work(place: Path, disk: Disk) -> None:
    """Do everything that writes, on a full disk; make room; be killed."""
    shelf = place.parent
    tour = Tour(place)
    desk, ask, microphones = tour.desk, tour.ask, tour.microphones
    composer, library = desk.models.composer, desk.models.library
    tour.settings.transcribes = False
    ask("before")
    first = library.current_id
    red, teal = draw(shelf, "red.png"), draw(shelf, "teal.png")
    tour.wait_for_setting(f"open_conversation={first}")
    disk.fill()

    attach(desk, teal)
    ask("asked on a full disk")
    ask("and once more")
    tour.wait_for_remark(*disk.sentences)
    desk.models.shelf.rename(first, "Named on a full disk")
    composer.replace_text("a draft of the first")
    desk.window.commands["new"].trigger()
    ask("another one")
    attach(desk, red)
    composer.replace_text("a draft of the second")
    desk.models.drafts.save()  # sooner than by itself

    export_twice(tour, place, is_small=disk.is_small)

    picture = QMimeData()
    picture.setImageData(QImage(300, 300, QImage.Format.Format_RGB32))
    num_items = len(composer.items)
    desk.models.intake.take_paste(picture)
    wait_until(lambda: bool(composer.notice), "the pasted picture is refused")
    assert composer.notice.startswith("The picture cannot be attached, because it cannot be written: "), composer.notice
    assert len(composer.items) == num_items

    record_in_vain(desk, microphones)
    tour.settings.shows_statistics = True
    tour.wait_for_remark("The settings cannot be saved now.")

    disk.free()
    record(desk, microphones)
    num_items = len(composer.items)
    desk.models.intake.take_paste(picture)
    wait_until(lambda: len(composer.items) > num_items, "the pasted picture is attached")
    assert composer.notice == ""
    desk.store.try_again()  # sooner than by itself
    tour.wait_for_remark("Everything is saved again.")
    tour.wait_for_draft("a draft of the second", 3)
    tour.wait_for_setting("statistics_shown=true")
    os.kill(os.getpid(), signal.SIGKILL)


def start(place: Path, disk: Disk) -> None:
    """Start on a full disk with what an earlier window left behind when it was killed; make room; be killed."""
    store = Store(place / "data", print)
    store.add_turn("old", Turn("q", None, user("said before")))
    store.add_turn("old", Turn("a", "q", Answered((Text("half an ans"),)), state="running"))
    store.close()
    disk.fill()
    tour = Tour(place)
    tour.desk.models.library.open("old")
    wait_until(lambda: bool(tour.desk.models.conversation.turns), "the conversation is open")
    assert last_answer(tour.desk).state is AnswerState.INTERRUPTED
    tour.ask("asked on a full disk")
    tour.wait_for_remark(*disk.sentences)
    disk.free()
    tour.desk.store.try_again()
    tour.wait_for_remark("Everything is saved again.")
    os.kill(os.getpid(), signal.SIGKILL)


def read(place: Path) -> None:
    """Work where nothing can be written at all, and quit."""
    tour = Tour(place)
    tour.wait_for_remark("what is said now is not kept")
    attach(tour.desk, place / "teal.png")
    tour.ask("asked on a read-only disk")
    first = tour.desk.models.library.current_id
    tour.desk.window.commands["new"].trigger()
    tour.ask("another one")
    tour.desk.models.library.open(first)
    texts = ["asked on a read-only disk", "user:asked on a read-only disk [as advised]"]
    wait_until(lambda: [turn.text for turn in tour.desk.models.conversation.turns] == texts, "the first one is open")
    tour.settings.shows_statistics = True
    tour.wait_for_remark("The settings cannot be saved now.")
    tour.desk.close()


def look(place: Path) -> None:
    """Tell what is kept, as JSON."""
    said: list[str] = []
    store = Store(place / "data", said.append)
    found = [store.load(row.id).result() for row in store.summaries().result()]
    kept = {}
    for conversation in filter(None, found):
        draft = conversation.draft or Draft("")
        media = [each for turn in conversation.turns for each in turn.message.media]
        media += [part for part in draft.parts if isinstance(part, Media)]
        for each in media:
            assert place / "data" in Path(each.path).parents, each
            assert Path(each.path).stat().st_size
        kept[conversation.title] = {
            "texts": [turn.message.text for turn in conversation.turns],
            "states": [turn.state for turn in conversation.turns],
            "draft": draft.text,
            "files": [Path(each.path).name for each in media],
        }
    store.close()
    settings = QSettings(str(place / "settings.ini"), QSettings.Format.IniFormat)
    print(json.dumps({"said": said, "kept": kept, "statistics": settings.value("statistics_shown")}))


def main() -> None:
    """Take the step that is named on the command line."""
    step, place = sys.argv[1], Path(sys.argv[2])
    match step:
        case "work" | "start":
            (place / "tmp").mkdir()
            os.environ["TMPDIR"] = str(place / "tmp")
            (work if step == "work" else start)(place, Disk(place, is_small=sys.argv[3] == "full"))
        case "read":
            read(place)
        case "look":
            look(place)


if __name__ == "__main__":
    try:
        main()
    except AssertionError:
        traceback.print_exc()
        os._exit(1)  # without waiting for the window's threads
