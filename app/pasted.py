"""The private folder: pasted pictures, recordings, the sample that the window draws, and copies of what was sent."""

import itertools
import shutil
import tempfile
from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QImageWriter, QPainter

__all__ = ["PastedPictures"]

SAMPLE_SIZE = QSize(640, 256)
SAMPLE_TEXT = "Hello 42"

_FAST = 11
"""Of 100, which is zlib's level 1 of 9 (below 11 nothing is compressed): a screenshot should appear at once."""


class PastedPictures:
    """A folder that only this person can read; it goes away with the app."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cabochon-")
        self._numbers = itertools.count(1)
        self._recordings = itertools.count(1)

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return Path(self._folder.name)

    def save(self, mime: QMimeData) -> Path | None:
        """Write the picture data of a paste or a drop as PNG; None when there is no picture in it."""
        image = mime.imageData()
        if not isinstance(image, QImage) or image.isNull():
            return None
        return self._write(image, f"Pasted picture {next(self._numbers)}.png")

    def new_recording(self) -> Path:
        """Where the next recording goes."""
        return self.folder / f"Recording {next(self._recordings)}.wav"

    def keep(self, path: Path) -> Path:
        """A copy of a file that is being sent: later turns read it again, wherever the original has gone by then."""
        if self.folder in path.parents:
            return path
        copy = self.folder / f"sent {next(self._numbers)}" / path.name
        try:
            copy.parent.mkdir()
            shutil.copyfile(path, copy)
        except OSError:
            return path  # the engine will say what is wrong with it
        return copy

    def draw_sample(self) -> Path | None:
        """Draw a picture with one line of large print, for a first try with the sample model."""
        image = QImage(SAMPLE_SIZE, QImage.Format.Format_RGB32)
        image.fill(QColor("white"))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        font = QFont()
        font.setPixelSize(SAMPLE_SIZE.height() // 2)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor("black"))
        painter.drawText(image.rect(), Qt.AlignmentFlag.AlignCenter, SAMPLE_TEXT)
        painter.end()
        return self._write(image, "Sample words.png")

    def close(self) -> None:
        """Delete the folder."""
        self._folder.cleanup()

    def _write(self, image: QImage, name: str) -> Path | None:
        path = self.folder / name
        writer = QImageWriter(str(path), b"PNG")
        writer.setCompression(_FAST)
        return path if writer.write(image) else None
