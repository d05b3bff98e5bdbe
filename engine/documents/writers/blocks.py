"""What a page consists of for its reader: headings, paragraphs, items of lists and tables."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Literal

from engine.documents.cut import CELL_GAP
from engine.documents.paragraphs import join_lines, paragraphs, words_of
from engine.protocol.documents import PageText, ReadingForm, TextLine

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

__all__ = [
    "Block", "Heading", "Item", "Layout", "Paragraph", "Table", "blocks_of", "document_words", "remark",
    "tables_of",
]  # fmt: skip


HEADING, TITLE = 1.3, 1.7
"""Usual line heights of a heading of the second, and of the first level, at the least."""

_BULLET = re.compile(r"[•▪◦‣●■]\s*(?=\S)")


@dataclass(frozen=True)
class Layout:
    """How what was read becomes a text."""

    answers: ReadingForm = "text"
    """The form in which the model wrote what are not lines."""

    lines: Literal["kept", "joined"] = "kept"
    """As on the page, or joined into paragraphs."""
    separator: Literal["form_feed", "heading", "none"] = "form_feed"
    """Between pages."""
    with_running: bool = True
    """Whether headers and footers that repeat are written."""


@dataclass(frozen=True)
class Heading:
    """`level` counts from 1."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    text: str
    """Its lines with line feeds between, where they are kept."""


@dataclass(frozen=True)
class Item:
    """Of a list: a number, or a bullet; `depth` counts from 0."""

    depth: int
    mark: str
    text: str


@dataclass(frozen=True)
class Table:
    rows: tuple[tuple[str, ...], ...]
    """The header first, where there is one."""


Block = Heading | Paragraph | Item | Table


def blocks_of(page: PageText, layout: Layout, words: frozenset[str]) -> list[Block]:
    """What a page says, in order; `words` are those of the whole document."""
    if not page.answer:
        return list(_paragraphs(_wanted(page.lines, layout), layout, words))
    match layout.answers:
        case "markdown":
            return list(_markdown_blocks(page.answer))
        case "table" | "fields":
            return list(tables_of(page, layout.answers)) or [Paragraph(page.answer)]
        case _:
            return [Paragraph(part.strip("\n")) for part in page.answer.split("\n\n") if part.strip()]


def tables_of(page: PageText, form: ReadingForm) -> list[Table]:
    """The tables in what a model wrote of a page, by the form that was asked for."""
    match form:
        case "table":
            return [Table(rows)] if (rows := _csv_rows(page.answer)) else []
        case "fields":
            return [Table(tuple(page.fields.items()))] if page.fields else []
        case "markdown":
            return [block for block in _markdown_blocks(page.answer) if isinstance(block, Table)]
        case _:
            return []


def remark(page: PageText) -> str:
    """What a reader must know about a page, in one sentence; empty where it was read to its end."""
    if page.state in ("done", "empty"):
        return ""
    return page.reason or _REMARKS[page.state]


_REMARKS = {
    "cut_off": "The text ends before the page does.",
    "looped": "The model repeated itself; what it wrote twice was left out.",
    "failed": "This page was not read.",
}


def document_words(pages: Sequence[PageText]) -> frozenset[str]:
    """Every whole word of the document."""
    return words_of(line.text for page in pages for line in page.lines)


def _wanted(lines: Sequence[TextLine], layout: Layout) -> list[TextLine]:
    return [line for line in lines if layout.with_running or not line.is_running]


def _paragraphs(lines: Sequence[TextLine], layout: Layout, words: frozenset[str]) -> Iterator[Block]:
    """Lines of as many cells, one below the other, are a table."""
    usual = _usual_height(lines)
    for num_cells, groups in groupby(paragraphs(lines), lambda group: group[0].text.count(CELL_GAP) + 1):
        alike = list(groups)
        if num_cells > 1 and len(alike) > 1:
            yield Table(tuple(tuple(cell.strip() for cell in row.text.split(CELL_GAP)) for row, *_ in alike))
            continue
        yield from (_paragraph(group, layout, words, usual) for group in alike)


def _paragraph(group: Sequence[TextLine], layout: Layout, words: frozenset[str], usual: float) -> Block:
    """Where lines are joined, higher print that stands alone is a heading, and what begins with a bullet an item."""
    texts = [line.text for line in group]
    if layout.lines == "kept":
        return Paragraph("\n".join(texts))
    text = join_lines(texts, words)
    height = _height(group[0])
    if len(group) == 1 and height > HEADING * usual > 0 and not group[0].is_running and CELL_GAP not in text:
        return Heading(1 if height > TITLE * usual else 2, text)
    bullet = _BULLET.match(text)
    return Item(0, "•", text[bullet.end() :]) if bullet else Paragraph(text)


def _height(line: TextLine) -> float:
    return line.box.bottom - line.box.top if line.box is not None else 0.0


def _usual_height(lines: Sequence[TextLine]) -> float:
    """Of a line of print, as a share of the page; each counts by its length."""
    heights = [_height(line) for line in lines if line.box is not None for _ in range(0, len(line.text), 8)]
    return median(heights) if heights else 0.0


def _csv_rows(text: str) -> tuple[tuple[str, ...], ...]:
    try:
        return tuple(tuple(row) for row in csv.reader(io.StringIO(text.strip(), newline="")) if row)
    except csv.Error:  # a cell longer than any
        return tuple((line,) for line in text.splitlines())


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _markdown_blocks(text: str) -> Iterator[Block]:
    from markdown_it.tree import SyntaxTreeNode

    for node in SyntaxTreeNode(_parser().parse(text)).children:
        yield from _node_blocks(node, 0)


def _node_blocks(node: "SyntaxTreeNode", depth: int) -> Iterator[Block]:
    match node.type:
        case "heading":
            yield Heading(int(node.tag[1:]), _inline(node))
        case "table":
            yield Table(
                tuple(tuple(_inline(cell) for cell in row.children) for part in node.children for row in part.children)
            )
        case "bullet_list" | "ordered_list":
            first = int(node.attrs.get("start", 1))
            for number, item in enumerate(node.children, first):
                yield from _item_blocks(item, depth, f"{number}." if node.type == "ordered_list" else "•")
        case "fence" | "code_block":
            yield Paragraph(node.content.rstrip("\n"))
        case "blockquote":
            for child in node.children:
                yield from _node_blocks(child, depth)
        case "hr":
            pass
        case _:
            yield Paragraph(_inline(node))


def _item_blocks(item: "SyntaxTreeNode", depth: int, mark: str) -> Iterator[Block]:
    for place, child in enumerate(item.children):
        if child.type == "paragraph" and place == 0:
            yield Item(depth, mark, _inline(child))
        else:
            yield from _node_blocks(child, depth + 1)


def _inline(node: "SyntaxTreeNode") -> str:
    """The text of a node without its marks."""
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if not node.children:
        return node.content
    return "".join(map(_inline, node.children))
