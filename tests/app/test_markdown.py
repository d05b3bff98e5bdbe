"""Growing Markdown: what settles, which line breaks stay, and that nothing a text mentions is ever loaded."""

import socket
import threading
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtGui import QTextBlockFormat, QTextDocument, QTextFormat
from pytestqt.qtbot import QtBot

from app.icons import Icons
from app.paths import ICONS
from app.theme import Theme
from app.viewmodels.markdown import LINE_BREAK_MARK, keep_line_breaks, settled_length
from app.widgets.look import Look
from app.widgets.markdown_view import MarkdownView

DOCUMENT = (
    "Start **bold** and `code`.\nsecond line\n\n# Head\n\ntext under it\n\n"
    "```python\ndef f():\n\n    return 1\n```\n\n- one\n- two\n\n  still two\n\n- three\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n> lines\n\n1. first\n2. second\n\nlast paragraph\nwith two lines"
)


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> MarkdownView:
    view = MarkdownView(Look(theme, Icons(ICONS)))
    qtbot.addWidget(view)
    view.resize(500, 100)
    view.show()
    return view


def shape(document: QTextDocument) -> list[tuple[object, ...]]:
    """What can be seen of a document: the text and the kind of each block that has any height."""
    blocks = []
    block = document.begin()
    while block.isValid():
        style = block.blockFormat()
        is_thin = style.lineHeightType() == QTextBlockFormat.LineHeightTypes.FixedHeight.value
        if not is_thin or block.textList() is not None:
            seen = (
                block.text(),
                style.headingLevel(),
                style.intProperty(QTextFormat.Property.BlockQuoteLevel),
                style.hasProperty(QTextFormat.Property.BlockCodeFence),
                block.textList() is not None,
            )
            blocks.append(seen)
        block = block.next()
    return blocks


@pytest.mark.parametrize("end", range(0, len(DOCUMENT), 7))
def test_what_is_settled_is_never_taken_back(end: int) -> None:
    settled = settled_length(DOCUMENT[:end])
    assert settled <= end
    assert settled_length(DOCUMENT[: end + 1], settled) >= settled
    assert settled_length(DOCUMENT[: end + 1]) >= settled


@pytest.mark.parametrize(
    ("whole", "kind"),
    [
        ("```\na\n\nb\n```", "a fence"),
        ("- a\n\n- b\n\n- c", "a list"),
        ("1. a\n\n   more of a\n\n2. b", "a numbered list"),
        ("| a |\n|---|\n| 1 |", "a table"),
    ],
)
def test_blocks_that_belong_together_settle_together(whole: str, kind: str) -> None:
    assert settled_length(whole) == 0, f"{kind} was cut in two"
    assert settled_length(f"{whole}\n\nnext paragraph") == len(whole) + 2


def test_lines_of_a_paragraph_stay_lines() -> None:
    assert keep_line_breaks("a\nb  \nc\\\nd") == LINE_BREAK_MARK.join("abcd")
    assert keep_line_breaks("> a\n> b") == f"> a{LINE_BREAK_MARK}b"
    assert keep_line_breaks("- a\n  b") == f"- a{LINE_BREAK_MARK}b"


@pytest.mark.parametrize(
    "source",
    [
        "# a\nb",
        "- a\n- b",
        "1. a\n2. b",
        "a\n\nb",
        "```\na\nb\n```",
        "| a |\n|---|\n| b |",
        "a\n---",
        "a\n> b",
        "    a\n    b",
    ],
)
def test_lines_that_mean_something_alone_are_left_alone(source: str) -> None:
    assert keep_line_breaks(source) == source


def test_a_table_under_a_line_of_text_keeps_its_header() -> None:
    assert keep_line_breaks("text\na | b\n---|---\n1 | 2") == "text\na | b\n---|---\n1 | 2"


def test_read_text_is_shown_line_by_line(view: MarkdownView) -> None:
    view.show_markdown("**Total:**\n12.40\nThank you", is_complete=True)
    assert view.toPlainText() == "Total:\n12.40\nThank you"


def test_text_that_grew_letter_by_letter_looks_like_the_whole(view: MarkdownView, qtbot: QtBot) -> None:
    for end in range(1, len(DOCUMENT) + 1):
        view.show_markdown(DOCUMENT[:end], is_complete=False)
        if end % 40 == 0:
            view.grab()
    grown = shape(view.document())
    view.show_markdown(DOCUMENT, is_complete=True)
    assert grown == shape(view.document())


def test_finished_blocks_keep_their_selection_while_more_comes(view: MarkdownView) -> None:
    view.show_markdown("first paragraph\n\nsecond", is_complete=False)
    cursor = view.textCursor()
    cursor.setPosition(0)
    cursor.setPosition(5, cursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    view.show_markdown("first paragraph\n\nsecond grows\n\nand third", is_complete=False)
    assert view.textCursor().selectedText() == "first"
    view.show_markdown("first paragraph\n\nsecond grows\n\nand third", is_complete=True)
    assert view.textCursor().selectedText() == "first"


def test_html_is_shown_as_text(view: MarkdownView) -> None:
    source = '<b>not bold</b> <img src="file:///etc/hostname">'
    view.show_markdown(source, is_complete=True)
    assert view.toPlainText() == source


def test_pictures_in_an_answer_are_named_and_never_fetched(view: MarkdownView, tmp_path: Path) -> None:
    red = tmp_path / "red.png"
    Image.new("RGB", (200, 200), "#ff0000").save(red)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.3)
    calls: list[object] = []

    def listen() -> None:
        try:
            calls.append(server.accept())
        except TimeoutError:
            return

    listener = threading.Thread(target=listen)
    listener.start()
    port = server.getsockname()[1]
    source = (
        f"![secret](http://127.0.0.1:{port}/x.png) ![local]({red}) ![url]({red.as_uri()}) ![](data:image/png;base64,AA)"
    )
    view.show_markdown(source[:-3], is_complete=False)
    view.grab()
    view.show_markdown(source, is_complete=True)
    picture = view.grab().toImage()
    listener.join()
    server.close()
    assert not calls, "the view connected to the address of a picture"
    assert "[secret: not loaded]" in view.toPlainText()
    assert "￼" not in view.toPlainText()
    colors = {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)
    }
    assert "#ff0000" not in colors, "the view painted a file that the model named"


def test_code_is_coloured_once_it_is_finished(view: MarkdownView) -> None:
    view.show_markdown('```python\nprint("x")', is_complete=False)
    assert len(foregrounds(view)) == 1
    view.show_markdown('```python\nprint("x")\n```', is_complete=True)
    assert len(foregrounds(view)) > 1


def foregrounds(view: MarkdownView) -> set[str]:
    colors = set()
    iterator = view.document().begin().begin()
    while not iterator.atEnd():
        colors.add(iterator.fragment().charFormat().foreground().color().name())
        iterator += 1
    return colors
