"""Formulas as pictures in a line of text, on its baseline."""

import math

from PySide6.QtCore import QRect, QUrl
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QImage,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
    QTextImageFormat,
    QTextLength,
)

from app.look.typesetting import Drawing, Formula
from app.text.formulas import TexSource
from app.widgets.shared.look import Look

__all__ = ["WRITTEN", "FormulaImages", "written_tex"]

WRITTEN = QTextFormat.Property.UserProperty.value + 1
"""What was written, on a formula's picture and on a formula that is shown as its source."""

_WHOLE_WIDTH = QTextLength(QTextLength.Type.PercentageLength, 100)
_FONT_SHARE = 1.12
"""The mathematical font looks smaller than the interface's at the same size."""


class FormulaImages:
    """The drawn formulas of one document, and those that it waits for."""

    def __init__(self, look: Look, document: QTextDocument) -> None:
        self._look = look
        self._document = document
        self.waiting: set[Formula] = set()
        self.has_sources = False
        """Whether some formulas are shown as they were written."""
        self._shown_as_written: dict[str, TexSource] = {}

    def forget(self) -> None:
        """The document is empty again."""
        self.waiting.clear()
        self._shown_as_written.clear()
        self.has_sources = False

    def drawn(self, style: QTextCharFormat, font: QFont, ratio: float) -> QTextImageFormat | None:
        """The picture of a formula that is shown as its source in this style, if it has been drawn since."""
        source = self._shown_as_written.get(written_tex(style)) if not style.isImageFormat() else None
        return self.place(source, font, ratio) if source is not None else None

    def place(self, source: TexSource, font: QFont, ratio: float) -> QTextImageFormat | None:
        """The picture of a formula for text in this font; None while it is being drawn, and when it cannot be."""
        pixel_size = round(font.pixelSize() * _FONT_SHARE)
        formula = Formula(source.tex, source.is_display, pixel_size, self._look.theme.colors.text, ratio)
        drawing = self._look.typesetter.draw(formula)
        if drawing is None:
            self.waiting.add(formula)
        if not isinstance(drawing, Drawing):
            self.has_sources = True
            self._shown_as_written[source.written] = source
            return None
        image, alignment = drawing.image, QTextCharFormat.VerticalAlignment.AlignMiddle
        if not source.is_display:
            alignment = QTextCharFormat.VerticalAlignment.AlignBaseline
            image, font = _on_baseline(drawing, font)
        shape = QTextImageFormat()
        shape.setFont(font)
        shape.setVerticalAlignment(alignment)
        shape.setName(f"formula:{hash(formula)}")
        shape.setWidth(image.width() / ratio)
        shape.setMaximumWidth(_WHOLE_WIDTH)
        shape.setProperty(WRITTEN, source.written)
        self._document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(shape.name()), image)
        return shape


def written_tex(style: QTextCharFormat) -> str:
    """What was written where a formula's picture stands; nothing for other text."""
    return style.stringProperty(WRITTEN)


def _on_baseline(drawing: Drawing, font: QFont) -> tuple[QImage, QFont]:
    """Pad a drawing until it ends at the descent of a font, where Qt puts it on the baseline whatever is beside it.

    The font is as large as that takes, if it has a descent; nothing is written in it.
    """
    ratio, font, descent = drawing.image.devicePixelRatio(), QFont(font), QFontMetrics(font).descent()
    if descent > 0:
        size = max(font.pixelSize(), math.floor(font.pixelSize() * drawing.descent / descent))
        for font_size in range(size, 2 * size + 1):  # it was rounded, and so is the share
            font.setPixelSize(font_size)
            if QFontMetrics(font).descent() >= drawing.descent:
                break
    below = max(QFontMetrics(font).descent() - drawing.descent, 0)
    area = QRect(0, 0, drawing.image.width(), drawing.image.height() + round(below * ratio))
    image = drawing.image.copy(area)
    image.setDevicePixelRatio(ratio)
    return image, font
