"""The line under an answer that tells which pages of documents the model has seen, each a link to its page."""

from collections.abc import Sequence

from PySide6.QtGui import QTextCharFormat, QTextCursor

from app.text.pages import MOST_RANGES, page_ranges
from app.viewmodels.conversation.sources import Source
from app.widgets.markdown.markdown_document import page_format
from app.widgets.markdown.text_view import TextView
from app.widgets.shared.look import Look
from engine import one_line

__all__ = ["SourcesLine"]


class SourcesLine(TextView):
    """One line for each document."""

    def __init__(self, look: Look, sources: Sequence[Source]) -> None:
        super().__init__(look, "sources")
        self._sources = sources
        look.theme.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.document().clear()
        cursor = QTextCursor(self.document())
        for number, source in enumerate(self._sources):
            cursor.insertText("\n" * bool(number), QTextCharFormat())
            self._tell(cursor, source)
        self.setAccessibleName(self.toPlainText())

    def _tell(self, cursor: QTextCursor, source: Source) -> None:
        plain, num = QTextCharFormat(), len(source.pages)
        cursor.insertText(f"Seen of “{one_line(source.path.name, 60)}”: page{'s' * (num > 1)} ", plain)
        ranges = page_ranges(source.pages)
        for at, (first, last) in enumerate(ranges[:MOST_RANGES]):
            cursor.insertText(", " * bool(at), plain)
            cursor.insertText(f"{first:,}", page_format(self._look.theme, first))
            if last > first:
                cursor.insertText("–", plain)
                cursor.insertText(f"{last:,}", page_format(self._look.theme, last))
        rest = sum(last - first + 1 for first, last in ranges[MOST_RANGES:])
        cursor.insertText((f" and {rest:,} more" if rest else "") + f" of {source.num_pages:,}.", plain)
