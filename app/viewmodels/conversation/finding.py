"""Finding text in the open conversation: where it stands, how often, and which place is looked at."""

import itertools
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.background import SLICE_S, Soon
from app.store.text import composed, search_terms, searchable
from app.text.blocks import plain_pieces
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.conversation.parts import Said, Thought
from app.viewmodels.conversation.tools import ToolRun
from app.viewmodels.conversation.turns import AnswerTurn, Turn

__all__ = ["Finding", "Hit", "occurrences"]

REFRESH_MS = 400
"""While an answer is written it is counted anew so often."""

_BLANKS = str.maketrans(dict.fromkeys("\t\u00a0\u2028\u202f", " "))


@dataclass(frozen=True)
class Hit:
    """One place where the text stands: which hit in which part of a turn."""

    turn: Turn
    part: int
    """Which of an answer's parts; 0 for what a person wrote."""
    number: int


@dataclass
class _Texts:
    """What a reader sees of a turn, in pieces, and how often something stands in it."""

    written: list[str]
    """The text of each part as it was when it was read."""
    read: list[list[str]]
    terms: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()


class Finding(QObject):
    """Finds in messages and thoughts, not in the cards of tools. Marking and scrolling are the widgets' part.

    What is counted is what a reader sees. `read` tells it of an answer's Markdown, piece by piece. A long conversation
    is counted in slices, and what was read once is not read again.

    **Signals:** `changed` (what is found, where, how often, or whether the bar is open), `reached` (Hit, to be
    scrolled to).
    """

    changed = Signal()
    reached = Signal(object)

    def __init__(self, conversation: Conversation, read: Callable[[str], Iterable[str]]) -> None:
        super().__init__()
        self.is_open = False
        self.text = ""
        """What was asked for, as it was typed."""
        self.terms: tuple[str, ...] = ()
        """What is marked: the text as it stands, or each word of a search."""
        self.current: Hit | None = None
        self._conversation = conversation
        self._read = read
        self._known: dict[Turn, _Texts] = {}
        self._places: list[tuple[Turn, int, int]] = []
        """Parts with hits, in order, and how many."""
        self._is_new = False
        """Whether to go to a hit at the end of the count, from `_start` on."""
        self._start: Turn | None = None
        self._is_search = False
        self._job: Iterator[None] | None = None
        self._slices = Soon(self, 0, self._work)
        self._refreshes = QTimer(self, interval=REFRESH_MS)
        self._refreshes.timeout.connect(self._recount)
        conversation.turn_added.connect(self._recount)
        conversation.reset.connect(self._recount)
        conversation.busy_changed.connect(self._recount)
        conversation.opened.connect(self._follow)

    @property
    def count_line(self) -> str:
        """ "3 of 17", "Not found", or an ellipsis while it is counted."""
        if not self.terms:
            return ""
        if self._job is not None:
            return "…"
        if self.current is None:
            return "Not found"
        return f"{self._position(self.current) + 1:,} of {self._total:,}"

    @property
    def can_step(self) -> bool:
        """Whether there is anything to go to."""
        return self.current is not None

    def open(self, seen: Turn | None) -> None:
        """Begin to look for something, at first for what was looked for before."""
        if not self.is_open:
            self.look_for(self.text, seen)

    def close(self) -> None:
        """Mark nothing any more. What was looked for is remembered for the next time."""
        self.is_open = False
        self.terms = ()
        self._job = None
        self._known.clear()
        self._refreshes.stop()
        self.changed.emit()

    def look_for(self, text: str, seen: Turn | None) -> None:
        """Look for a text as it stands, from the present hit on, or else from a turn that is seen."""
        terms = (searchable(text),) if text.strip() else ()
        self._begin(text, terms, self.current.turn if self.is_open and self.current else seen, is_search=False)

    def look_for_words(self, text: str, found: Turn) -> None:
        """Mark every word of a search, and go to one in the turn that it found, if its text has any.

        The search looks also at names of files and at the Markdown that nobody sees.
        """
        self._begin(text, tuple(search_terms(text)), found, is_search=True)

    def step(self, steps: int) -> None:
        """Go so many hits on, round the end; after the bar was closed, begin again where it was."""
        if self.current is not None and not self.is_open:
            self.look_for(self.text, self.current.turn)
        elif self.current is not None and self._total:
            self._go_to((self._position(self.current) + steps) % self._total)

    # --- counting

    def _follow(self) -> None:
        """Another conversation is open: nothing is looked for in an empty one."""
        self.current = None
        if self.is_open and not self._conversation.turns:
            self.close()

    def _begin(self, text: str, terms: tuple[str, ...], start: Turn | None, *, is_search: bool) -> None:
        self.is_open, self.text, self.terms = True, text, terms
        self._is_new, self._start, self._is_search = True, start, is_search
        self._recount()

    def _recount(self) -> None:
        if self.is_open:
            self._job = self._count()
            self._work()
            if self._job is not None:
                self.changed.emit()

    def _work(self) -> None:
        end = time.thread_time() + SLICE_S
        for _ in self._job or ():
            if time.thread_time() > end:
                self._slices.start()
                return
        self.changed.emit()

    def _count(self) -> Iterator[None]:
        turns = list(self._conversation.turns) if self.terms else []
        for turn in turns:
            yield from self._count_in(turn)
        self._known = {turn: self._known[turn] for turn in turns}
        self._places = [
            (turn, part, number) for turn in turns for part, number in enumerate(self._known[turn].counts) if number
        ]
        self._job = None
        if turns and self._conversation.is_busy:
            self._refreshes.start()
        else:
            self._refreshes.stop()
        if self._is_new:
            self._is_new = False
            self._arrive(self._start)
        else:
            self._keep_place()

    def _count_in(self, turn: Turn) -> Iterator[None]:
        known, parts = self._known.get(turn), _parts_of(turn)
        written = [text for text, _ in parts]
        if known is None or known.written != written:
            known = _Texts(written, [])
            for text, is_markdown in parts:
                pieces: list[str] = []
                for piece in self._read(text) if is_markdown else plain_pieces(text):
                    pieces.append(piece)
                    yield
                known.read.append(pieces)
        self._known[turn] = known
        if known.terms != self.terms:
            terms, counts = self.terms, [0] * len(known.read)
            for index, pieces in enumerate(known.read):
                for piece in pieces:
                    counts[index] += len(occurrences(piece, terms))
                    yield
            known.terms, known.counts = terms, tuple(counts)

    # --- where

    @property
    def _total(self) -> int:
        return sum(number for _, _, number in self._places)

    def _position(self, hit: Hit) -> int:
        """How many hits stand before this one."""
        before = 0
        for turn, part, number in self._places:
            if turn is hit.turn and part == hit.part:
                return before + hit.number
            before += number
        return before

    def _go_to(self, position: int) -> None:
        self.current = hit = self._hit_at(position)
        parts = hit.turn.parts if isinstance(hit.turn, AnswerTurn) else []
        for part in parts[hit.part : hit.part + 1]:  # it may be gone by now
            if isinstance(part, Thought) and not part.is_open:
                part.set_open(True)
        self.changed.emit()
        self.reached.emit(hit)

    def _hit_at(self, position: int) -> Hit:
        """The hit that so many stand before; the last one when there are fewer."""
        for turn, part, number in self._places:
            if position < number:
                return Hit(turn, part, position)
            position -= number
        return Hit(turn, part, number - 1)

    def _arrive(self, start: Turn | None) -> None:
        """Go to the first hit from a turn on; when there is none, to the last one before it."""
        self.current = None
        turns = self._conversation.turns
        earlier = set(turns[: turns.index(start)]) if start in turns else set()
        before = sum(number for turn, _, number in self._places if turn in earlier)
        if not self._places:
            if self._is_search:
                self.close()
        elif self._is_search and self._hit_at(before).turn is not start:
            self.current = self._hit_at(before)
        else:
            self._go_to(before)

    def _keep_place(self) -> None:
        """Stay at the hit that is looked at; when it is gone, at one near it, without scrolling."""
        hit, self.current = self.current, None
        here = {(turn, part): number for turn, part, number in self._places}
        if hit is not None and (hit.turn, hit.part) in here:
            self.current = Hit(hit.turn, hit.part, min(hit.number, here[hit.turn, hit.part] - 1))
        elif self._places:
            self.current = self._hit_at(self._total)


def _parts_of(turn: Turn) -> list[tuple[str, bool]]:
    """The text of each part, and whether it is Markdown; nothing is looked for in the cards of tools."""
    if isinstance(turn, AnswerTurn):
        texts = ["" if isinstance(part, ToolRun) else part.text for part in turn.parts]
        return [(text, isinstance(part, Said)) for text, part in zip(texts, turn.parts, strict=True)]
    return [(turn.text, False)]


def occurrences(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Where terms stand in a text, as (start, end), by the rules of the search: plain text, composed, in any case."""
    if not terms:
        return []
    folded, spans = _fold(text)
    longest_first = sorted((_fold(term)[0] for term in terms), key=len, reverse=True)
    matches = re.compile("|".join(map(re.escape, longest_first))).finditer(folded)
    if spans is None:
        return [match.span() for match in matches]
    return [(spans[match.start()][0], spans[match.end() - 1][1]) for match in matches]


def _fold(text: str) -> tuple[str, list[tuple[int, int]] | None]:
    """The text in the form that is compared, and the span that each character of it comes from; None for itself."""
    text = text.translate(_BLANKS)
    folded = text.casefold()
    spans: list[tuple[int, int]] = []
    start = 0
    if composed(text) == text:
        if len(folded) == len(text):
            return folded, None
        longer = "".join(letter for letter in set(text) if len(letter.casefold()) > 1)  # such as ß, which becomes ss
        for match in re.finditer(rf"[{re.escape(longer)}]|\Z", text):
            spans.extend(itertools.pairwise(range(start, match.start() + 1)))
            spans += [match.span()] * len(match[0].casefold())
            start = match.end()
        return folded, spans
    pieces: list[str] = []
    for end in range(1, len(text) + 1):
        if end == len(text) or not _is_joined(text[end]):
            pieces.append(composed(text[start:end]).casefold())
            spans += [(start, end)] * len(pieces[-1])
            start = end
    return "".join(pieces), spans


def _is_joined(letter: str) -> bool:
    """Whether a character may be composed with the one before it."""
    return unicodedata.combining(letter) > 0 or "\u1160" <= letter <= "\u11ff"
