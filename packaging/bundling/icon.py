"""The app's icon as a Mac wants it, drawn from the one in the window."""

import io
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

__all__ = ["write_icns"]

SIDES = (32, 64, 128, 256, 512, 1024)


def write_icns(svg: Path, target: Path) -> None:
    """Draw the picture anew at every size. Raises ValueError when there is none."""
    pictures = [_draw(svg, side) for side in SIDES]
    target.parent.mkdir(parents=True, exist_ok=True)
    pictures[-1].save(target, format="ICNS", append_images=pictures[:-1])


def _draw(svg: Path, side: int) -> Image.Image:
    renderer = QSvgRenderer(str(svg))
    if not renderer.isValid():
        raise ValueError(f"{svg} is no picture")
    image = QImage(side, side, QImage.Format.Format_RGBA8888)
    image.fill(0)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    picture = Image.open(io.BytesIO(data.data()))
    picture.load()
    return picture
