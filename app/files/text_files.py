"""Text in files: which encoding it has, and how far it is read. What to do with the rest is for whoever asks."""

import codecs
import errno
import re
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["FileText", "read_text", "text_of"]

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNWRITTEN = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Control characters that no text holds; tabs, line ends, form feeds and the escapes of terminals may be there."""


@dataclass(frozen=True)
class FileText:
    """The beginning of a file as text; lines end in a line feed, and what cannot be decoded is U+FFFD."""

    text: str = field(repr=False)
    is_cut: bool
    """There is more in the file."""
    is_exact: bool
    """Every byte belonged to a character of the encoding."""


def read_text(path: Path, max_bytes: int) -> FileText | None:
    """Up to `max_bytes` of a file, as `text_of` takes them; raises OSError."""
    if not path.is_file():  # opening a pipe would wait for somebody to write into it
        raise OSError(errno.EINVAL, "It is not a file", str(path))
    with path.open("rb") as file:
        return text_of(file.read(max_bytes + 1), max_bytes)


def text_of(data: bytes, max_bytes: int) -> FileText | None:
    """Up to `max_bytes` in UTF-8, or in what their byte order mark says; longer data are cut.

    A character at the cut is left out whole. None for what holds control characters that no text has.
    """
    is_cut = len(data) > max_bytes
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    if encoding != "utf-16" and _UNWRITTEN.search(data):
        return None  # as every picture: found at once
    text, is_exact = _decoded(data[:max_bytes], encoding, is_whole=not is_cut)
    if encoding == "utf-16" and _UNWRITTEN.search(text.encode()):
        return None
    return FileText(text.replace("\r\n", "\n").replace("\r", "\n"), is_cut, is_exact)


def _decoded(data: bytes, encoding: str, *, is_whole: bool) -> tuple[str, bool]:
    """The text, and whether nothing of it had to be replaced."""
    decoder = codecs.getincrementaldecoder(encoding)
    try:
        return decoder().decode(data, final=is_whole), True
    except UnicodeDecodeError:
        return decoder("replace").decode(data, final=is_whole), False
