"""Markdown made ready for Qt's parser.

`cleaned` takes away what looks like our own marks; `keep_line_breaks` saves the lines of read text, which Markdown
would join; `number_fences` keeps neighbouring code blocks apart, which Qt would join; `even_fences` keeps code blocks
inside a block of Markdown in there.
"""

import re
import unicodedata
from typing import NamedTuple

__all__ = [
    "CUT_MARK",
    "FENCE_NUMBER_MARK",
    "FENCE_OPENING",
    "LINE_BREAK_MARK",
    "LIST_ITEM",
    "TAB_MARK",
    "OpenFence",
    "cells_of_rule",
    "cleaned",
    "even_fences",
    "fence_after",
    "fences_after",
    "is_wide",
    "keep_line_breaks",
    "number_fences",
    "quoted",
]

LINE_BREAK_MARK = "\u1680"
"""Stands for a kept line break until the text is parsed: a space to Markdown, and not used in any living script."""

FENCE_NUMBER_MARK = "\x02"
"""Stands between the language of a code block and its number until the text is parsed. No text has it."""

TAB_MARK = "\x05"
"""Stands for a tab in a code block until the text is parsed, which would turn it into blanks. No text has it."""

CUT_MARK = "\u206a"
"""Stands at the end of a plain line that was cut because it is too long: invisible, and deprecated for long."""

FENCE_OPENING = re.compile(r"(?:[\s>]|(?:[-*+]|\d{1,9}[.)])\s)*+(`{3,}+(?=[^`]*+$)|~{3,}+)[ \t]*+[^\s`]*+")
"""A line that begins a fence, at any depth of quotes and lists: the fence, and the language behind it."""

_FENCE = re.compile(r" {0,3}(`{3,}+(?=[^`]*+$)|~{3,}+)[ \t]*+([^\s`]*+)")
_HOLDER = re.compile(r"[`~][ \t]*+(?:markdown|mdx?)(?=\s|$)", re.IGNORECASE)
_HOLDERS = ("markdown", "md", "mdx")
"""Code in these languages may hold fences of its own."""

_DEEPEST = 8
"""So many blocks of Markdown inside each other may hold fences."""

_MOST_UNEVEN = 8
"""So many blocks of Markdown are looked through to the end of the text for a fence that ends them."""

LIST_ITEM = re.compile(r"\s*+([-*+]|\d{1,9}[.)])(\s|$)")
_QUOTE = re.compile(r" {0,3}((?:> ?)++)")
_RULE_CELL = re.compile(r":?-++:?")
_OWN_LINE = re.compile(r" {0,3}(#{1,6}(\s|$)|\[[^\]]++\]:)|\s*+(=++|-++)\s*+$|\s*+([-*_]\s*+){3,}+$")
_OURS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u1680\u2028\u2029\u205f\u206a\ufffc]")
_INSTEAD: dict[int, int | str | None] = {
    **dict.fromkeys(range(0x7F, 0xA0), "\ufffd"),
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    **dict.fromkeys(map(ord, "\x0b\x0c\x85\u2028\u2029"), "\n"),
    **dict.fromkeys(map(ord, f"\r{CUT_MARK}")),
    **dict.fromkeys(map(ord, f"{LINE_BREAK_MARK}\u205f"), " "),
    ord("\ufffc"): "\ufffd",
}


def cleaned(source: str) -> str:
    """A text of strangers without what looks like the app's own marks, each character by itself.

    Control characters are shown as their pictures; other ends of lines become newlines.
    """
    return source.translate(_INSTEAD) if _OURS.search(source) else source


def is_wide(character: str) -> bool:
    """Whether it belongs to a script without spaces between words, as far as its width tells."""
    return character > "\u10ff" and unicodedata.east_asian_width(character) in "WFH"


def fence_after(text: str, fence: str) -> str:
    """The fence that is open after this line, or nothing."""
    mark = _FENCE.match(text)
    if not mark:
        return fence
    if not fence:
        return mark[1]
    closes = mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and text.strip() == mark[1]
    return "" if closes else fence


class OpenFence(NamedTuple):
    """A fence that is not closed yet, and whether what it holds may be fences too."""

    mark: str
    holds_fences: bool


def fences_after(text: str, fences: tuple[OpenFence, ...], *, is_even: bool = True) -> tuple[OpenFence, ...]:
    """The fences that are open after this line, the outermost first.

    One with a language opens inside a block of Markdown, which people and models mean by it; unless `is_even` is
    False, because then the fences of the block do not come out even.
    """
    mark = _FENCE.match(text)
    if not mark:
        return fences
    holds_fences = is_even and len(fences) < _DEEPEST and mark[2].lower() in _HOLDERS
    opened = (*fences, OpenFence(mark[1], holds_fences))
    if not fences:
        return opened
    if mark[1][0] == fences[-1].mark[0] and len(mark[1]) >= len(fences[-1].mark) and text.strip() == mark[1]:
        return fences[:-1]
    return opened if fences[-1].holds_fences and mark[2] else fences


def even_fences(source: str, *, is_growing: bool) -> str:
    """The same Markdown, in which a block of Markdown has longer fences than what it holds, if those come out even."""
    if not _HOLDER.search(source):
        return source
    lines = source.split("\n")
    fence, num_uneven, number = "", 0, 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        end = None
        if opening and not fence and opening[2].lower() in _HOLDERS and num_uneven < _MOST_UNEVEN:
            end, longest = _end_of_holder(lines, number, is_growing=is_growing)
            num_uneven += end is None
            if longest and end is not None:
                more = opening[1][0] * max(0, longest + 1 - len(opening[1]))
                for place in {number, min(end, len(lines) - 1)} if end < len(lines) else {number}:
                    lines[place] = lines[place].replace(opening[1][0], opening[1][0] + more, 1)
        fence = fence_after(lines[number], fence) if end is None else ""
        number = number + 1 if end is None else end + 1
    return "\n".join(lines)


def _end_of_holder(lines: list[str], start: int, *, is_growing: bool) -> tuple[int | None, int]:
    """The line that ends a block of Markdown, and the length of the longest fence in it, 0 for none.

    None where no line does; behind the last line where one may still come.
    """
    fences: tuple[OpenFence, ...] = ()
    longest = 0
    for number in range(start, len(lines)):
        before, fences = fences, fences_after(lines[number], fences)
        if not fences:
            return number, longest
        if len(fences) > len(before) > 0:
            longest = max(longest, len(fences[-1].mark))
    return (len(lines) if is_growing else None), longest


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
    is_table = in_list = False
    for text in source.split("\n"):
        depth, content = quoted(text)
        was_fenced, fence = bool(fence), fence_after(content, fence)
        is_rule = bool(cells_of_rule(content))
        is_table = bool(content.strip()) and (is_table or is_rule)
        if was_fenced or fence or is_table:
            if is_rule and before is not None:
                _give_back_header(lines)
            before = None
            lines.append([text])
            continue
        item = LIST_ITEM.match(content)
        in_list &= before is not None or not content[:1].strip()
        is_word = item is not None and before is not None and not in_list and not _may_interrupt(item[1])
        is_plain = is_word or _is_plain(content, is_inside=before is not None)
        in_list |= item is not None and not is_word
        if is_plain and before == depth:
            lines[-1][-1] = _without_break(lines[-1][-1])
            lines[-1].append(content.strip())
        else:
            lines.append([text])
        before = depth if is_plain or item else None
    return "\n".join(LINE_BREAK_MARK.join(pieces) for pieces in lines)


def quoted(text: str) -> tuple[int, str]:
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
        or LIST_ITEM.match(content)
        or _FENCE.match(content)
    )


def _may_interrupt(bullet: str) -> bool:
    """Whether a list that begins so may begin inside a paragraph; another number is part of a sentence."""
    return not bullet[0].isdecimal() or int(bullet[:-1]) == 1


def _without_break(line: str) -> str:
    """A line without what Markdown breaks it by: blanks or a backslash at its end."""
    return line.rstrip().removesuffix("\\").rstrip()


def cells_of_rule(content: str) -> list[str]:
    """The cells of the line that parts the header of a table from its rows; none for any other line."""
    if "|" not in content:
        return []
    cells = [cell.strip() for cell in content.strip().removeprefix("|").removesuffix("|").split("|")]
    return cells if all(map(_RULE_CELL.fullmatch, cells)) else []


def _give_back_header(lines: list[list[str]]) -> None:
    """Give the header row of a table its own line back."""
    if len(lines[-1]) > 1:
        lines.append([lines[-1].pop()])
