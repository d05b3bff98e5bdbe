"""A conversation as a PDF, set by Qt."""

import html
import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QLocale, QUrl
from PySide6.QtGui import QFont, QImage, QPageSize, QPdfWriter, QTextDocument

from app.exports.conversation import Exported
from app.exports.page import html_body
from engine import AttachmentError, small_picture

__all__ = ["to_pdf"]

_PAPER_WIDTH = 600
"""The widest a picture gets on paper, in pixels of 1/96 inch: A4 and Letter leave 640 between their margins."""

_PAPER_PIXELS = 1600
"""The longest side of a picture inside a PDF."""

_ALIGNED = re.compile(r'style="text-align:(\w+)"')
"""Cells with a style of their own lose the style sheet's in Qt. Quotes in what was said are written as entities."""


def to_pdf(conversation: Exported, go_on: Callable[[], None]) -> bytes:
    """Pages with their numbers, on Letter where inches are usual and on A4 elsewhere; `go_on` as in `to_html`."""
    document = QTextDocument()
    document.setDefaultFont(QFont(QFont().family(), 10))
    document.setDefaultStyleSheet(
        "h1 { font-size: 17pt; } .who { margin-top: 16px; margin-bottom: 4px; }"
        "pre, code { font-family: monospace; font-size: 9pt; }"
        ".date, .note, .thought { color: #626a66; } .said { background-color: #eceeea; white-space: pre-wrap; }"
        ".thought, pre { white-space: pre-wrap; } table { border-collapse: collapse; }"
        "td, th { border: 1px solid #c9cdc8; padding: 3px 6px; } a { color: #0d7a63; }"
    )
    body = html_body(conversation, lambda path: _resource(document, path), go_on)
    body = body.replace("<summary>", "<p><b>").replace("</summary>", "</b></p>")  # which Qt does not know
    document.setHtml(_ALIGNED.sub(r'align="\1"', body))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    uses_inches = QLocale().measurementSystem() == QLocale.MeasurementSystem.ImperialUSSystem
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.Letter if uses_inches else QPageSize.PageSizeId.A4))
    writer.setTitle(conversation.title)
    writer.setCreator("Cabochon")
    go_on()
    document.print_(writer)
    del writer  # it writes the end of the file when it goes
    return bytes(buffer.data().data())


def _resource(document: QTextDocument, path: Path) -> str:
    """Give the document a picture, and return the attributes that show it. Empty when it cannot be read."""
    try:
        picture = small_picture(path, _PAPER_PIXELS)
    except AttachmentError:
        return ""
    width = min(_PAPER_WIDTH, picture.width)
    pixels = picture.tobytes()
    image = QImage(pixels, picture.width, picture.height, 3 * picture.width, QImage.Format.Format_RGB888).copy()
    name = f"picture:{path}"
    document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name), image)
    return f'src="{html.escape(name)}" width="{width}"'
