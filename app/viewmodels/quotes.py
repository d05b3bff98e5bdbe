"""Text files and long pastes as parts of a message: read, told from binary files, quoted, and recognized again."""

import codecs
import re
from pathlib import Path

from PySide6.QtCore import QMimeDatabase

from engine import AttachmentError

__all__ = ["LONG_TEXT", "TEXT_SUFFIXES", "is_named_as_text", "quoted", "read_text_file", "unquoted"]

LONG_TEXT = 4_000
"""Characters from which a pasted text becomes a chip."""

MAX_TEXT_BYTES = 256 * 1024

TEXT_SUFFIXES = (
    ".txt", ".text", ".md", ".markdown", ".rst", ".tex", ".bib", ".log", ".csv", ".tsv", ".json", ".jsonl", ".yaml",
    ".yml", ".toml", ".ini", ".cfg", ".conf", ".plist", ".xml", ".html", ".htm", ".css", ".svg", ".srt", ".vtt", ".sql",
    ".diff", ".patch", ".py", ".ipynb", ".js", ".ts", ".jsx", ".tsx", ".swift", ".m", ".mm", ".c", ".h", ".cc", ".cpp",
    ".hpp", ".rs", ".go", ".java", ".kt", ".rb", ".php", ".pl", ".lua", ".r", ".jl", ".sh", ".zsh", ".bash",
)  # fmt: skip
"""What the dialog for files shows at once; whatever holds text can be attached."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNWRITTEN = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Control characters that no text holds; tabs, line ends, form feeds and the escapes of terminals may be there."""

_OTHER_KINDS = (b"%PDF-", b"{\\rtf")
"""Documents that begin like text and are none that a person wants to have quoted."""

_QUOTE = re.compile(r"File: ([^\n]*)\n(`{3,})\n(.*)\n\2", re.DOTALL)


def is_named_as_text(path: Path) -> bool:
    """Whether a file's name promises text; the file is not opened."""
    return any(kind.inherits("text/plain") for kind in QMimeDatabase().mimeTypesForFileName(path.name))


def read_text_file(path: Path) -> str | None:
    """The text of a file by its content, None when it holds something else or cannot be opened.

    Raises AttachmentError for text that is too long, and for a file that only its name calls text.
    """
    try:
        with path.open("rb") as file:
            head = file.read(MAX_TEXT_BYTES + 1)
    except OSError:
        return None
    if not head or head.startswith(_OTHER_KINDS):
        return None
    is_too_long = len(head) > MAX_TEXT_BYTES
    text = _decoded(head, is_whole=not is_too_long)
    if text is None:
        if is_named_as_text(path):
            raise AttachmentError(f"“{path.name}” is not text in UTF-8 or UTF-16. Save it as UTF-8 first.")
        return None
    if is_too_long:
        raise AttachmentError(
            f"“{path.name}” is too long: {MAX_TEXT_BYTES // 1024} KB of text are the most. Attach a piece of it."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def quoted(name: str, text: str) -> str:
    """A text as a fenced block under its name, as the model reads it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"File: {' '.join(name.split())}\n{fence}\n{text}\n{fence}"


def unquoted(text: str) -> tuple[str, str] | None:
    """The name and the text of what `quoted` made; None for anything else."""
    found = _QUOTE.fullmatch(text)
    return None if found is None else (found[1], found[3])


def _decoded(head: bytes, *, is_whole: bool) -> str | None:
    """The beginning of a file as text; None when it is none."""
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=is_whole)
    except UnicodeDecodeError:
        return None
    return None if _UNWRITTEN.search(text) else text
