"""Colours, type and the style sheet: one accent, two schemes, changed live.

Widgets ask `theme.colors` for what a style sheet cannot say (icons, documents) and follow `theme.changed`.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from app.background import SLICE_S, Soon
from app.look.colors import DARK, LIGHT, Colors, high_contrast
from app.look.stylesheet import style_sheet, symbol_size
from app.settings import TEXT_SIZES, Appearance, Settings

__all__ = ["COLUMN_WIDTH", "Theme"]

COLUMN_WIDTH = 760
"""The widest a column of text gets, in pixels."""


class Theme(QObject):
    """Applies a scheme to the application, its style sheet from `dress` on, and follows the system's.

    **Signals:** `changed`, after colours or text size changed.
    """

    changed = Signal()

    def __init__(self, app: QApplication, settings: Settings) -> None:
        super().__init__()
        self._app = app
        self._settings = settings
        self._hints = app.styleHints()
        self.colors = LIGHT
        self._is_dressed = False
        self._rest: deque[tuple[QWidget, Callable[[], object]]] = deque()
        """What follows the last change in slices."""
        self._slices = Soon(self, 0, self._style_rest)
        self._hints.colorSchemeChanged.connect(self.apply)
        self._hints.accessibility().contrastPreferenceChanged.connect(self.apply)
        self.set_appearance(settings.appearance)

    @property
    def appearance(self) -> Appearance:
        """Light, dark or the system's choice."""
        return self._settings.appearance

    @property
    def scale(self) -> float:
        """How much larger than usual text is shown."""
        return self._settings.text_size / 100

    @property
    def mono_font(self) -> QFont:
        """The system's fixed-pitch font, a little smaller than body text."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(self.pixels(13))
        return font

    def pixels(self, size: int) -> int:
        """A text size at the present scale."""
        return round(size * self.scale)

    def symbol(self, size: int) -> int:
        """Of a symbol in pixels, at the present scale."""
        return symbol_size(size, self.scale)

    def set_appearance(self, appearance: Appearance) -> None:
        """Choose light, dark or the system's choice."""
        self._settings.appearance = appearance
        match appearance:
            case Appearance.SYSTEM:
                self._hints.unsetColorScheme()
            case Appearance.LIGHT:
                self._hints.setColorScheme(Qt.ColorScheme.Light)
            case Appearance.DARK:
                self._hints.setColorScheme(Qt.ColorScheme.Dark)
        self.apply()

    def step_scale(self, steps: int) -> None:
        """Make text bigger or smaller; 0 makes it usual."""
        index = TEXT_SIZES.index(self._settings.text_size if steps else 100) + steps
        self.set_text_size(TEXT_SIZES[min(max(index, 0), len(TEXT_SIZES) - 1)])

    def set_text_size(self, percent: int) -> None:
        """Show text in one of `TEXT_SIZES`."""
        self._settings.text_size = percent
        self.apply()

    def dress(self) -> None:
        """Put the style sheet on, once the window is built: Qt matches it anew at each step that a widget goes up."""
        if not self._is_dressed:
            self._is_dressed = True
            self._app.setStyleSheet(style_sheet(self.colors, self.scale))

    def apply(self) -> None:
        """Put the present scheme on the application."""
        colors = DARK if self._is_dark() else LIGHT
        if self._hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
            colors = high_contrast(colors)
        sheet = style_sheet(colors, self.scale)
        is_other = (colors, sheet) != (self.colors, self._app.styleSheet())
        self.colors = colors
        self._app.setPalette(_palette(colors))
        if is_other:
            self._rest.clear()
            unseen = self._wear(sheet) if self._is_dressed else []
            self.changed.emit()
            for widget in unseen:
                self.soon(widget, partial(_match, widget))

    def soon(self, widget: QWidget, restyle: Callable[[], object]) -> None:
        """Call `restyle`, unless the widget is gone by then, when others have had their turn: it may take a while."""
        self._rest.append((widget, restyle))
        self._slices.start()

    def _wear(self, sheet: str) -> list[QWidget]:
        """Put another sheet in the place of the first on all that is seen, and return the rest."""
        style = self._app.style()
        style.unpolish(self._app)  # forgets whom the old sheet matched: Qt would match each again for all around it
        style.polish(self._app)
        self._app.setStyleSheet(sheet)
        unseen = []
        for window in self._app.topLevelWidgets():
            for widget in (window, *window.findChildren(QWidget)):
                if not widget.visibleRegion().isEmpty():
                    _match(widget)
                elif widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
                    unseen.append(widget)
        return unseen

    def _style_rest(self) -> None:
        began = time.thread_time()
        while self._rest and time.thread_time() - began < SLICE_S:
            widget, restyle = self._rest.popleft()
            if isValid(widget):
                restyle()
        if self._rest:
            self._slices.start()

    def _is_dark(self) -> bool:
        if self.appearance is Appearance.SYSTEM:
            return self._hints.colorScheme() == Qt.ColorScheme.Dark
        return self.appearance is Appearance.DARK


def _match(widget: QWidget) -> None:
    """Style a widget by the present sheet."""
    widget.style().polish(widget)
    QApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))


def _palette(colors: Colors) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: colors.window,
        QPalette.ColorRole.WindowText: colors.text,
        QPalette.ColorRole.Base: colors.surface,
        QPalette.ColorRole.AlternateBase: colors.code,
        QPalette.ColorRole.Text: colors.text,
        QPalette.ColorRole.Button: colors.surface,
        QPalette.ColorRole.ButtonText: colors.text,
        QPalette.ColorRole.BrightText: colors.on_accent,
        QPalette.ColorRole.Highlight: colors.accent,
        QPalette.ColorRole.HighlightedText: colors.on_accent,
        QPalette.ColorRole.Accent: colors.accent,
        QPalette.ColorRole.Link: colors.accent,
        QPalette.ColorRole.LinkVisited: colors.accent,
        QPalette.ColorRole.PlaceholderText: colors.secondary,
        QPalette.ColorRole.ToolTipBase: colors.surface,
        QPalette.ColorRole.ToolTipText: colors.text,
        QPalette.ColorRole.Light: colors.surface,
        QPalette.ColorRole.Midlight: colors.hover,
        QPalette.ColorRole.Mid: colors.hairline,
        QPalette.ColorRole.Dark: colors.hairline,
        QPalette.ColorRole.Shadow: colors.hairline,
    }
    palette = QPalette()
    for role, color in roles.items():
        palette.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colors.secondary))
    return palette
