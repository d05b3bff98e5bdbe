"""The kept conversations as the sidebar lists them: rows under headings, changed where a conversation changed."""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.background import Lane
from app.store import Store, Summary
from app.viewmodels.conversation.transcript import Transcript
from app.viewmodels.conversation.turns import Turn, UserTurn
from engine import Quote, one_line

__all__ = ["Group", "Shelf", "is_worded_by_person", "shortened", "title_from", "title_of_file", "when"]

MAX_TITLE = 48
_LOOKED_AT = 4_000
"""So many characters of a text are looked at for a title."""

_WORD = re.compile(r"\w")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,500}\)")
_BREAK = re.compile(r"<br\s?/?>", re.IGNORECASE)
_MARKS = re.compile(
    r"^(?:\s*(?:[#*+\-]+\s|>|\d{1,9}[.)]\s))*"
    r"|(?<![0-9A-Za-z_)*])\*++(?=\S)|(?<=[^\s*])\*++(?![0-9A-Za-z_(])"  # but not in 2 * 3, 2*3 and x**2
    r"|`|~~|(?<!\w)_++|(?<!_)_++(?!\w)|\\(?=[^\w\s])"
)

RETRY_MS = 10_000
"""What a full disk refused is tried again so often."""


@dataclass(frozen=True)
class Group:
    """Rows under one heading of the sidebar."""

    name: str
    rows: tuple[Summary, ...]


class Shelf(QObject):
    """Lists, names and pins conversations. `rows` and `groups` are values: other ones take their place.

    What the disk refused is tried again now and then, and the rows follow.

    **Signals:** `changed` (`rows`), `removed` (somebody deleted one, and can still bring it back).
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.rows: tuple[Summary, ...] = ()
        """Pinned ones first, then the newest."""
        self._store = store
        self._lane = Lane()
        self._by_id: dict[str, Summary] = {}
        self._groups: tuple[date, tuple[Group, ...]] = (date.min, ())
        self._retries = QTimer(self, interval=RETRY_MS, timerType=Qt.TimerType.VeryCoarseTimer)
        self._retries.timeout.connect(self._try_again)
        self._retries.start()

    @property
    def groups(self) -> tuple[Group, ...]:
        """The rows by when they were last written in, pinned ones first."""
        today = date.today()
        if self._groups[0] != today:
            self._groups = (today, tuple(_grouped(self.rows, today)))
        return self._groups[1]

    def row(self, conversation_id: str) -> Summary | None:
        """The row of a conversation; None when it is not kept."""
        return self._by_id.get(conversation_id)

    def neighbour(self, conversation_id: str, steps: int) -> str | None:
        """The conversation so many rows further down, stopping at the ends: the first one, if this one has no row."""
        ids = [row.id for row in self.rows]
        index = ids.index(conversation_id) + steps if conversation_id in self._by_id else 0
        return ids[min(max(index, 0), len(ids) - 1)] if ids else None

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a title; an empty one changes nothing."""
        title = " ".join(title.split())[:200]
        if title:
            self._store.set_title(conversation_id, title, is_chosen=True)
            self.refresh(conversation_id)

    def pin(self, conversation_id: str, is_pinned: bool) -> None:
        """Keep a conversation at the top, or let it go back."""
        self._store.set_pinned(conversation_id, is_pinned)
        self.refresh(conversation_id)

    def name(self, transcript: Transcript, turn: Turn) -> None:
        """Something was said: the first words give a conversation its title, until a person does.

        What was said of a file is called after the file and the first words of the answer, a question about a document
        after the document and the question.
        """
        if transcript.is_temporary or not transcript.turns:
            return
        row = self.row(transcript.id)
        title = _title_after(transcript, turn, is_untitled=row is None or not row.title)
        if title:
            self._store.set_title(transcript.id, title, is_chosen=False)
        self.refresh(transcript.id)

    def remove(self, conversation_id: str) -> None:
        """Delete a conversation; for a while it can be restored."""
        self._store.remove(conversation_id)
        self.refresh(conversation_id)
        self.removed.emit()

    def restore(self, conversation_id: str) -> None:
        """Bring a deleted conversation back."""
        self._store.restore(conversation_id)
        self.refresh(conversation_id)

    def refresh(self, conversation_id: str) -> None:
        """Something about one conversation changed: ask the store for its row."""
        self._lane.follow(self._store.summaries(conversation_id), partial(self._take_row, conversation_id))

    def refresh_all(self) -> None:
        """Ask the store for every row."""
        self._lane.follow(self._store.summaries(), self._take_rows)

    def _try_again(self) -> None:
        is_behind = self._store.is_behind
        done = self._store.try_again()
        if is_behind:
            self._lane.follow(done, lambda _: self.refresh_all())

    def _take_row(self, conversation_id: str, found: Sequence[Summary]) -> None:
        rows = list(self.rows)
        before = self._by_id.get(conversation_id)
        if before is not None:
            rows.remove(before)
        for row in found:
            rows.insert(bisect(rows, _order(row), key=_order), row)
        self._take_rows(rows)

    def _take_rows(self, rows: Sequence[Summary]) -> None:
        if tuple(rows) != self.rows or self._groups[0] != date.today():
            self.rows = tuple(rows)
            self._by_id = {row.id: row for row in rows}
            self._groups = (date.min, ())
            self.changed.emit()


def _order(row: Summary) -> tuple[bool, float, str]:
    """As the store orders its rows."""
    return not row.is_pinned, -row.updated_at, row.id


def _grouped(rows: Sequence[Summary], today: date) -> Iterator[Group]:
    """The rows under their headings. They are in order, so only the first of a heading is looked at for its name."""
    begin = 0
    while begin < len(rows):
        first = rows[begin]
        name, since = ("Pinned", 0.0) if first.is_pinned else _heading(first.updated_at, today)
        end = bisect(rows, (not first.is_pinned, -since), lo=begin, key=lambda row: _order(row)[:2])
        yield Group(name, tuple(rows[begin:end]))
        begin = end


def _heading(time: float, today: date) -> tuple[str, float]:
    """What a time is called, and the first moment that is called the same."""
    day = datetime.fromtimestamp(time).date()
    age = (today - day).days
    for name, most in (("Today", 0), ("Yesterday", 1), ("Previous 7 Days", 7), ("Previous 30 Days", 30)):
        if age <= most:
            return name, _moment(today - timedelta(days=most))
    if day.year == today.year:
        return f"{day:%B}", _moment(day.replace(day=1))
    return f"{day.year}", _moment(day.replace(month=1, day=1))


def when(time: float, now: datetime) -> str:
    """A time in a few letters, as in a list of mails: of today the hour, before that the day."""
    moment = datetime.fromtimestamp(time)
    age = (now.date() - moment.date()).days
    if age <= 0:
        return f"{moment:%H:%M}"
    if age == 1:
        return "Yesterday"
    return f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment.day} {moment:%b %Y}"


def _moment(day: date) -> float:
    return datetime(day.year, day.month, day.day).timestamp()


def title_from(text: str) -> str:
    """A title from the first words of a text, without marks of Markdown: "Read the receipt and add up…"."""
    return shortened(next(_plain_lines(text[:_LOOKED_AT]), ""))


def title_of_file(name: str, answer: str) -> str:
    """A title from a file and what is said of it; a line that only leads to the next one says nothing."""
    lines = list(_plain_lines(answer[:_LOOKED_AT]))
    words = next((line for line in lines if not line.endswith((":", "："))), lines[0])
    return shortened(f"{one_line(name, MAX_TITLE // 2)}: {words}")


def is_worded_by_person(first: Turn) -> bool:
    """Whether the title of the conversation that begins so is made of what a person wrote, never of an answer."""
    file = _file_of(first) if isinstance(first, UserTurn) else ""
    return bool(title_from(first.text)) and (not file or _is_about_document(first))


def _title_after(transcript: Transcript, turn: Turn, *, is_untitled: bool) -> str:
    """The title that a turn gives; nothing if it gives none."""
    asked, *answers = transcript.turns[:2]
    file = _file_of(asked) if isinstance(asked, UserTurn) else ""
    if file and turn is asked and is_worded_by_person(asked):
        return title_of_file(file, asked.text)
    if file and turn in answers and not is_worded_by_person(asked):
        told = next((text for text in _worth_telling(transcript, turn) if title_from(text)), "")
        return title_of_file(file, told) if told else one_line(file, MAX_TITLE)
    first = next((each for each in (asked, *answers) if title_from(each.text)), None)
    return title_from(turn.text) if turn is first and is_untitled else ""


def _worth_telling(transcript: Transcript, answer: Turn) -> Iterator[str]:
    """What tells one conversation from others: an answer that says that it cannot help is none."""
    if not transcript.has_declined(answer):
        yield answer.text
    yield transcript.turns[0].text


def _is_about_document(turn: Turn) -> bool:
    return any(isinstance(part, Quote) and part.pages for message in turn.messages for part in message.parts)


def _plain_lines(text: str) -> Iterator[str]:
    """The lines that have words, without marks of Markdown."""
    for line in text.splitlines():
        if not _FENCE.match(line):
            cells = line.replace("|", " ") if line.lstrip().startswith("|") else line
            plain = " ".join(_MARKS.sub("", _BREAK.sub(" ", _LINK.sub(r"\1", cells))).split())
            if _WORD.search(plain):
                yield plain


def _file_of(turn: UserTurn) -> str:
    """The name of the first thing that was sent along, if it was a file."""
    names = [Path(picture.path).name for picture in turn.pictures]
    names += [enclosure.name for enclosure in turn.enclosures if enclosure.path]
    return names[0] if names else ""


def shortened(line: str) -> str:
    """A title that fits into a sentence: its first words."""
    if len(line) <= MAX_TITLE:
        return line
    cut = line[:MAX_TITLE].rsplit(" ", 1)[0] if " " in line[MAX_TITLE // 2 : MAX_TITLE] else line[: MAX_TITLE - 1]
    return cut.rstrip(" ,.;:") + "…"
