"""Exports of the conversation in the window: what can be chosen, how the file is called, and what came of it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.exports import ExportCancelled, Exported, ExportError, ExportFormat, export
from app.viewmodels.writing import Writing
from engine import named

__all__ = ["FORMAT_NAMES", "Exporter"]

FORMAT_NAMES = {
    ExportFormat.MARKDOWN: "Markdown, with a folder of its files",
    ExportFormat.HTML: "Web page, with its pictures inside",
    ExportFormat.PDF: "PDF",
    ExportFormat.JSON: "JSON, with a folder of its files",
}

_LONGEST_NAME = 60


class Exporter(Writing):
    """Writes whatever `read` gives at the moment it is asked. `title` gives the conversation's, after which a file is
    called.
    """

    def __init__(self, title: Callable[[], str], read: Callable[[], Exported]) -> None:
        super().__init__()
        self._title = title
        self.read = read

    def file_name(self, kind: ExportFormat) -> str:
        """What to call the file: the title, without what a file's name may not have."""
        words = "".join(
            " " if letter in '/\\:*?"<>|' or not letter.isprintable() else letter for letter in self._title()
        )
        name = " ".join(words.split())[:_LONGEST_NAME].strip(". ")
        return f"{name or 'Conversation'}.{kind.value}"

    def export(
        self, path: Path, kind: ExportFormat, *, with_thoughts: bool, conversation: Exported | None = None
    ) -> None:
        """Write a conversation that was read before, or the open one as it is now; a signal tells what came of it."""
        self._begin(path, partial(self._write, conversation or self.read(), path, kind, with_thoughts))

    def delete(self, paths: Sequence[Path]) -> None:
        """Delete files once every export that was asked for has read them."""
        if paths:
            self._lane.do(partial(_delete, paths))

    def _write(
        self, conversation: Exported, path: Path, kind: ExportFormat, with_thoughts: bool
    ) -> tuple[str, Path | None]:
        try:
            export(
                conversation, path, kind, with_thoughts=with_thoughts, is_wanted=lambda: not self._is_closing.is_set()
            )
        except ExportCancelled:
            return "", None
        except ExportError as error:
            return str(error), None
        return f"Exported as {named(path)}", path


def _delete(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()
