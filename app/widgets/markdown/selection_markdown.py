"""A selection as Markdown: what it says is shown as it was where it was selected."""

import re
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QTextBlock, QTextCharFormat, QTextTable

from app.text.blocks import uncut
from app.text.formulas import take_formulas
from app.text.html import may_link
from app.widgets.markdown.code_blocks import code_language, code_lines, is_code
from app.widgets.markdown.formula_images import written_tex
from app.widgets.markdown.markdown_document import (
    INLINE_CODE,
    has_header,
    is_header,
    is_rule,
    number_of,
    quote_depth,
    runs_of,
    table_of,
    task_of,
    text_in,
)

__all__ = ["selection_markdown"]

_BACKTICKS = re.compile(r"`++")
_SPECIAL = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|$)|`|(?<!\s)\*|\*(?!\s)|(?<![^\W_])_|_(?![^\W_])|~(?=~)|(?<=~)~|\](?=[(:\[])"
    r"|<(?=[a-zA-Z/!?])|&(?=#?\w{1,32};)"
)
"""What Markdown would take for its own inside of a line."""

_LINE_START = re.compile(
    r"^[ \t]*+(?:\d{1,9}(?=[.)](?:\s|$))|(?=(?:#{1,6}|[-+*])(?:\s|$)|>|=++\s*+$|[-:|]{2,}+\s*+$))", re.MULTILINE
)
"""Up to what Markdown would take for its own at the start of a line."""

_PLAIN_ADDRESS = re.compile(r"[^\s()<>]*+(?:\([^\s()<>]*+\)[^\s()<>]*+)*+")
"""An address that needs nothing around it in a link."""


def selection_markdown(first: QTextBlock, *, is_whole: bool) -> str:
    """The selection from its first block on, which may be a part of the block that it was selected from."""
    writer = _Writer()
    block = first
    if not is_whole and not is_code(block) and table_of(block) is None:
        writer.add(_inline(block), quote_depth(block))
        block = block.next()
    while block.isValid():
        block = writer.write(block)
    return writer.written


class _Writer:
    """Writes block after block, each in the quotes and the items that it is in."""

    def __init__(self) -> None:
        self.written = ""
        self._was_item = False
        self._depth = 0
        """In how many quotes the last block was."""
        self._indents: list[int] = []
        """Columns before the text of the items that are open, the outermost first."""

    def write(self, block: QTextBlock) -> QTextBlock:
        """Write what begins with a block; the block that follows it."""
        table, depth = table_of(block), quote_depth(block)
        margin = self._margin(block.blockFormat().indent())
        if table is not None:
            self.add(_table(table))
            return table.lastCursorPosition().block().next()
        if is_code(block):
            lines = code_lines(block)
            self.add(_fenced("\n".join(line.text() for line in lines), code_language(block)), depth, margin)
            return lines[-1].next()
        if block.textList() is not None:
            self._write_item(block)
        elif is_rule(block):
            self.add("---", depth, margin)
        elif block.text():
            level, said = block.blockFormat().headingLevel(), _inline(block)
            self.add(f"{'#' * level} {said}".replace("\n", "<br>") if level else said, depth, margin)
        return block.next()

    def add(self, text: str, depth: int = 0, margin: str = "", item: str = "") -> None:
        """Add a block in so many quotes, behind the mark of an item or a margin."""
        quotes = f"{'>' * depth} " if depth else ""
        if self.written:
            is_close = bool(item) and self._was_item and depth == self._depth
            self.written += "\n" if is_close else f"\n{'>' * min(depth, self._depth)}\n"
        others = margin + " " * len(item)
        for number, line in enumerate(text.split("\n")):
            self.written += f"\n{quotes}{others}{line}" if number else f"{quotes}{margin}{item}{line}"
        self._depth, self._was_item = depth, bool(item)

    def _write_item(self, block: QTextBlock) -> None:
        depth = max(block.textList().format().indent(), 1)
        del self._indents[depth - 1 :]
        self._indents += [0] * (depth - 1 - len(self._indents))
        margin, mark = self._margin(depth - 1), f"{number_of(block) or '-'} "
        self._indents.append(len(mark))
        box = {True: "[x] ", False: "[ ] ", None: ""}[task_of(block)]
        self.add(box + _inline(block), quote_depth(block), margin, mark)

    def _margin(self, depth: int) -> str:
        return " " * sum(self._indents[:depth])


def _fenced(code: str, language: str) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def _table(table: QTextTable) -> str:
    lines = [] if has_header(table) else ["|  " * table.columns() + "|"]
    for row in range(table.rows()):
        cells = [table.cellAt(row, column).firstCursorPosition().block() for column in range(table.columns())]
        written = (_inline(cell).replace("\n", "<br>") for cell in cells)
        lines.append(f"| {' | '.join(written)} |")
        if not row:
            lines.insert(1, f"|{'|'.join(_rule_of(cell.blockFormat().alignment()) for cell in cells)}|")
    return "\n".join(lines)


def _rule_of(alignment: Qt.AlignmentFlag) -> str:
    if alignment & Qt.AlignmentFlag.AlignHCenter:
        return ":-:"
    return "--:" if alignment & Qt.AlignmentFlag.AlignRight else "---"


class _Run(NamedTuple):
    """A piece of a line as Markdown, and what is around it: stars, tildes, or a bracket with an address behind it."""

    text: str
    marks: frozenset[str]


def _inline(block: QTextBlock) -> str:
    """What a block says, lines in it parted by newlines."""
    is_bold = is_header(block) or block.blockFormat().headingLevel() > 0
    runs = [_run(block, *run, is_bold=is_bold) for run in runs_of(block)]
    for number, run in enumerate(runs):
        if not run.text.strip():  # nothing is emphasized by a blank alone
            beside = [runs[place].marks for place in (number - 1, number + 1) if 0 <= place < len(runs)]
            runs[number] = run._replace(marks=run.marks.intersection(*beside))
    written, opened = "", list[str]()
    for number, run in enumerate([*runs, _Run("", frozenset())]):
        kept = next((place for place, mark in enumerate(opened) if mark not in run.marks), len(opened))
        said = written.rstrip()
        written = said + "".join(map(_end_of, reversed(opened[kept:]))) + written[len(said) :]
        del opened[kept:]
        more = sorted(run.marks.difference(opened), key=lambda mark: (-_extent(runs, number, mark), mark[0] != "["))
        opened += more
        said = run.text.lstrip()
        written += run.text[: len(run.text) - len(said)] + "".join(
            mark[:1] if mark[0] == "[" else mark for mark in more
        )
        written += said
    return written


def _extent(runs: list[_Run], start: int, mark: str) -> int:
    """How many runs from here on have a mark."""
    return next((place for place in range(start, len(runs)) if mark not in runs[place].marks), len(runs)) - start


def _end_of(mark: str) -> str:
    if mark[0] != "[":
        return mark
    address = mark[1:]
    is_plain = _PLAIN_ADDRESS.fullmatch(address)
    return f"]({address})" if is_plain else f"](<{address.replace('<', '%3C').replace('>', '%3E')}>)"


def _run(block: QTextBlock, start: int, end: int, style: QTextCharFormat, *, is_bold: bool) -> _Run:
    text, formula, address = uncut(text_in(block, start, end)), written_tex(style), style.anchorHref()
    kinds = {
        "**": style.fontWeight() >= QFont.Weight.Bold and not is_bold,
        "*": style.fontItalic(),
        "~~": style.fontStrikeOut(),
        f"[{address}": may_link(address) and address not in (text, f"mailto:{text}", f"http://{text}"),
    }
    marks = frozenset(mark for mark, is_so in kinds.items() if is_so)
    if formula:
        return _Run("\n".join(map(str.strip, formula.split("\n"))), marks)
    if style.boolProperty(INLINE_CODE):
        written = _code(text)
    elif may_link(address) and address == text:
        written = f"<{address}>"
    else:
        is_raw = style.fontFixedPitch() or (may_link(address) and f"[{address}" not in marks)
        written = text if is_raw else _escaped(text, is_first=start == 0)
    return _Run(written.replace("|", "\\|") if table_of(block) else written, marks)


def _code(text: str) -> str:
    runs = {len(run) for run in _BACKTICKS.findall(text)}
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    is_padded = "`" in (text[0], text[-1]) or (text[0] == text[-1] == " " and text.strip())
    return f"{fence} {text} {fence}" if is_padded else f"{fence}{text}{fence}"


def _escaped(text: str, *, is_first: bool) -> str:
    """A text in which nothing is taken for Markdown; `is_first`: it begins its line."""
    text = _SPECIAL.sub(r"\\\g<0>", text)
    if take_formulas(text)[1]:
        text = text.replace("$", "\\$")
    first, newline, others = text.partition("\n")
    lines = _LINE_START.sub(r"\g<0>\\", others)
    return (_LINE_START.sub(r"\g<0>\\", first) if is_first else first) + newline + lines
