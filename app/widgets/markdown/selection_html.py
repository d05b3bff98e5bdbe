"""A selection as HTML that other programs take: structure and emphasis, no colours and no fonts of ours."""

import html

from PySide6.QtGui import QFont, QTextBlock, QTextCharFormat, QTextDocument, QTextTable

from app.text.html import may_link
from app.widgets.markdown.code_blocks import code_lines, is_code
from app.widgets.markdown.formula_images import written_tex
from app.widgets.markdown.markdown_document import (
    has_header,
    is_header,
    is_numbered,
    is_rule,
    number_of,
    quote_depth,
    table_of,
    task_of,
)

__all__ = ["TABLE", "selection_html"]

TABLE = '<table border="1" cellspacing="0" cellpadding="4">'
"""How a table begins: with lines between its cells, which some programs leave out otherwise."""


def selection_html(document: QTextDocument) -> str:
    """The whole of a document."""
    writer = _Writer()
    block = document.begin()
    while block.isValid():
        block = writer.write(block)
    return writer.end()


class _Writer:
    """Writes block after block; the lists that are open are closed when something else comes."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._lists: list[str] = []

    def end(self) -> str:
        """All that was written."""
        self._close_lists(0)
        return "".join(self._pieces)

    def write(self, block: QTextBlock) -> QTextBlock:
        """Write what begins with a block; the block that follows it."""
        table = table_of(block)
        if table is not None:
            self._close_lists(0)
            self._pieces.append(_table(table))
            return table.lastCursorPosition().block().next()
        if is_code(block):
            self._close_lists(0)
            lines = code_lines(block)
            code = html.escape("\n".join(line.text() for line in lines))
            self._pieces.append(f"<pre><code>{code}</code></pre>")
            return lines[-1].next()
        if block.textList() is not None:
            self._write_item(block)
        elif block.text() or is_rule(block):
            self._close_lists(0)
            self._pieces.append("<hr>" if is_rule(block) else _paragraph(block))
        return block.next()

    def _write_item(self, block: QTextBlock) -> None:
        items = block.textList()
        tag, depth = "ol" if is_numbered(items) else "ul", max(items.format().indent(), 1)
        self._close_lists(depth)
        if len(self._lists) == depth and self._lists[-1] != tag:
            self._close_lists(depth - 1)
        if len(self._lists) == depth:
            self._pieces.append("</li>")
        while len(self._lists) < depth:
            start = number_of(block).rstrip(".)")
            self._pieces.append(f'<ol start="{start}">' if tag == "ol" and start else f"<{tag}>")
            self._lists.append(tag)
        box = {True: "☑ ", False: "☐ ", None: ""}[task_of(block)]
        self._pieces.append(f"<li>{box}{_inline(block)}")

    def _close_lists(self, depth: int) -> None:
        while len(self._lists) > depth:
            self._pieces.append(f"</li></{self._lists.pop()}>")


def _paragraph(block: QTextBlock) -> str:
    level, depth = block.blockFormat().headingLevel(), quote_depth(block)
    tag = f"h{level}" if level else "p"
    return f"{'<blockquote>' * depth}<{tag}>{_inline(block)}</{tag}>{'</blockquote>' * depth}"


def _table(table: QTextTable) -> str:
    rows = []
    for row in range(table.rows()):
        cells = (table.cellAt(row, column).firstCursorPosition().block() for column in range(table.columns()))
        tag = "th" if has_header(table) and not row else "td"
        rows.append("".join(f"<{tag}>{_inline(cell)}</{tag}>" for cell in cells))
    return TABLE + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def _inline(block: QTextBlock) -> str:
    pieces = []
    runs = block.begin()
    while not runs.atEnd():
        pieces.append(_run(runs.fragment().text(), runs.fragment().charFormat(), is_heading=_is_bold(block)))
        runs += 1
    return "".join(pieces)


def _is_bold(block: QTextBlock) -> bool:
    """Whether all of a block is bold by what it is."""
    return is_header(block) or block.blockFormat().headingLevel() > 0


def _run(text: str, style: QTextCharFormat, *, is_heading: bool) -> str:
    written = html.escape(written_tex(style) or text).replace("\u2028", "<br>")
    kinds = {
        "code": style.fontFixedPitch() and not written_tex(style),
        "s": style.fontStrikeOut(),
        "i": style.fontItalic(),
        "b": style.fontWeight() >= QFont.Weight.Bold and not is_heading,
    }
    for tag, is_so in kinds.items():
        written = f"<{tag}>{written}</{tag}>" if is_so else written
    address = style.anchorHref()
    return f'<a href="{html.escape(address)}">{written}</a>' if may_link(address) else written
