"""Exports of the conversation in the window: what can be chosen, how the file is called, and what came of it."""

from collections.abc import Callable
from pathlib import Path

from app.exports import Exported, ExportError, ExportFormat, export

__all__ = ["FORMAT_NAMES", "Exporter"]

FORMAT_NAMES = {
    ExportFormat.MARKDOWN: "Markdown, with a folder of its files",
    ExportFormat.HTML: "Web page, with its pictures inside",
    ExportFormat.PDF: "PDF",
    ExportFormat.JSON: "JSON, with a folder of its files",
}

_LONGEST_NAME = 60


class Exporter:
    """Writes whatever `read` gives at the moment it is asked."""

    def __init__(self, read: Callable[[], Exported]) -> None:
        self._read = read

    @property
    def can_export(self) -> bool:
        """Whether anything was said yet."""
        return bool(self._read().entries)

    def file_name(self, kind: ExportFormat) -> str:
        """What to call the file: the title, without what a file's name may not have."""
        words = "".join(" " if letter in '/\\:*?"<>|' or not letter.isprintable() else letter for letter in self._title)
        name = " ".join(words.split())[:_LONGEST_NAME].strip(". ")
        return f"{name or 'Conversation'}.{kind.value}"

    def export(self, path: Path, kind: ExportFormat, with_thoughts: bool) -> str:
        """Write the file and return the sentence to show."""
        try:
            export(self._read(), path, kind, with_thoughts=with_thoughts)
        except ExportError as error:
            return str(error)
        return f"Exported as “{path.name}”"

    @property
    def _title(self) -> str:
        return self._read().title
