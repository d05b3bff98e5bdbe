"""The private folder: pasted pictures, recordings, the sample that the window draws, and copies of what was sent."""

import itertools
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QImageWriter, QPainter

from engine import PrivateFolder, write_whole

__all__ = ["PastedPictures"]

SAMPLE_SIZE = QSize(640, 256)
SAMPLE_TEXT = "Hello 42"

_FAST = 11
"""Of 100, which is zlib's level 1 of 9 (below 11 nothing is compressed): a screenshot should appear at once."""


class PastedPictures:
    """Files in a folder that only this person can read and that goes away with the app; each call may raise OSError."""

    def __init__(self) -> None:
        self._private = PrivateFolder()
        self._numbers = itertools.count(1)
        self._recordings = itertools.count(1)
        self._pages = itertools.count(1)
        self._lent: list[Path] = []
        self._is_lending = False

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._private.path

    def save(self, image: object) -> Path | None:
        """Write the picture data of a paste or a drop as PNG; None when it is no picture."""
        if not isinstance(image, QImage) or image.isNull():
            return None
        path = self._write(image, f"Pasted picture {next(self._numbers)}.png")
        self._note(path)
        return path

    def new_recording(self, *, is_lent: bool = True) -> Path:
        """Where the next recording goes; one that is not lent to the conversation goes with the app alone."""
        path = self.folder / f"Recording {next(self._recordings)}.wav"
        if is_lent:
            self._note(path)
        return path

    def new_page(self) -> Path:
        """Where the picture of a page goes until it is shown."""
        return self.folder / f"page {next(self._pages)}.png"

    def lend(self, path: Path) -> Path:
        """A copy of a file that a temporary conversation sends: later turns read it again, wherever the original has
        gone by then. It is not wanted any more when the conversation is over.
        """
        try:
            lent = path if self.folder in path.parents else self._copy(path)
        except OSError:
            return path  # the engine will say what is wrong with it
        self._lent.append(lent)
        return lent

    def holds(self, path: Path) -> bool:
        """Whether a file goes with the app."""
        return self._private.holds(path)

    def bind(self, paths: Sequence[Path], name: str) -> Path:
        """One file as it is, or a folder of this name with a link to each of several, numbered in their order."""
        if len(paths) == 1:
            return paths[0]
        folder = Path(tempfile.mkdtemp(dir=self.folder)) / name
        folder.mkdir()
        for number, path in enumerate(paths, 1):
            (folder / f"{number:0{len(str(len(paths)))}} {path.name}").symlink_to(path.absolute())
        return folder

    def begin(self, *, is_temporary: bool) -> list[Path]:
        """Another conversation begins. Return the files of the one before that nobody may find, if it was temporary."""
        lent, self._lent = self._lent, []
        self._is_lending = is_temporary
        return lent

    def draw_sample(self) -> Path:
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
        """Delete the folder and everything in it; the next file makes another."""
        self._private.close()

    def _copy(self, path: Path) -> Path:
        copy = self.folder / f"sent {next(self._numbers)}" / path.name
        copy.parent.mkdir()
        try:
            shutil.copyfile(path, copy)
        except OSError:
            shutil.rmtree(copy.parent)
            raise
        return copy

    def _note(self, path: Path) -> None:
        if self._is_lending:
            self._lent.append(path)

    def _write(self, image: QImage, name: str) -> Path:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QImageWriter(buffer, b"PNG")
        writer.setCompression(_FAST)
        writer.write(image)
        path = self.folder / name
        write_whole(path, bytes(buffer.data().data()))
        return path
