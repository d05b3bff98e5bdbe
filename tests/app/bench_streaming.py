"""How long the window's thread is kept busy while an answer arrives at 200 tokens a second, by a long conversation,
by finding words in it, and by a very long answer.

    python tests/app/bench_streaming.py [--turns 1000] [--seconds 20] [--load | --texts]

With `--load` it is only this: an answer arrives in a conversation of 1,000 messages, among 3,000 conversations, while
a video of 1.5 GB is attached; then it is sent, words are searched for, conversations are opened and one is deleted.

With `--texts` it is each of the texts that no window likes: shown, at another width, marked; and the longest block of
code that is set.

Prints, for the time between two beats of a timer of 4 ms, the p50, p99 and maximum of the delay by the clock, and of
the processor time that the thread took meanwhile. The second does not depend on what else the machine does.
"""

import argparse
import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np  # noqa: E402
from PySide6.QtCore import QEventLoop, QObject, QSettings, Qt, QTimer  # noqa: E402

from app.application import Desk, DesktopApplication, assemble  # noqa: E402
from app.garbage import Collector  # noqa: E402
from app.look.theme import Theme  # noqa: E402
from app.settings import Appearance, Settings  # noqa: E402
from app.store import Store, Turn  # noqa: E402
from app.text.blocks import BlockReader  # noqa: E402
from app.viewmodels.conversation.records import record_of  # noqa: E402
from app.viewmodels.conversation.turns import AnswerTurn, UserTurn  # noqa: E402
from engine import Finished, Message, Stats, Text, sample_checkpoint  # noqa: E402
from tests.app.any_texts import TEXTS  # noqa: E402
from tests.app.driving import next_place, show_turns  # noqa: E402
from tests.fake_engine import ANSWER  # noqa: E402
from tests.media_files import write_video  # noqa: E402

BEAT_MS = 4
NUM_CONVERSATIONS = 3000
VIDEO_BYTES = 1_500_000_000
LONG_ID = "long"
WAIT_S = 120


def live(milliseconds: int) -> None:
    """Let the window live; `QTest.qWait` would not let Python's other threads work meanwhile."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "it never came"
        live(10)


class Heart(QObject):
    """Beats every 4 ms and notes what came between."""

    def __init__(self) -> None:
        super().__init__()
        self.delays_ms: list[float] = []
        self.busy_ms: list[float] = []
        self._last = (time.perf_counter(), time.thread_time())
        self._timer = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self.delays_ms.append(max(0.0, (now[0] - self._last[0]) * 1000 - BEAT_MS))
        self.busy_ms.append((now[1] - self._last[1]) * 1000)
        self._last = now

    def stop(self, name: str) -> None:
        """Print the figures."""
        self._timer.stop()
        for kind, values in (("delayed", sorted(self.delays_ms)), ("busy", sorted(self.busy_ms))):
            p50, p99 = values[len(values) // 2], values[int(len(values) * 0.99)]
            print(f"{name:10} {kind:8} p50 {p50:6.1f}  p99 {p99:6.1f}  max {values[-1]:6.1f} ms  ({len(values)} beats)")


def finished_turns(number: int) -> list[UserTurn | AnswerTurn]:
    """Questions and answers of 0.4 to 1.3 kB."""
    turns: list[UserTurn | AnswerTurn] = []
    for index in range(number // 2):
        turns.append(UserTurn(Message("user", (Text(f"Question {index}: what does it say?"),)), next_place(turns)))
        answer = AnswerTurn(next_place(turns))
        answer.restore([Text(ANSWER * (1 + index % 3))])
        answer.end(Finished("end_of_turn", Stats(1, 1, 1, 1, 1, 1, 1)))
        turns.append(answer)
    return turns


def stream(desk: Desk, seconds: float) -> None:
    """Let an answer arrive."""
    composer, conversation = desk.models.composer, desk.models.conversation
    composer.replace_text("go")
    composer.send()
    live(1500)  # the first words, fonts and lexers
    heart = Heart()
    end = time.monotonic() + seconds
    while conversation.is_busy and time.monotonic() < end:
        live(50)
    heart.stop("streaming")
    print(
        f"{'':10} {len(conversation.answer.text):,} characters, "
        f"{desk.window.messages.area.verticalScrollBar().maximum():,} pixels"
    )
    heart = Heart()
    conversation.stop()
    live(500)
    heart.stop("its end")


def long_conversation(desk: Desk, num_turns: int) -> None:
    """Open a conversation, scroll through it, change the look and the width."""
    messages, turns = desk.window.messages, finished_turns(num_turns)
    began, busy = time.perf_counter(), time.thread_time()
    show_turns(desk, turns)
    desk.window.grab()
    print(
        f"open {num_turns} turns: {time.perf_counter() - began:.2f} s, busy {time.thread_time() - busy:.2f} s, "
        f"{len(messages.views)} widgets"
    )
    live(500)
    bar = messages.area.verticalScrollBar()
    heart = Heart()
    for _ in range(300):
        bar.setValue(bar.value() - 60)
        live(8)
    heart.stop("scrolling")
    for name, change in (
        ("restyled", lambda: desk.theme.set_appearance(Appearance.DARK)),
        ("bigger", lambda: desk.theme.step_scale(1)),
        ("narrower", lambda: desk.window.resize(700, 740)),
    ):
        heart = Heart()
        change()
        live(500)
        heart.stop(name)
    print(f"{len(messages.views)} of {num_turns} turns are widgets")


def fill_store(folder: Path, num_turns: int) -> None:
    """Many conversations of one turn, one a quarter of a day, and a long one."""
    store, now = Store(folder, print), time.time()
    store._owner.submit(lambda: store._opened.result()._connection.execute("PRAGMA synchronous = OFF")).result()
    for number in range(NUM_CONVERSATIONS):
        id_, said = f"c{number}", Message("user", (Text(f"Conversation number {number}"),))
        store.add_turn(id_, Turn(id_, None, said, created_at=now - number * 21_600))
        store.set_title(id_, said.text, is_chosen=True)
    for turn in finished_turns(num_turns):
        store.add_turn(LONG_ID, record_of(turn))
    store.set_title(LONG_ID, "The long one", is_chosen=True)
    store.close()


def large_video(path: Path) -> Path:
    """A second of film, and much that no player looks at: a box of free space."""
    write_video(path, [np.full((240, 320, 3), 40 + index, np.uint8) for index in range(30)])
    with path.open("r+b") as file:
        free = VIDEO_BYTES - file.seek(0, os.SEEK_END)
        file.write(struct.pack(">I4sQ", 1, b"free", free))
        file.truncate(VIDEO_BYTES)
    return path


def load(desk: Desk, video: Path, seconds: float) -> None:
    """All at once."""
    models = desk.models
    wait_until(lambda: len(models.shelf.rows) > NUM_CONVERSATIONS)
    models.library.open(LONG_ID)
    wait_until(lambda: models.library.current_id == LONG_ID)
    live(1000)
    heart = Heart()
    models.composer.replace_text("go")
    models.composer.send()
    models.composer.attach([video])
    live(round(seconds * 1000))
    heart.stop("all at once")
    models.conversation.stop()
    wait_until(lambda: models.composer.can_send)
    for name, act, is_done in (
        ("sending", models.composer.send, lambda: not models.composer.items),
        ("searching", lambda: models.search.look_for("coffee number"), lambda: not models.search.is_running),
        ("opening", lambda: models.library.open("c7"), lambda: models.library.current_id == "c7"),
        ("deleting", lambda: models.library.remove("c7"), lambda: models.shelf.row("c7") is None),
        ("long again", lambda: models.library.open(LONG_ID), lambda: models.library.current_id == LONG_ID),
    ):
        heart = Heart()
        act()
        wait_until(is_done)
        live(1000)
        heart.stop(name)
        models.search.look_for("")


def find(desk: Desk) -> None:
    """Count words in the open conversation for the first time, and again."""
    finding = desk.models.finding
    for word in ("coffee", "total"):
        heart, began = Heart(), time.perf_counter()
        finding.look_for(word, None)
        while finding.count_line == "…":
            live(4)
        heart.stop("finding")
        print(f"{'':10} {finding.count_line} after {time.perf_counter() - began:.2f} s")
    finding.close()


def long_answer(desk: Desk, num_characters: int) -> None:
    """Open a conversation of one very long answer."""
    turns = finished_turns(2)
    answer = AnswerTurn(next_place(turns))
    answer.restore([Text((ANSWER + "\n\n") * (num_characters // len(ANSWER)))])
    answer.end(Finished("end_of_turn", Stats(1, 1, 1, 1, 1, 1, 1)))
    heart = Heart()
    show_turns(desk, [*turns, answer])
    live(2000)
    heart.stop("long")
    print(f"{'':10} {len(answer.text):,} characters in one answer")


def longest_code(line: str) -> str:
    """The longest block of such lines that is not shown as plain text."""
    text, num_lines = "", 100
    while True:
        longer = "```python\n" + f"{line}\n" * num_lines
        reader = BlockReader()
        if reader.take(longer, is_complete=False) or reader.tail(longer).is_plain:
            return text
        text, num_lines = longer, num_lines + 50


def any_texts(desk: Desk) -> None:
    """Show each text alone, as a person would who opens it, makes the window narrower and looks for a word."""
    code = {f"code, {length}": longest_code("x" * length) for length in (5, 30, 120)}
    for name, text in ({name: make() for name, make in TEXTS.items()} | code).items():
        turns = finished_turns(2)
        answer = AnswerTurn(next_place(turns))
        answer.restore([Text(text)])
        answer.end(Finished("end_of_turn", Stats(1, 1, 1, 1, 1, 1, 1)))
        heart = Heart()
        show_turns(desk, [*turns, answer])
        view = desk.window.messages.views[-1].text_view
        wait_until(lambda view=view: not view._next.isActive())
        desk.window.resize(1600 - desk.window.width(), desk.window.height())
        wait_until(lambda view=view: not view._next.isActive() and not view._redraw.isActive())
        for term in ("a", "not there"):
            view.mark((term,), 0)
            wait_until(lambda view=view: not view._marks.isActive())
        live(50)  # a short one is shown before the first beat
        heart.stop(name)


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--texts", action="store_true")
    options = parser.parse_args()
    application = DesktopApplication(["cabochon", "-style", "Fusion"])
    collector = Collector(application)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(QSettings(f"{folder}/settings.ini", QSettings.Format.IniFormat))
        engine = [sys.executable, str(ROOT / "tests" / "fake_engine.py"), "rich"]
        if options.load:
            fill_store(Path(folder) / "data", options.turns)
        desk = assemble(engine, Theme(application, settings), settings, Path(folder) / "data")
        desk.open(sample_checkpoint())
        wait_until(lambda: desk.models.model.is_ready)
        if options.load:
            load(desk, large_video(Path(folder) / "film.mp4"), options.seconds)
        elif options.texts:
            any_texts(desk)
        else:
            stream(desk, options.seconds)
            long_conversation(desk, options.turns)
            find(desk)
            long_answer(desk, 100_000)
        desk.close()
    collector.close()


if __name__ == "__main__":
    main()
