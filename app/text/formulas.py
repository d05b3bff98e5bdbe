"""Formulas in an answer: taken out before Markdown is parsed, which would eat their backslashes."""

import re
from dataclasses import dataclass

from app.text.markdown import FENCE_OPENING, LIST_ITEM, cells_of_rule, is_wide, quoted

__all__ = ["FORMULA_MARK", "TexSource", "put_back", "take_formulas"]

FORMULA_MARK = re.compile("\x03([0-9]+)\x04")
"""Stands for a formula until the text is parsed. No text has these characters."""

_TOKEN = re.compile(r"`++|\\[()\[\]\\$`]|\$\$?|\n|\\(?:begin|end)\{[a-zA-Z]{1,20}\*?\}")
_CLOSERS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_MOST_INSIDE = 50
"""So many escapes may stand between two single dollars."""

_PROSE = re.compile(r"(?:^|\s)[A-Za-z]{2,}+(?:\s|$)|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_SIGNS = re.compile(r"[\\^_{}=]")
_ENVIRONMENT = re.compile(
    r"\\begin\{(?:equation|align(?:ed|at)?|gather(?:ed)?|multline|eqnarray|flalign|split|cases|array|"
    r"(?:small|[pbBvV])?matrix)\*?\}"
)
"""What is a formula without any other delimiters."""


@dataclass(frozen=True)
class TexSource:
    """A formula as it was written, and the TeX between its delimiters."""

    written: str
    tex: str
    is_display: bool


def take_formulas(source: str) -> tuple[str, list[TexSource]]:
    """The Markdown with a mark in place of each formula outside code, and the formulas by their number."""
    formulas: list[TexSource] = []
    pieces: list[str] = []
    paragraph: list[str] = []
    fence = ""

    def end_paragraph() -> None:
        pieces.append(_take("".join(paragraph), formulas))
        paragraph.clear()

    for line in source.splitlines(keepends=True):
        opening = FENCE_OPENING.match(line.rstrip("\r\n"))
        if fence:
            pieces.append(line)
            ends = line.strip(" \t>\r\n")
            fence = "" if len(ends) >= len(fence) and not ends.strip(fence[0]) else fence
        elif opening:
            end_paragraph()
            pieces.append(line)
            fence = opening[1]
        else:
            paragraph.append(line)
            if not line.strip():
                end_paragraph()
    end_paragraph()
    return "".join(pieces), formulas


def put_back(text: str, formulas: list[TexSource]) -> str:
    """The same text with every formula as it was written."""
    return FORMULA_MARK.sub(lambda mark: _written(mark, formulas), text)


def _written(mark: re.Match[str], formulas: list[TexSource]) -> str:
    number = int(mark[1])
    return formulas[number].written if number < len(formulas) else mark[0]


def _take(text: str, formulas: list[TexSource]) -> str:
    """Take the formulas out of one paragraph. Every token is looked at once or twice, whatever the text."""
    depth, _ = quoted(text)
    has_table = any(cells_of_rule(quoted(line)[1]) for line in text.split("\n"))
    tokens = list(_TOKEN.finditer(text))
    last = {token[0]: index for index, token in enumerate(tokens)}
    pieces: list[str] = []
    position = index = 0
    while index < len(tokens):
        opening = tokens[index]
        closing = _find_closing(tokens, index, last)
        if closing is None:
            index += 1
            continue
        end = tokens[closing]
        formula = None
        inside = text[opening.end() : end.start()]
        is_meant = opening[0] != "$" or _is_inline(text, opening.end(), end.start())
        if is_meant and (opening[0] not in ("$", "\\(") or _is_in_one_block(inside, has_table=has_table)):
            formula = _read(_unquoted(text[opening.start() : end.end()], depth), opening[0])
        if formula is not None:
            pieces += text[position : opening.start()], f"\x03{len(formulas)}\x04"
            position = end.end()
            formulas.append(formula)
        index = closing + 1 if formula is not None or opening[0] != "$" else index + 1
    pieces.append(text[position:])
    return "".join(pieces)


def _find_closing(tokens: list[re.Match[str]], index: int, last: dict[str, int]) -> int | None:
    """The token that ends the code or the formula which this token may begin."""
    opening = tokens[index][0]
    if opening == "$":
        others = range(index + 1, min(index + _MOST_INSIDE, len(tokens)))
        following = next((other for other in others if tokens[other][0][0] != "\\"), None)
        return following if following is not None and tokens[following][0] == "$" else None
    if opening.startswith("\\begin"):
        closer = f"\\end{opening[6:]}" if _ENVIRONMENT.fullmatch(opening) else ""
    else:
        closer = opening if opening[0] == "`" else _CLOSERS.get(opening, "")
    if last.get(closer, -1) <= index:
        return None
    closers = ("`", "\\`") if closer == "`" else (closer,)  # a backslash means nothing in code
    return next(other for other in range(index + 1, len(tokens)) if tokens[other][0] in closers)


def _read(written: str, opening: str) -> TexSource | None:
    """What stands between delimiters as a formula; None when it is code, a price or nothing."""
    if opening[0] == "`":
        return None
    is_display = opening not in ("$", "\\(")
    tex = written if opening.startswith("\\begin") else written[len(opening) : -len(opening)]
    return TexSource(written, " ".join(tex.split()), is_display) if tex.strip() else None


def _unquoted(written: str, depth: int) -> str:
    """A formula without the marks of the quotes that it is in."""
    if not depth:
        return written
    first, *others = written.split("\n")
    return "\n".join([first, *(quoted(line)[1] for line in others)])


def _is_in_one_block(inside: str, *, has_table: bool) -> bool:
    """Whether what stands between two delimiters is in one item of a list, and in one cell of a table."""
    if has_table and ("\n" in inside or " | " in inside):
        return False
    return not any(LIST_ITEM.match(quoted(line)[1]) for line in inside.split("\n")[1:])


def _is_inline(text: str, start: int, end: int) -> bool:
    """Whether what stands between two single dollars is a formula and not the words between two prices."""
    tex = text[start:end]
    outside = text[max(0, start - 2) : start - 1] + text[end + 1 : end + 2]
    is_tight = bool(tex) and not tex[0].isspace() and not tex[-1].isspace()
    is_apart = not any(letter.isalnum() and not is_wide(letter) for letter in outside)
    return is_tight and is_apart and not (_PROSE.search(tex) and not _SIGNS.search(tex))
