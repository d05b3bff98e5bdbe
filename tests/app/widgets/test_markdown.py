"""Growing Markdown: what settles, which line breaks stay, and that nothing a text mentions is ever loaded."""

import socket
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import (
    QFont,
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFragment,
    QTextTable,
    QWheelEvent,
)
from pytestqt.qtbot import QtBot

from app.look.theme import Theme
from app.settings import Appearance
from app.text.blocks import BlockReader, block_pieces
from app.text.markdown import FENCE_NUMBER_MARK, LINE_BREAK_MARK, OpenFence, fences_after, keep_line_breaks
from app.widgets.markdown.code_blocks import code_language, code_lines, starts_fence
from app.widgets.markdown.code_scroll import code_offset
from app.widgets.markdown.markdown_document import CODE_PADDING
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.ornaments import card_of
from tests.app.driving import WAIT_MS

DOCUMENT = (
    "Start **bold** and `code`.\nsecond line\n\n# Head\n\ntext under it\n\n"
    "```python\ndef f():\n\n    return 1\n```\n\n- one\n- two\n\n  still two\n\n- three\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n> lines\n\n1. first\n2. second\n\nlast paragraph\nwith two lines"
)


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


def runs_of(block: QTextBlock) -> list[QTextFragment]:
    """The runs of equal format in a block."""
    runs = []
    iterator = block.begin()
    while not iterator.atEnd():
        runs.append(iterator.fragment())
        iterator += 1
    return runs


def settled_length(source: str, reader: BlockReader | None = None) -> int:
    """How much of a growing text is finished blocks."""
    reader = reader or BlockReader()
    while reader.take(source, is_complete=False):
        pass
    return reader.position


@pytest.mark.parametrize("end", range(0, len(DOCUMENT), 7))
def test_what_is_settled_is_never_taken_back(end: int) -> None:
    reader = BlockReader()
    settled = settled_length(DOCUMENT[:end], reader)
    assert settled <= end
    assert settled_length(DOCUMENT[: end + 1], reader) >= settled
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
    view.show_markdown(DOCUMENT, is_complete=True)
    whole = shape(view.document())
    for end in range(len(DOCUMENT) + 1):
        view.show_markdown(DOCUMENT[:end], is_complete=False)
        if end % 40 == 0:
            view.grab()
    qtbot.waitUntil(lambda: shape(view.document()) == whole, timeout=WAIT_MS)


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


def test_code_is_coloured_while_it_grows(view: MarkdownView, qtbot: QtBot) -> None:
    view.show_markdown('```python\nf("x")', is_complete=False)
    qtbot.waitUntil(lambda: colored(view) == ['"x"'], timeout=WAIT_MS)
    view.show_markdown('```python\nf("x")\n1', is_complete=False)
    assert colored(view)[0] == '"x"', "what was coloured stays so"
    qtbot.waitUntil(lambda: colored(view) == ['"x"', "1"], timeout=WAIT_MS)
    view.show_markdown('```python\nf("x")\n1\n```', is_complete=True)
    assert colored(view)[0] == '"x"'
    qtbot.waitUntil(lambda: colored(view) == ['"x"', "1"], timeout=WAIT_MS)


def test_the_card_of_code_at_the_end_is_whole(view: MarkdownView) -> None:
    view.show_markdown("text\n\n```py\nx\n```", is_complete=True)
    card = card_of(code_lines(view.document().lastBlock()), view.width(), 22)
    assert card.bottom() < view.height()


def test_a_long_line_of_code_scrolls_under_its_card(view: MarkdownView) -> None:
    view.show_markdown(f"```\n{'word ' * 60}end\nshort\n```\n\ntext", is_complete=True)
    line = view.document().begin()
    assert line.layout().lineCount() == 1
    before = view.height(), card_of(code_lines(line), view.width(), 0)
    turn_wheel(view, QPoint(40, 20), QPoint(-240, 0))
    assert code_offset(code_lines(line)) > 0
    assert (view.height(), card_of(code_lines(line), view.width(), 0)) == before
    turn_wheel(view, QPoint(40, 20), QPoint(24000, 0))
    assert code_offset(code_lines(line)) == 0
    view.mark(("end",), 0)
    place = view.place_of_hit()
    assert place is not None
    assert 0 < place.left() < place.right() < view.width()
    view.setFocus()
    view.moveCursor(QTextCursor.MoveOperation.Start)
    assert code_offset(code_lines(line)) == 0, "the caret is followed"


def turn_wheel(view: MarkdownView, place: QPoint, angle: QPoint) -> None:
    """Turn the wheel over a place in the view."""
    buttons, keys, phase = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    view.wheelEvent(QWheelEvent(QPointF(place), QPointF(place), QPoint(), angle, buttons, keys, phase, False))


def test_code_beside_a_formula_stands_on_a_ground_as_tall_as_its_letters(
    view: MarkdownView, theme: Theme, qtbot: QtBot
) -> None:
    view.show_markdown(r"`x` $\frac{\frac{a}{b}}{\frac{c}{d}}$", is_complete=True)
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText(), timeout=WAIT_MS)
    picture = view.grab().toImage()
    ground = [y for y in range(view.height()) if picture.pixelColor(1, y).name() == theme.colors.bubble]
    assert 0 < len(ground) < view.height() * 0.75


def test_a_number_stands_on_the_line_of_its_item(view: MarkdownView) -> None:
    view.show_markdown("1. 1", is_complete=True)
    picture = view.grab().toImage()
    edge = round(view.document().begin().layout().lineAt(0).x())

    def lowest(columns: range) -> int:
        rows = range(picture.height() - 1, 0, -1)
        return next(y for y in rows if any(picture.pixelColor(x, y).lightness() < 128 for x in columns))

    caret = 3
    assert lowest(range(edge - 1)) == lowest(range(edge + caret, edge + 20))


def test_colours_stay_while_more_comes_and_over_several_lines(view: MarkdownView, qtbot: QtBot) -> None:
    source = '```python\n"""one\n\ntwo"""\n1\n```\n\nand so'
    view.show_markdown(source, is_complete=False)
    qtbot.waitUntil(lambda: colored(view) == ['"""one', 'two"""', "1"], timeout=WAIT_MS)
    view.show_markdown(source + " more\n\nand more", is_complete=False)
    assert colored(view) == ['"""one', 'two"""', "1"]


def colored(view: MarkdownView) -> list[str]:
    """The pieces of text that have a colour laid over them."""
    pieces = []
    block = view.document().begin()
    while block.isValid():
        pieces += [block.text()[range_.start : range_.start + range_.length] for range_ in block.layout().formats()]
        block = block.next()
    return [piece for piece in pieces if piece.strip()]


@pytest.mark.parametrize("is_complete", [False, True])
@pytest.mark.parametrize("language", ["", "js", "c#"])
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n\n\n"])
def test_code_blocks_in_a_row_stay_apart(view: MarkdownView, language: str, gap: str, is_complete: bool) -> None:
    source = gap.join(f"```{language}\n{code}\n\nend\n```" for code in ("one", "two", "three"))
    view.show_markdown(source, is_complete=is_complete)
    block = view.document().begin()
    starts, languages = [], set()
    while block.isValid():
        if starts_fence(block):
            starts.append([line.text() for line in code_lines(block)])
        languages.add(code_language(block))
        block = block.next()
    assert starts == [["one", "", "end"], ["two", "", "end"], ["three", "", "end"]]
    assert languages == {language}


@pytest.mark.parametrize(
    "source",
    [
        "- x\n\n  ```\n  one\n  ```\n  ```\n  two\n  ```",
        "10. x\n\n    ```\n    one\n    ```\n\n    ```\n    two\n    ```",
    ],
)
def test_code_blocks_in_a_list_item_stay_apart(view: MarkdownView, source: str) -> None:
    view.show_markdown(source, is_complete=True)
    block = view.document().begin()
    starts = []
    while block.isValid():
        starts += [line.text() for line in code_lines(block)] if starts_fence(block) else []
        block = block.next()
    assert starts == ["one", "two"]


def test_each_code_block_is_coloured_as_its_own_language(view: MarkdownView, qtbot: QtBot) -> None:
    view.show_markdown("```text\n1\n```\n```python\n2\n```", is_complete=True)
    qtbot.waitUntil(lambda: colored(view) == ["2"], timeout=WAIT_MS)


@pytest.mark.parametrize(
    "source", ["```not a fence```", "``` a ` b", "~~~ `a`\nx\n~~~", "~~~\n```py\n~~~", "    ```", "a\n    ```b"]
)
def test_no_fence_number_is_ever_seen(view: MarkdownView, source: str) -> None:
    view.show_markdown(source, is_complete=True)
    assert not set(view.toPlainText()) & {FENCE_NUMBER_MARK, "1"}


def test_cards_of_neighbouring_code_blocks_do_not_touch(view: MarkdownView) -> None:
    view.show_markdown("```\none\n```\n```\ntwo\n```", is_complete=True)
    layout = view.document().documentLayout()
    first = view.document().begin()
    gap = layout.blockBoundingRect(first.next()).top() - layout.blockBoundingRect(first).bottom()
    assert gap > 2 * CODE_PADDING


def test_a_fence_in_a_quote_is_code(view: MarkdownView) -> None:
    view.show_markdown("> said\n> ```py\n> one\n>\n> two\n> ```", is_complete=True)
    block = view.document().begin().next()
    assert [line.text() for line in code_lines(block)] == ["one", "", "two"]
    assert code_language(block) == "py"


def test_the_first_cell_after_code_looks_like_the_others(view: MarkdownView) -> None:
    view.show_markdown("```py\nx\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |", is_complete=True)
    (table,) = view.document().rootFrame().childFrames()
    assert isinstance(table, QTextTable)
    first, second = (table.cellAt(0, column).firstCursorPosition() for column in (0, 1))
    assert first.blockFormat().topMargin() == second.blockFormat().topMargin() == 0
    for cursor in (first, second):
        cursor.movePosition(cursor.MoveOperation.Right)
        assert cursor.charFormat().fontWeight() == QFont.Weight.Bold


def test_numbers_of_a_long_list_have_room(view: MarkdownView) -> None:
    def left(source: str) -> float:
        view.show_markdown(source, is_complete=True)
        return view.document().firstBlock().layout().lineAt(0).x() + view.document().firstBlock().blockFormat().indent()

    def numbered(count: int) -> str:
        return "\n".join(f"{number}. item" for number in range(1, count + 1))

    assert left(numbered(9)) < left(numbered(10)) == left(numbered(99)) < left(numbered(100))
    assert left("> 100. quoted") > left("> 1. quoted")
    view.show_markdown(numbered(10), is_complete=True)
    ink = view.grab().toImage()
    row = range(ink.height() - 20, ink.height() - 4)
    background = ink.pixelColor(ink.width() - 2, 2)
    assert all(ink.pixelColor(0, y) == background for y in row), "the number is cut off"


def test_numbers_of_large_text_have_room_too(view: MarkdownView, theme: Theme) -> None:
    theme.set_text_size(200)
    view.show_markdown("8. item", is_complete=True)
    ink = view.grab().toImage()
    beside = ink.width() - 2
    assert all(ink.pixelColor(0, y) == ink.pixelColor(beside, y) for y in range(ink.height())), "the number is cut off"


def test_tasks_are_copied_as_tasks(view: MarkdownView) -> None:
    source = "- [x] done\n- [ ] open\n- other"
    view.show_markdown(source, is_complete=True)
    view.selectAll()
    copied = bytes(view.createMimeDataFromSelection().data("text/markdown").data()).decode()
    assert [line for line in copied.splitlines() if line] == source.splitlines()


@pytest.mark.parametrize(
    "source",
    [
        "| ![x]({address}) | b |\n|---|---|\n| 1 | ![y]({address}) |",
        "[![x]({address})]({address})",
        "![x][far]\n\n[far]: {address}",
        "<img src='{address}'> <iframe src='{address}'></iframe>",
        "$\\includegraphics{{{address}}}$ and $\\href{{{address}}}{{x}}$",
    ],
)
def test_no_way_of_naming_a_picture_loads_it(
    view: MarkdownView, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(MarkdownView, "loadResource", lambda _view, _kind, name: asked.append(name.toString()))
    picture = tmp_path / "red.png"
    Image.new("RGB", (20, 20), "#ff0000").save(picture)
    for address in ("https://example.org/x.png", picture.as_uri(), str(picture)):
        for is_complete in (False, True):
            view.show_markdown(source.replace("{{", "{").replace("}}", "}").replace("{address}", address), is_complete)
            view.grab()
    assert asked == []


def test_a_far_reference_is_repaired_at_the_end(view: MarkdownView) -> None:
    view.show_markdown("[word][far]\n\nmore\n\n[far]: https://example.org", is_complete=False)
    view.show_markdown("[word][far]\n\nmore\n\n[far]: https://example.org", is_complete=True)
    assert view.toPlainText().startswith("word")


def test_a_hidden_view_follows_the_theme_only_when_it_is_shown(view: MarkdownView, theme: Theme) -> None:
    view.show_markdown("```\ncode\n```", is_complete=True)
    size = view.document().begin().begin().fragment().charFormat().font().pixelSize()
    view.hide()
    theme.step_scale(2)
    hidden = view.document().begin().begin().fragment().charFormat().font().pixelSize()
    view.show()
    shown = view.document().begin().begin().fragment().charFormat().font().pixelSize()
    theme.step_scale(0)
    assert size == hidden < shown


NUM_PARTS = 120
LONG = "\n\n".join(
    f"## Part {number}\n\n- one\n- two\n\n```\ncode {number}\n\nmore\n```" for number in range(NUM_PARTS)
)


def test_pieces_are_whole_blocks_and_lose_nothing() -> None:
    pieces = [piece.text for piece in block_pieces(LONG)]
    assert len(pieces) > 4
    assert "".join(pieces) == LONG
    assert all(len(piece) >= 500 for piece in pieces[:-1])
    assert all(piece.count("```") % 2 == 0 for piece in pieces)


def test_every_piece_knows_the_links_that_are_defined_elsewhere(view: MarkdownView) -> None:
    text = "see [it][1]\n\n" * 900 + "[1]: https://example.com"
    view.show_markdown(text, is_complete=True)
    view.set_all()
    assert view.toPlainText() == "\n".join(["see it"] * 900)
    block = view.document().begin()
    while block.isValid():
        addresses = [run.charFormat().anchorHref() for run in runs_of(block)]
        assert addresses == ["", "https://example.com"]
        block = block.next()


def test_a_long_answer_is_set_piece_by_piece_and_reads_as_a_whole(view: MarkdownView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.completed, timeout=WAIT_MS):
        view.show_markdown(LONG, is_complete=True)
        assert "Part 0\n" in view.toPlainText()
        assert f"Part {NUM_PARTS - 1}" not in view.toPlainText()
    text = view.toPlainText()
    assert [line for line in text.split("\n") if line.startswith("Part")] == [f"Part {n}" for n in range(NUM_PARTS)]
    assert text.endswith(f"code {NUM_PARTS - 1}\n\nmore")


def test_blocks_of_markdown_in_each_other_are_followed_down_to_some_depth() -> None:
    fences: tuple[OpenFence, ...] = ()
    depths = []
    for _ in range(1000):
        fences = fences_after("```md", fences)
        depths.append(len(fences))
    assert depths[:5] == [1, 2, 3, 4, 5]
    assert max(depths) < 20, "every line costs as much as there are"


def test_other_text_takes_the_place_of_a_long_one_that_is_being_set(view: MarkdownView, qtbot: QtBot) -> None:
    view.show_markdown(LONG, is_complete=True)
    view.show_markdown("something else", is_complete=True)
    assert not view._next.isActive()
    assert view.toPlainText() == "something else"


def test_a_long_answer_keeps_its_height_while_it_is_set_anew(view: MarkdownView, theme: Theme, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.completed, timeout=WAIT_MS):
        view.show_markdown(LONG, is_complete=True)
    height, meanwhile = view.height(), []
    view.piece_set.connect(lambda: meanwhile.append((f"Part {NUM_PARTS - 1}" in view.toPlainText(), view.height())))
    with qtbot.waitSignal(view.completed, timeout=WAIT_MS):
        theme.set_appearance(Appearance.DARK)
    assert meanwhile[0] == (False, height)
    assert view.height() == height


def test_formulas_in_several_pieces_are_all_drawn(view: MarkdownView, qtbot: QtBot) -> None:
    view.show_markdown("\n\n".join([f"word $x_{{{n}}}$ " + "word " * 200 for n in range(12)]), is_complete=True)
    qtbot.waitUntil(lambda: view.toPlainText().count("\ufffc") == 12, timeout=WAIT_MS)


def test_the_header_of_a_table_stands_as_its_columns_do(view: MarkdownView) -> None:
    view.show_markdown("| a | b | c |\n|---|--:|:-:|\n| 1 | 2 | 3 |", is_complete=True)
    table = next(frame for frame in view.document().rootFrame().childFrames() if isinstance(frame, QTextTable))
    for column in range(3):
        header, below = (table.cellAt(row, column).firstCursorPosition().blockFormat() for row in (0, 1))
        assert header.alignment() == below.alignment()


def test_an_empty_line_of_code_is_as_tall_as_the_others(view: MarkdownView) -> None:
    view.show_markdown("```\none\n\n\ntwo\nthree\n```", is_complete=True)
    layout, block = view.document().documentLayout(), view.document().begin()
    tops = []
    while block.isValid():
        tops.append(layout.blockBoundingRect(block).top())
        block = block.next()
    steps = [after - before for before, after in pairwise(tops[-5:])]
    assert max(steps) - min(steps) <= 1


@pytest.mark.parametrize("source", ["```\n\tx\ty\n```", "- a\n\n  ```\n  \tx\ty\n  ```", "> ```\n> \tx\ty\n> ```"])
def test_tabs_of_code_stay_tabs(view: MarkdownView, source: str) -> None:
    view.show_markdown(source, is_complete=True)
    assert "\tx\ty" in view.toPlainText()


def test_a_fence_that_begins_behind_a_table_takes_nothing_of_it(view: MarkdownView) -> None:
    table = "| a | b |\n|---|---|\n| bread | 4.20 |\n\n"
    for source in (table, table + "```pytho", table + "```python\ntotal", table + "```python\ntotal\n```\n\nend"):
        view.show_markdown(source, is_complete=False)
        assert "bread" in view.toPlainText()
    view.show_markdown(source, is_complete=True)
    assert "bread" in view.toPlainText()
