"""One page of an open document: what it holds, what was read of it, and what a person made of that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec.structs import replace as with_fields

from app.store import Offer
from app.viewmodels.reading.lines import (
    Line,
    answer_of,
    carried_over,
    covers,
    drafted,
    lines_of,
    put_in_place,
    word_around,
)
from engine import PageInfo, PageText, Turned

__all__ = ["Page"]


@dataclass
class Page:
    """A page by its number, from 1."""

    number: int
    info: PageInfo | None = None
    """None until it was looked at."""
    text: PageText | None = None
    """As it was read last, without corrections."""
    lines: tuple[Line, ...] = ()
    """As it stands now."""
    offer: Offer | None = None
    """What was read again where a person had corrected something, until they take or decline it."""
    is_waiting: bool = False
    """Whether it is to be read."""
    progress: float | None = None
    """How much of it is read, from 0 to 1, while it is."""
    draft: tuple[Line, ...] = ()
    """What was read of it so far, from its top on, while it is; with what a person corrected meanwhile."""
    draft_read: tuple[Line, ...] = ()
    """The same without corrections."""
    carried: tuple[Line, ...] = ()
    """The draft without corrections of which a person made its lines, until it is whole."""
    chosen_turn: Turned | None = None
    """Degrees clockwise that a person chose."""
    _counted: tuple[tuple[Line, ...], int] = ((), 0)

    @property
    def turned(self) -> Turned:
        """Degrees clockwise by which it is shown and read: what a person chose, what was read, what was found."""
        if self.chosen_turn is not None:
            return self.chosen_turn
        if self.text is not None:
            return self.text.turned
        return self.info.turned if self.info is not None else 0

    @property
    def lines_turned(self) -> Turned:
        """Degrees clockwise by which the page was turned of which its lines' boxes are."""
        return self.text.turned if self.text is not None else 0

    @property
    def shift(self) -> int:
        """Degrees clockwise by which it is shown beyond that."""
        return (self.turned - self.lines_turned) % 360

    @property
    def is_read(self) -> bool:
        """Whether there is something to show of it, be it that it is empty."""
        return self.text is not None and self.text.state != "failed"

    @property
    def shows_draft(self) -> bool:
        """Whether what was read so far stands in the place of a text that there is not yet."""
        return self.is_waiting and not self.lines and bool(self.draft)

    @property
    def shown_lines(self) -> tuple[Line, ...]:
        """What stands there: as it stands now, or what was read so far."""
        return self.draft if self.shows_draft else self.lines

    def show(self, lines: tuple[Line, ...]) -> None:
        """Let these stand in the place of what stands there."""
        if self.shows_draft:
            self.draft = lines
        else:
            self.lines = lines

    def go_to(self, lines: tuple[Line, ...], num_drafted: int) -> None:
        """Let lines stand there that did at another time, when so many lines of the draft were read that they are of.

        num_drafted: 0 for lines of a page that was whole.
        """
        if not num_drafted:
            self.lines = lines
        elif self.draft and not self.carried:
            self.lines, self.draft = (), (*lines, *self.draft_read[num_drafted:])
        else:
            self.lines = (*lines, *self.carried[num_drafted:])

    @property
    def shown_draft(self) -> tuple[Line, ...]:
        """The draft of which what stands there was made, without corrections; empty for a page that is whole."""
        return self.draft_read if self.shows_draft else self.carried

    def take_draft(self, texts: Sequence[str]) -> None:
        """So much is read of it now; what a person made of the lines before stays."""
        read = drafted(texts)
        if read[: len(self.draft_read)] != self.draft_read:  # it is read from its top again
            self.keep_draft()
            self.draft = self.draft_read = ()
        self._grow_draft(read[len(self.draft_read) :])

    def go_on_with_draft(self, texts: Sequence[str]) -> None:
        """So much more is read of it."""
        self._grow_draft(drafted(texts))

    def _grow_draft(self, new: tuple[Line, ...]) -> None:
        self.draft, self.draft_read = self.draft + new, self.draft_read + new

    def keep_draft(self) -> None:
        """A draft that a person corrected is not read over: from now on it is a page cut off."""
        if self.shows_draft and any(line.is_corrected for line in self.draft):
            self.text = self._cut_off(self.draft_read)
            self.lines, self.carried = self.draft, self.draft_read

    def end_reading(self) -> None:
        """It is read no further. A draft goes that nobody corrected."""
        self.keep_draft()
        self.is_waiting, self.progress, self.draft, self.draft_read = False, None, (), ()

    @property
    def is_corrected(self) -> bool:
        """Whether it stands otherwise than it was read: a line changed, taken out, or read again by itself."""
        read = lines_of(self.text) if self.text is not None else ()
        return [line.read for line in self.lines] != [line.read for line in read]

    @property
    def num_doubtful(self) -> int:
        """Places that nobody was sure of; counted once for the same lines, for it is asked of every page."""
        if self._counted[0] is not self.lines:
            self._counted = (self.lines, sum(len(line.doubtful) for line in self.lines))
        return self._counted[1]

    @property
    def doubts(self) -> list[tuple[int, tuple[int, int]]]:
        """The words that nobody is sure of, for each place in them: line, range of characters."""
        return [(at, word_around(line.text, span)) for at, line in enumerate(self.lines) for span in line.doubtful]

    @property
    def proportions(self) -> float:
        """Its height by its width, as it is shown; that of a sheet of paper until it was looked at."""
        if self.info is None or not self.info.width_pt or not self.info.height_pt:
            return 2**0.5
        ratio = self.info.height_pt / self.info.width_pt
        return 1 / ratio if self.turned in (90, 270) else ratio

    def as_written(self) -> PageText | None:
        """What was read with a person's corrections, as it is exported; None for what was not read."""
        if self.text is None:
            return PageText(self.number, "done", tuple(line.read for line in self.lines)) if self.lines else None
        state = "done" if self.is_corrected and self.text.state == "empty" else self.text.state
        if self.text.answer:
            answer = answer_of(self.text, self.lines) if self.is_corrected else self.text.answer
            return with_fields(self.text, answer=answer, state=state)
        return with_fields(self.text, lines=tuple(line.read for line in self.lines), state=state)

    def as_shown(self) -> PageText | None:
        """The same, or what was read so far."""
        return self._cut_off(self.draft) if self.shows_draft else self.as_written()

    @property
    def kept(self) -> tuple[PageText | None, PageText | None]:
        """What is kept of it: as it was read, and as a person left it, if otherwise. Of a draft that is corrected too.

        So nothing of that is lost whatever ends the app: it is a page cut off then.
        """
        if self.shows_draft and self.draft != self.draft_read:
            return self._cut_off(self.draft_read), self._cut_off(self.draft)
        return self.text, self.as_written() if self.is_corrected else None

    def restore(self, read: PageText, left: PageText) -> None:
        """Take it as it was kept; lines that stand as they were read are the same ones."""
        lines = lines_of(read)
        known = {line.read: line for line in lines}
        self.text = read
        self.lines = tuple(known.get(line.read) or replace(line, is_corrected=True) for line in lines_of(left))
        self.carried = lines if read.state == "cut_off" and self.is_corrected else ()

    def _cut_off(self, lines: Sequence[Line]) -> PageText:
        return PageText(self.number, "cut_off", tuple(line.read for line in lines))

    def after(self, offer: Offer) -> tuple[Line, ...]:
        """Its lines with what was read again in its place."""
        if offer.region is None:
            return lines_of(offer.text)
        turned = self.lines_turned - offer.text.turned
        new = tuple(line.turned(turned) for line in lines_of(offer.text))
        return put_in_place(self.lines, offer.region.turned(turned), new)

    def completed(self, offer: Offer) -> tuple[Line, ...] | None:
        """The lines that were corrected while it was read, with the rest of it; None where that is no draft of this."""
        if offer.region is not None or not self.carried:
            return None
        return carried_over(self.carried, self.lines, lines_of(offer.text))

    def resists(self, offer: Offer) -> bool:
        """Whether a person changed what was read again."""
        if offer.region is None:
            return self.is_corrected
        region = offer.region.turned(self.lines_turned - offer.text.turned)
        return any(line.is_corrected for line in self.lines if covers(region, line.box))
