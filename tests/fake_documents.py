"""Documents for the pretended engine: files that say what they hold, looked at, drawn and read as the real ones are.

A file holds `%PDF-fake` and the JSON of a `Pretence` behind it; `pretend` writes one.
A folder is a document of pictures.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from PIL import Image, ImageDraw, ImageFont

from engine import (
    Box,
    DocumentInfo,
    DocumentLooked,
    DocumentRead,
    EngineEvent,
    Failed,
    LookAtDocument,
    PageInfo,
    PageLooked,
    PageProgress,
    PageRead,
    PageReceipt,
    PageShown,
    PageText,
    ReadDocument,
    ReadingCost,
    ShowPage,
    TextLine,
    Verdict,
    write_whole,
)

WIDTH_PT, HEIGHT_PT = 595.0, 842.0
MARK = b"%PDF-fake "
SENTENCES = (
    "Alice was beginning to get very tired of sitting",
    "by her sister on the bank, and of having nothing",
    "to do: once or twice she had peeped into the book",
    "her sister was reading, but it had no pictures or",
    "conversations in it, “and what is the use of a book,”",
    "thought Alice, “without pictures or conversations?”",
    "So she was considering in her own mind (as well as",
    "she could, for the day made her feel very sleepy",
    "and stupid), whether the pleasure of making a chain",
    "of daisies would be worth the trouble of getting up",
    "and picking the daisies, when suddenly a White Rabbit",
    "with pink eyes ran close by her.",
)
REASONS: dict[Verdict, str] = {
    "text": "Its text layer covers all of it.",
    "old_ocr": "There is an old reading under a scan.",
    "damaged_text": "Its text layer has no Unicode.",
    "picture": "It is a picture without text.",
    "mixed": "Some of its ink has no text.",
    "empty": "There is nothing on it.",
}


class Pretence(msgspec.Struct):
    """What a document holds and how its reading goes."""

    verdicts: tuple[Verdict, ...]
    """Of each page."""
    num_lines: int = 12
    password: str = ""
    seconds: float = 0.0
    """For each page."""
    looks_for: str = ""
    """A file: more than the first page is looked at once it exists."""
    waits_for: str = ""
    """A file: pages from `waits_at` on are read once it exists."""
    waits_at: int = 2
    dies_at: int = 0
    """The page at which the engine ends, as long as its marker does not exist."""
    fails_at: int = 0
    fields: dict[str, str] = {}
    """What is found of each; nobody is sure of one with a question mark."""
    loops_at: int = 0


def pretend(path: Path, pretence: Pretence) -> Path:
    """Write a document for the pretended engine."""
    path.write_bytes(MARK + msgspec.json.encode(pretence))
    return path


def look(request: LookAtDocument) -> Iterator[EngineEvent]:
    """Every page, then the document."""
    document = _open(request.path, request.password)
    if isinstance(document, Failed):
        yield document
        return
    pages = [_info(number, verdict) for number, verdict in enumerate(document.verdicts, 1)]
    for page in pages:
        yield PageLooked(page, len(pages))
        while document.looks_for and not Path(document.looks_for).exists():
            time.sleep(0.02)
            yield PageLooked(page, len(pages))  # and a chance to be cancelled
    num_read = sum(not _reads_layer(page.verdict, request.reading.way) for page in pages)
    cost = ReadingCost(len(pages), 1120 * num_read, 42.0 * num_read, 1 << 30)
    yield DocumentLooked(DocumentInfo(request.path, "pdf", tuple(pages), "Down the Rabbit-Hole"), cost)


def show(request: ShowPage) -> Iterator[EngineEvent]:
    """The page as a picture."""
    document = _open(request.path, request.password)
    if isinstance(document, Failed):
        yield document
        return
    picture = Image.new("L", (1190, 1684), "white")
    pen = ImageDraw.Draw(picture)
    if document.verdicts[request.page - 1] != "empty":
        for line in _lines(request.page, document):
            assert line.box is not None
            size = 1684 * (line.box.bottom - line.box.top)
            pen.text((1190 * line.box.left, 1684 * line.box.top), line.text, 20, ImageFont.load_default(size * 0.8))
    picture = picture.rotate(-request.turned, expand=True)
    if request.region is not None:
        region, (width, height) = request.region, picture.size
        picture = picture.crop(
            (int(region.left * width), int(region.top * height), int(region.right * width), int(region.bottom * height))
        )
    picture.thumbnail((request.longest_side, request.longest_side))
    picture.save(request.target + "~", "PNG")
    write_whole(Path(request.target), Path(request.target + "~").read_bytes())
    yield PageShown(request.target, *picture.size)


def read(request: ReadDocument, die: Callable[[], None], is_calm: bool) -> Iterator[EngineEvent]:
    """Every page that is asked for."""
    document = _open(request.path, request.password)
    if isinstance(document, Failed):
        yield document
        return
    numbers = request.pages or range(1, len(document.verdicts) + 1)
    for number in numbers:
        lines = tuple(line.text for line in _lines(number, document)) if request.reading.form == "text" else ()
        yield PageProgress(number, 1, 4, lines[:3])
        while number >= document.waits_at and document.waits_for and not Path(document.waits_for).exists():
            time.sleep(0.02)
            yield PageProgress(number, 1, 4)  # and a chance to be cancelled
        for piece in range(1, 5):
            yield PageProgress(number, piece, 4, lines[piece * 3 : piece * 3 + 3])
            time.sleep(document.seconds / 4)
        if number == document.dies_at and not is_calm:
            die()
        yield PageRead(_page_text(number, document, request))
    yield DocumentRead(len(numbers))


def _page_text(number: int, document: Pretence, request: ReadDocument) -> PageText:
    verdict = document.verdicts[number - 1]
    way = "layer" if _reads_layer(verdict, request.reading.way) else "pieces"
    receipt = PageReceipt(way, 0 if way == "layer" else 70, 1190, 1684, 3200, 48, 3, 12.5)
    if number == document.fails_at:
        return PageText(number, "failed", reason="The page cannot be drawn.")
    if verdict == "empty":
        return PageText(number, "empty", receipt=receipt)
    if request.reading.form == "fields":
        found = {name: document.fields.get(name) for name in (request.reading.schema or {}).get("properties", {})}
        read = tuple(TextLine(value, doubtful=((0, 1),) if "?" in value else ()) for value in found.values() if value)
        return PageText(number, "done", read, answer=msgspec.json.encode(found).decode(), receipt=receipt)
    lines = tuple(_lines(number, document))
    region = request.reading.region
    if region is not None:
        inside = (
            line for line in lines if line.box and region.top <= (line.box.top + line.box.bottom) / 2 <= region.bottom
        )
        lines = tuple(msgspec.structs.replace(line, text=line.text.upper(), doubtful=()) for line in inside)
    if way == "layer":
        lines = tuple(msgspec.structs.replace(line, source="layer", doubtful=(), confidence=None) for line in lines)
    if number == document.loops_at:
        return PageText(number, "looped", lines[:3], "It repeated itself after the third line.", receipt=receipt)
    return PageText(number, "done", lines, turned=request.reading.turned or 0, receipt=receipt)


def _reads_layer(verdict: Verdict, way: str) -> bool:
    return way == "layer" or (way == "auto" and verdict == "text")


def _open(path: str, password: str) -> Pretence | Failed:
    name = Path(path).name
    if Path(path).is_dir():
        return Pretence(("picture",) * len(list(Path(path).iterdir())))
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return Failed("AttachmentError", f"“{name}” cannot be read: {error.strerror}.")
    if not data.startswith(MARK):
        return Failed("AttachmentError", f"“{name}” is no document that can be read.")
    document = msgspec.json.decode(data.removeprefix(MARK), type=Pretence)
    if password != document.password:
        words = "That is not its password." if password else f"“{name}” asks for its password."
        return Failed("PasswordNeeded", words)
    return document


def _info(number: int, verdict: Verdict) -> PageInfo:
    ink = 0.0 if verdict == "empty" else 0.05
    has_text = verdict in ("text", "old_ocr", "mixed")
    return PageInfo(number, WIDTH_PT, HEIGHT_PT, verdict, REASONS[verdict], 0, 600 * has_text, ink)


def _lines(number: int, document: Pretence) -> Iterator[TextLine]:
    """The lines of a page, two of them with a doubtful word."""
    for row in range(document.num_lines):
        text = SENTENCES[(row + number - 1) % len(SENTENCES)]
        top = 0.1 + 0.8 * row / max(document.num_lines, 16)
        box = Box(0.12, top, min(0.12 + 0.0145 * len(text), 0.95), top + 0.022)
        word = text.split()[2]
        start = text.index(word)
        is_doubtful = row in (2, 5)
        doubtful = ((start, start + len(word)),) if is_doubtful else ()
        yield TextLine(text, box, -0.8 if is_doubtful else -0.02, doubtful)
