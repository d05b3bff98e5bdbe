"""A conversation as a file: Markdown, HTML, PDF or JSON, with its pictures. A file is written whole or not at all."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack, suppress
from enum import Enum
from itertools import count
from pathlib import Path
from typing import assert_never

from app.exports.conversation import Entry, Exported, media_of
from app.exports.page import to_html
from app.exports.pdf import to_pdf
from app.exports.pictures import HEAD_BYTES, browser_kind
from app.exports.text import to_json, to_markdown
from engine import EngineError, Thought, named, write_whole

__all__ = ["Entry", "ExportCancelled", "ExportError", "ExportFormat", "Exported", "export"]


class ExportError(EngineError):
    """A conversation cannot be written to the place that was chosen."""


class ExportFormat(Enum):
    """What a conversation can become; the value is the file's suffix."""

    MARKDOWN = "md"
    HTML = "html"
    PDF = "pdf"
    JSON = "json"


class ExportCancelled(Exception):
    """The export is not wanted any more; nothing of it was left."""


def export(
    conversation: Exported,
    path: Path,
    kind: ExportFormat,
    *,
    with_thoughts: bool,
    is_wanted: Callable[[], bool] = lambda: True,
) -> None:
    """Write a conversation to `path`; any thread may call it.

    Markdown and JSON name pictures, sounds and videos in a folder beside the file. Raises ExportError with the sentence
    to show, and ExportCancelled soon after `is_wanted` said no.
    """
    if not with_thoughts:
        conversation = Exported(conversation.title, [_without_thought(entry) for entry in conversation.entries])
    try:
        _write(conversation, path, kind, is_wanted)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(f"{named(path)} cannot be written: {reason}. Choose another place.") from error


def _write(conversation: Exported, path: Path, kind: ExportFormat, is_wanted: Callable[[], bool]) -> None:
    """Put the media where they belong, for all to see, and the file in its place when it is whole."""

    def go_on() -> None:
        if not is_wanted():
            raise ExportCancelled

    with ExitStack() as made:
        match kind:
            case ExportFormat.MARKDOWN | ExportFormat.JSON:
                places = _copy_media(conversation, path, made, go_on)
                form = to_markdown if kind is ExportFormat.MARKDOWN else to_json
                content = form(conversation, places).encode()
            case ExportFormat.HTML:
                content = to_html(conversation, go_on).encode()
            case ExportFormat.PDF:
                content = to_pdf(conversation, go_on)
            case _ as never:
                assert_never(never)
        go_on()
        write_whole(path, content, mode=0o666)
        made.pop_all()


def _copy_media(conversation: Exported, path: Path, made: ExitStack, go_on: Callable[[], None]) -> dict[str, str]:
    """Copy every file that is still there, and return where each is from the exported file.

    They go into a new folder beside it, made when there is a first one, which is removed on `made`.
    """
    folder: Path | None = None
    places: dict[str, str] = {}
    for entry in conversation.entries:
        for media in media_of(entry):
            source = Path(media.path)
            if media.path not in places and source.is_file():
                go_on()
                if folder is None:
                    folder = _new_folder(path)
                    made.callback(shutil.rmtree, folder, ignore_errors=True)
                kind = type(media).__name__.lower()
                target = f"{kind} {len(places) + 1}{_suffix(source)}"
                shutil.copyfile(source, folder / target)
                places[media.path] = f"{folder.name}/{target}"
    return places


def _new_folder(path: Path) -> Path:
    """A folder of ours beside the file, where nothing was, not even a link."""
    for number in count(1):
        folder = path.with_name(f"{path.stem} files{f' {number}' * (number > 1)}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("numbers do not end")


def _suffix(source: Path) -> str:
    """What the file is; its own name tells it of all that browsers do not show."""
    with source.open("rb") as file:
        kind = browser_kind(file.read(HEAD_BYTES))
    return source.suffix if kind is None else f".{kind.replace('jpeg', 'jpg')}"


def _without_thought(entry: Entry) -> Entry:
    return entry._replace(steps=[step for step in entry.steps if not isinstance(step, Thought)])
