"""Whatever a text holds, it is shown, and the window's thread is never held for long."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PySide6.QtCore import QAbstractEventDispatcher, QObject
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from app.exports.conversation import Entry, Exported
from app.exports.pdf import to_pdf
from app.look.theme import Theme
from app.text.blocks import BlockReader, Piece, block_pieces, plain_pieces, uncut
from app.text.markdown import CUT_MARK, FENCE_NUMBER_MARK, LINE_BREAK_MARK, TAB_MARK, cleaned
from app.viewmodels.conversation.turns import AnswerTurn, UserTurn
from app.widgets.chat.answer_view import AnswerView
from app.widgets.chat.user_view import UserView
from app.widgets.markdown import markdown_view, text_view
from app.widgets.markdown.markdown_document import quote_depth, readable_texts
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.selection import LONG_SELECTION
from app.widgets.markdown.text_view import TextView
from engine import Message, Role, Text, ThoughtDelta, ThoughtStarted
from tests.app.any_texts import MEGABYTE, TEXTS
from tests.app.driving import WAIT_MS, OpenDesk, answer_of, next_place, pane_of, show_turns

MOST = {"characters": 150_000, "lines": 1_000, "marks": 4_000, "deep": 32, "pieces": 2, "laid out": 3_000}
"""What the window's thread may do at one go: characters that are set, parsed or searched, lines that are set, marks
that are parsed, quotes and lists in each other, a finished piece and the open one behind it, lines of another width.

How long that takes, `tests/app/bench_streaming.py --texts` measures.
"""

MOST_IN_A_LINE = 25_000
MARKS = "*_`[~<|"


class Turns(QObject):
    """Counts what a view sets, parses and searches between two moments at which the thread could hear a person."""

    def __init__(self, view: MarkdownView | TextView, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._document = view.document()
        self._num_lines = self._document.blockCount()
        self._now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._document.contentsChange.connect(self._count_set)
        if isinstance(view, MarkdownView):
            view.piece_set.connect(lambda: self._now.update(pieces=1))
        loop = QAbstractEventDispatcher.instance()
        loop.awake.connect(self._end)
        loop.aboutToBlock.connect(self._end)
        self._render, self._find = markdown_view.render_markdown, text_view.occurrences
        monkeypatch.setattr(markdown_view, "render_markdown", self._count_parsed)
        monkeypatch.setattr(text_view, "occurrences", self._count_searched)
        monkeypatch.setattr(text_view, "SLICE_S", 0.0)  # one piece a turn, however fast the machine is
        monkeypatch.setattr(markdown_view, "_LONG_S", math.inf)  # every tail, however slow it is

    @contextmanager
    def one(self) -> Iterator[None]:
        """What a test does in here counts as done by a person, at one go."""
        self._end()
        yield
        self._end()

    def lay_out(self) -> None:
        """Another width lays out anew whatever stands in the document."""
        self._now["characters"] += self._document.characterCount()
        self._now["laid out"] += self._document.blockCount()

    def assert_small(self) -> None:
        """Fail if the thread did much at one go."""
        self._end()
        assert {what: number for what, number in self.most.items() if number > MOST[what]} == {}

    def _end(self) -> None:
        self.most |= self._now
        self._now.clear()

    def _count_set(self, position: int, _num_removed: int, num_added: int) -> None:
        self._now["characters"] += num_added
        num_before, self._num_lines = self._num_lines, self._document.blockCount()
        self._now["lines"] += max(self._num_lines - num_before, 0)

    def _count_parsed(self, piece: Piece, *arguments: Any, **options: Any) -> QTextDocument:
        self._now["characters"] += len(piece.text)
        self._now["marks"] += sum(map(piece.text.count, MARKS))
        document = self._render(piece, *arguments, **options)
        block = document.begin()
        while block.isValid():
            items = block.textList()
            depth = quote_depth(block) + (items.format().indent() if items else 0)
            self._now["deep"] = max(self._now["deep"], depth)
            block = block.next()
        return document

    def _count_searched(self, text: str, terms: tuple[str, ...]) -> list[tuple[int, int]]:
        self._now["characters"] += len(text)
        return self._find(text, terms)


def is_idle(view: MarkdownView) -> bool:
    """Whether nothing is left to be set or searched."""
    return not (view._next.isActive() or view._redraw.isActive() or view._marks.isActive())


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
def test_any_text_is_shown_at_once_and_the_window_goes_on(
    name: str, view: MarkdownView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TEXTS[name]()
    turns = Turns(view, monkeypatch)
    with qtbot.waitSignal(view.completed, timeout=WAIT_MS):
        with turns.one():
            view.show_markdown(text, is_complete=True)
        assert view.toPlainText() or not text.strip("-\n")
    with turns.one():
        view.resize(900 - view.width(), view.height())
        turns.lay_out()
    qtbot.waitUntil(lambda: is_idle(view), timeout=WAIT_MS)
    view.selectAll()
    is_long = view.document().characterCount() > LONG_SELECTION
    assert view.createMimeDataFromSelection().hasFormat("text/markdown") != is_long
    for term in ("a", "not there"):
        with turns.one():
            view.mark((term,), 0)
        qtbot.waitUntil(lambda: is_idle(view), timeout=WAIT_MS)
    turns.assert_small()


@pytest.mark.parametrize("name", ["an unclosed fence", "a line of a megabyte", "a table of 20,000 rows", "short lines"])
def test_a_long_text_that_grows_never_stops_the_window(
    name: str, view: MarkdownView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TEXTS[name]()[:300_000]
    turns = Turns(view, monkeypatch)
    for end in range(len(text) // 6, len(text), len(text) // 6):
        with turns.one():
            view.show_markdown(text[:end], is_complete=False)
        qtbot.waitUntil(lambda: is_idle(view), timeout=WAIT_MS)
    with qtbot.waitSignal(view.completed, timeout=WAIT_MS), turns.one():
        view.show_markdown(text, is_complete=True)
    turns.assert_small()
    view.selectAll()
    assert view.createMimeDataFromSelection().text().strip() == text.strip()


@pytest.mark.parametrize("name", ["a line of a megabyte", "an unclosed fence", "a table of 1,000 columns", "stars"])
def test_what_is_too_long_to_be_set_is_copied_as_it_was_written(name: str, view: MarkdownView) -> None:
    text = TEXTS[name]()[:300_000]
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
        assert len(piece.text) < MOST["characters"]
        assert piece.text.count("\n") <= MOST["lines"]
        assert piece.is_plain or sum(map(piece.text.count, MARKS)) <= MOST["marks"]
        assert max(map(len, piece.text.split("\n"))) <= MOST_IN_A_LINE
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


def test_a_plain_text_is_cut_only_where_a_line_is_too_long(
    open_desk: OpenDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "".join(plain_pieces("a\nb\n" * 3000)) == "a\nb\n" * 3000
    long = "word " * 20_000
    assert CUT_MARK in "".join(plain_pieces(long))
    assert uncut("".join(plain_pieces(long))) == long
    desk = open_desk(has_engine=False)
    show_turns(desk, [UserTurn(Message("user", (Text(TEXTS["a word of a megabyte"]()),)), next_place([]))])
    (view,) = desk.window.messages.views
    assert isinstance(view, UserView)
    shown = view.text_view
    assert shown is not None
    assert len(shown.toPlainText()) < MOST["characters"]
    turns = Turns(shown, monkeypatch)
    view.fold(False)
    qtbot.waitUntil(lambda: len(shown.toPlainText()) >= MEGABYTE, timeout=WAIT_MS)
    turns.assert_small()
    shown.selectAll()
    assert shown.createMimeDataFromSelection().text() == "w" * MEGABYTE


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
    entry = Entry(role, [Text(TEXTS[name]())])
    assert to_pdf(Exported("Any text", [entry]), lambda: None).startswith(b"%PDF")
