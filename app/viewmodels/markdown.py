"""An answer's Markdown while it still grows: where the open block begins, and which line breaks to keep.

`settled_length` lets a view leave finished blocks alone; `keep_line_breaks` saves the lines of read text,
which Markdown would join; `number_fences` keeps neighbouring code blocks apart, which Qt would join.
"""

import re
from collections.abc import Iterator

__all__ = [
    "FENCE_NUMBER_MARK",
    "FENCE_OPENING",
    "LINE_BREAK_MARK",
    "PIECE",
    "TAB_MARK",
    "block_pieces",
    "has_definitions",
    "keep_line_breaks",
    "number_fences",
    "settled_length",
]

LINE_BREAK_MARK = "\u1680"
"""Stands for a kept line break until the text is parsed: a space to Markdown, and not used in any living script."""

FENCE_NUMBER_MARK = "\x02"
"""Stands between the language of a code block and its number until the text is parsed. No text has it."""

TAB_MARK = "\x05"
"""Stands for a tab in a code block until the text is parsed, which would turn it into blanks. No text has it."""

PIECE = 4000
"""Characters of an answer that are parsed in about 4 ms."""

FENCE_OPENING = re.compile(r"(?:[\s>]|(?:[-*+]|\d{1,9}[.)])\s)*+(`{3,}+(?=[^`]*+$)|~{3,}+)[ \t]*+[^\s`]*+")
"""A line that begins a fence, at any depth of quotes and lists: the fence, and the language behind it."""

_FENCE = re.compile(r" {0,3}(`{3,}+|~{3,}+)")
_LIST_ITEM = re.compile(r"\s*+([-*+]|\d{1,9}[.)])(\s|$)")
_QUOTE = re.compile(r" {0,3}((?:> ?)++)")
_RULE_CELL = re.compile(r":?-++:?")
_OWN_LINE = re.compile(r" {0,3}(#{1,6}(\s|$)|\[[^\]]++\]:)|\s*+(=++|-++)\s*+$|\s*+([-*_]\s*+){3,}+$")
_DEFINITION = re.compile(r"^[ >]*+\[[^\]\n]++\]:", re.MULTILINE)
_ENOUGH_TO_KNOW = 4
"""So many characters of an unfinished line tell what kind of block it begins."""


def has_definitions(source: str) -> bool:
    """Whether a text may define links that another block of it refers to."""
    return bool(_DEFINITION.search(source))


def settled_length(source: str, settled: int = 0) -> int:
    """How much of a growing text is finished blocks, given that `settled` characters already were.

    A block is finished when a blank line and the start of another block follow. Fences, lists and tables stay
    whole, so what comes later never changes how a finished block reads.
    """
    for position in _block_starts(source, settled):
        settled = position
    return settled


def block_pieces(source: str, size: int = PIECE) -> Iterator[str]:
    """A finished text in pieces of whole blocks, each of at least `size` characters, which read alone as together."""
    begin = 0
    for position in () if has_definitions(source) else _block_starts(source, 0):
        if position - begin >= size:
            yield source[begin:position]
            begin = position
    yield source[begin:]


def _block_starts(source: str, settled: int) -> Iterator[int]:
    """Where blocks begin behind finished ones."""
    fence = ""
    in_list = after_blank = False
    is_first = True
    position = settled
    for line in source[settled:].splitlines(keepends=True):
        text = line.rstrip("\r\n")
        is_known = line != text or len(text) >= _ENOUGH_TO_KNOW
        if not fence and after_blank and text.strip() and is_known and _starts_block(text, in_list):
            yield position
            is_first = True
        if is_first and text.strip():
            in_list, is_first = bool(_LIST_ITEM.match(text)), False
        fence = _fence_after(text, fence)
        after_blank = not text.strip()
        position += len(line)


def _starts_block(text: str, in_list: bool) -> bool:
    return not text[0].isspace() and not (in_list and _LIST_ITEM.match(text))


def _fence_after(text: str, fence: str) -> str:
    """The fence that is open after this line, or nothing."""
    mark = _FENCE.match(text)
    if not mark:
        return fence
    if not fence:
        return mark[1]
    closes = mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and text.strip() == mark[1]
    return "" if closes else fence


def number_fences(source: str) -> str:
    """The same Markdown with a mark and a number behind the language of every fence, in lists too, and marks for tabs.

    Only a parser knows for certain what is a fence. A mark at a wrong place ends up in what is read.
    """
    lines = source.split("\n")
    fence, num_fences, margin = "", 0, 0
    for index, text in enumerate(lines):
        opening = FENCE_OPENING.match(text)
        if fence:
            ends = text.strip(" \t>")
            fence = "" if len(ends) >= len(fence) and not ends.strip(fence[0]) else fence
            if not text[:margin].strip(" >"):  # a tab further left is part of how deep the code is
                lines[index] = text[:margin] + text[margin:].replace("\t", TAB_MARK)
        elif opening:
            num_fences += 1
            fence = opening[1]
            margin = opening.start(1)
            lines[index] = f"{text[: opening.end()]}{FENCE_NUMBER_MARK}{num_fences}{text[opening.end() :]}"
    return "\n".join(lines)


def keep_line_breaks(source: str) -> str:
    """The same Markdown with `LINE_BREAK_MARK` wherever a paragraph or a quote goes on in a new line.

    Lines that mean something by standing alone (headings, list items, tables, fences) are left as they are.
    """
    lines: list[list[str]] = []  # each line as the pieces that a kept break joins
    fence = ""
    before: int | None = None  # in how many quotes the paragraph is that the next line may go on
    is_table = False
    for text in source.split("\n"):
        depth, content = _quoted(text)
        was_fenced, fence = bool(fence), _fence_after(content, fence)
        is_table = bool(text.strip()) and (is_table or _is_table_rule(text))
        if was_fenced or fence or is_table:
            if is_table and before is not None and _is_table_rule(text):
                _give_back_header(lines)
            before = None
            lines.append([text])
            continue
        is_plain = _is_plain(content, is_inside=before is not None)
        if is_plain and before == depth:
            lines[-1][-1] = _without_break(lines[-1][-1])
            lines[-1].append(content.strip())
        else:
            lines.append([text])
        before = depth if is_plain or _LIST_ITEM.match(content) else None
    return "\n".join(LINE_BREAK_MARK.join(pieces) for pieces in lines)


def _quoted(text: str) -> tuple[int, str]:
    """How many quotes a line is in, and what it says there."""
    mark = _QUOTE.match(text)
    return (mark[1].count(">"), text[mark.end() :]) if mark else (0, text)


def _is_plain(content: str, *, is_inside: bool) -> bool:
    """Whether a line is part of a paragraph and nothing else."""
    is_indented_code = content.startswith("    ") and not is_inside
    return not (
        not content.strip()
        or is_indented_code
        or _OWN_LINE.match(content)
        or _LIST_ITEM.match(content)
        or _FENCE.match(content)
    )


def _without_break(line: str) -> str:
    """A line without what Markdown breaks it by: blanks or a backslash at its end."""
    return line.rstrip().removesuffix("\\").rstrip()


def _is_table_rule(text: str) -> bool:
    """Whether a line parts the header of a table from its rows."""
    if "|" not in text:
        return False
    row = text.strip().removeprefix("|").removesuffix("|")
    return all(_RULE_CELL.fullmatch(cell.strip()) for cell in row.split("|"))


def _give_back_header(lines: list[list[str]]) -> None:
    """Give the header row of a table its own line back."""
    if len(lines[-1]) > 1:
        lines.append([lines[-1].pop()])
