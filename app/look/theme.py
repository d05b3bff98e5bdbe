"""Colours, type and the style sheet: one accent, two schemes, changed live.

Widgets ask `theme.colors` for what a style sheet cannot say (icons, documents) and follow `theme.changed`.
"""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

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
            self._wear(style_sheet(self.colors, self.scale))

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
            self._wear(sheet)
            self.changed.emit()

    def _wear(self, sheet: str) -> None:
        if self._is_dressed:
            self._app.setStyleSheet("")  # in another's place, Qt styles a widget again for each one around it
            self._app.setStyleSheet(sheet)

    def _is_dark(self) -> bool:
        if self.appearance is Appearance.SYSTEM:
            return self._hints.colorScheme() == Qt.ColorScheme.Dark
        return self.appearance is Appearance.DARK


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
