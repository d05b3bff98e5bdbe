"""What a voice says of a document: its sentences, and where each stands. Marks are not spoken, code is only named."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from PySide6.QtGui import QTextBlock, QTextCursor, QTextDocument

from app.text.blocks import uncut
from app.text.sentences import sentences
from app.viewmodels.conversation.parts import Said
from app.viewmodels.conversation.turns import AnswerTurn
from app.viewmodels.speech.aloud import Sentence
from app.widgets.markdown.code_blocks import code_lines, is_code
from app.widgets.markdown.formula_images import written_tex
from app.widgets.markdown.markdown_document import readable_pieces, runs_of

__all__ = ["SpokenPlace", "spoken_answer", "spoken_in", "spoken_selection"]

_CODE = "Code."
_FORMULA = "\ua66e"
"""Stands for a formula while sentences are told apart: a letter that nobody writes."""

_TEX = re.compile(r"\\([A-Za-z]+)|[\\${}()\[\]]")


@dataclass(frozen=True)
class SpokenPlace:
    """A sentence, and its positions in the document."""

    text: str
    start: int
    end: int


def spoken_answer(turn: AnswerTurn) -> Iterator[Sentence]:
    """What is said of an answer, whether it is shown or not: its texts, without thoughts and tools."""
    for index, part in enumerate(turn.parts):
        if isinstance(part, Said):
            for number, text in enumerate(_spoken_texts(part.text)):
                yield Sentence(text, number, index)


def spoken_selection(cursor: QTextCursor, part: int) -> list[Sentence]:
    """What is said of a selection; code that is selected in part is spoken as it is.

    All of it at once: before the last sentence is said its document may be gone.
    """
    document, first, last = cursor.document(), cursor.selectionStart(), cursor.selectionEnd()
    said: list[Sentence] = []
    for number, place in enumerate(spoken_in(document)):
        if place.start >= last:
            break
        if place.end > first:
            is_whole = first <= place.start and place.end <= last
            cut = place.text if is_whole else _selected(document, max(first, place.start), min(last, place.end))
            said.append(Sentence(cut, number, part))
    return said


def _spoken_texts(source: str) -> Iterator[str]:
    for piece in readable_pieces(source):
        if isinstance(piece, str):
            text = piece.replace("\u2028", "\n")
            yield from (_worded(text[start:end], []) for start, end in sentences(text))
        else:
            yield from (place.text for place in spoken_in(piece))


def spoken_in(document: QTextDocument) -> Iterator[SpokenPlace]:
    """The sentences of what is shown; as many, in the same order, whether formulas are drawn yet or not."""
    block = document.begin()
    while block.isValid():
        if is_code(block):
            last = code_lines(block)[-1]
            yield SpokenPlace(_CODE, block.position(), last.position() + last.length() - 1)
            block = last.next()
        else:
            yield from _spoken_in_block(block)
            block = block.next()


def _spoken_in_block(block: QTextBlock) -> Iterator[SpokenPlace]:
    letters: list[str] = []
    formulas: list[str] = []
    places: list[int] = []
    whole = block.text().encode("utf-16-le", "surrogatepass")
    for start, end, style in runs_of(block):
        written = written_tex(style)
        if written:
            formulas.append(written)
            letters.append(_FORMULA)
            places.append(start)
            continue
        run = whole[2 * start : 2 * end].decode("utf-16-le", "surrogatepass").replace("\u2028", "\n")
        widths = (1 + (letter > "\uffff") for letter in run[:-1])
        places += accumulate(widths, initial=start)
        letters.append(run.replace(_FORMULA, " "))
    places.append(len(whole) // 2)
    text = "".join(letters)
    waiting = iter(formulas)
    for first, last in sentences(text):
        inside = [next(waiting) for _ in range(text.count(_FORMULA, first, last))]
        yield SpokenPlace(
            _worded(text[first:last], inside), block.position() + places[first], block.position() + places[last]
        )


def _worded(text: str, formulas: list[str]) -> str:
    """A sentence with its formulas as the words and letters that they are written in."""
    pieces = uncut(text).split(_FORMULA)
    words = [pieces[0]]
    for formula, piece in zip(formulas, pieces[1:], strict=False):
        words += [_TEX.sub(lambda found: f" {found[1] or ''} ", formula), piece]
    return " ".join("".join(words).split())


def _selected(document: QTextDocument, start: int, end: int) -> str:
    cursor = QTextCursor(document)
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    return " ".join(uncut(cursor.selectedText()).replace("\ufffc", " ").split())
