"""Formulas in an answer: taken out before Markdown is parsed, which would eat their backslashes."""

import re
from dataclasses import dataclass

from app.text.markdown import FENCE_OPENING

__all__ = ["FORMULA_MARK", "TexSource", "put_back", "take_formulas"]

FORMULA_MARK = re.compile("\x03([0-9]+)\x04")
"""Stands for a formula until the text is parsed. No text has these characters."""

_TOKEN = re.compile(r"`++|\\[()\[\]\\$`]|\$\$?|\n")
_CLOSERS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_MOST_INSIDE = 50
"""So many escapes may stand between two single dollars."""

_PROSE = re.compile(r"(?:^|\s)[A-Za-z]{2,}+(?:\s|$)")
_SIGNS = re.compile(r"[\\^_{}=]")


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
        if opening[0] != "$" or _is_inline(text, opening.end(), end.start()):
            formula = _read(text[opening.start() : end.end()], opening[0])
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
    closer = opening if opening[0] == "`" else _CLOSERS.get(opening, "")
    if last.get(closer, -1) <= index:
        return None
    return next(other for other in range(index + 1, len(tokens)) if tokens[other][0] == closer)


def _read(written: str, opening: str) -> TexSource | None:
    """What stands between delimiters as a formula; None when it is code, a price or nothing."""
    if opening[0] == "`":
        return None
    tex = written[len(opening) : -len(opening)]
    return TexSource(written, " ".join(tex.split()), is_display=opening in ("$$", "\\[")) if tex.strip() else None


def _is_inline(text: str, start: int, end: int) -> bool:
    """Whether what stands between two single dollars is a formula and not the words between two prices."""
    tex = text[start:end]
    outside = text[max(0, start - 2) : start - 1] + text[end + 1 : end + 2]
    is_tight = bool(tex) and not tex[0].isspace() and not tex[-1].isspace()
    is_apart = not any(letter.isalnum() for letter in outside)
    return is_tight and is_apart and not (_PROSE.search(tex) and not _SIGNS.search(tex))
