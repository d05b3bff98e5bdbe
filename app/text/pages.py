"""Pages of a document in a conversation: where an answer names one, and which of them fit a question."""

import math
import re
from collections.abc import Iterator, Sequence

__all__ = ["MOST_RANGES", "best_pages", "named_pages", "page_ranges", "pages_told"]

_NAMED = re.compile(
    r"(?<!\w)(?:pages?|pp?\.|p[aá]ginas?|pagin[ae]|seiten?|s\.)\s{0,2}\d{1,5}(?!\w{0,5}\d)"
    r"(?:\s{0,2}(?:[-–—,;&、]|and|und|et|to|bis)\s{0,2}\d{1,5}(?!\w{0,5}\d)){0,50}"
    r"|(?<!\d)\d{1,5}(?:\s?[-–—〜~、]\s?\d{1,5}){0,3}(?=\s?(?:ページ|頁|页))",
    re.IGNORECASE,
)
"""A word for a page and the numbers behind it; in Japanese and Chinese the numbers come first. What is looked ahead at
is bounded, or a text without blanks would be walked through again for each of its numbers."""

_NUMBER = re.compile(r"\d{1,5}")
_WORDS = re.compile(r"[぀-ヿ㐀-鿿가-힯豈-﫿]+|[^\W_぀-ヿ㐀-鿿가-힯豈-﫿]+")
"""Runs of characters that are written without spaces between words, and words."""

_MOST_TERMS = 10
"""So many words of a question are looked for, the longest first."""

_PARTICLES = re.compile(r"[ぁ-ん]+")
"""What is written so in Japanese says less than the rest."""

MOST_RANGES = 12
"""So many ranges of pages are told; the rest is counted."""

_FEW_RANGES = 4

_WORTH = 0.25
"""Pages that fit a question less than this share of the best one do not go with it."""

_SATURATION, _LENGTH_SHARE = 1.2, 0.75
"""BM25's k1 and b, at their usual values."""


def named_pages(text: str) -> Iterator[tuple[int, int, int]]:
    """Where a text names pages: from, to, and the number, one for each number."""
    for named in _NAMED.finditer(text):
        for number in _NUMBER.finditer(text, named.start(), named.end()):
            yield number.start(), number.end(), int(number[0])


def page_ranges(pages: Sequence[int]) -> list[tuple[int, int]]:
    """Rising page numbers as ranges, first and last."""
    ranges: list[tuple[int, int]] = []
    for page in pages:
        if ranges and page == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], page)
        else:
            ranges.append((page, page))
    return ranges


def pages_told(pages: Sequence[int]) -> str:
    """Rising page numbers in a few words: "page 3", "pages 3, 5–7"."""
    ranges = page_ranges(pages)
    told = ", ".join(f"{first:,}" if first == last else f"{first:,}–{last:,}" for first, last in ranges[:_FEW_RANGES])
    rest = sum(last - first + 1 for first, last in ranges[_FEW_RANGES:])
    return f"page{'s' * (len(pages) > 1)} {told}" + (f" and {rest:,} more" if rest else "")


def best_pages(texts: Sequence[str], question: str) -> list[int]:
    """The indices of the texts that hold anything of a question, the best first (BM25).

    Words are looked for by their beginnings, anywhere in a text; scripts without spaces by every two characters.
    """
    folded = [text.casefold() for text in texts]
    average = max(sum(map(len, folded)) / max(len(folded), 1), 1.0)
    scores = [0.0] * len(folded)
    for term in _terms(question):
        counts = [text.count(term) for text in folded]
        num_with = sum(count > 0 for count in counts)
        rarity = math.log(1 + (len(folded) - num_with + 0.5) / (num_with + 0.5))
        for at, count in enumerate(counts):
            if count:
                length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * len(folded[at]) / average
                scores[at] += rarity * count * (_SATURATION + 1) / (count + _SATURATION * length)
    least = _WORTH * max(scores, default=0.0)
    return sorted((at for at, score in enumerate(scores) if score and score >= least), key=lambda at: -scores[at])


def _terms(question: str) -> list[str]:
    """What is looked for: without endings, so that "deadlines" finds "deadline"."""
    terms: dict[str, None] = {}
    for run in _WORDS.findall(question[:4000].casefold()):
        if run[0] >= "぀":
            terms |= dict.fromkeys(run[at : at + 2] for at in range(max(len(run) - 1, 1)))
        elif len(run) > 2 or run.isdigit():
            terms[run if run.isdigit() else run[: max(len(run) - 2, 4)]] = None
    return sorted(terms, key=_weight, reverse=True)[:_MOST_TERMS]


def _weight(term: str) -> int:
    """How much a term says: by its length, two characters of a script without spaces as much as a word."""
    return len(term) + 4 * (term[0] >= "぀" and not _PARTICLES.fullmatch(term))
