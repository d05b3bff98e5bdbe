"""Pages of a document that are asked about: all of them where they fit, else those that fit the question best."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

from app.text.pages import best_pages
from app.text.receipts import about_tokens
from app.viewmodels.draft.senses import Senses
from engine import PAGE_END, Message, Part, Quote

__all__ = ["DraftPages", "textless"]

_SHARE = 0.5
"""Of the room for a question about a document that does not fit: the rest is for the questions that follow."""


@dataclass(frozen=True)
class DraftPages:
    """The text of pages, or where it is empty the pages of which the draft holds pictures. A page without text is named
    and never sent.
    """

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
        """How much of it there is, and what of it holds nothing."""
        texts = zip(self.numbers, self.texts, strict=False)
        empty = [number for number, text in texts if not text.strip()]
        told = sorted(set(self.numbers).difference(empty))
        pages = f"page {told[0]:,}" if len(told) == 1 else f"{len(told):,} pages"
        how_many = f"{pages} of {self.num_pages:,}" if len(told) < self.num_pages else pages
        return " · ".join(filter(None, (how_many, textless(empty))))

    @property
    def num_tokens(self) -> int:
        """Rows of the prompt for all of it, roughly."""
        return sum(map(self.senses.text_tokens, self.texts))

    @property
    def cost(self) -> str:
        """What it costs."""
        return f"about {about_tokens(self.num_tokens)} tokens" if self.texts else "as pictures"

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

    def asked(self, question: str, room: int, said: Iterable[Message]) -> Quote | None:
        """What goes with a question: of the pages, what these messages do not tell yet. None for nothing.

        `room` is in tokens. A page is cut where nothing else fits; its rest goes with the next question.
        """
        untold = self._untold(said)
        if not self.texts:
            return self._quote(list(untold), []) if untold else None
        if sum(map(self.senses.text_tokens, untold.values())) > room:
            untold = self._best(question, round(room * _SHARE), untold)
        untold = {number: text for number, text in untold.items() if text.strip()}
        return self._quote(list(untold), list(untold.values())) if untold else None

    def goes_on_after(self, message: Message) -> bool:
        """Whether there is more of it to be asked about than a message holds."""
        return any(text.strip() for text in self._untold([message]).values())

    def _untold(self, said: Iterable[Message]) -> dict[int, str]:
        """The text of each page that these messages do not hold; of one of which they hold the beginning, its rest."""
        told = _told_pages(said, self.path)
        texts = map(_in_quote, self.texts) if self.texts else repeat("")
        pages = dict(zip(self.numbers, texts, strict=False))
        rests = {number: _behind(told[number], text) if number in told else text for number, text in pages.items()}
        return {number: rest for number, rest in rests.items() if rest or number not in told}

    def _best(self, question: str, room: int, untold: Mapping[int, str]) -> dict[int, str]:
        """As many pages as there is room for; without a word of the question, once from the beginning."""
        numbers, texts = list(untold), list(untold.values())
        chosen: dict[int, str] = {}
        left = round(room * self.senses.characters_per_token)
        is_new = texts == list(map(_in_quote, self.texts))
        for at in best_pages(texts, question) or (range(len(texts)) if is_new else []):
            if len(texts[at]) <= left:
                chosen[numbers[at]] = texts[at]
            elif left > 0 and not chosen:
                chosen[numbers[at]] = texts[at][:left]
            left -= len(chosen.get(numbers[at], ""))
        return dict(sorted(chosen.items()))

    def _quote(self, numbers: Sequence[int], texts: Sequence[str]) -> Quote:
        text = PAGE_END.join(map(_in_quote, texts))
        return Quote(self.name, text, str(self.path), tuple(numbers), self.num_pages)


def textless(numbers: Sequence[int]) -> str:
    """Which pages hold no text: "page 3 has no text"; empty for none."""
    match numbers:
        case ():
            return ""
        case (number,):
            return f"page {number:,} has no text"
        case (first, second):
            return f"pages {first:,} and {second:,} have no text"
        case _:
            return f"{len(numbers):,} pages have no text"


def _in_quote(text: str) -> str:
    return text.replace(PAGE_END, " ")


def _told_pages(messages: Iterable[Message], path: Path) -> dict[int, str]:
    """What these messages hold of the pages of a document, together for each page; of its picture, nothing."""
    told: dict[int, str] = {}
    for message in messages:
        for quote in message.parts:
            if isinstance(quote, Quote) and quote.path == str(path):
                texts = quote.text.split(PAGE_END) if quote.text else repeat("")
                for number, text in zip(quote.pages, texts, strict=False):
                    told[number] = told.get(number, "") + text
    return told


def _behind(told: str, text: str) -> str:
    """The rest of a page of which a beginning was told; nothing of one that was shown, or changed since."""
    return text[len(told) :] if told and text.startswith(told) else ""
