"""What goes to the clipboard of an answer, a part of it and its tables."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor, QTextTable

from app.look.theme import Theme
from app.text.blocks import Piece, cleaned
from app.widgets.markdown.markdown_document import render_markdown
from app.widgets.markdown.markdown_view import MarkdownView
from app.widgets.markdown.selection import Copied, copied_message, copied_selection, copied_table, table_csv
from tests.app.widgets.fragments import FRAGMENTS
from tests.app.widgets.shown import shown

TABLE = '<table border="1" cellspacing="0" cellpadding="4">'


def selected(view: MarkdownView, source: str, first: str = "", last: str = "") -> Copied:
    """What is copied of a text from one word to the end of another, or of all of it."""
    view.show_markdown(source, is_complete=True)
    cursor = QTextCursor(view.document())
    if not first:
        cursor.select(QTextCursor.SelectionType.Document)
    else:
        cursor = view.document().find(first)
        start = cursor.selectionStart()
        end = view.document().find(last).selectionEnd()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    return copied_selection(cursor)


def test_an_answer_is_copied_with_its_markdown_and_html() -> None:
    source = "**bold** and $x<1$\n\n| a | b |\n|---|---|\n| 1<br>2 | `c` |"
    copied = copied_message(source)
    assert copied.text == copied.markdown == source
    assert "<p><strong>bold</strong> and $x&lt;1$</p>" in copied.html
    assert f"{TABLE}\n<thead>" in copied.html
    assert "<td>1<br />\n2</td>\n<td><code>c</code></td>" in copied.html


def test_html_means_the_same_as_what_is_shown() -> None:
    for source, seen in FRAGMENTS:
        made = copied_message(source).html
        assert ("<table" in made) == ("[0,0]" in seen), source
        assert ("<s>" in made) == ("<s|" in seen or "<bs|" in seen), source
        assert not set(made) & set("\x03\x04\x05\x06\x07\x08\x0e\u1680\u205f"), source


def test_a_selection_keeps_numbers_bullets_and_emphasis(view: MarkdownView) -> None:
    source = "intro\n\n7. one **bold**\n8. two\n   - inner\n9. three\n\n- [x] done"
    copied = selected(view, source)
    assert copied.text == "intro\n\n7. one bold\n8. two\n  - inner\n9. three\n- [x] done"
    assert copied.html == (
        '<p>intro</p><ol start="7"><li>one <b>bold</b></li><li>two<ul><li>inner</li></ul></li><li>three</li></ol>'
        "<ul><li>☑ done</li></ul>"
    )
    later = selected(view, source, "two", "three")
    assert later.text == "8. two\n  - inner\n9. three"
    assert later.html.startswith('<ol start="8"><li>two')
    assert selected(view, source, "one", "bold").text == "one bold"
    assert selected(view, source, "ne", "two").text == "ne bold\n8. two"


def test_what_parts_a_table_from_the_text_is_no_line_of_it(view: MarkdownView) -> None:
    copied = selected(
        view, "text\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| c |\n|---|\n| 3 |\n\n---\n\n```\nx\n\ny\n```\n\nend"
    )
    assert copied.text == "text\n\na\tb\n1\t2\n\nc\n3\n\nx\n\ny\n\nend"


def test_a_selection_keeps_code_quotes_headings_and_links(view: MarkdownView) -> None:
    copied = selected(view, "# H\n\n> q **b**\n\n```py\nx < 1\n\ny\n```\n\n[a](https://x.y/?a=1&b) `c` ~~s~~\n\n---")
    assert copied.html == (
        "<h1>H</h1><blockquote><p>q <b>b</b></p></blockquote><pre><code>x &lt; 1\n\ny</code></pre>"
        '<p><a href="https://x.y/?a=1&amp;b">a</a> <code>c</code> <s>s</s></p><hr>'
    )


def test_the_markdown_of_a_selection_is_shown_as_what_was_selected(view: MarkdownView, theme: Theme) -> None:
    for source, seen in FRAGMENTS:
        document = render_markdown(Piece(cleaned(source)), theme, lambda _formula: None, has_foothold=False)
        cursor = QTextCursor(document)
        cursor.select(QTextCursor.SelectionType.Document)
        written = copied_selection(cursor).markdown
        assert shown(Piece(written), theme) == seen, f"{source!r} was copied as {written!r}"


def test_the_markdown_of_a_part_is_written_as_models_write_it(view: MarkdownView) -> None:
    source = (
        "# Head\n\nuse **a `b` c** at $x_1$\n\n"
        "1. one\n   - inner\n\n     ```py\n     f(x)\n     ```\n\n2. two [c](https://d.e)\n\n"
        "> quoted\n>\n> more\n\n| a | b |\n|:-:|--:|\n| x<br>y | `p\\|q` |\n\n- [x] done\n\n---\n\nend"
    )
    assert selected(view, source).markdown == source
    assert selected(view, source, "se", "a b").markdown == "se **a `b`**"
    assert selected(view, source, "inner", "two").markdown == "- inner\n\n  ```py\n  f(x)\n  ```\n\n2. two"
    assert selected(view, source, "f(", "f(").markdown == "f("
    assert selected(view, source, "ead", "use").markdown == "ead\n\nuse"
    assert selected(view, source, "oted", "more").markdown == "> oted\n>\n> more"
    assert selected(view, source, "oted", "oted").markdown == "oted"


def test_a_header_that_says_nothing_is_left_out(view: MarkdownView) -> None:
    source = "> quote\n\n|  |  |\n|---|--:|\n| a | 1 |\n| b | 2 |"
    copied = selected(view, source)
    assert copied.text == "quote\n\na\t1\nb\t2"
    assert copied.markdown == source
    assert "<th>" not in copied.html
    table = next(frame for frame in view.document().rootFrame().childFrames() if isinstance(frame, QTextTable))
    assert table.rows() == 2
    assert table.firstCursorPosition().block() == table.cellAt(0, 0).lastCursorPosition().block(), "an empty line"
    assert table.cellAt(0, 0).format().background().style() == Qt.BrushStyle.NoBrush


def test_only_links_that_may_be_opened_are_copied(view: MarkdownView) -> None:
    source = "[a](javascript:x) [b](file:///etc/passwd) [c](https://d.e)"
    assert selected(view, source).html == '<p>a b <a href="https://d.e">c</a></p>'
    assert "javascript:" not in copied_message(source).html.replace("(javascript:x)", "")


def test_a_long_answer_is_copied_as_it_is_set() -> None:
    assert copied_message("![" * 10_000).html.startswith('<pre class="plain">')
    assert copied_message("\x030\x04 a").html == "<p>␃0␄ a</p>\n"


def test_a_table_is_copied_for_spreadsheets_and_for_pages(view: MarkdownView) -> None:
    view.show_markdown('text\n\n| a | b |\n|---|---|\n| 1, 2 | "x"<br>y |', is_complete=True)
    table = view.document().find("1, 2").currentTable()
    copied = copied_table(table)
    assert copied.text == 'a\tb\n1, 2\t"x"\ny'
    assert (
        copied.html == f"{TABLE}<tr><th>a</th><th>b</th></tr><tr><td>1, 2</td><td>&quot;x&quot;<br>y</td></tr></table>"
    )
    assert table_csv(table) == 'a,b\n"1, 2","""x""\ny"\n'


def test_the_button_over_a_table_copies_it(view: MarkdownView) -> None:
    view.show_markdown("| a | b |\n|---|---|\n| 1 | 2 |", is_complete=True)
    copied: list[Copied] = []
    view.copy_requested.connect(copied.append)
    view.setFocus()
    view.moveCursor(QTextCursor.MoveOperation.End)
    view.moveCursor(QTextCursor.MoveOperation.Up)
    assert view.code_button.isVisible()
    assert view.code_button.accessibleName() == "Copy table"
    view.code_button.click()
    assert copied[0].text == "a\tb\n1\t2"
