"""Markdown as models write it: what is seen of it, settled and while it streams."""

from random import Random

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from app.look.theme import Theme
from app.settings import Settings
from app.text import blocks
from app.text.blocks import BlockReader, Piece, cleaned, definitions_in
from app.widgets.markdown.code_blocks import is_code
from app.widgets.markdown.markdown_document import is_rule, number_of, quote_depth, runs_of, table_of
from app.widgets.markdown.markdown_view import MarkdownView
from tests.app.widgets.fragments import FRAGMENTS
from tests.app.widgets.shown import shown


@pytest.fixture(scope="module")
def plain_theme(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Theme:
    """One theme for all fragments."""
    store = QSettings(str(tmp_path_factory.mktemp("settings") / "settings.ini"), QSettings.Format.IniFormat)
    return Theme(qapp, Settings(store))


def test_markdown_is_shown_as_its_writer_meant_it(plain_theme: Theme) -> None:
    shown_as = {source: shown(Piece(cleaned(source)), plain_theme) for source, _ in FRAGMENTS}
    assert shown_as == dict(FRAGMENTS)
    assert len(shown_as) >= 150


def divisions(source: str) -> set[tuple[str, ...]]:
    """Every way a text is divided between pieces when it stops for a while at each of its letters, and at all."""
    growing = BlockReader()
    grown = [piece.text for end in range(len(source)) for piece in pieces(growing, source[:end], is_complete=False)]
    found = {(*grown, *(piece.text for piece in pieces(growing, source, is_complete=True)))}
    for end in range(len(source)):
        reader = BlockReader()
        before = [piece.text for piece in pieces(reader, source[:end], is_complete=False)]
        found.add((*before, *(piece.text for piece in pieces(reader, source, is_complete=True))))
    return found


def pieces(reader: BlockReader, source: str, *, is_complete: bool) -> list[Piece]:
    found = []
    while piece := reader.take(source, is_complete=is_complete):
        found.append(piece)
    return found


def test_what_streams_ends_as_what_settles(plain_theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "PIECE", 1)  # every finished block is a piece of its own
    kept: dict[str, str] = {}
    for source, seen in FRAGMENTS:
        if definitions_in(source):
            continue  # which are known to all pieces once the text is complete
        for division in divisions(source):
            for text in set(division).difference(kept):
                kept[text] = shown(Piece(text), plain_theme)
            together = " ¶ ".join(filter(None, (kept[text] for text in division)))
            assert together == seen, f"{source!r} was divided into {division!r}"


def looks(view: MarkdownView) -> list[tuple[object, ...]]:
    """The blocks of a text, with what they look like."""
    view.set_all()
    seen: list[tuple[object, ...]] = []
    block = view.document().begin()
    while block.isValid():
        shape = block.blockFormat()
        place = (table_of(block) is not None, quote_depth(block), is_rule(block), is_code(block), number_of(block))
        room = (shape.topMargin(), shape.bottomMargin(), shape.leftMargin(), shape.lineHeight(), shape.headingLevel())
        runs = [(*run[:2], run[2].font().key(), run[2].foreground().color().name()) for run in runs_of(block)]
        seen.append((block.text(), place, room, runs))
        block = block.next()
    return seen


STREAMED = [source for source, _ in FRAGMENTS if "\n\n" in source and not definitions_in(source)] + [
    "a\n\n| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |\n\n---\n\n"
    "| c |\n|---|\n| 3 |\n\n```py\nx\n```\n\n| d |\n|---|\n| 4 |",
    "```py\nx\n```\n\n```\ny\n```\n\n---\n\n```js\nz\n```\n\n    indented\n\nend",
    "# H\n\n## I\n\n---\n\n---\n\n- a\n- b\n\n1. c\n\n   d\n\n2. e\n\n> q\n\n$$x$$\n\n---\n\nend",
]


def test_an_answer_that_streamed_looks_like_the_same_one_opened_later(view: MarkdownView) -> None:
    chance = Random(1)
    for source in STREAMED:
        view.show_markdown("", is_complete=True)
        view.show_markdown(source, is_complete=True)
        opened = looks(view)
        view.show_markdown("", is_complete=False)
        stops = {*(source.find("\n\n", at) + 3 for at in range(len(source))), chance.randrange(len(source))}
        for end in sorted(stops - {2}):
            view.show_markdown(source[:end], is_complete=False)
            view.set_all()
        view.show_markdown(source, is_complete=True)
        assert looks(view) == opened, source


def test_a_fence_in_markdown_stays_in_it_while_it_streams(plain_theme: Theme) -> None:
    source = "```markdown\n# T\n```python\nx\n```\nmore"
    reader = BlockReader()
    assert pieces(reader, source, is_complete=False) == []
    assert shown(reader.tail(source), plain_theme) == "{markdown}# T ¶ {```python ¶ {x ¶ {``` ¶ {more"
    assert pieces(BlockReader(), source, is_complete=True) == [Piece(source)]
    assert shown(Piece(source), plain_theme) == "{markdown}# T ¶ {```python ¶ {x ¶ more"
