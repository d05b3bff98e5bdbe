"""Markdown as models write it becomes Markdown as a strict parser reads it: the one pass before parsing.

What models write is mostly GitHub's Markdown, and in places neither GitHub's nor anybody's. This pass owns all of the
differences; what it puts in stands for a character until the text is parsed, and `restored` turns it back.
"""

import re
import unicodedata
from bisect import bisect

from app.text.formulas import TexSource, take_formulas
from app.text.markdown import (
    FENCE_OPENING,
    LINE_BREAK_MARK,
    LIST_ITEM,
    TAB_MARK,
    cells_of_rule,
    even_fences,
    is_wide,
    keep_line_breaks,
    quoted,
)

__all__ = ["CODE_MARK", "prepare", "restored"]

_LETTER = "\x06"
"""Looks like a letter to a parser, beside punctuation that would keep stars from being emphasis."""

_TILDE, _PIPE = "\x07", "\x08"
"""A tilde that strikes nothing, and a pipe that parts no cells."""

_EDGE = "\u205f"
"""Looks like the edge of a word to a parser, beside tildes that strike a part of one. `cleaned` leaves none."""

CODE_MARK = "\x0e"
"""Stands right before code in a line, and has the emphasis that Qt's parser takes from the code."""

_CHARACTERS: dict[int, str | None] = {
    ord(_LETTER): None,
    ord(CODE_MARK): None,
    ord(_EDGE): None,
    ord(_TILDE): "~",
    ord(_PIPE): "|",
    ord(TAB_MARK): "\t",
    ord(LINE_BREAK_MARK): "\u2028",
}
_MARKED = re.compile(f"[{''.join(map(chr, _CHARACTERS))}]")

_WHOLE_HOST = re.compile(r"https?://.+\.[a-z]{2,}(?::\d+)?", re.IGNORECASE)
"""A host that a word of a script without spaces may follow."""

_SETEXT = re.compile(r" {0,3}(?:=++|-++)[ \t]*+$")
_ITEM_START = re.compile(r"[ \t]*+(?:[-*+]|\d{1,9}[.)])[ \t]++")
_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_NOTE = re.compile(r"( {0,3})(\[\^[^\]\n]{1,99}\]:)")
_ALERT = re.compile(r"\[!(note|tip|important|warning|caution)\][ \t]*+$", re.IGNORECASE)
"""How GitHub begins a quote that is one."""
_DEFINITION = re.compile(r" {0,3}\[[^\]\n]{1,200}\]:")
_LINK_TEXT = re.compile(r"\[[^\[\]\n]*+\](?=[(\[])")
_PATH = r"[^\s\x00-\x1f<>\"`|\\^\u2018-\u201d\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
_WIDE = "\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_HOST = rf"(?:[^\W_{_WIDE}]|[.:@_-]|%[0-9a-f]{{2}})*+"
_TOKEN = re.compile(
    r"(?P<escape>\\[^\w\s])"
    r"|(?P<code>`++)"
    r"|(?P<break></?br\s{0,3}/?>)"
    r"|(?P<kept><[a-z][a-z0-9+.-]{1,31}:[^\s<>]*+>|\]\(<?[^\s()<>]*+(?:\([^\s()]*+\)[^\s()]*+)*+|www\.[^\s<>]*+)"
    rf"|(?P<address>(?<![A-Za-z0-9\\])https?://[^\W_{_WIDE}]{_HOST}(?:[/?#]{_PATH}*+)?)"
    r"|(?P<tildes>~++)"
    r"|(?P<stars>\*++)"
    r"|(?P<pipe>\|)",
    re.IGNORECASE,
)
_BACKTICKS = re.compile(r"`++")
_LAST = re.compile(r"[ \t]*+(?:[\n|]|$)")
_LEAD = re.compile(r"[\s>]*+(?:(?:[-*+]|\d{1,9}[.)])\s++)?")
_NO_END = "?!.,:;*_~'"
"""What ends a sentence and no address."""


def prepare(source: str, *, is_growing: bool = False) -> tuple[str, list[TexSource]]:
    """The Markdown a parser should read, with a mark in place of each formula, and the formulas by their number.

    `is_growing`: more may come, so that a fence which is open may still be closed.
    """
    text, formulas = take_formulas(even_fences(source, is_growing=is_growing))
    rewriter = _Rewriter()
    for line in text.split("\n"):
        rewriter.read(line)
    return keep_line_breaks(rewriter.end()), formulas


def restored(text: str) -> str:
    """What was parsed, with the characters that marks stood for."""
    return text.translate(_CHARACTERS) if _MARKED.search(text) else text


class _Rewriter:
    """Reads lines, and gives them back with the differences taken care of that one line or one paragraph can tell."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._paragraph: list[str] = []
        self._depth = 0
        """In how many quotes the paragraph or the table is."""
        self._fence = ""
        self._num_columns = 0
        """Of the table that goes on; 0 where none does."""
        self._in_list = False
        self._margin = 0
        """Columns before the text of the last list item."""

    def end(self) -> str:
        """All that was read."""
        self._end_paragraph()
        return "\n".join(self._lines)

    def read(self, text: str) -> None:
        """Read the next line."""
        if self._fence:
            ends = text.strip(" \t>")
            self._fence = "" if len(ends) >= len(self._fence) and not ends.strip(self._fence[0]) else self._fence
            self._lines.append(text)
            return
        depth, content = quoted(text)
        opening = FENCE_OPENING.match(text)
        if self._num_columns and not self._goes_on(depth, content):
            self._num_columns = 0
        elif self._num_columns and (opening or _HEADING.match(content)):
            self._lines.append(">" * depth)
            self._num_columns = 0
        if opening:
            self._end_paragraph()
            self._fence = opening[1]
            self._lines.append(text)
        elif self._num_columns:
            self._lines.append(_inline(text, self._num_columns))
        elif self._paragraph and depth == self._depth and "|" in self._paragraph[-1] and cells_of_rule(content):
            self._begin_table(text, cells_of_rule(content))
        else:
            self._read_text(text, depth, content)

    def _goes_on(self, depth: int, content: str) -> bool:
        """Whether a line is a row of the table, or what Markdown takes for one."""
        return depth == self._depth and bool(content.strip()) and not LIST_ITEM.match(content)

    def _begin_table(self, rule: str, cells: list[str]) -> None:
        """Part the table from the text right before it, and give its rule as many cells as its header has."""
        header = self._paragraph.pop()
        if self._paragraph:
            self._end_paragraph()
            self._lines.append(">" * self._depth)
        self._num_columns = _num_cells(header)
        self._lines.append(_inline(header, self._num_columns))
        if len(cells) != self._num_columns:
            margin = rule[: len(rule) - len(rule.lstrip(" \t>"))]
            cells = [*cells, *["---"] * self._num_columns][: self._num_columns]
            rule = f"{margin}|{'|'.join(cells)}|"
        self._lines.append(rule)

    def _read_text(self, text: str, depth: int, content: str) -> None:
        is_item = bool(LIST_ITEM.match(content))
        if is_item or not content.strip() or depth != self._depth or _HEADING.match(content):
            self._end_paragraph()
        is_first = not self._paragraph
        self._in_list = is_item or (self._in_list and (not is_first or not content[:1].strip()))
        self._depth = depth
        item = _ITEM_START.match(content) if is_item else None
        self._margin = len(item[0].expandtabs(4)) if item else self._margin * self._in_list
        is_indented_code = is_first and not is_item and content.expandtabs(4).startswith(" " * (self._margin + 4))
        if not content.strip() or is_indented_code or (_DEFINITION.match(content) and not _NOTE.match(content)):
            self._end_paragraph()
            self._lines.append(text)
        elif is_first and depth and (alert := _ALERT.match(content)):
            self._paragraph.append(f"{text[: text.index('[')]}**{alert[1].capitalize()}**")
        elif _NOTE.match(content):
            self._paragraph.append(text.replace("[^", "\\[^", 1))
        else:
            self._paragraph.append(text)
            if _HEADING.match(content) or (not is_first and _SETEXT.match(content)):
                self._end_paragraph()

    def _end_paragraph(self) -> None:
        if self._paragraph:
            self._lines.append(_inline("\n".join(self._paragraph)))
            self._paragraph.clear()


def _inline(text: str, num_columns: int = 0) -> str:
    """A paragraph, or a row of a table of so many columns, as a strict parser reads what was meant."""
    pieces, pipes = _pieces(text, is_row=num_columns > 0)
    if num_columns:
        begins, ends = _has_ends(text)
        more = pipes[num_columns - 1 + begins :]
        for place in more[:-1] if ends else more:
            pieces[place] = _PIPE
    return "".join(pieces)


def _num_cells(text: str) -> int:
    return len(_pieces(text, is_row=True)[1]) + 1 - sum(_has_ends(text))


def _has_ends(text: str) -> tuple[bool, bool]:
    """Whether a row begins and ends with a pipe."""
    row = _LEAD.sub("", text, count=1).rstrip()
    return row.startswith("|"), row.endswith("|") and not row.endswith("\\|") and len(row) > 1


def _pieces(text: str, *, is_row: bool) -> tuple[list[str], list[int]]:
    """The text in pieces, each as it should be read, and which of them are pipes that part cells."""
    runs: dict[int, list[int]] = {}
    for run in _BACKTICKS.finditer(text):
        runs.setdefault(len(run[0]), []).append(run.start())
    named = [place for span in _LINK_TEXT.finditer(text) for place in span.span()]  # they lie behind one another
    pieces: list[str] = []
    pipes: dict[int, None] = {}
    at = 0
    is_struck = False
    while token := _TOKEN.search(text, at):
        pieces.append(text[at : token.start()])
        start, at = token.span()
        match token.lastgroup:
            case "code":
                same = runs.get(len(token[0]), ())
                closing = bisect(same, start)
                is_closed = closing < len(same)
                at = same[closing] + len(token[0]) if is_closed else at
                code = CODE_MARK * is_closed + text[start:at]
                pieces.append(code.replace("\\|", _PIPE) if is_row else code)
            case "break":
                is_first = is_row and not pieces[-1].strip() and len(pieces) - 2 in pipes
                pieces.append("" if is_first or _LAST.match(text, at) else LINE_BREAK_MARK)
            case "address":
                is_text = bisect(named, start) % 2 == 1 or _goes_on(token[0], text[at : at + 1])
                address = token[0] if is_text else _address(token[0])
                at = start + len(address)
                pieces.append(address if is_text else f"<{address}>")
            case "tildes":
                pieces.append(_tildes(text, start, at, is_open=is_struck))
                is_struck ^= "~~" in pieces[-1]
            case "stars":
                pieces.append(_stars(text, start, at))
            case "pipe":
                pipes[len(pieces)] = None
                pieces.append("|")
            case _:
                pieces.append(token[0])
    pieces.append(text[at:])
    return pieces, list(pipes)


def _goes_on(address: str, following: str) -> bool:
    """Whether what follows an address may be more of its host, so that it would lead elsewhere without it."""
    is_host = not any(letter in address[8:] for letter in "/?#")
    return following.isalnum() and is_host and not _WHOLE_HOST.fullmatch(address)


def _address(text: str) -> str:
    """An address without what ends the sentence that it stands in, as GitHub's Markdown has it."""
    unopened = {closer: text.count(closer) - text.count(opener) for opener, closer in ("()", "[]", "{}")}
    end = len(text)
    while text[end - 1] in _NO_END or unopened.get(text[end - 1], 0) > 0:
        end -= 1
        if text[end] in unopened:
            unopened[text[end]] -= 1
    return text[:end]


def _stars(text: str, start: int, end: int) -> str:
    """Stars that are emphasis in scripts without spaces too, where punctuation stands inside of them."""
    before, after = _neighbours(text, start, end)
    is_cjk = is_wide(before) or is_wide(after)
    closes = _is_sign(before) and _is_letter(after) and is_cjk
    opens = _is_letter(before) and _is_sign(after) and is_cjk
    return _LETTER * closes + text[start:end] + _LETTER * opens


def _tildes(text: str, start: int, end: int, *, is_open: bool) -> str:
    """Two tildes strike what they are beside, inside a word too; one is a word's own. An end comes before a start."""
    if end - start != 2:
        return _TILDE if end - start == 1 else text[start:end]
    before, after = _neighbours(text, start, end)
    is_cjk = is_wide(before) or is_wide(after)
    opens = _is_letter(after) or (_is_sign(after) and (is_cjk or not _is_letter(before)))
    closes = _is_letter(before) or (_is_sign(before) and (is_cjk or not _is_letter(after)))
    if not opens and not closes:
        return _TILDE * 2
    if closes and (is_open or not opens):
        return "~~" + _EDGE * _is_letter(after)
    return _EDGE * _is_letter(before) + "~~"


def _neighbours(text: str, start: int, end: int) -> tuple[str, str]:
    return text[start - 1 : start] or " ", text[end : end + 1] or " "


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _is_letter(character: str) -> bool:
    return not character.isspace() and not _is_sign(character)
