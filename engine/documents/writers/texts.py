"""A document as plain text, as Markdown and as JSON."""

import re
from collections.abc import Sequence

import msgspec

from engine.documents.writers.blocks import Block, Heading, Item, Layout, Paragraph, Table, blocks_of, remark
from engine.documents.writers.indents import indented
from engine.protocol.documents import DocumentInfo, PageText
from engine.protocol.errors import without_surrogates
from engine.version import VERSION

__all__ = ["escaped", "to_json", "to_markdown", "to_text"]

_MARKS = re.compile(r"[\\`*_\[\]<>|~&]|^(?:#{1,6}(?=\s|$)|[-+=](?=[\s=-]|$))", re.MULTILINE)
"""What Markdown would take for its own,"""

_NUMBER = re.compile(r"^(\d{1,9})(?=[.)](?:\s|$))", re.MULTILINE)
"""and what it would take for an item of a list."""


def to_text(pages: Sequence[PageText], layout: Layout, words: frozenset[str]) -> str:
    """Each page has its place, also one that was not read; in brackets stands what no page says."""
    texts = []
    for page in pages:
        said = [_plain(page, layout, words), f"[Page {page.number}: {remark(page)}]" if remark(page) else ""]
        texts.append("\n".join(part for part in said if part))
    match layout.separator:
        case "form_feed":
            return "\f".join(f"{text}\n" if text else "" for text in texts)
        case "heading":
            titled = (f"— Page {page.number} —\n\n{text}".rstrip() for page, text in zip(pages, texts, strict=True))
            return "\n\n".join(titled) + "\n"
        case "none":
            return "\n\n".join(filter(None, texts)) + "\n"


def _plain(page: PageText, layout: Layout, words: frozenset[str]) -> str:
    if page.answer:
        return (page.text if layout.answers == "fields" else page.answer).strip("\n")
    if layout.lines == "kept":
        return "\n".join(indented([line for line in page.lines if layout.with_running or not line.is_running]))
    return "\n\n".join(map(_plain_block, blocks_of(page, layout, words)))


def _plain_block(block: Block) -> str:
    match block:
        case Table(rows):
            return "\n".join("\t".join(row) for row in rows)
        case Item(_, mark, text):
            return f"{mark} {text}"
        case Heading(_, text) | Paragraph(text):
            return text


def to_markdown(pages: Sequence[PageText], layout: Layout, words: frozenset[str]) -> str:
    """What was asked for as Markdown stays as it was written; everything else is text that Markdown shows as it is."""
    return "\n\n---\n\n".join(filter(None, (_markdown_page(page, layout, words) for page in pages))) + "\n"


def _markdown_page(page: PageText, layout: Layout, words: frozenset[str]) -> str:
    if page.answer and layout.answers == "markdown":
        parts = [page.answer.strip()]
    else:
        parts = [_markdown_block(block) for block in blocks_of(page, layout, words)]
    if layout.separator == "heading":
        parts.insert(0, f"## Page {page.number}")
    if remark(page):
        parts.append(f"*Page {page.number}: {escaped(remark(page))}*")
    return "\n\n".join(parts)


def _markdown_block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {escaped(text)}"
        case Item(depth, mark, text):
            return f"{'  ' * depth}{'-' if mark == '•' else mark} {escaped(text)}"
        case Table(rows):
            return _markdown_table(rows)
        case Paragraph(text):
            return "\\\n".join(escaped(line) for line in text.split("\n"))


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    width = max(map(len, rows))
    cells = [[escaped(" ".join(cell.split())) for cell in row] + [""] * (width - len(row)) for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (*cells[:1], ["---"] * width, *cells[1:]))


def escaped(text: str) -> str:
    """The text as Markdown shows it, whatever marks are in it."""
    return _NUMBER.sub(r"\1\\", _MARKS.sub(r"\\\g<0>", text.strip()))


def to_json(document: DocumentInfo, pages: Sequence[PageText]) -> str:
    """Everything that is known: pages, lines, boxes, confidence, receipts."""
    looked = {page.number: page for page in document.pages}
    told = {
        "program": f"Cabochon {VERSION}",
        "document": {"path": without_surrogates(document.path), "kind": document.kind, "title": document.title},
        "pages": [
            {**msgspec.to_builtins(page), "text": page.text, "looked_at": looked.get(page.number)} for page in pages
        ],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"
