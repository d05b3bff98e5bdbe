"""Which pages of which documents the model has seen in a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import Message, Quote

__all__ = ["Source", "source_of", "with_pages_of"]


@dataclass(frozen=True)
class Source:
    """A document, and its pages that were seen."""

    path: Path
    pages: tuple[int, ...]
    """Rising."""
    num_pages: int
    """Of the document."""


def with_pages_of(sources: Sequence[Source], message: Message) -> tuple[Source, ...]:
    """What was seen once this message was read too; the documents that were asked about last come last."""
    by_path = {source.path: source for source in sources}
    for part in message.parts:
        if isinstance(part, Quote) and part.pages:
            path = Path(part.path)
            before = by_path.pop(path, None)
            pages = {*part.pages, *(before.pages if before is not None else ())}
            by_path[path] = Source(path, tuple(sorted(pages)), part.num_pages)
    return tuple(by_path.values())


def source_of(sources: Sequence[Source], number: int) -> Source | None:
    """The document that an answer means by a page: the newest that has it, rather one of which it was seen."""
    newest = tuple(reversed(sources)) if number else ()
    seen = (source for source in newest if number in source.pages)
    return next(seen, None) or next((source for source in newest if 1 <= number <= source.num_pages), None)
