"""Takes the pictures in docs/, with the fake engine or the real one.

    python tests/app/take_screenshots.py [--real] [--font Inter] [--out docs] [SCENE…]
    python tests/app/take_screenshots.py --width 480 --text-size 200 --prefix large- [SCENE…]

Needs a display (`xvfb-run` will do). `--real` answers with the sample checkpoint instead of a prepared text.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from msgspec import structs  # noqa: E402
from PySide6.QtCore import QEventLoop, QMimeData, QPoint, QSettings, Qt, QTimer, QUrl  # noqa: E402
from PySide6.QtGui import QColor, QDragEnterEvent, QFont, QPainter  # noqa: E402
from PySide6.QtWidgets import QDialog, QMenu  # noqa: E402

from app.application import Desk, DesktopApplication, System, assemble  # noqa: E402
from app.downloads import State  # noqa: E402
from app.look.theme import Theme  # noqa: E402
from app.paths import engine_command  # noqa: E402
from app.settings import TEXT_SIZES, Appearance, Settings  # noqa: E402
from app.sound.recorder import Microphones  # noqa: E402
from app.viewmodels.models.entries import Deed  # noqa: E402
from app.viewmodels.models.manager import Supply  # noqa: E402
from app.viewmodels.reading.document import Phase  # noqa: E402
from app.widgets.chat.answer_view import AnswerView  # noqa: E402
from app.widgets.reading.ask_sheet import AskSheet  # noqa: E402
from app.widgets.settings.settings_window import SettingsWindow  # noqa: E402
from engine import CATALOG, Box, FoundModel, fit, recommended, sample_checkpoint  # noqa: E402
from tests.app.driving import attach, card_of, send  # noqa: E402
from tests.app.pretended_microphones import PretendedMicrophones  # noqa: E402
from tests.app.pretended_models import GB, PretendedDisk, PretendedRemote, found, nothing  # noqa: E402
from tests.app.pretended_speaker import PretendedSpeaker  # noqa: E402
from tests.fake_documents import Pretence, pretend  # noqa: E402

HELDOUT = ROOT / "resources" / "sample" / "heldout"
FAKE = [sys.executable, str(ROOT / "tests" / "fake_engine.py")]
WAIT_S = 120


def live(milliseconds: int) -> None:
    """Let the window live; `QTest.qWait` would not let Python's other threads work meanwhile."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Studio:
    """Opens a window in a state and keeps a picture of it."""

    def __init__(
        self, application: DesktopApplication, out: Path, is_real: bool, width: int | None, text_size: int
    ) -> None:
        """`width`: of every window, in the place of the scene's own; `text_size` in percent."""
        self._application = application
        self._width, self._text_size = width, text_size
        self._out = out
        self.is_real = is_real
        self._folder = Path(tempfile.mkdtemp())
        self.desk: Desk

    def open(
        self,
        scenario: str,
        appearance: Appearance = Appearance.LIGHT,
        width: int = 960,
        height: int = 780,
        microphones: Microphones | None = None,
        supply: Supply | None = None,
        *,
        is_welcomed: bool = True,
    ) -> Desk:
        """A fresh window with its engine ready."""
        settings = Settings(QSettings(str(self._folder / f"{scenario}{width}.ini"), QSettings.Format.IniFormat))
        settings.appearance, settings.text_size = appearance, self._text_size
        settings.is_welcomed = is_welcomed
        command = (
            engine_command(self._folder / "engine.log")
            if self.is_real
            else [*FAKE, scenario, str(self._folder / "marker")]
        )
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        theme = Theme(self._application, settings)
        self.desk = assemble(
            command, theme, settings, folder, System(lambda: microphones, PretendedSpeaker), supply=supply or nothing()
        )
        self.desk.window.resize(self._width or width, height)
        self.desk.open(sample_checkpoint())
        self.until(lambda: self.desk.models.model.is_ready or bool(self.desk.models.model.failure))
        return self.desk

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the window live until something is so."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the window never came into the wanted state")
            live(20)

    def say(self, text: str, thinking: bool = False) -> None:
        """Send a message and wait for the answer's end."""
        composer, conversation = self.desk.models.composer, self.desk.models.conversation
        composer.set_thinking(thinking)
        composer.replace_text(text)
        send(self.desk)
        self.until(lambda: not conversation.is_busy)

    def attach_sample(self) -> None:
        """Attach the picture that the window draws."""
        sample = self.desk.pasted.draw_sample()
        assert sample is not None
        self.attach(sample)

    def attach(self, path: Path) -> None:
        """Attach a picture and wait for its thumbnail."""
        attach(self.desk, path)
        live(400)

    def keep(self, name: str) -> None:
        """Write the picture and close the window."""
        live(350)
        path = self._out / f"{name}.png"
        window = self.desk.window
        picture = (window.findChild(SettingsWindow) or window).grab()
        for sheet in window.findChildren(QDialog):  # a window of its own, which a screen shows in front
            if sheet.isVisible():
                painter = QPainter(picture)
                painter.fillRect(window.rect(), QColor(0, 0, 0, 70))
                painter.drawPixmap((window.width() - sheet.width()) // 2, 60, sheet.grab())
                painter.end()
        for menu in window.findChildren(QMenu):
            if menu.isVisible():
                painter = QPainter(picture)
                painter.drawPixmap(window.mapFromGlobal(menu.pos()), menu.grab())
                painter.end()
        picture.save(str(path), "PNG", 10)
        print(path, f"{path.stat().st_size / 1000:.0f} kB")
        self.desk.close()


def empty(studio: Studio) -> None:
    """Before the first message."""
    studio.open("fast")


def conversation(studio: Studio, appearance: Appearance, width: int = 960) -> None:
    """A picture, its answer, and the next picture waiting in the composer."""
    studio.open("receipt", appearance, width, height=900 if studio.is_real else 780)
    if studio.is_real:
        studio.attach(HELDOUT / "03.png")
        studio.say("Read the text in this picture.")
    studio.attach_sample()
    studio.say("Read the text in this picture.")
    studio.attach(HELDOUT / "05.png")
    studio.desk.models.composer.replace_text("And this one?")


def thinking(studio: Studio) -> None:
    """A thought, unfolded by its reader."""
    desk = studio.open("think")
    if studio.is_real:
        studio.attach_sample()
    studio.say("Read the text in this picture." if studio.is_real else "What is 17 + 25?", thinking=True)
    answer = desk.models.conversation.answer
    assert answer is not None
    answer.thoughts[-1].toggle()


def error(studio: Studio) -> None:
    """An engine that died, and files that were refused."""
    desk = studio.open("crash-once")
    composer = desk.models.composer
    composer.replace_text("Read this for me, please.")
    composer.send()
    studio.until(lambda: not desk.models.conversation.is_busy)
    studio.until(lambda: desk.models.model.is_ready)
    archive = desk.pasted.folder / "holiday.zip"
    archive.write_bytes(b"PK\x03\x04 not a picture")
    attach(desk, archive, desk.pasted.folder)


def overlay(studio: Studio) -> None:
    """Two pictures hover over the window."""
    desk = studio.open("fast")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(f"/tmp/{name}.png") for name in ("one", "two")])
    where, buttons, keys = QPoint(400, 300), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    desk.window.dragEnterEvent(QDragEnterEvent(where, Qt.DropAction.CopyAction, mime, buttons, keys))


def settings(studio: Studio, page: str) -> None:
    """One page of the settings window."""
    desk = studio.open("fast")
    desk.window.commands["settings"].trigger()
    desk.window.findChild(SettingsWindow).show_page(page)


def chips(studio: Studio) -> None:
    """A picture, a sound and a text wait to be sent."""
    desk = studio.open("fast", Appearance.DARK)
    folder = desk.pasted.folder
    seconds = np.arange(4 * 48_000) / 48_000
    soundfile.write(folder / "memo.wav", np.sin(3000 * seconds) * np.sin(2 * seconds) ** 2 / 2, 48_000)
    (folder / "notes.txt").write_text("Bread, coffee, milk.\n" * 30)
    attach(desk, folder / "memo.wav", folder / "notes.txt")
    studio.attach(HELDOUT / "05.png")
    desk.models.composer.replace_text("What is this about?")
    live(800)


def recording(studio: Studio) -> None:
    """Somebody speaks."""
    microphones = PretendedMicrophones()
    desk = studio.open("receipt", microphones=microphones)
    studio.say("What is on the receipt?")
    desk.window.composer.record_button.click()
    for step in range(60):
        seconds = step / 20 + np.arange(2400) / 48_000
        loudness = 0.3 * np.sin(2 * seconds) ** 2 * np.sin(9 * seconds) ** 2
        microphones.say((loudness * np.sin(900 * seconds)).astype(np.float32))
        live(50)


def aloud(studio: Studio, appearance: Appearance = Appearance.LIGHT) -> None:
    """An answer is read aloud."""
    desk = studio.open("receipt", appearance)
    studio.say("What is on the receipt?")
    view = desk.window.messages.views[-1]
    assert isinstance(view, AnswerView)
    desk.window.messages.show_turn(view.turn)
    view.speak_button.click()


def hands_free(studio: Studio) -> None:
    """Somebody speaks, and touches nothing."""
    microphones = PretendedMicrophones()
    desk = studio.open("receipt", microphones=microphones)
    studio.say("What is on the receipt?")
    desk.models.hands_free.start()
    live(100)


def conversations_above(studio: Studio) -> None:
    """A narrow window, and the conversations over it."""
    desk = studio.open("receipt", width=480)
    studio.say("What is on the receipt?")
    desk.window.commands["sidebar"].trigger()


def tools(studio: Studio) -> None:
    """A finished call, one that asks for permission, and other conversations beside."""
    desk = studio.open("tools", width=1080)
    for name in ("calculator", "read_file"):
        desk.models.toolbox.turn(name, True)
    for text in ("How do I bake bread?", "Plan the holiday in Norway with the children"):
        studio.say(text)
        desk.window.commands["new"].trigger()
    desk.models.shelf.pin(desk.models.shelf.rows[-1].id, True)
    studio.say("calculator expression 4817 * 392")
    card_of(desk.window.messages.views[-1]).title.click()
    letters = Path(tempfile.mkdtemp()) / "Letters"
    letters.mkdir()
    (letters / "rent.txt").write_text("Dear landlord,")
    desk.preferences.settings.readable_paths = (str(letters),)
    desk.models.composer.replace_text(f"read_file path {letters / 'rent.txt'}")
    desk.models.composer.send()
    live(800)


def search(studio: Studio) -> None:
    """A word is found in another conversation."""
    desk = studio.open("text", width=1080)
    for text in ("今日は東京タワーへ行きました", "The bread needs **time** and a warm place to rise"):
        studio.say(text)
        desk.window.commands["new"].trigger()
    desk.window.commands["find_all"].trigger()
    desk.window.sidebar.search.setText("warm place")
    live(600)
    desk.window.sidebar.search.returnPressed.emit()


def versions(studio: Studio) -> None:
    """A message that was edited, an answer that was asked for again, and an edit under way."""
    desk = studio.open("receipt", Appearance.DARK, width=1080)
    studio.say("What is on the receipt?")
    desk.window.commands["regenerate"].trigger()
    studio.until(lambda: not desk.models.conversation.is_busy)
    desk.models.drafts.edit(desk.models.conversation.turns[0])
    studio.say("What is on it, in one line?")
    desk.models.drafts.edit_last()


def long(studio: Studio, appearance: Appearance, width: int = 1280) -> None:
    """Headings, tables, code and formulas of a long answer, while it is written."""
    desk = studio.open("rich", appearance, width, height=900)
    desk.models.composer.replace_text("Explain all of it, with examples")
    desk.models.composer.send()
    studio.until(lambda: "$$\n" in desk.models.conversation.answer.text)
    live(400)


def temporary(studio: Studio) -> None:
    """A conversation that leaves nothing behind."""
    studio.open("fast").window.commands["new_temporary"].trigger()


def reading(
    studio: Studio, appearance: Appearance = Appearance.LIGHT, width: int = 1280, *, is_read: bool = True
) -> None:
    """A document of several pages, its text beside the page, a doubtful word chosen."""
    desk = studio.open("fast", appearance, width, height=820)
    verdicts = ("picture", "picture", "text", "picture", "empty", "picture", "picture")
    path = pretend(desk.pasted.folder / "Down the Rabbit-Hole.pdf", Pretence(verdicts, num_lines=12, loops_at=4))
    desk.models.arrivals.open([path])
    document = desk.models.reader.document
    studio.until(lambda: document.phase is Phase.KNOWN)
    if is_read:
        studio.until(desk.window.commands["read_all"].isEnabled)
        desk.window.commands["read_all"].trigger()
        studio.until(lambda: not document.is_reading)
        live(200)
        desk.window.commands["next_doubt"].trigger()
    live(1200)


def region(studio: Studio) -> None:
    """A part of a page is about to be read again, beside a line that somebody corrected."""
    reading(studio)
    document = studio.desk.models.reader.document
    page = document.page(1)
    document.edit(1, "\n".join(line.text for line in page.lines).replace("tired", "weary"))
    view = studio.desk.window.reading.page.view
    view.region.open(Box(0.1, 0.28, 0.92, 0.5))


def queue(studio: Studio, appearance: Appearance = Appearance.LIGHT, width: int = 1080) -> None:
    """Documents that were read, one that is, some that wait, one that failed."""
    desk = studio.open("fast", appearance, width, height=700)
    folder = desk.pasted.folder
    for name, pretence in (
        ("Lease 2024.pdf", Pretence(("picture",) * 4)), ("Minutes of March.pdf", Pretence(("text",) * 12)),
        ("Letter from the bank.pdf", Pretence(("picture",), password="secret")),
        ("Tax return.pdf", Pretence(("picture",) * 9, fails_at=2, waits_for=str(folder / "never"), waits_at=4)),
        ("Recipe book.pdf", Pretence(("picture",) * 230)), ("Invoice 20481.pdf", Pretence(("picture",) * 2)),
    ):  # fmt: skip
        pretend(folder / name, pretence)
    (folder / "Damaged.pdf").write_bytes(b"nothing")
    collection = desk.models.collection
    collection.forms = ("md",)
    desk.models.reader.list_all()
    collection.add(sorted(folder.glob("*.pdf"), key=lambda path: path.name))
    live(4000)
    desk.window.documents.list.setCurrentIndex(desk.window.documents.list.model().index(3, 0))


def fields(studio: Studio) -> None:
    """The same fields of several receipts."""
    desk = studio.open("fast", width=1080, height=640)
    folder, table = desk.pasted.folder, desk.models.fields
    table.name("Shop, Date: date, Total: number")
    desk.window.documents.fields.names.setText(table.words)
    for name, read in (
        ("Kiosk", {"Shop": "Kiosk am Ring", "Date": "2026-11-30", "Total": "4.20"}),
        ("Baker", {"Shop": "Bakery Löwe", "Total": "much"}),
        ("Station", {"Shop": "Fuel 24", "Date": "28 November 2026", "Total": "61.07 €"}),
    ):  # fmt: skip
        pretend(folder / f"{name}.pdf", Pretence(("picture",), fields=read))
    desk.models.reader.list_all()
    desk.window.documents.table_button.click()
    table.add(sorted(folder.glob("*.pdf")))
    live(2500)


def locked(studio: Studio) -> None:
    """A document asks for its password."""
    desk = studio.open("fast", width=1080)
    path = pretend(desk.pasted.folder / "Letter.pdf", Pretence(("picture",), password="secret"))
    desk.models.arrivals.open([path])
    live(900)


def arrival(studio: Studio) -> None:
    """A document was dropped into a conversation."""
    desk = studio.open("receipt", width=960)
    studio.say("Read the text in this picture.")
    desk.models.arrivals.drop([pretend(desk.pasted.folder / "Report.pdf", Pretence(("text",) * 12))])
    live(300)


def real(disk: PretendedDisk) -> Supply:
    """The real family on a pretended disk."""
    return replace(disk.supply, catalog=CATALOG, recommended=recommended, fit=fit)


def of_family(path: Path, size: str, form: str) -> FoundModel:
    """A model of the family on the disk."""
    model = next(each for each in CATALOG if (each.size, each.form) == (size, form))
    there = found(path, size, form, model.download_bytes / GB)
    return structs.replace(there, shapes=model.shapes, repository=model.repository, place="hugging_face")


def welcome(studio: Studio, appearance: Appearance = Appearance.LIGHT) -> None:
    """The first start."""
    desk = studio.open("fast", appearance, supply=real(PretendedDisk()), is_welcomed=False)
    studio.until(lambda: desk.models.manager.recommended is not None)


def models(studio: Studio, appearance: Appearance = Appearance.LIGHT) -> Desk:
    """The list: one in use, one that waits on a missing disk, one that comes, and those that could be."""
    folder, remote = Path(tempfile.mkdtemp()), PretendedRemote()
    here = of_family(folder / "gemma-4-e4b-it-4bit", "E4B", "4-bit")
    plain = of_family(folder / "gemma-4-12B-it", "12B", "bfloat16")
    odd = found(folder / "llama-3-8b-q4", "", "", gigabytes=4.7)
    odd = structs.replace(odd, refusal="It is a Llama model; Cabochon reads Gemma 4 models only.", shapes=None)
    disk = PretendedDisk(here, plain, odd, remote=remote)
    desk = studio.open("fast", appearance, height=860, supply=real(disk))
    manager = desk.models.manager
    desk.preferences.settings.models_used = {"/Volumes/Archive/Models/gemma-4-31b-it-4bit": 1.0}
    studio.until(lambda: bool(manager.usable) and manager.recommended is not None)
    manager.use(manager.entry(here.path))
    studio.until(lambda: desk.models.model.is_ready and not desk.models.model.is_built_in)
    best = manager.recommended
    manager.transfers.start(remote.offer(best.key, None).listing, None)
    studio.until(lambda: remote.has_begun(best.key))
    remote.downloads[best.key].done_bytes = int(2.1 * GB)
    remote.downloads[best.key].say(State.WORKING, bytes_per_second=23e6, seconds_left=134.0)
    manager.show(True)
    live(500)
    return desk


def get(
    studio: Studio, appearance: Appearance = Appearance.LIGHT, free_bytes: int = 200 * GB, width: int = 960
) -> None:
    """What is shown before a download."""
    disk = PretendedDisk(remote=PretendedRemote(free_bytes))
    desk = studio.open("fast", appearance, supply=real(disk))
    studio.until(lambda: desk.models.manager.recommended is not None)
    desk.models.manager.show(True)
    desk.gestures.models.do(Deed.GET, desk.models.manager.recommended)
    live(600)


def memory(studio: Studio, appearance: Appearance = Appearance.LIGHT) -> None:
    """An answer that does not fit, and what would help."""
    studio.open("short-of-memory", appearance, supply=PretendedDisk().supply)
    studio.say("Compare the two contracts, page by page.")


def too_big(studio: Studio) -> None:
    """A model that does not fit."""
    large = of_family(Path(tempfile.mkdtemp()) / "large", "12B", "8-bit")
    desk = studio.open("fast", supply=real(PretendedDisk(large)))
    studio.until(lambda: bool(desk.models.manager.usable) and desk.models.manager.machine is not None)
    live(300)
    desk.models.manager.show(True)
    desk.models.manager.use(desk.models.manager.entry(large.path))
    live(300)


def model_menu(studio: Studio) -> None:
    """The model's menu in the header."""
    desk = models(studio)
    desk.models.manager.show(False)
    desk.window.commands.menus["Model"].popup(
        desk.window.header.chip.mapToGlobal(desk.window.header.chip.rect().bottomLeft())
    )
    live(300)


def declined(studio: Studio) -> None:
    """The sample says that it cannot do it."""
    studio.open("decline", supply=PretendedDisk().supply)
    studio.say("Who wrote Faust, and when?")


def asked(studio: Studio) -> None:
    """A conversation about a document: what was seen of it, and pages that an answer names."""
    desk = studio.open("cited", width=960)
    path = pretend(desk.pasted.folder / "Lease 2024.pdf", Pretence(("text",) * 300, num_lines=2))
    desk.models.arrivals.ask_about(path)
    sheet = desk.window.findChild(AskSheet)
    studio.until(sheet.as_text.isVisible)
    sheet.as_text.setChecked(True)
    studio.until(sheet.attach_button.isEnabled)
    sheet.attach_button.click()
    studio.until(lambda: len(desk.models.composer.items) == 1)
    studio.say("When is the rent due, and what happens to the White Rabbit with pink eyes?")
    live(500)


MARKDOWN = (
    "**Note:** `inline code` beside $\\frac{a^2+b^2}{\\sqrt{c}}$, see https://example.com/docs.\n"
    "| Item | Notes |\n|---|---|\n| Tea | hot<br>green, ~5 min |\n| Cake | ~~3.20~~ 2.80 |\n\n"
    "3. Third **item**\n4. Fourth\n   - inner\n\n> Given $x^2$\n\n"
    "```python\ndef total(prices, discounts, currency, rounding): return sum(prices) - sum(discounts) if prices\n"
    "    return 42  # why\n```"
)


def markdown(studio: Studio, appearance: Appearance) -> None:
    """What models write, and code at the end."""
    studio.open("text", appearance, width=820, height=900)
    studio.say(MARKDOWN)
    studio.desk.window.messages.go_to_end()
    live(3000)


def pictures(studio: Studio) -> None:
    """Four pictures in one message."""
    studio.open("receipt", width=1080, height=900)
    for number in (3, 5, 7, 11):
        studio.attach(HELDOUT / f"{number:02}.png")
    studio.say("What do they say?")
    studio.desk.window.messages.area.show_turn(studio.desk.models.conversation.turns[0])
    live(800)


def viewer(studio: Studio) -> None:
    """A picture that is looked at."""
    studio.open("receipt")
    studio.attach_sample()
    studio.say("Read the text in this picture.")
    studio.desk.window.messages.views[0].cards[0].tile.click()
    live(1500)


SCENES: dict[str, Callable[[Studio], None]] = {
    "empty": empty,
    "window-light": lambda studio: conversation(studio, Appearance.LIGHT),
    "window-dark": lambda studio: conversation(studio, Appearance.DARK),
    "thinking": thinking,
    "error": error,
    "narrow": lambda studio: conversation(studio, Appearance.LIGHT, width=400),
    "overlay": overlay,
    "chips": chips,
    "recording": recording,
    "aloud": aloud,
    "aloud-dark": lambda studio: aloud(studio, Appearance.DARK),
    "hands-free": hands_free,
    "narrow-conversations": conversations_above,
    "tools": tools,
    "search": search,
    "versions": versions,
    "long-light": lambda studio: long(studio, Appearance.LIGHT),
    "long-dark": lambda studio: long(studio, Appearance.DARK),
    "markdown-light": lambda studio: markdown(studio, Appearance.LIGHT),
    "markdown-dark": lambda studio: markdown(studio, Appearance.DARK),
    "pictures": pictures,
    "viewer": viewer,
    "temporary": temporary,
    "reading-light": reading,
    "reading-dark": lambda studio: reading(studio, Appearance.DARK),
    "reading-narrow": lambda studio: reading(studio, width=480),
    "reading-look": lambda studio: reading(studio, width=1080, is_read=False),
    "reading-region": region,
    "reading-fields": fields,
    "reading-locked": locked,
    "reading-queue": queue,
    "reading-queue-dark": lambda studio: queue(studio, Appearance.DARK),
    "reading-queue-narrow": lambda studio: queue(studio, width=480),
    "reading-arrival": arrival,
    "welcome": welcome,
    "welcome-dark": lambda studio: welcome(studio, Appearance.DARK),
    "models": models,
    "models-dark": lambda studio: models(studio, Appearance.DARK),
    "models-menu": model_menu,
    "models-get": get,
    "models-get-dark": lambda studio: get(studio, Appearance.DARK),
    "models-no-room": lambda studio: get(studio, free_bytes=4 * GB),
    "models-too-big": too_big,
    "memory": memory,
    "memory-dark": lambda studio: memory(studio, Appearance.DARK),
    "declined": declined,
    "reading-asked": asked,
    **{
        f"settings-{page.lower()}": lambda studio, page=page: settings(studio, page)
        for page in ("General", "Model", "Prompts", "Answers", "Tools", "Privacy")
    },
}


def main() -> None:
    """Take the scenes that were asked for, by default those that docs/ shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--font")
    parser.add_argument("--width", type=int)
    parser.add_argument("--text-size", type=int, default=100, choices=TEXT_SIZES)
    parser.add_argument("--prefix", default="", help="of the names of the pictures")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=", ".join(SCENES))
    options = parser.parse_args()
    application = DesktopApplication(["cabochon"])
    if options.font:
        application.setFont(QFont(options.font))
    for name in options.scenes or ["empty", "window-light", "window-dark", "thinking"]:
        studio = Studio(application, options.out, options.real, options.width, options.text_size)
        SCENES[name](studio)
        studio.keep(f"{options.prefix}{name}")


if __name__ == "__main__":
    main()
