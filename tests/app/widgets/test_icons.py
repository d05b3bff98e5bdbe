"""Symbols are drawn once, and in the colour that is asked for."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from app.look.icons import Icons
from app.paths import ICONS


def test_a_symbol_is_drawn_once_in_a_colour_and_a_size(qapp: QApplication) -> None:
    icons, size = Icons(ICONS), QSize(18, 18)
    drawn = icons.pixmap("copy", "#102030", size)
    assert icons.pixmap("copy", "#102030", size).cacheKey() == drawn.cacheKey()
    assert icons.pixmap("copy", "#405060", size).cacheKey() != drawn.cacheKey()
    image = drawn.toImage()
    inked = {
        QColor(image.pixelColor(x, y)).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }
    assert inked == {"#102030"}
