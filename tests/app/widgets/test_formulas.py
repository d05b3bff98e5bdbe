"""Formulas: what is one, how it is drawn, and what strangers' TeX cannot do."""

import pytest
from PySide6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QImage, QTextCursor
from pytestqt.qtbot import QtBot

from app.look.theme import Theme
from app.look.typesetting import Drawing, Formula, Refused, draw_formula
from app.settings import Appearance
from app.text.formulas import put_back, take_formulas
from app.widgets.markdown import formula_images
from app.widgets.markdown.markdown_view import MarkdownView
from tests.app.driving import WAIT_MS


def show(qtbot: QtBot, view: MarkdownView, source: str) -> None:
    """Show a text and wait until its formulas are drawn."""
    view.show_markdown(source, is_complete=True)
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText(), timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("source", "tex"),
    [
        ("a $x^2$ b", ["x^2"]),
        ("$$\nx = 1\n$$", ["x = 1"]),
        (r"\(a_1 * b_2\) and \[x\]", ["a_1 * b_2", "x"]),
        (r"$a \\ b$", [r"a \\ b"]),
        ("| $|x|$ | b |", ["|x|"]),
        ("- item\n  $$x$$", ["x"]),
        ("`code` $x$", ["x"]),
        ("`\\` $x$ `b`", ["x"]),
        (r"\begin{cases*} a \end{cases*}", [r"\begin{cases*} a \end{cases*}"]),
    ],
)
def test_every_way_of_writing_a_formula_is_known(source: str, tex: list[str]) -> None:
    text, formulas = take_formulas(source)
    assert [formula.tex for formula in formulas] == tex
    assert put_back(text, formulas) == source


@pytest.mark.parametrize(
    "source",
    [
        "$5 and $10",
        "costs $5-$10",
        "US$5 or 6$",
        "5$ or 6$",
        "$ x $",
        r"\$x\$",
        "`$x$`",
        "``a ` $x$``",
        "```\n$x$\n\n\\(y\\)\n```",
        "> ```\n> $x$\n> ```",
        "$x",
        "$$",
        r"\(x",
        "$x\n\ny$",
        "- a \\(x\n- b\\) c",
        r"\begin{foo} a \end{foo}",
    ],
)
def test_prices_and_code_are_no_formulas(source: str) -> None:
    assert take_formulas(source) == (source, [])


def test_a_formula_is_a_picture_in_the_colour_of_the_text(view: MarkdownView, theme: Theme, qtbot: QtBot) -> None:
    theme.set_appearance(Appearance.DARK)
    show(qtbot, view, "so $x^2$ is")
    drawn = pictures(view)[0]
    colors = {drawn.pixelColor(x, y).name() for x in range(drawn.width()) for y in range(drawn.height())}
    assert QColor(theme.colors.text).name() in colors
    theme.set_appearance(Appearance.LIGHT)


def pictures(view: MarkdownView) -> list[QImage]:
    found = []
    block = view.document().begin()
    while block.isValid():
        iterator = block.begin()
        while not iterator.atEnd():
            style = iterator.fragment().charFormat()
            if style.isImageFormat():
                found.append(view.document().resource(2, style.toImageFormat().name()))
            iterator += 1
        block = block.next()
    return found


@pytest.mark.parametrize("tex", ["x", r"\frac{a}{b}", r"x_{y_z}", "x^2"])
def test_a_formula_stands_on_the_baseline_of_its_line(view: MarkdownView, qtbot: QtBot, tex: str) -> None:
    show(qtbot, view, f"a ${tex}$")
    line = view.document().begin().layout().lineAt(0)
    (image,) = pictures(view)
    drawing = view._look.typesetter.draw(
        Formula(tex, False, round(view.font().pixelSize() * 1.12), view._look.theme.colors.text, 1.0)
    )
    assert isinstance(drawing, Drawing)
    lowest = max(y for y in range(image.height()) for x in range(image.width()) if image.pixelColor(x, y).alpha() > 60)
    under_baseline = lowest + 1 - (image.height() - line.descent())
    assert under_baseline == pytest.approx(drawing.descent, abs=2)


def test_what_stands_beside_a_formula_does_not_move_it(view: MarkdownView, qtbot: QtBot) -> None:
    """Something tall, also letters of another script, which has a font of its own."""

    def below_the_letter(source: str) -> int:
        show(qtbot, view, source)
        qtbot.waitUntil(lambda: "$" not in view.toPlainText(), timeout=WAIT_MS)
        picture = view.grab().toImage()
        ground = picture.pixelColor(picture.width() - 1, 1)
        lowest = [
            max(
                y
                for y in range(picture.height())
                for x in range(view.cursorRect(place(first)).left(), view.cursorRect(place(first + 1)).left())
                if picture.pixelColor(x, y) != ground
            )
            for first in (0, 2)
        ]
        return lowest[1] - lowest[0]

    def place(position: int) -> QTextCursor:
        cursor = QTextCursor(view.document())
        cursor.setPosition(position)
        return cursor

    tower = "x^{" * 4 + "x" + "}" * 4
    alone = below_the_letter("a $f(x)$")
    assert alone > 0, "its parentheses reach below the line"
    for beside in ("関数は、", f"${tower}$"):
        assert below_the_letter(f"a $f(x)$ {beside}") == pytest.approx(alone, abs=1)


def test_a_font_without_a_descent_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[QFont]()

    class Flat(QFontMetrics):
        def __init__(self, font: QFont) -> None:
            super().__init__(font)
            asked.append(font)
            assert len(asked) < 1000

        def descent(self) -> int:
            return 0

    monkeypatch.setattr(formula_images, "QFontMetrics", Flat)
    font, image = QFont(), QImage(10, 20, QImage.Format.Format_ARGB32)
    font.setPixelSize(14)
    padded, stretched = formula_images._on_baseline(Drawing(image, 7.0), font)
    assert (padded.height(), stretched.pixelSize()) == (20, 14)


def test_copying_gives_the_source_of_a_formula_back(view: MarkdownView, qtbot: QtBot) -> None:
    source = r"so \(\frac{a_1}{b}\) is"
    show(qtbot, view, source)
    view.selectAll()
    view.copy()
    mime = QGuiApplication.clipboard().mimeData()
    assert mime.text() == source
    assert bytes(mime.data("text/markdown").data()).decode().strip() == source


@pytest.mark.parametrize(
    "source",
    [
        "so $p_1$ and $q_1$ are\n\nmore",
        "## Of $p_2$\n\nwords",
        "words\n\n$$\np_3 =\nq_3\n$$\n\nwords",
        "- one $p_4$\n- two **$q_4$**\n\n> $p_5$ quoted\n\n10. $q_5$",
        "words $$p_6$$ words [$q_6$](https://example.com) and `$p_6$`",
        "| a | b |\n|---|---|\n| $p_7$ | $q_7$ |\n\nwords $p_8$",
        "🙂 $p_9$ 🙂 $p_9$ 🙂",
    ],
)
@pytest.mark.parametrize("is_complete", [True, False])
def test_a_formula_drawn_later_stands_as_one_that_was_drawn_before(
    view: MarkdownView, qtbot: QtBot, source: str, is_complete: bool
) -> None:
    view.show_markdown(source, is_complete)
    assert "\ufffc" not in view.toPlainText()
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText() and not view._redraw.isActive(), timeout=WAIT_MS)
    late, settled = view.document().toHtml(), view._settled_end
    view.show_markdown("", is_complete=True)
    view.show_markdown(source, is_complete)
    assert (late, settled) == (view.document().toHtml(), view._settled_end)


def test_formulas_of_the_open_block_leave_the_finished_ones_as_they_are(view: MarkdownView, qtbot: QtBot) -> None:
    view.show_markdown("finished\n\nwords\n\n| a |\n|---|\n| $p_{11}$ |", is_complete=False)
    finished = QTextCursor(view.document().begin())
    finished.insertText("still ")
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText(), timeout=WAIT_MS)
    assert view.toPlainText().startswith("still finished")


def test_what_is_selected_stays_selected_when_formulas_are_drawn(view: MarkdownView, qtbot: QtBot) -> None:
    view.show_markdown("so $p_{10}$ is\n\nthe end", is_complete=True)
    view.moveCursor(QTextCursor.MoveOperation.End)
    view.moveCursor(QTextCursor.MoveOperation.StartOfBlock, QTextCursor.MoveMode.KeepAnchor)
    qtbot.waitUntil(lambda: "\ufffc" in view.toPlainText(), timeout=WAIT_MS)
    assert view.textCursor().selectedText() == "the end"


def test_what_cannot_be_drawn_is_shown_as_it_was_written(view: MarkdownView, qtbot: QtBot) -> None:
    show(qtbot, view, r"good $x$, bad $\frac{1}{$, ugly $\input{/etc/passwd}$")
    assert view.toPlainText() == "good \ufffc, bad $\\frac{1}{$, ugly $\\input{/etc/passwd}$"


@pytest.mark.parametrize(
    "tex", ["x" * 2000, "{" * 400 + "x" + "}" * 400, r"\frac{1}{" * 11 + "x" + "}" * 11, r"\left(" * 40, "&", "\x00"]
)
def test_hostile_tex_is_refused_or_drawn_in_time_and_never_raises(tex: str) -> None:
    result = draw_formula(Formula(tex, False, 16, "#000000", 2.0))
    assert isinstance(result, Refused | Drawing)
    if isinstance(result, Drawing):
        assert max(result.image.width(), result.image.height()) <= 2 * 3000


def test_a_formula_in_code_that_no_fence_shows_stays_code(view: MarkdownView) -> None:
    view.show_markdown("text\n\n    indented $x$ code", is_complete=True)
    assert view.toPlainText() == "text\nindented $x$ code"


def test_a_formula_too_wide_for_the_window_is_made_smaller(view: MarkdownView, qtbot: QtBot) -> None:
    show(qtbot, view, "$$" + " + ".join(f"a_{{{number}}}" for number in range(30)) + "$$")
    view.resize(900, 100)
    wide = view.document().begin().layout().lineAt(0)
    width, height = wide.naturalTextWidth(), wide.height()
    assert width > 450
    view.resize(300, 100)
    narrow = view.document().begin().layout().lineAt(0)
    assert narrow.naturalTextWidth() <= 300
    assert narrow.height() < height
