"""Markdown made ready for Qt's parser.

`cleaned` takes away what looks like our own marks; `keep_line_breaks` saves the lines of read text, which Markdown
would join; `number_fences` keeps neighbouring code blocks apart, which Qt would join.
"""

import re

__all__ = [
    "CUT_MARK",
    "FENCE_NUMBER_MARK",
    "FENCE_OPENING",
    "LINE_BREAK_MARK",
    "LIST_ITEM",
    "TAB_MARK",
    "cleaned",
    "fence_after",
    "keep_line_breaks",
    "number_fences",
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

_FENCE = re.compile(r" {0,3}(`{3,}+|~{3,}+)")
LIST_ITEM = re.compile(r"\s*+([-*+]|\d{1,9}[.)])(\s|$)")
_QUOTE = re.compile(r" {0,3}((?:> ?)++)")
_RULE_CELL = re.compile(r":?-++:?")
_OWN_LINE = re.compile(r" {0,3}(#{1,6}(\s|$)|\[[^\]]++\]:)|\s*+(=++|-++)\s*+$|\s*+([-*_]\s*+){3,}+$")
_OURS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u1680\u2028\u2029\u206a\ufffc]")
_INSTEAD: dict[int, int | str | None] = {
    **dict.fromkeys(range(0x7F, 0xA0), "\ufffd"),
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    **dict.fromkeys(map(ord, "\x0b\x0c\x85\u2028\u2029"), "\n"),
    **dict.fromkeys(map(ord, f"\r{CUT_MARK}")),
    ord(LINE_BREAK_MARK): " ",
    ord("\ufffc"): "\ufffd",
}


def cleaned(source: str) -> str:
    """A text of strangers without what looks like the app's own marks, each character by itself.

    Control characters are shown as their pictures; other ends of lines become newlines.
    """
    return source.translate(_INSTEAD) if _OURS.search(source) else source


def fence_after(text: str, fence: str) -> str:
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
        was_fenced, fence = bool(fence), fence_after(content, fence)
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
        before = depth if is_plain or LIST_ITEM.match(content) else None
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
        or LIST_ITEM.match(content)
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
