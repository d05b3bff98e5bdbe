"""Whatever a text holds, it is shown, and the window's thread is never held for long."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import QAbstractEventDispatcher, QObject
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from app.exports.conversation import Entry, Exported
from app.exports.pdf import to_pdf
from app.look.theme import Theme
from app.text.blocks import BlockReader, block_pieces, plain_pieces, uncut
from app.text.markdown import CUT_MARK, FENCE_NUMBER_MARK, LINE_BREAK_MARK, TAB_MARK, cleaned
from app.viewmodels.conversation.turns import AnswerTurn, UserTurn
from app.widgets.chat.answer_view import AnswerView
from app.widgets.markdown.markdown_document import readable_texts
from app.widgets.markdown.markdown_view import MarkdownView
from engine import Message, Role, Text, ThoughtDelta, ThoughtStarted
from tests.app.driving import WAIT_MS, OpenDesk, answer_of, next_place, pane_of, show_turns

MEGABYTE = 1_000_000
MOST_HELD_S = 0.05
"""What the window promises: the thread's own time, on a core that does `usual_work` in `USUAL_S`."""

USUAL_S = 0.004
TRIES = 3
"""What takes long does so each time; what a busy machine adds comes and goes."""

TEXTS: dict[str, Callable[[], str]] = {
    "a line of a megabyte": lambda: "some words of text " * (MEGABYTE // 19),
    "a word of a megabyte": lambda: "w" * MEGABYTE,
    "5,000 tasks": lambda: "- [ ] a task to do\n" * 5000,
    "a table of 20,000 rows": lambda: "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20_000,
    "a table of 1,000 columns": lambda: "|" + "a|" * 1000 + "\n|" + "-|" * 1000 + "\n" + ("|" + "1|" * 1000 + "\n") * 5,
    "stars": lambda: "*a" * 100_000,
    "an unclosed fence": lambda: "```python\n" + "    x = 1  # some line of code\n" * (MEGABYTE // 31),
    "a picture in its address": lambda: "![x](data:image/png;base64," + "A" * 500_000 + ")",
    "quotes in quotes": lambda: ">" * 10_000 + " x",
    "lists in lists": lambda: "\n".join("  " * depth + "- a" for depth in range(1000)),
    "lists in a line": lambda: "- " * 10_000 + "x",
    "short paragraphs": lambda: "a line\n\n" * 100_000,
    "short lines": lambda: "ab\n" * 300_000,
    "marks on a letter": lambda: "a" + "\u0301" * 100_000,
    "from right to left": lambda: "שלום עולם " * 100_000,
    "our own marks": lambda: "\x03" + "9" * 5000 + "\x04 $x$ " + "\x02\x05\u1680\u206a\u2028\ufffc" * 1000,
    "links": lambda: "[a](http://b.c) " * 20_000,
    "rules": lambda: "---\n\n" * 100_000,
}


class Heart(QObject):
    """Notes how much of its own time the thread spends between two moments at which it could hear a person."""

    def __init__(self) -> None:
        super().__init__()
        self.longest_s = 0.0
        self._last = time.thread_time()
        loop = QAbstractEventDispatcher.instance()
        loop.awake.connect(self.beat)
        loop.aboutToBlock.connect(self.beat)

    def beat(self) -> None:
        """The thread is free."""
        now = time.thread_time()
        self.longest_s, self._last = max(self.longest_s, now - self._last), now

    @contextmanager
    def counted(self) -> Iterator[None]:
        """What a test does in here counts as done by a person, at one go."""
        self._last = time.thread_time()
        yield
        self.beat()


def usual_work() -> float:
    """The thread's own seconds for setting a text of 200 short paragraphs."""
    began = time.thread_time()
    document = QTextDocument()
    document.setMarkdown("Some **words** of a text, as `people` write it.\n\n" * 200)
    document.setTextWidth(500)
    document.size()
    return time.thread_time() - began


def assert_never_held(act: Callable[[Heart], None]) -> None:
    """Whatever happens in there, the window could hear a person at least every 50 ms."""
    held = []
    for _ in range(TRIES):
        slowness = max(1.0, statistics.median(usual_work() for _ in range(5)) / USUAL_S)
        heart = Heart()
        act(heart)
        held.append(heart.longest_s / slowness)
        if held[-1] < MOST_HELD_S:
            return
    pytest.fail(f"The window was held for {min(held) * 1000:.0f} ms.")


@pytest.fixture
def view(view: MarkdownView, qtbot: QtBot) -> Iterator[MarkdownView]:
    """The view as the window has it: tall, and a little of it seen."""
    area = QScrollArea()
    qtbot.addWidget(area)
    area.resize(560, 400)
    area.setWidget(view)
    area.show()
    yield view
    area.takeWidget()


@pytest.mark.tour
@pytest.mark.parametrize("name", TEXTS)
def test_any_text_is_shown_at_once_and_the_window_goes_on(name: str, view: MarkdownView, qtbot: QtBot) -> None:
    text = TEXTS[name]()

    def show_and_use(heart: Heart) -> None:
        view.show_markdown("", is_complete=True)
        with qtbot.waitSignal(view.completed, timeout=WAIT_MS):
            with heart.counted():
                view.show_markdown(text, is_complete=True)
            assert view.toPlainText() or not text.strip("-\n")
        with heart.counted():
            view.resize(900 - view.width(), view.height())
        qtbot.waitUntil(lambda: not view._next.isActive() and not view._redraw.isActive(), timeout=WAIT_MS)
        for act in (
            view.selectAll,
            view.createMimeDataFromSelection,
            lambda: view.mark(("a",), 0),
            lambda: view.mark(("not there",), None),
        ):
            with heart.counted():
                act()
        qtbot.waitUntil(lambda: not view._marks.isActive(), timeout=WAIT_MS)

    assert_never_held(show_and_use)


@pytest.mark.parametrize("name", ["an unclosed fence", "a line of a megabyte", "a table of 20,000 rows", "short lines"])
def test_a_text_that_grows_to_a_megabyte_never_stops_the_window(name: str, view: MarkdownView, qtbot: QtBot) -> None:
    text = TEXTS[name]()

    def grow(heart: Heart) -> None:
        view.show_markdown("", is_complete=True)
        for end in range(0, len(text), len(text) // 40):
            with heart.counted():
                view.show_markdown(text[:end], is_complete=False)
            qtbot.wait(1)
        with qtbot.waitSignal(view.completed, timeout=WAIT_MS), heart.counted():
            view.show_markdown(text, is_complete=True)

    assert_never_held(grow)
    view.selectAll()
    assert view.createMimeDataFromSelection().text().strip() == text.strip()


@pytest.mark.parametrize(
    "line", ["x = 1", "    x = 1  # some line of code", "value = function(argument, argument)  # " * 3]
)
def test_the_longest_block_of_code_that_is_set_takes_less_than_the_promise(
    line: str, view: MarkdownView, qtbot: QtBot
) -> None:
    num_lines, is_plain = 100, False
    while not is_plain:
        text = "```python\n" + f"{line}\n" * num_lines
        reader = BlockReader()
        is_plain = bool(reader.take(text, is_complete=False)) or reader.tail(text).is_plain
        num_lines += 0 if is_plain else 50
    text = "```python\n" + f"{line}\n" * (num_lines - 50)

    def show(heart: Heart) -> None:
        view.show_markdown("", is_complete=True)
        with heart.counted():
            view.show_markdown(text, is_complete=False)
        qtbot.wait(1)

    assert_never_held(show)


@pytest.mark.parametrize("name", ["a line of a megabyte", "an unclosed fence", "a table of 1,000 columns", "stars"])
def test_what_is_too_long_to_be_set_is_copied_as_it_was_written(name: str, view: MarkdownView) -> None:
    text = TEXTS[name]()
    view.show_markdown(text, is_complete=True)
    view.set_all()
    assert view.is_partly_plain
    view.selectAll()
    assert view.createMimeDataFromSelection().text().strip() == text.strip()


def test_a_word_says_that_a_text_is_plain(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    for text, is_plain in (("**set**", False), ("before\n\n" + "*a" * 20_000 + "\n\nbehind", True)):
        show_turns(desk, [answer_of(text)])
        (view,) = desk.window.messages.views
        assert isinstance(view, AnswerView)
        view.settle()
        assert view.plain_note.isVisible() == is_plain
        assert view.plain_note.text().startswith("Shown as plain text")


def test_only_the_block_that_is_too_long_is_plain(view: MarkdownView) -> None:
    view.show_markdown("# Head\n\n" + "*a" * 20_000 + "\n\nbehind **bold**", is_complete=True)
    view.set_all()
    assert view.document().begin().blockFormat().headingLevel() == 1
    assert view.toPlainText().endswith("behind bold")


@pytest.mark.parametrize("name", TEXTS)
def test_pieces_lose_nothing_and_none_of_them_costs_much(name: str) -> None:
    text = TEXTS[name]()
    reader = BlockReader()
    end = 0
    while piece := reader.take(text, is_complete=True):
        written = cleaned(text[end : reader.position]).rstrip("\n")
        assert uncut(piece.text).rstrip("\n") == written
        assert len(piece.text) < 150_000
        end = reader.position
    assert end == len(text)


def test_a_growing_text_has_the_same_plain_parts_as_a_finished_one() -> None:
    text = "# Head\n\n" + "word " * 10_000 + "\n\nbehind\n\n" + "```\n" + "code\n" * 9000 + "```\n\nthe end\n\n"
    reader, grown = BlockReader(), ""
    for end in range(0, len(text) + 1, 97):
        while piece := reader.take(text[:end], is_complete=False):
            grown += "p" * piece.is_plain + "m" * (not piece.is_plain)
    assert set(grown) == {"p", "m"}
    finished = [piece.is_plain for piece in block_pieces(text)]
    assert "".join("p" if is_plain else "m" for is_plain in finished).strip("m").count("m") >= 1


def test_a_plain_text_is_cut_only_where_a_line_is_too_long(open_desk: OpenDesk, qtbot: QtBot) -> None:
    assert "".join(plain_pieces("a\nb\n" * 3000)) == "a\nb\n" * 3000
    long = "word " * 20_000
    assert CUT_MARK in "".join(plain_pieces(long))
    assert uncut("".join(plain_pieces(long))) == long
    desk = open_desk(has_engine=False)

    def show(heart: Heart) -> None:
        show_turns(desk, [])
        with heart.counted():
            show_turns(desk, [UserTurn(Message("user", (Text(TEXTS["a word of a megabyte"]()),)), next_place([]))])
        text_view = desk.window.messages.views[-1].text_view
        qtbot.waitUntil(lambda: len(text_view.toPlainText()) >= MEGABYTE, timeout=WAIT_MS)

    assert_never_held(show)
    text_view = desk.window.messages.views[-1].text_view
    text_view.selectAll()
    assert text_view.createMimeDataFromSelection().text() == "w" * MEGABYTE


def test_a_thought_that_grows_without_an_end_of_line_is_cut_too(open_desk: OpenDesk, qtbot: QtBot) -> None:
    desk = open_desk(has_engine=False)
    answer = AnswerTurn(next_place([]), shows_thought=True)
    show_turns(desk, [answer])
    answer.take(ThoughtStarted())
    for _ in range(100):
        answer.take(ThoughtDelta("w" * 1000))
    answer.show()
    view = desk.window.messages.views[-1]
    assert isinstance(view, AnswerView)
    body = pane_of(view).body
    qtbot.waitUntil(lambda: len(uncut(body.toPlainText())) == 100_000, timeout=WAIT_MS)
    assert body.document().blockCount() > 10


@pytest.mark.parametrize(
    "mark", ["\x03", "\x04", FENCE_NUMBER_MARK, TAB_MARK, LINE_BREAK_MARK, CUT_MARK, "\ufffc", "\x00"]
)
def test_text_that_looks_like_our_own_marks_is_text(mark: str, view: MarkdownView, theme: Theme) -> None:
    for text in (
        f"{mark}0\x04 $x$ {mark}7{mark}",
        f"\x03{'9' * 5000}\x04 $x$",
        f"```py{mark}1\n{mark}a\tb\n```\n\n```\n{mark}\n```",
        f"| a{mark} | b |\n|---|---|\n| {mark} | $y$ |",
        f"- {mark}\n\n> {mark}{mark}",
        f"# {mark}\n[{mark}](http://a.b/{mark}) ![{mark}]({mark})",
    ):
        view.show_markdown(text, is_complete=False)
        view.show_markdown(text, is_complete=True)
        view.grab()
        view.selectAll()
        assert "\x03" not in view.createMimeDataFromSelection().text()
        list(readable_texts(text))
    theme.changed.emit()


def test_control_characters_are_seen_and_other_ends_of_lines_are_newlines() -> None:
    assert cleaned("a\x00b\x1bc\x7f") == "a␀b␛c\ufffd"
    assert cleaned("a\r\nb\u2028c\x0cd\te") == "a\nb\nc\nd\te"
    assert cleaned("plain ünïcode 😀") == "plain ünïcode 😀"


@pytest.mark.tour
@pytest.mark.parametrize("role", ["user", "assistant"])
@pytest.mark.parametrize("name", ["a word of a megabyte", "a table of 1,000 columns", "stars", "an unclosed fence"])
def test_any_text_becomes_a_pdf(name: str, role: Role, qapp: QApplication) -> None:
    began = time.thread_time()
    entry = Entry(role, [Text(TEXTS[name]())])
    assert to_pdf(Exported("Any text", [entry]), lambda: None).startswith(b"%PDF")
    assert time.thread_time() - began < 30
