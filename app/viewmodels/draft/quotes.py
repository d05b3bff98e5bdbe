"""Text files and long pastes as parts of a message: read, and told from binary files."""

from pathlib import Path

from PySide6.QtCore import QMimeDatabase

from app.files.text_files import read_text
from engine import AttachmentError, named

__all__ = ["LONG_TEXT", "MANY_LINES", "TEXT_SUFFIXES", "is_named_as_text", "read_text_file"]

LONG_TEXT = 4_000
"""Characters from which a pasted text becomes a chip."""

MANY_LINES = 60
"""So many lines do the same: nobody reads them in a small field."""

MAX_TEXT_BYTES = 256 * 1024

TEXT_SUFFIXES = (
    ".txt", ".text", ".md", ".markdown", ".rst", ".tex", ".bib", ".log", ".csv", ".tsv", ".json", ".jsonl", ".yaml",
    ".yml", ".toml", ".ini", ".cfg", ".conf", ".plist", ".xml", ".html", ".htm", ".css", ".svg", ".srt", ".vtt", ".sql",
    ".diff", ".patch", ".py", ".ipynb", ".js", ".ts", ".jsx", ".tsx", ".swift", ".m", ".mm", ".c", ".h", ".cc", ".cpp",
    ".hpp", ".rs", ".go", ".java", ".kt", ".rb", ".php", ".pl", ".lua", ".r", ".jl", ".sh", ".zsh", ".bash",
)  # fmt: skip
"""What the dialog for files shows at once; whatever holds text can be attached."""

_OTHER_KINDS = ("%PDF-", "{\\rtf")
"""Documents that begin like text and are none that a person wants to have quoted."""


def is_named_as_text(path: Path) -> bool:
    """Whether a file's name promises text; the file is not opened."""
    return any(kind.inherits("text/plain") for kind in QMimeDatabase().mimeTypesForFileName(path.name))


def read_text_file(path: Path) -> str | None:
    """The text of a file by its content, None when it holds something else or cannot be opened.

    Raises AttachmentError for text that is too long, and for a file that only its name calls text.
    """
    try:
        file = read_text(path, MAX_TEXT_BYTES)
    except OSError:
        return None
    if file is not None and (not file.text or file.text.startswith(_OTHER_KINDS)):
        return None
    if file is None or not file.is_exact:
        if is_named_as_text(path):
            raise AttachmentError(
                f"{named(path)} cannot be read as text in UTF-8, or in UTF-16 that its first bytes announce. "
                "Save it as UTF-8 first."
            )
        return None
    if file.is_cut:
        raise AttachmentError(
            f"{named(path)} is too long: {MAX_TEXT_BYTES // 1024} KB of text are the most. Attach a piece of it."
        )
    return file.text
