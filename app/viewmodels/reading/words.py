"""What the window says of documents and their pages."""

from collections import Counter
from collections.abc import Sequence

from app.viewmodels.reading.pace import time_left
from app.viewmodels.reading.page import Page
from engine import PageReceipt, ReadingCost, ReadingForm, one_line

__all__ = ["cost_line", "count", "doubts_line", "form_line", "listed", "page_line", "receipt_line", "summary"]

_VERDICTS: dict[str, tuple[str, str]] = {
    "text": ("page has text", "pages have text"),
    "old_ocr": ("page has an old reading", "pages have an old reading"),
    "damaged_text": ("page has damaged text", "pages have damaged text"),
    "picture": ("page is a picture", "pages are pictures"),
    "mixed": ("page is partly a picture", "pages are partly pictures"),
    "empty": ("page is empty", "pages are empty"),
    "unreadable": ("page cannot be drawn", "pages cannot be drawn"),
}

_STATES = {
    "done": "Read to its end",
    "empty": "No text found",
    "cut_off": "Cut off before its end",
    "looped": "Repeats itself",
    "failed": "Not read",
}

_WAYS = {"layer": "its text layer", "page": "the whole page", "tiles": "parts of the page", "pieces": "pieces of lines"}


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 page", "2 pages"."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: "Date", "Date and Total", "Date, Total and Shop"."""
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def summary(pages: Sequence[Page]) -> str:
    """What the pages hold: "2 pages have text, 1 page is a picture"."""
    verdicts = Counter(page.info.verdict for page in pages if page.info is not None)
    parts = [f"{number:,} {_VERDICTS[verdict][number != 1]}" for verdict, number in verdicts.most_common()]
    return ", ".join(parts)


def cost_line(cost: ReadingCost | None) -> str:
    """What reading would take: "12,345 tokens, about 3 minutes, 1.0 GB of memory"."""
    if cost is None:
        return ""
    parts = [f"{cost.num_soft_tokens:,} tokens"] if cost.num_soft_tokens else []
    if cost.seconds is not None and cost.seconds >= 1:
        parts.append(time_left(cost.seconds).removesuffix(" left"))
    if cost.memory_bytes >= 100_000_000:
        parts.append(f"{cost.memory_bytes / 1e9:.1f} GB of memory")
    return ", ".join(parts)


def page_line(page: Page) -> str:
    """How a page is, in a few words."""
    if page.progress is not None:
        return f"Reading… {round(100 * page.progress)} %"
    if page.is_waiting:
        return "Waits to be read"
    if page.text is None:
        return page.info.reason if page.info is not None else ""
    if page.text.reason and page.text.state in ("failed", "cut_off", "looped"):
        return page.text.reason
    parts = [_STATES[page.text.state]]
    if page.text.num_lines_unread:
        parts.append(f"{count(page.text.num_lines_unread, 'line')} not read")
    if page.text.num_lines_unseen:
        parts.append(f"place of {count(page.text.num_lines_unseen, 'line')} not found")
    if num_codes := sum(line.source == "code" for line in page.text.lines):
        parts.append(f"{count(num_codes, 'line')} from QR codes or barcodes")
    if page.text.reason:
        parts.append(page.text.reason.rstrip("."))
    return " · ".join(parts)


def form_line(page: Page, form: ReadingForm) -> str:
    """What was asked of a page, where that is not its text. `form`: as what its document was read last."""
    if page.text is None or not page.text.answer:
        return ""
    if fields := page.text.fields:
        names = ", ".join(fields)
        return f"Only fields were looked for on this page: {one_line(names, 100)}."
    return {
        "markdown": "This page was read as Markdown.",
        "table": "Only a table was looked for on this page.",
        "question": "This is an answer to a question about this page.",
    }.get(form, "")


def doubts_line(page: Page) -> str:
    """How many words of a page are doubtful; empty for none."""
    return count(page.num_doubtful, "doubtful word") if page.num_doubtful else ""


def receipt_line(receipt: PageReceipt | None) -> str:
    """What was really seen of a page."""
    if receipt is None:
        return ""
    if receipt.way == "layer":
        return "From the file's own text layer; nothing was read."
    parts = [f"Seen as {_WAYS[receipt.way]}"]
    if receipt.width:
        parts.append(f"at {receipt.width:,} × {receipt.height:,}")
    if receipt.num_pieces > 1:
        again = f", {receipt.num_read_again:,} read again" if receipt.num_read_again else ""
        parts.append(f"{count(receipt.num_pieces, 'piece')}{again}")
    if receipt.num_soft_tokens:
        parts.append(f"{receipt.num_soft_tokens:,} tokens")
    if receipt.seconds:
        parts.append(f"{receipt.seconds:.1f} s")
    return " · ".join(parts)
