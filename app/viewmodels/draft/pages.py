"""Pages of a document that are asked about: all of them where they fit, else those that fit the question best."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.text.pages import best_pages
from app.viewmodels.draft.senses import Senses
from engine import PAGE_END, Message, Part, Quote

__all__ = ["DraftPages", "known_pages"]

_SHARE = 0.5
"""Of the room for a question about a document that does not fit: the rest is for the questions that follow."""


@dataclass(frozen=True)
class DraftPages:
    """The text of pages, or where it is empty the pages of which the draft holds pictures."""

    key: int
    path: Path
    numbers: tuple[int, ...]
    texts: tuple[str, ...] = field(repr=False)
    """One for each; none for pictures."""
    num_pages: int
    """Of the document."""
    senses: Senses = field(default_factory=Senses, kw_only=True)
    lack = ""
    state = ""
    is_ready = True

    @classmethod
    def of(cls, key: int, quote: Quote) -> "DraftPages":
        """As a draft, or a message that is edited, has it."""
        texts = tuple(quote.text.split(PAGE_END)) if quote.text else ()
        return cls(key, Path(quote.path), quote.pages, texts, quote.num_pages)

    @property
    def name(self) -> str:
        """The document's name, as it is shown."""
        return self.path.name

    @property
    def label(self) -> str:
        """How much of it there is."""
        number = len(self.numbers)
        pages = f"page {self.numbers[0]:,}" if number == 1 else f"{number:,} pages"
        return f"{pages} of {self.num_pages:,}" if number < self.num_pages else pages

    @property
    def num_tokens(self) -> int:
        """Rows of the prompt for all of it, roughly."""
        return sum(map(self.senses.text_tokens, self.texts))

    @property
    def cost(self) -> str:
        """What it costs."""
        return f"about {self.num_tokens:,} tokens" if self.texts else "as pictures"

    @property
    def tip(self) -> str:
        """What the model gets."""
        return f"{self.path}\nWhere not all of it fits, the pages that fit the question best are sent."

    @property
    def draft_part(self) -> Part:
        """As a draft is kept."""
        return self._quote(self.numbers, self.texts)

    @property
    def sent_parts(self) -> tuple[Part, ...]:
        """All of it, as a message carries it."""
        return (self.draft_part,)

    def tokens_in(self, room: int) -> int:
        """How much of it goes where there is room for so many tokens."""
        return self.num_tokens if self.num_tokens <= room else round(room * _SHARE)

    def asked(self, question: str, room: int, known: Collection[int]) -> Quote | None:
        """What goes with a question: pages that the conversation does not hold yet. None for nothing new."""
        new = [at for at, number in enumerate(self.numbers) if number not in known]
        texts = [self.texts[at] for at in new] if self.texts else []
        if texts and sum(map(self.senses.text_tokens, texts)) > room:
            return self._best(question, round(room * _SHARE), new, texts, has_known=bool(known))
        return self._quote([self.numbers[at] for at in new], texts) if new else None

    def goes_on_after(self, message: Message) -> bool:
        """Whether there is more of it to be asked about than a message holds."""
        return bool(self.texts) and len(known_pages([message], self.path)) < len(self.numbers)

    def _best(self, question: str, room: int, new: Sequence[int], texts: Sequence[str], *, has_known: bool) -> Quote:
        """As many of the pages as there is room for; without a word of the question, from the beginning."""
        chosen: dict[int, str] = {}
        left = round(room * self.senses.characters_per_token)
        for at in best_pages(texts, question) or ([] if has_known else range(len(texts))):
            if len(texts[at]) <= left:
                chosen[at] = texts[at]
            elif not chosen:
                chosen[at] = texts[at][:left]
            left -= len(chosen.get(at, ""))
        places = sorted(chosen)
        return self._quote([self.numbers[new[at]] for at in places], [chosen[at] for at in places])

    def _quote(self, numbers: Sequence[int], texts: Sequence[str]) -> Quote:
        text = PAGE_END.join(part.replace(PAGE_END, " ") for part in texts)
        return Quote(self.name, text, str(self.path), tuple(numbers), self.num_pages)


def known_pages(messages: Iterable[Message], path: Path) -> set[int]:
    """The pages of a document that these messages hold."""
    quotes = (part for message in messages for part in message.parts if isinstance(part, Quote))
    return {number for quote in quotes if quote.path == str(path) for number in quote.pages}
